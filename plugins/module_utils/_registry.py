# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a model registry is, and every rule about it that needs no cluster."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The dashboard's limit since OpenShift AI 3.4, and the operator's: `<name>-auth-delegator` is the value of a label, which may have 63 characters.
DASHBOARD_NAME_LENGTH = 40
OPERATOR_NAME_LENGTH = 48
NAME_PATTERN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
UNQUOTED_NAME = re.compile(r"\w+", re.ASCII)
# `service.namespace`
SERVICE_LABELS = 2
HOST_LABEL = re.compile(r"[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?")

DEFAULT_MYSQL_PORT = 3306
DEFAULT_DATABASE_NAME = "model-registry"
PASSWORD_KEY = "database-password"  # the key's name, not a password
# What the dashboard's first two choices of a CA certificate stand for; the platform operator keeps this ConfigMap in every namespace.
TRUSTED_CA_CONFIG_MAP = "odh-trusted-ca-bundle"
CA_BUNDLES = {"cluster": "ca-bundle.crt", "openshift_ai": "odh-ca-bundle.crt"}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the input. `value` is None when it is secret or says nothing."""

    option: str
    problem: str
    remedy: str
    value: Any = None

    def sentence(self) -> str:
        """The problem as one line for people."""
        shown = "" if self.value is None else f" {self.value!r}"
        return f"{self.option}{shown}: {self.problem}. {self.remedy}."


class InputError(Exception):
    """The input cannot be carried out. Raised before anything is written, with every problem that was found."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(" ".join(problem.sentence() for problem in problems))


@dataclass(frozen=True)
class KeyReference:
    """A key of a Secret or ConfigMap in the registry's namespace."""

    name: str
    key: str


@dataclass(frozen=True)
class CertificateAuthority:
    """Where the CA bundle for the database's certificate is; `config_map` is None for a connection that has none."""

    config_map: KeyReference | None


@dataclass(frozen=True)
class Database:
    """An external MySQL database. None stands for an option that was left out: the live value stays, or the default on creation."""

    type: str | None = None
    host: str | None = None
    port: int | None = None
    name: str | None = None
    username: str | None = None
    password: str | None = None
    ca: CertificateAuthority | None = None
    verify_server_cert: bool | None = None

    def __repr__(self) -> str:
        return f"Database({self.type} {self.host}:{self.port}/{self.name})"


@dataclass(frozen=True)
class Registry:
    """One registry as it is wanted. None stands for an option that was left out."""

    name: str
    namespace: str
    display_name: str | None = None
    description: str | None = None
    database: Database | None = None


def registry_from_options(options: Mapping[str, Any], namespace: str, warnings: list[str]) -> Registry:
    """The wanted registry of a module's options. InputError names everything that is wrong with them; `warnings` is added to."""
    problems: list[Problem] = []
    problems += _name_problems(options["name"], warnings)
    display_name = options.get("display_name")
    if display_name is not None and not display_name.strip():
        problems.append(Problem("display_name", "is blank", "Leave it out to use the name, or give a text", display_name))
    seconds = options.get("wait_timeout", 1)
    if seconds < 1:
        problems.append(Problem("wait_timeout", "is no time to wait", "Give at least 1 second, or set wait to false", seconds))
    database = None
    if options.get("database") is not None:
        database = _database_from_options(options["database"], namespace, problems)
    if problems:
        raise InputError(problems)
    return Registry(
        name=options["name"],
        namespace=namespace,
        display_name=None if display_name is None else display_name.strip(),
        description=options.get("description"),
        database=database,
    )


def creation_problems(registry: Registry, has_metadata_server: bool) -> list[Problem]:
    """What is missing from a registry that does not exist yet, or cannot be used by old products, whose metadata server does not quote a database's name."""
    database = registry.database or Database()
    missing = [
        Problem(f"database.{option}", "is missing and this registry does not exist yet", remedy)
        for option, value, remedy in (
            ("type", database.type, "Set it to mysql"),
            ("host", database.host, "Set the database server's host name or address"),
            ("username", database.username, "Set the user that the registry logs in as"),
            ("password", database.password, "Set that user's password"),
        )
        if value is None
    ]
    name = database.name or DEFAULT_DATABASE_NAME
    if has_metadata_server and not UNQUOTED_NAME.fullmatch(name):
        problem = "is no name that this version of the product can use" + ("" if database.name else ", and it is the default")
        return [*missing, Problem("database.name", problem, "Use only letters, digits and underscores", name)]
    return missing


def _name_problems(name: str, warnings: list[str]) -> list[Problem]:
    if not NAME_PATTERN.fullmatch(name):
        derived = resource_name(name)
        remedy = f"The dashboard would derive {derived!r}" if derived else "Give a name with letters or digits"
        return [Problem("name", "is no resource name: only lower-case letters, digits and hyphens, starting and ending with a letter or digit", remedy, name)]
    if len(name) > OPERATOR_NAME_LENGTH:
        remedy = f"Use at most {DASHBOARD_NAME_LENGTH} characters, so that the dashboard can edit it too"
        return [Problem("name", f"has {len(name)} characters and the operator cannot create its objects with more than {OPERATOR_NAME_LENGTH}", remedy, name)]
    if len(name) > DASHBOARD_NAME_LENGTH:
        warnings.append(f"name {name!r} has {len(name)} characters; the dashboard cannot edit a registry with more than {DASHBOARD_NAME_LENGTH}")
    return []


def resource_name(text: str) -> str:
    """The resource name that the dashboard derives from a display name; empty when nothing of it is left."""
    name = re.sub(r"\s", "-", text.strip().lower())
    name = re.sub(r"[^a-z0-9-]", "", name)
    name = re.sub(r"-+", "-", name.strip("-"))
    return name[:DASHBOARD_NAME_LENGTH].rstrip("-")


