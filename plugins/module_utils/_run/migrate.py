# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `model_registry_migrate`: a registry moves to another database with everything that it contains."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from .. import _errors, _options
from .._cluster import client, registry_reader, writes
from .._database import requirements
from .._model import credentials, custom_resource, desired_state, kinds, live_state, manifests, naming
from .._plan import changeset, prediction, record
from .._rest import samples
from .._status import availability
from .._tables import closing, loader, snapshot
from .._work import completion, data_access, move, new_schema, reconciliation

# The first schema with today's tables in both engines.
OLDEST_SCHEMA = 21


@dataclass
class Outcome(record.Outcome):
    """What a migration did, filled as it goes on."""

    migration: manifests.Manifest = field(default_factory=dict)

    def result(self, diff: bool) -> manifests.Manifest:
        """The result of the module."""
        return {**super().result(diff), "migration": self.migration}


def input_problems(options: Mapping[str, Any]) -> list[_errors.Problem]:
    """What is wrong with the options whatever is in the cluster."""
    problems = [*naming.namespace_problems(options["namespace"]), *naming.live_name_problems(options["name"])]
    problems += _options.time_problems("lock_timeout", options["lock_timeout"]) + _options.time_problems("wait_timeout", options["wait_timeout"])
    found: list[_errors.Problem] = []
    wanted = desired_state.registry_from_options({"name": "registry", "database": options["to"]["database"]}, "", found, [])
    found += desired_state.missing_problems(wanted.database)
    if wanted.database and wanted.database.type == _options.GENERATED:
        remedy = f"Set it to {_options.MYSQL} or {_options.POSTGRESQL}"
        found.append(_errors.Problem("database.type", "is not supported: a registry can only be moved to an external database", remedy, _options.GENERATED))
    return problems + _below(found)


def _below(problems: list[_errors.Problem]) -> list[_errors.Problem]:
    """Problems of the database as those of the option that holds it."""
    return [replace(problem, option=f"to.{problem.option}") if problem.option.startswith("database") else problem for problem in problems]


def migrate(cluster: client.Cluster, options: Mapping[str, Any], check_mode: bool, outcome: Outcome) -> None:
    """Move the registry; `outcome` is filled on the way. InputError, ClusterError, and whatever else keeps one of the databases from being used."""
    problems = input_problems(options)
    if problems:
        raise _errors.InputError(problems)
    reader = registry_reader.Reader(cluster, cluster.capabilities(), options["namespace"] or cluster.registries_namespace())
    resource = data_access.registry_with_database(reader, options["name"])
    migration = _planned(reader, resource, options, check_mode, outcome)
    outcome.registry = custom_resource.registry_result(resource)
    if migration.is_done:
        availability.wait_until_available(reader, options["name"], 0 if check_mode else options["wait_timeout"], outcome, migration.live)
        return
    migration.preflight()
    if check_mode:
        migration.predict()
    else:
        migration.carry_out()


def _planned(reader: registry_reader.Reader, resource: manifests.Manifest, options: Mapping[str, Any], check_mode: bool, outcome: Outcome) -> Migration:
    wanted = desired_state.registry_from_options({"name": options["name"], "database": options["to"]["database"]}, reader.namespace, [], outcome.warnings)
    after = prediction.resource_after(registry_reader.with_upload_place(reader, wanted), resource, reader.capabilities)
    database = wanted.database or desired_state.Database()
    if database.password is not None:
        # Not over the password of the database that is left: a run that is killed, and the way back, need it.
        section = custom_resource.live_database(after)
        place = "/".join(str(section.get(key)) for key in ("host", "port", "database", "username"))
        name = credentials.secret_name(reader.namespace, options["name"], f"{database.type}/{place}")
        wanted = replace(wanted, database=replace(database, password_secret=desired_state.KeyReference(name, credentials.PASSWORD_KEY)))
    consent = desired_state.Consent(allow_data_change=True)
    request = reconciliation.Request(wanted, consent, check_mode, outcome, None, "ignore", True)
    return Migration(reader, resource, options, outcome, request)


def _is_in(resource: manifests.Manifest, after: manifests.Manifest) -> bool:
    """Whether two states of a registry have their models in the same place."""
    places = [key for entry in _options.DATABASE_FIELDS if entry.is_place_of_data for key in entry.keys]
    one, other = ([custom_resource.live_type(state), *map(custom_resource.live_database(state).get, places)] for state in (resource, after))
    return one == other


