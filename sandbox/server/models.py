"""The registry's REST API: everything that it stores, which is rows in three tables of things, three of their properties, and three of their relations."""

from __future__ import annotations

import base64
import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.generations import V1ALPHA3
from sandbox.server import values
from sandbox.server.connection import Connection, DatabaseError
from sandbox.server.schema import quoting

BASE = V1ALPHA3
ARTIFACT_STATES = ("UNKNOWN", "PENDING", "LIVE", "MARKED_FOR_DELETION", "DELETED", "ABANDONED", "REFERENCE")
EXECUTION_STATES = ("UNKNOWN", "NEW", "RUNNING", "COMPLETE", "FAILED", "CACHED", "CANCELED")
TEXT, NUMBER, REAL, LIST = "string_value", "int_value", "double_value", "list"
# The custom properties that say which run an artifact is of; answers have them as fields.
_RUN_PROPERTIES = {"experiment_id": "experimentId", "experiment_run_id": "experimentRunId"}
_CUSTOM = {
    "MetadataStringValue": "string_value",
    "MetadataIntValue": "int_value",
    "MetadataDoubleValue": "double_value",
    "MetadataBoolValue": "bool_value",
    "MetadataStructValue": "struct_value",
}
_ORDERS = {"CREATE_TIME": "create_time_since_epoch", "LAST_UPDATE_TIME": "last_update_time_since_epoch"}
_LARGEST_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class Kind:
    """A kind of thing: its name in messages and its type, its table, its fields by property, and the field that names what it belongs to."""

    words: str
    type: str
    table: str
    # The JSON name of each field, and the kind of its value; the property has the same name with underscores.
    fields: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""
    # Which of its own columns hold what, and the names of the states.
    columns: Mapping[str, str] = field(default_factory=dict)
    states: tuple[str, ...] = ()
    needs_name: bool = False
    # What fields are that neither a POST nor a PATCH gives: a PATCH without a state brings an archived thing back.
    defaults: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str = ""
    # Fields that a POST may have and a PATCH may not.
    fixed: tuple[str, ...] = ()


def _texts(names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), TEXT)


