"""The answers that a report gives to the questions of an audit, and its summary in numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import retention
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups, _report_changes
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._report import Figure, Report, Run, files, report_of
from tests.found import access, certificate, found, registry

NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
NO_CERTIFICATES = {"status": {key: value for key, value in registry()["status"].items() if key != "certificates"}}
LATER = {"created_at": "2026-02-02T03:04:05Z"}


def report(*results: Any, **changed: Any) -> Report:
    """Of clusters east and west, each given as its results."""
    return report_of(
        [(name, *(each if isinstance(each, tuple) else (each, {}))) for name, each in zip(("east", "west"), results, strict=False)], NOW, "1.2.3", **changed
    )


def answer(made: Report, word: str) -> str:
    """The answer to the question with this word."""
    [said] = [row.cells[1].text for row in made.tables[0].rows if word in row.cells[0].text]
    return said


NAMED = [registry(f"r{number}", {"verify_server_cert": False}) for number in range(9)]


@pytest.mark.parametrize(
    ("word", "results", "said"),
    [
        ("read or change", [found()], "0 subjects can read and change 0 registries."),
        (
            "read or change",
            [found(registry(status={"access": [access("a"), access("a", through="x"), access("b", **LATER), access("c", effective=False)]}))],
            "2 subjects can read and change 1 registry, the most recent of them since 2026-02-02.",
        ),
        (
            "read or change",
            [
                found(registry("a", status={"access": [access("a", created_at=None)]}), registry("b", status={"access": None})),
                found(
                    registry(status={"access": [access("a", created_at=None)]}),
                    access_by_other_roles=[access("x"), access("x", through="y"), access("w"), access("y", kind="user"), access("z", platform=True)],
                ),
            ],
            "1 subject can read and change 2 registries. 3 other subjects outside of the platform can access all of them. Access to 1 registry is not known.",
        ),
        (
            "Who granted",
            [found(registry(status={"access": [access("a", made_by="operator"), *(access(f"u{number}") for number in range(1000))]}))],
            "1,001 grants (dashboard or collection: 1,000, operator: 1). "
            "Each grant is listed with its client. Only the audit log of the API server contains the names of the users.",
        ),
        (
            "Who granted",
            [found(registry())],
            "No grants are known. Each grant is listed with its client. Only the audit log of the API server contains the names of the users.",
        ),
        ("encrypted and verified", [found(registry())], "1 of 1 connections are encrypted and verified."),
        (
            "encrypted and verified",
            [
                found(
                    registry("a"),
                    registry("b", {"ca": {"source": "none"}, "verify_server_cert": False}),
                    registry("c", {"verify_server_cert": False}),
                    registry("d", {"type": "generated"}),
                    registry("e") | {"database": None},
                )
            ],
            "1 of 5 connections are encrypted and verified; not encrypted: b; encrypted, but not verified: c; inside the cluster, to generated databases: d.",
        ),
        (
            "encrypted and verified",
            [found(*NAMED[:8])],
            "0 of 8 connections are encrypted and verified; encrypted, but not verified: r0, r1, r2, r3, r4, r5, r6, r7.",
        ),
        (
            "encrypted and verified",
            [found(*NAMED)],
            "0 of 9 connections are encrypted and verified; encrypted, but not verified: r0, r1, r2, r3, r4, r5, r6, r7, and 1 more.",
        ),
        (
            "encrypted and verified",
            [found(registry()), found(NAMED[0])],
            "1 of 2 connections are encrypted and verified; encrypted, but not verified: west/r0.",
        ),
        ("certificates expire", [found(registry())], "No certificates were read."),
        (
            "certificates expire",
            [
                found(
                    registry("a", status={"certificates": [certificate(days, f"CN={days}", not_after=f"2026-0{days}-01T00:00:00Z") for days in (4, 1, 3, 2)]}),
                    registry("b", status={"certificates": [certificate(1, "CN=1", not_after="2026-01-01T00:00:00Z")], "unread_certificates": ["Secret x"]}),
                    registry("c") | NO_CERTIFICATES,
                )
            ],
            "CN=1 on 2026-01-01 (a, b); CN=2 on 2026-02-01 (a); CN=3 on 2026-03-01 (a). Certificates of b, c could not be read.",
        ),
        ("not intended for production", [found(registry())], "No registry uses a generated database."),
        (
            "not intended for production",
            [found(registry("a", {"type": "generated"}), registry("b"))],
            "Generated databases, which the product supports for tests only: a.",
        ),
        ("last backup", [found(registry())], "Not known: model_registry_backup_folder is not set."),
        ("drifted", [found(registry())], "Not known: the registries were not compared with a list."),
        (
            "drifted",
            [(found(registry()), {"drift": [], "registries": [{"name": "fraud"}]})],
            "0 differences in 0 registries. List: not known.",
        ),
        (
            "drifted",
            [
                (
                    found(registry("a"), registry("b"), registry("c")),
                    {
                        "drift": [{"registry": name, "option": option, "before": 1, "after": 2} for name, option in (("a", "x"), ("a", "y"), ("new", "name"))],
                        "registries": [{"name": "a"}, {"name": "b", "failed": True, "msg": "no"}],
                        "unlisted": [{"name": "c"}],
                    },
                ),
                found(registry()),
            ],
            "3 differences in 2 registries, and 1 registry not in the list. Not compared: west, east/b. List: not known.",
        ),
        ("could not be checked", [found()], "Everything that is part of this report was checked, and 1 check is not part of this report."),
        ("could not be checked", [(found(), {}, {"sources": []})], "Everything that is part of this report was checked."),
        ("could not be checked", [{"msg": "gone"}], "1 check was not possible."),
        (
            "could not be checked",
            [{"msg": "gone", "warnings": ["x"]}, (found(registry(status={"access": None}), groups=None, warnings=["x", "y"]), {}, {"msg": "no"})],
            "4 checks were not possible, and 5 checks are not part of this report. Also see the warnings of 2 clusters.",
        ),
        ("Who generated", [found()], "Unknown user, at 2026-03-04T05:06:00Z. Accounts in the clusters: auditor in east."),
        (
            "Who generated",
            [found(), found(cluster=None)],
            "Unknown user, at 2026-03-04T05:06:00Z. Accounts in the clusters: auditor in east, not known in west.",
        ),
        ("has changed", [found()], "There is no earlier report in the directory of this page."),
    ],
)
def test_each_question_has_an_answer_in_a_sentence(word: str, results: list[Any], said: str) -> None:
    assert answer(report(*results), word) == said


def test_the_answer_about_backups_names_the_newest_the_oldest_and_what_lacks_one(tmp_path: Path) -> None:
    for name, hours in (("fresh", 1), ("old", 26), ("older", 27)):
        (tmp_path / retention.backup_of("https://api", name, NOW - timedelta(hours=hours)).file).write_text("x")
    backups = _backups.Wanted(str(tmp_path), 26, NOW)
    made = report(found(*(registry(name) for name in ("fresh", "old", "older", "none"))), backups=backups)
    assert answer(made, "last backup") == (
        "The most recent backup is from 2026-03-04T04:06:00Z (fresh), the oldest last backup is from 2026-03-03T02:06:00Z (older). "
        "Without a backup from the last 26 hours: older, none."
    )
    assert answer(report(found(registry("old")), backups=backups), "last backup").endswith("the oldest last backup is from 2026-03-03T03:06:00Z (old).")
    assert answer(report(found(), backups=backups), "last backup") == "There are no registries."
    assert answer(report(found(registry()), backups=_backups.Wanted(str(tmp_path / "none"), 26, NOW)), "last backup") == (
        "Without a backup from the last 26 hours: fraud."
    )


def test_the_answers_name_the_job_the_list_and_what_has_changed() -> None:
    facts = [("Started by", "jana"), ("Job", "4711"), ("List", "list.yml")]
    compared = {"drift": [], "registries": []}
    made = report((found(), compared), run=Run(facts))
    assert answer(made, "Who generated") == "jana in job 4711, at 2026-03-04T05:06:00Z. Accounts in the clusters: auditor in east."
    assert answer(made, "drifted") == "0 differences in 0 registries. List: list.yml."
    previous = _report_changes.read(files(report(found(registry())), "page.html")["page.json"])
    since = "since the report of 2026-03-04T05:06:00Z"
    assert answer(report(found(registry()), run=Run(previous=previous)), "has changed") == f"Nothing has changed {since}."
    assert answer(report(found(registry(), registry("new")), run=Run(previous=previous)), "has changed") == f"1 change {since}."


def test_each_answer_leads_to_the_tables_that_tell_more() -> None:
    def links(made: Report) -> list[list[str]]:
        anchors = {table.anchor for table in made.tables if table.shown}
        led = [[anchor for _title, anchor in row.cells[2].links] for row in made.tables[0].rows]
        assert {anchor for each in led for anchor in each} <= anchors
        assert all(
            title == table.title for row in made.tables[0].rows for title, anchor in row.cells[2].links for table in made.tables if table.anchor == anchor
        )
        return led

    assert links(report(found())) == [
        ["access", "rights", "groups"],
        ["access", "rights"],
        ["registries"],
        ["certificates"],
        ["registries"],
        ["registries"],
        ["drift"],
        ["unchecked", "clusters"],
        ["run", "clusters"],
        ["changes"],
    ]
    assert links(report((found(), {"drift": []})))[6] == links(report(found(), (found(), {"drift": []})))[6] == ["drift", "unlisted"]


# The summary


def test_the_numbers_of_the_summary_say_how_bad_it_is_and_lead_to_a_table() -> None:
    own = {"ca": {"source": "secret"}}
    result = found(
        registry("a", own, {"available": False, "reason": "no", "certificates": [certificate(-1), certificate(-2, "CN=b"), certificate(9, "CN=c")]}),
        registry("b", {"verify_server_cert": False}, {"available": None, "access": [access("all", everybody=True), access("others", everybody=True)]}),
        registry("c", {"ca": {"source": "none"}, "verify_server_cert": False}),
        registry("d", {"type": "generated"}),
        registry("e"),
    )
    drift = [{"registry": "a", "option": option, "before": 1, "after": 2} for option in ("x", "y")]
    made = report((result, {"drift": drift, "registries": [{"name": "a"}]}), {"msg": "no answer"})
    assert made.figures == (
        Figure(10, "findings, 4 problems", "problem", "attention"),
        Figure(5, "registries", "note", "registries"),
        Figure(3, "available", "note", "registries"),
        Figure(1, "not available", "problem", "attention"),
        Figure(1, "availability not known", "warning", "attention"),
        Figure(2, "connections not verified", "warning", "registries"),
        Figure(1, "generated databases", "warning", "registries"),
        Figure(2, "expired certificates", "warning", "certificates"),
        Figure(1, "certificates expire soon", "warning", "certificates"),
        Figure(1, "open to nearly all users", "warning", "access"),
        Figure(2, "differences from the list", "warning", "drift"),
        Figure(1, "clusters not read", "problem", "clusters"),
    )
    compared = {"drift": drift[:1], "registries": [{"name": "a"}]}
    both = report((found(registry("a")), compared), (found(registry("a")), compared))
    assert [figure.number for figure in both.figures if figure.anchor == "drift"] == [2]
    alone = {figure.text: (figure.number, figure.severity) for figure in report(found(registry(status={"restart_needed": True}))).figures}
    assert alone["finding, 0 problems"] == (1, "warning") and alone["registry"] == (1, "note") and alone["available"] == (1, "good")
    assert "differences from the list" not in alone and [number for number, _severity in alone.values()][3:] == [0] * 8


def test_the_end_of_a_run_has_a_line_about_each_cluster_and_its_api_server() -> None:
    note = registry("a", status={"access": [access("team", effective=False)]})
    drift = [{"registry": "a", "option": "x", "before": 1, "after": 2}]
    made = report((found(note, registry("b", status={"available": False, "reason": "no"})), {"drift": drift, "registries": [{"name": "a"}]}), {"msg": "gone"})
    assert made.summary == (
        "east: 2 registries, 1 available, 2 findings, 1 difference from the list",
        "west: FAILED: gone",
        "east: API server https://api",
        "west: API server not known",
    )
    assert report((found(), {"msg": "no"})).summary[0] == "east: 0 registries, 0 available, 1 finding, comparison FAILED: no"
