"""What was seen of a database, judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._database import privileges, refusals, requirements, transport, vocabulary
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.privileges import Grants, Table, mysql_grants
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.transport import Encryption, Handshake, encryption
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.vocabulary import FAILURE, OK, WARNING, Finding, Schema, View
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.certificates import Certificate

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)
MYSQL = View("mysql", "db.example.com", 3306, "models", "registry", "secret-word")
POSTGRESQL = replace(MYSQL, type="postgresql", port=5432)
CA = "-----BEGIN CERTIFICATE-----"
SHOWN = Certificate("", 1, "", "CN=db", "CN=ca", NOW - 365 * DAY, NOW + 365 * DAY, False, False, ("db.example.com",), ("10.0.0.1",))


def test_a_view_never_shows_its_secrets():
    assert "secret-word" not in repr(replace(MYSQL, client_key="key-word"))
    assert "key-word" not in repr(replace(MYSQL, client_key="key-word"))


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (MYSQL, Encryption(False)),
        (replace(MYSQL, ca=CA), Encryption(True)),
        (replace(MYSQL, ca=CA, verify_server_cert=True), Encryption(True, True, True)),
        (replace(MYSQL, verify_server_cert=True), Encryption(True, True, True)),
        (replace(MYSQL, client_certificate="c", client_key="k"), Encryption(True)),
        (replace(MYSQL, client_certificate="c"), Encryption(True)),
        (replace(MYSQL, client_key="k"), Encryption(True)),
        (replace(MYSQL, ssl_cipher="TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"), Encryption(True)),
        (replace(MYSQL, ssl_cipher=""), Encryption(False)),
        (POSTGRESQL, Encryption(False)),
        *((replace(POSTGRESQL, ca=CA, ssl_mode=mode), Encryption(True, True)) for mode in (None, "disable", "verify-full")),
        (replace(POSTGRESQL, client_certificate="c", client_key="k"), Encryption(True)),
        (replace(POSTGRESQL, ssl_mode="disable"), Encryption(False)),
        (replace(POSTGRESQL, ssl_mode="allow"), Encryption(False, optional=True)),
        (replace(POSTGRESQL, ssl_mode="prefer"), Encryption(True, optional=True)),
        (replace(POSTGRESQL, ssl_mode="require"), Encryption(True)),
        (replace(POSTGRESQL, ssl_mode="verify-ca"), Encryption(True, True)),
        (replace(POSTGRESQL, ssl_mode="verify-full"), Encryption(True, True, True)),
    ],
)
def test_what_the_server_makes_of_tls_settings(view, expected):
    assert encryption(view) == expected


@pytest.mark.parametrize(
    ("view", "result", "said"),
    [
        (MYSQL, OK, "can use"),
        (replace(MYSQL, password="a?b"), FAILURE, "question mark"),
        (replace(MYSQL, name="a/b"), FAILURE, "database.name contains /, % or ?"),
        (replace(MYSQL, username="a:b"), FAILURE, "database.username contains a colon"),
        (replace(MYSQL, password="word\n"), WARNING, "line break"),
        (replace(MYSQL, client_key="k"), WARNING, "does not present it, but encrypts"),
        (replace(POSTGRESQL, client_certificate="c"), FAILURE, "does not start"),
        # What an option has is stored percent-encoded; what a Secret has is used as it stands.
        (replace(POSTGRESQL, password="a/b"), OK, "can use"),
        (replace(POSTGRESQL, password="a/b", password_is_stored=True), FAILURE, "not valid in a connection URL"),
        (replace(POSTGRESQL, password="a%2Fb", password_is_stored=True), OK, "can use"),
        (replace(MYSQL, ca="text"), FAILURE, "no PEM certificate"),
        (replace(MYSQL, password=None), OK, "can use"),
    ],
)
def test_settings_that_the_server_cannot_use(view, result, said):
    [finding] = transport.settings_findings(view)
    assert finding.result == result
    assert said in finding.message


def test_a_stored_password_of_postgresql_is_decoded_and_others_are_not():
    assert replace(POSTGRESQL, password="a%2Fb", password_is_stored=True).effective_password == "a/b"
    assert replace(POSTGRESQL, password="a%2Fb").effective_password == "a%2Fb"
    assert replace(MYSQL, password="a%2Fb", password_is_stored=True).effective_password == "a%2Fb"


@pytest.mark.parametrize(
    ("host", "only_cluster"),
    [
        ("mysql", True),
        ("mysql.data.svc", True),
        ("mysql.data.svc.cluster.local", True),
        ("mysql.data.svc.cluster.local.", True),
        ("db.example.com", False),
        ("nohost.invalid", False),
    ],
)
def test_names_that_are_unknown_here_are_no_failure_of_the_database(host, only_cluster):
    finding = transport.unresolved(replace(MYSQL, host=host))
    assert finding.result == WARNING
    assert "cannot be reached from this host" in finding.message
    assert ("resolved only in the cluster" in finding.message) is only_cluster
    assert vocabulary.usable([finding]) is None


@pytest.mark.parametrize(
    ("view", "offered", "result"),
    [
        (MYSQL, True, WARNING),
        (MYSQL, False, WARNING),
        (replace(MYSQL, ca=CA), True, OK),
        (replace(MYSQL, ca=CA), False, FAILURE),
        (replace(POSTGRESQL, ssl_mode="prefer"), False, WARNING),
        (replace(POSTGRESQL, ssl_mode="require"), False, FAILURE),
    ],
)
def test_tls_that_is_offered_or_not(view, offered, result):
    [finding] = transport.encryption_findings(view, offered)
    assert finding.result == result


def judged(view, seen):
    return {finding.check: (finding.result, finding.message) for finding in transport.handshake_findings(view, seen, NOW)}


def test_a_good_certificate():
    seen = Handshake("TLSv1.3", SHOWN)
    assert {result for result, _message in judged(replace(MYSQL, ca=CA, verify_server_cert=True), seen).values()} == {OK}
    unverified = judged(replace(MYSQL, ca=CA), seen)
    assert "verify_server_cert is false" in unverified["certificate"][1]
    assert "does not verify" in unverified["host_name"][1]


@pytest.mark.parametrize(
    ("view", "chain", "host"),
    [
        (replace(MYSQL, ca=CA, verify_server_cert=True), FAILURE, FAILURE),
        (replace(MYSQL, ca=CA), WARNING, WARNING),
        (replace(POSTGRESQL, ca=CA, ssl_mode="verify-full"), FAILURE, WARNING),
        (replace(POSTGRESQL, ssl_mode="verify-ca"), FAILURE, WARNING),
        (replace(POSTGRESQL, ssl_mode="verify-full"), FAILURE, FAILURE),
    ],
)
def test_a_wrong_chain_and_a_wrong_host_name_count_only_where_the_server_looks(view, chain, host):
    seen = judged(replace(view, host="other.example.com"), Handshake("TLSv1.3", SHOWN, chain_failure="unknown issuer"))
    assert (seen["certificate"][0], seen["host_name"][0]) == (chain, host)
    assert "db.example.com, 10.0.0.1, not for other.example.com" in seen["host_name"][1]


def test_a_certificate_with_a_common_name_only_is_for_no_host():
    assert "common name is ignored" in judged(replace(MYSQL, ca=CA), Handshake("", replace(SHOWN, dns_names=(), addresses=())))["host_name"][1]


@pytest.mark.parametrize(
    ("view", "remedy"),
    [
        (replace(MYSQL, ca=CA, verify_server_cert=True), "database.verify_server_cert to false"),
        (replace(POSTGRESQL, ssl_mode="verify-full"), "database.ssl_mode to require"),
    ],
)
def test_a_certificate_without_a_host_name_has_two_ways_out(view, remedy):
    [found] = [
        finding
        for finding in transport.handshake_findings(view, Handshake("", replace(SHOWN, dns_names=(), addresses=())), NOW)
        if finding.check == "host_name"
    ]
    assert found.result == FAILURE and "no host name" in found.message
    assert remedy in found.remedy and f"use a certificate for {view.host}" in found.remedy


@pytest.mark.parametrize(
    ("left", "verify", "result"),
    [(-DAY, True, FAILURE), (-DAY, False, WARNING), (10 * DAY, True, WARNING), (90 * DAY, True, OK)],
)
def test_the_end_of_a_certificate(left, verify, result):
    seen = Handshake("TLSv1.3", replace(SHOWN, not_after=NOW + left))
    assert judged(replace(MYSQL, ca=CA, verify_server_cert=verify), seen)["expiry"][0] == result


def test_no_common_protocol():
    assert judged(replace(MYSQL, ca=CA), Handshake(failure="unsupported protocol"))["protocol"][0] == FAILURE


@pytest.mark.parametrize(
    ("kind", "text", "result", "said"),
    [
        ("mysql", "4.1.22", FAILURE, "not supported"),
        ("mysql", "5.7.44-log", WARNING, "5.x"),
        ("mysql", "8.0.2-dmr", WARNING, "8.0.3"),
        ("mysql", "8.0.3-rc", OK, "8.0.3"),
        ("mysql", "8.0.mysql_aurora.3.05.2", OK, "MySQL"),
        ("mysql", "9.1.0", OK, "9.1.0"),
        ("mysql", "5.5.5-10.6.16-MariaDB-log", WARNING, "MariaDB 10.6.16"),
        ("mysql", "10.11.6-MariaDB-0+deb12u1", OK, "MariaDB 10.11.6"),
        ("mysql", "5.5.5-11.4.2-MariaDB", OK, "MariaDB 11.4.2"),
        ("postgresql", "15.8 (Debian 15.8-0+deb12u1)", FAILURE, "dirty"),
        ("postgresql", "16.0", OK, "16.0"),
        ("postgresql", "17beta1", OK, "17beta1"),
    ],
)
def test_versions(kind, text, result, said):
    finding = requirements.version_finding(kind, text)
    assert finding.result == result
    assert said in finding.message


def test_a_version_between_the_two_texts_names_both():
    message = requirements.version_finding("mysql", "5.7.44").message
    assert "documentation of the product" in message
    assert "that of the registry server" in message


@pytest.mark.parametrize(
    ("code", "check", "said"),
    [
        (1049, "database", "does not exist"),
        (3032, "login", "offline"),
        (3159, "tls_required", "only encrypted"),
        (1040, "login", "no connections left"),
    ],
)
def test_what_mysql_refuses_to_every_client_is_a_failure(code, check, said):
    finding = refusals.mysql_refusal(MYSQL, code, "words of the server", encrypted=False)
    assert (finding.check, finding.result) == (check, FAILURE)
    assert said in finding.message
    assert vocabulary.usable([finding]) is False


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (1045, "or the account of the user is for other hosts, or the user must use TLS, or must present a client certificate"),
        (1129, "blocks this host"),
        (1130, "not allow connections from this host"),
        (1226, "reached a limit"),
        (1862, "expired"),
        (3118, "locked"),
        (3955, "blocked"),
        (refusals.CLEAR_PASSWORD, "was not sent"),
        (9999, "words of the server"),
    ],
)
def test_what_mysql_refuses_to_an_account_proves_nothing_about_the_cluster(code, said):
    """Its accounts are for hosts: `'u'@'10.%'` may work where `'u'@'%'` does not, and the client's address chooses."""
    finding = refusals.mysql_refusal(MYSQL, code, "words of the server", encrypted=False)
    assert (finding.check, finding.result) == ("login", WARNING)
    assert said in finding.message
    assert "connections from this host" in finding.message
    assert vocabulary.usable([finding]) is None


