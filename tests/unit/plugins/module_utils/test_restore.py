"""Which rows belong into which schema, and the command that brings them."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import restore
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run.restore import version_refusal
from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import layout, origin


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        (("mysql", 21), ("mysql", 21), ""),
        (("mysql", 19), ("mysql", 21), ""),
        (("postgresql", 21), ("postgresql", 25), ""),
        (("mysql", 19), ("postgresql", 25), ""),
        (("postgresql", 25), ("mysql", 21), ""),
        # Equal versions are equal, whatever they are.
        (("postgresql", 30), ("postgresql", 30), ""),
        (("mysql", 21), ("mysql", 19), "older"),
        (("postgresql", 26), ("postgresql", 25), "older"),
        (("postgresql", 25), ("postgresql", 26), "not known"),
        (("mysql", 18), ("mysql", 21), "not known"),
        (("mysql", 22), ("postgresql", 25), "not known"),
        (("mysql", 21), ("postgresql", 26), "not known"),
    ],
)
def test_only_schemas_that_are_alike(source: tuple[str, int], target: tuple[str, int], said: str) -> None:
    refusal = version_refusal(*source, *target)
    assert (said in refusal) if said else not refusal


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"src": "/backups/one.zip"}, []),
        ({"src": " "}, ["src"]),
        ({"command": ["cat", ""]}, []),
        ({"command": ["cat"], "src": ""}, ["src"]),
        ({"command": []}, ["command"]),
        ({"command": [" ", "x"]}, ["command"]),
    ],
)
def test_an_archive_comes_from_a_file_or_a_command_that_has_a_name(options: dict[str, Any], wrong: list[str]) -> None:
    assert [problem.option for problem in origin.problems({"src": None, "command": None, **options})] == wrong


def test_an_archive_is_a_file_and_nothing_else(tmp_path: Path) -> None:
    path, pipe = tmp_path / "one.zip", tmp_path / "pipe.zip"
    path.write_bytes(b"archive")
    os.mkfifo(pipe)
    with origin.of_file(str(path)) as stream:
        assert stream.read() == b"archive"
    before = os.listdir("/proc/self/fd")
    for wrong, message in ((tmp_path / "none.zip", r": no such file or directory\. Set src to an archive"), (pipe, "not a file$"), (tmp_path, "not a file$")):
        with pytest.raises(origin.OriginError, match=f"The backup {wrong} cannot be read.*{message}"), origin.of_file(str(wrong)):
            pytest.fail("something else is read")
    assert os.listdir("/proc/self/fd") == before


def test_an_archive_is_what_a_command_writes_to_its_standard_output_and_it_gets_no_input() -> None:
    checked = []
    with origin.of_command(["sh", "-c", "cat; echo archive; echo said >&2"], lambda: checked.append(True)) as stream:
        stream.seek(0)
        assert stream.read() == b"archive\n" and checked
    with pytest.raises(origin.OriginError, match=r"^The command 'nowhere' for the backup cannot be run: no such file or directory$"):
        origin.of_command(["nowhere"], lambda: None).__enter__()
    with pytest.raises(origin.OriginError, match=r"^The command 'false' for the backup ended with exit code 1$"):
        origin.of_command(["false"], lambda: None).__enter__()


def test_only_the_end_of_what_a_command_says_is_repeated() -> None:
    command = ["sh", "-c", "seq 1000 >&2; echo the end >&2; exit 5"]
    with pytest.raises(origin.OriginError, match=r"exit code 5: [ 0-9]{400,495} the end$"), origin.of_command(command, lambda: None):
        pytest.fail("an archive of a command that failed is read")


class CancelledError(Exception):
    """What a run that is cancelled raises."""


def test_a_run_that_is_cancelled_ends_the_command_and_reads_nothing(tmp_path: Path) -> None:
    begun, late = tmp_path / "begun", tmp_path / "late"

    def cancelled() -> None:
        if begun.exists() and begun.read_text():
            raise CancelledError

    with pytest.raises(CancelledError), origin.of_command(["sh", "-c", f"echo $$ > {begun}; sleep 2; touch {late}"], cancelled):
        pytest.fail("an archive that may not be complete is read")
    # It is there no more, nor has it ended by itself.
    with pytest.raises(ProcessLookupError):
        os.kill(int(begun.read_text()), 0)
    assert not late.exists()


# The server


NOBODY: Any = None
OBJECTS = {"registered_models/1": "fraud", "model_versions/2": "1:v1", "artifacts/3": "2:weights", "experiments/4": "trial"}
SHOWN = {"registered_models/1": {"name": "fraud"}, "model_versions/2": {"name": "v1"}, "artifacts/3": {}, "experiments/4": {"name": "trial"}}


@pytest.mark.parametrize(
    ("shown", "compared", "missing"),
    [
        (SHOWN, list(OBJECTS), []),
        (SHOWN | {"model_versions/2": {"name": "1:v1"}}, list(OBJECTS), []),
        (SHOWN | {"model_versions/2": {"name": "v2"}}, list(OBJECTS), ["model_versions/2"]),
        ({path: item for path, item in SHOWN.items() if path != "registered_models/1"}, list(OBJECTS), ["registered_models/1"]),
        # A server without the older version of the API shows no experiments.
        ({path: item for path, item in SHOWN.items() if path != "experiments/4"}, [path for path in OBJECTS if path != "experiments/4"], []),
    ],
)
def test_the_registry_server_has_to_show_what_was_restored(monkeypatch: Any, shown: dict[str, Any], compared: list[str], missing: list[str]) -> None:
    monkeypatch.setattr(restore.samples, "taken", lambda _reader, _name: shown)
    outcome = restore.Outcome()
    if missing:
        with pytest.raises(restore.ServerError, match=f"does not show {missing[0]}. Check whether registry 'models' uses this database"):
            restore._ask_server(NOBODY, "models", OBJECTS, outcome)
    else:
        restore._ask_server(NOBODY, "models", OBJECTS, outcome)
    assert outcome.server == {"compared": sorted(compared), "missing": missing}


def test_the_first_object_of_each_list_of_the_api_is_looked_for() -> None:
    asked: list[str] = []

    def first(statement: str) -> tuple[int, str] | None:
        asked.append(statement)
        return (len(asked), "name") if "kf.RegisteredModel" in statement or "kf.Metric" in statement else None

    target: Any = SimpleNamespace(quote='"', first=first)
    found = restore._first_objects(target)
    assert found == {"registered_models/1": "name", "artifacts/7": "name"} and len(asked) == 7
    types = "'kf.ModelArtifact', 'kf.DocArtifact', 'kf.DataSet', 'kf.Metric', 'kf.Parameter'"
    chosen = f'(SELECT id FROM "Type" WHERE name IN ({types}))'
    assert asked[-1] == f'SELECT id, name FROM "Artifact" WHERE type_id IN {chosen} ORDER BY id LIMIT 1'


def service(namespace: str, name: str) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "name": name, "labels": {}}}


def test_inference_services_are_told_in_their_order() -> None:
    services = [service("b", "x"), service("a", "y"), service("a", "x")]
    reader: Any = SimpleNamespace(cluster=SimpleNamespace(metadata=lambda _api, _namespace, labelSelector: services))
    rows: Any = SimpleNamespace(told=lambda _what: None, of=lambda _table: [])
    outcome = restore.Outcome()
    restore._compare_deployments(reader, "models", rows, outcome)
    assert outcome.deployments is not None
    assert [(entry["namespace"], entry["name"], entry["found"]) for entry in outcome.deployments] == [("a", "x", False), ("a", "y", False), ("b", "x", False)]
    assert outcome.warnings == ["the labels of InferenceServices do not refer to a version in the backup: a/x, a/y and b/x"]


# What people are told


LOADED = {"rows": 7, "orphans": {}}
BACKUP = {"registry": "models", "cluster": "https://east", "taken_at": "2026-05-06T07:08:09Z"}


@pytest.mark.parametrize(
    ("loaded", "is_changed", "told"),
    [
        ({}, False, ""),
        (LOADED, True, "7 rows of registry models of https://east from 2026-05-06T07:08:09Z"),
        (LOADED, False, "unchanged: the database already has the 7 rows of registry models of https://east from 2026-05-06T07:08:09Z"),
        (
            LOADED | {"orphans": {"Context": 1, "ContextProperty": 2}},
            True,
            "7 rows of registry models of https://east from 2026-05-06T07:08:09Z; orphaned rows omitted: 3",
        ),
    ],
)
def test_a_restore_is_summed_up(loaded: dict[str, Any], is_changed: bool, told: str) -> None:
    result = restore.Outcome(is_changed=is_changed, backup=BACKUP, loaded=loaded).result(False)
    assert (result["summary"], result["changed"]) == (told, is_changed)


class Watched:
    """A cluster that notes what it is told, and can be told to stop."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.looks = 0

    def tell(self, text: str) -> None:
        self.told.append(text)

    def before_writing(self) -> None:
        self.looks += 1


