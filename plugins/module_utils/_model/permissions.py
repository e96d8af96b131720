# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may use a registry: what is wanted, what the RoleBindings of the cluster grant, and what in it is probably a typo."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import custom_resource, desired_state, ownership

# The options that list subjects, with the words that people read, in the order of results and differences.
WORDS = {"groups": "group", "users": "user", "projects": "project", "service_accounts": "service account"}
MEMBERS = "members"
# A name that can be no subject of the option that lists it: where it begins like this, what it is, and where it belongs.
MISPLACED = {
    "groups": ("system:serviceaccount:", "is one service account and no group", "List it under service_accounts"),
    "users": ("system:serviceaccounts:", "is the group of all service accounts of a namespace", "List the namespace under projects"),
    MEMBERS: ("system:", "is no person, and only people can be members of a group", "List it under users or service_accounts"),
}
# How Kubernetes spells a service account as a user, and all service accounts of a namespace as a group.
ACCOUNT_PREFIX = "system:serviceaccount:"
PROJECT_PREFIX = "system:serviceaccounts:"
PROJECT_LABEL = "opendatahub.io/rb-project-subject"
ACCOUNT_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
# How many names a sentence lists, and for how many a similar one is looked for.
SHOWN = 10


@dataclass(frozen=True)
class Grant:
    """One subject that may use a registry. `kind` is the option that lists it; only a service account has a namespace."""

    kind: str
    name: str
    namespace: str = ""
    # The option that lists it, empty for one that is live.
    option: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{WORDS[self.kind]} {self.label}"

    @property
    def label(self) -> str:
        """The name as people write it."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def project(self) -> str:
        """The namespace all of whose service accounts are granted access; empty for another grant."""
        if self.kind == "projects":
            return self.name
        return self.name[len(PROJECT_PREFIX) :] if self.kind == "groups" and self.name.startswith(PROJECT_PREFIX) else ""

    @property
    def is_virtual(self) -> bool:
        """Whether it is a user or group that Kubernetes itself defines, such as `system:authenticated`."""
        return self.name.startswith("system:")

    @property
    def path(self) -> str:
        """Where it stands among the options, as results name it."""
        return f"permissions.{self.kind}[{self.label}]"

    @property
    def key(self) -> tuple[str, str]:
        """What decides whether two grants are of the same subject: a project is a group, and a service account a user, whatever they are written as."""
        if self.kind == "projects":
            return "Group", PROJECT_PREFIX + self.name
        if self.kind == "service_accounts":
            return "User", f"{ACCOUNT_PREFIX}{self.namespace}:{self.name}"
        return ("Group" if self.kind == "groups" else "User"), self.name

    @property
    def subject(self) -> custom_resource.Manifest:
        """The subject of its RoleBinding."""
        if self.kind == "service_accounts":
            return {"kind": "ServiceAccount", "name": self.name, "namespace": self.namespace}
        kind, name = self.key
        return {"apiGroup": custom_resource.RBAC, "kind": kind, "name": name}


@dataclass(frozen=True)
class Permissions:
    """What is wanted of the access to one registry. `members` is None when they were left out; `revoke` stands for `state: absent`."""

    grants: tuple[Grant, ...] = ()
    members: tuple[str, ...] | None = None
    exact: bool = False
    prune_unlabelled: bool = False
    revoke: bool = False


@dataclass(frozen=True)
class Target:
    """The registry that access is granted to. `uid` is None as long as there is none: what is planned then cannot be written yet."""

    namespace: str
    name: str
    api_version: str
    uid: str | None

    @property
    def role(self) -> str:
        """The Role that the operator makes for those who may use the registry."""
        return f"registry-user-{self.name}"

    @property
    def wrong_role(self) -> str:
        """The name that the product's documentation gives to that Role: the API server accepts it, and it grants nothing."""
        return f"registry-users-{self.name}"

    @property
    def roles(self) -> tuple[str, str]:
        """The names of both: RoleBindings to them concern the registry."""
        return self.role, self.wrong_role

    @property
    def own_group(self) -> str:
        """The name of the registry's own Group, and of the RoleBinding that the operator makes for it."""
        return f"{self.name}-users"


