# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A port of a pod as a socket on this machine, through the API server, as `kubectl port-forward` does it.

The library's own class for this keeps in memory whatever has not been taken from it yet: for the rows of a database that is everything.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .. import _texts
from .._model import kinds
from . import client

# Each message begins with the number of its channel: for the first port, that of its data and that of its errors. The first message of each names the port.
_PROTOCOL = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
_BINARY, _CLOSE = 2, 8
_CHUNK = 1 << 16
# The path of a socket has 108 bytes at most.
_LONGEST_FOLDER = 60
_LONGEST_TEXT = 300


@dataclass(frozen=True)
class Forward:
    """A forwarded port: the folder of the socket, and what the node of the pod said where it failed."""

    folder: str
    said: list[str] = field(default_factory=list)

    @property
    def failure(self) -> str:
        """What the node of the pod said where it failed; empty where it did not."""
        return _texts.line(" ".join(self.said), _LONGEST_TEXT)


@contextmanager
def forwarded(cluster: client.Cluster, namespace: str, pod: str, port: int, file: str) -> Iterator[Forward]:
    """One connection to a port of a pod, for whoever connects first to the socket `file`, which only this user can do. ClusterError when it is refused."""
    what = f"connecting to port {port} of pod {pod} (pods/portforward)"
    path = client.path_of(kinds.PODS, namespace, pod) + "/portforward"
    websocket = cluster.websocket(path, {"ports": str(port)}, _PROTOCOL, what)
    folder = tempfile.mkdtemp(dir="/tmp" if len(tempfile.gettempdir()) > _LONGEST_FOLDER else None)
    forward = Forward(folder)
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(os.path.join(folder, file))
        listener.listen(1)
        threading.Thread(target=_serve, args=(listener, websocket, forward.said), daemon=True).start()
        yield forward
    finally:
        # Wakes whoever waits for a connection.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        websocket.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def _serve(listener: socket.socket, websocket: Any, said: list[str]) -> None:
    # A connection that breaks on either side ends the other one, and that is what its user finds.
    with contextlib.suppress(Exception):
        local, _address = listener.accept()
        with local:
            _relay(local, websocket, said)


def _relay(local: socket.socket, websocket: Any, said: list[str]) -> None:
    begun = set()
    while True:
        remote = websocket.sock
        # What TLS has decrypted already can no longer be waited for.
        waiting = bool(getattr(remote, "pending", int)())
        ready = select.select([local, remote], [], [], 0 if waiting else None)[0]
        if local in ready:
            part = local.recv(_CHUNK)
            if not part:
                return
            websocket.send_binary(bytes((_DATA,)) + part)
        if waiting or remote in ready:
            opcode, frame = websocket.recv_data_frame(True)
            if opcode == _CLOSE:
                return
            if opcode != _BINARY or not frame.data:
                continue
            channel = frame.data[0]
            if channel not in begun:
                begun.add(channel)
            elif channel == _DATA:
                local.sendall(frame.data[1:])
            elif channel == _ERROR:
                said.append(frame.data[1:].decode(errors="replace"))
                return
