"""Where a run's token may go, and what a registry's answer means."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from inspect import signature
from types import SimpleNamespace

import pytest
import trustme

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors, _texts
from ansible_collections.modelops.openshift_ai.plugins.module_utils._rest import smoke_test
from ansible_collections.modelops.openshift_ai.plugins.module_utils._rest.smoke_test import ask, in_words, is_below
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status.observation import status_of
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status.readiness import Observation, judge


@pytest.mark.parametrize(
    ("status", "result", "said"),
    [
        (200, "ok", "responds"),
        (301, "unauthorized", "does not accept the token"),
        (302, "unauthorized", "does not accept the token"),
        (303, "unauthorized", "does not accept the token"),
        (307, "unauthorized", "does not accept the token"),
        (401, "unauthorized", "does not accept the token"),
        (403, "forbidden", "not have access"),
        (404, "failed", "404"),
        (500, "failed", "500"),
        (503, "failed", "503"),
    ],
)
def test_each_status_is_told_in_words(status, result, said):
    answer = in_words(status)
    assert (answer.result, answer.http_status) == (result, status)
    assert said in answer.message
    assert answer.as_result() == {"result": result, "message": answer.message, "http_status": status, "api_version": None, "sunset": None}


APPS = ["apps.example.com"]


@pytest.mark.parametrize(
    "address",
    [
        "https://first-rest.apps.example.com",
        "https://gateway.apps.example.com/model-registry/first",
        "https://apps.example.com/model-registry/first",
        "https://a.b.c.apps.example.com",
    ],
)
def test_a_host_below_a_known_domain_may_get_the_token(address):
    assert is_below(address, APPS)
    assert is_below(address, ["other.test", "*.Apps.Example.com"]) and is_below(address, [".apps.example.com."])


@pytest.mark.parametrize(
    "address",
    [
        "https://evil-apps.example.com",
        "https://apps.example.com.evil.test",
        "https://example.com",
        "https://evil.test",
        "https://evil.test/.apps.example.com",
        "https://evil.test/first-rest.apps.example.com",
        "https://evil.test?x.apps.example.com",
        "https://evil.test#.apps.example.com",
        "https://evil.test\\.apps.example.com",
        "https://evil.test:443/.apps.example.com",
        "https://evil.test%2f.apps.example.com",
        "https://evil.test\u2215.apps.example.com",
        "https://evil.test\u3002apps.example.com",
        "https://evil.test .apps.example.com",
        "https://evil.test\n.apps.example.com",
        "https://evil.test\x00.apps.example.com",
        "https://first.apps.example.com@evil.test",
        "https://first.apps.example.com:x@evil.test",
        "https://user@first.apps.example.com",
        "https://first.apps.example.com:8443",
        "https://first.apps.example.com:443",
        "https://first.apps.example.com.",
        "https://first.apps.example.com/../@evil.test",
        "https://first.apps.example.com\n",
        "https://.apps.example.com",
        "https://-.apps.example.com",
        "https://first..apps.example.com",
        "https://FIRST.apps.example.com",
        "http://first.apps.example.com",
        "//first.apps.example.com",
        "https:///first.apps.example.com",
        "https://[::1].apps.example.com",
        "https://",
        "",
    ],
)
def test_no_other_address_is_below_it(address):
    assert not is_below(address, APPS)
    assert ask(address, "token", None, APPS).result == "not_trusted"


@pytest.mark.parametrize("domains", [[], [""], ["."], ["*."], ["*"], [" "], ["https://first.apps.example.com"], ["first"], ["com "]])
def test_what_is_no_domain_lets_no_host_get_the_token(domains):
    assert not is_below("https://first.apps.example.com", domains)


def test_nothing_is_sent_without_an_address_a_token_or_a_known_domain_and_each_has_its_reason():
    assert ask(None, "token", None, APPS).result == "no_address"
    assert ask("https://first.apps.example.com", None, None, APPS).result == "no_token"
    answer = ask("https://evil.test", "token", None, [], "The domain could not be determined: 403.")
    assert answer.result == "not_trusted" and answer.http_status is None
    assert "https://evil.test is not in a known domain," in answer.message
    assert answer.message.endswith("add its domain to smoke_test_domains. The domain could not be determined: 403.")
    message = ask("https://evil.test", "token", None, [*APPS, "other.test"]).message
    assert "is not in one of the known domains (apps.example.com, other.test)," in message and message.endswith("to smoke_test_domains")


@contextlib.contextmanager
def registry(monkeypatch, tmp_path, answer):
    """A host that answers every request like this; the file with its CA."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("first.apps.example.com").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    ended, connect = threading.Event(), socket.create_connection
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            while not ended.is_set():
                with contextlib.suppress(OSError), context.wrap_socket(listening.accept()[0], server_side=True) as connection:
                    request = connection.recv(65536)
                    answer(connection, ended, *([request.split()[1].decode()] if len(signature(answer).parameters) > 2 else []))

        monkeypatch.setenv("no_proxy", "*")
        monkeypatch.setattr(socket, "create_connection", lambda _address, *rest, **more: connect(listening.getsockname(), *rest, **more))
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield str(tmp_path / "ca.pem")
        finally:
            ended.set()


