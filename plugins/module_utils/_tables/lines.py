# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows as lines of JSON: the statements by which each engine writes them, and the digest of a table. Pure.

The engines write the lines, because that is two to three times as fast as taking every value into Python. What they may write in more than one way is written
again here, so that equal rows are equal lines, whichever engine they come from. A column without a value is not in the line, which halves most lines.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from .. import _options
from . import layout

# Made once: the functions of `json` make them for every call.
_read = json.JSONDecoder().decode
_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_MODULUS = 1 << 256
_DIGITS = 64


class Digest:
    """The digest of a table's rows, in whatever order they come: the sum of the SHA-256 of each line."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, block: Sequence[bytes]) -> None:
        """Take rows into account, given as their lines without the line breaks."""
        # Found once: to look them up for each row takes a fifth of the time.
        sha256, number = hashlib.sha256, int.from_bytes
        self.rows += len(block)
        self._sum += sum([number(sha256(line).digest(), "big") for line in block])

    @property
    def text(self) -> str:
        """The digest in hexadecimal."""
        return f"{self._sum % _MODULUS:0{_DIGITS}x}"


def canonical(table: layout.Table) -> Callable[[list[bytes]], list[bytes]]:
    """What writes rows of a table, given as their lines, in the only way. ValueError for a line that is no JSON, TypeError for a number that is none."""
    # No table has more than one.
    double = next((column.shown for column in table.columns if column.form == layout.DOUBLE), None)

    def read_and_written(line: bytes) -> bytes:
        row: dict[str, Any] = _read(line.decode())
        if double in row and row[double] is not None:
            # MariaDB does not keep the sign of a zero.
            row[double] = float(row[double]) + 0.0
        return _write(row).encode()

    # Engines differ in what they escape and how, but they all do it with this character.
    if double is None:
        return lambda block: [read_and_written(line) if b"\\" in line else line for line in block]
    key = b'"%s":' % double.encode()
    number = re.compile(key + rb'"?(-?(?:[0-9][-+.0-9eE]*|Infinity|NaN))"?')

    def written(found: re.Match[bytes]) -> bytes:
        value = float(found[1]) + 0.0
        return key + (repr(value) if math.isfinite(value) else _write(value)).encode()

    def with_numbers(text: bytes) -> bytes:
        # Without that character there is no quote in a text, so that what looks like the name of a column is one.
        return number.sub(written, text)

    def all_canonical(block: list[bytes]) -> list[bytes]:
        # Most blocks need one call for all of their lines.
        text = b"\n".join(block)
        if b"\\" not in text:
            return with_numbers(text).split(b"\n")
        return [read_and_written(line) if b"\\" in line else with_numbers(line) for line in block]

    return all_canonical


def statement(table: layout.Table, kind: str, suffix: str = "") -> str:
    """The statement that reads each row of a table as one line, in the type of database `kind`. `suffix` is what the names of all tables end with."""
    is_mysql = kind == _options.MYSQL
    quote = "`" if is_mysql else '"'
    of_type = [column for column in table.columns if column.form == layout.TYPE]
    # A row whose type is missing is read too, and found by that.
    joins = "".join(f" LEFT JOIN {quote}Type{suffix}{quote} of_{column.shown} ON of_{column.shown}.id = t.{column.name}" for column in of_type)
    parts = []
    for number, column in enumerate(table.columns):
        name = f"of_{column.shown}.name" if column.form == layout.TYPE else f"t.{quote}{column.name}{quote}"
        value = (_mysql_value if is_mysql else _postgresql_value)(column.form, name)
        # The first one is always there, so that each of the others begins with a comma.
        key = f"""'{"," if number else "{"}"{column.shown}":'"""
        without = "''" if number else f"{key[:-1]}null'"
        if column.form == layout.TRUTH:
            parts.append(f"CASE WHEN {name} THEN {key[:-1]}true' WHEN NOT {name} THEN {key[:-1]}false' ELSE {without} END")
            continue
        # What MySQL makes of a value that is too large is NULL too, and must not be taken for a column without one.
        parts.append(f"IF({name} IS NULL, {without}, CONCAT({key}, {value}))" if is_mysql else f"COALESCE({key} || {value}, {without})")
    # The functions of PostgreSQL that make JSON of a row take a third longer.
    line = f"CONCAT({', '.join(parts)}, '}}')" if is_mysql else f"{' || '.join(parts)} || '}}'"
    return f"SELECT {line} FROM {quote}{table.name}{suffix}{quote} t{joins}"


def _mysql_value(form: str, name: str) -> str:
    if form == layout.BYTES:
        # The line breaks of base64.
        return f"CONCAT('\"', REPLACE(TO_BASE64({name}), CHAR(10), ''), '\"')"
    return f"JSON_QUOTE({name})" if form in (layout.TEXT, layout.TYPE) else name


def _postgresql_value(form: str, name: str) -> str:
    if form == layout.BYTES:
        return f"'\"' || translate(encode({name}, 'base64'), chr(10), '') || '\"'"
    return f"to_json({name})::text" if form in (layout.TEXT, layout.TYPE) else f"{name}::text"