def permissions_from_options(options: Mapping[str, Any], revoke: bool, problems: list[desired_state.Problem], warnings: list[str]) -> Permissions:
    """The wanted permissions of the option `permissions`; `problems` and `warnings` are added to. It needs no cluster.

    What only the cluster can tell to be wrong, a project's display name or a name with a space, is found by `doubts`.
    """
    listed: dict[tuple[str, str], tuple[Grant, str]] = {}
    accounts: list[str] = []
    repeated: list[str] = []
    for kind in WORDS:
        for index, entry in enumerate(options.get(kind) or ()):
            path = f"permissions.{kind}[{index}]"
            grant = _grant_of_option(kind, path, entry, problems)
            if grant is None:
                continue
            if grant.kind != kind:
                accounts.append(grant.label)
            first, where = listed.setdefault(grant.key, (grant, path))
            if first.kind != grant.kind:
                problems.append(
                    desired_state.Problem(
                        path, f"is the same subject as {where}, and the dashboard can show it as only one of them", "Keep one of the two", entry
                    )
                )
            elif where != path:
                repeated.append(path)
    if accounts:
        warnings.append(f"permissions.users names service accounts, which are granted access as such: {names_of(accounts)}")
    members = _members_of_option(options.get(MEMBERS), repeated, problems)
    if repeated:
        warnings.append(f"permissions lists more than once: {names_of(repeated)}")
    exact, prune = bool(options.get("exact")), bool(options.get("prune_unlabelled"))
    if exact and revoke:
        problems.append(
            desired_state.Problem("permissions.exact", "has no meaning together with state absent, which revokes what is listed", "Leave it out", True)
        )
    if prune and not (exact or revoke):
        problems.append(
            desired_state.Problem("permissions.prune_unlabelled", "has no meaning without permissions.exact", "Set permissions.exact, or leave it out", True)
        )
    return Permissions(tuple(grant for grant, _path in listed.values()), members, exact, prune, revoke)


def _grant_of_option(kind: str, path: str, entry: Any, problems: list[desired_state.Problem]) -> Grant | None:
    if kind == "service_accounts":
        return _account_of_option(path, entry, problems)
    problem = _name_problem(kind, path, entry)
    if problem is None and kind == "projects" and ":" in entry:
        problem = desired_state.Problem(path, "is no namespace", "Give the name of the namespace alone, which is what follows the last colon", entry)
    if problem is None and kind == "users" and entry.startswith(ACCOUNT_PREFIX):
        account = _account_of_user(entry)
        if account is not None:
            return account
        problem = desired_state.Problem(path, "begins like a service account and is none", f"Write it as {ACCOUNT_PREFIX}<namespace>:<name>", entry)
    if problem is not None:
        problems.append(problem)
        return None
    return Grant(kind, entry, option=path)


def _account_of_option(path: str, entry: Any, problems: list[desired_state.Problem]) -> Grant | None:
    if not isinstance(entry, Mapping):
        problems.append(desired_state.Problem(path, "is no dictionary", "Give the service account's namespace and name", entry))
        return None
    found = []
    for part, pattern in (("namespace", desired_state.NAMESPACE_NAME), ("name", ACCOUNT_NAME)):
        value = entry.get(part)
        problem = _text_problem(f"{path}.{part}", value)
        if problem is None and not pattern.fullmatch(str(value)):
            remedy = "Use lower-case letters, digits and hyphens, as it is called in the cluster"
            problem = desired_state.Problem(f"{path}.{part}", f"is no {part} of a service account", remedy, value)
        if problem is not None:
            found.append(problem)
    problems += found
    return None if found else Grant("service_accounts", entry["name"], entry["namespace"], path)


def _account_of_user(user: str) -> Grant | None:
    """The service account that a user's name stands for, or None."""
    namespace, _colon, name = user[len(ACCOUNT_PREFIX) :].partition(":") if user.startswith(ACCOUNT_PREFIX) else ("", "", "")
    return Grant("service_accounts", name, namespace) if desired_state.NAMESPACE_NAME.fullmatch(namespace) and ACCOUNT_NAME.fullmatch(name) else None


