# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes that are planned, in the order in which they are safe."""

from __future__ import annotations

from dataclasses import dataclass, field

from .. import _errors
from .._model import manifests

MASK = "********"


@dataclass(frozen=True)
class Change:
    """One write: what it does in words for the result, and the request that does it."""

    action: str
    kind: str
    namespace: str
    name: str
    fields: tuple[str, ...]
    verb: str
    api: tuple[str, str]
    body: manifests.Manifest = field(repr=False)
    before: manifests.Manifest = field(default_factory=dict)
    after: manifests.Manifest = field(default_factory=dict)
    # Of what is to be deleted, as it was read: another one has another content, whatever was written into its status and metadata.
    generation: int | None = None
    # Whether it was deleted before and is only still there: nothing is sent, and it is only waited for.
    begun: bool = False

    def result(self, unverified: bool) -> manifests.Manifest:
        """The change as results show it."""
        shown: manifests.Manifest = {"action": self.action, "kind": self.kind, "namespace": self.namespace, "name": self.name, "fields": list(self.fields)}
        return {**shown, "unverified": True} if unverified else shown


@dataclass(frozen=True)
class Plan:
    """The changes in the order in which they are safe, and what people should know about them. With problems it must not be carried out."""

    changes: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()
    problems: tuple[_errors.Problem, ...] = ()
    # The server is older than the data that it reads, and the user does not want it to be restarted now.
    restart_needed: bool = False
    # The registry refers to something that does not exist.
    incomplete: bool = False
    # What a deletion leaves, and why.
    kept: tuple[manifests.Manifest, ...] = ()
    # The deletion of what nothing reads any more once the registry is available with its new definition. Until then it may be all that works.
    leftovers: tuple[Change, ...] = ()
    # What the registry did not read before and a deletion by another run could take, because it is named after a registry; by kind and name.
    relied_on: tuple[tuple[str, str], ...] = ()


def update(
    kind: str,
    api: tuple[str, str],
    manifest: manifests.Manifest,
    fields: tuple[str, ...],
    patch: manifests.Manifest,
    before: manifests.Manifest | None = None,
    after: manifests.Manifest | None = None,
) -> Change:
    """What changes this object, but not over what another process has written since it was read; `before` and `after` are for a difference."""
    metadata = manifest["metadata"]
    body = manifests.merged({"metadata": {"resourceVersion": metadata.get("resourceVersion")}}, patch)
    return Change("update", kind, metadata.get("namespace", ""), metadata["name"], fields, "PATCH", api, body, before or {}, after or {})


def deletion(kind: str, api: tuple[str, str], manifest: manifests.Manifest) -> Change:
    """What deletes this very object as it was read, and no other that has got its name since."""
    metadata = manifest["metadata"]
    same = {key: metadata[key] for key in ("resourceVersion", "uid") if key in metadata}
    body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": same}
    shown = {f"{kind} {metadata['name']}": "present"}
    return Change(
        "delete",
        kind,
        metadata.get("namespace", ""),
        metadata["name"],
        (),
        "DELETE",
        api,
        body,
        shown,
        generation=metadata.get("generation"),
        begun="deletionTimestamp" in metadata,
    )
