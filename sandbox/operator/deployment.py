"""The Deployment of a registry's server: its arguments, its password, its certificates, its proxy."""

from __future__ import annotations

from typing import Any

from sandbox.operator.manifests import Object, Registry, labels, owned
from sandbox.operator.specs import Spec

PRIVATE = 0o600
UNPRIVILEGED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
# The files that a database's settings name, and the name of their volumes: at most one of a line's objects is mounted, the first one that is set.
CERTIFICATES = (
    ("ssl-cert", "ssl_cert", ("sslCertificateSecret",)),
    ("ssl-key", "ssl_key", ("sslKeySecret",)),
    ("ssl-rootcert", "ssl_rootcert", ("sslRootCertificateConfigMap", "sslRootCertificateSecret")),
)
DIRECTORIES = ("sslRootCertificatesConfigMapName", "sslRootCertificatesSecretName")


def deployment(registry: Registry) -> Object:
    """The Deployment of the server and, when the registry has one, its proxy."""
    metadata = {"name": registry.name, "namespace": registry.namespace, "labels": labels(registry.name, registry.name)}
    template = {"metadata": _template_metadata(registry), "spec": _pod(registry)}
    spec = {"replicas": 1, "revisionHistoryLimit": 0, "selector": {"matchLabels": registry.selector}, "template": template}
    return owned(registry, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})


def _template_metadata(registry: Registry) -> Object:
    marks: dict[str, str] = dict(registry.selector)
    annotations = {"openshift.io/required-scc": "restricted-v2"}
    if registry.generation.has_metadata_server:
        marks["sidecar.istio.io/inject"] = "true" if "istio" in registry.spec else "false"
        kind, database = _database(registry)
        if "istio" in registry.spec and kind:
            annotations["traffic.sidecar.istio.io/excludeOutboundPorts"] = str(database["port"])
    return {"labels": marks, "annotations": annotations}


def _pod(registry: Registry) -> Object:
    kind, database = _database(registry)
    server = _metadata_server(registry) if registry.generation.has_metadata_server else _server(registry)
    server |= _database_access(kind, database)
    if registry.generation.sunset:
        # The flag of the server that says it; older servers do not know it, and overlook the variable.
        server["env"] = [*server.get("env", []), {"name": "MR_ALPHA_SUNSET_DATE", "value": registry.generation.sunset}]
    containers = [server]
    if registry.generation.has_metadata_server:
        containers.append(_gateway_to_metadata_server(registry))
    volumes = [_certificate_volume(kind, name, database[field], field) for name, _folder, field in _mounted(database)]
    if kind == "mysql" and (directory := _directory(database)):
        volumes.append(_volume("mysql-ssl-rootcerts", database[directory], is_config_map="ConfigMap" in directory))
    if registry.proxy is not None:
        containers.append(_kube_rbac_proxy(registry) if registry.generation.is_today else oauth_proxy(registry))
        volumes += _proxy_volumes(registry)
    pod: Object = {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "serviceAccountName": registry.name,
        "containers": containers,
    }
    return pod | ({"volumes": volumes} if volumes else {})


def _database(registry: Registry) -> tuple[str, Spec]:
    """PostgreSQL when both are set."""
    for kind in ("postgres", "mysql"):
        if kind in registry.spec:
            return kind, registry.spec[kind]
    return "", {}


def _mounted(database: Spec) -> list[tuple[str, str, str]]:
    return [(name, folder, next(field for field in fields if field in database)) for name, folder, fields in CERTIFICATES if set(fields) & database.keys()]


def _directory(database: Spec) -> str | None:
    return next((field for field in DIRECTORIES if field in database), None)


