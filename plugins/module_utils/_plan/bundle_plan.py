# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes a bundle of CA certificates as it is wanted, and which servers are restarted for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .. import _errors, _options
from .._model import certificates, custom_resource, desired_state, kinds, live_state, manifests, marks, naming, ownership
from . import bundle_place, changeset, dependencies, previous_value, restarts

KINDS = {"config_map": "ConfigMap", "secret": "Secret"}
# A private key of any kind, and what stands for a byte of a binary key that is no text.
PRIVATE_KEY, UNREADABLE = "PRIVATE KEY-----", "\ufffd"


@dataclass(frozen=True)
class WantedBundle:
    """A bundle as the options of `model_registry_ca` describe it. Exactly one of `name` and `registry` is set, unless there are problems."""

    kind: str
    name: str | None
    key: str
    registry: str | None
    # None when the bundle is to be removed. `option` is where the certificates came from.
    pem: str | None
    option: str
    adds: bool
    is_absent: bool
    restart: bool
    expiry_days: int
    # The database that the bundle has to verify.
    database: desired_state.Database | None


def bundle_from_options(options: Mapping[str, Any], problems: list[_errors.Problem], warnings: list[str]) -> WantedBundle:
    """The wanted bundle of the module's options; what is wrong or odd about them whatever is live is added to the lists."""
    is_absent, name, registry, key = options["state"] == "absent", options["name"], options["registry"], options["key"]
    if name is not None and not naming.OBJECT_NAME.fullmatch(name):
        problems.append(_errors.Problem("name", "is not a valid resource name", "Use lowercase letters, digits, hyphens and dots", name))
    if not naming.KEY_NAME.fullmatch(key):
        problems.append(_errors.Problem("key", "is not a valid key", "Use letters, digits, hyphens, dots and underscores", key))
    if registry is not None:
        problems += naming.live_name_problems(registry, "registry")
        if registry == marks.CATALOG:
            problems.append(
                _errors.Problem("registry", "is the model catalog, which has no CA certificate for a database", "Set it to the name of a registry", registry)
            )
        remedy = "Omit it, or set name instead of registry"
        if options["kind"] != "config_map":
            problems.append(_errors.Problem("kind", "is not supported with registry, which uses a ConfigMap as the dashboard does", remedy, options["kind"]))
        if key != ownership.UPLOADED_KEY:
            problems.append(
                _errors.Problem("key", f"is not supported with registry, which uses the key {ownership.UPLOADED_KEY} as the dashboard does", remedy, key)
            )
    problems += _options.time_problems("expiry_days", options["expiry_days"], 0) + _options.time_problems("wait_timeout", options["wait_timeout"])
    option = "pem" if options["path"] is None else "path"
    pem = None
    if is_absent:
        if options["pem"] is not None or options["path"] is not None:
            remedy = "Remove the option. To remove single certificates, set state=present with the certificates to keep"
            problems.append(_errors.Problem(option, "is not supported with state=absent", remedy))
    else:
        bundle = certificates.given_bundle(options, expiry_days=min(max(0, options["expiry_days"]), _options.MOST_TIME))
        problems += bundle.problems
        warnings += bundle.warnings
        pem = None if bundle.problems else bundle.pem
    database = None if is_absent or options["database"] is None else _database_from_options(options["database"], problems)
    kind, adds = KINDS[options["kind"]], options["mode"] == "add"
    return WantedBundle(kind, name, key, registry, pem, option, adds, is_absent, options["restart"], options["expiry_days"], database)


def _database_from_options(options: Mapping[str, Any], problems: list[_errors.Problem]) -> desired_state.Database:
    # The bundle takes the place of its CA.
    database = desired_state.external_database({**options, "ca": None}, problems, "has no CA certificate", "Use an external database")
    problems += [
        _errors.Problem(f"database.{option}", "is required", remedy)
        for option, value, remedy in (
            ("type", database.type, "Set it to mysql or postgresql"),
            ("host", database.host, "Set it to the host name of the database server"),
        )
        if value is None
    ]
    return database


