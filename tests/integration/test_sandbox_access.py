"""The way to a registry: through the router and past its check of tokens, or not."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from sandbox import databases, faults, people
from sandbox.controlplane import ADMIN_TOKEN
from sandbox.generations import GENERATIONS
from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from tests.helpers import until

from .conftest import Cluster

API = "modelregistry.opendatahub.io/v1beta1"
RBAC = "rbac.authorization.k8s.io"
HEALTH = "/readyz/health"


def condition(cluster: Cluster, name: str, kind: str) -> str | None:
    conditions = (cluster.registry(name).get("status") or {}).get("conditions") or []
    return next((one["status"] for one in conditions if one["type"] == kind), None)


def available(cluster: Cluster, name: str) -> str | None:
    return condition(cluster, name, "Available")


@pytest.fixture
def registry(cluster: Cluster, name: str, database: str) -> str:
    """A registry that serves."""
    secret = {"metadata": {"name": f"{name}-db-trial"}, "data": {"database-password": base64.b64encode(databases.REGISTRY.password.encode()).decode()}}
    cluster.create("v1", "secrets", secret)
    mysql = {
        "host": "mysql.data.svc.cluster.local",
        "username": databases.REGISTRY.name,
        "database": database,
        "passwordSecret": {"name": f"{name}-db-trial", "key": "database-password"},
    }
    proxy = GENERATIONS[cluster.layout.product].proxy
    spec = {"rest": {}, "grpc": {}, proxy: {}, "mysql": mysql}
    cluster.create(API, "modelregistries", {"apiVersion": API, "kind": "ModelRegistry", "metadata": {"name": name}, "spec": spec})
    until(lambda: available(cluster, name) == "True")
    return name


def host_of(registry: str) -> str:
    return f"{registry}-rest.apps.sandbox.test"


def ask(layout: Layout, url: str, token: str | None = None, authority: str = "ingress-ca", method: str = "GET", body: Any = None) -> tuple[int, str]:
    """The status and the text of an answer that came through the router."""

    async def run() -> tuple[int, str]:
        tls = ssl.create_default_context(cafile=str(layout.path("pki", f"{authority}.crt")))
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with aiohttp.ClientSession() as session, session.request(method, url, json=body, headers=headers, proxy=layout.router_url, ssl=tls) as answer:
            return answer.status, await answer.text()

    return asyncio.run(run())


def grant(cluster: Cluster, registry: str, kind: str, subject: str) -> str:
    binding = {
        "metadata": {"name": f"{registry}-trial", "ownerReferences": [owner(cluster, registry)]},
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": f"registry-user-{registry}"},
        "subjects": [{"apiGroup": RBAC, "kind": kind, "name": subject}],
    }
    return str(cluster.create(f"{RBAC}/v1", "rolebindings", binding)["metadata"]["name"])


def owner(cluster: Cluster, registry: str) -> dict[str, Any]:
    return {"apiVersion": API, "kind": "ModelRegistry", "name": registry, "uid": cluster.registry(registry)["metadata"]["uid"]}


@pytest.fixture
def namespace(cluster: Cluster, name: str) -> Iterator[str]:
    cluster.create("v1", "namespaces", {"metadata": {"name": name}}, None)
    until(lambda: cluster.get("v1", "serviceaccounts", "default", name))
    yield name
    cluster.delete("v1", "namespaces", name, None)


def test_only_those_who_were_granted_access_reach_a_registry(layout: Layout, cluster: Cluster, registry: str) -> None:
    url = f"https://{host_of(registry)}{HEALTH}"
    assert ask(layout, url) == (401, "Unauthorized\n")
    assert ask(layout, url, "nonsense") == (401, "Unauthorized\n")
    assert ask(layout, url, people.token("dana")) == (403, "Forbidden (user=dana, verb=get, resource=services, subresource=)\n")
    binding = grant(cluster, registry, "User", "dana")
    until(lambda: ask(layout, url, people.token("dana")) == (200, "OK"))
    assert ask(layout, url, people.token("bob"))[0] == 403
    cluster.delete(f"{RBAC}/v1", "rolebindings", binding)
    until(lambda: ask(layout, url, people.token("dana"))[0] == 403)


def test_members_of_the_registrys_own_group_reach_it(layout: Layout, cluster: Cluster, registry: str) -> None:
    url = f"https://{host_of(registry)}{HEALTH}"
    assert ask(layout, url, "sandbox-carol")[0] == 403
    cluster.merge(people.USER_API, "groups", f"{registry}-users", {"users": ["carol"]}, None)
    assert ask(layout, url, "sandbox-carol")[0] == 200
    cluster.merge(people.USER_API, "groups", f"{registry}-users", {"users": []}, None)
    assert ask(layout, url, "sandbox-carol")[0] == 403


def test_service_accounts_of_a_project_reach_it(layout: Layout, cluster: Cluster, registry: str, namespace: str) -> None:
    url = f"https://{host_of(registry)}{HEALTH}"
    token = cluster.token(namespace, "default")
    assert ask(layout, url, token)[0] == 403
    grant(cluster, registry, "Group", f"system:serviceaccounts:{namespace}")
    until(lambda: ask(layout, url, token)[0] == 200)


def test_models_can_be_registered_and_read(layout: Layout, registry: str) -> None:
    url = f"https://{host_of(registry)}/api/model_registry/v1alpha3/registered_models"
    status, text = ask(layout, url, ADMIN_TOKEN, method="POST", body={"name": "fraud"})
    assert status == 201, text
    status, text = ask(layout, f"{url}?pageSize=1", ADMIN_TOKEN)
    assert status == 200
    assert '"fraud"' in text


def test_many_requests_share_a_tunnel(layout: Layout, registry: str) -> None:
    async def run() -> list[int]:
        tls = ssl.create_default_context(cafile=str(layout.path("pki", "ingress-ca.crt")))
        proxy = layout.router_url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(proxy[0], int(proxy[2]))
        writer.write(f"CONNECT {host_of(registry)}:443 HTTP/1.1\r\n\r\n".encode())
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        await writer.start_tls(tls, server_hostname=host_of(registry))
        statuses = []
        for _time in range(3):
            writer.write(f"GET {HEALTH} HTTP/1.1\r\nHost: {host_of(registry)}\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            statuses.append(int(head.split()[1]))
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
        writer.close()
        return statuses

    assert asyncio.run(run()) == [200, 200, 200]


def test_the_service_shows_its_own_certificate_and_checks_too(layout: Layout, registry: str) -> None:
    url = f"https://{registry}.{REGISTRIES_NAMESPACE}.svc.cluster.local:8443{HEALTH}"
    assert ask(layout, url, ADMIN_TOKEN, authority="service-ca") == (200, "OK")
    assert ask(layout, url, people.token("dana"), authority="service-ca")[0] == 403
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        ask(layout, url, ADMIN_TOKEN, authority="ingress-ca")


def test_a_route_that_is_not_admitted_serves_nothing_and_the_registry_says_so(layout: Layout, cluster: Cluster, registry: str) -> None:
    url = f"https://{host_of(registry)}{HEALTH}"
    faults.set_switches(layout, routes_not_admitted=True)
    try:
        status, text = until(lambda: (got := ask(layout, url, ADMIN_TOKEN))[0] == 503 and got)
        assert status == 503
        assert "Application is not available" in text
        # The operator of 2.25 tells it of the proxy only, and calls the registry available all the same.
        generation = GENERATIONS[layout.product]
        proxy = generation.proxy_condition
        until(lambda: condition(cluster, registry, proxy) == "False")
        until(lambda: available(cluster, registry) == ("False" if generation.is_today else "True"))
    finally:
        faults.set_switches(layout, routes_not_admitted=False)
    until(lambda: ask(layout, url, ADMIN_TOKEN)[0] == 200)
    until(lambda: available(cluster, registry) == "True")


def test_without_a_ready_pod_there_is_no_application(layout: Layout, cluster: Cluster, registry: str) -> None:
    cluster.merge("apps/v1", "deployments", registry, {"spec": {"replicas": 0}})
    # The operator may set it back at once: one answer without a pod is enough.
    until(lambda: ask(layout, f"https://{host_of(registry)}{HEALTH}", ADMIN_TOKEN)[0] == 503)


def test_a_host_without_a_route_is_no_application(layout: Layout) -> None:
    status, text = ask(layout, f"https://{host_of('nobody')}/")
    assert status == 503
    assert "Application is not available" in text


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://nobody.svc.cluster.local/", 403),
        (f"https://nobody.{REGISTRIES_NAMESPACE}.svc.cluster.local:8443/", 502),
        # No address of the cluster, and nowhere else either.
        ("https://nobody.invalid/", 502),
    ],
)
def test_the_router_refuses_what_leads_nowhere(layout: Layout, url: str, status: int) -> None:
    with pytest.raises(aiohttp.ClientHttpProxyError) as caught:
        ask(layout, url)
    assert caught.value.status == status


def test_the_router_makes_tunnels_only(layout: Layout) -> None:
    status, text = ask(layout, "http://example.com/")
    assert status == 403
    assert "only makes tunnels" in text
