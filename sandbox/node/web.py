"""The node's two HTTP servers: the kubelet's API for the API server, and the pods' own ports for the router."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ssl
import tempfile
from functools import partial
from pathlib import Path

from aiohttp import WSMsgType, web

from sandbox.layout import Layout
from sandbox.node.kubelet import KUBELET_PORT, Node
from sandbox.node.logs import Selection
from sandbox.node.pod import Pod
from sandbox.node.postgres import Postgres
from sandbox.node.programs import Program

PODS_PORT = 10251
REGISTRY_CONTAINER, CATALOG_CONTAINER = "rest-container", "catalog"
# How a port is forwarded over a WebSocket: each message begins with the number of its channel, and the first one of a channel names the port.
FORWARDING = "v4.channel.k8s.io"
DATA, ERROR = b"\0", b"\1"
FORWARDED_AT_ONCE = 1 << 16


def pods_url(layout: Layout) -> str:
    """Where the router reaches the registry server of a pod: this and `/<namespace>/<pod>/<path of the request>`."""
    return f"http://{layout.address('node')}:{PODS_PORT}/pods"


async def serve(layout: Layout, node: Node) -> list[web.AppRunner]:
    """Start both servers; the caller cleans up."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(layout.path("pki", "ca.crt")))
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_cert_chain(layout.path("pki", "server.crt"), layout.path("pki", "server.key"))
    runners = []
    for application, port, context in ((kubelet_api(node), KUBELET_PORT, tls), (pods_api(node), PODS_PORT, None)):
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, layout.address("node"), port, ssl_context=context).start()
        runners.append(runner)
    return runners


def kubelet_api(node: Node) -> web.Application:
    """What `kubectl logs`, and ports that the library for Python forwards, need of a kubelet."""

    async def logs(request: web.Request) -> web.StreamResponse:
        namespace, name, container_name = (request.match_info[part] for part in ("namespace", "pod", "container"))
        pod = node.find(namespace, name)
        container = pod.container(container_name) if pod else None
        if not container:
            return web.Response(status=404, text=f'pod "{name}" or its container "{container_name}" not found')
        try:
            selection = Selection.of(request.query, datetime.datetime.now(datetime.UTC))
        except ValueError as error:
            return web.Response(status=400, text=f"invalid log options: {error}")
        log = container.previous_log if selection.previous else container.log
        if selection.previous and container.log and "running" not in container.state and container.restarts == 0:
            log = container.log
        if log is None:
            reason = container.state.get("waiting", {}).get("reason", "ContainerCreating")
            missing = f'previous terminated container "{container_name}" in pod "{name}" not found'
            return web.Response(
                status=400, text=missing if selection.previous else f'container "{container_name}" in pod "{name}" is waiting to start: {reason}'
            )
        if not selection.follow:
            return web.Response(body=selection.of_entries(log.entries), content_type="text/plain")
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        async for chunk in log.follow(selection):
            await response.write(chunk)
        return response

    async def forward(request: web.Request) -> web.StreamResponse:
        namespace, name = (request.match_info[part] for part in ("namespace", "pod"))
        pod = node.find(namespace, name)
        if not pod:
            return web.Response(status=404, text=f'pod "{name}" not found')
        try:
            port = int(request.query["port"])
        except (KeyError, ValueError):
            return web.Response(status=400, text='query parameter "port" is required')
        socket = web.WebSocketResponse(protocols=(FORWARDING,), max_msg_size=0)
        await socket.prepare(request)
        for channel in (DATA, ERROR):
            await socket.send_bytes(channel + port.to_bytes(2, "little"))
        async with contextlib.AsyncExitStack() as stack:
            try:
                reader, writer = await _connected(stack, pod, port)
            except OSError:
                await socket.send_bytes(ERROR + f"error forwarding port {port} to pod {name}: connect: connection refused".encode())
                await socket.close()
                return socket
            await _relay(socket, reader, writer)
        return socket

    async def healthy(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    application = web.Application()
    application.router.add_get("/containerLogs/{namespace}/{pod}/{container}", logs)
    application.router.add_get("/portForward/{namespace}/{pod}", forward)
    application.router.add_get("/healthz", healthy)
    return application


async def _connected(stack: contextlib.AsyncExitStack, pod: Pod, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to a port of a pod: to its database, or to a server of its own for the registry server, which does not listen by itself."""
    for name, program in pod.programs.items():
        if isinstance(program, Postgres):
            return await asyncio.open_connection(program.address, port)
        container = pod.container(name)
        if name == REGISTRY_CONTAINER and container and port in [entry["containerPort"] for entry in container.spec.get("ports") or []]:
            application = web.Application()
            application.router.add_route("*", "/{path:.*}", partial(_answered, program))
            runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            file = Path(stack.enter_context(tempfile.TemporaryDirectory()), "http")
            await web.UnixSite(runner, str(file)).start()
            return await asyncio.open_unix_connection(str(file))
    raise ConnectionRefusedError("connection refused")


async def _answered(program: Program, request: web.Request) -> web.Response:
    answer = await program.answer(request.method, "/" + request.match_info["path"], request.query, await request.read())
    return web.Response(status=answer.status, body=answer.body.encode(), headers={"Content-Type": answer.content_type, **answer.headers})


async def _relay(socket: web.WebSocketResponse, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what comes from either side, until one of them ends."""

    async def answers() -> None:
        while part := await reader.read(FORWARDED_AT_ONCE):
            await socket.send_bytes(DATA + part)

    async def questions() -> None:
        async for message in socket:
            if message.type == WSMsgType.BINARY and message.data[:1] == DATA:
                writer.write(message.data[1:])
                await writer.drain()

    tasks = [asyncio.create_task(work()) for work in (answers, questions)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        writer.close()
        with contextlib.suppress(OSError):
            await socket.close()


def pods_api(node: Node) -> web.Application:
    """The HTTP ports of registry servers and of the catalog's, one folder a pod."""

    async def handle(request: web.Request) -> web.Response:
        pod = node.find(request.match_info["namespace"], request.match_info["pod"])
        program = (pod.programs.get(REGISTRY_CONTAINER) or pod.programs.get(CATALOG_CONTAINER)) if pod else None
        if not program:
            return web.Response(status=502, text="connection refused\n")
        return await _answered(program, request)

    application = web.Application()
    application.router.add_route("*", "/pods/{namespace}/{pod}/{path:.*}", handle)
    return application
