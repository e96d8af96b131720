"""The files of the model catalog as its server reads them: with what it refuses, in its words where they are known, and what it makes of the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

MODELS, MCP_SERVERS, AGENTS = "models", "mcp_servers", "agents"
# The top-level keys of a file that hold sources of each kind of asset; of the same source, the first one counts.
SECTIONS = {MODELS: ("model_catalogs", "catalogs"), MCP_SERVERS: ("mcp_catalogs",), AGENTS: ("agent_catalogs",)}
# What the server calls the part of it that reads each kind.
PLUGINS = {MODELS: "model", MCP_SERVERS: "mcp", AGENTS: "agent"}
LISTS = {MODELS: ("includedModels", "excludedModels"), MCP_SERVERS: ("includedServers", "excludedServers"), AGENTS: ("", "")}
SKILLS, TOP = "skill_catalogs", "SourceConfig"
SCHEMES = ("oci", "http", "https", "s3", "gs", "az", "file")
OPERATORS = ("=", "!=", ">", "<", ">=", "<=", "LIKE", "ILIKE", "IN", "NOT IN")
MODEL_TEXTS = (
    *("name", "description", "readme", "maturity", "provider", "logo", "license", "licenseLink", "libraryName", "externalId", "id", "source_id"),
    *("createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"),
)
MODEL_KEYS: dict[str, type] = {
    **dict.fromkeys(MODEL_TEXTS, str),
    **dict.fromkeys(("language", "tasks", "validatedTasks", "artifacts"), list),
    **dict.fromkeys(("customProperties", "servingConfig", "artifactCounts"), dict),
}
TEXT_LISTS = ("labels", "language", "tasks", "validatedTasks", *LISTS[MODELS], *LISTS[MCP_SERVERS])
_WORDS = {**dict.fromkeys(("y", "yes", "true", "on"), True), **dict.fromkeys(("n", "no", "false", "off"), False)}
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


class Refused(Exception):
    """The server does not accept a file; the text is what it says."""


class Crash(Exception):
    """The process of the server ends."""


def load(text: str, strict: bool = True) -> Any:
    """What the server's YAML library makes of the first document of a text. Refused where that is nothing."""
    try:
        loader = yaml.SafeLoader(text.removeprefix("\ufeff"))
        try:
            node = loader.get_node() if loader.check_node() else None
        finally:
            loader.dispose()
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise Refused(f"error converting YAML to JSON: yaml: line {mark.line + 1 if mark else 1}: {getattr(error, 'problem', None) or 'bad'}") from None
    return None if node is None else _value(node, strict)


def _value(node: yaml.Node, strict: bool) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node.value) if node.style is None else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, strict) for item in node.value]
    made: dict[str, Any] = {}
    for key_node, value_node in node.value:
        merged = _value(value_node, strict)
        pairs = merged if key_node.value == "<<" and isinstance(merged, dict) else {_key(key_node): merged}
        for key, value in pairs.items():
            if strict and key in made:
                raise Refused(f'error converting YAML to JSON: yaml: unmarshal errors:\n  line {key_node.start_mark.line + 1}: key "{key}" already set in map')
            made[key] = value
    return made


def _key(node: yaml.Node) -> str:
    value = _value(node, True)
    if value is None or isinstance(value, (list, dict)):
        raise Refused("error converting YAML to JSON: unsupported key type")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _scalar(text: str) -> Any:
    """An unquoted scalar: not what YAML 1.2 takes it for, and not quite what 1.1 does."""
    if text in ("", "~") or text in _cases("null"):
        return None
    for word, value in _WORDS.items():
        if text in _cases(word):
            return value
    if text[0] not in "+-.0123456789":
        return text
    plain = text.replace("_", "")
    if re.fullmatch(r"[-+]?0[0-7]+", plain):
        return int(plain, 8)
    try:
        return int(plain, 0)
    except ValueError:
        return float(plain) if _NUMBER.fullmatch(plain) else text


def _cases(word: str) -> tuple[str, str, str]:
    return word, word.capitalize(), word.upper()


