# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specs that modules share."""

from __future__ import annotations

from typing import Any

DATABASE: dict[str, Any] = {
    "type": {"type": "str", "choices": ["mysql"]},
    "host": {"type": "str"},
    "namespace": {"type": "str"},
    "port": {"type": "int"},
    "name": {"type": "str"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "ca": {"type": "raw"},
    "verify_server_cert": {"type": "bool"},
}

REGISTRY: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str"},
    "display_name": {"type": "str"},
    "description": {"type": "str"},
    "database": {"type": "dict", "options": DATABASE},
}

WAIT: dict[str, Any] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
}
