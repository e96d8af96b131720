# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed from one report to the next, by the tables of both. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._table import Cell, Column, Mark, Row, Table

# Of the file with the tables: an earlier page of another version is not compared.
VERSION = 1
CLUSTER, REGISTRY = "Cluster", "Registry"
WORDS = {"added": "warning", "changed": "warning", "removed": "note"}
COLUMNS = (
    Column("Change", 9),
    Column("Table", 13),
    Column("Item", 30, is_row_header=True),
    Column("Before", 19),
    Column("Now", 19),
    Column(CLUSTER, 10),
)


@dataclass(frozen=True)
class Previous:
    """An earlier report as its file holds it; `problem` says why it cannot be compared, and is empty if it can."""

    generated: str = ""
    tables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    problem: str = ""


MISSING = Previous(problem="There is no earlier report in the directory of this page")


def read(text: str) -> Previous:
    """The earlier report in this file, whoever wrote it."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return Previous(problem="The file of the earlier report does not contain JSON")
    if not isinstance(content, dict) or content.get("version") != VERSION or not isinstance(content.get("tables"), dict):
        return Previous(problem=f"The file of the earlier report does not have version {VERSION}")
    if not all(_is_table(table) for table in content["tables"].values()):
        return Previous(problem="The file of the earlier report is not valid")
    return Previous(str(content.get("generated") or "an unknown time"), content["tables"])


def _is_table(table: Any) -> bool:
    if not isinstance(table, dict) or not isinstance(table.get("rows"), list) or not isinstance(table.get("unseen"), list):
        return False
    rows_fit = all(isinstance(row, dict) and all(isinstance(value, str) for value in row.values()) for row in table["rows"])
    return rows_fit and all(isinstance(place, list) and all(isinstance(name, str) for name in place) for place in table["unseen"])


def table_of(previous: Previous, tables: Sequence[Table]) -> Table:
    """The table of what changed."""
    rows = [] if previous.problem else [row for table in tables for row in _changes(table, previous.tables.get(table.anchor))]
    caption = f"Since the report of {previous.generated}" if not previous.problem else "Since the last report"
    instead = previous.problem or f"Nothing has changed since the report of {previous.generated}."
    return Table("changes", "Changes", caption, COLUMNS, tuple(rows), instead)


def _changes(table: Table, earlier: Mapping[str, Any] | None) -> Iterator[Row]:
    keys = [column.title for column in table.columns if column.is_key]
    if not keys or earlier is None:
        return
    unseen = {tuple(place) for place in (*table.unseen, *earlier["unseen"])}
    before, now = (_by_key(rows, keys, unseen) for rows in (earlier["rows"], table.records))
    compared = [column.title for column in table.columns if not column.is_key and not column.volatile]
    for key in [*now, *(key for key in before if key not in now)]:
        old, new = before.get(key), now.get(key)
        if old is None or new is None:
            yield _row("added" if old is None else "removed", table, keys, (old or new or {}), "", "")
            continue
        differing = [title for title in compared if title in old and old[title] != new[title]]
        if differing:
            yield _row("changed", table, keys, new, *("; ".join(f"{title}: {one[title] or 'none'}" for title in differing) for one in (old, new)))


def _by_key(rows: Iterable[Mapping[str, str]], keys: Sequence[str], unseen: set[tuple[str, ...]]) -> dict[tuple[str, ...], Mapping[str, str]]:
    return {
        tuple(row.get(key, "") for key in keys): row
        for row in rows
        if (row.get(CLUSTER, ""),) not in unseen and (row.get(CLUSTER, ""), row.get(REGISTRY, "")) not in unseen
    }


def _row(word: str, table: Table, keys: Iterable[str], row: Mapping[str, str], before: str, now: str) -> Row:
    item = ", ".join(row.get(key, "") for key in keys if key != CLUSTER and row.get(key))
    cells = (Cell(marks=(Mark(WORDS[word], word.capitalize()),)), Cell(table.title), Cell(item), Cell(before), Cell(now), Cell(row.get(CLUSTER, "")))
    return Row(cells)
