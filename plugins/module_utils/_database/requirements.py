# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings about a server and its database: the version, the settings, the connections, and the schema that the registry server requires. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .. import _options
from . import vocabulary

# The newest migration that the server has.
NEWEST_MIGRATION = {_options.MYSQL: 21, _options.POSTGRESQL: 25}
OLDEST_POSTGRESQL = 16
FEW_CONNECTIONS = 5
# The registry server opens a second connection while the first one is busy, and ends where it gets none.
NEEDED_CONNECTIONS = 2
# What a start of the registry server takes from the hourly limits of a user of MySQL, the check before it included: with an empty database (tried on MySQL
# 9.7: 346 queries and 60 updates), and with one that has its tables.
HOURLY_NEEDS = {"CONNECTIONS": (3, 3), "QUERIES": (400, 50), "UPDATES": (60, 1)}
HOURLY_LIMIT = re.compile(r"\bMAX_(QUERIES|UPDATES|CONNECTIONS)_PER_HOUR (\d+)")
# The migration of MySQL that makes a table without a primary key.
WITHOUT_PRIMARY_KEY = 8
# Settings of MySQL and MariaDB that decide; none of the servers has all of them.
MYSQL_SETTINGS = (
    "version",
    "max_connections",
    "max_user_connections",
    "read_only",
    "super_read_only",
    "innodb_read_only",
    "transaction_read_only",
    "tx_read_only",
    "partial_revokes",
    "lower_case_table_names",
    "sql_require_primary_key",
    "sql_generate_invisible_primary_key",
    "innodb_force_primary_key",
)
READ_ONLY_TRANSACTIONS = "Transactions are read-only by default"


def version_text(text: str) -> str:
    """A version without the one of MySQL that MariaDB puts in front of its own, for old clients."""
    return text[6:] if text.startswith("5.5.5-") and "MariaDB" in text else text


def version_finding(kind: str, text: str) -> vocabulary.Finding:
    """Whether the registry server works with this version."""
    if kind == _options.POSTGRESQL:
        version = _numbers(text)
        if version < (OLDEST_POSTGRESQL,):
            message = f"PostgreSQL {text} is not supported: a migration fails and leaves the schema marked dirty"
            return vocabulary.failure("version", message, f"Use PostgreSQL {OLDEST_POSTGRESQL} or later before you create a registry")
        return vocabulary.ok("version", f"The server is PostgreSQL {text}")
    mariadb = re.search(r"(\d+\.\d+\.\d+)-MariaDB", text)
    if mariadb:
        if _numbers(mariadb[1]) < (10, 11):
            message = f"MariaDB {mariadb[1]} is older than the documented requirement of the registry server"
            return vocabulary.warning("version", message, "Use MariaDB 10.11 or later")
        return vocabulary.ok("version", f"The server is MariaDB {mariadb[1]}")
    version = _numbers(text)
    if version < (5,):
        return vocabulary.failure("version", f"MySQL {text} is not supported", "Use MySQL 8.0.3 or later")
    if len(version) > 2 and version < (8, 0, 3):
        message = f"MySQL {text} meets the requirement in the documentation of the product (5.x), but not that of the registry server (8.0.3)"
        return vocabulary.warning("version", message, "Use MySQL 8.0.3 or later")
    return vocabulary.ok("version", f"The server is MySQL {text}")


def read_only_reason(settings: Mapping[str, str], options: str, rights: frozenset[str]) -> str:
    """Why nothing can be written to a database of MySQL or MariaDB, by its settings and options and the user's rights everywhere; empty where it can."""

    def is_on(*names: str) -> bool:
        return any(settings.get(name, "OFF").upper() not in ("OFF", "0") for name in names)

    if "READ ONLY=1" in options:
        return "The database is read-only (READ ONLY = 1)"
    if is_on("super_read_only", "innodb_read_only") or "NO_ADMIN" in settings.get("read_only", ""):
        return "The database server is read-only for all users, such as a replica"
    mariadb = re.search(r"(\d+\.\d+\.\d+)-MariaDB", settings["version"])
    # SUPER includes it everywhere else.
    separate = mariadb is not None and _numbers(mariadb[1]) >= (10, 11)
    passes = {"ALL PRIVILEGES", "ALL", "READ_ONLY ADMIN" if mariadb else "CONNECTION_ADMIN", *([] if separate else ["SUPER"])}
    if is_on("read_only") and not passes & rights:
        return "The database server is read-only, such as a replica"
    return READ_ONLY_TRANSACTIONS if is_on("transaction_read_only", "tx_read_only") else ""


def database_finding(view: vocabulary.View, read_only: str) -> vocabulary.Finding:
    """The database exists; is it one that can be written to, or why not?"""
    if read_only:
        remedy = "Make the database writable, or set database.host to the address of the primary server"
        return vocabulary.failure("database", f"{read_only}, and the registry server requires write access", remedy)
    return vocabulary.ok("database", f"The database {view.name} exists")