_LIVE = {"state": "LIVE"}
_ARTIFACT_COLUMNS = {"uri": "uri", "state": "state"}
REGISTERED_MODEL = Kind(
    "registered model",
    "kf.RegisteredModel",
    "Context",
    {**_texts("description owner state readme maturity provider logo license licenseLink libraryName"), "language": LIST, "tasks": LIST},
    needs_name=True,
    defaults=_LIVE,
)
MODEL_VERSION = Kind(
    "model version",
    "kf.ModelVersion",
    "Context",
    {**_texts("description state author"), "registeredModelId": NUMBER},
    "registeredModelId",
    needs_name=True,
    defaults=_LIVE,
    fixed=("registeredModelId",),
)
ENVIRONMENT = Kind("serving environment", "kf.ServingEnvironment", "Context", _texts("description"), needs_name=True)
SERVICE = Kind(
    "inference service",
    "kf.InferenceService",
    "Context",
    {**_texts("description runtime desiredState"), **dict.fromkeys(("registeredModelId", "servingEnvironmentId", "modelVersionId"), NUMBER)},
    "servingEnvironmentId",
    defaults={"desiredState": "DEPLOYED"},
    fixed=("registeredModelId", "servingEnvironmentId"),
)
EXPERIMENT = Kind("experiment", "kf.Experiment", "Context", _texts("description owner state"), needs_name=True, defaults=_LIVE)
RUN = Kind(
    "experiment run",
    "kf.ExperimentRun",
    "Context",
    {**_texts("description owner state status startTimeSinceEpoch endTimeSinceEpoch"), "experimentId": NUMBER},
    "experimentId",
    defaults=_LIVE,
    fixed=("experimentId", "startTimeSinceEpoch"),
)
SERVE = Kind(
    "serve model",
    "kf.ServeModel",
    "Execution",
    {**_texts("description"), "modelVersionId": NUMBER},
    columns={"lastKnownState": "last_known_state"},
    states=EXECUTION_STATES,
    defaults={"lastKnownState": "UNKNOWN"},
    fixed=("modelVersionId",),
)
MODEL_ARTIFACT = Kind(
    "model artifact",
    "kf.ModelArtifact",
    "Artifact",
    _texts(
        "description modelFormatName modelFormatVersion storageKey storagePath serviceAccountName modelSourceKind modelSourceClass modelSourceGroup"
        " modelSourceId modelSourceName"
    ),
    columns=_ARTIFACT_COLUMNS,
    states=ARTIFACT_STATES,
    defaults={"state": "UNKNOWN"},
    artifact_type="model-artifact",
)
_METRIC_FIELDS = {**_texts("description timestamp"), "value": REAL, "step": NUMBER}
METRIC = Kind("metric", "kf.Metric", "Artifact", _METRIC_FIELDS, columns={"state": "state"}, states=ARTIFACT_STATES, artifact_type="metric")
HISTORY = Kind("metric history", "kf.MetricHistory", "Artifact", _METRIC_FIELDS, columns={"state": "state"}, states=ARTIFACT_STATES, artifact_type="metric")
ARTIFACTS = (
    MODEL_ARTIFACT,
    Kind("doc artifact", "kf.DocArtifact", "Artifact", _texts("description"), "", _ARTIFACT_COLUMNS, ARTIFACT_STATES, artifact_type="doc-artifact"),
    Kind(
        "dataset artifact",
        "kf.DataSet",
        "Artifact",
        _texts("description digest sourceType source schema profile"),
        "",
        _ARTIFACT_COLUMNS,
        ARTIFACT_STATES,
        artifact_type="dataset-artifact",
    ),
    METRIC,
    Kind(
        "parameter",
        "kf.Parameter",
        "Artifact",
        _texts("description value parameterType"),
        "",
        {"state": "state"},
        ARTIFACT_STATES,
        artifact_type="parameter",
    ),
)
COLLECTIONS: dict[str, tuple[Kind, ...]] = {
    "registered_models": (REGISTERED_MODEL,),
    "model_versions": (MODEL_VERSION,),
    "artifacts": ARTIFACTS,
    "model_artifacts": (MODEL_ARTIFACT,),
    "serving_environments": (ENVIRONMENT,),
    "inference_services": (SERVICE,),
    "experiments": (EXPERIMENT,),
    "experiment_runs": (RUN,),
}
# What belongs to one thing: the path below it, and the kinds.
CHILDREN: dict[tuple[str, str], tuple[Kind, ...]] = {
    ("registered_models", "versions"): (MODEL_VERSION,),
    ("model_versions", "artifacts"): ARTIFACTS,
    ("serving_environments", "inference_services"): (SERVICE,),
    ("inference_services", "serves"): (SERVE,),
    ("experiments", "experiment_runs"): (RUN,),
    ("experiment_runs", "artifacts"): ARTIFACTS,
    ("experiment_runs", "metric_history"): (HISTORY,),
}
# The table that relates things to what they belong to, and its columns.
_RELATIONS = {
    "Context": ("ParentContext", "context_id", "parent_context_id"),
    "Artifact": ("Attribution", "artifact_id", "context_id"),
    "Execution": ("Association", "execution_id", "context_id"),
}


@dataclass(frozen=True)
class Answer:
    """What a request is answered with."""

    status: int
    body: str
    content_type: str = "application/json; charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


_CODES = {400: "Bad Request", 422: "Bad Request", 404: "Not Found", 409: "Conflict"}
_NOT_FOUND = Answer(404, "404 page not found\n", "text/plain; charset=utf-8")


def answer(connection: Connection, method: str, path: str, query: Mapping[str, str], body: bytes) -> Answer:
    """Serve one request to the REST API. Blocks; DatabaseError when the database refuses."""
    parts = path.removeprefix(BASE).split("/")
    store = Store(connection)
    try:
        handlers = _handlers(store, parts, query, body) if path.startswith(BASE) else {}
        if not handlers:
            return _NOT_FOUND
        if method not in handlers:
            return Answer(405, "")
        return handlers[method]() if method == "GET" else store.at_once(handlers[method])
    except _Refused as error:
        text = {400: "bad request", 422: "", 404: "not found", 409: "conflict"}[error.status]
        shown = str(error) if str(error).startswith(("json: ", "required field", "failed to unmarshal")) else f"{error}: {text}"
        return _shown(error.status, {"code": _CODES[error.status], "message": shown})


