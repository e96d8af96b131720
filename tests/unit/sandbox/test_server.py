"""The registry server's command line, log, certificates and answers, as far as they need no database."""

from __future__ import annotations

import asyncio
import codecs
import datetime
import re
import socket
import ssl
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import trustme

from sandbox.generations import GENERATIONS, V1, V1ALPHA3, apis_of
from sandbox.server import dsn, log, mysql, postgresql, schema
from sandbox.server.arguments import Options, UsageError, parse
from sandbox.server.connection import DatabaseError, Files, check_host, has_certificates, no_such_host
from sandbox.server.registry import RegistryServer, Start, sunset_headers

DSN = "--embedmd-database-dsn="


def test_flags() -> None:
    options = parse(["--port=1", "--embedmd-database-type", "postgres", "--embedmd-database-ssl-verify-server-cert", "--v=2"], {})
    assert (options.port, options.embedmd_database_type, options.embedmd_database_ssl_verify_server_cert) == (1, "postgres", True)
    assert options.wants_tls


def test_environment_stands_for_flags_that_are_not_given() -> None:
    environment = {"MR_PORT": "9", "MR_EMBEDMD_DATABASE_TYPE": "postgres"}
    options = parse(["--port=1"], environment)
    assert (options.port, options.embedmd_database_type) == (1, "postgres")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--nothing=1", "unknown flag: --nothing"),
        ("--port=x", 'invalid argument "x" for "--port" flag: strconv.ParseInt: parsing "x": invalid syntax'),
        ("--hostname", "flag needs an argument: --hostname"),
    ],
)
def test_flags_that_the_server_refuses(argument: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse([argument], {})
    assert str(error.value) == message


def test_log_line() -> None:
    moment = datetime.datetime(2026, 11, 2, 3, 4, 5, 6789, datetime.UTC)
    assert log.line("W", "mysql-retry", "text", moment) == "W1102 03:04:05.006789       1 connect.go:91] text"


def test_last_words_say_the_error_twice_around_the_usage() -> None:
    lines = log.farewell("why").splitlines()
    assert lines[0] == "Error: why"
    assert lines[1] == "Usage:"
    assert re.fullmatch(r"F\d{4} \d\d:\d\d:\d\d\.\d{6} +1 root\.go:42\] error: why", lines[-1])


def test_mounted_files() -> None:
    files = Files({"/etc/ca": {"ca.crt": b"x"}})
    assert files.read("/etc/ca/ca.crt") == b"x"
    with pytest.raises(OSError, match=r"^open /etc/ca/none: no such file or directory$"):
        files.read("/etc/ca/none")
    with pytest.raises(OSError, match=r"^read /etc/ca/: is a directory$"):
        files.read("/etc/ca/")


def test_text_without_certificates() -> None:
    assert not has_certificates(b"no certificate")
    assert not has_certificates(b"")


def test_a_byte_order_mark_hides_the_certificate_behind_it() -> None:
    first, second = (trustme.CA().cert_pem.bytes() for _number in range(2))
    mark = codecs.BOM_UTF8
    assert has_certificates(first)
    assert not has_certificates(mark + first)
    assert has_certificates(mark + first + second)
    assert has_certificates("# Zertifikat für die Datenbank\n".encode() + first)


CERTIFICATE = {"subjectAltName": (("DNS", "mysql.data"), ("DNS", "*.example.com"), ("IP Address", "127.0.0.1"))}


@pytest.mark.parametrize("host", ["mysql.data", "MySQL.data", "mysql.data.", "a.example.com", "127.0.0.1"])
def test_certificate_covers_host(host: str) -> None:
    check_host(CERTIFICATE, host)


@pytest.mark.parametrize(
    ("certificate", "host", "message"),
    [
        (CERTIFICATE, "other", "certificate is valid for mysql.data, *.example.com, not other"),
        (CERTIFICATE, "a.b.example.com", "certificate is valid for mysql.data, *.example.com, not a.b.example.com"),
        (CERTIFICATE, "127.0.0.2", "certificate is valid for 127.0.0.1, not 127.0.0.2"),
        ({"subject": ((("commonName", "mysql"),),)}, "mysql", "certificate relies on legacy Common Name field, use SANs instead"),
        ({"subject": ((("commonName", "MySQL_Server"),),)}, "mysql", "certificate is not valid for any names, but wanted to match mysql"),
        ({"subjectAltName": (("DNS", "a"),)}, "127.0.0.1", "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs"),
    ],
)
def test_certificate_does_not_cover_host(certificate: dict[str, Any], host: str, message: str) -> None:
    with pytest.raises(DatabaseError) as error:
        check_host(certificate, host)
    assert str(error.value) == f"tls: failed to verify certificate: x509: {message}"


@pytest.mark.parametrize(
    ("ciphers", "message"),
    [
        ("TLS_NONE", "invalid cipher suite: TLS_NONE"),
        ("TLS_AES_128_GCM_SHA256:", "invalid cipher suite: "),
        ("TLS_AES_128_GCM_SHA256: TLS_RSA_WITH_RC4_128_SHA", "selected cipher suite is insecure: TLS_RSA_WITH_RC4_128_SHA"),
    ],
)
def test_cipher_suites_that_the_server_refuses(ciphers: str, message: str) -> None:
    with pytest.raises(DatabaseError) as raised:
        mysql.tls_context(Options(embedmd_database_ssl_cipher=ciphers), Files({}))
    assert str(raised.value) == message


def test_a_cipher_suite_alone_encrypts_and_does_not_verify() -> None:
    context = mysql.tls_context(Options(embedmd_database_ssl_cipher="TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"), Files({}))
    assert context is not None and context.verify_mode is ssl.CERT_NONE


def test_ca_turns_every_ssl_mode_of_postgresql_into_require() -> None:
    options = Options(embedmd_database_ssl_root_cert="/ca/a b")
    assert postgresql.with_tls("postgresql://u:p@h:1/d?sslmode=disable", options) == "postgresql://u:p@h:1/d?sslmode=require&sslrootcert=%2Fca%2Fa+b"
    assert postgresql.with_tls("host=h sslmode=disable", options) == "host=h sslmode=require sslrootcert=/ca/a b"
    assert postgresql.with_tls("postgresql://u:p@h:1/d?sslmode=disable", Options()) == "postgresql://u:p@h:1/d?sslmode=disable"


class OldPostgresql:
    """PostgreSQL 15 with an empty database."""

    kind = "postgresql"
    version = 15

    def __init__(self) -> None:
        self.recorded: tuple[object, ...] | None = None

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        if statement.startswith('INSERT INTO "schema_migrations"'):
            self.recorded = values
        if statement.startswith("SELECT version") and self.recorded:
            return [self.recorded]
        if statement == "SELECT current_schema()":
            return [("public",)]
        return []

    def close(self) -> None:
        pass


def test_postgresql_before_16_is_left_dirty_for_good() -> None:
    database = OldPostgresql()
    with pytest.raises(DatabaseError, match=r'syntax error at or near "JSON" \(SQLSTATE 42601\)'):
        schema.migrate(database)
    with pytest.raises(DatabaseError, match=r"^Dirty database version 25\. Fix and force version\.$"):
        schema.migrate(database)


async def unknown(host: str) -> str:
    raise no_such_host(host)


def serve(*arguments: str) -> tuple[RegistryServer, list[str]]:
    lines: list[str] = []
    return RegistryServer(Start(arguments, {}, Files({}), unknown), lines.append, ThreadPoolExecutor(1)), lines


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nothing"], "Error: unknown flag: --nothing"),
        (["--embedmd-database-type=oracle"], "Error: error creating datastore: invalid EmbedMD config: unsupported database type: oracle."),
        ([DSN + "u:p@tcp(h)/a?b?c"], "Error: error creating datastore: invalid EmbedMD config: invalid MySQL DSN: database name must not contain '?'"),
        (
            ["--embedmd-database-ssl-root-cert=/none", DSN + "u:p@tcp(h)/d"],
            "Error: {{ALERT}} error connecting to datastore: failed to read SSL root certificate",
        ),
    ],
)
def test_server_gives_up_at_once(arguments: list[str], message: str) -> None:
    async def story() -> tuple[int, str]:
        server, lines = serve(*arguments)
        async with asyncio.timeout(5):
            return await server.run(), "\n".join(lines)

    code, text = asyncio.run(story())
    assert code == 1
    assert message in text


