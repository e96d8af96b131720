"""What is wanted of the access to a registry, what its RoleBindings grant, and what is probably a typo."""

from __future__ import annotations

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.directory import Known, doubtful, doubts, known_from, lookups
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.permissions import Grant, Permissions, permissions_from_options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.role_bindings import (
    LiveGrants,
    as_options,
    bindings_of,
    grant_of_subject,
    ownerless,
    permissions_result,
)
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import permission, registry
from ansible_collections.modelops.openshift_ai.plugins.module_utils._texts import names_of

from .builders import options
from .grants import ACCOUNT, ALICE, DASHBOARD_LABELS, PROJECT, SCIENTISTS, TARGET, binding, dashboards, operators


def read(revoke=False, **options):
    """The permissions of these options, the paths of problems, and the warnings."""
    problems, warnings = [], []
    permissions = permissions_from_options(options, revoke, problems, warnings)
    return permissions, {problem.option: problem.problem for problem in problems}, warnings


def test_each_option_lists_its_kind_of_subject():
    account = {"namespace": "ci", "name": "pipeline"}
    permissions, problems, warnings = read(groups=["data-scientists"], users=["alice"], projects=["fraud-dev"], service_accounts=[account], members=["bob"])
    assert permissions == Permissions((SCIENTISTS, ALICE, PROJECT, ACCOUNT), ("bob",))
    assert (problems, warnings) == ({}, [])


@pytest.mark.parametrize(("state", "wrong"), [("present", "prune_unlabelled"), ("absent", "exclusive")])
def test_what_a_state_does_not_support_is_told_by_the_modules(state, wrong):
    of_registry = {**options(), "namespace": None, "state": state}
    for given in ({"exclusive": True}, {"prune_unlabelled": True}):
        named = [(f"permissions.{option}", True) for option in given if option == wrong]
        problems = permission.input_problems({"name": "fraud", "namespace": None, "state": state, "permissions": given})
        assert [(problem.option, problem.value) for problem in problems] == named
        problems = registry.input_problems({**of_registry, "permissions": given})
        # A registry is deleted whatever its permissions are.
        assert [(problem.option, problem.value) for problem in problems] == (named if state == "present" else [])


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [({}, []), ({"name": "a/b", "namespace": "No Name"}, ["namespace", "name"]), ({"permissions": {"groups": [""]}}, ["permissions.groups[0]"])],
)
def test_options_are_checked_before_the_cluster_is_asked(changed, wrong):
    given = {"name": "fraud", "namespace": None, "state": "present", "permissions": None, **changed}
    assert [problem.option for problem in permission.input_problems(given)] == wrong


def test_members_that_are_left_out_are_not_the_same_as_none():
    assert read()[0].members is None
    assert read(members=[])[0].members == ()


@pytest.mark.parametrize(
    ("options", "path", "words"),
    [
        ({"groups": [""]}, "permissions.groups[0]", "empty"),
        ({"groups": ["  "]}, "permissions.groups[0]", "empty"),
        ({"users": ["alice", None]}, "permissions.users[1]", "empty"),
        ({"users": [" alice"]}, "permissions.users[0]", "white space"),
        ({"users": ["al\tice"]}, "permissions.users[0]", "control character"),
        ({"users": ["al\u200bice"]}, "permissions.users[0]", "invisible"),
        ({"groups": [12]}, "permissions.groups[0]", "is not a string"),
        ({"projects": [True]}, "permissions.projects[0]", "is not a string"),
        ({"members": [{"name": "bob"}]}, "permissions.members[0]", "is not a string"),
        ({"members": ["system:serviceaccount:ci:pipeline"]}, "permissions.members[0]", "not a user"),
        ({"users": ["system:serviceaccount:ci"]}, "permissions.users[0]", "not a valid service account"),
        ({"users": ["system:serviceaccount:CI:pipeline"]}, "permissions.users[0]", "not a valid service account"),
        ({"users": ["system:serviceaccount:ci:pipe:line"]}, "permissions.users[0]", "not a valid service account"),
        ({"users": ["system:serviceaccounts:ci"]}, "permissions.users[0]", "group of all service accounts"),
        ({"groups": ["system:serviceaccount:ci:pipeline"]}, "permissions.groups[0]", "a service account"),
        ({"projects": ["system:serviceaccounts:ci"]}, "permissions.projects[0]", "not a valid name of a namespace"),
        ({"service_accounts": ["ci/pipeline"]}, "permissions.service_accounts[0]", "not a dictionary"),
        ({"service_accounts": [{"name": "pipeline"}]}, "permissions.service_accounts[0].namespace", "empty"),
        ({"service_accounts": [{"namespace": "c.i", "name": "pipeline"}]}, "permissions.service_accounts[0].namespace", "not a valid namespace of a"),
        ({"service_accounts": [{"namespace": "ci", "name": "x" * 254}]}, "permissions.service_accounts[0].name", "not a valid name of a service account"),
        ({"service_accounts": [{"namespace": "ci", "name": "Pipe Line"}]}, "permissions.service_accounts[0].name", "not a valid name of a service account"),
        ({"prune_unlabelled": True}, "permissions.prune_unlabelled", "requires permissions.exclusive"),
        ({"exclusive": True, "revoke": True}, "permissions.exclusive", "not supported"),
    ],
)
def test_bad_input_is_named(options, path, words):
    _permissions, problems, _warnings = read(**options)
    assert list(problems) == [path]
    assert words in problems[path]


