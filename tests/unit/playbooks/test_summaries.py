"""What `converge` and `check` print for many registries and clusters: a screen that a person reads, and each error once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.found import found, registry
from tests.playing import Played

Play = Callable[..., Played]
CLUSTER = {"host": "https://api.east.example.com:6443", "context": "east", "user": "ansible", "verify_ssl": True}
ERROR = "registries[{}]: The database refuses the login of user 'registry'. Check database.username and database.password."
ADDRESS = "https://{}-rest.apps.east.example.com"


def result(number: int, changed: int = 0, failed: int = 0, **others: Any) -> dict[str, Any]:
    """What the module answers for that many registries, the first of which were changed and the last of which failed."""
    registries = []
    for index in range(number):
        one = registry(f"team-{index}", display_name=f"Team {index}", description="x" * 200)
        one["status"] = {
            "available": True,
            "reason": "",
            "address": ADDRESS.format(one["name"]),
            "conditions": [{"type": "Available", "message": "y" * 200}] * 3,
        }
        is_failed = index >= number - failed
        registries.append(one | {"changed": index < changed, "failed": is_failed} | ({"msg": ERROR.format(index)} if is_failed else {}))
    drift = [
        {
            "registry": f"team-{index}",
            "option": "display_name",
            "before": "Clicked",
            "after": f"Team {index}",
            "manager": "Mozilla",
            "time": "2026-05-06T07:08:09Z",
        }
        for index in range(changed)
    ]
    changes = [
        {"action": "update", "kind": "ModelRegistry", "namespace": "registries", "name": f"team-{index}", "fields": ["display_name"]}
        for index in range(changed)
    ]
    diff = [
        {"before_header": f"registry team-{index}", "after_header": f"registry team-{index}", "before": "display_name: Clicked\n", "after": "display_name: T\n"}
        for index in range(changed)
    ]
    said = {"failed": True, "msg": " ".join(one["msg"] for one in registries if one["failed"])} if failed else {}
    return {
        "registries": registries,
        "unlisted": [],
        "drift": drift,
        "changes": changes,
        "changed": changed > 0,
        "cluster": CLUSTER,
        "diff": diff,
        **said,
        **others,
    }


LIST: dict[str, Any] = {"model_registries_list": []}
# What Ansible itself prints for the tasks of a run, and for one that fails.
FRAME, SCREEN = 3000, 4000


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (result(30), "ok", ["30 registries: 30 unchanged"]),
        (result(30, 3), "changed", ["27 unchanged, 3 changed", "team-0, team-1, team-2: changed: display_name"]),
        (result(30, 3, 2), "failed", ["25 unchanged, 2 failed, 3 changed", "team-28, team-29: FAILED: The database refuses"]),
        ({"failed": True, "msg": ERROR, "cluster": CLUSTER}, "failed", ["east: FAILED: registries"]),
    ],
)
def test_a_reconciliation_of_many_registries_is_told_on_a_screen(play: Play, tmp_path: Path, answer: dict[str, Any], status: str, said: list[str]) -> None:
    played = play("converge", variables={**LIST, "model_registries_result_file": "result.json"}, model_registries=answer)
    assert (played.code != 0) == (status == "failed"), played.output
    assert len(played.output) < FRAME and "['" not in played.output, played.output
    assert played.output.count("The database refuses the login") == (status == "failed")
    assert played.summary.startswith(f"{status.upper()}: east ({CLUSTER['host']}): ") and all(text in played.summary for text in said), played.summary
    written = json.loads((tmp_path / "result.json").read_text())
    assert written["status"] == status and written["clusters"]["east"]["results"]["model_registries_result"]["cluster"] == CLUSTER
    assert (tmp_path / "result.json").stat().st_mode & 0o777 == 0o600


def test_a_preview_is_written_to_the_file_too_and_its_difference_is_short(play: Play, tmp_path: Path) -> None:
    variables = {**LIST, "model_registries_result_file": "result.json"}
    played = play("converge", "--check", "--diff", variables=variables, model_registries=result(30, 30))
    assert played.code == 0 and len(played.output) < FRAME + 30 * 200, played.output
    assert "30 would be changed" in played.summary and json.loads((tmp_path / "result.json").read_text())["status"] == "changed"


def test_more_words_of_ansible_do_not_print_all_registries_before_the_second_level(play: Play) -> None:
    little, all_of_it = (play("converge", verbosity, variables=LIST, model_registries=result(30, 3, 2)) for verbosity in ("-v", "-vv"))
    assert len(little.output) < 2 * FRAME and little.summary == all_of_it.summary, little.output
    assert len(all_of_it.output) > 30_000 and '"display_name": "Team 7"' in all_of_it.output


@pytest.mark.parametrize("number", [30, 300])
def test_a_check_of_many_registries_is_told_on_a_screen(play: Play, tmp_path: Path, number: int) -> None:
    seen = found(*(registry(f"team-{index}", status={"available": index > 2, "reason": "no pod is ready"}) for index in range(number)))
    variables = {**LIST, "model_registries_result_file": "result.json"}
    played = play("check", variables=variables, model_registries=result(number, number), model_registry_info=seen)
    assert played.code and len(played.output) < FRAME + SCREEN and "['" not in played.output, played.output
    lines = played.summary.splitlines()
    assert lines[0].startswith("FINDINGS: east (") and f"{number} with drift, 3 not available" in lines[0] and len(lines) < 35
    left = int(lines[-1].split()[1])
    assert left + len(lines) - 2 == number + 1 + 2 and "model_registries_result_file" in lines[-1], lines
    assert played.output.count("'Team 7'") == 1
    written = json.loads((tmp_path / "result.json").read_text())
    assert written["status"] == "findings" and written["clusters"]["east"]["counts"] == {"drift": number, "unavailable": 3}


def test_a_check_of_clusters_that_do_not_answer_is_a_failure_and_says_each_error_once(play: Play, tmp_path: Path) -> None:
    hosts = {name: {"context": name} for name in ("east", "west", "north")}
    refused = {"failed": True, "msg": "The API server did not answer. Check the address."}
    variables = {**LIST, "model_registries_result_file": "result.json"}
    played = play("check", hosts=hosts, variables=variables, model_registry_cluster_info=refused, model_registries=refused, model_registry_info=refused)
    assert played.code and played.summary.startswith("FAILED: 0 registries in 3 clusters\n") and len(played.output) < FRAME + SCREEN, played.output
    assert played.output.count(refused["msg"]) == len(hosts)
    assert json.loads((tmp_path / "result.json").read_text())["status"] == "failed"


def test_a_strategy_of_the_user_makes_no_summary_for_each_cluster(play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_STRATEGY", "free")
    file = tmp_path / "results.json"
    clusters = {name: {"host": f"https://api.{name}.example.com:6443"} for name in ("east", "west")}
    variables = LIST | {"model_registries_result_file": str(file), "model_registries_same_cluster": True}
    run = play("converge", hosts=clusters, variables=variables, model_registries=result(1), model_registry_cluster_info={"cluster": CLUSTER})
    assert run.code == 0 and len(run.summaries) == 1, run.output
    assert json.loads(file.read_text())["clusters"].keys() == {"east", "west"}
