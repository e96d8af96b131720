"""What the API server is asked about rights, and what its answers mean."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster.client import Right
from ansible_collections.modelops.openshift_ai.plugins.module_utils._errors import ClusterError
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.directory import Known
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.permissions import EVERYBODY, Grant, Permissions
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.role_bindings import LiveGrants
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.changeset import Change
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.permission_plan import grant_changes
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.record import Outcome
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status import access_review
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status.access_review import (
    Question,
    escalation_problem,
    escalation_problems,
    listed_questions,
    needs_right_to_grant,
    other_questions,
    right_to_bind,
    rights_of_role,
    unsettled,
    verification,
    verification_problems,
    verification_warnings,
    verify,
)

from .builders import NAMESPACE
from .grants import ACCOUNT, ALICE, PROJECT, SCIENTISTS, TARGET, binding, dashboards, operators

BOB = Grant("users", "bob")


@pytest.mark.parametrize(
    ("verb", "kind", "fields", "needed"),
    [
        ("POST", "RoleBinding", (), True),
        ("POST", "Secret", (), False),
        ("PATCH", "Secret", ("data",), False),
        ("PATCH", "RoleBinding", ("metadata.ownerReferences",), False),
        ("PATCH", "RoleBinding", ("metadata.ownerReferences", "metadata.labels"), True),
        ("DELETE", "RoleBinding", (), False),
    ],
)
def test_only_a_binding_that_is_made_or_changed_takes_the_right_to_grant(verb, kind, fields, needed):
    deletion, change = (Change("", *given, ("", ""), {}) for given in (("RoleBinding", "", "one", (), "DELETE"), (kind, "", "two", fields, verb)))
    assert needs_right_to_grant([change]) is needs_right_to_grant([deletion, change]) is needed
    assert needs_right_to_grant([]) is False


@pytest.mark.parametrize(
    ("wanted", "live", "needed"),
    [
        (Permissions((ALICE,)), [], True),
        (Permissions((ALICE,)), [dashboards(ALICE)], False),
        (Permissions((ALICE,)), [dashboards(ALICE, uid="uid-0")], False),
        (Permissions((PROJECT,)), [dashboards(Grant("groups", "system:serviceaccounts:fraud-dev"), uid="uid-0")], True),
        (Permissions((ALICE,), revoke=True), [dashboards(ALICE)], False),
        (Permissions((ALICE,), revoke=True), [dashboards(ALICE, BOB)], True),
    ],
)
def test_the_right_to_grant_is_needed_for_what_the_api_server_asks_it_for(wanted, live, needed):
    assert needs_right_to_grant(grant_changes(wanted, LiveGrants.of(TARGET, live), Known()).changes) is needed


def test_the_two_ways_to_be_allowed_to_grant_are_named():
    role = {"rules": [{"apiGroups": [""], "resources": ["services"], "resourceNames": ["fraud"], "verbs": ["get"]}]}
    assert rights_of_role(TARGET, role) == [Right("get", "", "services", "fraud")]
    assert [right.resource for right in rights_of_role(TARGET, None)] == ["services", "endpoints"]
    assert rights_of_role(TARGET, {"rules": [{"nonResourceURLs": ["/x"], "verbs": ["get"]}]}) == []
    sentence = escalation_problem(TARGET, rights_of_role(TARGET, None)).sentence()
    assert str(right_to_bind(TARGET)) == "bind roles.rbac.authorization.k8s.io 'registry-user-fraud'"
    assert str(right_to_bind(TARGET)) in sentence and "get services 'fraud' and get endpoints 'fraud'" in sentence and NAMESPACE in sentence


def test_all_combinations_of_a_role_are_rights_and_a_rule_without_names_is_for_all():
    rules = [{"apiGroups": ["", "x"], "resources": ["a", "b"], "resourceNames": ["one", "two"], "verbs": ["get", "list"]}]
    assert len(set(rights_of_role(TARGET, {"rules": rules}))) == 16
    assert rights_of_role(TARGET, {"rules": [{"apiGroups": [""], "resources": ["a"], "verbs": ["get"]}]}) == [Right("get", "", "a", "")]
    assert rights_of_role(TARGET, {"rules": None}) == []


def test_who_is_in_no_group_that_is_known_has_logged_in_only_where_groups_are_known():
    assert [question.groups for question in listed_questions(Permissions((ALICE,)), Known())] == [("system:authenticated",)]
    assert [question.groups for question in listed_questions(Permissions((ALICE,)), Known(groups={}))] == [
        ("system:authenticated", "system:authenticated:oauth")
    ]
    both = Known(groups={"b": frozenset({"alice"}), "a": frozenset({"alice"}), "c": frozenset({"bob"})})
    assert listed_questions(Permissions((ALICE,)), both)[0].groups[:3] == ("a", "b", "system:authenticated")


def test_each_listed_subject_is_asked_about_with_the_groups_that_it_is_in():
    known = Known(groups={"data-scientists": frozenset({"alice"}), "fraud-users": frozenset({"bob"})})
    asked = {
        question.who: (question.user, question.groups) for question in listed_questions(Permissions((SCIENTISTS, ALICE, PROJECT, ACCOUNT), ("bob",)), known)
    }
    assert asked == {
        "group data-scientists": ("", ("data-scientists", "system:authenticated")),
        "user alice": ("alice", ("data-scientists", "system:authenticated", "system:authenticated:oauth")),
        "project fraud-dev": ("", ("system:serviceaccounts:fraud-dev", "system:serviceaccounts", "system:authenticated")),
        "service account ci/pipeline": (
            "system:serviceaccount:ci:pipeline",
            ("system:serviceaccounts", "system:serviceaccounts:ci", "system:authenticated"),
        ),
        "user bob": ("bob", ("fraud-users", "system:authenticated", "system:authenticated:oauth")),
    }


def test_the_question_is_the_one_of_the_registrys_proxy():
    review = Question("user alice", "alice", ("g",)).review(TARGET)
    assert (review["apiVersion"], review["kind"], review["metadata"]) == ("authorization.k8s.io/v1", "LocalSubjectAccessReview", {"namespace": NAMESPACE})
    assert review["spec"] == {
        "user": "alice",
        "groups": ["g"],
        "resourceAttributes": {"namespace": NAMESPACE, "verb": "get", "group": "", "version": "v1", "resource": "services", "name": "fraud"},
    }


@pytest.mark.parametrize(
    ("question", "subject"),
    [(Question("a", user="alice"), {"user": "alice"}), (Question("g", groups=("g", "h")), {"groups": ["g", "h"]})],
)
def test_a_question_names_only_who_it_is_about(question, subject):
    spec = question.review(TARGET)["spec"]
    assert {key: spec[key] for key in spec.keys() - {"resourceAttributes"}} == subject


def test_everybody_else_with_a_binding_is_asked_about_by_itself():
    dave, erin, frank = (Grant("users", name) for name in ("dave", "erin", "frank"))
    # The dashboard shows the first subject of a RoleBinding, and none of those without its labels.
    live = [dashboards(ALICE, erin), operators(), binding("edit", BOB, ALICE, role="edit", role_kind="ClusterRole"), binding("by-hand", dave, frank)]
    cluster_wide = [
        binding("admins", Grant("groups", "admins"), role="cluster-admin"),
        binding("node", Grant("users", "system:kube-proxy"), role="node"),
        binding("operator", Grant("service_accounts", "operator", "openshift-ingress"), role="operator"),
        binding("ci", ACCOUNT, role="view"),
        binding("projects", *(Grant("groups", f"system:serviceaccounts:{name}") for name in ("fraud-dev", "kube-system")), role="view"),
        binding("nobody", role="view"),
    ]
    asked = {question.who: question for question in other_questions(TARGET, Permissions((frank,)), live, cluster_wide)}
    assert {who: (question.user, question.groups, question.through, question.is_platform) for who, question in asked.items() if question.through} == {
        "user bob": ("bob", (), "RoleBinding 'edit'", False),
        "user dave": ("dave", (), "RoleBinding 'by-hand'", False),
        "user erin": ("erin", (), "RoleBinding 'dashboard-permissions-users-alice'", False),
        "group admins": ("", ("admins",), "ClusterRoleBinding 'admins'", False),
        "user system:kube-proxy": ("system:kube-proxy", (), "ClusterRoleBinding 'node'", True),
        "service account openshift-ingress/operator": ("system:serviceaccount:openshift-ingress:operator", (), "ClusterRoleBinding 'operator'", True),
        "service account ci/pipeline": ("system:serviceaccount:ci:pipeline", (), "ClusterRoleBinding 'ci'", False),
        # The project of a team is not the platform's, although Kubernetes defines its group.
        "group system:serviceaccounts:fraud-dev": ("", ("system:serviceaccounts:fraud-dev",), "ClusterRoleBinding 'projects'", False),
        "group system:serviceaccounts:kube-system": ("", ("system:serviceaccounts:kube-system",), "ClusterRoleBinding 'projects'", True),
    }
    assert {who for who, question in asked.items() if not question.through} == {f"group {name}" for name in EVERYBODY}
    assert "user alice" not in asked and "user frank" not in asked and "group fraud-users" not in asked


def test_of_the_bindings_of_one_subject_that_of_the_namespace_is_named_and_the_first():
    first, second = (binding(name, BOB, role="edit", role_kind="ClusterRole") for name in ("first", "second"))
    everybody = binding("all", Grant("groups", "system:authenticated"), role="view")
    asked = {question.who: question.through for question in other_questions(TARGET, Permissions(), [first, second], [second, everybody])}
    assert (asked["user bob"], asked["group system:authenticated"]) == ("RoleBinding 'first'", "ClusterRoleBinding 'all'")


def test_answers_are_reported_and_what_is_not_as_wanted_is_a_warning():
    alice, bob = Question("user alice", "alice"), Question("user bob", "bob")
    admins, proxy = Question("group admins", groups=("admins",), through="ClusterRoleBinding 'a'"), Question("user system:x", "system:x", is_platform=True)
    listed, others = {alice: True, bob: False}, {admins: True, proxy: True, Question("group g", groups=("g",)): False}
    assert verification(listed, others) == {
        "allowed": ["user alice"],
        "denied": ["user bob"],
        "others": [{"subject": "group admins", "through": "ClusterRoleBinding 'a'"}, {"subject": "user system:x", "through": ""}],
    }
    denied, unlisted = verification_warnings(TARGET, Permissions(), listed, others)
    assert "do not have access: user bob" in denied
    assert unlisted.endswith("group admins (ClusterRoleBinding 'a'), and 1 platform account")
    [more] = verification_warnings(TARGET, Permissions(), {}, {**others, Question("user system:y", "system:y", is_platform=True): True})
    assert more.endswith(", and 2 platform accounts")
    assert unsettled(Permissions(), listed) == [bob] and unsettled(Permissions(revoke=True), listed) == [alice]
    # Accounts of the platform alone are nothing to warn of.
    assert verification_warnings(TARGET, Permissions(), {alice: True}, {proxy: True}) == []
    [alone] = verification_warnings(TARGET, Permissions(), {}, {admins: True, Question("group g", groups=("g",)): True})
    assert alone.endswith("through other permissions: group admins (ClusterRoleBinding 'a') and group g")
    [still] = verification_warnings(TARGET, Permissions(revoke=True), listed, {})
    assert "still have access" in still and "user alice" in still


BIND = right_to_bind(TARGET)
SERVICES, ENDPOINTS = rights_of_role(TARGET, None)
PODS = Right("list", "", "pods", "")


class Rights:
    """What answers an account that has these rights, in a cluster with a Role for the registry; it notes which Roles were read."""

    namespace = NAMESPACE

    def __init__(self, *held, rules=()):
        self.held, self.rules, self.cluster, self.read_roles, self.asked = set(held), rules, self, [], []

    def missing_rights(self, namespace, rights):
        assert namespace == NAMESPACE
        self.asked += rights
        return [right for right in rights if not {right, replace(right, name="")} & self.held]

    def read(self, api, namespace, name):
        self.read_roles.append((api[1], namespace, name))
        return {"rules": self.rules}


def of_all(right):
    return replace(right, name="")


@pytest.mark.parametrize(
    ("held", "lacking"),
    [
        ((), (SERVICES, ENDPOINTS)),
        ((of_all(BIND),), ()),
        ((BIND,), ()),
        ((of_all(SERVICES), of_all(ENDPOINTS)), ()),
        ((SERVICES, of_all(ENDPOINTS)), ()),
        ((SERVICES,), (ENDPOINTS,)),
        ((PODS,), (SERVICES, ENDPOINTS)),
    ],
)
def test_who_may_bind_the_role_or_has_its_rights_may_grant_access(held, lacking):
    reader = Rights(*held)
    problems = escalation_problems(reader, replace(TARGET, uid=None))
    assert problems == ([escalation_problem(TARGET, lacking)] if lacking else [])
    assert reader.read_roles == []
    # One question for all registries suffices in a common case.
    assert (len(reader.asked) == 1) is (held == (of_all(BIND),))


def test_the_rights_of_the_role_are_those_that_it_has_in_the_cluster():
    reader = Rights(SERVICES, ENDPOINTS, rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}])
    assert escalation_problems(reader, TARGET) == [escalation_problem(TARGET, [PODS])]
    assert reader.read_roles == [("roles", NAMESPACE, TARGET.role)]


def test_without_the_right_to_ask_about_others_nobody_is_verified():
    right = Right("create", "authorization.k8s.io", "localsubjectaccessreviews")
    assert verification_problems(Rights(right)) == []
    [problem] = verification_problems(Rights())
    assert (problem.option, problem.value) == ("verify", True) and str(right) in problem.problem and "verify to false" in problem.remedy


class Answering:
    """A cluster in which these may use the registry, and these only when they are asked about for the third time; it notes who was asked about."""

    namespace = NAMESPACE

    def __init__(self, may=(), later=(), lists=None):
        self.may, self.later, self.lists, self.cluster, self.asked, self.told = set(may), set(later), lists or {}, self, [], []

    def allows(self, _path, review, _what):
        who = review["spec"].get("user") or review["spec"]["groups"][0]
        self.asked.append(who)
        return who in self.may or (who in self.later and self.asked.count(who) > 2)

    def everywhere(self, api):
        if api[1] not in self.lists:
            raise ClusterError("it is forbidden", 403)
        return self.lists[api[1]]

    def serves(self, *_api):
        return True

    def before_writing(self):
        """Nothing stops it."""

    def tell(self, state):
        self.told.append(state)

    @contextmanager
    def changes(self, _watched, _deadline):
        yield threading.Event()


ADMINS = binding("admins", Grant("groups", "admins"), role="cluster-admin")


def verified(cluster, wanted):
    outcome = Outcome()
    verify(cluster, TARGET, wanted, [dashboards(ALICE)], outcome)
    return outcome.verification, outcome.warnings


def test_the_api_server_is_asked_again_until_it_knows_of_a_new_binding():
    cluster = Answering(["data-scientists"], ["alice"], {"groups": [], "clusterrolebindings": [ADMINS]})
    found, warnings = verified(cluster, Permissions((ALICE, SCIENTISTS)))
    assert found == {"allowed": ["user alice", "group data-scientists"], "denied": [], "others": []} and warnings == []
    assert cluster.asked.count("alice") == 3 and cluster.asked.count("data-scientists") == cluster.asked.count("admins") == 1
    assert cluster.told == ["waiting for the API server to apply the new permissions"]


def test_what_is_not_as_wanted_after_a_moment_is_warned_of(monkeypatch):
    monkeypatch.setattr(access_review, "SECONDS_TO_SETTLE", 0)
    found, warnings = verified(Answering(["admins"], [], {"groups": [], "clusterrolebindings": [ADMINS]}), Permissions((SCIENTISTS,)))
    assert ["do not have access: group data-scientists" in warnings[0], "also have access" in warnings[1]] == [True, True]
    assert found["others"] == [{"subject": "group admins", "through": "ClusterRoleBinding 'admins'"}] and found["denied"] == ["group data-scientists"]


@pytest.mark.parametrize(
    ("wanted", "unseen"),
    [
        (Permissions((ALICE,)), ["the groups of users", "permissions for the whole cluster"]),
        (Permissions((), ("bob",)), ["the groups of users", "permissions for the whole cluster"]),
        (Permissions((SCIENTISTS, PROJECT)), ["permissions for the whole cluster"]),
    ],
)
def test_what_may_not_be_read_is_warned_of_where_it_was_needed(wanted, unseen):
    cluster = Answering(["alice", "bob", "data-scientists", "system:serviceaccounts:fraud-dev"])
    found, warnings = verified(cluster, wanted)
    assert len(warnings) == len(unseen) and all(what in warning for what, warning in zip(unseen, warnings))
    assert found["denied"] == []
