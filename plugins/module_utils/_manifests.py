# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry as the Kubernetes objects that the dashboard writes, and back."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Union

from ansible_collections.modelops.openshift_ai.plugins.module_utils._registry import (
    CA_BUNDLES,
    DEFAULT_DATABASE_NAME,
    DEFAULT_MYSQL_PORT,
    PASSWORD_KEY,
    TRUSTED_CA_CONFIG_MAP,
    Database,
    KeyReference,
    Registry,
    same_host,
)

# A manifest of any kind; its content is not ours to type.
Manifest = dict[str, Any]
# What a path of a custom resource holds: a text, a number, a flag, or a reference.
Value = Union[str, int, bool, dict[str, str], None]

GROUP = "modelregistry.opendatahub.io"
KIND = "ModelRegistry"
PLURAL = "modelregistries"
SECRET_ANNOTATIONS = {
    f"template.openshift.io/expose-{shown}": f"{{.data['{key}']}}"
    for shown, key in (("database_name", "database-name"), ("username", "database-user"), ("password", PASSWORD_KEY))
}


@dataclass(frozen=True)
class Field:
    """One option and the place of its value in the custom resource."""

    option: str
    path: tuple[str, ...]
    wanted: Callable[[Registry], Value]
    # Told apart by this where two values can be written differently and mean the same; the last argument is the registry's namespace.
    same: Callable[[Any, Any, str], bool] = lambda one, other, _namespace: bool(one == other)


def _of_database(option: str) -> Callable[[Registry], Value]:
    return lambda registry: None if registry.database is None else getattr(registry.database, option)


def _annotation(name: str) -> tuple[str, ...]:
    return "metadata", "annotations", f"openshift.io/{name}"


# Every option that is a field of the custom resource as it stands. The CA and the verification depend on each other and are in `wanted_fields`.
FIELDS = (
    Field("display_name", _annotation("display-name"), lambda registry: registry.display_name),
    Field("description", _annotation("description"), lambda registry: registry.description),
    Field("database.host", ("spec", "mysql", "host"), _of_database("host"), same_host),
    Field("database.port", ("spec", "mysql", "port"), _of_database("port")),
    Field("database.name", ("spec", "mysql", "database"), _of_database("name")),
    Field("database.username", ("spec", "mysql", "username"), _of_database("username")),
)
CA_CONFIG_MAP = ("spec", "mysql", "sslRootCertificateConfigMap")
CA_SECRET = ("spec", "mysql", "sslRootCertificateSecret")
PASSWORD_SECRET = ("spec", "mysql", "passwordSecret")
VERIFY_SERVER_CERT = ("spec", "mysql", "verifyServerCert")


def secret_name(namespace: str, registry: str) -> str:
    """The name of the password's Secret: as the dashboard's, but derived, so that a run that was killed finds it again."""
    digest = int(hashlib.sha256(f"{namespace}/{registry}".encode()).hexdigest(), 16)
    letters = "bcdfghjklmnpqrstvwxz2456789"
    return f"{registry}-db-" + "".join(letters[digest // len(letters) ** place % len(letters)] for place in range(5))


def password_secret(registry: Registry, name: str) -> Manifest:
    """The Secret for the password of a registry; it has the dashboard's keys, annotations and generateName."""
    database = registry.database or Database()
    data = {"database-name": database.name or DEFAULT_DATABASE_NAME, "database-user": database.username or "", PASSWORD_KEY: database.password or ""}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": name,
            "generateName": f"{registry.name}-db-",
            "namespace": registry.namespace,
            "annotations": dict(SECRET_ANNOTATIONS),
        },
        "data": {key: encoded(value) for key, value in data.items()},
    }


def custom_resource(registry: Registry, secret: str, api_version: str, authentication: str) -> Manifest:
    """The ModelRegistry to create: equal to the dashboard's, but that a CA is also used to verify the server.

    `authentication` is the key of the proxy that this cluster's definition knows: kubeRBACProxy or oauthProxy.
    """
    database = registry.database or Database()
    mysql: Manifest = {
        "host": database.host,
        "port": database.port or DEFAULT_MYSQL_PORT,
        "database": database.name or DEFAULT_DATABASE_NAME,
        "username": database.username,
        "skipDBCreation": False,
        "passwordSecret": {"name": secret, "key": PASSWORD_KEY},
    }
    if database.ca is not None and database.ca.config_map is not None:
        mysql["sslRootCertificateConfigMap"] = reference(database.ca.config_map)
        mysql["verifyServerCert"] = database.verify_server_cert is not False
    elif database.verify_server_cert is not None:
        mysql["verifyServerCert"] = database.verify_server_cert
    return {
        "apiVersion": f"{GROUP}/{api_version}",
        "kind": KIND,
        "metadata": {
            "name": registry.name,
            "namespace": registry.namespace,
            "annotations": {
                "openshift.io/description": registry.description or "",
                "openshift.io/display-name": registry.display_name or registry.name,
            },
        },
        "spec": {authentication: {}, "grpc": {}, "rest": {}, "mysql": mysql},
    }


