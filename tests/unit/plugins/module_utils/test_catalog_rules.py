"""What the catalog server says of its files. Each text was given to the functions of the server, v0.3.14, that read them: what is expected is what it did.

What is said of it follows, in all its sentences.
"""

import json

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog, catalog_data, catalog_file, catalog_merged
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.catalog_check import ADVICE, DOWN, FAILS, PARTLY
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import catalog_view

UNKNOWN_TYPE = (
    "is ignored, because its metadataType is not known. Set metadataType to "
    "MetadataStringValue or MetadataBoolValue or MetadataIntValue or MetadataDoubleValue or MetadataStructValue or MetadataProtoValue."
)
# The whole catalog is down with these. Of some, nothing but the library's own words are said.
REFUSED = {
    "unknown key": ("x: []", "x: is not a known key. Remove it."),
    "skills": ("skill_catalogs: []", "skill_catalogs: is not a known key. Did you mean catalogs?"),
    "unknown key of a source": (
        "catalogs:\n  - id: a\n    name: A\n    type: yaml\n    properties: {yamlCatalogPath: a.yaml}\n    bogus: 1\n",
        "catalogs[0].bogus: is not a known key. Remove it.",
    ),
    "key twice": (
        "catalogs:\n  - id: a\n    name: A\n    type: yaml\n    properties: {yamlCatalogPath: a.yaml}\n    name: B\n",
        "the file cannot be read: key 'name' is repeated (line 6). Correct it, or restore a previous version of it.",
    ),
    "id twice": ("catalogs: [{id: a}, {id: a}]", "catalogs[1].id: is also the ID of catalogs[0]. Use each ID only once in a file, even for different kinds."),
    "no id": ("catalogs: [{name: a}]", "catalogs[0].id: is missing. Set it."),
    "empty id": ("catalogs: [{id: ''}]", "catalogs[0].id: is missing. Set it."),
    "null id": ("catalogs: [{id: }]", "catalogs[0].id: is missing. Set it."),
    "null source": ("catalogs: [null]", "catalogs[0].id: is missing. Set it."),
    "id in two kinds": (
        "catalogs: [{id: a}]\nmcp_catalogs: [{id: a}]",
        "mcp_catalogs[0].id: is also the ID of catalogs[0]. Use each ID only once in a file, even for different kinds.",
    ),
    "enabled text": ("catalogs: [{id: a, enabled: 'true'}]", "catalogs[0].enabled: must be a boolean, but is a string. Set a boolean."),
    "enabled number": ("catalogs: [{id: a, enabled: 1}]", "catalogs[0].enabled: must be a boolean, but is a number. Set a boolean."),
    "labels text": ("catalogs: [{id: a, labels: x}]", "catalogs[0].labels: must be a list of strings, but is a string. Set a list of strings."),
    "labels number": ("catalogs: [{id: a, labels: [1]}]", "catalogs[0].labels[0]: must be a string, but is a number. Write it in quotes."),
    "name yes": ("catalogs: [{id: a, name: yes}]", "catalogs[0].name: must be a string, but is a boolean. Write it in quotes."),
    "name 1_000": ("catalogs: [{id: a, name: 1_000}]", "catalogs[0].name: must be a string, but is a number. Write it in quotes."),
    "name 0o17": ("catalogs: [{id: a, name: 0o17}]", "catalogs[0].name: must be a string, but is a number. Write it in quotes."),
    "name 1.0": ("catalogs: [{id: a, name: 1.0}]", "catalogs[0].name: must be a string, but is a number. Write it in quotes."),
    "id 123": ("catalogs: [{id: 123}]", "catalogs[0].id: must be a string, but is a number. Write it in quotes.", "catalogs[0].id: is missing. Set it."),
    "id y": ("catalogs: [{id: y}]", "catalogs[0].id: must be a string, but is a boolean. Write it in quotes.", "catalogs[0].id: is missing. Set it."),
    "id on": ("catalogs: [{id: on}]", "catalogs[0].id: must be a string, but is a boolean. Write it in quotes.", "catalogs[0].id: is missing. Set it."),
    "agent lists": ("agent_catalogs: [{id: a, includedServers: []}]", "agent_catalogs[0].includedServers: is not a known key. Remove it."),
    "properties text": ("catalogs: [{id: a, properties: x}]", "catalogs[0].properties: must be a mapping, but is a string. Set a mapping."),
    "properties list": ("catalogs: [{id: a, properties: []}]", "catalogs[0].properties: must be a mapping, but is a list. Set a mapping."),
    "empty pattern": (
        "catalogs: [{id: a, includedModels: [' ']}]",
        "catalogs[0].includedModels[0]: is an empty pattern. Remove it, or set a pattern such as *.",
    ),
    "null pattern": (
        "catalogs: [{id: a, excludedModels: [null]}]",
        "catalogs[0].excludedModels[0]: is an empty pattern. Remove it, or set a pattern such as *.",
    ),
    "status": (
        "catalogs: [{id: a, status: fine}]",
        "catalogs[0].status: is not a valid value. Set it to available or partially-available or error or disabled, or remove it.",
    ),
    "asset type": (
        "mcp_catalogs: [{id: a, assetType: x}]",
        "mcp_catalogs[0].assetType: is not a valid value. Set it to models or mcp_servers or agents, or remove it.",
    ),
    "catalogs as mapping": ("catalogs: {id: a}", "catalogs: must be a list, but is a mapping. Set a list."),
    "list": ("- id: a", "the file must be a mapping, but is a list. Begin it with catalogs:."),
    "text": ("abc", "the file must be a mapping, but is a string. Begin it with catalogs:."),
    "number": ("5", "the file must be a mapping, but is a number. Begin it with catalogs:."),
    "tab": ("catalogs:\n\t- id: a",),
    "merge of other keys": (
        "catalogs:\n  - &a {id: a}\n  - {<<: *a, id: b}",
        "the file cannot be read: key 'id' is repeated (line 3). Correct it, or restore a previous version of it.",
    ),
    "merge": (
        "labels:\n  - &a {name: a, x: y}\nmodel_catalogs: []\nmcp_catalogs: [{id: b, properties: {<<: *a}}]",
        "labels[0].x: must be a string, but is a boolean. Write it in quotes.",
    ),
    "unclosed": ("catalogs: [",),
    "control": ("catalogs: [{id: \u0001}]",),
    "infinite": ("catalogs: [{id: a, properties: {x: .inf}}]", "a number is not finite. Write it in quotes."),
    "null key": ("~: 1", "the file cannot be read: a key is empty (line 1). Correct it, or restore a previous version of it."),
    "number key": ("1: 1", "1: is not a known key. Remove it."),
    "label twice": ("labels: [{name: a}, {name: a}]", "labels[1].name: is repeated. Use each name once."),
    "label empty": ("labels: [{name: ''}]", "labels[0].name: is missing. Set it; null stands for the sources without a label."),
    "label missing": ("labels: [{x: a}]", "labels[0].name: is missing. Set it; null stands for the sources without a label."),
    "label null twice": ("labels: [{name: null}, {name: ~}]", "labels[1].name: is repeated. Use each name once."),
    "label number": ("labels: [{name: 1}]", "labels[0].name: must be a string, but is a number. Write it in quotes."),
    "label value": ("labels: [{name: a, x: 1}]", "labels[0].x: must be a string, but is a number. Write it in quotes."),
    "label text": ("labels: [a]", "labels[0]: must be a mapping, but is a string. Set a mapping with a name."),
    "query field": ("namedQueries: {q: {'': {operator: '=', value: 1}}}", "namedQueries.q: has a field without a name. Name it."),
    "query operator": (
        "namedQueries: {q: {f: {operator: '~', value: 1}}}",
        "namedQueries.q.f.operator: is not a valid operator. Set it to one of !=, <, <=, =, >, >=, ILIKE, IN, LIKE, NOT IN.",
    ),
    "query in": ("namedQueries: {q: {f: {operator: IN, value: 1}}}", "namedQueries.q.f.value: must be a list for the operator IN. Set a list."),
    "query none": ("namedQueries: {q: {}}", "namedQueries.q: has no filters. Set at least one field with operator and value."),
    "query null": ("namedQueries: {q: }", "namedQueries.q: must be a mapping, but is empty. Set a mapping of fields to operator and value."),
    "query value": ("namedQueries: {q: {f: {operator: '='}}}", "namedQueries.q.f.value: is missing. Set it."),
    "query asset": (
        "namedQueries: {q: {assetType: x, filters: {f: {operator: '=', value: 1}}}}",
        "namedQueries.q.assetType: is not a valid value. Set it to models or mcp_servers or agents.",
    ),
    "query asset alone": ("namedQueries: {q: {assetType: models}}", "namedQueries.q.assetType: must be a mapping, but is a string. Set operator and value."),
    "query name": ("namedQueries: {'': {f: {operator: '=', value: 1}}}", "namedQueries: has a query without a name. Name it."),
    "queries as list": ("namedQueries: []", "namedQueries: must be a mapping, but is a list. Set a mapping."),
    "escaped slash": (
        'catalogs: [{id: "a\\/b"}]',
        "the file cannot be read: found unknown escape character (line 1). Correct it, or restore a previous version of it.",
    ),
    "question mark between brackets": (
        "catalogs: [{id: a, includedModels: [b?]}]",
        "the file cannot be read: a text between brackets or braces has a question mark, and no quotes (line 1). "
        "Correct it, or restore a previous version of it.",
    ),
    "tag that does not fit": (
        "catalogs: [{id: a, name: !!null x}]",
        "the file cannot be read: a value does not match its tag (line 1). Correct it, or restore a previous version of it.",
    ),
    "time that is none": (
        "catalogs: [{id: a, name: !!timestamp x}]",
        "the file cannot be read: a value does not match its tag (line 1). Correct it, or restore a previous version of it.",
    ),
    "binary that is none": (
        "catalogs: [{id: a, name: !!binary x}]",
        "the file cannot be read: a value does not match its tag (line 1). Correct it, or restore a previous version of it.",
    ),
    "text after an exclamation mark": ("catalogs: [{id: a, enabled: ! yes}]", "catalogs[0].enabled: must be a boolean, but is a string. Set a boolean."),
    "blank pattern of servers": (
        "mcp_catalogs: [{id: a, excludedServers: [' ']}]",
        "mcp_catalogs[0].excludedServers[0]: is an empty pattern. Remove it, or set a pattern such as *.",
    ),
    "label value list": ("labels: [{name: a, x: [b]}]", "labels[0].x: must be a string, but is a list. Set a string."),
    "label value 1.5": ("labels: [{name: a, x: 1.5}]", "labels[0].x: must be a string, but is a number. Write it in quotes."),
    "label value null": ("labels: [{name: a, x: null}]", "labels[0].x: must be a string, but is empty. Set a string."),
    "label that is null": ("labels: [null]", "labels[0].name: is missing. Set it; null stands for the sources without a label."),
    "label boolean": (
        "labels: [{name: true}, {name: true}]",
        "labels[0].name: must be a string, but is a boolean. Write it in quotes.",
        "labels[1].name: must be a string, but is a boolean. Write it in quotes.",
    ),
    "query filters null": ("namedQueries: {q: {filters: null}}", "namedQueries.q: has no filters. Set at least one field with operator and value."),
    "query filters text": ("namedQueries: {q: {filters: x}}", "namedQueries.q: has no filters. Set at least one field with operator and value."),
    "query operator number": (
        "namedQueries: {q: {f: {operator: 5, value: 1}}}",
        "namedQueries.q.f.operator: is not a valid operator. Set it to one of !=, <, <=, =, >, >=, ILIKE, IN, LIKE, NOT IN.",
    ),
    "query not in": ("namedQueries: {q: {f: {operator: not in, value: a}}}", "namedQueries.q.f.value: must be a list for the operator not in. Set a list."),
    "query in null": ("namedQueries: {q: {f: {operator: in}}}", "namedQueries.q.f.value: must be a list for the operator in. Set a list."),
    "query condition text": (
        "namedQueries: {q: {f: x, g: {operator: '=', value: 1}}}",
        "namedQueries.q.f: must be a mapping, but is a string. Set operator and value.",
    ),
    "several at once": (
        "catalogs: [{id: a, bogus: 1}, {id: a, name: 1}]\nmcp_catalogs: [{name: x}]",
        "catalogs[0].bogus: is not a known key. Remove it.",
        "catalogs[1].name: must be a string, but is a number. Write it in quotes.",
        "catalogs[1].id: is also the ID of catalogs[0]. Use each ID only once in a file, even for different kinds.",
        "mcp_catalogs[0].id: is missing. Set it.",
    ),
    "key that may be a secret": ("catalogs: [{id: a, hf_0123456789ABC: x}]", "catalogs[0].(not shown): is not a known key. Remove it."),
    "source text": (
        "catalogs: [a]",
        "catalogs[0]: must be a mapping, but is a string. Correct the indentation, or remove it.",
        "catalogs[0].id: is missing. Set it.",
    ),
}
# Accepted, and hardly meant.
DOUBTFUL = {
    "colon": (
        "catalogs: [{id: 'a:b', name: A, type: hf, includedModels: [a/b]}]",
        "catalogs[0].id: contains a colon, so that a part of it is shown before the name of each model. Use another ID.",
    ),
    "other asset type": (
        "catalogs: [{id: a, name: A, type: hf, includedModels: [a/b], assetType: mcp_servers}]",
        "catalogs[0].assetType: does not match catalogs, so that the source is listed with other sources. Remove it.",
    ),
    "other case": ("CATALOGS: []", "(not shown): is read as 'catalogs'. Spell it catalogs."),
    "id in both model keys": (
        "catalogs: [{id: a, name: old}]\nmodel_catalogs: [{id: a, name: new}]",
        "catalogs[0]: is ignored, because model_catalogs[0] has the same ID. Remove one of them.",
    ),
    "type number": ("catalogs: [{id: a, type: 1}]", "catalogs[0].type: is a number, which is read as a string '1'. Write it in quotes."),
    "mcp name yes": ("mcp_catalogs: [{id: a, name: yes}]", "mcp_catalogs[0].name: is a boolean, which is read as a string 'true'. Write it in quotes."),
    "mcp id 12": ("mcp_catalogs: [{id: 12}]", "mcp_catalogs[0].id: is a number, which is read as a string '12'. Write it in quotes."),
    "mcp labels number": (
        "mcp_catalogs: [{id: a, labels: [1.50]}]",
        "mcp_catalogs[0].labels[0]: is a number, which is read as a string '1.5'. Write it in quotes.",
    ),
    "agent name 1_0": ("agent_catalogs: [{id: a, name: 1_0}]", "agent_catalogs[0].name: is a number, which is read as a string '10'. Write it in quotes."),
    "pattern in both": (
        "catalogs: [{id: a, includedModels: [x], excludedModels: [x]}]",
        "catalogs[0].excludedModels: has 1 of the patterns of includedModels too. Remove them from one of the lists.",
    ),
    "id in capitals": ("catalogs: [{ID: a}]", "catalogs[0].(not shown): is read as 'id'. Spell it id."),
    "second document": ("catalogs: [{id: a}]\n---\nbogus: 1", "the file has a second document, which is ignored. Remove everything after the line ---."),
    "mcp colon": (
        "mcp_catalogs: [{id: 'a:b'}]",
        "mcp_catalogs[0].id: contains a colon, so that a part of it is shown before the name of each MCP server. Use another ID.",
    ),
    "two patterns in both": (
        "mcp_catalogs: [{id: a, includedServers: [v, ' w', x], excludedServers: [w, v]}]",
        "mcp_catalogs[0].excludedServers: has 2 of the patterns of includedServers too. Remove them from one of the lists.",
    ),
    "pattern number": (
        "mcp_catalogs: [{id: a, includedServers: [1, b]}]",
        "mcp_catalogs[0].includedServers[0]: is a number, which is read as a string '1'. Write it in quotes.",
    ),
    "agent name 1.5": ("agent_catalogs: [{id: a, name: 1.5}]", "agent_catalogs[0].name: is a number, which is read as a string '1.5'. Write it in quotes."),
    "second document after nothing": ("---\n---\nx: 1", "the file has a second document, which is ignored. Remove everything after the line ---."),
    "labels in capitals": ("Labels: [{name: a}]", "Labels: is read as 'labels'. Spell it labels."),
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
    "no section": "{}",
    "asset type": "mcp_catalogs: [{id: a, assetType: mcp_servers}]",
    "status": "catalogs: [{id: a, status: available}]",
    "query asset empty": "namedQueries: {q: {assetType: '', filters: {f: {operator: '=', value: 1}}}}",
    "query asset null": "namedQueries: {q: {assetType: null, filters: {f: {operator: '=', value: false}}}}",
    "labels": "labels: [{name: a}, {name: b, description: ''}, {name: null}]",
    "model patterns": "catalogs: [{id: a, includedModels: [v, w], excludedModels: [x]}]",
}
# Files with data: the kind of source, and the worst of what becomes of it.
DATA = {
    "model: unknown key": ("model", FAILS, "models:\n  - name: a\n    bogus: 1", "models[0].bogus: is not a known key. Remove it."),
    "model: a null artifact in data that cannot be read": (
        "model",
        FAILS,
        "models: [{name: a, artifacts: [null], bogus: 1}]",
        "models[0].artifacts[0]: is empty, which terminates the process of the server. Remove it.",
        "models[0].bogus: is not a known key. Remove it.",
    ),
    "model: uri with a blank in its host": (
        "model",
        PARTLY,
        "models:\n  - name: a\n    artifacts: [{uri: 'gs://b /x'}]",
        "models[0].artifacts[0].uri: is not a valid URI. Use one of the schemes az, file, gs, http, https, oci, s3.",
    ),
    "model: uri with a blank in its path": ("model", None, "models:\n  - name: a\n    artifacts: [{uri: 'gs://b/x y'}]"),
    "mcp: no name": (
        "mcp",
        PARTLY,
        "mcp_servers: [{description: a}, {name: b}]",
        "mcp_servers[0].name: is missing, so that the MCP server cannot be stored. Set it.",
    ),
    "mcp: external ID twice": (
        "mcp",
        PARTLY,
        "mcp_servers: [{name: a, externalId: x}, {name: b, externalId: x}]",
        "mcp_servers[1].externalId: is also the externalId of mcp_servers[0], and only one of them is stored. Use each externalId once.",
    ),
    "agent: external ID twice": (
        "agent",
        ADVICE,
        "agents: [{name: a, externalId: x}, {name: b, externalId: x}]",
        "agents[1].externalId: is also the externalId of agents[0], and only one of them is stored. Use each externalId once.",
    ),
    "model: external ID twice": ("model", None, "models: [{name: a, externalId: x}, {name: b, externalId: x}]"),
    "model: unknown top key": (
        "model",
        FAILS,
        "model: []",
        "model: is not a known key. Did you mean models?",
        "the data has no models. Add an entry to models.",
    ),
    "model: capitals": (
        "model",
        ADVICE,
        "Models: [{Name: a}]",
        "Models: is read as 'models'. Spell it models.",
        "models[0].Name: is read as 'name'. Spell it name.",
    ),
    "model: name number": (
        "model",
        FAILS,
        "models: [{name: 1}]",
        "models[0].name: must be a string, but is a number. Write it in quotes.",
        "models[0].name: is missing, so that the model has no name. Set it.",
    ),
    "model: no name": ("model", ADVICE, "models: [{description: x}]", "models[0].name: is missing, so that the model has no name. Set it."),
    "model: name twice": (
        "model",
        ADVICE,
        "models: [{name: a}, {name: a}]",
        "models[1].name: is also the name of models[0], and only one of them is shown. Use each name once.",
    ),
    "model: null model": ("model", ADVICE, "models: [null]", "models[0].name: is missing, so that the model has no name. Set it."),
    "model: source number": (
        "model",
        ADVICE,
        "source: 1\nmodels: []",
        "source: is a number, which is read as a string '1'. Write it in quotes.",
        "the data has no models. Add an entry to models.",
    ),
    "model: empty": ("model", ADVICE, "", "the data has no models. Add an entry to models."),
    "model: language no": (
        "model",
        FAILS,
        "models:\n  - name: a\n    language: [en, no]",
        "models[0].language[1]: must be a string, but is a boolean. Write it in quotes.",
    ),
    "model: time number": (
        "model",
        FAILS,
        "models:\n  - name: a\n    createTimeSinceEpoch: 1700000000000",
        "models[0].createTimeSinceEpoch: must be a string, but is a number. Write it in quotes.",
    ),
    "model: time text": ("model", None, "models:\n  - name: a\n    createTimeSinceEpoch: '1700000000000'"),
    "model: uri without scheme": (
        "model",
        PARTLY,
        "models:\n  - name: a\n    artifacts: [{uri: x/y}]",
        "models[0].artifacts[0].uri: has no scheme. Use one of the schemes az, file, gs, http, https, oci, s3.",
    ),
    "model: uri other scheme": (
        "model",
        PARTLY,
        "models:\n  - name: a\n    artifacts: [{uri: 'ftp://x'}]",
        "models[0].artifacts[0].uri: has a scheme 'ftp' that is not supported. Use one of the schemes az, file, gs, http, https, oci, s3.",
    ),
    "model: uri missing": (
        "model",
        PARTLY,
        "models:\n  - name: a\n    artifacts: [{}]",
        "models[0].artifacts[0].uri: is missing. Use one of the schemes az, file, gs, http, https, oci, s3.",
    ),
    "model: uri capital": ("model", None, "models:\n  - name: a\n    artifacts: [{uri: 'OCI://x/y'}]"),
    "model: uri percent": (
        "model",
        PARTLY,
        "models:\n  - name: a\n    artifacts: [{uri: 'https://x/%zz'}]",
        "models[0].artifacts[0].uri: is not a valid URI. Use one of the schemes az, file, gs, http, https, oci, s3.",
    ),
    "model: metrics": ("model", None, "models:\n  - name: a\n    artifacts: [{artifactType: metrics-artifact, metricsType: x}]"),
    "model: artifact type": (
        "model",
        FAILS,
        "models:\n  - name: a\n    artifacts: [{artifactType: x}]",
        "models[0].artifacts[0].artifactType: is not a valid value. Set it to model-artifact or metrics-artifact.",
    ),
    "model: artifact null": (
        "model",
        DOWN,
        "models:\n  - name: a\n    artifacts: [null]",
        "models[0].artifacts[0]: is empty, which terminates the process of the server. Remove it.",
    ),
    "model: artifact key": (
        "model",
        ADVICE,
        "models:\n  - name: a\n    artifacts: [{uri: 'oci://x/y', bogus: 1}]",
        "models[0].artifacts[0].bogus: is ignored, because it is not a known key. Remove it.",
    ),
    "model: custom string": ("model", None, "models:\n  - name: a\n    customProperties: {a: {metadataType: MetadataStringValue, string_value: b}}"),
    "model: custom int number": (
        "model",
        FAILS,
        "models:\n  - name: a\n    customProperties: {a: {metadataType: MetadataIntValue, int_value: 3}}",
        "models[0].customProperties.a.int_value: does not match MetadataIntValue, because it is a number. Write it in quotes.",
    ),
    "model: custom int": ("model", None, "models:\n  - name: a\n    customProperties: {a: {metadataType: MetadataIntValue, int_value: '3'}}"),
    "model: custom unknown": (
        "model",
        ADVICE,
        "models:\n  - name: a\n    customProperties: {a: {metadataType: Bogus}}",
        f"models[0].customProperties.a: {UNKNOWN_TYPE}",
    ),
    "model: custom without a value": (
        "model",
        ADVICE,
        "models:\n  - name: a\n    customProperties: {a: {metadataType: MetadataStringValue}}",
        "models[0].customProperties.a: has no string_value. Set string_value.",
    ),
    "model: custom type number": (
        "model",
        FAILS,
        "models:\n  - name: a\n    customProperties: {a: {metadataType: MetadataProtoValue, type: 1}}",
        "models[0].customProperties.a: has no proto_value. Set proto_value.",
        "models[0].customProperties.a.type: must be a string, but is a number. Write it in quotes.",
    ),
    "model: two documents": (
        "model",
        ADVICE,
        "models: [{name: a}]\n---\nmodels: []",
        "the data has a second document, which is ignored. Remove everything after the line ---.",
    ),
    "model: custom text": (
        "model",
        FAILS,
        "models:\n  - name: a\n    customProperties: {a: b}",
        "models[0].customProperties.a: must be a mapping with metadataType and a value, but is a string. Set a mapping with metadataType and a value.",
    ),
    "model: key twice": ("model", FAILS, "models:\n  - name: a\n    name: b", "the data cannot be read: key 'name' is repeated (line 3). Correct it."),
    "model: serving": (
        "model",
        FAILS,
        "models:\n  - name: a\n    servingConfig: {toolCalling: {bogus: 1}}",
        "models[0].servingConfig.toolCalling.bogus: is not a known key. Remove it.",
    ),
    "mcp: unknown key": ("mcp", ADVICE, "mcp_servers: [{name: a, bogus: 1}]", "mcp_servers[0].bogus: is ignored, because it is not a known key. Remove it."),
    "mcp: name yes": ("mcp", ADVICE, "mcp_servers: [{name: yes}]", "mcp_servers[0].name: is a boolean, which is read as a string 'true'. Write it in quotes."),
    "mcp: license_link": (
        "mcp",
        ADVICE,
        "mcp_servers: [{name: a, license_link: x}]",
        "mcp_servers[0].license_link: is ignored, because it is not a known key. Did you mean licenseLink?",
    ),
    "mcp: null server": ("mcp", DOWN, "mcp_servers: [null]", "mcp_servers[0]: is empty, which terminates the process of the server. Remove it."),
    "mcp: null tool": (
        "mcp",
        DOWN,
        "mcp_servers: [{name: a, tools: [null]}]",
        "mcp_servers[0].tools[0]: is empty, which terminates the process of the server. Remove it.",
    ),
    "mcp: remote": (
        "mcp",
        PARTLY,
        "mcp_servers: [{name: a, deploymentMode: remote}]",
        "mcp_servers[0].endpoints: is missing for deploymentMode remote. Set http, sse or websocket.",
    ),
    "mcp: endpoint": (
        "mcp",
        PARTLY,
        "mcp_servers: [{name: a, endpoints: {http: 'ftp://x'}}]",
        "mcp_servers[0].endpoints.http: is not a valid URL. Use one of the schemes http, https.",
    ),
    "mcp: websocket": ("mcp", None, "mcp_servers: [{name: a, endpoints: {websocket: 'wss://x'}}]"),
    "mcp: long display name": (
        "mcp",
        PARTLY,
        f"mcp_servers: [{{name: a, displayName: {'x' * 256}}}]",
        "mcp_servers[0].displayName: has more than 255 bytes. Shorten it.",
    ),
    "mcp: key twice": ("mcp", None, "mcp_servers: [{name: a, name: b}]"),
    "mcp: artifact": (
        "mcp",
        PARTLY,
        "mcp_servers: [{name: a, artifacts: [{uri: x}]}]",
        "mcp_servers[0].artifacts[0].uri: has no scheme. Use one of the schemes az, file, gs, http, https, oci, s3.",
    ),
    "mcp: name with an at sign": (
        "mcp",
        PARTLY,
        "mcp_servers: [{name: a@b}]",
        "mcp_servers[0].name: contains @, which separates the name from the version. Remove it.",
    ),
    "mcp: name and version": ("mcp", None, f"mcp_servers: [{{name: {'n' * 154}, version: {'v' * 100}}}]"),
    "mcp: long name and version": (
        "mcp",
        PARTLY,
        f"mcp_servers: [{{name: {'n' * 155}, version: {'v' * 100}}}]",
        "mcp_servers[0].name: has more than 255 characters together with the version. Shorten one of them.",
    ),
    "mcp: long external ID": (
        "mcp",
        PARTLY,
        f"mcp_servers: [{{name: a, externalId: {'x' * 256}}}]",
        "mcp_servers[0].externalId: is a text of more than 255 characters, so that the MCP server is not stored. Shorten it.",
    ),
    "mcp: list": ("mcp", FAILS, "- name: a", "the data must be a mapping, but is a list. Begin it with mcp_servers:."),
    "agent: name yes": ("agent", ADVICE, "agents: [{name: yes}]", "agents[0].name: is a boolean, which is read as a string 'true'. Write it in quotes."),
    "agent: env text": (
        "agent",
        FAILS,
        "agents: [{name: a, env: [x]}]",
        "agents[0].env[0]: must be a mapping, but is a string. Correct the indentation, or remove it.",
    ),
    "agent: unknown key": ("agent", ADVICE, "agents: [{name: a, bogus: 1}]", "agents[0].bogus: is ignored, because it is not a known key. Remove it."),
    "agent: null agent": ("agent", ADVICE, "agents: [null]", "agents[0].name: is missing, so that the agent has no name. Set it."),
    "agent: bad uri": ("agent", None, "agents: [{name: a, artifacts: [{uri: x}]}]"),
    "model: blank name": ("model", None, "models: [{name: ' '}]"),
    "model: name twice among others": (
        "model",
        ADVICE,
        "models: [{name: a}, {name: b}, {name: a}]",
        "models[2].name: is also the name of models[0], and only one of them is shown. Use each name once.",
    ),
    "model: custom type list": (
        "model",
        ADVICE,
        "models: [{name: a, customProperties: {p: {metadataType: [x]}}}]",
        f"models[0].customProperties.p: {UNKNOWN_TYPE}",
    ),
    "model: custom without a type": (
        "model",
        ADVICE,
        "models: [{name: a, customProperties: {p: {string_value: x}}}]",
        f"models[0].customProperties.p: {UNKNOWN_TYPE}",
    ),
    "model: custom null": ("model", None, "models: [{name: a, customProperties: {p: null}}]"),
    "model: custom double boolean": (
        "model",
        FAILS,
        "models: [{name: a, customProperties: {p: {metadataType: MetadataDoubleValue, double_value: yes}}}]",
        "models[0].customProperties.p.double_value: does not match MetadataDoubleValue, because it is a boolean. Correct the value or metadataType.",
    ),
    "model: custom double": ("model", None, "models: [{name: a, customProperties: {p: {metadataType: MetadataDoubleValue, double_value: 1.5}}}]"),
    "model: custom double integer": ("model", None, "models: [{name: a, customProperties: {p: {metadataType: MetadataDoubleValue, double_value: 1}}}]"),
    "model: custom boolean": ("model", None, "models: [{name: a, customProperties: {p: {metadataType: MetadataBoolValue, bool_value: yes}}}]"),
    "model: custom boolean text": (
        "model",
        FAILS,
        "models: [{name: a, customProperties: {p: {metadataType: MetadataBoolValue, bool_value: 'yes'}}}]",
        "models[0].customProperties.p.bool_value: does not match MetadataBoolValue, because it is a string. Correct the value or metadataType.",
    ),
    "model: custom proto": ("model", None, "models: [{name: a, customProperties: {p: {metadataType: MetadataProtoValue, proto_value: eA==}}}]"),
    "model: counts": (
        "model",
        FAILS,
        "models: [{name: a, artifactCounts: {a: true, b: x, c: 2147483648, d: null, e: -2147483649}}]",
        "models[0].artifactCounts.a: must be an integer, but is a boolean. Set an integer.",
        "models[0].artifactCounts.b: must be an integer, but is a string. Set an integer.",
        "models[0].artifactCounts.c: is out of range. Set an integer from -2147483648 to 2147483647.",
        "models[0].artifactCounts.e: is out of range. Set an integer from -2147483648 to 2147483647.",
    ),
    "model: serving text": (
        "model",
        FAILS,
        "models: [{name: a, servingConfig: x}]",
        "models[0].servingConfig: must be a mapping, but is a string. Set a mapping.",
    ),
    "model: artifact text": (
        "model",
        FAILS,
        "models: [{name: a, artifacts: [x]}]",
        "models[0].artifacts[0]: must be a mapping, but is a string. Correct the indentation, or remove it.",
        "models[0].artifacts[0].uri: is missing. Use one of the schemes az, file, gs, http, https, oci, s3.",
    ),
    "model: artifacts text": ("model", FAILS, "models: [{name: a, artifacts: x}]", "models[0].artifacts: must be a list, but is a string. Set a list."),
    "model: uri control": (
        "model",
        PARTLY,
        'models:\n  - name: a\n    artifacts: [{uri: "oci://a/b?\\x7f"}]',
        "models[0].artifacts[0].uri: is not a valid URI. Use one of the schemes az, file, gs, http, https, oci, s3.",
    ),
    "model: uri user": (
        "model",
        PARTLY,
        "models:\n  - name: a\n    artifacts: [{uri: 'oci://a b@c/d'}]",
        "models[0].artifacts[0].uri: is not a valid URI. Use one of the schemes az, file, gs, http, https, oci, s3.",
    ),
    "model: uri with a scheme that may be a secret": (
        "model",
        PARTLY,
        "models:\n  - name: a\n    artifacts: [{uri: 'x0123456789://a'}]",
        "models[0].artifacts[0].uri: has a scheme that is not supported. Use one of the schemes az, file, gs, http, https, oci, s3.",
    ),
    "model: uri number": (
        "model",
        FAILS,
        "models:\n  - name: a\n    artifacts: [{uri: 'oci://a'}, {uri: 5}]",
        "models[0].artifacts[1].uri: must be a string, but is a number. Write it in quotes.",
        "models[0].artifacts[1].uri: is missing. Use one of the schemes az, file, gs, http, https, oci, s3.",
    ),
    "model: entries mapping": (
        "model",
        FAILS,
        "models: {name: a}",
        "models: must be a list, but is a mapping. Set a list.",
        "the data has no models. Add an entry to models.",
    ),
    "model: text": ("model", FAILS, "abc", "the data must be a mapping, but is a string. Begin it with models:."),
    "mcp: source": ("mcp", ADVICE, "source: 1\nmcp_servers: [{name: a}]", "source: is ignored, because it is not a known key. Remove it."),
    "mcp: tools text": ("mcp", FAILS, "mcp_servers: [{name: a, tools: x}]", "mcp_servers[0].tools: must be a list, but is a string. Set a list."),
    "mcp: tool text": (
        "mcp",
        FAILS,
        "mcp_servers: [{name: a, tools: [{name: b}, x]}]",
        "mcp_servers[0].tools[1]: must be a mapping, but is a string. Correct the indentation, or remove it.",
    ),
    "mcp: parameter": (
        "mcp",
        FAILS,
        "mcp_servers: [{name: a, tools: [{name: b, parameters: [{required: x}]}]}]",
        "mcp_servers[0].tools[0].parameters[0].required: must be a boolean, but is a string. Set a boolean.",
    ),
    "mcp: port boolean": (
        "mcp",
        FAILS,
        "mcp_servers: [{name: a, runtimeMetadata: {defaultPort: true}}]",
        "mcp_servers[0].runtimeMetadata.defaultPort: must be an integer, but is a boolean. Set an integer.",
    ),
    "mcp: null artifact": (
        "mcp",
        PARTLY,
        "mcp_servers: [{name: a, artifacts: [null]}]",
        "mcp_servers[0].artifacts[0].uri: is missing. Use one of the schemes az, file, gs, http, https, oci, s3.",
    ),
    "mcp: metrics artifact": (
        "mcp",
        PARTLY,
        "mcp_servers: [{name: a, artifacts: [{artifactType: metrics-artifact}]}]",
        "mcp_servers[0].artifacts[0].uri: is missing. Use one of the schemes az, file, gs, http, https, oci, s3.",
    ),
    "mcp: artifact type": ("mcp", None, "mcp_servers: [{name: a, artifacts: [{artifactType: x, uri: 'oci://a'}]}]"),
    "mcp: artifact number": (
        "mcp",
        PARTLY,
        "mcp_servers: [{name: a, artifacts: [{uri: 5}]}]",
        "mcp_servers[0].artifacts[0].uri: is a number, which is read as a string '5'. Write it in quotes.",
        "mcp_servers[0].artifacts[0].uri: has no scheme. Use one of the schemes az, file, gs, http, https, oci, s3.",
    ),
    "mcp: artifact with properties": ("mcp", None, "mcp_servers: [{name: a, artifacts: [{uri: 'oci://a', customProperties: {p: null}}]}]"),
    "mcp: name and version twice": (
        "mcp",
        ADVICE,
        "mcp_servers: [{name: a, version: '1'}, {name: a, version: '2'}, {name: ' a', version: '1'}]",
        "mcp_servers[2].name: is also the name and version of mcp_servers[0], and only one of them is shown. Use each name and version once.",
    ),
    "mcp: name in bytes": (
        "mcp",
        PARTLY,
        f"mcp_servers: [{{name: {'é' * 127}}}, {{name: {'é' * 128}}}]",
        "mcp_servers[1].name: has more than 255 bytes. Shorten it.",
    ),
    "mcp: longest name": ("mcp", None, f"mcp_servers: [{{name: '  {'n' * 255}'}}]"),
    "mcp: longest version": ("mcp", None, f"mcp_servers: [{{name: a, version: v{'1' * 99}}}]"),
    "mcp: display name with an at sign": ("mcp", None, "mcp_servers: [{name: a, displayName: b@c}]"),
    "mcp: version with an at sign": (
        "mcp",
        PARTLY,
        "mcp_servers: [{name: a, version: b@c}]",
        "mcp_servers[0].version: contains @, which separates the name from the version. Remove it.",
    ),
    "mcp: remote with an endpoint": ("mcp", None, "mcp_servers: [{name: a, deploymentMode: remote, endpoints: {sse: 'https://a'}}]"),
    "mcp: local": ("mcp", None, "mcp_servers: [{name: a, deploymentMode: local}]"),
    "mcp: websocket of http": ("mcp", None, "mcp_servers: [{name: a, endpoints: {websocket: 'http://x'}}]"),
    "mcp: endpoint of ws": (
        "mcp",
        PARTLY,
        "mcp_servers: [{name: a, endpoints: {sse: 'ws://x', websocket: x}}]",
        "mcp_servers[0].endpoints.sse: is not a valid URL. Use one of the schemes http, https.",
        "mcp_servers[0].endpoints.websocket: is not a valid URL. Use one of the schemes http, https, ws, wss.",
    ),
    "mcp: longest external ID": ("mcp", None, f"mcp_servers: [{{name: a, externalId: {'x' * 255}}}]"),
    "mcp: longest property": ("mcp", None, f"mcp_servers: [{{name: a, customProperties: {{{'x' * 255}: null}}}}]"),
    "mcp: null character in a number": (
        "mcp",
        PARTLY,
        'mcp_servers: [{name: a, customProperties: {p: {metadataType: MetadataIntValue, int_value: "1\\0"}}}]',
        "mcp_servers[0].customProperties: contains a null character, so that the MCP server is not stored. Remove it.",
    ),
    "mcp: null character in a time": ("mcp", None, 'mcp_servers: [{name: a, createTimeSinceEpoch: "1\\0"}]'),
    "mcp: null characters": (
        "mcp",
        PARTLY,
        'mcp_servers: [{name: "a\\0", description: "b\\0", externalId: x}]',
        "mcp_servers[0].name: contains a null character, so that the MCP server is not stored. Remove it.",
        "mcp_servers[0].description: contains a null character, so that the MCP server is not stored. Remove it.",
    ),
    "model: null character": (
        "model",
        PARTLY,
        'models: [{name: a, readme: "b\\0"}]',
        "models[0].readme: contains a null character, so that the model is not stored. Remove it.",
    ),
    "model: long property": (
        "model",
        PARTLY,
        f"models: [{{name: a, customProperties: {{{'x' * 256}: null}}}}]",
        "models[0].customProperties: has a name of more than 255 characters, so that the model is not stored. Shorten it.",
    ),
    "agent: long external ID": (
        "agent",
        PARTLY,
        f"agents: [{{name: a, externalId: {'x' * 256}}}]",
        "agents[0].externalId: is a text of more than 255 characters, so that the agent is not stored. Shorten it.",
    ),
    "agent: name twice": (
        "agent",
        ADVICE,
        "agents: [{name: a}, {name: a}]",
        "agents[1].name: is also the name of agents[0], and only one of them is shown. Use each name once.",
    ),
    "agent: no name": ("agent", ADVICE, "agents: [{framework: x}]", "agents[0].name: is missing, so that the agent has no name. Set it."),
    "agent: template null": ("agent", None, "agents: [{name: a, templates: [null], labels: null}]"),
    "agent: infinite": (
        "agent",
        FAILS,
        "agents: [{name: a, description: .inf}, {name: b, x: .inf}]",
        "agents[0].description: is a number, which is read as a string. Write it in quotes.",
        "agents[1].x: is ignored, because it is not a known key. Remove it.",
        "a number is not finite. Write it in quotes.",
    ),
}


