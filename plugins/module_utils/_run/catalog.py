# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `model_catalog`: the sources, labels and named queries of the model catalog as one list."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .. import _errors, _options
from .._cluster import catalog_reader, client, writes
from .._model import catalog, desired_catalog, manifests, marks, naming
from .._plan import catalog_plan, catalog_view, changeset, record

if TYPE_CHECKING:
    from .._rest import catalog_server
    from .._work import catalog_rollout


def input_problems(options: Mapping[str, Any]) -> list[_errors.Problem]:
    """What is wrong with the options of `model_catalog` whatever is in the cluster."""
    problems = naming.namespace_problems(options["namespace"]) + _options.time_problems("wait_timeout", options["wait_timeout"])
    desired_catalog.wanted_from_options(options, problems)
    if options["purge_limit"] < 0:
        problems.append(_errors.Problem("purge_limit", "is not a valid number", "Set it to the maximum number of sources to delete", options["purge_limit"]))
    if options["purge"] and not options["sources"]:
        problems.append(_errors.Problem("sources", "is empty, so purge would delete all sources", "List the sources to keep, or omit purge", []))
    return problems


def converge(cluster: client.Cluster, options: Mapping[str, Any], check_mode: bool, outcome: record.Outcome) -> None:
    """Make the catalog what the options of `model_catalog` say; `outcome` is filled on the way.

    InputError: before anything was written, with everything that is wrong with the options, or that the catalog server would refuse. ClusterError: a
    request was refused, or there is no catalog. NotShownError: the catalog server does not show what was written.
    """
    problems = input_problems(options)
    if problems:
        raise _errors.InputError(problems)
    wanted = desired_catalog.wanted_from_options(options, [])
    namespace = options["namespace"] or cluster.registries_namespace()
    reader = catalog_reader.CatalogReader(cluster, namespace, lambda why: outcome.warn([why]))
    rollout: catalog_rollout.Rollout | None = None
    written: list[catalog_rollout.Written] = []

    def write(live: catalog_view.Live, planned: changeset.Plan) -> bool:
        nonlocal rollout
        if rollout is None and planned.changes and options["wait"] and not check_mode:
            # Imported here: it takes 30 ms to load, and most runs change nothing.
            from .._work import catalog_rollout

            rollout = catalog_rollout.Rollout.begin(cluster, live, outcome)
        _write(cluster, live, planned, check_mode, outcome, written)
        outcome.warn(planned.warnings)
        # Another run may have deleted a token until then, or its source. That one announces it first, and looks for the source after that.
        return check_mode or not (planned.changes and any(source.token is not None for source in wanted.sources))

    def delete(live: catalog_view.Live, planned: changeset.Plan) -> bool:
        # One that was stored again in the meantime is announced again, and only then it is looked for whoever uses it.
        if planned.changes or _announce(cluster, live, planned):
            return bool(planned.changes)
        _send(cluster, planned.leftovers, False, outcome)
        return True

    live, planned = _carried_out(reader, wanted, options, outcome, write)
    after = live if check_mode or (not planned.changes and not written) else catalog_reader.read(cluster, namespace, reader.unseen)
    outcome.own["sources"] = [{"id": source.id, "kind": source.kind.name, "status": None, "error": None} for source in wanted.sources]
    if options["preview"]:
        _preview(cluster, wanted, after, outcome)
    if rollout is not None:
        try:
            rollout.finish(written, after, options["wait_timeout"], options["rollback"])
        finally:
            for described in outcome.own["sources"]:
                seen = rollout.latest.get(described["kind"], {}).get(described["id"])
                described["status"], described["error"] = (seen.status, seen.error) if seen else (None, None)
    if planned.leftovers and not check_mode:
        # Until then, the previous content may have been put back, which names these Secrets.
        with contextlib.suppress(_errors.InputError):
            # With another catalog than the one that was written, they are left to the next run.
            _carried_out(reader, wanted, options, outcome, delete)
        done = {(change["action"], change["name"]) for change in outcome.changes}
        left = [change.name for change in planned.leftovers if ("delete", change.name) not in done]
        outcome.warn(f"Secret {name!r} was not deleted, because another process has changed it or the catalog" for name in left)


