"""The CustomResourceDefinitions of a sandbox: the registry's own for each generation of the product, and those of OpenShift that matter here."""

from __future__ import annotations

import base64
from typing import Any

from sandbox.generations import AI_HUB, COMPONENT, COMPONENTS, GENERATIONS
from sandbox.layout import REGISTRIES_NAMESPACE, WEBHOOK_PORT, Layout

Schema = dict[str, Any]
Definition = dict[str, Any]

REGISTRY_GROUP = "modelregistry.opendatahub.io"
DOMAIN_PATTERN = r"^(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]{0,61}[a-zA-Z0-9])(\.([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]{0,61}[a-zA-Z0-9]))*)?$"
MAX_PORT = 65535


def registry_schema(product: str, version: str) -> Schema:
    """The schema of a ModelRegistry in one version of its API."""
    return _object(_metadata() | {"spec": _registry_spec(product, version), "status": _registry_status()})


def custom_resource_definitions(layout: Layout, ca_bundle: bytes) -> list[Definition]:
    """Every definition that this sandbox's product and platform have. `ca_bundle` signs the operator's conversion webhook."""
    generation = GENERATIONS[layout.product]
    definitions = [_registries(layout, ca_bundle), *([_ai_hub(), _catalog()] if generation.singleton is AI_HUB else [_component()])]
    if layout.has_openshift:
        clusters = _clusters(generation.default_namespace)
        definitions += [_routes(), _groups(), _users(), clusters, _initializations(), *_gateway(), *_configurations(), _inference_services()]
    return definitions


# Schemas, in few words


def _text(**constraints: Any) -> Schema:
    return {"type": "string", **constraints}


def _flag(**constraints: Any) -> Schema:
    return {"type": "boolean", **constraints}


def _port(default: int | None, minimum: int = 0) -> Schema:
    schema = {"type": "integer", "format": "int32", "minimum": minimum, "maximum": MAX_PORT}
    return schema if default is None else schema | {"default": default}


def _list(items: Schema, **constraints: Any) -> Schema:
    return {"type": "array", "items": items, **constraints}


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _object(properties: dict[str, Schema], required: tuple[str, ...] = (), rules: tuple[tuple[str, str], ...] = ()) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    if rules:
        schema["x-kubernetes-validations"] = [{"rule": rule, "message": message} for rule, message in rules]
    return schema


def _anything() -> Schema:
    return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _metadata() -> dict[str, Schema]:
    return {"apiVersion": _text(), "kind": _text(), "metadata": {"type": "object"}}


def _conditions() -> Schema:
    return _list(
        _object(
            {
                "type": _text(
                    maxLength=316,
                    pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
                ),
                "status": _text(enum=["True", "False", "Unknown"]),
                "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0},
                "lastTransitionTime": _text(format="date-time"),
                "reason": _text(minLength=1, maxLength=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"),
                "message": _text(maxLength=32768),
            },
            required=("type", "status", "lastTransitionTime", "reason", "message"),
        )
    )


def _column(name: str, path: str, priority: int = 0, kind: str = "string") -> Schema:
    return {"name": name, "type": kind, "jsonPath": path} | ({"priority": priority} if priority else {})


def _condition_column(name: str, condition: str, field: str = "status", priority: int = 0) -> Schema:
    return _column(name, f'.status.conditions[?(@.type=="{condition}")].{field}', priority)


def _version(name: str, schema: Schema, columns: list[Schema] | None = None, status: bool = True, storage: bool = True) -> Schema:
    version: Schema = {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": schema}}
    if columns:
        version["additionalPrinterColumns"] = columns
    if status:
        version["subresources"] = {"status": {}}
    return version


def _definition(group: str, kind: str, plural: str, versions: list[Schema], namespaced: bool, short_names: tuple[str, ...] = ()) -> Definition:
    names: dict[str, Any] = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    if short_names:
        names["shortNames"] = list(short_names)
    definition: Definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "names": names, "scope": "Namespaced" if namespaced else "Cluster", "versions": versions},
    }
    if group.endswith(".k8s.io"):
        # The API server takes definitions in the community's groups only with a mark that says who approved them.
        definition["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, for a sandbox"}
    return definition


