"""The rows of a registry's database as lines and as an archive, from each server: equal rows are equal lines, at one moment, without much memory."""

from __future__ import annotations

import base64
import contextlib
import io
import itertools
import json
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pymysql
import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.connection import postgresql
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.vocabulary import View
from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import archive, lines, snapshot
from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables.layout import BY_NAME, TABLES
from sandbox import databases
from sandbox.databases import REGISTRY
from sandbox.layout import Layout
from sandbox.server import filler, schema

from .conftest import MYSQL_SERVERS, SERVERS
from .test_sandbox_registry_data import asking, connect, emulated, new_database

__all__ = ["new_database"]
MakeDatabase = Callable[[str], str]
# What engines write in different ways, or could lose.
DOUBLES = (0.0, -0.0, 3.0, 0.1, 1 / 3, -2.5e-7, 5e-324, 2.2250738585072014e-308, 1e15, 123456789012345680.0, 1e16, 1e22, 1.7976931348623157e308, None)
TEXTS = (
    "",
    " ",
    "null",
    "é🚀中文",
    'quote " backslash \\ slash /',
    "line\nbreak\r\ttab\b\f",
    "".join(map(chr, range(1, 32))) + "\x7f\x85\u2028\ufeff",
    *map(chr, range(1, 32)),
    "\\n \\\\ \\u0041",
    '"double_value":null',
    "a" * 1_000_000,
)


@contextmanager
def opened(layout: Layout, kind: str, database: str) -> Iterator[tuple[Any, str]]:
    """A connection of the driver with the registry's account, and the type of the database."""
    target = {"host": databases.address(layout, kind), "user": REGISTRY.name, "password": REGISTRY.password}
    if databases.speaks_mysql(kind):
        # Whoever takes the end of the rows for one of them waits for more.
        options = {"charset": "utf8mb4", "autocommit": True, "ssl": databases.encrypted(), "read_timeout": 60}
        connection: Any = pymysql.connect(**target, database=database, **options)
    else:
        connection = psycopg.connect(psycopg.conninfo.make_conninfo(**target, dbname=database), autocommit=True)
    try:
        yield connection, "mysql" if databases.speaks_mysql(kind) else "postgresql"
    finally:
        # One that was lost is closed already.
        with contextlib.suppress(connection.Error):
            connection.close()


def contents(layout: Layout, kind: str, database: str) -> dict[str, list[bytes]]:
    """All rows of all tables."""
    with opened(layout, kind, database) as database, snapshot.snapshot(*database) as taken:
        taken.need_registry()
        return {table.name: list(taken.rows(table)) for table in TABLES}


def digests(rows: dict[str, list[bytes]]) -> dict[str, str]:
    found = {name: lines.Digest() for name in rows}
    for name, digest in found.items():
        digest.add(rows[name])
    return {name: digest.text for name, digest in found.items()}


def insert_odd_rows(layout: Layout, kind: str, database: str) -> None:
    with opened(layout, kind, database) as database, database[0].cursor() as cursor:
        engine = database[1]
        quote = "`" if engine == "mysql" else '"'
        override = "" if engine == "mysql" else " OVERRIDING SYSTEM VALUE"
        cursor.execute(
            f"INSERT INTO {quote}Context{quote} (id, type_id, name){override} SELECT 77, id, 'odd' FROM {quote}Type{quote} WHERE name = 'kf.Experiment'"
        )
        insert = f"INSERT INTO {quote}ContextProperty{quote} (context_id, name, is_custom_property, double_value, string_value, byte_value, bool_value)"
        rows = [("double", number, value, None, None, None) for number, value in enumerate(DOUBLES)]
        rows += [("text", number, None, text, None, None) for number, text in enumerate(TEXTS)]
        rows += [("bytes", number, None, None, content, None) for number, content in enumerate((b"", b"\x00\xff\\\n", bytes(range(256)) * 3))]
        rows += [("truth", number, None, None, None, truth) for number, truth in enumerate((True, False))]
        for name, number, *values in rows:
            cursor.execute(f"{insert} VALUES (77, %s, %s, %s, %s, %s, %s)", (f"{name} {number}", True, *values))


