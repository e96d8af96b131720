"""Who gets into a registry, by bindings that are easily misread."""

from __future__ import annotations

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.permissions import Grant, Target
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status.audit import access_by_other_roles, access_of, groups_of

from .grants import CREATED, binding

FRAUD = Target("registries", "fraud", "modelregistry.opendatahub.io/v1beta1", "1")
DOCUMENTED = "registry-users-fraud"
BINDING = {
    "metadata": {"name": "by-the-book"},
    "roleRef": {"kind": "Role", "name": DOCUMENTED},
    "subjects": [{"kind": "User", "name": "mallory"}],
}


@pytest.mark.parametrize(
    ("rules", "effective"),
    [
        (None, False),
        ([{"apiGroups": [""], "resources": ["services"], "verbs": ["list"]}], False),
        ([{"apiGroups": [""], "resources": ["services"], "verbs": ["get"], "resourceNames": ["fraud"]}], True),
        ([{"apiGroups": [""], "resources": ["services"], "verbs": ["get"], "resourceNames": ["credit"]}], False),
    ],
)
def test_the_role_of_the_documentation_gives_access_only_when_somebody_has_made_it(rules, effective):
    roles = [] if rules is None else [{"metadata": {"name": DOCUMENTED}, "rules": rules}]
    others = access_by_other_roles([BINDING], roles, [], [], {FRAUD.role})
    [entry] = access_of(FRAUD, [BINDING], others)
    assert (entry["name"], entry["effective"]) == ("mallory", effective)


SERVICES = {"apiGroups": [""], "resources": ["services"], "verbs": ["get"]}


def test_an_entry_tells_who_gets_in_through_what_and_who_changed_that_last():
    made = binding("by-hand", Grant("service_accounts", "pipeline", "ci"), role="named")
    made["metadata"]["managedFields"] = [{"manager": "kubectl", "time": "2026-05-02T10:00:00Z", "fieldsV1": {}}]
    roles = [{"metadata": {"name": "named"}, "rules": [{**SERVICES, "resourceNames": ["fraud"]}]}]
    [entry] = access_of(FRAUD, [], access_by_other_roles([made], roles, [], [], {FRAUD.role}))
    assert entry == {
        "kind": "service_account",
        "name": "pipeline",
        "namespace": "ci",
        "through": "by-hand",
        "through_kind": "RoleBinding",
        "role": "named",
        "made_by": "other",
        "created_at": CREATED,
        "last_changed_at": "2026-05-02T10:00:00Z",
        "last_changed_by": "kubectl",
        "effective": True,
        "everybody": False,
        "platform": False,
    }


def test_who_gets_into_all_registries_is_none_of_this_one_alone():
    """A Role of the documentation's name that opens every Service: its binding is shown with those of the namespace, and not as one that grants nothing."""
    found = access_by_other_roles([BINDING], [{"metadata": {"name": DOCUMENTED}, "rules": [SERVICES]}], [], [], {FRAUD.role})
    assert [(one.entry["name"], one.services) for one in found] == [("mallory", None)]
    assert access_of(FRAUD, [BINDING], found) == []


def test_a_role_of_the_cluster_is_another_one_than_the_registrys_of_its_name():
    bindings = [binding(kind, Grant("users", kind), role=FRAUD.role, role_kind=kind) for kind in ("Role", "ClusterRole")]
    roles = [{"metadata": {"name": FRAUD.role}, "rules": [SERVICES]}]
    assert [one.entry["name"] for one in access_by_other_roles(bindings, roles, [], roles, {FRAUD.role})] == ["ClusterRole"]
    # By the ClusterRole alone, a Role of its name gives no rights.
    assert [one.entry["name"] for one in access_by_other_roles(bindings, [], [], roles, set())] == ["ClusterRole"]


def test_a_binding_without_subjects_lets_nobody_in_and_a_role_adds_up_its_rules():
    rules = [{**SERVICES, "resourceNames": ["fraud"]}, {**SERVICES, "resourceNames": ["credit", "fraud"]}]
    nobody = {**BINDING, "subjects": None}
    found = access_by_other_roles([BINDING, nobody], [{"metadata": {"name": DOCUMENTED}, "rules": rules}], [nobody], [], {FRAUD.role})
    assert [one.services for one in found] == [{"fraud", "credit"}]


def test_a_binding_of_the_whole_cluster_hides_none_of_the_namespace_that_has_its_name():
    of_cluster = binding("by-the-book", Grant("users", "eve"), role="named", role_kind="ClusterRole")
    cluster_roles = [{"metadata": {"name": "named"}, "rules": [{**SERVICES, "resourceNames": ["fraud"]}]}]
    entries = access_of(FRAUD, [BINDING], access_by_other_roles([], [], [of_cluster], cluster_roles, {FRAUD.role}))
    assert [(entry["name"], entry["through_kind"], entry["effective"]) for entry in entries] == [
        ("mallory", "RoleBinding", False),
        ("eve", "ClusterRoleBinding", True),
    ]


def test_of_the_groups_of_the_cluster_those_that_have_access_are_listed_with_their_users():
    entries = [{"kind": kind, "name": name} for kind, name in (("group", "b"), ("group", "a"), ("user", "c"), ("group", "unknown"))]
    live = [{"metadata": {"name": name}, "users": users} for name, users in (("b", ["z", "y", "y"]), ("c", ["x"]), ("a", None), ("d", []))]
    nobody = {"last_changed_at": None, "last_changed_by": None}
    assert groups_of(entries, live) == [{"name": "a", "users": [], **nobody}, {"name": "b", "users": ["y", "z"], **nobody}]
