# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The password or CA that a run replaced in place: it stays in the same object, under a second key, until the new one is known to work.

It is written by the same request as the new one, so that no run can be killed in between, and it is deleted together with the object.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from .._model import custom_resource, kinds, live_state, manifests, marks, ownership
from . import changeset, restarts

# On the object: the login that the previous value was used for. With another one it does not help.
LOGIN = "openshift-ai.modelops/previous-login"
STILL_KEPT = "the previous value is kept until the registry is available with the new one; a later run removes it"


def key_of(key: str) -> str:
    """The key that holds the previous value of a key."""
    return f"{ownership.PREVIOUS}{key}"


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


def keeping(
    change: changeset.Change, present: manifests.Manifest | None, key: str, servers: Collection[live_state.Live], login: str | None = None
) -> changeset.Change:
    """A change of a key that keeps beside it what it holds, if one of the servers is available with that.

    A value that is kept already is replaced only by one that all of them are available with, and were started with.
    """
    value = stored(present, key)
    if present is None or value is None:
        return change
    work = [server.is_available for server in servers]
    if is_kept(present, key):
        work = [all(server.is_available and not restarts.is_outdated(server, [(present, [key])]) for server in servers)]
    if not any(work):
        return change
    return replace(change, body=manifests.merged(change.body, _placed(present, key_of(key), value, {"annotations": {LOGIN: login}})))


def removal(kind: str, present: manifests.Manifest, key: str, option: str) -> changeset.Change:
    """What removes the previous value of a key."""
    held = key_of(key)
    parts = {part: {held: None} for part in ("data", "binaryData") if held in (present.get(part) or {})}
    patch = {**parts, "metadata": {"annotations": {LOGIN: None}}}
    return changeset.update(kind, kinds.APIS[kind], present, (option,), patch)


def restoration(removing: changeset.Change, present: manifests.Manifest) -> changeset.Change | None:
    """What puts the value back whose removal this is, by the object as it is now; None where it is gone. It stays until it is known to work again."""
    key = replaced_key(removing)
    value = stored(present, key_of(key))
    if value is None:
        return None
    option = removing.fields[0]
    shown = {option: changeset.MASK}, {option: f"{changeset.MASK} (the previous value)"}
    return changeset.update(removing.kind, removing.api, present, removing.fields, _placed(present, key, value, {}), *shown)


def is_put_back(removing: changeset.Change, known: manifests.Manifest) -> bool:
    """Whether an object holds the previous value in place of the new one already."""
    key = replaced_key(removing)
    return stored(known, key_of(key)) == stored(known, key)


def with_previous(removing: changeset.Change, known: manifests.Manifest) -> manifests.Manifest:
    """The object with the previous value in place of the new one."""
    change = restoration(removing, known)
    return manifests.patched(known, change.body) if change else known


def replaced_key(removing: changeset.Change) -> str:
    """The key whose previous value a change removes."""
    key: str = next(key for part in ("data", "binaryData") for key in removing.body.get(part, ()))
    return key[len(ownership.PREVIOUS) :]


def is_written_by_us(held: manifests.Manifest, key: str) -> bool:
    """Whether this collection was the last to write a key."""
    entries = held["metadata"].get("managedFields") or []
    writers = {entry.get("manager") for entry in entries for part in marks.DATA_FIELDS if f"f:{key}" in (entry.get("fieldsV1") or {}).get(part, {})}
    return writers == {kinds.FIELD_MANAGER}


def _placed(present: manifests.Manifest, key: str, value: tuple[str, str], metadata: manifests.Manifest) -> manifests.Manifest:
    """A merge patch that stores a value in its part of the object, and takes the key out of the other one."""
    part, content = value
    others = {other: {key: None} for other in ("data", "binaryData") if other != part and key in (present.get(other) or {})}
    return {part: {key: content}, **others, **({"metadata": metadata} if metadata else {})}