def test_all_problems_are_found_at_once():
    account = {"namespace": "", "name": "a/b"}
    permissions, problems, _warnings = read(groups=["", "good"], users=[5], service_accounts=[account], members=["system:x", "bob"], prune_unlabelled=True)
    assert list(problems) == [
        "permissions.groups[0]",
        "permissions.users[0]",
        "permissions.service_accounts[0].namespace",
        "permissions.service_accounts[0].name",
        "permissions.members[0]",
        "permissions.prune_unlabelled",
    ]
    assert permissions == Permissions((Grant("groups", "good"),), ("bob",), prune_unlabelled=True)


@pytest.mark.parametrize("given", [{"exclusive": True}, {"exclusive": True, "prune_unlabelled": True}, {"prune_unlabelled": True, "revoke": True}])
def test_what_else_is_done_about_bindings_is_as_the_options_say(given):
    assert read(**given) == (Permissions(**given), {}, [])


def test_the_same_subject_as_a_group_and_as_a_project_is_refused():
    _permissions, problems, _warnings = read(groups=["system:serviceaccounts:fraud-dev"], projects=["fraud-dev"])
    assert "permissions.groups[0]" in problems["permissions.projects[0]"]


def test_a_user_spelled_as_a_service_account_becomes_one_with_a_note():
    permissions, problems, warnings = read(users=["system:serviceaccount:ci:pipeline"], service_accounts=[{"namespace": "ci", "name": "pipeline"}])
    assert permissions.grants == (ACCOUNT,)
    assert problems == {}
    assert "service accounts" in warnings[0] and "ci/pipeline" in warnings[0] and "duplicates" in warnings[1]


def test_duplicates_in_the_list_are_said_and_granted_once():
    permissions, problems, warnings = read(users=["alice", "alice"], groups=["g", "g"], members=["bob", "bob"])
    assert permissions == Permissions((Grant("groups", "g"), ALICE), ("bob",))
    assert problems == {}
    assert warnings == ["permissions contains duplicates: permissions.groups[1], permissions.users[1] and permissions.members[1]"]


def test_of_ten_thousand_entries_only_the_new_ones_are_doubted():
    names = [f"user-{number}" for number in range(10_000)]
    permissions, problems, _warnings = read(users=names, members=names)
    live = [dashboards(grant) for grant in permissions.grants[:5000]]
    new = doubtful(permissions, LiveGrants.of(TARGET, live))
    _problems, warnings = doubts(new, known_from(users=[{"metadata": {"name": f"person-{number}"}} for number in range(10_000)]))
    assert len(permissions.grants) == 10_000 and not problems and len(new) == 5000
    assert "and 4990 more" in warnings[0]


