"""The files of the model catalog as its server reads them: with what it refuses, in its words where they are known, and what it makes of the rest."""

from __future__ import annotations

import base64
import ipaddress
import math
import re
import struct
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
SKILLS = "skill_catalogs"
SCHEMES = ("oci", "http", "https", "s3", "gs", "az", "file")
OPERATORS = ("=", "!=", ">", "<", ">=", "<=", "LIKE", "ILIKE", "IN", "NOT IN")
# What a value has to be, beside Python's types: a text that a number or boolean becomes; a list of such shapes; an object with such shapes; a map of metadata;
# a map of numbers.
COERCED, METADATA, COUNTS, INTEGER = "coerced", "metadata", "counts", "integer"
Shape = Any
TIMES = dict.fromkeys(("createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"), str)
ARTIFACT: dict[str, Shape] = {
    **dict.fromkeys(("uri", "name", "id", "externalId", "description", "artifactType", "metricsType"), str),
    **TIMES,
    "customProperties": METADATA,
}
TOOL_CALLING: dict[str, Shape] = {"toolCallParser": str, "chatTemplate": str, "enableAutoToolChoice": bool, "requiredArgs": [str]}
MODEL_KEYS: dict[str, Shape] = {
    **dict.fromkeys(("name", "description", "readme", "maturity", "provider", "logo", "license", "licenseLink", "libraryName"), str),
    **dict.fromkeys(("externalId", "id", "source_id"), str),
    **TIMES,
    **{key: [str] for key in ("language", "tasks", "validatedTasks")},
    "artifacts": list,
    "customProperties": METADATA,
    "servingConfig": {"toolCalling": TOOL_CALLING},
    "artifactCounts": COUNTS,
}
_SHARED = dict.fromkeys(("name", "displayName", "externalId", "description", "readme", "logo", "repositoryUrl", *TIMES), COERCED)
_SERVER = ("provider", "version", "license", "licenseLink", "documentationUrl", "sourceCode", "publishedDate", "deploymentMode")
_VARIABLES = [{**dict.fromkeys(("name", "description", "defaultValue", "type", "example"), COERCED), "required": bool}]
_FILE_KEYS = [{**dict.fromkeys(("key", "description", "defaultContent", "envVarName"), COERCED), "required": bool}]
_FILES = [{**dict.fromkeys(("name", "description", "mountPath"), COERCED), "mountAsFile": bool, "keys": _FILE_KEYS}]
_RUNTIME: dict[str, Shape] = {
    "defaultPort": INTEGER,
    "defaultArgs": [COERCED],
    "mcpPath": COERCED,
    **dict.fromkeys(("requiredEnvironmentVariables", "optionalEnvironmentVariables"), _VARIABLES),
    "recommendedResources": {size: {"cpu": COERCED, "memory": COERCED} for size in ("minimal", "recommended", "high")},
    "healthEndpoints": {"liveness": COERCED, "readiness": COERCED},
    "capabilities": dict.fromkeys(("requiresNetwork", "requiresFileSystem", "requiresGPU"), bool),
    "prerequisites": {
        "serviceAccount": {"required": bool, "hint": COERCED, "suggestedName": COERCED},
        "secrets": _FILES,
        "configMaps": _FILES,
        "environmentVariables": _VARIABLES,
        "customResources": [COERCED],
    },
}
_PARAMETER = {"name": COERCED, "type": COERCED, "description": COERCED, "required": bool}
ENTRY_KEYS: dict[str, dict[str, Shape]] = {
    MCP_SERVERS: {
        **_SHARED,
        **dict.fromkeys(_SERVER, COERCED),
        **{key: [COERCED] for key in ("transports", "tags")},
        "tools": [{**dict.fromkeys(("name", "description", "schema", "accessType"), COERCED), "parameters": [_PARAMETER]}],
        "artifacts": [{"uri": COERCED}],
        "endpoints": dict.fromkeys(("http", "sse", "websocket"), COERCED),
        "runtimeMetadata": _RUNTIME,
        "securityIndicators": dict.fromkeys(("verifiedSource", "secureEndpoint", "sast", "readOnlyTools"), bool),
        "customProperties": METADATA,
    },
    AGENTS: {
        **_SHARED,
        "framework": COERCED,
        "labels": [COERCED],
        "env": [{"name": COERCED, "required": bool}],
        "artifacts": [{"uri": COERCED}],
        "templates": [{"name": COERCED, "content": COERCED}],
        "customProperties": METADATA,
    },
}
# The key of each kind of metadata with its value, and what that has to be.
VALUES: dict[str, tuple[str, Any]] = {
    "MetadataStringValue": ("string_value", str),
    "MetadataBoolValue": ("bool_value", bool),
    "MetadataIntValue": ("int_value", str),
    "MetadataDoubleValue": ("double_value", (int, float)),
    "MetadataStructValue": ("struct_value", str),
    "MetadataProtoValue": ("proto_value", str),
}
# To Go. Python takes the four separators of ASCII for white space, too.
SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
STATUSES = ("available", "partially-available", "error", "disabled")
PLAIN = "plain"
# What the database stores of a name, and what it stores as JSON, where it takes every character.
LONGEST = 255
ELSEWHERE = {MODELS: ("externalId", "id", "source_id", *TIMES), MCP_SERVERS: tuple(TIMES), AGENTS: tuple(TIMES)}
_WORDS = {**dict.fromkeys(("y", "yes", "true", "on"), True), **dict.fromkeys(("n", "no", "false", "off"), False)}
_ENDLESS = {".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf, ".nan": math.nan}
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


class Refused(Exception):
    """The server does not accept a file; the text is what it says."""


class Crash(Exception):
    """The process of the server ends."""


class _Loader(yaml.CSafeLoader):
    """Of libyaml, of which the server's library is a port. Tells scalars that are written without quotes, and those with a tag, from others."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return PLAIN if kind is yaml.ScalarNode and implicit[0] else ""


def load(text: str, strict: bool = True) -> Any:
    """What the server's YAML library makes of the first document of a text. Refused where that is nothing."""
    body = text.removeprefix("\ufeff")
    if any(re.match(r"%YAML[ \t]+(?!0*1\.0*1(\s|$))", line) for line in body.partition("\n---")[0].splitlines(True) if body.lstrip()[:1] in ("%", "#")):
        raise _not_yaml("found incompatible YAML document")
    try:
        loader = _Loader(body)
        try:
            node = loader.get_node() if loader.check_node() else None
        finally:
            loader.dispose()
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise _not_yaml(getattr(error, "problem", None) or "bad", mark.line + 1 if mark else 1) from None
    try:
        sizes: dict[int, int] = {}
        # Most of it comes of aliases, where there is much.
        if node is not None and (size := _size(node, sizes)) > 1000 and (size - len(sizes)) / size > (0.99 if size <= 400_000 else 0.1):
            raise _not_yaml("document contains excessive aliasing")
        return None if node is None else _value(node, strict, body)
    except RecursionError:
        raise _not_yaml("anchor contains itself", 1) from None


def _size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """How many nodes there are, those that are referred to as often as they are; `sizes` are those of each node."""
    if id(node) not in sizes:
        parts = (
            node.value if isinstance(node, yaml.SequenceNode) else [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else []
        )
        sizes[id(node)] = 1 + sum(_size(part, sizes) for part in parts)
    return sizes[id(node)]


def _not_yaml(why: str, line: int = 0) -> Refused:
    return Refused(f"error converting YAML to JSON: yaml: {f'line {line}: ' if line else ''}{why}")


def _value(node: yaml.Node, strict: bool, text: str, in_flow: bool = False) -> Any:
    if isinstance(node, yaml.ScalarNode):
        if in_flow and not node.style and "?" in node.value:
            raise _not_yaml("did not find expected ',' or ']'", node.start_mark.line + 1)
        return _of_scalar(node, text[node.start_mark.index : node.end_mark.index])
    in_flow = in_flow or bool(getattr(node, "flow_style", False))
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, strict, text, in_flow) for item in node.value]
    made: dict[str, Any] = {}
    for key_node, value_node in node.value:
        merged = _value(value_node, strict, text, in_flow)
        is_merge = key_node.value == "<<" and key_node.tag == PLAIN
        if is_merge and not (isinstance(merged, dict) or (isinstance(merged, list) and all(isinstance(part, dict) for part in merged))):
            raise _not_yaml("map merge requires map or sequence of maps as the value")
        for part in reversed(merged if isinstance(merged, list) else [merged]) if is_merge else [{_key(key_node, text, in_flow): merged}]:
            for key, value in part.items():
                if strict and key in made:
                    raise _not_yaml(f'unmarshal errors:\n  line {key_node.start_mark.line + 1}: key "{key}" already set in map')
                made[key] = value
    return made


