"""The whole life of one registry: made on every kind of database, edited here and in the dashboard in turn, moved, and deleted without leavings."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import databases, faults, lifecycle, processes
from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from tests import dashboard
from tests.dashboard import Dashboard, Form, Upload, database_of
from tests.helpers import AUTOMATION, RBAC, REGISTRIES, Cluster, Run, Runner, Task, account_with, converging_roles, roles_of, until

SECRETS = ("v1", "secrets")
CONFIG_MAPS = ("v1", "configmaps")
PERMISSION = "modelops.openshift_ai.model_registry_permission"
INFERENCE_SERVICES = ("serving.kserve.io/v1beta1", "inferenceservices")
SECTIONS = {"mysql": "mysql", "postgresql": "postgres", "generated": "postgres"}


@pytest.fixture
def options(layout: Layout, name: str) -> Iterator[Callable[..., dict[str, Any]]]:
    """Builds the option `database` for a new, empty database of a type."""
    made: list[tuple[str, str]] = []

    def of(kind: str, **changed: Any) -> dict[str, Any]:
        if kind == "generated":
            return {"type": "generated"}
        made.append((kind, f"life_{uuid.uuid4().hex[:10]}"))
        databases.create_databases(layout, kind, [made[-1][1]])
        login = {"username": databases.REGISTRY.name, "password": databases.REGISTRY.password}
        return {"type": kind, "host": databases.SERVICES[kind], "namespace": "data", "name": made[-1][1], **login, "ca": {"source": "cluster"}} | changed

    yield of
    for kind, database in made:
        databases.drop_database(layout, kind, database)


def named(cluster: Cluster, prefix: str, kind: tuple[str, str] = SECRETS) -> list[str]:
    """The names of the objects of a kind that begin like this."""
    return [item["metadata"]["name"] for item in cluster.items(*kind) if item["metadata"]["name"].startswith(prefix)]


def left_behind(cluster: Cluster, name: str) -> Any:
    """The object that the operator makes for a registry and does not own: a registry that is deleted before has none to clean up."""
    return cluster.get(f"{RBAC}/v1", "clusterrolebindings", f"{name}-auth-delegator", None)


def stripped(registry: dict[str, Any]) -> dict[str, Any]:
    """What somebody wrote into a registry: without identities, times, status, and the random part of the Secret's name."""
    spec = registry["spec"]
    for section in ("mysql", "postgres"):
        if "passwordSecret" in spec.get(section, {}):
            spec[section]["passwordSecret"]["name"] = spec[section]["passwordSecret"]["name"].rpartition("-")[0]
    metadata = registry["metadata"]
    return {"annotations": metadata["annotations"], "labels": metadata.get("labels"), "owners": metadata.get("ownerReferences"), "spec": spec}


def in_dashboard(database: dict[str, Any]) -> dashboard.Database | None:
    return None if database["type"] == "generated" else database_of(database)


@pytest.mark.parametrize("kind", ["mysql", "postgresql", "generated"])
def test_a_registry_is_what_the_dashboard_makes_of_the_same_input(cluster: Cluster, automation: Runner, name: str, options: Any, kind: str) -> None:
    database = options(kind)
    made = automation.converged(name=name, display_name="Fraud", description="Models", database=database)
    assert made.changes == [("create", "Secret")] * (kind != "generated") + [("create", "ModelRegistry")]
    assert any("not intended for production" in warning for warning in made.warnings) == (kind == "generated")
    ours = stripped(cluster.registry(name))
    assert automation(name=name, state="absent", delete_data=True).result["changed"]

    ca = None if kind == "generated" else dashboard.CLUSTER_WIDE
    Dashboard(cluster).create(name, Form("Fraud", "Models", in_dashboard(database), ca))
    theirs = until(lambda: (found := cluster.registry(name)) and found["metadata"].get("finalizers") and stripped(found))
    # The one difference: what encrypts the connection also checks who answers.
    assert ours["spec"][SECTIONS[kind]].pop("verifyServerCert", None) is (True if kind == "mysql" else None)
    assert ours == theirs
    [secret] = [item for item in cluster.items(*SECRETS) if item["metadata"]["name"].startswith(f"{name}-db-")] or [None]
    assert (secret is None) == (kind == "generated")
    automation(name=name, state="absent", delete_data=True)


