"""A registry as the dashboard's objects, and back."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _manifests as manifests

from .builders import NAMESPACE, options, stored, wanted

# What the dashboard sends for the same input (dashboard v3.5.0), written down by hand.
DASHBOARD_SPEC = {
    "kubeRBACProxy": {},
    "grpc": {},
    "rest": {},
    "mysql": {
        "host": "mysql.data.svc.cluster.local",
        "port": 3306,
        "database": "models",
        "username": "registry",
        "skipDBCreation": False,
        "passwordSecret": {"name": "the-secret", "key": "database-password"},
    },
}


def test_the_custom_resource_is_the_dashboards():
    made = manifests.custom_resource(wanted(), "the-secret", "v1beta1", "kubeRBACProxy")
    assert made == {
        "apiVersion": "modelregistry.opendatahub.io/v1beta1",
        "kind": "ModelRegistry",
        "metadata": {
            "name": "fraud",
            "namespace": NAMESPACE,
            "annotations": {"openshift.io/description": "Models", "openshift.io/display-name": "Fraud"},
        },
        "spec": DASHBOARD_SPEC,
    }


def test_what_is_left_out_gets_the_defaults_of_the_dialogue():
    given = options()
    given["description"] = given["display_name"] = given["database"]["name"] = None
    registry = wanted(**given | {"database__name": None})
    made = manifests.custom_resource(registry, "the-secret", "v1alpha1", "oauthProxy")
    assert made["metadata"]["annotations"] == {"openshift.io/description": "", "openshift.io/display-name": "fraud"}
    assert made["spec"]["mysql"]["database"] == "model-registry"
    assert "oauthProxy" in made["spec"] and "kubeRBACProxy" not in made["spec"]


@pytest.mark.parametrize(("verify", "written"), [(None, True), (True, True), (False, False)])
def test_a_ca_is_used_to_verify_unless_it_is_switched_off(verify, written):
    made = manifests.custom_resource(wanted(database__ca="cluster", database__verify_server_cert=verify), "s", "v1beta1", "kubeRBACProxy")
    assert made["spec"]["mysql"]["sslRootCertificateConfigMap"] == {"name": "odh-trusted-ca-bundle", "key": "ca-bundle.crt"}
    assert made["spec"]["mysql"]["verifyServerCert"] is written


def test_the_secret_is_the_dashboards_but_for_its_derived_name():
    made = manifests.password_secret(wanted(), manifests.secret_name(NAMESPACE, "fraud"))
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
    assert made["type"] == "Opaque"
    decoded = {key: base64.b64decode(value).decode() for key, value in made["data"].items()}
    assert decoded == {"database-name": "models", "database-user": "registry", "database-password": "secret-word"}


def test_the_secrets_name_depends_on_namespace_and_registry_and_nothing_else():
    name = manifests.secret_name("a", "fraud")
    assert name == manifests.secret_name("a", "fraud")
    assert len(name) == len("fraud-db-") + 5
    assert len({name, manifests.secret_name("b", "fraud"), manifests.secret_name("a", "fraud2")}) == 3


def test_a_registry_equal_to_the_wanted_one_has_no_changes():
    registry = wanted(database__ca="cluster")
    assert manifests.wanted_fields(registry, stored(registry)) == []


def test_a_live_registry_in_the_shape_of_the_options_is_the_registry():
    registry = wanted(database__ca="cluster")
    shape = manifests.registry_result(stored(registry))
    assert "password" not in shape["database"]
    assert shape["database"].pop("password_secret")["key"] == "database-password"
    assert shape == {
        "name": "fraud",
        "namespace": NAMESPACE,
        "display_name": "Fraud",
        "description": "Models",
        "database": {
            "type": "mysql",
            "host": "mysql.data.svc.cluster.local",
            "port": 3306,
            "name": "models",
            "username": "registry",
            "ca": "cluster",
            "verify_server_cert": True,
        },
    }


@pytest.mark.parametrize(
    ("changed", "path", "value"),
    [
        ({"display_name": "Other"}, ("metadata", "annotations", "openshift.io/display-name"), "Other"),
        ({"description": ""}, ("metadata", "annotations", "openshift.io/description"), ""),
        ({"database__port": 3307}, ("spec", "mysql", "port"), 3307),
        ({"database__username": "other"}, ("spec", "mysql", "username"), "other"),
        ({"database__verify_server_cert": False}, manifests.VERIFY_SERVER_CERT, False),
    ],
)
def test_only_the_changed_field_is_written(changed, path, value):
    live = stored(wanted(database__ca="cluster"))
    found = manifests.wanted_fields(wanted(**{"database__ca": "cluster"} | changed), live)
    assert [(field, wanted_value) for _option, field, wanted_value in found] == [(path, value)]


def test_another_ca_replaces_a_secret_and_switches_verification_on():
    live = stored(wanted(), sslRootCertificateSecret={"name": "old", "key": "ca"})
    found = {path: value for _option, path, value in manifests.wanted_fields(wanted(database__ca="cluster"), live)}
    assert found == {
        manifests.CA_CONFIG_MAP: {"name": "odh-trusted-ca-bundle", "key": "ca-bundle.crt"},
        manifests.CA_SECRET: None,
        manifests.VERIFY_SERVER_CERT: True,
    }


def test_a_ca_that_stays_leaves_the_live_verification():
    live = stored(wanted(database__ca="cluster"), verifyServerCert=False)
    assert manifests.wanted_fields(wanted(database__ca="cluster"), live) == []


def test_no_ca_takes_it_away_with_the_verification():
    live = stored(wanted(database__ca="cluster"))
    found = {path: value for _option, path, value in manifests.wanted_fields(wanted(database__ca="none"), live)}
    assert found == {manifests.CA_CONFIG_MAP: None, manifests.VERIFY_SERVER_CERT: None}


def test_merge_patches_of_several_fields_become_one():
    one, other = manifests.nested(("spec", "mysql", "port"), 1), manifests.nested(("spec", "mysql", "host"), "h")
    assert manifests.merged(one, other) == {"spec": {"mysql": {"port": 1, "host": "h"}}}


def test_another_spelling_of_the_live_host_is_no_change():
    live = stored(wanted())
    assert manifests.wanted_fields(wanted(database__host="MySQL.data.svc", database__namespace=None), live) == []


def test_no_description_where_there_is_none_is_no_change():
    live = stored(wanted())
    del live["metadata"]["annotations"]["openshift.io/description"]
    assert manifests.wanted_fields(wanted(description=""), live) == []
