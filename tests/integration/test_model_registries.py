"""`model_registries` on the sandbox, as an account with the rights of rbac/converge.yml and no others."""

from __future__ import annotations

import dataclasses
import json
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster.snapshots import THREADS
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.credentials import secret_name
from sandbox import databases, faults, processes
from sandbox.layout import REGISTRIES_NAMESPACE, Layout
from tests import fleet
from tests.dashboard import Dashboard
from tests.fleet import MODULE, entries, mysql
from tests.helpers import REGISTRIES, ROLE_BINDINGS, USER_AGENT, WRITING_PATHS, Cluster, Run, Task, until

# The DataScienceCluster for the namespace, then one list each of registries, Secrets, ConfigMaps, Deployments, RoleBindings and Groups.
LISTS = 7


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
    without_members = wanted[0] | {"permissions": {"members": [], "exclusive": True, "groups": wanted[0]["permissions"]["groups"]}}
    predicted, made, again, edited, report = automation.sequence(
        [
            task(wanted, check=True),
            task(wanted),
            task(wanted),
            task([wanted[2] | {"description": "Edited", "permissions": {"groups": ["others"], "exclusive": True}}, without_members]),
            task(wanted, check=True),
        ]
    )

    assert not predicted.failed and not made.failed and not again.failed, predicted.output + made.output + again.output
    assert not predicted.writes
    # In any order: a grant that was sent before the operator had made its Role is sent again after the others.
    assert Counter((change["action"], change["kind"], change["name"]) for change in predicted.result["changes"]) == Counter(
        (change["action"], change["kind"], change["name"]) for change in made.result["changes"]
    )
    assert {name: registry["status"]["available"] for name, registry in by_name(made).items()} == {entry["name"]: True for entry in wanted}
    assert by_name(made)[f"{prefix}-0"]["permissions"]["members"] == ["alice"]
    assert not cluster.get("user.openshift.io/v1", "groups", f"{prefix}-0-users", None)["users"], "the last run but one has emptied it"

    assert not again.result["changed"] and not again.writes
    assert len(again.reads) <= LISTS, [request.path for request in again.reads]
    assert again.result["drift"] == []
    assert [registry["name"] for registry in again.result["registries"]] == [entry["name"] for entry in wanted]

    assert not edited.failed, edited.output
    # Other tests may have left registries of their own.
    unlisted = {entry["name"] for entry in edited.result["unlisted"] if entry["name"].startswith(prefix)}
    assert unlisted == {entry["name"] for entry in wanted} - {f"{prefix}-0", f"{prefix}-2"}
    assert granted(cluster, f"{prefix}-2") == {"others"}
    assert granted(cluster, f"{prefix}-3") == {f"{prefix}-group-0", f"{prefix}-group-1"}

    assert not report.writes
    drift = {(entry["registry"].removeprefix(prefix), entry["option"].replace(prefix, "")): entry for entry in report.result["drift"]}
    assert set(drift) == {("-0", "permissions.members[alice]"), *(("-2", f"permissions.groups[-group-{number}]") for number in range(2))}
    assert (drift["-0", "permissions.members[alice]"]["after"], drift["-0", "permissions.members[alice]"]["manager"]) == ("granted", USER_AGENT)


