# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the server of the model catalog, from outside of the cluster, what it shows. Nothing is written.

Its address is an annotation of its Service, which whoever may edit that has chosen: so the token of a run goes only to hosts of the cluster's ingress.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from urllib.request import OpenerDirector, Request

from .. import _errors, _texts
from .._cluster import client, registry_reader
from .._model import catalog, kinds, manifests
from . import smoke_test

SERVICE, ADDRESS = "model-catalog", "routing.opendatahub.io/external-address-rest"
# The lists of what sources show, by kind of source.
SOURCES, LABELS = "/api/model_catalog/v1alpha1/sources", "/api/model_catalog/v1alpha1/labels"
ENTRIES = {
    "model": "/api/model_catalog/v1alpha1/models",
    "mcp": "/api/mcp_catalog/v1alpha1/mcp_servers",
    "agent": "/api/agent_catalog/v1alpha1/agents",
}
PAGE = "1000"
LARGEST = 2**26
UNAVAILABLE = (502, 503, 504)


class NoAnswerError(Exception):
    """The server cannot be asked, or does not answer as it should; the text says why. `is_down`: its host answers that it is not there."""

    def __init__(self, reason: str, is_down: bool = False) -> None:
        self.is_down = is_down
        super().__init__(reason)


@dataclass(frozen=True)
class Shown:
    """A source as the server shows it."""

    name: str
    is_enabled: bool
    labels: tuple[str, ...]
    included: tuple[str, ...]
    excluded: tuple[str, ...]
    # Before it was first loaded there is none.
    status: str | None
    error: str | None


@dataclass(frozen=True)
class Preview:
    """How many models or MCP servers a source would have, and show."""

    total: int
    included: int


class Server:
    """The catalog's server at its public address. NoAnswerError from every method."""

    def __init__(self, address: str, token: str, opener: OpenerDirector) -> None:
        self.address, self._token, self._opener = address, token, opener

    def sources(self, kind: catalog.Kind) -> dict[str, Shown]:
        """All sources of a kind, by ID."""
        items = self._items(SOURCES, {"assetType": kind.asset_type})
        return {str(item["id"]): _shown(item) for item in items if item.get("id")}

    def labels(self, kinds_: Iterable[catalog.Kind]) -> list[dict[str, Any]]:
        """The labels of these kinds of sources, with what describes each."""
        items = [item for kind in kinds_ for item in self._items(LABELS, {"assetType": kind.asset_type})]
        return [{key: value for key, value in item.items() if value is not None or key == "name"} for item in items]

    def names(self, kind: catalog.Kind, source: str) -> set[str]:
        """The names of what a source shows. All kinds but that of models are listed as a whole."""
        items = self._items(ENTRIES[kind.name], {"source": source})
        return {str(item.get("name") or "") for item in items if item.get("source_id", source) == source}

    def counts(self, kind: catalog.Kind) -> dict[str, int]:
        """How many entries of a kind each source shows, by its ID."""
        found: dict[str, int] = {}
        for item in self._items(ENTRIES[kind.name], {}):
            identity = str(item.get("source_id") or "")
            found[identity] = found.get(identity, 0) + 1
        return found

    def preview(self, entry: Mapping[str, Any], data: str | None) -> Preview:
        """What a source would bring. It is no judge of what the server accepts. NoAnswerError with what the server says of it, too."""
        boundary = secrets.token_hex()
        parts = {"config": json.dumps(entry), **({"catalogData": data} if data is not None else {})}
        lines = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.yaml"\r\n\r\n{text}\r\n' for name, text in parts.items()]
        body = "".join([*lines, f"--{boundary}--\r\n"]).encode()
        answer = self._request(f"{SOURCES}/preview?pageSize=1", body, f"multipart/form-data; boundary={boundary}")
        found = answer.get("summary")
        numbers = {key: value for key, value in found.items() if isinstance(value, int)} if isinstance(found, dict) else {}
        return Preview(
            *(next((numbers[key] for key in (f"{word}Models", f"{word}Assets") if key in numbers), 0) for word in ("total", "included")),
        )

    def _items(self, path: str, query: Mapping[str, str]) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        token, seen = "", set()
        while token not in seen:
            seen.add(token)
            page = self._request(f"{path}?{urlencode({**query, 'pageSize': PAGE, **({'nextPageToken': token} if token else {})})}")
            items = page.get("items") or []
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise NoAnswerError(f"the catalog server at {self.address} did not respond with a list")
            found += items
            # None, which is as the first one, after the last page.
            token = str(page.get("nextPageToken") or "")
        return found

    def _request(self, path: str, body: bytes | None = None, content_type: str = "") -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", **({"Content-Type": content_type} if content_type else {})}
        request = Request(self.address + path, data=body, headers=headers)
        try:
            status, _headers, text = smoke_test.responded(self._opener, request, LARGEST)
        except smoke_test.UnreachableError as error:
            raise NoAnswerError(f"the catalog server cannot be reached from this host at {self.address}: {error}", "503" in str(error)) from None
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if status in UNAVAILABLE:
            raise NoAnswerError(f"no pod of the catalog server is ready: {self.address} responded with status {status}", True)
        if status != 200 or not isinstance(answer, dict):
            said = answer.get("message") if isinstance(answer, dict) else None
            detail = f": {_texts.line(said)}" if isinstance(said, str) else ""
            raise NoAnswerError(f"the catalog server responded with status {status}{detail}")
        return answer


def _shown(item: Mapping[str, Any]) -> Shown:
    def texts(key: str) -> tuple[str, ...]:
        found = item.get(key)
        return tuple(map(str, found)) if isinstance(found, list) else ()

    status, error = item.get("status"), item.get("error")
    return Shown(
        str(item.get("name") or ""),
        item.get("enabled") is not False,
        texts("labels"),
        texts("includedModels"),
        texts("excludedModels"),
        str(status) if status else None,
        _texts.line(str(error)) if error else None,
    )


def find(cluster: client.Cluster, namespace: str) -> Server:
    """The catalog's server. NoAnswerError with the reason where it cannot be asked, or must not be."""
    token = cluster.bearer_token
    if token is None:
        raise NoAnswerError("this run has no token to send to the catalog server: it logs in with a certificate or a password, or impersonates another account")
    try:
        service = cluster.read(kinds.SERVICES, namespace, SERVICE)
        domains = registry_reader.ingress_domains(cluster)
    except _errors.ClusterError as error:
        raise NoAnswerError(f"the address of the catalog server could not be determined: {str(error).rstrip('.')}") from None
    annotated = (manifests.at(service, ("metadata", "annotations")) or {}).get(ADDRESS)
    if not annotated:
        raise NoAnswerError(f"the catalog server has no public address: Service {SERVICE!r} does not name one")
    host, slash, path = str(annotated).partition("/")
    address = f"https://{host[:-4] if host.endswith(':443') else host}{slash}{path}".rstrip("/")
    if not smoke_test.is_below(address, domains):
        known = f"the ingress domains of the cluster ({', '.join(domains)})" if domains else "a known domain"
        raise NoAnswerError(f"the catalog server was not contacted, because {address} is not in {known}, and users who can edit its Service can set its host")
    return Server(address, token, smoke_test.opener_with(cluster.ca_file))
