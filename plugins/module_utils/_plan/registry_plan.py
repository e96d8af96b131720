# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wanted against live: the ordered list of changes that makes a cluster what it is wanted to be."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors, _options, _texts
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import (
    credentials,
    custom_resource,
    desired_state,
    hosts,
    kinds,
    live_state,
    manifests,
    naming,
    ownership,
    passwords,
    server_pods,
)

MASK = "********"
# A ConfigMap or Secret, and those of its keys that a server reads; none stands for all.
Source = tuple[manifests.Manifest, Collection[str]]
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
# As managedFields name them.
POD_TEMPLATE = ("f:spec", "f:template")
RESTART_MARK = (*POD_TEMPLATE, "f:metadata", "f:annotations", f"f:{RESTARTED_AT}")
PEM_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
# In every name that the dashboard or this collection gives to a Secret or ConfigMap of a registry.
DATABASE_MARK = "db-"
STILL_NEEDED = "the registry has not been seen available without it; a later run deletes it when the registry is available"


@dataclass(frozen=True)
class Reference:
    """Keys of an object that a registry reads, and the option that says so. `live`: the registry names them already."""

    option: str
    kind: str
    name: str
    keys: tuple[str, ...]
    live: bool

    @property
    def object(self) -> tuple[str, str]:
        """The kind and name of the object."""
        return self.kind, self.name


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

    def result(self, unverified: bool) -> manifests.Manifest:
        """The change as results show it."""
        shown: manifests.Manifest = {
            "action": self.action,
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "fields": list(self.fields),
        }
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


def resource_after(wanted: desired_state.Registry, registry: manifests.Manifest | None, capabilities: kinds.Capabilities) -> manifests.Manifest:
    """The custom resource once the plan is carried out."""
    if registry is None:
        return custom_resource.new(wanted, password_reference(wanted, None), capabilities.api_version, capabilities.authentication)
    return manifests.patched(registry, _patch(_field_changes(wanted, registry)))


def password_reference(wanted: desired_state.Registry, registry: manifests.Manifest | None) -> dict[str, str] | None:
    """The Secret and key that the registry reads its password from once the plan is carried out; None when it needs no password."""
    database = wanted.database or desired_state.Database()
    present: dict[str, str] | None = custom_resource.live_database(registry).get("passwordSecret")
    if _type_after(wanted, registry) == _options.GENERATED:
        return None
    if database.password_secret is not None:
        return custom_resource.reference(database.password_secret)
    if present and (not _moves(wanted, registry) or ownership.is_named_as_ours(present["name"], wanted.name)):
        return present
    if registry is None or _moves(wanted, registry) or database.password is not None:
        return credentials.default_password_secret(wanted)
    return None


def references(wanted: desired_state.Registry, registry: manifests.Manifest | None, capabilities: kinds.Capabilities) -> list[Reference]:
    """What the registry reads once the plan is carried out. A generated database's Secret is the operator's."""
    return _references(resource_after(wanted, registry, capabilities), registry)


def _references(resource: manifests.Manifest, registry: manifests.Manifest | None) -> list[Reference]:
    after, before = custom_resource.live_database(resource), custom_resource.live_database(registry)
    found: dict[tuple[str, str, str], Reference] = {}
    for option, kind, key in (
        ("database.password_secret", "Secret", "passwordSecret"),
        *(("database.ca", kind, key) for kind, key in custom_resource.CA_KEYS.items()),
        *(("database.client_certificate", "Secret", key) for key in custom_resource.CERTIFICATE_KEYS),
    ):
        held = after.get(key)
        if held:
            live = before.get(key) == held
            same = found.get((option, kind, held["name"]))
            keys = (*same.keys, held["key"]) if same else (held["key"],)
            found[option, kind, held["name"]] = Reference(option, kind, held["name"], keys, live and (same is None or same.live))
    return list(found.values())


