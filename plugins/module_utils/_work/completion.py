# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One registry is written, waited for, completed when it is available, and what it does not need anymore is deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .. import _errors, _interruption
from .._cluster import registry_reader, registry_writes
from .._model import custom_resource, kinds, manifests
from .._plan import changeset, dependencies, previous_value, record
from .._rest import smoke_test
from .._status import availability, observation
from . import reconciliation, rollback

if TYPE_CHECKING:
    from . import authorization


def write(first: reconciliation.PlannedRegistry, seconds: float = 0) -> WrittenRegistry:
    """Write the registry with what it refers to, then who may use it. InputError, or ClusterError when a write is refused.

    `seconds` are for all waits of the run, if there is a limit: what a deleted registry has left may have to be waited for here. That a permission is refused
    is raised after the wait: what was changed in place may have to be put back.
    """
    request, latest, reader = first.request, first, first.reader
    made: changeset.Plan | None = first.made
    foreseen = first.foreseen
    if foreseen and not request.check_mode:
        # What was foreseen is there now, or has failed.
        made, reader, foreseen = None, reader.fresh, frozenset()

    def planned(fresh: registry_reader.Reader) -> changeset.Plan:
        nonlocal latest
        latest = reconciliation.plan(fresh, request, foreseen, latest)
        return latest.made

    name, waited = request.wanted.name, 0.0
    if not request.check_mode and first.live.registry is None and dependencies.generates_database(request.wanted, None):
        # Loads in 10 ms, which the runs that create no database do not need.
        from . import removal

        waited = removal.wait_for_collection(reader, name, seconds)
    carried_out, written = registry_writes.carry_out(reader, planned, name, request.check_mode, request.outcome, made=made)
    resource = written or latest.live.registry
    request.outcome.registry = custom_resource.registry_result(resource) if resource else {}
    granted, refusal = None, None
    if latest.access:
        try:
            granted = latest.access.grant(None if latest.is_predicted else resource)
        except _interruption.CancelledError:
            raise
        except _errors.ReportedError as error:
            refusal = error
    return WrittenRegistry(replace(latest, reader=first.reader, made=carried_out), resource, granted, refusal, waited)


