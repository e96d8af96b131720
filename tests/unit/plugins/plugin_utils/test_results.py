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
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups, _findings, _outcome, _results
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


def small() -> _results.Run:
    """A registry with drift that is not available and whose backup is unknown, one that was only listed, and a cluster outside of the run."""
    finding = _findings.Finding
    rows = [
        _outcome.Checked(
            "a",
            "n",
            False,
            2,
            "2026-05-05T07:08:09Z",
            [{"use": "ca", "kind": "Secret", "name": "s", "key": "k", "subject": "CN=x", "not_after": "2026-05-06T07:09:09Z"}],
            {"drift": "failed", "health": "failed", "backup": "passed"},
            {},
        ),
        _outcome.Checked("b", "", None, None, None, [], {"drift": "error", "health": "skipped"}, {"health": "does not exist"}),
        _outcome.Checked("c", "n", True, 0, None, [], {"drift": "passed", "health": "failed"}, {}),
    ]
    findings = [
        finding("drift", "a", "one", "detail"),
        finding("drift", "a", 'two "2"'),
        finding("unavailable", "a", "down"),
        finding("failed", "b", "broken"),
        finding("sunset", "c", "ends"),
    ]
    east = _outcome.Outcome("findings", "https://api", 3, findings, ", compared", checked=rows, failing=True)
    west = _outcome.Outcome("failed", "", 0, [finding("failed", "", "gone")])
    catalog = {"status": "findings", "failing": True, "lines": ["source a: error", "source b: error"]}
    return run({"east": east, "west": west}, {"east": catalog}, excluded=("north", "middle"), fail_on=("health", "drift"))


def test_metrics_are_read_by_name_and_labels_and_say_what_they_mean() -> None:
    before = f'{RUN}{{cluster="north"}} 7\n{SUCCESS}{{cluster="north"}} 5\n{SUCCESS}{{cluster="east"}} 3\n'
    now = int(NOW.timestamp())
    assert _results.as_metrics(small(), before).splitlines() == [
        f"# HELP {RUN} The time at which the last run that included the cluster ended.",
        f"# TYPE {RUN} gauge",
        f'{RUN}{{cluster="east"}} {now}',
        f'{RUN}{{cluster="west"}} {now}',
        f'{RUN}{{cluster="north"}} 7',
        f'{RUN}{{cluster="middle"}} 0',
        f"# HELP {SUCCESS} The time at which the last run that checked everything in the cluster ended, regardless of the findings. 0 if there was none.",
        f"# TYPE {SUCCESS} gauge",
        f'{SUCCESS}{{cluster="east"}} 3',
        f'{SUCCESS}{{cluster="west"}} 0',
        f'{SUCCESS}{{cluster="north"}} 5',
        f'{SUCCESS}{{cluster="middle"}} 0',
        "# HELP model_registries_check_success Whether this run checked everything in the cluster, regardless of the findings.",
        "# TYPE model_registries_check_success gauge",
        'model_registries_check_success{cluster="east"} 0',
        'model_registries_check_success{cluster="west"} 0',
        'model_registries_check_success{cluster="north"} 0',
        'model_registries_check_success{cluster="middle"} 0',
        "# HELP model_registries_check_findings The number of registries, or catalogs, with findings. Not present if it was not checked.",
        "# TYPE model_registries_check_findings gauge",
        'model_registries_check_findings{cluster="east",check="catalog"} 1',
        'model_registries_check_findings{cluster="east",check="drift"} 1',
        'model_registries_check_findings{cluster="east",check="health"} 2',
        'model_registries_check_findings{cluster="east",check="backup"} 0',
        "# HELP model_registry_available Whether the registry is available. Not present if it is not known.",
        "# TYPE model_registry_available gauge",
        'model_registry_available{cluster="east",namespace="n",registry="a"} 0',
        'model_registry_available{cluster="east",namespace="n",registry="c"} 1',
        "# HELP model_registry_drift The number of options that differ from the list. Not present if the registry was not compared.",
        "# TYPE model_registry_drift gauge",
        'model_registry_drift{cluster="east",namespace="n",registry="a"} 2',
        'model_registry_drift{cluster="east",namespace="n",registry="c"} 0',
        "# HELP model_registry_certificate_seconds_left The time until the first certificate in an object of the registry expires, at the end of the run.",
        "# TYPE model_registry_certificate_seconds_left gauge",
        'model_registry_certificate_seconds_left{cluster="east",namespace="n",registry="a",use="ca",kind="Secret",name="s",key="k"} 60',
        "# HELP model_registry_last_backup_timestamp_seconds "
        "The time of the last backup of the registry. Not present if there is no backup, or if no directory of backups is set.",
        "# TYPE model_registry_last_backup_timestamp_seconds gauge",
        f'model_registry_last_backup_timestamp_seconds{{cluster="east",namespace="n",registry="a"}} {now - 86400}',
    ]