def test_the_remedy_for_a_blocked_host_is_one_that_each_server_knows():
    remedy = refusals.mysql_refusal(MYSQL, 1129, "", encrypted=False).remedy
    assert "TRUNCATE TABLE performance_schema.host_cache` on MySQL" in remedy
    assert "FLUSH HOSTS on MariaDB" in remedy


def test_a_refused_login_with_tls_and_a_client_certificate_is_not_blamed_on_them():
    message = refusals.mysql_refusal(replace(MYSQL, client_certificate="c"), 1045, "", encrypted=True).message
    assert "TLS" not in message and "client certificate" not in message


@pytest.mark.parametrize(("host", "usable"), [("%", False), ("10.%", None), ("", None)])
def test_only_the_account_for_every_host_says_what_the_cluster_gets(host, usable):
    login = Finding("login", OK, "")
    lacking = privileges.mysql_privileges_finding(MYSQL, Grants(frozenset()), Schema())
    for finding in (lacking, requirements.connections_finding(100, 1, 1, 1), requirements.database_finding(MYSQL, "It is read-only")):
        assert vocabulary.usable([login, vocabulary.of_account(finding, host)]) is usable
    assert vocabulary.usable([login, refusals.mysql_database_refusal(MYSQL, 1044, "", host)]) is usable
    assert vocabulary.usable([login, refusals.mysql_database_refusal(MYSQL, 1049, "", host)]) is False
    assert vocabulary.usable([login, vocabulary.of_account(Finding("privileges", OK, ""), host)]) is True


