"""What the collection never does: a test for each sentence of docs/docsite/rst/never.rst, of its name, that has none of that name elsewhere."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox import databases
from sandbox.layout import Layout
from tests.dashboard import CLUSTER_WIDE, Dashboard, Form, database_of
from tests.helpers import REGISTRIES, ROLE_BINDINGS, Cluster, Runner, Task, until

SECRETS = ("v1", "secrets")
CONFIG_MAPS = ("v1", "configmaps")
DEPLOYMENTS = ("apps/v1", "deployments")
READS = ("SELECT", "SHOW", "SET", "START TRANSACTION READ ONLY", "ROLLBACK", "COMMIT", "USE")


def statements(layout: Layout, during: Callable[[], object]) -> list[str]:
    """The statements that the MySQL server got from this machine's modules meanwhile: those of the account that no registry uses."""
    with databases.administration(layout, "mysql") as run:
        run("SET GLOBAL log_output = 'TABLE'")
        run("TRUNCATE TABLE mysql.general_log")
        run("SET GLOBAL general_log = 'ON'")
        try:
            during()
        finally:
            run("SET GLOBAL general_log = 'OFF'")
        logged = run("SELECT user_host, command_type, CONVERT(argument USING utf8mb4) FROM mysql.general_log")
    return [str(argument) for who, kind, argument in logged if str(who).startswith(databases.READER.name) and kind in ("Query", "Prepare", "Execute")]


def tables(layout: Layout, database: str) -> dict[str, int]:
    """How many rows each table of a MySQL database has."""
    with databases.administration(layout, "mysql", database) as run:
        names = [row[0] for row in run("SHOW TABLES")]
        return {name: run(f"SELECT COUNT(*) FROM `{name}`")[0][0] for name in names}


def data_of(cluster: Cluster, name: str, kind: tuple[str, str] = SECRETS) -> Any:
    """The data of a Secret or ConfigMap, and what else a write would show in."""
    found = cluster.get(*kind, name)
    return found and {key: found[key] for key in ("data", "metadata") if key in found} | {"metadata": {**found["metadata"], "managedFields": None}}


@pytest.fixture
def clicked(cluster: Cluster, name: str, mysql: dict[str, Any]) -> str:
    """A registry that the dashboard made."""
    Dashboard(cluster).create(name, Form(name, "Clicked", database_of(mysql), CLUSTER_WIDE))
    return name


def test_it_never_creates_changes_or_deletes_an_external_database_unless_you_use_model_registry_migrate_or_model_registry_restore(
    layout: Layout, cluster: Cluster, automation: Runner, name: str, mysql: dict[str, Any]
) -> None:
    # The name inside the cluster means nothing here.
    reader = {
        "host": databases.address(layout, "mysql"),
        "namespace": None,
        "username": databases.READER.name,
        "password": databases.READER.password,
        "ca": {"source": "none"},
    }
    asked = statements(layout, lambda: automation.sequence([Task({"database": mysql | reader}, "modelops.openshift_ai.model_registry_database_info")]))
    assert asked and [statement for statement in asked if not statement.lstrip().upper().startswith(READS)] == []
    assert not automation(name=name, database=mysql).failed
    before = tables(layout, mysql["name"])
    assert before["schema_migrations"] == 1
    assert not automation(name=name, state="absent").failed
    assert tables(layout, mysql["name"]) == before


def test_it_never_deletes_a_generated_database_without_delete_data_true(cluster: Cluster, automation: Runner, name: str, mysql: dict[str, Any]) -> None:
    deletion = Task({"name": name, "state": "absent"})
    made, refused, moved = automation.sequence(
        [
            Task({"name": name, "database": {"type": "generated"}, "wait": False}),
            deletion,
            Task({"name": name, "database": mysql, "allow_data_change": True, "wait": False}),
        ]
    )
    assert not made.failed and not moved.failed, made.output + moved.output
    # Its data is in its volume, also when nothing serves it anymore.
    until(lambda: "persistentvolumeclaims" if cluster.get("v1", "persistentvolumeclaims", f"{name}-postgres-storage") else None)
    cluster.delete(*DEPLOYMENTS, f"{name}-postgres")
    cluster.delete(*SECRETS, f"{name}-postgres-credentials")
    left, gone = automation.sequence([deletion, Task({"name": name, "state": "absent", "delete_data": True})])
    for run in (refused, left):
        assert run.failed and [problem["option"] for problem in run.result["problems"]] == ["delete_data"] and run.writes == [], run.output
    assert not gone.failed and cluster.registry(name) is None, gone.output


