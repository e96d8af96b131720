# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `model_registry_database_info`: a database is looked at as the registry server would."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from .. import _errors, _module, _options
from .._database import connection, resolution, vocabulary
from .._model import custom_resource, desired_state, kinds, manifests, naming

if TYPE_CHECKING:
    from .._cluster import client


def run(argument_spec: dict[str, Any]) -> None:
    """Run the module that looks at a database; ends the process with its result."""
    outcome = _module.Found()

    def work(module: Any) -> None:
        outcome.found = _result(module)

    given = [("registry", "database")]
    _module.run(argument_spec, work, outcome, needs_cluster=False, mutually_exclusive=given, required_one_of=given)


def input_problems(options: Mapping[str, Any]) -> tuple[desired_state.Database | None, list[_errors.Problem]]:
    """The database that the options of `model_registry_database_info` describe, None where they name a registry; and what is wrong with them."""
    problems = [*naming.namespace_problems(options["namespace"]), *_options.time_problems("timeout", options["timeout"], 0.1)]
    if options["registry"] is not None:
        return None, [*problems, *naming.live_name_problems(options["registry"], "registry")]
    # The option may be there without a value.
    given, remedy = options["database"] or {}, "Set registry to the name of the registry"
    database = desired_state.external_database(given, problems, "can be checked only for an existing registry", remedy)
    return database, [*problems, *desired_state.missing_problems(database)]


def _result(module: Any) -> dict[str, Any]:
    options = module.params
    identity: manifests.Manifest = {}

    @cache
    def connected() -> tuple[client.Cluster, str]:
        """The cluster and the registries namespace, asked only when something has to be read: a database that refers to nothing needs none."""
        # Only here: the library for clusters takes longer to load (230 ms) than a whole look at a database.
        _module.need_cluster(module)
        from .._cluster import login

        cluster = login.connect(module)
        identity["cluster"] = cluster.identity()
        return cluster, options["namespace"] or cluster.registries_namespace()

    def held(kind: str, name: str) -> manifests.Manifest | None:
        cluster, namespace = connected()
        return cluster.read(kinds.APIS[kind], namespace, name)

    database, problems = input_problems(options)
    if problems:
        raise _errors.InputError(problems)
    if database is not None:
        _need_libraries(database.type)
        view, found = resolution.view_of(database, resolution.wanted_references(database), resolution.reads(held))
        report = resolution.report_of(view, found, options["timeout"])
    else:
        resource = _named_registry(*connected(), options["registry"])
        _need_libraries(custom_resource.live_type(resource))
        view, report = resolution.look_at(resource, resolution.reads(held), options["timeout"])
    return {
        "findings": vocabulary.as_results(report.findings),
        "usable": report.usable,
        "database": {
            "type": view.type,
            "host": view.host,
            "port": view.port,
            "name": view.name,
            "username": view.username,
            **report.facts(),
        },
        **identity,
    }


def _need_libraries(kind: str | None) -> None:
    missing = connection.missing_libraries(kind or _options.MYSQL)
    if missing:
        raise _errors.MissingLibraryError(missing)


def _named_registry(connected: client.Cluster, namespace: str, name: str) -> manifests.Manifest:
    """A registry in the newest version that the cluster serves. InputError when there is none, or it has no database."""
    # Imported here, as above.
    from .._cluster import registry_reader, visibility

    def read() -> manifests.Manifest | None:
        return next(filter(None, (connected.read(api, namespace, name) for api in kinds.REGISTRIES)), None)

    def refused() -> manifests.Manifest | None:
        registry_reader.need_namespace(connected, namespace)
        return read()

    resource = visibility.if_allowed(read, refused)
    if resource is None:
        registry_reader.need_namespace(connected, namespace)
        # Nothing where this version is not served.
        newest, oldest = (registry_reader.names_of(partial(connected.metadata, api, namespace)) for api in kinds.REGISTRIES)
        remedy = "Correct registry or namespace, or set database"
        raise _errors.InputError([_errors.Problem("registry", naming.not_found(name, namespace, newest or oldest), remedy)])
    if custom_resource.live_type(resource) is None:
        raise _errors.InputError([_errors.Problem("registry", "does not have a database", "Set one with the module model_registry", name)])
    return resource
