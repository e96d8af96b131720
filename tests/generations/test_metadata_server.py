"""The metadata server of the oldest product: every rule about how it opens its database, on the sandbox's databases."""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sandbox import databases
from sandbox.databases import READER, REGISTRY, TLS_ONLY
from sandbox.layout import Layout
from sandbox.operator.status import log_error
from sandbox.server.connection import Files, no_such_host
from sandbox.server.metadata import ABORTED, MetadataServer
from sandbox.server.registry import Start

from .conftest import Sandbox

NAMESPACE = "registries"
# MariaDB: its driver is of the time before caching_sha2_password.
MYSQL, POSTGRESQL = "mariadb.data.svc.cluster.local", "postgres.data.svc.cluster.local"
SECONDS = 30
TLS_LOGIN = {"user": TLS_ONLY.name, "password": TLS_ONLY.password}
READER_LOGIN = {"user": READER.name, "password": READER.password}
RIGHT, WRONG = ({"sslrootcert": f"/ca/{name}"} for name in ("right", "wrong"))
VERIFY = {"verify_server_cert": "true"}


def run(layout: Layout, arguments: list[str]) -> tuple[int | None, str]:
    """What became of a metadata server: its exit code, None when it listens, and its log."""
    texts = {"right": "database-ca", "wrong": "other-ca"}
    files = Files({"/ca": {name: layout.path("pki", f"{file}.crt").read_bytes() for name, file in texts.items()} | {"text": b"no certificate"}})
    lines: list[str] = []

    async def lookup(host: str) -> str:
        address = databases.resolve(layout, NAMESPACE, host, {})
        if not address:
            raise no_such_host(host)
        return address

    async def live() -> int | None:
        with ThreadPoolExecutor(2) as threads:
            server = MetadataServer(Start(arguments, {}, files, lookup), lines.append, threads)
            running = asyncio.create_task(server.run())
            async with asyncio.timeout(SECONDS):
                while not (server.listening or running.done()):
                    await asyncio.sleep(0.02)
            if running.done():
                return running.result()
            running.cancel()
            return None

    return asyncio.run(live()), "\n".join(lines)


def command_line(kind: str, settings: dict[str, Any]) -> list[str]:
    prefix = {"mysql": "mysql", "postgresql": "postgres"}[kind]
    flags = [f"--{prefix}_config_{name}={value}" for name, value in settings.items()]
    return ["--grpc_port=9090", f"--metadata_source_config_type={kind}", *flags, "--enable_database_upgrade=true"]


@pytest.fixture(scope="module")
def mysql(openshift: Sandbox) -> dict[str, Any]:
    name = f"metadata_{uuid.uuid4().hex[:8]}"
    databases.create_databases(openshift.layout, databases.MARIADB, [name])
    return {"database": name, "host": MYSQL, "port": 3306, "user": REGISTRY.name, "password": REGISTRY.password}


@pytest.fixture(scope="module")
def postgresql(openshift: Sandbox) -> dict[str, Any]:
    name = f"metadata_{uuid.uuid4().hex[:8]}"
    databases.create_databases(openshift.layout, "postgresql", [name])
    return {"dbname": name, "host": POSTGRESQL, "port": 5432, "user": REGISTRY.name, "password": REGISTRY.password}


@pytest.mark.parametrize(
    "changed",
    [{}, RIGHT, RIGHT | VERIFY, RIGHT | TLS_LOGIN, RIGHT | {"host": "mariadb-alias.data"}, {"skip_db_creation": "true"}, {"database": "made_by_mlmd"}],
    ids=["plaintext", "ca", "verified", "tls-only", "another-host-unverified", "no-creation", "creation"],
)
def test_it_opens_mysql(openshift: Sandbox, mysql: dict[str, Any], changed: dict[str, str]) -> None:
    code, log = run(openshift.layout, command_line("mysql", mysql | changed))
    assert code is None, log
    assert "] Server listening on 0.0.0.0:9090" in log


@pytest.mark.parametrize(
    "changed",
    [
        {"password": "wrong"},
        {"host": "nohost.data"},
        {"host": POSTGRESQL},
        TLS_LOGIN,
        # A CA is used to verify the chain even when nobody asks for it, and the host name only then.
        WRONG,
        RIGHT | VERIFY | {"host": "mariadb-alias.data"},
        {"sslrootcert": "/ca/text"},
        {"sslrootcert": "/ca/none"},
    ],
    ids=["password", "host", "port", "tls-only", "wrong-ca", "another-host", "no-pem", "no-file"],
)
def test_whatever_keeps_it_from_mysql_it_says_the_same(openshift: Sandbox, mysql: dict[str, Any], changed: dict[str, str]) -> None:
    code, log = run(openshift.layout, command_line("mysql", mysql | changed))
    assert code == ABORTED
    assert "] MySQL database was not initialized. Please ensure your MySQL server is running." in log
    # The operator finds this in the log, and tells it in the registry's status.
    cause = "INTERNAL: mysql_real_connect failed: errno: , error:  [mysql-error-info='']"
    assert log_error(log) == f"MetadataStore cannot be created with the given connection config.: {cause}"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"database": "with-hyphen"}, "Creating database with-hyphen in ConnectImplmysql_query failed: errno: You have an error in your SQL syntax"),
        (READER_LOGIN | {"database": "nope"}, "Creating database nope in ConnectImplmysql_query failed: errno: Access denied for user 'registry_reader'"),
        ({"database": "nope", "skip_db_creation": "true"}, "Changing to database nope in ConnectImplmysql_query failed: errno: Unknown database 'nope'"),
        (READER_LOGIN | {"skip_db_creation": "true"}, "command denied to user 'registry_reader'"),
    ],
    ids=["hyphen", "missing", "missing-no-creation", "no-rights"],
)
def test_what_mysql_refuses_later_is_told(openshift: Sandbox, mysql: dict[str, Any], changed: dict[str, str], said: str) -> None:
    code, log = run(openshift.layout, command_line("mysql", mysql | changed))
    assert code == ABORTED
    assert said in log


@pytest.mark.parametrize(
    "changed",
    [{}, {"skip_db_creation": "true"}, RIGHT | {"sslmode": "verify-full"}, TLS_LOGIN | {"sslmode": "require"}],
    ids=["plaintext", "no-creation", "verified", "tls-only"],
)
def test_it_opens_postgresql(openshift: Sandbox, postgresql: dict[str, Any], changed: dict[str, str]) -> None:
    code, log = run(openshift.layout, command_line("postgresql", postgresql | changed))
    assert code is None, log
    assert "] Connection to database succeed." in log


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password": "wrong"}, 'password authentication failed for user "registry"'),
        ({"dbname": "nope", "skip_db_creation": "true"}, 'database "nope" does not exist'),
        ({"host": "nohost.data"}, "no such host"),
        (WRONG | {"sslmode": "verify-ca"}, "certificate verify failed"),
    ],
    ids=["password", "missing", "host", "wrong-ca"],
)
def test_what_keeps_it_from_postgresql_is_told_in_the_databases_words(
    openshift: Sandbox, postgresql: dict[str, Any], changed: dict[str, str], said: str
) -> None:
    code, log = run(openshift.layout, command_line("postgresql", postgresql | changed))
    assert code == ABORTED
    assert "] PostgreSQL error: connection to server at" in log or said == "no such host"
    assert said in log
    # Its message has a line break in it, and the operator looks at single lines.
    assert log_error(log) is None
