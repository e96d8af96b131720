# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holds back writes to the tables of a registry, and closes them for good, with the account of the registry's own server.

The lock of a session ends with it, and whoever waits for it then writes. Closed tables stay closed, whoever ends: in PostgreSQL, their owner revokes its own
permission to write, in the transaction that holds the lock; MySQL from 8.0.22 on has databases that are read-only; in MariaDB and older MySQL the tables are
renamed, so that they cannot be read either until the registry has moved. Neither of the latter two can be done under the lock: what was written in between is
found by reading the tables again.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Any

from .. import _options
from .._database import privileges
from . import layout, snapshot

# What the tables are named while they are closed, where they are renamed.
SUFFIX = "__moved"
# The first MySQL that has read-only databases.
READ_ONLY = (8, 0, 22)
_PRIVILEGES = "INSERT, UPDATE, DELETE, TRUNCATE"
# The two keys of a lock of PostgreSQL that is for whoever moves this database. The registry server's own has one key.
_CLAIM = "20260811, 19"
# The same of MySQL, where a lock's name may have 64 characters.
_MYSQL_CLAIM = "CONCAT('modelops-move-', LEFT(SHA2(DATABASE(), 256), 40))"
_NAMES = [table.name for table in layout.TABLES]
# Errors of both engines after which the lock can be asked for again: each has waited for the other.
_DEADLOCKS = (1213, "40P01")
_NOT_GRANTED = (1205, "55P03")
# How long it may take until a statement waits for the lock, in seconds.
_QUEUED = 2.0
# The same until a server has noticed that the connection of a run is gone that was killed.
_NOTICED = 3.0
_PAUSE = 0.01


class HeldError(snapshot.UnusableDatabaseError):
    """The tables cannot be locked or closed now."""


