"""The platform around the registry operator: logins and groups, the component's switch, trusted bundles, Routes, serving certificates."""

from __future__ import annotations

import asyncio
import base64
import time
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from sandbox import faults, people, processes
from sandbox.generations import COMPONENT, GENERATIONS
from sandbox.kube import Api, ApiError
from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from sandbox.platform import component, trusted_bundle
from tests.component import CLUSTER, component_kept, is_ready, status_of, switch
from tests.helpers import until

from .conftest import Cluster

INITIALIZATION = ("dscinitialization.opendatahub.io/v1", "dscinitializations", "default-dsci")
ROUTE_API = "route.openshift.io/v1"


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    name = f"trial-{uuid.uuid4().hex[:8]}"
    cluster.create("v1", "namespaces", {"metadata": {"name": name}}, None)
    yield name
    cluster.delete("v1", "namespaces", name, None)


# Logins


@pytest.fixture
def group(cluster: Cluster) -> Iterator[str]:
    """A group without members that may list the nodes."""
    name = f"trial-{uuid.uuid4().hex[:8]}"
    rbac = "rbac.authorization.k8s.io"
    role = {"metadata": {"name": name}, "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}]}
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": rbac, "kind": "Group", "name": name}],
    }
    cluster.create(people.USER_API, "groups", {"apiVersion": people.USER_API, "kind": "Group", "metadata": {"name": name}, "users": None}, None)
    cluster.create(f"{rbac}/v1", "clusterroles", role, None)
    cluster.create(f"{rbac}/v1", "clusterrolebindings", binding, None)
    yield name
    cluster.delete(f"{rbac}/v1", "clusterrolebindings", name, None)
    cluster.delete(f"{rbac}/v1", "clusterroles", name, None)
    cluster.delete(people.USER_API, "groups", name, None)


def ask(layout: Layout, token: str, path: str) -> int:
    """The status of a GET with this token."""

    async def get() -> int:
        async with Api(layout, "tests", token) as api:
            try:
                await api.get(path)
            except ApiError as error:
                return error.status
        return 200

    return asyncio.run(get())


def whoami(cluster: Cluster, token: str) -> dict[str, Any]:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    status: dict[str, Any] = cluster.create("authentication.k8s.io/v1", "tokenreviews", review, None)["status"]
    return status


def test_a_login_has_the_groups_that_list_it_and_openshifts_own(cluster: Cluster) -> None:
    user = whoami(cluster, people.token("alice"))["user"]
    assert user["username"] == "alice"
    assert {"data-scientists", "system:authenticated", "system:authenticated:oauth"} <= set(user["groups"])
    assert "ml-engineers" not in user["groups"]


def test_a_new_member_of_a_group_has_its_rights_at_the_next_login(layout: Layout, cluster: Cluster, group: str) -> None:
    assert ask(layout, people.token("dana"), "/api/v1/nodes") == 403
    cluster.merge(people.USER_API, "groups", group, {"users": ["dana"]}, None)
    assert ask(layout, people.token("dana"), "/api/v1/nodes") == 200
    cluster.merge(people.USER_API, "groups", group, {"users": []}, None)
    assert ask(layout, people.token("dana"), "/api/v1/nodes") == 403


def test_a_token_of_nobody_is_refused(layout: Layout, cluster: Cluster) -> None:
    assert ask(layout, "sandbox-mallory", "/api/v1/nodes") == 401
    assert not whoami(cluster, "sandbox-mallory").get("authenticated")


def test_a_service_accounts_token_is_a_real_one(cluster: Cluster, namespace: str) -> None:
    until(lambda: cluster.get("v1", "serviceaccounts", "default", namespace))
    user = whoami(cluster, cluster.token(namespace, "default"))["user"]
    assert user["username"] == f"system:serviceaccount:{namespace}:default"
    assert f"system:serviceaccounts:{namespace}" in user["groups"]


