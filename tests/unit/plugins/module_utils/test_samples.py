"""The objects that a registry server shows, by each version of its API that it has."""

from __future__ import annotations

import json
import os
import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import NotConnected
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _deadline
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import server_pods
from ansible_collections.modelops.openshift_ai.plugins.module_utils._rest import samples

WITHOUT_EXPERIMENTS = [name for name in samples.COLLECTIONS if not name.startswith("experiment")]


class Server(socketserver.UnixStreamServer):
    """Answers for the collections of each version with one object, and 404 for everything else."""

    def __init__(self, path: str, served: Mapping[str, Sequence[str]], refusal: int | None = None, is_last: bool = False) -> None:
        self.served, self.refusal, self.is_last = served, refusal, is_last
        super().__init__(path, Handler)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        version, collection = self.path.partition("?")[0].split("/")[3:]
        body = json.dumps({"items": [{"id": "1", "version": version}]}).encode()
        self.send_response(self.server.refusal or (200 if collection in self.server.served.get(version, ()) else 404))
        self.send_header("Content-Length", str(len(body)))
        if self.server.is_last:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass

    def address_string(self) -> str:
        return "test"


@contextmanager
def served(folder: Path, served: Mapping[str, Sequence[str]], refusal: int | None = None, is_last: bool = False) -> Iterator[str]:
    """The socket of a server that answers every request with `refusal` if there is one, and that ends the connection with the first answer if it `is_last`."""
    # The path of a socket may have 107 characters.
    path = os.path.relpath(folder / "http")
    with Server(path, served, refusal, is_last) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield path
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({"v1alpha3": samples.COLLECTIONS}, dict.fromkeys(samples.COLLECTIONS, "v1alpha3")),
        ({"v1": WITHOUT_EXPERIMENTS}, dict.fromkeys(WITHOUT_EXPERIMENTS, "v1")),
        (
            {"v1": WITHOUT_EXPERIMENTS, "v1alpha3": samples.COLLECTIONS},
            dict.fromkeys(samples.COLLECTIONS, "v1alpha3") | dict.fromkeys(WITHOUT_EXPERIMENTS, "v1"),
        ),
    ],
)
def test_each_kind_is_asked_for_by_the_newest_version_that_has_it(tmp_path: Path, versions: dict[str, list[str]], expected: dict[str, str]) -> None:
    with served(tmp_path, versions) as path:
        asked = samples._asked(path)
    assert {name.removesuffix("/1"): item["version"] for name, item in asked.items()} == expected


def test_another_status_is_no_answer(tmp_path: Path) -> None:
    with served(tmp_path, {}, refusal=500) as path, pytest.raises(ValueError, match="status 500"):
        samples._asked(path)


def test_no_other_server_is_asked_when_the_connection_to_the_pod_ends(tmp_path: Path) -> None:
    with served(tmp_path, {}, is_last=True) as path, pytest.raises(NotConnected):
        samples._asked(path)


def test_a_connection_to_a_server_that_never_answers_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "_SECONDS", 0.05)
    path = os.path.relpath(tmp_path / "http")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(path)
        silent.listen(1)
        with pytest.raises(TimeoutError):
            _deadline.within(10, lambda: samples._asked(path))
        connection, _address = silent.accept()
        with connection:
            connection.settimeout(5)
            # The request, and then the end.
            assert connection.recv(1 << 16) and connection.recv(1) == b""


def pod(is_ready: bool = True, container: str = server_pods.SERVER, **more: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": str(is_ready)}]
    spec = {"containers": [{"name": "proxy", "ports": [{"containerPort": 8443}]}, {"name": container, **more}]}
    return {"metadata": {"name": "models-1", "creationTimestamp": "2026-01-01T00:00:00Z"}, "spec": spec, "status": {"conditions": conditions}}


PORTS = [{"containerPort": 8080}]


@pytest.mark.parametrize("pods", [[], [pod(is_ready=False, ports=PORTS)], [pod(container="other", ports=PORTS)], [pod()], [pod(ports=None)]])
def test_a_registry_without_a_ready_pod_and_its_server_is_named(pods: list[dict[str, Any]]) -> None:
    reader: Any = SimpleNamespace(pods=lambda _name: pods)
    with pytest.raises(samples.NoAnswerError, match="'models' has no ready pod with a server"):
        samples.taken(reader, "models")


def test_an_object_is_only_newer_by_a_time_of_the_server() -> None:
    def item(name: str, time: Any) -> dict[str, Any]:
        return {"name": name, "lastUpdateTimeSinceEpoch": time}

    for before, after in (("5", None), ("5", "later"), ("now", "6"), (None, None), ("10", "9")):
        assert samples.changed({"x/1": item("a", before)}, {"x/1": item("b", after)}) == ["x/1"], (before, after)
    assert samples.changed({"x/1": item("a", None)}, {"x/1": item("b", "1")}) == []
    assert samples.changed({"x/1": item("a", "9")}, {"x/1": item("b", "10")}) == []
