"""How all tests run side by side."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
    with run.databases_in_memory():
        assert chosen() == str(tmp_path)
        with run.databases_in_memory():
            assert chosen() is None
    with run.databases_in_memory():
        assert chosen() == str(tmp_path)
    monkeypatch.setattr(run, "FREE_MEMORY", 2**60)
    with run.databases_in_memory():
        assert chosen() is None
