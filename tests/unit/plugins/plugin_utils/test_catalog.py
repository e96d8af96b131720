"""What became of the model catalog of a cluster, as the summaries tell it."""

from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _outcome
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._catalog import outcome, results

CHANGE = {"action": "update", "kind": "ConfigMap", "namespace": "r", "name": "model-catalog-sources", "fields": ["sources[a].enabled"]}
RESTART = {"action": "restart", "kind": "Deployment", "namespace": "r", "name": "model-catalog", "fields": []}
CHANGED = {"changes": [CHANGE], "sources": [{"id": "a", "status": "available"}]}


def source(status: str | None = "available", error: str | None = None, *findings: dict[str, Any]) -> dict[str, Any]:
    return {"id": "a", "status": {"findings": list(findings), "server": {"status": status, "error": error}}}


def finding(effect: str) -> dict[str, Any]:
    return {"config_map": "c", "effect": effect, "path": "catalogs[0]", "problem": "is wrong", "remedy": "Correct it"}


@pytest.mark.parametrize(
    ("result", "seen", "is_check", "status", "part"),
    [
        ({}, {}, False, "ok", "no change"),
        (CHANGED, {}, False, "changed", "changed: sources[a].enabled"),
        (CHANGED, {}, True, "findings", "would be changed"),
        ({"changes": [CHANGE, RESTART]}, {}, False, "changed", "model catalog: Deployment model-catalog restarted"),
        ({"msg": "it is down", **CHANGED}, {}, False, "failed", "FAILED: it is down"),
        ({}, {"msg": "may not be read"}, True, "failed", "FAILED: may not be read"),
        ({}, {"sources": [source()]}, True, "ok", "1 sources"),
        ({}, {"sources": [source("error", "no file")]}, True, "findings", "source a: error: no file"),
        ({}, {"sources": [source("partially-available")]}, True, "findings", "does not report the reason"),
        ({}, {"sources": [source(None, None, finding("source"))]}, True, "findings", "source a: catalogs[0]: is wrong"),
        ({}, {"sources": [source(None, None, finding("advice"))]}, True, "ok", "no findings"),
        ({}, {"sources": [], "findings": [finding("catalog")]}, True, "findings", "ConfigMap c: the whole catalog is unavailable"),
        ({}, {"sources": [], "findings": [finding("advice")]}, True, "ok", "no findings"),
    ],
)
def test_the_status_and_the_lines(result: dict[str, Any], seen: dict[str, Any], is_check: bool, status: str, part: str) -> None:
    made = outcome(result, seen, is_check)
    assert made["status"] == status
    assert any(part in line for line in made["lines"])


@pytest.mark.parametrize("fail_on", [(), ("drift",), ("health",), ("drift", "health"), ("certificates",)])
def test_a_check_fails_because_of_the_findings_that_were_chosen(fail_on: tuple[str, ...]) -> None:
    ill = {"sources": [source("error", "no file")]}
    assert outcome(CHANGED, {}, True, fail_on=fail_on)["failing"] == ("drift" in fail_on)
    assert outcome({}, ill, True, fail_on=fail_on)["failing"] == ("health" in fail_on)
    assert outcome({}, {"msg": "may not be read"}, True, fail_on=fail_on)["failing"]
    assert not outcome({}, {"sources": [source()]}, True, fail_on=fail_on)["failing"]
    assert not outcome(CHANGED, ill, False, fail_on=fail_on)["failing"]