def _handlers(store: Store, parts: list[str], query: Mapping[str, str], body: bytes) -> dict[str, Callable[[], Answer]]:
    """What each method of a path does; nothing for a path that there is not."""
    name = parts[0]
    if f"{name}s" in COLLECTIONS and len(parts) == 1:
        return {"GET": lambda: _shown(200, store.search(COLLECTIONS[f"{name}s"], query))}
    kinds = COLLECTIONS.get(name)
    if kinds is None:
        return {}
    if len(parts) == 1:
        return {"GET": lambda: _shown(200, store.page(kinds, query)), "POST": lambda: _shown(201, store.create(kinds, body))}
    if parts[1:] == ["metric_history"] and name == "experiment_runs":
        return {"GET": lambda: _shown(200, store.page((HISTORY,), query))}
    if len(parts) == 2:
        return {"GET": lambda: _shown(200, store.one(kinds, parts[1])), "PATCH": lambda: _shown(200, store.change(kinds, parts[1], body))}
    if name == "inference_services" and parts[2:] in (["model"], ["version"]):
        return {"GET": lambda: _shown(200, store.served(parts[1], parts[2]))}
    children = CHILDREN.get((name, parts[2])) if len(parts) == 3 else None
    if children is None:
        return {}

    def add() -> Answer:
        # Nobody looks whether the model of a version exists.
        owner = {"id": parts[1]} if kinds[0] is REGISTERED_MODEL else store.one(kinds, parts[1])
        thing = store.create(children, body, owner, kinds[0] is RUN)
        # Most artifacts are answered for as if they had been there already.
        changed = thing.get("artifactType") in ("dataset-artifact", "metric", "parameter") or '"id"' in body.decode(errors="replace")
        return _shown(200 if changed else 201, thing)

    def listed() -> Answer:
        store.number(parts[1], kinds[0].words)
        return _shown(200, store.page(children, query, int(parts[1])))

    return {"GET": listed} if children == (HISTORY,) else {"GET": listed, "POST": add}


