"""Sandboxes of their own, in copies of this checkout: beside the one of the checkout and whatever that runs."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from sandbox import databases, processes
from sandbox.layout import MARKER, ROOT, Layout
from tests import helpers
from tests.helpers import Cluster, Runner

OLDEST = "2.21"
# They say which sandbox a process belongs to, and which programs it runs in place of ours.
VARIABLES = (MARKER, "SANDBOX_OPERATOR", "SANDBOX_REGISTRY_SERVER", "SANDBOX_CATALOG_SERVER")


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox of the copy of the checkout in this folder."""

    folder: Path
    # Whether it runs the programs of the product where the environment names them.
    is_real: bool = False

    @property
    def layout(self) -> Layout:
        """It as it is now: an upgrade changes it."""
        return Layout.load(self.folder / ".sandbox")

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.layout)

    def command(self, *arguments: str) -> None:
        """Run the copy's `python -m sandbox`."""
        command = [sys.executable, "-m", "sandbox", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment((MARKER,) if self.is_real else VARIABLES), text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def pytest(self, printed: IO[bytes], *files: str) -> bool:
        """Run tests of the copy on it; whether they passed. What they print goes to a file."""
        command = [sys.executable, "-m", "pytest", "-q", "--durations=5", *files]
        done = subprocess.run(command, cwd=self.folder, env=self._environment((MARKER,)), stdout=printed, stderr=subprocess.STDOUT, check=False)
        return done.returncode == 0

    def _environment(self, without: Sequence[str]) -> dict[str, str]:
        """The variables of this process but for some, with the modules of the copy in place of those of the checkout."""
        environment = {name: value for name, value in os.environ.items() if name not in without}
        others = [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry and Path(entry).resolve() != ROOT]
        return environment | {"PYTHONPATH": os.pathsep.join([str(self.folder), *others])}

    def runner(self, folder: Path) -> Runner:
        """Runs the module against it, as the automation's account."""
        return Runner(self.layout, helpers.automation_token(self.cluster), folder)

    def mysql(self, database: str) -> dict[str, Any]:
        """Options for an empty database of MariaDB, which every generation can use, without a CA. The database is made."""
        databases.create_databases(self.layout, databases.MARIADB, [database])
        login = {"username": databases.REGISTRY.name, "password": databases.REGISTRY.password}
        return {"type": "mysql", "host": databases.SERVICES[databases.MARIADB], "namespace": "data", "name": database, **login}


def folder_for(name: str) -> Path:
    """A folder that is the same at every run: so the logs stay until the next one, and that ends what a killed run left behind."""
    return Path(tempfile.gettempdir(), "modelops-generations-" + hashlib.sha256(str(ROOT).encode()).hexdigest()[:10], name).resolve()


@contextmanager
def sandbox_of_a_copy(folder: Path, product: str, platform: str, is_real: bool = False) -> Iterator[Sandbox]:
    """A sandbox of this checkout as it is now, committed or not, copied to this folder; what is there already is ended and removed.

    With `is_real` it runs the programs of the product where the environment names them.
    """
    _remove(folder)
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True, capture_output=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    sandbox = Sandbox(folder, is_real)
    try:
        sandbox.command("up", "--product", product, "--platform", platform)
        yield sandbox
    finally:
        sandbox.command("down")


def _remove(folder: Path) -> None:
    state = folder / ".sandbox"
    processes.stop_all(state)
    for made in (*Layout.folders(state), folder):
        shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def openshift() -> Iterator[Sandbox]:
    """The oldest product on OpenShift; it is upgraded in the course of the tests."""
    with sandbox_of_a_copy(folder_for("openshift"), OLDEST, "openshift") as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def kubernetes() -> Iterator[Sandbox]:
    """The product of today on plain Kubernetes."""
    with sandbox_of_a_copy(folder_for("kubernetes"), "3.x", "kubernetes") as sandbox:
        yield sandbox


def pods_of(cluster: Cluster, registry: str) -> list[str]:
    """The pods of a registry, by what nothing but a restart changes."""
    pods = cluster.items("v1", "pods", labelSelector=f"app={registry},component=model-registry")
    return sorted(pod["metadata"]["uid"] for pod in pods if "deletionTimestamp" not in pod["metadata"])
