# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of backups in a folder, and which of them may go. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

_TIME = "%Y%m%dT%H%M%SZ"
SUFFIX = ".zip"


@dataclass(frozen=True)
class Backup:
    """A backup by its name: of which registry, on which cluster, and from when. Neither of the two names can have an underscore."""

    cluster: str
    registry: str
    moment: datetime

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.cluster}_{self.registry}_{self.moment:{_TIME}}{SUFFIX}"


def cluster_of(server: str) -> str:
    """What the names of backups call the cluster with this API server. The path stays: it may be that of a proxy that leads to several clusters."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", server.rpartition("://")[2].rstrip("/"))


def backup_of(server: str, registry: str, moment: datetime) -> Backup:
    """The backup of a registry now, in the cluster with this API server."""
    return Backup(cluster_of(server), registry, moment.astimezone(timezone.utc).replace(microsecond=0))


def backup_in(file: str) -> Backup | None:
    """The backup that a file is by its name; None for any other file."""
    parts = file[: -len(SUFFIX)].split("_") if file.endswith(SUFFIX) else []
    if len(parts) != 3:
        return None
    try:
        found = Backup(parts[0], parts[1], datetime.strptime(parts[2], _TIME).replace(tzinfo=timezone.utc))
    except ValueError:
        return None
    return found if found.file == file else None


def superseded(files: Iterable[str], newest: Backup, count: int | None, age: timedelta | None) -> list[str]:
    """The files that a new backup of the same registry makes superfluous, oldest first.

    Kept is what either limit keeps, and always the new backup: it is the only one of which is known that it is good. Without limits everything is kept.
    """
    if count is None and age is None:
        return []
    same = {found for found in map(backup_in, files) if found and (found.cluster, found.registry) == (newest.cluster, newest.registry)}
    ordered = sorted(same | {newest}, key=lambda backup: backup.moment, reverse=True)
    kept = {newest} | set(ordered[: count or 0])
    if age is not None:
        kept |= {backup for backup in ordered if newest.moment - backup.moment <= age}
    return [backup.file for backup in reversed(ordered) if backup not in kept]
