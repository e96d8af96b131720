"""The sandbox holds many registries: they come up together, and a node that nobody heard of for a while comes back."""

from __future__ import annotations

from typing import Any

from sandbox.layout import Layout
from sandbox.node.kubelet import HEARTBEAT, NODE_NAME
from tests import filling
from tests.filling import Fleet
from tests.helpers import ROLE_BINDINGS, Cluster, until

TOGETHER = Fleet(20, "together")


def test_many_registries_come_up_together_and_go(layout: Layout, cluster: Cluster) -> None:
    filling.create_databases(layout, TOGETHER)
    try:
        filling.fill(cluster, TOGETHER)
        until(lambda: filling.available(cluster, TOGETHER) == set(TOGETHER.names))
        bindings = cluster.items(*ROLE_BINDINGS, labelSelector=f"app.kubernetes.io/name={TOGETHER.names[-1]}")
        assert len(bindings) == filling.GRANTS + 1
    finally:
        filling.clear(cluster, TOGETHER)
        filling.drop_databases(layout, TOGETHER)
    left = [secret["metadata"]["name"] for secret in cluster.items("v1", "secrets") if secret["metadata"]["name"].startswith("together-") and is_ours(secret)]
    assert not left


def is_ours(item: dict[str, Any]) -> bool:
    """Whether nothing but us removes it."""
    return "ownerReferences" not in item["metadata"]


def test_a_node_that_was_taken_for_dead_comes_back(cluster: Cluster) -> None:
    unknown = {"status": {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]}}
    merged = cluster.call(lambda api: api.merge(f"/api/v1/nodes/{NODE_NAME}/status", unknown))
    assert ready(merged) == "Unknown"
    until(lambda: ready(cluster.get("v1", "nodes", NODE_NAME, None)) == "True", 3 * HEARTBEAT)


def ready(node: dict[str, Any]) -> str:
    return next(str(condition["status"]) for condition in node["status"]["conditions"] if condition["type"] == "Ready")
