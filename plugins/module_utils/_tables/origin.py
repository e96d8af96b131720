# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an archive comes from: a file, or the standard output of a command. It is opened once, so that what was proven is what is read later."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

from .. import _errors, _texts

# How much of what a command says is repeated.
_LONGEST_TEXT = 500
# Between two looks at whether the run was cancelled, in seconds.
_PATIENCE = 1.0


class OriginError(_errors.ReportedError):
    """An archive could not be opened."""


def problems(options: Mapping[str, Any]) -> list[_errors.Problem]:
    """What is wrong with the options that say where an archive comes from."""
    found = []
    if options["command"] is not None and (not options["command"] or not options["command"][0].strip()):
        found.append(_errors.Problem("command", "is empty", "Set it to a program and its arguments, as a list"))
    if options["src"] is not None and not options["src"].strip():
        found.append(_errors.Problem("src", "is empty", "Set it to a file of the host that executes the task"))
    return found


@contextmanager
def of_file(path: str) -> Iterator[IO[bytes]]:
    """An archive that is a file."""
    try:
        # Something else could be waited for without end.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OriginError(f"The backup {path} cannot be read: {reason}. Set src to an archive on the host that executes the task.") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OriginError(f"The backup {path} cannot be read: it is not a file")
    with os.fdopen(descriptor, "rb") as stream:
        yield stream


@contextmanager
def of_command(command: list[str], check: Callable[[], None]) -> Iterator[IO[bytes]]:
    """An archive that a command writes, in a file without a name: it is gone with this process. What `check` raises meanwhile ends the command."""
    with tempfile.TemporaryFile() as stream, tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=said)
        except OSError as error:
            raise OriginError(f"The command {command[0]!r} for the backup cannot be run: {(error.strerror or str(error)).lower()}") from None
        try:
            status = None
            while status is None:
                check()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    status = process.wait(_PATIENCE)
        except BaseException:
            process.kill()
            process.wait()
            raise
        if status:
            said.seek(max(0, said.seek(0, os.SEEK_END) - _LONGEST_TEXT))
            text = _texts.line(said.read().decode(errors="replace"), _LONGEST_TEXT)
            raise OriginError(f"The command {command[0]!r} for the backup ended with exit code {status}" + (f": {text}" if text else ""))
        yield stream
