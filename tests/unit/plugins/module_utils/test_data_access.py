"""What is told of a database that cannot be used: never its password, and commands that a shell takes as they are meant."""

from __future__ import annotations

import contextlib
import shlex

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.vocabulary import FAILURE, Finding, View
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
