"""A run may be killed anywhere, may lack any right, and never tells a secret."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sandbox import databases
from sandbox.layout import Layout
from tests.dashboard import CLUSTER_WIDE, Dashboard, Form, Upload, database_of
from tests.helpers import Cluster, ProcessLists, Right, Runner, Task, accounts_without_one_right, converging_roles, footprint

SECRETS = ("v1", "secrets")


@pytest.fixture(scope="module")
def mysql(layout: Layout) -> Iterator[dict[str, Any]]:
    """Options for one database that the registries of these tests share: they come one after the other."""
    name = f"robust_{uuid.uuid4().hex[:8]}"
    databases.create_databases(layout, "mysql", [name])
    login = {"username": databases.REGISTRY.name, "password": databases.REGISTRY.password}
    yield {"type": "mysql", "host": "mysql", "namespace": "data", "name": name, **login, "ca": {"source": "cluster"}}
    databases.drop_database(layout, "mysql", name)


# What a run does, from which state, and how many writes that takes.
TLS_LOGIN = {"username": databases.TLS_ONLY.name, "password": databases.TLS_ONLY.password}
SCENARIOS: dict[str, tuple[dict[str, Any], int]] = {
    "create": ({"description": "Models", "database": {}}, 2),
    # The previous password is removed when the registry is available with the new one.
    "edit": ({"description": "Edited", "database": TLS_LOGIN}, 3),
    "rotate": ({"database": {"password": "rotated-word"}}, 3),
    # What is deleted is announced first.
    "move": ({"allow_data_change": True, "database": {"type": "generated"}}, 3),
    "delete": ({"state": "absent"}, 6),
}
# `test_interleavings.py` kills them after each of their writes, inside of its process. Here all processes of a run are killed, after its first and its last.
KILLED_INSIDE_TOO = ("create", "move", "delete")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_killed_run_is_completed_by_the_next(cluster: Cluster, layout: Layout, automation: Runner, mysql: dict[str, Any], scenario: str) -> None:
    """It takes more than 20 s: for each kill a registry of its own, which is made, killed, completed and compared."""
    wanted, writes = SCENARIOS[scenario]
    kills = sorted({1, writes}) if scenario in KILLED_INSIDE_TOO else range(1, writes + 1)
    if scenario == "create":
        wanted = wanted | {"database": mysql}
    # The first one is left alone: it shows how it has to end, and that there are no more writes than these.
    names = [f"killed-{uuid.uuid4().hex[:6]}" for _kill in (None, *kills)]
    if scenario != "create":
        made_by_the_dashboard(cluster, automation, names, mysql, scenario == "delete")
    if scenario == "rotate":
        databases.set_password(layout, "mysql", databases.REGISTRY.name, "rotated-word")
    try:
        assert all(automation.killed_after(number, name=name, **wanted) for number, name in zip(kills, names[1:], strict=True))
        runs = automation.sequence([Task({"name": name, **wanted}, check=check) for name in names for check in (True, False, False)])
    finally:
        if scenario == "rotate":
            databases.set_password(layout, "mysql", databases.REGISTRY.name, databases.REGISTRY.password)
    ends = [footprint(cluster, name) for name in names]
    left = [item["metadata"]["name"] for item in cluster.items(*SECRETS) if item["metadata"]["name"].startswith(tuple(f"{name}-db-" for name in names))]
    automation.sequence([Task({"name": name, "state": "absent", "delete_data": True, "wait": False}) for name in names])
    for predicted, done, again in zip(runs[::3], runs[1::3], runs[2::3], strict=True):
        # Check mode tells the truth, also about what a killed run has left to do.
        assert predicted.changes == done.changes and predicted.writes == [], predicted.output + done.output
        assert not done.failed and again.changes == [] and again.writes == [], done.output + again.output
    assert len(runs[1].writes) == writes, runs[1].writes
    for end in ends:
        assert end == ends[0]
    assert len(left) == (0 if scenario in ("move", "delete") else len(names)), left


def made_by_the_dashboard(cluster: Cluster, automation: Runner, names: list[str], mysql: dict[str, Any], uploads: bool) -> None:
    """Registries as the dashboard makes them, which serve: each Secret has a random name, and the CA may be in a ConfigMap of its own."""
    ca = Upload(cluster.layout.path("pki", "database-ca.crt").read_text()) if uploads else CLUSTER_WIDE
    for name in names:
        Dashboard(cluster).create(name, Form(name, "", database_of(mysql), ca))
    assert not [run.output for run in automation.sequence([Task({"name": name}) for name in names]) if run.failed]


def test_two_runs_at_the_same_time_make_one_registry(cluster: Cluster, automation: Runner, mysql: dict[str, Any]) -> None:
    name = f"twice-{uuid.uuid4().hex[:6]}"
    options = {"name": name, "description": "Models", "database": mysql}
    try:
        with ThreadPoolExecutor() as pool:
            runs = list(pool.map(lambda _run: automation(**options), range(3)))
        assert [run.output for run in runs if run.failed] == []
        assert sum(run.changes.count(("create", "ModelRegistry")) for run in runs) == 1
        assert automation(**options).changes == []
    finally:
        automation(name=name, state="absent", wait=False)


def test_each_right_that_is_taken_away_is_named(cluster: Cluster, layout: Layout, automation: Runner, mysql: dict[str, Any]) -> None:
    """It takes more than 20 s: one account for each right, and with each of them all runs that need it."""
    name = f"rights-{uuid.uuid4().hex[:6]}"
    broken, bundle = f"{name}-broken", layout.path("pki", "database-ca.crt").read_text()
    Dashboard(cluster).create(name, Form(name, "", database_of(mysql), Upload(bundle)))
    automation.sequence([Task({"name": name}), Task({"name": broken, "wait": False, "database": mysql | {"password": "not-the-password"}})])
    # It is older than its Secret, has to be edited, and would leave everything that a registry can leave.
    opened = Dashboard(cluster).opened(name)
    assert opened.database
    Dashboard(cluster).edit(name, dataclasses.replace(opened, database=dataclasses.replace(opened.database, password="newer-word")))
    # One grant stays, one is not listed, and one is no project yet.
    for group in ("listed", "unlisted", "system:serviceaccounts:data"):
        Dashboard(cluster).grant(name, "Group", group)
    kinds = {"groups": ["listed", "new"], "users": ["somebody"], "projects": ["data"], "service_accounts": [{"namespace": "automation", "name": "ansible"}]}
    # Each run needs some of the rights: as dry runs, so that all accounts find the same.
    uses = {
        "grant": {"name": name, "permissions": {**kinds, "members": ["carol"], "exclusive": True}},
        "verify": {"name": name, "permissions": {"groups": ["listed"]}, "verify": True},
        "new": {"name": f"{name}-new", "database": mysql | {"host": "mysql-service", "ca": {"source": "upload", "pem": bundle}} | {"namespace": None}},
        "edit": {"name": name, "description": "Edited", "database": {"password": "another-word"}},
        "ca": {"name": name, "database": {"ca": {"source": "upload", "pem": layout.path("pki", "other-ca.crt").read_text()}}},
        "restart": {"name": name},
        "generated": {"name": f"{name}-new", "database": {"type": "generated"}},
        "delete": {"name": name, "state": "absent"},
        "broken": {"name": broken, "wait_timeout": 3},
        "fleet": {"registries": [{"name": name}]},
    }
    outputs: dict[Right, str] = {}
    try:
        with accounts_without_one_right(cluster, converging_roles()) as tokens:
            tried = [(right, use) for right in tokens for use in uses if _needs(str(right), use)]
            tasks = [_task(use, uses[use], tokens[right]) for right, use in tried]
            for (right, _use), run in zip(tried, automation.sequence(tasks), strict=True):
                outputs[right] = outputs.get(right, "") + run.output
    finally:
        automation.sequence([Task({"name": entry, "state": "absent", "wait": False}) for entry in (name, broken)])
    silent = sorted(str(right) for right, output in outputs.items() if not _names(right, output))
    # A right to watch is for speed alone: without it the wait looks again every two seconds. Routes are read of old products only.
    watches = ["watch deployments.apps", "watch modelregistries.modelregistry.opendatahub.io", "watch pods"]
    # The namespaces are read before anything else is, the domain of the ingress for a smoke test. Deployments that may not be listed are read one by one.
    # The AIHub is read of products since 3.6.
    others = ["get ingresses.config.openshift.io", "get namespaces", "get namespaces", "get roles.rbac.authorization.k8s.io", "get routes.route.openshift.io"]
    assert silent == ["get aihubs.components.platform.opendatahub.io", *others, "list deployments.apps", "list routes.route.openshift.io", *watches]
    listing = next(right for right in outputs if str(right) == "list deployments.apps")
    assert "is older than" in outputs[listing] or "restart" in outputs[listing]


def _task(use: str, options: dict[str, Any], token: str) -> Task:
    database = {key: value for key, value in options.get("database", {}).items() if value is not None}
    module = {"grant": "model_registry_permission", "verify": "model_registry_permission", "fleet": "model_registries"}.get(use, "model_registry")
    given = options | ({"database": database} if database else {})
    return Task(given, module=f"modelops.openshift_ai.{module}", check=use not in ("broken", "verify"), token=token)


def _needs(right: str, use: str) -> bool:
    """Which runs can tell that a right is missing."""
    permissions = ("rolebindings.", "roles.", "groups.", "users.", "namespaces", "serviceaccounts")
    if right.partition(" ")[2].startswith(permissions) or right in ("get services", "get endpoints"):
        return use == "grant"
    by_right = {
        "create localsubjectaccessreviews": ("verify",),
        "list clusterrolebindings": ("verify",),
        "create": ("new",),
        "patch secrets": ("edit",),
        "patch configmaps": ("ca",),
        "patch modelregistries": ("edit",),
        "patch deployments": ("restart",),
        "delete": ("delete",),
        "get clusterrolebindings": ("delete",),
        "list inferenceservices": ("delete",),
        "list configmaps": ("delete",),
        "list modelregistries": ("delete",),
        "list persistentvolumeclaims": ("delete",),
        "list services": ("new",),
        "list deployments": ("fleet",),
        "list secrets": ("generated",),
        "list events": ("broken",),
        "get pods/log": ("broken",),
    }
    return use in next((uses for start, uses in by_right.items() if right.startswith(start)), ("restart",))


def _names(right: Any, output: str) -> bool:
    """Whether the right is named, in our words or in those of the API server."""
    text = " ".join(output.replace('\\"', '"').split())
    return f"{right.verb} {right.resource}" in text or f'cannot {right.verb} resource "{right.resource}"' in text


def test_it_never_shows_a_password_or_a_private_key(cluster: Cluster, layout: Layout, automation: Runner, mysql: dict[str, Any]) -> None:
    name, word, other = f"quiet-{uuid.uuid4().hex[:6]}", f"word-{uuid.uuid4().hex}", f"word-{uuid.uuid4().hex}"
    # A line in the middle: the first ones are alike in many keys.
    key = layout.path("pki", "other-ca.key").read_text()
    secrets = {word, other, "misspelt-" + word, key.splitlines()[2]}
    databases.set_password(layout, "mysql", databases.READER.name, word)
    login = mysql | {"username": databases.READER.name}
    tasks = [
        Task({"name": name, "database": login | {"password": word, "pasword": "misspelt-" + word}}, diff=True),
        Task({"name": name, "database": login | {"password": word}}, diff=True, check=True),
        Task({"name": name, "database": login | {"password": word}, "wait_timeout": 20}, diff=True),
        Task({"name": name, "database": login | {"password": other}, "wait_timeout": 20}, diff=True),
        Task({"name": name, "database": {"password": "?" + other}}, diff=True),
        Task({"name": name, "database": login | {"host": f"mysql://root:{other}@db/x", "username": f"root:{other} "}}, diff=True),
        Task({"name": name, "database": {"ca": {"source": "upload", "pem": key}}}, diff=True),
        Task({"name": name, "state": "absent"}, diff=True),
    ]
    try:
        with ProcessLists(layout) as processes:
            runs = automation.sequence(tasks, verbosity=4)
    finally:
        databases.set_password(layout, "mysql", databases.READER.name, databases.READER.password)
    # Whether the third serves depends on who has migrated the database before.
    assert [run.failed for number, run in enumerate(runs) if number != 2] == [True, False, True, True, True, True, False]
    assert processes.arguments_seen > 0
    for secret in secrets:
        assert processes.holding(secret) == []
        for run in runs:
            assert secret not in run.output
