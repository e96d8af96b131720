"""What the catalog server says of its files. Each text was given to the functions of the server, v0.3.14, that read them: what is expected is what it did."""

import json

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog, catalog_data, catalog_file, catalog_merged
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.catalog_check import ADVICE, DOWN, FAILS, PARTLY
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import catalog_view

# The whole catalog is down with these.
REFUSED = {
    "unknown key": "x: []",
    "skills": "skill_catalogs: []",
    "unknown key of a source": "catalogs:\n  - id: a\n    name: A\n    type: yaml\n    properties: {yamlCatalogPath: a.yaml}\n    bogus: 1\n",
    "key twice": "catalogs:\n  - id: a\n    name: A\n    type: yaml\n    properties: {yamlCatalogPath: a.yaml}\n    name: B\n",
    "id twice": "catalogs: [{id: a}, {id: a}]",
    "no id": "catalogs: [{name: a}]",
    "empty id": "catalogs: [{id: ''}]",
    "null id": "catalogs: [{id: }]",
    "null source": "catalogs: [null]",
    "id in two kinds": "catalogs: [{id: a}]\nmcp_catalogs: [{id: a}]",
    "enabled text": "catalogs: [{id: a, enabled: 'true'}]",
    "enabled number": "catalogs: [{id: a, enabled: 1}]",
    "labels text": "catalogs: [{id: a, labels: x}]",
    "labels number": "catalogs: [{id: a, labels: [1]}]",
    "name yes": "catalogs: [{id: a, name: yes}]",
    "name 1_000": "catalogs: [{id: a, name: 1_000}]",
    "name 0o17": "catalogs: [{id: a, name: 0o17}]",
    "name 1.0": "catalogs: [{id: a, name: 1.0}]",
    "id 123": "catalogs: [{id: 123}]",
    "id y": "catalogs: [{id: y}]",
    "id on": "catalogs: [{id: on}]",
    "agent lists": "agent_catalogs: [{id: a, includedServers: []}]",
    "properties text": "catalogs: [{id: a, properties: x}]",
    "properties list": "catalogs: [{id: a, properties: []}]",
    "empty pattern": "catalogs: [{id: a, includedModels: [' ']}]",
    "null pattern": "catalogs: [{id: a, excludedModels: [null]}]",
    "status": "catalogs: [{id: a, status: fine}]",
    "asset type": "mcp_catalogs: [{id: a, assetType: x}]",
    "catalogs as mapping": "catalogs: {id: a}",
    "list": "- id: a",
    "text": "abc",
    "number": "5",
    "tab": "catalogs:\n\t- id: a",
    "merge of other keys": "catalogs:\n  - &a {id: a}\n  - {<<: *a, id: b}",
    "merge": "labels:\n  - &a {name: a, x: y}\nmodel_catalogs: []\nmcp_catalogs: [{id: b, properties: {<<: *a}}]",
    "unclosed": "catalogs: [",
    "control": "catalogs: [{id: \u0001}]",
    "infinite": "catalogs: [{id: a, properties: {x: .inf}}]",
    "null key": "~: 1",
    "number key": "1: 1",
    "label twice": "labels: [{name: a}, {name: a}]",
    "label empty": "labels: [{name: ''}]",
    "label missing": "labels: [{x: a}]",
    "label null twice": "labels: [{name: null}, {name: ~}]",
    "label number": "labels: [{name: 1}]",
    "label value": "labels: [{name: a, x: 1}]",
    "label text": "labels: [a]",
    "query field": "namedQueries: {q: {'': {operator: '=', value: 1}}}",
    "query operator": "namedQueries: {q: {f: {operator: '~', value: 1}}}",
    "query in": "namedQueries: {q: {f: {operator: IN, value: 1}}}",
    "query none": "namedQueries: {q: {}}",
    "query null": "namedQueries: {q: }",
    "query value": "namedQueries: {q: {f: {operator: '='}}}",
    "query asset": "namedQueries: {q: {assetType: x, filters: {f: {operator: '=', value: 1}}}}",
    "query asset alone": "namedQueries: {q: {assetType: models}}",
    "query name": "namedQueries: {'': {f: {operator: '=', value: 1}}}",
    "queries as list": "namedQueries: []",
    "escaped slash": 'catalogs: [{id: "a\\/b"}]',
    "question mark between brackets": "catalogs: [{id: a, includedModels: [b?]}]",
    "tag that does not fit": "catalogs: [{id: a, name: !!null x}]",
    "time that is none": "catalogs: [{id: a, name: !!timestamp x}]",
    "binary that is none": "catalogs: [{id: a, name: !!binary x}]",
    "text after an exclamation mark": "catalogs: [{id: a, enabled: ! yes}]",
}
# Accepted, and hardly meant.
DOUBTFUL = {
    "colon": "catalogs: [{id: 'a:b', name: A, type: hf, includedModels: [a/b]}]",
    "other asset type": "catalogs: [{id: a, name: A, type: hf, includedModels: [a/b], assetType: mcp_servers}]",
    "other case": "CATALOGS: []",
    "id in both model keys": "catalogs: [{id: a, name: old}]\nmodel_catalogs: [{id: a, name: new}]",
    "type number": "catalogs: [{id: a, type: 1}]",
    "mcp name yes": "mcp_catalogs: [{id: a, name: yes}]",
    "mcp id 12": "mcp_catalogs: [{id: 12}]",
    "mcp labels number": "mcp_catalogs: [{id: a, labels: [1.50]}]",
    "agent name 1_0": "agent_catalogs: [{id: a, name: 1_0}]",
    "pattern in both": "catalogs: [{id: a, includedModels: [x], excludedModels: [x]}]",
    "id in capitals": "catalogs: [{ID: a}]",
    "second document": "catalogs: [{id: a}]\n---\nbogus: 1",
}
# Accepted.
ACCEPTED = {
    "enabled yes": "catalogs: [{id: a, enabled: yes}]",
    "labels null": "catalogs: [{id: a, labels: [null]}]",
    "name null": "catalogs: [{id: a, name: null}]",
    "name sexagesimal": "catalogs: [{id: a, name: 12:30:45}]",
    "name date": "catalogs: [{id: a, name: 2026-11-28}]",
    "empty": "",
    "comment": "# nothing",
    "null sections": "catalogs:\nmcp_catalogs: ~",
    "alias": "catalogs: [{id: a, labels: &l [x]}, {id: b, labels: *l}]",
    "mark": "\ufeffcatalogs: [{id: a}]\r\n",
    "label null": "labels: [{name: null}]",
    "query": "namedQueries: {q: {f: {operator: '=', value: 1}}}",
    "query small": "namedQueries: {q: {f: {operator: like, value: 1}}}",
    "query list": "namedQueries: {q: {f: {operator: IN, value: [1]}}}",
    "escaped backslash": 'catalogs: [{id: "a\\\\/b"}]',
    "question mark in quotes": "catalogs: [{id: a, includedModels: ['b?']}]",
    "question mark in a block": "catalogs:\n- id: a\n  includedModels:\n  - b?\n",
    "unknown tag": "catalogs: [{id: a, name: !other 1}]",
    "time": "catalogs: [{id: a, name: !!timestamp 2026-01-01}]",
    "binary": "catalogs: [{id: a, name: !!binary aGk=}]",
    "name after an exclamation mark": "catalogs: [{id: a, name: ! 1}]",
}
# Files with data: the kind of source, and the worst of what becomes of it.
DATA = {
    "model: unknown key": ("model", FAILS, "models:\n  - name: a\n    bogus: 1"),
    "model: a null artifact in data that cannot be read": ("model", FAILS, "models: [{name: a, artifacts: [null], bogus: 1}]"),
    "model: uri with a blank in its host": ("model", PARTLY, "models:\n  - name: a\n    artifacts: [{uri: 'gs://b /x'}]"),
    "model: uri with a blank in its path": ("model", None, "models:\n  - name: a\n    artifacts: [{uri: 'gs://b/x y'}]"),
    "mcp: no name": ("mcp", PARTLY, "mcp_servers: [{description: a}, {name: b}]"),
    "mcp: external ID twice": ("mcp", PARTLY, "mcp_servers: [{name: a, externalId: x}, {name: b, externalId: x}]"),
    "agent: external ID twice": ("agent", ADVICE, "agents: [{name: a, externalId: x}, {name: b, externalId: x}]"),
    "model: external ID twice": ("model", None, "models: [{name: a, externalId: x}, {name: b, externalId: x}]"),
    "model: unknown top key": ("model", FAILS, "model: []"),
    "model: capitals": ("model", ADVICE, "Models: [{Name: a}]"),
    "model: name number": ("model", FAILS, "models: [{name: 1}]"),
    "model: no name": ("model", ADVICE, "models: [{description: x}]"),
    "model: name twice": ("model", ADVICE, "models: [{name: a}, {name: a}]"),
    "model: null model": ("model", ADVICE, "models: [null]"),
    "model: source number": ("model", ADVICE, "source: 1\nmodels: []"),
    "model: empty": ("model", ADVICE, ""),
    "model: language no": ("model", FAILS, "models:\n  - name: a\n    language: [en, no]"),
    "model: time number": ("model", FAILS, "models:\n  - name: a\n    createTimeSinceEpoch: 1700000000000"),
    "model: time text": ("model", None, "models:\n  - name: a\n    createTimeSinceEpoch: '1700000000000'"),
    "model: uri without scheme": ("model", PARTLY, "models:\n  - name: a\n    artifacts: [{uri: x/y}]"),
    "model: uri other scheme": ("model", PARTLY, "models:\n  - name: a\n    artifacts: [{uri: 'ftp://x'}]"),
    "model: uri missing": ("model", PARTLY, "models:\n  - name: a\n    artifacts: [{}]"),
    "model: uri capital": ("model", None, "models:\n  - name: a\n    artifacts: [{uri: 'OCI://x/y'}]"),
    "model: uri percent": ("model", PARTLY, "models:\n  - name: a\n    artifacts: [{uri: 'https://x/%zz'}]"),
    "model: metrics": ("model", None, "models:\n  - name: a\n    artifacts: [{artifactType: metrics-artifact, metricsType: x}]"),
    "model: artifact type": ("model", FAILS, "models:\n  - name: a\n    artifacts: [{artifactType: x}]"),
    "model: artifact null": ("model", DOWN, "models:\n  - name: a\n    artifacts: [null]"),
    "model: artifact key": ("model", ADVICE, "models:\n  - name: a\n    artifacts: [{uri: 'oci://x/y', bogus: 1}]"),
    "model: custom string": ("model", None, "models:\n  - name: a\n    customProperties: {a: {metadataType: MetadataStringValue, string_value: b}}"),
    "model: custom int number": ("model", FAILS, "models:\n  - name: a\n    customProperties: {a: {metadataType: MetadataIntValue, int_value: 3}}"),
    "model: custom int": ("model", None, "models:\n  - name: a\n    customProperties: {a: {metadataType: MetadataIntValue, int_value: '3'}}"),
    "model: custom unknown": ("model", ADVICE, "models:\n  - name: a\n    customProperties: {a: {metadataType: Bogus}}"),
    "model: custom without a value": ("model", ADVICE, "models:\n  - name: a\n    customProperties: {a: {metadataType: MetadataStringValue}}"),
    "model: custom type number": ("model", FAILS, "models:\n  - name: a\n    customProperties: {a: {metadataType: MetadataProtoValue, type: 1}}"),
    "model: two documents": ("model", ADVICE, "models: [{name: a}]\n---\nmodels: []"),
    "model: custom text": ("model", FAILS, "models:\n  - name: a\n    customProperties: {a: b}"),
    "model: key twice": ("model", FAILS, "models:\n  - name: a\n    name: b"),
    "model: serving": ("model", FAILS, "models:\n  - name: a\n    servingConfig: {toolCalling: {bogus: 1}}"),
    "mcp: unknown key": ("mcp", ADVICE, "mcp_servers: [{name: a, bogus: 1}]"),
    "mcp: name yes": ("mcp", ADVICE, "mcp_servers: [{name: yes}]"),
    "mcp: license_link": ("mcp", ADVICE, "mcp_servers: [{name: a, license_link: x}]"),
    "mcp: null server": ("mcp", DOWN, "mcp_servers: [null]"),
    "mcp: null tool": ("mcp", DOWN, "mcp_servers: [{name: a, tools: [null]}]"),
    "mcp: remote": ("mcp", PARTLY, "mcp_servers: [{name: a, deploymentMode: remote}]"),
    "mcp: endpoint": ("mcp", PARTLY, "mcp_servers: [{name: a, endpoints: {http: 'ftp://x'}}]"),
    "mcp: websocket": ("mcp", None, "mcp_servers: [{name: a, endpoints: {websocket: 'wss://x'}}]"),
    "mcp: long display name": ("mcp", PARTLY, f"mcp_servers: [{{name: a, displayName: {'x' * 256}}}]"),
    "mcp: key twice": ("mcp", None, "mcp_servers: [{name: a, name: b}]"),
    "mcp: artifact": ("mcp", PARTLY, "mcp_servers: [{name: a, artifacts: [{uri: x}]}]"),
    "mcp: name with an at sign": ("mcp", PARTLY, "mcp_servers: [{name: a@b}]"),
    "mcp: name and version": ("mcp", None, f"mcp_servers: [{{name: {'n' * 154}, version: {'v' * 100}}}]"),
    "mcp: long name and version": ("mcp", PARTLY, f"mcp_servers: [{{name: {'n' * 155}, version: {'v' * 100}}}]"),
    "mcp: long external ID": ("mcp", PARTLY, f"mcp_servers: [{{name: a, externalId: {'x' * 256}}}]"),
    "mcp: list": ("mcp", FAILS, "- name: a"),
    "agent: name yes": ("agent", ADVICE, "agents: [{name: yes}]"),
    "agent: env text": ("agent", FAILS, "agents: [{name: a, env: [x]}]"),
    "agent: unknown key": ("agent", ADVICE, "agents: [{name: a, bogus: 1}]"),
    "agent: null agent": ("agent", ADVICE, "agents: [null]"),
    "agent: bad uri": ("agent", None, "agents: [{name: a, artifacts: [{uri: x}]}]"),
}


