# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a registry answers through its pod, before and after it has moved to another database: a few objects of each kind."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any

from .. import _deadline, _errors, _texts
from .._cluster import port_forward, registry_reader
from .._model import manifests, server_pods
from . import smoke_test

COLLECTIONS = ("registered_models", "model_versions", "artifacts", "serving_environments", "inference_services", "experiments", "experiment_runs")
# Of each kind, the first ones that there ever were.
_QUERIES = {"v1": "page_size=3&order_by=ID&sort_order=ASC", "v1alpha3": "pageSize=3&orderBy=ID&sortOrder=ASC"}
_FILE = "http"
_SECONDS = 30.0
# By kind and id, as the API shows them.
Samples = Mapping[str, Mapping[str, Any]]


class NoAnswerError(_errors.ReportedError):
    """The registry did not answer through its pod."""


def taken(reader: registry_reader.Reader, name: str) -> Samples:
    """Objects of a registry, through its newest pod that is ready. NoAnswerError, or ClusterError when the pod cannot be reached."""
    pod = server_pods.newest_pod(tuple(pod for pod in reader.pods(name) if server_pods.is_ready(pod)))
    containers = manifests.at(pod, ("spec", "containers")) or []
    ports = [entry["containerPort"] for container in containers if container["name"] == server_pods.SERVER for entry in container.get("ports") or []]
    if pod is None or not ports:
        raise NoAnswerError(f"registry {name!r} has no ready pod with a server")
    with port_forward.forwarded(reader.cluster, reader.namespace, pod["metadata"]["name"], ports[0], _FILE) as forward:
        try:
            return _deadline.within(_SECONDS, lambda: _asked(os.path.join(forward.folder, _FILE)))
        except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
            reason = forward.failure or _texts.reason(error)
            raise NoAnswerError(f"registry {name!r} did not respond through pod {pod['metadata']['name']}: {reason}") from None


def _asked(path: str) -> Samples:
    connection = HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    # Who waits for no answer any more would otherwise keep the connection to the pod open.
    connection.sock.settimeout(_SECONDS)
    connection.sock.connect(path)
    # Another connection would not go to the pod.
    connection.auto_open = 0
    try:
        found: dict[str, Mapping[str, Any]] = {}
        for collection in COLLECTIONS:
            for version in smoke_test.VERSIONS:
                connection.request("GET", f"/api/model_registry/{version}/{collection}?{_QUERIES[version]}")
                response = connection.getresponse()
                content = response.read()
                if response.status == _errors.NOT_FOUND:
                    # A version of the API that the server does not have, or a kind that this version does not have.
                    continue
                if response.status != 200:
                    raise ValueError(f"status {response.status}")
                found.update({f"{collection}/{item['id']}": item for item in json.loads(content)["items"]})
                break
        return found
    finally:
        connection.close()


def changed(before: Samples, after: Samples) -> list[str]:
    """The objects that are not as they were, although nobody has changed them since."""
    return [name for name, item in before.items() if after.get(name) != item and not _is_newer(after.get(name), item)]


def _is_newer(after: Mapping[str, Any] | None, before: Mapping[str, Any]) -> bool:
    times = [str((item or {}).get("lastUpdateTimeSinceEpoch") or "0") for item in (after, before)]
    return all(time.isdecimal() for time in times) and int(times[0]) > int(times[1])