def _members_of_option(option: Iterable[Any] | None, repeated: list[str], problems: list[desired_state.Problem]) -> tuple[str, ...] | None:
    if option is None:
        return None
    names: dict[str, None] = {}
    for index, entry in enumerate(option):
        path = f"permissions.{MEMBERS}[{index}]"
        problem = _name_problem(MEMBERS, path, entry)
        if problem is not None:
            problems.append(problem)
        elif entry in names:
            repeated.append(path)
        else:
            names[entry] = None
    return tuple(names)


def _name_problem(kind: str, path: str, entry: Any) -> desired_state.Problem | None:
    problem = _text_problem(path, entry)
    prefix, what, remedy = MISPLACED.get(kind, ("", "", ""))
    return desired_state.Problem(path, what, remedy, entry) if problem is None and prefix and entry.startswith(prefix) else problem


def _text_problem(path: str, entry: Any) -> desired_state.Problem | None:
    if not isinstance(entry, str):
        return desired_state.Problem(path, "is no text" if entry is not None else "is empty", "Give a name, in quotes when it looks like a number", entry)
    if not entry.strip():
        return desired_state.Problem(path, "is empty", "Give a name, or remove the entry", entry)
    if entry != entry.strip():
        return desired_state.Problem(path, "begins or ends with white space", "Remove it", entry)
    if not entry.isprintable():
        return desired_state.Problem(path, "holds a control character or an invisible one", "Remove it", entry)
    return None


@dataclass(frozen=True)
class Binding:
    """A RoleBinding that concerns one registry, with its subjects as grants, in their order."""

    manifest: custom_resource.Manifest = field(repr=False)
    grants: tuple[Grant, ...]
    # To the registry's Role, and not to the one of the product's documentation.
    grants_access: bool
    owner: ownership.Owner

    @property
    def ours(self) -> bool:
        """Whether it is the dashboard's or ours: by the labels that the dashboard lists by."""
        return self.owner.is_ours

    @property
    def operators(self) -> bool:
        """Whether the operator made it, for the registry's own Group."""
        return self.owner.whose == ownership.REGISTRY

    @property
    def name(self) -> str:
        """The name of the RoleBinding."""
        return str(self.manifest["metadata"]["name"])


def bindings_of(target: Target, live: Iterable[custom_resource.Manifest]) -> list[Binding]:
    """Those of a namespace's RoleBindings that concern a registry; one that is being deleted grants nothing any more."""
    return [
        _binding(target, manifest)
        for manifest in live
        if manifest["roleRef"]["kind"] == "Role" and manifest["roleRef"]["name"] in target.roles and "deletionTimestamp" not in manifest["metadata"]
    ]


def _binding(target: Target, manifest: custom_resource.Manifest) -> Binding:
    labels = manifest["metadata"].get("labels") or {}
    return Binding(
        manifest=manifest,
        grants=tuple(grant_of_subject(subject, labels.get(PROJECT_LABEL) == "true") for subject in manifest.get("subjects") or ()),
        grants_access=manifest["roleRef"]["name"] == target.role,
        owner=ownership.owner_of("RoleBinding", manifest, target.name),
    )


def present_bindings(target: Target, bindings: Iterable[Binding]) -> dict[tuple[str, str], Binding]:
    """The binding that makes each grant as the dashboard sees it: by the first subject of those that it shows.

    Of several for one subject every run takes the same: one that the dashboard shows as a project, that the present registry owns, the oldest.
    """

    def order(binding: Binding) -> tuple[bool, bool, str, str]:
        metadata = binding.manifest["metadata"]
        is_project = (metadata.get("labels") or {}).get(PROJECT_LABEL) == "true"
        return not is_project, not ownership.is_owned_by(binding.manifest, target.uid), metadata.get("creationTimestamp", ""), binding.name

    present: dict[tuple[str, str], Binding] = {}
    for binding in sorted(bindings, key=order):
        if binding.grants_access and binding.grants and (binding.ours or binding.operators):
            present.setdefault(binding.grants[0].key, binding)
    return present


