# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that connects to databases. It does so as the registry server would, reads, and writes nothing."""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
import ssl
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, TypeVar

from .. import _deadline, _options
from .._model import certificates
from . import privileges, refusals, requirements, transport, vocabulary

STEP_SECONDS = 5.0
# How many steps may use up their time before the rest is omitted.
LONGEST_STEPS = 2
# Authentication methods of MySQL and MariaDB that would show the password to whoever answers. The registry server's driver refuses them too.
CLEAR_PASSWORD_PLUGINS = ("mysql_clear_password", "dialog", "mysql_old_password")
# Protocol 4.1, TLS, a secure password exchange, authentication plugins; then the longest packet, and utf8mb4.
MYSQL_TLS_REQUEST = struct.pack("<IIB23x", 0x200 | 0x800 | 0x8000 | 0x80000, 1 << 24, 45)
MYSQL_TLS_FLAG = 0x800
POSTGRESQL_TLS_REQUEST = struct.pack("!II", 8, 80877103)
# OpenSSL's flag by which a certificate in a bundle is trusted although its issuer is not there, as Go does. Python names it from 3.10 on.
PARTIAL_CHAIN = 0x80000
EXPIRED = (9, 10)
NO_FILE = "/nonexistent/none"
# The first libpq that can be told how to log in, and the ways that do not show the password. The registry server's driver knows these too, and shows it.
REQUIRE_AUTH = 160000
AUTH_METHODS = "md5,scram-sha-256,none"
Result = TypeVar("Result")


@dataclass(frozen=True)
class Report:
    """Everything that was found out about a database."""

    findings: tuple[vocabulary.Finding, ...]
    version: str | None = None
    certificate: certificates.Certificate | None = None
    schema_version: int | None = None

    @property
    def usable(self) -> bool | None:
        """Whether a registry server would serve with it; None when it could not be looked at from here."""
        return vocabulary.usable(self.findings)


class _Stop(Exception):
    """Nothing further can be found out."""

    def __init__(self, finding: vocabulary.Finding) -> None:
        self.finding = finding
        super().__init__(finding.message)


class _Refused(Exception):
    """A database does not take a login; `code` is MySQL's number."""

    def __init__(self, text: str, code: int = 0) -> None:
        self.text, self.code = text, code
        super().__init__(text)


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


@dataclass
class _Facts:
    version: str | None = None
    certificate: certificates.Certificate | None = None
    schema: vocabulary.Schema | None = None


def missing_libraries(kind: str, logs_in: bool = True) -> list[str]:
    """The Python libraries that a look at a database of this type needs and that are not installed. Without a login it needs no driver."""
    driver = "PyMySQL" if kind == _options.MYSQL else "psycopg[binary]"
    return [name for name, installed in ((driver, not logs_in or _driver(kind) is not None), ("cryptography", certificates.HAS_CRYPTOGRAPHY)) if not installed]


def _driver(kind: str) -> Any:
    """The library for databases of this type, loaded only when one is looked at; None when it is not installed."""
    try:
        return importlib.import_module("pymysql" if kind == _options.MYSQL else "psycopg")
    # psycopg raises more than ImportError where the library libpq is missing.
    except Exception:
        return None


