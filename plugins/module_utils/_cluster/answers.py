# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What counts as an answer of the API server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .._model import manifests
from . import shapes


def text_of(body: Any) -> str:
    """A body as text."""
    return body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")


def message_of(body: Any) -> str | None:
    """What the API server says in a Status; None when the body is no such object."""
    try:
        content = json.loads(text_of(body))
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("kind") != "Status":
        return None
    return str(content.get("message") or content.get("reason") or "no message")


# What counts as an answer. ValueError, and with it the request counts as not answered, for everything else.


def dictionary_in(data: bytes) -> manifests.Manifest:
    """Any JSON object."""
    try:
        content = json.loads(data)
    except RecursionError:
        raise ValueError("the response is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"the response is not JSON, or is not complete: {error}") from None
    if not isinstance(content, dict):
        raise ValueError("the response is not a Kubernetes object")
    return content


def object_in(data: bytes) -> manifests.Manifest:
    """A Kubernetes object."""
    content = dictionary_in(data)
    return _complete(content, content.get("kind"))


def deletion_in(data: bytes) -> manifests.Manifest:
    """The answer to a deletion: that it is done, or the object that finalizers still hold."""
    content = dictionary_in(data)
    return content if (content.get("kind"), content.get("status")) == ("Status", "Success") else _complete(content, content.get("kind"))


def _complete(manifest: Any, kind: Any) -> manifests.Manifest:
    wrong = shapes.misfit_of_kind(manifest, str(kind))
    if wrong is not None:
        is_named = wrong not in ((), ("metadata",), ("metadata", "name"), ("metadata", "uid"))
        part = f" ({kind} {manifest['metadata']['name']!r}: {'.'.join(wrong)})" if is_named else ""
        raise ValueError(f"the response is not a Kubernetes object{part}")
    content: manifests.Manifest = manifest
    return content


def list_in(data: bytes) -> manifests.Manifest:
    """A list of Kubernetes objects; its `items` are a list, also where they are null."""
    content = dictionary_in(data)
    # An empty list of metadata alone is null.
    items = content.get("items", "")
    if not isinstance(content.get("metadata"), dict) or not (items is None or isinstance(items, list)):
        raise ValueError("the response is not a list of Kubernetes objects")
    kind = str(content.get("kind")).removesuffix("List")
    return {**content, "items": [_complete(item, kind) for item in items or ()]}


def _like(shape: dict[str, Any], what: str) -> Callable[[bytes], manifests.Manifest]:
    """What takes answers of this shape."""

    def parsed(data: bytes) -> manifests.Manifest:
        content = dictionary_in(data)
        if shapes.misfit(content, shape) is not None:
            raise ValueError(f"the response is not {what}")
        return content

    return parsed


review_in = _like({"!status": {}}, "an access review")
# The kinds of objects of an API version.
resources_in = _like({"!resources": [{"!name": str}]}, "a list of resources")
schemas_in = _like({"!components": {"!schemas": {"*": {}}}}, "an OpenAPI document")
