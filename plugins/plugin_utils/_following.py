# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of a module that runs on the same machine: shows what it says, and tells it that somebody still waits for it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import threading
from collections.abc import Callable, Iterator
from io import FileIO

from ansible_collections.modelops.openshift_ai.plugins.module_utils._progress import PROGRESS_FILE

# How often the file is looked at. It bounds how long a module runs on after Ansible was killed.
INTERVAL_SECONDS = 0.05


@contextlib.contextmanager
def following(folder: str, show: Callable[[str], None]) -> Iterator[None]:
    """While entered: show each line that a module says whose temporary folder this is, and hold the lock by which it knows that the run goes on."""
    file = _locked_file(os.path.join(folder, PROGRESS_FILE))
    if file is None:
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_follow, args=(file, show, ended, os.getppid()), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        file.close()


def _locked_file(path: str) -> FileIO | None:
    """A new file that is locked until it is closed; None and no file on a full disk, or a file system without locks: the run goes on without it."""
    # With ANSIBLE_KEEP_REMOTE_FILES the tasks of a loop share their temporary folder.
    with contextlib.suppress(OSError):
        os.unlink(path)
    try:
        file = FileIO(path, "x+")
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        file.close()
        os.unlink(path)
        return None
    return file


def _follow(file: FileIO, show: Callable[[str], None], ended: threading.Event, parent: int) -> None:
    # A signal that this thread took would not wake the other one, which waits for the module and is the only one that heeds it: Ctrl-C would be lost.
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    rest = b""
    is_last = False
    while not is_last:
        # Looked at once more when the module has ended.
        is_last = ended.wait(INTERVAL_SECONDS)
        if os.getppid() != parent:
            # ansible-playbook was killed, and this worker outlives it since ansible-core 2.19: it has a session of its own. Nobody reads what it shows.
            fcntl.flock(file, fcntl.LOCK_UN)
            return
        *lines, rest = (rest + file.read()).split(b"\n")
        for line in lines:
            show(line.decode("utf-8", "replace"))
