# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sources of all files together as the catalog server has them, and what each shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import _texts
from . import catalog, catalog_check, catalog_data, catalog_file, catalog_schema, catalog_yaml

# The two letters that Python, but not Go, takes for the same as i where case is ignored: in place of them, characters that no text has.
OTHER_LETTERS = str.maketrans("\u0130\u0131", "\ufdd0\ufdd1")


@dataclass(frozen=True)
class Merged:
    """A source as the server has it after it has read all files, with the file that each value comes from."""

    kind: catalog.Kind
    id: str
    values: Mapping[str, Any]
    origins: Mapping[str, str]

    @property
    def is_enabled(self) -> bool:
        """Whether its entries are shown."""
        return self.values.get("enabled") is not False

    @property
    def type(self) -> str:
        """Its type; empty where it has none."""
        return str(self.values.get("type") or "")


def merged(files: Iterable[tuple[str, catalog_file.File]]) -> dict[tuple[str, str], Merged]:
    """The sources of all files in their order, by kind and ID: later files override earlier ones, key by key."""
    made: dict[tuple[str, str], Merged] = {}
    for origin, file in files:
        for entry in file.entries:
            before = made.get((entry.kind.name, entry.id))
            # An empty text is none; an empty list is one.
            values = {key: value for key, value in entry.values.items() if value != ""}
            made[entry.kind.name, entry.id] = Merged(
                entry.kind,
                entry.id,
                {**(before.values if before else {}), **values},
                {**(before.origins if before else {}), **dict.fromkeys(values, origin)},
            )
    return made


def clashes(files: Sequence[tuple[str, catalog_file.File]]) -> list[tuple[str, catalog_check.Finding]]:
    """What the server refuses of files together, with the file that comes last."""
    found: list[tuple[str, catalog_check.Finding]] = []
    labels: dict[Any, str] = {}
    kinds: dict[str, str] = {}
    for origin, file in files:
        for label in file.labels:
            name = label.get("name")
            if not isinstance(name, str) and name is not None:
                continue
            if labels.setdefault(name, origin) != origin:
                problem = f"label{_texts.repeated(name)} is also in ConfigMap {labels[name]!r}"
                found.append((origin, catalog_check.Finding(catalog_check.DOWN, "labels", problem, "Remove it from one of them")))
        for entry in file.entries:
            if kinds.setdefault(entry.id, entry.kind.name) != entry.kind.name:
                problem = f"is also the ID of a source of kind {kinds[entry.id]} in another ConfigMap, with which it shares its status"
                found.append((origin, catalog_check.Finding(catalog_check.ADVICE, f"{entry.path}.id", problem, "Use each ID once")))
    return found


def source_findings(source: Merged, data: Callable[[str, str], str | None], generation: catalog.Generation) -> list[catalog_check.Finding]:
    """What the server says of a source once all files are read. `data` is the text of a file beside the one with the sources, by origin and path.

    It looks at disabled sources only when they are enabled.
    """
    check = catalog_check.Check(catalog_check.FAILS)
    properties = source.values.get("properties")
    if source.type not in source.kind.types:
        what = f"has a type{_texts.repeated(source.type)} that is not supported" if source.type else "has no type"
        check.refuse("type", what, f"Set it to {' or '.join(source.kind.types)}")
        return check.findings
    if len(source.id) > catalog_data.LONGEST_STORED or "\0" in source.id:
        problem = f"has more than {catalog_data.LONGEST_STORED} characters or a null character, so that the source is not loaded"
        check.findings.append(catalog_check.Finding(catalog_check.FAILS, "id", problem, f"Use an ID of at most {catalog.LONGEST_ID} characters", False))
    if not source.values.get("name"):
        check.advise("name", "is missing, so that the source has no name in the dashboard", "Set it")
    origin = source.origins.get("properties", "")
    given: Mapping[str, Any] = properties or {}
    known = catalog_schema.PROPERTIES[source.type] | ({"excludedModels"} if source.kind is catalog.MODEL else set())
    for name in given:
        if name not in known:
            check.advise(catalog_check.below("properties", name), "is ignored, because it is not a known property", "Remove it")
    if source.type == catalog.HUGGING_FACE:
        _check_hugging_face(source, given, generation, check)
    else:
        _check_yaml(source, given, origin, data, check)
    return check.findings


