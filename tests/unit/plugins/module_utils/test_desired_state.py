"""The rules about a registry that need no cluster."""

from __future__ import annotations

import base64
import difflib
from urllib.parse import unquote

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._errors import InputError, Problem
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.credentials import breaks_url, means_password, stored_password
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.desired_state import (
    CertificateAuthority,
    ClientCertificate,
    KeyReference,
    creation_problems,
    database_problems,
    external_database,
    metadata_server_problems,
    missing_problems,
    registry_from_options,
)
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.hosts import qualified_host, same_host, service_of
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.naming import live_name_problems, namespace_problems, resource_name, similar_name
from ansible_collections.modelops.openshift_ai.plugins.module_utils._options import SSL_MODES, time_problems
from ansible_collections.modelops.openshift_ai.plugins.module_utils._texts import may_repeat, repeated

from .builders import NAMESPACE, TODAY, Live, edited, live, named, options, planned, wanted


def problems_of(kind="mysql", **changed):
    problems = []
    registry_from_options(options(kind, **changed), NAMESPACE, problems, [])
    return problems


# Names


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Fraud Models", "'fraud-models'"),
        ("a.b", "'ab'"),
        ("a_b", "'ab'"),
        ("-a", "'a'"),
        ("a-", "'a'"),
        ("", "Use a name"),
        (" ", "Use a name"),
        ("漢字", "such as fraud-models"),
        ("a" * 49, "49 characters"),
        ("x" * 60 + "-", f"'{'x' * 40}'"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_one_that_the_dashboard_would_derive(name, said):
    [problem] = problems_of(name=name)
    assert (problem.option, problem.value) == ("name", None if name == "漢字" else name)
    assert said in problem.sentence()


@pytest.mark.parametrize("name", ["a", "1", "fraud-models", "1-a", "a" * 48])
def test_every_name_that_the_operator_can_use_is_accepted(name):
    assert problems_of(name=name) == []


@pytest.mark.parametrize("length", [40, 41, 48])
def test_a_name_that_is_longer_than_the_dashboard_makes_them_is_as_good_as_any(length):
    # It edits them all the same (dashboard v3.5).
    warnings: list[str] = []
    registry_from_options(options(name="a" * length), NAMESPACE, [], warnings)
    assert warnings == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (" Fraud  Models! ", "fraud-models"),
        ("Fraud\tModels", "fraud-models"),
        ("A" * 50, "a" * 40),
        ("-x--y-", "x-y"),
        ("漢字", ""),
        ("Größe", "gre"),
        ("a" * 39 + "-bc", "a" * 39),
    ],
)
def test_the_suggested_name_is_the_one_that_the_dashboard_derives(text, name):
    assert resource_name(text) == name


@pytest.mark.parametrize("name", ["a.b", "a" * 60, "fraud"])
def test_a_registry_that_the_rules_would_refuse_can_be_deleted(name):
    problems = []
    unwanted = registry_from_options(options(name=name, state="absent", display_name=" "), NAMESPACE, problems, [])
    assert problems == []
    assert (unwanted.name, unwanted.namespace, unwanted.database) == (name, NAMESPACE, None)


def test_a_deletion_needs_time_too():
    assert named(problems_of(state="absent", wait_timeout=-1)) == ["wait_timeout"]


@pytest.mark.parametrize("name", ["Fraud", "a/b", "", "a" * 254, "-a"])
def test_what_no_object_can_be_named_is_refused_for_a_deletion_too(name):
    assert named(problems_of(name=name, state="absent")) == ["name"]


# Bad input


