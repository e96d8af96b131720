"""Which address on this machine a host name means to a pod."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from sandbox import databases
from sandbox.kube import Api, path
from sandbox.layout import Layout
from sandbox.server.connection import no_such_host


class Hosts:
    """The names of the databases, those that run as pods included."""

    def __init__(self, api: Api, layout: Layout, changed: Callable[[], None]):
        self._api, self._layout, self._changed = api, layout, changed
        self._generated: dict[tuple[str, str], str] = {}

    def serving(self, namespace: str, service: str, address: str, serves: bool) -> None:
        """A database that runs as a pod starts or stops to accept connections."""
        if serves:
            self._generated[namespace, service] = address
        elif self._generated.get((namespace, service)) == address:
            del self._generated[namespace, service]
        self._changed()

    async def find(self, namespace: str, host: str) -> str:
        """The address to connect to; DatabaseError for a name that means nothing."""
        if address := databases.resolve(self._layout, namespace, host, self._generated):
            return address
        # Nothing listens there, as behind a Service without pods, and on the loopback interface of a pod.
        refuses = self._layout.address("node")
        try:
            return refuses if ipaddress.ip_address(host).is_loopback else host
        except ValueError:
            pass
        if host.lower() == "localhost":
            return refuses
        service = databases.service_of(namespace, host)
        if service and await self._api.find(path("v1", "services", *service)):
            return refuses
        raise no_such_host(host)

    def table(self, namespace: str) -> dict[str, str]:
        """All names that mean something to a pod in this namespace, with their addresses."""
        known = databases.addresses(self._layout) | self._generated
        names: dict[str, str] = {}
        for (where, service), address in known.items():
            spellings = [f"{service}.{where}", f"{service}.{where}.svc", f"{service}.{where}.svc.cluster.local"]
            names |= dict.fromkeys(spellings + ([service] if where == namespace else []), address)
        return names
