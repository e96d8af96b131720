"""The part of the registry's REST API that stores something: registered models."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.generations import V1ALPHA3
from sandbox.server.connection import Connection, DatabaseError
from sandbox.server.schema import MODEL_TYPE, quoting

BASE = V1ALPHA3
# Collections that exist and stay empty here. The experiments are not in v1.
EMPTY_COLLECTIONS = (
    "model_versions",
    "artifacts",
    "model_artifacts",
    "inference_services",
    "serving_environments",
    "experiments",
    "experiment_runs",
)
_TEXTS = ("description", "state", "owner")
_FIELDS = {"name", "externalId", "customProperties", *_TEXTS}
_LARGEST_PAGE = 100


@dataclass(frozen=True)
class Answer:
    """What a request is answered with."""

    status: int
    body: str
    content_type: str = "application/json; charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(connection: Connection, method: str, path: str, query: Mapping[str, str], body: bytes) -> Answer:
    """Serve one request to the REST API. Blocks; DatabaseError when the database refuses."""
    name, _slash, identifier = path.removeprefix(BASE).partition("/")
    if path.startswith(BASE) and name in EMPTY_COLLECTIONS and method == "GET" and not identifier:
        return _page([], "", _page_size(query))
    if not path.startswith(BASE) or name != "registered_models" or "/" in identifier:
        return Answer(404, "404 page not found\n", "text/plain; charset=utf-8")
    try:
        if identifier and method == "GET":
            return _one(connection, identifier)
        if not identifier and method == "GET":
            return _list(connection, query)
        if not identifier and method == "POST":
            return _create(connection, body)
    except _BadRequest as error:
        return _failure(400, "Bad Request", str(error))
    return Answer(405, "")


class _BadRequest(Exception):
    pass


def _failure(status: int, code: str, message: str) -> Answer:
    return Answer(status, json.dumps({"code": code, "message": message}) + "\n")


def _page(items: list[dict[str, Any]], token: str, size: int) -> Answer:
    return Answer(200, json.dumps({"items": items, "nextPageToken": token, "pageSize": size, "size": len(items)}) + "\n")


def _page_size(query: Mapping[str, str]) -> int:
    text = query.get("pageSize", "")
    try:
        return int(text or 0)
    except ValueError:
        raise _BadRequest(f'invalid numeric string: strconv.ParseInt: parsing "{text}": invalid syntax: bad request') from None


def _list(connection: Connection, query: Mapping[str, str]) -> Answer:
    size = _page_size(query)
    after = 0
    if token := query.get("nextPageToken"):
        try:
            after = int(base64.b64decode(token).decode().partition(":")[0])
        except ValueError:
            raise _BadRequest("invalid next page token: bad request") from None
    limit = min(size or _LARGEST_PAGE, _LARGEST_PAGE)
    rows = _rows(connection, "id > %s ORDER BY id LIMIT %s", after, limit + 1)
    token = base64.b64encode(f"{rows[limit - 1][0]}:".encode()).decode() if len(rows) > limit else ""
    return _page([_model(connection, row) for row in rows[:limit]], token, size)


def _one(connection: Connection, identifier: str) -> Answer:
    rows = _rows(connection, "id = %s", int(identifier)) if identifier.isdigit() else []
    if not rows:
        return _failure(404, "Not Found", f"no registered model found for id {identifier}: not found")
    return Answer(200, json.dumps(_model(connection, rows[0])) + "\n")


def _create(connection: Connection, body: bytes) -> Answer:
    try:
        model = json.loads(body)
    except ValueError:
        raise _BadRequest("unexpected EOF") from None
    if not isinstance(model, dict):
        raise _BadRequest("json: cannot unmarshal into a registered model")
    for unknown in sorted(set(model) - _FIELDS):
        raise _BadRequest(f'json: unknown field "{unknown}"')
    if not model.get("name"):
        raise _BadRequest("required field 'name' is zero value.")
    quote, now = quoting(connection), int(time.time() * 1000)
    contexts, types = f"{quote}Context{quote}", f"{quote}Type{quote}"
    try:
        connection.run(
            f"INSERT INTO {contexts} (type_id, name, external_id, create_time_since_epoch, last_update_time_since_epoch)"
            f" SELECT id, %s, %s, %s, %s FROM {types} WHERE name = %s",
            model["name"],
            model.get("externalId"),
            now,
            now,
            MODEL_TYPE,
        )
    except DatabaseError as error:
        if error.duplicate:
            return _failure(409, "Conflict", f"registered model with name {model['name']} already exists: conflict")
        raise
    row = _rows(connection, "name = %s", model["name"])[0]
    values = {(name, False): model[name] for name in _TEXTS if name in model}
    values |= {(name, True): str(value.get("string_value", "")) for name, value in (model.get("customProperties") or {}).items() if isinstance(value, dict)}
    for (name, custom), value in values.items():
        connection.run(
            f"INSERT INTO {quote}ContextProperty{quote} (context_id, name, is_custom_property, string_value) VALUES (%s, %s, %s, %s)",
            row[0],
            name,
            custom,
            value,
        )
    return Answer(201, json.dumps(_model(connection, row)) + "\n")


def _rows(connection: Connection, condition: str, *values: object) -> list[tuple[Any, ...]]:
    quote = quoting(connection)
    return connection.run(
        f"SELECT id, name, external_id, create_time_since_epoch, last_update_time_since_epoch FROM {quote}Context{quote}"
        f" WHERE type_id = (SELECT id FROM {quote}Type{quote} WHERE name = %s) AND {condition}",
        MODEL_TYPE,
        *values,
    )


def _model(connection: Connection, row: tuple[Any, ...]) -> dict[str, Any]:
    quote = quoting(connection)
    model: dict[str, Any] = {
        "createTimeSinceEpoch": str(row[3]),
        "customProperties": {},
        "id": str(row[0]),
        "lastUpdateTimeSinceEpoch": str(row[4]),
        "name": row[1],
        "state": "LIVE",
    }
    if row[2]:
        model["externalId"] = row[2]
    for name, custom, value in connection.run(
        f"SELECT name, is_custom_property, string_value FROM {quote}ContextProperty{quote} WHERE context_id = %s", row[0]
    ):
        if custom:
            model["customProperties"][name] = {"metadataType": "MetadataStringValue", "string_value": value}
        elif name in _TEXTS:
            model[name] = value
    return dict(sorted(model.items()))
