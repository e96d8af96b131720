"""The pair of servers that older products run for a registry (operator v0.2.16): MLMD's metadata server, which opens the database, and the REST server
in front of it.

What they do and say is read out of the sources of ml-metadata (github.com/opendatahub-io/ml-metadata, 1.15.0.dev, with MariaDB Connector/C 3.0.8) and of the
registry server v0.2.16; neither was run for this. What looks wrong is so in the source: every failure to connect to MySQL has the same words and no number,
because the connection is overwritten before it is asked for its error, and the name of the database stands in statements without quotes.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from sandbox.server import log, models, mysql, schema
from sandbox.server.connection import Connection, DatabaseError, Files, on_disk, pem_text
from sandbox.server.dsn import MysqlDsn
from sandbox.server.models import Answer
from sandbox.server.postgresql import PostgresqlConnection
from sandbox.server.registry import Start

ATTEMPTS = 25
UNAVAILABLE = "MLMD server is down or unavailable. Please check that the database is reachable and try again later.\n"
# The exit code of a first process of a container that calls abort(): the kernel ignores its SIGABRT, and the C library then provokes a segmentation fault.
ABORTED = 139
NOT_INITIALIZED = (
    "MySQL database was not initialized. Please ensure your MySQL server is running. Also, this error might be caused by starting from MySQL 8.0,"
    " mysql_native_password used by MLMD is not supported as a default for authentication plugin. Please follow"
    " <https://dev.mysql.com/blog-archive/upgrading-to-mysql-8-0-default-authentication-plugin-considerations/>to fix this issue."
)
_NO_FILE = "/nonexistent/none"

Result = TypeVar("Result")


def asks_metadata_server(arguments: Sequence[str]) -> bool:
    """Whether a REST server with these arguments is one that leaves the database to a metadata server."""
    return any(argument.startswith("--mlmd-") for argument in arguments)


def flags_of(arguments: Sequence[str]) -> dict[str, str]:
    """The flags of a command line that gives every value after a `=`."""
    return {name.removeprefix("--"): value for name, _equals, value in (argument.partition("=") for argument in arguments)}


class MetadataServer:
    """`metadata_store_server`. It opens the database before it listens, and again for every request."""

    def __init__(self, start: Start, write: log.Write, threads: Executor):
        self._flags, self._files, self._lookup = flags_of(start.arguments), start.files, start.lookup
        self._write, self._threads = write, threads
        self.port = int(self._flags["grpc_port"])
        self.listening = False

    async def run(self) -> int:
        """Serve until cancelled; the exit code when the database cannot be used."""
        try:
            await self.use(schema.create_tables)
        except DatabaseError as error:
            refused = f"Check failed: absl::OkStatus() == status (OK vs. INTERNAL: {error}) MetadataStore cannot be created with the given connection config."
            self._say("F", "metadata_store_server_main.cc:617", refused)
            self._write("*** Check failure stack trace: ***")
            return ABORTED
        self._say("I", "metadata_store_server_main.cc:639", f"Server listening on 0.0.0.0:{self.port}")
        self.listening = True
        try:
            await asyncio.Event().wait()
        finally:
            self.listening = False
        return 0

    async def use(self, work: Callable[[Connection], Result]) -> Result:
        """Do something with a connection of its own, as every request to this server does. DatabaseError has the server's words."""
        connection = await (self._mysql() if self._flags["metadata_source_config_type"] == "mysql" else self._postgresql())
        try:
            return await self._in_thread(lambda: work(connection))
        except DatabaseError as error:
            raise _query_failure(error) if connection.kind == "mysql" else error from None
        finally:
            self._threads.submit(connection.close)

    async def _mysql(self) -> Connection:
        flag = {name.removeprefix("mysql_config_"): value for name, value in self._flags.items()}
        server = MysqlDsn(flag.get("user", ""), flag.get("password", ""), flag["host"], int(flag["port"]), "")
        try:
            context = mysql_tls(flag, self._files)
            reached = await mysql.reach(server, self._lookup)
            connection = await self._in_thread(lambda: mysql.login(server, context, reached))
        except (DatabaseError, OSError):
            self._say("E", "mysql_metadata_source.cc:174", NOT_INITIALIZED)
            raise DatabaseError("mysql_real_connect failed: errno: , error:  [mysql-error-info='']") from None
        name = flag["database"]
        steps = {"Changing to": f"USE {name}"}
        if flag.get("skip_db_creation") != "true":
            steps = {"Creating": f"CREATE DATABASE IF NOT EXISTS {name}", **steps}
        for what, statement in steps.items():
            try:
                await self._in_thread(partial(connection.run, statement))
            except DatabaseError as error:
                connection.close()
                raise DatabaseError(f"{what} database {name} in ConnectImpl{_query_failure(error)}") from None
        return connection

    async def _postgresql(self) -> Connection:
        flag = {name.removeprefix("postgres_config_"): value for name, value in self._flags.items()}
        if flag.get("skip_db_creation") != "true":
            default = await self._postgresql_database(flag, "postgres")
            try:
                await self._in_thread(lambda: _create_postgresql_database(default, flag["dbname"]))
            except DatabaseError as error:
                raise DatabaseError(f"PostgreSQL metadata source error: {error}") from None
            finally:
                self._threads.submit(default.close)
        return await self._postgresql_database(flag, flag["dbname"])

    async def _postgresql_database(self, flag: Mapping[str, str], name: str) -> Connection:
        self._say("I", "postgresql_metadata_source.cc:208", "Connecting to database. ")
        try:
            address = flag.get("hostaddr") or await self._lookup(flag["host"])
            connection = await self._in_thread(lambda: _postgresql_login({**flag, "dbname": name, "hostaddr": address}, self._files))
        except (DatabaseError, OSError, psycopg.Error) as error:
            self._say("E", "postgresql_metadata_source.cc:211", f"PostgreSQL error: {str(error).removeprefix('connection failed: ')}")
            # The line break is the C library's. It keeps the operator, which looks at single lines, from finding this error.
            raise DatabaseError("PostgreSQL metadata source error: connection pointer is NULL\n") from None
        self._say("I", "postgresql_metadata_source.cc:215", "Connection to database succeed.")
        return connection

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _say(self, severity: str, place: str, message: str) -> None:
        self._write(_line(severity, place, message, 5))


