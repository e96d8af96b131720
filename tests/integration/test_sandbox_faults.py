"""Faults of the API server as clients see them, and faults that are changes of the cluster."""

from __future__ import annotations

import asyncio
import errno
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import urllib3
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from sandbox import faults
from sandbox.controlplane import ADMIN_TOKEN
from sandbox.faults import Rule
from sandbox.generations import GENERATIONS
from sandbox.kube import Api, ApiError, path
from sandbox.layout import REGISTRIES_NAMESPACE, Layout

NAMESPACE = "default"
NAME = "fault-trial"
CONFIG_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"


@pytest.fixture(autouse=True)
def no_faults(layout: Layout) -> Iterator[None]:
    faults.clear(layout)
    delete(layout)
    yield
    faults.clear(layout)
    delete(layout)


@pytest.fixture
def api(layout: Layout) -> client.CoreV1Api:
    """The usual client, through the fault proxy, and without retries of its own."""
    configuration = client.Configuration(host=layout.faulty_api_url)
    configuration.ssl_ca_cert = str(layout.path("pki", "ca.crt"))
    configuration.api_key = {"authorization": f"Bearer {ADMIN_TOKEN}"}
    configuration.retries = False
    configuration.proxy = None
    return client.CoreV1Api(client.ApiClient(configuration))


def config_map() -> client.V1ConfigMap:
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=NAME), data={"a": "b"})


def delete(layout: Layout) -> None:
    async def run() -> None:
        async with Api(layout, "test") as direct:
            await direct.delete(f"{CONFIG_MAPS}/{NAME}")

    asyncio.run(run())


def exists(layout: Layout) -> bool:
    async def run() -> bool:
        async with Api(layout, "test") as direct:
            return await direct.find(f"{CONFIG_MAPS}/{NAME}") is not None

    return asyncio.run(run())


# What passes


def test_requests_pass_and_are_recorded(api: client.CoreV1Api, layout: Layout) -> None:
    api.create_namespaced_config_map(NAMESPACE, config_map(), dry_run="All", field_manager="tester", field_validation="Strict")
    api.create_namespaced_config_map(NAMESPACE, config_map())
    assert api.read_namespaced_config_map(NAME, NAMESPACE).data == {"a": "b"}
    with pytest.raises(ApiException):
        api.read_namespaced_config_map("nope", NAMESPACE)
    trial, create, read, missing = faults.recorded_requests(layout)
    assert (trial.verb, trial.path, trial.status) == ("create", CONFIG_MAPS, 201)
    assert trial.query == {"dryRun": "All", "fieldManager": "tester", "fieldValidation": "Strict"}
    assert trial.dry_run
    assert not trial.writes
    assert create.writes
    assert (read.verb, read.path, read.status, read.fault) == ("get", f"{CONFIG_MAPS}/{NAME}", 200, None)
    assert missing.status == 404
    assert read.user_agent.startswith("OpenAPI-Generator")
    assert trial.time <= create.time <= read.time <= time.time()


def test_bearer_tokens_pass_and_nobody_else_gets_in(layout: Layout) -> None:
    async def status(token: str) -> int:
        tls = ssl.create_default_context(cafile=str(layout.path("pki", "ca.crt")))
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession() as session, session.get(layout.faulty_api_url + CONFIG_MAPS, ssl=tls, headers=headers) as answer:
            return answer.status

    assert [asyncio.run(status(token)) for token in (ADMIN_TOKEN, "sandbox-dana", "nonsense")] == [200, 403, 401]


def test_watches_stream(api: client.CoreV1Api) -> None:
    def change() -> None:
        time.sleep(0.5)
        api.create_namespaced_config_map(NAMESPACE, config_map())

    thread = threading.Thread(target=change)
    thread.start()
    answer = api.list_namespaced_config_map(NAMESPACE, watch=True, field_selector=f"metadata.name={NAME}", _preload_content=False, _request_timeout=(5, 20))
    try:
        event = json.loads(next(iter(answer.stream(decode_content=True))).splitlines()[0])
    finally:
        answer.close()
        thread.join()
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", NAME)


# What fails


@pytest.mark.parametrize(
    ("status", "reason", "retry_after"),
    [(409, "Conflict", None), (429, "TooManyRequests", "1"), (500, "InternalError", None), (503, "ServiceUnavailable", None)],
)
def test_an_error_status_comes_once_and_nothing_is_done(api: client.CoreV1Api, layout: Layout, status: int, reason: str, retry_after: str | None) -> None:
    faults.api_rules(layout, [Rule("status", status=status, verbs=["create"], path="/configmaps")])
    with pytest.raises(ApiException) as caught:
        api.create_namespaced_config_map(NAMESPACE, config_map())
    assert caught.value.status == status
    assert json.loads(caught.value.body)["reason"] == reason
    assert caught.value.headers.get("Retry-After") == retry_after
    assert not exists(layout)
    api.create_namespaced_config_map(NAMESPACE, config_map())
    assert [(one.status, one.fault) for one in faults.recorded_requests(layout)] == [(status, "status"), (201, None)]


