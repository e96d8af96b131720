# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wanted against live: the ordered list of changes that makes a registry what it is wanted to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from .. import _errors, _options, _texts
from .._model import custom_resource, desired_state, kinds, live_state, manifests, naming, ownership
from . import changeset, dependencies, password_plan, prediction, previous_value, restarts

# In every name that the dashboard or this collection gives to a Secret or ConfigMap of a registry.
DATABASE_MARK = "db-"
REASONS_TO_KEEP = {
    "delete": "the registry has not become available without it yet; a later run deletes it when the registry is available",
    "update": previous_value.STILL_KEPT,
}


def plan(wanted: desired_state.Registry, live: live_state.Live, consent: desired_state.Consent, now: datetime) -> changeset.Plan:
    """The changes from `live` to `wanted`, or the problems for which they cannot be carried out or must not."""
    made = _creation(wanted, live) if live.registry is None else _edit(wanted, live, live.registry, consent, now)
    # A restart writes nothing that refers to anything.
    writes = any(change.action in ("create", "update") for change in made.changes)
    after = prediction.resource_after(wanted, live.registry, live.capabilities)
    referred = dependencies.references_of(after, live.registry)
    if live.registry is not None:
        made = replace(made, leftovers=(*made.leftovers, *_previous_values(wanted, live, referred, made.changes)))
    problems, warnings, incomplete = dependencies.reference_problems(wanted, live, referred, writes)
    if incomplete and any(change.action == "restart" for change in made.changes):
        made = replace(made, changes=tuple(change for change in made.changes if change.action != "restart"), restart_needed=True)
        warnings.append(
            f"the server of registry {wanted.name!r} started before the data that it uses was changed, and was not restarted, because it would not start again"
        )
    service = dependencies.new_service(wanted, live.registry)
    if service and live.objects.get(("Service", service), {}) is None:
        name, _dot, namespace = service.partition(".")
        remedy = "Correct database.host or database.namespace" if namespace else "If it is in another namespace, set database.namespace"
        missing = f"the Service does not exist in namespace {namespace or wanted.namespace!r}"
        warnings.append(f"database.host{_texts.repeated(name)}: {missing}. {remedy}")
    written = {option for change in made.changes for option in change.fields}
    warnings += _connection_warnings(wanted, after, written)
    return replace(
        made,
        warnings=(*live.unseen, *made.warnings, *warnings),
        problems=(*made.problems, *_bundle_problems(wanted, live), *problems),
        incomplete=incomplete,
        kept=tuple({"kind": change.kind, "name": change.name, "reason": REASONS_TO_KEEP[change.action]} for change in made.leftovers),
        relied_on=tuple(found.object for found in referred if not found.live and DATABASE_MARK in found.name),
    )


def _creation(wanted: desired_state.Registry, live: live_state.Live) -> changeset.Plan:
    database = wanted.database or desired_state.Database()
    problems = [*_name_problems(wanted, live), *desired_state.creation_problems(wanted, live.names)]
    warnings = []
    if database.type is not None and database.type != _options.GENERATED and live.capabilities.has_metadata_server:
        problems += desired_state.metadata_server_problems(database.name)
    if database.type == _options.GENERATED and not live.capabilities.generates_databases:
        remedy = "Use an external database, or update the product to version 3.0 or later"
        problems.append(_errors.Problem("database.type", "is not supported by the operator in this cluster", remedy, _options.GENERATED))
    if wanted.name[:1].isdigit() and live.server < naming.LEADING_DIGIT:
        version = ".".join(map(str, live.server))
        problem = f"starts with a digit, which Kubernetes {version} does not allow in the name of a Service"
        problems.append(_errors.Problem("name", problem, "Start it with a letter", wanted.name))
    if database.type == _options.GENERATED:
        warnings.append(
            f"registry {wanted.name!r} uses a generated database, which is not intended for production: it is not backed up, and is deleted with the registry"
        )
    # Also with problems, because the rights that these requests need are checked all the same.
    changes = _content_changes(wanted, live, None)
    resource = prediction.resource_after(wanted, None, live.capabilities)
    section = custom_resource.SECTIONS[database.type or _options.MYSQL]
    options = [option for option, _path, _value in custom_resource.wanted_fields(wanted, {}, section)]
    fields = tuple(sorted({*options, *(["database.type"] if database.type == _options.GENERATED else [])}))
    after = custom_resource.flattened(custom_resource.registry_result(resource))
    changes.append(changeset.Change("create", kinds.KIND, wanted.namespace, wanted.name, fields, "POST", live.capabilities.api, resource, {}, after))
    secret_problems = password_plan.secret_problems(wanted, live, None)
    return changeset.Plan(tuple(changes), tuple(warnings), (*problems, *secret_problems), leftovers=password_plan.deletions_of_orphans(wanted, live, None))


