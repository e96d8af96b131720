"""The process of the platform around the registry operator."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from sandbox.kube import Api, run_forever
from sandbox.layout import Layout
from sandbox.platform import api_faults, component, router, routes, serving_certificates, tokens, trusted_bundle
from sandbox.platform.endpoints import Endpoints


async def main() -> None:
    layout = Layout.load()
    async with Api(layout, "sandbox-platform") as api:
        servers: list[router.Router | web.AppRunner] = [await tokens.serve(layout, api), await api_faults.serve(layout)]
        parts = []
        if layout.has_openshift:
            parts = [part.run(layout, api) for part in (component, trusted_bundle, routes, serving_certificates)]
        endpoints = Endpoints(layout, api)
        servers += await router.serve(layout, api, endpoints)
        layout.path("run", "platform.ready").touch()
        try:
            await run_forever(*parts, endpoints.follow())
        finally:
            layout.path("run", "platform.ready").unlink(missing_ok=True)
            for server in servers:
                await server.cleanup()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(main())
