"""The end of a run in words."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._summary import NothingDone, same_clusters, summary

ANSWERED = {"cluster": {"host": "https://api:6443"}}


def test_each_cluster_is_told_of_with_its_api_server() -> None:
    variables = {
        "east": {"x_report": ["east: 2 listed", "east/a: created"], "x_result": ANSWERED},
        "west": {"x_report": "west: FAILED: no answer", "x_result": {"failed": True}, "x_seen": ANSWERED},
        "north": {},
    }
    assert summary(variables, variables, "x", ["east", "west"]) == [
        "east: 2 listed",
        "east/a: created",
        "west: FAILED: no answer",
        "north: FAILED before the cluster was contacted, see above",
        "east: API server https://api:6443",
        "west: API server https://api:6443",
        "north: API server not known",
    ]


@pytest.mark.parametrize("own", [{}, {"x_report": ""}, {"x_report": []}])
def test_nothing_is_said_of_clusters_whose_tasks_were_skipped(own: dict[str, Any]) -> None:
    variables = {"east": {"x_report": "east: all as it should be"}, "west": own}
    with pytest.raises(NothingDone, match="Nothing was done or checked for west: tasks were skipped"):
        summary(variables, variables, "x", ["east", "west"])


def test_no_line_is_more_than_a_line_or_means_anything_to_a_terminal_or_a_template() -> None:
    variables = {"east": {"x_report": "east: a\nwest: b \x1b[2J {{ c }}"}}
    assert summary(["east"], variables, "x", ["east"])[0] == "east: a west: b \\x1b[2J { { c }}"


def cluster(host: str, uid: str | None = None) -> dict[str, Any]:
    return {"host": host, "uid": uid}


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (cluster("https://a:6443", "1"), cluster("https://b:6443", "1"), True),
        (cluster("https://a:6443", "1"), cluster("https://a:6443", "2"), False),
        (cluster("https://a:6443", "1"), cluster("https://a:6443"), True),
        (cluster("https://A.example.com./"), cluster("https://a.example.com:443"), True),
        (cluster("https://a:6443"), cluster("https://a:6444"), False),
        (cluster("https://a/k8s/clusters/1"), cluster("https://a/k8s/clusters/2"), False),
    ],
)
def test_clusters_are_told_apart_by_their_identity_and_without_it_by_their_address(one: dict[str, Any], other: dict[str, Any], is_same: bool) -> None:
    assert same_clusters({"x": one, "between": cluster("https://z", "9"), "y": other}) == ([["x", "y"]] if is_same else [])


def test_several_clusters_with_several_names_are_all_told() -> None:
    clusters = {name: cluster(f"https://{name}", uid) for name, uid in (("a", "1"), ("b", "2"), ("c", "1"), ("d", "2"), ("e", "1"), ("f", "3"))}
    assert same_clusters(clusters) == [["a", "c", "e"], ["b", "d"]]
