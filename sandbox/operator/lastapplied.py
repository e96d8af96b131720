"""Whether an object must be written again: what the operator wrote last, what it wants now, and what there is."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

from sandbox.operator.structs import canonical_quantity

Object = dict[str, Any]

# The name under which the real operator's library keeps what it wrote last, so that the two can take over from each other.
ANNOTATION = "banzaicloud.com/last-applied"
# Lists whose items are told apart by a field; any other list counts as one value.
MERGE_KEYS = {"containers": "name", "initContainers": "name", "env": "name", "volumes": "name", "volumeMounts": "mountPath", "ownerReferences": "uid"}
QUANTITIES = ("requests", "limits")
MINE = ("apiVersion", "kind", "status")


def annotated(wanted: Object) -> Object:
    """The object with a copy of itself in its annotation."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        # A fixed date: the same object makes the same annotation.
        archive.writestr(zipfile.ZipInfo("original", (1980, 1, 1, 0, 0, 0)), json.dumps(wanted, separators=(",", ":")), zipfile.ZIP_DEFLATED)
    annotations = wanted["metadata"].get("annotations", {}) | {ANNOTATION: base64.b64encode(packed.getvalue()).decode()}
    return wanted | {"metadata": wanted["metadata"] | {"annotations": annotations}}


def differs(current: Object, wanted: Object) -> bool:
    """Whether `current` lacks something of `wanted`, or still has something that was written last time and is wanted no more.

    What others have added is no difference.
    """
    original = _last_applied(current)
    return any(_differs(name, original.get(name), wanted.get(name), current.get(name)) for name in {*original, *wanted} if name not in MINE)


def _last_applied(current: Object) -> Object:
    packed = current["metadata"].get("annotations", {}).get(ANNOTATION)
    if not packed:
        return {}
    try:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed))) as archive:
            read: Object = json.loads(archive.read("original"))
            return read
    except (ValueError, KeyError, zipfile.BadZipFile):
        return {}


def _differs(name: str, original: Any, wanted: Any, current: Any) -> bool:
    if wanted is None:
        return original is not None and current is not None
    if isinstance(wanted, dict):
        if not isinstance(current, dict):
            return bool(wanted) or current is not None
        before = original if isinstance(original, dict) else {}
        if name in QUANTITIES:
            wanted, current = _quantities(wanted), _quantities(current)
        return any(_differs(key, before.get(key), wanted.get(key), current.get(key)) for key in {*before, *wanted})
    if isinstance(wanted, list):
        key = _merge_key(name, wanted)
        if key:
            return _differs(name, *({item.get(key): item for item in items} if isinstance(items, list) else {} for items in (original, wanted, current)))
    return bool(wanted != current)


def _merge_key(name: str, items: list[Any]) -> str | None:
    if name == "ports":
        return "containerPort" if items and "containerPort" in items[0] else "port"
    return MERGE_KEYS.get(name)


def _quantities(values: Object) -> Object:
    return {name: canonical_quantity(value) for name, value in values.items()}
