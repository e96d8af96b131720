"""An API server whose answers are broken on the way: a proxy in this process, before the one of the sandbox."""

from __future__ import annotations

import functools
import http.client
import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import kubernetes

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import record
from sandbox import controlplane
from sandbox.layout import Layout
from tests.helpers import ROLE_BINDINGS, Cluster


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
    "twice": lambda answer: Answer(answer.status, answer.body * 2),
    "more than announced": lambda answer: Answer(answer.status, answer.body, len(answer.body) // 2),
    "not compressed": lambda answer: Answer(answer.status, answer.body, headers=(("Content-Encoding", "gzip"),)),
    "not in chunks": lambda answer: Answer(answer.status, answer.body, headers=(("Transfer-Encoding", "chunked"),)),
    "objects that are null": lambda answer: _changed(answer, items=[None], spec=None),
    "a redirect": lambda answer: Answer(302, b"", headers=(("Location", "http://127.0.0.1:9/"),)),
}


def _refusal(status: int) -> Answer:
    return Answer(status, json.dumps({"kind": "Status", "status": "Failure", "message": "refused", "code": status}).encode())


# In place of an answer: what was asked is not done.
REFUSALS = {"401": _refusal(401), "403": _refusal(403), "410": _refusal(410)}
ALL = (*WAYS, *REFUSALS)


@dataclass
class Breaker:
    """Counts requests, and breaks the answer to one of them in one way."""

    layout: Layout
    at: int | None = None
    way: str = ""
    seen: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @functools.cached_property
    def tls(self) -> ssl.SSLContext:
        """Of connections to the API server."""
        return ssl.create_default_context(cafile=str(self.layout.path("pki", "ca.crt")))

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

    def setup(self) -> None:
        super().setup()
        upstream = urlsplit(self.breaker.layout.api_url)
        self.upstream = http.client.HTTPSConnection(str(upstream.hostname), upstream.port, context=self.breaker.tls)

    def finish(self) -> None:
        self.upstream.close()
        super().finish()

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.breaker.lock:
            number = len(self.breaker.seen)
            self.breaker.seen.append(f"{self.command} {self.path}")
        if number == self.breaker.at and self.breaker.way in REFUSALS:
            self.answer(REFUSALS[self.breaker.way])
            return
        headers = {name: value for name, value in self.headers.items() if name not in ("Host", "Connection", "Accept-Encoding")}
        self.upstream.request(self.command, self.path, body or None, headers)
        response = self.upstream.getresponse()
        answer: Answer | None = Answer(response.status, response.read())
        if number == self.breaker.at and answer is not None:
            answer = WAYS[self.breaker.way](answer)
        if answer is None:
            self.close_connection = True
            return
        self.answer(answer)

    def answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in (*answer.headers, ("Content-Length", str(len(answer.body) if answer.announced is None else answer.announced))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)
        self.close_connection = self.close_connection or answer.announced is not None

    do_GET = do_POST = do_PATCH = do_DELETE = forward

    def log_message(self, *_arguments: object) -> None:
        """Nothing of it is printed."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_arguments: object) -> None:
        """A client that has had enough says so to nobody."""


@contextmanager
def broken(layout: Layout) -> Iterator[tuple[Breaker, client.Cluster]]:
    """The proxy while it runs, and the cluster behind it."""
    breaker = Breaker(layout)
    handler = type("Handler", (_Handler,), {"breaker": breaker})
    with _Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield breaker, breaker.cluster(server.server_port)
        finally:
            server.shutdown()


# What an operation does then

Work = Callable[[client.Cluster, record.Outcome], None]


class Trial:
    """One operation, again and again with another answer broken; what it did is compared with what it says."""

    def __init__(self, broken: tuple[Breaker, client.Cluster], what_is_there: Callable[[], dict[str, Any]]) -> None:
        self._breaker, self._cluster = broken
        self._what_is_there = what_is_there
        self._whole: dict[Work, list[str]] = {}

    def requests(self, work: Work) -> list[str]:
        """The requests of the operation when nothing is broken."""
        self._breaker.expect(None)
        work(self._cluster, record.Outcome())
        self._whole[work] = list(self._breaker.seen)
        return list(self._breaker.seen)

    def expects(self, work: Work, requests: list[str]) -> None:
        """The operation sends at least these when nothing is broken."""
        self._whole[work] = requests

    def __call__(self, number: int, way: str, work: Work) -> None:
        """Do it with the answer to one request broken in one way."""
        before = self._what_is_there()
        self._breaker.expect(number, way)
        outcome, failure = record.Outcome(), ""
        try:
            work(self._cluster, outcome)
        except _errors.ReportedError as error:
            failure = str(error)
        if len(self._breaker.seen) <= number:
            # What is read after the last write depends on how far the operator is.
            assert not any(map(is_write, self._whole[work][number:])), f"request {number} was not sent"
            return
        assert_said(before, self._what_is_there(), outcome, failure, f"{way} of request {number}, {self._breaker.seen[number]}")


def assert_said(before: dict[str, Any], after: dict[str, Any], outcome: record.Outcome, failure: str, about: str) -> None:
    """That a run says of itself what it did, by kind of object, and in words why it failed."""
    # The bindings of a registry go with it, sooner or later.
    is_gone = before["ModelRegistry"] is not None and after["ModelRegistry"] is None
    kinds = after.keys() - ({"RoleBinding"} if is_gone else set())
    happened = {kind for kind in kinds if after[kind] != before[kind]}
    said = {change["kind"] for change in outcome.changes if change["kind"] in kinds and not change.get("unverified")}
    in_doubt = {change["kind"] for change in outcome.changes if change.get("unverified")}
    told = f"{about}: {failure!r} {outcome.changes}"
    assert said <= happened <= said | in_doubt, told
    # What is in doubt is so because the API server did not answer again either.
    assert not in_doubt or failure, told
    assert failure == "" or ("Traceback" not in failure and failure.isprintable()), told


def is_write(request: str) -> bool:
    """Whether a request can change something."""
    return not request.startswith("GET ") and not re.match(r"POST /apis/auth(entication|orization)\.k8s\.io/", request)


def state_of(cluster: Cluster, name: str) -> dict[str, Any]:
    """What there is of a registry."""
    registry = cluster.registry(name)
    present = registry and "deletionTimestamp" not in registry["metadata"]
    bindings = [item for item in cluster.items(*ROLE_BINDINGS) if item["roleRef"]["name"] == f"registry-user-{name}"]
    held = {
        kind: [(item["metadata"]["name"], item.get("data")) for item in cluster.items("v1", plural) if item["metadata"]["name"].startswith(f"{name}-db-")]
        for kind, plural in (("Secret", "secrets"), ("ConfigMap", "configmaps"))
    }
    return {
        "ModelRegistry": (registry["metadata"].get("annotations"), registry["spec"]) if present else None,
        "RoleBinding": sorted(subject["name"] for binding in bindings for subject in binding["subjects"] if subject["name"] != f"{name}-users"),
        **held,
    }
