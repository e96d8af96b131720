# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that describe a registry, read for an export or a backup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _texts
from .._cluster import registry_reader
from .._model import kinds, manifests, permissions
from .._plan import export, record

# What is read: in words, of which API, and how. None where it cannot be.
Seen = Callable[[str, tuple[str, str], Callable[[], Any]], Any]


def target_of(registry: manifests.Manifest, capabilities: kinds.Capabilities) -> permissions.Target:
    """The registry as what permissions are for."""
    metadata = registry["metadata"]
    return permissions.Target(metadata["namespace"], metadata["name"], capabilities.api[0], metadata["uid"])


def exported(reader: registry_reader.Reader, registry: manifests.Manifest, with_permissions: bool, seen: Seen, outcome: record.Outcome) -> manifests.Manifest:
    """The options of a registry. What they cannot express is omitted, with a warning."""
    found = export.exported_registry(registry, reader.capabilities)
    options, left_out = found.options, found.left_out
    if with_permissions:
        target = target_of(registry, reader.capabilities)
        bindings = seen("access to registries", kinds.ROLE_BINDINGS, lambda: reader.role_bindings(target.roles))
        group = seen("the members of the groups of registries", kinds.USER_GROUPS, lambda: reader.group(target.own_group))
        if bindings is not None:
            # The operator empties the Group when it first sees the registry.
            access = export.exported_permissions(target, bindings, group if manifests.at(registry, ("status", "conditions")) else None)
            options, left_out = {**options, "permissions": access.options}, (*left_out, *access.left_out)
    if left_out:
        omitted = f"omitted, because the options cannot express it: {_texts.names_of(left_out)}. A run without them keeps the current values"
        outcome.warn([f"registry {manifests.name_of(registry)!r}: {omitted}"])
    return options
