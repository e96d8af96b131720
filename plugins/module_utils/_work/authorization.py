# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carries permissions out, in steps of which each returns the next: `plan`, then `PlannedAccess.grant`, then `GrantedAccess.set_members`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Any

from .. import _errors, _interruption
from .._cluster import registry_reader, visibility, wait, writes
from .._model import directory, kinds, manifests, permissions, role_bindings
from .._plan import changeset, permission_plan, record
from .._status import access_review

AT_THE_SAME_TIME = 8
# How long writes are tried again that somebody else was faster with, or whose Role the operator has still to make.
SECONDS = 60
# In how many namespaces service accounts are looked for one by one; for more, those of the whole cluster are listed.
NAMESPACES_ONE_BY_ONE = 5


@dataclass(frozen=True)
class Request:
    """What a run is to do with the permissions of one registry."""

    wanted: permissions.Permissions
    name: str
    check_mode: bool
    # Filled on the way.
    outcome: record.Outcome = field(repr=False)
    # Whether the run waits until the registry is available; None where it does not create one.
    waits: bool | None = None
    # How many requests are sent at the same time.
    threads: int = AT_THE_SAME_TIME


def request_from_options(options: Mapping[str, Any], problems: list[_errors.Problem], check_mode: bool, outcome: record.Outcome) -> Request:
    """What the option `permissions` asks for; `problems` is added to."""
    wanted = permissions.permissions_from_options(options["permissions"] or {}, options["state"] == "absent", problems, outcome.warnings)
    return Request(wanted, options["name"], check_mode, outcome)


@dataclass(frozen=True)
class OwnGroup:
    """The registry's own Group, as it was read; without a manifest there is none, or the account may not read it."""

    manifest: manifests.Manifest | None = None
    is_readable: bool = False
    # Whether the cluster has groups at all.
    has_groups: bool = True


@dataclass(frozen=True)
class Standing:
    """Who may use a registry by what was read last."""

    reader: registry_reader.Reader
    target: permissions.Target
    bindings: list[manifests.Manifest] = field(repr=False)
    group: OwnGroup = field(repr=False)

    @cached_property
    def grants(self) -> role_bindings.LiveGrants:
        """What the RoleBindings grant."""
        return role_bindings.LiveGrants.of(self.target, self.bindings)

    def with_bindings(self) -> Standing:
        """With the RoleBindings as they are now."""
        fresh = self.reader.fresh
        return replace(self, reader=fresh, bindings=fresh.role_bindings(self.target.roles))

    def with_group(self) -> Standing:
        """With the registry's own Group as it is now."""
        fresh = self.reader.fresh
        return replace(self, reader=fresh, group=_own_group(fresh, self.target, True))

    def result(self, new_group: manifests.Manifest | None = None) -> manifests.Manifest:
        """The permissions as part of a result; `new_group` is the Group that the operator will create."""
        return role_bindings.permissions_result(self.grants, new_group if self.group.manifest is None else self.group.manifest)


