"""The model catalog on the sandbox, whose operator makes its ConfigMaps as the product does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.layout import APPS_DOMAIN, REGISTRIES_NAMESPACE, Layout
from tests.dashboard import MCP_TAB, CatalogPage, SourceForm
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


@pytest.fixture(autouse=True)
def _trusted_ingress(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalog's server is behind the cluster's ingress."""
    monkeypatch.setenv("SSL_CERT_FILE", str(layout.path("pki", "ingress-ca.crt")))


@pytest.fixture
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


def known_to_the_server(run: Run, identity: str, may_forget: bool) -> Run | None:
    """The run, if the server has read this source. The product's server now and then forgets the status of a new one."""
    [found] = [source["status"]["server"] for source in run.result["sources"] if source["id"] == identity]
    return run if found and (may_forget or found["status"]) else None


@pytest.mark.usefixtures("filled")
def test_all_sources_are_told_as_the_server_merges_them(layout: Layout, administrator: Runner) -> None:
    may_forget = bool(layout.catalog_server)
    # The server reads a new file within some seconds.
    run = until(lambda: known_to_the_server(info(administrator, include=["content", "server"]), "theirs", may_forget))
    sources = {source["id"]: source for source in run.result["sources"]}
    assert sources.keys() >= {"fraud_models", "theirs", "redhat_ai_models"}
    fraud = sources["fraud_models"]
    assert (fraud["content"], fraud["included"], fraud["status"]["entries"], fraud["status"]["shown"]) == (MODELS, ["org/o*"], 2, 1)
    assert fraud["status"]["origins"]["name"] == USER
    assert sources["redhat_ai_models"]["status"]["is_default"]
    assert sources["theirs"]["status"]["origins"]["organization"] == LABELLED
    assert "Theirs" in [label.get("name") for label in run.result["labels"]]
    assert run.result["unused_secrets"] == ["catalog-gone-apikey"]
    assert run.result["config_maps"] == ["default-catalog-sources", USER, "mcp-catalog-sources", "agent-catalog-sources", LABELLED]
    assert run.result["version"] == "3.5"
    assert "hf_leftover" not in run.output
    assert run.result["server"] == f"https://model-catalog.{APPS_DOMAIN}", run.warnings
    assert sources["theirs"]["status"]["server"]["status"] in ("error", *([None] if may_forget else []))
    # Of the catalog itself, six, and two to find its server; the rest is for Secrets.
    assert len([request for request in run.reads if "/secrets" not in request.path]) <= 8


@pytest.mark.usefixtures("filled")
def test_an_account_that_may_only_read_the_config_maps_gets_what_they_tell(layout: Layout, cluster: Cluster, tmp_path: Path) -> None:
    with account_with(cluster, "catalog-reader", roles_of("catalog.yml")) as token:
        run = info(Runner(layout, token, tmp_path), namespace=REGISTRIES_NAMESPACE)
    assert {source["id"] for source in run.result["sources"]} >= {"fraud_models", "redhat_ai_models"}
    assert run.result["unused_secrets"] is None
    assert run.result["server"] is None
    # The Secrets, and the address of the server.
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


# model_catalog

CATALOG = "modelops.openshift_ai.model_catalog"
MCP = "mcp-catalog-sources"


@pytest.fixture
def writer(layout: Layout, cluster: Cluster, tmp_path: Path) -> Iterator[Runner]:
    """Runs modules as an account with the rights of rbac/catalog.yml and no others; what it has changed is as before afterwards."""
    names = (USER, MCP, "agent-catalog-sources")
    before = {name: until(lambda name=name: cluster.get(*CONFIG_MAPS, name))["data"] for name in names}  # type: ignore[misc]
    with account_with(cluster, "catalog-writer", roles_of("catalog.yml")) as token:
        try:
            yield Runner(layout, token, tmp_path)
        finally:
            for name, data in before.items():
                present = cluster.get(*CONFIG_MAPS, name)["data"]
                cluster.merge(*CONFIG_MAPS, name, {"data": {**dict.fromkeys(present), **data}})