def effects(findings):
    return {finding.effect for finding in findings}


def read(text, generation=catalog.WITH_AGENTS):
    return catalog_file.read_file(text, generation)


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_takes_the_catalog_down_is_found(text):
    assert read(text).is_refused


@pytest.mark.parametrize("text", DOUBTFUL.values(), ids=DOUBTFUL)
def test_what_the_server_accepts_and_hardly_anybody_means_is_advice(text):
    assert effects(read(text).findings) == {ADVICE}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_nothing_is_said_of_what_is_right(text):
    assert read(text).findings == ()


@pytest.mark.parametrize(("kind", "effect", "text"), DATA.values(), ids=DATA)
def test_data_has_the_effect_that_it_has_on_the_server(kind, effect, text):
    found = effects(catalog_data.findings(text, catalog.KINDS[kind]))
    assert (found if effect in (ADVICE, None) else found - {ADVICE}) == {effect} - {None}


def test_a_finding_names_the_place_and_what_to_do():
    assert [finding.sentence() for finding in read("catalogs: [{id: a, labels: [on]}]").findings] == [
        "catalogs[0].labels[0]: must be a string, but is a boolean. Write it in quotes."
    ]


@pytest.mark.parametrize(
    ("version", "known", "unknown"),
    [
        (catalog.BEFORE_DEFAULTS, "catalogs: []", "labels: []"),
        (catalog.WITH_LABELS, "namedQueries: {}", "mcp_catalogs: []"),
        (catalog.WITH_MCP, "mcp_catalogs: []", "agent_catalogs: []"),
        (catalog.WITH_AGENTS, "agent_catalogs: []", "skill_catalogs: []"),
        (catalog.WITH_SKILLS, "skill_catalogs: []", "other_catalogs: []"),
    ],
    ids=lambda value: getattr(value, "version", None),
)
def test_a_key_of_a_later_version_takes_the_catalog_down(version, known, unknown):
    assert not read(known, version).is_refused
    assert read(unknown, version).is_refused


