# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry as the options describe it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .. import _errors, _options
from . import credentials, hosts, marks, naming

UNQUOTED_NAME = re.compile(r"\w+", re.ASCII)
TYPES = {_options.MYSQL: "MySQL", _options.POSTGRESQL: "PostgreSQL"}


@dataclass(frozen=True)
class KeyReference:
    """A key of a Secret or ConfigMap in the registry's namespace."""

    name: str
    key: str


@dataclass(frozen=True)
class CertificateAuthority:
    """Where the CA bundle for the database's certificate is: a key of a ConfigMap or Secret; without a reference the connection has none.

    `pem` holds certificates that the options give themselves. What is live tells which ConfigMap they belong into: only then there is a reference.
    """

    kind: str | None = None
    reference: KeyReference | None = None
    pem: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ClientCertificate:
    """The Secret with the certificate that the registry shows to its database, and the keys in it; without a Secret it shows none."""

    secret: str | None = None
    certificate_key: str = "tls.crt"
    private_key_key: str = "tls.key"


@dataclass(frozen=True)
class Database:
    """A database. None stands for an option that is not set: the current value stays, or the default on creation."""

    type: str | None = None
    host: str | None = None
    port: int | None = None
    name: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    # A key of an externally managed Secret.
    password_secret: KeyReference | None = None
    ca: CertificateAuthority | None = None
    verify_server_cert: bool | None = None
    ssl_mode: str | None = None
    client_certificate: ClientCertificate | None = None
    # The options that no rule is about, by their names.
    others: Mapping[str, Any] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        """The value of the option with this name."""
        return self.others.get(name) if name not in RULED else getattr(self, name)


# The options of a database that rules are about.
RULED = frozenset(entry.name for entry in fields(Database)) - {"others"}


@dataclass(frozen=True)
class Registry:
    """One registry as it is wanted. None stands for an option that is not set."""

    name: str
    namespace: str
    display_name: str | None = None
    description: str | None = None
    database: Database | None = None

    def value(self, option: str) -> Any:
        """The value of the option with this path."""
        group, _dot, name = option.rpartition(".")
        return getattr(self, name) if not group else None if self.database is None else self.database.value(name)


@dataclass(frozen=True)
class Consent:
    """What the user allows to happen to data, and to running servers."""

    restart: bool = True
    allow_data_change: bool = False
    delete_data: bool = False


def registry_from_options(options: Mapping[str, Any], namespace: str, problems: list[_errors.Problem], warnings: list[str]) -> Registry:
    """The wanted registry of a module's options; everything that is wrong or odd about them whatever is live is added to the lists."""
    name, no_time = options["name"], _options.time_problems("wait_timeout", options.get("wait_timeout", 1))
    if options.get("state") == "absent":
        # Nothing but its name matters.
        problems += [*naming.live_name_problems(name), *no_time]
        return Registry(name, namespace)
    problems += naming.name_problems(name)
    display_name = options.get("display_name")
    if display_name is not None and not display_name.strip():
        problems.append(_errors.Problem("display_name", "is empty", "Set a display name, or remove the option to use the name", display_name))
    problems += no_time
    return Registry(
        name=name,
        namespace=namespace,
        display_name=None if display_name is None else display_name.strip(),
        description=options.get("description"),
        database=None if options.get("database") is None else _database_from_options(options["database"], problems, warnings),
    )


def external_database(options: Mapping[str, Any], problems: list[_errors.Problem], why_not_generated: str, remedy: str) -> Database:
    """The database of an option that stands for itself; what is wrong with it is added to the problems, and why a generated one is not supported."""
    database = _database_from_options(options, problems, [])
    if database.type == _options.GENERATED:
        problems.append(_errors.Problem("database.type", f"is not supported: a generated database {why_not_generated}", remedy, _options.GENERATED))
    return database


def missing_problems(database: Database | None) -> list[_errors.Problem]:
    """What is missing from a database that a registry is to be created on, or moved to."""
    database = database or Database()
    if database.type == _options.GENERATED:
        return []
    required = [
        ("type", database.type, f"Set it to {_options.MYSQL}, {_options.POSTGRESQL} or {_options.GENERATED}"),
        ("host", database.host, "Set it to the host name or IP address of the database server"),
        ("username", database.username, "Set it to the database user of the registry"),
        (
            "password",
            database.password_secret if database.password is None else database.password,
            "Set it to the password of the database user, or set password_secret",
        ),
    ]
    return [_errors.Problem(f"database.{option}", "is required", remedy) for option, value, remedy in required if value is None]


def creation_problems(registry: Registry, names: Collection[str] = ()) -> list[_errors.Problem]:
    """Why a registry cannot be created; `names` are those of the registries that exist, one of which may be meant."""
    *others, last = [problem.option for problem in missing_problems(registry.database)] or [""]
    missing = f"{', '.join(others)} and {last}" if others else last
    return [_errors.Problem("name", naming.not_found(registry.name, registry.namespace, names), f"To create it, set {missing}")] if missing else []


