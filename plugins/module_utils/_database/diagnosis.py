# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings about a database: whether the registry server (v0.3.14) can run with it, and otherwise the cause and the remedy. Pure: it opens no connection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from .. import _options, _texts
from .._model import certificates, desired_state, passwords

OK, WARNING, FAILURE = "ok", "warning", "failure"
# The newest migration that the server has.
NEWEST_MIGRATION = {_options.MYSQL: 21, _options.POSTGRESQL: 25}
# The one after which no migration of PostgreSQL changes tables that exist.
LAST_CHANGE_OF_TABLES = 24
OLDEST_POSTGRESQL = 16
FEW_CONNECTIONS = 5
# The registry server opens a second connection while the first one is busy, and ends where it gets none.
NEEDED_CONNECTIONS = 2
# What a start of the registry server takes from the hourly limits of a user of MySQL, the check before it included: with an empty database (tried on MySQL
# 9.7: 346 queries and 60 updates), and with one that has its tables.
HOURLY_NEEDS = {"CONNECTIONS": (3, 3), "QUERIES": (400, 50), "UPDATES": (60, 1)}
HOURLY_LIMIT = re.compile(r"\bMAX_(QUERIES|UPDATES|CONNECTIONS)_PER_HOUR (\d+)")
# The migration of MySQL that makes a table without a primary key.
WITHOUT_PRIMARY_KEY = 8
# Settings of MySQL and MariaDB that decide; none of the servers has all of them.
MYSQL_SETTINGS = (
    "version",
    "max_connections",
    "max_user_connections",
    "read_only",
    "super_read_only",
    "innodb_read_only",
    "transaction_read_only",
    "tx_read_only",
    "partial_revokes",
    "lower_case_table_names",
    "sql_require_primary_key",
    "sql_generate_invisible_primary_key",
    "innodb_force_primary_key",
)
# Our own number beside those of MySQL: a login that would show the password.
CLEAR_PASSWORD = -1
READ_ONLY_TRANSACTIONS = "Transactions are read-only by default"
HIDDEN, LONGEST_TEXT = "********", 300
PEM = re.compile(r"-----BEGIN.*?(-----END[^-]*-----|\Z)", re.DOTALL)
# The account that MySQL takes for a user from every host for which there is no closer one.
EVERY_HOST = "%"
# Found by starting the real server on MariaDB 10.11 and PostgreSQL 16 as a user with one privilege withheld at a time, on an empty database and on a migrated
# one, and by using every kind of request. Without one of the first the migrations fail, without the second every change of a model does. DROP, ALTER,
# INDEX, REFERENCES and the rest were not needed.
MYSQL_MIGRATION_PRIVILEGES = ("SELECT", "INSERT", "DELETE", "CREATE")
TABLE_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE")
CLUSTER_NAME = re.compile(r"[^.]+|[^.]+\.[^.]+\.svc(\.cluster\.local)?\.?")
GRANT = re.compile(r"(?P<verb>GRANT|REVOKE) (?P<what>.+) ON (?P<database>\*|`(?:[^`]|``)+`)\.(?P<table>\*|`(?:[^`]|``)+`) (?:TO|FROM) (?P<grantee>.+)")
ROLE_GRANT = re.compile(r"GRANT (?P<roles>`.+`(?:@`.*`)?) TO (?P<grantee>.+)")


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