class Source:
    """The tables of a registry that is to move. The connection (PyMySQL, psycopg) is used for nothing else."""

    def __init__(self, connection: Any, kind: str) -> None:
        self._connection, self._is_mysql = connection, kind == _options.MYSQL
        self._renames = self._is_mysql and not has_read_only(str(self._run("SELECT VERSION()")[0][0]))

    @property
    def suffix(self) -> str:
        """What the names of the tables end with while they are closed."""
        return SUFFIX if self._renames else ""

    def problems(self) -> list[str]:
        """Why the account cannot close these tables, as far as that can be found without trying."""
        if self._is_mysql:
            return self._mysql_problems()
        foreign_tables = f"SELECT count(*) FROM pg_class WHERE {_OF_REGISTRY} AND NOT pg_has_role(relowner, 'USAGE')"
        [(is_superuser, foreign)] = self._run(f"SELECT rolsuper, ({foreign_tables}) FROM pg_roles WHERE rolname = current_user")
        if is_superuser:
            return ["the user is a PostgreSQL superuser, whose writes cannot be blocked. First set database.username to a user who is not a superuser"]
        return ["the user does not own the tables, and only their owner can revoke permissions to write"] if foreign else []

    def _mysql_problems(self) -> list[str]:
        [(name,)] = self._run("SELECT DATABASE()")
        # Those of its active roles are among them.
        lines = self._run("SHOW GRANTS")
        held = privileges.mysql_grants((str(line) for (line,) in lines), str(name)).privileges
        needed = ("LOCK TABLES", "ALTER", *(("DROP", "CREATE", "INSERT") if self._renames else ()))
        missing = [] if {"ALL", "ALL PRIVILEGES"} & held else [privilege for privilege in needed if privilege not in held]
        return [f"the user lacks {', '.join(missing)} on the database. Run GRANT {', '.join(missing)} ON `{name}`.* TO the user"] if missing else []

    def claim(self) -> None:
        """Be the only one that moves this database, for as long as the connection lives. HeldError when another one is."""
        stay_connected(self._connection, self._is_mysql)
        statement = f"SELECT GET_LOCK({_MYSQL_CLAIM}, 0)" if self._is_mysql else f"SELECT pg_try_advisory_lock({_CLAIM})"
        if not _until(lambda: bool(self._run(statement)[0][0]), _NOTICED):
            raise HeldError("Another run is moving this database")

    def is_claimed_by(self, other: Source) -> bool:
        """Whether the session that has claimed another database has claimed this one by it, because it is the same one under another host name."""
        if self._is_mysql:
            [(holder,)] = self._run(f"SELECT IS_USED_LOCK({_MYSQL_CLAIM})")
            [(session,)] = other._run("SELECT CONNECTION_ID()")
            return holder is not None and int(holder) == int(session)
        key, number = _CLAIM.split(", ")
        of_database = "locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        holders = self._run(f"SELECT pid FROM pg_locks WHERE {of_database} AND classid = {key} AND objid = {number}")
        return other._run("SELECT pg_backend_pid()")[0] in holders

    def is_closed(self) -> bool:
        """Whether the tables are closed, or were being closed when that was interrupted."""
        if self._renames:
            return bool(self._renamed())
        if self._is_mysql:
            found = self._run("SELECT OPTIONS FROM information_schema.SCHEMATA_EXTENSIONS WHERE SCHEMA_NAME = DATABASE()")
            return bool(found) and "READ ONLY=1" in str(found[0][0])
        [(closed,)] = self._run("SELECT " + " OR ".join(f"NOT has_table_privilege('\"{name}\"', 'INSERT')" for name in _NAMES))
        return bool(closed)

    def hold(self, seconds: int) -> None:
        """Let writes wait from now on, while reads go on. HeldError when those that write already do not end within this time."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self._lock(max(1, round(deadline - time.monotonic())))
                return
            except self._connection.Error as error:
                self.release()
                if _code(error) in _DEADLOCKS and time.monotonic() < deadline:
                    continue
                if _code(error) in (*_DEADLOCKS, *_NOT_GRANTED):
                    raise HeldError(f"The lock was not granted within {seconds} s (lock_timeout), because another transaction is still writing") from None
                with snapshot.in_words(self._connection, "The tables were not locked"):
                    raise

    def release(self) -> None:
        """Let writes go on."""
        with snapshot.in_words(self._connection, "The lock was not released"):
            self._execute("UNLOCK TABLES" if self._is_mysql else "ROLLBACK")

    def close(self, another: Any) -> None:
        """Close the tables that are held, and hold them no longer. `another` is a second connection, whose transaction MySQL and MariaDB end.

        HeldError, or UnusableDatabaseError: they are not closed, and no longer held.
        """
        if self._is_mysql:
            self._close_mysql(another)
            return
        try:
            with snapshot.in_words(self._connection, "The tables were not closed"):
                owners = [str(owner) for (owner,) in self._run(f"SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE {_OF_REGISTRY}")]
                self._execute(f"REVOKE {_PRIVILEGES} ON TABLE {_quoted()} FROM {', '.join([*owners, 'CURRENT_USER'])}")
                rights = _PRIVILEGES.replace(" ", "")
                left = [name for name in _NAMES if self._run(f"SELECT has_table_privilege('\"{name}\"', '{rights}')")[0][0]]
                if left:
                    raise HeldError(
                        f"The tables cannot be closed: the user can write to {', '.join(left[:3])} as a member of another role, or because all users can"
                    )
                self._execute("COMMIT")
        except BaseException:
            self.release()
            raise

    def reopen(self) -> None:
        """Take back what `close` did, as far as it was done."""
        with snapshot.in_words(self._connection, "The tables were not opened again"):
            for statement in self.ways_back():
                self._execute(statement)

    def ways_back(self) -> list[str]:
        """The statements that open closed tables again, for people too."""
        if self._renames:
            renamed = self._renamed()
            return ["RENAME TABLE " + ", ".join(f"`{name}{SUFFIX}` TO `{name}`" for name in renamed)] if renamed else []
        if self._is_mysql:
            [(name,)] = self._run("SELECT DATABASE()")
            return [f"ALTER SCHEMA `{name.replace('`', '``')}` READ ONLY = 0"]
        owners = [str(owner) for (owner,) in self._run(f"SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE {_OF_REGISTRY}")]
        # Those that the engine gives an owner by itself are all that a registry's server has.
        statement = f"GRANT {_PRIVILEGES} ON TABLE {_quoted()} TO {', '.join(owners)}"
        return ["BEGIN READ WRITE", statement, "COMMIT"]

    def _lock(self, seconds: int) -> None:
        if self._is_mysql:
            self._execute(f"SET SESSION lock_wait_timeout = {seconds}")
            self._execute("LOCK TABLES " + ", ".join(f"`{name}` READ" for name in _NAMES))
            return
        self._execute("BEGIN READ WRITE")
        self._execute(f"SET LOCAL lock_timeout = '{seconds}s'")
        self._execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        self._execute(f"LOCK TABLE {_quoted()} IN EXCLUSIVE MODE")

    def _close_mysql(self, another: Any) -> None:
        """The statement waits for the lock, before whoever waits to write, and then the lock is released."""
        [(name,)], [(number,)] = self._run("SELECT DATABASE()"), _rows(another, "SELECT CONNECTION_ID()")
        statement = f"ALTER SCHEMA `{name.replace('`', '``')}` READ ONLY = 1"
        if self._renames:
            statement = "RENAME TABLE " + ", ".join(f"`{table}` TO `{table}{SUFFIX}`" for table in _NAMES)
        failures: list[Exception] = []

        def run() -> None:
            try:
                _rows(another, "SET SESSION lock_wait_timeout = 60")
                _rows(another, statement)
            except Exception as error:
                failures.append(error)

        closing = threading.Thread(target=run, daemon=True)
        closing.start()
        waiting = f"SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = {int(number)} AND STATE LIKE 'Waiting%'"
        try:
            _until(lambda: not closing.is_alive() or bool(self._run(waiting)), _QUEUED)
        finally:
            self.release()
            closing.join()
        if failures:
            with snapshot.in_words(self._connection, "The tables were not closed"):
                raise failures[0]

    def _renamed(self) -> list[str]:
        found = {str(name) for (name,) in self._run("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")}
        return [name for name in _NAMES if name + SUFFIX in found]

    def _execute(self, statement: str) -> None:
        _rows(self._connection, statement)

    def _run(self, statement: str) -> list[Any]:
        with snapshot.in_words(self._connection, "The database did not respond"):
            return _rows(self._connection, statement)


def stay_connected(connection: Any, is_mysql: bool) -> None:
    """Keep the server from ending a session that has nothing to do for a while, such as until the new tables are made."""
    with snapshot.in_words(connection, "The database did not respond"):
        if is_mysql:
            _rows(connection, "SET SESSION wait_timeout = 86400")
        else:
            # PostgreSQL has it from 14 on.
            _rows(connection, "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'")


_OF_REGISTRY = (
    "relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND relname::text = ANY(ARRAY[" + ", ".join(f"'{name}'" for name in _NAMES) + "])"
)


def _quoted() -> str:
    return ", ".join(f'"{name}"' for name in _NAMES)


def has_read_only(version: str) -> bool:
    """Whether a server of this version, in its own words, has databases that are read-only."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return "MariaDB" not in version and found is not None and tuple(map(int, found.groups())) >= READ_ONLY


def _rows(connection: Any, statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def _code(error: Any) -> Any:
    """MySQL's number, or PostgreSQL's code."""
    number = (error.args or ("",))[0]
    return number if isinstance(number, int) else getattr(error, "sqlstate", None)


def _until(found: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not (is_found := found()) and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    return is_found
