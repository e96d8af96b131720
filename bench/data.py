"""The data of a registry: backed up and moved to another type of database and back, beside the databases' own tools, and how long writes are held back."""

from __future__ import annotations

import contextlib
import os
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from bench import plays
from bench.stand import Figure, Stand, seconds
from sandbox import databases, lifecycle
from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from sandbox.server import filler, schema
from tests.helpers import Task
from tests.integration.test_sandbox_registry_data import connect

BACKUP, MIGRATE = "modelops.openshift_ai.model_registry_backup", "modelops.openshift_ai.model_registry_migrate"
ROWS, FEW_ROWS = 1_000_000, 10_000
# Of the time that a dump and a load of the same rows takes with the tools of the slower database.
MOST_OF_A_DUMP_AND_LOAD = 2.0
# Of the time that a dump takes. The archive is read back too.
MOST_OF_A_DUMP = 3.0
MOST_MEMORY = 200
MOST_HELD = 5.0
LONGEST_SECONDS = 1800


def million_rows(stand: Stand) -> list[Figure]:
    """A registry on MySQL that is backed up, moved to PostgreSQL, backed up, and moved back; each beside the tools of the databases."""
    layout, figures = stand.cluster.layout, []
    copied: dict[str, Mapping[str, Any]] = {}
    own: dict[str, float] = {}
    with contextlib.ExitStack() as stack:
        source, target, last = (stack.enter_context(_database(layout, kind)) for kind in ("mysql", "postgresql", "mysql"))
        [name] = stack.enter_context(stand.names(1))
        _fill(layout, "mysql", source, ROWS)
        _make(stand, name, "mysql", source)
        for kind, database, to, new in (("mysql", source, "postgresql", target), ("postgresql", target, "mysql", last)):
            figures += _backed_up(stand, name, kind, database)
            own[kind] = _dumped_and_loaded(layout, kind, database)
            moved = _moved(stand, name, to, new)
            copied[f"{kind} to {to}"] = moved.result["migration"]
            figures.append(Figure(f"{kind} to {to}, a million rows: MiB of memory", moved.peak_mib, MOST_MEMORY, "the module's process at its largest"))
    slower = max(own.values())
    for direction, done in copied.items():
        origin = f"{done['copy_seconds']:.1f} s / {slower:.1f} s, the slower of {', '.join(f'{kind} {taken:.1f} s' for kind, taken in own.items())}"
        figures.append(Figure(f"{direction}, a million rows: copy / dump and load", done["copy_seconds"] / slower, MOST_OF_A_DUMP_AND_LOAD, origin))
        held = f"of {done['writes_held_seconds']:.1f} s in which writes were held back"
        figures.append(Figure(f"{direction}, a million rows: seconds of verification", done["verify_seconds"], None, held))
    return figures


def writes_held(stand: Stand) -> list[Figure]:
    """How long writes to a registry with 10,000 rows are held back for the copy and its verification, without the rolling restart."""
    layout, figures = stand.cluster.layout, []
    with contextlib.ExitStack() as stack:
        source, target, last = (stack.enter_context(_database(layout, kind)) for kind in ("mysql", "postgresql", "mysql"))
        [name] = stack.enter_context(stand.names(1))
        _fill(layout, "mysql", source, FEW_ROWS)
        _make(stand, name, "mysql", source)
        for to, new in (("postgresql", target), ("mysql", last)):
            done = _moved(stand, name, to, new).result["migration"]
            held, restart = done["writes_held_seconds"], done["restart_seconds"]
            origin = f"{held:.1f} s with a rolling restart of {restart:.1f} s"
            figures.append(Figure(f"to {to}, 10,000 rows: seconds held back", held - restart, MOST_HELD, origin))
    return figures


