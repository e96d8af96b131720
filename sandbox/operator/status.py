"""What the operator says of a registry, from what it sees of its Deployment, Endpoints, pods and Routes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from sandbox.generations import Generation
from sandbox.operator.manifests import Object, Registry
from sandbox.operator.specs import Spec
from sandbox.operator.structs import merge_patch

# How long a Deployment must be available before the operator believes it (from v0.3.6).
COOLDOWN_SECONDS = 5
ALERT = "{{ALERT}}"
FAILED_CHECK = re.compile(r"Check failed: absl::OkStatus\(\) == status \(OK vs. ([^)]+)\) (.*)")


class Outcome(Enum):
    """What a reconciliation did to the registry's objects."""

    UNCHANGED = ("False", "CreatedDeployment", "Deployment was successfully created")
    CREATED = ("True", "CreatingDeployment", "Creating deployment")
    UPDATED = ("True", "UpdatingDeployment", "Updating deployment")


@dataclass(frozen=True)
class Verdict:
    """The part of a condition that says something."""

    status: str
    reason: str
    message: str


@dataclass(frozen=True)
class Seen:
    """What there is of one registry. `log_errors` has the database's error from the log of a pod, by the pod's name, as `log_error` found it."""

    deployment: Object
    endpoints: Object | None
    pods: list[Object]
    routes: list[Object]
    is_openshift: bool
    now: datetime
    log_errors: dict[str, str] = field(default_factory=dict)


def status(registry: Registry, old: Object, outcome: Outcome, seen: Seen) -> tuple[Object, float | None]:
    """The registry's new status, and in how many seconds it must be looked at again, if nothing happens before."""
    generation = registry.generation
    conditions = list(old.get("conditions", []))
    progress = Verdict(*outcome.value)
    if generation.has_metadata_server:
        progress = Verdict("False" if progress.status == "True" else "True", progress.reason, progress.message)
    _set(conditions, "Progressing", progress, seen.now)
    available, wait = availability(registry, seen)
    if generation.is_today:
        conditions = [condition for condition in conditions if condition["type"] != "OAuthProxyAvailable"]
    if available.status == "True":
        if registry.original.get(generation.proxy) is not None:
            proxy = proxy_availability(registry, seen)
            _set(conditions, generation.proxy_condition, proxy, seen.now)
            available = _with_proxy(generation, available, proxy)
        elif not generation.is_today:
            conditions = [condition for condition in conditions if condition["type"] != "OAuthProxyAvailable"]
    _set(conditions, "Available", available, seen.now)
    names = hosts(registry)
    made = {"conditions": conditions, "hosts": names, "hostsStr": ",".join(names), "specDefaults": spec_defaults(registry.original, registry.spec)}
    return made, wait


def _with_proxy(generation: Generation, available: Verdict, proxy: Verdict) -> Verdict:
    if proxy.status == "True" or generation.has_cookie_secret:
        # v0.2.22 says of the proxy what is wrong with it, and calls the registry available all the same.
        return available
    return proxy if generation.is_today else Verdict(proxy.status, proxy.reason, "OAuth Proxy resources are unavailable")


def set_condition(old: Object, kind: str, verdict: Verdict, now: datetime) -> Object:
    """The status with this condition; the time of its last change moves only with its status."""
    conditions = list(old.get("conditions", []))
    _set(conditions, kind, verdict, now)
    return old | {"conditions": conditions}


def _set(conditions: list[Object], kind: str, verdict: Verdict, now: datetime) -> None:
    index = next((i for i, condition in enumerate(conditions) if condition["type"] == kind), None)
    since = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    if index is not None and conditions[index]["status"] == verdict.status:
        since = conditions[index]["lastTransitionTime"]
    made = {"type": kind, "status": verdict.status, "reason": verdict.reason, "message": verdict.message, "lastTransitionTime": since}
    if index is None:
        conditions.append(made)
    else:
        conditions[index] = made