def _database_access(kind: str, database: Spec) -> Object:
    """Password and certificate files of the container that speaks to the database."""
    secrets = {"PASSWORD": "passwordSecret"} | ({"SSLPASSWORD": "sslPasswordSecret"} if kind == "postgres" else {})
    variables = [
        {"name": f"{kind.upper()}_{variable}", "valueFrom": {"secretKeyRef": {"name": database[field]["name"], "key": database[field]["key"]}}}
        for variable, field in secrets.items()
        if field in database
    ]
    mounts: list[Object] = [{"name": f"{kind}-{name}", "mountPath": f"/etc/{kind}_{folder}", "readOnly": True} for name, folder, _field in _mounted(database)]
    if kind == "mysql" and _directory(database):
        mounts.append({"name": "mysql-ssl-rootcerts", "mountPath": "/etc/mysql_ssl_rootcerts", "readOnly": True})
    return ({"env": variables} if variables else {}) | ({"volumeMounts": mounts} if mounts else {})


def _certificate_volume(kind: str, name: str, reference: Spec, field: str) -> Object:
    return _volume(f"{kind}-{name}", reference["name"], is_config_map=field.endswith("ConfigMap"))


def _volume(name: str, source: str, is_config_map: bool) -> Object:
    if is_config_map:
        return {"name": name, "configMap": {"name": source, "defaultMode": PRIVATE}}
    return {"name": name, "secret": {"secretName": source, "defaultMode": PRIVATE}}


# The registry server


def _server(registry: Registry) -> Object:
    rest = registry.spec["rest"]
    kind, database = _database(registry)
    arguments = ["--hostname=0.0.0.0", f"--port={rest['port']}"]
    if kind:
        arguments += [f"--embedmd-database-type={kind}", f"--embedmd-database-dsn={_dsn(kind, database)}", *_tls_arguments(kind, database)]

    def probe(check: str, delay: int, period: int, failures: int) -> Object:
        get = {"path": f"/readyz/{check}", "port": "http-api"}
        return {"httpGet": get, "initialDelaySeconds": delay, "periodSeconds": period, "timeoutSeconds": 5, "failureThreshold": failures}

    return {
        "name": "rest-container",
        "image": rest["image"],
        "command": ["/model-registry", "proxy"],
        "args": arguments,
        "ports": [{"containerPort": rest["port"], "name": "http-api"}],
        "livenessProbe": probe("isDirty", 30, 10, 3),
        "startupProbe": probe("isDirty", 10, 5, 6),
        "readinessProbe": probe("health", 5, 10, 3),
        "resources": resources(rest),
        "securityContext": UNPRIVILEGED,
    }


def _dsn(kind: str, database: Spec) -> str:
    """The connection string; the password is put into it as plain text when the pod starts."""
    login = database.get("username", "") + (f":$({kind.upper()}_PASSWORD)" if "passwordSecret" in database else "")
    if kind == "mysql":
        return f"{login}@tcp({database['host']}:{database['port']})/{database['database']}?charset=utf8mb4"
    mode = f"?sslmode={database['sslMode']}" if database.get("sslMode") else ""
    host = database.get("host") or database.get("hostAddress", "")
    return f"postgresql://{login}@{host}:{database['port']}/{database.get('database', '')}{mode}"


def _tls_arguments(kind: str, database: Spec) -> list[str]:
    flags = {"ssl-cert": "ssl-cert", "ssl-key": "ssl-key", "ssl-rootcert": "ssl-root-cert"}
    arguments = [f"--embedmd-database-{flags[name]}=/etc/{kind}_{folder}/{database[field]['key']}" for name, folder, field in _mounted(database)]
    if kind == "mysql":
        if _directory(database):
            arguments.append("--embedmd-database-ssl-ca=/etc/mysql_ssl_rootcerts/")
        # An empty cipher and a false verifyServerCert are set all the same: both are pointers in the operator.
        if "sslCipher" in database:
            arguments.append(f"--embedmd-database-ssl-cipher={database['sslCipher']}")
        if "verifyServerCert" in database:
            arguments.append(f"--embedmd-database-ssl-verify-server-cert={str(database['verifyServerCert']).lower()}")
    return arguments


def resources(container: Spec) -> Object:
    """The resources of a container: an amount of 0 says that there is none."""
    return {name: _amounts(container["resources"][name]) for name in ("requests", "limits") if container["resources"].get(name)}


def _amounts(amounts: Spec) -> Spec:
    return {name: amount for name, amount in amounts.items() if amount != "0"}


