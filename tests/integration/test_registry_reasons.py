"""Why a registry does not serve, in words, with the evidence and what to do; and how long that is waited for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from sandbox import databases, faults, lifecycle, processes
from sandbox.layout import Layout
from tests.dashboard import Dashboard, Form, database_of
from tests.helpers import REGISTRIES, Cluster, Run, Runner, Task, until

SECRETS, CONFIG_MAPS = ("v1", "secrets"), ("v1", "configmaps")
WRONG_CA, OWN_CA = "reasons-wrong-ca", "reasons-own-ca"
WAIT_SECONDS = 4
TLS_ONLY = {"username": databases.TLS_ONLY.name, "password": databases.TLS_ONLY.password, "ca": "none"}
READER = {"username": databases.READER.name, "password": databases.READER.password}


@dataclass(frozen=True)
class Case:
    """What is wrong with a database's options, and what has to be said of it. A `final` one ends the wait early."""

    kind: str
    changed: dict[str, Any]
    said: str
    evidence: str
    final: bool = True
    name: str = field(default_factory=lambda: f"reason-{uuid.uuid4().hex[:8]}")

    def __str__(self) -> str:
        return f"{self.kind}-{self.evidence}"


CASES = [
    Case("mysql", {"password": "not-the-password"}, "the password or the user name is wrong", "Error 1045"),
    Case("mysql", TLS_ONLY, "must use TLS", "Error 1045"),
    Case("mysql", {"name": databases.MISSING_DATABASE}, "the database does not exist", "Error 1049"),
    Case("mysql", {"name": databases.DIRTY_DATABASE}, "dirty", "Dirty database version"),
    Case("mysql", READER, "lacks a privilege", "Error 1142"),
    Case("mysql", {"ca": {"config_map": WRONG_CA, "key": "ca.crt"}}, "did not sign", "x509: certificate signed by unknown authority"),
    Case("mysql", {"host": "mysql-alias"}, "not valid for this host name", "x509: certificate is valid for"),
    Case("mysql", {"host": "nohost"}, "host name is unknown", "no such host", final=False),
    Case("mysql", {"port": 3307}, "nothing listens", "connection refused", final=False),
    Case("postgresql", {"password": "not-the-password"}, "the password or the user name is wrong", "SQLSTATE 28P01"),
    Case("postgresql", TLS_ONLY, "accepts only encrypted connections", "no encryption"),
    Case("postgresql", {"name": databases.MISSING_DATABASE}, "the database does not exist", "SQLSTATE 3D000"),
    Case("postgresql", {"name": databases.DIRTY_DATABASE}, "dirty", "Dirty database version"),
    Case("postgresql", READER, "lacks a privilege", "SQLSTATE 42501"),
    Case("postgresql", {"ca": {"config_map": WRONG_CA, "key": "ca.crt"}}, "did not sign", "x509: certificate signed by unknown authority"),
    Case("postgresql", {"host": "nohost"}, "host name is unknown", "no such host", final=False),
]


@pytest.fixture(scope="module")
def databases_of_reasons(layout: Layout) -> Iterator[str]:
    """An empty database on both servers."""
    name = f"reasons_{uuid.uuid4().hex[:8]}"
    for server in ("mysql", "postgres"):
        databases.create_databases(layout, server, [name])
    yield name
    for server in ("mysql", "postgres"):
        databases.drop_database(layout, server, name)


@pytest.fixture(scope="module")
def options(databases_of_reasons: str) -> dict[str, dict[str, Any]]:
    """Good options for both kinds of database."""
    login = {"username": databases.REGISTRY.name, "password": databases.REGISTRY.password, "namespace": "data", "ca": "cluster"}
    kinds = (("mysql", "mysql"), ("postgresql", "postgres"))
    return {kind: {"type": kind, "host": host, "name": databases_of_reasons, **login} for kind, host in kinds}


@pytest.fixture(scope="module")
def certificates(cluster: Cluster, layout: Layout) -> Iterator[None]:
    for name, file in ((WRONG_CA, "other-ca.crt"), (OWN_CA, "database-ca.crt")):
        cluster.create(*CONFIG_MAPS, {"metadata": {"name": name}, "data": {"ca.crt": layout.path("pki", file).read_text()}})
    yield
    for name in (WRONG_CA, OWN_CA):
        cluster.delete(*CONFIG_MAPS, name)


@pytest.fixture(scope="module")
def runs(automation: Runner, options: Any, certificates: None) -> Iterator[dict[str, Run]]:
    """The waiting run of each case; all registries are made first, so that their servers fail at the same time."""
    wanted = {case.name: options[case.kind] | case.changed for case in CASES}
    seconds = {case.name: 60 if case.final else WAIT_SECONDS for case in CASES}
    made = automation.sequence([Task({"name": name, "database": database, "wait": False}) for name, database in wanted.items()])
    assert not [run.output for run in made if run.failed]
    waited = automation.sequence([Task({"name": name, "database": wanted[name], "wait_timeout": seconds[name]}) for name in wanted])
    yield dict(zip(wanted, waited, strict=True))
    automation.sequence([Task({"name": name, "state": "absent", "wait": False}) for name in wanted])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_wrong_with_the_database_is_told_in_words(runs: dict[str, Run], case: Case) -> None:
    run = runs[case.name]
    assert run.failed and run.result["status"]["serving"] is False
    assert case.said in run.result["msg"] and case.evidence in run.result["msg"], run.result["msg"]
    # What only another input cures is not waited for.
    assert ("Waiting longer cannot change that" in run.result["msg"]) is case.final
    assert run.seconds < (45 if case.final else WAIT_SECONDS + 5)
    assert "not-the-password" not in run.output


