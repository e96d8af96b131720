"""The rules about a registry that need no cluster."""

from __future__ import annotations

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._registry import (
    CertificateAuthority,
    InputError,
    KeyReference,
    qualified_host,
    registry_from_options,
    resource_name,
    same_host,
)

from .builders import NAMESPACE, options, wanted


@pytest.mark.parametrize(
    ("option", "value", "path", "said"),
    [
        ("name", "Fraud Models", "name", "'fraud-models'"),
        ("name", "a.b", "name", "no resource name"),
        ("name", "a" * 49, "name", "49 characters"),
        ("display_name", " ", "display_name", "blank"),
        ("wait_timeout", 0, "wait_timeout", "at least 1"),
        ("database__port", 0, "database.port", "0"),
        ("database__port", 70000, "database.port", "70000"),
        ("database__host", "", "database.host", "empty"),
        ("database__host", "https://db", "database.host", "URL"),
        ("database__host", "db/models", "database.host", "path"),
        ("database__host", "db:3306", "database.host", "port"),
        ("database__host", "d b", "database.host", "white space"),
        ("database__host", "-db", "database.host", "no host name"),
        ("database__host", "db.example.com", "database.namespace", "dotted"),
        ("database__host", "10.0.0.1", "database.namespace", "address"),
        ("database__name", "a?b", "database.name", "?"),
        ("database__name", "a/b", "database.name", "/"),
        ("database__name", "a%b", "database.name", "%"),
        ("database__name", " a", "database.name", "white space"),
        ("database__username", "a:b", "database.username", ":"),
        ("database__username", "", "database.username", "empty"),
        ("database__ca", "clutser", "database.ca", "clutser"),
        ("database__ca", {"config_map": "a"}, "database.ca", "config_map and key"),
        ("database__ca", 7, "database.ca", "no source"),
    ],
)
def test_each_wrong_value_is_named_with_its_path(option, value, path, said):
    with pytest.raises(InputError) as caught:
        wanted(**{option: value})
    [problem] = caught.value.problems
    assert problem.option == path
    assert said in problem.sentence()
    assert problem.remedy in str(caught.value)


@pytest.mark.parametrize(("password", "said"), [("", "empty"), ("pa?ss", "question mark"), ("pass\n", "line break")])
def test_a_wrong_password_is_explained_and_never_repeated(password, said):
    with pytest.raises(InputError) as caught:
        wanted(database__password=password)
    [problem] = caught.value.problems
    assert (problem.option, problem.value) == ("database.password", None)
    assert said in str(caught.value)
    assert "pa?ss" not in str(caught.value)


def test_all_problems_are_named_at_once():
    with pytest.raises(InputError) as caught:
        wanted(name="A", database__port=0, database__username="a:b", database__password="x?")
    assert [problem.option for problem in caught.value.problems] == ["name", "database.port", "database.username", "database.password"]


@pytest.mark.parametrize(("length", "warned"), [(40, False), (41, True), (48, True)])
def test_a_name_that_the_dashboard_cannot_edit_is_a_warning(length, warned):
    warnings: list[str] = []
    registry_from_options(options(name="a" * length), NAMESPACE, warnings)
    assert bool(warnings) == warned


@pytest.mark.parametrize(
    ("text", "name"), [(" Fraud  Models! ", "fraud-models"), ("A" * 50, "a" * 40), ("-x--y-", "x-y"), ("漢字", ""), ("a" * 39 + "-bc", "a" * 39)]
)
def test_the_suggested_name_is_the_one_that_the_dashboard_derives(text, name):
    assert resource_name(text) == name


@pytest.mark.parametrize(
    ("host", "namespace", "written"),
    [
        ("mysql", "data", "mysql.data.svc.cluster.local"),
        ("mysql", None, "mysql"),
        ("db.example.com", None, "db.example.com"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("fd00::1", None, "[fd00::1]"),
        ("[FD00:0::1]", None, "[fd00::1]"),
    ],
)
def test_the_host_is_written_so_that_the_server_reaches_it(host, namespace, written):
    assert qualified_host(host, namespace) == written


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("mysql.data.svc", "mysql.data.svc.cluster.local", True),
        ("mysql.data", "mysql.data.svc.cluster.local.", True),
        ("mysql", "mysql.registries.svc", True),
        ("MySQL.data.svc", "mysql.data.svc", True),
        ("[fd00::1]", "fd00:0::1", True),
        ("mysql", "mysql.data.svc", False),
        ("a.example.com", "b.example.com", False),
    ],
)
def test_spellings_of_one_service_are_the_same_host(one, other, same):
    assert same_host(one, other, NAMESPACE) is same


@pytest.mark.parametrize(
    ("ca", "reference"),
    [
        ("cluster", KeyReference("odh-trusted-ca-bundle", "ca-bundle.crt")),
        ("openshift_ai", KeyReference("odh-trusted-ca-bundle", "odh-ca-bundle.crt")),
        ({"config_map": "bundle", "key": "ca.crt"}, KeyReference("bundle", "ca.crt")),
        ("none", None),
    ],
)
def test_every_source_of_a_ca_becomes_its_reference(ca, reference):
    assert wanted(database__ca=ca).database.ca == CertificateAuthority(reference)


def test_a_printed_registry_does_not_show_its_password():
    assert "secret-word" not in repr(wanted())
