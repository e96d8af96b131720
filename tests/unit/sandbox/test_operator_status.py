"""What the operator says of a registry."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.generations import GENERATIONS
from sandbox.operator.manifests import Registry
from sandbox.operator.specs import effective
from sandbox.operator.status import Outcome, Seen, log_error, pods_with_logs, status

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
LONG_AGO = "2026-01-01T11:00:00Z"
LABELS = {"app": "fraud", "component": "model-registry", "app.kubernetes.io/name": "fraud"}
ADMITTED = {"type": "Admitted", "status": "True"}


def registry(product: str = "3.x", proxy: bool = True) -> Registry:
    generation = GENERATIONS[product]
    spec: dict[str, Any] = {"rest": {}, "grpc": {}, "mysql": {"host": "h"}}
    if proxy:
        spec[generation.proxy] = {"port": 8443, "serviceRoute": "enabled"}
    return Registry(generation, "fraud", "registries", "uid", {}, spec, effective(generation, "fraud", spec, "apps.test"))


def deployment(available: str = "True", since: str = LONG_AGO, unavailable: int = 0, **other: str) -> dict[str, Any]:
    conditions = [{"type": "Available", "status": available, "lastTransitionTime": since, "message": "minimum availability"}]
    conditions += [{"type": name, "status": value, "lastTransitionTime": since, "message": f"{name} {value}"} for name, value in other.items()]
    return {"status": {"conditions": conditions, "unavailableReplicas": unavailable}}


def pod(containers: int = 2, state: dict[str, Any] | None = None) -> dict[str, Any]:
    statuses = [{"name": "rest-container", "ready": state is None, "state": state or {"running": {}}}]
    made = {"metadata": {"name": "fraud-1", "labels": LABELS}, "spec": {"containers": [{}] * containers}}
    return made | {"status": {"containerStatuses": statuses, "conditions": []}}


def route(**condition: str) -> dict[str, Any]:
    return {"metadata": {"name": "fraud-https"}, "status": {"ingress": [{"host": "fraud-rest.apps.test", "conditions": [condition]}]}}


GOOD = Seen(
    deployment=deployment(),
    endpoints={"subsets": [{"addresses": [{"ip": "10.0.0.1"}]}]},
    pods=[pod()],
    routes=[route(**ADMITTED)],
    is_openshift=True,
    now=NOW,
)
WAITING = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}


def report(made: Registry | None = None, old: dict[str, Any] | None = None, **seen: Any) -> tuple[dict[str, Any], float | None]:
    written, wait = status(made or registry(), old or {}, Outcome.UNCHANGED, replace(GOOD, **seen))
    return {condition["type"]: condition for condition in written["conditions"]} | {"": written}, wait


def said(kind: str = "Available", made: Registry | None = None, **seen: Any) -> tuple[str, str, str]:
    condition = report(made, **seen)[0][kind]
    return condition["status"], condition["reason"], condition["message"]


def test_a_registry_that_serves_is_available() -> None:
    assert said() == ("True", "DeploymentAvailable", "Deployment is available")
    assert said("KubeRBACProxyAvailable") == ("True", "ResourcesAvailable", "kube-rbac-proxy was successfully created")
    assert said("Progressing") == ("False", "CreatedDeployment", "Deployment was successfully created")


def test_available_waits_for_the_rest_of_five_seconds() -> None:
    recent = (NOW - timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions, wait = report(deployment=deployment(since=recent))
    assert conditions["Available"]["reason"] == "DeploymentCooldown"
    assert wait == 3
    assert report()[1] is None
    assert said(made=registry("2.25"), deployment=deployment(since=recent))[0] == "True"


def test_a_service_without_addresses_is_not_available() -> None:
    assert said(endpoints=None)[2] == 'Service endpoints not found: Endpoints "fraud" not found'
    assert said(endpoints={"subsets": [{"notReadyAddresses": [{}]}]})[2] == "Service endpoints not ready - no ready addresses available"
    assert said(made=registry("2.25"), endpoints=None)[0] == "True"


def test_a_failing_new_pod_does_not_show_while_the_old_one_serves() -> None:
    assert said(deployment=deployment(unavailable=1), pods=[pod(), pod(state=WAITING)])[0] == "True"
    assert said(made=registry("2.21"), deployment=deployment(unavailable=1), pods=[pod(3, WAITING)])[0] == "False"


def test_the_first_pod_in_trouble_is_named() -> None:
    assert said(deployment=deployment("False", unavailable=1), pods=[pod(state=WAITING)])[1:] == (
        "DeploymentUnavailable",
        "Deployment is unavailable: pod fraud-1 has unready containers [rest-container: {waiting: {reason: CrashLoopBackOff, message: back-off}}]",
    )
    unready = pod() | {"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "R", "message": "M"}]}}
    assert said(deployment=deployment("False", unavailable=1), pods=[unready])[2] == (
        "Deployment is unavailable: pod fraud-1 containers not ready: {reason: R, message: M}"
    )
    assert said(deployment=deployment("False", unavailable=1), pods=[])[2] == "Deployment is unavailable: 1 containers unavailable"
    assert said(deployment=deployment("False"))[2] == "Deployment is unavailable: minimum availability"


def test_a_deployment_that_gave_up_is_not_available() -> None:
    assert said(deployment=deployment(Progressing="False"))[2] == "Deployment is unavailable: Progressing False"
    assert said(deployment=deployment(ReplicaFailure="True"))[2] == "Deployment is unavailable: ReplicaFailure True"


def test_an_alert_in_the_servers_log_is_quoted() -> None:
    line = "F0101 {{ALERT}} error connecting to datastore: Dirty database version 25"
    assert log_error(f"starting\n{line}\nlast") == line
    assert log_error("starting\nserving") is None
    seen: dict[str, Any] = {"deployment": deployment("False", unavailable=1), "pods": [pod(state=WAITING)], "log_errors": {"fraud-1": line}}
    assert said(**seen) == ("False", "ResourcesAlert", f"rest container alert: {line}")
    check = log_error("F0101 Check failed: absl::OkStatus() == status (OK vs. INTERNAL) no such table")
    assert said(**seen | {"log_errors": {"fraud-1": check}})[1:] == ("ConfigurationError", "database configuration error: no such table: INTERNAL")


def test_only_a_server_that_has_run_has_a_log() -> None:
    creating = pod(state={"waiting": {"reason": "ContainerCreating"}})
    assert pods_with_logs(registry(), [creating, pod()]) == []
    assert pods_with_logs(registry(), [pod(state=WAITING)]) == [pod(state=WAITING)]


def test_a_proxy_that_cannot_be_reached_makes_the_registry_unavailable() -> None:
    refused = route(type="Admitted", status="False", reason="HostAlreadyClaimed", message="taken")
    text = "KubeRBACProxy Route fraud-https is unavailable: Host fraud-rest.apps.test in Route fraud-https is unavailable: "
    assert said(routes=[refused]) == ("False", "ResourcesUnavailable", text + "{reason: HostAlreadyClaimed, message: taken}")
    assert said(routes=[])[1] == "ResourcesUnavailable"
    assert said(routes=[], is_openshift=False)[0] == "True"
    assert said(pods=[])[2] == "No Pods found for Deployment fraud"
    assert said(pods=[pod(1)])[2] == "kube-rbac-proxy proxy unavailable in Pod fraud-1"


def test_the_25_line_calls_a_registry_available_whatever_its_proxy_does() -> None:
    conditions, _rest = report(registry("2.25"), routes=[])
    assert (conditions["OAuthProxyAvailable"]["status"], conditions["Available"]["status"]) == ("False", "True")


def test_a_condition_of_the_old_proxy_is_removed_today() -> None:
    old = {"conditions": [{"type": "OAuthProxyAvailable", "status": "True", "reason": "R", "message": "", "lastTransitionTime": LONG_AGO}]}
    assert "OAuthProxyAvailable" not in report(old=old)[0]


def test_the_time_of_a_condition_moves_with_its_status_only() -> None:
    old = {"conditions": [{"type": "Available", "status": "True", "reason": "Old", "message": "old", "lastTransitionTime": LONG_AGO}]}
    assert report(old=old)[0]["Available"]["lastTransitionTime"] == LONG_AGO
    assert report(old=old, endpoints=None)[0]["Available"]["lastTransitionTime"] == "2026-01-01T12:00:00Z"


def test_the_public_host_comes_first_and_only_with_a_route() -> None:
    inside = ["fraud.registries.svc.cluster.local", "fraud.registries", "fraud"]
    assert report()[0][""]["hosts"] == ["fraud-rest.apps.test", *inside]
    assert report(registry(proxy=False))[0][""]["hosts"] == inside
    assert report()[0][""]["hostsStr"] == ",".join(["fraud-rest.apps.test", *inside])


def test_spec_defaults_are_what_the_operator_added() -> None:
    added = json.loads(report()[0][""]["specDefaults"])
    assert added["kubeRBACProxy"]["domain"] == "apps.test"
    assert set(added) == {"kubeRBACProxy", "rest"}
