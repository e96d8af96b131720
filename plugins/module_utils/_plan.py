# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wanted against live: the ordered list of changes that makes a cluster what it is wanted to be."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _manifests as manifests
from ansible_collections.modelops.openshift_ai.plugins.module_utils._manifests import Manifest, at
from ansible_collections.modelops.openshift_ai.plugins.module_utils._readiness import database_container
from ansible_collections.modelops.openshift_ai.plugins.module_utils._registry import (
    PASSWORD_KEY,
    Database,
    InputError,
    KeyReference,
    Problem,
    Registry,
    creation_problems,
)

MASK = "********"
SECRETS = ("v1", "secrets")
DEPLOYMENTS = ("apps/v1", "deployments")
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


@dataclass(frozen=True)
class Capabilities:
    """What this cluster's definition of a registry understands: the newest served version, and the key of its authenticating proxy."""

    api_version: str
    authentication: str

    @property
    def api(self) -> tuple[str, str]:
        """The API version and plural under which registries are served."""
        return f"{manifests.GROUP}/{self.api_version}", manifests.PLURAL


@dataclass(frozen=True)
class Live:
    """What the cluster holds of one registry at this moment."""

    capabilities: Capabilities
    registry: Manifest | None = None
    # The Secret that the registry names; before there is a registry, one that an earlier run left under the name that this one would use.
    secret: Manifest | None = None
    # The ConfigMap or Secret with the CA bundle that the registry will read when the plan is done.
    ca_bundle: Manifest | None = None
    pods: tuple[Manifest, ...] = ()


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
    body: Manifest = field(repr=False)
    before: Manifest = field(default_factory=dict)
    after: Manifest = field(default_factory=dict)

    def result(self, unverified: bool) -> Manifest:
        """The change as results show it."""
        shown: Manifest = {"action": self.action, "kind": self.kind, "namespace": self.namespace, "name": self.name, "fields": list(self.fields)}
        return {**shown, "unverified": True} if unverified else shown


@dataclass(frozen=True)
class Plan:
    """The changes in the order in which they are safe, and what people should know about them."""

    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = ()


def wanted_ca(wanted: Registry, live: Manifest | None) -> tuple[str, KeyReference] | None:
    """The kind and key of the CA bundle that the registry reads once the plan is carried out, or None."""
    database = wanted.database
    if database is not None and database.ca is not None:
        return None if database.ca.config_map is None else ("ConfigMap", database.ca.config_map)
    for kind, path in (("ConfigMap", manifests.CA_CONFIG_MAP), ("Secret", manifests.CA_SECRET)):
        present = at(live, path)
        if present:
            return kind, KeyReference(present["name"], present["key"])
    return None


def plan(wanted: Registry, live: Live, now: datetime) -> Plan:
    """The changes from `live` to `wanted`. InputError when they cannot be carried out or must not."""
    return _creation(wanted, live) if live.registry is None else _edit(wanted, live, live.registry, now)


def _creation(wanted: Registry, live: Live) -> Plan:
    # Operators that know only v1alpha1 run a metadata server beside the registry server.
    problems = creation_problems(wanted, live.capabilities.api_version == "v1alpha1")
    if problems:
        raise InputError(problems)
    name = manifests.secret_name(wanted.namespace, wanted.name)
    secret = manifests.password_secret(wanted, name)
    changes = []
    if live.secret is None:
        changes.append(_secret_creation(wanted, name, secret))
    elif live.secret.get("data") != secret["data"]:
        # An earlier run was stopped between its two writes, and the input has changed since.
        changes.append(_secret_change(live.secret, secret["data"]))
    resource = manifests.custom_resource(wanted, name, live.capabilities.api_version, live.capabilities.authentication)
    fields = tuple(sorted({option for option, _path, _value in _leaves(wanted)}))
    after = manifests.registry_result(resource)
    changes.append(Change("create", manifests.KIND, wanted.namespace, wanted.name, fields, "POST", live.capabilities.api, resource, {}, after))
    return Plan(tuple(changes))


def _leaves(wanted: Registry) -> list[tuple[str, tuple[str, ...], Any]]:
    """The options that a creation sets, by the same table that an edit compares."""
    return manifests.wanted_fields(wanted, {})


def _edit(wanted: Registry, live: Live, registry: Manifest, now: datetime) -> Plan:
    _refuse_another_database(wanted, registry)
    changes = []
    warnings = []
    fields = manifests.wanted_fields(wanted, registry)
    if wanted.database is not None and wanted.database.password is not None:
        changes += _password_changes(wanted, live, registry, wanted.database, wanted.database.password)
        if at(registry, manifests.PASSWORD_SECRET) is None:
            fields.append(("database.password", manifests.PASSWORD_SECRET, default_password_secret(wanted)))
    if fields:
        body: Manifest = {}
        before: Manifest = {}
        after: Manifest = {}
        for option, path, value in fields:
            body = manifests.merged(body, manifests.nested(path, value))
            before[option], after[option] = at(registry, path), value
        names = tuple(dict.fromkeys(option for option, _path, _value in fields))
        changes.append(Change("update", manifests.KIND, wanted.namespace, wanted.name, names, "PATCH", live.capabilities.api, body, before, after))
    rolls_anyway = any(path[0] == "spec" for _option, path, _value in fields)
    reread = any(change.kind == "Secret" for change in changes)
    if live.pods and not rolls_anyway and (reread or is_outdated(live)):
        changes.append(_restart(wanted, now))
    ca = wanted_ca(wanted, registry)
    verifies = after_change(fields, manifests.VERIFY_SERVER_CERT, registry)
    if ca is not None and not verifies:
        warnings.append(
            f"registry {wanted.name!r} encrypts the connection to its database, but does not check the database's certificate: set database.verify_server_cert"
        )
    return Plan(tuple(changes), tuple(warnings))


