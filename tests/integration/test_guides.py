"""The guides of docs/docsite/rst, followed from top to bottom: every block in them is written to a file, run, or looked for in what was printed.

A block with a caption is the file of that name. Tasks without one are run in their order, as a play of their own, before the next command or at the end.
`shell` is run, and `text` is printed by what ran last.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.modelops.openshift_ai.plugins.module_utils._readiness import SYMPTOMS
from sandbox import databases, lifecycle
from sandbox.layout import ROOT, Layout
from tests.dashboard import CLUSTER_WIDE, Dashboard, Database, Form
from tests.helpers import REGISTRIES, Cluster

GUIDES = ROOT / "docs" / "docsite" / "rst"
BLOCK = re.compile(r"^\.\. code-block:: *(?P<language>\S*)\n(?P<options>(?:   :.+\n)*)\n(?P<content>(?:   .*\n|\n)+)", re.MULTILINE)


@dataclass
class Reader:
    """Somebody who follows a guide in the shell of `. .sandbox/env`."""

    layout: Layout
    folder: Path
    output: str = ""
    tasks: list[Any] = field(default_factory=list)

    def follow(self, guide: str) -> str:
        """Do everything that the guide shows; what the last of it printed."""
        text = (GUIDES / f"{guide}.rst").read_text() + "\n"
        blocks = list(BLOCK.finditer(text))
        assert len(blocks) == text.count("code-block") + text.count("literalinclude"), "a block that this does not understand"
        for block in blocks:
            self._do(block["language"], re.findall(r":caption: (.+)", block["options"]), re.sub(r"^   ", "", block["content"], flags=re.MULTILINE))
        self._run_tasks()
        return self.output

    def _do(self, language: str, caption: list[str], content: str) -> None:
        if caption:
            (self.folder / caption[0]).write_text(content)
        elif language == "yaml+jinja":
            self.tasks += yaml.safe_load(content)
        elif language == "shell":
            self._run_tasks()
            self._run(content)
        else:
            assert language == "text", f"nothing is done with {language}"
            assert " ".join(content.split()) in " ".join(self.output.split()), self.output

    def _run_tasks(self) -> None:
        if self.tasks:
            plays = [{"hosts": "localhost", "gather_facts": False, "tasks": self.tasks}]
            (self.folder / "tasks.yml").write_text(yaml.safe_dump(plays, sort_keys=False))
            self.tasks = []
            self._run("ansible-playbook tasks.yml" + (" -e @passwords.yml" if (self.folder / "passwords.yml").exists() else ""))

    def _run(self, commands: str) -> None:
        vault = self.folder / "vault-password"
        vault.write_text("vault-password\n")
        variables = {"ANSIBLE_VAULT_PASSWORD_FILE": str(vault), "ANSIBLE_NOCOLOR": "1"}
        environment = os.environ | lifecycle.shell_variables(self.layout) | variables
        done = subprocess.run(["bash", "-euc", commands], cwd=self.folder, env=environment, text=True, capture_output=True, check=False, timeout=300)
        self.output = done.stdout + done.stderr
        assert done.returncode == 0, self.output


@pytest.fixture
def reader(layout: Layout, cluster: Cluster, tmp_path: Path) -> Iterator[Reader]:
    """One who has the database that the guides name; the registry that they make is gone afterwards."""
    databases.create_databases(layout, "mysql", ["fraud_models"])
    (tmp_path / "database-ca.pem").write_text(layout.path("pki", "database-ca.crt").read_text())
    (tmp_path / "new-database-ca.pem").write_text("".join(layout.path("pki", f"{name}.crt").read_text() for name in ("database-ca", "other-ca")))
    yield Reader(layout, tmp_path)
    for name in ("fraud-models", "clicked-models"):
        cluster.delete(*REGISTRIES, name)
        cluster.delete("v1", "configmaps", f"{name}-db-credential")
        for secret in cluster.items("v1", "secrets"):
            if secret["metadata"]["name"].startswith(f"{name}-db-"):
                cluster.delete("v1", "secrets", secret["metadata"]["name"])
    cluster.delete("v1", "secrets", "fraud-database")
    databases.drop_database(layout, "mysql", "fraud_models")


def test_the_guide_to_a_first_registry(reader: Reader, cluster: Cluster) -> None:
    assert "failed=0" in reader.follow("first_registry")
    assert cluster.registry("fraud-models") is None


def test_the_guide_from_the_dashboard_to_code(reader: Reader, cluster: Cluster) -> None:
    login = databases.REGISTRY
    host = f"{databases.SERVICES['mysql']}.data.svc.cluster.local"
    form = Form("Clicked models", "", Database(host, "fraud_models", login.name, login.password), CLUSTER_WIDE)
    Dashboard(cluster).create("clicked-models", form)
    before = cluster.registry("clicked-models")["spec"]
    reader.follow("from_the_dashboard")
    assert cluster.registry("clicked-models")["spec"] == before


def test_the_guide_to_passwords_and_certificates(reader: Reader, cluster: Cluster) -> None:
    assert "failed=0" in reader.follow("passwords_and_certificates")
    database = cluster.registry("fraud-models")["spec"]["mysql"]
    assert database["passwordSecret"] == {"name": "fraud-database", "key": "password"}
    assert database["sslRootCertificateConfigMap"]["name"] == "fraud-models-db-credential"


def test_the_guide_to_access(reader: Reader) -> None:
    output = reader.follow("access")
    assert "failed=0" in output and "data-scientists" in output


def test_there_is_nothing_to_do_in_the_other_guides() -> None:
    followed = set(re.findall(r'follow\("(\w+)"\)', Path(__file__).read_text()))
    assert followed <= {guide.stem for guide in GUIDES.glob("*.rst")}
    assert not [guide.stem for guide in GUIDES.glob("*.rst") if guide.stem not in followed and re.search(r"code-block|literalinclude", guide.read_text())]


def test_the_guide_to_troubleshooting_names_every_symptom() -> None:
    guide = " ".join((GUIDES / "troubleshooting.rst").read_text().replace("``", "`").split())
    missing = [text for symptom in SYMPTOMS for text in (symptom.reason, symptom.remedy) if text not in guide]
    assert not missing