def plan(reader: registry_reader.Reader, request: Request, registry: manifests.Manifest | None, before: manifests.Manifest | None = None) -> PlannedAccess:
    """Read what is live, and plan. `registry` may still have to be created; `before` are the permissions as the run found them, where it has planned before."""
    target = permissions.Target(reader.namespace, request.name, reader.capabilities.api[0], registry["metadata"]["uid"] if registry else None)
    standing = Standing(reader, target, reader.role_bindings(target.roles), OwnGroup())
    problems: list[_errors.Problem] = []
    try:
        standing = replace(standing, group=_own_group(reader, target, request.wanted.members is not None))
    except _errors.ClusterError as error:
        if error.status != _errors.FORBIDDEN:
            raise
        problems.append(permission_plan.members_out_of_reach(request.wanted, str(error)))
    known = _look_up(reader, directory.doubtful(request.wanted, standing.grants), request.outcome)
    # The operator empties the Group when it first sees the registry, also one that was there before.
    awaits_group = bool(request.waits) and not manifests.at(registry, ("status", "conditions"))
    grants = permission_plan.grant_changes(request.wanted, standing.grants, known)
    members = changeset.Plan() if problems else _member_changes(request, standing, awaits_group)
    problems += [*grants.problems, *members.problems, *writes.rights_problems(reader.missing_rights, reader.namespace, (*grants.changes, *members.changes))]
    if registry is None:
        problems += _problems_without_registry(request, standing, bool(members.changes))
    if access_review.needs_right_to_grant(grants.changes):
        problems += access_review.escalation_problems(reader, target)
    has_new_group = registry is None and standing.group.is_readable and standing.group.has_groups
    return PlannedAccess(
        request=request,
        standing=standing,
        known=known,
        grants=grants,
        members=members,
        problems=tuple(problems),
        before=standing.result() if before is None else before,
        awaits_group=awaits_group,
        new_group={} if has_new_group else None,
    )


@dataclass(frozen=True)
class PlannedAccess:
    """The permissions of one registry, with everything for which they cannot be carried out."""

    request: Request
    standing: Standing
    known: directory.Known
    grants: changeset.Plan
    members: changeset.Plan
    problems: tuple[_errors.Problem, ...]
    before: manifests.Manifest
    # Whether the operator has still to make the Group, or to empty it; and the Group that it will make for a new registry.
    awaits_group: bool
    new_group: manifests.Manifest | None

    @property
    def changes(self) -> tuple[changeset.Change, ...]:
        """What there is to do."""
        return (*self.grants.changes, *self.members.changes)

    def grant(self, registry: manifests.Manifest | None) -> GrantedAccess:
        """Write the RoleBindings; in check mode there may be no registry yet. ClusterError when one is refused; what was written stays."""
        uid = registry["metadata"]["uid"] if registry else None
        standing, first = self.standing, self.grants
        if uid != standing.target.uid:
            # A registry that was just made owns what grants access to it.
            standing = replace(standing, target=replace(standing.target, uid=uid))
            first = self._planned(standing)
        standing, made = _Writing(self.request, standing, self.awaits_group).carry_out(self._planned, Standing.with_bindings, first)
        if made.changes:
            standing = replace(standing, bindings=permission_plan.carried_out(standing.bindings, made.changes))
        self.show(standing)
        return GrantedAccess(self, standing)

    def _planned(self, standing: Standing) -> changeset.Plan:
        return permission_plan.grant_changes(self.request.wanted, standing.grants, self.known)

    def show(self, standing: Standing) -> None:
        """Put the permissions into the outcome as they are now."""
        after = standing.result(self.new_group)
        outcome = self.request.outcome
        outcome.registry = {**outcome.registry, "permissions": after}
        outcome.permissions_difference = permission_plan.difference(standing.target, self.before, after)


class GrantedAccess:
    """The permissions of one registry after its RoleBindings were written."""

    def __init__(self, planned: PlannedAccess, standing: Standing) -> None:
        self._planned, self._standing, self._request = planned, standing, planned.request

    def set_members(self) -> None:
        """Write the members of the registry's own Group, when the registry is available, and see that they stay. ClusterError when that is refused, or they do
        not.
        """
        if self._request.wanted.members is None:
            return
        standing, awaits_group = self._standing, self._planned.awaits_group
        if awaits_group and not self._request.check_mode:
            # The operator has made it since, or emptied it.
            standing, awaits_group = standing.with_group(), False
        writing = _Writing(self._request, standing, awaits_group)
        standing, made = writing.carry_out(
            lambda present: _member_changes(self._request, present, awaits_group), Standing.with_group, read_back=not self._request.check_mode
        )
        for change in made.changes:
            group = {**(standing.group.manifest or {}), "users": change.body["users"]}
            standing = replace(standing, group=replace(standing.group, manifest=group))
        self._standing = standing
        self._planned.show(standing)

    def verify(self) -> None:
        """Ask the API server who may use the registry, those who are listed and all others who have rights."""
        access_review.verify(self._standing.reader, self._standing.target, self._request.wanted, self._standing.bindings, self._request.outcome)


