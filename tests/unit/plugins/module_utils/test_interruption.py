"""When a run has to stop."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _interruption
from ansible_collections.modelops.openshift_ai.plugins.module_utils._interruption import SIGNALS, CancelledError, Interruption
from ansible_collections.modelops.openshift_ai.plugins.module_utils._progress import PROGRESS_FILE


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The usual handlers of signals, also where a shell runs the tests in the background and has them ignored; and those before the test for those after it."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def action_plugin(tmp_path: Path) -> Iterator[int]:
    """The lock that an action plugin holds."""
    with (tmp_path / PROGRESS_FILE).open("x") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_stops_the_next_write_and_not_what_runs(tmp_path: Path, number: signal.Signals) -> None:
    interruption = Interruption(str(tmp_path))
    interruption.check()
    os.kill(os.getpid(), number)
    for _time in range(2):
        with pytest.raises(CancelledError, match=f"{number.name}.*run it again"):
            interruption.check()


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    Interruption(str(tmp_path))
    os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_what_the_caller_ignores_stays_ignored(tmp_path: Path) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    interruption = Interruption(str(tmp_path))
    os.kill(os.getpid(), signal.SIGHUP)
    interruption.check()


@pytest.mark.parametrize("start", [0.0, 1000.0])
def test_it_goes_on_while_the_action_plugin_runs_and_stops_when_that_is_gone(tmp_path: Path, action_plugin: int, start: float) -> None:
    now = start
    interruption = Interruption(str(tmp_path), lambda: now)
    interruption.check()
    fcntl.flock(action_plugin, fcntl.LOCK_UN)
    now = start + 0.049
    interruption.check()  # the last answer still counts
    now = start + 0.051
    for _time in range(2):
        with pytest.raises(CancelledError, match="Ansible is no longer running"):
            interruption.check()


def test_all_threads_stop(tmp_path: Path, action_plugin: int) -> None:
    interruption = Interruption(str(tmp_path))
    fcntl.flock(action_plugin, fcntl.LOCK_UN)
    stopped = []

    def write() -> None:
        try:
            for _time in range(1000):
                interruption.check()
                # While one thread looks, and for a moment after, the others go on.
                time.sleep(0.001)
        except CancelledError as error:
            stopped.append(error)

    threads = [threading.Thread(target=write) for _time in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stopped) == 8


def test_it_can_be_made_in_another_thread_without_handlers_of_signals(tmp_path: Path) -> None:
    made: list[Interruption] = []
    thread = threading.Thread(target=lambda: made.append(Interruption(str(tmp_path))))
    thread.start()
    thread.join()
    made[0].check()


def test_it_stops_when_its_own_parent_is_gone(tmp_path: Path) -> None:
    script = f"""
import os, time
from {_interruption.__name__} import CancelledError, Interruption
parent = os.getppid()
interruption = Interruption({str(tmp_path)!r})
print("ready", flush=True)
while os.getppid() == parent:
    interruption.check()
    time.sleep(0.01)
time.sleep(0.06)
try:
    interruption.check()
except CancelledError as error:
    print(error)
"""
    # The shell ends as soon as the script runs.
    shell = f'"{sys.executable}" -c "$SCRIPT" > said & until [ -s said ]; do sleep 0.02; done'
    subprocess.run(["sh", "-c", shell], cwd=tmp_path, env=os.environ | {"SCRIPT": script, "PYTHONPATH": os.pathsep.join(sys.path)}, check=True, timeout=30)
    said = tmp_path / "said"
    for _time in range(200):
        if "no longer running" in said.read_text():
            return
        threading.Event().wait(0.02)
    raise AssertionError(said.read_text())
