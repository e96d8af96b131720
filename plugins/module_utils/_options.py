# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the options of the modules are: argument specs, which modules share, and what an option can say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import _errors

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
MYSQL, POSTGRESQL, GENERATED = "mysql", "postgresql", "generated"
DEFAULT_DATABASE_NAME = "model-registry"
# What the dashboard's first two choices of a CA certificate stand for: keys of the ConfigMap `TRUSTED_CA_CONFIG_MAP`.
CA_BUNDLES = {"cluster": "ca-bundle.crt", "openshift_ai": "odh-ca-bundle.crt"}
# Where a CA certificate comes from, with the suboptions that belong to each source.
CA_SOURCES = {**dict.fromkeys(CA_BUNDLES, ()), "config_map": ("name", "key"), "secret": ("name", "key"), "upload": ("pem", "path"), "none": ()}
# Seconds or days: more than that is a mistake, and much more is nothing that Python can wait for.
MOST_TIME = 1_000_000


@dataclass(frozen=True)
class Field:
    """An option of a registry, and where the custom resource holds its value.

    The argument specs, the parsing, the custom resource, the comparison, the export, the drift and the check whether the operator has acted on a change all
    derive from it. Only rules about the value are elsewhere.
    """

    # Its path, such as database.port, and its argument spec.
    option: str
    spec: dict[str, Any]
    # One or more keys in the section of the database, or the path in the custom resource. None for what is not in the custom resource.
    keys: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    # The types of databases that have it, and what to do with another type.
    types: tuple[str, ...] = (MYSQL, POSTGRESQL)
    instead: str = "Remove the option"
    # What a new registry gets, by the type of its database.
    default: Mapping[str, Any] = field(default_factory=dict)
    # Whether another value is another database, in which the models are not: another port is another server.
    is_place_of_data: bool = False
    # The name of the argument by which the operator hands the value to the server, as a regular expression.
    argument: str = ""

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.option.rpartition(".")[2]

    def places(self, section: str) -> list[tuple[str, ...]]:
        """The paths in the custom resource, with the database in this section."""
        return [self.path] if self.path else [("spec", section, key) for key in self.keys]


ALWAYS_VERIFIED = "Remove the option. With a CA certificate, the certificate of PostgreSQL is always verified, but not its host name"
KEY_REFERENCE: dict[str, Any] = {"name": {"type": "str", "required": True}, "key": {"type": "str", "required": True, "no_log": False}}
FIELDS = (
    Field("display_name", {"type": "str"}, path=("metadata", "annotations", "openshift.io/display-name")),
    Field("description", {"type": "str"}, path=("metadata", "annotations", "openshift.io/description")),
    Field("database.type", {"type": "str", "choices": [MYSQL, POSTGRESQL, GENERATED]}, types=(MYSQL, POSTGRESQL, GENERATED)),
    Field("database.host", {"type": "str"}, ("host",), is_place_of_data=True),
    # With host, which is written in full.
    Field("database.namespace", {"type": "str"}),
    Field("database.port", {"type": "int"}, ("port",), default={MYSQL: 3306, POSTGRESQL: 5432}, is_place_of_data=True),
    Field("database.name", {"type": "str"}, ("database",), default=dict.fromkeys((MYSQL, POSTGRESQL), DEFAULT_DATABASE_NAME), is_place_of_data=True),
    Field("database.username", {"type": "str"}, ("username",)),
    # In a Secret.
    Field("database.password", {"type": "str", "no_log": True}),
    # It names a Secret, which is none.
    Field("database.password_secret", {"type": "dict", "no_log": False, "options": KEY_REFERENCE}, ("passwordSecret",)),
    Field(
        "database.ca",
        {
            "type": "dict",
            "options": {
                "source": {"type": "str", "choices": list(CA_SOURCES), "required": True},
                "name": {"type": "str"},
                "key": {"type": "str", "no_log": False},
                "pem": {"type": "str"},
                "path": {"type": "str"},
            },
        },
        # The last two name whole objects, which the operator offers, and with which server v0.3.8 does not start.
        ("sslRootCertificateConfigMap", "sslRootCertificateSecret", "sslRootCertificatesConfigMapName", "sslRootCertificatesSecretName"),
    ),
    Field("database.verify_server_cert", {"type": "bool"}, ("verifyServerCert",), types=(MYSQL,), instead=ALWAYS_VERIFIED, argument="verify.server.cert"),
    Field("database.ssl_cipher", {"type": "str"}, ("sslCipher",), types=(MYSQL,), argument="ssl.?cipher"),
    Field("database.ssl_mode", {"type": "str", "choices": list(SSL_MODES)}, ("sslMode",), types=(POSTGRESQL,), instead="Use ca and verify_server_cert"),
    Field(
        "database.client_certificate",
        {
            "type": "dict",
            "options": {
                "source": {"type": "str", "choices": ["secret", "none"], "required": True},
                "name": {"type": "str"},
                "certificate_key": {"type": "str", "default": "tls.crt", "no_log": False},
                "private_key_key": {"type": "str", "default": "tls.key", "no_log": False},
            },
        },
        ("sslCertificateSecret", "sslKeySecret"),
    ),
)
BY_OPTION = {field.option: field for field in FIELDS}
DATABASE_FIELDS = tuple(field for field in FIELDS if field.option.startswith("database."))
OF_REGISTRY = {field.option: field.spec for field in FIELDS if field not in DATABASE_FIELDS}
DATABASE = {field.name: field.spec for field in DATABASE_FIELDS}
NAMES: dict[str, Any] = {"type": "list", "elements": "str"}
# What several modules have.
COMMON: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "database": {"type": "dict", "options": DATABASE},
    "permissions": {
        "type": "dict",
        "options": {
            "groups": NAMES,
            "users": NAMES,
            "projects": NAMES,
            "service_accounts": {
                "type": "list",
                "elements": "dict",
                "options": {"namespace": {"type": "str", "required": True}, "name": {"type": "str", "required": True}},
            },
            "members": NAMES,
            "exclusive": {"type": "bool", "default": False},
            "prune_unlabelled": {"type": "bool", "default": False},
        },
    },
    "status": {"type": "dict"},
    "check_database": {"type": "str", "choices": ["ignore", "warn", "fail"], "default": "warn"},
    "restart": {"type": "bool", "default": True},
    "allow_data_change": {"type": "bool", "default": False},
    "delete_data": {"type": "bool", "default": False},
    "expiry_days": {"type": "int", "default": 30},
    "purge": {"type": "bool", "default": False},
    "purge_limit": {"type": "int", "default": 1},
    "command": NAMES,
    "skip_orphans": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
    "smoke_test": {"type": "bool", "default": False},
    "smoke_test_domains": {**NAMES, "default": []},
}