LINES = "first-line of it\nsecond line of it\n"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIsecret\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("view", "text"),
    [
        (replace(MYSQL, password=LINES), f"cannot parse password='{LINES}' here"),
        (replace(MYSQL, password=LINES), "cannot parse `first-line of it` or `second line of it`"),
        (replace(POSTGRESQL, password="a%41 secret\nline", password_is_stored=True), "failed with aA secret and line"),
        (replace(POSTGRESQL, password="sec/ret line"), "postgresql://registry:sec%2Fret%20line@db/models"),
        (replace(MYSQL, client_key=KEY), f"could not load {KEY}"),
        (MYSQL, f"could not load {KEY}"),
        (MYSQL, "could not load -----BEGIN PRIVATE KEY-----\nMIIsecret"),
    ],
)
def test_no_line_of_a_password_or_key_is_repeated_from_what_a_database_said(view, text):
    for finding in (refusals.mysql_refusal(view, 9999, text, encrypted=True), refusals.postgresql_refusal(view, text)):
        for secret in ("first-line", "second line", "aA secret", "sec%2Fret", "MIIsecret"):
            assert secret not in finding.message
        assert vocabulary.HIDDEN in finding.message or "END PRIVATE KEY" in text


def test_what_a_database_said_is_one_short_line_without_escapes():
    said = vocabulary.repeated(MYSQL, "\x1b[31mred\nand\tlong " + "x" * 10_000)
    assert said.startswith("\\x1b[31mred and long xxx")
    assert len(said) < 350


