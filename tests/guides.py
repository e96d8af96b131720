"""The guides of docs/docsite/rst, followed from top to bottom: every block in them is written to a file, run, or looked for in what was printed.

A block with a caption is the file of that name. Tasks without one are run in their order, as a play of their own, before the next command or at the end.
`shell` is run, and `text` is printed by what ran last.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sandbox.layout import ROOT, Layout
from tests import helpers

GUIDES = ROOT / "docs" / "docsite" / "rst"
BLOCK = re.compile(r"^\.\. code-block:: *(?P<language>\S*)\n(?P<options>(?:   :.+\n)*)\n(?P<content>(?:   .*\n|\n)+)", re.MULTILINE)


@dataclass
class Reader:
    """Somebody who follows a guide in the shell of `. .sandbox/env`."""

    layout: Layout
    folder: Path
    output: str = ""
    tasks: list[Any] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    def follow(self, guide: str) -> str:
        """Do everything that the guide shows; what the last of it printed."""
        for language, caption, content in _blocks(guide):
            self._do(language, caption, content)
        self._run_tasks()
        return self.output

    def write_files(self, guide: str) -> None:
        """Only write the files that the guide shows."""
        for _language, caption, content in _blocks(guide):
            if caption:
                self._write(caption, content)

    def run(self, commands: str) -> int:
        """Run commands; their exit code. What they print is in `output`."""
        # At a path that is the same for all: forked playbooks share what they have read of their environment.
        vault = self.layout.path("vault-password")
        vault.write_text("vault-password\n")
        variables = {"ANSIBLE_VAULT_PASSWORD_FILE": str(vault), "ANSIBLE_NOCOLOR": "1"}
        environment = helpers.shell(self.layout) | variables | self.variables
        done = subprocess.run(["bash", "-euc", commands], cwd=self.folder, env=environment, text=True, capture_output=True, check=False, timeout=300)
        self.output = done.stdout + done.stderr
        return done.returncode

    def _do(self, language: str, caption: str, content: str) -> None:
        if caption:
            self._write(caption, content)
        elif language == "yaml+jinja":
            self.tasks += yaml.safe_load(content)
        elif language == "shell":
            self._run_tasks()
            assert self.run(content) == 0, self.output
        else:
            assert language == "text", f"nothing is done with {language}"
            assert " ".join(content.split()) in " ".join(self.output.split()), self.output

    def _write(self, path: str, content: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(content)

    def _run_tasks(self) -> None:
        if self.tasks:
            plays = [{"hosts": "localhost", "gather_facts": False, "tasks": self.tasks}]
            (self.folder / "tasks.yml").write_text(yaml.safe_dump(plays, sort_keys=False))
            self.tasks = []
            command = "ansible-playbook tasks.yml" + (" -e @passwords.yml" if (self.folder / "passwords.yml").exists() else "")
            assert self.run(command) == 0, self.output


def _blocks(guide: str) -> list[tuple[str, str, str]]:
    """Language, caption and content of each block of a guide."""
    text = (GUIDES / f"{guide}.rst").read_text() + "\n"
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) == text.count("code-block") + text.count("literalinclude"), "a block that this does not understand"
    caption = re.compile(r":caption: (.+)")
    return [(block["language"], "".join(caption.findall(block["options"])), re.sub(r"^   ", "", block["content"], flags=re.MULTILINE)) for block in blocks]
