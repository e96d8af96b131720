# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The database that options describe, or that a registry uses, with everything that it refers to in the cluster read; and the module that looks at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors, _options, _shell, _texts
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database import diagnosis, probe
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import custom_resource, desired_state, kinds, manifests, naming

if TYPE_CHECKING:
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client, registry_reader

# A kind and a key of an object in the registries namespace.
Source = tuple[str, desired_state.KeyReference]
# A look before a write waits no longer for each step than this.
SHORT_SECONDS = 2.0
PLURALS = {"ConfigMap": "configmaps", "Secret": "secrets"}
# The content of a key; None when there is no such object or key.
Read = Callable[[Source], "str | None"]


@dataclass(frozen=True)
class References:
    """Where the cluster keeps what a database's login and TLS need."""

    password: Source | None = None
    ca: Source | None = None
    certificate: Source | None = None
    key: Source | None = None


def reads(held: Callable[[str, str], manifests.Manifest | None], known: Mapping[tuple[str, str], manifests.Manifest | None] | None = None) -> Read:
    """Reads keys of ConfigMaps and Secrets: of those that are `known`, by kind and name, and each other one once by `held`."""
    objects = dict(known or {})

    def read(source: Source) -> str | None:
        kind, reference = source
        if (kind, reference.name) not in objects:
            objects[kind, reference.name] = held(kind, reference.name)
        return manifests.text_of(kind, objects[kind, reference.name], reference.key)

    return read


def view_of(database: desired_state.Database, references: References, read: Read) -> tuple[diagnosis.View, list[diagnosis.Finding]]:
    """A database as the registry server gets it, and findings about references that lead nowhere."""
    findings: list[diagnosis.Finding] = []

    def content(source: Source | None, check: str, what: str) -> str | None:
        if source is None:
            return None
        text = read(source)
        if text is None:
            kind, reference = source
            message = f"{kind} {reference.name!r} with {what} does not exist or has no key {reference.key!r}, and the registry's pod does not start"
            findings.append(diagnosis.Finding(check, diagnosis.FAILURE, message, "Create it, or correct the reference"))
        return text

    kind = database.type or _options.MYSQL
    stored = content(references.password, "login", "the password")
    pem = database.ca.pem if database.ca else None
    ca = pem if pem is not None else content(references.ca, "ca", "the CA")
    verify = database.verify_server_cert
    view = diagnosis.View(
        type=kind,
        host=database.host or "",
        port=database.port or _options.DEFAULT_PORTS[kind],
        name=database.name or _options.DEFAULT_DATABASE_NAME,
        username=database.username or "",
        password=stored if references.password else database.password,
        ca="" if ca is None and references.ca else ca,
        # As `model_registry` writes it for a registry that it makes with a CA.
        verify_server_cert=bool(kind == _options.MYSQL and (ca is not None if verify is None else verify)),
        ssl_mode=database.ssl_mode,
        client_certificate=content(references.certificate, "settings", "the client certificate"),
        client_key=content(references.key, "settings", "the key of the client certificate"),
        password_is_stored=references.password is not None,
    )
    return view, findings


def live_database(resource: manifests.Manifest) -> tuple[desired_state.Database, References]:
    """The database that a registry uses now, as its custom resource tells."""
    name, namespace = resource["metadata"]["name"], resource["metadata"]["namespace"]
    kind, section = custom_resource.live_type(resource), custom_resource.live_database(resource)
    if kind == _options.GENERATED:
        made = custom_resource.GeneratedDatabase(name)
        host = f"{made.host}.{namespace}.svc"
        return desired_state.Database(type=_options.POSTGRESQL, host=host, name=made.name, username=made.username), References(
            password=("Secret", made.password_secret)
        )
    database = desired_state.Database(
        type=kind,
        host=section.get("host") or section.get("hostAddress"),
        port=section.get("port"),
        name=section.get("database"),
        username=section.get("username"),
        password="",
        verify_server_cert=bool(section.get(custom_resource.VERIFY_SERVER_CERT)),
        ssl_mode=section.get("sslMode"),
    )
    ca = next((_source(authority, section.get(key)) for authority, key in custom_resource.CA_KEYS.items() if section.get(key)), None)
    certificate, key = (_source("Secret", section.get(place)) for place in custom_resource.CERTIFICATE_KEYS)
    return database, References(_source("Secret", section.get("passwordSecret")), ca, certificate, key)


