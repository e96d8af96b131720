# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask a registry itself, from outside of the cluster, whether it answers. Nothing is written."""

from __future__ import annotations

import ssl
import time
from dataclasses import asdict, dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

# The cheapest request that reaches the database (server v0.3.8).
PATH = "/api/model_registry/v1alpha3/registered_models?pageSize=1"
SECONDS = 10
# A proxy that has just started refuses every token for a moment, and a router learns late of a new server.
ATTEMPTS = 6
PASSING = (401, 502, 503)


@dataclass(frozen=True)
class Answer:
    """What came of the request. `result` is one of ok, unauthorized, forbidden, failed, unreachable, no_token, no_address."""

    result: str
    message: str
    http_status: int | None = None

    def as_result(self) -> dict[str, Any]:
        """The answer as results show it."""
        return asdict(self)


def ask(address: str | None, token: str | None, ca_file: str | None) -> Answer:
    """Ask the registry at its public address with this token. The certificate is checked with the system's CAs and those in `ca_file`."""
    if address is None:
        return Answer("no_address", "the registry has no public address")
    if token is None:
        return Answer("no_token", "this run has no token to show to the registry: it logs in to the cluster with a certificate or a password")
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    # Ansible's own urls would be put into every module, which takes longer than it takes them to find that nothing is to be done.
    opener = build_opener(HTTPSHandler(context=context), _NoRedirects)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with opener.open(Request(address + PATH, headers={"Authorization": f"Bearer {token}"}), timeout=SECONDS) as response:
                return in_words(response.status)
        except HTTPError as error:
            if error.code not in PASSING or attempt == ATTEMPTS:
                return in_words(error.code)
        except (URLError, OSError, ValueError) as error:
            reason = str(getattr(error, "reason", error))
            return Answer("unreachable", f"the registry cannot be reached from here at {address}: {reason}")
        time.sleep(1)
    return in_words(PASSING[-1])


class _NoRedirects(HTTPRedirectHandler):
    """They would take the token to another server."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> None:
        """None, so that the redirect is the answer."""


def in_words(status: int) -> Answer:
    """What an HTTP status of the registry means."""
    if status == 200:
        return Answer("ok", "the registry answers", status)
    if status in (301, 302, 303, 307, 401):
        return Answer("unauthorized", "the registry does not accept the token of this run", status)
    if status == 403:
        return Answer("forbidden", "the registry answers, and the account of this run may not use it: it has no access to it", status)
    return Answer("failed", f"the registry answers with the status {status}", status)
