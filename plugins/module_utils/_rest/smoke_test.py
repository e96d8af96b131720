# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask a registry itself, from outside of the cluster, whether it answers. Nothing is written.

Its address is what the registry's status names, which whoever may edit the registry has chosen: so the token of a run goes only to hosts that are known by
other means to be the cluster's.
"""

from __future__ import annotations

import itertools
import re
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from email.message import Message
from email.utils import parsedate_to_datetime
from functools import partial
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from .. import _deadline, _errors, _texts
from .._cluster import registry_reader

# The cheapest request that reaches the database (server v0.3.8), and the versions of the API: servers since OpenShift AI 3.6 have the first one too.
PATH = "/api/model_registry/{}/registered_models?pageSize=1"
VERSIONS = ("v1", "v1alpha3")
SECONDS = 10
# A host name, and perhaps a path: no user, no port, and no character that one parser of addresses takes for another part than the next one does.
ADDRESS = re.compile(r"https://((?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?\.)+[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)(?:/[-A-Za-z0-9._~/]*)?")
# A proxy that has just started refuses every token for a moment, and a router learns late of a new server.
ATTEMPTS = 6
PASSING = (401, 502, 503)
LONGEST_DATE = 60


@dataclass(frozen=True)
class Sunset:
    """A version of the API that the server announces the end of, on a day or in words of its own."""

    api_version: str
    date: str
    message: str


@dataclass(frozen=True)
class Answer:
    """What came of the request. `result` is one of ok, unauthorized, forbidden, failed, unreachable; without one of no_token, no_address, not_trusted."""

    result: str
    message: str
    http_status: int | None = None
    # Of the API, as far as the registry was asked.
    api_version: str | None = None
    sunset: Sunset | None = None

    def as_result(self) -> dict[str, Any]:
        """The answer as results show it."""
        return asdict(self)


def is_below(address: str, domains: Iterable[str]) -> bool:
    """Whether the host of an address is one of these domains or below it, label by label. A domain may be written with a leading `*.` or dot."""
    parsed = ADDRESS.fullmatch(address)
    host = parsed[1] if parsed else ""
    known = (domain.lower().removeprefix("*").strip(".") for domain in domains)
    return any(domain and (host == domain or host.endswith(f".{domain}")) for domain in known)


def ask_registry(reader: registry_reader.Reader, address: str | None, listed: Iterable[str]) -> Answer:
    """Ask a registry at its public address as the account that the reader has. The token is for hosts of the cluster's ingress and of `listed`."""
    cluster, domains, unseen = reader.cluster, list(listed), ""
    if address and cluster.bearer_token and not is_below(address, domains):
        try:
            domains += reader.ingress_domains()
        except _errors.ClusterError as error:
            unseen = f"The ingress domain of the cluster could not be determined: {error}"
    return ask(address, cluster.bearer_token, cluster.ca_file, domains, unseen)


def ask(address: str | None, token: str | None, ca_file: str | None, domains: Iterable[str], unseen: str = "") -> Answer:
    """Ask the registry at its public address with this token. The certificate is checked with the system's CAs and those in `ca_file`.

    The answer is that of the newest version of the API that the server knows. An older one is asked as well, for clients may use it, and only there the
    server announces its end. No request is sent to a host that is not below one of the domains; `unseen` tells which of them could not be read.
    """
    if address is None:
        return Answer("no_address", "the registry has no public address")
    if token is None:
        return Answer("no_token", "this run has no token to send to the registry: it logs in with a certificate or a password, or impersonates another account")
    listed = list(domains)
    if not is_below(address, listed):
        known = f"one of the known domains ({', '.join(listed)})" if listed else "a known domain"
        reason = f"no request was sent, because {address} is not in {known}, and users who can edit the registry can set its host"
        return Answer("not_trusted", f"{reason}. To send the token of this run there, add its domain to smoke_test_domains{unseen and f'. {unseen}'}")
    opener = opener_with(ca_file)
    newest, older = (partial(_answer, opener, address, token, version) for version in VERSIONS)
    answer = newest()
    if answer.http_status == _errors.NOT_FOUND:
        answer = older()
    elif answer.result == "ok" and answer.sunset is None:
        answer = replace(answer, sunset=older().sunset)
    if answer.sunset and answer.api_version != answer.sunset.api_version:
        sunset = replace(answer.sunset, message=f"{answer.sunset.message}. Update its clients to {answer.api_version}")
        return replace(answer, sunset=sunset)
    return answer