def wanted_references(database: desired_state.Database) -> References:
    """The references of a database that options describe."""
    certificate = database.client_certificate
    secret = certificate.secret if certificate else None
    return References(
        password=("Secret", database.password_secret) if database.password_secret else None,
        ca=(database.ca.kind, database.ca.reference) if database.ca and database.ca.kind and database.ca.reference else None,
        certificate=("Secret", desired_state.KeyReference(secret, certificate.certificate_key)) if certificate and secret else None,
        key=("Secret", desired_state.KeyReference(secret, certificate.private_key_key)) if certificate and secret else None,
    )


def _source(kind: str, reference: Mapping[str, str] | None) -> Source | None:
    return (kind, desired_state.KeyReference(reference["name"], reference["key"])) if reference else None


def database_from_options(options: Mapping[str, Any], problems: list[_errors.Problem]) -> desired_state.Database:
    """The database of the module's option; what is wrong with it is added to the problems."""
    registry = desired_state.registry_from_options({"name": "registry", "database": options}, "", problems, [])
    problems += desired_state.missing_problems(registry.database)
    database = registry.database or desired_state.Database()
    if database.type == _options.GENERATED:
        problems.append(
            _errors.Problem("database.type", "is one that the product makes itself", "Name the registry that uses it in registry", _options.GENERATED)
        )
    return database


def look_at(resource: manifests.Manifest, read: Read, timeout: float = probe.STEP_SECONDS) -> tuple[diagnosis.View, probe.Report]:
    """Look at the database of a registry that exists, as its server does. ClusterError when what it refers to may not be read."""
    view, found = view_of(*live_database(resource), read)
    section = custom_resource.live_database(resource)
    message = "The registry mounts a whole object as its CA ({}), which the registry server cannot read: it does not start"
    found += [diagnosis.Finding("ca", diagnosis.FAILURE, message.format(key), "Set database.ca") for key in custom_resource.CA_DIRECTORIES if section.get(key)]
    return view, _report(view, found, timeout)


def _report(view: diagnosis.View, found: list[diagnosis.Finding], timeout: float) -> probe.Report:
    """What a look finds, after what was found about references. What those say about one that leads nowhere says more than what is made of nothing."""
    report, known = probe.look(view, timeout), {finding.check for finding in found}
    return replace(report, findings=(*found, *(finding for finding in report.findings if finding.check not in known)))


@dataclass(frozen=True)
class Preflight:
    """What a look at a registry's database before it is written found. `reason`: why nothing is known; `lacks_library`: because one is not installed here."""

    report: probe.Report = field(default_factory=lambda: probe.Report(()))
    reason: str = ""
    lacks_library: bool = False

    @property
    def unreached(self) -> bool:
        """Whether the database was not reached from here, which is usual and says nothing about it."""
        return any(finding.check in ("address", "port") and not finding.proven for finding in self.report.findings)

    def result(self) -> dict[str, Any]:
        """The look as part of a result."""
        unproven = next((finding.message for finding in self.report.findings if not finding.proven), "")
        return {"checked": self.report.serves is not None, "reason": "" if self.report.serves is not None else self.reason or unproven}

    def problems(self) -> list[_errors.Problem]:
        """What keeps the registry from serving, where it must pass. What only the cluster could tell is none."""
        if self.lacks_library:
            return [_errors.Problem("check_database", f"is not possible: {self.reason}", "Install it there, or set check_database to warn")]
        failures = [finding for finding in self.report.findings if finding.result == diagnosis.FAILURE]
        return [_errors.Problem("check_database", _lowered(finding.message), finding.remedy or "Repair the database") for finding in failures]

    def warnings(self, failures: bool) -> list[str]:
        """What people should know, with what keeps the registry from serving if `failures` says so. That it was not reached is `unreached_warning`."""
        told = [*([diagnosis.FAILURE] if failures else []), *([] if self.unreached else [diagnosis.WARNING])]
        # Whether the connection is encrypted is a choice of the options, and the plan warns of it.
        found = [_told(finding) for finding in self.report.findings if finding.result in told and finding.check != "tls"]
        unread = [] if self.lacks_library or not self.reason else [f"the database could not be checked: {self.reason}"]
        return [f"check_database: {text}" for text in (*unread, *found)]

    def explanation(self) -> str:
        """Why a registry may not serve, as far as its database shows it from here."""
        if self.report.serves is None:
            return ""
        if self.report.serves:
            return "Looked at from here, its database is as the server needs it."
        failures = [finding for finding in self.report.findings if finding.result == diagnosis.FAILURE]
        return "Looked at from here, its database shows: " + " ".join(_told(finding) for finding in failures)