@pytest.mark.parametrize(
    ("grant", "subject"),
    [
        (SCIENTISTS, {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "data-scientists"}),
        (ALICE, {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "alice"}),
        (PROJECT, {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:serviceaccounts:fraud-dev"}),
        (ACCOUNT, {"kind": "ServiceAccount", "name": "pipeline", "namespace": "ci"}),
    ],
)
def test_a_grant_and_its_binding_are_each_others(grant, subject):
    assert grant.subject == subject
    assert bindings_of(TARGET, [dashboards(grant)])[0].grants == (grant,)


@pytest.mark.parametrize(
    ("grant", "words", "path"),
    [
        (SCIENTISTS, "group data-scientists", "permissions.groups[data-scientists]"),
        (ALICE, "user alice", "permissions.users[alice]"),
        (PROJECT, "project fraud-dev", "permissions.projects[fraud-dev]"),
        (ACCOUNT, "service account ci/pipeline", "permissions.service_accounts[ci/pipeline]"),
    ],
)
def test_a_grant_is_named_as_people_write_it(grant, words, path):
    assert (str(grant), grant.path) == (words, path)


@pytest.mark.parametrize(
    ("grant", "project", "is_virtual", "is_everybody", "is_platform"),
    [
        (SCIENTISTS, "", False, False, False),
        (PROJECT, "fraud-dev", False, False, False),
        (Grant("groups", "system:serviceaccounts:fraud-dev"), "fraud-dev", True, False, False),
        (Grant("users", "system:serviceaccounts:fraud-dev"), "", True, False, True),
        (Grant("projects", "kube-system"), "kube-system", False, False, True),
        (Grant("service_accounts", "router", "openshift-ingress"), "", False, False, True),
        (ACCOUNT, "", False, False, False),
        (Grant("groups", "system:masters"), "", True, False, True),
        *(
            (Grant("groups", f"system:{name}"), "", True, True, False)
            for name in ("authenticated", "authenticated:oauth", "unauthenticated", "serviceaccounts")
        ),
    ],
)
def test_what_kind_of_subject_a_grant_is_of_is_told_by_its_name(grant, project, is_virtual, is_everybody, is_platform):
    assert (grant.project, grant.is_virtual, grant.is_everybody, grant.is_platform) == (project, is_virtual, is_everybody, is_platform)


def test_a_service_account_without_a_namespace_is_shown_by_its_name():
    assert grant_of_subject({"kind": "ServiceAccount", "name": "pipeline"}, False).label == "pipeline"
    named = [grant_of_subject({"kind": "ServiceAccount", "name": "builder", **more}, False) for more in ({"namespace": "ci"}, {})]
    assert [account["namespace"] for account in as_options(named, None)["service_accounts"]] == ["", "ci"]


def test_what_the_dashboard_typed_as_a_user_can_be_a_service_account():
    typed = dashboards(ALICE) | {"subjects": [{"kind": "User", "name": "system:serviceaccount:ci:pipeline"}]}
    assert bindings_of(TARGET, [typed])[0].grants[0].key == ACCOUNT.key


def test_bindings_are_recognised_for_what_they_are():
    live = [
        dashboards(ALICE),
        operators(),
        binding("unlabelled", ALICE),
        binding("half-labelled", ALICE, labels={"app.kubernetes.io/name": "fraud"}),
        binding("of-vault", ALICE, labels=dashboards(ALICE)["metadata"]["labels"], owners=[{"apiVersion": "v1", "kind": "Vault", "name": "v", "uid": "9"}]),
        binding("wrong", ALICE, role="registry-users-fraud"),
        binding("another-registry", ALICE, role="registry-user-other"),
        binding("cluster-role", ALICE, role_kind="ClusterRole"),
        dashboards(ALICE, name="going") | {"metadata": {"name": "going", "deletionTimestamp": "2026-05-01T10:00:00Z"}},
    ]
    found = {one.name: (one.grants_access, one.ours, one.operators) for one in bindings_of(TARGET, live)}
    assert found == {
        dashboards(ALICE)["metadata"]["name"]: (True, True, False),
        "fraud-users": (True, False, True),
        "unlabelled": (True, False, False),
        "half-labelled": (True, False, False),
        "of-vault": (True, False, False),
        "wrong": (False, False, False),
    }


def test_somebody_elses_binding_with_the_name_of_the_operators_is_not_the_operators():
    assert not bindings_of(TARGET, [dashboards(ALICE, name="fraud-users")])[0].operators


def test_who_may_use_a_registry_is_shown_in_the_shape_of_the_options():
    live = [dashboards(grant) for grant in (ALICE, ACCOUNT, PROJECT, SCIENTISTS, Grant("users", "adam"))]
    live += [operators(), binding("unlabelled", Grant("users", "eve")), binding("two", Grant("users", "bea"), ALICE, labels=live[0]["metadata"]["labels"])]
    assert permissions_result(LiveGrants.of(TARGET, live), {"metadata": {"name": "fraud-users"}, "users": ["carol", "bob"]}) == {
        "groups": ["data-scientists"],
        "users": ["adam", "alice", "bea"],
        "projects": ["fraud-dev"],
        "service_accounts": [{"namespace": "ci", "name": "pipeline"}],
        "members": ["bob", "carol"],
    }
    assert "members" not in permissions_result(LiveGrants.of(TARGET, live), None)


def test_what_is_shown_is_sorted_and_without_duplicates():
    accounts = [Grant("service_accounts", name, namespace) for name, namespace in (("a", "two"), ("b", "one"), ("c", "one"))]
    shown = as_options([*accounts, SCIENTISTS, Grant("groups", "admins")], {"users": ["eve", "bob", "eve"]})
    assert [(account["namespace"], account["name"]) for account in shown["service_accounts"]] == [("one", "b"), ("one", "c"), ("two", "a")]
    assert (shown["groups"], shown["members"]) == (["admins", "data-scientists"], ["bob", "eve"])
    assert as_options([], {"users": None}) == {"groups": [], "users": [], "projects": [], "service_accounts": [], "members": []}


def test_an_export_converges_to_no_new_grant():
    live = [dashboards(grant) for grant in (ALICE, ACCOUNT, PROJECT, SCIENTISTS)]
    permissions, problems, warnings = read(**permissions_result(LiveGrants.of(TARGET, live), None))
    assert (doubtful(permissions, LiveGrants.of(TARGET, live)), problems, warnings) == ([], {}, [])


# --- what is probably a typo ---

CLUSTER = Known(
    groups={"data-scientists": frozenset({"alice"}), "Data Scientists": frozenset()},
    users=frozenset({"alice", "bob"}),
    namespaces={"fraud-dev": "Fraud development", "fraud-test": "Fraud", "fraud-prod": "Fraud", "ci": ""},
    service_accounts={"ci": frozenset({"pipeline"})},
)


def test_what_the_cluster_knows_is_not_doubted():
    known = (SCIENTISTS, ALICE, PROJECT, ACCOUNT, Grant("groups", "system:authenticated"), Grant("users", "system:admin"), Grant("groups", "Data Scientists"))
    assert doubts(known, CLUSTER) == ([], [])


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        (Grant("groups", "data-scientsts"), "groups 'data-scientsts' (did you mean 'data-scientists'?)"),
        (Grant("users", "alcie"), "users 'alcie' (did you mean 'alice'?); access is granted anyway; a user exists only after the first login"),
        (Grant("projects", "fraud-devel"), "namespaces 'fraud-devel' (did you mean 'fraud-dev'?)"),
        (Grant("groups", "system:serviceaccounts:gone"), "namespaces 'gone'"),
        (Grant("service_accounts", "pipelin", "ci"), "service accounts 'ci/pipelin'"),
        (Grant("service_accounts", "pipeline", "cd"), "namespaces 'cd'"),
    ],
)
def test_what_the_cluster_does_not_know_is_a_warning(grant, words):
    problems, [warning] = doubts([grant], CLUSTER)
    assert problems == [] and words in warning


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        (Grant("projects", "Fraud development", option="permissions.projects[3]"), "Use 'fraud-dev', the namespace"),
        (Grant("projects", "Fraud", option="permissions.projects[3]"), "Use 'fraud-prod' or 'fraud-test', the namespace"),
        (Grant("projects", "No Such Thing", option="permissions.projects[3]"), "not a valid name of a namespace"),
        (Grant("groups", "data scientists", option="permissions.groups[3]"), "contains a space"),
        (Grant("users", "alice smith", option="permissions.users[3]"), "contains a space"),
    ],
)
def test_a_display_name_is_suggested_and_never_guessed(grant, words):
    [problem], warnings = doubts([grant], CLUSTER)
    assert words in problem.sentence() and problem.value == grant.name and warnings == []
    # Where it cannot be looked up it is refused too.
    assert [problem.option for problem in doubts([grant], Known())[0]] == [grant.option]


