# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `model_registry_restore`: an archive becomes the data of a registry that is empty."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from .. import _errors, _options, _progress, _texts
from .._cluster import client, registry_reader, visibility
from .._database import requirements
from .._model import kinds, manifests, naming
from .._plan import record
from .._rest import samples
from .._tables import archive, layout, loader, origin, snapshot, values
from .._work import data_access

# The oldest migration that leaves the same columns and the same rows as the newest one. Those between change indexes, foreign keys and views.
OLDEST_ALIKE = {_options.MYSQL: 19, _options.POSTGRESQL: 19}


@dataclass
class Outcome(record.Outcome):
    """What a restore did, filled as it goes on."""

    is_changed: bool = False
    backup: manifests.Manifest = field(default_factory=dict)
    loaded: manifests.Manifest = field(default_factory=dict)
    server: manifests.Manifest | None = None
    deployments: list[manifests.Manifest] | None = None

    def result(self, diff: bool) -> manifests.Manifest:
        """The result of the module."""
        return {
            "changed": self.is_changed,
            "summary": self._summary,
            "backup": self.backup,
            "database": self.loaded,
            "server": self.server,
            "deployments": self.deployments,
            "cluster": self.cluster,
        }

    @property
    def _summary(self) -> str:
        if "rows" not in self.loaded:
            return ""
        left_out = sum(self.loaded["orphans"].values())
        done = f"{self.loaded['rows']} rows" if self.is_changed else f"unchanged: the database already has the {self.loaded['rows']} rows"
        orphans = f"; orphaned rows omitted: {left_out}" if left_out else ""
        return f"{done} of registry {self.backup['registry']} of {self.backup['cluster']} from {self.backup['taken_at']}{orphans}"


def input_problems(options: Mapping[str, Any]) -> list[_errors.Problem]:
    """What is wrong with the options whatever is in the cluster."""
    return [*naming.namespace_problems(options["namespace"]), *naming.live_name_problems(options["name"]), *origin.problems(options)]


def restore(cluster: client.Cluster, options: Mapping[str, Any], check_mode: bool, outcome: Outcome) -> None:
    """Load the archive; `outcome` is filled on the way. InputError, ClusterError, and whatever else keeps the rows from being read or written."""
    problems = input_problems(options)
    if problems:
        raise _errors.InputError(problems)
    reader = registry_reader.Reader(cluster, cluster.capabilities(), options["namespace"] or cluster.registries_namespace())
    resource = data_access.registry_with_database(reader, options["name"])
    with _archive(options, cluster) as stream:
        saved = archive.Reader(stream)
        outcome.backup = saved.described()
        rows = _Rows(saved, cluster)
        # Nothing is written before everything was read.
        rows.prove()
        with data_access.database_of(reader, resource, is_loaded=True) as opened:
            expected = _loaded(opened, rows, options["skip_orphans"], check_mode, outcome)
        _compare_deployments(reader, options["name"], rows, outcome)
    if not check_mode:
        _ask_server(reader, options["name"], expected, outcome)


def _archive(options: Mapping[str, Any], cluster: client.Cluster) -> contextlib.AbstractContextManager[IO[bytes]]:
    return origin.of_command(options["command"], cluster.before_writing) if options["command"] else origin.of_file(options["src"])


class _Rows:
    """The rows of an archive. On the way it reports how far the run is, and looks at whether it was cancelled."""

    def __init__(self, saved: archive.Reader, cluster: client.Cluster) -> None:
        self._saved, self._cluster = saved, cluster
        self._all = sum(content.rows for content in saved.contents.values())
        self._what, self._done, self._started = "", 0, time.monotonic()

    def prove(self) -> None:
        """Read everything. ArchiveError when anything is not as it was written."""
        self._what = "checking the backup"
        for table in layout.TABLES:
            for _block in self.of(table):
                pass
        self._done, self._started = 0, time.monotonic()

    def told(self, what: str) -> None:
        """Report what is done next."""
        self._what = what
        self._tell()

    def of(self, table: layout.Table) -> Iterator[list[bytes]]:
        """The rows of a table."""
        for block in self._saved.blocks(table):
            self._tell()
            self._done += len(block)
            yield block

    def _tell(self) -> None:
        self._cluster.before_writing()
        self._cluster.tell(_progress.of_rows(self._what, self._done, time.monotonic() - self._started, self._all))


