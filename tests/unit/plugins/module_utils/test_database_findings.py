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
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
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
        (replace(POSTGRESQL, client_certificate="c"), Encryption(False)),
        (replace(POSTGRESQL, client_key="k", ssl_mode="disable"), Encryption(False)),
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


def test_each_setting_that_the_server_cannot_use_is_told():
    found = transport.settings_findings(replace(MYSQL, name="a/b", password="word\n", client_key="k", ca="text"))
    assert [(finding.check, finding.result) for finding in found] == [("settings", FAILURE), ("settings", WARNING), ("settings", WARNING), ("ca", FAILURE)]
    assert all(finding.remedy for finding in found)


@pytest.mark.parametrize(
    ("view", "result", "said"),
    [
        (MYSQL, OK, "can use"),
        (replace(MYSQL, password="a?b"), FAILURE, "question mark"),
        (replace(MYSQL, name="a/b"), FAILURE, "database.name contains /, % or ?"),
        (replace(MYSQL, username="a:b"), FAILURE, "database.username contains a colon"),
        (replace(MYSQL, password="word\n"), WARNING, "line break"),
        (replace(MYSQL, password="\r\nword"), WARNING, "line break"),
        (replace(MYSQL, client_certificate="c", client_key="k"), OK, "can use"),
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
        ("mysql.data", False),
        ("a.mysql.data.svc", False),
        ("mysql.data.svc.example.com", False),
    ],
)
def test_names_that_are_unknown_here_are_no_failure_of_the_database(host, only_cluster):
    finding = transport.unresolved(replace(MYSQL, host=host))
    assert finding.result == WARNING
    assert "cannot be reached from this host" in finding.message and not finding.proven
    assert ("resolved only in the cluster" in finding.message) is only_cluster
    assert vocabulary.usable([finding]) is None


@pytest.mark.parametrize(
    ("view", "offered", "result", "said", "remedy"),
    [
        (MYSQL, True, WARNING, "supports TLS, but the registry server does not use it", "Set database.ca"),
        (POSTGRESQL, True, WARNING, "supports TLS, but the registry server does not use it", "Set database.ca or database.ssl_mode"),
        (MYSQL, False, WARNING, "does not support TLS: models are sent unencrypted", "Enable TLS in the database"),
        (replace(MYSQL, ca=CA), True, OK, "supports TLS, and the connection is encrypted", ""),
        (replace(MYSQL, ca=CA), False, FAILURE, "requires an encrypted connection", "Enable TLS in the database, or remove database.ca"),
        (replace(POSTGRESQL, ssl_mode="prefer"), False, WARNING, "although ssl_mode prefers encryption", "Enable TLS in the database"),
        (replace(POSTGRESQL, ssl_mode="prefer"), True, OK, "supports TLS, and the connection is encrypted", ""),
        (
            replace(POSTGRESQL, ssl_mode="require"),
            False,
            FAILURE,
            "requires an encrypted connection",
            "Enable TLS in the database, or remove database.ca or database.ssl_mode",
        ),
    ],
)
def test_tls_that_is_offered_or_not(view, offered, result, said, remedy):
    [finding] = transport.encryption_findings(view, offered)
    assert (finding.check, finding.result, finding.remedy) == ("tls", result, remedy)
    assert said in finding.message


@pytest.mark.parametrize(("view", "said"), [(MYSQL, "does not require encryption"), (replace(MYSQL, ca=CA), "is encrypted, whether the database requires it")])
def test_a_login_that_works_as_the_server_does_it_shows_that_encryption_suffices(view, said):
    finding = transport.need_not_encrypt(view)
    assert (finding.check, finding.result) == ("tls_required", OK) and said in finding.message


def judged(view, seen):
    return {finding.check: (finding.result, finding.message) for finding in transport.handshake_findings(view, seen, NOW)}


