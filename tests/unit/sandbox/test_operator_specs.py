"""What the operator's webhooks make of a registry's spec, in each generation of the product."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterable
from typing import Any

import pytest

from sandbox.generations import GENERATIONS
from sandbox.layout import Layout
from sandbox.operator.configurations import webhook_configurations
from sandbox.operator.specs import converted, defaulted, effective, refusals
from sandbox.operator.structs import Mismatch
from sandbox.operator.webhooks import Admission

TODAY = GENERATIONS["3.x"]
MYSQL = {"host": "mysql", "port": 3306, "database": "d", "username": "u"}


def registry(spec: dict[str, Any], version: str = "v1beta1", **rest: Any) -> dict[str, Any]:
    metadata = {"name": "fraud", "namespace": "registries"}
    return {"apiVersion": f"modelregistry.opendatahub.io/{version}", "kind": "ModelRegistry", "metadata": metadata, "spec": spec} | rest


def default(spec: dict[str, Any], product: str = "3.x", version: str = "v1beta1", is_openshift: bool = True, **rest: Any) -> dict[str, Any]:
    return defaulted(GENERATIONS[product], version, registry(spec, version, **rest), is_openshift)


def test_a_registry_without_proxy_gets_one_on_openshift_only() -> None:
    assert default({"rest": {}, "mysql": MYSQL})["kubeRBACProxy"] == {"serviceRoute": "enabled"}
    assert "kubeRBACProxy" not in default({"rest": {}, "mysql": MYSQL}, is_openshift=False)
    assert "oauthProxy" not in default({"rest": {}, "mysql": MYSQL}, "2.25")


def test_the_old_proxy_becomes_the_new_one_without_its_image() -> None:
    spec = default({"rest": {}, "mysql": MYSQL, "oauthProxy": {"port": 9443, "image": "old", "domain": "a.b"}})
    assert "oauthProxy" not in spec
    assert spec["kubeRBACProxy"] == {"port": 9443, "domain": "a.b", "serviceRoute": "enabled"}
    assert "kubeRBACProxy" not in default({"rest": {}, "grpc": {}, "mysql": MYSQL, "oauthProxy": {}}, "2.25")


@pytest.mark.parametrize(
    ("database", "kept"),
    [
        ({"mysql": MYSQL | {"host": ""}}, False),
        ({"postgres": {"username": "u"}}, False),
        ({"postgres": {"generateDeployment": False}}, False),
        ({"postgres": {"generateDeployment": True}}, True),
        ({"postgres": {"hostAddress": "192.0.2.1"}}, True),
    ],
)
def test_a_database_that_names_no_host_is_dropped(database: dict[str, Any], kept: bool) -> None:
    assert bool({"mysql", "postgres"} & default({"rest": {}} | database).keys()) == kept


def test_the_spec_comes_back_as_the_structs_write_it() -> None:
    spec = default({"rest": {"resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}}, "image": ""}, "mysql": MYSQL | {"skipDBCreation": False}})
    assert spec["grpc"] == {}
    assert spec["rest"] == {"serviceRoute": "disabled", "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}}
    assert spec["mysql"] == MYSQL


def test_an_image_of_the_operators_own_is_not_kept_unless_it_was_chosen() -> None:
    rest = {"image": "quay.io/opendatahub/model-registry:v1", "resources": {"requests": {"cpu": "1"}}}
    assert default({"rest": rest, "mysql": MYSQL})["rest"] == {"serviceRoute": "disabled"}
    chosen = default({"rest": rest, "mysql": MYSQL}, status={"specDefaults": '{"rest":{}}'})
    assert chosen["rest"]["image"] == rest["image"]


def test_a_value_of_the_wrong_type_is_refused_in_the_words_of_the_decoder() -> None:
    with pytest.raises(Mismatch) as caught:
        default({"rest": {}, "mysql": MYSQL | {"port": "many"}})
    assert str(caught.value) == "json: cannot unmarshal string into Go struct field MySQLConfig.spec.mysql.port of type int32"
    with pytest.raises(Mismatch) as caught:
        default({"rest": {"port": 1.5}})
    assert str(caught.value) == "json: cannot unmarshal number 1.5 into Go struct field RestSpec.spec.rest.port of type int32"


def test_a_registry_needs_a_database_and_the_registries_namespace() -> None:
    assert refusals(TODAY, registry({"rest": {}, "mysql": MYSQL}), "registries", "") == []
    assert refusals(TODAY, registry({"rest": {}, "mysql": MYSQL}), "", "") == []
    assert refusals(TODAY, registry({"rest": {}}), "elsewhere", "") == [
        'metadata.namespace: Invalid value: "registries": namespace must be elsewhere',
        "spec.postgres: Required value: required one of `postgres` or `mysql` database",
        "spec.mysql: Required value: required one of `postgres` or `mysql` database",
    ]
    generated = registry({"postgres": {"generateDeployment": True, "host": "h"}})
    assert refusals(TODAY, generated, "", "") == ['spec.postgres.host: Invalid value: "h": host should not be set when auto-provisioning is enabled']


def admission(product: str = "3.x", *taken: tuple[str, str]) -> Admission:
    async def registries() -> Iterable[tuple[str, str]]:
        return taken

    return Admission(GENERATIONS[product], True, "registries", "apps.test", registries)


def request(operation: str, spec: dict[str, Any], version: str = "v1beta1") -> dict[str, Any]:
    return {"operation": operation, "kind": {"version": version}, "object": registry(spec, version)}


def test_a_name_that_is_taken_anywhere_is_refused_on_create_only() -> None:
    webhooks = admission("3.x", ("other", "fraud"))
    refused = asyncio.run(webhooks.validate(request("CREATE", {"mysql": MYSQL})))
    assert refused["allowed"] is False
    assert refused["status"]["code"] == 403
    assert refused["status"]["message"] == (
        'ModelRegistry.modelregistry.opendatahub.io "fraud" is invalid: '
        'metadata.name: Duplicate value: "registry named fraud already exists in namespace other"'
    )
    assert asyncio.run(webhooks.validate(request("UPDATE", {"mysql": MYSQL}))) == {"allowed": True}
    assert asyncio.run(admission("2.21", ("other", "fraud")).validate(request("CREATE", {"mysql": MYSQL}, "v1alpha1")))["status"]["code"] == 422


def test_the_patch_replaces_the_spec_and_nothing_else() -> None:
    answer = asyncio.run(admission().mutate(request("CREATE", {"rest": {}, "mysql": MYSQL})))
    assert answer["patchType"] == "JSONPatch"
    (operation,) = json.loads(base64.b64decode(answer["patch"]))
    assert (operation["op"], operation["path"]) == ("add", "/spec")
    assert operation["value"]["kubeRBACProxy"] == {"serviceRoute": "enabled"}
    assert asyncio.run(admission().mutate(request("UPDATE", operation["value"]))) == {"allowed": True}


def test_the_webhooks_listen_where_each_generation_is_called() -> None:
    def urls(product: str) -> list[str]:
        return [c["webhooks"][0]["clientConfig"]["url"] for c in webhook_configurations(Layout("/nowhere", 99, product), b"a CA")]

    assert urls("3.x") == [f"https://127.99.0.5:9444/{verb}-modelregistry-opendatahub-io-modelregistry" for verb in ("mutate", "validate")]
    assert urls("2.21") == [f"https://127.99.0.5:9444/{verb}-modelregistry-opendatahub-io-v1alpha1-modelregistry" for verb in ("mutate", "validate")]


def test_the_older_version_loses_what_it_does_not_know() -> None:
    today = registry({"rest": {}, "postgres": {"generateDeployment": True, "image": "i", "sslMode": "disable"}, "kubeRBACProxy": {"port": 8443}})
    old = converted(TODAY, today, "modelregistry.opendatahub.io/v1alpha1")
    assert old["apiVersion"] == "modelregistry.opendatahub.io/v1alpha1"
    assert old["metadata"] == today["metadata"]
    assert old["spec"] == {"rest": {}, "grpc": {}, "postgres": {"database": "", "sslMode": "disable"}}


@pytest.mark.parametrize(
    ("istio", "proxy"),
    [
        ({}, {"port": 8443, "routePort": 443, "serviceRoute": "disabled"}),
        ({"gateway": {"rest": {}, "grpc": {}}}, {"port": 8443, "routePort": 443, "serviceRoute": "enabled"}),
        (
            {"gateway": {"domain": "a.b", "rest": {"port": 99, "tls": {}, "gatewayRoute": "disabled"}, "grpc": {}}},
            {"port": 8443, "routePort": 99, "serviceRoute": "disabled", "domain": "a.b"},
        ),
    ],
)
def test_istio_becomes_a_proxy(istio: dict[str, Any], proxy: dict[str, Any]) -> None:
    old = registry({"rest": {}, "grpc": {}, "mysql": MYSQL, "istio": istio}, "v1alpha1", status={"hostsStr": "a"})
    made = converted(GENERATIONS["2.25"], old, "modelregistry.opendatahub.io/v1beta1")
    assert made["spec"]["oauthProxy"] == proxy
    assert made["status"] == {"hostsStr": "a"}


def test_istio_needs_settings_that_a_sandbox_does_not_have() -> None:
    spec = default({"rest": {}, "grpc": {}, "mysql": MYSQL, "istio": {"gateway": {"rest": {"tls": {}}, "grpc": {}}}}, "2.21", "v1alpha1")
    assert spec["istio"]["tlsMode"] == "ISTIO_MUTUAL"
    assert spec["istio"]["gateway"]["rest"] == {"tls": {}, "port": 443, "gatewayRoute": "enabled"}
    missing = refusals(GENERATIONS["2.21"], registry(spec, "v1alpha1"), "", "apps.test")
    assert [text.split(":")[0] for text in missing] == [
        "spec.istio.authProvider",
        "spec.istio.authConfigLabels",
        "spec.istio.gateway.rest.tls.credentialName",
    ]


def test_what_the_operator_adds_at_run_time() -> None:
    spec = effective(TODAY, "fraud", default({"rest": {}, "mysql": MYSQL}), "apps.test")
    assert spec["rest"]["image"] == "quay.io/opendatahub/model-registry:v0.3.14"
    assert spec["rest"]["resources"] == {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}}
    assert spec["kubeRBACProxy"]["domain"] == "apps.test"
    assert spec["kubeRBACProxy"]["tlsKeySecret"] == {"name": "fraud-kube-rbac-proxy", "key": "tls.key"}
    chosen = effective(TODAY, "fraud", {"rest": {"image": "i"}, "kubeRBACProxy": {"tlsCertificateSecret": {"name": "t", "key": "c"}}}, "apps.test")
    assert chosen["rest"]["image"] == "i"
    assert "tlsKeySecret" not in chosen["kubeRBACProxy"]
