# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on the controller that hold what was read in clusters: private, replaced as a whole, and never written through somebody else's link."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

NEW_MODE = 0o600
FOLDER_MODE = 0o755
# As many as Linux follows.
MOST_LINKS = 40
# A folder on the way need not be one that may be listed.
OPEN_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW


class FileRefused(Exception):
    """A file is not written; the message says why, and what to do."""


@dataclass(frozen=True)
class Written:
    """What writing a file did, or in check mode would do. `before` is None for a new file."""

    path: str
    changed: bool
    before: str | None = field(repr=False)
    backup: str = ""


def write(path: str, content: str, folder: str = "", backup: bool = False, replace: bool = True, check_mode: bool = False, mode: int | None = None) -> Written:
    """Make the file hold this text. FileRefused, or OSError where the system refuses it.

    With `folder` the path is below it, what is missing on the way is made, and no link leads out of it; without, no link leads out of the file's own folder.
    `replace` allows that another content is replaced, and `backup` keeps that beside the file. Without `mode`, an existing file keeps its own.
    """
    wanted = content.encode()
    base = folder or os.path.dirname(path)
    try:
        with _real_folder(base, make=bool(folder) and not check_mode) as (_descriptor, root):
            pass
        with _opened(os.path.join(root, os.path.relpath(path, base)), root, make=bool(folder) and not check_mode) as (parent, real):
            return _write(parent, real, wanted, backup, replace, check_mode, mode)
    except FileNotFoundError:
        if folder and check_mode:
            return Written(path, True, None)
        raise


def _write(parent: int, real: str, wanted: bytes, backup: bool, replace: bool, check_mode: bool, mode: int | None) -> Written:
    name = os.path.basename(real)
    found = _content(parent, name, real)
    before = None if found is None else found[0].decode("utf-8", "replace")
    if found and found[0] == wanted and mode in (None, stat.S_IMODE(found[1].st_mode)):
        return Written(real, False, before)
    if found and not replace:
        raise FileRefused(f"{real} exists, and replacing it is not enabled")
    kept = f"{name}.{time.strftime('%Y-%m-%d@%H:%M:%S')}.{secrets.token_hex(2)}~" if found and backup else ""
    shown = os.path.join(os.path.dirname(real), kept) if kept else ""
    if not check_mode:
        if found and kept:
            _create(parent, kept, found[0], found[1])
        # Ansible skips what begins with a dot when it reads a folder of variables.
        beside = f".{name}.{secrets.token_hex(8)}"
        try:
            _create(parent, beside, wanted, found[1] if found else None, mode)
            os.rename(beside, name, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(beside, dir_fd=parent)
            raise
    return Written(real, True, before, shown)


def _content(parent: int, name: str, real: str) -> tuple[bytes, os.stat_result] | None:
    """What is in a file, and whose it is; None when there is none."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
    except FileNotFoundError:
        return None
    try:
        described = os.fstat(descriptor)
        if not stat.S_ISREG(described.st_mode):
            raise FileRefused(f"{real} is not a regular file")
        if described.st_uid not in (0, os.geteuid()) and os.fstat(parent).st_mode & stat.S_IWOTH:
            raise FileRefused(f"{real} belongs to another user, in a world-writable directory. Remove it, or use another file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(), described
    finally:
        os.close(descriptor)


def _create(parent: int, name: str, content: bytes, like: os.stat_result | None, mode: int | None = None) -> None:
    """A new file, as private as the one that it stands for, or with this mode."""
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, NEW_MODE, dir_fd=parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        if like:
            # Only root can give files away; for anybody else the file has been theirs, or becomes theirs.
            with contextlib.suppress(PermissionError):
                os.fchown(descriptor, like.st_uid, like.st_gid)
        if like or mode is not None:
            os.fchmod(descriptor, stat.S_IMODE(like.st_mode) if like and mode is None else mode or 0)
        file.flush()
        os.fsync(descriptor)


@contextlib.contextmanager
def _opened(path: str, root: str, make: bool) -> Iterator[tuple[int, str]]:
    """The folder of a file below a root, open, and the file's path without links. Its last part may be a link too."""
    target = path
    for _link in range(MOST_LINKS):
        with _real_folder(os.path.dirname(target), make and target == path, root) as (descriptor, folder):
            real = os.path.join(folder, os.path.basename(target))
            if not _is_within(real, root):
                raise FileRefused(f"{path} is outside of {root}: it is a link to {real}")
            linked = _link_in(descriptor, os.path.basename(target), real)
            if linked is None:
                yield descriptor, real
                return
            target = os.path.join(folder, linked)
    raise FileRefused(f"{path}: too many links")


@contextlib.contextmanager
def _real_folder(path: str, make: bool, root: str = "") -> Iterator[tuple[int, str]]:
    """A folder, open, and its path without links. Each part of its path is opened from the one before, so that nobody can exchange one meanwhile."""
    waiting = list(Path(os.path.abspath(path)).parts[:0:-1])
    links = 0
    real = "/"
    descriptor = os.open("/", OPEN_FOLDER)
    try:
        while waiting:
            part = waiting.pop()
            if part != "..":
                linked = _link_in(descriptor, part, os.path.join(real, part))
                if linked is not None:
                    links += 1
                    if links > MOST_LINKS:
                        raise FileRefused(f"{path}: too many links")
                    waiting += list(Path(linked).parts[::-1])
                    continue
            if part == "/":
                real, following = "/", os.open("/", OPEN_FOLDER)
            else:
                following = _open_folder(descriptor, part, os.path.join(real, part), make, root)
                real = os.path.dirname(real) if part == ".." else os.path.join(real, part)
            os.close(descriptor)
            descriptor = following
        yield descriptor, real
    finally:
        os.close(descriptor)


def _open_folder(parent: int, name: str, real: str, make: bool, root: str) -> int:
    try:
        return os.open(name, OPEN_FOLDER, dir_fd=parent)
    except FileNotFoundError:
        if not make:
            raise FileNotFoundError(errno.ENOENT, "the directory does not exist", real) from None
        if root and not _is_within(real, root):
            raise FileRefused(f"{real} is outside of {root}") from None
    except NotADirectoryError:
        raise FileRefused(f"{real} is not a directory") from None
    os.mkdir(name, FOLDER_MODE, dir_fd=parent)
    return os.open(name, OPEN_FOLDER, dir_fd=parent)


def _link_in(parent: int, name: str, real: str) -> str | None:
    """Where a link leads to, None for anything else. FileRefused when neither root nor this user made it."""
    try:
        described = os.lstat(name, dir_fd=parent)
    except FileNotFoundError:
        return None
    if not stat.S_ISLNK(described.st_mode):
        return None
    if described.st_uid not in (0, os.geteuid()):
        raise FileRefused(f"{real} is a link that is owned by neither root nor the current user. Remove it, or use another file")
    return os.readlink(name, dir_fd=parent)


def _is_within(path: str, folder: str) -> bool:
    return folder == "/" or path.startswith(f"{folder}/")
