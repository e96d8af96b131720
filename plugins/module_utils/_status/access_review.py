# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the API server is asked about rights, and what its answers mean: may this account grant access, and who really gets in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .. import _errors, _texts
from .._model import directory, kinds, manifests, permissions, role_bindings
from .._plan import changeset

REVIEWS = ("authorization.k8s.io/v1", "localsubjectaccessreviews")
AUTHENTICATED = "system:authenticated"
# Everybody who logged in through OpenShift's own server.
LOGGED_IN = "system:authenticated:oauth"
ACCOUNTS = permissions.PROJECT_PREFIX.rstrip(":")
# Groups that hold nearly everybody: that one of them may use a registry is always worth a warning.
EVERYBODY = (AUTHENTICATED, LOGGED_IN, "system:unauthenticated", ACCOUNTS)
# Namespaces whose service accounts belong to the cluster itself.
PLATFORM = ("kube-", "openshift")


@dataclass(frozen=True)
class Access:
    """Something that an account may do to one object of the registry's namespace, or to all of a kind without a name."""

    verb: str
    group: str
    resource: str
    name: str

    def __str__(self) -> str:
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {resource}" + (f" {self.name!r}" if self.name else "")


def needs_right_to_grant(changes: Iterable[changeset.Change]) -> bool:
    """Whether the API server will ask for more than the right to write: not when something is deleted, or a binding gets another owner and nothing else."""
    return any(
        change.kind == kinds.ROLE_BINDING and (change.verb == "POST" or (change.verb == "PATCH" and set(change.fields) != {"metadata.ownerReferences"}))
        for change in changes
    )


def right_to_bind(target: permissions.Target) -> Access:
    """The right that alone suffices to grant access to a registry."""
    return Access("bind", kinds.RBAC, "roles", target.role)


def rights_of_role(target: permissions.Target, role: manifests.Manifest | None) -> list[Access]:
    """The rights that together suffice to grant access: those that the Role gives. Without the Role, those that the operator gives it (v0.3.14)."""
    if role is None:
        return [Access("get", "", resource, target.name) for resource in ("services", "endpoints")]
    return [
        Access(verb, group, resource, name)
        for rule in role.get("rules") or ()
        for group in rule.get("apiGroups") or ()
        for resource in rule.get("resources") or ()
        for name in rule.get("resourceNames") or ("",)
        for verb in rule["verbs"]
    ]


def escalation_problem(target: permissions.Target, lacking: Iterable[Access]) -> _errors.Problem:
    """The account may neither bind the Role nor has its rights; `lacking` are those of the Role's that it does not have."""
    problem = f"cannot be granted by the account in use to registry {target.name!r}: the API server lets nobody grant rights that they do not have"
    remedy = f"Give the account, in namespace {target.namespace!r}, the right to {right_to_bind(target)}, or the rights of that Role that it lacks: "
    return _errors.Problem("permissions", problem, f"{remedy}{_texts.names_of(map(str, lacking))}; nothing was written")


@dataclass(frozen=True)
class Question:
    """Whether somebody may use a registry, asked as its proxy asks (operator v0.3.14): may they get its Service."""

    who: str
    user: str = ""
    groups: tuple[str, ...] = ()
    # Through which binding they might, for somebody who is not listed.
    through: str = ""
    is_platform: bool = False

    def review(self, target: permissions.Target) -> manifests.Manifest:
        """The review to send to the API server."""
        attributes = {"namespace": target.namespace, "verb": "get", "group": "", "version": "v1", "resource": "services", "name": target.name}
        subject: manifests.Manifest = {**({"user": self.user} if self.user else {}), **({"groups": list(self.groups)} if self.groups else {})}
        return {
            "apiVersion": REVIEWS[0],
            "kind": "LocalSubjectAccessReview",
            "metadata": {"namespace": target.namespace},
            "spec": {**subject, "resourceAttributes": attributes},
        }