FILES = [
    ("default", "catalogs: [{id: a, name: A, type: yaml, enabled: false, labels: [x], properties: {yamlCatalogPath: /shared-data/a.yaml}}]"),
    ("user", "catalogs: [{id: a, name: '', enabled: true, labels: [], includedModels: [b*]}, {id: n, type: hf}]"),
]


def merged(*files):
    return catalog_merged.merged([(name, read(text)) for name, text in files])


def test_later_files_override_earlier_ones_key_by_key():
    found = merged(*FILES)["model", "a"]
    assert dict(found.values) == {
        "id": "a",
        "name": "A",
        "type": "yaml",
        "enabled": True,
        "labels": [],
        "properties": {"yamlCatalogPath": "/shared-data/a.yaml"},
        "includedModels": ["b*"],
    }
    assert {key: origin for key, origin in found.origins.items() if origin == "user"}.keys() == {"id", "enabled", "labels", "includedModels"}
    assert found.is_enabled


def test_a_label_in_two_files_takes_the_catalog_down():
    files = [("one", read("labels: [{name: a}, {name: null}]")), ("two", read("labels: [{name: b}]")), ("three", read("labels: [{name: ~}]"))]
    assert [(origin, finding.effect) for origin, finding in catalog_merged.clashes(files)] == [("three", DOWN)]