def test_a_good_certificate():
    seen = Handshake("TLSv1.3", SHOWN)
    assert judged(replace(MYSQL, ca=CA, verify_server_cert=True), seen) == {
        "protocol": (OK, "The protocol is TLSv1.3"),
        "certificate": (OK, "The certificate of the database is signed by the CA"),
        "host_name": (OK, "The certificate is valid for db.example.com"),
        "expiry": (OK, "The certificate of the database is valid until 2027-06-01"),
    }
    unverified = judged(replace(MYSQL, ca=CA), seen)
    assert {result for result, _message in unverified.values()} == {OK}
    assert "signed by the CA. The registry server does not verify this, because verify_server_cert is false" in unverified["certificate"][1]
    assert "does not verify" in unverified["host_name"][1]


def test_without_a_ca_the_cas_of_this_host_stand_for_those_of_the_server_where_it_verifies():
    seen = Handshake("TLSv1.3", SHOWN)
    assert judged(replace(POSTGRESQL, ssl_mode="require"), seen)["certificate"] == (
        WARNING,
        "The registry server does not verify the certificate of the database",
    )
    assert judged(replace(POSTGRESQL, ssl_mode="verify-ca"), seen)["certificate"] == (
        OK,
        "The certificate of the database is signed by a CA of this host (the image of the registry server can contain other CAs)",
    )


def test_a_certificate_that_was_not_seen_is_not_judged():
    assert list(judged(replace(MYSQL, ca=CA), Handshake("TLSv1.3"))) == ["protocol", "certificate"]
    assert "protocol" not in judged(replace(MYSQL, ca=CA), Handshake(None, SHOWN))


@pytest.mark.parametrize(
    ("view", "reason"),
    [(replace(MYSQL, ca=CA), "because verify_server_cert is false"), (replace(POSTGRESQL, ca=CA), "for PostgreSQL, regardless of ssl_mode")],
)
def test_why_the_server_does_not_mind_another_host_name_is_said(view, reason):
    assert judged(replace(view, host="other.example.com"), Handshake("", SHOWN))["host_name"][1].endswith(
        f". The registry server does not verify this {reason}"
    )


def test_a_certificate_for_addresses_alone_is_not_one_without_names():
    strict, addressed = replace(MYSQL, ca=CA, verify_server_cert=True), replace(SHOWN, dns_names=())
    assert judged(strict, Handshake("", addressed))["host_name"] == (FAILURE, "The certificate is valid for 10.0.0.1, not for db.example.com")


def test_a_certificate_with_many_names_is_told_by_the_first_eight():
    many = replace(SHOWN, dns_names=tuple(f"db-{number}" for number in range(8)))
    message = judged(replace(MYSQL, ca=CA), Handshake("", many))["host_name"][1]
    assert "db-7, not for db.example.com" in message and "10.0.0.1" not in message


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
    [(-DAY, True, FAILURE), (-DAY, False, WARNING), (0 * DAY, True, WARNING), (30 * DAY - SECOND, True, WARNING), (30 * DAY, True, OK), (90 * DAY, True, OK)],
)
def test_the_end_of_a_certificate(left, verify, result):
    seen = Handshake("TLSv1.3", replace(SHOWN, not_after=NOW + left))
    assert judged(replace(MYSQL, ca=CA, verify_server_cert=verify), seen)["expiry"][0] == result


@pytest.mark.parametrize(("since", "result"), [(-SECOND, OK), (0 * SECOND, OK), (SECOND, FAILURE)])
def test_the_beginning_of_a_certificate(since, result):
    seen = Handshake("TLSv1.3", replace(SHOWN, not_before=NOW + since))
    assert judged(replace(MYSQL, ca=CA, verify_server_cert=True), seen)["expiry"][0] == result


def test_a_certificate_that_is_over_counts_where_the_server_looks():
    over = Handshake("TLSv1.3", replace(SHOWN, not_after=NOW - DAY))
    told = "The certificate of the database is valid only from 2025-06-01 to 2026-05-31"
    assert judged(replace(MYSQL, ca=CA, verify_server_cert=True), over)["expiry"] == (FAILURE, told)
    assert judged(replace(MYSQL, ca=CA), over)["expiry"] == (WARNING, f"{told}. The registry server does not verify this")


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
        ("postgresql", "devel", FAILURE, "not supported"),
        ("mysql", "", FAILURE, "not supported"),
    ],
)
def test_versions(kind, text, result, said):
    finding = requirements.version_finding(kind, text)
    assert finding.result == result
    assert said in finding.message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("5.5.5-10.6.16-MariaDB-log", "10.6.16-MariaDB-log"),
        ("10.11.6-MariaDB", "10.11.6-MariaDB"),
        ("5.5.5-log", "5.5.5-log"),
        ("9.7.0", "9.7.0"),
    ],
)
def test_the_version_of_a_mariadb_is_its_own(text, shown):
    assert requirements.version_text(text) == shown


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


