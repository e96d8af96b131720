"""Why a registry is not available, in words, with the evidence and what to do; and how long that is waited for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox import databases, faults, lifecycle, processes
from sandbox.layout import Layout
from tests.dashboard import Dashboard, Form, database_of
from tests.helpers import REGISTRIES, Cluster, Run, Runner, Task, until

SECRETS, CONFIG_MAPS = ("v1", "secrets"), ("v1", "configmaps")
WRONG_CA, OWN_CA, PAIRS = "reasons-wrong-ca", "reasons-own-ca", "reasons-pairs"
WAIT_SECONDS, FINAL_SECONDS = 4, 150
TLS_ONLY = {"username": databases.TLS_ONLY.name, "password": databases.TLS_ONLY.password, "ca": {"source": "none"}}
READER = {"username": databases.READER.name, "password": databases.READER.password}
MYSQL = "mysql"
OWN = {"source": "config_map", "name": OWN_CA, "key": "ca.crt"}


@dataclass(frozen=True)
class Case:
    """What is wrong with a database's options, and what has to be said of it and what not. A `final` one ends the wait early."""

    server: str
    changed: dict[str, Any]
    said: str
    evidence: str
    final: bool = True
    unsaid: str = "never said"
    name: str = field(default_factory=lambda: f"reason-{uuid.uuid4().hex[:8]}")

    def __str__(self) -> str:
        return f"{self.server}-{self.evidence}-{self.said}"


WRONG_PASSWORD = {"password": "not-the-password"}
CASES = [
    Case("mysql", WRONG_PASSWORD | {"ca": {"source": "none"}}, "must use TLS", "Error 1045"),
    Case("mysql", WRONG_PASSWORD, "must present a client certificate", "Error 1045", unsaid="database.ca"),
    Case("mysql", TLS_ONLY, "must use TLS", "Error 1045"),
    Case("mysql", {"name": databases.MISSING_DATABASE}, "the database does not exist", "Error 1049"),
    Case("mysql", {"name": databases.DIRTY_DATABASE}, "dirty", "Dirty database version"),
    Case("mysql", READER, "lacks a privilege", "Error 1142"),
    Case(
        "mysql", {"ca": {"source": "config_map", "name": WRONG_CA, "key": "ca.crt"}}, "is not signed by the CA", "x509: certificate signed by unknown authority"
    ),
    Case("mysql", {"ca": {"source": "none"}, "verify_server_cert": True}, "no public CA", "x509: certificate signed by unknown authority"),
    Case("mysql", {"host": "mysql-alias"}, "not valid for this host name", "x509: certificate is valid for"),
    Case("mysql", {"host": "nohost"}, "cannot be resolved", "no such host", final=False),
    Case("mysql", {"port": 3307}, "nothing is listening", "connection refused", final=False),
    Case("postgresql", WRONG_PASSWORD, "password is wrong", "SQLSTATE 28P01"),
    Case("postgresql", TLS_ONLY, "accepts only encrypted connections", "no encryption"),
    Case("postgresql", {"name": databases.MISSING_DATABASE}, "the database does not exist", "SQLSTATE 3D000"),
    Case("postgresql", {"name": databases.DIRTY_DATABASE}, "dirty", "Dirty database version"),
    Case("postgresql", READER, "lacks a privilege", "SQLSTATE 42501"),
    Case(
        "postgresql",
        {"ca": {"source": "config_map", "name": WRONG_CA, "key": "ca.crt"}},
        "is not signed by the CA",
        "x509: certificate signed by unknown authority",
    ),
    Case("postgresql", {"host": "nohost"}, "cannot be resolved", "no such host", final=False),
]
# Accounts of MySQL by what is done to them, and what is done to their database. Each is named like its case.
ACCOUNTS = {
    "ALTER USER '{name}'@'%' ACCOUNT LOCK": Case(MYSQL, {}, "is locked", "Error 3118"),
    "ALTER USER '{name}'@'%' PASSWORD EXPIRE": Case(MYSQL, {}, "has expired", "Error 1862"),
    "ALTER USER '{name}'@'%' FAILED_LOGIN_ATTEMPTS 1 PASSWORD_LOCK_TIME 2": Case(MYSQL, WRONG_PASSWORD, "has blocked the user", "Error 3955"),
    "ALTER USER '{name}'@'%' WITH MAX_USER_CONNECTIONS 1": Case(MYSQL, {}, "the registry server needs two", "Error 1226"),
    "ALTER USER '{name}'@'%' REQUIRE X509": Case(MYSQL, {}, "must present a client certificate", "Error 1045", unsaid="database.ca"),
    "ALTER USER '{name}'@'%' REQUIRE SUBJECT '/CN=somebody'": Case(
        MYSQL,
        {"client_certificate": {"source": "secret", "name": PAIRS, "certificate_key": "own.crt", "private_key_key": "own.key"}},
        "another client certificate",
        "Error 1045",
    ),
    "GRANT USAGE ON *.* TO '{name}'@'%'": Case(
        MYSQL,
        {"client_certificate": {"source": "secret", "name": PAIRS, "certificate_key": "foreign.crt", "private_key_key": "foreign.key"}},
        "rejects the client certificate",
        "unknown certificate authority",
    ),
    "ALTER DATABASE `{name}` READ ONLY = 1": Case(MYSQL, {}, "is in read-only mode", "Error 3989"),
}
ALL_CASES = [*CASES, *(pytest.param(case, marks=pytest.mark.needs_mysql) for case in ACCOUNTS.values())]


