# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the catalog server says of its files: what takes the whole catalog down, what fails a source, and what it accepts although nobody means it."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .. import _texts
from . import catalog, catalog_yaml

# What becomes of it: the catalog is down for everybody, the source has the status `error`, some of its entries are missing, or nothing.
DOWN, FAILS, PARTLY, ADVICE = "catalog", "source", "entry", "advice"
OPERATORS = frozenset({"=", "!=", ">", "<", ">=", "<=", "LIKE", "ILIKE", "IN", "NOT IN"})
STATUSES = ("available", "partially-available", "error", "disabled")
ASSET_TYPES = tuple(kind.asset_type for kind in catalog.KINDS.values())
SCHEMES = frozenset({"oci", "http", "https", "s3", "gs", "az", "file"})
QUOTE = "Write it in quotes"
# The longest display name of an MCP server.
LONGEST_DISPLAY_NAME = 255


@dataclass(frozen=True)
class Finding:
    """One thing about a file or a source, and what becomes of it. `path` is the place in the file."""

    effect: str
    path: str
    problem: str
    remedy: str

    def sentence(self) -> str:
        """It as one line for people."""
        end = "?" if self.remedy.startswith("Did you mean ") else "."
        return f"{self.path}{': ' if self.path else ''}{self.problem}. {self.remedy}{end}"


@dataclass(frozen=True)
class Key:
    """A key of an object, as Go's types read it. `coerces`: a number or boolean becomes a string; elsewhere it is refused."""

    type: str = "text"
    coerces: bool = False
    choices: tuple[str, ...] = ()
    keys: Mapping[str, Key] = field(default_factory=dict)


TEXT, COERCED, FLAG, TEXTS, MAP, NUMBER = Key(), Key(coerces=True), Key("flag"), Key("texts"), Key("map"), Key("number")
_SHARED = {"enabled": FLAG, "properties": MAP, "assetType": Key(choices=ASSET_TYPES)}
SOURCE_KEYS: dict[str, Mapping[str, Key]] = {
    # The first few are of a type that is part of another one, where the server's library does not look for a string.
    "model": {
        **dict.fromkeys(("id", "name", "error"), TEXT),
        "status": Key(choices=STATUSES),
        **dict.fromkeys(("labels", "includedModels", "excludedModels"), TEXTS),
        "type": COERCED,
        **_SHARED,
    },
    "mcp": {
        **dict.fromkeys(("id", "name", "type"), COERCED),
        **dict.fromkeys(("labels", "includedServers", "excludedServers"), Key("texts", True)),
        **_SHARED,
    },
    "agent": {**dict.fromkeys(("id", "name", "type"), COERCED), "labels": Key("texts", True), **_SHARED},
}
PROPERTIES = {
    catalog.YAML: frozenset({catalog.PATH}),
    catalog.HUGGING_FACE: frozenset({catalog.ORGANIZATION, catalog.API_KEY, "apiKeyEnvVar", "syncInterval", "maxModels", "url"}),
}
TIMES = dict.fromkeys(("createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"), TEXT)
METADATA: dict[str, tuple[str, Any]] = {
    "MetadataStringValue": ("string_value", str),
    "MetadataBoolValue": ("bool_value", bool),
    "MetadataIntValue": ("int_value", str),
    "MetadataDoubleValue": ("double_value", (int, float)),
    "MetadataStructValue": ("struct_value", str),
    "MetadataProtoValue": ("proto_value", str),
}
ARTIFACT_KEYS = {
    **dict.fromkeys(("uri", "name", "id", "externalId", "description", "artifactType", "metricsType"), TEXT),
    **TIMES,
    "customProperties": Key("metadata"),
}
TOOL_CALLING = {"toolCallParser": COERCED, "chatTemplate": COERCED, "enableAutoToolChoice": FLAG, "requiredArgs": Key("texts", True)}
MODEL_KEYS = {
    **dict.fromkeys(
        ("name", "description", "readme", "maturity", "provider", "logo", "license", "licenseLink", "libraryName", "externalId", "id", "source_id"), TEXT
    ),
    **TIMES,
    **dict.fromkeys(("language", "tasks", "validatedTasks"), TEXTS),
    "customProperties": Key("metadata"),
    "servingConfig": Key("object", keys={"toolCalling": Key("object", keys=TOOL_CALLING)}),
    "artifactCounts": Key("numbers"),
    "artifacts": Key("artifacts"),
}
PARAMETER = {"name": COERCED, "type": COERCED, "description": COERCED, "required": FLAG}
TOOL = {**dict.fromkeys(("name", "description", "schema", "accessType"), COERCED), "parameters": Key("objects", keys=PARAMETER)}
RUNTIME = {
    "defaultPort": NUMBER,
    "defaultArgs": Key("texts", True),
    "mcpPath": COERCED,
    **dict.fromkeys(("requiredEnvironmentVariables", "optionalEnvironmentVariables"), Key("list")),
    **dict.fromkeys(("recommendedResources", "healthEndpoints", "capabilities", "prerequisites"), MAP),
}
SERVER_KEYS = {
    **dict.fromkeys(
        ("name", "displayName", "externalId", "description", "provider", "version", "logo", "license", "licenseLink", "documentationUrl", "repositoryUrl"),
        COERCED,
    ),
    **dict.fromkeys(("sourceCode", "readme", "publishedDate", "deploymentMode", "createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"), COERCED),
    **dict.fromkeys(("transports", "tags"), Key("texts", True)),
    "tools": Key("objects", keys=TOOL),
    "artifacts": Key("uris", True),
    "endpoints": Key("object", keys=dict.fromkeys(("http", "sse", "websocket"), COERCED)),
    "runtimeMetadata": Key("object", keys=RUNTIME),
    "securityIndicators": Key("object", keys=dict.fromkeys(("verifiedSource", "secureEndpoint", "sast", "readOnlyTools"), FLAG)),
    "customProperties": Key("metadata"),
}
AGENT_KEYS = {
    **dict.fromkeys(("name", "externalId", "displayName", "description", "readme", "framework", "logo", "repositoryUrl"), COERCED),
    **dict.fromkeys(("createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"), COERCED),
    "labels": Key("texts", True),
    "env": Key("objects", keys={"name": COERCED, "required": FLAG}),
    "artifacts": Key("objects", keys={"uri": COERCED}),
    "templates": Key("objects", keys={"name": COERCED, "content": COERCED}),
    "customProperties": Key("metadata"),
}
ENTRY_KEYS: dict[str, Mapping[str, Key]] = {"model": MODEL_KEYS, "mcp": SERVER_KEYS, "agent": AGENT_KEYS}


