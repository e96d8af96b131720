"""The older pair of servers, as far as it needs no database."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sandbox.node.timing import Probe
from sandbox.operator.status import log_error
from sandbox.server.connection import Files, no_such_host
from sandbox.server.metadata import ABORTED, Gateway, MetadataServer, asks_metadata_server
from sandbox.server.models import BASE
from sandbox.server.registry import Start

REST = ["--hostname=0.0.0.0", "--port=8080", "--mlmd-hostname=localhost", "--mlmd-port=9090"]
METADATA = ("--grpc_port=9090", "--metadata_source_config_type=mysql", "--mysql_config_database=d", "--mysql_config_host=h", "--mysql_config_port=1")


async def unknown(host: str) -> str:
    raise no_such_host(host)


def metadata_server(log: list[str], threads: ThreadPoolExecutor, arguments: Sequence[str] = METADATA) -> MetadataServer:
    return MetadataServer(Start(arguments, {}, Files({}), unknown), log.append, threads)


def test_which_rest_server_leaves_the_database_to_another() -> None:
    assert asks_metadata_server(REST)
    assert not asks_metadata_server(["--hostname=0.0.0.0", "--port=8080", "--embedmd-database-type=mysql"])


def test_a_metadata_server_that_cannot_connect_aborts_with_a_line_that_the_operator_finds() -> None:
    log: list[str] = []
    with ThreadPoolExecutor(1) as threads:
        assert asyncio.run(metadata_server(log, threads).run()) == ABORTED
    assert re.match(r"E\d{4} \d\d:\d\d:\d\d\.\d{6}     1 mysql_metadata_source\.cc:174\] MySQL database was not initialized", log[0])
    assert re.match(r"F\d{4} \d\d:\d\d:\d\d\.\d{6}     1 metadata_store_server_main\.cc:617\] Check failed", log[1])
    assert "INTERNAL: mysql_real_connect failed" in (log_error("\n".join(log)) or "")


def status(gateway: Gateway) -> tuple[int, str]:
    answer = asyncio.run(gateway.answer("GET", BASE + "registered_models", {}, b""))
    return answer.status, answer.body


def connected(server: MetadataServer | None, log: list[str]) -> Gateway:
    """A gateway that has found the server."""
    found: list[MetadataServer | None] = [server]

    async def run() -> Gateway:
        gateway = Gateway(REST, lambda: found[0], log.append)
        running = asyncio.create_task(gateway.run())
        await asyncio.sleep(0.01)
        running.cancel()
        return gateway

    return asyncio.run(run())


def test_the_rest_server_answers_when_the_metadata_server_listens() -> None:
    log: list[str] = []
    with ThreadPoolExecutor(1) as threads:
        server = metadata_server(log, threads)
        waiting = connected(server, log)
        assert status(waiting)[0] == 503 and "MLMD server is down" in status(waiting)[1]
        server.listening = True
        gateway = connected(server, log)
        assert re.search(r"I\d{4} \S+       1 proxy\.go:102\] connected to MLMD server", log[-1])
        # The database cannot be reached: the server is there, and its request fails.
        code, body = status(gateway)
        assert code == 500 and "mysql_real_connect failed" in json.loads(body)["message"]
        server.listening = False
        assert status(gateway)[0] == 503


def test_a_metadata_server_at_another_port_is_not_found() -> None:
    log: list[str] = []
    with ThreadPoolExecutor(1) as threads:
        server = metadata_server(log, threads, ["--grpc_port=1", *METADATA[1:]])
        server.listening = True
        assert status(connected(server, log))[0] == 503


def test_a_probe_of_a_socket_has_a_port() -> None:
    container: dict[str, Any] = {"livenessProbe": {"tcpSocket": {"port": "grpc-api"}, "initialDelaySeconds": 30}}
    probe = Probe.of(container, "liveness")
    assert probe and (probe.port, probe.path, probe.initial_delay) == ("grpc-api", "", 30)
