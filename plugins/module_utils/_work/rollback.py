# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A password or CA that a run changed in place, written back when no server becomes available with it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timezone

from .. import _errors
from .._cluster import registry_reader, writes
from .._model import desired_state, manifests
from .._plan import changeset, record, restarts

# What a database answers, and the server logs, only after it has accepted the login; and after it has accepted the encrypted connection.
AFTER_LOGIN = re.compile(r"Error (1044|1049|1142) |SQLSTATE (3D000|42501)|Dirty database version")
AFTER_TLS = re.compile(rf"Error 1045 |SQLSTATE 28P01|password authentication failed|{AFTER_LOGIN.pattern}")
ACCEPTED = "the database accepts the new one"


def what_of(change: changeset.Change) -> str:
    """What a change writes into a Secret or ConfigMap, for people."""
    return "password" if change.fields == ("database.password",) else "CA"


def sentence(change: changeset.Change, reason: str | None) -> str:
    """That the previous value was put back, or the reason why not."""
    done = "was put back" if reason is None else "was not put back"
    return f"The previous {what_of(change)} {done} into {change.kind} {change.name!r}" + (f": {reason}." if reason else ".")


def write_back(
    reader: registry_reader.Reader, change: changeset.Change, previous: manifests.Manifest, users: Collection[str], outcome: record.Outcome
) -> str | None:
    """Write the value of the object as it was over our own; the reason where it must not or cannot be. `users` are the registries that may read it."""
    key = next(iter(change.body["data"]))
    value = (previous.get("data") or {}).get(key)
    if value is None:
        return "it was stored in another form"
    try:
        others = set(reader.fresh.users().get((change.kind, change.name), ())) - set(users)
        if others:
            return f"registry {', '.join(map(repr, sorted(others)))} reads it too"
        present = reader.fresh.held(change.kind, change.name)
        if present is None or (present.get("data") or {}).get(key) != change.body["data"][key]:
            return "another process has changed it since"
        body = {"metadata": {"resourceVersion": present["metadata"]["resourceVersion"]}, "data": {key: value}}
        writes.send(reader.cluster, replace(change, body=body), False)
    except _errors.ClusterError as error:
        return str(error).rstrip(".")
    outcome.forget((*change.before, *change.after))
    return None


def restart(reader: registry_reader.Reader, name: str, outcome: record.Outcome) -> str:
    """Restart the server of a registry for which something was put back; what came of it, as a sentence."""
    try:
        deployment = reader.fresh.deployment(name)
        change = restarts.restart_of(desired_state.Registry(name, reader.namespace), datetime.now(timezone.utc), deployment)
        writes.send(reader.cluster, change, False)
    except _errors.ClusterError as error:
        return f"The server of registry {name!r} could not be restarted with it: {error}"
    outcome.record(change)
    return f"The server of registry {name!r} is being restarted with it."
