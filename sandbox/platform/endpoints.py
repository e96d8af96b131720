"""Which Route leads to which Service, and which pods of that are ready."""

from __future__ import annotations

import asyncio

from sandbox.kube import Api, Object, path
from sandbox.layout import Layout
from sandbox.platform.routes import ROUTE_API, admitted, host_of

# Namespace and name.
Key = tuple[str, str]


class Endpoints:
    """The cluster's Routes, Services and EndpointSlices, kept up to date by watches."""

    def __init__(self, layout: Layout, api: Api):
        self._layout, self._api = layout, api
        self._routes: dict[Key, Object] = {}
        self._slices: dict[Key, Object] = {}
        self._services: dict[Key, Object] = {}

    async def follow(self) -> None:
        """Keep it up to date."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep(path("discovery.k8s.io/v1", "endpointslices"), self._slices))
            group.create_task(self._keep(path("v1", "services"), self._services))
            if self._layout.has_openshift:
                group.create_task(self._keep(path(ROUTE_API, "routes"), self._routes))

    async def _keep(self, collection: str, store: dict[Key, Object]) -> None:
        async for event, item in self._api.watch(collection):
            key = item["metadata"]["namespace"], item["metadata"]["name"]
            if event == "DELETED":
                store.pop(key, None)
            else:
                store[key] = item

    def service_of(self, host: str) -> Key | None:
        """The Service behind the admitted, encrypted Route with this host."""
        for (namespace, _name), route in self._routes.items():
            if host_of(route) == host and route["spec"].get("tls") and admitted(route):
                return namespace, route["spec"]["to"]["name"]
        return None

    def listens(self, service: Key, port: int) -> bool:
        """Whether there is such a Service with such a port."""
        found = self._services.get(service)
        return found is not None and any(one["port"] == port for one in found["spec"].get("ports") or [])

    def ready_pod(self, service: Key) -> str | None:
        """The name of a pod that the Service may send requests to."""
        for (namespace, _name), one in self._slices.items():
            if namespace == service[0] and (one["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == service[1]:
                for endpoint in one.get("endpoints") or []:
                    reference = endpoint.get("targetRef") or {}
                    if endpoint.get("conditions", {}).get("ready") and reference.get("kind") == "Pod":
                        return str(reference["name"])
        return None
