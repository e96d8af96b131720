# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What counts as an answer of the API server: whatever is not of these types comes from somebody else, and nothing can be concluded from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from .. import _options
from .._model import kinds, manifests


def is_time(value: Any) -> bool:
    """Whether this is a time as the API server writes it."""
    try:
        return isinstance(value, str) and manifests.parsed(value).tzinfo is not None
    except ValueError:
        return False


def is_content(value: Any) -> bool:
    """Whether this can be what a key of a Secret or ConfigMap holds: Go writes bytes that were never set as null."""
    return value is None or isinstance(value, str)


# A part that is missing or null is as it should be, unless its name begins with this. The one entry "*" stands for all parts of a map.
NEEDED = "!"
TEXTS = {"*": str}
CONDITIONS = [{"!type": str, "!status": str, "reason": str, "message": str}]
CONDITIONS_OF_REGISTRIES = [{"!type": str, "!status": str, "!reason": str, "!message": str}]
REFERENCE = {"!name": str, "key": str}
METADATA: dict[str, Any] = {
    "!name": str,
    "!uid": str,
    "namespace": str,
    "generateName": str,
    "resourceVersion": str,
    "creationTimestamp": is_time,
    "deletionTimestamp": is_time,
    "generation": int,
    "labels": TEXTS,
    "annotations": TEXTS,
    "finalizers": [str],
    "ownerReferences": [{"!kind": str, "!name": str, "!uid": str, "apiVersion": str}],
    "managedFields": [{"manager": str, "subresource": str, "time": is_time, "fieldsV1": {"f:metadata": {}, "f:spec": {}, "f:data": {}, "f:binaryData": {}}}],
}
CONTAINER = {"!name": str, "image": str, "args": [str], "env": [{"!name": str, "valueFrom": {"secretKeyRef": REFERENCE}}]}
VOLUME = {"!name": str, "configMap": {"name": str}, "secret": {"secretName": str}}
STATE = {"running": {"startedAt": is_time}, "waiting": {"reason": str, "message": str}, "terminated": {"startedAt": is_time, "finishedAt": is_time}}
# Of a field, by the type of the option that it holds.
OF_OPTIONS: dict[str, Any] = {"str": str, "int": int, "bool": bool, "dict": REFERENCE}
DATABASE = {
    **{key: OF_OPTIONS[entry.spec["type"]] for entry in _options.DATABASE_FIELDS for key in entry.keys},
    **dict.fromkeys(("hostAddress", *_options.BY_OPTION["database.ca"].keys[2:]), str),
    "generateDeployment": bool,
}
BINDING = {"!roleRef": {"!kind": str, "!name": str}, "subjects": [{"!kind": str, "!name": str, "namespace": str}]}
ROLE = {"rules": [{"!verbs": [str], "apiGroups": [str], "resources": [str], "resourceNames": [str]}]}
HELD = {"data": {"*": is_content}, "binaryData": {"*": is_content}}
COMPONENT = {"components": {"modelregistry": {"managementState": str, "registriesNamespace": str}}}
OF_KIND: dict[str, dict[str, Any]] = {
    kinds.KIND: {
        "spec": {"mysql": DATABASE, "postgres": DATABASE},
        "status": {"hosts": [str], "hostsStr": str, "conditions": CONDITIONS_OF_REGISTRIES},
    },
    "DataScienceCluster": {"spec": COMPONENT, "status": {**COMPONENT, "conditions": CONDITIONS}},
    "Secret": HELD,
    "ConfigMap": HELD,
    "Deployment": {
        "!spec": {
            "replicas": int,
            "template": {"metadata": {"annotations": TEXTS}, "spec": {"containers": [CONTAINER], "volumes": [VOLUME]}},
        },
        "status": {**dict.fromkeys(("observedGeneration", "replicas", "updatedReplicas", "unavailableReplicas"), int), "conditions": CONDITIONS},
    },
    "Pod": {
        "!spec": {"!containers": [CONTAINER]},
        "status": {
            "startTime": is_time,
            "conditions": CONDITIONS,
            "containerStatuses": [{"!name": str, "restartCount": int, "state": STATE, "lastState": STATE}],
        },
    },
    "RoleBinding": BINDING,
    "ClusterRoleBinding": BINDING,
    "Role": ROLE,
    "ClusterRole": ROLE,
    "Group": {"users": [str]},
    "Event": {"message": str},
    "Namespace": {"status": {"phase": str}},
    "Route": {"!spec": {"host": str}},
    "Ingress": {"spec": {"domain": str, "appsDomain": str}},
}


OBJECT = {"!metadata": METADATA, "spec": {}, "status": {}, "data": {}}
OBJECTS = {kind: {**OBJECT, **shape} for kind, shape in OF_KIND.items()}


def misfit_of_kind(manifest: Any, kind: str) -> tuple[str, ...] | None:
    """The path of the first part that is not like those of objects of this kind; None where all are."""
    return misfit(manifest, OBJECTS.get(kind, OBJECT))


def misfit(value: Any, shape: Any) -> tuple[str, ...] | None:
    """The path of the first part that is not like this; None where all are."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return ()
        parts = ((key, value[key], shape["*"]) for key in value) if "*" in shape else _parts(value, shape)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            return ()
        parts = ((str(number), entry, shape[0]) for number, entry in enumerate(value))
    else:
        is_right = isinstance(value, shape) and (shape is bool or not isinstance(value, bool)) if isinstance(shape, type) else shape(value)
        return None if is_right else ()
    for name, part, inner in parts:
        # Most parts are texts.
        wrong = None if inner is str and isinstance(part, str) else misfit(part, inner)
        if wrong is not None:
            return (name, *wrong)
    return None


def _parts(value: dict[str, Any], shape: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for key, inner in shape.items():
        is_needed = key[0] == NEEDED
        name = key[is_needed:]
        part = value.get(name)
        if is_needed or part is not None:
            yield name, part, inner


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
    wrong = misfit_of_kind(manifest, str(kind))
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
        if misfit(content, shape) is not None:
            raise ValueError(f"the response is not {what}")
        return content

    return parsed


review_in = _like({"!status": {}}, "an access review")
# The kinds of objects of an API version.
resources_in = _like({"!resources": [{"!name": str}]}, "a list of resources")
schemas_in = _like({"!components": {"!schemas": {"*": {}}}}, "an OpenAPI document")