# All keys that a place can name.
KNOWN = {key for keys in (*SOURCE_KEYS.values(), *ENTRY_KEYS.values(), TOOL, PARAMETER, RUNTIME, TOOL_CALLING, ARTIFACT_KEYS) for key in keys} | {
    "namedQueries",
    "toolCalling",
    *(key for keys in PROPERTIES.values() for key in keys),
}


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
    findings: tuple[Finding, ...] = ()
    # It as it is written.
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_refused(self) -> bool:
        """Whether the whole catalog is down with it."""
        return any(finding.effect == DOWN for finding in self.findings)


def below(path: str, key: str) -> str:
    """The place of a key. What may be a credential in the wrong place is not repeated."""
    shown = key if _texts.may_repeat(key) or key in KNOWN else _texts.NOT_SHOWN
    return f"{path}.{shown}" if path else shown


class Check:
    """Collects what there is to say of a file; whatever does not fit has this effect."""

    def __init__(self, effect: str, strict: bool = True) -> None:
        self._effect, self._strict = effect, strict
        self.findings: list[Finding] = []

    def refuse(self, path: str, problem: str, remedy: str, effect: str = "") -> None:
        """Something that the server refuses."""
        self.findings.append(Finding(effect or self._effect, path, problem, remedy))

    def advise(self, path: str, problem: str, remedy: str) -> None:
        """Something that it accepts."""
        self.findings.append(Finding(ADVICE, path, problem, remedy))

    def object(self, given: Any, keys: Mapping[str, Key], path: str, strict: bool | None = None) -> dict[str, Any]:
        """An object with the keys that it has, spelled as they should be, and without those that are null or do not fit."""
        if not isinstance(given, dict):
            if given is not None:
                self.refuse(path, f"must be a mapping, but is {_word(given)}", "Correct the indentation, or remove it")
            return {}
        made: dict[str, Any] = {}
        exact = keys.keys()
        # JSON has its keys in this order, and the last one of those that are the same counts.
        for name in given if given.keys() <= exact else sorted(given):
            known = name if name in exact else _folded(name, keys)
            place = below(path, name)
            if known is None:
                self._unknown(place, keys, strict)
                continue
            if known != name:
                self.advise(place, f"is read as {known!r}", f"Spell it {known}")
            value = self.value(given[name], keys[known], place)
            if value is not None:
                made[known] = value
        return made

    def _unknown(self, path: str, keys: Mapping[str, Key], strict: bool | None) -> None:
        similar = difflib.get_close_matches(path.rpartition(".")[2], keys, 1)
        remedy = f"Did you mean {similar[0]}" if similar else "Remove it"
        if self._strict if strict is None else strict:
            self.refuse(path, "is not a known key", remedy)
        else:
            self.advise(path, "is ignored, because it is not a known key", remedy)

    def value(self, given: Any, key: Key, path: str) -> Any:
        """A value as the server reads it; None where it is null or does not fit."""
        if given is None:
            return None
        kind = key.type
        if kind == "text":
            return self._text(given, key, path)
        if kind == "texts":
            return self._texts(given, key, path)
        if kind == "flag":
            return self._fitting(given, bool, "a boolean", path)
        if kind in ("map", "metadata", "numbers", "object"):
            found = self._fitting(given, dict, "a mapping", path)
            if found is None:
                return None
            if kind == "object":
                return self.object(found, key.keys, path)
            if kind != "map":
                for name, part in found.items():
                    self._metadata(part, below(path, name)) if kind == "metadata" else self._fitting(part, int, "an integer", below(path, name))
            return found
        if kind == "number":
            return self._fitting(given, int, "an integer", path)
        found = self._fitting(given, list, "a list", path)
        if found is not None and kind == "objects":
            # Null is an empty object here.
            return [self.object(part, key.keys, f"{path}[{index}]") if part is not None else None for index, part in enumerate(found)]
        if found is not None and kind in ("artifacts", "uris"):
            for index, artifact in enumerate(found):
                self._artifact(artifact, key.coerces, f"{path}[{index}]")
        return found

    def _text(self, given: Any, key: Key, path: str) -> str | None:
        if isinstance(given, str):
            text = given
        elif key.coerces and isinstance(given, (bool, int, float)):
            text = catalog_yaml.coerced(given)
            self.advise(path, f"is {_word(given)}, which is read as a string{_texts.repeated(text)}", QUOTE)
        else:
            is_scalar = isinstance(given, (bool, int, float))
            self.refuse(path, f"must be a string, but is {_word(given)}", QUOTE if is_scalar else "Set a string")
            return None
        if key.choices and text not in key.choices:
            self.refuse(path, "is not a valid value", f"Set it to {' or '.join(key.choices)}, or remove it")
            return None
        return text

    def _texts(self, given: Any, key: Key, path: str) -> list[str] | None:
        found = self._fitting(given, list, "a list of strings", path)
        if found is None:
            return None
        if all(type(part) is str for part in found):
            return list(found)
        # Null is an empty string there.
        return ["" if part is None else self._text(part, key, f"{path}[{index}]") or "" for index, part in enumerate(found)]

    def _fitting(self, given: Any, wanted: Any, word: str, path: str) -> Any:
        if given is None or (isinstance(given, wanted) and (wanted is bool or not isinstance(given, bool))):
            return given
        self.refuse(path, f"must be {word}, but is {_word(given)}", f"Set {word}")
        return None

    def _metadata(self, given: Any, path: str) -> None:
        value = self._fitting(given, dict, "a mapping with metadataType and a value", path)
        if value is None:
            return
        name = value.get("metadataType")
        if not isinstance(name, str) or name not in METADATA:
            self.advise(path, "is ignored, because its metadataType is not known", f"Set metadataType to {' or '.join(METADATA)}")
            return
        key, wanted = METADATA[name]
        if value.get(key) is None:
            self.advise(path, f"has no {key}", f"Set {key}")
        elif not isinstance(value[key], wanted) or (isinstance(value[key], bool) and wanted is not bool):
            self.refuse(
                f"{path}.{key}", f"does not fit {name}, because it is {_word(value[key])}", QUOTE if wanted is str else "Correct the value or metadataType"
            )

    def _artifact(self, given: Any, coerces: bool, path: str) -> None:
        if given is None and not coerces:
            # The server dereferences it.
            self.refuse(path, "is empty, which ends the process of the server", "Remove it", DOWN)
            return
        artifact = self.object(given, _coerced(ARTIFACT_KEYS) if coerces else ARTIFACT_KEYS, path, strict=False)
        kind = "" if coerces else artifact.get("artifactType", "")
        if kind not in ("", "model-artifact", "metrics-artifact"):
            self.refuse(f"{path}.artifactType", "is not a valid value", "Set it to model-artifact or metrics-artifact")
        elif kind != "metrics-artifact":
            problem = uri_problem(str(artifact.get("uri", "")))
            if problem:
                self.refuse(f"{path}.uri", problem, f"Use one of the schemes {', '.join(sorted(SCHEMES))}", PARTLY)


