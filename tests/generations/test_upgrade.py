"""The module on every generation of the registry operator, and one registry that lives through all of them."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
import ssl
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox import databases, faults, people
from sandbox.kube import ApiError
from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from tests.dashboard import CLUSTER_WIDE, Dashboard, Form, database_of
from tests.helpers import Cluster, Right, Task, until
from tests.reading import INFO, auditor_token

from .conftest import Sandbox, pods_of

GROUP = "modelregistry.opendatahub.io"
RBAC = "rbac.authorization.k8s.io"
REGISTRIES_MODULE = "modelops.openshift_ai.model_registries"
ROUTES = Right("model-registry-read", "route.openshift.io", "routes", "list")
MODELS = "/api/model_registry/v1alpha3/registered_models"
PERSON = "alice"
ADOPTED = "adopted-registry"


@dataclass(frozen=True)
class Generation:
    """What a registry is in one generation of the product."""

    version: str
    proxy: str
    containers: tuple[str, ...]
    denial: int
    # Changes of a database's options that break a registry, with what is then said, and the evidence.
    mistakes: tuple[tuple[dict[str, str], str, str], ...]

    @property
    def registries(self) -> tuple[str, str]:
        return f"{GROUP}/{self.version}", "modelregistries"


WRONG_PASSWORD = {"password": "not-the-password"}
REFUSED_LOGIN = (WRONG_PASSWORD, "password is wrong", "Error 1045")
GENERATIONS = {
    "2.21": Generation(
        "v1alpha1",
        "oauthProxy",
        ("grpc-container", "rest-container", "oauth-proxy"),
        422,
        (
            # The metadata server has the same words for everything that keeps it from connecting.
            (WRONG_PASSWORD, "does not report whether the host, the port, the user name, the password or the CA is wrong", "mysql_real_connect failed"),
            ({"name": "with-hyphens"}, "is not a valid database name for this version of the product", "Use only letters, digits and underscores"),
        ),
    ),
    "2.25": Generation("v1beta1", "oauthProxy", ("rest-container", "oauth-proxy"), 403, (REFUSED_LOGIN,)),
    "3.x": Generation("v1beta1", "kubeRBACProxy", ("rest-container", "kube-rbac-proxy"), 403, (REFUSED_LOGIN,)),
}


@dataclass(frozen=True)
class Registry:
    """A registry with the options that made it."""

    name: str
    options: dict[str, Any]


@pytest.fixture(scope="module")
def old_registry(openshift: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """A registry that was made by the module on the oldest product, with a model in it that a person stored; and beside it one of the dashboard's."""
    mysql = openshift.mysql("old_registry") | {"ca": {"source": "cluster"}}
    registry = Registry("old-registry", {"description": "As it was made", "database": mysql})
    run = openshift.runner(tmp_path_factory.mktemp("old"))(name=registry.name, **registry.options)
    assert not run.failed, run.output
    pages = Dashboard(openshift.cluster)
    pages.create(ADOPTED, Form("Adopted", "", database_of(mysql), CLUSTER_WIDE))
    # Its owner reference has the API version of the time.
    pages.grant(ADOPTED, "Group", "data-scientists")
    assert ask(openshift, registry.name)[0] == 403
    grant(openshift.cluster, registry.name)
    assert ask_until_it_serves(openshift, registry.name) == []
    assert ask(openshift, registry.name, "kept-model")[0] == 201
    return registry


@pytest.fixture(scope="module", params=GENERATIONS)
def product(request: pytest.FixtureRequest, openshift: Sandbox, old_registry: Registry) -> str:
    """One generation after the other, upgraded in place."""
    if openshift.layout.product != request.param:
        openshift.command("upgrade", request.param)
    return str(request.param)


@pytest.fixture
def generation(product: str) -> Generation:
    return GENERATIONS[product]


def ask(sandbox: Sandbox, registry: str, model: str = "") -> tuple[int, list[str]]:
    """The answer of a registry's public address to a person: its status, and the names of the models; with `model`, that one is stored."""
    layout = sandbox.layout
    route = until(lambda: sandbox.cluster.get("route.openshift.io/v1", "routes", f"{registry}-https"))
    host = until(lambda: admitted_host(sandbox.cluster, route["metadata"]["name"]))
    method, body = ("POST", {"name": model}) if model else ("GET", None)
    return asyncio.run(request(layout, method, f"https://{host}{MODELS}", body))


