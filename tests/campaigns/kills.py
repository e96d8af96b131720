"""Runs through Ansible that are killed after each of their writes (SIGKILL, to every process of them), and then run again."""

from __future__ import annotations

import contextlib
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from sandbox import controlplane
from sandbox.layout import Layout
from tests.helpers import Runner, footprint, until
from tests.interleaving import Room, in_room

from .operations import OPERATIONS, Operation, complete, remove
from .trials import Trials


def run(trials: Trials, layout: Layout) -> None:
    """Each operation, killed after its first write, its second, and so on."""
    with tempfile.TemporaryDirectory() as folder, in_room(layout, Path(folder)) as room:
        runner = Runner(layout, controlplane.ADMIN_TOKEN, Path(folder))
        for operation in OPERATIONS:
            if trials.wants(operation.name) or operation.name in trials.only:
                _kill(trials, room, runner, operation)


def difference(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two states differ."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return [] if one == other else [f"{path}: {one!r}, {other!r}"]
    return [line for key in sorted({*one, *other}) for line in difference(one.get(key, "nothing"), other.get(key, "nothing"), f"{path}.{key}")]


def _end(room: Room, number: int) -> dict[str, Any]:
    """What there is of a registry; a RoleBinding by whom it lets in, because its name is derived from that of the registry."""

    def key(place: str, item: Any) -> str:
        return f"rolebindings of {item['subjects']}" if item and place.startswith("rolebindings/") else place

    return {key(place, item): item for place, item in footprint(room.cluster, room.name(number)).items()}


def _ends_as(room: Room, number: int, end: dict[str, Any]) -> bool:
    return _end(room, number) == end


def _kill(trials: Trials, room: Room, runner: Runner, operation: Operation) -> None:
    number = room.numbers + 1
    operation.prepare(room, number)
    writes = room.do(operation.work(room, number)).writes
    complete(room, operation, number)
    end = _end(room, number)
    remove(room, number)
    for after in trials.chosen(range(1, writes + 1)):
        case, number = f"{operation.name}, killed after write {after} of {writes}", number + 1
        if not trials.wants(case):
            continue
        with trials.case(case):
            operation.prepare(room, number)
            if not runner.killed_after(after, f"modelops.openshift_ai.{operation.module}", **operation.options(room, number)):
                # What the operator leaves of a registry is there for one run and not yet for another.
                trials.say(f"{case}: it ended with fewer writes")
            complete(room, operation, number)
            # Nothing waits for what the operator makes.
            with contextlib.suppress(AssertionError):
                until(partial(_ends_as, room, number, end), 30)
            differs = difference(end, _end(room, number))
            assert not differs, differs
        remove(room, number)
