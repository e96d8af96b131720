# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a registry's database, all tables as they were at one moment. It writes nothing, and waits for nobody; nobody waits for it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from .. import _errors, _options, _texts
from . import layout, lines

# MySQL gives up a connection whose rows are not taken for this long: the archive may be written to a slow disk.
_PATIENCE = 3600
_LONGEST_TEXT = 300
# How many bytes of rows are worth it to be handled together.
_BLOCK = 1 << 18
# Of MySQL's protocol: the size of a packet that goes on in the next one, and how the packet of a row with one column begins that is not a short text; how many
# bytes then say how long the text is.
_PACKET = (1 << 24) - 1
_NULL, _ERROR = 0xFB, 0xFF
_LENGTHS = {0xFC: 2, 0xFD: 3, 0xFE: 8}
_BEGIN = {
    _options.MYSQL: (
        # The second limit is MySQL's, the third MariaDB's.
        f"SET SESSION net_write_timeout = {_PATIENCE} /*!50708 , max_execution_time = 0 */ /*M!100100 , max_statement_time = 0 */",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ),
    # The moment is that of the first statement that reads. Doubles are written with all of their digits.
    _options.POSTGRESQL: (
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "SET LOCAL extra_float_digits = 3",
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL idle_in_transaction_session_timeout = 0",
        "SELECT 1",
    ),
}
_COLUMNS = {
    _options.MYSQL: "SELECT t.table_name, column_name FROM information_schema.tables t JOIN information_schema.columns c USING (table_schema, table_name)"
    " WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'",
    _options.POSTGRESQL: "SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
    " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped",
}


class UnusableDatabaseError(_errors.ReportedError):
    """A database is not that of a registry, or it cannot be copied as it is."""


class Snapshot:
    """A registry's database at one moment."""

    def __init__(self, connection: Any, kind: str, suffix: str = "") -> None:
        self._connection, self._kind, self._suffix = connection, kind, suffix
        # Around names.
        self.quote = "`" if kind == _options.MYSQL else '"'
        # Whether there are rows of a table that were not taken.
        self.is_interrupted = False

    def schema_version(self) -> int:
        """Which migration was the last one. UnusableDatabaseError when it was interrupted, or there was none."""
        tables = self.columns()
        found = self.first(f"SELECT version, dirty FROM {layout.MIGRATIONS} LIMIT 1") if layout.MIGRATIONS in tables else None
        if not found and "Artifact" in tables:
            raise UnusableDatabaseError("The tables are those of a product version before OpenShift AI 2.22. Update the product first")
        if not found:
            raise UnusableDatabaseError("The database does not have the tables of a model registry")
        if found[1]:
            raise UnusableDatabaseError(f"The migration of the database to version {found[0]} was interrupted: the schema is dirty")
        return int(found[0])

    def server_version(self) -> str:
        """The version of the database server, in its own words."""
        row = self.first("SELECT VERSION()" if self._kind == _options.MYSQL else "SHOW server_version")
        return str(row[0]) if row else ""

    def need_registry(self) -> None:
        """UnusableDatabaseError when the database has something that a registry's does not have, or lacks something that it has."""
        found = self.columns()
        if strange := layout.foreign(found):
            raise UnusableDatabaseError(f"The database also contains objects that do not belong to a model registry: {_listed(strange)}")
        if lacking := layout.missing(found):
            raise UnusableDatabaseError(f"The database does not have all tables of a model registry. Missing: {_listed(lacking)}")
        twice = self._all(f"SELECT name FROM {self.quote}Type{self._suffix}{self.quote} GROUP BY name HAVING COUNT(*) > 1")
        if twice:
            raise UnusableDatabaseError(f"The table Type has rows with the same name: {_listed([str(name) for (name,) in twice])}")

    def columns(self) -> dict[str, list[str]]:
        """The columns of each table."""
        found: dict[str, list[str]] = {}
        for table, column in self._all(_COLUMNS[self._kind]):
            name = table[: -len(self._suffix)] if self._suffix and table.endswith(self._suffix) else table
            found.setdefault(name, []).append(column)
        return found

    def rows(self, table: layout.Table) -> Iterator[bytes]:
        """The rows of a table, each as one line of JSON without the line break. They are not kept in memory."""
        return itertools.chain.from_iterable(self.blocks(table))

    def blocks(self, table: layout.Table) -> Iterator[list[bytes]]:
        """The same rows, as many at a time as can be kept in memory."""
        read, canonical = _mysql_blocks if self._kind == _options.MYSQL else _postgresql_blocks, lines.canonical(table)
        self.is_interrupted = True
        with in_words(self._connection, f"The table {table.name} was not read completely"):
            for block in read(self._connection, table, lines.statement(table, self._kind, self._suffix)):
                try:
                    rows = canonical(block)
                except (ValueError, TypeError):
                    raise UnusableDatabaseError(f"The table {table.name} has a row that is not valid") from None
                yield rows
        self.is_interrupted = False

    def first(self, statement: str) -> Any:
        """The first row of what a statement finds; None when it finds nothing."""
        return next(iter(self._all(statement)), None)

    def _all(self, statement: str) -> list[Any]:
        with in_words(self._connection, "The database did not respond"), self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())


