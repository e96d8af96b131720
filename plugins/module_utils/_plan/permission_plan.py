# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wanted permissions against live: the RoleBindings to write and to delete, and the members of the registry's own Group."""

from __future__ import annotations

import string
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from .. import _errors, _texts
from .._model import directory, kinds, manifests, marks, naming, ownership, permissions, role_bindings
from . import changeset

# The dashboard draws 6 characters. With 10, among 10,000 grants two share a name once in seventy million times, and none has one that the dashboard draws.
NAME_PREFIX = "dashboard-permissions-"
NAME_CHARACTERS = string.ascii_lowercase + string.digits
NAME_LENGTH = 10


def binding_name(target: permissions.Target, grant: permissions.Grant, attempt: int = 0) -> str:
    """The name of a grant's RoleBinding: as the dashboard's, but derived, so that no second run and no concurrent one grants the same twice.

    A name may be taken by somebody else's grant, because the dashboard replaces the subject of a binding in place: then the next attempt has another one.
    """
    text = "/".join((target.namespace, target.name, *grant.key, str(attempt)))
    return NAME_PREFIX + naming.derived(text, NAME_CHARACTERS, NAME_LENGTH)


def role_binding(target: permissions.Target, grant: permissions.Grant, name: str) -> manifests.Manifest:
    """The RoleBinding of a grant, as the dashboard writes it. Before there is a registry it has no owner."""
    labels = {
        "opendatahub.io/dashboard": "true",
        "app": target.name,
        "app.kubernetes.io/component": "model-registry",
        "app.kubernetes.io/part-of": "model-registry",
        "app.kubernetes.io/name": target.name,
        "component": "model-registry",
    }
    if grant.kind == "projects":
        labels[permissions.PROJECT_LABEL] = "true"
    metadata: manifests.Manifest = {"name": name, "namespace": target.namespace, "labels": labels}
    if target.uid is not None:
        metadata["ownerReferences"] = [owner_reference(target)]
    return {
        "apiVersion": kinds.ROLE_BINDINGS[0],
        "kind": kinds.ROLE_BINDING,
        "metadata": metadata,
        "roleRef": {"apiGroup": kinds.RBAC, "kind": "Role", "name": target.role},
        "subjects": [grant.subject],
    }


def owner_reference(target: permissions.Target) -> manifests.Manifest:
    """The reference by which a registry's RoleBindings are deleted with it, as the dashboard writes it."""
    return {"apiVersion": target.api_version, "kind": kinds.KIND, "name": target.name, "uid": target.uid, "blockOwnerDeletion": False}


def grant_changes(wanted: permissions.Permissions, live: role_bindings.LiveGrants, known: directory.Known) -> changeset.Plan:
    """What makes the RoleBindings of a namespace those that are wanted: first what grants, last what revokes.

    `known` is what `lookups(doubtful(...))` asked for. Changes of the same verb do not depend on each other.
    """
    target = live.target
    state = _State(wanted, {grant.key: grant for grant in wanted.grants}, live.present)
    problems, warnings = directory.doubts(directory.doubtful(wanted, live), known)
    creations = [] if wanted.revoke else _creations(target, (grant for grant in wanted.grants if grant.key not in state.present), live.names)
    updates, deletions, left = [], [], []
    for binding in live.bindings:
        kept = state.kept(binding)
        if state.may_take(binding) and not kept and (binding.grants or wanted.exclusive):
            deletions.append(_deletion(binding))
            continue
        left.append((binding, [binding.grants[index] for index in kept]))
        body = _mended(target, state, binding) if state.is_kept(binding) else {}
        if len(kept) < len(binding.grants):
            body["subjects"] = [binding.manifest["subjects"][index] for index in kept]
        if body:
            updates.append(_update(binding, body, [grant for index, grant in enumerate(binding.grants) if index not in kept]))
    return changeset.Plan((*creations, *updates, *deletions), (*warnings, *_remarks(target, state, left)), tuple(problems))


@dataclass(frozen=True)
class _State:
    """The wanted grants and the bindings that make them, by subject."""

    wanted: permissions.Permissions
    listed: Mapping[tuple[str, str], permissions.Grant]
    present: Mapping[tuple[str, str], role_bindings.Binding]

    def may_take(self, binding: role_bindings.Binding) -> bool:
        """Whether subjects of a binding may be taken away at all."""
        return (self.wanted.exclusive or self.wanted.revoke) and (binding.ours or (self.wanted.prune_unlabelled and not binding.owner.is_others))

    def is_kept(self, binding: role_bindings.Binding) -> bool:
        """Whether it is the one binding, and not the operator's, that makes a wanted grant."""
        if self.wanted.revoke or not binding.ours or not binding.grants:
            return False
        key = binding.grants[0].key
        return key in self.listed and self.present.get(key) is binding

    def kept(self, binding: role_bindings.Binding) -> list[int]:
        """Which of its subjects a binding keeps."""
        if not self.may_take(binding):
            return list(range(len(binding.grants)))
        if self.wanted.revoke:
            return [index for index, grant in enumerate(binding.grants) if grant.key not in self.listed]
        return [0] if self.is_kept(binding) else []