@pytest.mark.parametrize(
    ("text", "check", "said"),
    [
        ('FATAL:  password authentication failed for user "u"', "login", "password is wrong"),
        ('FATAL:  database "nope" does not exist', "database", "does not exist"),
        ('FATAL:  permission denied for database "x"', "database", "permission to connect"),
        ('FATAL:  role "u" does not exist', "login", "user does not exist"),
        ("FATAL:  sorry, too many clients already", "login", "no connections left"),
    ],
)
def test_what_postgresql_refuses_to_every_client_is_a_failure(text, check, said):
    finding = refusals.postgresql_refusal(POSTGRESQL, text)
    assert (finding.check, finding.result) == (check, FAILURE)
    assert said in finding.message


@pytest.mark.parametrize(
    ("text", "check", "said"),
    [
        ('FATAL:  no pg_hba.conf entry for host "h", user "u", database "d", SSL encryption', "login", "pg_hba.conf"),
        ('FATAL:  pg_hba.conf rejects connection for host "h", user "u", database "d", no encryption', "tls_required", "without encryption"),
        ("something\nelse entirely", "login", "else entirely"),
        ("", "login", "no reason"),
    ],
)
def test_what_postgresql_refuses_to_this_host_proves_nothing_about_the_cluster(text, check, said):
    finding = refusals.postgresql_refusal(POSTGRESQL, text)
    assert (finding.check, finding.result) == (check, WARNING)
    assert said in finding.message
    assert vocabulary.usable([finding]) is None