@pytest.mark.parametrize("kind", SERVERS)
def test_every_value_is_read_as_it_is(layout: Layout, new_database: MakeDatabase, kind: str) -> None:
    name = new_database(kind)
    schema.migrate(connect(layout, kind, name))
    insert_odd_rows(layout, kind, name)
    if kind != "postgresql":
        # There a type must exist.
        with opened(layout, kind, name) as (connection, _engine):
            connection.cursor().execute("INSERT INTO TypeProperty (type_id, name, data_type) VALUES (9999, 'of no type', 1)")
    found = contents(layout, kind, name)
    assert (b'{"type":null,"name":"of no type","data_type":1}' in found["TypeProperty"]) == (kind != "postgresql")
    rows = {row["name"]: row for row in map(json.loads, found["ContextProperty"])}
    # A column without a value is not in the line.
    assert rows["truth 0"].keys() == {"context_id", "name", "is_custom_property", "bool_value"}
    for number, value in enumerate(DOUBLES):
        assert repr(rows[f"double {number}"].get("double_value")) == repr(value or (None if value is None else 0.0))
    for number, text in enumerate(TEXTS):
        assert rows[f"text {number}"]["string_value"] == text
    assert base64.b64decode(rows["bytes 2"]["byte_value"]) == bytes(range(256)) * 3
    assert (rows["truth 0"]["bool_value"], rows["truth 1"]["bool_value"], rows["text 0"].get("bool_value")) == (True, False, None)


@pytest.mark.parametrize(("encoding", "of_this_machine"), [("LATIN1", None), ("UTF8", "LATIN1")])
def test_texts_are_in_utf_8_whatever_the_encoding_of_the_database_and_of_this_machine_is(
    layout: Layout, new_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch, encoding: str, of_this_machine: str | None
) -> None:
    kind = "postgresql"
    name, address = new_database(kind), databases.address(layout, kind)
    with databases.administration(layout, kind) as run:
        run(f"DROP DATABASE {name}")
        run(f"CREATE DATABASE {name} OWNER registries TEMPLATE template0 LOCALE 'C' ENCODING '{encoding}'")
    schema.migrate(connect(layout, kind, name))
    with opened(layout, kind, name) as (written, _engine):
        written.execute('INSERT INTO "Context" (id, type_id, name) OVERRIDING SYSTEM VALUE SELECT 77, id, \'café\' FROM "Type" LIMIT 1')
    if of_this_machine:
        monkeypatch.setenv("PGCLIENTENCODING", of_this_machine)
        monkeypatch.setenv("PGOPTIONS", "-c search_path=nowhere")
    view = View(kind, address, databases.PORTS[kind], name, REGISTRY.name, REGISTRY.password)
    with contextlib.closing(postgresql(view, address, 10, True)) as read, snapshot.snapshot(read, kind) as taken:
        assert [json.loads(line)["name"] for line in taken.rows(BY_NAME["Context"])] == ["café"]


@pytest.mark.parametrize(("kind", "value"), [("postgresql", "[1]"), ("mysql", "[1]"), ("postgresql", '"many"')])
def test_a_number_that_was_made_something_else_is_told_in_words(layout: Layout, new_database: MakeDatabase, kind: str, value: str) -> None:
    name = new_database(kind)
    schema.migrate(connect(layout, kind, name))
    insert_odd_rows(layout, kind, name)
    quote = "`" if kind == "mysql" else '"'
    with opened(layout, kind, name) as (connection, engine):
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {quote}ContextProperty{quote} DROP COLUMN double_value{'' if kind == 'mysql' else ' CASCADE'}")
            cursor.execute(f"ALTER TABLE {quote}ContextProperty{quote} ADD COLUMN double_value json")
            cursor.execute(f"UPDATE {quote}ContextProperty{quote} SET double_value = %s, string_value = %s", (value, "\\"))
        with snapshot.snapshot(connection, engine) as taken, pytest.raises(snapshot.UnusableDatabaseError, match="ContextProperty has a row that is not valid"):
            list(taken.rows(BY_NAME["ContextProperty"]))