def _creations(target: permissions.Target, missing: Iterable[permissions.Grant], names: Iterable[str]) -> list[changeset.Change]:
    taken = set(names)
    changes = []
    for grant in missing:
        attempt = 0
        while (name := binding_name(target, grant, attempt)) in taken:
            attempt += 1
        taken.add(name)
        body = role_binding(target, grant, name)
        changes.append(changeset.Change("create", kinds.ROLE_BINDING, target.namespace, name, (grant.path,), "POST", kinds.ROLE_BINDINGS, body))
    return changes


def _mended(target: permissions.Target, state: _State, binding: role_bindings.Binding) -> manifests.Manifest:
    """What the binding of a wanted grant lacks: its owner, after the registry was made again, or the label that shows a group as a project."""
    metadata: manifests.Manifest = {}
    if not ownership.is_owned_by(binding.manifest, target.uid):
        metadata["ownerReferences"] = [owner_reference(target)]
    first = binding.grants[0]
    if first.kind == "groups" and state.listed[first.key].kind == "projects":
        metadata["labels"] = {permissions.PROJECT_LABEL: "true"}
    return {"metadata": metadata} if metadata else {}


def _update(binding: role_bindings.Binding, patch: manifests.Manifest, revoked: Iterable[permissions.Grant]) -> changeset.Change:
    fields = [f"metadata.{part}" for part in patch.get("metadata", ())] + [grant.path for grant in revoked]
    return changeset.update(kinds.ROLE_BINDING, kinds.ROLE_BINDINGS, binding.manifest, tuple(fields), patch)


def _deletion(binding: role_bindings.Binding) -> changeset.Change:
    # A difference shows the grants.
    deletion = changeset.deletion(kinds.ROLE_BINDING, kinds.ROLE_BINDINGS, binding.manifest)
    return replace(deletion, fields=tuple(grant.path for grant in binding.grants), before={})


def _remarks(target: permissions.Target, state: _State, left: Iterable[tuple[role_bindings.Binding, list[permissions.Grant]]]) -> list[str]:
    """What people should know of the bindings that stay."""
    wanted = state.wanted
    found: dict[str, list[str]] = {}
    for binding, grants in left:
        still = wanted.revoke and any(grant.key in state.listed for grant in grants)
        if not binding.grants_access:
            found.setdefault("wrong", []).append(_sentence(binding))
        elif binding.operators and still:
            found.setdefault("operators", []).append(_sentence(binding))
        elif not binding.ours and not binding.operators and (wanted.exclusive or still):
            what = f"{_sentence(binding)}, {binding.owner}" if binding.owner.is_others else _sentence(binding)
            found.setdefault("managed" if binding.owner.is_others else "others", []).append(what)
        elif binding.ours and not wanted.revoke and grants:
            found.setdefault("hidden", []).extend(f"{grant} in {binding.name!r}" for grant in grants[1:])
            if state.present.get(grants[0].key) is not binding:
                found.setdefault("doubled", []).append(str(grants[0]))
    offer = "To grant access, list them in permissions; to remove the RoleBindings, set permissions.exclusive (and prune_unlabelled if labels are missing)"
    sentences = {
        "doubled": "these subjects have access through more than one RoleBinding: {}. To remove the duplicates, set permissions.exclusive",
        "hidden": "the dashboard shows only the first subject of a RoleBinding, not {}. To remove them, set permissions.exclusive",
        "others": "not removed, because it was not created by the dashboard or this collection: {}. To remove it, set permissions.prune_unlabelled",
        "managed": "not removed, because it is managed elsewhere or does not belong to the registry: {}",
        "operators": "not removed, because the operator would create it again: {}",
        "wrong": f"bound to the Role {target.wrong_role!r} instead of {target.role!r}, and does not grant access: {{}}. {offer}",
    }
    return [f"registry {target.name!r}: {sentence.format(_texts.names_of(found[what]))}" for what, sentence in sentences.items() if found.get(what)]


def _sentence(binding: role_bindings.Binding) -> str:
    return f"RoleBinding {binding.name!r} ({_texts.names_of(map(str, binding.grants)) or 'no subjects'})"