def test_what_the_cluster_tells_of_one_registry_fails_that_one_alone(cluster, automation, room):
    prefix, database = room
    wanted = entries(prefix, 8, database)
    names = [entry["name"] for entry in wanted]
    wanted[1]["database"]["password"] = "not-the-password"
    wanted[3]["database"] = mysql(database, password=None, password_secret={"name": f"{prefix}-nowhere", "key": "password"})
    wanted[5]["database"]["name"] = f"{database}_nowhere"
    wanted[6]["database"]["ca"] = {"source": "config_map", "name": f"{prefix}-nowhere", "key": "ca.crt"}
    del wanted[3]["database"]["password"]
    made, again = automation.sequence([task(wanted, wait_timeout=60), task([wanted[0], wanted[2], wanted[4], wanted[7]])])

    assert made.failed
    failures = {entry["name"]: entry["msg"] for entry in made.result["registries"] if entry["failed"]}
    assert set(failures) == {names[1], names[3], names[5], names[6]}
    assert "does not accept the user name or the password" in failures[names[1]] or "password" in failures[names[1]]
    assert f"registries[3].database.password_secret '{prefix}-nowhere': the Secret does not exist" in failures[names[3]]
    assert "the database does not exist on the server" in failures[names[5]]
    assert f"registries[6].database.ca '{prefix}-nowhere': the ConfigMap does not exist" in failures[names[6]]
    assert made.result["msg"].startswith("4 of 8 registries failed: ") and " All others were reconciled. " in made.result["msg"]
    assert {problem["option"] for problem in made.result["problems"]} == {
        "registries[1]",
        "registries[3].database.password_secret",
        "registries[5]",
        "registries[6].database.ca",
    }
    # Of those whose references are wrong nothing was written; the others serve, and are as wanted.
    assert cluster.registry(names[3]) is None and cluster.registry(names[6]) is None
    assert not again.failed and not again.result["changed"] and not again.writes, again.output
    said = [entry["message"] for entry in made.result["timeline"]]
    assert "writing 6 of 6, unchanged: 0" in said
    # A wait is told of only when it lasts.
    assert all(" of 6: " in message for message in said if message.startswith("waiting for"))


def test_the_list_itself_is_refused_before_anything_is_written_with_the_path_of_every_problem(automation, room, layout):
    prefix, database = room
    wanted = entries(prefix, 4, database)
    wanted[0]["name"] = f"{prefix}_0"
    wanted[1]["database"]["port"] = 99999
    wanted[2]["permissions"] = {"groups": [""]}
    wanted[3]["name"] = wanted[2]["name"]
    misspelt = entries(prefix, 2, database)
    misspelt[1]["database"]["pasword"] = "a-secret-word"
    misspelt[0]["database"]["port"] = "a-secret-port"
    refused, typed, empty, elsewhere = automation.sequence(
        [
            task(wanted),
            task(misspelt),
            task([], purge=True),
            task([entries(prefix, 1, database)[0] | {"namespace": "elsewhere"}]),
        ],
        verbosity=3,
    )

    for run in (refused, typed, empty, elsewhere):
        assert run.failed and not run.writes
    assert elsewhere.result["compared"] is False
    assert {problem["option"] for problem in refused.result["problems"]} == {
        "registries[0].name",
        "registries[1].database.port",
        "registries[2].permissions.groups[0]",
        "registries[3].name",
    }
    assert {problem["option"] for problem in typed.result["problems"]} >= {"registries[1].database.pasword", "registries[0].database.port"}
    assert "a-secret" not in typed.output
    assert not typed.requests, "nothing was sent to the cluster"
    assert [problem["option"] for problem in empty.result["problems"]] == ["registries"]
    assert [problem["option"] for problem in elsewhere.result["problems"]] == ["registries[0].namespace"]


def test_purge_deletes_what_is_not_listed_and_only_as_much_as_it_may(cluster, automation, room):
    prefix, database = room
    wanted = entries(prefix, 4, database)
    wanted[3]["database"] = {"type": "generated"}
    # Registries of other tests are listed by their names, so that nothing happens to them.
    others = [{"name": registry["metadata"]["name"]} for registry in cluster.items(*REGISTRIES)]
    broken = wanted[0] | {"name": f"{prefix}-broken", "database": mysql(database, ca={"source": "config_map", "name": "nowhere", "key": "ca.crt"})}
    made, too_many, data, unhappy, predicted, purged, again = automation.sequence(
        [
            task(wanted),
            task([*others, *wanted[:2]], purge=True),
            task([*others, *wanted[:3]], purge=True),
            task([*others, *wanted[:2], wanted[3], broken], purge=True),
            task([*others, *wanted[:2]], check=True, purge=True, purge_limit=2, delete_data=True),
            task([*others, *wanted[:2]], purge=True, purge_limit=2, delete_data=True),
            task([*others, *wanted[:2]], purge=True),
        ]
    )

    assert not made.failed, made.output
    assert too_many.failed and not too_many.writes
    assert too_many.result["problems"][0]["option"] == "purge_limit" and f"{prefix}-2" in too_many.result["msg"] and f"{prefix}-3" in too_many.result["msg"]
    assert data.failed and not data.writes and data.result["problems"][0]["option"].endswith("delete_data")
    assert unhappy.failed and not unhappy.writes
    assert any("purge deleted nothing" in warning for warning in unhappy.warnings)
    deleted = [(change["action"], change["kind"], change["name"]) for change in purged.result["changes"]]
    assert not predicted.writes
    assert [(change["action"], change["kind"], change["name"]) for change in predicted.result["changes"]] == deleted
    assert ("delete", "ModelRegistry", f"{prefix}-2") in deleted and ("delete", "ModelRegistry", f"{prefix}-3") in deleted
    assert {kept["kind"] for kept in purged.result["kept"]} == {"mysql"}, "the external database stays"
    said = [[entry["message"] for entry in run.result["timeline"] if f"{prefix}-2" in entry["message"]] for run in (predicted, purged)]
    assert [message.partition(prefix)[0] for message, *_more in said] == ["would delete ", "deleting "], said
    left = {registry["metadata"]["name"] for registry in cluster.items(*REGISTRIES)}
    assert left >= {f"{prefix}-0", f"{prefix}-1"} and not left & {f"{prefix}-2", f"{prefix}-3"}
    assert not again.failed and not again.result["changed"] and again.result["unlisted"] == []


