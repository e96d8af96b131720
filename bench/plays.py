"""Playbooks of one task that get what they describe from a file of variables, as a platform team writes them; and what they cost."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.stand import Stand, seconds
from sandbox import controlplane, faults, lifecycle
from tests import helpers

LIBRARY = Path(__file__).with_name("library")
MEASURED = Path(__file__).with_name("measured.py")
RECAP = re.compile(r"ok=\d+ +changed=(\d+) +unreachable=0 +failed=0")
LONGEST_SECONDS = 900


@dataclass(frozen=True)
class Play:
    """One task with the variables of a file, which its options may name. `server` is the API server, when it is not the one that records requests."""

    module: str
    options: Mapping[str, Any] = field(repr=False)
    variables: Path
    loop: str = ""
    token: str = field(default="", repr=False)
    server: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Played:
    """What became of it: how long ansible-playbook took, whether the task changed anything, and the memory of its largest process on the module's side."""

    seconds: float
    changed: bool
    peak_mib: float


@dataclass(frozen=True)
class Recorded:
    """What a task returned, when it ended, the requests of our modules meanwhile, and the memory of its largest process on the module's side."""

    result: dict[str, Any] = field(repr=False)
    ended: float
    seconds: float
    requests: tuple[faults.Request, ...] = field(repr=False)
    peak_mib: float


def run(stand: Stand, play: Play) -> Played:
    """Run it as anybody would; AssertionError with what was printed when it fails."""
    memory = _Memory(stand)
    printed = ""

    def play_it() -> None:
        nonlocal printed
        printed = _ansible_playbook(stand, play, {"ANSIBLE_STDOUT_CALLBACK": "default"}, memory.variables)

    taken = seconds(play_it)
    recap = RECAP.search(printed)
    assert recap, printed
    return Played(taken, recap[1] != "0", memory.peak_mib)


class _Memory:
    """What the processes on the module's side of a play held."""

    def __init__(self, stand: Stand) -> None:
        self._record = stand.runner.folder / f"{uuid.uuid4().hex}.memory"
        self._interpreter = self._record.with_suffix(".python")
        self._interpreter.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, str(MEASURED), str(self._record), sys.executable])} "$@"\n')
        self._interpreter.chmod(0o755)

    @property
    def variables(self) -> dict[str, str]:
        return {"ansible_python_interpreter": str(self._interpreter)}

    @property
    def peak_mib(self) -> float:
        return max((int(line) for line in self._record.read_text().split()), default=0) / 1024 if self._record.exists() else 0


def record(stand: Stand, play: Play) -> Recorded:
    """Run it to see what it returns, and which requests it sends through the proxy that records them; AssertionError when it fails."""
    results, memory = stand.runner.folder / f"{uuid.uuid4().hex}.results", _Memory(stand)
    variables = {"ANSIBLE_CALLBACK_PLUGINS": str(helpers.CALLBACKS), "ANSIBLE_STDOUT_CALLBACK": "recorder", "RECORDER_FILE": str(results)}
    printed = _ansible_playbook(stand, play, variables, memory.variables)
    done = json.loads(results.read_text().splitlines()[0])
    assert not done["failed"], printed
    requests = (request for request in faults.recorded_requests(stand.runner.layout) if request.user_agent == helpers.USER_AGENT)
    requests = tuple(request for request in requests if done["started"] <= request.time <= done["ended"])
    return Recorded(done["result"], done["ended"], done["ended"] - done["started"], requests, memory.peak_mib)


def write_variables(stand: Stand, variables: Any) -> Path:
    """A file of variables for plays, or of anything else that is written as JSON."""
    file = stand.runner.folder / f"{uuid.uuid4().hex}.json"
    file.write_text(json.dumps(variables))
    return file


def kubeconfig(stand: Stand, token: str = "", server: str = "") -> Path:
    """A kubeconfig of the automation's account, or of the owner of a token."""
    file = stand.runner.folder / f"{uuid.uuid4().hex}.kubeconfig"
    layout = stand.runner.layout
    file.write_text(json.dumps(controlplane.kubeconfig(layout, {"token": token or stand.runner.token}, server or layout.faulty_api_url)))
    return file


def _ansible_playbook(stand: Stand, play: Play, environment: Mapping[str, str], more: Mapping[str, str]) -> str:
    options = dict(play.options)
    if not play.module.startswith("ansible.builtin."):
        options["kubeconfig"] = str(kubeconfig(stand, play.token, play.server))
    task: dict[str, Any] = {"name": play.module, play.module: options} | ({"loop": play.loop, "loop_control": {"label": "one"}} if play.loop else {})
    written = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars_files": [str(play.variables)], "vars": dict(more), "tasks": [task]}]
    playbook = stand.runner.folder / f"{uuid.uuid4().hex}.json"
    playbook.write_text(json.dumps(written))
    variables = os.environ | lifecycle.shell_variables(stand.runner.layout) | {"ANSIBLE_LIBRARY": str(LIBRARY), "ANSIBLE_NOCOLOR": "true"}
    done = subprocess.run(
        ["ansible-playbook", str(playbook)],
        cwd=stand.runner.folder,
        env={**variables, **environment, **play.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    return done.stdout
