# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a plan through the cluster: reads what is live, checks, writes in order, waits."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _manifests as manifests
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import Cluster, ClusterError, Right
from ansible_collections.modelops.openshift_ai.plugins.module_utils._manifests import Manifest, at
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import DEPLOYMENTS, SECRETS, Capabilities, Change, Live, Plan, plan, wanted_ca
from ansible_collections.modelops.openshift_ai.plugins.module_utils._readiness import (
    Observation,
    Verdict,
    condition,
    database_container,
    judge,
    newest_pod,
    restarts,
    serves_still,
    without_credentials,
)
from ansible_collections.modelops.openshift_ai.plugins.module_utils._registry import InputError, KeyReference, Problem, Registry, registry_from_options

PODS = ("v1", "pods")
EVENTS = ("v1", "events")
CA_SOURCES = {"ConfigMap": ("v1", "configmaps"), "Secret": SECRETS}
# How often a plan is made anew because somebody else wrote in between, or because a write got no answer.
PLANS = 4
# The log of a pod changes without an event at the API server: it is read again after this many seconds.
LOG_SECONDS = 2


class NotServingError(Exception):
    """The registry was written but does not serve."""

    def __init__(self, name: str, verdict: Verdict, seconds: float, old_serves: bool) -> None:
        self.verdict = verdict
        ended = "Waiting longer cannot change that" if verdict.final else f"Gave up after {seconds:.0f} s (wait_timeout)"
        previous = " The previous pod still serves with what it was started with." if old_serves else ""
        super().__init__(f"registry {name!r} does not serve: {verdict.sentence()}{previous} {ended}.")


@dataclass
class Outcome:
    """What a run did and found; filled as it goes on, so that a failure can report it too."""

    cluster: Manifest = field(default_factory=dict)
    changes: list[Manifest] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    registry: Manifest = field(default_factory=dict)
    status: Manifest = field(default_factory=dict)
    before: Manifest = field(default_factory=dict)
    after: Manifest = field(default_factory=dict)
    # The write that has been sent and not been answered yet.
    unanswered: Change | None = None

    def record(self, change: Change, unverified: bool = False) -> None:
        """Note a change that was made, or in check mode would be."""
        self.changes.append(change.result(unverified))
        self.before.update(change.before)
        self.after.update(change.after)

    def settle(self, planned: Plan) -> None:
        """Note the write that got no answer, when the new plan shows that it was carried out all the same."""
        change, self.unanswered = self.unanswered, None
        if change and (change.action, change.kind) not in [(again.action, again.kind) for again in planned.changes]:
            self.record(change)

    def result(self, diff: bool) -> Manifest:
        """The result of a module."""
        result = {
            "changed": bool(self.changes),
            "changes": self.changes,
            "registry": self.registry,
            "status": self.status,
            "cluster": self.cluster,
        }
        if diff:
            result["diff"] = {"before": self.before, "after": self.after}
        return result


def converge(cluster: Cluster, options: Mapping[str, Any], check_mode: bool, outcome: Outcome) -> None:
    """Bring one registry to what the options of `model_registry` say; `outcome` is filled on the way.

    InputError: before anything was written. ClusterError: a request was refused. NotServingError: written, but it does not serve within wait_timeout.
    """
    outcome.cluster = cluster.identity()
    if not outcome.cluster["verify_ssl"]:
        host = outcome.cluster["host"]
        outcome.warnings.append(f"the certificate of {host} is not checked (validate_certs, K8S_AUTH_VERIFY_SSL): whoever answers there reads the passwords")
    namespace = options.get("namespace") or cluster.registries_namespace()
    wanted = registry_from_options(options, namespace, outcome.warnings)
    capabilities = cluster.capabilities()
    written = None
    for attempt in range(1, PLANS + 1):
        live = _read(cluster, wanted, capabilities)
        planned = plan(wanted, live, datetime.now(timezone.utc))
        outcome.settle(planned)
        _check_ca(wanted, live)
        _check_rights(cluster, wanted, planned)
        try:
            written = _write(cluster, planned, check_mode, outcome) or live.registry
        except ClusterError as error:
            # 409: somebody else was faster. No answer: the write may have been carried out. Either way the truth is in the cluster.
            if error.status is not None:
                outcome.unanswered = None
            if attempt == PLANS or error.status not in (409, None):
                raise
            continue
        break
    outcome.warnings += planned.warnings
    outcome.registry = manifests.registry_result(written) if written else {}
    waits = options["wait"] and not check_mode
    if live.registry is None and check_mode:
        outcome.status = {"serving": False, "reason": "the registry does not exist yet", "address": None, "hosts": [], "conditions": []}
        return
    _wait(cluster, wanted, capabilities, options["wait_timeout"] if waits else 0, outcome, None if outcome.changes else live)


