"""Objects in the cluster that are hostile or malformed: everything that the modules read is recorded once, then answered with one object changed."""

from __future__ import annotations

import base64
import copy
import json
import random
import re
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from kubernetes.client.rest import ApiException

from ansible_collections.modelops.openshift_ai.plugins.filter import to_variables
from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors, _module, _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client, login
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import record
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import ca, component, info, permission, registries, registry
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _outcome, _report
from sandbox import databases
from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from tests import fleet, hostile_texts
from tests.dashboard import Dashboard, Form, Upload, database_of
from tests.helpers import Cluster, until
from tests.interleaving import InProcess, validated
from tests.interleaving import registry as work

from .trials import Trials

WORD = "S3cr3t-of-a-database"
# In what any result or message may show it.
WORDS = (WORD, base64.b64encode(WORD.encode()).decode())
ATTACK = "<script>window.attacked"
Object = dict[str, Any]


# What is changed


@dataclass(frozen=True)
class Change:
    """One object of all that is read, by what it is known by in an answer, and what becomes of it."""

    what: str
    kind: str
    path: tuple[str | int, ...]
    way: str
    apply: Callable[[Any], Any]

    def __str__(self) -> str:
        return f"{self.kind}: {'.'.join(map(str, self.path))} {self.way}"


GONE = object()


def plausible(value: Any, texts: dict[str, str], chance: random.Random) -> tuple[str, Callable[[Any], Any]]:
    """What an API server may have stored in place of a value: it has the same type."""
    if isinstance(value, bool):
        return "is the opposite", lambda old: not old
    if isinstance(value, (int, float)):
        number = chance.choice([0, -1, 1, 2**31, 2**63 - 1])
        return f"is {number}", lambda _old: number
    if isinstance(value, dict):
        text = chance.choice(list(texts))
        ways: list[tuple[str, Callable[[Any], Any]]] = [
            ("is empty", lambda _old: {}),
            ("has one more key", lambda old: {**old, texts[text][:300]: next(iter(old.values()), "")}),
        ]
        return chance.choice(ways)
    if isinstance(value, list):
        ways = [("is empty", lambda _old: []), ("is doubled", lambda old: old + copy.deepcopy(old)), ("is reversed", lambda old: old[::-1])]
        return chance.choice(ways)
    text = chance.choice(["", " ", "x" * 5000, "0001-01-01T00:00:00Z", "not a time", "AAAA", "2999-12-31T23:59:59Z", *texts.values()])
    return f"is {text[:60]!r}", lambda _old: text


OTHERS: dict[str, Any] = {
    "null": None,
    "a text": "text",
    "a number": 5,
    "a fraction": 1.5,
    "true": True,
    "a list": [],
    "a list of null": [None],
    "a list of texts": ["text"],
    "an object": {},
    "an object of null": {"a": None},
    "nested": {"a": [{"b": [[{}]]}]},
}


def malformed(_value: Any, _texts: dict[str, str], chance: random.Random) -> tuple[str, Callable[[Any], Any]]:
    """What no API server stores, and something in its place may answer."""
    name = chance.choice(list(OTHERS))
    return f"is {name}", lambda _old: copy.deepcopy(OTHERS[name])


def encoded(way: tuple[str, Callable[[Any], Any]]) -> tuple[str, Callable[[Any], Any]]:
    """The same for a value in a Secret."""
    what, apply = way

    def change(old: Any) -> Any:
        new = apply(old)
        return base64.b64encode(new.encode(errors="surrogatepass")).decode() if isinstance(new, str) else new

    return f"{what}, encoded", change


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of everything in an object."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield (*path, key)
        yield from paths(part, (*path, key))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    """What is at a path."""
    for key in path:
        value = value[key]
    return value


def changed(manifest: Object, path: tuple[str | int, ...], apply: Callable[[Any], Any]) -> Object:
    """The object with something else at a path; unchanged where this form of it has no such path."""
    result = copy.deepcopy(manifest)
    try:
        holder = at(result, path[:-1])
        new = apply(holder[path[-1]])
        if new is GONE:
            del holder[path[-1]]
        else:
            holder[path[-1]] = new
    except (KeyError, IndexError, TypeError):
        return manifest
    return result


# What is read


