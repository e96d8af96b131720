"""`model_registry_component` on the sandbox, as an account with the rights of rbac/component.yml and no others.

One playbook takes the component through its life, because each switch starts or stops the operator; the tests look at what it did.
"""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox import controlplane, faults, processes
from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from sandbox.platform import seed
from tests.component import CLUSTER, component_kept, is_ready, status_of, switch
from tests.helpers import Right, Run, Runner, Task, account_with, accounts_without_one_right, roles_of, shell, until

from .conftest import ApiError, Cluster

MODULE = "modelops.openshift_ai.model_registry_component"
ROLE = "model-registry-component"
RIGHTS = {
    "read": Right(ROLE, "datasciencecluster.opendatahub.io", "datascienceclusters", "list"),
    "write": Right(ROLE, "datasciencecluster.opendatahub.io", "datascienceclusters", "patch"),
    "registries": Right(ROLE, "modelregistry.opendatahub.io", "modelregistries", "list"),
    "namespaces": Right(ROLE, "", "namespaces", "get"),
    "singleton": Right(ROLE, "components.platform.opendatahub.io", "modelregistries", "get"),
}
# For products that these tests do not have.
OF_OTHERS = {Right(ROLE, "components.platform.opendatahub.io", "aihubs", "get")}
ELSEWHERE = f"elsewhere-{uuid.uuid4().hex[:6]}"
SECOND = {"apiVersion": seed.CLUSTER_API, "kind": "DataScienceCluster", "metadata": {"name": "second-dsc"}, "spec": {}}
TOOL = {"argocd.argoproj.io/instance": "platform"}
FIRST = SECOND | {"metadata": {"name": CLUSTER[2], "labels": TOOL}, "spec": {"components": {"modelregistry": {"managementState": "Removed"}}}}


@pytest.fixture(scope="module")
def token(cluster: Cluster) -> Iterator[str]:
    """That of an account with the rights of rbac/component.yml."""
    with account_with(cluster, "platform", roles_of("component.yml")) as token:
        yield token


@pytest.fixture(scope="module")
def registry(cluster: Cluster) -> Iterator[str]:
    """A registry, which need not serve."""
    name = f"left-{uuid.uuid4().hex[:6]}"
    spec = {"rest": {}, "grpc": {}, "mysql": {"host": "mysql", "username": "u", "database": "d"}}
    body = {"apiVersion": "modelregistry.opendatahub.io/v1beta1", "kind": "ModelRegistry", "metadata": {"name": name}, "spec": spec}
    until(lambda: is_ready(cluster))
    cluster.create("modelregistry.opendatahub.io/v1beta1", "modelregistries", body)
    yield name
    cluster.delete("modelregistry.opendatahub.io/v1beta1", "modelregistries", name)


