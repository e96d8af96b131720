# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes rows into the database of a registry that is empty, in one transaction: all of them, proven by reading them back, or none.

The types of the target stay as they are, and those that it lacks are added: a server that runs has read their numbers, and one refuses to start where a
property has another type than it declares. Meanwhile nobody else can write, and everybody can read.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .. import _options, _texts
from . import layout, lines, snapshot, values

# What every migrated database has rows in. They say what the things in the others are.
TYPES = ("Type", "TypeProperty", "ParentType")
METADATA_VERSION = "MLMDEnv"
COPIED = tuple(table for table in layout.TABLES if table.name not in (*TYPES, METADATA_VERSION))
# The rows that PostgreSQL keeps only while these others are there: the column, and the table of the row that it names.
OWNERS = {
    "ContextProperty": (("context_id", "Context"),),
    "ExecutionProperty": (("execution_id", "Execution"),),
    "ArtifactProperty": (("artifact_id", "Artifact"),),
    "Association": (("context_id", "Context"), ("execution_id", "Execution")),
    "Attribution": (("context_id", "Context"), ("artifact_id", "Artifact")),
}
# By which texts MySQL takes rows for the same, beside numbers.
_KEYS = (
    ("type_id", "name"),
    ("external_id",),
    *((f"{owner}_id", "name", "is_custom_property") for owner in ("context", "execution", "artifact")),
)
_DUPLICATE = 1062
_VIEWS = ("context_property_options", "artifact_property_options")
# How long others that write are waited for, in seconds.
_PATIENCE = 10
_BATCH = 1 << 20
_LONGEST_NAME = 100
# After the columns, in the statement that makes a table.
_COUNTER = re.compile(r"\n\) ENGINE=\w+ AUTO_INCREMENT=(\d+)")
_BEGIN = {
    _options.MYSQL: (
        # Some modes change what a backslash means, store what does not fit, or give a row another number.
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'",
        f"SET SESSION innodb_lock_wait_timeout = {_PATIENCE}, lock_wait_timeout = {_PATIENCE}",
        "SET SESSION wait_timeout = 3600, net_read_timeout = 3600, net_write_timeout = 3600"
        " /*!50708 , max_execution_time = 0 */ /*M!100100 , max_statement_time = 0 */",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION READ WRITE",
        # One after the other, where two want to load.
        f"SELECT schema_version FROM {METADATA_VERSION} FOR UPDATE",
    ),
    _options.POSTGRESQL: (
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
        "SET LOCAL extra_float_digits = 3",
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL idle_in_transaction_session_timeout = 0",
        f"SET LOCAL lock_timeout = '{_PATIENCE}s'",
        "LOCK TABLE " + ", ".join('"' + table.name + '"' for table in layout.TABLES) + " IN SHARE ROW EXCLUSIVE MODE",
    ),
}


# The rows of a table, from the first one again each time: as lines, many at a time, such as `Snapshot.blocks` and `archive.Reader.blocks` have them.
Blocks = Callable[[layout.Table], Iterable[list[bytes]]]


class NotEmptyError(snapshot.UnusableDatabaseError):
    """A database has rows already. `tables` names the tables that do."""

    def __init__(self, tables: list[str]) -> None:
        self.tables = tables
        super().__init__(f"The database is not empty: there are rows in {', '.join(tables)}. Only an empty database can be loaded")


class UnloadableError(snapshot.UnusableDatabaseError):
    """Rows cannot be stored in this database as they are. The text names them."""


class ChangedError(snapshot.UnusableDatabaseError):
    """A database was written to by somebody else after it was loaded."""


@dataclass
class Loaded:
    """What was written."""

    # Of the types, those that the database lacked.
    digests: dict[str, lines.Digest] = field(default_factory=dict)
    # How many orphaned rows were omitted, by table.
    orphans: Counter[str] = field(default_factory=Counter)
    # In seconds.
    writing: float = 0.0
    verifying: float = 0.0
    warnings: list[str] = field(default_factory=list)


def occupied(taken: snapshot.Snapshot) -> list[str]:
    """The tables with rows, apart from those that have some in every migrated database."""
    quote = taken.quote
    return [table.name for table in COPIED if taken.first(f"SELECT * FROM {quote}{table.name}{quote} LIMIT 1")]


def differing(taken: snapshot.Snapshot, rows: Mapping[str, int], digests: Mapping[str, str]) -> list[str]:
    """The tables of a database that do not have just these rows, by their number and digest."""
    quote = taken.quote
    for table in COPIED:
        if taken.first(f"SELECT COUNT(*) FROM {quote}{table.name}{quote}")[0] != rows[table.name]:
            return [table.name]
    return [table.name for table in COPIED if _digest(taken.blocks(table)).text != digests[table.name]]