def _coerced(keys: Mapping[str, Key]) -> dict[str, Key]:
    return {name: COERCED if key is TEXT else key for name, key in keys.items()}


def _folded(name: str, keys: Iterable[str]) -> str | None:
    """The key that is meant by one in another case: Go's JSON does not distinguish."""
    folded = name.casefold()
    return next((key for key in keys if key.casefold() == folded), None)


def _word(value: Any) -> str:
    words: list[tuple[Any, str]] = [(bool, "a boolean"), ((int, float), "a number"), (dict, "a mapping"), (list, "a list"), (type(None), "empty")]
    return next((word for kind, word in words if isinstance(value, kind)), "a string")


def uri_problem(uri: str) -> str:
    """Why the server does not accept the address of an artifact; empty when it does."""
    if not uri:
        return "is missing"
    try:
        scheme = urlsplit(uri).scheme
    except ValueError:
        return "is not a valid URI"
    if not re.match(r"[a-zA-Z][-+.a-zA-Z0-9]*:", uri) or not scheme:
        return "has no scheme"
    if not uri.isprintable() or re.search(r"%(?![0-9a-fA-F]{2})", uri):
        return "is not a valid URI"
    return "" if scheme in SCHEMES else f"has a scheme{_texts.repeated(scheme)} that is not supported"


