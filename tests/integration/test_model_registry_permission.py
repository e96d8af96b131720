"""Who may use a registry: granted by the modules and by the dashboard in turn, proven with real tokens at the registry's address.

One registry serves for all of these tests; each begins with nobody who may use it.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import aiohttp
import pytest
import yaml

from sandbox import databases, faults, people
from sandbox.layout import REGISTRIES_NAMESPACE, ROOT, Layout
from tests.dashboard import Dashboard
from tests.helpers import RBAC, REGISTRIES, ROLE_BINDINGS, Cluster, Run, Runner, Task, converging_roles, until

MODULE = "modelops.openshift_ai.model_registry_permission"
GROUPS = (people.USER_API, "groups")
# The DataScienceCluster, the registry twice, the RoleBindings, the registry's Group, its Deployment.
READS_WITHOUT_A_CHANGE = 6


@pytest.fixture(scope="module")
def creation(layout: Layout, cluster: Cluster, automation: Runner) -> Iterator[tuple[str, Run]]:
    """A registry that was made together with permissions, and the run that made it."""
    name, database = f"granted-{uuid.uuid4().hex[:6]}", f"granted_{uuid.uuid4().hex[:6]}"
    databases.create_databases(layout, "mysql", [database])
    login = {"username": databases.REGISTRY.name, "password": databases.REGISTRY.password}
    mysql = {"type": "mysql", "host": "mysql", "namespace": "data", "name": database, **login, "ca": {"source": "cluster"}}
    try:
        yield name, automation.converged(name=name, database=mysql, permissions={"groups": ["data-scientists"], "members": ["carol"]})
    finally:
        automation(name=name, state="absent", wait=False)
        databases.drop_database(layout, "mysql", database)


@pytest.fixture
def registry(cluster: Cluster, creation: tuple[str, Run]) -> str:
    """The registry, without anybody who may use it."""
    name, _run = creation
    for binding in bindings_of_others(cluster, name):
        cluster.delete(*ROLE_BINDINGS, binding["metadata"]["name"])
    cluster.merge(*GROUPS, f"{name}-users", {"users": []}, None)
    return name


@pytest.fixture(scope="module")
def project(cluster: Cluster) -> Iterator[str]:
    """A namespace that is displayed by another name, with the service accounts `default` and `pipeline`."""
    name = f"project-{uuid.uuid4().hex[:6]}"
    annotations = {"openshift.io/display-name": f"Display of {name}"}
    cluster.create("v1", "namespaces", {"metadata": {"name": name, "annotations": annotations}}, None)
    cluster.create("v1", "serviceaccounts", {"metadata": {"name": "pipeline"}}, name)
    until(lambda: cluster.get("v1", "serviceaccounts", "default", name))
    yield name
    cluster.delete("v1", "namespaces", name, None)


def bindings(cluster: Cluster, registry: str) -> list[dict[str, Any]]:
    """The RoleBindings that concern a registry."""
    roles = (f"registry-user-{registry}", f"registry-users-{registry}")
    return [binding for binding in cluster.items(*ROLE_BINDINGS) if binding["roleRef"]["name"] in roles]


def bindings_of_others(cluster: Cluster, registry: str) -> list[dict[str, Any]]:
    """Those of them that the operator did not make."""
    return [binding for binding in bindings(cluster, registry) if binding["metadata"]["name"] != f"{registry}-users"]


def shown(cluster: Cluster, registry: str) -> list[tuple[str, str]]:
    """What the dashboard lists, but for the operator's: by the labels, and of each RoleBinding the first subject only."""
    rows = []
    for binding in cluster.items(*ROLE_BINDINGS, labelSelector=f"component=model-registry,app.kubernetes.io/name={registry}"):
        subject, labels = binding["subjects"][0], binding["metadata"]["labels"]
        is_project = subject["kind"] == "Group" and labels.get("opendatahub.io/rb-project-subject") == "true"
        if binding["metadata"]["name"] != f"{registry}-users":
            rows.append(("Project" if is_project else subject["kind"], subject["name"]))
    return sorted(rows)


def members(cluster: Cluster, registry: str) -> list[str]:
    return cluster.get(*GROUPS, f"{registry}-users", None).get("users") or []


