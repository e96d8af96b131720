# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A database as the registry server gets it, with everything that it refers to in the cluster read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from .. import _options
from .._model import custom_resource, desired_state, manifests
from . import probe, vocabulary

# A kind and a key of an object in the registries namespace.
Source = tuple[str, desired_state.KeyReference]
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


def view_of(database: desired_state.Database, references: References, read: Read) -> tuple[vocabulary.View, list[vocabulary.Finding]]:
    """A database as the registry server gets it, and findings about references that lead nowhere."""
    findings: list[vocabulary.Finding] = []

    def content(source: Source | None, check: str, what: str) -> str | None:
        if source is None:
            return None
        text = read(source)
        if text is None:
            kind, reference = source
            message = (
                f"{kind} {reference.name!r} with {what} does not exist or does not have the key {reference.key!r}, and the pod of the registry does not start"
            )
            findings.append(vocabulary.failure(check, message, "Create it, or correct the reference"))
        return text

    kind = database.type or _options.MYSQL
    stored = content(references.password, "login", "the password")
    pem = database.ca.pem if database.ca else None
    ca = pem if pem is not None else content(references.ca, "ca", "the CA")
    verify = database.verify_server_cert
    view = vocabulary.View(
        type=kind,
        host=database.host or "",
        port=database.port or _options.BY_OPTION["database.port"].default[kind],
        name=database.name or _options.DEFAULT_DATABASE_NAME,
        username=database.username or "",
        password=stored if references.password else database.password,
        ca="" if ca is None and references.ca else ca,
        # As `model_registry` writes it for a registry that it makes with a CA.
        verify_server_cert=bool(kind == _options.MYSQL and (ca is not None if verify is None else verify)),
        ssl_mode=database.ssl_mode,
        client_certificate=content(references.certificate, "settings", "the client certificate"),
        client_key=content(references.key, "settings", "the key of the client certificate"),
        ssl_cipher=database.value("ssl_cipher"),
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
        others={"ssl_cipher": section.get("sslCipher")},
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


def look_at(
    resource: manifests.Manifest, read: Read, timeout: float = probe.STEP_SECONDS, withholds_password: bool = False
) -> tuple[vocabulary.View, probe.Report]:
    """Look at the database of a registry that exists, as its server does. ClusterError when what it refers to may not be read."""
    view, found = view_of(*live_database(resource), read)
    view = replace(view, withholds_password=withholds_password)
    section = custom_resource.live_database(resource)
    message = "The registry refers to a whole object as its CA ({}), which the registry server cannot read, and the registry server does not start"
    found += [vocabulary.failure("ca", message.format(key), "Set database.ca") for key in custom_resource.CA_DIRECTORIES if section.get(key)]
    return view, report_of(view, found, timeout)


def report_of(view: vocabulary.View, found: list[vocabulary.Finding], timeout: float) -> probe.Report:
    """What a look finds, after what was found about references. What those say about one that leads nowhere says more than what is made of nothing."""
    report, known = probe.look(view, timeout), {finding.check for finding in found}
    return replace(report, findings=[*found, *(finding for finding in report.findings if finding.check not in known)])
