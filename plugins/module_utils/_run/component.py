# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product's model registry component: switched on or off in the DataScienceCluster, and waited for."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors, _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client, visibility, wait, writes
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import kinds, manifests, naming
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import registry_plan

KIND, GROUP, PLURAL = "DataScienceCluster", "datasciencecluster.opendatahub.io", "datascienceclusters"
# Newer versions know the component by another name; all that serve one of those serve v2 too.
VERSIONS = ("v2", "v1")
COMPONENT = ("components", "modelregistry")
MANAGED, REMOVED = "managed", "removed"
CONDITION = "ModelRegistryReady"
# What the platform's operator makes of a managed component, and takes away with it.
SINGLETON_API, SINGLETON = ("components.platform.opendatahub.io/v1alpha1", "modelregistries"), "default-modelregistry"
POLL_SECONDS = 1
# How often a switch is planned anew that got no answer, or that somebody else came in between of.
ATTEMPTS = 3
PLATFORM_REMEDY = "Check that the platform's operator runs"


class NotSwitchedError(_errors.ReportedError):
    """The component was switched and has not become what it was switched to in time."""


@dataclass(frozen=True)
class Wanted:
    """The component as the options describe it. Without a namespace the live one stays, or the product's own becomes it."""

    state: str
    namespace: str | None
    force: bool


@dataclass(frozen=True)
class Live:
    """A DataScienceCluster, and the API under which it is read and written."""

    api: tuple[str, str]
    manifest: manifests.Manifest = field(repr=False)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.manifest["metadata"]["name"])

    @property
    def state(self) -> str:
        """What the specification asks for. A component that it does not name is removed."""
        return MANAGED if manifests.at(self.manifest, ("spec", *COMPONENT, "managementState")) == "Managed" else REMOVED

    @property
    def namespace(self) -> str | None:
        """The namespace of the registries, as asked for, or else as it is."""
        return manifests.at(self.manifest, ("spec", *COMPONENT, "registriesNamespace")) or self.told_namespace

    @property
    def told_namespace(self) -> str | None:
        """The namespace that the status names; the product names it only while the component is managed."""
        return manifests.at(self.manifest, ("status", *COMPONENT, "registriesNamespace")) or None

    @property
    def condition(self) -> manifests.Manifest | None:
        """What the platform's operator says of the component."""
        conditions = manifests.at(self.manifest, ("status", "conditions")) or []
        return next((condition for condition in conditions if condition["type"] == CONDITION), None)


@dataclass(frozen=True)
class Surroundings:
    """What a component has made of the cluster. None for what this account may not see."""

    serves_registries: bool
    # The phase of the registries namespace; empty when there is no such namespace.
    namespace_phase: str | None
    has_singleton: bool | None


@dataclass
class ComponentOutcome(writes.Outcome):
    """What a run did with the component."""

    component: manifests.Manifest = field(default_factory=dict)

    def result(self, diff: bool) -> manifests.Manifest:
        """The result of the module."""
        shared = {key: value for key, value in super().result(diff).items() if key not in ("registry", "status")}
        return {**shared, "component": self.component}


def wanted_from_options(options: Mapping[str, Any], problems: list[_errors.Problem]) -> Wanted:
    """The wanted component of the module's options; what is wrong with them whatever is live is added to the problems."""
    namespace = options["registries_namespace"]
    if namespace is not None and options["state"] == REMOVED:
        problems.append(_errors.Problem("registries_namespace", "is given together with state=removed, which has none", "Leave it out", namespace))
    elif namespace == "":
        problems.append(_errors.Problem("registries_namespace", "is empty", "Leave it out for the namespace of the product", namespace))
    problems += naming.namespace_problems(namespace, "registries_namespace") + _options.time_problems("wait_timeout", options["wait_timeout"])
    return Wanted(options["state"], namespace, options["force"])


def input_problems(options: Mapping[str, Any]) -> list[_errors.Problem]:
    """What is wrong with the options of `model_registry_component` whatever is in the cluster."""
    problems: list[_errors.Problem] = []
    wanted_from_options(options, problems)
    return problems


def plan_switch(wanted: Wanted, live: Live) -> tuple[registry_plan.Change | None, list[_errors.Problem]]:
    """What makes the component as it is wanted, None when it is already; and why that cannot be."""
    before: manifests.Manifest = {"state": live.state, "registries_namespace": live.namespace}
    after = {"state": wanted.state, "registries_namespace": wanted.namespace or live.namespace}
    fields = tuple(option for option in after if after[option] != before[option])
    if not fields:
        return None, []
    if live.state == wanted.state == MANAGED:
        problem = f"cannot be changed while the component is managed: it is {live.namespace!r}"
        remedy = "Leave it out, or first remove the component (state=removed), with the registries that are in the old namespace"
        return None, [_errors.Problem("registries_namespace", problem, remedy, wanted.namespace)]
    asked = {"managementState": wanted.state.capitalize()}
    if "registries_namespace" in fields:
        asked["registriesNamespace"] = str(wanted.namespace)
    body = {"spec": {"components": {"modelregistry": asked}}}
    shown_before, shown_after = ({option: values[option] for option in fields} for values in (before, after))
    return registry_plan.Change("update", KIND, "", live.name, fields, "PATCH", live.api, body, shown_before, shown_after), []