def ask_until_it_serves(sandbox: Sandbox, registry: str) -> list[str]:
    """The names of its models. In 2.21 the pod is ready as soon as its port is open, a moment before it answers."""
    models: list[str] = until(lambda: (answer := ask(sandbox, registry))[0] == 200 and answer, 10)[1]
    return models


def admitted_host(cluster: Cluster, route: str) -> str | None:
    found = cluster.get("route.openshift.io/v1", "routes", route)
    return next((ingress["host"] for ingress in (found or {}).get("status", {}).get("ingress") or []), None)


async def request(layout: Layout, method: str, url: str, body: Any) -> tuple[int, list[str]]:
    tls = ssl.create_default_context(cafile=str(layout.path("pki", "ingress-ca.crt")))
    headers = {"Authorization": f"Bearer {people.token(PERSON)}"}
    async with aiohttp.ClientSession() as session, session.request(method, url, json=body, headers=headers, proxy=layout.router_url, ssl=tls) as answer:
        content = await answer.json() if answer.content_type == "application/json" else {}
        return answer.status, [model["name"] for model in content.get("items", [])]


def grant(cluster: Cluster, registry: str) -> None:
    """Give the person access to a registry."""
    role = {"apiGroup": RBAC, "kind": "Role", "name": f"registry-user-{registry}"}
    subject = {"apiGroup": RBAC, "kind": "User", "name": PERSON}
    cluster.create(f"{RBAC}/v1", "rolebindings", {"metadata": {"name": f"{registry}-{PERSON}"}, "roleRef": role, "subjects": [subject]})


def taken_over(cluster: Cluster, registry: str, generation: Generation) -> bool:
    """Whether the operator of this generation has made the registry's pods its own, and they serve."""
    deployment = cluster.get("apps/v1", "deployments", registry)
    # Its selector cannot be changed: the operator of today deletes an older one and makes it anew.
    if deployment is None:
        return False
    status = deployment.get("status", {})
    names = tuple(container["name"] for container in deployment["spec"]["template"]["spec"]["containers"])
    complete = status.get("observedGeneration") == deployment["metadata"]["generation"] and status.get("updatedReplicas") == status.get("replicas") == 1
    return names == generation.containers and complete and status.get("readyReplicas") == 1


def is_available(cluster: Cluster, generation: Generation, registry: str) -> bool:
    """Whether the operator says that a registry is available."""
    conditions = cluster.get(*generation.registries, registry).get("status", {}).get("conditions") or []
    return any(condition["type"] == "Available" and condition["status"] == "True" for condition in conditions)


def test_a_registry_of_an_older_product_goes_on_serving(openshift: Sandbox, generation: Generation, old_registry: Registry, tmp_path: Path) -> None:
    cluster, name = openshift.cluster, old_registry.name
    until(lambda: taken_over(cluster, name, generation))
    assert ask_until_it_serves(openshift, name) == ["kept-model"]
    spec = cluster.get(*generation.registries, name)["spec"]
    assert {"oauthProxy", "kubeRBACProxy"} & spec.keys() == {generation.proxy}

    before = pods_of(cluster, name)
    run = openshift.runner(tmp_path)(name=name, **old_registry.options)
    assert not run.failed, run.output
    assert run.changes == []
    assert run.result["status"]["available"] is True
    assert pods_of(cluster, name) == before


