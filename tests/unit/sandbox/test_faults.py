"""Switches, rules and records of faults, without a cluster."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import trustme

from sandbox import faults
from sandbox.faults import FaultError, Request, Rule
from sandbox.layout import MARKER, Layout
from sandbox.platform.api_faults import Rules, kubernetes_verb, status_body


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(str(tmp_path), 61)
    made.save()
    return made


def test_no_switch_is_on_at_first(layout: Layout) -> None:
    assert faults.read(layout) == faults.Faults(routes_not_admitted=False, pod_delay_seconds=0)


def test_a_switch_changes_alone_and_is_seen_at_once(layout: Layout) -> None:
    for seconds in (1, 2, 3):
        faults.set_switches(layout, pod_delay_seconds=seconds)
        assert faults.read(layout).pod_delay_seconds == seconds
    faults.set_switches(layout, routes_not_admitted=True)
    assert faults.read(layout) == faults.Faults(routes_not_admitted=True, pod_delay_seconds=3)


def test_clear_ends_everything(layout: Layout) -> None:
    faults.set_switches(layout, routes_not_admitted=True)
    faults.api_rules(layout, [Rule("reset")])
    faults.requests_file(layout).write_text(json.dumps(asdict(request())) + "\n")
    assert len(faults.recorded_requests(layout)) == 1
    faults.clear(layout)
    assert (faults.read(layout), faults.load_rules(layout), faults.recorded_requests(layout)) == (faults.Faults(), [], [])


@pytest.mark.parametrize(
    ("method", "path", "query", "verb"),
    [
        ("GET", "/api/v1/namespaces/a/secrets/b", {}, "get"),
        ("GET", "/api/v1/namespaces/a/pods/b/log", {"follow": "true"}, "get"),
        ("GET", "/api/v1/namespaces/a/secrets", {}, "list"),
        ("GET", "/api/v1/namespaces", {}, "list"),
        ("GET", "/api/v1/namespaces/a", {}, "get"),
        ("GET", "/api/v1/pods", {"watch": "true"}, "watch"),
        ("GET", "/apis/apps/v1/namespaces/a/deployments", {"watch": "1"}, "watch"),
        ("GET", "/apis/apps/v1/namespaces/a/deployments/b", {"watch": "0"}, "get"),
        ("POST", "/apis/apps/v1/namespaces/a/deployments", {}, "create"),
        ("PUT", "/api/v1/namespaces/a/finalize", {}, "update"),
        ("PATCH", "/apis/g.example/v1/things/x/status", {}, "patch"),
        ("DELETE", "/api/v1/namespaces/a/secrets", {}, "deletecollection"),
        ("DELETE", "/api/v1/namespaces/a/secrets/b", {}, "delete"),
        ("GET", "/apis", {}, "get"),
        ("GET", "/apis/apps/v1", {}, "get"),
        ("GET", "/openapi/v3", {}, "get"),
        ("GET", "/", {}, "get"),
        ("POST", "/x", {}, "post"),
    ],
)
def test_requests_have_the_verbs_of_kubernetes(method: str, path: str, query: dict[str, str], verb: str) -> None:
    assert kubernetes_verb(method, path, query) == verb


def test_a_rule_is_about_verb_path_and_client() -> None:
    rule = Rule("reset", verbs=["create", "patch"], path=r"/secrets\?dryRun=All$", user_agent="^Ansible")
    assert rule.matches("create", "/api/v1/namespaces/a/secrets?dryRun=All", "Ansible/2")
    assert not rule.matches("get", "/api/v1/namespaces/a/secrets?dryRun=All", "Ansible/2")
    assert not rule.matches("create", "/api/v1/namespaces/a/secrets", "Ansible/2")
    assert not rule.matches("create", "/api/v1/namespaces/a/secrets?dryRun=All", "curl")


@pytest.mark.parametrize("wrong", [{"fault": "explode"}, {"fault": "reset", "path": "("}])
def test_a_rule_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(FaultError):
        Rule(**wrong)


def hits(rules: Rules, number: int, verb: str = "get") -> list[str | None]:
    chosen = [rules.choose(verb, "/api/v1/pods", "curl") for _time in range(number)]
    return [rule.fault if rule else None for rule in chosen]


def test_a_rule_skips_and_counts(layout: Layout) -> None:
    faults.api_rules(layout, [Rule("reset", skip=1, count=2)])
    assert hits(Rules(layout), 5) == [None, "reset", "reset", None, None]


def test_a_rule_without_a_count_never_ends(layout: Layout) -> None:
    faults.api_rules(layout, [Rule("stall", count=None)])
    assert hits(Rules(layout), 4) == ["stall"] * 4


def test_the_next_rule_takes_over_from_one_that_is_used_up(layout: Layout) -> None:
    faults.api_rules(layout, [Rule("reset"), Rule("status"), Rule("delay", verbs=["list"])])
    rules = Rules(layout)
    assert hits(rules, 3) == ["reset", "status", None]
    assert hits(rules, 1, "list") == ["delay"]


def test_new_rules_count_from_the_start(layout: Layout) -> None:
    rules = Rules(layout)
    assert hits(rules, 1) == [None]
    for _time in range(3):
        faults.api_rules(layout, [Rule("reset")])
        assert hits(rules, 2) == ["reset", None]


@pytest.mark.parametrize(("status", "reason"), [(409, "Conflict"), (429, "TooManyRequests"), (500, "InternalError"), (503, "ServiceUnavailable")])
def test_refusals_look_like_the_api_servers(status: int, reason: str) -> None:
    body = status_body(status, 0)
    assert (body["kind"], body["apiVersion"], body["status"], body["code"], body["reason"]) == ("Status", "v1", "Failure", status, reason)


def test_a_refusal_says_when_to_come_again() -> None:
    assert status_body(429, 1.2)["details"] == {"retryAfterSeconds": 2}


def request(method: str = "GET", path: str = "/api/v1/pods", query: dict[str, str] | None = None) -> Request:
    return Request(1.0, "get", method, path, query or {}, "application/json", "curl", 200)


@pytest.mark.parametrize(
    ("seen", "writes"),
    [
        (request(), False),
        (request("POST"), True),
        (request("PATCH", query={"dryRun": "All"}), False),
        (request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"), False),
        (request("DELETE"), True),
    ],
)
def test_only_requests_that_change_something_are_writes(seen: Request, writes: bool) -> None:
    assert seen.writes is writes


def configuration() -> dict[str, Any]:
    webhook = {"name": "w", "clientConfig": {"service": {"name": "s", "namespace": "n"}, "caBundle": "Q0E="}, "rules": []}
    return {"metadata": {"name": "c", "annotations": {"other": "kept"}}, "webhooks": [webhook]}


def test_webhooks_move_away_and_back() -> None:
    moved = faults.moved_webhooks(configuration(), "https://127.61.0.5:1", unreachable=True)
    assert moved is not None
    assert moved["webhooks"][0]["clientConfig"] == {"url": "https://127.61.0.5:1", "caBundle": "Q0E="}
    assert faults.moved_webhooks(moved, "https://127.61.0.5:1", unreachable=True) is None
    assert faults.moved_webhooks(moved, "https://127.61.0.5:1", unreachable=False) == configuration()
    assert faults.moved_webhooks(configuration(), "https://127.61.0.5:1", unreachable=False) is None


# Command line


@pytest.fixture
def command(layout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv(MARKER, layout.state)

    def run(*argv: str) -> str:
        assert faults.main(list(argv)) == 0
        return capsys.readouterr().out

    return run


def test_rules_are_added_one_by_one(command: Any, layout: Layout) -> None:
    command("api", "status", "--status", "429", "--seconds", "2", "--verb", "create", "--verb", "patch", "--path", "/secrets")
    command("api", "reset", "--forwarded", "--count", "0", "--skip", "3", "--user-agent", "Ansible")
    first, second = faults.load_rules(layout)
    assert (first.fault, first.status, first.seconds, first.verbs, first.path, first.count) == ("status", 429, 2, ["create", "patch"], "/secrets", 1)
    assert (second.fault, second.forwarded, second.count, second.skip, second.user_agent) == ("reset", True, None, 3, "Ansible")
    shown = command("show")
    assert '"status": 429' in shown
    assert '"fault": "reset"' in shown
    assert layout.faulty_api_url in shown


def test_switches_by_command(command: Any, layout: Layout) -> None:
    command("routes-not-admitted", "on")
    command("pod-delay", "2.5")
    assert faults.read(layout) == faults.Faults(routes_not_admitted=True, pod_delay_seconds=2.5)
    assert "pod-delay-seconds: 2.5" in command("show")


def test_recorded_requests_are_listed(command: Any, layout: Layout) -> None:
    assert command("requests") == "no request went through the fault proxy\n"
    faults.requests_file(layout).write_text(json.dumps(asdict(request("POST", query={"dryRun": "All"}))) + "\n")
    assert command("requests") == "200 get /api/v1/pods?dryRun=All\n"


def test_a_request_that_is_still_being_written_down_comes_with_the_next_look(layout: Layout) -> None:
    whole = json.dumps(asdict(request())) + "\n"
    faults.requests_file(layout).write_text(whole + whole[:40])
    assert faults.recorded_requests(layout) == [request()]
    so_far = faults.recorded_so_far(layout)
    faults.requests_file(layout).write_text(whole + whole)
    assert faults.recorded_requests(layout, so_far) == [request()]


def test_without_a_sandbox_the_command_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(MARKER, str(tmp_path / "none"))
    assert faults.main(["show"]) == 1
    assert "make sandbox" in capsys.readouterr().err


def test_a_sandbox_that_does_not_run_is_told(layout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(MARKER, layout.state)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(layout.path("pki", "ca.crt"))
    administrator = authority.issue_cert("admin.sandbox.test")
    administrator.cert_chain_pems[0].write_to_path(layout.path("pki", "admin.crt"))
    administrator.private_key_pem.write_to_path(layout.path("pki", "admin.key"))
    assert faults.main(["webhook-unreachable", "on"]) == 1
    assert "the sandbox does not run" in capsys.readouterr().err
