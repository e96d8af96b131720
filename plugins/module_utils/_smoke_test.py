# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask a registry itself, from outside of the cluster, whether it answers. Nothing is written."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any
from urllib.error import HTTPError, URLError

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
    """Ask the registry at its public address with this token. The certificate is checked with the system's CAs, then with `ca_file`."""
    if address is None:
        return Answer("no_address", "the registry has no public address")
    if token is None:
        return Answer("no_token", "this run has no token to show to the registry: it logs in to the cluster with a certificate or a password")
    answer = _asked(address, token, None)
    if answer.result == "unreachable" and "CERTIFICATE_VERIFY_FAILED" in answer.message and ca_file is not None:
        answer = _asked(address, token, ca_file)
    return answer


def _asked(address: str, token: str, ca_file: str | None) -> Answer:
    # Only here: loading it takes as long as ten requests to the API server, and most runs do not need it.
    from ansible.module_utils.urls import open_url

    for attempt in range(1, ATTEMPTS + 1):
        try:
            # Redirects would take the token to another server.
            response = open_url(
                address + PATH, headers={"Authorization": f"Bearer {token}"}, ca_path=ca_file, timeout=SECONDS, follow_redirects="none", use_netrc=False
            )
            return in_words(int(response.getcode()))
        except HTTPError as error:
            if error.code not in PASSING or attempt == ATTEMPTS:
                return in_words(error.code)
        except (URLError, OSError, ValueError) as error:
            reason = str(getattr(error, "reason", error))
            return Answer("unreachable", f"the registry cannot be reached from here at {address}: {reason}")
        time.sleep(1)
    return in_words(PASSING[-1])


def in_words(status: int) -> Answer:
    """What an HTTP status of the registry means."""
    if status == 200:
        return Answer("ok", "the registry answers", status)
    if status in (301, 302, 303, 307, 401):
        return Answer("unauthorized", "the registry does not accept the token of this run", status)
    if status == 403:
        return Answer("forbidden", "the registry answers, and the account of this run may not use it: it has no access to it", status)
    return Answer("failed", f"the registry answers with the status {status}", status)