def test_a_chain_that_only_the_library_refuses_is_no_failure():
    assert refusals.postgresql_refusal(POSTGRESQL, "SSL error: certificate verify failed").result == WARNING


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (Schema(), [("schema", OK, "is empty")]),
        (Schema(("Type", "Artifact")), [("schema", OK, "older product")]),
        (Schema(("orders",)), [("schema", WARNING, "orders")]),
        (Schema(("schema_migrations",), 7, dirty=True), [("migration", FAILURE, "Migration 7")]),
        (Schema(("schema_migrations",), 7), [("migration", OK, ""), ("schema", OK, "to 21")]),
        (Schema(("schema_migrations",), 21), [("migration", OK, ""), ("schema", OK, "version is 21")]),
        (Schema(("schema_migrations",), 22), [("migration", OK, ""), ("schema", WARNING, "newer")]),
    ],
)
def test_schemas(schema, expected):
    found = requirements.schema_findings("mysql", schema)
    assert [(finding.check, finding.result) for finding in found] == [(check, result) for check, result, _said in expected]
    assert all(said in finding.message for finding, (_check, _result, said) in zip(found, expected))


@pytest.mark.parametrize(
    ("numbers", "result", "said"),
    [
        ((100, 10, 0, 10), OK, "10 of 100"),
        ((100, 97, 0, 10), WARNING, "97 of 100"),
        ((100, 10, 12, 10), WARNING, "10 of 12 connections of the user"),
        ((100, 10, -1, 10), OK, "10 of 100"),
        # The server needs two.
        ((100, 10, 1, 1), FAILURE, "limit is 1, and"),
        ((1, 1, -1, 1), FAILURE, "limit is 1, and"),
        ((100, 10, 2, 1), WARNING, "1 of 2 connections"),
    ],
)
def test_limits_of_connections(numbers, result, said):
    finding = requirements.connections_finding(*numbers)
    assert finding.result == result
    assert said in finding.message


EMPTY, MIGRATED = Schema(), Schema(("schema_migrations",), 21)


@pytest.mark.parametrize(
    ("limits", "schema", "result"),
    [
        ("", EMPTY, None),
        ("WITH MAX_USER_CONNECTIONS 5", EMPTY, None),
        ("WITH MAX_QUERIES_PER_HOUR 0", EMPTY, None),
        ("WITH MAX_CONNECTIONS_PER_HOUR 2", MIGRATED, FAILURE),
        ("WITH MAX_QUERIES_PER_HOUR 346", EMPTY, FAILURE),
        ("WITH MAX_QUERIES_PER_HOUR 346", MIGRATED, WARNING),
        ("WITH MAX_UPDATES_PER_HOUR 59", EMPTY, FAILURE),
        ("WITH MAX_UPDATES_PER_HOUR 59", MIGRATED, WARNING),
        ("WITH MAX_QUERIES_PER_HOUR 9000 MAX_UPDATES_PER_HOUR 59 MAX_CONNECTIONS_PER_HOUR 50", EMPTY, FAILURE),
    ],
)
def test_hourly_limits_of_a_user(limits, schema, result):
    account = f"CREATE USER `u`@`%` IDENTIFIED BY PASSWORD '*HASH' REQUIRE NONE {limits} PASSWORD EXPIRE DEFAULT"
    findings = requirements.hourly_findings(account, schema)
    assert [finding.result for finding in findings] == ([result] if result else [])
    assert "HASH" not in repr(findings)