def _look_up(reader: registry_reader.Reader, grants: Iterable[permissions.Grant], outcome: record.Outcome) -> directory.Known:
    """What the cluster knows of those who are granted access."""
    unseen: list[str] = []
    lists, accounts_in = directory.lookups(grants)

    def names(what: str, api: tuple[str, str], namespace: str = "") -> list[manifests.Manifest] | None:
        return registry_reader.advice(reader, f"whether the {what} exist", api, lambda: reader.names(api, namespace), unseen.append)

    groups = registry_reader.objects(reader, "whether the groups exist", kinds.USER_GROUPS, unseen) if "groups" in lists else None
    users = names("users", kinds.USERS) if "users" in lists else None
    namespaces = names("namespaces", kinds.NAMESPACES) if "namespaces" in lists else None
    accounts: dict[str, list[manifests.Manifest]] = {}
    if len(accounts_in) > NAMESPACES_ONE_BY_ONE:
        everywhere = names("service accounts", kinds.SERVICE_ACCOUNTS)
        if everywhere is not None:
            accounts = {namespace: [] for namespace in accounts_in}
            for account in everywhere:
                accounts.get(account["metadata"]["namespace"], []).append(account)
    else:
        found = {namespace: names("service accounts", kinds.SERVICE_ACCOUNTS, namespace) for namespace in accounts_in}
        accounts = {namespace: listed for namespace, listed in found.items() if listed is not None}
    outcome.warn(unseen)
    return directory.known_from(groups, users, namespaces, accounts)


def _own_group(reader: registry_reader.Reader, target: permissions.Target, needed: bool) -> OwnGroup:
    """Read the registry's own Group, and where there is none, whether the cluster has groups at all. ClusterError 403 when it is needed and out of reach."""
    unseen: list[str] = []
    # A cluster without OpenShift's APIs refuses first who has no right to them.
    found = visibility.seen(lambda: [reader.group(target.own_group, listed=not needed)], None, unseen.append, advice=not needed)
    group = found[0] if found else None
    has_groups = group is not None or visibility.seen(lambda: reader.serves(kinds.USER_GROUPS), True, unseen.append, advice=not needed)
    if has_groups and unseen and needed:
        raise _errors.ClusterError(unseen[0], _errors.FORBIDDEN)
    return OwnGroup(group, found is not None or not has_groups, has_groups)


def _member_changes(request: Request, standing: Standing, awaits_group: bool) -> changeset.Plan:
    group = standing.group
    if awaits_group:
        return permission_plan.member_changes(request.wanted, replace(standing.target, uid=None), None, group.has_groups)
    return permission_plan.member_changes(request.wanted, standing.target, group.manifest, group.has_groups)


def _problems_without_registry(request: Request, standing: Standing, sets_members: bool) -> list[_errors.Problem]:
    if request.waits is None:
        problem = permission_plan.no_registry(standing.target, registry_reader.names_of(standing.reader.registries))
        if not request.wanted.revoke:
            return [problem]
        request.outcome.warn([problem.sentence()])
    elif not request.waits and sets_members:
        remedy = "Set wait to true, or set the members in a later run"
        reason = "can be set only after the new registry is available, and wait is false"
        return [_errors.Problem(f"permissions.{permissions.MEMBERS}", reason, remedy)]
    return []


