# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `model_registries`: many registries at once, planned one by one, written in parallel, waited for together."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from .. import _errors, _interruption, _options, _texts
from .._cluster import client, registry_reader, snapshots, visibility
from .._model import custom_resource, desired_state, manifests, naming, ownership, permissions
from .._plan import dependencies, drift, prediction, record, registry_plan
from .._rest import smoke_test
from .._status import availability, readiness
from .._work import completion, reconciliation

if TYPE_CHECKING:
    from .._work import removal

# Problems of these options are of the whole call, and not of one registry.
OF_THE_CALL = ("namespace",)
# How many failures a message tells in full; all of them are in `problems`.
TOLD = 20
# After this many seconds what was read is read again before the next deletion is planned by it.
RENEWED_AFTER = 5


class NotAllConvergedError(_errors.InputError):
    """Some registries could not be brought to what is wanted; the others were."""

    def __init__(self, failed: Sequence[Item], total: int, check_mode: bool) -> None:
        super().__init__([problem for item in failed for problem in item.failures])
        sentences = list(dict.fromkeys(problem.sentence() for problem in self.problems))
        more = f" And {len(sentences) - TOLD} more, see `problems`." if len(sentences) > TOLD else ""
        names = _texts.names_of(item.name for item in failed)
        done = f"{len(failed)} of {total} registries failed: {names}. All others were {'compared' if check_mode else 'reconciled'}."
        self.args = (f"{done} {' '.join(sentences[:TOLD])}{more}",)


@dataclass
class Item:
    """One registry of the call, on its way."""

    path: str
    options: Mapping[str, Any]
    wanted: desired_state.Registry
    outcome: record.Outcome
    failures: list[_errors.Problem] = field(default_factory=list)
    # What stopped it that is no problem of its options.
    error: str | None = None
    differences: list[drift.Difference] = field(default_factory=list)
    # By the last plan. `written` only after it was written without a failure.
    planned: reconciliation.PlannedRegistry | None = None
    written: completion.WrittenRegistry | None = None

    @property
    def name(self) -> str:
        """The name of the registry."""
        return self.wanted.name

    @property
    def _shown_name(self) -> str:
        """The name, unless no registry can have it: then it may be anything, also a credential."""
        return self.name if _texts.may_repeat(self.name) or not naming.live_name_problems(self.name) else _texts.NOT_SHOWN

    def attempt(self, work: Callable[[], object]) -> None:
        """Do something for this registry alone: that it fails does not stop the others."""
        try:
            work()
        except _interruption.CancelledError:
            raise
        except _errors.ReportedError as error:
            self.fail(error)

    def fail(self, error: _errors.ReportedError) -> None:
        """Note why it failed."""
        if isinstance(error, _errors.InputError):
            self.failures += self.located(error.problems)
        else:
            self.error = str(error)
            self.failures.append(_errors.Problem(self.path, str(error).rstrip("."), "Fix the cause, and run again; completed changes are kept", self.name))

    def located(self, problems: Iterable[_errors.Problem]) -> list[_errors.Problem]:
        """Problems with the paths that they have in the list."""
        return [problem if problem.option in OF_THE_CALL else replace(problem, option=f"{self.path}.{problem.option}") for problem in problems]

    def result(self) -> manifests.Manifest:
        """What came of it."""
        live = self.planned.live.registry if self.planned else None
        shape = self.outcome.registry or (custom_resource.registry_result(live) if live else self._identity)
        return {**shape, **self._end, "status": self.outcome.status}

    def brief(self) -> manifests.Manifest:
        """What came of it, where everything else is in `info`: to send it twice takes as long as to read it."""
        return {**self._identity, **self._end}

    @property
    def _identity(self) -> manifests.Manifest:
        return {"name": self._shown_name, "namespace": self.wanted.namespace}

    @property
    def _end(self) -> manifests.Manifest:
        failed = {"msg": " ".join(problem.sentence() for problem in self.failures)} if self.failures else {}
        return {"changed": bool(self.outcome.changes), "failed": bool(self.failures), **failed}

    def difference(self) -> list[manifests.Manifest]:
        """Ansible's difference, where there is one."""
        header = f"registry {self.name}"
        own = {"before_header": header, "after_header": header, "before": self.outcome.before, "after": self.outcome.after}
        permissions = self.outcome.permissions_difference
        differs = permissions and permissions["before"] != permissions["after"]
        return [*([own] if own["before"] != own["after"] else []), *([permissions] if differs else [])]


