"""What differs between the operators of the product's generations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

REGISTRY_IMAGE = "quay.io/opendatahub/model-registry"
METADATA_IMAGE = "quay.io/opendatahub/mlmd-grpc-server"
POSTGRES_IMAGE = "quay.io/sclorg/postgresql-16-c10s:latest"
MEMORY = {"cpu": "100m", "memory": "256Mi"}


@dataclass(frozen=True)
class Generation:
    """One operator. `version` is the API version that it works in; `proxy` is the spec's field for the authenticating proxy that it runs."""

    product: str
    operator: str
    version: str
    proxy: str
    secret_suffix: str
    proxy_image: str
    limits: dict[str, str]

    @property
    def is_today(self) -> bool:
        return self.product == "3.x"

    @property
    def has_metadata_server(self) -> bool:
        """Whether a gRPC server of its own, and not the registry server, speaks to the database (up to v0.2.19)."""
        return self.product == "2.21"

    @property
    def has_catalog_of_registries(self) -> bool:
        """Whether each registry has a server of the model catalog (v0.2.22)."""
        return self.product == "2.25"

    @property
    def proxy_condition(self) -> str:
        return self.proxy[0].upper() + self.proxy[1:] + "Available" if self.is_today else "OAuthProxyAvailable"

    @property
    def api_version(self) -> str:
        return f"modelregistry.opendatahub.io/{self.version}"

    @property
    def image(self) -> str:
        return f"{REGISTRY_IMAGE}:{self.operator}"

    def resources(self) -> dict[str, Any]:
        """The server's resources when a registry says nothing of them."""
        return {"requests": dict(MEMORY), "limits": dict(self.limits)}


GENERATIONS = {
    "2.21": Generation("2.21", "v0.2.16", "v1alpha1", "oauthProxy", "-oauth-proxy", "quay.io/openshift/origin-oauth-proxy:latest", MEMORY),
    "2.25": Generation(
        "2.25", "v0.2.22", "v1beta1", "oauthProxy", "-oauth-proxy", "quay.io/openshift/origin-oauth-proxy:latest", {"cpu": "0", "memory": "256Mi"}
    ),
    "3.x": Generation("3.x", "v0.3.14", "v1beta1", "kubeRBACProxy", "-kube-rbac-proxy", "quay.io/openshift/origin-kube-rbac-proxy:latest", {"memory": "256Mi"}),
}
