"""The rows of a registry on their way to another database, with the real servers: sessions that are ended at each step, other writers, and other runs."""

from __future__ import annotations

import base64
import contextlib
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import closing, loader, snapshot
from ansible_collections.modelops.openshift_ai.plugins.module_utils._work import data_access, move
from sandbox import databases, processes
from sandbox.databases import REGISTRY
from sandbox.layout import Layout
from sandbox.processes import Command
from sandbox.server import filler, schema

from .test_sandbox_registry_data import asking, connect, emulated, new_database
from .test_tables import MakeDatabase, contents, opened

__all__ = ["new_database"]
ORPHAN = "INSERT INTO ContextProperty (context_id, name, is_custom_property) VALUES (9999, 'lost', TRUE)"


class Sides:
    """A registry with one of everything, and an empty database that is to get it."""

    def __init__(self, layout: Layout, source: str, target: str, names: tuple[str, str]) -> None:
        self.layout, self.source, self.target = layout, (source, names[0]), (target, names[1])
        for kind, name in (self.source, self.target):
            server = connect(layout, kind, name)
            schema.migrate(server)
            if name == names[0]:
                filler.fill(asking(emulated(server)))
            server.close()
        self.before = self.rows(self.source)

    def opener(self, side: tuple[str, str]) -> move.Open:
        @contextmanager
        def open_it() -> Iterator[data_access.Opened]:
            with opened(self.layout, *side) as (connection, engine):
                yield data_access.Opened(SimpleNamespace(type=engine), connection)  # type: ignore[arg-type]

        return open_it

    @contextmanager
    def begun(self, tell: Callable[[str], None] = lambda _text: None, leave_out_orphans: bool = False) -> Iterator[move.Move]:
        with move.begun(self.opener(self.source), self.opener(self.target), 5, leave_out_orphans, tell) as begun:
            begun.claim()
            yield begun

    def rows(self, side: tuple[str, str]) -> dict[str, list[bytes]]:
        found = contents(self.layout, *side)
        return {table.name: sorted(found[table.name]) for table in loader.COPIED}

    @property
    def is_moved(self) -> bool:
        return self.rows(self.target) == self.before

    @property
    def is_empty(self) -> bool:
        return not any(self.rows(self.target).values())

    @property
    def is_closed(self) -> bool:
        with opened(self.layout, *self.source) as (connection, engine):
            return closing.Source(connection, engine).is_closed()

    def run(self, side: tuple[str, str], statement: str) -> None:
        with opened(self.layout, *side) as (connection, engine):
            connection.cursor().execute(statement.replace("ContextProperty", '"ContextProperty"') if engine == "postgresql" else statement)

    def open_again(self) -> None:
        with opened(self.layout, *self.source) as (connection, engine):
            closing.Source(connection, engine).reopen()

    def ending_at(self, step: str, reached: list[str]) -> Callable[[str], None]:
        """What ends all sessions when this is told first."""

        def tell(text: str) -> None:
            if step in text and not reached:
                reached.append(text)
                self.end_sessions()

        return tell

    def end_sessions(self) -> None:
        """Of both sides, as when a node is lost."""
        for kind, name in (self.source, self.target):
            with databases.administration(self.layout, kind) as run:
                if databases.speaks_mysql(kind):
                    for (number,) in run(f"SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '{name}'"):
                        with contextlib.suppress(Exception):
                            run(f"KILL {number}")
                else:
                    run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


@pytest.fixture
def sides(layout: Layout, new_database: MakeDatabase, source: str, target: str) -> Iterator[Sides]:
    found = Sides(layout, source, target, (new_database(source), new_database(target)))
    yield found
    found.open_again()


def failed(begun: move.Move) -> str:
    """What a run says that fails, and takes back what it did."""
    with pytest.raises(_errors.ReportedError):
        begun.carry_over()
    return begun.take_back()


class Died(BaseException):
    """A run that is killed takes nothing back."""


