# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry as the cluster holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import kinds, manifests, naming


@dataclass(frozen=True)
class Live:
    """What the cluster holds of one registry at this moment."""

    capabilities: kinds.Capabilities
    registry: manifests.Manifest | None = None
    # What `needed_objects` names, by kind and name; None for what does not exist.
    objects: Mapping[tuple[str, str], manifests.Manifest | None] = field(default_factory=dict)
    # Secrets that are marked as this registry's password, and the names of those that other registries use, or will.
    password_secrets: tuple[manifests.Manifest, ...] = ()
    used_secrets: frozenset[str] = frozenset()
    deployment: manifests.Manifest | None = None
    # Those of its server, where `needs_pods` says so.
    pods: tuple[manifests.Manifest, ...] = ()
    # What could not be looked at, as a sentence for each.
    unseen: tuple[str, ...] = ()
    # For a creation: other registries, by name, whose objects may have the names of this one's.
    neighbors: Mapping[str, manifests.Manifest | None] = field(default_factory=dict)
    # Those of `objects` that the same run writes for other registries before this one.
    foreseen: frozenset[tuple[str, str]] = frozenset()
    # The version of the API server; asked for only where a rule depends on it.
    server: tuple[int, int] = naming.LEADING_DIGIT
    # Those of the registries that there are, where one of them may have been meant.
    names: frozenset[str] = frozenset()
    # Whether it is seen available by that, with whatever its server was started with.
    is_available: bool = False