def test_somebody_who_never_logged_in_has_no_user_object(cluster: Cluster) -> None:
    users = {user["metadata"]["name"] for user in cluster.items(people.USER_API, "users", None)}
    assert users == set(people.PEOPLE) - {people.NEVER_LOGGED_IN}


# The component


@pytest.fixture
def component_of_before(layout: Layout, cluster: Cluster) -> Iterator[None]:
    with component_kept(layout, cluster):
        yield


def test_both_versions_of_the_cluster_tell_the_namespace(cluster: Cluster) -> None:
    _api, plural, name = CLUSTER
    until(lambda: is_ready(cluster))
    for version in ("v1", "v2"):
        found = cluster.get(f"datasciencecluster.opendatahub.io/{version}", plural, name, None)
        assert found["status"]["components"]["modelregistry"] == {"managementState": "Managed", "registriesNamespace": REGISTRIES_NAMESPACE}


def test_the_component_has_its_singleton(cluster: Cluster) -> None:
    found = until(lambda: cluster.get(COMPONENT.api_version, COMPONENT.plural, COMPONENT.name, None))
    assert found["spec"]["registriesNamespace"] == REGISTRIES_NAMESPACE
    assert found["metadata"]["ownerReferences"][0]["name"] == "default-dsc"


@pytest.mark.usefixtures("component_of_before")
def test_a_removed_component_stops_the_operator_and_a_managed_one_starts_it(layout: Layout, cluster: Cluster) -> None:
    switch(cluster, managementState="Removed")
    until(lambda: processes.running(layout, "operator") is None)
    told, ready = until(lambda: status_of(cluster) if not is_ready(cluster) else None)
    assert told == {"managementState": "Removed"}
    assert (ready["status"], ready["reason"]) == ("False", "Removed")
    assert until(lambda: cluster.get(COMPONENT.api_version, COMPONENT.plural, COMPONENT.name, None) is None)
    assert cluster.get("v1", "namespaces", REGISTRIES_NAMESPACE, None) is not None
    switch(cluster, managementState="Managed")
    until(lambda: is_ready(cluster))
    assert processes.running(layout, "operator")
    assert status_of(cluster)[0]["registriesNamespace"] == REGISTRIES_NAMESPACE


@pytest.mark.usefixtures("component_of_before")
def test_an_operator_that_is_down_is_told(layout: Layout, cluster: Cluster) -> None:
    switch(cluster, managementState="Removed")
    until(lambda: status_of(cluster)[1]["reason"] == "Removed")
    switch(cluster, managementState="Managed")
    # It ends as soon as it was told to be ready: nobody may have looked at its process in between.
    until(lambda: is_ready(cluster))
    processes.stop(layout, "operator")
    ready = until(lambda: status_of(cluster)[1] if not is_ready(cluster) else None)
    assert (ready["reason"], ready["message"]) == ("DeploymentsNotReady", "0/1 deployments ready")
    assert status_of(cluster)[0]["registriesNamespace"] == REGISTRIES_NAMESPACE
    time.sleep(2)
    assert processes.running(layout, "operator") is None
    # Only a switch starts it again; that is left to the fixture's end.
    switch(cluster, managementState="Removed")
    until(lambda: status_of(cluster)[1]["reason"] == "Removed")


def test_the_namespace_cannot_change_while_managed(cluster: Cluster) -> None:
    with pytest.raises(ApiError, match="RegistriesNamespace is immutable when model registry is Managed"):
        switch(cluster, registriesNamespace="elsewhere")


