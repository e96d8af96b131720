# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose an object is, by evidence. Whatever changes or deletes an object that the run did not just create asks here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .. import _options
from . import credentials, custom_resource, kinds, manifests, marks

PASSWORD_KEYS = frozenset({"database-name", "database-user", credentials.PASSWORD_KEY})
# How the key begins under which an object keeps the value that was replaced in place.
PREVIOUS = f"{kinds.FIELD_MANAGER}.previous."
# The key under which the dashboard stores an uploaded CA.
UPLOADED_KEY = "ca.crt"


def owner_of(kind: str, manifest: manifests.Manifest, registry: str = "", readers: Iterable[str] = ()) -> marks.Owner:
    """Whose an object is, as seen from a registry; without one nothing is the dashboard's or ours.

    `readers` are the current registries that read it, where it is to be deleted. A Secret or ConfigMap has to be there with its keys.
    """
    found = marks.known_owner(kind, manifest, registry)
    if found is not None:
        return found
    others = [reader for reader in readers if reader != registry]
    if others:
        return marks.Owner(marks.REGISTRY, f"registry {others[0]!r} also uses it")
    missing = _missing_evidence(kind, manifest, registry)
    if missing:
        return marks.Owner(marks.UNKNOWN, missing)
    return marks.by_writers(manifest["metadata"], "its name, content, labels, annotations and field managers")


def keeper_of(registry: manifests.Manifest) -> marks.Owner | None:
    """As `tool_of`, of a registry: also by its field managers, as Terraform marks nothing else. Its operator is no tool, and neither are people's clients."""
    managers = [manager for manager in marks.managers(registry["metadata"]) if marks.NAMED_TOOLS.search(manager)]
    return marks.tool_of(registry) or (marks.Owner(marks.TOOL, f"field manager {managers[0]!r}") if managers else None)


def is_owned_by(manifest: manifests.Manifest | None, uid: str | None) -> bool:
    """Whether an object is deleted together with the registry of this uid, and not with one that was there before it."""
    return any(owner["uid"] == uid for owner in manifests.at(manifest, ("metadata", "ownerReferences")) or ())


def is_of_registry(manifest: manifests.Manifest | None) -> bool:
    """Whether an object is deleted together with a registry, or is being deleted."""
    metadata = manifests.at(manifest, ("metadata",)) or {}
    return "deletionTimestamp" in metadata or any(owner["kind"] == kinds.KIND for owner in metadata.get("ownerReferences") or ())


def tool_warnings(manifest: manifests.Manifest, kind: str = "registry") -> list[str]:
    """That another tool manages an object which is changed or deleted all the same, because a task names it."""
    owner = keeper_of(manifest)
    return [f"{kind} {manifests.name_of(manifest)!r} is {owner}, which may undo this change: also change it there"] if owner else []


def auth_delegator(registry: str) -> str:
    """The name of the ClusterRoleBinding that the operator makes for a registry, and leaves behind."""
    return f"{registry}-auth-delegator"


def registry_of(binding: manifests.Manifest, namespace: str) -> str | None:
    """The registry of this namespace whose ClusterRoleBinding this is; None when it is no registry's.

    It has the operator's labels for a registry, and gives the registry's service account what the operator gives it, and nothing else.
    """
    metadata, subjects = binding["metadata"], binding.get("subjects") or []
    name = (metadata.get("labels") or {}).get(marks.NAME)
    account = {"kind": "ServiceAccount", "namespace": namespace, "name": name}
    is_one = (
        name not in (None, marks.CATALOG)
        and metadata["name"] == auth_delegator(name)
        and [{key: subject.get(key) for key in account} for subject in subjects] == [account]
        and manifests.at(binding, ("roleRef", "name")) == "system:auth-delegator"
        and metadata["labels"].get(marks.NAMESPACE_LABEL, namespace) == namespace
        and owner_of("ClusterRoleBinding", binding, name).whose == marks.REGISTRY
    )
    return name if is_one else None


def upload_prefix(registry: str) -> str:
    """How the names of the ConfigMaps begin that the dashboard and this collection make for uploaded CAs of a registry."""
    return f"{registry}-db-credential"


def is_upload(config_map: str, registry: str) -> bool:
    """Whether the dashboard gives this name to an uploaded CA of this registry, or of one whose name was not typed yet."""
    return re.fullmatch(rf"({re.escape(registry)}-)?db-credential(-[2-9]|-[1-9]\d+)?", config_map) is not None


def left_by(held: str, present: Iterable[str]) -> str:
    """The registry after which a Secret or ConfigMap is named as one that is made for it, where it is not among those present; empty for none."""
    maker = held.rpartition("-db-")[0]
    return "" if maker in present else maker