def test_a_suite_of_junit_is_a_cluster_and_each_case_has_its_messages() -> None:
    suite = '<testsuite name="{0}" id="{1}" package="{0}" hostname="{2}" timestamp="2026-05-06T07:08:09" time="0" tests="{3}"'.format
    assert _results.as_junit(small()).splitlines() == [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<testsuites name="model registries" tests="12" failures="4" errors="2" skipped="3">',
        f'  {suite("east", 0, "https://api", 9)} failures="4" errors="1" skipped="1">',
        '    <testcase name="cluster" classname="east" time="0"/>',
        '    <testcase name="catalog" classname="east" time="0">',
        '      <failure message="source a: error (and 1 more)" type="catalog">source a: error',
        "source b: error</failure>",
        "    </testcase>",
        '    <testcase name="a: drift" classname="east" time="0">',
        '      <failure message="one, detail (and 1 more)" type="drift">one, detail',
        "two &quot;2&quot;</failure>",
        "    </testcase>",
        '    <testcase name="a: health" classname="east" time="0">',
        '      <failure message="down" type="health">down</failure>',
        "    </testcase>",
        '    <testcase name="a: backup" classname="east" time="0"/>',
        '    <testcase name="b: drift" classname="east" time="0">',
        '      <error message="broken" type="drift">broken</error>',
        "    </testcase>",
        '    <testcase name="b: health" classname="east" time="0">',
        '      <skipped message="does not exist"/>',
        "    </testcase>",
        '    <testcase name="c: drift" classname="east" time="0"/>',
        '    <testcase name="c: health" classname="east" time="0">',
        '      <failure message="ends" type="health">ends</failure>',
        "    </testcase>",
        "  </testsuite>",
        f'  {suite("west", 1, "unknown", 1)} failures="0" errors="1" skipped="0">',
        '    <testcase name="cluster" classname="west" time="0">',
        '      <error message="gone" type="cluster">gone</error>',
        "    </testcase>",
        "  </testsuite>",
        *(
            line
            for number, host in ((2, "north"), (3, "middle"))
            for line in (
                f'  {suite(host, number, "unknown", 1)} failures="0" errors="0" skipped="1">',
                f'    <testcase name="cluster" classname="{host}" time="0">',
                f'      <skipped message="{_results.EXCLUDED}"/>',
                "    </testcase>",
                "  </testsuite>",
            )
        ),
        "</testsuites>",
    ]


