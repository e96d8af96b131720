# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the API server is asked about permissions, and what its answers mean: may this account grant access, and who really has it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from .. import _errors, _texts
from .._cluster import client, registry_reader, visibility, wait
from .._model import directory, kinds, manifests, permissions, role_bindings
from .._plan import changeset, record

REVIEWS = ("authorization.k8s.io/v1", "localsubjectaccessreviews")
# How many questions are asked at the same time.
AT_THE_SAME_TIME = 8
# How long the API server may take until it knows of a new RoleBinding.
SECONDS_TO_SETTLE = 5


def needs_right_to_grant(changes: Iterable[changeset.Change]) -> bool:
    """Whether the API server will ask for more than the right to write: not when something is deleted, or a binding gets another owner and nothing else."""
    return any(
        change.kind == kinds.ROLE_BINDING and (change.verb == "POST" or (change.verb == "PATCH" and set(change.fields) != {"metadata.ownerReferences"}))
        for change in changes
    )


def escalation_problems(reader: registry_reader.Reader, target: permissions.Target) -> list[_errors.Problem]:
    """The API server lets nobody grant rights that they do not have, unless they may bind the Role."""
    bind = right_to_bind(target)

    def is_lacking(right: client.Right) -> bool:
        return bool(reader.missing_rights(target.namespace, [right]))

    def is_lacking_of_all(right: client.Right) -> bool:
        """The same for all objects of a kind, which is one question for all registries."""
        return is_lacking(replace(right, name=""))

    if not is_lacking_of_all(bind):
        return []
    role = None
    if target.uid:
        role = visibility.seen(lambda: reader.cluster.read(kinds.ROLES, target.namespace, target.role), None)
    missing = [right for right in rights_of_role(target, role) if is_lacking_of_all(right) and is_lacking(right)]
    return [escalation_problem(target, missing)] if missing and is_lacking(bind) else []


def right_to_bind(target: permissions.Target) -> client.Right:
    """The right that alone suffices to grant access to a registry."""
    return client.Right("bind", kinds.RBAC, "roles", target.role)


def rights_of_role(target: permissions.Target, role: manifests.Manifest | None) -> list[client.Right]:
    """The rights that together suffice to grant access: those that the Role gives. Without the Role, those that the operator gives it (v0.3.14)."""
    if role is None:
        return [client.Right("get", "", resource, target.name) for resource in ("services", "endpoints")]
    return [
        client.Right(verb, group, resource, name)
        for rule in role.get("rules") or ()
        for group in rule.get("apiGroups") or ()
        for resource in rule.get("resources") or ()
        for name in rule.get("resourceNames") or ("",)
        for verb in rule["verbs"]
    ]


def escalation_problem(target: permissions.Target, lacking: Iterable[client.Right]) -> _errors.Problem:
    """The account may neither bind the Role nor has its rights; `lacking` are those of the Role's that it does not have."""
    problem = f"cannot be granted for registry {target.name!r}: the API server does not allow an account to grant permissions that it does not have"
    remedy = (
        f"Grant the account in use, in namespace {target.namespace!r}, permission to {right_to_bind(target)}, or the permissions of the Role that it lacks: "
    )
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
            questions.append(Question(str(grant), groups=(name, *((permissions.ACCOUNTS,) if grant.project else ()), permissions.AUTHENTICATED)))
        elif grant.kind == "service_accounts":
            questions.append(Question(str(grant), name, (permissions.ACCOUNTS, permissions.PROJECT_PREFIX + grant.namespace, permissions.AUTHENTICATED)))
        else:
            own = sorted(group for group, users in (known.groups or {}).items() if name in users)
            questions.append(Question(str(grant), name, (*own, permissions.AUTHENTICATED, *((permissions.LOGGED_IN,) if known.groups is not None else ()))))
    return questions


