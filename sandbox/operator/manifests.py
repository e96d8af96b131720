"""The objects that the operator makes for one registry, but for the pod of its server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.generations import Generation
from sandbox.operator.specs import Spec

Object = dict[str, Any]

DISPLAY_ANNOTATIONS = ("openshift.io/display-name", "openshift.io/description")
RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class Registry:
    """A registry as its objects are built from it: `original` is its spec as stored, `spec` has the operator's run-time defaults too."""

    generation: Generation
    name: str
    namespace: str
    uid: str
    annotations: dict[str, str]
    original: Spec
    spec: Spec

    @property
    def proxy(self) -> Spec | None:
        return self.spec.get(self.generation.proxy)

    @property
    def has_proxy_route(self) -> bool:
        return self.proxy is not None and self.proxy.get("serviceRoute") == "enabled"

    @property
    def selector(self) -> dict[str, str]:
        labels = {"app": self.name, "component": "model-registry"}
        return labels | ({"app.kubernetes.io/name": self.name} if self.generation.is_today else {})

    @property
    def host(self) -> str:
        """The registry's public host name."""
        return f"{self.name}-rest.{(self.proxy or {}).get('domain', '')}"


def labels(name: str, instance: str, component: str = "model-registry", part: str = "model-registry") -> dict[str, str]:
    """The labels of every object that the operator makes."""
    return {
        "app": name,
        "component": component,
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/instance": instance,
        "app.kubernetes.io/component": part,
        "app.kubernetes.io/created-by": "model-registry-operator",
        "app.kubernetes.io/part-of": "model-registry",
        "app.kubernetes.io/managed-by": "model-registry-operator",
    }


def owned(registry: Registry, manifest: Object) -> Object:
    """The object as the registry's own: garbage collection takes it away with the registry."""
    reference = {
        "apiVersion": registry.generation.api_version,
        "kind": "ModelRegistry",
        "name": registry.name,
        "uid": registry.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return manifest | {"metadata": manifest["metadata"] | {"ownerReferences": [reference]}}


def _object(registry: Registry, api_version: str, kind: str, name: str, instance: str | None = None) -> Object:
    metadata = {"name": name, "namespace": registry.namespace, "labels": labels(registry.name, instance or name)}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def service_account(registry: Registry) -> Object:
    return owned(registry, _object(registry, "v1", "ServiceAccount", registry.name))


def service(registry: Registry) -> Object:
    """The Service of the server or its proxy; ordinary users find registries by its annotations."""
    made = _object(registry, "v1", "Service", registry.name)
    if registry.proxy is not None:
        ports = [_service_port("https", registry.proxy["port"])]
    else:
        ports = [_service_port("http", registry.spec["rest"]["port"])]
        if registry.generation.has_metadata_server:
            ports.insert(0, _service_port("grpc", registry.spec["grpc"]["port"]))
    made["spec"] = {"type": "ClusterIP", "ports": ports, "selector": registry.selector}
    annotations = _addresses(registry) | {name: registry.annotations[name] for name in DISPLAY_ANNOTATIONS if name in registry.annotations}
    if annotations:
        made["metadata"]["annotations"] = annotations
    return owned(registry, made)


def _service_port(protocol: str, port: int) -> Object:
    return {"name": f"{protocol}-api", "port": port, "protocol": "TCP", "appProtocol": protocol}


def _addresses(registry: Registry) -> dict[str, str]:
    annotations = {}
    if registry.proxy is not None:
        if "tlsCertificateSecret" not in registry.original.get(registry.generation.proxy, {}):
            annotations["service.beta.openshift.io/serving-cert-secret-name"] = registry.name + registry.generation.secret_suffix
        if registry.has_proxy_route and not registry.generation.has_metadata_server:
            annotations["routing.opendatahub.io/external-address-rest"] = f"{registry.host}:{registry.proxy['routePort']}"
    gateway = registry.spec.get("istio", {}).get("gateway", {})
    if gateway.get("domain"):
        for server in ("rest", "grpc"):
            annotations[f"routing.opendatahub.io/external-address-{server}"] = f"{registry.name}-{server}.{gateway['domain']}:{gateway[server]['port']}"
    return annotations


def role(registry: Registry) -> Object:
    made = _object(registry, f"{RBAC}/v1", "Role", f"registry-user-{registry.name}")
    made["metadata"]["annotations"] = {
        "openshift.io/display-name": f"Registry User {registry.name}",
        "openshift.io/description": f"Can access Model Registry {registry.name}",
    }
    made["rules"] = [{"apiGroups": [""], "resources": [kind], "resourceNames": [registry.name], "verbs": ["get"]} for kind in ("services", "endpoints")]
    return owned(registry, made)


def group(registry: Registry) -> Object:
    """The registry's default group. It says nothing of members, so writing it empties the group."""
    made = _object(registry, "user.openshift.io/v1", "Group", f"{registry.name}-users")
    made["metadata"].pop("namespace")
    return made | {"users": None}


def role_binding(registry: Registry) -> Object:
    made = _object(registry, f"{RBAC}/v1", "RoleBinding", f"{registry.name}-users")
    made["roleRef"] = {"apiGroup": RBAC, "kind": "Role", "name": f"registry-user-{registry.name}"}
    made["subjects"] = [{"apiGroup": RBAC, "kind": "Group", "name": f"{registry.name}-users"}]
    return owned(registry, made)


def cluster_role_binding(registry: Registry) -> Object:
    """Lets the proxy ask the API server who a caller is. Nothing owns it: it outlives the registry."""
    made = _object(registry, f"{RBAC}/v1", "ClusterRoleBinding", f"{registry.name}-auth-delegator")
    made["metadata"].pop("namespace")
    made["metadata"]["labels"]["modelregistry.opendatahub.io/namespace"] = registry.namespace
    made["roleRef"] = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "system:auth-delegator"}
    made["subjects"] = [{"kind": "ServiceAccount", "name": registry.name, "namespace": registry.namespace}]
    return made