@pytest.mark.parametrize(("kind", "ca"), [("mysql", dashboard.CLUSTER_WIDE), ("mysql", None), ("postgresql", dashboard.CLUSTER_WIDE), ("generated", None)])
def test_a_registry_of_the_dashboard_is_adopted_without_a_change(cluster: Cluster, automation: Runner, name: str, options: Any, kind: str, ca: Any) -> None:
    database = options(kind, ca={"source": "none" if ca is None else "cluster"})
    Dashboard(cluster).create(name, Form("Fraud", "Models", in_dashboard(database), ca))
    adopted, alone = automation.sequence(
        [
            Task({"name": name, "display_name": "Fraud", "description": "Models", "database": database}),
            Task({"name": name}),
        ]
    )
    for run in (adopted, alone):
        assert not run.failed, run.output
        assert run.changes == [] and run.writes == []
        assert run.result["status"]["available"] is True
        assert any("does not verify the certificate" in warning for warning in run.warnings) == (kind == "mysql" and ca is not None)
    automation(name=name, state="absent", delete_data=True, wait=False)


def test_the_module_and_the_dashboard_edit_the_same_registry_in_turn(cluster: Cluster, automation: Runner, name: str, options: Any) -> None:
    database, pages = options("mysql"), Dashboard(cluster)
    assert not automation(name=name, description="Ours", database=database).failed

    form = pages.opened(name)
    pages.edit(name, dataclasses.replace(form, description="Theirs", display_name="Fraud"))
    unasked, back = automation.sequence([Task({"name": name, "database": database}), Task({"name": name, "description": "Ours again", "database": database})])
    assert unasked.changes == [], unasked.output
    assert back.changes == [("update", "ModelRegistry")] and back.result["changes"][0]["fields"] == ["description"]
    assert cluster.registry(name)["metadata"]["annotations"] == {"openshift.io/display-name": "Fraud", "openshift.io/description": "Ours again"}
    # The dashboard keeps the check of the certificate, and unticks the CA without it.
    pages.edit(name, dataclasses.replace(pages.opened(name), ca=None))
    again = automation(name=name, database={"ca": {"source": "cluster"}})
    assert not again.failed and again.result["changes"][0]["fields"] == ["database.ca"], again.output
    assert cluster.registry(name)["spec"]["mysql"]["verifyServerCert"] is True
    assert automation(name=name, database=database).changes == []


def test_a_password_that_was_set_in_the_dashboard_takes_effect_with_the_next_run(cluster: Cluster, automation: Runner, name: str, options: Any) -> None:
    database, pages = options("postgresql"), Dashboard(cluster)
    pages.create(name, Form(name, "", database_of(database), dashboard.CLUSTER_WIDE))
    assert automation(name=name).changes == []
    # A slash in it keeps the server from starting, as the dashboard writes it.
    slash = {"username": "odd_slash", "password": databases.ODD_PASSWORDS["slash"]}
    form = pages.opened(name)
    assert form.database
    pages.edit(name, dataclasses.replace(form, database=dataclasses.replace(form.database, **slash)))
    databases_of_odd(cluster.layout, database["name"], "odd_slash")
    secret = cluster.registry(name)["spec"]["postgres"]["passwordSecret"]["name"]
    repaired = automation(name=name, database=slash)
    assert not repaired.failed, repaired.output
    assert ("update", "Secret") in repaired.changes
    assert base64.b64decode(cluster.get(*SECRETS, secret)["data"]["database-password"]) == b"a%2Fb"
    assert automation(name=name, database=slash).changes == []


def databases_of_odd(layout: Layout, database: str, account: str) -> None:
    """Let an odd account use a database that was made for the ordinary one."""
    with databases.administration(layout, "postgresql", database) as run:
        run(f'GRANT ALL ON SCHEMA public TO "{account}"')
        run(f'GRANT "{databases.REGISTRY.name}" TO "{account}"')