def _read(cluster: Cluster, wanted: Registry, capabilities: Capabilities) -> Live:
    registry = cluster.read(capabilities.api, wanted.namespace, wanted.name)
    named = at(registry, ("spec", "mysql", "passwordSecret", "name"))
    secret = cluster.read(SECRETS, wanted.namespace, named or manifests.secret_name(wanted.namespace, wanted.name))
    ca = wanted_ca(wanted, registry)
    bundle = cluster.read(CA_SOURCES[ca[0]], wanted.namespace, ca[1].name) if ca else None
    pods = () if registry is None else _pods(cluster, wanted)
    return Live(capabilities, registry, secret, bundle, pods)


def _selector(wanted: Registry) -> dict[str, str]:
    return {"labelSelector": f"app={wanted.name},component=model-registry"}


def _pods(cluster: Cluster, wanted: Registry) -> tuple[Manifest, ...]:
    return tuple(cluster.items(PODS, wanted.namespace, **_selector(wanted)))


def _check_ca(wanted: Registry, live: Live) -> None:
    """Refuse a CA that this call gives and that nothing stands behind."""
    if wanted.database is None or wanted.database.ca is None or wanted.database.ca.config_map is None:
        return
    ca: KeyReference = wanted.database.ca.config_map
    held = None if live.ca_bundle is None else live.ca_bundle.get("data") or {}
    if held is None:
        problem, remedy = f"there is no such ConfigMap in namespace {wanted.namespace!r}", "Create it, or name another one"
    elif ca.key not in held:
        problem, remedy = f"the ConfigMap has no such key, it has: {', '.join(sorted(held)) or 'none'}", "Name one of its keys"
    elif "-----BEGIN CERTIFICATE-----" not in held[ca.key]:
        problem, remedy = "the key holds no PEM certificate", "Put the CA's certificate there, or name another key"
    else:
        return
    raise InputError([Problem("database.ca", problem, f"{remedy}; nothing was written", {"config_map": ca.name, "key": ca.key})])


def _check_rights(cluster: Cluster, wanted: Registry, planned: Plan) -> None:
    verbs = {"POST": "create", "PATCH": "patch"}
    needed = [Right(verbs[change.verb], change.api[0].rpartition("/")[0], change.api[1]) for change in planned.changes]
    missing = cluster.missing_rights(wanted.namespace, needed)
    if missing:
        rights = ", ".join(map(str, missing))
        remedy = "Bind the account to a Role with these rights; nothing was written"
        raise InputError([Problem("namespace", f"the account in use may not: {rights}", remedy, wanted.namespace)])


def _write(cluster: Cluster, planned: Plan, check_mode: bool, outcome: Outcome) -> Manifest | None:
    """Carry out the changes, or in check mode try each on the server; returns the registry as the server answered it, when it was written."""
    registry = None
    of_registry = [change for change in planned.changes if change.kind == manifests.KIND]
    if len(planned.changes) > 1 and of_registry and not check_mode:
        # The webhooks answer before the Secret is written, so that a refusal leaves nothing behind.
        _send(cluster, of_registry[0], True)
    for change in planned.changes:
        unverified = check_mode and change.action == "restart"
        if not unverified:
            outcome.unanswered = None if check_mode else change
            answer = _send(cluster, change, check_mode)
            outcome.unanswered = None
            if change.kind == manifests.KIND:
                registry = answer
        outcome.record(change, unverified)
    return registry


