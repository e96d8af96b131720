# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product's model registry component as the DataScienceCluster asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import _errors, _options
from .._model import kinds, manifests, marks, naming
from . import changeset

KIND, GROUP, PLURAL = "DataScienceCluster", "datasciencecluster.opendatahub.io", "datascienceclusters"
# Newer versions know the component by another name; all that serve one of those serve v2 too.
APIS = tuple((f"{GROUP}/{version}", PLURAL) for version in ("v2", "v1"))
COMPONENT = ("components", "modelregistry")
MANAGED, REMOVED = "managed", "removed"
CONDITION = "ModelRegistryReady"
# From the sample in the repository of the platform's operator (config/samples of opendatahub-io/opendatahub-operator).
OF_SAMPLE = ((marks.MANAGED_BY, "kustomize"), (marks.INSTANCE, "default-dsc"))
PLATFORM_REMEDY = "Check that the operator of OpenShift AI or Open Data Hub is running"


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
    # Where the platform keeps the registries of a managed component whose namespace it does not name here.
    unnamed_namespace: str | None = None

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
        return manifests.at(self.manifest, ("status", *COMPONENT, "registriesNamespace")) or self.unnamed_namespace

    @property
    def condition(self) -> manifests.Manifest | None:
        """What the platform's operator says of the component."""
        return manifests.condition(self.manifest, CONDITION)


@dataclass(frozen=True)
class Surroundings:
    """What a component has made of the cluster. None for what this account may not see."""

    serves_registries: bool
    # The phase of the registries namespace; empty when there is no such namespace.
    namespace_phase: str | None
    # The platform's own resource for the component, while it is there; empty when it is not.
    singleton: str | None


def wanted_from_options(options: Mapping[str, Any], problems: list[_errors.Problem]) -> Wanted:
    """The wanted component of the module's options; what is wrong with them whatever is live is added to the problems."""
    namespace = options["registries_namespace"]
    if namespace is not None and options["state"] == REMOVED:
        problems.append(_errors.Problem("registries_namespace", "is not supported with state=removed", "Omit it", namespace))
    elif namespace == "":
        problems.append(_errors.Problem("registries_namespace", "is empty", "Omit it to use the default namespace of the product", namespace))
    problems += naming.namespace_problems(namespace, "registries_namespace") + _options.time_problems("wait_timeout", options["wait_timeout"])
    return Wanted(options["state"], namespace, options["force"])


def plan_switch(wanted: Wanted, live: Live) -> tuple[changeset.Change | None, list[_errors.Problem]]:
    """What makes the component as it is wanted, None when it is already; and why that cannot be."""
    before: manifests.Manifest = {"state": live.state, "registries_namespace": live.namespace}
    after = {"state": wanted.state, "registries_namespace": wanted.namespace or live.namespace}
    fields = tuple(option for option in after if after[option] != before[option])
    if not fields:
        return None, []
    if live.state == wanted.state == MANAGED:
        problem = f"cannot be changed while the component is managed (current: {live.namespace!r})"
        remedy = "Omit it, or first remove the component (state=removed) and the registries in the current namespace"
        return None, [_errors.Problem("registries_namespace", problem, remedy, wanted.namespace)]
    asked = {"managementState": wanted.state.capitalize()}
    if "registries_namespace" in fields:
        asked["registriesNamespace"] = str(wanted.namespace)
    body = {"spec": {"components": {"modelregistry": asked}}}
    shown_before, shown_after = ({option: values[option] for option in fields} for values in (before, after))
    return changeset.Change("update", KIND, "", live.name, fields, "PATCH", live.api, body, shown_before, shown_after), []


def without_labels_of_sample(manifest: manifests.Manifest) -> manifests.Manifest:
    """A DataScienceCluster without the labels that look like those of a tool, and that the sample has from which the console creates it."""
    labels = {name: value for name, value in (manifest["metadata"].get("labels") or {}).items() if (name, value) not in OF_SAMPLE}
    return {**manifest, "metadata": {**manifest["metadata"], "labels": labels}}


def left_behind(registries: Iterable[manifests.Manifest]) -> str:
    """Registries as a sentence names them."""
    return ", ".join(f"{registry['metadata']['name']!r} in namespace {registry['metadata']['namespace']!r}" for registry in registries)


def why_not_managed(live: Live, around: Surroundings) -> str:
    """Why registries cannot be made yet with a component that is to be managed; empty when they can."""
    condition, namespace = live.condition, live.told_namespace
    if condition is None:
        return f"{KIND} {live.name!r} has no condition {CONDITION}. {PLATFORM_REMEDY}"
    if condition["status"] != "True":
        said = ": ".join(filter(None, (condition.get("reason"), condition.get("message")))) or "no reason reported"
        remedy = PLATFORM_REMEDY if condition.get("reason") == "Removed" else "Check the pods and the log of the model registry operator"
        return f"{KIND} {live.name!r} reports {CONDITION}={condition['status']}: {said.rstrip('.')}. {remedy}"
    if namespace is None or namespace != live.namespace:
        said = "no registries namespace" if namespace is None else f"the registries namespace {namespace!r} instead of {live.namespace!r}"
        return f"the status of {KIND} {live.name!r} reports {said}. {PLATFORM_REMEDY}"
    if not around.serves_registries:
        return f"the API {kinds.PLURAL}.{kinds.GROUP} is not available yet"
    if around.namespace_phase == "":
        return f"the namespace {namespace!r} does not exist"
    if around.namespace_phase not in (None, "Active"):
        return f"the namespace {namespace!r} is being deleted (phase {around.namespace_phase})"
    return ""


def why_not_removed(live: Live, around: Surroundings) -> str:
    """Why a component that is to be removed is not gone yet; empty when it is."""
    if live.told_namespace is not None or (live.condition or {}).get("status") == "True":
        return f"the status of {KIND} {live.name!r} still reports a managed component. {PLATFORM_REMEDY}"
    if around.singleton:
        return f"{around.singleton} still exists. {PLATFORM_REMEDY}"
    return ""
