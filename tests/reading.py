"""Accounts for tests that only read: with the rights of rbac/read.yml, or all of them but one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import yaml

from sandbox.kube import Api
from sandbox.layout import ROOT
from tests.helpers import Cluster, Right, _account, _remove_account, single_rights, without

INFO = "modelops.openshift_ai.model_registry_info"


def reading_roles() -> list[dict[str, Any]]:
    """The Roles and ClusterRoles of rbac/read.yml."""
    roles: list[dict[str, Any]] = yaml.safe_load((ROOT / "rbac" / "read.yml").read_text())["items"]
    return roles


def auditor_token(cluster: Cluster, missing: Right | None = None) -> str:
    """A token of a service account that has the rights of rbac/read.yml, but for the missing one, and no others."""
    name, roles = "auditor" if missing is None else "blind-auditor", reading_roles()
    token: str = cluster.call(lambda api: _account(api, name, roles if missing is None else without(roles, missing)))
    return token


@contextlib.contextmanager
def auditors_without_one_right(cluster: Cluster) -> Iterator[dict[Right, str]]:
    """For each single right of rbac/read.yml the token of an account that has all the others; they are gone afterwards."""
    roles = reading_roles()
    names = {right: f"auditor-without-{number}" for number, right in enumerate(single_rights(roles), 1)}

    async def make(api: Api) -> dict[Right, str]:
        return {right: await _account(api, name, without(roles, right)) for right, name in names.items()}

    async def remove(api: Api) -> None:
        for name in names.values():
            await _remove_account(api, name, roles)

    try:
        yield cluster.call(make)
    finally:
        cluster.call(remove)
