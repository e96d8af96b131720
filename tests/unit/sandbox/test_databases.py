"""Which database a host name means to a pod, and what the data directories survive."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox import databases
from sandbox.layout import MARKER, ROOT, Layout

LAYOUT = Layout("/nowhere", 77)
GENERATED = {("reg", "fraud-postgres"): "127.77.16.5"}


@pytest.mark.parametrize(
    ("namespace", "host", "service"),
    [
        ("data", "mysql", ("data", "mysql")),
        ("reg", "mysql", ("reg", "mysql")),
        ("reg", "mysql.data", ("data", "mysql")),
        ("reg", "MySQL.Data.svc", ("data", "mysql")),
        ("reg", "mysql.data.svc.cluster.local", ("data", "mysql")),
        ("reg", "mysql.data.svc.cluster.local.", ("data", "mysql")),
        ("reg", "mysql.data.", None),
        ("reg", "mysql.data.pod", None),
        ("reg", "a.mysql.data.svc.cluster.local", None),
        ("reg", "mysql.data.cluster.local", None),
        ("reg", "db.example.com.", None),
        ("reg", "", None),
        ("reg", ".data", None),
    ],
)
def test_names_of_services(namespace: str, host: str, service: tuple[str, str] | None) -> None:
    assert databases.service_of(namespace, host) == service


@pytest.mark.parametrize(
    ("namespace", "host", "address"),
    [
        ("data", "mysql", "127.77.1.1"),
        ("reg", "mysql", None),
        ("reg", "postgres.data.svc", "127.77.1.2"),
        ("reg", "mysql-alias.data", "127.77.1.1"),
        ("reg", "127.77.1.2", "127.77.1.2"),
        ("reg", "127.0.0.1", None),
        ("reg", "fraud-postgres", "127.77.16.5"),
        ("other", "fraud-postgres.reg.svc.cluster.local", "127.77.16.5"),
        ("other", "fraud-postgres", None),
        ("reg", "nohost.invalid", None),
    ],
)
def test_resolve(namespace: str, host: str, address: str | None) -> None:
    assert databases.resolve(LAYOUT, namespace, host, GENERATED) == address


def test_the_databases_of_guides_and_examples_are_there_from_the_start() -> None:
    files = [ROOT / "README.md", ROOT / "README.zh-CN.md", *(ROOT / "docs").rglob("*.rst"), *(ROOT / "examples").rglob("*.yml")]
    # What else has a name is an object of Kubernetes, which allows no underscore.
    named = set(re.findall(r"\bname'?: *[\"']?([a-z]+_[a-z_]+)", "".join(file.read_text() for file in files)))
    assert named == set(databases.DOCUMENTED_DATABASES)
    assert all(named <= set(databases.databases(kind)) for kind in databases.SERVICES)


def test_mariadb_is_behind_the_service_of_mysql_where_there_is_no_mysql() -> None:
    with_mysql = replace(LAYOUT, mysql="/somewhere")
    assert (databases.part(with_mysql, "mysql"), databases.part(LAYOUT, "mysql")) == ("mysql", "mariadb")
    assert databases.addresses(LAYOUT)["data", "mysql"] == databases.addresses(LAYOUT)["data", "mariadb"] == LAYOUT.address("mariadb")
    assert sorted(databases.servers(with_mysql)) == ["mariadb", "mysql", "postgresql"] and sorted(databases.servers(LAYOUT)) == ["mysql", "postgresql"]


def test_what_fills_a_data_directory_carries_the_marker_by_which_it_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "server_user", lambda: None)
    layout, home = Layout(str(tmp_path / "state"), 77), tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "initdb").write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\n")
    (home / "bin" / "initdb").chmod(0o755)
    monkeypatch.setattr(Layout, "data", tmp_path)
    databases.initialise_postgresql(layout, home, tmp_path / "server", "admin", "word")
    assert f"{MARKER}={layout.state}" in (tmp_path / "seen").read_text().splitlines()


def test_data_directory_that_was_left_half_made_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "server_user", lambda: None)
    folder = tmp_path / "server"
    assert databases.begin(folder)
    (folder / "half").touch()
    assert databases.begin(folder)
    assert not (folder / "half").exists()
    (folder / "whole").touch()
    databases.finish(folder)
    assert not databases.begin(folder)
    assert (folder / "whole").exists()
    databases.remove_data(folder)
    assert databases.begin(folder)


def test_tls_only_accounts_are_refused_without_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "server_user", lambda: None)
    databases.write_access_rules(tmp_path, ["strict"])
    rules = [line.split() for line in (tmp_path / "pg_hba.conf").read_text().splitlines()]
    assert rules == [
        ["hostssl", "all", "strict", "all", "scram-sha-256"],
        ["hostnossl", "all", "strict", "all", "reject"],
        ["host", "all", "all", "all", "scram-sha-256"],
    ]