def _spec(common: str, **own: dict[str, Any]) -> dict[str, Any]:
    """The argument spec of these common options and of a module's own."""
    return {option: COMMON[option] for option in common.split()} | own


REGISTRY_ITEM = _spec("name namespace database permissions allow_data_change status", **OF_REGISTRY)
REGISTRY = _spec(
    "name namespace state database permissions check_database restart allow_data_change delete_data wait wait_timeout smoke_test smoke_test_domains",
    **OF_REGISTRY,
)
PERMISSION = _spec("name namespace state permissions", verify={"type": "bool", "default": False})
BUNDLE = _spec(
    "namespace state expiry_days database restart wait wait_timeout",
    name={"type": "str"},
    kind={"type": "str", "choices": ["config_map", "secret"], "default": "config_map"},
    key={"type": "str", "default": "ca.crt", "no_log": False},
    pem={"type": "str"},
    path={"type": "str"},
    registry={"type": "str"},
    mode={"type": "str", "choices": ["replace", "add"], "default": "replace"},
)
INCLUDED = ["status", "permissions", "certificates", "database", "smoke_test"]
OF_INFO = _spec("expiry_days smoke_test_domains", include={**NAMES, "choices": INCLUDED, "default": INCLUDED[:2]})
REGISTRIES = _spec(
    "namespace purge purge_limit delete_data check_database restart smoke_test smoke_test_domains wait wait_timeout",
    registries={"type": "list", "elements": "dict", "required": True, "options": REGISTRY_ITEM},
    info={"type": "dict", "options": OF_INFO},
)
INFO = _spec(
    "namespace",
    name={"type": "str"},
    label_selector={"type": "str"},
    name_pattern={"type": "str"},
    query={"type": "str"},
    **OF_INFO,
)
DATABASE_INFO = _spec("namespace database", registry={"type": "str"}, timeout={"type": "float", "default": 5})
BACKUP = _spec(
    "name namespace command",
    dest={"type": "path"},
    checksum={"type": "bool", "default": False},
    keep_count={"type": "int"},
    keep_days={"type": "float"},
)
MIGRATE = _spec(
    "name namespace skip_orphans wait_timeout",
    to={"type": "dict", "required": True, "options": {"database": {**COMMON["database"], "required": True}}},
    lock_timeout={"type": "int", "default": 60},
)
BACKUP_INFO = _spec("command", src={"type": "path"})
RESTORE = _spec("name namespace skip_orphans", **BACKUP_INFO)
COMPONENT = _spec(
    "wait wait_timeout",
    state={"type": "str", "choices": ["managed", "removed"], "default": "managed"},
    registries_namespace={"type": "str"},
    force={"type": "bool", "default": False},
)


