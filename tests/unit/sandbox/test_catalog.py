"""The sandbox's server of the model catalog, compared with what was seen of the product's, and with what the modules say of the same files."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog as model_catalog
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog_check, catalog_data, catalog_file
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import catalog_view
from sandbox.server import catalog, sources
from tests import catalog_files

FOLDER = "/data/user-model-sources"
PATH = f"{FOLDER}/sources.yaml"
ENTRY = "catalogs: [{{id: a, name: A, type: yaml, properties: {{yamlCatalogPath: a.yaml}}{}}}]\n"
GOOD, DATA = ENTRY.format(""), "models: [{name: org/one}, {name: org/two}]\n"


class Run:
    """A server with the files of one folder, which can be changed while it runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> None:
        monkeypatch.setattr(catalog, "RELOAD_SECONDS", 0)
        self.files, self.log = files, []
        self._changed = asyncio.Queue()
        self.server = catalog.CatalogServer([f"--catalogs-path={PATH}"], self._look, self._changes(), self.log.append)
        self.task = asyncio.create_task(self.server.run())

    async def _look(self) -> catalog.Mounts:
        return {FOLDER: {name: text.encode() for name, text in self.files.items()}}

    async def _changes(self) -> AsyncIterator[None]:
        while True:
            yield await self._changed.get()

    async def change(self, **files: str) -> None:
        """Write files, named without their ending, and let the server act on it."""
        self.files = {**self.files, **{f"{name}.yaml": text for name, text in files.items()}}
        self._changed.put_nowait(None)
        await self.settle()

    async def settle(self) -> None:
        for _turn in range(20):
            await asyncio.sleep(0)

    def get(self, path: str, **query: str) -> Any:
        return json.loads(self.server.respond("GET", path, query, b"").body)

    def source(self, identity: str = "a") -> dict[str, Any] | None:
        return next((item for item in self.get(f"{catalog.MODEL_API}/sources")["items"] if item["id"] == identity), None)

    def models(self) -> list[str]:
        return [item["name"] for item in self.get(f"{catalog.MODEL_API}/models")["items"]]


def running(monkeypatch: pytest.MonkeyPatch, work: Callable[[Run], Awaitable[None]], **files: str) -> None:
    """Do something with a server that has these files; what is not given is good."""

    async def trial() -> None:
        run = Run(monkeypatch, {f"{name}.yaml": text for name, text in {"sources": GOOD, "a": DATA, **files}.items()})
        await run.settle()
        try:
            await work(run)
        finally:
            run.task.cancel()
            await asyncio.gather(run.task, return_exceptions=True)

    asyncio.run(trial())