def look(view: vocabulary.View, timeout: float = STEP_SECONDS) -> Report:
    """Look at a database as the registry server will. Every step takes at most `timeout` seconds, and all of them twice that; nothing is raised or written."""
    missing = missing_libraries(view.type, view.password is not None)
    if missing:
        message = f"The database was not checked: the Python library {' and '.join(missing)} is not installed where this task runs"
        return Report((vocabulary.Finding("libraries", vocabulary.WARNING, message, f"Install it: pip install {' '.join(missing)}"),))
    now, clock = datetime.now(timezone.utc), _Clock(timeout)
    found: list[vocabulary.Finding] = []
    facts = _Facts()
    view = replace(view, host=view.host.strip("[]"))
    try:
        found += [*transport.settings_findings(view), *transport.ca_findings(view, now)]
        # A server that sends one byte now and then keeps every step within its time.
        _deadline.within(LONGEST_STEPS * timeout, lambda: _look(view, clock, now, found, facts))
    except _Stop as stop:
        found = [finding for finding in found if finding.check != stop.finding.check]
        found.append(stop.finding)
    except (socket.timeout, TimeoutError):
        found.append(transport.unreachable(view, "no response in time"))
    except (OSError, EOFError) as error:
        found.append(transport.unreachable(view, f"the connection was closed: {vocabulary.repeated(view, str(error))}"))
    except Exception as error:  # whatever a proxy that answers in a database's place, or an option that no library can encode, makes this stumble upon
        found.append(refusals.unexpected(error))
    # MySQL says its version before a login too.
    if facts.version and not any(finding.check == "version" for finding in found):
        found.append(requirements.version_finding(view.type, facts.version))
    version = requirements.version_text(facts.version) if facts.version else None
    return Report(tuple(found), version, facts.certificate, facts.schema.version if facts.schema else None)


def _look(view: vocabulary.View, clock: _Clock, now: datetime, found: list[vocabulary.Finding], facts: _Facts) -> None:
    address = _resolved(view, clock)
    found.append(vocabulary.Finding("address", vocabulary.OK, f"The host is {address}"))
    offered, greeting = _greeting(view, address, clock)
    found.append(vocabulary.Finding("port", vocabulary.OK, f"Port {view.port} is open"))
    facts.version = greeting
    found += transport.encryption_findings(view, offered)
    use = transport.encryption(view)
    if use.encrypted and not offered and not use.optional:
        return
    if any(finding.check == "ca" and finding.result == vocabulary.FAILURE for finding in found):
        return
    encrypted = use.encrypted and offered
    if encrypted:
        try:
            _context(view, checks_chain=False)
        except ssl.SSLError:
            raise _Stop(transport.BROKEN_PAIR) from None
        seen = _handshake(view, address, clock, use)
        facts.certificate = seen.certificate
        certificate = transport.handshake_findings(view, seen, now)
        found += certificate
        # Neither the registry server nor this sends a password to a server that is not who it should be.
        if any(finding.result == vocabulary.FAILURE for finding in certificate):
            return
    if view.password is None:
        return
    _log_in(view, address, clock, encrypted, offered, found, facts)


# --- reaching it


def _resolved(view: vocabulary.View, clock: _Clock) -> str:
    """The first address of the host that takes a connection, or else the first one."""
    try:
        entries = _deadline.within(clock.step(), lambda: socket.getaddrinfo(view.host, view.port, type=socket.SOCK_STREAM))
    except (socket.gaierror, UnicodeError):
        raise _Stop(transport.unresolved(view)) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
    for candidate in addresses[:-1]:
        with contextlib.suppress(OSError), _connected(candidate, view.port, clock):
            return candidate
    return addresses[-1]


@contextlib.contextmanager
def _connected(address: str, port: int, clock: _Clock) -> Iterator[socket.socket]:
    with socket.create_connection((address, port), clock.step()) as connection:
        yield connection


def _greeting(view: vocabulary.View, address: str, clock: _Clock) -> tuple[bool, str | None]:
    """Whether the server offers TLS, and its version if it says so before a login."""
    try:
        with _connected(address, view.port, clock) as connection:
            return _greeted(view, connection)
    except ConnectionRefusedError:
        raise _Stop(transport.unreachable(view, "nothing is listening at this address")) from None
    except (socket.timeout, TimeoutError):
        raise _Stop(transport.unreachable(view, "no response in time")) from None
    except EOFError as error:
        raise _Stop(transport.unreachable(view, str(error))) from None
    except OSError as error:
        raise _Stop(transport.unreachable(view, (error.strerror or str(error)).lower())) from None


