# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows as each engine takes them: the lines of JSON that `lines` describes, as values of statements. Pure.

A line may come from a file that anybody can have written: a value of another form than its column has is refused, so that no value is ever read as SQL.
"""

from __future__ import annotations

import binascii
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import _options
from . import layout

# Made once: the function of `json` looks for an encoding in every call.
_read = json.JSONDecoder().decode
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
Encoder = Callable[[Any], bytes]


class UnstorableError(ValueError):
    """The engine has no way to store this value."""


# By which names the values of each table stand in a line.
_NAMES = {table.name: frozenset(column.shown for column in table.columns) for table in layout.TABLES}


def rows_of(table: layout.Table, block: Sequence[bytes]) -> list[dict[str, Any]]:
    """Lines as values by the names that they have in them; a column without a value is not there. ValueError where one is not a row of this table."""
    # All in one call, which takes half as long.
    rows: list[Any] = _read((b"[" + b",".join(block) + b"]").decode())
    names = _NAMES[table.name]
    if len(rows) != len(block) or not all(isinstance(row, dict) and row.keys() <= names for row in rows):
        raise ValueError
    return rows


def storable(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without what either engine cannot store."""

    def kept(value: Any) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return value.replace("\0", "") if isinstance(value, str) else value

    return {name: kept(value) for name, value in row.items()}


class Encoding:
    """How the rows of one table are written for the type of database `kind`. `types` has the number of each type in the database, by its name."""

    def __init__(self, table: layout.Table, kind: str, types: Mapping[str, int]) -> None:
        by_form: dict[str, Encoder] = {
            layout.INTEGER: _integer,
            layout.TRUTH: _mysql_truth if kind == _options.MYSQL else _postgresql_truth,
            layout.TEXT: _mysql_text if kind == _options.MYSQL else _postgresql_text,
            layout.BYTES: _mysql_bytes if kind == _options.MYSQL else _postgresql_bytes,
            layout.DOUBLE: _mysql_double if kind == _options.MYSQL else _postgresql_double,
            layout.TYPE: lambda name: b"%d" % types[name],
        }
        self._columns = [(column.shown, by_form[column.form]) for column in table.columns]
        self._null = b"NULL" if kind == _options.MYSQL else b"\\N"

    def fields(self, row: Mapping[str, Any]) -> list[bytes]:
        """The values of a row, in the order of the columns. UnstorableError; ValueError or LookupError for what cannot be in this table."""
        return [self._null if (value := row.get(name)) is None else encode(value) for name, encode in self._columns]


def _integer(value: Any) -> bytes:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError
    return b"%d" % value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _mysql_truth(value: Any) -> bytes:
    return b"TRUE" if _truth(value) else b"FALSE"


def _postgresql_truth(value: Any) -> bytes:
    return b"t" if _truth(value) else b"f"


def _text(value: Any) -> bytes:
    if not isinstance(value, str):
        raise ValueError
    return value.encode()


def _mysql_text(value: Any) -> bytes:
    # The session's mode permits backslashes, and its character set is UTF-8.
    return b"'" + _text(value).replace(b"\\", b"\\\\").replace(b"'", b"\\'").replace(b"\0", b"\\0") + b"'"


def _postgresql_text(value: Any) -> bytes:
    text = _text(value)
    if b"\0" in text:
        raise UnstorableError
    return text.replace(b"\\", b"\\\\").replace(b"\t", b"\\t").replace(b"\n", b"\\n").replace(b"\r", b"\\r")


def _base64(value: Any) -> bytes:
    if not isinstance(value, str) or not _BASE64.fullmatch(value):
        raise ValueError
    return value.encode()


def _mysql_bytes(value: Any) -> bytes:
    return b"FROM_BASE64('" + _base64(value) + b"')"


def _postgresql_bytes(value: Any) -> bytes:
    return b"\\\\x" + binascii.hexlify(binascii.a2b_base64(_base64(value)))


def _double(value: Any) -> float:
    if type(value) not in (float, int):
        raise ValueError
    return float(value)


def _mysql_double(value: Any) -> bytes:
    number = _double(value)
    if not math.isfinite(number):
        raise UnstorableError
    text = repr(number)
    # Without an exponent it would be a decimal number.
    return (text if "e" in text else f"{text}e0").encode()


def _postgresql_double(value: Any) -> bytes:
    return repr(_double(value)).encode()