def _key(node: yaml.Node, text: str, in_flow: bool) -> str:
    value = _value(node, True, text, in_flow)
    if value is None or isinstance(value, (list, dict)):
        raise Refused("error converting YAML to JSON: unsupported key type")
    written = _text(value)
    return {"NaN": ".nan", "+Inf": ".inf", "-Inf": "-.inf"}.get(written, written)


def _is_endless(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def as_json(value: Any, shape: Shape = None) -> Any:
    """A value on its way to JSON, in which all numbers are finite: those that are not become texts where there has to be one, and are refused elsewhere."""
    if isinstance(value, dict):
        known = {key.casefold(): part for key, part in shape.items()} if isinstance(shape, dict) else {}
        return {key: as_json(part, known.get(key.casefold())) for key, part in value.items()}
    if isinstance(value, list):
        return [as_json(part, shape[0] if isinstance(shape, list) else None) for part in value]
    if not _is_endless(value):
        return value
    if shape != COERCED:
        raise Refused("error converting YAML to JSON: json: unsupported value")
    return _text(value)


def _text(value: Any) -> str:
    """What becomes of a number or boolean where there has to be a text: it is written as one of 32 bits."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, float):
        return str(value)
    single = struct.Struct("f")
    (value,) = single.unpack(single.pack(value))
    if _is_endless(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    digits = next(count for count in range(9) if single.pack(float(f"{value:.{count}e}")) == single.pack(value))
    exponent = int(f"{value:e}".partition("e")[2])
    return f"{value:.{digits}e}" if exponent < -4 or exponent >= 6 else f"{value:.{max(digits - exponent, 0)}f}"


def _of_scalar(node: yaml.ScalarNode, written: str) -> Any:
    text = str(node.value)
    if node.tag == PLAIN:
        # After a single exclamation mark, a text is one.
        value = text if re.match(r"(&\S+\s+)?!\s", written) else _scalar(text)
    elif node.style == '"' and re.search(r"(?<!\\)(\\\\)*\\/", written):
        raise _not_yaml("found unknown escape character", node.start_mark.line + 1)
    else:
        value = _tagged(node.tag.removeprefix("tag:yaml.org,2002:"), text) if node.tag else text
    return value


def _tagged(tag: str, text: str) -> Any:
    if tag == "binary":
        try:
            return base64.b64decode(re.sub("[\r\n]", "", text), validate=True).decode(errors="replace")
        except ValueError:
            raise _not_yaml("!!binary value contains invalid base64 data") from None
    kinds: dict[str, Any] = {"bool": bool, "int": int, "float": (int, float), "null": type(None)}
    value = _scalar(text)
    is_time = tag == "timestamp" and re.fullmatch(r"\d{4}-\d\d?-\d\d?([Tt ].*)?", text)
    if (tag == "timestamp" and not is_time) or (tag in kinds and (not isinstance(value, kinds[tag]) or (tag != "bool" and isinstance(value, bool)))):
        raise _not_yaml(f"cannot decode `{text}` as a !!{tag}")
    return value if tag in kinds else text


def _scalar(text: str) -> Any:
    """An unquoted scalar: not what YAML 1.2 takes it for, and not quite what 1.1 does."""
    if text in ("", "~") or text in _cases("null"):
        return None
    for word, value in _WORDS.items():
        if text in _cases(word):
            return value
    if text[0] not in "+-.0123456789":
        return text
    for word, number in _ENDLESS.items():
        if text in (word, word.upper(), word.replace("inf", "Inf").replace("nan", "NaN")):
            return number
    plain = text.replace("_", "")
    if re.fullmatch(r"[-+]?0[0-7]+", plain):
        return int(plain, 8)
    try:
        number = int(plain, 0)
        if -(2**63) <= number < (2**63 if plain[0] in "+-" else 2**64):
            return number
    except ValueError:
        pass
    return float(plain) if _NUMBER.fullmatch(plain) and math.isfinite(float(plain)) else text


def _cases(word: str) -> tuple[str, str, str]:
    return word, word.capitalize(), word.upper()


def _unmarshal(what: str, given: Any, go_type: str) -> Refused:
    words: dict[type, str] = {bool: "bool", str: "string", list: "array", dict: "object"}
    kind = words.get(type(given), "number")
    return Refused(f"error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go struct field {what} of type {go_type}")


def _fields(given: Any, keys: Mapping[str, Shape], where: str, strict: bool = True) -> dict[str, Any]:
    """An object with its keys as they are spelled in the server's types, and without those that are null."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise _unmarshal(where, given, where)
    known = {key.casefold(): key for key in keys}
    made: dict[str, Any] = {}
    for name in sorted(given):
        key = name if name in keys else known.get(name.casefold())
        if key is None:
            if strict:
                raise Refused(f'error unmarshaling JSON: while decoding JSON: json: unknown field "{name}"')
            continue
        if given[name] is not None:
            made[key] = _fitting(given[name], keys[key], f"{where}.{key}", strict)
    return made


def _fitting(value: Any, shape: Shape, where: str, strict: bool = True) -> Any:
    if shape == METADATA:
        for part in _fitting(value, dict, where).values():
            _check_metadata(part, where)
        return value
    if shape == COUNTS:
        return {name: part is None or _fitting(part, INTEGER, where) for name, part in _fitting(value, dict, where).items()}
    if isinstance(shape, dict):
        return _fields(value, shape, where, strict)
    if isinstance(shape, list):
        [part_shape] = shape
        empty: Any = None if isinstance(part_shape, dict) else ""
        return [empty if part is None else _fitting(part, part_shape, where, strict) for part in _fitting(value, list, where)]
    if shape == COERCED and isinstance(value, (bool, int, float)):
        return _text(value)
    if shape == INTEGER:
        number = int(value) if isinstance(value, float) and value == int(value) else value
        if isinstance(number, bool) or not isinstance(number, int) or not -(2**31) <= number < 2**31:
            raise _unmarshal(where, value, "int32")
        return number
    wanted = str if shape == COERCED else shape
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise _unmarshal(where, value, {str: "string", bool: "bool", list: "[]string", dict: "map[string]interface {}"}[wanted])
    return value


def _check_metadata(given: Any, where: str) -> None:
    if given is None:
        return
    if not isinstance(given, dict):
        raise Refused("error unmarshaling JSON: while decoding JSON: failed to unmarshal JSON into map for the discriminator lookup")
    name = given.get("metadataType")
    if not isinstance(name, str) or name not in VALUES:
        return
    key, wanted = VALUES[name]
    value = given.get(key)
    if value is not None and (not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool)):
        raise Refused(f"error unmarshaling JSON: while decoding JSON: failed to unmarshal MetadataValue as {name}: {where}.{key}")
    if name == "MetadataProtoValue" and not isinstance(given.get("type") or "", str):
        raise Refused(f"error unmarshaling JSON: while decoding JSON: failed to unmarshal MetadataValue as {name}: {where}.type")