@dataclass
class Recorded:
    """Everything that the API server answered to the requests that only ask."""

    answers: dict[Any, Any] = field(default_factory=dict)
    # Each object by its identity, in the form in which most of it was read, and its kind.
    objects: dict[str, tuple[str, Object]] = field(default_factory=dict)
    # Which operations read it.
    readers: dict[str, set[str]] = field(default_factory=dict)
    change: Change | None = None
    operation: str = ""

    def learn(self, path: str, data: bytes) -> None:
        """Remember what objects are in an answer."""
        for what, kind, manifest in self._in(path, data):
            known = self.objects.get(what)
            if known is None or len(str(manifest)) > len(str(known[1])):
                self.objects[what] = kind, manifest

    def told(self, path: str, data: bytes) -> bytes:
        """An answer as it is given this time."""
        for what, _kind, _manifest in self._in(path, data):
            self.readers.setdefault(what, set()).add(self.operation)
        change = self.change
        if change is None or change.what.encode() not in data + path.encode():
            return data
        if path.endswith("/log"):
            return str(change.apply(data.decode())).encode(errors="surrogatepass")
        content = json.loads(data)
        if change.what == path:
            content = changed(content, change.path, change.apply)
        elif "items" in content:
            content["items"] = [self._changed(item, change) for item in content["items"] or []]
        else:
            content = self._changed(content, change)
        return json.dumps(content).encode()

    @staticmethod
    def _changed(manifest: Object, change: Change) -> Object:
        return changed(manifest, change.path, change.apply) if manifest["metadata"].get("uid") == change.what else manifest

    @staticmethod
    def _in(path: str, data: bytes) -> Iterator[tuple[str, str, Object]]:
        if path.endswith("/log"):
            yield path, "log", {"lines": data.decode(errors="replace")}
            return
        content = json.loads(data)
        plural = re.sub(r".*/(?:namespaces/[^/]+/)?(?=[a-z]+(/|$))", "", re.sub(r"/[^/]+$", "", path) if "items" not in content else path)
        of = content["items"] or [] if "items" in content else [content]
        for manifest in of:
            uid = (manifest.get("metadata") or {}).get("uid")
            yield (uid, plural, manifest) if uid else (path, path if "/openapi/" in path or path.count("/") < 5 else "review", manifest)


class Replaying(client.Cluster):
    """A cluster whose answers are recorded, and changed."""

    recorded: Recorded

    def _answer(self, verb: str, path: str, body: Any, query: Any, accept: str) -> Any:
        asks = verb == "GET" or path.startswith(client.REVIEWS)
        if not asks:
            assert "dryRun" in query or "dryRun" in (body or {}), f"it wrote in check mode: {verb} {path}"
            return super()._answer(verb, path, body, query, accept)
        key = (verb, path, json.dumps(body, sort_keys=True), tuple(sorted(query.items())), accept)
        if key not in self.recorded.answers:
            try:
                response = super()._answer(verb, path, body, query, accept)
                self.recorded.answers[key] = response.data, dict(response.headers)
                self.recorded.learn(path, response.data)
            except ApiException as error:
                self.recorded.answers[key] = error
        answer = self.recorded.answers[key]
        if isinstance(answer, ApiException):
            raise answer
        data, headers = answer
        return SimpleNamespace(data=self.recorded.told(path, data), headers=headers)


# What reads


