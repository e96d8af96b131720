"""What the playbook `check` writes for other programs, and that nothing that was not checked is good in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import retention
from sandbox.layout import ROOT
from tests import reading_results
from tests.found import found, registry
from tests.playing import Played

Play = Callable[..., Played]
CLUSTER = {"host": "https://api.east.example.com:6443"}
HOSTS = {"east": {"context": "east"}, "west": {"context": "west"}}
COMPARED: dict[str, Any] = {
    "registries": [{"name": "fraud", "changed": False, "failed": False, "status": {}}],
    "unlisted": [],
    "drift": [],
    "changes": [],
    "cluster": CLUSTER,
}
SEEN = found(registry(), cluster=CLUSTER)
GOOD = {"model_registries": COMPARED, "model_registry_info": SEEN, "model_registry_cluster_info": {"cluster": CLUSTER}}
DRIFT = {"registry": "fraud", "option": "description", "before": "{{ 6 * 7 }}", "after": "x", "manager": "", "time": ""}
FILES = {"result": "results.json", "junit": "junit.xml", "metrics": "metrics.prom"}
VARIABLES: dict[str, Any] = {
    "model_registries_list": [],
    "model_registries_same_cluster": True,
    **{f"model_registries_{kind}_file": name for kind, name in FILES.items()},
}


def read(folder: Path) -> tuple[dict[str, Any], dict[tuple[str, str], tuple[str, str]], dict[Any, float]]:
    json_text, junit, metrics = ((folder / name).read_text() for name in FILES.values())
    return reading_results.results(json_text), reading_results.tests(junit), reading_results.metrics(metrics)


def last(metrics: dict[Any, float], what: str, cluster: str) -> float:
    return metrics[f"model_registries_check_last_{what}_timestamp_seconds", frozenset({("cluster", cluster)})]


def test_all_formats_say_the_same_and_only_the_metrics_are_readable_by_others(play: Play, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    backups.mkdir()
    (backups / retention.backup_of(CLUSTER["host"], "fraud", datetime.now(UTC) - timedelta(hours=30)).file).write_text("x")
    variables = VARIABLES | {"model_registry_backup_folder": str(backups)}
    played = play("check", hosts=HOSTS, variables=variables, **GOOD | {"model_registries": COMPARED | {"drift": [DRIFT]}})
    file, tests, metrics = read(tmp_path)
    assert played.code and file["failing"] and (file["found"]["drift"], file["found"]["backup"], file["found"]["health"]) == (2, 2, 0), played.output
    assert tests["west", "fraud: drift"] == ("failed", "description: current value '{ { 6 * 7 }}', desired value 'x'")
    assert "the last backup is older than 26 hours" in tests["east", "fraud: backup"][1] and "older than 26 hours" in played.summary
    assert last(metrics, "run", "east") == last(metrics, "success", "west") >= datetime.now().timestamp() - 600
    assert file["clusters"]["east"]["results"]["model_registries_seen"]["registries"][0]["name"] == "fraud"
    modes = {kind: (tmp_path / name).stat().st_mode & 0o777 for kind, name in FILES.items()}
    assert modes == {"result": 0o600, "junit": 0o600, "metrics": 0o644} and not list(tmp_path.glob(".*"))
    chosen = {"model_registries_fail_on": "health,certificates", "model_registries_backup_hours": 31, "model_registries_metrics_mode": "0640"}
    played = play("check", hosts=HOSTS, variables=variables | chosen, **GOOD | {"model_registries": COMPARED | {"drift": [DRIFT]}})
    file, tests, _metrics = read(tmp_path)
    assert played.code == 0 and played.summary.startswith("FINDINGS") and (file["status"], file["failing"]) == ("findings", False), played.output
    assert tests["east", "fraud: backup"][0] == "passed" and (tmp_path / FILES["metrics"]).stat().st_mode & 0o777 == 0o640
    refused = play("check", hosts=HOSTS, variables=VARIABLES | {"model_registries_fail_on": ["drift", "reachable"]}, **GOOD)
    assert refused.code and "reachable" in refused.output


def test_what_the_comparison_has_read_is_not_read_again_and_is_otherwise(play: Play, tmp_path: Path) -> None:
    broken = registry(status={"available": False, "reason": "gone"})
    together = GOOD | {"model_registries": COMPARED | {"info": found(broken, cluster=CLUSTER)}}

    def asked() -> set[str]:
        return set((tmp_path / "asked").read_text().split()) & {"model_registries", "model_registry_info"}

    variables = VARIABLES | {"model_registry_report_registries": [{"name": "fraud"}], "model_registry_report_file": "page.html"}
    for playbook in ("check", "report"):
        played = play(playbook, variables=variables, **together)
        assert asked() == {"model_registries"}, played.output
        assert "1 not available" in played.summary if playbook == "check" else "1 registry, 0 available" in played.summary, played.output
        options = json.loads((tmp_path / "model_registries.options").read_text())["info"]
        assert options["include"] == ["status", *(["permissions"] if playbook == "report" else []), "certificates"] and options["expiry_days"] == 30
    results = read(tmp_path)[0]["clusters"]["east"]["results"]
    assert results["model_registries_seen"]["registries"][0]["status"]["reason"] == "gone" and "info" not in results["model_registries_result"]

    def compared_with() -> str:
        facts = json.loads((tmp_path / "page.json").read_text())["tables"]["run"]["rows"]
        return str({row["Item"]: row["Value"] for row in facts}["List"])

    assert compared_with() == "in variables that were not read from a file"
    refused = {"failed": True, "msg": "refused"}
    for playbook in ("check", "report"):
        played = play(playbook, variables=variables, **GOOD | {"model_registries": refused})
        assert played.code and asked() == {"model_registries", "model_registry_info"} and "refused" in played.output, played.output
    assert compared_with() == "none"
    assert read(tmp_path)[1]["east", "fraud: health"][0] == "passed" and "1 registry, 1 available" in played.summary, played.output


@pytest.mark.parametrize("listed", ["{{ undefined_list }}", [{"name": "{{ undefined_name }}"}]])
def test_a_list_that_cannot_be_evaluated_is_not_taken_for_none(play: Play, tmp_path: Path, listed: Any) -> None:
    """What does not need the list is part of the report all the same."""
    played = play("check", variables=VARIABLES | {"model_registries_list": listed}, **GOOD)
    file, tests, metrics = read(tmp_path)
    assert played.code and played.summary.startswith("FAILED") and "undefined_" in played.output, played.output
    assert file["failing"] and "error" in {result for result, _said in tests.values()} and last(metrics, "success", "east") == 0
    played = play("report", variables={"model_registries_list": listed, "model_registry_report_file": "page.html"}, **GOOD)
    assert played.code and (tmp_path / "asked").read_text().split() == ["model_registry_info"] and "undefined_" in played.output, played.output
    assert "1 registry, 1 available" in played.summary, played.output


def test_a_cluster_that_does_not_answer_or_is_not_in_the_run_is_not_good(play: Play, tmp_path: Path) -> None:
    assert play("check", hosts=HOSTS, variables=VARIABLES, **GOOD).code == 0
    before = read(tmp_path)[2]
    refused = {"failed": True, "msg": "The API server did not answer."}
    never = VARIABLES | {"model_registries_fail_on": []}
    played = play("check", hosts=HOSTS, variables=never, model_registries=refused, model_registry_info=refused, model_registry_cluster_info=refused)
    file, tests, metrics = read(tmp_path)
    assert played.code and file["status"] == "failed" and file["found"]["not_checked"] == 2, played.output
    assert tests["east", "cluster"] == ("error", "The registries were not read: The API server did not answer.") and last(metrics, "success", "east") == last(
        before, "success", "east"
    )
    limited = play("check", "--limit", "east", hosts=HOSTS, variables=VARIABLES, **GOOD)
    file, tests, metrics = read(tmp_path)
    assert limited.code == 0 and limited.summary.startswith("INCOMPLETE: east") and "not checked: west" in limited.summary, limited.output
    assert (file["status"], file["excluded"], tests["west", "cluster"][0]) == ("incomplete", ["west"], "skipped")
    assert last(metrics, "success", "west") == last(before, "success", "west") < last(metrics, "success", "east")


def test_no_choice_of_tasks_writes_that_all_is_well(play: Play, tmp_path: Path) -> None:
    """Whatever is skipped: either everything is checked, or the run fails, and no file says that a cluster that was not checked is good."""
    tagged = play("check", "--tags", "other", hosts=HOSTS, variables=VARIABLES, **GOOD | {"model_registries": COMPARED | {"drift": [DRIFT]}})
    assert tagged.code and read(tmp_path)[0]["found"]["drift"] == 2, tagged.output
    for name in FILES.values():
        (tmp_path / name).unlink()
    skipped = play("check", "--skip-tags", "always", hosts=HOSTS, variables=VARIABLES, **GOOD)
    assert skipped.code and "--skip-tags" in skipped.output, skipped.output
    # The inventory has one cluster, so that the tasks before those of the role are not needed.
    names = re.findall(r"- name: (.+)\n(?!.*(?:block|vars):\n)", (ROOT / "roles" / "model_registries" / "tasks" / "check.yml").read_text())
    assert names[:2] == ["Validate the options", "Compare the registries with the list and read their status"] and len(names) >= 8
    for name in names[2:]:
        played = play("check", "--start-at-task", name, variables=VARIABLES, **GOOD)
        assert played.code, f"{name}\n{played.output}"
        if (tmp_path / FILES["result"]).exists():
            file, tests, metrics = read(tmp_path)
            assert file["failing"] and "error" in {result for result, _said in tests.values()} and last(metrics, "success", "east") == 0, name
            (tmp_path / FILES["result"]).unlink()


def test_the_policy_is_checked_by_group_and_against_the_list_in_check_mode(play: Play, tmp_path: Path) -> None:
    rules = [
        {"name": "Owner", "rule": "description", "pattern": ".*Owner.*", "clusters": ["production"]},
        {"name": "Access", "rule": "no_broad_access", "registries": ["fraud"]},
    ]
    variables = VARIABLES | {"model_registries_policy": rules}
    played = play("check", hosts=HOSTS, variables=variables, **GOOD | {"model_registry_info": found(registry(status={"access": []}))})
    assert played.code == 0 and read(tmp_path)[1]["east", "fraud: policy"] == ("passed", ""), played.output
    unreadable = found(registry(status={"access": None}))
    rules[0]["clusters"] = ["ungrouped"]
    played = play("check", hosts=HOSTS, variables=variables | {"model_registries_fail_on": ["policy"]}, **GOOD | {"model_registry_info": unreadable})
    file, tests, _metrics = read(tmp_path)
    assert played.code and "fraud: policy 'Owner': the description is empty" in played.summary and file["found"]["policy"] == 2, played.output
    assert tests["west", "fraud: policy"] == ("failed", "policy 'Owner': the description is empty\npolicy 'Access': it could not be checked")
    for arguments, code in ((("--check",), 2), ((), 0)):
        previewed = play("converge", *arguments, variables={"model_registries_list": [], "model_registries_policy": rules}, model_registries=COMPARED)
        assert previewed.code == code and ("policy 'Owner'" in previewed.summary) == bool(code), previewed.output
    page = play("report", variables={"model_registries_policy": rules, "model_registry_report_file": "page.html"}, model_registry_info=SEEN)
    assert page.code == 0 and "Policy &#39;Owner&#39;: the description is empty" in (tmp_path / "page.html").read_text(), page.output


@pytest.mark.parametrize("answer", [None, {"failed": True, "msg": "it is down", "cluster": CLUSTER}])
def test_the_catalog_is_part_of_all_formats_and_never_good_unless_it_was_read(play: Play, tmp_path: Path, answer: dict[str, Any] | None) -> None:
    catalog = {"sources": [], "labels": [], "named_queries": [], "findings": [], "cluster": CLUSTER}
    # An undefined variable makes the task fail before the module runs.
    broken = {} if answer else {"model_catalog_namespace": "{{ missing }}"}
    played = play("check", variables=VARIABLES | {"model_catalog_included": True} | broken, **GOOD, model_catalog_info=answer or catalog)
    file, tests, metrics = read(tmp_path)
    assert played.code and file["failing"] and tests["east", "catalog"][0] == "error", played.output
    assert last(metrics, "success", "east") == 0
    if answer:
        assert tests["east", "fraud: drift"] == ("passed", "")
        played = play("check", variables=VARIABLES | {"model_catalog_included": True}, **GOOD, model_catalog_info=catalog)
        file, tests, _metrics = read(tmp_path)
        assert played.code == 0 and file["status"] == "ok" and tests["east", "catalog"] == ("passed", ""), played.output


def test_the_schema_describes_what_a_reconciliation_writes_too(play: Play, tmp_path: Path) -> None:
    played = play("converge", variables={"model_registries_list": [], "model_registries_result_file": "results.json"}, model_registries=COMPARED)
    written = reading_results.results((tmp_path / "results.json").read_text())
    assert played.code == 0 and written["status"] == "ok" and "found" not in json.dumps(list(written)), played.output


@pytest.mark.parametrize(("playbook", "variable"), [("check", "model_registries_smoke_test"), ("report", "model_registry_report_smoke_test")])
def test_an_option_of_the_wrong_type_is_named_and_nothing_is_written(play: Play, tmp_path: Path, playbook: str, variable: str) -> None:
    page = tmp_path / "page.html"
    played = play(playbook, hosts=HOSTS, variables=VARIABLES | {variable: "yess", "model_registry_report_file": str(page)}, **GOOD)
    assert played.code and variable in played.output and "yess" in played.output, played.output
    assert not page.exists() and not any((tmp_path / name).exists() for name in FILES.values())