def _edit(wanted: desired_state.Registry, live: live_state.Live, registry: manifests.Manifest, consent: desired_state.Consent, now: datetime) -> changeset.Plan:
    fields = prediction.field_changes(wanted, registry)
    problems = _edit_problems(wanted, live, registry, fields, consent)
    changes = _content_changes(wanted, live, registry)
    if fields:
        body = prediction.patch_of(fields)
        before = custom_resource.flattened(custom_resource.registry_result(registry))
        after = custom_resource.flattened(custom_resource.registry_result(manifests.patched(registry, body)))
        differing = {option for option in {*before, *after} if before.get(option) != after.get(option)}
        # A field may be written that the shape does not show, such as a half of a client certificate.
        names = tuple(sorted({option for option, _path, _value in fields} | differing))
        shown = [{option: shape[option] for option in shape if option in differing} for shape in (before, after)]
        changes.append(changeset.Change("update", kinds.KIND, wanted.namespace, wanted.name, names, "PATCH", live.capabilities.api, body, shown[0], shown[1]))
    warnings = []
    rolls_anyway = any(path[0] == "spec" for _option, path, _value in fields)
    reread = bool(live.foreseen) or any(change.kind in kinds.APIS for change in changes)
    outdated = not rolls_anyway and restarts.is_outdated(live, _sources(live), reread)
    if outdated and consent.restart:
        changes.append(restarts.restart_of(wanted, now, live.deployment))
    elif outdated:
        warnings.append(
            f"the server of registry {wanted.name!r} started before the password or certificates that it uses were changed: run again without `restart: false`"
        )
    if fields:
        warnings += ownership.tool_warnings(registry)
    orphans = password_plan.deletions_of_orphans(wanted, live, registry)
    return changeset.Plan(tuple(changes), tuple(warnings), tuple(problems), outdated and not consent.restart, leftovers=orphans)


def _name_problems(wanted: desired_state.Registry, live: live_state.Live) -> list[_errors.Problem]:
    """What the operator would overwrite because of the registry's name."""
    present = [(kind, found) for (kind, _name), found in live.objects.items() if kind in ("Deployment", kinds.USER_GROUP) and found]
    conflict = ownership.name_conflict(wanted.name, live.neighbors, present) if dependencies.new_deployments(wanted, live.registry) else None
    return [name_problem(wanted.name, conflict)] if conflict else []


def name_problem(name: str, conflict: str) -> _errors.Problem:
    """A name with which the operator would overwrite something."""
    return _errors.Problem("name", f"cannot be used: the operator would overwrite {conflict}", "Choose another name", name)


def _sources(live: live_state.Live) -> Iterator[restarts.Source]:
    """The objects that the running server has read, as they are now, with the keys that it reads."""
    keys: dict[tuple[str, str], tuple[str, ...]] = {}
    for read in dependencies.references_of(live.registry or {}, live.registry):
        keys[read.object] = (*keys.get(read.object, ()), *read.keys)
    yield from ((source, keys.get(held, ())) for held, source in live.objects.items() if held[0] in kinds.APIS and source is not None)


def _edit_problems(
    wanted: desired_state.Registry,
    live: live_state.Live,
    registry: manifests.Manifest,
    fields: Iterable[custom_resource.FieldChange],
    consent: desired_state.Consent,
) -> list[_errors.Problem]:
    kind = prediction.type_after(wanted, registry)
    problems = []
    if registry["metadata"].get("deletionTimestamp"):
        problems.append(_errors.Problem("name", "is the name of a registry that is being deleted", "Run again after the deletion", wanted.name))
    if wanted.database is not None and wanted.database.type is None and kind is not None:
        problems += desired_state.database_problems(wanted.database, kind)
    if kind == _options.GENERATED and prediction.moves(wanted, registry) and not live.capabilities.generates_databases:
        problems.append(_errors.Problem("database.type", "is not supported by the operator in this cluster", "Use an external database", _options.GENERATED))
    if kind is None and wanted.database is not None:
        problems.append(
            _errors.Problem("database.type", "is required: the registry does not have a database yet", f"Set it to {_options.MYSQL} or {_options.POSTGRESQL}")
        )
    if prediction.moves(wanted, registry):
        problems += [*_name_problems(wanted, live), *desired_state.missing_problems(wanted.database)]
        if not consent.allow_data_change and custom_resource.live_type(registry) is not None:
            problems.append(_data_problem("database.type", kind, custom_resource.live_type(registry)))
    elif kind != _options.GENERATED and not consent.allow_data_change:
        present = custom_resource.live_database(registry)
        moving = [change for change in fields if change[0] in _options.BY_OPTION and _options.BY_OPTION[change[0]].is_place_of_data]
        problems += [_data_problem(option, value, present.get(path[-1])) for option, path, value in moving]
    named = wanted.database is not None and (wanted.database.name is not None or prediction.moves(wanted, registry))
    if live.capabilities.has_metadata_server and kind != _options.GENERATED and wanted.database is not None and named:
        problems += desired_state.metadata_server_problems(wanted.database.name)
    return [*problems, *password_plan.secret_problems(wanted, live, registry)]


