# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `model_registry_database_info`: a database is looked at as the registry server would."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
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
    if options["registry"] is None:
        return resolution.database_from_options(options["database"], problems), problems
    return None, [*problems, *naming.live_name_problems(options["registry"], "registry")]


def _result(module: Any) -> dict[str, Any]:
    options, cluster = module.params, _LazyCluster(module)
    database, problems = input_problems(options)
    if problems:
        raise _errors.InputError(problems)
    if database is not None:
        _need_libraries(database.type)
        view, found = resolution.view_of(database, resolution.wanted_references(database), cluster.read)
        report = resolution.report_of(view, found, options["timeout"])
    else:
        resource = _named_registry(cluster, options["registry"])
        _need_libraries(custom_resource.live_type(resource))
        view, report = resolution.look_at(resource, cluster.read, options["timeout"])
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
        **cluster.identity(),
    }


def _need_libraries(kind: str | None) -> None:
    missing = connection.missing_libraries(kind or _options.MYSQL)
    if missing:
        raise _errors.MissingLibraryError(missing)


class _LazyCluster:
    """The cluster of the module's options, asked only when something has to be read: a database that refers to nothing needs none."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._identity: manifests.Manifest = {}

    @cached_property
    def connected(self) -> tuple[client.Cluster, str]:
        """The cluster and the registries namespace. ClusterError when there is none, or it does not answer."""
        # Only here: the library for clusters takes longer to load than a whole look at a database.
        _module.need_cluster(self._module)
        from .._cluster import login

        cluster = login.connect(self._module)
        self._identity = {"cluster": cluster.identity()}
        return cluster, self._module.params["namespace"] or cluster.registries_namespace()

    @cached_property
    def _read(self) -> resolution.Read:
        cluster, namespace = self.connected
        return resolution.reads(lambda kind, name: cluster.read(kinds.APIS[kind], namespace, name))

    def read(self, source: resolution.Source) -> str | None:
        """The content of a key."""
        return self._read(source)

    def identity(self) -> manifests.Manifest:
        """Which cluster was asked, when one was."""
        return self._identity


def _named_registry(cluster: _LazyCluster, name: str) -> manifests.Manifest:
    """A registry in the newest version that the cluster serves. InputError when there is none, or it has no database."""
    connected, namespace = cluster.connected
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
