# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at databases as the registry server would use them. It connects as that server does, reads, and writes nothing."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from .. import _deadline, _options
from .._model import certificates
from . import connection, privileges, refusals, requirements, transport, vocabulary

STEP_SECONDS = 5.0
# How many steps may use up their time before the rest is omitted.
LONGEST_STEPS = 2
# Protocol 4.1, TLS, a secure password exchange, authentication plugins; then the longest packet, and utf8mb4.
MYSQL_TLS_REQUEST = struct.pack("<IIB23x", 0x200 | 0x800 | 0x8000 | 0x80000, 1 << 24, 45)
MYSQL_TLS_FLAG = 0x800
POSTGRESQL_TLS_REQUEST = struct.pack("!II", 8, 80877103)
EXPIRED = (9, 10)


@dataclass
class Report:
    """Everything that was found out about a database; filled as it is looked at."""

    findings: list[vocabulary.Finding] = field(default_factory=list)
    version: str | None = None
    certificate: certificates.Certificate | None = None
    schema: vocabulary.Schema = field(default_factory=vocabulary.Schema)
    login: connection.Login | None = None

    @property
    def usable(self) -> bool | None:
        """Whether a registry server would serve with it; None when it could not be looked at from here."""
        return vocabulary.usable(self.findings)

    def facts(self) -> dict[str, Any]:
        """What the database is, as part of a result."""
        certificate = self.certificate.described() if self.certificate else None
        return {"version": self.version, "schema_version": self.schema.version, "certificate": certificate}


