# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cluster serves: the API version and plural of each kind of object."""

from __future__ import annotations

from dataclasses import dataclass

# Whom the API server notes as the writer of what this collection writes.
FIELD_MANAGER = "modelops.openshift_ai"
GROUP, KIND, PLURAL = "modelregistry.opendatahub.io", "ModelRegistry", "modelregistries"
# The newest version first.
REGISTRIES = tuple((f"{GROUP}/{version}", PLURAL) for version in ("v1beta1", "v1alpha1"))
RBAC = "rbac.authorization.k8s.io"
ROLE_BINDING, USER_GROUP = "RoleBinding", "Group"
CONFIG_MAPS = ("v1", "configmaps")
EVENTS = ("v1", "events")
NAMESPACES = ("v1", "namespaces")
VOLUME_CLAIMS = ("v1", "persistentvolumeclaims")
PODS = ("v1", "pods")
SECRETS = ("v1", "secrets")
SERVICES = ("v1", "services")
SERVICE_ACCOUNTS = ("v1", "serviceaccounts")
DEPLOYMENTS = ("apps/v1", "deployments")
ROLES = (f"{RBAC}/v1", "roles")
ROLE_BINDINGS = (f"{RBAC}/v1", "rolebindings")
CLUSTER_ROLES = (f"{RBAC}/v1", "clusterroles")
CLUSTER_ROLE_BINDINGS = (f"{RBAC}/v1", "clusterrolebindings")
HTTP_ROUTES = ("gateway.networking.k8s.io/v1", "httproutes")
INFERENCE_SERVICES = ("serving.kserve.io/v1beta1", "inferenceservices")
# OpenShift's.
INGRESSES = ("config.openshift.io/v1", "ingresses")
ROUTES = ("route.openshift.io/v1", "routes")
USERS = ("user.openshift.io/v1", "users")
USER_GROUPS = ("user.openshift.io/v1", "groups")
# The platform's own resource for the component: from OpenShift AI 3.6 on, and before.
PLATFORM = "components.platform.opendatahub.io/v1alpha1"
AI_HUBS, AI_HUB = (PLATFORM, "aihubs"), "default-aihub"
COMPONENTS, COMPONENT = (PLATFORM, "modelregistries"), "default-modelregistry"
# The API of each kind of object that a registry refers to.
APIS = {"Secret": SECRETS, "ConfigMap": CONFIG_MAPS}


@dataclass(frozen=True)
class Capabilities:
    """What this cluster's definition of a registry understands."""

    # The newest served version, and the key of its authenticating proxy.
    api_version: str
    authentication: str
    generates_databases: bool = True

    @property
    def api(self) -> tuple[str, str]:
        """The API version and plural under which registries are served."""
        return f"{GROUP}/{self.api_version}", PLURAL

    @property
    def has_metadata_server(self) -> bool:
        """Whether a metadata server runs beside the registry server: operators that know only v1alpha1 do that."""
        return self.api_version == "v1alpha1"

    @property
    def password_in_url(self) -> bool:
        """Whether the operator puts a PostgreSQL password into a URL. The metadata server gets it as it is."""
        return not self.has_metadata_server
