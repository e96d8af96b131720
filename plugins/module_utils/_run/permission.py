# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `model_registry_permission`: access to one registry is granted or revoked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import _errors
from .._cluster import client, registry_reader, visibility
from .._model import custom_resource, naming, permissions
from .._plan import record
from .._status import access_review, availability, observation
from .._work import authorization


def input_problems(options: Mapping[str, Any]) -> list[_errors.Problem]:
    """What is wrong with the options of `model_registry_permission` whatever is in the cluster."""
    problems = [*naming.namespace_problems(options["namespace"]), *naming.live_name_problems(options["name"])]
    if options["permissions"] is not None:
        permissions.permissions_from_options(options["permissions"], options["state"] == "absent", problems, [])
    return problems


def converge(cluster: client.Cluster, options: Mapping[str, Any], check_mode: bool, outcome: record.Outcome) -> None:
    """Bring the permissions of one registry to what the options of `model_registry_permission` say; `outcome` is filled on the way.

    InputError: before anything was written. ClusterError: a request was refused.
    """
    name = options["name"]
    problems = naming.live_name_problems(name)
    reader = registry_reader.Reader(cluster, cluster.capabilities(), options["namespace"] or cluster.registries_namespace())
    request = authorization.request_from_options(options, problems, check_mode, outcome)
    registry = reader.registry(name)
    if registry is None:
        registry_reader.need_namespace(cluster, reader.namespace)
    planned = authorization.plan(reader, request, registry)
    problems += planned.problems
    if registry and "deletionTimestamp" in registry["metadata"] and options["state"] == "present":
        problems.append(_errors.Problem("name", "is the name of a registry that is being deleted", "Run again after the deletion", name))
    if options["verify"]:
        problems += access_review.verification_problems(reader)
    if problems:
        raise _errors.InputError(problems)
    outcome.registry = custom_resource.registry_result(registry) if registry else {"name": name, "namespace": reader.namespace}
    granted = planned.grant(registry)
    granted.set_members()
    if options["verify"] and not check_mode:
        granted.verify()
    if registry is None:
        outcome.status = dict(observation.ABSENT)
        return
    visibility.seen(lambda: availability.wait_until_available(reader, name, 0, outcome), None, outcome.warn_of, "the availability of the registry")
