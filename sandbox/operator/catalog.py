"""The objects of the model catalog, which the operator makes once for the whole cluster, beside the registries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from sandbox.generations import POSTGRES_IMAGE, Generation
from sandbox.operator.deployment import UNPRIVILEGED
from sandbox.operator.manifests import RBAC, Object

NAME = "model-catalog"
POSTGRES = f"{NAME}-postgres"
# ConfigMaps with this label are sources of the catalog too.
SOURCE_LABEL = "opendatahub.io/catalog-source"
LONGEST_SOURCE_NAME = 55
DATA_IMAGE = "quay.io/opendatahub/odh-model-metadata-collection:latest"
PORT = 8443
# The ConfigMap of the product, and those of the administrator: kind of asset, name, top-level key.
DEFAULT_SOURCES = "default-catalog-sources"
USER_SOURCES = (
    ("model", "model-catalog-sources", "catalogs"),
    ("mcp", "mcp-catalog-sources", "mcp_catalogs"),
    ("agent", "agent-catalog-sources", "agent_catalogs"),
)

# The sources that the product delivers, by top-level key: name, ID, data file, and label.
DELIVERED = {
    "catalogs": (
        ("Red Hat AI", "redhat_ai_models", "models", "Red Hat AI"),
        ("Red Hat AI validated", "redhat_ai_validated_models", "validated-models", "Red Hat AI validated"),
        ("Other", "other_models", "other-models", ""),
    ),
    "mcp_catalogs": (
        ("Red Hat MCP servers", "rh_mcp_servers", "redhat-mcp-servers", "Red Hat"),
        ("Partner MCP servers", "rh_partner_mcp_servers", "partner-mcp-servers", "Red Hat Partners"),
        ("Community MCP servers", "community_mcp_servers", "community-mcp-servers", ""),
    ),
    "agent_catalogs": (("Red Hat agents", "rh_agents", "redhat-agents", "Red Hat Agents"),),
}
# What it says of labels: name, kind of asset, the name that the dashboard shows. The one without a name is of the sources without a label.
DELIVERED_LABELS = (
    ("Red Hat AI validated", "models", "Validated models"),
    ("Red Hat AI", "models", ""),
    (None, "models", "Other models"),
    ("Red Hat", "mcp_servers", "MCP servers of Red Hat"),
    ("Red Hat Partners", "mcp_servers", "MCP servers of partners"),
    ("Red Hat Agents", "agents", "Templates of agents"),
)
DELIVERED_QUERY = {
    "artifacts.use_case.string_value": ("=", "chatbot"),
    "artifacts.requests_per_second.double_value": ("<=", 1),
    "artifacts.ttft_p90.double_value": ("<=", "max"),
}


def _labels(name: str, instance: str | None, component: str = NAME, of_kubernetes: str = NAME) -> dict[str, str]:
    made = {
        "app": NAME,
        "component": component,
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/component": of_kubernetes,
        "app.kubernetes.io/created-by": "model-registry-operator",
        "app.kubernetes.io/part-of": NAME,
        "app.kubernetes.io/managed-by": "model-registry-operator",
    }
    return made if instance is None else made | {"app.kubernetes.io/instance": instance}


class Catalog:
    """Builds the catalog's objects for one namespace. `owner` is a reference to the platform's component, where the cluster has one."""

    def __init__(self, generation: Generation, namespace: str, domain: str, owner: Object | None, sources: Iterable[str]):
        self._generation, self._namespace, self._domain, self._owner = generation, namespace, domain, owner
        self._sources = sorted(name for name in sources if len(name) <= LONGEST_SOURCE_NAME and "." not in name)

    def _object(self, api_version: str, kind: str, name: str, labels: dict[str, str], owner: Object | None = None, **content: Any) -> Object:
        metadata: Object = {"name": name, "namespace": self._namespace, "labels": labels} | ({"ownerReferences": [owner]} if owner else {})
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}

    def service_account(self) -> Object:
        return self._object("v1", "ServiceAccount", NAME, _labels(NAME, NAME), self._owner)

    def default_sources(self) -> Object:
        """The sources that the product delivers; the operator writes it again and again."""
        content: Object = {key: [_delivered(*source) for source in sources] for key, sources in DELIVERED.items()}
        content["labels"] = [
            {"name": name, "assetType": kind, "description": "What the product says of it.", **({"displayName": shown} if shown else {})}
            for name, kind, shown in DELIVERED_LABELS
        ]
        query = {place: {"operator": operator, "value": value} for place, (operator, value) in DELIVERED_QUERY.items()}
        text = yaml.safe_dump({**content, "namedQueries": {"default-performance-filters": query}}, sort_keys=False)
        return self._object("v1", "ConfigMap", DEFAULT_SOURCES, _labels(NAME, NAME), self._owner, data={"sources.yaml": text})

    def user_sources(self) -> list[Object]:
        """The ConfigMaps that administrators edit: made when they are missing, then left alone."""
        return [self._object("v1", "ConfigMap", name, _labels(NAME, NAME), data={"sources.yaml": f"{key}: []"}) for _kind, name, key in USER_SOURCES]

    def proxy_config(self) -> Object:
        lines = ["authorization:", "  resourceAttributes:", "    apiVersion: v1", "    resource: services", "    verb: get"]
        lines += [f"    namespace: {self._namespace}", f"    name: {NAME}"]
        name = f"{NAME}-kube-rbac-proxy-config"
        return self._object("v1", "ConfigMap", name, _labels(NAME, name), self._owner, data={"config-file.yaml": "\n".join(lines) + "\n"})

    def cluster_role_binding(self) -> Object:
        """Of the shape of a registry's, but for its labels."""
        made = self._object(f"{RBAC}/v1", "ClusterRoleBinding", f"{NAME}-auth-delegator", _labels(NAME, f"{NAME}-auth-delegator"))
        del made["metadata"]["namespace"]
        made["metadata"]["labels"]["modelregistry.opendatahub.io/namespace"] = self._namespace
        made["roleRef"] = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "system:auth-delegator"}
        made["subjects"] = [{"kind": "ServiceAccount", "name": NAME, "namespace": self._namespace}]
        return made

    def deployment(self) -> Object:
        spec = {
            "replicas": 1,
            "revisionHistoryLimit": 0,
            "selector": {"matchLabels": _selector(NAME)},
            "template": {"metadata": {"labels": _selector(NAME), "annotations": {"openshift.io/required-scc": "restricted-v2"}}, "spec": self._pod()},
        }
        return self._object("apps/v1", "Deployment", NAME, _labels(NAME, NAME), self._owner, spec=spec)

    def _pod(self) -> Object:
        def config_map(volume: str, name: str) -> Object:
            return {"name": volume, "configMap": {"name": name}}

        volumes = [config_map(f"user-{kind}-sources", name) for kind, name, _key in USER_SOURCES]
        volumes += [config_map("default-sources", DEFAULT_SOURCES), {"name": "catalog-data", "emptyDir": {}}, {"name": "benchmark-data", "emptyDir": {}}]
        volumes += [config_map(f"labeled-{name}", name) for name in self._sources]
        volumes += [{"name": "kube-rbac-proxy-tls", "secret": {"secretName": f"{NAME}-kube-rbac-proxy", "defaultMode": 0o600}}]
        volumes += [config_map("kube-rbac-proxy-config", f"{NAME}-kube-rbac-proxy-config")]
        return {
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "serviceAccountName": NAME,
            "initContainers": [
                _copying("catalog-data-init", "cp /app/data/*.yaml /shared-data/", {"name": "catalog-data", "mountPath": "/shared-data"}),
                _copying(
                    "benchmark-data-init",
                    "cp -r /app/benchmarks/* /shared-benchmark-data/ || true",
                    {"name": "benchmark-data", "mountPath": "/shared-benchmark-data"},
                ),
            ],
            "containers": [self._server(), self._proxy()],
            "volumes": volumes,
        }

    def _server(self) -> Object:
        folders = ["default-sources", *(f"user-{kind}-sources" for kind, _name, _key in USER_SOURCES), *(f"labeled-sources/{name}" for name in self._sources)]
        mounts = [{"name": f"user-{kind}-sources", "mountPath": f"/data/user-{kind}-sources"} for kind, _name, _key in USER_SOURCES]
        mounts += [{"name": "default-sources", "mountPath": "/data/default-sources"}, {"name": "catalog-data", "mountPath": "/shared-data"}]
        mounts += [{"name": "benchmark-data", "mountPath": "/shared-benchmark-data"}]
        mounts += [{"name": f"labeled-{name}", "mountPath": f"/data/labeled-sources/{name}"} for name in self._sources]
        return {
            "name": "catalog",
            "image": self._generation.image,
            "command": ["/model-registry", "catalog"],
            "args": [
                "--listen=0.0.0.0:8080",
                *(f"--catalogs-path=/data/{folder}/sources.yaml" for folder in folders),
                "--performance-metrics=/shared-benchmark-data",
            ],
            "env": [{"name": "PGHOST", "value": POSTGRES}, *_credentials(PGDATABASE="name", PGUSER="user", PGPASSWORD="password")],
            "ports": [{"name": "http-api", "containerPort": 8080}],
            "livenessProbe": {"tcpSocket": {"port": "http-api"}, "initialDelaySeconds": 30, "periodSeconds": 5, "timeoutSeconds": 2},
            "readinessProbe": {
                "httpGet": {"path": "/readyz", "port": "http-api", "scheme": "HTTP"},
                "initialDelaySeconds": 3,
                "periodSeconds": 5,
                "timeoutSeconds": 2,
            },
            "resources": self._generation.resources(),
            "securityContext": UNPRIVILEGED,
            "volumeMounts": mounts,
        }

    def _proxy(self) -> Object:
        def probe(delay: int) -> Object:
            get = {"path": "/healthz", "port": "proxy-healthz", "scheme": "HTTPS"}
            return {"httpGet": get, "initialDelaySeconds": delay, "periodSeconds": 5, "timeoutSeconds": 1}

        return {
            "name": "kube-rbac-proxy",
            "image": self._generation.proxy_image,
            "args": [
                f"--secure-listen-address=0.0.0.0:{PORT}",
                "--upstream=http://127.0.0.1:8080/",
                "--proxy-endpoints-port=8888",
                "--logtostderr=true",
                "--v=0",
                "--config-file=/etc/kube-rbac-proxy/config-file.yaml",
                "--tls-cert-file=/etc/tls/tls.crt",
                "--tls-private-key-file=/etc/tls/tls.key",
            ],
            "ports": [{"name": "https-proxy", "containerPort": PORT}, {"name": "proxy-healthz", "containerPort": 8888}],
            "livenessProbe": probe(30),
            "readinessProbe": probe(5),
            "resources": self._generation.resources(),
            "volumeMounts": [
                {"name": "kube-rbac-proxy-tls", "mountPath": "/etc/tls"},
                {"name": "kube-rbac-proxy-config", "mountPath": "/etc/kube-rbac-proxy"},
            ],
        }

    def of_deployment(self, owner: Object, is_openshift: bool) -> list[Object]:
        """What is made once there is the Deployment, which owns it."""
        service = self._object("v1", "Service", NAME, _labels(NAME, NAME), owner)
        service["metadata"]["annotations"] = {
            "routing.opendatahub.io/external-address-rest": f"{NAME}.{self._domain}:443",
            "service.beta.openshift.io/serving-cert-secret-name": f"{NAME}-kube-rbac-proxy",
        }
        port = {"name": "https-api", "port": PORT, "protocol": "TCP", "appProtocol": "https"}
        service["spec"] = {"type": "ClusterIP", "ports": [port], "selector": _selector(NAME)}
        kinds = ("services", "endpoints")
        user = self._object(f"{RBAC}/v1", "Role", NAME, _labels(NAME, None), owner)
        user["metadata"]["annotations"] = _shown("Model catalog User", "Can access model catalog")
        user["rules"] = [{"apiGroups": [""], "resources": [kind], "resourceNames": [NAME], "verbs": ["get"]} for kind in kinds]
        admin = self._object(f"{RBAC}/v1", "Role", f"{NAME}-admin", _labels(f"{NAME}-admin", None, of_kubernetes=f"{NAME}-admin"), owner)
        admin["metadata"]["annotations"] = _shown("Model Catalog Admin", "Admin access to model catalog ConfigMaps and Secrets")
        admin["rules"] = [{"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["get", "list", "watch", "update", "patch"]}]
        few = {"app.kubernetes.io/created-by": "model-registry-operator", "component": NAME}
        binding = self._object(f"{RBAC}/v1", "RoleBinding", f"{NAME}-authenticated", few, owner)
        binding["roleRef"] = {"apiGroup": RBAC, "kind": "Role", "name": NAME}
        binding["subjects"] = [{"apiGroup": RBAC, "kind": "Group", "name": "system:authenticated"}]
        return [service, user, admin, binding, *(self._of_openshift(owner) if is_openshift else [])]

    def _of_openshift(self, owner: Object) -> list[Object]:
        route = self._object("route.openshift.io/v1", "Route", f"{NAME}-https", _labels(NAME, f"{NAME}-https"), owner)
        route["spec"] = {
            "host": f"{NAME}.{self._domain}",
            "to": {"kind": "Service", "name": NAME},
            "port": {"targetPort": "https-api"},
            "tls": {"termination": "reencrypt"},
            "wildcardPolicy": "None",
        }
        policy = self._object("networking.k8s.io/v1", "NetworkPolicy", f"{NAME}-https-route", _labels(NAME, f"{NAME}-https-route"), owner)
        namespaces = [{"network.openshift.io/policy-group": "ingress"}, {"opendatahub.io/generated-namespace": "true"}]
        admitted = [{"namespaceSelector": {"matchLabels": labels}} for labels in namespaces]
        policy["spec"] = {
            "podSelector": {"matchLabels": _selector(NAME)},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": admitted, "ports": [{"protocol": "TCP", "port": PORT}]}],
        }
        return [route, policy]

    def database_secret(self, password: str) -> Object:
        few = {"app.kubernetes.io/created-by": "model-registry-operator", "component": POSTGRES}
        login = {"database-name": "model_catalog", "database-user": "modelcatalog", "database-password": password}
        return self._object("v1", "Secret", POSTGRES, few, self._owner, type="Opaque", stringData=login)

    def database_deployment(self) -> Object:
        def probe(delay: int, timeout: int, command: str) -> Object:
            return {"exec": {"command": ["bash", "-c", command]}, "initialDelaySeconds": delay, "timeoutSeconds": timeout}

        container = {
            "name": "postgresql",
            "image": POSTGRES_IMAGE,
            "imagePullPolicy": "IfNotPresent",
            "env": _credentials(POSTGRESQL_USER="user", POSTGRESQL_PASSWORD="password", POSTGRESQL_DATABASE="name"),
            "ports": [{"containerPort": 5432}],
            "livenessProbe": probe(30, 2, "/usr/bin/pg_isready -U $POSTGRESQL_USER -d $POSTGRESQL_DATABASE"),
            "readinessProbe": probe(10, 5, "psql -w -U $POSTGRESQL_USER -d $POSTGRESQL_DATABASE -c 'SELECT 1'"),
            "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}},
            "securityContext": {"privileged": False, "capabilities": {}},
            "volumeMounts": [{"name": "postgres-data", "mountPath": "/var/lib/pgsql/data"}],
        }
        template = {
            "metadata": {"labels": _selector(POSTGRES) | {"sidecar.istio.io/inject": "false"}},
            "spec": {"containers": [container], "volumes": [{"name": "postgres-data", "emptyDir": {"sizeLimit": "5Gi"}}]},
        }
        spec = {
            "replicas": 1,
            "revisionHistoryLimit": 0,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": _selector(POSTGRES)},
            "template": template,
        }
        made = self._object("apps/v1", "Deployment", POSTGRES, _labels(POSTGRES, POSTGRES, POSTGRES), self._owner, spec=spec)
        made["metadata"]["annotations"] = {"template.alpha.openshift.io/wait-for-ready": "true"}
        return made

    def of_database(self, owner: Object) -> list[Object]:
        """What is made once there is the database's Deployment, which owns it."""
        service = self._object("v1", "Service", POSTGRES, _labels(POSTGRES, POSTGRES, POSTGRES, "database") | {"app": POSTGRES}, owner)
        uri = 'postgres://{.spec.clusterIP}:{.spec.ports[?(@.name=="postgresql")].port}'
        service["metadata"]["annotations"] = {"template.openshift.io/expose-uri": uri}
        port = {"name": "postgresql", "port": 5432, "targetPort": 5432, "protocol": "TCP", "appProtocol": "tcp"}
        service["spec"] = {"type": "ClusterIP", "ports": [port], "selector": {"app": NAME, "app.kubernetes.io/name": POSTGRES}}
        policy = self._object("networking.k8s.io/v1", "NetworkPolicy", POSTGRES, _labels(POSTGRES, POSTGRES, POSTGRES), owner)
        policy["spec"] = {
            "podSelector": {"matchLabels": _selector(POSTGRES)},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": {"matchLabels": _selector(NAME)}}], "ports": [{"protocol": "TCP", "port": 5432}]}],
        }
        return [service, policy]


def _delivered(name: str, identity: str, file: str, label: str) -> Object:
    entry = {"name": name, "id": identity, "enabled": True, "type": "yaml", "properties": {"yamlCatalogPath": f"/shared-data/{file}-catalog.yaml"}}
    return {**entry, "labels": [label]} if label else entry


def _selector(name: str) -> dict[str, str]:
    return {"app": NAME, "component": NAME, "app.kubernetes.io/name": name}


def _shown(name: str, description: str) -> dict[str, str]:
    return {"openshift.io/display-name": name, "openshift.io/description": description}


def _copying(name: str, command: str, mount: Object) -> Object:
    return {"name": name, "image": DATA_IMAGE, "command": ["/bin/sh", "-c", command], "securityContext": UNPRIVILEGED, "volumeMounts": [mount]}


def _credentials(**variables: str) -> list[Object]:
    """Environment variables with a part of the login to the catalog's database."""
    return [{"name": variable, "valueFrom": {"secretKeyRef": {"name": POSTGRES, "key": f"database-{part}"}}} for variable, part in variables.items()]