@pytest.mark.parametrize(
    ("option", "value", "path", "said"),
    [
        ("display_name", "", "display_name", "empty"),
        ("display_name", " ", "display_name", "empty"),
        ("wait_timeout", 0, "wait_timeout", "from 1 to"),
        ("database__port", 0, "database.port", "0: is not a valid port"),
        ("database__port", -1, "database.port", "not a valid port"),
        ("database__port", 65536, "database.port", "not a valid port"),
        ("database__port", 70000, "database.port", "70000: is not a valid port"),
        ("database__host", "", "database.host", "empty"),
        ("database__host", "  ", "database.host", "empty"),
        ("database__host", " db", "database.host", "white space"),
        ("database__host", "d b", "database.host", "white space"),
        ("database__host", "db\n", "database.host", "white space"),
        ("database__host", "https://db", "database.host", "URL"),
        ("database__host", "db/models", "database.host", "path"),
        ("database__host", "db:3306", "database.host", "port"),
        ("database__host", "[fd00::1]:3306", "database.host", "port"),
        ("database__host", "-db", "database.host", "is not a valid host name"),
        ("database__host", "db-", "database.host", "is not a valid host name"),
        ("database__host", "d@b", "database.host", "is not a valid host name"),
        ("database__host", ".", "database.host", "is not a valid host name"),
        ("database__host", "x" * 254, "database.host", "is not a valid host name"),
        ("database__host", "db.example.com", "database.namespace", "contains a dot"),
        ("database__host", "10.0.0.1", "database.namespace", "address"),
        ("database__host", None, "database.namespace", "requires database.host"),
        ("database__namespace", "", "database.namespace", "empty"),
        ("database__namespace", " ", "database.namespace", "is not a valid name"),
        ("database__namespace", " data", "database.namespace", "is not a valid name"),
        ("database__namespace", "my.data", "database.namespace", "is not a valid name"),
        ("database__namespace", "My Data", "database.namespace", "is not a valid name"),
        ("database__name", "", "database.name", "empty"),
        ("database__name", " a", "database.name", "white space"),
        ("database__name", "a\n", "database.name", "white space"),
        ("database__name", "a\x00b", "database.name", "control"),
        ("database__name", "a?b", "database.name", "?"),
        ("database__name", "a/b", "database.name", "/"),
        ("database__name", "a%b", "database.name", "%"),
        ("database__username", "a:b", "database.username", ":"),
        ("database__username", "", "database.username", "empty"),
        ("database__username", "\t", "database.username", "empty"),
        ("database__username", "a ", "database.username", "white space"),
        ("database__ssl_mode", "require", "database.ssl_mode", "only for PostgreSQL"),
        ("database__password_secret", {"name": "vault", "key": "password"}, "database.password_secret", "mutually exclusive with database.password"),
        ("database__ca", {"source": "config_map", "key": "k"}, "database.ca.name", "the name of the ConfigMap"),
        ("database__ca", {"source": "secret", "name": "a"}, "database.ca.key", "in the Secret"),
        ("database__ca", {"source": "secret", "name": "", "key": "k"}, "database.ca.name", "is empty"),
        ("database__ca", {"source": "config_map", "name": "a", "key": "k", "pem": "S3cret"}, "database.ca.pem", "source to upload"),
        ("database__ca", {"source": "cluster", "path": "ca.pem"}, "database.ca.path", "set source to upload"),
        ("database__ca", {"source": "none", "name": "a"}, "database.ca.name", "set source to config_map or secret"),
        ("database__ca", {"source": "upload"}, "database.ca.pem", "is required"),
        ("database__ca", {"source": "upload", "path": "ca.pem"}, "database.ca.path", "was not read"),
        ("database__client_certificate", {"source": "secret"}, "database.client_certificate.name", "is required"),
        ("database__client_certificate", {"source": "secret", "name": " "}, "database.client_certificate.name", "is empty"),
        ("database__client_certificate", {"source": "none", "name": "a"}, "database.client_certificate.name", "set source to secret"),
        ("database__client_certificate", {"source": "none", "private_key_key": "k"}, "database.client_certificate.private_key_key", "with source none"),
    ],
)
def test_each_wrong_value_is_named_with_its_path(option, value, path, said):
    [problem] = problems_of(**{option: value})
    assert problem.option == path
    assert said in problem.sentence()
    assert problem.remedy in str(InputError([problem]))


