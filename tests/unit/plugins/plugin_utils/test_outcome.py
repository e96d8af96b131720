"""What a run came to, on one screen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import retention
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups, _findings, _outcome
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


def test_what_is_known_of_a_registry_is_said_together_with_what_was_done() -> None:
    down = {"available": False, "reason": "no pod.", "evidence": "Error 1", "remedy": "Start it."}
    registries = [
        item("a", changed=True, status=down),
        item("b", changed=True, failed=True, msg="no."),
        item("c", changed=True, status={"available": True}),
        item("d", changed=True, status={}),
        item("e", status={"available": None}),
    ]
    named = [drift("a", "name"), drift("d", "name"), drift("d", "description")]
    # Nothing is deleted where a part of a registry is.
    changes = [change("x", "delete", "Secret"), change("y", "update"), change("c", "update", "RoleBinding")]
    made = _outcome.converged(result(*registries, drift=named, changes=changes, unlisted=[{"name": "x"}], msg="b"), check_mode=False)
    assert lines(east=made) == [
        "FAILED: east (https://api:6443): 5 registries: 1 unchanged, 1 failed, 1 not available, 2 changed, 1 not in the list",
        "east/b: FAILED (repaired): no.",
        "east/a: created; not available: no pod. Error 1. Start it",
        "east/c: repaired",
        "east/d: created",
        "east/x: not in the list, kept",
    ]
    assert (made.status, made.failing) == ("failed", False)
    predicted = _outcome.converged(result(registries[0], item("z", status=down), changes=changes, drift=[drift("a", "name")]), check_mode=True)
    assert lines(east=predicted) == ["CHANGED: east (https://api:6443): 2 registries: 1 unchanged, 1 would be changed", "east/a: would be created"]
    assert _outcome.converged(result(item("a")), check_mode=True).status == "ok"


def test_an_error_of_no_registry_is_said_beside_what_was_done() -> None:
    ended = result(item("a", changed=True), item("b"), drift=[drift("a", "x")], changes=[change("a")], msg="no answer")
    for compared in (True, False):
        assert lines(east=_outcome.converged({**ended, "compared": compared}, check_mode=False)) == [
            "FAILED: east (https://api:6443): 2 registries: 1 changed",
            "east: FAILED: no answer",
            "east/a: changed: x, https://a",
        ]


def test_a_policy_that_is_violated_changes_nothing_that_is_said_of_the_registries_otherwise() -> None:
    wanted = result(item("a", changed=True, permissions={"groups": ["system:authenticated"]}), item("b"), changes=[change("a")])
    rules = [{"name": "N", "rule": "no_broad_access"}]
    made = _outcome.converged(wanted, True, rules)
    assert made.head == "2 registries: 1 unchanged, 1 violating the policy, 1 would be changed" and (made.status, made.failing) == ("findings", True)
    broken = _outcome.converged(wanted, True, [{"rule": "x"}])
    assert (broken.status, broken.failing, broken.findings[-1].kind) == ("failed", True, "failed") and "unchanged" not in broken.head
    assert _outcome.converged(wanted, False, rules).head == "2 registries: 1 unchanged, 1 changed"


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


def test_five_names_are_said_and_more_are_counted() -> None:
    for number, named in ((5, "r0, r1, r2, r3, r4"), (6, "r0, r1, r2, r3, r4 and 1 more")):
        same = [item(f"r{one}", failed=True, msg="no.") for one in range(number)]
        assert lines(east=_outcome.converged(result(*same, msg="all"), check_mode=False))[1:] == [f"east: {named}: FAILED: no."]


def saying(*texts: str, status: str = "findings", **changed: Any) -> _outcome.Outcome:
    """An outcome with a finding of another registry for each text."""
    findings = [_findings.Finding("drift", f"r{number}", text) for number, text in enumerate(texts)]
    return _outcome.Outcome(status, "https://api", len(texts), findings, **changed)


def test_a_screen_has_thirty_rows_of_120_letters_for_what_is_said_of_registries() -> None:
    def said(*texts: str) -> list[str]:
        return lines(e=saying(*texts))[1:]

    def long(number: int, length: int) -> str:
        return f"{number} ".ljust(length - len(f"e/r{number}: "), "x")

    rows = [long(number, 120) for number in range(31)]
    assert len(said(*rows[:30])) == 30 and set(map(len, said(*rows[:30]))) == {120}
    assert said(*rows) == [*said(*rows[:30]), "and 1 more. To write all of them to a file, set model_registries_result_file"]
    longer = [long(0, 121), *rows[1:30]]
    assert said(*longer) == [*said(*longer[:29]), "and 1 more. To write all of them to a file, set model_registries_result_file"]
    # What is more important than all the rest is said, however long it is.
    endless = [long(0, 120 * 31), *rows[1:3]]
    [first, last] = said(*endless)
    assert first.startswith("e/r0: 0 xxx") and last == "and 2 more. To write all of them to a file, set model_registries_result_file"
    # Registries of which the same is said are one line, and are all counted.
    assert said(*rows[:30], "same", "same")[-1].startswith("and 2 more. ")


def test_ten_clusters_have_a_line_each_and_of_more_the_rest_is_named_by_status() -> None:
    clusters = {f"c{number}": saying(status="ok", compared=", compared") for number in range(10)}
    assert len(_outcome.screen(clusters)) == 11
    worse = {f"w{number}": saying(status="failed", compared=", compared") for number in range(10)}
    made = _outcome.screen({**clusters, **worse, "one": saying("x", compared=", compared")})
    assert made[0] == "FAILED: 1 registry in 21 clusters" and made[1] == "w0 (https://api): FAILED"
    assert made[11:] == [
        "and 1 more findings:",
        "one (https://api)",
        "and 10 more ok:",
        "c0 (https://api), c1 (https://api), c2 (https://api), c3 (https://api), c4 (https://api)",
        "c5 (https://api), c6 (https://api), c7 (https://api), c8 (https://api), c9 (https://api)",
        "one/r0: x",
    ]


def test_what_is_most_important_comes_first_and_each_cluster_has_its_turn() -> None:
    findings = [_findings.Finding(kind, f"{kind}{number}", f"{kind} {number}", "detail") for number in range(2) for kind in ("unlisted", "failed")]
    outcomes = {host: _outcome.Outcome(status, "", 9, findings) for host, status in (("a", "ok"), ("b", "failed"))}
    whole = _findings.Finding("failed", "", "of all")
    outcomes["c"] = _outcome.Outcome("changed", "", 9, [whole])
    assert _outcome.screen(outcomes)[4:] == [
        "b/failed0: failed 0, detail",
        "c: of all",
        "a/failed0: failed 0, detail",
        "b/failed1: failed 1, detail",
        "a/failed1: failed 1, detail",
        "b/unlisted0: unlisted 0, detail",
        "a/unlisted0: unlisted 0, detail",
        "b/unlisted1: unlisted 1, detail",
        "a/unlisted1: unlisted 1, detail",
    ]


def test_clusters_that_were_not_part_of_the_run_make_it_incomplete_but_no_better() -> None:
    fine, bad = saying(status="ok", compared=", compared"), saying("x", compared=", compared")
    for outcome, word in ((fine, "INCOMPLETE"), (bad, "FINDINGS")):
        made = _outcome.screen({"east": outcome}, ["west", "north"])
        assert made[0].startswith(f"{word}: east") and made[1] == "not part of the run, and not checked: north and west"
    assert _outcome.screen({"east": fine})[0].startswith("OK: east")


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


def test_every_kind_of_finding_is_counted_and_belongs_to_a_check() -> None:
    of_checks = [kind for kind in _outcome.COUNTED if kind not in ("changed", "deleted", "unlisted")]
    assert set(of_checks) == set(_outcome.CHECK_OF)
    made = _outcome.Outcome("findings", "", 99, [_findings.Finding(kind, name, "x") for kind in of_checks for name in ("a", "b", "b")], ", compared")
    assert made.counts == dict.fromkeys(of_checks, 2) and made.head.endswith("2 not manageable")
    assert _outcome.Outcome("failed", "", 0, made.findings, ", compared").head == "FAILED"
    assert _outcome.Outcome("failed", "", 1, [], ", compared").head == "1 registry, compared: FAILED"


@pytest.mark.parametrize(
    ("kind", "fails_on"),
    [
        ("drift", ["drift"]),
        ("unavailable", ["health"]),
        ("untested", ["health"]),
        ("sunset", ["health"]),
        ("unknown", ["health"]),
        ("database", ["health"]),
        ("expiring", ["certificates"]),
        ("unread", ["certificates"]),
        ("backup", ["backup"]),
        ("policy", ["policy"]),
        ("unjudged", ["policy"]),
    ],
)
def test_a_finding_makes_a_run_fail_that_is_to_fail_on_its_check(kind: str, fails_on: list[str]) -> None:
    finding = _findings.Finding(kind, "a", "x")
    assert [choice for choice in _outcome.FAIL_ON if _outcome.category(finding) == choice] == fails_on


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("drift", ["drift"]),
        (" drift ,health,,", ["drift", "health"]),
        ("", []),
        (("backup", "policy"), ["backup", "policy"]),
        (["certificates"], ["certificates"]),
    ],
)
def test_what_a_run_is_to_fail_on_can_be_a_text(given: Any, names: list[str]) -> None:
    assert _outcome.named(given) == names


def test_what_no_run_can_fail_on_is_named() -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        _outcome.named(["drift", "database", 5])
    said = "model_registries_fail_on: database and 5 is not valid. Valid values: drift, health, certificates, backup, policy"
    assert str(caught.value) == said


def test_a_check_fails_on_what_it_could_not_look_at_whatever_was_chosen() -> None:
    for seen in ({"msg": "no"}, found(skipped_registries=[{"name": "a", "reason": "r"}])):
        assert _outcome.checked({}, seen, has_list=False, purge=False, fail_on=()).failing
    unknown = found(registry(status={"available": None}))
    assert not _outcome.checked({}, unknown, has_list=False, purge=False, fail_on=("drift",)).failing
    assert _outcome.checked({}, unknown, has_list=False, purge=False, fail_on=("health",)).failing


def test_what_is_known_of_each_registry_is_a_row_and_what_was_not_checked_has_a_reason(tmp_path: Path) -> None:
    now = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
    (tmp_path / retention.backup_of(CLUSTER["host"], "a", now - timedelta(hours=1)).file).write_text("x")
    ends = [certificate(90, "CN=later", not_after="2026-08-06T07:08:09Z"), certificate(3), certificate(9, "CN=last", not_after="2026-05-15T07:08:09Z")]
    seen = found(
        registry("b", {"ca": {"source": "secret"}}, {"available": False, "certificates": ends, "unread_certificates": ["Secret x"]}, namespace=None),
        registry("a"),
        skipped_registries=[{"name": "odd", "reason": "has a dot"}],
        cluster=CLUSTER,
    )
    compared = result(item("a"), item("new"), drift=[drift("a", "x"), drift("a", "y"), drift("new", "name")], databases=[{"name": "a", "checked": True}])
    backups = _backups.Wanted(str(tmp_path), 26, now)
    made = _outcome.checked(compared, seen, has_list=True, purge=False, backups=backups, policy=[{"name": "N", "rule": "backup", "hours": 1}], now=now)
    assert made.registries == 3 and made.server == CLUSTER["host"]
    nowhere, unlisted = "The registry does not exist", "The registry is not in the list"
    assert made.checked == [
        _outcome.Checked(
            "a",
            "registries",
            True,
            2,
            "2026-05-06T06:08:09Z",
            [],
            {"drift": "failed", "health": "passed", "certificates": "skipped", "database": "passed", "backup": "passed", "policy": "passed"},
            {"certificates": "The registry has no certificates of its own"},
        ),
        _outcome.Checked(
            "b",
            "",
            False,
            None,
            None,
            [{"use": "ca", "kind": "ConfigMap", "name": "trusted", "key": "ca.crt", "subject": "CN=ca", "not_after": "2026-05-06T07:08:09Z"}],
            # What is found counts for more than what could not be read.
            {"drift": "skipped", "health": "failed", "certificates": "failed", "database": "skipped", "backup": "failed", "policy": "failed"},
            {"drift": unlisted, "database": "Databases are checked only if the connection settings would be changed"},
        ),
        _outcome.Checked(
            "new",
            "",
            None,
            1,
            None,
            [],
            {"drift": "failed", **dict.fromkeys(("health", "certificates", "database", "backup", "policy"), "skipped")},
            dict.fromkeys(("health", "certificates", "database", "backup", "policy"), nowhere),
        ),
        _outcome.Checked(
            "odd",
            "",
            None,
            None,
            None,
            [],
            {"drift": "skipped", "health": "error", **dict.fromkeys(("certificates", "database", "backup", "policy"), "error")},
            {"drift": unlisted, **dict.fromkeys(("certificates", "database", "backup", "policy"), "The registry was not read")},
        ),
    ]


@pytest.mark.parametrize(
    ("compared", "has_list", "result", "why"),
    [
        ({}, False, "skipped", "There is no list to compare with"),
        ({"msg": "no"}, True, "error", "The registry was not compared with the list"),
        (result(), True, "skipped", "The registry is not in the list"),
        ({**result(), "msg": "no"}, True, "error", "The registry was not compared with the list"),
        ({**result(), "compared": False}, True, "error", "The registry was not compared with the list"),
    ],
)
def test_why_a_registry_was_not_compared(compared: dict[str, Any], has_list: bool, result: str, why: str) -> None:
    [row] = _outcome.checked(compared, found(registry("a")), has_list, purge=False).checked
    assert (row.results["drift"], row.reasons["drift"], row.drift) == (result, why, None)
    assert (row.results["policy"], row.reasons["policy"]) == ("skipped", "There is no policy")
    assert (row.results["backup"], row.reasons["backup"]) == ("skipped", "model_registry_backup_folder is not set")


def test_a_rule_about_backups_is_checked_only_where_backups_are_looked_for(tmp_path: Path) -> None:
    rules = [{"name": "N", "rule": "backup", "hours": 1}]
    for backups, kind in (
        (None, "unjudged"),
        (_backups.Wanted(str(tmp_path / "none"), 26, datetime.now(UTC)), "unjudged"),
        (_backups.Wanted(str(tmp_path), 26, datetime.now(UTC)), "policy"),
    ):
        made = _outcome.checked({}, found(registry("a")), has_list=False, purge=False, backups=backups, policy=rules)
        assert [finding.kind for finding in made.findings if finding.rule] == [kind]
    # Nothing is said of backups of registries that were not read.
    unread = _outcome.checked({}, {"msg": "no"}, has_list=False, purge=False, backups=_backups.Wanted(str(tmp_path / "none"), 26, datetime.now(UTC)))
    assert [finding.text for finding in unread.findings] == ["The registries were not read: no"]


def test_what_a_check_says_of_differences_and_of_what_is_not_available() -> None:
    differences = [
        drift("a", "permissions", {"ä": [1]}, "x" * 300),
        drift("b", "port", None, 3306, manager="kubectl", time="T"),
        drift("c", "name"),
    ]
    compared = result(item("a", changed=True), item("d", changed=True, failed=True, msg="registries[3].database: no."), drift=differences)
    seen = found(
        registry("a", status={"available": False, "reason": "no pod", "evidence": "E", "remedy": "R"}),
        registry("b", status={"available": False, "reason": "r"}),
        registry("c", status={"available": None}),
    )
    made = _outcome.checked(compared, seen, has_list=True, purge=False)
    said = {(finding.kind, finding.registry): (finding.text, finding.reason, finding.remedy, finding.severity, finding.evidence) for finding in made.findings}
    listed = ("Run the playbook converge, or change the list", "warning", "")
    assert said == {
        ("failed", "d"): ("cannot be reconciled: database: no.", "", "Correct the entry in the list", "problem", ""),
        ("drift", "a"): (f"permissions: current value '{{\"ä\": [1]}}', desired value '{'x' * 200} … (100 more characters)'", "drift from the list", *listed),
        ("drift", "b"): ("port: current value not set, desired value '3306' (last changed by kubectl, T)", "drift from the list", *listed),
        ("drift", "c"): ("does not exist", "in the list, but not in the cluster", *listed),
        ("unavailable", "a"): ("not available: no pod. E. R", "not available: no pod", "R", "problem", "E"),
        ("unavailable", "b"): ("not available: r", "not available: r", "", "problem", ""),
        ("unknown", "c"): (
            "availability not known: its status could not be read",
            "availability not known: its status could not be read",
            "Grant the permissions in rbac/read.yml",
            "warning",
            "",
        ),
    }


@pytest.mark.parametrize(
    ("days", "when", "reason", "severity"),
    [
        (-1, "expired 1 days ago", "has expired", "problem"),
        (0, "expires in 0 days", "expires soon", "warning"),
        (29, "expires in 29 days", "expires soon", "warning"),
    ],
)
def test_a_certificate_that_ends_is_said_with_its_days_and_without_them(days: int, when: str, reason: str, severity: str) -> None:
    seen = found(
        registry("a", {"ca": {"source": "secret"}}, {"certificates": [certificate(days)]}), registry("b", status={"certificates": [certificate(days)]})
    )
    [finding] = _outcome.checked({}, seen, has_list=False, purge=False).findings
    place, ends = "certificate CN=ca in ConfigMap trusted", "(2026-05-06T07:08:09Z)"
    assert (finding.text, finding.reason, finding.severity) == (f"{place} {when} {ends}", f"{place} {reason} {ends}", severity)


def test_a_database_that_cannot_be_used_is_said_once() -> None:
    databases = [{"name": name, "checked": True, "usable": usable, "reason": f"{name} is wrong"} for name, usable in (("a", False), ("b", False), ("c", None))]
    compared = result(item("a", failed=True, msg="a is wrong"), item("b"), item("c"), databases=databases, msg="a")
    made = _outcome.checked(compared, found(*(registry(name) for name in "abc")), has_list=True, purge=False)
    assert [(finding.kind, finding.registry, finding.text) for finding in made.findings] == [
        ("failed", "a", "cannot be reconciled: a is wrong"),
        ("database", "b", "database: b is wrong"),
    ]


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


def test_a_variable_of_an_outcome_has_no_templates_at_any_depth() -> None:
    one = _outcome.Checked("{{ a }}", "n", True, 1, None, [{"subject": "{% b"}], {"drift": "passed"}, {"drift": "{# c"})
    fact = _outcome.as_fact(_outcome.Outcome("ok", "s", 1, [], checked=[one]))
    assert fact["checked"] == [
        {
            "name": "{ { a }}",
            "namespace": "n",
            "available": True,
            "drift": 1,
            "backup": None,
            "certificates": [{"subject": "{ % b"}],
            "results": {"drift": "passed"},
            "reasons": {"drift": "{ # c"},
        }
    ]


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


def test_a_catalog_that_failed_does_not_make_the_registries_of_its_host_fail() -> None:
    changed = _outcome.Outcome("changed", "", 1, [])
    variables = hosts(east=OK, west=changed, north=OK, south=changed)
    for host, status in (("east", "failed"), ("west", "findings"), ("north", "ok"), ("south", "changed")):
        variables[host]["model_catalog_outcome"] = {"status": status}
    made = _outcome.of_hosts(variables, variables, [], [])
    assert {host: outcome.status for host, outcome in made.items()} == {"east": "ok", "west": "changed", "north": "failed", "south": "failed"}


def test_the_outcome_of_a_reconciliation_before_is_none_of_a_check() -> None:
    compared = _outcome.Outcome("ok", "", 1, [], ", compared with the list")
    with pytest.raises(_outcome.NothingDone, match="for west: "):
        _outcome.of_hosts(["east", "west"], hosts(east=compared, west=OK), ["east", "west"], ["east", "west"], is_check=True)
    made = _outcome.of_hosts(["east", "west"], hosts(east=compared, west=OK), ["east"], ["east"], is_check=True)
    assert made["east"] == compared and made["west"].findings[0].text == "FAILED before everything was checked. See the error above"
    assert made["west"].findings[0].severity == "problem" and (made["west"].status, made["west"].registries) == ("failed", 0)


def test_the_variables_of_a_host_are_read_without_a_look_for_templates_where_that_is_possible() -> None:
    class Variables(dict[str, Any]):
        """As those of Ansible."""

        def raw_get(self, host: str) -> str:
            return f"raw {host}"

    assert _outcome.raw(["east"], Variables(east="templated")) == {"east": "raw east"} and _outcome.raw(["east"], {"east": "x"}) == {"east": "x"}


def test_a_warning_is_a_text_whatever_ansible_makes_of_it() -> None:
    assert _outcome.message("x") == "x" and _outcome.message(SimpleNamespace(event=SimpleNamespace(msg="y"))) == "y"


def test_what_was_read_by_a_task_of_its_own_counts_unless_that_was_skipped() -> None:
    assert _outcome.separated({"drift": []}, {"registries": []}) == ({"drift": []}, {"registries": []})
    assert _outcome.separated({"drift": []}, {"skipped": True, "registries": []}) == ({"drift": []}, {})
    variables = {"model_registries_result": {"drift": [], "info": {"registries": []}}, "model_registries_seen": {"skipped": True}}
    assert _outcome.registered(variables) == {"model_registries_result": {"drift": []}, "model_registries_seen": {"registries": []}}
    assert _outcome.registered({"model_registries_seen": {"registries": []}}) == {"model_registries_seen": {"registries": []}}


def test_all_of_it_is_there_for_programs() -> None:
    variables = {"east": {"model_registries_result": {"registries": []}, "other": 1}}
    made = _outcome.results({"east": OK}, variables)
    assert made.keys() == {"version", "collection_version", "finished", "status", "clusters"}
    assert {name: made[name] for name in ("version", "status", "clusters")} == {
        "version": 1,
        "status": "ok",
        "clusters": {"east": {**_outcome.as_fact(OK), "results": {"model_registries_result": {"registries": []}}}},
    }
