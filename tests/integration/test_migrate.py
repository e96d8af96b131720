"""Registries that move to another database: everything arrives, nothing that was acknowledged gets lost, and a failure leaves everything as it was."""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import migrate as migrate_module
from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import closing, loader, snapshot
from sandbox import databases, faults
from sandbox.controlplane import ADMIN_TOKEN
from sandbox.databases import REGISTRY
from sandbox.layout import REGISTRIES_NAMESPACE, ROOT, Layout
from sandbox.server import filler, schema
from tests import helpers
from tests.helpers import Cluster, Run, Runner, Task

from .test_backup import external
from .test_sandbox_registry_data import asking, connect, emulated, new_database
from .test_tables import MakeDatabase, contents, opened

__all__ = ["new_database"]
MODULE = "modelops.openshift_ai.model_registry_migrate"
# By whether a host is that of MariaDB, and the type in the options.
KINDS = {(False, "mysql"): "mysql", (True, "mysql"): databases.MARIADB, (False, "postgresql"): "postgresql"}
PAIRS = [("mysql", "postgresql"), ("postgresql", databases.MARIADB), (databases.MARIADB, "mysql"), ("postgresql", "postgresql")]


@pytest.fixture(scope="module")
def token(cluster: Cluster) -> Iterator[str]:
    """The token of an account that has the permissions of rbac/data.yml and rbac/converge.yml alone."""
    with helpers.account_with(cluster, "migrate", [*helpers.roles_of("data.yml"), *helpers.converging_roles()]) as found:
        yield found


@pytest.fixture
def runner(layout: Layout, token: str, tmp_path: Path) -> Runner:
    return Runner(layout, token, tmp_path)


@pytest.fixture
def migrate(runner: Runner) -> Callable[..., Run]:
    def run(name: str, database: dict[str, Any], check: bool = False, **options: Any) -> Run:
        [done] = runner.sequence([task(name, database, check, **options)])
        return done

    return run


def task(name: str, database: dict[str, Any], check: bool = False, **options: Any) -> Task:
    return Task({"name": name, "namespace": REGISTRIES_NAMESPACE, "to": {"database": database}, **options}, MODULE, check)


class Client:
    """Requests to a registry at its public address."""

    def __init__(self, layout: Layout, registry: str) -> None:
        self._base = f"https://{registry}-rest.apps.sandbox.test/api/model_registry/v1alpha3/"
        tls = ssl.create_default_context(cafile=str(layout.path("pki", "ingress-ca.crt")))
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({"https": layout.router_url}), urllib.request.HTTPSHandler(context=tls))

    def __call__(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}", "Content-Type": "application/json"}
        request = urllib.request.Request(self._base + path, None if body is None else json.dumps(body).encode(), headers, method=method)
        with self._opener.open(request, timeout=10) as answer:
            return json.load(answer)


