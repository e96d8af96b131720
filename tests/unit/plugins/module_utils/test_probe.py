"""Looks at servers that are slow, strange, or show odd certificates; what needs a real database is an integration test."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pymysql
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


def test_a_database_is_looked_at_by_the_first_of_its_addresses_that_takes_a_connection(monkeypatch):
    resolve, entries = socket.getaddrinfo, {}
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **options: entries.get(host) or resolve(host, *more, **options))
    with server(lambda connection: connection.sendall(b"HTTP")) as port:
        for addresses in (["127.0.0.2", HOST], [HOST, "127.0.0.2"], [HOST, "127.0.0.2", "127.0.0.3"], ["127.0.0.3", HOST, "127.0.0.2"]):
            entries["db.example.com"] = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses for _protocol in range(2)]
            assert said(look(view(port, host="db.example.com")), "address") == (OK, f"The host is {HOST}")


def test_a_host_name_that_no_name_server_can_be_asked_for_is_unknown():
    report = look(view(1, host="x" * 64 + ".example.com"))
    assert [finding.check for finding in report.findings] == ["settings", "address"]
    assert "cannot be resolved" in said(report, "address")[1]


def test_a_port_at_which_nothing_listens_is_told():
    with server(lambda _connection: None) as port:
        """It is closed afterwards."""
    report = look(view(port))
    assert said(report, "port")[1].startswith(f"{HOST} port {port}: nothing is listening at this address")
    assert report.usable is None


def reset(connection: socket.socket) -> None:
    """End a connection as a firewall does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_a_connection_that_is_reset_is_told(kind):
    with server(reset) as port:
        assert f"{HOST} port {port}: connection reset by peer" in said(look(view(port, type=kind)), "port")[1]


def test_a_connection_that_is_closed_later_is_told():
    answers = iter([b"S"])
    with server(lambda connection: connection.recv(8) and connection.sendall(next(answers, b""))) as port:
        report = look(view(port, ca=CA))
    assert [(finding.check, finding.result) for finding in report.findings][-1] == ("port", WARNING)
    assert "the connection was closed: the connection is closed immediately" in report.findings[-1].message


def test_a_greeting_that_comes_in_pieces_is_read_as_one():
    def answer(connection: socket.socket) -> None:
        greeting = mysql_greeting("4.1.22", 0x200)
        for piece in (greeting[:1], greeting[1:20], greeting[20:]):
            connection.sendall(piece)
            time.sleep(0.05)

    with server(answer) as port:
        assert look(view(port, type="mysql", ca=CA)).version == "4.1.22"