def _check_yaml(source: Merged, properties: Mapping[str, Any], origin: str, data: Callable[[str, str], str | None], check: catalog_check.Check) -> None:
    path = properties.get(catalog.PATH)
    place = f"properties.{catalog.PATH}"
    legacy = properties.get("excludedModels")
    if source.kind is catalog.MODEL and "excludedModels" in properties and not (isinstance(legacy, list) and all(isinstance(part, str) for part in legacy)):
        check.refuse("properties.excludedModels", "must be a list of strings", "Remove it, and use excludedModels of the source")
    elif source.kind is catalog.MODEL and not all(map(catalog_yaml.trimmed, legacy or ())):
        check.refuse("properties.excludedModels", "has an empty pattern", "Remove it, and use excludedModels of the source")
    if not isinstance(path, str) or not path:
        check.refuse(place, "is missing", "Set it to the key of the ConfigMap that holds the data")
        return
    if path.startswith("/"):
        # Only the product's own are known to be there.
        if origin not in (catalog.DEFAULTS, catalog.OLD_DEFAULTS):
            check.advise(place, "is an absolute path, which cannot be checked", "Use a key of the same ConfigMap")
        return
    name = catalog.key_at(path) or path
    if "/" in name or name == "..":
        check.advise(place, "is a path outside of the ConfigMap, which cannot be checked", "Use a key of the same ConfigMap")
        return
    text = data(origin, name)
    if text is None:
        check.refuse(place, f"ConfigMap {origin!r} does not have the key{_texts.repeated(name)}", "Add the key, or correct the path")
        return
    found = catalog_data.findings(text, source.kind) + catalog_data.too_long(text, source.kind, source.id)
    if source.kind is catalog.MODEL and any(finding.effect == catalog_check.PARTLY for finding in found):
        # What is wrong with the artifacts of a model that is not shown is not noticed.
        listed, shown = names(text, source, with_broken=True)
        found = tuple(finding for finding in found if finding.effect != catalog_check.PARTLY or listed[_index(finding.path)] in shown)
    check.findings += found


def _index(path: str) -> int:
    """The number of the entry of a place."""
    return int(path.partition("[")[2].partition("]")[0])


def _check_hugging_face(source: Merged, properties: Mapping[str, Any], generation: catalog.Generation, check: catalog_check.Check) -> None:
    organization = properties.get(catalog.ORGANIZATION)
    patterns = source.values.get("includedModels") or []
    excluded = source.values.get("excludedModels") or []
    if isinstance(organization, str) and organization:
        if "*" in organization or "/" in organization or not catalog_yaml.trimmed(organization):
            effect = "" if _is_missed(organization, patterns, excluded) else catalog_check.ADVICE
            check.refuse(f"properties.{catalog.ORGANIZATION}", "is not the name of an organization", "Set it without wildcards and slashes", effect)
        for key, listed in (("includedModels", patterns), ("excludedModels", excluded)):
            if any(pattern.startswith(f"{organization}/") for pattern in listed):
                check.advise(key, "has a pattern that begins with the organization, which is added a second time", "Omit the organization in patterns")
    elif not patterns:
        check.refuse("includedModels", "is empty, and there is no organization", f"Set {catalog.ORGANIZATION} or includedModels")
    else:
        for index, pattern in enumerate(patterns):
            owner, _slash, model = catalog_yaml.trimmed(pattern).partition("/")
            if not owner or "*" in owner or (_slash and not model):
                check.refuse(f"includedModels[{index}]", "has no organization", "Use patterns such as ibm-granite/*")
    if properties.get(catalog.API_KEY):
        check.advise(f"properties.{catalog.API_KEY}", f"is ignored by the catalog server of OpenShift AI {generation.version}", "Remove it")
    for name in ("apiKeyEnvVar", "url"):
        if properties.get(name) and generation.leaks:
            problem = "allows all users who can edit this ConfigMap to send secrets of the catalog server to any host"
            check.advise(f"properties.{name}", f"{problem}, in this version of OpenShift AI", "Remove it, and restrict who can edit the ConfigMap")


