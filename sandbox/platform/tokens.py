"""Logins: tells the API server whose a token is, and which groups OpenShift's Group objects give that user at this moment."""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox import people
from sandbox.kube import Api, Object, path
from sandbox.layout import Layout

log = logging.getLogger(__name__)
PORT = 8443
OAUTH_GROUP = "system:authenticated:oauth"
AUTHENTICATED_GROUP = "system:authenticated"


@dataclass(frozen=True)
class Identity:
    """Who makes a request, as the API server's reviews name it."""

    user: str
    groups: tuple[str, ...]
    uid: str = ""
    extra: dict[str, list[str]] = field(default_factory=dict)


def webhook_kubeconfig(layout: Layout) -> Object:
    """The file for kube-apiserver's --authentication-token-webhook-config-file.

    It wants --authentication-token-webhook-version=v1 and --authentication-token-webhook-cache-ttl=0s beside it.
    """
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "tokens",
                "cluster": {"server": f"https://{layout.address('platform')}:{PORT}/authenticate", "certificate-authority": str(layout.path("pki", "ca.crt"))},
            }
        ],
        "users": [{"name": "kube-apiserver", "user": {}}],
        "contexts": [{"name": "tokens", "context": {"cluster": "tokens", "user": "kube-apiserver"}}],
        "current-context": "tokens",
    }


def groups_of(person: str, groups: list[Object]) -> list[str]:
    """The names of the Group objects that list this person."""
    return sorted(group["metadata"]["name"] for group in groups if person in (group.get("users") or []))


async def identify(layout: Layout, api: Api, bearer: str) -> Identity | None:
    """Whose a person's token is, with the groups of this moment; None for a token that belongs to none of the sandbox's people."""
    person = people.owner(bearer)
    if person is None:
        return None
    if not layout.has_openshift:
        return Identity(person, (*(name for name, members in people.GROUPS.items() if person in members), AUTHENTICATED_GROUP))
    listed = await api.get(path(people.USER_API, "groups"))
    return Identity(person, (*groups_of(person, listed["items"]), OAUTH_GROUP, AUTHENTICATED_GROUP))


def answer(review: Object, identity: Identity | None) -> Object:
    """The TokenReview that answers a TokenReview."""
    status: dict[str, Any] = {"authenticated": False}
    if identity:
        status = {"authenticated": True, "user": {"username": identity.user, "uid": identity.uid, "groups": list(identity.groups)}}
    return {"apiVersion": review["apiVersion"], "kind": "TokenReview", "status": status}


async def serve(layout: Layout, api: Api) -> web.AppRunner:
    """Start the API server's token webhook."""

    async def authenticate(request: web.Request) -> web.Response:
        review = await request.json()
        return web.json_response(answer(review, await identify(layout, api, review["spec"].get("token", ""))))

    app = web.Application()
    app.router.add_post("/authenticate", authenticate)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(layout.path("pki", "server.crt"), layout.path("pki", "server.key"))
    await web.TCPSite(runner, layout.address("platform"), PORT, ssl_context=tls).start()
    return runner