def read_file(text: str, generation: catalog.Generation) -> File:
    """A file with sources as the server of this generation reads it."""
    check = Check(DOWN)
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
        check.refuse("", f"the file must be a mapping, but is {_word(content)}", f"Begin it with {generation.kinds[0].sections[0]}:")
        return File(document, findings=tuple(check.findings))
    keys = {**dict.fromkeys((*generation.sections, "labels"), Key("list")), "namedQueries": MAP, "skill_catalogs": Key("list")}
    # In the order of precedence within a file.
    top = check.object(content, {name: key for name, key in keys.items() if name in generation.keys}, "")
    entries = _entries(top, generation, check)
    labels = _labels(top.get("labels") or [], check)
    queries = _queries(top.get("namedQueries") or {}, check)
    return File(document, entries, labels, queries, tuple(check.findings), content)


def _entries(top: Mapping[str, Any], generation: catalog.Generation, check: Check) -> tuple[Entry, ...]:
    made: list[Entry] = []
    seen: dict[str, Entry] = {}
    for kind in generation.kinds:
        # The newer key comes first: what the older one says of the same source does not count.
        for section in reversed(kind.sections):
            for index, given in enumerate(top.get(section) or ()):
                entry = Entry(kind, section, index, check.object(given, SOURCE_KEYS[kind.name], f"{section}[{index}]"))
                before = seen.get(entry.id)
                if not entry.id:
                    check.refuse(f"{entry.path}.id", "is missing", "Set it")
                elif before is None:
                    seen[entry.id] = entry
                elif before.kind is kind and before.section != section:
                    check.advise(entry.path, f"is ignored, because {before.path} has the same ID", "Remove one of them")
                    continue
                else:
                    check.refuse(f"{entry.path}.id", f"is also the ID of {before.path}", "Use each ID once in a file, also for different kinds")
                _check_patterns(entry, check)
                made.append(entry)
    return tuple(made)


def _check_patterns(entry: Entry, check: Check) -> None:
    kind = entry.kind
    lists = [(name, entry.values.get(name) or []) for name in (kind.included, kind.excluded) if name]
    for name, patterns in lists:
        for index, pattern in enumerate(patterns):
            if not pattern.strip():
                check.refuse(f"{entry.path}.{name}[{index}]", "is an empty pattern", "Remove it, or set a pattern such as *")
    if len(lists) == 2:
        both = sorted({pattern.strip() for pattern in lists[0][1]} & {pattern.strip() for pattern in lists[1][1]})
        if both:
            check.advise(f"{entry.path}.{kind.excluded}", f"has {len(both)} patterns that {kind.included} has too", "Remove them from one of the lists")


