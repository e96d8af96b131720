# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a model registry is, and every rule about it that needs no cluster."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import quote, unquote

# The dashboard's limit since OpenShift AI 3.4, and the operator's: `<name>-auth-delegator` is the value of a label, which may have 63 characters.
DASHBOARD_NAME_LENGTH = 40
OPERATOR_NAME_LENGTH = 48
NAME_PATTERN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
# From this version of Kubernetes on the name of a Service, which the operator names like the registry, may begin with a digit.
LEADING_DIGIT = (1, 36)
# What the API server takes as the name of an object, of a namespace, and of a key in a ConfigMap or Secret.
OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
NAMESPACE_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
KEY_NAME = re.compile(r"(?!\.\.?$)[-._a-zA-Z0-9]{1,253}")
UNQUOTED_NAME = re.compile(r"\w+", re.ASCII)
# `service.namespace`
SERVICE_LABELS = 2
# What Go's net/url takes unescaped in the user and password of a URL, but for the percent sign; the colon ends the user.
POSTGRESQL_USER_CHARACTERS = r"[A-Za-z0-9\-._~!$&'()*+,;=@]"
POSTGRESQL_PASSWORD_CHARACTERS = "-._~!$&'()*+,;=@:"
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
HOST_LABEL = re.compile(r"[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?")
MYSQL, POSTGRESQL, GENERATED = "mysql", "postgresql", "generated"
DEFAULT_PORTS = {MYSQL: 3306, POSTGRESQL: 5432}
DEFAULT_DATABASE_NAME = "model-registry"
PASSWORD_KEY = "database-password"  # the key's name, not a password
# What the dashboard's first two choices of a CA certificate stand for; the platform operator keeps this ConfigMap in every namespace.
TRUSTED_CA_CONFIG_MAP = "odh-trusted-ca-bundle"
CA_BUNDLES = {"cluster": "ca-bundle.crt", "openshift_ai": "odh-ca-bundle.crt"}
# Seconds or days: more than that is a mistake, and much more is nothing that Python can wait for.
MOST_TIME = 1_000_000
# How things are called in a cluster; paths of files; and a few words, as people call things. None of them mixes capitals with digits, as passwords, keys and
# tokens do, or holds what separates a password from what is around it.
REPEATABLE = re.compile(r"[-._/~a-z0-9]*|(~|\.\.?)?/[-._/~a-zA-Z]*|[A-Z]?[a-z]+( [A-Z]?[a-z]+){0,2}|\s*")
LONGEST_NAME, MOST_DIGITS, LARGEST_NUMBER = 253, 8, 99_999
# For more names than this only those are looked for that differ in one character: to compare each would take seconds.
COMPARED_NAMES = 200


def may_repeat(value: Any) -> bool:
    """Whether a message may repeat what somebody gave: only when it can hold no credential, also none that was meant for another option."""
    if isinstance(value, Mapping):
        return all(may_repeat(part) for entry in value.items() for part in entry)
    if isinstance(value, (list, tuple)):
        return all(map(may_repeat, value))
    if isinstance(value, str):
        is_short = len(value) <= LONGEST_NAME and sum(map(str.isdigit, value)) <= MOST_DIGITS
        return bool(is_short and REPEATABLE.fullmatch(value)) or (_address(value) is not None and "%" not in value)
    return value is None or isinstance(value, bool) or (isinstance(value, (int, float)) and abs(value) <= LARGEST_NUMBER)


