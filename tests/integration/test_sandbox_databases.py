"""The sandbox's databases: who may log in how, what is in them, and how much of the machine they take."""

from __future__ import annotations

import os
import pwd
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

from sandbox import databases, processes
from sandbox.databases import ACCOUNTS, READER, REGISTRY, TLS_ONLY, Account
from sandbox.layout import Layout
from sandbox.server.connection import DatabaseError
from sandbox.server.mysql import MysqlConnection
from sandbox.server.postgresql import PostgresqlConnection
from tests.helpers import until

from .conftest import SERVERS

MEGABYTE = 1024


def log_in(layout: Layout, kind: str, account: Account, database: str, tls: bool) -> Any:
    """A connection with or without TLS; with it, the server's certificate is verified."""
    authority = str(layout.path("pki", "database-ca.crt"))
    if databases.speaks_mysql(kind):
        encryption: dict[str, Any] = {"ssl_ca": authority, "ssl_verify_identity": True} if tls else {"ssl_disabled": True}
        return pymysql.connect(
            host=databases.address(layout, kind), user=account.name, password=account.password.encode(), database=database, autocommit=True, **encryption
        )
    mode = "verify-full" if tls else "disable"
    target = {"host": layout.address("postgresql"), "user": account.name, "password": account.password, "dbname": database}
    return psycopg.connect(psycopg.conninfo.make_conninfo(**target, sslmode=mode, sslrootcert=authority), autocommit=True)


def query(connection: Any, statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.name)
def test_every_account_logs_in_with_tls(layout: Layout, kind: str, account: Account) -> None:
    log_in(layout, kind, account, "model_registry", tls=True).close()


@pytest.mark.parametrize("kind", SERVERS)
def test_a_connection_of_a_registry_server_that_is_stopped_ends_with_what_runs_on_it(layout: Layout, kind: str) -> None:
    """And does not end the process of the node."""
    logged_in = log_in(layout, kind, REGISTRY, "model_registry", tls=True)
    own = MysqlConnection(logged_in) if databases.speaks_mysql(kind) else PostgresqlConnection(logged_in)
    statement, there = ("SELECT SLEEP(0.3)", "information_schema.PROCESSLIST WHERE INFO")
    if not databases.speaks_mysql(kind):
        statement, there = ("SELECT 0 FROM pg_sleep(0.3)", "pg_stat_activity WHERE query")
    with databases.administration(layout, kind) as run, ThreadPoolExecutor(1) as threads:
        running = threads.submit(own.run, statement)
        until(lambda: run(f"SELECT 1 FROM {there} = '{statement}'"))
        own.close()
        assert running.result() == [(0,)]
    with pytest.raises(DatabaseError):
        own.run("SELECT 1")


@pytest.mark.parametrize("kind", SERVERS)
def test_tls_is_a_choice_except_for_the_account_that_must(layout: Layout, kind: str) -> None:
    log_in(layout, kind, REGISTRY, "model_registry", tls=False).close()
    with pytest.raises((pymysql.OperationalError, psycopg.OperationalError)):
        log_in(layout, kind, TLS_ONLY, "model_registry", tls=False)


@pytest.mark.parametrize("kind", SERVERS)
def test_reader_cannot_make_tables_and_others_can(layout: Layout, kind: str) -> None:
    table = "CREATE TABLE trial (id int)"
    with (
        log_in(layout, kind, READER, "model_registry", tls=True) as connection,
        pytest.raises((pymysql.OperationalError, psycopg.errors.InsufficientPrivilege)),
    ):
        query(connection, table)
    with log_in(layout, kind, REGISTRY, "model_registry", tls=True) as connection:
        query(connection, table)
    with log_in(layout, kind, TLS_ONLY, "model_registry", tls=True) as connection:
        query(connection, "DROP TABLE trial")


@pytest.mark.parametrize("kind", SERVERS)
def test_databases_are_there_and_the_missing_one_is_not(layout: Layout, kind: str) -> None:
    table = "information_schema.schemata" if databases.speaks_mysql(kind) else "pg_database"
    column = "schema_name" if databases.speaks_mysql(kind) else "datname"
    with databases.administration(layout, kind) as run:
        names = {row[0] for row in run(f"SELECT {column} FROM {table}")}
    assert set(databases.databases(kind)) <= names
    assert databases.MISSING_DATABASE not in names


@pytest.mark.parametrize("kind", SERVERS)
def test_dirty_database_stays_dirty(layout: Layout, kind: str) -> None:
    with databases.administration(layout, kind, databases.DIRTY_DATABASE) as run:
        assert [tuple(map(int, row)) for row in run("SELECT version, dirty FROM schema_migrations")] == [(databases.DIRTY_VERSION, 1)]


@pytest.mark.parametrize("kind", SERVERS)
def test_provisioning_again_keeps_data_and_sets_passwords_back(layout: Layout, kind: str) -> None:
    with log_in(layout, kind, REGISTRY, "model_registry", tls=False) as connection:
        query(connection, "CREATE TABLE kept (id int)")
    databases.set_password(layout, kind, REGISTRY.name, "changed")
    databases.provision(layout)
    with log_in(layout, kind, REGISTRY, "model_registry", tls=False) as connection:
        query(connection, "DROP TABLE kept")


@pytest.mark.parametrize(
    ("kind", "oldest"), [(databases.MARIADB, (10, 11)), ("postgresql", (16, 0)), pytest.param("mysql", (9, 7), marks=pytest.mark.needs_mysql)]
)
def test_versions(layout: Layout, kind: str, oldest: tuple[int, int]) -> None:
    with databases.administration(layout, kind) as run:
        text = run("SELECT version()" if databases.speaks_mysql(kind) else "SHOW server_version")[0][0]
    major, minor = (int(part) for part in text.split("-")[0].split(" ")[0].split(".")[:2])
    assert (major, minor) >= oldest


@pytest.mark.parametrize(("part", "most"), [("mariadb", 180), ("postgresql", 60), pytest.param("mysql", 260, marks=pytest.mark.needs_mysql)])
def test_servers_are_small_and_unprivileged(layout: Layout, part: str, most: int) -> None:
    pid = processes.running(layout, part)
    assert pid
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    assert int(status["VmRSS"].split()[0]) < most * MEGABYTE
    user = databases.server_user()
    assert int(status["Uid"].split()[0]) == (pwd.getpwnam(user).pw_uid if user else os.getuid())
