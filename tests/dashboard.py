"""The requests that the product's dashboard sends, of each generation, straight to the API server as its administrator.

A `Form` is what somebody has filled in: `create` a registry with it; or `opened`, change it and `edit`.
A `SourceForm` is that of a source of the model catalog.
"""

from __future__ import annotations

import base64
import re
import secrets
import string
from dataclasses import dataclass, field
from typing import Any

import yaml

from sandbox.kube import ApiError, Object, path
from sandbox.layout import REGISTRIES_NAMESPACE
from tests.helpers import RBAC, Cluster

GROUP = "modelregistry.opendatahub.io"
PASSWORD_KEY = "database-password"
MERGE_PATCH = "application/merge-patch+json"
CA_FIELDS = {"ConfigMap": "sslRootCertificateConfigMap", "Secret": "sslRootCertificateSecret"}


@dataclass(frozen=True)
class Generation:
    """What tells the dashboard of one release from the others."""

    version: str
    authentication: Object
    # It offers PostgreSQL, generated and external, and names the database that is not used as null.
    offers_postgresql: bool = False
    # An edit names the authentication too.
    edit_names_authentication: bool = True


# By the release of OpenShift AI: the dashboards v2.30-v2.34, v2.35, v2.36-v2.38, v3.0-v3.3, and since v3.4.
GENERATIONS = {
    "2.21": Generation("v1alpha1", {"istio": {"gateway": {"grpc": {"tls": {}}, "rest": {"tls": {}}}}}, edit_names_authentication=False),
    "2.22": Generation("v1alpha1", {"oauthProxy": {}}),
    "2.25": Generation("v1beta1", {"oauthProxy": {}}),
    "3.3": Generation("v1beta1", {"kubeRBACProxy": {}}),
    "3.5": Generation("v1beta1", {"kubeRBACProxy": {}}, offers_postgresql=True),
}
# The dashboard of each product that a sandbox can have. A sandbox has no service mesh, and without one operator v0.2.16 refuses what the dashboards before
# v2.35 create; what they edit it takes.
OF_PRODUCT = {"2.21": "2.22", "2.25": "2.25", "3.x": "3.5", "3.6": "3.5"}


@dataclass(frozen=True)
class CertificateAuthority:
    """A key of a ConfigMap or Secret in the registries namespace that holds certificates."""

    kind: str
    name: str
    key: str


CLUSTER_WIDE = CertificateAuthority("ConfigMap", "odh-trusted-ca-bundle", "ca-bundle.crt")
OF_THE_PRODUCT = CertificateAuthority("ConfigMap", "odh-trusted-ca-bundle", "odh-ca-bundle.crt")


@dataclass(frozen=True)
class Upload:
    """A certificate that is uploaded; the dashboard puts it into a ConfigMap, whose name is fixed by then."""

    pem: str
    before_the_name: bool = False


@dataclass(frozen=True)
class Database:
    """An external database; `section` is the part of the specification that it goes into: mysql or postgres."""

    host: str
    name: str
    username: str
    password: str = field(repr=False)
    port: int = 3306
    section: str = "mysql"


def database_of(options: dict[str, Any]) -> Database:
    """What has to be typed to mean these options of the module, which say everything: the dashboard adds nothing to a host."""
    host = f"{options['host']}.{options['namespace']}.svc" if "namespace" in options else options["host"]
    section, port = {"mysql": ("mysql", 3306), "postgresql": ("postgres", 5432)}[options["type"]]
    return Database(host, options["name"], options["username"], options["password"], options.get("port", port), section)


@dataclass(frozen=True)
class Form:
    """What the dialog holds. Without a database the dashboard lets the operator generate one."""

    display_name: str
    description: str = ""
    database: Database | None = None
    ca: CertificateAuthority | Upload | None = None


