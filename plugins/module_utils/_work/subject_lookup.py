# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks up the subjects of grants: which users, groups, projects and service accounts the cluster knows."""

from __future__ import annotations

from collections.abc import Iterable

from .._cluster import registry_reader
from .._model import directory, kinds, manifests, permissions
from .._plan import record

# In how many namespaces service accounts are looked for one by one; for more, those of the whole cluster are listed.
NAMESPACES_ONE_BY_ONE = 5


def look_up(reader: registry_reader.Reader, grants: Iterable[permissions.Grant], outcome: record.Outcome) -> directory.Known:
    """What the cluster knows of those who are granted access."""
    unseen: list[str] = []
    lists, accounts_in = directory.lookups(grants)
    groups = registry_reader.objects(reader, "whether the groups exist", kinds.USER_GROUPS, unseen) if "groups" in lists else None
    users = registry_reader.names(reader, "whether the users exist", kinds.USERS, unseen) if "users" in lists else None
    namespaces = registry_reader.names(reader, "whether the namespaces exist", kinds.NAMESPACES, unseen) if "namespaces" in lists else None
    accounts: dict[str, list[manifests.Manifest]] = {}
    what = "whether the service accounts exist"
    if len(accounts_in) > NAMESPACES_ONE_BY_ONE:
        everywhere = registry_reader.names(reader, what, kinds.SERVICE_ACCOUNTS, unseen)
        if everywhere is not None:
            accounts = {namespace: [] for namespace in accounts_in}
            for account in everywhere:
                accounts.get(account["metadata"]["namespace"], []).append(account)
    else:
        for namespace in accounts_in:
            found = registry_reader.names(reader, what, kinds.SERVICE_ACCOUNTS, unseen, namespace)
            if found is not None:
                accounts[namespace] = found
    outcome.warn(unseen)
    return directory.known_from(groups, users, namespaces, accounts)
