# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of texts that others wrote, for a page and for files: CSV that no spreadsheet runs, and rows for JSON. Pure."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cached_property

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _texts

# What makes a spreadsheet take a text for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
# What Excel needs to read a file as UTF-8.
BYTE_ORDER_MARK = "\ufeff"
LONGEST_FOLDED = 100_000


@dataclass(frozen=True)
class Mark:
    """A word that is worth a look, and how much: a severity, or good."""

    severity: str
    text: str


@dataclass(frozen=True)
class Cell:
    """One cell: marks, the text, links to rows of the page and to addresses, a text that is folded under a title, and smaller lines below.

    `sort` is what it is sorted by, when that is not its text.
    """

    text: str = ""
    notes: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    addresses: tuple[tuple[str, str], ...] = ()
    folded: tuple[str, str] = ("", "")
    sort: float | str | None = None

    @property
    def plain(self) -> str:
        """All that it says, as files hold it."""
        parts = [*(mark.text for mark in self.marks), self.text, *(name for name, _anchor in self.links), *(address for _title, address in self.addresses)]
        shown, notes = (map(_texts.line, filter(None, texts)) for texts in (parts, self.notes))
        return "; ".join(filter(None, (*shown, _texts.line(self.folded[1], LONGEST_FOLDED), *notes)))


@dataclass(frozen=True)
class Column:
    """A column of a table. `width` is its share of the table in per cent; the row header names the row.

    By the columns with `is_key` rows are found again on an earlier page, and what is `volatile` changes from page to page without an event.
    """

    title: str
    width: int
    is_row_header: bool = False
    is_key: bool = False
    volatile: bool = False


@dataclass(frozen=True)
class Row:
    """A row, with its name in links when it has one."""

    cells: tuple[Cell, ...]
    anchor: str = ""


@dataclass(frozen=True)
class Table:
    """A table under a heading. `instead` is said where it has no rows.

    `unseen` are the clusters, or registries of clusters, whose rows could not be read: that they are missing means nothing. A table that is not `shown` has no
    place on the page, but in the files, so that none of an earlier page stays.
    """

    anchor: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    instead: str = "None."
    unseen: tuple[tuple[str, ...], ...] = ()
    shown: bool = True

    @cached_property
    def records(self) -> list[dict[str, str]]:
        """The rows by the titles of the columns."""
        titles = [column.title for column in self.columns]
        return [dict(zip(titles, (cell.plain for cell in row.cells))) for row in self.rows]


def as_csv(table: Table) -> str:
    """The table for spreadsheets, none of whose texts is a formula."""
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL)
    writer.writerow([column.title for column in table.columns])
    writer.writerows([_unlike_formula(text) for text in record.values()] for record in table.records)
    return BYTE_ORDER_MARK + written.getvalue()


def _unlike_formula(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
