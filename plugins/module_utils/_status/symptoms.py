# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry server's log in words: what each line tells of the connection to the database, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Optional

from .. import _options
from .._model import custom_resource, manifests


@dataclass(frozen=True)
class Connection:
    """What a registry's definition says of the connection to its database."""

    kind: str | None = None
    has_ca: bool = False
    has_client_certificate: bool = False
    # Whether MySQL's is encrypted.
    is_encrypted: bool = False


def connection_of(registry: manifests.Manifest) -> Connection:
    """The connection that the definition of a registry asks for."""
    section = custom_resource.live_database(registry)
    has_ca = any(section.get(key) for key in (*custom_resource.CA_KEYS.values(), *custom_resource.CA_DIRECTORIES))
    has_certificate = all(section.get(key) for key in custom_resource.CERTIFICATE_KEYS)
    is_encrypted = has_ca or has_certificate or any(section.get(key) for key in (custom_resource.VERIFY_SERVER_CERT, "sslCipher"))
    return Connection(custom_resource.live_type(registry), has_ca, has_certificate, is_encrypted)


@dataclass(frozen=True)
class Symptom:
    """A line of the server's log that tells what is wrong with a connection of which `applies` holds.

    A `final` one can be fixed only by another input. One that `follows` has its cause in the log of an earlier start of the server.
    """

    # A regular expression. It is compiled when a log is read, which most runs do not do.
    pattern: str
    reason: str
    remedy: str
    final: bool = True
    applies: Callable[[Connection], bool] = lambda _connection: True
    follows: bool = False

    def shows_in(self, line: str) -> bool:
        """Whether a line of a log is one that tells it."""
        return re.search(self.pattern, line) is not None