def needed_objects(wanted: desired_state.Registry, registry: manifests.Manifest | None, capabilities: kinds.Capabilities) -> list[tuple[str, str]]:
    """The kinds and names of the objects that a plan depends on."""
    needed = [found.object for found in references(wanted, registry, capabilities)]
    if _type_after(wanted, registry) == _options.GENERATED and registry is not None:
        needed.append(("Secret", custom_resource.GeneratedDatabase(wanted.name).password_secret.name))
    needed += [("Deployment", name) for name in _new_deployments(wanted, registry)]
    service = _new_service(wanted, registry)
    return list(dict.fromkeys([*needed, *([("Service", service)] if service else [])]))


def _new_deployments(wanted: desired_state.Registry, registry: manifests.Manifest | None) -> list[str]:
    """The Deployments that the operator will write because of this plan."""
    of_database = [custom_resource.GeneratedDatabase(wanted.name).host] if generates_database(wanted, registry) else []
    return [*([wanted.name] if registry is None else []), *of_database]


def generates_database(wanted: desired_state.Registry, registry: manifests.Manifest | None) -> bool:
    """Whether the operator will make a database for the registry that it does not have yet."""
    return _type_after(wanted, registry) == _options.GENERATED and (registry is None or _moves(wanted, registry))


def needs_password_secrets(wanted: desired_state.Registry, registry: manifests.Manifest | None) -> bool:
    """Whether Secrets for this registry's password can be there that nobody uses: its password is elsewhere, or it has none."""
    named = password_reference(wanted, registry)
    moves = registry is None or custom_resource.live_database(registry).get("passwordSecret") != named
    if not moves and not ownership.gave_database(registry):
        return False
    given = wanted.database is not None and wanted.database.password_secret is not None
    return (given and moves) or named is None or not ownership.is_named_as_ours(named["name"], wanted.name)


def plan(wanted: desired_state.Registry, live: live_state.Live, consent: desired_state.Consent, now: datetime) -> Plan:
    """The changes from `live` to `wanted`, or the problems for which they cannot be carried out or must not."""
    made = _creation(wanted, live) if live.registry is None else _edit(wanted, live, live.registry, consent, now)
    # A restart writes nothing that refers to anything.
    writes = any(change.action in ("create", "update") for change in made.changes)
    after = resource_after(wanted, live.registry, live.capabilities)
    referred = _references(after, live.registry)
    problems, warnings, incomplete = _reference_problems(wanted, live, referred, writes)
    if incomplete and any(change.action == "restart" for change in made.changes):
        made = replace(made, changes=tuple(change for change in made.changes if change.action != "restart"), restart_needed=True)
        warnings.append(f"the server of registry {wanted.name!r} is older than what it reads, and not restarted, because it would not come up again")
    service = _new_service(wanted, live.registry)
    if service and live.objects.get(("Service", service), {}) is None:
        name, _dot, namespace = service.partition(".")
        remedy = "correct database.host or database.namespace" if namespace else "set database.namespace when it is in another one"
        missing = f"there is no such Service in namespace {namespace or wanted.namespace!r}"
        warnings.append(f"database.host{_texts.repeated(name)}: {missing}; {remedy}")
    written = {option for change in made.changes for option in change.fields}
    warnings += _connection_warnings(wanted, after, written)
    return replace(
        made,
        warnings=(*live.unseen, *made.warnings, *warnings),
        problems=(*made.problems, *_bundle_problems(wanted, live), *problems),
        incomplete=incomplete,
        kept=tuple({"kind": change.kind, "name": change.name, "reason": STILL_NEEDED} for change in made.leftovers),
        relied_on=tuple(found.object for found in referred if not found.live and DATABASE_MARK in found.name),
    )


def _type_after(wanted: desired_state.Registry, registry: manifests.Manifest | None) -> str | None:
    return (wanted.database.type if wanted.database else None) or custom_resource.live_type(registry)


def _moves(wanted: desired_state.Registry, registry: manifests.Manifest | None) -> bool:
    """Whether the registry is to use a database of another type than now, or a first one."""
    return registry is not None and _type_after(wanted, registry) != custom_resource.live_type(registry)


