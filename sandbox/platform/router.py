"""The cluster's router as an HTTP proxy: a CONNECT leads to the Routes of the cluster, or to its Services by their names inside the cluster."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from aiohttp import web

from sandbox.kube import Api
from sandbox.layout import APPS_DOMAIN, Layout
from sandbox.platform import ingress
from sandbox.platform.endpoints import Endpoints, Key

log = logging.getLogger(__name__)
PROXY_PORT = 8080
PUBLIC_PORT = 443
HEAD_SECONDS = 30


@dataclass(frozen=True)
class Target:
    """Where a CONNECT wants to go."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Target | None:
        host, colon, port = text.rpartition(":")
        return cls(host.lower(), int(port)) if colon and port.isdigit() else None

    @property
    def is_public(self) -> bool:
        """Whether it is one of the names that the cluster's ingress answers for."""
        return self.host.endswith("." + APPS_DOMAIN) and self.port == PUBLIC_PORT


async def serve(layout: Layout, api: Api, endpoints: Endpoints) -> list[Router | web.AppRunner]:
    """Start the proxy and the servers behind it."""
    certificates = ingress.ServiceCertificates(api)
    servers = await ingress.serve(layout, api, endpoints, certificates)
    router = Router(layout, endpoints, certificates)
    await router.start()
    return [router, *servers]


class Router:
    """The HTTP proxy: each CONNECT becomes a tunnel to one of the HTTPS servers behind it, and everything else is refused with the reason."""

    def __init__(self, layout: Layout, endpoints: Endpoints, certificates: ingress.ServiceCertificates):
        self._layout, self._endpoints, self._certificates = layout, endpoints, certificates
        self._tunnels: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, self._layout.address("router"), PROXY_PORT)

    async def cleanup(self) -> None:
        self._server.close()
        for tunnel in self._tunnels:
            tunnel.cancel()
        await asyncio.gather(*self._tunnels, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tunnels.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError) as error:
            log.debug("tunnel: %s", error)
        finally:
            self._tunnels.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        method, _space, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        if method != "CONNECT":
            return await _refuse(writer, 403, "Forbidden", "this proxy only makes tunnels (CONNECT) to https addresses of the sandbox's cluster")
        target = Target.parse(rest.partition(" ")[0])
        if target is None:
            return await _refuse(writer, 400, "Bad Request", "CONNECT needs a host and a port")
        port = ingress.ROUTES_PORT
        if not target.is_public:
            service = ingress.service_named(target.host)
            if service is None:
                known = f"*.{APPS_DOMAIN}:{PUBLIC_PORT} and <service>.<namespace>.{ingress.SERVICE_DOMAIN}:<port>"
                return await _refuse(writer, 403, "Forbidden", f"{target.host}:{target.port} is outside the sandbox's cluster, which is {known}")
            problem = await self._unreachable(target, service)
            if problem:
                return await _refuse(writer, 502, "Bad Gateway", problem)
            port = ingress.SERVICES_PORT
        inner_reader, inner_writer = await asyncio.open_connection(self._layout.address("router"), port)
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _tunnel((reader, inner_writer), (inner_reader, writer))
        finally:
            inner_writer.close()

    async def _unreachable(self, target: Target, service: Key) -> str | None:
        if not self._endpoints.listens(service, target.port):
            return f"there is no Service {service[1]} with port {target.port} in namespace {service[0]}"
        pod = self._endpoints.ready_pod(service)
        if pod is None:
            return f"no pod of Service {service[1]} in namespace {service[0]} is ready"
        if not await self._certificates.prepare(target.host, service, pod):
            return f"pod {pod} in namespace {service[0]} does not serve https"
        return None


async def _refuse(writer: asyncio.StreamWriter, status: int, reason: str, text: str) -> None:
    body = (text + "\n").encode()
    writer.write(f"HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
    await writer.drain()


async def _tunnel(*directions: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """Pass bytes on both ways until one side is done."""
    tasks = [asyncio.create_task(_copy(*direction)) for direction in directions]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(2**16):
        writer.write(data)
        await writer.drain()
