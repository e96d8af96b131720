"""Rows written into the database of a registry, from each server into each: all of them as they are, or none, and an error that names what is in the way."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import layout as tables
from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import loader, snapshot
from sandbox import databases
from sandbox.layout import Layout
from sandbox.server import filler, schema

from .conftest import MYSQL_SERVERS, SERVERS
from .test_sandbox_registry_data import asking, connect, emulated, everything, new_database
from .test_tables import contents, insert_odd_rows, opened

__all__ = ["new_database"]
MakeDatabase = Callable[[str], str]
Lines = dict[str, list[bytes]]


@pytest.fixture
def migrated(layout: Layout, new_database: MakeDatabase) -> MakeDatabase:
    """Makes databases as the server's migrations leave them."""

    def make(kind: str) -> str:
        name = new_database(kind)
        connection = connect(layout, kind, name)
        schema.migrate(connection)
        connection.close()
        return name

    return make


def run(layout: Layout, kind: str, database: str, *statements: str) -> list[Any]:
    """What the last of these statements answers, as the registry's account. `"` stands around names."""
    with opened(layout, kind, database) as (connection, engine):
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement.replace('"', "`") if engine == "mysql" else statement)
        return list(cursor.fetchall()) if cursor.description else []


def thing(kind: str, number: int, name: str, type_name: str = "kf.RegisteredModel", external: str = "NULL") -> str:
    override = "" if databases.speaks_mysql(kind) else " OVERRIDING SYSTEM VALUE"
    columns = "(id, type_id, name, external_id)"
    return f"""INSERT INTO "Context" {columns}{override} SELECT {number}, id, '{name}', {external} FROM "Type" WHERE name = '{type_name}'"""


def load(layout: Layout, kind: str, database: str, rows: Lines | loader.Blocks, **options: Any) -> loader.Loaded:
    read = rows if callable(rows) else lambda table: [rows[table.name]]
    with opened(layout, kind, database) as (connection, engine):
        return loader.load(connection, engine, read, **options)


def is_empty(layout: Layout, kind: str, database: str) -> bool:
    with opened(layout, kind, database) as database, snapshot.snapshot(*database) as taken:
        return not loader.occupied(taken)


def copied(rows: Lines) -> Lines:
    return {table.name: sorted(rows[table.name]) for table in loader.COPIED}


def next_id(layout: Layout, kind: str, database: str) -> int:
    connection = connect(layout, kind, database)
    added = asking(emulated(connection))("POST", "registered_models", {"name": "next"})
    connection.close()
    return int(added["id"])


# The lines of the two servers that speak MySQL's protocol are the same.
@pytest.mark.parametrize("kind", databases.KINDS)
def test_everything_arrives_in_every_server_and_new_objects_get_the_next_ids(layout: Layout, migrated: MakeDatabase, kind: str) -> None:
    source = migrated(kind)
    connection = connect(layout, kind, source)
    filler.fill(asking(emulated(connection)))
    filler.fill_rows(connection, 500)
    insert_odd_rows(layout, kind, source)
    run(
        layout,
        kind,
        source,
        """INSERT INTO "Type" (name, type_kind) VALUES ('kf.Old', 2)""",
        """INSERT INTO "TypeProperty" (type_id, name, data_type) SELECT id, 'age', 3 FROM "Type" WHERE name = 'kf.Old'""",
        """INSERT INTO "ParentType" SELECT a.id, b.id FROM "Type" a, "Type" b WHERE a.name = 'kf.Old' AND b.name = 'kf.ModelVersion'""",
        thing(kind, 90, "of old", "kf.Old"),
    )
    answers = everything(emulated(connection))
    connection.close()
    rows = contents(layout, kind, source)
    for other in SERVERS:
        target = migrated(other)
        # What the server of the target declares beyond the source's stays, and so do the numbers of its types.
        future = """INSERT INTO "TypeProperty" (type_id, name, data_type) SELECT id, 'future', 3 FROM "Type" WHERE name = 'kf.RegisteredModel'"""
        before = dict(run(layout, other, target, future, 'SELECT name, id FROM "Type"'))
        if other == "postgresql":
            with databases.administration(layout, other) as administer:
                administer(f'ALTER DATABASE "{target}" SET default_transaction_read_only = on')
                loaded = load(layout, other, target, rows)
                administer(f'ALTER DATABASE "{target}" RESET default_transaction_read_only')
        else:
            loaded = load(layout, other, target, rows)
        found = contents(layout, other, target)
        assert copied(found) == copied(rows), other
        assert (loaded.orphans, loaded.warnings) == ({}, [])
        assert 0 < loaded.writing < 60 and 0 < loaded.verifying < 60
        assert {name: digest.rows for name, digest in loaded.digests.items() if name in copied(rows)} == {
            name: len(lines) for name, lines in copied(rows).items()
        }
        types = dict(run(layout, other, target, 'SELECT name, id FROM "Type"'))
        assert before.items() <= types.items() and types.keys() - before.keys() == {"kf.Old"}
        assert {*rows["TypeProperty"]} < {*found["TypeProperty"]} and b'"name":"future"' in b"".join(found["TypeProperty"])
        assert b'{"type":"kf.Old","parent_type":"kf.ModelVersion"}' in rows["ParentType"] and {*rows["ParentType"]} == {*found["ParentType"]}
        connection = connect(layout, other, target)
        assert everything(emulated(connection)) == answers, other
        connection.close()
        if other == "postgresql":
            assert run(layout, other, target, "SELECT count(*) FROM context_property_options")[0][0] > 0
        highest = max(json.loads(line)["id"] for line in rows["Context"])
        assert next_id(layout, other, target) == highest + 1


