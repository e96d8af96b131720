"""The fault proxy: an HTTPS reverse proxy before the API server that writes down every request and answers some of them badly, as told by rules."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from sandbox import faults
from sandbox.faults import Request, Rule
from sandbox.layout import Layout
from sandbox.platform.forwarding import pass_back, pass_messages, passed

log = logging.getLogger(__name__)
PORT = 6443
LARGEST_BODY = 16 * 2**20
REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
MESSAGES = {
    409: "Operation cannot be fulfilled on the object: the object has been modified; please apply your changes to the latest version and try again",
    429: "the server has received too many requests and has asked us to try again later",
    500: "Internal error occurred: a fault that was asked for",
    503: "the server is currently unable to handle the request",
}
USUAL_RETRY_AFTER = 1


def kubernetes_verb(method: str, path: str, query: dict[str, str]) -> str:
    """The verb that the API server's authorization sees: `list` for the GET of a collection, and so on."""
    resource = _resource(path)
    if not resource:
        return method.lower()
    named = len(resource) > 1
    if method in ("GET", "HEAD"):
        if query.get("watch") in ("true", "1"):
            return "watch"
        return "get" if named else "list"
    if method == "DELETE":
        return "delete" if named else "deletecollection"
    return {"POST": "create", "PUT": "update", "PATCH": "patch"}.get(method, method.lower())


def _resource(path: str) -> list[str]:
    """The part of a path from the resource's plural on; nothing for paths that are not about objects."""
    parts = [part for part in path.split("/") if part]
    start = {"api": 2, "apis": 3}.get(parts[0], len(parts)) if parts else 0
    match parts[start:]:
        case ["namespaces", _, plural, *rest] if plural not in ("status", "finalize"):
            return [plural, *rest]
        case resource:
            return resource


def deletion_query(query: dict[str, str], body: bytes) -> dict[str, str]:
    """The query of a deletion as it takes effect: the API server looks only at the body, when there is one, whether it is a dry run."""
    try:
        options = json.loads(body)
    except ValueError:
        return query
    effective = {name: value for name, value in query.items() if name != "dryRun"}
    return effective | ({"dryRun": "All"} if options.get("dryRun") else {})


def status_body(status: int, seconds: float) -> dict[str, Any]:
    """A Kubernetes Status with this code."""
    body: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": MESSAGES.get(status, f"a fault that was asked for: {status}"),
        "reason": REASONS.get(status, ""),
        "code": status,
    }
    if seconds:
        body["details"] = {"retryAfterSeconds": math.ceil(seconds)}
    return body


class Rules:
    """The rules in force, and how many requests each has seen. Read again when they change."""

    def __init__(self, layout: Layout):
        self._layout = layout
        self._version: object = None
        self._rules: list[Rule] = []
        self._seen: list[int] = []

    def choose(self, verb: str, path_and_query: str, user_agent: str) -> Rule | None:
        """The first rule that hits this request. Every rule up to it counts the request if it matches."""
        self._refresh()
        for number, rule in enumerate(self._rules):
            if rule.matches(verb, path_and_query, user_agent):
                self._seen[number] += 1
                turn = self._seen[number] - rule.skip
                if turn > 0 and (rule.count is None or turn <= rule.count):
                    return rule
        return None

    def _refresh(self) -> None:
        version = faults.version(faults.rules_file(self._layout))
        if version != self._version:
            self._version = version
            self._rules = faults.load_rules(self._layout)
            self._seen = [0] * len(self._rules)


async def serve(layout: Layout) -> web.AppRunner:
    """Start the fault proxy."""
    proxy = _Proxy(layout)
    app = web.Application(client_max_size=LARGEST_BODY)
    app.router.add_route("*", "/{path:.*}", proxy.handle)
    app.cleanup_ctx.append(proxy.connected)
    # With cancellation a watch that its client leaves is left here too.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, auto_decompress=False)
    await runner.setup()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(layout.path("pki", "server.crt"), layout.path("pki", "server.key"))
    await web.TCPSite(runner, layout.address("faults"), PORT, ssl_context=tls).start()
    return runner


class _Proxy:
    def __init__(self, layout: Layout):
        self._layout = layout
        self._rules = Rules(layout)

    async def connected(self, _application: web.Application) -> Any:
        tls = ssl.create_default_context(cafile=str(self._layout.path("pki", "ca.crt")))
        connector = aiohttp.TCPConnector(ssl=tls, limit=0)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        with open(faults.requests_file(self._layout), "a", buffering=1) as self._record:
            async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as self._session:
                yield

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        query = dict(request.query) if request.method != "DELETE" else deletion_query(dict(request.query), body)
        verb = kubernetes_verb(request.method, request.path, query)
        user_agent = request.headers.get("User-Agent", "")
        rule = self._rules.choose(verb, str(request.rel_url.with_query(query)), user_agent)

        def record(status: int | None) -> None:
            seen = Request(
                time=time.time(),
                verb=verb,
                method=request.method,
                path=request.path,
                query=query,
                content_type=request.headers.get("Content-Type", ""),
                user_agent=user_agent,
                status=status,
                fault=rule.fault if rule else None,
            )
            self._record.write(json.dumps(asdict(seen)) + "\n")

        if rule and rule.fault not in ("delay", "drip"):
            if rule.forwarded:
                async with self._ask(request, body) as lost:
                    await lost.read()
            if rule.fault == "status":
                record(rule.status)
                return _refusal(rule)
            record(None)
            if rule.fault == "stall":
                await asyncio.sleep(rule.seconds or math.inf)
            return _reset(request)
        if rule and rule.fault == "delay":
            await asyncio.sleep(rule.seconds)
        try:
            if protocol := request.headers.get("Sec-WebSocket-Protocol"):
                with contextlib.suppress(aiohttp.WSServerHandshakeError):
                    return await self._messages(request, protocol, record)
            # An API server that refuses a WebSocket says why to a request for none.
            async with self._ask(request, body) as upstream:
                record(upstream.status)
                return await pass_back(request, upstream, rule.seconds if rule and rule.fault == "drip" else 0)
        except aiohttp.ClientError as error:
            log.info("%s %s: %s", request.method, request.path, error)
            return _reset(request)

    async def _messages(self, request: web.Request, protocol: str, record: Callable[[int | None], None]) -> web.StreamResponse:
        headers = {"Authorization": request.headers.get("Authorization", "")}
        async with self._session.ws_connect(self._upstream(request), protocols=(protocol,), headers=headers, max_msg_size=0) as far:
            record(HTTPStatus.SWITCHING_PROTOCOLS)
            near = web.WebSocketResponse(protocols=(protocol,), max_msg_size=0)
            await near.prepare(request)
            await pass_messages(near, far)
            return near

    def _upstream(self, request: web.Request) -> URL:
        return URL(self._layout.api_url + request.raw_path, encoded=True)

    def _ask(self, request: web.Request, body: bytes) -> Any:
        headers = passed(request.headers)
        headers.popall("Host", None)
        return self._session.request(
            request.method,
            self._upstream(request),
            headers=headers,
            data=body or None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Content-Type"),
        )


def _refusal(rule: Rule) -> web.Response:
    seconds = rule.seconds or (USUAL_RETRY_AFTER if rule.status == web.HTTPTooManyRequests.status_code else 0)
    headers = {"Retry-After": str(math.ceil(seconds))} if seconds else {}
    return web.json_response(status_body(rule.status, seconds), status=rule.status, headers=headers)


def _reset(request: web.Request) -> web.Response:
    """End the connection so that its client sees it reset, and not closed in good order."""
    if request.transport:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()