def bind(cluster: Cluster, registry: str, name: str, *users: str, role: str = "registry-user-", labels: Mapping[str, str] | None = None) -> None:
    """A RoleBinding that somebody wrote by hand."""
    subjects = [{"apiGroup": RBAC, "kind": "User", "name": user} for user in users]
    role_ref = {"apiGroup": RBAC, "kind": "Role", "name": f"{role}{registry}"}
    cluster.create(*ROLE_BINDINGS, {"metadata": {"name": name, "labels": dict(labels or {})}, "roleRef": role_ref, "subjects": subjects})


def statuses(layout: Layout, registry: str, tokens: Mapping[str, str]) -> dict[str, int]:
    """What the registry, at its public address, answers to the owner of each token."""

    async def ask() -> dict[str, int]:
        tls = ssl.create_default_context(cafile=str(layout.path("pki", "ingress-ca.crt")))
        url = f"https://{registry}-rest.apps.sandbox.test/api/model_registry/v1alpha3/registered_models?pageSize=1"
        found = {}
        async with aiohttp.ClientSession() as session:
            for who, token in tokens.items():
                headers = {"Authorization": f"Bearer {token}"}
                async with session.get(url, headers=headers, proxy=layout.router_url, ssl=tls) as answer:
                    found[who] = answer.status
        return found

    return asyncio.run(ask())


def permission(name: str, state: str = "present", check: bool = False, token: str = "", verify: bool = False, **permissions: Any) -> Task:
    """A task of the module; `state` and `verify` only where they are not the default."""
    options = {"name": name, "permissions": permissions} | ({"state": state} if state != "present" else {}) | ({"verify": True} if verify else {})
    return Task(options, MODULE, check=check, diff=True, token=token)


def test_permissions_are_granted_together_with_a_new_registry(cluster: Cluster, creation: tuple[str, Run]) -> None:
    name, made = creation
    assert made.changes == [("create", "Secret"), ("create", "ModelRegistry"), ("create", "RoleBinding"), ("update", "Group")]
    assert made.result["registry"]["permissions"] == {
        "groups": ["data-scientists"],
        "users": [],
        "projects": [],
        "service_accounts": [],
        "members": ["carol"],
    }
    # The operator has emptied the Group before, and not since.
    assert members(cluster, name) == ["carol"]
    [granted] = bindings_of_others(cluster, name)
    owner = {"apiVersion": REGISTRIES[0], "kind": "ModelRegistry", "name": name, "uid": cluster.registry(name)["metadata"]["uid"]}
    assert granted["metadata"]["ownerReferences"] == [owner | {"blockOwnerDeletion": False}]
    assert "+group data-scientists" in made.output and "+member carol" in made.output


def test_whoever_is_granted_access_gets_in_and_whoever_is_not_does_not(
    cluster: Cluster, layout: Layout, automation: Runner, registry: str, project: str
) -> None:
    tokens = {
        "of the group": people.token("alice"),
        "the user": people.token("dana"),
        "of the project": cluster.token(project, "default"),
        "the service account": cluster.token("automation", "default"),
        "the member": people.token("carol"),
    }
    nobody = people.token("frank")
    assert set(statuses(layout, registry, tokens).values()) == {403}
    listed: dict[str, Any] = {
        "groups": ["data-scientists"],
        "users": ["dana"],
        "projects": [project],
        "service_accounts": [{"namespace": "automation", "name": "default"}],
        "members": ["carol"],
    }
    predicted, done, again = automation.sequence([permission(registry, check=True, **listed), permission(registry, **listed), permission(registry, **listed)])
    assert predicted.writes == [] and predicted.result["changes"] == done.result["changes"] and predicted.result["registry"] == done.result["registry"]
    assert done.changes == [("create", "RoleBinding")] * 4 + [("update", "Group")], done.output
    assert done.warnings == [] and done.result["registry"]["permissions"] == listed
    assert "+service account automation/default" in done.output and "+member carol" in done.output
    # Read back after it was written.
    assert [request.verb for request in done.requests if request.path.endswith(f"/groups/{registry}-users")] == ["get", "patch", "get"]
    assert again.changes == [] and again.writes == [] and len(again.reads) <= READS_WITHOUT_A_CHANGE, again.reads
    assert again.result["status"]["available"] is True

    until(lambda: set(statuses(layout, registry, tokens).values()) == {200}, 10)
    assert statuses(layout, registry, {"nobody": nobody}) == {"nobody": 403}
    assert shown(cluster, registry) == [
        ("Group", "data-scientists"),
        ("Project", f"system:serviceaccounts:{project}"),
        ("ServiceAccount", "default"),
        ("User", "dana"),
    ]

    [revoked] = automation.sequence([permission(registry, state="absent", **listed)])
    assert revoked.changes == [("delete", "RoleBinding")] * 4 + [("update", "Group")], revoked.output
    assert "-user dana" in revoked.output
    # A right is asked for once, however many grants it is needed for.
    assert len([request for request in revoked.requests if request.path.endswith("/selfsubjectaccessreviews")]) == len(("delete", "patch"))
    assert shown(cluster, registry) == [] and members(cluster, registry) == []
    until(lambda: set(statuses(layout, registry, tokens).values()) == {403}, 10)