def left_behind(registries: Iterable[manifests.Manifest]) -> str:
    """Registries as a sentence names them."""
    return ", ".join(f"{registry['metadata']['name']!r} in namespace {registry['metadata']['namespace']!r}" for registry in registries)


def why_not_managed(live: Live, around: Surroundings) -> str:
    """Why registries cannot be made yet with a component that is to be managed; empty when they can."""
    condition, namespace = live.condition, live.told_namespace
    if condition is None:
        return f"{KIND} {live.name!r} has no condition {CONDITION}. {PLATFORM_REMEDY}"
    if condition["status"] != "True":
        said = ": ".join(filter(None, (condition.get("reason"), condition.get("message")))) or "without a reason"
        remedy = PLATFORM_REMEDY if condition.get("reason") == "Removed" else "Look at the pods and the log of the model registry operator"
        return f"{KIND} {live.name!r} says {CONDITION}={condition['status']}, {said.rstrip('.')}. {remedy}"
    if namespace is None or namespace != live.namespace:
        said = "no registries namespace" if namespace is None else f"the registries namespace {namespace!r} instead of {live.namespace!r}"
        return f"the status of {KIND} {live.name!r} names {said}. {PLATFORM_REMEDY}"
    if not around.serves_registries:
        return f"the cluster does not serve {kinds.PLURAL}.{kinds.GROUP} yet"
    if around.namespace_phase == "":
        return f"the namespace {namespace!r} does not exist"
    if around.namespace_phase not in (None, "Active"):
        return f"the namespace {namespace!r} is {around.namespace_phase}: it is being deleted"
    return ""


def why_not_removed(live: Live, around: Surroundings) -> str:
    """Why a component that is to be removed is not gone yet; empty when it is."""
    if live.told_namespace is not None or (live.condition or {}).get("status") == "True":
        return f"the status of {KIND} {live.name!r} still tells of a managed component. {PLATFORM_REMEDY}"
    if around.has_singleton:
        return f"{SINGLETON_API[1]}.{SINGLETON_API[0].partition('/')[0]} {SINGLETON!r} is still there. {PLATFORM_REMEDY}"
    return ""


# Carrying it out


def converge_component(cluster: client.Cluster, options: Mapping[str, Any], check_mode: bool, outcome: ComponentOutcome) -> None:
    """Switch the component to what the options say and wait for it; `outcome` is filled on the way.

    InputError: before anything was written. ClusterError: a request was refused, or there is nothing to switch. NotSwitchedError: written, but not
    effective within wait_timeout.
    """
    outcome.introduce(cluster)
    problems: list[_errors.Problem] = []
    wanted = wanted_from_options(options, problems)
    live = _read(cluster)
    change, more = plan_switch(wanted, live)
    problems += more
    if change:
        problems += _right_problems(cluster, live)
        problems += _left_behind_problems(cluster, wanted, outcome) if wanted.state == REMOVED else []
    if problems:
        raise _errors.InputError(problems)
    if change:
        live = _switch(cluster, wanted, live, change, check_mode, outcome)
    if change and check_mode:
        # Its status is still that of before.
        outcome.component = {**_described(live), "ready": None, "reason": "it is switched only outside of check mode"}
    else:
        _wait_for(cluster, live, options["wait_timeout"] if options["wait"] and not check_mode else 0, outcome)


def _read(cluster: client.Cluster) -> Live:
    """The cluster's only DataScienceCluster. ClusterError when there is none or more than one, or it may not be read."""
    api = next(((f"{GROUP}/{version}", PLURAL) for version in VERSIONS if cluster.serves(f"{GROUP}/{version}", PLURAL)), None)
    if api is None:
        message = f"this cluster does not know {PLURAL}.{GROUP}"
        raise _errors.ClusterError(f"{message}. Install the operator of OpenShift AI or Open Data Hub first; plain Kubernetes has no component to switch.")
    try:
        found = cluster.items(api, "")
    except _errors.ClusterError as error:
        if error.status == _errors.FORBIDDEN:
            raise _errors.ClusterError(
                f"{error} Bind the account to a ClusterRole with this right, such as that in rbac/component.yml.", _errors.FORBIDDEN
            ) from error
        raise
    if len(found) != 1:
        names = ", ".join(repr(item["metadata"]["name"]) for item in found)
        what, remedy = (f"several {KIND}s, {names}", "Delete all but one") if found else (f"no {KIND}", "Create one")
        raise _errors.ClusterError(f"this cluster has {what}: the component is switched in the only one. {remedy}.")
    return Live(api, found[0])


