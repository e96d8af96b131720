# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry as its custom resource, which the dashboard writes too."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import _options
from . import desired_state, hosts, kinds, manifests, marks

# The part of the specification that holds a database of this type.
SECTIONS = {_options.MYSQL: "mysql", _options.POSTGRESQL: "postgres", _options.GENERATED: "postgres"}
CA_KEYS = dict(zip(("ConfigMap", "Secret"), _options.BY_OPTION["database.ca"].keys))
CA_DIRECTORIES = _options.BY_OPTION["database.ca"].keys[2:]
CERTIFICATE_KEYS = _options.BY_OPTION["database.client_certificate"].keys
VERIFY_SERVER_CERT = "verifyServerCert"
# What stays when a registry moves to another database.
LASTING_KEYS = ("image", "port", "skipDBCreation")


def new(registry: desired_state.Registry, secret: dict[str, str] | None, api_version: str, authentication: str) -> manifests.Manifest:
    """The ModelRegistry to create: equal to the dashboard's, but that a CA is also used to verify a MySQL server.

    `authentication` is the key of the proxy that this cluster's definition knows: kubeRBACProxy or oauthProxy.
    """
    database = registry.database or desired_state.Database()
    return {
        "apiVersion": f"{kinds.GROUP}/{api_version}",
        "kind": kinds.KIND,
        "metadata": {
            "name": registry.name,
            "namespace": registry.namespace,
            "annotations": {
                "openshift.io/description": registry.description or "",
                "openshift.io/display-name": registry.display_name or registry.name,
            },
        },
        "spec": {authentication: {}, "grpc": {}, "rest": {}, SECTIONS[database.type or _options.MYSQL]: database_section(database, secret)},
    }


def database_section(database: desired_state.Database, secret: dict[str, str] | None) -> manifests.Manifest:
    """The database of a registry that is made or moved, as the custom resource holds it; `secret` refers to its password."""
    if database.type == _options.GENERATED:
        return {"generateDeployment": True}
    kind = database.type or _options.MYSQL
    section: manifests.Manifest = {"skipDBCreation": False}
    for field in _options.DATABASE_FIELDS:
        values = _values(database.value(field.name)) or (field.default.get(kind),)
        section.update({key: value for key, value in zip(field.keys, values) if value is not None})
    if kind == _options.MYSQL and database.verify_server_cert is None and database.ca is not None and database.ca.reference is not None:
        section[VERIFY_SERVER_CERT] = True
    return {**section, "passwordSecret": secret}


def _values(value: Any) -> tuple[manifests.Value, ...]:
    """What the fields of an option are to hold, in the order of its keys; None removes a field. Empty for an option that is not set."""
    if value is None:
        return ()
    if isinstance(value, desired_state.KeyReference):
        return (reference(value),)
    if isinstance(value, desired_state.CertificateAuthority):
        of_kind = {value.kind: reference(value.reference)} if value.reference else {}
        return (*map(of_kind.get, CA_KEYS), *(None for _key in CA_DIRECTORIES))
    if isinstance(value, desired_state.ClientCertificate):
        return tuple({"name": value.secret, "key": key} if value.secret else None for key in (value.certificate_key, value.private_key_key))
    return (value,)


def live_type(resource: manifests.Manifest | None) -> str | None:
    """The type of the database that a live registry uses; None when it has none."""
    spec: manifests.Manifest = manifests.at(resource, ("spec",)) or {}
    # The operator looks at `postgres` first when both are there.
    if spec.get("postgres"):
        return _options.GENERATED if spec["postgres"].get("generateDeployment") else _options.POSTGRESQL
    return _options.MYSQL if spec.get("mysql") else None


def live_database(resource: manifests.Manifest | None) -> manifests.Manifest:
    """The section of the database that a live registry uses."""
    kind = live_type(resource)
    return {} if kind is None else (manifests.at(resource, ("spec", SECTIONS[kind])) or {})


# (option, path, value) of a field that is to change; None as the value removes the field.
FieldChange = tuple[str, tuple[str, ...], manifests.Value]


def wanted_fields(registry: desired_state.Registry, live: manifests.Manifest, section: str) -> list[FieldChange]:
    """The fields of an existing registry that are to change while its database stays in this section."""
    changes: list[FieldChange] = []
    for field, value in ((field, registry.value(field.option)) for field in _options.FIELDS):
        for path, wanted in zip(field.places(section), _values(value)) if value is not None else ():
            present = manifests.at(live, path)
            if present is None:
                # A field that is not there means the same as an empty text, and as a check that is off.
                differs = wanted not in (None, "", False)
            else:
                is_same_host = field.option == "database.host" and hosts.same_host(str(wanted), present, registry.namespace)
                differs = wanted != present and not is_same_host
            if differs:
                changes.append((field.option, path, wanted))
    ca = registry.database.ca if registry.database else None
    if section == SECTIONS[_options.MYSQL] and ca is not None and registry.database and registry.database.verify_server_cert is None:
        # A check without a CA is what the dashboard leaves when its box for the CA is unticked; with a CA that stays, the present choice stays too.
        is_changed = ca.reference is None or any(option == "database.ca" for option, _path, _value in changes)
        verify, path = (True if ca.reference else None), ("spec", section, VERIFY_SERVER_CERT)
        if is_changed and bool(manifests.at(live, path)) != bool(verify):
            changes.append(("database.verify_server_cert", path, verify))
    return changes


