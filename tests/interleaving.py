"""Runs of the modules inside this process, stopped before any of their requests: there another run goes by, or the run is killed."""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors, _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client, login
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import custom_resource, marks
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import record
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import ca
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import catalog as run_catalog
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import permission as run_permission
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import registries as run_registries
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import registry as run_registry
from sandbox import controlplane, databases
from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from tests.helpers import RBAC, REGISTRIES, ROLE_BINDINGS, Cluster, until

SECRETS = ("v1", "secrets")
CONFIG_MAPS = ("v1", "configmaps")
CLUSTER_ROLE_BINDINGS = (f"{RBAC}/v1", "clusterrolebindings")
# What runs share: before other requests another run changes nothing for this one.
SHARED = re.compile(r"/(modelregistries|secrets|configmaps|deployments|rolebindings|clusterrolebindings|groups)(/|$)")
# A wait asks the same again and again: a run is stopped before the first of such requests.
STOPS_AT_THE_SAME_REQUEST = 3
# Before a write all is outdated that it relies on. Of the requests that only read, one after the other, the tests stop before the first, the fifth and so on;
# the campaign stops at random before any of those of its operations, which are not all that the tests try: there is none for the catalog.
READS_FOR_A_STOP = 4

Work = Callable[[client.Cluster, record.Outcome], None]


class KilledError(BaseException):
    """Ends a run in place of one of its requests. Nothing in the collection catches it."""


@dataclass(frozen=True)
class Sent:
    """One request of a run."""

    verb: str
    path: str
    # Whether it changes something: no dry run, and no review.
    writes: bool


@dataclass
class Ended:
    """A run that has ended: what it sent and did, and the error that it reported."""

    sent: list[Sent] = field(default_factory=list)
    outcome: record.Outcome = field(default_factory=record.Outcome)
    error: str | None = None

    @property
    def writes(self) -> int:
        """How often it has changed something."""
        return sum(request.writes for request in self.sent)


@dataclass(frozen=True)
class _Module:
    """What `connect` needs of a module."""

    params: Mapping[str, Any]
    server_side_dry_run = False

    def requires(self, *_: Any, **__: Any) -> None:
        """The libraries of the tests are there."""


class _Watched(client.Cluster):
    """A cluster that tells of each request before it is sent."""

    watch: Callable[[Sent], None]

    def _request(self, verb: str, path: str, body: Any = None, query: Any = None, *rest: Any, **more: Any) -> Any:
        dry = "dryRun" in (query or {}) or "dryRun" in (body or {})
        self.watch(Sent(verb, path, verb != "GET" and not dry and not path.startswith(client.REVIEWS)))
        return super()._request(verb, path, body, query, *rest, **more)


class InProcess:
    """Runs the modules' core on the sandbox."""

    def __init__(self, layout: Layout, folder: Path, token: str = controlplane.ADMIN_TOKEN, server: str | None = None) -> None:
        kubeconfig = folder / f"kubeconfig-{uuid.uuid4().hex[:6]}"
        kubeconfig.write_text(json.dumps(controlplane.kubeconfig(layout, {"token": token}, server)))
        self.module = _Module({**dict.fromkeys(AUTH_ARG_SPEC), "kubeconfig": str(kubeconfig)})

    def run(self, work: Work, before: Callable[[Ended, Sent], None] = lambda _ended, _request: None) -> Ended:
        """Run to the end. `before` is called before each request, which is not among those sent yet; a KilledError that it raises ends the run."""
        ended = Ended()

        def watch(request: Sent) -> None:
            before(ended, request)
            ended.sent.append(request)

        cluster = login.connect(self.module)
        cluster.__class__ = _Watched
        cluster.__dict__["watch"] = watch
        try:
            work(cluster, ended.outcome)
        except KilledError as error:
            ended.error = repr(error)
        except _errors.ReportedError as error:
            ended.error = str(error)
        return ended

    def stopped(self, one: Work, stop: int, other: Work, writes: int = 0, reads: int = 1) -> tuple[Ended, Ended | None]:
        """Run `one`, and at its stop of this number, counted after so many writes, `other`; None for that when `one` has fewer stops.

        There is a stop before each write, and before the first of so many reads in a row.
        """
        passed: list[Ended] = []
        seen: Counter[Sent] = Counter()
        stops = in_a_row = 0

        def before(ended: Ended, request: Sent) -> None:
            nonlocal stops, in_a_row
            seen[request] += 1
            if not passed and ended.writes >= writes and seen[request] <= STOPS_AT_THE_SAME_REQUEST and SHARED.search(request.path):
                is_stop = request.writes or in_a_row % reads == 0
                in_a_row = 0 if request.writes else in_a_row + 1
                stops += is_stop
                if is_stop and stops == stop:
                    passed.append(self.run(other))

        ended = self.run(one, before)
        return ended, next(iter(passed), None)

    def interleaved(self, prepared: Callable[[int], tuple[Work, Work]], writes: int = 0) -> Iterator[tuple[int, Ended, Ended]]:
        """Both runs for every stop of the first after so many writes: `prepared` makes a state of its own for each, and says what is to run there."""
        stop = 1
        while True:
            one, other = prepared(stop)
            first, second = self.stopped(one, stop, other, writes, READS_FOR_A_STOP)
            if second is None:
                return
            yield stop, first, second
            stop += 1

    def killed_after(self, work: Work, writes: int) -> bool:
        """Run until this many writes were carried out, and end in place of the next request; False when the run has ended before."""

        def before(ended: Ended, _request: Sent) -> None:
            if ended.writes == writes:
                raise KilledError

        return self.run(work, before).error == repr(KilledError())


