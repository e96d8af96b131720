"""Where a sandbox is: its network."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox import layout


def test_two_sandboxes_that_are_started_at_once_get_different_networks(tmp_path: Path) -> None:
    # Of the same folder, the first choice of both is the same. Nothing listens there yet.
    assert layout._free_network(tmp_path) != layout._free_network(tmp_path)


def test_the_files_of_databases_are_where_the_variable_said_and_are_removed_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "ROOT", tmp_path)
    monkeypatch.setenv("SANDBOX_DATA", str(tmp_path / "memory"))
    made = layout.Layout.create("3.x", "openshift")
    monkeypatch.delenv("SANDBOX_DATA")
    assert made.data.parent == tmp_path / "memory" and made.data in layout.Layout.folders(tmp_path / ".sandbox")
    # Programs stay where they can be links to the cache.
    assert made.programs == layout.Layout(made.state, 0).data and made.programs in layout.Layout.folders(tmp_path / ".sandbox")