KEY = "-----BEGIN PRIVATE KEY-----\nS3cret\n-----END PRIVATE KEY-----\n"
# Passwords and keys where people put them by mistake.
CREDENTIALS = [
    "S3cret",
    "S3cret ",
    "registry:S3cret",
    "registry:S3cret ",
    "registry:S3cret@db",
    "registry:S3cret@db models",
    "mysql://registry:S3cret@db:3306/models",
    "models?password=S3cret",
    "/S3cret",
    "::1%S3cret!",
    "Summer2026",
    "correct horse battery staple",
    "d41d8cd98f00b204e9800998ecf8427e",
    KEY,
    KEY.replace("\n", ""),
    KEY.replace("\n", "\\n"),
    base64.b64encode(KEY.encode()).decode(),
]


@pytest.mark.parametrize(
    "credential",
    [
        *CREDENTIALS,
        123456,
        1e10,
        b"S3cret",
        ["models", "S3cret"],
        {"config_map": "S3cret"},
        {KEY: "ca"},
        "x" * 254,
        "db-123456789",
        100_000,
        -100_000,
        ("S3cret",),
    ],
)
def test_what_can_hold_a_credential_is_never_repeated(credential):
    assert not may_repeat(credential) and repeated(credential) == ""
    assert Problem("database.host", "is wrong", "Give another one", credential).value is None


@pytest.mark.parametrize(
    "value",
    [
        "fraud-models",
        "db.example.com",
        "10.120.130.140",
        "fd00::1",
        "model_registry",
        "Fraud models",
        "",
        " ",
        "/home/me/My",
        "x" * 253,
        "db-12345678",
        70000,
        99_999,
        -99_999,
        0.5,
        True,
        None,
        ["ca", "key"],
        ("ca", "key"),
        {"source": "cluster"},
    ],
)
def test_how_things_are_called_is_repeated(value):
    assert may_repeat(value) and Problem("name", "is wrong", "Give another one", value).value == value


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
@pytest.mark.parametrize(
    "option",
    [
        "name",
        "display_name",
        *(f"database__{option}" for option in ("host", "namespace", "name", "username")),
    ],
)
def test_a_credential_that_was_given_to_any_option_is_in_no_problem_and_no_warning(option, kind, credential):
    problems, warnings = [], []
    registry = registry_from_options(options(kind, **{option: credential}), NAMESPACE, problems, warnings)
    for cluster in (Live(TODAY), live(wanted())):
        made = planned(registry, cluster)
        problems += made.problems
        warnings += made.warnings
    said = repr(problems) + "".join(problem.sentence() for problem in problems) + "".join(warnings)
    assert credential.strip().lower() not in said.lower() and "s3cret" not in said.lower()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("database__ca", {"source": "none", "name": KEY}),
        ("database__ca", {"source": "cluster", "pem": KEY}),
        ("database__ca", {"source": "upload", "path": "S3cret"}),
        ("database__ca", {"source": "config_map", "name": "S3cret", "key": "ca.crt"}),
        ("database__ca", {"source": "secret", "name": "ca", "key": KEY}),
        ("database__ca", {"source": "upload", "pem": "S3cret"}),
        ("database__client_certificate", {"source": "none", "name": "S3cret"}),
        ("database__client_certificate", {"source": "secret", "name": "S3cret"}),
        ("database__client_certificate", {"source": "secret", "name": "cert", "private_key_key": KEY}),
    ],
)
def test_a_credential_that_was_given_as_part_of_an_option_is_not_repeated(option, value):
    [problem] = problems_of(**{option: value})
    assert "S3cret" not in repr(problem)


@pytest.mark.parametrize("reference", [{"name": "S3cret", "key": "password"}, {"name": "vault", "key": "registry:S3cret"}, {"name": "..", "key": ".."}])
def test_a_reference_that_no_object_can_have_is_refused_before_it_is_read(reference):
    problems = problems_of(database__password=None, database__password_secret=reference)
    assert problems and all("is not a valid" in problem.problem for problem in problems) and "S3cret" not in repr(problems)


