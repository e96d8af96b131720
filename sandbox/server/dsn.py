"""How the registry server reads its connection strings: by the rules of Go's MySQL driver, of Go's net/url, and of pgx."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

POSTGRESQL_SCHEMES = ("postgres://", "postgresql://")
_USERINFO = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*\Z")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NAME_WITH_QUERY = "database name must not contain '?' characters; do not put query parameters in the database name"
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# Settings of a connection that are not sent to PostgreSQL as parameters of the session.
_CLIENT_SETTINGS = {
    "host", "port", "database", "user", "password", "passfile", "connect_timeout", "sslmode", "sslkey", "sslcert", "sslrootcert", "sslnegotiation",
    "sslpassword", "sslsni", "krbspn", "krbsrvname", "target_session_attrs", "service", "servicefile", "min_protocol_version", "max_protocol_version",
    "channel_binding",
}  # fmt: skip


class InvalidDsn(ValueError):
    """A connection string that cannot be read, with the text that Go says."""


@dataclass(frozen=True)
class MysqlDsn:
    user: str
    password: str
    host: str
    port: int
    database: str


@dataclass(frozen=True)
class PostgresqlDsn:
    user: str
    password: str
    host: str
    port: int
    database: str
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def session(self) -> dict[str, str]:
        """The settings that PostgreSQL itself gets to see."""
        return {name: value for name, value in self.settings.items() if name not in _CLIENT_SETTINGS}


def parse_mysql(dsn: str) -> MysqlDsn:
    """`[user[:password]@][net[(address)]]/database[?parameters]`: the last `/` and the last `@` before it count, and the first `:`."""
    if dsn.count("?") > 1:
        raise InvalidDsn(_NAME_WITH_QUERY)
    slash = dsn.rfind("/")
    if slash < 0:
        raise InvalidDsn("invalid DSN: missing the slash separating the database name")
    left, right = dsn[:slash], dsn[slash + 1 :]
    login, _at, network = left.rpartition("@")
    user, _colon, password = login.partition(":")
    address = ""
    if "(" in network:
        if not network.endswith(")"):
            closed = ")" in network[network.index("(") :]
            raise InvalidDsn(
                "invalid DSN: did you forget to escape a param value?" if closed else "invalid DSN: network address not terminated (missing closing brace)"
            )
        network, address = network[: network.index("(")], network[network.index("(") + 1 : -1]
    if network not in ("", "tcp") and not address:
        raise InvalidDsn(f"default addr for network '{network}' unknown")
    name = right.partition("?")[0]
    try:
        database = _unescape(name)
    except InvalidDsn as error:
        raise InvalidDsn(f"invalid dbname {_quoted(name)}: {error}") from None
    host, port = _host_and_port(address or "127.0.0.1:3306")
    return MysqlDsn(user, password, host, port, database)


def _host_and_port(address: str) -> tuple[str, int]:
    match = re.fullmatch(r"(?:\[(?P<six>[^\]]*)\]|(?P<host>[^:]*)):(?P<port>\d+)", address)
    if not match:
        return address, 3306
    return match["six"] or match["host"] or "", int(match["port"])


def check_postgresql(dsn: str) -> None:
    """What the server checks before it starts: that a URL is one."""
    if dsn.startswith(POSTGRESQL_SCHEMES):
        if "?" in _split_url(dsn)[3].lstrip("/"):
            raise InvalidDsn(_NAME_WITH_QUERY)
    elif any(part.startswith("dbname=") and "?" in part for part in dsn.split()):
        raise InvalidDsn(_NAME_WITH_QUERY)


def parse_postgresql(dsn: str) -> PostgresqlDsn:
    """A URL or `keyword=value` pairs, as pgx reads them."""
    settings = {"host": "localhost", "port": "5432", "user": "", "password": "", "database": "", "sslmode": "prefer"}
    if dsn.startswith(POSTGRESQL_SCHEMES):
        user, password, host, path, query = _split_url(dsn)
        given = {"user": user, "password": password, "database": path.lstrip("/")}
        name, colon, port = host.rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            given["host"] = host.strip("[]")
        elif colon:
            given |= {"host": name.strip("[]"), "port": port}
        else:
            given["host"] = host
        settings |= {key: value for key, value in given.items() if value}
        for pair in query.split("&"):
            key, equals, value = pair.partition("=")
            if equals:
                settings[{"dbname": "database"}.get(key, key)] = unquote_to_bytes(value.replace("+", " ")).decode(errors="replace")
    else:
        for pair in re.findall(r"(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s\\]|\\.)*)", dsn):
            value = re.sub(r"\\(.)", r"\1", pair[1].strip("'"))
            settings[{"dbname": "database"}.get(pair[0], pair[0])] = value
    return PostgresqlDsn(settings["user"], settings["password"], settings["host"], int(settings["port"]), settings["database"] or settings["user"], settings)


def redacted(dsn: str) -> str:
    """The connection string as pgx shows it in errors."""
    return re.sub(r"(://[^:@/]*):[^@]*@", r"\1:xxxxx@", dsn)


def _split_url(url: str) -> tuple[str, str, str, str, str]:
    """(user, password, host with port, path, query) by Go's net/url."""
    url = url.partition("#")[0]
    try:
        if any(ord(character) < 0x20 or ord(character) == 0x7F for character in url):
            raise InvalidDsn("net/url: invalid control character in URL")
        rest, _mark, query = url.partition("?")
        authority, slash, path = rest.partition("://")[2].partition("/")
        login, at, host = authority.rpartition("@")
        _check_host(host)
        if at and not _USERINFO.match(login):
            raise InvalidDsn("net/url: invalid userinfo")
        user, _colon, password = login.partition(":")
        return _unescape(user), _unescape(password), host, _unescape(slash + path), query
    except InvalidDsn as error:
        raise InvalidDsn(f"parse {_quoted(url)}: {error}") from None


def _check_host(host: str) -> None:
    if host.startswith("["):
        end = host.rfind("]")
        if end < 0:
            raise InvalidDsn("missing ']' in host")
        port = host[end + 1 :]
    else:
        port = host[host.rfind(":") :] if ":" in host else ""
    if port and not re.fullmatch(r":\d*", port):
        raise InvalidDsn(f"invalid port {_quoted(port)} after host")
    if bad := _ESCAPE.search(host):
        raise InvalidDsn(f"invalid URL escape {_quoted(host[bad.start() : bad.start() + 3])}")
    if bad := re.search(r"[^A-Za-z0-9\-._~!$&'()*+,;=:\[\]<>\"%\x80-\U0010ffff]", host):
        raise InvalidDsn(f"invalid character {_quoted(bad.group())} in host name")


def _unescape(text: str) -> str:
    if bad := _ESCAPE.search(text):
        raise InvalidDsn(f"invalid URL escape {_quoted(text[bad.start() : bad.start() + 3])}")
    return unquote_to_bytes(text).decode(errors="replace")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
