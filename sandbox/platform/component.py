"""The platform operator's model registry component: from the DataScienceCluster to the namespace of the registries and a registry operator that runs."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox import processes
from sandbox.generations import AI_HUB, COMPONENT, GENERATIONS, Generation
from sandbox.kube import Api, Object, Queue, path
from sandbox.layout import MARKER, OPERATOR_NAMESPACE, REGISTRIES_NAMESPACE, ROOT, Layout
from sandbox.platform.seed import CLUSTER_API

log = logging.getLogger(__name__)
CATALOG_API = "aihub.opendatahub.io/v1alpha1"
OPERATOR = "operator"
READY = "Ready"
MODEL_REGISTRY_READY = "ModelRegistryReady"
# The registry operator is a process of this machine: nothing announces its end, so it is looked for this often.
OPERATOR_CHECK_SECONDS = 1
# How often a removal looks whether the catalog is gone.
CATALOG_CHECK_SECONDS = 0.2


@dataclass(frozen=True)
class Component:
    """What a DataScienceCluster asks for. `told` is the namespace that its status tells."""

    managed: bool
    namespace: str
    told: str | None

    @classmethod
    def of(cls, cluster: Object, generation: Generation) -> Component:
        asked = cluster.get("spec", {}).get("components", {}).get("modelregistry") or {}
        managed, namespace = asked.get("managementState") == "Managed", asked.get("registriesNamespace") or generation.default_namespace
        # Where the default is the namespace of the applications, the status does not tell it.
        return cls(managed, namespace or OPERATOR_NAMESPACE, (namespace or None) if managed else None)


def registries_namespace(layout: Layout) -> str:
    """The namespace that the registry operator is to be started with (its REGISTRIES_NAMESPACE)."""
    try:
        return layout.path("run", "registries-namespace").read_text().strip()
    except FileNotFoundError:
        return REGISTRIES_NAMESPACE


def readiness(component: Component, operator_runs: bool) -> Object:
    """The condition that tells whether the component can be used."""
    if not component.managed:
        return {"status": "False", "reason": "Removed", "message": "Component ManagementState is set to Removed", "severity": "Info"}
    if not operator_runs:
        return {"status": "False", "reason": "DeploymentsNotReady", "message": "0/1 deployments ready"}
    return {"status": "True", "reason": READY, "message": ""}


def conditions(old: list[Object], wanted: dict[str, Object], now: str) -> list[Object]:
    """The wanted conditions; one that keeps its status keeps the time of its last change too. Conditions of other types stay."""
    before = {condition["type"]: condition for condition in old}
    made = []
    for kind, condition in wanted.items():
        known = before.pop(kind, {})
        since = known.get("lastTransitionTime", now) if known.get("status") == condition["status"] else now
        made.append({"type": kind, **condition, "lastTransitionTime": since})
    return [*before.values(), *made]


def cluster_status(cluster: Object, generation: Generation, operator_runs: bool, now: str) -> Object:
    """The status of a DataScienceCluster. The namespace is told only while the component is managed."""
    component = Component.of(cluster, generation)
    ready = readiness(component, operator_runs)
    # A component that nobody asked for does not keep the cluster from being ready.
    whole: Object = {"status": "True", "reason": READY, "message": ""} if ready.get("severity") == "Info" else ready
    old = cluster.get("status", {}).get("conditions") or []
    return {
        "components": {
            "modelregistry": {
                "managementState": "Managed" if component.managed else "Removed",
                "registriesNamespace": component.told,
            }
        },
        "conditions": conditions(old, {READY: whole, MODEL_REGISTRY_READY: ready}, now),
    }


async def run(layout: Layout, api: Api) -> None:
    """Follow the DataScienceClusters, and the registry operator's process."""
    controller = _Controller(layout, api)
    queue = Queue(controller.reconcile, workers=1)

    async def follow_clusters() -> None:
        async for event, cluster in api.watch(path(CLUSTER_API, "datascienceclusters")):
            name = cluster["metadata"]["name"]
            if event == "DELETED":
                controller.clusters.pop(name, None)
                controller.reported.pop(name, None)
            else:
                controller.clusters[name] = cluster
            queue.add(name)

    async def follow_operator() -> None:
        while True:
            runs = processes.running(layout, OPERATOR) is not None
            # Compared with what was reported, not with the last look: between two looks the operator can have started and ended.
            for name, reported in controller.reported.items():
                if runs != reported:
                    queue.add(name)
            await asyncio.sleep(OPERATOR_CHECK_SECONDS)

    async with asyncio.TaskGroup() as group:
        group.create_task(queue.run())
        group.create_task(follow_clusters())
        group.create_task(follow_operator())