@dataclass
class FleetOutcome(record.Outcome):
    """What a run did with all registries."""

    items: list[Item] = field(default_factory=list)
    removals: list[Item] = field(default_factory=list)
    unlisted: list[manifests.Manifest] = field(default_factory=list)
    # That nothing differs is known only after a comparison.
    is_compared: bool = False
    # What `model_registry_info` would return; None where it was not asked for, or could not be read.
    info: manifests.Manifest | None = None

    def result(self, diff: bool) -> manifests.Manifest:
        """The result of the module."""
        parts = [*self.items, *self.removals]
        changes = [change for item in parts for change in item.outcome.changes]
        # What one deletion kept another may have deleted.
        gone = {(change["kind"], change["name"]) for change in changes if change["action"] == "delete"}
        kept = [kept for item in parts for kept in item.outcome.kept if (kept["kind"], kept["name"]) not in gone]
        databases = [{"name": item.name, **item.outcome.database} for item in self.items if item.outcome.database]
        return {
            "changed": bool(changes),
            "changes": changes,
            "registries": [item.brief() if self.info else item.result() for item in self.items],
            "unlisted": self.unlisted,
            "compared": self.is_compared,
            "drift": [difference.as_result() for item in self.items for difference in item.differences],
            "timeline": self.timeline,
            "cluster": self.cluster,
            **({"kept": kept} if kept else {}),
            **({"databases": databases} if databases else {}),
            **({"info": self.info} if self.info else {}),
            **({"diff": [shown for item in parts for shown in item.difference()]} if diff else {}),
        }


def input_problems(options: Mapping[str, Any]) -> list[_errors.Problem]:
    """What is wrong with the options whatever is in the cluster."""
    return [*_call_problems(options), *(problem for item in _items(options, "") for problem in item.failures)]


def converge(cluster: client.Cluster, options: Mapping[str, Any], check_mode: bool, outcome: FleetOutcome) -> None:
    """Bring all registries to what the options of `model_registries` say; `outcome` is filled on the way.

    InputError: before anything was written, with everything that is wrong with the options, or with all registries alike. NotAllConvergedError: what
    concerns only some of them, for which the others did not wait. ClusterError: what every registry needs could not be read.
    """
    namespace = options["namespace"] or cluster.registries_namespace()
    outcome.items = _items(options, namespace)
    problems = [*_call_problems(options), *(problem for item in outcome.items for problem in item.failures)]
    if options["info"] and not check_mode:
        remedy = "Set check_mode to true for the task, or use the module model_registry_info in a task of its own"
        problems.append(_errors.Problem("info", "is supported only in check mode", remedy))
    if problems:
        raise _errors.InputError(problems)
    snapshot = snapshots.Snapshot(cluster, cluster.capabilities(), namespace)
    try:
        if options["info"]:
            _inform(snapshot, options["info"], outcome)
        Fleet(snapshot, options, check_mode, outcome).converge()
    finally:
        for item in (*outcome.items, *outcome.removals):
            outcome.warn(warning if repr(item.name) in warning else f"registry {item.name!r}: {warning}" for warning in item.outcome.warnings)
        outcome.warn(smoke_test.warnings((item.name, item.outcome.status.get("smoke_test")) for item in outcome.items))


def _inform(snapshot: snapshots.Snapshot, included: Mapping[str, Any], outcome: FleetOutcome) -> None:
    """Read everything about all registries from the same lists as the plan. What is wrong with that does not stop the comparison."""
    # Imported here, as in `registry`: it takes 10 ms to load.
    from .._work import collector

    collecting = collector.Collector(snapshot.survey(), {**collector.ALL, **included}, outcome)
    snapshot.load(collecting.loads())
    try:
        outcome.info = collecting.result()
    except _errors.ReportedError as error:
        outcome.warn([f"info was not read: {error}"])