def test_server_without_its_database_serves_nothing_and_blocks_readiness() -> None:
    async def story() -> None:
        server, lines = serve(DSN + "u:p@tcp(nohost:3306)/d")
        running = asyncio.create_task(server.run())
        async with asyncio.timeout(5):
            while len(lines) < 3:
                await asyncio.sleep(0.01)
        assert lines[2].endswith("Retrying connection to MySQL (attempt 1/25): dial tcp: lookup nohost on 10.96.0.10:53: no such host")
        answer = await server.answer("GET", "/api/model_registry/v1alpha3/registered_models", {}, b"")
        assert (answer.status, answer.body[:30]) == (503, "Datastore service is down or u")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await server.answer("GET", "/readyz/isDirty", {}, b"")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("plugin", "words"),
    [("mysql_clear_password", "this user requires clear text authentication"), ("dialog", "this authentication plugin is not supported")],
)
def test_a_password_is_shown_to_no_mysql_that_asks_for_it_as_it_is(plugin: str, words: str) -> None:
    ours, theirs = socket.socketpair()
    greeting = b"\x0a9.7.0\0" + struct.pack("<I8sxHBHHB10x13s", 1, b"12345678", 0x8200, 45, 2, 8, 21, b"123456789012\0") + b"mysql_native_password\0"
    asked = b"\xfe" + plugin.encode() + b"\0" + b"1" * 20 + b"\0"
    with ours, theirs:
        theirs.sendall(len(greeting).to_bytes(3, "little") + b"\0" + greeting + len(asked).to_bytes(3, "little") + b"\2" + asked)
        with pytest.raises(DatabaseError, match=words):
            mysql.login(dsn.parse_mysql("registry:a-secret-word@tcp(db:3306)/models"), None, ours)
        assert b"a-secret-word" not in theirs.recv(4096)


# Versions of the API


def test_a_server_announces_the_end_of_the_older_version_as_the_standard_wants_it() -> None:
    announced = sunset_headers("2027-06-30")
    assert announced["Sunset"] == "Wed, 30 Jun 2027 00:00:00 GMT" and "/api/model_registry/v1/" in announced["Link"]
    assert sunset_headers("") == {}
    assert parse([], {"MR_ALPHA_SUNSET_DATE": "2027-06-30"}).alpha_sunset_date == "2027-06-30"


def test_the_image_of_a_server_tells_what_it_serves() -> None:
    before, after = GENERATIONS["3.x"], GENERATIONS["3.6"]
    assert apis_of(after.image) == (V1, V1ALPHA3) and apis_of(before.image) == apis_of("example.com/another:1") == (V1ALPHA3,)
