"""What goes with a registry, and what stays."""

from __future__ import annotations

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.custom_resource import named_keys, named_objects, used_by_others, users_of
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.desired_state import Consent, Registry
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.ownership import auth_delegator, is_upload
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.deletion_plan import Remains, plan_deletion, why_not_deleted

from .builders import NAMESPACE, OLD, TODAY, config_map, foreign_secret, named, secret, secret_name, steps, stored, wanted

OURS = secret_name(wanted())
# What was made for a registry that is no more.
LEFT, UPLOAD_LEFT = secret_name(wanted(name="gone")), "gone-db-credential"
UPLOAD = {"source": "config_map", "name": "fraud-db-credential", "key": "ca.crt"}


def deleted(consent=False, **remains):
    return plan_deletion(Registry("fraud", NAMESPACE), Remains(**{"capabilities": TODAY} | remains), Consent(delete_data=consent))


def other(kind="mysql", **changed):
    """Another registry of the namespace."""
    return stored(wanted(kind, name="other", **changed))


def binding(role="system:auth-delegator", subjects=None):
    """The ClusterRoleBinding that the operator makes, and leaves behind."""
    subjects = [{"kind": "ServiceAccount", "namespace": NAMESPACE, "name": "fraud"}] if subjects is None else subjects
    labels = {
        "component": "model-registry",
        "app.kubernetes.io/name": "fraud",
        "app.kubernetes.io/created-by": "model-registry-operator",
        "app.kubernetes.io/managed-by": "model-registry-operator",
        "modelregistry.opendatahub.io/namespace": NAMESPACE,
    }
    return {"metadata": {"name": "fraud-auth-delegator", "uid": "b", "labels": labels}, "roleRef": {"kind": "ClusterRole", "name": role}, "subjects": subjects}


def upload(name="fraud-db-credential", **changed):
    """A CA that the dashboard was given."""
    made = config_map(name)
    made["metadata"] |= changed
    return made


# The registry and its database


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_everything_that_was_made_for_the_registry_goes_after_it(kind):
    registry = stored(wanted(kind, database__ca=UPLOAD))
    made = deleted(registry=registry, secrets=(secret(wanted(kind)),), config_maps=(upload(), upload("fraud-db-credential-2")), cluster_role_binding=binding())
    assert steps(made) == [("delete", kind) for kind in ("ModelRegistry", "Secret", "ConfigMap", "ConfigMap", "ClusterRoleBinding")]
    assert [(change.verb, change.api, change.namespace, change.name) for change in made.changes] == [
        ("DELETE", TODAY.api, NAMESPACE, "fraud"),
        ("DELETE", ("v1", "secrets"), NAMESPACE, OURS),
        ("DELETE", ("v1", "configmaps"), NAMESPACE, "fraud-db-credential"),
        ("DELETE", ("v1", "configmaps"), NAMESPACE, "fraud-db-credential-2"),
        ("DELETE", ("rbac.authorization.k8s.io/v1", "clusterrolebindings"), "", "fraud-auth-delegator"),
    ]


def test_only_the_very_object_that_was_looked_at_is_deleted():
    registry = stored(wanted())
    registry["metadata"]["resourceVersion"] = "7"
    [change] = deleted(registry=registry).changes
    assert change.body == {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"resourceVersion": "7", "uid": "1"}}
    assert change.before == {"ModelRegistry fraud": "present"} and change.after == {}


def test_a_registry_is_deleted_by_the_api_that_the_cluster_serves():
    assert deleted(registry=stored(wanted()), capabilities=OLD).changes[0].api == OLD.api


@pytest.mark.parametrize(("kind", "name"), [("mysql", "models on mysql.data.svc:3306"), ("postgresql", "models on pg.data.svc:5432")])
def test_an_external_database_is_kept_and_named(kind, name):
    [kept] = deleted(registry=stored(wanted(kind))).kept
    assert (kept["kind"], kept["name"]) == (kind, name)
    assert "never deleted" in kept["reason"]