def _call_problems(options: Mapping[str, Any]) -> list[_errors.Problem]:
    problems = [*naming.namespace_problems(options["namespace"]), *_options.time_problems("wait_timeout", options["wait_timeout"])]
    if options["info"]:
        problems += _options.time_problems("info.expiry_days", options["info"]["expiry_days"], 0)
    if options["purge_limit"] < 0:
        problems.append(_errors.Problem("purge_limit", "is not a valid number", "Set it to the maximum number of registries to delete", options["purge_limit"]))
    if options["purge"] and not options["registries"]:
        problems.append(_errors.Problem("registries", "is empty, so purge would delete all registries", "List the registries to keep, or omit purge", []))
    return problems


def _items(options: Mapping[str, Any], namespace: str) -> list[Item]:
    """The entries of the list, each with what is wrong with it whatever is in the cluster. An empty namespace stands for one that is not known yet."""
    items: list[Item] = []
    first: dict[str, str] = {}
    for index, entry in enumerate(options["registries"]):
        found: list[_errors.Problem] = []
        outcome = record.Outcome()
        item = Item(f"registries[{index}]", entry, desired_state.registry_from_options(entry, namespace, found, outcome.warnings), outcome)
        if entry["permissions"] is not None:
            # Its warnings come with its plan.
            permissions.permissions_from_options(entry["permissions"], False, found, [])
        item.failures += item.located(found)
        if entry["namespace"] is not None and namespace not in ("", entry["namespace"]):
            problem = f"is not the registries namespace{_texts.repeated(namespace)}"
            remedy = "Omit it, or reconcile the registries of another namespace in a separate task"
            item.failures.append(_errors.Problem(f"{item.path}.namespace", problem, remedy, entry["namespace"]))
        same = first.setdefault(item.name, item.path)
        if same != item.path:
            item.failures.append(_errors.Problem(f"{item.path}.name", f"is also the name of {same}", "List each registry once", item.name))
        items.append(item)
    return items


