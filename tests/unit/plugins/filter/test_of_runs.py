"""The filters that playbooks end with: what they hand on, and that nothing that was not done counts as good."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.modelops.openshift_ai.plugins import filter as filters
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _outcome
from tests.found import certificate, found, registry

[FOLDER] = filters.__path__
API = {"cluster": {"host": "https://api", "uid": None}}


def filter_of(name: str) -> Callable[..., Any]:
    """The filter that Ansible finds in the file of this name."""
    [[named, function]] = importlib.import_module(f"{filters.__name__}.{name}").FilterModule().filters().items()
    assert named == name
    return function


def test_each_file_has_the_filter_that_it_is_named_after() -> None:
    names = [path.stem for path in Path(FOLDER).glob("[a-z]*.py")]
    assert len(names) > 10 and all(callable(filter_of(name)) for name in names)


def test_what_users_give_is_shown_unless_it_may_be_a_secret() -> None:
    shown = filter_of("model_registry_shown")
    assert (shown("fraud-models"), shown("mysql://root:S3cretPw99@h/db")) == ("fraud-models", "(not shown)")


def test_any_value_is_a_line_without_templates() -> None:
    line = filter_of("model_registry_line")
    assert (line(5), line("a\n{{ b }}")) == ("5", "a { { b }}")


def test_clusters_that_did_not_answer_are_the_same_as_none() -> None:
    same = filter_of("model_registry_same_cluster")
    silent = {"msg": "no answer"}
    answers = {"a": API, "b": silent, "c": API, "d": {"cluster": None}, "e": {"cluster": {"host": None}}, "f": silent}
    assert same(answers) == [["a", "c"]]


def test_a_host_is_connected_to_as_it_says_or_refused() -> None:
    connection = filter_of("model_registry_connection")
    assert connection({"context": "e"}, "east", ["east"]) == {"context": "e"}
    assert connection({"context": "e"}, "east", ["east", "west"], None, True) == {"context": "e"}
    with pytest.raises(AnsibleFilterError, match=r"^Nothing was read or written: "):
        connection({"context": "e"}, "east", ["east", "west"])
    with pytest.raises(AnsibleFilterError, match="localhost does not set model_registry_cluster"):
        connection(None, "localhost", ["east", "localhost"], "all", True)


def test_hosts_to_refuse_are_named() -> None:
    refused = filter_of("model_registry_hosts")
    variables = {"east": {"model_registry_cluster": {"context": "a"}}, "west": {"model_registry_cluster": {"context": "a"}}, "north": {}}
    assert refused(["east", "north"], variables, list(variables)) == {"silent": ["north"], "same": [["east", "west"]]}
    alone = (["localhost"], {"localhost": {}}, ["localhost"])
    assert refused(*alone)["silent"] == [] and refused(["north"], variables, ["north"], None, True)["silent"] == ["north"]


def test_misspelled_variables_of_the_play_and_of_hosts_are_told() -> None:
    told = filter_of("model_registry_misspelled")(["model_registries_purg"], {"east": {"model_registries_lsit": 1}})
    assert [sentence.split()[1] for sentence in told] == ["model_registries_lsit", "model_registries_purg"]


def test_the_summary_of_a_play_is_about_all_hosts_that_are_alive_unless_it_runs_in_batches() -> None:
    summary = filter_of("model_registry_summary")
    variables = {"east": {"x_report": "east: done", "x_result": API}, "west": {}}
    assert summary(["east", "west"], variables, "x", ["east"])[:2] == ["east: done", "west: FAILED before the cluster was contacted, see above"]
    with pytest.raises(AnsibleFilterError, match=r"^Nothing was done or checked for west: "):
        summary(["east", "west"], variables, "x", ["east", "west"])
    assert summary(["east", "west"], variables, "x", ["east", "west"], ["east"]) == ["east: done", "east: API server https://api"]


def checked(**changed: Any) -> dict[str, Any]:
    """The variables of a host whose registries were checked."""
    compared = {"registries": [{"name": "fraud"}], "drift": [], "unlisted": [], "changes": [], **API}
    return {"model_registries_result": compared, "model_registries_seen": found(registry()), "group_names": ["production"], **changed}


def test_the_findings_of_a_host_are_those_of_its_own_results_and_groups(tmp_path: Path) -> None:
    findings = filter_of("model_registries_findings")
    assert (findings({"east": checked()}, "east", True)["status"], findings({"east": checked()}, "east", True)["failing"]) == ("ok", False)
    ends = found(registry("fraud", {"ca": {"source": "secret"}}, {"certificates": [certificate(3)]}))
    expiring = {"east": checked(model_registries_seen=ends)}
    assert findings(expiring, "east", True)["failing"] and not findings(expiring, "east", True, fail_on="drift, health")["failing"]
    rules = [{"name": "N", "rule": "description", "pattern": "x", "clusters": [""]}]
    for place, is_violated in (("east", True), ("production", True), ("west", False)):
        rules[0]["clusters"] = [place]
        assert ("policy" in findings({"east": checked()}, "east", True, policy=rules)["counts"]) is is_violated
    assert "policy" in findings({"east": {**checked(), "group_names": None}}, "east", True, policy=[{**rules[0], "clusters": ["east"]}])["counts"]
    assert findings({"east": checked()}, "east", True, backup_folder=str(tmp_path), backup_hours="26")["counts"] == {"backup": 1}
    assert findings({"east": {}}, "east", True)["status"] == "failed"
    purged = checked(model_registries_result={**checked()["model_registries_result"], "unlisted": [{"name": "x"}]})
    assert [findings({"east": purged}, "east", True, purge)["status"] for purge in (False, True)] == ["ok", "findings"]


def test_the_outcome_of_a_reconciliation_is_a_variable() -> None:
    outcome = filter_of("model_registries_outcome")
    result = {"registries": [{"name": "a", "changed": True}], "changes": [{"action": "update", "kind": "ModelRegistry", "name": "a"}], **API}
    assert outcome(result)["status"] == "changed" and (outcome(result)["would"], outcome(result, True)["would"]) == ("", "would be ")
    rule = [{"name": "N", "rule": "description", "pattern": "x", "clusters": ["east"]}]
    assert [outcome(result, True, rule, places)["failing"] for places in ((), ["east"])] == [False, True]


def test_the_outcome_of_a_catalog_depends_on_what_a_run_fails_on() -> None:
    outcome = filter_of("model_catalog_outcome")
    changed = {"changes": [{"action": "update", "kind": "ConfigMap", "name": "c", "fields": []}]}
    assert [outcome(changed, {}, *options)["status"] for options in ((), (True,), (False, True))] == ["changed", "findings", "changed"]
    assert [outcome(changed, {}, True, False, *fail_on)["failing"] for fail_on in ((), ("health",), ("health,drift",))] == [True, False, True]


COMPARED = _outcome.as_fact(_outcome.Outcome("findings", "https://api", 1, [], ", compared with the list"))
RECONCILED = _outcome.as_fact(_outcome.Outcome("changed", "https://api", 1, []))


def test_the_screen_of_a_check_is_not_about_a_reconciliation_and_names_clusters_outside_of_the_play() -> None:
    summary = filter_of("model_registries_summary")
    variables = {"east": {"model_registries_outcome": COMPARED}, "west": {"model_registries_outcome": RECONCILED}}
    both = ["east", "west"]
    assert summary(both, variables, both, both)[0] == "FINDINGS: 2 registries in 2 clusters"
    with pytest.raises(AnsibleFilterError, match=r"^Nothing was done or checked for west: "):
        summary(both, variables, both, both, {"clusters": both})
    assert summary(["east"], variables, ["east"], ["east"], {"clusters": both})[1:] == ["not part of the run, and not checked: west"]
    assert summary(["east"], variables, ["east"], ["east"], {"clusters": None})[1:] == summary(["east"], variables, ["east"], ["east"])[1:] == []


def test_results_are_written_in_the_format_that_is_wanted(tmp_path: Path) -> None:
    results = filter_of("model_registries_results")
    variables = {"east": {"model_registries_outcome": COMPARED}, "west": {"model_registries_outcome": RECONCILED}, "north": {}}
    alone = (["east"], variables, ["east"], ["east"])
    assert "found" not in json.loads(results(*alone, "json")) and json.loads(results(*alone, "json"))["status"] == "findings"
    assert json.loads(results(*alone, "json", expected={}))["found"] == dict.fromkeys((*_outcome.CHECKS, "catalog", "not_checked"), 0)
    assert results(*alone, "junit", expected={}).startswith("<?xml")
    before = tmp_path / "metrics"
    before.write_text('model_registries_check_last_run_timestamp_seconds{cluster="west"} 7\n')
    metrics = results(*alone, "metrics", expected={"clusters": ["west"]}, previous=str(before))
    assert 'model_registries_check_last_run_timestamp_seconds{cluster="west"} 7\n' in metrics
    assert json.loads(results(*alone, "json", fail_on="health", expected={}))["fail_on"] == ["health"]
    for expected in (None, {}):
        with pytest.raises(AnsibleFilterError, match=r"^Nothing was done or checked for "):
            results(["east", "west", "north"], variables, ["east", "west"], ["east", "west", "north"], "json", expected=expected)


def test_nothing_is_told_of_catalogs_of_hosts_whose_tasks_were_skipped() -> None:
    results = filter_of("model_catalog_results")
    variables = {"east": {"model_registries_outcome": RECONCILED}, "west": {}}
    assert results(["east"], variables, ["east"], ["east"])["status"] == "changed"
    with pytest.raises(AnsibleFilterError, match=r"^Nothing was done or checked for west: "):
        results(["east", "west"], variables, ["east", "west"], ["east", "west"])
