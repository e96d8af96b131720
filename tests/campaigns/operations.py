"""What the modules do to a registry, for campaigns that disturb it: each operation as a task, on what has to be there before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox import databases
from tests.helpers import REGISTRIES, until
from tests.interleaving import Room, Work, bundle, permission, registries, registry

WORKS: dict[str, Callable[..., Work]] = {
    "model_registry": registry,
    "model_registry_permission": permission,
    "model_registries": registries,
    "model_registry_ca": bundle,
}
# Seconds to wait for what has to come: on a busy machine it comes late, and that is no finding.
PATIENCE = 600
Options = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """A call of a module for the registry of a number in a room."""

    name: str
    module: str
    options: Callable[[Room, int], Options]
    # Whether there is a registry before.
    on_registry: bool = True
    # Whether there is one afterwards.
    leaves_registry: bool = True

    def work(self, room: Room, number: int) -> Work:
        """The operation inside of this process."""
        return WORKS[self.module](**self.options(room, number))

    def prepare(self, room: Room, number: int) -> None:
        """Make what has to be there."""
        room.numbers = max(room.numbers, number)
        if self.on_registry:
            room.do(room.create(number))
            # The operator makes it when it has seen the registry.
            until(lambda: room.cluster.get("user.openshift.io/v1", "groups", f"{room.name(number)}-users", None), PATIENCE)


def _purge(room: Room, number: int) -> Options:
    present = [item["metadata"] for item in room.cluster.items(*REGISTRIES) if "deletionTimestamp" not in item["metadata"]]
    others = [metadata["name"] for metadata in present if metadata["name"] != room.name(number)]
    if not others:
        room.do(room.create(100))
        others = [room.name(100)]
    return {"registries": [{"name": name} for name in others], "purge": True, "wait": False, "check_database": "ignore"}


def _fleet(room: Room, number: int) -> Options:
    entry = {"name": room.name(number), "description": "Of a fleet", "database": room.mysql, "permissions": {"groups": ["readers"], "users": ["alice"]}}
    return {"registries": [entry], "wait": False, "check_database": "ignore"}


def _of_registry(**more: Any) -> Callable[[Room, int], Options]:
    return lambda room, number: {"name": room.name(number), "wait": False, "check_database": "ignore", **more}


TLS_LOGIN = {"username": databases.TLS_ONLY.name, "password": databases.TLS_ONLY.password}
EXACT = {"groups": ["writers"], "users": ["alice"], "projects": ["data"], "members": ["bob"], "exclusive": True}
OPERATIONS = (
    Operation(
        "create",
        "model_registry",
        lambda room, number: _of_registry(description="Models", database=room.mysql, permissions={"groups": ["readers"]})(room, number),
        on_registry=False,
    ),
    Operation("edit", "model_registry", _of_registry(display_name="Edited", description="Edited")),
    # The password before is given up when the registry is available.
    Operation("log in as another", "model_registry", _of_registry(database=TLS_LOGIN, wait=True, wait_timeout=60)),
    Operation(
        "upload",
        "model_registry",
        lambda room, number: _of_registry(database={"ca": {"source": "upload", "pem": room.bundle + room.other_bundle}})(room, number),
    ),
    Operation("grant", "model_registry_permission", lambda room, number: {"name": room.name(number), "permissions": EXACT}),
    Operation("rotate", "model_registry_ca", lambda room, number: {"registry": room.name(number), "pem": room.other_bundle, "mode": "add", "wait": False}),
    Operation("fleet", "model_registries", _fleet, on_registry=False),
    Operation("fleet on a registry", "model_registries", _fleet),
    Operation("generate", "model_registry", _of_registry(allow_data_change=True, database={"type": "generated"})),
    Operation("purge", "model_registries", _purge, leaves_registry=False),
    Operation("delete", "model_registry", _of_registry(state="absent"), leaves_registry=False),
    # What the operator leaves is deleted when the registry is gone.
    Operation("delete and wait", "model_registry", _of_registry(state="absent", wait=True), leaves_registry=False),
)
# Those after which nothing is waited for, with each kind of request once.
SHORT = [operation for operation in OPERATIONS if operation.name not in ("log in as another", "generate", "fleet on a registry", "delete and wait")]


def complete(room: Room, operation: Operation, number: int) -> None:
    """The same operation once more ends what an earlier one has begun, and leaves nothing to do when the registry is available."""
    done = room.process.run(operation.work(room, number))
    assert done.error is None, done.error
    if operation.leaves_registry:
        # Previous values are given up then.
        room.do(registry(name=room.name(number), wait_timeout=PATIENCE, check_database="ignore"))
    again = room.process.run(operation.work(room, number))
    assert again.error is None and again.writes == 0, (again.error, [sent for sent in again.sent if sent.writes])
    assert room.check(number, done, again) is operation.leaves_registry


def remove(room: Room, number: int) -> None:
    """Remove what a case has left, so that the sandbox does not fill."""
    room.process.run(room.delete(number, wait=False, delete_data=True))