def moved_fields(registry: desired_state.Registry, live: manifests.Manifest, secret: dict[str, str] | None) -> list[FieldChange]:
    """The fields that move an existing registry to a database of another type. What is left over of the old one is removed: the API refuses both."""
    database = registry.database or desired_state.Database()
    section = SECTIONS[database.type or _options.MYSQL]
    wanted = database_section(database, secret)
    present: manifests.Manifest = manifests.at(live, ("spec", section)) or {}
    changes: list[FieldChange] = [
        ("database.type", ("spec", other), None) for other in sorted(set(SECTIONS.values()) - {section}) if manifests.at(live, ("spec", other))
    ]
    changes += [("database.type", ("spec", section, key), None) for key in present if key not in wanted and key not in LASTING_KEYS]
    changes += [("database.type", ("spec", section, key), value) for key, value in wanted.items() if present.get(key) != value]
    return changes + wanted_fields(replace(registry, database=None), live, section)


@dataclass(frozen=True)
class GeneratedDatabase:
    """What operators from v0.3.2 on make for a registry with a generated database."""

    registry: str
    port = 5432
    name = "model_registry"
    username = "modelregistry"

    @property
    def host(self) -> str:
        """The name of its Service, its Deployment and its pods' `app.kubernetes.io/name`."""
        return f"{self.registry}-postgres"

    @property
    def password_secret(self) -> desired_state.KeyReference:
        """Where its password is."""
        return desired_state.KeyReference(f"{self.registry}-postgres-credentials", "password")

    @property
    def volume_claim(self) -> str:
        """The name of the PersistentVolumeClaim with its data."""
        return f"{self.registry}-postgres-storage"


def named_keys(resource: manifests.Manifest) -> Iterator[tuple[str, str, str, str]]:
    """(field, kind, name, key) of each reference to a ConfigMap or Secret in a registry's specification; an empty key stands for all."""
    for part in resource.get("spec", {}).values():
        for field, value in part.items() if isinstance(part, dict) else ():
            for kind, whole in zip(CA_KEYS, CA_DIRECTORIES):
                if field.endswith(kind) and isinstance(value, dict) and "name" in value:
                    yield field, kind, value["name"], value.get("key", "")
                elif field == whole and value:
                    yield field, kind, value, ""


def named_objects(resource: manifests.Manifest) -> set[tuple[str, str]]:
    """The ConfigMaps and Secrets that a registry refers to anywhere in its specification, by kind and name."""
    return {(kind, name) for _field, kind, name, _key in named_keys(resource)}


def registry_result(resource: manifests.Manifest) -> manifests.Manifest:
    """A live ModelRegistry in the shape of the modules' options, without secrets."""
    metadata, kind = resource["metadata"], live_type(resource)
    annotations = metadata.get("annotations") or {}
    shape: manifests.Manifest = {
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "display_name": annotations.get("openshift.io/display-name", metadata["name"]),
        "description": annotations.get("openshift.io/description", ""),
    }
    if kind is None:
        return shape
    section = live_database(resource)
    database: manifests.Manifest = {"type": kind}
    shape["database"] = database
    if kind == _options.GENERATED:
        return shape
    for field in _options.DATABASE_FIELDS:
        # An option of several fields is told by all of them.
        if len(field.keys) == 1 and field.keys[0] in section and kind in field.types:
            database[field.name] = section[field.keys[0]]
    database["ca"] = _ca_result(section)
    if kind == _options.MYSQL:
        database["verify_server_cert"] = bool(section.get(VERIFY_SERVER_CERT))
    certificate, key = (section.get(name) for name in CERTIFICATE_KEYS)
    if certificate and key and certificate["name"] == key["name"]:
        database["client_certificate"] = {"source": "secret", "name": certificate["name"], "certificate_key": certificate["key"], "private_key_key": key["key"]}
    return shape


def _ca_result(section: Mapping[str, Any]) -> dict[str, str]:
    config_map, secret = (section.get(CA_KEYS[kind]) for kind in ("ConfigMap", "Secret"))
    if config_map:
        if config_map["name"] == marks.TRUSTED_CA_CONFIG_MAP:
            named = [choice for choice, key in _options.CA_BUNDLES.items() if key == config_map["key"]]
            if named:
                return {"source": named[0]}
        return {"source": "config_map", "name": config_map["name"], "key": config_map["key"]}
    return {"source": "secret", "name": secret["name"], "key": secret["key"]} if secret else {"source": "none"}


def reference(key: desired_state.KeyReference) -> dict[str, str]:
    """A reference as custom resources write it."""
    return {"name": key.name, "key": key.key}


def flattened(shape: manifests.Manifest, prefix: str = "") -> manifests.Manifest:
    """A shape with the paths of its options as keys."""
    flat: manifests.Manifest = {}
    for key, value in shape.items():
        # Only `database` is a group of options; other dictionaries are values.
        flat.update(flattened(value, f"{key}.") if key == "database" else {f"{prefix}{key}": value})
    return flat


def used_by_others(secrets: Iterable[manifests.Manifest], users: Mapping[tuple[str, str], Collection[str]], registry: str) -> frozenset[str]:
    """The names of those of the Secrets that other registries use; `users` is by kind and name."""
    return frozenset(name for name in map(manifests.name_of, secrets) if set(users.get(("Secret", name), ())) - {registry})


def users_of(registries: Iterable[manifests.Manifest]) -> dict[tuple[str, str], list[str]]:
    """The names of the registries that refer to each ConfigMap and Secret, by its kind and name."""
    found: dict[tuple[str, str], list[str]] = {}
    for registry in registries:
        for named in named_objects(registry):
            found.setdefault(named, []).append(registry["metadata"]["name"])
    return found
