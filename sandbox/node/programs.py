"""What runs in containers: registry servers, PostgreSQL servers, and for everything else something that is simply there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Protocol

from sandbox.server.catalog import CatalogServer
from sandbox.server.log import Write
from sandbox.server.metadata import Gateway, MetadataServer, refused
from sandbox.server.models import Answer
from sandbox.server.registry import RegistryServer, Start

# A Go program that is the first process of its container ends with this code when it is told to stop.
GO_STOPPED = 2
# Any other one that does not care about SIGTERM is killed in the end.
KILLED = 137


class Program(Protocol):
    """One run of a container. `run` lasts as long as the process; cancelling it stops the process."""

    stopped_code: int
    # Whether every probe of it succeeds for as long as it runs, so that nobody has to try.
    always_passes: bool

    async def run(self) -> int:
        """The exit code of a process that ends by itself."""

    async def check(self, path: str) -> tuple[bool, str]:
        """Whether a probe succeeds, and the kubelet's words if not; it may take for ever, as the server may."""

    async def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Answer:
        """An HTTP request to the container."""


class Idle:
    """Runs until it is stopped, and passes every probe."""

    stopped_code = 0
    always_passes = True

    async def run(self) -> int:
        await asyncio.Event().wait()
        return 0

    async def check(self, _path: str) -> tuple[bool, str]:
        return True, ""

    async def answer(self, _method: str, _path: str, _query: Mapping[str, str], _body: bytes) -> Answer:
        return Answer(404, "404 page not found\n", "text/plain; charset=utf-8")


class Registry(RegistryServer):
    """A registry server of ours."""

    stopped_code = GO_STOPPED
    always_passes = False

    async def check(self, path: str) -> tuple[bool, str]:
        answer = await self.answer("GET", path, {}, b"")
        return answer.status < 400, f"HTTP probe failed with statuscode: {answer.status}"


class Metadata(MetadataServer):
    """A metadata server of ours. It speaks gRPC only."""

    stopped_code = KILLED
    always_passes = False

    def __init__(self, start: Start, write: Write, threads: Executor, ip: str):
        super().__init__(start, write, threads)
        self._ip = ip

    async def check(self, _path: str) -> tuple[bool, str]:
        return self.listening, refused(self.port, self._ip)

    async def answer(self, _method: str, _path: str, _query: Mapping[str, str], _body: bytes) -> Answer:
        return Answer(415, "")


class RestGateway(Gateway):
    """A REST server of ours in front of a metadata server."""

    stopped_code = GO_STOPPED
    # Its probes only look whether the port is open.
    always_passes = True

    async def check(self, _path: str) -> tuple[bool, str]:
        return True, ""


class Catalog(CatalogServer):
    """The server of the model catalog, one of ours."""

    stopped_code = GO_STOPPED
    always_passes = False

    async def check(self, path: str) -> tuple[bool, str]:
        # Without a path it is only whether the port is open.
        found = self.ready() if path == "/readyz" else self.respond("GET", "/healthz", {}, b"")
        return found.status < 400, f"HTTP probe failed with statuscode: {found.status}"

    async def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Answer:
        return self.respond(method, path, query, body)