@pytest.mark.parametrize(("before", "after"), [("generated", "postgresql"), ("postgresql", "generated"), ("mysql", "postgresql"), ("mysql", "generated")])
def test_a_registry_moves_to_another_kind_of_database_only_by_consent(
    cluster: Cluster, automation: Runner, name: str, options: Any, before: str, after: str
) -> None:
    old, new = options(before), options(after)
    made, refused, moved, again = automation.sequence(
        [
            Task({"name": name, "database": old}),
            Task({"name": name, "database": new}),
            Task({"name": name, "database": new, "allow_data_change": True}),
            Task({"name": name, "database": new}),
        ]
    )
    assert not made.failed, made.output
    assert refused.failed and "allow_data_change" in refused.result["msg"] and refused.writes == []
    assert not moved.failed, moved.output
    assert again.changes == [] and not again.failed, again.output
    spec = cluster.registry(name)["spec"]
    stale = {"host", "database", "username", "passwordSecret", "sslRootCertificateConfigMap"} if after == "generated" else {"generateDeployment"}
    assert not stale & set(spec["postgres"]) and "mysql" not in spec
    # The Secret that nobody reads any more is gone; one that is still read is the same.
    assert len(named(cluster, f"{name}-db-")) == (0 if after == "generated" else 1)
    refused = automation(name=name, state="absent")
    # A generated database that was left behind is deleted with the registry too.
    assert refused.failed == ("generated" in (before, after))
    assert not automation(name=name, state="absent", delete_data=True).failed


def test_another_host_or_database_is_refused_without_consent(cluster: Cluster, automation: Runner, name: str, options: Any) -> None:
    one, other = options("mysql"), options("mysql")
    automation(name=name, database=one, wait=False)
    refused, allowed = automation.sequence(
        [
            Task({"name": name, "wait": False, "database": {"name": other["name"], "host": "mysql-alias", "namespace": "data"}}),
            Task({"name": name, "wait": False, "allow_data_change": True, "database": {"name": other["name"]}}),
        ]
    )
    assert [problem["option"] for problem in refused.result["problems"]] == ["database.host", "database.name"] and refused.writes == []
    assert allowed.changes == [("update", "ModelRegistry")]
    assert cluster.registry(name)["spec"]["mysql"]["database"] == other["name"]


def test_a_secret_of_somebody_else_is_used_and_never_changed_or_deleted(cluster: Cluster, automation: Runner, name: str, options: Any) -> None:
    database = options("postgresql")
    password = database.pop("password")
    vault = {"metadata": {"name": f"vault-{name}"}, "stringData": {"pw": password}}
    cluster.create(*SECRETS, vault)
    reference = {"name": f"vault-{name}", "key": "pw"}
    try:
        made = automation.converged(name=name, database=database | {"password_secret": reference})
        assert made.changes == [("create", "ModelRegistry")]
        refused = automation(name=name, database={"password": "another"})
        assert refused.failed and "is not known to be created by the dashboard or this collection" in refused.result["msg"] and refused.writes == []
        # When Vault changes the key that the server reads, the next run restarts it, and not for what somebody else writes beside it.
        cluster.merge(*SECRETS, f"vault-{name}", {"stringData": {"other": "x"}}, fieldManager="another")
        assert automation(name=name).changes == []
        for written in ("passing", password):
            cluster.merge(*SECRETS, f"vault-{name}", {"stringData": {"pw": written}})
        rotated = automation(name=name)
        assert rotated.changes == [("restart", "Deployment")], rotated.output
        deleted = automation(name=name, state="absent")
        assert ("delete", "Secret") not in deleted.changes and cluster.get(*SECRETS, f"vault-{name}")
        assert {"kind": "Secret", "name": f"vault-{name}"}.items() <= next(kept for kept in deleted.result["kept"] if kept["kind"] == "Secret").items()
    finally:
        cluster.delete(*SECRETS, f"vault-{name}")


def test_a_password_of_ours_is_deleted_when_it_moves_to_somebody_elses_secret(cluster: Cluster, automation: Runner, name: str, options: Any) -> None:
    database = options("mysql")
    automation(name=name, database=database, wait=False)
    cluster.create(*SECRETS, {"metadata": {"name": f"vault-{name}"}, "stringData": {"pw": database["password"]}})
    try:
        moved = automation.converged(name=name, database={"password_secret": {"name": f"vault-{name}", "key": "pw"}})
        assert moved.changes == [("update", "ModelRegistry"), ("delete", "Secret")]
        assert named(cluster, f"{name}-db-") == []
    finally:
        cluster.delete(*SECRETS, f"vault-{name}")