# The registry


def _registries(layout: Layout, ca_bundle: bytes) -> Definition:
    names = GENERATIONS[layout.product].versions
    versions = [_version(name, registry_schema(layout.product, name), _registry_columns(layout.product, name), storage=name == names[-1]) for name in names]
    definition = _definition(REGISTRY_GROUP, "ModelRegistry", "modelregistries", versions, namespaced=True, short_names=("mr",))
    if len(names) > 1:
        definition["spec"]["conversion"] = {
            "strategy": "Webhook",
            "webhook": {
                "conversionReviewVersions": ["v1beta1", "v1alpha1"],
                "clientConfig": {
                    "url": f"https://{layout.address('operator')}:{WEBHOOK_PORT}/convert",
                    "caBundle": base64.b64encode(ca_bundle).decode(),
                },
            },
        }
    return definition


def _registry_columns(product: str, version: str) -> list[Schema]:
    if version == "v1alpha1":
        proxies = [("Istio", "IstioAvailable"), ("Gateway", "GatewayAvailable"), ("OAuthProxy", "OAuthProxyAvailable")]
    else:
        proxies = [("KubeRBACProxy", "KubeRBACProxyAvailable")] if GENERATIONS[product].is_today else [("OAuthProxy", "OAuthProxyAvailable")]
    return [
        _condition_column("Available", "Available"),
        *(_condition_column(name, condition, priority=2) for name, condition in proxies),
        _column("Age", ".metadata.creationTimestamp", kind="date"),
        _column("Hosts", ".status.hostsStr", 2),
        _condition_column("Status", "Available", "message", 2),
    ]


def _registry_spec(product: str, version: str) -> Schema:
    generation = GENERATIONS[product]
    alpha, today = version == "v1alpha1", generation.is_today
    properties = {
        "rest": _rest(today),
        "grpc": _grpc(today),
        "mysql": _mysql(),
        "postgres": _postgres(generated=today and not alpha),
        "enable_database_upgrade": _flag(),
        "downgrade_db_schema_version": {"type": "integer", "format": "int64"},
        "oauthProxy": _proxy(with_route=not generation.has_metadata_server),
    }
    rules: tuple[tuple[str, str], ...] = ()
    if alpha:
        properties["istio"] = _istio(domain_pattern=not generation.has_metadata_server)
        rules = (("!(has(self.istio) && has(self.oauthProxy))", "Cannot use both istio and oauthProxy"),)
    elif today:
        properties["kubeRBACProxy"] = _proxy(with_route=True)
        rules = (("!(has(self.oauthProxy) && has(self.kubeRBACProxy))", "Cannot use both oauthProxy and kubeRBACProxy"),)
    return _object(properties, ("rest",) if today and not alpha else ("grpc", "rest"), rules)


def _registry_status() -> Schema:
    return _object({"conditions": _conditions(), "hosts": _list(_text()), "hostsStr": _text(), "specDefaults": _text()})


def _reference() -> Schema:
    return _object({"name": _text(), "key": _text()}, ("name", "key"))


def _references(*names: str) -> dict[str, Schema]:
    return {name: _reference() for name in names}


def _resources(request: bool) -> Schema:
    quantity = {
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$",
        "x-kubernetes-int-or-string": True,
    }
    claim = {"name": _text()} | ({"request": _text()} if request else {})
    claims = _list(_object(claim, ("name",)), **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]})
    return _object({"claims": claims, "limits": _map(quantity), "requests": _map(quantity)})


def _grpc(claim_requests: bool) -> Schema:
    return _object({"port": _port(9090), "image": _text(), "resources": _resources(claim_requests)})


def _rest(claim_requests: bool) -> Schema:
    return _object(
        {
            "port": _port(8080, 1),
            "image": _text(),
            "resources": _resources(claim_requests),
            "serviceRoute": _text(enum=["disabled", "enabled"], default="disabled"),
        }
    )


