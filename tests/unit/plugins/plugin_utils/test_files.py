"""Files on the controller that hold what was read in clusters."""

from __future__ import annotations

import contextlib
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


@pytest.mark.parametrize("part", ["file", "folder"])
def test_a_path_has_as_many_links_as_linux_follows(tmp_path: Path, part: str) -> None:
    (tmp_path / "0").mkdir() if part == "folder" else (tmp_path / "0").write_text("old")
    for number in range(1, 42):
        (tmp_path / str(number)).symlink_to(str(number - 1))
    below = "/file" if part == "folder" else ""
    # Of a file, the last of forty looks is the one that finds it.
    most = 40 if part == "folder" else 39
    assert _files.write(f"{tmp_path}/{most}{below}", "new", str(tmp_path)).path == f"{tmp_path.resolve()}/0{below}"
    with pytest.raises(_files.FileRefused, match="too many links"):
        _files.write(f"{tmp_path}/{most + 1}{below}", "other", str(tmp_path))
    assert (tmp_path / f"0{below}").read_text() == "new"


def test_a_file_gets_the_mode_that_is_wanted_and_nothing_else_of_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("text")
    file.chmod(0o600)
    assert _files.write(str(file), "text", mode=0o644) == _files.Written(str(file.resolve()), True, "text") and mode(file) == 0o644
    assert not _files.write(str(file), "text", mode=0o644).changed and not _files.write(str(file), "text").changed
    assert _files.write(str(file), "text", mode=0o640, check_mode=True).changed and mode(file) == 0o644
    assert _files.write(str(tmp_path / "new"), "text", mode=0o664).changed and mode(tmp_path / "new") == 0o664
    (tmp_path / "new").unlink()
    assert _files.write(str(tmp_path / "new"), "text", mode=0).changed and mode(tmp_path / "new") == 0


def test_what_was_there_before_is_told_and_what_is_kept_is_named_in_check_mode_too(tmp_path: Path) -> None:
    file = tmp_path / "file"
    assert _files.write(str(file), "old", backup=True) == _files.Written(str(file.resolve()), True, None)
    predicted = _files.write(str(file), "new", backup=True, check_mode=True)
    assert (predicted.path, predicted.before) == (str(file.resolve()), "old") and predicted.backup.startswith(f"{file.resolve()}.")
    assert listed(tmp_path) == ["file"] and _files.write(str(file), "new").backup == ""
    file.write_bytes(b"caf\xe9")
    assert _files.write(str(file), "new").before == "caf\ufffd"


def test_a_file_of_root_or_of_somebody_else_in_a_private_folder_is_replaced_and_stays_theirs(tmp_path: Path, give_away: Give) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    give_away(file)
    owner = file.stat().st_uid
    _files.write(str(file), "new", backup=True)
    assert file.read_text() == "new" and {path.stat().st_uid for path in tmp_path.iterdir()} == {owner}
    own = tmp_path / "everybody" / "own"
    own.parent.mkdir()
    own.parent.chmod(0o1777)
    own.write_text("old")
    _files.write(str(own), "new")
    assert own.read_text() == "new"


def test_what_is_no_folder_on_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(_files.FileRefused, match=f"^{tmp_path.resolve()}/file is not a directory$"):
        _files.write(str(tmp_path / "file" / "new"), "x", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="the directory does not exist") as caught:
        _files.write(str(tmp_path / "none" / "new"), "x")
    assert caught.value.filename == f"{tmp_path.resolve()}/none"
    with pytest.raises(FileNotFoundError):
        _files.write(str(tmp_path / "none" / "new"), "x", check_mode=True)


def test_a_relative_link_with_several_parts_is_followed_in_their_order(tmp_path: Path) -> None:
    for folder in ("a/b", "c/d"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "c" / "d" / "link").symlink_to("../../a/b")
    assert _files.write(str(tmp_path / "c" / "d" / "link" / "file"), "x", str(tmp_path)).path == f"{tmp_path.resolve()}/a/b/file"
    (tmp_path / "c" / "absolute").symlink_to(tmp_path / "a" / "b")
    assert not _files.write(str(tmp_path / "c" / "absolute" / "file"), "x", str(tmp_path)).changed
    (tmp_path / "c" / "file").symlink_to("../a/b/other")
    assert _files.write(str(tmp_path / "c" / "file"), "x", str(tmp_path)).path == f"{tmp_path.resolve()}/a/b/other"
    # In the root of the file system everything is.
    assert _files.write(str(tmp_path / "c" / "absolute" / "third"), "x", "/").path == f"{tmp_path.resolve()}/a/b/third"
    assert mode(tmp_path / "a" / "b" / "third") == 0o600


def test_a_new_folder_can_be_entered_by_others(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        _files.write(str(tmp_path / "a" / "b" / "file"), "x", str(tmp_path / "a"))
    finally:
        os.umask(previous)
    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (0o755, 0o755)


def test_no_file_stays_open(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    before = len(os.listdir("/proc/self/fd"))
    for path in ("folder/file", "folder/file", "folder"):
        with contextlib.suppress(_files.FileRefused):
            _files.write(str(tmp_path / path), "x", str(tmp_path), backup=True)
    assert len(os.listdir("/proc/self/fd")) == before


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