@pytest.fixture(scope="module")
def life(layout: Layout, cluster: Cluster, token: str, registry: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    """The component with an operator that is down, removed in spite of a registry, and managed again elsewhere. What each step did, by its name."""

    def on(**options: Any) -> dict[str, Any]:
        return {"state": "managed", **options}

    def off(**options: Any) -> dict[str, Any]:
        return {"state": "removed", **options}

    def steps(poorer: dict[str, str]) -> dict[str, Task]:
        elsewhere = on(registries_namespace=ELSEWHERE)
        return {
            "not ready": Task(on(wait_timeout=1), MODULE),
            "not ready, not waited for": Task(on(wait=False), MODULE),
            "another namespace": Task(elsewhere | {"wait_timeout": 0}, MODULE),
            "removal": Task(off(), MODULE),
            "removal by force, check": Task(off(force=True), MODULE, check=True, diff=True),
            **{f"removal without {name}": Task(off(), MODULE, check=True, token=poorer[name]) for name in ("read", "write", "registries")},
            "removal by force without registries": Task(off(force=True), MODULE, check=True, token=poorer["registries"]),
            "removal by force": Task(off(force=True), MODULE, diff=True),
            "removal again": Task(off(), MODULE),
            "removed without singleton": Task(off(), MODULE, token=poorer["singleton"]),
            "a second": Task({"definition": SECOND}, "kubernetes.core.k8s", token=controlplane.ADMIN_TOKEN),
            "two": Task(on(), MODULE),
            "none left": Task({"definition": [SECOND, FIRST], "state": "absent"}, "kubernetes.core.k8s", token=controlplane.ADMIN_TOKEN),
            "none": Task(on(), MODULE),
            "as before": Task({"definition": FIRST}, "kubernetes.core.k8s", token=controlplane.ADMIN_TOKEN),
            "switch on elsewhere, check": Task(elsewhere, MODULE, check=True, diff=True),
            "switch on elsewhere": Task(elsewhere, MODULE, diff=True),
            "switch on again": Task(elsewhere, MODULE),
            "on without namespaces": Task(on(), MODULE, token=poorer["namespaces"]),
        }

    with component_kept(layout, cluster), accounts_without_one_right(cluster, roles_of("component.yml")) as tokens:
        assert set(tokens) == set(RIGHTS.values()) | OF_OTHERS
        processes.stop(layout, "operator")
        until(lambda: not is_ready(cluster))
        # The switch that removes it is carried out, and its answer lost. Somebody else comes in between of the next one.
        patch = {"verbs": ["patch"], "path": r"/datascienceclusters/(?!.*dryRun)"}
        faults.api_rules(layout, [faults.Rule("reset", forwarded=True, **patch), faults.Rule("status", status=409, **patch)])
        faults.forget_requests(layout)
        tasks = steps({name: tokens[right] for name, right in RIGHTS.items()})
        runs = Runner(layout, token, tmp_path_factory.mktemp("component")).sequence(list(tasks.values()))
        yield dict(zip(tasks, runs, strict=True))
    cluster.delete("v1", "namespaces", ELSEWHERE, None)


def patches(run: Run) -> list[bool]:
    """The requests to change the DataScienceCluster, each by whether it was only a dry run."""
    return [request.dry_run for request in run.requests if request.verb == "patch"]


def failure(run: Run) -> str:
    assert run.failed, run.output
    return str(run.result["msg"])


def refusals(run: Run) -> list[str]:
    """The options that a refusal names; it has written nothing."""
    assert run.failed and not run.writes and not run.result["changed"], run.output
    return [problem["option"] for problem in run.result["problems"]]


def test_an_operator_that_is_down_is_the_reason(life: dict[str, Run]) -> None:
    message = failure(life["not ready"])
    assert "is not managed after 1 s" in message and "DeploymentsNotReady: 0/1 deployments ready. Check the pods" in message
    shown = life["not ready, not waited for"]
    assert not shown.failed and not shown.result["changed"] and not shown.writes, shown.output
    assert shown.result["component"]["ready"] is False and "0/1 deployments ready" in shown.result["component"]["reason"]


def test_the_namespace_of_a_managed_component_is_refused_with_every_other_problem(life: dict[str, Run], cluster: Cluster) -> None:
    assert refusals(life["another namespace"]) == ["wait_timeout", "registries_namespace"]
    message = failure(life["another namespace"])
    assert f"registries_namespace {ELSEWHERE!r}: cannot be changed while the component is managed (current: {REGISTRIES_NAMESPACE!r})" in message
    assert patches(life["another namespace"]) == []
    with pytest.raises(ApiError, match="RegistriesNamespace is immutable when model registry is Managed"):
        switch(cluster, registriesNamespace="refused-by-the-product")


def test_a_removal_names_the_registries_that_it_would_leave_behind(life: dict[str, Run], registry: str) -> None:
    assert refusals(life["removal"]) == ["force"]
    assert f"would remain without the component: {registry!r} in namespace {REGISTRIES_NAMESPACE!r}" in failure(life["removal"])
    for step in ("removal by force", "removal by force, check"):
        assert any(warning.startswith("force: ") and repr(registry) in warning for warning in life[step].warnings), life[step].output


def test_check_mode_tells_what_a_switch_does_and_only_tries_it(life: dict[str, Run]) -> None:
    for step in ("removal by force", "switch on elsewhere"):
        said, did = life[f"{step}, check"], life[step]
        assert patches(said) == [True], said.requests
        for key in ("changed", "changes", "diff"):
            assert said.result[key] == did.result[key], step
        for key in ("state", "registries_namespace"):
            assert said.result["component"][key] == did.result["component"][key], step
        assert said.result["component"]["ready"] is None
    assert life["removal by force"].result["diff"] == {"before": {"state": "managed"}, "after": {"state": "removed"}}
    changed = {"before": {"state": "removed", "registries_namespace": REGISTRIES_NAMESPACE}, "after": {"state": "managed", "registries_namespace": ELSEWHERE}}
    assert life["switch on elsewhere"].result["diff"] == changed


def test_a_removal_waits_until_the_component_is_gone_though_the_answer_was_lost(life: dict[str, Run]) -> None:
    removal = life["removal by force"]
    assert not removal.failed and removal.changes == [("update", "DataScienceCluster")], removal.output
    # Sent once: what is done is not done again.
    assert patches(removal) == [False] and any(request.fault for request in removal.requests)
    assert removal.result["component"] == {
        "state": "removed",
        "registries_namespace": REGISTRIES_NAMESPACE,
        "ready": False,
        "reason": "it is removed",
    }
    # What the platform made of the component was looked for last, and was gone.
    last = removal.requests[-1]
    assert last.path.endswith("/modelregistries/default-modelregistry") and last.status == 404


def test_a_switch_waits_until_registries_can_be_made_in_the_namespace(life: dict[str, Run], cluster: Cluster) -> None:
    made = life["switch on elsewhere"]
    assert not made.failed and made.result["changes"][0]["fields"] == ["state", "registries_namespace"], made.output
    assert made.result["component"] == {"state": "managed", "registries_namespace": ELSEWHERE, "ready": True, "reason": "it is ready"}
    assert patches(made) == [False, False] and [request.status for request in made.writes] == [409, 200]
    assert status_of(cluster)[0]["registriesNamespace"] == ELSEWHERE
    assert cluster.get("v1", "namespaces", ELSEWHERE, None)["status"]["phase"] == "Active"


@pytest.mark.parametrize("step", ["switch on elsewhere, check", "switch on elsewhere"])
def test_that_another_tool_manages_the_data_science_cluster_is_a_warning(life: dict[str, Run], step: str) -> None:
    told = [warning for warning in life[step].warnings if f"DataScienceCluster {CLUSTER[2]!r} is managed by another tool" in warning]
    assert len(told) == 1 and "argocd.argoproj.io/instance" in told[0] and "may undo this change" in told[0]
    assert not any("may undo" in warning for warning in life["removal by force"].warnings)


@pytest.mark.parametrize("step", ["removal again", "switch on again"])
def test_a_second_run_changes_nothing(life: dict[str, Run], step: str) -> None:
    again = life[step]
    assert not again.failed and not again.result["changed"] and again.changes == [] and patches(again) == [], again.output
    assert again.warnings == []


def test_the_namespace_that_is_set_stays_when_none_is_given(life: dict[str, Run]) -> None:
    assert not life["on without namespaces"].result["changed"] and life["on without namespaces"].result["component"]["registries_namespace"] == ELSEWHERE


def test_several_clusters_and_none_are_one_line_each(life: dict[str, Run]) -> None:
    assert "this cluster has several DataScienceClusters, 'default-dsc', 'second-dsc'" in failure(life["two"])
    assert "this cluster has no DataScienceCluster. Create one." in failure(life["none"])


def test_each_missing_right_is_told(life: dict[str, Run]) -> None:
    message = failure(life["removal without read"])
    assert 'cannot list resource "datascienceclusters"' in message and "rbac/component.yml" in message
    assert refusals(life["removal without write"]) == ["state", "force"]
    assert "lacks permission to: patch datascienceclusters.datasciencecluster.opendatahub.io 'default-dsc'" in failure(life["removal without write"])
    assert refusals(life["removal without registries"]) == ["force"]
    assert "could not be determined: listing modelregistries" in failure(life["removal without registries"])
    forced = life["removal by force without registries"]
    assert forced.changes and any("could not be determined: listing modelregistries" in warning for warning in forced.warnings), forced.output
    for step, what in (
        ("removed without singleton", "whether the component has been removed"),
        ("on without namespaces", "whether the registries namespace exists"),
    ):
        assert not life[step].failed and [warning for warning in life[step].warnings if f"{what} could not be determined" in warning], life[step].output


# The playbook


@pytest.fixture
def clusters(layout: Layout, token: str, tmp_path: Any) -> str:
    """An inventory of one cluster that is there and one that is not."""
    (tmp_path / "kubeconfig").write_text(json.dumps(controlplane.kubeconfig(layout, {"token": token})))
    hosts = {"east": {"kubeconfig": str(tmp_path / "kubeconfig")}, "west": {"kubeconfig": str(tmp_path / "kubeconfig"), "context": "nowhere"}}
    listed = {host: {"model_registry_cluster": options} for host, options in hosts.items()}
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": listed}}))
    return str(inventory)


def test_the_playbook_switches_it_on_and_sums_up(layout: Layout, cluster: Cluster, clusters: str) -> None:
    def enable(*arguments: str) -> tuple[int, str]:
        command = ["ansible-playbook", "-i", clusters, "modelops.openshift_ai.enable", *arguments]
        done = subprocess.run(command, env=shell(layout), text=True, capture_output=True, check=False, timeout=300)
        return done.returncode, done.stdout + done.stderr

    def summary(output: str) -> str:
        return output.partition(" : Summary]")[2]

    with component_kept(layout, cluster):
        switch(cluster, managementState="Removed", registriesNamespace=REGISTRIES_NAMESPACE)
        until(lambda: status_of(cluster)[1].get("reason") == "Removed")
        code, said = enable("--check")
        assert code and "changed=1" in said
        assert f"east: managed (would be changed), registries namespace {REGISTRIES_NAMESPACE}: the component is not changed in check mode" in summary(said)
        assert "west: FAILED: there is no cluster to connect to" in summary(said)
        assert status_of(cluster)[1]["reason"] == "Removed"
        code, did = enable("-e", "model_registries_clusters=east")
        assert code == 0 and "changed=1" in did and is_ready(cluster), did
        assert f"east: managed (changed), registries namespace {REGISTRIES_NAMESPACE}: it is ready" in summary(did) and "west" not in did
        code, again = enable("-e", "model_registries_clusters=east")
        assert code == 0 and "changed=0" in again and "east: managed (no change)" in summary(again), again
