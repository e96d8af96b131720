"""What the registry operator of a sandbox does, seen on the API server. The same tests pass with the product's own operator in its place."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from sandbox import databases, faults, lifecycle, processes
from sandbox.crds import REGISTRY_GROUP
from sandbox.kube import ApiError, path
from sandbox.layout import APPS_DOMAIN, REGISTRIES_NAMESPACE, Layout

from .conftest import Cluster

BETA, ALPHA = f"{REGISTRY_GROUP}/v1beta1", f"{REGISTRY_GROUP}/v1alpha1"
RBAC = "rbac.authorization.k8s.io/v1"
USERS = "user.openshift.io/v1"
SECONDS = 90
Spec = dict[str, Any]


@pytest.fixture
def mysql_spec(cluster: Cluster, name: str, database: str) -> Spec:
    """The database of a registry whose server can really use it."""
    secret = {"metadata": {"name": f"{name}-db-trial"}, "stringData": {"database-password": databases.REGISTRY.password}}
    cluster.create("v1", "secrets", secret)
    return {
        "host": "mysql.data.svc.cluster.local",
        "port": 3306,
        "database": database,
        "username": databases.REGISTRY.name,
        "passwordSecret": {"name": f"{name}-db-trial", "key": "database-password"},
    }


def manifest(name: str, spec: Spec, api_version: str = BETA, **metadata: Any) -> dict[str, Any]:
    spec = {"rest": {}, "grpc": {}} | spec
    return {"apiVersion": api_version, "kind": "ModelRegistry", "metadata": {"name": name} | metadata, "spec": spec}


def create(cluster: Cluster, name: str, spec: Spec, api_version: str = BETA, **metadata: Any) -> Any:
    return cluster.create(api_version, "modelregistries", manifest(name, spec, api_version, **metadata))


def dry_run(cluster: Cluster, name: str, spec: Spec, namespace: str = REGISTRIES_NAMESPACE) -> Any:
    return cluster.call(lambda api: api.create(path(BETA, "modelregistries", namespace), manifest(name, spec), dryRun="All"))


def until(what: Callable[[], Any], why: str, seconds: float = SECONDS) -> Any:
    """What `what` returns as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, f"{why}: not within {seconds} s"
        time.sleep(0.2)
    return found


def condition(registry: Any, kind: str = "Available") -> Any:
    return next((c for c in (registry or {}).get("status", {}).get("conditions", []) if c["type"] == kind), None)


def says(cluster: Cluster, name: str, kind: str, status: str) -> Any:
    found = condition(cluster.registry(name), kind)
    return found if found and found["status"] == status else None


def available(cluster: Cluster, name: str) -> Any:
    """The registry once it is available."""
    until(lambda: says(cluster, name, "Available", "True"), f"{name} available")
    return cluster.registry(name)


def deployment(cluster: Cluster, name: str) -> Any:
    return until(lambda: cluster.get("apps/v1", "deployments", name), f"deployment {name}")


def server(cluster: Cluster, name: str) -> Any:
    return deployment(cluster, name)["spec"]["template"]["spec"]["containers"][0]


