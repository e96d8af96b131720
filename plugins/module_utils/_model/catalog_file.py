# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file with sources as the catalog server reads it. The whole catalog is down with one that it refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import catalog, catalog_check, catalog_schema, catalog_yaml

OPERATORS = frozenset({"=", "!=", ">", "<", ">=", "<=", "LIKE", "ILIKE", "IN", "NOT IN"})


@dataclass(frozen=True)
class Entry:
    """A source in one file, as the server reads it: only the keys that are set."""

    kind: catalog.Kind
    section: str
    index: int
    values: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Its ID; empty where it has none."""
        return str(self.values.get("id", ""))

    @property
    def path(self) -> str:
        """Its place in the file."""
        return f"{self.section}[{self.index}]"


@dataclass(frozen=True)
class File:
    """A file with sources, as the server reads it, and what it says of it."""

    document: catalog_yaml.Document | None
    entries: tuple[Entry, ...] = ()
    labels: tuple[Mapping[str, Any], ...] = ()
    named_queries: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[catalog_check.Finding, ...] = ()
    # It as it is written.
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_refused(self) -> bool:
        """Whether the whole catalog is down with it."""
        return any(finding.effect == catalog_check.DOWN for finding in self.findings)


def read_file(text: str, generation: catalog.Generation) -> File:
    """A file with sources as the server of this generation reads it."""
    check = catalog_check.Check(catalog_check.DOWN)
    try:
        document = catalog_yaml.read(text)
        content = document.value()
    except catalog_yaml.NotYamlError as error:
        check.refuse("", f"the file cannot be read: {error}", "Correct it, or restore a previous version of it")
        return File(None, findings=tuple(check.findings))
    if document.has_more:
        check.advise("", "the file has a second document, which is ignored", "Remove everything after the line ---")
    if content is None:
        return File(document, findings=tuple(check.findings))
    if not isinstance(content, dict):
        check.refuse("", f"the file must be a mapping, but is {catalog_check.word_for(content)}", f"Begin it with {generation.kinds[0].sections[0]}:")
        return File(document, findings=tuple(check.findings))
    keys = {
        **dict.fromkeys((*generation.sections, "labels"), catalog_schema.Key("list")),
        "namedQueries": catalog_schema.MAP,
        "skill_catalogs": catalog_schema.Key("list"),
    }
    # In the order of precedence within a file.
    top = check.object(content, {name: key for name, key in keys.items() if name in generation.keys}, "")
    entries = _entries(top, generation, check)
    labels = _labels(top.get("labels") or [], check)
    queries = _queries(top.get("namedQueries") or {}, check)
    check.endless(text, content)
    return File(document, entries, labels, queries, tuple(check.findings), content)


def _entries(top: Mapping[str, Any], generation: catalog.Generation, check: catalog_check.Check) -> tuple[Entry, ...]:
    made: list[Entry] = []
    seen: dict[str, Entry] = {}
    for kind in generation.kinds:
        # The newer key comes first: what the older one says of the same source does not count.
        for section in reversed(kind.sections):
            for index, given in enumerate(top.get(section) or ()):
                entry = Entry(kind, section, index, check.object(given, catalog_schema.SOURCE_KEYS[kind.name], f"{section}[{index}]"))
                before = seen.get(entry.id)
                if not entry.id:
                    check.refuse(f"{entry.path}.id", "is missing", "Set it")
                elif before is None:
                    seen[entry.id] = entry
                elif before.kind is kind and before.section != section:
                    check.advise(entry.path, f"is ignored, because {before.path} has the same ID", "Remove one of them")
                    continue
                else:
                    check.refuse(f"{entry.path}.id", f"is also the ID of {before.path}", "Use each ID only once in a file, even for different kinds")
                if ":" in entry.id:
                    check.advise(f"{entry.path}.id", f"contains a colon, so that a part of it is shown before the name of each {kind.entry}", "Use another ID")
                if entry.values.get("assetType", kind.asset_type) != kind.asset_type:
                    check.advise(f"{entry.path}.assetType", f"does not match {section}, so that the source is listed with other sources", "Remove it")
                _check_patterns(entry, check)
                made.append(entry)
    return tuple(made)


def _check_patterns(entry: Entry, check: catalog_check.Check) -> None:
    kind = entry.kind
    lists = [(name, entry.values.get(name) or []) for name in (kind.included, kind.excluded) if name]
    for name, patterns in lists:
        for index, pattern in enumerate(patterns):
            if not catalog_yaml.trimmed(pattern):
                check.refuse(f"{entry.path}.{name}[{index}]", "is an empty pattern", "Remove it, or set a pattern such as *")
    if len(lists) == 2:
        both = set(map(catalog_yaml.trimmed, lists[0][1])) & set(map(catalog_yaml.trimmed, lists[1][1]))
        if both:
            check.advise(f"{entry.path}.{kind.excluded}", f"has {len(both)} of the patterns of {kind.included} too", "Remove them from one of the lists")


def _labels(given: Sequence[Any], check: catalog_check.Check) -> tuple[Mapping[str, Any], ...]:
    labels: list[Mapping[str, Any]] = []
    names: set[Any] = set()
    for index, label in enumerate(given):
        path = f"labels[{index}]"
        if label is not None and not isinstance(label, dict):
            check.refuse(path, f"must be a mapping, but is {catalog_check.word_for(label)}", "Set a mapping with a name")
            # The places of the others are those in the file.
            labels.append({"name": ""})
            continue
        found: dict[str, Any] = label or {}
        name = found.get("name", "")
        if name == "":
            check.refuse(f"{path}.name", "is missing", "Set it; null stands for the sources without a label")
        elif isinstance(name, str) or name is None:
            if name in names:
                check.refuse(f"{path}.name", "is repeated", "Use each name once")
            names.add(name)
        for key, value in found.items():
            if not isinstance(value, str) and not (key == "name" and value is None):
                check.refuse(
                    catalog_check.below(path, key),
                    f"must be a string, but is {catalog_check.word_for(value)}",
                    catalog_check.QUOTE if isinstance(value, (bool, int, float)) else "Set a string",
                )
        labels.append(found)
    return tuple(labels)


def _queries(given: Mapping[str, Any], check: catalog_check.Check) -> Mapping[str, Any]:
    """Named queries in their newer form, with the fields of each catalog_check.below `filters`."""
    made: dict[str, Any] = {}
    for name, query in given.items():
        path = catalog_check.below("namedQueries", name)
        if not name:
            check.refuse("namedQueries", "has a query without a name", "Name it")
        if not isinstance(query, dict):
            check.refuse(path, f"must be a mapping, but is {catalog_check.word_for(query)}", "Set a mapping of fields to operator and value")
            continue
        is_new = "filters" in query
        asset_type = query.get("assetType") if is_new else None
        if asset_type not in (None, "", *catalog_schema.ASSET_TYPES):
            check.refuse(f"{path}.assetType", "is not a valid value", f"Set it to {' or '.join(catalog_schema.ASSET_TYPES)}")
        filters = query["filters"] if is_new else query
        if not isinstance(filters, dict) or not filters:
            check.refuse(path, "has no filters", "Set at least one field with operator and value")
            continue
        if "" in filters:
            check.refuse(path, "has a field without a name", "Name it")
        conditions = {name: _condition(condition, catalog_check.below(path, name), check) for name, condition in filters.items()}
        made[name] = {"assetType": asset_type or catalog_schema.ASSET_TYPES[0], "filters": conditions}
    return made


def _condition(given: Any, path: str, check: catalog_check.Check) -> Mapping[str, Any]:
    """The condition for a field: its operator in capitals, and its value."""
    if not isinstance(given, dict):
        check.refuse(path, f"must be a mapping, but is {catalog_check.word_for(given)}", "Set operator and value")
        return {}
    found = {catalog_check.folded(name, ("operator", "value")) or name: value for name, value in given.items()}
    operator, value = found.get("operator"), found.get("value")
    if not isinstance(operator, str) or operator.upper() not in OPERATORS:
        check.refuse(f"{path}.operator", "is not a valid operator", f"Set it to one of {', '.join(sorted(OPERATORS))}")
        return {}
    if operator.upper() in ("IN", "NOT IN") and not isinstance(value, list):
        check.refuse(f"{path}.value", f"must be a list for the operator {operator}", "Set a list")
    elif value is None:
        check.refuse(f"{path}.value", "is missing", "Set it")
    return {"operator": operator.upper(), "value": value}