def _database_from_options(options: Mapping[str, Any], namespace: str, problems: list[Problem]) -> Database:
    host = options.get("host")
    if host is not None:
        problems += _host_problems(host, options.get("namespace"))
        host = qualified_host(host, options.get("namespace"))
    elif options.get("namespace") is not None:
        problems.append(Problem("database.namespace", "is given without database.host", "Give the Service's name as database.host", options["namespace"]))
    port = options.get("port")
    if port is not None and not 1 <= port <= 65535:
        problems.append(Problem("database.port", "is not a port", "Give a number from 1 to 65535", port))
    for option, forbidden, reason in (
        ("name", "/%?", "the registry server cannot put it into its connection string"),
        ("username", ":", "the registry server would cut it off there"),
    ):
        problems += _text_problems(f"database.{option}", options.get(option), forbidden, reason)
    problems += _password_problems(options.get("password"))
    ca = _ca_from_option(options.get("ca"), problems)
    if options.get("verify_server_cert") and ca is not None and ca.config_map is None:
        problems.append(Problem("database.verify_server_cert", "cannot be true together with `ca: none`", "Give a CA, or leave it out", True))
    return Database(
        type=options.get("type"),
        host=host,
        port=port,
        name=options.get("name"),
        username=options.get("username"),
        password=options.get("password"),
        ca=ca,
        verify_server_cert=options.get("verify_server_cert"),
    )


def _text_problems(option: str, value: str | None, forbidden: str, reason: str) -> list[Problem]:
    if value is None:
        return []
    if not value.strip():
        return [Problem(option, "is empty", "Give a value, or leave the option out", value)]
    if value != value.strip():
        return [Problem(option, "begins or ends with white space", "Remove it", value)]
    found = [character for character in forbidden if character in value]
    if found:
        return [Problem(option, f"contains {' '.join(found)} and {reason}", "Use another one", value)]
    return []


def _password_problems(password: str | None) -> list[Problem]:
    if password is None:
        return []
    if not password.strip():
        return [Problem("database.password", "is empty", "Give the password, or leave the option out to keep the present one")]
    if password.endswith(("\n", "\r")):
        return [Problem("database.password", "ends with a line break, which a file or a command often adds", "Remove it, for example with the filter `trim`")]
    if "?" in password:
        remedy = "Give the database's user a password without a question mark"
        return [Problem("database.password", "contains a question mark, and the registry server does not start with one in a MySQL password", remedy)]
    return []


def _host_problems(host: str, namespace: str | None) -> list[Problem]:
    option = "database.host"
    if not host.strip():
        return [Problem(option, "is empty", "Give a host name or address", host)]
    if host != host.strip() or re.search(r"\s", host):
        return [Problem(option, "contains white space", "Remove it", host)]
    if "://" in host or "/" in host:
        return [Problem(option, "is a URL or holds a path", "Give the host alone; the database goes into database.name", host)]
    if _address(host) is not None:
        return [] if namespace is None else [Problem("database.namespace", "is given for a host that is an address", "Leave it out", namespace)]
    if ":" in host:
        return [Problem(option, "holds a port", "Give the port in database.port", host)]
    if not all(HOST_LABEL.fullmatch(label) for label in host.rstrip(".").split(".")):
        return [Problem(option, "is no host name", "Give a host name, an IP address or the name of a Service", host)]
    if namespace is not None and "." in host:
        remedy = "Give the bare name of the Service as host, or leave the namespace out"
        return [Problem("database.namespace", f"is given together with the dotted host {host!r}", remedy, namespace)]
    return []


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def qualified_host(host: str, namespace: str | None) -> str:
    """The host as it is written into the registry: a Service of another namespace by its full name, an IPv6 address in brackets."""
    address = _address(host)
    if address is not None:
        return f"[{address}]" if address.version == 6 else str(address)
    return host if namespace is None else f"{host}.{namespace}.svc.cluster.local"


def same_host(one: str, other: str, namespace: str) -> bool:
    """Whether two spellings mean the same host for a registry in `namespace`: `db`, `db.data.svc` and the full name can be one Service."""
    return _canonical_host(one, namespace) == _canonical_host(other, namespace)


def _canonical_host(host: str, namespace: str) -> str:
    host = host.lower().rstrip(".")
    if _address(host) is not None:
        return str(_address(host))
    labels = host.split(".")
    if len(labels) == 1:
        labels.append(namespace)
    # A cluster's search domains make a Service of two labels as well.
    if len(labels) == SERVICE_LABELS or labels[SERVICE_LABELS:] in (["svc"], ["svc", "cluster", "local"]):
        return f"{labels[0]}.{labels[1]}.svc"
    return host


def _ca_from_option(option: Any, problems: list[Problem]) -> CertificateAuthority | None:
    if option is None:
        return None
    choices = f"Use {', '.join(CA_BUNDLES)}, none, or a dictionary with config_map and key"
    if isinstance(option, str):
        if option == "none":
            return CertificateAuthority(None)
        if option in CA_BUNDLES:
            return CertificateAuthority(KeyReference(TRUSTED_CA_CONFIG_MAP, CA_BUNDLES[option]))
        problems.append(Problem("database.ca", "is no source of a CA certificate", choices, option))
    elif not isinstance(option, Mapping):
        problems.append(Problem("database.ca", "is no source of a CA certificate", choices))
    elif set(option) != {"config_map", "key"} or not all(isinstance(value, str) and value.strip() for value in option.values()):
        problems.append(Problem("database.ca", "needs exactly the keys config_map and key, each a text", choices, sorted(str(key) for key in option)))
    else:
        return CertificateAuthority(KeyReference(option["config_map"], option["key"]))
    return None
