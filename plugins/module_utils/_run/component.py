# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `model_registry_component`: the component is switched on or off, and waited for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .. import _errors
from .._cluster import client, visibility, wait, writes
from .._model import kinds, manifests, ownership
from .._plan import changeset, component_plan, record

POLL_SECONDS = 1
# How often a switch is planned anew that got no answer, or that somebody else came in between of.
ATTEMPTS = 3


class NotSwitchedError(_errors.ReportedError):
    """The component was switched and has not become what it was switched to in time."""


def input_problems(options: Mapping[str, Any]) -> list[_errors.Problem]:
    """What is wrong with the options of `model_registry_component` whatever is in the cluster."""
    problems: list[_errors.Problem] = []
    component_plan.wanted_from_options(options, problems)
    return problems


def converge(cluster: client.Cluster, options: Mapping[str, Any], check_mode: bool, outcome: record.Outcome) -> None:
    """Switch the component to what the options say and wait for it; `outcome` is filled on the way.

    InputError: before anything was written. ClusterError: a request was refused, or there is nothing to switch. NotSwitchedError: written, but not
    effective within wait_timeout.
    """
    problems: list[_errors.Problem] = []
    wanted = component_plan.wanted_from_options(options, problems)
    live = _read(cluster, outcome)
    change, more = component_plan.plan_switch(wanted, live)
    problems += more
    if change:
        problems += _right_problems(cluster, live)
        problems += _left_behind_problems(cluster, wanted, outcome) if wanted.state == component_plan.REMOVED else []
    if problems:
        raise _errors.InputError(problems)
    if change:
        outcome.warn(ownership.tool_warnings(component_plan.without_labels_of_sample(live.manifest), component_plan.KIND))
        live = _switch(cluster, wanted, live, change, check_mode, outcome)
    if change and check_mode:
        # Its status is still that of before.
        outcome.own["component"] = {**_described(live), "ready": None, "reason": "the component is not changed in check mode"}
    else:
        _wait_for(cluster, live, options["wait_timeout"] if options["wait"] and not check_mode else 0, outcome)


def _read(cluster: client.Cluster, outcome: record.Outcome) -> component_plan.Live:
    """The cluster's only DataScienceCluster. ClusterError when there is none or more than one, or it may not be read."""
    api = next((api for api in component_plan.APIS if cluster.serves(*api)), None)
    if api is None:
        message = f"the API {component_plan.PLURAL}.{component_plan.GROUP} is not available in this cluster"
        raise _errors.ClusterError(f"{message}. Install the operator of OpenShift AI or Open Data Hub; without it, there is no component to enable.")
    try:
        found = cluster.items(api, "")
    except _errors.ClusterError as error:
        if error.status == _errors.FORBIDDEN:
            error.add("Bind the account to a ClusterRole with this permission, such as that in rbac/component.yml.")
        raise
    if len(found) != 1:
        names = ", ".join(repr(item["metadata"]["name"]) for item in found)
        what, remedy = (f"several {component_plan.KIND}s, {names}", "Delete all but one") if found else (f"no {component_plan.KIND}", "Create one")
        raise _errors.ClusterError(f"the component cannot be changed: this cluster has {what}. {remedy}.")
    live = component_plan.Live(api, found[0])
    if live.state == component_plan.MANAGED and live.namespace is None:
        live = replace(live, unnamed_namespace=cluster.ai_hub_namespace(outcome.warn_of, "the registries namespace"))
    return live


def _right_problems(cluster: client.Cluster, live: component_plan.Live) -> list[_errors.Problem]:
    missing = cluster.missing_rights("", [client.Right("patch", component_plan.GROUP, component_plan.PLURAL, live.name)])
    remedy = "Bind the account to a ClusterRole with this permission, such as that in rbac/component.yml; nothing was written"
    return [_errors.Problem("state", f"the account in use lacks permission to: {right}", remedy) for right in missing]


