# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one way to wait for something in the cluster: look until nothing is missing, or until a deadline that counts for the whole wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from .. import _errors
from . import client

# What changes without an event at the API server, such as a log, is looked at again after this many seconds.
POLL_SECONDS = 2.0
# Changes that come together are looked at together.
PAUSE = 0.2
# What is watched: API, namespace and selector of each kind.
Watched = Iterable[tuple[tuple[str, str], str, dict[str, str]]]


def until(
    look: Callable[[bool], str],
    cluster: client.Cluster,
    deadline: float,
    watched: Watched = (),
    what: str = "",
    poll: Callable[[], float] = lambda: POLL_SECONDS,
) -> str:
    """Look until `look` returns an empty text, and at the deadline a last time; what it said then that is missing, in words.

    While it waits, people are told that it waits for `what`, and for what is missing.

    `look` is told whether it is the last time, and raises what ends the wait early. What may pass until the next look does not end it. It is called at
    once; then after `poll` seconds, and earlier when something changes that is watched. CancelledError when the run is to stop.
    """

    def looked() -> tuple[str, bool]:
        cluster.before_writing()
        is_last = time.monotonic() >= deadline
        try:
            return look(is_last), is_last
        except _errors.ClusterError as error:
            if not error.may_pass:
                raise
            return str(error), is_last

    started = time.monotonic()
    missing, is_last = looked()
    if not missing or is_last:
        return missing
    with cluster.changes(watched, deadline) as changed:
        while True:
            cluster.tell(f"waiting for {what}{missing}")
            # Not more than half of the time is spent on looking.
            least = max(PAUSE, time.monotonic() - started)
            time.sleep(_seconds(least, deadline))
            changed.wait(_seconds(poll() - least, deadline))
            changed.clear()
            started = time.monotonic()
            missing, is_last = looked()
            if not missing or is_last:
                return missing


def _seconds(wanted: float, deadline: float) -> float:
    return max(0.0, min(wanted, deadline - time.monotonic()))