def test_one_id_of_two_kinds_in_two_files_is_advice():
    files = [("one", read("catalogs: [{id: a}]")), ("two", read("mcp_catalogs: [{id: a}]"))]
    assert [(origin, finding.effect) for origin, finding in catalog_merged.clashes(files)] == [("two", ADVICE)]


# A source, files beside it, and the worst of what becomes of it.
SOURCES = {
    "no type": ("{id: a}", {}, FAILS),
    "unknown type": ("{id: a, type: rhec}", {}, FAILS),
    "no properties": ("{id: a, name: A, type: yaml}", {}, FAILS),
    "no file": ("{id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}", {}, FAILS),
    "right": ("{id: a, name: A, type: yaml, properties: {yamlCatalogPath: ./a.yaml}}", {"a.yaml": "models: [{name: m}]"}, None),
    "wrong file": ("{id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}", {"a.yaml": "model: []"}, FAILS),
    "an entry missing": (
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}",
        {"a.yaml": "models: [{name: m, artifacts: [{uri: x}]}]"},
        PARTLY,
    ),
    "no name": ("{id: a, type: yaml, properties: {yamlCatalogPath: a.yaml}}", {"a.yaml": "models: [{name: m}]"}, ADVICE),
    "absolute": ("{id: a, name: A, type: yaml, properties: {yamlCatalogPath: /a.yaml}}", {}, ADVICE),
    "outside": ("{id: a, name: A, type: yaml, properties: {yamlCatalogPath: ../a.yaml}}", {}, ADVICE),
    "unknown property": ("{id: a, name: A, type: yaml, properties: {yamlCatalogPath: /a.yaml, x: 1}}", {}, ADVICE),
    "old exclusion": ("{id: a, name: A, type: yaml, properties: {yamlCatalogPath: /a.yaml, excludedModels: a}}", {}, FAILS),
    "old exclusion of an empty pattern": ("{id: a, name: A, type: yaml, properties: {yamlCatalogPath: /a.yaml, excludedModels: [' ']}}", {}, FAILS),
    "organization in a pattern": ("{id: a, name: A, type: hf, includedModels: [o/a], properties: {allowedOrganization: o}}", {}, ADVICE),
    "organization": ("{id: a, name: A, type: hf, properties: {allowedOrganization: ibm-granite}}", {}, None),
    "organization with a wildcard": ("{id: a, name: A, type: hf, properties: {allowedOrganization: ibm*}}", {}, FAILS),
    "no organization": ("{id: a, name: A, type: hf}", {}, FAILS),
    "patterns": ("{id: a, name: A, type: hf, includedModels: [ibm-granite/*]}", {}, None),
    "pattern without an organization": ("{id: a, name: A, type: hf, includedModels: ['*']}", {}, FAILS),
    "token": ("{id: a, name: A, type: hf, properties: {allowedOrganization: o, apiKey: x}}", {}, ADVICE),
    "longest ID": (f"{{id: {'a' * catalog_data.LONGEST_STORED}, name: A, type: hf, properties: {{allowedOrganization: o}}}}", {}, None),
    "longer ID": (f"{{id: {'a' * (catalog_data.LONGEST_STORED + 1)}, name: A, type: hf, properties: {{allowedOrganization: o}}}}", {}, FAILS),
    "null character in the ID": ('{id: "a\\0b", name: A, type: hf, properties: {allowedOrganization: o}}', {}, FAILS),
    "no token": ("{id: a, name: A, type: hf, properties: {allowedOrganization: o, apiKey: ''}}", {}, None),
}


