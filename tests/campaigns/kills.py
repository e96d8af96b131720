"""Runs through Ansible that are killed after each of their writes (SIGKILL, to every process of them), and then run again."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sandbox import controlplane
from sandbox.layout import Layout
from tests.helpers import Runner, footprint
from tests.interleaving import Room, in_room

from .operations import OPERATIONS, Operation, remove
from .trials import Trials


def run(trials: Trials, layout: Layout) -> None:
    """Each operation, killed after its first write, its second, and so on."""
    with tempfile.TemporaryDirectory() as folder, in_room(layout, Path(folder)) as room:
        runner = Runner(layout, controlplane.ADMIN_TOKEN, Path(folder))
        for operation in OPERATIONS:
            if trials.wants(operation.name) or operation.name in trials.only:
                _kill(trials, room, runner, operation)


def _kill(trials: Trials, room: Room, runner: Runner, operation: Operation) -> None:
    number = room.numbers + 1
    operation.prepare(room, number)
    writes = room.do(operation.work(room, number)).writes
    end = footprint(room.cluster, room.name(number))
    remove(room, number)
    for after in trials.chosen(range(1, writes + 1)):
        case, number = f"{operation.name}, killed after write {after} of {writes}", number + 1
        if not trials.wants(case):
            continue
        with trials.case(case):
            operation.prepare(room, number)
            assert runner.killed_after(after, f"modelops.openshift_ai.{operation.module}", **operation.options(room, number)), "it has ended before"
            done = room.process.run(operation.work(room, number))
            assert done.error is None, done.error
            again = room.process.run(operation.work(room, number))
            assert again.error is None and again.writes == 0, (again.error, [sent for sent in again.sent if sent.writes])
            assert room.check(number, done, again) is operation.leaves_registry
            assert footprint(room.cluster, room.name(number)) == end
        remove(room, number)