def test_a_restart_can_be_put_off(cluster: Cluster, automation: Runner, name: str, options: Any) -> None:
    database = options("mysql")
    automation(name=name, database=database)
    secret = cluster.registry(name)["spec"]["mysql"]["passwordSecret"]["name"]
    for password in ("passing", database["password"]):
        cluster.merge(*SECRETS, secret, {"stringData": {"database-password": password}}, fieldManager="unknown")
    put_off, done, settled = automation.sequence([Task({"name": name, "restart": False}), Task({"name": name}), Task({"name": name})])
    assert put_off.changes == [] and put_off.writes == [] and put_off.result["status"]["restart_needed"] is True
    assert any("restart: false" in warning for warning in put_off.warnings)
    assert done.changes == [("restart", "Deployment")] and done.result["status"]["restart_needed"] is False
    assert settled.changes == []


def test_a_reference_that_went_missing_is_a_warning_where_nothing_is_written(
    cluster: Cluster, automation: Runner, layout: Layout, name: str, options: Any
) -> None:
    bundle = {"metadata": {"name": f"{name}-own-ca"}, "data": {"ca.crt": layout.path("pki", "database-ca.crt").read_text()}}
    cluster.create(*CONFIG_MAPS, bundle)
    database = options("mysql", ca={"source": "config_map", "name": f"{name}-own-ca", "key": "ca.crt"})
    try:
        automation(name=name, database=database)
    finally:
        cluster.delete(*CONFIG_MAPS, f"{name}-own-ca")
    unchanged, edited = automation.sequence([Task({"name": name, "database": database}), Task({"name": name, "description": "New", "database": database})])
    assert not unchanged.failed and unchanged.changes == []
    assert any("the ConfigMap does not exist" in warning for warning in unchanged.warnings)
    assert edited.failed and [problem["option"] for problem in edited.result["problems"]] == ["database.ca"] and edited.writes == []


# Deletion


def test_a_deletion_leaves_nothing_and_keeps_the_database(cluster: Cluster, automation: Runner, layout: Layout, name: str, options: Any) -> None:
    database, pages = options("mysql"), Dashboard(cluster)
    pages.create(name, Form(name, "", database_of(database), Upload(layout.path("pki", "database-ca.crt").read_text())))
    automation(name=name)
    service = {
        "apiVersion": INFERENCE_SERVICES[0],
        "kind": "InferenceService",
        "spec": {},
        "metadata": {"name": f"uses-{name}", "labels": {"modelregistry.opendatahub.io/name": name}},
    }
    cluster.create(*INFERENCE_SERVICES, service, "data")
    try:
        predicted, refused_nothing, deleted, again = automation.sequence(
            [
                Task({"name": name, "state": "absent"}, check=True),
                Task({"name": name}),
                Task({"name": name, "state": "absent"}),
                Task({"name": name, "state": "absent"}),
            ]
        )
    finally:
        cluster.delete(*INFERENCE_SERVICES, f"uses-{name}", "data")
    assert predicted.writes == [] and predicted.result["changes"] == deleted.result["changes"]
    assert not refused_nothing.failed, refused_nothing.output
    assert deleted.changes == [("delete", kind) for kind in ("ModelRegistry", "Secret", "ConfigMap", "ClusterRoleBinding")], deleted.output
    assert any(f"data/uses-{name}" in warning for warning in deleted.warnings)
    [kept] = deleted.result["kept"]
    assert kept["kind"] == "mysql" and kept["name"] == f"{database['name']} on mysql.data.svc:3306"
    assert again.changes == [] and not again.failed
    assert deleted.result["status"]["reason"] == "the registry does not exist" and again.result["status"]["reason"].startswith(f"Registry {name!r} does not")
    assert cluster.registry(name) is None
    for kind in (SECRETS, CONFIG_MAPS, ("apps/v1", "deployments")):
        assert [entry for entry in named(cluster, name, kind) if not entry.endswith(("-kube-rbac-proxy", "-kube-rbac-proxy-config"))] == [], kind
    assert left_behind(cluster, name) is None
    with databases.administration(layout, "mysql", database["name"]) as run:
        assert run("SELECT COUNT(*) FROM schema_migrations") != []


