"""Where backups go: nothing half done under a backup's name, what was left is cleared away, and old ones go only after a good new one."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import resource
import signal
import stat
import subprocess
import sys
import textwrap
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import archive, destination, layout, retention, snapshot

NOW = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
BACKUP = retention.backup_of("api.example.com:6443", "models", NOW)


def fill(writer: archive.Writer) -> None:
    for table in layout.TABLES:
        writer.add(table, [[b'{"id":1}']])
    writer.finish({})


def fail(writer: archive.Writer) -> None:
    writer.add(layout.TABLES[0], [[b'{"id":1}']])
    raise snapshot.UnusableDatabaseError("the database went away")


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_a_backup_in_a_folder(tmp_path: Path) -> None:
    written = destination.into_folder(str(tmp_path), BACKUP, fill, checksum=True)
    assert names(tmp_path) == ["api.example.com-6443_models_20260501T120000Z.zip", "api.example.com-6443_models_20260501T120000Z.zip.sha256"]
    path = tmp_path / BACKUP.file
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (written.path, written.size, written.sha256) == (str(path), path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", BACKUP.file + ".sha256"], cwd=tmp_path, check=True)
    with path.open("rb") as stream:
        archive.Reader(stream).prove()


def test_no_file_stays_open(tmp_path: Path) -> None:
    (tmp_path / "api.example.com-6443_models_20260401T000000Z.zip.part").touch()
    before = os.listdir("/proc/self/fd")
    destination.into_folder(str(tmp_path), BACKUP, fill, checksum=True)
    assert os.listdir("/proc/self/fd") == before


def test_a_checksum_is_never_there_without_its_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    rename = os.rename

    def looked(source: str, target: str) -> None:
        seen.append(names(tmp_path))
        rename(source, target)

    monkeypatch.setattr(os, "rename", looked)
    destination.into_folder(str(tmp_path), BACKUP, fill, checksum=True)
    checksum = BACKUP.file + ".sha256"
    assert [(BACKUP.file in found, checksum in found) for found in (*seen, names(tmp_path))] == [(False, False), (True, False), (True, True)]


def test_the_size_is_known_without_a_file(tmp_path: Path) -> None:
    written = destination.into_nothing(str(tmp_path), BACKUP, fill)
    assert (written.path, names(tmp_path)) == (str(tmp_path / BACKUP.file), [])
    assert written.size == destination.into_folder(str(tmp_path), BACKUP, fill).size
    assert destination.into_nothing(None, BACKUP, fill).path is None
    (tmp_path / "file").touch(0o700)
    for wrong in ("missing", "file"):
        with pytest.raises(destination.DestinationError, match=f"cannot be written to {tmp_path / wrong}: it is not an existing directory$"):
            destination.into_nothing(str(tmp_path / wrong), BACKUP, fill)


@pytest.mark.parametrize("refused", [os.W_OK, os.X_OK])
def test_a_folder_that_takes_no_file_is_found_without_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: int) -> None:
    # Tests may run as root, who may write everywhere.
    monkeypatch.setattr(os, "access", lambda _path, mode: not mode & refused)
    with pytest.raises(destination.DestinationError, match=f"cannot be written to {tmp_path}: it cannot be written to$"):
        destination.into_nothing(str(tmp_path), BACKUP, fill)


def test_nothing_is_left_of_a_backup_that_failed(tmp_path: Path) -> None:
    with pytest.raises(snapshot.UnusableDatabaseError):
        destination.into_folder(str(tmp_path), BACKUP, fail)
    assert names(tmp_path) == []


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (errno.ENOSPC, errno.EDQUOT):

        def full(_descriptor: int, error: int = error) -> None:
            raise OSError(error, os.strerror(error))

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(destination.DestinationError, match=f"was not written to {tmp_path}: the disk is full$"):
            destination.into_folder(str(tmp_path), BACKUP, fill)
        assert names(tmp_path) == []


def test_everything_is_on_the_disk_before_the_backup_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def synced(descriptor: int) -> None:
        seen.append((os.fstat(descriptor).st_size, names(tmp_path)))

    monkeypatch.setattr(os, "fsync", synced)
    written = destination.into_folder(str(tmp_path), BACKUP, fill)
    assert seen == [(written.size, [BACKUP.file + ".part"])]


def test_a_file_that_cannot_grow_any_more_leaves_nothing(tmp_path: Path) -> None:
    def fill_with_noise(writer: archive.Writer) -> None:
        writer.add(layout.TABLES[0], ([os.urandom(500).hex().encode()] for _number in range(2000)))

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))
    try:
        with pytest.raises(destination.DestinationError, match="file too large"):
            destination.into_folder(str(tmp_path), BACKUP, fill_with_noise)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(tmp_path) == []


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(destination.DestinationError, match="no such file"):
        destination.into_folder(str(tmp_path / "missing"), BACKUP, fill)


def test_an_archive_that_is_not_read_back_as_it_was_written_is_no_backup(tmp_path: Path) -> None:
    def altered(writer: archive.Writer) -> None:
        fill(writer)
        [draft] = tmp_path.iterdir()
        with draft.open("r+b") as file:
            file.write(b"altered altered altered altered altered")

    with pytest.raises(archive.ArchiveError):
        destination.into_folder(str(tmp_path), BACKUP, altered)
    assert names(tmp_path) == []


def test_an_existing_backup_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / BACKUP.file).write_text("kept")
    with pytest.raises(destination.DestinationError, match="exists already"):
        destination.into_folder(str(tmp_path), BACKUP, fill)
    assert names(tmp_path) == [BACKUP.file] and (tmp_path / BACKUP.file).read_text() == "kept"


def test_a_link_that_leads_nowhere_is_an_existing_backup(tmp_path: Path) -> None:
    (tmp_path / BACKUP.file).symlink_to("nowhere")
    with pytest.raises(destination.DestinationError, match="exists already"):
        destination.into_folder(str(tmp_path), BACKUP, fill)
    assert names(tmp_path) == [BACKUP.file] and (tmp_path / BACKUP.file).is_symlink()


def test_a_link_in_the_place_of_a_draft_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("kept")
    (tmp_path / (BACKUP.file + ".part")).symlink_to(target)
    with pytest.raises(destination.DestinationError):
        destination.into_folder(str(tmp_path), BACKUP, fill)
    assert target.read_text() == "kept"


def test_what_a_killed_run_left_is_cleared_and_what_another_run_writes_is_not(tmp_path: Path) -> None:
    script = """
        import sys, time
        from datetime import datetime, timezone
        from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import destination, retention
        def fill(writer):
            print("writing", flush=True)
            time.sleep(60)
        destination.into_folder(sys.argv[1], retention.backup_of("api", "models", datetime(2026, 4, 1, tzinfo=timezone.utc)), fill)
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)]
    new, later = (retention.backup_of("api", "models", NOW + timedelta(seconds=number)) for number in range(2))
    draft = "api_models_20260401T000000Z.zip.part"
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        destination.into_folder(str(tmp_path), new, fill)
        assert names(tmp_path) == sorted([draft, new.file])
        process.send_signal(signal.SIGKILL)
    other = "api_others_20260401T000000Z.zip.part"
    for left in (other, "api_models_20260401T000000Z.zip.sha256.part"):
        (tmp_path / left).touch()
    destination.into_folder(str(tmp_path), later, fill)
    assert names(tmp_path) == sorted([other, new.file, later.file])


