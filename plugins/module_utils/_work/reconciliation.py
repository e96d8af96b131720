# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One registry that is to be created or edited: what there is to do, and everything for which it cannot be done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .. import _errors
from .._cluster import registry_reader, visibility, writes
from .._model import custom_resource, desired_state, kinds, live_state
from .._plan import changeset, drift, prediction, record, registry_plan
from .._status import readiness

# What looks at a database takes 80 ms to load, and what grants access 17 ms: Ansible sends sources only, so that each file is compiled
# in every run that imports it. Most runs do neither, so functions import them.
if TYPE_CHECKING:
    from .._database import preflight
    from . import authorization

# The names of the registries that refer to each ConfigMap and Secret, by its kind and name.
Users = Mapping[tuple[str, str], Collection[str]]


@dataclass(frozen=True)
class Request:
    """What a run is to do with one registry."""

    wanted: desired_state.Registry
    consent: desired_state.Consent
    check_mode: bool
    # Filled on the way.
    outcome: record.Outcome = field(repr=False)
    # What is to be done with its permissions, None for nothing.
    access: authorization.Request | None
    # The options `check_database` and `wait`.
    check_database: str
    waits: bool
    # Who will refer to which Secret once the registries of the same run are as wanted.
    expected_users: Callable[[], Users] = field(default=dict, repr=False)

    @property
    def withholds_password(self) -> bool:
        """Whether the host that a new password would go to is one that whoever may edit the registry has chosen."""
        database = self.wanted.database
        return database is not None and database.password is not None and database.host is None


def request_from_options(
    wanted: desired_state.Registry,
    options: Mapping[str, Any],
    call: Mapping[str, Any],
    check_mode: bool,
    outcome: record.Outcome,
    problems: list[_errors.Problem],
) -> Request:
    """What the options of a registry ask for, with those that are of the whole `call`; `problems` is added to."""
    consent = desired_state.Consent(call["restart"], options["allow_data_change"], call["delete_data"])
    access = None
    if options["permissions"] is not None:
        from . import authorization

        access = replace(authorization.request_from_options({"state": "present", **options}, problems, check_mode, outcome), waits=call["wait"])
    return Request(wanted, consent, check_mode, outcome, access, call["check_database"], call["wait"])


def plan(
    reader: registry_reader.Reader,
    request: Request,
    foreseen: frozenset[tuple[str, str]] = frozenset(),
    before: PlannedRegistry | None = None,
) -> PlannedRegistry:
    """Read what is live, and plan. ClusterError when something may not be read.

    `foreseen` are the ConfigMaps and Secrets, by kind and name, that the same run writes for other registries. `before` is what was planned earlier.
    """
    live, made = base_plan(reader, request, foreseen)
    overwritten = dict(before.overwritten) if before else {}
    for change in made.changes:
        if change.action == "update" and live.registry is not None:
            # Where the plan had to be made anew, the registry was as it had been before the first one.
            first = overwritten.get((change.kind, change.name))
            known = replace(live, registry=first.before.registry, deployment=first.before.deployment) if first else live
            overwritten[change.kind, change.name] = Overwritten(change, known)
    made = replace(made, warnings=(*made.warnings, *_shared_warnings(reader, request, made)))
    access = None
    if request.access is not None:
        from . import authorization

        access = authorization.plan(reader, request.access, live.registry, before.access.before if before and before.access else None)
        made = replace(made, problems=(*made.problems, *access.problems))
    return PlannedRegistry(request, reader, live, made, access, foreseen, overwritten, before.preflight if before else None)


@dataclass(frozen=True)
class Overwritten:
    """What a run changes of what there was: the change, and what was there when the registry was as it had been."""

    change: changeset.Change
    before: live_state.Live = field(repr=False)


