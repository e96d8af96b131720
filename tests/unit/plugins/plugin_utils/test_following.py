"""A real `ansible-playbook` in front of a module that writes and says so: what is shown, and when it stops."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._progress import PROGRESS_FILE
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._following import following
from tests import installed

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"

# It takes at most 50 ms for a write, and for longer than any test it writes on.
MODULE = """
import time
from concurrent.futures import ThreadPoolExecutor
from ansible_collections.modelops.openshift_ai.plugins.module_utils._interruption import CancelledError, Interruption
from ansible_collections.modelops.openshift_ai.plugins.module_utils._progress import Progress
from ansible_collections.modelops.openshift_ai.plugins.module_utils._module import RegistryModule

module = RegistryModule(dict(registries=dict(type="raw"), file=dict(), writes=dict(type="int")))
progress, interruption = Progress(module.tmpdir), Interruption(module.tmpdir)

def write(number):
    interruption.check()
    with open(module.params["file"], "a") as file:
        file.write(f"{time.time()}\\n")
    time.sleep(0.05)

progress.say("writing")
try:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(module.params["writes"])))
except CancelledError as error:
    with open(module.params["file"] + ".said", "a") as file:
        file.write(str(error))
    module.fail_json(str(error))
progress.say("written")
# As many as are printed with -v.
module.exit_json(timeline=progress.timeline, registries=list(range(5)))
"""


class Play:
    """A folder with the module, and what runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "writes"
        collection = folder / "collections" / "ansible_collections" / "modelops" / "openshift_ai" / "plugins"
        for part in ("action", "modules"):
            (collection / part).mkdir(parents=True)
        for shared in ("module_utils", "plugin_utils"):
            (collection / shared).symlink_to(PLUGINS / shared)
        installed.link_kubernetes_core(collection.parents[2])
        shutil.copy(PLUGINS / "action" / "model_registries.py", collection / "action" / "probe.py")
        (collection / "modules" / "probe.py").write_text(MODULE)

    def start(self, tasks: Sequence[dict[str, Any]], hosts: str = "one,", verbosity: str = "-v") -> subprocess.Popen[str]:
        """ansible-playbook, in a process group of its own."""
        variables = {"ansible_python_interpreter": sys.executable}
        play = {"hosts": "all", "connection": "local", "gather_facts": False, "vars": variables, "tasks": list(tasks)}
        (self.folder / "play.json").write_text(json.dumps([play]))
        environment = installed.environment() | {
            "HOME": str(self.folder),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_ASYNC_DIR": str(self.folder / "async"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections"),
            "ANSIBLE_NOCOLOR": "1",
        }
        # Tests that a shell runs in the background ignore SIGINT, and so would all that they start.
        heeding = ["env", "--default-signal=INT"]
        command = [*heeding, "ansible-playbook", verbosity, "-i", hosts, self.folder / "play.json"]
        return subprocess.Popen(
            command,
            env=environment,
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def task(self, name: str, writes: int, **keywords: Any) -> dict[str, Any]:
        return {"name": name, "modelops.openshift_ai.probe": {"file": str(self.file), "writes": writes}, **keywords}

    def writes(self) -> list[float]:
        """The times of all writes."""
        return [float(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []


@pytest.fixture
def play(tmp_path: Path) -> Play:
    return Play(tmp_path)


def test_what_the_module_says_is_shown_while_it_runs_and_says_of_which_host_it_is(play: Play) -> None:
    playbook = play.start(
        [
            play.task("in sight", 100),
            play.task("hidden", 1, no_log=True),
            play.task("in the background", 1, **{"async": 30, "poll": 1}),
        ],
        hosts="one,two",
    )
    assert playbook.stderr
    # By the byte: what a buffer has read beyond the line, `communicate` would not see.
    first = ""
    while not first.endswith("\n") and (read := os.read(playbook.stderr.fileno(), 1)):
        first += read.decode()
    assert "writing" in first and len(play.writes()) < 200, "it is shown as soon as it is said"
    output, errors = playbook.communicate(timeout=60)
    assert playbook.returncode == 0, output
    shown = [line.split() for line in (first + errors).splitlines() if " s  writ" in line]
    assert sorted((host, message) for host, _seconds, _unit, message in shown) == [
        (host, message) for host in ("one:", "two:") for message in ("writing", "written")
    ]
    assert " s  writ" not in output, "the output proper is for callbacks, which may write JSON"
    assert output.count('"message": "written"') == 4, "the timeline is in the results that may be shown, of the background too"


def test_what_shows_it_takes_no_signal_from_the_thread_that_waits_for_the_module(tmp_path: Path) -> None:
    """On a busy machine it would, and that thread would wait on: the signal does not end its call."""
    blocked: list[set[Any]] = []
    with following(str(tmp_path), lambda _line: blocked.append(signal.pthread_sigmask(signal.SIG_BLOCK, ()))):
        (tmp_path / PROGRESS_FILE).write_text("writing\n")
    assert [{signal.SIGINT, signal.SIGTERM} & mask for mask in blocked] == [{signal.SIGINT, signal.SIGTERM}]


def test_each_line_is_shown_once_however_it_was_written(tmp_path: Path) -> None:
    said: list[str] = []
    deadline = time.monotonic() + 100
    with following(str(tmp_path), said.append), (tmp_path / PROGRESS_FILE).open("ab", buffering=0) as file:
        file.write(b"one\ntw")
        while said != ["one"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        # What is said last is shown when the module has ended.
        file.write(b"o\ncaf\xe9\nhalf a line")
    assert said == ["one", "two", "caf\ufffd"]


def test_the_lock_by_which_a_module_knows_that_the_run_goes_on_is_held_until_it_ends(tmp_path: Path) -> None:
    def is_held() -> bool:
        with (tmp_path / PROGRESS_FILE).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    (tmp_path / PROGRESS_FILE).write_text("of a task before\n")
    said: list[str] = []
    with following(str(tmp_path), said.append):
        assert is_held()
    assert not is_held() and said == []


def test_where_no_file_can_be_locked_the_run_goes_on_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with following(str(tmp_path / "none"), print):
        assert not (tmp_path / "none").exists()

    def without_locks(*_arguments: Any) -> None:
        raise OSError(95, "Operation not supported")

    # As on a file system of the network.
    monkeypatch.setattr(fcntl, "flock", without_locks)
    before = len(os.listdir("/proc/self/fd"))
    with following(str(tmp_path), print):
        assert list(tmp_path.iterdir()) == [] and len(os.listdir("/proc/self/fd")) == before


def test_a_temporary_folder_that_the_tasks_of_a_loop_share_is_no_end_of_ansible(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_KEEP_REMOTE_FILES", "1")
    playbook = play.start([play.task("again", 1, loop=[1, 2])])
    output, errors = playbook.communicate(timeout=60)
    assert playbook.returncode == 0 and len(play.writes()) == 2, output
    said = [line.split() for line in errors.splitlines() if " s  writ" in line]
    assert [words[-1] for words in said] == ["writing", "written"] * 2
    assert all(words[1] == "s" for words in said), "the only host is not named"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=["killed", "ended", "interrupted"])
def test_when_ansible_is_stopped_the_module_writes_no_more(play: Play, number: signal.Signals) -> None:
    with play.start([play.task("in sight", 4000)]) as playbook:
        deadline = time.monotonic() + 60
        while len(play.writes()) < 10:
            assert playbook.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        stopped = time.time()
        # As ansible-runner does when a job is cancelled, and a terminal on Ctrl-C: Ansible's workers and their modules are not in this group.
        os.killpg(playbook.pid, number)
        playbook.wait(120)
    said = Path(f"{play.file}.said")
    while not said.exists() or not said.read_text():
        # It takes a tenth of a second, longer on a machine that is busy, and without being told it would write on for most of a minute.
        assert time.time() - stopped < 10
        time.sleep(0.02)
    assert "run it again" in said.read_text()
    written = play.writes()
    time.sleep(0.2)
    assert play.writes() == written