@pytest.mark.parametrize(
    ("kind", "greeting", "message"),
    [
        ("mysql", b"HTTP/1.1 400 Bad Request\r\n\r\n", "not MySQL"),
        ("mysql", b"\x10\0\0\1" + b"x" * 16, "not MySQL"),
        ("mysql", b"\x02\0\0\0xx", "not MySQL"),
        ("mysql", b"\0\x10\0\0" + b"x" * 4096, "not MySQL"),
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


@pytest.mark.parametrize("verified", [False, True])
def test_a_password_that_is_withheld_is_shown_only_to_the_server_that_proves_to_be_the_host(verified):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(HOST).configure_cert(context)
    received: list[bytes] = []
    with server(asking("mysql_clear_password", received, False, context)) as port:
        report = look(view(port, type="mysql", ca=CA, verify_server_cert=verified, withholds_password=True))
    assert any(b"registry" in part for part in received) is verified
    assert ("The login was not tested" in said(report, "login")[1]) is not verified
    assert report.usable is None


def test_a_database_whose_password_could_not_be_read_is_looked_at_without_a_login():
    received: list[bytes] = []
    with server(asking_without_tls(received)) as port:
        report = look(view(port, password=None))
    assert received == [] and [finding.check for finding in report.findings] == ["settings", "address", "port", "tls"]
    assert report.usable is None


def test_a_server_that_prefers_tls_logs_in_without_it_where_there_is_none():
    received: list[bytes] = []
    with server(asking_without_tls(received)) as port:
        report = look(view(port, ssl_mode="prefer"))
        assert b"registry" in b"".join(received)
        received.clear()
        assert look(view(port, ssl_mode="require")).usable is False
    assert received == []
    assert said(report, "tls")[0] == WARNING and "certificate" not in [finding.check for finding in report.findings]


@pytest.mark.parametrize(
    ("refusal", "mode", "logins"),
    [
        ("no pg_hba.conf entry for host, no encryption", "allow", ["plain", "TLS"]),
        ("no pg_hba.conf entry for host, no encryption", "disable", ["plain"]),
        # Another try could lock the account.
        ("password authentication failed", "allow", ["plain"]),
    ],
)
def test_a_server_that_allows_tls_tries_it_only_where_a_database_wants_it(refusal, mode, logins):
    tried: list[str] = []

    def answer(connection: socket.socket) -> None:
        first = connection.recv(4096)
        if first == probe.POSTGRESQL_TLS_REQUEST:
            connection.sendall(b"S")
            if connection.recv(1):
                tried.append("TLS")
        else:
            tried.append("plain")
            text = b"SFATAL\0VFATAL\0C28000\0M" + refusal.encode() + b"\0\0"
            connection.sendall(b"E" + struct.pack("!I", len(text) + 4) + text)

    with server(answer) as port:
        report = look(view(port, ssl_mode=mode))
    assert tried == logins
    assert report.usable is not True


@pytest.mark.parametrize("version", [connection.REQUIRE_AUTH - 1, connection.REQUIRE_AUTH])
def test_only_a_library_that_can_be_told_not_to_show_the_password_logs_in_without_tls(monkeypatch, version):
    monkeypatch.setattr("psycopg.pq.version", lambda: version)
    received: list[bytes] = []
    with server(asking_without_tls(received)) as port:
        report = look(view(port, password="a-secret-word"))
    is_old = version < connection.REQUIRE_AUTH
    assert ("The login was not tested" in said(report, "login")[1], received == []) == (is_old, is_old)
    assert b"a-secret-word" not in b"".join(received)
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
    assert ("login", OK) not in [(finding.check, finding.result) for finding in report.findings]
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


def test_what_a_server_says_in_its_first_packet_is_repeated():
    with server(lambda connection: connection.sendall(packet(b"\xff" + struct.pack("<H", 9999) + b"text of the server"))) as port:
        assert "rejects the login: text of the server (error 9999)" in said(look(view(port, type="mysql")), "login")[1]


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
    assert said(report, "ca")[0] == said(report, "settings")[0] == OK
    assert report.certificate is not None and report.facts()["certificate"] == report.certificate.described()


def test_a_ca_whose_own_issuer_is_not_given_is_enough_as_it_is_for_go():
    between = AUTHORITY.create_child_ca()
    with encrypted(between.issue_cert(HOST)) as port:
        report = look(view(port, ca=between.cert_pem.bytes().decode()))
    assert said(report, "certificate")[0] == OK


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_that_is_too_old_is_told():
    with encrypted(AUTHORITY.issue_cert(HOST), ssl.TLSVersion.TLSv1_1) as port:
        result, message = said(look(view(port, ca=CA)), "protocol")
    assert result == FAILURE
    assert re.match(r"The TLS handshake failed: [a-z0-9 ]+\. The registry server requires TLS 1\.2", message), message


@pytest.mark.parametrize(("trusted", "result"), [(AUTHORITY, OK), (OTHER, FAILURE)])
def test_without_a_ca_those_of_this_host_decide_where_the_server_verifies(monkeypatch, tmp_path, trusted, result):
    trusted.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    with encrypted(AUTHORITY.issue_cert(HOST)) as port:
        report = look(view(port, ssl_mode="verify-ca"))
        assert said(report, "certificate")[0] == result
        assert (report.usable is False) is (result == FAILURE)
        # The login trusts the same.
        assert connection.NO_FILE not in str(report.findings)
        assert said(look(view(port, ssl_mode="require")), "certificate")[0] == WARNING


def test_a_ca_that_nobody_can_read_ends_a_look_before_the_handshake():
    with encrypted(AUTHORITY.issue_cert(HOST)) as port:
        report = look(view(port, ca="text"))
    assert [(finding.check, finding.result) for finding in report.findings] == [("ca", FAILURE), ("address", OK), ("port", OK), ("tls", OK)]


@pytest.mark.parametrize("half", ["client_certificate", "client_key"])
def test_half_of_a_client_certificate_is_not_shown(half):
    with encrypted(AUTHORITY.issue_cert(HOST)) as port:
        report = look(view(port, ca=CA, **{half: client_certificate()[half]}))
    assert said(report, "certificate")[0] == OK
    assert said(report, "settings")[1].startswith("A client certificate is set without its key, or")


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
    # Who does not log in needs no driver.
    assert connection.missing_libraries("postgresql", logs_in=False) == []
    assert "libraries" not in [finding.check for finding in look(view(1, password=None)).findings]
    monkeypatch.setattr(connection.certificates, "HAS_CRYPTOGRAPHY", False)
    assert connection.missing_libraries("mysql") == connection.missing_libraries("postgresql", logs_in=False) == ["cryptography"]
    assert "psycopg[binary] and cryptography is not installed" in said(look(view(1)), "libraries")[1]


BROKEN = ConnectionResetError("reset")
LOST = pymysql.err.OperationalError(2013, "Lost connection")
LOST.original_exception = BROKEN


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (pymysql.err.OperationalError(1045, "Access denied"), connection.RefusedError("Access denied", 1045)),
        (pymysql.err.OperationalError(2006, ""), connection.RefusedError("(2006, '')", 2006)),
        (pymysql.err.OperationalError("words"), connection.RefusedError("words")),
        (LOST, BROKEN),
        (BROKEN, BROKEN),
        (connection.RefusedError("no", 7), connection.RefusedError("no", 7)),
        (IndexError("a-secret-word"), connection.RefusedError("its response is not in the MySQL protocol (IndexError)")),
    ],
)
def test_whatever_the_driver_of_mysql_raises_is_a_refusal_or_a_broken_connection(raised, expected):
    def ask() -> None:
        raise raised

    with pytest.raises(type(expected)) as told:
        connection.answered(ask)
    assert vars(told.value) == vars(expected) and str(told.value) == str(expected)


