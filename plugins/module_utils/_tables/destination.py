# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an archive goes: a file in a folder, or the standard input of a command. Nothing but a complete archive is ever found under a backup's name."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from .. import _errors, _texts
from . import archive, retention

_DRAFT = ".part"
CHECKSUM = ".sha256"
# How much of what a command says is repeated.
_LONGEST_TEXT = 500

# What writes the content of an archive, up to and with its manifest.
Fill = Callable[[archive.Writer], None]


class DestinationError(_errors.ReportedError):
    """An archive could not be written."""


@dataclass(frozen=True)
class Written:
    """An archive that was written. `path` is None for one that a command took."""

    path: str | None
    size: int
    sha256: str


def into_folder(folder: str, backup: retention.Backup, fill: Fill, checksum: bool = False) -> Written:
    """Write an archive beside its place, read it back, and only then give it its name. Its owner alone may read it."""
    path = os.path.join(folder, backup.file)
    try:
        _remove_leftovers(folder, backup)
        with _draft(path) as draft:
            with os.fdopen(os.open(draft, os.O_WRONLY), "wb") as stream:
                writer = archive.Writer(stream)
                fill(writer)
                os.fsync(stream.fileno())
            with open(draft, "rb") as stream:
                archive.Reader(stream).prove_files()
            if os.path.lexists(path):
                raise DestinationError(f"The backup was not written: {path} exists already")
            with _draft(path + CHECKSUM) if checksum else contextlib.nullcontext() as beside:
                if beside:
                    _write_checksum(beside, writer.sha256, backup.file)
                os.rename(draft, path)
                # A checksum without its archive would fail whoever checks all of a folder.
                if beside:
                    os.rename(beside, path + CHECKSUM)
    except OSError as error:
        reason = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else (error.strerror or str(error)).lower()
        raise DestinationError(f"The backup was not written to {folder}: {reason}") from None
    return Written(path, writer.size, writer.sha256)


def into_nothing(folder: str | None, backup: retention.Backup, fill: Fill) -> Written:
    """What an archive would be, without writing it anywhere. DestinationError where the folder takes no file."""
    if folder is not None and not (os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)):
        reason = "it cannot be written to" if os.path.isdir(folder) else "it is not an existing directory"
        raise DestinationError(f"The backup cannot be written to {folder}: {reason}")
    with open(os.devnull, "wb") as stream:
        writer = archive.Writer(stream)
        fill(writer)
    return Written(folder and os.path.join(folder, backup.file), writer.size, writer.sha256)


def into_command(command: list[str], fill: Fill) -> Written:
    """Hand an archive to a command as it is made. One that fails, or whose archive does not get complete, is ended before its input is."""
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=said)
        except OSError as error:
            raise DestinationError(f"The command {command[0]!r} for the backup cannot be run: {(error.strerror or str(error)).lower()}") from None
        is_read = True
        try:
            stream: Any = process.stdin
            writer = archive.Writer(stream)
            fill(writer)
            stream.close()
        except BrokenPipeError:
            # It has ended, or does not want any more.
            is_read = False
            process.stdin = None
        except BaseException:
            process.kill()
            process.wait()
            raise
        status = process.wait()
        if status or not is_read:
            said.seek(max(0, said.seek(0, os.SEEK_END) - _LONGEST_TEXT))
            text = _texts.line(said.read().decode(errors="replace"), _LONGEST_TEXT)
            reason = f"with exit code {status}" if status else "before it had read all of its input"
            raise DestinationError(f"The command {command[0]!r} for the backup ended {reason}" + (f": {text}" if text else ""))
    return Written(None, writer.size, writer.sha256)


def remove_superseded(folder: str, newest: retention.Backup, count: int | None, age: timedelta | None, dry_run: bool = False) -> list[str]:
    """Remove the backups of this registry that are beyond both limits; their names. The newest has been read back by now. With `dry_run` only name them.

    DestinationError where that is not permitted.
    """
    try:
        removed = retention.superseded(os.listdir(folder), newest, count, age)
        for name in () if dry_run else removed:
            for file in (name, name + CHECKSUM):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(folder, file))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DestinationError(f"The backup {newest.file} was written to {folder}, but old backups were not deleted: {reason}") from None
    return removed


@contextmanager
def _draft(path: str) -> Iterator[str]:
    """A new file beside the place of another, locked for as long as this process lives; gone afterwards, unless it was given its name."""
    draft = path + _DRAFT
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield draft
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)
        os.close(descriptor)


def _remove_leftovers(folder: str, backup: retention.Backup) -> None:
    """Remove what runs of this registry left that were killed."""
    for name in _drafts_of(os.listdir(folder), backup):
        draft = os.path.join(folder, name)
        with contextlib.suppress(OSError):
            descriptor = os.open(draft, os.O_WRONLY | os.O_NOFOLLOW)
            try:
                # Refused while another run writes it.
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(draft)
            finally:
                os.close(descriptor)


def _drafts_of(names: Iterable[str], backup: retention.Backup) -> list[str]:
    drafts = {name: retention.backup_in(name[: -len(_DRAFT)].removesuffix(CHECKSUM)) for name in names if name.endswith(_DRAFT)}
    return [name for name, found in drafts.items() if found and (found.cluster, found.registry) == (backup.cluster, backup.registry)]


def _write_checksum(path: str, sha256: str, name: str) -> None:
    """As `sha256sum --check` reads it."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{sha256}  {name}\n")