@pytest.mark.parametrize("name", ["", " ", ".", "..", "-", "a/b", "fraud.", "Fraud", "S3cret", "\0", "a" * 254])
def test_a_name_that_no_registry_can_have_is_refused_wherever_one_is_named(name):
    assert named(live_name_problems(name)) == ["name"] and named(live_name_problems(name, "registry")) == ["registry"]


@pytest.mark.parametrize("namespace", [" ", ".", "..", "a/b", "My Data", "a" * 64, "a.b"])
def test_a_namespace_that_there_cannot_be_is_refused(namespace):
    assert named(namespace_problems(namespace)) == ["namespace"]


@pytest.mark.parametrize("value", [0, -1, 10**10, 1e10, float("nan"), float("inf")])
def test_a_time_that_nobody_can_wait_is_refused(value):
    assert named(time_problems("wait_timeout", value)) == ["wait_timeout"]


def test_a_time_that_somebody_can_wait_is_accepted():
    assert time_problems("wait_timeout", 1) == time_problems("wait_timeout", 1_000_000) == time_problems("timeout", 0.5, 0.5) == []
    assert "from 0.5 to 1000000" in time_problems("timeout", 0.4, 0.5)[0].sentence() and time_problems("wait_timeout", 1_000_001)


@pytest.mark.parametrize(
    ("name", "similar"),
    [
        ("first-model", "first-models"),
        ("frist-models", "first-models"),
        ("firstmodels", "first-models"),
        ("first_models", "first-models"),
        ("fiirst-models", "first-models"),
        ("churn", None),
    ],
)
@pytest.mark.parametrize("others", [0, 5000])
def test_the_name_that_was_probably_meant_is_found_among_few_and_among_many(name, similar, others):
    names = frozenset({"first-models", *(f"user-{number}" for number in range(others))})
    assert similar_name(name, names) == similar


def test_a_name_is_not_compared_with_each_of_thousands(monkeypatch):
    compared = []
    monkeypatch.setattr(difflib, "get_close_matches", lambda _name, names, _count: compared.append(len(names)) or [])
    similar_name("first-model", frozenset({"first-models", *(f"user-{number}" for number in range(5000))}))
    assert compared == [1]


@pytest.mark.parametrize("key", ["name", "key"])
@pytest.mark.parametrize("value", ["", " ", None])
def test_a_blank_half_of_a_reference_is_named(key, value):
    found = problems_of(database__password=None, database__password_secret={"name": "vault", "key": "password", key: value})
    assert [(problem.option, problem.problem) for problem in found] == [(f"database.password_secret.{key}", "is empty")]


@pytest.mark.parametrize(
    ("password", "said"), [("", "empty"), (" ", "empty"), ("pa?ss", "question mark"), ("pass\n", "line break"), ("pass\r\n", "line break"), ("p\0ss", "null")]
)
def test_a_wrong_password_is_explained_and_never_repeated(password, said):
    [problem] = problems_of(database__password=password)
    assert (problem.option, problem.value) == ("database.password", None)
    assert said in problem.sentence()
    assert "pa" not in problem.sentence().replace("password", "").replace("database.pa", "")


@pytest.mark.parametrize("password", [" pass ", "p:a@s/s%#&$(HOME)", "päss wörd", "a\nb"])
def test_every_other_password_is_accepted(password):
    assert wanted(database__password=password).database.password == password


def test_all_problems_are_named_at_once():
    given = {"name": "A", "display_name": "", "wait_timeout": 0, "database__host": "a b", "database__port": 0, "database__username": "a:b"}
    found = problems_of(**given, database__namespace=None, database__password="x?", database__ca={"source": "upload"})
    assert named(found) == [
        "name",
        "display_name",
        "wait_timeout",
        "database.host",
        "database.port",
        "database.ca.pem",
        "database.username",
        "database.password",
    ]