def _shown(status: int, content: Any) -> Answer:
    """As Go writes JSON."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Answer(status, text + "\n")


def _property(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


class Store:
    """The things in one database."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._quote = connection, quoting(connection)
        self._type_ids: dict[str, int] = {}

    def _run(self, statement: str, *given: object) -> list[tuple[Any, ...]]:
        """Run a statement with the names of tables in braces."""
        return self._connection.run(statement.replace("{", self._quote).replace("}", self._quote), *given)

    def _type(self, kind: Kind) -> int:
        if not self._type_ids:
            self._type_ids = {name: identifier for identifier, name in self._run("SELECT id, name FROM {Type}")}
        return self._type_ids[kind.type]

    def number(self, identifier: str, words: str) -> int:
        """An id; refused when it is none."""
        if not identifier.isdigit() or int(identifier) > _LARGEST_NUMBER:
            raise _Refused(400, f'invalid {words} ID: strconv.ParseInt: parsing "{identifier}": invalid syntax')
        return int(identifier)

    def at_once(self, work: Callable[[], Answer]) -> Answer:
        """Do all of this, or nothing."""
        self._run("BEGIN")
        try:
            done = work()
        except BaseException:
            with contextlib.suppress(DatabaseError):
                self._run("ROLLBACK")
            raise
        self._run("COMMIT")
        return done

    # Reading

    def page(self, kinds: tuple[Kind, ...], query: Mapping[str, str], owner: int | None = None) -> dict[str, Any]:
        """One page of the things of these kinds."""
        text = query.get("pageSize", "")
        try:
            size = int(text or 0)
        except ValueError:
            raise _Refused(400, f'invalid numeric string: strconv.ParseInt: parsing "{text}": invalid syntax') from None
        if size > _LARGEST_NUMBER:
            raise _Refused(400, f'invalid numeric string: strconv.ParseInt: parsing "{text}": value out of range')
        if query.get("filterQuery"):
            raise _Refused(400, "invalid filter query: filters are not implemented here")
        wanted = query.get("artifactType")
        chosen = tuple(kind for kind in kinds if not wanted or kind.artifact_type == wanted)
        column, direction = _ORDERS.get(query.get("orderBy", ""), "id"), "DESC" if query.get("sortOrder") == "DESC" else "ASC"
        if not chosen:
            raise _Refused(400, f"invalid artifact type {wanted}")
        conditions, given = self._of(chosen, owner)
        if token := query.get("nextPageToken"):
            try:
                after, _colon, value = base64.b64decode(token).decode().partition(":")
                compared = "<" if direction == "DESC" else ">"
                conditions += f" AND ({column} {compared} %s OR ({column} = %s AND id {compared} %s))"
                given += [int(value or after), int(value or after), int(after)]
            except ValueError:
                raise _Refused(400, "invalid nextPageToken") from None
        limit = f" LIMIT {size + 1}" if size > 0 else ""
        rows = self._rows(chosen[0].table, f"{conditions} ORDER BY {column} {direction}, id {direction}{limit}", *given)
        more = 0 < size < len(rows)
        shown = self._things(rows[:size] if more else rows)
        if chosen == (HISTORY,):
            shown = [{**thing, "name": thing["name"].rpartition("__")[0]} for thing in shown]
        token = ""
        if more:
            last = rows[size - 1]
            value = {"id": last[0], "create_time_since_epoch": last[4], "last_update_time_since_epoch": last[5]}[column]
            token = base64.b64encode(f"{last[0]}:{value if column != 'id' else ''}".encode()).decode()
        return {"items": shown, "nextPageToken": token, "pageSize": size, "size": len(shown)}

    def one(self, kinds: tuple[Kind, ...], identifier: str) -> dict[str, Any]:
        """The thing with this id."""
        words = kinds[0].words if len(kinds) == 1 else "artifact"
        conditions, given = self._of(kinds)
        rows = self._rows(kinds[0].table, f"{conditions} AND id = %s", *given, self.number(identifier, words))
        if not rows:
            raise _Refused(404, f"no {words} found for id {identifier}")
        return self._things(rows)[0]

    def search(self, kinds: tuple[Kind, ...], query: Mapping[str, str]) -> dict[str, Any]:
        """The one thing with a name, of its owner if it has one, or with an external id."""
        name, external, parent = (query.get(key) for key in ("name", "externalId", "parentResourceId"))
        conditions, given = self._of(kinds, int(parent) if parent else None)
        if external:
            conditions += " AND external_id = %s"
            given.append(external)
        if name:
            conditions += " AND name = %s"
            given.append(f"{parent}:{name}" if parent else name)
        if not external and not name:
            raise _Refused(400, "invalid parameters call, supply either name or externalId")
        things = self._things(self._rows(kinds[0].table, conditions, *given))
        if len(things) != 1:
            raise _Refused(404, f"no {kinds[0].words}s found for name={name or ''}, externalId={external or ''}")
        return things[0]

    def served(self, identifier: str, what: str) -> dict[str, Any]:
        """The model or the version that an inference service serves; the newest version where none is named."""
        service = self.one((SERVICE,), identifier)
        if what == "model":
            return self.one((REGISTERED_MODEL,), service["registeredModelId"])
        if "modelVersionId" in service:
            return self.one((MODEL_VERSION,), service["modelVersionId"])
        newest = self.page((MODEL_VERSION,), {"orderBy": "CREATE_TIME", "sortOrder": "DESC", "pageSize": "1"}, int(service["registeredModelId"]))
        if not newest["items"]:
            raise _Refused(404, f"no model versions found for id {identifier}")
        first: dict[str, Any] = newest["items"][0]
        return first

    def _of(self, kinds: Iterable[Kind], owner: int | None = None) -> tuple[str, list[object]]:
        """The condition for the rows of these kinds, and its values."""
        listed = list(kinds)
        given: list[object] = [self._type(kind) for kind in listed]
        condition = f"type_id IN ({', '.join(['%s'] * len(listed))})"
        if owner is not None:
            table, own, parent = _RELATIONS[listed[0].table]
            condition += f" AND id IN (SELECT {own} FROM {{{table}}} WHERE {parent} = %s)"
            given.append(owner)
        return condition, given

    def _rows(self, table: str, condition: str, *given: object) -> list[tuple[Any, ...]]:
        extra = {"Artifact": "uri, state", "Execution": "NULL, last_known_state", "Context": "NULL, NULL"}[table]
        columns = "id, type_id, name, external_id, create_time_since_epoch, last_update_time_since_epoch"
        return self._run(f"SELECT {columns}, {extra}, '{table}' FROM {{{table}}} WHERE {condition}", *given)

    def _things(self, rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
        """Rows as answers show them."""
        if not rows:
            return []
        table = rows[0][8]
        owner = f"{table.lower()}_id"
        properties: dict[int, list[tuple[Any, ...]]] = {}
        for start in range(0, len(rows), 1000):
            numbers = [row[0] for row in rows[start : start + 1000]]
            for found in self._run(
                f"SELECT {owner}, name, is_custom_property, int_value, double_value, string_value, bool_value FROM {{{table}Property}}"
                f" WHERE {owner} IN ({', '.join(map(str, numbers))})"
            ):
                properties.setdefault(found[0], []).append(found[1:])
        every = [*(kind for kinds in COLLECTIONS.values() for kind in kinds), SERVE, HISTORY]
        kinds = {self._type(kind): kind for kind in every}
        return [_thing(kinds[row[1]], row, properties.get(row[0], [])) for row in rows]

    # Writing

    def create(self, kinds: tuple[Kind, ...], body: bytes, owner: Mapping[str, Any] | None = None, of_run: bool = False) -> dict[str, Any]:
        """Make a thing; an artifact that has an id already gets a further owner."""
        given = _parsed(body)
        kind = _kind_of(kinds, given)
        identifier = given.pop("id", None) if kind.table == "Artifact" and owner else None
        _need_known(given, {*kind.fields, *kind.columns, "name", "externalId", "customProperties", *(["artifactType"] if kind.artifact_type else [])})
        if kind.parent and owner:
            given[kind.parent] = owner["id"]
        if kind.needs_name and not given.get("name"):
            raise _Refused(422, "required field 'name' is zero value.")
        custom = dict(given.get("customProperties") or {})
        if of_run and owner:
            custom |= {
                "experiment_id": {"int_value": owner["experimentId"], "metadataType": "MetadataIntValue"},
                "experiment_run_id": {"int_value": owner["id"], "metadataType": "MetadataIntValue"},
            }
        holder = owner["id"] if owner else given.get(kind.parent)
        if kind.parent == "servingEnvironmentId":
            self.one((ENVIRONMENT,), str(holder))
        if identifier is None and kind.words in ("metric", "parameter") and holder is not None and given.get("name"):
            known = self._rows(kind.table, "type_id = %s AND name = %s", self._type(kind), f"{holder}:{given['name']}")
            identifier = str(known[0][0]) if known else None
        if identifier is not None:
            number = self.number(str(identifier), "artifact")
            existing = self.one((kind,), str(identifier))
            kept = existing["customProperties"] if given.get("customProperties") is None else {}
            self._write(kind, number, given, {**kept, **custom})
        else:
            number = self._insert(kind, given, holder)
            self._write(kind, number, {**kind.defaults, **given}, custom, is_new=True)
        if holder is not None:
            self._relate(kind.table, number, int(holder))
        thing = self.one((kind,), str(number))
        if of_run and kind is METRIC:
            self._remember(thing, int(str(holder)))
            thing["customProperties"] = dict(sorted({**thing["customProperties"], **custom}.items()))
        return thing

    def change(self, kinds: tuple[Kind, ...], identifier: str, body: bytes) -> dict[str, Any]:
        """Change fields of a thing."""
        given = _parsed(body)
        existing = self.one(kinds, identifier)
        kind = next((kind for kind in kinds if kind.artifact_type == existing.get("artifactType", "")), kinds[0])
        _need_known(given, {*kind.fields, *kind.columns, "externalId", "customProperties", *(["artifactType"] if kind.artifact_type else [])} - set(kind.fixed))
        custom = given.get("customProperties")
        if custom is None:
            # As the product does: it reads structs as JSON, and wants base64 when it writes them back.
            custom = existing.get("customProperties")
        # Not where the path leaves open which kind of artifact it is.
        defaults = kind.defaults if len(kinds) == 1 else {}
        self._write(kind, int(identifier), {**defaults, **given}, custom)
        return self.one((kind,), identifier)

    def _insert(self, kind: Kind, given: Mapping[str, Any], holder: Any) -> int:
        name = given.get("name") or str(uuid.uuid4())
        if kind.parent or kind.table != "Context":
            name = f"{holder if holder is not None else uuid.uuid4()}:{name}"
        now = int(time.time() * 1000)
        try:
            self._run(
                f"INSERT INTO {{{kind.table}}} (type_id, name, external_id, create_time_since_epoch, last_update_time_since_epoch) VALUES (%s, %s, %s, %s, %s)",
                self._type(kind),
                name,
                given.get("externalId"),
                now,
                now,
            )
        except DatabaseError as error:
            if error.duplicate:
                raise _Refused(409, f"{kind.words} with name {given.get('name') or name} already exists") from None
            raise
        [(number,)] = self._run(f"SELECT id FROM {{{kind.table}}} WHERE type_id = %s AND name = %s", self._type(kind), name)
        return int(number)

    def _write(self, kind: Kind, number: int, given: Mapping[str, Any], custom: Mapping[str, Any] | None, is_new: bool = False) -> None:
        """Set what is given; all custom properties, unless they are None."""
        rows = {(_property(name), False): _stored(form, name, given[name]) for name, form in kind.fields.items() if given.get(name) is not None}
        if custom is not None:
            rows |= {(name, True): _stored_custom(name, value) for name, value in custom.items()}
        columns: dict[str, object] = {} if is_new else {"last_update_time_since_epoch": int(time.time() * 1000)}
        if not is_new and given.get("externalId") is not None:
            columns["external_id"] = given["externalId"]
        for name, column in kind.columns.items():
            if given.get(name) is not None:
                columns[column] = given[name] if name == "uri" else _state(kind, given[name])
        if columns:
            self._run(f"UPDATE {{{kind.table}}} SET {', '.join(f'{column} = %s' for column in columns)} WHERE id = %s", *columns.values(), number)
        owner = f"{kind.table.lower()}_id"
        if not is_new and custom is not None:
            self._run(f"DELETE FROM {{{kind.table}Property}} WHERE {owner} = %s AND is_custom_property = %s", number, True)
        for (name, is_custom), (column, value) in rows.items():
            if not is_new and not is_custom:
                self._run(f"DELETE FROM {{{kind.table}Property}} WHERE {owner} = %s AND name = %s AND is_custom_property = %s", number, name, False)
            self._run(
                f"INSERT INTO {{{kind.table}Property}} ({owner}, name, is_custom_property, {column}) VALUES (%s, %s, %s, %s)", number, name, is_custom, value
            )

    def _relate(self, table: str, number: int, holder: int) -> None:
        relation, own, parent = _RELATIONS[table]
        if not self._run(f"SELECT 1 FROM {{{relation}}} WHERE {own} = %s AND {parent} = %s", number, holder):
            self._run(f"INSERT INTO {{{relation}}} ({own}, {parent}) VALUES (%s, %s)", number, holder)

    def _remember(self, metric: Mapping[str, Any], run: int) -> None:
        """Keep what a metric of a run was."""
        past = {**metric, "name": f"{metric['name']}__{metric['lastUpdateTimeSinceEpoch']}"}
        number = self._insert(HISTORY, {"name": past["name"]}, run)
        self._relate("Artifact", number, run)
        custom = {**past["customProperties"]}
        custom |= {name: {"metadataType": "MetadataIntValue", "int_value": past[shown]} for name, shown in _RUN_PROPERTIES.items()}
        self._write(HISTORY, number, past, custom, is_new=True)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except ValueError:
        raise _Refused(400, "json: unexpected EOF") from None
    if not isinstance(given, dict):
        raise _Refused(400, "json: cannot unmarshal into an object")
    return given


def _need_known(given: Mapping[str, Any], known: set[str]) -> None:
    for unknown in sorted(set(given) - known):
        raise _Refused(400, f'json: unknown field "{unknown}"')


def _kind_of(kinds: tuple[Kind, ...], given: Mapping[str, Any]) -> Kind:
    if len(kinds) == 1:
        return kinds[0]
    kind = next((kind for kind in kinds if kind.artifact_type == given.get("artifactType")), None)
    if kind is None:
        raise _Refused(400, "invalid artifact type, must be either ModelArtifact, DocArtifact, DataSet, Metric, or Parameter")
    return kind


def _state(kind: Kind, value: Any) -> int:
    if value not in kind.states:
        raise _Refused(400, f"failed to unmarshal ArtifactCreate as {kind.type.removeprefix('kf.')}Create: {value} is not a valid ArtifactState")
    return kind.states.index(value)


def _stored(form: str, name: str, value: Any) -> tuple[str, object]:
    """The column and the content of a field's property."""
    if form == LIST:
        return "string_value", values.struct_text({_property(name): value})
    if form == NUMBER:
        return form, int(value)
    return form, float(value) if form == REAL else str(value)


def _stored_custom(name: str, value: Any) -> tuple[str, object]:
    form = _CUSTOM.get(value.get("metadataType", "")) if isinstance(value, dict) else None
    if form is None or form not in value:
        raise _Refused(400, f"metadataType not found for {name}")
    held = value[form]
    if form == "struct_value":
        try:
            return "string_value", values.struct_text(json.loads(base64.b64decode(held, validate=True)))
        except ValueError:
            raise _Refused(
                400, f"error setting field CustomProperties: bad request: unable to decode illegal base64 data at input byte 0 for key {name}"
            ) from None
    return form, int(held) if form == "int_value" else held


def _thing(kind: Kind, row: tuple[Any, ...], properties: list[tuple[Any, ...]]) -> dict[str, Any]:
    """A thing as answers show it."""
    number, _type, name, external, made, changed, uri, state, _table = row
    own = {entry[0]: entry for entry in properties if not entry[1]}
    shown: dict[str, Any] = {
        "id": str(number),
        "name": name.partition(":")[2] if (kind.parent or kind.table != "Context") and ":" in name else name,
        "createTimeSinceEpoch": str(made),
        "lastUpdateTimeSinceEpoch": str(changed),
        "customProperties": {entry[0]: value for entry in properties if entry[1] and entry[0] not in _RUN_PROPERTIES and (value := _custom_value(entry))},
    }
    shown |= {_RUN_PROPERTIES[entry[0]]: str(entry[2]) for entry in properties if entry[1] and entry[0] in _RUN_PROPERTIES and kind.artifact_type}
    if external is not None:
        shown["externalId"] = external
    if kind.artifact_type:
        shown["artifactType"] = kind.artifact_type
    for column, value in (("uri", uri), *((column, None if state is None else kind.states[state]) for column in kind.columns if column != "uri")):
        if column in kind.columns and value is not None:
            shown[column] = value
    for field_name, form in kind.fields.items():
        if (entry := own.get(_property(field_name))) is not None:
            _name, _custom, integer, double, text, _bool = entry
            held = {NUMBER: integer if field_name == "step" else str(integer), REAL: double, TEXT: text}.get(form)
            shown[field_name] = values.struct_content(text)[_property(field_name)] if form == LIST else held
    shown["customProperties"] = dict(sorted(shown["customProperties"].items()))
    return dict(sorted(shown.items()))


def _custom_value(entry: tuple[Any, ...]) -> dict[str, Any] | None:
    _name, _custom, integer, double, text, truth = entry
    if integer is not None:
        return {"int_value": str(integer), "metadataType": "MetadataIntValue"}
    if text is not None and text.startswith(values.PREFIX):
        content = json.dumps(values.struct_content(text), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return {"metadataType": "MetadataStructValue", "struct_value": content}
    if text is not None:
        return {"metadataType": "MetadataStringValue", "string_value": text}
    if truth is not None:
        return {"bool_value": bool(truth), "metadataType": "MetadataBoolValue"}
    if double is not None:
        return {"double_value": int(double) if double.is_integer() and abs(double) < 1e15 else double, "metadataType": "MetadataDoubleValue"}
    return None