# What takes the catalog down, and what does not: the first as it was seen of the real server, the same with what the modules say.
DOWN = [
    "catalog: []",
    "skill_catalogs: []",
    "[]",
    "catalogs: []\ncatalogs: []",
    "catalogs:\n\t- id: a",
    ENTRY.format(", colour: red"),
    "catalogs: [{id: a, name: A, type: hf}, {id: a, name: B, type: hf}]",
    "catalogs: [{name: A, type: hf}]",
    'catalogs: [{id: "", name: A}]',
    "catalogs: [{id: a}]\nmcp_catalogs: [{id: a}]",
    *(f"catalogs: [{{id: {text}}}]" for text in ("123", "y", "on", "1_000", "0o17", "1.0")),
    *(f"catalogs: [{{id: a, name: {text}}}]" for text in ("yes", "1_000", "0o17", "1.0", "0x1f", "[A]")),
    'catalogs: [{id: a, enabled: "true"}]',
    "catalogs: [{id: a, enabled: 1}]",
    "catalogs: [{id: a, labels: text}]",
    "catalogs: [{id: a, labels: [1]}]",
    'catalogs: [{id: a, includedModels: [" "]}]',
    "labels: [{name: A}, {name: A}]",
    'labels: [{name: ""}]',
    "labels: [{displayName: A}]",
    "labels: [{name: A, description: 1}]",
    "namedQueries: {q: {field: {operator: LIKES, value: x}}}",
    "namedQueries: {q: {field: {operator: IN, value: x}}}",
    "namedQueries: {q: {}}",
    "catalogs: [{<<: {id: b}, id: a}]",
    "catalogs: [{id: a, properties: {"
    + "a0: &a0 [x, x], "
    + ", ".join(f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]" for number in range(1, 9))
    + "}}]",
    # Half a character, and one that there is not.
    'catalogs: [{id: a, name: "\\ud83d"}]',
    'catalogs: [{id: a, name: "\\U00110000"}]',
    # A pattern between brackets, without quotes.
    "catalogs: [{id: a, includedModels: [b?]}]",
]
FINE = [
    "",
    "# nothing",
    "catalogs:",
    "catalogs: [{id: a}]",
    "catalogs: [{id: a, name: null}]",
    "catalogs: [{id: a, name: 12:30:45}]",
    "catalogs: [{id: a, name: 2026-11-28}]",
    "catalogs: [{id: a, enabled: yes}]",
    "namedQueries: {q: {f: {Operator: '=', VALUE: 1}}}",
    # White space to Python alone.
    'catalogs: [{id: a, includedModels: ["\\x1f"]}]',
    "catalogs:\t[]",
    "catalogs: [{ID: a, Name: A}]",
    "catalogs: [{<<: {name: b}, id: a}]",
    "\ufeffcatalogs: []\r\n",
    "catalogs: []\n---\ncatalogs: [",
    "catalogs: [&one {id: a}]\nmodel_catalogs: [*one]",
    "mcp_catalogs: [{id: a, name: yes}]",
    "agent_catalogs: [{id: 1}]",
    "labels: [{name: null}, {name: A}]",
    "namedQueries: {q: {field: {operator: in, value: [x]}}}",
    "namedQueries: {q: {assetType: agents, filters: {field: {operator: '=', value: x}}}}",
    "catalogs: [{id: a, includedModels: [x], excludedModels: [x]}]",
]