@contextlib.contextmanager
def _database(layout: Layout, kind: str) -> Iterator[str]:
    """An empty database. The one that a registry has left is closed for writes."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    databases.create_databases(layout, kind, [name])
    try:
        yield name
    finally:
        if databases.speaks_mysql(kind) and layout.mysql:
            with databases.administration(layout, kind) as run:
                run(f"ALTER SCHEMA {name} READ ONLY = 0")
        databases.drop_database(layout, kind, name)


def _fill(layout: Layout, kind: str, name: str, rows: int) -> None:
    connection = connect(layout, kind, name)
    schema.migrate(connection)
    filler.fill_rows(connection, rows)
    connection.close()


def _options(layout: Layout, kind: str, name: str) -> dict[str, Any]:
    login = {"username": databases.REGISTRY.name, "password": databases.REGISTRY.password}
    return {"type": kind, "host": databases.address(layout, kind), "name": name, **login, "ca": {"source": "cluster"}}


def _make(stand: Stand, name: str, kind: str, database: str) -> None:
    [made] = stand.runner.sequence([Task({"name": name, "database": _options(stand.cluster.layout, kind, database)})])
    assert not made.failed, made.output


def _played(stand: Stand, module: str, options: Mapping[str, Any]) -> plays.Recorded:
    return plays.record(stand, plays.Play(module, {"namespace": REGISTRIES_NAMESPACE, **options}, plays.write_variables(stand, {})))


def _backed_up(stand: Stand, name: str, kind: str, database: str) -> list[Figure]:
    folder = stand.runner.folder / f"backups-{kind}"
    folder.mkdir()
    done = _played(stand, BACKUP, {"name": name, "dest": str(folder)})
    dump = folder / "dump"
    theirs = seconds(lambda: _run(stand.cluster.layout, f"{_dump(stand.cluster.layout, kind, database)} {'| gzip ' * (kind == 'mysql')}> {dump}"))
    origin = f"{done.seconds:.1f} s / {theirs:.1f} s; {done.result['backup']['size'] >> 20} MiB and {dump.stat().st_size >> 20} MiB"
    return [
        Figure(f"backup of {kind}, a million rows: time / its own tool", done.seconds / theirs, MOST_OF_A_DUMP, origin),
        Figure(f"backup of {kind}, a million rows: MiB of memory", done.peak_mib, MOST_MEMORY, "the module's process at its largest"),
    ]


def _moved(stand: Stand, name: str, kind: str, database: str) -> plays.Recorded:
    to = {"database": _options(stand.cluster.layout, kind, database)}
    return _played(stand, MIGRATE, {"name": name, "to": to, "wait_timeout": LONGEST_SECONDS})


def _dumped_and_loaded(layout: Layout, kind: str, database: str) -> float:
    """How long the tools of a database take to copy a database on its server."""
    with _database(layout, kind) as copy:
        load = f"mysql {_login(layout, kind)} {copy}" if kind == "mysql" else f"pg_restore --no-owner --no-privileges --dbname {copy}"
        return seconds(lambda: _run(layout, f"{_dump(layout, kind, database)} | {load}"))


def _dump(layout: Layout, kind: str, database: str) -> str:
    if kind == "mysql":
        return f"mysqldump {_login(layout, kind)} --single-transaction --no-tablespaces --set-gtid-purged=OFF {database}"
    return f"pg_dump --format custom {database}"


def _login(layout: Layout, kind: str) -> str:
    return f"--host={databases.address(layout, kind)} --user={databases.REGISTRY.name}"


def _run(layout: Layout, command: str) -> None:
    login = {"PGHOST": databases.address(layout, "postgresql"), "PGUSER": databases.REGISTRY.name}
    passwords = {name: databases.REGISTRY.password for name in ("MYSQL_PWD", "PGPASSWORD")}
    environment = {**os.environ, **lifecycle.shell_variables(layout), **login, **passwords}
    subprocess.run(["bash", "-c", f"set -euo pipefail; {command}"], env=environment, check=True, timeout=LONGEST_SECONDS)
