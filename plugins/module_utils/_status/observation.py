# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the cluster shows of a registry at one moment."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from .. import _options
from .._cluster import registry_reader, visibility
from .._model import custom_resource, kinds, live_state, manifests, server_pods
from .._plan import record
from . import readiness, symptoms

# The next start of a server that has failed is waited for when it is not further away than this, and then this long until it has shown how it ends.
NEAR_SECONDS, START_SECONDS = 60, 20
# A server that has not started after this many seconds is looked at closely. Shorter than this no registry is waited for.
PATIENCE = 5
ABSENT: manifests.Manifest = {
    **readiness.Verdict(False, "the registry does not exist").result(),
    "address": None,
    "hosts": [],
    "conditions": [],
}


def patience(seen: readiness.Observation, seconds: float, now: datetime) -> float:
    """How long a registry is waited for that a run does not change: what is left of `seconds` since it, its Deployment or its pod was last changed."""
    entries = [entry for manifest in (seen.registry, seen.deployment) for entry in manifests.at(manifest, ("metadata", "managedFields")) or []]
    times = [entry["time"] for entry in entries if entry.get("time") and entry.get("subresource") != "status"]
    times += filter(None, [manifests.at(server_pods.newest_pod(seen.pods), ("metadata", "creationTimestamp"))])
    if not times:
        return seconds
    next_start = _next_start(seen)
    until_start = 0.0 if next_start is None else (next_start - now).total_seconds()
    # Whatever was fixed outside of the cluster shows with the next start of the server, if that is near.
    for_start = until_start + START_SECONDS if 0 < until_start <= NEAR_SECONDS else 0
    return min(seconds, max(PATIENCE, for_start, seconds - (now - manifests.parsed(max(times))).total_seconds()))


def _next_start(seen: readiness.Observation) -> datetime | None:
    """When a server that has failed is started again: Kubernetes waits from one start to the next for longer, up to five minutes."""
    pod = server_pods.newest_pod(seen.pods)
    status = server_pods.database_container(manifests.at(pod, ("status", "containerStatuses")) or [])
    pause = re.match(r"back-off (?:(\d+)m)?(?:(\d+)s)? ", manifests.at(status, ("state", "waiting", "message")) or "")
    ended = manifests.at(status, ("lastState", "terminated", "finishedAt"))
    if pause is None or not ended:
        return None
    return manifests.parsed(ended) + timedelta(minutes=int(pause[1] or 0), seconds=int(pause[2] or 0))


def look_at(
    reader: registry_reader.Reader, name: str, known: live_state.Live | None = None, baseline: Mapping[str, int] | None = None
) -> readiness.Observation:
    """What the cluster shows of a registry; without a `baseline` it is one. The pods of an available one have nothing to add, and are not read."""
    registry = known.registry if known else reader.registry(name)
    deployment = known.deployment if known else reader.deployment(name)
    seen = readiness.Observation(registry, deployment, baseline=baseline or {})
    if readiness.judge(seen).available:
        return seen
    pods = reader.pods(name)
    return replace(seen, pods=pods, baseline=server_pods.starts(pods) if baseline is None else baseline)


def explained(reader: registry_reader.Reader, seen: readiness.Observation, outcome: record.Outcome) -> readiness.Observation:
    """An observation together with the log and the events of its newest pod, and the pods of a generated database."""
    pod = server_pods.newest_pod(seen.pods)
    if pod is None or seen.registry is None:
        return seen
    database: list[manifests.Manifest] = []
    if custom_resource.live_type(seen.registry) == _options.GENERATED:
        name = custom_resource.GeneratedDatabase(seen.registry["metadata"]["name"]).host
        database = registry_reader.labelled(name, lambda: reader.cluster.items(kinds.PODS, reader.namespace, labelSelector=f"app.kubernetes.io/name={name}"))
    seen = replace(seen, log=_log(reader, pod, outcome), events=_events(reader, pod, outcome), database_pods=tuple(database))
    return replace(seen, previous_log=_log(reader, pod, outcome, previous=True)) if readiness.needs_previous_log(seen) else seen


def _log(reader: registry_reader.Reader, pod: manifests.Manifest, outcome: record.Outcome, previous: bool = False) -> str:
    """The end of the server's log, or of that of the start before."""
    name, container = pod["metadata"]["name"], server_pods.database_container(pod["spec"]["containers"]).get("name")
    if container is None:
        # A pod of somebody else with a registry's labels.
        return ""

    def unseen(why: str) -> None:
        outcome.warn([f"the log of the registry server, which can contain the reason, could not be read: {why}"])

    return visibility.seen(lambda: reader.cluster.log(reader.namespace, name, container, previous), "", unseen)


def _events(reader: registry_reader.Reader, pod: manifests.Manifest, outcome: record.Outcome) -> tuple[str, ...]:
    selector = f"involvedObject.uid={pod['metadata']['uid']},type=Warning"
    events = visibility.seen(
        lambda: reader.cluster.items(kinds.EVENTS, reader.namespace, fieldSelector=selector),
        [],
        lambda why: outcome.warn([f"the events of the pod, which can contain the reason, could not be read: {why}"]),
    )
    return tuple(event.get("message", "") for event in events)


def status_of(seen: readiness.Observation, verdict: readiness.Verdict) -> manifests.Manifest:
    """The status of a registry as results show it."""
    status: manifests.Manifest = manifests.at(seen.registry, ("status",)) or {}
    hosts = status.get("hosts") or []
    # The operator copies lines of the server's log into its messages.
    conditions = [
        {"message": symptoms.without_credentials(entry["message"]), **{key: entry[key] for key in ("type", "status", "reason")}}
        for entry in status.get("conditions") or []
    ]
    metadata: manifests.Manifest = manifests.at(seen.registry, ("metadata",)) or {}
    service = f"{metadata.get('name')}.{metadata.get('namespace')}"
    public = [host for host in hosts if "." in host and host != service and not f"{host}.".startswith(f"{service}.svc.")]
    return {
        **verdict.result(),
        "address": f"https://{public[0]}" if public else None,
        "hosts": hosts,
        "conditions": conditions,
    }


def complete_address(reader: registry_reader.Reader, name: str, status: manifests.Manifest, unseen: Callable[[str], object] = lambda _why: None) -> None:
    """Find the public URL by the registry's Route where the status names none: operators before v0.2.20 do not list it among the hosts.

    `unseen` is told why it cannot be read.
    """
    if status["address"] is not None or not reader.capabilities.has_metadata_server:
        return
    route = visibility.seen(lambda: reader.route(f"{name}-https"), None, unseen, "the public URLs of registries", served=lambda: reader.serves(kinds.ROUTES))
    host = manifests.at(route, ("spec", "host"))
    status["address"] = f"https://{host}" if host else None