@pytest.mark.parametrize("text", [*DOWN, *FINE])
def test_a_file_takes_the_catalog_down_when_the_modules_say_so(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    async def work(run: Run) -> None:
        await run.change(sources=text)
        is_ready = run.server.ready().status == 200
        assert is_ready == (text in FINE) == (not catalog_file.read_file(text, model_catalog.WITH_AGENTS).is_refused)
        assert is_ready == (not any("unable to reload" in line for line in run.log))
        # What it had goes on, and comes back by itself.
        await run.change(sources=GOOD)
        assert run.server.ready().status == 200
        assert run.models() == ["org/one", "org/two"]

    running(monkeypatch, work)


@pytest.mark.parametrize("text", DOWN)
def test_it_does_not_start_with_such_a_file(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    async def work(run: Run) -> None:
        assert await run.task == 1
        assert run.log[0].startswith("Error: error starting plugins: ")

    running(monkeypatch, work, sources=text)


DATA_CASES = {
    "models: [{name: m}]": "available",
    "": "available",
    "source: x\nmodels: []": "available",
    "models: [{name: m}, {name: m}]": "available",
    "models: [{description: m}]": "available",
    "models: {}": "error",
    "models: [": "error",
    "modells: []": "error",
    "models: [{name: yes}]": "error",
    "models: [{name: m, colour: red}]": "error",
    "models: [{name: m, tasks: text}]": "error",
    "models: [{name: m, artifacts: [{uri: quay.io/m}]}]": "error",
    "models: [{name: m, artifacts: [{uri: 'ftp://x/m'}]}, {name: o}]": "partially-available",
    "models: [{name: m, artifacts: [{uri: 'oci://x/m'}]}]": "available",
    "models: [{name: m, artifacts: [{artifactType: metrics-artifact}]}]": "available",
    "models: [{name: m, artifacts: [{artifactType: other, uri: 'oci://x/m'}]}]": "error",
}
EFFECTS = {"available": {catalog_check.ADVICE}, "error": {catalog_check.FAILS, catalog_check.PARTLY}, "partially-available": {catalog_check.PARTLY}}


@pytest.mark.parametrize(("text", "status"), DATA_CASES.items())
def test_data_fail_their_source_when_the_modules_say_so(monkeypatch: pytest.MonkeyPatch, text: str, status: str) -> None:
    async def work(run: Run) -> None:
        assert run.source()["status"] == status
        assert bool(run.source()["error"]) == (status != "available")
        assert run.server.ready().status == 200

    running(monkeypatch, work, a=text)
    effects = {finding.effect for finding in catalog_data.findings(text, model_catalog.MODEL)}
    assert effects <= {catalog_check.ADVICE, *EFFECTS[status]}
    assert (effects - {catalog_check.ADVICE} == set()) == (status == "available")


@pytest.mark.parametrize("text", ["models: [{name: m, artifacts: [null]}]"])
def test_a_null_in_a_list_ends_the_process(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    async def work(run: Run) -> None:
        assert await run.task == 2
        assert run.log[-1].startswith("panic: ")

    running(monkeypatch, work, a=text)
    assert catalog_check.DOWN in {finding.effect for finding in catalog_data.findings(text, model_catalog.MODEL)}


def test_data_alone_are_noticed_unless_they_could_not_be_read_before(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(run: Run) -> None:
        await run.change(a="models: [{name: org/three}]")
        assert run.models() == ["org/three"]
        await run.change(a="models: [")
        assert (run.source()["status"], run.models()) == ("available", ["org/three"])
        await run.change(sources=GOOD + "\n")
        assert (run.source()["status"], run.models()) == ("error", [])
        await run.change(a=DATA)
        assert run.source()["status"] == "error"
        await run.change(sources=GOOD)
        assert (run.source()["status"], run.models()) == ("available", ["org/one", "org/two"])

    running(monkeypatch, work)


def test_hugging_face_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(run: Run) -> None:
        assert run.source()["status"] == "error"
        assert run.source()["error"] == "failed to expand model patterns: no models found: [ibm/granite-*]"
        assert run.source()["includedModels"] == ["ibm/granite-*"]

    running(monkeypatch, work, sources="catalogs: [{id: a, name: A, type: hf, properties: {allowedOrganization: ibm}, includedModels: [granite-*]}]")


def test_hugging_face_is_not_asked_for_models_that_are_excluded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(run: Run) -> None:
        assert (run.source()["status"], run.models()) == ("available", [])

    excluded = "includedModels: [A], excludedModels: [x, a]"
    running(monkeypatch, work, sources=f"catalogs: [{{id: a, name: A, type: hf, properties: {{allowedOrganization: 'org/*'}}, {excluded}}}]")


def test_a_disabled_source_shows_nothing_and_its_data_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(run: Run) -> None:
        assert (run.source()["status"], run.models()) == ("disabled", [])

    running(monkeypatch, work, sources=ENTRY.format(", enabled: false"), a="models: [{name: m, artifacts: [null]}]")


def of(section: str, *data: str) -> dict[str, str]:
    """A file with one source for each of these data."""
    entries = [f"  - {{id: s{number}, name: S, type: yaml, properties: {{yamlCatalogPath: s{number}.yaml}}}}\n" for number in range(len(data))]
    return {"sources.yaml": f"{section}:\n{''.join(entries)}", **{f"s{number}.yaml": text for number, text in enumerate(data)}}


def of_model(values: str) -> dict[str, str]:
    return of("catalogs", f"models: [{{name: a, {values}}}]")


def of_server(values: str) -> dict[str, str]:
    return of("mcp_catalogs", f"mcp_servers: [{{name: a, {values}}}]")


def sources_alone(text: str) -> dict[str, str]:
    return {"sources.yaml": text}


def of_path(path: str) -> dict[str, str]:
    entry = f"catalogs: [{{id: a, name: A, type: yaml, properties: {{yamlCatalogPath: {path}}}}}]"
    return {"sources.yaml": entry, "d.yaml": "models: [{name: a}]"}


WRONG_ADDRESSES = [
    *("https://a%41/b", "https://a%20b/b", "https://[abc]/b", "https://[::1%25]/b", "http://[1.2.3.4]/", "https://[::1", "https://a[::1]"),
    *("https://a:b:1/c", "HTTPS://A:B:1/c", "oci://a:b/c", "oci://%zz@a/b", "oci://a b@c/d", "oci://u^@c", "oci://a|b/c"),
    *("oci:/%zz", "oci:x#%zz", "https://a?x#y%z", "https://a%", "https://a/%"),
]
RIGHT_ADDRESSES = [
    *("https://a/b?%zz", "https://a?%", "https:?%zz", "https://a%25/b", "https://a%c3%a9/b", "https://[::1%25en0]:80/b", "oci://a:b:1/c", "oci:%zz"),
    *("oci://<a>/b", "https://a/b|c d", "s3:///x", "az:", "oci://a:/b", "oci://@/b"),
]
WRONG_RUNTIME = [
    *("defaultPort: 99999999999", "defaultPort: 1.5", "requiredEnvironmentVariables: [a]", "requiredEnvironmentVariables: [{required: x}]"),
    *("recommendedResources: {minimal: x}", "recommendedResources: {minimal: {cpu: [1]}}", "capabilities: {requiresGPU: 1}", "healthEndpoints: {liveness: {}}"),
    *("prerequisites: {secrets: [s]}", "prerequisites: {configMaps: [{mountAsFile: x}]}", "prerequisites: {environmentVariables: [{required: 5}]}"),
    *("prerequisites: {serviceAccount: x}", "prerequisites: {serviceAccount: {required: 1}}", "prerequisites: []"),
]
RIGHT_RUNTIME = [
    *("defaultPort: 1.0", "requiredEnvironmentVariables: [null, {name: 5, required: true, bogus: 1}]", "recommendedResources: {minimal: {cpu: 1}}"),
    *("prerequisites: {secrets: [{name: s, keys: [{key: 5}]}], customResources: [1]}", "capabilities: {x: y}", "healthEndpoints: {liveness: 5}"),
]
# What was seen of the product's server, with its status of the last source, or what became of all of it.
SEEN = [
    (of_model("description: .inf"), "error"),
    (of_model("x: .inf"), "error"),
    (of_model("customProperties: {p: {metadataType: MetadataDoubleValue, double_value: -.Inf}}"), "error"),
    (of_model("servingConfig: {toolCalling: {toolCallParser: .NaN}}"), "error"),
    (of_model("servingConfig: {toolCalling: {toolCallParser: 5}}"), "error"),
    (of_model("servingConfig: {toolCalling: {requiredArgs: [1]}}"), "error"),
    (of("catalogs", "source: +.inf\nmodels: [{name: a}]"), "available"),
    (of("catalogs", "source: !!float .nan\nmodels: [{name: a}]"), "available"),
    (of("mcp_catalogs", "mcp_servers: [{name: .inf}]"), "available"),
    (of_server("tags: [.nan]"), "available"),
    (of_server(".inf: x"), "available"),
    (of_server("x: .inf"), "error"),
    (of_server("runtimeMetadata: {defaultPort: .inf}"), "error"),
    (of_server("version: a@b"), "error"),
    (of_server(f"version: {'v' * 101}"), "error"),
    (of("mcp_catalogs", "mcp_servers: [{name: a@b}, {name: c}]"), "partially-available"),
    (of("mcp_catalogs", f"mcp_servers: [{{name: {'n' * 256}}}]"), "error"),
    (of("mcp_catalogs", "mcp_servers: [{name: ' '}]"), "error"),
    (of("mcp_catalogs", "mcp_servers: [{name: a, externalId: x}, {name: a, externalId: x}]"), "available"),
    (of("mcp_catalogs", "mcp_servers: [{name: a, externalId: x, version: '1'}, {name: a, externalId: x, version: '2'}]"), "partially-available"),
    (of("mcp_catalogs", "mcp_servers: [{name: a, externalId: x}]", "mcp_servers: [{name: b, externalId: x}]"), "error"),
    (of("mcp_catalogs", "mcp_servers: [{name: a, externalId: x}]", "mcp_servers: [{name: b, externalId: x}, {name: c}]"), "partially-available"),
    (of("mcp_catalogs", "mcp_servers: [{name: a, externalId: x}]", "mcp_servers: [{name: a, externalId: x}]"), "available"),
    (of("catalogs", "models: [{name: a, externalId: x}]", "models: [{name: b, externalId: x}]"), "available"),
    (of("agent_catalogs", "agents: [{name: a, externalId: x}]", "agents: [{name: b, externalId: x}]"), "available"),
    *((of_model(f"artifacts: [{{uri: '{uri}'}}]"), "error") for uri in WRONG_ADDRESSES),
    *((of_model(f"artifacts: [{{uri: '{uri}'}}]"), "available") for uri in RIGHT_ADDRESSES),
    *((of_server(f"endpoints: {{http: '{address}'}}"), "error") for address in ("https://a b", "https://%zz", "https://a:x", "/x", "ws://a", "https://a%41")),
    (of_server("endpoints: {http: 'HTTPS://a', websocket: 'ws://a:80/x?%'}"), "available"),
    *((of_model(f"artifactCounts: {{a: {number}}}"), "available") for number in ("1.0", "1e3", "2147483647", "-2147483648", "-0.0")),
    *((of_model(f"artifactCounts: {{a: {number}}}"), "error") for number in ("1.5", "2147483648", "99999999999")),
    (of_model("customProperties: {p: {metadataType: MetadataProtoValue, proto_value: x, type: y}}"), "error"),
    (of_model("customProperties: {p: {metadataType: MetadataStringValue, string_value: x, type: 5}}"), "available"),
    *((of_server(f"runtimeMetadata: {{{value}}}"), "error") for value in WRONG_RUNTIME),
    *((of_server(f"runtimeMetadata: {{{value}}}"), "available") for value in RIGHT_RUNTIME),
    (of_server('description: "a\\0"'), "error"),
    (of_server('customProperties: {p: {metadataType: MetadataStringValue, string_value: "a\\x00"}}'), "error"),
    (of_server('tags: ["a\\0"]'), "available"),
    (of_server(f"externalId: {'x' * 256}"), "error"),
    (of_server("externalId: 1.5, customProperties: {p: null}"), "available"),
    (of_server(f"customProperties: {{{'x' * 256}: {{metadataType: MetadataStringValue, string_value: x}}}}"), "error"),
    (of("mcp_catalogs", f"mcp_servers: [{{name: {'n' * 253}, version: '1'}}]"), "available"),
    (of("mcp_catalogs", f"mcp_servers: [{{name: {'n' * 254}, version: '1'}}]"), "error"),
    (of("mcp_catalogs", "mcp_servers: [{name: a, externalId: ''}, {name: b, externalId: ''}]"), "partially-available"),
    (of("catalogs", "%YAML 1.2\n---\nmodels: [{name: a}]"), "error"),
    (of("catalogs", "%YAML 1.1\n---\nmodels: [{name: a}]"), "available"),
    (sources_alone("%YAML 1.2\n---\ncatalogs: []"), catalog_files.DOWN),
    (sources_alone("# c\n%TAG ! tag:x,2000:\n%YAML 1.10\n---\ncatalogs: []"), catalog_files.DOWN),
    (sources_alone("namedQueries: {q: {'': {operator: '=', value: x}}}"), catalog_files.DOWN),
    *((of_path(path), "available") for path in ("././d.yaml", ".//d.yaml", "x/../d.yaml", "d.yaml/")),
    *((of_path(path), "error") for path in ("' d.yaml'", "'.'", "D.yaml")),
    *((of_path(f"d.yaml, excludedModels: {patterns}"), "error") for patterns in ("['']", "[' ']", "[b, '']")),
    (sources_alone(f"catalogs: [{{id: {'i' * 256}, type: yaml}}]"), None),
    (sources_alone('catalogs: [{id: "a\\0", type: yaml}]'), None),
    (sources_alone("catalogs: [{id: a, assetType: mcp_servers, type: other}]"), "error"),
    (sources_alone("catalogs: [{id: .inf}]"), catalog_files.DOWN),
    (sources_alone("catalogs: [{id: a, properties: {x: .nan}}]"), catalog_files.DOWN),
    (sources_alone("namedQueries: {q: {f: {operator: '=', value: .inf}}}"), catalog_files.DOWN),
    (sources_alone("mcp_catalogs: [{id: .inf, name: .nan, labels: [-.inf], type: yaml}]"), "error"),
]


@pytest.mark.parametrize(("files", "status"), SEEN)
def test_what_was_seen_of_the_products_server_is_what_this_one_does_and_the_modules_say(files: dict[str, str], status: str | None) -> None:
    """Of an MCP server that is not stored, the modules cannot say how much of its source is left: they refuse it."""
    said, done = catalog_files.predicted(files), catalog_files.emulated(files)
    assert catalog_files.differences(said, done) == []
    if status == catalog_files.DOWN:
        assert said.state == done.state == catalog_files.DOWN
        return
    last = list(done.statuses)[-1]
    assert done.statuses[last] == status
    assert said.statuses.get(last, "" if last[0] == "mcp" and status != "available" else None) in ("", status)


def of_agent(values: str) -> dict[str, str]:
    return of("agent_catalogs", f"agents: [{{name: a, {values}}}]")


# What the product's server does not store, without a word in the status of the source.
LOST = [
    *(of_model(f'{key}: "a\\0"') for key in ("readme", "license", "maturity", "provider", "logo", "licenseLink", "libraryName", "description")),
    of_model('customProperties: {"p\\u0000": {metadataType: MetadataStringValue, string_value: x}}'),
    of_model("description: !!binary AA=="),
    of_model(f"customProperties: {{{'x' * 256}: {{metadataType: MetadataStringValue, string_value: x}}}}"),
    of("catalogs", f"models: [{{name: {'n' * 253}}}]"),
    of("agent_catalogs", f"agents: [{{name: {'n' * 253}}}]"),
    *(of_agent(f'{key}: "a\\0"') for key in ("description", "framework", "readme", "externalId", "logo")),
    of_agent(f"externalId: {'x' * 256}"),
]
STORED = [
    *(of_model(f'{key}: "1\\0"') for key in ("externalId", "id", "createTimeSinceEpoch")),
    *(of_model(values) for values in ('tasks: ["a\\0"]', 'servingConfig: {toolCalling: {toolCallParser: "a\\0"}}', f"externalId: {'x' * 256}")),
    of_model('customProperties: {p: {metadataType: MetadataStructValue, struct_value: "a\\0"}}'),
    of_model("artifacts: [{uri: 'oci://a', description: \"a\\0\"}]"),
    of("catalogs", f"models: [{{name: {'é' * 252}}}]"),
    of("agent_catalogs", f"agents: [{{name: {'n' * 252}}}]"),
    of_agent('labels: ["a\\0"]'),
]


@pytest.mark.parametrize("files", [*LOST, *STORED])
def test_what_the_database_does_not_store_is_refused_by_the_modules(monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> None:
    async def work(run: Run) -> None:
        names = [item["name"] for path in (f"{catalog.MODEL_API}/models", f"{catalog.AGENT_API}/agents") for item in run.get(path)["items"]]
        assert bool(names) == (files in STORED)

    running(monkeypatch, work, sources=files["sources.yaml"], s0=files["s0.yaml"])
    [source] = (view := catalog_view.View(model_catalog.WITH_AGENTS, {model_catalog.MODEL.config_map: files})).sources.values()
    assert bool({finding.effect for finding in view.findings_of(source)} - {catalog_check.ADVICE}) == (files in LOST)


@pytest.mark.parametrize("number", range(0, 400, 40))
def test_of_files_that_nobody_has_thought_of_the_modules_say_what_the_server_does(number: int) -> None:
    """The campaign of the same files asks the product's own server too."""
    for case in range(number, number + 40):
        files = catalog_files.generated(random.Random(f"fixed case {case}"))
        differs = catalog_files.differences(catalog_files.predicted(files), catalog_files.emulated(files))
        assert not differs, f"{differs}\n{catalog_files.shown(files)}"


def form(**parts: str) -> bytes:
    lines = [f'--xyz\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n{text}\r\n' for name, text in parts.items()]
    return "".join([*lines, "--xyz--\r\n"]).encode()


def test_the_preview_tells_which_models_the_patterns_let_through_and_is_no_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    def preview(run: Run, config: str, data: str) -> tuple[int, Any]:
        answer = run.server.respond("POST", f"{catalog.MODEL_API}/sources/preview", {}, form(config=config, catalogData=data))
        return answer.status, json.loads(answer.body)

    async def work(run: Run) -> None:
        status, found = preview(run, "type: yaml\nname: yes\ncolour: red\nincludedModels: ['*/ONE']", DATA)
        assert (status, found["summary"]) == (200, {"totalModels": 2, "includedModels": 1, "excludedModels": 1})
        assert found["items"] == [{"name": "org/one", "included": True}, {"name": "org/two", "included": False}]
        assert preview(run, "name: A", DATA)[0] == 422
        assert preview(run, "type: yaml", "models: [{name: yes}]")[0] == 422

    running(monkeypatch, work)


def test_pages_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(run: Run) -> None:
        first = run.get(f"{catalog.MODEL_API}/models", pageSize="1")
        second = run.get(f"{catalog.MODEL_API}/models", pageSize="1", nextPageToken=first["nextPageToken"])
        assert [item["name"] for page in (first, second) for item in page["items"]] == ["org/one", "org/two"]
        assert (first["size"], second["nextPageToken"]) == (1, "")

    running(monkeypatch, work)


def test_later_files_override_earlier_ones_key_by_key() -> None:
    first = sources.read(ENTRY.format(", enabled: false"))
    second = sources.read("catalogs: [{id: a, enabled: true, labels: []}]")
    merged = sources.merged([("one", first), ("two", second)], sources.MODELS)["a"]
    assert (merged["name"], merged["enabled"], merged["labels"], merged["origin"]) == ("A", True, [], "one")


OTHER = "/data/labeled-sources/others"


def running_with_labels(monkeypatch: pytest.MonkeyPatch, work: Callable[[Run], Awaitable[None]], others: str) -> None:
    """As `running`, with another file, which comes first and describes these labels."""

    async def prepared(run: Run) -> None:
        run.task.cancel()
        original = run.server._look

        async def look() -> catalog.Mounts:
            return {**(await original()), OTHER: {"sources.yaml": f"labels: [{others}]".encode()}}

        run.server = catalog.CatalogServer([f"--catalogs-path={folder}/sources.yaml" for folder in (OTHER, FOLDER)], look, run._changes(), run.log.append)
        run.task = asyncio.create_task(run.server.run())
        await run.settle()
        await work(run)

    running(monkeypatch, prepared)


def labels_of(run: Run) -> list[str]:
    return [item["name"] for item in run.get(f"{catalog.MODEL_API}/labels")["items"]]


def test_a_label_of_another_file_is_refused_with_the_file_that_has_added_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(run: Run) -> None:
        await run.change(sources=GOOD + "labels: [{name: A}]")
        assert run.server.ready().status == 503
        assert PATH in run.log[-1] and OTHER not in run.log[-1]
        await run.change(sources=GOOD)
        assert run.server.ready().status == 200

    running_with_labels(monkeypatch, work, "{name: A}")


def test_labels_of_two_files_cannot_be_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was seen of the product's server, in sequences of sixty changes, too."""

    async def work(run: Run) -> None:
        labelled = GOOD + "labels: [{name: Own}]"
        await run.change(sources=labelled)
        assert (run.server.ready().status, labels_of(run)) == (200, ["A", "B", "Own"])
        for text in (f"{labelled} # again", labelled):
            await run.change(sources=text)
            assert (run.server.ready().status, labels_of(run)) == (503, ["Own", "A", "B"])
            assert "label with name 'Own' already exists from another origin" in run.log[-1]
        # What was there before is accepted: it keeps a label that no file has, and forgets one that a file has.
        await run.change(sources=GOOD)
        assert (run.server.ready().status, labels_of(run)) == (200, ["Own", "A"])
        await run.change(sources=labelled)
        assert run.server.ready().status == 503

    running_with_labels(monkeypatch, work, "{name: A}, {name: B}")


def test_all_files_are_read_again_for_each_that_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(run: Run) -> None:
        original = run.server._look

        async def look() -> catalog.Mounts:
            return {**(await original()), OTHER: {"sources.yaml": b"labels: [{name: B}]"}}

        run.server._look = look
        await run.change(sources=GOOD + "labels: [{name: Own}]")
        assert run.server.ready().status == 503

    running_with_labels(monkeypatch, work, "{name: A}")
