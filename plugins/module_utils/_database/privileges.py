# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings about the privileges of a user. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .. import _options
from . import requirements, vocabulary

# The one after which no migration of PostgreSQL changes tables that exist.
LAST_CHANGE_OF_TABLES = 24
# Found by starting the real server on MariaDB 10.11 and PostgreSQL 16 as a user with one privilege withheld at a time, on an empty database and on a migrated
# one, and by using every kind of request. Without one of the first the migrations fail, without the second every change of a model does. DROP, ALTER,
# INDEX, REFERENCES and the rest were not needed.
MYSQL_MIGRATION_PRIVILEGES = ("SELECT", "INSERT", "DELETE", "CREATE")
TABLE_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE")
GRANT = re.compile(r"(?P<verb>GRANT|REVOKE) (?P<what>.+) ON (?P<database>\*|`(?:[^`]|``)+`)\.(?P<table>\*|`(?:[^`]|``)+`) (?:TO|FROM) (?P<grantee>.+)")
ROLE_GRANT = re.compile(r"GRANT (?P<roles>`.+`(?:@`.*`)?) TO (?P<grantee>.+)")


@dataclass(frozen=True)
class Grants:
    """What MySQL's SHOW GRANTS says about one database: privileges in force, roles that are granted but not in force, and rights on single tables.

    `everywhere`: the privileges that are for all databases.
    """

    privileges: frozenset[str]
    idle_roles: tuple[str, ...] = ()
    on_tables: bool = False
    everywhere: frozenset[str] = frozenset()


def mysql_grants(lines: Iterable[str], database: str, active_roles: str = "", wildcards: bool = True, fold_case: bool = False) -> Grants:
    """Read SHOW GRANTS of a user and the roles in force. `fold_case`: names of databases are compared without case.

    Of several patterns that match a database only the most specific one counts, for the user and for its roles (seen on MariaDB 10.11). A partial revoke
    of MySQL takes from what is granted everywhere.
    """
    everywhere: set[str] = set()
    revoked: set[str] = set()
    database = database.lower() if fold_case else database
    matching: dict[bool, list[tuple[str, set[str]]]] = {True: [], False: []}
    roles: list[str] = []
    on_tables = False
    for line in lines:
        grant = GRANT.match(line)
        if grant is None:
            role = ROLE_GRANT.match(line)
            if role and _is_user(role["grantee"]):
                roles += _role_names(role["roles"])
            continue
        privileges = {word.strip().upper() for word in grant["what"].split(",")}
        pattern = grant["database"].strip("`").replace("``", "`")
        pattern = pattern.lower() if fold_case else pattern
        if grant["verb"] == "REVOKE":
            revoked |= privileges if pattern == database else set()
        elif grant["table"] != "*":
            on_tables = on_tables or pattern == database
        elif pattern == "*":
            everywhere |= privileges
        elif _like(pattern, wildcards).fullmatch(database):
            matching[_is_user(grant["grantee"])].append((pattern, privileges))
    held = everywhere - revoked
    for entries in matching.values():
        if entries:
            closest = min((pattern for pattern, _privileges in entries), key=_specificity)
            # Of a role and of those that it has been granted there may be several.
            held = held.union(*(privileges for pattern, privileges in entries if pattern == closest))
    active = _role_names(active_roles)
    return Grants(frozenset(held), tuple(role for role in roles if role not in active), on_tables, frozenset(everywhere))


def _role_names(listed: str) -> list[str]:
    """The names of roles that the server lists; those of MySQL have hosts."""
    return [name.partition("@")[0].strip("`") for name in listed.split(",")]


def _is_user(grantee: str) -> bool:
    """MariaDB's roles have no host."""
    return "@" in grantee


def _like(pattern: str, wildcards: bool) -> re.Pattern[str]:
    """A pattern of MySQL: % for any text, _ for one character, a backslash in front of either for itself. Names are compared without case at most."""
    if not wildcards:
        return re.compile(re.escape(pattern.replace("\\", "")))
    parts = []
    for token in re.findall(r"\\.|.", pattern, re.DOTALL):
        parts.append({"%": ".*", "_": "."}.get(token) or re.escape(token[-1]))
    return re.compile("".join(parts), re.DOTALL)


