"""The module on plain Kubernetes: no DataScienceCluster, no Routes, no groups, no bundle of trusted certificates, and nobody who makes serving certificates."""

from __future__ import annotations

import asyncio
import base64
import ssl
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme

from sandbox import faults, people
from sandbox.kube import ApiError
from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from tests.helpers import Cluster, Runner, Task, until
from tests.reading import INFO, auditor_token

from .conftest import Sandbox, pods_of

REGISTRIES = ("modelregistry.opendatahub.io/v1beta1", "modelregistries")
PERMISSION = "modelops.openshift_ai.model_registry_permission"
PERSON = "alice"


@pytest.fixture
def model_registry(kubernetes: Sandbox, tmp_path: Path) -> Runner:
    return kubernetes.runner(tmp_path)


@pytest.fixture
def name() -> str:
    return f"plain-{uuid.uuid4().hex[:6]}"


@pytest.fixture
def database(kubernetes: Sandbox, name: str) -> dict[str, Any]:
    """A database over TLS, with its CA in a ConfigMap that the user made."""
    authority = {"metadata": {"name": f"{name}-ca"}, "data": {"ca.crt": kubernetes.layout.path("pki", "database-ca.crt").read_text()}}
    kubernetes.cluster.create("v1", "configmaps", authority)
    return kubernetes.mysql(name.replace("-", "_")) | {"ca": {"source": "config_map", "name": f"{name}-ca", "key": "ca.crt"}}


def writes(layout: Layout) -> list[str]:
    """The paths of the requests that changed something."""
    verbs = ("create", "update", "patch", "delete")
    return [sent.path for sent in faults.recorded_requests(layout) if sent.verb in verbs and not sent.dry_run and "reviews" not in sent.path]


def make_serving_certificate(cluster: Cluster, registry: str, authority: trustme.CA) -> None:
    """What OpenShift does for a Service that asks for it."""
    certificate = authority.issue_cert(f"{registry}.{REGISTRIES_NAMESPACE}.svc.cluster.local")
    content = {"tls.crt": certificate.cert_chain_pems[0].bytes(), "tls.key": certificate.private_key_pem.bytes()}
    data = {name: base64.b64encode(text).decode() for name, text in content.items()}
    cluster.create("v1", "secrets", {"metadata": {"name": f"{registry}-kube-rbac-proxy"}, "type": "kubernetes.io/tls", "data": data})


def status_of(layout: Layout, registry: str, authority: trustme.CA) -> int:
    """The status of a person's request to the registry's Service."""

    async def ask() -> int:
        tls = ssl.create_default_context()
        authority.configure_trust(tls)
        url = f"https://{registry}.{REGISTRIES_NAMESPACE}.svc.cluster.local:8443/readyz/health"
        headers = {"Authorization": f"Bearer {people.token(PERSON)}"}
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers, proxy=layout.router_url, ssl=tls) as answer:
            return answer.status

    return asyncio.run(ask())


def test_a_registry_is_made_and_edited(kubernetes: Sandbox, model_registry: Runner, name: str, database: dict[str, Any]) -> None:
    cluster, authority = kubernetes.cluster, trustme.CA()
    options = {"name": name, "namespace": REGISTRIES_NAMESPACE, "database": database}
    waiting = model_registry(**options, wait_timeout=4)
    assert waiting.failed
    assert f"Secret '{name}-kube-rbac-proxy' with the TLS certificate of the Service does not exist" in waiting.result["msg"]
    assert "on Kubernetes, create it" in waiting.result["msg"]
    make_serving_certificate(cluster, name, authority)

    made = model_registry(**options)
    assert not made.failed, made.output
    assert made.changes == [] and made.result["status"]["available"] is True
    mysql = cluster.get(*REGISTRIES, name)["spec"]["mysql"]
    assert mysql["sslRootCertificateConfigMap"] == {"name": f"{name}-ca", "key": "ca.crt"} and mysql["verifyServerCert"] is True
    assert status_of(kubernetes.layout, name, authority) == 403
    grants_and_revokes(kubernetes, model_registry, name, authority)

    before = pods_of(cluster, name)
    exports_and_converges(kubernetes, model_registry, name)
    edited = model_registry(name=name, namespace=REGISTRIES_NAMESPACE, description="Another text")
    assert not edited.failed and edited.changes == [("update", "ModelRegistry")], edited.output
    assert cluster.get(*REGISTRIES, name)["metadata"]["annotations"]["openshift.io/description"] == "Another text"
    assert pods_of(cluster, name) == before