def _is_missed(organization: str, patterns: Sequence[str], excluded: Sequence[str]) -> bool:
    """Whether the server misses an organization of this name: not where there are single models, and the patterns let through none of these."""
    owner = catalog_yaml.trimmed(organization).partition("/")[0]
    names, hidden = ([f"{organization}/{pattern}" for pattern in listed] for listed in (patterns, excluded))
    # Beside single models, it does not mind patterns for which it finds nothing.
    singles = [name for name in names if not catalog_yaml.trimmed(name).endswith("*")]
    return not owner or "*" in owner or not singles or any(allows(name, names, hidden) for name in singles)


def allows(name: str, included: Iterable[str], excluded: Iterable[str]) -> bool:
    """Whether a source shows an entry of this name."""
    listed = list(included)
    return (not listed or _matches(name, listed)) and not _matches(name, excluded)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    plain, texts = name.translate(OTHER_LETTERS), (catalog_yaml.trimmed(pattern).translate(OTHER_LETTERS) for pattern in patterns)
    return any(re.fullmatch(".*".join(map(re.escape, text.split("*"))), plain, re.IGNORECASE) for text in texts)


def names(text: str, source: Merged, with_broken: bool = False) -> tuple[list[str], list[str]]:
    """The names of the entries in the data of a source, and of those that it shows; none where the data cannot be read."""
    named = [(_name(entry), entry) for entry in _entries(text, source.kind)]
    shown = [name for name, entry in named if source.is_enabled and (with_broken or _is_loaded(entry, name, source)) and _is_shown(name, source)]
    return [name for name, _entry in named], shown


def external_ids(text: str, source: Merged) -> dict[str, tuple[int, Any]]:
    """The external IDs of what a source shows, each with the number of its entry, and what tells that from others."""
    check = catalog_check.Check(catalog_check.FAILS)
    keys = catalog_schema.ENTRY_KEYS[source.kind.name]
    entries = [check.object(entry, keys, "") for entry in _entries(text, source.kind)]
    listed = enumerate(entries) if source.is_enabled else ()
    return {
        entry["externalId"]: (index, catalog_data.stored_as(entry, source.kind))
        for index, entry in listed
        if entry.get("externalId") is not None and _is_shown(entry.get("name", ""), source)
    }


def _entries(text: str, kind: catalog.Kind) -> list[dict[str, Any]]:
    try:
        content = catalog_yaml.parse(text, kind is catalog.MODEL)
    except catalog_yaml.NotYamlError:
        return []
    listed = _of(content, kind.entries) if isinstance(content, dict) else None
    return [entry if isinstance(entry, dict) else {} for entry in listed] if isinstance(listed, list) else []


def _is_shown(name: str, source: Merged) -> bool:
    included, excluded = (source.values.get(key) or [] for key in (source.kind.included, source.kind.excluded))
    legacy = (source.values.get("properties") or {}).get("excludedModels") if source.kind is catalog.MODEL else None
    return allows(name, included, [*excluded, *(pattern for pattern in (legacy if isinstance(legacy, list) else ()) if isinstance(pattern, str))])


def _of(given: Mapping[str, Any], key: str) -> Any:
    """The value of a key, which may be spelled in another case. Of several, the last one in the order of JSON counts, and null is none."""
    if given.get(key) is not None:
        return given[key]
    return next((given[name] for name in sorted(given, reverse=True) if name.casefold() == key and given[name] is not None), None)


def _name(entry: Mapping[str, Any]) -> str:
    name = _of(entry, "name")
    return name if isinstance(name, str) else catalog_yaml.coerced(name) if isinstance(name, (bool, int, float)) else ""


def _is_loaded(entry: Mapping[str, Any], name: str, source: Merged) -> bool:
    """Whether neither an artifact nor the database keeps the server from showing an entry."""
    check = catalog_check.Check(catalog_check.FAILS)
    # Its keys may be spelled in another case.
    known = check.object(entry, catalog_schema.ENTRY_KEYS[source.kind.name], "")
    is_long = source.kind is not catalog.MCP and len(source.id) + 1 + len(name) > catalog_data.LONGEST_STORED
    if is_long or catalog_data.not_stored(known, source.kind, ""):
        return False
    return source.kind is not catalog.MODEL or not any(finding.effect == catalog_check.PARTLY for finding in check.findings)