@pytest.mark.parametrize(
    "remains",
    [
        {"registry": stored(wanted("generated"))},
        {"registry": stored(wanted("generated")), "has_generated_database": True},
        # The registry was moved away from it, and is its owner still.
        {"registry": stored(wanted()), "has_generated_database": True},
    ],
)
def test_a_generated_database_is_deleted_only_when_its_data_may_go(remains):
    refused = deleted(**remains, secrets=(secret(wanted()),), cluster_role_binding=binding())
    assert refused.changes == () and named(refused.problems) == ["delete_data"]
    assert "'fraud'" in refused.problems[0].problem and refused.problems[0].value is False
    allowed = deleted(consent=True, **remains)
    assert steps(allowed) == [("delete", "ModelRegistry")]


def test_a_registry_that_is_going_already_needs_no_consent_for_its_database():
    registry = stored(wanted("generated"))
    registry["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    made = deleted(registry=registry, secrets=(secret(wanted()),))
    assert made.problems == () and steps(made) == [("delete", "ModelRegistry"), ("delete", "Secret")]
    # It is not deleted again, but waited for before what its server reads is deleted.
    assert [change.begun for change in made.changes] == [True, False]


def test_what_is_left_of_a_generated_database_needs_no_consent_of_its_own():
    assert deleted(has_generated_database=True).problems == ()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"database": None}, " on pg.data.svc:5432"),
        ({"port": None}, "models on pg.data.svc:"),
        ({"host": None, "hostAddress": "10.0.0.1"}, "models on 10.0.0.1:5432"),
        ({"hostAddress": "10.0.0.1"}, "models on pg.data.svc:5432"),
    ],
)
def test_a_database_that_is_described_by_hand_is_kept_and_named_too(given, name):
    [kept] = deleted(registry=stored(wanted("postgresql"), **given)).kept
    assert (kept["kind"], kept["name"]) == ("postgresql", name)


def test_a_registry_without_a_database_keeps_none():
    nowhere = stored(wanted())
    del nowhere["spec"]["mysql"]
    for registry in (nowhere, stored(wanted(), host=None)):
        assert deleted(registry=registry).kept == ()


def test_nothing_that_is_there_is_no_change():
    made = deleted()
    assert (made.changes, made.problems, made.warnings, made.kept) == ((), (), (), ())
    assert not made.incomplete and not made.restart_needed


def test_what_a_deletion_that_was_killed_has_left_goes_later():
    made = deleted(secrets=(secret(wanted()),), config_maps=(upload(),), cluster_role_binding=binding())
    assert steps(made) == [("delete", "Secret"), ("delete", "ConfigMap"), ("delete", "ClusterRoleBinding")]


# Secrets


@pytest.mark.parametrize(
    "theirs",
    [
        secret(wanted(), annotations={}),
        secret(wanted(), annotations={"template.openshift.io/expose-password": "x"}),
        secret(wanted(), generateName="fraud-2-db-"),
        secret(wanted(), ownerReferences=[{"kind": "ExternalSecret", "name": "x"}]),
    ],
)
def test_a_secret_of_somebody_else_is_kept_and_said_so(theirs):
    made = deleted(registry=stored(wanted()), secrets=(theirs,))
    assert steps(made) == [("delete", "ModelRegistry")]
    [_database, kept] = made.kept
    assert (kept["kind"], kept["name"]) == ("Secret", OURS) and "it is " in kept["reason"]


def test_a_referenced_secret_is_kept_and_said_so():
    registry = stored(wanted(database__password=None, database__password_secret={"name": "vault", "key": "password"}))
    made = deleted(registry=registry, secrets=(secret(wanted()), foreign_secret()))
    assert [change.name for change in made.changes] == ["fraud", OURS]
    assert [entry["name"] for entry in made.kept if entry["kind"] == "Secret"] == ["vault"]


