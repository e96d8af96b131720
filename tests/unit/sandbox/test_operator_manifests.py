"""The objects that the operator makes of a registry."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.generations import GENERATIONS
from sandbox.operator import manifests, registry_catalog
from sandbox.operator.deployment import deployment
from sandbox.operator.manifests import Registry
from sandbox.operator.specs import defaulted, effective, generated_postgres

PASSWORD = {"name": "fraud-db", "key": "database-password"}
MYSQL = {"host": "mysql.data", "port": 3306, "database": "d", "username": "u", "passwordSecret": PASSWORD}
POSTGRES = {"host": "postgres.data", "port": 5432, "database": "d", "username": "u", "sslMode": "disable", "passwordSecret": PASSWORD}
PORTS = {"kubeRBACProxy": {"port": 8443, "routePort": 443}, "oauthProxy": {"port": 8443, "routePort": 443}}


def registry(spec: dict[str, Any], product: str = "3.x", **annotations: str) -> Registry:
    generation = GENERATIONS[product]
    given = {"rest": {"port": 8080}, "grpc": {"port": 9090}} | spec
    original = defaulted(generation, generation.version, {"spec": given}, is_openshift=False)
    return Registry(generation, "fraud", "registries", "uid-1", annotations, original, effective(generation, "fraud", original, "apps.test"))


def with_proxy(product: str = "3.x", **spec: Any) -> Registry:
    proxy = GENERATIONS[product].proxy
    return registry({proxy: PORTS[proxy], "mysql": MYSQL} | spec, product)


def pod(made: Registry) -> Any:
    return deployment(made)["spec"]["template"]["spec"]


def arguments(made: Registry, container: int = 0) -> list[str]:
    found: list[str] = pod(made)["containers"][container]["args"]
    return found


def test_the_server_gets_its_password_from_the_secret_and_the_rest_as_text() -> None:
    (server, proxy) = pod(with_proxy())["containers"]
    assert "--embedmd-database-dsn=u:$(MYSQL_PASSWORD)@tcp(mysql.data:3306)/d?charset=utf8mb4" in server["args"]
    assert server["env"] == [{"name": "MYSQL_PASSWORD", "valueFrom": {"secretKeyRef": PASSWORD}}]
    assert [server["name"], proxy["name"]] == ["rest-container", "kube-rbac-proxy"]
    assert "--upstream=http://127.0.0.1:8080/" in proxy["args"]


def test_a_database_without_password() -> None:
    made = registry({"mysql": {name: value for name, value in MYSQL.items() if name != "passwordSecret"}})
    assert "--embedmd-database-dsn=u@tcp(mysql.data:3306)/d?charset=utf8mb4" in arguments(made)
    assert "env" not in pod(made)["containers"][0]


def test_postgresql_wins_when_both_are_set() -> None:
    made = registry({"mysql": MYSQL, "postgres": POSTGRES})
    assert "--embedmd-database-dsn=postgresql://u:$(POSTGRES_PASSWORD)@postgres.data:5432/d?sslmode=disable" in arguments(made)
    assert not any("mysql" in argument for argument in arguments(made))


@pytest.mark.parametrize(
    ("field", "volume"),
    [
        ("sslRootCertificateConfigMap", {"configMap": {"name": "ca", "defaultMode": 0o600}}),
        ("sslRootCertificateSecret", {"secret": {"secretName": "ca", "defaultMode": 0o600}}),
    ],
)
@pytest.mark.parametrize("kind", ["mysql", "postgres"])
def test_a_ca_is_mounted_whole_and_named_by_its_key(field: str, volume: dict[str, Any], kind: str) -> None:
    database = {"mysql": MYSQL, "postgres": POSTGRES}[kind] | {field: {"name": "ca", "key": "ca.crt"}}
    made = registry({kind: database})
    assert f"--embedmd-database-ssl-root-cert=/etc/{kind}_ssl_rootcert/ca.crt" in arguments(made)
    assert pod(made)["volumes"] == [{"name": f"{kind}-ssl-rootcert"} | volume]
    assert pod(made)["containers"][0]["volumeMounts"] == [{"name": f"{kind}-ssl-rootcert", "mountPath": f"/etc/{kind}_ssl_rootcert", "readOnly": True}]


def test_flags_of_mysql_are_passed_on_as_soon_as_they_are_set() -> None:
    assert "--embedmd-database-ssl-verify-server-cert=false" in arguments(registry({"mysql": MYSQL | {"verifyServerCert": False}}))
    assert not any("verify" in argument for argument in arguments(registry({"mysql": MYSQL})))
    directory = registry({"mysql": MYSQL | {"sslRootCertificatesSecretName": "cas"}})
    assert "--embedmd-database-ssl-ca=/etc/mysql_ssl_rootcerts/" in arguments(directory)
    assert pod(directory)["volumes"] == [{"name": "mysql-ssl-rootcerts", "secret": {"secretName": "cas", "defaultMode": 0o600}}]


def test_the_service_has_the_proxys_port_and_tells_users_where_the_registry_is() -> None:
    service = manifests.service(registry({"kubeRBACProxy": PORTS["kubeRBACProxy"], "mysql": MYSQL}, **{"openshift.io/display-name": "Fraud", "team": "x"}))
    assert [(port["name"], port["port"]) for port in service["spec"]["ports"]] == [("https-api", 8443)]
    assert service["metadata"]["annotations"] == {
        "service.beta.openshift.io/serving-cert-secret-name": "fraud-kube-rbac-proxy",
        "routing.opendatahub.io/external-address-rest": "fraud-rest.apps.test:443",
        "openshift.io/display-name": "Fraud",
    }


def test_a_registry_without_proxy_serves_plainly_and_has_no_address() -> None:
    service = manifests.service(registry({"mysql": MYSQL}))
    assert [(port["name"], port["port"]) for port in service["spec"]["ports"]] == [("http-api", 8080)]
    assert "annotations" not in service["metadata"]


def test_a_certificate_of_the_registrys_own_is_not_asked_of_the_cluster() -> None:
    own = {"tlsCertificateSecret": {"name": "t", "key": "c"}, "tlsKeySecret": {"name": "t", "key": "k"}}
    made = with_proxy(kubeRBACProxy=PORTS["kubeRBACProxy"] | own)
    assert "service.beta.openshift.io/serving-cert-secret-name" not in manifests.service(made)["metadata"]["annotations"]
    assert "--tls-cert-file=/etc/tls/private-cert/c" in arguments(made, 1)


def test_what_has_no_owner_outlives_the_registry() -> None:
    made = with_proxy()
    owned = [manifests.service_account, manifests.service, manifests.role, manifests.role_binding, manifests.https_route, manifests.proxy_config]
    for make in owned:
        (owner,) = make(made)["metadata"]["ownerReferences"]
        assert (owner["apiVersion"], owner["uid"], owner["controller"]) == ("modelregistry.opendatahub.io/v1beta1", "uid-1", True)
    for make in (manifests.group, manifests.cluster_role_binding):
        assert "ownerReferences" not in make(made)["metadata"]
        assert "namespace" not in make(made)["metadata"]


def test_names_of_role_and_group_are_singular_and_plural() -> None:
    made = with_proxy()
    assert manifests.role(made)["metadata"]["name"] == "registry-user-fraud"
    assert [rule["resources"] for rule in manifests.role(made)["rules"]] == [["services"], ["endpoints"]]
    assert manifests.role_binding(made)["roleRef"]["name"] == "registry-user-fraud"
    assert manifests.role_binding(made)["subjects"] == [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "fraud-users"}]


def test_the_network_policy_lets_the_dashboard_in_since_today() -> None:
    def admitted(product: str) -> list[dict[str, str]]:
        (rule,) = manifests.network_policy(with_proxy(product))["spec"]["ingress"]
        return [source["namespaceSelector"]["matchLabels"] for source in rule["from"]]

    assert admitted("3.x") == [{"network.openshift.io/policy-group": "ingress"}, {"opendatahub.io/generated-namespace": "true"}]
    assert admitted("2.25") == [{"network.openshift.io/policy-group": "ingress"}]


def test_a_generated_database_belongs_to_the_registry() -> None:
    made = registry({"postgres": {"generateDeployment": True}})
    made.spec["postgres"] |= {"image": "postgres"}
    for make in (manifests.database_claim, manifests.database_deployment, manifests.database_service, manifests.database_network_policy):
        assert make(made)["metadata"]["ownerReferences"][0]["name"] == "fraud"
    assert manifests.database_claim(made)["metadata"]["name"] == "fraud-postgres-storage"
    assert manifests.database_secret(made, "x")["metadata"]["name"] == generated_postgres("fraud")["passwordSecret"]["name"]
    made.spec["postgres"] = generated_postgres("fraud")
    assert "--embedmd-database-dsn=postgresql://modelregistry:$(POSTGRES_PASSWORD)@fraud-postgres:5432/model_registry" in arguments(made)


def test_the_proxy_of_the_25_line() -> None:
    made = with_proxy("2.25")
    assert [container["name"] for container in pod(made)["containers"]] == ["rest-container", "oauth-proxy"]
    assert "--cookie-secret-file=/cookie-secret/cookie-secret.txt" in arguments(made, 1)
    assert [volume["name"] for volume in pod(made)["volumes"]] == ["oauth-proxy-cert", "oauth-proxy-key", "oauth-proxy-cookie-secret"]
    assert "app.kubernetes.io/name" not in deployment(made)["spec"]["selector"]["matchLabels"]


def test_the_metadata_server_of_the_21_line() -> None:
    made = with_proxy("2.21", mysql=MYSQL | {"sslRootCertificateConfigMap": {"name": "ca", "key": "ca.crt"}})
    assert [container["name"] for container in pod(made)["containers"]] == ["grpc-container", "rest-container", "oauth-proxy"]
    assert arguments(made) == [
        "--grpc_port=9090",
        "--metadata_source_config_type=mysql",
        "--mysql_config_database=d",
        "--mysql_config_host=mysql.data",
        "--mysql_config_port=3306",
        "--mysql_config_user=u",
        "--mysql_config_password=$(MYSQL_PASSWORD)",
        "--mysql_config_sslrootcert=/etc/mysql_ssl_rootcert/ca.crt",
        "--enable_database_upgrade=true",
    ]
    assert "host" not in manifests.https_route(made)["spec"]


def test_the_catalog_of_a_registry_of_2_25_is_the_registrys_own_but_for_its_sources() -> None:
    made = with_proxy("2.25")
    sources, *owned = [registry_catalog.sources(made), registry_catalog.deployment(made), registry_catalog.service(made), *registry_catalog.of_openshift(made)]
    assert "ownerReferences" not in sources["metadata"] and all(item["metadata"]["ownerReferences"] for item in owned)
    assert [f"{item['kind']} {item['metadata']['name']}" for item in (sources, *owned)] == [
        "ConfigMap model-catalog-sources",
        "Deployment fraud-catalog",
        "Service fraud-catalog",
        "Route fraud-catalog-https",
        "NetworkPolicy fraud-catalog-https-route",
    ]
    # By labels the ConfigMap is the registry's server, and the Deployment is not.
    assert [item["metadata"]["labels"]["component"] for item in (sources, owned[0])] == ["model-registry", "model-catalog"]
    _server, proxy = owned[0]["spec"]["template"]["spec"]["containers"]
    assert {"--upstream=http://localhost:8080", "--tls-cert=/etc/tls/tls.crt", "--cookie-name=_fraud_catalog_oauth_proxy"} <= set(proxy["args"])


def test_the_catalog_of_a_registry_without_a_proxy_speaks_http() -> None:
    made = registry({"mysql": MYSQL}, "2.25", **{"openshift.io/display-name": "Fraud"})
    service = registry_catalog.service(made)
    assert service["spec"]["ports"][0]["name"] == "http-api" and service["metadata"]["annotations"] == {"openshift.io/display-name": "Fraud"}
    assert len(registry_catalog.deployment(made)["spec"]["template"]["spec"]["containers"]) == 1