def effects(findings):
    return {finding.effect for finding in findings}


def read(text, generation=catalog.WITH_AGENTS):
    return catalog_file.read_file(text, generation)


def said(findings):
    return [finding.sentence() for finding in findings]


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_takes_the_catalog_down_is_found_and_said_with_its_place_and_remedy(case):
    text, *sentences = case
    assert read(text).is_refused
    assert effects(read(text).findings) == {DOWN}
    assert not sentences or said(read(text).findings) == sentences


@pytest.mark.parametrize("case", DOUBTFUL.values(), ids=DOUBTFUL)
def test_what_the_server_accepts_and_hardly_anybody_means_is_advice(case):
    text, *sentences = case
    assert effects(read(text).findings) == {ADVICE}
    assert said(read(text).findings) == sentences


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_nothing_is_said_of_what_is_right(text):
    assert read(text).findings == ()


@pytest.mark.parametrize("case", DATA.values(), ids=DATA)
def test_data_has_the_effect_that_it_has_on_the_server(case):
    kind, effect, text, *sentences = case
    findings = catalog_data.findings(text, catalog.KINDS[kind])
    found = effects(findings)
    assert (found if effect in (ADVICE, None) else found - {ADVICE, PARTLY if effect == FAILS else ADVICE}) == {effect} - {None}
    assert said(findings) == sentences


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
    assert clash("labels: [{name: 1}, {name: a}]", "labels: [{name: 1}, {name: b}, {name: a}]") == [
        ("two", DOWN, "labels: label 'a' is also in ConfigMap 'one'. Remove it from one of them.")
    ]


