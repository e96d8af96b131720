"""What a check has written for machines, as those read it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import retention
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups, _outcome, _results
from tests import reading_results
from tests.found import certificate, found, registry

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
CLUSTER = {"host": "https://api.east.example.com:6443"}
HOSTILE = 'a]]>&<b "q" \x00\x1b[2J\ud800\ufffe {{ 7 }} {% x %}\n#jinja2: \u202e\\n"} 1'
RUN, SUCCESS = _results.RUN, _results.SUCCESS


def compared(*names: str, **changed: Any) -> dict[str, Any]:
    registries = [{"name": name, "changed": False, "failed": False, "status": {}} for name in names]
    return {"registries": registries, "unlisted": [], "drift": [], "changes": [], "cluster": CLUSTER, **changed}


def drift(name: str, option: str = "description") -> dict[str, Any]:
    return {"registry": name, "option": option, "before": None, "after": "x", "manager": "", "time": ""}


def run(
    outcomes: Mapping[str, _outcome.Outcome], catalogs: Mapping[str, Any] | None = None, excluded: tuple[str, ...] = (), fail_on: Any = _outcome.FAIL_ON
) -> _results.Run:
    return _results.Run(outcomes, catalogs or {}, excluded, fail_on, NOW)


def checked(one: Mapping[str, Any], seen: Mapping[str, Any], **changed: Any) -> _outcome.Outcome:
    made = _outcome.checked(one, seen, **{"has_list": True, "purge": False, **changed})
    # As it is after it was a variable.
    return _outcome.from_fact(json.loads(json.dumps(_outcome.as_fact(made))))


def read(made: _results.Run, before: str = "") -> tuple[dict[str, Any], dict[tuple[str, str], tuple[str, str]], dict[Any, float]]:
    texts = _results.as_json(made, {}), _results.as_junit(made), _results.as_metrics(made, before)
    # ansible-core before 2.19 takes it for a template.
    assert not any(sign in text for text in texts for sign in ("{{", "{%", "{#"))
    return reading_results.results(texts[0]), reading_results.tests(texts[1]), reading_results.metrics(texts[2])


def sample(metric: str, /, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return metric, frozenset(labels.items())


def test_each_check_of_each_registry_is_a_case_and_says_what_was_found() -> None:
    seen = found(
        registry("bad", status={"available": False, "reason": "no pod is ready", "remedy": "Fix it"}),
        registry("ends", database={"ca": {"source": "secret"}}, status={"certificates": [certificate(3), certificate(90, not_after="2026-08-06T07:08:09Z")]}),
        registry("fine"),
        cluster=CLUSTER,
    )
    east = checked(compared("bad", "ends", "fine", "gone", drift=[drift("bad"), drift("bad", "display_name"), drift("gone", "name")]), seen)
    file, tests, metrics = read(run({"east": east}))
    assert (file["status"], file["failing"], file["found"]["drift"], file["found"]["health"], file["found"]["not_checked"]) == ("findings", True, 2, 1, 0)
    assert tests["east", "cluster"] == ("passed", "") and tests["east", "fine: drift"] == ("passed", "") == tests["east", "fine: health"]
    assert tests["east", "bad: drift"] == (
        "failed",
        "description: current value not set, desired value 'x'\ndisplay_name: current value not set, desired value 'x'",
    )
    assert tests["east", "bad: health"] == ("failed", "not available: no pod is ready. Fix it")
    assert tests["east", "ends: certificates"][0] == "failed" and "expires in 3 days" in tests["east", "ends: certificates"][1]
    assert tests["east", "gone: drift"] == ("failed", "does not exist") and tests["east", "gone: health"] == ("skipped", "The registry does not exist")
    assert {result for (_suite, name), (result, _said) in tests.items() if name.endswith((": backup", ": database"))} == {"skipped"}
    bad = {"cluster": "east", "namespace": "registries", "registry": "bad"}
    assert metrics[sample("model_registry_available", **bad)] == 0 and metrics[sample("model_registry_drift", **bad)] == 2
    of_certificate = {"use": "ca", "kind": "ConfigMap", "name": "trusted", "key": "ca.crt"}
    assert metrics[sample("model_registry_certificate_seconds_left", **bad | {"registry": "ends"} | of_certificate)] == 0
    assert metrics[sample(RUN, cluster="east")] == metrics[sample(SUCCESS, cluster="east")] == NOW.timestamp()
    assert metrics[sample("model_registries_check_findings", cluster="east", check="drift")] == 2
    # Nothing is said of what was not looked at.
    assert sample("model_registries_check_findings", cluster="east", check="backup") not in metrics


UNREAD = {"msg": "The API server did not answer"}


@pytest.mark.parametrize(
    ("one", "seen", "catalogs", "errors"),
    [
        (UNREAD, UNREAD, {}, {"cluster"}),
        ({}, found(registry("a")), {}, {"cluster", "a: drift"}),
        (UNREAD, found(registry("a")), {}, {"cluster", "a: drift"}),
        (compared("a"), {}, {}, {"cluster", "a: health", "a: certificates", "a: database", "a: backup"}),
        (compared("a"), found(registry("a", status={"available": None})), {}, {"a: health"}),
        (compared("a"), found(registry("a", status={"unread_certificates": ["Secret x"]})), {}, {"a: certificates"}),
        (
            compared("a"),
            found(skipped_registries=[{"name": "a", "reason": "is being deleted"}]),
            {},
            {"a: health", "a: certificates", "a: database", "a: backup"},
        ),
        (compared("a"), found(registry("a")), {"east": None}, {"catalog"}),
        (compared("a"), found(registry("a")), {"east": {"status": "failed", "failing": True, "lines": ["FAILED: x"]}}, {"catalog"}),
    ],
)
def test_what_could_not_be_looked_at_is_an_error_everywhere(one: Any, seen: Any, catalogs: dict[str, Any], errors: set[str]) -> None:
    east = checked(one, seen)
    before = f'{SUCCESS}{{cluster="east"}} 1234\n'
    file, tests, metrics = read(run({"east": east}, catalogs), before)
    assert {name for (_suite, name), (result, _said) in tests.items() if result == "error"} == errors
    assert file["status"] != "ok" and file["failing"] and file["found"]["not_checked"] == len(errors)
    assert metrics[sample(SUCCESS, cluster="east")] == 1234 and metrics[sample(RUN, cluster="east")] == NOW.timestamp()
    assert metrics[sample("model_registries_check_success", cluster="east")] == 0


@pytest.mark.parametrize(
    ("fail_on", "failing"), [(("drift",), True), (("health", "certificates", "backup"), False), ((), False)], ids=["drift", "others", "nothing"]
)
def test_only_chosen_findings_make_a_run_fail_but_all_of_them_are_told(fail_on: tuple[str, ...], failing: bool) -> None:
    made = checked(compared("a", drift=[drift("a")]), found(registry("a")), fail_on=fail_on)
    file, tests, _metrics = read(run({"east": made}, fail_on=fail_on))
    assert (file["failing"], file["status"], tests["east", "a: drift"][0]) == (failing, "findings", "failed")
    # What could not be looked at is no choice.
    assert checked(UNREAD, UNREAD, fail_on=()).failing and checked(compared("a", failed=True), {}, fail_on=()).failing


def test_clusters_outside_of_the_run_are_neither_good_nor_new() -> None:
    fine = checked(compared("a"), found(registry("a")))
    before = _results.as_metrics(_results.Run({"west": fine}, {}, (), (), NOW - timedelta(days=2)), "")
    file, tests, metrics = read(run({"east": fine}, excluded=("west",)), before)
    assert (file["status"], file["excluded"], file["failing"]) == ("incomplete", ["west"], False) and "west" not in file["clusters"]
    assert tests["west", "cluster"] == ("skipped", _results.EXCLUDED)
    for name in (RUN, SUCCESS):
        assert metrics[sample(name, cluster="west")] == (NOW - timedelta(days=2)).timestamp() and metrics[sample(name, cluster="east")] == NOW.timestamp()
    assert not any(dict(labels).get("cluster") == "west" and name.startswith("model_registry_") for name, labels in metrics)
    # Without a file, and with one that somebody else wrote.
    for other in ("", 'x{cluster="west"} NaN\n# HELP', f"{SUCCESS}{{cluster=west}} 12"):
        assert read(run({"east": fine}, excluded=("west",)), other)[2][sample(SUCCESS, cluster="west")] == 0
    assert read(run({}))[0]["failing"]


def test_hostile_texts_mean_nothing_in_any_format() -> None:
    status = {"available": False, "reason": HOSTILE, "certificates": [certificate(3, HOSTILE)]}
    seen = found(registry("a", database={"ca": {"source": "secret"}}, status=status))
    made = checked(compared("a", drift=[drift("a", HOSTILE)], registries=[{"name": "a", "failed": True, "msg": HOSTILE, "changed": False}], msg=HOSTILE), seen)
    host = 'east"} 1\n\\'
    before = _results.as_metrics(run({host: checked(compared("a"), found(registry("a")))}), "")
    file, tests, metrics = read(run({host: made}, {host: {"status": "failed", "failing": True, "lines": [HOSTILE]}}), before)
    [name] = file["clusters"]
    assert name == host and "7 }}" in file["clusters"][host]["findings"][0]["text"]
    assert all("\x1b" not in said and "\u202e" not in said for _result, said in tests.values())
    assert "a]]>&<b" in tests[next(iter(tests))[0], "a: health"][1]
    # The name of the host is found again in what an earlier run has written.
    assert metrics[sample(SUCCESS, cluster=_outcome._texts.inert(host))] == NOW.timestamp()


def test_a_database_that_was_checked_is_a_case_of_its_own() -> None:
    names = ("good", "bad", "far")
    databases = [
        {"name": "good", "checked": True, "usable": True, "reason": ""},
        {"name": "bad", "checked": True, "usable": False, "reason": "The database 'x' does not exist. Create it."},
        {"name": "far", "checked": False, "usable": None, "reason": "it cannot be reached from here"},
    ]
    made = checked(compared(*names, databases=databases), found(*map(registry, names)))
    _file, tests, _metrics = read(run({"east": made}))
    assert tests["east", "good: database"] == ("passed", "")
    assert tests["east", "bad: database"] == ("failed", "database: The database 'x' does not exist. Create it.")
    assert tests["east", "far: database"] == ("skipped", "The database was not checked: it cannot be reached from here") and made.failing


def test_the_age_of_the_last_backup_is_checked(tmp_path: Path) -> None:
    server = "https://api.east.example.com:6443/k8s/clusters/c-1"

    def save(name: str, hours: float, of: str = server, size: int = 9) -> None:
        (tmp_path / retention.backup_of(of, name, NOW - timedelta(hours=hours)).file).write_bytes(b"x" * size)

    names = ("new", "old", "empty", "foreign", "none")
    for name, hours in (("new", 100), ("new", 3), ("old", 30), ("old", 60), ("empty", 99)):
        save(name, hours)
    save("empty", 1, size=0)
    save("foreign", 1, "https://api.west.example.com:6443")
    (tmp_path / "notes_old.zip").touch()
    seen = found(*map(registry, names), cluster={"host": server})
    made = checked(compared(*names, cluster={"host": server}), seen, backups=_backups.Wanted(str(tmp_path), 26, NOW))
    file, tests, metrics = read(run({"east": made}))
    results = {name: tests["east", f"{name}: backup"] for name in names}
    assert results["new"] == ("passed", "") and results["old"] == ("failed", "the last backup is older than 26 hours, 2026-05-05T01:08:09Z")
    assert results["empty"][0] == "failed" and results["foreign"] == results["none"] == ("failed", f"there is no backup in {tmp_path}")
    last = {dict(labels)["registry"]: value for (name, labels), value in metrics.items() if name == "model_registry_last_backup_timestamp_seconds"}
    assert last == {name: (NOW - timedelta(hours=hours)).timestamp() for name, hours in (("new", 3), ("old", 30), ("empty", 99))}
    assert file["found"]["backup"] == 4 and made.counts["backup"] == 4
    missing = checked(compared(*names), seen, backups=_backups.Wanted(str(tmp_path / "x"), 26, NOW), fail_on=())
    assert missing.failing and missing.status == "failed" and "No such file" in missing.findings[-1].text
    assert read(run({"east": missing}))[1]["east", "new: backup"][0] != "passed"


def test_thousands_of_registries_are_written_quickly() -> None:
    names = [f"r{number}" for number in range(2000)]
    made = checked(compared(*names), found(*map(registry, names)))
    # Of this process alone, whatever else the machine does.
    started = time.process_time()
    for text in (_results.as_json(run({"east": made}), {}), _results.as_junit(run({"east": made})), _results.as_metrics(run({"east": made}), "")):
        assert text.count("r1999") >= 1
    assert time.process_time() - started < 2