def proxy_config(registry: Registry) -> Object:
    """What a caller of the proxy must be allowed to do."""
    made = _object(registry, "v1", "ConfigMap", f"{registry.name}-kube-rbac-proxy-config", registry.name)
    lines = ["authorization:", "  resourceAttributes:", "    apiVersion: v1", "    resource: services", "    verb: get"]
    lines += [f"    namespace: {registry.namespace}", f"    name: {registry.name}"]
    made["data"] = {"config-file.yaml": "\n".join(lines) + "\n"}
    return owned(registry, made)


def cookie_secret(registry: Registry, secret: str) -> Object:
    """The key of the older proxy's cookies; `secret` is in base64."""
    made = _object(registry, "v1", "Secret", f"{registry.name}-oauth-cookie-secret")
    return made | {"type": "Opaque", "data": {"cookie-secret.txt": secret}}


def https_route(registry: Registry) -> Object:
    made = _object(registry, "route.openshift.io/v1", "Route", f"{registry.name}-https")
    made["spec"] = {
        "to": {"kind": "Service", "name": registry.name},
        "port": {"targetPort": "https-api"},
        "tls": {"termination": "reencrypt"},
        "wildcardPolicy": "None",
    }
    if not registry.generation.has_metadata_server:
        made["spec"]["host"] = registry.host
    return owned(registry, made)


def http_route(registry: Registry) -> Object:
    made = _object(registry, "route.openshift.io/v1", "Route", f"{registry.name}-http")
    made["spec"] = {"to": {"kind": "Service", "name": registry.name}, "port": {"targetPort": "http-api"}}
    return owned(registry, made)


