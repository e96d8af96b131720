# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a look at a database finds, and the database as the registry server (v0.3.14) is told about it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote

from .. import _options, _texts

OK, WARNING, FAILURE = "ok", "warning", "failure"
HIDDEN, LONGEST_TEXT = "********", 300
PEM = re.compile(r"-----BEGIN.*?(-----END[^-]*-----|\Z)", re.DOTALL)
# The account that MySQL takes for a user from every host for which there is no closer one.
EVERY_HOST = "%"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. A failure keeps the registry server from serving, a warning does not.

    What is not `proven` was seen by a connection from here, and a connection from the cluster may be treated otherwise: it is a warning at most.
    """

    check: str
    result: str
    message: str
    remedy: str = ""
    proven: bool = True

    @property
    def sentences(self) -> str:
        """The finding as text for people."""
        return ". ".join(part.rstrip(".") for part in (self.message, self.remedy) if part) + "."


def ok(check: str, message: str) -> Finding:
    """What is as it should be."""
    return Finding(check, OK, message)


def warning(check: str, message: str, remedy: str, proven: bool = True) -> Finding:
    """What the registry server can be used with."""
    return Finding(check, WARNING, message, remedy, proven)


def failure(check: str, message: str, remedy: str) -> Finding:
    """What keeps the registry server from serving."""
    return Finding(check, FAILURE, message, remedy)


# What whoever may edit a registry could otherwise learn is a password that only the controller has.
WITHHELD = warning(
    "login",
    "The login was not tested: the task does not set database.host, and the connection does not verify the identity of the server",
    "Set database.host, or set database.ca to a CA certificate",
    proven=False,
)


@dataclass(frozen=True)
class View:
    """A database as the registry server is told about it. Certificates and keys are PEM text; None and "" stand for none."""

    type: str
    host: str
    port: int
    name: str
    username: str
    # None: it could not be read, and nobody logs in.
    password: str | None = field(repr=False)
    ca: str | None = field(default=None, repr=False)
    verify_server_cert: bool = False
    ssl_mode: str | None = None
    client_certificate: str | None = field(default=None, repr=False)
    client_key: str | None = field(default=None, repr=False)
    ssl_cipher: str | None = None
    # Whether the password is the text that a Secret holds, which the operator puts into the connection string as it stands.
    password_is_stored: bool = False
    # Whether the password is new to the cluster and the host is one that the task does not name: it is shown to no server that does not prove to be that host.
    withholds_password: bool = False

    @property
    def effective_password(self) -> str:
        """The password that the server logs in with: a PostgreSQL password is part of a URL."""
        password = self.password or ""
        return unquote(password) if self.password_is_stored and self.type == _options.POSTGRESQL else password


@dataclass(frozen=True)
class Schema:
    """The tables of a database. `version` is None where no migration ever ran."""

    tables: tuple[str, ...] = ()
    version: int | None = None
    dirty: bool = False


def from_here(finding: Finding) -> Finding:
    """A finding that depends on where the connection comes from."""
    return replace(
        finding,
        result=WARNING,
        message=f"{finding.message}. This result applies to connections from this host; connections from the cluster can have a different result",
        proven=False,
    )


def of_account(finding: Finding, host: str) -> Finding:
    """A finding about the account of MySQL that a login from here was given: by its host, that of the cluster may be another account."""
    return finding if finding.result == OK or host == EVERY_HOST else from_here(finding)


def repeated(view: View, text: str) -> str:
    """What a database said, in one line without control characters, cut, and without a secret that it may have repeated."""
    return _texts.line(masked(view, text), LONGEST_TEXT) or "no reason reported"


def masked(view: View, text: str) -> str:
    """A text without the password and the keys that a database may have repeated."""
    secrets = {view.password or "", view.effective_password, quote(view.password or "", safe=""), view.client_key or ""}
    for line in sorted({line for secret in secrets for line in (secret, *secret.splitlines()) if line.strip()}, key=len, reverse=True):
        text = text.replace(line, HIDDEN)
    return PEM.sub(HIDDEN, text)


def failures(findings: Iterable[Finding]) -> list[Finding]:
    """Those of the findings that keep the registry server from serving."""
    return [finding for finding in findings if finding.result == FAILURE]


def usable(findings: Iterable[Finding]) -> bool | None:
    """Whether a registry server would serve with what was found; None when the database could not be looked at from here."""
    found = list(findings)
    if failures(found):
        return False
    seen = all(finding.proven for finding in found) and any((finding.check, finding.result) == ("login", OK) for finding in found)
    return True if seen else None


def as_results(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The findings as part of a result."""
    return [{"check": finding.check, "result": finding.result, "message": finding.message, "remedy": finding.remedy} for finding in findings]