class Gateway:
    """The REST server. It listens at once, and answers requests as soon as the metadata server does."""

    def __init__(self, arguments: Sequence[str], metadata: Callable[[], MetadataServer | None], write: log.Write):
        flags = flags_of(arguments)
        self._host, self.port, self._metadata_port = flags["hostname"], int(flags["port"]), int(flags["mlmd-port"])
        self._metadata, self._write = metadata, write
        self._connected = False

    async def run(self) -> int:
        """Serve until cancelled; the exit code when the metadata server does not come."""
        self._say("proxy.go:109", f"proxy server started at {self._host}:{self.port}")
        self._say("proxy.go:63", f"connecting to MLMD server localhost:{self._metadata_port}..")
        for attempt in range(1, ATTEMPTS + 1):
            if self._server():
                self._say("proxy.go:102", "connected to MLMD server")
                self._connected = True
                await asyncio.Event().wait()
            await asyncio.sleep(attempt)
        self._write(f"Error: error creating core service: {self._unavailable()}")
        return 1

    async def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Answer:
        """Any request, as the server would answer it."""
        if not self._connected:
            return Answer(503, UNAVAILABLE, "text/plain; charset=utf-8")
        if not (server := self._server()):
            return Answer(503, json.dumps({"code": "", "message": self._unavailable()}) + "\n")
        try:
            return await server.use(lambda connection: models.answer(connection, method, path, query, body))
        except DatabaseError as error:
            return Answer(500, json.dumps({"code": "", "message": f"rpc error: code = Internal desc = {error}"}) + "\n")

    def _server(self) -> MetadataServer | None:
        server = self._metadata()
        return server if server and server.listening and server.port == self._metadata_port else None

    def _unavailable(self) -> str:
        return f'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: {refused(self._metadata_port)}"'

    def _say(self, place: str, message: str) -> None:
        self._write(_line("I", place, message, 7))


def refused(port: int, address: str = "127.0.0.1") -> str:
    """Go's words for a port at which nothing listens."""
    return f"dial tcp {address}:{port}: connect: connection refused"


def mysql_tls(flag: Mapping[str, str], files: Files) -> ssl.SSLContext | None:
    """How the connection is encrypted, None for plaintext; OSError when a file cannot be used. With a CA the chain is always verified, the host on demand."""
    authority, folder, certificate, key = (flag.get(name, "") for name in ("sslrootcert", "sslcapath", "sslcert", "sslkey"))
    if not (authority or folder or certificate or key or flag.get("sslcipher")):
        return None
    verifies_host = flag.get("verify_server_cert") == "true"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = verifies_host
    # In a folder certificates are found by hashed names, which keys of a Secret or ConfigMap do not have: none is loaded from there.
    context.verify_mode = ssl.CERT_REQUIRED if authority or folder or verifies_host else ssl.CERT_NONE
    if authority:
        context.load_verify_locations(cadata=pem_text(files.read(authority)))
    if certificate or key:
        with on_disk(files.read(certificate or key)) as certificate_file, on_disk(files.read(key or certificate)) as key_file:
            context.load_cert_chain(certificate_file, key_file)
    return context


def _postgresql_login(flag: Mapping[str, str], files: Files) -> PostgresqlConnection:
    """Connect with libpq, as MLMD does, and with the settings that it finds in MLMD's connection string, whose values have no quotes."""
    names = ("dbname", "host", "port", "user", "password", "sslmode", "sslcert", "sslkey", "sslpassword", "sslrootcert")
    settings: dict[str, Any] = conninfo_to_dict("".join(f" {name}={flag[name]}" for name in names if flag.get(name)))
    with ExitStack() as stack:
        for name in ("sslcert", "sslkey", "sslrootcert"):
            settings[name] = stack.enter_context(on_disk(files.read(settings[name]))) if name in settings else _NO_FILE
        target = make_conninfo(**settings, hostaddr=flag["hostaddr"], passfile=_NO_FILE, sslcrl=_NO_FILE, gssencmode="disable", connect_timeout=30)
        return PostgresqlConnection(psycopg.connect(target, autocommit=True, prepare_threshold=None))


def _create_postgresql_database(connection: Connection, name: str) -> None:
    if not connection.run("SELECT datname FROM pg_catalog.pg_database WHERE lower(datname) = lower(%s)", name):
        connection.run(f"CREATE DATABASE {name}")


def _query_failure(error: DatabaseError) -> DatabaseError:
    """MLMD's words for a statement that MySQL refuses. It writes the text where it means the number, and the number is lost on the way up."""
    text = re.sub(r"^Error \d+ \(\w+\): ", "", str(error))
    return DatabaseError(f"mysql_query failed: errno: {text}, error: {text}", error.lost, error.duplicate)


def _line(severity: str, place: str, message: str, width: int) -> str:
    """A line of the logging libraries of both servers, which differ in how wide the number of the process is."""
    return f"{severity}{datetime.datetime.now(datetime.UTC):%m%d %H:%M:%S.%f} {1:>{width}} {place}] {message}"