def _loaded(opened: data_access.Opened, rows: _Rows, skip_orphans: bool, check_mode: bool, outcome: Outcome) -> dict[str, str]:
    """Load the rows, or find that they are there already; the first objects of each kind that the registry has to show then, with their names."""
    kind = opened.view.type
    # A snapshot of no transaction: what others write is found out by the loader, which locks the tables.
    target = snapshot.Snapshot(opened.connection, kind)
    target_version = target.schema_version()
    target.need_registry()
    if refusal := version_refusal(outcome.backup["engine"], outcome.backup["schema_version"], kind, target_version):
        raise snapshot.UnusableDatabaseError(refusal)
    newest = requirements.NEWEST_MIGRATION[kind]
    if target_version > newest:
        outcome.warn([f"the schema version {target_version} is newer than the known version ({newest}), but has the same tables and columns"])
    outcome.loaded = {"engine": kind, "database_version": target.server_version(), "schema_version": target_version}
    try:
        done = loader.load(opened.connection, kind, rows.of, skip_orphans, commit=not check_mode, told=rows.told)
        outcome.is_changed = True
        orphans, digests = done.orphans, done.digests
        outcome.warn(done.warnings)
        outcome.loaded.update({"write_seconds": round(done.writing, 1), "verify_seconds": round(done.verifying, 1)})
    except loader.NotEmptyError as error:
        orphans, digests = loader.to_load(rows.of, kind, skip_orphans)
        with snapshot.snapshot(opened.connection, kind) as taken:
            if loader.differing(taken, {name: each.rows for name, each in digests.items()}, {name: each.text for name, each in digests.items()}):
                error.add("They differ from those in the backup. Create another registry, or use another database, and restore into it.")
                raise error
    tables = {table.name: {"rows": digests[table.name].rows, "digest": digests[table.name].text} for table in loader.COPIED}
    total = sum(digests[table.name].rows for table in loader.COPIED)
    outcome.loaded.update({"rows": total, "tables": tables, "orphans": dict(orphans)})
    return {} if check_mode else _first_objects(target)


# The labels by which the dashboard finds what an InferenceService serves, and the type of the object whose id they have.
_LABEL = "modelregistry.opendatahub.io/"
_LINKS = {"registered_model_id": "kf.RegisteredModel", "model_version_id": "kf.ModelVersion"}


def _compare_deployments(reader: registry_reader.Reader, name: str, rows: _Rows, outcome: Outcome) -> None:
    """Report which InferenceServices name this registry, and whether their labels lead to a model and a version that the backup has."""
    services = visibility.seen(
        lambda: registry_reader.labelled(name, lambda: reader.cluster.metadata(kinds.INFERENCE_SERVICES, "", labelSelector=f"{_LABEL}name={name}")),
        None,
        lambda why: outcome.warn([why]),
        "whether the labels of InferenceServices refer to the restored versions",
    )
    if not services:
        outcome.deployments = services
        return
    rows.told("comparing InferenceServices")
    types = {str(row["id"]): row.get("type") for row in _values(rows, "Context")}
    parents = {(str(row["context_id"]), str(row["parent_context_id"])) for row in _values(rows, "ParentContext")}
    outcome.deployments = []
    for metadata in sorted((service["metadata"] for service in services), key=lambda metadata: (metadata["namespace"], metadata["name"])):
        ids = {link: metadata["labels"].get(_LABEL + link.replace("_", "-")) for link in _LINKS}
        lead = all(types.get(ids[link]) == kind for link, kind in _LINKS.items()) and (ids["model_version_id"], ids["registered_model_id"]) in parents
        outcome.deployments.append({"namespace": metadata["namespace"], "name": metadata["name"], **ids, "found": lead})
    if lost := [f"{entry['namespace']}/{entry['name']}" for entry in outcome.deployments if not entry["found"]]:
        outcome.warn([f"the labels of InferenceServices do not refer to a version in the backup: {_texts.names_of(lost)}"])