def test_the_value_is_part_of_the_sentence_unless_there_is_none_to_show():
    [shown] = problems_of(database__port=0)
    [hidden] = problems_of(database__password="")
    assert Problem("name", "is wrong", "Did you mean this?").sentence() == "name: is wrong. Did you mean this?"
    assert shown.sentence() == f"database.port 0: {shown.problem}. {shown.remedy}."
    assert hidden.sentence() == f"database.password: {hidden.problem}. {hidden.remedy}."


def test_an_error_tells_every_problem_in_words():
    problems = problems_of(database__port=0, database__username="")
    error = InputError(problems)
    assert error.problems == problems
    assert str(error) == " ".join(problem.sentence() for problem in problems)


# The three types


def test_the_display_name_is_trimmed_and_what_is_left_out_stays_open():
    registry = wanted(display_name=" Fraud ", description="")
    assert (registry.display_name, registry.description) == ("Fraud", "")
    nothing = registry_from_options({"name": "fraud"}, NAMESPACE, [], [])
    assert (nothing.display_name, nothing.description, nothing.database) == (None, None, None)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("host", "db"),
        ("port", 5432),
        ("name", "models"),
        ("username", "me"),
        ("password", "word"),
        ("password_secret", {"name": "vault", "key": "password"}),
        ("ca", {"source": "none"}),
        ("verify_server_cert", False),
        ("ssl_mode", "require"),
        ("client_certificate", {"source": "none"}),
    ],
)
def test_a_generated_database_takes_no_option(option, value):
    [problem] = problems_of("generated", **{f"database__{option}": value})
    assert (problem.option, problem.problem) == (f"database.{option}", "is not supported for a generated database")
    assert "word" not in problem.remedy and problem.value is None


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("name", "a%b", "contains %, ? or #"),
        ("name", "a?#b", "contains %, ? or #"),
        ("username", "a:b", "other than letters"),
        ("username", "a b/b", "other than letters"),
        ("username", "ü%", "other than letters"),
        ("verify_server_cert", True, "not its host name"),
        ("verify_server_cert", False, "not its host name"),
    ],
)
def test_what_postgresql_cannot_be_told_is_refused(option, value, said):
    [problem] = problems_of("postgresql", **{f"database__{option}": value})
    # A user name with a colon may be a user and a password, and a database's name with a question mark its options.
    assert (problem.option, problem.value) == (f"database.{option}", value if isinstance(value, bool) else None)
    assert said in problem.sentence()


@pytest.mark.parametrize(
    ("kind", "option", "value"),
    [
        ("mysql", "host", "x" * 253),
        ("mysql", "port", 1),
        ("mysql", "port", 65535),
        ("mysql", "name", "a b#c&d-e"),
        ("mysql", "username", "a@b/c d"),
        ("postgresql", "name", "a b/c-d"),
        ("postgresql", "username", "a@b-._~!$&'()*+,;="),
        ("postgresql", "password", "w?rd/#%"),
        ("postgresql", "ca", {"source": "cluster"}),
    ],
)
def test_what_the_server_can_use_is_accepted(kind, option, value):
    assert problems_of(kind, **{f"database__{option}": value}) == []


@pytest.mark.parametrize(
    ("kind", "problems"), [("mysql", ["ssl_mode"]), ("postgresql", ["verify_server_cert"]), ("generated", ["verify_server_cert", "ssl_mode"])]
)
def test_without_a_type_the_options_are_judged_by_the_live_one(kind, problems):
    database = edited(verify_server_cert=True, ssl_mode="require").database
    assert named(database_problems(database, kind)) == [f"database.{option}" for option in problems]


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
@pytest.mark.parametrize("missing", ["host", "username", "password"])
def test_a_database_to_be_used_first_must_be_described(kind, missing):
    registry = wanted(kind, **{f"database__{missing}": None, "database__namespace": None})
    assert named(missing_problems(registry.database)) == [f"database.{missing}"]
    [problem] = creation_problems(registry)
    assert problem.remedy == f"To create it, set database.{missing}"