def metadata_server_problems(name: str | None) -> list[_errors.Problem]:
    """What old products cannot use: their metadata server does not quote a database's name."""
    if UNQUOTED_NAME.fullmatch(name or _options.DEFAULT_DATABASE_NAME):
        return []
    problem = "is not a valid database name for this version of the product" + ("" if name else ", and it is the default")
    return [_errors.Problem("database.name", problem, "Use only letters, digits and underscores", name or _options.DEFAULT_DATABASE_NAME)]


def _database_from_options(options: Mapping[str, Any], problems: list[_errors.Problem], warnings: list[str]) -> Database:
    host = options.get("host")
    if host is not None:
        problems += hosts.host_problems(host, options.get("namespace"))
        host = hosts.qualified_host(host, options.get("namespace"))
    elif options.get("namespace") is not None:
        remedy = "Set database.host to the name of the Service, or remove the option"
        problems.append(_errors.Problem("database.namespace", "requires database.host", remedy, options["namespace"]))
    port = options.get("port")
    if port is not None and not 1 <= port <= 65535:
        problems.append(_errors.Problem("database.port", "is not a valid port", "Set it to a number from 1 to 65535", port))
        # It is no other port than the one that is there, which would be a second problem.
        port = None
    for entry in _options.DATABASE_FIELDS:
        # What has choices, or is in other objects, has rules of its own, and so has a host. Elsewhere an empty text is the default of the registry server.
        if entry.spec["type"] == "str" and "choices" not in entry.spec and entry.keys and entry.name != "host":
            problems += _text_problems(entry.option, options.get(entry.name) if entry.name in RULED else options.get(entry.name) or None)
    problems += _password_problems(options.get("password"))
    if options.get("password") is not None and options.get("password_secret") is not None:
        remedy = "Set password for a Secret managed by this collection, or password_secret for an externally managed Secret"
        problems.append(_errors.Problem("database.password_secret", "is mutually exclusive with database.password", remedy, options["password_secret"]))
    given: dict[str, Any] = {
        **{name: options.get(name) for name in RULED},
        "host": host,
        "port": port,
        "password_secret": _password_secret(options.get("password_secret"), problems),
        "ca": _ca_from_options(options.get("ca"), problems, warnings),
        "client_certificate": _client_certificate(options.get("client_certificate"), problems),
    }
    others = {entry.name: options[entry.name] for entry in _options.DATABASE_FIELDS if entry.keys and entry.name not in RULED and entry.name in options}
    database = Database(**given, others=others)
    if database.type is not None:
        problems += database_problems(database, database.type)
    return database


def database_problems(database: Database, kind: str) -> list[_errors.Problem]:
    """What a database of this type cannot be told. The characters are those with which server v0.3.8 does not start, or does not connect."""
    if kind == _options.GENERATED:
        remedy = "Remove the option: the product sets up a generated database itself"
        return [_errors.Problem(entry.option, "is not supported for a generated database", remedy) for entry in _foreign(database, kind)]
    problems = [
        _errors.Problem(entry.option, f"is supported only for {TYPES[entry.types[0]]}", entry.instead, database.value(entry.name))
        for entry in _foreign(database, kind)
    ]
    if kind == _options.MYSQL:
        problems += _characters("name", database.name, "[/%?]", "/, % or ?, which the connection string of the registry server does not support")
        problems += _characters("username", database.username, ":", "a colon, at which the registry server truncates it")
        if database.password is not None and "?" in database.password:
            remedy = "Set a password without a question mark for the database user"
            problems.append(
                _errors.Problem("database.password", "contains a question mark, and the registry server does not start with such a MySQL password", remedy)
            )
    else:
        problems += _characters("name", database.name, "[%?#]", "%, ? or #, which the connection string of the registry server does not support")
        if (database.name or "").startswith("/"):
            problems.append(_errors.Problem("database.name", "starts with /, which the registry server removes", "Use another name", database.name))
        other = "characters other than letters, digits and -._~!$&'()*+,;=@, which the connection string of the registry server does not support"
        problems += _characters("username", database.username, f"(?!{credentials.POSTGRESQL_USER_CHARACTERS}).", other)
    return problems


def _foreign(database: Database, kind: str) -> list[_options.Field]:
    """The options that are set and that a database of this type does not have."""
    return [entry for entry in _options.DATABASE_FIELDS if kind not in entry.types and database.value(entry.name) is not None]


def _characters(option: str, value: str | None, forbidden: str, what: str) -> list[_errors.Problem]:
    # Which of them it contains would tell of a password that was given here.
    return [_errors.Problem(f"database.{option}", f"contains {what}", "Use another name", value)] if re.search(forbidden, value or "", re.DOTALL) else []