@pytest.mark.parametrize(("code", "said"), [(1226, "has reached a limit"), (1142, "does not allow this check")])
def test_a_check_that_the_database_interrupts_proves_nothing(code, said):
    finding = refusals.interrupted(MYSQL, code, "no")
    assert said in finding.message and (finding.result, finding.proven) == (WARNING, False)


STRICT = {"sql_require_primary_key": "ON"}


@pytest.mark.parametrize(
    ("settings", "schema", "fails"),
    [
        (STRICT, Schema(), True),
        (STRICT, Schema((), 7), True),
        (STRICT, Schema((), 8, dirty=True), True),
        (STRICT, Schema((), 8), False),
        (STRICT, Schema((), 21), False),
        ({"innodb_force_primary_key": "ON"}, Schema(), True),
        ({**STRICT, "sql_generate_invisible_primary_key": "ON"}, Schema(), False),
        ({"sql_require_primary_key": "OFF"}, Schema(), False),
        ({}, Schema(), False),
    ],
)
def test_a_server_that_wants_a_primary_key_in_every_table_fails_until_the_table_without_one_is_there(settings, schema, fails):
    assert [finding.result for finding in requirements.primary_key_findings(settings, schema)] == [FAILURE] * fails


ON = {"read_only": "ON"}


@pytest.mark.parametrize(
    ("version", "settings", "options", "rights", "read_only"),
    [
        ("9.7.0", {}, "", set(), False),
        ("9.7.0", {}, "READ ONLY=1", {"ALL PRIVILEGES"}, True),
        ("9.7.0", ON, "", {"CREATE"}, True),
        ("9.7.0", ON, "", {"CONNECTION_ADMIN"}, False),
        ("8.0.3", ON, "", {"SUPER"}, False),
        ("9.7.0", {**ON, "super_read_only": "ON"}, "", {"SUPER", "CONNECTION_ADMIN"}, True),
        ("8.0.mysql_aurora.3.05.2", {"innodb_read_only": "ON"}, "", {"SUPER"}, True),
        ("9.7.0", {"transaction_read_only": "ON"}, "", {"SUPER"}, True),
        ("10.11.6-MariaDB-0+deb12u1", ON, "", {"SUPER", "CONNECTION ADMIN"}, True),
        ("10.11.6-MariaDB-0+deb12u1", ON, "", {"READ_ONLY ADMIN"}, False),
        ("10.11.6-MariaDB-0+deb12u1", ON, "", {"ALL PRIVILEGES"}, False),
        ("5.5.5-10.6.16-MariaDB-log", ON, "", {"SUPER"}, False),
        ("12.1.2-MariaDB", {"read_only": "NO_LOCK_NO_ADMIN"}, "", {"ALL PRIVILEGES"}, True),
        ("10.11.6-MariaDB-0+deb12u1", {"tx_read_only": "ON"}, "", {"ALL PRIVILEGES"}, True),
    ],
)
def test_a_read_only_server_is_one_for_those_who_may_not_pass(version, settings, options, rights, read_only):
    assert bool(requirements.read_only_reason({"version": version, **settings}, options, frozenset(rights))) is read_only


USER = "`registry`@`%`"


