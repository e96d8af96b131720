"""The end of a run in words."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._summary import NothingDone, summary

ANSWERED = {"cluster": {"host": "https://api:6443"}}


def test_each_cluster_is_told_of_with_its_api_server() -> None:
    variables = {
        "east": {"x_report": ["east: 2 listed", "east/a: created"], "x_result": ANSWERED},
        "west": {"x_report": "west: FAILED: no answer", "x_result": {"failed": True}, "x_seen": ANSWERED},
        "north": {},
    }
    assert summary(variables, variables, "x", ["east", "west"], ["east", "west"]) == [
        "east: 2 listed",
        "east/a: created",
        "west: FAILED: no answer",
        "north: FAILED before the cluster was contacted, see above",
        "east: API server https://api:6443",
        "west: API server https://api:6443",
        "north: API server not known",
    ]


def test_a_cluster_that_answered_without_its_address_is_not_known_unless_another_answer_has_it() -> None:
    variables = {
        "east": {"x_report": "e", "x_result": {"cluster": None}, "x_seen": {"cluster": {"host": None}}, "x_found": ANSWERED},
        "west": {"x_report": ["w"]},
    }
    assert summary(variables, variables, "x", variables, variables)[2:] == ["east: API server https://api:6443", "west: API server not known"]


@pytest.mark.parametrize("own", [{}, {"x_report": ""}, {"x_report": []}])
def test_nothing_is_said_of_clusters_whose_tasks_were_skipped(own: dict[str, Any]) -> None:
    variables = {"east": {"x_report": "east: all as it should be"}, "west": own}
    with pytest.raises(NothingDone, match="Nothing was done or checked for west: tasks were skipped"):
        summary(variables, variables, "x", ["east", "west"], ["east", "west"])


def test_of_the_hosts_of_a_later_batch_nothing_is_said() -> None:
    variables: dict[str, dict[str, Any]] = {"first": {"x_report": "first: done"}, "broken": {}, "now": {"x_report": "now: done"}, "later": {}}
    said = summary(variables, variables, "x", ["first", "now", "later"], ["now"])
    assert [line.split(":")[0] for line in said] == ["first", "broken", "now"] * 2
    with pytest.raises(NothingDone, match="for later"):
        summary(variables, variables, "x", ["first", "now", "later"], ["later"])


def test_no_line_is_more_than_a_line_or_means_anything_to_a_terminal_or_a_template() -> None:
    variables = {"east": {"x_report": "east: a\nwest: b \x1b[2J {{ c }}"}}
    assert summary(["east"], variables, "x", ["east"], ["east"])[0] == "east: a west: b \\x1b[2J { { c }}"
