"""Files of the model catalog that nobody has thought of: good and bad ones, what the modules say of them, and what a server makes of them."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog, catalog_check, catalog_merged, catalog_schema
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import catalog_view
from sandbox.server.catalog import AGENT_API, MCP_API, MODEL_API, CatalogServer, Mounts
from sandbox.server.models import Answer

SOURCES = catalog.SOURCES
UP, DOWN, CRASHED = "up", "down", "crashed"
ASSETS = {kind.name: kind.asset_type for kind in catalog.KINDS.values()}
ENTRIES = {"model": f"{MODEL_API}/models", "mcp": f"{MCP_API}/mcp_servers", "agent": f"{AGENT_API}/agents"}
# As they are written, without quotes of ours. Most of them are something else than a string in some version of YAML.
SCALARS = (
    *("yes", "Yes", "YES", "yEs", "no", "y", "N", "on", "Off", "true", "True", "tRUE", "false", "null", "Null", "~", "", "nULL"),
    *("0", "-0", "+1", "00", "017", "0o17", "0o8", "08", "0x1F", "0xg", "0x", "0b11", "0b2", "-0x1f", "1_000", "1__0", "_1", "1_", "0x_f", "0o1_7", "-0b1"),
    *("18446744073709551615", "18446744073709551616", "-9223372036854775808", "-9223372036854775809", "99999999999999999999999"),
    *("1.0", "1.", ".5", "-.5", "+.5", "5.e3", "1e3", "1E+3", "1e", "1e999", "-1e999", "1_0.5_0", "1.5.2", ".", "..", "-", "+"),
    *(".inf", "-.INF", "+.Inf", ".nan", ".NaN", "!!float .inf", "'a@b'"),
    *("12:30:45", "1:2", "190:20:30.15", "2026-11-28", "2026-11-28T10:00:00Z", "2026-13-40", "2001-1-1 0:0:0 -5"),
    *("<<", "=", "'<<'", "''", '""', "' '", '"\\t"', "'yes'", '"0o17"', "'it''s'", '"\\x41\\u00e9\\U0001F600"', '"\\/"', '"a\\\n      b"', "'a\n\n      b'"),
    *("!!str 5", "!!str", "!!int '5'", "!!int x", "!!float 1", "!!bool 'yes'", "!!null x", "!custom x", "!!binary aGk=", "!!timestamp 2026-01-01", "! yes"),
    *("&one yes", "*one", "*none", "|\n      lit\n", ">-\n      folded\n      text\n", "|2-\n        x", "|+\n      x\n\n"),
    *(
        "é",
        "模型",
        "😀",
        "a b",
        "a: b",
        "a #b",
        "a#b",
        "@x",
        "`x`",
        "%x",
        "x,y",
        "[x",
        "{x",
        "]",
        "x: [",
        "\u00a0x",
        "x\u2028y",
        "\ufeffx",
        "\u0085",
        "\x07",
        "\x7f",
    ),
    *("org/model", "'*'", "org/*", "*/*", "'a*b'", "a" * 300, "oci://x/y", "http://x", "'ftp://x'", "x/y", "'https://x/%zz'", "'https://[::1'", "OCI://x"),
)
LISTS = (
    "[]",
    "[a]",
    "[a, a]",
    "[1]",
    "[null]",
    "[yes]",
    "['']",
    "[' ']",
    "['*']",
    "[[a]]",
    "[{a: b}]",
    "[a, b, 'c*']",
    "- a",
    "{}",
    "x",
    "null",
    "&l [a]",
    "*l",
)
URIS = (
    "'oci://x/y'",
    "https://x/y",
    "x/y",
    "'ftp://x'",
    "''",
    "S3://x/y",
    "'http://'",
    "'oci:x'",
    "'://x'",
    "'1x://y'",
    "'https://x/%zz'",
    "' oci://x'",
    "'gs://b /x'",
    "'https://a%41/b'",
    "'https://a/b?%zz#%41'",
    "'https://[::1]:80/x'",
    "'oci://a:b:1/c'",
)
PATTERNS = ("'*'", "a*", "'*b'", "org/*", "A", "'a'", "' a '", "''", "'  '", "null", "1", "yes", "'.*'", "'[a]'", "a?", "'**'", "'*a*b*'", "é*", "i*")
METADATA = (
    "{metadataType: MetadataStringValue, string_value: a}",
    "{metadataType: MetadataStringValue, string_value: 1}",
    "{metadataType: MetadataStringValue}",
    "{metadataType: MetadataIntValue, int_value: '3'}",
    "{metadataType: MetadataIntValue, int_value: 3}",
    "{metadataType: MetadataDoubleValue, double_value: 3}",
    "{metadataType: MetadataDoubleValue, double_value: '3'}",
    "{metadataType: MetadataBoolValue, bool_value: yes}",
    "{metadataType: MetadataBoolValue, bool_value: 'yes'}",
    "{metadataType: MetadataStructValue, struct_value: e30=}",
    "{metadataType: Other, other: 1}",
    "{string_value: a}",
    "{}",
    "null",
    "text",
    "{MetadataType: MetadataStringValue, String_Value: a}",
)
ARTIFACTS = (
    "{uri: %s}",
    "{uri: %s, artifactType: model-artifact, name: n}",
    "{Uri: %s}",
    "{uri: %s, bogus: 1}",
    "{uri: %s, createTimeSinceEpoch: '1'}",
    "{uri: %s, createTimeSinceEpoch: 1}",
    "{artifactType: metrics-artifact, metricsType: performance-metrics, uri: %s}",
    "{artifactType: other, uri: %s}",
    "{uri: %s, customProperties: {a: {metadataType: MetadataIntValue, int_value: 3}}}",
)
OPERATORS = ("=", "!=", ">", "<=", "LIKE", "ilike", "in", "IN", "NOT IN", "not in", "~", "==", "", "like ")
# Of all sources together, one entry without a name is stored.
NAMELESS = frozenset({""})
# How often a file or its data has something that was not meant.
ODD = 0.5


@dataclass(frozen=True)
class Verdict:
    """What becomes of files: whether the catalog is up, the status of each source by kind and ID, and the names of the entries that are shown of models."""

    state: str
    statuses: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    why: str = ""


class _Writer:
    """Writes one file; `odds` is how many odd things may still come."""

    def __init__(self, chance: random.Random, odds: int) -> None:
        self._chance, self._odds = chance, odds

    def odd(self, share: float) -> bool:
        """Whether something odd comes here."""
        if self._odds and self._chance.random() < share:
            self._odds -= 1
            return True
        return False

    def one(self, values: Sequence[str]) -> str:
        return self._chance.choice(values)

    def scalar(self, plain: str) -> str:
        return self.one(SCALARS) if self.odd(0.12) else self.one((plain, f"'{plain}'", f'"{plain}"'))

    def key(self, name: str) -> str:
        if self.odd(0.03):
            return self.one((name.upper(), name.capitalize(), f"{name}x", f"'{name}'", f"? {name}\n    ", "<<", "1", "yes", "~", "bogus"))
        return name

    def mapping(self, pairs: list[tuple[str, str]], indent: int) -> str:
        """A mapping in block style, with a key twice or in another order."""
        if pairs and self.odd(0.03):
            pairs.append(self._chance.choice(pairs))
        if self._chance.random() < 0.3:
            self._chance.shuffle(pairs)
        comment = "  # comment" if self._chance.random() < 0.05 else ""
        return f"\n{' ' * indent}".join(f"{self.key(name)}: {value}{comment if name == 'enabled' else ''}" for name, value in pairs)

    def texts(self, values: Sequence[str]) -> str:
        if self.odd(0.08):
            return self.one(LISTS)
        return "[" + ", ".join(self.one(values) for _number in range(self._chance.randint(0, 3))) + "]"

    def maybe(self, share: float) -> bool:
        return self._chance.random() < share


def generated(chance: random.Random) -> dict[str, str]:
    """The files of one ConfigMap: that with sources, and those with data."""
    files: dict[str, str] = {}
    writer = _Writer(chance, chance.randint(1, 3) if chance.random() < ODD else 0)
    sections = chance.sample(("catalogs", "model_catalogs", "mcp_catalogs", "agent_catalogs"), chance.randint(1, 3))
    kinds = {section: kind for kind in catalog.KINDS.values() for section in kind.sections}
    taken = [f"s{number}" for number in range(12)]
    parts = []
    for section in sections:
        entries = [_source(writer, kinds[section], taken, files, chance) for _number in range(chance.randint(1, 4))]
        parts.append(
            f"{writer.key(section)}:\n" + "".join(f"  - {entry}\n" for entry in entries) if not writer.odd(0.03) else f"{section}: {writer.one(SCALARS)}\n"
        )
    if chance.random() < 0.4:
        parts.append(_labels(writer, chance))
    if chance.random() < 0.4:
        parts.append(_queries(writer, chance))
    if writer.odd(0.05):
        parts.append(
            writer.one(("skill_catalogs: []\n", "bogus: 1\n", "x\n", "- a\n", "---\nbogus: [\n", "...\nx\n", "\tx: 1\n", "%YAML 1.2\n", "labels:\n", "? a\n"))
        )
    chance.shuffle(parts)
    text = "".join(parts)
    head = chance.random()
    text = "\ufeff" + text if head < 0.03 else "---\n" + text if head < 0.08 else "# comment\n" + text if head < 0.15 else text
    return {SOURCES: text.replace("\n", "\r\n") if chance.random() < 0.05 else text, **files}


def _source(writer: _Writer, kind: catalog.Kind, taken: list[str], files: dict[str, str], chance: random.Random) -> str:
    identity = chance.choice(taken)
    if not writer.odd(0.05):
        taken.remove(identity)
    key = f"{identity}.yaml"
    type_ = "hf" if kind is catalog.MODEL and chance.random() < 0.1 else "yaml"
    pairs = [("id", writer.scalar(identity)), ("name", writer.scalar(f"Name of {identity}")), ("type", writer.scalar(type_))]
    if chance.random() < 0.5:
        pairs.append(("enabled", writer.one(("true", "yes", "on", "True", "false", "no")) if not writer.odd(0.1) else writer.one(SCALARS)))
    if chance.random() < 0.3:
        pairs.append(("labels", writer.texts(("a", "'b c'", "x*"))))
    for name in (kind.included, kind.excluded):
        if name and chance.random() < 0.3:
            pairs.append((name, writer.texts(PATTERNS[:6] if not writer.odd(0.1) else PATTERNS)))
    if type_ == "hf":
        pairs.append(
            ("properties", writer.one(("{allowedOrganization: org}", "{allowedOrganization: 'org/*'}", "{}", "{allowedOrganization: 1}", "{apiKey: x}")))
        )
    elif writer.odd(0.1):
        pairs.append(("properties", writer.one(("{}", "{yamlCatalogPath: 1}", "{yamlCatalogPath: nowhere.yaml}", "[]", "x", "{yamlCatalogPath: ''}", "null"))))
    elif not writer.odd(0.03):
        more = writer.one((", x: 1", ", apiKey: ''", ", 1: 2", ", excludedModels: [a]", ", excludedModels: a")) if writer.odd(0.1) else ""
        pairs.append(("properties", f"{{yamlCatalogPath: {writer.one((key, './' + key))}{more}}}"))
    if writer.odd(0.05):
        pairs.append(
            (writer.one(("status", "error", "assetType", "includedModels", "includedServers", "ID", "url")), writer.one((*SCALARS, "available", "models")))
        )
    files[key] = _data(kind, chance)
    return writer.mapping(pairs, 4) if not writer.odd(0.02) else writer.one(("null", "[]", "x", "{}"))


def _labels(writer: _Writer, chance: random.Random) -> str:
    names = [f"L{number}" for number in range(5)]
    made = []
    for _number in range(chance.randint(1, 3)):
        name = chance.choice(names)
        if not writer.odd(0.1):
            names.remove(name)
        pairs = [("name", writer.one((writer.scalar(name), "null") if writer.maybe(0.1) else (writer.scalar(name),)))]
        pairs += [(key, writer.scalar("text")) for key in ("displayName", "description", "other") if chance.random() < 0.3]
        pairs += [("assetType", writer.scalar("models"))] if chance.random() < 0.3 else []
        made.append("  - " + writer.mapping(pairs, 4))
    return "labels:\n" + "\n".join(made) + "\n"


def _queries(writer: _Writer, chance: random.Random) -> str:
    def condition() -> str:
        operator = writer.one(OPERATORS) if writer.odd(0.3) else writer.one(OPERATORS[:7])
        value = (
            writer.one(("[a, 1]", "[]", "x", "1", "null", "{a: b}")) if writer.odd(0.2) else "[a]" if "in" in operator.lower().split() else writer.scalar("mit")
        )
        return f"{{operator: '{operator}', value: {value}}}" if "\n" not in value and "," not in value.strip("[]") else f"{{operator: '{operator}', value: x}}"

    made = []
    for number in range(chance.randint(1, 2)):
        fields = ", ".join(f"f{index}: {condition()}" for index in range(chance.randint(1, 2)))
        query = f"{{{fields}}}"
        if chance.random() < 0.5:
            asset = writer.one(("models", "mcp_servers", "agents", "''") if not writer.odd(0.2) else ("other", "1", "null"))
            query = f"{{assetType: {asset}, filters: {query}}}"
        if writer.odd(0.1):
            query = writer.one(
                ("{}", "null", "x", "[]", "{assetType: models}", "{filters: {}}", "{f: x}", "{f: {operator: '='}}", "{f: {Operator: '=', VALUE: 1}}")
            )
        made.append(f"  {writer.key(f'q{number}')}: {query}")
    return "namedQueries:\n" + "\n".join(made) + "\n"


def _data(kind: catalog.Kind, chance: random.Random) -> str:
    writer = _Writer(chance, chance.randint(1, 3) if chance.random() < ODD else 0)
    if writer.odd(0.05):
        return writer.one(
            ("", "[", "- a", "x", "models:\n", "agents: {}", "mcp_servers: [null]", "models: [null]", "\t", "models: []\n---\nx: [", "a: &a [*a]")
        )
    entries = []
    for number in range(chance.randint(0, 4)):
        name = f"{chance.choice('abcABéİ')}{number if chance.random() < 0.8 else ''}"
        pairs = [("name", writer.scalar(name))] if not writer.odd(0.05) else []
        keys = sorted(catalog_schema.ENTRY_KEYS[kind.name].keys() - {"name"})
        pairs += [(key, _value(writer, kind, key, chance)) for key in chance.sample(keys, chance.randint(0, 4))]
        if writer.odd(0.05):
            pairs.append((writer.one(("bogus", "Name", "license_link", "1", "models")), writer.one(SCALARS)))
        entries.append(writer.mapping(pairs, 4) if not writer.odd(0.02) else writer.one(("x", "[]", "{}", "null", "1")))
    top = kind.entries if not writer.odd(0.05) else writer.one((kind.entries.upper(), "x", "models", "mcp_servers"))
    source = f"source: {writer.scalar('us')}\n" if chance.random() < 0.3 else ""
    return source + f"{top}:" + ("".join(f"\n  - {entry or '{}'}" for entry in entries) or " []") + "\n"


def _value(writer: _Writer, kind: catalog.Kind, key: str, chance: random.Random) -> str:
    """A value that fits a key of an entry, most of the time."""
    if writer.odd(0.08):
        return writer.one((*SCALARS, *LISTS))
    if key == "artifacts":
        artifact = "{uri: %s}" if kind is not catalog.MODEL else writer.one(ARTIFACTS[:2] if not writer.odd(0.3) else ARTIFACTS)
        made = [artifact.replace("%s", writer.one(URIS[:2] if not writer.odd(0.3) else URIS)) for _number in range(chance.randint(0, 2))]
        return "[" + ", ".join([*made, *(["null"] if writer.odd(0.01) else [])]) + "]"
    if key == "customProperties":
        return "{" + ", ".join(f"p{number}: {writer.one(METADATA if writer.odd(0.4) else METADATA[:1])}" for number in range(chance.randint(0, 2))) + "}"
    fitting = {
        "servingConfig": (
            "{toolCalling: {toolCallParser: a, enableAutoToolChoice: true}}",
            "{}",
            "{toolCalling: {requiredArgs: [a]}}",
            "{x: 1}",
            "{toolCalling: {x: 1}}",
        ),
        "artifactCounts": ("{a: 1}", "{}", "{a: x}", "{a: 1.5}", "{a: null}", "{a: 1.0}", "{a: 2147483648}"),
        "tools": (
            "[{name: a}]",
            "[{name: a, parameters: [{name: p, type: string, required: true}]}]",
            "[{accessType: bad}]",
            "[{x: 1}]",
            "[{parameters: [null]}]",
        ),
        "endpoints": (
            "{http: 'https://a'}",
            "{sse: 'http://a', websocket: 'wss://a'}",
            "{}",
            "{http: 'ftp://a'}",
            "{http: a}",
            "{sse: 1}",
            "{websocket: 'http://a'}",
            "{http: 'https://a b'}",
        ),
        "deploymentMode": ("local", "local", "remote", "other"),
        "runtimeMetadata": (
            "{defaultPort: 1, mcpPath: /x}",
            "{}",
            "{defaultPort: '1'}",
            "{defaultArgs: [a, 1]}",
            "{requiredEnvironmentVariables: [{name: a}]}",
            "{capabilities: {requiresGPU: 1}}",
            "{recommendedResources: {minimal: {cpu: 1}}}",
            "{prerequisites: {secrets: [{name: s, keys: [k]}]}}",
        ),
        "securityIndicators": ("{verifiedSource: yes}", "{}", "{verifiedSource: 'yes'}", "{sast: 1}"),
        "env": ("[{name: a, required: true}]", "[]", "[{name: 1}]", "[{required: x}]", "[null]"),
        "templates": ("[{name: a, content: b}]", "[]", "[{name: 1}]", "[x]"),
    }.get(key)
    if fitting:
        return writer.one(fitting if writer.odd(0.3) else fitting[:2])
    if key in ("language", "tasks", "validatedTasks", "transports", "tags", "labels"):
        return writer.texts(("en", "'b c'", "text-generation"))
    if key == "externalId":
        return writer.scalar("same" if writer.odd(0.2) else f"x{chance.randint(0, 10**9)}")
    if key.endswith("SinceEpoch"):
        return writer.one(("'1700000000000'", "'0'")) if not writer.odd(0.2) else writer.one(("1700000000000", "'x'", "''", "'-1'", "1.5"))
    return writer.scalar("some text")


def predicted(files: Mapping[str, str]) -> Verdict:
    """What the modules say."""
    view = catalog_view.View(catalog.WITH_AGENTS, {catalog.MODEL.config_map: files})
    [file] = view.files.values()
    if file.is_refused:
        return Verdict(DOWN, why="; ".join(finding.sentence() for finding in file.findings if finding.effect == catalog_check.DOWN))
    statuses: dict[tuple[str, str], str | None] = {}
    names: dict[str, frozenset[str]] = {}
    for key, source in view.sources.items():
        findings = view.findings_of(source)
        effects = {finding.effect for finding in findings}
        if any(finding.effect == catalog_check.FAILS and not finding.is_told for finding in findings):
            statuses[key] = None
            continue
        if not source.is_enabled:
            statuses[key] = "disabled"
            continue
        if catalog_check.DOWN in effects:
            return Verdict(CRASHED, why=f"{source.id}: {findings}")
        place = view.data_of(source)
        text = view.data(*place) if place else None
        shown = frozenset() if text is None else frozenset(catalog_merged.names(text, source)[1]) - NAMELESS
        is_partial = any(finding.effect == catalog_check.PARTLY and finding.is_told for finding in findings)
        if catalog_check.FAILS in effects:
            statuses[key] = "error"
        elif source.type == catalog.HUGGING_FACE or (is_partial and source.kind is catalog.MCP):
            # Whether it can be reached is not known, nor whether the patterns let through what fails.
            continue
        elif is_partial:
            statuses[key] = "partially-available" if shown or NAMELESS & set(catalog_merged.names(text or "", source)[1]) else "error"
        else:
            statuses[key] = "available"
        if source.kind is catalog.MODEL and statuses[key] != "error":
            names[source.id] = frozenset(f"{source.id}:{name}".partition(":")[2] for name in shown)
    kinds = {kind.asset_type: kind.name for kind in catalog.KINDS.values()}
    listed = {(kinds[str(view.sources[key].values.get("assetType") or view.sources[key].kind.asset_type)], key[1]): statuses[key] for key in statuses}
    return Verdict(UP, listed, names)


class Asked:
    """Reads a verdict from the answers of a server."""

    def __init__(self, statuses: Mapping[str, Answer], models: Answer) -> None:
        self._statuses, self._models = statuses, models

    def verdict(self) -> Verdict:
        statuses: dict[tuple[str, str], str | None] = {}
        errors: list[str] = []
        for kind, answer in self._statuses.items():
            items = json.loads(answer.body).get("items") or ()
            statuses |= {(kind, item["id"]): item.get("status") for item in items}
            errors += [f"{item['id']}: {item['error']}" for item in items if item.get("error")]
        names: dict[str, set[str]] = {
            identity: set() for (kind, identity), status in statuses.items() if kind == "model" and status not in ("error", "disabled")
        }
        for item in json.loads(self._models.body).get("items") or ():
            names.setdefault(item.get("source_id", ""), set()).add(item["name"])
        return Verdict(UP, statuses, {identity: frozenset(shown) - NAMELESS for identity, shown in names.items()}, "; ".join(errors))


def emulated(files: Mapping[str, str]) -> Verdict:
    """What the sandbox's server makes of them when it is started."""
    folder = "/data/user-model-sources"
    log: list[str] = []

    async def look() -> Mounts:
        return {folder: {name: text.encode() for name, text in files.items()}}

    async def changes() -> AsyncIterator[None]:
        await asyncio.Event().wait()
        yield

    async def trial() -> Verdict:
        server = CatalogServer([f"--catalogs-path={folder}/{SOURCES}"], look, changes(), log.append)
        running = asyncio.create_task(server.run())
        for _turn in range(10):
            await asyncio.sleep(0)
        if running.done():
            return Verdict(DOWN if running.result() == 1 else CRASHED, why="; ".join(log))
        query = {"pageSize": "1000"}
        asked = {kind: server.respond("GET", f"{MODEL_API}/sources", {**query, "assetType": asset}, b"") for kind, asset in ASSETS.items()}
        verdict = Asked(asked, server.respond("GET", ENTRIES["model"], query, b"")).verdict()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return verdict

    return asyncio.run(trial())


def differences(said: Verdict, seen: Verdict) -> list[str]:
    """Where what a server does differs from what was said of it, in words."""
    if said.state != seen.state:
        return [f"{said.state} ({said.why}), {seen.state} ({seen.why})"]
    found = [f"{key}: {status}, {seen.statuses.get(key)}" for key, status in said.statuses.items() if status != seen.statuses.get(key)]
    return found or [f"{key}: {names}, {seen.names.get(key)}" for key, names in said.names.items() if names != seen.names.get(key)]


def shown(files: Mapping[str, str]) -> str:
    """Files for people."""
    return "\n".join(f"=== {name}\n{re.sub(r'(?m)^', '  ', text)}" for name, text in files.items())
