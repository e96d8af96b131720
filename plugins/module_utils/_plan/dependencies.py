# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects that a registry refers to, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .. import _errors, _options, _texts
from .._model import credentials, custom_resource, desired_state, hosts, kinds, live_state, manifests, ownership, permissions
from . import password_plan, prediction

PEM_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


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


def references_of(resource: manifests.Manifest, registry: manifests.Manifest | None) -> list[Reference]:
    """What a registry reads that is to be like this. A generated database's Secret is the operator's."""
    after, before = custom_resource.live_database(resource), custom_resource.live_database(registry)
    found: dict[tuple[str, str, str], Reference] = {}
    for option, key in ((field.option, key) for field in _options.DATABASE_FIELDS for key in field.keys):
        held, kind = after.get(key), "ConfigMap" if key.endswith("ConfigMap") else "Secret"
        if isinstance(held, dict):
            live = before.get(key) == held
            same = found.get((option, kind, held["name"]))
            keys = (*same.keys, held["key"]) if same else (held["key"],)
            found[option, kind, held["name"]] = Reference(option, kind, held["name"], keys, live and (same is None or same.live))
    return list(found.values())


def needed_objects(wanted: desired_state.Registry, registry: manifests.Manifest | None, capabilities: kinds.Capabilities) -> list[tuple[str, str]]:
    """The kinds and names of the objects that a plan depends on."""
    needed = [found.object for found in references_of(prediction.resource_after(wanted, registry, capabilities), registry)]
    if prediction.type_after(wanted, registry) == _options.GENERATED and registry is not None:
        needed.append(("Secret", custom_resource.GeneratedDatabase(wanted.name).password_secret.name))
    needed += [("Deployment", name) for name in new_deployments(wanted, registry)]
    if registry is None:
        needed.append((kinds.USER_GROUP, permissions.own_group(wanted.name)))
    service = new_service(wanted, registry)
    return list(dict.fromkeys([*needed, *([("Service", service)] if service else [])]))


def new_deployments(wanted: desired_state.Registry, registry: manifests.Manifest | None) -> list[str]:
    """The Deployments that the operator will write because of this plan."""
    of_database = [custom_resource.GeneratedDatabase(wanted.name).host] if generates_database(wanted, registry) else []
    return [*([wanted.name] if registry is None else []), *of_database]


def generates_database(wanted: desired_state.Registry, registry: manifests.Manifest | None) -> bool:
    """Whether the operator will make a database for the registry that it does not have yet."""
    return prediction.type_after(wanted, registry) == _options.GENERATED and (registry is None or prediction.moves(wanted, registry))


def needs_password_secrets(wanted: desired_state.Registry, registry: manifests.Manifest | None) -> bool:
    """Whether Secrets for this registry's password can be there that nobody uses: its password is elsewhere, or it has none."""
    named = prediction.password_reference(wanted, registry)
    moves = registry is None or custom_resource.live_database(registry).get("passwordSecret") != named
    if not moves and not ownership.gave_database(registry):
        return False
    given = wanted.database is not None and wanted.database.password_secret is not None
    return (given and moves) or named is None or not ownership.is_named_as_ours(named["name"], wanted.name)


def new_service(wanted: desired_state.Registry, registry: manifests.Manifest | None) -> str | None:
    """The Service that a host is which this plan sets, with its namespace behind a dot when that is another one; None for other hosts."""
    host = wanted.database.host if wanted.database else None
    present = custom_resource.live_database(registry).get("host")
    service = hosts.service_of(host, wanted.namespace) if host else None
    if service is None or host is None or (present and hosts.same_host(host, present, wanted.namespace)):
        return None
    namespace, name = service
    return name if namespace == wanted.namespace else f"{name}.{namespace}"


def reference_problems(
    wanted: desired_state.Registry, live: live_state.Live, referred: Iterable[Reference], writes: bool
) -> tuple[list[_errors.Problem], list[str], bool]:
    """References that nothing good stands behind: a problem where this call gives them, otherwise a warning; and whether there is nothing at all."""
    problems: list[_errors.Problem] = []
    warnings: list[str] = []
    incomplete = False
    written = {change.name for change in password_plan.secret_changes(wanted, live, live.registry)}
    database = wanted.database or desired_state.Database()
    kind = prediction.type_after(wanted, live.registry) or _options.MYSQL
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
        if wanted.value(found.option) is not None and (writes or not found.live):
            problems.append(_errors.Problem(found.option, problem, f"{remedy}; nothing was written", found.name))
        else:
            held = live.objects.get(found.object)
            incomplete = incomplete or held is None or not set(found.keys) <= set(manifests.keys_of(held))
            warnings.append(f"registry {wanted.name!r}: {found.option} refers to {found.kind} {found.name!r}: {problem}. {remedy}.")
    return problems, warnings, incomplete


def _reference_problem(found: Reference, held: manifests.Manifest | None, kind: str, capabilities: kinds.Capabilities) -> tuple[str, str] | None:
    """(problem, remedy) of a reference, or None when it is good."""
    if held is None:
        return f"the {found.kind} does not exist in the namespace of the registry", "Create it, or set another name"
    present = ownership.own_keys(held)
    for key in found.keys:
        if key not in present:
            return f"the {found.kind} does not have the key{_texts.repeated(key)} (keys: {', '.join(present) or 'none'})", "Set one of its keys"
    if found.option == "database.password_secret":
        return _held_password_problem(manifests.decoded(held, found.keys[0]), kind, capabilities)
    if found.option == "database.ca" and PEM_CERTIFICATE not in (manifests.text_of(found.kind, held, found.keys[0]) or ""):
        return f"its key{_texts.repeated(found.keys[0])} contains no PEM certificate", "Store the CA certificate in it, or set another key"
    return None


def _held_password_problem(stored: str | None, kind: str, capabilities: kinds.Capabilities) -> tuple[str, str] | None:
    if not stored:
        return "its key contains no password", "Store the password in it"
    if stored.endswith(("\n", "\r")):
        return (
            "its password ends with a line break, and the database will reject it",
            "Store it without the line break, for example with `printf` instead of `echo`",
        )
    if kind == _options.POSTGRESQL and capabilities.password_in_url and credentials.breaks_url(stored):
        return "its password contains a character that prevents the registry server from starting", "Store it percent-encoded"
    if kind == _options.MYSQL and "?" in stored:
        return "its password contains a question mark, which prevents the registry server from starting", "Choose another password"
    return None
