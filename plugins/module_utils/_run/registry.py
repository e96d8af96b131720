# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `model_registry`: one registry is created, edited or deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import _errors
from .._cluster import client, registry_reader
from .._model import desired_state, naming, permissions
from .._plan import record
from .._rest import smoke_test
from .._work import completion, reconciliation


def input_problems(options: Mapping[str, Any]) -> list[_errors.Problem]:
    """What is wrong with the options of `model_registry` whatever is in the cluster."""
    problems = naming.namespace_problems(options["namespace"])
    desired_state.registry_from_options(options, options["namespace"] or "", problems, [])
    if options["permissions"] is not None and options["state"] == "present":
        permissions.permissions_from_options(options["permissions"], False, problems, [])
    return problems


def converge(cluster: client.Cluster, options: Mapping[str, Any], check_mode: bool, outcome: record.Outcome) -> None:
    """Bring one registry to what the options of `model_registry` say; `outcome` is filled on the way.

    InputError: before anything was written, with everything that is wrong with the options and with what they refer to. ClusterError: a request was
    refused. NotAvailableError, NotDeletedError: written, but not effective within wait_timeout.
    """
    problems: list[_errors.Problem] = []
    namespace = options.get("namespace") or cluster.registries_namespace()
    wanted = desired_state.registry_from_options(options, namespace, problems, outcome.warnings)
    seconds = options["wait_timeout"] if options["wait"] and not check_mode else 0
    reader = registry_reader.Reader(cluster, cluster.capabilities(), namespace)
    if options["state"] == "absent":
        # Imported here: it takes 10 ms to load. Ansible sends sources only, so that each file is compiled in every run that imports it.
        from .._work import removal

        consent = desired_state.Consent(delete_data=options["delete_data"])
        removal.Removal(wanted, consent, check_mode, outcome).carry_out(reader, seconds, problems)
        return
    request = reconciliation.request_from_options(wanted, options, options, check_mode, outcome, problems)
    planned = reconciliation.plan(reader, request)
    problems += planned.problems()
    if not problems:
        planned, problems = planned.with_database()
    outcome.warn(reconciliation.unreached_warning([planned]))
    if problems:
        raise _errors.InputError(problems)
    written = completion.write(planned, seconds)
    written.wait(seconds)
    written.finish(options)
    outcome.warn(smoke_test.warnings([(wanted.name, outcome.status.get("smoke_test"))]))
    written.clean_up(reader.fresh)
