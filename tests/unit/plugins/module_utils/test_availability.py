"""What a wait for many registries remembers of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._status.availability import with_explanation
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status.readiness import Observation

from .builders import pod, stored, wanted


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
