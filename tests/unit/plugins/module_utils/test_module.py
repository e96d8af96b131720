"""The shell around every module: what ends in the result and what in nobody's log, which error is told, and how warnings are."""

from __future__ import annotations

import json
import syslog
from functools import partial
from types import SimpleNamespace

import pytest
from ansible.module_utils import basic

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors, _module
from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import login, registry_reader
from ansible_collections.modelops.openshift_ai.plugins.module_utils._module import MOST_NAMES, grouped
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import record

PROBLEM = _errors.Problem("name", "is empty", "Set it", "x")


def test_a_thousand_registries_give_one_warning_of_a_kind_with_their_names():
    names = [f"registry-{number}" for number in range(1000)]
    older = [f"registry {name!r}: the server is older than the database's certificates in Secret '{name}-db-x1': run again" for name in names]
    refused = [
        f'registry {name!r}: not seen: reading secrets/{name}-db in ns: the API server responded with 403: secrets "{name}-db" is forbidden' for name in names
    ]
    told = grouped([*older, "something else", *refused])
    assert len(told) == 3 and told[1] == "something else"
    for warning, first in ((told[0], older[0]), (told[2], refused[0])):
        assert warning.startswith(first) and "'registry-1', 'registry-2'" in warning and f"and {999 - MOST_NAMES} more" in warning


def test_warnings_of_other_kinds_are_told_as_they_are():
    warnings = ["group 'a' does not exist.", "user 'a' does not exist.", "the certificate is not checked"]
    assert grouped(warnings) == warnings
    assert grouped(["group 'a' does not exist.", "group 'b' does not exist."]) == ["group 'a' does not exist. This also applies to 'b'."]
    assert grouped([]) == []


def test_as_many_names_as_are_told_need_no_number_of_others():
    def told(count):
        return grouped([f"registry {number} is old" for number in range(count)])

    names = ", ".join(map(str, range(1, MOST_NAMES + 1)))
    assert told(MOST_NAMES + 1) == [f"registry 0 is old. This also applies to {names}."]
    assert told(MOST_NAMES + 2) == [f"registry 0 is old. This also applies to {names} and 1 more."]


def test_what_is_said_twice_is_told_once():
    assert grouped(["registry 'a' is old.", "registry 'a' is old."]) == ["registry 'a' is old."]
    assert grouped(["registry 'a' is old", "registry 'b' is old", "registry 'b' is old"]) == ["registry 'a' is old. This also applies to 'b'."]


SPEC = {"name": {"type": "str"}, "other": {"type": "str"}}


@pytest.fixture
def ran(monkeypatch, capsys):
    """Runs a module in this process; its exit code and its result."""
    logged, warned = [], []
    monkeypatch.setattr(basic, "has_journal", False)
    # Where the controller's part of Ansible was imported first, it would be shown at once.
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _self, warning, **_more: warned.append(warning))
    monkeypatch.setattr(syslog, "syslog", lambda *arguments: logged.append(arguments[-1]))

    def run(module, arguments=None):
        given = {"ANSIBLE_MODULE_ARGS": {"_ansible_diff": True, "_ansible_check_mode": True, **(arguments or {})}}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(given).encode())
        # Of Ansible since 2.19.
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(SystemExit) as ended:
            module()
        assert not logged
        return ended.value.code, {**json.loads(capsys.readouterr().out), "warnings": warned}

    return run


class Outcome(record.Outcome):
    def result(self, diff):
        return {"changed": True, "is_diff": diff}


def test_a_module_returns_what_was_found_and_its_warnings_and_none_of_its_arguments(ran):
    seen = []

    def work(module):
        seen.append((module.params["name"], module.check_mode))
        outcome.warnings += ["registry 'a' is old\x1b[2J", "registry 'b' is old\x1b[2J"]

    outcome = Outcome()
    code, result = ran(lambda: _module.run(SPEC, work, outcome, needs_cluster=False), {"name": "secret-word"})
    assert (code, seen) == (0, [("secret-word", True)])
    assert (result["changed"], result["is_diff"], result["invocation"]) == (True, True, {})
    assert result["warnings"][-1] == "registry 'a' is old\\x1b[2J. This also applies to 'b'."
    assert "secret-word" not in json.dumps(result)


@pytest.mark.parametrize(
    ("error", "more"),
    [
        (_errors.ReportedError("not available\x1b[2J."), {}),
        (_errors.InputError([PROBLEM]), {"problems": [{"option": "name", "problem": "is empty", "remedy": "Set it", "value": "x"}]}),
    ],
)
def test_a_module_that_fails_tells_what_it_did_until_then(ran, error, more):
    def work(_module):
        outcome.warnings.append(f"it is old: {error}".partition("\x1b")[0])
        raise error

    outcome = Outcome()
    code, result = ran(lambda: _module.run(SPEC, work, outcome, needs_cluster=False), {"name": "secret-word"})
    assert (code, result["warnings"][-1]) == (1, f"it is old: {error}".partition("\x1b")[0])
    assert result["msg"] == str(error).replace("\x1b", "\\x1b") and "\x1b" not in result["msg"]
    assert {key: value for key, value in result.items() if key not in ("warnings", "exception")} == {
        "failed": True,
        "changed": True,
        "is_diff": True,
        "invocation": {},
        "msg": result["msg"],
        **more,
    }


def not_run(*_arguments):
    pytest.fail("it was run")


def test_the_rules_about_options_are_those_of_the_module(ran):
    rule = [("name", "other")]
    code, result = ran(lambda: _module.run(SPEC, not_run, record.Outcome(), needs_cluster=False, mutually_exclusive=rule), {"name": "a", "other": "b"})
    assert code == 1 and "name|other" in result["msg"]


