# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The password or CA that a run replaced in place: it stays in the same object, under a second key, until the new one is known to work.

It is written by the same request as the new one, so that no run can be killed in between, and it is deleted together with the object.
"""

from __future__ import annotations

from . import custom_resource, kinds, manifests

PREFIX = f"{kinds.FIELD_MANAGER}.previous."
# On the object: the login that the previous value was used for. With another one it does not help.
LOGIN = "openshift-ai.modelops/previous-login"


def key_of(key: str) -> str:
    """The key that holds the previous value of a key."""
    return f"{PREFIX}{key}"


def own_keys(held: manifests.Manifest) -> list[str]:
    """The keys of a ConfigMap or Secret without those of previous values."""
    return [key for key in manifests.keys_of(held) if not key.startswith(PREFIX)]


def stored(held: manifests.Manifest | None, key: str) -> tuple[str, str] | None:
    """What a ConfigMap or Secret stores under a key, as it is stored, after the part that it is in; None for nothing."""
    return next(((part, held[part][key]) for part in ("data", "binaryData") if held and key in (held.get(part) or {})), None)


def is_kept(held: manifests.Manifest | None, key: str) -> bool:
    """Whether the previous value of a key is there."""
    return stored(held, key_of(key)) is not None


def login_of(registry: manifests.Manifest | None) -> str:
    """The login that a registry uses, and where: what a password or CA belongs to."""
    section = custom_resource.live_database(registry)
    return f"{section.get('username')}@{section.get('host')}:{section.get('port')}/{section.get('database')}"
