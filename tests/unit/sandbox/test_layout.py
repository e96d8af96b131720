"""Where a sandbox is: its network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox import layout


def test_two_sandboxes_that_are_started_at_once_get_different_networks(tmp_path: Path) -> None:
    # Of the same folder, the first choice of both is the same. Nothing listens there yet.
    assert layout._free_network(tmp_path) != layout._free_network(tmp_path)


def test_the_files_of_databases_are_where_the_variable_said_and_are_removed_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory").mkdir()
    monkeypatch.setattr(layout, "ROOT", tmp_path)
    # The folders of pytest are for their owner alone.
    monkeypatch.setattr(layout.os, "getuid", lambda: 1000)
    monkeypatch.setenv("SANDBOX_DATA", str(tmp_path / "memory"))
    made = layout.Layout.create("3.x", "openshift")
    monkeypatch.delenv("SANDBOX_DATA")
    assert made.data.parent == tmp_path / "memory" and made.data in layout.Layout.folders(tmp_path / ".sandbox")
    # Programs stay where they can be links to the cache.
    assert made.programs == layout.Layout(made.state, 0).data and made.programs in layout.Layout.folders(tmp_path / ".sandbox")


def test_the_files_of_databases_are_in_a_folder_that_is_there_and_that_their_user_can_enter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(layout, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    for wrong in (tmp_path / "missing", tmp_path / "file", Path()):
        monkeypatch.setenv("SANDBOX_DATA", str(wrong))
        with pytest.raises(ValueError, match=f"^SANDBOX_DATA={re.escape(str(wrong))} is not the absolute path of a folder that the user of the databases can"):
            layout.Layout.create("3.x", "openshift")
    # As root, they run as another user, for whom the folder is closed.
    monkeypatch.setattr(layout.os, "getuid", lambda: 0)
    tmp_path.chmod(0o700)
    monkeypatch.setenv("SANDBOX_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="SANDBOX_DATA"):
        layout.Layout.create("3.x", "openshift")
