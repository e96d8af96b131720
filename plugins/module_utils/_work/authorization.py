# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carries permissions out: reads who may use a registry, checks everything first, writes in parallel, and asks the API server who really may."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from typing import Any

from .. import _errors, _interruption
from .._cluster import client, registry_reader, visibility, wait, writes
from .._model import directory, kinds, manifests, permissions, role_bindings
from .._plan import changeset, permission_plan, record
from .._status import access_review

AT_THE_SAME_TIME = 8
# In how many namespaces service accounts are looked for one by one; for more, those of the whole cluster are listed.
NAMESPACES_ONE_BY_ONE = 5
# How long writes are tried again that somebody else was faster with, or whose Role the operator has still to make.
SECONDS = 60
# How long the API server may take until it knows of a new RoleBinding.
SECONDS_TO_SETTLE = 5


def granting_from_options(
    reader: registry_reader.Reader,
    options: Mapping[str, Any],
    problems: list[_errors.Problem],
    check_mode: bool,
    outcome: record.Outcome,
    waits: bool | None = None,
    threads: int | None = None,
) -> Granting:
    """What is to be done with the option `permissions`; `problems` is added to.

    `waits`: whether the run waits until the registry is available; None when it does not make one. `threads`: how many requests are sent at the same time.
    """
    wanted = permissions.permissions_from_options(options["permissions"] or {}, options["state"] == "absent", problems, outcome.warnings)
    target = permissions.Target(reader.namespace, options["name"], reader.capabilities.api[0], None)
    return Granting(reader, wanted, target, waits, check_mode, outcome, threads or AT_THE_SAME_TIME)


