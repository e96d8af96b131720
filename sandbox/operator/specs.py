"""The rules of a registry's spec: what the operator sets, what it refuses, and how one API version becomes another."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from sandbox.crds import Schema, registry_schema
from sandbox.generations import METADATA_IMAGE, POSTGRES_IMAGE, REGISTRY_IMAGE, Generation
from sandbox.operator.structs import marshal

Spec = dict[str, Any]
Object = dict[str, Any]

ISTIO_MUTUAL = "ISTIO_MUTUAL"


def read_spec(generation: Generation, version: str, registry: Object) -> Spec:
    """The spec as the operator's struct of this API version holds it."""
    made: Spec = marshal(_schema(generation.product, version), registry.get("spec"), version)
    return made


@cache
def _schema(product: str, version: str) -> Schema:
    schema: Schema = registry_schema(product, version)["properties"]["spec"]
    return schema


def defaulted(generation: Generation, version: str, registry: Object, is_openshift: bool) -> Spec:
    """The spec as the mutating webhook leaves it."""
    spec = read_spec(generation, version, registry)
    spec["rest"].setdefault("serviceRoute", "disabled")
    postgres = spec.get("postgres", {})
    if not (postgres.get("host") or postgres.get("hostAddress") or postgres.get("generateDeployment")):
        spec.pop("postgres", None)
    if not spec.get("mysql", {}).get("host"):
        spec.pop("mysql", None)
    if "istio" in spec:
        if generation.has_metadata_server:
            _default_istio(spec["istio"])
        else:
            _replace_istio(spec)
    proxy = _proxy_field(generation, version)
    if proxy == "kubeRBACProxy":
        migrate_proxy(spec)
    if generation.is_today and is_openshift and not {"oauthProxy", "kubeRBACProxy"} & spec.keys():
        spec[proxy] = {}
    if proxy in spec:
        spec[proxy].setdefault("serviceRoute", "enabled")
    return without_runtime_defaults(generation, spec, registry.get("status", {}).get("specDefaults", ""))


def _proxy_field(generation: Generation, version: str) -> str:
    return "oauthProxy" if version == "v1alpha1" else generation.proxy


def migrate_proxy(spec: Spec) -> None:
    """Turn oauthProxy into kubeRBACProxy; its image is not taken along."""
    if "oauthProxy" in spec and "kubeRBACProxy" not in spec:
        spec["kubeRBACProxy"] = {name: value for name, value in spec.pop("oauthProxy").items() if name != "image"}


def without_runtime_defaults(generation: Generation, spec: Spec, spec_defaults: str) -> Spec:
    """The spec without images that are the operator's own: they would be wrong after its next upgrade."""
    if spec_defaults not in ("", "{}"):
        return spec
    own = {"rest": REGISTRY_IMAGE} | ({} if generation.is_today else {"grpc": METADATA_IMAGE})
    for container, image in own.items():
        if spec[container].get("image", "").split(":")[0] == image:
            spec[container].pop("image")
            spec[container].pop("resources", None)
    return spec


def _default_istio(istio: Spec) -> None:
    istio.setdefault("tlsMode", ISTIO_MUTUAL)
    if "gateway" in istio:
        for server in (istio["gateway"]["rest"], istio["gateway"]["grpc"]):
            server.setdefault("port", 443 if "tls" in server else 80)
            server.setdefault("gatewayRoute", "enabled")


def _replace_istio(spec: Spec) -> None:
    gateway = spec.pop("istio").get("gateway")
    proxy: Spec = {"port": 8443, "serviceRoute": "enabled", "routePort": 443}
    if gateway is None or gateway["rest"].get("gatewayRoute") == "disabled":
        proxy["serviceRoute"] = "disabled"
    if gateway:
        if gateway.get("domain"):
            proxy["domain"] = gateway["domain"]
        if "tls" in gateway["rest"] and "port" in gateway["rest"]:
            proxy["routePort"] = gateway["rest"]["port"]
    spec["oauthProxy"] = proxy


