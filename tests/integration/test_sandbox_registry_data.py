"""What a registry can hold: the emulated server and its tables by themselves, and beside the real server where there is one (SANDBOX_REGISTRY_SERVER)."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from sandbox import databases
from sandbox.databases import REGISTRY
from sandbox.layout import Layout
from sandbox.server import dsn, filler, models, mysql, postgresql, schema, tables
from sandbox.server.connection import Connection, Files

from .conftest import SERVERS

REAL = os.environ.get("SANDBOX_REGISTRY_SERVER", "")
# Where the server given to the tests listens. The node has its pods at other ports.
PORT = 18081
# Asked after the filling: the path, and the parameters.
ODD_READS = (
    "registered_models?pageSize=2",
    "registered_models?pageSize=2&orderBy=CREATE_TIME&sortOrder=DESC",
    "registered_models?pageSize=1&orderBy=LAST_UPDATE_TIME",
    "registered_models?pageSize=-1",
    "registered_models?pageSize=1234567890",
    "registered_models?pageSize=9999999999",
    "registered_models?pageSize=many",
    "registered_models?orderBy=NAME",
    "registered_models/9999",
    "registered_models/none",
    "registered_model?name=fraud",
    "registered_model?name=nobody",
    "registered_model?externalId=model-1",
    "registered_model",
    "model_version?name=v1&parentResourceId=1",
    "model_version?externalId=version-1",
    "model_artifact?externalId=artifact-1",
    "artifact?externalId=artifact-1",
    "experiment?name=tuning",
    "serving_environment?name=production",
    "artifacts?artifactType=metric",
    "artifacts?artifactType=nonsense",
    "nothing",
)
# Requests that the server refuses, or that change what there is.
WRITES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "registered_models", {"name": "fraud"}),
    ("POST", "registered_models", {}),
    ("POST", "registered_models", {"name": "x", "id": "7"}),
    ("POST", "registered_models", {"name": "x", "unknown": 1}),
    ("POST", "model_versions", {"name": "v1", "registeredModelId": "1"}),
    ("POST", "model_versions", {"name": "v9", "registeredModelId": "9999"}),
    ("POST", "registered_models/9999/versions", {"name": "v9", "registeredModelId": "9999"}),
    ("POST", "model_versions/9999/artifacts", {"artifactType": "doc-artifact", "name": "x"}),
    ("POST", "experiments/9999/experiment_runs", {"name": "x", "experimentId": "9999"}),
    ("POST", "serving_environments/9999/inference_services", {"name": "x", "registeredModelId": "1", "servingEnvironmentId": "9999"}),
    ("POST", "inference_services/9999/serves", {"name": "x", "modelVersionId": "4"}),
    ("PATCH", "registered_models/2", {"name": "other"}),
    ("PATCH", "registered_models/2", {"customProperties": {"a": {"metadataType": "MetadataStringValue", "string_value": "b"}}}),
    ("PATCH", "registered_models/2", {"description": "kept"}),
    ("PATCH", "registered_models/2", {"customProperties": {}}),
    ("PATCH", "registered_models/1", {"state": "ARCHIVED"}),
    ("PATCH", "registered_models/9999", {"state": "ARCHIVED"}),
    ("PATCH", "model_versions/5", {"description": "changed"}),
    ("PATCH", "experiments/10", {"state": "ARCHIVED", "customProperties": {}}),
    ("PATCH", "experiments/10", {"description": "changed"}),
    ("PATCH", "inference_services/9", {"desiredState": "UNDEPLOYED"}),
    ("PATCH", "inference_services/9", {"description": "changed"}),
    ("PATCH", "artifacts/3", {"artifactType": "dataset-artifact", "state": "LIVE"}),
    ("PATCH", "artifacts/3", {"artifactType": "dataset-artifact", "description": "changed"}),
    ("PATCH", "model_artifacts/4", {"artifactType": "model-artifact", "state": "LIVE"}),
    ("PATCH", "model_artifacts/4", {"description": "changed"}),
    ("PATCH", "model_artifacts/4", {"state": "LIVE"}),
    ("PATCH", "artifacts/4", {"artifactType": "model-artifact", "description": "again"}),
    ("DELETE", "registered_models/1", {}),
    ("POST", "artifacts", {"artifactType": "nonsense"}),
    ("POST", "artifacts", {"artifactType": "metric", "name": "m", "state": "odd"}),
)


def connect(layout: Layout, kind: str, database: str) -> Connection:
    """A connection as the emulated server has one."""

    async def address(_host: str) -> str:
        return databases.address(layout, kind)

    async def opened() -> Connection:
        if databases.speaks_mysql(kind):
            parts = dsn.parse_mysql(mysql_dsn(layout, kind, database))
            return mysql.login(parts, None, await mysql.reach(parts, address))
        text = postgresql_dsn(layout, database)
        return postgresql.login(text, *await postgresql.reach(text, address), Files({}))

    return asyncio.run(opened())


def mysql_dsn(layout: Layout, kind: str, database: str) -> str:
    return f"{REGISTRY.name}:{REGISTRY.password}@tcp({databases.address(layout, kind)}:{databases.MYSQL_PORT})/{database}?charset=utf8mb4"


def postgresql_dsn(layout: Layout, database: str) -> str:
    place = f"host={databases.address(layout, 'postgresql')} port={databases.POSTGRESQL_PORT} dbname={database}"
    return f"{place} user={REGISTRY.name} password={REGISTRY.password} sslmode=disable"


@pytest.fixture
def new_database(layout: Layout) -> Iterator[Callable[[str], str]]:
    """Makes empty databases on a server, for one test."""
    made: list[tuple[str, str]] = []

    def make(kind: str) -> str:
        name = f"data_{uuid.uuid4().hex[:10]}"
        databases.create_databases(layout, kind, [name])
        made.append((kind, name))
        return name

    yield make
    for kind, name in made:
        databases.drop_database(layout, kind, name)


Answered = tuple[int, str]
Send = Callable[[str, str, "dict[str, Any] | None"], Answered]


def emulated(connection: Connection) -> Send:
    """Requests to the emulated server."""

    def send(method: str, target: str, body: dict[str, Any] | None) -> Answered:
        path, _mark, query = target.partition("?")
        found = models.answer(connection, method, models.BASE + path, dict(parse_qsl(query)), json.dumps(body or {}).encode())
        return found.status, found.body

    return send


@contextmanager
def real(layout: Layout, kind: str, database: str, log: Path) -> Iterator[Send]:
    """Requests to the real server, which runs for as long."""
    own = databases.speaks_mysql(kind)
    address = layout.address("node")
    url = f"http://{address}:{PORT}"
    arguments = [f"--embedmd-database-type={'mysql' if own else 'postgres'}"]
    arguments.append(f"--embedmd-database-dsn={mysql_dsn(layout, kind, database) if own else postgresql_dsn(layout, database)}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def send(method: str, target: str, body: dict[str, Any] | None) -> Answered:
        content = None if method == "GET" else json.dumps(body).encode()
        request = urllib.request.Request(url + models.BASE + target, content, {"Content-Type": "application/json"}, method=method)
        try:
            with opener.open(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    with (
        log.open("w") as written,
        subprocess.Popen([REAL, "proxy", f"--hostname={address}", f"--port={PORT}", *arguments], stdout=written, stderr=written) as process,
    ):
        try:
            deadline = time.monotonic() + 30
            while "EmbedMD service connected" not in log.read_text():
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-2000:]
                time.sleep(0.05)
            yield send
        finally:
            process.terminate()


def asking(send: Send) -> filler.Ask:
    """The same, for requests that have to succeed."""

    def ask(method: str, target: str, body: dict[str, Any] | None) -> dict[str, Any]:
        status, text = send(method, target, body)
        assert status in (200, 201), f"{method} {target}: {status} {text[:500]}"
        found: dict[str, Any] = json.loads(text)
        return found

    return ask


def everything(send: Send) -> dict[str, str]:
    """All answers, as they are, by their path."""
    paths = [path for path, _answer in filler.reads(asking(send))]
    return {path: send("GET", path, None)[1] for path in paths}


def comparable(answered: Answered) -> Answered:
    """An answer without what differs by when it was given, such as times, and without the words for what does not exist."""
    status, text = answered
    if status == 404:
        return status, ""
    text = re.sub(r'"((?:create|lastUpdate)TimeSinceEpoch)":"\d{13}"', r'"\1":"T"', text)
    text = text.replace("é" * 100_000, "wide").replace(json.dumps(filler.CUSTOM["text"]["string_value"]), "text").replace("d" * 60_000, "long")
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", text)
    return status, re.sub(r'"nextPageToken":"[^"]+"', '"nextPageToken":"MORE"', text)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_registry_holds_one_of_everything(layout: Layout, new_database: Callable[[str], str], kind: str) -> None:
    connection = connect(layout, kind, new_database(kind))
    schema.migrate(connection)
    send = emulated(connection)
    filler.fill(asking(send))
    quote = schema.quoting(connection)
    rows = {name: connection.run(f"SELECT count(*) FROM {quote}{name}{quote}")[0][0] for name in tables.COLUMNS}
    empty = {"Event", tables.KEYLESS, "ParentType"}
    assert {name for name, count in rows.items() if not count} == empty
    answers = everything(send)
    fraud = json.loads(answers["registered_models/1"])
    assert fraud["customProperties"].keys() == filler.CUSTOM.keys()
    assert json.loads(fraud["customProperties"]["struct"]["struct_value"]) == filler.STRUCT
    assert fraud["language"] == ["en", "de"] and fraud["description"] == "d" * 60_000
    shared = [path for path, text in answers.items() if path.startswith("model_versions/") and "s3://models/fraud/1" in text]
    assert len(shared) == 2, shared
    history = json.loads(answers["experiment_runs/" + json.loads(answers["experiment_runs"])["items"][0]["id"] + "/metric_history"])
    assert [item["value"] for item in history["items"]] == [0.6, 0.7]
    connection.close()


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
@pytest.mark.parametrize("rows", [10, 10_000])
def test_a_registry_is_filled_by_its_rows(layout: Layout, new_database: Callable[[str], str], kind: str, rows: int) -> None:
    connection = connect(layout, kind, new_database(kind))
    schema.migrate(connection)
    quote = schema.quoting(connection)

    def count() -> int:
        return sum(int(connection.run(f"SELECT count(*) FROM {quote}{name}{quote}")[0][0]) for name in tables.COLUMNS)

    before = count()
    made = filler.fill_rows(connection, rows)
    assert count() - before == made >= rows
    send = emulated(connection)
    listed = json.loads(send("GET", "registered_models?pageSize=1&sortOrder=DESC", None)[1])
    [newest] = listed["items"]
    versions = json.loads(send("GET", f"registered_models/{newest['id']}/versions", None)[1])
    assert [version["name"] for version in versions["items"]] == ["v1", "v2", "v3"]
    # The ids go on after those that were given.
    added = asking(send)("POST", "registered_models", {"name": "next"})
    assert int(added["id"]) == int(newest["id"]) + filler.VERSIONS + 1
    connection.close()


@pytest.mark.needs_registry_server
@pytest.mark.parametrize("kind", SERVERS)
def test_the_tables_are_those_of_the_real_server(layout: Layout, new_database: Callable[[str], str], tmp_path: Path, kind: str) -> None:
    ours, theirs = new_database(kind), new_database(kind)
    connection = connect(layout, kind, ours)
    schema.migrate(connection)
    with real(layout, kind, theirs, tmp_path / "log"):
        pass
    connection.close()
    mine, other = described(layout, kind, ours), described(layout, kind, theirs)
    differing = [
        f"{who}: {name} {row}" for who, a, b in (("ours", mine, other), ("theirs", other, mine)) for name in a for row in a[name] if row not in b[name]
    ]
    assert not differing, "\n".join(differing)


def described(layout: Layout, kind: str, database: str) -> dict[str, list[Any]]:
    """What there is in a database, apart from the names of indexes and keys."""
    with databases.administration(layout, kind, database) as run:
        if databases.speaks_mysql(kind):
            columns = (
                "SELECT table_name, column_name, column_type, is_nullable, column_default, extra, column_key FROM information_schema.columns"
                f" WHERE table_schema = '{database}'"
            )
            indexes = (
                "SELECT table_name, non_unique, GROUP_CONCAT(CONCAT(column_name, COALESCE(sub_part, '')) ORDER BY seq_in_index)"
                f" FROM information_schema.statistics WHERE table_schema = '{database}' GROUP BY table_name, index_name, non_unique"
            )
            keys = f"SELECT table_name FROM information_schema.referential_constraints WHERE constraint_schema = '{database}'"
        else:
            columns = (
                "SELECT relname, relkind::text, attname, format_type(atttypid, atttypmod), attnotnull, attidentity::text,"
                " nullif(trim('''' from regexp_replace(pg_get_expr(adbin, adrelid), '::.*', '')), 'NULL')"
                " FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
                " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'm') AND attnum > 0 AND NOT attisdropped"
            )
            indexes = (
                "SELECT t.relname, indisunique, substring(pg_get_indexdef(indexrelid) from 'USING .*') FROM pg_index JOIN pg_class t ON t.oid = indrelid"
                " WHERE t.relnamespace = 'public'::regnamespace"
            )
            keys = "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f'"
        types = f"SELECT name, type_kind, version, description, external_id FROM {'`Type`' if databases.speaks_mysql(kind) else chr(34) + 'Type' + chr(34)}"
        properties = (
            "SELECT t.name, p.name, data_type FROM `Type` t JOIN `TypeProperty` p ON t.id = p.type_id"
            if databases.speaks_mysql(kind)
            else 'SELECT t.name, p.name, data_type FROM "Type" t JOIN "TypeProperty" p ON t.id = p.type_id'
        )
        asked = {"columns": columns, "indexes": indexes, "keys": keys, "types": types, "properties": properties, "version": "SELECT * FROM schema_migrations"}
        return {name: sorted(run(statement), key=str) for name, statement in asked.items()}


@pytest.mark.needs_registry_server
@pytest.mark.parametrize("kind", SERVERS)
def test_it_answers_as_the_real_server_does(layout: Layout, new_database: Callable[[str], str], tmp_path: Path, kind: str) -> None:
    sent: list[tuple[str, str, dict[str, Any] | None]] = []

    def noting(send: Send, answers: list[Answered]) -> Send:
        def note(method: str, target: str, body: dict[str, Any] | None) -> Answered:
            found = send(method, target, body)
            answers.append(comparable(found))
            sent.append((method, target, body))
            return found

        return note

    def run(send: Send) -> list[Answered]:
        answers: list[Answered] = []
        noted = noting(send, answers)
        filler.fill(asking(noted))
        everything(noted)
        for target in ODD_READS:
            noted("GET", target, None)
        for method, target, body in WRITES:
            noted(method, target, body)
        everything(noted)
        return answers

    connection = connect(layout, kind, new_database(kind))
    schema.migrate(connection)
    ours = run(emulated(connection))
    requests, sent = sent, []
    with real(layout, kind, new_database(kind), tmp_path / "log") as send:
        theirs = run(send)
    connection.close()
    differing = [
        f"{method} {target}\nours   {mine}\ntheirs {other}"[:3000]
        for (method, target, _body), mine, other in zip(requests, ours, theirs, strict=True)
        if mine != other
    ]
    assert not differing, "\n\n".join(differing)


@pytest.mark.needs_registry_server
@pytest.mark.parametrize("kind", SERVERS)
def test_it_reads_what_the_real_server_wrote_and_the_other_way_round(layout: Layout, new_database: Callable[[str], str], tmp_path: Path, kind: str) -> None:
    theirs, ours = new_database(kind), new_database(kind)
    with real(layout, kind, theirs, tmp_path / "log") as send:
        filler.fill(asking(send))
        told = everything(send)
    connection = connect(layout, kind, theirs)
    assert everything(emulated(connection)) == told
    connection.close()
    connection = connect(layout, kind, ours)
    schema.migrate(connection)
    filler.fill(asking(emulated(connection)))
    told = everything(emulated(connection))
    connection.close()
    with real(layout, kind, ours, tmp_path / "log") as send:
        assert everything(send) == told