def test_what_is_read_of_a_cluster_is_known():
    def listed(**named):
        return [{"metadata": {"name": name}, **more} for name, more in named.items()]

    projects = listed(ci={}, dev={})
    projects[0]["metadata"]["annotations"] = {"openshift.io/display-name": "Builds"}
    known = known_from(listed(g={"users": ["alice", "bob"]}, empty={"users": None}), listed(alice={}), projects, {"ci": listed(pipeline={}), "dev": []})
    accounts = {"ci": frozenset({"pipeline"}), "dev": frozenset()}
    assert known == Known({"g": frozenset({"alice", "bob"}), "empty": frozenset()}, frozenset({"alice"}), {"ci": "Builds", "dev": ""}, accounts)
    assert known_from() == Known()
    assert known_from([], [], []) == Known({}, frozenset(), {})


def test_a_service_account_is_doubted_also_where_namespaces_cannot_be_read():
    _problems, [warning] = doubts([ACCOUNT, Grant("service_accounts", "gone", "ci")], Known(service_accounts=CLUSTER.service_accounts))
    assert warning == "the cluster does not have service accounts 'ci/gone'; access is granted anyway"


def test_each_kind_of_what_the_cluster_does_not_know_is_one_warning_without_duplicates():
    unknown = [Grant("users", "yves"), Grant("users", "xenia"), Grant("projects", "gone"), Grant("service_accounts", "a", "gone"), Grant("groups", "no")]
    problems, warnings = doubts(unknown, CLUSTER)
    assert problems == []
    assert [warning.partition("; ")[0] for warning in warnings] == [
        "the cluster does not have groups 'no'",
        "the cluster does not have users 'xenia' and 'yves'",
        "the cluster does not have namespaces 'gone'",
    ]


