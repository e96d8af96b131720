"""A forwarded port: what goes through it, how a refusal is told, and that nothing is kept in memory for a reader who does not read."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import socket
import stat
import struct
import threading
import time

import kubernetes
import pytest
import websocket
from kubernetes.stream import ws_client

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client, port_forward

HOST, FILE = "127.0.0.1", "socket"
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Node:
    """An API server that forwards one port, by the protocol of kubelets. `answer` has the WebSocket; `refusal` is sent in its place."""

    def __init__(self, answer=None, refusal=None):
        self.answer, self.refusal, self.request = answer, refusal, b""
        self.listening = socket.create_server((HOST, 0))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        with contextlib.suppress(OSError):
            self.connection, _address = self.listening.accept()
            while b"\r\n\r\n" not in self.request:
                self.request += self.connection.recv(4096)
            if self.refusal:
                status, body = self.refusal
                self.connection.sendall(f"HTTP/1.1 {status} Refused\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
                self.connection.close()
                return
            [key] = [line.split(b": ")[1] for line in self.request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")]
            accepted = base64.b64encode(hashlib.sha1(key + MAGIC).digest())
            head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n"
            self.connection.sendall(head + b"Sec-WebSocket-Accept: " + accepted + b"\r\n\r\n")
            for channel in (0, 1):
                self.send(bytes((channel,)) + struct.pack("<H", 5432))
            self.answer(self)

    def send(self, content):
        size = struct.pack("!B", len(content)) if len(content) < 126 else struct.pack("!BQ", 127, len(content))
        self.connection.sendall(b"\x82" + size + content)

    def receive(self):
        head = self.exactly(2)
        size = head[1] & 127
        size = struct.unpack("!H", self.exactly(2))[0] if size == 126 else size
        mask, content = self.exactly(4), self.exactly(size)
        return bytes(byte ^ mask[number % 4] for number, byte in enumerate(content))

    def exactly(self, size):
        content = b""
        while len(content) < size:
            part = self.connection.recv(size - len(content))
            if not part:
                raise OSError
            content += part
        return content

    def close(self):
        self.listening.close()


@contextlib.contextmanager
def forwarding(node, headers=()):
    configuration = kubernetes.client.Configuration(host=f"http://{HOST}:{node.listening.getsockname()[1]}")
    configuration.proxy = None
    configuration.api_key = {"authorization": "Bearer a-token", "BearerToken": "Bearer a-token"}
    api = kubernetes.client.ApiClient(configuration)
    for name in headers:
        api.set_default_header(name, "somebody")
    cluster = client.Cluster(kubernetes.dynamic.DynamicClient(api, discoverer=lambda *_: None), configuration, None)
    try:
        with port_forward.forwarded(cluster, "registries", "pod-1", 5432, FILE) as forward:
            yield forward
    finally:
        node.close()


@contextlib.contextmanager
def connected(forward):
    with socket.socket(socket.AF_UNIX) as local:
        local.settimeout(20)
        local.connect(os.path.join(forward.folder, FILE))
        yield local


def test_what_is_sent_and_answered_goes_through_the_api_server():
    def answer(node):
        content = node.receive()
        node.send(b"\0" + content[1:].upper())
        node.receive()

    node = Node(answer)
    with forwarding(node) as forward, connected(forward) as local:
        assert stat.S_IMODE(os.stat(forward.folder).st_mode) == 0o700
        local.sendall(b"select")
        assert local.recv(100) == b"SELECT"
    assert node.request.startswith(b"GET /api/v1/namespaces/registries/pods/pod-1/portforward?ports=5432 ")
    assert b"a-token" in node.request
    assert not os.path.exists(forward.folder) and forward.failure == ""


def test_frames_that_are_no_data_are_passed_over():
    def answer(node):
        # A ping, and messages without a channel.
        node.connection.sendall(b"\x89\x02\0x" + b"\x82\x00" + b"\x81\x02\0y")
        node.send(b"\0rows")
        node.send(b"\2of another port")
        node.send(b"\2of another port again")
        node.send(b"\0 and more")
        # The end of the connection.
        node.connection.sendall(b"\x88\x00")

    with forwarding(Node(answer)) as forward, connected(forward) as local:
        received = b""
        while part := local.recv(100):
            received += part
    assert received == b"rows and more" and forward.failure == ""


def test_what_the_node_reports_is_told_and_ends_the_connection():
    node = Node(lambda node: node.send(b"\1connection\nrefused"))
    with forwarding(node) as forward, connected(forward) as local:
        assert local.recv(100) == b""
        assert forward.failure == "connection refused"


def test_rows_wait_on_the_way_for_a_reader_and_not_in_memory():
    sent = [0]

    def answer(node):
        for _number in range(200):
            node.send(b"\0" + b"x" * 1_000_000)
            sent[0] += 1

    with forwarding(Node(answer)) as forward, connected(forward) as local:
        received = len(local.recv(1))
        time.sleep(0.5)
        assert sent[0] < 30
        while received < 200_000_000:
            part = local.recv(1 << 20)
            assert part
            received += len(part)


def test_a_refusal_is_that_of_the_api_server():
    body = json.dumps({"kind": "Status", "message": 'pods "pod-1" is forbidden: no right to create pods/portforward'})
    with pytest.raises(_errors.ClusterError) as caught, forwarding(Node(refusal=(403, body))):
        pass
    assert caught.value.status == 403 and "no right to create pods/portforward" in str(caught.value)
    assert "a-token" not in str(caught.value)


@pytest.mark.parametrize("error", [websocket.WebSocketTimeoutException("timed out"), ConnectionRefusedError("refused"), ValueError("no address")])
def test_a_connection_that_is_not_answered_is_no_answer(monkeypatch, error):
    def refuse(*_arguments):
        raise error

    monkeypatch.setattr(ws_client, "create_websocket", refuse)
    with pytest.raises(_errors.ClusterError, match="did not respond") as caught, forwarding(Node()):
        pass
    assert str(caught.value).startswith("connecting to port 5432 of pod pod-1 (pods/portforward) failed: ")
    assert caught.value.status is None


def test_an_impersonated_account_does_not_become_the_one_that_logged_in():
    with pytest.raises(_errors.ClusterError, match="impersonates"), forwarding(Node(), headers=["Impersonate-User"]):
        pass
