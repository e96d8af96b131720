"""What a record of changes tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import writes
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.kinds import ROLE_BINDINGS
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.changeset import Change, deletion
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.record import Outcome

GRANT = Change("create", "RoleBinding", "registries", "one", ("permissions.users[alice]",), "POST", ROLE_BINDINGS, {})


def change(action: str, kind: str, *fields: str) -> dict[str, Any]:
    return {"action": action, "kind": kind, "namespace": "registries", "name": "fraud", "fields": list(fields)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], False),
        ([change("create", "ModelRegistry", "display_name", "database.host")], True),
        ([change("update", "ModelRegistry", "description", "database.ca")], True),
        ([change("update", "Secret", "database.password"), change("restart", "Deployment")], True),
        # The pods stay as they are: what they said before is no answer to this change.
        ([change("update", "ModelRegistry", "description")], False),
        ([change("create", "Secret", "database.password")], False),
        ([change("create", "RoleBinding", "permissions.groups")], False),
    ],
)
def test_only_some_changes_have_new_pods_made(changes: list[dict[str, Any]], expected: bool) -> None:
    assert Outcome(changes=changes).makes_pods is expected


class Unsearched(list[dict[str, Any]]):
    """A list that grows with thousands of grants, and is not searched for each."""

    def __contains__(self, _change: object) -> bool:
        raise AssertionError("the list is searched")


def test_each_change_is_noted_once_and_not_looked_for_among_all_of_them() -> None:
    outcome = Outcome(changes=Unsearched())
    others = [replace(GRANT, **{field: "other"}) for field in ("action", "kind", "namespace", "name")]
    for change in (GRANT, *others, replace(GRANT, fields=("other",)), replace(GRANT), others[0]):
        outcome.record(change)
    outcome.record(GRANT, unverified=True)
    assert len(outcome.changes) == 7 and outcome.changes[-1]["unverified"]


@pytest.mark.parametrize(("marks", "noted"), [({"deletionTimestamp": "2026-05-01T10:00:00Z"}, True), ({}, False)])
def test_a_deletion_without_an_answer_was_carried_out_if_the_registry_is_being_deleted(marks: dict[str, str], noted: bool) -> None:
    registry = {"metadata": {"name": "fraud", "namespace": "registries", "uid": "1"}}
    sent, seen = (deletion("ModelRegistry", ("v1", "modelregistries"), {"metadata": {**registry["metadata"], **more}}) for more in ({}, marks))
    outcome = Outcome(unanswered=[sent])
    outcome.settle([seen])
    assert bool(outcome.changes) is noted


def test_a_deletion_that_has_begun_needs_no_permission() -> None:
    present = {"metadata": {"name": "one", "namespace": "registries"}}
    going = {"metadata": {**present["metadata"], "deletionTimestamp": "2026-05-01T10:00:00Z"}}
    for manifest, options in ((present, ["namespace"]), (going, [])):
        problems = writes.rights_problems(lambda _namespace, rights: list(rights), "registries", [deletion("RoleBinding", ROLE_BINDINGS, manifest)])
        assert [problem.option for problem in problems] == options
