"""OpenShift's admission of Routes: a Route gets a host and serves only when the router says so in its status."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from sandbox import faults
from sandbox.kube import Api, Object, Queue, path
from sandbox.layout import APPS_DOMAIN, Layout

ROUTE_API = "route.openshift.io/v1"
ROUTER_NAME = "default"
# The switches are a file: nothing announces a change, so it is looked at this often.
SWITCH_CHECK_SECONDS = 0.5


def host_of(route: Object) -> str:
    """The Route's host, or the one that OpenShift makes up for it."""
    return route["spec"].get("host") or f"{route['metadata']['name']}-{route['metadata']['namespace']}.{APPS_DOMAIN}"


def admitted(route: Object) -> bool:
    """Whether the router serves this Route."""
    return any(
        condition["type"] == "Admitted" and condition["status"] == "True"
        for ingress in route.get("status", {}).get("ingress") or []
        for condition in ingress.get("conditions") or []
    )


def ingress_status(route: Object, admit: bool, now: str) -> list[Object]:
    """The Route's status.ingress; the old one when it says the same already."""
    condition: Object = {"type": "Admitted", "status": "True" if admit else "False", "lastTransitionTime": now}
    if not admit:
        condition |= {"reason": "RouteNotAdmitted", "message": "no router admits Routes at the moment"}
    old = route.get("status", {}).get("ingress") or []
    if len(old) == 1 and old[0].get("host") == host_of(route) and old[0].get("conditions") and admitted(route) == admit:
        return list(old)
    return [
        {
            "host": host_of(route),
            "routerName": ROUTER_NAME,
            "routerCanonicalHostname": f"router-{ROUTER_NAME}.{APPS_DOMAIN}",
            "wildcardPolicy": "None",
            "conditions": [condition],
        }
    ]


async def run(layout: Layout, api: Api) -> None:
    """Admit every Route, or take every admission back while the fault is switched on."""
    known: dict[tuple[str, str], Object] = {}

    async def admit(key: tuple[str, str]) -> None:
        route = known.get(key)
        if not route:
            return
        if not route["spec"].get("host"):
            generated = {"metadata": {"annotations": {"openshift.io/host.generated": "true"}}, "spec": {"host": host_of(route)}}
            await api.merge(path(ROUTE_API, "routes", *key), generated)
        ingress = ingress_status(route, not faults.read(layout).routes_not_admitted, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        if ingress != route.get("status", {}).get("ingress"):
            await api.merge(path(ROUTE_API, "routes", *key, "status"), {"status": {"ingress": ingress}})

    queue = Queue(admit)

    async def follow_routes() -> None:
        async for event, route in api.watch(path(ROUTE_API, "routes")):
            key = route["metadata"]["namespace"], route["metadata"]["name"]
            if event == "DELETED":
                known.pop(key, None)
            else:
                known[key] = route
                queue.add(key)

    async def follow_switches() -> None:
        # The file's version, not the switch itself: a Route that changed while it was on for a moment would otherwise be forgotten.
        before = faults.version(faults.switches_file(layout))
        while True:
            await asyncio.sleep(SWITCH_CHECK_SECONDS)
            if (now := faults.version(faults.switches_file(layout))) != before:
                before = now
                for key in known:
                    queue.add(key)

    async with asyncio.TaskGroup() as group:
        for part in (queue.run(), follow_routes(), follow_switches()):
            group.create_task(part)