def _mysql() -> Schema:
    return _object(
        {
            "host": _text(),
            "port": _port(3306, 1),
            "username": _text(),
            "database": _text(),
            "skipDBCreation": _flag(default=False),
            "sslCipher": _text(),
            "sslRootCertificatesConfigMapName": _text(),
            "sslRootCertificatesSecretName": _text(),
            "verifyServerCert": _flag(),
            **_references("passwordSecret", "sslCertificateSecret", "sslKeySecret", "sslRootCertificateConfigMap", "sslRootCertificateSecret"),
        },
        ("host", "username", "database"),
    )


def _postgres(generated: bool) -> Schema:
    properties = {
        "host": _text(),
        "hostAddress": _text(),
        "port": _port(5432, 1),
        "username": _text(),
        "database": _text(),
        "skipDBCreation": _flag(default=False),
        "sslMode": _text(enum=["disable", "allow", "prefer", "require", "verify-ca", "verify-full"], default="disable"),
        **_references("passwordSecret", "sslCertificateSecret", "sslKeySecret", "sslPasswordSecret", "sslRootCertificateConfigMap", "sslRootCertificateSecret"),
    }
    if not generated:
        return _object(properties, ("database",))
    return _object(
        properties | {"generateDeployment": _flag(), "image": _text()},
        rules=(
            (
                "has(self.generateDeployment) && self.generateDeployment ? true : (size(self.host) > 0 || size(self.hostAddress) > 0)",
                "GenerateDeployment must be set to true if host/hostAddress are not provided",
            ),
            (
                "has(self.database) && size(self.database) > 0 ? has(self.username) && size(self.username) > 0 : true",
                "Username must be set if database is specified",
            ),
            (
                "!(has(self.generateDeployment) && self.generateDeployment) || "
                "((!has(self.host) || size(self.host) == 0) && (!has(self.hostAddress) || size(self.hostAddress) == 0))",
                "host and hostAddress must not be set when generateDeployment is true",
            ),
        ),
    )


def _proxy(with_route: bool) -> Schema:
    properties = {
        "port": _port(8443),
        "image": _text(),
        "serviceRoute": _text(enum=["disabled", "enabled"], default="enabled"),
        **_references("tlsCertificateSecret", "tlsKeySecret"),
    }
    if with_route:
        properties |= {"domain": _text(maxLength=253, pattern=DOMAIN_PATTERN), "routePort": _port(443)}
    both = ("has(self.tlsCertificateSecret) == has(self.tlsKeySecret)", "tlsCertificateSecret and tlsKeySecret MUST be set together")
    return _object(properties, rules=(both,))


