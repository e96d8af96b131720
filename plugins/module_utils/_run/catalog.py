# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `model_catalog`: the sources, labels and named queries of the model catalog as one list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import _errors
from .._cluster import catalog_reader, client, writes
from .._model import catalog_sources, manifests, naming
from .._plan import catalog_plan, changeset, record


@dataclass
class CatalogOutcome(record.Outcome):
    """What a run did with the catalog."""

    version: str | None = None

    def result(self, diff: bool) -> manifests.Manifest:
        """The result of the module."""
        shared = {key: value for key, value in super().result(diff).items() if key not in ("registry", "status")}
        return {**shared, "version": self.version}


def input_problems(options: Mapping[str, Any]) -> list[_errors.Problem]:
    """What is wrong with the options of `model_catalog` whatever is in the cluster."""
    problems = naming.namespace_problems(options["namespace"])
    catalog_sources.wanted_from_options(options, problems)
    if options["purge_limit"] < 0:
        problems.append(_errors.Problem("purge_limit", "is not a valid number", "Set it to the maximum number of sources to delete", options["purge_limit"]))
    if options["purge"] and not options["sources"]:
        problems.append(_errors.Problem("sources", "is empty, so purge would delete all sources", "List the sources to keep, or omit purge", []))
    return problems


def converge(cluster: client.Cluster, options: Mapping[str, Any], check_mode: bool, outcome: CatalogOutcome) -> None:
    """Make the catalog what the options of `model_catalog` say; `outcome` is filled on the way.

    InputError: before anything was written, with everything that is wrong with the options, or that the catalog server would refuse. ClusterError: a
    request was refused, or there is no catalog.
    """
    outcome.introduce(cluster.identity())
    problems = input_problems(options)
    if problems:
        raise _errors.InputError(problems)
    wanted = catalog_sources.wanted_from_options(options, [])
    namespace = options["namespace"] or cluster.registries_namespace()
    reader = catalog_reader.CatalogReader(cluster, namespace, lambda why: outcome.warn([why]))
    for attempt in range(1, writes.PLANS + 1):
        planned = _planned(reader, wanted, options, outcome)
        try:
            _write(cluster, planned, check_mode, outcome)
        except _errors.ClusterError as error:
            # Another process was faster, or the write may have been carried out: the truth is in the cluster.
            if not error.unclear:
                outcome.unanswered = None
            was_overtaken = error.status in (_errors.CONFLICT, _errors.NOT_FOUND)
            if attempt == writes.PLANS or not (was_overtaken or error.unclear):
                if outcome.unanswered:
                    with outcome.in_doubt([outcome.unanswered]):
                        outcome.settle(_planned(reader, wanted, options, outcome))
                raise
            continue
        outcome.warn(planned.warnings)
        return


def _planned(reader: catalog_reader.CatalogReader, wanted: catalog_sources.Wanted, options: Mapping[str, Any], outcome: CatalogOutcome) -> changeset.Plan:
    """A plan by what there is now; by it is known whether a write without an answer was carried out. InputError where it has problems."""
    with outcome.in_doubt([outcome.unanswered] if outcome.unanswered else []):
        live = reader.live(wanted, options["purge"])
    outcome.version = live.generation.version
    planned = catalog_plan.plan_catalog(wanted, live, options["store"], options["purge"], options["purge_limit"])
    outcome.settle(planned)
    problems = [*planned.problems, *writes.rights_problems(reader, planned.changes)]
    if problems:
        outcome.warn(planned.warnings)
        raise _errors.InputError(problems)
    return planned


def _write(cluster: client.Cluster, planned: changeset.Plan, check_mode: bool, outcome: CatalogOutcome) -> None:
    for change in planned.changes:
        outcome.unanswered = None if check_mode else change
        writes.send(cluster, change, check_mode)
        outcome.unanswered = None
        outcome.record(change)
