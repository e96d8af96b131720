"""Whatever an answer of the API server becomes on its way: no raw error, and the result says truly what was written."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable, Iterator

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import record
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import registry
from sandbox.layout import Layout
from tests import breaking
from tests.dashboard import Dashboard, Form, database_of
from tests.helpers import RBAC, REGISTRIES, Cluster, until
from tests.interleaving import validated

SECRETS = ("v1", "secrets")
DELEGATORS = (f"{RBAC}/v1", "clusterrolebindings")
DATABASE = {"type": "mysql", "host": "db.example.com", "name": "models", "username": "user", "password": "secret-word"}
# What takes longer to try is broken in one way of each kind, and reads each in two others. The campaign `broken_answers` tries all.
OF_WRITES = ("no answer", "half a body", "null", "metadata is null", "an error that is cut", "a strange pause", "502", "a 404 of another server")
OF_READS = ("half a JSON", "no answer", "null", "metadata is a text", "502", "a 404 of another server", "the specification is a list")

pytestmark = pytest.mark.usefixtures("without_pods")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAUSE", 0)


@pytest.fixture
def broken(layout: Layout) -> Iterator[tuple[breaking.Breaker, client.Cluster]]:
    with breaking.broken(layout) as both:
        yield both


def every(requests: list[str], of_writes: Iterable[str] = breaking.ALL) -> list[tuple[int, str]]:
    """The requests and the ways to try: those that write in all of these."""
    tries = []
    for number, request in enumerate(requests):
        ways = list(of_writes) if breaking.is_write(request) else [OF_READS[number % len(OF_READS)], OF_READS[(number + 3) % len(OF_READS)]]
        tries += [(number, way) for way in ways]
    return tries


def in_turn(requests: list[str]) -> list[tuple[int, str]]:
    """Every request and one way of its kind, for what costs a registry each. What a way means is the same for all requests."""
    writes, reads = itertools.cycle(OF_WRITES), itertools.cycle(OF_READS)
    return [(number, next(writes if breaking.is_write(request) else reads)) for number, request in enumerate(requests)]


def test_an_edit_with_any_answer_broken_says_what_was_written(cluster: Cluster, name: str, broken: tuple[breaking.Breaker, client.Cluster]) -> None:
    """It takes more than 20 s: there is a run for each way to break each answer."""
    Dashboard(cluster).create(name, Form(name, "", database_of(DATABASE)))
    trial = breaking.Trial(broken, lambda: breaking.state_of(cluster, name))

    def edit(api: client.Cluster, outcome: record.Outcome) -> None:
        options = validated(_options.REGISTRY, dict(name=name, description=uuid.uuid4().hex, wait=False))
        registry.converge(api, options, False, outcome)

    for number, way in every(trial.requests(edit)):
        trial(number, way, edit)


def test_grants_with_any_answer_broken_say_what_was_written(cluster: Cluster, name: str, broken: tuple[breaking.Breaker, client.Cluster]) -> None:
    """It takes more than 20 s: there is a run for each way to break each answer."""
    Dashboard(cluster).create(name, Form(name, "", database_of(DATABASE)))
    trial = breaking.Trial(broken, lambda: breaking.state_of(cluster, name))

    def grant(api: client.Cluster, outcome: record.Outcome) -> None:
        # Another group each time; the one before is revoked.
        options = validated(_options.REGISTRY, dict(name=name, permissions={"groups": [uuid.uuid4().hex], "exclusive": True}, wait=False))
        registry.converge(api, options, False, outcome)

    for number, way in every(trial.requests(grant), OF_WRITES):
        trial(number, way, grant)


def test_a_creation_and_a_deletion_with_any_answer_broken_say_what_was_written(
    cluster: Cluster, name: str, broken: tuple[breaking.Breaker, client.Cluster]
) -> None:
    """It takes more than 20 s: each case has a registry of its own, with all that the operator makes of it."""
    names: list[str] = []
    trial = breaking.Trial(broken, lambda: breaking.state_of(cluster, names[-1]))

    def create(api: client.Cluster, outcome: record.Outcome) -> None:
        registry.converge(api, validated(_options.REGISTRY, dict(name=names[-1], database=DATABASE, check_database="ignore", wait=False)), False, outcome)

    def delete(api: client.Cluster, outcome: record.Outcome) -> None:
        registry.converge(api, validated(_options.REGISTRY, dict(name=names[-1], state="absent", wait=False)), False, outcome)

    def complete() -> None:
        # What the deletion has to delete depends on it, and with it its number of requests.
        until(lambda: cluster.get(*DELEGATORS, f"{names[-1]}-auth-delegator", None))

    names.append(name)
    creation = trial.requests(create)
    complete()
    deletion = trial.requests(delete)
    tries = [(create, *one) for one in in_turn(creation)] + [(delete, *one) for one in in_turn(deletion)]
    for index, (work, number, way) in enumerate(tries):
        names.append(f"{name}-{index}")
        if work is delete:
            create(broken[1], record.Outcome())
            complete()
        try:
            trial(number, way, work)
        finally:
            cluster.delete(*REGISTRIES, names[-1])
            for secret, _data in breaking.state_of(cluster, names[-1])["Secret"]:
                cluster.delete(*SECRETS, secret)
            cluster.delete(*DELEGATORS, f"{names[-1]}-auth-delegator", None)