def test_a_registry_without_any_word_about_its_database_lacks_all_of_it():
    registry = registry_from_options({"name": "fraud"}, NAMESPACE, [], [])
    assert named(missing_problems(registry.database)) == ["database.type", "database.host", "database.username", "database.password"]


def test_an_empty_password_is_wrong_and_not_missing():
    problems = []
    registry = registry_from_options(options(database__password=""), NAMESPACE, problems, [])
    assert named([*problems, *missing_problems(registry.database)]) == ["database.password"]


def test_a_generated_database_is_none_that_stands_for_itself():
    problems = []
    external_database({"type": "generated", "port": 0}, problems, "has no server", "Use another one")
    assert [problem.problem for problem in problems] == [
        "is not a valid port",
        "is not supported: a generated database has no server",
    ]
    assert (problems[1].option, problems[1].remedy, problems[1].value) == ("database.type", "Use another one", "generated")
    assert external_database({"type": "mysql", "host": "db"}, problems, "", "").host == "db" and len(problems) == 2


def test_a_referenced_password_is_a_password_and_a_generated_database_needs_none():
    assert creation_problems(wanted(database__password=None, database__password_secret={"name": "vault", "key": "password"})) == []
    assert creation_problems(wanted("generated")) == []


@pytest.mark.parametrize(("name", "refused"), [("models_2", False), ("model-registry", True), (None, True), ("größe", True)])
def test_the_metadata_server_of_old_products_takes_only_plain_names(name, refused):
    problems = metadata_server_problems(name)
    assert named(problems) == ["database.name"] * refused
    assert [problem.value for problem in problems] == [None if name == "größe" else "model-registry"] * refused
    assert ["default" in problem.problem for problem in problems] == [name is None] * refused


# Passwords in a URL: what the server does with each was tried (server v0.3.8).


@pytest.mark.parametrize("character", list("@:()&=+-._~!$'*,;aZ9"))
def test_a_character_that_postgresqls_url_takes_is_stored_as_it_is(character):
    password = f"pa{character}ss"
    assert not breaks_url(password)
    assert stored_password(password, in_url=True) == password
    assert means_password(password, password, in_url=True)


@pytest.mark.parametrize("character", [*'?/# []"<>^{}\\|`%', "ü", "\n", "漢"])
def test_a_character_that_breaks_postgresqls_url_is_stored_percent_encoded(character):
    password = f"pa{character}ss"
    stored = stored_password(password, in_url=True)
    assert character not in stored.replace("%", "") and unquote(stored) == password
    assert breaks_url(password) and not breaks_url(stored)
    assert means_password(stored, password, in_url=True)
    # The server cannot start with what the dashboard stored for it.
    assert not means_password(password, password, in_url=True)


@pytest.mark.parametrize(("stored", "password"), [("pa%41", "paA"), ("p%C3%A4", "pä"), ("p%3f", "p?"), ("%25", "%")])
def test_a_stored_escape_is_compared_by_what_it_means(stored, password):
    assert means_password(stored, password, in_url=True)
    assert not means_password(stored, stored, in_url=True)


@pytest.mark.parametrize("stored", ["pa%", "pa%4", "pa%zz", "%%25"])
def test_an_escape_that_is_none_breaks_the_url(stored):
    assert breaks_url(stored)


@pytest.mark.parametrize("password", ["pa%41?/ #", "plain"])
def test_mysqls_password_is_stored_as_it_is(password):
    assert stored_password(password, in_url=False) == password
    assert means_password(password, password, in_url=False)
    assert not means_password(password + "x", password, in_url=False)
    assert not means_password(stored_password("a b", in_url=True), "a b", in_url=False)


# Hosts