@pytest.mark.parametrize(
    ("encrypted", "certificate", "message", "remedy"),
    [
        (False, None, "for other hosts, or the user must use TLS, or must present a client certificate (error 1045)", "database.password, or set database.ca"),
        (True, None, "for other hosts, or must present a client certificate (error 1045)", "database.password"),
        (False, "c", "for other hosts, or the user must use TLS (error 1045)", "database.password, or set database.ca"),
        (True, "c", "for other hosts (error 1045)", "database.password"),
    ],
)
def test_a_refused_login_is_blamed_on_what_the_connection_lacks(encrypted, certificate, message, remedy):
    finding = refusals.mysql_refusal(replace(MYSQL, client_certificate=certificate), 1045, "", encrypted)
    assert message in finding.message and finding.remedy.endswith(remedy)


def test_the_number_of_an_error_is_told_where_it_is_the_databases():
    assert "(error 3118)" in refusals.mysql_refusal(MYSQL, 3118, "", encrypted=False).message
    assert "(error 1049)" in refusals.mysql_refusal(MYSQL, 1049, "", encrypted=False).message
    for code in (0, refusals.CLEAR_PASSWORD):
        assert "(error" not in refusals.mysql_refusal(MYSQL, code, "", encrypted=False).message


def test_a_database_that_may_not_be_used_is_told_as_such():
    finding = refusals.mysql_database_refusal(MYSQL, 1045, "", "%")
    assert (finding.check, finding.result) == ("database", WARNING) and "must use TLS" not in finding.message
    assert "error 1044" in refusals.mysql_database_refusal(MYSQL, 1044, "", "%").message


def test_what_ends_a_look_is_told_without_its_text():
    finding = refusals.unexpected(ValueError("a-secret-word"))
    assert (finding.check, finding.result, finding.proven) == ("database", WARNING, False)
    assert "(ValueError)" in finding.message and "a-secret-word" not in repr(finding)


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


def test_of_secrets_of_which_one_begins_like_another_the_longer_one_is_hidden_first():
    assert vocabulary.masked(replace(MYSQL, password="word\nword-and-more"), "word-and-more") == vocabulary.HIDDEN
    assert vocabulary.masked(replace(MYSQL, password="word\n \nmore"), "nothing of it") == "nothing of it"
    stored = replace(POSTGRESQL, password="a%41", password_is_stored=True)
    assert [vocabulary.masked(stored, text) for text in ("a%41", "aA", "a%2541")] == [vocabulary.HIDDEN] * 3


@pytest.mark.parametrize(
    ("finding", "sentences"),
    [
        (Finding("tls", WARNING, "It is plain", "Encrypt it"), "It is plain. Encrypt it."),
        (Finding("tls", WARNING, "It is plain.", "Encrypt it."), "It is plain. Encrypt it."),
        (Finding("tls", OK, "It is good"), "It is good."),
    ],
)
def test_a_finding_is_told_in_sentences(finding, sentences):
    assert finding.sentences == sentences


def test_findings_are_parts_of_a_result():
    assert vocabulary.as_results([Finding("tls", WARNING, "It is plain", "Encrypt it", proven=False)]) == [
        {"check": "tls", "result": WARNING, "message": "It is plain", "remedy": "Encrypt it"}
    ]


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
        ('FATAL:  role "u" is not permitted to log in', "login", "not allowed to log in"),
        ("FATAL:  the database system is starting up", "login", "starting or stopping"),
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
        ("server requested a cleartext password", "login", "in clear text"),
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
        (Schema(("Type", "orders")), [("schema", WARNING, "another application: Type, orders")]),
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


