# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How old the last backup of each registry is, by the names of the files in the folder of the backups."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import retention

# A backup of each day, with two hours for it to be made.
HOURS = 26


@dataclass(frozen=True)
class Wanted:
    """Backups in this folder that are not older than this."""

    folder: str
    hours: float
    now: datetime

    def is_outdated(self, moment: datetime) -> bool:
        """Whether a backup from then is too old."""
        return self.now - moment > timedelta(hours=self.hours)


def wanted(folder: str, hours: Any) -> Wanted | None:
    """The backups that variables ask for; None without a folder."""
    return Wanted(os.path.expanduser(folder), float(hours), datetime.now(timezone.utc)) if folder else None


def newest(folder: str, server: str) -> dict[str, datetime]:
    """When the last backup of each registry of the cluster with this API server was made. OSError when the folder cannot be read."""
    found: dict[str, datetime] = {}
    cluster = retention.cluster_of(server)
    with os.scandir(folder) as entries:
        for entry in entries:
            backup = retention.backup_in(entry.name)
            # What a full disk left is no backup.
            if backup and backup.cluster == cluster and entry.is_file() and entry.stat().st_size:
                found[backup.registry] = max(backup.moment, found.get(backup.registry, backup.moment))
    return found


def text(moment: datetime) -> str:
    """A moment as results show it."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