@dataclass(frozen=True)
class _Side:
    """One of the two databases of a migration, and what is said of another registry that uses it too."""

    option: str
    state: manifests.Manifest
    problem: str
    remedy: str

    def refusal(self, names: list[str]) -> _errors.Problem:
        return _errors.Problem(self.option, f"{self.problem} registry {', '.join(map(repr, names))}", self.remedy)


def _sides(resource: manifests.Manifest, after: manifests.Manifest) -> list[_Side]:
    """Closing the one, or filling the other, would harm another registry. A generated one is that of its registry alone."""
    current = "cannot be migrated: its database is also used by", "That registry could no longer write. Move or delete it first"
    sides = [_Side("name", resource, *current), _Side("to.database", after, "is already used by", "Set a database that no registry uses")]
    return [side for side in sides if custom_resource.live_type(side.state) != _options.GENERATED]


def shared_problems(resource: manifests.Manifest, after: manifests.Manifest, registries: list[manifests.Manifest]) -> list[_errors.Problem]:
    """Other registries in one of the databases."""
    found = []
    for side in _sides(resource, after):
        names = [other["metadata"]["name"] for other in registries if _is_in(other, side.state)]
        if others := [name for name in names if name != resource["metadata"]["name"]]:
            found.append(side.refusal(others))
    return found


def suspects(resource: manifests.Manifest, after: manifests.Manifest, registries: list[manifests.Manifest]) -> list[tuple[_Side, manifests.Manifest]]:
    """Other registries whose database has the name of one of the databases, and another host, which can be another name of the same server."""
    return [
        (side, other)
        for side in _sides(resource, after)
        for other in registries
        if other["metadata"]["name"] != resource["metadata"]["name"] and not _is_in(other, side.state) and _but_for_host(other) == _but_for_host(side.state)
    ]


def _but_for_host(state: manifests.Manifest) -> list[Any]:
    return [custom_resource.live_type(state), custom_resource.live_database(state).get("database")]