def exports_and_converges(kubernetes: Sandbox, runner: Runner, name: str) -> None:
    """An account that only reads sees everything there is, nothing is said of what cannot be there, and the export changes nothing."""
    token = auditor_token(kubernetes.cluster)
    [shown] = runner.sequence([Task({"name": name, "namespace": REGISTRIES_NAMESPACE}, INFO, token=token)])
    assert not shown.failed and not any("could not be" in warning for warning in shown.warnings), shown.output
    [registry] = shown.result["registries"]
    assert registry["status"]["available"] is True and "members" not in registry["permissions"]
    [again] = runner.sequence([Task({"registries": [registry], "namespace": REGISTRIES_NAMESPACE}, "modelops.openshift_ai.model_registries")])
    assert not again.failed and again.changes == [], again.output


def grants_and_revokes(kubernetes: Sandbox, runner: Runner, name: str, authority: trustme.CA) -> None:
    """Everything but the members of a Group works, and that there are none is said."""
    group = next(group for group, members in people.GROUPS.items() if PERSON in members)
    listed = {"groups": [group], "users": ["somebody"], "projects": ["data"], "service_accounts": [{"namespace": "data", "name": "default"}]}
    options = {"name": name, "namespace": REGISTRIES_NAMESPACE, "permissions": listed}
    refused, granted, again = runner.sequence(
        [
            Task(options | {"permissions": listed | {"members": [PERSON]}}, PERMISSION),
            Task(options | {"verify": True}, PERMISSION),
            Task(options | {"permissions": listed | {"exclusive": True}}, PERMISSION),
        ]
    )
    assert refused.failed and refused.writes == [], refused.output
    assert [problem["option"] for problem in refused.result["problems"]] == ["permissions.members"]
    assert "does not have OpenShift groups" in refused.result["msg"] and "permissions.users" in refused.result["msg"]
    assert granted.changes == [("create", "RoleBinding")] * 4 and again.changes == [], granted.output + again.output
    assert granted.result["registry"]["permissions"] == listed and granted.result["verification"]["denied"] == []
    # Nothing was said of what cannot be there.
    assert not any("could not be" in warning or "cluster has no" in warning for warning in granted.warnings), granted.warnings
    until(lambda: status_of(kubernetes.layout, name, authority) == 200, 10)
    [revoked] = runner.sequence([Task(options | {"state": "absent"}, PERMISSION)])
    assert revoked.changes == [("delete", "RoleBinding")] * 4, revoked.output
    until(lambda: status_of(kubernetes.layout, name, authority) == 403, 10)


def test_a_wrong_password_is_told_in_words(kubernetes: Sandbox, model_registry: Runner, name: str, database: dict[str, Any]) -> None:
    make_serving_certificate(kubernetes.cluster, name, trustme.CA())
    run = model_registry(name=name, namespace=REGISTRIES_NAMESPACE, database=database | {"password": "not-the-password"})
    assert run.failed
    assert "password is wrong" in run.result["msg"] and "Error 1045" in run.result["msg"]


def test_the_namespace_cannot_be_found_out(kubernetes: Sandbox, model_registry: Runner, name: str, database: dict[str, Any]) -> None:
    faults.forget_requests(kubernetes.layout)
    run = model_registry(name=name, database=database)
    assert run.failed
    assert "this cluster has no DataScienceCluster" in run.result["msg"] and "Set namespace" in run.result["msg"]
    assert writes(kubernetes.layout) == []


def test_the_clusters_own_ca_bundle_does_not_exist(kubernetes: Sandbox, model_registry: Runner, name: str, database: dict[str, Any]) -> None:
    faults.forget_requests(kubernetes.layout)
    run = model_registry(name=name, namespace=REGISTRIES_NAMESPACE, database=database | {"ca": {"source": "cluster"}})
    assert run.failed
    assert run.result["problems"][0]["option"] == "database.ca" and "the ConfigMap does not exist" in run.result["msg"]
    assert writes(kubernetes.layout) == []


@pytest.mark.parametrize("api", ["route.openshift.io/v1", "user.openshift.io/v1", "datasciencecluster.opendatahub.io/v1"])
def test_nothing_of_openshift_is_there(kubernetes: Sandbox, api: str) -> None:
    with pytest.raises(ApiError) as missing:
        kubernetes.cluster.call(lambda client: client.get(f"/apis/{api}"))
    assert missing.value.status == 404


def test_two_sandboxes_run_side_by_side(kubernetes: Sandbox, openshift: Sandbox) -> None:
    clusters = [sandbox.cluster.get("v1", "namespaces", "kube-system", None)["metadata"]["uid"] for sandbox in (kubernetes, openshift)]
    assert len(set(clusters)) == len(clusters)
    assert kubernetes.layout.network != openshift.layout.network