class Dashboard:
    """The dashboard of one release: the sandbox's, when none is named."""

    def __init__(self, cluster: Cluster, release: str | None = None) -> None:
        self._cluster = cluster
        self._generation = GENERATIONS[release or OF_PRODUCT[cluster.layout.product]]

    def create(self, name: str, form: Form) -> Object:
        """Create a registry; ApiError with what the API server refused. What was written before that stays."""
        ca = self._uploaded(name, form)
        self._create_both(name, form, ca, dryRun="All")
        return self._create_both(name, form, ca)

    def opened(self, name: str) -> Form:
        """The dialog as it opens to edit a registry, its password included."""
        registry = self._send("GET", self._path(name))
        section = next(section for section in ("mysql", "postgres") if section in registry["spec"])
        live = registry["spec"][section]
        annotations = registry["metadata"].get("annotations") or {}
        texts = annotations.get("openshift.io/display-name", name), annotations.get("openshift.io/description", "")
        if live.get("generateDeployment"):
            return Form(*texts)
        secret = self._send("GET", _secret_path(live["passwordSecret"]["name"]))
        password = base64.b64decode(secret["data"][live["passwordSecret"]["key"]]).decode()
        database = Database(live["host"], live["database"], live["username"], password, live["port"], section)
        ca = next((CertificateAuthority(kind, **live[place]) for kind, place in CA_FIELDS.items() if place in live), None)
        return Form(*texts, database, ca)

    def edit(self, name: str, form: Form) -> Object:
        """Save the dialog; ApiError with what the API server refused. What was written before that stays."""
        ca = self._uploaded(name, form)
        body = self._edit_body(form, ca)
        self._edit_both(name, form, body, dryRun="All")
        return self._edit_both(name, form, body)

    def delete(self, name: str) -> None:
        """Delete a registry, and the Secret that it names, whoever made that. ApiError when there is no such registry."""
        registry = self._send("GET", self._path(name))
        password = _password_reference(registry)
        # The Secret goes with the dry run already.
        for parameters in ({"dryRun": "All"}, {}):
            self._send("DELETE", self._path(name), **parameters)
            if password:
                self._cluster.delete("v1", "secrets", password["name"])

    def grant(self, name: str, kind: str, subject: str) -> Object:
        """Let a Group, a User or a Project use a registry; the RoleBinding."""
        labels = {
            "opendatahub.io/dashboard": "true",
            "app": name,
            "app.kubernetes.io/component": "model-registry",
            "app.kubernetes.io/part-of": "model-registry",
            "app.kubernetes.io/name": name,
            "component": "model-registry",
        }
        if kind == "Project":
            kind, subject = "Group", f"system:serviceaccounts:{subject}"
            labels["opendatahub.io/rb-project-subject"] = "true"
        registry = self._send("GET", self._path(name))
        # Dashboards before v2.36 write the API that they use here too.
        owner = {"apiVersion": f"{GROUP}/{self._generation.version}", "kind": "ModelRegistry", "name": name, "uid": registry["metadata"]["uid"]}
        random = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _letter in range(6))
        binding = {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": {
                "name": f"dashboard-permissions-{random}",
                "namespace": REGISTRIES_NAMESPACE,
                "labels": labels,
                "ownerReferences": [owner | {"blockOwnerDeletion": False}],
            },
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": f"registry-user-{name}"},
            "subjects": [_subject(kind, subject)],
        }
        created: Object = self._send("POST", _binding_path(), binding)
        return created

    def change_grant(self, binding: str, kind: str, subject: str) -> Object:
        """Give what a Group or User was granted to another one, in the same RoleBinding."""
        patch = [{"op": "replace", "path": "/subjects", "value": [_subject(kind, subject)]}]
        for parameters in ({"dryRun": "All"}, {}):
            changed: Object = self._send("PATCH", _binding_path(binding), patch, "application/json-patch+json", **parameters)
        return changed

    def revoke(self, binding: str) -> None:
        """Delete a RoleBinding; ApiError when there is no such one."""
        self._send("DELETE", _binding_path(binding))

    def _send(self, verb: str, path: str, body: Any = None, content_type: str = "application/json", **parameters: str) -> Any:
        if body is not None:
            # The dashboard's server gives no name to the API server.
            parameters["fieldManager"] = "unknown"
        return self._cluster.call(lambda api: api.request(verb, path, body, content_type, **parameters))

    def _path(self, name: str | None = None) -> str:
        return path(f"{GROUP}/{self._generation.version}", "modelregistries", REGISTRIES_NAMESPACE, name)

    def _uploaded(self, name: str, form: Form) -> CertificateAuthority | None:
        """The CA, in a new ConfigMap when it is uploaded: for real, before anything is tried."""
        if not isinstance(form.ca, Upload):
            return form.ca
        assert form.database and form.database.section == "mysql", "the dashboard fails to upload a CA for PostgreSQL"
        config_maps = path("v1", "configmaps", REGISTRIES_NAMESPACE)
        taken = {item["metadata"]["name"] for item in self._send("GET", config_maps)["items"]}
        prefix = "" if form.ca.before_the_name else f"{name}-"
        names = (f"{prefix}db-credential" + (f"-{number}" if number > 1 else "") for number in range(1, len(taken) + 2))
        free = next(candidate for candidate in names if candidate not in taken)
        self._send("POST", config_maps, {"metadata": {"name": free, "namespace": REGISTRIES_NAMESPACE}, "data": {"ca.crt": form.ca.pem}})
        return CertificateAuthority("ConfigMap", free, "ca.crt")

    def _create_both(self, name: str, form: Form, ca: CertificateAuthority | None, **parameters: str) -> Object:
        database: Object = {"generateDeployment": True}
        section = "postgres"
        if form.database:
            secret = self._send("POST", _secret_path(), _secret(name, form.database), **parameters)
            section = form.database.section
            password = {"key": PASSWORD_KEY, "name": secret["metadata"]["name"]}
            database = {**_connection(form.database), "skipDBCreation": False, "passwordSecret": password}
        if ca:
            database[CA_FIELDS[ca.kind]] = _reference(ca)
        registry = {
            "apiVersion": f"{GROUP}/{self._generation.version}",
            "kind": "ModelRegistry",
            "metadata": {"name": name, "namespace": REGISTRIES_NAMESPACE, "annotations": _annotations(form)},
            "spec": {**self._generation.authentication, "grpc": {}, "rest": {}, **self._sections(section, database)},
        }
        created: Object = self._send("POST", self._path(), registry, **parameters)
        return created

    def _edit_body(self, form: Form, ca: CertificateAuthority | None) -> Object:
        database: Object = {"generateDeployment": True}
        section = "postgres"
        if form.database:
            section = form.database.section
            database = _connection(form.database)
            if self._generation.offers_postgresql:
                database["skipDBCreation"] = False
        # The field that was not chosen is removed, and both when the box is not ticked.
        database |= {place: _reference(ca) if ca and ca.kind == kind else None for kind, place in CA_FIELDS.items()}
        authentication = self._generation.authentication if self._generation.edit_names_authentication else {}
        return {"metadata": {"annotations": _annotations(form)}, "spec": {**authentication, **self._sections(section, database)}}

    def _edit_both(self, name: str, form: Form, body: Object, **parameters: str) -> Object:
        registry: Object = self._send("PATCH", self._path(name), body, MERGE_PATCH, **parameters)
        password = _password_reference(registry)
        if password and form.database:
            secret = self._send("GET", _secret_path(password["name"]))
            data = {**secret["data"], password["key"]: _encoded(form.database.password)}
            self._send("PATCH", _secret_path(password["name"]), {"data": data}, MERGE_PATCH, **parameters)
        return registry

    def _sections(self, section: str, database: Object) -> Object:
        if self._generation.offers_postgresql:
            return {"mysql": None, "postgres": None, section: database}
        assert section == "mysql", "this dashboard knows only MySQL"
        return {section: database}