@dataclass(frozen=True)
class LiveBundle:
    """What the cluster holds of a bundle at this moment: its object, all registries of the namespace, and by name those that read it, with their servers."""

    place: bundle_place.Place
    present: manifests.Manifest | None
    registries: tuple[manifests.Manifest, ...] = ()
    servers: Mapping[str, live_state.Live] = field(default_factory=dict)

    @property
    def readers(self) -> list[manifests.Manifest]:
        """The registries that read it."""
        return bundle_place.readers(self.place, self.registries)


def content_after(wanted: WantedBundle, live: LiveBundle) -> str:
    """The bundle once the plan is carried out."""
    return bundle_place.after(live.place.text(live.present), wanted.pem or "", wanted.adds)


def plan_bundle(wanted: WantedBundle, live: LiveBundle, now: datetime) -> tuple[changeset.Plan, list[str]]:
    """What makes the bundle as it is wanted and restarts exactly the servers that are older than it; and the registries whose restart is put off."""
    place, present, option = live.place, live.present, "name" if wanted.registry is None else "registry"
    text, after = place.text(present), content_after(wanted, live)
    warnings: list[str] = []
    if wanted.adds and text is not None:
        changes = [bundle_place.written(place, present, after, wanted.option)] if after != text else []
        warnings += certificates.read_bundle(text, str(place), wanted.expiry_days).warnings
    else:
        changes = bundle_place.replacement(place, present, after, wanted.option)
    if not wanted.adds:
        # What certificates are added to still holds those that work.
        changes = [previous_value.keeping(change, present, place.reference.key, live.servers.values()) for change in changes]
    problems = _write_problems(option, live, wanted.adds) if changes else []
    if changes and _size_after(place, present, changes[0]) > certificates.LARGEST_OBJECT:
        problem = f"makes {place} larger than {certificates.LARGEST_OBJECT} bytes, the limit of the cluster"
        problems.append(_errors.Problem(wanted.option, problem, "Use mode=replace, or only the CA certificate that signed the certificate of the database"))
    put_off, restarted = [], []
    for name, server in live.servers.items():
        is_older = present is not None and restarts.is_outdated(server, [(present, [place.reference.key])])
        outdated = bool(server.pods) and (bool(changes) or is_older)
        if outdated and wanted.restart:
            restarted.append(restarts.restart_of(desired_state.Registry(name, place.namespace), now, server.deployment))
        elif outdated:
            put_off.append(name)
            warnings.append(f"the server of registry {name!r} started before the certificates that it uses were changed: run again without `restart: false`")
    exists = any(entry["metadata"]["name"] == wanted.registry for entry in live.registries)
    if exists and wanted.registry not in [entry["metadata"]["name"] for entry in live.readers]:
        reference = f"{{source: config_map, name: {place.reference.name}, key: {place.reference.key}}}"
        warnings.append(f"registry {wanted.registry!r} does not use {place} yet: set its database.ca to {reference}")
    held, key = manifests.patched(present, changes[0].body) if changes and present else present, place.reference.key
    removals = [previous_value.removal(place.kind, held, key, wanted.option)] if held and previous_value.is_kept(held, key) else []
    kept = tuple({"kind": change.kind, "name": change.name, "reason": previous_value.STILL_KEPT} for change in removals)
    return changeset.Plan((*changes, *restarted), tuple(warnings), tuple(problems), kept=kept, leftovers=tuple(removals)), put_off


def _size_after(place: bundle_place.Place, present: manifests.Manifest | None, change: changeset.Change) -> int:
    """How many bytes of a bundle an object holds after a change, together with those of the previous one."""
    key, held = place.reference.key, manifests.patched(present or {}, change.body)
    return sum(len((manifests.text_of(place.kind, held, name) or "").encode()) for name in (key, previous_value.key_of(key)))


