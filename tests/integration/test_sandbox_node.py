"""The sandbox's node and its registry servers: every rule about connection strings, certificates and passwords, tried in a pod; and what a kubelet does.

The pods have the arguments that the registry operator gives them; the same tests pass with the real registry server in them (SANDBOX_REGISTRY_SERVER).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest

from sandbox import databases, faults
from sandbox.databases import ODD_PASSWORDS, READER, REGISTRY, TLS_ONLY
from sandbox.kube import Api, ApiError, path
from sandbox.layout import Layout
from sandbox.node import web

from .conftest import SERVERS

NAMESPACE = "node-tests"
ROWS_SECONDS = 60
POSTGRESQL = "postgres.data.svc.cluster.local"
NOT_TRUSTED = "certificate signed by unknown authority"
SERVES = ""
Object = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One registry server and what becomes of it: SERVES, or a text of its log. `exits` says that it gives up at once."""

    name: str
    kind: str
    expected: str = SERVES
    exits: bool = False
    user: str = REGISTRY.name
    password: str = REGISTRY.password
    host: str = ""
    # None stands for a database of its own.
    database: str | None = None
    # A key of the ConfigMap with CAs; "." for the folder itself.
    ca: str = ""
    verify: bool = False
    # A client certificate: the name of its pair of files in the same folder.
    client: str = ""
    # The files of the pair that the server is given.
    client_parts: tuple[str, ...] = ("crt", "key")
    cipher: str = ""
    ssl_mode: str = "disable"


def _odd(key: str, **more: Any) -> dict[str, Any]:
    return {"user": f"odd_{key}", "password": ODD_PASSWORDS[key]} | more


def _encoded(key: str) -> dict[str, Any]:
    return {"user": f"odd_{key}", "password": "".join(f"%{ord(character):02X}" for character in ODD_PASSWORDS[key])}


