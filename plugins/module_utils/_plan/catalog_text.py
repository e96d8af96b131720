# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes in a file that people edit too: only what is to change is written anew, and everything else stays as it is, to the byte.

What comes of it is read again and compared with what was meant. A file in which that fails, such as one with anchors in what is removed, is written anew as a
whole: then it means the same, but has no comments any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._model import catalog_yaml

Node = catalog_yaml.Node
# The dashboard's indentation of a list.
INDENT = 4


@dataclass(frozen=True)
class Edit:
    """One entry below a top-level key: `at` is its index in a list (None for a new one) or its key in a mapping; without a value, it is removed."""

    section: str
    at: int | str | None
    value: Any = None


@dataclass(frozen=True)
class Edited:
    """The new text, and whether it had to be written anew as a whole."""

    text: str
    is_rewritten: bool = False


def edited(text: str, edits: Sequence[Edit]) -> Edited:
    """A file after these edits. NotYamlError where it is none to begin with, or is built in another way."""
    document = catalog_yaml.read(text)
    before = document.value() or {}
    if not isinstance(before, dict):
        raise catalog_yaml.NotYamlError("it is not a mapping")
    after = _meaning(before, edits)
    if after == before:
        return Edited(text)
    mark = catalog_yaml.MARK if text.startswith(catalog_yaml.MARK) else ""
    try:
        new = mark + _Editing(document, before, after, edits).text()
        if catalog_yaml.parse(new) == after:
            return Edited(new)
    except catalog_yaml.NotYamlError:
        pass
    return Edited(mark + catalog_yaml.dumped(after), True)


def touched(text: str) -> str:
    """A file with the same meaning and another number of empty lines at its end, so that it is read anew."""
    new = text[:-1] if text.endswith("\n\n") else f"{text}\n"
    return new if catalog_yaml.parse(new) == catalog_yaml.parse(text) else text


def _meaning(before: Mapping[str, Any], edits: Iterable[Edit]) -> dict[str, Any]:
    """What the file is to mean."""
    after = {key: list(value) if isinstance(value, list) else dict(value) if isinstance(value, dict) else value for key, value in before.items()}
    removed: list[tuple[list[Any], int]] = []
    for edit in edits:
        section: Any = after.get(edit.section)
        type_: Any = dict if isinstance(edit.at, str) else list
        if section is None:
            section = after[edit.section] = type_()
        if not isinstance(section, type_):
            raise catalog_yaml.NotYamlError(f"{edit.section} has another type")
        if isinstance(edit.at, str):
            if edit.value is None:
                section.pop(edit.at, None)
            else:
                section[edit.at] = edit.value
        elif edit.at is None:
            section.append(edit.value)
        elif edit.value is None:
            removed.append((section, edit.at))
        else:
            section[edit.at] = edit.value
    for section, index in sorted(removed, key=lambda pair: -pair[1]):
        del section[index]
    return after