@dataclass(frozen=True)
class SourceField:
    """An option of a source of the model catalog, and the key of its entry that holds its value."""

    option: str
    spec: dict[str, Any]
    # The key, or the key below `properties`; the kinds of sources that have the option, and their types.
    key: str = ""
    in_properties: bool = False
    kinds: tuple[str, ...] = ("model", "mcp", "agent")
    types: tuple[str, ...] = ("yaml", "hf")
    # Whether it can be changed of a source that the product delivers.
    can_override: bool = False


SOURCE_FIELDS = (
    SourceField("name", {"type": "str"}, "name", can_override=True),
    SourceField("type", {"type": "str", "choices": ["yaml", "hf"]}, "type"),
    SourceField("enabled", {"type": "bool"}, "enabled", can_override=True),
    SourceField("labels", NAMES, "labels", can_override=True),
    SourceField("organization", {"type": "str"}, "allowedOrganization", in_properties=True, kinds=("model",), types=("hf",)),
    # The key depends on the kind.
    SourceField("included", NAMES, "included", kinds=("model", "mcp"), can_override=True),
    SourceField("excluded", NAMES, "excluded", kinds=("model", "mcp"), can_override=True),
    # In a file beside the sources.
    SourceField("entries", {"type": "list", "elements": "dict"}, types=("yaml",)),
    SourceField("content", {"type": "str"}, types=("yaml",)),
    SourceField("path", {"type": "path"}, types=("yaml",)),
    # In a Secret.
    SourceField("token", {"type": "str", "no_log": True}, kinds=("model",), types=("hf",)),
)
SOURCE_ITEM: dict[str, Any] = {
    "id": {"type": "str"},
    "kind": {"type": "str", "choices": ["model", "mcp", "agent"], "default": "model"},
    **{field.option: field.spec for field in SOURCE_FIELDS},
    **_spec("state status"),
}
ASSET_TYPE: dict[str, Any] = {"type": "str", "choices": ["models", "mcp_servers", "agents"]}
# Of a label, with the key that holds each.
LABEL_FIELDS = {"name": "name", "display_name": "displayName", "description": "description", "asset_type": "assetType"}
LABEL_ITEM: dict[str, Any] = {**{option: {"type": "str"} for option in LABEL_FIELDS}, "asset_type": ASSET_TYPE}
FILTER: dict[str, Any] = {
    "field": {"type": "str", "required": True},
    "operator": {"type": "str", "choices": ["=", "!=", ">", "<", ">=", "<=", "LIKE", "ILIKE", "IN", "NOT IN"], "default": "="},
    "value": {"type": "raw", "required": True},
}
QUERY_ITEM: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "asset_type": ASSET_TYPE,
    "filters": {"type": "list", "elements": "dict", "required": True, "options": FILTER},
}
CATALOG = _spec(
    "namespace purge purge_limit wait wait_timeout",
    sources={"type": "list", "elements": "dict", "options": SOURCE_ITEM, "default": []},
    labels={"type": "list", "elements": "dict", "options": LABEL_ITEM},
    named_queries={"type": "list", "elements": "dict", "options": QUERY_ITEM},
    store={"type": "str", "choices": ["dashboard", "own"], "default": "dashboard"},
    preview={"type": "bool", "default": False},
    rollback={"type": "bool", "default": True},
)
CATALOG_INFO = _spec(
    "namespace",
    include={**NAMES, "choices": ["content", "server"], "default": ["server"]},
    managed_only={"type": "bool", "default": False},
)
# By the name of the module.
OF_MODULE: dict[str, dict[str, Any]] = {
    "model_registry": REGISTRY,
    "model_registry_permission": PERMISSION,
    "model_registry_ca": BUNDLE,
    "model_registries": REGISTRIES,
    "model_registry_info": INFO,
    "model_registry_database_info": DATABASE_INFO,
    "model_registry_component": COMPONENT,
    "model_registry_backup": BACKUP,
    "model_registry_migrate": MIGRATE,
    "model_registry_restore": RESTORE,
    "model_catalog": CATALOG,
    "model_catalog_info": CATALOG_INFO,
}


def time_problems(option: str, value: float, least: float = 1) -> list[_errors.Problem]:
    """What is wrong with a number of seconds or days."""
    # In this order a value that is not a number is none in between.
    return [] if least <= value <= MOST_TIME else [_errors.Problem(option, "is out of range", f"Set it to a number from {least} to {MOST_TIME}", value)]