# What is wrong with the cluster may cure itself: it is waited for, with the reason.


@pytest.fixture
def waiting(automation: Runner, name: str, options: Any, certificates: None) -> Any:
    """Waits a moment for a registry, and gives the message of the failure."""

    def wait(seconds: int = WAIT_SECONDS, **changed: Any) -> str:
        run = automation(name=name, wait_timeout=seconds, **changed)
        assert run.failed, run.output
        assert f"Gave up after {seconds} s (wait_timeout)" in run.result["msg"]
        return str(run.result["msg"])

    return wait


def test_a_secret_that_went_missing_is_named(cluster: Cluster, automation: Runner, name: str, options: Any, waiting: Any) -> None:
    automation(name=name, database=options["mysql"])
    secret = cluster.registry(name)["spec"]["mysql"]["passwordSecret"]["name"]
    cluster.delete(*SECRETS, secret)
    message = waiting(database={"port": 3306, "username": databases.TLS_ONLY.name})
    assert "reads a Secret or ConfigMap that is missing" in message and secret in message
    assert "The previous pod still serves" in message
    repaired = automation(name=name, database=options["mysql"])
    assert not repaired.failed and ("create", "Secret") in repaired.changes


def test_a_ca_that_went_missing_is_named(cluster: Cluster, automation: Runner, name: str, options: Any, waiting: Any) -> None:
    cluster.create(*CONFIG_MAPS, {"metadata": {"name": f"{name}-ca"}, "data": cluster.get(*CONFIG_MAPS, OWN_CA)["data"]})
    automation(name=name, database=options["mysql"] | {"ca": {"config_map": f"{name}-ca", "key": "ca.crt"}}, wait=False)
    cluster.delete(*CONFIG_MAPS, f"{name}-ca")
    message = waiting(database={"username": databases.TLS_ONLY.name})
    assert "mounts a Secret or ConfigMap that is missing" in message and f"{name}-ca" in message


def is_stuck(pod: dict[str, Any]) -> bool:
    """Whether no node takes a pod, or an image of it cannot be pulled."""
    states = [container["state"] for container in pod["status"].get("containerStatuses", [])]
    conditions = {condition["type"]: condition["status"] for condition in pod["status"].get("conditions", [])}
    return conditions.get("PodScheduled") == "False" or any("Image" in state.get("waiting", {}).get("reason", "") for state in states)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"rest": {"resources": {"requests": {"memory": "900Ti"}, "limits": {"memory": "900Ti"}}}}, "no node takes the pod"),
        ({"rest": {"image": "registry.invalid/none:1"}}, "cannot be pulled"),
    ],
)
def test_a_pod_that_cannot_run_is_explained(cluster: Cluster, automation: Runner, name: str, options: Any, waiting: Any, spec: Any, said: str) -> None:
    automation(name=name, database=options["mysql"], wait=False)
    cluster.merge(*REGISTRIES, name, {"spec": spec})
    until(lambda: any(map(is_stuck, cluster.items("v1", "pods", labelSelector=f"app={name}"))))
    assert said in waiting(description="Edited")


def test_a_quota_is_named(cluster: Cluster, automation: Runner, name: str, options: Any, waiting: Any) -> None:
    quotas = ("v1", "resourcequotas")
    cluster.create(*quotas, {"metadata": {"name": "no-pods"}, "spec": {"hard": {"pods": "0"}}})
    try:
        assert "exceeded quota: no-pods" in waiting(database=options["mysql"])
    finally:
        cluster.delete(*quotas, "no-pods")
    assert not automation(name=name).failed


def test_a_route_that_is_not_admitted_is_named(layout: Layout, automation: Runner, name: str, options: Any, waiting: Any) -> None:
    faults.set_switches(layout, routes_not_admitted=True)
    try:
        # The operator holds back for 5 s what it says of a new server.
        assert "Route is not admitted" in waiting(9, database=options["mysql"])
    finally:
        faults.set_switches(layout, routes_not_admitted=False)
    assert not automation(name=name).failed


@pytest.fixture
def operator_away(layout: Layout) -> Iterator[None]:
    processes.stop(layout, "operator")
    yield
    lifecycle.start(layout, "operator")


def test_an_operator_that_does_not_run_is_named(layout: Layout, automation: Runner, name: str, options: Any, operator_away: None) -> None:
    run = automation(name=name, database=options["mysql"])
    assert run.failed and "webhook cannot be reached" in run.result["msg"] and "operator runs" in run.result["msg"]
    assert run.writes == []


def test_a_connection_string_that_the_dashboard_lets_through_is_explained(cluster: Cluster, automation: Runner, name: str, options: Any) -> None:
    form = Form(name, "", database_of(options["mysql"] | {"password": "why?not"}))
    Dashboard(cluster).create(name, form)
    run = automation(name=name)
    assert run.failed and "the connection string is not valid" in run.result["msg"]
    assert any("question mark" in warning for warning in run.warnings)
    assert "why?not" not in run.output


def test_a_wait_follows_events_and_does_not_poll(automation: Runner, name: str, options: Any) -> None:
    run = automation(name=name, database=options["mysql"])
    watches = [request for request in run.requests if request.verb == "watch"]
    assert {request.path.rpartition("/")[2] for request in watches} == {"modelregistries", "deployments", "pods"}