# The metadata server of old: it speaks to the database, and the registry server to it


def _metadata_server(registry: Registry) -> Object:
    grpc = registry.spec["grpc"]
    return {
        "name": "grpc-container",
        "image": grpc["image"],
        "command": ["/bin/metadata_store_server"],
        "args": [f"--grpc_port={grpc['port']}", *_metadata_arguments(*_database(registry)), "--enable_database_upgrade=true"],
        "ports": [{"containerPort": grpc["port"], "name": "grpc-api"}],
        "livenessProbe": _socket_probe("grpc-api", 30),
        "readinessProbe": _socket_probe("grpc-api", 15),
        "resources": resources(grpc),
        "securityContext": UNPRIVILEGED,
    }


def _metadata_arguments(kind: str, database: Spec) -> list[str]:
    if not kind:
        return []
    settings: dict[str, Any] = {"database" if kind == "mysql" else "dbname": database["database"], "host": database.get("host")}
    if kind == "postgres":
        settings["hostaddr"] = database.get("hostAddress")
    settings |= {"port": database["port"], "user": database.get("username", "")}
    if "passwordSecret" in database:
        settings["password"] = f"$({kind.upper()}_PASSWORD)"
    if kind == "postgres":
        settings |= {"skip_db_creation": str(database.get("skipDBCreation", False)).lower(), "sslmode": database.get("sslMode", "")}
    elif database.get("skipDBCreation"):
        settings["skip_db_creation"] = "true"
    flags = {"ssl-cert": "sslcert", "ssl-key": "sslkey", "ssl-rootcert": "sslrootcert"}
    settings |= {flags[name]: f"/etc/{kind}_{folder}/{database[field]['key']}" for name, folder, field in _mounted(database)}
    if kind == "postgres" and "sslPasswordSecret" in database:
        settings["sslpassword"] = "${POSTGRES_SSLPASSWORD}"
    if kind == "mysql":
        settings["sslcapath"] = "/etc/mysql_ssl_rootcerts/" if _directory(database) else None
        settings["sslcipher"] = database.get("sslCipher")
        settings["verify_server_cert"] = str(database["verifyServerCert"]).lower() if "verifyServerCert" in database else None
    arguments = [f"--{kind}_config_{name}={value}" for name, value in settings.items() if value is not None]
    return [f"--metadata_source_config_type={'mysql' if kind == 'mysql' else 'postgresql'}", *arguments]


def _gateway_to_metadata_server(registry: Registry) -> Object:
    rest = registry.spec["rest"]
    return {
        "name": "rest-container",
        "image": rest["image"],
        "command": ["/model-registry", "proxy"],
        "args": ["--hostname=0.0.0.0", f"--port={rest['port']}", "--mlmd-hostname=localhost", f"--mlmd-port={registry.spec['grpc']['port']}"],
        "ports": [{"containerPort": rest["port"], "name": "http-api"}],
        "livenessProbe": _socket_probe("http-api", 30),
        "readinessProbe": _socket_probe("http-api", 15),
        "resources": resources(rest),
        "securityContext": UNPRIVILEGED,
    }


def _socket_probe(port: str, delay: int) -> Object:
    return {"tcpSocket": {"port": port}, "initialDelaySeconds": delay, "periodSeconds": 5, "timeoutSeconds": 2}


# The proxies


