"""What a wait for many registries remembers of each, and how one that ended in vain is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._status.availability import NotAvailableError, is_in_trouble, with_explanation
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status.readiness import Observation, Verdict

from .builders import LATER, pod, stored, wanted


def seen(uid: str, restarts: int, ready: bool = False, **explained: Any) -> Observation:
    made = pod()
    made["metadata"]["uid"] = uid
    made["status"]["conditions"] = [{"type": "Ready", "status": str(ready)}]
    made["status"]["containerStatuses"][0]["restartCount"] = restarts
    return Observation(stored(wanted()), {}, (made,), **explained)


BEFORE = seen("1", 1, log="what it said", previous_log="and before", events=("an event",), database_pods=(pod(),))


def test_an_explanation_holds_as_long_as_the_same_server_runs() -> None:
    again = seen("1", 1, baseline={"1": 1})
    assert with_explanation(again, BEFORE) == replace(BEFORE, baseline={"1": 1})


@pytest.mark.parametrize("now", [seen("1", 2), seen("2", 1), seen("1", 1, ready=True), Observation(None, None)])
def test_an_explanation_is_not_that_of_another_start(now: Observation) -> None:
    assert with_explanation(now, BEFORE) == now


def container(**status: Any) -> Observation:
    """A registry whose newest pod has two containers, of which the second one is like this; an older pod has ended often."""
    old, new = pod(created="2026-05-01T09:00:00Z"), pod()
    old["status"]["containerStatuses"][0]["restartCount"] = 9
    new["status"]["containerStatuses"].append({"name": "proxy", "restartCount": 0, "state": {"running": {}}, **status})
    return Observation(None, None, (old, new))


@pytest.mark.parametrize(
    ("now", "trouble"),
    [
        (container(), False),
        (container(restartCount=1), True),
        (container(state={"waiting": {"reason": "ImagePullBackOff"}}), True),
        (container(state={"waiting": {"reason": "InvalidImageName"}}), True),
        (container(state={"waiting": {"reason": "ContainerCreating"}}), False),
        (Observation(None, None), False),
        (Observation(None, None, ({"metadata": {"creationTimestamp": LATER}, "status": {}},)), False),
    ],
)
def test_a_server_that_ended_or_cannot_be_started_is_in_trouble(now: Observation, trouble: bool) -> None:
    assert is_in_trouble(now) is trouble


STUCK = Verdict(False, "the database does not respond", remedy="Start it")
NOTHING, ONE = Observation(None, None), "registry 'one' is not available: the database does not respond. Start it."
ROLLING = Observation(None, None, (pod(created="2026-05-01T09:00:00Z"), *seen("2", 1).pods))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotAvailableError("one", STUCK, 300, NOTHING), f"{ONE} The wait ended after 300 s (wait_timeout)."),
        (NotAvailableError("one", STUCK, 0.4, NOTHING, "And more."), f"{ONE} The wait ended after 0 s (wait_timeout). And more."),
        (
            NotAvailableError("one", replace(STUCK, final=True), 300, NOTHING, unchanged=True),
            f"{ONE} The wait ended early, because waiting longer would not fix the problem.",
        ),
        (
            NotAvailableError("one", STUCK, 300, NOTHING, unchanged=True),
            f"{ONE} This run did not change the registry, and its last change was more than 300 s (wait_timeout) ago: the module did not wait again."
            " If the cause is fixed, run again after the next start of its server, within 5 minutes.",
        ),
        (
            NotAvailableError("one", STUCK, 300, ROLLING),
            f"{ONE} The previous pod is still running with the previous configuration. The wait ended after 300 s (wait_timeout).",
        ),
    ],
)
def test_a_wait_that_ended_in_vain_says_how_it_ended(error: NotAvailableError, words: str) -> None:
    assert str(error) == words
    assert error.verdict.reason == STUCK.reason
