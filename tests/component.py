"""The model registry component of a sandbox: switched and looked at without the collection, and put back as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from sandbox import lifecycle, processes
from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from sandbox.platform import component
from tests.helpers import Cluster, until

CLUSTER = ("datasciencecluster.opendatahub.io/v2", "datascienceclusters", "default-dsc")


def switch(cluster: Cluster, **spec: Any) -> None:
    """Change the specification of the component."""
    api_version, plural, name = CLUSTER
    cluster.merge(api_version, plural, name, {"spec": {"components": {"modelregistry": spec}}}, None)


def status_of(cluster: Cluster) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the cluster's status says of the component, and its condition."""
    status = cluster.get(*CLUSTER, None).get("status") or {}
    ready: dict[str, Any] = next((one for one in status.get("conditions", []) if one["type"] == "ModelRegistryReady"), {})
    return status.get("components", {}).get("modelregistry", {}), ready


def is_ready(cluster: Cluster) -> bool:
    """Whether the platform says that the component is ready."""
    return status_of(cluster)[1].get("status") == "True"


@contextlib.contextmanager
def component_kept(layout: Layout, cluster: Cluster) -> Iterator[None]:
    """Afterwards the component is as it was: managed, in its usual namespace, with an operator that runs."""
    until(lambda: is_ready(cluster))
    try:
        yield
    finally:
        if component.registries_namespace(layout) != REGISTRIES_NAMESPACE or not processes.running(layout, "operator"):
            switch(cluster, managementState="Removed")
            until(lambda: status_of(cluster)[1].get("reason") == "Removed")
        switch(cluster, managementState="Managed", registriesNamespace=REGISTRIES_NAMESPACE)
        until(lambda: lifecycle.serves(layout, "operator"))
        until(lambda: is_ready(cluster))