def registry(check: bool = False, **options: Any) -> Work:
    """A run of `model_registry`."""
    return lambda cluster, outcome: run_registry.converge(cluster, validated(_options.REGISTRY, options), check, outcome)


def permission(**options: Any) -> Work:
    """A run of `model_registry_permission`."""
    return lambda cluster, outcome: run_permission.converge(cluster, validated(_options.PERMISSION, options), False, outcome)


def registries(check: bool = False, **options: Any) -> Work:
    """A run of `model_registries`. Its whole result is noted as that of the registry."""

    def work(cluster: client.Cluster, outcome: record.Outcome) -> None:
        fleet = run_registries.FleetOutcome()
        try:
            run_registries.converge(cluster, validated(_options.REGISTRIES, options), check, fleet)
        finally:
            result = fleet.result(False)
            outcome.changes, outcome.kept, outcome.registry = result["changes"], result.get("kept", []), result
            outcome.warnings += fleet.warnings

    return work


def bundle(**options: Any) -> Work:
    """A run of `model_registry_ca`. Its whole result is noted as that of the registry."""

    def work(cluster: client.Cluster, outcome: record.Outcome) -> None:
        own = record.Outcome()
        try:
            ca.converge(cluster, validated(_options.BUNDLE, options), False, own)
        finally:
            outcome.changes, outcome.registry = own.changes, own.result(True)

    return work


def model_catalog(check: bool = False, **options: Any) -> Work:
    """A run of `model_catalog` that does not wait for the server. Its whole result is noted as that of the registry."""

    def work(cluster: client.Cluster, outcome: record.Outcome) -> None:
        own = record.Outcome()
        try:
            run_catalog.converge(cluster, validated(_options.CATALOG, {"namespace": REGISTRIES_NAMESPACE, "wait": False, **options}), check, own)
        finally:
            outcome.changes, outcome.warnings, outcome.registry = own.changes, own.warnings, own.result(True)

    return work