def task(*sources: dict[str, Any], check: bool = False, **options: Any) -> Task:
    """A task that does not wait for the server unless it is told to."""
    return Task({"namespace": REGISTRIES_NAMESPACE, "sources": list(sources), "wait": False, **options}, CATALOG, check=check, diff=True)


def catalog(runner: Runner, *sources: dict[str, Any], **options: Any) -> Run:
    [run] = runner.sequence([task(*sources, **options)])
    return run


def data_of(cluster: Cluster, name: str = USER) -> dict[str, str]:
    data: dict[str, str] = cluster.get(*CONFIG_MAPS, name)["data"]
    return data


def test_sources_are_predicted_written_once_and_then_left_alone(writer: Runner, cluster: Cluster, tmp_path: Path) -> None:
    cluster.merge(*CONFIG_MAPS, USER, {"data": {"sources.yaml": f"# ours\n{CLICKED}", "fraud_models.yaml": MODELS}})
    file = tmp_path / "credit.yaml"
    file.write_text("models:\n  - name: org/credit # a comment\n")
    sources = [
        {"id": "fraud_models", "enabled": False},
        {"name": "Credit models", "path": str(file), "labels": ["yes"]},
        {"id": "redhat_ai_models", "included": ["*granite*"]},
        {"name": "Servers", "kind": "mcp", "entries": [{"name": "server", "version": "1.0"}]},
    ]
    read = Task({"namespace": REGISTRIES_NAMESPACE, "include": ["content"]}, INFO)
    predicted, done, again, exported = writer.sequence([task(*sources, check=True), task(*sources), task(*sources), read])
    for run in (predicted, done, again, exported):
        assert not run.failed, run.output
    assert predicted.writes == []
    assert [change["name"] for change in done.result["changes"]] == [USER, MCP]
    assert (predicted.result["changes"], predicted.result["diff"]) == (done.result["changes"], done.result["diff"])
    assert (again.result["changed"], again.writes) == (False, [])
    assert len(again.reads) <= 6, again.reads
    data = data_of(cluster)
    assert data["credit_models.yaml"] == file.read_text()
    assert data["sources.yaml"].startswith("# ours\n" + CLICKED.replace("enabled: true", "enabled: false"))
    converged = catalog(writer, *exported.result["sources"], labels=exported.result["labels"], named_queries=exported.result["named_queries"])
    assert not converged.failed, converged.output
    assert converged.result["changes"] == []


def test_nothing_is_written_that_would_take_the_catalog_down(writer: Runner, cluster: Cluster) -> None:
    before = data_of(cluster)
    run = catalog(writer, {"name": "One", "content": "models: [{name: yes}]"}, {"name": "Two", "content": "models: [{name: m, artifacts: [null]}]"})
    assert run.failed
    assert [problem["option"] for problem in run.result["problems"]] == ["sources[0].content: models[0].name", "sources[1].content: models[0].artifacts[0]"]
    assert run.writes == []
    assert data_of(cluster) == before


def test_a_source_that_is_not_listed_goes_with_its_data(writer: Runner, cluster: Cluster) -> None:
    cluster.merge(*CONFIG_MAPS, USER, {"data": {"sources.yaml": CLICKED, "fraud_models.yaml": MODELS}})
    run = catalog(writer, {"id": "redhat_ai_models", "enabled": True}, purge=True)
    assert not run.failed, run.output
    assert data_of(cluster) == {"sources.yaml": "catalogs: []\n"}


def test_a_right_that_is_missing_is_named_before_anything_is_written(writer: Runner) -> None:
    run = catalog(writer, {"name": "Granite", "organization": "ibm-granite", "token": "hf_verysecret"})
    assert run.failed
    assert "create secrets" in run.result["msg"]
    assert run.writes == []
    assert "hf_verysecret" not in run.output