def clash(*texts):
    files = [(name, read(text)) for name, text in zip(("one", "two", "three"), texts)]
    return [(origin, finding.effect, finding.sentence()) for origin, finding in catalog_merged.clashes(files)]


def test_one_id_of_two_kinds_in_two_files_is_advice():
    problem = "is also the ID of a source of kind model in another ConfigMap, with which it shares its status. Use each ID once."
    assert clash("catalogs: [{id: a}, {id: c}]", "catalogs: [{id: a}]\nmcp_catalogs: [{id: b}, {id: c}]") == [("two", ADVICE, f"mcp_catalogs[1].id: {problem}")]


def test_of_one_source_under_both_keys_of_models_the_newer_key_counts():
    found = merged(("user", "catalogs: [{id: a, name: old, status: error}, {id: b}]\nmodel_catalogs: [{id: a, name: new}]"))
    assert {key: dict(source.values) for key, source in found.items()} == {("model", "a"): {"id": "a", "name": "new"}, ("model", "b"): {"id": "b"}}


def test_of_keys_that_differ_in_case_alone_the_last_one_in_the_order_of_json_counts():
    for text in ("{id: a, name: b, NAME: c}", "{NAME: c, name: b, id: a}", "{Name: b, NAME: c, ID: a}"):
        assert merged(("user", f"catalogs: [{text}]"))["model", "a"].values["name"] == "b"