@pytest.mark.parametrize("kind", MYSQL_SERVERS)
def test_rows_of_every_length_are_read_from_the_packets_of_mysql(layout: Layout, new_database: MakeDatabase, kind: str) -> None:
    name = new_database(kind)
    schema.migrate(connect(layout, kind, name))
    # With the rest of the line, around the lengths before which more bytes say how long it is.
    lengths = (0, *range(140, 180), *range(65_420, 65_460))
    with opened(layout, kind, name) as (connection, _engine):
        cursor = connection.cursor()
        cursor.execute("INSERT INTO Context (id, type_id, name) SELECT 77, id, 'odd' FROM Type WHERE name = 'kf.Experiment'")
        for length in lengths:
            columns = "(context_id, name, is_custom_property, string_value)"
            cursor.execute(f"INSERT INTO ContextProperty {columns} VALUES (77, '{length:08}', TRUE, REPEAT('a', {length}))")
    read = contents(layout, kind, name)["ContextProperty"]
    assert {250, 251, 65_535, 65_536} <= {len(line) for line in read}
    rows = {int(row["name"]): row["string_value"] for row in map(json.loads, read)}
    assert rows == {length: "a" * length for length in lengths}


def test_a_row_can_be_larger_than_a_packet_of_mysql_and_one_that_is_too_large_is_an_error(layout: Layout, new_database: MakeDatabase) -> None:
    largest = (1 << 24) - 1
    for kind in MYSQL_SERVERS:
        name = new_database(kind)
        schema.migrate(connect(layout, kind, name))
        with opened(layout, kind, name) as (connection, engine), connection.cursor() as cursor:
            cursor.execute("SELECT @@max_allowed_packet")
            [(limit,)] = cursor.fetchall()
            cursor.execute("INSERT INTO Context (id, type_id, name) SELECT 77, id, 'odd' FROM Type WHERE name = 'kf.Experiment'")
            columns = "(context_id, name, is_custom_property, string_value)"
            cursor.execute(f"INSERT INTO ContextProperty {columns} VALUES (77, 'a', TRUE, REPEAT('a', {largest - 1000}))")
            cursor.execute(f"UPDATE ContextProperty SET string_value = CONCAT(string_value, REPEAT('a', {1000 if limit > largest + 1 else 999}))")
            with snapshot.snapshot(connection, engine) as taken:
                if limit == largest + 1:
                    with pytest.raises(snapshot.UnusableDatabaseError, match="ContextProperty is larger than max_allowed_packet"):
                        list(taken.rows(BY_NAME["ContextProperty"]))
                else:
                    [line] = taken.rows(BY_NAME["ContextProperty"])
                    assert json.loads(line)["string_value"] == "a" * largest


def test_equal_rows_are_equal_lines_whichever_server_they_are_on(layout: Layout, new_database: MakeDatabase) -> None:
    found = {}
    for kind in SERVERS:
        name = new_database(kind)
        connection = connect(layout, kind, name)
        schema.migrate(connection)
        filler.fill_rows(connection, 1000)
        connection.close()
        insert_odd_rows(layout, kind, name)
        found[kind] = contents(layout, kind, name)
    for kind in SERVERS:
        assert {name: sorted(rows) for name, rows in found[kind].items()} == {name: sorted(rows) for name, rows in found["postgresql"].items()}
    assert digests(found["mysql"]) == digests(found["postgresql"]) == digests(found[databases.MARIADB])