def test_a_token_is_stored_and_goes_with_its_source(administrator: Runner, writer: Runner, cluster: Cluster) -> None:
    source = {"name": "Granite", "organization": "ibm-granite"}
    with_token = task({**source, "token": "hf_verysecret"})
    made, again = administrator.sequence([with_token, with_token])
    assert not made.failed, made.output
    assert made.changes == [("create", "Secret"), ("update", "ConfigMap")]
    assert again.changes == []
    assert cluster.get(*SECRETS, "catalog-granite-apikey")["metadata"]["labels"] == {"app.kubernetes.io/component": "model-catalog"}
    gone = catalog(administrator, {"id": "granite", "state": "absent"})
    assert gone.changes == [("update", "ConfigMap"), ("delete", "Secret")], gone.output
    assert not any("hf_verysecret" in run.output for run in (made, again, gone))


def test_a_store_of_our_own_is_a_labelled_config_map(administrator: Runner, writer: Runner, cluster: Cluster) -> None:
    before = data_of(cluster)
    source = {"name": "Own models", "content": MODELS}
    own = task(source, store="own", labels=[{"name": "Own", "display_name": "Our own"}])
    try:
        made, again = administrator.sequence([own, own])
        assert not made.failed, made.output
        assert made.changes == [("create", "ConfigMap")]
        assert again.changes == []
        assert cluster.get(*CONFIG_MAPS, "modelops-catalog")["metadata"]["labels"] == {"opendatahub.io/catalog-source": "true"}
        assert data_of(cluster) == before
    finally:
        cluster.delete(*CONFIG_MAPS, "modelops-catalog")


# The server

SOURCE = {"name": "Fraud models", "content": MODELS, "included": ["*/o*"]}


@pytest.fixture
def waiting(layout: Layout, cluster: Cluster, writer: Runner, tmp_path: Path) -> Iterator[Runner]:
    """As `writer`, and its account may also find the server."""
    with account_with(cluster, "catalog-waiting", [*roles_of("catalog.yml"), *roles_of("cluster.yml")]) as token:
        yield Runner(layout, token, tmp_path)


def test_it_waits_until_the_server_shows_the_models(layout: Layout, waiting: Runner) -> None:
    # The real server of a pod that has just replaced another one waits for the lock that the other one had.
    options = {"wait": True, "wait_timeout": 200}
    made, again = waiting.sequence([task(SOURCE, **options), task(SOURCE, **options)])
    assert not made.failed, made.output
    status = made.result["sources"][0]["status"]
    assert made.result["sources"] == [{"id": "fraud_models", "kind": "model", "status": status, "error": None}]
    # The product's server now and then forgets the status of a new source, and shows its models all the same.
    is_forgotten = bool(layout.catalog_server) and status is None
    assert status == "available" or is_forgotten
    assert (again.result["changed"], again.result["sources"][0]["status"]) == (False, None)
    [source] = [source for source in info(waiting, namespace=REGISTRIES_NAMESPACE).result["sources"] if source["id"] == "fraud_models"]
    assert is_forgotten or source["status"]["server"] == {"status": "available", "error": None, "entries": 1}
    changed = catalog(waiting, {**SOURCE, "content": MODELS.replace("org/o", "org/other-")}, **options)
    assert not changed.failed, changed.output
    gone = catalog(waiting, {"id": "fraud_models", "state": "absent"}, **options)
    assert not gone.failed, gone.output
    assert [change["action"] for change in gone.result["changes"]] == ["update"]


def test_what_the_server_cannot_load_is_told_in_its_words(waiting: Runner) -> None:
    run = catalog(waiting, {"name": "Granite", "organization": "ibm-granite"}, wait=True, wait_timeout=200)
    assert run.failed
    assert "source 'granite' was written" in run.result["msg"] and "no models found: [ibm-granite/*]" in run.result["msg"]
    assert run.result["sources"][0]["status"] == "error"