def test_what_is_read_as_a_text_is_one():
    values = merged(("user", "mcp_catalogs: [{id: 1, name: yes, labels: [1.50, null, x], type: 2}]"))["mcp", "1"].values
    assert dict(values) == {"id": "1", "name": "true", "labels": ["1.5", "", "x"], "type": "2"}


def test_named_queries_are_read_in_both_forms():
    text = (
        "namedQueries: {q: {f: {operator: like, value: x}}, r: {assetType: agents, filters: {g: {OPERATOR: not in, Value: [1]}}}, s: {f: {operator: x}}, t: 1}"
    )
    assert read(text).named_queries == {
        "q": {"assetType": "models", "filters": {"f": {"operator": "LIKE", "value": "x"}}},
        "r": {"assetType": "agents", "filters": {"g": {"operator": "NOT IN", "value": [1]}}},
        "s": {"assetType": "models", "filters": {"f": {}}},
    }


def test_labels_are_read_as_they_are_written():
    assert read("labels: [{name: a, x: b}, {name: null}, c, null]").labels == ({"name": "a", "x": "b"}, {"name": None}, {"name": ""}, {})
    assert read("catalogs: []\nlabels: []").content == {"catalogs": [], "labels": []}


# A source, files beside it, and the worst of what becomes of it.
SOURCES = {
    "no type": ("{id: a}", {}, FAILS, "type: has no type. Set it to yaml or hf."),
    "unknown type": ("{id: a, type: rhec}", {}, FAILS, "type: has a type 'rhec' that is not supported. Set it to yaml or hf."),
    "no properties": (
        "{id: a, name: A, type: yaml}",
        {},
        FAILS,
        "properties.yamlCatalogPath: is missing. Set it to the key of the ConfigMap that holds the data.",
    ),
    "no file": (
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}",
        {},
        FAILS,
        "properties.yamlCatalogPath: ConfigMap 'user' does not have the key 'a.yaml'. Add the key, or correct the path.",
    ),
    "right": ("{id: a, name: A, type: yaml, properties: {yamlCatalogPath: ./a.yaml}}", {"a.yaml": "models: [{name: m}]"}, None),
    "wrong file": (
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}",
        {"a.yaml": "model: []"},
        FAILS,
        "model: is not a known key. Did you mean models?",
        "the data has no models. Add an entry to models.",
    ),
    "an entry missing": (
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}",
        {"a.yaml": "models: [{name: m, artifacts: [{uri: x}]}]"},
        PARTLY,
        "models[0].artifacts[0].uri: has no scheme. Use one of the schemes az, file, gs, http, https, oci, s3.",
    ),
    "no name": (
        "{id: a, type: yaml, properties: {yamlCatalogPath: a.yaml}}",
        {"a.yaml": "models: [{name: m}]"},
        ADVICE,
        "name: is missing, so that the source has no name in the dashboard. Set it.",
    ),
    "absolute": (
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: /a.yaml}}",
        {},
        ADVICE,
        "properties.yamlCatalogPath: is an absolute path, which cannot be checked. Use a key of the same ConfigMap.",
    ),
    "outside": (
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: ../a.yaml}}",
        {},
        ADVICE,
        "properties.yamlCatalogPath: is a path outside of the ConfigMap, which cannot be checked. Use a key of the same ConfigMap.",
    ),
    "unknown property": (
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: /a.yaml, x: 1}}",
        {},
        ADVICE,
        "properties.x: is ignored, because it is not a known property. Remove it.",
        "properties.yamlCatalogPath: is an absolute path, which cannot be checked. Use a key of the same ConfigMap.",
    ),
    "old exclusion": (
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: /a.yaml, excludedModels: a}}",
        {},
        FAILS,
        "properties.excludedModels: must be a list of strings. Remove it, and use excludedModels of the source.",
        "properties.yamlCatalogPath: is an absolute path, which cannot be checked. Use a key of the same ConfigMap.",
    ),
    "old exclusion of an empty pattern": (
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: /a.yaml, excludedModels: [' ']}}",
        {},
        FAILS,
        "properties.excludedModels: has an empty pattern. Remove it, and use excludedModels of the source.",
        "properties.yamlCatalogPath: is an absolute path, which cannot be checked. Use a key of the same ConfigMap.",
    ),
    "organization in a pattern": (
        "{id: a, name: A, type: hf, includedModels: [o/a], properties: {allowedOrganization: o}}",
        {},
        ADVICE,
        "includedModels: has a pattern that begins with the organization, which is added a second time. Omit the organization in patterns.",
    ),
    "organization": ("{id: a, name: A, type: hf, properties: {allowedOrganization: ibm-granite}}", {}, None),
    "organization with a wildcard": (
        "{id: a, name: A, type: hf, properties: {allowedOrganization: ibm*}}",
        {},
        FAILS,
        "properties.allowedOrganization: is not the name of an organization. Set it without wildcards and slashes.",
    ),
    "no organization": (
        "{id: a, name: A, type: hf}",
        {},
        FAILS,
        "includedModels: is empty, and there is no organization. Set allowedOrganization or includedModels.",
    ),
    "patterns": ("{id: a, name: A, type: hf, includedModels: [ibm-granite/*]}", {}, None),
    "pattern without an organization": (
        "{id: a, name: A, type: hf, includedModels: ['*']}",
        {},
        FAILS,
        "includedModels[0]: has no organization. Use patterns such as ibm-granite/*.",
    ),
    "token": (
        "{id: a, name: A, type: hf, properties: {allowedOrganization: o, apiKey: x}}",
        {},
        ADVICE,
        "properties.apiKey: is ignored by the catalog server of OpenShift AI 3.5. Remove it.",
    ),
    "longest ID": (f"{{id: {'a' * catalog_data.LONGEST_STORED}, name: A, type: hf, properties: {{allowedOrganization: o}}}}", {}, None),
    "longer ID": (
        f"{{id: {'a' * (catalog_data.LONGEST_STORED + 1)}, name: A, type: hf, properties: {{allowedOrganization: o}}}}",
        {},
        FAILS,
        "id: has more than 255 characters or a null character, so that the source is not loaded. Use an ID of at most 238 characters.",
    ),
    "null character in the ID": (
        '{id: "a\\0b", name: A, type: hf, properties: {allowedOrganization: o}}',
        {},
        FAILS,
        "id: has more than 255 characters or a null character, so that the source is not loaded. Use an ID of at most 238 characters.",
    ),
    "no token": ("{id: a, name: A, type: hf, properties: {allowedOrganization: o, apiKey: ''}}", {}, None),
    "path of a number": (
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: 5}}",
        {},
        FAILS,
        "properties.yamlCatalogPath: is missing. Set it to the key of the ConfigMap that holds the data.",
    ),
    "empty path": (
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: ''}}",
        {},
        FAILS,
        "properties.yamlCatalogPath: is missing. Set it to the key of the ConfigMap that holds the data.",
    ),
    "folder above": (
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: ..}}",
        {},
        ADVICE,
        "properties.yamlCatalogPath: is a path outside of the ConfigMap, which cannot be checked. Use a key of the same ConfigMap.",
    ),
    "in a folder": (
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: x/a.yaml}}",
        {},
        ADVICE,
        "properties.yamlCatalogPath: is a path outside of the ConfigMap, which cannot be checked. Use a key of the same ConfigMap.",
    ),
    "no key": (
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: 'a b'}}",
        {},
        FAILS,
        "properties.yamlCatalogPath: ConfigMap 'user' does not have the key 'a b'. Add the key, or correct the path.",
    ),
    "old exclusion of a number": (
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml, excludedModels: [b, 1]}}",
        {"a.yaml": "models: [{name: m}]"},
        FAILS,
        "properties.excludedModels: must be a list of strings. Remove it, and use excludedModels of the source.",
    ),
    "old exclusions": ("{id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml, excludedModels: [b, c]}}", {"a.yaml": "models: [{name: m}]"}, None),
    "long name": (
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}",
        {"a.yaml": f"models: [{{name: {'m' * 253}}}, {{name: {'n' * 254}}}]"},
        PARTLY,
        "models[1].name: has more than 253 characters, so that the model is not stored. Shorten it, or use a shorter ID.",
    ),
    "organization with a slash": (
        "{id: a, name: A, type: hf, properties: {allowedOrganization: a/b}}",
        {},
        FAILS,
        "properties.allowedOrganization: is not the name of an organization. Set it without wildcards and slashes.",
    ),
    "wrong organization that is asked for nothing, because each model is excluded": (
        "{id: a, name: A, type: hf, includedModels: [b, c], excludedModels: [c, B], properties: {allowedOrganization: 'a/*'}}",
        {},
        ADVICE,
        "properties.allowedOrganization: is not the name of an organization. Set it without wildcards and slashes.",
    ),
    "wrong organization with a model that is not excluded": (
        "{id: a, name: A, type: hf, includedModels: [b, c], excludedModels: [c], properties: {allowedOrganization: 'a/*'}}",
        {},
        FAILS,
        "properties.allowedOrganization: is not the name of an organization. Set it without wildcards and slashes.",
    ),
    "wrong organization, models of which are looked for": (
        "{id: a, name: A, type: hf, includedModels: ['c* '], excludedModels: ['*'], properties: {allowedOrganization: 'a/b'}}",
        {},
        FAILS,
        "properties.allowedOrganization: is not the name of an organization. Set it without wildcards and slashes.",
    ),
    "wrong organization whose models are all excluded and none is included": (
        "{id: a, name: A, type: hf, includedModels: [], excludedModels: ['*'], properties: {allowedOrganization: 'a/b'}}",
        {},
        FAILS,
        "properties.allowedOrganization: is not the name of an organization. Set it without wildcards and slashes.",
    ),
    "wildcard in the place of an organization, with excluded models": (
        "{id: a, name: A, type: hf, includedModels: [b], excludedModels: [b], properties: {allowedOrganization: 'a*'}}",
        {},
        FAILS,
        "properties.allowedOrganization: is not the name of an organization. Set it without wildcards and slashes.",
    ),
    "nothing in the place of an organization, with excluded models": (
        "{id: a, name: A, type: hf, includedModels: [b], excludedModels: [b], properties: {allowedOrganization: '/x'}}",
        {},
        FAILS,
        "properties.allowedOrganization: is not the name of an organization. Set it without wildcards and slashes.",
    ),
    "wrong organization after a blank, which patterns never match": (
        "{id: a, name: A, type: hf, includedModels: [b], properties: {allowedOrganization: ' o/'}}",
        {},
        ADVICE,
        "properties.allowedOrganization: is not the name of an organization. Set it without wildcards and slashes.",
    ),
    "wrong organization with patterns beside a model that is excluded": (
        "{id: a, name: A, type: hf, includedModels: ['b*', '*', '*c'], excludedModels: ['*'], properties: {allowedOrganization: a/*}}",
        {},
        ADVICE,
        "properties.allowedOrganization: is not the name of an organization. Set it without wildcards and slashes.",
    ),
    "wrong organization with patterns beside a model that is not excluded": (
        "{id: a, name: A, type: hf, includedModels: ['b*', '*', '*c'], excludedModels: [c], properties: {allowedOrganization: a/*}}",
        {},
        FAILS,
        "properties.allowedOrganization: is not the name of an organization. Set it without wildcards and slashes.",
    ),
    "blank organization": (
        "{id: a, name: A, type: hf, properties: {allowedOrganization: ' '}}",
        {},
        FAILS,
        "properties.allowedOrganization: is not the name of an organization. Set it without wildcards and slashes.",
    ),
    "organization of a number": ("{id: a, name: A, type: hf, includedModels: [a/b], properties: {allowedOrganization: 5}}", {}, None),
    "organization in an excluded pattern": (
        "{id: a, name: A, type: hf, excludedModels: [a, o/a], properties: {allowedOrganization: o}}",
        {},
        ADVICE,
        "excludedModels: has a pattern that begins with the organization, which is added a second time. Omit the organization in patterns.",
    ),
    "patterns of an organization": ("{id: a, name: A, type: hf, includedModels: [a*, ob/c], properties: {allowedOrganization: o}}", {}, None),
    "patterns without an organization": (
        "{id: a, name: A, type: hf, includedModels: [a/b, 'a*/b', a/, /b, a]}",
        {},
        FAILS,
        "includedModels[1]: has no organization. Use patterns such as ibm-granite/*.",
        "includedModels[2]: has no organization. Use patterns such as ibm-granite/*.",
        "includedModels[3]: has no organization. Use patterns such as ibm-granite/*.",
    ),
    "property of another type": (
        "{id: a, name: A, type: hf, properties: {allowedOrganization: o, maxModels: 5, yamlCatalogPath: x}}",
        {},
        ADVICE,
        "properties.yamlCatalogPath: is ignored, because it is not a known property. Remove it.",
    ),
    "old exclusion of Hugging Face": ("{id: a, name: A, type: hf, properties: {allowedOrganization: o, excludedModels: [a]}}", {}, None),
}


