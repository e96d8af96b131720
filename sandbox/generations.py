"""The generations of the product, one table: everything in which a sandbox of one differs from a sandbox of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.layout import REGISTRIES_NAMESPACE

REGISTRY_IMAGE = "quay.io/opendatahub/model-registry"
METADATA_IMAGE = "quay.io/opendatahub/mlmd-grpc-server"
POSTGRES_IMAGE = "quay.io/sclorg/postgresql-16-c10s:latest"
KUBE_RBAC_PROXY, OAUTH_PROXY = "kubeRBACProxy", "oauthProxy"
MEMORY = {"cpu": "100m", "memory": "256Mi"}
COMPONENTS = "components.platform.opendatahub.io"
# Bases of the registry server's REST API.
V1ALPHA3, V1 = "/api/model_registry/v1alpha3/", "/api/model_registry/v1/"


@dataclass(frozen=True)
class Singleton:
    """The custom resource, one for a cluster, by which the platform's operator asks for the component."""

    kind: str
    plural: str
    name: str
    # The field with the namespace of the registries.
    namespace_field: str
    conditions: tuple[str, ...]
    # Whether it brings the custom resource of the model catalog, which then owns the catalog's objects.
    brings_catalog: bool = False

    api_version = f"{COMPONENTS}/v1alpha1"


COMPONENT = Singleton("ModelRegistry", "modelregistries", "default-modelregistry", "registriesNamespace", ("Ready",))
AI_HUB = Singleton(
    "AIHub", "aihubs", "default-aihub", "instancesNamespace", ("Ready", "ProvisioningSucceeded", "ModelRegistryReady", "CatalogReady"), brings_catalog=True
)


@dataclass(frozen=True)
class Generation:
    """One product. `operator` is the registry operator that it ships, `versions` are those of the registry's API that this serves, the stored one last."""

    product: str
    operator: str
    versions: tuple[str, ...]
    # The spec's field for the authenticating proxy that it runs, the suffix of the Secret with the proxy's certificate, and the proxy's image.
    proxy: str
    secret_suffix: str
    proxy_image: str
    limits: dict[str, str]
    # How the operator's condition begins where the server's log tells of a wrong database.
    log_prefix: str
    # A gRPC server of its own, and not the registry server, speaks to the database (up to v0.2.19).
    has_metadata_server: bool = False
    # It makes a Secret for the proxy's cookies, and says what is wrong with the proxy, but calls the registry available all the same.
    has_cookie_secret: bool = False
    # Each registry has a server of the model catalog.
    has_catalog_of_registries: bool = False
    singleton: Singleton = COMPONENT
    # The namespace of registries where the DataScienceCluster names none; empty for that of the applications.
    default_namespace: str = REGISTRIES_NAMESPACE
    # What the registry server serves; and from when on it may not serve v1alpha3 any more, as its headers tell.
    apis: tuple[str, ...] = (V1ALPHA3,)
    sunset: str = ""

    @property
    def version(self) -> str:
        """The API version that the operator works in."""
        return self.versions[-1]

    @property
    def is_today(self) -> bool:
        """Whether it is one of the operators since v0.3.2: kube-rbac-proxy, generated databases, the model catalog."""
        return self.proxy == KUBE_RBAC_PROXY

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


BOTH = ("v1alpha1", "v1beta1")
OAUTH = (OAUTH_PROXY, "-oauth-proxy", "quay.io/openshift/origin-oauth-proxy:latest")
RBAC = (KUBE_RBAC_PROXY, "-kube-rbac-proxy", "quay.io/openshift/origin-kube-rbac-proxy:latest", {"memory": "256Mi"}, "database")
# Oldest first.
GENERATIONS = {
    generation.product: generation
    for generation in (
        Generation("2.21", "v0.2.16", ("v1alpha1",), *OAUTH, MEMORY, "Metadata database", has_metadata_server=True),
        Generation(
            "2.25", "v0.2.22", BOTH, *OAUTH, {"cpu": "0", "memory": "256Mi"}, "metadata database", has_cookie_secret=True, has_catalog_of_registries=True
        ),
        Generation("3.x", "v0.3.14", BOTH, *RBAC),
        # Its operator has no version yet. It makes the same of registries as v0.3.14.
        Generation("3.6", "main", BOTH, *RBAC, singleton=AI_HUB, default_namespace="", apis=(V1, V1ALPHA3), sunset="2027-06-30"),
    )
}


def apis_of(image: str) -> tuple[str, ...]:
    """The bases that the registry server of an image serves."""
    return next((generation.apis for generation in GENERATIONS.values() if generation.image == image), (V1ALPHA3,))