@dataclass(frozen=True)
class WrittenRegistry:
    """A registry after it was written, or where there was nothing to write."""

    # As it was carried out.
    planned: reconciliation.PlannedRegistry
    resource: manifests.Manifest | None = field(repr=False)
    granted: authorization.GrantedAccess | None
    # Why the permissions could not be written. It is raised after the wait.
    refusal: _errors.ReportedError | None
    # How many seconds it took until it could be written.
    waited: float = 0.0

    @property
    def _request(self) -> reconciliation.Request:
        return self.planned.request

    @property
    def _outcome(self) -> record.Outcome:
        return self.planned.request.outcome

    def wait(self, seconds: float) -> None:
        """Wait until it serves. NotAvailableError, with what a look at its database adds to that where one was asked for; or what `write` kept."""
        planned, failure = self.planned, None
        if not planned.is_predicted:
            unchanged = None if self._outcome.changes else planned.live
            patience = seconds if planned.can_become_available else 0
            try:
                availability.wait_until_available(planned.reader, self._request.wanted.name, patience, self._outcome, unchanged, self.explanation, self.waited)
            except _errors.ReportedError as error:
                failure = error
            self._outcome.status["restart_needed"] = planned.made.restart_needed
        self.end_wait(failure)

    def end_wait(self, failure: _errors.ReportedError | None) -> None:
        """Raise why the wait has failed, where the registry is not available once what was replaced in place is put back; and what `write` kept."""
        if isinstance(failure, availability.NotAvailableError):
            failure.add(rollback.put_back(self.planned, self.resource, failure.verdict))
        if failure and self.refusal:
            failure.add(f"The permissions could not be set either: {self.refusal}")
        raised = failure or self.refusal
        if raised:
            raise raised

    def explanation(self) -> str:
        """What else is known of a registry that does not serve: that its host is no Service, what its database shows, and what to do with one just made."""
        seen, resource, name = self.planned.preflight, self.resource, self._request.wanted.name
        if resource is None:
            return ""
        reader = self.planned.reader.fresh
        if seen and seen.report.usable:
            # It may have changed meanwhile. With a password that was wrong nobody logs in a second time. Imported here: it takes 80 ms to load.
            from .._database import preflight

            seen = preflight.look_before(reader, resource, {}, {}, self._request.withholds_password)
        made = any((change["action"], change["kind"]) == ("create", kinds.KIND) for change in self._outcome.changes)
        ways_on = f"Registry {name!r} was created: fix the cause and run again, or delete it with `state: absent`." if made else ""
        return " ".join(filter(None, (registry_reader.missing_service(reader, resource), seen.explanation() if seen else "", ways_on)))

    def clean_up(self, reader: registry_reader.Reader) -> None:
        """Delete what an edit has left over, where the registry is seen available without it. InputError, ClusterError when a request is refused."""
        outcome, made = self._outcome, self.planned.made
        if not made.leftovers:
            return
        is_available = bool(outcome.status.get("available")) and not (self._request.check_mode and made.changes)
        if self._request.check_mode and not is_available and self._request.waits and (self.planned.can_become_available or self.planned.is_predicted):
            # Whether it becomes available is not known.
            outcome.kept = []
            for change in made.leftovers:
                # What is replaced in place is one change, with what is done about the previous value.
                if change.result(False) not in outcome.changes:
                    outcome.record(change, unverified=True)
        if not is_available:
            return
        outcome.kept = []
        registry_writes.carry_out(reader, self._planned_clean_up, self._request.wanted.name, self._request.check_mode, outcome)

    def _planned_clean_up(self, reader: registry_reader.Reader) -> changeset.Plan:
        """What is left over by what is there now: another process may have edited the registry, or have begun to use what it does not."""
        live, planned = reconciliation.base_plan(reader, self._request)
        if planned.problems or not live.is_available or any(change.kind == kinds.KIND for change in planned.changes):
            return changeset.Plan(kept=planned.kept)
        needed = [(change, self._still_needed_by(reader, change, planned)) for change in planned.leftovers]
        kept = tuple({"kind": change.kind, "name": change.name, "reason": reason} for change, reason in needed if reason)
        return changeset.Plan(tuple(change for change, reason in needed if not reason), kept=kept)

    def _still_needed_by(self, reader: registry_reader.Reader, removing: changeset.Change, planned: changeset.Plan) -> str:
        """Why a previous value must not be removed yet: a server has not been started with the new one, or is not available with it. Empty for nothing."""
        if removing.action == "delete":
            return ""
        if planned.changes or planned.restart_needed:
            return previous_value.STILL_KEPT
        others = rollback.other_readers(reader, removing, self._request.wanted.name)
        waiting = [name for name, state in others.items() if state != rollback.AVAILABLE]
        return f"the previous value is kept until registry {', '.join(map(repr, waiting))} is available with the new one" if waiting else ""

    def finish(self, options: Mapping[str, Any]) -> None:
        """What can be done only when it serves: the members of its group, its address, and a request to it. ClusterError when a request is refused."""
        outcome, name = self._outcome, self._request.wanted.name
        if self.granted:
            self.granted.set_members()
        if self.planned.is_predicted:
            outcome.status = {**observation.ABSENT, "reason": "the registry does not exist yet", "restart_needed": False}
            return
        # That it is not known is no fault of the registry: its address is only shown.
        observation.complete_address(self.planned.reader, name, outcome.status)
        if options["smoke_test"] and outcome.status["available"]:
            answer = smoke_test.ask_registry(self.planned.reader, outcome.status["address"], options["smoke_test_domains"])
            outcome.status["smoke_test"] = answer.as_result()
