"""The objects that a registry server shows, by each version of its API that it has."""

from __future__ import annotations

import json
import os
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._rest import samples

WITHOUT_EXPERIMENTS = [name for name in samples.COLLECTIONS if not name.startswith("experiment")]


class Server(socketserver.UnixStreamServer):
    """Answers for the collections of each version with one object, and 404 for everything else."""

    def __init__(self, path: str, served: dict[str, list[str]]) -> None:
        self.served = served
        super().__init__(path, Handler)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        version, collection = self.path.partition("?")[0].split("/")[3:]
        body = json.dumps({"items": [{"id": "1", "version": version}]}).encode()
        self.send_response(200 if collection in self.server.served.get(version, ()) else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass

    def address_string(self) -> str:
        return "test"


@pytest.fixture
def asked(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[samples.Samples]:
    # The path of a socket may have 107 characters.
    path = os.path.relpath(tmp_path / "http")
    with Server(path, request.param) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield samples._asked(path)
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"v1alpha3": samples.COLLECTIONS}, dict.fromkeys(samples.COLLECTIONS, "v1alpha3")),
        ({"v1": WITHOUT_EXPERIMENTS}, dict.fromkeys(WITHOUT_EXPERIMENTS, "v1")),
        (
            {"v1": WITHOUT_EXPERIMENTS, "v1alpha3": samples.COLLECTIONS},
            dict.fromkeys(samples.COLLECTIONS, "v1alpha3") | dict.fromkeys(WITHOUT_EXPERIMENTS, "v1"),
        ),
    ],
    indirect=["asked"],
)
def test_each_kind_is_asked_for_by_the_newest_version_that_has_it(asked: samples.Samples, expected: dict[str, str]) -> None:
    assert {name.removesuffix("/1"): item["version"] for name, item in asked.items()} == expected