@dataclass(frozen=True)
class File:
    """One file with sources: by kind of asset, each source as the file has it; the labels; and what a single part of the server refuses of it."""

    sources: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    labels: list[dict[str, Any]] = field(default_factory=list)
    refused: Mapping[str, str] = field(default_factory=dict)
    # What is wrong with its labels, which are read after its sources.
    wrong_label: str = ""


def read(text: str, knows_skills: bool = False) -> File:
    """A file with sources. Refused where every part of the server refuses it."""
    shapes = {asset: _source_keys(asset) for asset in SECTIONS}
    content = as_json(load(text), {section: [shapes[asset]] for asset, sections in SECTIONS.items() for section in sections})
    keys: dict[str, Shape] = {section: list for sections in SECTIONS.values() for section in sections}
    top = _fields(content, {**keys, "labels": list, "namedQueries": dict, **({SKILLS: list} if knows_skills else {})}, "SourceConfig")
    sources = {asset: _sources(top, asset, shapes[asset]) for asset in SECTIONS}
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
    return File(sources, [label or {} for label in labels], refused, _label_problem(labels))


def _source_keys(asset: str) -> dict[str, Shape]:
    # The types of models embed another one, in which the library does not look for texts.
    text = str if asset == MODELS else COERCED
    texts = {**dict.fromkeys(("id", "name"), text), "type": COERCED, "assetType": str, **(dict.fromkeys(("status", "error"), str) if asset == MODELS else {})}
    return {**texts, "enabled": bool, "properties": dict, **{key: [text] for key in ("labels", *filter(None, LISTS[asset]))}}


