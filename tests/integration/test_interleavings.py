"""Two runs at once, one of them stopped before each of its requests while the other goes by; and runs that are killed after each of their writes."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _manifests
from sandbox import databases
from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from tests.dashboard import Dashboard, Form, Upload, database_of
from tests.helpers import RBAC, REGISTRIES, ROLE_BINDINGS, Cluster, until
from tests.interleaving import Ended, InProcess, Work, permission, registries, registry

SECRETS = ("v1", "secrets")
CONFIG_MAPS = ("v1", "configmaps")
CLUSTER_ROLE_BINDINGS = (f"{RBAC}/v1", "clusterrolebindings")
KEY = "database-password"


class Room:
    """Registries of one test, on one database: all names begin with the same prefix."""

    def __init__(self, cluster: Cluster, process: InProcess, database: str) -> None:
        self.cluster, self.process, self.prefix, self.numbers = cluster, process, f"beside-{uuid.uuid4().hex[:6]}", 0
        self.bundle = cluster.layout.path("pki", "database-ca.crt").read_text()
        login = {"username": databases.REGISTRY.name, "password": databases.REGISTRY.password}
        self.mysql = {"type": "mysql", "host": "mysql", "namespace": "data", "name": database, **login, "ca": {"pem": self.bundle}}

    def name(self, number: int) -> str:
        return f"{self.prefix}-{number}"

    def create(self, number: int, **options: Any) -> Work:
        """A run that creates a registry with a password, a CA and a grant."""
        return registry(**{"name": self.name(number), "wait": False, "database": self.mysql, "permissions": {"groups": ["readers"]}, **options})

    def delete(self, number: int, **options: Any) -> Work:
        return registry(name=self.name(number), state="absent", **options)

    def do(self, work: Work) -> Ended:
        """A run by itself, which succeeds."""
        ended = self.process.run(work)
        assert ended.error is None, ended.error
        return ended

    def interleaved(self, prepared: Callable[[int], tuple[Work, Work]]) -> Iterator[tuple[int, Ended, Ended]]:
        """As of the process; each stop has a registry of its own."""

        def numbered(number: int) -> tuple[Work, Work]:
            self.numbers = max(self.numbers, number)
            return prepared(number)

        return self.process.interleaved(numbered)

    def held(self, kind: tuple[str, str], number: int) -> list[str]:
        begins = (f"{self.name(number)}-db-",)
        return [item["metadata"]["name"] for item in self.cluster.items(*kind) if item["metadata"]["name"].startswith(begins)]

    def check(self, number: int, *runs: Ended) -> bool:
        """That what is there is complete, and that a run that failed said why; whether there is a registry."""
        told = f"{self.name(number)}: {[run.error for run in runs]}"
        for run in runs:
            assert run.error is None or (self.name(number) in run.error or REGISTRIES_NAMESPACE in run.error), told
        name = self.name(number)
        until(lambda: not (found := self.cluster.registry(name)) or "deletionTimestamp" not in found["metadata"])
        found = self.cluster.registry(name)
        if found is None:
            return False
        for kind, held in _manifests.named_objects(found):
            if "-db-" not in held:
                continue
            there = self.cluster.get("v1", {"Secret": "secrets", "ConfigMap": "configmaps"}[kind], held)
            assert there is not None, f"{told}: {kind} {held} is missing"
            assert _manifests.LEAVING not in (there["metadata"].get("annotations") or {}), told
        until(lambda: self.cluster.get(*CLUSTER_ROLE_BINDINGS, f"{name}-auth-delegator", None))
        grants = [
            (subject["kind"], subject["name"])
            for binding in self.cluster.items(*ROLE_BINDINGS)
            if binding["roleRef"]["name"] == f"registry-user-{name}"
            for subject in binding["subjects"]
        ]
        assert max(Counter(grants).values(), default=1) == 1, f"{told}: {grants}"
        return True

    def check_nothing_is_left(self) -> None:
        """That whatever is there is found by deletions."""
        for number in (*range(1, self.numbers + 1), 100):
            self.do(self.delete(number, wait=False, delete_data=True))
        until(lambda: not any(item["metadata"]["name"].startswith(self.prefix) for item in self.cluster.items(*REGISTRIES)))
        for kind in (SECRETS, CONFIG_MAPS):
            left = [item["metadata"]["name"] for item in self.cluster.items(*kind) if item["metadata"]["name"].startswith(self.prefix)]
            assert [name for name in left if "-db-" in name] == []


@pytest.fixture
def room(layout: Layout, cluster: Cluster, tmp_path: Path) -> Iterator[Room]:
    """What is left in it at the end has to be found by deletions."""
    database = f"beside_{uuid.uuid4().hex[:8]}"
    databases.create_databases(layout, "mysql", [database])
    made = Room(cluster, InProcess(layout, tmp_path), database)
    yield made
    made.check_nothing_is_left()
    databases.drop_database(layout, "mysql", database)


# Two runs


def test_a_deletion_and_a_creation_of_the_same_name_lose_nothing(room: Room) -> None:
    def prepared(number: int) -> tuple[Work, Work]:
        room.do(room.create(number))
        return room.delete(number), room.create(number)

    ends = [room.check(number, *runs) for number, *runs in room.interleaved(prepared)]
    assert {True, False} == set(ends)


def test_a_creation_and_a_deletion_of_what_was_left_of_the_same_name_lose_nothing(room: Room) -> None:
    def prepared(number: int) -> tuple[Work, Work]:
        # A killed creation has left a Secret and a ConfigMap.
        assert room.process.killed_after(room.create(number), 2)
        return room.create(number), room.delete(number)

    ends = [room.check(number, *runs) for number, *runs in room.interleaved(prepared)]
    assert {True, False} == set(ends)


def test_a_deletion_of_what_was_left_and_a_creation_of_the_same_name_lose_nothing(room: Room) -> None:
    def prepared(number: int) -> tuple[Work, Work]:
        assert room.process.killed_after(room.create(number), 2)
        return room.delete(number), room.create(number)

    ends = [room.check(number, *runs) for number, *runs in room.interleaved(prepared)]
    assert ends[-1] is True


def test_a_purge_and_a_creation_of_the_same_name_lose_nothing(room: Room) -> None:
    others = [item["metadata"]["name"] for item in room.cluster.items(*REGISTRIES)]
    kept = room.name(100)
    room.do(registry(name=kept, wait=False, database=room.mysql))

    def prepared(number: int) -> tuple[Work, Work]:
        room.do(room.create(number))
        room.process.run(room.delete(number - 1))
        listed = [{"name": name} for name in (kept, *others) if room.cluster.registry(name)]
        return registries(registries=listed, purge=True, purge_limit=1, wait_timeout=60), room.create(number)

    ends = [room.check(number, *runs) for number, *runs in room.interleaved(prepared)]
    assert {True, False} == set(ends)
