"""Files on the controller that hold what was read in clusters."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _files

SOMEBODY = 4711

Give = Callable[[Path], None]


@pytest.fixture
def give_away(monkeypatch: pytest.MonkeyPatch) -> Give:
    """Makes a file or link somebody else's, whoever runs the tests."""
    if os.geteuid() == 0:
        return lambda path: os.lchown(path, SOMEBODY, SOMEBODY)
    return lambda _path: monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def listed(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_new_file_is_private_and_an_existing_one_keeps_its_mode(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        new, shared = tmp_path / "new", tmp_path / "shared"
        shared.write_text("old")
        shared.chmod(0o644)
        for file in (new, shared):
            assert _files.write(str(file), "text\n").changed and file.read_text() == "text\n"
    finally:
        os.umask(previous)
    assert (mode(new), mode(shared)) == (0o600, 0o644)
    assert listed(tmp_path) == ["new", "shared"]


def test_the_same_content_is_not_written_again(tmp_path: Path) -> None:
    file = tmp_path / "file"
    _files.write(str(file), "text")
    before = file.stat()
    assert not _files.write(str(file), "text", backup=True).changed
    assert file.stat() == before and listed(tmp_path) == ["file"]


def test_check_mode_writes_nothing_and_says_what_it_would(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    assert _files.write(str(file), "new", check_mode=True).changed and file.read_text() == "old"
    assert _files.write(str(tmp_path / "a" / "b" / "new"), "new", str(tmp_path), check_mode=True).changed
    assert _files.write(str(tmp_path / "none" / "a" / "new"), "new", str(tmp_path / "none"), check_mode=True).changed
    assert listed(tmp_path) == ["file"]


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    with file.open() as reader:
        _files.write(str(file), "new")
        assert reader.read() == "old" and file.read_text() == "new"


def test_a_write_that_fails_leaves_the_old_content_and_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        _files.write(str(file), "new")
    assert file.read_text() == "old" and listed(tmp_path) == ["file"]


def test_what_is_replaced_is_kept_beside_it_as_private_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "file.yml"
    file.write_text("old")
    file.chmod(0o640)
    written = _files.write(str(file), "new", backup=True)
    backup = Path(written.backup)
    assert backup.read_text() == "old" and mode(backup) == 0o640 and listed(tmp_path) == ["file.yml", backup.name]
    # Ansible does not read such a file among the variables of a host.
    assert backup.name.startswith("file.yml.") and backup.name.endswith("~")


def test_another_content_is_not_replaced_unless_that_is_wanted(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    for check_mode in (True, False):
        with pytest.raises(_files.FileRefused, match="exists, and replacing it is not enabled"):
            _files.write(str(file), "new", replace=False, check_mode=check_mode)
    assert file.read_text() == "old"
    assert not _files.write(str(file), "old", replace=False).changed
    assert _files.write(str(tmp_path / "new"), "new", replace=False).changed


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("part", ["file", "folder"])
def test_a_link_of_somebody_else_is_refused(tmp_path: Path, give_away: Give, part: str, check_mode: bool) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "file").write_text("old")
    if part == "file":
        file = link = tmp_path / "link"
        link.symlink_to("target/file")
    else:
        link = tmp_path / "link"
        link.symlink_to("target")
        file = link / "file"
    give_away(link)
    with pytest.raises(_files.FileRefused, match="link is a link that is owned by neither root nor the current user"):
        _files.write(str(file), "new", str(tmp_path), check_mode=check_mode)
    assert (target / "file").read_text() == "old" and listed(tmp_path) == ["link", "target", "target/file"]


@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("part", ["file", "folder", "missing folder"])
def test_no_link_leads_out_of_the_folder(tmp_path: Path, part: str, absolute: bool) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "file").write_text("old")
    to = outside if absolute else Path("../outside")
    if part == "file":
        (inside / "link").symlink_to(to / "file")
        path = inside / "link"
    else:
        (inside / "link").symlink_to(to)
        path = inside / "link" / ("file" if part == "folder" else "new/file")
    with pytest.raises(_files.FileRefused, match=r"is outside of .*inside"):
        _files.write(str(path), "new", str(inside))
    if part == "file":
        # Without a folder it is the file's own.
        with pytest.raises(_files.FileRefused, match="outside/file"):
            _files.write(str(path), "new")
    assert (outside / "file").read_text() == "old" and listed(outside) == ["file"] and listed(inside) == ["link"]


def test_a_path_that_is_not_below_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    for path in ("inside/../../file", "inside/host/../../file", "inside-too/file", "file"):
        with pytest.raises(_files.FileRefused, match="is outside of"):
            _files.write(str(tmp_path / path), "new", str(tmp_path / "inside"))
    assert listed(tmp_path) == ["inside"]


def test_a_link_of_ones_own_within_the_folder_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "real" / "link").symlink_to("file")
    # The folder itself may be reached through links.
    written = _files.write(str(tmp_path / "folder" / "link"), "new", str(tmp_path / "folder"))
    assert written.path == str(tmp_path.resolve() / "real" / "file") and (tmp_path / "real" / "link").is_symlink()
    assert (tmp_path / "real" / "file").read_text() == "new"


def test_links_in_a_circle_end_in_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for path in ("a", "a/file"):
        with pytest.raises(_files.FileRefused, match="too many links"):
            _files.write(str(tmp_path / path), "new", str(tmp_path))


def test_only_regular_files_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(_files.FileRefused, match=f"{name} is not a regular file"):
            _files.write(str(tmp_path / name), "new")


def test_a_file_of_somebody_else_in_a_folder_of_everybody_is_refused(tmp_path: Path, give_away: Give) -> None:
    tmp_path.chmod(0o1777)
    file = tmp_path / "file"
    file.write_text("old")
    give_away(file)
    with pytest.raises(_files.FileRefused, match="belongs to another user, in a world-writable directory"):
        _files.write(str(file), "new")
    assert file.read_text() == "old"


def test_missing_folders_are_made_only_below_a_named_one(tmp_path: Path) -> None:
    _files.write(str(tmp_path / "a" / "b" / "file"), "new", str(tmp_path / "a"))
    assert (tmp_path / "a" / "b" / "file").read_text() == "new"
    with pytest.raises(FileNotFoundError):
        _files.write(str(tmp_path / "c" / "file"), "new")
    assert not (tmp_path / "c").exists()
