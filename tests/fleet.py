"""Many registries for tests: the lists that `model_registries` takes, on one database, and what is left of them taken away."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

from sandbox import databases
from sandbox.layout import Layout
from tests.helpers import REGISTRIES, Cluster, until

MODULE = "modelops.openshift_ai.model_registries"


def mysql(database: str, **changed: Any) -> dict[str, Any]:
    """A database of the sandbox that the registry server can use, over TLS."""
    login = databases.REGISTRY
    return {
        "type": "mysql",
        "host": "mysql",
        "namespace": "data",
        "name": database,
        "username": login.name,
        "password": login.password,
        "ca": {"source": "cluster"},
        **changed,
    }


def entries(prefix: str, number: int, database: str, grants: int = 0) -> list[dict[str, Any]]:
    """That many registries on one database, each with as many groups."""

    def permissions() -> dict[str, Any]:
        return {"permissions": {"groups": [f"{prefix}-group-{grant}" for grant in range(grants)]}} if grants else {}

    return [{"name": f"{prefix}-{index}", "display_name": f"Registry {index}", "database": mysql(database), **permissions()} for index in range(number)]


@contextlib.contextmanager
def room(layout: Layout, cluster: Cluster) -> Iterator[tuple[str, str]]:
    """A prefix for the names of registries, and an empty MySQL database; what was made under the prefix is gone afterwards."""
    prefix = f"fleet-{uuid.uuid4().hex[:6]}"
    database = prefix.replace("-", "_")
    databases.create_databases(layout, "mysql", [database])
    try:
        yield prefix, database
    finally:
        remove(cluster, prefix)
        databases.drop_database(layout, "mysql", database)


def remove(cluster: Cluster, prefix: str) -> None:
    """Delete all registries of a prefix with their Secrets and uploads, and wait until they are gone."""
    named = [item["metadata"]["name"] for item in cluster.items(*REGISTRIES) if item["metadata"]["name"].startswith(prefix)]
    for name in named:
        cluster.delete(*REGISTRIES, name)
    until(lambda: not any(item["metadata"]["name"].startswith(prefix) for item in cluster.items(*REGISTRIES)))
    for plural in ("secrets", "configmaps"):
        for item in cluster.items("v1", plural):
            if item["metadata"]["name"].startswith(prefix):
                cluster.delete("v1", plural, item["metadata"]["name"])