def test_the_dashboard_and_the_module_see_what_the_other_granted(cluster: Cluster, layout: Layout, automation: Runner, registry: str, project: str) -> None:
    pages = Dashboard(cluster)
    listed: dict[str, Any] = {"groups": ["ml-engineers", "system:authenticated"], "users": ["dana"], "projects": [project]}
    for kind, subject in (("Group", "ml-engineers"), ("Group", "system:authenticated"), ("User", "dana"), ("Project", project)):
        pages.grant(registry, kind, subject)
    frank = {"anybody": people.token("frank")}
    assert until(lambda: statuses(layout, registry, frank)["anybody"] == 200, 10)
    adopted, fewer = automation.sequence(
        [permission(registry, **listed, exclusive=True), permission(registry, groups=["ml-engineers"], users=["bob"], exclusive=True)]
    )
    assert adopted.changes == [] and adopted.writes == [] and adopted.result["registry"]["permissions"] == listed | {"service_accounts": [], "members": []}
    assert fewer.changes == [("create", "RoleBinding")] + [("delete", "RoleBinding")] * 3, fewer.output
    assert shown(cluster, registry) == [("Group", "ml-engineers"), ("User", "bob")]
    until(lambda: statuses(layout, registry, frank)["anybody"] == 403, 10)

    # The dashboard replaces the subject of our binding in place: its name then stands for somebody else.
    [bobs] = [binding for binding in bindings(cluster, registry) if binding["subjects"][0]["name"] == "bob"]
    pages.change_grant(bobs["metadata"]["name"], "User", "carol")
    [both] = automation.sequence([permission(registry, users=["bob"])])
    assert both.changes == [("create", "RoleBinding")], both.output
    assert shown(cluster, registry) == [("Group", "ml-engineers"), ("User", "bob"), ("User", "carol")]
    for binding in bindings(cluster, registry):
        if binding["subjects"][0]["name"] == "bob":
            pages.revoke(binding["metadata"]["name"])
    [again] = automation.sequence([permission(registry, users=["bob"], exclusive=True)])
    assert again.changes == [("create", "RoleBinding")] + [("delete", "RoleBinding")] * 2 and shown(cluster, registry) == [("User", "bob")]


