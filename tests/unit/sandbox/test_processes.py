"""Processes are found again by what they carry, not by a number that another process may have by now."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox import processes
from sandbox.layout import MARKER, Layout
from sandbox.processes import Command
from tests.helpers import until

SLEEP = [sys.executable, "-c", "import time; time.sleep(300)"]


@pytest.fixture
def layout(tmp_path: Path):
    yield Layout(str(tmp_path), 250)
    processes.stop_all(tmp_path)


def test_a_part_runs_until_it_is_stopped(layout):
    command = Command("sleeper", SLEEP, lambda: True)
    processes.start(layout, command)
    processes.wait(layout, command)
    pid = processes.running(layout, "sleeper")
    assert pid
    processes.start(layout, command)
    assert processes.running(layout, "sleeper") == pid
    processes.stop(layout, "sleeper")
    assert processes.running(layout, "sleeper") is None
    assert not Path(f"/proc/{pid}/cmdline").exists() or Path(f"/proc/{pid}/cmdline").read_bytes() == b""


def test_a_part_that_dies_is_reported_with_its_last_words(layout):
    command = Command("mayfly", [sys.executable, "-c", "import sys; sys.exit('no such port')"], lambda: False)
    processes.start(layout, command)
    with pytest.raises(processes.ProcessError, match="no such port"):
        processes.wait(layout, command, seconds=20)


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_part_that_is_paused_goes_on_afterwards(layout):
    processes.start(layout, Command("sleeper", SLEEP, lambda: True))
    pid = processes.running(layout, "sleeper")
    with processes.paused(layout, "sleeper"):
        until(lambda: state_of(pid) == "T", 5)
    until(lambda: state_of(pid) != "T", 5)
    with pytest.raises(processes.ProcessError, match="nobody does not run"), processes.paused(layout, "nobody"):
        pass


def test_a_stale_pid_file_names_nobody(layout):
    layout.path("run", "sleeper.pid").write_text(f"{os.getpid()}\n")
    assert processes.running(layout, "sleeper") is None


def test_children_of_a_killed_part_are_found_and_those_of_another_sandbox_are_left(layout, tmp_path):
    parent = [sys.executable, "-c", f"import subprocess; subprocess.run({SLEEP!r})"]
    processes.start(layout, Command("parent", parent, lambda: True))
    other = subprocess.Popen(SLEEP, env=os.environ | {MARKER: f"{tmp_path}-other"})
    try:
        deadline = time.monotonic() + 20
        while processes.running(layout, "parent") is None or not Path(f"/proc/{processes.running(layout, 'parent')}/task").exists():
            assert time.monotonic() < deadline
        time.sleep(1)
        os.kill(processes.running(layout, "parent"), 9)
        assert processes.stop_all(tmp_path) >= 1
        assert processes.stop_all(tmp_path) == 0
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