def _kube_rbac_proxy(registry: Registry) -> Object:
    proxy: Spec = registry.spec["kubeRBACProxy"]
    return {
        "name": "kube-rbac-proxy",
        "image": proxy["image"],
        "args": [
            f"--secure-listen-address=0.0.0.0:{proxy['port']}",
            f"--upstream=http://127.0.0.1:{registry.spec['rest']['port']}/",
            "--proxy-endpoints-port=8888",
            "--logtostderr=true",
            "--v=0",
            "--config-file=/etc/kube-rbac-proxy/config-file.yaml",
            f"--tls-cert-file=/etc/tls/private-cert/{proxy['tlsCertificateSecret']['key']}",
            f"--tls-private-key-file=/etc/tls/private-key/{proxy['tlsKeySecret']['key']}",
        ],
        "ports": [
            {"containerPort": proxy["port"], "name": "https-proxy", "protocol": "TCP"},
            {"containerPort": 8888, "name": "proxy-healthz", "protocol": "TCP"},
        ],
        "livenessProbe": _proxy_probe("/healthz", "proxy-healthz", 30),
        "readinessProbe": _proxy_probe("/healthz", "proxy-healthz", 5),
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}},
        "volumeMounts": [
            {"name": "kube-rbac-proxy-cert", "mountPath": "/etc/tls/private-cert"},
            {"name": "kube-rbac-proxy-key", "mountPath": "/etc/tls/private-key"},
            {"name": "kube-rbac-proxy-config", "mountPath": "/etc/kube-rbac-proxy"},
        ],
    }


def oauth_proxy(registry: Registry) -> Object:
    """The proxy of the products before 3.0."""
    proxy, name = registry.spec["oauthProxy"], registry.name
    if registry.generation.has_metadata_server:
        cookie, mounts = ["--cookie-secret=MODEL_REGISTRY_OAUTH_SECRET"], []
        limits = {"cpu": "100m", "memory": "256Mi"}
    else:
        cookie = ["--cookie-secret-file=/cookie-secret/cookie-secret.txt", f"--cookie-name=_{name}_oauth_proxy"]
        mounts, limits = [{"name": "oauth-proxy-cookie-secret", "mountPath": "/cookie-secret"}], {"memory": "256Mi"}
    right = f'{{"group":"","resource":"services","verb":"get","name":"{name}","namespace":"{registry.namespace}"}}'
    return {
        "name": "oauth-proxy",
        "image": proxy["image"],
        "args": [
            f"--https-address=:{proxy['port']}",
            "--provider=openshift",
            f"--openshift-service-account={name}",
            f"--upstream=http://localhost:{registry.spec['rest']['port']}",
            f"--tls-cert=/etc/tls/private-cert/{proxy['tlsCertificateSecret']['key']}",
            f"--tls-key=/etc/tls/private-key/{proxy['tlsKeySecret']['key']}",
            *cookie,
            f'--openshift-delegate-urls={{"/":{right}}}',
            "--skip-auth-regex='(^/metrics|^/oauth/healthz)'",
        ],
        "ports": [{"containerPort": 8443, "name": "oauth2-proxy", "protocol": "TCP"}],
        "livenessProbe": _proxy_probe("/oauth/healthz", "oauth2-proxy", 30),
        "readinessProbe": _proxy_probe("/oauth/healthz", "oauth2-proxy", 5),
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": limits},
        "volumeMounts": [
            {"name": "oauth-proxy-cert", "mountPath": "/etc/tls/private-cert"},
            {"name": "oauth-proxy-key", "mountPath": "/etc/tls/private-key"},
            *mounts,
        ],
    }


def _proxy_probe(path: str, port: str, delay: int) -> Object:
    get = {"path": path, "port": port, "scheme": "HTTPS"}
    return {"httpGet": get, "initialDelaySeconds": delay, "timeoutSeconds": 1, "periodSeconds": 5, "successThreshold": 1, "failureThreshold": 3}


def _proxy_volumes(registry: Registry) -> list[Object]:
    proxy = registry.proxy or {}
    name = "kube-rbac-proxy" if registry.generation.is_today else "oauth-proxy"
    volumes = [
        _volume(f"{name}-cert", proxy["tlsCertificateSecret"]["name"], is_config_map=False),
        _volume(f"{name}-key", proxy["tlsKeySecret"]["name"], is_config_map=False),
    ]
    if registry.generation.is_today:
        volumes.append({"name": "kube-rbac-proxy-config", "configMap": {"name": f"{registry.name}-kube-rbac-proxy-config"}})
    elif not registry.generation.has_metadata_server:
        volumes.append(_volume("oauth-proxy-cookie-secret", f"{registry.name}-oauth-cookie-secret", is_config_map=False))
    return volumes
