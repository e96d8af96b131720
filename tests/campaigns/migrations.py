"""Migrations of a filled registry that are killed (SIGKILL, to every process of them) after each of their writes, and then run again."""

from __future__ import annotations

import contextlib
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import controlplane, databases, faults
from sandbox.layout import Layout
from sandbox.server import filler
from tests.helpers import REGISTRIES, Cluster, Runner, Task, until
from tests.integration import test_migrate as migrations
from tests.integration.test_backup import external

from .trials import Trials

# From where to where. A generated database is in the cluster, and the others are outside of it.
PAIRS = (("generated", "mysql"), ("mysql", "postgresql"))
LONGEST_SECONDS = 300
# Far more writes than a migration has.
MOST_WRITES = 40


def run(trials: Trials, layout: Layout) -> None:
    """Each pair of databases, killed after the first write, the second, and so on; and when the rows are about to be committed, and were."""
    with tempfile.TemporaryDirectory() as folder:
        room = _Room(layout, Cluster(layout), Runner(layout, controlplane.ADMIN_TOKEN, Path(folder)))
        for source, target in PAIRS:
            direction = f"{source} to {target}"
            moments: dict[str, Callable[[_Moving], bool]] = {}
            if source != "generated":
                moments["killed when the previous database was closed"] = _Moving.killed_when_closed
            moments["killed when the rows were committed"] = _Moving.killed_when_filled
            for moment, kill in moments.items():
                _case(trials, room, source, target, f"{direction}, {moment}", kill)
            for after in range(1, MOST_WRITES):
                is_killed = _case(trials, room, source, target, f"{direction}, killed after write {after}", lambda moving, after=after: moving.killed(after))
                if is_killed is False:
                    break


def _case(trials: Trials, room: _Room, source: str, target: str, case: str, kill: Callable[[_Moving], bool]) -> bool | None:
    """Whether the run was killed; None where it is not known."""
    is_killed = None
    if trials.wants(case) and trials.cases < trials.limit:
        with trials.case(case), room.moving(source, target) as moving:
            is_killed = kill(moving)
            trials.say(f"{case}: {'killed' if is_killed else 'it ended before'}")
            moving.complete()
    return is_killed


@dataclass
class _Room:
    """The sandbox, and what runs playbooks on it."""

    layout: Layout
    cluster: Cluster
    runner: Runner

    @contextlib.contextmanager
    def moving(self, source: str, target: str) -> Iterator[_Moving]:
        """A registry with one of everything, and an empty database without tables. They are gone afterwards."""
        name = f"move-{uuid.uuid4().hex[:8]}"
        made = {kind: name.replace("-", "_") for kind in (source, target) if kind != "generated"}
        for kind, database in made.items():
            databases.create_databases(self.layout, kind, [database])
        present = external(self.layout, source, made[source]) if source in made else {"type": "generated"}
        try:
            [created] = self.runner.sequence([Task({"name": name, "database": present})])
            assert not created.failed, created.output
            moving = _Moving(self, name, source, target, made[target])
            until(lambda: migrations.answers(moving.client))
            filler.fill(moving.client)
            moving.before = dict(filler.reads(moving.client))
            yield moving
        finally:
            faults.clear(self.layout)
            self.runner.sequence([Task({"name": name, "state": "absent", "delete_data": True})])
            for kind, database in made.items():
                if kind == source:
                    # One without tables, whose registry could not be made, was never closed.
                    with contextlib.suppress(Exception):
                        migrations.open_again(self.layout, kind, database)
                databases.drop_database(self.layout, kind, database)


class _Moving:
    """A registry on its way from one database to another."""

    def __init__(self, room: _Room, name: str, source: str, target: str, database: str) -> None:
        self._room, self._layout = room, room.layout
        self.name, self.source, self.target, self.database = name, source, target, database
        self.client = migrations.Client(room.layout, name)
        self.before: dict[str, Any] = {}
        self._task = migrations.task(name, external(room.layout, target, database), wait_timeout=LONGEST_SECONDS)

    def killed(self, after: int) -> bool:
        """Killed after a number of writes to the cluster; False when it had fewer."""
        return self._room.runner.killed_after(after, self._task.module, **self._task.options)

    def killed_when_closed(self) -> bool:
        """Killed as soon as it has closed the previous database, which is before the rows are committed, or a moment later."""
        return self._killed_when(lambda: migrations.is_closed(self._layout, self.source, self.database))

    def killed_when_filled(self) -> bool:
        """Killed as soon as the rows are in the new database."""

        def is_filled() -> bool:
            # Until there are tables.
            with contextlib.suppress(Exception):
                return not migrations.is_empty(self._layout, self.target, self.database)
            return False

        return self._killed_when(is_filled)

    def _killed_when(self, reached: Callable[[], bool]) -> bool:
        with self._room.runner._playbook([self._task]) as started:
            while started.process.poll() is None:
                if reached():
                    return True
                time.sleep(0.005)
            return False

    def complete(self) -> None:
        """The same run once more ends what the killed one has begun, every answer is as before, and nothing is left to do or left over."""
        [done, again] = self._room.runner.sequence([self._task, self._task])
        assert not done.failed and done.result["status"]["available"], done.output
        assert not again.failed and not again.result["changed"] and not again.writes, again.output
        section = self._room.cluster.registry(self.name)["spec"]["mysql" if self.target == "mysql" else "postgres"]
        assert section["database"] == self.database, section
        if self.source != "generated":
            assert migrations.is_closed(self._layout, self.source, self.database)
        after = dict(filler.reads(self.client))
        differing = [path for path in {**self.before, **after} if self.before.get(path) != after.get(path)]
        assert not differing, [(path, self.before.get(path), after.get(path)) for path in differing[:3]]
        # New objects get the next number of the table that they are in with versions, environments and others.
        contexts = ("registered_models", "model_versions", "serving_environments", "inference_services", "experiments", "experiment_runs")
        highest = max(int(item["id"]) for path in contexts for item in self.before[path]["items"])
        added = self.client("POST", "registered_models", {"name": "next"})
        assert int(added["id"]) == highest + 1, added
        left = [item["metadata"]["name"] for item in self._room.cluster.items(*REGISTRIES) if item["metadata"]["name"].startswith(self.name)]
        assert left == [self.name], left
        secrets = list(migrations.secrets_of(self._room.cluster, self.name))
        assert section["passwordSecret"]["name"] in secrets and len(secrets) == (1 if self.source == "generated" else 2), secrets