# A symptom, and the line of a log that shows it.
Seen = Optional[tuple[Symptom, str]]
LOGIN = r"Error (1045|1698) "
REFUSED = "the database rejects the login: the user name or the password is wrong"
CHECK_LOGIN = "Check database.username and database.password"
UNKNOWN_AUTHORITY = "x509: certificate signed by unknown authority"
NO_NAMES = r"x509: certificate (relies on legacy Common Name field|is not valid for any names)"
OTHER_ADDRESS = r"doesn't contain any IP SANs|x509: certificate is valid for .*(, not |none matched )[\d.:a-f]*[.:][\da-f]+$"
NO_CLIENT_CERTIFICATE = "the database requires a client certificate, and the registry has none"
READ_ONLY = "the database server is read-only, such as a replica, and the registry requires write access"
DIRTY = "an earlier migration of the database failed and left its schema marked dirty"
REPAIR = "Use an empty database, or revert the changes of the migration, then set `version` to the previous version and `dirty` to 0 in schema_migrations"
# What the registry server logs when it cannot use its database (servers v0.3.8 and v0.3.14 on MySQL 9.7, MariaDB 10.11 and PostgreSQL 16).
# The first one that fits a line counts.
SYMPTOMS = (
    Symptom(
        LOGIN,
        f"{REFUSED}, or the user must use TLS and the registry has no CA certificate",
        f"{CHECK_LOGIN}, or set database.ca",
        applies=lambda connection: not connection.is_encrypted,
    ),
    Symptom(
        LOGIN,
        f"{REFUSED}, or the user must present a client certificate (REQUIRE X509, ISSUER or SUBJECT) and the registry has none",
        f"{CHECK_LOGIN}, or set database.client_certificate",
        applies=lambda connection: not connection.has_client_certificate,
    ),
    Symptom(
        LOGIN,
        f"{REFUSED}, or the user must present another client certificate (REQUIRE ISSUER or SUBJECT)",
        "Check database.username, database.password and database.client_certificate",
    ),
    Symptom(r"SQLSTATE 28P01|password authentication failed", REFUSED, CHECK_LOGIN),
    Symptom(
        r"Error (3118|4151) ",
        "the account of the user is locked in the database",
        "Unlock it in the database (ALTER USER ... ACCOUNT UNLOCK), or set database.username to another user",
    ),
    Symptom(
        r"Error (1862|1820) ",
        "the password of the user has expired in the database",
        "Set a new password in the database (ALTER USER) and in database.password",
    ),
    Symptom(
        r"Error 3955 ",
        "the database has blocked the user after too many failed logins",
        "Correct database.password, then unblock the user in the database (ALTER USER ... ACCOUNT UNLOCK)",
    ),
    Symptom(
        r"Error 3159 |no encryption",
        "the database accepts only encrypted connections, and the connection of the registry is not encrypted",
        "Set database.ca, or for PostgreSQL set database.ssl_mode to require",
    ),
    Symptom(
        r"requires a valid client certificate|tls: certificate required",
        NO_CLIENT_CERTIFICATE,
        "Set database.client_certificate",
        applies=lambda connection: not connection.has_client_certificate,
    ),
    Symptom(
        r"tls: (unknown certificate authority|bad certificate|expired certificate|revoked certificate|certificate required|(unknown|unsupported) certificate)"
        r"|requires a valid client certificate|certificate authentication failed",
        "the database rejects the client certificate of the registry: it is not valid, or is signed by a CA that the database does not trust",
        "Set database.client_certificate to a certificate that the database accepts",
        applies=lambda connection: connection.has_client_certificate,
    ),
    Symptom(
        r"(bad|invalid) connection: |failed to receive message: ",
        "the database closes the connection before the login, which can mean that it does not accept the client certificate",
        "Check database.client_certificate and the log of the database",
        False,
        applies=lambda connection: connection.has_client_certificate,
    ),
    Symptom(r"SQLSTATE 28000|Error 1130\b", "the database does not allow this user to log in from the cluster", "Allow it in the database"),
    Symptom(
        r"Error 1129\b",
        "the database blocks the nodes of the cluster after too many connection errors",
        "Run TRUNCATE TABLE performance_schema.host_cache on MySQL, or FLUSH HOSTS on MariaDB",
    ),
    Symptom(
        r"Error 1524 |this user requires|authentication plugin is not supported",
        "the registry server does not support the authentication plugin of the user",
        "Change the authentication plugin of the user, for example to caching_sha2_password on MySQL",
    ),
    Symptom(r"Error 1049 |SQLSTATE 3D000", "the database does not exist on the server", "Create it, or correct database.name"),
    Symptom(r"Error 1044 ", "the user has no privileges on the database", "Grant the user all privileges on the database"),
    Symptom(r"Error 1142 ", "the user lacks a privilege that the migrations of the server require", "Grant the user all privileges on the database"),
    # On PostgreSQL, privileges on a database do not include those on its schema and its tables.
    Symptom(
        r"SQLSTATE 42501", "the user lacks a privilege that the migrations of the server require", "Make the user the owner of the database and its tables"
    ),
    Symptom(
        r"server does not support TLS|server refused TLS",
        "the registry requires an encrypted connection, and the database does not offer encryption",
        "Enable TLS in the database, or change what requires it: database.ca, database.client_certificate, database.ssl_mode or database.ssl_cipher",
    ),
    Symptom(r"Error 1040\b|SQLSTATE 53300", "the database has no connections left", "Increase its connection limit", False),
    Symptom(
        r"Error 1226 .*'max_user_connections' resource \(current value: 1\)",
        "the user is limited to one connection, and the registry server needs two",
        "Increase MAX_USER_CONNECTIONS of the user",
    ),
    Symptom(
        r"Error 1226 .*'max_user_connections'",
        "the user has no connections left",
        "Increase MAX_USER_CONNECTIONS of the user, or close other connections of the user",
        False,
    ),
    Symptom(
        r"Error 1226 ",
        "the user has reached an hourly limit of the database",
        "Increase the hourly limit of the user (ALTER USER ... WITH MAX_CONNECTIONS_PER_HOUR, MAX_QUERIES_PER_HOUR or MAX_UPDATES_PER_HOUR)",
    ),
    Symptom(
        r"Error 1290 .*read[-_]only|Error (1792|1836) |SQLSTATE 25006",
        READ_ONLY,
        "Set database.host to the address of the primary server, or make this server writable",
    ),
    Symptom(r"Error 3989 ", "the database is in read-only mode", "Run ALTER DATABASE ... READ ONLY = 0 in the database"),
    Symptom(r"Error 3032 ", "the database server is in offline mode", "Set offline_mode to OFF on the server", False),
    Symptom(
        r"Error 3750 ",
        "the database requires a primary key in each table (sql_require_primary_key), and a table of the registry has none",
        "Set sql_require_primary_key to OFF on the server",
    ),
    Symptom(
        r'syntax error at or near "JSON"|Dirty database version 25\b',
        "migration 25 of the registry server failed, as it does on PostgreSQL versions before 16, and left the schema marked dirty",
        f"Use PostgreSQL 16 or later. {REPAIR}",
    ),
    Symptom(
        UNKNOWN_AUTHORITY,
        "the certificate of the database is not signed by the CA",
        "Set database.ca to the CA certificate that signed it",
        applies=lambda connection: connection.has_ca,
    ),
    Symptom(
        UNKNOWN_AUTHORITY,
        "the registry has no CA certificate and verifies the certificate of the database (database.verify_server_cert), which no public CA has signed",
        "Set database.ca to the CA certificate, or database.ca.source to none, which also disables the verification",
        applies=lambda connection: connection.kind == _options.MYSQL,
    ),
    Symptom(
        UNKNOWN_AUTHORITY,
        "the registry has no CA certificate and verifies the certificate of the database (database.ssl_mode), which no public CA has signed",
        "Set database.ca to the CA certificate, or database.ssl_mode to require",
    ),
    Symptom(
        NO_NAMES,
        "the certificate of the database contains no host name (subject alternative name), such as a certificate generated by MySQL",
        "Set database.verify_server_cert to false, which encrypts without verification, or use a certificate for the name in database.host",
        applies=lambda connection: connection.kind == _options.MYSQL,
    ),
    Symptom(
        NO_NAMES,
        "the certificate of the database contains no host name (subject alternative name)",
        "Set database.ssl_mode to require, which encrypts without verification, or use a certificate for the name in database.host",
    ),
    Symptom(
        OTHER_ADDRESS,
        "database.host is an IP address for which the certificate of the database is not valid",
        "Set database.host to a host name that the certificate contains, use a certificate for the IP address, or set database.verify_server_cert to false",
        applies=lambda connection: connection.kind == _options.MYSQL,
    ),
    Symptom(
        OTHER_ADDRESS,
        "database.host is an IP address for which the certificate of the database is not valid",
        "Set database.host to a host name that the certificate contains, use a certificate for the IP address, or set database.ssl_mode to require",
    ),
    Symptom(
        r"x509: certificate is valid for .*(, not |none matched )",
        "the certificate of the database is not valid for this host name",
        "Set database.host to a host name that the certificate contains, or use a certificate that is valid for this host name",
    ),
    Symptom(r"x509: certificate has expired", "the certificate of the database has expired or is not valid yet", "Renew it, and check the system clocks"),
    Symptom(
        r"failed to parse SSL (root|CA) certificate|unable to add CA to cert pool",
        "the CA bundle contains no PEM certificate",
        "Correct the CA certificate in database.ca",
    ),
    Symptom(
        r"invalid cipher suite|selected cipher suite is insecure",
        "the registry specifies a TLS cipher suite that is unknown or insecure",
        "Correct database.ssl_cipher",
    ),
    Symptom(
        r"(failed to read SSL (root|CA) certificate|unable to read CA file).* is a directory",
        "the registry refers to a whole ConfigMap or Secret as its CA, which the registry server cannot read",
        "Set database.ca to one of its keys",
    ),
    Symptom(
        r"failed to read SSL (root|CA) certificate|unable to read CA file",
        "the ConfigMap or Secret in database.ca does not contain the specified key",
        "Correct the key in database.ca",
    ),
    Symptom(
        r'both "sslcert" and "sslkey" are required',
        "the registry has a client certificate without its key, or a key without its certificate",
        "Set both in database.client_certificate",
    ),
    Symptom(
        r"failed to load SSL certificate pair|unable to (read sslkey|read cert|load cert|find sslpassword|decrypt key)|failed to decode sslkey",
        "the client certificate and its key cannot be read or do not match",
        "Correct database.client_certificate; the key must not be encrypted",
    ),
    Symptom(
        r"tls: failed to verify certificate|x509: ",
        "the registry server does not accept the certificate of the database",
        "Correct the certificate, or the CA in database.ca",
    ),
    Symptom(
        r"\btls: ",
        "the TLS handshake between the registry server and the database failed",
        "Check the TLS settings of the database, which must support TLS 1.2 or later",
        False,
    ),
    Symptom(
        r"Dirty database version 8\b",
        f"{DIRTY}: migration 8, which fails if each table must have a primary key (sql_require_primary_key)",
        f"Set sql_require_primary_key to OFF on the server if it is ON. {REPAIR}",
        applies=lambda connection: connection.kind == _options.MYSQL,
        follows=True,
    ),
    Symptom(r"Dirty database version", DIRTY, REPAIR, follows=True),
    Symptom(
        r"invalid EmbedMD config|invalid (MySQL|PostgreSQL) DSN|net/url: invalid userinfo|cannot parse `.*`: (failed to parse as|invalid port)",
        "the connection string is not valid: a value of `database` contains a character that breaks it",
        "Change the value",
    ),
    # The metadata server that is beside the registry server with operators before v0.2.20. Whatever keeps it from connecting, its words are the same.
    Symptom(
        r"mysql_real_connect failed",
        "the metadata server of this product version cannot connect to the database, and does not report whether the host, the port, the user name,"
        " the password or the CA is wrong",
        "Check these values in `database`, and check that the database is running",
        False,
    ),
    Symptom(
        r"mysql_query failed: .* error in your SQL syntax",
        "the metadata server of this product version cannot use a database of this name: its statements allow only letters, digits and _",
        "Use a database with another name",
    ),
    Symptom(
        r"mysql_query failed: .* denied ",
        "the user has no privileges on the database, or it does not exist",
        "If the database does not exist, create it. Grant the user all privileges on it",
    ),
    Symptom(r"no such host", "the host name of the database cannot be resolved in the cluster", "Correct database.host, or create the Service", False),
    Symptom(
        r"connection refused",
        "nothing is listening at the address of the database",
        "Check database.host and database.port, and check that the database is running",
        False,
    ),
    Symptom(
        r"i/o timeout|deadline exceeded",
        "the database does not respond",
        "Check that the network policies allow connections from the registries namespace",
        False,
    ),
)
# How the server's logging library begins what it says, which may go on over several lines.
HEAD = re.compile(r"^[IWEF]\d{4} [\d:.]+ +\d+ [^\s\]]+\] ", re.MULTILINE)
# Connection strings in a log. Their passwords stand there as they are, with any character, line breaks too: up to the last @, or where the rest was cut
# off, to the end of the quotes. Go's parser of URLs repeats in quotes what it stumbled upon.
CREDENTIALS = (
    (re.compile(r"(\bpostgres(?:ql)?://[^:/\s\"@]*:).*@", re.DOTALL), r"\1********@"),
    (re.compile(r"(\bpostgres(?:ql)?://[^:/\s\"@]*:)(?!\*{8}@)[^\"]*"), r"\1********"),
    (re.compile(r"(\binvalid (?:port|URL escape|character) \")(?:[^\"\\]|\\.)*", re.DOTALL), r"\1********"),
)
# What the driver of MySQL says of its own in front of a line that only says that the connection is gone.
DRIVER = re.compile(r"\[mysql\] \S+ \S+ \S+ (.*)")
MYSQL_LOGIN = re.compile(r"([^\s:]+:).*", re.DOTALL)


def lines_of(log: str) -> list[str]:
    """What a log says, line by line, without the logging library's additions and without passwords."""
    lines: list[str] = []
    told = ""
    for line in (line.strip() for said in HEAD.split(log) for line in without_credentials(said).splitlines()):
        driver = DRIVER.match(line)
        if not driver:
            lines.append(line + told)
        told = f": {driver[1]}" if driver else ""
    return lines


def without_credentials(text: str) -> str:
    """A text of the server's, of one line or several, without the password of a connection string in it."""
    for pattern, masked in CREDENTIALS:
        text = pattern.sub(masked, text)
    login, at, address = text.rpartition("@tcp(")
    return MYSQL_LOGIN.sub(r"\1********", login) + at + address


def newest(lines: Sequence[str], connection: Connection) -> Seen:
    """The last line that tells something of a connection, and what."""
    for line in reversed(lines):
        for symptom in SYMPTOMS:
            if symptom.shows_in(line) and symptom.applies(connection):
                return symptom, line
    return None


def stops_migration(line: str) -> bool:
    """Whether a line tells of a migration that failed in the middle, after which the schema is marked dirty and no server starts any more."""
    return "(details: " in line