@pytest.mark.parametrize("kind", SERVERS)
def test_an_archive_holds_the_database_as_it_was_when_it_was_begun(layout: Layout, new_database: MakeDatabase, kind: str) -> None:
    name = new_database(kind)
    server = connect(layout, kind, name)
    schema.migrate(server)
    filler.fill(asking(emulated(server)))
    before = contents(layout, kind, name)
    stream = io.BytesIO()
    with opened(layout, kind, name) as database, snapshot.snapshot(*database) as taken:
        engine = database[1]
        asking(emulated(server))("POST", "registered_models", {"name": "later"})
        writer = archive.Writer(stream)
        for table in TABLES:
            writer.add(table, taken.blocks(table))
        writer.finish({"schema_version": taken.schema_version(), "server_version": taken.server_version()})
    server.close()
    reader = archive.Reader(io.BytesIO(stream.getvalue()))
    assert {table.name: list(itertools.chain.from_iterable(reader.blocks(table))) for table in TABLES} == before
    assert reader.manifest["schema_version"] == schema.NEWEST[engine]
    assert (kind == databases.MARIADB) <= ("MariaDB" in reader.manifest["server_version"]) and reader.manifest["server_version"][0].isdecimal()
    assert b"later" not in b"".join(before["Context"])
    assert any(b'"type":"kf.RegisteredModel"' in line for line in before["Context"])


@pytest.mark.parametrize("kind", SERVERS)
def test_a_database_with_tables_of_others_is_refused(layout: Layout, new_database: MakeDatabase, kind: str) -> None:
    name = new_database(kind)
    schema.migrate(connect(layout, kind, name))
    with opened(layout, kind, name) as (connection, engine):
        connection.cursor().execute("CREATE TABLE orders (id int primary key)")
        with snapshot.snapshot(connection, engine) as taken, pytest.raises(snapshot.UnusableDatabaseError, match="orders"):
            taken.need_registry()
        connection.cursor().execute("DROP TABLE orders")
        quote = "`" if engine == "mysql" else '"'
        connection.cursor().execute(f"INSERT INTO {quote}Type{quote} (name, type_kind) VALUES ('kf.Experiment', 2)")
        with snapshot.snapshot(connection, engine) as taken, pytest.raises(snapshot.UnusableDatabaseError, match=r"rows with the same name: kf\.Experiment$"):
            taken.need_registry()


@pytest.mark.parametrize("kind", SERVERS)
def test_an_empty_or_dirty_database_is_refused(layout: Layout, new_database: MakeDatabase, kind: str) -> None:
    with opened(layout, kind, new_database(kind)) as (connection, engine):
        with snapshot.snapshot(connection, engine) as taken:
            with pytest.raises(snapshot.UnusableDatabaseError, match=r"Missing: Artifact, .*, Execution, ExecutionProperty and 5 more$"):
                taken.need_registry()
            with pytest.raises(snapshot.UnusableDatabaseError, match="does not have the tables of a model registry"):
                taken.schema_version()
        quote = "`" if engine == "mysql" else '"'
        connection.cursor().execute(f"CREATE TABLE {quote}Artifact{quote} (id int)")
        with snapshot.snapshot(connection, engine) as taken, pytest.raises(snapshot.UnusableDatabaseError, match="Update the product first"):
            taken.schema_version()
        connection.cursor().execute("CREATE TABLE schema_migrations (version bigint primary key, dirty boolean)")
        connection.cursor().execute("INSERT INTO schema_migrations VALUES (8, true)")
        with snapshot.snapshot(connection, engine) as taken, pytest.raises(snapshot.UnusableDatabaseError, match=r"to version 8 was interrupted: .*dirty"):
            taken.schema_version()


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_memory_does_not_grow_with_the_database(layout: Layout, new_database: MakeDatabase, kind: str) -> None:
    name = new_database(kind)
    connection = connect(layout, kind, name)
    schema.migrate(connection)
    filler.fill_rows(connection, 60_000)
    connection.close()
    with opened(layout, kind, name) as database, snapshot.snapshot(*database) as taken, open("/dev/null", "wb") as nowhere:
        writer = archive.Writer(nowhere)
        tracemalloc.start()
        for table in TABLES:
            writer.add(table, taken.blocks(table))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        writer.finish({})
    # The rows have 5 MB, and three times as much as objects.
    assert peak < 3_000_000