@pytest.mark.parametrize(
    ("host", "namespace", "written"),
    [
        ("mysql", "data", "mysql.data.svc"),
        ("mysql", None, "mysql"),
        ("my_sql", None, "my_sql"),
        ("db.example.com", None, "db.example.com"),
        ("db.example.com.", None, "db.example.com."),
        ("10.0.0.1", None, "10.0.0.1"),
        ("fd00::1", None, "[fd00::1]"),
        ("[FD00:0::1]", None, "[fd00::1]"),
    ],
)
def test_the_host_is_written_so_that_the_server_reaches_it(host, namespace, written):
    assert qualified_host(host, namespace) == written
    assert wanted(database__host=host, database__namespace=namespace).database.host == written


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("mysql.data.svc", "mysql.data.svc.cluster.local", True),
        ("mysql.data", "mysql.data.svc.cluster.local.", True),
        ("mysql", "mysql.registries.svc", True),
        ("MySQL.data.svc", "mysql.data.svc", True),
        ("[fd00::1]", "fd00:0::1", True),
        ("db.example.com", "DB.example.com.", True),
        ("mysql", "mysql.data.svc", False),
        ("mysql.data.svc", "other.data.svc", False),
        ("mysql.data.svc.example.com", "mysql.data.svc", False),
        ("a.example.com", "b.example.com", False),
        ("10.0.0.1", "10.0.0.2", False),
    ],
)
def test_spellings_of_one_service_are_the_same_host(one, other, same):
    assert same_host(one, other, NAMESPACE) is same


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("db", ("models", "db")),
        ("DB", ("models", "db")),
        ("db.data.svc", ("data", "db")),
        ("db.data.svc.cluster.local", ("data", "db")),
        ("db-0.db.data.svc.cluster.local", None),
        ("db.data", None),
        ("db.example.com", None),
        ("10.0.0.1", None),
        ("[fd00::1]", None),
        ("fd00::1", None),
    ],
)
def test_a_host_that_can_only_be_a_service_is_known(host, service):
    assert service_of(host, "models") == service


# References


@pytest.mark.parametrize(
    ("ca", "reference"),
    [
        (None, None),
        ({"source": None}, None),
        ({"source": "none"}, CertificateAuthority()),
        ({"source": "cluster"}, CertificateAuthority("ConfigMap", KeyReference("odh-trusted-ca-bundle", "ca-bundle.crt"))),
        ({"source": "openshift_ai"}, CertificateAuthority("ConfigMap", KeyReference("odh-trusted-ca-bundle", "odh-ca-bundle.crt"))),
        ({"source": "config_map", "name": "bundle", "key": "ca.crt"}, CertificateAuthority("ConfigMap", KeyReference("bundle", "ca.crt"))),
        ({"source": "secret", "name": "bundle", "key": "ca.crt"}, CertificateAuthority("Secret", KeyReference("bundle", "ca.crt"))),
    ],
)
def test_every_source_of_a_ca_becomes_its_reference(ca, reference):
    assert wanted(database__ca=ca).database.ca == reference


@pytest.mark.parametrize(
    ("given", "certificate"),
    [
        (None, None),
        ({"source": None}, None),
        ({"source": "none"}, ClientCertificate()),
        ({"source": "secret", "name": "s", "certificate_key": "", "private_key_key": None}, ClientCertificate("s", "tls.crt", "tls.key")),
        ({"source": "secret", "name": "s"}, ClientCertificate("s", "tls.crt", "tls.key")),
        ({"source": "secret", "name": "s", "certificate_key": "c", "private_key_key": "k"}, ClientCertificate("s", "c", "k")),
    ],
)
def test_a_client_certificate_is_a_secret_with_the_keys_of_its_kind(given, certificate):
    assert wanted(database__client_certificate=given).database.client_certificate == certificate


def test_a_referenced_password_is_a_key_of_a_secret():
    database = wanted(database__password=None, database__password_secret={"name": "vault", "key": "word"}).database
    assert (database.password, database.password_secret) == (None, KeyReference("vault", "word"))


def test_the_tls_modes_are_those_of_the_definition():
    assert SSL_MODES == ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def test_a_printed_registry_does_not_show_its_password():
    assert "secret-word" not in repr(wanted())
