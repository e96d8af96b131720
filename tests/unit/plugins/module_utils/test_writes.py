"""What a record of changes tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import client, registry_writes, writes
from ansible_collections.modelops.openshift_ai.plugins.module_utils._errors import ClusterError
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import marks
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


class Answering:
    """A cluster that answers each write with the next of these, and notes them."""

    def __init__(self, *answers: Any) -> None:
        self._answers, self.sent = list(answers), list[tuple[Any, ...]]()

    def write(self, *request: Any) -> Any:
        self.sent.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


CONFLICT, MISSING = _errors.ClusterError("changed", _errors.CONFLICT), _errors.ClusterError("there is none", _errors.NOT_FOUND)
SECRETS = ("v1", "secrets")
SECRET = {"metadata": {"name": "one", "namespace": "registries", "uid": "u", "resourceVersion": "7"}}


def test_what_is_to_be_deleted_and_is_gone_is_deleted_and_nothing_else_is() -> None:
    there = deletion("Secret", SECRETS, SECRET)
    for cluster in (Answering(MISSING), Answering({"kind": "Status"})):
        given: Any = cluster
        assert writes.send(given, there, False) in ({}, {"kind": "Status"})
        assert cluster.sent == [("DELETE", SECRETS, "registries", "one", there.body, False)]
    for change, answer in ((there, CONFLICT), (GRANT, MISSING)):
        refusing: Any = Answering(answer)
        with pytest.raises(_errors.ClusterError):
            writes.send(refusing, change, False)


def test_a_deletion_is_announced_by_what_was_read_and_is_of_what_was_announced() -> None:
    there = deletion("Secret", SECRETS, SECRET)
    cluster: Any = Answering({"metadata": {"resourceVersion": "8"}})
    announced = writes.announced(cluster, there)
    [(verb, _api, _namespace, _name, body, dry_run)] = cluster.sent
    assert (verb, dry_run) == ("PATCH", False) and body["metadata"]["resourceVersion"] == "7" and len(body["metadata"]["annotations"]) == 1
    assert announced is not None and announced.body["preconditions"] == {"uid": "u", "resourceVersion": "8"}
    gone: Any = Answering(MISSING)
    assert writes.announced(gone, there) is None
    changed: Any = Answering(CONFLICT)
    with pytest.raises(_errors.ClusterError, match="changed"):
        writes.announced(changed, there)


def test_a_right_is_asked_for_all_objects_and_then_for_those_of_a_plan() -> None:
    asked: list[tuple[str, list[str]]] = []

    def missing(namespace: str, rights: Any) -> list[client.Right]:
        listed = list(rights)
        asked.append((namespace, [str(right) for right in listed]))
        # Some may be deleted one by one.
        return [right for right in listed if right.name != "two"]

    secrets = [deletion("Secret", SECRETS, {"metadata": {**SECRET["metadata"], "name": name}}) for name in ("one", "two")]
    of_cluster = deletion("ClusterRoleBinding", (ROLE_BINDINGS[0], "clusterrolebindings"), {"metadata": {"name": "three", "uid": "v"}})
    [problem] = writes.rights_problems(missing, "registries", [GRANT, *secrets, of_cluster])
    group = ROLE_BINDINGS[0].partition("/")[0]
    listed = f"create rolebindings.{group}, patch secrets, delete secrets, delete clusterrolebindings.{group}"
    assert problem.problem == f"the account in use lacks permission to: {listed}" and problem.value == "registries" and "nothing was written" in problem.remedy
    assert asked == [
        # What is deleted is announced first. Nobody can be allowed to create one of a name.
        ("registries", [f"create rolebindings.{group}", "patch secrets", "delete secrets"]),
        ("registries", ["patch secrets 'one'", "patch secrets 'two'"]),
        ("registries", ["delete secrets 'one'", "delete secrets 'two'"]),
        ("", [f"delete clusterrolebindings.{group}"]),
        ("", [f"delete clusterrolebindings.{group} 'three'"]),
    ]


@pytest.mark.parametrize(
    ("text", "status", "problem"),
    [
        ("admission webhook denied the request: namespace must be odh-registries", 403, ("namespace", "Set it to odh-registries", "registries")),
        ('namespaces "registries" not found', 404, ("namespace", "Set it to the registries namespace, or omit it", "registries")),
        ('namespaces "registries" not found', 403, None),
        ('namespaces "other" not found', 404, None),
        ("fraud already exists in namespace other", 403, ("name", "Choose another name: names must be unique in the cluster", "fraud")),
        ("secrets is forbidden", 403, None),
    ],
)
def test_a_refusal_that_is_about_an_option_is_told_as_its_problem(text: str, status: int, problem: tuple[str, str, str] | None) -> None:
    refusal = registry_writes._refused(_errors.ClusterError(text, status), "registries", "fraud")
    if problem is None:
        assert isinstance(refusal, _errors.ClusterError) and str(refusal) == text
    else:
        assert isinstance(refusal, _errors.InputError)
        assert [(found.option, found.remedy, found.value) for found in refusal.problems] == [problem]


class Present:
    """A reader of what is there now: a registry, or Secrets by name."""

    namespace = "registries"

    def __init__(self, cluster: Any, *registries: Any, **secrets: Any) -> None:
        self.cluster, self._registries, self._secrets = cluster, list(registries), secrets

    @property
    def fresh(self) -> Any:
        return self

    def registry(self, _name: str) -> Any:
        return self._registries.pop(0)

    def held(self, _kind: str, name: str) -> Any:
        return self._secrets[name]


def registry(version: str, generation: int = 1, uid: str = "u") -> dict[str, Any]:
    return {"metadata": {"name": "fraud", "namespace": "registries", "uid": uid, "resourceVersion": version, "generation": generation}}


@pytest.mark.parametrize(
    ("present", "kind", "versions"),
    [
        # Its operator writes its status all the time.
        ([registry("8"), registry("9")], "ModelRegistry", ["7", "8", "9"]),
        ([registry("8", generation=2)], "ModelRegistry", ["7"]),
        ([registry("8", uid="v")], "ModelRegistry", ["7"]),
        ([None], "ModelRegistry", ["7"]),
        ([], "Secret", ["7"]),
        # It is given up in the end.
        ([registry(str(number)) for number in range(8, 20)], "ModelRegistry", ["7", "8", "9", "10", "11"]),
    ],
)
def test_a_registry_is_deleted_unless_more_than_its_status_was_written_since_it_was_read(present: list[Any], kind: str, versions: list[str]) -> None:
    succeeds = len(versions) == 3
    refusals = len(versions) - succeeds
    cluster = Answering(*[CONFLICT] * refusals, {"kind": "Status"})
    reader: Any = Present(cluster, *present)
    change = deletion(kind, ("v1", "modelregistries"), registry("7"))
    if succeeds:
        assert registry_writes._sent(reader, change, False) == {"kind": "Status"}
    else:
        with pytest.raises(_errors.ClusterError, match="changed"):
            registry_writes._sent(reader, change, False)
    assert [request[4]["preconditions"]["resourceVersion"] for request in cluster.sent] == versions


def test_what_a_new_registry_relies_on_is_there_and_is_not_about_to_be_deleted() -> None:
    left = {"metadata": {"name": "left", "annotations": {marks.LEAVING: "7"}}}
    cluster = Answering({})
    reader: Any = Present(cluster, stays={"metadata": {"name": "stays"}}, left=left, gone=None)
    registry_writes._claim(reader, [("Secret", "stays"), ("Secret", "left")])
    assert cluster.sent == [("PATCH", SECRETS, "registries", "left", {"metadata": {"annotations": {marks.LEAVING: None}}}, False)]
    with pytest.raises(_errors.ClusterError, match="Secret 'gone' was deleted by another process while the registry that uses it") as caught:
        registry_writes._claim(reader, [("Secret", "gone")])
    assert caught.value.status == _errors.CONFLICT
