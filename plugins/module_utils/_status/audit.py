# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who gets into a registry and through which binding, by what the bindings and roles of the cluster say."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from .._model import manifests, permissions, role_bindings


@dataclass(frozen=True)
class Access:
    """Somebody who may get Services, which is what the proxy of a registry asks for (operator v0.3.14), by another Role than a registry's own."""

    entry: manifests.Manifest = field(repr=False)
    # The Services of these names; None for all of the namespace.
    services: frozenset[str] | None = None


def access_of(target: permissions.Target, live: Iterable[manifests.Manifest], others: Iterable[Access] = ()) -> list[manifests.Manifest]:
    """An entry for each subject of the RoleBindings of a registry, and for those of `others` who are let in by its name."""
    let_in = [other for other in others if other.services is None or target.name in other.services]
    # The Role that the product's documentation names does not exist, unless somebody has made it.
    effective = {other.entry["through"] for other in let_in if other.entry["through_kind"] == "RoleBinding"}
    found = [
        _entry(grant, "RoleBinding", binding.manifest, _maker(binding), binding.grants_access)
        for binding in role_bindings.bindings_of(target, live)
        if binding.name not in effective
        for grant in binding.grants
    ]
    return found + [other.entry for other in let_in if other.services is not None]


def access_by_other_roles(
    namespaced: Iterable[manifests.Manifest],
    roles: Iterable[manifests.Manifest],
    cluster_role_bindings: Iterable[manifests.Manifest],
    cluster_roles: Iterable[manifests.Manifest],
    own_roles: Collection[str],
) -> list[Access]:
    """Everybody who may use registries of a namespace by bindings to other Roles than the registries' `own_roles`. The first two lists are the namespace's."""
    services: dict[tuple[str, str], frozenset[str] | None] = {("Role", role["metadata"]["name"]): services_of(role) for role in roles}
    services.update({("ClusterRole", role["metadata"]["name"]): services_of(role) for role in cluster_roles})
    found = []
    for kind, bindings in (("RoleBinding", namespaced), ("ClusterRoleBinding", cluster_role_bindings)):
        for binding in bindings:
            role = binding["roleRef"]["kind"], binding["roleRef"]["name"]
            # A Role that does not exist gives no rights.
            opened = services.get(role, frozenset())
            if (opened is None or opened) and not (role[0] == "Role" and role[1] in own_roles):
                grants = [role_bindings.grant_of_subject(subject, False) for subject in binding.get("subjects") or ()]
                found += [Access(_entry(grant, kind, binding, "other", True), opened) for grant in grants]
    return found


def services_of(role: manifests.Manifest) -> frozenset[str] | None:
    """The names of the Services that a Role or ClusterRole lets its subjects get; None for all of them."""
    names: set[str] = set()
    for rule in role.get("rules") or ():
        if all(_holds(rule.get(part), wanted) for part, wanted in (("verbs", "get"), ("apiGroups", ""), ("resources", "services"))):
            if not rule.get("resourceNames"):
                return None
            names.update(rule["resourceNames"])
    return frozenset(names)


def groups_of(entries: Iterable[manifests.Manifest], live: Iterable[manifests.Manifest]) -> list[manifests.Manifest]:
    """The users of the groups that have access, of those that the cluster knows."""
    named = {entry["name"] for entry in entries if entry["kind"] == "group"}
    found = []
    for group in live:
        if group["metadata"]["name"] in named:
            last = manifests.last_write(group)
            users = sorted(set(group.get("users") or ()))
            found.append({"name": group["metadata"]["name"], "users": users, "last_changed_at": last["time"], "last_changed_by": last["manager"]})
    return sorted(found, key=lambda group: str(group["name"]))


def _holds(values: Collection[str] | None, wanted: str) -> bool:
    return wanted in (values or ()) or "*" in (values or ())


def _maker(binding: role_bindings.Binding) -> str:
    if binding.operators:
        return "operator"
    return "dashboard-or-collection" if binding.ours else "other"


def _entry(grant: permissions.Grant, kind: str, binding: manifests.Manifest, made_by: str, effective: bool) -> manifests.Manifest:
    last = manifests.last_write(binding)
    return {
        # As the option that lists such a subject.
        "kind": grant.kind.removesuffix("s"),
        "name": grant.name,
        "namespace": grant.namespace or None,
        "through": binding["metadata"]["name"],
        "through_kind": kind,
        "role": binding["roleRef"]["name"],
        "made_by": made_by,
        "created_at": binding["metadata"].get("creationTimestamp"),
        "last_changed_at": last["time"],
        "last_changed_by": last["manager"],
        "effective": effective,
        "everybody": grant.is_everybody,
        "platform": grant.is_platform,
    }
