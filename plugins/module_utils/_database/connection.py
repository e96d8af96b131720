# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that logs in to databases. It does so as the registry server does, but shows the password to nobody to whom that server would not."""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from .. import _deadline, _options
from .._model import certificates
from . import refusals, transport, vocabulary

# Authentication methods of MySQL and MariaDB that would show the password to whoever answers. The registry server's driver refuses them too.
CLEAR_PASSWORD_PLUGINS = ("mysql_clear_password", "dialog", "mysql_old_password")
# OpenSSL's flag by which a certificate in a bundle is trusted although its issuer is not there, as Go does. Python names it from 3.10 on.
PARTIAL_CHAIN = 0x80000
NO_FILE = "/nonexistent/none"
# The first libpq that can be told how to log in, and the ways that do not show the password. The registry server's driver knows these too, and shows it.
REQUIRE_AUTH = 160000
AUTH_METHODS = "md5,scram-sha-256,none"
# How long nothing may come from a database that is asked for a whole table, in seconds, and when a peer that is gone is noticed.
PATIENCE = 3600
KEEPALIVE = {"keepalives_idle": 60, "keepalives_interval": 15, "keepalives_count": 4, "tcp_user_timeout": 120_000}
# The name of the socket that libpq looks for in a folder, which it takes for a host.
SOCKET, SOCKET_PORT = ".s.PGSQL.5432", 5432
Result = TypeVar("Result")


@dataclass(frozen=True)
class Login:
    """How a database took a login: at this address, or in the folder of a socket, and whether over TLS."""

    address: str
    encrypted: bool = False


class StopError(Exception):
    """Nothing further can be found out."""

    def __init__(self, finding: vocabulary.Finding) -> None:
        self.finding = finding
        super().__init__(finding.message)


class RefusedError(Exception):
    """A database does not take a login, or a statement after it; `code` is MySQL's number."""

    def __init__(self, text: str, code: int = 0) -> None:
        self.text, self.code = text, code
        super().__init__(text)


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


def tls_context(view: vocabulary.View, checks_chain: bool, checks_host: bool = False) -> ssl.SSLContext:
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
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            paths.append(path)
        yield paths


class _ClearPassword:
    """A method of authentication that is refused, in the shape that PyMySQL wants."""

    def __init__(self, _connection: Any) -> None:
        pass

    def authenticate(self, _packet: Any) -> Any:
        raise RefusedError("the password would be shown", refusals.CLEAR_PASSWORD)


def opened(view: vocabulary.View, login: Login, seconds: float) -> Any:
    """A connection (PyMySQL, psycopg) for reading or writing whole tables. RefusedError, StopError, OSError."""
    if view.type != _options.MYSQL:
        return postgresql(view, login.address, seconds, login.encrypted)

    def connect() -> Any:
        connection = mysql(view, login.address, seconds, login.encrypted, PATIENCE)
        answered(lambda: connection.select_db(view.name))
        return connection

    return _deadline.within(2 * seconds, connect)


def mysql(view: vocabulary.View, address: str, seconds: float, encrypted: bool, patience: float | None = None) -> Any:
    """A connection to MySQL or MariaDB, in no database: so a user that may not use it is told apart from one that may not log in. RefusedError, OSError.

    `patience` is for how long an answer is waited for, if not for `seconds` too.
    """
    pymysql, use = _driver(view.type), transport.encryption(view)
    context = tls_context(view, use.checks_chain, use.checks_host) if encrypted else None
    connection = pymysql.connections.Connection(
        host=view.host,
        user=view.username,
        password=view.effective_password.encode(),
        charset="utf8mb4",
        ssl=context,
        ssl_disabled=context is None,
        connect_timeout=seconds,
        read_timeout=patience or seconds,
        write_timeout=patience or seconds,
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
            stream = socket.create_connection((address, view.port), seconds)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.connect(stream)
        except ValueError:
            if view.withholds_password:
                raise StopError(vocabulary.WITHHELD) from None
            raise

    answered(connect)
    return connection


def answered(ask: Callable[[], Result]) -> Result:
    """What a server of MySQL answers. RefusedError, or OSError where the connection broke."""
    pymysql = _driver(_options.MYSQL)
    try:
        return ask()
    except pymysql.Error as error:
        raise _mysql_error(error) from None
    except (RefusedError, StopError, OSError):
        raise
    except Exception as error:
        # PyMySQL does not expect what is not MySQL's protocol.
        raise RefusedError(f"its response is not in the MySQL protocol ({type(error).__name__})") from None


def _mysql_error(error: Any) -> Exception:
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, OSError):
        return cause
    code, text = (*error.args, "", "")[:2]
    return RefusedError(str(text or error), code if isinstance(code, int) else 0)


def postgresql(view: vocabulary.View, address: str, seconds: float, encrypted: bool) -> Any:
    """A connection to PostgreSQL that writes nothing, unless it is told to. RefusedError; TimeoutError where that takes longer than `seconds`."""
    return _deadline.within(seconds, lambda: _postgresql(view, address, seconds, encrypted))


def _postgresql(view: vocabulary.View, address: str, seconds: float, encrypted: bool) -> Any:
    psycopg, use = _driver(view.type), transport.encryption(view)
    authority = certificates.pem_of(certificates.certificates_in(view.ca)) if view.ca is not None else ""
    certificate, key = view.client_certificate or "", view.client_key or ""
    with _files(authority, certificate, key) as (authority_file, certificate_file, key_file):
        if psycopg.pq.version() < REQUIRE_AUTH and not encrypted:
            raise StopError(refusals.OLD_LIBPQ)
        mode = "verify-full" if use.checks_host else "verify-ca" if use.checks_chain else "require"
        target = psycopg.conninfo.make_conninfo(
            **({"host": address, "port": SOCKET_PORT} if address.startswith("/") else {"host": view.host, "hostaddr": address, "port": view.port}),
            user=view.username,
            password=view.effective_password,
            dbname=view.name,
            connect_timeout=max(2, round(seconds)),
            # Whatever the database stores: PostgreSQL would send texts as it stores them.
            client_encoding="UTF8",
            sslmode=mode if encrypted else "disable",
            sslrootcert=(authority_file if authority else ssl.get_default_verify_paths().cafile or NO_FILE) if use.checks_chain else NO_FILE,
            sslcert=certificate_file if certificate and key else NO_FILE,
            sslkey=key_file if certificate and key else NO_FILE,
            # Nothing that this machine sets for other connections takes part.
            options="",
            sslcrl=NO_FILE,
            gssencmode="disable",
            passfile=NO_FILE,
            target_session_attrs="any",
            channel_binding="prefer",
            **KEEPALIVE,
            **({} if psycopg.pq.version() < REQUIRE_AUTH else {"require_auth": ("password," if encrypted else "") + AUTH_METHODS}),
        )
        try:
            connection = psycopg.connect(target, autocommit=True, prepare_threshold=None)
            connection.execute("SET default_transaction_read_only = on")
            return connection
        except psycopg.Error as error:
            raise RefusedError(str(error)) from None


def postgresql_rows(connection: Any, statement: str) -> list[tuple[Any, ...]]:
    """The rows that PostgreSQL answers a statement with. RefusedError."""
    try:
        return list(connection.execute(statement).fetchall())
    except _driver(_options.POSTGRESQL).Error as error:
        raise RefusedError(str(error)) from None