def test_how_far_a_restore_is_begins_anew_when_the_archive_was_read(monkeypatch: Any) -> None:
    monkeypatch.setattr(restore, "time", SimpleNamespace(monotonic=lambda: 5.0))
    table, last = layout.TABLES[0], layout.TABLES[-1]
    blocks = {table.name: [[b"1", b"2"], [b"3"]], last.name: [[b"4"]]}
    contents = {name: SimpleNamespace(rows=sum(map(len, blocks.get(name, [])))) for name in layout.BY_NAME}
    saved: Any = SimpleNamespace(contents=contents, blocks=lambda one: iter(blocks.get(one.name, [])))
    cluster: Any = Watched()
    rows = restore._Rows(saved, cluster)
    rows.prove()
    rows.told("writing the rows")
    assert list(rows.of(table)) == blocks[table.name]
    pace = {0: "0 per second", 2: "2 per second, 1 s remaining", 3: "3 per second, 0 s remaining"}
    parts = [f"checking the backup: {done} of 4 rows, {pace[done]}" for done in (0, 2, 3)]
    parts += [f"writing the rows: {done} of 4 rows, {pace[done]}" for done in (0, 0, 2)]
    assert cluster.told == parts and cluster.looks == len(parts)


def test_a_restore_whose_server_cannot_be_asked_is_one_with_a_warning(monkeypatch: Any) -> None:
    def refuse(_reader: Any, _name: str) -> None:
        raise restore.samples.NoAnswerError("registry 'models' has no ready pod with a server")

    monkeypatch.setattr(restore.samples, "taken", refuse)
    outcome = restore.Outcome()
    restore._ask_server(NOBODY, "models", OBJECTS, outcome)
    [warning] = outcome.warnings
    assert warning.startswith("the data was restored, but it could not be verified that the registry server shows it: registry 'models' has no ready pod")
    assert outcome.server is None