def source_findings(source, files, generation=catalog.WITH_AGENTS, origin="user", section="catalogs"):
    [found] = list(merged((origin, f"{section}: [{source}]")).values())
    return catalog_merged.source_findings(found, lambda _origin, name: files.get(name), generation)


@pytest.mark.parametrize("case", SOURCES.values(), ids=SOURCES)
def test_a_source_has_the_effect_that_it_has_on_the_server(case):
    source, files, effect, *sentences = case
    findings = source_findings(source, files)
    found = effects(findings)
    assert found == ({effect} - {None}) or (effect in (FAILS, PARTLY) and effect in found)
    assert said(findings) == sentences


@pytest.mark.parametrize("name", ["apiKeyEnvVar", "url"])
def test_a_property_that_leaks_secrets_is_told_for_the_versions_in_which_it_does(name):
    source = f"{{id: a, name: A, type: hf, properties: {{allowedOrganization: o, {name}: x}}}}"
    assert said(source_findings(source, {}, catalog.WITH_MCP)) == [
        f"properties.{name}: allows all users who can edit this ConfigMap to send secrets of the catalog server to any host, in this version of OpenShift AI. "
        "Remove it, and restrict who can edit the ConfigMap."
    ]
    assert source_findings(source, {}, catalog.WITH_AGENTS) == []
    assert source_findings(source.replace("x}", "''}"), {}, catalog.WITH_MCP) == []