def test_no_more_than_five_tables_of_another_application_are_named_and_nothing_is_left_to_do_at_the_newest_version():
    [other] = requirements.schema_findings("mysql", Schema(tuple("gfedcba")))
    assert other.message.endswith("another application: a, b, c, d, e")
    assert requirements.schema_findings("mysql", Schema(("schema_migrations",), 21))[1].message == "The schema version is 21"
    assert requirements.schema_findings("postgresql", Schema(("schema_migrations",), 21))[1].message.endswith("21; the registry server migrates it to 25")


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
        ((2, 1, 0, 1), WARNING, "1 of 2 connections"),
        ((100, 10, 91, 5), OK, "5 of 91 connections of the user"),
        ((1, 1, 5, 1), FAILURE, "limit is 1, and"),
        ((1, 0, 0, 0), FAILURE, "limit is 1, and"),
        ((5, 1, 1, 1), FAILURE, "limit is 1, and"),
        ((100, 95, 0, 10), OK, "95 of 100"),
        ((100, 96, 0, 10), WARNING, "96 of 100"),
        ((100, 90, 20, 10), OK, "90 of 100 connections are"),
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
        ("WITH MAX_CONNECTIONS_PER_HOUR 3", MIGRATED, WARNING),
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
    assert [(finding.check, finding.result) for finding in findings] == ([("connections", result)] if result else [])
    assert "HASH" not in repr(findings)


def test_all_hourly_limits_of_a_user_are_named_and_lifted_together():
    account = "WITH MAX_QUERIES_PER_HOUR 9000 MAX_UPDATES_PER_HOUR 59 MAX_CONNECTIONS_PER_HOUR 0 MAX_USER_CONNECTIONS 7"
    [finding] = requirements.hourly_findings(account, EMPTY)
    assert "too low for the registry server to start (MAX_QUERIES_PER_HOUR 9000, MAX_UPDATES_PER_HOUR 59)" in finding.message
    assert finding.remedy == "Run ALTER USER ... WITH MAX_QUERIES_PER_HOUR 0 MAX_UPDATES_PER_HOUR 0"
    [finding] = requirements.hourly_findings(account, MIGRATED)
    assert "until the end of the hour when it reaches one (MAX_QUERIES_PER_HOUR 9000, MAX_UPDATES_PER_HOUR 59)" in finding.message


@pytest.mark.parametrize(("code", "said"), [(1226, "has reached a limit"), (1142, "does not allow this check")])
def test_a_check_that_the_database_interrupts_proves_nothing(code, said):
    finding = refusals.interrupted(MYSQL, code, "no")
    assert said in finding.message and (finding.result, finding.proven) == (WARNING, False)


STRICT = {"sql_require_primary_key": "ON"}


@pytest.mark.parametrize(
    ("settings", "schema", "fails"),
    [
        ({"sql_require_primary_key": "1"}, Schema(), True),
        ({**STRICT, "sql_generate_invisible_primary_key": "1"}, Schema(), False),
        ({**STRICT, "sql_generate_invisible_primary_key": "OFF"}, Schema(), True),
        (STRICT, Schema((), 9, dirty=True), False),
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
    found = requirements.primary_key_findings(settings, schema)
    assert [(finding.check, finding.result) for finding in found] == [("primary_key", FAILURE)] * fails
    # The statement is one of this server's.
    assert all(f"({name})" in finding.message and f"SET GLOBAL {name} = OFF" in finding.remedy for finding in found for name in list(settings)[:1])


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
        ("9.7.0", ON, "", {"ALL"}, False),
        ("9.7.0", {"read_only": "0", "super_read_only": "off", "transaction_read_only": "OFF"}, "", set(), False),
    ],
)
def test_a_read_only_server_is_one_for_those_who_may_not_pass(version, settings, options, rights, read_only):
    assert bool(requirements.read_only_reason({"version": version, **settings}, options, frozenset(rights))) is read_only


