"""What the platform's installation leaves in a new cluster."""

from __future__ import annotations

from sandbox.kube import Object
from sandbox.layout import APPS_DOMAIN, REGISTRIES_NAMESPACE, Layout

CLUSTER_NAME = "default-dsc"
CLUSTER_API = "datasciencecluster.opendatahub.io/v1"
INITIALIZATION_NAME = "default-dsci"
INITIALIZATION_API = "dscinitialization.opendatahub.io/v1"
CONFIGURATION_API = "config.openshift.io/v1"


def manifests(layout: Layout) -> list[Object]:
    """A platform with the model registry component switched on; on plain Kubernetes, which has no platform operator, only the namespace."""
    if not layout.has_openshift:
        return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": REGISTRIES_NAMESPACE}}]
    return [
        {"apiVersion": CONFIGURATION_API, "kind": "Ingress", "metadata": {"name": "cluster"}, "spec": {"domain": APPS_DOMAIN}},
        {"apiVersion": CONFIGURATION_API, "kind": "APIServer", "metadata": {"name": "cluster"}, "spec": {}},
        {
            "apiVersion": INITIALIZATION_API,
            "kind": "DSCInitialization",
            "metadata": {"name": INITIALIZATION_NAME},
            "spec": {"applicationsNamespace": "opendatahub", "trustedCABundle": {"managementState": "Managed", "customCABundle": ""}},
        },
        {
            "apiVersion": CLUSTER_API,
            "kind": "DataScienceCluster",
            "metadata": {"name": CLUSTER_NAME},
            "spec": {"components": {"modelregistry": {"managementState": "Managed", "registriesNamespace": REGISTRIES_NAMESPACE}}},
        },
    ]