@pytest.mark.parametrize(
    ("lines", "privileges"),
    [
        ([f"GRANT USAGE ON *.* TO {USER} IDENTIFIED BY PASSWORD '*D8'"], {"USAGE"}),
        ([f"GRANT SELECT, INSERT ON *.* TO {USER}", f"GRANT CREATE ON `models`.* TO {USER}"], {"SELECT", "INSERT", "CREATE"}),
        ([f"GRANT SELECT ON `other`.* TO {USER}"], set()),
        ([f"GRANT SELECT ON `m%`.* TO {USER}"], {"SELECT"}),
        ([f"GRANT SELECT ON `mode_s`.* TO {USER}"], {"SELECT"}),
        ([f"GRANT SELECT ON `mode\\_s`.* TO {USER}"], set()),
        # The name itself hides a pattern, and a longer beginning a shorter one.
        ([f"GRANT ALL PRIVILEGES ON `m%`.* TO {USER}", f"GRANT SELECT ON `models`.* TO {USER}"], {"SELECT"}),
        ([f"GRANT ALL PRIVILEGES ON `m%`.* TO {USER}", f"GRANT SELECT ON `mod%`.* TO {USER}"], {"SELECT"}),
        # A role's rights are counted beside the user's.
        ([f"GRANT SELECT ON `models`.* TO {USER}", "GRANT INSERT ON `models`.* TO `role`"], {"SELECT", "INSERT"}),
    ],
)
def test_grants_of_mysql(lines, privileges):
    assert mysql_grants(lines, "models").privileges == privileges


EVERYWHERE = f"GRANT SELECT, INSERT, CREATE ON *.* TO {USER}"


@pytest.mark.parametrize(
    ("lines", "privileges"),
    [
        ([EVERYWHERE, f"REVOKE INSERT ON `models`.* FROM {USER}"], {"SELECT", "CREATE"}),
        ([EVERYWHERE, f"REVOKE INSERT, CREATE ON `other`.* FROM {USER}"], {"SELECT", "INSERT", "CREATE"}),
        ([EVERYWHERE, f"REVOKE INSERT, CREATE ON `models`.* FROM {USER}", f"GRANT CREATE ON `models`.* TO {USER}"], {"SELECT", "CREATE"}),
    ],
)
def test_partial_revokes_take_from_what_is_granted_everywhere(lines, privileges):
    grants = mysql_grants(lines, "models", wildcards=False)
    assert grants.privileges == privileges
    assert grants.everywhere == {"SELECT", "INSERT", "CREATE"}


def test_names_are_compared_without_case_where_the_server_does_so():
    lines = [f"GRANT SELECT ON `model_registry`.* TO {USER}", f"REVOKE SELECT ON `Other`.* FROM {USER}"]
    assert mysql_grants(lines, "Model_Registry", fold_case=True).privileges == {"SELECT"}
    assert mysql_grants(lines, "Model_Registry").privileges == set()


def test_wildcards_mean_themselves_where_the_server_says_so():
    assert mysql_grants([f"GRANT SELECT ON `m%`.* TO {USER}"], "models", wildcards=False).privileges == set()
    assert mysql_grants([f"GRANT SELECT ON `a_b`.* TO {USER}"], "a_b", wildcards=False).privileges == {"SELECT"}


def test_roles_that_are_not_in_force_and_rights_on_tables_are_noticed():
    lines = [f"GRANT `writers` TO {USER}", f"GRANT `readers`@`%` TO {USER}", f"GRANT SELECT ON `models`.`Type` TO {USER}"]
    assert mysql_grants(lines, "models") == Grants(frozenset(), ("writers", "readers"), on_tables=True, everywhere=frozenset())
    assert mysql_grants(lines, "models", active_roles="`readers`@`%`").idle_roles == ("writers",)


NEEDED = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE"})
MIGRATED = Schema(("schema_migrations",), 21)


@pytest.mark.parametrize(
    ("grants", "schema", "result", "said"),
    [
        (Grants(frozenset({"ALL PRIVILEGES"})), Schema(), OK, "all"),
        (Grants(NEEDED), Schema(), OK, "requires"),
        *((Grants(NEEDED - {missing}), Schema(), FAILURE, f"lacks {missing} ") for missing in sorted(NEEDED)),
        (Grants(NEEDED - {"CREATE"}), MIGRATED, WARNING, "CREATE"),
        (Grants(NEEDED - {"DELETE"}), MIGRATED, FAILURE, "DELETE"),
        (Grants(frozenset(), on_tables=True), MIGRATED, WARNING, "individual tables"),
    ],
)
def test_privileges_of_mysql(grants, schema, result, said):
    finding = privileges.mysql_privileges_finding(MYSQL, grants, schema)
    assert finding.result == result
    assert said in finding.message