def _new_service(wanted: desired_state.Registry, registry: manifests.Manifest | None) -> str | None:
    """The Service that a host is which this plan sets, with its namespace behind a dot when that is another one; None for other hosts."""
    host = wanted.database.host if wanted.database else None
    present = custom_resource.live_database(registry).get("host")
    service = hosts.service_of(host, wanted.namespace) if host else None
    if service is None or host is None or (present and hosts.same_host(host, present, wanted.namespace)):
        return None
    namespace, name = service
    return name if namespace == wanted.namespace else f"{name}.{namespace}"


def _field_changes(wanted: desired_state.Registry, registry: manifests.Manifest) -> list[custom_resource.FieldChange]:
    if _moves(wanted, registry):
        return custom_resource.moved_fields(wanted, registry, password_reference(wanted, registry))
    kind = custom_resource.live_type(registry)
    fields = custom_resource.wanted_fields(wanted, registry, custom_resource.SECTIONS[kind or _options.MYSQL])
    password = password_reference(wanted, registry)
    path = ("spec", custom_resource.SECTIONS[kind or _options.MYSQL], "passwordSecret")
    if password is not None and manifests.at(registry, path) is None and not any(changed == path for _option, changed, _value in fields):
        fields.append(("database.password", path, password))
    return fields


def _patch(fields: Iterable[custom_resource.FieldChange]) -> manifests.Manifest:
    body: manifests.Manifest = {}
    for _option, path, value in fields:
        body = manifests.merged(body, manifests.nested(path, value))
    return body


def _creation(wanted: desired_state.Registry, live: live_state.Live) -> Plan:
    database = wanted.database or desired_state.Database()
    problems = [*_name_problems(wanted, live), *desired_state.creation_problems(wanted, live.names)]
    warnings = []
    if database.type is not None and database.type != _options.GENERATED and live.capabilities.has_metadata_server:
        problems += desired_state.metadata_server_problems(database.name)
    if database.type == _options.GENERATED and not live.capabilities.generates_databases:
        remedy = "Give an external database, or update the product to 3.0 or newer"
        problems.append(_errors.Problem("database.type", "is not known to this cluster's operator", remedy, _options.GENERATED))
    if wanted.name[:1].isdigit() and live.server < naming.LEADING_DIGIT:
        version = ".".join(map(str, live.server))
        problem = f"begins with a digit, and this cluster's Kubernetes {version} refuses a Service of that name"
        problems.append(_errors.Problem("name", problem, "Let it begin with a letter", wanted.name))
    if problems:
        # The rights are checked all the same, by the requests that the creation needs.
        database = replace(database, type=database.type or _options.MYSQL)
    if database.type == _options.GENERATED:
        warnings.append(
            f"registry {wanted.name!r} gets a generated database, which is not for production: nobody backs it up, and it is deleted with the registry"
        )
    changes = [*_bundle_changes(wanted, live), *_secret_changes(replace(wanted, database=database), live, None)]
    resource = resource_after(replace(wanted, database=database), None, live.capabilities)
    section = custom_resource.SECTIONS[database.type or _options.MYSQL]
    options = [option for option, _path, _value in custom_resource.wanted_fields(wanted, {}, section)]
    fields = tuple(sorted({*options, *(["database.type"] if database.type == _options.GENERATED else [])}))
    after = custom_resource.flattened(custom_resource.registry_result(resource))
    changes.append(Change("create", kinds.KIND, wanted.namespace, wanted.name, fields, "POST", live.capabilities.api, resource, {}, after))
    secret_problems = _secret_problems(wanted, live, None)
    return Plan(tuple(changes), tuple(warnings), (*problems, *secret_problems), leftovers=_deletions_of_orphans(wanted, live, None))


