"""A registry as the dashboard's objects, and back."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import credentials, custom_resource, manifests
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.desired_state import KeyReference, registry_from_options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import password_plan

from .builders import NAMESPACE, TYPES, edited, secret_name, stored, wanted

SECRET = {"name": "the-secret", "key": "database-password"}
CLUSTER_CA = {"name": "odh-trusted-ca-bundle", "key": "ca-bundle.crt"}
MYSQL_VERIFY = ("spec", "mysql", "verifyServerCert")

# What the dashboard sends for the same input (dashboard v3.5.0), written down by hand.
DASHBOARD_DATABASE = {
    "mysql": {
        "mysql": {
            "host": "mysql.data.svc",
            "port": 3306,
            "database": "models",
            "username": "registry",
            "skipDBCreation": False,
            "passwordSecret": SECRET,
        }
    },
    "postgresql": {
        "postgres": {
            "host": "pg.data.svc",
            "port": 5432,
            "database": "models",
            "username": "registry",
            "skipDBCreation": False,
            "passwordSecret": SECRET,
        }
    },
    "generated": {"postgres": {"generateDeployment": True}},
}


def fields(registry, live, section="mysql"):
    """The value of each field that is to change."""
    return {path: value for _option, path, value in custom_resource.wanted_fields(registry, live, section)}


# Creating


@pytest.mark.parametrize("kind", TYPES)
def test_the_custom_resource_is_the_dashboards(kind):
    # The dashboard offers no TLS mode.
    registry = wanted(kind, database__ssl_mode=None) if kind == "postgresql" else wanted(kind)
    made = custom_resource.new(registry, None if kind == "generated" else SECRET, "v1beta1", "kubeRBACProxy")
    assert made == {
        "apiVersion": "modelregistry.opendatahub.io/v1beta1",
        "kind": "ModelRegistry",
        "metadata": {
            "name": "fraud",
            "namespace": NAMESPACE,
            "annotations": {"openshift.io/description": "Models", "openshift.io/display-name": "Fraud"},
        },
        "spec": {"kubeRBACProxy": {}, "grpc": {}, "rest": {}, **DASHBOARD_DATABASE[kind]},
    }


@pytest.mark.parametrize(("kind", "port"), [("mysql", 3306), ("postgresql", 5432)])
def test_what_is_left_out_gets_the_defaults_of_the_dialog(kind, port):
    registry = wanted(kind, description=None, display_name=None, database__name=None)
    made = custom_resource.new(registry, SECRET, "v1alpha1", "oauthProxy")
    assert made["apiVersion"] == "modelregistry.opendatahub.io/v1alpha1"
    assert made["metadata"]["annotations"] == {"openshift.io/description": "", "openshift.io/display-name": "fraud"}
    section = made["spec"][custom_resource.SECTIONS[kind]]
    assert (section["database"], section["port"]) == ("model-registry", port)
    assert "oauthProxy" in made["spec"] and "kubeRBACProxy" not in made["spec"]


def test_what_is_given_is_written():
    registry = wanted("postgresql", database__port=5433, database__ssl_mode="verify-ca", database__client_certificate={"source": "secret", "name": "client"})
    section = custom_resource.database_section(registry.database, SECRET)
    assert (section["port"], section["sslMode"]) == (5433, "verify-ca")
    assert section["sslCertificateSecret"] == {"name": "client", "key": "tls.crt"}
    assert section["sslKeySecret"] == {"name": "client", "key": "tls.key"}
    assert "verifyServerCert" not in section and not any("RootCertificate" in key for key in section)


@pytest.mark.parametrize(
    ("ca", "written"),
    [
        ({"source": "cluster"}, {"sslRootCertificateConfigMap": CLUSTER_CA}),
        ({"source": "openshift_ai"}, {"sslRootCertificateConfigMap": {"name": "odh-trusted-ca-bundle", "key": "odh-ca-bundle.crt"}}),
        ({"source": "config_map", "name": "a", "key": "k"}, {"sslRootCertificateConfigMap": {"name": "a", "key": "k"}}),
        ({"source": "secret", "name": "b", "key": "k"}, {"sslRootCertificateSecret": {"name": "b", "key": "k"}}),
        ({"source": "none"}, {}),
        (None, {}),
    ],
)
@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_only_the_field_of_the_chosen_ca_is_written(kind, ca, written):
    section = custom_resource.database_section(wanted(kind, database__ca=ca).database, SECRET)
    assert {key: value for key, value in section.items() if "RootCertificate" in key} == written


@pytest.mark.parametrize(
    ("kind", "ca", "verify", "written"),
    [
        ("mysql", {"source": "cluster"}, None, {True}),
        ("mysql", {"source": "cluster"}, True, {True}),
        ("mysql", {"source": "cluster"}, False, {False}),
        ("mysql", None, None, set()),
        ("mysql", {"source": "none"}, None, set()),
        ("mysql", None, True, {True}),
        ("postgresql", {"source": "cluster"}, None, set()),
    ],
)
def test_a_ca_is_used_to_verify_mysql_unless_it_is_switched_off(kind, ca, verify, written):
    section = custom_resource.database_section(wanted(kind, database__ca=ca, database__verify_server_cert=verify).database, SECRET)
    assert {section[key] for key in section if key == "verifyServerCert"} == written


def test_the_secret_is_the_dashboards_but_for_its_derived_name():
    made = password_plan.password_secret(wanted(), secret_name(wanted()), wanted().database, "stored-word")
    assert made["metadata"].pop("name").startswith("fraud-db-")
    assert made["metadata"] == {
        "generateName": "fraud-db-",
        "namespace": NAMESPACE,
        "annotations": {
            "template.openshift.io/expose-database_name": "{.data['database-name']}",
            "template.openshift.io/expose-username": "{.data['database-user']}",
            "template.openshift.io/expose-password": "{.data['database-password']}",
        },
    }
    assert (made["apiVersion"], made["kind"], made["type"]) == ("v1", "Secret", "Opaque")
    decoded = {key: base64.b64decode(value).decode() for key, value in made["data"].items()}
    assert decoded == {"database-name": "models", "database-user": "registry", "database-password": "stored-word"}


def test_the_secrets_name_depends_on_namespace_and_registry_and_nothing_else():
    name = credentials.secret_name("a", "fraud")
    assert name == credentials.secret_name("a", "fraud")
    assert name.removeprefix("fraud-db-").isalnum() and len(name) == len("fraud-db-") + 5
    assert len({name, credentials.secret_name("b", "fraud"), credentials.secret_name("a", "fraud2")}) == 3


def test_the_secrets_name_never_changes():
    # Another one would leave the Secrets of all registries that exist behind.
    assert credentials.secret_name("rhoai-model-registries", "fraud-models") == "fraud-models-db-tg4j9"


# Comparing


@pytest.mark.parametrize("kind", TYPES)
def test_a_registry_equal_to_the_wanted_one_has_no_changes(kind):
    registry = wanted(kind)
    assert fields(registry, stored(registry), custom_resource.SECTIONS[kind]) == {}


@pytest.mark.parametrize(
    ("kind", "changed", "path", "value"),
    [
        ("mysql", {"display_name": "Other"}, ("metadata", "annotations", "openshift.io/display-name"), "Other"),
        ("mysql", {"description": ""}, ("metadata", "annotations", "openshift.io/description"), ""),
        ("mysql", {"database__host": "other"}, ("spec", "mysql", "host"), "other.data.svc"),
        ("mysql", {"database__port": 3307}, ("spec", "mysql", "port"), 3307),
        ("mysql", {"database__name": "other"}, ("spec", "mysql", "database"), "other"),
        ("mysql", {"database__username": "other"}, ("spec", "mysql", "username"), "other"),
        ("mysql", {"database__verify_server_cert": False}, MYSQL_VERIFY, False),
        ("postgresql", {"database__ssl_mode": "verify-ca"}, ("spec", "postgres", "sslMode"), "verify-ca"),
        ("postgresql", {"database__port": 5433}, ("spec", "postgres", "port"), 5433),
        (
            "mysql",
            {"database__password": None, "database__password_secret": {"name": "vault", "key": "k"}},
            ("spec", "mysql", "passwordSecret"),
            {"name": "vault", "key": "k"},
        ),
        ("generated", {"description": "Other"}, ("metadata", "annotations", "openshift.io/description"), "Other"),
    ],
)
def test_only_the_changed_field_is_written(kind, changed, path, value):
    given = {} if kind == "generated" else {"database__ca": {"source": "cluster"}}
    live = stored(wanted(kind, **given))
    assert fields(wanted(kind, **given | changed), live, custom_resource.SECTIONS[kind]) == {path: value}


def test_an_option_that_is_left_out_is_no_change():
    live = stored(wanted(database__ca={"source": "cluster"}))
    assert fields(registry_from_options({"name": "fraud"}, NAMESPACE, [], []), live) == {}
    assert fields(edited(type="mysql"), live) == {}


def test_another_spelling_of_the_live_host_is_no_change():
    live = stored(wanted())
    assert fields(wanted(database__host="MySQL.data.svc", database__namespace=None), live) == {}
    assert fields(edited(host="mysql"), stored(wanted(), host=f"mysql.{NAMESPACE}.svc")) == {}


@pytest.mark.parametrize("given", [{"description": ""}, {"database__verify_server_cert": False}])
def test_nothing_where_there_is_nothing_is_no_change(given):
    live = stored(wanted())
    del live["metadata"]["annotations"]["openshift.io/description"]
    assert fields(wanted(**{"description": None} | given), live) == {}


def test_another_ca_replaces_a_secret_and_switches_verification_on():
    live = stored(wanted(), sslRootCertificateSecret={"name": "old", "key": "ca"})
    assert fields(wanted(database__ca={"source": "cluster"}), live) == {
        ("spec", "mysql", "sslRootCertificateConfigMap"): CLUSTER_CA,
        ("spec", "mysql", "sslRootCertificateSecret"): None,
        MYSQL_VERIFY: True,
    }


def test_a_ca_in_a_secret_replaces_one_in_a_config_map():
    live = stored(wanted(database__ca={"source": "cluster"}))
    assert fields(wanted(database__ca={"source": "secret", "name": "s", "key": "k"}), live) == {
        ("spec", "mysql", "sslRootCertificateConfigMap"): None,
        ("spec", "mysql", "sslRootCertificateSecret"): {"name": "s", "key": "k"},
    }


@pytest.mark.parametrize("directory", ["sslRootCertificatesConfigMapName", "sslRootCertificatesSecretName"])
@pytest.mark.parametrize("ca", [{"source": "cluster"}, {"source": "none"}])
def test_a_ca_replaces_a_whole_object_that_the_server_cannot_read(directory, ca):
    live = stored(wanted(database__ca=ca), **{directory: "bundle"})
    changes = fields(wanted(database__ca=ca), live)
    assert changes.pop(("spec", "mysql", directory), "stays") is None
    assert all(path == MYSQL_VERIFY for path in changes)


def test_another_ca_switches_on_a_verification_that_was_off():
    live = stored(wanted(database__ca={"source": "cluster"}), verifyServerCert=False)
    assert fields(wanted(database__ca={"source": "openshift_ai"}), live) == {
        ("spec", "mysql", "sslRootCertificateConfigMap"): {"name": "odh-trusted-ca-bundle", "key": "odh-ca-bundle.crt"},
        MYSQL_VERIFY: True,
    }


def test_a_ca_that_stays_leaves_the_live_verification():
    live = stored(wanted(database__ca={"source": "cluster"}), verifyServerCert=False)
    assert fields(wanted(database__ca={"source": "cluster"}), live) == {}


def test_no_ca_takes_it_away_with_the_verification():
    live = stored(wanted(database__ca={"source": "cluster"}))
    assert fields(wanted(database__ca={"source": "none"}), live) == {("spec", "mysql", "sslRootCertificateConfigMap"): None, MYSQL_VERIFY: None}


@pytest.mark.parametrize(("verified", "changed"), [(True, {MYSQL_VERIFY: None}), (False, {}), (None, {})])
def test_no_ca_takes_back_a_verification_that_a_ca_has_left_behind(verified, changed):
    # As the dashboard leaves it when its box for the CA is unticked.
    assert fields(wanted(database__ca={"source": "none"}), stored(wanted(), verifyServerCert=verified)) == changed


def test_no_ca_keeps_a_verification_that_is_asked_for():
    assert fields(wanted(database__ca={"source": "none"}, database__verify_server_cert=True), stored(wanted(), verifyServerCert=True)) == {}


def test_verification_that_is_asked_for_beside_another_ca_is_what_counts():
    assert fields(wanted(database__ca={"source": "cluster"}, database__verify_server_cert=False), stored(wanted())) == {
        ("spec", "mysql", "sslRootCertificateConfigMap"): CLUSTER_CA
    }


def test_postgresql_gets_a_ca_without_a_field_that_only_mysql_has():
    live = stored(wanted("postgresql"))
    assert fields(wanted("postgresql", database__ca={"source": "cluster"}), live, "postgres") == {
        ("spec", "postgres", "sslRootCertificateConfigMap"): CLUSTER_CA
    }


def test_a_client_certificate_is_two_fields_that_come_and_go_together():
    certificate, key = ("spec", "mysql", "sslCertificateSecret"), ("spec", "mysql", "sslKeySecret")
    given = wanted(database__client_certificate={"source": "secret", "name": "s", "private_key_key": "k"})
    assert fields(given, stored(wanted())) == {certificate: {"name": "s", "key": "tls.crt"}, key: {"name": "s", "key": "k"}}
    assert fields(given, stored(given)) == {}
    assert fields(wanted(database__client_certificate={"source": "none"}), stored(given)) == {certificate: None, key: None}
    assert fields(wanted(database__client_certificate={"source": "none"}), stored(wanted())) == {}


def test_each_change_names_its_option():
    live = stored(wanted())
    registry = wanted(
        display_name="Other", database__port=1, database__ca={"source": "cluster"}, database__client_certificate={"source": "secret", "name": "s"}
    )
    assert [option for option, _path, _value in custom_resource.wanted_fields(registry, live, "mysql")] == [
        "display_name",
        "database.port",
        "database.ca",
        "database.client_certificate",
        "database.client_certificate",
        "database.verify_server_cert",
    ]


@pytest.mark.parametrize(
    ("before", "after", "removed"),
    [
        ("generated", "postgresql", {("spec", "postgres", "generateDeployment")}),
        ("postgresql", "mysql", {("spec", "postgres")}),
        ("mysql", "generated", {("spec", "mysql")}),
    ],
)
def test_a_move_removes_another_section_as_a_whole_and_of_the_same_one_what_is_left_over(before, after, removed):
    changes = custom_resource.moved_fields(wanted(after), stored(wanted(before)), SECRET)
    assert {path for _option, path, value in changes if value is None} == removed


# Reading


@pytest.mark.parametrize(
    ("kind", "database"),
    [
        (
            "mysql",
            {"host": "mysql.data.svc", "port": 3306, "name": "models", "username": "registry", "ca": {"source": "cluster"}, "verify_server_cert": True},
        ),
        ("postgresql", {"host": "pg.data.svc", "port": 5432, "name": "models", "username": "registry", "ca": {"source": "cluster"}, "ssl_mode": "require"}),
        ("generated", {}),
    ],
)
def test_a_live_registry_in_the_shape_of_the_options_is_the_registry(kind, database):
    registry = wanted(kind) if kind == "generated" else wanted(kind, database__ca={"source": "cluster"})
    shape = custom_resource.registry_result(stored(registry))
    if kind != "generated":
        database = database | {"password_secret": {"name": secret_name(registry), "key": "database-password"}}
    assert shape == {
        "name": "fraud",
        "namespace": NAMESPACE,
        "display_name": "Fraud",
        "description": "Models",
        "database": {"type": kind, **database},
    }


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(
    "more", [{}, {"database__ca": {"source": "secret", "name": "s", "key": "k"}}, {"database__client_certificate": {"source": "secret", "name": "s"}}]
)
def test_the_shape_of_a_live_registry_given_as_options_changes_nothing(kind, more):
    live = stored(wanted(kind, **({} if kind == "generated" else more)))
    problems = []
    again = registry_from_options(custom_resource.registry_result(live), NAMESPACE, problems, [])
    assert problems == []
    assert fields(again, live, custom_resource.SECTIONS[kind]) == {}


@pytest.mark.parametrize(
    ("ca", "shown"),
    [
        ({"source": "cluster"}, {"source": "cluster"}),
        ({"source": "openshift_ai"}, {"source": "openshift_ai"}),
        (None, {"source": "none"}),
        ({"source": "config_map", "name": "odh-trusted-ca-bundle", "key": "other"}, {"source": "config_map", "name": "odh-trusted-ca-bundle", "key": "other"}),
        ({"source": "config_map", "name": "bundle", "key": "ca-bundle.crt"}, {"source": "config_map", "name": "bundle", "key": "ca-bundle.crt"}),
        ({"source": "secret", "name": "s", "key": "k"}, {"source": "secret", "name": "s", "key": "k"}),
    ],
)
def test_a_live_ca_is_shown_as_it_is_given(ca, shown):
    assert custom_resource.registry_result(stored(wanted(database__ca=ca)))["database"]["ca"] == shown


def test_a_client_certificate_is_shown_when_it_can_be_given():
    whole = {"source": "secret", "name": "s", "certificate_key": "c", "private_key_key": "k"}
    assert custom_resource.registry_result(stored(wanted(database__client_certificate=whole)))["database"]["client_certificate"] == whole
    halves = stored(wanted(), sslCertificateSecret={"name": "a", "key": "c"}, sslKeySecret={"name": "b", "key": "k"})
    assert "client_certificate" not in custom_resource.registry_result(halves)["database"]
    assert "client_certificate" not in custom_resource.registry_result(stored(wanted(), sslCertificateSecret={"name": "a", "key": "c"}))["database"]


def test_a_registry_that_nobody_described_is_shown_by_its_name():
    live = stored(wanted())
    del live["metadata"]["annotations"]
    live["spec"].pop("mysql")
    assert custom_resource.registry_result(live) == {"name": "fraud", "namespace": NAMESPACE, "display_name": "fraud", "description": ""}


def test_a_registry_that_does_not_verify_is_shown_so():
    assert custom_resource.registry_result(stored(wanted()))["database"]["verify_server_cert"] is False
    assert "verify_server_cert" not in custom_resource.registry_result(stored(wanted("postgresql"), verifyServerCert=True))["database"]


@pytest.mark.parametrize(
    ("spec", "kind", "database"),
    [
        ({"mysql": {"host": "h"}}, "mysql", {"host": "h"}),
        ({"postgres": {"host": "h"}}, "postgresql", {"host": "h"}),
        ({"postgres": {"generateDeployment": True}}, "generated", {"generateDeployment": True}),
        # The operator takes PostgreSQL when both are there.
        ({"mysql": {"host": "m"}, "postgres": {"host": "p"}}, "postgresql", {"host": "p"}),
        ({"mysql": {"host": "m"}, "postgres": None}, "mysql", {"host": "m"}),
        ({"mysql": {"host": "m"}, "postgres": {}}, "mysql", {"host": "m"}),
        ({}, None, {}),
    ],
)
def test_the_database_of_a_live_registry_is_the_one_that_the_operator_uses(spec, kind, database):
    assert (custom_resource.live_type({"spec": spec}), custom_resource.live_database({"spec": spec})) == (kind, database)


def test_what_the_operator_makes_for_a_generated_database_has_its_names():
    made = custom_resource.GeneratedDatabase("fraud")
    assert (made.host, made.port, made.volume_claim) == ("fraud-postgres", 5432, "fraud-postgres-storage")
    assert (made.name, made.username, made.password_secret) == ("model_registry", "modelregistry", KeyReference("fraud-postgres-credentials", "password"))


def test_no_registry_has_no_database():
    assert (custom_resource.live_type(None), custom_resource.live_database(None)) == (None, {})


def test_a_shape_is_flattened_to_the_paths_of_its_options():
    shape = {"name": "fraud", "database": {"type": "mysql", "ca": {"source": "secret", "name": "s", "key": "k"}}}
    assert custom_resource.flattened(shape) == {"name": "fraud", "database.type": "mysql", "database.ca": {"source": "secret", "name": "s", "key": "k"}}


# Patches


def test_merge_patches_of_several_fields_become_one():
    one, other = manifests.nested(("spec", "mysql", "port"), 1), manifests.nested(("spec", "mysql", "host"), "h")
    assert manifests.merged(one, other) == {"spec": {"mysql": {"port": 1, "host": "h"}}}
    assert one == {"spec": {"mysql": {"port": 1}}}
    assert manifests.merged({"a": {"b": 1}}, {"a": None}) == {"a": None}
    assert manifests.merged({"a": None}, {"a": {"b": 1}}) == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("manifest", "patch", "result"),
    [
        # From the examples of RFC 7386, appendix A; ours are always objects.
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({"a": "b"}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_manifest_is_patched_as_the_api_server_does_it(manifest, patch, result):
    before = dict(manifest)
    assert manifests.patched(manifest, patch) == result
    assert manifest == before


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ({"data": {"k": base64.b64encode("wörd".encode()).decode()}}, "wörd"),
        ({"data": {"k": "a"}}, None),
        ({"data": {"k": base64.b64encode(b"\xff").decode()}}, None),
        ({"data": {}}, None),
        ({"data": None}, None),
        ({}, None),
    ],
)
def test_a_key_of_a_secret_is_text_or_nothing(secret, text):
    assert manifests.decoded(secret, "k") == text


@pytest.mark.parametrize(
    ("kind", "held", "text"),
    [
        ("ConfigMap", None, None),
        ("ConfigMap", {}, None),
        ("ConfigMap", {"data": {"k": "wörd"}}, "wörd"),
        ("ConfigMap", {"data": {"other": "wörd"}, "binaryData": {"more": "eA=="}}, None),
        ("ConfigMap", {"data": None, "binaryData": {"k": manifests.encoded("wörd")}}, "wörd"),
        ("ConfigMap", {"binaryData": {"k": base64.b64encode(b"a\xff").decode()}}, "a\ufffd"),
        ("Secret", None, None),
        ("Secret", {"data": {"k": manifests.encoded("wörd")}}, "wörd"),
        ("Secret", {"data": {"k": base64.b64encode(b"a\xff").decode()}}, None),
    ],
)
def test_what_an_object_holds_under_a_key_is_read_as_text(kind, held, text):
    assert manifests.text_of(kind, held, "k") == text


def test_the_keys_of_an_object_are_those_of_its_texts_and_of_its_bytes():
    assert manifests.keys_of({"data": dict.fromkeys("hgfedc", ""), "binaryData": dict.fromkeys("ba", "")}) == list("abcdefgh")
    assert manifests.keys_of({"data": None, "binaryData": None}) == []


WRITES = [
    {"manager": "first", "time": "2026-05-01T10:00:00Z", "fieldsV1": {"f:data": {"f:a": {}, "f:b": {}}}},
    {"manager": "last", "time": "2026-05-01T12:00:00Z", "fieldsV1": {"f:metadata": {}, "f:users": {}}},
    {"manager": "second", "time": "2026-05-01T11:00:00Z", "fieldsV1": {"f:data": {"f:a": {}}}},
    {"manager": "timeless"},
]


@pytest.mark.parametrize(
    ("paths", "manager", "time"),
    [
        (None, "last", "2026-05-01T12:00:00Z"),
        ([("users",)], "last", "2026-05-01T12:00:00Z"),
        ([("data", "a")], "second", "2026-05-01T11:00:00Z"),
        ([("data", "b")], "first", "2026-05-01T10:00:00Z"),
        ([("data", "b"), ("data", "c")], "first", "2026-05-01T10:00:00Z"),
        ([("data", "c")], None, None),
        ([], None, None),
    ],
)
def test_who_wrote_a_field_last_is_told_by_the_api_server(paths, manager, time):
    told = {"manager": manager, "time": time}
    for entries in (WRITES, WRITES[::-1]):
        held = {"metadata": {"managedFields": entries}}
        assert (manifests.last_write(held) if paths is None else manifests.last_write(held, paths)) == told


def test_without_a_word_of_the_api_server_nobody_wrote_an_object():
    for held in (None, {"metadata": {}}, {"metadata": {"managedFields": None}}):
        assert manifests.last_write(held) == {"manager": None, "time": None}


def test_what_is_encoded_is_decoded():
    assert manifests.decoded({"data": {"k": manifests.encoded("wörd")}}, "k") == "wörd"


def test_a_path_that_a_manifest_does_not_have_is_nothing():
    assert manifests.at({"a": {"b": 1}}, ("a", "b")) == 1
    assert manifests.at({"a": "text"}, ("a", "b")) is None
    assert manifests.at(None, ("a",)) is None


@pytest.mark.parametrize(
    ("patch", "before"),
    [
        ({"mysql": {"username": "new", "sslMode": "require"}}, {"mysql": {"username": "old", "port": 1}}),
        ({"mysql": {"passwordSecret": {"name": "new", "key": "k"}}}, {"mysql": {"passwordSecret": {"name": "old", "key": "k"}}}),
        ({"mysql": {"ca": None}}, {"mysql": {"ca": {"name": "n"}}}),
        # A move to another database.
        ({"mysql": None, "postgres": {"host": "db"}}, {"mysql": {"host": "db", "port": 1}}),
    ],
)
def test_what_a_patch_changes_can_be_given_its_previous_values(patch, before):
    after = manifests.patched(before, patch)
    assert after != before and manifests.patched(after, manifests.undone(patch, before)) == before
    # What another process has added stays.
    assert manifests.patched({**after, "rest": {}}, manifests.undone(patch, before)) == {**before, "rest": {}}