def test_what_other_registries_use_stays(cluster: Cluster, automation: Runner, layout: Layout, name: str, options: Any) -> None:
    database, pages = options("mysql"), Dashboard(cluster)
    pages.create(name, Form(name, "", database_of(database), Upload(layout.path("pki", "database-ca.crt").read_text())))
    [secret], [upload] = named(cluster, f"{name}-db-", SECRETS), named(cluster, f"{name}-db-credential", CONFIG_MAPS)
    until(lambda: left_behind(cluster, name))
    other = f"{name}-other"
    shared = {key: value for key, value in database.items() if key != "password"}
    shared |= {"password_secret": {"name": secret, "key": "database-password"}, "ca": {"source": "config_map", "name": upload, "key": "ca.crt"}}
    made, deleted = automation.sequence([Task({"name": other, "wait": False, "database": shared}), Task({"name": name, "state": "absent", "wait": False})])
    try:
        assert not made.failed, made.output
        assert [kind for _action, kind in deleted.changes] == ["ModelRegistry", "ClusterRoleBinding"]
        assert {kept["name"]: kept["reason"] for kept in deleted.result["kept"]}.keys() >= {secret, upload}
        assert all(f"'{other}' also uses it" in kept["reason"] for kept in deleted.result["kept"] if kept["name"] in (secret, upload))
        assert cluster.get(*SECRETS, secret) and cluster.get(*CONFIG_MAPS, upload)
    finally:
        automation.sequence([Task({"name": other, "state": "absent", "wait": False}), Task({"name": name, "state": "absent"})])
    assert named(cluster, f"{name}-db-") == []


def test_a_generated_database_is_deleted_only_by_consent(cluster: Cluster, automation: Runner, name: str) -> None:
    automation(name=name, database={"type": "generated"}, wait=False)
    refused = automation(name=name, state="absent")
    assert refused.failed and refused.writes == []
    assert [problem["option"] for problem in refused.result["problems"]] == ["delete_data"]
    assert cluster.registry(name)
    assert automation(name=name, state="absent", delete_data=True).changes[0] == ("delete", "ModelRegistry")


def test_the_leavings_of_the_dashboard_are_cleaned_up(cluster: Cluster, automation: Runner, layout: Layout, name: str, options: Any) -> None:
    pages = Dashboard(cluster)
    pages.create(name, Form(name, "", database_of(options("mysql")), Upload(layout.path("pki", "database-ca.crt").read_text())))
    until(lambda: left_behind(cluster, name))
    pages.delete(name)
    until(lambda: cluster.registry(name) is None)
    cleaned = automation(name=name, state="absent")
    assert cleaned.changes == [("delete", "ConfigMap"), ("delete", "ClusterRoleBinding")], cleaned.output


@pytest.fixture
def operator_stopped(layout: Layout) -> Iterator[None]:
    processes.stop(layout, "operator")
    yield
    lifecycle.start(layout, "operator")


def test_a_deletion_that_hangs_because_the_operator_does_not_run_says_so(automation: Runner, name: str, mysql: Any, request: Any) -> None:
    automation(name=name, database=mysql, wait=False)
    request.getfixturevalue("operator_stopped")
    run = automation(name=name, state="absent", wait_timeout=2)
    assert run.failed and "operator is running" in run.result["msg"]