@pytest.mark.usefixtures("component_of_before")
def test_another_namespace_is_made_and_given_to_the_operator(layout: Layout, cluster: Cluster) -> None:
    elsewhere = f"trial-{uuid.uuid4().hex[:8]}"
    switch(cluster, managementState="Removed")
    until(lambda: processes.running(layout, "operator") is None)
    switch(cluster, managementState="Managed", registriesNamespace=elsewhere)
    until(lambda: is_ready(cluster) and status_of(cluster)[0].get("registriesNamespace") == elsewhere)
    assert cluster.get("v1", "namespaces", elsewhere, None)["status"]["phase"] == "Active"
    assert component.registries_namespace(layout) == elsewhere
    refused = {"rest": {}, "grpc": {}, "mysql": {"host": "mysql", "username": "u", "database": "d"}}
    manifest = {
        "apiVersion": GENERATIONS[layout.product].api_version,
        "kind": "ModelRegistry",
        "metadata": {"name": "trial"},
        "spec": refused,
    }
    with pytest.raises(ApiError, match=f"namespace must be {elsewhere}"):
        cluster.call(lambda api: api.create(f"/apis/{manifest['apiVersion']}/namespaces/{REGISTRIES_NAMESPACE}/modelregistries", manifest, dryRun="All"))
    cluster.delete("v1", "namespaces", elsewhere, None)


# Trusted bundles


def bundle(cluster: Cluster, namespace: str) -> Any:
    return cluster.get("v1", "configmaps", trusted_bundle.NAME, namespace)


def whole_bundle(cluster: Cluster, namespace: str) -> Any:
    found = bundle(cluster, namespace)
    return found if found and "ca-bundle.crt" in found["data"] else None


def set_bundle(cluster: Cluster, **spec: str) -> None:
    api_version, plural, name = INITIALIZATION
    cluster.merge(api_version, plural, name, {"spec": {"trustedCABundle": spec}}, None)


@pytest.fixture
def bundle_of_before(cluster: Cluster) -> Iterator[None]:
    yield
    set_bundle(cluster, managementState="Managed", customCABundle="")


def certificates(*parts: Path) -> set[bytes]:
    return {one.tbs_certificate_bytes for path in parts for one in x509.load_pem_x509_certificates(path.read_bytes())}


def test_every_namespace_gets_both_bundles(layout: Layout, cluster: Cluster, namespace: str) -> None:
    for where in (namespace, REGISTRIES_NAMESPACE):
        found = until(partial(whole_bundle, cluster, where))
        assert found["data"]["odh-ca-bundle.crt"] == "\n"
        text = found["data"]["ca-bundle.crt"].encode()
        assert certificates(layout.path("pki", "database-ca.crt")) <= {one.tbs_certificate_bytes for one in x509.load_pem_x509_certificates(text)}
        assert found["metadata"]["labels"] == {"app.kubernetes.io/part-of": "opendatahub-operator", "config.openshift.io/inject-trusted-cabundle": "true"}


@pytest.mark.parametrize("reserved", ["default", "kube-system"])
def test_the_clusters_own_namespaces_get_none(cluster: Cluster, namespace: str, reserved: str) -> None:
    until(lambda: bundle(cluster, namespace))
    assert bundle(cluster, reserved) is None


def test_a_namespace_can_opt_out_and_in_again(cluster: Cluster, namespace: str) -> None:
    until(lambda: bundle(cluster, namespace))
    cluster.merge("v1", "namespaces", namespace, {"metadata": {"annotations": {trusted_bundle.OPT_OUT: "false"}}}, None)
    assert until(lambda: bundle(cluster, namespace) is None)
    cluster.merge("v1", "namespaces", namespace, {"metadata": {"annotations": {trusted_bundle.OPT_OUT: "true"}}}, None)
    until(lambda: bundle(cluster, namespace))


@pytest.mark.usefixtures("bundle_of_before")
def test_the_products_bundle_follows_its_setting(layout: Layout, cluster: Cluster, namespace: str) -> None:
    text = layout.path("pki", "other-ca.crt").read_text().strip()
    until(lambda: bundle(cluster, namespace))
    set_bundle(cluster, customCABundle=f"\n{text}\n\n")
    until(lambda: bundle(cluster, namespace)["data"]["odh-ca-bundle.crt"] == text + "\n")