def _specificity(pattern: str) -> tuple[bool, int]:
    """Names without wildcards come first, then patterns by what stands before their first one."""
    wildcard = re.search(r"(?<!\\)[%_]", pattern)
    return (wildcard is not None, -(wildcard.start() if wildcard else 0))


def mysql_privileges_finding(view: vocabulary.View, grants: Grants, schema: vocabulary.Schema) -> vocabulary.Finding:
    """Whether the user has what the migrations and the server need."""
    held = grants.privileges
    if {"ALL PRIVILEGES", "ALL"} & held:
        return vocabulary.ok("privileges", "The user has all privileges on the database")
    wanted = dict.fromkeys([*MYSQL_MIGRATION_PRIVILEGES, *TABLE_PRIVILEGES])
    missing = [privilege for privilege in wanted if privilege not in held]
    if not missing:
        return vocabulary.ok("privileges", "The user has the privileges that the registry server requires")
    remedy = f"Run GRANT ALL PRIVILEGES ON `{view.name}`.* TO the user"
    if grants.idle_roles:
        remedy += f", or SET DEFAULT ROLE if {' or '.join(grants.idle_roles)} has the privileges: only the default role is used"
    names = ", ".join(missing)
    if missing == ["CREATE"] and schema.version == requirements.NEWEST_MIGRATION[_options.MYSQL]:
        return vocabulary.warning("privileges", "The user lacks CREATE, which migrations of later product versions can require", remedy)
    if grants.on_tables:
        message = f"The user has {names} at most on individual tables, which is sufficient only if these are all tables of the registry"
        return vocabulary.warning("privileges", message, remedy)
    return vocabulary.failure("privileges", f"The user lacks {names} on the database", remedy)


@dataclass(frozen=True)
class Table:
    """A table of PostgreSQL, and what the user may do with it. `owned`: as its owner, or as a member of the role that owns it."""

    name: str
    owned: bool
    privileges: frozenset[str]


def postgresql_privileges_finding(schema_name: str | None, may_create: bool, tables: Sequence[Table], schema: vocabulary.Schema) -> vocabulary.Finding:
    """Whether the user has what the migrations and the server need; PostgreSQL itself has resolved its roles."""
    if schema_name is None:
        message = "The user cannot use any schema in its search path, which is usually `public`"
        return vocabulary.failure("privileges", message, "Run GRANT USAGE, CREATE ON SCHEMA public TO the user")
    complete = schema.version is not None and schema.version >= requirements.NEWEST_MIGRATION[_options.POSTGRESQL]
    if not may_create and not complete:
        message = f"The user does not have permission to create tables in the schema {schema_name}"
        return vocabulary.failure("privileges", message, f"Run GRANT CREATE ON SCHEMA {schema_name} TO the user, or make it the owner of the database")
    lacking: Mapping[str, list[str]] = {
        privilege: [table.name for table in tables if privilege not in table.privileges and _is_written(table, privilege)] for privilege in TABLE_PRIVILEGES
    }
    missing = [f"{privilege} on {', '.join(names[:3])}{' and others' if len(names) > 3 else ''}" for privilege, names in lacking.items() if names]
    if missing:
        remedy = f"Run GRANT ALL ON ALL TABLES IN SCHEMA {schema_name} TO the user, or make it their owner"
        return vocabulary.failure("privileges", f"The user lacks {'; '.join(missing)}", remedy)
    foreign = [table.name for table in tables if not table.owned]
    if foreign and schema.version is not None and schema.version < LAST_CHANGE_OF_TABLES:
        message = f"The user does not own {', '.join(foreign[:3])}, and the migrations change tables"
        return vocabulary.failure("privileges", message, "Make the user the owner of the tables, or a member of the role that owns them")
    if foreign or not may_create:
        message = "The user does not own all tables or cannot create tables, which migrations of later product versions can require"
        return vocabulary.warning("privileges", message, "Make the user the owner of the database and its tables")
    return vocabulary.ok("privileges", "The user has the privileges that the registry server requires")


def _is_written(table: Table, privilege: str) -> bool:
    return privilege == "SELECT" or table.name != "schema_migrations"