def _values(rows: _Rows, table: str) -> Iterator[dict[str, Any]]:
    return itertools.chain.from_iterable(values.rows_of(layout.BY_NAME[table], block) for block in rows.of(layout.BY_NAME[table]))


def version_refusal(source: str, source_version: int, target: str, target_version: int) -> str:
    """Why rows of one schema do not belong into another; empty where they do."""

    def is_known(kind: str, version: int) -> bool:
        return OLDEST_ALIKE[kind] <= version <= requirements.NEWEST_MIGRATION[kind]

    versions = f"The backup has schema version {source_version} ({source}), and the database has version {target_version} ({target})"
    if source == target and target_version == source_version:
        return ""
    if source == target and target_version < source_version:
        return f"{versions}, which is older. Update the product that runs the registry, and then restore the backup"
    if is_known(source, source_version) and is_known(target, target_version):
        return ""
    return f"{versions}. It is not known whether both have the same content. Restore into a database with the same version"


# The types of the objects in each list of the API.
_SHOWN = {
    "registered_models": ("Context", ("kf.RegisteredModel",)),
    "model_versions": ("Context", ("kf.ModelVersion",)),
    "serving_environments": ("Context", ("kf.ServingEnvironment",)),
    "inference_services": ("Context", ("kf.InferenceService",)),
    "experiments": ("Context", ("kf.Experiment",)),
    "experiment_runs": ("Context", ("kf.ExperimentRun",)),
    "artifacts": ("Artifact", ("kf.ModelArtifact", "kf.DocArtifact", "kf.DataSet", "kf.Metric", "kf.Parameter")),
}


def _first_objects(target: snapshot.Snapshot) -> dict[str, str]:
    """The first object of each kind, as `samples` names it, with the name in the database."""
    quote, found = target.quote, {}
    for collection, (table, types) in _SHOWN.items():
        named = ", ".join(f"'{name}'" for name in types)
        chosen = f"(SELECT id FROM {quote}Type{quote} WHERE name IN ({named}))"
        row = target.first(f"SELECT id, name FROM {quote}{table}{quote} WHERE type_id IN {chosen} ORDER BY id LIMIT 1")
        if row:
            found[f"{collection}/{row[0]}"] = str(row[1])
    return found


def _ask_server(reader: registry_reader.Reader, name: str, expected: Mapping[str, str], outcome: Outcome) -> None:
    """See whether the registry server, which goes on running, shows what was restored."""
    try:
        shown = samples.taken(reader, name)
    except _errors.ReportedError as error:
        outcome.warn([f"the data was restored, but it could not be verified that the registry server shows it: {error}"])
        return
    collections = {path.partition("/")[0] for path in shown}
    # A server without the older version of the API does not show them.
    hidden = {"experiments", "experiment_runs"} - collections
    asked = {path: stored for path, stored in expected.items() if path.partition("/")[0] not in hidden}
    missing = [path for path, stored in asked.items() if path not in shown or not _is_named(shown[path].get("name"), stored)]
    outcome.server = {"compared": sorted(asked), "missing": missing}
    if missing:
        raise ServerError(
            f"The data was restored, but the registry server does not show {', '.join(missing)}. Check whether registry {name!r} uses this database:"
            " restart its pod and run the task again"
        )


class ServerError(_errors.ReportedError):
    """The registry server does not show what its database has."""


def _is_named(shown: Any, stored: str) -> bool:
    # The stored name begins with the id of the owner. One that nobody gave is not shown.
    return shown is None or shown == stored or shown == stored.partition(":")[2]
