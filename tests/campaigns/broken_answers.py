"""Answers of the API server that are broken on their way: each answer of each operation, in each of the ways.

No pod gets a node: nobody waits for the servers of these registries, and to run them costs many times what a case costs.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import mock

from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client
from sandbox import processes
from sandbox.layout import Layout
from tests import breaking
from tests.interleaving import Room, in_room

from .operations import SHORT, Operation, remove
from .trials import Trials


def run(trials: Trials, layout: Layout) -> None:
    """Each operation, request and way."""
    with (
        tempfile.TemporaryDirectory() as folder,
        in_room(layout, Path(folder)) as room,
        breaking.broken(layout) as broken,
        processes.paused(layout, "kube-scheduler"),
        mock.patch.object(client, "PAUSE", 0),
    ):
        requests = {operation: _requests(room, broken, operation) for operation in SHORT}
        every = [(operation, number, way) for operation in SHORT for number in range(len(requests[operation])) for way in breaking.ALL]
        counts = ", ".join(f"{operation.name} {len(sent)}" for operation, sent in requests.items())
        trials.say(f"{len(every)} cases in all: {len(breaking.ALL)} ways, requests: {counts}")
        unsent = 0
        for operation, at, way in trials.chosen(every):
            case = f"{operation.name}, answer {at}, {way}"
            if not trials.wants(case):
                continue
            number = room.numbers + 1
            with trials.case(case, requests[operation][at]):
                operation.prepare(room, number)
                name = room.name(number)
                trial = breaking.Trial(broken, lambda name=name: breaking.state_of(room.cluster, name))
                work = operation.work(room, number)
                # How many requests there are depends on how far the operator is, so that the last of them may not be sent.
                trial.expects(work, [])
                trial(at, way, work)
                unsent += len(broken[0].seen) <= at
            remove(room, number)
        trials.say(f"in {unsent} cases there was no such request")


def _requests(room: Room, broken: tuple[breaking.Breaker, client.Cluster], operation: Operation) -> list[str]:
    number = room.numbers + 1
    operation.prepare(room, number)
    sent = breaking.Trial(broken, dict).requests(operation.work(room, number))
    remove(room, number)
    return sent