def test_it_never_moves_a_registry_to_another_database_without_allow_data_change_true_unless_you_use_model_registry_migrate(
    cluster: Cluster, automation: Runner, clicked: str, mysql: dict[str, Any]
) -> None:
    before = cluster.registry(clicked)["spec"]
    moves = [{"name": "another"}, {"port": 3307}, {"host": "mysql-alias"}, {"host": "mysql.elsewhere.svc", "namespace": None}]
    login = {"username": mysql["username"], "password": mysql["password"]}
    moves += [{"type": "postgresql", "host": "postgres", "namespace": "data", "name": "model_registry", **login}, {"type": "generated"}]
    tried = automation.sequence(
        [Task({"name": clicked, "database": {"namespace": "data", **move} if "host" in move else move, "wait": False}) for move in moves]
    )
    for run in tried:
        assert run.failed and "allow_data_change" in run.result["msg"] and run.writes == [], run.output
    assert cluster.registry(clicked)["spec"] == before


TOOLS = {
    "Argo CD": {"annotations": {"argocd.argoproj.io/tracking-id": "app:/Secret:ns/name"}},
    "Flux": {"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}},
    "Helm": {"labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations": {"meta.helm.sh/release-name": "r"}},
    "External Secrets": {"labels": {"reconcile.external-secrets.io/managed": "true"}},
    "cert-manager": {"annotations": {"cert-manager.io/certificate-name": "c"}},
    "OLM": {"labels": {"olm.managed": "true"}},
}


def test_it_never_changes_or_deletes_what_another_tool_or_the_platform_manages(
    cluster: Cluster, automation: Runner, name: str, mysql: dict[str, Any], layout: Layout
) -> None:
    """A Secret and a ConfigMap that look like the registry's own in everything but the mark of a tool."""
    pem = layout.path("pki", "database-ca.crt").read_text()
    made = automation(name=name, database=mysql | {"ca": {"source": "upload", "pem": pem}}, wait=False)
    assert not made.failed, made.output
    secret, upload = cluster.registry(name)["spec"]["mysql"]["passwordSecret"]["name"], f"{name}-db-credential"
    try:
        for mark in TOOLS.values():
            cluster.merge(*SECRETS, secret, {"metadata": mark})
            cluster.merge(*CONFIG_MAPS, upload, {"metadata": mark})
            before = data_of(cluster, secret), data_of(cluster, upload, CONFIG_MAPS)
            bundle = Task({"name": upload, "state": "absent"}, "modelops.openshift_ai.model_registry_ca")
            tried = automation.sequence([Task({"name": name, "database": {"password": "another"}, "wait": False}), bundle])
            assert all(run.failed and run.writes == [] for run in tried), "".join(run.output for run in tried)
            assert (data_of(cluster, secret), data_of(cluster, upload, CONFIG_MAPS)) == before
            unmarked = {kind: dict.fromkeys(names) for kind, names in mark.items()}
            cluster.merge(*SECRETS, secret, {"metadata": unmarked})
            cluster.merge(*CONFIG_MAPS, upload, {"metadata": unmarked})
        cluster.merge(*SECRETS, secret, {"metadata": TOOLS["Argo CD"]})
        cluster.merge(*CONFIG_MAPS, upload, {"metadata": TOOLS["Flux"]})
        cluster.merge(*REGISTRIES, name, {"metadata": TOOLS["Argo CD"]})
        others = [{"name": registry["metadata"]["name"]} for registry in cluster.items(*REGISTRIES) if registry["metadata"]["name"] != name]
        purge = {"registries": others or [{"name": f"{name}-other", "database": {"type": "generated"}}], "purge": True, "wait": False}
        [purged] = automation.sequence([Task(purge, "modelops.openshift_ai.model_registries", check=True)])
        assert f"purge does not delete registry '{name}'" in " ".join(purged.warnings), purged.output
        assert ("delete", "ModelRegistry") not in purged.changes
        edited, gone = automation.sequence([Task({"name": name, "description": "Edited", "wait": False}), Task({"name": name, "state": "absent"})])
        assert not edited.failed and not gone.failed, edited.output + gone.output
        assert all("managed by another tool (annotation argocd.argoproj.io/" in " ".join(run.warnings) for run in (edited, gone)), gone.output
        assert {entry["name"] for entry in gone.result["kept"]} >= {secret, upload}
        assert data_of(cluster, secret) and data_of(cluster, upload, CONFIG_MAPS)
    finally:
        cluster.delete(*CONFIG_MAPS, upload)


def catalog(cluster: Cluster) -> dict[str, str]:
    """Every object of the model catalog, with its identity."""
    kinds = (SECRETS, CONFIG_MAPS, DEPLOYMENTS, ("v1", "services"), ("v1", "serviceaccounts"), ROLE_BINDINGS)
    found = [(plural, item) for version, plural in kinds for item in cluster.items(version, plural)]
    found += [("clusterrolebindings", item) for item in cluster.items("rbac.authorization.k8s.io/v1", "clusterrolebindings", None)]
    return {f"{plural}/{item['metadata']['name']}": item["metadata"]["uid"] for plural, item in found if "catalog" in item["metadata"]["name"]}


def test_it_never_changes_or_deletes_an_object_of_the_model_catalog_unless_you_use_model_catalog(
    cluster: Cluster, administrator: Runner, name: str, mysql: dict[str, Any]
) -> None:
    there = until(lambda: len(found := catalog(cluster)) >= 12 and found)
    kept = [{"name": registry["metadata"]["name"]} for registry in cluster.items("modelregistry.opendatahub.io/v1beta1", "modelregistries")]
    fleet = "modelops.openshift_ai.model_registries"
    made, purged, again = administrator.sequence(
        [
            Task({"name": name, "database": mysql, "wait": False}),
            Task({"registries": [*kept, {"name": name}], "purge": True, "delete_data": True, "wait": False}, fleet),
            Task({"registries": [*kept, {"name": name}], "purge": True, "delete_data": True, "wait": False}, fleet, check=True),
        ]
    )
    assert not made.failed and not purged.failed, made.output + purged.output
    assert again.changes == [], again.output
    deletions = administrator.sequence([Task({"name": "model-catalog", "state": "absent", "delete_data": True})])
    assert not any(run.writes for run in deletions)
    refused = administrator.sequence([Task({"name": taken, "database": mysql, "wait": False}) for taken in ("model-catalog", "model-catalog-postgres")])
    assert all(run.failed and run.result["problems"][0]["option"] == "name" and run.writes == [] for run in refused)
    assert catalog(cluster) == there


def test_it_never_changes_a_password_in_a_secret_that_neither_the_dashboard_nor_this_collection_created(
    cluster: Cluster, automation: Runner, name: str, mysql: dict[str, Any]
) -> None:
    password = mysql.pop("password")
    vault = f"vault-{name}"
    cluster.create(*SECRETS, {"metadata": {"name": vault}, "stringData": {"pw": password}})
    try:
        made = automation(name=name, database=mysql | {"password_secret": {"name": vault, "key": "pw"}}, wait=False)
        assert not made.failed, made.output
        refused, gone = automation.sequence([Task({"name": name, "database": {"password": "another"}}), Task({"name": name, "state": "absent"})])
        assert refused.failed and refused.result["problems"][0]["option"] == "database.password" and refused.writes == []
        assert not gone.failed, gone.output
        assert base64.b64decode(cluster.get(*SECRETS, vault)["data"]["pw"]).decode() == password
    finally:
        cluster.delete(*SECRETS, vault)


def test_it_never_changes_or_deletes_the_password_of_another_registry(
    layout: Layout, cluster: Cluster, administrator: Runner, name: str, clicked: str, mysql: dict[str, Any]
) -> None:
    """The Secret of the dashboard has no owner and no label; and an editor may name it as the CA of another registry."""
    [secret] = [item["metadata"]["name"] for item in cluster.items(*SECRETS) if item["metadata"]["name"].startswith(f"{clicked}-db-")]
    before = data_of(cluster, secret)
    pem = layout.path("pki", "database-ca.crt").read_text()
    module = "modelops.openshift_ai.model_registry_ca"
    place = {"kind": "secret", "name": secret, "key": "database-password"}
    tried = administrator.sequence(
        [
            Task({**place, "pem": pem}, module),
            Task({**place, "pem": pem, "mode": "add"}, module),
            Task({**place, "key": "ca.crt", "pem": pem}, module),
            Task({**place, "state": "absent"}, module),
        ]
    )
    assert all(run.failed and run.writes == [] for run in tried), "".join(run.output for run in tried)
    assert data_of(cluster, secret) == before


def test_it_never_deletes_a_rolebinding_without_the_labels_of_the_dashboard_unless_prune_unlabelled_is_set(
    cluster: Cluster, automation: Runner, clicked: str
) -> None:
    binding = f"handmade-{uuid.uuid4().hex[:6]}"
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": f"registry-user-{clicked}"}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "auditors"}
    cluster.create(*ROLE_BINDINGS, {"metadata": {"name": binding}, "roleRef": role, "subjects": [subject]})
    module = "modelops.openshift_ai.model_registry_permission"
    try:
        until(lambda: cluster.get("rbac.authorization.k8s.io/v1", "roles", role["name"]))
        exact = {"groups": ["data-scientists"], "exclusive": True}
        kept = automation.sequence([Task({"name": clicked, "permissions": exact}, module)])[0]
        assert not kept.failed and cluster.get(*ROLE_BINDINGS, binding), kept.output
        pruned = automation.sequence([Task({"name": clicked, "permissions": exact | {"prune_unlabelled": True}}, module)])[0]
        assert not pruned.failed and cluster.get(*ROLE_BINDINGS, binding) is None, pruned.output
    finally:
        cluster.delete(*ROLE_BINDINGS, binding)


def test_it_never_changes_a_field_label_or_annotation_that_you_did_not_set(cluster: Cluster, automation: Runner, clicked: str) -> None:
    foreign = {"metadata": {"labels": {"team": "fraud"}, "annotations": {"note": "mine"}}, "spec": {"rest": {"resources": {"limits": {"memory": "300Mi"}}}}}
    cluster.merge("modelregistry.opendatahub.io/v1beta1", "modelregistries", clicked, foreign)
    before = cluster.registry(clicked)
    edited = automation(name=clicked, description="Edited", wait=False)
    assert edited.changes == [("update", "ModelRegistry")], edited.output
    after = cluster.registry(clicked)
    assert after["metadata"]["annotations"].pop("openshift.io/description") == "Edited"
    before["metadata"]["annotations"].pop("openshift.io/description")
    assert (after["spec"], after["metadata"]["labels"], after["metadata"]["annotations"]) == (
        before["spec"],
        before["metadata"]["labels"],
        before["metadata"]["annotations"],
    )


def test_it_never_deletes_a_pod(cluster: Cluster, automation: Runner, administrator: Runner, name: str, mysql: dict[str, Any]) -> None:
    assert not automation(name=name, database=mysql).failed
    secret = cluster.registry(name)["spec"]["mysql"]["passwordSecret"]["name"]
    cluster.merge(*SECRETS, secret, {"data": {"database-password": base64.b64encode(mysql["password"].encode()).decode(), "note": "eA=="}})
    runs = administrator.sequence([Task({"name": name}), Task({"name": name, "database": {"ca": {"source": "none"}}}), Task({"name": name, "state": "absent"})])
    assert [run.failed for run in runs] == [False] * 3, "".join(run.output for run in runs)
    assert [request.path for run in runs for request in run.writes if "/pods" in request.path] == []


@pytest.fixture
def outdated(cluster: Cluster, automation: Runner, name: str, mysql: dict[str, Any]) -> Iterator[str]:
    """A registry that is available."""
    assert not automation(name=name, database=mysql).failed
    yield name


def test_it_never_restarts_a_server_that_is_up_to_date(cluster: Cluster, automation: Runner, outdated: str) -> None:
    secret = cluster.registry(outdated)["spec"]["mysql"]["passwordSecret"]["name"]
    # A label, and a key that no server reads.
    cluster.merge(*SECRETS, secret, {"metadata": {"labels": {"modelregistry.opendatahub.io/name": outdated}}})
    unchanged = automation.sequence([Task({"name": outdated}), Task({"name": outdated, "description": "x"}), Task({"name": outdated})])
    assert [("restart", "Deployment") in run.changes for run in unchanged] == [False] * 3


def test_it_never_writes_in_check_mode(cluster: Cluster, automation: Runner, name: str, mysql: dict[str, Any], clicked: str) -> None:
    tried = automation.sequence(
        [
            Task({"name": f"{name}-new", "database": mysql}, check=True, diff=True),
            Task({"name": clicked, "description": "x", "database": {"ca": {"source": "none"}}, "permissions": {"groups": ["auditors"]}}, check=True),
            Task({"name": clicked, "state": "absent"}, check=True),
            Task({"registries": [{"name": f"{name}-new", "database": mysql}]}, "modelops.openshift_ai.model_registries", check=True),
            Task({"name": clicked, "permissions": {"groups": ["auditors"]}}, "modelops.openshift_ai.model_registry_permission", check=True),
        ]
    )
    assert [run.failed for run in tried] == [False] * 5, "".join(run.output for run in tried)
    assert all(run.result["changed"] for run in tried)
    assert [request for run in tried for request in run.writes] == []
    assert cluster.registry(f"{name}-new") is None


def test_it_never_writes_before_it_has_checked_everything_that_can_be_checked(cluster: Cluster, automation: Runner, name: str, mysql: dict[str, Any]) -> None:
    wrong = mysql | {"port": 0, "username": " ", "ca": {"source": "config_map", "name": "nobody", "key": "ca.crt"}, "ssl_mode": "require"}
    refused = automation(name=name, display_name=" ", database=wrong, permissions={"groups": [""]})
    options = {problem["option"] for problem in refused.result["problems"]}
    assert refused.failed and refused.writes == []
    assert options >= {"display_name", "database.port", "database.username", "database.ssl_mode"}
    assert cluster.registry(name) is None


def test_it_never_reports_a_registry_as_available_while_its_server_runs_an_older_definition(cluster: Cluster, automation: Runner, outdated: str) -> None:
    edited, told = automation.sequence(
        [
            Task({"name": outdated, "allow_data_change": True, "database": {"name": "no_such_database"}, "wait_timeout": 15}),
            Task({"name": outdated}, "modelops.openshift_ai.model_registry_info"),
        ]
    )
    conditions = {entry["type"]: entry["status"] for entry in cluster.registry(outdated)["status"]["conditions"]}
    # The old pod still answers, so that the condition stays as it was.
    assert conditions["Available"] == "True"
    assert edited.failed and edited.result["status"]["available"] is False
    assert told.result["registries"][0]["status"]["available"] is False


def test_the_registry_server_never_verifies_the_host_name_of_a_postgresql_certificate(cluster: Cluster, layout: Layout, automation: Runner, name: str) -> None:
    """The certificate of the sandbox's PostgreSQL is not for this name of it."""
    database = f"never_{uuid.uuid4().hex[:8]}"
    databases.create_databases(layout, "postgresql", [database])
    login = {"username": databases.REGISTRY.name, "password": databases.REGISTRY.password}
    options = {
        "type": "postgresql",
        "host": "postgres-alias",
        "namespace": "data",
        "name": database,
        "ca": {"source": "cluster"},
        "ssl_mode": "verify-full",
        **login,
    }
    try:
        made = automation(name=name, database=options)
        assert not made.failed, made.output
        assert any("does not verify the host name" in warning for warning in made.warnings), made.warnings
    finally:
        automation(name=name, state="absent")
        databases.drop_database(layout, "postgresql", database)


def test_the_registry_server_never_starts_if_a_mysql_password_contains_a_question_mark(automation: Runner, name: str, mysql: dict[str, Any]) -> None:
    refused = automation(name=name, database=mysql | {"password": "what?"})
    assert refused.failed and [problem["option"] for problem in refused.result["problems"]] == ["database.password"] and refused.writes == []


def test_the_product_never_renames_a_registry(cluster: Cluster, automation: Runner, clicked: str) -> None:
    cluster.merge("modelregistry.opendatahub.io/v1beta1", "modelregistries", clicked, {"metadata": {"annotations": {"openshift.io/display-name": "Other"}}})
    [told] = automation.sequence([Task({"name": clicked, "display_name": "Another"}, check=True)])
    assert told.result["registry"]["name"] == clicked and told.changes == [("update", "ModelRegistry")]