def test_purge_leaves_what_a_registry_reads_that_the_same_run_makes_or_moves(cluster, layout, automation, room):
    prefix, database = room
    others = [{"name": registry["metadata"]["name"]} for registry in cluster.items(*REGISTRIES)]
    wanted = entries(prefix, 3, database)
    old, moved, _moving = (entry["name"] for entry in wanted)
    new = f"{prefix}-new"
    secrets = {entry["name"]: secret_name(REGISTRIES_NAMESPACE, entry["name"]) for entry in wanted}
    upload = f"{old}-db-credential"
    wanted[0]["database"]["ca"] = {"source": "upload", "pem": layout.path("pki", "database-ca.crt").read_text()}

    def reading(entry: dict[str, Any], owner: str, **changed: Any) -> dict[str, Any]:
        login = {key: value for key, value in entry["database"].items() if key != "password"}
        return entry | {"database": login | {"password_secret": {"name": secrets[owner], "key": "database-password"}, **changed}}

    renamed = reading(wanted[0], old, ca={"source": "config_map", "name": upload, "key": "ca.crt"}) | {"name": new}
    # One leaves its own Secret, and another one begins to read it.
    later = [*others, renamed, reading(wanted[1], old), reading(wanted[2], moved)]
    made, predicted, purged, again = automation.sequence(
        [task(wanted), *(task(later, check=check, purge=True, wait_timeout=60) for check in (True, False, False))]
    )

    assert not made.failed and not predicted.failed and not purged.failed, made.output + predicted.output + purged.output
    assert cluster.registry(old) is None
    assert by_name(purged)[new]["status"]["available"]
    left = {item["metadata"]["name"] for item in cluster.items("v1", "secrets")}
    assert left & set(secrets.values()) == {secrets[old], secrets[moved]}
    assert cluster.get("v1", "configmaps", upload)
    assert {(kept["kind"], kept["name"]) for kept in purged.result["kept"]} >= {("Secret", secrets[old]), ("ConfigMap", upload)}
    assert all(f"registry {new!r} also uses it" in kept["reason"] for kept in purged.result["kept"] if kept["kind"] == "ConfigMap")
    assert not predicted.writes
    # What is deleted only after the registry is available can be predicted, not tried.
    foreseen = [{key: value for key, value in change.items() if key != "unverified"} for change in predicted.result["changes"]]
    assert foreseen == purged.result["changes"] and predicted.result["kept"] == purged.result["kept"]
    assert not again.failed and not again.result["changed"], again.output


