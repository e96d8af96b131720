"""A live registry as options that change nothing, who gets in by other Roles, and what the module reads out of what it is given."""

from __future__ import annotations

import importlib

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database import connection
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import certificates, server_pods
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.desired_state import registry_from_options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.naming import name_problems
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.permissions import Grant
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import record
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.export import exported_permissions, exported_registry
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import info
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status.audit import access_by_other_roles, access_of, services_of
from ansible_collections.modelops.openshift_ai.plugins.module_utils._work import collector

from .builders import NAMESPACE, OLD, TODAY, foreign_secret, live, planned, stored, wanted
from .grants import ACCOUNT, ALICE, PROJECT, SCIENTISTS, TARGET, binding, dashboards, operators

ACCESS = {"apiGroups": [""], "resources": ["services"], "verbs": ["get"]}


def exported(registry, capabilities=TODAY):
    """What is exported of a live registry, and a part of each reason why something was not; that a run with it changes nothing is seen to."""
    export = exported_registry(registry, capabilities)
    problems = []
    again = registry_from_options(export.options, NAMESPACE, problems, [])
    assert problems == []
    secret = foreign_secret("vault", password="secret-word")
    made = planned(again, live(wanted(), {("Secret", "vault"): secret}, registry=registry, capabilities=capabilities))
    assert (made.changes, [problem.option for problem in made.problems]) == ((), [])
    return export.options, export.left_out


def resource(kind="mysql", annotations=None, **fields):
    """A live registry whose database has these fields."""
    found = stored(wanted(kind), **fields)
    if annotations is not None:
        found["metadata"]["annotations"] = annotations
    return found


@pytest.mark.parametrize("kind", ["mysql", "postgresql", "generated"])
def test_a_registry_of_ours_is_exported_whole(kind):
    options, left_out = exported(resource(kind))
    assert left_out == ()
    assert (options["display_name"], options["description"], options["database"]["type"]) == ("Fraud", "Models", kind)
    assert ("host" in options["database"], "password_secret" in options["database"]) == (kind != "generated",) * 2


def test_a_generated_database_with_a_whole_object_as_its_ca_is_exported_without_it():
    options, left_out = exported(resource("generated", sslRootCertificatesConfigMapName="bundle"))
    assert options["database"]["type"] == "generated" and "ca" not in options["database"]
    assert len(left_out) == 1 and "sslRootCertificatesConfigMapName" in left_out[0]


@pytest.mark.parametrize(
    ("kind", "fields", "missing"),
    [
        ("mysql", {"host": "https://db/x"}, {"host": "is a URL"}),
        ("mysql", {"host": "db:3306"}, {"host": "contains a port"}),
        ("mysql", {"host": ""}, {"host": "is empty"}),
        ("postgresql", {"host": None, "hostAddress": "10.0.0.1"}, {"host": "uses hostAddress"}),
        ("mysql", {"database": "a/b"}, {"name": "contains /, % or ?"}),
        ("mysql", {"database": ""}, {"name": "is empty"}),
        ("mysql", {"username": "a:b"}, {"username": "contains a colon"}),
        ("postgresql", {"database": "a#b", "username": " x"}, {"username": "white space", "name": "contains %, ? or #"}),
        ("mysql", {"passwordSecret": {"name": "", "key": ""}}, {"password_secret": "is empty"}),
        ("mysql", {"sslRootCertificatesSecretName": "whole", "verifyServerCert": True}, {"ca": "sslRootCertificatesSecretName"}),
        (
            "mysql",
            {"sslRootCertificateConfigMap": {"name": "a", "key": "k"}, "sslRootCertificateSecret": {"name": "b", "key": "k"}},
            {"ca": "would change it"},
        ),
        ("mysql", {"sslRootCertificateConfigMap": {"name": "", "key": ""}}, {"ca": "is empty"}),
        ("postgresql", {"sslKeySecret": {"name": "vault", "key": "k"}}, {"client_certificate": "missing"}),
    ],
)
def test_what_options_would_refuse_or_change_is_left_out(kind, fields, missing):
    options, left_out = exported(resource(kind, **fields))
    assert not missing.keys() & options["database"].keys()
    assert [text.partition(" ")[0] for text in left_out] == [f"database.{option}" for option in missing]
    assert all(reason in text for reason, text in zip(missing.values(), left_out))
    assert options["database"].keys() >= {"type", "port"}


@pytest.mark.parametrize(("annotations", "left_out"), [({}, 0), ({"openshift.io/display-name": " "}, 1), ({"openshift.io/display-name": " x"}, 1)])
def test_a_display_name_that_cannot_be_given_is_left_out(annotations, left_out):
    options, said = exported(resource(annotations=annotations))
    assert "display_name" not in options and len(said) == left_out


PAIR = {"name": "vault", "key": "password"}


@pytest.mark.parametrize(
    "fields",
    [{"host": "fd00::1"}, {"host": "MYSQL.data.svc."}, {"verifyServerCert": None}, {"port": 3307}, {"sslCertificateSecret": PAIR, "sslKeySecret": PAIR}],
)
def test_other_spellings_and_absent_fields_stay(fields):
    assert exported(resource(**fields))[1] == ()