def plan_removal(wanted: WantedBundle, bundles: Iterable[LiveBundle]) -> changeset.Plan:
    """What removes the bundles: whole objects, or only the key where an object has others too. A bundle that a registry uses stays, as a problem."""
    option = "name" if wanted.registry is None else "registry"
    changes: list[changeset.Change] = []
    problems: list[_errors.Problem] = []
    for live in bundles:
        place, present = live.place, live.present
        if present is None or place.reference.key not in manifests.keys_of(present):
            continue
        alone = ownership.own_keys(present) == [place.reference.key]
        referring = [registry for registry in live.registries if (place.kind, place.reference.name) in custom_resource.named_objects(registry)]
        users = referring if alone else live.readers
        names = ", ".join(repr(registry["metadata"]["name"]) for registry in users)
        if users:
            problems.append(
                _errors.Problem(option, f"refers to {place}, which is used by registry {names}", "First set another CA certificate for the registry")
            )
        problems += _write_problems(option, live)
        if alone:
            changes.append(changeset.deletion(place.kind, kinds.APIS[place.kind], present))
        else:
            part = "data" if place.reference.key in (manifests.at(present, ("data",)) or {}) else "binaryData"
            patch: manifests.Manifest = {part: {place.reference.key: None}}
            if previous_value.is_kept(present, place.reference.key):
                patch = manifests.merged(patch, previous_value.removal(place.kind, present, place.reference.key, option).body)
            shown = {f"{place.kind} {place.reference.name} {place.reference.key}": "present"}
            changes.append(changeset.update(place.kind, kinds.APIS[place.kind], present, (option,), patch, shown))
    return changeset.Plan(tuple(changes), problems=tuple(problems))


def _write_problems(option: str, live: LiveBundle, adds: bool = False) -> list[_errors.Problem]:
    """Why an object must not, or cannot, be written."""
    place, present, key = live.place, live.present, live.place.reference.key
    for registry in live.registries:
        for use, *read in custom_resource.named_keys(registry):
            if read == [place.kind, place.reference.name, key] and use not in custom_resource.CA_KEYS.values():
                problem = f"refers to key {key!r} of {place}, which registry {registry['metadata']['name']!r} uses as its {use}"
                return [_errors.Problem(option, problem, "Use an object that contains only CA certificates")]
    if present is None:
        return []
    if place.kind == "Secret" and ownership.is_password_secret(present):
        return [_errors.Problem(option, f"refers to {place}, which contains the password of a database", "Use a Secret that contains only CA certificates")]
    owner = ownership.owner_of(place.kind, present)
    if owner.is_others:
        return [_errors.Problem(option, f"refers to {place}, which is {owner}", "Change the bundle where it is managed, or use another name")]
    if place.kind == "Secret" and present.get("type", "Opaque") != "Opaque":
        remedy = "Use another name: the dashboard offers only Secrets of type Opaque"
        return [_errors.Problem(option, f"refers to {place}, which is a Secret of type {present['type']}", remedy)]
    if present.get("immutable"):
        return [_errors.Problem(option, f"refers to {place}, which is immutable", "Use another name, and set it as the CA of the registries")]
    text = place.text(present) if key in manifests.keys_of(present) else ""
    if text is None or (text.strip() and (dependencies.PEM_CERTIFICATE not in text or PRIVATE_KEY in text)):
        problem = f"refers to key {key!r} of {place}, which contains something other than PEM certificates"
        return [_errors.Problem("key", problem, "Use another key, or remove this one if it is no longer needed")]
    if adds and UNREADABLE in text:
        problem = f"refers to key {key!r} of {place}, which contains bytes that are not UTF-8 text, so certificates cannot be added to it"
        return [_errors.Problem("mode", problem, "Use mode=replace with all certificates to keep", "add")]
    return []
