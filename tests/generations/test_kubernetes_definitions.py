"""Clusters whose definition of a registry is missing, is another one, or is too old. They come last on their sandbox, whose definition they take away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandbox.kube import ApiError
from sandbox.layout import REGISTRIES_NAMESPACE
from tests.helpers import Cluster, Run, until

from .conftest import Sandbox

DEFINITIONS = ("apiextensions.k8s.io/v1", "customresourcedefinitions")
GROUP = "modelregistry.opendatahub.io"


def definition(version: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """A definition of registries whose specification knows only these keys."""
    spec = {"type": "object", "properties": {key: {"type": "object"} for key in keys}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    names = {"kind": "ModelRegistry", "plural": "modelregistries", "singular": "modelregistry", "listKind": "ModelRegistryList"}
    return {
        "apiVersion": DEFINITIONS[0],
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"modelregistries.{GROUP}"},
        "spec": {"group": GROUP, "names": names, "scope": "Namespaced", "versions": [{"name": version, "served": True, "storage": True, "schema": schema}]},
    }


def served(cluster: Cluster, version: str) -> bool:
    """Whether the API server publishes the schema of this version."""
    try:
        document = cluster.call(lambda api: api.get(f"/openapi/v3/apis/{GROUP}/{version}"))
    except ApiError:
        return False
    return "modelregistries" in str(document)


def remove_webhooks(cluster: Cluster) -> None:
    """Those of an operator that does not run refuse every write of a registry."""
    for plural in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"):
        for item in cluster.items("admissionregistration.k8s.io/v1", plural, None):
            cluster.delete("admissionregistration.k8s.io/v1", plural, item["metadata"]["name"], None)


def test_a_cluster_that_cannot_hold_registries_is_told(kubernetes: Sandbox, tmp_path: Path) -> None:
    cluster, model_registry = kubernetes.cluster, kubernetes.runner(tmp_path)

    def made() -> Run:
        return model_registry(name="fraud", namespace=REGISTRIES_NAMESPACE, database={"type": "mysql", "host": "h", "username": "u", "password": "secret-word"})

    # The operator of today cannot finish a deletion where there are no HTTPRoutes.
    kubernetes.command("stop", "operator")
    for item in cluster.items(f"{GROUP}/v1beta1", "modelregistries"):
        cluster.delete(f"{GROUP}/v1beta1", "modelregistries", item["metadata"]["name"])
    remove_webhooks(cluster)
    for item in cluster.items(f"{GROUP}/v1beta1", "modelregistries"):
        cluster.merge(f"{GROUP}/v1beta1", "modelregistries", item["metadata"]["name"], {"metadata": {"finalizers": None}})
    until(lambda: not cluster.items(f"{GROUP}/v1beta1", "modelregistries"))
    cluster.delete(*DEFINITIONS, f"modelregistries.{GROUP}", None)
    # The platform's own, which has the same plural and is no registry.
    assert cluster.get(*DEFINITIONS, "modelregistries.components.platform.opendatahub.io", None)
    until(lambda: not served(cluster, "v1beta1") and not served(cluster, "v1alpha1"))
    missing = made()
    assert missing.failed and f"the API modelregistries.{GROUP} is not available" in missing.result["msg"]
    assert "Enable the component, with model_registry_component" in missing.result["msg"] and missing.writes == []

    cluster.create(*DEFINITIONS, definition("v1alpha1", ("istio", "mysql", "rest", "grpc")), None)
    until(lambda: served(cluster, "v1alpha1"))
    old = made()
    assert old.failed and "Istio service mesh" in old.result["msg"] and old.writes == []
