"""rbac/ and what the playbook rbac writes, on the sandbox: with the token of each account, what its file does not say is refused by the API server.

Every attempt is a dry run, which the API server authorizes as it does the real request.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import controlplane
from sandbox.kube import Api, ApiError, path
from sandbox.layout import REGISTRIES_NAMESPACE, ROOT, Layout
from tests.helpers import RBAC, REGISTRIES, ROLE_BINDINGS, Cluster, Runner, Task, account_with, converging_roles, roles_of, until
from tests.playing import Player

PERMISSIONS = "modelops.openshift_ai.model_registry_permission"
GROUPS = ("user.openshift.io/v1", "groups")
CLUSTER_ROLE_BINDINGS = (f"{RBAC}/v1", "clusterrolebindings")
MERGE = "application/merge-patch+json"
FILES = ("read.yml", "converge.yml", "cluster.yml", "component.yml", "catalog.yml", "data.yml")


@dataclass(frozen=True)
class Target:
    """What an attacker would like to reach: a namespace of others, a group of administrators, a strong Role, another registry."""

    word: str
    namespace: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "namespace", f"others-{self.word}")

    @property
    def manifests(self) -> list[dict[str, Any]]:
        """All of it; the strong account of the other namespace is an administrator of the cluster."""
        name, namespace = self.namespace, self.namespace
        labels = {"app": name}
        pod = {"metadata": {"labels": labels}, "spec": {"serviceAccountName": name, "containers": [{"name": "app", "image": "app"}]}}
        administrators = [{"apiGroup": RBAC, "kind": "Group", "name": name}, {"kind": "ServiceAccount", "name": name, "namespace": namespace}]
        role = {"name": name, "namespace": REGISTRIES_NAMESPACE}
        rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
        return [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}},
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "stringData": {"password": "of others"}},
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": pod},
            },
            {"apiVersion": GROUPS[0], "kind": "Group", "metadata": {"name": name}, "users": []},
            {"apiVersion": GROUPS[0], "kind": "Group", "metadata": {"name": f"{name}-users"}, "users": []},
            self.binding(name, "ClusterRole", "cluster-admin", administrators, ""),
            self.binding(f"{name}-auth-delegator", "ClusterRole", "system:auth-delegator", administrators[1:], ""),
            {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": role, "rules": rules},
            self.binding(name, "Role", name, administrators[1:], REGISTRIES_NAMESPACE),
        ]

    @staticmethod
    def binding(name: str, kind: str, role: str, subjects: Sequence[dict[str, Any]], namespace: str) -> dict[str, Any]:
        """A RoleBinding, or without a namespace a ClusterRoleBinding."""
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        role_ref = {"apiGroup": RBAC, "kind": kind, "name": role}
        kind = "RoleBinding" if namespace else "ClusterRoleBinding"
        return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata, "roleRef": role_ref, "subjects": list(subjects)}

    @property
    def attempts(self) -> dict[str, tuple[str, str, Any]]:
        """By what each would give: verb, path and body."""
        name, others, here = self.namespace, self.namespace, REGISTRIES_NAMESPACE
        thief = {"apiGroup": RBAC, "kind": "User", "name": "thief"}
        all_rights = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
        bindings, roles, cluster_roles = f"{RBAC}/v1", path(f"{RBAC}/v1", "roles", here), path(f"{RBAC}/v1", "clusterroles")

        def bind(kind: str, role: str, namespace: str) -> tuple[str, str, Any]:
            plural = "rolebindings" if namespace else "clusterrolebindings"
            return "POST", path(bindings, plural, namespace or None), self.binding("thief", kind, role, [thief], namespace)

        of_token = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "thief"}, "spec": {"containers": [{"name": "app", "image": "app"}]}}
        registry = {
            "apiVersion": REGISTRIES[0],
            "kind": "ModelRegistry",
            "metadata": {"name": "thief"},
            "spec": {"rest": {"image": "thief"}, "grpc": {}, "postgres": {"generateDeployment": True}},
        }
        hook = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": {"name": "thief"}}
        return {
            "join a group of administrators": ("PATCH", path(*GROUPS, None, name), {"users": ["thief"]}),
            "join the group of another registry": ("PATCH", path(*GROUPS, None, f"{name}-users"), {"users": ["thief"]}),
            "make a group": ("POST", path(*GROUPS), {"apiVersion": GROUPS[0], "kind": "Group", "metadata": {"name": "thief"}, "users": ["thief"]}),
            "bind cluster-admin to the cluster": bind("ClusterRole", "cluster-admin", ""),
            "bind cluster-admin to the namespace": bind("ClusterRole", "cluster-admin", here),
            "bind admin to the namespace": bind("ClusterRole", "admin", here),
            "bind view to the namespace": bind("ClusterRole", "view", here),
            "bind a strong Role of the namespace": bind("Role", name, here),
            "join a strong RoleBinding": ("PATCH", path(*ROLE_BINDINGS, here, name), {"subjects": [thief]}),
            "join a ClusterRoleBinding": ("PATCH", path(*CLUSTER_ROLE_BINDINGS, None, name), {"subjects": [thief]}),
            "delete a ClusterRoleBinding": ("DELETE", path(*CLUSTER_ROLE_BINDINGS, None, name), None),
            "delete that of another registry": ("DELETE", path(*CLUSTER_ROLE_BINDINGS, None, f"{name}-auth-delegator"), None),
            "bind view to another namespace": bind("ClusterRole", "view", others),
            "make a strong Role": ("POST", roles, {"apiVersion": bindings, "kind": "Role", "metadata": {"name": "thief"}, "rules": all_rights}),
            "make a Role stronger": ("PATCH", path(bindings, "roles", here, name), {"rules": [*all_rights, *all_rights]}),
            "make a ClusterRole": ("POST", cluster_roles, {"apiVersion": bindings, "kind": "ClusterRole", "metadata": {"name": "thief"}, "rules": all_rights}),
            "read a Secret of others": ("GET", path("v1", "secrets", others, name), None),
            "read the Secrets of the cluster": ("GET", path("v1", "secrets"), None),
            "make a Secret with a token of others": ("POST", path("v1", "secrets", others), token_of(name)),
            "ask for a token of others": ("POST", path("v1", "serviceaccounts", others, name, "token"), of_token),
            "change a program of others": ("PATCH", path("apps/v1", "deployments", others, name), {"spec": {"paused": True}}),
            "run a program among others": ("POST", path("v1", "pods", others), pod),
            "make a registry among others": ("POST", path(*REGISTRIES, others), registry),
            "change the namespace of others": ("PATCH", path("v1", "namespaces", None, others), {"metadata": {"labels": {"thief": "true"}}}),
            "change the registries namespace": ("PATCH", path("v1", "namespaces", None, here), {"metadata": {"labels": {"thief": "true"}}}),
            "change the platform": (
                "PATCH",
                "/apis/datasciencecluster.opendatahub.io/v1/datascienceclusters/default-dsc",
                {"metadata": {"labels": {"thief": "x"}}},
            ),
            "make a webhook": ("POST", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", hook),
            "read the nodes": ("GET", path("v1", "nodes"), None),
        }


def token_of(account: str) -> dict[str, Any]:
    """The Secret that the cluster fills with a token of a ServiceAccount."""
    metadata = {"generateName": "thief-", "annotations": {"kubernetes.io/service-account.name": account}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/service-account-token"}


@pytest.fixture(scope="module")
def target(cluster: Cluster) -> Iterator[Target]:
    made = Target(uuid.uuid4().hex[:8])
    cluster.call(lambda api: api.apply_all(made.manifests))
    yield made
    for api_version, plural, name, namespace in (
        (*CLUSTER_ROLE_BINDINGS, made.namespace, None),
        (*CLUSTER_ROLE_BINDINGS, f"{made.namespace}-auth-delegator", None),
        (*ROLE_BINDINGS, made.namespace, REGISTRIES_NAMESPACE),
        (f"{RBAC}/v1", "roles", made.namespace, REGISTRIES_NAMESPACE),
        (*GROUPS, made.namespace, None),
        (*GROUPS, f"{made.namespace}-users", None),
        ("v1", "namespaces", made.namespace, None),
    ):
        cluster.delete(api_version, plural, name, namespace)


def allowed(cluster: Cluster, token: str, attempts: dict[str, tuple[str, str, Any]]) -> set[str]:
    """Those of some requests that the API server does not refuse to the owner of a token, each as a dry run."""

    async def tried(_api: Api) -> set[str]:
        found = set()
        async with Api(cluster.layout, "thief", token) as api:
            for what, (verb, where, body) in attempts.items():
                dry_run = {} if verb == "GET" else {"dryRun": "All"}
                try:
                    await api.request(verb, where, body, MERGE if verb == "PATCH" else "application/json", **dry_run)
                except ApiError as error:
                    assert error.status == 403, f"{what}: {error.status} {error}"
                else:
                    found.add(what)
        return found

    answered: set[str] = cluster.call(tried)
    return answered


def reached(cluster: Cluster, target: Target, token: str) -> set[str]:
    """The attempts that the API server does not refuse to the owner of a token."""
    return allowed(cluster, token, target.attempts)


@pytest.fixture(scope="module")
def registries(cluster: Cluster, automation: Runner) -> Iterator[tuple[str, str]]:
    """Two registries, of which the generated permissions name the first."""
    names = f"mine-{uuid.uuid4().hex[:6]}", f"other-{uuid.uuid4().hex[:6]}"
    listed = [{"name": name, "database": {"type": "generated"}} for name in names]
    [made] = automation.sequence([Task({"registries": listed}, "modelops.openshift_ai.model_registries")])
    assert not made.failed, made.output
    yield names
    for name in names:
        automation(name=name, state="absent", delete_data=True, wait=False)
        cluster.delete(*CLUSTER_ROLE_BINDINGS, f"{name}-auth-delegator", None)


@pytest.fixture(scope="module")
def written(layout: Layout, registries: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the playbook writes for the first registry, by the name of the ClusterRole."""
    folder = tmp_path_factory.mktemp("written")
    lists = {"east": {"model_registries_list": [{"name": registries[0]}]}, "west": {"model_registries_list": []}}
    hosts = {host: more | {"model_registry_cluster": {"context": host}} for host, more in lists.items()}
    variables = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    (folder / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": variables}}))
    played = Player(layout, "", folder).run("ansible-playbook -i inventory.yml modelops.openshift_ai.rbac")
    assert "the list of registries is empty" in played.output and not (folder / "model-registries-rbac-west.yml").exists(), played.output
    roles = yaml.safe_load((folder / "model-registries-rbac-east.yml").read_text())["items"]
    return {role["metadata"]["name"]: role for role in roles}


# Of the attempts, those that a file itself says are possible.
SAID = {"component.yml": {"change the platform"}}


def test_every_attempt_would_succeed_as_an_administrator(cluster: Cluster, target: Target) -> None:
    # The operator's webhook refuses registries outside of their namespace to everybody.
    assert reached(cluster, target, controlplane.ADMIN_TOKEN) == set(target.attempts) - {"make a registry among others"}


@pytest.mark.parametrize("file", FILES)
def test_with_a_stolen_account_nothing_is_reached_but_what_its_file_says(cluster: Cluster, target: Target, file: str) -> None:
    with account_with(cluster, f"stolen-{file.removesuffix('.yml')}", roles_of(file)) as token:
        assert reached(cluster, target, token) == SAID.get(file, set())


def test_permissions_for_one_registry_do_not_reach_another(
    cluster: Cluster, target: Target, registries: tuple[str, str], written: dict[str, dict[str, Any]]
) -> None:
    mine, other = registries
    attempts = {
        "my group": ("PATCH", path(*GROUPS, None, f"{mine}-users"), {"users": ["thief"]}),
        "my leftover": ("DELETE", path(*CLUSTER_ROLE_BINDINGS, None, f"{mine}-auth-delegator"), None),
        "other group": ("PATCH", path(*GROUPS, None, f"{other}-users"), {"users": ["thief"]}),
        "other leftover": ("DELETE", path(*CLUSTER_ROLE_BINDINGS, None, f"{other}-auth-delegator"), None),
        "the catalog": ("DELETE", path(*CLUSTER_ROLE_BINDINGS, None, "model-catalog-auth-delegator"), None),
    }
    with account_with(cluster, "stolen-both", [*roles_of("converge.yml"), *roles_of("cluster.yml"), *written.values()]) as token:
        assert reached(cluster, target, token) == set()
        assert allowed(cluster, token, attempts) == {"my group", "my leftover"}


def test_what_runs_in_the_namespace_with_a_stolen_account_gets_no_further(cluster: Cluster, target: Target, registries: tuple[str, str]) -> None:
    """The file says that it runs any program with any ServiceAccount of the namespace: here are their tokens, and an image of the attacker's choice."""
    mine = registries[0]
    accounts = {item["metadata"]["name"] for item in cluster.items("v1", "serviceaccounts")}
    assert {"default", *registries} <= accounts
    with account_with(cluster, "stolen", roles_of("converge.yml")) as token:

        async def stolen(_api: Api) -> dict[str, Any]:
            async with Api(cluster.layout, "thief", token) as api:
                image = {"spec": {"rest": {"image": "thief"}}}
                await api.merge(path(*REGISTRIES, REGISTRIES_NAMESPACE, mine), image, dryRun="All")
                template = {"spec": {"containers": [{"name": "rest-container", "image": "thief"}], "serviceAccountName": "default"}}
                await api.request(
                    "PATCH",
                    path("apps/v1", "deployments", REGISTRIES_NAMESPACE, mine),
                    {"spec": {"template": template}},
                    "application/strategic-merge-patch+json",
                    dryRun="All",
                )
                return {account: await api.create(path("v1", "secrets", REGISTRIES_NAMESPACE), token_of(account)) for account in accounts}

        made = cluster.call(stolen)
        try:
            for account, secret in made.items():
                name = secret["metadata"]["name"]
                filled = until(lambda name=name: (cluster.get("v1", "secrets", name).get("data") or {}).get("token"))  # type: ignore[misc]
                assert reached(cluster, target, base64.b64decode(filled).decode()) == set(), account
        finally:
            for secret in made.values():
                cluster.delete("v1", "secrets", secret["metadata"]["name"])


def test_every_role_says_in_a_sentence_what_an_attacker_can_do_with_it(written: dict[str, dict[str, Any]]) -> None:
    assert sorted(file.name for file in (ROOT / "rbac").iterdir()) == sorted(FILES)
    for role in [*(role for file in FILES for role in roles_of(file)), *written.values()]:
        sentence = role["metadata"]["annotations"]["openshift.io/description"]
        assert sentence.startswith(f"With the token of an account with this {role['kind']}, an attacker "), role["metadata"]
        assert sentence.endswith(".") and "\n" not in sentence


def test_only_generated_rules_write_outside_of_the_namespace_and_each_names_its_objects(written: dict[str, dict[str, Any]]) -> None:
    reading = {"get", "list", "watch"}
    writing = {
        (role["metadata"]["name"], verb, resource)
        for role in [role for file in FILES for role in roles_of(file)]
        if role["kind"] == "ClusterRole"
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in set(rule["verbs"]) - reading
    }
    assert writing == {("model-registry-component", "patch", "datascienceclusters")}
    assert all(rule["resourceNames"] for role in written.values() for rule in role["rules"])
    verbs = {verb for role in converging_roles() for rule in role["rules"] for verb in rule["verbs"]}
    assert not verbs & {"*", "bind", "escalate", "impersonate", "update", "deletecollection"}


# What still works without the optional parts


def test_it_never_needs_permissions_outside_the_registries_namespace_to_reconcile_registries(cluster: Cluster, layout: Layout, tmp_path: Path) -> None:
    name = f"only-{uuid.uuid4().hex[:6]}"
    generated = {"name": name, "namespace": REGISTRIES_NAMESPACE, "database": {"type": "generated"}}
    with account_with(cluster, "only-converge", roles_of("converge.yml")) as token:
        run = Runner(layout, token, tmp_path)
        with_members, made, again, members, deleted = run.sequence(
            [
                Task(generated | {"permissions": {"members": ["alice"]}}),
                Task(generated | {"permissions": {"users": ["alice"]}}),
                Task(generated | {"permissions": {"users": ["alice"]}}),
                Task({"name": name, "namespace": REGISTRIES_NAMESPACE, "permissions": {"users": ["bob"], "members": ["alice"]}}, PERMISSIONS),
                Task({"name": name, "namespace": REGISTRIES_NAMESPACE, "state": "absent", "delete_data": True}),
            ]
        )
    try:
        for refused in (with_members, members):
            assert refused.failed and refused.writes == [], refused.output
            assert "permissions.members" in [problem["option"] for problem in refused.result["problems"]], refused.output
            assert "model-registry-members that the playbook modelops.openshift_ai.rbac creates" in refused.result["msg"]
        assert made.changes == [("create", "ModelRegistry"), ("create", "RoleBinding")], made.output
        assert not again.failed and again.changes == [] and again.warnings == [], again.output
        assert not deleted.failed and cluster.registry(name) is None, deleted.output
        assert [warning for warning in deleted.warnings if f"{name}-auth-delegator" in warning and "may remain" in warning], deleted.warnings
        assert cluster.get(*CLUSTER_ROLE_BINDINGS, f"{name}-auth-delegator", None)
    finally:
        cluster.delete(*REGISTRIES, name)
        cluster.delete(*CLUSTER_ROLE_BINDINGS, f"{name}-auth-delegator", None)


def test_with_the_generated_parts_members_and_leftovers_of_the_named_registries_work(
    cluster: Cluster, layout: Layout, registries: tuple[str, str], written: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    mine, other = registries
    # A warning names the first of many: what other tests have left would hide the one that is looked for.
    kept = {"model-catalog", *(registry["metadata"]["name"] for registry in cluster.items(*REGISTRIES))}
    for binding in cluster.items(*CLUSTER_ROLE_BINDINGS, None):
        named = binding["metadata"]["name"]
        if named.endswith("-auth-delegator") and named.removesuffix("-auth-delegator") not in kept:
            cluster.delete(*CLUSTER_ROLE_BINDINGS, named, None)
    roles = [*roles_of("converge.yml"), *roles_of("cluster.yml"), *written.values()]
    with account_with(cluster, "both", roles) as token:
        run = Runner(layout, token, tmp_path)
        members, of_other, deleted = run.sequence(
            [
                Task({"name": mine, "permissions": {"members": ["alice"]}}, PERMISSIONS),
                Task({"name": other, "permissions": {"members": ["alice"]}}, PERMISSIONS),
                Task({"name": mine, "state": "absent", "delete_data": True}),
            ]
        )
        cluster.delete(*REGISTRIES, other)
        until(lambda: cluster.registry(other) is None)
        # What purge would delete of others is only tried.
        purge = {"registries": [{"name": "listed", "database": {"type": "generated"}}], "purge": True, "purge_limit": 1000, "delete_data": True}
        [purged] = run.sequence([Task(purge, "modelops.openshift_ai.model_registries", check=True)])
    assert members.changes == [("update", "Group")], members.output
    assert of_other.failed and of_other.writes == [], of_other.output
    assert [problem["option"] for problem in of_other.result["problems"]] == ["permissions.members"], of_other.output
    assert ("delete", "ClusterRoleBinding") in deleted.changes and deleted.warnings == [], deleted.output
    assert cluster.get(*CLUSTER_ROLE_BINDINGS, f"{mine}-auth-delegator", None) is None
    left = [warning for warning in purged.warnings if f"{other}-auth-delegator" in warning]
    assert not purged.failed and left and "may remain" in left[0], purged.output
    assert not [change for change in purged.result["changes"] if other in change["name"]], purged.output