def test_the_server_previews_sources_in_check_mode(waiting: Runner, cluster: Cluster) -> None:
    before = data_of(cluster)
    run = catalog(waiting, SOURCE, check=True, preview=True)
    assert not run.failed, run.output
    assert run.result["sources"][0]["preview"] == {"entries": 2, "shown": 1}
    assert data_of(cluster) == before


def test_what_takes_the_catalog_down_is_put_back(layout: Layout, cluster: Cluster, writer: Runner, tmp_path: Path) -> None:
    """The account may not see the ConfigMap of another team with the same label. A pod is seen not to be ready after three probes, which takes 15 s."""
    labelled = {"metadata": {"name": LABELLED, "labels": {"opendatahub.io/catalog-source": "true"}}, "data": {"sources.yaml": THEIRS}}
    roles = roles_of("catalog.yml")
    for rule in roles[0]["rules"]:
        if rule["resources"] == ["configmaps"] and "list" in rule["verbs"]:
            rule["verbs"] = ["create"]
    before = data_of(cluster)
    cluster.create(*CONFIG_MAPS, labelled)
    try:
        until(lambda: is_ready(cluster, LABELLED), 200)
        with account_with(cluster, "catalog-blind", [*roles, *roles_of("cluster.yml")]) as token:
            run = catalog(Runner(layout, token, tmp_path), labels=[{"name": "Theirs"}], wait=True, wait_timeout=120)
        assert run.failed
        assert "already exists from another origin" in run.result["msg"] and "The previous content was restored" in run.result["msg"], run.result["msg"]
        assert data_of(cluster) == before
        # The server takes the labels that are left for some that are there twice until it is restarted.
        assert ("restart", "Deployment") in run.changes
        until(lambda: is_ready(cluster, LABELLED), 200)
    finally:
        cluster.delete(*CONFIG_MAPS, LABELLED)


def test_labels_are_changed_and_removed_although_the_server_cannot_read_those_of_several_files_again(waiting: Runner, cluster: Cluster) -> None:
    """Those of the product are in another file. Two of the three waits are for a new pod of the server."""

    def labels(*listed: dict[str, str], **options: Any) -> Run:
        done = catalog(waiting, SOURCE, labels=list(listed), wait=True, wait_timeout=300, **options)
        assert not done.failed, done.output
        return done

    def restarted(run: Run) -> bool:
        return ("restart", "Deployment") in run.changes

    assert any("describe labels" in warning for warning in labels({"name": "Own"}).warnings)
    assert restarted(labels({"name": "Own", "display_name": "Our own"}))
    # The second run has nothing to do, although it lists them too.
    assert labels({"name": "Own", "display_name": "Our own"}).changes == []
    assert restarted(labels(purge=True))


def test_a_catalog_that_another_process_has_made_unavailable_is_a_finding(waiting: Runner, cluster: Cluster) -> None:
    """By a file that the server refuses, and by one that it only mistakes. It waits four times for the server, which takes half a minute."""

    def down() -> dict[str, Any] | None:
        found = info(waiting, namespace=REGISTRIES_NAMESPACE).result["findings"]
        return next((finding for finding in found if finding["effect"] == "catalog"), None)

    def label(**options: Any) -> Run:
        done = catalog(waiting, SOURCE, wait=True, wait_timeout=300, **options)
        assert not done.failed, done.output
        return done

    label(labels=[{"name": "Own"}])
    assert down() is None
    good = data_of(cluster)["sources.yaml"]
    cluster.merge(*CONFIG_MAPS, USER, {"data": {"sources.yaml": f"{good}\nbogus: 1\n"}})
    found = down()
    assert found is not None and (found["config_map"], found["path"]) == (USER, "bogus")
    cluster.merge(*CONFIG_MAPS, USER, {"data": {"sources.yaml": f"{good}\n# again\n"}})
    found = until(lambda: (finding := down()) and not finding["config_map"] and finding, 120)
    assert "Restart Deployment 'model-catalog'" in found["remedy"] and USER in found["remedy"]
    # The module can be told to do so by any change that it waits for.
    label(labels=[], purge=True)
    assert until(lambda: down() is None, 120)