def test_without_the_collection_for_clusters_nothing_but_that_is_told(ran, monkeypatch):
    monkeypatch.setattr(_module, "HAS_KUBERNETES_CORE", False)
    for arguments in ({"name": "secret-word", "host": "https://api"}, {}):
        code, result = ran(lambda: _module.run(SPEC, not_run, record.Outcome()), arguments)
        assert code == 1 and result["msg"].startswith("The collection kubernetes.core is not installed.")
        assert "secret-word" not in json.dumps(result)


@pytest.fixture
def cluster(monkeypatch):
    """The cluster that modules connect to. It has no certificate that is verified."""
    identity = {"host": "https://api", "context": None, "user": "ansible", "verify_ssl": False}
    connected = SimpleNamespace(identity=lambda: identity)
    monkeypatch.setattr(login, "connect", lambda _module: connected)
    return connected


def test_a_module_that_only_reads_looks_at_its_options_first(ran, cluster, monkeypatch):
    def collect(used, options, outcome):
        assert used is cluster
        outcome.found = {"name": options["name"]}

    code, result = ran(lambda: _module.run_reading(SPEC, collect), {"name": "a"})
    assert (code, result["changed"], result["name"]) == (0, False, "a")
    monkeypatch.setattr(login, "connect", not_run)
    code, result = ran(lambda: _module.run_reading(SPEC, not_run, lambda options: [PROBLEM] if options["name"] else []), {"name": "a"})
    assert code == 1 and [problem["option"] for problem in result["problems"]] == ["name"]


@pytest.mark.parametrize("outcome", [None, record.Outcome(own={"more": 7})])
def test_a_module_that_writes_tells_what_it_does_where_and_stops_when_nobody_waits_for_it(ran, cluster, outcome):
    def work(used, options, check_mode, filled):
        assert (options["name"], check_mode) == ("a", True) and (outcome is None or filled is outcome)
        used.before_writing()
        used.say("writing")
        assert [entry["message"] for entry in filled.timeline] == ["writing"] and callable(used.tell)

    code, result = ran(lambda: _module.run_on_cluster(SPEC, work, lambda _options: [], outcome), {"name": "a"})
    assert code == 0 and result["cluster"] == cluster.identity() and result.get("more") == (outcome and 7)
    assert "certificate of https://api is not verified" in result["warnings"][-1]
    code, result = ran(lambda: _module.run_on_cluster(SPEC, not_run, lambda _options: [], mutually_exclusive=[("name", "other")]), {"name": "a", "other": "b"})
    assert code == 1 and "name|other" in result["msg"]


def test_a_module_that_needs_a_cluster_needs_its_library_before_it_does_anything(ran, monkeypatch):
    seen = []
    monkeypatch.setattr(_module, "need_cluster", lambda module: seen.append("library"))
    for needs_cluster, expected in ((True, ["library", "work"]), (False, ["work"])):
        seen.clear()
        ran(partial(_module.run, SPEC, lambda _module: seen.append("work"), record.Outcome(), needs_cluster))
        assert seen == expected


def test_a_module_says_which_library_is_missing_and_warns_of_one_that_is_too_old():
    asked = []
    module = SimpleNamespace(requires=asked.append, has_at_least=lambda name, oldest, warn: asked.append((name, oldest, warn)))
    _module.need_cluster(module)
    assert asked == ["kubernetes", ("kubernetes", "24.2.0", True)]


def test_what_a_module_that_only_reads_has_found_is_no_change():
    found = _module.Found()
    found.found = {"registries": []}
    assert found.result(False) == {"changed": False, "registries": []}


FORBIDDEN = _errors.ClusterError("refused", _errors.FORBIDDEN)


@pytest.mark.parametrize(
    ("namespace", "problems", "error", "expected", "calls"),
    [
        ("Not/A/Name", [PROBLEM], None, "is empty", []),
        ("ns", [], None, None, ["connect", "work"]),
        # With problems the work finds out by itself; what is wrong with the cluster is worth less.
        ("ns", [PROBLEM], None, None, ["connect", "work"]),
        ("ns", [PROBLEM], FORBIDDEN, "is empty", ["connect", "work"]),
        (None, [], FORBIDDEN, "refused", ["connect", "work"]),
        ("ns", [], _errors.ClusterError("lost"), "lost", ["connect", "work"]),
        ("ns", [], FORBIDDEN, "refused", ["connect", "work", "look at ns"]),
    ],
)
def test_what_is_wrong_with_the_options_is_told_before_what_is_wrong_with_the_cluster(monkeypatch, namespace, problems, error, expected, calls):
    done = []

    def work(_cluster):
        done.append("work")
        if error:
            raise error

    monkeypatch.setattr(login, "connect", lambda _module: done.append("connect") or "cluster")
    monkeypatch.setattr(registry_reader, "need_namespace", lambda _cluster, name: done.append(f"look at {name}"))
    module = SimpleNamespace(params={"namespace": namespace})
    if expected is None:
        _module.with_cluster(module, work, lambda _options: problems)
    else:
        with pytest.raises(_errors.ReportedError, match=expected):
            _module.with_cluster(module, work, lambda _options: problems)
    assert done == calls


def test_a_cluster_that_cannot_be_connected_to_is_no_reason_to_look_at_its_namespaces(monkeypatch):
    def refuse(_module):
        raise FORBIDDEN

    monkeypatch.setattr(login, "connect", refuse)
    with pytest.raises(_errors.ClusterError, match="refused"):
        _module.with_cluster(SimpleNamespace(params={"namespace": "ns"}), lambda _cluster: pytest.fail("it was run"), lambda _options: [])
