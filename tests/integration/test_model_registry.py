"""`model_registry` on the sandbox, as an account with the rights of rbac/converge.yml and no others.

They assert on what the API server holds and on the requests that reached it, not on what the module says of itself.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox import controlplane, databases, faults, lifecycle, people, processes
from sandbox.layout import DATABASE_NAMESPACE, REGISTRIES_NAMESPACE, Layout

from .conftest import Cluster, Runner

REGISTRIES = ("modelregistry.opendatahub.io/v1beta1", "modelregistries")
# The DataScienceCluster for the namespace; the registry, its Secret, CA bundle and Deployment.
READS_WITHOUT_A_CHANGE = 5
WRITES = ("create", "update", "patch", "delete")


def writes(layout: Layout) -> list[faults.Request]:
    """The requests since the last `forget_requests` that can have changed something: no dry runs, and no reviews, which change nothing."""
    return [request for request in sent(layout) if not request.dry_run]


def sent(layout: Layout) -> list[faults.Request]:
    """The requests since then that ask for a change, dry runs included."""
    return [request for request in faults.recorded_requests(layout) if request.verb in WRITES and "reviews" not in request.path]


def secret_of(cluster: Cluster, registry: dict[str, Any]) -> Any:
    return cluster.get("v1", "secrets", registry["spec"]["mysql"]["passwordSecret"]["name"])


def pods_of(cluster: Cluster, name: str) -> list[Any]:
    return cluster.items("v1", "pods", labelSelector=f"app={name},component=model-registry")


@pytest.fixture
def registry(model_registry: Runner, name: str, mysql: dict[str, Any]) -> str:
    """A registry that serves, made by the module."""
    run = model_registry(name=name, display_name="Fraud", description="Models", database=mysql)
    assert not run.failed, run.output
    return name


def test_create_writes_what_the_dashboard_writes_and_waits_until_it_serves(cluster, model_registry, name, mysql, database):
    run = model_registry(name=name, display_name="Fraud", description="Models", database=mysql)

    assert not run.failed, run.output
    assert run.changes == [("create", "Secret"), ("create", "ModelRegistry")]
    made = cluster.registry(name)
    assert made["metadata"]["annotations"] == {"openshift.io/display-name": "Fraud", "openshift.io/description": "Models"}
    assert "labels" not in made["metadata"]
    secret_name = made["spec"]["mysql"]["passwordSecret"]["name"]
    assert made["spec"]["mysql"] == {
        "host": "mysql.data.svc",
        "port": 3306,
        "database": database,
        "username": databases.REGISTRY.name,
        "skipDBCreation": False,
        "passwordSecret": {"name": secret_name, "key": "database-password"},
        "sslRootCertificateConfigMap": {"name": "odh-trusted-ca-bundle", "key": "ca-bundle.crt"},
        "verifyServerCert": True,
    }
    secret = secret_of(cluster, made)
    assert secret_name.startswith(f"{name}-db-") and secret["metadata"]["generateName"] == f"{name}-db-"
    assert "labels" not in secret["metadata"] and "ownerReferences" not in secret["metadata"]
    assert {key: base64.b64decode(value).decode() for key, value in secret["data"].items()} == {
        "database-name": database,
        "database-user": databases.REGISTRY.name,
        "database-password": databases.REGISTRY.password,
    }
    # It was waited for: the operator says so, and the server's pod is ready.
    conditions = {condition["type"]: condition["status"] for condition in made["status"]["conditions"]}
    assert conditions["Available"] == "True"
    [pod] = pods_of(cluster, name)
    assert all(container["ready"] for container in pod["status"]["containerStatuses"])
    assert run.result["status"]["available"] is True
    assert run.result["status"]["address"] == f"https://{name}-rest.apps.sandbox.test"
    assert run.result["cluster"]["user"] == "system:serviceaccount:automation:ansible"


def test_the_second_run_writes_nothing(layout, model_registry, registry, mysql):
    faults.forget_requests(layout)
    run = model_registry(name=registry, display_name="Fraud", description="Models", database=mysql)
    assert not run.failed, run.output
    assert run.result["changed"] is False and run.changes == []
    assert writes(layout) == []
    reads = [request.path for request in faults.recorded_requests(layout) if request.verb in ("get", "list") and "openapi" not in request.path]
    objects = [path for path in reads if "/namespaces/" in path or "datascienceclusters" in path]
    assert 0 < len(objects) <= READS_WITHOUT_A_CHANGE, objects


def test_check_mode_says_what_the_run_would_do_and_writes_nothing(cluster, layout, model_registry, name, mysql):
    faults.forget_requests(layout)
    predicted = model_registry(check=True, diff=True, name=name, database=mysql)
    assert not predicted.failed, predicted.output
    assert writes(layout) == []
    assert cluster.registry(name) is None
    assert [request.dry_run for request in sent(layout)] == [True, True]
    done = model_registry(name=name, database=mysql)
    assert not done.failed, done.output
    assert predicted.result["changes"] == done.result["changes"]
    assert predicted.result["registry"] == done.result["registry"]


def test_an_edit_writes_the_changed_field_and_leaves_those_of_others(cluster, model_registry, registry):
    cluster.merge(*REGISTRIES, registry, {"metadata": {"labels": {"team": "fraud"}}, "spec": {"rest": {"resources": {"limits": {"memory": "300Mi"}}}}})
    run = model_registry(diff=True, name=registry, description="Another text")
    assert not run.failed, run.output
    assert run.changes == [("update", "ModelRegistry")]
    assert '-    "description": "Models"' in run.output and '+    "description": "Another text"' in run.output
    live = cluster.registry(registry)
    assert live["metadata"]["annotations"] == {"openshift.io/display-name": "Fraud", "openshift.io/description": "Another text"}
    assert live["metadata"]["labels"] == {"team": "fraud"}
    assert live["spec"]["rest"]["resources"]["limits"] == {"memory": "300Mi"}


def test_every_write_is_strict_and_under_our_name(layout, model_registry, name, mysql):
    faults.forget_requests(layout)
    model_registry(name=name, database=mysql, wait=False)
    assert len(sent(layout)) == len(("dry run of the registry", "secret", "registry"))
    for request in sent(layout):
        assert (request.query["fieldValidation"], request.query["fieldManager"]) == ("Strict", "modelops.openshift_ai")


def test_a_wrong_password_is_told_with_the_databases_own_words(model_registry, name, mysql):
    started = time.monotonic()
    run = model_registry(name=name, database={**mysql, "password": "not-the-password"})
    assert run.failed
    assert "Error 1045" in run.result["msg"] and "password is wrong" in run.result["msg"]
    assert time.monotonic() - started < 60
    assert run.result["status"]["available"] is False
    assert "not-the-password" not in run.output


@pytest.mark.parametrize(
    ("changed", "said", "evidence"),
    [
        ({"name": "no-such-database"}, "database does not exist", "Error 1049"),
        ({"host": "nohost", "namespace": "data"}, "cannot be resolved", "no such host"),
        ({"username": databases.TLS_ONLY.name, "password": databases.TLS_ONLY.password, "ca": {"source": "none"}}, "must use TLS", "Error 1045"),
        ({"name": databases.DIRTY_DATABASE}, "dirty", "Dirty database version"),
    ],
)
def test_what_is_wrong_with_the_database_is_told_in_words(model_registry, name, mysql, changed, said, evidence):
    run = model_registry(name=name, database={**mysql, **changed}, wait_timeout=30)
    assert run.failed
    assert said in run.result["msg"] and evidence in run.result["msg"]


def test_a_ca_that_did_not_sign_the_certificate_is_told(cluster, layout, model_registry, name, mysql):
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"{name}-ca"}, "data": {"ca.crt": layout.path("pki", "other-ca.crt").read_text()}}
    cluster.create("v1", "configmaps", other)
    try:
        run = model_registry(name=name, database={**mysql, "ca": {"source": "config_map", "name": f"{name}-ca", "key": "ca.crt"}}, wait_timeout=60)
    finally:
        cluster.delete("v1", "configmaps", f"{name}-ca")
    assert run.failed
    assert "is not signed by the CA" in run.result["msg"] and "x509" in run.result["msg"]


@pytest.mark.parametrize(
    ("ca", "said"),
    [
        ({"source": "config_map", "name": "no-such-map", "key": "ca.crt"}, "the ConfigMap does not exist"),
        ({"source": "config_map", "name": "odh-trusted-ca-bundle", "key": "nope"}, "keys: ca-bundle.crt, odh-ca-bundle.crt"),
        ({"source": "openshift_ai"}, "no PEM certificate"),
    ],
)
def test_a_ca_that_nothing_stands_behind_is_refused_before_any_write(cluster, layout, model_registry, name, mysql, ca, said):
    faults.forget_requests(layout)
    run = model_registry(name=name, database={**mysql, "ca": ca})
    assert run.failed and said in run.result["msg"]
    assert run.result["problems"][0]["option"] == "database.ca"
    assert writes(layout) == []


def test_a_password_takes_effect_only_by_a_restart_which_the_module_does(cluster, layout, model_registry, registry, mysql):
    [before] = pods_of(cluster, registry)
    databases.set_password(layout, "mysql", databases.REGISTRY.name, "rotated-word")
    try:
        # The dashboard changes the Secret: the running server goes on with the password that it was started with.
        secret = cluster.registry(registry)["spec"]["mysql"]["passwordSecret"]["name"]
        rotated = {"data": {"database-password": base64.b64encode(b"rotated-word").decode()}}
        cluster.merge("v1", "secrets", secret, rotated, fieldManager="unknown")
        time.sleep(2)
        assert [pod["metadata"]["uid"] for pod in pods_of(cluster, registry)] == [before["metadata"]["uid"]]

        run = model_registry(name=registry, database={"password": "rotated-word"})
        assert not run.failed, run.output
        assert run.changes == [("restart", "Deployment")]
        assert before["metadata"]["uid"] not in [pod["metadata"]["uid"] for pod in pods_of(cluster, registry) if "deletionTimestamp" not in pod["metadata"]]
        assert model_registry(name=registry, database={"password": "rotated-word"}).changes == []
    finally:
        databases.set_password(layout, "mysql", databases.REGISTRY.name, databases.REGISTRY.password)
    back = model_registry(diff=True, name=registry, database={"password": databases.REGISTRY.password})
    assert not back.failed, back.output
    assert back.changes == [("update", "Secret"), ("restart", "Deployment")]
    assert databases.REGISTRY.password not in back.output and "rotated-word" not in back.output


def test_an_edit_that_breaks_the_registry_is_not_called_a_success(cluster, model_registry, registry):
    run = model_registry(name=registry, database={"username": "nobody-knows-me"}, wait_timeout=90)
    assert run.failed
    assert "Error 1045" in run.result["msg"]
    # The condition alone would have said that all is well, and the old pod does serve.
    conditions = {condition["type"]: condition["status"] for condition in cluster.registry(registry)["status"]["conditions"]}
    assert conditions["Available"] == "True"
    assert "previous pod is still running" in run.result["msg"]


def test_another_database_is_refused(layout, model_registry, registry):
    faults.forget_requests(layout)
    run = model_registry(name=registry, database={"name": "another"})
    assert run.failed and "allow_data_change" in run.result["msg"]
    assert writes(layout) == []


def test_what_the_webhooks_refuse_is_told_in_their_words_and_leaves_nothing_behind(cluster, layout, name, mysql, tmp_path):
    faults.forget_requests(layout)
    run = Runner(layout, controlplane.ADMIN_TOKEN, tmp_path)(name=name, namespace=DATABASE_NAMESPACE, database=mysql)
    assert run.failed
    assert [problem["option"] for problem in run.result["problems"]] == ["namespace"] and REGISTRIES_NAMESPACE in run.result["msg"]
    assert writes(layout) == []
    assert not [secret for secret in cluster.items("v1", "secrets", DATABASE_NAMESPACE) if name in secret["metadata"]["name"]]


def test_all_wrong_options_are_named_at_once_before_any_request_that_writes(layout, model_registry, mysql):
    faults.forget_requests(layout)
    run = model_registry(name="Fraud Models", database={**mysql, "port": 70000, "username": "a:b", "password": "is-it-secret?"})
    assert run.failed
    assert [problem["option"] for problem in run.result["problems"]] == ["name", "database.port", "database.username", "database.password"]
    assert "'fraud-models'" in run.result["msg"]
    assert "is-it-secret" not in run.output
    assert writes(layout) == []


def test_no_password_is_printed_at_the_highest_verbosity(model_registry, name, mysql):
    run = model_registry(diff=True, verbosity=4, name=name, database={**mysql, "pasword": "misspelt-secret", "password": "a-secret-password"})
    assert run.failed
    created = model_registry(diff=True, verbosity=4, name=name, database=mysql, wait=False)
    assert not created.failed
    for secret in ("misspelt-secret", "a-secret-password", databases.REGISTRY.password):
        assert secret not in run.output + created.output


def test_a_run_that_died_between_its_two_writes_is_completed_without_an_orphan(cluster, layout, model_registry, name, mysql):
    # The answer to the second write never comes, as for a run that is killed there; the dry run before it does not count.
    faults.api_rules(layout, [faults.Rule("reset", verbs=("create",), path="/modelregistries", skip=1, count=None)])
    try:
        died = model_registry(name=name, database=mysql, wait=False)
    finally:
        faults.api_rules(layout, [])
    assert died.failed and cluster.registry(name) is None
    left = [secret["metadata"]["name"] for secret in cluster.items("v1", "secrets") if secret["metadata"]["name"].startswith(f"{name}-db-")]
    run = model_registry(name=name, database=mysql, wait=False)
    assert not run.failed and run.changes == [("create", "ModelRegistry")]
    assert [cluster.registry(name)["spec"]["mysql"]["passwordSecret"]["name"]] == left


def test_a_write_whose_answer_is_lost_is_not_done_twice(cluster, layout, model_registry, name, mysql):
    faults.api_rules(layout, [faults.Rule("reset", verbs=("create",), path="/modelregistries", skip=1, forwarded=True)])
    try:
        run = model_registry(name=name, database=mysql, wait=False)
    finally:
        faults.api_rules(layout, [])
    assert not run.failed, run.output
    assert run.changes == [("create", "Secret"), ("create", "ModelRegistry")]
    assert cluster.registry(name)


@pytest.mark.parametrize("verb", ["get", "create"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_api_server_is_asked_again(layout, model_registry, name, mysql, status, verb):
    faults.api_rules(layout, [faults.Rule("status", status=status, seconds=1, verbs=(verb,), path="/modelregistries", count=3)])
    try:
        run = model_registry(name=name, database=mysql, wait=False)
    finally:
        faults.api_rules(layout, [])
    assert not run.failed, run.output


@pytest.fixture
def stopped_operator(layout: Layout) -> Iterator[None]:
    processes.stop(layout, "operator")
    yield
    lifecycle.start(layout, "operator")


def test_a_webhook_that_does_not_answer_leaves_nothing_behind(cluster, model_registry, name, mysql, stopped_operator):
    run = model_registry(name=name, database=mysql)
    assert run.failed and "webhook" in run.result["msg"]
    assert not [secret for secret in cluster.items("v1", "secrets") if secret["metadata"]["name"].startswith(f"{name}-db-")]


def test_an_account_without_rights_is_told_each_missing_one(cluster, layout, name, mysql, tmp_path):
    cluster.call(lambda api: api.apply_all([{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody", "namespace": "automation"}}]))
    reader = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "reader", "namespace": REGISTRIES_NAMESPACE},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}],
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "reader", "namespace": REGISTRIES_NAMESPACE},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "nobody", "namespace": "automation"}],
    }
    cluster.call(lambda api: api.apply_all([reader, binding]))
    run = Runner(layout, cluster.token("automation", "nobody"), tmp_path)(name=name, namespace=REGISTRIES_NAMESPACE, database=mysql)
    assert run.failed
    assert "create secrets" in run.result["msg"] and "create modelregistries.modelregistry.opendatahub.io" in run.result["msg"]


def test_credentials_that_are_not_valid_are_told_in_one_sentence(layout, name, tmp_path):
    run = Runner(layout, "no-such-token", tmp_path)(name=name)
    assert run.failed
    assert "401" in run.result["msg"] and "Log in again" in run.result["msg"]
    assert "Traceback" not in run.output


def test_a_person_who_may_not_see_the_platform_is_told_to_set_the_namespace(layout, name, tmp_path):
    run = Runner(layout, people.token("alice"), tmp_path)(name=name)
    assert run.failed
    assert "alice" in run.result["msg"] and "Set namespace" in run.result["msg"]


def test_a_wrong_input_is_told_even_where_the_cluster_is_out_of_reach(model_registry):
    nowhere = {"host": "https://127.0.0.1:1", "api_key": "unused"}
    wrong = model_registry(name="Fraud Models", **nowhere)
    assert wrong.failed and [problem["option"] for problem in wrong.result["problems"]] == ["name"]
    right = model_registry(name="fraud-models", **nowhere)
    assert right.failed and "did not respond" in right.result["msg"]
