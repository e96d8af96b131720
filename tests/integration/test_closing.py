"""The tables of a registry that moves: who waits while they are held, who fails when they are closed, and that nothing that was acknowledged gets lost."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import closing, snapshot
from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import layout as table_layout
from sandbox import databases
from sandbox.layout import Layout
from sandbox.server import schema
from tests.helpers import until

from .conftest import SERVERS
from .test_sandbox_registry_data import connect, new_database
from .test_tables import MakeDatabase, opened

__all__ = ["new_database"]
# One in each table that has a column of its own for a name, as the server writes them.
WRITTEN = ("Artifact", "Context", "Execution", "Type")


@pytest.fixture
def database(layout: Layout, new_database: MakeDatabase, kind: str) -> str:
    name = new_database(kind)
    server = connect(layout, kind, name)
    schema.migrate(server)
    server.close()
    return name


class Writers:
    """Writers that each add one row to a table, and what became of it."""

    def __init__(self, layout: Layout, kind: str, database: str, mark: str) -> None:
        self._layout, self._kind, self._database, self._mark = layout, kind, database, mark
        self.acknowledged: set[str] = set()
        self.refused: dict[str, str] = {}
        self._threads = [threading.Thread(target=self._write, args=(table,)) for table in WRITTEN]
        for thread in self._threads:
            thread.start()

    def _write(self, table: str) -> None:
        column = "type_kind" if table == "Type" else "type_id"
        with opened(self._layout, self._kind, self._database) as (connection, engine):
            quote = "`" if engine == "mysql" else '"'
            try:
                connection.cursor().execute(f"INSERT INTO {quote}{table}{quote} (name, {column}) VALUES ('{self._mark}', 1)")
                self.acknowledged.add(table)
            except connection.Error as error:
                self.refused[table] = str(error)

    @property
    def waiting(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(30)
        assert self.acknowledged | self.refused.keys() == set(WRITTEN)


@contextmanager
def sessions(layout: Layout, kind: str, database: str, count: int) -> Iterator[tuple[str, list[Any]]]:
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(opened(layout, kind, database)) for _number in range(count)]
        yield found[0][1], [connection for connection, _engine in found]


def names(connection: Any, engine: str, suffix: str = "") -> dict[str, set[str]]:
    with snapshot.snapshot(connection, engine, suffix) as taken:
        taken.need_registry()
        return {table: {part for line in taken.rows(table_layout.BY_NAME[table]) for part in line.decode().split('"')} for table in WRITTEN}


@pytest.mark.parametrize("kind", SERVERS)
def test_writers_wait_while_the_tables_are_held_and_cannot_write_once_they_are_closed(layout: Layout, database: str, kind: str) -> None:
    if kind == "postgresql":
        with databases.administration(layout, kind) as run:
            # Less than the tables are held.
            run(f"ALTER DATABASE \"{database}\" SET idle_in_transaction_session_timeout = '500ms'")
            run(f"ALTER DATABASE \"{database}\" SET idle_session_timeout = '1h'")
    with sessions(layout, kind, database, 3) as (engine, [holder, second, reader]):
        source = closing.Source(holder, engine)
        assert source.problems() == [] and not source.is_closed()
        source.claim()
        if kind == "postgresql":
            assert holder.execute("SHOW idle_session_timeout").fetchone() == ("0",)
        with pytest.raises(closing.HeldError, match="Another run"):
            closing.Source(second, engine).claim()
        source.hold(10)
        writers = Writers(layout, kind, database, "waited")
        with pytest.raises(AssertionError):
            until(lambda: not writers.waiting, 1)
        assert not any("waited" in found for found in names(reader, engine).values())
        source.close(second)
        writers.join()
        # What slipped in between is found, and after that nothing gets in.
        assert source.is_closed() and closing.Source(reader, engine).is_closed()
        left = names(reader, engine, source.suffix)
        assert {table for table, found in left.items() if "waited" in found} == writers.acknowledged
        if kind != databases.MARIADB:
            assert not writers.acknowledged, writers.refused
            assert names(reader, engine) == left
        late = Writers(layout, kind, database, "late")
        late.join()
        assert not late.acknowledged and names(reader, engine, source.suffix) == left
        # Another run opens them again.
        holder.close()
        again = closing.Source(second, engine)
        again.claim()
        again.reopen()
        again.reopen()
        assert not again.is_closed()
        welcome = Writers(layout, kind, database, "welcome")
        welcome.join()
        assert not welcome.refused


@pytest.mark.parametrize("kind", SERVERS)
def test_a_lock_that_is_not_granted_in_time_is_given_up_and_one_of_a_lost_connection_is_gone(layout: Layout, database: str, kind: str) -> None:
    with sessions(layout, kind, database, 2) as (engine, [holder, writer]):
        quote = "`" if engine == "mysql" else '"'
        writer.cursor().execute("BEGIN")
        writer.cursor().execute(f"UPDATE {quote}Type{quote} SET version = '1'")
        source = closing.Source(holder, engine)
        with pytest.raises(closing.HeldError, match="lock_timeout"):
            source.hold(1)
        writer.rollback()
        source.hold(1)
        holder.close()
        freed = Writers(layout, kind, database, "freed")
        freed.join()
        assert not freed.refused and not closing.Source(writer, engine).is_closed()


@pytest.mark.parametrize("kind", ["mysql", databases.MARIADB])
def test_a_user_that_lacks_the_permission_to_close_is_found_before(layout: Layout, database: str, kind: str) -> None:
    with databases.administration(layout, kind) as run:
        run(f"CREATE USER '{database}'@'%' IDENTIFIED BY 'narrow'")
        run(f"GRANT SELECT, UPDATE, DELETE ON `{database}`.* TO '{database}'@'%'")
        try:
            import pymysql

            login = {"host": databases.address(layout, kind), "user": database, "password": "narrow", "database": database, "autocommit": True}
            narrow = pymysql.connect(**login)
            source = closing.Source(narrow, "mysql")
            [problem] = source.problems()
            lacking = "LOCK TABLES, ALTER" if source.suffix == "" else "LOCK TABLES, ALTER, DROP, CREATE, INSERT"
            assert problem == f"the user lacks {lacking} on the database. Run GRANT {lacking} ON `{database}`.* TO the user"
            assert kind == "mysql" or source.suffix
            with pytest.raises(snapshot.UnusableDatabaseError, match=r"The tables were not locked: .*denied"):
                source.hold(5)
            narrow.close()
            # Whoever tries nevertheless neither closes them nor holds them any longer.
            run(f"GRANT LOCK TABLES ON `{database}`.* TO '{database}'@'%'")
            narrow, another = pymysql.connect(**login), pymysql.connect(**login)
            source = closing.Source(narrow, "mysql")
            source.hold(5)
            with pytest.raises(snapshot.UnusableDatabaseError, match=r"The tables were not closed: .*denied"):
                source.close(another)
            free = Writers(layout, kind, database, "free")
            free.join()
            assert not free.refused and not source.is_closed()
            narrow.close()
            another.close()
        finally:
            run(f"DROP USER '{database}'@'%'")


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_superuser_and_a_user_that_does_not_own_the_tables_are_found_before(layout: Layout, database: str, kind: str) -> None:
    import psycopg

    with databases.administration(layout, kind, database) as run:
        run(f"CREATE ROLE \"{database}\" LOGIN PASSWORD 'narrow'")
        run(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{database}"')
        target = psycopg.conninfo.make_conninfo(host=databases.address(layout, kind), user=database, password="narrow", dbname=database)
        try:
            found = []
            for change in ("", f'ALTER ROLE "{database}" SUPERUSER'):
                if change:
                    run(change)
                with psycopg.connect(target, autocommit=True) as connection:
                    found += closing.Source(connection, "postgresql").problems()
        finally:
            run(f'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "{database}"')
            run(f'DROP ROLE "{database}"')
    assert "does not own" in found[0] and "superuser" in found[1]


@pytest.mark.parametrize("kind", ["postgresql"])
def test_tables_that_the_user_can_write_to_in_another_way_stay_open(layout: Layout, database: str, kind: str) -> None:
    with databases.administration(layout, kind, database) as run:
        run('GRANT INSERT ON "Event", "Artifact", "Context", "Type" TO PUBLIC')
    with sessions(layout, kind, database, 2) as (engine, [holder, second]):
        source = closing.Source(holder, engine)
        source.hold(5)
        with pytest.raises(closing.HeldError, match="can write to Type, Context, Artifact as a member of another role, or because all users can"):
            source.close(second)
        free = Writers(layout, kind, database, "free")
        free.join()
        assert not free.refused and not source.is_closed()


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_lock_that_a_deadlock_with_a_writer_has_cost_is_asked_for_again(layout: Layout, database: str, kind: str) -> None:
    # The server looks for a deadlock when a lock has been waited for one second.
    with sessions(layout, kind, database, 2) as (engine, [holder, writer]):
        held: list[bool] = []
        source = closing.Source(holder, engine)

        def hold() -> None:
            source.hold(10)
            held.append(True)

        writer.execute("BEGIN")
        writer.execute('UPDATE "Event" SET type = 1')
        holding = threading.Thread(target=hold, daemon=True)
        holding.start()
        until(lambda: writer.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall())
        writer.execute("""UPDATE "Type" SET version = '1'""")
        assert not held
        writer.execute("COMMIT")
        holding.join(10)
        assert held
        source.release()


@pytest.mark.parametrize("kind", ["mysql", databases.MARIADB])
def test_a_role_gives_what_closing_needs_as_long_as_it_is_active(layout: Layout, database: str, kind: str) -> None:
    import pymysql

    role = f"role_{database[-8:]}"
    named, default = (f"'{role}'", f"SET DEFAULT ROLE '{role}' FOR '{database}'@'%'")
    if layout.mysql and kind == "mysql":
        default = f"SET DEFAULT ROLE '{role}' TO '{database}'@'%'"
    with databases.administration(layout, kind) as run:
        run(f"CREATE ROLE {named}")
        run(f"CREATE USER '{database}'@'%' IDENTIFIED BY 'narrow'")
        run(f"GRANT ALL ON `{database}`.* TO {named}")
        run(f"GRANT SELECT ON `{database}`.* TO '{database}'@'%'")
        run(f"GRANT {named} TO '{database}'@'%'")
        login = {"host": databases.address(layout, kind), "user": database, "password": "narrow", "database": database, "autocommit": True}
        try:
            inactive = pymysql.connect(**login)
            [problem] = closing.Source(inactive, "mysql").problems()
            assert "LOCK TABLES, ALTER" in problem
            inactive.close()
            run(default)
            holder, another = pymysql.connect(**login), pymysql.connect(**login)
            source = closing.Source(holder, "mysql")
            assert source.problems() == []
            source.claim()
            source.hold(5)
            source.close(another)
            assert source.is_closed()
            late = Writers(layout, kind, database, "late")
            late.join()
            assert not late.acknowledged
            source.reopen()
            assert not source.is_closed()
            holder.close()
            another.close()
        finally:
            run(f"DROP USER '{database}'@'%'")
            run(f"DROP ROLE {named}")


@pytest.mark.parametrize("kind", ["postgresql"])
def test_tables_in_another_schema_are_closed_and_opened_again(layout: Layout, new_database: MakeDatabase, kind: str) -> None:
    name = new_database(kind)
    with databases.administration(layout, kind, name) as run:
        run("CREATE SCHEMA models AUTHORIZATION registries")
        run(f'ALTER DATABASE "{name}" SET search_path = models')
    server = connect(layout, kind, name)
    schema.migrate(server)
    server.close()
    with sessions(layout, kind, name, 2) as (engine, [holder, second]):
        source = closing.Source(holder, engine)
        assert source.problems() == [] and not source.is_closed()
        source.claim()
        source.hold(5)
        source.close(second)
        late = Writers(layout, kind, name, "late")
        late.join()
        assert source.is_closed() and not late.acknowledged
        source.reopen()
        welcome = Writers(layout, kind, name, "welcome")
        welcome.join()
        assert not source.is_closed() and not welcome.refused


@pytest.mark.parametrize("kind", SERVERS)
def test_a_claim_is_seen_from_another_connection_to_the_same_database(layout: Layout, database: str, new_database: MakeDatabase, kind: str) -> None:
    other = new_database(kind)
    with sessions(layout, kind, database, 3) as (engine, [holder, second, third]), sessions(layout, kind, other, 1) as (_engine, [elsewhere]):
        source = closing.Source(holder, engine)
        source.claim()
        assert closing.Source(second, engine).is_claimed_by(source)
        assert not closing.Source(elsewhere, engine).is_claimed_by(source)
        # That of another run is not this run's.
        assert not closing.Source(second, engine).is_claimed_by(closing.Source(third, engine))
        # For a moment a server still knows the connection of a run that was killed.
        ended = threading.Timer(0.5, holder.close)
        ended.start()
        closing.Source(second, engine).claim()
        ended.join()
