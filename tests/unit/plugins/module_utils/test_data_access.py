"""What is told of a database that cannot be used: never its password, and commands that a shell takes as they are meant."""

from __future__ import annotations

import contextlib
import shlex

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import port_forward
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database import connection
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.probe import Report
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.vocabulary import FAILURE, OK, WARNING, Finding, View
from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import layout, snapshot
from ansible_collections.modelops.openshift_ai.plugins.module_utils._work import data_access

RESOURCE = {"metadata": {"name": "models", "namespace": "registries"}, "spec": {"mysql": {"host": "db"}}}


class Reader:
    def held(self, _kind, _name):
        return None


def view(**changed):
    return View(**{"type": "mysql", "host": "db", "port": 3306, "name": "models", "username": "registry", "password": "a-secret-word", **changed})


@pytest.fixture
def opened(monkeypatch):
    monkeypatch.setattr(data_access.connection, "missing_libraries", lambda _kind: [])
    monkeypatch.setattr(data_access.resolution, "view_of", lambda *_arguments: (view(), []))
    monkeypatch.setattr(data_access, "_external", lambda _name, _view, _is_loaded: contextlib.nullcontext(object()))
    return data_access.database_of(Reader(), RESOURCE)


def test_a_password_that_a_database_repeats_is_not_told(opened):
    def read() -> None:
        with opened:
            raise snapshot.UnusableDatabaseError("Access denied with password a-secret-word")

    with pytest.raises(snapshot.UnusableDatabaseError) as caught:
        read()
    assert "a-secret-word" not in str(caught.value) and "Access denied" in str(caught.value)


def test_a_reference_that_leads_nowhere_ends_it_before_anybody_is_connected_to(opened, monkeypatch):
    monkeypatch.setattr(data_access.resolution, "view_of", lambda *_arguments: (view(), [Finding("login", FAILURE, "No Secret", "Create it")]))
    with pytest.raises(data_access.UnreachableError, match=r"'models' cannot be used: No Secret\. Create it\."), data_access.database_of(Reader(), RESOURCE):
        pass


def test_a_missing_driver_is_named(monkeypatch):
    monkeypatch.setattr(data_access.connection, "missing_libraries", lambda _kind: ["PyMySQL"])
    with pytest.raises(_errors.MissingLibraryError, match="PyMySQL"), data_access.database_of(Reader(), RESOURCE):
        pass


@pytest.fixture
def reached(monkeypatch):
    """Opens the database of a registry, of which a look has found this; `kind` is that of the database."""

    def opened(findings=(), login=None, kind="mysql", **options):
        monkeypatch.setattr(data_access.connection, "missing_libraries", lambda _kind: [])
        monkeypatch.setattr(data_access.resolution, "view_of", lambda *_arguments: (view(type=kind), []))
        monkeypatch.setattr(data_access.resolution, "report_of", lambda *_arguments: Report(list(findings), login=login))
        with data_access.database_of(Reader(), RESOURCE, **options) as found:
            return found

    return opened


NOT_REACHED = Finding("address", WARNING, "The host was not reached", "Use another host", proven=False)
REFUSED = Finding("login", FAILURE, "The password is wrong", "Correct it")
OLD = Finding("version", WARNING, "The version is old", "Update it")


@pytest.mark.parametrize(
    ("findings", "told"),
    [
        # That another host is needed is told once, and not of what is as it should be.
        ((Finding("tls", OK, "TLS is on"), NOT_REACHED), "The host was not reached. Check database.host"),
        ((OLD, REFUSED), "The password is wrong. Correct it. Check database.host"),
        # Where nothing else is known, whatever is not as it should be.
        ((Finding("tls", OK, "TLS is on"), OLD), "The version is old. Update it. Check database.host"),
    ],
)
def test_a_database_that_does_not_take_the_login_is_told_with_what_to_do_instead(reached, findings, told):
    with pytest.raises(data_access.UnreachableError) as caught:
        reached(findings)
    said = str(caught.value)
    assert f"'models' cannot be used: {told}" in said
    assert said.endswith(f"(delegate_to), or save the data with the tools of the database: {data_access._dump('models', view())}")
    # What is to be loaded into it cannot be saved by that.
    with pytest.raises(data_access.UnreachableError, match=r"or run the task on a host that can connect to the database \(delegate_to\)\.$"):
        reached(findings, is_loaded=True)


@pytest.mark.parametrize(
    ("kind", "error", "told"),
    [
        ("mysql", connection.StopError(REFUSED), "cannot be used: The password is wrong. Correct it."),
        ("mysql", connection.RefusedError("Unknown database 'models'", 1049), "does not exist"),
        ("postgresql", connection.RefusedError('database "models" does not exist'), "does not exist"),
        ("mysql", ConnectionResetError("reset a-secret-word"), "cannot be used: reset"),
        ("postgresql", EOFError("gone"), "cannot be used: gone."),
    ],
)
def test_a_database_that_refuses_the_second_login_is_told_too(reached, monkeypatch, kind, error, told):
    def refuse(*_arguments):
        raise error

    monkeypatch.setattr(data_access.connection, "opened", refuse)
    with pytest.raises(data_access.UnreachableError) as caught:
        reached(login=connection.Login("db"), kind=kind)
    assert told in str(caught.value) and "a-secret-word" not in str(caught.value)


