# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a run has to stop: it was told to, or nobody waits for it any more, and the next run may already have started."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from . import _errors, _progress

# What ends a run from outside: a cancelled job, Ctrl-C, a terminal or connection that is gone.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# An answer counts for this many seconds: looking costs system calls, and there are thousands of writes.
CACHED_SECONDS = 0.05


class CancelledError(_errors.ReportedError):
    """The run was cancelled, or Ansible is gone. Nothing may be written any more."""


class Interruption:
    """Tells a run to stop before its next write. Made once, in the main thread; threads may share it.

    `folder` is the module's temporary folder. As long as the action plugin runs, it holds a lock on the file there: with a local connection a shell stands
    between the two processes, and outlives the first. Without the file, as in the background and on another machine, only signals and the module's
    own parent count.
    """

    def __init__(self, folder: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looked_at = -CACHED_SECONDS
        self._reason = ""
        self._parent = os.getppid()
        self._lock: int | None = None
        with contextlib.suppress(OSError):
            self._lock = os.open(os.path.join(folder, _progress.PROGRESS_FILE), os.O_RDONLY)
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                # What the caller ignores, as nohup does, stays ignored.
                if signal.getsignal(number) != signal.SIG_IGN:
                    signal.signal(number, self._remember)

    def check(self) -> None:
        """Call it before each write, and while waiting. CancelledError: stop, the next run completes what is left."""
        now = self._clock()
        if not self._reason and now - self._looked_at >= CACHED_SECONDS:
            self._looked_at = now
            if self._is_alone():
                self._reason = "Ansible is no longer running"
        if self._reason:
            raise CancelledError(f"Cancelled: {self._reason}. The module stopped before its next write. To complete the changes, run it again.")

    def _remember(self, number: int, frame: Any) -> None:
        self._reason = f"the module received {signal.Signals(number).name}"
        # Whoever cannot wait for the end of the write in hand sends it again.
        signal.signal(number, signal.SIG_DFL)

    def _is_alone(self) -> bool:
        if os.getppid() != self._parent:
            return True
        if self._lock is None:
            return False
        try:
            fcntl.flock(self._lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            # The action plugin holds it; or the file system has no locks, and then it tells nothing.
            return False
        return True