def test_registries_of_older_products_are_exported_and_adopted_without_a_change(
    openshift: Sandbox, generation: Generation, old_registry: Registry, tmp_path: Path
) -> None:
    cluster, names = openshift.cluster, [ADOPTED, old_registry.name]
    until(lambda: all(taken_over(cluster, name, generation) and is_available(cluster, generation, name) for name in names))
    before = [pods_of(cluster, name) for name in names]
    auditor, blind = auditor_token(cluster), auditor_token(cluster, "blind-auditor", [ROUTES])
    shown, unrouted = openshift.runner(tmp_path).sequence([Task({"name_pattern": "*-registry"}, INFO, token=token) for token in (auditor, blind)])
    assert not shown.failed and not unrouted.failed, shown.output + unrouted.output
    adopted, old = registries = shown.result["registries"]
    assert [registry["name"] for registry in registries] == names
    assert old["description"] == "As it was made" and old["database"]["ca"] == {"source": "cluster"}
    assert adopted["permissions"]["groups"] == ["data-scientists"]
    for registry in registries:
        status = registry["status"]
        assert (status["available"], status["api_version"]) == (True, f"{GROUP}/{generation.version}"), status
        assert status["address"].startswith("https://") and status["server_image"]
    # Only the operators before v0.2.20 do not name the address in the status.
    said = [text for text in unrouted.warnings if "the public URLs of registries could not be determined" in text]
    assert bool(said) == (generation.version == "v1alpha1") == (unrouted.result["registries"][0]["status"]["address"] is None)
    faults.forget_requests(openshift.layout)
    [again] = openshift.runner(tmp_path).sequence([Task({"registries": registries}, REGISTRIES_MODULE)])
    assert not again.failed and (again.changes, again.result["drift"]) == ([], []), again.output
    # A list for all registries, not a request for each.
    asked = [request.path for request in faults.recorded_requests(openshift.layout) if "/routes" in request.path]
    assert [path.rpartition("/")[2] for path in asked] == ["routes"] * (generation.version == "v1alpha1"), asked
    assert all(registry["status"]["address"] for registry in again.result["registries"])
    assert [pods_of(cluster, name) for name in names] == before


def test_a_new_registry_is_made_and_edited(openshift: Sandbox, generation: Generation, tmp_path: Path) -> None:
    cluster, model_registry, name = openshift.cluster, openshift.runner(tmp_path), f"new-{uuid.uuid4().hex[:6]}"
    options = {"database": openshift.mysql(name.replace("-", "_")) | {"ca": {"source": "cluster"}}}
    made = model_registry(name=name, **options)
    assert not made.failed, made.output
    assert made.changes == [("create", "Secret"), ("create", "ModelRegistry")]
    assert made.result["status"]["available"] is True
    resource = cluster.get(*generation.registries, name)
    assert {"oauthProxy", "kubeRBACProxy"} & resource["spec"].keys() == {generation.proxy}
    assert taken_over(cluster, name, generation)
    assert ask(openshift, name)[0] == 403
    grant(cluster, name)
    assert ask_until_it_serves(openshift, name) == []

    before = pods_of(cluster, name)
    again = model_registry(name=name, **options)
    assert not again.failed and again.changes == [], again.output
    edited = model_registry(name=name, description="Another text")
    assert not edited.failed and edited.changes == [("update", "ModelRegistry")], edited.output
    assert cluster.get(*generation.registries, name)["metadata"]["annotations"]["openshift.io/description"] == "Another text"
    assert pods_of(cluster, name) == before


def catalogs_of(cluster: Cluster, *registries: str) -> list[str]:
    """The registries of these that have a model catalog of their own."""
    return [name for name in registries if cluster.get("apps/v1", "deployments", f"{name}-catalog")]