def source_effects(source, files, generation=catalog.WITH_AGENTS):
    [found] = list(merged(("user", f"catalogs: [{source}]")).values())
    return effects(catalog_merged.source_findings(found, lambda _origin, name: files.get(name), generation))


@pytest.mark.parametrize(("source", "files", "effect"), SOURCES.values(), ids=SOURCES)
def test_a_source_has_the_effect_that_it_has_on_the_server(source, files, effect):
    found = source_effects(source, files)
    assert found == ({effect} - {None}) or (effect in (FAILS, PARTLY) and effect in found)


@pytest.mark.parametrize("name", ["apiKeyEnvVar", "url"])
def test_a_property_that_leaks_secrets_is_told_for_the_versions_in_which_it_does(name):
    source = f"{{id: a, name: A, type: hf, properties: {{allowedOrganization: o, {name}: x}}}}"
    assert source_effects(source, {}, catalog.WITH_MCP) == {ADVICE}
    assert source_effects(source, {}, catalog.WITH_AGENTS) == set()


@pytest.mark.parametrize(
    ("name", "included", "excluded", "is_shown"),
    [
        ("granite/a", [], [], True),
        ("granite/a", ["Granite/*"], [], True),
        ("granite/a", ["ranite/*"], [], False),
        ("granite/a", ["*"], ["*/a"], False),
        ("a.b", ["a?b"], [], False),
        ("a", [" a "], [], True),
        ("\u0130x", ["i*"], [], False),
        ("\u0131x", ["I*"], [], False),
        ("\u0131x", ["\u0131*"], [], True),
        ("\u017fx", ["s*"], [], True),
    ],
)
def test_patterns_match_as_the_server_does(name, included, excluded, is_shown):
    assert catalog_merged.allows(name, included, excluded) is is_shown


