"""The HTTPS servers behind the router's tunnels: one with the ingress certificate for Routes, one with each Service's own certificate."""

from __future__ import annotations

import base64
import logging
import ssl
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from aiohttp import web
from yarl import URL

from sandbox.kube import Api, Object, path
from sandbox.layout import Layout
from sandbox.platform import access
from sandbox.platform.endpoints import Endpoints, Key
from sandbox.platform.forwarding import pass_back, passed

log = logging.getLogger(__name__)
ROUTES_PORT = 8443
SERVICES_PORT = 8444
NODE_PORT = 10251
NODE = web.AppKey("NODE", aiohttp.ClientSession)
SERVICE_DOMAIN = "svc.cluster.local"
LARGEST_BODY = 64 * 2**20
# The volume of the pod of a registry, or of the catalog, that holds the certificate of the proxy in it.
CERTIFICATE_VOLUMES = ("kube-rbac-proxy-cert", "oauth-proxy-cert", "kube-rbac-proxy-tls")
UNAVAILABLE = """<html>
<head><title>Application is not available</title></head>
<body>
<h1>Application is not available</h1>
<p>No pod of the cluster serves this host at the moment: its Route is missing or not admitted, or none of its pods is ready.</p>
</body>
</html>
"""


def service_named(host: str) -> Key | None:
    """Namespace and name of the Service that has this name inside the cluster."""
    service, _dot, rest = host.partition(".")
    namespace, _dot, domain = rest.partition(".")
    return (namespace, service) if domain == SERVICE_DOMAIN else None


async def serve(layout: Layout, api: Api, endpoints: Endpoints, certificates: ServiceCertificates) -> list[web.AppRunner]:
    """Start both servers."""
    registries = _Registries(layout, api, endpoints)
    ingress = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ingress.load_cert_chain(layout.path("pki", "ingress.crt"), layout.path("pki", "ingress.key"))
    runners = []
    for port, tls, handler in ((ROUTES_PORT, ingress, registries.by_route), (SERVICES_PORT, certificates.context, registries.by_service)):
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", handler)
        app.cleanup_ctx.append(registries.connected)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, auto_decompress=False)
        await runner.setup()
        await web.TCPSite(runner, layout.address("router"), port, ssl_context=tls).start()
        runners.append(runner)
    return runners


class _Registries:
    """Answers requests for a host from the pod behind it, with the check that stands in front of every registry."""

    def __init__(self, layout: Layout, api: Api, endpoints: Endpoints):
        self._layout, self._api, self._endpoints = layout, api, endpoints

    async def connected(self, app: web.Application) -> AsyncIterator[None]:
        """Have a client for the node while `app` serves."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_connect=10), auto_decompress=False) as app[NODE]:
            yield

    async def by_route(self, request: web.Request) -> web.StreamResponse:
        """A request for a public name."""
        service = self._endpoints.service_of(_host(request))
        pod = self._endpoints.ready_pod(service) if service else None
        if service is None or pod is None:
            return web.Response(status=503, text=UNAVAILABLE, content_type="text/html", headers={"Cache-Control": "private, max-age=0, no-cache, no-store"})
        return await self._answer(request, service, pod)

    async def by_service(self, request: web.Request) -> web.StreamResponse:
        """A request for a Service's name inside the cluster."""
        service = service_named(_host(request))
        pod = self._endpoints.ready_pod(service) if service else None
        if service is None or pod is None:
            return web.Response(status=502, text="no pod of this Service is ready\n")
        return await self._answer(request, service, pod)

    async def _answer(self, request: web.Request, service: Key, pod: str) -> web.StreamResponse:
        namespace, name = service
        if refusal := await access.check(self._layout, self._api, request.headers.get("Authorization", ""), namespace, name):
            return web.Response(status=refusal.status, text=refusal.text, headers={"X-Content-Type-Options": "nosniff"})
        url = URL(f"http://{self._layout.address('node')}:{NODE_PORT}/pods/{namespace}/{pod}{request.raw_path}", encoded=True)
        body = await request.read()
        try:
            async with request.app[NODE].request(request.method, url, headers=passed(request.headers), data=body or None, allow_redirects=False) as upstream:
                return await pass_back(request, upstream)
        except aiohttp.ClientError as error:
            log.info("%s: %s", url, error)
            return web.Response(status=502)


def _host(request: web.Request) -> str:
    return request.host.partition(":")[0].lower()


class ServiceCertificates:
    """A TLS server's context that shows each Service's own certificate, as the proxy in the Service's pod would."""

    def __init__(self, api: Api):
        self._api = api
        self._known: dict[str, tuple[str, ssl.SSLContext]] = {}
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> int | None:
        known = self._known.get((name or "").lower())
        if known is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = known[1]
        return None

    async def prepare(self, host: str, service: Key, pod: str) -> bool:
        """Have the certificate for this host at hand; False when the pod has none."""
        found = await self._api.find(path("v1", "pods", service[0], pod))
        volumes = (found or {}).get("spec", {}).get("volumes") or []
        name = next((volume["secret"]["secretName"] for volume in volumes if volume["name"] in CERTIFICATE_VOLUMES), None)
        secret = await self._api.find(path("v1", "secrets", service[0], name)) if name else None
        if secret is None:
            return False
        version = secret["metadata"]["uid"] + secret["metadata"]["resourceVersion"]
        if host not in self._known or self._known[host][0] != version:
            self._known[host] = version, _context(secret)
        return True


def _context(secret: Object) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.TemporaryDirectory() as folder:
        # The ssl module reads certificates from files only.
        for name in ("tls.crt", "tls.key"):
            Path(folder, name).write_bytes(base64.b64decode(secret["data"][name]))
        context.load_cert_chain(Path(folder, "tls.crt"), Path(folder, "tls.key"))
    return context