@dataclass(frozen=True)
class PlannedRegistry:
    """A registry with what there is to do, by what was live when it was planned."""

    request: Request
    reader: registry_reader.Reader
    live: live_state.Live = field(repr=False)
    made: changeset.Plan
    access: authorization.PlannedAccess | None
    # What it reads and the same run writes for another registry, so that this one has to be written after that.
    foreseen: frozenset[tuple[str, str]]
    overwritten: Mapping[tuple[str, str], Overwritten] = field(repr=False)
    # What the database showed, where it was looked at.
    preflight: preflight.Preflight | None = field(repr=False)

    def problems(self) -> list[_errors.Problem]:
        """Everything for which it cannot be carried out."""
        changes = (*self.made.changes, *self.made.leftovers)
        return [*self.made.problems, *writes.rights_problems(self.reader.missing_rights, self.reader.namespace, changes)]

    @property
    def is_predicted(self) -> bool:
        """Whether the registry is only predicted: by check mode, which creates none."""
        return self.request.check_mode and self.live.registry is None

    @property
    def can_become_available(self) -> bool:
        """Whether it is worth waiting for. Where something is missing that no change of this run can make, it is said in a warning, and not waited for."""
        return not self.is_predicted and bool(self.made.changes or not self.made.incomplete)

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.made.changes) or (self.access is not None and bool(self.access.changes))

    def differences(self) -> list[drift.Difference]:
        """What is live other than wanted."""
        standing = self.access.standing if self.access else None
        changes = [*self.made.changes, *(self.access.changes if self.access else ())]
        grants, group = (standing.grants, standing.group.manifest) if standing else (None, None)
        return drift.differences(self.request.wanted.name, self.live, changes, grants, group)

    @property
    def sources(self) -> set[tuple[str, str]]:
        """The ConfigMaps and Secrets that the plan writes, by kind and name."""
        return {(change.kind, change.name) for change in self.made.changes if change.kind in kinds.APIS and change.action != "delete"}

    def after(self, sources: set[tuple[str, str]]) -> PlannedRegistry:
        """Planned anew where the same run writes, for other registries, what this one reads; otherwise as it is."""
        if self.live.registry is None:
            return self
        foreseen = frozenset(self.live.objects.keys() & sources - self.sources)
        return plan(self.reader, self.request, foreseen, self) if foreseen else self

    @property
    def checks_database(self) -> bool:
        """Whether the database is to be looked at: the plan writes what the server connects with, and nothing of that is written for another registry."""
        if self.request.check_database == "ignore" or self.foreseen:
            return False
        return any(
            change.action in ("create", "update") and (change.kind in kinds.APIS or any(option.startswith("database.") for option in change.fields))
            for change in self.made.changes
        )

    def with_database(self) -> tuple[PlannedRegistry, list[_errors.Problem]]:
        """With a look at the database that the registry will have, where that is asked for; and the problems for which it must not be written."""
        if not self.checks_database:
            return self, []
        from .._database import preflight

        request, live, reader = self.request, self.live, self.reader
        contents = {(change.kind, change.name): change.body for change in self.made.changes if change.kind in kinds.APIS and change.action != "delete"}
        resource = prediction.resource_after(registry_reader.with_upload_place(reader, request.wanted), live.registry, reader.capabilities)
        found = preflight.look_before(reader, resource, live.objects, contents, request.withholds_password)
        if found is None:
            return self, []
        must_pass = request.check_database == "fail"
        request.outcome.database = found.result()
        request.outcome.warn(found.warnings(failures=not must_pass))
        return replace(self, preflight=found), found.problems() if must_pass else []


def unreached_warning(registries: Iterable[PlannedRegistry]) -> list[str]:
    """One warning for all whose database was not reached."""
    names = [planned.request.wanted.name for planned in registries if planned.preflight and planned.preflight.unreached]
    if not names:
        return []
    from .._database import preflight

    return preflight.unreached_warning(names)


def base_plan(reader: registry_reader.Reader, request: Request, foreseen: frozenset[tuple[str, str]] = frozenset()) -> tuple[live_state.Live, changeset.Plan]:
    """What is live, and the plan by that alone, without permissions."""
    wanted = registry_reader.with_upload_place(reader, request.wanted)
    live = registry_reader.read_live(reader, wanted, foreseen)
    will_be_used = custom_resource.used_by_others(live.password_secrets, request.expected_users(), wanted.name) if live.password_secrets else frozenset()
    live = replace(live, used_secrets=live.used_secrets | will_be_used, is_available=readiness.is_seen_available(live))
    return live, registry_plan.plan(wanted, live, request.consent, datetime.now(timezone.utc))


def _shared_warnings(reader: registry_reader.Reader, request: Request, made: changeset.Plan) -> list[str]:
    """That another registry reads a Secret whose password is changed. One that this run is for too is restarted by it."""
    names = [change.name for change in made.changes if change.kind == "Secret" and change.action == "update"]
    if not names:
        return []
    unseen: list[str] = []
    users: Users = visibility.seen(reader.users, {}, unseen.append, f"whether other registries use Secret {names[0]!r}")
    for name in names:
        others = {*users.get(("Secret", name), ())} - {request.wanted.name, *request.expected_users().get(("Secret", name), ())}
        used = f"Secret {name!r} is also used by registry {', '.join(map(repr, sorted(others)))}"
        unseen += [f"{used}, whose password also changes. To restart its server, run the task again for that registry"] if others else []
    return unseen