def _edit(wanted: desired_state.Registry, live: live_state.Live, registry: manifests.Manifest, consent: desired_state.Consent, now: datetime) -> Plan:
    fields = _field_changes(wanted, registry)
    problems = _edit_problems(wanted, live, registry, fields, consent)
    changes = _content_changes(wanted, live, registry)
    if fields:
        body = _patch(fields)
        before = custom_resource.flattened(custom_resource.registry_result(registry))
        after = custom_resource.flattened(custom_resource.registry_result(manifests.patched(registry, body)))
        differing = {option for option in {*before, *after} if before.get(option) != after.get(option)}
        # A field may be written that the shape does not show, such as a half of a client certificate.
        names = tuple(sorted({option for option, _path, _value in fields if option != "database.type"} | differing))
        shown = [{option: shape[option] for option in shape if option in differing} for shape in (before, after)]
        changes.append(Change("update", kinds.KIND, wanted.namespace, wanted.name, names, "PATCH", live.capabilities.api, body, shown[0], shown[1]))
    warnings = []
    rolls_anyway = any(path[0] == "spec" for _option, path, _value in fields)
    reread = bool(live.foreseen) or any(change.kind in kinds.APIS and change.action != "delete" for change in changes)
    outdated = not rolls_anyway and is_outdated(live, _sources(live), reread)
    if outdated and consent.restart:
        changes.append(restart_of(wanted, now, live.deployment))
    elif outdated:
        warnings.append(f"the server of registry {wanted.name!r} is older than the password or certificates that it reads: run again without `restart: false`")
    leftovers = _deletions_of_orphans(wanted, live, registry)
    return Plan(tuple(changes), tuple(warnings), tuple(problems), outdated and not consent.restart, leftovers=leftovers)


def _name_problems(wanted: desired_state.Registry, live: live_state.Live) -> list[_errors.Problem]:
    """What the operator would overwrite because of the registry's name."""
    deployments = [found for (kind, _name), found in live.objects.items() if kind == "Deployment" and found]
    conflict = ownership.name_conflict(wanted.name, live.neighbors, deployments) if _new_deployments(wanted, live.registry) else None
    return [name_problem(wanted.name, conflict)] if conflict else []


def name_problem(name: str, conflict: str) -> _errors.Problem:
    """A name with which the operator would overwrite something."""
    return _errors.Problem("name", f"cannot be used: the operator would overwrite {conflict}", "Choose another name", name)


def _sources(live: live_state.Live) -> list[Source]:
    """The objects that the running server has read, as they are now, with the keys that it reads."""
    keys: dict[tuple[str, str], tuple[str, ...]] = {}
    for read in _references(live.registry or {}, live.registry):
        keys[read.object] = (*keys.get(read.object, ()), *read.keys)
    return [(source, keys.get(held, ())) for held, source in live.objects.items() if held[0] in kinds.APIS and source is not None]


def _edit_problems(
    wanted: desired_state.Registry,
    live: live_state.Live,
    registry: manifests.Manifest,
    fields: Iterable[custom_resource.FieldChange],
    consent: desired_state.Consent,
) -> list[_errors.Problem]:
    kind = _type_after(wanted, registry)
    problems = []
    if registry["metadata"].get("deletionTimestamp"):
        problems.append(_errors.Problem("name", "belongs to a registry that is being deleted", "Run again when it is gone", wanted.name))
    if wanted.database is not None and wanted.database.type is None and kind is not None:
        problems += desired_state.database_problems(wanted.database, kind)
    if kind == _options.GENERATED and _moves(wanted, registry) and not live.capabilities.generates_databases:
        problems.append(_errors.Problem("database.type", "is not known to this cluster's operator", "Give an external database", _options.GENERATED))
    if kind is None and wanted.database is not None:
        problems.append(
            _errors.Problem(
                "database.type",
                "is missing, and the live registry has no database that would tell",
                f"Set it to {_options.MYSQL} or {_options.POSTGRESQL}",
            )
        )
    if _moves(wanted, registry):
        problems += [*_name_problems(wanted, live), *desired_state.missing_problems(wanted.database)]
        if not consent.allow_data_change and custom_resource.live_type(registry) is not None:
            problems.append(_data_problem("database.type", kind, custom_resource.live_type(registry)))
    elif kind != _options.GENERATED and not consent.allow_data_change:
        present = custom_resource.live_database(registry)
        problems += [_data_problem(option, value, present.get(path[-1])) for option, path, value in fields if option in ("database.host", "database.name")]
    named = wanted.database is not None and (wanted.database.name is not None or _moves(wanted, registry))
    if live.capabilities.has_metadata_server and kind != _options.GENERATED and wanted.database is not None and named:
        problems += desired_state.metadata_server_problems(wanted.database.name)
    return [*problems, *_secret_problems(wanted, live, registry)]


