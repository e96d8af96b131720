"""Where a run's token may go, and what a registry's answer means."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading

import pytest
import trustme

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _texts
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
    assert answer.as_result() == {"result": result, "message": answer.message, "http_status": status}


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
    assert "smoke_test_domains" in answer.message and "The domain could not be determined: 403." in answer.message
    assert "apps.example.com" in ask("https://evil.test", "token", None, APPS).message


@contextlib.contextmanager
def registry(monkeypatch, tmp_path, answer):
    """A host that answers a request like this; the file with its CA."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("first.apps.example.com").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    ended, connect = threading.Event(), socket.create_connection
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            with contextlib.suppress(OSError), context.wrap_socket(listening.accept()[0], server_side=True) as connection:
                connection.recv(65536)
                answer(connection, ended)

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
