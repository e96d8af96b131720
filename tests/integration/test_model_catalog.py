"""The model catalog on the sandbox, whose operator makes its ConfigMaps as the product does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from tests.helpers import Cluster, Run, Runner, Task, account_with, roles_of, until

INFO = "modelops.openshift_ai.model_catalog_info"
CONFIG_MAPS, SECRETS = ("v1", "configmaps"), ("v1", "secrets")
USER, LABELLED = "model-catalog-sources", "catalog-of-another-team"
MODELS = "models:\n  - name: org/one\n  - name: org/two\n"
# As the dashboard writes it.
CLICKED = """\
catalogs:
    - enabled: true
      id: fraud_models
      includedModels:
        - org/o*
      name: Fraud models
      properties:
        yamlCatalogPath: fraud_models.yaml
      type: yaml
"""
THEIRS = "catalogs: [{id: theirs, name: Theirs, type: hf, properties: {allowedOrganization: ibm-granite}}]\nlabels: [{name: Theirs}]\n"


@pytest.fixture(scope="module")
def filled(cluster: Cluster) -> Iterator[None]:
    """Sources of the dashboard and of another team, and a token that no source uses."""
    before = until(lambda: cluster.get(*CONFIG_MAPS, USER))["data"]
    cluster.merge(*CONFIG_MAPS, USER, {"data": {"sources.yaml": CLICKED, "fraud_models.yaml": MODELS}})
    labelled = {"metadata": {"name": LABELLED, "labels": {"opendatahub.io/catalog-source": "true"}}, "data": {"sources.yaml": THEIRS}}
    cluster.create(*CONFIG_MAPS, labelled)
    secret = {"metadata": {"name": "catalog-gone-apikey", "labels": {"app.kubernetes.io/component": "model-catalog"}}, "stringData": {"apiKey": "hf_leftover"}}
    cluster.create(*SECRETS, secret)
    try:
        yield
    finally:
        cluster.delete(*SECRETS, "catalog-gone-apikey")
        cluster.delete(*CONFIG_MAPS, LABELLED)
        cluster.merge(*CONFIG_MAPS, USER, {"data": {"fraud_models.yaml": None, **before}})


def info(runner: Runner, **options: Any) -> Run:
    [run] = runner.sequence([Task(options, INFO)])
    assert not run.failed, run.output
    assert run.writes == []
    return run


@pytest.mark.usefixtures("filled")
def test_all_sources_are_told_as_the_server_merges_them(administrator: Runner) -> None:
    run = info(administrator, include=["content"])
    sources = {source["id"]: source for source in run.result["sources"]}
    assert sources.keys() >= {"fraud_models", "theirs", "redhat_ai_models"}
    fraud = sources["fraud_models"]
    assert (fraud["content"], fraud["included"], fraud["status"]["entries"], fraud["status"]["shown"]) == (MODELS, ["org/o*"], 2, 1)
    assert fraud["status"]["origins"]["name"] == USER
    assert sources["redhat_ai_models"]["status"]["is_default"]
    assert sources["theirs"]["status"]["origins"]["organization"] == LABELLED
    assert [label["name"] for label in run.result["labels"]] == ["Theirs"]
    assert run.result["unused_secrets"] == ["catalog-gone-apikey"]
    assert run.result["config_maps"] == ["default-catalog-sources", USER, "mcp-catalog-sources", "agent-catalog-sources", LABELLED]
    assert run.result["version"] == "3.5"
    assert "hf_leftover" not in run.output
    # Of the catalog itself, six; the rest is for Secrets.
    assert len([request for request in run.reads if "/secrets" not in request.path]) <= 6


@pytest.mark.usefixtures("filled")
def test_an_account_that_may_only_read_the_config_maps_gets_what_they_tell(layout: Layout, cluster: Cluster, tmp_path: Path) -> None:
    with account_with(cluster, "catalog-reader", roles_of("catalog.yml")) as token:
        run = info(Runner(layout, token, tmp_path), namespace=REGISTRIES_NAMESPACE)
    assert {source["id"] for source in run.result["sources"]} >= {"fraud_models", "redhat_ai_models"}
    assert run.result["unused_secrets"] is None
    assert len([warning for warning in run.warnings if "could not be determined" in warning]) == 2, run.warnings


def test_a_file_that_takes_the_catalog_down_is_a_finding_and_a_warning(administrator: Runner, cluster: Cluster) -> None:
    name = "catalog-of-nobody"
    labelled = {"metadata": {"name": name, "labels": {"opendatahub.io/catalog-source": "true"}}, "data": {"sources.yaml": "catalogs: [{id: x, name: yes}]"}}
    cluster.create(*CONFIG_MAPS, labelled)
    try:
        run = info(administrator)
    finally:
        cluster.delete(*CONFIG_MAPS, name)
    assert [(finding["config_map"], finding["effect"], finding["path"]) for finding in run.result["findings"]] == [(name, "catalog", "catalogs[0].name")]
    assert any(name in warning and "unavailable" in warning for warning in run.warnings)


def test_a_namespace_without_a_catalog_is_named(administrator: Runner) -> None:
    [run] = administrator.sequence([Task({"namespace": "default"}, INFO)])
    assert run.failed
    assert "default" in run.result["msg"]
