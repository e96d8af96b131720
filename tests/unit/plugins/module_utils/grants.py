"""Grants and live RoleBindings for the tests of permissions."""

from __future__ import annotations

from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.permissions import Grant, Target

from .builders import NAMESPACE

TARGET = Target(NAMESPACE, "fraud", "modelregistry.opendatahub.io/v1beta1", "uid-1")
SCIENTISTS, ALICE = Grant("groups", "data-scientists"), Grant("users", "alice")
PROJECT, ACCOUNT = Grant("projects", "fraud-dev"), Grant("service_accounts", "pipeline", "ci")
CREATED = "2026-05-01T10:00:00Z"

# What the dashboard's request carries (dashboard v3.5.0), written down by hand.
DASHBOARD_LABELS = {
    "opendatahub.io/dashboard": "true",
    "app": "fraud",
    "app.kubernetes.io/component": "model-registry",
    "app.kubernetes.io/part-of": "model-registry",
    "app.kubernetes.io/name": "fraud",
    "component": "model-registry",
}
DASHBOARD_OWNER = {
    "apiVersion": "modelregistry.opendatahub.io/v1beta1",
    "kind": "ModelRegistry",
    "name": "fraud",
    "uid": "uid-1",
    "blockOwnerDeletion": False,
}


def binding(
    name: str, *grants: Grant, role: str = "registry-user-fraud", role_kind: str = "Role", labels: Any = None, owners: Any = None, created: str = CREATED
) -> dict[str, Any]:
    """A RoleBinding as a list of them holds it: somebody else's, unless it has the labels."""
    metadata = {"name": name, "namespace": NAMESPACE, "uid": f"uid-of-{name}", "resourceVersion": "7", "creationTimestamp": created}
    return {
        "metadata": metadata | ({"labels": labels} if labels else {}) | ({"ownerReferences": owners} if owners else {}),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role},
        "subjects": [grant.subject for grant in grants],
    }


def dashboards(*grants: Grant, name: str | None = None, uid: str = "uid-1", **given: Any) -> dict[str, Any]:
    """A RoleBinding that the dashboard made."""
    labels = DASHBOARD_LABELS | ({"opendatahub.io/rb-project-subject": "true"} if grants[0].kind == "projects" else {})
    name = name or f"dashboard-permissions-{grants[0].kind}-{grants[0].name}"
    return binding(name, *grants, labels=labels, owners=[DASHBOARD_OWNER | {"uid": uid}], **given)


# What the operator gives to everything that it makes for a registry (operator v0.3.14).
OPERATOR_LABELS = {
    "app": "fraud",
    "component": "model-registry",
    "app.kubernetes.io/name": "fraud",
    "app.kubernetes.io/component": "model-registry",
    "app.kubernetes.io/created-by": "model-registry-operator",
    "app.kubernetes.io/part-of": "model-registry",
    "app.kubernetes.io/managed-by": "model-registry-operator",
}


def operators(*grants: Grant) -> dict[str, Any]:
    """The RoleBinding that the operator makes for the registry's own Group."""
    labels = OPERATOR_LABELS | {"app.kubernetes.io/instance": "fraud-users"}
    owner = DASHBOARD_OWNER | {"controller": True, "blockOwnerDeletion": True}
    return binding("fraud-users", Grant("groups", "fraud-users"), *grants, labels=labels, owners=[owner])