def network_policy(registry: Registry) -> Object:
    """Admits the router, and since v0.3.9 the dashboard, to the proxy's port, and nobody else."""
    made = _object(registry, "networking.k8s.io/v1", "NetworkPolicy", f"{registry.name}-https-route")
    namespaces = [{"network.openshift.io/policy-group": "ingress"}]
    if registry.generation.is_today:
        namespaces.append({"opendatahub.io/generated-namespace": "true"})
    made["spec"] = {
        "podSelector": {"matchLabels": registry.selector},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [{"namespaceSelector": {"matchLabels": labels}} for labels in namespaces],
                "ports": [{"protocol": "TCP", "port": (registry.proxy or {})["port"]}],
            }
        ],
    }
    return owned(registry, made)


# The database that the operator makes itself (from v0.3.2)


def _database_object(registry: Registry, api_version: str, kind: str, name: str) -> Object:
    database = f"{registry.name}-postgres"
    metadata = {"name": name, "namespace": registry.namespace, "labels": labels(database, database, "model-registry-postgres", "database")}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def _database_labels(registry: Registry) -> dict[str, str]:
    return {"app": registry.name, "component": "model-registry", "app.kubernetes.io/name": f"{registry.name}-postgres"}


def database_secret(registry: Registry, password: str) -> Object:
    metadata = {"name": f"{registry.name}-postgres-credentials", "namespace": registry.namespace}
    return owned(registry, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"username": "modelregistry", "password": password}})


def database_claim(registry: Registry) -> Object:
    made = _database_object(registry, "v1", "PersistentVolumeClaim", f"{registry.name}-postgres-storage")
    made["spec"] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}
    return owned(registry, made)


def database_deployment(registry: Registry) -> Object:
    made = _database_object(registry, "apps/v1", "Deployment", f"{registry.name}-postgres")
    made["spec"] = {
        "replicas": 1,
        "selector": {"matchLabels": _database_labels(registry)},
        "strategy": {"type": "Recreate"},
        "template": {"metadata": {"labels": _database_labels(registry)}, "spec": _database_pod(registry)},
    }
    return owned(registry, made)


def _database_pod(registry: Registry) -> Object:
    def credential(variable: str, key: str) -> Object:
        return {"name": variable, "valueFrom": {"secretKeyRef": {"name": f"{registry.name}-postgres-credentials", "key": key}}}

    def probe(delay: int, *arguments: str) -> Object:
        check = ["/usr/libexec/check-container", *arguments]
        return {"exec": {"command": check}, "initialDelaySeconds": delay, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3}

    container = {
        "name": "postgres",
        "image": registry.spec["postgres"]["image"],
        "ports": [{"containerPort": 5432}],
        "env": [
            {"name": "POSTGRESQL_DATABASE", "value": "model_registry"},
            credential("POSTGRESQL_USER", "username"),
            credential("POSTGRESQL_PASSWORD", "password"),
        ],
        "resources": {"requests": {"memory": "256Mi", "cpu": "250m"}, "limits": {"memory": "512Mi", "cpu": "500m"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "postgres-storage", "mountPath": "/var/lib/pgsql/data"}],
        "readinessProbe": probe(5),
        "livenessProbe": probe(30, "--live"),
    }
    return {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "postgres-storage", "persistentVolumeClaim": {"claimName": f"{registry.name}-postgres-storage"}}],
    }


def database_service(registry: Registry) -> Object:
    made = _database_object(registry, "v1", "Service", f"{registry.name}-postgres")
    selector = {"app": registry.name, "app.kubernetes.io/name": f"{registry.name}-postgres"}
    made["spec"] = {"selector": selector, "ports": [{"protocol": "TCP", "port": 5432, "targetPort": 5432}]}
    return owned(registry, made)


def database_network_policy(registry: Registry) -> Object:
    made = _database_object(registry, "networking.k8s.io/v1", "NetworkPolicy", f"{registry.name}-postgres")
    made["spec"] = {
        "podSelector": {"matchLabels": _database_labels(registry)},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": {"matchLabels": registry.selector}}], "ports": [{"protocol": "TCP", "port": 5432}]}],
    }
    return owned(registry, made)
