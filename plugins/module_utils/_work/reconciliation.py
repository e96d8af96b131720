# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One registry on its way to what is wanted: read, checked, written in order, waited for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .. import _errors, _interruption
from .._cluster import registry_reader, visibility, writes
from .._model import custom_resource, desired_state, kinds, live_state, manifests, previous
from .._plan import changeset, drift, prediction, previous_value, record, registry_plan
from .._rest import smoke_test
from .._status import availability, observation, readiness
from . import rollback, upload_place

# What looks at a database takes 80 ms to load, and what grants access 17 ms: Ansible sends sources only, so that each file is compiled
# in every run that imports it. Most runs do neither, so functions import them.
if TYPE_CHECKING:
    from .._database import preflight
    from . import authorization

# The names of the registries that refer to each ConfigMap and Secret, by its kind and name.
Users = Mapping[tuple[str, str], Collection[str]]


def access_request(
    options: Mapping[str, Any], problems: list[_errors.Problem], check_mode: bool, outcome: record.Outcome, waits: bool
) -> authorization.Request | None:
    """What is to be done with the option `permissions` of a registry that is created or edited, None without it; `problems` is added to."""
    if options["permissions"] is None:
        return None
    from . import authorization

    return replace(authorization.request_from_options({"state": "present", **options}, problems, check_mode, outcome), waits=waits)


@dataclass(frozen=True)
class Overwritten:
    """What a run changes of what there was: the change, and what was there when the registry was as it had been."""

    change: changeset.Change
    before: live_state.Live = field(repr=False)