def member_changes(wanted: permissions.Permissions, target: permissions.Target, group: manifests.Manifest | None, has_groups: bool) -> changeset.Plan:
    """What makes the registry's own Group hold the wanted members, one write that fails when somebody else was faster.

    To be carried out when the registry is available: the operator empties the Group when it first sees the registry. After it, on what is read back, it
    must be empty. `has_groups` tells whether the cluster serves user.openshift.io at all.
    """
    if wanted.members is None or (group is None and not wanted.members):
        return changeset.Plan()
    option = f"permissions.{permissions.MEMBERS}"
    if not has_groups:
        problem = "cannot be set: this cluster does not have OpenShift groups (user.openshift.io), such as with an external identity provider or on Kubernetes"
        remedy = f"List them in permissions.users, or create the group {target.own_group!r} in the identity provider and list it in permissions.groups"
        return changeset.Plan(problems=(_errors.Problem(option, problem, remedy, list(wanted.members)),))
    if group is None:
        if wanted.revoke:
            return changeset.Plan()
        if target.uid is not None:
            problem = f"cannot be set: Group {target.own_group!r}, which the operator creates for each registry, does not exist"
            return changeset.Plan(
                problems=(_errors.Problem(option, problem, "Check that the operator is running, and run again when the registry is available"),)
            )
    users = list((group or {}).get("users") or ())
    listed = set(wanted.members)
    if wanted.revoke:
        after = [user for user in users if user not in listed]
    else:
        held = set(users)
        after = [user for user in users if user in listed or not wanted.exclusive] + [user for user in wanted.members if user not in held]
    if after == users:
        return changeset.Plan()
    owner = None if group is None else ownership.owner_of(kinds.USER_GROUP, group, target.name)
    if owner and owner.whose != marks.REGISTRY:
        problem = f"cannot be set: Group {target.own_group!r} is {owner}, not the group that the operator creates for the registry"
        return changeset.Plan(problems=(_errors.Problem(option, problem, "List the group in permissions.groups, and change its members where it is managed"),))
    fields = tuple(f"{option}[{user}]" for user in sorted(set(users) ^ set(after)))
    version = {} if group is None else {"metadata": {"resourceVersion": group["metadata"]["resourceVersion"]}}
    return changeset.Plan(
        (changeset.Change("update", kinds.USER_GROUP, "", target.own_group, fields, "PATCH", kinds.USER_GROUPS, {**version, "users": after}),)
    )


def members_out_of_reach(wanted: permissions.Permissions, reason: str) -> _errors.Problem:
    """The members of the registry's own Group cannot be set, because the account may not read it."""
    remedy = (
        "Bind the account to the ClusterRole model-registry-members that the playbook modelops.openshift_ai.rbac creates (run it again for a new registry), "
        "or omit members; nothing was written"
    )
    return _errors.Problem(f"permissions.{permissions.MEMBERS}", f"cannot be set: {reason.rstrip('.')}", remedy, list(wanted.members or ()))


def no_registry(target: permissions.Target, names: Collection[str]) -> _errors.Problem:
    """Access cannot be granted to what does not exist; `names` are those of the registries that do."""
    remedy = "Correct the name, or set the permissions in model_registry, which creates the registry"
    return _errors.Problem("name", naming.not_found(target.name, target.namespace, names), remedy)


def carried_out(live: Iterable[manifests.Manifest], changes: Iterable[changeset.Change]) -> list[manifests.Manifest]:
    """RoleBindings as they are after changes of them."""
    objects = {manifest["metadata"]["name"]: manifest for manifest in live}
    for change in changes:
        if change.verb == "DELETE":
            objects.pop(change.name, None)
        else:
            objects[change.name] = manifests.merged(objects.get(change.name, {"metadata": {"name": change.name}}), change.body)
    return list(objects.values())


def difference(target: permissions.Target, before: manifests.Manifest, after: manifests.Manifest) -> manifests.Manifest:
    """Ansible's difference of two permissions, a list of names of which each has a line."""
    header = f"permissions of {target.namespace}/{target.name}"
    return {"before_header": header, "after_header": header, "before": _lines(before), "after": _lines(after)}


def _lines(shape: manifests.Manifest) -> str:
    lines = []
    for kind, word in {**permissions.WORDS, permissions.MEMBERS: "member"}.items():
        for entry in shape.get(kind) or ():
            lines.append(f"{word} {entry['namespace']}/{entry['name']}" if isinstance(entry, Mapping) else f"{word} {entry}")
    # Others may have granted access to names that would be more than a line.
    return "".join(f"{_texts.line(one)}\n" for one in lines)
