"""The sandbox's people: their tokens, and the groups that they are in before anybody changes them."""

from __future__ import annotations

import secrets

from sandbox.kube import Object
from sandbox.layout import Layout

USER_API = "user.openshift.io/v1"
TOKEN_PREFIX = "sandbox-"

# Everybody who can log in. The administrator is not among them: the token of the administrator is known to the API server itself.
PEOPLE = ("alice", "bob", "carol", "dana", "frank")
# Group memberships at the start. On OpenShift they become Group objects and only those count; on plain Kubernetes they stay as they are.
GROUPS = {"data-scientists": ("alice", "bob"), "ml-engineers": ("carol",)}
# Has an account at the identity provider but has never logged in, so that OpenShift has no User object.
NEVER_LOGGED_IN = "frank"


def token(person: str) -> str:
    """A bearer token of this person, new at every call as after a new login.

    The API server remembers for 10 seconds whose a token is, groups included; a token that it has not seen yet shows the groups of this moment.
    """
    if person not in PEOPLE:
        raise ValueError(f"nobody is called {person}: there are {', '.join(PEOPLE)}")
    return f"{TOKEN_PREFIX}{person}.{secrets.token_hex(6)}"


def owner(bearer: str) -> str | None:
    """Whose token this is: `sandbox-alice`, or `sandbox-alice.` and anything, is alice's."""
    if not bearer.startswith(TOKEN_PREFIX):
        return None
    person = bearer.removeprefix(TOKEN_PREFIX).partition(".")[0]
    return person if person in PEOPLE else None


def environment(_layout: Layout) -> dict[str, str]:
    """A token of everybody, for a shell."""
    return {f"SANDBOX_TOKEN_{person.upper()}": TOKEN_PREFIX + person for person in PEOPLE}


def manifests(layout: Layout) -> list[Object]:
    """The User and Group objects of OpenShift; nothing on plain Kubernetes, which has neither."""
    if not layout.has_openshift:
        return []
    users = [
        {"apiVersion": USER_API, "kind": "User", "metadata": {"name": person}, "fullName": person.title(), "identities": [f"sandbox:{person}"]}
        for person in PEOPLE
        if person != NEVER_LOGGED_IN
    ]
    groups = [{"apiVersion": USER_API, "kind": "Group", "metadata": {"name": name}, "users": list(members)} for name, members in GROUPS.items()]
    return [*users, *groups]