def test_a_command_takes_the_archive_from_its_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    written = destination.into_command(["dd", f"of={path}"], fill)
    assert written.path is None and written.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    archive.Reader(io.BytesIO(path.read_bytes())).prove()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["sh", "-c", "cat > /dev/null; exit 3"], "ended with exit code 3$"),
        (["sh", "-c", "cat > /dev/null; echo no such bucket >&2; exit 3"], "exit code 3: no such bucket"),
        (["sh", "-c", "echo denied; exit 4"], "exit code 4: denied"),
        (["sh", "-c", "cat > /dev/null; seq 1000; echo the end; exit 5"], "exit code 5: [ 0-9]{400,495} the end$"),
        (["/nonexistent/command"], "cannot be run"),
    ],
)
def test_a_command_that_fails_is_repeated(command: list[str], message: str) -> None:
    with pytest.raises(destination.DestinationError, match=message):
        destination.into_command(command, fill)


def test_a_command_that_does_not_read_everything_has_no_backup() -> None:
    def much(writer: archive.Writer) -> None:
        for table in layout.TABLES:
            writer.add(table, ([os.urandom(1000)] for _number in range(300)))
        writer.finish({})

    with pytest.raises(destination.DestinationError, match=r"before it had read all of its input$"):
        destination.into_command(["true"], much)
    with pytest.raises(destination.DestinationError, match=r"ended with exit code 1$"):
        destination.into_command(["false"], much)