def _password_reference(registry: Object) -> Object | None:
    databases = (registry["spec"].get(section) or {} for section in ("mysql", "postgres"))
    return next((database["passwordSecret"] for database in databases if "passwordSecret" in database), None)


def _annotations(form: Form) -> Object:
    return {"openshift.io/description": form.description, "openshift.io/display-name": form.display_name.strip()}


def _connection(database: Database) -> Object:
    return {"host": database.host, "port": database.port, "database": database.name, "username": database.username}


def _reference(ca: CertificateAuthority) -> Object:
    return {"name": ca.name, "key": ca.key}


def _secret(registry: str, database: Database) -> Object:
    return {
        "kind": "Secret",
        "apiVersion": "v1",
        "metadata": {
            "generateName": f"{registry}-db-",
            "namespace": REGISTRIES_NAMESPACE,
            "annotations": {
                "template.openshift.io/expose-database_name": "{.data['database-name']}",
                "template.openshift.io/expose-username": "{.data['database-user']}",
                "template.openshift.io/expose-password": "{.data['database-password']}",
            },
        },
        "data": {"database-name": _encoded(database.name), "database-user": _encoded(database.username), PASSWORD_KEY: _encoded(database.password)},
        "type": "Opaque",
    }


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _subject(kind: str, name: str) -> Object:
    return {"apiGroup": RBAC, "kind": kind, "name": name}


def _secret_path(name: str | None = None) -> str:
    return path("v1", "secrets", REGISTRIES_NAMESPACE, name)


def _binding_path(name: str | None = None) -> str:
    return path(f"{RBAC}/v1", "rolebindings", REGISTRIES_NAMESPACE, name)


# The settings page of the model catalog

DEFAULT_SOURCES, SOURCES_KEY = "default-catalog-sources", "sources.yaml"


@dataclass(frozen=True)
class Tab:
    """What is different on the pages for models and for MCP servers: the ConfigMap, the key in its file, and those of the patterns."""

    config_map: str
    section: str
    included: str
    excluded: str


MODELS_TAB = Tab("model-catalog-sources", "catalogs", "includedModels", "excludedModels")
# Since v3.5 of the dashboard. It offers YAML alone, and no token.
MCP_TAB = Tab("mcp-catalog-sources", "mcp_catalogs", "includedServers", "excludedServers")


@dataclass(frozen=True)
class SourceForm:
    """What the form of a source holds: either the YAML text or the organization."""

    name: str
    text: str | None = None
    organization: str | None = None
    enabled: bool = False
    included: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    token: str = field(default="", repr=False)