def _data_problem(option: str, value: Any, live: Any) -> _errors.Problem:
    remedy = (
        "Omit it to keep the current value, move the registry with its models with the module model_registry_migrate, or set allow_data_change to true to leave"
        " the models behind"
    )
    return _errors.Problem(option, f"differs from the current value{_texts.repeated(live)}, so all models would no longer be visible", remedy, value)


def _content_changes(wanted: desired_state.Registry, live: live_state.Live, registry: manifests.Manifest | None) -> list[changeset.Change]:
    """What writes into a ConfigMap or Secret that the server reads."""
    return [*_bundle_changes(wanted, live), *password_plan.secret_changes(wanted, live, registry)]


def _bundle_changes(wanted: desired_state.Registry, live: live_state.Live) -> list[changeset.Change]:
    """What writes the certificates that the options hold into the ConfigMap that they belong into."""
    ca = wanted.database.ca if wanted.database else None
    if ca is None or ca.pem is None or ca.reference is None:
        return []
    # Imported here: the library that reads certificates takes 45 ms to load, and most runs are given none.
    from . import bundle_place

    place, present = bundle_place.Place("ConfigMap", wanted.namespace, ca.reference), live.objects.get(("ConfigMap", ca.reference.name))
    changes = bundle_place.replacement(place, present, ca.pem, "database.ca")
    return [previous_value.keeping(change, present, ca.reference.key, [live], previous_value.login_of(live.registry)) for change in changes]


def _previous_values(
    wanted: desired_state.Registry, live: live_state.Live, referred: Iterable[dependencies.Reference], changes: Iterable[changeset.Change]
) -> list[changeset.Change]:
    """What removes the passwords and CA certificates that were replaced in place, from objects of ours that the registry reads after these changes."""
    patches = {(change.kind, change.name): change.body for change in changes}
    removals = []
    for found in referred:
        held = live.objects.get(found.object)
        if held is None:
            continue
        option = "database.password" if found.option == "database.password_secret" else found.option
        present = manifests.patched(held, patches.get(found.object, {}))
        kept = [key for key in found.keys if previous_value.is_kept(present, key)]
        if kept and ownership.owner_of(found.kind, held, wanted.name).is_ours:
            removals += [previous_value.removal(found.kind, present, key, option) for key in kept]
    return removals


def _bundle_problems(wanted: desired_state.Registry, live: live_state.Live) -> list[_errors.Problem]:
    """Certificates that would have to be written into a ConfigMap that neither the dashboard nor this collection made for this registry."""
    for change in _bundle_changes(wanted, live):
        present = live.objects.get(("ConfigMap", change.name))
        owner = None if present is None else ownership.owner_of("ConfigMap", present, wanted.name)
        if owner and not owner.is_ours:
            problem = f"cannot be written: ConfigMap {change.name!r} is {owner}"
            return [_errors.Problem("database.ca", problem, "Change the CA certificate where the ConfigMap is managed, and refer to it in database.ca")]
    return []


def _connection_warnings(wanted: desired_state.Registry, after: manifests.Manifest, written: set[str]) -> list[str]:
    """What is unsafe about the connection to the database that a registry will have; some of it only when these options are written."""
    kind, section = custom_resource.live_type(after), custom_resource.live_database(after)
    has_ca = any(section.get(key) for key in custom_resource.CA_KEYS.values())
    presented = [bool(section.get(key)) for key in _options.BY_OPTION["database.client_certificate"].keys]
    # Half of a client certificate turns on TLS for MySQL.
    if kind == _options.MYSQL and (has_ca or any(presented) or section.get("sslCipher")) and not section.get(custom_resource.VERIFY_SERVER_CERT):
        return [f"registry {wanted.name!r} encrypts the connection to its database, but does not verify the certificate: set database.verify_server_cert"]
    mode = section.get("sslMode") or "disable"
    # Both turn every mode into one that encrypts and does not verify the host name.
    is_overridden = has_ca or all(presented)
    if kind == _options.POSTGRESQL and not is_overridden and mode in ("disable", "allow", "prefer"):
        return [f"registry {wanted.name!r} does not require an encrypted connection to its database (ssl_mode {mode}): set database.ca, or ssl_mode to require"]
    if kind == _options.POSTGRESQL and is_overridden and mode == "verify-full":
        return [f"registry {wanted.name!r}: the product does not verify the host name in the certificate of PostgreSQL, even with ssl_mode verify-full"]
    if kind == _options.POSTGRESQL and has_ca and "database.ca" in written:
        return [f"registry {wanted.name!r}: the product verifies the CA of the certificate of PostgreSQL, regardless of ssl_mode, but not the host name"]
    return []


def needs_pods(wanted: desired_state.Registry, live: live_state.Live) -> bool:
    """Whether a plan depends on when the server was started: what it reads is to be written, or has been since there is a server at all.

    Pods are large, and mostly nothing was written since the Deployment was made.
    """
    if live.registry is None:
        return False
    made = manifests.at(live.deployment, ("metadata", "creationTimestamp"))
    return (
        made is None
        or bool(live.foreseen)
        or restarts.is_unread(live, _sources(live), manifests.parsed(made))
        or bool(_content_changes(wanted, live, live.registry))
    )