def after_change(fields: list[tuple[str, tuple[str, ...], Any]], path: tuple[str, ...], registry: Manifest) -> Any:
    """The value that a path of the registry will have."""
    return next((value for _option, changed, value in fields if changed == path), at(registry, path))


def _refuse_another_database(wanted: Registry, registry: Manifest) -> None:
    """A registry that is pointed at another database seems to lose all its models: refused."""
    if at(registry, ("spec", "mysql")) is None:
        if wanted.database is not None:
            remedy = "Leave `database` out to edit the rest"
            raise InputError([Problem("database", f"cannot be applied: registry {wanted.name!r} exists and does not use MySQL", remedy)])
        return
    problems = [
        Problem(
            option, f"is another one than the live {at(registry, path)!r}, so that all models would seem to vanish", "Leave it out to keep the live one", value
        )
        for option, path, value in manifests.wanted_fields(wanted, registry)
        if option in ("database.host", "database.name")
    ]
    if problems:
        raise InputError(problems)


def _password_changes(wanted: Registry, live: Live, registry: Manifest, database: Database, password: str) -> list[Change]:
    """What writes another password into the Secret that the registry names, or makes that Secret when it is gone."""
    named = at(registry, manifests.PASSWORD_SECRET) or default_password_secret(wanted)
    if live.secret is not None and manifests.decoded(live.secret, named["key"]) == password:
        return []
    if not is_ours(live.secret, named["name"], wanted.name):
        remedy = "Change the password where that Secret is made, and leave database.password out"
        raise InputError([Problem("database.password", f"cannot be written: Secret {named['name']!r} is somebody else's", remedy)])
    if live.secret is not None:
        return [_secret_change(live.secret, {named["key"]: manifests.encoded(password)})]
    mysql = registry["spec"]["mysql"]
    complete = replace(database, username=database.username or mysql["username"], name=mysql["database"])
    body = manifests.password_secret(replace(wanted, database=complete), named["name"])
    body["data"][named["key"]] = manifests.encoded(password)
    return [_secret_creation(wanted, named["name"], body)]


def default_password_secret(wanted: Registry) -> dict[str, str]:
    """The Secret that a registry of ours names."""
    return {"name": manifests.secret_name(wanted.namespace, wanted.name), "key": PASSWORD_KEY}


def _secret_creation(wanted: Registry, name: str, body: Manifest) -> Change:
    return Change("create", "Secret", wanted.namespace, name, ("database.password",), "POST", SECRETS, body, {}, {"database.password": MASK})


def is_ours(secret: Manifest | None, name: str, registry: str) -> bool:
    """Whether a password's Secret was made by the dashboard or this collection, or may be: by the name and the annotation of both, and without an owner."""
    if not name.startswith(f"{registry}-db-"):
        return False
    metadata: Manifest = {} if secret is None else secret["metadata"]
    return secret is None or ("template.openshift.io/expose-password" in (metadata.get("annotations") or {}) and not metadata.get("ownerReferences"))


def _secret_change(secret: Manifest, data: dict[str, str]) -> Change:
    metadata = secret["metadata"]
    body = {"data": data}
    # A new masked value must differ from the old one, or a diff would not show that there is a change.
    return Change(
        "update",
        "Secret",
        metadata["namespace"],
        metadata["name"],
        ("database.password",),
        "PATCH",
        SECRETS,
        body,
        {"database.password": MASK},
        {"database.password": f"{MASK} (changed)"},
    )


def _restart(wanted: Registry, now: datetime) -> Change:
    stamp = now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = manifests.nested(("spec", "template", "metadata", "annotations", RESTARTED_AT), stamp)
    return Change("restart", "Deployment", wanted.namespace, wanted.name, (), "PATCH", DEPLOYMENTS, body)


def is_outdated(live: Live) -> bool:
    """Whether a running server is older than the data of the Secret or CA bundle that it reads, whoever changed that."""
    starts = [start for pod in live.pods if (start := server_start(pod)) is not None]
    return any(_is_newer(source, start) for source in (live.secret, live.ca_bundle) if source is not None for start in starts)


def server_start(pod: Manifest) -> datetime | None:
    """When the registry server of a pod was started; None when it does not run."""
    running = at(database_container(at(pod, ("status", "containerStatuses")) or []), ("state", "running"))
    return parsed(running["startedAt"]) if running else None


def _is_newer(source: Manifest, start: datetime) -> bool:
    # Label changes have entries of their own in managedFields, so the newest entry that owns data tells when the data was last written.
    entries = source["metadata"].get("managedFields") or []
    times = [parsed(entry["time"]) for entry in entries if "time" in entry and "f:data" in (entry.get("fieldsV1") or {})]
    if not times:
        return False
    changed, created = max(times), parsed(source["metadata"]["creationTimestamp"])
    # Both times are whole seconds: in the same second the data counts as newer only if it was written again after the object was made.
    return changed > start or (changed == start and changed > created)


def parsed(time: str) -> datetime:
    """A time of the API server."""
    return datetime.fromisoformat(time.replace("Z", "+00:00"))
