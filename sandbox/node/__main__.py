"""Run the node of this sandbox."""

from __future__ import annotations

import asyncio
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import aiohttp

from sandbox import faults
from sandbox.generations import GENERATIONS, apis_of
from sandbox.kube import Api, path, run_forever
from sandbox.layout import Layout
from sandbox.node import postgres, real, web
from sandbox.node.hosts import Hosts
from sandbox.node.kubelet import Node
from sandbox.node.pod import Launch
from sandbox.node.programs import Catalog, Idle, Metadata, Program, Registry, RestGateway
from sandbox.node.volumes import Provisioner
from sandbox.server.log import Write
from sandbox.server.metadata import asks_metadata_server
from sandbox.server.registry import Start

# Enough for many registries that start together; each thread waits for a database most of the time.
THREADS = 12
# In pods of older products it opens the database for the registry server.
METADATA_CONTAINER = "grpc-container"
# The label of the catalog's own pod. Those of each registry of an older product have a server too, which is not there.
CATALOG_APP = "model-catalog"


class Programs:
    """Decides what runs in a container."""

    def __init__(self, api: Api, layout: Layout, threads: ThreadPoolExecutor, client: aiohttp.ClientSession):
        self._api, self._layout, self._threads, self._client = api, layout, threads, client
        self._binary = layout.registry_server
        self._hosts = Hosts(api, layout, self._tell_hosts)
        self._real: dict[str, tuple[str, real.RealServer]] = {}

    async def make(self, launch: Launch) -> Program:
        """The program of a container that starts."""
        log = launch.container.log
        assert log
        namespace = launch.pod.namespace
        found, apis = partial(self._hosts.find, namespace), apis_of(launch.container.spec.get("image", ""))
        start = Start(launch.arguments, launch.environment, launch.files, found, apis)
        if launch.container.name == METADATA_CONTAINER:
            return Metadata(start, log.write, self._threads, launch.pod.ip)
        if launch.container.name == web.REGISTRY_CONTAINER:
            if asks_metadata_server(launch.arguments):
                return RestGateway(launch.arguments, partial(_metadata_server, launch), log.write)
            if not self._binary:
                return Registry(start, log.write, self._threads)
            server = real.RealServer(self._layout, self._binary, launch, log.write, self._client, self._hosts.table(namespace))
            self._real[launch.pod.uid] = namespace, server
            return server
        if launch.container.name == web.CATALOG_CONTAINER and launch.pod.item["metadata"].get("labels", {}).get("app") == CATALOG_APP:
            return self._catalog(launch, log.write)
        databases = {postgres.CONTAINER} | ({postgres.CATALOG_CONTAINER} if self._layout.catalog_server else set())
        if launch.container.name in databases and "POSTGRESQL_DATABASE" in launch.environment:
            service = launch.pod.item["metadata"].get("labels", {}).get("app.kubernetes.io/name", "")
            serving = partial(self._hosts.serving, namespace, service, self._layout.pod_address(launch.pod.number))
            return postgres.Postgres(self._layout, launch, await self._claim(launch), log.write, self._threads, serving)
        return Idle()

    def _catalog(self, launch: Launch, write: Write) -> Program:
        namespace = launch.pod.namespace
        changes = self._api.watch(path("v1", "configmaps", namespace))
        if not self._layout.catalog_server:
            newest = list(GENERATIONS.values())[-1]
            return Catalog(launch.arguments, launch.look, changes, write, launch.container.spec.get("image") == newest.image)
        server = real.RealCatalog(self._layout, self._layout.catalog_server, launch, write, self._client, self._hosts.table(namespace), changes)
        self._real[launch.pod.uid] = namespace, server
        return server

    def forget(self, uid: str) -> None:
        """A pod is gone."""
        self._real.pop(uid, None)

    def _tell_hosts(self) -> None:
        for namespace, server in self._real.values():
            server.tell_hosts(self._hosts.table(namespace))

    async def _claim(self, launch: Launch) -> str | None:
        name = postgres.claim_of(launch)
        if not name:
            return None
        claim = await self._api.get(path("v1", "persistentvolumeclaims", launch.pod.namespace, name))
        return str(claim["metadata"]["uid"])


def _metadata_server(launch: Launch) -> Metadata | None:
    """The metadata server that runs in the same pod at this moment."""
    program = launch.pod.programs.get(METADATA_CONTAINER)
    return program if isinstance(program, Metadata) else None


async def main() -> None:
    layout = Layout.load()
    real.remove_files(layout)
    connections = aiohttp.TCPConnector(limit=0, force_close=True)
    with ThreadPoolExecutor(THREADS) as threads:
        async with Api(layout, "kubelet") as api, aiohttp.ClientSession(connector=connections, timeout=aiohttp.ClientTimeout()) as client:
            programs = Programs(api, layout, threads, client)
            node = Node(api, layout, programs.make, programs.forget, lambda: faults.read(layout).pod_delay_seconds)
            provisioner = Provisioner(api, layout)
            await node.register()
            await provisioner.register()
            runners = await web.serve(layout, node)
            layout.path("run", "node.ready").touch()
            try:
                await run_forever(node.run(), node.keep_alive(), provisioner.run_claims(), provisioner.run_volumes(), provisioner.run_queue())
            finally:
                for runner in runners:
                    await runner.cleanup()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    # Connections of pods must not follow the settings of whoever started the sandbox.
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    asyncio.run(main())