def test_a_secret_of_somebody_else_that_the_registry_does_not_use_is_not_worth_a_word():
    made = deleted(registry=stored(wanted()), secrets=(secret(wanted()), foreign_secret("fraud-db-vault")))
    assert [entry["kind"] for entry in made.kept] == ["mysql"]
    assert deleted(secrets=(foreign_secret("fraud-db-vault"),)) == deleted()


@pytest.mark.parametrize(
    "user",
    [
        other(database__password=None, database__password_secret={"name": OURS, "key": "database-password"}),
        other("postgresql", database__password=None, database__password_secret={"name": OURS, "key": "database-password"}),
        other(database__ca={"source": "secret", "name": OURS, "key": "ca"}),
        other(database__client_certificate={"source": "secret", "name": OURS}),
        stored(wanted(name="other"), sslKeySecret={"name": OURS, "key": "k"}),
    ],
)
def test_a_secret_that_another_registry_uses_is_kept(user):
    made = deleted(registry=stored(wanted()), secrets=(secret(wanted()),), others=(user,))
    assert steps(made) == [("delete", "ModelRegistry")]
    assert made.kept[-1] == {"kind": "Secret", "name": OURS, "reason": "it is part of a model registry (registry 'other' also uses it)"}


def test_a_secret_that_another_registry_does_not_use_goes():
    assert ("delete", "Secret") in steps(deleted(registry=stored(wanted()), secrets=(secret(wanted()),), others=(other(), other("generated"))))


def left_for_fraud(used=True, others=()):
    """The deletion of a registry that reads what was made for another one, or with `used` false does not."""
    login = {"database__password": None, "database__password_secret": {"name": LEFT, "key": "database-password"}}
    login["database__ca"] = UPLOAD | {"name": UPLOAD_LEFT}
    registry = stored(wanted(**(login if used else {})))
    return deleted(registry=registry, secrets=(secret(wanted(name="gone")),), config_maps=(upload(UPLOAD_LEFT),), others=others)


def test_what_a_registry_left_that_is_no_more_goes_with_the_last_one_that_uses_it():
    assert steps(left_for_fraud()) == [("delete", "ModelRegistry"), ("delete", "Secret"), ("delete", "ConfigMap")]
    assert steps(left_for_fraud(others=(other(),))) == steps(left_for_fraud())
    assert steps(left_for_fraud(used=False)) == [("delete", "ModelRegistry")]


@pytest.mark.parametrize("used", [True, False])
def test_what_a_registry_left_that_is_no_more_goes_although_the_last_one_that_used_it_is_gone_by_now(used):
    login = {"database__password": None, "database__password_secret": {"name": LEFT, "key": "database-password"}}
    made = deleted(last=stored(wanted(**(login if used else {}))), secrets=(secret(wanted(name="gone")),))
    assert steps(made) == [("delete", "Secret")] * used
    assert made.kept == ()