def shown(value: Any) -> str:
    """A value as a sentence repeats it behind what it is of, or nothing where it must not."""
    return f" {value!r}" if value is not None and may_repeat(value) else ""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the input. `value` becomes None when it must not be repeated."""

    option: str
    problem: str
    remedy: str
    value: Any = None

    def __post_init__(self) -> None:
        if not may_repeat(self.value):
            object.__setattr__(self, "value", None)

    def sentence(self) -> str:
        """The problem as one line for people."""
        return f"{self.option}{shown(self.value)}: {self.problem}. {self.remedy}."


class ReportedError(Exception):
    """Something that a user can cause and cure. Its text is for people; the shell of the modules makes a failure of it."""

    def add(self, sentences: str) -> None:
        """Say more about it."""
        self.args = (" ".join(filter(None, (str(self), sentences))),)


class MissingLibraryError(ReportedError):
    """A Python library that an option needs is not installed where the task runs."""

    def __init__(self, libraries: Iterable[str]) -> None:
        listed = list(libraries)
        super().__init__(f"The Python library {' and '.join(listed)} is missing where this task runs: pip install {' '.join(listed)}")


class InputError(ReportedError):
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
    """A database. None stands for an option that was left out: the live value stays, or the default on creation."""

    type: str | None = None
    host: str | None = None
    port: int | None = None
    name: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    # A key of a Secret that somebody else looks after.
    password_secret: KeyReference | None = None
    ca: CertificateAuthority | None = None
    verify_server_cert: bool | None = None
    ssl_mode: str | None = None
    client_certificate: ClientCertificate | None = None


@dataclass(frozen=True)
class Registry:
    """One registry as it is wanted. None stands for an option that was left out."""

    name: str
    namespace: str
    display_name: str | None = None
    description: str | None = None
    database: Database | None = None


@dataclass(frozen=True)
class Consent:
    """What the user allows to happen to data, and to running servers."""

    restart: bool = True
    allow_data_change: bool = False
    delete_data: bool = False


def registry_from_options(options: Mapping[str, Any], namespace: str, problems: list[Problem], warnings: list[str]) -> Registry:
    """The wanted registry of a module's options; everything that is wrong or odd about them whatever is live is added to the lists."""
    name, no_time = options["name"], time_problems("wait_timeout", options.get("wait_timeout", 1))
    if options.get("state") == "absent":
        # Nothing but its name matters.
        problems += [*live_name_problems(name), *no_time]
        return Registry(name, namespace)
    problems += name_problems(name)
    display_name = options.get("display_name")
    if display_name is not None and not display_name.strip():
        problems.append(Problem("display_name", "is blank", "Leave it out to use the name, or give a text", display_name))
    problems += no_time
    database = None
    if options.get("database") is not None:
        database = _database_from_options(options["database"], problems, warnings)
        if database.type is not None:
            problems += database_problems(database, database.type)
    return Registry(
        name=name,
        namespace=namespace,
        display_name=None if display_name is None else display_name.strip(),
        description=options.get("description"),
        database=database,
    )


def missing_problems(database: Database | None) -> list[Problem]:
    """What is missing from a database that a registry is to be created on, or moved to."""
    database = database or Database()
    if database.type == GENERATED:
        return []
    required = [
        ("type", database.type, f"Set it to {MYSQL}, {POSTGRESQL} or {GENERATED}"),
        ("host", database.host, "Set the database server's host name or address"),
        ("username", database.username, "Set the user that the registry logs in as"),
        ("password", database.password_secret if database.password is None else database.password, "Set that user's password, or password_secret"),
    ]
    return [Problem(f"database.{option}", "is required", remedy) for option, value, remedy in required if value is None]


def creation_problems(registry: Registry, names: Collection[str] = ()) -> list[Problem]:
    """Why a registry cannot be created; `names` are those of the registries that exist, one of which may be meant."""
    *others, last = [problem.option for problem in missing_problems(registry.database)] or [""]
    missing = f"{', '.join(others)} and {last}" if others else last
    return [Problem("name", not_found(registry.name, registry.namespace, names), f"To create it, set {missing}")] if missing else []


def not_found(name: str, namespace: str, names: Collection[str]) -> str:
    """That there is no such registry, with the one of these names that is probably meant."""
    similar = similar_name(name, names)
    hint = f" (did you mean {similar!r}?)" if similar else ""
    return f"Registry{shown(name)} does not exist in namespace{shown(namespace)}{hint}"


def similar_name(name: str, names: Collection[str]) -> str | None:
    """The name that was probably meant."""
    close = names if len(names) <= COMPARED_NAMES else _differing_in_one_character(name).intersection(names)
    return next(iter(difflib.get_close_matches(name, close, 1)), None)


def _differing_in_one_character(name: str) -> set[str]:
    """All names that become this one when one character is added, removed or replaced, or two neighbors change places."""
    halves = [(name[:place], name[place:]) for place in range(len(name) + 1)]
    added = {f"{left}{character}{rest}" for left, right in halves for character in "abcdefghijklmnopqrstuvwxyz0123456789-._@:" for rest in (right, right[1:])}
    return added | {left + right[1:] for left, right in halves} | {left + right[1:2] + right[:1] + right[2:] for left, right in halves}


def metadata_server_problems(name: str | None) -> list[Problem]:
    """What old products cannot use: their metadata server does not quote a database's name."""
    if UNQUOTED_NAME.fullmatch(name or DEFAULT_DATABASE_NAME):
        return []
    problem = "is no name that this version of the product can use" + ("" if name else ", and it is the default")
    return [Problem("database.name", problem, "Use only letters, digits and underscores", name or DEFAULT_DATABASE_NAME)]