def _data_problem(option: str, value: Any, live: Any) -> _errors.Problem:
    remedy = "Leave it out to keep the live one, or set allow_data_change to true when the models are to stay behind"
    return _errors.Problem(option, f"is another one than the live{_texts.repeated(live)}, so that all models would seem to vanish", remedy, value)


def _content_changes(wanted: desired_state.Registry, live: live_state.Live, registry: manifests.Manifest | None) -> list[Change]:
    """What writes into a ConfigMap or Secret that the server reads."""
    return [*_bundle_changes(wanted, live), *_secret_changes(wanted, live, registry)]


def _bundle_changes(wanted: desired_state.Registry, live: live_state.Live) -> list[Change]:
    """What writes the certificates that the options hold into the ConfigMap that they belong into."""
    ca = wanted.database.ca if wanted.database else None
    if ca is None or ca.pem is None or ca.reference is None:
        return []
    # Imported here: Ansible sends the modules' files without their compiled form, so that each of them costs every run that imports it.
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import bundle_place

    return bundle_place.replacement(
        bundle_place.Place("ConfigMap", wanted.namespace, ca.reference), live.objects.get(("ConfigMap", ca.reference.name)), ca.pem, "database.ca"
    )


def _bundle_problems(wanted: desired_state.Registry, live: live_state.Live) -> list[_errors.Problem]:
    """Certificates that would have to be written into a ConfigMap that neither the dashboard nor this collection made for this registry."""
    for change in _bundle_changes(wanted, live):
        present = live.objects.get(("ConfigMap", change.name))
        owner = None if present is None else ownership.owner_of("ConfigMap", present, wanted.name)
        if owner and not owner.is_ours:
            problem = f"cannot be written: ConfigMap {change.name!r} is {owner}"
            return [_errors.Problem("database.ca", problem, "Change the CA certificate where that ConfigMap is created, and name it in database.ca")]
    return []


def _secret_changes(wanted: desired_state.Registry, live: live_state.Live, registry: manifests.Manifest | None) -> list[Change]:
    """What writes another password into the registry's Secret, or makes that Secret."""
    database, named = wanted.database or desired_state.Database(), password_reference(wanted, registry)
    if database.password is None or named is None:
        return []
    in_url = _type_after(wanted, registry) == _options.POSTGRESQL and live.capabilities.password_in_url
    password = passwords.stored_password(database.password, in_url)
    present = live.objects.get(("Secret", named["name"]))
    if present is None:
        section = custom_resource.live_database(registry)
        complete = replace(database, username=database.username or section.get("username"), name=database.name or section.get("database"))
        body = credentials.password_secret(wanted, named["name"], complete, password)
        body["data"][named["key"]] = manifests.encoded(password)
        return [_secret_change("create", "POST", wanted, named["name"], body)]
    stored = manifests.decoded(present, named["key"])
    if stored is not None and passwords.means_password(stored, database.password, in_url):
        return []
    # Not over a password that another process has written since this one was read.
    body = {"metadata": {"resourceVersion": present["metadata"].get("resourceVersion")}, "data": {named["key"]: manifests.encoded(password)}}
    return [_secret_change("update", "PATCH", wanted, named["name"], body)]