def test_a_deletion_that_another_finalizer_holds_names_it(cluster: Cluster, automation: Runner, name: str, mysql: Any) -> None:
    automation(name=name, database=mysql, wait=False)
    until(lambda: cluster.registry(name)["metadata"].get("finalizers"))
    finalizers = cluster.registry(name)["metadata"]["finalizers"]
    cluster.merge(*REGISTRIES, name, {"metadata": {"finalizers": [*finalizers, "example.com/backup"]}})
    held = automation(name=name, state="absent", wait_timeout=3)
    again = automation(name=name, description="New")
    of_permissions = [Task({"name": name, "state": state, "permissions": {"groups": ["g"]}}, PERMISSION) for state in ("present", "absent")]
    granted, revoked = automation.sequence(of_permissions)
    unwaited, foreseen = automation(name=name, state="absent", wait=False), automation(check=True, name=name, state="absent")
    waited = automation(name=name, state="absent", wait_timeout=2)
    cluster.merge(*REGISTRIES, name, {"metadata": {"finalizers": None}})
    assert held.failed and "example.com/backup" in held.result["msg"]
    # A deletion that has begun is not begun again.
    for run in (unwaited, foreseen):
        assert not run.failed and ("delete", "ModelRegistry") not in run.changes and "is being deleted" in run.result["status"]["reason"], run.output
    assert waited.failed and "example.com/backup" in waited.result["msg"] and waited.changes == [], waited.output
    assert again.failed and "is being deleted" in again.result["msg"]
    assert granted.failed and granted.writes == [] and "is the name of a registry that is being deleted" in granted.result["msg"] and not revoked.failed
    freed = automation(name=name, state="absent")
    assert not freed.failed and cluster.registry(name) is None and named(cluster, f"{name}-db-") == []


def test_a_deletion_on_a_cluster_without_httproutes_is_explained(cluster: Cluster, automation: Runner, layout: Layout, name: str, mysql: Any) -> None:
    automation(name=name, database=mysql, wait=False)
    until(lambda: cluster.registry(name)["metadata"].get("finalizers"))
    faults.httproute(layout, False)
    try:
        # The operator looks once whether HTTPRoutes are served.
        processes.stop(layout, "operator")
        lifecycle.start(layout, "operator")
        hung = automation(name=name, state="absent", wait_timeout=5)
    finally:
        faults.httproute(layout, True)
    assert hung.failed and "HTTPRoute" in hung.result["msg"] and "Gateway API" in hung.result["msg"], hung.output
    assert not automation(name=name, state="absent").failed
    assert cluster.registry(name) is None


# Smoke test


def smoke_of(run: Run) -> tuple[str, int | None]:
    return run.result["status"]["smoke_test"]["result"], run.result["status"]["smoke_test"]["http_status"]


def test_the_registry_itself_is_asked_with_the_runs_own_token(
    cluster: Cluster, automation: Runner, layout: Layout, name: str, mysql: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(layout.path("pki", "ingress-ca.crt")))
    task = {"name": name, "smoke_test": True}
    granted = automation(database=mysql, **task)
    roles = [role | {"rules": [rule for rule in role["rules"] if rule["resources"] != ["services", "endpoints"]]} for role in converging_roles()]
    with account_with(cluster, "no-access", roles) as token:
        refused = Runner(layout, token, tmp_path)(**task)
    monkeypatch.setenv("SSL_CERT_FILE", str(layout.path("pki", "other-ca.crt")))
    unknown = automation(**task)
    nowhere = lifecycle.shell_variables(layout) | dict.fromkeys(("HTTPS_PROXY", "https_proxy"), "http://127.0.0.1:1")
    monkeypatch.setattr(lifecycle, "shell_variables", lambda _layout: nowhere)
    unreachable = automation(**task)
    answers = [smoke_of(run) for run in (refused, granted, unknown, unreachable)]
    assert answers == [("forbidden", 403), ("ok", 200), ("unreachable", None), ("unreachable", None)]
    assert any("does not have access" in warning for warning in refused.warnings) and not [text for text in granted.warnings if "smoke test" in text]
    assert "CERTIFICATE_VERIFY_FAILED" in unknown.output and not unreachable.failed
    assert refused.writes == []