def _sources(top: Mapping[str, Any], asset: str, keys: Mapping[str, Shape]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for section in SECTIONS[asset]:
        earlier = {source.get("id") for source in made}
        found = [_fields(given, keys, section) for given in top.get(section) or ()]
        for source in found:
            for key, choices in (("assetType", (MODELS, MCP_SERVERS, AGENTS)), ("status", STATUSES)):
                if source.get(key, choices[0]) not in choices:
                    raise Refused(f"error unmarshaling JSON: while decoding JSON: {source[key]} is not a valid {key}")
        made += [source for source in found if source.get("id") not in earlier]
    return made


def _pattern_problem(sources: Iterable[Mapping[str, Any]], asset: str) -> str:
    for source in sources:
        for name in filter(None, LISTS[asset]):
            for index, pattern in enumerate(source.get(name) or ()):
                if not pattern.strip(SPACES):
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
        if not place:
            raise Refused(f"invalid named queries: field name cannot be empty in named query '{name}'")
        if not isinstance(condition, dict):
            raise _unmarshal(f"namedQueries.{place}", condition, "FieldFilter")
        found = {key.casefold(): condition[key] for key in sorted(condition) if condition[key] is not None}
        operator, value = found.get("operator"), found.get("value")
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


class Labels:
    """The labels of all files, as the server keeps them while it runs.

    It knows those of a file by their places in one list. When a file is read again, its labels move to the end, and the places of other files are not
    corrected: with labels in several files, each then takes some of another one for its own, and some of its own for those of another one.
    """

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []
        self._places: dict[str, range] = {}

    def refused(self, path: str, labels: Iterable[dict[str, Any]]) -> str:
        """Put the labels of a file in place of those that it had; why that is refused, and nothing for what is not."""
        given = [{"name": None, **label} for label in labels]
        own = self._places.pop(path, range(0))
        others = [label for place, label in enumerate(self.all) if place not in own]
        taken = {label["name"] for label in others}
        for label in given:
            if label["name"] in taken:
                self._places[path] = own
                return f"label with name '{'%!s(<nil>)' if label['name'] is None else label['name']}' already exists from another origin"
        self.all = others + given
        if given:
            self._places[path] = range(len(others), len(self.all))
        return ""


def allows(name: str, source: Mapping[str, Any], asset: str) -> bool:
    """Whether the patterns of a source let through an entry of this name."""
    included, excluded = ([_pattern(text) for text in source.get(key) or ()] if key else [] for key in LISTS[asset])
    return (not included or any(one.fullmatch(_apart(name)) for one in included)) and not any(one.fullmatch(_apart(name)) for one in excluded)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in _apart(text.strip(SPACES)).split("*")), re.IGNORECASE)