def test_the_file_of_results_counts_what_was_found_and_what_was_not_checked() -> None:
    variables = {"east": {"model_registries_seen": {"registries": [{"name": "{{ ä }}"}]}}}
    text = _results.as_json(small(), variables)
    content = json.loads(text)
    assert content["found"] == {
        "drift": 1,
        "health": 2,
        "certificates": 0,
        "database": 0,
        "backup": 0,
        "policy": 0,
        "catalog": 1,
        "not_checked": 2,
    }
    assert (content["status"], content["failing"], content["fail_on"], content["excluded"]) == ("failed", True, ["drift", "health"], ["middle", "north"])
    assert content["version"] == 1 and content["finished"] == "2026-05-06T07:08:09Z" and text.endswith("}\n")
    east, west = content["clusters"]["east"], content["clusters"]["west"]
    assert [(finding["registry"], finding["check"]) for finding in east["findings"]] == [
        ("a", "drift"),
        ("a", "drift"),
        ("a", "health"),
        ("b", "drift"),
        ("c", "health"),
    ]
    assert [finding["check"] for finding in west["findings"]] == ["cluster"]
    assert east["results"] == variables["east"] and west["results"] == {} and east["catalog"]["status"] == "findings" and "catalog" not in west
    assert "{{" not in text and "{ ä }}" in text.replace("\\u007b", "{ ")


@pytest.mark.parametrize(
    ("statuses", "catalogs", "excluded", "status", "failing"),
    [
        (["ok"], {}, (), "ok", False),
        (["ok"], {}, ("west",), "incomplete", False),
        (["findings"], {}, ("west",), "findings", False),
        (["ok", "failed"], {}, (), "failed", True),
        (["ok"], {"e0": {"status": "ok", "failing": False}}, (), "ok", False),
        (["ok"], {"e0": {"status": "findings", "failing": False}}, (), "findings", False),
        (["ok"], {"e0": {"status": "findings", "failing": True}}, (), "findings", True),
        (["ok"], {"e0": None}, (), "failed", True),
        ([], {}, ("west",), "failed", True),
    ],
)
def test_a_run_is_as_good_as_its_worst_part(statuses: list[str], catalogs: dict[str, Any], excluded: Any, status: str, failing: bool) -> None:
    outcomes = {f"e{number}": _outcome.Outcome(each, "", 1, [], ", compared") for number, each in enumerate(statuses)}
    made = run(outcomes, catalogs, excluded)
    assert (made.status, made.failing) == (status, failing)


def test_a_cluster_of_which_nothing_is_known_is_an_error_also_without_a_message() -> None:
    unknown, known = (_outcome.Outcome("failed", "", 0, [], checked=rows) for rows in ([], small().outcomes["east"].checked[2:]))
    assert [next(iter(run({"east": made}).cases())).result for made in (unknown, known)] == ["error", "passed"]
    assert "See the log of the run" in _results.as_junit(run({"east": unknown}))


def test_a_run_is_made_of_the_hosts_of_a_play_and_of_those_that_should_have_been_part_of_it() -> None:
    fact = _outcome.as_fact(_outcome.Outcome("ok", "", 1, [], ", compared"))
    catalog = {"status": "ok", "failing": False, "lines": []}
    variables: dict[str, Any] = {
        "east": {"model_registries_outcome": fact, "model_catalog_outcome": catalog},
        "west": {"model_registries_outcome": fact},
        "later": {},
    }
    hosts = list(variables)
    expected = {"clusters": ["north", "west"], "catalog": True}
    made = _results.run_of(hosts, variables, hosts, ["east", "west"], expected, ["drift"])
    assert (made.catalogs, made.excluded, made.fail_on) == ({"east": catalog, "west": None}, ["north", "later"], ["drift"])
    assert list(made.outcomes) == ["east", "west"] and (datetime.now(UTC) - made.finished).total_seconds() < 60
    assert _results.run_of(hosts, variables, hosts, ["east", "west"], {"clusters": ["east"], "catalog": False}, []).catalogs == {}
    assert _results.run_of(hosts[:1], variables, hosts, hosts, {}, []).excluded == []


def test_what_an_earlier_run_left_is_read_where_it_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "metrics").write_bytes(b"caf\xe9")
    assert _results.held("~/metrics") == "caf\ufffd" == _results.held(str(tmp_path / "metrics"))
    assert _results.held("") == _results.held(str(tmp_path)) == _results.held(str(tmp_path / "none")) == ""


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