def _labels(given: Sequence[Any], check: Check) -> tuple[Mapping[str, Any], ...]:
    labels: list[Mapping[str, Any]] = []
    names: set[Any] = set()
    for index, label in enumerate(given):
        path = f"labels[{index}]"
        if label is not None and not isinstance(label, dict):
            check.refuse(path, f"must be a mapping, but is {_word(label)}", "Set a mapping with a name")
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
                check.refuse(below(path, key), f"must be a string, but is {_word(value)}", QUOTE if isinstance(value, (bool, int, float)) else "Set a string")
        labels.append(found)
    return tuple(labels)


def _queries(given: Mapping[str, Any], check: Check) -> Mapping[str, Any]:
    """Named queries in their newer form, with the fields of each below `filters`."""
    made: dict[str, Any] = {}
    for name, query in given.items():
        path = below("namedQueries", name)
        if not name:
            check.refuse("namedQueries", "has a query without a name", "Name it")
        if not isinstance(query, dict):
            check.refuse(path, f"must be a mapping, but is {_word(query)}", "Set a mapping of fields to operator and value")
            continue
        is_new = "filters" in query
        asset_type = query.get("assetType") if is_new else None
        if asset_type not in (None, "", *ASSET_TYPES):
            check.refuse(f"{path}.assetType", "is not a valid value", f"Set it to {' or '.join(ASSET_TYPES)}")
        filters = query["filters"] if is_new else query
        if not isinstance(filters, dict) or not filters:
            check.refuse(path, "has no filters", "Set at least one field with operator and value")
            continue
        conditions = {name: _condition(condition, below(path, name), check) for name, condition in filters.items()}
        made[name] = {"assetType": asset_type or ASSET_TYPES[0], "filters": conditions}
    return made


def _condition(given: Any, path: str, check: Check) -> Mapping[str, Any]:
    """The condition for a field: its operator in capitals, and its value."""
    if not isinstance(given, dict):
        check.refuse(path, f"must be a mapping, but is {_word(given)}", "Set operator and value")
        return {}
    found = {_folded(name, ("operator", "value")) or name: value for name, value in given.items()}
    operator, value = found.get("operator"), found.get("value")
    if not isinstance(operator, str) or operator.upper() not in OPERATORS:
        check.refuse(f"{path}.operator", "is not a valid operator", f"Set it to one of {', '.join(sorted(OPERATORS))}")
        return {}
    if operator.upper() in ("IN", "NOT IN") and not isinstance(value, list):
        check.refuse(f"{path}.value", f"must be a list for the operator {operator}", "Set a list")
    elif value is None:
        check.refuse(f"{path}.value", "is missing", "Set it")
    return {"operator": operator.upper(), "value": value}


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


def merged(files: Iterable[tuple[str, File]]) -> dict[tuple[str, str], Merged]:
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


def clashes(files: Sequence[tuple[str, File]]) -> list[tuple[str, Finding]]:
    """What the server refuses of files together, with the file that comes last."""
    found: list[tuple[str, Finding]] = []
    labels: dict[Any, str] = {}
    kinds: dict[str, str] = {}
    for origin, file in files:
        for label in file.labels:
            name = label.get("name")
            if not isinstance(name, str) and name is not None:
                continue
            if labels.setdefault(name, origin) != origin:
                problem = f"label{_texts.repeated(name)} is also in ConfigMap {labels[name]!r}"
                found.append((origin, Finding(DOWN, "labels", problem, "Remove it from one of them")))
        for entry in file.entries:
            if kinds.setdefault(entry.id, entry.kind.name) != entry.kind.name:
                problem = f"is also the ID of a source of kind {kinds[entry.id]} in another ConfigMap, with which it shares its status"
                found.append((origin, Finding(ADVICE, f"{entry.path}.id", problem, "Use each ID once")))
    return found