def wanted_fields(registry: Registry, live: Manifest) -> list[tuple[str, tuple[str, ...], Value]]:
    """(option, path, value) of every field of an existing registry that is to change; None as a value removes the field."""
    changes: list[tuple[str, tuple[str, ...], Value]] = []
    for field in FIELDS:
        wanted, present = field.wanted(registry), at(live, field.path)
        if wanted is None or (present is not None and field.same(wanted, present, registry.namespace)):
            continue
        if wanted == "" and present is None:
            continue
        changes.append((field.option, field.path, wanted))
    ca = registry.database.ca if registry.database else None
    verify = registry.database.verify_server_cert if registry.database else None
    if ca is not None:
        wanted_ca = None if ca.config_map is None else reference(ca.config_map)
        moved = at(live, CA_CONFIG_MAP) != wanted_ca or at(live, CA_SECRET) is not None
        if at(live, CA_CONFIG_MAP) != wanted_ca:
            changes.append(("database.ca", CA_CONFIG_MAP, wanted_ca))
        if at(live, CA_SECRET) is not None:
            changes.append(("database.ca", CA_SECRET, None))
        if verify is None and moved:
            verify = None if wanted_ca is None else True
            if wanted_ca is None and at(live, VERIFY_SERVER_CERT) is not None:
                changes.append(("database.verify_server_cert", VERIFY_SERVER_CERT, None))
    if verify is not None and bool(at(live, VERIFY_SERVER_CERT)) != verify:
        changes.append(("database.verify_server_cert", VERIFY_SERVER_CERT, verify))
    return changes


def registry_result(resource: Manifest) -> Manifest:
    """A live ModelRegistry in the shape of the modules' options, without secrets."""
    metadata, spec = resource["metadata"], resource.get("spec", {})
    annotations = metadata.get("annotations") or {}
    shape: Manifest = {
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "display_name": annotations.get("openshift.io/display-name", metadata["name"]),
        "description": annotations.get("openshift.io/description", ""),
    }
    mysql = spec.get("mysql")
    if mysql:
        shape["database"] = {
            "type": "mysql",
            "host": mysql.get("host"),
            "port": mysql.get("port"),
            "name": mysql.get("database"),
            "username": mysql.get("username"),
            "password_secret": mysql.get("passwordSecret"),
            "ca": _ca_result(mysql),
            "verify_server_cert": bool(mysql.get("verifyServerCert")),
        }
    return shape


def _ca_result(mysql: Mapping[str, Any]) -> Any:
    config_map, secret = mysql.get("sslRootCertificateConfigMap"), mysql.get("sslRootCertificateSecret")
    if config_map:
        if config_map["name"] == TRUSTED_CA_CONFIG_MAP:
            named = [choice for choice, key in CA_BUNDLES.items() if key == config_map["key"]]
            if named:
                return named[0]
        return {"config_map": config_map["name"], "key": config_map["key"]}
    return {"secret": secret["name"], "key": secret["key"]} if secret else "none"


def reference(key: KeyReference) -> dict[str, str]:
    """A reference as custom resources write it."""
    return {"name": key.name, "key": key.key}


def at(manifest: Any, path: tuple[str, ...]) -> Any:
    """The value at a path of a manifest, or None."""
    for part in path:
        if not isinstance(manifest, dict):
            return None
        manifest = manifest.get(part)
    return manifest


def nested(path: tuple[str, ...], value: Value) -> Manifest:
    """A merge patch that sets (or with None removes) the value at one path."""
    result: Manifest = {path[-1]: value}
    for part in reversed(path[:-1]):
        result = {part: result}
    return result


def merged(one: Manifest, other: Manifest) -> Manifest:
    """Two merge patches as one."""
    result = dict(one)
    for key, value in other.items():
        result[key] = merged(result[key], value) if isinstance(value, dict) and isinstance(result.get(key), dict) else value
    return result


def encoded(text: str) -> str:
    """A value as the `data` of a Secret holds it."""
    return base64.b64encode(text.encode()).decode()


def decoded(secret: Manifest, key: str) -> str | None:
    """The value of a Secret's key, or None when it has no such key or it is no text."""
    try:
        return base64.b64decode((secret.get("data") or {})[key]).decode()
    except (KeyError, ValueError):
        return None