def test_purge_completes_a_deletion_and_leaves_what_no_list_can_name(cluster, automation, room):
    prefix, database = room
    others = [{"name": registry["metadata"]["name"]} for registry in cluster.items(*REGISTRIES)]
    wanted = entries(prefix, 4, database)
    going, unwanted, gone, last = (entry["name"] for entry in wanted)
    # Its server is called as the database that could have been generated for the other one.
    namesake = wanted[0] | {"name": f"{unwanted}-postgres"}
    long = f"{prefix}-{'x' * 40}"
    [made] = automation.sequence([task([*wanted, namesake], wait=False)])
    assert not made.failed, made.output
    cluster.create(
        *REGISTRIES, {"apiVersion": REGISTRIES[0], "kind": "ModelRegistry", "metadata": {"name": long}, "spec": cluster.registry(namesake["name"])["spec"]}
    )
    until(lambda: cluster.registry(going)["metadata"].get("finalizers") and cluster.get("apps/v1", "deployments", namesake["name"]))
    until(lambda: delegators(cluster, prefix) >= {going, unwanted, gone})
    cluster.merge(*REGISTRIES, going, {"metadata": {"finalizers": [*cluster.registry(going)["metadata"]["finalizers"], "example.com/hold"]}})
    try:
        # As a purge does that is killed just after its first write.
        for name in (going, gone):
            cluster.delete(*REGISTRIES, name)
        until(lambda: cluster.registry(gone) is None)
        kept = [*others, namesake, wanted[-1]]
        predicted, purged = automation.sequence([task(kept, check=check, purge=True, wait=False) for check in (True, False)])
        # One that waits for a registry to be gone, and whose Ansible is killed, ends there, long before its time is up.
        automation.cancelled_after(1, signal.SIGKILL, task([*others, namesake], purge=True, wait_timeout=200))
    finally:
        cluster.merge(*REGISTRIES, going, {"metadata": {"finalizers": None}})

    assert not predicted.failed and not purged.failed, predicted.output + purged.output
    assert not predicted.writes and predicted.result["changes"] == purged.result["changes"]
    until(lambda: not any(cluster.registry(name) for name in (going, unwanted, last)))
    assert cluster.registry(namesake["name"]) and cluster.registry(long)
    assert [warning for run in (predicted, purged) for warning in run.warnings if long in warning and "state absent" in warning]
    secrets = {item["metadata"]["name"] for item in cluster.items("v1", "secrets")}
    names = {name: secret_name(REGISTRIES_NAMESPACE, name) for name in (going, unwanted, gone, namesake["name"])}
    assert {name for name, secret in names.items() if secret in secrets} == {namesake["name"]}
    assert not delegators(cluster, prefix) & {going, unwanted, gone}