def source_findings(source: Merged, data: Callable[[str, str], str | None], generation: catalog.Generation) -> list[Finding]:
    """What the server says of a source once all files are read. `data` is the text of a file beside the one with the sources, by origin and path.

    It looks at disabled sources only when they are enabled.
    """
    check = Check(FAILS)
    properties = source.values.get("properties")
    if source.type not in source.kind.types:
        what = f"has a type{_texts.repeated(source.type)} that is not supported" if source.type else "has no type"
        check.refuse("type", what, f"Set it to {' or '.join(source.kind.types)}")
        return check.findings
    if not source.values.get("name"):
        check.advise("name", "is missing, so that the source has no name in the dashboard", "Set it")
    origin = source.origins.get("properties", "")
    given: Mapping[str, Any] = properties or {}
    known = PROPERTIES[source.type] | ({"excludedModels"} if source.kind is catalog.MODEL else set())
    for name in given:
        if name not in known:
            check.advise(below("properties", name), "is ignored, because it is not a known property", "Remove it")
    if source.type == catalog.HUGGING_FACE:
        _check_hugging_face(source, given, generation, check)
    else:
        _check_yaml(source, given, origin, data, check)
    return check.findings


def _check_yaml(source: Merged, properties: Mapping[str, Any], origin: str, data: Callable[[str, str], str | None], check: Check) -> None:
    path = properties.get(catalog.PATH)
    place = f"properties.{catalog.PATH}"
    legacy = properties.get("excludedModels")
    if source.kind is catalog.MODEL and "excludedModels" in properties and not (isinstance(legacy, list) and all(isinstance(part, str) for part in legacy)):
        check.refuse("properties.excludedModels", "must be a list of strings", "Remove it, and use excludedModels of the source")
    if not isinstance(path, str) or not path:
        check.refuse(place, "is missing", "Set it to the key of the ConfigMap that holds the data")
        return
    if path.startswith("/"):
        # Only the product's own are known to be there.
        if origin not in (catalog.DEFAULTS, catalog.OLD_DEFAULTS):
            check.advise(place, "is an absolute path, which cannot be checked", "Use a key of the same ConfigMap")
        return
    name = path[2:] if path.startswith("./") else path
    if not catalog.DATA_KEY.fullmatch(name):
        check.advise(place, "is a path outside of the ConfigMap, which cannot be checked", "Use a key of the same ConfigMap")
        return
    text = data(origin, name)
    if text is None:
        check.refuse(place, f"ConfigMap {origin!r} does not have the key{_texts.repeated(name)}", "Add the key, or correct the path")
        return
    check.findings += data_findings(text, source.kind)


def _check_hugging_face(source: Merged, properties: Mapping[str, Any], generation: catalog.Generation, check: Check) -> None:
    organization = properties.get(catalog.ORGANIZATION)
    patterns = source.values.get("includedModels") or []
    excluded = source.values.get("excludedModels") or []
    if isinstance(organization, str) and organization:
        if "*" in organization or "/" in organization or not organization.strip():
            check.refuse(f"properties.{catalog.ORGANIZATION}", "is not the name of an organization", "Set it without wildcards and slashes")
        prefixed = [pattern for pattern in (*patterns, *excluded) if pattern.startswith(f"{organization}/")]
        if prefixed:
            check.advise("includedModels", "has a pattern that begins with the organization, which is added once more", "Omit the organization in patterns")
    elif not patterns:
        check.refuse("includedModels", "is empty, and there is no organization", f"Set {catalog.ORGANIZATION} or includedModels")
    else:
        for index, pattern in enumerate(patterns):
            owner, _slash, model = pattern.strip().partition("/")
            if not owner or "*" in owner or (_slash and not model):
                check.refuse(f"includedModels[{index}]", "has no organization", "Use patterns such as ibm-granite/*")
    if properties.get(catalog.API_KEY):
        check.advise(f"properties.{catalog.API_KEY}", f"is ignored by the catalog server of OpenShift AI {generation.version}", "Remove it")
    for name in ("apiKeyEnvVar", "url"):
        if properties.get(name) and generation.leaks:
            problem = "lets whoever can edit this ConfigMap send secrets of the catalog server to any host"
            check.advise(f"properties.{name}", f"{problem}, in this version of OpenShift AI", "Remove it, and restrict who can edit the ConfigMap")


# The same data are looked at as they are wanted and as they are there, and reading them takes longer than anything else.
@functools.lru_cache(maxsize=4096)
def data_findings(text: str, kind: catalog.Kind) -> tuple[Finding, ...]:
    """What the server says of a file with models, MCP servers or agents. That of models is read strictly, the others are not."""
    is_strict = kind is catalog.MODEL
    check = Check(FAILS, is_strict)
    try:
        document = catalog_yaml.read(text)
        content = document.value(is_strict)
    except catalog_yaml.NotYamlError as error:
        check.refuse("", f"the data cannot be read: {error}", "Correct it")
        return tuple(check.findings)
    if document.has_more:
        check.advise("", "the data has a second document, which is ignored", "Remove everything after the line ---")
    return (*check.findings, *_entry_findings(content, kind))


