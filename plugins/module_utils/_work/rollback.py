# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run replaced of a registry, its password or its CA, put back when no server becomes available with the new one."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from .. import _errors, _texts
from .._cluster import registry_reader, writes
from .._model import custom_resource, desired_state, kinds, live_state, manifests
from .._plan import changeset, previous_value, record, restarts
from .._status import readiness

if TYPE_CHECKING:
    from . import reconciliation

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
    where = f" It remains in the key {previous_value.key_of(previous_value.replaced_key(removing))}." if removing and reason != CHANGED_SINCE else ""
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
        if present is None or change is None or previous_value.stored(present, key) != previous_value.stored(known, key):
            return CHANGED_SINCE
        if not is_own and not previous_value.is_written_by_us(present, key):
            return CHANGED_SINCE
        belongs = (present["metadata"].get("annotations") or {}).get(previous_value.LOGIN)
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


def put_back(planned: reconciliation.PlannedRegistry, resource: manifests.Manifest | None, verdict: readiness.Verdict) -> str:
    """Put a password or CA that was replaced in place back, now that the registry is not available with the new one; what was done, as sentences.

    It may have been replaced by an earlier run. What the same run changed of the database's settings belongs together with it, and is put back too.
    `resource` is the registry as it was written.
    """
    name, outcome = planned.request.wanted.name, planned.request.outcome
    # Of one that was not carried out, another process may have written the same.
    written = {key: entry for key, entry in planned.overwritten.items() if entry.change.result(False) in outcome.changes}
    settings = next((entry for entry in written.values() if entry.change.kind == kinds.KIND and _undoing(entry)), None)
    removals = {(change.kind, change.name): change for change in planned.made.leftovers if change.action == "update"}
    login = previous_value.login_of((settings.before if settings else planned.live).registry)
    sentences: list[str] = []
    restarted: list[str] = []
    done = False
    for key, change in {**removals, **{key: entry.change for key, entry in written.items() if key[0] != kinds.KIND}}.items():
        entry, removing = written.get(key), removals.get(key)
        known = manifests.patched(planned.live.objects.get(key) or {}, entry.change.body if entry else {})
        if removing and previous_value.is_put_back(removing, known):
            continue
        reason = NOT_AVAILABLE_EITHER if removing is None else _reason_to_leave(planned, removing, entry, known, verdict)
        if reason is None and settings and not done:
            reason = _reason_to_leave_settings(planned, resource, settings)
        if reason is None and removing:
            reason, failed = write_back_for(planned.reader.fresh, removing, known, name, outcome, entry is not None, login)
            restarted += failed
        if reason is None and entry:
            outcome.forget((*change.before, *change.after))
        done = done or reason is None
        sentences.append(sentence(change, reason, removing))
    if done and settings:
        # Last: until then no pod reads what was put back, and a run that is killed in between has saved the password, which nothing else may hold.
        sentences.append(_put_settings_back(planned, resource, settings))
    elif done:
        restarted.insert(0, name)
    if planned.request.consent.restart:
        sentences += [restart(planned.reader, name, outcome) for name in dict.fromkeys(restarted)]
    return " ".join(sentences)


def _reason_to_leave(
    planned: reconciliation.PlannedRegistry,
    removing: changeset.Change,
    entry: reconciliation.Overwritten | None,
    known: manifests.Manifest,
    verdict: readiness.Verdict,
) -> str | None:
    """Why the previous password or CA is not to be put back; None when nothing speaks against it. `entry` is what this run has written over it."""
    is_password = removing.kind == "Secret"
    if (AFTER_LOGIN if is_password else AFTER_TLS).search(verdict.evidence):
        return ACCEPTED
    if entry is None:
        # The new one may have worked since.
        refused = LOGIN_REFUSED if is_password else CA_REFUSED
        return None if refused.search(verdict.evidence) else UNPROVEN
    logins = [finding.result for finding in planned.preflight.report.findings if finding.check == "login"] if planned.preflight else []
    if is_password and entry.before.registry and logins:
        # Imported here: what looks at a database takes 80 ms to load.
        from .._database import preflight, vocabulary

        if logins == [vocabulary.OK]:
            return ACCEPTED
        contents = {(removing.kind, removing.name): previous_value.with_previous(removing, known)}
        seen = preflight.look_before(planned.reader.fresh, entry.before.registry, {}, contents)
        if seen and any(finding.check == "login" and finding.result == vocabulary.FAILURE for finding in seen.report.findings):
            return "the database rejects it"
    return None


def _undoing(settings: reconciliation.Overwritten) -> manifests.Manifest:
    """The sections of the database as a merge patch that gives what the run changed of them its previous values."""
    spec: manifests.Manifest = settings.change.body.get("spec", {})
    sections = {section: value for section, value in spec.items() if section in custom_resource.SECTIONS.values()}
    return manifests.undone(sections, manifests.at(settings.before.registry, ("spec",)) or {})


def _unchanged_since(
    planned: reconciliation.PlannedRegistry, resource: manifests.Manifest | None, settings: reconciliation.Overwritten
) -> manifests.Manifest | None:
    """The registry, where its database is what this run made it."""
    present = planned.reader.fresh.registry(planned.request.wanted.name)
    same = all(manifests.at(present, ("spec", section)) == manifests.at(resource, ("spec", section)) for section in _undoing(settings))
    return present if same else None


def _reason_to_leave_settings(planned: reconciliation.PlannedRegistry, resource: manifests.Manifest | None, settings: reconciliation.Overwritten) -> str | None:
    try:
        return None if _unchanged_since(planned, resource, settings) else f"another process has changed registry {planned.request.wanted.name!r} since"
    except _errors.ClusterError as error:
        return str(error).rstrip(".")


def _put_settings_back(planned: reconciliation.PlannedRegistry, resource: manifests.Manifest | None, settings: reconciliation.Overwritten) -> str:
    """Give the database's settings their previous values; what came of it, as a sentence. The operator rolls its server out by itself."""
    name, outcome = planned.request.wanted.name, planned.request.outcome
    options = [option for option in settings.change.fields if option.startswith("database.")]
    named = f"previous settings of registry {name!r} ({', '.join(options)})"
    for attempt in range(1, writes.PLANS + 1):
        try:
            present = _unchanged_since(planned, resource, settings)
            if present is None:
                return f"The {named} were not restored: another process has changed them since."
            body = {"metadata": {"resourceVersion": present["metadata"]["resourceVersion"]}, "spec": _undoing(settings)}
            answer = writes.send(planned.reader.cluster, replace(settings.change, body=body), False)
        except _errors.ClusterError as error:
            # The operator writes the status all the time.
            if error.status == _errors.CONFLICT and attempt < writes.PLANS:
                continue
            return f"The {named} were not restored: {error}"
        outcome.registry = {**outcome.registry, **custom_resource.registry_result(answer)}
        outcome.forget(options)
        break
    return f"The {named} were also restored, and the operator restarts the server."
