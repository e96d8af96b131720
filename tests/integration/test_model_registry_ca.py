"""The CA of a registry's database: put into the cluster, checked before any write, rotated under a registry that answers, and removed."""

from __future__ import annotations

import asyncio
import base64
import ssl
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.x509 import load_pem_x509_certificate

from sandbox import controlplane, databases
from sandbox.certificates import service_names
from sandbox.layout import DATABASE_NAMESPACE, Layout
from tests.dashboard import Dashboard, Form, Upload, database_of
from tests.helpers import REGISTRIES, Cluster, ProcessLists, Run, Runner, Task, footprint

MODULE = "modelops.openshift_ai.model_registry_ca"
CONFIG_MAPS = ("v1", "configmaps")
SECRETS = ("v1", "secrets")


def ca(options: dict[str, Any], **given: Any) -> Task:
    """A task of the module."""
    return Task(options, MODULE, **given)


def pem_of(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


@pytest.fixture(scope="module")
def authority(layout: Layout) -> str:
    """The CA that signed the databases' certificate."""
    return layout.path("pki", "database-ca.crt").read_text()


@pytest.fixture(scope="module")
def other(layout: Layout) -> str:
    """A CA that signed nothing here."""
    return layout.path("pki", "other-ca.crt").read_text()


@pytest.fixture(scope="module")
def logins(layout: Layout) -> Iterator[dict[str, dict[str, Any]]]:
    """The option `database` for one database of each kind, without a CA."""
    name = f"ca_{uuid.uuid4().hex[:8]}"
    login = {"namespace": "data", "name": name, "username": databases.REGISTRY.name, "password": databases.REGISTRY.password}
    for kind in databases.KINDS:
        databases.create_databases(layout, kind, [name])
    yield {kind: {"type": kind, "host": databases.SERVICES[kind], **login} for kind in databases.KINDS}
    for kind in databases.KINDS:
        databases.drop_database(layout, kind, name)


@pytest.fixture
def own(cluster: Cluster) -> Iterator[str]:
    """The beginning of all names that a test uses; what it made is removed afterwards."""
    prefix = f"ca-{uuid.uuid4().hex[:6]}"
    yield prefix
    for kind in (REGISTRIES, CONFIG_MAPS, SECRETS):
        for item in cluster.items(*kind):
            if item["metadata"]["name"].startswith(prefix):
                cluster.delete(*kind, item["metadata"]["name"])


def data_of(cluster: Cluster, name: str, key: str = "ca.crt") -> str | None:
    found = cluster.get(*CONFIG_MAPS, name)
    return None if found is None else found["data"].get(key)


class Callers:
    """While it is entered: each registry is asked for its models again and again; what it did not answer as it should is kept."""

    def __init__(self, layout: Layout, registries: list[str]) -> None:
        self._layout, self._registries = layout, registries
        self.answers, self.failures = 0, []  # type: int, list[str]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._call()), daemon=True)

    def __enter__(self) -> Callers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    async def _call(self) -> None:
        while not self._ended.is_set():
            for registry in self._registries:
                # For a moment a router may send callers to a server that has just ended; who asks again is answered, long before a server could start.
                answers = [await self._answer(registry)]
                while answers[-1] != "200" and len(answers) < 4:
                    await asyncio.sleep(0.2)
                    answers.append(await self._answer(registry))
                self.answers += 1
                if answers[-1] != "200":
                    self.failures.append(f"{registry}: {answers}")
            await asyncio.sleep(0.05)

    async def _answer(self, registry: str) -> str:
        tls = ssl.create_default_context(cafile=str(self._layout.path("pki", "ingress-ca.crt")))
        headers = {"Authorization": f"Bearer {controlplane.ADMIN_TOKEN}"}
        url = f"https://{registry}-rest.apps.sandbox.test/api/model_registry/v1alpha3/registered_models?pageSize=1"
        try:
            # A connection of its own, as a new caller has.
            async with aiohttp.ClientSession() as session, session.get(url, headers=headers, proxy=self._layout.router_url, ssl=tls) as answer:
                return str(answer.status)
        except (aiohttp.ClientError, OSError) as error:
            return str(error)


def restarted(run: Run) -> list[str]:
    """The registries whose servers a run restarted."""
    return [change["name"] for change in run.result["changes"] if change["action"] == "restart"]


def test_a_rollover_without_downtime(cluster: Cluster, automation: Runner, layout: Layout, own: str, logins: Any, authority: str) -> None:
    """The new CA beside the old one, the databases' certificate changed, the old CA removed; two registries read the bundle, and one does not."""
    bundle, new = f"{own}-bundle", trustme.CA(organization_name="the next CA")
    reference = {"source": "config_map", "name": bundle, "key": "ca.crt"}
    readers = {f"{own}-{kind}": logins[kind] | {"ca": reference} for kind in databases.KINDS}
    apart = f"{own}-apart"
    names = [name for service in ("mysql", "postgres") for name in service_names(service, DATABASE_NAMESPACE)]
    # Without the address of PostgreSQL, whose host name the product does not check.
    leaf = new.issue_cert(*names, databases.address(layout, "mysql"))
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    proofs = {kind: {"type": kind, "host": databases.address(layout, kind)} for kind in databases.KINDS}

    made = automation.sequence(
        [
            ca({"name": bundle, "pem": authority, "database": proofs["mysql"]}),
            *(Task({"name": name, "database": database}) for name, database in readers.items()),
            Task({"name": apart, "database": logins["mysql"] | {"ca": {"source": "cluster"}}}),
        ]
    )
    assert not [run.output for run in made if run.failed]
    assert made[0].changes == [("create", "ConfigMap")]
    with Callers(layout, [*readers, apart]) as callers:
        predicted, added = automation.sequence(
            [
                ca({"name": bundle, "pem": pem_of(new), "mode": "add", "database": proofs["mysql"]}, check=True, diff=True),
                ca({"name": bundle, "pem": pem_of(new), "mode": "add", "database": proofs["mysql"]}, diff=True),
            ]
        )
        databases.change_certificate(layout, chain, leaf.private_key_pem.bytes(), new.cert_pem.bytes())
        try:
            refused, removed, settled, with_host = automation.sequence(
                [
                    ca({"name": bundle, "pem": authority, "database": proofs["postgresql"]}),
                    ca({"name": bundle, "pem": pem_of(new), "database": proofs["mysql"]}, diff=True),
                    ca({"name": bundle, "pem": pem_of(new)}),
                    ca({"name": bundle, "pem": pem_of(new), "database": proofs["postgresql"]}),
                ]
            )
        finally:
            databases.restore_certificate(layout)
    assert callers.answers > 20 and callers.failures == []

    assert not predicted.failed and predicted.writes == [], predicted.output
    assert [change | {"unverified": None} for change in predicted.result["changes"]] == [change | {"unverified": None} for change in added.result["changes"]]
    assert not added.failed and added.changes == [("update", "ConfigMap"), *[("restart", "Deployment")] * 2], added.output
    assert sorted(restarted(added)) == sorted(restarted(removed)) == sorted(readers)
    assert [entry["available"] for entry in added.result["registries"]] == [True, True]
    assert data_of(cluster, bundle) == pem_of(new)
    assert len(added.result["ca"]["certificates"]) == 2

    # With the new certificate the old CA alone does not go in any more, and the new one does.
    assert refused.failed and refused.writes == [], refused.output
    assert "does not verify the database" in refused.result["msg"] and refused.result["problems"][0]["option"] == "pem"
    assert not removed.failed and removed.result["ca"]["database"]["verified"] is True, removed.output
    assert "verify_server_cert" in removed.result["ca"]["database"]["product"]
    assert settled.changes == [] and not settled.failed
    # Signed by the CA, but not for that host: the product serves with it all the same, and it is told.
    assert not with_host.failed and with_host.result["ca"]["database"]["verified"] is True, with_host.output
    assert any("regardless of ssl_mode" in warning for warning in with_host.warnings)
    assert "not its host name" in with_host.result["ca"]["database"]["product"]
    # A diff shows whose certificates they are.
    shown = str(removed.result["diff"])
    assert "the next CA" in shown and "sandbox databases" in shown and "BEGIN" not in shown


def test_each_bad_input_is_named_before_any_write(
    cluster: Cluster, automation: Runner, layout: Layout, own: str, logins: Any, authority: str, other: str
) -> None:
    """What needs a controller, a cluster or a database to be seen; the rest is in the unit tests. No key and no password is told, however verbose.

    It takes more than 20 s: at -vvvv all modules are started, not forked, and meanwhile all processes of the machine are looked at.
    """
    files = automation.folder / "files"
    files.mkdir(exist_ok=True)
    der = base64.b64decode("".join(authority.splitlines()[1:-1]))
    key = layout.path("pki", "database-ca.key").read_text()
    keystore = pkcs12.serialize_key_and_certificates(None, None, None, [load_pem_x509_certificate(authority.encode())], BestAvailableEncryption(b"word"))
    windows = b"\xef\xbb\xbf" + (authority + other + authority).replace("\n", "\r\n").encode()
    for file, content in {"ca.der": der, "ca.p12": keystore, "windows.pem": windows, "empty.pem": b"", "key.pem": key.encode()}.items():
        (files / file).write_bytes(content)
    name = f"{own}-bundle"
    labelled = {"metadata": {"name": f"{own}-labelled", "labels": {"argocd.argoproj.io/instance": "platform"}}, "data": {"ca.crt": other}}
    cluster.create(*CONFIG_MAPS, labelled)
    many = {"name": "A B", "expiry_days": -1, "database": {"host": "db:1"}}
    too_large = "\n".join(certificate_number(der, number) for number in range(1900))
    wrong: list[tuple[dict[str, Any], list[str], str]] = [
        ({"path": "empty.pem"}, ["path"], "is empty"),
        ({"path": "ca.der"}, ["path"], "openssl x509 -inform der"),
        ({"path": "ca.p12"}, ["path"], "openssl pkcs12"),
        ({"path": "key.pem"}, ["path"], "private key"),
        ({"path": "/etc/only-on-the-managed-host.pem"}, ["path"], "ansible.builtin.slurp"),
        ({"path": "windows.pem", "pem": authority}, ["path"], "mutually exclusive"),
        (many | {"pem": authority + key}, ["name", "expiry_days", "pem", "database", "database"], "private key"),
        ({"pem": too_large}, ["pem"], "1048576"),
        ({"pem": authority, "name": "odh-trusted-ca-bundle", "key": "ca-bundle.crt"}, ["name"], "managed by the platform"),
        ({"name": f"{own}-labelled", "state": "absent"}, ["name"], "argocd.argoproj.io/instance"),
        ({"pem": other, "database": {"type": "postgresql", "host": layout.address("postgresql")}}, ["pem"], "is not signed by the CA"),
        ({"pem": other, "database": {"type": "mysql", "host": databases.address(layout, "mysql")}}, ["pem"], "is not signed by the CA"),
    ]
    password = "pass-word-of-the-look"
    described = logins["mysql"] | {"password": password}
    good = [{"path": "windows.pem"}, {"pem": other + authority, "database": described}]
    tasks = [ca({"name": name} | given, diff=True) for given in [*(given for given, _options, _said in wrong), *good, {"pme": key}]]
    tasks.append(Task({"name": name, "check_database": "warn", "database": described | {"ca": {"source": "upload", "pem": key}}}, check=True))
    with ProcessLists(layout) as processes:
        runs = automation.sequence(tasks, verbosity=4)
    assert processes.arguments_seen > 0
    for secret in (key.splitlines()[1], password):
        assert processes.holding(secret) == []
        assert [run.output for run in runs if secret in run.output] == []
    for (_given, options, said), run in zip(wrong, runs, strict=False):
        assert run.failed and run.writes == [], run.output
        assert said in run.result["msg"], run.result["msg"]
        assert [problem["option"].partition(".")[0] for problem in run.result["problems"]] == options
    accepted, same, misspelt, in_registry = runs[len(wrong) :]
    assert misspelt.failed and in_registry.failed and "private key" in in_registry.result["msg"]
    assert accepted.changes == [("create", "ConfigMap")], accepted.output
    assert data_of(cluster, name) == authority + other
    assert same.changes == [] and any("cannot be reached from this host" in warning for warning in same.warnings), same.output
    assert data_of(cluster, f"{own}-labelled") == other


def certificate_number(der: bytes, number: int) -> str:
    """Another signature is another certificate; whether it holds is not asked of a CA."""
    block = base64.encodebytes(der[:-4] + number.to_bytes(4, "big")).decode()
    return f"-----BEGIN CERTIFICATE-----\n{block}-----END CERTIFICATE-----"


def test_a_registry_and_its_ca_are_made_in_one_call(
    cluster: Cluster, automation: Runner, layout: Layout, own: str, logins: Any, authority: str, other: str
) -> None:
    """As the dashboard's upload makes it for MySQL; for PostgreSQL too, where that fails."""
    name = f"{own}-mysql"
    # Somebody has taken the first name, and an upload of another CA the second.
    for taken in (f"{name}-db-credential", f"{name}-db-credential-2"):
        cluster.create(*CONFIG_MAPS, {"metadata": {"name": taken}, "data": {"ca.crt": other}})
    made = automation.converged(name=name, database=logins["mysql"] | {"ca": {"source": "upload", "pem": authority}})
    assert made.changes == [("create", kind) for kind in ("ConfigMap", "Secret", "ModelRegistry")], made.output
    upload = f"{name}-db-credential-3"
    assert made.result["registry"]["database"]["ca"] == {"source": "config_map", "name": upload, "key": "ca.crt"}
    assert made.result["status"]["available"] and "BEGIN" not in str(made.result["diff"]) and "sandbox databases" in str(made.result["diff"])
    assert cluster.registry(name)["spec"]["mysql"]["verifyServerCert"] is True
    written = cluster.get(*CONFIG_MAPS, upload)
    assert written["data"] == {"ca.crt": authority}
    assert not {"labels", "annotations", "ownerReferences"} & set(written["metadata"])
    assert data_of(cluster, f"{name}-db-credential") == data_of(cluster, f"{name}-db-credential-2") == other
    files = automation.folder / "files"
    files.mkdir(exist_ok=True)
    (files / "both.pem").write_bytes(b"\xef\xbb\xbf# both\r\n" + (other + authority).replace("\n", "\r\n").encode())
    from_file = {"name": name, "database": {"ca": {"source": "upload", "path": "both.pem"}}}
    postgresql, changed, same, listed, refused, read, used, gone = automation.sequence(
        [
            Task({"name": f"{own}-postgresql", "database": logins["postgresql"] | {"ca": {"source": "upload", "pem": authority}}}),
            # Another CA beside it: the same ConfigMap, and the server starts again.
            Task({"name": name, "database": {"ca": {"source": "upload", "pem": authority + other}}}, diff=True),
            # What is there already is not written, whatever is around it.
            Task(from_file),
            Task({"registries": [from_file]}, "modelops.openshift_ai.model_registries"),
            Task({"name": name, "database": {"port": 0, "ca": {"source": "upload", "pem": authority + layout.path("pki", "database-ca.key").read_text()}}}),
            ca({"registry": name, "pem": other + authority}),
            ca({"registry": name, "state": "absent"}),
            ca({"registry": f"{name}-2", "state": "absent"}),
        ]
    )
    assert not postgresql.failed and postgresql.result["status"]["available"], postgresql.output
    assert cluster.registry(f"{own}-postgresql")["spec"]["postgres"]["sslRootCertificateConfigMap"]["name"] == f"{own}-postgresql-db-credential"
    assert changed.changes == [("update", "ConfigMap"), ("restart", "Deployment")], changed.output
    for unchanged in (same, listed):
        assert unchanged.changes == [] and unchanged.writes == [] and not unchanged.failed, unchanged.output
    assert [problem["option"] for problem in refused.result["problems"]] == ["database.port", "database.ca.pem"] and "private key" in refused.result["msg"]
    assert read.changes == [] and read.result["ca"]["name"] == upload, read.output
    assert [entry["name"] for entry in read.result["registries"]] == [name]
    assert used.failed and f"used by registry '{name}'" in used.result["msg"] and used.writes == []
    assert gone.changes == [] and not gone.failed


def test_an_upload_of_the_dashboard_is_rotated_and_ours_is_equal_to_it(
    cluster: Cluster, automation: Runner, own: str, logins: Any, authority: str, other: str
) -> None:
    ours, theirs = f"{own}-ours", f"{own}-their"
    Dashboard(cluster).create(theirs, Form(theirs, "", database_of(logins["mysql"]), Upload(authority)))
    cluster.create(*CONFIG_MAPS, {"metadata": {"name": f"{own}-beside-db-credential"}, "data": {"ca.crt": other}})
    made, adopted, put_off, put_back, rotated, later, beside, *removed = automation.sequence(
        [
            Task({"name": ours, "database": logins["mysql"] | {"ca": {"source": "upload", "pem": authority}, "verify_server_cert": False}}),
            Task({"name": theirs, "database": {"ca": {"source": "upload", "pem": authority}}}),
            ca({"registry": theirs, "pem": other, "mode": "add", "restart": False}),
            ca({"registry": theirs, "pem": authority, "restart": False}),
            ca({"registry": theirs, "pem": authority}),
            ca({"registry": f"{own}-later", "pem": authority}),
            ca({"registry": f"{own}-beside", "pem": authority}),
            *(ca({"registry": f"{own}-{registry}", "state": "absent"}) for registry in ("later", "beside")),
        ]
    )
    assert not made.failed and footprint(cluster, ours)["configmaps/<name>-db-credential"] == footprint(cluster, theirs)["configmaps/<name>-db-credential"]
    # An adopted registry keeps its value, and is warned about.
    assert adopted.changes == [] and any("does not verify the certificate" in warning for warning in adopted.warnings), adopted.output
    assert put_off.changes == [("update", "ConfigMap")] and [entry["restart_needed"] for entry in put_off.result["registries"]] == [True], put_off.output
    assert any("restart: false" in warning for warning in put_off.warnings)
    assert put_back.changes == [("update", "ConfigMap")]
    # The server is older than what it reads, and then available with it: what worked before is given up.
    assert rotated.changes == [("restart", "Deployment"), ("update", "ConfigMap")] and restarted(rotated) == [theirs], rotated.output
    assert later.changes == [("create", "ConfigMap")] and later.result["ca"]["name"] == f"{own}-later-db-credential"
    assert later.result["registries"] == []
    # The name was taken by somebody else, whose object stays.
    assert beside.result["ca"]["name"] == f"{own}-beside-db-credential-2" and data_of(cluster, f"{own}-beside-db-credential") == other
    assert [[change["name"] for change in run.result["changes"]] for run in removed] == [[later.result["ca"]["name"]], [beside.result["ca"]["name"]]]


def test_an_upload_before_the_registry_has_a_name_is_adopted_and_goes_with_it(
    cluster: Cluster, automation: Runner, own: str, logins: Any, authority: str, other: str
) -> None:
    name = f"{own}-early"
    Dashboard(cluster).create(name, Form(name, "", database_of(logins["mysql"]), Upload(authority, before_the_name=True)))
    assert cluster.registry(name)["spec"]["mysql"]["sslRootCertificateConfigMap"] == {"name": "db-credential", "key": "ca.crt"}
    adopted, added, read, used, gone = automation.sequence(
        [
            Task({"name": name, "database": {"ca": {"source": "upload", "pem": authority}}}),
            Task({"name": name, "database": {"ca": {"source": "upload", "pem": authority + other}}}),
            ca({"registry": name, "pem": other + authority}),
            ca({"registry": name, "state": "absent"}),
            Task({"name": name, "state": "absent"}),
        ]
    )
    assert adopted.changes == [] and adopted.writes == [], adopted.output
    assert added.changes == [("update", "ConfigMap"), ("restart", "Deployment")], added.output
    assert read.changes == [] and read.result["ca"]["name"] == "db-credential", read.output
    assert used.failed and f"used by registry '{name}'" in used.result["msg"], used.output
    assert ("delete", "ConfigMap") in gone.changes and cluster.get(*CONFIG_MAPS, "db-credential") is None, gone.output


def test_secrets_and_other_keys_are_handled_as_what_they_are(cluster: Cluster, automation: Runner, own: str, authority: str, other: str) -> None:
    cluster.create(*CONFIG_MAPS, {"metadata": {"name": f"{own}-mixed", "labels": {"team": "fraud"}}, "data": {"note": "kept", "ca.crt": other}})
    secret, mixed = {"name": f"{own}-secret", "kind": "secret", "key": "tls-ca.crt"}, {"name": f"{own}-mixed"}
    runs = automation.sequence(
        [
            ca(secret | {"pem": authority}, diff=True),
            ca(secret | {"pem": other, "mode": "add"}),
            ca(secret | {"pem": other + authority, "mode": "add"}),
            ca(mixed | {"pem": authority, "mode": "add"}),
            ca(mixed | {"state": "absent"}, check=True),
            ca(mixed | {"state": "absent"}),
            ca(mixed | {"state": "absent"}),
            ca(secret | {"state": "absent"}),
        ]
    )
    assert not [run.output for run in runs if run.failed]
    assert [run.changes for run in runs] == [
        *([("create", "Secret")], [("update", "Secret")], [], [("update", "ConfigMap")]),
        *([("update", "ConfigMap")], [("update", "ConfigMap")], [], [("delete", "Secret")]),
    ]
    assert [len(run.result["ca"]["certificates"]) for run in runs[:4]] == [1, 2, 2, 2]
    assert cluster.get(*CONFIG_MAPS, f"{own}-mixed")["data"] == {"note": "kept"}
    assert cluster.get(*SECRETS, f"{own}-secret") is None


# What a run does, by its module, and how many writes that takes.
KILLED = {"create": (Task.module, 3), "rotate": (MODULE, 2)}


def test_a_run_that_was_killed_after_any_write_is_completed_by_the_next(
    cluster: Cluster, automation: Runner, own: str, logins: Any, authority: str, other: str
) -> None:
    database = logins["postgresql"] | {"ca": {"source": "upload", "pem": authority}}
    # The first of each is left alone; it shows how it has to end, and that there are no more writes than these.
    names = {scenario: [f"{own}-{scenario}-{number}" for number in range(writes + 1)] for scenario, (_module, writes) in KILLED.items()}
    automation.sequence([Task({"name": name, "database": database}) for name in names["rotate"]])
    wanted = {name: {"name": name, "database": database, "wait": False} for name in names["create"]}
    wanted |= {name: {"registry": name, "pem": other, "mode": "add", "wait": False} for name in names["rotate"]}
    for scenario, (module, writes) in KILLED.items():
        for number in range(1, writes + 1):
            assert automation.killed_after(number, module=module, **wanted[names[scenario][number]])
    for scenario, (module, writes) in KILLED.items():
        runs = automation.sequence([Task(wanted[name], module) for name in names[scenario] for _turn in range(2)])
        for done, again in zip(runs[::2], runs[1::2], strict=True):
            assert not done.failed and again.changes == [] and again.writes == [], done.output + again.output
        assert len(runs[0].writes) == writes, runs[0].writes
        ends = [footprint(cluster, name) for name in names[scenario]]
        assert all(end == ends[0] for end in ends)


def test_a_database_is_looked_at_before_the_registry_is_written(
    cluster: Cluster, automation: Runner, layout: Layout, own: str, logins: Any, authority: str, other: str
) -> None:
    at = {kind: login | {"host": databases.address(layout, kind)} for kind, login in logins.items()}
    for database in at.values():
        del database["namespace"]
    name = f"{own}-looked"
    wrong_ca, wrong_password, far, made, edited, warned, reason = automation.sequence(
        [
            Task({"name": name, "check_database": "fail", "database": at["postgresql"] | {"ca": {"source": "upload", "pem": other}}}),
            Task({"name": name, "check_database": "fail", "database": at["postgresql"] | {"ca": {"source": "cluster"}, "password": "wrong-word"}}),
            Task({"name": name, "check_database": "fail", "database": logins["mysql"] | {"ca": {"source": "cluster"}}}, check=True),
            Task({"name": name, "check_database": "fail", "database": at["mysql"] | {"ca": {"source": "upload", "pem": authority}}}),
            Task({"name": name, "check_database": "fail", "allow_data_change": True, "database": {"name": "nope"}}),
            Task({"name": name, "check_database": "warn", "description": "Edited"}),
            Task({"name": name, "check_database": "warn", "wait_timeout": 30, "database": {"ca": {"source": "upload", "pem": other}}}),
        ]
    )
    for refused, said in ((wrong_ca, "is not signed by the CA"), (wrong_password, "password"), (edited, "does not exist")):
        assert refused.failed and refused.writes == [], refused.output
        assert {problem["option"] for problem in refused.result["problems"]} == {"check_database"} and said in refused.result["msg"], refused.result["msg"]
        assert "wrong-word" not in refused.output
    # What cannot be reached from this host is no failure of the database.
    assert not far.failed and any("cannot be reached from this host" in warning for warning in far.warnings), far.output
    assert not made.failed and made.result["status"]["available"], made.output
    assert not warned.failed and warned.changes == [("update", "ModelRegistry")] and warned.warnings == [], warned.output
    assert "database" not in warned.result
    # Asked only to warn, it writes; and when the registry then is not available, the database itself is named as the reason.
    assert reason.failed and reason.changes == [("update", "ConfigMap"), ("restart", "Deployment")], reason.output
    assert any(warning.startswith("check_database: ") and "not signed by the CA" in warning for warning in reason.warnings)
    assert "The check of the database from this host found: The certificate of the database is not signed by the CA" in reason.result["msg"]
