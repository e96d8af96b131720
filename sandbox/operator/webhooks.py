"""The operator's HTTPS server: defaults, refusals and conversions that the API server asks for."""

from __future__ import annotations

import base64
import json
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sandbox.generations import Generation
from sandbox.layout import WEBHOOK_PORT, Layout
from sandbox.operator.configurations import webhook_path
from sandbox.operator.specs import Object, converted, defaulted, invalid, refusals
from sandbox.operator.structs import Mismatch

log = logging.getLogger(__name__)
Answer = dict[str, Any]


@dataclass(frozen=True)
class Admission:
    """What the webhooks know. `registries` gives the namespace and name of every registry of the cluster, as soon as they have been read."""

    generation: Generation
    is_openshift: bool
    namespace: str
    domain: str
    registries: Callable[[], Awaitable[Iterable[tuple[str, str]]]]

    async def mutate(self, request: Object) -> Answer:
        """Set the defaults. The answer replaces the whole spec, as the operator writes out its struct."""
        try:
            spec = defaulted(self.generation, request["kind"]["version"], request["object"], self.is_openshift)
        except Mismatch as mismatch:
            return {"allowed": False, "status": {"code": 400, "message": str(mismatch)}}
        if spec == request["object"].get("spec"):
            return {"allowed": True}
        patch = json.dumps([{"op": "add", "path": "/spec", "value": spec}])
        return {"allowed": True, "patchType": "JSONPatch", "patch": base64.b64encode(patch.encode()).decode()}

    async def validate(self, request: Object) -> Answer:
        """Refuse a name that is taken anywhere in the cluster, a namespace that is not the registries', and a registry without a database."""
        registry = request["object"]
        name = registry["metadata"]["name"]
        if request["operation"] == "CREATE":
            taken = next((namespace for namespace, other in await self.registries() if other == name), None)
            if taken is not None:
                return self._denied(name, [f'metadata.name: Duplicate value: "registry named {name} already exists in namespace {taken}"'])
        reasons = refusals(self.generation, registry, self.namespace, self.domain)
        return self._denied(name, reasons) if reasons else {"allowed": True}

    def _denied(self, name: str, reasons: list[str]) -> Answer:
        code, reason = (422, "Invalid") if self.generation.has_metadata_server else (403, "Forbidden")
        return {"allowed": False, "status": {"code": code, "reason": reason, "message": invalid(name, reasons)}}

    async def convert(self, request: Object) -> Answer:
        try:
            made = [converted(self.generation, registry, request["desiredAPIVersion"]) for registry in request["objects"]]
        except Mismatch as mismatch:
            return {"result": {"status": "Failure", "message": str(mismatch)}}
        return {"result": {"status": "Success"}, "convertedObjects": made}


async def serve(layout: Layout, admission: Admission) -> web.AppRunner:
    """Listen for the API server; the runner must be cleaned up at the end.

    This must come before anything is read: the API server asks for conversions to answer a list of registries that were stored in the older version.
    """
    app = web.Application(client_max_size=2**26)
    routes = {
        webhook_path(admission.generation, "mutate"): admission.mutate,
        webhook_path(admission.generation, "validate"): admission.validate,
        "/convert": admission.convert,
    }
    app.add_routes([web.post(path, _review(answer)) for path, answer in routes.items()])
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(layout.path("pki", "server.crt"), layout.path("pki", "server.key"))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, layout.address("operator"), WEBHOOK_PORT, ssl_context=tls).start()
    return runner


def _review(answer: Callable[[Object], Awaitable[Answer]]) -> Callable[[web.Request], Any]:
    async def handle(request: web.Request) -> web.Response:
        review = await request.json()
        response = await answer(review["request"]) | {"uid": review["request"]["uid"]}
        return web.json_response({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response})

    return handle
