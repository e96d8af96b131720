"""Start, find and stop the processes of one sandbox."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.layout import MARKER, Layout

STOP_SECONDS = 10


class ProcessError(Exception):
    """A part of the sandbox did not come up; the message ends with the last lines of its log."""


@dataclass(frozen=True)
class Command:
    """How one part is run, in which folder. `user` is whom a process of root becomes; `ready` tells whether it serves."""

    name: str
    argv: Sequence[str | Path]
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    folder: str = "/"


def start(layout: Layout, command: Command) -> None:
    """Start a part, unless it runs; returns as soon as there is a process."""
    if running(layout, command.name):
        return
    with open(layout.path("logs", f"{command.name}.log"), "ab") as log:
        process = subprocess.Popen(
            [str(part) for part in command.argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=command.folder,
            env={**os.environ, **command.environment, MARKER: layout.state},
            user=command.user,
            group=None if command.user is None else _group_of(command.user),
            extra_groups=None if command.user is None else [],
            start_new_session=True,
        )
    layout.path("run", f"{command.name}.pid").write_text(f"{process.pid}\n")
    # Between its fork and its first instruction it has no environment yet, by which it is known.
    deadline = time.monotonic() + STOP_SECONDS
    while process.poll() is None and not _belongs(process.pid, layout.state) and time.monotonic() < deadline:
        time.sleep(0.001)


def dies_with_parent() -> list[str]:
    """What to put before a command so that a part that is killed leaves no process behind."""
    program = shutil.which("setpriv")
    return [program, "--pdeathsig", "KILL", "--"] if program else []


def wait(layout: Layout, *commands: Command, seconds: float = 60) -> None:
    """Return when all of these parts serve; ProcessError when one dies or takes too long."""
    deadline = time.monotonic() + seconds
    waiting = list(commands)
    while waiting:
        waiting = [command for command in waiting if not command.ready()]
        for command in waiting:
            if not running(layout, command.name) and not _is_starting(layout, command):
                raise ProcessError(f"{command.name} stopped while starting:\n{_tail(layout, command.name)}")
            if time.monotonic() > deadline:
                raise ProcessError(f"{command.name} is not ready after {seconds:.0f} s:\n{_tail(layout, command.name)}")
        if waiting:
            time.sleep(0.05)


def _is_starting(layout: Layout, command: Command) -> bool:
    """A part that becomes another program has no environment for a moment: look again before it is called dead."""
    time.sleep(0.3)
    return running(layout, command.name) is not None or command.ready()


def running(layout: Layout, name: str) -> int | None:
    """The process id of a part that runs."""
    try:
        pid = int(layout.path("run", f"{name}.pid").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return pid if _belongs(pid, layout.state) else None


def stop(layout: Layout, name: str) -> None:
    """Stop one part and wait for its end."""
    if pid := running(layout, name):
        _end([pid])
    layout.path("run", f"{name}.pid").unlink(missing_ok=True)
    layout.path("run", f"{name}.ready").unlink(missing_ok=True)


@contextlib.contextmanager
def paused(layout: Layout, name: str) -> Iterator[None]:
    """Let one part do nothing for a while. ProcessError when it does not run."""
    pid = running(layout, name)
    if pid is None:
        raise ProcessError(f"{name} does not run")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def stop_all(state: Path) -> int:
    """Stop every process of the sandbox with this state folder, also those whose parent was killed; returns how many there were."""
    numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    pids = [pid for pid in numbers if pid != os.getpid() and _belongs(pid, str(state))]
    _end(pids)
    return len(pids)


def _belongs(pid: int, state: str) -> bool:
    """Whether a live process carries the marker of this sandbox: process ids are used again, so a pid file alone proves nothing."""
    try:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return False
        return f"{MARKER}={state}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def _end(pids: Sequence[int]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + STOP_SECONDS
        while (pids := [pid for pid in pids if _alive(pid)]) and time.monotonic() < deadline:
            time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _group_of(user: str) -> int:
    return pwd.getpwnam(user).pw_gid


def _tail(layout: Layout, name: str) -> str:
    lines = layout.path("logs", f"{name}.log").read_text(errors="replace").splitlines()
    return "\n".join(lines[-15:])