def test_what_a_registry_left_goes_although_one_that_is_going_uses_it():
    user = other(database__password=None, database__password_secret={"name": LEFT, "key": "database-password"})
    user["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert ("delete", "Secret") in steps(left_for_fraud(others=(user,)))
    del user["metadata"]["deletionTimestamp"]
    assert ("delete", "Secret") not in steps(left_for_fraud(others=(user,)))


def test_what_is_named_after_another_registry_stays_while_that_one_exists():
    assert steps(left_for_fraud(others=(stored(wanted(name="gone", database__password="other-word")),))) == [("delete", "ModelRegistry")]
    # One that moved to another Secret may return to its own.
    elsewhere = stored(wanted(name="gone", database__password=None, database__password_secret={"name": "vault", "key": "password"}))
    assert steps(left_for_fraud(others=(elsewhere,))) == [("delete", "ModelRegistry")]


def test_what_another_tool_keeps_stays_after_the_last_registry_that_uses_it():
    argo = {"annotations": {"argocd.argoproj.io/tracking-id": "x"}}
    registry = stored(wanted(database__ca=UPLOAD | {"name": UPLOAD_LEFT}))
    assert steps(deleted(registry=registry, config_maps=(upload(UPLOAD_LEFT, **argo),))) == [("delete", "ModelRegistry")]


def test_the_objects_in_use_are_those_of_every_reference():
    one = other(database__ca={"source": "secret", "name": "ca", "key": "k"}, database__client_certificate={"source": "secret", "name": "client"})
    two = stored(wanted("postgresql", name="two", database__ca={"source": "config_map", "name": "ca", "key": "k"}))
    password = ("Secret", secret_name(wanted(name="other")))
    assert users_of([one, two, other("generated")]) == {
        password: ["other"],
        ("Secret", "ca"): ["other"],
        ("Secret", "client"): ["other"],
        ("Secret", secret_name(wanted(name="two"))): ["two"],
        ("ConfigMap", "ca"): ["two"],
    }
    assert users_of([]) == {}


def test_a_secret_is_in_use_by_others_when_another_registry_refers_to_it():
    secrets = [{"metadata": {"name": name}} for name in "abcd"]
    users = {("Secret", "a"): ["fraud"], ("Secret", "b"): ["fraud", "other"], ("ConfigMap", "c"): ["other"], ("Secret", "e"): ["other"]}
    assert used_by_others(secrets, users, "fraud") == {"b"}
    assert used_by_others(secrets, users, "other") == {"a", "b"}


def test_a_whole_object_is_a_reference_too():
    registry = other()
    registry["spec"]["mysql"]["sslRootCertificatesConfigMapName"] = "whole"
    assert ("ConfigMap", "whole") in named_objects(registry)


def test_what_names_no_object_is_no_reference():
    section = {"xSecret": {"key": "k"}, "ySecret": "text", "sslRootCertificatesSecretName": "", "port": 1}
    assert named_objects({"spec": {"mysql": section, "rest": None, "name": "a"}}) == named_objects({}) == set()
    assert list(named_keys({"spec": {"mysql": {"xSecret": {"name": "a"}, "yConfigMap": {"name": "b", "key": "k"}}}})) == [
        ("xSecret", "Secret", "a", ""),
        ("yConfigMap", "ConfigMap", "b", "k"),
    ]


# Uploaded CAs


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("fraud-db-credential", True),
        ("fraud-db-credential-2", True),
        ("fraud-db-credential-9", True),
        ("fraud-db-credential-10", True),
        ("fraud-db-credential-123", True),
        ("fraud-db-credential-1", False),
        ("fraud-db-credential-0", False),
        ("fraud-db-credential-02", False),
        ("fraud-db-credential-x", False),
        ("fraud-db-credential-2-x", False),
        ("fraud-db-credentials", False),
        ("fraud-2-db-credential", False),
        ("xfraud-db-credential", False),
        ("db-credential", True),
        ("db-credential-2", True),
        ("db-credential-1", False),
        ("-db-credential", False),
    ],
)
def test_an_upload_is_known_by_the_dashboards_names(name, is_one):
    assert is_upload(name, "fraud") is is_one


def test_a_dot_in_a_name_stands_for_itself():
    assert is_upload("a.b-db-credential", "a.b") and not is_upload("aXb-db-credential", "a.b")


def test_an_upload_that_other_registries_do_not_use_goes():
    assert steps(deleted(config_maps=(upload(),), others=(other(database__ca={"source": "cluster"}), other("generated")))) == [("delete", "ConfigMap")]


@pytest.mark.parametrize(
    "theirs",
    [
        upload(labels={"app": "x"}),
        upload(ownerReferences=[{"kind": "Bundle", "name": "x"}]),
        {**upload(), "data": {"ca.crt": "a", "more": "b"}},
        {**upload(), "data": {"other": "a"}},
        {**upload(), "data": None},
    ],
)
def test_a_config_map_of_somebody_else_is_kept_and_said_so(theirs):
    made = deleted(config_maps=(theirs,))
    assert made.changes == ()
    [kept] = made.kept
    assert (kept["kind"], kept["name"]) == ("ConfigMap", "fraud-db-credential") and "it is " in kept["reason"]