def _left_behind_problems(cluster: client.Cluster, wanted: component_plan.Wanted, outcome: record.Outcome) -> list[_errors.Problem]:
    """The registries that nobody would look after any more, as a problem, or with `force` as a warning."""
    remedy = "Delete them first with model_registry (state=absent), or set force to true"
    try:
        api = next((api for api in kinds.REGISTRIES if cluster.serves(*api)), None)
        registries = cluster.metadata(api, "") if api else []
        problem = f"these model registries would remain without the component: {component_plan.left_behind(registries)}" if registries else ""
    except _errors.ClusterError as error:
        if error.status != _errors.FORBIDDEN and not wanted.force:
            raise
        problem = f"the registries that would remain without the component could not be determined: {error}"
        remedy = "Bind the account to the ClusterRole in rbac/component.yml, or set force to true"
    if not problem:
        return []
    if wanted.force:
        outcome.warn([f"force: {problem}"])
        return []
    return [_errors.Problem("force", problem.rstrip("."), remedy, False)]


def _switch(
    cluster: client.Cluster, wanted: component_plan.Wanted, live: component_plan.Live, change: changeset.Change, check_mode: bool, outcome: record.Outcome
) -> component_plan.Live:
    """Send a change, or in check mode let the server try it; what the DataScienceCluster is then."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = writes.send(cluster, change, check_mode)
        except _errors.ClusterError as error:
            if not error.unclear and error.status != _errors.CONFLICT:
                raise
            outcome.unanswered = [change] if error.unclear else []
            with outcome.in_doubt():
                live = _read(cluster, outcome)
            again, problems = component_plan.plan_switch(wanted, live)
            if problems:
                raise _errors.InputError(problems) from error
            outcome.settle([again] if again else [])
            if not again:
                return live
            if attempt == ATTEMPTS:
                raise
            change = again
        else:
            break
    outcome.record(change)
    return component_plan.Live(live.api, answer)


def _wait_for(cluster: client.Cluster, live: component_plan.Live, seconds: float, outcome: record.Outcome) -> None:
    """Wait until the component is what its DataScienceCluster asks for; with 0 seconds only report how it is."""
    deadline = time.monotonic() + seconds
    state, now = live.state, cluster.until(deadline)
    known: component_plan.Live | None = live

    def look(_is_last: bool) -> str:
        nonlocal known
        live, known = known or _read(now, outcome), None
        if live.state != state:
            raise NotSwitchedError(f"the model registry component was set to {state}, but another process has set it to {live.state} since.")
        around = _surroundings(now, live, outcome)
        missing = component_plan.why_not_managed(live, around) if state == component_plan.MANAGED else component_plan.why_not_removed(live, around)
        ready = state == component_plan.MANAGED and not missing
        outcome.own["component"] = {**_described(live), "ready": ready, "reason": missing or ("it is ready" if ready else "it is removed")}
        return missing

    if not seconds:
        look(True)
        return
    missing = wait.until(look, cluster, deadline, what="the model registry component: ", poll=lambda: POLL_SECONDS)
    if missing:
        raise NotSwitchedError(f"the model registry component is not {state} after {seconds} s: {missing}.")


def _surroundings(cluster: client.Cluster, live: component_plan.Live, outcome: record.Outcome) -> component_plan.Surroundings:
    if live.state == component_plan.REMOVED:
        return component_plan.Surroundings(True, None, _singleton(cluster, outcome))
    serves = any(cluster.serves(*api) for api in kinds.REGISTRIES)
    if live.told_namespace is None:
        return component_plan.Surroundings(serves, None, None)
    namespace = _seen(cluster, kinds.NAMESPACES, live.told_namespace, "whether the registries namespace exists", outcome)
    return component_plan.Surroundings(serves, None if namespace is None else manifests.at(namespace, ("status", "phase")) or "", None)


def _singleton(cluster: client.Cluster, outcome: record.Outcome) -> str | None:
    """What the platform's operator creates for a managed component, and deletes together with it. An upgrade to 3.6 can leave the kind of before behind."""
    api, name = (kinds.AI_HUBS, kinds.AI_HUB) if cluster.serves(*kinds.AI_HUBS) else (kinds.COMPONENTS, kinds.COMPONENT)
    found = _seen(cluster, api, name, "whether the component has been removed", outcome)
    return None if found is None else f"{api[1]}.{api[0].partition('/')[0]} {name!r}" if found else ""


def _seen(cluster: client.Cluster, api: tuple[str, str], name: str, what: str, outcome: record.Outcome) -> manifests.Manifest | None:
    """An object, empty when there is none; None where it cannot be seen, with a warning."""
    return visibility.seen(lambda: cluster.read(api, "", name) or {}, None, outcome.warn_of, what)


def _described(live: component_plan.Live) -> manifests.Manifest:
    return {"state": live.state, "registries_namespace": live.namespace}