def _secret_change(action: str, verb: str, wanted: desired_state.Registry, name: str, body: manifests.Manifest) -> Change:
    # A new masked value must differ from the old one, or a diff would not show that there is a change.
    before = {} if action == "create" else {"database.password": MASK}
    after = {"database.password": MASK if action == "create" else f"{MASK} (changed)"}
    return Change(action, "Secret", wanted.namespace, name, ("database.password",), verb, kinds.SECRETS, body, before, after)


def _secret_problems(wanted: desired_state.Registry, live: live_state.Live, registry: manifests.Manifest | None) -> list[_errors.Problem]:
    """A password that would have to be written into a Secret that neither the dashboard nor this collection made for this registry."""
    for change in _secret_changes(wanted, live, registry):
        present = live.objects.get(("Secret", change.name))
        owner = None if present is None else ownership.owner_of("Secret", present, wanted.name)
        if not ownership.is_named_as_ours(change.name, wanted.name) or (owner and not owner.is_ours):
            reason = f"is {owner}" if owner and not owner.is_ours else "does not exist, and its name is not one that this collection gives"
            remedy = "Change the password where that Secret is created and omit database.password, or name another Secret in database.password_secret"
            return [_errors.Problem("database.password", f"cannot be written: Secret {change.name!r} {reason}", remedy)]
    return []


def _deletions_of_orphans(wanted: desired_state.Registry, live: live_state.Live, registry: manifests.Manifest | None) -> tuple[Change, ...]:
    """What removes the Secrets that were made for this registry's password and that it does not read any more."""
    named = password_reference(wanted, registry) or {}
    kept = {*live.used_secrets, named.get("name")}
    return tuple(
        deletion("Secret", kinds.SECRETS, secret)
        for secret in live.password_secrets
        if secret["metadata"]["name"] not in kept and ownership.owner_of("Secret", secret, wanted.name).is_ours
    )


def deletion(kind: str, api: tuple[str, str], manifest: manifests.Manifest) -> Change:
    """What deletes this very object as it was read, and no other that has got its name since."""
    metadata = manifest["metadata"]
    # A registry goes whatever was written into it since, and its operator writes into it all the time.
    same = {"uid"} if kind == kinds.KIND else {"uid", "resourceVersion"}
    body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {key: metadata[key] for key in sorted(same & metadata.keys())}}
    shown = {f"{kind} {metadata['name']}": "present"}
    return Change("delete", kind, metadata.get("namespace", ""), metadata["name"], (), "DELETE", api, body, shown)


# What a registry refers to


def _reference_problems(
    wanted: desired_state.Registry, live: live_state.Live, referred: Iterable[Reference], writes: bool
) -> tuple[list[_errors.Problem], list[str], bool]:
    """References that nothing good stands behind: a problem where this call gives them, otherwise a warning; and whether there is nothing at all."""
    problems: list[_errors.Problem] = []
    warnings: list[str] = []
    incomplete = False
    written = {change.name for change in _secret_changes(wanted, live, live.registry)}
    database = wanted.database or desired_state.Database()
    given = {
        "database.password_secret": database.password_secret,
        "database.ca": database.ca,
        "database.client_certificate": database.client_certificate,
    }
    kind = _type_after(wanted, live.registry) or _options.MYSQL
    for found in referred:
        made_by_us = found.option == "database.password_secret" and database.password_secret is None and not found.live
        if made_by_us or (found.option == "database.password_secret" and found.name in written):
            continue
        if found.option == "database.ca" and database.ca is not None and database.ca.pem is not None:
            continue
        wrong = _reference_problem(found, live.objects.get(found.object), kind, live.capabilities)
        if wrong is None:
            continue
        problem, remedy = wrong
        # A registry that has always named it is no reason to refuse a run that writes nothing; what it says is still not true.
        if given[found.option] is not None and (writes or not found.live):
            problems.append(_errors.Problem(found.option, problem, f"{remedy}; nothing was written", found.name))
        else:
            held = live.objects.get(found.object)
            incomplete = incomplete or held is None or not set(found.keys) <= set(manifests.keys_of(held))
            warnings.append(f"registry {wanted.name!r}: {found.option} names {found.kind} {found.name!r}, and {problem}. {remedy}.")
    return problems, warnings, incomplete


