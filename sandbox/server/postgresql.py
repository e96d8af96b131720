"""PostgreSQL as the registry server opens it."""

from __future__ import annotations

import re
import ssl
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qsl, quote_plus

import psycopg
from psycopg.conninfo import make_conninfo

from sandbox.server.arguments import Options
from sandbox.server.connection import Closable, DatabaseError, Files, Lookup, alert_text, dial, has_certificates, on_disk, pair_problem
from sandbox.server.dsn import POSTGRESQL_SCHEMES, SSL_MODES, PostgresqlDsn, parse_postgresql, redacted

# libpq names no SQL state when a connection fails.
_STATES = (
    (r"password authentication failed", "28P01"),
    (r'database ".*" does not exist', "3D000"),
    (r"permission denied", "42501"),
    (r"pg_hba\.conf|role \".*\" (does not exist|is not permitted)", "28000"),
    (r"too many (clients|connections)|remaining connection slots", "53300"),
    (r"the database system is", "57P03"),
    (r"unrecognized configuration parameter", "42704"),
)
_NO_FILE = "/nonexistent/none"


class PostgresqlConnection(Closable):
    """One connection; statements have `%s` for values."""

    kind = "postgresql"

    def __init__(self, connection: psycopg.Connection[Any]):
        super().__init__(connection.close)
        self._connection = connection

    @property
    def version(self) -> int:
        """The server's major version."""
        return self._connection.info.server_version // 10000

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            with self._statement(), self._connection.cursor() as cursor:
                cursor.execute(statement.encode(), values or None)
                return list(cursor.fetchall()) if cursor.description else []
        except psycopg.Error as error:
            if error.sqlstate is None or self._connection.broken:
                raise DatabaseError("unexpected EOF", lost=True) from None
            raise DatabaseError(f"ERROR: {error.diag.message_primary} (SQLSTATE {error.sqlstate})", duplicate=error.sqlstate == "23505") from None


def with_tls(dsn: str, options: Options) -> str:
    """The connection string with what the flags say about certificates, which beats what it says itself."""
    if not options.wants_tls:
        return dsn
    changes = {"sslmode": "verify-full" if options.embedmd_database_ssl_verify_server_cert else "require"}
    authority = options.embedmd_database_ssl_root_cert or options.embedmd_database_ssl_ca
    for name, value in (("sslcert", options.embedmd_database_ssl_cert), ("sslkey", options.embedmd_database_ssl_key), ("sslrootcert", authority)):
        if value:
            changes[name] = value
    if not dsn.startswith(POSTGRESQL_SCHEMES):
        pairs = [pair for pair in dsn.split() if pair.partition("=")[0] not in changes]
        return " ".join([*pairs, *(f"{name}={value}" for name, value in changes.items())])
    address, _mark, query = dsn.partition("?")
    settings = dict(parse_qsl(query, keep_blank_values=True)) | changes
    return address + "?" + "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in sorted(settings.items()))


async def reach(dsn: str, lookup: Lookup) -> tuple[PostgresqlDsn, str]:
    """The connection string's parts and the address of its host, when something listens there."""
    parts = parse_postgresql(dsn)
    prefix = f"failed to connect to `user={parts.user} database={parts.database}`:"
    # Modes that may be plaintext are two attempts, one of them encrypted, and the error has a line of each.
    attempts = 2 if parts.settings["sslmode"] in ("allow", "prefer") else 1
    try:
        address = await lookup(parts.host)
    except DatabaseError as error:
        lines = [f"hostname resolving error: {error}"] + [str(error)] * (attempts - 1)
        raise DatabaseError(_joined(prefix, lines)) from None
    if not address.startswith("127."):
        try:
            (await dial(address, parts.port)).close()
        except DatabaseError as error:
            raise DatabaseError(_joined(prefix, [f"{address}:{parts.port} ({parts.host}): dial error: {error}"] * attempts)) from None
    return parts, address


def login(dsn: str, parts: PostgresqlDsn, address: str, files: Files) -> PostgresqlConnection:
    """Connect and log in. Blocks."""
    with ExitStack() as stack:
        settings = _tls_settings(dsn, parts, files, stack)
        try:
            target = make_conninfo(
                host=parts.host,
                hostaddr=address,
                port=parts.port,
                user=parts.user,
                password=parts.password,
                dbname=parts.database,
                options=" ".join(f"-c {name}={value}" for name, value in parts.session.items()),
                connect_timeout=30,
                gssencmode="disable",
                passfile=_NO_FILE,
                target_session_attrs="any",
                **settings,
            )
            return PostgresqlConnection(psycopg.connect(target, autocommit=True, prepare_threshold=None))
        except psycopg.Error as error:
            raise _refusal(str(error), parts, address) from None