# What whoever may edit a registry could otherwise learn is a password that only the controller has.
WITHHELD = Finding(
    "login",
    WARNING,
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


@dataclass(frozen=True)
class Schema:
    """The tables of a database. `version` is None where no migration ever ran."""

    tables: tuple[str, ...] = ()
    version: int | None = None
    dirty: bool = False


BROKEN_PAIR = Finding(
    "settings",
    FAILURE,
    "The client certificate and its key cannot be read or do not match, and the registry server does not start",
    "Use a certificate and its unencrypted key in PEM format",
)


def encryption(view: View) -> Encryption:
    """What the server makes of its TLS settings (server v0.3.8, tried on MariaDB 10.11 and PostgreSQL 16)."""
    pair = bool(view.client_certificate and view.client_key)
    if view.type == _options.MYSQL:
        encrypted = bool(view.ca is not None or view.verify_server_cert or pair or view.ssl_cipher)
        return Encryption(encrypted, checks_chain=view.verify_server_cert, checks_host=view.verify_server_cert)
    # A CA or a client certificate turns every mode into `require`, which checks the chain when there is a CA, and never the host name.
    if view.ca is not None or pair:
        return Encryption(True, checks_chain=view.ca is not None)
    mode = view.ssl_mode or "disable"
    if mode in ("disable", "allow"):
        return Encryption(False, optional=mode == "allow")
    return Encryption(True, checks_chain=mode.startswith("verify"), checks_host=mode == "verify-full", optional=mode == "prefer")


def settings_findings(view: View) -> list[Finding]:
    """What the server cannot put into its connection string, or does not start with."""
    stored = view.password or ""
    password = None if view.type == _options.POSTGRESQL else stored
    database = desired_state.Database(type=view.type, name=view.name, username=view.username, password=password)
    found = [
        Finding("settings", FAILURE, f"{problem.option} {problem.problem}", problem.remedy) for problem in desired_state.database_problems(database, view.type)
    ]
    if view.type == _options.POSTGRESQL and view.password_is_stored and passwords.breaks_url(stored):
        message = "The password in the Secret contains characters that are not valid in a connection URL, and the registry server does not start"
        found.append(Finding("settings", FAILURE, message, "Store it percent-encoded, or set database.password, which encodes it"))
    if stored != stored.strip("\r\n"):
        found.append(
            Finding("settings", WARNING, "The password starts or ends with a line break, which is often added by a file or a command", "Remove the line break")
        )
    if bool(view.client_certificate) != bool(view.client_key):
        result, effect = (WARNING, "ignores it") if view.type == _options.MYSQL else (FAILURE, "does not start")
        remedy = "Set both, or neither"
        found.append(
            Finding(
                "settings", result, f"A client certificate is set without its key, or a key without its certificate, and the registry server {effect}", remedy
            )
        )
    if view.ca is not None and not certificates.certificates_in(view.ca):
        message = "The CA bundle contains no PEM certificate, and the registry server does not start"
        found.append(Finding("ca", FAILURE, message, "Store the CA certificate in PEM format in it"))
    return found or [Finding("settings", OK, "The registry server can use these settings")]


def ca_findings(view: View, now: datetime) -> list[Finding]:
    """The time that is left to the CA."""
    authorities = certificates.certificates_in(view.ca) if view.ca is not None else ()
    if not authorities:
        return []
    last = max(certificate.not_after for certificate in authorities)
    names = ", ".join(certificate.subject for certificate in authorities[:3]) + (" and others" if len(authorities) > 3 else "")
    if last < now:
        return [Finding("ca", WARNING, f"The CA certificate expired on {_day(last)} ({names})", "Use the new CA certificate")]
    if last < now + timedelta(days=certificates.EXPIRY_DAYS):
        return [Finding("ca", WARNING, f"The CA certificate expires on {_day(last)} ({names})", "Add the new CA certificate to the bundle in time")]
    return [Finding("ca", OK, f"The CA certificate is {names}, valid until {_day(last)}")]


def is_cluster_name(host: str) -> bool:
    """Whether only the DNS of a cluster can know a name: a Service's, bare or with `.svc`."""
    return CLUSTER_NAME.fullmatch(host) is not None


def unresolved(view: View) -> Finding:
    """A host name that is unknown where the task runs."""
    reason = "is the name of a Service, which can be resolved only in the cluster" if is_cluster_name(view.host) else "is a host name that cannot be resolved"
    message = f"The database cannot be reached from this host and was not checked: {view.host} {reason}"
    return Finding("address", WARNING, message, "Check database.host, or run the task on a host that can reach the database (delegate_to)", proven=False)


def unreachable(view: View, reason: str) -> Finding:
    """A port that takes no connection from here."""
    remedy = "Check database.host and database.port, that the database is running, and that firewalls allow connections from this host"
    return _from_here(Finding("port", FAILURE, f"{view.host} port {view.port}: {reason}", remedy))


def no_database(view: View, what: str) -> Finding:
    """A port behind which something else is."""
    return Finding("port", FAILURE, f"{view.host} port {view.port}: the server is not {what}", "Check database.host and database.port")


def _from_here(finding: Finding) -> Finding:
    """A finding that depends on where the connection comes from."""
    return replace(
        finding,
        result=WARNING,
        message=f"{finding.message}. This result applies to connections from this host; connections from the cluster can have a different result",
        proven=False,
    )


def of_account(finding: Finding, host: str) -> Finding:
    """A finding about the account of MySQL that a login from here was given: by its host, that of the cluster may be another account."""
    return finding if finding.result == OK or host == EVERY_HOST else _from_here(finding)


def encryption_findings(view: View, offered: bool) -> list[Finding]:
    """Whether the connection will be encrypted."""
    use = encryption(view)
    option = "database.ca" if view.type == _options.MYSQL else "database.ca or database.ssl_mode"
    if use.encrypted and not offered:
        if use.optional:
            message = "The database does not support TLS, so the connection is not encrypted, although ssl_mode prefers encryption"
            return [Finding("tls", WARNING, message, "Enable TLS in the database")]
        message = "The database does not support TLS, and the registry server requires an encrypted connection"
        return [Finding("tls", FAILURE, message, f"Enable TLS in the database, or remove {option}")]
    if use.encrypted:
        return [Finding("tls", OK, "The database supports TLS, and the connection is encrypted")]
    if offered:
        return [
            Finding(
                "tls", WARNING, "The database supports TLS, but the registry server does not use it: passwords and models are sent unencrypted", f"Set {option}"
            )
        ]
    return [Finding("tls", WARNING, "The database does not support TLS: models are sent unencrypted", "Enable TLS in the database")]


def handshake_findings(view: View, seen: Handshake, now: datetime) -> list[Finding]:
    """The protocol and certificate of a connection that the server encrypts, each told apart by whether the server looks at it."""
    use = encryption(view)
    if seen.failure:
        message = f"The TLS handshake failed: {seen.failure}. The registry server requires TLS 1.2 or later"
        return [Finding("protocol", FAILURE, message, "Check the TLS settings of the database")]
    findings = [Finding("protocol", OK, f"The protocol is {seen.protocol}")] if seen.protocol else []
    findings.append(_chain_finding(view, use, seen.chain_failure))
    if seen.certificate is not None:
        findings += [_host_finding(view, use, seen.certificate), _expiry_finding(use, seen.certificate, now)]
    return findings


def _chain_finding(view: View, use: Encryption, failure: str | None) -> Finding:
    authority = "the CA" if view.ca is not None else "a CA of this host (the image of the registry server can contain other CAs)"
    if failure is None:
        if view.ca is None and not use.checks_chain:
            return Finding("certificate", WARNING, "The registry server does not verify the certificate of the database", "Set database.ca")
        unchecked = "" if use.checks_chain else ". The registry server does not verify this, because verify_server_cert is false"
        return Finding("certificate", OK, f"The certificate of the database is signed by {authority}{unchecked}")
    if not use.checks_chain:
        message = f"The certificate of the database cannot be verified with the CA ({failure}), but the registry server does not verify it"
        return Finding("certificate", WARNING, message, "Set database.ca to the CA certificate that signed it, then set verify_server_cert")
    remedy = "Set database.ca to the CA certificate that signed it"
    return Finding("certificate", FAILURE, f"The certificate of the database is not signed by {authority}: {failure}", remedy)


def _host_finding(view: View, use: Encryption, certificate: certificates.Certificate) -> Finding:
    if certificates.covers(certificate, view.host):
        unchecked = "" if use.checks_host else ", which the registry server does not verify"
        return Finding("host_name", OK, f"The certificate is valid for {view.host}{unchecked}")
    names = ", ".join([*certificate.dns_names, *certificate.addresses][:8]) or "no host name (the common name is ignored)"
    message = f"The certificate is valid for {names}, not for {view.host}"
    if use.checks_host and not certificate.dns_names and not certificate.addresses:
        message = "The certificate contains no host name (subject alternative name), such as a certificate generated by MySQL; the common name is ignored"
        without = "database.verify_server_cert to false" if view.type == _options.MYSQL else "database.ssl_mode to require"
        return Finding("host_name", FAILURE, message, f"Set {without}, which encrypts without verification, or use a certificate for {view.host}")
    if use.checks_host:
        return Finding("host_name", FAILURE, message, "Set database.host to a host name of the certificate, or use a certificate for this host name")
    reason = "because verify_server_cert is false" if view.type == _options.MYSQL else "for PostgreSQL, regardless of ssl_mode"
    return Finding("host_name", WARNING, f"{message}. The registry server does not verify this {reason}", "Use a host name of the certificate")


def _expiry_finding(use: Encryption, certificate: certificates.Certificate, now: datetime) -> Finding:
    if not certificate.valid_at(now):
        message = f"The certificate of the database is valid only from {_day(certificate.not_before)} to {_day(certificate.not_after)}"
        unchecked = "" if use.checks_chain else ". The registry server does not verify this"
        return Finding("expiry", FAILURE if use.checks_chain else WARNING, message + unchecked, "Renew it, and check the clocks")
    if certificate.not_after < now + timedelta(days=certificates.EXPIRY_DAYS):
        return Finding("expiry", WARNING, f"The certificate of the database expires on {_day(certificate.not_after)}", "Renew it")
    return Finding("expiry", OK, f"The certificate of the database is valid until {_day(certificate.not_after)}")


def need_not_encrypt(view: View) -> Finding:
    """A login that works the way the server does it."""
    if encryption(view).encrypted:
        return Finding("tls_required", OK, "The connection is encrypted, whether the database requires it or not")
    return Finding("tls_required", OK, "The database does not require encryption")


# MySQL's and MariaDB's refusals, by number. Those that hold for every client; all others are about an account, which the host of the client chooses.
_MYSQL_EVERYWHERE = {
    1040: ("login", "The database has no connections left", "Increase max_connections, or close other connections"),
    1049: ("database", "The database does not exist on the server", "Create it, or correct database.name"),
    3032: ("login", "The database is in offline mode", "Run SET GLOBAL offline_mode = OFF"),
    3159: ("tls_required", "The database accepts only encrypted connections, and the connection of the registry server is not encrypted", "Set database.ca"),
}


_MYSQL_OF_ACCOUNTS = {
    1129: (
        "The database blocks this host after too many connection errors",
        "Run `TRUNCATE TABLE performance_schema.host_cache` on MySQL, FLUSH HOSTS on MariaDB",
    ),
    1130: ("The database does not allow connections from this host", "Check that the user has an account for the hosts of the cluster"),
    1203: ("The user has no connections left", "Increase the connection limit of the user"),
    1226: ("The user has reached a limit", "Increase the limits of the user"),
    1251: ("The authentication method of the user is not supported by this check", "Change the authentication plugin of the user"),
    1524: ("The authentication plugin of the user is not loaded", "Change the authentication plugin of the user, for example to caching_sha2_password"),
    1698: ("The user cannot log in with a password", "Set a password for the user"),
    1820: ("The password of the user has expired", "Set a new password"),
    1862: ("The password of the user has expired", "Set a new password"),
    3118: ("The account of the user is locked", "Unlock the account"),
    3955: ("The account of the user is blocked after too many failed logins", "Unlock the account, and check database.password"),
    4151: ("The account of the user is locked", "Unlock the account"),
    CLEAR_PASSWORD: (
        "The database requests the password in clear text. The password was not sent, and the registry server does not send it either",
        "Check database.host, or change the authentication plugin of the user, for example to caching_sha2_password",
    ),
}


_POSTGRESQL_REFUSALS = (
    (
        r"password authentication failed|no password supplied",
        "login",
        "The user name or the password is wrong",
        "Check database.username and database.password",
    ),
    (r'database ".*" does not exist', "database", "The database does not exist on the server", "Create it, or correct database.name"),
    (
        r"permission denied for database",
        "database",
        "The user does not have permission to connect to the database",
        "Grant CONNECT on the database to the user",
    ),
    (r'role ".*" does not exist', "login", "The user does not exist", "Create it, or correct database.username"),
    (r"is not permitted to log in", "login", "The user is not allowed to log in", "Grant LOGIN to the role"),
    (
        r"too many (clients|connections)|remaining connection slots",
        "login",
        "The database has no connections left",
        "Increase its limit, or close other connections",
    ),
    (r"the database system is", "login", "The database is starting or stopping", "Run again later"),
)


OLD_LIBPQ = Finding(
    "login",
    WARNING,
    "The login was not tested: the installed library (libpq before 16) would send the password in clear text if the database requests it",
    "Install a newer library where this task runs (pip install --upgrade psycopg[binary]), or set database.ca",
    proven=False,
)


_NO_ENTRY = re.compile(r"no pg_hba\.conf entry|pg_hba\.conf rejects")


WITHOUT_TLS = re.compile(r"no encryption|SSL off")


def mysql_refusal(view: View, code: int, text: str, encrypted: bool) -> Finding:
    """Why MySQL or MariaDB does not take a login, by the number of its error."""
    if code in _MYSQL_EVERYWHERE:
        check, message, remedy = _MYSQL_EVERYWHERE[code]
        return Finding(check, FAILURE, f"{message} (error {code})", remedy)
    if code == 1045:
        message = "The database rejects the login: the user name or the password is wrong, or the account of the user is for other hosts"
        message += ("" if encrypted else ", or the user must use TLS") + ("" if view.client_certificate else ", or must present a client certificate")
        remedy = "Check database.username and database.password" + ("" if encrypted else ", or set database.ca")
    else:
        message, remedy = _MYSQL_OF_ACCOUNTS.get(code, (f"The database rejects the login: {repeated(view, text)}", "See the log of the database"))
    return _from_here(Finding("login", FAILURE, f"{message} (error {code})" if code > 0 else message, remedy))


def mysql_database_refusal(view: View, code: int, text: str, host: str) -> Finding:
    """Why MySQL or MariaDB does not let a user who has logged in, as an account for this host, use the database."""
    if code == 1044:
        remedy = "Create the database, and grant the user all privileges on it"
        return of_account(Finding("database", FAILURE, "The user has no privileges on the database, or it does not exist (error 1044)", remedy), host)
    return replace(mysql_refusal(view, code, text, encrypted=True), check="database")


def interrupted(view: View, code: int, text: str) -> Finding:
    """Why a database does not answer a user who has logged in."""
    if code in _MYSQL_OF_ACCOUNTS:
        return mysql_database_refusal(view, code, text, "")
    return Finding("database", WARNING, f"The database does not allow this check: {repeated(view, text)}", "See the log of the database", proven=False)


def postgresql_refusal(view: View, text: str) -> Finding:
    """Why PostgreSQL does not take a login, by the words of its error."""
    if _NO_ENTRY.search(text) and WITHOUT_TLS.search(text):
        message = "The access rules of the database (pg_hba.conf) do not allow this user to connect from this host without encryption"
        return _from_here(Finding("tls_required", FAILURE, message, "Set database.ca, or ssl_mode to require"))
    if _NO_ENTRY.search(text):
        message = "The access rules of the database (pg_hba.conf) do not allow this user to connect from this host"
        return _from_here(Finding("login", FAILURE, message, "Check that they allow the hosts of the cluster"))
    for pattern, check, message, remedy in _POSTGRESQL_REFUSALS:
        if re.search(pattern, text):
            return Finding(check, FAILURE, message, remedy)
    if "cleartext password" in text:
        message = "The database requests the password in clear text over an unencrypted connection. It was not sent, but the registry server would send it"
        return _from_here(Finding("login", FAILURE, message, "Set database.ca, set ssl_mode to require, or use scram-sha-256 in pg_hba.conf"))
    if "certificate verify failed" in text:
        # The chain has been checked before, by Go's rules, which take a CA whose own issuer is not given.
        message = "The login could not be tested: the installed library accepts only root CA certificates"
        return Finding("login", WARNING, message, "Add the root CA certificate to the bundle")
    return _from_here(Finding("login", FAILURE, f"The database rejects the login: {repeated(view, text)}", "See the log of the database"))


def unexpected(error: Exception) -> Finding:
    """What made a look end before it was done. The text of the error is not told: it may repeat a password."""
    message = f"The check of the database was not completed: the database, or an option, has an unexpected value ({type(error).__name__})"
    return Finding("database", WARNING, message, "Check the options of the database, and which server is running at its address", proven=False)


def repeated(view: View, text: str) -> str:
    """What a database said, in one line without control characters, cut, and without a secret that it may have repeated."""
    secrets = {view.password or "", view.effective_password, quote(view.password or "", safe=""), view.client_key or ""}
    for line in sorted({line for secret in secrets for line in (secret, *secret.splitlines()) if line.strip()}, key=len, reverse=True):
        text = text.replace(line, HIDDEN)
    return _texts.line(PEM.sub(HIDDEN, text), LONGEST_TEXT) or "no reason reported"


def version_text(text: str) -> str:
    """A version without the one of MySQL that MariaDB puts in front of its own, for old clients."""
    return text[6:] if text.startswith("5.5.5-") and "MariaDB" in text else text


def version_finding(kind: str, text: str) -> Finding:
    """Whether the registry server works with this version."""
    if kind == _options.POSTGRESQL:
        version = _numbers(text)
        if version < (OLDEST_POSTGRESQL,):
            message = f"PostgreSQL {text} is not supported: a migration fails and leaves the schema marked dirty"
            return Finding("version", FAILURE, message, f"Use PostgreSQL {OLDEST_POSTGRESQL} or later before you create a registry")
        return Finding("version", OK, f"The server is PostgreSQL {text}")
    mariadb = re.search(r"(\d+\.\d+\.\d+)-MariaDB", text)
    if mariadb:
        if _numbers(mariadb[1]) < (10, 11):
            message = f"MariaDB {mariadb[1]} is older than the documented requirement of the registry server"
            return Finding("version", WARNING, message, "Use MariaDB 10.11 or later")
        return Finding("version", OK, f"The server is MariaDB {mariadb[1]}")
    version = _numbers(text)
    if version < (5,):
        return Finding("version", FAILURE, f"MySQL {text} is not supported", "Use MySQL 8.0.3 or later")
    if len(version) > 2 and version < (8, 0, 3):
        message = f"MySQL {text} meets the requirement in the documentation of the product (5.x), but not that of the registry server (8.0.3)"
        return Finding("version", WARNING, message, "Use MySQL 8.0.3 or later")
    return Finding("version", OK, f"The server is MySQL {text}")


def read_only_reason(settings: Mapping[str, str], options: str, rights: frozenset[str]) -> str:
    """Why nothing can be written to a database of MySQL or MariaDB, by its settings and options and the user's rights everywhere; empty where it can."""

    def is_on(*names: str) -> bool:
        return any(settings.get(name, "OFF").upper() not in ("OFF", "0") for name in names)

    if "READ ONLY=1" in options:
        return "The database is read-only (READ ONLY = 1)"
    if is_on("super_read_only", "innodb_read_only") or "NO_ADMIN" in settings.get("read_only", ""):
        return "The database server is read-only for all users, such as a replica"
    mariadb = re.search(r"(\d+\.\d+\.\d+)-MariaDB", settings["version"])
    # SUPER includes it everywhere else.
    separate = mariadb is not None and _numbers(mariadb[1]) >= (10, 11)
    passes = {"ALL PRIVILEGES", "ALL", "READ_ONLY ADMIN" if mariadb else "CONNECTION_ADMIN", *([] if separate else ["SUPER"])}
    if is_on("read_only") and not passes & rights:
        return "The database server is read-only, such as a replica"
    return READ_ONLY_TRANSACTIONS if is_on("transaction_read_only", "tx_read_only") else ""


def database_finding(view: View, read_only: str) -> Finding:
    """The database exists; is it one that can be written to, or why not?"""
    if read_only:
        remedy = "Make the database writable, or set database.host to the address of the primary server"
        return Finding("database", FAILURE, f"{read_only}, and the registry server requires write access", remedy)
    return Finding("database", OK, f"The database {view.name} exists")


def character_set_finding(name: str) -> Finding:
    """Whether names and descriptions in all scripts can be stored."""
    if name.lower() in ("utf8mb4", "utf8"):
        return Finding("character_set", OK, f"The character set of the database is {name}")
    message = f"The character set of the database is {name}: names and descriptions in other scripts are rejected or corrupted"
    return Finding("character_set", WARNING, message, "Create the database with utf8mb4 (MySQL) or UTF8 (PostgreSQL)")


def schema_findings(kind: str, schema: Schema) -> list[Finding]:
    """How far the migrations are, and whether one stopped half way."""
    newest = NEWEST_MIGRATION[kind]
    if schema.version is None:
        if not schema.tables:
            return [Finding("schema", OK, "The database is empty; the registry server creates its tables")]
        if {"Type", "Artifact"} <= set(schema.tables):
            return [Finding("schema", OK, "The database contains the tables of an older product version; the registry server migrates them")]
        message = f"The database contains tables of another application: {', '.join(sorted(schema.tables)[:5])}"
        return [Finding("schema", WARNING, message, "Use a separate database for the registry")]
    if schema.dirty:
        message = f"Migration {schema.version} failed and left the schema marked dirty; the registry server does not start"
        return [Finding("migration", FAILURE, message, "Revert the changes of the migration, then set `dirty` to 0 in schema_migrations")]
    findings = [Finding("migration", OK, "All migrations are complete")]
    if schema.version > newest:
        message = f"The schema version {schema.version} belongs to a registry server that is newer than the version known to this collection ({newest})"
        return [*findings, Finding("schema", WARNING, message, "Use the database only with a product version that is at least as new")]
    todo = "" if schema.version == newest else f"; the registry server migrates it to {newest}"
    return [*findings, Finding("schema", OK, f"The schema version is {schema.version}{todo}")]


def primary_key_findings(settings: Mapping[str, str], schema: Schema) -> list[Finding]:
    """Whether the server refuses the one table without a primary key, while it has not been made yet."""
    strict = next((name for name in ("sql_require_primary_key", "innodb_force_primary_key") if settings.get(name, "OFF").upper() in ("ON", "1")), None)
    if strict is None or settings.get("sql_generate_invisible_primary_key", "OFF").upper() in ("ON", "1"):
        return []
    if schema.version is not None and (schema.version > WITHOUT_PRIMARY_KEY or (schema.version == WITHOUT_PRIMARY_KEY and not schema.dirty)):
        return []
    message = f"The database requires a primary key in each table ({strict}). Migration {WITHOUT_PRIMARY_KEY} fails and leaves the schema dirty"
    remedy = f"Run SET GLOBAL {strict} = OFF before you create the registry; if the migration has already failed, also empty the database"
    return [Finding("primary_key", FAILURE, message, remedy)]


def connections_finding(limit: int, used: int, user_limit: int, user_used: int) -> Finding:
    """Whether the registry server gets the connections that it needs. A limit of the user that is not above 0 is none."""
    free, message = limit - used, f"{used} of {limit} connections are in use"
    if user_limit > 0 and user_limit - user_used < free:
        free, message = user_limit - user_used, f"{user_used} of {user_limit} connections of the user are in use"
    if 0 < user_limit < NEEDED_CONNECTIONS or limit < NEEDED_CONNECTIONS:
        message = (
            f"The connection limit is {min(limit, user_limit) if user_limit > 0 else limit}, and the registry server needs {NEEDED_CONNECTIONS} connections"
        )
        return Finding("connections", FAILURE, message, "Increase the limit")
    if free < FEW_CONNECTIONS:
        return Finding("connections", WARNING, message, "Increase the limit, or close other connections")
    return Finding("connections", OK, message)


def hourly_findings(account: str, schema: Schema) -> list[Finding]:
    """What the hourly limits in SHOW CREATE USER of MySQL or MariaDB mean for the registry server."""
    limits = [(what, int(limit)) for what, limit in HOURLY_LIMIT.findall(account) if int(limit)]
    is_migrated = schema.version == NEWEST_MIGRATION[_options.MYSQL]
    few = [what for what, limit in limits if limit < HOURLY_NEEDS[what][is_migrated]]
    names = ", ".join(f"MAX_{what}_PER_HOUR {limit}" for what, limit in limits)
    remedy = "Run ALTER USER ... WITH " + " ".join(f"MAX_{what}_PER_HOUR 0" for what, _limit in limits)
    if few:
        return [Finding("connections", FAILURE, f"The user has hourly limits that are too low for a start of the registry server ({names})", remedy)]
    message = f"The user has hourly limits, and the registry server stops working until the end of the hour when it reaches one ({names})"
    return [Finding("connections", WARNING, message, remedy)] if limits else []


@dataclass(frozen=True)
class Grants:
    """What MySQL's SHOW GRANTS says about one database: privileges in force, roles that are granted but not in force, and rights on single tables.

    `everywhere`: the privileges that are for all databases.
    """

    privileges: frozenset[str]
    idle_roles: tuple[str, ...] = ()
    on_tables: bool = False
    everywhere: frozenset[str] = frozenset()


def mysql_grants(lines: Iterable[str], database: str, active_roles: str = "", wildcards: bool = True, fold_case: bool = False) -> Grants:
    """Read SHOW GRANTS of a user and the roles in force. `fold_case`: names of databases are compared without case.

    Of several patterns that match a database only the most specific one counts, for the user and for its roles (seen on MariaDB 10.11). A partial revoke
    of MySQL takes from what is granted everywhere.
    """
    everywhere: set[str] = set()
    revoked: set[str] = set()
    database = database.lower() if fold_case else database
    matching: dict[bool, list[tuple[str, set[str]]]] = {True: [], False: []}
    roles: list[str] = []
    on_tables = False
    for line in lines:
        grant = GRANT.match(line)
        if grant is None:
            role = ROLE_GRANT.match(line)
            if role and _is_user(role["grantee"]):
                roles += [name.partition("@")[0].strip("`") for name in role["roles"].split(",")]
            continue
        privileges = {word.strip().upper() for word in grant["what"].split(",")}
        pattern = grant["database"].strip("`").replace("``", "`")
        pattern = pattern.lower() if fold_case else pattern
        if grant["verb"] == "REVOKE":
            revoked |= privileges if pattern == database else set()
        elif grant["table"] != "*":
            on_tables = on_tables or pattern == database
        elif pattern == "*":
            everywhere |= privileges
        elif _like(pattern, wildcards).fullmatch(database):
            matching[_is_user(grant["grantee"])].append((pattern, privileges))
    held = everywhere - revoked
    for entries in matching.values():
        if entries:
            held |= min(entries, key=lambda entry: _specificity(entry[0]))[1]
    idle = tuple(role for role in roles if role not in active_roles)
    return Grants(frozenset(held), idle, on_tables, frozenset(everywhere))


def _is_user(grantee: str) -> bool:
    """MariaDB's roles have no host."""
    return "@" in grantee


def _like(pattern: str, wildcards: bool) -> re.Pattern[str]:
    """A pattern of MySQL: % for any text, _ for one character, a backslash in front of either for itself. Names are compared without case at most."""
    if not wildcards:
        return re.compile(re.escape(pattern.replace("\\", "")))
    parts = []
    for token in re.findall(r"\\.|.", pattern, re.DOTALL):
        parts.append({"%": ".*", "_": "."}.get(token) or re.escape(token[-1]))
    return re.compile("".join(parts), re.DOTALL)


def _specificity(pattern: str) -> tuple[bool, int]:
    """Names without wildcards come first, then patterns by what stands before their first one."""
    wildcard = re.search(r"(?<!\\)[%_]", pattern)
    return (wildcard is not None, -(wildcard.start() if wildcard else 0))


def mysql_privileges_finding(view: View, grants: Grants, schema: Schema) -> Finding:
    """Whether the user has what the migrations and the server need."""
    held = grants.privileges
    if {"ALL PRIVILEGES", "ALL"} & held:
        return Finding("privileges", OK, "The user has all privileges on the database")
    wanted = dict.fromkeys([*MYSQL_MIGRATION_PRIVILEGES, *TABLE_PRIVILEGES])
    missing = [privilege for privilege in wanted if privilege not in held]
    if not missing:
        return Finding("privileges", OK, "The user has the privileges that the registry server requires")
    remedy = f"Run GRANT ALL PRIVILEGES ON `{view.name}`.* TO the user"
    if grants.idle_roles:
        remedy += f", or SET DEFAULT ROLE if {' or '.join(grants.idle_roles)} has the privileges: only the default role is used"
    names = ", ".join(missing)
    if missing == ["CREATE"] and schema.version == NEWEST_MIGRATION[_options.MYSQL]:
        return Finding("privileges", WARNING, "The user lacks CREATE, which migrations of later product versions can require", remedy)
    if grants.on_tables:
        message = f"The user has {names} at most on individual tables, which is sufficient only if these are all tables of the registry"
        return Finding("privileges", WARNING, message, remedy)
    return Finding("privileges", FAILURE, f"The user lacks {names} on the database", remedy)


@dataclass(frozen=True)
class Table:
    """A table of PostgreSQL, and what the user may do with it. `owned`: as its owner, or as a member of the role that owns it."""

    name: str
    owned: bool
    privileges: frozenset[str]


def postgresql_privileges_finding(schema_name: str | None, may_create: bool, tables: Sequence[Table], schema: Schema) -> Finding:
    """Whether the user has what the migrations and the server need; PostgreSQL itself has resolved its roles."""
    if schema_name is None:
        message = "The user cannot use any schema in its search path, which is usually `public`"
        return Finding("privileges", FAILURE, message, "Run GRANT USAGE, CREATE ON SCHEMA public TO the user")
    complete = schema.version is not None and schema.version >= NEWEST_MIGRATION[_options.POSTGRESQL]
    if not may_create and not complete:
        message = f"The user does not have permission to create tables in the schema {schema_name}"
        return Finding("privileges", FAILURE, message, f"Run GRANT CREATE ON SCHEMA {schema_name} TO the user, or make it the owner of the database")
    lacking: Mapping[str, list[str]] = {
        privilege: [table.name for table in tables if privilege not in table.privileges and _is_written(table, privilege)] for privilege in TABLE_PRIVILEGES
    }
    missing = [f"{privilege} on {', '.join(names[:3])}{' and others' if len(names) > 3 else ''}" for privilege, names in lacking.items() if names]
    if missing:
        remedy = f"Run GRANT ALL ON ALL TABLES IN SCHEMA {schema_name} TO the user, or make it their owner"
        return Finding("privileges", FAILURE, f"The user lacks {'; '.join(missing)}", remedy)
    foreign = [table.name for table in tables if not table.owned]
    if foreign and schema.version is not None and schema.version < LAST_CHANGE_OF_TABLES:
        message = f"The user does not own {', '.join(foreign[:3])}, and the migrations change tables"
        return Finding("privileges", FAILURE, message, "Make the user the owner of the tables, or a member of the role that owns them")
    if foreign or not may_create:
        message = "The user does not own all tables or cannot create tables, which migrations of later product versions can require"
        return Finding("privileges", WARNING, message, "Make the user the owner of the database and its tables")
    return Finding("privileges", OK, "The user has the privileges that the registry server requires")


def _is_written(table: Table, privilege: str) -> bool:
    return privilege == "SELECT" or table.name != "schema_migrations"


def usable(findings: Iterable[Finding]) -> bool | None:
    """Whether a registry server would serve with what was found; None when the database could not be looked at from here."""
    found = list(findings)
    if any(finding.result == FAILURE for finding in found):
        return False
    seen = all(finding.proven for finding in found) and any((finding.check, finding.result) == ("login", OK) for finding in found)
    return True if seen else None


def as_results(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The findings as part of a result."""
    return [{"check": finding.check, "result": finding.result, "message": finding.message, "remedy": finding.remedy} for finding in findings]


def _numbers(text: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")