def test_exact_makes_the_list_the_whole_truth_and_says_what_is_somebody_elses(cluster: Cluster, automation: Runner, registry: str) -> None:
    pages = Dashboard(cluster)
    for user in ("bob", "bob", "dana"):
        pages.grant(registry, "User", user)
    labels = {"component": "model-registry", "app.kubernetes.io/name": registry}
    bind(cluster, registry, f"{registry}-hand", "eve")
    bind(cluster, registry, f"{registry}-wrong", "mallory", role="registry-users-", labels=labels)
    bind(cluster, registry, f"{registry}-two", "carol", "alice", labels=labels)
    cluster.merge(*GROUPS, f"{registry}-users", {"users": ["carol"]}, None)
    listed: dict[str, Any] = {"users": ["bob", "carol"]}
    added, predicted, exact, pruned, emptied = automation.sequence(
        [
            permission(registry, **listed),
            permission(registry, **listed, exclusive=True, check=True),
            permission(registry, **listed, exclusive=True),
            permission(registry, **listed, members=[], exclusive=True, prune_unlabelled=True),
            permission(registry, exclusive=True),
        ]
    )
    # Carol's binding has no owner: it was made while the registry's page had not loaded.
    assert [change["fields"] for change in added.result["changes"]] == [["metadata.ownerReferences"]], added.output
    said = " ".join(added.warnings)
    for part in ("more than one RoleBinding: user bob", f"user alice in '{registry}-two'", f"'registry-users-{registry}' instead of"):
        assert part in said, added.warnings
    # What is revoked is tried on the server.
    assert predicted.writes == [] and predicted.result["changes"] == exact.result["changes"]
    gone = [field for change in exact.result["changes"] for field in change["fields"]]
    assert sorted(gone) == [f"permissions.users[{user}]" for user in ("alice", "bob", "dana", "mallory")], exact.output
    assert any(f"'{registry}-hand' (user eve)" in warning for warning in exact.warnings)
    assert [(change["action"], change["kind"], change["name"]) for change in pruned.result["changes"]] == [
        ("delete", "RoleBinding", f"{registry}-hand"),
        ("update", "Group", f"{registry}-users"),
    ]
    assert emptied.changes == [("delete", "RoleBinding")] * 2
    assert [binding["metadata"]["name"] for binding in bindings(cluster, registry)] == [f"{registry}-users"] and members(cluster, registry) == []


def test_two_runs_at_the_same_time_end_in_the_union(cluster: Cluster, layout: Layout, automation: Runner, registry: str) -> None:
    halves = [[f"user-{number}" for number in range(first, first + 20)] for first in (0, 10)]
    # Both read before either writes: between the two each run asks for its rights.
    late = faults.Rule("delay", verbs=("create",), path="/selfsubjectaccessreviews", seconds=2, count=2)
    faults.forget_requests(layout)
    faults.api_rules(layout, [late])
    runs: list[Run] = []
    threads = [threading.Thread(target=lambda half=half: runs.extend(automation.sequence([permission(registry, users=half, members=half)]))) for half in halves]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        faults.api_rules(layout, [])
    assert [run.output for run in runs if run.failed] == [] and len(runs) == 2
    union = sorted({*halves[0], *halves[1]})
    assert shown(cluster, registry) == [("User", user) for user in union]
    assert sorted(members(cluster, registry)) == union
    refused = {request.path.split("/")[-2 if "groups" in request.path else -1] for request in faults.recorded_requests(layout) if request.status == 409}
    assert refused == {"rolebindings", "groups"}
    # Each says what it did itself: what the other was faster with is no change of its own.
    assert sum(change["kind"] == "RoleBinding" for run in runs for change in run.result["changes"]) == len(union)


def test_a_run_that_was_killed_after_any_write_is_completed_by_the_next(cluster: Cluster, automation: Runner, registry: str) -> None:
    pages, writes = Dashboard(cluster), 4
    wanted: dict[str, Any] = {"users": ["alice", "bob"], "members": ["carol"], "exclusive": True}
    for number in range(1, writes + 1):
        for binding in bindings_of_others(cluster, registry):
            pages.revoke(binding["metadata"]["name"])
        cluster.merge(*GROUPS, f"{registry}-users", {"users": []}, None)
        ownerless = pages.grant(registry, "User", "bob")
        cluster.merge(*ROLE_BINDINGS, ownerless["metadata"]["name"], {"metadata": {"ownerReferences": None}})
        pages.grant(registry, "User", "dana")
        assert automation.killed_after(number, name=registry, permissions=wanted)
        run = automation(name=registry, permissions=wanted)
        assert not run.failed and len(run.writes) in (writes - number, writes - number + 1), run.output
        assert shown(cluster, registry) == [("User", "alice"), ("User", "bob")] and members(cluster, registry) == ["carol"]
        uid = cluster.registry(registry)["metadata"]["uid"]
        assert all(binding["metadata"]["ownerReferences"][0]["uid"] == uid for binding in bindings(cluster, registry))