def drip(connection, ended):
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    for _moment in range(100):
        connection.sendall(b"x")
        if ended.wait(0.05):
            break


def junk(connection, _ended):
    connection.sendall(b"hello world\r\n\r\n")


@pytest.mark.parametrize(("answer", "said"), [(drip, "no complete response within"), (junk, "hello world")])
def test_a_host_that_does_not_answer_as_a_registry_does_is_unreachable(monkeypatch, tmp_path, answer, said):
    monkeypatch.setattr(smoke_test, "SECONDS", 0.5)
    with registry(monkeypatch, tmp_path, answer) as ca_file:
        found = ask("https://first.apps.example.com", "token", ca_file, APPS)
    assert found.result == "unreachable" and said in found.message


SUNSET = "Wed, 30 Jun 2027 00:00:00 GMT"
OLD, NEW = "/api/model_registry/v1alpha3/", "/api/model_registry/v1/"


def server(statuses, sunset=None, asked=None, ending=OLD):
    """A registry with such an answer for the requests below each base, and another one for all others; v1alpha3 has this Sunset header, or another `ending`.

    Of several statuses of a base each is that of one more request, and the last one of all others.
    """

    def answer(connection, _ended, path):
        if asked is not None:
            asked.append(path)
        status = next((status for base, status in statuses.items() if path.startswith(base)), 404)
        if isinstance(status, list):
            status = status.pop(0) if len(status) > 1 else status[0]
        header = f"Sunset: {sunset}\r\n" if sunset and path.startswith(ending) else ""
        header += "Location: https://other.apps.example.com/\r\n" if status == 302 else ""
        connection.sendall(f"HTTP/1.1 {status} Text\r\nContent-Length: 2\r\nConnection: close\r\n{header}\r\n{{}}".encode())

    return answer


@pytest.mark.parametrize(
    ("statuses", "sunset", "result", "version", "until"),
    [
        ({NEW: 200, OLD: 200}, None, "ok", "v1", None),
        ({NEW: 200, OLD: 200}, SUNSET, "ok", "v1", "2027-06-30"),
        # Clients of the older version are told by the server even when they may not read, or it does not serve it any more.
        ({NEW: 200, OLD: 500}, SUNSET, "ok", "v1", "2027-06-30"),
        ({NEW: 200}, None, "ok", "v1", None),
        ({OLD: 200}, None, "ok", "v1alpha3", None),
        ({OLD: 200}, SUNSET, "ok", "v1alpha3", "2027-06-30"),
        ({OLD: 200}, "next summer", "ok", "v1alpha3", "next summer"),
        ({}, None, "failed", "v1alpha3", None),
        ({NEW: 500, OLD: 200}, SUNSET, "failed", "v1", None),
        ({NEW: 403, OLD: 403}, None, "forbidden", "v1", None),
    ],
)
def test_the_newest_version_of_the_api_answers_and_an_older_one_tells_its_end(monkeypatch, tmp_path, statuses, sunset, result, version, until):
    asked = []
    with registry(monkeypatch, tmp_path, server(statuses, sunset, asked)) as ca_file:
        found = ask("https://first.apps.example.com", "token", ca_file, APPS)
    assert (found.result, found.api_version) == (result, version)
    assert (found.sunset and (found.sunset.api_version, found.sunset.date)) == (until and ("v1alpha3", until))
    # Where clients can go is said only if there is such a version.
    assert until is None or ("Update its clients to v1" in found.sunset.message) == (version == "v1")
    assert asked[0].startswith(NEW) and len(asked) == (1 if statuses.get(NEW) in (403, 500) else 2)


@pytest.mark.parametrize("sunset", [SUNSET, None])
def test_an_older_version_is_not_asked_when_the_newest_one_has_an_end(monkeypatch, tmp_path, sunset):
    asked = []
    with registry(monkeypatch, tmp_path, server({NEW: 200, OLD: 200}, sunset, asked, NEW)) as ca_file:
        found = ask("https://first.apps.example.com", "token", ca_file, APPS)
    assert len(asked) == (1 if sunset else 2)
    text = "the registry no longer provides version v1 of its REST API after 2027-06-30"
    assert found.sunset == (sunset and smoke_test.Sunset("v1", "2027-06-30", text))


