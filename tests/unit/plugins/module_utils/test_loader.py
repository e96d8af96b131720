"""Which rows are loaded, as far as that is known without a database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import layout, lines, loader, snapshot

CONTEXTS = [{"id": 1, "type": "kf.RegisteredModel", "name": "one"}, {"id": 70_000, "type": "kf.ModelVersion", "name": "two"}, {"id": 4, "name": "of no type"}]
# The others have no context: one has no number, and the other one none that is a number.
PROPERTIES = [{"context_id": owner, "name": "p", "is_custom_property": False} for owner in (1, 2, 4, 70_000, 70_008, 1, None, "1", 8193)]


def blocks_of(size: int, **rows: list[Any]) -> Callable[[layout.Table], Iterable[list[bytes]]]:
    """So many rows are a block."""

    def blocks(table: layout.Table) -> Iterable[list[bytes]]:
        found = [json.dumps(row).encode() for row in rows.get(table.name, ())]
        return [found[place : place + size] for place in range(0, len(found), size)]

    return blocks


def digest_of(rows: list[Any]) -> tuple[int, str]:
    digest = lines.Digest()
    digest.add([json.dumps(row).encode() for row in rows])
    return digest.rows, digest.text


@pytest.mark.parametrize("size", [1, 4, 100])
@pytest.mark.parametrize(
    ("kind", "leaves_out", "contexts", "properties"),
    [
        ("postgresql", False, CONTEXTS, PROPERTIES),
        ("postgresql", True, CONTEXTS[:2], [PROPERTIES[0], PROPERTIES[3], PROPERTIES[5]]),
        # MySQL does not miss what a row belongs to, but a row of no type means nothing anywhere.
        ("mysql", True, CONTEXTS[:2], PROPERTIES),
    ],
)
def test_what_a_loading_would_write_is_counted_without_the_rows_that_belong_to_nothing(
    kind: str, leaves_out: bool, contexts: list[Any], properties: list[Any], size: int
) -> None:
    orphans, digests = loader.to_load(blocks_of(size, Context=CONTEXTS, ContextProperty=PROPERTIES), kind, leaves_out)
    left_out = {"Context": len(CONTEXTS) - len(contexts), "ContextProperty": len(PROPERTIES) - len(properties)}
    assert orphans == {name: count for name, count in left_out.items() if count}
    found = {name: (digest.rows, digest.text) for name, digest in digests.items()}
    assert found == {table.name: digest_of([]) for table in loader.COPIED} | {"Context": digest_of(contexts), "ContextProperty": digest_of(properties)}


class RefusedError(Exception):
    """What a driver raises."""


def test_what_a_database_refuses_and_a_connection_that_is_lost_are_told_in_words() -> None:
    connection = SimpleNamespace(Error=RefusedError)
    for error, said in ((RefusedError("no\nsuch table"), "no such table"), (OSError("reset"), "reset"), (RefusedError(), "RefusedError")):
        with pytest.raises(snapshot.UnusableDatabaseError, match=f"^It was not read: {said}$"), snapshot.in_words(connection, "It was not read"):
            raise error
    with pytest.raises(ZeroDivisionError), snapshot.in_words(connection, "It was not read"):
        raise ZeroDivisionError


def test_what_is_not_a_row_of_its_table_is_named_by_the_table() -> None:
    for row in ({"more": 1}, [], "[" * 5000):
        line = row.encode() if isinstance(row, str) else json.dumps(row).encode()
        with pytest.raises(loader.UnloadableError, match="A row of table Context is not valid"):
            loader.to_load(lambda table, line=line: [[line]] if table.name == "Context" else [], "mysql", True)