def listed_questions(wanted: permissions.Permissions, known: directory.Known) -> list[Question]:
    """Whether those who are listed may use the registry, each with the groups that they are in. Members count as users, after they were added."""
    questions = []
    for grant in (*wanted.grants, *(permissions.Grant("users", member) for member in wanted.members or ())):
        kind, name = grant.key
        if kind == "Group":
            questions.append(Question(str(grant), groups=(name, *((ACCOUNTS,) if grant.project else ()), AUTHENTICATED)))
        elif grant.kind == "service_accounts":
            questions.append(Question(str(grant), name, (ACCOUNTS, permissions.PROJECT_PREFIX + grant.namespace, AUTHENTICATED)))
        else:
            own = sorted(group for group, users in (known.groups or {}).items() if name in users)
            questions.append(Question(str(grant), name, (*own, AUTHENTICATED, *((LOGGED_IN,) if known.groups is not None else ()))))
    return questions


def other_questions(target: permissions.Target, live: Iterable[manifests.Manifest], cluster_bindings: Iterable[manifests.Manifest]) -> list[Question]:
    """Whether those may use the registry who have rights in its namespace, but not by a RoleBinding to its Role.

    Every right comes from a binding: the subjects of all other RoleBindings of the namespace (`live`) and of the ClusterRoleBindings are asked about, each by
    itself, and the groups that everybody is in.
    """
    listed: set[tuple[str, str]] = set()
    others: dict[tuple[str, str], tuple[permissions.Grant, str]] = {}
    for binding in live:
        grants_access = binding["roleRef"]["kind"] == "Role" and binding["roleRef"]["name"] == target.role
        for grant in _granted_by(binding):
            if grants_access:
                listed.add(grant.key)
            else:
                others.setdefault(grant.key, (grant, f"RoleBinding {binding['metadata']['name']!r}"))
    for binding in cluster_bindings:
        for grant in _granted_by(binding):
            others.setdefault(grant.key, (grant, f"ClusterRoleBinding {binding['metadata']['name']!r}"))
    for name in EVERYBODY:
        others.setdefault(("Group", name), (permissions.Grant("groups", name), ""))
    questions = []
    for key, (grant, through) in others.items():
        if key in listed:
            continue
        kind, name = key
        is_platform = name not in EVERYBODY and (grant.namespace.startswith(PLATFORM) if grant.namespace else grant.is_virtual)
        user, groups = ("", (name,)) if kind == "Group" else (name, ())
        questions.append(Question(str(grant), user, groups, through, is_platform))
    return questions


def _granted_by(binding: manifests.Manifest) -> list[permissions.Grant]:
    return [role_bindings.grant_of_subject(subject, False) for subject in binding.get("subjects") or ()]


def verification(listed: Mapping[Question, bool], others: Mapping[Question, bool]) -> manifests.Manifest:
    """What the API server answered, for the result: who of the listed may and may not use the registry, and who else may."""
    return {
        "allowed": [question.who for question, may in listed.items() if may],
        "denied": [question.who for question, may in listed.items() if not may],
        "others": [{"subject": question.who, "through": question.through} for question, may in others.items() if may],
    }


def unsettled(wanted: permissions.Permissions, listed: Mapping[Question, bool]) -> list[Question]:
    """Those of whom the API server does not answer what was wanted. It may take a moment until it knows of a new RoleBinding."""
    return [question for question, may in listed.items() if may is wanted.revoke]


def verification_warnings(
    target: permissions.Target, wanted: permissions.Permissions, listed: Mapping[Question, bool], others: Mapping[Question, bool]
) -> list[str]:
    """What is not as wanted. Accounts of the platform itself, which nearly always may, are only counted."""
    warnings = []
    wrong = [question.who for question in unsettled(wanted, listed)]
    if wrong and wanted.revoke:
        warnings.append(f"registry {target.name!r}: access was revoked, but these have it still, by other rights: {_texts.names_of(wrong)}")
    elif wrong:
        warnings.append(f"registry {target.name!r}: access is granted, but the API server says that these do not have it: {_texts.names_of(wrong)}")
    people = [question for question, may in others.items() if may and not question.is_platform]
    platform = sum(1 for question, may in others.items() if may and question.is_platform)
    if people:
        shown = _texts.names_of(question.who + (f" ({question.through})" if question.through else "") for question in people)
        counted = f", and {platform} of the platform's own accounts" if platform else ""
        warnings.append(f"registry {target.name!r}: these may use it too, by other rights than its permissions: {shown}{counted}")
    return warnings