@pytest.mark.parametrize("kind", SERVERS)
def test_rows_that_nobody_wants_any_more_are_not_waited_for(layout: Layout, new_database: MakeDatabase, kind: str) -> None:
    name = new_database(kind)
    connection = connect(layout, kind, name)
    schema.migrate(connection)
    filler.fill_rows(connection, 1000)
    connection.close()
    with opened(layout, kind, name) as database, pytest.raises(ZeroDivisionError), snapshot.snapshot(*database) as taken:
        for _line in taken.rows(TABLES[1]):
            raise ZeroDivisionError


@pytest.mark.parametrize("kind", SERVERS)
def test_a_connection_that_is_lost_while_rows_are_read_is_an_error(layout: Layout, new_database: MakeDatabase, kind: str) -> None:
    name = new_database(kind)
    connection = connect(layout, kind, name)
    schema.migrate(connection)
    insert_odd_rows(layout, kind, name)
    # More than what is on its way at a time.
    columns = "context_id, name, is_custom_property, string_value"
    for number in range(40):
        table_name = schema.quoting(connection).join(("", "ContextProperty", ""))
        connection.run(f"INSERT INTO {table_name} ({columns}) VALUES (77, 'wide {number}', TRUE, REPEAT('a', 1000000))")
    connection.close()
    # A statement that is ended leaves the connection as it is.
    ways = [("KILL {}", ""), ("KILL QUERY {}", "interrupted")]
    if kind == "postgresql":
        ways = [("SELECT pg_terminate_backend({})", ""), ("SELECT pg_cancel_backend({})", "canceling statement")]
    for statement, says in ways:
        with opened(layout, kind, name) as database, snapshot.snapshot(*database) as taken:
            number = taken.first("SELECT pg_backend_pid()" if kind == "postgresql" else "SELECT CONNECTION_ID()")[0]
            rows = taken.rows(BY_NAME["ContextProperty"])
            next(rows)
            with databases.administration(layout, kind) as run:
                run(statement.format(number))
            with pytest.raises(snapshot.UnusableDatabaseError, match=f"ContextProperty was not read completely: .*{says}"):
                list(rows)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_reader_that_stops_in_the_middle_of_a_table_ends_at_once(layout: Layout, new_database: MakeDatabase, kind: str) -> None:
    name = new_database(kind)
    server = connect(layout, kind, name)
    schema.migrate(server)
    server.close()
    with ExitStack() as stack:
        connection, engine = stack.enter_context(opened(layout, kind, name))
        cursor = stack.enter_context(connection.cursor())
        quote = "`" if engine == "mysql" else '"'
        override = "" if engine == "mysql" else " OVERRIDING SYSTEM VALUE"
        cursor.execute(f"INSERT INTO {quote}Context{quote} (id, type_id, name){override} VALUES (1, 1, 'one')")
        # More than fits between the server and its client.
        insert = f"INSERT INTO {quote}ContextProperty{quote} (context_id, name, is_custom_property, string_value) VALUES (1, %s, TRUE, REPEAT('x', 1000000))"
        for number in range(24):
            cursor.execute(insert, (f"wide {number}",))
    ended: list[bool] = []

    def read() -> None:
        with contextlib.suppress(InterruptedError), opened(layout, kind, name) as found, snapshot.snapshot(*found) as taken:
            rows = taken.rows(BY_NAME["ContextProperty"])
            ended.append(b"wide" in next(rows))
            # Whoever fails holds on to what it has read.
            raise InterruptedError(rows)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(20)
    assert ended == [True] and not reader.is_alive()
