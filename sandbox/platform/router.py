"""The cluster's router as an HTTP proxy: a CONNECT leads to the Routes of the cluster, to its Services by their names inside the cluster, or else out.

A shell that uses the sandbox sends all of its HTTPS requests here. Those that are not for the cluster go where they would have gone without it.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import urllib.request
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from aiohttp import web

from sandbox.kube import Api
from sandbox.layout import APPS_DOMAIN, Layout
from sandbox.platform import ingress
from sandbox.platform.endpoints import Endpoints, Key

log = logging.getLogger(__name__)
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
PROXY_PORT = 8080
PUBLIC_PORT = 443
HEAD_SECONDS = 30
CONNECT_SECONDS = 20


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

    @property
    def is_inside(self) -> bool:
        """Whether only the sandbox can know it."""
        return self.is_public or ingress.service_named(self.host) is not None or self.host.endswith(f".{ingress.SERVICE_DOMAIN}")


async def serve(layout: Layout, api: Api, endpoints: Endpoints) -> list[Router | web.AppRunner]:
    """Start the proxy and the servers behind it."""
    certificates = ingress.ServiceCertificates(api)
    servers = await ingress.serve(layout, api, endpoints, certificates)
    router = Router(layout, endpoints, certificates)
    await router.start()
    return [router, *servers]


class Router:
    """The HTTP proxy: each CONNECT becomes a tunnel, and everything else is refused with the reason."""

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
            return await _refuse(writer, 403, "Forbidden", "this proxy only makes tunnels (CONNECT) to https addresses")
        target = Target.parse(rest.partition(" ")[0])
        if target is None:
            return await _refuse(writer, 400, "Bad Request", "CONNECT needs a host and a port")
        if not target.is_inside:
            return await self._pass_out(target, reader, writer)
        port = ingress.ROUTES_PORT
        if not target.is_public:
            service = ingress.service_named(target.host)
            if service is None:
                known = f"*.{APPS_DOMAIN}:{PUBLIC_PORT} and <service>.<namespace>.{ingress.SERVICE_DOMAIN}:<port>"
                return await _refuse(writer, 403, "Forbidden", f"{target.host}:{target.port} is no address of the sandbox's cluster, which has {known}")
            problem = await self._unreachable(target, service)
            if problem:
                return await _refuse(writer, 502, "Bad Gateway", problem)
            port = ingress.SERVICES_PORT
        inner = await asyncio.open_connection(self._layout.address("router"), port)
        writer.write(ESTABLISHED)
        await _join((reader, writer), inner)

    async def _pass_out(self, target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A tunnel out of the sandbox: by the proxy that the shell had that started it, if it had one, otherwise straight."""
        proxy = _proxy_for(target, self._layout.address("router"))
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                outer = await asyncio.open_connection(*((proxy.hostname, proxy.port or PROXY_PORT) if proxy else (target.host, target.port)))
        except (OSError, TimeoutError) as error:
            return await _refuse(writer, 502, "Bad Gateway", f"{target.host}:{target.port} cannot be reached: {error or 'no answer'}")
        if proxy:
            # What it answers, be it a refusal, goes straight back.
            outer[1].write(_connect(target, proxy.username, proxy.password))
        else:
            writer.write(ESTABLISHED)
        await _join((reader, writer), outer)

    async def _unreachable(self, target: Target, service: Key) -> str | None:
        if not self._endpoints.listens(service, target.port):
            return f"there is no Service {service[1]} with port {target.port} in namespace {service[0]}"
        pod = self._endpoints.ready_pod(service)
        if pod is None:
            return f"no pod of Service {service[1]} in namespace {service[0]} is ready"
        if not await self._certificates.prepare(target.host, service, pod):
            return f"pod {pod} in namespace {service[0]} does not serve https"
        return None


def _proxy_for(target: Target, own_address: str) -> SplitResult | None:
    """The proxy of this process's environment for a host. It is that of the shell that started the sandbox, which may have been one of the sandbox's."""
    url = urllib.request.getproxies().get("https")
    if not url or urllib.request.proxy_bypass(target.host):
        return None
    proxy = urlsplit(url if "//" in url else f"//{url}")
    return None if proxy.hostname == own_address else proxy


def _connect(target: Target, user: str | None, password: str | None) -> bytes:
    lines = [f"CONNECT {target.host}:{target.port} HTTP/1.1", f"Host: {target.host}:{target.port}"]
    if user:
        login = base64.b64encode(f"{unquote(user)}:{unquote(password or '')}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {login}")
    return "\r\n".join([*lines, "", ""]).encode()


async def _refuse(writer: asyncio.StreamWriter, status: int, reason: str, text: str) -> None:
    body = (text + "\n").encode()
    writer.write(f"HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
    await writer.drain()


async def _join(client: Connection, server: Connection) -> None:
    """Pass bytes on both ways until one side is done, then end the connection to the server."""
    tasks = [asyncio.create_task(_copy(*direction)) for direction in ((client[0], server[1]), (server[0], client[1]))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server[1].close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(2**16):
        writer.write(data)
        await writer.drain()
