"""The objects of the model catalog that the operator of 2.25 makes for each registry: a server of its own, with sources that all of them share."""

from __future__ import annotations

from sandbox.operator.deployment import UNPRIVILEGED, oauth_proxy, resources
from sandbox.operator.manifests import DISPLAY_ANNOTATIONS, Object, Registry, labels, owned

SOURCES = "model-catalog-sources"
COMPONENT = "model-catalog"


def sources(registry: Registry) -> Object:
    """What administrators edit. Nothing owns it, but it has the labels of the registry that was the first."""
    metadata = {"name": SOURCES, "namespace": registry.namespace, "labels": labels(registry.name, registry.name)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"sources.yaml": "catalogs: []"}}


def deployment(registry: Registry) -> Object:
    selector = {"app": registry.name, "component": COMPONENT}
    template = {"metadata": {"labels": selector, "annotations": {"openshift.io/required-scc": "restricted-v2"}}, "spec": _pod(registry)}
    spec = {"replicas": 1, "revisionHistoryLimit": 0, "selector": {"matchLabels": selector}, "template": template}
    return owned(registry, _object(registry, "apps/v1", "Deployment", registry.name, COMPONENT) | {"spec": spec})


def service(registry: Registry) -> Object:
    """It has the display name of the registry too."""
    made = _object(registry, "v1", "Service", registry.name, COMPONENT)
    annotations = {name: registry.annotations[name] for name in DISPLAY_ANNOTATIONS if name in registry.annotations}
    port = ("http", registry.spec["rest"]["port"])
    if registry.proxy is not None:
        port = ("https", registry.proxy["port"])
        host = f"{registry.name}-catalog.{registry.proxy.get('domain', '')}"
        annotations["service.beta.openshift.io/serving-cert-secret-name"] = f"{registry.name}-catalog-oauth-proxy"
        annotations["routing.opendatahub.io/external-address-rest"] = f"{host}:{registry.proxy['routePort']}"
    if annotations:
        made["metadata"]["annotations"] = annotations
    made["spec"] = {
        "type": "ClusterIP",
        "ports": [{"name": f"{port[0]}-api", "port": port[1], "protocol": "TCP", "appProtocol": port[0]}],
        "selector": {"app": registry.name, "component": COMPONENT},
    }
    return owned(registry, made)


def of_openshift(registry: Registry) -> list[Object]:
    """Its Route and the policy that admits the router."""
    proxy, name = registry.proxy, f"{registry.name}-catalog"
    route = _object(registry, "route.openshift.io/v1", "Route", f"{name}-https", "model-registry", suffix="-https")
    route["spec"] = {"to": {"kind": "Service", "name": name}, "port": {"targetPort": "https-api" if proxy else "http-api"}}
    if proxy:
        route["spec"] |= {"host": f"{name}.{proxy.get('domain', '')}", "tls": {"termination": "reencrypt"}, "wildcardPolicy": "None"}
    metadata = {"name": f"{name}-https-route", "namespace": registry.namespace, "labels": labels(registry.name, f"{registry.name}-https-route")}
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata}
    admitted = [{"namespaceSelector": {"matchLabels": {"network.openshift.io/policy-group": "ingress"}}}]
    policy["spec"] = {
        "podSelector": {"matchLabels": {"app": registry.name, "component": COMPONENT}},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": admitted, "ports": [{"protocol": "TCP", "port": proxy["port"] if proxy else 8443}]}],
    }
    return [owned(registry, route), owned(registry, policy)]


def _object(registry: Registry, api_version: str, kind: str, instance: str, part: str, suffix: str = "") -> Object:
    name = f"{registry.name}-catalog"
    marks = labels(registry.name, instance, COMPONENT, part) | {"app.kubernetes.io/name": name}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name + suffix, "namespace": registry.namespace, "labels": marks}}


def _pod(registry: Registry) -> Object:
    rest = registry.spec["rest"]

    def probe(delay: int) -> Object:
        return {"tcpSocket": {"port": "http-api"}, "initialDelaySeconds": delay, "periodSeconds": 5, "timeoutSeconds": 2}

    containers = [
        {
            "name": "catalog",
            "image": rest["image"],
            "command": ["/model-registry", "catalog"],
            "args": ["--listen=0.0.0.0:8080", "--catalogs-path=/catalog/sources.yaml"],
            "ports": [{"name": "http-api", "containerPort": 8080}],
            "livenessProbe": probe(30),
            "readinessProbe": probe(3),
            "resources": resources(rest),
            "securityContext": UNPRIVILEGED,
            "volumeMounts": [{"name": "sources", "mountPath": "/catalog"}],
        }
    ]
    volumes: list[Object] = [{"name": "sources", "configMap": {"name": SOURCES}}]
    if registry.proxy is not None:
        containers.append(_proxy(registry))
        for volume, secret in (("oauth-proxy-tls", "catalog-oauth-proxy"), ("oauth-proxy-cookie-secret", "oauth-cookie-secret")):
            volumes.append({"name": volume, "secret": {"secretName": f"{registry.name}-{secret}", "defaultMode": 0o600}})
    return {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "serviceAccountName": registry.name,
        "containers": containers,
        "volumes": volumes,
    }


def _proxy(registry: Registry) -> Object:
    """That of the registry's server, with another upstream, certificate and cookie."""
    made = oauth_proxy(registry)
    others = {
        "--upstream": "http://localhost:8080",
        "--tls-cert": "/etc/tls/tls.crt",
        "--tls-key": "/etc/tls/tls.key",
        "--cookie-name": f"_{registry.name}_catalog_oauth_proxy",
    }
    arguments = [f"{name}={others[name]}" if (name := argument.partition("=")[0]) in others else argument for argument in made["args"]]
    mounts = [{"name": "oauth-proxy-tls", "mountPath": "/etc/tls"}, {"name": "oauth-proxy-cookie-secret", "mountPath": "/cookie-secret"}]
    return made | {"args": arguments, "volumeMounts": mounts}
