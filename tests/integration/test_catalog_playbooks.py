"""The model catalog with the playbooks, as an account with the permissions of rbac/converge.yml and rbac/catalog.yml and no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.layout import Layout
from tests.helpers import Cluster, account_with, converging_roles, roles_of, until
from tests.playing import Played, Player

CONFIG_MAPS, USER = ("v1", "configmaps"), "model-catalog-sources"
MODELS = "models:\n  - name: org/one\n  - name: org/two\n"
LISTS = {
    "model_catalog_sources": [
        {"name": "Fraud models", "content": MODELS, "included": ["*/o*"], "labels": ["Own"]},
        {"id": "other_models", "enabled": False},
    ],
    "model_catalog_labels": [{"name": "Own", "display_name": "Our own"}],
}


@pytest.fixture(scope="module")
def player(layout: Layout, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    """A folder with an inventory of one cluster; the catalog is as before afterwards."""
    before = until(lambda: cluster.get(*CONFIG_MAPS, USER))["data"]
    with account_with(cluster, "catalog-playbooks", [*converging_roles(), *roles_of("catalog.yml")]) as token:
        made = Player(layout, token, tmp_path_factory.mktemp("catalog"))
        east = {"model_registry_cluster": {"kubeconfig": made.kubeconfig()}}
        (made.folder / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": {"east": east}}}))
        # Of other tests' registries nothing is said.
        (made.folder / "lists.json").write_text(json.dumps({"model_registries_list": [], "model_registries_result_file": "result.json"}))
        try:
            yield made
        finally:
            cluster.merge(*CONFIG_MAPS, USER, {"data": {**dict.fromkeys(cluster.get(*CONFIG_MAPS, USER)["data"]), **before}})


def play(player: Player, playbook: str, *arguments: str, **variables: Any) -> Played:
    given = ("-e", json.dumps(variables)) if variables else ()
    certificate = str(player.layout.path("pki", "ingress-ca.crt"))
    return player.run(f"ansible-playbook -i inventory.yml modelops.openshift_ai.{playbook}", *arguments, *given, SSL_CERT_FILE=certificate)


def results(folder: Path) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return made


def test_the_playbooks_predict_reconcile_find_drift_and_export_what_changes_nothing(player: Player, cluster: Cluster) -> None:
    """Nine runs of Ansible, each of which takes 2 s, and three waits for the server."""

    def data() -> dict[str, str]:
        found: dict[str, str] = cluster.get(*CONFIG_MAPS, USER)["data"]
        return found

    before, lists = data(), ("-e", "@lists.json")
    predicted = play(player, "converge", "--check", *lists, **LISTS)
    assert predicted.code == 0, predicted.output
    assert f"east: model catalog: ConfigMap {USER} would be changed" in str(predicted.summaries[1])
    assert (data(), results(player.folder)["clusters"]["east"]["catalog"]["status"]) == (before, "changed")

    checked = play(player, "check", *lists, **LISTS)
    assert checked.code and results(player.folder)["clusters"]["east"]["catalog"]["status"] == "findings", checked.output
    assert data() == before

    done = play(player, "converge", *lists, **LISTS)
    assert (done.code, done.changed) == (0, 1), done.output
    outcome = results(player.folder)["clusters"]["east"]
    # The product's server now and then forgets the status of a new source, and shows its models all the same.
    assert outcome["catalog"]["results"]["model_catalog_result"]["sources"][0]["status"] in ("available", *([None] if player.layout.catalog_server else []))
    assert data()["fraud_models.yaml"] == MODELS and "Our own" in data()["sources.yaml"]

    again = play(player, "catalog", **LISTS)
    assert (again.code, again.changed, again.summary) == (0, 0, "east: model catalog: no change"), again.output
    checked = play(player, "check", *lists, **LISTS)
    assert results(player.folder)["clusters"]["east"]["catalog"]["status"] == "ok", checked.output

    exported = play(player, "export", model_catalog_included=True, model_registries_export_folder="exported", model_registries_export_empty=True)
    assert exported.code == 0, exported.output
    written = player.folder / "exported" / "host_vars" / "east" / "model_catalog.yml"
    listed = yaml.load(written.read_text().replace("!unsafe", ""), yaml.SafeLoader)
    assert [source["id"] for source in listed["model_catalog_sources"]] == ["fraud_models", "other_models"]
    same = play(player, "catalog", "-e", f"@{written}", model_catalog_purge=True)
    assert (same.code, same.changed) == (0, 0), same.output

    cluster.merge(*CONFIG_MAPS, USER, {"data": {"sources.yaml": data()["sources.yaml"].replace("*/o*", "*/t*")}})
    drifted = play(player, "check", *lists, **LISTS)
    assert drifted.code and "sources[fraud_models].included" in str(drifted.summaries), drifted.output
    page = player.folder / "page.html"
    told = play(player, "report", model_catalog_included=True, model_registry_report_file=str(page))
    assert told.code == 0 and "fraud_models" in page.read_text() and "Model catalog" in page.read_text(), told.output

    gone = play(player, "catalog", "-e", json.dumps({"model_catalog_sources": [{"id": "fraud_models", "state": "absent"}]}))
    assert (gone.code, gone.changed) == (0, 1), gone.output
    assert "fraud_models.yaml" not in data() and "other_models" in data()["sources.yaml"]


def test_an_account_without_the_permissions_fails_with_the_reason(layout: Layout, cluster: Cluster, tmp_path: Path) -> None:
    with account_with(cluster, "catalog-nobody", roles_of("cluster.yml")) as token:
        player = Player(layout, token, tmp_path)
        (tmp_path / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": {"east": {"model_registry_cluster": {"kubeconfig": player.kubeconfig()}}}}}))
        failed = play(player, "catalog", **LISTS, model_registries_result_file="result.json")
    assert failed.code and failed.summary.startswith("east: FAILED: ") and "configmaps" in failed.summary, failed.output
    assert results(tmp_path)["clusters"]["east"]["status"] == "failed"