def _istio(domain_pattern: bool) -> Schema:
    def server() -> Schema:
        return _object(
            {
                "port": _port(None),
                "gatewayRoute": _text(enum=["disabled", "enabled"]),
                "tls": _object({"mode": _text(enum=["SIMPLE", "MUTUAL", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"], default="SIMPLE"), "credentialName": _text()}),
            }
        )

    gateway = _object(
        {
            "controlPlane": _text(),
            "domain": _text(maxLength=253, pattern=DOMAIN_PATTERN) if domain_pattern else _text(),
            "istioIngress": _text(),
            "grpc": server(),
            "rest": server(),
        },
        ("grpc", "rest"),
    )
    return _object(
        {
            "audiences": _list(_text()),
            "authConfigLabels": _map(_text()),
            "authProvider": _text(),
            "gateway": gateway,
            "tlsMode": _text(default="ISTIO_MUTUAL"),
        }
    )


# The platform operator


def _registries_namespace(default: str = REGISTRIES_NAMESPACE) -> Schema:
    return _text(default=default, maxLength=63, pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$")


def _component() -> Definition:
    """The platform operator's own ModelRegistry: another kind with the plural of ours."""
    status = _object({"conditions": _conditions(), "phase": _text(), "registriesNamespace": _text(), "observedGeneration": {"type": "integer"}})
    schema = _object(_metadata() | {"spec": _object({COMPONENT.namespace_field: _registries_namespace()}), "status": status})
    schema["x-kubernetes-validations"] = [{"rule": f"self.metadata.name == '{COMPONENT.name}'", "message": f"ModelRegistry name must be {COMPONENT.name}"}]
    columns = [_condition_column("Ready", "Ready"), _condition_column("Reason", "Ready", "reason")]
    return _definition(COMPONENTS, COMPONENT.kind, COMPONENT.plural, [_version("v1alpha1", schema, columns)], namespaced=False)


def _ai_hub() -> Definition:
    """What takes the place of the former from 3.6 on."""
    namespace = _text(minLength=1, maxLength=63, pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
    spec = _object(
        {"applicationNamespace": namespace, AI_HUB.namespace_field: namespace, "gateway": _object({"domain": _text(maxLength=253)})},
        ("applicationNamespace", AI_HUB.namespace_field),
    )
    status = _object({"conditions": _conditions(), "phase": _text(), "observedGeneration": {"type": "integer"}})
    schema = _object(_metadata() | {"spec": spec, "status": status}, ("spec",))
    schema["x-kubernetes-validations"] = [{"rule": f"self.metadata.name == '{AI_HUB.name}'", "message": f"Only the name '{AI_HUB.name}' is allowed"}]
    columns = [_column("AppNamespace", ".spec.applicationNamespace"), _column("Age", ".metadata.creationTimestamp", kind="date")]
    return _definition(COMPONENTS, AI_HUB.kind, AI_HUB.plural, [_version("v1alpha1", schema, columns)], namespaced=False)


def _catalog() -> Definition:
    """The model catalog as a custom resource, from 3.6 on. Its sources are still ConfigMaps."""
    quantity = {"x-kubernetes-int-or-string": True}
    database = _object({"volume": _object({"sizeLimit": quantity})})
    spec = _object({"resources": _object({"catalog": _resources(True), "postgres": _resources(True)}), "database": database})
    status = _object({"conditions": _conditions(), "observedGeneration": {"type": "integer", "format": "int64"}})
    schema = _object(_metadata() | {"spec": spec, "status": status})
    # The operator's webhook says the same.
    schema["x-kubernetes-validations"] = [{"rule": "self.metadata.name == 'catalog'", "message": "Only the name 'catalog' is allowed"}]
    columns = [_column("Age", ".metadata.creationTimestamp", kind="date")]
    return _definition("aihub.opendatahub.io", "Catalog", "catalogs", [_version("v1alpha1", schema, columns)], namespaced=True)


def _clusters(default_namespace: str) -> Definition:
    registries = _object(
        {"managementState": _text(enum=["Managed", "Removed"]), "registriesNamespace": _registries_namespace(default_namespace)},
        rules=(
            (
                "(self.managementState != 'Managed') || (oldSelf.registriesNamespace == '') || (oldSelf.managementState != 'Managed')"
                "|| (self.registriesNamespace == oldSelf.registriesNamespace)",
                "RegistriesNamespace is immutable when model registry is Managed",
            ),
        ),
    )

    def others(schema: Schema) -> Schema:
        return schema | {"x-kubernetes-preserve-unknown-fields": True}

    status = _object(
        {
            "phase": _text(),
            "observedGeneration": {"type": "integer", "format": "int64"},
            "conditions": _list(others(_object({"type": _text(), "status": _text(), "reason": _text(), "message": _text()}, ("type", "status")))),
            "components": others(_object({"modelregistry": others(_object({"managementState": _text(), "registriesNamespace": _text()}))})),
        }
    )
    schema = _object(_metadata() | {"spec": _object({"components": others(_object({"modelregistry": registries}))}), "status": others(status)})
    columns = [_condition_column("Ready", "Ready"), _condition_column("Reason", "Ready", "reason")]
    versions = [_version(name, schema, columns, storage=name == "v2") for name in ("v1", "v2")]
    return _definition("datasciencecluster.opendatahub.io", "DataScienceCluster", "datascienceclusters", versions, namespaced=False, short_names=("dsc",))


def _initializations() -> Definition:
    bundle = _object({"managementState": _text(enum=["Managed", "Removed", "Force", "Unmanaged"]), "customCABundle": _text(default="")})
    spec = _object({"applicationsNamespace": _text(), "trustedCABundle": bundle}) | {"x-kubernetes-preserve-unknown-fields": True}
    schema = _object(_metadata() | {"spec": spec, "status": _anything()})
    versions = [_version(name, schema, storage=name == "v2") for name in ("v1", "v2")]
    return _definition("dscinitialization.opendatahub.io", "DSCInitialization", "dscinitializations", versions, namespaced=False, short_names=("dsci",))


# OpenShift


def _routes() -> Definition:
    target = _object(
        {
            "kind": _text(enum=["Service", ""], default="Service"),
            "name": _text(minLength=1),
            "weight": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 256, "default": 100},
        },
        ("kind", "name"),
    )
    spec = _object(
        {
            "host": _text(maxLength=253),
            "path": _text(),
            "to": target,
            "port": _object({"targetPort": {"x-kubernetes-int-or-string": True}}, ("targetPort",)),
            "tls": _object({"termination": _text(enum=["edge", "reencrypt", "passthrough"])}, ("termination",))
            | {"x-kubernetes-preserve-unknown-fields": True},
            "wildcardPolicy": _text(enum=["None", "Subdomain", ""], default="None"),
        },
        ("to",),
    )
    schema = _object(_metadata() | {"spec": spec, "status": _anything()}, ("spec",))
    columns = [
        _column("Host", ".status.ingress[0].host"),
        _column("Admitted", '.status.ingress[0].conditions[?(@.type=="Admitted")].status'),
        _column("Service", ".spec.to.name"),
        _column("TLS", ".spec.tls.termination"),
    ]
    return _definition("route.openshift.io", "Route", "routes", [_version("v1", schema, columns)], namespaced=True)


def _groups() -> Definition:
    schema = _object(_metadata() | {"users": _list(_text(), nullable=True)})
    return _definition("user.openshift.io", "Group", "groups", [_version("v1", schema, status=False)], namespaced=False)


def _users() -> Definition:
    schema = _object(
        _metadata() | {"fullName": _text(), "identities": _list(_text(), nullable=True), "groups": _list(_text(), nullable=True)},
    )
    return _definition("user.openshift.io", "User", "users", [_version("v1", schema, status=False)], namespaced=False)


def _gateway() -> list[Definition]:
    """Without HTTPRoute the operators from v0.3.10 on never finish a delete. OpenShift has it, a plain cluster does not."""
    permissive = _object(_metadata() | {"spec": _anything(), "status": _anything()})
    group = "gateway.networking.k8s.io"
    return [
        _definition(group, "HTTPRoute", "httproutes", [_version("v1", permissive)], namespaced=True),
        _definition(group, "ReferenceGrant", "referencegrants", [_version("v1beta1", permissive)], namespaced=True),
    ]


def _configurations() -> list[Definition]:
    """What the cluster's administrator configures. The product's operator, where it finds this API, watches the second too."""
    permissive = _object(_metadata() | {"spec": _anything(), "status": _anything()})
    kinds = {"Ingress": "ingresses", "APIServer": "apiservers"}
    return [_definition("config.openshift.io", kind, plural, [_version("v1", permissive)], namespaced=False) for kind, plural in kinds.items()]


def _inference_services() -> Definition:
    """Deployed models. The label modelregistry.opendatahub.io/name says which registry one comes from."""
    permissive = _object(_metadata() | {"spec": _anything(), "status": _anything()})
    versions = [_version("v1beta1", permissive)]
    return _definition("serving.kserve.io", "InferenceService", "inferenceservices", versions, namespaced=True, short_names=("isvc",))
