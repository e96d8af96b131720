"""Fills a registry: with one of everything that it can hold, through its REST API, or with any number of rows, as its database would have them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.server.connection import Connection
from sandbox.server.schema import quoting

# A request to the API: method, path below its base, body. It returns what was answered.
Ask = Callable[[str, str, dict[str, Any] | None], dict[str, Any]]

STRUCT = {"nested": {"list": [1, 2.5, "three", None, True], "empty": {}}, "naïve": "日本"}
CUSTOM: dict[str, dict[str, Any]] = {
    "text": {"metadataType": "MetadataStringValue", "string_value": 'quote " backslash \\ line\nbreak\ttab <&>'},
    "empty": {"metadataType": "MetadataStringValue", "string_value": ""},
    "wide": {"metadataType": "MetadataStringValue", "string_value": "é" * 100_000},
    "emoji": {"metadataType": "MetadataStringValue", "string_value": "🚀 ½ 中文"},
    "integer": {"metadataType": "MetadataIntValue", "int_value": "-2147483648"},
    "double": {"metadataType": "MetadataDoubleValue", "double_value": 0.1},
    "large": {"metadataType": "MetadataDoubleValue", "double_value": 1.7976931348623157e308},
    "small": {"metadataType": "MetadataDoubleValue", "double_value": 5e-324},
    "yes": {"metadataType": "MetadataBoolValue", "bool_value": True},
    "no": {"metadataType": "MetadataBoolValue", "bool_value": False},
    "struct": {"metadataType": "MetadataStructValue", "struct_value": base64.b64encode(json.dumps(STRUCT).encode()).decode()},
}
# Properties of a thing, each a row, in a database that is filled by its rows.
PROPERTIES = 6
# The rows of one model in such a database: itself, its versions with an artifact each, their properties, and how they are related.
VERSIONS = 3
ROWS_OF_MODEL = 1 + PROPERTIES + VERSIONS * (2 * (1 + PROPERTIES) + 2)
_BATCH = 500


def fill(ask: Ask) -> None:
    """Make one of everything, in a registry that has nothing of it yet."""
    make_models(ask)
    make_services(ask)
    make_experiments(ask)


def make_models(ask: Ask) -> None:
    """Models with versions and artifacts of all kinds, one of them in two versions; things that are archived, and texts of all lengths."""

    def add(path: str, **body: Any) -> str:
        return str(ask("POST", path, body)["id"])

    model = add(
        "registered_models",
        name="fraud",
        description="d" * 60_000,
        owner="Zoë",
        externalId="model-1",
        readme="# Fraud\n\nFinds it.",
        maturity="Generally Available",
        language=["en", "de"],
        tasks=["text-generation"],
        provider="us",
        logo="data:image/png;base64,AAAA",
        license="apache-2.0",
        licenseLink="https://example.com/license",
        libraryName="transformers",
        customProperties=CUSTOM,
    )
    bare = add("registered_models", name="bare")
    add("registered_models", name="old: with a colon", state="ARCHIVED")
    first = add("model_versions", name="v1", registeredModelId=model, author="somebody", description="first", customProperties=CUSTOM, externalId="version-1")
    second = add(f"registered_models/{model}/versions", name="v2", registeredModelId=model, state="ARCHIVED")
    add(f"registered_models/{bare}/versions", name="v1", registeredModelId=bare)
    artifact = add(
        f"model_versions/{first}/artifacts",
        artifactType="model-artifact",
        name="weights",
        uri="s3://models/fraud/1",
        state="LIVE",
        modelFormatName="onnx",
        modelFormatVersion="1",
        storageKey="connection",
        storagePath="fraud/1",
        serviceAccountName="reader",
        modelSourceKind="dsp",
        modelSourceClass="pipelinerun",
        modelSourceGroup="team",
        modelSourceId="42",
        modelSourceName="train",
        externalId="artifact-1",
        # The server does not link an artifact to a second version that has a struct.
        customProperties={name: value for name, value in CUSTOM.items() if name != "struct"},
    )
    ask("POST", f"model_versions/{second}/artifacts", {"artifactType": "model-artifact", "id": artifact})
    add(
        f"model_versions/{first}/artifacts",
        artifactType="doc-artifact",
        name="card",
        uri="https://example.com/card",
        description="How it was trained",
        customProperties=CUSTOM,
    )
    add(
        f"model_versions/{first}/artifacts",
        artifactType="dataset-artifact",
        name="cases",
        digest="sha256:0",
        sourceType="s3",
        source="s3://data",
        schema='{"a": 1}',
        profile="{}",
    )
    add("model_artifacts", artifactType="model-artifact", uri="s3://models/alone")
    ask("PATCH", f"registered_models/{bare}", {"state": "ARCHIVED", "description": "not used any more"})


def make_services(ask: Ask) -> None:
    """What serves the models: environments, inference services and what they served."""
    [model, bare] = [ask("GET", f"registered_model?name={name}", None)["id"] for name in ("fraud", "bare")]
    version = ask("GET", f"model_version?name=v1&parentResourceId={model}", None)["id"]
    environment = ask("POST", "serving_environments", {"name": "production", "description": "Cluster 1", "customProperties": {"text": CUSTOM["text"]}})["id"]
    body = {"name": "fraud-1", "registeredModelId": model, "modelVersionId": version, "servingEnvironmentId": environment, "runtime": "vllm"}
    service = ask("POST", "inference_services", {**body, "desiredState": "DEPLOYED", "description": "Serves", "customProperties": CUSTOM})["id"]
    newest = {"name": "bare-newest", "registeredModelId": bare, "servingEnvironmentId": environment}
    ask("POST", f"serving_environments/{environment}/inference_services", newest)
    serve = {"name": "first", "modelVersionId": version, "lastKnownState": "RUNNING", "externalId": "serve-1", "customProperties": {"text": CUSTOM["text"]}}
    ask("POST", f"inference_services/{service}/serves", serve)


def make_experiments(ask: Ask) -> None:
    """An experiment with a run, and what was measured in it."""
    experiment = ask("POST", "experiments", {"name": "tuning", "owner": "Zoë", "description": "Rates", "customProperties": CUSTOM})["id"]
    body = {
        "name": "run-1",
        "experimentId": experiment,
        "startTimeSinceEpoch": "1700000000000",
        "status": "RUNNING",
        "customProperties": {"text": CUSTOM["text"]},
    }
    run = ask("POST", "experiment_runs", body)["id"]
    for step in (1, 2):
        metric = {"artifactType": "metric", "name": "accuracy", "value": 0.5 + step / 10, "step": step, "timestamp": f"170000000000{step}"}
        ask("POST", f"experiment_runs/{run}/artifacts", metric)
    ask("POST", f"experiment_runs/{run}/artifacts", {"artifactType": "parameter", "name": "rate", "value": "0.01", "parameterType": "number"})
    ask("PATCH", f"experiment_runs/{run}", {"status": "FINISHED", "endTimeSinceEpoch": "1700000001000"})


def reads(ask: Ask) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that a registry can be asked for, as the path and the answer."""
    children = {
        "registered_models": ("versions",),
        "model_versions": ("artifacts",),
        "serving_environments": ("inference_services",),
        "inference_services": ("serves", "model", "version"),
        "experiments": ("experiment_runs",),
        "experiment_runs": ("artifacts", "metric_history"),
        "artifacts": (),
        "model_artifacts": (),
    }
    for collection, below in children.items():
        listed = ask("GET", collection, None)
        yield collection, listed
        for thing in listed["items"]:
            for path in (f"{collection}/{thing['id']}", *(f"{collection}/{thing['id']}/{child}" for child in below)):
                yield path, ask("GET", path, None)