@pytest.mark.parametrize("kind", SERVERS)
def test_only_the_empty_database_of_a_registry_is_loaded(layout: Layout, new_database: MakeDatabase, migrated: MakeDatabase, kind: str) -> None:
    target = migrated(kind)
    rows = contents(layout, kind, target)
    run(layout, kind, target, thing(kind, 3, "kept"))
    with pytest.raises(loader.NotEmptyError, match="rows in Context") as refused:
        load(layout, kind, target, rows)
    assert refused.value.tables == ["Context"]
    assert run(layout, kind, target, 'SELECT id, name FROM "Context"') in ([(3, "kept")], [[3, "kept"]])
    run(layout, kind, target, "UPDATE schema_migrations SET dirty = TRUE")
    with pytest.raises(snapshot.UnusableDatabaseError, match="dirty"):
        load(layout, kind, target, rows)
    with pytest.raises(snapshot.UnusableDatabaseError, match="does not have the tables"):
        load(layout, kind, new_database(kind), rows)
    target = migrated(kind)
    run(layout, kind, target, "CREATE TABLE orders (id int primary key)")
    with pytest.raises(snapshot.UnusableDatabaseError, match="orders"):
        load(layout, kind, target, rows)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_rehearsal_writes_nothing_and_takes_no_numbers(layout: Layout, migrated: MakeDatabase, kind: str) -> None:
    source, target = migrated(kind), migrated(kind)
    run(layout, kind, source, thing(kind, 500, "high"))
    rows = contents(layout, kind, source)
    assert load(layout, kind, target, rows, commit=False).digests["Context"].rows == 1
    assert is_empty(layout, kind, target)
    assert next_id(layout, kind, target) == 1


@pytest.mark.parametrize("kind", MYSQL_SERVERS)
def test_a_rehearsal_leaves_the_counters_of_mysql_where_they_were_and_a_loading_sets_them(layout: Layout, migrated: MakeDatabase, kind: str) -> None:
    source = migrated(kind)
    run(layout, kind, source, thing(kind, 500, "high"))
    rows = contents(layout, kind, source)
    for before, commit, following in ((300, False, 301), (900, False, 901), (900, True, 501)):
        target = migrated(kind)
        run(layout, kind, target, thing(kind, before, "gone"), 'DELETE FROM "Context"')
        load(layout, kind, target, rows, commit=commit)
        assert next_id(layout, kind, target) == following, (before, commit)


@pytest.mark.parametrize("other", ["mysql", "postgresql"])
def test_the_tables_can_be_in_another_schema_of_postgresql(layout: Layout, new_database: MakeDatabase, migrated: MakeDatabase, other: str) -> None:
    name = new_database("postgresql")
    with databases.administration(layout, "postgresql", name) as administer:
        administer("CREATE SCHEMA models AUTHORIZATION registries")
        administer(f'ALTER DATABASE "{name}" SET search_path = models')
        # What is in other schemas belongs to nobody who looks for the registry's.
        administer("CREATE TABLE public.orders (id int)")
    connection = connect(layout, "postgresql", name)
    schema.migrate(connection)
    connection.close()
    [[first], [second]] = [run(layout, "postgresql", name, f"SELECT to_regclass('{schema_name}.\"Context\"') IS NULL") for schema_name in ("models", "public")]
    assert (first, second) == ((False,), (True,))
    original = migrated(other)
    connection = connect(layout, other, original)
    filler.fill(asking(emulated(connection)))
    connection.close()
    rows = contents(layout, other, original)
    load(layout, "postgresql", name, rows)
    assert copied(contents(layout, "postgresql", name)) == copied(rows)
    assert run(layout, "postgresql", name, "SELECT count(*) FROM models.context_property_options")[0][0] > 0
    assert next_id(layout, "postgresql", name) == max(json.loads(line)["id"] for line in rows["Context"]) + 1
    # And out of it again.
    back = migrated(other)
    rows = contents(layout, "postgresql", name)
    load(layout, other, back, rows)
    assert copied(contents(layout, other, back)) == copied(rows)


