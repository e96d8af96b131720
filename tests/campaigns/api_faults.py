"""Faults of the API server and of what is in front of it, from one request of an operation on, and the same run again when they are over."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client
from sandbox import controlplane, faults
from sandbox.faults import Rule
from sandbox.layout import Layout
from tests import breaking
from tests.helpers import USER_AGENT
from tests.interleaving import InProcess, Room, in_room

from .operations import SHORT, Operation, complete, remove
from .trials import Trials

# What would take minutes of each case. A drip has more than a second between its bytes in real life too.
IMPATIENT = {"PAUSE": 0.05, "LONGEST_PAUSE": 0.2, "CONNECT_SECONDS": 2, "READ_SECONDS": 1, "REQUEST_SECONDS": 3, "WATCH_PAUSE": 0.05}


def _rule(fault: str, **more: Any) -> Callable[[int], list[Rule]]:
    return lambda skip: [Rule(fault, **{"user_agent": USER_AGENT, "skip": skip, **more})]


FOR_EVER: dict[str, Any] = {"count": None}
DONE: dict[str, Any] = {"forwarded": True}
FAULTS: dict[str, Callable[[int], list[Rule]]] = {
    **{f"{status}": _rule("status", status=status) for status in (429, 500, 502, 503, 504)},
    **{f"{status} after the work was done": _rule("status", status=status, **DONE) for status in (500, 502, 504)},
    **{f"{status} from then on": _rule("status", status=status, **FOR_EVER) for status in (401, 403, 429, 503)},
    "reset": _rule("reset"),
    "reset after the work was done": _rule("reset", **DONE),
    "reset from then on": _rule("reset", **FOR_EVER),
    "stall": _rule("stall"),
    "stall after the work was done": _rule("stall", **DONE),
    "drip": _rule("drip", seconds=0.3),
    "every list is gone": _rule("status", status=410, verbs=["list"]),
    "watches are closed": lambda _skip: [Rule("reset", verbs=["watch"], **FOR_EVER)],
    "watches are gone": lambda _skip: [Rule("status", status=410, verbs=["watch"], **FOR_EVER)],
    "watches stall": lambda _skip: [Rule("stall", verbs=["watch"], **FOR_EVER)],
    "an aggregated API is down": lambda _skip: [Rule("status", status=503, path="^/apis/user.openshift.io", **FOR_EVER)],
    "an aggregated API is down, discovery too": lambda _skip: [Rule("status", status=503, path="^/(apis|openapi/v3)(/user.openshift.io.*)?$", **FOR_EVER)],
}
WAITING = Operation(
    "create and wait",
    "model_registry",
    lambda room, number: {"name": room.name(number), "database": room.mysql, "wait_timeout": 20, "check_database": "ignore"},
    on_registry=False,
)
TRIED = (*SHORT, WAITING)


def run(trials: Trials, layout: Layout) -> None:
    """Each operation, fault, and request from which on it happens."""
    with tempfile.TemporaryDirectory() as folder, in_room(layout, Path(folder)) as room:
        faulty = InProcess(layout, Path(folder), controlplane.ADMIN_TOKEN, layout.faulty_api_url)
        requests = {operation.name: _requests(room, operation) for operation in TRIED}
        every = [(operation, fault, skip) for operation in TRIED for fault in FAULTS for skip in range(requests[operation.name])]
        # Those that do not depend on a request are there once.
        every = [case for case in every if case[2] == 0 or FAULTS[case[1]](0) != FAULTS[case[1]](1)]
        trials.say(f"{len(every)} cases in all: {len(FAULTS)} faults, {sum(requests.values())} requests of {len(TRIED)} operations")
        for operation, fault, skip in trials.chosen(every):
            case = f"{operation.name}, {fault}, request {skip}"
            if trials.wants(case):
                with trials.case(case):
                    _disturb(room, faulty, operation, FAULTS[fault](skip), case)
                remove(room, room.numbers)


def _requests(room: Room, operation: Operation) -> int:
    number = room.numbers + 1
    operation.prepare(room, number)
    sent = room.do(operation.work(room, number)).sent
    remove(room, number)
    return len(sent)


def _disturb(room: Room, faulty: InProcess, operation: Operation, rules: list[Rule], case: str) -> None:
    number = room.numbers + 1
    operation.prepare(room, number)
    work, name = operation.work(room, number), room.name(number)
    before = breaking.state_of(room.cluster, name)
    faults.api_rules(room.cluster.layout, rules)
    try:
        with mock.patch.multiple(client, **IMPATIENT):
            ended = faulty.run(work)
    finally:
        faults.api_rules(room.cluster.layout, [])
    after = breaking.state_of(room.cluster, name)
    breaking.assert_said(before, after, ended.outcome, ended.error or "", case)
    try:
        complete(room, operation, number)
    except AssertionError as error:
        raise AssertionError(f"after {ended.error!r}: {error}") from error
