"""Connection strings as the registry server reads them."""

from __future__ import annotations

import pytest

from sandbox.databases import ODD_PASSWORDS
from sandbox.server.dsn import InvalidDsn, MysqlDsn, check_postgresql, parse_mysql, parse_postgresql, redacted


def mysql(password: str = "pw", user: str = "user", database: str = "db") -> str:
    return f"{user}:{password}@tcp(host:3307)/{database}?charset=utf8mb4"


def postgresql(password: str = "pw", user: str = "user", database: str = "db", query: str = "sslmode=disable") -> str:
    return f"postgresql://{user}:{password}@host:5433/{database}?{query}"


@pytest.mark.parametrize("password", ["pw", "", ODD_PASSWORDS["mysql"], "a@b", "a)b(c", "tcp(x)/y", "$(HOME)"])
def test_mysql_password_may_contain_almost_anything(password: str) -> None:
    assert parse_mysql(mysql(password)) == MysqlDsn("user", password, "host", 3307, "db")


def test_mysql_user_ends_at_the_first_colon() -> None:
    assert parse_mysql(mysql(user="a:b")) == MysqlDsn("a", "b:pw", "host", 3307, "db")
    assert parse_mysql(mysql(user="a@b/c d")).user == "a@b/c d"


def test_mysql_parts_may_be_missing() -> None:
    assert parse_mysql("user@tcp(host)/db") == MysqlDsn("user", "", "host", 3306, "db")
    assert parse_mysql("/db") == MysqlDsn("", "", "127.0.0.1", 3306, "db")
    assert parse_mysql("user:pw@tcp([::1]:3307)/db").host == "::1"


@pytest.mark.parametrize("database", ["a b", "a#b", "a&b", "a-b"])
def test_mysql_database_may_be_odd(database: str) -> None:
    assert parse_mysql(mysql(database=database)).database == database


def test_mysql_database_is_unescaped() -> None:
    assert parse_mysql(mysql(database="a%41")).database == "aA"


@pytest.mark.parametrize(
    ("dsn", "message"),
    [
        (mysql("a?b"), "database name must not contain '?' characters; do not put query parameters in the database name"),
        (mysql(database="a?b"), "database name must not contain '?' characters; do not put query parameters in the database name"),
        (mysql(database="a/b"), "invalid DSN: did you forget to escape a param value?"),
        (mysql(database="a%b"), 'invalid dbname "a%b": invalid URL escape "%b"'),
        ("user:pw@tcp(host:3306", "invalid DSN: missing the slash separating the database name"),
        ("user:pw@tcp(host/db", "invalid DSN: network address not terminated (missing closing brace)"),
    ],
)
def test_mysql_refusals(dsn: str, message: str) -> None:
    with pytest.raises(InvalidDsn) as error:
        parse_mysql(dsn)
    assert str(error.value) == message


def test_postgresql_parts() -> None:
    parts = parse_postgresql(postgresql(ODD_PASSWORDS["postgresql"], query="sslmode=require&application_name=x"))
    assert (parts.user, parts.password, parts.host, parts.port, parts.database) == ("user", ODD_PASSWORDS["postgresql"], "host", 5433, "db")
    assert parts.settings["sslmode"] == "require"
    assert parts.session == {"application_name": "x"}


def test_postgresql_password_is_decoded() -> None:
    assert parse_postgresql(postgresql("a%41b")).password == "aAb"


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("a?b", 'parse "postgresql://user:a?b@host:5433/db?sslmode=disable": invalid port ":a" after host'),
        ("a/b", 'parse "postgresql://user:a/b@host:5433/db?sslmode=disable": invalid port ":a" after host'),
        ("a#b", 'parse "postgresql://user:a": invalid port ":a" after host'),
        ("a%zzb", 'parse "postgresql://user:a%zzb@host:5433/db?sslmode=disable": invalid URL escape "%zz"'),
        ('a"b', 'parse "postgresql://user:a\\"b@host:5433/db?sslmode=disable": net/url: invalid userinfo'),
        ("a\tb", 'parse "postgresql://user:a\\tb@host:5433/db?sslmode=disable": net/url: invalid control character in URL'),
    ],
)
def test_postgresql_refusals(password: str, message: str) -> None:
    with pytest.raises(InvalidDsn) as error:
        check_postgresql(postgresql(password))
    assert str(error.value) == message


@pytest.mark.parametrize("character", ' []"<>^{}\\|')
def test_postgresql_userinfo_has_few_characters(character: str) -> None:
    with pytest.raises(InvalidDsn, match="net/url: invalid userinfo"):
        check_postgresql(postgresql(f"a{character}b"))


def test_postgresql_numeric_password_before_a_question_mark_is_a_port() -> None:
    check_postgresql(postgresql("12?3"))
    assert parse_postgresql(postgresql("12?3")).port == 12


def test_keyword_value_pairs() -> None:
    parts = parse_postgresql(r"host=h port=1 user=u password='a b\'c' dbname=d")
    assert (parts.host, parts.port, parts.user, parts.password, parts.database) == ("h", 1, "u", "a b'c", "d")
    with pytest.raises(InvalidDsn, match="database name must not contain"):
        check_postgresql("host=h dbname=a?b")


def test_password_is_not_shown() -> None:
    assert redacted(postgresql("secret")) == "postgresql://user:xxxxx@host:5433/db?sslmode=disable"