@pytest.mark.parametrize(
    ("settings", "options", "reason"),
    [
        ({"transaction_read_only": "ON"}, "READ ONLY=1", "The database is read-only (READ ONLY = 1)"),
        ({"super_read_only": "ON"}, "", "read-only for all users"),
        (ON, "", "The database server is read-only, such as a replica"),
        ({"transaction_read_only": "ON"}, "", "Transactions are read-only by default"),
    ],
)
def test_what_is_read_only_is_named(settings, options, reason):
    said = requirements.read_only_reason({"version": "9.7.0", **settings}, options, frozenset())
    assert reason in said
    assert requirements.database_finding(MYSQL, said).message == f"{said}, and the registry server requires write access"


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
        ([f"GRANT SELECT ON `mod%`.* TO {USER}", f"GRANT ALL PRIVILEGES ON `m%`.* TO {USER}"], {"SELECT"}),
        ([f"GRANT SELECT ON `models`.* TO {USER}", f"GRANT ALL PRIVILEGES ON `%`.* TO {USER}"], {"SELECT"}),
        # A role's rights are counted beside the user's.
        ([f"GRANT SELECT ON `models`.* TO {USER}", "GRANT INSERT ON `models`.* TO `role`"], {"SELECT", "INSERT"}),
        # As MariaDB lists a role and one that it has been granted.
        (["GRANT INSERT ON `models`.* TO `role`", "GRANT UPDATE ON `models`.* TO `inner`", "GRANT DELETE ON `m%`.* TO `inner`"], {"INSERT", "UPDATE"}),
        ([f"GRANT select ,INSERT ON `models`.* TO {USER}"], {"SELECT", "INSERT"}),
        ([f"GRANT SELECT ON `models`.`Type` TO {USER}", "something else"], set()),
        ([f"GRANT SELECT ON `model`.* TO {USER}", f"GRANT SELECT ON `models2`.* TO {USER}"], set()),
    ],
)
def test_grants_of_mysql(lines, privileges):
    assert mysql_grants(lines, "models").privileges == privileges


@pytest.mark.parametrize(
    ("pattern", "name", "is_meant"),
    [
        ("a``b", "a`b", True),
        ("a\\_b", "a_b", True),
        ("a\\_b", "axb", False),
        ("a\\%", "a%", True),
        ("a\\%", "abc", False),
        ("%b", "a\nb", True),
        ("a.c", "abc", False),
    ],
)
def test_patterns_of_names(pattern, name, is_meant):
    assert bool(mysql_grants([f"GRANT SELECT ON `{pattern}`.* TO {USER}"], name).privileges) is is_meant


def test_an_escaped_wildcard_makes_no_pattern_of_a_name():
    lines = [f"GRANT SELECT ON `a\\_b`.* TO {USER}", f"GRANT INSERT ON `a\\_b%`.* TO {USER}", f"GRANT CREATE ON `a_b`.* TO {USER}"]
    for turned in (lines, lines[::-1]):
        assert mysql_grants(turned, "a_b").privileges == {"SELECT"}
        assert mysql_grants([line for line in turned if "SELECT" not in line], "a_b").privileges == {"INSERT"}


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
    mixed = [f"GRANT SELECT ON `Models`.* TO {USER}"]
    assert mysql_grants(mixed, "models", fold_case=True).privileges == {"SELECT"}
    assert mysql_grants(mixed, "models").privileges == set()


def test_wildcards_mean_themselves_where_the_server_says_so():
    assert mysql_grants([f"GRANT SELECT ON `m%`.* TO {USER}"], "models", wildcards=False).privileges == set()
    assert mysql_grants([f"GRANT SELECT ON `a_b`.* TO {USER}"], "a_b", wildcards=False).privileges == {"SELECT"}