def name_problems(name: str) -> list[Problem]:
    """What is wrong with the resource name of a registry that is to be created."""
    if not NAME_PATTERN.fullmatch(name):
        derived = resource_name(name) if may_repeat(name) else ""
        remedy = f"The dashboard would derive {derived!r}" if derived else "Give a name such as fraud-models"
        return [Problem("name", "is no resource name: only lower-case letters, digits and hyphens, starting and ending with a letter or digit", remedy, name)]
    if len(name) > OPERATOR_NAME_LENGTH:
        remedy = f"Use at most {OPERATOR_NAME_LENGTH} characters"
        return [Problem("name", f"has {len(name)} characters and the operator cannot create its objects with more than {OPERATOR_NAME_LENGTH}", remedy, name)]
    return []


def live_name_problems(name: str, option: str = "name") -> list[Problem]:
    """What is wrong with the name of a registry that may exist: it can have one that the product cannot work with, but none that no object can have."""
    return [] if OBJECT_NAME.fullmatch(name) else [replace(problem, option=option) for problem in name_problems(name)]


def namespace_problems(namespace: str | None, option: str = "namespace") -> list[Problem]:
    """What is wrong with the name of a namespace, if one is given."""
    if not namespace or NAMESPACE_NAME.fullmatch(namespace):
        return []
    return [Problem(option, "cannot be the name of a namespace", "Use lower-case letters, digits and hyphens, or leave it out", namespace)]


def time_problems(option: str, value: float, least: float = 1) -> list[Problem]:
    """What is wrong with a number of seconds or days."""
    # In this order a value that is not a number is none in between.
    return [] if least <= value <= MOST_TIME else [Problem(option, "is out of range", f"Give a number from {least} to {MOST_TIME}", value)]


def resource_name(text: str) -> str:
    """The resource name that the dashboard derives from a display name; empty when nothing of it is left."""
    name = re.sub(r"\s", "-", text.strip().lower())
    name = re.sub(r"[^a-z0-9-]", "", name)
    name = re.sub(r"-+", "-", name.strip("-"))
    return name[:DASHBOARD_NAME_LENGTH].rstrip("-")


def _database_from_options(options: Mapping[str, Any], problems: list[Problem], warnings: list[str]) -> Database:
    host = options.get("host")
    if host is not None:
        problems += _host_problems(host, options.get("namespace"))
        host = qualified_host(host, options.get("namespace"))
    elif options.get("namespace") is not None:
        problems.append(Problem("database.namespace", "is given without database.host", "Give the Service's name as database.host", options["namespace"]))
    port = options.get("port")
    if port is not None and not 1 <= port <= 65535:
        problems.append(Problem("database.port", "is not a port", "Give a number from 1 to 65535", port))
    for option in ("name", "username"):
        problems += _text_problems(f"database.{option}", options.get(option))
    problems += _password_problems(options.get("password"))
    if options.get("password") is not None and options.get("password_secret") is not None:
        remedy = "Give password for a Secret that this collection keeps, or password_secret for one that somebody else keeps"
        problems.append(Problem("database.password_secret", "is given together with database.password", remedy, options["password_secret"]))
    return Database(
        type=options.get("type"),
        host=host,
        port=port,
        name=options.get("name"),
        username=options.get("username"),
        password=options.get("password"),
        password_secret=_key_reference("database.password_secret", options.get("password_secret"), problems),
        ca=_ca_from_option(options.get("ca"), problems, warnings),
        verify_server_cert=options.get("verify_server_cert"),
        ssl_mode=options.get("ssl_mode"),
        client_certificate=_client_certificate(options.get("client_certificate"), problems),
    )


def database_problems(database: Database, kind: str) -> list[Problem]:
    """What a database of this type cannot be told. The characters are those with which server v0.3.8 does not start, or does not connect."""
    if kind == GENERATED:
        given = [entry.name for entry in fields(database) if entry.name != "type" and getattr(database, entry.name) is not None]
        remedy = "Leave it out: the product makes up everything about a database that it generates"
        return [Problem(f"database.{option}", "is given for a generated database", remedy) for option in given]
    problems = []
    if kind == MYSQL:
        problems += _characters("name", database.name, "[/%?]", "one of / % ?, which the registry server cannot put into its connection string")
        problems += _characters("username", database.username, ":", "a colon, where the registry server would cut it off")
        if database.password is not None and "?" in database.password:
            remedy = "Give the database's user a password without a question mark"
            problems.append(
                Problem("database.password", "contains a question mark, and the registry server does not start with one in a MySQL password", remedy)
            )
        if database.ssl_mode is not None:
            remedy = "Use ca and verify_server_cert for MySQL"
            problems.append(Problem("database.ssl_mode", "is an option of PostgreSQL", remedy, database.ssl_mode))
    else:
        problems += _characters("name", database.name, "[%?#]", "one of % ? #, which the registry server cannot put into its connection string")
        if (database.name or "").startswith("/"):
            problems.append(Problem("database.name", "begins with /, which the registry server would drop", "Use another one", database.name))
        other = "something else than letters, digits and -._~!$&'()*+,;=@, which the registry server cannot put into its connection string"
        problems += _characters("username", database.username, f"(?!{POSTGRESQL_USER_CHARACTERS}).", other)
        if database.verify_server_cert is not None:
            problem = "is an option of MySQL: with a CA, PostgreSQL's certificate is always checked, but never its host name, whatever is set"
            problems.append(Problem("database.verify_server_cert", problem, "Leave it out", database.verify_server_cert))
    return problems