def fill_rows(connection: Connection, rows: int) -> int:
    """Add models with versions and artifacts until a database has at least this many rows more; how many it were. The schema has to be there."""
    quote = quoting(connection)
    types = dict(connection.run(f"SELECT name, id FROM {quote}Type{quote}"))
    [first] = [{table: connection.run(f"SELECT coalesce(max(id), 0) FROM {quote}{table}{quote}")[0][0] + 1 for table in ("Context", "Artifact", "Attribution")}]
    override = "" if connection.kind == "mysql" else " OVERRIDING SYSTEM VALUE"
    models = max(1, -(-rows // ROWS_OF_MODEL))
    for start in range(0, models, _BATCH):
        connection.run("BEGIN")
        for table, columns, batch in _batch(types, first, range(start, min(start + _BATCH, models))):
            values = ", ".join(batch)
            connection.run(f"INSERT INTO {quote}{table}{quote} ({columns}){override if columns.startswith('id, ') else ''} VALUES {values}")
        connection.run("COMMIT")
    if connection.kind == "postgresql":
        for table in first:
            connection.run(f"SELECT setval(pg_get_serial_sequence('\"{table}\"', 'id'), (SELECT max(id) FROM \"{table}\"))")
        connection.run("ANALYZE")
    return models * ROWS_OF_MODEL


def _batch(types: dict[str, int], first: dict[str, int], models: range) -> Iterator[tuple[str, str, list[str]]]:
    """The rows of some models: table, columns, and the values."""
    made: tuple[list[str], ...] = tuple([] for _table in range(6))
    contexts, artifacts, parents, attributions, own, theirs = made
    for number in models:
        model = first["Context"] + number * (1 + VERSIONS)
        contexts.append(f"({model}, {types['kf.RegisteredModel']}, 'model-{model:07}', {1_700_000_000_000 + model}, {1_700_000_000_000 + model})")
        own += _properties(model, "RegisteredModel")
        for version in range(1, VERSIONS + 1):
            context = model + version
            artifact = first["Artifact"] + number * VERSIONS + version - 1
            times = f"{1_700_000_000_000 + context}, {1_700_000_000_000 + context}"
            contexts.append(f"({context}, {types['kf.ModelVersion']}, '{model}:v{version}', {times})")
            own += _properties(context, "ModelVersion")
            parents.append(f"({context}, {model})")
            artifacts.append(f"({artifact}, {types['kf.ModelArtifact']}, '{context}:weights', 's3://models/{model}/{version}', 2, {times})")
            theirs += _properties(artifact, "ModelArtifact")
            attributions.append(f"({first['Attribution'] + artifact - first['Artifact']}, {context}, {artifact})")
    yield "Context", "id, type_id, name, create_time_since_epoch, last_update_time_since_epoch", contexts
    yield "Artifact", "id, type_id, name, uri, state, create_time_since_epoch, last_update_time_since_epoch", artifacts
    values = "name, is_custom_property, string_value, int_value, double_value, bool_value"
    yield "ContextProperty", f"context_id, {values}", own
    yield "ArtifactProperty", f"artifact_id, {values}", theirs
    yield "ParentContext", "context_id, parent_context_id", parents
    yield "Attribution", "id, context_id, artifact_id", attributions


def _properties(number: int, kind: str) -> list[str]:
    text = "storage_path" if kind == "ModelArtifact" else "state"
    return [
        f"({number}, '{text}', FALSE, 'LIVE', NULL, NULL, NULL)",
        f"({number}, 'description', FALSE, 'What {kind} {number} is for, in a sentence or two of the length that people write', NULL, NULL, NULL)",
        f"({number}, 'team', TRUE, 'team-{number % 40}', NULL, NULL, NULL)",
        f"({number}, 'parameters', TRUE, NULL, {number}, NULL, NULL)",
        f"({number}, 'accuracy', TRUE, NULL, NULL, {number % 1000 / 1000}, NULL)",
        f"({number}, 'approved', TRUE, NULL, NULL, NULL, {'TRUE' if number % 2 else 'FALSE'})",
    ]