def hosts(registry: Registry) -> list[str]:
    """The host names under which the registry can be reached, the public one first."""
    names = []
    if registry.original.get(registry.generation.proxy, {}).get("serviceRoute") == "enabled" and not registry.generation.has_metadata_server:
        names.append(registry.host)
    gateway = registry.original.get("istio", {}).get("gateway", {})
    if gateway.get("domain"):
        names += [f"{registry.name}-{server}.{gateway['domain']}" for server in ("rest", "grpc")]
    return [*names, f"{registry.name}.{registry.namespace}.svc.cluster.local", f"{registry.name}.{registry.namespace}", registry.name]


def spec_defaults(original: Spec, effective: Spec) -> str:
    """What the operator added to the spec, as a JSON merge patch."""
    return json.dumps(merge_patch(original, effective), sort_keys=True, separators=(",", ":"))


def availability(registry: Registry, seen: Seen) -> tuple[Verdict, float | None]:
    """The condition Available before the proxy is looked at.

    A Deployment that keeps an old pod while its new one fails is available: an edit that breaks the registry does not show here.
    """
    deployed, since, message = _deployed(seen.deployment)
    verdict = Verdict("False", "DeploymentUnavailable", f"Deployment is unavailable: {message}")
    missing = seen.deployment.get("status", {}).get("unavailableReplicas", 0)
    if missing:
        verdict = _pod_trouble(registry, seen, missing)
        # v0.2.16 lets one pod that is not ready count for more than the Deployment.
        deployed = deployed and not registry.generation.has_metadata_server
    if not deployed:
        return verdict, None
    if registry.generation.is_today:
        if seen.endpoints is None:
            return Verdict("False", "DeploymentUnavailable", f'Service endpoints not found: Endpoints "{registry.name}" not found'), None
        if not any(subset.get("addresses") for subset in seen.endpoints.get("subsets") or []):
            return Verdict("False", "DeploymentUnavailable", "Service endpoints not ready - no ready addresses available"), None
        left = COOLDOWN_SECONDS - (seen.now - since).total_seconds()
        if left > 0:
            return Verdict("False", "DeploymentCooldown", "Deployment only recently available"), left
    return Verdict("True", "DeploymentAvailable", "Deployment is available"), None


def _deployed(deployment: Object) -> tuple[bool, datetime, str]:
    """Whether the Deployment's conditions say that it is available, since when, and what they say otherwise."""
    available, failed, progressing, message = False, False, True, ""
    since = datetime.min.replace(tzinfo=UTC)
    for condition in deployment.get("status", {}).get("conditions", []):
        true = condition["status"] == "True"
        match condition["type"]:
            case "Available" if not failed and progressing:
                available = true
                if true:
                    since = datetime.fromisoformat(condition["lastTransitionTime"])
                else:
                    message = condition.get("message", "")
            case "Progressing" if condition["status"] == "False" and not failed:
                available, progressing, message = False, False, condition.get("message", "")
            case "ReplicaFailure" if true:
                available, failed, message = False, True, condition.get("message", "")
    return available, since, message


def logging_container(generation: Generation) -> str:
    """The container that speaks to the database, and logs why it cannot."""
    return "grpc-container" if generation.has_metadata_server else "rest-container"


def pods_with_logs(registry: Registry, pods: list[Object]) -> list[Object]:
    """The pods whose log may tell why they do not run: their server has started before and waits now."""
    name = logging_container(registry.generation)

    def waits(container: Object) -> bool:
        waiting = container.get("state", {}).get("waiting")
        return container["name"] == name and not container["ready"] and waiting is not None and waiting.get("reason") != "ContainerCreating"

    return [pod for pod in pods if any(waits(container) for container in pod.get("status", {}).get("containerStatuses", []))]