def _text_problems(option: str, value: str | None) -> list[_errors.Problem]:
    if value is None:
        return []
    if not value.strip():
        return [_errors.Problem(option, "is empty", "Set a value, or remove the option", value)]
    if value != value.strip():
        return [_errors.Problem(option, "starts or ends with white space", "Remove the white space", value)]
    if not value.isprintable():
        return [_errors.Problem(option, "contains a control character", "Remove the control character", value)]
    return []


def _password_problems(password: str | None) -> list[_errors.Problem]:
    if password is None:
        return []
    if not password.strip():
        return [_errors.Problem("database.password", "is empty", "Set the password, or omit the option to keep the current password")]
    if password.endswith(("\n", "\r")):
        return [
            _errors.Problem(
                "database.password", "ends with a line break, which is often added by a file or a command", "Remove it, for example with the filter `trim`"
            )
        ]
    if "\0" in password:
        return [_errors.Problem("database.password", "contains a null character", "Remove it")]
    return []


def _password_secret(value: Mapping[str, Any] | None, problems: list[_errors.Problem]) -> KeyReference | None:
    if value is None:
        return None
    found = _reference_problems("database.password_secret", {"name": value.get("name") or "", "key": value.get("key") or ""})
    problems += found
    return None if found else KeyReference(value["name"], value["key"])


def _reference_problems(option: str, parts: Mapping[str, str]) -> list[_errors.Problem]:
    """What is wrong with the name of a ConfigMap or Secret and with keys in it, by the option of each; those of keys end in `key`."""
    problems = []
    for part, value in parts.items():
        is_key = part.endswith("key")
        if not value.strip():
            problems.append(_errors.Problem(f"{option}.{part}", "is empty", f"Set it to the name of {'a key' if is_key else 'the object'}", value))
        elif not (naming.KEY_NAME if is_key else naming.OBJECT_NAME).fullmatch(value):
            what, remedy = (
                ("key", "letters, digits, hyphens, dots and underscores") if is_key else ("resource name", "lowercase letters, digits, hyphens and dots")
            )
            problems.append(_errors.Problem(f"{option}.{part}", f"is not a valid {what}", f"Use only {remedy}", value))
    return problems


def _client_certificate(options: Mapping[str, Any] | None, problems: list[_errors.Problem]) -> ClientCertificate | None:
    option = "database.client_certificate"
    if options is None or options.get("source") is None:
        return None
    keys = {key: options.get(key) or getattr(ClientCertificate, key) for key in ("certificate_key", "private_key_key")}
    if options["source"] == "none":
        given = [key for key, value in keys.items() if value != getattr(ClientCertificate, key)] + (["name"] if options.get("name") is not None else [])
        problems += [_errors.Problem(f"{option}.{key}", "is not supported with source none", "Remove the option, or set source to secret") for key in given]
        return None if given else ClientCertificate()
    if options.get("name") is None:
        problems.append(_errors.Problem(f"{option}.name", "is required", "Set it to the name of the Secret"))
        return None
    found = _reference_problems(option, {"name": options["name"], **keys})
    problems += found
    return None if found else ClientCertificate(options["name"], **keys)


def _ca_from_options(options: Mapping[str, Any] | None, problems: list[_errors.Problem], warnings: list[str]) -> CertificateAuthority | None:
    if options is None or options.get("source") is None:
        return None
    source = options["source"]
    found = []
    for part in ("name", "key", "pem", "path"):
        sources = [name for name, parts in _options.CA_SOURCES.items() if part in parts]
        if options.get(part) is not None and source not in sources:
            # Never repeated: it may be a certificate with its key.
            remedy = f"Remove the option, or set source to {' or '.join(sources)}"
            found.append(_errors.Problem(f"database.ca.{part}", f"is not supported with source {source}", remedy))
    if source in ("config_map", "secret"):
        kind = "Secret" if source == "secret" else "ConfigMap"
        what = {"name": f"the name of the {kind}", "key": f"the key of the certificates in the {kind}"}
        found += [_errors.Problem(f"database.ca.{part}", "is required", f"Set it to {text}") for part, text in what.items() if options.get(part) is None]
        found += _reference_problems("database.ca", {part: options[part] for part in what if options.get(part) is not None})
    problems += found
    if source == "upload":
        # Imported here: the library that reads certificates takes 45 ms to load, and most runs are given none.
        from . import certificates

        bundle = certificates.given_bundle(options, "database.ca.")
        problems += bundle.problems
        warnings += bundle.warnings
        return None if bundle.problems else CertificateAuthority("ConfigMap", pem=bundle.pem)
    if found or source == "none":
        return None if found else CertificateAuthority()
    if source in _options.CA_BUNDLES:
        return CertificateAuthority("ConfigMap", KeyReference(marks.TRUSTED_CA_CONFIG_MAP, _options.CA_BUNDLES[source]))
    return CertificateAuthority(kind, KeyReference(options["name"], options["key"]))
