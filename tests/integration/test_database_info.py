"""What is said of a database, held against what the registry server then does with it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import re
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pymysql
import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._database import connection
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.probe import Report, look
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.refusals import mysql_refusal
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.resolution import Source, look_at
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.vocabulary import FAILURE, OK, WARNING, Finding, View
from sandbox import databases, processes
from sandbox.databases import READER, REGISTRY
from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from sandbox.processes import Command
from sandbox.server import models
from sandbox.server.connection import Files, no_such_host
from sandbox.server.registry import RegistryServer, Start
from tests.helpers import REGISTRIES, ProcessLists, Task

from .conftest import MYSQL_SERVERS, SERVERS, Cluster, Runner
from .test_sandbox_node import ROWS, SERVES, Row, ca_bundle, pod_name, row_pod

MODULE = "modelops.openshift_ai.model_registry_database_info"
NAMESPACE = "anywhere"
# The check that finds what the server says in these words.
CHECKS = (
    (r"EmbedMD config|invalid MySQL DSN|invalid port|invalid userinfo|invalid URL escape", "settings"),
    (r"SSL root certificate|is a directory|cert pool", "ca"),
    (r"lookup nohost\.invalid|no such host", "address"),
    (r"connection refused", "port"),
    (r"signed by unknown authority", "certificate"),
    (r"certificate is valid for", "host_name"),
    (r"no encryption", "tls_required"),
    (r"'user'@", "settings"),
    (r"Error 1045|SASL auth|\(attempt 1/25\): failed to connect", "login"),
    (r"Error 1049|does not exist", "database"),
    (r"Dirty database", "migration"),
    (r"CREATE command denied|permission denied for schema", "privileges"),
)


# What a connection from here cannot prove for one from the cluster; of MySQL also the login, because its accounts are for hosts.
FROM_HERE = ("address", "port", "tls_required")


@pytest.fixture(scope="module")
def own_databases(layout: Layout) -> Iterator[dict[str, dict[str, str]]]:
    """For each kind of server a database that registry servers may use, and one that stays empty."""
    names = {kind: {what: f"info {what} {uuid.uuid4().hex[:8]}" for what in ("used", "empty")} for kind in SERVERS}
    for kind, own in names.items():
        databases.create_databases(layout, kind, own.values())
    yield names
    for kind, own in names.items():
        for name in own.values():
            databases.drop_database(layout, kind, name)


# Servers that only some tests have, by the namespace and name of a Service.
MORE_SERVERS: dict[tuple[str, str], str] = {}


def resolved_here(layout: Layout, host: str) -> str | None:
    return databases.resolve(layout, NAMESPACE, host, MORE_SERVERS)


@pytest.fixture
def cluster_names(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of Services mean something here too, as on a host in the cluster's network."""
    resolved = socket.getaddrinfo

    def find(host: str, *arguments: Any, **options: Any) -> Any:
        return resolved(resolved_here(layout, host) or host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", find)


@dataclass(frozen=True)
class Served:
    """What a registry server did with its database."""

    serves: bool
    log: str
    # The status of the answer to a request for a model of this name.
    status: int = 0


def serve(layout: Layout, row: Row, model: str = "") -> Served:
    """Run the registry server of a row until it serves, gives up, or fails to connect, and create a model in it.

    It is the real one where there is one, unless it must know the database by its name, or its log must have the paths of its files.
    """
    if layout.registry_server and not row.verify and "/etc/" not in row.expected:
        return serve_really(layout, row, model)
    return asyncio.run(_serve(layout, row, model))


def serve_really(layout: Layout, row: Row, model: str) -> Served:
    [host] = re.findall(r"tcp\((.*?):|@([^@ ]*?):\d+/", " ".join(container(row)["args"]))
    name = "".join(host)
    address, port = layout.address("node"), 18080
    with (
        tempfile.TemporaryDirectory() as files,
        tempfile.TemporaryFile("w+") as log,
    ):
        for key, text in ca_bundle(layout)["data"].items():
            (Path(files) / key).write_text(text)
        arguments = [
            re.sub(r"\$\((MYSQL|POSTGRESQL|POSTGRES)_PASSWORD\)", lambda _match: row.password, text).replace(name, resolved_here(layout, name) or name)
            for text in container(row)["args"]
            if not text.startswith(("--hostname=", "--port="))
        ]
        for folder in ca_folders(row):
            arguments = [text.replace(f"={folder}/", f"={files}/") for text in arguments]
        command = [layout.registry_server, "proxy", f"--hostname={address}", f"--port={port}", *arguments]
        with subprocess.Popen(command, stdout=log, stderr=log, env={"PATH": os.defpath, "HOME": "/"}) as process:
            try:
                deadline = time.monotonic() + 20
                while True:
                    ended = process.poll() is not None
                    log.seek(0)
                    text = log.read()
                    serves = "EmbedMD service connected" in text
                    if ended or serves or "Retrying" in text:
                        return Served(serves, text, created_really(f"http://{address}:{port}", model) if serves and model else 0)
                    assert time.monotonic() < deadline, text
                    time.sleep(0.05)
            finally:
                process.terminate()


def created_really(url: str, model: str) -> int:
    body = json.dumps({"name": model}).encode()
    request = urllib.request.Request(f"{url}{models.BASE}registered_models", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


async def _serve(layout: Layout, row: Row, model: str) -> Served:
    async def lookup(host: str) -> str:
        address = resolved_here(layout, host)
        if address is None:
            raise no_such_host(host)
        return address

    arguments = [re.sub(r"\$\((MYSQL|POSTGRESQL|POSTGRES)_PASSWORD\)", lambda _match: row.password, text) for text in container(row)["args"]]
    mounts = {folder: {key: text.encode() for key, text in ca_bundle(layout)["data"].items()} for folder in ca_folders(row)}
    lines: list[str] = []
    with ThreadPoolExecutor(2) as threads:
        server = RegistryServer(Start(arguments, {}, Files(mounts), lookup), lines.append, threads)
        running = asyncio.create_task(server.run())
        deadline = time.monotonic() + 20
        while not (serves := (await server.answer("GET", models.BASE + "registered_models", {"pageSize": "1"}, b"")).status == 200):
            assert time.monotonic() < deadline, lines
            if running.done() or "Retrying" in "".join(lines):
                break
            await asyncio.sleep(0.01)
        status = 0
        if serves and model:
            status = (await server.answer("POST", models.BASE + "registered_models", {}, json.dumps({"name": model}).encode())).status
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return Served(serves, "".join(lines), status)


def container(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = row_pod(row)["spec"]["containers"][0]
    return found


def ca_folders(row: Row) -> list[str]:
    return [mount["mountPath"] for mount in container(row).get("volumeMounts", [])]


def registry_of(row: Row) -> dict[str, Any]:
    """The registry that the operator makes the row's server for."""
    default = databases.SERVICES[row.kind] + ".data.svc.cluster.local"
    section: dict[str, Any] = {
        "host": row.host or default,
        "port": databases.PORTS[row.kind],
        "username": row.user,
        "database": row.database,
        "passwordSecret": {"name": "login", "key": "password"},
    }
    if row.ca == ".":
        section["sslRootCertificatesConfigMapName"] = "ca"
    elif row.ca:
        section["sslRootCertificateConfigMap"] = {"name": "ca", "key": row.ca}
    if row.client:
        parts = {"crt": "Certificate", "key": "Key"}
        section |= {f"ssl{parts[end]}Secret": {"name": "client", "key": f"{row.client}.{end}"} for end in row.client_parts}
    if row.cipher:
        section["sslCipher"] = row.cipher
    section |= {"verifyServerCert": row.verify} if databases.speaks_mysql(row.kind) else {"sslMode": row.ssl_mode}
    return {"metadata": {"name": "fraud", "namespace": NAMESPACE}, "spec": {"mysql" if databases.speaks_mysql(row.kind) else "postgres": section}}


def predicted(layout: Layout, row: Row) -> Report:
    """What is found in the database of the row's registry."""

    def read(source: Source) -> str | None:
        _kind, reference = source
        return row.password if reference.key == "password" else ca_bundle(layout)["data"].get(reference.key)

    return look_at(registry_of(row), read)[1]


def failures(report: Report) -> dict[str, str]:
    return {finding.check: finding.message for finding in report.findings if finding.result == FAILURE}


# Which names of TLS cipher suites the registry server knows, no look at a database can tell.
PREDICTABLE = [row for row in ROWS if not row.cipher or row.expected == SERVES]


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.parametrize("row", PREDICTABLE, ids=pod_name)
def test_the_server_does_what_was_predicted(layout: Layout, own_databases: dict[str, dict[str, str]], row: Row) -> None:
    if row.database is None:
        row = replace(row, database=own_databases[row.kind]["empty" if row.user == READER.name else "used"])
    report, served = predicted(layout, row), serve(layout, row)
    assert served.serves is (row.expected == SERVES), served.log
    assert row.expected in served.log
    if row.expected == SERVES:
        assert report.usable is True, report.findings
        return
    check = next(check for pattern, check in CHECKS if re.search(pattern, row.expected))
    from_here = check in FROM_HERE or (databases.speaks_mysql(row.kind) and check == "login")
    assert report.usable is (None if from_here else False), report.findings
    assert said(report, check).result == (WARNING if from_here else FAILURE)
    assert said(report, check).proven is not from_here


@pytest.fixture
def account(layout: Layout) -> Iterator[str]:
    """A user of all servers without any rights, with a database of its own of the same name, both empty."""
    name = f"info_{uuid.uuid4().hex[:8]}"
    of_mysql = [kind for kind in databases.servers(layout) if databases.speaks_mysql(kind)]
    for kind in of_mysql:
        with databases.administration(layout, kind) as run:
            run(f"CREATE USER {name} IDENTIFIED BY 'word'")
            run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    with databases.administration(layout, "postgresql") as run:
        run(f"CREATE ROLE {name} LOGIN PASSWORD 'word'")
        run(f"CREATE DATABASE {name} STRATEGY file_copy")
        run(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    yield name
    for kind in of_mysql:
        with databases.administration(layout, kind) as run:
            for statement in (f"DROP DATABASE {name}", f"DROP USER {name}", f"DROP ROLE IF EXISTS {name}_role", f"DROP ROLE IF EXISTS {name}_inner"):
                run(statement)
    with databases.administration(layout, "postgresql") as run:
        for statement in (f"DROP DATABASE {name} WITH (FORCE)", f"DROP ROLE {name}", f"DROP ROLE IF EXISTS {name}_role"):
            run(statement)


def is_mysql(layout: Layout, kind: str) -> bool:
    """Whether MySQL itself is behind a Service."""
    return databases.part(layout, kind) == "mysql"


def rights_of(layout: Layout, kind: str, account: str, *grants: str) -> tuple[Report, Served]:
    """What is predicted and what the server does when an account has these rights."""
    with databases.administration(layout, kind, account if kind == "postgresql" else None) as run:
        for grant in grants:
            run(grant.format(name=account, schema="SCHEMA public", to="TO" if is_mysql(layout, kind) else "FOR"))
    row = Row("rights", kind, user=account, password="word", database=account)
    return predicted(layout, row), serve(layout, row)


def said(report: Report, check: str) -> Finding:
    [finding] = [finding for finding in report.findings if finding.check == check]
    return finding


@dataclass(frozen=True)
class Setting:
    """Something that an administrator can do to a server or to an account and its database, both `{name}`, and how it is undone."""

    name: str
    do: tuple[str, ...]
    undo: tuple[str, ...] = ()
    # What the account may do.
    grants: tuple[str, ...] = ("GRANT ALL ON `{name}`.* TO '{name}'@'%'",)
    # The check that finds it and the server's words; empty where the server does not mind.
    check: str = ""
    log: str = ""
    # A key of the ConfigMap with CAs.
    ca: str = ""
    # What is said of it where the server does not mind.
    words: str = ""


EVERYWHERE = "GRANT ALL ON *.* TO '{name}'@'%'"
REVOKES, NO_REVOKES = "SET GLOBAL partial_revokes = ON", "SET GLOBAL partial_revokes = OFF"
READ_ONLY, READ_WRITE = "SET GLOBAL read_only = ON", "SET GLOBAL read_only = OFF"
KEYS, NO_KEYS = "SET GLOBAL sql_require_primary_key = ON", "SET GLOBAL sql_require_primary_key = OFF"
ONE_CONNECTION = ("ALTER USER '{name}'@'%' WITH MAX_USER_CONNECTIONS 1",)
OF_BOTH = (
    Setting("nothing", ()),
    Setting("one connection", ONE_CONNECTION, check="connections", log="Error 1226"),
    Setting("two connections", ("ALTER USER '{name}'@'%' WITH MAX_USER_CONNECTIONS 2",), words="1 of 2 connections of the user are in use"),
    Setting("read only", (READ_ONLY,), (READ_WRITE,), check="database", log="Error 1290"),
)
OF_MARIADB = (
    Setting("read-only transactions", ("SET GLOBAL tx_read_only = ON",), ("SET GLOBAL tx_read_only = OFF",), check="database", log="Error 1792"),
    Setting(
        "required keys",
        ("SET GLOBAL innodb_force_primary_key = ON",),
        ("SET GLOBAL innodb_force_primary_key = OFF",),
        check="primary_key",
        log="Error 1173 (42000)",
    ),
    Setting("read only for others", (READ_ONLY,), (READ_WRITE,), (*Setting.grants, "GRANT READ_ONLY ADMIN ON *.* TO '{name}'@'%'")),
    Setting("read only for SUPER", (READ_ONLY,), (READ_WRITE,), (*Setting.grants, "GRANT SUPER ON *.* TO '{name}'@'%'"), "database", "Error 1290"),
)
OF_MYSQL_ONLY = (
    Setting("read-only transactions", ("SET GLOBAL transaction_read_only = ON",), ("SET GLOBAL transaction_read_only = OFF",), check="database", log="1792"),
    Setting("required keys", (KEYS,), (NO_KEYS,), check="primary_key", log="Error 3750 (HY000)"),
    Setting(
        "required keys that are made",
        (KEYS, "SET GLOBAL sql_generate_invisible_primary_key = ON"),
        (NO_KEYS, "SET GLOBAL sql_generate_invisible_primary_key = OFF"),
    ),
    Setting(
        "partial revoke",
        (REVOKES, EVERYWHERE, "REVOKE INSERT ON `{name}`.* FROM '{name}'@'%'"),
        ("GRANT INSERT ON `{name}`.* TO '{name}'@'%'", NO_REVOKES),
        (),
        "privileges",
        "Error 1142 (42000): INSERT command denied",
    ),
    Setting(
        "partial revoke elsewhere",
        (REVOKES, EVERYWHERE, "REVOKE INSERT ON `model_registry`.* FROM '{name}'@'%'"),
        ("GRANT INSERT ON `model_registry`.* TO '{name}'@'%'", NO_REVOKES),
        (),
    ),
    Setting("read-only database", ("ALTER DATABASE `{name}` READ ONLY = 1",), ("ALTER DATABASE `{name}` READ ONLY = 0",), check="database", log="Error 3989"),
    Setting("read only for others", (READ_ONLY,), (READ_WRITE,), (*Setting.grants, "GRANT CONNECTION_ADMIN ON *.* TO '{name}'@'%'")),
    Setting("read only for SUPER", (READ_ONLY,), (READ_WRITE,), (*Setting.grants, "GRANT SUPER ON *.* TO '{name}'@'%'")),
    Setting(
        "read only for everybody",
        ("SET GLOBAL super_read_only = ON",),
        ("SET GLOBAL super_read_only = OFF", READ_WRITE),
        (*Setting.grants, "GRANT CONNECTION_ADMIN ON *.* TO '{name}'@'%'"),
        "database",
        "Error 1290",
    ),
    Setting("offline", ("SET GLOBAL offline_mode = ON",), ("SET GLOBAL offline_mode = OFF",), check="login", log="Error 3032"),
    Setting(
        "encrypted connections only",
        ("SET GLOBAL require_secure_transport = ON",),
        ("SET GLOBAL require_secure_transport = OFF",),
        check="tls_required",
        log="Error 3159",
    ),
    Setting(
        "encrypted connections only, with a CA",
        ("SET GLOBAL require_secure_transport = ON",),
        ("SET GLOBAL require_secure_transport = OFF",),
        ca="right",
    ),
)
SETTINGS = [
    *(pytest.param(databases.MARIADB, setting, id=f"MariaDB, {setting.name}") for setting in (*OF_BOTH, *OF_MARIADB)),
    *(pytest.param("mysql", setting, id=f"MySQL, {setting.name}", marks=pytest.mark.needs_mysql) for setting in (*OF_BOTH, *OF_MYSQL_ONLY)),
]


@contextlib.contextmanager
def mysql_account(layout: Layout, kind: str, host: str = "%") -> Iterator[str]:
    """A user of a server without any rights, for connections from this host, and a database of its name."""
    name = f"info_{uuid.uuid4().hex[:8]}"
    administered(layout, kind, name, f"CREATE USER '{{name}}'@'{host}' IDENTIFIED BY 'word'", "CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    try:
        yield name
    finally:
        administered(layout, kind, name, "DROP DATABASE `{name}`", f"DROP USER '{{name}}'@'{host}'")


def administered(layout: Layout, kind: str, name: str, *statements: str) -> None:
    with databases.administration(layout, kind) as run:
        for statement in statements:
            run(statement.format(name=name))


def row_of(kind: str, name: str, **more: Any) -> Row:
    return Row("rights", "mysql", host=f"{databases.SERVICES[kind]}.data.svc.cluster.local", user=name, password="word", database=name, **more)


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.parametrize(("kind", "setting"), SETTINGS)
def test_what_administrators_can_do_to_mysql_counts_as_it_does_for_the_server(layout: Layout, kind: str, setting: Setting) -> None:
    with mysql_account(layout, kind) as name:
        administered(layout, kind, name, *setting.grants)
        try:
            administered(layout, kind, name, *setting.do)
            row = row_of(kind, name, ca=setting.ca)
            report, served = predicted(layout, row), serve(layout, row)
        finally:
            administered(layout, kind, name, *setting.undo)
        assert report.usable is served.serves is (not setting.check), (report.findings, served.log)
        assert set(failures(report)) == ({setting.check} if setting.check else set())
        assert setting.log in served.log
        assert setting.words in " ".join(finding.message for finding in report.findings)


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.needs_mysql
def test_required_primary_keys_do_no_harm_to_a_database_that_has_its_tables(layout: Layout) -> None:
    with mysql_account(layout, "mysql") as name:
        row = row_of("mysql", name)
        administered(layout, "mysql", name, *Setting.grants)
        assert serve(layout, row).serves
        try:
            administered(layout, "mysql", name, KEYS)
            assert predicted(layout, row).usable is serve(layout, row).serves is True
        finally:
            administered(layout, "mysql", name, NO_KEYS)


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.needs_mysql
def test_a_schema_that_required_primary_keys_left_dirty_is_found_with_its_cause(layout: Layout) -> None:
    with mysql_account(layout, "mysql") as name:
        administered(layout, "mysql", name, *Setting.grants, KEYS)
        try:
            assert not serve(layout, row_of("mysql", name)).serves
            report = predicted(layout, row_of("mysql", name))
        finally:
            administered(layout, "mysql", name, NO_KEYS)
        assert set(failures(report)) == {"migration", "primary_key"}
        assert failures(report)["migration"].startswith("Migration 8 failed")


@dataclass(frozen=True)
class Login:
    """A login with one of the accounts of MySQL that are special, and what comes of it; with a text of the server's log it is refused."""

    user: str
    more: dict[str, Any]
    log: str = ""
    # What is said of it, and whether that holds for every host: an account is for some hosts only.
    words: str = ""
    proven: bool = False

    def __str__(self) -> str:
        return f"{self.user}, {' '.join(map(str, self.more.values())) or 'without TLS'}"


TLS: dict[str, Any] = {"ca": "right"}
CLIENT = TLS | {"client": "client"}
NO_CLIENT = ("Error 1045", "must present a client certificate")
LOGINS = (
    *(Login(user, more) for user in ("sha2", "sha256") for more in ({}, TLS)),
    Login("ssl", {}, "Error 1045", "must use TLS"),
    Login("ssl", TLS),
    *(Login(user, more, *NO_CLIENT) for user in ("x509", "subject") for more in ({}, TLS)),
    *(Login(user, CLIENT) for user in ("x509", "subject")),
    Login("x509", TLS | {"client": "database"}),
    Login("subject", TLS | {"client": "database"}, "Error 1045", "for other hosts"),
    Login("locked", TLS, "Error 3118", "is locked"),
    Login("expired", TLS, "Error 1862", "has expired"),
    Login("blocking", TLS, "Error 3955", "is blocked after too many failed logins"),
    Login("one_connection", TLS, "Error 1226", "needs 2 connections", proven=True),
    Login("hourly_connections", TLS, "Error 1226", "MAX_CONNECTIONS_PER_HOUR 1", proven=True),
    Login("hourly_queries", TLS, "Error 1226", "MAX_QUERIES_PER_HOUR 16", proven=True),
    Login("hourly_few", TLS, "Error 1226", "has reached a limit"),
    Login("hourly_updates", TLS, "Error 1226", "MAX_UPDATES_PER_HOUR 5", proven=True),
    Login("hourly_many", TLS, words="MAX_QUERIES_PER_HOUR 1000000"),
)


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.needs_mysql
@pytest.mark.parametrize("login", LOGINS, ids=str)
def test_an_account_that_is_special_is_let_in_or_not_as_was_predicted(layout: Layout, login: Login) -> None:
    database = f"special_{uuid.uuid4().hex[:8]}"
    row = Row("special", "mysql", user=login.user, database=database, **login.more)
    databases.create_databases(layout, "mysql", [database])
    try:
        with databases.administration(layout, "mysql") as run:
            # Nobody has logged in: passwords are proven in full, and no limit is used up.
            run("FLUSH PRIVILEGES")
            exists = bool(run(f"SELECT 1 FROM mysql.user WHERE user = '{login.user}'"))
            if login.user == "blocking":
                predicted(layout, replace(row, password="wrong"))
            report = predicted(layout, row)
            if login.user.startswith("sha"):
                run("FLUSH PRIVILEGES")
            served = serve(layout, row)
    finally:
        databases.drop_database(layout, "mysql", database)
    assert served.serves is (exists and not login.log), served.log
    assert login.log in served.log
    assert report.usable is (True if served.serves else False if login.proven else None), report.findings
    assert login.words in " ".join(finding.message for finding in report.findings if finding.result != OK)


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.needs_mysql
def test_an_account_whose_authentication_plugin_is_gone_is_refused_as_was_predicted(layout: Layout) -> None:
    """As one from an older MySQL: a new one cannot be made."""
    with mysql_account(layout, "mysql") as name:
        administered(layout, "mysql", name, "UPDATE mysql.user SET plugin = 'mysql_native_password' WHERE user = '{name}'", "FLUSH PRIVILEGES")
        report, served = predicted(layout, row_of("mysql", name)), serve(layout, row_of("mysql", name))
    assert report.usable is None and not served.serves
    assert "authentication plugin" in said(report, "login").message and "Error 1524" in served.log


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.needs_mysql
@pytest.mark.parametrize(("character_set", "status"), [("utf8mb4", 201), ("utf8mb3", 500), ("latin1", 500)])
def test_a_database_of_another_character_set_serves_and_cannot_store_every_name(layout: Layout, character_set: str, status: int) -> None:
    with mysql_account(layout, "mysql") as name:
        administered(layout, "mysql", name, *Setting.grants, f"ALTER DATABASE `{{name}}` CHARACTER SET {character_set}")
        report, served = predicted(layout, row_of("mysql", name)), serve(layout, row_of("mysql", name), model="\N{GRINNING FACE}")
    assert report.usable is served.serves is True, served.log
    assert served.status == status
    assert said(report, "character_set").result == (OK if status == 201 else WARNING)


BY_HOST = (
    ("ALTER USER '{name}'@'%' ACCOUNT LOCK", "locked"),
    ("ALTER USER '{name}'@'%' IDENTIFIED BY 'another'", "user name or the password is wrong"),
    ("ALTER USER '{name}'@'%' REQUIRE X509", "a client certificate"),
    ("ALTER USER '{name}'@'%' REQUIRE SSL", "must use TLS"),
)


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.parametrize("kind", MYSQL_SERVERS)
@pytest.mark.parametrize(("statement", "words"), BY_HOST, ids=[words for _statement, words in BY_HOST])
def test_an_account_that_is_refused_proves_nothing_about_that_of_the_cluster(layout: Layout, kind: str, statement: str, words: str) -> None:
    with mysql_account(layout, kind) as name:
        administered(layout, kind, name, *Setting.grants, statement)
        report, served = predicted(layout, row_of(kind, name)), serve(layout, row_of(kind, name))
    assert report.usable is None and not served.serves
    assert re.search(r"Error (1045|3118|4151)\b", served.log), served.log
    login = said(report, "login")
    assert (login.result, login.proven) == (WARNING, False)
    assert words in login.message and "connections from this host" in login.message


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.parametrize("kind", MYSQL_SERVERS)
def test_a_user_who_is_known_at_other_hosts_only_proves_nothing(layout: Layout, kind: str) -> None:
    with mysql_account(layout, kind, "10.%") as name:
        report = predicted(layout, row_of(kind, name))
    assert report.usable is None
    assert failures(report) == {}


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.parametrize("kind", MYSQL_SERVERS)
@pytest.mark.parametrize("grants", [(), ("GRANT SELECT ON `{name}`.* TO '{name}'@'127.%'",)], ids=["nothing", "too little"])
def test_what_an_account_for_some_hosts_may_not_do_is_a_warning(layout: Layout, kind: str, grants: tuple[str, ...]) -> None:
    with mysql_account(layout, kind, "127.%") as name:
        administered(layout, kind, name, *grants)
        report = predicted(layout, row_of(kind, name))
    assert (report.usable, failures(report)) == (None, {})
    assert said(report, "privileges" if grants else "database").result == WARNING


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.needs_mysql
def test_a_look_with_a_wrong_password_does_not_lock_an_account_that_stands_two(layout: Layout) -> None:
    with mysql_account(layout, "mysql") as name:
        locking = "ALTER USER '{name}'@'%' FAILED_LOGIN_ATTEMPTS 2 PASSWORD_LOCK_TIME UNBOUNDED"
        administered(layout, "mysql", name, *Setting.grants, locking)
        assert predicted(layout, replace(row_of("mysql", name), password="wrong")).usable is None
        assert predicted(layout, row_of("mysql", name)).usable is True


@pytest.mark.needs_mysql
def test_the_remedy_for_a_blocked_host_is_a_statement_of_the_server(layout: Layout) -> None:
    [statement] = re.findall(r"`(TRUNCATE[^`]*)`", mysql_refusal(view(layout, "mysql"), 1129, "", True).remedy)
    with databases.administration(layout, "mysql") as run:
        assert run(statement) == []
        with pytest.raises(pymysql.ProgrammingError):
            run("FLUSH HOSTS")
    with databases.administration(layout, databases.MARIADB) as run:
        assert run("FLUSH HOSTS") == []


@pytest.fixture(scope="module")
def other_mysql(layout: Layout) -> Iterator[Row]:
    """A login with a MySQL that writes names in lower case, as on Windows and some clouds, and lets users in whose password has expired."""
    folder, options = layout.data / "other-mysql", ("--lower-case-table-names=1", "--disconnect-on-expired-password=OFF")
    address = layout.pod_address(250 * 200)
    databases.initialise_mysql(layout, folder, options[0])
    command = Command("other-mysql", databases.mysql_arguments(layout, folder, address, *options), lambda: accepts(address), {}, databases.server_user())
    processes.start(layout, command)
    processes.wait(layout, command)
    MORE_SERVERS["data", "other-mysql"] = address
    login = {"host": address, "port": databases.MYSQL_PORT, "autocommit": True}
    statements = (
        "CREATE DATABASE `Mixed_Case`",
        "CREATE USER mixed IDENTIFIED BY 'word'",
        "GRANT ALL ON `Mixed_Case`.* TO mixed",
        "CREATE USER expired IDENTIFIED BY 'word' PASSWORD EXPIRE",
        "GRANT ALL ON *.* TO expired",
    )
    with pymysql.connect(user=databases.ADMINISTRATOR.name, password=databases.ADMINISTRATOR.password, **login) as connection:
        for statement in statements:
            connection.cursor().execute(statement)
    yield Row("other", "mysql", host="other-mysql.data.svc", user="mixed", password="word", database="Mixed_Case")
    del MORE_SERVERS["data", "other-mysql"]
    processes.stop(layout, command.name)
    databases.remove_data(folder)


def accepts(address: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, databases.MYSQL_PORT)) == 0


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.needs_mysql
def test_a_name_in_mixed_case_is_the_database_where_the_server_folds_names(layout: Layout, other_mysql: Row) -> None:
    report, served = predicted(layout, other_mysql), serve(layout, other_mysql)
    assert report.usable is served.serves is True, (report.findings, served.log)
    other = replace(other_mysql, database="Other_Case")
    assert not serve(layout, other).serves
    assert failures(predicted(layout, other)).keys() == {"database"}


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.needs_mysql
def test_an_expired_password_with_which_a_user_may_still_log_in_is_found(layout: Layout, other_mysql: Row) -> None:
    row = replace(other_mysql, user="expired")
    report, served = predicted(layout, row), serve(layout, row)
    assert report.usable is None and not served.serves and "Error 1820" in served.log
    assert "has expired" in said(report, "login").message


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.parametrize("where", ["ROLE", "DATABASE"])
@pytest.mark.parametrize(
    ("setting", "check", "log"),
    [("CONNECTION LIMIT 1", "connections", "too many connections"), ("SET default_transaction_read_only = on", "database", "read-only transaction")],
)
def test_postgresql_that_lets_in_once_or_reads_only_by_default_is_found(layout: Layout, account: str, where: str, setting: str, check: str, log: str) -> None:
    report, served = rights_of(layout, "postgresql", account, "ALTER DATABASE {name} OWNER TO {name}", f"ALTER {where} {{name}} {setting}")
    assert report.usable is served.serves is False, served.log
    assert set(failures(report)) == {check} and log in served.log


MYSQL_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE")


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.parametrize("kind", MYSQL_SERVERS)
@pytest.mark.parametrize("missing", ["nothing", "SELECT", "INSERT", "DELETE", "CREATE"])
def test_each_privilege_that_mysql_migrations_need_is_missed(layout: Layout, account: str, kind: str, missing: str) -> None:
    rights = ", ".join(right for right in MYSQL_RIGHTS if right != missing)
    report, served = rights_of(layout, kind, account, f"GRANT {rights} ON {{name}}.* TO {{name}}")
    assert report.usable is served.serves is (missing == "nothing"), served.log
    if missing != "nothing":
        assert said(report, "privileges").message == f"The user lacks {missing} on the database"


ROLE = ("CREATE ROLE {name}_role", "GRANT ALL ON {name}.* TO {name}_role", "GRANT {name}_role TO {name}", "GRANT USAGE ON {name}.* TO {name}")

NESTED_ROLES = (
    "CREATE ROLE {name}_role, {name}_inner",
    "GRANT SELECT, INSERT ON {name}.* TO {name}_role",
    "GRANT UPDATE, DELETE, CREATE ON {name}.* TO {name}_inner",
    "GRANT {name}_inner TO {name}_role",
    "GRANT {name}_role TO {name}",
    "SET DEFAULT ROLE {name}_role {to} {name}",
)


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.parametrize("kind", MYSQL_SERVERS)
@pytest.mark.parametrize(
    ("grants", "serves"),
    [
        (("GRANT ALL ON *.* TO {name}",), True),
        (("GRANT ALL ON `info\\_%`.* TO {name}",), True),
        (("GRANT ALL ON `%`.* TO {name}", "GRANT SELECT ON `info\\_%`.* TO {name}"), False),
        (("GRANT SELECT ON `%`.* TO {name}", "GRANT ALL ON {name}.* TO {name}"), True),
        ((*ROLE, "SET DEFAULT ROLE {name}_role {to} {name}"), True),
        (NESTED_ROLES, True),
        (("GRANT SELECT ON {name}.* TO {name}", *ROLE), False),
        ((ROLE[0], "GRANT SELECT ON {name}.* TO {name}_role", ROLE[2], "SET DEFAULT ROLE {name}_role {to} {name}"), False),
    ],
    ids=[
        "global",
        "wildcard",
        "a closer wildcard hides a wider one",
        "the name hides a wildcard",
        "default role",
        "a role of a role",
        "only the default role",
        "a role with too little",
    ],
)
def test_wildcards_and_roles_of_mysql_count_as_they_do_for_the_server(layout: Layout, account: str, kind: str, grants: tuple[str, ...], serves: bool) -> None:
    report, served = rights_of(layout, kind, account, *grants)
    assert report.usable is served.serves is serves, (report.findings, served.log)
    assert (f"SET DEFAULT ROLE if {account}_role" in said(report, "privileges").remedy) is (grants[-1] == ROLE[-1])


CONNECT, USAGE, CREATE = "GRANT CONNECT ON DATABASE {name} TO {name}", "GRANT USAGE ON {schema} TO {name}", "GRANT CREATE ON {schema} TO {name}"
CLOSED = "REVOKE ALL ON {schema} FROM PUBLIC"


@pytest.mark.usefixtures("cluster_names")
@pytest.mark.parametrize(
    ("grants", "check"),
    [
        ((CLOSED, CONNECT, USAGE, CREATE), ""),
        (("ALTER DATABASE {name} OWNER TO {name}",), ""),
        (("CREATE ROLE {name}_role", "GRANT {name}_role TO {name}", CONNECT, CREATE.replace("TO {name}", "TO {name}_role")), ""),
        ((CLOSED, USAGE, CREATE), "database"),
        ((CLOSED, CONNECT, CREATE), "privileges"),
        ((CLOSED, CONNECT, USAGE), "privileges"),
    ],
    ids=["nothing", "owner", "by a role", "connect", "usage", "create"],
)
def test_each_privilege_that_postgresql_migrations_need_is_missed(layout: Layout, account: str, grants: tuple[str, ...], check: str) -> None:
    report, served = rights_of(layout, "postgresql", account, *grants)
    assert report.usable is served.serves is (not check), (report.findings, served.log)
    assert set(failures(report)) == ({check} if check else set())


@pytest.mark.usefixtures("cluster_names")
def test_tables_of_somebody_else_are_noticed(layout: Layout, account: str) -> None:
    """PostgreSQL has rights on tables; a role that did not make them may do nothing with them."""
    row = Row("rights", "postgresql", database=account)
    with databases.administration(layout, "postgresql", account) as run:
        run(f"GRANT ALL ON DATABASE {account} TO registries")
        run("GRANT ALL ON SCHEMA public TO registries")
    assert serve(layout, row).serves
    report, served = rights_of(layout, "postgresql", account, CONNECT, CREATE)
    assert report.usable is served.serves is False
    assert said(report, "privileges").message.startswith("The user lacks SELECT on ")
    report, served = rights_of(layout, "postgresql", account, "GRANT ALL ON ALL TABLES IN {schema} TO {name}")
    assert report.usable is served.serves is True
    assert said(report, "privileges").result == WARNING


def view(layout: Layout, kind: str, **changed: Any) -> View:
    address = databases.address(layout, kind)
    return replace(
        View("postgresql" if kind == "postgresql" else "mysql", address, databases.PORTS[kind], "model_registry", REGISTRY.name, REGISTRY.password), **changed
    )


@pytest.mark.parametrize("kind", SERVERS)
def test_a_look_at_a_good_database_is_complete(layout: Layout, kind: str) -> None:
    checked = view(layout, kind, ca=layout.path("pki", "database-ca.crt").read_text(), verify_server_cert=kind != "postgresql")
    report = look(checked)
    assert {finding.result for finding in report.findings} == {OK}
    wanted = (
        "settings ca address port tls protocol certificate host_name expiry login tls_required version connections database character_set schema privileges"
    )
    assert [finding.check for finding in report.findings] == wanted.split()


@pytest.mark.parametrize("kind", databases.KINDS)
def test_nothing_is_written(layout: Layout, kind: str, own_databases: dict[str, dict[str, str]]) -> None:
    empty = own_databases[kind]["empty"]
    checked = view(layout, kind, name=empty)
    assert look(checked).usable
    if kind == "postgresql":
        # Nor could it be by mistake.
        opened = connection.postgresql(checked, checked.host, 5, encrypted=False)
        with contextlib.closing(opened):
            # What is refused ends no transaction.
            with pytest.raises(connection.RefusedError, match="read-only transaction"):
                connection.postgresql_rows(opened, "CREATE TABLE written ()")
            assert connection.postgresql_rows(opened, "SELECT 1") == [(1,)]
    with databases.administration(layout, kind, empty) as run:
        assert run("SHOW TABLES" if kind == "mysql" else "SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == []


@pytest.mark.parametrize("kind", SERVERS)
def test_every_fault_is_told_and_not_only_the_first(layout: Layout, kind: str) -> None:
    ca = layout.path("pki", "database-ca.crt").read_text()
    of_postgresql = {"client_certificate": ca}
    another = of_postgresql if kind == "postgresql" else {"username": READER.name, "password": READER.password}
    report = look(view(layout, kind, name=databases.DIRTY_DATABASE, **another))
    assert set(failures(report)) == {"settings" if kind == "postgresql" else "privileges", "migration"}
    assert said(report, "version").result == OK


@pytest.mark.parametrize("kind", SERVERS)
def test_it_never_sends_a_password_to_a_database_whose_certificate_the_registry_server_would_reject(layout: Layout, kind: str) -> None:
    wrong = view(layout, kind, ca=layout.path("pki", "other-ca.crt").read_text(), verify_server_cert=kind != "postgresql", password="wrong")
    assert set(failures(look(wrong))) == {"certificate"}


@pytest.fixture
def registry(layout: Layout, cluster: Cluster, name: str) -> Iterator[str]:
    """A registry whose database does not exist, with its Secret; nobody waits for it."""
    secret = {"metadata": {"name": f"{name}-db-info"}, "data": {"password": base64.b64encode(REGISTRY.password.encode()).decode()}}
    cluster.create("v1", "secrets", {"apiVersion": "v1", "kind": "Secret", **secret})
    spec: dict[str, Any] = {"rest": {}, "grpc": {}, "kubeRBACProxy": {}}
    spec["mysql"] = {"host": databases.address(layout, "mysql"), "database": databases.MISSING_DATABASE, "username": REGISTRY.name}
    spec["mysql"] |= {"passwordSecret": {"name": f"{name}-db-info", "key": "password"}}
    spec["mysql"] |= {"sslRootCertificateConfigMap": {"name": "odh-trusted-ca-bundle", "key": "ca-bundle.crt"}}
    manifest = {"apiVersion": REGISTRIES[0], "kind": "ModelRegistry", "metadata": {"name": name}, "spec": spec}
    cluster.create(*REGISTRIES, manifest)
    yield name


def test_the_module_reads_a_registry_or_options_and_keeps_secrets(layout: Layout, automation: Runner, registry: str) -> None:
    described = {"type": "postgresql", "host": layout.address("postgresql"), "name": "model_registry", "username": REGISTRY.name, "password": REGISTRY.password}
    pem = layout.path("pki", "database-ca.crt").read_text()
    key = layout.path("pki", "database-ca.key").read_text()
    tasks = [
        {"registry": registry},
        {"database": described | {"ca": {"source": "upload", "pem": pem}}, "namespace": "does-not-matter"},
        {"database": described | {"host": "postgres", "namespace": "data", "ca": {"source": "cluster"}}},
        {"database": {"type": "mysql", "host": "db:1", "username": "u", "password": "p?ss-word", "ca": {"source": "upload", "pem": pem + key}}, "timeout": 0},
        {"registry": "does-not-exist"},
        {"database": described | {"password": None, "password_secret": {"name": "nobody", "key": "k"}}},
    ]
    with ProcessLists(layout) as processes:
        runs = automation.sequence([Task(options, module=MODULE) for options in tasks], verbosity=3)
    of_registry, of_options, unknown_here, wrong, missing, no_secret = runs

    assert not of_registry.failed, of_registry.output
    result = of_registry.result
    assert [finding["check"] for finding in result["findings"] if finding["result"] == FAILURE] == ["database"]
    assert (result["usable"], result["changed"], result["database"]["name"]) == (False, False, databases.MISSING_DATABASE)
    assert int(result["database"]["version"].partition(".")[0]) >= 9
    assert result["cluster"]["user"].startswith("system:serviceaccount:")

    assert of_options.result["usable"] is True
    assert {finding["result"] for finding in of_options.result["findings"]} == {OK}
    assert not of_options.result["database"]["certificate"]["is_ca"]
    # Options that refer to nothing need no cluster.
    assert "cluster" not in of_options.result

    assert (unknown_here.result["usable"], unknown_here.failed) == (None, False)
    assert "cannot be reached from this host" in unknown_here.output

    assert wrong.failed
    assert {problem["option"] for problem in wrong.result["problems"]} == {"timeout", "database.host", "database.password", "database.ca.pem"}
    assert missing.result["problems"][0]["option"] == "registry"
    assert REGISTRIES_NAMESPACE in missing.result["msg"]
    [login] = [finding["message"] for finding in no_secret.result["findings"] if finding["check"] == "login"]
    assert "'nobody' with the password does not exist" in login

    printed = "".join(run.output for run in runs)
    assert processes.arguments_seen > 0
    for secret in (REGISTRY.password, "p?ss-word", key.splitlines()[1]):
        assert secret not in printed
        assert processes.holding(secret) == []


def test_check_mode_looks_as_well(layout: Layout, automation: Runner) -> None:
    described = {"type": "mysql", "host": databases.address(layout, "mysql"), "name": "dirty", "username": REGISTRY.name, "password": REGISTRY.password}
    [run] = automation.sequence([Task({"database": described}, module=MODULE, check=True)])
    assert run.result["usable"] is False
    assert run.result["database"]["schema_version"] == databases.DIRTY_VERSION
