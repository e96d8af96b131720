# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run says while it goes on. A module cannot print: it appends lines to a file, which its action plugin shows."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from . import _texts

# The action plugin makes it in the task's temporary folder, which both know; nobody follows a run without it.
PROGRESS_FILE = "progress"
# How long a state stays on the screen before another one is shown: during the first minute, and after it.
EARLY_SECONDS, LATER_SECONDS = 5, 30
EARLY = 60


class Progress:
    """Says what is being done, to the person who watches and to the result's timeline. It never makes a run fail; threads may share it.

    `folder` is the module's temporary folder. Nothing secret may be said: the lines are shown as they are.
    """

    def __init__(self, folder: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.timeline: list[dict[str, Any]] = []
        self._clock = clock
        self._started = clock()
        self._lock = threading.Lock()
        self._state = ""
        self._state_shown_at: float | None = None
        self._file: int | None = None
        with contextlib.suppress(OSError):
            self._file = os.open(os.path.join(folder, PROGRESS_FILE), os.O_WRONLY | os.O_APPEND)

    def say(self, message: str) -> None:
        """Say something that happens a few times in a run."""
        with self._lock:
            self._add(message)

    def state(self, text: str) -> None:
        """Say how far it is, as often as one likes: shown when it is another than the last one shown, and not too soon after that."""
        with self._lock:
            now = self._clock()
            shown_for = None if self._state_shown_at is None else now - self._state_shown_at
            if text != self._state and is_due(now - self._started, shown_for):
                self._state, self._state_shown_at = text, now
                self._add(text)

    def _add(self, message: str) -> None:
        seconds = round(self._clock() - self._started, 1)
        self.timeline.append({"seconds": seconds, "message": message})
        if self._file is None:
            return
        # It may quote what others wrote into the cluster.
        shown = f"{seconds:6.1f} s  {_texts.line(message)}"
        try:
            os.write(self._file, shown.encode("utf-8", "replace") + b"\n")
        except OSError:
            self._file = None


def is_due(elapsed: float, shown_for: float | None) -> bool:
    """Whether another state may be shown, this many seconds after the start, when the last one has been shown for so long; None: there was none yet."""
    return shown_for is None or shown_for >= (EARLY_SECONDS if elapsed <= EARLY else LATER_SECONDS)


def of_rows(doing: str, done: int, seconds: float, total: int | None = None) -> str:
    """How far it is with the rows of a database after so many seconds, how fast that goes, and how long it will take where their number is known."""
    rate = done / max(seconds, 1)
    number = f"{done:,} rows so far" if total is None else f"{done:,} of {total:,} rows"
    remaining = f", {max(total - done, 0) / rate:,.0f} s remaining" if total is not None and rate else ""
    return f"{doing}: {number}, {rate:,.0f} per second{remaining}"
