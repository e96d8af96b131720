"""Accounts for tests that only read: with the rights of rbac/read.yml, or all of them but some."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import yaml

from sandbox.layout import ROOT
from tests.helpers import Cluster, Right, _account, without

INFO = "modelops.openshift_ai.model_registry_info"


def reading_roles() -> list[dict[str, Any]]:
    """The Roles and ClusterRoles of rbac/read.yml."""
    roles: list[dict[str, Any]] = yaml.safe_load((ROOT / "rbac" / "read.yml").read_text())["items"]
    return roles


def auditor_token(cluster: Cluster, name: str = "auditor", missing: Iterable[Right] = ()) -> str:
    """A token of a service account that has the rights of rbac/read.yml, but for the missing ones, and no others."""
    token: str = cluster.call(lambda api: _account(api, name, functools.reduce(without, missing, reading_roles())))
    return token
