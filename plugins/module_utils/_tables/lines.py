# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows as lines of JSON: the statements by which each engine writes them, and the digest of a table. Pure.

The engines write the lines, because that is two to three times as fast as taking every value into Python. What they may write in more than one way is written
again here, so that equal rows are equal lines, whichever engine they come from.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
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

    def add(self, line: bytes) -> None:
        """Take a row into account, given as its line without the line break."""
        self.rows += 1
        self._sum += int.from_bytes(hashlib.sha256(line).digest(), "big")

    @property
    def text(self) -> str:
        """The digest in hexadecimal."""
        return f"{self._sum % _MODULUS:0{_DIGITS}x}"


def canonical(table: layout.Table) -> Callable[[bytes], bytes]:
    """What writes a row of a table, given as its line, in the only way. ValueError, KeyError or TypeError for another line."""
    doubles = [column.shown for column in table.columns if column.form == layout.DOUBLE]
    known = [(b'"%s":null' % name.encode(), re.compile(rb'"%s":(-?[0-9][-+.0-9eE]*)' % name.encode())) for name in doubles]

    def read_and_written(line: bytes) -> bytes:
        row: dict[str, Any] = _read(line.decode())
        for name in doubles:
            if row[name] is not None:
                # MariaDB does not keep the sign of a zero.
                row[name] = float(row[name]) + 0.0
        return _write(row).encode()

    def written(line: bytes) -> bytes:
        # Engines differ in what they escape and how, but they all do it with this character.
        if b"\\" in line:
            return read_and_written(line)
        # Without it there is no quote in a text, so that what looks like the name of a column is one.
        for null, pattern in known:
            if null not in line:
                number = pattern.search(line)
                if not number:
                    return read_and_written(line)
                line = line[: number.start(1)] + repr(float(number[1]) + 0.0).encode() + line[number.end() :]
        return line

    return written


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
        parts += [f"""'{"," if number else "{"}"{column.shown}":'""", f"COALESCE({value}, 'null')"]
    # The functions of PostgreSQL that make JSON of a row take a third longer.
    line = f"CONCAT({', '.join(parts)}, '}}')" if is_mysql else f"{' || '.join(parts)} || '}}'"
    return f"SELECT {line} FROM {quote}{table.name}{suffix}{quote} t{joins}"


def _mysql_value(form: str, name: str) -> str:
    if form == layout.TRUTH:
        return f"CASE WHEN {name} THEN 'true' WHEN NOT {name} THEN 'false' END"
    if form == layout.BYTES:
        # The line breaks of base64.
        return f"CONCAT('\"', REPLACE(TO_BASE64({name}), CHAR(10), ''), '\"')"
    return f"JSON_QUOTE({name})" if form in (layout.TEXT, layout.TYPE) else name


def _postgresql_value(form: str, name: str) -> str:
    if form == layout.BYTES:
        return f"'\"' || translate(encode({name}, 'base64'), chr(10), '') || '\"'"
    return f"to_json({name})::text" if form in (layout.TEXT, layout.TYPE) else f"{name}::text"
