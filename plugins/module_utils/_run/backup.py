# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `model_registry_backup`: the data of a registry, as it is at one moment, and its definition become one archive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from .. import _errors, _options, _progress
from .._cluster import client, registry_reader, visibility
from .._database import requirements
from .._model import manifests, naming, server_pods
from .._plan import record
from .._tables import archive, destination, layout, retention, snapshot
from .._work import data_access, definition

# The word of a command in place of which the name of the archive is put.
FILE = "{file}"


@dataclass
class Outcome(record.Outcome):
    """What a backup is, filled as it is made."""

    backup: manifests.Manifest = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)

    def result(self, diff: bool) -> manifests.Manifest:
        """The result of the module: every backup is a change."""
        return {
            "changed": bool(self.backup),
            "summary": self._summary,
            "backup": self.backup,
            "removed": self.removed,
            "registry": self.registry,
            "cluster": self.cluster,
        }

    @property
    def _summary(self) -> str:
        if not self.backup:
            return ""
        place = self.backup["path"] or f"the command as {self.backup['file']}"
        deleted = f"; older backups deleted: {len(self.removed)}" if self.removed else ""
        return f"{self.backup['rows']} rows, {self.backup['size']} bytes to {place}{deleted}"


def input_problems(options: Mapping[str, Any]) -> list[_errors.Problem]:
    """What is wrong with the options whatever is in the cluster."""
    problems = [*naming.namespace_problems(options["namespace"]), *naming.live_name_problems(options["name"])]
    if options["keep_days"] is not None:
        problems += _options.time_problems("keep_days", options["keep_days"], 0)
    if options["keep_count"] is not None and options["keep_count"] < 1:
        problems.append(_errors.Problem("keep_count", "is out of range", "Set it to 1 or more", options["keep_count"]))
    if options["command"] is not None:
        if not options["command"] or not options["command"][0].strip():
            problems.append(_errors.Problem("command", "is empty", "Set it to a program and its arguments, as a list"))
        unused = [option for option in ("keep_count", "keep_days", "checksum") if options[option] is not None and options[option] is not False]
        problems += [_errors.Problem(option, "is not supported with command", "Remove the option, or set dest instead of command") for option in unused]
    elif options["dest"] is not None and not options["dest"].strip():
        problems.append(_errors.Problem("dest", "is empty", "Set it to a directory on the host that executes the task"))
    return problems


def back_up(cluster: client.Cluster, options: Mapping[str, Any], check_mode: bool, outcome: Outcome) -> None:
    """Make the archive; `outcome` is filled on the way. InputError, ClusterError, and whatever else keeps the database from being read."""
    problems = input_problems(options)
    if problems:
        raise _errors.InputError(problems)
    reader = registry_reader.Reader(cluster, cluster.capabilities(), options["namespace"] or cluster.registries_namespace())
    resource = data_access.registry_with_database(reader, options["name"])
    outcome.registry = _definition(reader, resource, outcome)
    facts = {
        "registry": outcome.registry,
        "namespace": reader.namespace,
        "cluster": cluster.host,
        "server_version": _server_version(reader, options["name"], outcome),
    }
    with data_access.database_of(reader, resource) as opened, snapshot.snapshot(opened.connection, opened.view.type) as taken:
        backup = retention.backup_of(cluster.host, options["name"], datetime.now(timezone.utc))
        found = _looked_at(taken, opened.view.type, outcome)
        facts = {"taken_at": backup.moment.strftime("%Y-%m-%dT%H:%M:%SZ"), **facts, **found}
        tables: manifests.Manifest = {}
        fill = _filling(cluster, taken, facts, tables)
        if check_mode:
            written = destination.into_nothing(options["dest"], backup, fill)
        elif options["command"]:
            written = destination.into_command([word.replace(FILE, backup.file) for word in options["command"]], fill)
        else:
            written = destination.into_folder(options["dest"], backup, fill, options["checksum"])
    outcome.backup = {
        **{key: value for key, value in facts.items() if key not in ("registry", "cluster")},
        "file": backup.file,
        "path": written.path,
        "size": written.size,
        "sha256": written.sha256,
        "rows": sum(table["rows"] for table in tables.values()),
        "tables": tables,
    }
    if options["dest"] is not None and (options["keep_count"] is not None or options["keep_days"] is not None):
        age = None if options["keep_days"] is None else timedelta(days=options["keep_days"])
        outcome.removed = destination.remove_superseded(options["dest"], backup, options["keep_count"], age, check_mode)


def _definition(reader: registry_reader.Reader, resource: manifests.Manifest, outcome: Outcome) -> manifests.Manifest:
    """The registry as an export writes it. What may not be read of it is missing, with a warning."""

    def seen(what: str, api: tuple[str, str], read: Callable[[], Any]) -> Any:
        return visibility.seen(
            read,
            None,
            lambda why: outcome.warn([f"the backup does not contain everything about the registry: {what} could not be determined: {why}"]),
            served=lambda: "/" not in api[0] or reader.serves(api),
        )

    return definition.exported(reader, resource, True, seen, outcome)


def _server_version(reader: registry_reader.Reader, name: str, outcome: Outcome) -> str | None:
    """The version that the tag of the server's image names."""
    pods = visibility.seen(lambda: reader.pods(name), (), lambda why: outcome.warn([f"the version of the registry server could not be determined: {why}"]))
    version: str | None = server_pods.image(server_pods.newest_pod(pods))["server_version"]
    return version


def _looked_at(taken: snapshot.Snapshot, kind: str, outcome: Outcome) -> manifests.Manifest:
    """What the database is. UnusableDatabaseError when it is not a registry's, or not as a migration leaves it."""
    version = taken.schema_version()
    taken.need_registry()
    newest = requirements.NEWEST_MIGRATION[kind]
    if version > newest:
        outcome.warn([f"the schema version {version} is newer than the known version ({newest}), but has the same tables and columns"])
    return {"engine": kind, "database_version": taken.server_version(), "schema_version": version}


def _filling(cluster: client.Cluster, taken: snapshot.Snapshot, facts: manifests.Manifest, tables: manifests.Manifest) -> destination.Fill:
    """What writes all tables into an archive, and then the manifest; `tables` gets what was written."""
    started = time.monotonic()
    total = 0

    def counted(table: layout.Table) -> Iterator[list[bytes]]:
        nonlocal total
        for block in taken.blocks(table):
            cluster.before_writing()
            cluster.tell(_progress.of_rows(f"saving table {table.name}", total, time.monotonic() - started))
            total += len(block)
            yield block

    def fill(writer: archive.Writer) -> None:
        tables.update({table.name: writer.add(table, counted(table)).described() for table in layout.TABLES})
        cluster.before_writing()
        writer.finish(facts)

    return fill
