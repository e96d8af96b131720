# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pods of a registry: which one counts, and how often its server was started."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from . import custom_resource, manifests

SERVER = "rest-container"
# Of a generated database. A cluster may add containers of its own to any pod.
DATABASE = "postgres"
# The label of every pod that the operator makes: of servers and of generated databases.
POD_LABELS = "component=model-registry"


def database_container(containers: list[manifests.Manifest]) -> manifests.Manifest:
    """The container (or its status) that connects to the database: the server, or with operators before v0.2.20 the metadata server beside it."""
    return next((container for name in ("grpc-container", SERVER) for container in containers if container["name"] == name), {})


def is_database_pod(pod: manifests.Manifest, registry: str) -> bool:
    """Whether a pod that has a registry's labels is of its generated database, and not of its server."""
    return bool(manifests.at(pod, ("metadata", "labels", "app.kubernetes.io/name")) == custom_resource.GeneratedDatabase(registry).host)


def running_database_pod(pods: Iterable[manifests.Manifest], registry: str) -> manifests.Manifest | None:
    """The pod of a registry's generated database that accepts connections, as far as is known: a database does before its pod is ready."""
    running = [pod for pod in pods if is_database_pod(pod, registry) and _runs(pod, DATABASE)]
    return newest_pod(tuple(filter(is_ready, running))) or newest_pod(tuple(running))


def _runs(pod: manifests.Manifest, container: str) -> bool:
    statuses = manifests.at(pod, ("status", "containerStatuses")) or []
    return any(status["name"] == container and manifests.at(status, ("state", "running")) is not None for status in statuses)


def newest_pod(pods: tuple[manifests.Manifest, ...]) -> manifests.Manifest | None:
    """The pod that was made last and is not being deleted: the one of the current template while a Deployment rolls.

    Of those that were made in the same second it is one that is not ready: a Deployment rolls on only because there is one.
    """
    candidates = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    return max(candidates, key=lambda pod: (str(pod["metadata"]["creationTimestamp"]), not is_ready(pod)), default=None)


def is_ready(pod: manifests.Manifest) -> bool:
    return (manifests.condition(pod, "Ready") or {}).get("status") == "True"


def previous_runs(pods: tuple[manifests.Manifest, ...]) -> bool:
    """Whether a pod older than the newest one is ready, so that the registry answers although its newest pod does not."""
    newest = newest_pod(pods)
    return any(pod is not newest and is_ready(pod) for pod in pods)


def restarts(pod: manifests.Manifest) -> int:
    """How often the pod's server was started again."""
    return int(database_container(manifests.at(pod, ("status", "containerStatuses")) or []).get("restartCount", 0))


def server_run(pod: manifests.Manifest) -> manifests.Manifest | None:
    """When the server of a pod was last started, and how it ended if it has; None when it never was."""
    status = database_container(manifests.at(pod, ("status", "containerStatuses")) or [])
    runs = (manifests.at(status, path) for path in (("state", "running"), ("state", "terminated"), ("lastState", "terminated")))
    return next((run for run in runs if run and run.get("startedAt")), None)


def starts(pods: Iterable[manifests.Manifest]) -> dict[str, int]:
    """How often the server of each pod has been started, by the pod's uid."""
    return {pod["metadata"].get("uid", ""): restarts(pod) + (server_run(pod) is not None or restarts(pod) > 0) for pod in pods}


def server_start(pod: manifests.Manifest) -> datetime | None:
    """When the registry server of a pod was last started by its node's clock, also one that has ended and waits to be restarted; None when it never was."""
    run = server_run(pod)
    return None if run is None else manifests.parsed(run["startedAt"])


def image(pod: manifests.Manifest | None) -> manifests.Manifest:
    """The image of a pod's server, and the version that its tag names."""
    containers = manifests.at(pod, ("spec", "containers")) or []
    found = next((container["image"] for container in containers if container["name"] == SERVER), None)
    _repository, _colon, tag = (found or "").partition("@")[0].rpartition("/")[2].partition(":")
    return {"server_image": found, "server_version": tag or None}
