# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The users, groups, projects and service accounts that a cluster knows, and the names among those of grants that are probably a typo."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .. import _errors, _texts
from . import manifests, naming, permissions, role_bindings


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
    groups: Iterable[manifests.Manifest] | None = None,
    users: Iterable[manifests.Manifest] | None = None,
    namespaces: Iterable[manifests.Manifest] | None = None,
    service_accounts: Mapping[str, Iterable[manifests.Manifest]] | None = None,
) -> Known:
    """What was read of Groups, Users, Namespaces and, by namespace, ServiceAccounts."""
    return Known(
        groups=None if groups is None else {manifests.name_of(group): frozenset(group.get("users") or ()) for group in groups},
        users=None if users is None else frozenset(map(manifests.name_of, users)),
        namespaces=None
        if namespaces is None
        else {
            manifests.name_of(namespace): manifests.at(namespace, ("metadata", "annotations", "openshift.io/display-name")) or "" for namespace in namespaces
        },
        service_accounts={namespace: frozenset(map(manifests.name_of, accounts)) for namespace, accounts in (service_accounts or {}).items()},
    )


def doubtful(wanted: permissions.Permissions, live: role_bindings.LiveGrants) -> list[permissions.Grant]:
    """The listed grants to judge by what the cluster knows: those that are new, and of those to revoke the projects that cannot be namespaces."""
    missing = [grant for grant in wanted.grants if grant.key not in live.present]
    return [grant for grant in missing if grant.kind == "projects" and not naming.NAMESPACE_NAME.fullmatch(grant.name)] if wanted.revoke else missing


def lookups(grants: Iterable[permissions.Grant]) -> tuple[set[str], list[str]]:
    """What to read for `Known` so that these grants can be judged: lists of the whole cluster, and the namespaces of ServiceAccounts; nothing for no grants."""
    judged = list(grants)
    lists = {grant.kind for grant in judged if grant.kind in ("groups", "users") and not grant.is_virtual}
    accounts = sorted({grant.namespace for grant in judged if grant.kind == "service_accounts"})
    return lists | ({"namespaces"} if accounts or any(grant.project for grant in judged) else set()), accounts


def doubts(grants: Iterable[permissions.Grant], known: Known) -> tuple[list[_errors.Problem], list[str]]:
    """What is wrong with grants, and warnings of what is probably a typo, by what the cluster knows."""
    problems: list[_errors.Problem] = []
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
        f"the cluster does not have {what} {_texts.names_of(_suggested(sorted(set(names)), candidates.get(what, ())))}; "
        f"access is granted anyway{remarks.get(what, '')}"
        for what, names in unknown.items()
        if names
    ]
    return problems, warnings


def _doubt_name(grant: permissions.Grant, people: Collection[str] | None, problems: list[_errors.Problem], unknown: list[str]) -> None:
    if people is not None and grant.name in people:
        return
    if " " in grant.name:
        # Groups that are synchronised from a directory can have names with spaces; anywhere else it is a mistake.
        problem = f"contains a space, and the cluster does not have such a {permissions.WORDS[grant.kind]}"
        problems.append(_errors.Problem(grant.option, problem, "Use the name in the cluster", grant.name))
    elif people is not None:
        unknown.append(grant.name)


def _doubt_project(grant: permissions.Grant, namespaces: Mapping[str, str] | None, problems: list[_errors.Problem], unknown: list[str]) -> None:
    name, option = grant.project, grant.option
    if namespaces is not None and name in namespaces:
        return
    called = sorted(namespace for namespace, display_name in (namespaces or {}).items() if display_name == name)
    if called:
        remedy = f"Use {_texts.names_of(map(repr, called), 'or')}, the namespace with this display name"
        problems.append(_errors.Problem(option, "is the display name of a project, not the name of its namespace", remedy, grant.name))
    elif not naming.NAMESPACE_NAME.fullmatch(name):
        problems.append(_errors.Problem(option, "is not a valid name of a namespace", "Use the name of the namespace, not its display name", grant.name))
    elif namespaces is not None:
        unknown.append(name)


def _suggested(names: Sequence[str], candidates: Collection[str]) -> list[str]:
    """The names, the first of them with the similar one that exists."""
    shown = []
    for name in names[: _texts.SHOWN]:
        similar = naming.similar_name(name, candidates)
        shown.append(f"{name!r} (did you mean {similar!r}?)" if similar else repr(name))
    return [*shown, *names[_texts.SHOWN :]]