def test_a_view_that_cannot_be_refreshed_is_a_warning_and_those_of_others_are_left_alone(layout: Layout, migrated: MakeDatabase) -> None:
    kind = "postgresql"
    target = migrated(kind)
    rows = contents(layout, kind, target)
    with databases.administration(layout, kind, target) as administer:
        administer("CREATE MATERIALIZED VIEW of_others AS SELECT 1")
        assert load(layout, kind, target, rows).warnings == []
        administer("ALTER MATERIALIZED VIEW context_property_options OWNER TO CURRENT_USER")
        assert load(layout, kind, target, rows, commit=False).warnings == []
        [warning] = load(layout, kind, target, rows).warnings
    assert warning == "the filter options of the database were not refreshed: must be owner of materialized view context_property_options"


def test_rows_whose_owner_is_gone_are_left_out_only_by_consent(layout: Layout, migrated: MakeDatabase) -> None:
    kind = "mysql"
    source = migrated(kind)
    values = "SELECT {}, 'p', FALSE, 'x'"
    run(
        layout,
        kind,
        source,
        thing(kind, 1, "model"),
        *('INSERT INTO "ContextProperty" (context_id, name, is_custom_property, string_value) ' + values.format(owner) for owner in (1, 2, 3, 4)),
        """INSERT INTO "Context" (id, type_id, name) VALUES (4, 9999, 'of no type')""",
        'INSERT INTO "Attribution" (context_id, artifact_id) VALUES (1, 7)',
        'INSERT INTO "ParentContext" (context_id, parent_context_id) VALUES (1, 8)',
    )
    rows = contents(layout, kind, source)
    for other in ("postgresql", "mysql"):
        target = migrated(other)
        # Only PostgreSQL insists on owners. A row of no type means nothing anywhere.
        gone = {"Context": 1, "ContextProperty": 3, "Attribution": 1} if other == "postgresql" else {"Context": 1}
        with pytest.raises(loader.UnloadableError) as refused:
            load(layout, other, target, rows)
        assert all(f"{table}: {number}" in str(refused.value) for table, number in gone.items()), str(refused.value)
        assert is_empty(layout, other, target)
        assert load(layout, other, target, rows, leave_out_orphans=True).orphans == gone
        found = contents(layout, other, target)
        assert {name: len(rows[name]) - len(found[name]) for name in copied(rows)} == dict.fromkeys(copied(rows), 0) | gone


@pytest.mark.parametrize("kind", MYSQL_SERVERS)
def test_names_that_mysql_takes_for_equal_are_all_named(layout: Layout, migrated: MakeDatabase, kind: str) -> None:
    source = migrated("postgresql")
    names = ("fraud", "FRAUD", "fràud", "other", "Other", "different")
    run(
        layout,
        "postgresql",
        source,
        *(thing("postgresql", number, name) for number, name in enumerate(names, 1)),
        thing("postgresql", 7, "fraud", "kf.Experiment", "'one'"),
        thing("postgresql", 8, "last", "kf.Experiment", "'ONE'"),
        *(
            f"""INSERT INTO "ContextProperty" (context_id, name, is_custom_property, int_value) VALUES ({owner}, '{name}', TRUE, 1)"""
            for owner, name in ((1, "team"), (1, "Team"), (2, "TEAM"))
        ),
    )
    target = migrated(kind)
    with pytest.raises(loader.UnloadableError) as refused:
        load(layout, kind, target, contents(layout, "postgresql", source))
    text = str(refused.value)
    pairs = ("'fraud' and 'FRAUD'", "'fraud' and 'fràud'", "'other' and 'Other'", "'one' and 'ONE'", "'team' and 'Team' of context_id 1")
    assert all(pair in text for pair in pairs) and "different" not in text and "TEAM" not in text, text
    event = [b'{"id":5,"artifact_id":1,"execution_id":1,"type":1}']
    with pytest.raises(loader.UnloadableError, match=r"to be equal: Event: id 5 twice\.$"):
        load(layout, kind, target, {**contents(layout, kind, target), "Event": event * 2})
    thing_of = '{"id":%d,"type":"kf.RegisteredModel","name":"%s","create_time_since_epoch":1,"last_update_time_since_epoch":1}'
    contexts = [(thing_of % found).encode() for found in ((1, "a"), (2, "A"), (3, "n" * 300))]
    with pytest.raises(snapshot.UnusableDatabaseError, match=r"Context was not written: .*Data too long"):
        load(layout, kind, target, {**contents(layout, kind, target), "Context": contexts})
    assert is_empty(layout, kind, target) and next_id(layout, kind, target) == 1


