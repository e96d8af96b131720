"""Where the router sends what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sandbox.layout import Layout
from sandbox.platform import ingress
from sandbox.platform.endpoints import Endpoints
from sandbox.platform.router import Target

ADMITTED = {"ingress": [{"host": "web.apps.sandbox.test", "conditions": [{"type": "Admitted", "status": "True"}]}]}


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("web.apps.sandbox.test:443", True),
        ("WEB.apps.sandbox.test:443", True),
        ("web.apps.sandbox.test:80", False),
        ("apps.sandbox.test:443", False),
        ("example.com:443", False),
    ],
)
def test_public_names_end_in_the_ingress_domain(text: str, public: bool) -> None:
    target = Target.parse(text)
    assert target is not None
    assert target.is_public is public


@pytest.mark.parametrize("text", ["", "web", "web:", "web:https", "/path"])
def test_a_tunnel_needs_host_and_port(text: str) -> None:
    assert Target.parse(text) is None


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("web.shop.svc.cluster.local", ("shop", "web")),
        ("web.shop.svc", None),
        ("web.svc.cluster.local", None),
        ("a.web.shop.svc.cluster.local", None),
        ("web.apps.sandbox.test", None),
    ],
)
def test_names_inside_the_cluster_are_services(host: str, service: tuple[str, str] | None) -> None:
    assert ingress.service_named(host) == service


def endpoints(*, routes: Sequence[dict[str, Any]] = (), slices: Sequence[dict[str, Any]] = (), services: Sequence[dict[str, Any]] = ()) -> Endpoints:
    made: Any = Endpoints(Layout("unused", 61), None)  # type: ignore[arg-type]
    for store, items in ((made._routes, routes), (made._slices, slices), (made._services, services)):
        store.update({("shop", str(number)): item for number, item in enumerate(items)})
    return made  # type: ignore[no-any-return]


def route(**changes: Any) -> dict[str, Any]:
    spec = {"host": "web.apps.sandbox.test", "to": {"name": "web"}, "tls": {"termination": "reencrypt"}}
    return {"metadata": {"name": "web-https", "namespace": "shop"}, "spec": spec, "status": ADMITTED} | changes


def test_an_admitted_route_leads_to_its_service() -> None:
    assert endpoints(routes=[route()]).service_of("web.apps.sandbox.test") == ("shop", "web")


@pytest.mark.parametrize(
    "unusable",
    [
        route(status={}),
        route(status={"ingress": [{"conditions": [{"type": "Admitted", "status": "False"}]}]}),
        route(spec={"host": "web.apps.sandbox.test", "to": {"name": "web"}}),
        route(spec={"host": "other.apps.sandbox.test", "to": {"name": "web"}, "tls": {}}),
    ],
)
def test_other_routes_lead_nowhere(unusable: dict[str, Any]) -> None:
    assert endpoints(routes=[unusable]).service_of("web.apps.sandbox.test") is None


def slice_of(service: str, *pods: tuple[str, bool]) -> dict[str, Any]:
    listed = [{"targetRef": {"kind": "Pod", "name": name}, "conditions": {"ready": ready}} for name, ready in pods]
    return {"metadata": {"labels": {"kubernetes.io/service-name": service}}, "endpoints": listed}


def test_only_ready_pods_get_requests() -> None:
    known = endpoints(slices=[slice_of("other", ("x", True)), slice_of("web", ("old", False), ("new", True)), {"metadata": {}, "endpoints": None}])
    assert known.ready_pod(("shop", "web")) == "new"
    assert known.ready_pod(("elsewhere", "web")) is None
    assert endpoints(slices=[slice_of("web", ("old", False))]).ready_pod(("shop", "web")) is None


def test_a_service_listens_on_its_own_ports_only() -> None:
    known = endpoints(services=[{"spec": {"ports": [{"port": 8443}]}}])
    assert known.listens(("shop", "0"), 8443)
    assert not known.listens(("shop", "0"), 8080)
    assert not known.listens(("shop", "unknown"), 8443)