class Granting:
    """The permissions of one registry on their way into the cluster: `problems` before anything is written, `grant`, and when it is available `set_members`."""

    def __init__(
        self,
        reader: registry_reader.Reader,
        wanted: permissions.Permissions,
        target: permissions.Target,
        waits: bool | None,
        check_mode: bool,
        outcome: record.Outcome,
        threads: int,
    ) -> None:
        self._reader, self._cluster, self._threads = reader, reader.cluster, threads
        self._wanted, self._check_mode, self._outcome = wanted, check_mode, outcome
        self._target, self._waits = target, waits
        self._first: changeset.Plan | None = None
        # What there is to do by the last look.
        self.planned: tuple[changeset.Change, ...] = ()
        self._see([])
        self._known = directory.Known()
        self._group: manifests.Manifest | None = None
        self._has_groups = True
        # The Group that the operator will make for a new registry.
        self._new_group: manifests.Manifest | None = None
        # In check mode, whether the operator has still to make the Group, or to empty it.
        self._awaits_group = False
        self._before: manifests.Manifest | None = None
        self._unanswered: list[changeset.Change] = []

    @property
    def live_grants(self) -> role_bindings.LiveGrants:
        """Who may use the registry by what is live."""
        return self._grants

    @property
    def group(self) -> manifests.Manifest | None:
        """The registry's own Group, as it is live."""
        return self._group

    def problems(self, reader: registry_reader.Reader, registry: manifests.Manifest | None) -> list[_errors.Problem]:
        """Read what is live; everything for which the permissions cannot be carried out."""
        self._reader = reader
        self._target = replace(self._target, uid=registry["metadata"]["uid"] if registry else None)
        self._see(self._role_bindings())
        unreadable: list[_errors.Problem] = []
        may_read = False
        try:
            may_read = self._read_group()
        except _errors.ClusterError as error:
            if error.status != _errors.FORBIDDEN:
                raise
            unreadable.append(permission_plan.members_out_of_reach(self._wanted, str(error)))
        self._known = self._look_up()
        if self._before is None:
            self._before = role_bindings.permissions_result(self._grants, self._group)
        self._new_group = {} if registry is None and may_read and self._has_groups else None
        # The operator empties the Group when it first sees the registry, also one that was there before.
        self._awaits_group = bool(self._waits) and not manifests.at(registry, ("status", "conditions"))
        grants, members = self._planned_grants(), changeset.Plan(problems=tuple(unreadable)) if unreadable else self._planned_members()
        self._first = grants
        self.planned = (*grants.changes, *members.changes)
        problems = [*grants.problems, *members.problems, *writes.rights_problems(reader, self.planned)]
        if registry is None and self._waits is None:
            problem = permission_plan.no_registry(self._target, registry_reader.names_of(reader.registries))
            if self._wanted.revoke:
                self._outcome.warn([problem.sentence()])
            else:
                problems.append(problem)
        elif registry is None and not self._waits and members.changes:
            remedy = "Leave wait at true, or give the members to a later run"
            problems.append(
                _errors.Problem(f"permissions.{permissions.MEMBERS}", "cannot be set before the new registry is available, which is not waited for", remedy)
            )
        if access_review.needs_right_to_grant(grants.changes):
            problems += self._escalation_problems()
        return problems

    def problems_of_verification(self) -> list[_errors.Problem]:
        """The right without which the API server cannot be asked about others."""
        right = client.Right("create", access_review.REVIEWS[0].partition("/")[0], access_review.REVIEWS[1])
        if not self._reader.missing_rights(self._target.namespace, [right]):
            return []
        return [_errors.Problem("verify", f"the account in use may not: {right}", "Bind the account to a Role with this right, or leave verify out", True)]

    def grant(self, registry: manifests.Manifest | None) -> None:
        """Write the RoleBindings; in check mode there may be no registry yet. ClusterError when one is refused; what was written stays."""

        uid = registry["metadata"]["uid"] if registry else None
        first, self._first = self._first, None
        if uid != self._target.uid:
            # A registry that was just made owns what grants access to it.
            self._target, first = replace(self._target, uid=uid), None
            self._see(self._live)
        made = self._carry_out(self._planned_grants, lambda: self._see(self._role_bindings()), first)
        if made.changes:
            self._see(permission_plan.carried_out(self._live, kinds.ROLE_BINDING, made.changes))
        self._show()

    def _see(self, live: list[manifests.Manifest]) -> None:
        """Note the RoleBindings as they are now."""
        self._live, self._grants = live, role_bindings.LiveGrants.of(self._target, live)

    def set_members(self) -> None:
        """Write the members of the registry's own Group, and see that they stay. ClusterError when that is refused, or they do not."""
        if self._wanted.members is None:
            return
        if self._awaits_group and not self._check_mode:
            # The operator has made it since, or emptied it.
            self._reader = self._reader.fresh
            self._read_group()
            self._awaits_group = False
        made = self._carry_out(self._planned_members, self._read_group, read_back=not self._check_mode)
        for change in made.changes:
            self._group = {**(self._group or {}), "users": change.body["users"]}
        self._show()

    def verify(self) -> None:
        """Ask the API server who may use the registry, those who are listed and all others who have rights."""
        unseen: list[str] = []
        groups = self._listed("the groups that users are in", kinds.USER_GROUPS, unseen) if self._wanted.members or self._has_users() else None
        listed = self._answers(access_review.listed_questions(self._wanted, directory.known_from(groups=groups)))

        def unsettled(_is_last: bool) -> str:
            listed.update(self._answers(access_review.unsettled(self._wanted, listed)))
            return "the API server to apply the new permissions" if access_review.unsettled(self._wanted, listed) else ""

        wait.until(unsettled, self._cluster, time.monotonic() + SECONDS_TO_SETTLE, poll=lambda: wait.PAUSE)
        bindings = self._listed("who may use the registry by rights for the whole cluster", kinds.CLUSTER_ROLE_BINDINGS, unseen)
        others = self._answers(access_review.other_questions(self._target, self._live, bindings or ()))
        self._outcome.verification = access_review.verification(listed, others)
        self._outcome.warn([*unseen, *access_review.verification_warnings(self._target, self._wanted, listed, others)])

    def _has_users(self) -> bool:
        return any(grant.kind == "users" for grant in self._wanted.grants)

    def _answers(self, questions: Iterable[access_review.Question]) -> dict[access_review.Question, bool]:
        asked = list(questions)

        def ask(question: access_review.Question) -> bool:
            return self._cluster.allows(client.path_of(access_review.REVIEWS, self._target.namespace), question.review(self._target), "asking who has access")

        with ThreadPoolExecutor(AT_THE_SAME_TIME) as pool:
            return dict(zip(asked, pool.map(ask, asked)))

    def _role_bindings(self) -> list[manifests.Manifest]:
        return self._reader.role_bindings(self._target.roles)

    def _planned_grants(self) -> changeset.Plan:
        return permission_plan.grant_changes(self._wanted, self._grants, self._known)

    def _planned_members(self) -> changeset.Plan:
        if self._awaits_group:
            return permission_plan.member_changes(self._wanted, replace(self._target, uid=None), None, self._has_groups)
        return permission_plan.member_changes(self._wanted, self._target, self._group, self._has_groups)

    def _read_group(self) -> bool:
        """Read the registry's own Group, and where there is none, whether the cluster has groups at all. Whether the account may read it."""
        unseen: list[str] = []
        needed = self._wanted.members is not None
        # A cluster without OpenShift's APIs refuses first who has no right to them.
        found = visibility.seen(lambda: [self._reader.group(self._target.own_group, listed=not needed)], None, unseen.append, advice=not needed)
        self._group = found[0] if found else None
        self._has_groups = self._group is not None or visibility.seen(lambda: self._reader.serves(kinds.USER_GROUPS), True, unseen.append, advice=not needed)
        if self._has_groups and unseen and needed:
            raise _errors.ClusterError(unseen[0], _errors.FORBIDDEN)
        return found is not None or not self._has_groups

    def _look_up(self) -> directory.Known:
        """What the cluster knows of those who are granted access now."""
        unseen: list[str] = []
        asked = directory.lookups(directory.doubtful(self._wanted, self._grants))
        groups = self._listed("whether the groups exist", kinds.USER_GROUPS, unseen) if asked.groups else None
        users = self._names("whether the users exist", kinds.USERS, unseen) if asked.users else None
        namespaces = self._names("whether the namespaces exist", kinds.NAMESPACES, unseen) if asked.namespaces else None
        accounts: dict[str, list[manifests.Manifest]] = {}
        what = "whether the service accounts exist"
        if len(asked.service_accounts) > NAMESPACES_ONE_BY_ONE:
            everywhere = self._names(what, kinds.SERVICE_ACCOUNTS, unseen)
            if everywhere is not None:
                accounts = {namespace: [] for namespace in asked.service_accounts}
                for account in everywhere:
                    accounts.get(account["metadata"]["namespace"], []).append(account)
        else:
            for namespace in asked.service_accounts:
                found = self._names(what, kinds.SERVICE_ACCOUNTS, unseen, namespace)
                if found is not None:
                    accounts[namespace] = found
        self._outcome.warn(unseen)
        return directory.known_from(groups, users, namespaces, accounts)

    def _listed(self, what: str, api: tuple[str, str], unseen: list[str]) -> list[manifests.Manifest] | None:
        return self._seen(what, api, unseen, lambda: self._reader.everywhere(api))

    def _names(self, what: str, api: tuple[str, str], unseen: list[str], namespace: str = "") -> list[manifests.Manifest] | None:
        return self._seen(what, api, unseen, lambda: self._reader.names(api, namespace))

    def _seen(self, what: str, api: tuple[str, str], unseen: list[str], read: Callable[[], list[manifests.Manifest]]) -> list[manifests.Manifest] | None:
        """A list, or None where the cluster does not have it or it cannot be read; `unseen` is added to."""
        return visibility.seen(
            read, None, lambda why: unseen.append(f"{what} could not be seen: {why}"), served=lambda: "/" not in api[0] or self._reader.serves(api)
        )

    def _escalation_problems(self) -> list[_errors.Problem]:
        """The API server lets nobody grant rights that they do not have, unless they may bind the Role."""
        bind = access_review.right_to_bind(self._target)
        # Asked first for all objects of a kind, which is the same question for every registry.
        if not self._lacking([replace(bind, name="")]):
            return []
        role = None
        if self._target.uid:
            role = visibility.seen(lambda: self._cluster.read(kinds.ROLES, self._target.namespace, self._target.role), None, lambda _why: None)
        needed = access_review.rights_of_role(self._target, role)
        lacking = self._lacking(access for access in needed if self._lacking([replace(access, name="")]))
        return [access_review.escalation_problem(self._target, lacking)] if lacking and self._lacking([bind]) else []

    def _lacking(self, needed: Iterable[access_review.Access]) -> list[access_review.Access]:
        return [
            access
            for access in needed
            if self._reader.missing_rights(self._target.namespace, [client.Right(access.verb, access.group, access.resource, access.name)])
        ]

    def _carry_out(
        self, planned: Callable[[], changeset.Plan], read: Callable[[], object], first: changeset.Plan | None = None, read_back: bool = False
    ) -> changeset.Plan:
        """Send the `first` plan, or one that is made now, and what a new plan says when somebody else was faster; the last plan.

        With `read_back` until there is nothing left to do.
        """
        attempts, made = 0, changeset.Plan()
        errors: list[_errors.ClusterError] = []

        def attempt(_is_last: bool) -> str:
            nonlocal first, attempts, made, errors
            if attempts:
                self._reader = self._reader.fresh
                read()
            attempts += 1
            made, first = first or planned(), None
            if made.problems:
                # They were none before the first write.
                raise _errors.ClusterError(" ".join(problem.sentence() for problem in made.problems), _errors.CONFLICT)
            self._settle(made.changes)
            self._outcome.warn(made.warnings)
            refused = self._send_all(made.changes)
            errors = [error for _change, error in refused]
            final = [error for change, error in refused if not _may_pass(change, error)]
            if final:
                raise final[0]
            if not refused and not (read_back and made.changes):
                return ""
            return str(errors[0]) if errors else "the members to stay as they were written"

        try:
            # At random, so that two runs that get into each other's way get out of it.
            if wait.until(attempt, self._cluster, time.monotonic() + SECONDS, poll=lambda: random.uniform(0, min(attempts, 8) / 4)):
                raise errors[0] if errors else _contested(self._target)
        except _errors.ClusterError:
            if self._unanswered:
                with suppress(_errors.ClusterError), self._outcome.in_doubt(self._unanswered):
                    self._reader = self._reader.fresh
                    read()
                    self._settle(planned().changes)
            raise
        return made

    def _send_all(self, changes: Sequence[changeset.Change]) -> list[tuple[changeset.Change, _errors.ClusterError]]:
        """Send changes, those of the same verb in parallel, and note what was done; those that were refused. What revokes waits until all was granted."""
        refused: list[tuple[changeset.Change, _errors.ClusterError]] = []

        def attempt(change: changeset.Change) -> _errors.ReportedError | None:
            try:
                writes.send(self._cluster, change, self._check_mode)
            except (_errors.ClusterError, _interruption.CancelledError) as error:
                return error
            return None

        for _verb, group in groupby(changes, key=lambda change: change.verb):
            batch = list(group)
            unverified = self._check_mode and any(map(self._is_ahead, batch))
            errors: list[_errors.ReportedError | None] = [None] * len(batch)
            if not unverified:
                with ThreadPoolExecutor(min(self._threads, len(batch))) as pool:
                    errors = list(pool.map(attempt, batch))
            for change, error in zip(batch, errors):
                if error is None:
                    self._outcome.record(change, unverified)
                elif isinstance(error, _errors.ClusterError):
                    refused.append((change, error))
            for error in errors:
                if isinstance(error, _interruption.CancelledError):
                    raise error
            if refused:
                break
        self._unanswered = [change for change, error in refused if error.unclear]
        return refused

    def _is_ahead(self, change: changeset.Change) -> bool:
        """Whether a change needs what is still to be made: the registry, or the Group that the operator makes for it."""
        if change.verb == "DELETE" or self._wanted.revoke:
            return False
        return self._target.uid is None or (self._awaits_group and change.kind == kinds.USER_GROUP)

    def _settle(self, planned: Iterable[changeset.Change]) -> None:
        """Note the writes that got no answer, where the new plan shows that they were carried out all the same."""
        again = {(change.verb, change.kind, change.name) for change in planned}
        for change in self._unanswered:
            if (change.verb, change.kind, change.name) not in again:
                self._outcome.record(change)
        self._unanswered = []

    def _show(self) -> None:
        after: dict[str, Any] = role_bindings.permissions_result(self._grants, self._new_group if self._group is None else self._group)
        self._outcome.registry = {**self._outcome.registry, "permissions": after}
        self._outcome.permissions_difference = permission_plan.difference(self._target, self._before or {}, after)


def _may_pass(change: changeset.Change, error: _errors.ClusterError) -> bool:
    """Whether a refused write may succeed when it is planned anew: somebody else was faster, it got no answer, or the Role is still to be made."""
    return error.unclear or error.status == _errors.CONFLICT or (error.status == _errors.NOT_FOUND and change.verb in ("POST", "PATCH"))


def _contested(target: permissions.Target) -> _errors.ClusterError:
    return _errors.ClusterError(
        f"the members of group {target.own_group!r} were written, and are others whenever they are read back: somebody else changes them too."
    )