def test_the_dashboard_and_the_module_work_on_the_same_registries(openshift: Sandbox, product: str, generation: Generation, tmp_path: Path) -> None:
    cluster, pages = openshift.cluster, Dashboard(openshift.cluster)
    ours, theirs = (f"{who}-{uuid.uuid4().hex[:6]}" for who in ("ours", "theirs"))
    database = openshift.mysql(ours.replace("-", "_")) | {"ca": {"source": "cluster"}}
    options = {"display_name": "Both", "description": "Models", "database": database}
    pages.create(theirs, Form("Both", "Models", database_of(database), CLUSTER_WIDE))
    made, adopted = openshift.runner(tmp_path).sequence([Task({"name": ours, **options}), Task({"name": theirs, **options})])
    assert not made.failed and not adopted.failed, made.output + adopted.output
    assert adopted.changes == [] and any("does not verify the certificate" in warning for warning in adopted.warnings)
    specs = [json.dumps(cluster.get(*generation.registries, name)["spec"]).replace(name, "") for name in (ours, theirs)]
    written, typed = (json.loads(re.sub(r'-db-[^"]{5}"', '-db-"', text)) for text in specs)
    # What encrypts the connection also checks who answers: the one difference.
    assert written["mysql"].pop("verifyServerCert") is True and written == typed

    until(lambda: catalogs_of(cluster, ours, theirs) == ([ours, theirs] if product == "2.25" else []))

    pages.edit(ours, dataclasses.replace(pages.opened(ours), description="Theirs"))
    edited, again, deleted, gone = openshift.runner(tmp_path).sequence(
        [
            Task({"name": ours, "description": "Ours"}),
            Task({"name": ours, "database": database}),
            *(Task({"name": name, "state": "absent"}) for name in (ours, theirs)),
        ]
    )
    assert edited.changes == [("update", "ModelRegistry")] and again.changes == [], edited.output + again.output
    for run in (deleted, gone):
        assert not run.failed and run.changes[:2] == [("delete", "ModelRegistry"), ("delete", "Secret")], run.output
    assert not [item for item in cluster.items("v1", "secrets") if item["metadata"]["name"].startswith((f"{ours}-db-", f"{theirs}-db-"))]
    assert not [item for item in cluster.items(f"{RBAC}/v1", "clusterrolebindings", None) if item["metadata"]["name"].startswith((ours, theirs))]
    # The catalogs go with their registries, the sources that administrators edit stay.
    until(lambda: not catalogs_of(cluster, ours, theirs))
    assert (cluster.get("v1", "configmaps", "model-catalog-sources") is None) is (product == "2.21")


def test_postgresql_with_a_password_that_would_break_a_url(openshift: Sandbox, generation: Generation, tmp_path: Path) -> None:
    name = f"slash-{uuid.uuid4().hex[:6]}"
    account, password = "odd_slash", databases.ODD_PASSWORDS["slash"]
    databases.create_databases(openshift.layout, "postgresql", [name.replace("-", "_")])
    with databases.administration(openshift.layout, "postgresql", name.replace("-", "_")) as run:
        run(f"GRANT ALL ON SCHEMA public TO {account}")
    database = {"type": "postgresql", "host": "postgres", "namespace": "data", "name": name.replace("-", "_"), "username": account, "password": password}
    generated = {"name": f"{name}-generated", "database": {"type": "generated"}, "wait": False}
    made, again, refused = openshift.runner(tmp_path).sequence(
        [Task({"name": name, "database": database}), Task({"name": name, "database": database}), Task(generated, check=True)]
    )
    assert not made.failed and made.result["status"]["address"], made.output
    assert again.changes == [] and again.result["status"]["available"] is True
    # Only the operators since 3.0 generate databases.
    assert refused.failed == (generation.proxy == "oauthProxy"), refused.output
    assert password not in made.output
    openshift.runner(tmp_path)(name=name, state="absent", wait=False)


def test_a_mistake_is_told_in_words(openshift: Sandbox, generation: Generation, tmp_path: Path) -> None:
    database = openshift.mysql("mistaken") | {"ca": {"source": "cluster"}}
    model_registry = openshift.runner(tmp_path)
    for changed, told, evidence in generation.mistakes:
        run = model_registry(name=f"wrong-{uuid.uuid4().hex[:6]}", database=database | changed, wait_timeout=8)
        assert run.failed
        assert told in run.result["msg"] and evidence in run.result["msg"]
        assert not run.result["status"].get("available")
        assert WRONG_PASSWORD["password"] not in run.output


def test_a_name_that_is_taken_is_denied_with_the_webhooks_words(openshift: Sandbox, generation: Generation, old_registry: Registry) -> None:
    resource = openshift.cluster.get(*generation.registries, old_registry.name)
    again = {field: resource[field] for field in ("apiVersion", "kind", "spec")} | {"metadata": {"name": old_registry.name}}
    with pytest.raises(ApiError) as denied:
        openshift.cluster.create(*generation.registries, again, "data")
    assert denied.value.status == generation.denial
    assert f'Duplicate value: "registry named {old_registry.name} already exists in namespace {REGISTRIES_NAMESPACE}"' in str(denied.value)