def opener_with(ca_file: str | None) -> OpenerDirector:
    """What sends requests that no redirect takes to another server. The certificate is checked with the system's CAs and those in `ca_file`."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    # Ansible's own urls would be put into every module, which takes longer than it takes them to find that nothing is to be done.
    return build_opener(HTTPSHandler(context=context), _NoRedirects)


class UnreachableError(Exception):
    """A server at a public address did not answer; the text says why."""


def responded(opener: OpenerDirector, request: Request, longest: int = 0) -> tuple[int, Message, bytes]:
    """The status and the headers of the response to a request, and the first bytes of its body. UnreachableError when there is no response."""

    def ask() -> tuple[int, Message, bytes]:
        try:
            response = opener.open(request, timeout=SECONDS)
        except HTTPError as error:
            response = error
        with response:
            return response.status, response.headers, response.read(longest)

    try:
        # A host that sends one byte now and then keeps every read within its time.
        return _deadline.within(SECONDS, ask)
    except (URLError, OSError, ValueError, HTTPException) as error:
        raise UnreachableError(_texts.reason(error.reason if isinstance(error, URLError) else error)) from None


def _answer(opener: OpenerDirector, address: str, token: str, version: str) -> Answer:
    for attempt in itertools.count(1):
        # A new one each time: a proxy leaves its traces in it.
        request = Request(address + PATH.format(version), headers={"Authorization": f"Bearer {token}"})
        try:
            status, headers, _body = responded(opener, request)
        except UnreachableError as error:
            return Answer("unreachable", f"the registry cannot be reached from this host at {address}: {error}")
        if status not in PASSING or attempt == ATTEMPTS:
            break
        time.sleep(1)
    return replace(in_words(status), api_version=version, sunset=announced(version, headers.get("Sunset")))


def warnings(registries: Iterable[tuple[str, Mapping[str, Any] | None]]) -> list[str]:
    """What is not as it should be with the answers of registries, as results show them; what is the same of several is one warning."""
    said: dict[str, list[str]] = {}
    for name, answer in registries:
        if answer and answer["result"] != "ok":
            said.setdefault(answer["message"], []).append(repr(name))
        if answer and answer["sunset"]:
            said.setdefault(answer["sunset"]["message"], []).append(repr(name))
    return [f"smoke test of registry {_texts.names_of(names)}: {text}" for text, names in said.items()]


def announced(version: str, header: str | None) -> Sunset | None:
    """What a Sunset header (RFC 8594) says of a version of the API."""
    if not header:
        return None
    try:
        date = parsedate_to_datetime(header).strftime("%Y-%m-%d")
    except (TypeError, ValueError, IndexError):
        # Not as the standard wants it. What the server means may be told all the same.
        date = _texts.line(header, LONGEST_DATE)
    return Sunset(version, date, f"the registry no longer provides version {version} of its REST API after {date}")


class _NoRedirects(HTTPRedirectHandler):
    """They would take the token to another server."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> None:
        """None, so that the redirect is the answer."""


def in_words(status: int) -> Answer:
    """What an HTTP status of the registry means."""
    if status == 200:
        return Answer("ok", "the registry responds", status)
    if status in (301, 302, 303, 307, 401):
        return Answer("unauthorized", "the registry does not accept the token of this run", status)
    if status == 403:
        return Answer("forbidden", "the registry responds, but the account of this run does not have access to it", status)
    return Answer("failed", f"the registry responds with status {status}", status)