class _Editing:
    """Finds which parts of a text have to be replaced by which others."""

    def __init__(self, document: catalog_yaml.Document, before: Mapping[str, Any], after: Mapping[str, Any], edits: Sequence[Edit]) -> None:
        self._text, self._root, self._before, self._after, self._edits = document.text, document.node, before, after, edits
        self._newline = "\r\n" if "\r\n" in document.text else "\n"
        # Start, end and new text of each part.
        self._splices: list[tuple[int, int, str]] = []

    def text(self) -> str:
        """The new text."""
        sections = list(dict.fromkeys(edit.section for edit in self._edits))
        root = self._root
        if root is not None and root.id == "mapping" and root.flow_style:
            self._replace(root.start_mark.index, root.end_mark.index, catalog_yaml.flow(self._after))
        else:
            for section in sections:
                self._edit_section(section, [edit for edit in self._edits if edit.section == section])
        made: list[str] = []
        place = 0
        # Of several at one place, the first one stands first.
        for start, end, new in sorted(self._splices, key=lambda splice: splice[:2]):
            if start < place:
                # The line before was removed with its end.
                made.append(new[len(self._newline) :] + self._newline)
                continue
            made += [self._text[place:start], new]
            place = end
        return "".join([*made, self._text[place:]])

    def _replace(self, start: int, end: int, new: str) -> None:
        self._splices.append((start, end, new))

    def _edit_section(self, section: str, edits: Sequence[Edit]) -> None:
        pairs = self._root.value if self._root is not None and self._root.id == "mapping" else []
        found = next(((key, value) for key, value in pairs if key.value == section), None)
        if found is None:
            self._append_section(section)
            return
        key, value = found
        if value.id != "scalar" and not value.flow_style:
            if value.id == "sequence":
                self._edit_list(key, value, edits)
            elif self._after[section]:
                for edit in edits:
                    self._edit_pair(value, str(edit.at), edit.value, edit.value is None)
            else:
                self._empty(key, value, "{}")
        elif value.id != "scalar" and value.value:
            self._replace(value.start_mark.index, value.end_mark.index, catalog_yaml.flow(self._after[section]))
        else:
            # It is empty, in one of several ways.
            self._replace(self._colon(key), max(self._colon(key), value.end_mark.index), "")
            self._insert(self._line_end(value.end_mark.index), self._block(self._after[section], self._dash_column()))

    def _append_section(self, section: str) -> None:
        new = f"{section}:{self._newline}{self._block(self._after[section], self._dash_column())}"
        end = self._line_end(self._end(self._root)) if self._root is not None and self._root.value else None
        if end is not None:
            self._insert(end, new)
        else:
            body = self._text.rstrip()
            self._replace(len(body), len(self._text), (self._newline if body else "") + new + self._newline)

    def _edit_list(self, key: Node, value: Node, edits: Sequence[Edit]) -> None:
        items = value.value
        new = [edit.value for edit in edits if edit.at is None]
        removed = {edit.at for edit in edits if isinstance(edit.at, int) and edit.value is None}
        column = self._column(self._dash(items[0]))
        for edit in edits:
            if isinstance(edit.at, int) and edit.value is not None:
                self._edit_item(items[edit.at], self._before[edit.section][edit.at], edit.value)
        if len(removed) == len(items) and not new:
            self._empty(key, value, "[]")
            return
        for index in removed:
            self._replace(self._leading(items, index), self._after_line(self._end(items[index])), "")
        if new:
            self._insert(self._line_end(self._end(value)), self._block(new, column))

    def _empty(self, key: Node, value: Node, empty: str) -> None:
        colon = self._colon(key)
        self._replace(colon, colon, f" {empty}")
        self._replace(self._after_line(colon), self._after_line(self._end(value)), "")

    def _leading(self, items: Sequence[Node], index: int) -> int:
        """Where an item begins, with the comment right above it, which is about it. That above the first one may be about the list."""
        start = self._line_start(self._dash(items[index]))
        least = self._after_line(self._end(items[index - 1])) if index else start
        while start > least:
            above = self._line_start(start - 1)
            if not self._text[above:start].lstrip(" ").startswith("#"):
                break
            start = above
        return start

    def _edit_item(self, item: Node, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        if item.id != "mapping" or item.flow_style:
            self._replace(item.start_mark.index, item.end_mark.index, catalog_yaml.flow(after))
            return
        for name in before:
            if name not in after or before[name] != after[name]:
                self._edit_pair(item, name, after.get(name), name not in after)
        self._add_pairs(item, {name: value for name, value in after.items() if name not in before})

    def _edit_pair(self, mapping: Node, name: str, after: Any, is_removed: bool) -> None:
        index = next((index for index, (key, _value) in enumerate(mapping.value) if key.value == name), None)
        if index is None:
            if not is_removed:
                self._add_pairs(mapping, {name: after})
            return
        key, value = mapping.value[index]
        if is_removed:
            self._remove_pair(mapping, index)
        elif value.id == "sequence" and not value.flow_style and isinstance(after, list) and after:
            self._edit_texts(value, after)
        elif value.id == "scalar" and value.style not in ("|", ">") and not isinstance(after, (list, dict)):
            if value.start_mark.index == value.end_mark.index:
                self._replace(self._colon(key), self._colon(key), f" {self._inline(after)}")
            else:
                self._replace(value.start_mark.index, value.end_mark.index, self._inline(after))
        elif value.id != "scalar" and value.flow_style:
            self._replace(value.start_mark.index, value.end_mark.index, catalog_yaml.flow(after))
        else:
            end = max(self._colon(key), self._end(value))
            self._replace(self._colon(key), end, self._of_pair(after, self._column(key.start_mark.index)))

    def _edit_texts(self, sequence: Node, after: Sequence[Any]) -> None:
        """A list of strings: those that stay keep their comments."""
        column = self._column(self._dash(sequence.value[0]))
        lines: dict[str, list[str]] = {}
        for item in sequence.value:
            line = self._text[self._dash(item) : self._line_end(self._end(item))]
            lines.setdefault(item.value if item.id == "scalar" else "", []).append(line)
        made = []
        for value in after:
            known = lines.get(value) if isinstance(value, str) else None
            made.append(known.pop(0) if known else f"- {self._inline(value)}")
        start, end = self._dash(sequence.value[0]), self._line_end(self._end(sequence))
        self._replace(start, end, f"{self._newline}{' ' * column}".join(made))

    def _remove_pair(self, mapping: Node, index: int) -> None:
        key, value = mapping.value[index]
        line = self._line_start(key.start_mark.index)
        if not self._text[line : key.start_mark.index].strip(" "):
            self._replace(line, self._after_line(self._end(value)), "")
        elif index + 1 < len(mapping.value):
            # It stands behind the dash of its item: the next one takes its place.
            self._replace(key.start_mark.index, mapping.value[index + 1][0].start_mark.index, "")

    def _add_pairs(self, mapping: Node, values: Mapping[str, Any]) -> None:
        if values:
            column = self._column(mapping.value[0][0].start_mark.index)
            self._insert(self._line_end(self._end(mapping)), self._indented(catalog_yaml.dumped(dict(values)), column))

    def _inline(self, value: Any) -> str:
        """A scalar in one line."""
        plain = catalog_yaml.dumped([value])[2:].rstrip("\n")
        return catalog_yaml.flow(value) if "\n" in plain else plain

    def _of_pair(self, value: Any, column: int) -> str:
        """What follows the colon of a key in this column."""
        text = catalog_yaml.dumped({"k": value})[2:].rstrip("\n")
        first, *others = text.split("\n")
        return self._newline.join([first, *(" " * column + line if line else line for line in others)])

    def _block(self, values: Any, column: int) -> str:
        """A list or mapping in block style."""
        return self._indented(catalog_yaml.dumped(values), column)

    def _indented(self, text: str, column: int) -> str:
        return self._newline.join(" " * column + line if line else line for line in text.rstrip("\n").split("\n"))

    def _insert(self, end: int, lines: str) -> None:
        """Add lines after the line that ends here."""
        self._splices.append((end, end, f"{self._newline}{lines}"))

    def _dash_column(self) -> int:
        """The column of the lists of this file."""
        for _key, value in self._root.value if self._root is not None and self._root.id == "mapping" else ():
            if value.id == "sequence" and not value.flow_style:
                return self._column(self._dash(value.value[0]))
        return INDENT

    def _dash(self, item: Node) -> int:
        return self._text.rfind("-", 0, item.start_mark.index)

    def _colon(self, key: Node) -> int:
        """The place behind the colon of a key."""
        return self._text.find(":", key.end_mark.index) + 1

    def _column(self, index: int) -> int:
        return index - self._line_start(index)

    def _line_start(self, index: int) -> int:
        return self._text.rfind("\n", 0, index) + 1

    def _line_end(self, index: int) -> int:
        end = self._text.find("\n", index)
        return len(self._text.rstrip("\r\n")) if end < 0 else end - (self._text[end - 1 : end] == "\r")

    def _after_line(self, index: int) -> int:
        end = self._text.find("\n", index)
        return len(self._text) if end < 0 else end + 1

    def _end(self, node: Node) -> int:
        """Where the content of a node ends. The marks of a block are those of what comes after it."""
        if node.id != "scalar" and not node.flow_style:
            last = node.value[-1]
            return self._end(last[1] if node.id == "mapping" else last)
        start, end = node.start_mark.index, node.end_mark.index
        return int(start + len(self._text[start:end].rstrip()))
