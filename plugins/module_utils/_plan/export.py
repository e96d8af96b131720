# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A live registry as the options that describe it: such that a run with them refuses nothing and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .. import _errors, _options
from .._model import custom_resource, desired_state, directory, kinds, manifests, permissions, role_bindings
from . import permission_plan


@dataclass(frozen=True)
class Export:
    """Options, and what is omitted from them, each with the reason. What is omitted keeps its current value."""

    options: manifests.Manifest
    left_out: tuple[str, ...] = ()


def exported_registry(registry: manifests.Manifest, capabilities: kinds.Capabilities) -> Export:
    """The options of a registry, but for its permissions.

    The rules of the options are asked themselves, and so is the comparison with what is live: an option that they would refuse or write is left out.
    """
    options = custom_resource.registry_result(registry)
    left_out = _inexpressible(registry, options)
    # One that is omitted may change what is said of another: whether a certificate is checked depends on the CA.
    while objections := _objections(options, registry, capabilities):
        for option, reason in objections.items():
            group, _dot, key = option.rpartition(".")
            del (options[group] if group else options)[key]
            left_out.append(f"{option} ({reason})")
    return Export(options, tuple(left_out))


def _inexpressible(registry: manifests.Manifest, options: manifests.Manifest) -> list[str]:
    """What a registry has and no option can say; an option that would say something else is taken out."""
    section = custom_resource.live_database(registry)
    left_out = []
    if manifests.at(registry, ("metadata", "annotations", "openshift.io/display-name")) is None:
        # It is shown by its resource name; to write that down would be a change.
        del options["display_name"]
    if section.get("hostAddress") and not section.get("host"):
        left_out.append("database.host (the registry uses hostAddress instead)")
    whole = [key for key in custom_resource.CA_DIRECTORIES if section.get(key)]
    if whole:
        # The shape of a generated database has none.
        options["database"].pop("ca", None)
        left_out.append(f"database.ca (the registry uses {whole[0]}, which prevents its server from starting)")
    if any(section.get(key) for key in custom_resource.CERTIFICATE_KEYS) and "client_certificate" not in options["database"]:
        left_out.append("database.client_certificate (the certificate or its key is missing, or they are in different Secrets)")
    return left_out


def _objections(options: manifests.Manifest, registry: manifests.Manifest, capabilities: kinds.Capabilities) -> dict[str, str]:
    """Which options would be refused or written, and why."""
    problems: list[_errors.Problem] = []
    wanted = desired_state.registry_from_options(options, registry["metadata"]["namespace"], problems, [])
    database = options.get("database") or {}
    if capabilities.has_metadata_server and "name" in database:
        problems += desired_state.metadata_server_problems(database["name"])
    if problems:
        # A problem may be of a part of an option, such as the key of a reference.
        refused: dict[str, str] = {}
        for problem in problems:
            refused.setdefault(".".join(problem.option.split(".")[:2]), problem.problem)
        return refused
    changes = custom_resource.wanted_fields(wanted, registry, custom_resource.SECTIONS[custom_resource.live_type(registry) or _options.MYSQL])
    return {option: "a run would change it" for option, _path, _value in changes}


def exported_permissions(target: permissions.Target, live: Sequence[manifests.Manifest], group: manifests.Manifest | None) -> Export:
    """Who may use a registry as its option `permissions`, by the RoleBindings of the dashboard and this collection and its own Group, if that is to be told."""
    granted = role_bindings.LiveGrants.of(target, live)
    bindings, present = granted.bindings, granted.present
    grants = [binding.grants[0] for binding in present.values() if binding.ours]
    options = role_bindings.as_options(grants, group)
    problems: list[_errors.Problem] = []
    listed = permissions.permissions_from_options(options, False, problems, [])
    refused = {_label(options, problem.option): problem.problem for problem in problems}
    left_out = [f"{label} ({problem})" for label, problem in refused.items()]
    # With the permissions that are listed nothing is created or deleted, but a RoleBinding may be fixed.
    fixed = {change.name for change in permission_plan.grant_changes(listed, granted, directory.Known()).changes}
    left_out += [f"{grant} (a run would fix its RoleBinding {present[grant.key].name!r})" for grant in listed.grants if present[grant.key].name in fixed]
    kept = [grant for grant in listed.grants if present[grant.key].name not in fixed]
    known = {grant.key for grant in kept}
    for binding in bindings:
        hidden = [grant for grant in binding.grants[1:] if binding.ours and binding.grants_access and grant.key not in known]
        left_out += [f"{grant} (in RoleBinding {binding.name!r}, of which only the first subject counts)" for grant in hidden]
    members = {} if listed.members is None else {permissions.MEMBERS: list(listed.members)}
    return Export({**role_bindings.as_options(kept, None), **members}, tuple(dict.fromkeys(left_out)))


def _label(options: manifests.Manifest, path: str) -> str:
    """What people know an entry of the permissions by: `permissions.groups[3]` is one of the groups, and may be followed by a part of it."""
    kind, _bracket, index = path.partition("]")[0].partition(".")[2].partition("[")
    entry = options[kind][int(index)]
    name = f"{entry['namespace']}/{entry['name']}" if isinstance(entry, dict) else repr(entry)
    return f"{permissions.WORDS.get(kind, 'member')} {name}"
