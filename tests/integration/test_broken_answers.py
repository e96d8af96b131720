"""Whatever an answer of the API server becomes on its way: no raw error, and the result says truly what was written."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors, _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import record
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import registry
from sandbox.layout import Layout
from tests import breaking
from tests.dashboard import Dashboard, Form, database_of
from tests.helpers import RBAC, REGISTRIES, ROLE_BINDINGS, Cluster

SECRETS = ("v1", "secrets")
DATABASE = {"type": "mysql", "host": "db.example.com", "name": "models", "username": "user", "password": "secret-word"}
# What takes longer to try is broken in one way of each kind, and reads each in two others.
OF_WRITES = ("no answer", "half a body", "null", "metadata is null", "an error that is cut", "a strange pause", "502", "a 404 of another server")
OF_READS = ("half a JSON", "no answer", "null", "metadata is a text", "502", "a 404 of another server", "the specification is a list")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAUSE", 0)


@pytest.fixture
def broken(layout: Layout) -> Iterator[tuple[breaking.Breaker, client.Cluster]]:
    with breaking.broken(layout) as both:
        yield both


def parameters(spec: dict[str, Any], **given: Any) -> dict[str, Any]:
    """The options as a module gets them."""
    validated = ArgumentSpecValidator(spec).validate(given)
    assert not validated.error_messages, validated.error_messages
    result: dict[str, Any] = validated.validated_parameters
    return result


class Trial:
    """One operation, again and again with another answer broken; what it did is compared with what it says."""

    def __init__(self, broken: tuple[breaking.Breaker, client.Cluster], what_is_there: Callable[[], dict[str, Any]]) -> None:
        self._breaker, self._cluster = broken
        self._what_is_there = what_is_there
        self._whole: dict[Callable[[client.Cluster, record.Outcome], None], list[str]] = {}

    def requests(self, work: Callable[[client.Cluster, record.Outcome], None]) -> list[str]:
        """The requests of the operation when nothing is broken."""
        self._breaker.expect(None)
        work(self._cluster, record.Outcome())
        self._whole[work] = list(self._breaker.seen)
        return list(self._breaker.seen)

    def __call__(self, number: int, way: str, work: Callable[[client.Cluster, record.Outcome], None]) -> None:
        """Do it with the answer to one request broken in one way."""
        before = self._what_is_there()
        self._breaker.expect(number, way)
        outcome, failure = record.Outcome(), ""
        try:
            work(self._cluster, outcome)
        except _errors.ReportedError as error:
            failure = str(error)
        if len(self._breaker.seen) <= number:
            # What is read after the last write depends on how far the operator is.
            assert not any(map(is_write, self._whole[work][number:])), f"request {number} was not sent"
            return
        after = self._what_is_there()
        happened = {kind for kind in after if after[kind] != before[kind]}
        said = {change["kind"] for change in outcome.changes if change["kind"] in after and not change.get("unverified")}
        in_doubt = {change["kind"] for change in outcome.changes if change.get("unverified")}
        told = f"{way} of request {number}, {self._breaker.seen[number]}: {failure!r} {outcome.changes}"
        assert said <= happened <= said | in_doubt, told
        # What is in doubt is so because the API server did not answer again either.
        assert not in_doubt or failure, told
        assert failure == "" or ("Traceback" not in failure and failure.isprintable()), told


def is_write(request: str) -> bool:
    """Whether a request can change something."""
    return not request.startswith("GET ") and not re.match(r"POST /apis/auth(entication|orization)\.k8s\.io/", request)


def every(requests: list[str], of_writes: Iterable[str] = tuple(breaking.WAYS)) -> list[tuple[int, str]]:
    """The requests and the ways to try: those that write in all of these."""
    tries = []
    for number, request in enumerate(requests):
        ways = list(of_writes) if is_write(request) else [OF_READS[number % len(OF_READS)], OF_READS[(number + 3) % len(OF_READS)]]
        tries += [(number, way) for way in ways]
    return tries


def state_of(cluster: Cluster, name: str) -> dict[str, Any]:
    """What there is of a registry."""
    registry = cluster.registry(name)
    present = registry and "deletionTimestamp" not in registry["metadata"]
    bindings = [item for item in cluster.items(*ROLE_BINDINGS) if item["roleRef"]["name"] == f"registry-user-{name}"]
    return {
        "ModelRegistry": registry["metadata"].get("annotations") if present else None,
        "Secret": [item["metadata"]["name"] for item in cluster.items(*SECRETS) if item["metadata"]["name"].startswith(f"{name}-db-")],
        "RoleBinding": sorted(subject["name"] for binding in bindings for subject in binding["subjects"] if subject["name"] != f"{name}-users"),
    }


def test_an_edit_with_any_answer_broken_says_what_was_written(cluster: Cluster, name: str, broken: tuple[breaking.Breaker, client.Cluster]) -> None:
    Dashboard(cluster).create(name, Form(name, "", database_of(DATABASE)))
    trial = Trial(broken, lambda: state_of(cluster, name))

    def edit(api: client.Cluster, outcome: record.Outcome) -> None:
        options = parameters(_options.REGISTRY, name=name, description=uuid.uuid4().hex, wait=False)
        registry.converge(api, options, False, outcome)

    for number, way in every(trial.requests(edit)):
        trial(number, way, edit)


def test_grants_with_any_answer_broken_say_what_was_written(cluster: Cluster, name: str, broken: tuple[breaking.Breaker, client.Cluster]) -> None:
    Dashboard(cluster).create(name, Form(name, "", database_of(DATABASE)))
    trial = Trial(broken, lambda: state_of(cluster, name))

    def grant(api: client.Cluster, outcome: record.Outcome) -> None:
        # Another group each time; the one before is revoked.
        options = parameters(_options.REGISTRY, name=name, permissions={"groups": [uuid.uuid4().hex], "exclusive": True}, wait=False)
        registry.converge(api, options, False, outcome)

    for number, way in every(trial.requests(grant)):
        trial(number, way, grant)


def test_a_creation_and_a_deletion_with_any_answer_broken_say_what_was_written(
    cluster: Cluster, name: str, broken: tuple[breaking.Breaker, client.Cluster]
) -> None:
    names: list[str] = []
    trial = Trial(broken, lambda: state_of(cluster, names[-1]))

    def create(api: client.Cluster, outcome: record.Outcome) -> None:
        registry.converge(api, parameters(_options.REGISTRY, name=names[-1], database=DATABASE, check_database="ignore", wait=False), False, outcome)

    def delete(api: client.Cluster, outcome: record.Outcome) -> None:
        registry.converge(api, parameters(_options.REGISTRY, name=names[-1], state="absent", wait=False), False, outcome)

    names.append(name)
    creation, deletion = trial.requests(create), trial.requests(delete)
    tries = [(create, *one) for one in every(creation, OF_WRITES)] + [(delete, *one) for one in every(deletion, OF_WRITES)]
    for index, (work, number, way) in enumerate(tries):
        names.append(f"{name}-{index}")
        if work is delete:
            create(broken[1], record.Outcome())
        try:
            trial(number, way, work)
        finally:
            cluster.delete(*REGISTRIES, names[-1])
            for secret in state_of(cluster, names[-1])["Secret"]:
                cluster.delete(*SECRETS, secret)
            cluster.delete(f"{RBAC}/v1", "clusterrolebindings", f"{names[-1]}-auth-delegator", None)