@pytest.fixture(scope="module")
def databases_of_reasons(layout: Layout) -> Iterator[str]:
    """An empty database on each server, and on MySQL one with an account of its own for each case."""
    name = f"reasons_{uuid.uuid4().hex[:8]}"
    for server in databases.KINDS:
        databases.create_databases(layout, server, [name])
    accounts = ACCOUNTS if layout.mysql else {}
    databases.create_databases(layout, MYSQL, [case.name for case in accounts.values()]) if accounts else None
    for statement, case in accounts.items():
        with databases.administration(layout, MYSQL) as run:
            run(f"CREATE USER '{case.name}'@'%' IDENTIFIED BY 'word-of-mysql'")
            run(f"GRANT ALL ON `{case.name}`.* TO '{case.name}'@'%'")
            run(statement.format(name=case.name))
    yield name
    for case in accounts.values():
        with databases.administration(layout, MYSQL) as run:
            run(f"DROP USER '{case.name}'@'%'")
            run(f"ALTER DATABASE `{case.name}` READ ONLY = 0")
        databases.drop_database(layout, MYSQL, case.name)
    for server in databases.KINDS:
        databases.drop_database(layout, server, name)


@pytest.fixture(scope="module")
def options(databases_of_reasons: str) -> dict[str, dict[str, Any]]:
    """Good options for each server."""
    login = {"username": databases.REGISTRY.name, "password": databases.REGISTRY.password, "namespace": "data", "ca": {"source": "cluster"}}
    return {kind: {"type": kind, "host": databases.SERVICES[kind], "name": databases_of_reasons, **login} for kind in databases.KINDS}


def issued(layout: Layout, authority: str, *names: str, common_name: str = "registry") -> tuple[str, str]:
    """A certificate that one of the sandbox's CAs signed, and its key, as PEM text."""
    issuer = x509.load_pem_x509_certificate(layout.path("pki", f"{authority}.crt").read_bytes())
    signer = serialization.load_pem_private_key(layout.path("pki", f"{authority}.key").read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(issuer.subject, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]), key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(issuer.not_valid_before_utc).not_valid_after(issuer.not_valid_after_utc)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(map(x509.DNSName, names)), False)
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode(), text.decode()