def log_error(log: str) -> str | None:
    """The first line of a server's log that says what is wrong with its database."""
    for line in log.splitlines():
        if ALERT in line:
            return line
        if match := FAILED_CHECK.search(line):
            return f"{match[2]}: {match[1]}"
    return None


def _pod_trouble(registry: Registry, seen: Seen, missing: int) -> Verdict:
    def unavailable(message: str) -> Verdict:
        return Verdict("False", "DeploymentUnavailable", f"Deployment is unavailable: {message}")

    for pod in seen.pods:
        name = pod["metadata"]["name"]
        if name in seen.log_errors:
            return _log_verdict(registry.generation, seen.log_errors[name])
        failed = _failed_containers(pod)
        if failed:
            return unavailable(f"pod {name} has unready containers [{', '.join(failed)}]")
        for condition in pod.get("status", {}).get("conditions", []):
            if condition["type"] == "Ready" and condition["status"] == "False":
                reason = f"{{reason: {condition.get('reason', '')}, message: {condition.get('message', '')}}}"
                return unavailable(f"pod {name} containers not ready: {reason}")
    return unavailable(f"{missing} containers unavailable")


def _log_verdict(generation: Generation, error: str) -> Verdict:
    if ALERT in error and not generation.has_metadata_server:
        return Verdict("False", "ResourcesAlert", f"rest container alert: {error}")
    return Verdict("False", "ConfigurationError", f"{generation.log_prefix} configuration error: {error}")


def _failed_containers(pod: Object) -> list[str]:
    found = []
    for container in pod.get("status", {}).get("containerStatuses", []):
        for state in ("waiting", "terminated"):
            told: Any = container.get("state", {}).get(state)
            if not container["ready"] and told is not None:
                found.append(f"{container['name']}: {{{state}: {{reason: {told.get('reason', '')}, message: {told.get('message', '')}}}}}")
                break
    return found


def proxy_availability(registry: Registry, seen: Seen) -> Verdict:
    """The condition of the registry's proxy: it runs in every pod, and its Route is admitted."""
    today = registry.generation.is_today
    label = "kube-rbac-proxy" if today else "OAuth"
    containers = 3 if registry.generation.has_metadata_server else 2
    pods = [pod for pod in seen.pods if registry.selector.items() <= pod["metadata"].get("labels", {}).items()]
    if not pods:
        return Verdict("False", "ResourcesUnavailable", f"No Pods found for Deployment {registry.name}")
    for pod in pods:
        if len(pod["spec"]["containers"]) != containers:
            return Verdict("False", "ResourcesUnavailable", f"{label} proxy unavailable in Pod {pod['metadata']['name']}")
    created = "kube-rbac-proxy was successfully created" if today else "OAuth Proxy was successfully created"
    if registry.generation.has_metadata_server:
        return Verdict("True", "CreatedResources", created)
    enabled = registry.original[registry.generation.proxy].get("serviceRoute") == "enabled"
    if enabled and (seen.is_openshift or not today):
        admitted, trouble = _admitted(registry, seen.routes)
        if not admitted:
            kind = "KubeRBACProxy" if today else "OAuthProxy"
            return Verdict("False", "ResourcesUnavailable", f"{kind} Route {registry.name}-https is unavailable: {trouble}")
    return Verdict("True", "ResourcesAvailable", created)


def _admitted(registry: Registry, routes: list[Object]) -> tuple[bool, str]:
    admitted, trouble = False, ""
    for route in routes:
        name = route["metadata"]["name"]
        if not name.endswith("-https"):
            continue
        for ingress in route.get("status", {}).get("ingress", []):
            condition = next((c for c in ingress.get("conditions", []) if c["type"] == "Admitted"), None)
            if condition is None:
                continue
            admitted = condition["status"] == "True"
            if not admitted:
                reason = f"{{reason: {condition.get('reason', '')}, message: {condition.get('message', '')}}}"
                trouble = f"Host {ingress.get('host', '')} in Route {name} is unavailable: {reason}"
    return admitted, trouble