@pytest.mark.parametrize(
    ("theirs", "reason"),
    [
        ({"annotations": {"argocd.argoproj.io/tracking-id": "x"}}, "managed by another tool (annotation argocd.argoproj.io/tracking-id of Argo CD)"),
        ({"managedFields": [{"manager": "kubectl-create"}]}, "not known to be created by the dashboard or this collection (field manager 'kubectl-create')"),
    ],
)
@pytest.mark.parametrize("name", ["fraud-db-credential", "db-credential"])
def test_why_an_upload_is_kept_is_told_by_its_evidence(name, theirs, reason):
    made = deleted(registry=stored(wanted()), config_maps=(upload(name, **theirs),))
    assert ("delete", "ConfigMap") not in steps(made)
    assert made.kept[-1] == {"kind": "ConfigMap", "name": name, "reason": f"it is {reason}"}


def test_an_upload_without_the_registrys_name_goes_too():
    made = deleted(registry=stored(wanted()), config_maps=(upload("db-credential"),))
    assert [change.name for change in made.changes] == ["fraud", "db-credential"]
    shared = deleted(registry=stored(wanted()), config_maps=(upload("db-credential"),), others=(other(database__ca=UPLOAD | {"name": "db-credential"}),))
    assert [change.name for change in shared.changes] == ["fraud"] and "'other' also uses it" in shared.kept[-1]["reason"]


def test_the_model_catalogs_binding_stays_beside_a_registry_of_that_name():
    catalog = binding(subjects=[{"kind": "ServiceAccount", "namespace": NAMESPACE, "name": "model-catalog"}])
    for component in ("model-catalog", "model-registry"):
        labels = catalog["metadata"]["labels"] | {"component": component, "app.kubernetes.io/name": "model-catalog"}
        theirs = catalog | {"metadata": {"name": "model-catalog-auth-delegator", "uid": "c", "labels": labels}}
        made = plan_deletion(Registry("model-catalog", NAMESPACE), Remains(TODAY, stored(wanted(name="model-catalog")), cluster_role_binding=theirs), Consent())
        assert steps(made) == [("delete", "ModelRegistry")]


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_an_upload_that_another_registry_uses_is_kept(kind):
    made = deleted(config_maps=(upload(),), others=(stored(wanted("generated", name="third")), other(kind, database__ca=UPLOAD)))
    assert made.changes == ()
    assert made.kept == ({"kind": "ConfigMap", "name": "fraud-db-credential", "reason": "it is part of a model registry (registry 'other' also uses it)"},)


def test_an_upload_that_another_registry_uses_as_a_whole_is_kept():
    user = stored(wanted(name="other"), sslRootCertificatesConfigMapName="fraud-db-credential")
    assert deleted(config_maps=(upload(),), others=(user,)).changes == ()


# What else there is


@pytest.mark.parametrize(
    "theirs",
    [
        binding(role="cluster-admin"),
        binding(subjects=[]),
        binding(subjects=[{"kind": "ServiceAccount", "namespace": "elsewhere", "name": "fraud"}]),
        binding(subjects=[{"kind": "ServiceAccount", "namespace": NAMESPACE, "name": "other"}]),
        binding(subjects=[{"kind": "User", "namespace": NAMESPACE, "name": "fraud"}]),
        binding(subjects=[*binding()["subjects"], {"kind": "User", "name": "alice"}]),
        {"metadata": {"name": "fraud-auth-delegator"}, "roleRef": {"name": "system:auth-delegator"}},
    ],
)
def test_a_cluster_role_binding_of_somebody_else_stays(theirs):
    assert deleted(cluster_role_binding=theirs).changes == ()