def is_ready(cluster: Cluster, labelled: str) -> bool:
    """Whether the catalog's pod is ready, and has a labelled ConfigMap."""
    pods = [pod for pod in cluster.items("v1", "pods") if pod["metadata"].get("labels", {}).get("app.kubernetes.io/name") == "model-catalog"]
    return any(
        any(volume["name"] == f"labeled-{labelled}" for volume in pod["spec"]["volumes"])
        and any(condition["type"] == "Ready" and condition["status"] == "True" for condition in pod.get("status", {}).get("conditions") or [])
        for pod in pods
    )


# The settings page


def test_the_settings_page_and_the_module_change_the_same_sources_in_turn(waiting: Runner, cluster: Cluster) -> None:
    page = CatalogPage(cluster)
    identity = page.create(SourceForm("Fraud models", text=MODELS, included=("org/*",), enabled=True))
    described = {"name": "Fraud models", "content": MODELS, "included": ["org/*"], "enabled": True}
    edited = {**described, "included": ["org/other"], "labels": ["Fraud"]}
    adopted, changed = waiting.sequence([task(described), task(edited)])
    assert adopted.result["changes"] == [], adopted.output
    assert [change["fields"] for change in changed.result["changes"]] == [["sources[fraud_models].labels", "sources[fraud_models].included"]]
    page.edit(identity, enabled=False)
    back = catalog(waiting, edited)
    assert [change["fields"] for change in back.result["changes"]] == [["sources[fraud_models].enabled"]]
    page.edit("redhat_ai_models", enabled=False)
    [source] = [source for source in info(waiting, namespace=REGISTRIES_NAMESPACE).result["sources"] if source["id"] == "redhat_ai_models"]
    assert (source["enabled"], source["status"]["is_default"]) == (False, True)
    page.delete(identity)
    assert catalog(waiting, {"id": identity, "state": "absent"}).result["changes"] == []


def test_the_page_of_mcp_servers_and_the_module_change_the_same_sources_in_turn(waiting: Runner, cluster: Cluster) -> None:
    page, servers = CatalogPage(cluster, MCP_TAB), "mcp_servers:\n  - name: one\n"
    identity = page.create(SourceForm("Our servers", text=servers, included=("o*",), enabled=True))
    described = {"name": "Our servers", "kind": "mcp", "content": servers, "included": ["o*"], "enabled": True}
    adopted, changed = waiting.sequence([task(described), task({**described, "excluded": ["*two"], "enabled": False})])
    assert adopted.result["changes"] == [], adopted.output
    assert [change["fields"] for change in changed.result["changes"]] == [["sources[our_servers].enabled", "sources[our_servers].excluded"]]
    page.edit(identity, enabled=True, excludedServers=[])
    page.edit("community_mcp_servers", enabled=False)
    disabled = {"id": "community_mcp_servers", "kind": "mcp", "enabled": False}
    back, gone = waiting.sequence([task(described, disabled), task({"id": identity, "kind": "mcp", "state": "absent"})])
    assert back.result["changes"] == [], back.output
    assert [change["name"] for change in gone.result["changes"]] == [MCP]
    assert data_of(cluster, MCP).keys() == {"sources.yaml"}


def test_what_the_page_erases_is_told_before(waiting: Runner, cluster: Cluster) -> None:
    described = {"name": "Fraud models", "content": MODELS}
    labelled = catalog(waiting, described, labels=[{"name": "Fraud"}])
    assert any("'model-catalog-sources'" in warning and "labels" in warning and "removes" in warning for warning in labelled.warnings)
    CatalogPage(cluster).edit("fraud_models", enabled=False)
    assert "labels" not in data_of(cluster)["sources.yaml"]
    again = catalog(waiting, {**described, "enabled": False}, labels=[{"name": "Fraud"}])
    assert [change["fields"] for change in again.result["changes"]] == [["labels[Fraud]"]]