def refused(call: Callable[[], Any]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call()
    return caught.value


# Admission


def test_a_registry_is_stored_as_the_operator_completes_it(cluster: Cluster, name: str) -> None:
    stored = create(cluster, name, {"mysql": {"host": "h", "database": "d", "username": "u"}, "postgres": None})
    assert stored["spec"] == {
        "rest": {"port": 8080, "serviceRoute": "disabled"},
        "grpc": {"port": 9090},
        "kubeRBACProxy": {"port": 8443, "routePort": 443, "serviceRoute": "enabled"},
        "mysql": {"host": "h", "port": 3306, "database": "d", "username": "u", "skipDBCreation": False},
    }


def test_a_dry_run_is_answered_like_a_create_and_leaves_nothing(cluster: Cluster, name: str) -> None:
    assert dry_run(cluster, name, {"mysql": {"host": "h", "database": "d", "username": "u"}})["spec"]["kubeRBACProxy"]["serviceRoute"] == "enabled"
    assert cluster.registry(name) is None


def test_the_old_proxy_becomes_the_new_one(cluster: Cluster, name: str) -> None:
    spec = create(cluster, name, {"mysql": {"host": "h", "database": "d", "username": "u"}, "oauthProxy": {"domain": "a.test", "image": "old"}})["spec"]
    assert "oauthProxy" not in spec
    assert spec["kubeRBACProxy"] == {"domain": "a.test", "port": 8443, "routePort": 443, "serviceRoute": "enabled"}


def test_a_name_is_taken_once_for_the_whole_cluster(cluster: Cluster, name: str) -> None:
    spec = {"mysql": {"host": "h", "database": "d", "username": "u"}}
    create(cluster, name, spec)
    text = (
        f'admission webhook "vmodelregistry.opendatahub.io" denied the request: ModelRegistry.{REGISTRY_GROUP} "{name}" is invalid: '
        f'metadata.name: Duplicate value: "registry named {name} already exists in namespace {REGISTRIES_NAMESPACE}"'
    )

    def taken() -> ApiError:
        return refused(lambda: create(cluster, name, spec))

    # A second one that comes at once may meet the API server's own refusal.
    error = until(lambda: (found := taken()).status == 403 and found, "refusal by the webhook")
    assert str(error) == text
    assert str(refused(lambda: dry_run(cluster, name, spec, "default"))) == text


def test_registries_live_in_one_namespace(cluster: Cluster, name: str) -> None:
    error = refused(lambda: dry_run(cluster, name, {"mysql": {"host": "h", "database": "d", "username": "u"}}, "default"))
    assert error.status == 403
    assert str(error).endswith(f'metadata.namespace: Invalid value: "default": namespace must be {REGISTRIES_NAMESPACE}')


@pytest.mark.parametrize("database", [{}, {"mysql": {"host": "", "database": "d", "username": "u"}}, {"postgres": {"generateDeployment": False}}])
def test_a_registry_needs_a_database(cluster: Cluster, name: str, database: Spec) -> None:
    error = refused(lambda: dry_run(cluster, name, database))
    assert error.status == 403
    assert str(error).endswith(
        "[spec.postgres: Required value: required one of `postgres` or `mysql` database, "
        "spec.mysql: Required value: required one of `postgres` or `mysql` database]"
    )


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"postgres": {"generateDeployment": True, "host": "h"}}, "host and hostAddress must not be set when generateDeployment is true"),
        ({"postgres": {"host": "h", "database": "d"}}, "Username must be set if database is specified"),
        ({"mysql": {"host": "h", "database": "d", "username": "u"}, "kubeRBACProxy": {}, "oauthProxy": {}}, "Cannot use both oauthProxy and kubeRBACProxy"),
        (
            {"mysql": {"host": "h", "database": "d", "username": "u"}, "kubeRBACProxy": {"tlsKeySecret": {"name": "n", "key": "k"}}},
            "tlsCertificateSecret and tlsKeySecret MUST be set together",
        ),
    ],
)
def test_rules_of_the_schema_are_the_api_servers_to_refuse(cluster: Cluster, name: str, spec: Spec, message: str) -> None:
    error = refused(lambda: dry_run(cluster, name, spec))
    assert error.status == 422
    assert message in str(error)


def test_a_value_of_the_wrong_type_is_refused_before_the_schema_is_asked(cluster: Cluster, name: str) -> None:
    error = refused(lambda: dry_run(cluster, name, {"mysql": {"host": "h", "port": "many", "database": "d", "username": "u"}}))
    assert error.status == 400
    assert str(error).endswith("json: cannot unmarshal string into Go struct field MySQLConfig.spec.mysql.port of type int32")


# Conversion


def test_the_old_version_shows_what_it_knows(cluster: Cluster, name: str) -> None:
    create(cluster, name, {"postgres": {"generateDeployment": True}})
    old = cluster.get(ALPHA, "modelregistries", name)
    assert "kubeRBACProxy" not in old["spec"]
    assert old["spec"]["postgres"] == {"database": "", "port": 5432, "sslMode": "disable"}
    assert cluster.registry(name)["spec"]["postgres"]["generateDeployment"] is True