def test_a_model_with_an_artifact_that_is_not_accepted_is_not_shown_whatever_the_case_of_the_key():
    source = catalog_merged.Merged(catalog.MODEL, "a", {"id": "a"}, {})
    for key in ("artifacts", "ARTIFACTS"):
        assert catalog_merged.names(f"models: [{{name: a, {key}: [{{uri: 'gs://b /x'}}]}}, {{name: b}}]", source) == (["a", "b"], ["b"])


def test_a_name_that_is_null_is_that_of_another_key():
    source = catalog_merged.Merged(catalog.MODEL, "a", {"id": "a"}, {})
    text = "models: [{name: null, Name: a}, {name: b, NAME: c}, {NAME: d, Name: e}, {name: null}]"
    assert catalog_merged.names(text, source)[0] == ["a", "b", "e", ""]


def test_an_id_that_is_repeated_is_found_among_ten_thousand():
    text = json.dumps({"catalogs": [{"id": f"s{index}", "name": "S", "type": "yaml"} for index in range(10_000)] + [{"id": "s7"}]})
    assert [finding.path for finding in read(text).findings] == ["catalogs[10000].id"]


def test_names_are_known_whatever_the_case_of_the_keys_and_not_those_that_older_properties_exclude():
    properties = {"yamlCatalogPath": "a.yaml", "excludedModels": ["b*"]}
    source = catalog_merged.Merged(catalog.MODEL, "a", {"id": "a", "properties": properties}, {})
    assert catalog_merged.names("MODELS: [{Name: a1}, {NAME: b1}, null]", source) == (["a1", "b1", ""], ["a1", ""])


