"""The module for backups, as far as it needs no cluster."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import backup
from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import layout

NOTHING = {**dict.fromkeys(_options.BACKUP), "name": "models", "checksum": False}


def wrong(**options):
    return [problem.option for problem in backup.input_problems({**NOTHING, **options})]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"dest": "/backups", "keep_count": 1, "keep_days": 0, "checksum": True}, []),
        ({"command": ["cat"]}, []),
        ({"dest": " "}, ["dest"]),
        ({"dest": "/backups", "name": "a/b"}, ["name"]),
        ({"dest": "/backups", "keep_count": 0}, ["keep_count"]),
        ({"dest": "/backups", "keep_days": -1}, ["keep_days"]),
        ({"command": []}, ["command"]),
        ({"command": [" ", "x"]}, ["command"]),
        ({"command": ["cat"], "keep_count": 3, "checksum": True}, ["keep_count", "checksum"]),
        ({"command": ["cat"], "keep_days": 0}, ["keep_days"]),
    ],
)
def test_options_are_checked_before_the_cluster_is_asked(options, expected):
    assert wrong(**options) == expected


def test_a_result_without_a_backup_is_no_change():
    assert backup.Outcome().result(False)["changed"] is False
    assert backup.Outcome().result(False) == {"changed": False, "summary": "", "backup": {}, "removed": [], "registry": {}, "cluster": {}}


@pytest.mark.parametrize(
    ("path", "removed", "told"),
    [
        ("/backups/one.zip", [], "7 rows, 99 bytes to /backups/one.zip"),
        ("/backups/one.zip", ["a.zip", "b.zip"], "7 rows, 99 bytes to /backups/one.zip; older backups deleted: 2"),
        (None, [], "7 rows, 99 bytes to the command as one.zip"),
    ],
)
def test_a_backup_is_summed_up(path, removed, told):
    made = {"path": path, "file": "one.zip", "rows": 7, "size": 99}
    assert backup.Outcome(backup=made, removed=removed).result(False)["summary"] == told


class StoppedError(Exception):
    """What a run that is cancelled raises here."""


class Watched:
    """A cluster that notes what it is told, and is stopped after so many looks."""

    def __init__(self, looks=99):
        self.told, self.looks = [], looks

    def tell(self, text):
        self.told.append(text)

    def before_writing(self):
        self.looks -= 1
        if self.looks < 0:
            raise StoppedError


class Writer:
    """An archive that keeps what is added."""

    def __init__(self):
        self.added, self.manifest = {}, None

    def add(self, table, blocks):
        self.added[table.name] = list(blocks)
        return SimpleNamespace(described=lambda: {"rows": sum(map(len, self.added[table.name]))})

    def finish(self, manifest):
        self.manifest = manifest


def test_all_tables_and_then_the_manifest_are_written_unless_the_run_is_stopped(monkeypatch):
    monkeypatch.setattr(backup, "time", SimpleNamespace(monotonic=lambda: 5.0))
    first, second = layout.TABLES[:2]
    blocks = {first.name: [[b"1", b"2"], [b"3"]], second.name: [[b"4"]]}
    taken = SimpleNamespace(blocks=lambda table: iter(blocks.get(table.name, [])))
    cluster, writer, tables = Watched(), Writer(), {}
    backup._filling(cluster, taken, {"engine": "mysql"}, tables)(writer)
    assert writer.added.keys() == tables.keys() == layout.BY_NAME.keys() and writer.manifest == {"engine": "mysql"}
    assert tables[first.name] == {"rows": 3} and writer.added[first.name] == blocks[first.name]
    # The rows of all tables are counted together.
    assert cluster.told == [
        f"saving table {first.name}: 0 rows so far, 0 per second",
        f"saving table {first.name}: 2 rows so far, 2 per second",
        f"saving table {second.name}: 3 rows so far, 3 per second",
    ]
    for looks in range(4):
        stopped = Writer()
        with pytest.raises(StoppedError):
            backup._filling(Watched(looks), taken, {}, {})(stopped)
        assert stopped.manifest is None
