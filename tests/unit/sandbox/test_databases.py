"""Which database a host name means to a pod, and what the data directories survive."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox import databases
from sandbox.layout import Layout

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
