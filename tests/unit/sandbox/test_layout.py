"""Where a sandbox is: its network."""

from __future__ import annotations

from pathlib import Path

from sandbox import layout


def test_two_sandboxes_that_are_started_at_once_get_different_networks(tmp_path: Path) -> None:
    # Of the same folder, the first choice of both is the same. Nothing listens there yet.
    assert layout._free_network(tmp_path) != layout._free_network(tmp_path)
