"""How all tests run side by side."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox.layout import ROOT
from tests import run


def test_only_one_run_at_a_time_keeps_its_databases_in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(run, "IN_MEMORY", tmp_path)
    monkeypatch.setattr(run, "ONLY_ONE", tmp_path / "lock")
    monkeypatch.setattr(run, "FREE_SPACE", 0)
    monkeypatch.setattr(run, "FREE_MEMORY", 0)
    # What the run of these tests has chosen is there again afterwards.
    monkeypatch.setenv("SANDBOX_DATA", "")

    def chosen() -> str | None:
        found = os.environ.get("SANDBOX_DATA")
        monkeypatch.delenv("SANDBOX_DATA", raising=False)
        return found

    chosen()
    with run.memory():
        assert chosen() == str(tmp_path)
        with run.memory():
            assert chosen() is None
    with run.memory():
        assert chosen() == str(tmp_path)
    monkeypatch.setenv("SANDBOX_DATA", "/elsewhere")
    with run.memory() as first, run.memory() as second:
        assert (first, second, chosen()) == (True, False, "/elsewhere")
    monkeypatch.setattr(run, "FREE_MEMORY", 2**60)
    with run.memory():
        assert chosen() is None


@pytest.mark.parametrize("lanes", [1, run.FEW_LANES, len(run.LANES)])
def test_each_integration_test_is_in_one_lane(lanes: int) -> None:
    found = [file for lane in range(lanes) for file in run.files_of(lane, lanes)]
    assert sorted(found) == sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "integration").glob("test_*.py"))
    assert all(run.files_of(lane, lanes) for lane in range(lanes))


def test_there_are_fewer_lanes_without_the_memory_for_all() -> None:
    assert [run.number_of_lanes(has_memory) for has_memory in (True, False)] == [len(run.LANES), run.FEW_LANES]