def test_the_grants_that_no_owner_takes_along_go_before_what_shows_that_there_was_a_registry():
    grant = {"metadata": {"name": "grant", "namespace": NAMESPACE, "uid": "g"}}
    made = deleted(registry=stored(wanted()), role_bindings=(grant,), cluster_role_binding=binding())
    assert steps(made) == [("delete", "ModelRegistry"), ("delete", "RoleBinding"), ("delete", "ClusterRoleBinding")]
    assert (made.changes[1].name, made.changes[1].api) == ("grant", ("rbac.authorization.k8s.io/v1", "rolebindings"))


def test_the_binding_that_the_operator_leaves_has_the_name_of_the_registry():
    assert auth_delegator("fraud") == "fraud-auth-delegator"


def test_a_tool_that_may_make_the_registry_again_is_a_warning():
    registry = stored(wanted())
    registry["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] = "x"
    [warning] = deleted(registry=registry).warnings
    assert "'fraud'" in warning and "argocd.argoproj.io/tracking-id" in warning


def test_inference_services_that_refer_to_the_registry_are_a_warning():
    users = tuple({"metadata": {"namespace": namespace, "name": "model"}} for namespace in ("b", "a"))
    made = deleted(registry=stored(wanted()), inference_services=users, unseen=("no look",))
    assert made.warnings[0] == "no look"
    assert "'fraud'" in made.warnings[1] and made.warnings[1].endswith("a/model, b/model")
    assert made.problems == ()


# A deletion that hangs

FINALIZER = "modelregistry.opendatahub.io/finalizer"


@pytest.mark.parametrize(
    ("finalizers", "condition", "serves_http_routes", "said"),
    [
        ([FINALIZER], None, True, "operator is running"),
        ([FINALIZER], None, False, "operator is running"),
        ([FINALIZER], ("Available", "DeploymentAvailable"), False, "operator is running"),
        ([FINALIZER], ("Degraded", "Other"), False, "operator is running"),
        ([FINALIZER], ("Other", "Finalizing"), False, "operator is running"),
        ([FINALIZER], ("Degraded", "Finalizing"), False, "requires the API HTTPRoute"),
        ([FINALIZER], ("Degraded", "Finalizing"), True, "log of the model registry operator"),
        ([FINALIZER, "example.com/hold"], ("Degraded", "Finalizing"), False, "finalizer example.com/hold "),
        (["example.com/a", "example.com/b"], None, True, "example.com/a, example.com/b"),
        (None, None, True, "operator is running"),
    ],
)
def test_a_deletion_that_hangs_is_explained(finalizers, condition, serves_http_routes, said):
    registry = stored(wanted())
    registry["metadata"]["finalizers"] = finalizers
    if condition:
        registry["status"] = {"conditions": [{"type": condition[0], "status": "Unknown", "reason": condition[1]}]}
    assert said in why_not_deleted(registry, serves_http_routes)


@pytest.mark.parametrize("labels", [None, {"openshift.io/ldap.host": "ldap"}])
def test_a_registry_with_whose_group_the_operator_would_delete_that_of_somebody_else_is_not_deleted(labels):
    group = {"metadata": {"name": "fraud-users", "labels": labels}, "users": ["carol"]}
    [problem] = deleted(registry=stored(wanted()), group=group).problems
    assert problem.option == "name" and "the operator would also delete Group 'fraud-users'" in problem.problem
    own = {"metadata": {"name": "fraud-users", "labels": {"app.kubernetes.io/managed-by": "model-registry-operator", "component": "model-registry"}}}
    own["metadata"]["labels"]["app.kubernetes.io/name"] = "fraud"
    # What somebody has deleted already takes the group along whatever is done.
    going = stored(wanted())
    going["metadata"]["deletionTimestamp"] = "2026-05-01T12:00:00Z"
    assert all(made.problems == () for made in (deleted(registry=stored(wanted()), group=own), deleted(registry=going, group=group), deleted(group=group)))
