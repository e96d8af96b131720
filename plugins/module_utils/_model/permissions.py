# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may use a registry, as the options say it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import _errors, _texts
from . import kinds, manifests, naming

# The options that list subjects, with the words that people read, in the order of results and differences.
WORDS = {"groups": "group", "users": "user", "projects": "project", "service_accounts": "service account"}
MEMBERS = "members"
# A name that can be no subject of the option that lists it: where it begins like this, what it is, and where it belongs.
MISPLACED = {
    "groups": ("system:serviceaccount:", "is a service account, not a group", "List it in service_accounts"),
    "users": ("system:serviceaccounts:", "is the group of all service accounts of a namespace", "List the namespace in projects"),
    MEMBERS: ("system:", "is not a user, and only users can be members of a group", "List it in users or service_accounts"),
}
# How Kubernetes spells a service account as a user, and all service accounts of a namespace as a group.
ACCOUNT_PREFIX = "system:serviceaccount:"
PROJECT_PREFIX = "system:serviceaccounts:"
PROJECT_LABEL = "opendatahub.io/rb-project-subject"
# Groups that hold nearly everybody: that one of them may use a registry is always worth a warning. The second one holds who logged in through OpenShift.
AUTHENTICATED, LOGGED_IN, ACCOUNTS = "system:authenticated", "system:authenticated:oauth", PROJECT_PREFIX.rstrip(":")
EVERYBODY = (AUTHENTICATED, LOGGED_IN, "system:unauthenticated", ACCOUNTS)
# Namespaces whose service accounts belong to the cluster itself.
PLATFORM = ("kube-", "openshift")
ACCOUNT_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


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
    def is_everybody(self) -> bool:
        """Whether it is one of the groups that hold nearly everybody."""
        return self.key[1] in EVERYBODY

    @property
    def is_platform(self) -> bool:
        """Whether it is an account of the cluster itself, or all those of one of its namespaces."""
        namespace = self.namespace or self.project
        return not self.is_everybody and (namespace.startswith(PLATFORM) if namespace else self.is_virtual)

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
    def subject(self) -> manifests.Manifest:
        """The subject of its RoleBinding."""
        if self.kind == "service_accounts":
            return {"kind": "ServiceAccount", "name": self.name, "namespace": self.namespace}
        kind, name = self.key
        return {"apiGroup": kinds.RBAC, "kind": kind, "name": name}


@dataclass(frozen=True)
class Permissions:
    """What is wanted of the access to one registry. `members` is None if not set; `revoke` stands for `state: absent`."""

    grants: tuple[Grant, ...] = ()
    members: tuple[str, ...] | None = None
    exclusive: bool = False
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
        return own_group(self.name)


def own_group(registry: str) -> str:
    """The name of the Group that the operator makes for a registry, and deletes with it."""
    return f"{registry}-users"


def permissions_from_options(options: Mapping[str, Any], revoke: bool, problems: list[_errors.Problem], warnings: list[str]) -> Permissions:
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
                problems.append(_errors.Problem(path, f"is the same subject as {where}", "Remove one of them", entry))
            elif where != path:
                repeated.append(path)
    if accounts:
        warnings.append(f"permissions.users contains service accounts, which are granted access as service accounts: {_texts.names_of(accounts)}")
    members = _members_of_option(options.get(MEMBERS), repeated, problems)
    if repeated:
        warnings.append(f"permissions contains duplicates: {_texts.names_of(repeated)}")
    exclusive, prune = bool(options.get("exclusive")), bool(options.get("prune_unlabelled"))
    if exclusive and revoke:
        problem = "is not supported with state absent, which revokes only the listed permissions"
        problems.append(_errors.Problem("permissions.exclusive", problem, "Remove the option", True))
    if prune and not (exclusive or revoke):
        problems.append(
            _errors.Problem("permissions.prune_unlabelled", "requires permissions.exclusive", "Set permissions.exclusive, or remove the option", True)
        )
    return Permissions(tuple(grant for grant, _path in listed.values()), members, exclusive, prune, revoke)


def _grant_of_option(kind: str, path: str, entry: Any, problems: list[_errors.Problem]) -> Grant | None:
    if kind == "service_accounts":
        return _account_of_option(path, entry, problems)
    problem = _name_problem(kind, path, entry)
    if problem is None and kind == "projects" and ":" in entry:
        problem = _errors.Problem(path, "is not a valid name of a namespace", "Use only the name of the namespace, after the last colon", entry)
    if problem is None and kind == "users" and entry.startswith(ACCOUNT_PREFIX):
        account = account_of_user(entry)
        if account is not None:
            return account
        problem = _errors.Problem(path, "is not a valid service account", f"Write it as {ACCOUNT_PREFIX}<namespace>:<name>", entry)
    if problem is not None:
        problems.append(problem)
        return None
    return Grant(kind, entry, option=path)


def _account_of_option(path: str, entry: Any, problems: list[_errors.Problem]) -> Grant | None:
    if not isinstance(entry, Mapping):
        problems.append(_errors.Problem(path, "is not a dictionary", "Set the namespace and the name of the service account", entry))
        return None
    found = []
    for part, pattern in (("namespace", naming.NAMESPACE_NAME), ("name", ACCOUNT_NAME)):
        value = entry.get(part)
        problem = _text_problem(f"{path}.{part}", value)
        if problem is None and not pattern.fullmatch(str(value)):
            remedy = "Use lowercase letters, digits and hyphens, as in the cluster"
            problem = _errors.Problem(f"{path}.{part}", f"is not a valid {part} of a service account", remedy, value)
        if problem is not None:
            found.append(problem)
    problems += found
    return None if found else Grant("service_accounts", entry["name"], entry["namespace"], path)


def account_of_user(user: str) -> Grant | None:
    """The service account that a user's name stands for, or None."""
    namespace, _colon, name = user[len(ACCOUNT_PREFIX) :].partition(":") if user.startswith(ACCOUNT_PREFIX) else ("", "", "")
    return Grant("service_accounts", name, namespace) if naming.NAMESPACE_NAME.fullmatch(namespace) and ACCOUNT_NAME.fullmatch(name) else None


def _members_of_option(option: Iterable[Any] | None, repeated: list[str], problems: list[_errors.Problem]) -> tuple[str, ...] | None:
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


def _name_problem(kind: str, path: str, entry: Any) -> _errors.Problem | None:
    problem = _text_problem(path, entry)
    prefix, what, remedy = MISPLACED.get(kind, ("", "", ""))
    return _errors.Problem(path, what, remedy, entry) if problem is None and prefix and entry.startswith(prefix) else problem


def _text_problem(path: str, entry: Any) -> _errors.Problem | None:
    if not isinstance(entry, str):
        return _errors.Problem(path, "is not a string" if entry is not None else "is empty", "Set a name, in quotes if it looks like a number", entry)
    if not entry.strip():
        return _errors.Problem(path, "is empty", "Set a name, or remove the entry", entry)
    if entry != entry.strip():
        return _errors.Problem(path, "starts or ends with white space", "Remove it", entry)
    if not entry.isprintable():
        return _errors.Problem(path, "contains a control character or an invisible character", "Remove it", entry)
    return None