def other_questions(
    target: permissions.Target,
    wanted: permissions.Permissions,
    live: Sequence[manifests.Manifest],
    cluster_bindings: Iterable[manifests.Manifest],
) -> list[Question]:
    """Whether those may use the registry who are not listed, and whom the dashboard does not show: not by a RoleBinding to its Role as the dashboard makes it.

    Every right comes from a binding: the subjects of all other RoleBindings of the namespace (`live`) and of the ClusterRoleBindings are asked about, each by
    itself, and the groups that everybody is in.
    """
    shown = {*role_bindings.LiveGrants.of(target, live).present, *(grant.key for grant in wanted.grants)}
    others: dict[tuple[str, str], tuple[permissions.Grant, str]] = {}
    for binding in live:
        for grant in _granted_by(binding):
            others.setdefault(grant.key, (grant, f"RoleBinding {binding['metadata']['name']!r}"))
    for binding in cluster_bindings:
        for grant in _granted_by(binding):
            others.setdefault(grant.key, (grant, f"ClusterRoleBinding {binding['metadata']['name']!r}"))
    for name in permissions.EVERYBODY:
        others.setdefault(("Group", name), (permissions.Grant("groups", name), ""))
    questions = []
    for key, (grant, through) in others.items():
        if key in shown:
            continue
        kind, name = key
        user, groups = ("", (name,)) if kind == "Group" else (name, ())
        questions.append(Question(str(grant), user, groups, through, grant.is_platform))
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
        warnings.append(
            f"registry {target.name!r}: access was revoked, but these subjects still have access through other permissions: {_texts.names_of(wrong)}"
        )
    elif wrong:
        warnings.append(
            f"registry {target.name!r}: access was granted, but according to the API server these subjects do not have access: {_texts.names_of(wrong)}"
        )
    people = [question for question, may in others.items() if may and not question.is_platform]
    platform = sum(1 for question, may in others.items() if may and question.is_platform)
    if people:
        shown = _texts.names_of(question.who + (f" ({question.through})" if question.through else "") for question in people)
        counted = f", and {platform} platform account{'s' if platform > 1 else ''}" if platform else ""
        warnings.append(f"registry {target.name!r}: these subjects also have access, through other permissions: {shown}{counted}")
    return warnings


def verification_problems(reader: registry_reader.Reader) -> list[_errors.Problem]:
    """The right without which the API server cannot be asked about others."""
    right = client.Right("create", REVIEWS[0].partition("/")[0], REVIEWS[1])
    if not reader.missing_rights(reader.namespace, [right]):
        return []
    remedy = "Bind the account to a Role with this permission, or set verify to false"
    return [_errors.Problem("verify", f"the account in use lacks permission to: {right}", remedy, True)]


def verify(
    reader: registry_reader.Reader,
    target: permissions.Target,
    wanted: permissions.Permissions,
    bindings: Sequence[manifests.Manifest],
    outcome: record.Outcome,
) -> None:
    """Ask the API server who may use the registry, those who are listed and all others who have rights."""
    unseen: list[str] = []

    def answers(questions: Iterable[Question]) -> dict[Question, bool]:
        asked = list(questions)

        def ask(question: Question) -> bool:
            return reader.cluster.allows(client.path_of(REVIEWS, target.namespace), question.review(target), "checking who has access")

        with ThreadPoolExecutor(AT_THE_SAME_TIME) as pool:
            return dict(zip(asked, pool.map(ask, asked)))

    def missing(_is_last: bool) -> str:
        listed.update(answers(unsettled(wanted, listed)))
        return "the API server to apply the new permissions" if unsettled(wanted, listed) else ""

    names_users = wanted.members or any(grant.kind == "users" for grant in wanted.grants)
    groups = registry_reader.objects(reader, "the groups of users", kinds.USER_GROUPS, unseen) if names_users else None
    listed = answers(listed_questions(wanted, directory.known_from(groups=groups)))
    wait.until(missing, reader.cluster, time.monotonic() + SECONDS_TO_SETTLE, poll=lambda: wait.PAUSE)
    cluster_wide = registry_reader.objects(reader, "access to the registry through permissions for the whole cluster", kinds.CLUSTER_ROLE_BINDINGS, unseen)
    others = answers(other_questions(target, wanted, bindings, cluster_wide or ()))
    outcome.verification = verification(listed, others)
    outcome.warn([*unseen, *verification_warnings(target, wanted, listed, others)])