def _apart(text: str) -> str:
    """To Go, two letters of Turkish have no other case."""
    return text.replace("\u0130", "\ufdd0").replace("\u0131", "\ufdd1")


def models_of(text: str) -> list[dict[str, Any]]:
    """The models in a file with data, which is read strictly. Refused, or Crash."""
    content = _fields(as_json(load(text), {"source": COERCED}), {"source": COERCED, "models": list}, "yamlCatalog")
    models = [_fields(given, MODEL_KEYS, "yamlModel") for given in content.get("models") or ()]
    for model in models:
        given = model.get("artifacts") or ()
        model["artifacts"] = [None if one is None else _fields(one, ARTIFACT, "yamlModel.Models.Artifacts", strict=False) for one in given]
        for artifact in model["artifacts"]:
            if (artifact or {}).get("artifactType") not in (None, "", "model-artifact", "metrics-artifact"):
                raise Refused(f"unknown artifactType: {artifact['artifactType']}")
    if any(artifact is None for model in models for artifact in model["artifacts"]):
        raise Crash("panic: runtime error: invalid memory address or nil pointer dereference")
    return models


def others_of(text: str, asset: str) -> list[dict[str, Any]]:
    """The MCP servers or agents in a file with data, which is read leniently. Refused, or Crash."""
    content = _fields(as_json(load(text, strict=False), {asset: [ENTRY_KEYS[asset]]}), {asset: list}, "catalog", strict=False)
    given = content.get(asset) or []
    made = [_fields(entry, ENTRY_KEYS[asset], asset, strict=False) for entry in given]
    if asset == MCP_SERVERS and (None in given or any(None in (entry.get("tools") or ()) for entry in made)):
        raise Crash("panic: runtime error: invalid memory address or nil pointer dereference")
    return made


