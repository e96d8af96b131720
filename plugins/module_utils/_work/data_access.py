# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The database of a registry, opened for reading or writing whole tables: from where the task runs, or a generated one through the API server."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from .. import _errors, _options
from .._cluster import port_forward, registry_reader
from .._database import connection, refusals, resolution, vocabulary
from .._model import custom_resource, manifests, naming, server_pods

# How long each step to a database may take.
SECONDS = 10.0


class UnreachableError(_errors.ReportedError):
    """A database cannot be opened from here."""


@dataclass(frozen=True)
class Opened:
    """A database with an open connection (PyMySQL, psycopg), and what keeps a registry server from using it, as far as that was looked for."""

    view: vocabulary.View
    connection: Any
    failures: tuple[vocabulary.Finding, ...] = ()


def registry_with_database(reader: registry_reader.Reader, name: str) -> manifests.Manifest:
    """The registry of this name. InputError where there is none, or where it has no database."""
    resource = reader.registry(name)
    if resource is None:
        registry_reader.need_namespace(reader.cluster, reader.namespace)
        known = registry_reader.names_of(lambda: reader.cluster.metadata(reader.capabilities.api, reader.namespace))
        raise _errors.InputError([_errors.Problem("name", naming.not_found(name, reader.namespace, known), "Correct name or namespace")])
    if custom_resource.live_type(resource) is None:
        raise _errors.InputError([_errors.Problem("name", "does not have a database", "Set one with the module model_registry", name)])
    return resource


@contextmanager
def database_of(
    reader: registry_reader.Reader,
    resource: manifests.Manifest,
    known: Mapping[tuple[str, str], manifests.Manifest | None] | None = None,
    is_loaded: bool = False,
) -> Iterator[Opened]:
    """The database of a registry. UnreachableError, or ClusterError, when it cannot be opened; MissingLibraryError.

    `known` are ConfigMaps and Secrets that are not to be read, by kind and name, such as those that are still to be written. `is_loaded`: it is not to be
    saved, so that no error names the command that does.
    """
    name, kind = resource["metadata"]["name"], custom_resource.live_type(resource)
    missing = connection.missing_libraries(_options.MYSQL if kind == _options.MYSQL else _options.POSTGRESQL)
    if missing:
        raise _errors.MissingLibraryError(missing)
    view, found = resolution.view_of(*resolution.live_database(resource), resolution.reads(reader.held, known))
    if failures := vocabulary.failures(found):
        raise _unreachable(name, failures)
    with _generated(reader, name, view, is_loaded) if kind == _options.GENERATED else _external(name, view, is_loaded) as opened:
        try:
            yield opened
        except _errors.ReportedError as error:
            error.args = (vocabulary.masked(view, str(error)),)
            raise
        finally:
            # One that was lost is closed already.
            with contextlib.suppress(Exception):
                opened.connection.close()


@contextmanager
def _external(name: str, view: vocabulary.View, is_loaded: bool) -> Iterator[Opened]:
    report = resolution.report_of(view, [], SECONDS)
    if report.login is None:
        reasons = [finding for finding in report.findings if finding.result == vocabulary.FAILURE or not finding.proven]
        reasons = reasons or [finding for finding in report.findings if finding.result != vocabulary.OK]
        # That another host is needed is told once.
        error = _unreachable(name, [replace(reason, remedy="") if reason.check in ("address", "port") else reason for reason in reasons])
        by_hand = "." if is_loaded else f", or save the data with the tools of the database: {_dump(name, view)}"
        error.add(f"Check database.host and database.port, or run the task on a host that can connect to the database (delegate_to){by_hand}")
        raise error
    yield Opened(view, _opened(name, view, report.login), tuple(vocabulary.failures(report.findings)))


@contextmanager
def _generated(reader: registry_reader.Reader, name: str, view: vocabulary.View, is_loaded: bool) -> Iterator[Opened]:
    pod = _database_pod(reader, name)
    made = custom_resource.GeneratedDatabase(name)
    with contextlib.ExitStack() as stack:
        try:
            forward = stack.enter_context(port_forward.forwarded(reader.cluster, reader.namespace, pod, made.port, connection.SOCKET))
        except _errors.ClusterError as error:
            if error.status == _errors.FORBIDDEN:
                by_hand = f"kubectl port-forward --namespace {shlex.quote(reader.namespace)} {shlex.quote(f'deployment/{made.host}')} {made.port}"
                by_hand = "." if is_loaded else f", or save the data with `{by_hand}` and {_dump(name, view, 'localhost')}"
                error.add(f"Bind the account to the Role in rbac/data.yml{by_hand}")
            raise
        try:
            yield Opened(view, _opened(name, view, connection.Login(forward.folder)))
        except _errors.ReportedError as error:
            if forward.failure:
                error.add(f"The node of pod {pod} reported: {forward.failure}.")
            raise


def _database_pod(reader: registry_reader.Reader, name: str) -> str:
    """The pod of a generated database. UnreachableError when none is running."""
    host = custom_resource.GeneratedDatabase(name).host
    pods = registry_reader.labelled(name, lambda: reader.cluster.items(("v1", "pods"), reader.namespace, labelSelector=f"app={name},{server_pods.POD_LABELS}"))
    pod = server_pods.running_database_pod(pods, name)
    if pod is None:
        raise UnreachableError(
            f"The generated database of registry {name!r} is not running: Deployment {host!r} in namespace {reader.namespace!r} has no pod"
            f" whose container {server_pods.DATABASE!r} is running"
        )
    return str(pod["metadata"]["name"])


def _opened(name: str, view: vocabulary.View, login: connection.Login) -> Any:
    try:
        return connection.opened(view, login, SECONDS)
    except connection.StopError as stop:
        raise _unreachable(name, [stop.finding]) from None
    except connection.RefusedError as refusal:
        if view.type == _options.MYSQL:
            raise _unreachable(name, [refusals.mysql_database_refusal(view, refusal.code, refusal.text, vocabulary.EVERY_HOST)]) from None
        raise _unreachable(name, [refusals.postgresql_refusal(view, refusal.text)]) from None
    except (OSError, EOFError) as error:
        raise UnreachableError(f"The database of registry {name!r} cannot be used: {vocabulary.repeated(view, str(error))}.") from None


def _unreachable(name: str, findings: list[vocabulary.Finding]) -> UnreachableError:
    return UnreachableError(f"The database of registry {name!r} cannot be used: {' '.join(finding.sentences for finding in findings)}")


def _dump(name: str, view: vocabulary.View, host: str | None = None) -> str:
    """The command of the engine's own tools. What it names comes from the cluster, and goes into a shell."""
    place = ["--host", host or view.host, "--port", str(view.port)]
    if view.type == _options.MYSQL:
        # Otherwise some versions need more permissions than a registry has; the tool of MariaDB does not know the option.
        narrow = ["--no-tablespaces", "--loose-set-gtid-purged=OFF"]
        words = ["mysqldump", "--single-transaction", *narrow, *place, "--user", view.username, "--password", "--result-file", f"{name}.sql", view.name]
    else:
        words = ["pg_dump", *place, "--username", view.username, "--format", "custom", "--file", f"{name}.dump", view.name]
    return f"`{' '.join(map(shlex.quote, words))}`."