@pytest.mark.parametrize(
    ("result", "seen", "is_check", "lines"),
    [
        ({}, {}, False, ["model catalog: no change"]),
        ({}, {}, True, ["model catalog: 0 sources, no findings"]),
        ({"sources": [{"id": "a"}, {"id": "b", "status": "available"}]}, {}, True, ["model catalog: 2 sources, no findings"]),
        ({"sources": [{"id": "a"}]}, {"sources": []}, True, ["model catalog: 0 sources, no findings"]),
        ({"sources": [{"id": "a"}]}, {"sources": None}, True, ["model catalog: 1 sources, no findings"]),
        (
            {**CHANGED, "sources": [{"id": "a", "status": "error"}, {"id": "b", "status": "partially-available"}, {"id": "c", "status": "disabled"}]},
            {"sources": [{**source("error", "no file", finding("source")), "id": "d"}], "findings": [{**finding("catalog"), "path": "", "config_map": None}]},
            False,
            [
                "model catalog: the whole catalog is unavailable: is wrong",
                "source d: error: no file",
                "source a: error",
                "source b: partially-available",
                "model catalog: ConfigMap model-catalog-sources changed: sources[a].enabled",
            ],
        ),
        (
            {"msg": "one", **CHANGED},
            {"msg": "two", "sources": [source(None, None, finding("source"), finding("advice"), finding("catalog"))]},
            True,
            ["FAILED: one", "FAILED: two", "source a: catalogs[0]: is wrong", "source a: the whole catalog is unavailable: catalogs[0]: is wrong"],
        ),
        (
            {"changes": [{**RESTART, "action": action, "fields": fields} for action, fields in (("create", ["a", "b"]), ("delete", []))]},
            {},
            True,
            ["model catalog: Deployment model-catalog would be created: a, b", "model catalog: Deployment model-catalog would be deleted"],
        ),
    ],
)
def test_the_lines_in_their_order(result: dict[str, Any], seen: dict[str, Any], is_check: bool, lines: list[str]) -> None:
    assert outcome(result, seen, is_check)["lines"] == lines


def test_in_check_mode_a_change_would_be_one() -> None:
    assert "would be changed" in outcome(CHANGED, {}, False, True)["lines"][0]


def catalog_of(status: str) -> dict[str, Any]:
    return {"model_catalog_outcome": {"status": status, "lines": ["x"]}, "model_catalog_result": {"changes": []}}


def registries_of(status: str) -> dict[str, Any]:
    return {"model_registries_outcome": _outcome.as_fact(_outcome.Outcome(status, "", 1, []))}


def test_the_results_are_those_of_registries_and_catalogs() -> None:
    variables = {"east": registries_of("ok") | catalog_of("findings"), "west": registries_of("changed")}
    made = results(["east", "west"], variables, ["east", "west"], ["east", "west"])
    assert made["status"] == "findings"
    assert {host: cluster["status"] for host, cluster in made["clusters"].items()} == {"east": "findings", "west": "changed"}
    assert made["clusters"]["east"]["catalog"] == {"status": "findings", "lines": ["x"], "results": {"model_catalog_result": {"changes": []}}}
    assert (made["clusters"]["east"]["registries"], made["clusters"]["west"].get("catalog")) == (1, None)


def test_a_host_whose_outcome_is_bad_has_it_although_it_failed_because_of_it() -> None:
    variables = {
        "a": registries_of("ok") | catalog_of("findings"),
        "b": registries_of("findings") | catalog_of("changed"),
        "c": registries_of("ok") | catalog_of("ok"),
        "d": registries_of("changed"),
        "e": {},
    }
    made = results(list(variables), variables, ["d", "e"], ["d"])
    assert {host: cluster["status"] for host, cluster in made["clusters"].items()} == {"a": "findings", "b": "findings", "c": "failed", "d": "changed"}
    assert {host for host, cluster in made["clusters"].items() if "catalog" in cluster} == {"a", "b"} and made["status"] == "failed"


def test_a_catalog_has_the_results_of_both_of_its_modules() -> None:
    both = catalog_of("ok") | {"model_catalog_seen": {"sources": []}, "model_catalog_other": 1}
    made = results(["east"], {"east": both}, ["east"], ["east"])
    assert made["clusters"]["east"] == {
        "status": "ok",
        "catalog": {"status": "ok", "lines": ["x"], "results": {"model_catalog_result": {"changes": []}, "model_catalog_seen": {"sources": []}}},
    }
    assert {"version", "collection_version", "finished"} <= made.keys() and results([], {}, [], [])["status"] == "ok"


def test_a_run_without_registries_has_the_results_of_catalogs_alone() -> None:
    made = results(["east", "west"], {"east": catalog_of("changed"), "west": catalog_of("ok")}, ["east"], ["east"])
    # What a playbook before has left does not count for a host that failed since.
    assert (made["status"], made["clusters"]["west"]) == ("failed", {"status": "failed"})
    assert made["clusters"]["east"]["status"] == "changed"
