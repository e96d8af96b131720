"""Which rows belong into which schema, and the command that brings them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._run.restore import version_refusal
from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import origin


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
