"""The registry's tables under the version number that the real server gives them: either server can take over a database from the other."""

from __future__ import annotations

from sandbox.server import tables
from sandbox.server.connection import Connection, DatabaseError

NEWEST = {"mysql": 21, "postgresql": 25}
# PostgreSQL before 16 does not know the syntax of this migration.
_JSON_MIGRATION = 25
# The migration that makes the table without a primary key, and what a server says that wants one in every table.
_KEYLESS_MIGRATION = 8
_NO_KEY = ("Error 3750", "Error 1173")
# The version of the tables themselves, which are older than the registry.
_METADATA_VERSION = 10

_VERSIONS = "version bigint not null primary key, dirty boolean not null"


def migrate(connection: Connection) -> None:
    """Bring the schema up to date; DatabaseError when it cannot be, which ends the server."""
    if connection.kind == "mysql":
        # A lock's name may have 64 characters; MySQL 9 has no MD5 any more.
        name = "CONCAT('migrations-', LEFT(SHA2(DATABASE(), 256), 40))"
        lock, unlock = f"SELECT GET_LOCK({name}, 30)", f"SELECT RELEASE_LOCK({name})"
    else:
        lock, unlock = "SELECT pg_advisory_lock(20210421)", "SELECT pg_advisory_unlock(20210421)"
    connection.run(lock)
    try:
        _migrate(connection)
    finally:
        connection.run(unlock)


def _migrate(connection: Connection) -> None:
    quote = quoting(connection)
    table = f"{quote}schema_migrations{quote}"
    shown = table
    if connection.kind == "mysql":
        exists = connection.run("SHOW TABLES LIKE 'schema\\_migrations'")
        create = f"CREATE TABLE {table} ({_VERSIONS})"
    else:
        exists = connection.run("SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'schema_migrations'")
        shown = f'"{connection.run("SELECT current_schema()")[0][0]}"."schema_migrations"'
        create = f"CREATE TABLE IF NOT EXISTS {shown} ({_VERSIONS})"
    if not exists:
        try:
            connection.run(create)
        except DatabaseError as error:
            raise DatabaseError(f"{error} in line 0: {create}") from None
    rows = connection.run(f"SELECT version, dirty FROM {table} LIMIT 1")
    version, dirty = rows[0] if rows else (0, False)
    newest = NEWEST[connection.kind]
    if dirty:
        raise DatabaseError(f"Dirty database version {version}. Fix and force version.")
    if version > newest:
        raise DatabaseError(f"no migration found for version {version}: read down for version {version} migrations: file does not exist")
    if version == newest:
        return
    try:
        create_tables(connection)
    except DatabaseError as error:
        if str(error).startswith(_NO_KEY):
            _record(connection, table, _KEYLESS_MIGRATION, True)
            raise DatabaseError(f"migration failed in line 0: CREATE TABLE IF NOT EXISTS `{tables.KEYLESS}` (\n (details: {error})") from None
        raise
    old = getattr(connection, "version", _JSON_MIGRATION) < 16 and connection.kind == "postgresql"
    if connection.kind == "postgresql":
        # All or nothing: they cannot be made twice.
        connection.run("; ".join(tables.additions(views=not old)))
    _record(connection, table, _JSON_MIGRATION if old else newest, old)
    if old:
        raise DatabaseError('migration failed in line 0: CREATE MATERIALIZED VIEW (details: ERROR: syntax error at or near "JSON" (SQLSTATE 42601))')


def create_tables(connection: Connection) -> None:
    """Make the tables, and what every one of the servers expects in them; what is there already stays."""
    for _name, statement in tables.creation(connection.kind):
        connection.run(statement)
    quote = quoting(connection)
    known = {row[0] for row in connection.run(f"SELECT name FROM {quote}Type{quote}")}
    for group in (tables.OLD_TYPES, tables.TYPES):
        if rows := [f"SELECT '{new.name}', {new.kind}" for new in group if new.name not in known]:
            # In one statement that selects, before which MySQL does not know the number of rows: it leaves a gap in the numbers after them.
            connection.run(f"INSERT INTO {quote}Type{quote} (name, type_kind) {' UNION ALL '.join(rows)}")
    if not connection.run(f"SELECT 1 FROM {quote}MLMDEnv{quote}"):
        properties = [f"SELECT id, '{name}', {kind} FROM {quote}Type{quote} WHERE name = '{new.name}'" for new in tables.TYPES for name, kind in new.properties]
        connection.run(f"INSERT INTO {quote}TypeProperty{quote} (type_id, name, data_type) {' UNION ALL '.join(properties)}")
        connection.run(f"INSERT INTO {quote}MLMDEnv{quote} (schema_version) VALUES ({_METADATA_VERSION})")


def _record(connection: Connection, table: str, version: int, dirty: bool) -> None:
    connection.run(f"DELETE FROM {table}")
    connection.run(f"INSERT INTO {table} (version, dirty) VALUES (%s, %s)", version, dirty)


def quoting(connection: Connection) -> str:
    """The character around names."""
    return "`" if connection.kind == "mysql" else '"'
