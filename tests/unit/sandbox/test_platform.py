"""What the platform decides, without a cluster."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import trustme
from cryptography import x509

from sandbox.generations import GENERATIONS
from sandbox.kube import Api
from sandbox.layout import Layout
from sandbox.platform import access, api_faults, component, routes, serving_certificates, tokens, trusted_bundle
from sandbox.platform.component import Component

TODAY, NEXT = GENERATIONS["3.x"], GENERATIONS["3.6"]
NOW, BEFORE = "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"


def cluster(state: str | None, namespace: str | None = None, conditions: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    registries = {key: value for key, value in (("managementState", state), ("registriesNamespace", namespace)) if value}
    return {"spec": {"components": {"modelregistry": registries}}, "status": {"conditions": conditions or []}}


def condition(status: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(item for item in status["conditions"] if item["type"] == kind)


# Logins


def test_groups_are_those_whose_group_object_lists_the_person() -> None:
    groups: list[dict[str, Any]] = [
        {"metadata": {"name": "writers"}, "users": ["bob", "alice"]},
        {"metadata": {"name": "emptied"}, "users": None},
        {"metadata": {"name": "others"}, "users": ["bob"]},
        {"metadata": {"name": "never-filled"}},
        {"metadata": {"name": "readers"}, "users": ["alice"]},
    ]
    assert tokens.groups_of("alice", groups) == ["readers", "writers"]


def test_a_review_of_an_unknown_token_authenticates_nobody() -> None:
    answer = tokens.answer({"apiVersion": "authentication.k8s.io/v1", "spec": {"token": "x"}}, None)
    assert answer == {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": {"authenticated": False}}


def test_a_review_of_a_known_token_names_user_and_groups() -> None:
    answer = tokens.answer({"apiVersion": "authentication.k8s.io/v1"}, tokens.Identity("alice", ("readers", "system:authenticated:oauth")))
    assert answer["status"] == {"authenticated": True, "user": {"username": "alice", "uid": "", "groups": ["readers", "system:authenticated:oauth"]}}


def test_the_api_server_asks_the_platform_about_tokens(tmp_path: Path) -> None:
    config = tokens.webhook_kubeconfig(Layout(str(tmp_path), 61))
    assert config["clusters"][0]["cluster"] == {"server": "https://127.61.0.2:8443/authenticate", "certificate-authority": str(tmp_path / "pki" / "ca.crt")}


@pytest.mark.parametrize(
    ("header", "bearer"), [("Bearer abc", "abc"), ("bearer abc", "abc"), ("Bearer  abc ", "abc"), ("Basic abc", ""), ("", ""), ("Bearer", "")]
)
def test_bearer_tokens_are_read_from_the_header(header: str, bearer: str) -> None:
    assert access.bearer_of(header) == bearer


# The component


def test_a_component_without_a_state_is_removed() -> None:
    assert Component.of(cluster(None), TODAY) == Component.of({}, TODAY) == Component(False, "odh-model-registries", None)


def test_the_namespace_is_told_only_while_managed() -> None:
    managed = component.cluster_status(cluster("Managed", "mine"), TODAY, True, NOW)["components"]["modelregistry"]
    removed = component.cluster_status(cluster("Removed", "mine"), TODAY, True, NOW)["components"]["modelregistry"]
    assert managed == {"managementState": "Managed", "registriesNamespace": "mine"}
    assert removed == {"managementState": "Removed", "registriesNamespace": None}


def test_from_3_6_on_registries_are_with_the_applications_where_no_namespace_is_named_and_the_status_is_silent() -> None:
    assert Component.of(cluster("Managed"), NEXT) == Component(True, "opendatahub", None)
    assert Component.of(cluster("Managed", "mine"), NEXT) == Component(True, "mine", "mine")
    assert component.cluster_status(cluster("Managed"), NEXT, True, NOW)["components"]["modelregistry"]["registriesNamespace"] is None
    assert component.cluster_status(cluster("Managed"), TODAY, True, NOW)["components"]["modelregistry"]["registriesNamespace"] == "odh-model-registries"


@pytest.mark.parametrize(
    ("state", "operator_runs", "ready", "reason", "whole"),
    [
        ("Managed", True, "True", "Ready", "True"),
        ("Managed", False, "False", "DeploymentsNotReady", "False"),
        ("Removed", False, "False", "Removed", "True"),
    ],
)
def test_readiness_says_what_is_missing(state: str, operator_runs: bool, ready: str, reason: str, whole: str) -> None:
    status = component.cluster_status(cluster(state), TODAY, operator_runs, NOW)
    found = condition(status, "ModelRegistryReady")
    assert (found["status"], found["reason"]) == (ready, reason)
    assert condition(status, "Ready")["status"] == whole


def test_a_condition_keeps_the_time_of_its_last_change() -> None:
    old = [
        {"type": "ModelRegistryReady", "status": "True", "reason": "Ready", "message": "", "lastTransitionTime": BEFORE},
        {"type": "Ready", "status": "False", "reason": "DeploymentsNotReady", "message": "", "lastTransitionTime": BEFORE},
        {"type": "OtherReady", "status": "True", "lastTransitionTime": BEFORE},
    ]
    status = component.cluster_status(cluster("Managed", conditions=old), TODAY, True, NOW)
    assert [condition(status, kind)["lastTransitionTime"] for kind in ("ModelRegistryReady", "Ready", "OtherReady")] == [BEFORE, NOW, BEFORE]


def test_the_operator_is_started_with_the_namespace_that_was_asked_for_last(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path), 61)
    assert component.registries_namespace(layout) == "odh-model-registries"
    layout.path("run", "registries-namespace").write_text("mine\n")
    assert component.registries_namespace(layout) == "mine"


# Trusted bundles


@pytest.mark.parametrize("name", ["default", "openshift", "openshift-ingress", "kube-system"])
def test_the_clusters_own_namespaces_are_reserved(name: str) -> None:
    assert trusted_bundle.reserved(name)


@pytest.mark.parametrize("name", ["data", "openshifty", "defaults", "odh-model-registries"])
def test_other_namespaces_are_not_reserved(name: str) -> None:
    assert not trusted_bundle.reserved(name)


@pytest.mark.parametrize(("custom", "text"), [("", "\n"), (None, "\n"), ("  \n", "\n"), ("PEM", "PEM\n"), ("\nPEM\n\n", "PEM\n")])
def test_the_products_bundle_is_trimmed_and_never_empty(custom: str | None, text: str) -> None:
    assert trusted_bundle.product_bundle({"spec": {"trustedCABundle": {"managementState": "Managed", "customCABundle": custom}}}) == text


@pytest.mark.parametrize("bundle", [None, {}, {"managementState": "Removed", "customCABundle": "PEM"}, {"managementState": "Unmanaged"}])
def test_a_bundle_that_is_not_managed_is_left_alone(bundle: dict[str, str] | None) -> None:
    assert trusted_bundle.product_bundle({"spec": {"trustedCABundle": bundle}}) is None


# Routes


def route(host: str | None = "web.apps.sandbox.test", ingress: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    spec = {"to": {"kind": "Service", "name": "web"}} | ({"host": host} if host else {})
    return {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec, "status": {"ingress": ingress} if ingress else {}}


def test_a_route_without_a_host_gets_one_as_openshift_makes_it() -> None:
    assert routes.host_of(route(host=None)) == "web-shop.apps.sandbox.test"


def test_a_route_is_admitted_and_refused() -> None:
    admitted = routes.ingress_status(route(), True, NOW)
    assert routes.admitted(route(ingress=admitted))
    assert admitted[0]["host"] == "web.apps.sandbox.test"
    refused = routes.ingress_status(route(ingress=admitted), False, NOW)
    assert not routes.admitted(route(ingress=refused))
    assert refused[0]["conditions"][0]["reason"] == "RouteNotAdmitted"


def test_an_admission_that_stands_is_not_written_again() -> None:
    admitted = routes.ingress_status(route(), True, BEFORE)
    assert routes.ingress_status(route(ingress=admitted), True, NOW) == admitted


def test_a_route_that_changed_its_host_is_admitted_anew() -> None:
    old = routes.ingress_status(route(), True, BEFORE)
    assert routes.ingress_status(route("new.apps.sandbox.test", old), True, NOW)[0]["host"] == "new.apps.sandbox.test"


# Serving certificates


def test_a_service_gets_a_certificate_for_its_names(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path), 61)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(layout.path("pki", "service-ca.crt"))
    authority.private_key_pem.write_to_path(layout.path("pki", "service-ca.key"))
    annotations = {serving_certificates.SECRET_NAME: "web-tls"}
    service = {"metadata": {"name": "web", "namespace": "shop", "uid": "u1", "annotations": annotations}}
    now = datetime(2026, 1, 1, tzinfo=UTC)
    secret = serving_certificates.secret(service, serving_certificates.Authority.load(layout), now)
    assert (secret["type"], secret["metadata"]["name"]) == ("kubernetes.io/tls", "web-tls")
    assert secret["metadata"]["ownerReferences"] == [{"apiVersion": "v1", "kind": "Service", "name": "web", "uid": "u1"}]
    leaf, signer = x509.load_pem_x509_certificates(base64.b64decode(secret["data"]["tls.crt"]))
    leaf.verify_directly_issued_by(signer)
    assert signer == x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    assert names == ["web.shop.svc", "web.shop.svc.cluster.local"]
    assert leaf.not_valid_after_utc - now == timedelta(days=730)


@pytest.mark.parametrize(
    ("query", "body", "effective"),
    [
        ({"dryRun": "All"}, b"", {"dryRun": "All"}),
        # The query is not looked at beside a body.
        ({"dryRun": "All"}, b"{}", {}),
        ({}, b'{"dryRun": ["All"]}', {"dryRun": "All"}),
    ],
)
def test_a_deletion_is_a_dry_run_when_its_body_says_so(query, body, effective):
    assert api_faults.deletion_query(query, body) == effective


class Served:
    """An API of one cluster with a managed component, whose operator ends as soon as it was told to be ready."""

    def __init__(self) -> None:
        self.operator_runs = False
        self.told: list[dict[str, Any]] = []
        self.ended = asyncio.Event()

    async def watch(self, _path: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        yield "ADDED", {"metadata": {"name": "default-dsc", "uid": "1"}, **cluster("Managed", "registries")}
        await asyncio.Event().wait()

    async def find(self, _path: str) -> dict[str, Any]:
        self.operator_runs = not self.told
        return {"spec": {TODAY.singleton.namespace_field: "registries"}}

    async def merge(self, path: str, body: dict[str, Any]) -> None:
        if "datascienceclusters" in path:
            self.told.append(condition(body["status"], component.READY))
            if self.operator_runs:
                self.operator_runs = False
            else:
                self.ended.set()


def test_an_operator_that_starts_and_ends_between_two_looks_is_told_to_be_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served()
    monkeypatch.setattr(component.processes, "running", lambda *_: 1 if served.operator_runs else None)
    monkeypatch.setattr(component, "OPERATOR_CHECK_SECONDS", 0.01)

    async def follow() -> None:
        following = asyncio.create_task(component.run(Layout(str(tmp_path), 61), cast(Api, served)))
        try:
            async with asyncio.timeout(5):
                await served.ended.wait()
        finally:
            following.cancel()

    asyncio.run(follow())
    assert [one["status"] for one in served.told] == ["True", "False"]
