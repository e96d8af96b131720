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

# Engines differ in how they escape these characters.
_ESCAPED = re.compile(rb"[\x00-\x1f\\]")
# Made once: the functions of `json` make them for every call.
_read = json.JSONDecoder(strict=False).decode
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
    nulls = [b'"%s":null' % name.encode() for name in doubles]
    is_escaped = _ESCAPED.search

    def written(line: bytes) -> bytes:
        # A loop over what are one or none costs more than all of the rest.
        if not is_escaped(line) and (not nulls or (nulls[0] in line and all(null in line for null in nulls[1:]))):
            return line
        row: dict[str, Any] = _read(line.decode())
        for name in doubles:
            if row[name] is not None:
                # MariaDB does not keep the sign of a zero.
                row[name] = float(row[name]) + 0.0
        return _write(row).encode()

    return written


def statement(table: layout.Table, kind: str, suffix: str = "") -> str:
    """The statement that reads each row of a table as one line, in the type of database `kind`. `suffix` is what the names of all tables end with."""
    quote = "`" if kind == _options.MYSQL else '"'
    of_type = [column for column in table.columns if column.form == layout.TYPE]
    # A row whose type is missing is read too, and found by that.
    joins = "".join(f" LEFT JOIN {quote}Type{suffix}{quote} of_{column.shown} ON of_{column.shown}.id = t.{column.name}" for column in of_type)
    source = f"FROM {quote}{table.name}{suffix}{quote} t{joins}"
    if kind == _options.MYSQL:
        parts = [f"""'{"," if number else "{"}"{column.shown}":', {_mysql_value(column)}""" for number, column in enumerate(table.columns)]
        return f"SELECT CONCAT({', '.join(parts)}, '}}') {source}"
    columns = ", ".join(f'{_postgresql_value(column)} AS "{column.shown}"' for column in table.columns)
    return f"SELECT row_to_json(r) FROM (SELECT {columns} {source}) r"


def _mysql_value(column: layout.Column) -> str:
    name = f"t.`{column.name}`"
    if column.form == layout.TRUTH:
        return f"CASE WHEN {name} IS NULL THEN 'null' WHEN {name} THEN 'true' ELSE 'false' END"
    if column.form == layout.BYTES:
        # The line breaks of base64.
        value = f"CONCAT('\"', REPLACE(TO_BASE64({name}), CHAR(10), ''), '\"')"
    elif column.form in (layout.TEXT, layout.TYPE):
        value = f"JSON_QUOTE({name})" if column.form == layout.TEXT else f"JSON_QUOTE(of_{column.shown}.name)"
    else:
        value = name
    return f"COALESCE({value}, 'null')"


def _postgresql_value(column: layout.Column) -> str:
    if column.form == layout.TYPE:
        return f"of_{column.shown}.name"
    name = f't."{column.name}"'
    return f"translate(encode({name}, 'base64'), chr(10), '')" if column.form == layout.BYTES else name