def effective(generation: Generation, name: str, spec: Spec, domain: str) -> Spec:
    """The spec with everything that the operator adds at run time, as it builds the registry's objects from it."""
    spec = copy.deepcopy(spec)
    containers = {"rest": generation.image}
    if not generation.is_today:
        containers["grpc"] = f"{METADATA_IMAGE}:latest"
    for container, image in containers.items():
        spec[container].setdefault("resources", generation.resources())
        spec[container].setdefault("image", image)
    if generation.is_today and "postgres" in spec:
        spec["postgres"].setdefault("image", POSTGRES_IMAGE)
    if generation.proxy in spec:
        proxy, secret = spec[generation.proxy], name + generation.secret_suffix
        if "tlsCertificateSecret" not in proxy:
            proxy["tlsCertificateSecret"] = {"name": secret, "key": "tls.crt"}
            proxy["tlsKeySecret"] = {"name": secret, "key": "tls.key"}
        if not generation.has_metadata_server and domain:
            proxy.setdefault("domain", domain)
        proxy.setdefault("image", generation.proxy_image)
    if "istio" in spec and "gateway" in spec["istio"]:
        gateway = spec["istio"]["gateway"]
        if domain:
            gateway.setdefault("domain", domain)
        gateway.setdefault("istioIngress", "ingressgateway")
    return spec


def generated_postgres(name: str) -> Spec:
    """The connection to a database that the operator made itself; it takes the place of what the registry said of PostgreSQL."""
    return {
        "host": f"{name}-postgres",
        "port": 5432,
        "username": "modelregistry",
        "database": "model_registry",
        "passwordSecret": {"name": f"{name}-postgres-credentials", "key": "password"},
    }


def refusals(generation: Generation, registry: Object, namespace: str, domain: str) -> list[str]:
    """Every reason for which the validating webhook refuses this registry, but for its name."""
    spec, made_in = registry["spec"], registry["metadata"].get("namespace", "")
    found = []
    if namespace and made_in != namespace:
        found.append(f'metadata.namespace: Invalid value: "{made_in}": namespace must be {namespace}')
    postgres = spec.get("postgres")
    if postgres is None and "mysql" not in spec:
        found += [f"spec.{database}: Required value: required one of `postgres` or `mysql` database" for database in ("postgres", "mysql")]
    elif postgres and postgres.get("generateDeployment") and (postgres.get("host") or postgres.get("hostAddress")):
        found.append(f'spec.postgres.host: Invalid value: "{postgres.get("host", "")}": host should not be set when auto-provisioning is enabled')
    if generation.has_metadata_server and "istio" in spec:
        found += _istio_refusals(spec["istio"], domain)
    return found


def _istio_refusals(istio: Spec, domain: str) -> list[str]:
    """Istio settings that neither the registry nor the operator's environment has; a sandbox's has a domain only."""
    missing = []
    if not istio.get("authProvider"):
        missing.append(("authProvider", "missing authProvider and operator environment variable DEFAULT_AUTH_PROVIDER"))
    if not istio.get("authConfigLabels"):
        missing.append(("authConfigLabels", "missing authConfigLabels and operator environment variable DEFAULT_AUTH_CONFIG_LABELS"))
    gateway = istio.get("gateway")
    if gateway is not None:
        if not (gateway.get("domain") or domain):
            missing.append(("gateway.domain", "missing domain and operator environment variable DEFAULT_DOMAIN"))
        for server in ("rest", "grpc"):
            tls = gateway[server].get("tls")
            if tls is not None and tls.get("mode") != ISTIO_MUTUAL and not tls.get("credentialName"):
                missing.append((f"gateway.{server}.tls.credentialName", f"missing {server} credentialName and operator environment variable DEFAULT_CERT"))
    return [f"spec.istio.{field}: Required value: {text}" for field, text in missing]


def invalid(name: str, reasons: list[str]) -> str:
    """The sentence in which the API server's own error type puts these reasons."""
    text = reasons[0] if len(reasons) == 1 else f"[{', '.join(reasons)}]"
    return f'ModelRegistry.modelregistry.opendatahub.io "{name}" is invalid: {text}'


def converted(generation: Generation, registry: Object, api_version: str) -> Object:
    """The registry in another API version: fields that it does not know are dropped, Istio becomes a proxy."""
    source, target = registry["apiVersion"].split("/")[1], api_version.split("/")[1]
    if source == target:
        return registry
    spec = read_spec(generation, source, registry)
    if "istio" in spec:
        _replace_istio(spec)
    made = {"apiVersion": api_version, "kind": registry["kind"], "metadata": registry["metadata"]}
    made["spec"] = read_spec(generation, target, {"spec": spec})
    made["status"] = registry.get("status", {})
    return made
