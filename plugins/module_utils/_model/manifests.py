# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is in a manifest of any kind: read, merged and patched."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any, Union

# A manifest of any kind; its content is not ours to type.
Manifest = dict[str, Any]
# What a path of a custom resource holds: a text, a number, a flag, or a reference.
Value = Union[str, int, bool, dict[str, str], None]


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
        return base64.b64decode((secret.get("data") or {})[key] or "").decode()
    except (KeyError, ValueError):
        return None


def keys_of(held: Manifest) -> list[str]:
    """The keys of a ConfigMap or Secret."""
    return sorted({*(held.get("data") or {}), *(held.get("binaryData") or {})})


def text_of(kind: str, held: Manifest | None, key: str) -> str | None:
    """What a ConfigMap or Secret holds under a key; None when it does not exist or has no such key."""
    if held is None:
        return None
    if kind == "Secret":
        return decoded(held, key)
    binary = at(held, ("binaryData", key))
    return base64.b64decode(binary).decode(errors="replace") if binary else at(held, ("data", key))


def patched(manifest: Manifest, patch: Manifest) -> Manifest:
    """A manifest after a merge patch, by the rules of RFC 7386."""
    result = dict(manifest)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            present = result.get(key)
            result[key] = patched(present if isinstance(present, dict) else {}, value)
        else:
            result[key] = value
    return result


def undone(patch: Manifest, before: Manifest) -> Manifest:
    """The merge patch that gives what a merge patch changes the values back that it had before."""
    pairs = {key: (value, before.get(key)) for key, value in patch.items()}
    return {key: undone(value, old) if isinstance(value, dict) and isinstance(old, dict) else old for key, (value, old) in pairs.items()}


def condition(manifest: Manifest, kind: str) -> Manifest | None:
    """The condition of this type."""
    return next((entry for entry in at(manifest, ("status", "conditions")) or [] if entry["type"] == kind), None)


def last_write(manifest: Manifest | None, paths: Iterable[tuple[str, ...]] = ((),)) -> Manifest:
    """Which program wrote an object last, or one of these fields of it, and when; None where the API server does not tell."""
    wanted = [tuple(f"f:{part}" for part in path) for path in paths]
    entries = at(manifest, ("metadata", "managedFields")) or []
    noted = [entry for entry in entries if any(at(entry.get("fieldsV1") or {}, path) is not None for path in wanted)]
    last: Manifest = max(noted, key=lambda entry: str(entry.get("time", "")), default={})
    return {"manager": last.get("manager"), "time": last.get("time")}


def parsed(time: str) -> datetime:
    """A time of the API server."""
    return datetime.fromisoformat(time.replace("Z", "+00:00"))


def time_text(moment: datetime) -> str:
    """A time as the API server writes it."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def name_of(manifest: Manifest) -> str:
    return str(manifest["metadata"]["name"])
