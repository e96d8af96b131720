"""A time limit for what has none of its own."""

from __future__ import annotations

import sys
import threading

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _deadline


def test_what_ends_in_time_returns_its_answer_or_raises_its_error() -> None:
    assert _deadline.within(10, lambda: "answer") == "answer"
    with pytest.raises(ZeroDivisionError):
        _deadline.within(10, lambda: 1 / 0)
    with pytest.raises(SystemExit):
        _deadline.within(10, sys.exit)


def test_what_takes_longer_is_not_waited_for_and_does_not_keep_the_process_from_ending() -> None:
    answer, before = threading.Event(), set(threading.enumerate())
    with pytest.raises(TimeoutError, match=r"^no complete response within 0 s$"):
        _deadline.within(0.01, lambda: answer.wait(5))
    left = set(threading.enumerate()) - before
    answer.set()
    assert len(left) == 1 and all(thread.daemon for thread in left)
