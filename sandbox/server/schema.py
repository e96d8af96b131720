"""The registry's tables under the version number that the real server gives them: either server can take over a database from the other."""

from __future__ import annotations

from sandbox.server.connection import Connection, DatabaseError

NEWEST = {"mysql": 21, "postgresql": 25}
# PostgreSQL before 16 does not know the syntax of this migration.
_JSON_MIGRATION = 25
# The migration that makes the table without a primary key, and what a server says that wants one in every table.
_KEYLESS_MIGRATION, _KEYLESS_TABLE = 8, "EventPath"
_NO_KEY = ("Error 3750", "Error 1173")
MODEL_TYPE = "kf.RegisteredModel"
_CONTEXT_KIND = 2

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
        shown = '"public"."schema_migrations"'
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
            raise DatabaseError(f"migration failed in line 0: CREATE TABLE IF NOT EXISTS `{_KEYLESS_TABLE}` (\n (details: {error})") from None
        raise
    old = getattr(connection, "version", _JSON_MIGRATION) < 16 and connection.kind == "postgresql"
    _record(connection, table, _JSON_MIGRATION if old else newest, old)
    if old:
        raise DatabaseError('migration failed in line 0: CREATE MATERIALIZED VIEW (details: ERROR: syntax error at or near "JSON" (SQLSTATE 42601))')


def create_tables(connection: Connection) -> None:
    """Make the tables, and what every one of the servers expects in them; what is there already stays."""
    for statement in _statements(connection):
        connection.run(statement)


def _record(connection: Connection, table: str, version: int, dirty: bool) -> None:
    connection.run(f"DELETE FROM {table}")
    connection.run(f"INSERT INTO {table} (version, dirty) VALUES (%s, %s)", version, dirty)


# What things of each kind have besides a type, a name and times; each kind has a table of properties too.
_KINDS = {"Artifact": "uri text, state int, name varchar(255)", "Context": "name varchar(255) NOT NULL", "Execution": "last_known_state int, name varchar(255)"}
# Tables that are nothing but their key.
_LINKS = {"ParentContext": ["context_id", "parent_context_id"], "ParentType": ["type_id", "parent_type_id"], "MLMDEnv": ["schema_version"]}
_NUMBERED_LINKS = {
    "Association": "context_id int NOT NULL, execution_id int NOT NULL, UNIQUE (context_id, execution_id)",
    "Attribution": "context_id int NOT NULL, artifact_id int NOT NULL, UNIQUE (context_id, artifact_id)",
    "Event": "artifact_id int NOT NULL, execution_id int NOT NULL, type int NOT NULL, milliseconds_since_epoch bigint,"
    " UNIQUE (artifact_id, execution_id, type)",
}


def _statements(connection: Connection) -> list[str]:
    quote = quoting(connection)
    mysql = connection.kind == "mysql"
    number = "id int NOT NULL AUTO_INCREMENT PRIMARY KEY" if mysql else "id serial PRIMARY KEY"
    text, real, kind, blob = ("mediumtext", "double", "tinyint(1)", "mediumblob") if mysql else ("text", "double precision", "smallint", "bytea")
    value = f"int_value int, double_value {real}, string_value {text}, byte_value {blob}, proto_value {blob}, bool_value boolean"
    times = "create_time_since_epoch bigint NOT NULL DEFAULT 0, last_update_time_since_epoch bigint NOT NULL DEFAULT 0"
    tables = {
        "Type": f"{number}, name varchar(255) NOT NULL, version varchar(255), type_kind {kind} NOT NULL, description text, input_type text, output_type text,"
        " external_id varchar(255) UNIQUE",
        "TypeProperty": "type_id int NOT NULL, name varchar(255) NOT NULL, data_type int, PRIMARY KEY (type_id, name)",
        "EventPath": "event_id int NOT NULL, is_index_step boolean NOT NULL, step_index int, step_key text",
    }
    for name, columns in _KINDS.items():
        tables[name] = f"{number}, type_id int NOT NULL, {columns}, external_id varchar(255) UNIQUE, {times}, UNIQUE (type_id, name)"
        owner = f"{name.lower()}_id"
        tables[f"{name}Property"] = (
            f"{owner} int NOT NULL, name varchar(255) NOT NULL, is_custom_property boolean NOT NULL, {value}, PRIMARY KEY ({owner}, name, is_custom_property)"
        )
    for name, columns in _NUMBERED_LINKS.items():
        tables[name] = f"{number}, {columns}"
    for name, names in _LINKS.items():
        tables[name] = ", ".join(f"{column} int NOT NULL" for column in names) + f", PRIMARY KEY ({', '.join(names)})"
    types = f"{quote}Type{quote}"
    return [
        *(f"CREATE TABLE IF NOT EXISTS {quote}{name}{quote} ({columns})" for name, columns in tables.items()),
        f"INSERT INTO {types} (name, type_kind) SELECT '{MODEL_TYPE}', {_CONTEXT_KIND} FROM (SELECT 1 AS one) AS single"
        f" WHERE NOT EXISTS (SELECT 1 FROM {types} WHERE name = '{MODEL_TYPE}')",
    ]


def quoting(connection: Connection) -> str:
    """The character around names."""
    return "`" if connection.kind == "mysql" else '"'
