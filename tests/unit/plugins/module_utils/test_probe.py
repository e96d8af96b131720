"""Looks at servers that are slow, strange, or show odd certificates; what needs a real database is an integration test."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import trustme

from ansible_collections.modelops.openshift_ai.plugins.module_utils._database import connection, probe
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.probe import Report, look
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.vocabulary import FAILURE, OK, WARNING, View

HOST = "127.0.0.1"
NOW = datetime.now(timezone.utc)
AUTHORITY, OTHER = trustme.CA(), trustme.CA()
CA = AUTHORITY.cert_pem.bytes().decode()


@contextlib.contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does this with every connection; its port."""
    listening = socket.create_server((HOST, 0))

    def accept() -> None:
        while True:
            try:
                connection, _address = listening.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                answer(connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def view(port: int, **changed: object) -> View:
    return View(**{"type": "postgresql", "host": HOST, "port": port, "name": "models", "username": "registry", "password": "word"} | changed)


def said(report: Report, check: str) -> tuple[str, str]:
    [finding] = [finding for finding in report.findings if finding.check == check]
    return finding.result, finding.message


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_a_server_that_says_nothing_costs_one_step(kind):
    asked = []
    with server(lambda connection: asked.append(1) or (connection.recv(100) and connection.recv(1) and None)) as port:
        report = look(view(port, type=kind), timeout=0.3)
    assert len(asked) == 1, "it was asked again after it had said nothing"
    result, message = said(report, "port")
    assert (result, report.usable) == (WARNING, None)
    assert message.startswith(f"{HOST} port {port}: no response in time")


def test_swallowed_packets_cost_one_step():
    # A full queue: the kernel answers no further connection.
    with socket.socket() as listening, contextlib.ExitStack() as stack:
        listening.bind((HOST, 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        for _filling in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect((HOST, port))
        started = time.monotonic()
        report = look(view(port, type="mysql"), timeout=2)
        assert time.monotonic() - started < 4, "a second step was tried"
    assert "no response in time" in said(report, "port")[1]


def test_a_slow_name_server_and_a_slow_port_cost_two_steps(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: time.sleep(5))
    started = time.monotonic()
    report = look(view(1, host="slow.example.com"), timeout=0.2)
    assert time.monotonic() - started < 4, "the name server was waited for"
    assert report.usable is None


def test_all_steps_together_take_twice_the_time_of_one(monkeypatch):
    addresses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{last}", 1)) for last in range(1, 30)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: addresses)

    waited = []

    def slow(_address: object, seconds: float) -> socket.socket:
        waited.append(seconds)
        time.sleep(seconds)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", slow)
    assert look(view(1, host="many.example.com"), timeout=0.2).usable is None
    assert 0 < sum(waited) <= 0.4


@pytest.mark.parametrize(
    ("kind", "greeting", "message"),
    [
        ("mysql", b"HTTP/1.1 400 Bad Request\r\n\r\n", "not MySQL"),
        ("mysql", b"", "connection is closed"),
        ("postgresql", b"HTTP", "not PostgreSQL"),
        ("postgresql", b"", "connection is closed"),
    ],
)
def test_something_else_on_the_port(kind, greeting, message):
    with server(lambda connection: (kind == "mysql" or connection.recv(8)) and connection.sendall(greeting)) as port:
        assert message in said(look(view(port, type=kind)), "port")[1]


def packet(payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + b"\0" + payload


def mysql_greeting(version: str, flags: int, plugin: str = "") -> bytes:
    salt = b"12345678", b"123456789012\0"
    fixed = struct.pack("<I8sxHBHHB10x13s", 1, salt[0], flags & 0xFFFF, 45, 2, flags >> 16, 21, salt[1])
    return packet(b"\x0a" + version.encode() + b"\0" + fixed + plugin.encode() + b"\0" * bool(plugin))


# Protocol 4.1, TLS, a secure exchange of the password, authentication plugins.
PLUGINS = 0x200 | 0x8000 | 0x80000
TLS = 0x800


def asking(plugin: str, received: list[bytes], at_once: bool, context: ssl.SSLContext | None = None) -> Callable[[socket.socket], None]:
    """What looks like a MySQL that wants the password by this method, at once or after the first try by another one, and notes what it gets."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(mysql_greeting("9.7.0", PLUGINS | (TLS if context else 0), plugin if at_once else "mysql_native_password"))
        # The request for TLS has 36 bytes, and the handshake can come with it.
        first = connection.recv(36)
        wrapped = connection
        if context and first[:1] == b"\x20":
            wrapped = context.wrap_socket(connection, server_side=True)
        with wrapped:
            received.append(first + (wrapped.recv(4096) if first else b""))
            wrapped.sendall(b"%c\0\0%c" % (len(plugin) + 23, 2 if wrapped is connection else 3) + b"\xfe" + plugin.encode() + b"\0" + b"1" * 20 + b"\0")
            received.append(wrapped.recv(4096))

    return answer


def asking_without_tls(received: list[bytes]) -> Callable[[socket.socket], None]:
    """What looks like a PostgreSQL without TLS that wants the password as it is, and notes what it gets."""

    def answer(connection: socket.socket) -> None:
        first = connection.recv(4096)
        if first == probe.POSTGRESQL_TLS_REQUEST:
            connection.sendall(b"N")
        else:
            connection.sendall(b"R" + struct.pack("!II", 8, 3))
            received.append(first + connection.recv(4096))

    return answer


@pytest.mark.parametrize(
    ("kind", "asks"),
    [
        *(
            ("mysql", lambda received, given=given: asking(given[0], received, given[1]))
            for given in itertools.product(connection.CLEAR_PASSWORD_PLUGINS, (False, True))
        ),
        ("postgresql", asking_without_tls),
    ],
)
def test_it_never_sends_a_password_to_a_database_in_clear_text(kind, asks):
    received: list[bytes] = []
    with server(asks(received)) as port:
        report = look(view(port, type=kind, password="a-secret-word"))
    assert received and b"a-secret-word" not in b"".join(received)
    assert "was not sent" in said(report, "login")[1]
    assert report.usable is None


@pytest.mark.parametrize("verified", [False, True])
def test_nor_over_tls_because_the_registry_server_sends_it_to_nobody(verified):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(HOST).configure_cert(context)
    received: list[bytes] = []
    with server(asking("mysql_clear_password", received, False, context)) as port:
        report = look(view(port, type="mysql", password="a-secret-word", ca=CA, verify_server_cert=verified))
    assert any(b"registry" in part for part in received), report.findings
    assert b"a-secret-word" not in b"".join(received)
    assert "was not sent" in said(report, "login")[1]


def test_nor_by_an_old_library_that_cannot_be_told_not_to(monkeypatch):
    monkeypatch.setattr("psycopg.pq.version", lambda: connection.REQUIRE_AUTH - 1)
    received: list[bytes] = []
    with server(asking_without_tls(received)) as port:
        report = look(view(port, password="a-secret-word"))
    assert received == []
    assert "The login was not tested" in said(report, "login")[1]
    assert report.usable is None


def test_a_postgresql_with_tls_may_ask_for_the_password(monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(HOST).configure_cert(context)
    received: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        connection.recv(8)
        connection.sendall(b"S")
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as wrapped:
            if wrapped.recv(4096):
                wrapped.sendall(b"R" + struct.pack("!II", 8, 3))
                received.append(wrapped.recv(4096))

    # What this machine sets for other connections takes no part.
    monkeypatch.setenv("PGREQUIREAUTH", "scram-sha-256")
    with server(answer) as port:
        look(view(port, ca=CA, password="a-secret-word"))
    assert b"a-secret-word" in b"".join(received)


STRANGE = {
    "no answers": lambda _statement, *_values: [],
    "no number": lambda statement, *_values: (
        [(name, "x") for name in ("version", "max_connections", "max_user_connections")] if "VAR" in statement else [("x", "1")]
    ),
    "half of the settings": lambda statement, *_values: [("version", "8.0.40")] if "VARIABLES" in statement else [("Threads_connected", "1")],
    "nothing in a row": lambda _statement, *_values: [()],
    "no text": lambda _statement, *_values: [(None, None)],
}


@pytest.mark.parametrize("rows", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_a_database_that_answers_what_nobody_expects_is_a_warning(monkeypatch, kind, rows):
    monkeypatch.setattr(probe, f"_{kind}", lambda *_arguments: probe._Session(rows, lambda: None))
    greeting = mysql_greeting("8.0.40", PLUGINS) if kind == "mysql" else b"N"
    with server(lambda connection: (kind == "mysql" or connection.recv(8)) and connection.sendall(greeting)) as port:
        report = look(view(port, type=kind))
    assert said(report, "login")[0] == OK
    assert said(report, "database")[0] == WARNING and "was not completed" in said(report, "database")[1]
    assert report.usable is not True


@pytest.mark.parametrize(
    "changed", [{"password": "a-secret-word\ud800"}, {"username": "a\ud800"}, {"name": "a\ud800"}, {"password": "a-secret-word\0"}, {"host": "a\0"}]
)
@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_what_cannot_be_sent_to_a_database_is_a_warning(kind, changed):
    greeting = mysql_greeting("8.0.40", PLUGINS, "mysql_native_password") if kind == "mysql" else b"N"
    with server(lambda connection: (kind == "mysql" or connection.recv(8)) and connection.sendall(greeting)) as port:
        report = look(view(port, type=kind, **changed))
    assert report.usable is not True
    assert "a-secret-word" not in str(report)


@pytest.mark.parametrize("garbage", [b"\xfb/etc/passwd", b"\xff", b"\xfe", b"\x01", b"\x03\x03\x03", b"\x00\xfe"])
def test_a_server_that_answers_a_login_with_garbage_is_told_in_words(garbage):
    def answer(connection: socket.socket) -> None:
        connection.sendall(mysql_greeting("9.7.0", PLUGINS, "mysql_native_password"))
        connection.recv(4096)
        connection.sendall(len(garbage).to_bytes(3, "little") + b"\2" + garbage)

    with server(answer) as port:
        report = look(view(port, type="mysql"), timeout=2)
    assert report.usable is None
    assert [finding.result for finding in report.findings if finding.check in ("login", "port")] == [OK, WARNING], report.findings


def test_a_wrong_password_is_tried_once():
    """More tries can lock the account."""
    logins = []

    def answer(connection: socket.socket) -> None:
        connection.sendall(mysql_greeting("9.7.0", PLUGINS | TLS, "mysql_native_password"))
        if connection.recv(4096):
            logins.append(1)
            text = b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied"
            connection.sendall(len(text).to_bytes(3, "little") + b"\2" + text)

    with server(answer) as port:
        report = look(view(port, type="mysql"))
    assert len(logins) == 1
    assert "error 1045" in said(report, "login")[1]


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_a_server_that_sends_byte_after_byte_has_no_more_time_than_others(kind):
    stop = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.sendall((900).to_bytes(3, "little") + b"\0")
        while not stop.wait(0.05):
            connection.sendall(b"x")

    with server(answer) as port:
        started = time.monotonic()
        report = look(view(port, type=kind), timeout=0.3)
        taken = time.monotonic() - started
        stop.set()
    assert report.usable is not True
    assert taken < 5


def test_an_old_mysql_is_told_before_a_login():
    with server(lambda connection: connection.sendall(mysql_greeting("4.1.22", 0x200))) as port:
        report = look(view(port, type="mysql", ca=CA))
    assert said(report, "version")[0] == FAILURE
    assert said(report, "tls") == (FAILURE, "The database does not support TLS, and the registry server requires an encrypted connection")
    assert report.version == "4.1.22"


def test_a_server_that_refuses_this_host_says_so_in_its_first_packet():
    with server(lambda connection: connection.sendall(packet(b"\xff" + struct.pack("<H", 1130) + b"Host is not allowed"))) as port:
        assert "not allow connections from this host" in said(look(view(port, type="mysql")), "login")[1]


@contextlib.contextmanager
def encrypted(certificate: trustme.LeafCert, newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED, shown: list[object] | None = None) -> Iterator[int]:
    """What looks like a PostgreSQL with TLS until the login. With a list it insists on a certificate of its clients and notes what they are for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = newest
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    certificate.configure_cert(context)
    if shown is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        AUTHORITY.configure_trust(context)

    def answer(connection: socket.socket) -> None:
        connection.recv(8)
        connection.sendall(b"S")
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as wrapped:
            if shown is not None:
                shown.append((wrapped.getpeercert() or {}).get("subjectAltName"))
            wrapped.recv(1)

    with server(answer) as port:
        yield port


def test_the_chain_the_host_name_and_the_end_are_told_apart():
    certificate = AUTHORITY.issue_cert("db.example.com", not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=1))
    with encrypted(certificate) as port:
        report = look(view(port, ca=CA))
    assert said(report, "certificate")[0] == FAILURE
    assert "expired" in said(report, "certificate")[1]
    assert said(report, "expiry")[0] == FAILURE
    assert said(report, "host_name")[0] == WARNING
    assert "regardless of ssl_mode" in said(report, "host_name")[1]
    assert not [finding for finding in report.findings if finding.check == "login"]


@pytest.mark.parametrize(("authority", "result"), [(AUTHORITY, OK), (OTHER, FAILURE)])
def test_the_ca_decides(authority, result):
    with encrypted(authority.issue_cert(HOST)) as port:
        report = look(view(port, ca=CA))
    assert said(report, "certificate")[0] == result
    assert said(report, "host_name")[0] == OK
    assert report.certificate is not None


def test_a_ca_whose_own_issuer_is_not_given_is_enough_as_it_is_for_go():
    between = AUTHORITY.create_child_ca()
    with encrypted(between.issue_cert(HOST)) as port:
        report = look(view(port, ca=between.cert_pem.bytes().decode()))
    assert said(report, "certificate")[0] == OK


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_that_is_too_old_is_told():
    with encrypted(AUTHORITY.issue_cert(HOST), ssl.TLSVersion.TLSv1_1) as port:
        assert said(look(view(port, ca=CA)), "protocol")[0] == FAILURE


def client_certificate() -> dict[str, str]:
    issued = AUTHORITY.issue_cert("registry.example.com")
    return {"client_certificate": issued.cert_chain_pems[0].bytes().decode(), "client_key": issued.private_key_pem.bytes().decode()}


def test_a_client_certificate_is_shown():
    shown: list[object] = []
    with encrypted(AUTHORITY.issue_cert(HOST), shown=shown) as port:
        report = look(view(port, ca=CA, **client_certificate()))
    assert said(report, "certificate")[0] == OK
    # In the handshake, and in the login.
    assert shown == [(("DNS", "registry.example.com"),)] * 2


@pytest.mark.parametrize("broken", [{"client_certificate": CA}, {"client_key": "does not have the key"}])
def test_a_client_certificate_that_cannot_be_used_is_told(broken):
    with encrypted(AUTHORITY.issue_cert(HOST)) as port:
        report = look(view(port, ca=CA, **{**client_certificate(), **broken}))
    assert said(report, "settings")[1].startswith("The client certificate and its key cannot be read")


def test_a_missing_library_is_told_and_nothing_is_tried(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    report = look(view(1))
    assert said(report, "libraries")[0] == WARNING
    assert report.usable is None
    assert connection.missing_libraries("mysql") == []
    assert connection.missing_libraries("postgresql") == ["psycopg[binary]"]


def test_keys_are_in_files_of_this_user_only_and_only_for_a_moment():
    with connection._files("certificate", "key") as paths:
        assert [Path(path).read_text() for path in paths] == ["certificate", "key"]
        assert {Path(path).stat().st_mode & 0o777 for path in paths} == {0o600}
        assert Path(paths[0]).parent.stat().st_mode & 0o777 == 0o700
    assert not Path(paths[0]).parent.exists()