def test_what_somebody_changed_is_put_right(cluster: Cluster, namespace: str) -> None:
    right = until(partial(whole_bundle, cluster, namespace))["data"]
    cluster.merge("v1", "configmaps", trusted_bundle.NAME, {"data": {"odh-ca-bundle.crt": "wrong", "ca-bundle.crt": None}}, namespace)
    until(lambda: bundle(cluster, namespace)["data"] == right)


# Routes and serving certificates


def route(name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": ROUTE_API, "kind": "Route", "metadata": {"name": name}, "spec": {"to": {"kind": "Service", "name": name}, **spec}}


def admission(cluster: Cluster, namespace: str, name: str) -> str | None:
    ingress = (cluster.get(ROUTE_API, "routes", name, namespace).get("status") or {}).get("ingress") or [{}]
    return next((one["status"] for one in ingress[0].get("conditions", []) if one["type"] == "Admitted"), None)


def is_admitted(cluster: Cluster, namespace: str, name: str, status: str) -> bool:
    return admission(cluster, namespace, name) == status


def test_routes_are_admitted_unless_the_fault_is_on(layout: Layout, cluster: Cluster, namespace: str) -> None:
    cluster.create(ROUTE_API, "routes", route("early", host="early.apps.sandbox.test"), namespace)
    until(partial(is_admitted, cluster, namespace, "early", "True"))
    faults.set_switches(layout, routes_not_admitted=True)
    try:
        cluster.create(ROUTE_API, "routes", route("late", host="late.apps.sandbox.test"), namespace)
        for name in ("early", "late"):
            until(partial(is_admitted, cluster, namespace, name, "False"))
    finally:
        faults.set_switches(layout, routes_not_admitted=False)
    for name in ("early", "late"):
        until(partial(is_admitted, cluster, namespace, name, "True"))


def test_a_fault_that_was_on_for_a_moment_leaves_no_route_behind(layout: Layout, cluster: Cluster, namespace: str) -> None:
    for number in range(3):
        name = f"web-{number}"
        faults.set_switches(layout, routes_not_admitted=True)
        try:
            cluster.create(ROUTE_API, "routes", route(name, host=f"{name}.apps.sandbox.test"), namespace)
            until(partial(is_admitted, cluster, namespace, name, "False"))
        finally:
            faults.set_switches(layout, routes_not_admitted=False)
        until(partial(is_admitted, cluster, namespace, name, "True"), 5)


def test_a_route_without_a_host_gets_one(cluster: Cluster, namespace: str) -> None:
    cluster.create(ROUTE_API, "routes", route("web"), namespace)
    until(lambda: cluster.get(ROUTE_API, "routes", "web", namespace)["spec"].get("host") == f"web-{namespace}.apps.sandbox.test")


def test_a_service_gets_its_certificate_again_and_loses_it_with_itself(layout: Layout, cluster: Cluster, namespace: str) -> None:
    annotations = {"service.beta.openshift.io/serving-cert-secret-name": "web-tls"}
    cluster.create("v1", "services", {"metadata": {"name": "web", "annotations": annotations}, "spec": {"ports": [{"port": 8443}]}}, namespace)
    first = until(lambda: cluster.get("v1", "secrets", "web-tls", namespace))
    leaf = x509.load_pem_x509_certificate(base64.b64decode(first["data"]["tls.crt"]))
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(layout.path("pki", "service-ca.crt").read_bytes()))
    cluster.delete("v1", "secrets", "web-tls", namespace)
    again = until(lambda: (one := cluster.get("v1", "secrets", "web-tls", namespace)) and one["metadata"]["uid"] != first["metadata"]["uid"] and one)
    assert again["type"] == "kubernetes.io/tls"
    cluster.delete("v1", "services", "web", namespace)
    until(lambda: cluster.get("v1", "secrets", "web-tls", namespace) is None)