@pytest.mark.parametrize(("source", "target"), [("mysql", "postgresql"), ("postgresql", databases.MARIADB), (databases.MARIADB, "mysql")])
def test_sessions_that_are_ended_at_any_step_change_nothing(sides: Sides) -> None:
    for step in ("lock on the tables", "writing table Context", "writing table Attribution", "verifying table Artifact", "closing the tables"):
        reached: list[str] = []
        with sides.begun(sides.ending_at(step, reached)) as begun:
            failed(begun)
        assert reached and sides.is_empty and not sides.is_closed and sides.rows(sides.source) == sides.before, step
    with sides.begun() as begun:
        begun.carry_over()
    assert sides.is_closed and sides.is_moved


@pytest.mark.parametrize(("source", "target"), [("mysql", "postgresql")])
def test_a_run_that_follows_a_killed_one_leaves_out_what_that_one_left_out(sides: Sides) -> None:
    sides.run(sides.source, ORPHAN)
    orphans = {"ContextProperty": 1}
    with contextlib.suppress(Died), sides.begun(leave_out_orphans=True) as begun:
        begun.carry_over()
        raise Died
    assert sides.is_closed and sides.is_moved
    with sides.begun(leave_out_orphans=True) as begun:
        begun.rehearse()
        assert (begun.facts.orphans, begun.facts.rows) == (orphans, {table: len(rows) for table, rows in sides.before.items()})
    with sides.begun(leave_out_orphans=True) as begun:
        begun.carry_over()
        assert not begun.facts.copied and begun.facts.orphans == orphans and sides.is_moved


@pytest.mark.parametrize(("source", "target"), [("mysql", "postgresql")])
def test_what_was_written_to_the_new_database_is_not_given_up(sides: Sides) -> None:
    with sides.begun() as begun:
        begun.carry_over()
        sides.run(
            sides.target, "INSERT INTO ContextProperty (context_id, name, is_custom_property) SELECT context_id, 'new', TRUE FROM ContextProperty LIMIT 1"
        )
        written = sides.rows(sides.target)
        for refused in (begun.prove_target_unchanged, begun.take_back):
            with pytest.raises(loader.ChangedError, match="ContextProperty"):
                refused()
    assert sides.is_closed and sides.rows(sides.target) == written != sides.before
    # The next run sees that these are not the rows of the registry, and leaves closed what it has found closed.
    with sides.begun() as begun:
        assert "ALTER SCHEMA" in failed(begun)
    assert sides.is_closed and sides.rows(sides.target) == written


@pytest.mark.parametrize(("source", "target"), [("mysql", "postgresql")])
def test_one_run_at_a_time_moves_from_a_database_or_to_it(sides: Sides) -> None:
    with sides.begun() as begun:
        with pytest.raises(closing.HeldError, match="Another run"), sides.begun():
            pass
        # Nor does the server end them while the new tables are made.
        for side in (begun.holder, begun.reading):
            with side.connection.cursor() as cursor:
                cursor.execute("SELECT @@wait_timeout")
                assert cursor.fetchone() == (86400,)
        begun.carry_over()
    assert sides.is_closed and sides.is_moved
    # The current database, under another name.
    sides.target = sides.source
    with pytest.raises(closing.HeldError, match="another host name"), sides.begun():
        pass


@pytest.mark.parametrize(("source", "target"), [("mysql", "postgresql")])
def test_a_database_that_is_closed_already_stays_closed_when_its_rows_cannot_be_moved(sides: Sides) -> None:
    sides.run(sides.source, ORPHAN)
    sides.run(sides.source, f"ALTER SCHEMA `{sides.source[1]}` READ ONLY = 1")
    with sides.begun() as begun:
        assert "READ ONLY = 0" in failed(begun)
    assert sides.is_closed and sides.is_empty


# What the rows are larger than that are to be copied.
MEBIBYTES = 24