class Reading:
    """Registries in different states, and everything that reads them, in check mode."""

    def __init__(self, layout: Layout, folder: Path) -> None:
        self.layout, self.cluster, self.folder = layout, Cluster(layout), folder
        self.prefix = f"odd-{uuid.uuid4().hex[:6]}"
        self.well, self.ill, self.made = (f"{self.prefix}-{what}" for what in ("well", "ill", "made"))
        self.database = self.prefix.replace("-", "_")
        self.bundle = layout.path("pki", "database-ca.crt").read_text()
        self.process = InProcess(layout, folder)
        self.recorded = Recorded()

    def __enter__(self) -> Reading:
        databases.create_databases(self.layout, "mysql", [self.database])
        with databases.administration(self.layout, "mysql") as sql:
            sql(f"CREATE USER '{self.database}'@'%' IDENTIFIED BY '{WORD}'")
            sql(f"GRANT ALL ON `{self.database}`.* TO '{self.database}'@'%'")
        mysql = {"type": "mysql", "host": "mysql.data.svc.cluster.local", "name": self.database, "username": self.database, "password": WORD}
        dashboard, upload = Dashboard(self.cluster), Upload(self.bundle)
        dashboard.create(self.well, Form("Well", "It is available", database_of(mysql), upload))
        dashboard.create(self.ill, Form("Ill", "", database_of({**mysql, "name": "no_such_database"}), upload))
        for kind, name in (("Group", "readers"), ("User", "alice"), ("Group", "system:serviceaccounts:data")):
            dashboard.grant(self.well, kind, name)
        generated = {"name": self.made, "database": {"type": "generated"}, "wait": True, "permissions": {"members": ["bob"]}}
        assert self.process.run(work(**generated)).error is None
        until(lambda: self.cluster.call(_log_of(self.ill)))
        return self

    def __exit__(self, *_: object) -> None:
        for name in (self.well, self.ill, self.made):
            self.process.run(work(name=name, state="absent", delete_data=True))
        fleet.remove(self.cluster, self.prefix)
        with databases.administration(self.layout, "mysql") as sql:
            sql(f"DROP USER IF EXISTS '{self.database}'@'%'")
        databases.drop_database(self.layout, "mysql", self.database)

    def _run(self, what: str, converge: Callable[..., None], spec: Any, options: Object, outcome: Any, *more: Any) -> tuple[Any, str | None]:
        cluster = self.connected()
        self.recorded.operation = what
        error = None
        try:
            converge(cluster, validated(spec, options), True, outcome, *more)
        except _errors.ReportedError as failed:
            error = str(failed)
        return outcome.result(True) | {"warnings": outcome.warnings}, error

    def connected(self) -> client.Cluster:
        """The cluster behind the record."""
        cluster = login.connect(self.process.module)
        cluster.__class__ = Replaying
        cluster.__dict__["recorded"] = self.recorded
        return cluster

    @property
    def operations(self) -> dict[str, Callable[[], tuple[Any, str | None]]]:
        """Everything that reads, by name: a result, and an error in words."""
        exact = {"groups": ["readers"], "members": ["carol"], "projects": ["data"], "exclusive": True}
        other = {"host": "db.example.com", "password": "another-word", "ca": {"source": "upload", "pem": self.bundle * 2}}
        moved = {"name": self.well, "database": other, "allow_data_change": True, "permissions": exact, "check_database": "ignore"}
        listed = [{"name": name, "description": "Edited"} for name in (self.well, self.made)]
        listed += [{"name": item["metadata"]["name"]} for item in self.cluster.items("modelregistry.opendatahub.io/v1beta1", "modelregistries")]
        listed = [entry for number, entry in enumerate(listed) if entry["name"] not in [one["name"] for one in listed[:number]] + [self.ill]]
        gone = {"state": "absent"}
        purge = {"registries": listed, "purge": True, "purge_limit": 9, "check_database": "ignore"}

        def run(what: str, converge: Callable[..., None], spec: Any, options: Object, outcome: Callable[[], Any], *more: Any) -> Callable[[], Any]:
            return lambda: self._run(what, converge, spec, options, outcome(), *more)

        return {
            "info": self.info,
            "edit": run("edit", registry.converge, _options.REGISTRY, moved, record.Outcome),
            "look": run("look", registry.converge, _options.REGISTRY, {"name": self.ill, "wait": False}, record.Outcome),
            "delete": run("delete", registry.converge, _options.REGISTRY, {**gone, "name": self.well}, record.Outcome),
            "delete data": run("delete data", registry.converge, _options.REGISTRY, {**gone, "name": self.made, "delete_data": True}, record.Outcome),
            "grant": run(
                "grant", permission.converge, _options.PERMISSION, {"name": self.well, "permissions": {**exact, "prune_unlabelled": True}}, record.Outcome
            ),
            "fleet": run("fleet", registries.converge, _options.REGISTRIES, purge, registries.FleetOutcome),
            "rotate": run("rotate", ca.converge, _options.BUNDLE, {"registry": self.well, "pem": self.bundle, "mode": "add"}, record.Outcome),
            "remove": run("remove", ca.converge, _options.BUNDLE, {"registry": self.well, "state": "absent"}, record.Outcome),
            "component": run("component", component.converge, _options.COMPONENT, {"state": "removed", "force": True}, record.Outcome),
            "enable": run("enable", component.converge, _options.COMPONENT, {}, record.Outcome),
        }

    def info(self) -> tuple[Any, str | None]:
        """Everything of all registries, and what playbooks make of it: the file of variables, the page, and the lines of a check."""
        self.recorded.operation = "info"
        warnings: list[str] = []
        try:
            options = validated(_options.INFO, {"include": ["status", "permissions", "certificates"]})
            outcome = _module.Found(warnings=warnings)
            info.collect(self.connected(), options, outcome)
        except _errors.ReportedError as error:
            return {"warnings": warnings}, str(error)
        found = json.loads(json.dumps({"changed": False, **outcome.found}))
        report = _report.report_of([("sandbox", found, {})], datetime.now(UTC), "1.0.0")
        page, files = _report.html(report), _report.files(report, "report.html")
        assert ATTACK not in page, "the page holds what somebody wrote into the cluster"
        shown = [*report.summary, *(finding["text"] for finding in _outcome.as_fact(_outcome.checked({}, found, False, False))["findings"])]
        assert all(line.isprintable() for line in shown), shown
        written = to_variables.to_variables({"model_registries_list": found["registries"]})
        assert "\x1b" not in written
        return {"found": found, "warnings": warnings, "page": page, "files": files, "variables": written}, None