def test_what_cannot_be_looked_up_is_not_doubted():
    assert doubts([SCIENTISTS, ALICE, PROJECT, ACCOUNT], Known()) == ([], [])


def test_only_new_grants_are_looked_up():
    wanted = Permissions((ALICE, SCIENTISTS, PROJECT, ACCOUNT, Grant("groups", "system:authenticated")))
    assert doubtful(wanted, LiveGrants.of(TARGET, [dashboards(ALICE)])) == list(wanted.grants[1:])
    assert lookups(wanted.grants) == ({"groups", "users", "namespaces"}, ["ci"])
    assert (lookups([ACCOUNT]), lookups([PROJECT])) == (({"namespaces"}, ["ci"]), ({"namespaces"}, []))
    assert (lookups([ALICE]), lookups([SCIENTISTS])) == (({"users"}, []), ({"groups"}, []))
    assert lookups([Grant("groups", "system:serviceaccounts:ci")]) == ({"namespaces"}, [])
    assert lookups([Grant("service_accounts", "x", "z"), Grant("service_accounts", "y", "z"), ACCOUNT])[1] == ["ci", "z"]
    assert lookups([Grant("groups", "system:authenticated")]) == lookups([]) == (set(), [])


def test_of_what_is_revoked_only_display_names_are_looked_up():
    wanted = Permissions((ALICE, PROJECT, Grant("projects", "Fraud development"), Grant("users", "gone long ago")), revoke=True)
    assert doubtful(wanted, LiveGrants.of(TARGET, [])) == [Grant("projects", "Fraud development")]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], ""),
        (["a"], "a"),
        (list("abcdefghij"), "a, b, c, d, e, f, g, h, i and j"),
        (["a", "b"], "a and b"),
        (list("abc"), "a, b and c"),
        (["x"] * 12, "x, x, x, x, x, x, x, x, x, x and 2 more"),
    ],
)
def test_names_are_listed_as_people_read_them(names, shown):
    assert names_of(names) == shown


def test_bindings_without_an_owner_are_leavings_only_when_they_are_the_dashboards_or_ours():
    left = binding("left", ALICE, labels=DASHBOARD_LABELS)
    others = [dashboards(ALICE), binding("somebodys", ALICE), operators(), binding("of-another", ALICE, role="registry-user-other", labels=DASHBOARD_LABELS)]
    assert ownerless(TARGET, [left, *others]) == [left]