def _send(cluster: Cluster, change: Change, dry_run: bool) -> Manifest:
    return cluster.write(change.verb, change.api, change.namespace, change.name, change.body, dry_run)


def _wait(cluster: Cluster, wanted: Registry, capabilities: Capabilities, seconds: float, outcome: Outcome, unchanged: Live | None) -> None:
    """Wait until the registry serves; with 0 seconds only report whether it does. What was read just now, and not written, is not read again at first."""
    deadline = time.monotonic() + seconds
    named = {"fieldSelector": f"metadata.name={wanted.name}"}
    watched = [(capabilities.api, wanted.namespace, named), (DEPLOYMENTS, wanted.namespace, named), (PODS, wanted.namespace, _selector(wanted))]
    seen = _observe(cluster, wanted, capabilities, unchanged)
    if judge(seen).serving or not seconds:
        outcome.status = _status(seen, judge(seen))
        return
    with cluster.changes(watched, seconds) as changed:
        while True:
            changed.clear()
            seen = _observe(cluster, wanted, capabilities)
            verdict = judge(seen)
            outcome.status = _status(seen, verdict)
            left = deadline - time.monotonic()
            if verdict.serving:
                return
            if verdict.final or left <= 0:
                raise NotServingError(wanted.name, verdict, seconds, serves_still(seen.pods))
            changed.wait(min(LOG_SECONDS, left))


def _observe(cluster: Cluster, wanted: Registry, capabilities: Capabilities, known: Live | None = None) -> Observation:
    registry = known.registry if known else cluster.read(capabilities.api, wanted.namespace, wanted.name)
    deployment = cluster.read(DEPLOYMENTS, wanted.namespace, wanted.name)
    pods = known.pods if known else _pods(cluster, wanted)
    newest = newest_pod(pods)
    if newest is None or (condition(newest, "Ready") or {}).get("status") == "True":
        return Observation(registry, deployment, pods)
    return Observation(registry, deployment, pods, _log(cluster, newest), _events(cluster, newest))


def _log(cluster: Cluster, pod: Manifest) -> str:
    """The end of the server's log; of the attempt before when the present one has said nothing yet."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    container = database_container(pod["spec"]["containers"])["name"]
    try:
        text = cluster.log(namespace, name, container, previous=False)
        return text if text.strip() or not restarts(pod) else cluster.log(namespace, name, container, previous=True)
    except ClusterError:
        # A container that was not started has no log, and an account may lack the right to read it.
        return ""


def _events(cluster: Cluster, pod: Manifest) -> tuple[str, ...]:
    try:
        events = cluster.items(EVENTS, pod["metadata"]["namespace"], fieldSelector=f"involvedObject.uid={pod['metadata']['uid']},type=Warning")
    except ClusterError:
        return ()
    return tuple(event.get("message", "") for event in events)


def _status(seen: Observation, verdict: Verdict) -> Manifest:
    status: Manifest = at(seen.registry, ("status",)) or {}
    hosts = status.get("hosts") or []
    # The operator copies lines of the server's log into its messages.
    conditions = [
        {"message": without_credentials(entry["message"]), **{key: entry[key] for key in ("type", "status", "reason")}}
        for entry in status.get("conditions") or []
    ]
    public = [
        host for host in hosts if "/" in host or ("." in host and ".svc" not in host and not host.endswith(f".{at(seen.registry, ('metadata', 'namespace'))}"))
    ]
    return {
        "serving": verdict.serving,
        "reason": verdict.reason if verdict.serving else verdict.sentence(),
        "address": f"https://{public[0]}" if public else None,
        "hosts": hosts,
        "conditions": conditions,
    }