def test_what_keeps_a_server_from_using_an_open_database_is_there_with_the_connection(reached, monkeypatch):
    class Connection:
        closed = False

        def close(self):
            self.closed = True

    made = Connection()
    monkeypatch.setattr(data_access.connection, "opened", lambda *_arguments: made)
    found = reached([REFUSED, OLD], login=connection.Login("db"))
    assert found.failures == (REFUSED,) and found.connection is made and made.closed


GENERATED = {**RESOURCE, "spec": {"postgres": {"generateDeployment": True}}}


class InCluster:
    """A registry with a generated database, whose pod is there."""

    namespace, cluster = "registries", None

    def held(self, _kind, _name):
        return None


@pytest.mark.parametrize(("error", "reported"), [(ConnectionResetError("reset"), "The node of pod models-postgres-1 reported: refused.")])
def test_what_the_node_reports_of_a_forwarded_port_is_told(monkeypatch, error, reported):
    def refuse(*_arguments):
        raise error

    def opened(said):
        monkeypatch.setattr(port_forward, "forwarded", lambda *_arguments: contextlib.nullcontext(port_forward.Forward("/folder", said)))
        with pytest.raises(data_access.UnreachableError) as caught, data_access.database_of(InCluster(), GENERATED):
            pass
        return str(caught.value)

    monkeypatch.setattr(data_access.connection, "missing_libraries", lambda _kind: [])
    monkeypatch.setattr(data_access.resolution, "view_of", lambda *_arguments: (view(type="postgresql"), []))
    monkeypatch.setattr(data_access, "_database_pod", lambda _reader, _name: "models-postgres-1")
    monkeypatch.setattr(data_access.connection, "opened", refuse)
    assert opened(["refused"]).endswith(f"cannot be used: reset. {reported}")
    assert opened([]).endswith("cannot be used: reset.")


def test_an_account_that_may_not_forward_ports_is_told_the_role_and_the_commands(monkeypatch):
    def refuse(*_arguments):
        raise _errors.ClusterError("connecting failed: the API server responded with 403.", status[0])

    def said(**options):
        with pytest.raises(_errors.ClusterError) as caught, data_access.database_of(InCluster(), GENERATED, **options):
            pass
        return str(caught.value)

    status = [_errors.FORBIDDEN]
    monkeypatch.setattr(data_access.connection, "missing_libraries", lambda _kind: [])
    monkeypatch.setattr(data_access.resolution, "view_of", lambda *_arguments: (view(type="postgresql", port=5432), []))
    monkeypatch.setattr(data_access, "_database_pod", lambda _reader, _name: "models-postgres-1")
    monkeypatch.setattr(port_forward, "forwarded", refuse)
    role = "Bind the account to the Role in rbac/data.yml"
    forward = "`kubectl port-forward --namespace registries deployment/models-postgres 5432`"
    dump = "`pg_dump --host localhost --port 5432 --username registry --format custom --file models.dump models`"
    assert said().endswith(f"{role}, or save the data with {forward} and {dump}.")
    assert said(is_loaded=True).endswith(f"{role}.")
    status[0] = 500
    assert "rbac/data.yml" not in said()


def test_the_command_of_mysql_names_the_database_and_needs_no_more_permissions_than_a_registry_has():
    assert data_access._dump("models", view()) == (
        "`mysqldump --single-transaction --no-tablespaces --loose-set-gtid-purged=OFF --host db --port 3306 --user registry --password --result-file models.sql"
        " models`."
    )


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_what_a_command_names_is_text_for_a_shell(kind):
    hostile = view(type=kind, host="db; touch /tmp/x", name="$(id)", username="a b")
    said = data_access._dump("models", hostile)
    words = shlex.split(said.strip("`."))
    assert {"db; touch /tmp/x", "$(id)", "a b"} <= set(words) and "a-secret-word" not in said
    assert words[0] == {"mysql": "mysqldump", "postgresql": "pg_dump"}[kind]


def test_a_row_that_is_not_understood_is_an_error_of_its_table(monkeypatch):
    monkeypatch.setattr(snapshot, "_postgresql_blocks", lambda *_arguments: [[b'{"name":"\\u00']])

    class Connection:
        Error = OSError

    taken = snapshot.Snapshot(Connection(), "postgresql")
    with pytest.raises(snapshot.UnusableDatabaseError, match="table Context has a row"):
        list(taken.rows(layout.BY_NAME["Context"]))