@pytest.fixture(scope="module")
def certificates(cluster: Cluster, layout: Layout) -> Iterator[None]:
    for name, file in ((WRONG_CA, "other-ca.crt"), (OWN_CA, "database-ca.crt")):
        data = {"ca.crt": layout.path("pki", file).read_text(), "empty.crt": "\n"}
        cluster.create(*CONFIG_MAPS, {"metadata": {"name": name}, "data": data})
    pairs = {"own": issued(layout, "database-ca"), "foreign": issued(layout, "other-ca")}
    texts = {f"{name}.{end}": text for name, pair in pairs.items() for end, text in zip(("crt", "key"), pair, strict=True)}
    cluster.create(*SECRETS, {"metadata": {"name": PAIRS}, "stringData": texts})
    yield
    for name in (WRONG_CA, OWN_CA):
        cluster.delete(*CONFIG_MAPS, name)
    cluster.delete(*SECRETS, PAIRS)


def fleet(runner: Runner, wanted: dict[str, dict[str, Any]], seconds: int, **more: Any) -> Run:
    """One run for registries with these options of their databases."""
    registries = [{"name": name, "database": database} for name, database in wanted.items()]
    [run] = runner.sequence([Task({"registries": registries, "wait_timeout": seconds, **more}, module="modelops.openshift_ai.model_registries")])
    return run


def entries(run: Run) -> dict[str, dict[str, Any]]:
    """What a run of many says of each registry."""
    return {entry["name"]: entry for entry in run.result["registries"]}


@pytest.fixture(scope="module")
def runs(layout: Layout, automation: Runner, options: Any, certificates: None) -> dict[str, Run]:
    """The run of each case: all cases of a server that are final fail together, and all others.

    It takes more than 20 s: for each case a registry is made whose server fails until that is certain, and is deleted again.
    """
    cases = [*CASES, *(ACCOUNTS.values() if layout.mysql else ())]
    own = {case.name: {"name": case.name, "username": case.name, "password": "word-of-mysql"} for case in ACCOUNTS.values()}
    done = {}
    for group in {(case.server, case.final): None for case in cases}:
        wanted = {case.name: options[case.server] | own.get(case.name, {}) | case.changed for case in cases if (case.server, case.final) == group}
        run = fleet(automation, wanted, FINAL_SECONDS if group[1] else WAIT_SECONDS)
        done.update(dict.fromkeys(wanted, run))
        automation.sequence([Task({"name": name, "state": "absent"}) for name in wanted])
    return done


@pytest.mark.parametrize("case", ALL_CASES, ids=str)
def test_what_is_wrong_with_the_database_is_told_in_words(runs: dict[str, Run], case: Case) -> None:
    run = runs[case.name]
    entry = entries(run)[case.name]
    assert entry["failed"] and entry["status"]["available"] is False
    assert case.said in entry["msg"] and case.evidence in entry["msg"] and case.unsaid not in entry["msg"], entry["msg"]
    # Apart in the status, together in the message.
    status = entry["status"]
    assert all(status[part].rstrip(".") in entry["msg"] for part in ("reason", "evidence", "remedy")), status
    assert case.evidence in status["evidence"] and case.evidence not in status["reason"], status
    # What only another input cures is not waited for.
    assert ("ended early" in entry["msg"]) is case.final
    assert "not-the-password" not in run.output and "word-of-mysql" not in run.output


def test_evidence_has_no_head_of_the_logging_library(runs: dict[str, Run]) -> None:
    said = [entry["status"]["evidence"] for run in runs.values() for entry in run.result["registries"]]
    assert said and not [evidence for evidence in said if ".go:" in evidence]


# Settings of TLS that PostgreSQL's driver cannot use: only somebody else than this collection writes them.
BROKEN_TLS = {
    "no PEM certificate": {"sslRootCertificateConfigMap": {"name": OWN_CA, "key": "empty.crt"}},
    "does not contain the specified key": {"sslRootCertificateConfigMap": {"name": OWN_CA, "key": "none.crt"}},
    "without its key": {"sslCertificateSecret": {"name": PAIRS, "key": "own.crt"}},
    "do not match": {"sslCertificateSecret": {"name": PAIRS, "key": "own.crt"}, "sslKeySecret": {"name": PAIRS, "key": "foreign.key"}},
}