def test_an_answer_of_mysql_is_that_of_the_driver():
    assert connection.answered(lambda: [(1,)]) == [(1,)]


def test_keys_are_in_files_of_this_user_only_and_only_for_a_moment():
    with connection._files("certificate", "key") as paths:
        assert [Path(path).read_text() for path in paths] == ["certificate", "key"]
        assert {Path(path).stat().st_mode & 0o777 for path in paths} == {0o600}
        assert Path(paths[0]).parent.stat().st_mode & 0o777 == 0o700
    assert not Path(paths[0]).parent.exists()


@pytest.mark.parametrize(("patience", "is_answered"), [(None, False), (100.0, True)])
def test_a_slow_answer_is_waited_for_as_long_as_was_asked_for(patience, is_answered):
    statements: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        connection.sendall(mysql_greeting("9.7.0", PLUGINS, "mysql_native_password"))
        while packet_of_client := connection.recv(4096):
            statements.append(packet_of_client[5:])
            if b"SLEEP" in packet_of_client:
                time.sleep(3)
            # It is done, and every statement is a transaction of its own.
            connection.sendall(b"\7\0\0%c\0\0\0\2\0\0\0" % (packet_of_client[3] + 1))

    with server(answer) as port:
        opened = connection.mysql(view(port, type="mysql"), HOST, 2, False, patience)
        with contextlib.closing(opened), contextlib.nullcontext() if is_answered else pytest.raises((connection.RefusedError, OSError)):
            connection.answered(lambda: opened.query("SELECT SLEEP(1)"))
    assert not any(b"AUTOCOMMIT = 0" in statement for statement in statements)


def test_a_database_that_nothing_listens_for_is_told_by_what_the_system_says():
    with server(lambda _connection: None) as port:
        """It is closed afterwards."""
    with pytest.raises(ConnectionRefusedError):
        connection.mysql(view(port, type="mysql"), HOST, 1, False)