def test_a_registry_without_a_database_has_no_option_for_it():
    found = resource()
    del found["spec"]["mysql"]
    assert "database" not in exported(found)[0]


def test_the_default_database_of_old_products_cannot_be_named_there():
    options, left_out = exported(resource(database="model-registry"), OLD)
    assert "name" not in options["database"] and "version of the product" in left_out[0]
    assert exported(resource(database="model_registry"), OLD)[1] == ()


@pytest.mark.parametrize(("name", "reason"), [("a" * 49, "49 characters"), ("a.b", "not a valid resource name"), ("a" * 48, "")])
def test_a_registry_whose_name_no_list_can_have(name, reason):
    said = " ".join(problem.sentence() for problem in name_problems(name))
    assert reason in said and bool(said) == bool(reason)


def permissions(*bindings, group=None):
    export = exported_permissions(TARGET, list(bindings), group)
    return {kind: names for kind, names in export.options.items() if names}, export.left_out


def test_permissions_are_those_of_the_dashboard_and_this_collection():
    foreign = binding("other", Grant("users", "carol"))
    found, left_out = permissions(*map(dashboards, (SCIENTISTS, ALICE, PROJECT, ACCOUNT)), operators(), foreign, group={"users": ["bob", "bob", " x"]})
    assert found == {
        "groups": ["data-scientists"],
        "users": ["alice"],
        "projects": ["fraud-dev"],
        "service_accounts": [{"namespace": "ci", "name": "pipeline"}],
        "members": ["bob"],
    }
    assert left_out == ("member ' x' (starts or ends with white space)",)


def test_a_subject_is_listed_once():
    doubled = dashboards(SCIENTISTS, name="second", created="2026-05-02T10:00:00Z")
    as_group = dashboards(Grant("groups", "system:serviceaccounts:fraud-dev"), name="third", created="2026-05-02T10:00:00Z")
    assert permissions(dashboards(SCIENTISTS), doubled, dashboards(PROJECT), as_group) == ({"groups": ["data-scientists"], "projects": ["fraud-dev"]}, ())


@pytest.mark.parametrize(
    "beside",
    [
        # Somebody else's, one that grants nothing, and one of whose subjects each has a binding of its own.
        binding("other", Grant("users", "carol"), Grant("users", "dave")),
        dashboards(ALICE, Grant("users", "dave"), name="wrong", role="registry-users-fraud"),
        dashboards(SCIENTISTS, ALICE, name="both"),
    ],
)
def test_a_second_subject_is_told_only_where_it_has_access_that_is_not_listed(beside):
    assert permissions(dashboards(ALICE), dashboards(SCIENTISTS), beside) == ({"groups": ["data-scientists"], "users": ["alice"]}, ())


def test_a_service_account_of_which_both_parts_are_wrong_is_told_once():
    found, left_out = permissions(dashboards(SCIENTISTS), dashboards(ACCOUNT), dashboards(Grant("service_accounts", "Robot", "CI")))
    assert found == {"groups": ["data-scientists"], "service_accounts": [{"namespace": "ci", "name": "pipeline"}]}
    assert left_out == ("service account CI/Robot (is not a valid name of a service account)",)


def test_what_a_run_would_write_anew_is_left_out():
    hidden, ownerless = dashboards(SCIENTISTS, ALICE), dashboards(PROJECT)
    del ownerless["metadata"]["ownerReferences"]
    found, left_out = permissions(hidden, ownerless, dashboards(Grant("groups", "system:serviceaccount:a:b")), dashboards(Grant("users", "x "), name="space"))
    assert found == {"groups": ["data-scientists"]}
    assert [text.partition(" (")[0] for text in left_out] == ["group 'system:serviceaccount:a:b'", "user 'x '", "project fraud-dev", "user alice"]


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        ([ACCESS], None),
        ([{**ACCESS, "resourceNames": ["fraud"]}], {"fraud"}),
        ([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}], None),
        ([{**ACCESS, "verbs": ["list", "watch"]}], set()),
        ([{**ACCESS, "apiGroups": ["apps"]}, {**ACCESS, "resources": ["services/status"]}, {"nonResourceURLs": ["/*"], "verbs": ["*"]}], set()),
        (None, set()),
    ],
)
def test_which_services_a_role_lets_somebody_get(rules, names):
    assert services_of({"rules": rules}) == names


def role(name, *rules):
    return {"metadata": {"name": name}, "rules": list(rules)}