def test_settings_of_tls_that_postgresql_cannot_use_have_reasons_of_their_own(cluster: Cluster, automation: Runner, options: Any, certificates: None) -> None:
    names = {said: f"reason-{uuid.uuid4().hex[:8]}" for said in BROKEN_TLS}
    good = {key: value for key, value in options["postgresql"].items() if key != "ca"}
    fleet(automation, {name: good | {"username": "nobody"} for name in names.values()}, WAIT_SECONDS, wait=False)
    for said, name in names.items():
        cluster.merge(*REGISTRIES, name, {"spec": {"postgres": BROKEN_TLS[said]}})
    try:
        run = fleet(automation, {name: {"username": good["username"]} for name in names.values()}, FINAL_SECONDS)
        for said, name in names.items():
            message = entries(run)[name]["msg"]
            assert said in message and "connection string" not in message and "ended early" in message, message
    finally:
        automation.sequence([Task({"name": name, "state": "absent", "wait": False}) for name in names.values()])


# A cause that was fixed as the message says.


@pytest.mark.parametrize("many", [False, True], ids=["one", "many"])
def test_a_log_of_before_does_not_end_the_wait(layout: Layout, automation: Runner, name: str, mysql: dict[str, Any], many: bool) -> None:
    def task(seconds: int) -> Task:
        if many:
            return Task({"registries": [{"name": name, "database": mysql}], "wait_timeout": seconds}, module="modelops.openshift_ai.model_registries")
        return Task({"name": name, "database": mysql, "wait_timeout": seconds})

    databases.drop_database(layout, "mysql", mysql["name"])
    # The server tries again for more than half a minute before it is started anew: what it has logged is all that the second run can see.
    failed, again = automation.sequence([task(FINAL_SECONDS), task(WAIT_SECONDS)])
    for run in (failed, again):
        assert run.failed and "the database does not exist" in run.result["msg"]
    assert "ended early" in failed.result["msg"] and "ended early" not in again.result["msg"]
    databases.create_databases(layout, "mysql", [mysql["name"]])
    [repaired] = automation.sequence([task(FINAL_SECONDS)])
    assert not repaired.failed and not repaired.result["changed"], repaired.output


@pytest.mark.needs_mysql
def test_the_cause_of_a_dirty_schema_is_told_after_the_restart_too(layout: Layout, automation: Runner, name: str, options: Any) -> None:
    database = f"{name}-keyless"
    databases.create_databases(layout, MYSQL, [database])
    try:
        with databases.administration(layout, MYSQL) as run:
            run("SET GLOBAL sql_require_primary_key = ON")
        made = automation(name=name, database=options[MYSQL] | {"name": database})
        again = automation(name=name, wait_timeout=WAIT_SECONDS)
        for failed in (made, again):
            assert failed.failed and "marked dirty" in failed.result["msg"] and "sql_require_primary_key to OFF" in failed.result["msg"], failed.result["msg"]
            assert "schema_migrations" in failed.result["msg"]
        with databases.administration(layout, MYSQL, database) as run:
            run("SET GLOBAL sql_require_primary_key = OFF")
            run("UPDATE schema_migrations SET version = 7, dirty = 0")
        assert not automation(name=name).failed
    finally:
        with databases.administration(layout, MYSQL) as run:
            run("SET GLOBAL sql_require_primary_key = OFF")
        databases.drop_database(layout, MYSQL, database)


# Certificates


def test_a_verification_that_the_dashboard_leaves_without_a_ca_is_named_and_taken_back(cluster: Cluster, automation: Runner, name: str, options: Any) -> None:
    assert not automation(name=name, database=options["mysql"]).failed
    dashboard = Dashboard(cluster)
    dashboard.edit(name, replace(dashboard.opened(name), ca=None))
    assert cluster.registry(name)["spec"]["mysql"]["verifyServerCert"] is True
    message = automation(name=name, wait_timeout=WAIT_SECONDS).result["msg"]
    assert "has no CA certificate" in message and "database.ca.source to none" in message
    repaired = automation(name=name, database={"ca": {"source": "none"}})
    assert not repaired.failed and ("update", "ModelRegistry") in repaired.changes, repaired.output
    assert "verifyServerCert" not in cluster.registry(name)["spec"]["mysql"]
    assert not automation(name=name, database={"ca": {"source": "none"}}).result["changed"]