def stored_password(password: str, in_url: bool) -> str:
    """The password as the Secret has to hold it: operators from v0.2.20 on put PostgreSQL's into a URL without escaping it."""
    return quote(password, safe=POSTGRESQL_PASSWORD_CHARACTERS) if in_url else password


def means_password(stored: str, password: str, in_url: bool) -> bool:
    """Whether the server logs in with `password` when the Secret holds `stored`, which others may have written without escapes."""
    if not in_url:
        return stored == password
    return not breaks_url(stored) and unquote(stored) == password


def breaks_url(stored: str) -> bool:
    """Whether the registry server cannot start with this as its PostgreSQL password."""
    return bool(re.sub(POSTGRESQL_USER_CHARACTERS + "|:|%[0-9A-Fa-f]{2}", "", stored))


def _characters(option: str, value: str | None, forbidden: str, what: str) -> list[Problem]:
    # Which of them it contains would tell of a password that was given here.
    return [Problem(f"database.{option}", f"contains {what}", "Use another one", value)] if re.search(forbidden, value or "", re.DOTALL) else []


def _text_problems(option: str, value: str | None) -> list[Problem]:
    if value is None:
        return []
    if not value.strip():
        return [Problem(option, "is empty", "Give a value, or leave the option out", value)]
    if value != value.strip():
        return [Problem(option, "begins or ends with white space", "Remove it", value)]
    if not value.isprintable():
        return [Problem(option, "contains a control character", "Remove it", value)]
    return []


def _password_problems(password: str | None) -> list[Problem]:
    if password is None:
        return []
    if not password.strip():
        return [Problem("database.password", "is empty", "Give the password, or leave the option out to keep the present one")]
    if password.endswith(("\n", "\r")):
        return [Problem("database.password", "ends with a line break, which a file or a command often adds", "Remove it, for example with the filter `trim`")]
    if "\0" in password:
        return [Problem("database.password", "contains a null character", "Remove it")]
    return []


def _key_reference(option: str, value: Mapping[str, Any] | None, problems: list[Problem]) -> KeyReference | None:
    if value is None:
        return None
    found = _reference_problems(option, {"name": value.get("name") or "", "key": value.get("key") or ""})
    problems += found
    return None if found else KeyReference(value["name"], value["key"])


def _reference_problems(option: str, parts: Mapping[str, str]) -> list[Problem]:
    """What is wrong with the name of a ConfigMap or Secret and with keys in it, by the option of each; those of keys end in `key`."""
    problems = []
    for part, value in parts.items():
        is_key = part.endswith("key")
        if not value.strip():
            problems.append(Problem(f"{option}.{part}", "is empty", "Give the name of the object and of a key in it", value))
        elif not (KEY_NAME if is_key else OBJECT_NAME).fullmatch(value):
            what, remedy = (
                ("a key", "letters, digits, hyphens, dots and underscores") if is_key else ("an object", "lower-case letters, digits, hyphens and dots")
            )
            problems.append(Problem(f"{option}.{part}", f"cannot be the name of {what}", f"Use only {remedy}", value))
    return problems


def _client_certificate(value: Any, problems: list[Problem]) -> ClientCertificate | None:
    option, remedy = "database.client_certificate", "Use a dictionary with secret, certificate_key and private_key_key, or none"
    keys = {entry.name for entry in fields(ClientCertificate)}
    if value is None or value == "none":
        return None if value is None else ClientCertificate()
    if not isinstance(value, Mapping):
        problems.append(Problem(option, "is no reference to a Secret", remedy))
    elif "secret" not in value or set(value) - keys or not all(isinstance(text, str) and text.strip() for text in value.values()):
        given = sorted(map(str, value))
        problems.append(Problem(option, "needs the key secret, may have certificate_key and private_key_key, each a text", remedy, given))
    else:
        found = _reference_problems(option, value)
        problems += found
        return None if found else ClientCertificate(**value)
    return None


