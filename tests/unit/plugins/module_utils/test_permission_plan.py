"""Wanted permissions against live."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.directory import Known
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.permissions import Grant, Permissions, Target
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.role_bindings import LiveGrants, permissions_result
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.permission_plan import (
    binding_name,
    carried_out,
    difference,
    grant_changes,
    member_changes,
    members_out_of_reach,
    no_registry,
    role_binding,
)

from .builders import NAMESPACE
from .grants import ACCOUNT, ALICE, DASHBOARD_LABELS, DASHBOARD_OWNER, OPERATOR_LABELS, PROJECT, SCIENTISTS, TARGET, binding, dashboards, operators

BOB = Grant("users", "bob")


def planned(wanted, live=(), target=TARGET, known=None):
    return grant_changes(wanted, LiveGrants.of(target, list(live)), known or Known())


def done(plan):
    """(action, name) of every change."""
    return [(change.action, change.name) for change in plan.changes]


def after(wanted, live, target=TARGET):
    """The RoleBindings when the plan has been carried out."""
    return carried_out(live, planned(wanted, live, target).changes)


def shown_by_the_dashboard(live):
    """What the dashboard lists: by the labels, and the first subject only."""
    rows = []
    for one in live:
        labels = one["metadata"].get("labels") or {}
        if labels.get("component") == "model-registry" and labels.get("app.kubernetes.io/name") == "fraud":
            subject = one["subjects"][0]
            is_project = subject["kind"] == "Group" and labels.get("opendatahub.io/rb-project-subject") == "true"
            rows.append(("Project" if is_project else subject["kind"], subject["name"]))
    return sorted(rows)


def test_the_binding_is_the_dashboards():
    assert role_binding(TARGET, PROJECT, "the-name") == {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {
            "name": "the-name",
            "namespace": NAMESPACE,
            "labels": DASHBOARD_LABELS | {"opendatahub.io/rb-project-subject": "true"},
            "ownerReferences": [DASHBOARD_OWNER],
        },
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "registry-user-fraud"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:serviceaccounts:fraud-dev"}],
    }
    assert role_binding(TARGET, ALICE, "n")["metadata"]["labels"] == DASHBOARD_LABELS


def test_the_name_is_like_the_dashboards_and_depends_on_what_is_granted():
    name = binding_name(TARGET, ALICE)
    assert re.fullmatch(r"dashboard-permissions-[a-z0-9]{10}", name)
    others = [binding_name(TARGET, ALICE, 1), binding_name(TARGET, Grant("groups", "alice")), binding_name(replace(TARGET, name="other"), ALICE)]
    assert name == binding_name(TARGET, ALICE) and len({name, *others, binding_name(replace(TARGET, namespace="n"), ALICE)}) == 5
    # The same subject in another spelling is the same grant.
    assert binding_name(TARGET, PROJECT) == binding_name(TARGET, Grant("groups", "system:serviceaccounts:fraud-dev"))


def test_what_is_wanted_is_created_and_then_nothing_is_left_to_do():
    wanted = Permissions((SCIENTISTS, ALICE, PROJECT, ACCOUNT))
    plan = planned(wanted, [operators()])
    assert [(change.verb, change.fields) for change in plan.changes] == [
        ("POST", ("permissions.groups[data-scientists]",)),
        ("POST", ("permissions.users[alice]",)),
        ("POST", ("permissions.projects[fraud-dev]",)),
        ("POST", ("permissions.service_accounts[ci/pipeline]",)),
    ]
    live = carried_out([operators()], plan.changes)
    assert shown_by_the_dashboard(live) == [
        ("Group", "data-scientists"),
        ("Group", "fraud-users"),
        ("Project", "system:serviceaccounts:fraud-dev"),
        ("ServiceAccount", "pipeline"),
        ("User", "alice"),
    ]
    assert planned(wanted, live).changes == planned(wanted, live).warnings == plan.warnings == ()


def test_the_dashboards_bindings_are_adopted_as_they_are():
    live = [dashboards(grant) for grant in (SCIENTISTS, ALICE, PROJECT)]
    assert planned(Permissions((SCIENTISTS, ALICE, PROJECT), exclusive=True), live) == grant_changes(Permissions(), LiveGrants.of(TARGET, []), Known())


def test_what_is_not_listed_stays_without_exact():
    plan = planned(Permissions((ALICE,)), [dashboards(ALICE), dashboards(BOB), binding("others", BOB), binding("somebodys", ALICE)])
    assert plan.changes == plan.warnings == ()


def test_exact_makes_the_list_the_whole_truth():
    live = [operators(), dashboards(ALICE), dashboards(BOB), dashboards(PROJECT), binding("somebodys", Grant("users", "eve"))]
    plan = planned(Permissions((ALICE, ACCOUNT), exclusive=True), live)
    assert done(plan) == [
        ("create", binding_name(TARGET, ACCOUNT)),
        ("delete", dashboards(BOB)["metadata"]["name"]),
        ("delete", dashboards(PROJECT)["metadata"]["name"]),
    ]
    [warning] = plan.warnings
    assert "'somebodys' (user eve)" in warning and "prune_unlabelled" in warning
    pruned = planned(Permissions((ALICE, ACCOUNT), exclusive=True, prune_unlabelled=True), live)
    assert done(pruned) == [*done(plan), ("delete", "somebodys")] and pruned.warnings == ()


def test_an_empty_exact_list_leaves_the_operators_binding():
    assert [change.fields for change in planned(Permissions(exclusive=True), [operators(ALICE), dashboards(BOB)]).changes] == [("permissions.users[bob]",)]


def test_only_the_binding_that_was_read_is_deleted():
    [change] = planned(Permissions(exclusive=True), [dashboards(BOB, name="b")]).changes
    assert (change.verb, change.body["preconditions"]) == ("DELETE", {"uid": "uid-of-b", "resourceVersion": "7"})


def test_absent_revokes_what_is_listed_and_nothing_else():
    live = [operators(), dashboards(ALICE), dashboards(BOB), dashboards(ALICE, name="twice"), binding("somebodys", ALICE)]
    plan = planned(Permissions((ALICE, SCIENTISTS), revoke=True), live)
    assert done(plan) == [("delete", dashboards(ALICE)["metadata"]["name"]), ("delete", "twice")]
    assert "'somebodys' (user alice)" in plan.warnings[0]
    assert done(planned(Permissions((ALICE,), revoke=True, prune_unlabelled=True), live))[-1] == ("delete", "somebodys")
    assert "'somebodys' (user bob and user alice)" in planned(Permissions((ALICE,), revoke=True), [binding("somebodys", BOB, ALICE)]).warnings[0]


def test_absent_takes_a_subject_out_of_a_binding_that_has_others():
    [change] = planned(Permissions((ALICE,), revoke=True), [dashboards(ALICE, BOB, name="two")]).changes
    assert (change.verb, change.fields) == ("PATCH", ("permissions.users[alice]",))
    assert change.body == {"subjects": [BOB.subject], "metadata": {"resourceVersion": "7"}}
    assert planned(Permissions((ALICE,), revoke=True), [dashboards(ALICE, BOB, ACCOUNT, name="three")]).warnings == ()


def test_the_operators_binding_cannot_be_revoked_and_that_is_said():
    plan = planned(Permissions((Grant("groups", "fraud-users"),), revoke=True), [operators()])
    assert plan.changes == () and "the operator would create it again" in plan.warnings[0]


def test_the_operators_binding_counts_as_a_grant_to_its_group():
    for which in ({"exclusive": True}, {}):
        plan = planned(Permissions((Grant("groups", "fraud-users"),), **which), [operators()])
        assert plan.changes == plan.warnings == ()
    assert planned(Permissions((ALICE,), revoke=True), [operators()]).warnings == ()


def test_a_second_subject_is_said_and_exact_removes_it():
    live = [dashboards(ALICE, BOB, name="two")]
    plan = planned(Permissions((ALICE,)), live)
    assert plan.changes == () and "not user bob in 'two'" in plan.warnings[0]
    exact = planned(Permissions((ALICE,), exclusive=True), live)
    assert [(change.verb, change.body["subjects"]) for change in exact.changes] == [("PATCH", [ALICE.subject])] and exact.warnings == ()


def test_who_is_only_a_second_subject_gets_a_binding_that_the_dashboard_shows():
    wanted = Permissions((ALICE, BOB), exclusive=True)
    live = after(wanted, [dashboards(ALICE, BOB, name="two")])
    assert shown_by_the_dashboard(live) == [("User", "alice"), ("User", "bob")]
    assert planned(wanted, live).changes == ()


@pytest.mark.parametrize(
    ("surplus", "kept"),
    [
        (dashboards(ALICE, name="a", created="2026-05-01T11:00:00Z"), dashboards(ALICE, name="b")),
        # That of a registry of before goes with it.
        (dashboards(ALICE, name="a", uid="uid-0"), dashboards(ALICE, name="b", created="2026-05-01T11:00:00Z")),
    ],
)
def test_duplicates_of_the_dashboard_are_said_and_exact_removes_the_surplus(surplus, kept):
    plan = planned(Permissions((ALICE,)), [surplus, kept])
    assert plan.changes == () and "more than one RoleBinding: user alice" in plan.warnings[0]
    assert done(planned(Permissions((ALICE,), exclusive=True), [surplus, kept])) == [("delete", "a")]


@pytest.mark.parametrize(
    "group",
    [
        dashboards(Grant("groups", "system:serviceaccounts:fraud-dev"), name="a", created="2026-05-01T09:00:00Z"),
        # That of the present registry, beside one of a registry of before.
        dashboards(Grant("groups", "system:serviceaccounts:fraud-dev"), name="a"),
    ],
)
@pytest.mark.parametrize("uid", ["uid-0", "uid-1"])
@pytest.mark.parametrize("listed", [PROJECT, Grant("groups", "system:serviceaccounts:fraud-dev")])
def test_of_a_project_that_is_granted_twice_the_one_that_the_dashboard_shows_as_such_stays(group, uid, listed):
    live = [group, dashboards(PROJECT, name="b", uid=uid)]
    left = after(Permissions((listed,), exclusive=True), live)
    assert [one["metadata"]["name"] for one in left] == ["b"] and shown_by_the_dashboard(left) == [("Project", "system:serviceaccounts:fraud-dev")]
    assert planned(Permissions((listed,), exclusive=True), left).changes == ()


@pytest.mark.parametrize("which", [{"exclusive": True}, {"revoke": True}])
@pytest.mark.parametrize("annotation", ["argocd.argoproj.io/tracking-id", "meta.helm.sh/release-name", "olm.operatorframework.io/x"])
def test_a_binding_that_a_tool_keeps_is_left_and_told_by_its_evidence(which, annotation):
    kept = dashboards(BOB, name="kept")
    kept["metadata"]["annotations"] = {annotation: "x"}
    wanted = Permissions((BOB,) if "revoke" in which else (ALICE,), prune_unlabelled=True, **which)
    plan = planned(wanted, [kept, dashboards(ALICE)])
    assert plan.changes == () and annotation in plan.warnings[0] and "'kept' (user bob)" in plan.warnings[0]


def test_a_binding_for_nobody_is_surplus_only_to_the_whole_truth():
    nobodys = dashboards(ALICE, name="nobodys") | {"subjects": None}
    for wanted in (Permissions((ALICE,), revoke=True), Permissions(())):
        assert planned(wanted, [nobodys]).changes == planned(wanted, [nobodys]).warnings == ()
    theirs = binding("theirs") | {"subjects": None}
    assert "'theirs' (no subjects)" in planned(Permissions(exclusive=True), [theirs]).warnings[0]
    assert done(planned(Permissions(exclusive=True), [nobodys])) == [("delete", "nobodys")]


def test_a_binding_to_the_wrong_role_grants_nothing_and_is_offered_to_be_mended():
    live = [dashboards(ALICE, name="wrong", role="registry-users-fraud"), binding("others-wrong", BOB, role="registry-users-fraud")]
    plan = planned(Permissions((ALICE,)), live)
    assert done(plan) == [("create", binding_name(TARGET, ALICE))]
    assert "'wrong' (user alice)" in plan.warnings[0] and "'others-wrong' (user bob)" in plan.warnings[0] and "permissions.exclusive" in plan.warnings[0]
    mended = planned(Permissions((ALICE,), exclusive=True, prune_unlabelled=True), live)
    assert done(mended) == [("create", binding_name(TARGET, ALICE)), ("delete", "wrong"), ("delete", "others-wrong")] and mended.warnings == ()


@pytest.mark.parametrize("owners", [[DASHBOARD_OWNER | {"uid": "uid-0"}], []])
def test_a_registry_that_was_made_again_owns_its_grants_again(owners):
    stale = dashboards(ALICE, name="stale")
    stale["metadata"]["ownerReferences"] = owners
    [change] = planned(Permissions((ALICE,)), [stale]).changes
    assert (change.action, change.verb, change.fields) == ("update", "PATCH", ("metadata.ownerReferences",))
    assert change.body == {"metadata": {"ownerReferences": [DASHBOARD_OWNER], "resourceVersion": "7"}}
    assert planned(Permissions((ALICE,)), carried_out([stale], [change])).changes == ()


def test_a_project_that_the_dashboard_shows_as_a_group_gets_its_label():
    typed = dashboards(Grant("groups", "system:serviceaccounts:fraud-dev"))
    [change] = planned(Permissions((PROJECT,)), [typed]).changes
    assert change.body == {"metadata": {"labels": {"opendatahub.io/rb-project-subject": "true"}, "resourceVersion": "7"}}
    assert shown_by_the_dashboard(carried_out([typed], [change])) == [("Project", "system:serviceaccounts:fraud-dev")]


def test_a_name_proves_nothing_because_the_dashboard_replaces_subjects_in_place():
    taken = dashboards(BOB, name=binding_name(TARGET, ALICE))
    assert done(planned(Permissions((ALICE,)), [taken])) == [("create", binding_name(TARGET, ALICE, 1))]
    assert planned(Permissions((BOB,)), [taken]).changes == ()


def test_a_binding_that_is_being_deleted_is_no_grant_and_its_name_is_not_free():
    going = dashboards(ALICE, name=binding_name(TARGET, ALICE))
    going["metadata"]["deletionTimestamp"] = "2026-05-01T10:00:00Z"
    assert done(planned(Permissions((ALICE,)), [going])) == [("create", binding_name(TARGET, ALICE, 1))]


def test_somebody_elses_binding_for_the_same_subject_does_not_count():
    assert done(planned(Permissions((ALICE,)), [binding("unlabelled", ALICE)])) == [("create", binding_name(TARGET, ALICE))]


def test_two_runs_with_overlapping_lists_end_in_the_union_without_duplicates():
    one, other = Permissions((ALICE, SCIENTISTS)), Permissions((SCIENTISTS, BOB))
    # Both have read before either has written.
    first, second = planned(one).changes, planned(other).changes
    made = {change.name: change for change in (*first, *second)}
    assert len(made) == 3 < len(first) + len(second)
    live = carried_out([], made.values())
    assert planned(one, live).changes == planned(other, live).changes == ()


def test_before_the_registry_exists_a_grant_has_no_owner():
    [change] = planned(Permissions((ALICE,)), target=replace(TARGET, uid=None)).changes
    assert "ownerReferences" not in change.body["metadata"]


def test_what_the_cluster_knows_to_be_wrong_is_refused():
    known = Known(namespaces={"fraud-dev": "Fraud development"})
    plan = planned(Permissions((Grant("projects", "Fraud development"),)), known=known)
    assert "Use 'fraud-dev'" in plan.problems[0].sentence()
    assert planned(Permissions((Grant("projects", "Fraud development"),), revoke=True), known=known).problems == plan.problems


def test_of_ten_thousand_grants_only_the_differences_are_planned():
    wanted = Permissions(tuple(Grant("groups", f"group-{number}") for number in range(10_000)), exclusive=True)
    live = [dashboards(grant) for grant in wanted.grants[:9000]] + [dashboards(Grant("users", f"user-{number}")) for number in range(1000)]
    plan = planned(wanted, live)
    assert len(plan.changes) == 2000


# --- the registry's own group ---


def group(*users):
    return {"metadata": {"name": "fraud-users", "resourceVersion": "3", "labels": OPERATOR_LABELS}, "users": list(users) or None}


@pytest.mark.parametrize(
    ("wanted", "users", "result"),
    [
        (Permissions(members=("bob", "carol")), ["alice", "bob"], ["alice", "bob", "carol"]),
        (Permissions(members=("bob",)), [], ["bob"]),
        (Permissions(members=("bob", "carol"), exclusive=True), ["alice", "bob"], ["bob", "carol"]),
        (Permissions(members=(), exclusive=True), ["alice"], []),
        (Permissions(members=("alice",), revoke=True), ["alice", "bob", "alice"], ["bob"]),
        (Permissions(members=("g", "f", "e", "h", "d"), exclusive=True), ["c", "a", "d", "b"], ["d", "g", "f", "e", "h"]),
    ],
)
def test_members_are_added_and_removed_by_name(wanted, users, result):
    [change] = member_changes(wanted, TARGET, group(*users), True).changes
    assert (change.verb, change.api, change.namespace, change.name) == ("PATCH", ("user.openshift.io/v1", "groups"), "", "fraud-users")
    # Refused by the server when somebody else was faster, so that no writer loses another's names.
    assert change.body == {"metadata": {"resourceVersion": "3"}, "users": result}
    assert list(change.fields) == sorted(f"permissions.members[{name}]" for name in set(users) ^ set(result))
    assert member_changes(wanted, TARGET, carried_out([group(*users)], [change])[0], True).changes == ()


@pytest.mark.parametrize(
    "wanted", [Permissions(), Permissions(exclusive=True), Permissions(members=("alice",)), Permissions(members=()), Permissions(members=("bob",), revoke=True)]
)
def test_members_that_are_as_wanted_or_not_given_are_left_alone(wanted):
    assert member_changes(wanted, TARGET, group("alice"), True).changes == ()


@pytest.mark.parametrize(
    ("theirs", "who"),
    [({}, "not known"), ({"labels": OPERATOR_LABELS, "annotations": {"openshift.io/ldap.uid": "cn=x"}}, "LDAP group synchronization")],
)
def test_the_members_of_a_group_of_somebody_else_are_not_written(theirs, who):
    group = {"metadata": {"name": "fraud-users", "resourceVersion": "3", **theirs}, "users": ["alice"]}
    [problem] = member_changes(Permissions(members=("bob",)), TARGET, group, True).problems
    assert problem.option == "permissions.members" and who in problem.problem
    assert member_changes(Permissions(members=("alice",)), TARGET, group, True).problems == ()


def test_members_are_refused_where_there_are_no_groups():
    [problem] = member_changes(Permissions(members=("bob",)), TARGET, None, False).problems
    assert problem.option == "permissions.members" and "OpenShift groups" in problem.problem and "permissions.users" in problem.remedy
    assert member_changes(Permissions(members=()), TARGET, None, False).problems == ()


def test_members_need_the_group_that_the_operator_makes():
    wanted = Permissions(members=("bob",))
    assert "Group 'fraud-users'" in member_changes(wanted, TARGET, None, True).problems[0].problem
    assert member_changes(replace(wanted, revoke=True), TARGET, None, True) == member_changes(Permissions(), TARGET, None, True)
    # Before there is a registry it is only said what would be done.
    [change] = member_changes(wanted, replace(TARGET, uid=None), None, True).changes
    assert change.fields == ("permissions.members[bob]",) and change.body == {"users": ["bob"]}


def test_members_that_may_not_be_read_are_told_with_the_right_that_is_missing():
    for members in (("alice", "bob"), None):
        problem = members_out_of_reach(Permissions(members=members), "groups is forbidden.")
        assert (problem.option, problem.problem) == ("permissions.members", "cannot be set: groups is forbidden")
        assert problem.value == list(members or ()) and "model-registry-members" in problem.remedy


def test_permissions_without_a_registry_name_the_way_to_give_them():
    problem = no_registry(Target(NAMESPACE, "fruad", "modelregistry.opendatahub.io/v1beta1", None), ["fraud"])
    assert problem.sentence().startswith("name: Registry 'fruad' does not exist in namespace 'registries' (did you mean 'fraud'?).")
    assert "model_registry" in problem.remedy


def test_the_difference_reads_like_a_list_of_names():
    live = [dashboards(grant) for grant in (SCIENTISTS, BOB)]
    later = after(Permissions((SCIENTISTS, ALICE, ACCOUNT), exclusive=True), live)
    shown = difference(
        TARGET, permissions_result(LiveGrants.of(TARGET, live), group("carol")), permissions_result(LiveGrants.of(TARGET, later), group("carol", "dana"))
    )
    assert shown["before"] == "group data-scientists\nuser bob\nmember carol\n"
    assert shown["after"] == "group data-scientists\nuser alice\nservice account ci/pipeline\nmember carol\nmember dana\n"
    assert shown["before_header"] == shown["after_header"] == f"permissions of {NAMESPACE}/fraud"
