"""Small builders of options and live objects for the tests of the pure core."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils._errors import Problem
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import credentials, custom_resource, manifests
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.desired_state import Consent, KeyReference, Registry, registry_from_options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.kinds import Capabilities
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.live_state import Live
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import password_plan
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.changeset import Plan
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.registry_plan import plan

NAMESPACE = "registries"
TODAY = Capabilities("v1beta1", "kubeRBACProxy")
# A product whose operator runs a metadata server beside the registry server, and knows only external databases.
OLD = Capabilities("v1alpha1", "oauthProxy", generates_databases=False)
CREATED = "2026-05-01T10:00:00Z"
STARTED = "2026-05-01T10:00:05Z"
LATER = "2026-05-01T11:00:00Z"
NOW = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
TYPES = ("mysql", "postgresql", "generated")

# The databases that `options` gives, by type.
DATABASES: dict[str, dict[str, Any]] = {
    "mysql": {"host": "mysql", "namespace": "data", "username": "registry", "password": "secret-word", "name": "models"},
    "postgresql": {"host": "pg", "namespace": "data", "username": "registry", "password": "secret-word", "name": "models", "ssl_mode": "require"},
    "generated": {},
}
# What the definition of a registry fills in where nothing is given.
DEFAULTS: dict[str, dict[str, Any]] = {
    "mysql": {"port": 3306, "skipDBCreation": False},
    "postgres": {"port": 5432, "skipDBCreation": False, "sslMode": "disable"},
}


def options(kind: str = "mysql", **changed: Any) -> dict[str, Any]:
    """Valid options for a new registry; `database__host` changes an option of the database."""
    database = {"type": kind, **DATABASES[kind]}
    top = {"name": "fraud", "display_name": "Fraud", "description": "Models"}
    for key, value in changed.items():
        if key.startswith("database__"):
            database[key.removeprefix("database__")] = value
        else:
            top[key] = value
    return {"database": database, **top}


def wanted(kind: str = "mysql", **changed: Any) -> Registry:
    """The registry of valid options."""
    problems: list[Problem] = []
    registry = registry_from_options(options(kind, **changed), NAMESPACE, problems, [])
    assert problems == []
    return registry


def edited(**database: Any) -> Registry:
    """The registry of a call that says nothing but these options of its database."""
    problems: list[Problem] = []
    registry = registry_from_options({"name": "fraud", "database": database}, NAMESPACE, problems, [])
    assert problems == []
    return registry


def secret_name(registry: Registry) -> str:
    """The name of the Secret that we make for a registry's password."""
    return credentials.secret_name(NAMESPACE, registry.name)


def stored(registry: Registry, **changed: Any) -> dict[str, Any]:
    """The registry as the API server stores it, with defaults and the operator's additions; `changed` are fields of its database, None for an absent one."""
    database = registry.database
    key = KeyReference(secret_name(registry), "database-password")
    resource = custom_resource.new(registry, custom_resource.reference(database.password_secret or key), "v1beta1", "kubeRBACProxy")
    resource["metadata"] |= {"uid": "1", "labels": {"other": "manager"}, "finalizers": ["modelregistry.opendatahub.io/finalizer"]}
    resource["spec"] |= {
        "grpc": {"port": 9090},
        "rest": {"port": 8080, "serviceRoute": "disabled"},
        "kubeRBACProxy": {"port": 8443, "routePort": 443, "serviceRoute": "enabled"},
    }
    section = custom_resource.SECTIONS[database.type]
    resource["metadata"]["managedFields"] = [{"manager": "modelops.openshift_ai", "operation": "Update", "fieldsV1": {"f:spec": {f"f:{section}": {}}}}]
    held = {**DEFAULTS[section], **resource["spec"][section], **changed}
    resource["spec"][section] = {name: value for name, value in held.items() if value is not None}
    return resource


def secret(registry: Registry, changed_at: str = CREATED, password: str | None = None, **metadata: Any) -> dict[str, Any]:
    """The password's Secret as the API server stores it."""
    written = registry.database.password if password is None else password
    made = password_plan.password_secret(registry, secret_name(registry), registry.database, written)
    return held(made, changed_at, **metadata)


def held(manifest: dict[str, Any], changed_at: str = CREATED, **metadata: Any) -> dict[str, Any]:
    """An object with what the API server adds to it; its data were last written at `changed_at`."""
    managed = [
        {"manager": "unknown", "time": changed_at, "fieldsV1": {"f:data": {}}},
        # What changes its metadata writes none of its data.
        {"manager": "modelops.openshift_ai", "time": "2026-05-01T23:00:00Z", "fieldsV1": {"f:metadata": {"f:annotations": {}}}},
    ]
    manifest["metadata"] |= {"uid": f"uid-of-{manifest['metadata']['name']}", "creationTimestamp": CREATED, "managedFields": managed, **metadata}
    return manifest


def config_map(name: str = "bundle", key: str = "ca.crt", changed_at: str = CREATED, content: str = PEM) -> dict[str, Any]:
    """A ConfigMap with a CA bundle."""
    return held({"metadata": {"name": name, "namespace": NAMESPACE}, "data": {key: content}}, changed_at)


def foreign_secret(name: str = "vault", changed_at: str = CREATED, **data: str) -> dict[str, Any]:
    """A Secret that somebody else made."""
    texts = data or {"password": "secret-word"}
    encoded = {key: manifests.encoded(value) for key, value in texts.items()}
    return held({"metadata": {"name": name, "namespace": NAMESPACE}, "data": encoded}, changed_at)


def pod(started: str | None = STARTED, name: str = "fraud-1", created: str = CREATED) -> dict[str, Any]:
    """A pod of a registry, whose server runs since `started`, or does not."""
    state = {"running": {"startedAt": started}} if started else {"waiting": {"reason": "CrashLoopBackOff"}}
    status = {"name": "rest-container", "restartCount": 0, "state": state}
    return {
        "metadata": {"name": name, "creationTimestamp": created, "labels": {"app": "fraud"}},
        "status": {"startTime": created, "containerStatuses": [status], "conditions": [{"type": "Ready", "status": "True"}]},
    }


def live(of: Registry, objects: Any = None, **given: Any) -> Live:
    """A cluster in which this registry exists and serves; `objects` are added to its password's Secret, by kind and name."""
    own = {("Secret", secret_name(of)): secret(of)} if of.database and of.database.password else {}
    return Live(**({"capabilities": TODAY, "registry": stored(of), "pods": (pod(),)} | given), objects={**own, **(objects or {})})


def planned(registry: Registry, cluster: Live, **consent: bool) -> Plan:
    """The plan, with these of the user's consents."""
    return plan(registry, cluster, Consent(**consent), NOW)


def steps(made: Plan) -> list[tuple[str, str]]:
    """(action, kind) of each change of a plan without problems, in order."""
    assert made.problems == ()
    return [(change.action, change.kind) for change in made.changes]


def body(made: Plan, kind: str = "ModelRegistry") -> dict[str, Any]:
    """The request of the plan's one change of this kind."""
    [change] = [change for change in made.changes if change.kind == kind]
    return change.body


def named(problems: Any) -> list[str]:
    """The options that have problems."""
    return [problem.option for problem in problems]