def test_what_an_engine_cannot_store_is_named(layout: Layout, migrated: MakeDatabase) -> None:
    source = migrated("mysql")
    property_ = 'INSERT INTO "ContextProperty" (context_id, name, is_custom_property, {}) VALUES (1, {}, TRUE, {})'
    more = "".join(f", (1, 'q{number}', TRUE, '\\0')" for number in range(10))
    texts = ((thing("mysql", 1, "mo\\0del"),), (property_.format("string_value", "'p'", "'a\\0b'"), property_.format("string_value", "'q'", "'\\0'") + more))
    run(layout, "mysql", source, *texts[0], *texts[1])
    target = migrated("postgresql")
    with pytest.raises(loader.UnloadableError) as refused:
        load(layout, "postgresql", target, contents(layout, "mysql", source))
    assert all(
        part in str(refused.value) for part in ("null character", "Context ", ": id 1. ", "ContextProperty ", "name 'p'", "name 'q'; ", "; and 2 more.")
    ), str(refused.value)
    assert "not exist" not in str(refused.value) and is_empty(layout, "postgresql", target)
    source, target = migrated("postgresql"), migrated("mysql")
    run(layout, "postgresql", source, thing("postgresql", 1, "model"), property_.format("double_value", "'p'", "'NaN'"))
    with pytest.raises(loader.UnloadableError, match=r"not finite.*name 'p'"):
        load(layout, "mysql", target, contents(layout, "postgresql", source))


@pytest.mark.parametrize("kind", SERVERS)
def test_a_line_of_something_else_writes_nothing(layout: Layout, migrated: MakeDatabase, kind: str) -> None:
    source, target = migrated(kind), migrated(kind)
    run(layout, kind, source, thing(kind, 1, "model"))
    rows = contents(layout, kind, source)
    [line] = rows["Context"]
    row = json.loads(line)
    wrong = (b"", b"{", b"[]", b'"text"', b"7", json.dumps({**row, "more": 1}).encode(), line + b"," + line)
    changes = ({"id": "1); DROP TABLE x"}, {"id": True}, {"id": 1.5}, {"name": ["a"]}, {"type": "kf.Unknown"}, {"type": 7})
    for odd in (*wrong, *(json.dumps({**row, **change}).encode() for change in changes)):
        with pytest.raises(loader.UnloadableError, match="A row of table Context is not valid"):
            load(layout, kind, target, {**rows, "Context": [line, odd]})
    # What the server refuses.
    for change in ({"id": 1 << 40}, {"name": "n" * 300, "id": 2}, {"name": None, "id": 2}, {}):
        with pytest.raises(snapshot.UnusableDatabaseError, match="Context"):
            load(layout, kind, target, {**rows, "Context": [line, json.dumps({**row, **change}).encode()]})
    with pytest.raises(loader.UnloadableError, match="did not store"):
        load(layout, kind, target, {**rows, "Context": [json.dumps(row).encode()]})
    with pytest.raises(loader.UnloadableError, match="MLMDEnv"):
        load(layout, kind, target, {**rows, "MLMDEnv": [b'{"schema_version":11}']})
    with pytest.raises(loader.UnloadableError, match="has another kind"):
        load(layout, kind, target, {**rows, "Type": [line.replace(b'"type_kind":2', b'"type_kind":1') for line in rows["Type"]]})
    for name, change in (("Type", {"name": []}), ("TypeProperty", {"name": {}}), ("TypeProperty", {"type": [1]})):
        forged = json.dumps({**json.loads(rows[name][0]), **change}).encode()
        with pytest.raises(loader.UnloadableError, match=f"A row of table {name} is not valid"):
            load(layout, kind, target, {**rows, name: [forged]})
    assert is_empty(layout, kind, target)
    load(layout, kind, target, rows)