def _reference_problem(found: Reference, held: manifests.Manifest | None, kind: str, capabilities: kinds.Capabilities) -> tuple[str, str] | None:
    """(problem, remedy) of a reference, or None when it is good."""
    if held is None:
        return f"there is no such {found.kind} in the namespace of the registry", "Create it, or name another one"
    present = manifests.keys_of(held)
    for key in found.keys:
        if key not in present:
            return f"the {found.kind} has no key{_texts.repeated(key)}, it has: {', '.join(present) or 'none'}", "Name one of its keys"
    if found.option == "database.password_secret":
        return _held_password_problem(manifests.decoded(held, found.keys[0]), kind, capabilities)
    if found.option == "database.ca" and PEM_CERTIFICATE not in (manifests.text_of(found.kind, held, found.keys[0]) or ""):
        return f"its key{_texts.repeated(found.keys[0])} holds no PEM certificate", "Put the CA's certificate there, or name another key"
    return None


def _held_password_problem(stored: str | None, kind: str, capabilities: kinds.Capabilities) -> tuple[str, str] | None:
    if not stored:
        return "its key holds no password", "Put the password there"
    if stored.endswith(("\n", "\r")):
        return "the password in it ends with a line break, with which the database refuses it", "Store it without, for example with `printf` in place of `echo`"
    if kind == _options.POSTGRESQL and capabilities.password_in_url and passwords.breaks_url(stored):
        return "the password in it has a character with which the registry server does not start", "Percent-encode it there"
    if kind == _options.MYSQL and "?" in stored:
        return "the password in it has a question mark, with which the registry server does not start", "Choose another password"
    return None


def _connection_warnings(wanted: desired_state.Registry, after: manifests.Manifest, written: set[str]) -> list[str]:
    """What is unsafe about the connection to the database that a registry will have; some of it only when these options are written."""
    kind, section = custom_resource.live_type(after), custom_resource.live_database(after)
    has_ca = any(section.get(key) for key in custom_resource.CA_KEYS.values())
    if kind == _options.MYSQL and has_ca and not section.get(custom_resource.VERIFY_SERVER_CERT):
        return [
            f"registry {wanted.name!r} encrypts the connection to its database, but does not check the database's certificate: set database.verify_server_cert"
        ]
    mode = section.get("sslMode") or "disable"
    if kind == _options.POSTGRESQL and not has_ca and mode in ("disable", "allow", "prefer"):
        return [f"registry {wanted.name!r} need not encrypt its connection to the database (ssl_mode {mode}): set database.ca, or ssl_mode to require"]
    if kind == _options.POSTGRESQL and mode == "verify-full":
        return [f"registry {wanted.name!r}: the product never checks the host name of PostgreSQL's certificate, also not with ssl_mode verify-full"]
    if kind == _options.POSTGRESQL and has_ca and "database.ca" in written:
        return [f"registry {wanted.name!r}: the product checks that the CA signed PostgreSQL's certificate, whatever ssl_mode says, but never its host name"]
    return []


# Restarts