def character_set_finding(name: str) -> vocabulary.Finding:
    """Whether names and descriptions in all scripts can be stored."""
    if name.lower() in ("utf8mb4", "utf8"):
        return vocabulary.ok("character_set", f"The character set of the database is {name}")
    message = f"The character set of the database is {name}: names and descriptions in other scripts are rejected or corrupted"
    return vocabulary.warning("character_set", message, "Create the database with utf8mb4 (MySQL) or UTF8 (PostgreSQL)")


def schema_findings(kind: str, schema: vocabulary.Schema) -> list[vocabulary.Finding]:
    """How far the migrations are, and whether one stopped half way."""
    newest = NEWEST_MIGRATION[kind]
    if schema.version is None:
        if not schema.tables:
            return [vocabulary.ok("schema", "The database is empty; the registry server creates its tables")]
        if {"Type", "Artifact"} <= set(schema.tables):
            return [vocabulary.ok("schema", "The database contains the tables of an older product version; the registry server migrates them")]
        message = f"The database contains tables of another application: {', '.join(sorted(schema.tables)[:5])}"
        return [vocabulary.warning("schema", message, "Use a separate database for the registry")]
    if schema.dirty:
        message = f"Migration {schema.version} failed and left the schema marked dirty; the registry server does not start"
        return [vocabulary.failure("migration", message, "Revert the changes of the migration, then set `dirty` to 0 in schema_migrations")]
    findings = [vocabulary.ok("migration", "All migrations are complete")]
    if schema.version > newest:
        message = f"The schema version {schema.version} belongs to a registry server that is newer than the version known to this collection ({newest})"
        return [*findings, vocabulary.warning("schema", message, "Use the database only with a product version that is at least as new")]
    todo = "" if schema.version == newest else f"; the registry server migrates it to {newest}"
    return [*findings, vocabulary.ok("schema", f"The schema version is {schema.version}{todo}")]


def primary_key_findings(settings: Mapping[str, str], schema: vocabulary.Schema) -> list[vocabulary.Finding]:
    """Whether the server refuses the one table without a primary key, while it has not been made yet."""
    strict = next((name for name in ("sql_require_primary_key", "innodb_force_primary_key") if settings.get(name, "OFF").upper() in ("ON", "1")), None)
    if strict is None or settings.get("sql_generate_invisible_primary_key", "OFF").upper() in ("ON", "1"):
        return []
    if schema.version is not None and (schema.version > WITHOUT_PRIMARY_KEY or (schema.version == WITHOUT_PRIMARY_KEY and not schema.dirty)):
        return []
    message = f"The database requires a primary key in each table ({strict}). Migration {WITHOUT_PRIMARY_KEY} fails and leaves the schema dirty"
    remedy = f"Run SET GLOBAL {strict} = OFF before you create the registry; if the migration has already failed, also empty the database"
    return [vocabulary.failure("primary_key", message, remedy)]


def connections_finding(limit: int, used: int, user_limit: int, user_used: int) -> vocabulary.Finding:
    """Whether the registry server gets the connections that it needs. A limit of the user that is not above 0 is none."""
    free, message = limit - used, f"{used} of {limit} connections are in use"
    if user_limit > 0 and user_limit - user_used < free:
        free, message = user_limit - user_used, f"{user_used} of {user_limit} connections of the user are in use"
    if 0 < user_limit < NEEDED_CONNECTIONS or limit < NEEDED_CONNECTIONS:
        message = (
            f"The connection limit is {min(limit, user_limit) if user_limit > 0 else limit}, and the registry server needs {NEEDED_CONNECTIONS} connections"
        )
        return vocabulary.failure("connections", message, "Increase the limit")
    if free < FEW_CONNECTIONS:
        return vocabulary.warning("connections", message, "Increase the limit, or close other connections")
    return vocabulary.ok("connections", message)


def hourly_findings(account: str, schema: vocabulary.Schema) -> list[vocabulary.Finding]:
    """What the hourly limits in SHOW CREATE USER of MySQL or MariaDB mean for the registry server."""
    limits = [(what, int(limit)) for what, limit in HOURLY_LIMIT.findall(account) if int(limit)]
    is_migrated = schema.version == NEWEST_MIGRATION[_options.MYSQL]
    few = [what for what, limit in limits if limit < HOURLY_NEEDS[what][is_migrated]]
    names = ", ".join(f"MAX_{what}_PER_HOUR {limit}" for what, limit in limits)
    remedy = "Run ALTER USER ... WITH " + " ".join(f"MAX_{what}_PER_HOUR 0" for what, _limit in limits)
    if few:
        return [vocabulary.failure("connections", f"The user has hourly limits that are too low for the registry server to start ({names})", remedy)]
    message = f"The user has hourly limits, and the registry server stops working until the end of the hour when it reaches one ({names})"
    return [vocabulary.warning("connections", message, remedy)] if limits else []


def _numbers(text: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
