"""The playbook that writes a page, in front of modules that answer what they are told to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.found import found, registry
from tests.playing import Played

Play = Callable[..., Played]


def test_a_path_of_white_space_is_refused(play: Play, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    done = play("report", variables={"model_registry_report_file": "  "}, model_registry_info=found(registry()))
    assert done.code and "path: is empty. Set it to the path of a file on the controller." in done.output, done.output
    assert not {path.name for path in set(tmp_path.iterdir()) - before if path.suffix in (".csv", ".html", "")} - {"asked"}