class _Controller:
    def __init__(self, layout: Layout, api: Api):
        self._layout, self._api, self._generation = layout, api, GENERATIONS[layout.product]
        self.clusters: dict[str, Object] = {}
        # For each cluster: whether the operator ran, as its status tells.
        self.reported: dict[str, bool] = {}

    async def reconcile(self, name: str) -> None:
        cluster = self.clusters.get(name)
        component = Component.of(cluster, self._generation) if cluster else Component(False, "", None)
        kind = self._generation.singleton
        singleton = path(kind.api_version, kind.plural, name=kind.name)
        try:
            if cluster and component.managed:
                await self._manage(cluster, component, singleton)
                if kind is AI_HUB:
                    # What it takes the place of; the definition of that outlives an upgrade.
                    await self._api.delete(path(COMPONENT.api_version, COMPONENT.plural, name=COMPONENT.name))
            else:
                await self._remove_catalog()
                await _operator(self._layout, "stop")
                await self._api.delete(singleton)
        finally:
            if cluster:
                await self._report(cluster)

    async def _manage(self, cluster: Object, component: Component, singleton: str) -> None:
        if not await self._api.find(path("v1", "namespaces", name=component.namespace)):
            await self._api.create(path("v1", "namespaces"), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": component.namespace}})
        live, kind = await self._api.find(singleton), self._generation.singleton
        # The singleton remembers what was done: an operator that somebody stopped afterwards stays stopped, as one that crashes in a real cluster stays down.
        if not live or live.get("spec", {}).get(kind.namespace_field) != component.namespace:
            if component.namespace != registries_namespace(self._layout):
                await _operator(self._layout, "stop")
                self._layout.path("run", "registries-namespace").write_text(component.namespace + "\n")
            await _operator(self._layout, "start")
            owner = {key: cluster["metadata"][key] for key in ("name", "uid")} | {"controller": True, "blockOwnerDeletion": True}
            spec = {kind.namespace_field: component.namespace} | ({"applicationNamespace": OPERATOR_NAMESPACE} if kind is AI_HUB else {})
            live = await self._api.apply(
                singleton,
                {
                    "apiVersion": kind.api_version,
                    "kind": kind.kind,
                    "metadata": {
                        "name": kind.name,
                        "annotations": {"component.opendatahub.io/management-state": "Managed"},
                        "ownerReferences": [{"apiVersion": CLUSTER_API, "kind": "DataScienceCluster", **owner}],
                    },
                    "spec": spec,
                },
            )
        ready = readiness(component, processes.running(self._layout, OPERATOR) is not None)
        status: Object = {"conditions": conditions(live.get("status", {}).get("conditions") or [], dict.fromkeys(kind.conditions, ready), _now())}
        if kind is not AI_HUB:
            status[kind.namespace_field] = component.namespace
        await self._api.merge(singleton + "/status", {"status": status})
        if kind.brings_catalog:
            owner = {"apiVersion": kind.api_version, "kind": kind.kind, **{key: live["metadata"][key] for key in ("name", "uid")}}
            metadata = {"name": "catalog", "ownerReferences": [owner | {"controller": True, "blockOwnerDeletion": True}]}
            await self._api.apply(
                path(CATALOG_API, "catalogs", component.namespace, "catalog"), {"apiVersion": CATALOG_API, "kind": "Catalog", "metadata": metadata}
            )

    async def _remove_catalog(self) -> None:
        """The catalog goes before the operator, which has to finish its removal."""
        if not self._generation.singleton.brings_catalog:
            return
        catalog = path(CATALOG_API, "catalogs", registries_namespace(self._layout), "catalog")
        while await self._api.find(catalog):
            await _operator(self._layout, "start")
            await self._api.delete(catalog)
            await asyncio.sleep(CATALOG_CHECK_SECONDS)

    async def _report(self, cluster: Object) -> None:
        name, runs = cluster["metadata"]["name"], processes.running(self._layout, OPERATOR) is not None
        await self._api.merge(
            path(CLUSTER_API, "datascienceclusters", name=name, subresource="status"), {"status": cluster_status(cluster, self._generation, runs, _now())}
        )
        if name in self.clusters:
            self.reported[name] = runs


async def _operator(layout: Layout, verb: str) -> None:
    if (processes.running(layout, OPERATOR) is not None) == (verb == "start"):
        return
    log.info("%s the registry operator", verb)
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "sandbox", verb, OPERATOR, cwd=ROOT, env={**os.environ, MARKER: layout.state})
    if code := await process.wait():
        raise OSError(f"`python -m sandbox {verb} {OPERATOR}` failed with status {code}")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
