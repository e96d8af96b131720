# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings on the way to a database: what the settings, the CA, the address, and TLS mean for the registry server. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from .. import _options
from .._model import certificates, credentials, desired_state
from . import vocabulary

# What only the DNS of a cluster can know: the name of a Service, bare or with `.svc`.
CLUSTER_NAME = re.compile(r"[^.]+|[^.]+\.[^.]+\.svc(\.cluster\.local)?\.?")


@dataclass(frozen=True)
class Encryption:
    """How the registry server encrypts its connection at first. `optional`: it tries the other way too."""

    encrypted: bool
    checks_chain: bool = False
    checks_host: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Handshake:
    """What was seen of TLS. `failure` tells why there was none; `chain_failure` why the certificate does not hold against the CA, None when it does."""

    protocol: str | None = None
    certificate: certificates.Certificate | None = None
    failure: str = ""
    chain_failure: str | None = None


BROKEN_PAIR = vocabulary.failure(
    "settings",
    "The client certificate and its key cannot be read or do not match, and the registry server does not start",
    "Use a certificate and its unencrypted key in PEM format",
)


def encryption(view: vocabulary.View) -> Encryption:
    """What the server makes of its TLS settings (server v0.3.8, tried on MariaDB 10.11 and PostgreSQL 16)."""
    pair = bool(view.client_certificate and view.client_key)
    if view.type == _options.MYSQL:
        # Half of a client certificate is not presented, but it turns on TLS as the whole does.
        half = bool(view.client_certificate or view.client_key)
        encrypted = bool(view.ca is not None or view.verify_server_cert or half or view.ssl_cipher)
        return Encryption(encrypted, checks_chain=view.verify_server_cert, checks_host=view.verify_server_cert)
    # A CA or a client certificate turns every mode into `require`, which checks the chain when there is a CA, and never the host name.
    if view.ca is not None or pair:
        return Encryption(True, checks_chain=view.ca is not None)
    mode = view.ssl_mode or "disable"
    if mode in ("disable", "allow"):
        return Encryption(False, optional=mode == "allow")
    return Encryption(True, checks_chain=mode.startswith("verify"), checks_host=mode == "verify-full", optional=mode == "prefer")


def settings_findings(view: vocabulary.View) -> list[vocabulary.Finding]:
    """What the server cannot put into its connection string, or does not start with."""
    stored = view.password or ""
    password = None if view.type == _options.POSTGRESQL else stored
    database = desired_state.Database(type=view.type, name=view.name, username=view.username, password=password)
    found = [
        vocabulary.failure("settings", f"{problem.option} {problem.problem}", problem.remedy)
        for problem in desired_state.database_problems(database, view.type)
    ]
    if view.type == _options.POSTGRESQL and view.password_is_stored and credentials.breaks_url(stored):
        message = "The password in the Secret contains characters that are not valid in a connection URL, and the registry server does not start"
        found.append(vocabulary.failure("settings", message, "Store it percent-encoded, or set database.password, which encodes it"))
    if stored != stored.strip("\r\n"):
        found.append(
            vocabulary.warning(
                "settings", "The password starts or ends with a line break, which is often added by a file or a command", "Remove the line break"
            )
        )
    if bool(view.client_certificate) != bool(view.client_key):
        result, effect = (
            (vocabulary.WARNING, "does not present it, but encrypts the connection") if view.type == _options.MYSQL else (vocabulary.FAILURE, "does not start")
        )
        remedy = "Set both, or neither"
        found.append(
            vocabulary.Finding(
                "settings", result, f"A client certificate is set without its key, or a key without its certificate, and the registry server {effect}", remedy
            )
        )
    if view.ca is not None and not certificates.certificates_in(view.ca):
        message = "The CA bundle contains no PEM certificate, and the registry server does not start"
        found.append(vocabulary.failure("ca", message, "Store the CA certificate in PEM format in it"))
    return found or [vocabulary.ok("settings", "The registry server can use these settings")]


def ca_findings(view: vocabulary.View, now: datetime) -> list[vocabulary.Finding]:
    """The time that is left to the CA."""
    authorities = certificates.certificates_in(view.ca) if view.ca is not None else ()
    if not authorities:
        return []
    last = max(certificate.not_after for certificate in authorities)
    names = ", ".join(certificate.subject for certificate in authorities[:3]) + (" and others" if len(authorities) > 3 else "")
    if last < now:
        return [vocabulary.warning("ca", f"The CA certificate expired on {last:%Y-%m-%d} ({names})", "Use the new CA certificate")]
    if last < now + timedelta(days=certificates.EXPIRY_DAYS):
        return [vocabulary.warning("ca", f"The CA certificate expires on {last:%Y-%m-%d} ({names})", "Add the new CA certificate to the bundle in time")]
    return [vocabulary.ok("ca", f"The CA certificate is {names}, valid until {last:%Y-%m-%d}")]


def unresolved(view: vocabulary.View) -> vocabulary.Finding:
    """A host name that is unknown where the task runs."""
    is_service = CLUSTER_NAME.fullmatch(view.host) is not None
    reason = "is the name of a Service, which can be resolved only in the cluster" if is_service else "is a host name that cannot be resolved"
    message = f"The database cannot be reached from this host and was not checked: {view.host} {reason}"
    return vocabulary.warning("address", message, "Check database.host, or run the task on a host that can reach the database (delegate_to)", proven=False)


def unreachable(view: vocabulary.View, reason: str) -> vocabulary.Finding:
    """A port that takes no connection from here."""
    remedy = "Check database.host and database.port, that the database is running, and that firewalls allow connections from this host"
    return vocabulary.from_here(vocabulary.failure("port", f"{view.host} port {view.port}: {reason}", remedy))


