# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes on their way to the API server: the rights that they need, and the requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from .. import _errors
from .._model import kinds, manifests, marks
from .._plan import changeset
from . import client

# How often a plan is made anew because somebody else wrote in between, or because a write got no answer.
PLANS = 4
# Which of some rights an account does not have in a namespace.
MissingRights = Callable[[str, Iterable[client.Right]], list[client.Right]]


def rights_problems(missing_rights: MissingRights, namespace: str, changes: Iterable[changeset.Change]) -> list[_errors.Problem]:
    """Each right that changes need and the account does not have. What it may do to all objects of a kind is asked only once."""
    verbs = {"POST": ("create",), "PATCH": ("patch",), "DELETE": ("delete",)}
    needed: dict[str, dict[client.Right, list[str]]] = {namespace: {}, "": {}}
    for change in changes:
        if change.begun:
            continue
        for verb in ("patch", "delete") if is_announced(change) else verbs[change.verb]:
            right = client.Right(verb, change.api[0].rpartition("/")[0], change.api[1])
            needed[namespace if change.namespace else ""].setdefault(right, []).append(change.name)
    missing: list[client.Right] = []
    for where, rights in needed.items():
        for right in missing_rights(where, rights):
            # A right can be given for objects of one name, but not to create them.
            missing += [right] if right.verb == "create" else missing_rights(where, [replace(right, name=name) for name in rights[right]])
    if not missing:
        return []
    listed = ", ".join(dict.fromkeys(str(replace(right, name="")) for right in missing))
    remedy = "Bind the account to a Role with these permissions, as in rbac/ or in the output of the playbook modelops.openshift_ai.rbac; nothing was written"
    return [_errors.Problem("namespace", f"the account in use lacks permission to: {listed}", remedy, namespace)]


def send(cluster: client.Cluster, change: changeset.Change, dry_run: bool) -> manifests.Manifest:
    """Carry out one change, or let the server try it. ClusterError when it is refused; that something to delete does not exist anymore is none."""
    try:
        return cluster.write(change.verb, change.api, change.namespace, change.name, change.body, dry_run)
    except _errors.ClusterError as error:
        if change.verb == "DELETE" and error.status == _errors.NOT_FOUND:
            return {}
        raise


def is_announced(change: changeset.Change) -> bool:
    """Whether a deletion is announced first: that of what others may begin to rely on."""
    return change.action == "delete" and change.kind in kinds.APIS


def announced(cluster: client.Cluster, change: changeset.Change) -> changeset.Change | None:
    """Announce a deletion: the deletion of what is announced and was not changed since, or None where it does not exist anymore."""
    version = change.body["preconditions"].get("resourceVersion")
    try:
        answer = annotate(cluster, change, version, resourceVersion=version)
    except _errors.ClusterError as error:
        if error.status != _errors.NOT_FOUND:
            raise
        return None
    preconditions = {**change.body["preconditions"], "resourceVersion": answer["metadata"]["resourceVersion"]}
    return replace(change, body={**change.body, "preconditions": preconditions})


def annotate(cluster: client.Cluster, change: changeset.Change, value: str | None, **metadata: str | None) -> manifests.Manifest:
    """Announce the deletion that a change is, or take that back."""
    body = {"metadata": {**metadata, "annotations": {marks.LEAVING: value}}}
    return cluster.write("PATCH", change.api, change.namespace, change.name, body, False)