def _right_problems(cluster: client.Cluster, live: Live) -> list[_errors.Problem]:
    missing = cluster.missing_rights("", [client.Right("patch", GROUP, PLURAL, live.name)])
    remedy = "Bind the account to a ClusterRole with this right, such as that in rbac/component.yml; nothing was written"
    return [_errors.Problem("state", f"the account in use may not: {right} {live.name!r}", remedy) for right in missing]


def _left_behind_problems(cluster: client.Cluster, wanted: Wanted, outcome: ComponentOutcome) -> list[_errors.Problem]:
    """The registries that nobody would look after any more, as a problem, or with `force` as a warning."""
    remedy = "Delete them first with model_registry (state=absent), or set force to true"
    try:
        registries = _registries(cluster)
        problem = f"a removal would leave behind the model registries {left_behind(registries)}" if registries else ""
    except _errors.ClusterError as error:
        if error.status != _errors.FORBIDDEN and not wanted.force:
            raise
        problem = f"which registries a removal would leave behind could not be seen: {error}"
        remedy = "Bind the account to the ClusterRole in rbac/component.yml, or set force to true"
    if not problem:
        return []
    if wanted.force:
        outcome.warn([f"force: {problem}"])
        return []
    return [_errors.Problem("force", problem.rstrip("."), remedy, False)]


def _registries(cluster: client.Cluster) -> list[manifests.Manifest]:
    """The metadata of all registries of the cluster."""
    apis = ((f"{kinds.GROUP}/{version}", kinds.PLURAL) for version in ("v1beta1", "v1alpha1"))
    api = next((api for api in apis if cluster.serves(*api)), None)
    return cluster.metadata(api, "") if api else []


def _switch(cluster: client.Cluster, wanted: Wanted, live: Live, change: registry_plan.Change, check_mode: bool, outcome: ComponentOutcome) -> Live:
    """Send a change, or in check mode let the server try it; what the DataScienceCluster is then."""
    attempt = 0
    while True:
        attempt += 1
        try:
            answer = writes.send(cluster, change, check_mode)
        except _errors.ClusterError as error:
            if not error.unclear and error.status != _errors.CONFLICT:
                raise
            with outcome.in_doubt([change] if error.unclear else []):
                live = _read(cluster)
            again, problems = plan_switch(wanted, live)
            if not again and not problems:
                if error.unclear:
                    outcome.record(change)
                return live
            if problems:
                raise _errors.InputError(problems) from error
            if attempt == ATTEMPTS:
                raise
            change = again or change
            continue
        outcome.record(change)
        return Live(live.api, answer)


def _wait_for(cluster: client.Cluster, live: Live, seconds: float, outcome: ComponentOutcome) -> None:
    """Wait until the component is what its DataScienceCluster asks for; with 0 seconds only report how it is."""
    deadline = time.monotonic() + seconds
    state, now = live.state, cluster.until(deadline)
    known: Live | None = live

    def look(_is_last: bool) -> str:
        nonlocal known
        live, known = known or _read(now), None
        if live.state != state:
            raise NotSwitchedError(f"the model registry component was switched to {state}, and meanwhile somebody switched it to {live.state}.")
        around = _surroundings(now, live, outcome)
        missing = why_not_managed(live, around) if state == MANAGED else why_not_removed(live, around)
        ready = state == MANAGED and not missing
        outcome.component = {**_described(live), "ready": ready, "reason": missing or ("it is ready" if ready else "it is removed")}
        return missing

    if not seconds:
        look(True)
        return
    missing = wait.until(look, cluster, deadline, what="the model registry component: ", poll=lambda: POLL_SECONDS)
    if missing:
        raise NotSwitchedError(f"the model registry component is not {state} after {seconds} s: {missing}.")


def _surroundings(cluster: client.Cluster, live: Live, outcome: ComponentOutcome) -> Surroundings:
    if live.state == REMOVED:
        found = _seen(cluster, SINGLETON_API, SINGLETON, "whether the component is gone", outcome)
        return Surroundings(True, None, None if found is None else bool(found))
    serves = any(cluster.serves(f"{kinds.GROUP}/{version}", kinds.PLURAL) for version in ("v1beta1", "v1alpha1"))
    if live.told_namespace is None:
        return Surroundings(serves, None, None)
    namespace = _seen(cluster, kinds.NAMESPACES, live.told_namespace, "whether the registries namespace exists", outcome)
    return Surroundings(serves, None if namespace is None else manifests.at(namespace, ("status", "phase")) or "", None)


def _seen(cluster: client.Cluster, api: tuple[str, str], name: str, what: str, outcome: ComponentOutcome) -> manifests.Manifest | None:
    """An object, empty when there is none; None where it cannot be seen, with a warning."""
    return visibility.seen(lambda: cluster.read(api, "", name) or {}, None, lambda why: outcome.warn([f"{what} could not be seen: {why}"]))


def _described(live: Live) -> manifests.Manifest:
    return {"state": live.state, "registries_namespace": live.namespace}
