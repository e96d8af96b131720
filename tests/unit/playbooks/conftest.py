"""Playbooks in front of modules that answer what they are told to."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import installed, warm
from tests.playing import Played

ROOT = Path(__file__).resolve().parents[3]
# Ansible runs it with the module's options, as JSON because of this word in it: WANT_JSON. It does not look at them, but keeps them.
MODULE = """#!/bin/sh
# WANT_JSON
cp "$1" "$ANSWERS/{name}.options"
cat "$ANSWERS/{name}.json"
echo {name} >> "$ANSWERS/asked"
"""
ANSWERING = (
    "model_catalog",
    "model_catalog_info",
    "model_registry_backup",
    "model_registry_backup_info",
    "model_registry_migrate",
    "model_registry_restore",
    "model_registry_info",
    "model_registries",
    "model_registry_permission",
    "model_registry",
    "model_registry_cluster_info",
)

Play = Callable[..., Played]


@pytest.fixture(scope="session")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with this collection, some of whose modules only answer."""
    folder = tmp_path_factory.mktemp("collections")
    collection = folder / "ansible_collections" / "modelops" / "openshift_ai"
    collection.mkdir(parents=True)
    for part in ("meta", "playbooks", "roles", "galaxy.yml"):
        (collection / part).symlink_to(ROOT / part)
    shutil.copytree(ROOT / "plugins", collection / "plugins", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ANSWERING:
        (collection / "plugins" / "modules" / f"{name}.py").write_text(MODULE.format(name=name))
    installed.link_kubernetes_core(folder / "ansible_collections")
    return folder


@pytest.fixture
def play(collections: Path, tmp_path: Path) -> Play:
    """Runs a playbook, with the answers of modules and variables."""

    def run(
        playbook: str,
        *options: str,
        variables: dict[str, Any] | None = None,
        hosts: dict[str, Any] | None = None,
        others: dict[str, dict[str, Any]] | None = None,
        **answers: dict[str, Any],
    ) -> Played:
        for name, answer in answers.items():
            (tmp_path / f"{name}.json").write_text(json.dumps({"changed": False, **answer}))
        says = {host: {} if options is None else {"model_registry_cluster": options} for host, options in (hosts or {"east": None}).items()}
        (tmp_path / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": says | (others or {})}}))
        (tmp_path / "asked").unlink(missing_ok=True)
        variables_of_ansible = {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "1", "HOME": str(collections)}
        environment = warm.shell(installed.environment() | variables_of_ansible | {"ANSWERS": str(tmp_path)})
        command = ["ansible-playbook", "-i", "inventory.yml", playbook if "." in playbook else f"modelops.openshift_ai.{playbook}", *options]
        command += ["-e", json.dumps(variables or {})]
        done = subprocess.run(command, cwd=tmp_path, env=environment, text=True, capture_output=True, check=False, timeout=300)
        return Played(done.returncode, done.stdout + done.stderr)

    return run
