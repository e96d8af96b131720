# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to go so that nothing of a registry is left, and what stays because it is somebody else's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .. import _errors, _options
from .._model import custom_resource, desired_state, kinds, manifests, ownership
from . import changeset

OPERATOR_FINALIZER = "modelregistry.opendatahub.io/finalizer"


@dataclass(frozen=True)
class Remains:
    """Everything in a cluster that can be of one registry, at this moment."""

    capabilities: kinds.Capabilities
    registry: manifests.Manifest | None = None
    # The registry as it was before this run deleted it.
    last: manifests.Manifest = field(default_factory=dict)
    # Whether a database that was generated for it is there; also beside an external one, to which the registry was moved later.
    has_generated_database: bool = False
    # The Secret that the registry names, and all whose name begins as that of this registry's password.
    secrets: tuple[manifests.Manifest, ...] = ()
    # The ConfigMaps that are named as the dashboard names uploaded CAs of this registry, and the one that it reads.
    config_maps: tuple[manifests.Manifest, ...] = ()
    cluster_role_binding: manifests.Manifest | None = None
    # Those that the dashboard or this collection made for it, and that no owner takes along.
    role_bindings: tuple[manifests.Manifest, ...] = ()
    # The other registries of the namespace, as the run will leave them.
    others: tuple[manifests.Manifest, ...] = ()
    inference_services: tuple[manifests.Manifest, ...] = ()
    # The Group with the name of the registry's own, where it can be seen.
    group: manifests.Manifest | None = None
    # What could not be looked at, as a sentence for each.
    unseen: tuple[str, ...] = ()


def is_going(registry: manifests.Manifest) -> bool:
    """Whether somebody has deleted the registry already, with its generated database, and it is only still there."""
    return "deletionTimestamp" in registry["metadata"]


def plan_deletion(unwanted: desired_state.Registry, remains: Remains, consent: desired_state.Consent) -> changeset.Plan:
    """What deletes the registry and everything that was made for it alone."""
    registry, name = remains.registry, unwanted.name
    generated = remains.has_generated_database or custom_resource.live_type(registry) == _options.GENERATED
    if registry is not None and generated and not consent.delete_data and not is_going(registry):
        remedy = "Set delete_data to true to delete the database with all of its data, or first move the data to an external database"
        return changeset.Plan(
            problems=(
                _errors.Problem("delete_data", f"is required: registry {name!r} has a generated database, which is deleted together with it", remedy, False),
            )
        )
    foreign = ownership.foreign(kinds.USER_GROUP, remains.group, name) if remains.group else None
    if registry is not None and foreign and not is_going(registry):
        remedy = "Copy its members to a group with another name, and delete it"
        return changeset.Plan(problems=(_errors.Problem("name", f"cannot be deleted: the operator would also delete {foreign}", remedy, name),))
    changes: list[changeset.Change] = []
    kept: list[manifests.Manifest] = []
    others = [other for other in remains.others if not is_going(other)]
    if registry is not None:
        changes.append(changeset.deletion(kinds.KIND, remains.capabilities.api, registry))
        kept += _kept_database(registry)
    named = (custom_resource.live_database(registry).get("passwordSecret") or {}).get("name")
    for kind, objects in (("Secret", remains.secrets), ("ConfigMap", remains.config_maps)):
        for manifest in objects:
            held = manifest["metadata"]["name"]
            readers = [other["metadata"]["name"] for other in others if (kind, held) in custom_resource.named_objects(other)]
            owner = ownership.owner_of(kind, manifest, name, readers)
            maker = ownership.left_by(held, (other["metadata"]["name"] for other in others))
            if maker and not owner.is_ours and (kind, held) in custom_resource.named_objects(registry or remains.last):
                # It was made for a registry that is no more, and was left because this one read it.
                owner = ownership.owner_of(kind, manifest, maker, readers)
            if owner.is_ours:
                changes.append(changeset.deletion(kind, kinds.APIS[kind], manifest))
            elif kind == "ConfigMap" or held == named:
                kept.append({"kind": kind, "name": held, "reason": f"it is {owner}"})
    changes += [changeset.deletion("RoleBinding", kinds.ROLE_BINDINGS, binding) for binding in remains.role_bindings]
    delegator = remains.cluster_role_binding
    if delegator is not None and ownership.registry_of(delegator, unwanted.namespace) == name:
        # The last one: it shows later runs what is left of a registry that is no more.
        changes.append(changeset.deletion("ClusterRoleBinding", kinds.CLUSTER_ROLE_BINDINGS, delegator))
    warnings = [*remains.unseen, *_users(remains.inference_services, name), *(ownership.tool_warnings(registry) if registry else ())]
    return changeset.Plan(tuple(changes), tuple(warnings), kept=tuple(kept))


def _kept_database(registry: manifests.Manifest) -> list[manifests.Manifest]:
    database = custom_resource.registry_result(registry).get("database") or {}
    host = database.get("host") or custom_resource.live_database(registry).get("hostAddress")
    if not host:
        return []
    name = f"{database.get('name', '')} on {host}:{database.get('port', '')}"
    return [{"kind": database["type"], "name": name, "reason": "an external database is never deleted"}]


def _users(inference_services: Iterable[manifests.Manifest], registry: str) -> list[str]:
    names = sorted(f"{service['metadata']['namespace']}/{service['metadata']['name']}" for service in inference_services)
    if not names:
        return []
    return [f"InferenceServices refer to registry {registry!r} and lose the history of their models: {', '.join(names)}"]


def why_not_deleted(registry: manifests.Manifest, serves_http_routes: bool) -> str:
    """Why a registry that was deleted is still there, in words, with what to do."""
    metadata = registry["metadata"]
    others = [finalizer for finalizer in metadata.get("finalizers") or [] if finalizer != OPERATOR_FINALIZER]
    if others:
        return f"the finalizer {', '.join(others)} blocks its deletion, and must be removed by the component that set it"
    if (manifests.condition(registry, "Degraded") or {}).get("reason") != "Finalizing":
        return "the operator has not started the deletion. Check that the model registry operator is running"
    if not serves_http_routes:
        remedy = "Install the CustomResourceDefinitions of the Gateway API; the operator continues within minutes"
        return f"the operator cannot finish, because it requires the API HTTPRoute (gateway.networking.k8s.io/v1), which is not available. {remedy}"
    return "the operator has not finished the deletion. See the log of the model registry operator"