def no_database(view: vocabulary.View, what: str) -> vocabulary.Finding:
    """A port behind which something else is."""
    return vocabulary.failure("port", f"{view.host} port {view.port}: the server is not {what}", "Check database.host and database.port")


def encryption_findings(view: vocabulary.View, offered: bool) -> list[vocabulary.Finding]:
    """Whether the connection will be encrypted."""
    use = encryption(view)
    option = "database.ca" if view.type == _options.MYSQL else "database.ca or database.ssl_mode"
    if use.encrypted and not offered:
        if use.optional:
            message = "The database does not support TLS, so the connection is not encrypted, although ssl_mode prefers encryption"
            return [vocabulary.warning("tls", message, "Enable TLS in the database")]
        message = "The database does not support TLS, and the registry server requires an encrypted connection"
        return [vocabulary.failure("tls", message, f"Enable TLS in the database, or remove {option}")]
    if use.encrypted:
        return [vocabulary.ok("tls", "The database supports TLS, and the connection is encrypted")]
    if offered:
        return [
            vocabulary.warning(
                "tls", "The database supports TLS, but the registry server does not use it: passwords and models are sent unencrypted", f"Set {option}"
            )
        ]
    return [vocabulary.warning("tls", "The database does not support TLS: models are sent unencrypted", "Enable TLS in the database")]


def handshake_findings(view: vocabulary.View, seen: Handshake, now: datetime) -> list[vocabulary.Finding]:
    """The protocol and certificate of a connection that the server encrypts, each told apart by whether the server looks at it."""
    use = encryption(view)
    if seen.failure:
        message = f"The TLS handshake failed: {seen.failure}. The registry server requires TLS 1.2 or later"
        return [vocabulary.failure("protocol", message, "Check the TLS settings of the database")]
    findings = [vocabulary.ok("protocol", f"The protocol is {seen.protocol}")] if seen.protocol else []
    findings.append(_chain_finding(view, use, seen.chain_failure))
    if seen.certificate is not None:
        findings += [_host_finding(view, use, seen.certificate), _expiry_finding(use, seen.certificate, now)]
    return findings


def _chain_finding(view: vocabulary.View, use: Encryption, failure: str | None) -> vocabulary.Finding:
    authority = "the CA" if view.ca is not None else "a CA of this host (the image of the registry server can contain other CAs)"
    if failure is None:
        if view.ca is None and not use.checks_chain:
            return vocabulary.warning("certificate", "The registry server does not verify the certificate of the database", "Set database.ca")
        unchecked = "" if use.checks_chain else ". The registry server does not verify this, because verify_server_cert is false"
        return vocabulary.ok("certificate", f"The certificate of the database is signed by {authority}{unchecked}")
    if not use.checks_chain:
        message = f"The certificate of the database cannot be verified with the CA ({failure}), but the registry server does not verify it"
        return vocabulary.warning("certificate", message, "Set database.ca to the CA certificate that signed it, then set verify_server_cert")
    remedy = "Set database.ca to the CA certificate that signed it"
    return vocabulary.failure("certificate", f"The certificate of the database is not signed by {authority}: {failure}", remedy)


def _host_finding(view: vocabulary.View, use: Encryption, certificate: certificates.Certificate) -> vocabulary.Finding:
    if certificates.covers(certificate, view.host):
        unchecked = "" if use.checks_host else ", which the registry server does not verify"
        return vocabulary.ok("host_name", f"The certificate is valid for {view.host}{unchecked}")
    names = ", ".join([*certificate.dns_names, *certificate.addresses][:8]) or "no host name (the common name is ignored)"
    message = f"The certificate is valid for {names}, not for {view.host}"
    if use.checks_host and not certificate.dns_names and not certificate.addresses:
        message = "The certificate contains no host name (subject alternative name), such as a certificate generated by MySQL; the common name is ignored"
        without = "database.verify_server_cert to false" if view.type == _options.MYSQL else "database.ssl_mode to require"
        return vocabulary.failure("host_name", message, f"Set {without}, which encrypts without verification, or use a certificate for {view.host}")
    if use.checks_host:
        remedy = "Set database.host to a host name that the certificate contains, or use a certificate that is valid for this host name"
        return vocabulary.failure("host_name", message, remedy)
    reason = "because verify_server_cert is false" if view.type == _options.MYSQL else "for PostgreSQL, regardless of ssl_mode"
    return vocabulary.warning("host_name", f"{message}. The registry server does not verify this {reason}", "Use a host name that the certificate contains")


def _expiry_finding(use: Encryption, certificate: certificates.Certificate, now: datetime) -> vocabulary.Finding:
    if not certificate.not_before <= now <= certificate.not_after:
        message = f"The certificate of the database is valid only from {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}"
        unchecked = "" if use.checks_chain else ". The registry server does not verify this"
        return vocabulary.Finding(
            "expiry", vocabulary.FAILURE if use.checks_chain else vocabulary.WARNING, message + unchecked, "Renew it, and check the system clocks"
        )
    if certificate.not_after < now + timedelta(days=certificates.EXPIRY_DAYS):
        return vocabulary.warning("expiry", f"The certificate of the database expires on {certificate.not_after:%Y-%m-%d}", "Renew it")
    return vocabulary.ok("expiry", f"The certificate of the database is valid until {certificate.not_after:%Y-%m-%d}")


def need_not_encrypt(view: vocabulary.View) -> vocabulary.Finding:
    """A login that works the way the server does it."""
    if encryption(view).encrypted:
        return vocabulary.ok("tls_required", "The connection is encrypted, whether the database requires it or not")
    return vocabulary.ok("tls_required", "The database does not require encryption")