def _tls_settings(dsn: str, parts: PostgresqlDsn, files: Files, stack: ExitStack) -> dict[str, str]:
    """libpq's settings for what pgx does: a CA given means that the chain is verified, and verification without one uses the system's CAs."""
    mode, authority = parts.settings["sslmode"], parts.settings.get("sslrootcert", "")
    certificate, key = parts.settings.get("sslcert", ""), parts.settings.get("sslkey", "")

    def refused(why: str) -> DatabaseError:
        return DatabaseError(f"cannot parse `{redacted(dsn)}`: failed to configure TLS ({why})")

    settings = {"sslmode": mode, "sslcert": _NO_FILE, "sslkey": _NO_FILE, "sslrootcert": _NO_FILE, "sslcrl": _NO_FILE}
    if authority:
        try:
            content = files.read(authority)
        except OSError as error:
            raise refused(f"unable to read CA file: {error}") from None
        if not has_certificates(content):
            raise refused("unable to add CA to cert pool")
        settings["sslrootcert"] = stack.enter_context(on_disk(content))
        if mode == "require":
            settings["sslmode"] = "verify-ca"
    elif mode in ("verify-ca", "verify-full"):
        settings["sslrootcert"] = ssl.get_default_verify_paths().cafile or _NO_FILE
    if mode not in SSL_MODES:
        raise refused("sslmode is invalid")
    if bool(certificate) != bool(key):
        raise refused('both "sslcert" and "sslkey" are required')
    if certificate:
        pair = {}
        for name, path, what in (("sslkey", key, "sslkey"), ("sslcert", certificate, "cert")):
            try:
                pair[name] = files.read(path)
            except OSError as error:
                raise refused(f"unable to read {what}: {error}") from None
            if name == "sslkey" and b"-----BEGIN" not in pair[name]:
                raise refused("failed to decode sslkey")
        if problem := pair_problem(pair["sslcert"], pair["sslkey"]):
            raise refused(f"unable to load cert: {problem}")
        settings |= {name: stack.enter_context(on_disk(content)) for name, content in pair.items()}
    return settings


def _refusal(text: str, parts: PostgresqlDsn, address: str) -> DatabaseError:
    prefix = f"failed to connect to `user={parts.user} database={parts.database}`:"
    where = f"{address}:{parts.port} ({parts.host}): "
    reasons = [_reason(part, parts.settings["sslmode"], address, parts.port) for part in re.split(r"(?=connection to server at )", text)[1:]]
    # Answers after which pgx does not try the next way to connect.
    final = [reason for reason in reasons if any(f"(SQLSTATE {state})" in reason for state in ("28P01", "3D000", "42501"))]
    reasons = final[:1] or reasons
    return DatabaseError(_joined(prefix, [where + reason for reason in reasons or [text]]))


def _reason(text: str, mode: str, address: str, port: int) -> str:
    if fatal := re.search(r"FATAL:\s+(.*)", text):
        message = fatal.group(1).strip()
        state = next((state for pattern, state in _STATES if re.search(pattern, message)), "08006")
        return f"{'failed SASL auth' if state == '28P01' else 'server error'}: FATAL: {message} (SQLSTATE {state})"
    if "certificate verify failed" in text or "root certificate" in text:
        chain = "tls: failed to verify certificate: " if mode == "verify-full" else ""
        return f"failed to write startup message: write failed: {chain}x509: certificate signed by unknown authority"
    if alert := alert_text(text):
        return f"failed to receive message: {alert}"
    if "server does not support SSL" in text:
        return "tls error: server refused TLS connection"
    if "Connection refused" in text:
        return f"dial error: dial tcp {address}:{port}: connect: connection refused"
    return "failed to receive message: unexpected EOF"


def _joined(prefix: str, lines: list[str]) -> str:
    return f"{prefix} {lines[0]}" if len(lines) == 1 else prefix + "".join(f"\n\t{line}" for line in lines)