ODD_LOGIN: dict[str, Any] = {"password": databases.ODD_USER_PASSWORD}
TLS_LOGIN: dict[str, Any] = {"user": TLS_ONLY.name, "password": TLS_ONLY.password}
NAME_WITH_QUERY = "invalid EmbedMD config: invalid MySQL DSN: database name must not contain '?' characters;"
ALERT = "{{ALERT}} error connecting to datastore: "
MYSQL_ROWS = [
    Row("password-odd", "mysql", **_odd("mysql")),
    Row("password-home", "mysql", **_odd("home")),
    Row("password-question", "mysql", NAME_WITH_QUERY, exits=True, **_odd("question")),
    Row("database-question", "mysql", NAME_WITH_QUERY, exits=True, database="a?b"),
    Row("user-colon", "mysql", "Error 1045 (28000): Access denied for user 'user'@", user="user:home", **ODD_LOGIN),
    Row("user-at", "mysql", user="user@home", **ODD_LOGIN),
    Row("user-slash", "mysql", user="user/home", **ODD_LOGIN),
    Row("user-space", "mysql", user="user home", **ODD_LOGIN),
    Row("database-slash", "mysql", "invalid MySQL DSN: invalid DSN: did you forget to escape a param value?", exits=True, database="a/b"),
    Row("database-percent", "mysql", 'invalid MySQL DSN: invalid dbname "a%b": invalid URL escape "%b"', exits=True, database="a%b"),
    Row("database-escape", "mysql", "Error 1049 (42000): Unknown database 'aAb'", database="a%41b"),
    Row("database-space", "mysql", database="odd space"),
    Row("database-hash", "mysql", database="odd#hash"),
    Row("database-and", "mysql", database="odd&and"),
    Row("database-dash", "mysql", database="odd-dash"),
    Row("password-wrong", "mysql", "(attempt 1/25): Error 1045 (28000): Access denied for user 'registry'@", password="wrong"),
    Row("tls-only-plaintext", "mysql", "(attempt 1/25): Error 1045 (28000): Access denied for user 'registry_tls'@", **TLS_LOGIN),
    Row("tls-only-ca", "mysql", ca="right", **TLS_LOGIN),
    Row("tls-only-wrong-ca", "mysql", ca="wrong", **TLS_LOGIN),
    Row("database-missing", "mysql", "Error 1049 (42000): Unknown database 'nope'", database=databases.MISSING_DATABASE),
    Row("host-unknown", "mysql", "dial tcp: lookup nohost.invalid", host="nohost.invalid"),
    Row("host-without-namespace", "mysql", "no such host", host="mysql"),
    Row("host-short", "mysql", host="mysql.data"),
    Row("host-refuses", "mysql", "connect: connection refused", host=POSTGRESQL),
    Row("ca-right", "mysql", ca="right"),
    Row("ca-wrong", "mysql", ca="wrong"),
    Row("verify-right", "mysql", ca="right", verify=True),
    Row("verify-wrong", "mysql", f"tls: failed to verify certificate: x509: {NOT_TRUSTED}", ca="wrong", verify=True),
    Row("verify-host", "mysql", "x509: certificate is valid for mysql, mysql.data,", ca="right", verify=True, host="mysql-alias.data"),
    Row("verify-system", "mysql", f"tls: failed to verify certificate: x509: {NOT_TRUSTED}", verify=True),
    Row("cipher", "mysql", cipher="TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", **TLS_LOGIN),
    *(Row(f"client-{part}-alone", "mysql", client="client", client_parts=(part,), **TLS_LOGIN) for part in ("crt", "key")),
    Row("cipher-unknown", "mysql", ALERT + "invalid cipher suite: TLS_NONE", exits=True, cipher="TLS_NONE"),
    Row("cipher-insecure", "mysql", ALERT + "selected cipher suite is insecure: TLS_RSA_WITH_RC4_128_SHA", exits=True, cipher="TLS_RSA_WITH_RC4_128_SHA"),
    Row("ca-not-pem", "mysql", ALERT + "failed to parse SSL root certificate from /etc/mysql_ssl_rootcert/text", exits=True, ca="text"),
    Row("ca-missing", "mysql", ALERT + "failed to read SSL root certificate from /etc/mysql_ssl_rootcert/none: open", exits=True, ca="none"),
    Row("ca-folder", "mysql", "read /etc/mysql_ssl_rootcert/.: is a directory", exits=True, ca="."),
    Row("dirty", "mysql", f"{ALERT}Dirty database version {databases.DIRTY_VERSION}. Fix and force version.", exits=True, database=databases.DIRTY_DATABASE),
    Row("reader", "mysql", "CREATE command denied to user 'registry_reader'@", exits=True, user=READER.name, password=READER.password),
]
INVALID_PORT = "invalid EmbedMD config: invalid PostgreSQL DSN: parse"
POSTGRESQL_ROWS = [
    Row("password-odd", "postgresql", **_odd("postgresql")),
    *(Row(f"password-{key}", "postgresql", 'invalid port ":a" after host', exits=True, **_odd(key)) for key in ("question", "slash", "hash")),
    *(
        Row(f"password-{key}", "postgresql", "net/url: invalid userinfo", exits=True, **_odd(key))
        for key in ("space", "bracket", "quote", "angle", "brace", "caret", "backslash", "pipe")
    ),
    Row("password-percent", "postgresql", 'failed SASL auth: FATAL: password authentication failed for user "odd_percent" (SQLSTATE 28P01)', **_odd("percent")),
    Row("password-escape", "postgresql", 'invalid URL escape "%zz"', exits=True, **_odd("escape")),
    *(
        Row(f"encoded-{key}", "postgresql", **_encoded(key))
        for key in ("question", "slash", "hash", "space", "bracket", "quote", "angle", "brace", "caret", "backslash", "pipe", "percent", "escape")
    ),
    Row("password-wrong", "postgresql", "(attempt 1/25): failed to connect to `user=registry database=", password="wrong"),
    Row("database-missing", "postgresql", 'server error: FATAL: database "nope" does not exist (SQLSTATE 3D000)', database=databases.MISSING_DATABASE),
    Row("host-unknown", "postgresql", "hostname resolving error: lookup nohost.invalid", host="nohost.invalid"),
    Row("tls-only-plaintext", "postgresql", "no encryption (SQLSTATE 28000)", **TLS_LOGIN),
    *(Row(f"tls-only-{mode}", "postgresql", ssl_mode=mode, **TLS_LOGIN) for mode in ("allow", "require")),
    Row("tls-only-ca-disable", "postgresql", ca="right", **TLS_LOGIN),
    *(Row(f"ca-{mode}", "postgresql", ca="right", ssl_mode=mode) for mode in ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")),
    *(Row(f"wrong-ca-{mode}", "postgresql", f"x509: {NOT_TRUSTED}", ca="wrong", ssl_mode=mode) for mode in ("disable", "require", "verify-full")),
    Row("ca-host", "postgresql", ca="right", ssl_mode="verify-full", host="postgres-alias.data"),
    Row("system-verify-ca", "postgresql", f"x509: {NOT_TRUSTED}", ssl_mode="verify-ca"),
    Row("system-verify-full", "postgresql", f"tls: failed to verify certificate: x509: {NOT_TRUSTED}", ssl_mode="verify-full"),
    *(Row(f"no-ca-{mode}", "postgresql", ssl_mode=mode) for mode in ("disable", "prefer", "require")),
    Row("ca-not-pem", "postgresql", "failed to configure TLS (unable to add CA to cert pool)", ca="text"),
    Row(
        "dirty", "postgresql", f"{ALERT}Dirty database version {databases.DIRTY_VERSION}. Fix and force version.", exits=True, database=databases.DIRTY_DATABASE
    ),
    Row("reader", "postgresql", "permission denied for schema public", exits=True, user=READER.name, password=READER.password),
]
OF_MARIADB_TOO = ("password-odd", "password-wrong", "tls-only-plaintext", "tls-only-ca", "database-missing", "verify-right", "dirty", "reader")
MARIADB_ROWS = [replace(row, kind=databases.MARIADB) for row in MYSQL_ROWS if row.name in OF_MARIADB_TOO]
ROWS = [*MYSQL_ROWS, *MARIADB_ROWS, *POSTGRESQL_ROWS]


@dataclass(frozen=True)
class Outcome:
    """What became of a row's pod."""

    ready: bool
    exit_code: int | None
    log: str


def pod_name(row: Row) -> str:
    return f"{row.kind}-{row.name}"


def database_of(row: Row) -> str:
    return f"row-{row.name}" if row.database is None else row.database


def needs_database(row: Row) -> bool:
    """Whether the row's server gets as far as to open a database of its own."""
    return row.database is None and (row.expected == SERVES or row.user == READER.name)


def registry_pod(name: str, arguments: list[str], variable: str, secret: str, key: str, ca_folder: str = "") -> Object:
    """A pod as the operator's Deployment makes it, as far as it matters to the server."""

    def probe(what: str, delay: int, period: int, failures: int) -> Object:
        request = {"path": f"/readyz/{what}", "port": "http-api"}
        return {"httpGet": request, "initialDelaySeconds": delay, "periodSeconds": period, "timeoutSeconds": 5, "failureThreshold": failures}

    container: Object = {
        "name": "rest-container",
        "image": "registry",
        "command": ["/model-registry", "proxy"],
        "args": ["--hostname=0.0.0.0", "--port=8080", *arguments],
        "env": [{"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}],
        "ports": [{"name": "http-api", "containerPort": 8080}],
        "livenessProbe": probe("isDirty", 30, 10, 3),
        "startupProbe": probe("isDirty", 10, 5, 6),
        "readinessProbe": probe("health", 5, 10, 3),
    }
    spec: Object = {"containers": [container], "automountServiceAccountToken": False}
    if ca_folder:
        container["volumeMounts"] = [{"name": "ca", "mountPath": ca_folder, "readOnly": True}]
        spec["volumes"] = [{"name": "ca", "configMap": {"name": "ca"}}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}


def row_pod(row: Row) -> Object:
    """The pod of a row, by the operator's templates."""
    speaks_mysql, host = databases.speaks_mysql(row.kind), row.host or f"{databases.SERVICES[row.kind]}.data.svc.cluster.local"
    folder = ("/etc/mysql_ssl_rootcert" if speaks_mysql else "/etc/postgres_ssl_rootcert") if row.ca or row.client else ""
    if speaks_mysql:
        dsn = f"{row.user}:$(MYSQL_PASSWORD)@tcp({host}:3306)/{database_of(row)}?charset=utf8mb4"
        arguments, variable = ["--embedmd-database-type=mysql"], "MYSQL_PASSWORD"
    else:
        dsn = f"postgresql://{row.user}:$(POSTGRES_PASSWORD)@{host}:5432/{database_of(row)}?sslmode={row.ssl_mode}"
        arguments, variable = ["--embedmd-database-type=postgres"], "POSTGRES_PASSWORD"
    arguments.append(f"--embedmd-database-dsn={dsn}")
    if row.ca:
        arguments.append(f"--embedmd-database-ssl-root-cert={folder}/{row.ca}")
    if row.client:
        flags = {"crt": "cert", "key": "key"}
        arguments += [f"--embedmd-database-ssl-{flags[end]}={folder}/{row.client}.{end}" for end in row.client_parts]
    if row.verify:
        arguments.append("--embedmd-database-ssl-verify-server-cert=true")
    if row.cipher:
        arguments.append(f"--embedmd-database-ssl-cipher={row.cipher}")
    return registry_pod(pod_name(row), arguments, variable, "passwords", pod_name(row), folder)


def secret(name: str, **values: str) -> Object:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "stringData": values}


def ca_bundle(layout: Layout) -> Object:
    texts = {"right": layout.path("pki", "database-ca.crt").read_text(), "wrong": layout.path("pki", "other-ca.crt").read_text(), "text": "no certificate"}
    texts |= {name: layout.path("pki", name).read_text() for pair in ("client", "other-client", "database") for name in (f"{pair}.crt", f"{pair}.key")}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ca", "namespace": NAMESPACE}, "data": texts}


PODS = path("v1", "pods", NAMESPACE)


async def log_of(api: Api, pod: str, **query: str) -> str:
    """A pod's log through the API server, as `kubectl logs` gets it; empty while there is none."""
    try:
        return str(await api.get(f"{PODS}/{pod}/log", container="rest-container", **query))
    except ApiError:
        return ""


def is_ready(pod: Object) -> bool:
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in pod["status"].get("conditions") or [])


def container_status(pod: Object) -> Object:
    statuses: list[Object] = pod["status"].get("containerStatuses") or [{}]
    return statuses[0]


@contextlib.asynccontextmanager
async def api_with_namespace(layout: Layout) -> AsyncIterator[Api]:
    async with Api(layout, "node-tests") as api:
        await api.apply(path("v1", "namespaces", None, NAMESPACE), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        yield api


async def eventually(what: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
    """The first true answer."""
    deadline = time.monotonic() + seconds
    while not (answer := await what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.2)
    return answer


async def create_pod(api: Api, pod: Object) -> None:
    """Make a pod; an earlier one of its name is removed first."""
    name = pod["metadata"]["name"]
    await api.delete(f"{PODS}/{name}")

    async def gone() -> bool:
        return await api.find(f"{PODS}/{name}") is None

    await eventually(gone)
    await api.create(PODS, pod)


async def run_rows(layout: Layout) -> dict[str, Outcome]:
    """Start the pods of all rows together and wait until each has done what is expected of it, or for too long."""
    async with api_with_namespace(layout) as api:
        await api.apply(path("v1", "secrets", NAMESPACE, "passwords"), secret("passwords", **{pod_name(row): row.password for row in ROWS}))
        await api.apply(path("v1", "configmaps", NAMESPACE, "ca"), ca_bundle(layout))
        await asyncio.gather(*(create_pod(api, row_pod(row)) for row in ROWS))
        outcomes: dict[str, Outcome] = {}
        deadline = time.monotonic() + ROWS_SECONDS
        while len(outcomes) < len(ROWS) and time.monotonic() < deadline:
            pods = {pod["metadata"]["name"]: pod for pod in (await api.get(PODS))["items"]}
            for row in ROWS:
                name = pod_name(row)
                if name not in outcomes and name in pods:
                    outcome = await observe(api, pods[name])
                    if is_as_expected(row, outcome) or time.monotonic() + 2 > deadline:
                        outcomes[name] = outcome
            await asyncio.sleep(0.3)
        return outcomes


async def observe(api: Api, pod: Object) -> Outcome:
    status = container_status(pod)
    ended = (status.get("lastState") or {}).get("terminated") or (status.get("state") or {}).get("terminated")
    return Outcome(is_ready(pod), ended["exitCode"] if ended else None, await log_of(api, pod["metadata"]["name"]))


def is_as_expected(row: Row, outcome: Outcome) -> bool:
    if row.expected == SERVES:
        return outcome.ready
    return row.expected in outcome.log and (outcome.exit_code == 1 if row.exits else True)


@pytest.fixture(scope="module")
def outcomes(layout: Layout) -> Iterator[dict[str, Outcome]]:
    own = {kind: [database_of(row) for row in ROWS if row.kind == kind and needs_database(row)] for kind in SERVERS}
    for kind, names in own.items():
        databases.create_databases(layout, kind, names)
    yield asyncio.run(run_rows(layout))
    asyncio.run(remove_namespace(layout))
    for kind, names in own.items():
        for name in names:
            databases.drop_database(layout, kind, name)


async def remove_namespace(layout: Layout) -> None:
    async with Api(layout, "node-tests") as api:
        await api.delete(path("v1", "namespaces", None, NAMESPACE))

        async def gone() -> bool:
            return await api.find(path("v1", "namespaces", None, NAMESPACE)) is None

        await eventually(gone, 60)


@pytest.mark.parametrize("row", ROWS, ids=pod_name)
def test_server_does_with_its_database_what_the_real_one_does(outcomes: dict[str, Outcome], row: Row) -> None:
    outcome = outcomes[pod_name(row)]
    if row.expected == SERVES:
        assert outcome.ready, outcome.log
        assert "EmbedMD service connected" in outcome.log
    else:
        assert not outcome.ready
        assert row.expected in outcome.log
    assert outcome.exit_code == (1 if row.exits else None)


@pytest.mark.parametrize(("kind", "version"), [("mysql", 21), ("postgresql", 25)])
def test_first_connection_makes_the_schema(outcomes: dict[str, Outcome], layout: Layout, kind: str, version: int) -> None:
    assert outcomes[f"{kind}-password-odd"].ready
    with databases.administration(layout, kind, "row-password-odd") as run:
        assert [tuple(map(int, row)) for row in run("SELECT version, dirty FROM schema_migrations")] == [(version, 0)]


def test_unreachable_server_is_killed_when_its_startup_probe_has_failed(outcomes: dict[str, Outcome], layout: Layout) -> None:
    """It takes half a minute: the probe begins after 10 s and fails six times, 5 s apart."""
    name = "mysql-password-wrong"
    assert not outcomes[name].ready

    async def story() -> None:
        async with api_with_namespace(layout) as api:

            async def restarted() -> Object | None:
                pod = await api.get(f"{PODS}/{name}")
                return pod if container_status(pod)["restartCount"] else None

            pod = await eventually(restarted, 60)
            ended = container_status(pod)["lastState"]["terminated"]
            assert ended["reason"] == "Error"
            assert ended["exitCode"] == 2
            assert "attempt 8/25" in await log_of(api, name, previous="true")
            events = (await api.get(path("v1", "events", NAMESPACE), fieldSelector=f"involvedObject.name={name}"))["items"]
            assert {"Unhealthy", "Killing"} <= {event["reason"] for event in events}

    asyncio.run(story())


def test_crashing_server_is_started_again_with_growing_pauses(outcomes: dict[str, Outcome], layout: Layout) -> None:
    name = "mysql-dirty"
    assert outcomes[name].exit_code == 1

    async def story() -> None:
        async with api_with_namespace(layout) as api:

            async def waits() -> Object | None:
                status = container_status(await api.get(f"{PODS}/{name}"))
                waiting: Object = status["state"].get("waiting") or {}
                return waiting if waiting.get("reason") == "CrashLoopBackOff" and status["restartCount"] > 1 else None

            waiting = await eventually(waits, 40)
            assert re.match(rf"back-off (20s|40s|1m20s) restarting failed container=rest-container pod={name}_{NAMESPACE}\(", waiting["message"])
            events = (await api.get(path("v1", "events", NAMESPACE), fieldSelector=f"involvedObject.name={name},reason=BackOff"))["items"]
            assert events

    asyncio.run(story())


def mysql_pod(name: str, secret_name: str = "login", key: str = "password", ca_folder: str = "") -> Object:
    dsn = f"{REGISTRY.name}:$(MYSQL_PASSWORD)@tcp(mysql.data.svc.cluster.local:3306)/registry_48?charset=utf8mb4"
    return registry_pod(name, ["--embedmd-database-type=mysql", f"--embedmd-database-dsn={dsn}"], "MYSQL_PASSWORD", secret_name, key, ca_folder)


async def waiting_for(api: Api, name: str, reason: str) -> str:
    """The message with which a container waits for this reason."""

    async def message() -> str | None:
        waiting = (container_status(await api.get(f"{PODS}/{name}")).get("state") or {}).get("waiting") or {}
        return waiting.get("message", "-") if waiting.get("reason") == reason else None

    return str(await eventually(message))


async def ready(api: Api, name: str) -> None:
    async def check() -> bool:
        return is_ready(await api.get(f"{PODS}/{name}"))

    await eventually(check)


def test_missing_secret_is_told_and_recovered_from(layout: Layout) -> None:
    async def story() -> None:
        async with api_with_namespace(layout) as api:
            await api.delete(path("v1", "secrets", NAMESPACE, "late"))
            await create_pod(api, mysql_pod("late-secret", "late"))
            assert await waiting_for(api, "late-secret", "CreateContainerConfigError") == 'secret "late" not found'
            await api.apply(path("v1", "secrets", NAMESPACE, "late"), secret("late", other="x"))

            async def key_missing() -> bool:
                return await waiting_for(api, "late-secret", "CreateContainerConfigError") == f"couldn't find key password in Secret {NAMESPACE}/late"

            await eventually(key_missing)
            await api.apply(path("v1", "secrets", NAMESPACE, "late"), secret("late", password=REGISTRY.password))
            await ready(api, "late-secret")

    asyncio.run(story())


def test_missing_ca_keeps_the_container_creating(layout: Layout) -> None:
    async def story() -> None:
        async with api_with_namespace(layout) as api:
            await api.apply(path("v1", "secrets", NAMESPACE, "login"), secret("login", password=REGISTRY.password))
            await api.delete(path("v1", "configmaps", NAMESPACE, "ca"))
            await create_pod(api, mysql_pod("late-ca", ca_folder="/etc/mysql_ssl_rootcert"))

            async def told() -> bool:
                events = (await api.get(path("v1", "events", NAMESPACE), fieldSelector="involvedObject.name=late-ca,reason=FailedMount"))["items"]
                return any('MountVolume.SetUp failed for volume "ca" : configmap "ca" not found' in event["message"] for event in events)

            await eventually(told)
            await waiting_for(api, "late-ca", "ContainerCreating")
            await api.apply(path("v1", "configmaps", NAMESPACE, "ca"), ca_bundle(layout))
            await ready(api, "late-ca")

    asyncio.run(story())


def test_running_server_keeps_the_password_it_started_with(layout: Layout) -> None:
    account = "odd_home"

    async def story() -> None:
        async with api_with_namespace(layout) as api:
            pod = mysql_pod("keeps", "rotating")
            pod["spec"]["containers"][0]["args"][-1] = pod["spec"]["containers"][0]["args"][-1].replace(REGISTRY.name + ":", account + ":")
            await api.apply(path("v1", "secrets", NAMESPACE, "rotating"), secret("rotating", password=ODD_PASSWORDS["home"]))
            await create_pod(api, pod)
            await ready(api, "keeps")
            await api.apply(path("v1", "secrets", NAMESPACE, "rotating"), secret("rotating", password="new"))
            await asyncio.sleep(12)
            current = await api.get(f"{PODS}/keeps")
            assert is_ready(current)
            assert container_status(current)["restartCount"] == 0
            databases.set_password(layout, "mysql", account, "new")
            await create_pod(api, pod)
            await ready(api, "keeps")

    try:
        asyncio.run(story())
    finally:
        databases.set_password(layout, "mysql", account, ODD_PASSWORDS["home"])


def test_other_pods_run_at_once_and_go_when_deleted(layout: Layout) -> None:
    async def story() -> None:
        async with api_with_namespace(layout) as api:
            containers = [{"name": name, "image": "there.is/none:1"} for name in ("one", "two")]
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "plain", "namespace": NAMESPACE}, "spec": {"containers": containers}}
            await create_pod(api, pod)
            await ready(api, "plain")
            status = (await api.get(f"{PODS}/plain"))["status"]
            assert status["phase"] == "Running"
            assert status["podIP"].startswith("10.")
            assert [entry["ready"] for entry in status["containerStatuses"]] == [True, True]
            await api.delete(f"{PODS}/plain")

            async def gone() -> bool:
                return await api.find(f"{PODS}/plain") is None

            await eventually(gone, 5)

    asyncio.run(story())


def test_pod_delay_fault_delays_the_start(layout: Layout) -> None:
    async def story() -> None:
        async with api_with_namespace(layout) as api:
            await api.apply(path("v1", "secrets", NAMESPACE, "login"), secret("login", password=REGISTRY.password))
            created = time.monotonic()
            await create_pod(api, mysql_pod("delayed"))
            await waiting_for(api, "delayed", "ContainerCreating")
            await ready(api, "delayed")
            assert time.monotonic() - created > 4

    faults.set_switches(layout, pod_delay_seconds=4)
    try:
        asyncio.run(story())
    finally:
        faults.set_switches(layout, pod_delay_seconds=0)


def test_registered_models_stay_in_the_database_of_their_registry(layout: Layout) -> None:
    async def story() -> None:
        async with api_with_namespace(layout) as api, aiohttp.ClientSession() as http:
            await api.apply(path("v1", "secrets", NAMESPACE, "login"), secret("login", password=REGISTRY.password))
            for name, database in (("first", "models-one"), ("same", "models-one"), ("other", "models-two")):
                pod = mysql_pod(name)
                pod["spec"]["containers"][0]["args"][-1] = pod["spec"]["containers"][0]["args"][-1].replace("registry_48", database)
                await create_pod(api, pod)
                await ready(api, name)

            async def call(method: str, pod: str, place: str, **body: str) -> tuple[int, Any]:
                url = f"{web.pods_url(layout)}/{NAMESPACE}/{pod}/{place}"
                async with http.request(method, url, json=body or None) as answer:
                    text = await answer.text()
                    return answer.status, json.loads(text) if text.startswith("{") else text

            models = "api/model_registry/v1alpha3/registered_models"
            assert (await call("GET", "first", "readyz/health")) == (200, "OK")
            assert (await call("GET", "first", "readyz/isDirty?format=json"))[1]["checks"]["database"]["Details"]["schema_version"] == 21
            status, made = await call("POST", "first", models, name="fraud", description="finds it")
            assert status == 201
            assert made["description"] == "finds it"
            assert (await call("POST", "same", models, name="fraud"))[0] == 409
            assert [model["name"] for model in (await call("GET", "same", models + "?pageSize=1"))[1]["items"]] == ["fraud"]
            assert (await call("GET", "other", models))[1]["items"] == []
            assert (await call("GET", "nobody", models))[0] == 502

    names = ["models-one", "models-two"]
    databases.create_databases(layout, "mysql", names)
    try:
        asyncio.run(story())
    finally:
        for name in names:
            databases.drop_database(layout, "mysql", name)


def generated_postgresql() -> list[tuple[str, Object]]:
    """What the operator makes for a generated PostgreSQL."""
    labels = {"app": "fraud", "component": "model-registry", "app.kubernetes.io/name": "fraud-postgres"}
    credentials = "fraud-postgres-credentials"
    env: list[Object] = [{"name": "POSTGRESQL_DATABASE", "value": "model_registry"}]
    env += [{"name": f"POSTGRESQL_{key.upper()}", "valueFrom": {"secretKeyRef": {"name": credentials, "key": key}}} for key in ("username", "password")]
    env[1]["name"] = "POSTGRESQL_USER"
    container = {
        "name": "postgres",
        "image": "postgresql",
        "env": env,
        "volumeMounts": [{"name": "postgres-storage", "mountPath": "/var/lib/pgsql/data"}],
        "readinessProbe": {"exec": {"command": ["check"]}, "initialDelaySeconds": 5, "periodSeconds": 10, "timeoutSeconds": 5},
    }
    volume = {"name": "postgres-storage", "persistentVolumeClaim": {"claimName": "fraud-postgres-storage"}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], "volumes": [volume]}}
    kinds: list[tuple[str, Object, str]] = [
        ("secrets", {"apiVersion": "v1", "kind": "Secret", "stringData": {"username": "modelregistry", "password": "generated"}}, credentials),
        (
            "persistentvolumeclaims",
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
            },
            "fraud-postgres-storage",
        ),
        ("services", {"apiVersion": "v1", "kind": "Service", "spec": {"selector": labels, "ports": [{"port": 5432}]}}, "fraud-postgres"),
        ("pods", {"apiVersion": "v1", "kind": "Pod", **template}, "fraud-postgres"),
    ]
    return [(plural, {**manifest, "metadata": {**manifest.get("metadata", {}), "name": name, "namespace": NAMESPACE}}) for plural, manifest, name in kinds]


