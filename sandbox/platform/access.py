"""What stands in front of every registry: the check of kube-rbac-proxy, that the owner of a bearer token may get the registry's Service."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.kube import Api, path
from sandbox.layout import Layout
from sandbox.platform.tokens import Identity, identify


@dataclass(frozen=True)
class Refusal:
    """Why a request does not get through: the answer's status and text."""

    status: int
    text: str


UNAUTHORIZED = Refusal(401, "Unauthorized\n")


def bearer_of(authorization: str) -> str:
    """The token in an Authorization header; empty when there is none."""
    scheme, _space, credentials = authorization.strip().partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else ""


def forbidden(user: str) -> Refusal:
    """The refusal of a user who is known."""
    return Refusal(403, f"Forbidden (user={user}, verb=get, resource=services, subresource=)\n")


async def check(layout: Layout, api: Api, authorization: str, namespace: str, service: str) -> Refusal | None:
    """None when the request may pass. Asked again for every request: the real proxy remembers answers for minutes, and tests cannot wait for that."""
    identity = await _identity(layout, api, bearer_of(authorization))
    if identity is None:
        return UNAUTHORIZED
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": identity.user,
            "uid": identity.uid,
            "groups": list(identity.groups),
            "extra": identity.extra,
            "resourceAttributes": {"namespace": namespace, "verb": "get", "group": "", "version": "v1", "resource": "services", "name": service},
        },
    }
    answer = await api.create(path("authorization.k8s.io/v1", "subjectaccessreviews"), review)
    return None if answer["status"]["allowed"] else forbidden(identity.user)


async def _identity(layout: Layout, api: Api, bearer: str) -> Identity | None:
    if not bearer:
        return None
    # A person's groups are looked up here: the API server would remember them for 10 seconds.
    if person := await identify(layout, api, bearer):
        return person
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": bearer}}
    status = (await api.create(path("authentication.k8s.io/v1", "tokenreviews"), review))["status"]
    if not status.get("authenticated"):
        return None
    user = status["user"]
    return Identity(user["username"], tuple(user.get("groups") or ()), user.get("uid", ""), user.get("extra") or {})