def look_before(
    reader: registry_reader.Reader,
    resource: manifests.Manifest,
    known: Mapping[tuple[str, str], manifests.Manifest | None],
    contents: Mapping[tuple[str, str], manifests.Manifest],
) -> Preflight | None:
    """Look at the database of a custom resource that is written together with these contents of ConfigMaps and Secrets; None for the product's own.

    `known` are those that were read already; all of them by kind and name. It is short: most databases are reached in the cluster only.
    """
    kind = custom_resource.live_type(resource)
    if kind in (None, _options.GENERATED):
        return None
    missing = probe.missing_libraries(kind or _options.MYSQL)
    if missing:
        return Preflight(reason=f"the Python library {' and '.join(missing)} is missing where this task runs", lacks_library=True)
    try:
        return Preflight(look_at(resource, _overlaid(reads(reader.held, known), contents), SHORT_SECONDS)[1])
    except _errors.ReportedError as error:
        # It is only advice: what may not be read stops no write.
        return Preflight(reason=str(error))


def unreached_warning(names: Sequence[str]) -> list[str]:
    """One warning for all registries whose database was not reached."""
    if not names:
        return []
    which = f"the database of registry {names[0]!r}" if len(names) == 1 else f"the databases of {len(names)} registries ({_texts.names_of(names)})"
    remedy = "Run on a host that reaches it to have it checked, or set check_database to ignore"
    return [f"check_database: {which} could not be checked, because it cannot be reached from here. {remedy}"]


def _overlaid(read: Read, contents: Mapping[tuple[str, str], manifests.Manifest]) -> Read:
    """Reads what these objects, which are still to be written, will hold, and everything else where it is."""

    def overlaid(source: Source) -> str | None:
        kind, reference = source
        body = contents.get((kind, reference.name)) or {}
        if reference.key not in (body.get("data") or {}):
            return read(source)
        text: str | None = manifests.decoded(body, reference.key) if kind == "Secret" else body["data"][reference.key]
        return text

    return overlaid


def _told(finding: diagnosis.Finding) -> str:
    return ". ".join(part.rstrip(".") for part in (finding.message, finding.remedy) if part) + "."


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:] if message[1:2].islower() or message[1:2] == " " else message


@dataclass
class _Outcome:
    """What was found, as the shell of the modules reports it."""

    warnings: list[str] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)

    def result(self, _diff: bool) -> dict[str, Any]:
        return {"changed": False, **self.found}


def run(argument_spec: dict[str, Any]) -> None:
    """Run the module that looks at a database; ends the process with its result."""
    outcome = _Outcome()

    def work(module: Any) -> None:
        outcome.found = _result(module)

    given = [("registry", "database")]
    _shell.run(argument_spec, work, outcome, needs_cluster=False, mutually_exclusive=given, required_one_of=given)


