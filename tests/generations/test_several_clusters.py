"""One play on two clusters that know nothing of each other."""

from __future__ import annotations

import json
import re
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import closing
from sandbox import controlplane, databases
from sandbox.layout import Layout
from sandbox.server import filler
from tests.fleet import remove
from tests.guides import Reader
from tests.helpers import REGISTRIES, Cluster, Runner, automation_token, until
from tests.integration.test_backup import external
from tests.integration.test_migrate import Client, answers, open_again
from tests.integration.test_tables import opened

from .conftest import Sandbox, folder_for, sandbox_of_a_copy

NAMES = ("fraud", "credit")


@pytest.fixture(scope="module")
def clusters() -> Iterator[dict[str, Sandbox]]:
    """Two clusters with the databases that the guide names. It takes more than 20 s: two sandboxes are started."""
    with (
        sandbox_of_a_copy(folder_for("east"), "3.x", "openshift") as east,
        sandbox_of_a_copy(folder_for("west"), "3.x", "openshift") as west,
    ):
        named = {"east": east, "west": west}
        for sandbox in named.values():
            databases.create_databases(sandbox.layout, "mysql", [f"{name}_models" for name in NAMES])
        yield named


@pytest.fixture
def reader(clusters: dict[str, Sandbox], tmp_path: Path) -> Iterator[Reader]:
    """One whose kubeconfig has both clusters, each under its name."""
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(_together({name: (sandbox.layout, automation_token(sandbox.cluster)) for name, sandbox in clusters.items()})))
    yield Reader(clusters["east"].layout, tmp_path, variables={"K8S_AUTH_KUBECONFIG": str(path), "NO_PROXY": "*", "no_proxy": "*"})
    for sandbox in clusters.values():
        for name in NAMES:
            remove(sandbox.cluster, f"{name}-models")


def test_the_guide_to_a_fleet(reader: Reader, clusters: dict[str, Sandbox]) -> None:
    """It takes more than 20 s: the guide runs its playbooks on two clusters."""
    reader.follow("fleet")
    for name, sandbox in clusters.items():
        assert _registries(sandbox.cluster) == {"fraud-models"}
        exported = (reader.folder / "exported" / "host_vars" / name / "model_registries.yml").read_text()
        assert "name: fraud-models\n" in exported and databases.REGISTRY.password not in exported
    page = (reader.folder / "registries.html").read_text()
    assert ">east<" in page and ">west<" in page


def test_a_cluster_that_is_down_does_not_stop_the_other(reader: Reader, clusters: dict[str, Sandbox]) -> None:
    reader.write_files("fleet")
    config = json.loads((reader.folder / "kubeconfig").read_text())
    [down] = [entry for entry in config["clusters"] if entry["name"] == "east"]
    down["cluster"]["server"] = "https://127.0.0.1:9"
    (reader.folder / "kubeconfig").write_text(json.dumps(config))
    assert reader.run("ansible-playbook -i inventory.yml modelops.openshift_ai.converge"), reader.output
    # Its address is known before the first request only where an earlier run has left behind what this API server offers.
    assert re.search(r"east: FAILED: .*the API server( https://127\.0\.0\.1:9)? did not respond: .*host='127\.0\.0\.1', port=9", reader.output), reader.output
    assert "2 registries: 0 unchanged, 2 changed" in reader.output
    assert _registries(clusters["west"].cluster) == {"fraud-models", "credit-models"}
    assert _registries(clusters["east"].cluster) == set()


def test_a_registry_moves_to_another_cluster_with_all_it_has(reader: Reader, clusters: dict[str, Sandbox]) -> None:
    """As the guide to restores says. A closed registry is backed up, and recovered with the database of the other cluster.

    It takes more than 20 s: two playbooks, and a registry on each cluster.
    """
    layouts = {name: sandbox.layout for name, sandbox in clusters.items()}
    config = _together({name: (layout, controlplane.ADMIN_TOKEN) for name, layout in layouts.items()})
    (reader.folder / "kubeconfig").write_text(json.dumps(config))
    reader.write_files("fleet")
    for layout in layouts.values():
        databases.drop_database(layout, "postgresql", "fraud_models")
        databases.create_databases(layout, "postgresql", ["fraud_models"])
    here = Runner(layouts["east"], controlplane.ADMIN_TOKEN, reader.folder)
    made = here(name="fraud-models", database=external(layouts["east"], "postgresql", "fraud_models"))
    assert not made.failed, made.output
    old, new = (Client(layouts[name], "fraud-models") for name in ("east", "west"))
    until(lambda: answers(old))
    filler.fill(old)
    before = dict(filler.reads(old))
    with opened(layouts["east"], "postgresql", "fraud_models") as (connection, engine):
        source = closing.Source(connection, engine)
        source.hold(5)
        source.close(connection)
    try:
        reader.variables["MODEL_REGISTRY_DATABASE_PASSWORD"] = databases.REGISTRY.password
        playbook = "ansible-playbook -i inventory.yml modelops.openshift_ai."
        backup = "backup -e model_registries_clusters=east -e model_registry_name=fraud-models -e model_registry_backup_folder=$PWD/backups"
        assert reader.run(f"mkdir backups; {playbook}{backup}") == 0, reader.output
        recover = f"recover -e model_registries_clusters=west -e model_registry_database_host={databases.address(layouts['west'], 'postgresql')}"
        assert reader.run(f'{playbook}{recover} -e model_registry_restore_file="$(ls $PWD/backups/*.zip)"') == 0, reader.output
        until(lambda: answers(new))
        assert dict(filler.reads(new)) == before == dict(filler.reads(old))
        assert clusters["west"].cluster.registry("fraud-models")["spec"]["postgres"]["host"] == databases.address(layouts["west"], "postgresql")
        with pytest.raises(urllib.error.HTTPError):
            old("POST", "registered_models", {"name": "next"})
        highest = max(int(answer["id"]) for path, answer in before.items() if path.count("/") == 1 and not path.startswith(("artifacts", "model_artifacts")))
        assert int(new("POST", "registered_models", {"name": "next"})["id"]) == highest + 1
    finally:
        open_again(layouts["east"], "postgresql", "fraud_models")


def _registries(cluster: Cluster) -> set[str]:
    return {registry["metadata"]["name"] for registry in cluster.items(*REGISTRIES)}


def _together(accounts: dict[str, tuple[Layout, str]]) -> dict[str, object]:
    """A kubeconfig with a context for each cluster."""
    parts: dict[str, list[dict[str, object]]] = {"clusters": [], "users": [], "contexts": []}
    for name, (layout, token) in accounts.items():
        single = controlplane.kubeconfig(layout, {"token": token})
        parts["clusters"].append({**single["clusters"][0], "name": name})
        parts["users"].append({**single["users"][0], "name": name})
        parts["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    return {"apiVersion": "v1", "kind": "Config", **parts}