@dataclass(frozen=True)
class LiveGrants:
    """Who may use a registry by the RoleBindings of its namespace: those that concern it, and by subject the one that makes each grant."""

    target: Target
    # The names of all RoleBindings that were read.
    names: frozenset[str]
    bindings: Sequence[Binding]
    present: Mapping[tuple[str, str], Binding]

    @classmethod
    def of(cls, target: Target, live: Sequence[custom_resource.Manifest]) -> LiveGrants:
        """What the RoleBindings of a namespace say of a registry."""
        bindings = bindings_of(target, live)
        return cls(target, frozenset(map(_name, live)), bindings, present_bindings(target, bindings))


def ownerless(target: Target, live: Iterable[custom_resource.Manifest]) -> list[custom_resource.Manifest]:
    """The RoleBindings of the dashboard and this collection for a registry that nothing deletes with it: they would grant access to the next of its name."""
    return [binding.manifest for binding in bindings_of(target, live) if binding.ours and not binding.manifest["metadata"].get("ownerReferences")]


def grant_of_subject(subject: custom_resource.Manifest, of_project: bool) -> Grant:
    """The grant that a RoleBinding's subject stands for; `of_project` tells whether its labels show it as a project."""
    name = subject["name"]
    if subject["kind"] == "ServiceAccount":
        return Grant("service_accounts", name, subject.get("namespace", ""))
    if subject["kind"] == "Group":
        return Grant("projects", name[len(PROJECT_PREFIX) :]) if of_project and name.startswith(PROJECT_PREFIX) else Grant("groups", name)
    return _account_of_user(name) or Grant("users", name)


@dataclass(frozen=True)
class Known:
    """Whom the cluster knows. None stands for what it does not have, what the account may not read, and what did not have to be read."""

    groups: Mapping[str, frozenset[str]] | None = None
    users: frozenset[str] | None = None
    # Their display names.
    namespaces: Mapping[str, str] | None = None
    # By namespace.
    service_accounts: Mapping[str, frozenset[str]] = field(default_factory=dict)


def known_from(
    groups: Iterable[custom_resource.Manifest] | None = None,
    users: Iterable[custom_resource.Manifest] | None = None,
    namespaces: Iterable[custom_resource.Manifest] | None = None,
    service_accounts: Mapping[str, Iterable[custom_resource.Manifest]] | None = None,
) -> Known:
    """What was read of Groups, Users, Namespaces and, by namespace, ServiceAccounts."""
    return Known(
        groups=None if groups is None else {_name(group): frozenset(group.get("users") or ()) for group in groups},
        users=None if users is None else frozenset(map(_name, users)),
        namespaces=None
        if namespaces is None
        else {_name(namespace): custom_resource.at(namespace, ("metadata", "annotations", "openshift.io/display-name")) or "" for namespace in namespaces},
        service_accounts={namespace: frozenset(map(_name, accounts)) for namespace, accounts in (service_accounts or {}).items()},
    )


def _name(manifest: custom_resource.Manifest) -> str:
    return str(manifest["metadata"]["name"])


def doubtful(wanted: Permissions, live: LiveGrants) -> list[Grant]:
    """The listed grants to judge by what the cluster knows: those that are new, and of those to revoke the projects that cannot be namespaces."""
    missing = [grant for grant in wanted.grants if grant.key not in live.present]
    return [grant for grant in missing if grant.kind == "projects" and not desired_state.NAMESPACE_NAME.fullmatch(grant.name)] if wanted.revoke else missing


@dataclass(frozen=True)
class Lookups:
    """What has to be read for `Known`: lists of the whole cluster, and the ServiceAccounts of these namespaces."""

    groups: bool
    users: bool
    namespaces: bool
    service_accounts: tuple[str, ...]


def lookups(grants: Iterable[Grant]) -> Lookups:
    """What to read so that these grants can be judged; nothing for no grants."""
    judged = list(grants)
    accounts = tuple(sorted({grant.namespace for grant in judged if grant.kind == "service_accounts"}))
    return Lookups(
        groups=any(grant.kind == "groups" and not grant.is_virtual for grant in judged),
        users=any(grant.kind == "users" and not grant.is_virtual for grant in judged),
        namespaces=bool(accounts) or any(grant.project for grant in judged),
        service_accounts=accounts,
    )