class Migration:
    """One registry on its way to another database."""

    def __init__(
        self, reader: registry_reader.Reader, resource: manifests.Manifest, options: Mapping[str, Any], outcome: Outcome, request: reconciliation.Request
    ) -> None:
        self._reader, self._resource, self._options, self._outcome, self._request = reader, resource, options, outcome, request
        self._plan = reconciliation.plan(reader, request)
        wanted = registry_reader.with_upload_place(reader, request.wanted)
        self._after = prediction.resource_after(wanted, resource, reader.capabilities)
        # What is still to be written, as it will be.
        self._known: dict[tuple[str, str], manifests.Manifest | None] = dict(self._plan.live.objects)
        for change in self._plan.made.changes:
            if change.kind in kinds.APIS and change.action != "delete":
                self._known[change.kind, change.name] = manifests.patched(self._known.get((change.kind, change.name)) or {}, change.body)
        self._has_tables = False

    @property
    def is_done(self) -> bool:
        """Whether the registry uses the database already."""
        return _is_in(self._resource, self._after)

    @property
    def live(self) -> live_state.Live:
        """The registry as it was read."""
        return self._plan.live

    def preflight(self) -> None:
        """Look at both sides, and at everything that is to be written. InputError with all problems, before anything is written."""
        changes = self._plan.made.changes
        problems = _below(list(self._plan.problems()))
        read_now = custom_resource.named_objects(self._resource)
        for change in changes:
            if change.kind == "ConfigMap" and (change.kind, change.name) in read_now:
                remedy = "Store the CA certificate of the new database in another ConfigMap, and set to.database.ca to it"
                problems.append(
                    _errors.Problem("to.database.ca", f"would replace the CA certificate of the current database in ConfigMap {change.name!r}", remedy)
                )
        name = new_schema.temporary_name(self._resource)
        problems += new_schema.problems(self._resource, self._reader.registry(name))
        problems += shared_problems(self._resource, self._after, self._others())
        source: list[str] = []
        target: list[str] = []
        with contextlib.ExitStack() as stack:
            opened = self._opened(stack, self._open_source, source)
            if opened:
                source += self._source_problems(opened)
            opened = self._opened(stack, self._open_target, target)
            if opened:
                target += self._target_problems(opened)
        remedy = "Nothing was written; fix the cause and run again"
        problems += [_errors.Problem("name", f"cannot be migrated: {text.rstrip('.')}", remedy, self._options["name"]) for text in source]
        problems += [_errors.Problem("to.database", f"cannot be used: {text.rstrip('.')}", remedy) for text in target]
        if not self._has_tables and not target:
            needed = [new_schema.creation(self._reader, self._resource, self._after)]
            problems += writes.rights_problems(self._reader.missing_rights, self._reader.namespace, needed)
        if problems:
            raise _errors.InputError(problems)

    @staticmethod
    def _opened(stack: contextlib.ExitStack, open_it: move.Open, problems: list[str]) -> data_access.Opened | None:
        try:
            return stack.enter_context(open_it())
        except _errors.MissingLibraryError:
            raise
        except _errors.ReportedError as error:
            problems.append(str(error))
            return None

    def _open_source(self) -> contextlib.AbstractContextManager[data_access.Opened]:
        return data_access.database_of(self._reader, self._resource)

    def _open_target(self) -> contextlib.AbstractContextManager[data_access.Opened]:
        return data_access.database_of(self._reader, self._after, self._known)

    @staticmethod
    def _source_problems(opened: data_access.Opened) -> list[str]:
        found = []
        try:
            source = closing.Source(opened.connection, opened.view.type)
            found += source.problems()
            with snapshot.snapshot(opened.connection, opened.view.type, source.suffix if source.is_closed() else "") as taken:
                taken.schema_version()
                taken.need_registry()
        except _errors.ReportedError as error:
            found.append(str(error))
        return found

    def _target_problems(self, opened: data_access.Opened) -> list[str]:
        found = [". ".join(part.rstrip(".") for part in (failure.message, failure.remedy) if part) for failure in opened.failures]
        try:
            with snapshot.snapshot(opened.connection, opened.view.type) as taken:
                self._has_tables = bool(taken.columns())
                if not self._has_tables:
                    return found
                version = taken.schema_version()
                taken.need_registry()
                newest = requirements.NEWEST_MIGRATION[opened.view.type]
                if version < OLDEST_SCHEMA:
                    found.append(f"its schema version is {version}, and versions before {OLDEST_SCHEMA} have other tables. Update the product first")
                if version > newest:
                    self._outcome.warn([f"the schema version {version} of the new database is newer than the version known to this collection ({newest})"])
        except _errors.ReportedError as error:
            found.append(str(error))
        return list(dict.fromkeys(found))

    def _tell(self, text: str) -> None:
        self._reader.cluster.before_writing()
        self._reader.cluster.tell(text)

    @contextmanager
    def _begun(self) -> Iterator[move.Move]:
        limits = self._options["lock_timeout"], self._options["skip_orphans"]
        with move.begun(self._open_source, self._open_target, *limits, self._tell) as begun:
            begun.claim()
            self._need_own_databases(begun)
            yield begun

    def _need_own_databases(self, begun: move.Move) -> None:
        """InputError where another registry uses one of the two databases, which are claimed by now, under another host name."""
        problems = []
        for side, other in suspects(self._resource, self._after, self._others()):
            name, claimed = other["metadata"]["name"], begun.source if side.state is self._resource else begun.sink
            try:
                with data_access.database_of(self._reader, other, is_loaded=True) as opened:
                    if closing.Source(opened.connection, opened.view.type).is_claimed_by(claimed):
                        problems.append(side.refusal([name]))
            except _errors.ReportedError as error:
                self._outcome.warn([f"it was not checked whether registry {name!r} uses the same database ({side.option}) under another host name: {error}"])
        if problems:
            raise _errors.InputError(problems)

    def _others(self) -> list[manifests.Manifest]:
        """All registries but the temporary one."""
        return [found for found in self._reader.registries() if found["metadata"]["name"] != new_schema.temporary_name(self._resource)]

    def predict(self) -> None:
        """What would be done; the rows are loaded into a target that has tables, and taken back."""
        with self._begun() as begun:
            if self._has_tables:
                begun.rehearse()
            else:
                begun.count()
        completion.write(self._plan)
        self._report(begun)

    def carry_out(self) -> None:
        """Everything, or nothing."""
        with self._begun() as begun:
            present = self._reader.fresh.registry(self._options["name"])
            if present is None or present["spec"] != self._resource["spec"]:
                raise _errors.ReportedError("The registry was changed or deleted after it was read, such as by another run. Nothing was written. Run again")
            written: list[changeset.Change] = []
            try:
                for change in self._plan.made.changes:
                    if change.kind in kinds.APIS and change.action != "delete":
                        writes.send(self._reader.cluster, change, False)
                        self._outcome.record(change)
                        written.append(change)
                self._move(begun)
            except BaseException as error:
                with self._undisturbed():
                    self._delete(written, error)
                raise

    def _move(self, begun: move.Move) -> None:
        reader, seconds = self._reader, self._options["wait_timeout"]
        try:
            if not self._has_tables:
                self._reader.cluster.tell("waiting for the registry server to create the tables in the new database")
                new_schema.make(reader, self._resource, self._after, seconds)
            else:
                # A run that was killed may have left it.
                new_schema.remove(reader, self._resource, seconds)
            before = self._samples()
            begun.carry_over()
            self._tell("waiting for the registry to use the new database")
            restarted = time.monotonic()
            completion.write(reconciliation.plan(reader.fresh, self._request)).wait(seconds)
            ended = time.monotonic()
            self._report(begun)
            self._outcome.migration["writes_held_seconds"] = round(ended - (begun.facts.held_at or ended), 1)
            self._outcome.migration["restart_seconds"] = round(ended - restarted, 1)
            self._compare(before)
        except BaseException as error:
            with self._undisturbed():
                self._take_back(begun, error)
            raise

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """What is taken back is taken back also where the run was cancelled."""
        cluster = self._reader.cluster
        check, cluster.before_writing = cluster.before_writing, lambda: None
        try:
            yield
        finally:
            cluster.before_writing = check

    def _samples(self) -> samples.Samples:
        """What the registry shows, for the comparison after the migration, which is worth having but is not the proof."""
        try:
            return samples.taken(self._reader.fresh, self._options["name"])
        except _errors.ReportedError as error:
            self._outcome.warn([f"no objects could be compared through the API of the registry: {error}"])
            return {}

    def _compare(self, before: samples.Samples) -> None:
        if not before:
            self._outcome.migration["compared_objects"] = 0
            return
        after = samples.taken(self._reader.fresh, self._options["name"])
        differing = samples.changed(before, after)
        if differing:
            raise snapshot.UnusableDatabaseError(f"The registry does not show the same objects with the new database: {', '.join(differing[:5])}")
        self._outcome.migration["compared_objects"] = len(before)

    def _take_back(self, begun: move.Move, error: BaseException) -> None:
        """Everything as it was."""
        try:
            present = self._reader.fresh.registry(self._options["name"])
            said = self._put_back(begun, error) if present and _is_in(present, self._after) else begun.take_back()
        except loader.ChangedError as changed:
            said = f"{changed}. The registry therefore keeps the new database."
        except _errors.ReportedError as failed:
            said = f"The previous database was not restored: {failed}"
        if isinstance(error, _errors.ReportedError):
            error.add(said)

    def _put_back(self, begun: move.Move, error: BaseException) -> str:
        try:
            begun.prove_target_unchanged()
        except loader.ChangedError:
            raise
        except _errors.ReportedError:
            # Nothing was written through a registry that was never available.
            if not isinstance(error, availability.NotAvailableError):
                raise
        [change] = [change for change in self._plan.made.changes if change.kind == kinds.KIND]
        body = {"spec": manifests.undone(change.body["spec"], self._resource["spec"])}
        answer = writes.send(self._reader.cluster, replace(change, body=body), False)
        try:
            said = f"The registry has its previous database again. {begun.take_back()}"
        except loader.ChangedError:
            # A server that became available at the last moment has written: these writes are only in the new database.
            writes.send(self._reader.cluster, replace(change, body={"spec": change.body["spec"]}), False)
            raise
        self._outcome.registry = custom_resource.registry_result(answer)
        self._outcome.forget((*change.before, *change.after))
        with contextlib.suppress(availability.NotAvailableError):
            availability.wait_until_available(self._reader.fresh, self._options["name"], self._options["wait_timeout"], self._outcome)
        return said

    def _delete(self, written: list[changeset.Change], error: BaseException) -> None:
        """Delete what was created for the new database, unless the registry uses it."""
        try:
            present = self._reader.fresh.registry(self._options["name"])
            used = custom_resource.named_objects(present or {})
            for change in written:
                held = self._reader.fresh.held(change.kind, change.name) if change.action == "create" and (change.kind, change.name) not in used else None
                if held:
                    writes.send(self._reader.cluster, changeset.deletion(change.kind, change.api, held), False)
                    self._outcome.changes.remove(change.result(False))
        except _errors.ReportedError as failed:
            if isinstance(error, _errors.ReportedError):
                error.add(f"What was created for the new database was not deleted: {failed}")

    def _report(self, begun: move.Move) -> None:
        facts, view = begun.facts, begun.holder.view
        self._outcome.migration = {
            "source": {
                "type": custom_resource.live_type(self._resource),
                "host": view.host,
                "port": view.port,
                "name": view.name,
                "open_again": facts.ways_back,
            },
            "rows": sum(facts.rows.values()),
            "tables": facts.rows,
            "orphans": facts.orphans,
            "copied": facts.copied,
            "repeated": facts.repeated,
            "copy_seconds": round(facts.copy_seconds, 1),
            "verify_seconds": round(facts.verify_seconds, 1),
        }
