"""Playbooks run as people run them: `ansible-playbook` with an inventory, and what its summary says."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox import controlplane, databases
from sandbox.layout import Layout
from tests import helpers

SUMMARY = re.compile(r"^TASK \[(?:\S+ : )?Summary\] \*+\n.*? => (\{\n.*?^\})", re.MULTILINE | re.DOTALL)
SERVER = re.compile(r"\S+: API server .*")
# Where a line about a cluster names the API server itself.
HEAD = re.compile(r"(?:[A-Z]+: )?(\S+) \((?:API server )?([^)]*)\): .*")
CHANGED = re.compile(r" changed=(\d+) ")
# What examples read their passwords from.
PASSWORD = databases.REGISTRY.password
GIVEN = {name: PASSWORD for name in ("FRAUD_DATABASE_PASSWORD", "CREDIT_DATABASE_PASSWORD", "MODEL_REGISTRY_DATABASE_PASSWORD")}


@dataclass(frozen=True)
class Played:
    """A run of `ansible-playbook`: its exit code and all that it printed."""

    code: int
    output: str

    @property
    def summaries(self) -> list[list[str]]:
        """The lines of the summary of each playbook in it, without those that name the API servers."""
        return [[line for line in lines if not SERVER.fullmatch(line)] for lines in self._lines]

    @property
    def servers(self) -> set[str]:
        """What the summaries say of the API servers."""
        lines = [line for lines in self._lines for line in lines]
        named = {f"{match[1]}: API server {match[2]}" for line in lines if (match := HEAD.fullmatch(line))}
        return named | {line for line in lines if SERVER.fullmatch(line)}

    @property
    def _lines(self) -> list[list[str]]:
        return [json.loads(found)["msg"] for found in SUMMARY.findall(self.output)]

    @property
    def summary(self) -> str:
        """The summary of the only playbook in it."""
        [lines] = self.summaries
        return "\n".join(lines)

    @property
    def changed(self) -> int:
        """How many tasks changed something, on all clusters."""
        return sum(int(number) for number in CHANGED.findall(self.output))


@dataclass(frozen=True)
class Player:
    """Runs commands in a folder, as an account of the sandbox."""

    layout: Layout
    token: str = field(repr=False)
    folder: Path

    def kubeconfig(self, contexts: tuple[str, ...] = ()) -> str:
        """The path of a kubeconfig of the account; with other names of its context, if any are given."""
        content: dict[str, Any] = controlplane.kubeconfig(self.layout, {"token": self.token}, self.layout.faulty_api_url)
        content["contexts"] += [{**content["contexts"][0], "name": name} for name in contexts]
        path = self.folder / "kubeconfig"
        path.write_text(json.dumps(content))
        return str(path)

    def run(self, command: str, *arguments: str, **variables: str) -> Played:
        """A command as it is written, with more arguments and variables."""
        environment: Mapping[str, str] = {
            **helpers.shell(self.layout),
            "K8S_AUTH_KUBECONFIG": str(self.folder / "kubeconfig"),
            "PWD": str(self.folder),
            **variables,
        }
        done = subprocess.run(
            ["bash", "-c", f'{command} "$@"', "bash", *arguments], cwd=self.folder, env=environment, text=True, capture_output=True, check=False, timeout=300
        )
        return Played(done.returncode, done.stdout + done.stderr)


def commands(player: Player) -> list[str]:
    """The playbooks that the README of an example runs, as it shows them."""
    [block] = re.findall(r"```shell\n(.*?)```", (player.folder / "README.md").read_text(), re.DOTALL)
    return [line.partition("#")[0].strip() for line in block.splitlines() if line.startswith(("ansible-playbook ", "ansible-navigator "))]


def run(player: Player, command: str, *arguments: str, **variables: str) -> Played:
    played = player.run(command, *arguments, **GIVEN, **variables)
    assert PASSWORD not in played.output
    return played