def test_of_an_absolute_path_something_is_said_unless_the_product_has_it():
    source = "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: /a.yaml}}"
    assert [len(source_findings(source, {}, origin=origin)) for origin in ("user", catalog.DEFAULTS, catalog.OLD_DEFAULTS)] == [1, 0, 0]


@pytest.mark.parametrize("section", ["mcp_catalogs", "agent_catalogs"])
def test_only_models_have_excluded_models_and_hugging_face(section):
    for source, sentence in {
        "{id: a, name: A, type: hf}": "type: has a type 'hf' that is not supported. Set it to yaml.",
        "{id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml, excludedModels: 5}}": (
            "properties.excludedModels: is ignored, because it is not a known property. Remove it."
        ),
    }.items():
        assert said(source_findings(source, {"a.yaml": "{mcp_servers: [{name: a}], agents: [{name: a}]}"}, section=section))[0] == sentence


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


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        (catalog.MODEL, f"models: [{{name: {'m' * 253}}}, {{name: {'n' * 254}}}]", ["m" * 253]),
        (catalog.AGENT, f"agents: [{{name: {'m' * 253}}}, {{name: {'n' * 254}}}]", ["m" * 253]),
        (catalog.MCP, f"mcp_servers: [{{name: {'m' * 253}}}, {{name: {'n' * 254}}}]", ["m" * 253, "n" * 254]),
        (catalog.MODEL, 'models: [{name: a, README: "\\0"}, {name: b, ID: "\\0"}]', ["b"]),
        (catalog.AGENT, "agents: [{name: a, artifacts: [{uri: x}]}, {name: 1.5}, {name: yes}, {name: [x]}, x]", ["a", "1.5", "true", "", ""]),
        (catalog.MODEL, "models: [{name: a}, {name: a, name: b}]", []),
        (catalog.AGENT, "agents: [{name: a}, {name: a, name: b}]", ["a", "b"]),
        (catalog.MODEL, "models: {name: a}", []),
        (catalog.MODEL, "models", []),
    ],
)
def test_what_the_database_or_the_server_does_not_take_is_not_shown(kind, text, shown):
    assert catalog_merged.names(text, catalog_merged.Merged(kind, "i", {"id": "i"}, {}))[1] == shown
    assert catalog_merged.names(text, catalog_merged.Merged(kind, "i", {"id": "i", "enabled": False}, {}))[1] == []