RIGHTS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
OWN, FOREIGN = Table("Type", True, RIGHTS), Table("Type", False, RIGHTS)


@pytest.mark.parametrize(
    ("schema_name", "may_create", "tables", "version", "result", "said"),
    [
        ("public", True, [], None, OK, ""),
        (None, False, [], None, FAILURE, "any schema"),
        ("public", False, [], None, FAILURE, "create tables"),
        ("public", True, [OWN], 25, OK, ""),
        ("public", False, [OWN], 25, WARNING, "later product"),
        ("public", True, [FOREIGN], 25, WARNING, "own all"),
        ("public", True, [FOREIGN], 22, FAILURE, "does not own Type"),
        *(("public", True, [Table("Type", True, RIGHTS - {missing})], 25, FAILURE, f"lacks {missing} on Type") for missing in sorted(RIGHTS)),
        ("public", True, [Table("schema_migrations", True, frozenset({"SELECT"}))], 25, OK, ""),
        ("public", True, [Table("schema_migrations", True, frozenset())], 25, FAILURE, "lacks SELECT"),
    ],
)
def test_privileges_of_postgresql(schema_name, may_create, tables, version, result, said):
    finding = privileges.postgresql_privileges_finding(schema_name, may_create, tables, Schema((), version))
    assert finding.result == result
    assert said in finding.message


@pytest.mark.parametrize(("name", "result"), [("utf8mb4", OK), ("UTF8", OK), ("latin1", WARNING), ("SQL_ASCII", WARNING)])
def test_character_sets(name, result):
    assert requirements.character_set_finding(name).result == result


def test_a_server_that_is_only_read_from_is_no_home_for_a_registry():
    assert requirements.database_finding(MYSQL, "It is read-only").result == FAILURE
    assert requirements.database_finding(MYSQL, "").result == OK


@pytest.mark.parametrize(
    ("left", "result", "said"),
    [(-1, WARNING, "expired on"), (10, WARNING, "expires on"), (90, OK, "valid until")],
)
def test_the_time_that_is_left_to_the_ca(monkeypatch, left, result, said):
    monkeypatch.setattr(transport.certificates, "certificates_in", lambda _text: (replace(SHOWN, not_after=NOW + left * DAY),))
    [finding] = transport.ca_findings(replace(MYSQL, ca=CA), NOW)
    assert finding.result == result
    assert said in finding.message


def test_a_database_is_usable_when_a_login_worked_and_nothing_failed():
    login, warning, failure = Finding("login", OK, ""), Finding("tls", WARNING, ""), Finding("version", FAILURE, "")
    assert vocabulary.usable([login, warning]) is True
    assert vocabulary.usable([login, failure]) is False
    assert vocabulary.usable([warning]) is None


def test_every_finding_that_is_not_good_names_a_remedy():
    found = [
        transport.unresolved(MYSQL),
        transport.unreachable(MYSQL, ""),
        transport.no_database(MYSQL, "MySQL"),
        refusals.mysql_refusal(MYSQL, 1045, "", encrypted=False),
        refusals.postgresql_refusal(POSTGRESQL, "no pg_hba.conf entry"),
        *transport.handshake_findings(replace(MYSQL, ca=CA, host="x"), Handshake("", SHOWN, chain_failure="x"), NOW),
    ]
    assert all(finding.remedy for finding in found if finding.result != OK)
    assert all(set(shown) == {"check", "result", "message", "remedy"} for shown in vocabulary.as_results(found))