class CatalogPage:
    """The settings page of the model catalog, since v3.3 of the dashboard."""

    def __init__(self, cluster: Cluster, tab: Tab = MODELS_TAB) -> None:
        self._cluster, self._tab = cluster, tab

    def create(self, form: SourceForm) -> str:
        """Create a source; its ID. ValueError where the page says that there is one, ApiError with what the API server refused."""
        identity = re.sub(r"[^a-zA-Z0-9_]", "", re.sub(r"[\s-]", "_", form.name.strip())).lower()
        delivered, present = self._get(DEFAULT_SOURCES), self._get(self._tab.config_map)
        if any(entry["id"] == identity for config_map in (delivered, present) for entry in self._entries(config_map)):
            raise ValueError(f"source {identity!r} already exists")
        secret = None
        if form.token:
            secret = _token_secret(identity)
            self._send("POST", _secret_path(), {**_secret_body(secret), "stringData": {"apiKey": form.token}})
        try:
            self._put(present, [*self._entries(present), _entry(identity, form, secret or "", self._tab)], _data_of(identity, form))
        except ApiError:
            if secret:
                self._send("DELETE", _secret_path(secret))
            raise
        return identity

    def edit(self, identity: str, **changes: Any) -> None:
        """Save the form of a source with these values of the entry. Of one that the product delivers, an override is written."""
        present = self._get(self._tab.config_map)
        entries = self._entries(present)
        entry = next((entry for entry in entries if entry["id"] == identity), None)
        text = changes.pop("text", None)
        if entry is None:
            assert any(found["id"] == identity for found in self._entries(self._get(DEFAULT_SOURCES))), f"there is no source {identity!r}"
            # Empty lists are left out.
            entry = {"id": identity}
            entries.append(entry)
        for key, value in changes.items():
            if value == []:
                entry.pop(key, None)
            else:
                entry[key] = value
        self._put(present, entries, {} if text is None else {entry["properties"]["yamlCatalogPath"]: text})

    def delete(self, identity: str) -> None:
        """Delete a source with its token and its data. ValueError for one that the product delivers."""
        if any(entry["id"] == identity for entry in self._entries(self._get(DEFAULT_SOURCES))):
            raise ValueError("a default source cannot be deleted")
        present = self._get(self._tab.config_map)
        entry = next(entry for entry in self._entries(present) if entry["id"] == identity)
        properties = entry.get("properties") or {}
        if properties.get("apiKey"):
            self._send("DELETE", _secret_path(properties["apiKey"]))
        self._put(present, [one for one in self._entries(present) if one["id"] != identity], {str(properties.get("yamlCatalogPath")): None})

    def _entries(self, config_map: Object) -> list[Object]:
        content = yaml.safe_load(config_map["data"].get(SOURCES_KEY, "")) or {}
        return list(content.get(self._tab.section) or [])

    def _get(self, name: str) -> Object:
        found: Object = self._send("GET", path("v1", "configmaps", REGISTRIES_NAMESPACE, name))
        return found

    def _put(self, present: Object, entries: list[Object], data: dict[str, str | None]) -> None:
        """Write the ConfigMap as it was read, with a file that has nothing but the sources of its kind."""
        text = yaml.dump({self._tab.section: entries}, Dumper=_Indented, indent=4)
        merged = {**(present.get("data") or {}), **data, SOURCES_KEY: text}
        body = {**present, "data": {key: value for key, value in merged.items() if value is not None}}
        self._send("PUT", path("v1", "configmaps", REGISTRIES_NAMESPACE, self._tab.config_map), body)

    def _send(self, verb: str, where: str, body: Any = None) -> Any:
        parameters = {} if body is None else {"fieldManager": "unknown"}
        return self._cluster.call(lambda api: api.request(verb, where, body, **parameters))


class _Indented(yaml.SafeDumper):
    """Indents lists too, as the dashboard's library does."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _entry(identity: str, form: SourceForm, secret: str, tab: Tab) -> Object:
    if form.text is not None:
        properties: Object = {"yamlCatalogPath": f"{identity}.yaml"}
    else:
        # Without a token, an empty one is written.
        properties = {"allowedOrganization": form.organization, "apiKey": secret}
    lists = {tab.included: form.included, tab.excluded: form.excluded, "labels": form.labels}
    type_ = "yaml" if form.text is not None else "hf"
    entry = {"id": identity, "name": form.name, "type": type_, "enabled": form.enabled, "properties": properties}
    return entry | {key: list(values) for key, values in lists.items() if values}


def _data_of(identity: str, form: SourceForm) -> dict[str, str | None]:
    return {} if form.text is None else {f"{identity}.yaml": form.text}


def _token_secret(identity: str) -> str:
    return f"catalog-{identity.replace('_', '-')}-apikey"


def _secret_body(name: str) -> Object:
    metadata = {"name": name, "namespace": REGISTRIES_NAMESPACE, "labels": {"app.kubernetes.io/component": "model-catalog"}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}