def test_what_is_probably_a_typo_is_a_warning(automation: Runner, registry: str, project: str) -> None:
    listed: dict[str, Any] = {
        "groups": ["data-scientist", "system:authenticated"],
        "users": ["dena", f"system:serviceaccount:{project}:pipeline", "alice", "alice"],
        "projects": [f"{project}x"],
        "service_accounts": [{"namespace": project, "name": "pipelin"}, {"namespace": "nowhere", "name": "default"}],
    }
    run, known = automation.sequence([permission(registry, check=True, **listed), permission(registry, check=True, users=["alice"], projects=[project])])
    assert not run.failed and len(run.result["changes"]) == len(("two groups", "dena", "pipeline", "alice", "the project", "pipelin", "default")) + 1
    said = " ".join(run.warnings)
    for part in (
        "groups 'data-scientist' (did you mean 'data-scientists'?)",
        "users 'dena' (did you mean 'dana'?)",
        "exists only after the first login",
        f"'{project}x' (did you mean '{project}'?)",
        "'nowhere'",
        f"service accounts '{project}/pipelin'",
        f"granted access as service accounts: {project}/pipeline",
        "contains duplicates: ",
    ):
        assert part in said, run.warnings
    assert known.warnings == []


def test_each_wrong_input_is_named_and_nothing_is_written(cluster: Cluster, automation: Runner, registry: str, project: str) -> None:
    entries: dict[str, Any] = {
        "groups": ["", "one\ttwo", " padded", f"system:serviceaccount:{project}:default", "no such group", f"system:serviceaccounts:{project}"],
        "users": [f"system:serviceaccounts:{project}", "no such user"],
        "projects": [f"Display of {project}", "Not A Namespace", "a:b", project],
        "service_accounts": [{"namespace": "", "name": "x"}, {"namespace": "n", "name": "No Name"}],
        "members": ["", "system:admin"],
    }
    many = [f"group-{number}" for number in range(10_000)]
    runs = wrong, unheard, mistyped, unknown, too_many, combined, account, everywhere = automation.sequence(
        [
            permission(registry, **entries),
            permission(registry, groups=["no such group"], users=["no such user"], projects=[f"Display of {project}", "Not A Namespace"]),
            permission(registry, groups=["data-scientists", ["a"], {"name": "b"}], users=[{"name": "alice"}]),
            permission("no-such-registry", groups=["data-scientists"]),
            permission(registry, groups=[*many, ""]),
            permission(registry, state="absent", users=["alice"], exclusive=True),
            permission(registry, service_accounts=[{"namespace": "ci"}]),
            Task({"name": registry, "permissions": {"groups": [""]}, "database": {"port": 0}}),
        ]
    )
    assert all(run.failed and run.writes == [] for run in runs), [run.output for run in runs]
    options = {problem["option"]: problem for problem in wrong.result["problems"]}
    listed = [f"permissions.groups[{number}]" for number in range(4)]
    listed += [
        "permissions.users[0]",
        "permissions.projects[2]",
        "permissions.projects[3]",
    ]
    listed += ["permissions.service_accounts[0].namespace", "permissions.service_accounts[1].name", "permissions.members[0]", "permissions.members[1]"]
    assert sorted(options) == sorted(listed)
    assert all(problem["problem"] and problem["remedy"] and problem["remedy"] in wrong.result["msg"] for problem in wrong.result["problems"])
    # What only the cluster knows is told once what needs no cluster is right.
    assert {problem["option"] for problem in unheard.result["problems"]} == {
        f"permissions.{option}" for option in ("groups[0]", "users[0]", "projects[0]", "projects[1]")
    }
    assert f"'{project}'" in unheard.result["msg"] and "display name of a project" in unheard.result["msg"]
    assert "is the same subject as permissions.groups[5]" in options["permissions.projects[3]"]["problem"]
    assert {problem["option"] for problem in mistyped.result["problems"]} == {"permissions.groups[1]", "permissions.groups[2]", "permissions.users[0]"}
    said = [
        (unknown, "name", "Registry 'no-such-registry' does not exist"),
        (too_many, "permissions.groups[10000]", "is empty"),
        (combined, "permissions.exclusive", "state absent"),
    ]
    for run, option, part in said:
        [problem] = run.result["problems"]
        assert problem["option"] == option and part in problem["problem"], run.output
    assert "permissions.service_accounts[0].name: is required" in account.result["msg"]
    assert [problem["option"] for problem in everywhere.result["problems"]] == ["database.port", "permissions.groups[0]"]
    assert shown(cluster, registry) == []