def _carried_out(
    reader: catalog_reader.CatalogReader,
    wanted: desired_catalog.Wanted,
    options: Mapping[str, Any],
    outcome: record.Outcome,
    work: Callable[[catalog_view.Live, changeset.Plan], bool],
) -> tuple[catalog_view.Live, changeset.Plan]:
    """Plan, and do some of it, and again when the cluster turned out to be another than the plan was made for, or the work is not done."""
    attempt = 0
    while True:
        attempt += 1
        live, planned = _planned(reader, wanted, options, outcome)
        try:
            if work(live, planned) or attempt == writes.PLANS:
                return live, planned
        except _errors.ClusterError as error:
            # Another process was faster, or the write may have been carried out: the truth is in the cluster.
            if not error.unclear:
                outcome.unanswered = []
            was_overtaken = error.status in (_errors.CONFLICT, _errors.NOT_FOUND)
            if attempt == writes.PLANS or not (was_overtaken or error.unclear):
                if outcome.unanswered:
                    with outcome.in_doubt():
                        outcome.settle(_planned(reader, wanted, options, outcome)[1].changes)
                raise


def _planned(
    reader: catalog_reader.CatalogReader, wanted: desired_catalog.Wanted, options: Mapping[str, Any], outcome: record.Outcome
) -> tuple[catalog_view.Live, changeset.Plan]:
    """A plan by what there is now; by it is known whether a write without an answer was carried out. InputError where it has problems."""
    with outcome.in_doubt():
        live = reader.live(wanted, options["purge"])
    outcome.own["version"] = live.generation.version
    planned = catalog_plan.plan_catalog(wanted, live, options["store"], options["purge"], options["purge_limit"])
    # A deletion that got no answer was carried out if it is not planned again.
    outcome.settle((*planned.changes, *planned.leftovers))
    problems = [*planned.problems, *writes.rights_problems(reader.cluster.missing_rights, reader.namespace, (*planned.changes, *planned.leftovers))]
    if problems:
        outcome.warn(planned.warnings)
        raise _errors.InputError(problems)
    return live, planned


def _write(
    cluster: client.Cluster,
    live: catalog_view.Live,
    planned: changeset.Plan,
    check_mode: bool,
    outcome: record.Outcome,
    written: list[catalog_rollout.Written],
) -> None:
    if check_mode:
        _send(cluster, (*planned.changes, *planned.leftovers), True, outcome)
        return
    _announce(cluster, live, planned)
    if not planned.changes:
        return
    # As above.
    from .._work import catalog_rollout

    for change in planned.changes:
        [answer] = _send(cluster, [change], False, outcome)
        if change.kind == "ConfigMap":
            written.append(catalog_rollout.Written(change, live.config_maps.get(change.name), answer))


def _announce(cluster: client.Cluster, live: catalog_view.Live, planned: changeset.Plan) -> bool:
    """Announce the deletions that are not announced yet; whether there were any. A run after one that was killed knows by it what that has left."""
    new = [change for change in planned.leftovers if not marks.is_leaving(live.secrets[change.name] or {"metadata": {}})]
    for change in new:
        writes.announced(cluster, change)
    return bool(new)


def _send(cluster: client.Cluster, changes: Iterable[changeset.Change], check_mode: bool, outcome: record.Outcome) -> list[manifests.Manifest]:
    answers = []
    for change in changes:
        outcome.unanswered = [] if check_mode else [change]
        answers.append(writes.send(cluster, change, check_mode))
        outcome.unanswered = []
        # What another process has deleted is no change of this run.
        if answers[-1] or change.verb != "DELETE":
            outcome.record(change)
    return answers


def _preview(cluster: client.Cluster, wanted: desired_catalog.Wanted, live: catalog_view.Live, outcome: record.Outcome) -> None:
    """Add how many models or MCP servers each source of the list would have, by the catalog server, and why where that is not known."""
    # Imported here: it takes 25 ms to load, and most runs preview nothing.
    from .._rest import catalog_server

    server: catalog_server.Server | None = None
    try:
        server = catalog_server.find(cluster, live.namespace)
    except catalog_server.NoAnswerError as error:
        outcome.warn([f"the sources cannot be previewed: {error}"])
    for source, described in zip(wanted.sources, outcome.own["sources"]):
        described["preview"] = None
        if server is None or source.is_absent or source.kind is catalog.AGENT:
            continue
        entry, data = catalog_view.previewed(source, live.view)
        try:
            found = server.preview(entry, data)
        except catalog_server.NoAnswerError as error:
            outcome.warn([f"source {source.id!r} cannot be previewed: {error}"])
        else:
            described["preview"] = {"entries": found.total, "shown": found.included}
