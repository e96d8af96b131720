"""The playbooks as teams run them, with the list of registries in their inventory, beside a ping play with the same inventory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from bench import fleet, plays
from bench.stand import Figure, Stand, seconds
from sandbox import lifecycle

MEASURED = Path(__file__).with_name("measured.py")
FILES = {"result": "results.json", "junit": "junit.xml", "metrics": "metrics.prom"}
REPETITIONS = 3
MOST_OVER_A_PING = {"converge": 2.0, "check": 6.0, "report": 10.0}
MOST_MEMORY = 600


def converge(stand: Stand) -> list[Figure]:
    """`converge` over 100 unchanged registries."""
    return _figures(stand, fleet.MEDIUM, ("converge",))


def check_and_report(stand: Stand) -> list[Figure]:
    """`check` with all outputs and `report` over 1,000 unchanged registries."""
    return _figures(stand, fleet.SIZES[-1], ("check", "report"))


@dataclass(frozen=True)
class _Team:
    """An inventory of one cluster with a list of registries."""

    stand: Stand
    folder: Path

    def run(self, playbook: str, memory: list[float], *arguments: str) -> float:
        """How long a playbook takes; AssertionError with what was printed when it fails or finds anything."""
        record = self.folder / f"{uuid.uuid4().hex}.memory"
        command = [sys.executable, str(MEASURED), str(record), "ansible-playbook", "-i", "inventory.json", playbook, *arguments]
        variables = os.environ | lifecycle.shell_variables(self.stand.runner.layout) | {"ANSIBLE_NOCOLOR": "true"}
        # Straight to the API server: what the proxy that records requests takes is no cost of the playbooks.
        variables["K8S_AUTH_KUBECONFIG"] = str(plays.kubeconfig(self.stand, server=self.stand.runner.layout.api_url))
        printed = ""

        def play() -> None:
            nonlocal printed
            done = subprocess.run(command, cwd=self.folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            printed = done.stdout

        taken = seconds(play)
        recap = plays.RECAP.search(printed)
        assert recap and recap[1] == "0", printed
        memory.append(int(record.read_text()) / 1024)
        return taken


def _figures(stand: Stand, size: int, playbooks: tuple[str, ...]) -> list[Figure]:
    folder = stand.runner.folder / f"team-{size}"
    (folder / "group_vars").mkdir(parents=True)
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": {"east": {}}}}))
    (folder / "group_vars" / "all.json").write_text(json.dumps({"model_registries_list": fleet.grown(stand, size).wanted()}))
    (folder / "ping.yml").write_text(json.dumps([{"hosts": "all", "connection": "local", "gather_facts": False, "tasks": [{"ansible.builtin.ping": {}}]}]))
    team = _Team(stand, folder)
    outputs = [argument for kind, name in FILES.items() for argument in ("-e", f"model_registries_{kind}_file={name}")]
    memory: dict[str, list[float]] = {name: [] for name in ("ping", *playbooks)}
    measured = [
        partial(team.run, "ping.yml", memory["ping"], "-e", "ansible_python_interpreter={{ ansible_playbook_python }}"),
        *(partial(team.run, f"modelops.openshift_ai.{name}", memory[name], *(outputs if name == "check" else ())) for name in playbooks),
    ]
    turns = [[measure() for measure in measured] for _turn in range(REPETITIONS)]
    floor, *times = (median(taken) for taken in zip(*turns, strict=True))
    figures = []
    for name, mine in zip(playbooks, times, strict=True):
        what = f"playbook {name}, {size} registries, no change"
        figures += [
            Figure(f"{what}: seconds over a ping play", mine - floor, MOST_OVER_A_PING[name], f"{mine:.2f} s - {floor:.2f} s, same inventory"),
            Figure(f"{what}: MiB of memory", max(memory[name]), MOST_MEMORY, "the largest process"),
        ]
    return figures
