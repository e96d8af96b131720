"""Who gets into a registry, by bindings that are easily misread."""

from __future__ import annotations

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.permissions import Target
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status.audit import access_by_other_roles, access_of, groups_of

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


def test_of_the_groups_of_the_cluster_those_that_have_access_are_listed_with_their_users():
    entries = [{"kind": kind, "name": name} for kind, name in (("group", "b"), ("group", "a"), ("user", "c"), ("group", "unknown"))]
    live = [{"metadata": {"name": name}, "users": users} for name, users in (("b", ["z", "y", "y"]), ("c", ["x"]), ("a", None), ("d", []))]
    nobody = {"last_changed_at": None, "last_changed_by": None}
    assert groups_of(entries, live) == [{"name": "a", "users": [], **nobody}, {"name": "b", "users": ["y", "z"], **nobody}]