def add_wide_rows(sides: Sides) -> None:
    noise = random.Random(1)
    with ExitStack() as stack:
        connection, engine = stack.enter_context(opened(sides.layout, *sides.source))
        cursor = stack.enter_context(connection.cursor())
        quote = "`" if engine == "mysql" else '"'
        insert = f"INSERT INTO {quote}ContextProperty{quote} (context_id, name, is_custom_property, string_value) VALUES (1, %s, TRUE, %s)"
        for number in range(MEBIBYTES * 3 // 2):
            cursor.execute(insert, (f"wide {number}", base64.b64encode(noise.randbytes(3 << 18)).decode()))
    sides.before = sides.rows(sides.source)


@pytest.fixture
def full_server(layout: Layout, target: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server of its own in place of the sandbox's, whose files cannot get as large as the rows that it is to get."""
    folder, address = layout.data / f"full-{target}", layout.pod_address(250 * 201)
    if target == "mysql":
        options = (f"--innodb-data-file-path=ibdata1:12M:autoextend:max:{MEBIBYTES}M", "--innodb-file-per-table=OFF")
        databases.initialise_mysql(layout, folder, *options)
        program = databases.mysql_arguments(layout, folder, address, *options)
    else:
        home = databases.installed_home(layout)
        databases.initialise_postgresql(layout, home, folder, databases.ADMINISTRATOR.name, databases.ADMINISTRATOR.password)
        databases.write_access_rules(folder, ())
        # In blocks of 512 bytes: as large as a file of the write-ahead log.
        program = ["sh", "-c", 'ulimit -f 32768; exec "$@"', "sh", *databases.postgresql_arguments(home, folder, address, None, connections=20)]
    usual = databases.address
    monkeypatch.setattr(databases, "address", lambda layout, kind: address if kind == target else usual(layout, kind))
    command = Command(f"full-{target}", program, lambda: answers(layout, target), {}, databases.server_user())
    processes.start(layout, command)
    try:
        processes.wait(layout, command)
        with databases.administration(layout, target) as run:
            if target == "mysql":
                run(f"CREATE USER {REGISTRY.name} IDENTIFIED BY '{REGISTRY.password}'")
                run(f"GRANT ALL ON *.* TO {REGISTRY.name}")
            else:
                run("CREATE ROLE registries")
                run(f"CREATE ROLE {REGISTRY.name} LOGIN PASSWORD '{REGISTRY.password}' IN ROLE registries")
                run(f"ALTER ROLE {REGISTRY.name} SET role registries")
        yield
    finally:
        processes.stop(layout, command.name)
        databases.remove_data(folder)


def answers(layout: Layout, kind: str) -> bool:
    with contextlib.suppress(*databases.ERRORS, OSError), databases.administration(layout, kind):
        return True
    return False


@pytest.mark.usefixtures("full_server")
@pytest.mark.parametrize(
    ("source", "target", "says"),
    [("mysql", "postgresql", "could not extend file"), pytest.param("postgresql", "mysql", "is full", marks=pytest.mark.needs_mysql)],
)
def test_a_disk_that_gets_full_while_the_rows_are_copied_changes_nothing(sides: Sides, says: str) -> None:
    # A server is initialized and started, and gets twice what there is room for.
    add_wide_rows(sides)
    with sides.begun() as begun:
        with pytest.raises(snapshot.UnusableDatabaseError, match=f"ContextProperty was not written.*{says}"):
            begun.carry_over()
        assert not begun.closed
        begun.take_back()
    assert sides.is_empty and not sides.is_closed and sides.rows(sides.source) == sides.before
    # The rest of them has room. What PostgreSQL has taken back occupies it until somebody vacuums.
    if sides.target[0] == "postgresql":
        sides.run(sides.target, 'VACUUM "Context", ContextProperty')
    sides.run(sides.source, f"DELETE FROM ContextProperty WHERE name LIKE 'wide {'_' * 2}'")
    sides.before = sides.rows(sides.source)
    with sides.begun() as begun:
        begun.carry_over()
    assert sides.is_closed and sides.is_moved