def load(
    connection: Any,
    kind: str,
    blocks: Blocks,
    leave_out_orphans: bool = False,
    commit: bool = True,
    told: Callable[[str], None] = lambda _what: None,
    before_commit: Callable[[], None] = lambda: None,
) -> Loaded:
    """Write rows into the database of an open connection (PyMySQL, psycopg), which is in no transaction before and after.

    NotEmptyError; UnloadableError with all rows that cannot be written; UnusableDatabaseError. Then nothing was written. Without `commit` nothing is written
    either. `told` is called before each table is written, and before each one is read back; what it raises ends the loading,
    and so does what `before_commit` raises, which is called once everything is written and proven.
    """
    loading = _Loading(connection, kind, blocks, told)
    with snapshot.in_words(connection, "The database was not loaded"):
        loading.prove_target()
        with loading.transaction(commit):
            loading.write(leave_out_orphans)
            loading.verify()
            before_commit()
    loading.refresh_views(commit)
    return loading.loaded


def to_load(blocks: Blocks, kind: str, leave_out_orphans: bool) -> tuple[Counter[str], dict[str, lines.Digest]]:
    """What `load` would write into a type of database, by table, and how many rows it would leave out. UnloadableError for what is not a row."""
    orphans, kept, digests = Counter[str](), _Kept(kind == _options.MYSQL), {}
    for table in COPIED:
        digest = digests[table.name] = lines.Digest()
        for block in blocks(table):
            is_orphan = kept.are_orphans(table, _rows(table, block)) if leave_out_orphans else [False] * len(block)
            if any(is_orphan):
                orphans[table.name] += sum(is_orphan)
            digest.add([line for line, is_left_out in zip(block, is_orphan) if not is_left_out])
    return orphans, digests


def prove_unchanged(taken: snapshot.Snapshot, rows: Mapping[str, int], digests: Mapping[str, str]) -> None:
    """ChangedError where a database does not have just these rows."""
    changed = differing(taken, rows, digests)
    if changed:
        raise ChangedError(f"The database has been written to since it was loaded: table {', '.join(changed)} has other rows")


def empty(connection: Any, kind: str, rows: Mapping[str, int], digests: Mapping[str, str]) -> None:
    """Delete the rows that were loaded, in one transaction. ChangedError where there are others by now, and UnusableDatabaseError: then they all stay."""
    taken = snapshot.Snapshot(connection, kind)
    with snapshot.in_words(connection, "The database was not emptied"):
        try:
            for statement in _BEGIN[kind]:
                _execute(connection, statement)
            prove_unchanged(taken, rows, digests)
            for table in reversed(COPIED):
                _execute(connection, f"DELETE FROM {taken.quote}{table.name}{taken.quote}")
            connection.commit()
        except BaseException:
            with contextlib.suppress(connection.Error, OSError):
                connection.rollback()
            raise


