# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to go so that nothing of a registry is left, and what stays because it is somebody else's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _manifests, _plan, _registry

OPERATOR_FINALIZER = "modelregistry.opendatahub.io/finalizer"
# The key under which the dashboard stores an uploaded CA.
UPLOADED_KEY = "ca.crt"


@dataclass(frozen=True)
class Remains:
    """Everything in a cluster that can be of one registry, at this moment."""

    capabilities: _plan.Capabilities
    registry: _manifests.Manifest | None = None
    # Whether a database that was generated for it is there; also beside an external one, to which the registry was moved later.
    has_generated_database: bool = False
    # The Secret that the registry names, and all whose name begins as that of this registry's password; without their data.
    secrets: tuple[_manifests.Manifest, ...] = ()
    # The ConfigMaps that are named as the dashboard names uploaded CAs of this registry.
    config_maps: tuple[_manifests.Manifest, ...] = ()
    cluster_role_binding: _manifests.Manifest | None = None
    # Those that the dashboard or this collection made for it, and that no owner takes along.
    role_bindings: tuple[_manifests.Manifest, ...] = ()
    # The other registries of the namespace, as the run will leave them.
    others: tuple[_manifests.Manifest, ...] = ()
    inference_services: tuple[_manifests.Manifest, ...] = ()
    # What could not be looked at, as a sentence for each.
    unseen: tuple[str, ...] = ()


def auth_delegator(registry: str) -> str:
    """The name of the ClusterRoleBinding that the operator makes for a registry, and leaves behind."""
    return f"{registry}-auth-delegator"


def registry_of(binding: _manifests.Manifest, namespace: str) -> str | None:
    """The registry of this namespace to whose service account a ClusterRoleBinding gives what the operator gives it, and nothing else; None when it is none."""
    subjects = binding.get("subjects") or []
    name = subjects[0].get("name") if len(subjects) == 1 else None
    account = {"kind": "ServiceAccount", "namespace": namespace, "name": name}
    is_one = name and {key: subjects[0].get(key) for key in account} == account and binding["metadata"]["name"] == auth_delegator(name)
    return name if is_one and _manifests.at(binding, ("roleRef", "name")) == "system:auth-delegator" else None


def upload_prefix(registry: str) -> str:
    """How the names of the ConfigMaps begin that the dashboard and this collection make for uploaded CAs of a registry."""
    return f"{registry}-db-credential"


def is_upload(config_map: str, registry: str) -> bool:
    """Whether a ConfigMap has a name that the dashboard gives to an uploaded CA of this registry."""
    return re.fullmatch(re.escape(upload_prefix(registry)) + r"(-[2-9]|-[1-9]\d+)?", config_map) is not None


def is_own_upload(config_map: _manifests.Manifest) -> bool:
    """Whether a ConfigMap is as the dashboard and this collection make it for an uploaded CA."""
    metadata = config_map["metadata"]
    return set(config_map.get("data") or {}) == {UPLOADED_KEY} and not metadata.get("labels") and not metadata.get("ownerReferences")


def is_going(registry: _manifests.Manifest) -> bool:
    """Whether somebody has deleted the registry already, with its generated database, and it is only still there."""
    return "deletionTimestamp" in registry["metadata"]


