"""`model_registries` on the sandbox, as an account with the rights of rbac/converge.yml and no others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.layout import Layout
from tests import fleet
from tests.fleet import MODULE, entries
from tests.helpers import ROLE_BINDINGS, Cluster, Run, Task

# The DataScienceCluster for the namespace, then one list each of registries, Secrets, ConfigMaps, Deployments, pods, RoleBindings and Groups.
LISTS = 8


@pytest.fixture
def room(layout: Layout, cluster: Cluster) -> Iterator[tuple[str, str]]:
    with fleet.room(layout, cluster) as made:
        yield made


def task(registries: list[dict[str, Any]], check: bool = False, **options: Any) -> Task:
    return Task({"registries": registries, **options}, MODULE, check=check, diff=True)


def by_name(run: Run) -> dict[str, Any]:
    return {registry["name"]: registry for registry in run.result["registries"]}


def test_a_fleet_is_made_in_one_call_and_is_as_wanted_from_then_on(cluster, automation, room):
    prefix, database = room
    wanted = entries(prefix, 6, database, grants=2)
    wanted[0]["permissions"]["members"] = ["alice"]
    wanted[1]["database"] = {"type": "generated"}
    predicted, made, again, edited, report = automation.sequence(
        [
            task(wanted, check=True),
            task(wanted),
            task(wanted),
            task([wanted[2] | {"description": "Edited", "permissions": {"groups": ["others"], "exact": True}}]),
            task(wanted, check=True),
        ]
    )

    assert not predicted.failed and not made.failed and not again.failed, predicted.output + made.output + again.output
    assert not predicted.writes
    assert [(change["action"], change["kind"], change["name"]) for change in predicted.result["changes"]] == [
        (change["action"], change["kind"], change["name"]) for change in made.result["changes"]
    ]
    assert {name: registry["status"]["serving"] for name, registry in by_name(made).items()} == {entry["name"]: True for entry in wanted}
    assert cluster.get("user.openshift.io/v1", "groups", f"{prefix}-0-users", None)["users"] == ["alice"]

    assert not again.result["changed"] and not again.writes
    assert len(again.reads) <= LISTS, [request.path for request in again.reads]
    assert again.result["drift"] == []
    assert [registry["name"] for registry in again.result["registries"]] == [entry["name"] for entry in wanted]

    assert not edited.failed, edited.output
    assert {entry["name"] for entry in edited.result["unlisted"]} == {entry["name"] for entry in wanted} - {f"{prefix}-2"}
    assert granted(cluster, f"{prefix}-2") == {"others"}
    assert granted(cluster, f"{prefix}-3") == {f"{prefix}-group-0", f"{prefix}-group-1"}

    assert not report.writes
    drift = {(entry["registry"].removeprefix(prefix), entry["option"].replace(prefix, "")): entry for entry in report.result["drift"]}
    assert set(drift) == {("-2", f"permissions.groups[-group-{number}]") for number in range(2)}


def granted(cluster: Cluster, name: str) -> set[str]:
    """The groups that a registry's RoleBindings name, but for the one that the operator makes."""
    bindings = [binding for binding in cluster.items(*ROLE_BINDINGS) if binding["roleRef"]["name"] == f"registry-user-{name}"]
    return {subject["name"] for binding in bindings for subject in binding["subjects"]} - {f"{name}-users"}