def validated(spec: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Options with the defaults of the others."""
    validated = ArgumentSpecValidator(spec).validate(options)
    assert not validated.error_messages, validated.error_messages
    parameters: dict[str, Any] = validated.validated_parameters
    return parameters


class Room:
    """Registries of one test, on one database: all names begin with the same prefix."""

    def __init__(self, cluster: Cluster, process: InProcess, database: str) -> None:
        self.cluster, self.process, self.prefix, self.numbers = cluster, process, f"beside-{uuid.uuid4().hex[:6]}", 0
        self.bundle, self.other_bundle = (cluster.layout.path("pki", f"{authority}.crt").read_text() for authority in ("database-ca", "other-ca"))
        login = {"username": databases.REGISTRY.name, "password": databases.REGISTRY.password}
        self.mysql = {"type": "mysql", "host": "mysql", "namespace": "data", "name": database, **login, "ca": {"source": "upload", "pem": self.bundle}}

    def name(self, number: int) -> str:
        return f"{self.prefix}-{number}"

    def create(self, number: int, **options: Any) -> Work:
        """A run that creates a registry with a password, a CA and a grant."""
        return registry(**{"name": self.name(number), "wait": False, "database": self.mysql, "permissions": {"groups": ["readers"]}, **options})

    def delete(self, number: int, **options: Any) -> Work:
        return registry(name=self.name(number), state="absent", **options)

    def purge(self, *numbers: int, **options: Any) -> Work:
        """A run that deletes registries as some that are not listed. Those of other tests are listed, by name alone."""
        present = [item["metadata"]["name"] for item in self.cluster.items(*REGISTRIES)]
        listed = [{"name": name} for name in present if name not in map(self.name, numbers)]
        listed = listed or [{"name": self.name(100), "database": self.mysql}]
        return registries(registries=listed, purge=True, purge_limit=len(numbers), **{"wait": False, **options})

    def do(self, work: Work) -> Ended:
        """A run by itself, which succeeds."""
        ended = self.process.run(work)
        assert ended.error is None, ended.error
        return ended

    def interleaved(self, prepared: Callable[[int], tuple[Work, Work]], writes: int = 0) -> Iterator[tuple[int, Ended, Ended]]:
        """As of the process; each stop has a registry of its own."""

        def numbered(number: int) -> tuple[Work, Work]:
            self.numbers = max(self.numbers, number)
            return prepared(number)

        return self.process.interleaved(numbered, writes)

    def held(self, kind: tuple[str, str], number: int) -> list[str]:
        begins = (f"{self.name(number)}-db-",)
        return [item["metadata"]["name"] for item in self.cluster.items(*kind) if item["metadata"]["name"].startswith(begins)]

    def check(self, number: int, *runs: Ended) -> bool:
        """That what is there is complete, and that a run that failed said why; whether there is a registry."""
        told = f"{self.name(number)}: {[run.error for run in runs]}"
        for run in runs:
            assert run.error is None or (self.name(number) in run.error or REGISTRIES_NAMESPACE in run.error), told
        name = self.name(number)
        until(lambda: not (found := self.cluster.registry(name)) or "deletionTimestamp" not in found["metadata"])
        found = self.cluster.registry(name)
        if found is None:
            return False
        for kind, held in custom_resource.named_objects(found):
            if "-db-" not in held:
                continue
            there = self.cluster.get("v1", {"Secret": "secrets", "ConfigMap": "configmaps"}[kind], held)
            assert there is not None, f"{told}: {kind} {held} is missing"
            assert marks.LEAVING not in (there["metadata"].get("annotations") or {}), told
        until(lambda: self.cluster.get(*CLUSTER_ROLE_BINDINGS, f"{name}-auth-delegator", None))
        grants = [
            (subject["kind"], subject["name"])
            for binding in self.cluster.items(*ROLE_BINDINGS)
            if binding["roleRef"]["name"] == f"registry-user-{name}"
            for subject in binding["subjects"]
        ]
        assert max(Counter(grants).values(), default=1) == 1, f"{told}: {grants}"
        return True

    def check_nothing_is_left(self) -> None:
        """That whatever is there is found by deletions."""
        found = " ".join(name for kind in (REGISTRIES, SECRETS, CONFIG_MAPS, CLUSTER_ROLE_BINDINGS) for name in self._left(kind))
        for number in (*range(1, self.numbers + 1), 100):
            if re.search(rf"\b{self.name(number)}(?!\d)", found):
                self.do(self.delete(number, wait=False, delete_data=True))
        until(lambda: not self._left(REGISTRIES))
        for kind in (SECRETS, CONFIG_MAPS):
            assert [name for name in self._left(kind) if "-db-" in name] == []

    def _left(self, kind: tuple[str, str]) -> list[str]:
        namespace = None if kind == CLUSTER_ROLE_BINDINGS else REGISTRIES_NAMESPACE
        names = (item["metadata"]["name"] for item in self.cluster.items(*kind, namespace))
        return [name for name in names if name.startswith(self.prefix)]


@contextlib.contextmanager
def in_room(layout: Layout, folder: Path) -> Iterator[Room]:
    """A room of its own. What is left in it at the end has to be found by deletions."""
    database = f"beside_{uuid.uuid4().hex[:8]}"
    databases.create_databases(layout, "mysql", [database])
    made = Room(Cluster(layout), InProcess(layout, folder), database)
    try:
        yield made
    finally:
        made.check_nothing_is_left()
        databases.drop_database(layout, "mysql", database)