def test_old_exclusions_hide_models_alone():
    values = {"id": "i", "properties": {"excludedModels": ["a"]}}
    assert catalog_merged.names("{models: [{name: a}, {name: b}]}", catalog_merged.Merged(catalog.MODEL, "i", values, {}))[1] == ["b"]
    assert catalog_merged.names("{agents: [{name: a}, {name: b}]}", catalog_merged.Merged(catalog.AGENT, "i", values, {}))[1] == ["a", "b"]


@pytest.mark.parametrize("exclusions", ["a", 5, [1, None, ["a"], {}], {"a": 1}])
def test_of_old_exclusions_that_are_no_texts_nothing_is_hidden(exclusions):
    source = catalog_merged.Merged(catalog.MODEL, "i", {"id": "i", "properties": {"excludedModels": exclusions}}, {})
    assert catalog_merged.names("{models: [{name: a}]}", source) == (["a"], ["a"])


def test_only_of_mcp_servers_the_status_tells_what_is_not_stored():
    wrong = f"name: a, customProperties: {{{'x' * 256}: null}}"
    assert {name: [found.is_told for found in catalog_data.findings(f"{kind.entries}: [{{{wrong}}}]", kind)] for name, kind in catalog.KINDS.items()} == {
        "model": [False],
        "mcp": [True],
        "agent": [False],
    }
    assert [found.is_told for found in catalog_data.too_long(f"agents: [{{name: b}}, {{name: {'a' * 250}}}]", catalog.AGENT, "source")] == [False]
    assert catalog_data.too_long(f"mcp_servers: [{{name: {'a' * 250}}}]", catalog.MCP, "source") == ()
    assert catalog_data.too_long("agents: [", catalog.AGENT, "source") == ()


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
    text = "models: [{name: a, artifacts: [{uri: x}]}, {name: b}, {name: b}]"
    values = {"id": "a", "name": "A", "type": "yaml", "properties": {"yamlCatalogPath": "a.yaml"}}
    for excluded, effects in (([], [PARTLY, ADVICE]), (["a"], [ADVICE])):
        source = catalog_merged.Merged(catalog.MODEL, "a", {**values, "excludedModels": excluded}, {"properties": "c"})
        assert [finding.effect for finding in catalog_merged.source_findings(source, lambda _origin, _path: text, catalog.WITH_AGENTS)] == effects