def _host_problems(host: str, namespace: str | None) -> list[Problem]:
    option = "database.host"
    if not host.strip():
        return [Problem(option, "is empty", "Give a host name or address", host)]
    if re.search(r"\s", host):
        return [Problem(option, "contains white space", "Remove it", host)]
    if "/" in host:
        return [Problem(option, "is a URL or holds a path", "Give the host alone; the database goes into database.name", host)]
    if _address(host) is not None:
        return [] if namespace is None else [Problem("database.namespace", "is given for a host that is an address", "Leave it out", namespace)]
    if ":" in host:
        return [Problem(option, "holds a port", "Give the port in database.port", host)]
    if len(host) > LONGEST_NAME or not all(HOST_LABEL.fullmatch(label) for label in host.rstrip(".").split(".")):
        return [Problem(option, "is not a valid host name", "Give a host name, an IP address or the name of a Service", host)]
    if namespace == "":
        return [Problem("database.namespace", "is empty", "Give the namespace of the Service, or leave it out", namespace)]
    wrong = namespace_problems(namespace, "database.namespace")
    if not wrong and namespace is not None and "." in host:
        remedy = "Give the bare name of the Service as host, or leave the namespace out"
        return [Problem("database.namespace", "is given together with a host that has a dot", remedy, namespace)]
    return wrong


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def qualified_host(host: str, namespace: str | None) -> str:
    """The host as it is written into the registry: a Service of another namespace so that every cluster finds it, an IPv6 address in brackets."""
    address = _address(host)
    if address is not None:
        return f"[{address}]" if address.version == 6 else str(address)
    return host if namespace is None else f"{host}.{namespace}.svc"


def same_host(one: str, other: str, namespace: str) -> bool:
    """Whether two spellings mean the same host for a registry in `namespace`: `db`, `db.data.svc` and the full name can be one Service."""
    return one == other or _canonical_host(one, namespace) == _canonical_host(other, namespace)


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


def _ca_from_option(option: Any, problems: list[Problem], warnings: list[str]) -> CertificateAuthority | None:
    path, choices = "database.ca", f"Use {', '.join(CA_BUNDLES)}, none, a dictionary with config_map or secret, and key, or one with pem"
    if option is None or option == "none":
        return None if option is None else CertificateAuthority()
    if isinstance(option, str) and option in CA_BUNDLES:
        return CertificateAuthority("ConfigMap", KeyReference(TRUSTED_CA_CONFIG_MAP, CA_BUNDLES[option]))
    if not isinstance(option, Mapping):
        # Never repeated: what is not one of the choices may be anything.
        problems.append(Problem(path, "is not a valid source of a CA certificate", choices))
    elif set(option) == {"pem"}:
        return _ca_from_pem(option["pem"], problems, warnings)
    elif set(option) not in ({"config_map", "key"}, {"secret", "key"}) or not all(isinstance(text, str) and text.strip() for text in option.values()):
        problems.append(Problem(path, "needs exactly the keys config_map or secret, and key, each a text", choices, sorted(map(str, option))))
    else:
        found = _reference_problems(path, option)
        problems += found
        kind, name = ("Secret", "secret") if "secret" in option else ("ConfigMap", "config_map")
        return None if found else CertificateAuthority(kind, KeyReference(option[name], option["key"]))
    return None


def _ca_from_pem(pem: Any, problems: list[Problem], warnings: list[str]) -> CertificateAuthority | None:
    # Imported here: Ansible sends the modules' files without their compiled form, so that each of them costs every run that imports it.
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import certificates

    if not isinstance(pem, str):
        problems.append(Problem("database.ca.pem", "is no text", "Give the CA's certificate as PEM text"))
        return None
    bundle = certificates.read_bundle(pem, "database.ca.pem")
    problems += bundle.problems
    warnings += bundle.warnings
    return None if bundle.problems else CertificateAuthority("ConfigMap", pem=bundle.pem)


def service_of(host: str, namespace: str) -> tuple[str, str] | None:
    """The namespace and name of the Service that a host of a registry in `namespace` can only be; None for a host that may be outside of the cluster."""
    labels = _canonical_host(host, namespace).split(".")
    is_service = "." not in host or host.rstrip(".").endswith((".svc", ".svc.cluster.local"))
    return (labels[1], labels[0]) if is_service and _address(host) is None and labels[SERVICE_LABELS:] == ["svc"] else None
