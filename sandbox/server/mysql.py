"""MySQL and MariaDB as the registry server opens them."""

from __future__ import annotations

import re
import socket
import ssl
from typing import Any

import pymysql
from pymysql.constants import CR, ER

from sandbox.server.arguments import Options
from sandbox.server.connection import (
    Closable,
    DatabaseError,
    Files,
    Lookup,
    alert_text,
    check_host,
    dial,
    has_certificates,
    on_disk,
    pair_problem,
    pem_text,
    verification_text,
)
from sandbox.server.dsn import MysqlDsn

# SQL states of errors that PyMySQL names by number only.
_STATES = {
    1040: "08004",
    1044: "42000",
    1226: "42000",
    1045: "28000",
    1049: "42000",
    1050: "42S01",
    1062: "23000",
    1142: "42000",
    1146: "42S02",
    1205: "HY000",
    1698: "28000",
    1173: "42000",
    1792: "25006",
}
# Go's names of the cipher suites that the server allows, and of those that Go itself has and calls insecure.
_CIPHER = re.compile(
    r"TLS_(AES_128_GCM_SHA256|AES_256_GCM_SHA384|CHACHA20_POLY1305_SHA256"
    r"|ECDHE_(ECDSA|RSA)_WITH_(AES_(128|256)_CBC_SHA|AES_128_GCM_SHA256|AES_256_GCM_SHA384|CHACHA20_POLY1305_SHA256))"
)
_INSECURE_CIPHER = re.compile(
    r"TLS_(RSA_WITH_(RC4_128_SHA|3DES_EDE_CBC_SHA|AES_(128|256)_CBC_SHA|AES_128_CBC_SHA256|AES_128_GCM_SHA256|AES_256_GCM_SHA384)"
    r"|ECDHE_(ECDSA|RSA)_WITH_(RC4_128_SHA|AES_128_CBC_SHA256)|ECDHE_RSA_WITH_3DES_EDE_CBC_SHA)"
)
_LOST = (CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, 0)


class _VerifyingContext(ssl.SSLContext):
    """Checks the host name right after the handshake, by Go's rules, so that no login follows."""

    host = ""

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        wrapped = super().wrap_socket(*arguments, **options)
        if self.verify_mode is ssl.CERT_REQUIRED:
            check_host(wrapped.getpeercert() or {}, self.host)
        return wrapped


class _Unsupported:
    """A method of authentication that the server's driver refuses, in the shape that PyMySQL wants."""

    def __init__(self, _connection: Any) -> None:
        pass

    def authenticate(self, _packet: Any) -> Any:
        raise DatabaseError("this authentication plugin is not supported")


class _ClearPassword(_Unsupported):
    def authenticate(self, _packet: Any) -> Any:
        raise DatabaseError("this user requires clear text authentication. If you still want to use it, please add 'allowCleartextPasswords=1' to your DSN")


class MysqlConnection(Closable):
    """One connection; statements have `%s` for values."""

    kind = "mysql"

    def __init__(self, connection: pymysql.connections.Connection[Any]):
        super().__init__(lambda: connection.close() if connection.open else None)
        self._connection = connection

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            with self._statement(), self._connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return list(cursor.fetchall()) if cursor.description else []
        except (pymysql.Error, OSError) as error:
            raise _refusal(error) from None


def tls_context(options: Options, files: Files) -> ssl.SSLContext | None:
    """How the connection is encrypted, None for plaintext. DatabaseError ends the server: it does not try again."""
    if not (options.wants_tls or options.embedmd_database_ssl_cipher):
        return None
    context = _VerifyingContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED if options.embedmd_database_ssl_verify_server_cert else ssl.CERT_NONE
    authorities = [
        (options.embedmd_database_ssl_root_cert, "root"),
        (options.embedmd_database_ssl_ca if options.embedmd_database_ssl_ca != options.embedmd_database_ssl_root_cert else "", "CA"),
    ]
    for path, which in authorities:
        if path:
            try:
                content = files.read(path)
            except OSError as error:
                raise DatabaseError(f"failed to read SSL {which} certificate from {path}: {error}") from None
            if not has_certificates(content):
                raise DatabaseError(f"failed to parse SSL {which} certificate from {path}")
            context.load_verify_locations(cadata=pem_text(content))
    if not any(path for path, _content in authorities):
        context.load_default_certs()
    certificate, key = options.embedmd_database_ssl_cert, options.embedmd_database_ssl_key
    if certificate and key:
        try:
            pair = files.read(certificate), files.read(key)
            problem = pair_problem(*pair)
        except OSError as error:
            problem = str(error)
        if problem:
            raise DatabaseError(f"failed to load SSL certificate pair (cert: {certificate}, key: {key}): {problem}")
        with on_disk(pair[0]) as certificate_file, on_disk(pair[1]) as key_file:
            context.load_cert_chain(certificate_file, key_file)
    for cipher in map(str.strip, options.embedmd_database_ssl_cipher.split(":")) if options.embedmd_database_ssl_cipher else ():
        if _INSECURE_CIPHER.fullmatch(cipher):
            raise DatabaseError(f"selected cipher suite is insecure: {cipher}")
        if not _CIPHER.fullmatch(cipher):
            raise DatabaseError(f"invalid cipher suite: {cipher}")
    return context


async def reach(dsn: MysqlDsn, lookup: Lookup) -> socket.socket:
    """A TCP connection to the database of a connection string."""
    try:
        address = await lookup(dsn.host)
    except DatabaseError as error:
        raise DatabaseError(f"dial tcp: {error}") from None
    return await dial(address, dsn.port)


def login(dsn: MysqlDsn, context: ssl.SSLContext | None, reached: socket.socket) -> MysqlConnection:
    """Log in over a TCP connection, which is closed when that fails. Blocks."""
    if isinstance(context, _VerifyingContext):
        context.host = dsn.host
    connection = pymysql.connections.Connection(
        host=dsn.host,
        user=dsn.user,
        password=dsn.password.encode(),
        database=dsn.database or None,
        charset="utf8mb4",
        autocommit=True,
        ssl=context,
        ssl_disabled=context is None,
        connect_timeout=30,
        auth_plugin_map={"mysql_clear_password": _ClearPassword, "dialog": _Unsupported, "mysql_old_password": _Unsupported},
        read_timeout=60,
        write_timeout=60,
        defer_connect=True,
    )
    try:
        reached.settimeout(30)
        connection.connect(reached)
    except (pymysql.Error, OSError, DatabaseError) as error:
        reached.close()
        raise _refusal(error) from None
    return MysqlConnection(connection)


def _refusal(error: Exception) -> DatabaseError:
    cause = getattr(error, "original_exception", None) or error
    if isinstance(cause, DatabaseError):
        return cause
    if isinstance(cause, ssl.SSLCertVerificationError):
        return DatabaseError(verification_text(cause))
    if isinstance(cause, pymysql.Error) and len(cause.args) > 1:
        code, text = cause.args[:2]
        if code in _LOST:
            return DatabaseError("invalid connection", lost=True, driver=alert_text(text))
        return DatabaseError(f"Error {code} ({_STATES.get(code, 'HY000')}): {text}", duplicate=code == ER.DUP_ENTRY)
    return DatabaseError(str(cause) or "invalid connection", lost=True)
