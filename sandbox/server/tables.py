"""The tables of a registry's database, as the real server's migrations leave them (21 of MySQL, 25 of PostgreSQL), and the types that it declares in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# `@` is a number that counts, `~` a truth, `$` a long text, `#` bytes, `%` a double, `?` the small number of a kind.
_WORDS = {
    "mysql": {"@": "id int NOT NULL AUTO_INCREMENT PRIMARY KEY", "~": "tinyint(1)", "$": "mediumtext", "#": "mediumblob", "%": "double", "?": "tinyint(1)"},
    "postgresql": {
        "@": "id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "~": "boolean",
        "$": "text",
        "#": "bytea",
        "%": "double precision",
        "?": "smallint",
    },
}
_TIMES = "create_time_since_epoch bigint NOT NULL DEFAULT 0, last_update_time_since_epoch bigint NOT NULL DEFAULT 0"
_OWN = f"external_id varchar(255) UNIQUE, {_TIMES}, UNIQUE (type_id, name)"


def _properties(owner: str) -> str:
    values = "int_value int, double_value %, string_value $, byte_value #, proto_value #, bool_value ~"
    return f"{owner} int NOT NULL, name varchar(255) NOT NULL, is_custom_property ~ NOT NULL, {values}, PRIMARY KEY ({owner}, name, is_custom_property)"


# The one that has no key.
KEYLESS = "EventPath"
# In the order in which the migrations make them.
COLUMNS = {
    "Artifact": f"@, type_id int NOT NULL, uri text, state int, name varchar(255), {_OWN}",
    "ArtifactProperty": _properties("artifact_id"),
    "Association": "@, context_id int NOT NULL, execution_id int NOT NULL, UNIQUE (context_id, execution_id)",
    "Attribution": "@, context_id int NOT NULL, artifact_id int NOT NULL, UNIQUE (context_id, artifact_id)",
    "Context": f"@, type_id int NOT NULL, name varchar(255) NOT NULL, {_OWN}",
    "ContextProperty": _properties("context_id"),
    "Event": "@, artifact_id int NOT NULL, execution_id int NOT NULL, type int NOT NULL, milliseconds_since_epoch bigint,"
    " UNIQUE (artifact_id, execution_id, type)",
    KEYLESS: "event_id int NOT NULL, is_index_step ~ NOT NULL, step_index int, step_key text",
    "Execution": f"@, type_id int NOT NULL, last_known_state int, name varchar(255), {_OWN}",
    "ExecutionProperty": _properties("execution_id"),
    "MLMDEnv": "schema_version int NOT NULL PRIMARY KEY",
    "ParentContext": "context_id int NOT NULL, parent_context_id int NOT NULL, PRIMARY KEY (context_id, parent_context_id)",
    "ParentType": "type_id int NOT NULL, parent_type_id int NOT NULL, PRIMARY KEY (type_id, parent_type_id)",
    "Type": "@, name varchar(255) NOT NULL, version varchar(255), type_kind ? NOT NULL, description text, input_type text, output_type text,"
    " external_id varchar(255) UNIQUE",
    "TypeProperty": "type_id int NOT NULL, name varchar(255) NOT NULL, data_type int, PRIMARY KEY (type_id, name)",
}
_OBJECTS = ("Artifact", "Context", "Execution")
# Further indexes of both, then those that only one of them has.
_INDEXES = [
    *((name, column) for name in _OBJECTS for column in ("create_time_since_epoch", "last_update_time_since_epoch", "external_id")),
    *((f"{name}Property", f"name, is_custom_property, {column}_value") for name in _OBJECTS for column in ("int", "double")),
    ("Event", "execution_id"),
    (KEYLESS, "event_id"),
    ("ParentContext", "parent_context_id"),
    ("Type", "name"),
    ("Type", "external_id"),
]
_INDEXES_OF = {
    "mysql": [("Artifact", "uri(255)"), *((f"{name}Property", "name, is_custom_property, string_value(255)") for name in _OBJECTS)],
    "postgresql": [("Artifact", "uri"), ("ArtifactProperty", "artifact_id"), ("Attribution", "context_id, artifact_id"), ("Context", "type_id")],
}
# The rows of PostgreSQL that are deleted with the row that they belong to.
_OWNED = (
    ("ArtifactProperty", "artifact_id", "Artifact"),
    ("Association", "context_id", "Context"),
    ("Association", "execution_id", "Execution"),
    ("Attribution", "context_id", "Context"),
    ("Attribution", "artifact_id", "Artifact"),
    ("ContextProperty", "context_id", "Context"),
    ("ExecutionProperty", "execution_id", "Execution"),
    ("TypeProperty", "type_id", "Type"),
)

EXECUTION, ARTIFACT, CONTEXT = 0, 1, 2
_INT, _STRING, _STRUCT, _PROTO = 1, 3, 4, 5


@dataclass(frozen=True)
class Type:
    """A kind of things, and the properties that it declares, by their data type."""

    name: str
    kind: int
    properties: tuple[tuple[str, int], ...] = ()


def _type(name: str, kind: int, texts: str, others: Iterable[tuple[str, int]] = ()) -> Type:
    return Type(f"kf.{name}", kind, tuple(sorted([*((text, _STRING) for text in texts.split()), *others])))


# The types that every database begins with, and then the registry's own, in the order in which the server makes them.
OLD_TYPES = (
    *(Type(f"mlmd.{name}", ARTIFACT) for name in ("Dataset", "Model", "Metrics", "Statistics")),
    *(Type(f"mlmd.{name}", EXECUTION) for name in ("Train", "Transform", "Process", "Evaluate", "Deploy")),
)
TYPES = (
    _type("ServeModel", EXECUTION, "description", [("model_version_id", _INT)]),
    _type("DataSet", ARTIFACT, "description digest profile schema source source_type"),
    _type("DocArtifact", ARTIFACT, "description"),
    *(_type(name, ARTIFACT, "description timestamp", [("step", _INT), ("value", _PROTO)]) for name in ("Metric", "MetricHistory")),
    _type("ModelArtifact", ARTIFACT, "description model_format_name model_format_version service_account_name storage_key storage_path"),
    _type("Parameter", ARTIFACT, "description parameter_type value"),
    _type("Experiment", CONTEXT, "description owner state"),
    _type(
        "ExperimentRun",
        CONTEXT,
        "description owner state status",
        [(f"{name}", _INT) for name in ("end_time_since_epoch", "experiment_id", "start_time_since_epoch")],
    ),
    _type(
        "InferenceService",
        CONTEXT,
        "description desired_state runtime",
        [(f"{name}_id", _INT) for name in ("model_version", "registered_model", "serving_environment")],
    ),
    _type("ModelVersion", CONTEXT, "author description model_name state version"),
    _type(
        "RegisteredModel",
        CONTEXT,
        "description library_name license license_link logo maturity owner provider readme state",
        [("language", _STRUCT), ("tasks", _STRUCT)],
    ),
    _type("ServingEnvironment", CONTEXT, "description"),
)


def creation(kind: str) -> list[tuple[str, str]]:
    """The table and the statement that makes it, unless it is there; of MySQL with its indexes."""
    quote = "`" if kind == "mysql" else '"'
    made = []
    for name, columns in COLUMNS.items():
        parts = [re.sub(r"[@~$#%?]", lambda match: _WORDS[kind][match[0]], columns)]
        if kind == "mysql":
            parts += [f"KEY ({indexed})" for table, indexed in [*_INDEXES, *_INDEXES_OF[kind]] if table == name]
        made.append((name, f"CREATE TABLE IF NOT EXISTS {quote}{name}{quote} ({', '.join(parts)})"))
    return made


def additions(views: bool) -> list[str]:
    """What PostgreSQL gets after its tables: indexes, foreign keys and, where it knows their syntax, views of the values that properties have."""
    indexes = [f'CREATE INDEX ON "{table}" ({columns})' for table, columns in [*_INDEXES, *_INDEXES_OF["postgresql"]]]
    keys = [f'ALTER TABLE "{table}" ADD FOREIGN KEY ({column}) REFERENCES "{owner}" (id) ON DELETE CASCADE' for table, column, owner in _OWNED]
    return [*indexes, *keys, *([_view("Context"), _view("Artifact")] if views else [])]


def _view(owner: str) -> str:
    """The values that each property of these objects has: up to 49 short texts, the elements of lists, or the range of numbers."""
    key = "o.type_id, p.name, p.is_custom_property"
    rows = f'FROM "{owner}" o JOIN "{owner}Property" p ON p.{owner.lower()}_id = o.id'
    few = "GROUP BY 1, 2, 3 HAVING max(char_length(value)) <= 100 AND count(*) < 50"
    texts = f"SELECT DISTINCT {key}, p.string_value AS value {rows} WHERE p.string_value <> '' AND p.string_value IS NOT JSON ARRAY"
    lists = f"SELECT DISTINCT {key}, json_array_elements_text(p.string_value::json) AS value {rows} WHERE p.string_value IS JSON ARRAY"
    none = "NULL::float8, NULL::float8, NULL::integer, NULL::integer"
    group = "SELECT type_id, name, is_custom_property"
    return (
        f"CREATE MATERIALIZED VIEW {owner.lower()}_property_options"
        " (type_id, name, is_custom_property, string_value, array_value, min_double_value, max_double_value, min_int_value, max_int_value) AS"
        f" {group}, array_agg(value ORDER BY value), NULL::text[], {none} FROM ({texts}) t {few}"
        f" UNION {group}, NULL::text[], array_agg(value), {none} FROM ({lists}) l {few}"
        f" UNION SELECT {key}, NULL::text[], NULL::text[], min(double_value), max(double_value), NULL::integer, NULL::integer"
        f" {rows} WHERE double_value IS NOT NULL GROUP BY {key}"
        f" UNION SELECT {key}, NULL::text[], NULL::text[], NULL::float8, NULL::float8, min(int_value), max(int_value)"
        f" {rows} WHERE int_value IS NOT NULL GROUP BY {key}"
    )
