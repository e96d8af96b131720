"""OpenShift AI 3.6, whose platform has another singleton and whose registry servers another version of their API, over 3.x with registries in it.

It follows `test_upgrade` on the same sandbox. Of registries its operator makes the same as the one of 3.x, so that not everything is tested again.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox import controlplane
from sandbox.generations import AI_HUB, COMPONENT, GENERATIONS
from sandbox.layout import OPERATOR_NAMESPACE, REGISTRIES_NAMESPACE
from tests.component import CLUSTER
from tests.dashboard import CLUSTER_WIDE, Dashboard, Form, database_of
from tests.helpers import Cluster, Right, Run, Runner, Task, account_with, automation_token, roles_of, shell, until, without
from tests.reading import INFO, auditor_token

from .conftest import Sandbox, pods_of

BEFORE, AFTER = GENERATIONS["3.x"], GENERATIONS["3.6"]
REGISTRIES = (AFTER.api_version, "modelregistries")
COMPONENT_MODULE, REGISTRIES_MODULE = "modelops.openshift_ai.model_registry_component", "modelops.openshift_ai.model_registries"
OURS, THEIRS = NAMES = ("kept-ours", "kept-theirs")
HUBS = (AI_HUB.api_version, AI_HUB.plural)
HUB_RIGHT = {role: Right(role, "components.platform.opendatahub.io", "aihubs", "get") for role in ("model-registry-component", "model-registry-read-cluster")}


@dataclass(frozen=True)
class Upgraded:
    """The sandbox after the upgrade, with the options of the module's registry; the other one is the dashboard's."""

    sandbox: Sandbox
    options: dict[str, Any]


def state_of(cluster: Cluster, name: str) -> dict[str, Any]:
    """What somebody wrote of a registry."""
    found = cluster.get(*REGISTRIES, name)
    return {"spec": found["spec"], **{part: found["metadata"].get(part) for part in ("annotations", "labels", "uid", "generation")}}


def is_served_by(cluster: Cluster, name: str, image: str) -> bool:
    """Whether the registry is available and its only pod runs this image."""
    conditions = cluster.get(*REGISTRIES, name).get("status", {}).get("conditions") or []
    pods = cluster.items("v1", "pods", labelSelector=f"app={name},component=model-registry")
    ready = [pod for pod in pods if any(one["type"] == "Ready" and one["status"] == "True" for one in pod.get("status", {}).get("conditions") or [])]
    available = any(one["type"] == "Available" and one["status"] == "True" for one in conditions)
    return available and len(pods) == len(ready) == 1 and image in [container["image"] for container in ready[0]["spec"]["containers"]]


@pytest.fixture(scope="module")
def upgraded(openshift: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Upgraded:
    if openshift.layout.product != BEFORE.product:
        openshift.command("upgrade", BEFORE.product)
    cluster, mysql = openshift.cluster, openshift.mysql("kept_ours") | {"ca": {"source": "cluster"}}
    options = {"description": "As it was made", "database": mysql, "permissions": {"groups": ["data-scientists"]}}
    made = openshift.runner(tmp_path_factory.mktemp("before"))(name=OURS, **options)
    assert not made.failed, made.output
    Dashboard(cluster).create(THEIRS, Form("Theirs", "", database_of(openshift.mysql("kept_theirs")), CLUSTER_WIDE))
    until(lambda: all(is_served_by(cluster, name, BEFORE.image) for name in NAMES))
    before = [state_of(cluster, name) for name in NAMES]
    openshift.command("upgrade", AFTER.product)
    until(lambda: all(is_served_by(cluster, name, AFTER.image) for name in NAMES))
    assert [state_of(cluster, name) for name in NAMES] == before
    return Upgraded(openshift, options)


def test_after_the_upgrade_a_run_changes_nothing_and_restarts_nothing(upgraded: Upgraded, tmp_path: Path) -> None:
    cluster, runner = upgraded.sandbox.cluster, upgraded.sandbox.runner(tmp_path)
    before, states = [pods_of(cluster, name) for name in NAMES], [state_of(cluster, name) for name in NAMES]
    [seen] = runner.sequence([Task({"name_pattern": "kept-*"}, INFO, token=auditor_token(cluster))])
    listed = seen.result["registries"]
    assert [registry["name"] for registry in listed] == list(NAMES)
    assert [(registry["status"]["available"], registry["status"]["restart_needed"]) for registry in listed] == [(True, False)] * 2
    assert {registry["status"]["server_image"] for registry in listed} == {AFTER.image}
    one, all_of_them, purge = runner.sequence(
        [
            Task({"name": OURS, **upgraded.options}),
            Task({"registries": listed}, REGISTRIES_MODULE),
            # The catalog's objects, which its own resource owns now, are nobody's leftovers.
            Task({"registries": listed, "purge": True, "purge_limit": 100, "delete_data": True}, REGISTRIES_MODULE, check=True),
        ]
    )
    for run in (one, all_of_them):
        assert not run.failed and run.changes == [] and not run.writes, run.output
    assert all_of_them.result["drift"] == []
    assert not purge.failed and not [change for change in purge.result["changes"] if "catalog" in change["name"]], purge.output
    assert not [change for change in purge.result["changes"] if change["name"].startswith("kept-")], purge.output
    assert [pods_of(cluster, name) for name in NAMES] == before and [state_of(cluster, name) for name in NAMES] == states


# The API of registries


@pytest.fixture(scope="module")
def older_server(upgraded: Upgraded) -> str:
    """A registry whose administrator keeps the server of the product before."""
    cluster = upgraded.sandbox.cluster
    cluster.merge(*REGISTRIES, THEIRS, {"spec": {"rest": {"image": BEFORE.image}}})
    until(lambda: is_served_by(cluster, THEIRS, BEFORE.image))
    return THEIRS


@pytest.fixture
def trusted(upgraded: Upgraded, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificates of registries are trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(upgraded.sandbox.layout.path("pki", "ingress-ca.crt")))


def test_the_smoke_test_asks_v1_then_v1alpha3_and_warns_of_its_end(upgraded: Upgraded, older_server: str, trusted: None, tmp_path: Path) -> None:
    tasks = [
        Task({"name": OURS, "smoke_test": True}),
        Task({"registries": [{"name": name} for name in NAMES], "smoke_test": True}, REGISTRIES_MODULE),
        Task({"name_pattern": "kept-*", "include": ["smoke_test"]}, INFO),
    ]
    one, listed, seen = upgraded.sandbox.runner(tmp_path).sequence(tasks)
    for run in (one, listed, seen):
        assert not run.failed and not run.writes, run.output
        [warning] = [text for text in run.warnings if text.startswith("smoke test")]
        assert f"{OURS!r}: " in warning and "no longer provides version v1alpha3" in warning and AFTER.sunset in warning
    ours, theirs = (registry["status"]["smoke_test"] for registry in seen.result["registries"])
    assert (ours["result"], ours["api_version"], ours["sunset"]["api_version"], ours["sunset"]["date"]) == ("ok", "v1", "v1alpha3", AFTER.sunset)
    assert (theirs["result"], theirs["api_version"], theirs["sunset"]) == ("ok", "v1alpha3", None)
    assert one.result["status"]["smoke_test"] == listed.result["registries"][0]["status"]["smoke_test"] == ours


def test_the_end_of_an_api_is_a_finding_of_check_and_of_the_report(upgraded: Upgraded, older_server: str, trusted: None, tmp_path: Path) -> None:
    layout, page = upgraded.sandbox.layout, tmp_path / "report.html"
    token = automation_token(upgraded.sandbox.cluster)
    (tmp_path / "kubeconfig").write_text(json.dumps(controlplane.kubeconfig(layout, {"token": token})))

    def play(playbook: str, *arguments: str) -> tuple[int, str]:
        command = ["ansible-playbook", f"modelops.openshift_ai.{playbook}", "-e", f"model_registry_report_file={page}", *arguments]
        environment = shell(layout) | {"K8S_AUTH_KUBECONFIG": str(tmp_path / "kubeconfig")}
        done = subprocess.run(command, env=environment, text=True, capture_output=True, check=False, timeout=300)
        return done.returncode, done.stdout.partition("TASK [Summary]")[2] or done.stdout + done.stderr

    # Other registries of the sandbox may have findings too.
    finding = f"the registry no longer provides version v1alpha3 of its REST API after {AFTER.sunset}"
    code, said = play("check", "-e", "model_registries_smoke_test=true")
    [line] = [line for line in said.splitlines() if finding in line and "[WARNING]" not in line]
    assert code and OURS in line and THEIRS not in line and "with an API version that will be removed" in said, said
    code, said = play("report", "-e", "model_registries_smoke_test=true")
    assert code == 0 and finding[1:] in page.read_text(), said
    code, said = play("check")
    assert finding not in said and OURS not in said, said


# The component


@pytest.fixture(scope="module")
def component(upgraded: Upgraded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    """The component removed, and managed again without a namespace of its own for registries. What each step did, by its name."""
    sandbox = upgraded.sandbox
    cluster, layout, roles = sandbox.cluster, sandbox.layout, roles_of("component.yml")
    nowhere = {"apiVersion": CLUSTER[0], "kind": "DataScienceCluster", "metadata": {"name": CLUSTER[2]}}
    nowhere["spec"] = {"components": {"modelregistry": {"registriesNamespace": ""}}}
    blind_auditor = auditor_token(cluster, "blind-auditor", [HUB_RIGHT["model-registry-read-cluster"]])
    # Nothing of it is put back: these are the last tests on this sandbox.
    with (
        account_with(cluster, "platform", roles) as token,
        account_with(cluster, "blind", without(roles, HUB_RIGHT["model-registry-component"])) as blind,
    ):
        tasks = {
            "as it is": Task({}, COMPONENT_MODULE),
            "removal": Task({"state": "removed", "force": True}, COMPONENT_MODULE),
            "removal again": Task({"state": "removed"}, COMPONENT_MODULE),
            "no namespace": Task({"definition": nowhere}, "kubernetes.core.k8s", token=controlplane.ADMIN_TOKEN),
            "switch on": Task({}, COMPONENT_MODULE),
            "switch on again": Task({"registries_namespace": OPERATOR_NAMESPACE}, COMPONENT_MODULE),
            "without the hub": Task({"wait_timeout": 1}, COMPONENT_MODULE, token=blind),
            "look-up": Task({}, INFO, token=controlplane.ADMIN_TOKEN),
            "look-up without the hub": Task({}, INFO, token=blind_auditor),
        }
        runs = Runner(layout, token, tmp_path_factory.mktemp("component")).sequence(list(tasks.values()))
        yield dict(zip(tasks, runs, strict=True))


def test_the_component_is_ready_after_the_upgrade(component: dict[str, Run]) -> None:
    run = component["as it is"]
    assert not run.failed and run.changes == [] and run.warnings == [], run.output
    assert run.result["component"] == {"state": "managed", "registries_namespace": REGISTRIES_NAMESPACE, "ready": True, "reason": "it is ready"}


def test_a_removal_waits_for_the_singleton_that_the_product_has(upgraded: Upgraded, component: dict[str, Run]) -> None:
    served = [resource["name"] for resource in upgraded.sandbox.cluster.call(lambda api: api.get(f"/apis/{AI_HUB.api_version}"))["resources"]]
    # That of the product before is served still, and is not looked at.
    assert {AI_HUB.plural, COMPONENT.plural} <= set(served)
    removal = component["removal"]
    assert not removal.failed and removal.changes == [("update", "DataScienceCluster")], removal.output
    last = removal.requests[-1]
    assert last.path.endswith(f"/{AI_HUB.plural}/{AI_HUB.name}") and last.status == 404
    assert not [request for request in removal.requests if request.path.endswith(COMPONENT.name)]
    assert removal.result["component"]["reason"] == "it is removed"
    assert not component["removal again"].failed and component["removal again"].changes == []


def test_without_a_namespace_of_their_own_registries_are_where_the_hub_says(component: dict[str, Run]) -> None:
    managed = component["switch on"]
    assert not managed.failed and managed.changes == [("update", "DataScienceCluster")], managed.output
    assert managed.result["component"] == {"state": "managed", "registries_namespace": OPERATOR_NAMESPACE, "ready": True, "reason": "it is ready"}
    again = component["switch on again"]
    assert not again.failed and again.changes == [] and again.result["component"] == managed.result["component"], again.output
    found = component["look-up"]
    assert not found.failed and found.result["registries"] == [], found.output
    assert any(request.path.endswith(f"/namespaces/{OPERATOR_NAMESPACE}/modelregistries") for request in found.requests)


def test_an_account_that_may_not_read_the_hub_is_told(component: dict[str, Run]) -> None:
    blind = component["without the hub"]
    assert blind.failed and "reports no registries namespace" in blind.result["msg"], blind.output
    assert [text for text in blind.warnings if 'cannot get resource "aihubs"' in text], blind.warnings
    unknown = component["look-up without the hub"].result["msg"]
    assert 'cannot get resource "aihubs"' in unknown and "Set namespace" in unknown