def test_an_mcp_server_that_is_not_shown_is_noticed():
    source = "{id: a, name: A, type: yaml, excludedServers: [a*], properties: {yamlCatalogPath: a.yaml}}"
    found = source_findings(source, {"a.yaml": "mcp_servers: [{name: a, artifacts: [{uri: x}]}, {name: c}]"}, section="mcp_catalogs")
    assert [(finding.effect, finding.path) for finding in found] == [(PARTLY, "mcp_servers[0].artifacts[0].uri")]


@pytest.mark.parametrize(
    ("section", "entries", "other", "clashes"),
    [
        ("mcp_catalogs", "mcp_servers", "{name: two, externalId: x}", True),
        ("mcp_catalogs", "mcp_servers", "{name: two, externalId: y}", False),
        # It takes the place of the one with the same name.
        ("mcp_catalogs", "mcp_servers", "{name: one, externalId: x}", False),
        ("agent_catalogs", "agents", "{name: one, externalId: x}", True),
        ("catalogs", "models", "{name: two, externalId: x}", False),
        # What is not shown is not stored.
        ("mcp_catalogs", "mcp_servers", "{name: hidden, externalId: x}", False),
        ("mcp_catalogs", "mcp_servers", "{name: two, ExternalID: x}", True),
        ("agent_catalogs", "agents", "{externalId: x}", True),
        ("agent_catalogs", "agents", "null", False),
    ],
)
def test_an_external_id_that_another_source_has_is_told_of_both(section, entries, other, clashes):
    exclusion = "excludedServers: [hid*], " if section == "mcp_catalogs" else ""
    sources = ", ".join(f"{{id: {name}, name: {name}, type: yaml, {exclusion}properties: {{yamlCatalogPath: {name}.yaml}}}}" for name in "ab")
    data = {"a.yaml": f"{entries}: [{{name: zero}}, {{name: one, externalId: x}}]", "b.yaml": f"{entries}: [{other}]"}
    view = catalog_view.View(catalog.WITH_AGENTS, {"user": {catalog.SOURCES: f"{section}: [{sources}]", **data}})
    found = {(source.id, finding.path) for source in view.sources.values() for finding in view.findings_of(source) if "source '" in finding.problem}
    assert found == ({("a", f"{entries}[1].externalId"), ("b", f"{entries}[0].externalId")} if clashes else set())
    disabled = catalog_view.View(catalog.WITH_AGENTS, {"user": {catalog.SOURCES: f"{section}: [{sources}]".replace("{id: a,", "{id: a, enabled: no,"), **data}})
    assert [finding for source in disabled.sources.values() for finding in disabled.findings_of(source) if "source '" in finding.problem] == []


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