class _Clock:
    """The time that each step of a look has, and all of them together."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._end = seconds, time.monotonic() + LONGEST_STEPS * seconds

    def step(self) -> float:
        """What the next step may take. TimeoutError when all of the time is over."""
        left = min(self._seconds, self._end - time.monotonic())
        if left <= 0:
            raise TimeoutError
        return left


def look(view: vocabulary.View, timeout: float = STEP_SECONDS) -> Report:
    """Look at a database as the registry server will. Every step takes at most `timeout` seconds, and all of them twice that; nothing is raised or written."""
    missing = connection.missing_libraries(view.type, view.password is not None)
    if missing:
        message = f"The database was not checked: the Python library {' and '.join(missing)} is not installed where this task runs"
        return Report([vocabulary.warning("libraries", message, f"Install it: pip install {' '.join(missing)}")])
    now, clock, report = datetime.now(timezone.utc), _Clock(timeout), Report()
    view = replace(view, host=view.host.strip("[]"))
    try:
        report.findings += [*transport.settings_findings(view), *transport.ca_findings(view, now)]
        # A server that sends one byte now and then keeps every step within its time.
        _deadline.within(LONGEST_STEPS * timeout, lambda: _look(view, clock, now, report))
    except connection.StopError as stop:
        report.findings = [*(finding for finding in report.findings if finding.check != stop.finding.check), stop.finding]
    except (socket.timeout, TimeoutError):
        report.findings.append(transport.unreachable(view, "no response in time"))
    except (OSError, EOFError) as error:
        report.findings.append(transport.unreachable(view, f"the connection was closed: {vocabulary.repeated(view, str(error))}"))
    except Exception as error:  # whatever a proxy that answers in a database's place, or an option that no library can encode, makes this stumble upon
        report.findings.append(refusals.unexpected(error))
    # MySQL says its version before a login too.
    if report.version and not any(finding.check == "version" for finding in report.findings):
        report.findings.append(requirements.version_finding(view.type, report.version))
    # A copy: what took too long may still fill the other one.
    return replace(report, findings=[*report.findings], version=requirements.version_text(report.version) if report.version else None)


def _look(view: vocabulary.View, clock: _Clock, now: datetime, report: Report) -> None:
    address = _resolved(view, clock)
    report.findings.append(vocabulary.ok("address", f"The host is {address}"))
    offered, greeting = _greeting(view, address, clock)
    report.findings.append(vocabulary.ok("port", f"Port {view.port} is open"))
    report.version = greeting
    report.findings += transport.encryption_findings(view, offered)
    use = transport.encryption(view)
    if use.encrypted and not offered and not use.optional:
        return
    if any(finding.check == "ca" and finding.result == vocabulary.FAILURE for finding in report.findings):
        return
    encrypted = use.encrypted and offered
    if encrypted:
        try:
            connection.tls_context(view, checks_chain=False)
        except ssl.SSLError:
            raise connection.StopError(transport.BROKEN_PAIR) from None
        seen = _handshake(view, address, clock, use)
        report.certificate = seen.certificate
        certificate = transport.handshake_findings(view, seen, now)
        report.findings += certificate
        # Neither the registry server nor this sends a password to a server that is not who it should be.
        if vocabulary.failures(certificate):
            return
    if view.password is None:
        return
    _log_in(view, address, clock, encrypted, offered, report)


# --- reaching it


def _resolved(view: vocabulary.View, clock: _Clock) -> str:
    """The first address of the host that takes a connection, or else the last one."""
    try:
        entries = _deadline.within(clock.step(), lambda: socket.getaddrinfo(view.host, view.port, type=socket.SOCK_STREAM))
    except (socket.gaierror, UnicodeError):
        raise connection.StopError(transport.unresolved(view)) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
    for candidate in addresses[:-1]:
        with contextlib.suppress(OSError), _connected(candidate, view.port, clock):
            return candidate
    return addresses[-1]


def _connected(address: str, port: int, clock: _Clock) -> socket.socket:
    return socket.create_connection((address, port), clock.step())


def _greeting(view: vocabulary.View, address: str, clock: _Clock) -> tuple[bool, str | None]:
    """Whether the server offers TLS, and its version if it says so before a login."""
    try:
        with _connected(address, view.port, clock) as stream:
            return _greeted(view, stream)
    except ConnectionRefusedError:
        raise connection.StopError(transport.unreachable(view, "nothing is listening at this address")) from None
    except (socket.timeout, TimeoutError):
        raise connection.StopError(transport.unreachable(view, "no response in time")) from None
    except EOFError as error:
        raise connection.StopError(transport.unreachable(view, str(error))) from None
    except OSError as error:
        raise connection.StopError(transport.unreachable(view, (error.strerror or str(error)).lower())) from None


def _greeted(view: vocabulary.View, stream: socket.socket) -> tuple[bool, str | None]:
    if view.type != _options.MYSQL:
        stream.sendall(POSTGRESQL_TLS_REQUEST)
        answer = _read(stream, 1)
        if answer not in (b"S", b"N"):
            raise connection.StopError(transport.no_database(view, "PostgreSQL"))
        return answer == b"S", None
    header = _read(stream, 4)
    size = int.from_bytes(header[:3], "little")
    if header[3] or not 5 < size < 1024:
        raise connection.StopError(transport.no_database(view, "MySQL or MariaDB"))
    payload = _read(stream, size)
    if payload[0] == 0xFF:
        text = payload[3:].decode(errors="replace")
        raise connection.StopError(refusals.mysql_refusal(view, int.from_bytes(payload[1:3], "little"), text, encrypted=False))
    version, _zero, rest = payload[1:].partition(b"\0")
    # The number of the connection, half of a nonce, and a filler come first.
    return bool(int.from_bytes(rest[13:15], "little") & MYSQL_TLS_FLAG), version.decode(errors="replace")


def _read(stream: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        part = stream.recv(size - len(content))
        if not part:
            raise EOFError("the connection is closed immediately")
        content += part
    return content


# --- TLS


def _handshake(view: vocabulary.View, address: str, clock: _Clock, use: transport.Encryption) -> transport.Handshake:
    """What the server shows in a handshake, held against the CA where there is one; no login follows."""
    try:
        try:
            return _shaken(view, address, clock, connection.tls_context(view, checks_chain=view.ca is not None or use.checks_chain))
        except ssl.SSLCertVerificationError as error:
            reason = "a certificate has expired or is not valid yet" if error.verify_code in EXPIRED else error.verify_message
            return replace(_shaken(view, address, clock, connection.tls_context(view, checks_chain=False)), chain_failure=reason)
    except ssl.SSLError as error:
        return transport.Handshake(failure=(error.reason or str(error)).replace("_", " ").lower())


def _shaken(view: vocabulary.View, address: str, clock: _Clock, context: ssl.SSLContext) -> transport.Handshake:
    with _connected(address, view.port, clock) as stream:
        _greeted(view, stream)
        if view.type == _options.MYSQL:
            stream.sendall(struct.pack("<I", len(MYSQL_TLS_REQUEST) | 1 << 24) + MYSQL_TLS_REQUEST)
        with context.wrap_socket(stream, server_hostname=view.host) as encrypted:
            shown = certificates.certificates_in(ssl.DER_cert_to_PEM_cert(encrypted.getpeercert(binary_form=True) or b""))
            return transport.Handshake(encrypted.version(), shown[0] if shown else None)


# --- logging in


@dataclass(frozen=True)
class _Session:
    """An open connection: `rows` runs one statement that reads, and raises connection.RefusedError."""

    rows: Callable[[str], list[tuple[Any, ...]]]
    close: Callable[[], Any]

    def first(self, statement: str) -> tuple[Any, ...]:
        """The first row; () where there is none, or where the database refuses it."""
        try:
            return next(iter(self.rows(statement)), ())
        except connection.RefusedError:
            return ()


def _log_in(view: vocabulary.View, address: str, clock: _Clock, encrypted: bool, offered: bool, report: Report) -> None:
    """Log in as the server does, once: wrong passwords can lock an account."""
    refusal = _attempt(view, address, clock, encrypted, report)
    if refusal and offered and not encrypted and transport.encryption(view).optional and refusals.WITHOUT_TLS.search(refusal.text):
        # The server tries the other way too, and no password was sent.
        refusal = _attempt(view, address, clock, True, report)
    if refusal and view.type == _options.MYSQL:
        report.findings.append(refusals.mysql_refusal(view, refusal.code, refusal.text, encrypted))
    elif refusal:
        report.findings.append(refusals.postgresql_refusal(view, refusal.text))


def _attempt(view: vocabulary.View, address: str, clock: _Clock, encrypted: bool, report: Report) -> connection.RefusedError | None:
    """Log in and read what there is to know; the refusal when that cannot be done."""
    is_mysql = view.type == _options.MYSQL
    if view.withholds_password and encrypted and not transport.encryption(view).checks_chain:
        raise connection.StopError(vocabulary.WITHHELD)
    try:
        session = (_mysql if is_mysql else _postgresql)(view, address, clock, encrypted)
    except connection.RefusedError as refusal:
        return refusal
    report.login = connection.Login(address, encrypted)
    try:
        report.findings.append(vocabulary.ok("login", f"The user {view.username} can log in"))
        if encrypted == transport.encryption(view).encrypted:
            report.findings.append(transport.need_not_encrypt(view))
        (_read_mysql if is_mysql else _read_postgresql)(view, session, report)
    except connection.RefusedError as refusal:
        report.findings.append(refusals.interrupted(view, refusal.code, refusal.text))
    finally:
        session.close()
    return None


def _mysql(view: vocabulary.View, address: str, clock: _Clock, encrypted: bool) -> _Session:
    opened = connection.mysql(view, address, clock.step(), encrypted)

    def rows(statement: str) -> list[tuple[Any, ...]]:
        def fetch() -> list[tuple[Any, ...]]:
            with opened.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())

        return connection.answered(fetch)

    return _Session(rows, opened.close)


def _postgresql(view: vocabulary.View, address: str, clock: _Clock, encrypted: bool) -> _Session:
    opened = connection.postgresql(view, address, clock.step(), encrypted)

    def rows(statement: str) -> list[tuple[Any, ...]]:
        return _deadline.within(clock.step(), lambda: connection.postgresql_rows(opened, statement))

    return _Session(rows, opened.close)


# --- reading


def _read_mysql(view: vocabulary.View, session: _Session, report: Report) -> None:
    names = ", ".join(f"'{name}'" for name in requirements.MYSQL_SETTINGS)
    settings = {str(name): str(value) for name, value in session.rows(f"SHOW VARIABLES WHERE Variable_name IN ({names})")}
    # MySQL takes the account for the host that the connection comes from.
    host = str((session.first("SELECT CURRENT_USER()") or ("",))[0]).rpartition("@")[2]
    report.version = settings["version"]
    report.findings.append(requirements.version_finding(view.type, settings["version"]))
    used = session.first("SHOW GLOBAL STATUS LIKE 'Threads_connected'")
    user_used = session.first("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = SUBSTRING_INDEX(USER(), '@', 1)")
    if used:
        limits = int(settings["max_connections"]), int(used[1]), int(settings["max_user_connections"]), int(user_used[0]) if user_used else 0
        report.findings.append(vocabulary.of_account(requirements.connections_finding(*limits), host))
    try:
        session.rows("USE `" + view.name.replace("`", "``") + "`")
    except connection.RefusedError as refusal:
        report.findings.append(refusals.mysql_database_refusal(view, refusal.code, refusal.text, host))
        return
    grants = _mysql_grants(view, session, settings)
    options = session.first("SELECT OPTIONS FROM information_schema.SCHEMATA_EXTENSIONS WHERE SCHEMA_NAME = DATABASE()")
    read_only = requirements.read_only_reason(settings, str(options[0]) if options else "", grants.everywhere)
    report.findings.append(vocabulary.of_account(requirements.database_finding(view, read_only), host))
    charset = session.first("SELECT DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE()")
    if charset:
        report.findings.append(requirements.character_set_finding(charset[0]))
    tables = tuple(str(row[0]) for row in session.rows("SHOW TABLES"))
    report.schema = _schema(session, tables)
    report.findings += requirements.schema_findings(view.type, report.schema)
    report.findings += requirements.primary_key_findings(settings, report.schema)
    # It names the account's hourly limits, and of some servers the hash of its password: only the limits are read.
    limited = requirements.hourly_findings(str((session.first("SHOW CREATE USER CURRENT_USER()") or ("",))[0]), report.schema)
    report.findings += [vocabulary.of_account(finding, host) for finding in limited]
    report.findings.append(vocabulary.of_account(privileges.mysql_privileges_finding(view, grants, report.schema), host))


def _mysql_grants(view: vocabulary.View, session: _Session, settings: dict[str, str]) -> privileges.Grants:
    # Old servers have no roles. `NONE` stands for none.
    active = str((session.first("SELECT CURRENT_ROLE()") or ("",))[0])
    # Those of its active roles are among them.
    lines = [str(row[0]) for row in session.rows("SHOW GRANTS")]
    literal, folded = settings.get("partial_revokes", "OFF").upper() == "ON", settings["lower_case_table_names"] != "0"
    return privileges.mysql_grants(lines, view.name, active, wildcards=not literal, fold_case=folded)


def _read_postgresql(view: vocabulary.View, session: _Session, report: Report) -> None:
    # The current value is that of this connection, which is read-only by request; reset_val is the default that other connections of the user get.
    [(version, encoding, database_limit, is_replica, read_only)] = session.rows(
        "SELECT current_setting('server_version'), pg_encoding_to_char(encoding), datconnlimit, pg_is_in_recovery(),"
        " (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only')"
        " FROM pg_database WHERE datname = current_database()"
    )
    report.version = version
    report.findings.append(requirements.version_finding(view.type, version))
    report.findings.append(_postgresql_connections(session, int(database_limit)))
    reason = "The database server is read-only, such as a replica" if is_replica else requirements.READ_ONLY_TRANSACTIONS if read_only else ""
    report.findings.append(requirements.database_finding(view, reason))
    report.findings.append(requirements.character_set_finding(encoding))
    [(schema_name, may_create)] = session.rows("SELECT current_schema(), has_schema_privilege(current_schema(), 'CREATE')")
    held_of_tables = ", ".join(f"has_table_privilege(c.oid, '{privilege}')" for privilege in privileges.TABLE_PRIVILEGES)
    listed = session.rows(
        f"SELECT relname, pg_has_role(c.relowner, 'USAGE'), {held_of_tables} FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = current_schema() AND relkind IN ('r', 'p')"
    )
    tables = [
        privileges.Table(row[0], bool(row[1]), frozenset(privilege for privilege, held in zip(privileges.TABLE_PRIVILEGES, row[2:]) if held)) for row in listed
    ]
    report.schema = _schema(session, tuple(table.name for table in tables))
    report.findings += requirements.schema_findings(view.type, report.schema)
    report.findings.append(privileges.postgresql_privileges_finding(schema_name, bool(may_create), tables, report.schema))


def _postgresql_connections(session: _Session, database_limit: int) -> vocabulary.Finding:
    [(limit, used, user_limit, user_used, database_used)] = session.rows(
        "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,"
        " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),"
        " (SELECT rolconnlimit FROM pg_roles WHERE rolname = session_user),"
        " (SELECT count(*) FROM pg_stat_activity WHERE usename = session_user),"
        " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())"
    )
    if 0 <= database_limit < limit:
        limit, used = database_limit, database_used
    return requirements.connections_finding(int(limit), int(used), int(user_limit), int(user_used))


def _schema(session: _Session, tables: tuple[str, ...]) -> vocabulary.Schema:
    row = session.first("SELECT version, dirty FROM schema_migrations LIMIT 1") if "schema_migrations" in tables else ()
    return vocabulary.Schema(tables, int(row[0]), bool(row[1])) if row else vocabulary.Schema(tables)