def _execute(connection: Any, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


class _Loading:
    """One run of `load`."""

    def __init__(self, connection: Any, kind: str, blocks: Blocks, told: Callable[[str], None]) -> None:
        self._connection, self._kind, self._blocks, self._told = connection, kind, blocks, told
        self._target = snapshot.Snapshot(connection, kind)
        self._is_mysql = kind == _options.MYSQL
        self._types: dict[str, int] = {}
        self._trouble = _Trouble()
        self._kept = _Kept(self._is_mysql)
        self.loaded = Loaded()

    def prove_target(self) -> None:
        self._target.schema_version()
        self._target.need_registry()

    @contextmanager
    def transaction(self, commit: bool) -> Iterator[None]:
        is_written = False
        counters: dict[str, int] = {}
        try:
            with snapshot.in_words(self._connection, "The database was not locked for writing"):
                for statement in _BEGIN[self._kind]:
                    self._run(statement)
            # From here on nobody else writes: reading an empty table of MySQL in this way locks it.
            found = [table.name for table in COPIED if self._target.first(f"SELECT * FROM {self._name(table)} LIMIT 1{' FOR UPDATE' * self._is_mysql}")]
            if found:
                raise NotEmptyError(found)
            counters = self._counters()
            yield
            if commit:
                with snapshot.in_words(self._connection, "The rows were not written, or it is not known that they were. Run the task again"):
                    self._set_counters()
                    self._connection.commit()
                    is_written = True
        finally:
            # Of a connection that is lost there is nothing to end.
            with contextlib.suppress(self._connection.Error, OSError):
                if not is_written:
                    self._connection.rollback()
                # To change one takes longer than to read it. 1 stands for the lowest that is free.
                wanted = dict.fromkeys((name for name, number in counters.items() if number > 1), 1) if is_written else counters
                now = {} if is_written else self._counters()
                for name in [name for name, number in wanted.items() if now.get(name) != number]:
                    self._run(f"ALTER TABLE {self._name(layout.BY_NAME[name])} AUTO_INCREMENT = {wanted[name]}")

    def write(self, leave_out_orphans: bool) -> None:
        started = time.monotonic()
        self._compare_metadata_version()
        self._add_types()
        for table in COPIED:
            self._told(f"writing table {table.name}")
            self._store(table, self._blocks(table))
        self.loaded.orphans = self._trouble.orphans
        if text := " ".join(self._trouble.texts(self._is_mysql, leave_out_orphans)):
            raise UnloadableError(text)
        self.loaded.writing = time.monotonic() - started

    def verify(self) -> None:
        started = time.monotonic()
        for table in COPIED:
            self._told(f"verifying table {table.name}")
            found, sent = _digest(self._target.blocks(table)), self.loaded.digests[table.name]
            if (found.rows, found.text) != (sent.rows, sent.text):
                raise UnloadableError(
                    f"The database did not store the rows of table {table.name} without changes: {sent.rows} were written, {found.rows} were read"
                )
        self.loaded.verifying = time.monotonic() - started

    def refresh_views(self, commit: bool) -> None:
        """What the server of the catalog reads of them is as old as they are."""
        if self._is_mysql or not commit:
            return
        try:
            self._connection.execute("SET default_transaction_read_only = off")
            for (name,) in self._run("SELECT matviewname FROM pg_matviews WHERE schemaname = current_schema()"):
                if name in _VIEWS:
                    self._connection.execute(f"REFRESH MATERIALIZED VIEW {name}")
        except (self._connection.Error, OSError) as error:
            self.loaded.warnings.append(f"the filter options of the database were not refreshed: {_texts.line(str(error), _LONGEST_NAME)}")

    def _name(self, table: layout.Table) -> str:
        return f"{self._target.quote}{table.name}{self._target.quote}"

    def _run(self, statement: str | bytes) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    def _compare_metadata_version(self) -> None:
        table = layout.BY_NAME[METADATA_VERSION]
        theirs, ours = sorted(itertools.chain.from_iterable(self._blocks(table))), sorted(self._target.rows(table))
        if theirs != ours:
            raise UnloadableError(f"The rows belong to another schema: table {METADATA_VERSION} of the database has other rows")

    def _add_types(self) -> None:
        """Add what the target lacks, and learn the numbers of its types."""
        table = layout.BY_NAME["Type"]
        known = dict(self._run(f"SELECT name, type_kind FROM {self._name(table)}"))
        lacking = []
        for block in self._blocks(table):
            for line, row in zip(block, _rows(table, block)):
                [name] = _key(table, row, ["name"])
                if name not in known:
                    known[name] = row.get("type_kind")
                    lacking.append(line)
                elif known[name] != row.get("type_kind"):
                    raise UnloadableError(f"The type {_clipped(name)} has another kind in the database")
        self._store(table, [lacking])
        self._types = {str(name): int(number) for name, number in self._run(f"SELECT name, id FROM {self._name(table)}")}
        for table in (layout.BY_NAME["TypeProperty"], layout.BY_NAME["ParentType"]):
            names = [column.shown for column in table.columns[:2]]
            # All of them first: the connection cannot be used for anything else while there are more.
            present = {_key(table, row, names) for block in list(self._target.blocks(table)) for row in _rows(table, block)}
            found = [(line, row) for block in self._blocks(table) for line, row in zip(block, _rows(table, block))]
            self._store(table, [[line for line, row in found if _key(table, row, names) not in present]])

    def _store(self, table: layout.Table, found: Iterable[list[bytes]]) -> None:
        """Write the rows of a table that can be written, and note the others."""
        with snapshot.in_words(self._connection, f"The table {table.name} was not written"):
            (self._insert if self._is_mysql else self._copy)(table, found)

    def _encoded(self, table: layout.Table, found: Iterable[list[bytes]]) -> Iterator[tuple[bytes, list[bytes]]]:
        """The rows of a table that can be written: their lines, and their values."""
        encoding = values.Encoding(table, self._kind, self._types)
        digest = self.loaded.digests[table.name] = lines.Digest()
        for block in found:
            rows = _rows(table, block)
            is_orphan = self._kept.are_orphans(table, rows)
            if any(is_orphan):
                self._trouble.orphans[table.name] += sum(is_orphan)
            kept = [(line, row) for line, row, is_left_out in zip(block, rows, is_orphan) if not is_left_out]
            digest.add([line for line, _row in kept])
            for line, row in kept:
                try:
                    try:
                        fields = encoding.fields(row)
                    except values.UnstorableError:
                        self._trouble.unstorable.setdefault(table.name, _Listed()).add(_named(row))
                        # It goes on, to find them all.
                        fields = encoding.fields(values.storable(row))
                except (ValueError, LookupError):
                    raise _not_understood(table) from None
                yield line, fields

    def _copy(self, table: layout.Table, found: Iterable[list[bytes]]) -> None:
        rows = (b"\t".join(fields) for _line, fields in self._encoded(table, found))
        with self._connection.cursor() as cursor, cursor.copy(f"COPY {self._name(table)} ({_columns(table)}) FROM STDIN") as copy:
            for block in snapshot.in_blocks(rows):
                copy.write(b"\n".join((*block, b"")))

    def _insert(self, table: layout.Table, found: Iterable[list[bytes]]) -> None:
        [(largest,)] = self._run("SELECT @@max_allowed_packet")
        head = f"INSERT INTO {self._name(table)} ({_columns(table)}) VALUES ".encode()
        limit = min(_BATCH, largest // 2)
        kept: list[tuple[bytes, bytes]] = []
        size = 0
        # The database writes rows while the next ones are prepared.
        with ThreadPoolExecutor(1) as beside:
            written: Future[None] | None = None
            try:
                for line, fields in self._encoded(table, found):
                    row = b"(" + b",".join(fields) + b")"
                    if len(head) + len(row) + 1 > largest:
                        raise UnloadableError(
                            f"A row of table {table.name} is larger than max_allowed_packet of the database ({largest}). Increase max_allowed_packet"
                        )
                    if kept and size + len(row) > limit:
                        if written:
                            written.result()
                        written = beside.submit(self._insert_all, table, head, kept)
                        kept, size = [], 0
                    kept.append((line, row))
                    size += len(row) + 1
            finally:
                # What is wrong with these rows is told, whatever is wrong with the ones after them.
                if written:
                    written.result()
        if kept:
            self._insert_all(table, head, kept)

    def _insert_all(self, table: layout.Table, head: bytes, kept: list[tuple[bytes, bytes]]) -> None:
        try:
            self._run(head + b",".join([row for _line, row in kept]))
        except self._connection.Error as error:
            if error.args[:1] != (_DUPLICATE,):
                raise
            for line, row in kept:
                self._insert_one(table, head + row, line)

    def _insert_one(self, table: layout.Table, statement: bytes, line: bytes) -> None:
        try:
            self._run(statement)
        except self._connection.Error as error:
            if error.args[:1] != (_DUPLICATE,):
                raise
            self._trouble.pairs.add(f"{table.name}: {self._pair(table, line)}")

    def _pair(self, table: layout.Table, line: bytes) -> str:
        """A row, and the one that MySQL takes for the same."""
        [row] = _rows(table, [line])
        encoded = dict(zip((column.name for column in table.columns), values.Encoding(table, self._kind, self._types).fields(row)))
        for key in _KEYS:
            if all(name in encoded and encoded[name] != b"NULL" for name in key):
                where = b" AND ".join(b"`%s` = %s" % (name.encode(), encoded[name]) for name in key)
                shown = next(name for name in ("name", "external_id") if name in key)
                found = self._run(f"SELECT `{shown}` FROM {self._name(table)} WHERE ".encode() + where + b" LIMIT 1")
                if found:
                    return f"{_clipped(found[0][0])} and {_clipped(row[shown])}" + (f" of {key[0]} {row[key[0]]}" if key[0] in row and len(key) > 2 else "")
        return f"{_named(row)} twice"

    def _set_counters(self) -> None:
        """PostgreSQL counts on from where it was. It does not take this back with the transaction, so that it is the last thing to do."""
        for table in () if self._is_mysql else COPIED:
            if table.counter:
                highest = f"SELECT setval(pg_get_serial_sequence('{self._name(table)}', 'id'), max(id)) FROM {self._name(table)} HAVING max(id) IS NOT NULL"
                self._run(highest)

    def _counters(self) -> dict[str, int]:
        """From where each table of MySQL counts on, by its name. MySQL does not take this back with the rows: it counts on from the highest that ever was."""
        found = {}
        for table in COPIED if self._is_mysql else ():
            if table.counter:
                [(_name, statement)] = self._run(f"SHOW CREATE TABLE {self._name(table)}")
                number = _COUNTER.search(str(statement))
                found[table.name] = int(number[1]) if number else 1
        return found


class _Listed:
    """Rows of which the first are named, however many they are."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[str] = []

    def add(self, name: str) -> None:
        self.count += 1
        if self.count <= _texts.SHOWN:
            self._first.append(name)

    @property
    def text(self) -> str:
        return "; ".join(self._first) + (f"; and {self.count - len(self._first)} more" if self.count > len(self._first) else "")


@dataclass
class _Trouble:
    """Rows that cannot be written."""

    orphans: Counter[str] = field(default_factory=Counter)
    unstorable: dict[str, _Listed] = field(default_factory=dict)
    pairs: _Listed = field(default_factory=_Listed)

    def texts(self, is_mysql: bool, leave_out_orphans: bool) -> Iterator[str]:
        """What people have to know of them."""
        if self.orphans and not leave_out_orphans:
            numbers = ", ".join(f"{table}: {number}" for table, number in self.orphans.items())
            yield f"Rows belong to objects that do not exist ({numbers}). The registry does not show them. To load everything else, set skip_orphans to true."
        for table, rows in self.unstorable.items():
            what = "a number that is not finite, which MySQL" if is_mysql else "a null character, which PostgreSQL"
            yield f"Rows of table {table} have {what} cannot store: {rows.text}."
        if self.pairs.count:
            yield f"MySQL considers names that differ only in case, accents or trailing blanks to be equal: {self.pairs.text}."


class _Kept:
    """The rows that others may belong to, table after table."""

    def __init__(self, is_mysql: bool) -> None:
        # MySQL does not miss what a row belongs to.
        self._owners = {} if is_mysql else {owner: _Numbers() for owners in OWNERS.values() for _column, owner in owners}

    def are_orphans(self, table: layout.Table, rows: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Whether there is nothing that a row belongs to, of each. If there is, others may belong to it."""
        types = [column.shown for column in table.columns if column.form == layout.TYPE]
        owners = [(column, self._owners[owner]) for column, owner in OWNERS.get(table.name, ())] if self._owners else []
        found = [any(row.get(name) is None for name in types) or any(row.get(column) not in known for column, known in owners) for row in rows]
        if table.name in self._owners:
            for row, is_orphan in zip(rows, found):
                if not is_orphan and isinstance(row.get("id"), int):
                    self._owners[table.name].add(row["id"])
        return found


class _Numbers:
    """A set of the numbers of rows, which are mostly close together."""

    def __init__(self) -> None:
        self._parts: dict[int, bytearray] = {}

    def add(self, number: int) -> None:
        part = self._parts.get(number >> 13)
        if part is None:
            part = self._parts[number >> 13] = bytearray(1 << 10)
        part[number >> 3 & 1023] |= 1 << (number & 7)

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        part = self._parts.get(number >> 13)
        return part is not None and bool(part[number >> 3 & 1023] >> (number & 7) & 1)


def _digest(blocks: Iterable[list[bytes]]) -> lines.Digest:
    digest = lines.Digest()
    for block in blocks:
        digest.add(block)
    return digest


def _columns(table: layout.Table) -> str:
    # The words that SQL knows are no names of columns.
    return ", ".join(column.name for column in table.columns)


def _rows(table: layout.Table, block: Sequence[bytes]) -> list[dict[str, Any]]:
    try:
        return values.rows_of(table, block)
    # Values in each other without end.
    except (ValueError, RecursionError):
        raise _not_understood(table) from None


def _key(table: layout.Table, row: Mapping[str, Any], names: list[str]) -> tuple[str | None, ...]:
    """The texts by which a row is known."""
    key = tuple(row.get(name) for name in names)
    if not all(value is None or isinstance(value, str) for value in key):
        raise _not_understood(table)
    return key


def _not_understood(table: layout.Table) -> UnloadableError:
    return UnloadableError(f"A row of table {table.name} is not valid")


def _clipped(value: Any) -> str:
    return repr(_texts.line(str(value), _LONGEST_NAME))


def _named(row: Mapping[str, Any]) -> str:
    """By what people find a row."""
    keys = ["id"] if "id" in row else list(row)[:2]
    return " and ".join(f"{key} {_clipped(row[key]) if isinstance(row[key], str) else row[key]}" for key in keys)
