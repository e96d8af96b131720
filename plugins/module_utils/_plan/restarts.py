# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a registry's server is older than the data that it reads, so that it has to be restarted."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from .._model import desired_state, kinds, live_state, manifests, marks, server_pods
from . import changeset

# A ConfigMap or Secret, and those of its keys that a server reads; none stands for all.
Source = tuple[manifests.Manifest, Collection[str]]
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
# As managedFields name them.
POD_TEMPLATE = ("f:spec", "f:template")
RESTART_MARK = (*POD_TEMPLATE, "f:metadata", "f:annotations", f"f:{RESTARTED_AT}")


def restart_of(wanted: desired_state.Registry, now: datetime, deployment: manifests.Manifest | None) -> changeset.Change:
    """What restarts a registry's server, whose Deployment this is."""
    stamp = manifests.time_text(now)
    last = manifests.at(deployment, ("spec", "template", "metadata", "annotations", RESTARTED_AT))
    if last == stamp:
        # Of the same second: the same stamp once more would restart nothing.
        stamp = manifests.time_text(now + timedelta(seconds=1))
    body = manifests.nested(("spec", "template", "metadata", "annotations", RESTARTED_AT), stamp)
    return changeset.Change("restart", "Deployment", wanted.namespace, wanted.name, (), "PATCH", kinds.DEPLOYMENTS, body)


def is_outdated(live: live_state.Live, sources: Iterable[Source], about_to_change: bool = False) -> bool:
    """Whether the server is older than the data of a Secret or ConfigMap that it reads, or will be, and is not being replaced already."""
    newest = server_pods.newest_pod(live.pods)
    start = None if newest is None else _earliest_start(newest)
    if start is None:
        # A server that was never started reads everything when it is.
        return False
    if about_to_change:
        return True
    return is_unread(live, sources, start)


def is_unread(live: live_state.Live, sources: Iterable[Source], start: datetime) -> bool:
    """Whether data was written after a server's start, and the server was not restarted for it."""
    asked, rolled = _newest_change(live.deployment, RESTART_MARK), _newest_change(live.deployment, POD_TEMPLATE)
    return any(_is_newer(source, keys, start, rolled) and not (asked and asked >= changed_at(source, keys)) for source, keys in sources)


def _earliest_start(pod: manifests.Manifest) -> datetime | None:
    """The earliest time by the API server's clock at which the registry server of a pod can have been started last.

    The clock of a node may be ahead or behind. How long after the node had seen the pod it started the server is right by any clock.
    """
    started = server_pods.server_start(pod)
    if started is None:
        return None
    created, seen = manifests.parsed(pod["metadata"]["creationTimestamp"]), manifests.at(pod, ("status", "startTime"))
    return max(created, min(started, created + (started - manifests.parsed(seen or started.isoformat()))))


def _newest_change(deployment: manifests.Manifest | None, fields: tuple[str, ...]) -> datetime | None:
    """When one of these fields of a Deployment was last changed, by the API server's clock: a stamp in it would be of another one."""
    entries = manifests.at(deployment, ("metadata", "managedFields")) or []
    return max(
        (manifests.parsed(entry["time"]) for entry in entries if "time" in entry and manifests.at(entry, ("fieldsV1", *fields)) is not None), default=None
    )


def changed_at(source: manifests.Manifest, keys: Collection[str] = ()) -> datetime:
    """When these keys of a Secret or ConfigMap were last written, or any of its data.

    A field manager has one time for all that it wrote: a key can seem to be newer than it is, but never older.
    """
    entries = [
        entry for entry in source["metadata"].get("managedFields") or [] if "time" in entry and not marks.DATA_FIELDS.isdisjoint(entry.get("fieldsV1") or {})
    ]
    writers = {key: [entry for entry in entries if any(f"f:{key}" in (part or {}) for part in entry["fieldsV1"].values())] for key in keys}
    if writers and all(writers.values()):
        entries = [entry for found in writers.values() for entry in found]
    return max((manifests.parsed(entry["time"]) for entry in entries), default=manifests.parsed(source["metadata"]["creationTimestamp"]))


def _is_newer(source: manifests.Manifest, keys: Collection[str], start: datetime, rolled: datetime | None) -> bool:
    changed, created = changed_at(source, keys), manifests.parsed(source["metadata"]["creationTimestamp"])
    # All times are whole seconds. In the same second the data counts as newer only if it was written again after the object was made, and the
    # server was not replaced in that second too, as it is after a change of the password together with the login.
    return changed > start or (changed == start and changed > created and not (rolled and rolled >= changed))
