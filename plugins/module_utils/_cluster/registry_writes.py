# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans for registries, carried out: written in the order in which that is safe, and made anew where another process was faster."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress

from .. import _errors
from .._model import custom_resource, kinds, manifests, marks
from .._plan import changeset, record
from . import registry_reader, writes


def _sent(reader: registry_reader.Reader, change: changeset.Change, dry_run: bool) -> manifests.Manifest:
    """As `writes.send`. A registry into which only its status was written since it was read, as its operator does all the time, is deleted all the same."""
    for _attempt in range(writes.PLANS):
        try:
            return writes.send(reader.cluster, change, dry_run)
        except _errors.ClusterError as error:
            if error.status != _errors.CONFLICT or (change.action, change.kind) != ("delete", kinds.KIND):
                raise
            present = reader.fresh.registry(change.name)
            if present is None or (present["metadata"]["uid"], present["metadata"]["generation"]) != (change.body["preconditions"]["uid"], change.generation):
                # Planned anew: it may have a generated database by now.
                raise
            change = changeset.deletion(change.kind, change.api, present)
    return writes.send(reader.cluster, change, dry_run)


def carry_out(
    reader: registry_reader.Reader,
    planned: Callable[[registry_reader.Reader], changeset.Plan],
    name: str,
    check_mode: bool,
    outcome: record.Outcome,
    problems: Iterable[_errors.Problem] = (),
    after: Callable[[changeset.Change], None] = lambda _change: None,
    made: changeset.Plan | None = None,
) -> tuple[changeset.Plan, manifests.Manifest | None]:
    """Plan, check and write, and again when the cluster turned out to be another than the plan was made for; the plan, and the registry if written.

    `planned` plans by what a reader reads, `name` is the registry that it is about, `made` a plan that was found to be without problems already.
    InputError when a plan has problems, or the server's refusal is one of the input; ClusterError when it is another.
    """
    attempt = 0
    unclaimed: tuple[tuple[str, str], ...] = ()
    while True:
        attempt += 1
        if made is None:
            made = _settled(reader, planned, outcome)
            found = [*problems, *made.problems, *writes.rights_problems(reader.missing_rights, reader.namespace, (*made.changes, *made.leftovers))]
            if found:
                raise _errors.InputError(found)
        try:
            written = _write(reader, made, name, check_mode, outcome, after)
            if not check_mode:
                _claim(reader, (*unclaimed, *made.relied_on))
        except _errors.ClusterError as error:
            # 404, 409: another process was faster. Or the write may have been carried out: either way the truth is in the cluster.
            if not error.unclear:
                outcome.unanswered = []
            overtaken = error.status == _errors.CONFLICT or (error.status == _errors.NOT_FOUND and "namespaces " not in str(error))
            is_there = overtaken or f"already exists in namespace {reader.namespace}" in str(error)
            if attempt == writes.PLANS or not (is_there or error.unclear):
                if outcome.unanswered:
                    with suppress(_errors.ClusterError):
                        _settled(reader.fresh, planned, outcome)
                raise _refused(error, reader.namespace, name) from None
            # A registry whose creation got no answer may exist: the next plan does not know it as new.
            unclaimed = made.relied_on if error.unclear else ()
            made, reader = None, reader.fresh
            continue
        outcome.warn(made.warnings)
        outcome.kept += made.kept
        return made, written


def _settled(reader: registry_reader.Reader, planned: Callable[[registry_reader.Reader], changeset.Plan], outcome: record.Outcome) -> changeset.Plan:
    """A new plan; by it is known whether a write without an answer was carried out."""
    with outcome.in_doubt():
        made = planned(reader)
    outcome.settle(made.changes)
    return made