def own_keys(held: manifests.Manifest) -> list[str]:
    """The keys of a ConfigMap or Secret without those of previous values."""
    return [key for key in manifests.keys_of(held) if not key.startswith(PREVIOUS)]


def is_password_secret(secret: manifests.Manifest) -> bool:
    """Whether a Secret has a mark of those that hold a registry's password, whoever made it."""
    metadata = secret["metadata"]
    marked = not credentials.SECRET_ANNOTATIONS.keys().isdisjoint(metadata.get("annotations") or {})
    return marked or str(metadata.get("generateName", "")).endswith("-db-") or credentials.PASSWORD_KEY in manifests.keys_of(secret)


def neighbors(registry: str, generates: bool) -> list[str]:
    """The names of other registries with which one of this name may share a Deployment and a Service, if it has a generated database."""
    host = custom_resource.GeneratedDatabase("").host
    return [*([registry[: -len(host)]] if registry.endswith(host) else []), *([registry + host] if generates else [])]


def name_conflict(registry: str, others: Mapping[str, manifests.Manifest | None], present: Iterable[tuple[str, manifests.Manifest]]) -> str | None:
    """What the operator would overwrite for a new registry or its generated database; None for nothing.

    `others` are its `neighbors`, `present` the objects that there are of the names that the operator will write, each after its kind.
    """
    if registry in (marks.CATALOG, custom_resource.GeneratedDatabase(marks.CATALOG).host):
        return "objects of the model catalog with this name"
    for name, other in others.items():
        if other is not None and (name > registry or custom_resource.live_type(other) == _options.GENERATED):
            return f"the generated database of registry {min(name, registry)!r} and the server of registry {max(name, registry)!r} with each other"
    return next(filter(None, (foreign(kind, manifest, registry) for kind, manifest in present)), None)


def foreign(kind: str, manifest: manifests.Manifest, registry: str) -> str | None:
    """What an object is that has the name of one that the operator makes for a registry, and is not that one; None where it is."""
    owners = manifest["metadata"].get("ownerReferences") or ()
    owner = owner_of(kind, manifest, registry)
    if owner.whose == marks.REGISTRY or any(one["kind"] == kinds.KIND and one["name"] == registry for one in owners):
        return None
    return f"{kind} {manifest['metadata']['name']!r}, which is {owner}"


def _missing_evidence(kind: str, manifest: manifests.Manifest, registry: str) -> str:
    """What an object lacks of those that the dashboard and this collection make for a registry; empty for nothing."""
    metadata = manifest["metadata"]
    labels = metadata.get("labels") or {}
    if kind == "RoleBinding":
        shown = labels.get("component") == marks.COMPONENT and labels.get(marks.NAME) == registry
        return "" if shown else "it lacks the labels by which the dashboard lists it"
    if kind not in marks.HELD or not registry:
        return "nothing shows who created it"
    annotations = {name: value for name, value in (metadata.get("annotations") or {}).items() if not name.startswith(marks.OUR_ANNOTATIONS)}
    others = [manager for manager in marks.managers(metadata) if manager not in (marks.NAMELESS, kinds.FIELD_MANAGER)]
    if kind == "Secret":
        prefix = credentials.password_prefix(registry)
        named, expected, keys = (metadata["name"].startswith(prefix) and metadata.get("generateName") == prefix, credentials.SECRET_ANNOTATIONS, PASSWORD_KEYS)
    else:
        named, expected, keys = is_upload(metadata["name"], registry), {}, frozenset({UPLOADED_KEY})
    unlike = {
        "its name or generateName": not named,
        "its annotations": annotations != expected,
        "its labels": any(not name.startswith(marks.DASHBOARD_LABELS) for name in labels),
        "its keys": keys != set(own_keys(manifest)),
        f"field manager {others[0]!r}" if others else "no field manager": bool(others) or not marks.managers(metadata),
    }
    return ", ".join(what for what, differs in unlike.items() if differs)


def gave_database(registry: manifests.Manifest | None) -> bool:
    """Whether a run of ours gave the registry its database, and may have been killed before it deleted what that left over. What others leave is theirs."""
    section = custom_resource.SECTIONS.get(custom_resource.live_type(registry) or "", "")
    entries = manifests.at(registry, ("metadata", "managedFields")) or []
    return any(entry.get("manager") == kinds.FIELD_MANAGER and manifests.at(entry.get("fieldsV1"), ("f:spec", f"f:{section}")) is not None for entry in entries)


def is_named_as_ours(secret: str, registry: str) -> bool:
    return secret.startswith(credentials.password_prefix(registry))