def test_roles_that_are_not_in_force_and_rights_on_tables_are_noticed():
    lines = [f"GRANT `writers` TO {USER}", f"GRANT `readers`@`%` TO {USER}", f"GRANT SELECT ON `models`.`Type` TO {USER}"]
    assert mysql_grants(lines, "models") == Grants(frozenset(), ("writers", "readers"), on_tables=True, everywhere=frozenset())
    assert mysql_grants(lines, "models", active_roles="`readers`@`%`").idle_roles == ("writers",)
    assert mysql_grants([f"GRANT `a`@`%`,`b`@`%` TO {USER} WITH ADMIN OPTION"], "models").idle_roles == ("a", "b")
    assert mysql_grants([f"GRANT `a`@`%`,`b`@`%`,`ab`@`%` TO {USER}"], "models", active_roles="`ab`@`%`,`b`@`%`").idle_roles == ("a",)
    assert mysql_grants([f"GRANT `a` TO {USER}", f"GRANT `ab` TO {USER}"], "models", active_roles="ab").idle_roles == ("a",)
    # What a role has been granted is not the user's to activate, and what is for the tables of another database is for nothing.
    assert mysql_grants(["GRANT `readers` TO `writers`", f"GRANT SELECT ON `other`.`Type` TO {USER}"], "models") == Grants(frozenset())


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
        (Grants(frozenset({"ALL"})), Schema(), OK, "all"),
        (Grants(NEEDED - {"CREATE"}), Schema((), 20), FAILURE, "lacks CREATE "),
        (Grants(NEEDED - {"CREATE", "DELETE", "UPDATE"}), MIGRATED, FAILURE, "lacks DELETE, CREATE, UPDATE on the database"),
    ],
)
def test_privileges_of_mysql(grants, schema, result, said):
    finding = privileges.mysql_privileges_finding(MYSQL, grants, schema)
    assert finding.result == result
    assert said in finding.message


def test_the_remedy_for_a_lacking_privilege_names_the_roles_that_may_have_it():
    remedy = privileges.mysql_privileges_finding(MYSQL, Grants(frozenset()), Schema()).remedy
    assert remedy == "Run GRANT ALL PRIVILEGES ON `models`.* TO the user"
    with_roles = privileges.mysql_privileges_finding(MYSQL, Grants(frozenset(), ("a", "b")), Schema()).remedy
    assert with_roles == f"{remedy}, or SET DEFAULT ROLE if a or b has the privileges: only the default role is used"


RIGHTS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
NUMBERED = [Table(f"t{number}", True, frozenset({"SELECT"})) for number in range(4)]
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
        ("public", True, [FOREIGN], 23, FAILURE, "does not own Type"),
        ("public", True, [FOREIGN], 24, WARNING, "own all"),
        ("public", True, [FOREIGN], None, WARNING, "own all"),
        ("public", False, [OWN], 24, FAILURE, "create tables"),
        ("public", False, [OWN], 26, WARNING, "later product"),
        ("public", True, NUMBERED[:3], 25, FAILURE, "lacks INSERT on t0, t1, t2; UPDATE on t0, t1, t2; DELETE on t0, t1, t2"),
        ("public", True, NUMBERED, 25, FAILURE, "lacks INSERT on t0, t1, t2 and others;"),
        ("public", True, [replace(FOREIGN, name=f"t{number}") for number in range(4)], 22, FAILURE, "does not own t0, t1, t2, and the"),
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
    [
        (-SECOND, WARNING, "expired on 2026-05-31 (CN=db)"),
        (0 * DAY, WARNING, "expires on 2026-06-01 (CN=db)"),
        (30 * DAY - SECOND, WARNING, "expires on"),
        (30 * DAY, OK, "is CN=db, valid until 2026-07-01"),
    ],
)
def test_the_time_that_is_left_to_the_ca(monkeypatch, left, result, said):
    monkeypatch.setattr(transport.certificates, "certificates_in", lambda _text: (replace(SHOWN, not_after=NOW + left),))
    [finding] = transport.ca_findings(replace(MYSQL, ca=CA), NOW)
    assert (finding.check, finding.result) == ("ca", result)
    assert said in finding.message


@pytest.mark.parametrize(("number", "said"), [(3, "CN=1, CN=2, CN=3, valid"), (4, "CN=1, CN=2, CN=3 and others, valid")])
def test_a_bundle_holds_as_long_as_the_last_of_its_cas_and_names_three(monkeypatch, number, said):
    bundle = tuple(replace(SHOWN, subject=f"CN={which}", not_after=NOW + 90 * DAY / which) for which in range(1, number + 1))
    monkeypatch.setattr(transport.certificates, "certificates_in", lambda _text: bundle)
    [finding] = transport.ca_findings(replace(MYSQL, ca=CA), NOW)
    assert finding.result == OK and said in finding.message and "2026-08-30" in finding.message


def test_a_database_without_a_ca_has_none_that_ends():
    assert transport.ca_findings(MYSQL, NOW) == transport.ca_findings(replace(MYSQL, ca="text"), NOW) == []


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
