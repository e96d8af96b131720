# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may use a registry, as the RoleBindings of the cluster grant it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from . import manifests, marks, ownership, permissions


@dataclass(frozen=True)
class Binding:
    """A RoleBinding that concerns one registry, with its subjects as grants, in their order."""

    manifest: manifests.Manifest = field(repr=False)
    grants: tuple[permissions.Grant, ...]
    # To the registry's Role, and not to the one of the product's documentation.
    grants_access: bool
    owner: marks.Owner

    @property
    def ours(self) -> bool:
        """Whether it is the dashboard's or ours: by the labels that the dashboard lists by."""
        return self.owner.is_ours

    @property
    def operators(self) -> bool:
        """Whether the operator made it, for the registry's own Group."""
        return self.owner.whose == marks.REGISTRY

    @property
    def name(self) -> str:
        """The name of the RoleBinding."""
        return str(self.manifest["metadata"]["name"])


def bindings_of(target: permissions.Target, live: Iterable[manifests.Manifest]) -> list[Binding]:
    """Those of a namespace's RoleBindings that concern a registry; one that is being deleted grants nothing any more."""
    roles = target.roles
    return [
        _binding(target, manifest)
        for manifest in live
        if manifest["roleRef"]["kind"] == "Role" and manifest["roleRef"]["name"] in roles and "deletionTimestamp" not in manifest["metadata"]
    ]


def _binding(target: permissions.Target, manifest: manifests.Manifest) -> Binding:
    labels = manifest["metadata"].get("labels") or {}
    return Binding(
        manifest=manifest,
        grants=tuple(grant_of_subject(subject, labels.get(permissions.PROJECT_LABEL) == "true") for subject in manifest.get("subjects") or ()),
        grants_access=manifest["roleRef"]["name"] == target.role,
        owner=ownership.owner_of("RoleBinding", manifest, target.name),
    )


def present_bindings(target: permissions.Target, bindings: Iterable[Binding]) -> dict[tuple[str, str], Binding]:
    """The binding that makes each grant as the dashboard sees it: by the first subject of those that it shows.

    Of several for one subject every run takes the same: one that the dashboard shows as a project, that the present registry owns, the oldest.
    """

    def order(binding: Binding) -> tuple[bool, bool, str, str]:
        metadata = binding.manifest["metadata"]
        is_project = (metadata.get("labels") or {}).get(permissions.PROJECT_LABEL) == "true"
        return not is_project, not ownership.is_owned_by(binding.manifest, target.uid), metadata.get("creationTimestamp", ""), binding.name

    present: dict[tuple[str, str], Binding] = {}
    for binding in sorted(bindings, key=order):
        if binding.grants_access and binding.grants and (binding.ours or binding.operators):
            present.setdefault(binding.grants[0].key, binding)
    return present


@dataclass(frozen=True)
class LiveGrants:
    """Who may use a registry by the RoleBindings of its namespace: those that concern it, and by subject the one that makes each grant."""

    target: permissions.Target
    # The names of all RoleBindings that were read.
    names: frozenset[str]
    bindings: Sequence[Binding]
    present: Mapping[tuple[str, str], Binding]

    @classmethod
    def of(cls, target: permissions.Target, live: Sequence[manifests.Manifest]) -> LiveGrants:
        """What the RoleBindings of a namespace say of a registry."""
        bindings = bindings_of(target, live)
        return cls(target, frozenset(map(manifests.name_of, live)), bindings, present_bindings(target, bindings))


def ownerless(target: permissions.Target, live: Iterable[manifests.Manifest]) -> list[manifests.Manifest]:
    """The RoleBindings of the dashboard and this collection for a registry that nothing deletes with it: they would grant access to the next of its name."""
    return [binding.manifest for binding in bindings_of(target, live) if binding.ours and not binding.manifest["metadata"].get("ownerReferences")]


def grant_of_subject(subject: manifests.Manifest, of_project: bool) -> permissions.Grant:
    """The grant that a RoleBinding's subject stands for; `of_project` tells whether its labels show it as a project."""
    name = subject["name"]
    if subject["kind"] == "ServiceAccount":
        return permissions.Grant("service_accounts", name, subject.get("namespace", ""))
    if subject["kind"] == "Group":
        return (
            permissions.Grant("projects", name[len(permissions.PROJECT_PREFIX) :])
            if of_project and name.startswith(permissions.PROJECT_PREFIX)
            else permissions.Grant("groups", name)
        )
    return permissions.account_of_user(name) or permissions.Grant("users", name)


def permissions_result(live: LiveGrants, group: manifests.Manifest | None) -> manifests.Manifest:
    """Who may use a registry, in the shape of the options. Bindings of others are not in it; `members` only where there is such a Group."""
    return as_options({grant for binding in live.bindings if binding.ours and binding.grants_access for grant in binding.grants}, group)


def as_options(grants: Iterable[permissions.Grant], group: manifests.Manifest | None) -> manifests.Manifest:
    """Grants, and the members of a registry's own Group where there is one, in the shape of the options."""
    ordered = sorted(grants, key=lambda grant: (grant.namespace, grant.name))
    shape: manifests.Manifest = {kind: [grant.name for grant in ordered if grant.kind == kind] for kind in permissions.WORDS}
    shape["service_accounts"] = [{"namespace": grant.namespace, "name": grant.name} for grant in ordered if grant.kind == "service_accounts"]
    return shape if group is None else {**shape, permissions.MEMBERS: sorted(set(group.get("users") or ()))}