def _log_of(name: str) -> Callable[[Any], Any]:
    async def ask(api: Any) -> bool:
        pods = (await api.get(f"/api/v1/namespaces/{REGISTRIES_NAMESPACE}/pods"))["items"]
        states = [state for pod in pods if pod["metadata"]["name"].startswith(name) for state in pod["status"].get("containerStatuses", [])]
        return any(state.get("restartCount") for state in states)

    return ask


def _change(recorded: Recorded, texts: dict[str, str], chance: random.Random) -> Change:
    """A change of one object; every kind has the same chance."""
    kinds = sorted({kind for kind, _manifest in recorded.objects.values()})
    kind = chance.choice(kinds)
    # What differs from run to run does not choose.
    names = sorted((str(manifest.get("metadata", {}).get("name", what)), what) for what, (of, manifest) in recorded.objects.items() if of == kind)
    _name, what = chance.choice(names)
    manifest = recorded.objects[what][1]
    places = [path for path in paths(manifest) if "managedFields" not in path[:-3]]
    if "/openapi/" in what:
        places = [path for path in places if len(path) < 5]
    path = chance.choice(places)
    value = at(manifest, path)
    if chance.random() < 0.1 and len(path) > 1:
        return Change(what, kind, path, "is missing", lambda _old: GONE)
    way = (plausible if chance.random() < 0.6 else malformed)(value, texts, chance)
    if kind == "log":
        return Change(what, kind, path, way[0], lambda old: f"{old}{way[1](old)}\n")
    if kind == "secrets" and path[0] == "data" and len(path) == 2:
        way = encoded(way)
    return Change(what, kind, path, *way)


def run(trials: Trials, layout: Layout) -> None:
    """Each case changes one object, and does everything that reads it."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(client, "PAUSE", 0):
        canary = Path(folder) / "canary"
        texts = hostile_texts.texts(canary)
        with Reading(layout, Path(folder)) as reading:
            operations = reading.operations
            for name, operation in operations.items():
                _result, error = operation()
                assert error is None or name == "remove", (name, error)
            kinds = sorted({kind for kind, _manifest in reading.recorded.objects.values()})
            trials.say(f"read: {len(reading.recorded.objects)} objects of {len(kinds)} kinds: {', '.join(kinds)}")
            readers = {what: set(names) for what, names in reading.recorded.readers.items()}
            for name, chance in trials.numbered():
                change = _change(reading.recorded, texts, chance)
                reading.recorded.change = change
                with trials.case(name, str(change)):
                    for reader in sorted(readers.get(change.what, ())):
                        _assert_inert(*operations[reader](), reader)
                    assert not canary.exists(), "what stands in the cluster was run"


def _assert_inert(result: Any, error: str | None, reader: str) -> None:
    told = json.dumps(result, allow_nan=False) + (error or "")
    told.encode()
    assert not [word for word in WORDS if word in told], f"{reader} shows a password"
    assert error is None or (error.strip() and "Traceback" not in error), f"{reader}: {error!r}"