def test_a_command_is_ended_before_it_takes_half_an_archive_for_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    started = time.monotonic()

    def waiting(writer: archive.Writer) -> None:
        while not ((begun := tmp_path / "begun").exists() and begun.read_text()):
            time.sleep(0.01)
        fail(writer)

    with pytest.raises(snapshot.UnusableDatabaseError):
        destination.into_command(["sh", "-c", f"echo $$ > {tmp_path}/begun; cat > {tmp_path}/draft && sleep 0.2 && mv {tmp_path}/draft {path}"], waiting)
    # It is there no more, nor is it a process that has ended and that nobody has waited for.
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "begun").read_text()), 0)
    time.sleep(0.5)
    assert not path.exists() and time.monotonic() - started < 10


def test_a_name_tells_the_registry_and_the_moment() -> None:
    assert retention.backup_in(BACKUP.file) == BACKUP
    moment = datetime(2026, 5, 1, 14, 0, 0, 7, timezone(timedelta(hours=2)))
    assert retention.backup_of("https://api.example.com:6443/", "models", moment) == BACKUP
    assert retention.backup_of("https://proxy/k8s/clusters/c-1", "models", NOW).cluster == "proxy-k8s-clusters-c-1"
    for other in ("notes.txt", "a_b.zip", "a_b_c.zip", "a_b_20260501T120000Z.zip.part", "a_b_c_20260501T120000Z.zip", "a_b_20260532T120000Z.zip"):
        assert retention.backup_in(other) is None


def daily(days: int) -> list[str]:
    return [retention.backup_of("api", "models", NOW - timedelta(days=day)).file for day in range(1, days + 1)]


NEWEST = retention.backup_of("api", "models", NOW)


@pytest.mark.parametrize(
    ("count", "age", "kept"),
    [(None, None, 10), (3, None, 2), (1, None, 0), (0, None, 0), (100, None, 10), (None, 4, 4), (None, 0, 0), (3, 4, 4), (7, 4, 6)],
)
def test_old_backups_go_when_no_limit_keeps_them(count: int | None, age: int | None, kept: int) -> None:
    files = daily(10)
    limit = None if age is None else timedelta(days=age)
    # The newest is not there yet when it is only to be told which would go.
    assert retention.superseded([*files, NEWEST.file], NEWEST, count, limit) == retention.superseded(files, NEWEST, count, limit) == files[kept:][::-1]


def test_a_clock_that_was_set_back_costs_no_backup_that_seems_to_be_newer() -> None:
    [future, *others] = [retention.backup_of("api", "models", NOW + timedelta(days=day)).file for day in (1, -1, -2)]
    assert retention.superseded([future, *others, NEWEST.file], NEWEST, None, timedelta(0)) == others[::-1]
    assert retention.superseded([future, *others, NEWEST.file], NEWEST, 1, None) == others[::-1]


def test_backups_of_others_and_other_files_stay() -> None:
    others = [retention.backup_of(*place, NOW - timedelta(days=99)).file for place in (("api", "model"), ("other", "models"))]
    assert retention.superseded([*others, "notes.txt", "api_models_old.zip"], NEWEST, 1, None) == []


def test_a_backup_goes_with_its_checksum(tmp_path: Path) -> None:
    [old] = daily(1)
    for name in (old, old + ".sha256", "notes.txt", NEWEST.file):
        (tmp_path / name).touch()
    assert destination.remove_superseded(str(tmp_path), NEWEST, 1, None, dry_run=True) == [old] and len(names(tmp_path)) == 4
    assert destination.remove_superseded(str(tmp_path), NEWEST, 1, None) == [old]
    assert names(tmp_path) == sorted([NEWEST.file, "notes.txt"])


def test_old_backups_that_cannot_be_deleted_are_an_error_that_says_that_there_is_a_new_one(tmp_path: Path) -> None:
    [old] = daily(1)
    (tmp_path / old).mkdir()
    with pytest.raises(destination.DestinationError, match=f"{NEWEST.file} was written to .*, but old backups were not deleted: is a directory"):
        destination.remove_superseded(str(tmp_path), NEWEST, 1, None)


def test_what_killed_runs_left_goes_even_where_some_of_it_cannot(tmp_path: Path) -> None:
    left = [f"{file}.part" for file in daily(3)]
    (tmp_path / left[0]).touch()
    (tmp_path / left[1]).mkdir()
    (tmp_path / left[2]).touch()
    destination.into_folder(str(tmp_path), NEWEST, fill)
    assert names(tmp_path) == sorted([left[1], NEWEST.file])