def artifact_problem(model: Mapping[str, Any]) -> str:
    """Why a model cannot be shown: the address of one of its artifacts. Empty when it can."""
    for index, artifact in enumerate(model.get("artifacts") or ()):
        uri = str(artifact.get("uri") or "")
        if artifact.get("artifactType") == "metrics-artifact":
            continue
        where = f'"{model.get("name", "")}" artifact {index}: '
        if not uri:
            return f"{where}artifact URI cannot be empty"
        scheme = scheme_of(uri)
        if scheme is None:
            return f'{where}invalid artifact URI "{uri}"'
        if not scheme:
            return f'{where}artifact URI "{uri}" must have a scheme'
        if scheme not in SCHEMES:
            return f'{where}artifact URI "{uri}" has unsupported scheme "{scheme}"'
    return ""


def scheme_of(uri: str) -> str | None:
    """The scheme of an address, empty without one; None where Go cannot parse the address."""
    scheme, colon, rest = uri.partition(":")
    if not colon or not re.fullmatch(r"[a-zA-Z][-+.a-zA-Z0-9]*", scheme):
        return ""
    rest, _sharp, fragment = rest.partition("#")
    rest = rest.partition("?")[0]
    host = user = ""
    if rest.startswith("//"):
        authority, _slash, rest = rest[2:].partition("/")
        user, _at, host = authority.rpartition("@")
    elif not rest.startswith("/"):
        rest = ""
    is_escaped = not any(re.search("%(?![0-9a-fA-F]{2})", part) for part in (user, rest, fragment, host))
    is_plain = all(character.isprintable() or ord(character) > 127 for character in uri) and not re.search(r"[^-._~:!$&'()*+,;=%@a-zA-Z0-9]", user)
    return scheme.lower() if is_escaped and is_plain and _is_host(host, scheme.lower()) else None


def _is_host(host: str, scheme: str) -> bool:
    if host.startswith("["):
        address, bracket, port = host[1:].rpartition("]")
        try:
            ipaddress.IPv6Address(address.replace("%25", "%"))
        except ValueError:
            return False
        return bool(bracket) and re.fullmatch("(:[0-9]*)?", port) is not None
    name, colon, port = host.rpartition(":") if ":" in host else (host, "", "")
    if colon and not re.fullmatch("[0-9]*", port):
        return False
    if re.search(r"[ \\^`{|}\[\]]", name) or (":" in name and scheme in ("http", "https")):
        return False
    return all(code == "25" or code[0] in "89abcdefABCDEF" for code in re.findall("%(..)", name))


def has_status(source: Mapping[str, Any]) -> bool:
    """Whether the database takes the ID of a source, with which its status is stored."""
    return len(source["id"]) <= LONGEST and "\0" not in source["id"]


def is_stored(entry: Mapping[str, Any], asset: str, source: str) -> bool:
    """Whether the database takes an entry; that it does not is told of MCP servers alone."""
    properties = entry.get("customProperties") or {}
    name, version = entry.get("name", ""), entry.get("version", "")
    stored = f"{name.strip(SPACES)}@{version}" if version else name.strip(SPACES) if asset == MCP_SERVERS else f"{source}:{name}"
    lengths = [len(text) for text in (stored, *properties, entry.get("externalId", "") if asset != MODELS else "")]
    texts = [value for key, value in entry.items() if key not in ELSEWHERE[asset]]
    texts += [text for key, value in properties.items() for text in (key, *((value or {}).get(part) for part in ("string_value", "int_value")))]
    return max(lengths) <= LONGEST and not any(isinstance(text, str) and "\0" in text for text in texts)


def server_problem(server: Mapping[str, Any]) -> str:
    """Why an MCP server cannot be stored; empty when it can."""
    endpoints = server.get("endpoints") or {}
    name, version = server.get("name", "").strip(SPACES), server.get("version", "")
    if not name:
        return "(unknown)"
    is_long = len(name.encode()) > 255 or len(version.encode()) > 100 or len(server.get("displayName", "").encode()) > 255
    if is_long or "@" in name + version or (server.get("deploymentMode") == "remote" and not endpoints):
        return f'server "{server["name"]}" is not valid'
    for name, address in endpoints.items():
        if scheme_of(address) not in (("http", "https", "ws", "wss") if name == "websocket" else ("http", "https")):
            return f'server "{server["name"]}" has an invalid endpoint "{address}"'
    return artifact_problem({**server, "artifacts": [artifact or {} for artifact in server.get("artifacts") or ()]})


