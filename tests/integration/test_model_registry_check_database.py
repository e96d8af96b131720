"""When a database is checked before it is written, what comes of it, and what is said when nothing can be known."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import databases
from sandbox.layout import Layout
from tests.helpers import REGISTRIES, Task

from .conftest import Cluster, Runner

FLEET = "modelops.openshift_ai.model_registries"
LOGIN = {"username": databases.REGISTRY.name, "password": databases.REGISTRY.password}


@pytest.fixture
def names(cluster: Cluster, name: str) -> Iterator[list[str]]:
    """Names of registries; those that a test makes under them are removed afterwards."""
    several = [f"{name}-{number}" for number in range(3)]
    yield several
    for one in several:
        cluster.delete(*REGISTRIES, one)
    for secret in cluster.items("v1", "secrets"):
        if secret["metadata"]["name"].startswith(tuple(f"{one}-db-" for one in several)):
            cluster.delete("v1", "secrets", secret["metadata"]["name"])


@pytest.fixture
def door(layout: Layout) -> Iterator[tuple[dict[str, Any], list[int]]]:
    """A MySQL that closes every connection, and how many there were."""
    visits: list[int] = []
    listening = socket.create_server((layout.pod_address(250 * 201), databases.MYSQL_PORT))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                listening.accept()[0].close()
                visits.append(1)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield {"type": "mysql", "host": listening.getsockname()[0], "name": "models", **LOGIN}, visits
    with contextlib.suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def test_a_database_is_checked_when_its_connection_is_written_and_at_no_other_time(
    automation: Runner, layout: Layout, door: tuple[dict[str, Any], list[int]], name: str, names: list[str]
) -> None:
    database, visits = door
    fixed = {"name": name, "database": database, "wait": False}
    listed = {"registries": [{"name": one, "database": database} for one in names], "wait": False}
    written = [
        Task(fixed, check=True),
        Task(fixed),
        Task(fixed | {"database": {"password": "another"}}),
        Task(fixed | {"database": {"username": "another"}}),
        Task(listed, FLEET),
    ]
    ignored = [Task(fixed | {"check_database": "ignore", "database": {"username": "third"}})]
    unchanged = [
        Task({"name": name, "wait": False}),
        Task({"name": name, "description": "Edited", "wait": False}),
        Task({"name": name, "database": {"username": "third", "password": "another"}, "wait": False, "check_database": "fail"}),
        Task(listed, FLEET),
        Task({"registries": [{"name": one, "description": "Edited", "database": database} for one in names], "wait": False}, FLEET),
    ]
    for task in written:
        before = len(visits)
        [run] = automation.sequence([task])
        assert not run.failed and run.result["changed"], run.output
        assert len(visits) > before, run.output
        results = [run.result["database"]] if "registries" not in task.options else run.result["databases"]
        assert [result["checked"] for result in results] == [False] * len(results)
        assert "connection is closed" in results[-1]["reason"]
    before = len(visits)
    for run in automation.sequence([*ignored, *unchanged]):
        assert not run.failed, run.output
        assert "database" not in run.result and "databases" not in run.result
    # A real registry server comes through the same door, and tries again all the time.
    assert layout.registry_server or len(visits) == before


def test_what_cannot_be_reached_from_here_is_said_once_and_never_fails(automation: Runner, name: str, names: list[str]) -> None:
    service = {"type": "mysql", "host": "no-such-service", "namespace": "data", "ca": {"source": "cluster"}, **LOGIN}
    public = {"type": "postgresql", "host": "db.example.invalid", "ca": {"source": "cluster"}, **LOGIN}
    registries = [{"name": one, "database": database} for one, database in zip(names, (service, service, public), strict=True)]
    one, fleet = automation.sequence(
        [
            Task({"name": name, "database": service, "wait": False, "check_database": "fail"}),
            Task({"registries": registries, "wait": False, "check_database": "fail"}, FLEET),
        ]
    )
    assert not one.failed and not fleet.failed, one.output + fleet.output
    assert [warning for warning in one.warnings if "check_database" in warning] == [
        f"check_database: the database of registry {name!r} could not be checked, because it cannot be reached from this host."
        " Run the task on a host that can reach it, or set check_database to ignore"
    ]
    assert one.result["database"]["checked"] is False
    assert "no-such-service.data.svc" in one.result["database"]["reason"]
    [warning] = [warning for warning in fleet.warnings if "check_database" in warning]
    assert "the databases of 3 registries" in warning and all(one in warning for one in names)
    assert {result["name"]: result["checked"] for result in fleet.result["databases"]} == dict.fromkeys(names, False)


def test_without_drivers_only_fail_fails_and_nothing_is_warned_of(automation: Runner, layout: Layout, tmp_path: Path, name: str) -> None:
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "pymysql.py").write_text("raise ImportError\n")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path}/blocked:$PYTHONPATH exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    database = {"type": "mysql", "host": databases.address(layout, "mysql"), "name": "model_registry", "ca": {"source": "cluster"}, **LOGIN}
    options = {"name": name, "database": database, "wait": False}
    _fact, warned, failed = automation.sequence(
        [
            Task({"ansible_python_interpreter": str(python)}, "ansible.builtin.set_fact"),
            Task(options, check=True),
            Task(options | {"check_database": "fail"}),
        ]
    )
    reason = "the Python library PyMySQL is not installed where this task runs"
    assert not warned.failed and warned.result["database"] == {"checked": False, "usable": None, "reason": reason}, warned.output
    assert not [warning for warning in warned.warnings if "check_database" in warning]
    assert failed.failed and failed.writes == [], failed.output
    assert failed.result["problems"][0]["option"] == "check_database" and reason in failed.result["msg"]


def test_a_login_that_depends_on_the_client_is_a_warning_and_another_one_fails(automation: Runner, layout: Layout, name: str) -> None:
    login = LOGIN | {"password": "wrong-word", "ca": {"source": "cluster"}, "name": "model_registry"}
    of_mysql, of_postgresql = (
        {"type": kind, "host": databases.address(layout, kind), **login} | ({"verify_server_cert": False} if kind == "mysql" else {})
        for kind in databases.KINDS
    )
    refused, warned = automation.sequence(
        [
            Task({"name": name, "database": of_postgresql, "wait": False, "check_database": "fail"}),
            Task({"name": name, "database": of_mysql, "wait": False, "check_database": "fail"}),
        ]
    )
    assert refused.failed and refused.writes == [], refused.output
    assert "user name or the password is wrong" in refused.result["msg"]
    assert not warned.failed and warned.changes == [("create", "Secret"), ("create", "ModelRegistry")], warned.output
    assert warned.result["database"]["checked"] is False
    assert any("check_database: " in warning and "connections from this host" in warning for warning in warned.warnings)
    assert "wrong-word" not in refused.output + warned.output


def test_a_creation_that_fails_says_that_the_registry_exists_and_how_to_go_on(automation: Runner, layout: Layout, name: str, names: list[str]) -> None:
    """It takes more than 20 s: the second run believes only a server that was started after it began, and the one before tries for half a minute."""
    database = {"type": "mysql", "host": databases.address(layout, "mysql"), "name": databases.MISSING_DATABASE, "ca": {"source": "cluster"}, **LOGIN}
    ways_on = "was created: fix the cause and run again, or delete it with `state: absent`."
    created, again, fleet = automation.sequence(
        [
            Task({"name": name, "database": database, "wait_timeout": 60}),
            Task({"name": name, "database": database, "wait_timeout": 60}),
            Task({"registries": [{"name": names[0], "database": database}], "wait_timeout": 60}, FLEET),
        ]
    )
    assert created.failed and f"Registry {name!r} {ways_on}" in created.result["msg"], created.output
    assert "The check of the database from this host found: The database does not exist on the server" in created.result["msg"]
    assert any(warning.startswith("check_database: The database does not exist") for warning in created.warnings)
    assert again.failed and ways_on not in again.result["msg"]
    assert fleet.failed and f"Registry {names[0]!r} {ways_on}" in fleet.result["msg"], fleet.output


@pytest.mark.needs_mysql
def test_a_new_password_is_shown_to_no_server_that_the_editor_of_a_registry_could_have_chosen(
    cluster: Cluster, automation: Runner, layout: Layout, name: str
) -> None:
    """MySQL asks for the password once, encrypted with a key that the server sends: a host of one's own would be shown it."""
    login, host = f"withheld_{name.rpartition('-')[2]}", databases.address(layout, "mysql")
    with databases.administration(layout, "mysql") as run:
        run(f"CREATE USER {login} IDENTIFIED WITH caching_sha2_password BY 'new-word'")
    try:
        described = {"type": "mysql", "host": host, "name": "model_registry", "username": login, "password": "old-word"}
        made, untold, told, guessed = automation.sequence(
            [
                Task({"name": name, "database": described, "wait": False, "check_database": "ignore"}),
                Task({"name": name, "database": {"password": "new-word"}}, check=True),
                Task({"name": name, "database": {"host": host, "password": "new-word"}}, check=True),
                # The server remembers who has logged in, and is then shown only what proves the password.
                Task({"name": name, "database": {"password": "new-word"}}, check=True),
            ]
        )
    finally:
        with databases.administration(layout, "mysql") as run:
            run(f"DROP USER {login}")
    assert not any(run.failed for run in (made, untold, told, guessed)), untold.output
    assert any("The login was not tested: the task does not set database.host" in warning for warning in untold.warnings), untold.output
    for run in (told, guessed):
        assert not any("was not tested" in warning for warning in run.warnings), run.output
