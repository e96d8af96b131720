"""Values of rows as the engines take them: of the form that the column has, and of no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import layout, values

PROPERTY = layout.BY_NAME["ContextProperty"]
ROW: dict[str, Any] = {
    "context_id": 7,
    "name": "it's",
    "is_custom_property": True,
    "int_value": None,
    "double_value": 0.1,
    "string_value": "back\\slash\ttab\nbreak\r",
    "byte_value": "AP8=",
    "proto_value": None,
    "bool_value": False,
}


def encoded(kind: str, **changes: Any) -> list[bytes]:
    return values.Encoding(PROPERTY, kind, {}).fields({**ROW, **changes})


def test_a_row_is_written_as_the_engine_reads_it() -> None:
    mysql = [b"7", b"'it\\'s'", b"TRUE", b"NULL", b"0.1e0", b"'back\\\\slash\ttab\nbreak\r'", b"FROM_BASE64('AP8=')", b"NULL", b"FALSE"]
    assert encoded("mysql") == mysql
    postgresql = [b"7", b"it's", b"t", b"\\N", b"0.1", b"back\\\\slash\\ttab\\nbreak\\r", b"\\\\x00ff", b"\\N", b"f"]
    assert encoded("postgresql") == postgresql


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("context_id", value) for value in ("1), (2", True, 1.0, [])),
        *(("name", value) for value in (1, [], {}, "\ud800")),
        *(("bool_value", value) for value in (1, "TRUE")),
        *(("double_value", value) for value in ("0", True)),
        *(("byte_value", value) for value in ("')", "AP8=\n", 7)),
    ],
)
def test_a_value_of_another_form_is_refused(kind: str, column: str, value: Any) -> None:
    with pytest.raises(ValueError):
        encoded(kind, **{column: value})


def test_what_one_engine_cannot_store_is_told_apart() -> None:
    for kind, change in (("postgresql", {"string_value": "a\0b"}), ("mysql", {"double_value": float("nan")}), ("mysql", {"double_value": float("inf")})):
        with pytest.raises(values.UnstorableError):
            encoded(kind, **change)
        encoded(kind, **values.storable({**ROW, **change}))
    assert encoded("mysql", string_value="a\0b")[5] == b"'a\\0b'"
    assert encoded("postgresql", double_value=float("-inf"))[4] == b"-inf"
    assert values.storable({"a": float("-inf"), "b": 0.5, "c": "\0a\0", "d": 7, "e": None}) == {"a": None, "b": 0.5, "c": "a", "d": 7, "e": None}


def test_a_double_of_mysql_has_one_exponent() -> None:
    assert [encoded("mysql", double_value=number)[4] for number in (3, -0.5, 1e22, 5e-324)] == [b"3.0e0", b"-0.5e0", b"1e+22", b"5e-324"]


def test_a_type_is_its_number_in_this_database() -> None:
    row = {"type": "kf.Old", "name": "p", "data_type": 3}
    encoding = values.Encoding(layout.BY_NAME["TypeProperty"], "mysql", {"kf.Old": 12})
    assert encoding.fields(row) == [b"12", b"'p'", b"3"]
    with pytest.raises(LookupError):
        encoding.fields({**row, "type": "kf.New"})


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"7", b'{"context": 7}', b"{},{}", json.dumps({**ROW, "more": 1}).encode(), b"\xff"])
def test_a_line_that_is_no_row_of_the_table_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        values.rows_of(PROPERTY, [line])
    assert values.rows_of(PROPERTY, [json.dumps(ROW).encode()] * 2) == [ROW] * 2