def input_problems(options: Mapping[str, Any]) -> tuple[desired_state.Database | None, list[_errors.Problem]]:
    """The database that the options of `model_registry_database_info` describe, None where they name a registry; and what is wrong with them."""
    problems = [*naming.namespace_problems(options["namespace"]), *_options.time_problems("timeout", options["timeout"], 0.1)]
    if options["registry"] is None:
        return database_from_options(options["database"], problems), problems
    return None, [*problems, *naming.live_name_problems(options["registry"], "registry")]


def _result(module: Any) -> dict[str, Any]:
    options, cluster = module.params, _LazyCluster(module)
    database, problems = input_problems(options)
    if problems:
        raise _errors.InputError(problems)
    if database is not None:
        _need_libraries(database.type)
        view, found = view_of(database, wanted_references(database), cluster.read)
        report = _report(view, found, options["timeout"])
    else:
        resource = _named_registry(cluster, options["registry"])
        _need_libraries(custom_resource.live_type(resource))
        view, report = look_at(resource, cluster.read, options["timeout"])
    return {
        "findings": diagnosis.as_results(report.findings),
        "serves": report.serves,
        "database": {
            "type": view.type,
            "host": view.host,
            "port": view.port,
            "name": view.name,
            "username": view.username,
            "version": report.version,
            "schema_version": report.schema_version,
            "certificate": report.certificate.described() if report.certificate else None,
        },
        **cluster.identity(),
    }


def _need_libraries(kind: str | None) -> None:
    missing = probe.missing_libraries(kind or _options.MYSQL)
    if missing:
        raise _errors.MissingLibraryError(missing)


class _LazyCluster:
    """The cluster of the module's options, asked only when something has to be read: a database that refers to nothing needs none."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._connected: client.Cluster | None = None
        self._namespace: str = module.params["namespace"] or ""
        self._read: Read | None = None
        self._identity: manifests.Manifest = {}

    def connected(self) -> tuple[client.Cluster, str]:
        """The cluster and the registries namespace. ClusterError when there is none, or it does not answer."""
        if self._connected is None:
            # Only here: the library for clusters takes longer to load than a whole look at a database.
            _shell.need_cluster(self._module)
            from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import login

            self._connected = login.connect(self._module)
            self._identity = {"cluster": self._connected.identity()}
            self._namespace = self._namespace or self._connected.registries_namespace()
        return self._connected, self._namespace

    def read(self, source: Source) -> str | None:
        """The content of a key."""
        if self._read is None:
            cluster, namespace = self.connected()
            self._read = reads(lambda kind, name: cluster.read(("v1", PLURALS[kind]), namespace, name))
        return self._read(source)

    def identity(self) -> manifests.Manifest:
        """Which cluster was asked, when one was."""
        return self._identity


def _named_registry(cluster: _LazyCluster, name: str) -> manifests.Manifest:
    """A registry in the newest version that the cluster serves. InputError when there is none, or it has no database."""
    connected, namespace = cluster.connected()
    # Imported here, as above.
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import registry_reader, visibility

    apis = [(f"{kinds.GROUP}/{version}", kinds.PLURAL) for version in ("v1beta1", "v1alpha1")]

    def read() -> manifests.Manifest | None:
        return next(filter(None, (connected.read(api, namespace, name) for api in apis)), None)

    def refused() -> manifests.Manifest | None:
        registry_reader.need_namespace(connected, namespace)
        return read()

    resource = visibility.if_allowed(read, refused)
    if resource is None:
        registry_reader.need_namespace(connected, namespace)
        # Nothing where this version is not served.
        newest, oldest = (registry_reader.names_of(partial(connected.metadata, api, namespace)) for api in apis)
        remedy = "Correct registry or namespace, or describe the database in database"
        raise _errors.InputError([_errors.Problem("registry", naming.not_found(name, namespace, newest or oldest), remedy)])
    if custom_resource.live_type(resource) is None:
        raise _errors.InputError([_errors.Problem("registry", "has no database", "Give it one, with the module model_registry", name)])
    return resource