class Convergence:
    """A registry that is to be made or edited: `problems` before anything is written, `write`, then `wait`, `finish` when it serves, and `clean_up`."""

    def __init__(
        self,
        reader: registry_reader.Reader,
        wanted: desired_state.Registry,
        consent: desired_state.Consent,
        check_mode: bool,
        outcome: record.Outcome,
        access: authorization.Request | None,
        check_database: str,
        waits: bool,
        expected_users: Callable[[], Users] = dict,
    ) -> None:
        self._reader, self._wanted, self._consent, self._check_mode, self._outcome = reader, wanted, consent, check_mode, outcome
        self._access_request, self._check_database, self._waits = access, check_database, waits
        self._access: authorization.PlannedAccess | None = None
        self._granted: authorization.GrantedAccess | None = None
        self._preflight: preflight.Preflight | None = None
        # Who will refer to which Secret once the registries of the same run are as wanted.
        self._expected_users = expected_users
        self._foreseen: frozenset[tuple[str, str]] = frozenset()
        self._live = live_state.Live(reader.capabilities)
        self._resource: manifests.Manifest | None = None
        # None until it was made, and again when it has to be made anew.
        self._made: changeset.Plan | None = None
        self._overwritten: dict[tuple[str, str], Overwritten] = {}
        # Why the permissions could not be written.
        self._refusal: _errors.ReportedError | None = None

    @property
    def live(self) -> live_state.Live:
        """What the cluster held when the plan was made."""
        return self._live

    @property
    def plan(self) -> changeset.Plan:
        """What was planned, and after `write` what was carried out."""
        return self._made or changeset.Plan()

    @property
    def is_predicted(self) -> bool:
        """Whether the registry is only predicted: by check mode, which made none."""
        return self._check_mode and self._live.registry is None

    @property
    def can_become_available(self) -> bool:
        """Whether it is worth waiting for. Where something is missing that no change of this run can make, it is said in a warning, and not waited for."""
        return not self.is_predicted and bool(self.plan.changes or not self.plan.incomplete)

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.plan.changes) or (self._access is not None and bool(self._access.changes))

    def differences(self) -> list[drift.Difference]:
        """What is live other than wanted, by the first plan."""
        access, standing = self._access, self._access.standing if self._access else None
        changes = [*self.plan.changes, *(access.changes if access else ())]
        grants, group = (standing.grants, standing.group.manifest) if standing else (None, None)
        return drift.differences(self._wanted.name, self._live, changes, grants, group)

    def problems(self) -> list[_errors.Problem]:
        """Read what is live and plan: everything for which it cannot be carried out. ClusterError when something may not be read."""
        self._made = self._planned(self._reader)
        return [*self._made.problems, *writes.rights_problems(self._reader, (*self._made.changes, *self._made.leftovers))]

    @property
    def sources(self) -> set[tuple[str, str]]:
        """The ConfigMaps and Secrets that the plan writes, by kind and name."""
        return {(change.kind, change.name) for change in self.plan.changes if change.kind in kinds.APIS and change.action != "delete"}

    @property
    def follows(self) -> bool:
        """Whether the registry reads what the same run writes for another one, so that it has to be written after that."""
        return bool(self._foreseen)

    def foresee(self, sources: set[tuple[str, str]]) -> list[_errors.Problem]:
        """Plan anew where the same run writes, for other registries, what this one reads; `problems` of that plan."""
        if self._live.registry is None:
            return []
        self._foreseen = frozenset(self._live.objects.keys() & sources - self.sources)
        return self.problems() if self._foreseen else []

    @property
    def checks_database(self) -> bool:
        """Whether the database is to be looked at: the plan writes what the server connects with, and nothing of that is written for another registry."""
        if self._check_database == "ignore" or self.follows:
            return False
        return any(
            change.action in ("create", "update") and (change.kind in kinds.APIS or any(option.startswith("database.") for option in change.fields))
            for change in self.plan.changes
        )

    def check_database(self) -> list[_errors.Problem]:
        """Look at the database that the registry will have, where that is asked for; the problems for which it must not be written."""
        if not self.checks_database:
            return []
        from .._database import preflight

        live, reader = self._live, self._reader
        contents = {(change.kind, change.name): change.body for change in self.plan.changes if change.kind in kinds.APIS and change.action != "delete"}
        resource = prediction.resource_after(upload_place.placed(reader, self._wanted), live.registry, reader.capabilities)
        found = preflight.look_before(reader, resource, live.objects, contents, self._withholds_password)
        if found is None:
            return []
        self._preflight, must_pass = found, self._check_database == "fail"
        self._outcome.database = found.result()
        self._outcome.warn(found.warnings(failures=not must_pass))
        return found.problems() if must_pass else []

    @property
    def _withholds_password(self) -> bool:
        """Whether the host that a new password would go to is one that whoever may edit the registry has chosen."""
        database = self._wanted.database
        return database is not None and database.password is not None and database.host is None

    @staticmethod
    def unreached_warning(convergences: Iterable[Convergence]) -> list[str]:
        """One warning for all whose database was not reached."""
        names = [convergence._wanted.name for convergence in convergences if convergence._preflight and convergence._preflight.unreached]
        if not names:
            return []
        from .._database import preflight

        return preflight.unreached_warning(names)

    def write(self) -> None:
        """Write the registry with what it refers to, then who may use it. InputError, or ClusterError when a write is refused. `problems` comes first.

        That a permission is refused is raised after the wait (`raise_refusal`): what was changed in place may have to be put back.
        """
        made, self._made, reader = self._made, None, self._reader
        if self._foreseen and not self._check_mode:
            # What was foreseen is there now, or has failed.
            made, reader, self._foreseen = None, reader.fresh, frozenset()
        self._made, written = writes.carry_out(reader, self._planned, self._wanted.name, self._check_mode, self._outcome, made=made)
        self._resource = written or self._live.registry
        self._outcome.registry = custom_resource.registry_result(self._resource) if self._resource else {}
        if not self._access:
            return
        try:
            self._granted = self._access.grant(None if self.is_predicted else self._resource)
        except _interruption.CancelledError:
            raise
        except _errors.ReportedError as error:
            self._refusal = error

    @property
    def is_refused(self) -> bool:
        """Whether `write` kept a refusal for after the wait."""
        return self._refusal is not None

    def raise_refusal(self) -> None:
        """Raise what `write` kept for after the wait."""
        if self._refusal:
            raise self._refusal

    def wait(self, seconds: float) -> None:
        """Wait until it serves. NotAvailableError, with what a look at its database adds to that where one was asked for; or what `write` kept."""
        try:
            if not self.is_predicted:
                self._wait(seconds)
        except _errors.ReportedError as error:
            self.add_refusal(error)
            raise
        self.raise_refusal()

    def _wait(self, seconds: float) -> None:
        unchanged = None if self._outcome.changes else self._live
        try:
            availability.wait_until_available(
                self._reader, self._wanted.name, seconds if self.can_become_available else 0, self._outcome, unchanged, self.explanation
            )
        except availability.NotAvailableError as error:
            error.add(self.put_back(error.verdict))
            raise
        finally:
            self._outcome.status["restart_needed"] = self.plan.restart_needed

    def add_refusal(self, error: _errors.ReportedError) -> None:
        """Say what `write` kept together with another error."""
        error.add(f"The permissions could not be set either: {self._refusal}" if self._refusal else "")

    def explanation(self) -> str:
        """What else is known of a registry that does not serve: that its host is no Service, what its database shows, and what to do with one just made."""
        seen, resource, name = self._preflight, self._resource, self._wanted.name
        if resource is None:
            return ""
        reader = self._reader.fresh
        if seen and seen.report.usable:
            # It may have changed meanwhile. With a password that was wrong nobody logs in a second time.
            from .._database import preflight

            seen = preflight.look_before(reader, resource, {}, {}, self._withholds_password)
        made = any((change["action"], change["kind"]) == ("create", kinds.KIND) for change in self._outcome.changes)
        ways_on = f"Registry {name!r} was created: fix the cause and run again, or delete it with `state: absent`." if made else ""
        return " ".join(filter(None, (registry_reader.missing_service(reader, resource), seen.explanation() if seen else "", ways_on)))

    def put_back(self, verdict: readiness.Verdict) -> str:
        """Put a password or CA that was replaced in place back, now that the registry is not available with the new one; what was done, as sentences.

        It may have been replaced by an earlier run. What the same run changed of the database's settings belongs together with it, and is put back too.
        """
        # Of one that was not carried out, another process may have written the same.
        written = {key: entry for key, entry in self._overwritten.items() if entry.change.result(False) in self._outcome.changes}
        settings = next((entry for entry in written.values() if entry.change.kind == kinds.KIND and self._undoing(entry)), None)
        removals = {(change.kind, change.name): change for change in self.plan.leftovers if change.action == "update"}
        login = previous.login_of((settings.before if settings else self._live).registry)
        sentences: list[str] = []
        restarted: list[str] = []
        done = False
        for key, change in {**removals, **{key: entry.change for key, entry in written.items() if key[0] != kinds.KIND}}.items():
            entry, removing = written.get(key), removals.get(key)
            known = manifests.patched(self._live.objects.get(key) or {}, entry.change.body if entry else {})
            if removing and previous_value.is_put_back(removing, known):
                continue
            reason = rollback.NOT_AVAILABLE_EITHER if removing is None else self._reason_to_leave(removing, entry, known, verdict)
            if reason is None and settings and not done:
                reason = self._reason_to_leave_settings(settings)
            if reason is None and removing:
                reason, failed = rollback.write_back_for(self._reader.fresh, removing, known, self._wanted.name, self._outcome, entry is not None, login)
                restarted += failed
            if reason is None and entry:
                self._outcome.forget((*change.before, *change.after))
            done = done or reason is None
            sentences.append(rollback.sentence(change, reason, removing))
        if done and settings:
            # Last: until then no pod reads what was put back, and a run that is killed in between has saved the password, which nothing else may hold.
            sentences.append(self._put_settings_back(settings))
        elif done:
            restarted.insert(0, self._wanted.name)
        if self._consent.restart:
            sentences += [rollback.restart(self._reader, name, self._outcome) for name in dict.fromkeys(restarted)]
        return " ".join(sentences)

    def _reason_to_leave(self, removing: changeset.Change, entry: Overwritten | None, known: manifests.Manifest, verdict: readiness.Verdict) -> str | None:
        """Why the previous password or CA is not to be put back; None when nothing speaks against it. `entry` is what this run has written over it."""
        is_password = removing.kind == "Secret"
        if (rollback.AFTER_LOGIN if is_password else rollback.AFTER_TLS).search(verdict.evidence):
            return rollback.ACCEPTED
        if entry is None:
            # The new one may have worked since.
            refused = rollback.LOGIN_REFUSED if is_password else rollback.CA_REFUSED
            return None if refused.search(verdict.evidence) else rollback.UNPROVEN
        logins = [finding.result for finding in self._preflight.report.findings if finding.check == "login"] if self._preflight else []
        if is_password and entry.before.registry and logins:
            from .._database import diagnosis, preflight

            if logins == [diagnosis.OK]:
                return rollback.ACCEPTED
            contents = {(removing.kind, removing.name): previous_value.with_previous(removing, known)}
            seen = preflight.look_before(self._reader.fresh, entry.before.registry, {}, contents)
            if seen and any(finding.check == "login" and finding.result == diagnosis.FAILURE for finding in seen.report.findings):
                return "the database rejects it"
        return None

    @staticmethod
    def _undoing(settings: Overwritten) -> manifests.Manifest:
        """The sections of the database as a merge patch that gives what the run changed of them its previous values."""
        spec: manifests.Manifest = settings.change.body.get("spec", {})
        sections = {section: value for section, value in spec.items() if section in custom_resource.SECTIONS.values()}
        return manifests.undone(sections, manifests.at(settings.before.registry, ("spec",)) or {})

    def _unchanged_since(self, settings: Overwritten) -> manifests.Manifest | None:
        """The registry, where its database is what this run made it."""
        present = self._reader.fresh.registry(self._wanted.name)
        same = all(manifests.at(present, ("spec", section)) == manifests.at(self._resource, ("spec", section)) for section in self._undoing(settings))
        return present if same else None

    def _reason_to_leave_settings(self, settings: Overwritten) -> str | None:
        try:
            return None if self._unchanged_since(settings) else f"another process has changed registry {self._wanted.name!r} since"
        except _errors.ClusterError as error:
            return str(error).rstrip(".")

    def _put_settings_back(self, settings: Overwritten) -> str:
        """Give the database's settings their previous values; what came of it, as a sentence. The operator rolls its server out by itself."""
        options = [option for option in settings.change.fields if option.startswith("database.")]
        named = f"previous settings of registry {self._wanted.name!r} ({', '.join(options)})"
        for attempt in range(1, writes.PLANS + 1):
            try:
                present = self._unchanged_since(settings)
                if present is None:
                    return f"The {named} were not restored: another process has changed them since."
                body = {"metadata": {"resourceVersion": present["metadata"]["resourceVersion"]}, "spec": self._undoing(settings)}
                answer = writes.send(self._reader.cluster, replace(settings.change, body=body), False)
            except _errors.ClusterError as error:
                # The operator writes the status all the time.
                if error.status == _errors.CONFLICT and attempt < writes.PLANS:
                    continue
                return f"The {named} were not restored: {error}"
            self._outcome.registry = {**self._outcome.registry, **custom_resource.registry_result(answer)}
            self._outcome.forget(options)
            break
        return f"The {named} were also restored, and the operator restarts the server."

    def clean_up(self, reader: registry_reader.Reader) -> None:
        """Delete what an edit has left over, where the registry is seen available without it. InputError, ClusterError when a request is refused."""
        outcome, made = self._outcome, self.plan
        if not made.leftovers:
            return
        is_available = bool(outcome.status.get("available")) and not (self._check_mode and made.changes)
        if self._check_mode and not is_available and self._waits and (self.can_become_available or self.is_predicted):
            # Whether it becomes available is not known.
            outcome.kept = []
            for change in made.leftovers:
                # What is replaced in place is one change, with what is done about the previous value.
                if change.result(False) not in outcome.changes:
                    outcome.record(change, unverified=True)
        if not is_available:
            return
        outcome.kept = []
        writes.carry_out(reader, self._planned_clean_up, self._wanted.name, self._check_mode, outcome)

    def _planned_clean_up(self, reader: registry_reader.Reader) -> changeset.Plan:
        """What is left over by what is there now: another process may have edited the registry, or have begun to use what it does not."""
        live, planned = self._base_plan(reader)
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
        others = rollback.other_readers(reader, removing, self._wanted.name)
        waiting = [name for name, state in others.items() if state != rollback.AVAILABLE]
        return f"the previous value is kept until registry {', '.join(map(repr, waiting))} is available with the new one" if waiting else ""

    def finish(self, options: Mapping[str, Any]) -> None:
        """What can be done only when it serves: the members of its group, its address, and a request to it. ClusterError when a request is refused."""
        outcome, name = self._outcome, self._wanted.name
        if self._granted:
            self._granted.set_members()
        if self.is_predicted:
            outcome.status = {**observation.ABSENT, "reason": "the registry does not exist yet", "restart_needed": False}
            return
        observation.complete_address(self._reader, name, outcome.status)
        if options["smoke_test"] and outcome.status["available"]:
            answer = self._smoke_test(outcome.status["address"], options["smoke_test_domains"])
            outcome.status["smoke_test"] = answer.as_result()
            if answer.result != "ok":
                outcome.warn([f"smoke test of registry {name!r}: {answer.message}"])

    def _smoke_test(self, address: str | None, listed: Sequence[str]) -> smoke_test.Answer:
        cluster, domains, unseen = self._reader.cluster, list(listed), ""
        if address and cluster.bearer_token and not smoke_test.is_below(address, listed):
            try:
                domains += self._reader.ingress_domains()
            except _errors.ClusterError as error:
                unseen = f"The domain of the ingress of the cluster could not be determined: {error}"
        return smoke_test.ask(address, cluster.bearer_token, cluster.ca_file, domains, unseen)

    def _planned(self, reader: registry_reader.Reader) -> changeset.Plan:
        live, made = self._base_plan(reader)
        self._live = live
        for change in made.changes:
            if change.action == "update" and live.registry is not None:
                # Where the plan had to be made anew, the registry was as it had been before the first one.
                first = self._overwritten.get((change.kind, change.name))
                before = replace(live, registry=first.before.registry, deployment=first.before.deployment) if first else live
                self._overwritten[change.kind, change.name] = Overwritten(change, before)
        made = replace(made, warnings=(*made.warnings, *self._shared_warnings(reader, made)))
        if self._access_request is None:
            return made
        from . import authorization

        found = self._access.before if self._access else None
        self._access = authorization.plan(reader, self._access_request, live.registry, found)
        return replace(made, problems=(*made.problems, *self._access.problems))

    def _shared_warnings(self, reader: registry_reader.Reader, made: changeset.Plan) -> list[str]:
        """That another registry reads a Secret whose password is changed. One that this run is for too is restarted by it."""
        names = [change.name for change in made.changes if change.kind == "Secret" and change.action == "update"]
        if not names:
            return []
        unseen: list[str] = []
        what = f"whether other registries use Secret {names[0]!r} could not be determined"
        users: Users = visibility.seen(reader.users, {}, lambda why: unseen.append(f"{what}: {why}"))
        for name in names:
            others = {*users.get(("Secret", name), ())} - {self._wanted.name, *self._expected_users().get(("Secret", name), ())}
            used = f"Secret {name!r} is also used by registry {', '.join(map(repr, sorted(others)))}"
            unseen += [f"{used}, whose password changes too. To restart its server, run again for that registry"] if others else []
        return unseen

    def _base_plan(self, reader: registry_reader.Reader) -> tuple[live_state.Live, changeset.Plan]:
        """What is live, and the plan by that alone."""
        wanted = upload_place.placed(reader, self._wanted)
        live = self._with_expected_users(registry_reader.read_live(reader, wanted, self._foreseen))
        live = replace(live, is_available=readiness.judge(readiness.Observation(live.registry, live.deployment)).available)
        return live, registry_plan.plan(wanted, live, self._consent, datetime.now(timezone.utc))

    def _with_expected_users(self, live: live_state.Live) -> live_state.Live:
        if not live.password_secrets:
            return live
        users = self._expected_users()
        named = (secret["metadata"]["name"] for secret in live.password_secrets)
        used = [name for name in named if any(user != self._wanted.name for user in users.get(("Secret", name), ()))]
        return replace(live, used_secrets=live.used_secrets.union(used))