class Fleet:
    """All registries of one call on their way: `converge` plans, checks, writes, waits and purges."""

    def __init__(self, reader: snapshots.Snapshot, options: Mapping[str, Any], check_mode: bool, outcome: FleetOutcome) -> None:
        self._reader, self._options, self._check_mode, self._outcome = reader, options, check_mode, outcome
        self._seconds: int = options["wait_timeout"] if options["wait"] and not check_mode else 0
        # Unlisted registries that read an object which was made for one and which another of them reads too: it is deleted with the last one.
        self._sharing: set[str] = set()

    def converge(self) -> None:
        """Do all of it, with each registry as far as it comes. NotAllConvergedError at the end when some did not get there."""
        items, outcome = self._outcome.items, self._outcome
        self._reader.load()
        listed = {item.name for item in items}
        live = self._reader.registries()
        if not live:
            registry_reader.need_namespace(self._reader.cluster, self._reader.namespace)
        shapes = [custom_resource.registry_result(registry) for registry in live if registry["metadata"]["name"] not in listed]
        outcome.unlisted = [{"name": shape["name"], "display_name": shape["display_name"]} for shape in shapes]
        self._reader.cluster.say(f"registries listed: {len(items)}, in the cluster: {len(live)}, not listed: {len(shapes)}")
        self._plan(items)
        # The module has begun with `gc.disable()`. What is there now stays until the end; a wait makes new garbage.
        gc.freeze()
        gc.enable()
        removals = self._plan_purge(live, listed) if self._options["purge"] else {}
        self._write([item for item in items if not item.failures])
        self._settle([item for item in items if not item.failures and self._is_shown(item)])
        self._clean_up([item for item in items if not item.failures and item.planned and item.planned.made.leftovers])
        failed = [item for item in items if item.failures]
        if failed and removals:
            outcome.warn([f"purge deleted nothing, because other registries failed; not listed: {_texts.names_of(item.name for item in outcome.removals)}"])
        else:
            self._purge(removals)
            failed = [item for item in (*items, *outcome.removals) if item.failures]
        if failed:
            raise NotAllConvergedError(failed, len(items) + len(removals), self._check_mode)

    def _plan(self, items: Sequence[Item]) -> None:
        """Plan every registry. InputError for what is wrong with all of them alike, such as a right that the account does not have."""
        # Few registries with many grants are written as much side by side as many with few.
        threads = max(1, snapshots.THREADS // max(1, len(items)))
        for item in items:
            item.attempt(partial(self._prepare, item, threads))
        self._outcome.is_compared = True
        for item in items:
            item.failures += item.located(self._name_problems(item))
        sources = {source for item in items if item.planned and not item.failures for source in item.planned.sources}
        if sources:
            for item in items:
                item.attempt(partial(self._foresee, item, sources))
        checked = [item for item in items if item.planned and not item.failures and item.planned.checks_database]
        if checked:
            # Databases answer when they like.
            self._side_by_side("checking databases", checked, self._check_database)
            self._outcome.warn(reconciliation.unreached_warning(item.planned for item in checked if item.planned))
        reasons = {item.error for item in items}
        if items and len(reasons) == 1 and None not in reasons:
            # The same for every registry: said once.
            raise _errors.ReportedError(reasons.pop())
        of_the_call = {problem.sentence(): problem for item in items for problem in item.failures if problem.option in OF_THE_CALL}
        if of_the_call:
            others = [problem for item in items for problem in item.failures if problem.option not in OF_THE_CALL]
            raise _errors.InputError([*of_the_call.values(), *others])

    def _prepare(self, item: Item, threads: int) -> None:
        # What is wrong with the permissions was found with the other options.
        options = {"name": item.name, **item.options}
        request = reconciliation.request_from_options(item.wanted, options, self._options, self._check_mode, item.outcome, [])
        access = replace(request.access, threads=threads) if request.access else None
        item.planned = reconciliation.plan(self._reader, replace(request, access=access, expected_users=lambda: self._expected_users))
        item.failures += item.located(item.planned.problems())
        item.differences = item.planned.differences()

    def _name_problems(self, item: Item) -> list[_errors.Problem]:
        """What the operator would overwrite of other new registries of the list for this new one."""
        if item.planned is None or item.failures or item.planned.live.registry is not None:
            return []
        beside = ownership.neighbors(item.name, dependencies.generates_database(item.wanted, None))
        conflict = ownership.name_conflict(item.name, {name: self._expected.get(name) for name in beside}, ()) if beside else None
        return [registry_plan.name_problem(item.name, conflict)] if conflict else []

    @staticmethod
    def _check_database(item: Item) -> None:
        if item.planned:
            item.planned, problems = item.planned.with_database()
            item.failures += item.located(problems)

    @staticmethod
    def _foresee(item: Item, sources: set[tuple[str, str]]) -> None:
        if item.planned and not item.failures:
            before, item.planned = item.planned, item.planned.after(sources)
            if item.planned is not before:
                item.failures += item.located(item.planned.problems())

    @cached_property
    def _expected(self) -> dict[str, manifests.Manifest]:
        """The listed registries as they are to be after this run."""
        reader = self._reader
        placed = {item.name: registry_reader.with_upload_place(reader, item.wanted) for item in self._outcome.items}
        return {name: prediction.resource_after(wanted, reader.registry(name), reader.capabilities) for name, wanted in placed.items()}

    @cached_property
    def _expected_users(self) -> Mapping[tuple[str, str], Collection[str]]:
        return custom_resource.users_of(self._expected.values())

    def _plan_purge(self, live: Sequence[manifests.Manifest], listed: set[str]) -> dict[str, removal.Removal]:
        """The deletion of every registry that is not listed. InputError before anything is written when one of them must not be deleted.

        One that somebody has deleted already is gone anyway: what an earlier run did not come to is done, and nothing of it refuses this one.
        """
        # Imported here, as in `registry`: it takes 10 ms to load.
        from .._plan import deletion_plan
        from .._work import removal

        unlisted = {registry["metadata"]["name"]: registry for registry in live if registry["metadata"]["name"] not in listed}
        unwanted = [name for name in unlisted if not naming.name_problems(name)]
        for name in sorted(unlisted.keys() - unwanted):
            self._outcome.warn(
                [f"purge does not delete registry {name!r}, because its name is not valid in a list. To delete it, use model_registry with state absent"]
            )
        for name, owner in {name: ownership.keeper_of(unlisted[name]) for name in unwanted}.items():
            if owner:
                unwanted.remove(name)
                self._outcome.warn([f"purge does not delete registry {name!r}, because it is {owner}. Delete it there"])
        chosen = [name for name in unwanted if not deletion_plan.is_going(unlisted[name])]
        limit = self._options["purge_limit"]
        if len(chosen) > limit:
            remedy = "List the registries to keep, or increase purge_limit to delete all of them"
            raise _errors.InputError(
                [
                    _errors.Problem(
                        "purge_limit", f"is less than the number of registries that are not listed ({len(chosen)}): {_texts.names_of(chosen)}", remedy, limit
                    )
                ]
            )
        unwanted += visibility.seen(
            lambda: [name for name in removal.left_behind(self._reader) if name not in listed],
            [],
            lambda why: self._outcome.warn([f"objects of deleted registries could not be determined, and are kept: {why}"]),
            advice=False,
        )
        users = custom_resource.users_of(unlisted[name] for name in unwanted if name in unlisted)
        self._sharing = {name for (kind, held), names in users.items() if len(names) > 1 and self._is_ours(kind, held, names[0]) for name in names}
        expected = self._expected
        removals: dict[str, removal.Removal] = {}
        problems: list[_errors.Problem] = []
        for name in unwanted:
            item = Item(f"purge[{name}]", {}, desired_state.Registry(name, self._reader.namespace), record.Outcome())
            consent = desired_state.Consent(delete_data=self._options["delete_data"])
            uid = unlisted[name]["metadata"]["uid"] if name in unlisted else ""
            removals[name] = removal.Removal(item.wanted, consent, self._check_mode, item.outcome, expected, uid)
            if name in chosen:
                problems += removals[name].problems(self._reader)
            if name in self._sharing:
                expected = {**expected, name: manifests.merged(unlisted[name], {"metadata": {"deletionTimestamp": "0001-01-01T00:00:00Z"}})}
            self._outcome.removals.append(item)
        if problems:
            raise _errors.InputError(problems)
        return removals

    def _is_ours(self, kind: str, name: str, user: str) -> bool:
        held = self._reader.held(kind, name) if "db-" in name else None
        return held is not None and ownership.owner_of(kind, held, ownership.left_by(name, ()) or user).is_ours

    def _write(self, items: Sequence[Item]) -> None:
        """Write what differs, each registry for itself in an order that is safe."""
        changing: list[Item] = []
        for item in items:
            if item.planned and item.planned.has_changes:
                changing.append(item)
            else:
                item.attempt(partial(self._write_one, item))
        if not changing:
            return
        doing = "trying" if self._check_mode else "writing"
        self._reader.cluster.say(f"{doing} {len(changing)} of {len(items)}, unchanged: {len(items) - len(changing)}")
        groups: dict[bool, list[Item]] = {False: [], True: []}
        for item in changing:
            groups[item.planned is not None and bool(item.planned.foreseen)].append(item)
        for group in groups.values():
            self._side_by_side(doing, group, self._write_one)

    def _is_shown(self, item: Item) -> bool:
        """Whether the status of a registry is part of the result, or decides about it: `info` tells it too."""
        is_done = item.planned is not None and not item.planned.has_changes and not item.planned.made.leftovers
        return not self._outcome.info or bool(self._options["smoke_test"]) or not is_done

    def _write_one(self, item: Item) -> None:
        if item.planned:
            item.written = completion.write(item.planned, self._seconds)
            item.planned = item.written.planned

    def _side_by_side(self, doing: str, items: Sequence[Item], work: Callable[[Item], object]) -> None:
        """Do something for each registry alone, several at the same time, and say how far it is."""
        with ThreadPoolExecutor(snapshots.THREADS) as pool:
            futures = [pool.submit(item.attempt, partial(work, item)) for item in items]
            for number, done in enumerate(as_completed(futures), 1):
                done.result()
                self._reader.cluster.tell(f"{doing}: {number} of {len(futures)} done")

    def _settle(self, items: Sequence[Item]) -> None:
        """See how they are, wait for all together, and do with each what can be done only when it serves."""
        by_name = {item.name: item for item in items}
        predicted = [item for item in items if item.planned and item.planned.is_predicted]
        looked_at = {item.name: item.outcome for item in items if item not in predicted}
        patient = {item.name for item in items if self._seconds and item.planned and item.planned.can_become_available}
        is_written = not self._check_mode and any(item.outcome.changes for item in items)
        # They were written side by side.
        waited = max((item.written.waited for item in items if item.written), default=0.0)
        finished: list[Future[None]] = []
        with ThreadPoolExecutor(snapshots.THREADS) as pool, ThreadPoolExecutor(snapshots.THREADS) as finishing:
            unsettled = set(looked_at)

            def settled(name: str, verdict: readiness.Verdict, seen: readiness.Observation) -> None:
                unsettled.remove(name)
                finished.append(finishing.submit(self._finish, by_name[name], verdict, seen, name in patient))

            for item in predicted:
                self._finish(item, None, None, False)
            reader = self._reader.renewed if is_written else self._reader
            try:
                availability.wait_for_all(reader, looked_at, patient, self._seconds, settled, pool, waited)
            except _errors.ClusterError as error:
                refusals = {item.name: item.written.refusal for item in items if item.written and item.written.refusal}
                if len(unsettled) == len(self._outcome.items) and not refusals:
                    # The same for every registry: said once.
                    raise
                for name in unsettled:
                    by_name[name].fail(error)
                    if name in refusals:
                        by_name[name].fail(refusals[name])
            for done in finished:
                done.result()

    def _finish(self, item: Item, verdict: readiness.Verdict | None, seen: readiness.Observation | None, is_patient: bool) -> None:
        written = item.written
        if written is None:
            return
        item.outcome.status["restart_needed"] = written.planned.made.restart_needed

        def finish() -> None:
            failure = None
            if verdict and seen and is_patient and not verdict.available:
                unchanged = not item.outcome.changes
                failure = availability.NotAvailableError(item.name, verdict, self._seconds, seen, written.explanation(), unchanged)
            written.end_wait(failure)
            written.finish(self._options)

        item.attempt(finish)

    def _clean_up(self, items: Sequence[Item]) -> None:
        """Delete what edits have left over, by what is there now."""
        if not items:
            return
        now = self._reader if self._check_mode else self._reader.renewed

        def clean_up(item: Item) -> None:
            if item.written:
                item.written.clean_up(now)

        self._side_by_side("deleting unused objects", items, clean_up)

    def _purge(self, removals: Mapping[str, removal.Removal]) -> None:
        """Delete what was planned, side by side, by what is there now: the others were written, and waited for, since it was planned."""
        if not removals:
            return
        self._reader.cluster.say(f"deleting {_texts.names_of(removals)}" if not self._check_mode else f"would delete {_texts.names_of(removals)}")
        deadline = time.monotonic() + self._seconds
        now = self._reader if self._check_mode else self._reader.renewed
        renewing = threading.Lock()

        def present(name: str) -> snapshots.Snapshot:
            """The cluster as it was not long ago: a deletion may have waited for others."""
            nonlocal now
            with renewing:
                if not self._check_mode and (name in self._sharing or now.age > RENEWED_AFTER):
                    now = now.renewed
                return now

        def remove(item: Item) -> None:
            if self._seconds and time.monotonic() >= deadline:
                raise _errors.ReportedError(f"registry {item.name!r} was not deleted: the other deletions took all of the {self._seconds} s (wait_timeout).")
            removals[item.name].carry_out(present(item.name), self._seconds, deadline=deadline)

        one_by_one = [[item] for item in self._outcome.removals if item.name in self._sharing]
        for group in ([item for item in self._outcome.removals if item.name not in self._sharing], *one_by_one):
            self._side_by_side("trying to delete" if self._check_mode else "deleting", group, remove)
