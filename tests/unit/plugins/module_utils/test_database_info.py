"""The database of a registry or of options, with what it refers to."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._database import resolution
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.resolution import References, live_database, reads, view_of, wanted_references
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.vocabulary import FAILURE, Finding
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.desired_state import CertificateAuthority, ClientCertificate, Database, KeyReference
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import database_info


def encoded(text):
    return base64.b64encode(text.encode()).decode()


class Objects:
    """What a namespace holds, and which of it was read."""

    def __init__(self, **objects):
        self.objects, self.read_names = objects, []

    def held(self, _kind, name):
        self.read_names.append(name)
        return self.objects.get(name)


def resource(section, content):
    return {"metadata": {"name": "fraud", "namespace": "registries"}, "spec": {section: content}}


def test_each_object_is_read_once_and_every_kind_of_key_is_understood():
    cluster = Objects(
        ca={"data": {"text": "words"}, "binaryData": {"binary": encoded("bytes")}},
        login={"data": {"password": encoded("secret-word")}},
    )
    read = reads(cluster.held, {("Secret", "known"): {"data": {"password": encoded("known-word")}}, ("Secret", "missing"): None})
    assert [read(("ConfigMap", KeyReference("ca", key))) for key in ("text", "binary", "none")] == ["words", "bytes", None]
    assert read(("Secret", KeyReference("login", "password"))) == "secret-word"
    assert read(("Secret", KeyReference("nobody", "password"))) is None
    assert read(("Secret", KeyReference("nobody", "other"))) is None
    assert read(("Secret", KeyReference("known", "password"))) == "known-word"
    assert read(("Secret", KeyReference("missing", "password"))) is None
    assert cluster.read_names == ["ca", "login", "nobody"]


def test_a_registry_on_mysql():
    section = {"host": "db", "port": 3307, "database": "models", "username": "registry", "verifyServerCert": True}
    section |= {"passwordSecret": {"name": "login", "key": "password"}, "sslRootCertificateSecret": {"name": "ca", "key": "ca.crt"}}
    section |= {"sslCertificateSecret": {"name": "one", "key": "tls.crt"}, "sslKeySecret": {"name": "two", "key": "tls.key"}}
    view, findings = view_of(*live_database(resource("mysql", section)), lambda source: f"content of {source[1].name}")
    assert not findings
    assert (view.type, view.host, view.port, view.name, view.username) == ("mysql", "db", 3307, "models", "registry")
    assert (view.password, view.password_is_stored) == ("content of login", True)
    assert (view.ca, view.verify_server_cert) == ("content of ca", True)
    assert (view.client_certificate, view.client_key) == ("content of one", "content of two")


def test_a_registry_on_postgresql():
    section = {"hostAddress": "10.0.0.1", "sslMode": "verify-full", "sslCipher": "x", "verifyServerCert": True, "username": "registry"}
    section |= {"sslRootCertificateConfigMap": {"name": "ca", "key": "ca.crt"}, "sslRootCertificateSecret": {"name": "other", "key": "ca.crt"}}
    view, findings = view_of(*live_database(resource("postgres", section)), lambda source: f"{source[0]} {source[1].name}")
    assert not findings
    assert (view.type, view.host, view.port, view.name) == ("postgresql", "10.0.0.1", 5432, "model-registry")
    # The option is one of MySQL.
    assert (view.ssl_mode, view.ssl_cipher, view.verify_server_cert) == ("verify-full", "x", False)
    assert (view.ca, view.client_certificate, view.client_key) == ("ConfigMap ca", None, None)


def test_a_database_without_a_host_and_a_user_is_looked_at_as_far_as_it_goes():
    view, findings = view_of(Database(), References(), lambda _source: None)
    assert not findings
    assert (view.type, view.host, view.username, view.ca, view.verify_server_cert) == ("mysql", "", "", None, False)


def test_a_registry_of_the_dashboard_does_not_verify():
    section = {"host": "db", "database": "models", "username": "registry", "sslRootCertificateConfigMap": {"name": "ca", "key": "ca.crt"}}
    view, _findings = view_of(*live_database(resource("mysql", section)), lambda _source: "content")
    assert view.verify_server_cert is False
    assert (view.port, view.password, view.password_is_stored) == (3306, "", False)


def test_a_generated_database_is_the_one_that_the_operator_makes():
    view, _findings = view_of(*live_database(resource("postgres", {"generateDeployment": True})), lambda source: source[1].name)
    assert (view.type, view.host, view.port, view.name) == ("postgresql", "fraud-postgres.registries.svc", 5432, "model_registry")
    assert (view.username, view.password, view.password_is_stored) == ("modelregistry", "fraud-postgres-credentials", True)


def test_references_that_lead_nowhere_are_failures_and_nobody_logs_in():
    database = Database(type="mysql", host="db", username="registry")
    references = References(password=("Secret", KeyReference("login", "word")), ca=("ConfigMap", KeyReference("ca", "none")))
    view, findings = view_of(database, references, lambda _source: None)
    assert [(finding.check, finding.result) for finding in findings] == [("login", FAILURE), ("ca", FAILURE)]
    assert "Secret 'login' with the password does not exist or does not have the key 'word'" in findings[0].message
    assert view.password is None
    assert view.ca == ""
    assert "ConfigMap 'ca' with the CA" in findings[1].message and all(finding.remedy for finding in findings)
    pair = References(certificate=("Secret", KeyReference("one", "tls.crt")), key=("Secret", KeyReference("two", "tls.key")))
    _view, findings = view_of(database, pair, lambda _source: None)
    assert [finding.check for finding in findings] == ["settings", "settings"]
    assert "'one' with the client certificate" in findings[0].message and "'two' with the key of the client certificate" in findings[1].message


def test_a_whole_object_as_ca_is_one_failure(monkeypatch):
    report = database_info.resolution.probe.Report([Finding("ca", FAILURE, "other words"), Finding("port", "ok", "")])
    seen = []
    monkeypatch.setattr(database_info.resolution.probe, "look", lambda view, timeout: seen.append((view.withholds_password, timeout)) or report)
    whole = {"host": "db", "sslRootCertificatesSecretName": "all"}
    _view, found = resolution.look_at(resource("mysql", whole), lambda _source: "x")
    assert [finding.check for finding in found.findings] == ["ca", "port"]
    assert "sslRootCertificatesSecretName" in found.findings[0].message
    view, found = resolution.look_at(resource("mysql", {"host": "db"}), lambda _source: "x", 9.0, withholds_password=True)
    assert (view.withholds_password, found.findings) == (True, report.findings)
    assert seen == [(False, 5.0), (True, 9.0)]


def test_options_refer_to_what_they_name():
    database = Database(
        password_secret=KeyReference("login", "word"),
        ca=CertificateAuthority("Secret", KeyReference("ca", "ca.crt")),
        client_certificate=ClientCertificate("client"),
    )
    expected = References(
        password=("Secret", KeyReference("login", "word")),
        ca=("Secret", KeyReference("ca", "ca.crt")),
        certificate=("Secret", KeyReference("client", "tls.crt")),
        key=("Secret", KeyReference("client", "tls.key")),
    )
    assert wanted_references(database) == expected
    assert wanted_references(Database(ca=CertificateAuthority(), client_certificate=ClientCertificate())) == wanted_references(Database()) == References()
    assert wanted_references(Database(ca=CertificateAuthority("ConfigMap", pem="text"))) == References()


@pytest.mark.parametrize(
    ("kind", "ca", "given", "verifies"),
    [
        ("mysql", "pem", None, True),
        ("mysql", "pem", False, False),
        ("mysql", None, None, False),
        ("mysql", None, True, True),
        ("postgresql", "pem", None, False),
        ("postgresql", "pem", True, False),
    ],
)
def test_a_ca_in_options_is_verified_with_unless_they_say_no(kind, ca, given, verifies):
    authority = CertificateAuthority("ConfigMap", pem=ca) if ca else None
    view, _findings = view_of(Database(type=kind, host="db", verify_server_cert=given, ca=authority), References(), lambda _source: None)
    assert view.verify_server_cert is verifies


@pytest.mark.parametrize(
    ("changed", "options"),
    [
        ({"type": None}, {"database.type"}),
        ({"type": "generated", "host": None, "username": None, "password": None}, {"database.type"}),
        ({"host": "a b", "password": "a?b"}, {"database.host", "database.password"}),
        ({"ca": {"source": "upload", "pem": "no certificate"}}, {"database.ca.pem"}),
        ({"ca": {"source": "upload"}}, {"database.ca.pem"}),
    ],
)
def test_all_that_is_wrong_with_options_is_told(changed, options):
    given = {"type": "mysql", "host": "db", "username": "registry", "password": "word"} | changed
    _database, problems = database_info.input_problems({"registry": None, "database": given, "namespace": None, "timeout": 10})
    assert {problem.option for problem in problems} == options


def test_a_database_without_a_value_lacks_everything():
    """As with `database:` and nothing behind it, which Ansible takes for an option that is given."""
    database, problems = database_info.input_problems({"registry": None, "database": None, "namespace": None, "timeout": 10})
    assert database == Database()
    assert {problem.option for problem in problems} == {"database.type", "database.host", "database.username", "database.password"}