@contextmanager
def writing(client: Client) -> Iterator[list[str]]:
    """Models are registered without pause; the names of those that were acknowledged."""
    acknowledged: list[str] = []
    ended = threading.Event()

    def write() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            with contextlib.suppress(OSError, urllib.error.URLError):
                acknowledged.append(client("POST", "registered_models", {"name": f"written-{number}"})["name"])
            time.sleep(0.1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield acknowledged
    finally:
        ended.set()
        writer.join(60)


@contextmanager
def server_on(layout: Layout, kind: str, database: str) -> Iterator[Any]:
    """Requests to a server of its own on a database."""
    connection = connect(layout, kind, database)
    try:
        yield asking(emulated(connection))
    finally:
        connection.close()


@contextmanager
def registry_on(layout: Layout, automation: Runner, name: str, database: dict[str, Any]) -> Iterator[Client]:
    """A registry that is filled with one of everything."""
    [made] = automation.sequence([Task({"name": name, "database": database})])
    assert not made.failed, made.output
    client = Client(layout, name)
    helpers.until(lambda: answers(client))
    if database["type"] == "generated":
        client("POST", "registered_models", {"name": "fraud", "description": "Finds it"})
    else:
        with server_on(layout, KINDS[database["host"] == databases.address(layout, databases.MARIADB), database["type"]], database["name"]) as ask:
            filler.fill(ask)
    try:
        yield client
    finally:
        automation.sequence([Task({"name": name, "state": "absent", "delete_data": True})])


def answers(client: Client) -> bool:
    """Whether the registry can be asked."""
    with contextlib.suppress(OSError):
        return bool(client("GET", "registered_models"))
    return False


def is_closed(layout: Layout, kind: str, database: str) -> bool:
    with opened(layout, kind, database) as (connection, engine):
        return closing.Source(connection, engine).is_closed()


def open_again(layout: Layout, kind: str, database: str) -> None:
    """So that it can be deleted."""
    with opened(layout, kind, database) as (connection, engine):
        closing.Source(connection, engine).reopen()


def rows(layout: Layout, kind: str, database: str) -> dict[str, list[bytes]]:
    found = contents(layout, kind, database)
    return {table.name: sorted(found[table.name]) for table in loader.COPIED}


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_registry_moves_with_all_it_has_and_everything_that_was_acknowledged_while_it_is_written_to(
    layout: Layout, automation: Runner, runner: Runner, cluster: Cluster, name: str, new_database: MakeDatabase, source: str, target: str
) -> None:
    # A registry is made, moved and deleted, and its server and that of the temporary registry are started: most of the time is theirs.
    old, new = new_database(source), new_database(target)
    to = external(layout, target, new)
    with registry_on(layout, automation, name, external(layout, source, old)) as client:
        with server_on(layout, source, old) as ask:
            before = dict(filler.reads(ask))
        with writing(client) as acknowledged:
            helpers.until(lambda: len(acknowledged) > 3)
            # And again: nothing is left to do.
            predicted, done, again = runner.sequence([task(name, to, check=True), task(name, to), task(name, to)], verbosity=3)
        assert not predicted.failed and predicted.result["changed"] and not predicted.writes, predicted.output
        assert not again.failed and not again.result["changed"] and not again.writes, again.output
        assert not done.failed and done.result["changed"], done.output
        migration = done.result["migration"]
        try:
            assert migration["copied"] and migration["rows"] == sum(migration["tables"].values()) > 0
            assert 0 < predicted.result["migration"]["rows"] <= migration["rows"] and not predicted.result["migration"]["copied"]
            assert 0 < migration["restart_seconds"] <= migration["writes_held_seconds"] < done.seconds, migration
            assert 0 <= migration["copy_seconds"] < done.seconds > migration["verify_seconds"] >= 0, migration
            assert migration["source"]["name"] == old and migration["source"]["open_again"] and is_closed(layout, source, old)
            assert done.result["registry"]["database"]["name"] == new
            listed = {model["name"] for model in client("GET", "registered_models")["items"]}
            assert set(acknowledged) <= listed
            with server_on(layout, target, new) as ask:
                for path, answer in before.items():
                    found = ask("GET", path, None)
                    # There are more now.
                    assert found == answer or (path == "registered_models" and found["items"][: len(answer["items"])] == answer["items"]), path
            assert migration["compared_objects"] > 10
        finally:
            open_again(layout, source, old)
        assert REGISTRY.password not in done.output + json.dumps(done.result)
    assert not [found for found in cluster.items(*helpers.REGISTRIES) if found["metadata"]["name"].startswith(name)]


def migrated(layout: Layout, kind: str, database: str) -> None:
    """A database with the tables of a registry, so that the server need not make them."""
    server = connect(layout, kind, database)
    schema.migrate(server)
    server.close()


def is_empty(layout: Layout, kind: str, database: str) -> bool:
    return not any(rows(layout, kind, database).values())


def secrets_of(cluster: Cluster, name: str) -> set[str]:
    return {found["metadata"]["name"] for found in cluster.items("v1", "secrets") if found["metadata"]["name"].startswith(f"{name}-db-")}


@pytest.mark.parametrize(("source", "target"), [("postgresql", "mysql"), (databases.MARIADB, "postgresql")])
def test_killed_at_each_step_and_run_again_it_ends_right(
    layout: Layout, automation: Runner, runner: Runner, cluster: Cluster, name: str, new_database: MakeDatabase, source: str, target: str
) -> None:
    # Five runs, four of which are killed: what each leaves is what the next one begins with.
    old, new = new_database(source), new_database(target)
    migrated(layout, target, new)
    to = external(layout, target, new)
    with registry_on(layout, automation, name, external(layout, source, old)):
        before = rows(layout, source, old)
        # When the Secret was written.
        assert runner.killed_after(1, MODULE, **task(name, to).options)
        assert not is_closed(layout, source, old) and is_empty(layout, target, new)
        # While the rows are written: nobody gets past this lock.
        with opened(layout, target, new) as (connection, engine):
            quote = "`" if engine == "mysql" else '"'
            connection.cursor().execute("BEGIN")
            connection.cursor().execute(f"INSERT INTO {quote}ContextProperty{quote} (context_id, name, is_custom_property) SELECT 1, 'x', TRUE WHERE 1 = 0")
            connection.cursor().execute(f"SELECT * FROM {quote}MLMDEnv{quote} FOR UPDATE")
            with runner._playbook([task(name, to)]):
                helpers.until(lambda: waits(layout, target))
            connection.rollback()
        helpers.until(lambda: not is_closed(layout, source, old) and is_empty(layout, target, new))
        # Before the custom resource is changed: the rows are there, and the previous database is closed.
        faults.forget_requests(layout)
        faults.api_rules(layout, [faults.Rule("stall", verbs=["patch"], path=f"/modelregistries/{name}", skip=0, count=None)])
        with runner._playbook([task(name, to)]):
            helpers.until(lambda: any(request.fault for request in faults.recorded_requests(layout)), 60)
        faults.api_rules(layout, [])
        assert is_closed(layout, source, old) and rows(layout, target, new) == before
        # Another database is chosen, in which no tables can be made.
        faults.api_rules(layout, [faults.Rule("status", verbs=["create"], path="/modelregistries", status=403, count=None)])
        [failed] = runner.sequence([task(name, external(layout, target, new_database(target)))])
        faults.api_rules(layout, [])
        is_renamed = source == databases.MARIADB
        way_back = "opened for writes again" if is_renamed else "is still closed for writes, as it was before this run"
        assert failed.failed and way_back in failed.result["msg"] and is_closed(layout, source, old) is not is_renamed, failed.output
        # After it was changed, and while it is waited for.
        assert runner.killed_after(1, MODULE, **task(name, to).options)
        try:
            assert cluster.registry(name)["spec"]["postgres" if target == "postgresql" else "mysql"]["database"] == new
            [done] = runner.sequence([task(name, to)])
            assert not done.failed and done.result["status"]["available"], done.output
            assert is_closed(layout, source, old) and rows(layout, target, new) == before
        finally:
            open_again(layout, source, old)


def test_a_run_that_nobody_waits_for_any_more_stops_before_the_previous_database_is_closed(
    layout: Layout, automation: Runner, runner: Runner, cluster: Cluster, name: str, new_database: MakeDatabase
) -> None:
    old, new = new_database("postgresql"), new_database("mysql")
    migrated(layout, "mysql", new)

    def privileges() -> Any:
        """Explicit ones stay from the first time that tables are closed."""
        with opened(layout, "postgresql", old) as (connection, _engine):
            tables = "relkind = 'r' AND relnamespace = 'public'::regnamespace"
            return connection.execute(f"SELECT relname, relacl::text FROM pg_class WHERE {tables} ORDER BY relname").fetchall()

    with registry_on(layout, automation, name, external(layout, "postgresql", old)):
        before, resource = privileges(), cluster.registry(name)
        with opened(layout, "mysql", new) as (connection, _engine):
            connection.begin()
            connection.cursor().execute("SELECT * FROM `MLMDEnv` FOR UPDATE")
            with runner._playbook([task(name, external(layout, "mysql", new))], cold=True) as started:
                helpers.until(lambda: waits(layout, "mysql"))
                started.process.terminate()
                started.process.wait()
                connection.rollback()
                helpers.until(lambda: not helpers.processes_of(started.record))
        assert privileges() == before and is_empty(layout, "mysql", new)
        assert cluster.registry(name)["spec"] == resource["spec"]


def test_of_two_runs_at_once_one_moves_the_registry_and_the_other_changes_nothing(
    layout: Layout, automation: Runner, token: str, tmp_path: Path, cluster: Cluster, name: str, new_database: MakeDatabase
) -> None:
    # A registry is made and deleted, and two playbooks share the machine.
    old, new = new_database("mysql"), new_database("postgresql")
    migrated(layout, "postgresql", new)
    one = task(name, external(layout, "postgresql", new))
    with registry_on(layout, automation, name, external(layout, "mysql", old)):
        before = rows(layout, "mysql", old)
        done: list[Run] = []

        def run(number: int) -> None:
            folder = tmp_path / str(number)
            folder.mkdir()
            done.extend(Runner(layout, token, folder).sequence([one]))

        threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        try:
            # Where the second was slow, there was nothing left to do.
            said = [(found.failed, found.result["changed"], found.result.get("msg", "")) for found in done]
            assert sorted(found.result["changed"] for found in done) == [False, True], said
            assert all(not found.failed or "Another run" in found.result["msg"] or "was changed" in found.result["msg"] for found in done), said
            assert cluster.registry(name)["spec"]["postgres"]["database"] == new and len(secrets_of(cluster, name)) == 2
            assert is_closed(layout, "mysql", old) and rows(layout, "postgresql", new) == before
        finally:
            open_again(layout, "mysql", old)


def test_a_database_that_another_registry_uses_is_found_under_any_name_of_its_host(
    layout: Layout, automation: Runner, migrate: Callable[..., Run], cluster: Cluster, name: str, new_database: MakeDatabase
) -> None:
    # A registry is made and deleted; the others are only custom resources.
    old, new = new_database("mysql"), new_database("postgresql")
    migrated(layout, "postgresql", new)
    to = external(layout, "postgresql", new)
    with registry_on(layout, automation, name, external(layout, "mysql", old)):
        before, spec = rows(layout, "mysql", old), cluster.registry(name)["spec"]
        # The same addresses, written in another way.
        alias = {kind: hex(int(ipaddress.ip_address(databases.address(layout, kind)))) for kind in databases.KINDS}
        for other, database, option in (
            (f"{name}-a", external(layout, "mysql", old, host=alias["mysql"], ca={"source": "none"}), "name"),
            (f"{name}-b", external(layout, "postgresql", new, host=alias["postgresql"], ca={"source": "none"}), "to.database"),
        ):
            [made] = automation.sequence([Task({"name": other, "database": database, "wait": False, "check_database": "ignore"})])
            assert not made.failed, made.output
            for check in (True, False):
                failed = migrate(name, to, check=check)
                assert failed.failed and f"registry '{other}'" in failed.result["msg"], failed.output
                assert [problem["option"] for problem in failed.result["problems"]] == [option] and not failed.writes
            automation.sequence([Task({"name": other, "state": "absent"})])
        # One that cannot be asked.
        elsewhere = external(layout, "mysql", old, host="127.0.0.1")
        [made] = automation.sequence([Task({"name": f"{name}-c", "database": elsewhere, "wait": False, "check_database": "ignore"})])
        assert not made.failed, made.output
        predicted = migrate(name, to, check=True)
        automation.sequence([Task({"name": f"{name}-c", "state": "absent"})])
        assert not predicted.failed and any(f"'{name}-c'" in warning and "another host name" in warning for warning in predicted.warnings), predicted.output
        assert cluster.registry(name)["spec"] == spec and rows(layout, "mysql", old) == before and not is_closed(layout, "mysql", old)


def test_a_run_that_follows_a_killed_one_can_have_another_password(
    layout: Layout, automation: Runner, runner: Runner, cluster: Cluster, name: str, new_database: MakeDatabase
) -> None:
    old, new = new_database("postgresql"), new_database("mysql")
    migrated(layout, "mysql", new)
    login = {"username": new, "password": f"first-{name}"}
    with databases.administration(layout, "mysql") as run:
        run(f"CREATE USER '{new}'@'%' IDENTIFIED BY '{login['password']}'")
        run(f"GRANT ALL ON `{new}`.* TO '{new}'@'%'")
    try:
        with registry_on(layout, automation, name, external(layout, "postgresql", old)) as client:
            assert runner.killed_after(1, MODULE, **task(name, external(layout, "mysql", new, **login)).options)
            [left] = [secret for secret in secrets_of(cluster, name) if secret not in json.dumps(cluster.registry(name)["spec"])]
            login["password"] = f"second-{name}"
            with databases.administration(layout, "mysql") as run:
                run(f"ALTER USER '{new}'@'%' IDENTIFIED BY '{login['password']}'")
            [done] = runner.sequence([task(name, external(layout, "mysql", new, **login))])
            try:
                assert not done.failed and done.result["status"]["available"], done.output
                assert cluster.registry(name)["spec"]["mysql"]["passwordSecret"]["name"] == left
                assert base64.b64decode(cluster.get("v1", "secrets", left)["data"]["database-password"]).decode() == login["password"]
                assert client("POST", "registered_models", {"name": "later"})["name"] == "later"
                assert not [word for word in (f"first-{name}", f"second-{name}") if word in done.output + json.dumps(done.result)]
            finally:
                open_again(layout, "postgresql", old)
    finally:
        with databases.administration(layout, "mysql") as run:
            run(f"DROP USER '{new}'@'%'")


def test_a_registry_whose_new_database_was_written_to_keeps_it(
    layout: Layout, automation: Runner, migrate: Callable[..., Run], cluster: Cluster, name: str, new_database: MakeDatabase
) -> None:
    # A registry is made, moved and deleted, as in each test here.
    old, new = new_database("mysql"), new_database("postgresql")
    migrated(layout, "postgresql", new)
    with registry_on(layout, automation, name, external(layout, "mysql", old)):
        ended = threading.Event()

        def write() -> None:
            # As a client of a server that is up before the run has seen it.
            statement = 'INSERT INTO "ContextProperty" (context_id, name, is_custom_property) SELECT max(id), \'new\', TRUE FROM "Context" HAVING max(id) > 0'
            with opened(layout, "postgresql", new) as (connection, _engine):
                while not ended.is_set() and not connection.execute(statement).rowcount:
                    time.sleep(0.01)

        writer = threading.Thread(target=write)
        writer.start()
        faults.set_switches(layout, pod_delay_seconds=5)
        failed = migrate(name, external(layout, "postgresql", new), wait_timeout=1)
        faults.clear(layout)
        ended.set()
        writer.join()
        try:
            assert failed.failed and "written to" in failed.result["msg"] and "keeps the new database" in failed.result["msg"], failed.output
            assert cluster.registry(name)["spec"]["postgres"]["database"] == new and is_closed(layout, "mysql", old)
            assert any(b'"new"' in row for row in rows(layout, "postgresql", new)["ContextProperty"])
        finally:
            open_again(layout, "mysql", old)


def waits(layout: Layout, kind: str) -> bool:
    """Whether a statement waits for a lock of a row or a table."""
    mysql = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
    with databases.administration(layout, kind) as run:
        [(found,)] = run(mysql if databases.speaks_mysql(kind) else "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    return bool(found)


def test_a_registry_that_does_not_become_available_gets_its_previous_database_back(
    layout: Layout, automation: Runner, migrate: Callable[..., Run], cluster: Cluster, name: str, new_database: MakeDatabase
) -> None:
    # A registry is made, moved, put back and deleted, and is waited for each time.
    old, new = new_database("mysql"), new_database("postgresql")
    migrated(layout, "postgresql", new)
    with registry_on(layout, automation, name, external(layout, "mysql", old)) as client:
        spec, before, secrets = cluster.registry(name)["spec"], rows(layout, "mysql", old), secrets_of(cluster, name)
        faults.set_switches(layout, pod_delay_seconds=5)
        failed = migrate(name, external(layout, "postgresql", new), wait_timeout=1)
        faults.clear(layout)
        assert failed.failed and "previous database again" in failed.result["msg"] and "opened for writes again" in failed.result["msg"], failed.output
        assert cluster.registry(name)["spec"] == spec and secrets_of(cluster, name) == secrets
        assert not is_closed(layout, "mysql", old) and is_empty(layout, "postgresql", new) and rows(layout, "mysql", old) == before
        helpers.until(lambda: answers(client))
        assert client("POST", "registered_models", {"name": "later"})["name"] == "later"


def test_whatever_keeps_a_registry_from_moving_is_found_before_anything_is_changed(
    layout: Layout, automation: Runner, migrate: Callable[..., Run], cluster: Cluster, name: str, new_database: MakeDatabase
) -> None:
    # One run for each reason, because the databases are changed in between, with one registry for all of them.
    old, new, bare = new_database("mysql"), new_database("postgresql"), new_database(databases.MARIADB)
    migrated(layout, "postgresql", new)
    to = external(layout, "postgresql", new)
    upload, foreign = ({"source": "upload", "pem": layout.path("pki", f"{authority}.crt").read_text()} for authority in ("database-ca", "other-ca"))
    with registry_on(layout, automation, name, external(layout, "mysql", old, ca=upload)):
        before, secrets = rows(layout, "mysql", old), secrets_of(cluster, name)

        def refused(says: str, database: dict[str, Any] = to, at_once: bool = True, is_option: bool = True, **options: Any) -> None:
            failed = migrate(name, database, **options)
            assert failed.failed and says in failed.result["msg"], failed.output
            # What is found out later is taken back.
            assert bool(failed.writes) is not at_once, failed.writes
            assert bool(failed.result.get("problems")) is (at_once and is_option), failed.output
            assert not is_closed(layout, "mysql", old) and rows(layout, "mysql", old) == before and secrets_of(cluster, name) == secrets

        refused("to.database.type", {"type": "generated"})
        refused("to.database.password", to | {"password": None})
        refused("to.database", to | {"password": "another"}, check=True)
        refused(f"would replace the CA certificate of the current database in ConfigMap '{name}-db-credential'", to | {"ca": foreign})
        with databases.administration(layout, "postgresql", new) as run:
            run("CREATE TABLE orders (id int)")
            run("UPDATE schema_migrations SET dirty = TRUE")
            refused("dirty")
            run("UPDATE schema_migrations SET dirty = FALSE")
            refused("orders", check=True)
            run("DROP TABLE orders")
            run("UPDATE schema_migrations SET version = 20")
            refused("schema version is 20, and versions before 21 have other tables", check=True)
            run("UPDATE schema_migrations SET version = 26")
        # A transaction that writes and does not end.
        with opened(layout, "mysql", old) as (connection, _engine):
            connection.begin()
            connection.cursor().execute("UPDATE Type SET version = NULL")
            refused("lock_timeout", at_once=False, lock_timeout=1)
            connection.rollback()
        # What belongs to nothing.
        with opened(layout, "mysql", old) as (connection, _engine):
            connection.cursor().execute("INSERT INTO ContextProperty (context_id, name, is_custom_property) VALUES (9999, 'lost', TRUE)")
            before = rows(layout, "mysql", old)
            refused("skip_orphans", is_option=False, check=True)
            refused("skip_orphans", at_once=False)
            assert is_empty(layout, "postgresql", new)
            predicted = migrate(name, to, check=True, skip_orphans=True)
            assert not predicted.failed and predicted.result["migration"]["orphans"] == {"ContextProperty": 1}, predicted.output
            counted = {table: len(found) - (table == "ContextProperty") for table, found in before.items()}
            assert predicted.result["migration"]["tables"] == counted and predicted.result["migration"]["rows"] == sum(counted.values())
            assert any("version 26 of the new database is newer" in warning for warning in predicted.warnings), predicted.output
        # Rows of somebody else, or of a copy that is older than the last write.
        server = connect(layout, "postgresql", new)
        filler.fill(asking(emulated(server)))
        server.close()
        refused("not empty", at_once=False)
        assert not is_empty(layout, "postgresql", new)
        refused("to.database", external(layout, databases.MARIADB, bare, name="nowhere"))


def test_a_database_that_has_the_rows_already_is_only_compared(
    layout: Layout, automation: Runner, migrate: Callable[..., Run], name: str, new_database: MakeDatabase
) -> None:
    old, new = new_database("postgresql"), new_database("mysql")
    migrated(layout, "mysql", new)
    with registry_on(layout, automation, name, external(layout, "postgresql", old)):
        with opened(layout, "postgresql", old) as source, opened(layout, "mysql", new) as target, snapshot.snapshot(*source) as taken:
            loader.load(*target, taken.blocks)
        predicted = migrate(name, external(layout, "mysql", new), check=True)
        assert not predicted.failed and predicted.result["migration"]["rows"] > 0, predicted.output
        done = migrate(name, external(layout, "mysql", new))
        try:
            assert not done.failed and done.result["migration"]["copied"] is False and done.result["migration"]["rows"] > 0, done.output
            assert rows(layout, "mysql", new) == rows(layout, "postgresql", old)
        finally:
            open_again(layout, "postgresql", old)


def test_a_generated_database_is_left_through_the_api_server(
    layout: Layout, automation: Runner, migrate: Callable[..., Run], cluster: Cluster, name: str, new_database: MakeDatabase
) -> None:
    new = new_database("mysql")
    to = external(layout, "mysql", new)
    with registry_on(layout, automation, name, {"type": "generated"}) as client:
        before = client("GET", "registered_models")
        done = migrate(name, to)
        assert not done.failed and done.result["migration"]["source"]["type"] == "generated" and done.result["migration"]["compared_objects"] == 1, done.output
        assert client("GET", "registered_models") == before and client("POST", "registered_models", {"name": "next"})["id"] == "2"
        # The operator keeps it.
        assert cluster.get("apps/v1", "deployments", f"{name}-postgres")


def test_the_example_of_the_module_is_valid() -> None:
    source = (ROOT / "plugins" / "modules" / "model_registry_migrate.py").read_text()
    [example, _shown] = yaml.safe_load(source.partition('EXAMPLES = r"""')[2].partition('"""')[0])
    options = {"namespace": None, "lock_timeout": 1, "wait_timeout": 1, **example[MODULE]}
    assert not migrate_module.input_problems(options)
