"""The switch of the component where the product is old, and where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.component import CLUSTER, component_kept
from tests.helpers import Cluster, Runner, Task, account_with, roles_of, until

from .conftest import Sandbox

MODULE = "modelops.openshift_ai.model_registry_component"
DEFINITION = ("apiextensions.k8s.io/v1", "customresourcedefinitions", "datascienceclusters.datasciencecluster.opendatahub.io")


@contextmanager
def only_version_1(cluster: Cluster) -> Iterator[None]:
    """The DataScienceCluster as the products before 3.0 serve it."""
    versions: list[dict[str, Any]] = cluster.get(*DEFINITION, None)["spec"]["versions"]
    try:
        cluster.merge(*DEFINITION, {"spec": {"versions": [version | {"served": version["name"] == "v1"} for version in versions]}}, None)
        yield
    finally:
        cluster.merge(*DEFINITION, {"spec": {"versions": versions}}, None)
        # The API server does not serve a version again in the moment in which its definition says so.
        until(lambda: cluster.get(*CLUSTER, None))


def test_an_old_product_is_switched_through_its_own_version(openshift: Sandbox, tmp_path: Path) -> None:
    cluster = openshift.cluster
    with component_kept(openshift.layout, cluster), only_version_1(cluster), account_with(cluster, "platform", roles_of("component.yml")) as token:
        runner = Runner(openshift.layout, token, tmp_path)
        off, on, again = runner.sequence([Task({"state": state}, MODULE) for state in ("removed", "managed", "managed")])
    for run in (off, on):
        assert not run.failed and run.changes == [("update", "DataScienceCluster")], run.output
        assert [request.path for request in run.writes] == ["/apis/datasciencecluster.opendatahub.io/v1/datascienceclusters/default-dsc"]
    assert off.result["component"]["reason"] == "it is removed" and on.result["component"]["ready"] is True
    assert not again.failed and again.changes == [], again.output


def test_plain_kubernetes_has_no_component(kubernetes: Sandbox, tmp_path: Path) -> None:
    [run] = kubernetes.runner(tmp_path).sequence([Task({}, MODULE)])
    assert run.failed
    assert "datascienceclusters.datasciencecluster.opendatahub.io is not available in this cluster. Install the operator" in run.result["msg"]