def doubts(grants: Iterable[Grant], known: Known) -> tuple[list[desired_state.Problem], list[str]]:
    """What is wrong with grants, and warnings of what is probably a typo, by what the cluster knows."""
    problems: list[desired_state.Problem] = []
    unknown: dict[str, list[str]] = {"groups": [], "users": [], "namespaces": [], "service accounts": []}
    for grant in grants:
        if grant.kind == "service_accounts":
            if known.namespaces is not None and grant.namespace not in known.namespaces:
                unknown["namespaces"].append(grant.namespace)
            elif grant.name not in known.service_accounts.get(grant.namespace, (grant.name,)):
                unknown["service accounts"].append(grant.label)
        elif grant.project:
            _doubt_project(grant, known.namespaces, problems, unknown["namespaces"])
        elif not grant.is_virtual:
            _doubt_name(grant, known.groups if grant.kind == "groups" else known.users, problems, unknown[grant.kind])
    candidates: dict[str, Collection[str]] = {"groups": known.groups or (), "users": known.users or (), "namespaces": known.namespaces or ()}
    remarks = {"users": "; a user exists only after the first login"}
    warnings = [
        f"the cluster has no {what} {names_of(_suggested(sorted(set(names)), candidates.get(what, ())))}; access is granted all the same{remarks.get(what, '')}"
        for what, names in unknown.items()
        if names
    ]
    return problems, warnings


def _doubt_name(grant: Grant, people: Collection[str] | None, problems: list[desired_state.Problem], unknown: list[str]) -> None:
    if people is not None and grant.name in people:
        return
    if " " in grant.name:
        # Groups that are synchronised from a directory can have names with spaces; anywhere else it is a mistake.
        problem = f"holds a space, and the cluster knows no such {WORDS[grant.kind]}"
        problems.append(desired_state.Problem(grant.option, problem, "Give the name as the cluster knows it", grant.name))
    elif people is not None:
        unknown.append(grant.name)


def _doubt_project(grant: Grant, namespaces: Mapping[str, str] | None, problems: list[desired_state.Problem], unknown: list[str]) -> None:
    name, option = grant.project, grant.option
    if namespaces is not None and name in namespaces:
        return
    called = sorted(namespace for namespace, display_name in (namespaces or {}).items() if display_name == name)
    if called:
        remedy = f"Write {names_of(map(repr, called), 'or')}, the namespace that is displayed like this"
        problems.append(desired_state.Problem(option, "is the display name of a project, not the name of a namespace", remedy, grant.name))
    elif not desired_state.NAMESPACE_NAME.fullmatch(name):
        problems.append(desired_state.Problem(option, "is no name of a namespace", "Give the name of the namespace, not what is displayed", grant.name))
    elif namespaces is not None:
        unknown.append(name)


def _suggested(names: Sequence[str], candidates: Collection[str]) -> list[str]:
    """The names, the first of them with the similar one that exists."""
    shown = []
    for name in names[:SHOWN]:
        similar = desired_state.similar_name(name, candidates)
        shown.append(f"{name!r} (is {similar!r} meant?)" if similar else repr(name))
    return [*shown, *names[SHOWN:]]


def names_of(names: Iterable[str], conjunction: str = "and") -> str:
    """Names in a sentence, not more than people read."""
    listed = list(names)
    if len(listed) > SHOWN:
        return f"{', '.join(listed[:SHOWN])} {conjunction} {len(listed) - SHOWN} more"
    if len(listed) > 1:
        return f"{', '.join(listed[:-1])} {conjunction} {listed[-1]}"
    return "".join(listed)


def permissions_result(live: LiveGrants, group: custom_resource.Manifest | None) -> custom_resource.Manifest:
    """Who may use a registry, in the shape of the options. Bindings of others are not in it; `members` only where there is such a Group."""
    grants = {grant: None for binding in live.bindings if binding.ours and binding.grants_access for grant in binding.grants}
    shape: custom_resource.Manifest = {kind: sorted(grant.name for grant in grants if grant.kind == kind) for kind in WORDS if kind != "service_accounts"}
    accounts = sorted((grant.namespace, grant.name) for grant in grants if grant.kind == "service_accounts")
    shape["service_accounts"] = [{"namespace": namespace, "name": name} for namespace, name in accounts]
    return shape if group is None else {**shape, MEMBERS: sorted(set(group.get("users") or ()))}