def test_an_artifact_of_a_model_that_is_not_shown_is_not_noticed():
    text = "models: [{name: a, artifacts: [{uri: x}]}, {name: b}]"
    values = {"id": "a", "name": "A", "type": "yaml", "properties": {"yamlCatalogPath": "a.yaml"}}
    for excluded, effects in (([], [PARTLY]), (["a"], [])):
        source = catalog_merged.Merged(catalog.MODEL, "a", {**values, "excludedModels": excluded}, {"properties": "c"})
        assert [finding.effect for finding in catalog_merged.source_findings(source, lambda _origin, _path: text, catalog.WITH_AGENTS)] == effects


@pytest.mark.parametrize(
    ("section", "entries", "other", "clashes"),
    [
        ("mcp_catalogs", "mcp_servers", "{name: two, externalId: x}", True),
        ("mcp_catalogs", "mcp_servers", "{name: two, externalId: y}", False),
        # It takes the place of the one with the same name.
        ("mcp_catalogs", "mcp_servers", "{name: one, externalId: x}", False),
        ("agent_catalogs", "agents", "{name: one, externalId: x}", True),
        ("catalogs", "models", "{name: two, externalId: x}", False),
    ],
)
def test_an_external_id_that_another_source_has_is_told_of_both(section, entries, other, clashes):
    sources = ", ".join(f"{{id: {name}, name: {name}, type: yaml, properties: {{yamlCatalogPath: {name}.yaml}}}}" for name in "ab")
    data = {"a.yaml": f"{entries}: [{{name: zero}}, {{name: one, externalId: x}}]", "b.yaml": f"{entries}: [{other}]"}
    view = catalog_view.View(catalog.WITH_AGENTS, {"user": {catalog.SOURCES: f"{section}: [{sources}]", **data}})
    found = {(source.id, finding.path) for source in view.sources.values() for finding in view.findings_of(source) if "source '" in finding.problem}
    assert found == ({("a", f"{entries}[1].externalId"), ("b", f"{entries}[0].externalId")} if clashes else set())


def test_an_external_id_that_an_agent_and_an_mcp_server_have_is_told_of_both():
    sources = {
        section: f"{section}_catalogs: [{{id: {section}, name: A, type: yaml, properties: {{yamlCatalogPath: a.yaml}}}}]" for section in ("mcp", "agent")
    }
    data = {"mcp": "mcp_servers: [{name: one, externalId: x}]", "agent": "agents: [{name: one, externalId: x}]"}
    view = catalog_view.View(catalog.WITH_AGENTS, {kind: {catalog.SOURCES: sources[kind], "a.yaml": data[kind]} for kind in sources})
    found = {(source.id, finding.problem.partition(",")[0]) for source in view.sources.values() for finding in view.findings_of(source)}
    assert found == {("mcp", "is also the externalId of an entry of source 'agent'"), ("agent", "is also the externalId of an entry of source 'mcp'")}


def test_a_source_whose_data_do_not_exist_has_no_external_ids():
    text = "mcp_catalogs: [{id: a, name: A, type: yaml, properties: {yamlCatalogPath: gone.yaml}}, {id: b, name: B, type: yaml}]"
    view = catalog_view.View(catalog.WITH_AGENTS, {"user": {catalog.SOURCES: text}})
    assert [[finding.path for finding in view.findings_of(source)] for source in view.sources.values()] == [["properties.yamlCatalogPath"]] * 2