def _entry_findings(content: Any, kind: catalog.Kind) -> list[Finding]:
    """What it says of the content."""
    check = Check(FAILS, kind is catalog.MODEL)
    if content is not None and not isinstance(content, dict):
        check.refuse("", f"the data must be a mapping, but is {_word(content)}", f"Begin it with {kind.entries}:")
        return check.findings
    top = check.object(content or {}, {**({"source": COERCED} if kind is catalog.MODEL else {}), kind.entries: Key("list")}, "")
    entries = top.get(kind.entries) or []
    if not entries:
        check.advise("", f"the data has no {kind.entries}", f"Add an entry to {kind.entries}")
    names: dict[str, int] = {}
    keys = ENTRY_KEYS[kind.name]
    for index, given in enumerate(entries):
        path = f"{kind.entries}[{index}]"
        entry = check.object(given, keys, path)
        name = entry.get("name")
        if not name:
            if given is None and kind is catalog.MCP:
                check.refuse(path, "is empty, which ends the process of the server", "Remove it", DOWN)
            else:
                check.advise(f"{path}.name", f"is missing, so that the {kind.entry} has no name", "Set it")
        elif names.setdefault(name, index) != index:
            check.advise(f"{path}.name", f"is also the name of {kind.entries}[{names[name]}], and only one of them is shown", "Use each name once")
        if kind is catalog.MCP:
            _check_server(entry, path, check)
    return check.findings


def _check_server(entry: Mapping[str, Any], path: str, check: Check) -> None:
    for index, tool in enumerate(entry.get("tools") or ()):
        if tool is None:
            check.refuse(f"{path}.tools[{index}]", "is empty, which ends the process of the server", "Remove it", DOWN)
    display_name = entry.get("displayName") or ""
    if len(display_name.encode()) > LONGEST_DISPLAY_NAME:
        check.refuse(f"{path}.displayName", f"has more than {LONGEST_DISPLAY_NAME} bytes", "Shorten it", PARTLY)
    endpoints = entry.get("endpoints") or {}
    if entry.get("deploymentMode") == "remote" and not endpoints:
        check.refuse(f"{path}.endpoints", "is missing for deploymentMode remote", "Set http, sse or websocket", PARTLY)
    for name, address in endpoints.items():
        schemes = ("http", "https", "ws", "wss") if name == "websocket" else ("http", "https")
        if address.partition(":")[0].lower() not in schemes:
            check.refuse(f"{path}.endpoints.{name}", "is not a valid URL", f"Use one of the schemes {', '.join(schemes)}", PARTLY)


def allows(name: str, included: Iterable[str], excluded: Iterable[str]) -> bool:
    """Whether a source shows an entry of this name."""
    listed = list(included)
    return (not listed or _matches(name, listed)) and not _matches(name, excluded)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(re.fullmatch(".*".join(map(re.escape, pattern.strip().split("*"))), name, re.IGNORECASE) for pattern in patterns)


def names(text: str, source: Merged) -> tuple[list[str], list[str]]:
    """The names of the entries in the data of a source, and of those that it shows; none where the data cannot be read."""
    try:
        content = catalog_yaml.parse(text, source.kind is catalog.MODEL)
    except catalog_yaml.NotYamlError:
        return [], []
    listed = content.get(source.kind.entries) if isinstance(content, dict) else None
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    included, excluded = (source.values.get(key) or [] for key in (source.kind.included, source.kind.excluded))
    named = [(str(entry.get("name") or ""), entry) for entry in entries]
    shown = [name for name, entry in named if source.is_enabled and _is_loaded(entry, source.kind) and allows(name, included, excluded)]
    return [name for name, _entry in named], shown


def _is_loaded(entry: Mapping[str, Any], kind: catalog.Kind) -> bool:
    """Whether no artifact keeps the server from showing a model."""
    check = Check(FAILS)
    if kind is catalog.MODEL and entry.get("artifacts"):
        check.value(entry["artifacts"], Key("artifacts"), "artifacts")
    return not any(finding.effect == PARTLY for finding in check.findings)
