"""What a run came to, on one screen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _findings, _outcome
from tests.found import certificate, found, registry

CLUSTER = {"host": "https://api:6443"}


def item(name: str, **changed: Any) -> dict[str, Any]:
    return {"name": name, "changed": False, "failed": False, "status": {"available": True, "reason": "", "address": f"https://{name}"}, **changed}


def result(*registries: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"registries": list(registries), "unlisted": [], "drift": [], "changes": [], "cluster": CLUSTER, **changed}


def change(name: str, action: str = "update", kind: str = "ModelRegistry") -> dict[str, Any]:
    return {"action": action, "kind": kind, "name": name}


def drift(name: str, option: str, before: Any = None, after: Any = None, **changed: Any) -> dict[str, Any]:
    return {"registry": name, "option": option, "before": before, "after": after, "manager": "", "time": "", **changed}


def lines(**outcomes: _outcome.Outcome) -> list[str]:
    return _outcome.screen(outcomes)


def test_registries_without_a_change_are_counted_and_not_listed() -> None:
    made = _outcome.converged(result(*(item(f"r{number}") for number in range(300))), False)
    assert made.status == "ok" and lines(east=made) == ["OK: east (https://api:6443): 300 registries: 300 unchanged"]


def test_what_was_changed_is_said_and_what_failed_comes_first() -> None:
    registries = [
        item("a", changed=True),
        item("b", changed=True),
        item("c", changed=True),
        item("d", failed=True, msg="registries[3].database.port: is wrong. Fix it."),
        item("e"),
    ]
    differences = [drift("a", "name"), drift("b", "display_name"), drift("b", "database.port")]
    restarted = [change("c", "restart", "Deployment"), change("old", "delete")]
    made = _outcome.converged(
        result(*registries, drift=differences, changes=restarted, unlisted=[{"name": "old"}, {"name": "other"}], msg="d failed"), check_mode=False
    )
    assert made.status == "failed" and made.counts == {"failed": 1, "changed": 3, "deleted": 1, "unlisted": 1}
    assert lines(east=made) == [
        "FAILED: east (https://api:6443): 5 registries: 1 unchanged, 1 failed, 3 changed, 1 deleted, 1 not in the list",
        "east/d: FAILED: database.port: is wrong. Fix it.",
        "east/a: created, https://a",
        "east/b: changed: display_name and database.port, https://b",
        "east/c: restarted, https://c",
        "east/old: deleted",
        "east/other: not in the list, kept",
    ]


def test_check_mode_says_what_would_be_done() -> None:
    made = _outcome.converged(result(item("a", changed=True, status={}), drift=[drift("a", "name")], changes=[change("a", "create")]), check_mode=True)
    assert lines(east=made) == ["CHANGED: east (https://api:6443): 1 registry: 0 unchanged, 1 would be changed", "east/a: would be created"]


def test_a_registry_that_is_not_available_is_said_with_the_reason() -> None:
    made = _outcome.converged(result(item("a", status={"available": False, "reason": "no pod"})), check_mode=False)
    assert made.status == "ok" and lines(east=made)[1:] == ["east/a: not available: no pod"]


@pytest.mark.parametrize(
    ("given", "said"), [({"msg": "no answer"}, "east: FAILED: no answer"), ({"msg": "x", "failed": True}, "east: FAILED: See the error above")]
)
def test_an_error_that_ansible_has_printed_is_not_printed_again(given: Mapping[str, Any], said: str) -> None:
    assert lines(east=_outcome.converged(given, check_mode=False)) == ["FAILED: east (API server not known): FAILED", said]


def test_the_same_error_of_many_registries_is_said_once() -> None:
    refused = [item(f"r{number}", failed=True, msg=f"registries[{number}]: The database refuses the login. Check the password.") for number in range(30)]
    made = lines(east=_outcome.converged(result(*refused, msg="all"), check_mode=False))
    assert made[1:] == ["east: r0, r1, r2, r3, r4 and 25 more: FAILED: The database refuses the login. Check the password."]


def test_the_same_error_that_names_its_registry_is_grouped_too() -> None:
    said = "registries[{0}] 'r{0}': registry 'r{0}' is not available: the database refuses the login. Check the password."
    refused = [item(f"r{number}", failed=True, msg=said.format(number)) for number in range(2)]
    made = lines(east=_outcome.converged(result(*refused, msg="all"), check_mode=False))
    assert made[1:] == ["east: r0, r1: FAILED: not available: the database refuses the login. Check the password."]


def test_hundreds_of_clusters_and_errors_fit_on_a_screen() -> None:
    text = "The database refuses the login. " * 8
    failing = [result(*(item(f"r{number}", failed=True, msg=f"{number} {text}") for number in range(300)), msg="all")] * 3
    outcomes = {f"c{number}": _outcome.converged(each, check_mode=False) for number, each in enumerate([*failing, *[result(item("a"))] * 97])}
    made = _outcome.screen(outcomes)
    said = [line for line in made if line.startswith("c") and "/" not in line.partition(" ")[0]]
    # Which clusters these were is said of all.
    assert all(f"c{number} (" in "\n".join(said) for number in range(100)) and len(said) == 10 + 18
    assert len(made) - len(said) <= 32 and sum(map(len, made)) < 9000
    assert made[0] == "FAILED: 997 registries in 100 clusters" and made[1].startswith("c0 (") and made[11] == "and 90 more ok:"
    # Each cluster has its turn.
    assert [line.split("/")[0] for line in made[30:33]] == ["c0", "c1", "c2"]
    left = int(made[-1].split()[1])
    assert left + len(made) - 31 == 900 and "model_registries_result_file" in made[-1]


def test_a_check_without_findings_is_ok_and_says_whether_it_compared() -> None:
    seen = found(registry("a"))
    for compared, has_list, how in (({}, False, "no list to compare with"), (result(item("a")), True, "compared with the list")):
        made = _outcome.checked(compared, seen, has_list, purge=False)
        assert made.status == "ok" and lines(east=made)[0].endswith(f": 1 registry, {how}: no findings")


def test_registries_that_were_not_compared_are_neither_unchanged_nor_free_of_drift() -> None:
    """As when an entry of the list is not valid: the run ends before it reads any registry."""
    ended = result(item("a", status={}), item("b", status={}, failed=True, msg="registries[1].database.port 70000: no."), compared=False, msg="no.")
    made = _outcome.checked(ended, found(registry("a"), registry("b")), has_list=True, purge=False)
    assert [(row.name, row.drift, row.results["drift"]) for row in made.checked] == [("a", None, "error"), ("b", None, "error")]
    assert lines(east=made)[0] == "FAILED: east (https://api:6443): 2 registries, not compared with the list: 1 failed"
    for check_mode in (True, False):
        assert lines(east=_outcome.converged(ended, check_mode)) == [
            "FAILED: east (https://api:6443): 2 registries: 1 failed",
            "east: FAILED: nothing was compared or changed, because entries of the list are not valid",
            "east/b: FAILED: database.port 70000: no.",
        ]


def test_a_registry_that_failed_before_it_was_compared_has_no_number_of_differences() -> None:
    ended = result(item("a", failed=True, msg="registries[0].database.password_secret 'x': cannot be read."), item("b"), compared=True, msg="no.")
    made = _outcome.checked(ended, found(registry("a"), registry("b")), has_list=True, purge=False)
    assert [(row.name, row.drift, row.results["drift"]) for row in made.checked] == [("a", None, "error"), ("b", 0, "passed")]


def test_a_check_finds_drift_what_is_not_available_and_what_expires() -> None:
    seen = found(
        registry("a", database={"ca": {"source": "config_map", "name": "x", "key": "ca.crt"}}, status={"certificates": [certificate(5), certificate(-5)]}),
        registry("b", status={"available": False, "reason": "no pod", "certificates": [certificate(5)]}),
        skipped_registries=[{"name": "gone", "reason": "is being deleted"}],
    )
    differences = [drift("a", "display_name", "Clicked", "A", manager="Mozilla", time="2026Z"), drift("c", "name"), drift("d", "database.port", 1, None)]
    registries = [item("a", changed=True), item("b", changed=True), item("e", changed=True), item("f", failed=True, msg="registries[5].name: no.")]
    compared = result(*registries, drift=differences, changes=[change("b", "restart", "Deployment")], unlisted=[{"name": "other"}], msg="f")
    made = _outcome.checked(compared, seen, has_list=True, purge=True)
    assert made.status == "failed" and made.counts == {"failed": 1, "drift": 6, "unavailable": 1, "expiring": 1, "skipped": 1}
    said = {(finding.kind, finding.registry): finding.text for finding in made.findings}
    assert said["drift", "a"] == "display_name: current value 'Clicked', desired value 'A' (last changed by Mozilla, 2026Z)"
    assert said["drift", "c"] == "does not exist" and said["drift", "d"] == "database.port: current value '1', desired value not set"
    assert "a restart is required" in said["drift", "b"] and said["drift", "e"] == _findings.INCOMPLETE and said["drift", "other"] == "not in the list"
    assert said["unavailable", "b"] == "not available: no pod" and said["skipped", "gone"] == "is being deleted"
    assert [finding.text.split(" trusted ")[1].split(" (")[0] for finding in made.findings if finding.kind == "expiring"] == [
        "expires in 5 days",
        "expired 5 days ago",
    ]
    # The certificates of the cluster's bundle are no matter of a registry.
    assert ("expiring", "b") not in said
    kept = _outcome.checked({**compared, "msg": None, "registries": registries[:3]}, seen, has_list=True, purge=False)
    assert kept.status == "findings" and not [finding for finding in kept.findings if finding.registry == "other"]


@pytest.mark.parametrize(
    ("compared", "seen", "texts"),
    [
        ({"msg": "no answer"}, {"msg": "no answer"}, ["The registries were not read: no answer"]),
        ({"msg": "wrong"}, found(), ["The registries were not compared with the list: wrong"]),
        ({"msg": "undefined", "failed": True}, found(), ["The registries were not compared with the list: See the error above"]),
        ({}, found(), ["The registries were not compared with the list, because the task was skipped or failed before it began"]),
        (result(), {}, ["The registries were not read, because the task was skipped or failed before it began"]),
    ],
)
def test_what_could_not_be_checked_is_a_failure_and_not_drift(compared: Mapping[str, Any], seen: Mapping[str, Any], texts: list[str]) -> None:
    made = _outcome.checked(compared, seen, has_list=True, purge=False)
    assert made.status == "failed" and [finding.text for finding in made.findings] == texts


def smoke(result: str = "ok", sunset: str = "") -> dict[str, Any]:
    return {"smoke_test": {"result": result, "message": f"it is {result}", "sunset": {"message": sunset} if sunset else None}}


def test_a_check_finds_what_does_not_answer_and_an_api_that_ends() -> None:
    seen = found(registry("a", status=smoke()), registry("b", status=smoke("forbidden")), registry("c", status=smoke(sunset="v1alpha3 ends")))
    made = _outcome.checked({}, seen, has_list=False, purge=False)
    assert made.status == "findings" and made.counts == {"untested": 1, "sunset": 1}
    assert [(finding.registry, finding.text) for finding in made.findings] == [("b", "smoke test: it is forbidden"), ("c", "v1alpha3 ends")]


def test_what_one_call_has_compared_and_read_is_separated_also_of_a_task_with_async() -> None:
    read = found(registry())
    as_text, as_it_is = (_outcome.separated({"drift": [], "info": info}, {"skipped": True}) for info in (json.dumps(read), read))
    assert as_text == as_it_is == ({"drift": []}, read)


def test_the_run_has_the_status_of_its_worst_cluster() -> None:
    outcomes = [_outcome.Outcome(status, "", 0, []) for status in ("ok", "findings", "changed")]
    assert [_outcome.worst(outcomes[:number]) for number in range(4)] == ["ok", "ok", "findings", "findings"]


def test_an_outcome_is_a_variable_without_templates_and_comes_back() -> None:
    fact = _outcome.as_fact(_outcome.converged(result(item("a", failed=True, msg="{{ 1 }}\nforged: \x1b[2J"), msg="x"), check_mode=False))
    assert fact["findings"][0]["text"] == "FAILED: { { 1 }} forged: \\x1b[2J" and _outcome.as_fact(_outcome.from_fact(fact)) == fact


def hosts(**outcomes: Any) -> dict[str, dict[str, Any]]:
    return {host: {} if made is None else {"model_registries_outcome": _outcome.as_fact(made)} for host, made in outcomes.items()}


OK, BAD = _outcome.Outcome("ok", "", 1, []), _outcome.Outcome("failed", "", 1, [])


def test_nothing_is_said_of_a_host_whose_tasks_were_skipped() -> None:
    with pytest.raises(_outcome.NothingDone, match="Nothing was done or checked for west: tasks were skipped"):
        _outcome.of_hosts(["east", "west"], hosts(east=OK, west=None), ["east", "west"], ["east", "west"])


def test_a_host_that_failed_before_is_named_and_one_of_a_later_batch_is_not() -> None:
    made = _outcome.of_hosts(["east", "west", "later"], hosts(east=OK, west=None, later=None), ["east", "later"], ["east"])
    assert {host: outcome.status for host, outcome in made.items()} == {"east": "ok", "west": "failed"}
    assert "FAILED before the cluster was contacted" in _outcome.screen(made)[-1]


def test_the_outcome_of_a_playbook_before_does_not_count_for_a_host_that_failed_since() -> None:
    made = _outcome.of_hosts(["east", "west"], hosts(east=OK, west=BAD), [], [])
    assert "before the cluster was contacted" in made["east"].findings[0].text and made["west"] == BAD


def test_all_of_it_is_there_for_programs() -> None:
    variables = {"east": {"model_registries_result": {"registries": []}, "other": 1}}
    made = _outcome.results({"east": OK}, variables)
    assert made.keys() == {"version", "collection_version", "finished", "status", "clusters"}
    assert {name: made[name] for name in ("version", "status", "clusters")} == {
        "version": 1,
        "status": "ok",
        "clusters": {"east": {**_outcome.as_fact(OK), "results": {"model_registries_result": {"registries": []}}}},
    }