def test_generated_postgresql_serves_and_its_data_goes_with_its_claim(layout: Layout) -> None:
    async def story() -> None:
        async with api_with_namespace(layout) as api, aiohttp.ClientSession() as http:
            for plural, manifest in generated_postgresql():
                await api.create(path("v1", plural, NAMESPACE), manifest)
            dsn = "--embedmd-database-dsn=postgresql://modelregistry:$(POSTGRES_PASSWORD)@fraud-postgres:5432/model_registry?sslmode=disable"
            pod = registry_pod("fraud", ["--embedmd-database-type=postgres", dsn], "POSTGRES_PASSWORD", "fraud-postgres-credentials", "password")
            await create_pod(api, pod)
            await ready(api, "fraud")
            models = f"{web.pods_url(layout)}/{NAMESPACE}/fraud/api/model_registry/v1alpha3/registered_models"
            async with http.post(models, json={"name": "kept"}) as answer:
                assert answer.status == 201
            # The data outlives the pods.
            database_pod = next(manifest for plural, manifest in generated_postgresql() if plural == "pods")
            await create_pod(api, database_pod)
            await create_pod(api, pod)
            await ready(api, "fraud")
            async with http.get(models) as answer:
                assert [model["name"] for model in (await answer.json())["items"]] == ["kept"]
            claim = await api.get(path("v1", "persistentvolumeclaims", NAMESPACE, "fraud-postgres-storage"))
            folder = layout.data / f"claim-{claim['metadata']['uid']}"
            assert folder.exists()
            await api.delete(f"{PODS}/fraud")
            for plural, manifest in reversed(generated_postgresql()):
                await api.delete(path("v1", plural, NAMESPACE, manifest["metadata"]["name"]))

            async def removed() -> bool:
                return not folder.exists() and await api.find(path("v1", "persistentvolumes", None, claim["spec"]["volumeName"])) is None

            await eventually(removed)

    asyncio.run(story())


def test_log_can_be_read_in_parts_and_followed(layout: Layout) -> None:
    async def story() -> None:
        async with api_with_namespace(layout) as api:
            await api.apply(path("v1", "secrets", NAMESPACE, "login"), secret("login", password=REGISTRY.password))
            await create_pod(api, mysql_pod("talks"))
            await ready(api, "talks")
            assert (await log_of(api, "talks", tailLines="1")).rstrip().endswith("EmbedMD service connected")
            assert len(await log_of(api, "talks", limitBytes="10")) == 10
            assert "Proxy server started" in await log_of(api, "talks", sinceSeconds="60")
            following = asyncio.create_task(log_of(api, "talks", follow="true"))
            await asyncio.sleep(1)
            assert not following.done()
            await api.delete(f"{PODS}/talks")
            assert "EmbedMD service connected" in await following

    asyncio.run(story())