def test_an_account_may_grant_only_what_it_may_bind_or_has_itself_and_is_told_what_it_lacks(
    cluster: Cluster, automation: Runner, registry: str, project: str
) -> None:
    role = next(role for role in converging_roles() if role["kind"] == "Role")

    def allow(person: str, allowed: Callable[[str], bool], *more: dict[str, Any]) -> None:
        """Give a person those verbs of rbac/converge.yml in the registries namespace, without what registries allow, and none in the cluster."""
        own = [rule for rule in role["rules"] if rule["resources"] != ["services", "endpoints"]]
        rules = [rule | {"verbs": [verb for verb in rule["verbs"] if allowed(verb)]} for rule in own]
        metadata = {"name": f"{registry}-{person}", "namespace": REGISTRIES_NAMESPACE}
        role_ref = {"apiGroup": RBAC, "kind": "Role", "name": metadata["name"]}
        subject = {"apiGroup": RBAC, "kind": "User", "name": person}
        binding = {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": metadata, "roleRef": role_ref, "subjects": [subject]}
        rules = [rule for rule in rules if rule["verbs"]]
        cluster.call(lambda api: api.apply_all([role | {"metadata": metadata, "rules": [*rules, *more]}, binding]))

    listed: dict[str, Any] = {
        "groups": ["data-scientists"],
        "users": ["alice"],
        "projects": [project],
        "service_accounts": [{"namespace": project, "name": "pipeline"}],
        "exclusive": True,
    }
    bind(cluster, registry, f"{registry}-old", "dana", labels={"component": "model-registry", "app.kubernetes.io/name": registry})
    tasks = [permission(registry, token=people.token(person), verify=True, **listed) for person in ("bob", "frank")]
    another = permission(registry, token=people.token("frank"), users=["erin"])
    for task in (*tasks, another):
        task.options["namespace"] = REGISTRIES_NAMESPACE
    try:
        allow("bob", lambda verb: verb in ("get", "list"))
        allow("frank", lambda _verb: True)
        # Starting Ansible takes longer than the API server needs to know of a Role.
        reader, without_both = automation.sequence(tasks)
        # With the same rights as the Role gives, or the permission to bind just this Role.
        allow("frank", lambda _verb: True, {"apiGroups": [""], "resources": ["services", "endpoints"], "resourceNames": [registry], "verbs": ["get"]})
        [granted] = automation.sequence(tasks[1:])
        allow("frank", lambda _verb: True, {"apiGroups": [RBAC], "resources": ["roles"], "resourceNames": [f"registry-user-{registry}"], "verbs": ["bind"]})
        [bound] = automation.sequence([another])
    finally:
        for person in ("bob", "frank"):
            for plural in ("rolebindings", "roles"):
                cluster.delete(f"{RBAC}/v1", plural, f"{registry}-{person}")
    for run in (reader, without_both):
        assert run.failed and run.writes == [], run.output
        assert f"bind roles.rbac.authorization.k8s.io 'registry-user-{registry}'" in run.result["msg"], run.output
        assert f"get services '{registry}' and get endpoints '{registry}'" in run.result["msg"], run.output
    for right in ("create rolebindings.", "delete rolebindings.", "create localsubjectaccessreviews."):
        assert right in reader.result["msg"] and right not in without_both.result["msg"], reader.output
    assert granted.changes == [("create", "RoleBinding")] * 4 + [("delete", "RoleBinding")], granted.output
    assert bound.changes == [("create", "RoleBinding")], bound.output
    said = " ".join(granted.warnings)
    for resource in ("groups", "users", "namespaces", "serviceaccounts", "clusterrolebindings"):
        assert resource in said, granted.warnings


def test_the_api_server_is_asked_who_really_may(cluster: Cluster, automation: Runner, registry: str, project: str) -> None:
    role = {"metadata": {"name": f"{registry}-reader"}, "rules": [{"apiGroups": [""], "resources": ["services"], "verbs": ["get"]}]}
    subject = {"apiGroup": RBAC, "kind": "User", "name": "erin"}
    role_ref = {"apiGroup": RBAC, "kind": "ClusterRole", "name": f"{registry}-reader"}
    cluster.create(f"{RBAC}/v1", "clusterroles", role, None)
    cluster.create(f"{RBAC}/v1", "clusterrolebindings", {"metadata": role["metadata"], "roleRef": role_ref, "subjects": [subject]}, None)
    # With kubectl, without the labels of the dashboard.
    bind(cluster, registry, f"{registry}-by-hand", "grace")
    listed: dict[str, Any] = {
        "groups": ["data-scientists"],
        "users": ["dana"],
        "projects": [project],
        "service_accounts": [{"namespace": project, "name": "pipeline"}],
    }
    try:
        granted, revoked = automation.sequence(
            [
                permission(registry, verify=True, **listed, members=["bob"]),
                permission(registry, state="absent", verify=True, **listed, members=["bob"]),
            ]
        )
    finally:
        cluster.delete(*ROLE_BINDINGS, f"{registry}-by-hand")
        for plural in ("clusterrolebindings", "clusterroles"):
            cluster.delete(f"{RBAC}/v1", plural, f"{registry}-reader", None)
    names = ["group data-scientists", "user dana", f"project {project}", f"service account {project}/pipeline", "user bob"]
    assert granted.result["verification"]["allowed"] == names and granted.result["verification"]["denied"] == []
    assert {"subject": "user erin", "through": f"ClusterRoleBinding '{registry}-reader'"} in granted.result["verification"]["others"]
    assert {"subject": "user grace", "through": f"RoleBinding '{registry}-by-hand'"} in granted.result["verification"]["others"]
    assert any("these subjects also have access" in warning and "user erin" in warning and "user grace" in warning for warning in granted.warnings)
    assert revoked.result["verification"]["denied"] == names and revoked.result["verification"]["allowed"] == []


def test_a_registry_that_was_made_again_owns_its_grants_again_and_takes_them_along(cluster: Cluster, automation: Runner, name: str) -> None:
    # As after a backup was played back: the RoleBindings are there without an owner, and the registry is not.
    labels = {"component": "model-registry", "app.kubernetes.io/name": name}
    for user in ("alice", "bob"):
        bind(cluster, name, f"{name}-{user}", user, labels=labels)
    # It need not serve.
    database = {"type": "mysql", "host": "nohost", "namespace": "data", "name": "none", "username": "nobody", "password": "no-matter"}
    unmade, unready, absent, mended, deleted = automation.sequence(
        [
            permission(name, users=["alice"]),
            Task({"name": name, "database": database, "wait": False, "permissions": {"users": ["alice"], "members": ["bob"]}}),
            permission("no-such-registry", state="absent", users=["alice"]),
            Task({"name": name, "database": database, "wait": False, "permissions": {"users": ["alice"]}}),
            Task({"name": name, "state": "absent", "wait": False}),
        ]
    )
    assert unmade.failed and unmade.writes == [] and f"Registry {name!r} does not exist" in unmade.result["msg"]
    # The operator makes its Group, and empties it, only then.
    assert unready.failed and unready.writes == [] and "can be set only after the new registry is available, and wait is false" in unready.result["msg"]
    assert [problem["option"] for problem in unready.result["problems"]] == ["permissions.members"], unready.output
    assert not absent.failed and any("Registry 'no-such-registry' does not exist" in warning for warning in absent.warnings)
    assert mended.changes == [("create", "Secret"), ("create", "ModelRegistry"), ("update", "RoleBinding")], mended.output
    assert mended.result["changes"][2]["fields"] == ["metadata.ownerReferences"]
    assert sorted(mended.result["registry"]["permissions"]["users"]) == ["alice", "bob"]
    # What nothing takes along is deleted: it would grant access to the next registry of this name.
    assert [change["name"] for change in deleted.result["changes"] if change["kind"] == "RoleBinding"] == [f"{name}-bob"], deleted.output
    until(lambda: bindings(cluster, name) == [])


def test_the_examples_of_the_module_run_in_their_order(automation: Runner, registry: str) -> None:
    source = (ROOT / "plugins" / "modules" / "model_registry_permission.py").read_text()
    found = re.search(r'EXAMPLES = r"""(.*?)"""', source, re.DOTALL)
    assert found
    runs = automation.sequence([Task(task[MODULE] | {"name": registry}, MODULE) for task in yaml.safe_load(found[1])])
    assert [run.failed for run in runs] == [False] * len(runs) and all(run.result["changed"] for run in runs), [run.output for run in runs]