@pytest.mark.parametrize(
    ("statuses", "result", "requests"),
    [
        ([401, 502, 503, 403], "forbidden", 4),
        ([401], "unauthorized", 6),
        ([503, 503, 503, 503, 503, 403], "forbidden", 6),
        ([302], "unauthorized", 1),
        ([500, 403], "failed", 1),
    ],
)
def test_what_passes_in_a_moment_is_waited_for_and_a_redirect_is_not_followed(monkeypatch, tmp_path, statuses, result, requests):
    asked, slept = [], []
    monkeypatch.setattr(smoke_test.time, "sleep", slept.append)
    with registry(monkeypatch, tmp_path, server({NEW: statuses}, None, asked)) as ca_file:
        found = ask("https://first.apps.example.com", "token", ca_file, APPS)
    assert (found.result, found.api_version) == (result, "v1")
    assert len(asked) == requests and slept == [1] * (requests - 1)


class Reader:
    """Of the cluster's ingress: its domain, or an error."""

    def __init__(self, domain="apps.example.com", token="token", ca_file=None):
        self.cluster = SimpleNamespace(bearer_token=token, ca_file=ca_file)
        self.domain, self.reads = domain, 0

    def ingress_domains(self):
        self.reads += 1
        if self.domain is None:
            raise _errors.ClusterError("403")
        return [self.domain]


@pytest.mark.parametrize(
    ("address", "reader", "listed", "reads", "result", "says"),
    [
        (None, Reader(), [], 0, "no_address", "no public address"),
        ("https://first.apps.example.com", Reader(token=None), [], 0, "no_token", "no token"),
        ("https://first.evil.test", Reader(), ["own.test"], 1, "not_trusted", "known domains (own.test, apps.example.com)"),
        ("https://first.apps.example.com", Reader(None), [], 1, "not_trusted", "The ingress domain of the cluster could not be determined: 403"),
    ],
)
def test_the_ingress_of_the_cluster_is_looked_at_where_it_decides(address, reader, listed, reads, result, says):
    answer = smoke_test.ask_registry(reader, address, listed)
    assert (answer.result, reader.reads) == (result, reads) and says in answer.message


def test_the_token_is_for_the_ingress_of_the_cluster_and_for_domains_that_are_listed(monkeypatch, tmp_path):
    with registry(monkeypatch, tmp_path, server({NEW: 200, OLD: 200})) as ca_file:
        for listed, reads in ((["own.test"], 1), (["own.test", "example.com"], 0)):
            reader = Reader(ca_file=ca_file)
            assert smoke_test.ask_registry(reader, "https://first.apps.example.com", listed).result == "ok"
            assert reader.reads == reads and "apps.example.com" not in listed


def test_an_older_version_that_is_not_answered_changes_nothing(monkeypatch, tmp_path):
    def answer(connection, ended, path):
        server({NEW: 200})(connection, ended, path) if path.startswith(NEW) else junk(connection, ended)

    with registry(monkeypatch, tmp_path, answer) as ca_file:
        found = ask("https://first.apps.example.com", "token", ca_file, APPS)
    assert (found.result, found.api_version, found.sunset) == ("ok", "v1", None)


def test_a_date_that_is_none_is_a_short_line_without_what_a_terminal_obeys():
    found = smoke_test.announced("v1alpha3", "soon\t\x1b[2J" + "x" * 500)
    assert found.date.startswith("soon \\x1b[2Jx") and len(found.date) < 100
    assert smoke_test.announced("v1alpha3", None) is smoke_test.announced("v1alpha3", "") is None


def test_what_is_the_same_of_several_registries_is_one_warning():
    well = {"result": "ok", "message": "responds", "sunset": None}
    old, ill = well | {"sunset": {"message": "v1alpha3 ends"}}, well | {"result": "forbidden", "message": "no access"}
    assert smoke_test.warnings([("a", well), ("b", old), ("c", ill), ("d", None), ("e", old)]) == [
        "smoke test of registry 'b' and 'e': v1alpha3 ends",
        "smoke test of registry 'c': no access",
    ]


@pytest.mark.parametrize("token", ["a-secret-word\n", "a-secret-word\u2026"])
def test_a_token_that_cannot_be_sent_is_not_repeated(token):
    answer = ask("https://first.apps.example.com", token, None, APPS)
    assert answer.result == "unreachable" and answer.message.endswith(_texts.OF_HEADERS)
    assert "a-secret-word" not in str(answer)


@pytest.mark.parametrize(
    ("public", "address"),
    [
        ([], None),
        (["first-rest.apps.example.com"], "https://first-rest.apps.example.com"),
        (["first-rest.apps.svc-east.example.com"], "https://first-rest.apps.svc-east.example.com"),
        (["first-rest.svc.models"], "https://first-rest.svc.models"),
        (["gateway.example.com/model-registry/first", "first-rest.apps.example.com"], "https://gateway.example.com/model-registry/first"),
    ],
)
def test_the_public_address_is_the_first_host_that_is_no_name_of_the_service(public, address):
    names = ["first.models.svc.cluster.local", "first.models.svc", "first.models", "first"]
    registry = {"metadata": {"name": "first", "namespace": "models"}, "spec": {}, "status": {"hosts": [*public, *names]}}
    seen = Observation(registry, None)
    assert status_of(seen, judge(seen))["address"] == address
