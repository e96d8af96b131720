"""An API server whose answers are broken on the way: a proxy in this process, before the one of the sandbox."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import kubernetes

from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client
from sandbox import controlplane
from sandbox.layout import Layout


@dataclass(frozen=True)
class Answer:
    """What the client gets: a status, headers and a body, of which fewer bytes may come than were announced."""

    status: int
    body: bytes
    announced: int | None = None
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)


def _changed(answer: Answer, **parts: object) -> Answer:
    return Answer(200, json.dumps({**json.loads(answer.body), **parts}).encode())


# What becomes of an answer; None closes the connection without one.
WAYS: dict[str, Callable[[Answer], Answer | None]] = {
    "no answer": lambda answer: None,
    "half a body": lambda answer: Answer(answer.status, answer.body[: len(answer.body) // 2], len(answer.body)),
    "half a JSON": lambda answer: Answer(answer.status, answer.body[: len(answer.body) // 2]),
    "empty": lambda answer: Answer(200, b""),
    "not UTF-8": lambda answer: Answer(200, b"\xff" + answer.body),
    "null": lambda answer: Answer(200, b"null"),
    "a list": lambda answer: Answer(200, b"[]"),
    "a text": lambda answer: Answer(200, b'"an object"'),
    "a number": lambda answer: Answer(200, b"5"),
    "an empty object": lambda answer: Answer(200, b"{}"),
    "a message that is null": lambda answer: Answer(200, b'{"message": null}'),
    "an error with a message that is null": lambda answer: Answer(500, b'{"message": null}'),
    "an error that is cut": lambda answer: Answer(500, b'{"kind": "Status", "mess'),
    "a page": lambda answer: Answer(200, b"<html>log in</html>"),
    "nested": lambda answer: Answer(200, b"[" * 100_000),
    "metadata is null": lambda answer: _changed(answer, metadata=None),
    "metadata is a text": lambda answer: _changed(answer, metadata="text"),
    "the specification is a list": lambda answer: _changed(answer, spec=[], status=[], items={}),
    "a strange pause": lambda answer: Answer(503, b"busy", headers=(("Retry-After", "\xb2"),)),
    "502": lambda answer: Answer(502, b"<html>Bad gateway</html>"),
    "504": lambda answer: Answer(504, b"\xff"),
    "a 404 of another server": lambda answer: Answer(404, b"<html>Not found</html>"),
}


@dataclass
class Breaker:
    """Counts requests, and breaks the answer to one of them in one way."""

    layout: Layout
    at: int | None = None
    way: str = ""
    seen: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, at: int | None, way: str = "") -> None:
        """Count from the beginning, and break the answer to the request of this number."""
        self.at, self.way, self.seen = at, way, []

    def cluster(self, port: int) -> client.Cluster:
        """The cluster behind the proxy, as its administrator."""
        configuration = kubernetes.client.Configuration(host=f"http://127.0.0.1:{port}", api_key={"authorization": f"Bearer {controlplane.ADMIN_TOKEN}"})
        configuration.proxy = None
        api = kubernetes.client.ApiClient(configuration)
        api.rest_client.pool_manager.connection_pool_kw["retries"] = False
        return client.Cluster(kubernetes.dynamic.DynamicClient(api, discoverer=lambda *_: None), configuration, None)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    breaker: Breaker

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.breaker.lock:
            number = len(self.breaker.seen)
            self.breaker.seen.append(f"{self.command} {self.path}")
        upstream = urlsplit(self.breaker.layout.api_url)
        tls = ssl.create_default_context(cafile=str(self.breaker.layout.path("pki", "ca.crt")))
        connection = http.client.HTTPSConnection(str(upstream.hostname), upstream.port, context=tls)
        headers = {name: value for name, value in self.headers.items() if name not in ("Host", "Connection", "Accept-Encoding")}
        connection.request(self.command, self.path, body or None, headers)
        response = connection.getresponse()
        answer: Answer | None = Answer(response.status, response.read())
        connection.close()
        if number == self.breaker.at and answer is not None:
            answer = WAYS[self.breaker.way](answer)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in (*answer.headers, ("Content-Length", str(len(answer.body) if answer.announced is None else answer.announced))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)
        self.close_connection = self.close_connection or answer.announced is not None

    do_GET = do_POST = do_PATCH = do_DELETE = forward

    def log_message(self, *_arguments: object) -> None:
        """Nothing of it is printed."""


@contextmanager
def broken(layout: Layout) -> Iterator[tuple[Breaker, client.Cluster]]:
    """The proxy while it runs, and the cluster behind it."""
    breaker = Breaker(layout)
    handler = type("Handler", (_Handler,), {"breaker": breaker})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield breaker, breaker.cluster(server.server_port)
        finally:
            server.shutdown()