def test_access_by_other_roles_is_found_by_their_rules():
    everybody, robot = Grant("groups", "system:authenticated"), Grant("service_accounts", "robot", "openshift-x")
    of_namespace = [
        binding("by-name", ALICE, role="named"),
        binding("nothing", ALICE, role="absent"),
        binding("own", ALICE),
        binding("whole", PROJECT, role="view", role_kind="ClusterRole"),
    ]
    of_cluster = [binding("all", everybody, robot, role="view", role_kind="ClusterRole")]
    roles = [role("named", {**ACCESS, "resourceNames": ["fraud"]}), role("registry-user-fraud", ACCESS)]
    found = access_by_other_roles(of_namespace, roles, of_cluster, [role("view", ACCESS)], {"registry-user-fraud"})
    shown = [(one.entry["name"], one.entry["through"], one.entry["everybody"], one.entry["platform"], one.services) for one in found]
    assert shown == [
        ("alice", "by-name", False, False, {"fraud"}),
        ("system:serviceaccounts:fraud-dev", "whole", False, False, None),
        ("system:authenticated", "all", True, False, None),
        ("robot", "all", False, True, None),
    ]
    own = access_of(TARGET, [dashboards(SCIENTISTS), operators(), binding("wrong", ALICE, role="registry-users-fraud")], found)
    assert [(entry["through"], entry["made_by"], entry["effective"]) for entry in own] == [
        ("dashboard-permissions-groups-data-scientists", "dashboard-or-collection", True),
        ("fraud-users", "operator", True),
        ("wrong", "other", False),
        ("by-name", "other", True),
    ]


@pytest.mark.parametrize(
    ("image", "version"),
    [("quay.io/a/server:v0.3.8", "v0.3.8"), ("host:5000/a/server", None), ("host:5000/server:1@sha256:00", "1"), ("server@sha256:00", None)],
)
def test_the_version_of_a_server_is_the_tag_of_its_image(image, version):
    pod = {"spec": {"containers": [{"name": "proxy", "image": "x:9"}, {"name": "rest-container", "image": image}]}}
    assert server_pods.image(pod) == {"server_image": image, "server_version": version}


def test_without_the_library_for_queries_what_to_install_is_said(monkeypatch):
    def refuse(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(_errors.MissingLibraryError, match=r"^The Python library jmespath is not installed .* pip install jmespath$"):
        info.asked("registries")


def test_a_query_is_compiled_before_it_is_asked():
    assert info.asked("length(registries)") is None
    with pytest.raises(_errors.InputError, match="is not a valid JMESPath expression"):
        info.asked("registries[")
    with pytest.raises(_errors.InputError, match="cannot be applied to the result"):
        info.asked("length(registries)", {})
    assert info.asked("registries[].name", {"registries": [{"name": "a"}]}) == ["a"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("registries[?status.available=true]", "is not a valid JMESPath expression: lexer error at character 29"),
        ("length(`1`)", "cannot be applied to the result: type error of length()"),
        ("nosuch(@)", "cannot be applied to the result: unknown function error"),
    ],
)
def test_a_query_that_is_wrong_is_told_with_the_place_and_without_its_text(query, said):
    with pytest.raises(_errors.InputError) as caught:
        info.asked(query, {})
    assert [problem.problem for problem in caught.value.problems] == [said]


GIVEN = {**dict.fromkeys(("name", "label_selector", "name_pattern", "query", "namespace")), "expiry_days": 30}


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({}, []),
        ({"name": "fraud", "label_selector": "a=b", "name_pattern": "f*", "query": "registries", "expiry_days": 0}, []),
        ({"name": " ", "label_selector": "", "name_pattern": "\t"}, ["name", "label_selector", "name_pattern"]),
        ({"name": "a/b", "query": "registries["}, ["name", "query"]),
        ({"namespace": "No Name", "expiry_days": -1}, ["namespace", "expiry_days"]),
    ],
)
def test_options_are_checked_before_the_cluster_is_asked(options, wrong):
    assert [problem.option for problem in info.input_problems({**GIVEN, **options})] == wrong


@pytest.mark.parametrize(
    ("answers", "any_of_them"), [([], False), ([False, False], False), ([True, None], True), ([None, False], None), ([None], None), ([False, True], True)]
)
def test_whether_one_is_true_is_not_known_where_one_is_not(answers, any_of_them):
    assert collector._any(answers) is any_of_them


class Survey:
    """A survey of a registry on each kind of database."""

    namespace, capabilities = NAMESPACE, TODAY

    def registries(self):
        return [{**resource(kind), "metadata": {**resource(kind)["metadata"], "name": kind}} for kind in ("mysql", "postgresql", "generated")]


@pytest.mark.parametrize(("include", "missing"), [("database", "driver of mysql and cryptography and driver of postgresql"), ("certificates", "cryptography")])
def test_the_libraries_that_a_part_needs_are_missed_before_anything_is_read(monkeypatch, include, missing):
    monkeypatch.setattr(connection, "missing_libraries", lambda kind: [f"driver of {kind}", "cryptography"])
    monkeypatch.setattr(certificates, "HAS_CRYPTOGRAPHY", False)
    options_ = {**GIVEN, "include": [include], "smoke_test_domains": []}
    with pytest.raises(_errors.MissingLibraryError, match=f"The Python library {missing} is"):
        collector.Collector(Survey(), options_, record.Outcome()).result()