@contextmanager
def in_words(connection: Any, what: str) -> Iterator[None]:
    """Whatever a database refuses, or a connection that is lost, as an error for people."""
    try:
        yield
    except (connection.Error, OSError) as error:
        raise UnusableDatabaseError(f"{what}: {_texts.line(str(error), _LONGEST_TEXT) or type(error).__name__}") from None


@contextmanager
def snapshot(connection: Any, kind: str, suffix: str = "") -> Iterator[Snapshot]:
    """The database of an open connection (PyMySQL, psycopg), which is in no transaction before and after.

    A connection that is left in the middle of a table is closed: a rollback would wait for the rest of its rows, and psycopg would wait without end. `suffix`
    is what the names of a registry's tables end with while they are renamed.
    """
    with connection.cursor() as cursor:
        for statement in _BEGIN[kind]:
            cursor.execute(statement)
    taken = Snapshot(connection, kind, suffix)
    try:
        yield taken
    finally:
        # Of a connection that is lost there is nothing to end.
        with contextlib.suppress(connection.Error, OSError):
            if taken.is_interrupted:
                connection.close()
            else:
                connection.rollback()


def _mysql_blocks(connection: Any, table: layout.Table, statement: str) -> Iterator[list[bytes]]:
    # Loaded already, by whoever connected.
    import pymysql.cursors

    cursor = connection.cursor(pymysql.cursors.SSCursor)
    cursor.execute(statement)
    try:
        yield from in_blocks(_mysql_rows(connection, table))
    except BaseException:
        with contextlib.suppress(connection.Error, OSError):
            connection.close()
        raise
    finally:
        # PyMySQL would take the rest of the rows first, even from a connection that is lost.
        cursor._result.unbuffered_active = False
    cursor.close()


def _mysql_rows(connection: Any, table: layout.Table) -> Iterator[bytes]:
    """The rows of a result with one column, from the packets of the protocol: what PyMySQL does with each one takes longer than the server does."""
    import pymysql.err

    read = connection._read_bytes
    while True:
        size = _PACKET
        row = b""
        while size == _PACKET:
            size = int.from_bytes(read(4)[:3], "little")
            row += read(size)
        kind = row[0]
        if kind < _NULL:
            yield row[1:]
        elif kind in _LENGTHS and len(row) > _LENGTHS[kind]:
            yield row[1 + _LENGTHS[kind] :]
        elif kind == _NULL:
            raise UnusableDatabaseError(f"A row of the table {table.name} is larger than max_allowed_packet of the database. Increase max_allowed_packet")
        elif kind == _ERROR:
            pymysql.err.raise_mysql_exception(row)
        else:
            return


def _postgresql_blocks(connection: Any, _table: layout.Table, statement: str) -> Iterator[list[bytes]]:
    """What has arrived comes straight from libpq, without what psycopg does with each row, which takes three times as long. psycopg waits for more."""
    arrived = connection.pgconn.get_copy_data
    text = bytearray()
    with connection.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT") as copy:
        for first in copy:
            size, row = len(first), first
            while size > 0:
                text += row
                if len(text) >= _BLOCK:
                    yield _postgresql_lines(text)
                    text.clear()
                size, row = arrived(1)
            if size < 0:
                for result in list(iter(connection.pgconn.get_result, None)):
                    if result.error_message:
                        raise connection.OperationalError(result.error_message.decode(errors="replace"))
                break
        if text:
            yield _postgresql_lines(text)


def _postgresql_lines(text: bytearray) -> list[bytes]:
    # COPY doubles backslashes. The other characters that it would escape are not in a line of JSON.
    found = bytes(text).replace(b"\\\\", b"\\").split(b"\n")
    # What is after the last line break.
    found.pop()
    return found


def in_blocks(rows: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Rows, as many at a time as have a size that is worth the effort."""
    block, size = [], 0
    for row in rows:
        block.append(row)
        size += len(row)
        if size >= _BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _listed(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
