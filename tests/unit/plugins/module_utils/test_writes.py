"""What a record of changes tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import writes
from ansible_collections.modelops.openshift_ai.plugins.module_utils._errors import ClusterError
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


def test_a_write_without_an_answer_was_carried_out_if_it_is_not_planned_again() -> None:
    others = [replace(GRANT, **{field: "other"}) for field in ("action", "kind", "name")]
    outcome = Outcome(unanswered=[GRANT, *others])
    outcome.settle([GRANT])
    assert outcome.changes == [other.result(False) for other in others] and outcome.unanswered == []


def test_a_write_without_an_answer_is_told_as_unverified_where_nobody_can_look() -> None:
    outcome = Outcome(unanswered=[GRANT])
    with outcome.in_doubt():
        pass
    assert outcome.changes == outcome.warnings == []
    with pytest.raises(ClusterError, match="no answer"), outcome.in_doubt():
        raise ClusterError("no answer")
    assert outcome.changes == [{**GRANT.result(False), "unverified": True}]
    assert outcome.warnings == ["it is not known whether the API server performed: create RoleBinding 'one'"]


def test_a_warning_is_noted_once_in_the_order_in_which_it_came() -> None:
    outcome = Outcome(warnings=["first"])
    outcome.warn(["second", "first", "second"])
    outcome.warn_of("second")
    outcome.warn_of("third")
    assert outcome.warnings == ["first", "second", "third"]


@pytest.mark.parametrize("verified", [True, False])
def test_a_server_whose_certificate_is_not_verified_is_a_warning(verified: bool) -> None:
    identity = {"host": "https://api.example.com:6443", "verify_ssl": verified}
    outcome = Outcome()
    outcome.introduce(identity)
    assert outcome.cluster == identity
    assert ["https://api.example.com:6443 is not verified" in warning for warning in outcome.warnings] == [True] * (not verified)


def test_a_difference_shows_what_has_become_of_each_option_in_the_end() -> None:
    outcome = Outcome()
    outcome.record(replace(GRANT, before={"one": 1, "two": 2}, after={"one": 11, "three": 3}))
    outcome.record(replace(GRANT, before={"one": 1, "four": 4}, after={"four": 44}))
    outcome.forget(["one", "absent"])
    assert outcome.result(True)["diff"] == {"before": {"two": 2, "four": 4}, "after": {"three": 3, "four": 44}}
    outcome.permissions_difference = {"before": "", "after": "user alice\n"}
    assert outcome.result(True)["diff"] == [{"before": {"two": 2, "four": 4}, "after": {"three": 3, "four": 44}}, outcome.permissions_difference]
    assert "diff" not in outcome.result(False)


def test_a_result_has_what_there_is_to_tell() -> None:
    outcome = Outcome(cluster={"host": "h"}, registry={"name": "fraud"}, status={"available": True})
    told = {"changed": False, "changes": [], "registry": {"name": "fraud"}, "status": {"available": True}, "cluster": {"host": "h"}}
    assert outcome.result(False) == told
    outcome.record(GRANT)
    outcome.own, outcome.kept, outcome.database, outcome.verification = {"component": {}}, [{"kind": "Secret"}], {"checked": True}, {"verified": True}
    assert outcome.result(False) == {
        **{"changed": True, "changes": [GRANT.result(False)], "component": {}, "cluster": {"host": "h"}},
        **{"kept": [{"kind": "Secret"}], "database": {"checked": True}, "verification": {"verified": True}},
    }


def test_a_deletion_that_has_begun_needs_no_permission() -> None:
    present = {"metadata": {"name": "one", "namespace": "registries"}}
    going = {"metadata": {**present["metadata"], "deletionTimestamp": "2026-05-01T10:00:00Z"}}
    for manifest, options in ((present, ["namespace"]), (going, [])):
        problems = writes.rights_problems(lambda _namespace, rights: list(rights), "registries", [deletion("RoleBinding", ROLE_BINDINGS, manifest)])
        assert [problem.option for problem in problems] == options