def test_purge_leaves_a_registry_that_was_made_while_it_waited_for_the_others(cluster, layout, automation, room):
    prefix, database = room
    others = [{"name": registry["metadata"]["name"]} for registry in cluster.items(*REGISTRIES)]
    wanted = entries(prefix, 2, database, grants=0)
    old, new = (entry["name"] for entry in wanted)
    [made] = automation.sequence([task(wanted[:1])])
    assert not made.failed, made.output
    with ThreadPoolExecutor(1) as pool:
        # As long as no pod gets a node the run waits for the new one.
        with processes.paused(layout, "kube-scheduler"):
            run = pool.submit(automation.sequence, [task([*others, wanted[1]], purge=True)])
            until(lambda: cluster.registry(new) and cluster.get("apps/v1", "deployments", new))
            before = cluster.registry(old)
            cluster.delete(*REGISTRIES, old)
            until(lambda: cluster.registry(old) is None)
            cluster.create(*REGISTRIES, {key: before[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": old}})
        [purged] = run.result()
    assert not purged.failed, purged.output
    assert f"registry {old!r} was created by another process during this run, and is not deleted" in " ".join(purged.warnings)
    assert cluster.registry(old)["metadata"]["uid"] != before["metadata"]["uid"]
    assert cluster.get("v1", "secrets", before["spec"]["mysql"]["passwordSecret"]["name"])


def test_purge_leaves_a_registry_that_was_made_while_it_deleted_the_others(cluster, layout, automation, room):
    prefix, database = room
    kept = [{"name": registry["metadata"]["name"]} for registry in cluster.items(*REGISTRIES)] or entries(f"{prefix}-kept", 1, database, grants=0)
    [made] = automation.sequence([task([*kept, *entries(prefix, 1, database, grants=0)])])
    assert not made.failed, made.output
    before = cluster.registry(f"{prefix}-0")
    # The deletion is held up between what purge has read and what it deletes.
    late = fault("delay", verbs=("delete",), path=f"/modelregistries/{prefix}-0", seconds=8)
    with ThreadPoolExecutor(1) as pool:
        faults.api_rules(layout, [late])
        faults.forget_requests(layout)
        try:
            run = pool.submit(automation.sequence, [task(kept, purge=True)])
            until(lambda: any(request.verb == "delete" for request in faults.recorded_requests(layout)))
            cluster.delete(*REGISTRIES, f"{prefix}-0")
            until(lambda: cluster.registry(f"{prefix}-0") is None)
            cluster.create(*REGISTRIES, {key: before[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": f"{prefix}-0"}})
            [purged] = run.result()
        finally:
            faults.api_rules(layout, [])
    assert not purged.failed, purged.output
    assert f"registry '{prefix}-0' was created by another process during this run, and is not deleted" in " ".join(purged.warnings)
    assert cluster.registry(f"{prefix}-0")["metadata"]["uid"] != before["metadata"]["uid"]
    assert cluster.get("v1", "secrets", before["spec"]["mysql"]["passwordSecret"]["name"])


def test_a_purge_whose_ansible_is_killed_sends_no_deletion_again(cluster, layout, automation, room):
    prefix, database = room
    kept = [{"name": registry["metadata"]["name"]} for registry in cluster.items(*REGISTRIES)] or entries(f"{prefix}-kept", 1, database, grants=0)
    [made] = automation.sequence([task([*kept, *entries(prefix, 1, database, grants=0)])])
    assert not made.failed, made.output
    # Longer than a busy machine needs to see the first deletion, and to end Ansible.
    faults.api_rules(layout, [fault("status", status=429, seconds=8, verbs=("delete",), count=None)])
    try:
        automation.cancelled_after(1, signal.SIGKILL, task(kept, purge=True))
        # What other tests left behind is deleted too.
        asked = [request.path for request in faults.recorded_requests(layout) if request.writes and request.user_agent == USER_AGENT]
        assert asked and len(asked) == len(set(asked))
    finally:
        faults.api_rules(layout, [])
    assert cluster.registry(f"{prefix}-0")


def test_all_deletions_of_a_purge_share_its_time(cluster, automation, room):
    prefix, database = room
    others = [{"name": registry["metadata"]["name"]} for registry in cluster.items(*REGISTRIES)] or entries(f"{prefix}-kept", 1, database, grants=0)
    wanted = entries(prefix, THREADS + 2, database, grants=0)
    names = [entry["name"] for entry in wanted]
    [made] = automation.sequence([task(wanted, wait=False)])
    assert not made.failed, made.output
    until(lambda: all(cluster.registry(name)["metadata"].get("finalizers") for name in names))
    try:
        for name in names:
            cluster.merge(*REGISTRIES, name, {"metadata": {"finalizers": [*cluster.registry(name)["metadata"]["finalizers"], "example.com/hold"]}})
        [purged] = automation.sequence([task(others, purge=True, purge_limit=len(wanted), wait_timeout=10)])
    finally:
        for name in names:
            cluster.merge(*REGISTRIES, name, {"metadata": {"finalizers": None}})
    assert purged.failed
    # What other tests left is completed too.
    said = [problem["problem"] for problem in purged.result["problems"] if prefix in problem["problem"]]
    late = [problem for problem in said if "was not deleted: the other deletions took all of the 10 s" in problem]
    assert len(said) == len(wanted) and len(late) == len(wanted) - THREADS, said
    # They were not asked to go, and a registry that is not asked to go serves on.
    deleted = {change["name"] for change in purged.result["changes"] if change["kind"] == "ModelRegistry"}
    assert len(deleted & set(names)) == THREADS


def test_a_password_that_one_registry_writes_restarts_the_others_that_read_it(cluster, automation, room):
    prefix, database = room
    owner, reader = entries(prefix, 2, database, grants=0)
    login = {key: value for key, value in reader["database"].items() if key != "password"}
    secret = {"name": secret_name(REGISTRIES_NAMESPACE, owner["name"]), "key": "database-password"}
    reader["database"] = login | {"password_secret": secret}
    # The other user has another password, which is wrong for this one until the Secret is written again.
    changed = {
        **owner,
        "database": {**owner["database"], "username": databases.TLS_ONLY.name, "password": databases.TLS_ONLY.password, "ca": {"source": "cluster"}},
    }
    following = {**reader, "database": {**reader["database"], "username": databases.TLS_ONLY.name, "ca": {"source": "cluster"}}}
    made, moved, written, predicted, rotated, unchanged = automation.sequence(
        [
            task([owner]),
            task([owner, reader]),
            task([changed, following]),
            *(task([owner | {"database": {**changed["database"], "password": "other"}}, following], check=check, wait=False) for check in (True, False)),
            task([owner | {"database": {**changed["database"], "password": "other"}}, following], wait=False),
        ]
    )
    assert not made.failed and not moved.failed and not written.failed, made.output + moved.output + written.output
    restarts = [("restart", entry["name"]) for entry in (owner, reader)]
    for run in (predicted, rotated):
        assert not run.failed, run.output
        assert sorted((change["action"], change["name"]) for change in run.result["changes"] if change["action"] == "restart") == restarts
    assert not predicted.writes and not unchanged.failed and not unchanged.result["changed"], unchanged.output


def test_drift_tells_what_differs_and_who_wrote_it_when(cluster, automation, room):
    prefix, database = room
    wanted = entries(prefix, 2, database, grants=1)
    name = wanted[0]["name"]
    wanted[0]["database"]["port"] = 3306
    [made] = automation.sequence([task(wanted)])
    assert not made.failed, made.output
    before = datetime.now(UTC).replace(microsecond=0)
    pages = Dashboard(cluster)
    form = pages.opened(name)
    assert form.database
    pages.edit(name, dataclasses.replace(form, database=dataclasses.replace(form.database, password="changed-by-hand")))
    cluster.merge(*REGISTRIES, name, {"metadata": {"annotations": {"openshift.io/description": "Clicked"}}, "spec": {"mysql": {"port": 3307}}})
    wanted[0]["description"] = ""
    wanted[0]["permissions"] = {"exclusive": True}
    wanted[0]["allow_data_change"] = True
    [report] = automation.sequence([task(wanted, check=True)], verbosity=3)

    assert not report.failed and not report.writes and report.result["compared"], report.output
    found = {entry["option"]: entry for entry in report.result["drift"]}
    assert set(found) == {"description", "database.port", "database.password", f"permissions.groups[{prefix}-group-0]"}
    assert (found["description"]["before"], found["description"]["after"]) == ("Clicked", "")
    assert (found["database.port"]["before"], found["database.port"]["after"]) == (3307, 3306)
    assert found[f"permissions.groups[{prefix}-group-0]"]["manager"] == "modelops.openshift_ai"
    for option in ("description", "database.port", "database.password"):
        assert found[option]["registry"] == name
        # The dashboard's server gives the API server no name.
        assert found[option]["manager"] == ("unknown" if option == "database.password" else "tests")
        assert before <= datetime.fromisoformat(found[option]["time"]) <= datetime.now(UTC)
    for word in ("changed-by-hand", databases.REGISTRY.password):
        assert word not in report.output


def test_the_comparison_and_everything_about_the_registries_come_from_the_same_requests(automation, room):
    prefix, database = room
    wanted = entries(prefix, 3, database, grants=2)
    [made] = automation.sequence([task(wanted)])
    assert not made.failed, made.output
    included = {"include": ["status", "permissions", "certificates"], "expiry_days": 400000}
    compared, alone, both, written = automation.sequence(
        [
            task(wanted, check=True),
            Task(included, "modelops.openshift_ai.model_registry_info", check=True),
            task(wanted[:2], check=True, info=included),
            task(wanted[:2], info=included),
        ]
    )
    assert not both.failed and not both.writes, both.output
    assert written.failed and not written.writes and [problem["option"] for problem in written.result["problems"]] == ["info"], written.output
    assert "check_mode" in written.result["msg"]

    def timeless(value: Any) -> Any:
        """Without what grows from one run to the next."""
        if isinstance(value, dict):
            return {key: timeless(part) for key, part in value.items() if key not in ("age", "days_left")}
        return [timeless(part) for part in value] if isinstance(value, list) else value

    info = json.loads(both.result["info"])
    mine = [registry for registry in info["registries"] if registry["name"].startswith(prefix)]
    assert [registry["name"] for registry in mine] == [f"{prefix}-{number}" for number in range(3)]
    assert timeless(mine) == timeless([registry for registry in alone.result["registries"] if registry["name"].startswith(prefix)])
    assert mine[0]["status"]["available"] and mine[0]["status"]["access"] and mine[0]["status"]["certificates"][0]["expires_soon"]
    assert {key: value for key, value in info.items() if key != "registries"}.keys() == alone.result.keys() & info.keys() - {"registries"}
    assert by_name(both).keys() == {f"{prefix}-0", f"{prefix}-1"} and f"{prefix}-2" in {entry["name"] for entry in both.result["unlisted"]}
    assert any("odh-trusted-ca-bundle" in text and "expires on" in text for text in both.warnings)
    # No list is read twice, and those that both need are read once.
    lists = [(request.path, str(request.query)) for request in both.reads]
    assert len(lists) == len(set(lists)), lists
    assert {request.path for request in compared.reads} <= {request.path for request in both.reads} and len(lists) < len(compared.reads) + len(alone.reads)
    [out_of_range] = automation.sequence([task(wanted, check=True, info={"expiry_days": -1})])
    assert out_of_range.failed and out_of_range.result["problems"][0]["option"] == "info.expiry_days", out_of_range.output


@pytest.mark.parametrize("writes", [1, 9])
def test_a_fleet_that_was_killed_is_completed_by_the_next_run(cluster, automation, room, writes):
    prefix, database = room
    wanted = entries(prefix, 5, database, grants=1)
    assert automation.killed_after(writes, MODULE, registries=wanted)
    again, unchanged = automation.sequence([task(wanted), task(wanted)])

    assert not again.failed, again.output
    assert not unchanged.result["changed"] and not unchanged.writes
    for entry in wanted:
        assert granted(cluster, entry["name"]) == {f"{prefix}-group-0"}
    secrets = [item["metadata"]["name"] for item in cluster.items("v1", "secrets") if item["metadata"]["name"].startswith(prefix)]
    assert len([name for name in secrets if "-db-" in name]) == 5


@pytest.mark.usefixtures("without_pods")
def test_a_fleet_whose_ansible_is_killed_writes_nothing_more(cluster, layout, automation, room):
    prefix, database = room
    wanted = entries(prefix, 14, database, grants=3)
    # Ansible's worker and the module each look every twentieth of a second, and later on a busy machine. A write takes much longer here.
    faults.api_rules(layout, [fault("delay", path=WRITING_PATHS, verbs=("create",), seconds=1, count=None)])
    try:
        before, after = automation.cancelled_after(10, signal.SIGKILL, task(wanted, wait=False))
    finally:
        faults.api_rules(layout, [])

    # Eight are on their way, and each may end just before the module sees that Ansible is gone, so that another one follows.
    assert 10 <= before <= after <= before + 16 < 14 * 5
    [completed] = automation.sequence([task(wanted, wait=False)])
    assert not completed.failed, completed.output
    assert all(len(granted(cluster, entry["name"])) == 3 for entry in wanted)


def fault(kind: str, **given: Any) -> faults.Rule:
    """A fault of the API server for requests of the module alone."""
    return faults.Rule(kind, user_agent=USER_AGENT, **given)


# Faults of the API server that a run comes through by itself.
FAULTS = {
    "is busy": [fault("status", status=429, seconds=1, count=10, skip=3), fault("status", status=503, count=4, skip=15)],
    "breaks": [fault("status", status=500, verbs=("create", "patch"), count=4, skip=12)],
    "is not heard": [
        fault("reset", verbs=("list",), count=3),
        fault("status", status=409, path=WRITING_PATHS, verbs=("create",), count=3, skip=2),
        fault("reset", path=WRITING_PATHS, verbs=("create",), count=4, skip=6, forwarded=True),
        fault("stall", path=WRITING_PATHS, verbs=("create",), seconds=40, count=2, skip=9, forwarded=True),
    ],
}


def test_an_api_server_that_breaks_for_a_moment_does_not_end_the_wait(cluster, layout, automation, room):
    prefix, database = room
    wanted = entries(prefix, 2, database, grants=0)
    # What is read before the registries are written is read well.
    broken = [fault("status", status=500, verbs=("list",), path="/deployments", skip=1, count=2), fault("reset", verbs=("list",), path="/pods", count=2)]
    faults.api_rules(layout, broken)
    faults.forget_requests(layout)
    try:
        [run] = automation.sequence([task(wanted)])
        hit = [request for request in faults.recorded_requests(layout) if request.fault]
    finally:
        faults.api_rules(layout, [])
    assert [request.fault for request in hit].count("status") == 2
    assert not run.failed, run.output
    assert all(registry["status"]["available"] for registry in by_name(run).values())


def test_what_failed_before_is_told_when_the_api_server_ends_the_wait(layout, automation, room):
    prefix, database = room
    wanted = entries(prefix, 2, database, grants=0)
    wanted[0]["database"]["ca"] = {"source": "config_map", "name": f"{prefix}-nowhere", "key": "ca.crt"}
    # Its first list is that of the plan.
    faults.api_rules(layout, [fault("status", status=400, verbs=("list",), path="/deployments", skip=1, count=None)])
    try:
        [run] = automation.sequence([task(wanted)])
    finally:
        faults.api_rules(layout, [])
    assert run.failed
    said = {problem["option"]: problem["problem"] for problem in run.result["problems"]}
    assert set(said) == {"registries[0].database.ca", "registries[1]"} and "responded with 400" in said["registries[1]"], run.result["msg"]


@pytest.mark.parametrize("refused", [False, True])
def test_what_ends_the_wait_for_all_is_told_once_unless_more_is_known_of_them(layout, automation, room, refused):
    prefix, database = room
    # The first list is that of the plan.
    rules = [fault("status", status=400, verbs=("list",), path="/deployments", skip=1, count=None)]
    rules += [fault("status", status=422, verbs=("create",), path="/rolebindings", count=None)] * refused
    faults.api_rules(layout, rules)
    try:
        [run] = automation.sequence([task(entries(prefix, 2, database, grants=1))])
    finally:
        faults.api_rules(layout, [])
    assert run.failed and "responded with 400" in run.result["msg"], run.output
    told = [(problem["option"], "responded with 422" in problem["problem"]) for problem in run.result.get("problems", [])]
    assert told == [(f"registries[{number}]", more) for number in range(2) for more in (False, True)] * refused, run.result["msg"]


def test_what_ends_the_wait_for_one_fails_none_that_is_available(layout, automation, room):
    prefix, database = room
    wanted = entries(prefix, 2, database, grants=0)
    [made] = automation.sequence([task(wanted[:1])])
    # The first two lists are those of the plan and of the first look, which shows that one registry is available.
    faults.api_rules(layout, [fault("status", status=400, verbs=("list",), path="/deployments", skip=2, count=None)])
    try:
        [run] = automation.sequence([task(wanted)])
    finally:
        faults.api_rules(layout, [])
    assert not made.failed and run.failed, made.output
    assert [problem["option"] for problem in run.result.get("problems", [])] == ["registries[1]"], run.result["msg"]
    assert {name[-2:]: registry["failed"] for name, registry in by_name(run).items()} == {"-0": False, "-1": True}, run.output


@pytest.mark.parametrize("rules", FAULTS.values(), ids=FAULTS)
def test_a_run_comes_through_faults_of_the_api_server_and_leaves_nothing_to_the_next(cluster, layout, automation, room, rules):
    """The one that is not heard takes a minute: two answers are waited for until the module gives them up."""
    prefix, database = room
    wanted = entries(prefix, 5, database, grants=2)
    faults.api_rules(layout, rules)
    try:
        [disturbed] = automation.sequence([task(wanted, wait=False)])
        hit = [request for request in faults.recorded_requests(layout) if request.fault]
    finally:
        faults.api_rules(layout, [])
    again, unchanged = automation.sequence([task(wanted), task(wanted)])

    assert hit, "the faults did not happen"
    assert not disturbed.failed, disturbed.output
    assert not again.failed, again.output
    assert not unchanged.result["changed"] and not unchanged.writes
    for entry in wanted:
        assert granted(cluster, entry["name"]) == {f"{prefix}-group-0", f"{prefix}-group-1"}


def delegators(cluster: Cluster, prefix: str) -> set[str]:
    """The registries of a prefix that have the ClusterRoleBinding that the operator leaves behind."""
    names = {item["metadata"]["name"] for item in cluster.items(ROLE_BINDINGS[0], "clusterrolebindings", None)}
    return {name.removesuffix("-auth-delegator") for name in names if name.startswith(prefix)}


def granted(cluster: Cluster, name: str) -> set[str]:
    """The groups that a registry's RoleBindings name, but for the one that the operator makes."""
    bindings = [binding for binding in cluster.items(*ROLE_BINDINGS) if binding["roleRef"]["name"] == f"registry-user-{name}"]
    return {subject["name"] for binding in bindings for subject in binding["subjects"]} - {f"{name}-users"}
