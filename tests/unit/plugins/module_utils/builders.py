"""Small builders of options and live objects for the tests of the pure core."""

from __future__ import annotations

from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _manifests as manifests
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import Capabilities, Live
from ansible_collections.modelops.openshift_ai.plugins.module_utils._registry import Registry, registry_from_options

NAMESPACE = "registries"
TODAY = Capabilities("v1beta1", "kubeRBACProxy")
CREATED = "2026-05-01T10:00:00Z"


def options(**changed: Any) -> dict[str, Any]:
    """Valid options for a new registry; `database__host` changes an option of the database."""
    database = {"type": "mysql", "host": "mysql", "namespace": "data", "username": "registry", "password": "secret-word", "name": "models"}
    top = {"name": "fraud", "display_name": "Fraud", "description": "Models"}
    for key, value in changed.items():
        if key.startswith("database__"):
            database[key.removeprefix("database__")] = value
        else:
            top[key] = value
    return {"database": database, **top}


def wanted(**changed: Any) -> Registry:
    return registry_from_options(options(**changed), NAMESPACE, [])


def stored(registry: Registry, **mysql: Any) -> dict[str, Any]:
    """The registry as the API server stores it, with defaults and the operator's additions."""
    resource = manifests.custom_resource(registry, manifests.secret_name(NAMESPACE, registry.name), "v1beta1", "kubeRBACProxy")
    resource["metadata"] |= {"uid": "1", "labels": {"other": "manager"}, "finalizers": ["modelregistry.opendatahub.io/finalizer"]}
    resource["spec"] |= {"grpc": {"port": 9090}, "rest": {"port": 8080, "serviceRoute": "disabled"}}
    resource["spec"]["mysql"] |= mysql
    return resource


def secret(registry: Registry, changed_at: str = CREATED, **data: str) -> dict[str, Any]:
    """The password's Secret as the API server stores it."""
    made = manifests.password_secret(registry, manifests.secret_name(NAMESPACE, registry.name))
    made["data"] |= {key.replace("_", "-"): manifests.encoded(value) for key, value in data.items()}
    made["metadata"] |= {"creationTimestamp": CREATED, "managedFields": [{"manager": "x", "time": changed_at, "fieldsV1": {"f:data": {}}}]}
    return made


def pod(started: str = "2026-05-01T10:00:05Z") -> dict[str, Any]:
    status = {"name": "rest-container", "restartCount": 0, "state": {"running": {"startedAt": started}}}
    return {
        "metadata": {"name": "fraud-1", "creationTimestamp": CREATED},
        "status": {"containerStatuses": [status], "conditions": [{"type": "Ready", "status": "True"}]},
    }


def live(of: Registry, **given: Any) -> Live:
    """A cluster in which this registry exists and serves."""
    return Live(**({"capabilities": TODAY, "registry": stored(of), "secret": secret(of), "pods": (pod(),)} | given))
