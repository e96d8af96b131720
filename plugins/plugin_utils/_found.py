# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be read of a registry as `model_registry_info` returns it, or as a list has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.vocabulary import View
from ansible_collections.modelops.openshift_ai.plugins.module_utils._options import MYSQL, POSTGRESQL


def own_certificates(registry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The certificates of a registry. The bundles of the cluster and of the product hold the certificates of many others."""
    source = ((registry.get("database") or {}).get("ca") or {}).get("source")
    found = registry["status"].get("certificates") or []
    return [one for one in found if one["use"] == "client" or source not in ("cluster", "openshift_ai")]


def view_of(registry: Mapping[str, Any]) -> View | None:
    """The database as far as its encryption goes; None for one that has none, or that is the product's own."""
    database = registry.get("database") or {}
    if database.get("type") not in (MYSQL, POSTGRESQL):
        return None
    # A CA that the options cannot express is missing from them, but the server uses it.
    ca = None if database.get("ca") == {"source": "none"} else ""
    certificates = (registry.get("status") or {}).get("certificates") or ()
    pair = "shown" if "client_certificate" in database or any(certificate["use"] == "client" for certificate in certificates) else None
    return View(
        type=database["type"],
        host="",
        port=0,
        name="",
        username="",
        password=None,
        ca=ca,
        verify_server_cert=bool(database.get("verify_server_cert")),
        ssl_mode=database.get("ssl_mode"),
        client_certificate=pair,
        client_key=pair,
        ssl_cipher=database.get("ssl_cipher"),
    )