@pytest.mark.parametrize("common_name", ["MySQL_Server_Auto_Generated_Server_Certificate", "mysql.data.svc.cluster.local"])
def test_a_certificate_without_a_host_name_is_explained_with_both_ways_out(
    layout: Layout, automation: Runner, name: str, options: Any, certificates: None, common_name: str
) -> None:
    chain, key = issued(layout, "database-ca", common_name=common_name)
    databases.change_certificate(layout, chain.encode(), key.encode())
    try:
        # Where the database can be looked at from here, it is known before anything is written.
        reached = {key: value for key, value in options["mysql"].items() if key != "namespace"} | {"host": databases.address(layout, "mysql"), "ca": OWN}
        refused = automation(name=name, database=reached, check_database="fail")
        assert refused.failed and not refused.writes and "database.verify_server_cert to false" in refused.result["msg"], refused.output
        message = automation(name=name, database=options["mysql"] | {"ca": OWN}).result["msg"]
        assert "no host name" in message and "ended early" in message, message
        assert "database.verify_server_cert to false" in message and "use a certificate" in message
        assert not automation(name=name, database={"verify_server_cert": False}).failed
    finally:
        databases.restore_certificate(layout)


# What is wrong with the cluster may cure itself: it is waited for, with the reason.


@pytest.fixture
def waiting(automation: Runner, name: str, options: Any, certificates: None) -> Any:
    """Waits a moment for a registry, and gives the message of the failure."""

    def wait(seconds: int = WAIT_SECONDS, **changed: Any) -> str:
        run = automation(name=name, wait_timeout=seconds, **changed)
        assert run.failed, run.output
        assert f"The wait ended after {seconds} s (wait_timeout)" in run.result["msg"]
        return str(run.result["msg"])

    return wait


def test_a_secret_that_went_missing_is_named(cluster: Cluster, automation: Runner, name: str, options: Any, waiting: Any) -> None:
    automation(name=name, database=options["mysql"])
    secret = cluster.registry(name)["spec"]["mysql"]["passwordSecret"]["name"]
    cluster.delete(*SECRETS, secret)
    message = waiting(database={"port": 3306, "username": databases.TLS_ONLY.name})
    assert "refers to a Secret or ConfigMap" in message and secret in message
    assert "previous pod is still running" in message
    repaired = automation(name=name, database=options["mysql"])
    assert not repaired.failed and ("create", "Secret") in repaired.changes


def test_a_ca_that_went_missing_is_named(cluster: Cluster, automation: Runner, name: str, options: Any, waiting: Any) -> None:
    cluster.create(*CONFIG_MAPS, {"metadata": {"name": f"{name}-ca"}, "data": cluster.get(*CONFIG_MAPS, OWN_CA)["data"]})
    automation(name=name, database=options["mysql"] | {"ca": {"source": "config_map", "name": f"{name}-ca", "key": "ca.crt"}}, wait=False)
    cluster.delete(*CONFIG_MAPS, f"{name}-ca")
    message = waiting(database={"username": databases.TLS_ONLY.name})
    assert "mounts a Secret or ConfigMap" in message and f"{name}-ca" in message


def is_stuck(pod: dict[str, Any]) -> bool:
    """Whether no node takes a pod, or an image of it cannot be pulled."""
    states = [container["state"] for container in pod["status"].get("containerStatuses", [])]
    conditions = {condition["type"]: condition["status"] for condition in pod["status"].get("conditions", [])}
    return conditions.get("PodScheduled") == "False" or any("Image" in state.get("waiting", {}).get("reason", "") for state in states)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"rest": {"resources": {"requests": {"memory": "900Ti"}, "limits": {"memory": "900Ti"}}}}, "cannot be scheduled"),
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
        assert "is not admitted" in waiting(9, database=options["mysql"])
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
    assert run.failed and "webhook of the operator cannot be reached" in run.result["msg"] and "operator is running" in run.result["msg"]
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
