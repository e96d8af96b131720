"""What the integration tests share: the running sandbox, and the module run as the account of rbac/converge.yml and its optional parts."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import controlplane, databases, faults, processes, toolchain
from sandbox.kube import ApiError
from sandbox.layout import ROOT, Layout
from tests import helpers
from tests.fleet import remove
from tests.helpers import Cluster, Run, Runner
from tests.playing import Player

# Each server that speaks MySQL's protocol, and each server. Without MySQL, MariaDB is behind both of the first.
MYSQL_SERVERS = ["mysql", databases.MARIADB]
SERVERS = [*databases.KINDS, databases.MARIADB]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a program that this machine, or the sandbox, does not have; tests/run.py says so."""
    if config.option.collectonly:
        return
    layout = Layout.load(ROOT / ".sandbox")
    lacking = [marker for marker, program in (("needs_mysql", layout.mysql), ("needs_registry_server", layout.registry_server)) if not program]
    marked = {marker.name for item in items for marker in item.iter_markers()}
    lacking += [marker for marker, program in (("needs_java", toolchain.java), ("needs_promtool", toolchain.promtool)) if marker in marked and not program()]
    left_out = [item for item in items if any(map(item.get_closest_marker, lacking))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def layout() -> Iterator[Layout]:
    """The running sandbox of this checkout, without faults before and after."""
    layout = Layout.load(ROOT / ".sandbox")
    faults.clear(layout)
    yield layout
    faults.clear(layout)


@pytest.fixture(scope="session")
def cluster(layout: Layout) -> Cluster:
    return Cluster(layout)


@pytest.fixture(scope="session")
def automation_token(cluster: Cluster) -> str:
    """A token of a service account that has the rights of rbac/converge.yml and of its optional parts, and no others."""
    return helpers.automation_token(cluster)


@pytest.fixture
def model_registry(layout: Layout, automation_token: str, tmp_path: Path) -> Runner:
    return Runner(layout, automation_token, tmp_path)


@pytest.fixture(scope="session")
def automation(layout: Layout, automation_token: str, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Runs modules as the automation's account, for tests that share what they ran."""
    return Runner(layout, automation_token, tmp_path_factory.mktemp("automation"))


@pytest.fixture(scope="session")
def administrator(layout: Layout, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Runs modules as somebody who may do everything."""
    return Runner(layout, controlplane.ADMIN_TOKEN, tmp_path_factory.mktemp("administrator"))


@pytest.fixture
def database(layout: Layout) -> Iterator[str]:
    """An empty MySQL database for one test."""
    name = f"test_{uuid.uuid4().hex[:10]}"
    databases.create_databases(layout, "mysql", [name])
    yield name
    databases.drop_database(layout, "mysql", name)


@pytest.fixture
def name(cluster: Cluster) -> Iterator[str]:
    """A registry's name; whatever the test made under it is removed afterwards."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    yield name
    cluster.delete("modelregistry.opendatahub.io/v1beta1", "modelregistries", name)
    for secret in cluster.items("v1", "secrets"):
        if secret["metadata"]["name"].startswith(f"{name}-db-"):
            cluster.delete("v1", "secrets", secret["metadata"]["name"])


@pytest.fixture
def without_pods(layout: Layout) -> Iterator[None]:
    """No pod gets a node: for many registries that nobody waits for. The operator makes all that it makes, but to run their servers is half the work."""
    with processes.paused(layout, "kube-scheduler"):
        yield


@pytest.fixture
def mysql(database: str) -> dict[str, Any]:
    """Options for a database that the registry server can use, over TLS."""
    return {
        "type": "mysql",
        "host": "mysql",
        "namespace": "data",
        "name": database,
        "username": databases.REGISTRY.name,
        "password": databases.REGISTRY.password,
        "ca": {"source": "cluster"},
    }


# The registries of the examples, and of the databases that they name.
OF_EXAMPLES = ("fraud", "credit")


@pytest.fixture(scope="module")
def examples_databases(layout: Layout) -> Iterator[None]:
    """The databases that the examples name."""
    named = [f"{name}_models" for name in OF_EXAMPLES]
    for kind in databases.KINDS:
        databases.create_databases(layout, kind, named)
    yield
    for kind in databases.KINDS:
        for name in named:
            databases.drop_database(layout, kind, name)
    # One of them is among those that every sandbox has.
    databases.provision(layout)


@pytest.fixture
def example(layout: Layout, cluster: Cluster, automation_token: str, tmp_path: Path, examples_databases: None) -> Iterator[Callable[[str], Player]]:
    """Makes a copy of an example's folder to run its commands in; the registries that it makes are gone afterwards."""

    def copied(name: str) -> Player:
        folder = tmp_path / name
        shutil.copytree(ROOT / "examples" / name, folder)
        player = Player(layout, automation_token, folder)
        player.kubeconfig()
        return player

    yield copied
    for name in OF_EXAMPLES:
        remove(cluster, f"{name}-models")


__all__ = ["ApiError", "Cluster", "Run", "Runner"]
