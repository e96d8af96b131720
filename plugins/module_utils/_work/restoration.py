# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run replaced of a registry, put back when the registry does not become available with it."""

from __future__ import annotations

from dataclasses import replace

from .. import _errors
from .._cluster import writes
from .._model import custom_resource, kinds, manifests, previous
from .._plan import changeset, previous_value
from .._status import readiness
from . import reconciliation, rollback


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
    login = previous.login_of((settings.before if settings else planned.live).registry)
    sentences: list[str] = []
    restarted: list[str] = []
    done = False
    for key, change in {**removals, **{key: entry.change for key, entry in written.items() if key[0] != kinds.KIND}}.items():
        entry, removing = written.get(key), removals.get(key)
        known = manifests.patched(planned.live.objects.get(key) or {}, entry.change.body if entry else {})
        if removing and previous_value.is_put_back(removing, known):
            continue
        reason = rollback.NOT_AVAILABLE_EITHER if removing is None else _reason_to_leave(planned, removing, entry, known, verdict)
        if reason is None and settings and not done:
            reason = _reason_to_leave_settings(planned, resource, settings)
        if reason is None and removing:
            reason, failed = rollback.write_back_for(planned.reader.fresh, removing, known, name, outcome, entry is not None, login)
            restarted += failed
        if reason is None and entry:
            outcome.forget((*change.before, *change.after))
        done = done or reason is None
        sentences.append(rollback.sentence(change, reason, removing))
    if done and settings:
        # Last: until then no pod reads what was put back, and a run that is killed in between has saved the password, which nothing else may hold.
        sentences.append(_put_settings_back(planned, resource, settings))
    elif done:
        restarted.insert(0, name)
    if planned.request.consent.restart:
        sentences += [rollback.restart(planned.reader, name, outcome) for name in dict.fromkeys(restarted)]
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
    if (rollback.AFTER_LOGIN if is_password else rollback.AFTER_TLS).search(verdict.evidence):
        return rollback.ACCEPTED
    if entry is None:
        # The new one may have worked since.
        refused = rollback.LOGIN_REFUSED if is_password else rollback.CA_REFUSED
        return None if refused.search(verdict.evidence) else rollback.UNPROVEN
    logins = [finding.result for finding in planned.preflight.report.findings if finding.check == "login"] if planned.preflight else []
    if is_password and entry.before.registry and logins:
        from .._database import preflight, vocabulary

        if logins == [vocabulary.OK]:
            return rollback.ACCEPTED
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
