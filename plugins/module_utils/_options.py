# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the options of the modules are: argument specs, which modules share, and what an option can say."""

from __future__ import annotations

from typing import Any

from . import _errors

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
MYSQL, POSTGRESQL, GENERATED = "mysql", "postgresql", "generated"
DEFAULT_PORTS = {MYSQL: 3306, POSTGRESQL: 5432}
DEFAULT_DATABASE_NAME = "model-registry"
# What the dashboard's first two choices of a CA certificate stand for: keys of the ConfigMap `TRUSTED_CA_CONFIG_MAP`.
CA_BUNDLES = {"cluster": "ca-bundle.crt", "openshift_ai": "odh-ca-bundle.crt"}
# Where a CA certificate comes from, with the suboptions that belong to each source.
CA_SOURCES = {**dict.fromkeys(CA_BUNDLES, ()), "config_map": ("name", "key"), "secret": ("name", "key"), "upload": ("pem", "path"), "none": ()}
# Seconds or days: more than that is a mistake, and much more is nothing that Python can wait for.
MOST_TIME = 1_000_000
DATABASE: dict[str, Any] = {
    "type": {"type": "str", "choices": [MYSQL, POSTGRESQL, GENERATED]},
    "host": {"type": "str"},
    "namespace": {"type": "str"},
    "port": {"type": "int"},
    "name": {"type": "str"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    # It names a Secret, which is none.
    "password_secret": {
        "type": "dict",
        "no_log": False,
        "options": {"name": {"type": "str", "required": True}, "key": {"type": "str", "required": True, "no_log": False}},
    },
    "ca": {
        "type": "dict",
        "options": {
            "source": {"type": "str", "choices": list(CA_SOURCES), "required": True},
            "name": {"type": "str"},
            "key": {"type": "str", "no_log": False},
            "pem": {"type": "str"},
            "path": {"type": "str"},
        },
    },
    "verify_server_cert": {"type": "bool"},
    "ssl_mode": {"type": "str", "choices": list(SSL_MODES)},
    "client_certificate": {
        "type": "dict",
        "options": {
            "source": {"type": "str", "choices": ["secret", "none"], "required": True},
            "name": {"type": "str"},
            "certificate_key": {"type": "str", "default": "tls.crt", "no_log": False},
            "private_key_key": {"type": "str", "default": "tls.key", "no_log": False},
        },
    },
}
NAMES: dict[str, Any] = {"type": "list", "elements": "str"}
PERMISSIONS: dict[str, Any] = {
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
    }
}
PERMISSION: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **PERMISSIONS,
    "verify": {"type": "bool", "default": False},
}
CHECK_DATABASE: dict[str, Any] = {"check_database": {"type": "str", "choices": ["ignore", "warn", "fail"], "default": "warn"}}
RESTART: dict[str, Any] = {"restart": {"type": "bool", "default": True}}
DELETE_DATA: dict[str, Any] = {"delete_data": {"type": "bool", "default": False}}
ALLOW_DATA_CHANGE: dict[str, Any] = {"allow_data_change": {"type": "bool", "default": False}}
WAIT: dict[str, Any] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
}
SMOKE_TEST: dict[str, Any] = {
    "smoke_test": {"type": "bool", "default": False},
    "smoke_test_domains": {"type": "list", "elements": "str", "default": []},
}
REGISTRY: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "display_name": {"type": "str"},
    "description": {"type": "str"},
    "database": {"type": "dict", "options": DATABASE},
    **PERMISSIONS,
    **CHECK_DATABASE,
    **RESTART,
    **ALLOW_DATA_CHANGE,
    **DELETE_DATA,
    **WAIT,
    **SMOKE_TEST,
}
BUNDLE: dict[str, Any] = {
    "name": {"type": "str"},
    "namespace": {"type": "str"},
    "kind": {"type": "str", "choices": ["config_map", "secret"], "default": "config_map"},
    "key": {"type": "str", "default": "ca.crt", "no_log": False},
    "pem": {"type": "str"},
    "path": {"type": "str"},
    "registry": {"type": "str"},
    "mode": {"type": "str", "choices": ["replace", "add"], "default": "replace"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "expiry_days": {"type": "int", "default": 30},
    "database": {"type": "dict", "options": DATABASE},
    **RESTART,
    **WAIT,
}
REGISTRY_ITEM: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str"},
    "display_name": {"type": "str"},
    "description": {"type": "str"},
    "database": {"type": "dict", "options": DATABASE},
    **PERMISSIONS,
    **ALLOW_DATA_CHANGE,
    "status": {"type": "dict"},
}
REGISTRIES: dict[str, Any] = {
    "registries": {"type": "list", "elements": "dict", "required": True, "options": REGISTRY_ITEM},
    "namespace": {"type": "str"},
    "purge": {"type": "bool", "default": False},
    "purge_limit": {"type": "int", "default": 1},
    **DELETE_DATA,
    **CHECK_DATABASE,
    **RESTART,
    **SMOKE_TEST,
    **WAIT,
}
INFO: dict[str, Any] = {
    "name": {"type": "str"},
    "label_selector": {"type": "str"},
    "name_pattern": {"type": "str"},
    "namespace": {"type": "str"},
    "include": {
        "type": "list",
        "elements": "str",
        "choices": ["status", "permissions", "certificates", "database"],
        "default": ["status", "permissions"],
    },
    "query": {"type": "str"},
    "expiry_days": {"type": "int", "default": 30},
}
DATABASE_INFO: dict[str, Any] = {
    "registry": {"type": "str"},
    "namespace": {"type": "str"},
    "database": {"type": "dict", "options": DATABASE},
    "timeout": {"type": "float", "default": 5},
}
COMPONENT: dict[str, Any] = {
    "state": {"type": "str", "choices": ["managed", "removed"], "default": "managed"},
    "registries_namespace": {"type": "str"},
    "force": {"type": "bool", "default": False},
    **WAIT,
}
# By the name of the module.
OF_MODULE: dict[str, dict[str, Any]] = {
    "model_registry": REGISTRY,
    "model_registry_permission": PERMISSION,
    "model_registry_ca": BUNDLE,
    "model_registries": REGISTRIES,
    "model_registry_info": INFO,
    "model_registry_database_info": DATABASE_INFO,
    "model_registry_component": COMPONENT,
}


def time_problems(option: str, value: float, least: float = 1) -> list[_errors.Problem]:
    """What is wrong with a number of seconds or days."""
    # In this order a value that is not a number is none in between.
    return [] if least <= value <= MOST_TIME else [_errors.Problem(option, "is out of range", f"Give a number from {least} to {MOST_TIME}", value)]