@pytest.mark.parametrize("kind", SERVERS)
def test_meanwhile_others_read_and_do_not_write_and_a_second_loader_waits(layout: Layout, migrated: MakeDatabase, kind: str) -> None:
    source, target = migrated(kind), migrated(kind)
    run(layout, kind, source, thing(kind, 1, "model"))
    rows = contents(layout, kind, source)
    patience = "SET SESSION innodb_lock_wait_timeout = 1" if databases.speaks_mysql(kind) else "SET lock_timeout = '500ms'"
    others: list[threading.Thread] = []
    refusals: list[BaseException] = []

    def second() -> None:
        try:
            load(layout, kind, target, rows)
        except loader.NotEmptyError as error:
            refusals.append(error)

    def read(table: tables.Table) -> Iterator[list[bytes]]:
        if table.name == "Context":
            for number in (1, 900):
                with pytest.raises(databases.ERRORS):
                    run(layout, kind, target, patience, thing(kind, number, "of another"))
            assert list(run(layout, kind, target, 'SELECT * FROM "Context"')) == []
            others.append(threading.Thread(target=second))
            others[0].start()
        yield rows[table.name]

    load(layout, kind, target, read)
    others[0].join()
    assert len(refusals) == 1
    assert copied(contents(layout, kind, target)) == copied(rows)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_connection_that_is_lost_while_rows_are_written_writes_nothing(layout: Layout, migrated: MakeDatabase, kind: str) -> None:
    source, target = migrated(kind), migrated(kind)
    run(layout, kind, source, *(thing(kind, number, f"model {number}") for number in range(1, 9)))
    rows = contents(layout, kind, source)
    mysql = databases.speaks_mysql(kind)
    for table in ("Context", "Attribution", "verifying table Context"):
        with opened(layout, kind, target) as (connection, engine):
            with connection.cursor() as cursor:
                cursor.execute("SELECT CONNECTION_ID()" if mysql else "SELECT pg_backend_pid()")
                [(number,)] = cursor.fetchall()

            def told(what: str, table: str = table, number: int = number) -> None:
                if table in what:
                    with databases.administration(layout, kind) as administer:
                        administer(f"KILL {number}" if mysql else f"SELECT pg_terminate_backend({number})")

            with pytest.raises(snapshot.UnusableDatabaseError, match="was not"):
                loader.load(connection, engine, lambda table: [rows[table.name]], told=told)
        assert is_empty(layout, kind, target)


def test_texts_of_many_megabytes_arrive_and_what_is_too_large_is_named(layout: Layout, migrated: MakeDatabase) -> None:
    source = migrated("postgresql")
    # Together more than MariaDB permits in one statement.
    texts = "SELECT 1, 'text ' || number, TRUE, repeat('é''\\a', 600000) FROM generate_series(1, 5) number"
    insert = f'INSERT INTO "ContextProperty" (context_id, name, is_custom_property, string_value) {texts}'
    run(layout, "postgresql", source, thing("postgresql", 1, "model"), insert)
    rows = contents(layout, "postgresql", source)
    target = migrated(databases.MARIADB)
    load(layout, databases.MARIADB, target, rows)
    assert copied(contents(layout, databases.MARIADB, target)) == copied(rows)
    # MariaDB permits 16 MB, and MySQL 64 MB.
    line = rows["ContextProperty"][0]
    wide = json.dumps({**json.loads(line), "string_value": "a" * (1 << 24)}).encode()
    target = migrated(databases.MARIADB)
    with pytest.raises(loader.UnloadableError, match=r"ContextProperty.*max_allowed_packet"):
        load(layout, databases.MARIADB, target, {**rows, "ContextProperty": [wide]})
    assert is_empty(layout, databases.MARIADB, target)


@pytest.mark.parametrize("number", [6_000, 14_000])
def test_of_two_errors_that_of_the_earlier_row_is_told(layout: Layout, migrated: MakeDatabase, number: int) -> None:
    target = migrated("mysql")
    rows = {**contents(layout, "mysql", target), "Context": [json.dumps({"id": 1, "type": "kf.RegisteredModel", "name": "n" * 1000}).encode()]}
    # Enough for the first row to be sent to the database while the last one, which is not a row, is still read; or for others to be sent in between.
    others = [json.dumps({"id": row, "type": "kf.RegisteredModel", "name": f"{row}", "external_id": f"{row:0200}"}).encode() for row in range(2, number)]
    rows["Context"] += [*others, b'{"id":"forty","type":"kf.RegisteredModel","name":"n"}']
    with pytest.raises(snapshot.UnusableDatabaseError, match="Data too long for column 'name'"):
        load(layout, "mysql", target, rows)
    assert is_empty(layout, "mysql", target)