class _Writing:
    """One plan on its way to the API server, and new ones when somebody else was faster."""

    def __init__(self, request: Request, standing: Standing, awaits_group: bool) -> None:
        self._request, self._standing, self._awaits_group = request, standing, awaits_group

    def carry_out(
        self,
        planned: Callable[[Standing], changeset.Plan],
        read: Callable[[Standing], Standing],
        first: changeset.Plan | None = None,
        read_back: bool = False,
    ) -> tuple[Standing, changeset.Plan]:
        """Send the `first` plan, or one that is made now, and what a new plan says when somebody else was faster; what was read last, and the last plan.

        With `read_back` until there is nothing left to do.
        """
        attempts, made, outcome = 0, changeset.Plan(), self._request.outcome
        errors: list[_errors.ClusterError] = []

        def attempt(_is_last: bool) -> str:
            nonlocal first, attempts, made, errors
            if attempts:
                self._standing = read(self._standing)
            attempts += 1
            made, first = first or planned(self._standing), None
            if made.problems:
                # They were none before the first write.
                raise _errors.ClusterError(" ".join(problem.sentence() for problem in made.problems), _errors.CONFLICT)
            outcome.settle(made.changes)
            outcome.warn(made.warnings)
            refused = self._send_all(made.changes)
            errors = [error for _change, error in refused]
            final = [error for change, error in refused if not _may_pass(change, error)]
            if final:
                raise final[0]
            if not refused and not (read_back and made.changes):
                return ""
            return str(errors[0]) if errors else "the members of the group to stay unchanged"

        def pause() -> float:
            # At random, so that two runs that get into each other's way get out of it.
            return random.uniform(0, min(attempts, 8) / 4)

        try:
            if wait.until(attempt, self._standing.reader.cluster, time.monotonic() + SECONDS, poll=pause):
                group = self._standing.target.own_group
                contested = f"the members of group {group!r} were set, but another process changes them repeatedly."
                raise errors[0] if errors else _errors.ClusterError(contested)
        except _errors.ClusterError:
            if outcome.unanswered:
                with suppress(_errors.ClusterError), outcome.in_doubt():
                    self._standing = read(self._standing)
                    outcome.settle(planned(self._standing).changes)
            raise
        return self._standing, made

    def _send_all(self, changes: Sequence[changeset.Change]) -> list[tuple[changeset.Change, _errors.ClusterError]]:
        """Send changes, those of the same verb in parallel, and note what was done; those that were refused. What revokes waits until all was granted."""
        refused: list[tuple[changeset.Change, _errors.ClusterError]] = []
        check_mode, outcome = self._request.check_mode, self._request.outcome

        def attempt(change: changeset.Change) -> _errors.ReportedError | None:
            try:
                writes.send(self._standing.reader.cluster, change, check_mode)
            except (_errors.ClusterError, _interruption.CancelledError) as error:
                return error
            return None

        for _verb, group in groupby(changes, key=lambda change: change.verb):
            batch = list(group)
            unverified = check_mode and any(map(self._is_ahead, batch))
            errors: list[_errors.ReportedError | None] = [None] * len(batch)
            if not unverified:
                with ThreadPoolExecutor(min(self._request.threads, len(batch))) as pool:
                    errors = list(pool.map(attempt, batch))
            for change, error in zip(batch, errors):
                if error is None:
                    outcome.record(change, unverified)
                elif isinstance(error, _errors.ClusterError):
                    refused.append((change, error))
            for error in errors:
                if isinstance(error, _interruption.CancelledError):
                    raise error
            if refused:
                break
        outcome.unanswered = [change for change, error in refused if error.unclear]
        return refused

    def _is_ahead(self, change: changeset.Change) -> bool:
        """Whether a change needs what is still to be made: the registry, or the Group that the operator makes for it."""
        if change.verb == "DELETE" or self._request.wanted.revoke:
            return False
        return self._standing.target.uid is None or (self._awaits_group and change.kind == kinds.USER_GROUP)


def _may_pass(change: changeset.Change, error: _errors.ClusterError) -> bool:
    """Whether a refused write may succeed when it is planned anew: somebody else was faster, it got no answer, or the Role is still to be made."""
    return error.unclear or error.status == _errors.CONFLICT or (error.status == _errors.NOT_FOUND and change.verb in ("POST", "PATCH"))