def _problems(entries: Iterable[dict[str, Any]], asset: str, taken: dict[str, Any], source: str) -> list[str]:
    """What keeps each entry from being shown; empty where nothing does. `taken` are the external IDs of what is stored, each with what has it."""
    found = []
    for entry in entries:
        why = artifact_problem(entry) if asset == MODELS else server_problem(entry) if asset == MCP_SERVERS else ""
        external, stored = entry.get("externalId"), (entry.get("name", "").strip(SPACES), entry.get("version"))
        if asset == MCP_SERVERS and not why and not is_stored(entry, asset, source):
            why = f"[{entry['name']}]"
        if asset != MODELS and external is not None and not why and taken.setdefault(external, stored) != stored:
            why = "duplicated key not allowed"
        found.append(why)
    return found


@dataclass(frozen=True)
class Loaded:
    """What came of reading the data of a source: its status with an error, and the names that it shows."""

    status: str
    error: str = ""
    names: tuple[str, ...] = ()


def loaded(source: Mapping[str, Any], asset: str, data: Callable[[str, str], str | None], taken: dict[str, Any]) -> Loaded:
    """Read the data of a source. `data` is the text of a file, by the file with the source and the path that it names. Crash ends the server.

    `taken` are the external IDs in the sources that were read before.
    """
    if source.get("enabled") is False:
        return Loaded("disabled")
    kind, properties = source.get("type", ""), source.get("properties") or {}
    if not kind:
        return Loaded("error", "source has no type defined")
    if kind == "hf" and asset == MODELS:
        problem = _hugging_face_problem(source, properties)
        return Loaded("error", problem) if problem else Loaded("available")
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
    legacy = properties.get("excludedModels", []) if asset == MODELS else []
    if not isinstance(legacy, list) or not all(isinstance(pattern, str) for pattern in legacy):
        return Loaded("error", "'excludedModels' property should be a list of strings")
    if not all(pattern.strip(SPACES) for pattern in legacy):
        return Loaded("error", f"invalid include/exclude configuration for source {source['id']}: excludedModels[0]: pattern cannot be empty")
    whole = {**source, LISTS[MODELS][1]: [*(source.get(LISTS[MODELS][1]) or ()), *legacy]} if legacy else source
    shown = [entry for entry in entries if allows(entry.get("name", ""), whole, asset)]
    problems = _problems(shown, asset, taken, source["id"])
    loaded_ones = [entry for entry, problem in zip(shown, problems, strict=True) if not problem]
    names = tuple(dict.fromkeys(entry.get("name", "") for entry in loaded_ones if is_stored(entry, asset, source["id"])))
    # Of agents that are not stored, only the log tells.
    failed = [problem for problem in problems if problem and asset != AGENTS]
    if failed and loaded_ones:
        return Loaded("partially-available", f"Failed to load {len(failed)} {asset}: [{' '.join(failed)}]", names)
    if failed:
        return Loaded("error", f"all catalog models failed to load from source {source['id']} (failed: [{' '.join(failed)}])")
    return Loaded("available", "", names)


def _hugging_face_problem(source: Mapping[str, Any], properties: Mapping[str, Any]) -> str:
    """Its host cannot be reached from here."""
    given, patterns = properties.get("allowedOrganization"), source.get("includedModels") or []
    organization = given if isinstance(given, str) else ""
    if not organization and not patterns:
        return "includedModels cannot be empty for Hugging Face catalog"
    listed = [f"{organization}/{pattern}" for pattern in patterns or ["*"]] if organization else patterns
    excluded = [f"{organization}/{pattern}" if organization else pattern for pattern in source.get("excludedModels") or ()]
    for name in listed:
        owner, slash, model = name.strip(SPACES).partition("/")
        if not owner or "*" in owner or (slash and not model):
            return f'failed to expand model patterns: wildcard pattern "{name}" is not supported'
    models = [name for name in listed if not name.strip(SPACES).partition("/")[2].endswith("*")]
    if not models:
        return f"failed to expand model patterns: no models found: [{' '.join(listed)}]"
    missing = [name for name in models if allows(name, {"includedModels": listed, "excludedModels": excluded}, MODELS)]
    return f"Failed to fetch some models. Failed models: [{' '.join(missing)}]" if missing else ""
