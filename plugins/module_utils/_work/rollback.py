# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A password or CA that was replaced in place, written back when no server becomes available with the new one."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from .. import _errors, _texts
from .._cluster import registry_reader, writes
from .._model import desired_state, live_state, manifests, previous
from .._plan import changeset, previous_value, record, restarts
from .._status import readiness

# What a database answers, and the server logs, only after it has accepted the login; and after it has accepted the encrypted connection.
AFTER_LOGIN = re.compile(r"Error (1044|1049|1142) |SQLSTATE (3D000|42501)|Dirty database version")
AFTER_TLS = re.compile(rf"Error 1045 |SQLSTATE 28P01|password authentication failed|{AFTER_LOGIN.pattern}")
ACCEPTED = "the database accepts the new value"
# What a database answers, or the server logs, where the login or the CA is what is wrong.
LOGIN_REFUSED = re.compile(r"Error (1045|1698) |SQLSTATE 28P01|password authentication failed")
CA_REFUSED = re.compile(r"x509: |failed to parse SSL (root|CA) certificate|unable to add CA to cert pool")
UNPROVEN = "nothing indicates that the new value is the cause"
NOT_AVAILABLE_EITHER = "the registry was not available with the previous value either"
CHANGED_SINCE = "another process has changed it since"
# Whoever may write into the namespace can make it longer.
LONGEST_LOGIN = 400
AVAILABLE, FAILED, UNREAD = "available", "failed", "unread"


def what_of(change: changeset.Change) -> str:
    """What a change writes into a Secret or ConfigMap, for people."""
    return "password" if change.fields == ("database.password",) else "CA certificate"


def sentence(change: changeset.Change, reason: str | None, removing: changeset.Change | None = None) -> str:
    """That the previous value was put back, or the reason why not, and then where it is. `removing` is what would remove it from there."""
    if reason is None:
        return f"The previous {what_of(change)} was restored in {change.kind} {change.name!r}."
    where = f" It remains in the key {previous.key_of(previous_value.replaced_key(removing))}." if removing and reason != CHANGED_SINCE else ""
    return f"The previous {what_of(change)} was not restored in {change.kind} {change.name!r}: {reason}.{where}"


def other_readers(reader: registry_reader.Reader, removing: changeset.Change, registry: str) -> dict[str, str]:
    """How the other registries are that refer to an object with a previous value: AVAILABLE with the new one, FAILED with it, or not started with it yet."""
    others = set(reader.users().get((removing.kind, removing.name), ())) - {registry}
    key, held = previous_value.replaced_key(removing), reader.held(removing.kind, removing.name) if others else None
    found = {}
    for other in sorted(others):
        server = live_state.Live(reader.capabilities, reader.registry(other), deployment=reader.deployment(other), pods=reader.pods(other))
        if held is None or not server.pods or restarts.is_outdated(server, [(held, [key])]):
            found[other] = UNREAD
        else:
            found[other] = AVAILABLE if readiness.is_seen_available(server) else FAILED
    return found


def write_back_for(
    reader: registry_reader.Reader, removing: changeset.Change, known: manifests.Manifest, name: str, outcome: record.Outcome, is_own: bool, login: str
) -> tuple[str | None, list[str]]:
    """As `write_back`, for a registry that is not available, unless another one is with the new value; and the others that have to be restarted for it."""
    try:
        others = other_readers(reader, removing, name)
    except _errors.ClusterError as error:
        return str(error).rstrip("."), []
    available = ", ".join(repr(other) for other, state in others.items() if state == AVAILABLE)
    if available:
        return f"registry {available} is available with the new value, and registry {name!r} is not", []
    reason = write_back(reader, removing, known, outcome, is_own, login)
    return reason, [other for other, state in others.items() if state == FAILED] if reason is None else []


def write_back(
    reader: registry_reader.Reader, removing: changeset.Change, known: manifests.Manifest, outcome: record.Outcome, is_own: bool, login: str | None = None
) -> str | None:
    """Write the previous value over the new one; the reason where it must not or cannot be. `removing` is what would remove it.

    `known` holds the new value as this run knows it, `is_own` says that this run wrote it. `login` is the one that is used with it.
    """
    key = previous_value.replaced_key(removing)
    try:
        present = reader.fresh.held(removing.kind, removing.name)
        change = previous_value.restoration(removing, present) if present else None
        if present is None or change is None or previous.stored(present, key) != previous.stored(known, key):
            return CHANGED_SINCE
        if not is_own and not previous_value.is_written_by_us(present, key):
            return CHANGED_SINCE
        belongs = (present["metadata"].get("annotations") or {}).get(previous.LOGIN)
        if belongs and login and belongs != login:
            return f"it belongs to another user or database ({_texts.line(belongs, LONGEST_LOGIN)})"
        writes.send(reader.cluster, change, False)
    except _errors.ClusterError as error:
        return str(error).rstrip(".")
    if not is_own:
        outcome.record(change)
    return None


def restart(reader: registry_reader.Reader, name: str, outcome: record.Outcome) -> str:
    """Restart the server of a registry for which something was put back; what came of it, as a sentence."""
    try:
        deployment = reader.fresh.deployment(name)
        change = restarts.restart_of(desired_state.Registry(name, reader.namespace), datetime.now(timezone.utc), deployment)
        writes.send(reader.cluster, change, False)
    except _errors.ClusterError as error:
        return f"The server of registry {name!r} could not be restarted: {error}"
    outcome.record(change)
    return f"The server of registry {name!r} is being restarted."