def test_retry_after_can_be_chosen(api: client.CoreV1Api, layout: Layout) -> None:
    faults.api_rules(layout, [Rule("status", status=503, seconds=7)])
    with pytest.raises(ApiException) as caught:
        api.list_namespaced_config_map(NAMESPACE)
    assert caught.value.headers["Retry-After"] == "7"


@pytest.mark.parametrize("done", [False, True])
def test_a_reset_connection_may_hide_that_the_work_was_done(api: client.CoreV1Api, layout: Layout, done: bool) -> None:
    faults.api_rules(layout, [Rule("reset", verbs=["create"], forwarded=done)])
    with pytest.raises(urllib3.exceptions.ProtocolError, match="Connection aborted"):
        api.create_namespaced_config_map(NAMESPACE, config_map())
    assert exists(layout) is done
    (seen,) = faults.recorded_requests(layout)
    assert (seen.status, seen.fault) == (None, "reset")


def test_a_reset_is_one_for_the_network_too(layout: Layout) -> None:
    faults.api_rules(layout, [Rule("reset")])
    tls = ssl.create_default_context(cafile=str(layout.path("pki", "ca.crt")))
    with socket.create_connection((layout.address("faults"), 6443)) as plain, tls.wrap_socket(plain, server_hostname=layout.address("faults")) as connection:
        connection.sendall(b"GET /api HTTP/1.1\r\nHost: sandbox\r\n\r\n")
        deadline = time.monotonic() + 5
        while (problem := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)) == 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert problem == errno.ECONNRESET


def test_a_stalled_answer_ends_with_the_clients_patience(api: client.CoreV1Api, layout: Layout) -> None:
    faults.api_rules(layout, [Rule("stall", path="/configmaps")])
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        api.list_namespaced_config_map(NAMESPACE, _request_timeout=0.7)
    api.list_namespaced_config_map(NAMESPACE, _request_timeout=10)


def test_a_stall_ends_with_a_reset(api: client.CoreV1Api, layout: Layout) -> None:
    faults.api_rules(layout, [Rule("stall", seconds=0.5)])
    started = time.monotonic()
    with pytest.raises(urllib3.exceptions.ProtocolError):
        api.list_namespaced_config_map(NAMESPACE)
    assert time.monotonic() - started >= 0.5


def test_a_late_answer_is_the_right_one(api: client.CoreV1Api, layout: Layout) -> None:
    faults.api_rules(layout, [Rule("delay", seconds=0.6)])
    started = time.monotonic()
    assert api.list_namespaced_config_map(NAMESPACE).kind == "ConfigMapList"
    assert time.monotonic() - started >= 0.6
    assert faults.recorded_requests(layout)[0].status == 200


def test_an_answer_that_drips_is_the_right_one(api: client.CoreV1Api, layout: Layout) -> None:
    faults.api_rules(layout, [Rule("drip", seconds=0.001)])
    started = time.monotonic()
    answer = api.read_namespace(NAMESPACE)
    assert answer.metadata.name == NAMESPACE and time.monotonic() - started >= 0.1


def test_only_the_chosen_requests_are_hit(api: client.CoreV1Api, layout: Layout) -> None:
    faults.api_rules(layout, [Rule("status", verbs=["list"], path="/configmaps$", user_agent="^robot", skip=1, count=2)])

    def status(agent: str) -> int:
        api.api_client.user_agent = agent
        try:
            api.list_namespaced_config_map(NAMESPACE)
        except ApiException as error:
            return int(error.status)
        return 200

    assert [status(agent) for agent in ("person", "robot", "robot", "person", "robot", "robot")] == [200, 200, 503, 200, 503, 200]


# Faults that change the cluster


def trial_registry(layout: Layout) -> tuple[str, dict[str, Any]]:
    version = GENERATIONS[layout.product].api_version
    body = {
        "apiVersion": version,
        "kind": "ModelRegistry",
        "metadata": {"name": NAME},
        "spec": {"rest": {}, "grpc": {}, "mysql": {"host": "mysql.data.svc", "username": "registry", "database": "nope"}},
    }
    return path(version, "modelregistries", REGISTRIES_NAMESPACE), body


def try_registry(layout: Layout) -> ApiError | None:
    async def run() -> ApiError | None:
        collection, body = trial_registry(layout)
        async with Api(layout, "test") as direct:
            try:
                await direct.create(collection, body, dryRun="All")
            except ApiError as error:
                return error
        return None

    return asyncio.run(run())


def test_an_unreachable_webhook_fails_every_write_of_a_registry(layout: Layout) -> None:
    faults.webhook_unreachable(layout, True)
    try:
        failed = try_registry(layout)
        faults.webhook_unreachable(layout, True)
    finally:
        faults.webhook_unreachable(layout, False)
    assert failed is not None
    assert failed.status == 500
    assert "failed calling webhook" in str(failed)
    assert "connection refused" in str(failed)
    assert try_registry(layout) is None


def test_httproute_can_be_taken_away_and_given_back(layout: Layout) -> None:
    async def served() -> bool:
        async with Api(layout, "test") as direct:
            return await direct.find("/apis/gateway.networking.k8s.io/v1/httproutes") is not None

    before = asyncio.run(served())
    try:
        faults.httproute(layout, False)
        assert not asyncio.run(served())
        faults.httproute(layout, True)
        assert asyncio.run(served())
    finally:
        faults.httproute(layout, before)