def test_it_never_sends_a_token_to_a_registry_whose_host_is_outside_of_the_ingress_domain_of_the_cluster_unless_you_list_its_domain_in_smoke_test_domains(
    cluster: Cluster, layout: Layout, automation: Runner, administrator: Runner, name: str, mysql: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    def smoke(**options: Any) -> Task:
        return Task({"name": name, "smoke_test": True, **options})

    assert not automation(name=name, database=mysql).failed
    monkeypatch.setenv("SSL_CERT_FILE", str(layout.path("pki", "ingress-ca.crt")))
    with account_with(cluster, "no-domain", roles_of("converge.yml")) as token:
        namespace = {"namespace": REGISTRIES_NAMESPACE, "smoke_test_domains": ["*.sandbox.test"]}
        blind, listed, [of_list] = (
            Runner(layout, token, tmp_path).sequence([task])
            for task in (
                smoke(namespace=REGISTRIES_NAMESPACE),
                smoke(**namespace),
                Task({"registries": [{"name": name}], "smoke_test": True, **namespace}, "modelops.openshift_ai.model_registries"),
            )
        )
    assert smoke_of(blind[0]) == ("not_trusted", None) and 'cannot get resource "ingresses"' in blind[0].output and not blind[0].failed
    assert smoke_of(listed[0]) == ("ok", 200)
    assert of_list.result["registries"][0]["status"]["smoke_test"]["result"] == "ok"
    # The router of everything that leaves this machine is a listener from here on: it counts who calls.
    with Listener() as listener:
        proxied = lifecycle.shell_variables(layout) | dict.fromkeys(("HTTPS_PROXY", "https_proxy"), listener.url)
        monkeypatch.setattr(lifecycle, "shell_variables", lambda _layout: proxied)
        [impersonated] = administrator.sequence([smoke(impersonate_user=f"system:serviceaccount:{AUTOMATION}:ansible", namespace=REGISTRIES_NAMESPACE)])
        chosen = []
        for domain in ("svc-east.evil.test", "evil-apps.sandbox.test"):
            cluster.merge(*REGISTRIES, name, {"spec": {"kubeRBACProxy": {"domain": domain}}})
            until(lambda domain=domain: f"{name}-rest.{domain}" in cluster.registry(name)["status"]["hosts"])  # type: ignore[misc]
            chosen.append(automation(name=name, smoke_test=True))
        assert listener.calls == 0
        allowed = automation(name=name, smoke_test=True, smoke_test_domains=["evil-apps.sandbox.test"])
        assert listener.calls == 1, allowed.output
    assert smoke_of(impersonated) == ("no_token", None) and "impersonates another account" in impersonated.output
    assert impersonated.result["cluster"]["user"] == f"system:serviceaccount:{AUTOMATION}:ansible"
    for run in chosen:
        assert smoke_of(run) == ("not_trusted", None) and not run.failed, run.output
        assert any("smoke_test_domains" in warning for warning in run.warnings), run.warnings
    assert chosen[0].result["status"]["address"] == f"https://{name}-rest.svc-east.evil.test"
    assert smoke_of(allowed) == ("unreachable", None)


class Listener:
    """A port of this machine that counts its callers and answers none."""

    def __init__(self) -> None:
        self.calls = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._count, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _count(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _address = self._socket.accept()
                self.calls += 1
                caller.close()


def test_it_never_causes_the_operator_to_empty_or_delete_a_group_of_the_cluster_that_belongs_to_another_owner(
    cluster: Cluster, automation: Runner, name: str, options: Callable[..., dict[str, Any]]
) -> None:
    """The operator takes over any Group that is called like a registry's own, without its members, and deletes it with the registry."""
    groups, group = ("user.openshift.io/v1", "groups"), f"{name}-users"
    theirs = {"apiVersion": groups[0], "kind": "Group", "metadata": {"name": group}, "users": ["carol"]}
    cluster.create(*groups, theirs, None)
    try:
        tried = [Task({"name": name, "database": options("mysql"), "wait": False}, check=check) for check in (True, False)]
        fleet = Task({"registries": [{"name": name, "database": options("mysql")}], "wait": False}, "modelops.openshift_ai.model_registries")
        for refused in automation.sequence([*tried, fleet]):
            assert refused.failed and f"the operator would overwrite Group '{group}'" in refused.result["msg"] and refused.writes == [], refused.output
        cluster.delete(*groups, group, None)
        made = automation(name=name, database=options("mysql"))
        assert not made.failed and not [warning for warning in made.warnings if group in warning], made.output
        cluster.merge(*groups, group, {"metadata": {"labels": dict.fromkeys(cluster.get(*groups, group, None)["metadata"]["labels"])}}, None)
        [kept] = automation.sequence([Task({"name": name, "state": "absent"}, check=True)])
        assert kept.failed and f"the operator would also delete Group '{group}'" in kept.result["msg"] and kept.writes == [], kept.output
    finally:
        cluster.delete(*groups, group, None)
    gone = automation(name=name, state="absent")
    assert not gone.failed and cluster.get(*groups, group, None) is None, gone.output
