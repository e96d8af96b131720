# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The custom resource of a registry once a plan is carried out."""

from __future__ import annotations

from collections.abc import Iterable

from .. import _options
from .._model import credentials, custom_resource, desired_state, kinds, manifests, ownership


def resource_after(wanted: desired_state.Registry, registry: manifests.Manifest | None, capabilities: kinds.Capabilities) -> manifests.Manifest:
    """The custom resource once the plan is carried out."""
    if registry is None:
        return custom_resource.new(wanted, password_reference(wanted, None), capabilities.api_version, capabilities.authentication)
    return manifests.patched(registry, patch_of(field_changes(wanted, registry)))


def password_reference(wanted: desired_state.Registry, registry: manifests.Manifest | None) -> dict[str, str] | None:
    """The Secret and key that the registry reads its password from once the plan is carried out; None when it needs no password."""
    database = wanted.database or desired_state.Database()
    present: dict[str, str] | None = custom_resource.live_database(registry).get("passwordSecret")
    if type_after(wanted, registry) == _options.GENERATED:
        return None
    if database.password_secret is not None:
        return custom_resource.reference(database.password_secret)
    if present and (not moves(wanted, registry) or ownership.is_named_as_ours(present["name"], wanted.name)):
        return present
    if registry is None or moves(wanted, registry) or database.password is not None:
        return {"name": credentials.secret_name(wanted.namespace, wanted.name), "key": credentials.PASSWORD_KEY}
    return None


def type_after(wanted: desired_state.Registry, registry: manifests.Manifest | None) -> str | None:
    return (wanted.database.type if wanted.database else None) or custom_resource.live_type(registry)


def moves(wanted: desired_state.Registry, registry: manifests.Manifest | None) -> bool:
    """Whether the registry is to use a database of another type than now, or a first one."""
    return registry is not None and type_after(wanted, registry) != custom_resource.live_type(registry)


def field_changes(wanted: desired_state.Registry, registry: manifests.Manifest) -> list[custom_resource.FieldChange]:
    if moves(wanted, registry):
        return custom_resource.moved_fields(wanted, registry, password_reference(wanted, registry))
    kind = custom_resource.live_type(registry)
    fields = custom_resource.wanted_fields(wanted, registry, custom_resource.SECTIONS[kind or _options.MYSQL])
    password = password_reference(wanted, registry)
    path = ("spec", custom_resource.SECTIONS[kind or _options.MYSQL], "passwordSecret")
    if password is not None and manifests.at(registry, path) is None and not any(changed == path for _option, changed, _value in fields):
        fields.append(("database.password", path, password))
    return fields


def patch_of(fields: Iterable[custom_resource.FieldChange]) -> manifests.Manifest:
    body: manifests.Manifest = {}
    for _option, path, value in fields:
        body = manifests.merged(body, manifests.nested(path, value))
    return body