def _unmarshal(what: str, given: Any, go_type: str) -> Refused:
    words: dict[type, str] = {bool: "bool", str: "string", list: "array", dict: "object"}
    kind = words.get(type(given), "number")
    return Refused(f"error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go struct field {what} of type {go_type}")


def _fields(given: Any, keys: Mapping[str, type], where: str, coerced: bool, strict: bool = True) -> dict[str, Any]:
    """An object with its keys as they are spelled in the server's types. `coerced`: numbers and booleans become strings."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise _unmarshal(where, given, where)
    known = {key.casefold(): key for key in keys}
    made: dict[str, Any] = {}
    for name in sorted(given):
        key = known.get(name.casefold())
        if key is None:
            if strict:
                raise Refused(f'error unmarshaling JSON: while decoding JSON: json: unknown field "{name}"')
            continue
        value = given[name]
        if value is None:
            continue
        made[key] = _fitting(value, keys[key], f"{where}.{key}", coerced, key in TEXT_LISTS and where != TOP)
    return made


def _fitting(value: Any, wanted: type, where: str, coerced: bool, has_texts: bool) -> Any:
    if wanted is str and coerced and isinstance(value, (bool, int, float)):
        return str(value).lower() if isinstance(value, bool) else str(value)
    fits = isinstance(value, wanted)
    if not fits:
        raise _unmarshal(where, value, {str: "string", bool: "bool", list: "[]string", dict: "map[string]interface {}"}[wanted])
    if wanted is list and has_texts:
        return ["" if part is None else _fitting(part, str, where, coerced, False) for part in value]
    return value


@dataclass(frozen=True)
class File:
    """One file with sources: by kind of asset, each source as the file has it; the labels; and what a single part of the server refuses of it."""

    sources: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    labels: list[dict[str, Any]] = field(default_factory=list)
    refused: Mapping[str, str] = field(default_factory=dict)


def read(text: str, knows_skills: bool = False) -> File:
    """A file with sources. Refused where every part of the server refuses it."""
    content = load(text)
    keys: dict[str, type] = {section: list for sections in SECTIONS.values() for section in sections}
    top = _fields(content, {**keys, "labels": list, "namedQueries": dict, **({SKILLS: list} if knows_skills else {})}, TOP, False)
    sources = {asset: _sources(top, asset) for asset in SECTIONS}
    seen: dict[str, str] = {}
    for asset, found in sources.items():
        for source in found:
            identity = source.get("id", "")
            if not identity:
                raise Refused(f"invalid configuration: {PLUGINS[asset]} catalog source missing id")
            if identity in seen:
                same = seen[identity] == asset
                raise Refused(
                    f"invalid configuration: duplicate {PLUGINS[asset]} catalog id: {identity}" if same else f'id "{identity}" used in multiple types'
                )
            seen[identity] = asset
    for name, query in (top.get("namedQueries") or {}).items():
        _check_query(name, query)
    labels = top.get("labels") or []
    for label in labels:
        if label is not None and not isinstance(label, dict):
            raise _unmarshal("SourceConfig.labels", label, "map[string]interface {}")
    refused = {PLUGINS[asset]: why for asset, found in sources.items() if (why := _pattern_problem(found, asset))}
    if why := _label_problem(labels):
        refused.setdefault("model", why)
    return File(sources, [label or {} for label in labels], refused)


def _sources(top: Mapping[str, Any], asset: str) -> list[dict[str, Any]]:
    texts = dict.fromkeys(("id", "name", "type", "assetType", *(("status", "error") if asset == MODELS else ())), str)
    keys: dict[str, type] = {**texts, "enabled": bool, "labels": list, "properties": dict, **{name: list for name in LISTS[asset] if name}}
    made: list[dict[str, Any]] = []
    for section in SECTIONS[asset]:
        earlier = {source.get("id") for source in made}
        # The types of models embed another one, in which the library does not look for texts.
        found = [_fields(given, keys, f"{section}", asset != MODELS) for given in top.get(section) or ()]
        made += [source for source in found if source.get("id") not in earlier]
    return made


def _pattern_problem(sources: Iterable[Mapping[str, Any]], asset: str) -> str:
    for source in sources:
        for name in filter(None, LISTS[asset]):
            for index, pattern in enumerate(source.get(name) or ()):
                if not pattern.strip():
                    return f"invalid source {source['id']}: {name}[{index}]: pattern cannot be empty"
    return ""


def _label_problem(labels: Iterable[Any]) -> str:
    names: list[Any] = []
    for index, given in enumerate(labels):
        label = given or {}
        name = label.get("name", "")
        if name == "":
            return f"invalid label at index {index}: missing required 'name' field"
        if not isinstance(name, str) and name is not None:
            return f"unknown name type: {name}"
        if name in names:
            return f"duplicate label name '{name}' within the same origin"
        names.append(name)
        for key, value in label.items():
            if not isinstance(value, str) and not (key == "name" and value is None):
                return f"label '{name}' has invalid property \"{key}\""
    return ""


def _check_query(name: str, query: Any) -> None:
    if not isinstance(query, dict):
        raise _unmarshal("SourceConfig.namedQueries", query, "NamedQuery")
    if not name:
        raise Refused("invalid named queries: named query name cannot be empty")
    filters = query.get("filters", query)
    if query.get("assetType") not in (None, "", MODELS, MCP_SERVERS, AGENTS) and "filters" in query:
        raise Refused(f"invalid named queries: named query '{name}' has invalid assetType '{query['assetType']}'")
    if not filters:
        raise Refused(f"invalid named queries: named query '{name}' must contain at least one field filter")
    for place, condition in filters.items():
        if not isinstance(condition, dict):
            raise _unmarshal(f"namedQueries.{place}", condition, "FieldFilter")
        operator, value = condition.get("operator"), condition.get("value")
        if str(operator).upper() not in OPERATORS:
            raise Refused(f"invalid named queries: unsupported operator '{operator}' for field '{place}' in named query '{name}'")
        if value is None or (str(operator).upper() in ("IN", "NOT IN") and not isinstance(value, list)):
            raise Refused(f"invalid named queries: operator '{operator}' does not have a fitting value for field '{place}' in named query '{name}'")


def merged(files: Iterable[tuple[str, File]], asset: str) -> dict[str, dict[str, Any]]:
    """The sources of all files, by ID: later ones override earlier ones key by key. `origin` is the file that the properties are from."""
    made: dict[str, dict[str, Any]] = {}
    for origin, file in files:
        for source in file.sources.get(asset, ()):
            values = {key: value for key, value in source.items() if value != "" or key == "id"}
            if "properties" in values or source["id"] not in made:
                values["origin"] = origin
            made[source["id"]] = made.get(source["id"], {}) | values
    return made


def label_clash(files: Iterable[tuple[str, File]]) -> str:
    """Why the labels of several files do not go together; empty when they do."""
    seen: dict[Any, str] = {}
    for origin, file in files:
        for label in file.labels:
            if seen.setdefault(label.get("name"), origin) != origin:
                return f"label with name '{label.get('name')}' already exists from another origin"
    return ""


def allows(name: str, source: Mapping[str, Any], asset: str) -> bool:
    """Whether the patterns of a source let through an entry of this name."""
    included, excluded = ([_pattern(text) for text in source.get(key) or ()] if key else [] for key in LISTS[asset])
    return (not included or any(one.fullmatch(name) for one in included)) and not any(one.fullmatch(name) for one in excluded)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in text.strip().split("*")), re.IGNORECASE)


def models_of(text: str) -> list[dict[str, Any]]:
    """The models in a file with data, which is read strictly. Refused, or Crash."""
    content = _fields(load(text), {"source": str, "models": list}, "yamlCatalog", True)
    made = []
    for given in content.get("models") or ():
        model = _fields(given, MODEL_KEYS, "yamlModel", False)
        for artifact in model.get("artifacts") or ():
            if artifact is None:
                raise Crash("panic: runtime error: invalid memory address or nil pointer dereference")
            if not isinstance(artifact, dict):
                raise _unmarshal("yamlModel.artifacts", artifact, "yamlArtifact")
            if artifact.get("artifactType") not in (None, "", "model-artifact", "metrics-artifact"):
                raise Refused(f"unknown artifactType: {artifact['artifactType']}")
        made.append(model)
    return made


def others_of(text: str, asset: str) -> list[dict[str, Any]]:
    """The MCP servers or agents in a file with data, which is read leniently. Refused, or Crash."""
    content = load(text, strict=False)
    if content is not None and not isinstance(content, dict):
        raise _unmarshal("catalog", content, "catalog")
    made = []
    for given in _fitting((content or {}).get(asset) or [], list, asset, True, False):
        if asset == MCP_SERVERS and (given is None or None in (given.get("tools") or ())):
            raise Crash("panic: runtime error: invalid memory address or nil pointer dereference")
        made.append(_fields(given, {"name": str, "displayName": str}, asset, True, strict=False))
    return made


def artifact_problem(model: Mapping[str, Any]) -> str:
    """Why a model cannot be shown: the address of one of its artifacts. Empty when it can."""
    for index, artifact in enumerate(model.get("artifacts") or ()):
        uri = str(artifact.get("uri") or "")
        if artifact.get("artifactType") == "metrics-artifact":
            continue
        where = f'model "{model.get("name", "")}" artifact {index}: '
        scheme = re.match(r"([a-zA-Z][-+.a-zA-Z0-9]*):", uri)
        if not uri:
            return f"{where}artifact URI cannot be empty"
        if scheme is None:
            return f'{where}artifact URI "{uri}" must have a scheme'
        if scheme[1].lower() not in SCHEMES:
            return f'{where}artifact URI "{uri}" has unsupported scheme "{scheme[1]}"'
    return ""


@dataclass(frozen=True)
class Loaded:
    """What came of reading the data of a source: its status with an error, and the names that it shows."""

    status: str
    error: str = ""
    names: tuple[str, ...] = ()


def loaded(source: Mapping[str, Any], asset: str, data: Callable[[str, str], str | None]) -> Loaded:
    """Read the data of a source. `data` is the text of a file, by the file with the source and the path that it names. Crash ends the server."""
    if source.get("enabled") is False:
        return Loaded("disabled")
    kind, properties = source.get("type", ""), source.get("properties") or {}
    if not kind:
        return Loaded("error", "source has no type defined")
    if kind == "hf" and asset == MODELS:
        return Loaded("error", _hugging_face_problem(source, properties))
    if kind != "yaml":
        return Loaded("error", f'catalog type "{kind}" not registered' if asset == MODELS else f"unknown provider type: {kind}")
    path = properties.get("yamlCatalogPath")
    if not isinstance(path, str) or not path:
        return Loaded("error", "missing yamlCatalogPath string property")
    text = data(source["origin"], path)
    if text is None:
        return Loaded("error", f"failed to read yamlCatalogPath file: open {path}: no such file or directory")
    try:
        entries = models_of(text) if asset == MODELS else others_of(text, asset)
    except Refused as error:
        return Loaded("error", f"failed to parse yamlCatalogPath file: {error}")
    shown = [entry for entry in entries if allows(entry.get("name", ""), source, asset)]
    problems = [problem for entry in shown if (problem := artifact_problem(entry))] if asset == MODELS else []
    names = tuple(dict.fromkeys(entry.get("name", "") for entry in shown if asset != MODELS or not artifact_problem(entry)))
    if problems and names:
        return Loaded("partially-available", f"Failed to load {len(problems)} model(s): [{' '.join(problems)}]", names)
    if problems:
        return Loaded("error", f"all catalog models failed to load from source {source['id']} (failed: [{' '.join(problems)}])")
    return Loaded("available", "", names)


def _hugging_face_problem(source: Mapping[str, Any], properties: Mapping[str, Any]) -> str:
    """Its host cannot be reached from here."""
    organization, patterns = properties.get("allowedOrganization"), source.get("includedModels") or []
    if not organization and not patterns:
        return "includedModels cannot be empty for Hugging Face catalog"
    listed = [f"{organization}/{pattern}" for pattern in patterns or ["*"]] if organization else patterns
    return f"failed to expand model patterns: no models found: [{' '.join(listed)}]"