def _greeted(view: vocabulary.View, connection: socket.socket) -> tuple[bool, str | None]:
    if view.type != _options.MYSQL:
        connection.sendall(POSTGRESQL_TLS_REQUEST)
        answer = _read(connection, 1)
        if answer not in (b"S", b"N"):
            raise _Stop(transport.no_database(view, "PostgreSQL"))
        return answer == b"S", None
    header = _read(connection, 4)
    size = int.from_bytes(header[:3], "little")
    if header[3] or not 5 < size < 1024:
        raise _Stop(transport.no_database(view, "MySQL or MariaDB"))
    payload = _read(connection, size)
    if payload[0] == 0xFF:
        text = payload[3:].decode(errors="replace")
        raise _Stop(refusals.mysql_refusal(view, int.from_bytes(payload[1:3], "little"), text, encrypted=False))
    version, _zero, rest = payload[1:].partition(b"\0")
    # The number of the connection, half of a nonce, and a filler come first.
    return bool(int.from_bytes(rest[13:15], "little") & MYSQL_TLS_FLAG), version.decode(errors="replace")


def _read(connection: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        part = connection.recv(size - len(content))
        if not part:
            raise EOFError("the connection is closed immediately")
        content += part
    return content


# --- TLS


def _handshake(view: vocabulary.View, address: str, clock: _Clock, use: transport.Encryption) -> transport.Handshake:
    """What the server shows in a handshake, held against the CA where there is one; no login follows."""
    try:
        try:
            return _shaken(view, address, clock, _context(view, checks_chain=view.ca is not None or use.checks_chain))
        except ssl.SSLCertVerificationError as error:
            reason = "a certificate has expired or is not valid yet" if error.verify_code in EXPIRED else error.verify_message
            return replace(_shaken(view, address, clock, _context(view, checks_chain=False)), chain_failure=reason)
    except ssl.SSLError as error:
        return transport.Handshake(failure=_ssl_text(error))


def _ssl_text(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()


def _shaken(view: vocabulary.View, address: str, clock: _Clock, context: ssl.SSLContext) -> transport.Handshake:
    with _connected(address, view.port, clock) as connection:
        _greeted(view, connection)
        if view.type == _options.MYSQL:
            connection.sendall(struct.pack("<I", len(MYSQL_TLS_REQUEST) | 1 << 24) + MYSQL_TLS_REQUEST)
        with context.wrap_socket(connection, server_hostname=view.host) as encrypted:
            shown = certificates.certificates_in(ssl.DER_cert_to_PEM_cert(encrypted.getpeercert(binary_form=True) or b""))
            return transport.Handshake(encrypted.version(), shown[0] if shown else None)


def _context(view: vocabulary.View, checks_chain: bool, checks_host: bool = False) -> ssl.SSLContext:
    """How Go sets up TLS: a certificate of the bundle is trusted as it is, the common name counts for nothing, and 1.2 is the oldest version."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = checks_host
    context.hostname_checks_common_name = False
    context.verify_mode = ssl.CERT_REQUIRED if checks_chain else ssl.CERT_NONE
    context.verify_flags |= PARTIAL_CHAIN
    if view.ca is None and checks_chain:
        context.load_default_certs()
    elif view.ca is not None:
        context.load_verify_locations(cadata=certificates.pem_of(certificates.certificates_in(view.ca)))
    if view.client_certificate and view.client_key:
        with _files(view.client_certificate, view.client_key) as (certificate, key):
            # Without a password OpenSSL would ask for that of an encrypted key at the terminal.
            context.load_cert_chain(certificate, key, password="")
    return context


@contextlib.contextmanager
def _files(*texts: str) -> Iterator[list[str]]:
    """Files that only this user can read, for libraries that take nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, text in enumerate(texts):
            path = os.path.join(folder, str(number))
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            paths.append(path)
        yield paths


# --- logging in


@dataclass(frozen=True)
class _Session:
    """An open connection: `rows` runs one statement that reads, and raises _Refused."""

    rows: Callable[..., list[tuple[Any, ...]]]
    close: Callable[[], Any]

    def first(self, statement: str, *values: object) -> tuple[Any, ...]:
        """The first row; () where there is none, or where the database refuses it."""
        try:
            return next(iter(self.rows(statement, *values)), ())
        except _Refused:
            return ()


def _log_in(view: vocabulary.View, address: str, clock: _Clock, encrypted: bool, offered: bool, found: list[vocabulary.Finding], facts: _Facts) -> None:
    """Log in as the server does, once: wrong passwords can lock an account."""
    refusal = _attempt(view, address, clock, encrypted, found, facts)
    if refusal and offered and not encrypted and transport.encryption(view).optional and refusals.WITHOUT_TLS.search(refusal.text):
        # The server tries the other way too, and no password was sent.
        refusal = _attempt(view, address, clock, True, found, facts)
    if refusal and view.type == _options.MYSQL:
        found.append(refusals.mysql_refusal(view, refusal.code, refusal.text, encrypted))
    elif refusal:
        found.append(refusals.postgresql_refusal(view, refusal.text))


def _attempt(view: vocabulary.View, address: str, clock: _Clock, encrypted: bool, found: list[vocabulary.Finding], facts: _Facts) -> _Refused | None:
    """Log in and read what there is to know; the refusal when that cannot be done."""
    is_mysql = view.type == _options.MYSQL
    if view.withholds_password and encrypted and not transport.encryption(view).checks_chain:
        raise _Stop(vocabulary.WITHHELD)
    try:
        session = (_mysql if is_mysql else _postgresql)(view, address, clock, encrypted)
    except _Refused as refusal:
        return refusal
    try:
        found.append(vocabulary.Finding("login", vocabulary.OK, f"The user {view.username} can log in"))
        if encrypted == transport.encryption(view).encrypted:
            found.append(transport.need_not_encrypt(view))
        (_read_mysql if is_mysql else _read_postgresql)(view, session, found, facts)
    except _Refused as refusal:
        found.append(refusals.interrupted(view, refusal.code, refusal.text))
    finally:
        session.close()
    return None


class _ClearPassword:
    """A method of authentication that is refused, in the shape that PyMySQL wants."""

    def __init__(self, _connection: Any) -> None:
        pass

    def authenticate(self, _packet: Any) -> Any:
        raise _Refused("the password would be shown", refusals.CLEAR_PASSWORD)


def _mysql(view: vocabulary.View, address: str, clock: _Clock, encrypted: bool) -> _Session:
    """A login without the database, which comes after it: so a user that may not use it is told apart from one that may not log in."""
    pymysql, use, seconds = _driver(view.type), transport.encryption(view), clock.step()
    context = _context(view, use.checks_chain, use.checks_host) if encrypted else None
    connection = pymysql.connections.Connection(
        host=view.host,
        user=view.username,
        password=view.effective_password.encode(),
        charset="utf8mb4",
        ssl=context,
        ssl_disabled=context is None,
        connect_timeout=seconds,
        read_timeout=seconds,
        write_timeout=seconds,
        autocommit=True,
        # Some modes change the quotes in what SHOW GRANTS answers.
        sql_mode="",
        auth_plugin_map=dict.fromkeys(CLEAR_PASSWORD_PLUGINS, _ClearPassword),
        # In place of the key that the server would send, with which it could read the password. PyMySQL fails with ValueError when it is about to use it.
        server_public_key=b"none" if view.withholds_password and not encrypted else None,
        defer_connect=True,
    )

    def connect() -> None:
        try:
            connection.connect(socket.create_connection((address, view.port), seconds))
        except ValueError:
            if view.withholds_password:
                raise _Stop(vocabulary.WITHHELD) from None
            raise

    _answered(pymysql, connect)

    def rows(statement: str, *values: object) -> list[tuple[Any, ...]]:
        def fetch() -> list[tuple[Any, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return list(cursor.fetchall())

        return _answered(pymysql, fetch)

    return _Session(rows, connection.close)


def _answered(pymysql: Any, ask: Callable[[], Result]) -> Result:
    """What a server of MySQL answers. _Refused, or OSError where the connection broke."""
    try:
        return ask()
    except pymysql.Error as error:
        raise _mysql_error(error) from None
    except (_Refused, _Stop, OSError):
        raise
    except Exception as error:
        # PyMySQL does not expect what is not MySQL's protocol.
        raise _Refused(f"its response is not in the MySQL protocol ({type(error).__name__})") from None


def _mysql_error(error: Any) -> Exception:
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, OSError):
        return cause
    code, text = (*error.args, "", "")[:2]
    return _Refused(str(text or error), code if isinstance(code, int) else 0)


def _postgresql(view: vocabulary.View, address: str, clock: _Clock, encrypted: bool) -> _Session:
    psycopg, seconds = _driver(view.type), clock.step()
    connection: Any = _deadline.within(seconds, lambda: _postgresql_connection(view, address, seconds, encrypted))

    def rows(statement: str, *values: object) -> list[tuple[Any, ...]]:
        def fetch() -> list[tuple[Any, ...]]:
            try:
                return list(connection.execute(statement, values or None).fetchall())
            except psycopg.Error as error:
                raise _Refused(str(error)) from None

        return _deadline.within(clock.step(), fetch)

    return _Session(rows, connection.close)


def _postgresql_connection(view: vocabulary.View, address: str, seconds: float, encrypted: bool) -> Any:
    psycopg, use = _driver(view.type), transport.encryption(view)
    authority = certificates.pem_of(certificates.certificates_in(view.ca)) if view.ca is not None else ""
    certificate, key = view.client_certificate or "", view.client_key or ""
    with _files(authority, certificate, key) as (authority_file, certificate_file, key_file):
        if psycopg.pq.version() < REQUIRE_AUTH and not encrypted:
            raise _Stop(refusals.OLD_LIBPQ)
        mode = "verify-full" if use.checks_host else "verify-ca" if use.checks_chain else "require"
        target = psycopg.conninfo.make_conninfo(
            host=view.host,
            hostaddr=address,
            port=view.port,
            user=view.username,
            password=view.effective_password,
            dbname=view.name,
            connect_timeout=max(2, round(seconds)),
            sslmode=mode if encrypted else "disable",
            sslrootcert=(authority_file if authority else ssl.get_default_verify_paths().cafile or NO_FILE) if use.checks_chain else NO_FILE,
            sslcert=certificate_file if certificate and key else NO_FILE,
            sslkey=key_file if certificate and key else NO_FILE,
            # Nothing that this machine sets for other connections takes part.
            sslcrl=NO_FILE,
            gssencmode="disable",
            passfile=NO_FILE,
            target_session_attrs="any",
            channel_binding="prefer",
            **({} if psycopg.pq.version() < REQUIRE_AUTH else {"require_auth": ("password," if encrypted else "") + AUTH_METHODS}),
        )
        try:
            connection = psycopg.connect(target, autocommit=True, prepare_threshold=None)
            connection.execute("SET default_transaction_read_only = on")
            return connection
        except psycopg.Error as error:
            raise _Refused(str(error)) from None


# --- reading


def _read_mysql(view: vocabulary.View, session: _Session, found: list[vocabulary.Finding], facts: _Facts) -> None:
    names = ", ".join(f"'{name}'" for name in requirements.MYSQL_SETTINGS)
    settings = {str(name).lower(): str(value) for name, value in session.rows(f"SHOW VARIABLES WHERE Variable_name IN ({names})")}
    # MySQL takes the account for the host that the connection comes from.
    host = str((session.first("SELECT CURRENT_USER()") or ("",))[0]).rpartition("@")[2]
    facts.version = settings["version"]
    found.append(requirements.version_finding(view.type, settings["version"]))
    used = session.first("SHOW GLOBAL STATUS LIKE 'Threads_connected'")
    user_used = session.first("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = SUBSTRING_INDEX(USER(), '@', 1)")
    if used:
        limits = int(settings["max_connections"]), int(used[1]), int(settings["max_user_connections"]), int(user_used[0]) if user_used else 0
        found.append(vocabulary.of_account(requirements.connections_finding(*limits), host))
    try:
        session.rows("USE `" + view.name.replace("`", "``") + "`")
    except _Refused as refusal:
        found.append(refusals.mysql_database_refusal(view, refusal.code, refusal.text, host))
        return
    grants = _mysql_grants(view, session, settings)
    options = session.first("SELECT OPTIONS FROM information_schema.SCHEMATA_EXTENSIONS WHERE SCHEMA_NAME = DATABASE()")
    read_only = requirements.read_only_reason(settings, str(options[0]) if options else "", grants.everywhere)
    found.append(vocabulary.of_account(requirements.database_finding(view, read_only), host))
    charset = session.first("SELECT DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE()")
    if charset:
        found.append(requirements.character_set_finding(charset[0]))
    tables = tuple(str(row[0]) for row in session.rows("SHOW TABLES"))
    facts.schema = _schema(session, tables)
    found += requirements.schema_findings(view.type, facts.schema)
    found += requirements.primary_key_findings(settings, facts.schema)
    # It names the account's hourly limits, and of some servers the hash of its password: only the limits are read.
    limited = requirements.hourly_findings(str((session.first("SHOW CREATE USER CURRENT_USER()") or ("",))[0]), facts.schema)
    found += [vocabulary.of_account(finding, host) for finding in limited]
    found.append(vocabulary.of_account(privileges.mysql_privileges_finding(view, grants, facts.schema), host))


def _mysql_grants(view: vocabulary.View, session: _Session, settings: dict[str, str]) -> privileges.Grants:
    # Old servers have no roles.
    roles = (session.first("SELECT CURRENT_ROLE()") or (None,))[0]
    active = "" if roles in (None, "NONE") else str(roles)
    # MariaDB shows the role in force by itself; MySQL, whose roles have hosts, wants it named.
    using = f" FOR CURRENT_USER() USING {active}" if "@" in active else ""
    lines = [str(row[0]) for row in session.rows(f"SHOW GRANTS{using}")]
    literal, folded = settings.get("partial_revokes", "OFF").upper() == "ON", settings.get("lower_case_table_names", "0") != "0"
    return privileges.mysql_grants(lines, view.name, active, wildcards=not literal, fold_case=folded)


def _read_postgresql(view: vocabulary.View, session: _Session, found: list[vocabulary.Finding], facts: _Facts) -> None:
    # The current value is that of this connection, which is read-only by request; reset_val is the default that other connections of the user get.
    [(version, encoding, database_limit, is_replica, read_only)] = session.rows(
        "SELECT current_setting('server_version'), pg_encoding_to_char(encoding), datconnlimit, pg_is_in_recovery(),"
        " (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only')"
        " FROM pg_database WHERE datname = current_database()"
    )
    facts.version = version
    found.append(requirements.version_finding(view.type, version))
    found.append(_postgresql_connections(session, int(database_limit)))
    reason = "The database server is read-only, such as a replica" if is_replica else requirements.READ_ONLY_TRANSACTIONS if read_only else ""
    found.append(requirements.database_finding(view, reason))
    found.append(requirements.character_set_finding(encoding))
    [(schema_name, may_create)] = session.rows("SELECT current_schema(), has_schema_privilege(current_schema(), 'CREATE')")
    held_of_tables = ", ".join(f"has_table_privilege(c.oid, '{privilege}')" for privilege in privileges.TABLE_PRIVILEGES)
    listed = session.rows(
        f"SELECT relname, pg_has_role(c.relowner, 'USAGE'), {held_of_tables} FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = current_schema() AND relkind IN ('r', 'p')"
    )
    tables = [
        privileges.Table(row[0], bool(row[1]), frozenset(privilege for privilege, held in zip(privileges.TABLE_PRIVILEGES, row[2:]) if held)) for row in listed
    ]
    facts.schema = _schema(session, tuple(table.name for table in tables))
    found += requirements.schema_findings(view.type, facts.schema)
    found.append(privileges.postgresql_privileges_finding(schema_name, bool(may_create), tables, facts.schema))


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