def test_istio_of_the_old_version_is_stored_as_a_proxy(cluster: Cluster, name: str) -> None:
    istio = {"gateway": {"domain": "old.test", "rest": {"tls": {}, "port": 8445}, "grpc": {}}}
    create(cluster, name, {"mysql": {"host": "h", "database": "d", "username": "u"}, "istio": istio}, ALPHA)
    until(lambda: "kubeRBACProxy" in cluster.registry(name)["spec"], "proxy of today")
    assert cluster.registry(name)["spec"]["kubeRBACProxy"] == {"domain": "old.test", "port": 8443, "routePort": 8445, "serviceRoute": "enabled"}


# What the operator makes


def test_every_object_is_made_and_owned_as_the_product_does(cluster: Cluster, name: str, mysql_spec: Spec) -> None:
    create(cluster, name, {"mysql": mysql_spec})
    registry = available(cluster, name)
    owned = {
        ("v1", "serviceaccounts", name),
        ("v1", "services", name),
        ("apps/v1", "deployments", name),
        (RBAC, "roles", f"registry-user-{name}"),
        (RBAC, "rolebindings", f"{name}-users"),
        ("v1", "configmaps", f"{name}-kube-rbac-proxy-config"),
        ("route.openshift.io/v1", "routes", f"{name}-https"),
        ("networking.k8s.io/v1", "networkpolicies", f"{name}-https-route"),
    }
    for api_version, plural, other in owned:
        (owner,) = cluster.get(api_version, plural, other)["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["uid"], owner["controller"]) == ("ModelRegistry", registry["metadata"]["uid"], True)
    for api_version, plural, other in ((USERS, "groups", f"{name}-users"), (RBAC, "clusterrolebindings", f"{name}-auth-delegator")):
        made = cluster.get(api_version, plural, other, None)
        assert "ownerReferences" not in made["metadata"]
        assert made["metadata"]["labels"]["app"] == name
    role = cluster.get(RBAC, "roles", f"registry-user-{name}")
    assert [(rule["resources"], rule["resourceNames"], rule["verbs"]) for rule in role["rules"]] == [
        (["services"], [name], ["get"]),
        (["endpoints"], [name], ["get"]),
    ]
    assert registry["metadata"]["finalizers"] == ["modelregistry.opendatahub.io/finalizer"]


def test_the_server_is_told_of_its_database_and_its_ca(cluster: Cluster, name: str) -> None:
    certificate = {"sslRootCertificateConfigMap": {"name": "a-ca", "key": "ca.crt"}, "verifyServerCert": True}
    secret = {"passwordSecret": {"name": "a-secret", "key": "a-key"}}
    create(cluster, name, {"mysql": {"host": "db.test", "database": "d", "username": "u"} | certificate | secret})
    container = server(cluster, name)
    assert "--embedmd-database-dsn=u:$(MYSQL_PASSWORD)@tcp(db.test:3306)/d?charset=utf8mb4" in container["args"]
    assert "--embedmd-database-ssl-root-cert=/etc/mysql_ssl_rootcert/ca.crt" in container["args"]
    assert "--embedmd-database-ssl-verify-server-cert=true" in container["args"]
    assert container["env"] == [{"name": "MYSQL_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "a-secret", "key": "a-key"}}}]
    volumes = deployment(cluster, name)["spec"]["template"]["spec"]["volumes"]
    assert {"name": "mysql-ssl-rootcert", "configMap": {"name": "a-ca", "defaultMode": 0o600}} in volumes
    cluster.merge(BETA, "modelregistries", name, {"spec": {"mysql": {"sslRootCertificateConfigMap": None}}})
    until(lambda: not any("rootcert" in volume["name"] for volume in deployment(cluster, name)["spec"]["template"]["spec"]["volumes"]), "volume gone")


def test_users_find_the_registry_by_its_service(cluster: Cluster, name: str) -> None:
    annotations = {"openshift.io/display-name": "Fraud", "openshift.io/description": "", "team": "x"}
    create(cluster, name, {"mysql": {"host": "h", "database": "d", "username": "u"}}, annotations=annotations)

    def shown() -> dict[str, str]:
        found = until(lambda: cluster.get("v1", "services", name), "service")["metadata"]["annotations"]
        return {key: value for key, value in found.items() if key.startswith(("openshift.io", "routing", "team"))}

    assert shown() == {
        "openshift.io/display-name": "Fraud",
        "openshift.io/description": "",
        "routing.opendatahub.io/external-address-rest": f"{name}-rest.{APPS_DOMAIN}:443",
    }
    cluster.merge(BETA, "modelregistries", name, {"metadata": {"annotations": {"openshift.io/display-name": "Fraud models"}}})
    until(lambda: shown()["openshift.io/display-name"] == "Fraud models", "new display name")


def test_a_generated_database_belongs_to_its_registry(cluster: Cluster, name: str) -> None:
    create(cluster, name, {"postgres": {"generateDeployment": True}})
    until(lambda: cluster.get("networking.k8s.io/v1", "networkpolicies", f"{name}-postgres"), "the database's network policy")
    uid = cluster.registry(name)["metadata"]["uid"]
    for api_version, plural, other in (
        ("v1", "secrets", f"{name}-postgres-credentials"),
        ("v1", "persistentvolumeclaims", f"{name}-postgres-storage"),
        ("apps/v1", "deployments", f"{name}-postgres"),
        ("v1", "services", f"{name}-postgres"),
    ):
        assert cluster.get(api_version, plural, other)["metadata"]["ownerReferences"][0]["uid"] == uid
    dsn = f"--embedmd-database-dsn=postgresql://modelregistry:$(POSTGRES_PASSWORD)@{name}-postgres:5432/model_registry"
    assert dsn in server(cluster, name)["args"]
    assert cluster.registry(name)["spec"]["postgres"]["generateDeployment"] is True
    cluster.delete(BETA, "modelregistries", name)
    until(lambda: cluster.get("apps/v1", "deployments", f"{name}-postgres") is None, "database gone")
    until(lambda: cluster.get("v1", "secrets", f"{name}-postgres-credentials") is None, "password gone")
    # The next one of the same name gets a password of its own.
    create(cluster, name, {"postgres": {"generateDeployment": True}})
    made = until(lambda: cluster.get("v1", "secrets", f"{name}-postgres-credentials"), "another password")
    assert made["metadata"]["ownerReferences"][0]["uid"] == cluster.registry(name)["metadata"]["uid"] != uid


# Status


def test_available_comes_five_seconds_after_the_deployment(cluster: Cluster, name: str, mysql_spec: Spec) -> None:
    create(cluster, name, {"mysql": mysql_spec})
    registry = available(cluster, name)

    def since(found: Any) -> datetime:
        return datetime.fromisoformat(found["lastTransitionTime"])

    deployed = next(c for c in deployment(cluster, name)["status"]["conditions"] if c["type"] == "Available")
    # Times are written in whole seconds.
    assert (since(condition(registry)) - since(deployed)).total_seconds() >= 4
    assert condition(registry)["message"] == "Deployment is available"
    assert condition(registry, "KubeRBACProxyAvailable")["reason"] == "ResourcesAvailable"
    assert all("observedGeneration" not in c for c in registry["status"]["conditions"])
    inside = [f"{name}.{REGISTRIES_NAMESPACE}.svc.cluster.local", f"{name}.{REGISTRIES_NAMESPACE}", name]
    assert registry["status"]["hosts"] == [f"{name}-rest.{APPS_DOMAIN}", *inside]
    added = json.loads(registry["status"]["specDefaults"])
    assert added["kubeRBACProxy"]["domain"] == APPS_DOMAIN
    assert added["kubeRBACProxy"]["tlsKeySecret"] == {"name": f"{name}-kube-rbac-proxy", "key": "tls.key"}


def test_an_edit_that_breaks_the_registry_does_not_show(cluster: Cluster, name: str, mysql_spec: Spec) -> None:
    create(cluster, name, {"mysql": mysql_spec})
    available(cluster, name)
    cluster.merge(BETA, "modelregistries", name, {"spec": {"mysql": {"host": "nowhere.invalid"}}})
    until(lambda: any("nowhere.invalid" in argument for argument in server(cluster, name)["args"]), "new arguments")
    until(lambda: deployment(cluster, name)["status"].get("unavailableReplicas"), "a new pod that fails")
    time.sleep(3)
    assert condition(cluster.registry(name))["message"] == "Deployment is available"


def test_a_missing_secret_is_named_in_the_status(cluster: Cluster, name: str) -> None:
    secret = {"passwordSecret": {"name": "no-such-secret", "key": "k"}}
    create(cluster, name, {"mysql": {"host": "h", "database": "d", "username": "u"} | secret})

    def told() -> Any:
        found = condition(cluster.registry(name))
        return found and "CreateContainerConfigError" in found["message"] and found

    found = until(told, "the pod's trouble in the status")
    assert (found["status"], found["reason"]) == ("False", "DeploymentUnavailable")
    assert f"Deployment is unavailable: pod {name}-" in found["message"]
    assert "[rest-container: {waiting: {reason: CreateContainerConfigError" in found["message"]


def test_a_name_of_49_characters_is_accepted_and_fails(cluster: Cluster, name: str) -> None:
    long = name + "x" * (49 - len(name))
    try:
        create(cluster, long, {"mysql": {"host": "h", "database": "d", "username": "u"}})

        def told() -> Any:
            found = condition(cluster.registry(long))
            return found and found["message"].startswith("unexpected reconcile error") and found

        found = until(told, "the refusal in the status")
        assert "metadata.labels: Invalid value" in found["message"]
        assert "63 bytes" in found["message"]
    finally:
        cluster.delete(BETA, "modelregistries", long)


# Changes by others


def test_the_group_is_emptied_once_and_then_left_to_its_members(cluster: Cluster, name: str) -> None:
    group = f"{name}-users"
    cluster.create(USERS, "groups", {"apiVersion": USERS, "kind": "Group", "metadata": {"name": group}, "users": ["ann"]}, None)
    create(cluster, name, {"mysql": {"host": "h", "database": "d", "username": "u"}})
    until(lambda: not cluster.get(USERS, "groups", group, None).get("users"), "an emptied group")
    cluster.merge(USERS, "groups", group, {"users": ["bob"]}, None)
    cluster.merge(BETA, "modelregistries", name, {"spec": {"mysql": {"host": "other"}}})
    until(lambda: any("tcp(other:" in argument for argument in server(cluster, name)["args"]), "a reconciliation")
    time.sleep(1)
    assert cluster.get(USERS, "groups", group, None)["users"] == ["bob"]


def test_subjects_of_the_operators_own_binding_are_put_back(cluster: Cluster, name: str) -> None:
    create(cluster, name, {"mysql": {"host": "h", "database": "d", "username": "u"}})
    until(lambda: cluster.get(RBAC, "rolebindings", f"{name}-users"), "binding")
    eve = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "eve"}
    cluster.merge(RBAC, "rolebindings", f"{name}-users", {"subjects": [eve]})
    group = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": f"{name}-users"}]
    until(lambda: cluster.get(RBAC, "rolebindings", f"{name}-users")["subjects"] == group, "the operator's own subject")


def test_a_deleted_object_comes_back(cluster: Cluster, name: str) -> None:
    create(cluster, name, {"mysql": {"host": "h", "database": "d", "username": "u"}})
    until(lambda: cluster.get("route.openshift.io/v1", "routes", f"{name}-https"), "route")
    cluster.delete("route.openshift.io/v1", "routes", f"{name}-https")
    until(lambda: cluster.get("route.openshift.io/v1", "routes", f"{name}-https"), "route again")


def test_a_mark_on_the_pods_stays_until_the_operator_changes_the_deployment(cluster: Cluster, name: str) -> None:
    create(cluster, name, {"mysql": {"host": "h", "database": "d", "username": "u"}})
    deployment(cluster, name)
    mark = {"spec": {"template": {"metadata": {"annotations": {"example.test/restarted": "now"}}}}}
    cluster.merge("apps/v1", "deployments", name, mark)

    def marked() -> bool:
        return "example.test/restarted" in deployment(cluster, name)["spec"]["template"]["metadata"]["annotations"]

    cluster.merge(BETA, "modelregistries", name, {"metadata": {"annotations": {"openshift.io/display-name": "Other"}}})
    until(lambda: cluster.get("v1", "services", name)["metadata"]["annotations"].get("openshift.io/display-name") == "Other", "a reconciliation")
    assert marked()
    cluster.merge(BETA, "modelregistries", name, {"spec": {"mysql": {"host": "other"}}})
    until(lambda: not marked(), "the mark gone")


# The end


def test_a_delete_takes_the_group_and_leaves_the_cluster_role_binding(cluster: Cluster, name: str) -> None:
    create(cluster, name, {"mysql": {"host": "h", "database": "d", "username": "u"}})
    until(lambda: cluster.get(RBAC, "clusterrolebindings", f"{name}-auth-delegator", None), "cluster role binding")
    cluster.delete(BETA, "modelregistries", name)
    until(lambda: cluster.registry(name) is None, "registry gone")
    assert cluster.get(USERS, "groups", f"{name}-users", None) is None
    until(lambda: cluster.get("apps/v1", "deployments", name) is None, "deployment gone")
    assert cluster.get(RBAC, "clusterrolebindings", f"{name}-auth-delegator", None)

    def deleting() -> list[Any]:
        events = cluster.items("v1", "events", fieldSelector=f"involvedObject.name={name},reason=Deleting")
        return [event for event in events if event["involvedObject"]["kind"] == "ModelRegistry"]

    event = until(deleting, "event")[0]
    assert event["type"] == "Warning"
    assert event["message"] == f"Custom Resource {name} is being deleted from the namespace {REGISTRIES_NAMESPACE}"


def test_a_delete_never_ends_on_a_cluster_without_httproutes(cluster: Cluster, layout: Layout, name: str) -> None:
    create(cluster, name, {"mysql": {"host": "h", "database": "d", "username": "u"}})
    deployment(cluster, name)
    try:
        faults.httproute(layout, False)
        # The product's operator asks once in its life where HTTPRoute is served.
        processes.stop(layout, "operator")
        lifecycle.start(layout, "operator")
        cluster.delete(BETA, "modelregistries", name)
        found = until(lambda: says(cluster, name, "Degraded", "Unknown"), "Degraded")
        assert found["reason"] == "Finalizing"
        time.sleep(3)
        assert cluster.registry(name)
        assert cluster.get("apps/v1", "deployments", name)
    finally:
        faults.httproute(layout, True)
    until(lambda: cluster.registry(name) is None, "registry gone")


def test_an_operator_that_was_away_catches_up(cluster: Cluster, layout: Layout, name: str) -> None:
    create(cluster, name, {"mysql": {"host": "h", "database": "d", "username": "u"}})
    until(lambda: cluster.get(RBAC, "rolebindings", f"{name}-users"), "binding")
    processes.stop(layout, "operator")
    try:
        cluster.delete(RBAC, "rolebindings", f"{name}-users")
    finally:
        lifecycle.start(layout, "operator")
    until(lambda: cluster.get(RBAC, "rolebindings", f"{name}-users"), "binding again")


def test_the_operator_reads_what_it_does_not_write(cluster: Cluster, name: str) -> None:
    """A registry at rest costs nothing: no object of it is written again."""
    create(cluster, name, {"mysql": {"host": "h", "database": "d", "username": "u"}})
    until(lambda: cluster.get(RBAC, "clusterrolebindings", f"{name}-auth-delegator", None), "cluster role binding")

    def versions() -> list[str]:
        kinds = (("v1", "services"), ("v1", "serviceaccounts"), (RBAC, "roles"))
        return [
            cluster.get(version, plural, f"registry-user-{name}" if plural == "roles" else name)["metadata"]["resourceVersion"] for version, plural in kinds
        ]

    def at_rest() -> list[str] | None:
        found = versions()
        time.sleep(2)
        return found if versions() == found else None

    before = until(at_rest, "nothing is written any more")
    cluster.merge(BETA, "modelregistries", name, {"metadata": {"labels": {"a": "b"}}})
    time.sleep(2)
    assert versions() == before
