# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests without what takes memory and tells nothing."""

from __future__ import annotations

from collections.abc import Callable

from .._model import kinds, manifests, marks
from .._plan import restarts

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def trimmed(manifest: manifests.Manifest) -> manifests.Manifest:
    """A manifest without its history and without the copy of itself that `kubectl apply` leaves."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key != "managedFields"}
    annotations = metadata.get("annotations") or {}
    if LAST_APPLIED in annotations:
        metadata["annotations"] = {name: value for name, value in annotations.items() if name != LAST_APPLIED}
    return {**manifest, "metadata": metadata}


def trimmed_registry(registry: manifests.Manifest) -> manifests.Manifest:
    """A registry, of its history only who wrote the options and when."""
    kept = _with_history(registry, lambda fields: {part: value for part, value in fields.items() if part in ("f:metadata", "f:spec")})
    history = [entry for entry in kept["metadata"]["managedFields"] if entry["fieldsV1"]]
    return manifests.merged(trimmed(registry), {"metadata": {"managedFields": history}})


def trimmed_source(held: manifests.Manifest) -> manifests.Manifest:
    """A ConfigMap or Secret, of its history only who changed which keys and when."""
    return _with_history(held, lambda fields: {part: keys for part, keys in fields.items() if part in marks.DATA_FIELDS})


def trimmed_binding(binding: manifests.Manifest) -> manifests.Manifest:
    """A RoleBinding, of its history only who wrote it and when."""
    return _with_history(binding, lambda _fields: {})


def trimmed_group(group: manifests.Manifest) -> manifests.Manifest:
    """A Group, of its history only who changed the members and when."""
    return _with_history(group, lambda fields: {"f:users": {}} if "f:users" in fields else {})


def trimmed_deployment(deployment: manifests.Manifest) -> manifests.Manifest:
    """A Deployment, of its history only what tells who changed the pod template and its annotations."""
    first, second = restarts.POD_TEMPLATE

    def template(fields: manifests.Manifest) -> manifests.Manifest:
        changed = manifests.at(fields, restarts.POD_TEMPLATE)
        return {} if changed is None else {first: {second: {key: value for key, value in changed.items() if key == "f:metadata"}}}

    return _with_history(deployment, template)


def _with_history(manifest: manifests.Manifest, keep: Callable[[manifests.Manifest], manifests.Manifest]) -> manifests.Manifest:
    entries = manifest["metadata"].get("managedFields") or []
    return {**manifest, "metadata": {**manifest["metadata"], "managedFields": [{**entry, "fieldsV1": keep(entry.get("fieldsV1") or {})} for entry in entries]}}


def trimmed_pod(pod: manifests.Manifest) -> manifests.Manifest:
    """A pod's labels, containers' names, and status."""
    names = [{"name": container["name"], "image": container.get("image")} for container in pod["spec"]["containers"]]
    return {"metadata": trimmed(pod)["metadata"], "spec": {"containers": names}, "status": pod.get("status") or {}}


def trimmed_role(role: manifests.Manifest) -> manifests.Manifest:
    return {"metadata": {"name": role["metadata"]["name"]}, "rules": role.get("rules")}


# What plans look at. The rest of a thousand objects of each kind would fill the memory.
OF_KIND = {
    **dict.fromkeys(kinds.REGISTRIES, trimmed_registry),
    **dict.fromkeys(kinds.APIS.values(), trimmed_source),
    **dict.fromkeys((kinds.ROLE_BINDINGS, kinds.CLUSTER_ROLE_BINDINGS), trimmed_binding),
    **dict.fromkeys((kinds.ROLES, kinds.CLUSTER_ROLES), trimmed_role),
    kinds.USER_GROUPS: trimmed_group,
    kinds.DEPLOYMENTS: trimmed_deployment,
    kinds.PODS: trimmed_pod,
}