def _refused(error: _errors.ClusterError, namespace: str, name: str) -> Exception:
    """A refusal of the API server or of the operator's webhooks as the problem of an option, where it is one."""
    text = str(error)
    other = re.search(r"namespace must be ([-a-z0-9]+)", text)
    if other:
        return _errors.InputError(
            [_errors.Problem("namespace", f"is not the registries namespace of the operator: {text}", f"Set it to {other[1]}", namespace)]
        )
    if error.status == _errors.NOT_FOUND and f'namespaces "{namespace}" not found' in text:
        return _errors.InputError([_errors.Problem("namespace", "does not exist", "Set it to the registries namespace, or omit it", namespace)])
    if "already exists in namespace" in text:
        return _errors.InputError(
            [_errors.Problem("name", f"belongs to another registry: {text}", "Choose another name: names must be unique in the cluster", name)]
        )
    return error


def _write(
    reader: registry_reader.Reader, planned: changeset.Plan, name: str, check_mode: bool, outcome: record.Outcome, after: Callable[[changeset.Change], None]
) -> manifests.Manifest | None:
    """Carry out the changes, or in check mode try each on the server; returns the registry as the server answered it, when it was written."""
    registry = None
    # What goes with a registry is shared by name: with other registries, and with one of the same name that another process creates.
    shared = [] if check_mode else [change for change in planned.changes if change.action == "delete" and change.kind != kinds.KIND and not change.begun]
    of_registry = [change for change in planned.changes if change.kind == kinds.KIND]
    if len(planned.changes) > 1 and of_registry and not of_registry[0].begun and not check_mode:
        # The webhooks answer before the Secret is written, so that a refusal leaves nothing behind.
        _sent(reader, of_registry[0], True)
    for change in planned.changes:
        if change in shared:
            continue
        if change.begun:
            if not check_mode:
                after(change)
            continue
        unverified = check_mode and change.action == "restart"
        if not unverified:
            outcome.unanswered = [] if check_mode else [change]
            answer = _sent(reader, change, check_mode)
            outcome.unanswered = []
            if change.kind == kinds.KIND:
                registry = answer
        outcome.record(change, unverified)
        if not check_mode:
            after(change)
    if shared:
        _delete(reader, shared, name, outcome)
    return registry


def _delete(reader: registry_reader.Reader, deletions: Iterable[changeset.Change], name: str, outcome: record.Outcome) -> None:
    """Delete what belongs to a registry, but for what a registry has begun to use. ClusterError 409 when something is not as it was read.

    It is announced first, and the registries are read after that. Another run writes a registry first, and looks for an announcement after that (`_claim`).
    Whatever the order, one of the two sees the other.
    """
    cluster = reader.cluster
    precise_ones = [(change, writes.announced(cluster, change) if writes.is_announced(change) else change) for change in deletions]
    present = [item for item in reader.fresh.registries() if "deletionTimestamp" not in item["metadata"]]
    users, is_anew = custom_resource.users_of(present), any(item["metadata"]["name"] == name for item in present)
    for change, precise in precise_ones:
        user = next(iter(users.get((change.kind, change.name), [name] if is_anew and not writes.is_announced(change) else [])), None)
        if precise is None:
            continue
        if user is not None:
            if writes.is_announced(change):
                writes.annotate(cluster, change, None)
            outcome.kept.append({"kind": change.kind, "name": change.name, "reason": f"registry {user!r} now uses it"})
            continue
        outcome.unanswered = [change]
        writes.send(cluster, precise, False)
        outcome.unanswered = []
        outcome.record(change)


def _claim(reader: registry_reader.Reader, relied_on: Iterable[tuple[str, str]]) -> None:
    """See that what a registry that was just written relies on is still there, and withdraw the announcement of its deletion. ClusterError 404, 409."""
    for kind, name in relied_on:
        held = reader.fresh.held(kind, name)
        if held is None:
            raise _errors.ClusterError(f"{kind} {name!r} was deleted by another process while the registry that uses it was being written", _errors.CONFLICT)
        if marks.is_leaving(held):
            body = {"metadata": {"annotations": {marks.LEAVING: None}}}
            reader.cluster.write("PATCH", kinds.APIS[kind], reader.namespace, name, body, False)