def restart_of(wanted: desired_state.Registry, now: datetime, deployment: manifests.Manifest | None) -> Change:
    """What restarts a registry's server, whose Deployment this is."""
    stamp = now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    last = manifests.at(deployment, ("spec", "template", "metadata", "annotations", RESTARTED_AT))
    if last == stamp:
        # Of the same second: the same stamp once more would restart nothing.
        stamp = (now.astimezone(timezone.utc) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = manifests.nested(("spec", "template", "metadata", "annotations", RESTARTED_AT), stamp)
    return Change("restart", "Deployment", wanted.namespace, wanted.name, (), "PATCH", kinds.DEPLOYMENTS, body)


def is_outdated(live: live_state.Live, sources: Iterable[Source], about_to_change: bool = False) -> bool:
    """Whether the server is older than the data of a Secret or ConfigMap that it reads, or will be, and is not being replaced already."""
    newest = server_pods.newest_pod(live.pods)
    start = None if newest is None else _earliest_start(newest)
    if start is None:
        # A server that was never started reads everything when it is.
        return False
    if about_to_change:
        return True
    return _is_unread(live, sources, start)


def needs_pods(wanted: desired_state.Registry, live: live_state.Live) -> bool:
    """Whether a plan depends on when the server was started: what it reads is to be written, or has been since there is a server at all.

    Pods are large, and mostly nothing was written since the Deployment was made.
    """
    if live.registry is None:
        return False
    made = manifests.at(live.deployment, ("metadata", "creationTimestamp"))
    return (
        made is None or bool(live.foreseen) or _is_unread(live, _sources(live), manifests.parsed(made)) or bool(_content_changes(wanted, live, live.registry))
    )


def _is_unread(live: live_state.Live, sources: Iterable[Source], start: datetime) -> bool:
    """Whether data was written after a server's start, and the server was not restarted for it."""
    asked, rolled = _newest_change(live.deployment, RESTART_MARK), _newest_change(live.deployment, POD_TEMPLATE)
    return any(_is_newer(source, keys, start, rolled) and not (asked and asked >= changed_at(source, keys)) for source, keys in sources)


def _earliest_start(pod: manifests.Manifest) -> datetime | None:
    """The earliest time by the API server's clock at which the registry server of a pod can have been started last.

    The clock of a node may be ahead or behind. How long after the node had seen the pod it started the server is right by any clock.
    """
    started, created, seen = server_pods.server_start(pod), manifests.at(pod, ("metadata", "creationTimestamp")), manifests.at(pod, ("status", "startTime"))
    if started is None or created is None:
        return started
    return max(manifests.parsed(created), min(started, manifests.parsed(created) + (started - manifests.parsed(seen or started.isoformat()))))


def _newest_change(deployment: manifests.Manifest | None, fields: tuple[str, ...]) -> datetime | None:
    """When one of these fields of a Deployment was last changed, by the API server's clock: a stamp in it would be of another one."""
    entries = manifests.at(deployment, ("metadata", "managedFields")) or []
    return max(
        (manifests.parsed(entry["time"]) for entry in entries if "time" in entry and manifests.at(entry, ("fieldsV1", *fields)) is not None), default=None
    )


def changed_at(source: manifests.Manifest, keys: Collection[str] = ()) -> datetime:
    """When these keys of a Secret or ConfigMap were last written, or any of its data.

    A field manager has one time for all that it wrote: a key can seem to be newer than it is, but never older.
    """
    entries = [
        entry
        for entry in source["metadata"].get("managedFields") or []
        if "time" in entry and not ownership.DATA_FIELDS.isdisjoint(entry.get("fieldsV1") or {})
    ]
    writers = {key: [entry for entry in entries if any(f"f:{key}" in (part or {}) for part in entry["fieldsV1"].values())] for key in keys}
    if writers and all(writers.values()):
        entries = [entry for found in writers.values() for entry in found]
    return max((manifests.parsed(entry["time"]) for entry in entries), default=manifests.parsed(source["metadata"]["creationTimestamp"]))


def _is_newer(source: manifests.Manifest, keys: Collection[str], start: datetime, rolled: datetime | None) -> bool:
    changed, created = changed_at(source, keys), manifests.parsed(source["metadata"]["creationTimestamp"])
    # All times are whole seconds. In the same second the data counts as newer only if it was written again after the object was made, and the
    # server was not replaced in that second too, as it is after a change of the password together with the login.
    return changed > start or (changed == start and changed > created and not (rolled and rolled >= changed))
