"""Whose an object is, by evidence."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.marks import (
    DASHBOARD,
    OURS,
    PLATFORM,
    REGISTRY,
    TOOL,
    UNKNOWN,
    owner_of_token,
    tool_of,
)
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.ownership import (
    gave_database,
    is_of_registry,
    is_owned_by,
    is_password_secret,
    keeper_of,
    left_by,
    name_conflict,
    neighbors,
    owner_of,
    registry_of,
    tool_warnings,
)

from .builders import NAMESPACE, TODAY, Live, config_map, foreign_secret, planned, secret, stored, wanted
from .grants import ALICE, DASHBOARD_OWNER, OPERATOR_LABELS, binding, dashboards, operators

UPLOAD = "fraud-db-credential"
OWN, CLICKED, KUBECTL = (
    {"manager": manager, "operation": "Update", "time": "2026-05-01T10:00:00Z", "fieldsV1": {"f:data": {"f:x": {}}}}
    for manager in ("modelops.openshift_ai", "unknown", "kubectl-edit")
)
# What each tool leaves on the objects that it keeps.
MARKS: dict[str, dict[str, Any]] = {
    "Argo CD, by annotation": {"annotations": {"argocd.argoproj.io/tracking-id": "app:/Secret:registries/x"}},
    "Argo CD, by label": {"labels": {"argocd.argoproj.io/instance": "app"}},
    "Argo CD, by its default label": {"labels": {"app.kubernetes.io/instance": "app"}},
    "Flux": {"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}},
    "Flux, Helm": {"labels": {"helm.toolkit.fluxcd.io/name": "apps"}},
    "Helm": {"labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations": {"meta.helm.sh/release-name": "db"}},
    "Helm, by annotation": {"annotations": {"meta.helm.sh/release-name": "db"}},
    "External Secrets": {"ownerReferences": [{"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": "db", "uid": "e"}]},
    "External Secrets without an owner": {"annotations": {"reconcile.external-secrets.io/data-hash": "8d7f"}},
    "cert-manager": {"annotations": {"cert-manager.io/certificate-name": "db"}},
    "trust-manager": {"labels": {"trust.cert-manager.io/bundle": "company"}},
    "OLM": {"labels": {"olm.managed": "true"}},
    "OLM, by owner": {"ownerReferences": [{"apiVersion": "operators.coreos.com/v1alpha1", "kind": "ClusterServiceVersion", "name": "op.v1", "uid": "o"}]},
    "OLM, by label": {"labels": {"operators.coreos.com/op.ns": ""}},
    "Reloader": {"annotations": {"reloader.stakater.com/match": "true"}},
    "Sealed Secrets": {"ownerReferences": [{"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "name": "db", "uid": "s"}]},
}
MANAGERS = (
    "argocd-controller",
    "kustomize-controller",
    "helm",
    "externalsecrets.external-secrets.io/db",
    "cert-manager-certificates-issuing",
    "olm",
    "manager",
)


def marked(manifest: dict[str, Any], marks: dict[str, Any]) -> dict[str, Any]:
    """The object with what a tool adds to it."""
    metadata = manifest["metadata"]
    added = {
        key: {**metadata.get(key, {}), **value} if isinstance(value, dict) else value if isinstance(value, str) else [*metadata.get(key, []), *value]
        for key, value in marks.items()
    }
    return manifest | {"metadata": metadata | added}


def of_operator(kind: str = "ClusterRoleBinding", **labels: str) -> dict[str, Any]:
    """What the operator leaves of a registry, as it was seen."""
    every = OPERATOR_LABELS | {"app.kubernetes.io/instance": "fraud-auth-delegator", "modelregistry.opendatahub.io/namespace": NAMESPACE} | labels
    name = labels.get("app.kubernetes.io/name", "fraud")
    return {
        "metadata": {"name": f"{name}-auth-delegator", "labels": every},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:auth-delegator"},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}],
    }


CATALOG = of_operator(
    **{
        "app": "model-catalog",
        "component": "model-catalog",
        "app.kubernetes.io/name": "model-catalog",
        "app.kubernetes.io/component": "model-catalog",
        "app.kubernetes.io/part-of": "model-catalog",
    }
)
GROUP = {"metadata": {"name": "fraud-users", "labels": OPERATOR_LABELS}, "users": None}
# An object of each kind that the collection may change or delete.
ITS_OWN = {
    "Secret": secret(wanted()),
    "ConfigMap": config_map(UPLOAD),
    "RoleBinding": dashboards(ALICE),
    "ClusterRoleBinding": of_operator(),
    "Group": GROUP,
}


@pytest.mark.parametrize(("kind", "whose"), [("Secret", DASHBOARD), ("ConfigMap", DASHBOARD), ("RoleBinding", DASHBOARD), ("Group", REGISTRY)])
def test_what_the_product_made_for_a_registry_is_recognised(kind, whose):
    assert owner_of(kind, ITS_OWN[kind], "fraud").whose == whose


@pytest.mark.parametrize(
    ("tool", "kind"),
    # The operator's own label of this name stands on everything that it makes.
    [(tool, kind) for tool in MARKS for kind in ITS_OWN if tool != "Argo CD, by its default label" or kind not in ("ClusterRoleBinding", "Group")],
)
def test_what_another_tool_keeps_is_never_ours(tool, kind):
    owner = owner_of(kind, marked(ITS_OWN[kind], MARKS[tool]), "fraud")
    assert owner.whose == TOOL and owner.is_others and not owner.is_ours
    assert str(owner).startswith("managed by another tool (")


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap", "RoleBinding"])
@pytest.mark.parametrize("manager", MANAGERS)
def test_what_a_controller_writes_is_never_ours(kind, manager):
    owner = owner_of(kind, marked(ITS_OWN[kind], {"managedFields": [{**OWN, "manager": manager}]}), "fraud")
    assert owner.whose == TOOL and manager in owner.evidence


def test_a_controller_that_only_annotates_keeps_no_data():
    theirs = marked(foreign_secret(), {"managedFields": [{"manager": "backup-controller", "fieldsV1": {"f:metadata": {}}}]})
    assert owner_of("Secret", theirs).whose == UNKNOWN


@pytest.mark.parametrize("name", ["odh-trusted-ca-bundle", "openshift-service-ca.crt", "kube-root-ca.crt"])
def test_the_bundles_of_the_platform_are_the_platforms(name):
    assert owner_of("ConfigMap", config_map(name)).whose == PLATFORM
    assert owner_of("Secret", foreign_secret(name)).whose == UNKNOWN


@pytest.mark.parametrize(
    "marks",
    [
        {"labels": {"config.openshift.io/inject-trusted-cabundle": "true"}},
        {"annotations": {"service.beta.openshift.io/inject-cabundle": "true"}},
        {
            "ownerReferences": [
                {"apiVersion": "components.platform.opendatahub.io/v1alpha1", "kind": "ModelRegistry", "name": "default-modelregistry", "uid": "p"}
            ]
        },
        {"labels": {"app.kubernetes.io/created-by": "model-registry-operator", "component": "model-catalog"}},
    ],
)
def test_what_the_platform_keeps_is_never_ours(marks):
    for kind in ("Secret", "ConfigMap"):
        assert owner_of(kind, marked(ITS_OWN[kind], marks), "fraud").whose == PLATFORM


def test_what_belongs_to_a_registry_is_not_ours_to_write():
    generated = foreign_secret("fraud-postgres-credentials")
    assert owner_of("Secret", marked(generated, {"ownerReferences": [DASHBOARD_OWNER]}), "fraud").whose == REGISTRY
    proxy = marked(config_map("fraud-kube-rbac-proxy-config"), {"labels": OPERATOR_LABELS, "ownerReferences": [DASHBOARD_OWNER]})
    assert owner_of("ConfigMap", proxy).whose == REGISTRY


# The dashboard's Secret and ConfigMap carry neither labels nor owners


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
def test_what_carries_no_label_is_known_by_all_of_its_evidence(kind):
    own = ITS_OWN[kind]
    assert owner_of(kind, own, "fraud").is_ours
    missing = [
        own | {"metadata": own["metadata"] | {"name": "other"}},
        own | {"metadata": own["metadata"] | {"managedFields": []}},
        own | {"metadata": own["metadata"] | {"annotations": {"note": "x"}}},
        marked(own, {"labels": {"team": "fraud"}}),
        marked(own, {"managedFields": [KUBECTL]}),
        marked(own, {"managedFields": [{"operation": "Update", "fieldsV1": {"f:data": {}}}]}),
        own | {"data": {**own["data"], "more": "eA=="}},
        own | {"data": {}},
        {key: value for key, value in own.items() if key != "data"},
    ]
    for theirs in missing:
        assert owner_of(kind, theirs, "fraud").whose == UNKNOWN
    assert owner_of(kind, own, "other").whose == UNKNOWN and owner_of(kind, own).whose == UNKNOWN


def test_the_evidence_that_is_missing_is_named():
    edited = marked(secret(wanted()), {"managedFields": [KUBECTL]})
    assert str(owner_of("Secret", edited, "fraud")) == "not known to be created by the dashboard or this collection (field manager 'kubectl-edit')"
    vault = foreign_secret()
    assert owner_of("Secret", vault, "fraud").evidence == "its name or generateName, its annotations, its keys"
    # Without a registry, and of other kinds, there is none to miss.
    for unknown in (owner_of("Secret", secret(wanted())), owner_of("Group", {"metadata": {"name": "fraud-users"}}, "fraud")):
        assert unknown.evidence == "nothing shows who created it"


@pytest.mark.parametrize("annotations", [{}, {"template.openshift.io/expose-password": "x"}])
def test_a_password_without_the_dashboards_annotations_is_unknown(annotations):
    assert owner_of("Secret", secret(wanted(), annotations=annotations), "fraud").whose == UNKNOWN


def test_a_password_of_another_registry_with_such_a_name_is_unknown():
    assert owner_of("Secret", secret(wanted(), generateName="fraud-db-fraud-db-"), "fraud").whose == UNKNOWN


def test_who_wrote_all_of_it_tells_the_dashboards_from_ours():
    ours = secret(wanted(), managedFields=[OWN])
    assert (owner_of("Secret", ours, "fraud").whose, owner_of("Secret", secret(wanted()), "fraud").whose) == (OURS, DASHBOARD)


def test_an_annotation_of_ours_is_no_strangers():
    assert owner_of("ConfigMap", marked(config_map(UPLOAD), {"annotations": {"openshift-ai.modelops/adopted": "1"}}), "fraud").is_ours


def test_the_labels_of_the_dashboards_plug_in_pages_are_tolerated():
    labels = {"modelregistry.opendatahub.io/managed": "true", "modelregistry.opendatahub.io/name": "fraud"}
    assert owner_of("Secret", marked(secret(wanted()), {"labels": labels}), "fraud").is_ours


@pytest.mark.parametrize("name", [UPLOAD, f"{UPLOAD}-2", "db-credential", "db-credential-3"])
def test_an_upload_has_the_name_that_the_dashboard_gave_it(name):
    assert owner_of("ConfigMap", config_map(name), "fraud").is_ours


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
def test_what_another_registry_reads_is_not_deleted(kind):
    assert owner_of(kind, ITS_OWN[kind], "fraud", ["fraud"]).is_ours
    owner = owner_of(kind, ITS_OWN[kind], "fraud", ["fraud", "other"])
    assert owner.whose == REGISTRY and "'other'" in owner.evidence


# Bindings and Groups


def test_only_the_operators_binding_of_that_name_is_the_operators():
    assert owner_of("RoleBinding", operators(), "fraud").whose == REGISTRY
    copied = operators() | {"metadata": operators()["metadata"] | {"name": "copied"}}
    assert owner_of("RoleBinding", copied, "fraud").whose == DASHBOARD
    assert owner_of("RoleBinding", binding("somebodys", ALICE), "fraud").whose == UNKNOWN


@pytest.mark.parametrize("theirs", [{}, {"labels": {"openshift.io/ldap.host": "ldap"}}, {"annotations": {"openshift.io/ldap.uid": "cn=fraud-users"}}])
def test_a_group_of_somebody_else_is_not_the_registrys(theirs):
    group = {"metadata": {"name": "fraud-users"}, "users": ["alice"]}
    assert owner_of("Group", marked(group, theirs), "fraud").whose == (TOOL if theirs else UNKNOWN)
    assert owner_of("Group", marked(GROUP, theirs), "fraud").whose == (TOOL if theirs else REGISTRY)
    assert owner_of("Group", GROUP, "other").whose == PLATFORM


def test_what_the_operator_leaves_of_a_registry_is_known_by_its_labels():
    assert registry_of(of_operator(), NAMESPACE) == "fraud"
    assert registry_of(of_operator(), "elsewhere") is None
    unlabelled = of_operator()
    del unlabelled["metadata"]["labels"]
    assert registry_of(unlabelled, NAMESPACE) is None
    assert registry_of(of_operator(**{"modelregistry.opendatahub.io/namespace": "elsewhere"}), NAMESPACE) is None
    assert registry_of(marked(of_operator(), {"annotations": {"argocd.argoproj.io/tracking-id": "x"}}), NAMESPACE) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"metadata": of_operator()["metadata"] | {"name": "fraud"}},
        {"roleRef": {"name": "cluster-admin"}},
        {"roleRef": None},
        {"subjects": None},
        {"subjects": [*of_operator()["subjects"], {"kind": "User", "name": "eve"}]},
        {"subjects": [of_operator()["subjects"][0] | {"name": "other"}]},
        {"subjects": [{"kind": "User", "name": "fraud", "namespace": NAMESPACE}]},
        {"metadata": of_operator()["metadata"] | {"labels": {"app.kubernetes.io/name": "fraud"}}},
    ],
)
def test_a_binding_that_is_not_all_that_the_operator_makes_is_no_registrys(changed):
    assert registry_of(of_operator() | changed, NAMESPACE) is None


def test_the_model_catalogs_binding_is_no_registrys():
    assert registry_of(CATALOG, NAMESPACE) is None and owner_of("ClusterRoleBinding", CATALOG, "model-catalog").whose == PLATFORM
    # Also where a registry of that name has overwritten its labels.
    assert registry_of(of_operator(**{"app.kubernetes.io/name": "model-catalog"}), NAMESPACE) is None


def test_an_object_goes_with_the_registry_whose_uid_it_names():
    assert is_owned_by(dashboards(ALICE), "uid-1") and not is_owned_by(dashboards(ALICE, uid="uid-0"), "uid-1")
    assert not is_owned_by(binding("x", ALICE), "uid-1") and not is_owned_by(None, "uid-1")
    both = marked(dashboards(ALICE), {"ownerReferences": [DASHBOARD_OWNER | {"uid": "uid-2"}]})
    assert is_owned_by(both, "uid-1") and is_owned_by(both, "uid-2")


@pytest.mark.parametrize(
    ("metadata", "is_one"),
    [
        ({"ownerReferences": [DASHBOARD_OWNER]}, True),
        ({"ownerReferences": [{"kind": "Vault"}, DASHBOARD_OWNER]}, True),
        ({"ownerReferences": [{"kind": "Vault"}]}, False),
        ({"ownerReferences": None}, False),
        ({"deletionTimestamp": "2026-05-01T10:00:00Z"}, True),
        ({}, False),
    ],
)
def test_an_object_goes_with_a_registry_that_owns_it_or_is_going_already(metadata, is_one):
    assert is_of_registry({"metadata": metadata}) is is_one
    assert not is_of_registry(None)


@pytest.mark.parametrize(
    ("held", "present", "maker"),
    [
        ("fraud-db-x1", [], "fraud"),
        ("fraud-db-x1", ["other"], "fraud"),
        ("fraud-db-x1", ["fraud"], ""),
        ("fraud-db-db-x1", [], "fraud-db"),
        ("vault", [], ""),
        ("db-credential", [], ""),
    ],
)
def test_what_was_made_for_a_registry_tells_after_which_one_it_is_named(held, present, maker):
    assert left_by(held, present) == maker


def test_the_database_that_we_gave_a_registry_is_known_by_who_wrote_it():
    registry = stored(wanted())
    assert gave_database(registry)
    for entries in (
        [],
        None,
        [{"manager": "unknown", "fieldsV1": {"f:spec": {"f:mysql": {}}}}],
        [{"manager": "modelops.openshift_ai", "fieldsV1": {"f:spec": {"f:postgres": {}}}}],
        [{"manager": "modelops.openshift_ai"}],
    ):
        registry["metadata"]["managedFields"] = entries
        assert not gave_database(registry)
    assert not gave_database(None)
    without = stored(wanted())
    del without["spec"]["mysql"]
    assert not gave_database(without)


TOKEN = foreign_secret("source-token", apiKey="hf_x")
TOKEN["metadata"] |= {"labels": {"app.kubernetes.io/component": "model-catalog"}, "managedFields": [OWN]}


def test_the_secret_of_a_token_is_known_by_its_label_its_content_and_who_wrote_it():
    assert str(owner_of_token(TOKEN)) == "created by this collection (its label, content and field managers)"
    assert owner_of_token(marked(TOKEN, {"managedFields": [CLICKED]})).whose == DASHBOARD
    assert owner_of_token(TOKEN | {"data": {**TOKEN["data"], "more": "eA=="}}).evidence == "it has keys other than apiKey"
    assert owner_of_token(TOKEN | {"data": {}}).whose == UNKNOWN
    for labels in ({"app.kubernetes.io/component": "other"}, {}, None):
        theirs = owner_of_token(TOKEN | {"metadata": TOKEN["metadata"] | {"labels": labels}})
        assert (theirs.whose, theirs.evidence) == (UNKNOWN, "it lacks the label app.kubernetes.io/component=model-catalog")
    for tool in MARKS.values():
        assert owner_of_token(marked(TOKEN, tool)).whose == TOOL
    assert owner_of_token(marked(TOKEN, {"labels": {"team": "fraud"}})).is_ours
    assert owner_of_token(marked(TOKEN, {"labels": {"team.example.com/x": "fraud"}})).whose == TOOL


# Names and passwords


@pytest.mark.parametrize(
    ("name", "generates", "overwrites"),
    [
        ("model-catalog", False, "the model catalog"),
        ("model-catalog-postgres", True, "the model catalog"),
        ("big-postgres", False, "the generated database of registry 'big' and the server of registry 'big-postgres'"),
        ("small", True, "the generated database of registry 'small' and the server of registry 'small-postgres'"),
        ("small", False, None),
        ("external-postgres", False, None),
        ("fraud", True, None),
    ],
)
def test_a_name_is_not_taken_that_overwrites_what_the_operator_made(name, generates, overwrites):
    registries = {"big": stored(wanted("generated", name="big")), "external": stored(wanted(name="external")), "small-postgres": stored(wanted())}
    conflict = name_conflict(name, {beside: registries.get(beside) for beside in neighbors(name, generates)}, ())
    assert conflict is None if overwrites is None else overwrites in conflict


@pytest.mark.parametrize(
    ("metadata", "overwrites"),
    [
        ({}, "Deployment 'fraud', which is not known"),
        ({"annotations": {"meta.helm.sh/release-name": "db"}}, "Deployment 'fraud', which is managed by another tool"),
        ({"labels": OPERATOR_LABELS | {"component": "model-catalog"}}, "Deployment 'fraud', which is managed by the platform"),
        ({"ownerReferences": [DASHBOARD_OWNER | {"name": "fra"}]}, "Deployment 'fraud', which is not known"),
        # What is still there of a registry of before.
        ({"ownerReferences": [DASHBOARD_OWNER]}, None),
        ({"labels": OPERATOR_LABELS}, None),
    ],
)
def test_a_name_is_not_taken_of_a_deployment_that_the_operator_would_overwrite(metadata, overwrites):
    conflict = name_conflict("fraud", {}, [("Deployment", {"metadata": {"name": "fraud", **metadata}})])
    assert conflict is None if overwrites is None else overwrites in conflict


@pytest.mark.parametrize(
    ("metadata", "overwrites"),
    [
        ({}, "Group 'fraud-users', which is not known"),
        ({"labels": {"openshift.io/ldap.host": "ldap"}}, "Group 'fraud-users', which is managed by another tool"),
        ({"labels": OPERATOR_LABELS | {"app.kubernetes.io/name": "other"}}, "Group 'fraud-users', which is managed by the platform"),
        # What is still there of a registry of before.
        ({"labels": OPERATOR_LABELS}, None),
    ],
)
def test_a_name_is_not_taken_of_a_group_that_the_operator_would_empty(metadata, overwrites):
    group = {"metadata": {"name": "fraud-users", **metadata}, "users": ["carol"]}
    conflict = name_conflict("fraud", {}, [("Group", group)])
    assert conflict is None if overwrites is None else overwrites in conflict
    there = Live(TODAY, objects={("Group", "fraud-users"): group})
    said = [problem.problem for problem in planned(wanted(), there).problems]
    assert said == ([] if overwrites is None else [f"cannot be used: the operator would overwrite {conflict}"])


@pytest.mark.parametrize(
    ("held", "is_one"),
    [
        (secret(wanted()), True),
        (secret(wanted(), annotations={}), True),
        # One mark is enough.
        (marked(foreign_secret(), {"annotations": {"template.openshift.io/expose-password": "x"}}), True),
        (marked(foreign_secret(), {"generateName": "fraud-db-"}), True),
        (marked(foreign_secret(), {"generateName": "fraud-"}), False),
        (foreign_secret("x", **{"database-password": "pw"}), True),
        (foreign_secret("x", **{"ca.crt": "pem"}), False),
    ],
)
def test_a_secret_with_a_mark_of_a_password_is_one(held, is_one):
    assert is_password_secret(held) is is_one


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)
def test_a_registry_that_a_tool_keeps_is_known_by_its_mark(mark: dict[str, Any]) -> None:
    registry = stored(wanted())
    # The operator and people write into every registry.
    registry["metadata"]["managedFields"] = [{**KUBECTL, "manager": manager} for manager in ("manager", "kubectl-edit", "unknown")]
    # Nor does a name tell of a tool that only ends as one of its names.
    registry["metadata"]["annotations"] |= {"notargoproj.io/x": "y", "argoproj.io.example.com/x": "y"}
    assert tool_of(registry) is keeper_of(registry) is None
    registry["metadata"].update({key: {**registry["metadata"].get(key, {}), **names} if isinstance(names, dict) else names for key, names in mark.items()})
    found = tool_of(registry)
    assert found is not None and not found.is_ours


@pytest.mark.parametrize("manager", ["Terraform", "pulumi-kubernetes-1a2b", "argocd-controller", "helm"])
def test_a_registry_that_a_tool_keeps_is_known_by_its_field_manager(manager: str) -> None:
    registry = stored(wanted())
    registry["metadata"]["managedFields"] += [{**KUBECTL, "manager": name} for name in ("manager", manager)]
    found = keeper_of(registry)
    assert found is not None and str(found) == f"managed by another tool (field manager {manager!r})"
    assert tool_warnings(registry)