def plan_deletion(unwanted: _registry.Registry, remains: Remains, consent: _registry.Consent) -> _plan.Plan:
    """What deletes the registry and everything that was made for it alone."""
    registry, name = remains.registry, unwanted.name
    generated = remains.has_generated_database or _manifests.live_type(registry) == _registry.GENERATED
    if registry is not None and generated and not consent.delete_data and not is_going(registry):
        remedy = "Set delete_data to true when the database may be deleted with everything in it, or move it to an external database first"
        return _plan.Plan(
            problems=(_registry.Problem("delete_data", f"is needed: registry {name!r} has a generated database, which is deleted with it", remedy, False),)
        )
    changes: list[_plan.Change] = []
    kept: list[_manifests.Manifest] = []
    if registry is not None:
        changes.append(_plan.deletion(_manifests.KIND, remains.capabilities.api, registry))
        kept += _kept_database(registry)
    for secret in remains.secrets:
        reason = _reason_to_keep_secret(secret, name, remains.others)
        if reason is None:
            changes.append(_plan.deletion("Secret", _plan.SECRETS, secret))
        elif registry is not None and secret["metadata"]["name"] == _password_secret(registry):
            kept.append({"kind": "Secret", "name": secret["metadata"]["name"], "reason": reason})
    for config_map in remains.config_maps:
        reason = _reason_to_keep_config_map(config_map, remains.others)
        if reason is None:
            changes.append(_plan.deletion("ConfigMap", _plan.CONFIG_MAPS, config_map))
        else:
            kept.append({"kind": "ConfigMap", "name": config_map["metadata"]["name"], "reason": reason})
    changes += [_plan.deletion("RoleBinding", _plan.ROLE_BINDINGS, binding) for binding in remains.role_bindings]
    delegator = remains.cluster_role_binding
    if delegator is not None and registry_of(delegator, unwanted.namespace) == name:
        # The last one: it shows later runs what is left of a registry that is no more.
        changes.append(_plan.deletion("ClusterRoleBinding", _plan.CLUSTER_ROLE_BINDINGS, delegator))
    warnings = [*remains.unseen, *_users(remains.inference_services, name)]
    return _plan.Plan(tuple(changes), tuple(warnings), kept=tuple(kept))


def _password_secret(registry: _manifests.Manifest) -> str | None:
    return (_manifests.live_database(registry).get("passwordSecret") or {}).get("name")


def _kept_database(registry: _manifests.Manifest) -> list[_manifests.Manifest]:
    database = _manifests.registry_result(registry).get("database") or {}
    host = database.get("host") or _manifests.live_database(registry).get("hostAddress")
    if not host:
        return []
    name = f"{database.get('name', '')} on {host}:{database.get('port', '')}"
    return [{"kind": database["type"], "name": name, "reason": "an external database is never deleted"}]


def _reason_to_keep_secret(secret: _manifests.Manifest, registry: str, others: Iterable[_manifests.Manifest]) -> str | None:
    name = secret["metadata"]["name"]
    if not _plan.is_ours(secret, registry):
        return "it is somebody else's: it was not made by the dashboard or this collection for this registry"
    users = [other["metadata"]["name"] for other in others if ("Secret", name) in _manifests.named_objects(other)]
    return f"registry {users[0]!r} uses it too" if users else None


def _reason_to_keep_config_map(config_map: _manifests.Manifest, others: Iterable[_manifests.Manifest]) -> str | None:
    metadata = config_map["metadata"]
    if not is_own_upload(config_map):
        return "it is somebody else's: it is not as the dashboard or this collection makes it"
    users = [other["metadata"]["name"] for other in others if ("ConfigMap", metadata["name"]) in _manifests.named_objects(other)]
    return f"registry {users[0]!r} uses it too" if users else None


def _users(inference_services: Iterable[_manifests.Manifest], registry: str) -> list[str]:
    names = sorted(f"{service['metadata']['namespace']}/{service['metadata']['name']}" for service in inference_services)
    if not names:
        return []
    return [f"InferenceServices refer to registry {registry!r} and lose their models' history: {', '.join(names)}"]


def why_not_deleted(registry: _manifests.Manifest, serves_http_routes: bool) -> str:
    """Why a registry that was deleted is still there, in words, with what to do."""
    metadata = registry["metadata"]
    others = [finalizer for finalizer in metadata.get("finalizers") or [] if finalizer != OPERATOR_FINALIZER]
    if others:
        return f"it is held by the finalizer {', '.join(others)}, which is not the operator's: whoever set it has to remove it"
    conditions = _manifests.at(registry, ("status", "conditions")) or []
    finalizing = any(entry["type"] == "Degraded" and entry.get("reason") == "Finalizing" for entry in conditions)
    if not finalizing:
        return "the operator has not begun to take it down: check that the model registry operator runs"
    if not serves_http_routes:
        remedy = "Install the CustomResourceDefinitions of the Gateway API; the operator goes on within minutes"
        return f"the operator cannot finish, because this cluster does not serve HTTPRoute (gateway.networking.k8s.io/v1), which it wants to look at. {remedy}"
    return "the operator has begun to take it down and has not finished: its log tells why"
