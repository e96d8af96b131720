"""What each line of the registry server's log tells, and what is not shown of it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._status import symptoms
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status.symptoms import Connection

from .builders import stored, wanted

HEAD = "W1128 14:17:22.321102       1 connect.go:91] "
RETRYING = "Retrying connection to MySQL (attempt 1/25): "
METADATA_REFUSED = "Check failed: absl::OkStatus() == status (OK vs. INTERNAL:"
SYNTAX = "errno: You have an error in your SQL syntax; check the manual"
FAILED_LOGIN = (
    'failed to connect to `user=registry database=models`: 10.0.0.1:5432 (pg): failed SASL auth: FATAL: password authentication failed for user "registry"'
)
HBA = 'FATAL: no pg_hba.conf entry for host "10.0.0.9", user "registry", database "models"'
LOGIN_REFUSED = "Error 1045 (28000): Access denied for user 'registry'@'10.0.0.9' (using password: YES)"
UNKNOWN_AUTHORITY = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
TLS = "cannot parse `postgresql://registry:xxxxx@db:5432/models?sslmode=require&sslrootcert=%2Fetc%2Fx`: failed to configure TLS ({})"
PLAIN, ENCRYPTED = Connection("mysql"), Connection("mysql", has_ca=True, is_encrypted=True)
WITH_PAIR = Connection("mysql", has_ca=True, has_client_certificate=True, is_encrypted=True)
POSTGRESQL = Connection("postgresql")


@pytest.mark.parametrize(
    ("line", "connection", "reason", "remedy", "final"),
    [
        # A reason knows the definition that it is about.
        (LOGIN_REFUSED, PLAIN, "must use TLS", "database.ca", True),
        (LOGIN_REFUSED, ENCRYPTED, "a client certificate", "database.client_certificate", True),
        (LOGIN_REFUSED, WITH_PAIR, "another client certificate", "database.client_certificate", True),
        (f"{FAILED_LOGIN} (SQLSTATE 28P01)", POSTGRESQL, "password is wrong", "database.password", True),
        (UNKNOWN_AUTHORITY, ENCRYPTED, "signed by the CA", "database.ca", True),
        (UNKNOWN_AUTHORITY, Connection("mysql", is_encrypted=True), "has no CA", "none", True),
        (UNKNOWN_AUTHORITY, POSTGRESQL, "database.ssl_mode", "database.ssl_mode to require", True),
        ("remote error: tls: unknown certificate authority", WITH_PAIR, "client certificate", "database.client_certificate", True),
        ("remote error: tls: expired certificate", WITH_PAIR, "client certificate", "database.client_certificate", True),
        ("bad connection: write tcp 10.0.0.9:1->10.0.0.1:3306: write: broken pipe", WITH_PAIR, "before the login", "database.client_certificate", False),
        ("remote error: tls: certificate required", ENCRYPTED, "requires a client certificate", "database.client_certificate", True),
        ("FATAL: connection requires a valid client certificate (SQLSTATE 28000)", POSTGRESQL, "requires a client", "database.client_certificate", True),
        (f"{HBA}, no encryption (SQLSTATE 28000)", POSTGRESQL, "only encrypted connections", "ssl_mode to require", True),
        (f"{HBA}, SSL encryption (SQLSTATE 28000)", POSTGRESQL, "log in from the cluster", "Allow", True),
        ("Error 1130: Host '10.0.0.9' is not allowed to connect to this MariaDB server", PLAIN, "log in from the cluster", "Allow", True),
        ("Error 1129 (HY000): Host '10.0.0.9' is blocked because of many connection errors", PLAIN, "too many", "host_cache", True),
        ("this user requires clear text authentication. If you still want to use it", ENCRYPTED, "authentication plugin", "caching_sha2_password", True),
        ("Error 1049 (42000): Unknown database 'nope'", PLAIN, "does not exist", "Create it", True),
        ('server error: FATAL: database "nope" does not exist (SQLSTATE 3D000)', POSTGRESQL, "does not exist", "Create it", True),
        ("Error 1044 (42000): Access denied for user 'u'@'%' to database 'd'", PLAIN, "no privileges on the database", "Grant", True),
        ("Error 1142 (42000): CREATE command denied to user", PLAIN, "lacks a privilege", "Grant", True),
        ("ERROR: permission denied for schema public (SQLSTATE 42501)", POSTGRESQL, "lacks a privilege", "Make the user the owner", True),
        ("Error 3159 (HY000): Connections using insecure transport are prohibited", PLAIN, "only encrypted connections", "database.ca", True),
        ("TLS requested but server does not support TLS", ENCRYPTED, "encrypt", "TLS", True),
        ("tls error: server refused TLS connection", POSTGRESQL, "encrypt", "TLS", True),
        # An account of MySQL's, and of MariaDB's where its words are others.
        ("Error 3118 (HY000): Access denied for user 'u'@'%'. Account is locked.", PLAIN, "is locked", "ACCOUNT UNLOCK", True),
        ("Error 4151 (HY000): Access denied, this account is locked", PLAIN, "is locked", "ACCOUNT UNLOCK", True),
        ("Error 1862 (HY000): Your password has expired. To log in you must change it", PLAIN, "has expired", "ALTER USER", True),
        ("Error 1820 (HY000): You must SET PASSWORD before executing this statement", PLAIN, "has expired", "ALTER USER", True),
        ("Error 3955 (HY000): Account is blocked for 2 day(s) (2 day(s) remaining)", PLAIN, "has blocked the user", "ACCOUNT UNLOCK", True),
        ("Error 1040: Too many connections", PLAIN, "no connections left", "limit", False),
        ("FATAL: sorry, too many clients already (SQLSTATE 53300)", POSTGRESQL, "no connections left", "limit", False),
        ("Error 1226 (42000): User 'u' has exceeded the 'max_user_connections' resource (current value: 1)", PLAIN, "needs two", "MAX_USER_CONN", True),
        (
            "Error 1226 (42000): User 'u' has exceeded the 'max_user_connections' resource (current value: 9)",
            PLAIN,
            "no connections left",
            "MAX_USER_CONN",
            False,
        ),
        ("Error 1226 (42000): User 'u' has exceeded the 'max_connections_per_hour' resource (current value: 1)", PLAIN, "hourly limit", "hourly limit", True),
        ("Error 1290 (HY000): The MySQL server is running with the --read-only option", PLAIN, "read-only", "database.host", True),
        ("Error 1290 (HY000): The MariaDB server is running with the --read-only option", PLAIN, "read-only", "database.host", True),
        ("ERROR: cannot execute CREATE TABLE in a read-only transaction (SQLSTATE 25006)", POSTGRESQL, "read-only", "database.host", True),
        ("Error 3989 (HY000): Schema 'r1' is in read only mode.", PLAIN, "is in read-only mode", "READ ONLY = 0", True),
        ("Error 3032 (HY000): The server is currently in offline mode", PLAIN, "offline mode", "offline_mode", False),
        ("Error 3750 (HY000): Unable to create or change a table without a primary key", PLAIN, "requires a primary key", "OFF", True),
        ('ERROR: syntax error at or near "JSON" (SQLSTATE 42601)', POSTGRESQL, "before 16", "PostgreSQL 16", True),
        ("Dirty database version 25. Fix and force version.", POSTGRESQL, "before 16", "PostgreSQL 16", True),
        ("Dirty database version 7. Fix and force version.", PLAIN, "an earlier migration", "schema_migrations", True),
        ("Dirty database version 8. Fix and force version.", PLAIN, "sql_require_primary_key", "OFF", True),
        ("Dirty database version 8. Fix and force version.", POSTGRESQL, "an earlier migration", "schema_migrations", True),
        ("Dirty database version 250. Fix and force version.", POSTGRESQL, "an earlier migration", "schema_migrations", True),
        ("dial tcp: lookup nohost.invalid on 10.96.0.10:53: no such host", PLAIN, "cannot be resolved", "database.host", False),
        ("dial tcp 10.0.0.1:3306: connect: connection refused", PLAIN, "nothing is listening", "database.port", False),
        ("dial tcp 10.0.0.1:3306: i/o timeout", PLAIN, "does not respond", "network", False),
        ("context deadline exceeded", PLAIN, "does not respond", "network", False),
        ("x509: certificate is valid for localhost, not db", ENCRYPTED, "this host name", "database.host", True),
        ("x509: certificate is valid for 120 names, but none matched db", ENCRYPTED, "this host name", "database.host", True),
        ("x509: certificate is valid for 10.0.0.1, not 10.0.0.2", ENCRYPTED, "IP address", "IP address", True),
        ("x509: certificate is valid for fd00::1, not fd00::2", ENCRYPTED, "IP address", "IP address", True),
        ("x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs", ENCRYPTED, "is an IP", "verify_server_cert", True),
        ("x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs", POSTGRESQL, "is an IP", "database.ssl_mode to require", True),
        ("x509: certificate is valid for 10.0.0.1, not 10.0.0.2", POSTGRESQL, "IP address", "database.ssl_mode to require", True),
        ("x509: certificate is not valid for any names, but wanted to match db", POSTGRESQL, "no host name", "database.ssl_mode to require", True),
        # Two ways out for the certificate that MySQL makes for itself.
        ("x509: certificate relies on legacy Common Name field, use SANs instead", ENCRYPTED, "no host name", "verify_server_cert", True),
        ("x509: certificate is not valid for any names, but wanted to match db", ENCRYPTED, "no host name", "database.host", True),
        ("tls: failed to verify certificate: x509: certificate has expired or is not yet valid", ENCRYPTED, "expired", "Renew", True),
        ("tls: failed to verify certificate: x509: certificate specifies an incompatible key usage", ENCRYPTED, "does not accept the", "Correct", True),
        ("tls: server selected unsupported protocol version 301", ENCRYPTED, "TLS handshake", "TLS 1.2", False),
        # The CA and the client certificate: pgx says all of it behind `cannot parse`, which is not about the connection string.
        ("failed to parse SSL root certificate from /etc/x", ENCRYPTED, "no PEM certificate", "database.ca", True),
        ("invalid cipher suite: TLS_NONE", ENCRYPTED, "cipher suite", "database.ssl_cipher", True),
        ("selected cipher suite is insecure: TLS_RSA_WITH_RC4_128_SHA", ENCRYPTED, "cipher suite", "database.ssl_cipher", True),
        (TLS.format("unable to add CA to cert pool"), POSTGRESQL, "no PEM certificate", "database.ca", True),
        ("failed to read SSL root certificate from /etc/x: open /etc/x: no such file or directory", ENCRYPTED, "the specified key", "database.ca", True),
        (TLS.format("unable to read CA file: open /etc/x: no such file or directory"), POSTGRESQL, "the specified key", "database.ca", True),
        ("failed to read SSL root certificate from /etc/x: read /etc/x: is a directory", ENCRYPTED, "a whole ConfigMap or Secret", "one of its keys", True),
        (TLS.format("unable to read CA file: read /etc/x: is a directory"), POSTGRESQL, "a whole ConfigMap or Secret", "one of its keys", True),
        (TLS.format('both "sslcert" and "sslkey" are required'), POSTGRESQL, "without its key", "database.client_certificate", True),
        (TLS.format("unable to load cert: tls: private key does not match public key"), POSTGRESQL, "do not match", "client_certificate", True),
        (TLS.format("failed to decode sslkey"), POSTGRESQL, "cannot be read", "client_certificate", True),
        ("failed to load SSL certificate pair (cert: /etc/x, key: /etc/y): tls: failed to find any PEM data", WITH_PAIR, "cannot be read", "client_cert", True),
        ("invalid EmbedMD config: invalid MySQL DSN: database name must not contain", PLAIN, "connection string", "Change", True),
        ("cannot parse `postgresql://registry:xxxxx@db`: invalid port (outside range)", POSTGRESQL, "connection string", "Change", True),
        ("cannot parse `postgresql://registry:xxxxx@db`: failed to parse as URL (x)", POSTGRESQL, "connection string", "Change", True),
        ("net/url: invalid userinfo", POSTGRESQL, "connection string", "Change", True),
        (f"{METADATA_REFUSED} mysql_real_connect failed: errno: , error:  [mysql-error-info=''])", PLAIN, "cannot connect", "Check", False),
        (f"{METADATA_REFUSED} ConnectImplmysql_query failed: {SYNTAX})", PLAIN, "cannot use a database of this name", "another name", True),
        (f"{METADATA_REFUSED} mysql_query failed: errno: Access denied for user 'u'@'%' to database 'd')", PLAIN, "no privileges", "create it", True),
    ],
)
def test_the_servers_log_is_told_in_words(line: str, connection: Connection, reason: str, remedy: str, final: bool) -> None:
    found = symptoms.newest(symptoms.lines_of(f"starting\n{HEAD}{RETRYING}{line}\n"), connection)
    assert found is not None
    assert reason in found[0].reason and remedy in found[0].remedy and found[0].final is final
    # The evidence is what the server said, without what its logging library adds.
    assert found[1].startswith(RETRYING)


def test_tls_errors_of_postgresql_are_not_taken_for_a_broken_connection_string() -> None:
    found = symptoms.newest([TLS.format("something new")], POSTGRESQL)
    assert found is None


def test_what_mysqls_driver_says_belongs_to_the_line_after_it() -> None:
    log = f"[mysql] 2026/11/28 14:17:30 packets.go:58 remote error: tls: unknown certificate authority\n{HEAD}{RETRYING}invalid connection\nbye\n"
    assert symptoms.lines_of(log) == [f"{RETRYING}invalid connection: remote error: tls: unknown certificate authority", "bye"]


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("mysql", {}, PLAIN),
        ("mysql", {"sslRootCertificateConfigMap": {"name": "x", "key": "y"}, "verifyServerCert": True}, ENCRYPTED),
        ("mysql", {"sslRootCertificateSecret": {"name": "x", "key": "y"}, "verifyServerCert": False}, Connection("mysql", has_ca=True, is_encrypted=True)),
        ("mysql", {"sslRootCertificatesSecretName": "x"}, Connection("mysql", has_ca=True, is_encrypted=True)),
        ("mysql", {"sslCipher": "x"}, Connection("mysql", is_encrypted=True)),
        ("postgresql", {"sslCertificateSecret": {"name": "x", "key": "y"}}, POSTGRESQL),
        (
            "postgresql",
            {key: {"name": "x", "key": "y"} for key in ("sslCertificateSecret", "sslKeySecret")},
            Connection("postgresql", has_client_certificate=True, is_encrypted=True),
        ),
        ("generated", {}, Connection("generated")),
    ],
)
def test_the_definition_says_what_the_connection_has(kind: str, fields: dict[str, Any], expected: Connection) -> None:
    assert symptoms.connection_of(stored(wanted(kind), **fields)) == expected


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            'parse "postgresql://registry:se/cret@db:5432/models": invalid port ":se" after host',
            'parse "postgresql://registry:********@db:5432/models": invalid port "********" after host',
        ),
        (
            'parse "postgresql://registry:se cret@db:5432/models": net/url: invalid userinfo',
            'parse "postgresql://registry:********@db:5432/models": net/url: invalid userinfo',
        ),
        ('parse "postgresql://registry:se@cr[et@db:5432/models": x', 'parse "postgresql://registry:********@db:5432/models": x'),
        # Cut off at the hash of the password.
        (
            'parse "postgresql://registry:secret": invalid port ":secret" after host',
            'parse "postgresql://registry:********": invalid port "********" after host',
        ),
        ('parse "postgres://registry:se%cret@db/x": invalid URL escape "%cr"', 'parse "postgres://registry:********@db/x": invalid URL escape "********"'),
        (
            'cannot parse "postgres://registry:se\\"cret@db/x": invalid port ":se\\"cret"',
            'cannot parse "postgres://registry:********@db/x": invalid port "********"',
        ),
        ("cannot open registry:se cr@et@tcp(db:3306)/models", "cannot open registry:********@tcp(db:3306)/models"),
        ("dial tcp 10.0.0.1:5432: connect: connection refused", "dial tcp 10.0.0.1:5432: connect: connection refused"),
        ('Get "https://db:8443/x": EOF', 'Get "https://db:8443/x": EOF'),
        # A password of several lines.
        ("cannot open postgres://registry:se\ncr\net@db/models", "cannot open postgres://registry:********@db/models"),
        ("cannot open postgres://registry:se\ncr", "cannot open postgres://registry:********"),
        ("cannot open registry:se\ncr\net@tcp(db:3306)/models: x", "cannot open registry:********@tcp(db:3306)/models: x"),
    ],
)
def test_credentials_of_a_connection_string_are_masked(line: str, shown: str) -> None:
    assert symptoms.without_credentials(line) == shown
    # In a log it is masked as far as it goes, and no further.
    assert symptoms.lines_of(f"{HEAD}first\n{HEAD}{line}\n{HEAD}user@last: end\n") == ["first", shown, "user@last: end"]
