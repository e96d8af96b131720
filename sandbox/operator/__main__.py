"""The process of the model registry operator."""

from __future__ import annotations

import asyncio
import logging
import os

import aiohttp

from sandbox.generations import GENERATIONS
from sandbox.kube import Api, ApiError, run_forever
from sandbox.layout import APPS_DOMAIN, Layout
from sandbox.operator.reconciler import Capabilities, Reconciler, Settings
from sandbox.operator.webhooks import Admission, serve
from sandbox.platform.component import registries_namespace


async def main() -> None:
    layout = Layout.load()
    generation = GENERATIONS[layout.product]
    namespace = os.environ.get("REGISTRIES_NAMESPACE", registries_namespace(layout))
    domain = os.environ.get("DEFAULT_DOMAIN", APPS_DOMAIN)
    async with Api(layout, "model-registry-operator") as api:
        capabilities = await _discovered(api)
        logging.info("operator %s: OpenShift %s, groups %s", generation.operator, capabilities.has_routes, capabilities.has_groups)
        reconciler = Reconciler(api, Settings(generation, capabilities, domain, namespace))
        server = await serve(layout, Admission(generation, capabilities.has_routes, namespace, domain, reconciler.registries))
        try:
            await run_forever(_reconcile(layout, reconciler))
        finally:
            await server.cleanup()


async def _reconcile(layout: Layout, reconciler: Reconciler) -> None:
    await reconciler.prime()
    layout.path("run", "operator.ready").touch()
    await reconciler.run()


async def _discovered(api: Api) -> Capabilities:
    """What the cluster can do, found once at the start; asked again until the API server answers."""
    while True:
        try:
            groups = {group["name"] for group in (await api.get("/apis"))["groups"]}
        except (ApiError, aiohttp.ClientError, TimeoutError) as error:
            logging.info("the API server does not answer yet: %s", error)
            await asyncio.sleep(0.5)
        else:
            return Capabilities("route.openshift.io" in groups, "user.openshift.io" in groups)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(main())
