"""The tables of the page about registries: what each cell says, what it is sorted by, and by what a row is found again in the next report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import retention
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._report import Report, Run, report_of
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._table import Cell, Column, Mark, Row, Table, as_csv
from tests.found import access, certificate, found, registry

NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
WARNING, PROBLEM, GOOD, NOTE = "warning", "problem", "good", "note"


def report(result: dict[str, Any], compared: dict[str, Any] | None = None, catalog: dict[str, Any] | None = None, **changed: Any) -> Report:
    return report_of([("east", result, compared or {}, catalog or {})], NOW, "1.2.3", **changed)


def table(made: Report, anchor: str) -> Table:
    [one] = [table for table in made.tables if table.anchor == anchor]
    return one


def rows(made: Report, anchor: str) -> list[tuple[Cell, ...]]:
    return [row.cells for row in table(made, anchor).rows]


def shown(made: Report, anchor: str, title: str) -> list[Cell]:
    """The cells of a column."""
    place = [column.title for column in table(made, anchor).columns].index(title)
    return [cells[place] for cells in rows(made, anchor)]


def names(*named: str) -> Cell:
    """The cell with these registries of the first cluster."""
    return Cell(links=tuple((name, f"registry-1-{name}") for name in named), sort=named[0] if named else "")


def mark(severity: str, text: str) -> tuple[Mark, ...]:
    return (Mark(severity, text),)


def test_the_columns_share_the_width_of_the_page_and_one_of_them_names_the_row() -> None:
    for each in report(found(registry())).tables:
        assert sum(column.width for column in each.columns) == 100, each.anchor
        assert [column.is_row_header for column in each.columns].count(True) == 1, each.anchor
        assert all(len(row.cells) == len(each.columns) for row in each.rows), each.anchor


def test_a_row_is_found_again_by_what_names_it_and_what_changes_by_itself_is_no_change() -> None:
    made = {each.anchor: each for each in report(found(registry())).tables}
    keys = {anchor: [column.title for column in each.columns if column.is_key] for anchor, each in made.items()}
    assert {anchor: titles for anchor, titles in keys.items() if titles} == {
        "attention": ["Finding", "Cluster"],
        "registries": ["Registry", "Cluster"],
        "certificates": ["Certificate", "Expires", "Use", "Cluster"],
        "access": ["Subject", "Kind", "Through", "Registry", "Cluster"],
        "rights": ["Subject", "Kind", "Through", "Cluster"],
        "groups": ["Group", "Cluster"],
        "drift": ["Registry", "Option", "Cluster"],
        "unlisted": ["Registry", "Cluster"],
        "catalog": ["Source", "Cluster"],
        "skipped": ["Registry", "Cluster"],
        "unchecked": ["Check", "Reason", "Cluster"],
        "clusters": ["Cluster"],
    }
    volatile = {anchor: [column.title for column in each.columns if column.volatile] for anchor, each in made.items()}
    assert {anchor: titles for anchor, titles in volatile.items() if titles} == {
        "attention": ["Evidence"],
        "registries": ["Certificates", "Last backup"],
        "certificates": ["Days left"],
        "unchecked": ["Registries"],
        "clusters": ["State"],
    }


def test_each_table_says_what_could_not_be_read_so_that_its_rows_are_not_taken_for_removed() -> None:
    blind = registry("blind", status={"access": None, "unread_certificates": ["Secret x"]})
    dark = {key: value for key, value in registry("dark").items() if key != "status"} | {"status": {"available": True}}
    results: list[Any] = [
        ("east", found(blind), {}),
        ("north", found(dark), {"drift": []}),
        ("south", found(registry()), {"drift": []}),
        ("west", {"msg": "x"}, {}),
    ]
    made = report_of(results, NOW, "1.2.3")
    assert {each.anchor: each.unseen for each in made.tables if each.unseen} == {
        "registries": (("west",),),
        "certificates": (("west",), ("east",), ("north",)),
        "access": (("west",), ("east", "blind"), ("north", "dark")),
        "rights": (("west",),),
        "groups": (("west",),),
        "drift": (("east",), ("west",)),
        "catalog": (("east",), ("north",), ("south",), ("west",)),
        "skipped": (("west",),),
    }
    assert table(report(found(groups=None)), "groups").unseen == (("east",),)
    assert table(report(found(), catalog={"sources": []}), "catalog").unseen == ()


def test_a_table_about_what_was_not_looked_at_is_not_on_the_page() -> None:
    hidden = {each.anchor for each in report(found(registry())).tables if not each.shown}
    assert hidden == {"unlisted", "catalog"}
    assert all(each.shown for each in report(found(registry()), {"drift": []}, {"sources": []}).tables)


def test_a_table_without_rows_says_why() -> None:
    def instead(made: Report) -> dict[str, str]:
        return {each.anchor: each.instead for each in made.tables}

    empty = instead(report(found(), {"drift": []}))
    assert {anchor: empty[anchor] for anchor in ("attention", "drift", "unchecked", "registries", "skipped")} == {
        "attention": "No findings.",
        "drift": "No drift.",
        "unchecked": "Everything was checked.",
        "registries": "None.",
        "skipped": "None.",
    }
    assert instead(report(found()))["drift"] == "The registries were not compared with a list."
    assert {anchor for anchor, text in empty.items() if text.endswith("could not be read.")} == {"certificates", "groups", "catalog"}
    assert {anchor for anchor, text in empty.items() if text.endswith("could not be determined.")} == {"access", "rights"}


def test_a_cell_is_a_text_in_a_file_and_the_same_text_is_no_formula_in_a_spreadsheet() -> None:
    whole = Cell("text", ("note", "", "second"), mark(WARNING, "mark"), (("link", "anchor"),), (("Address", "https://a"),), ("title", "folded"), sort=1)
    assert whole.plain == "mark; text; link; https://a; folded; note; second" and Cell().plain == ""
    long = "x" * 100_000
    assert Cell(folded=("", long)).plain == long and Cell(folded=("", f"{long}x")).plain[100_000] != "x" and len(Cell(long).plain) < 100_000
    columns = (Column("=A", 50), Column("B", 50))
    made = Table("t", "T", "", columns, (Row((Cell("=1", ("@2",)), Cell('"', sort="@"))), Row((Cell("-1"), Cell("x=1")))))
    assert made.records == [{"=A": "=1; @2", "B": '"'}, {"=A": "-1", "B": "x=1"}]
    assert as_csv(made) == '\ufeff"=A","B"\r\n"\'=1; @2",""""\r\n"\'-1","x=1"\r\n'


# The registries

NO_CERTIFICATES = {key: value for key, value in registry()["status"].items() if key != "certificates"}
PRIVATE = {"source": "none"}


@pytest.mark.parametrize(
    ("title", "one", "cell"),
    [
        ("Description", registry(), Cell()),
        ("Description", registry(display_name="Fraud", description="Of a team"), Cell("Fraud", ("Of a team",))),
        ("Description", registry(status={"address": "https://a.example.com"}), Cell(addresses=(("Address", "https://a.example.com"),))),
        ("Status", registry(), Cell(marks=mark(GOOD, "Available"), sort="Available")),
        (
            "Status",
            registry(status={"available": False, "reason": "no"}),
            Cell(marks=mark(PROBLEM, "Not available"), links=(("reason", "finding-1"),), sort="Not available"),
        ),
        (
            "Status",
            registry(status={"available": None}),
            Cell(marks=mark(WARNING, "Not known"), links=(("reason", "finding-1"),), sort="Not known"),
        ),
        (
            "Status",
            registry(status={"restart_needed": True, "server_version": "v0.3.14", "started_at": "2026-02-20T04:12:59Z"}),
            Cell(notes=("server v0.3.14", "since 2026-02-20 04:12"), marks=(Mark(GOOD, "Available"), Mark(WARNING, "Restart required")), sort="Available"),
        ),
        ("Database", registry(), Cell("MySQL, db:3306", ("database x, as u",))),
        ("Database", registry(database={"type": "postgresql", "username": None}), Cell("PostgreSQL, db:3306", ("database x",))),
        ("Database", registry(database={"host": None, "port": None, "name": None, "username": None}), Cell("MySQL, current host:…")),
        (
            "Database",
            registry(database={"type": "generated"}),
            Cell("generated by the product", marks=mark(WARNING, "Not for production"), sort="generated by the product"),
        ),
        ("Database", registry() | {"database": None}, Cell("none")),
        ("Encryption", registry(), Cell("encrypted", ("certificate and host name verified",), sort=2.5)),
        (
            "Encryption",
            registry(database={"type": "postgresql", "ca": {"source": "secret"}, "ssl_mode": "verify-ca"}),
            Cell("encrypted", ("certificate verified",), sort=2),
        ),
        (
            "Encryption",
            registry(database={"type": "postgresql", "ca": PRIVATE, "ssl_mode": "prefer"}),
            Cell("encrypted", ("certificate not verified", "or unencrypted, if rejected"), mark(WARNING, "Not verified"), sort=1),
        ),
        (
            "Encryption",
            registry(database={"verify_server_cert": False, "client_certificate": {"source": "secret"}}),
            Cell("encrypted", ("certificate not verified", "with client certificate"), mark(WARNING, "Not verified"), sort=1),
        ),
        ("Encryption", registry(database={"ca": PRIVATE, "verify_server_cert": False}), Cell(marks=mark(WARNING, "Not encrypted"), sort=0)),
        ("Encryption", registry(database={"type": "generated"}), Cell("inside the cluster", sort=3)),
        ("Encryption", registry() | {"database": None}, Cell(sort=3)),
        ("Certificates", registry(), Cell("none", sort=10**9)),
        ("Certificates", registry() | {"status": NO_CERTIFICATES}, Cell("not known", sort=10**9)),
        ("Certificates", registry(status={"certificates": [certificate(90)]}), Cell("90 days", sort=90)),
        (
            "Certificates",
            registry(status={"certificates": [certificate(90), certificate(1, "CN=sooner"), certificate(91, "CN=later")]}),
            Cell("1 day", ("earliest of 3",), mark(WARNING, "Expires soon"), sort=1),
        ),
        ("Certificates", registry(status={"certificates": [certificate(-1)]}), Cell(marks=mark(PROBLEM, "Expired 1 day ago"), sort=-1)),
        ("Certificates", registry(status={"certificates": [certificate(30 * 365)]}), Cell("10,950 days", sort=10950)),
        ("Certificates", registry(status={"certificates": [certificate(30 * 365 + 1)]}), Cell("does not expire in practice", sort=10951)),
        ("Access", registry(status={"access": None}), Cell("not known", sort=-1)),
        ("Access", registry(), Cell("0 subjects", sort=0)),
        (
            "Access",
            registry(
                status={
                    "access": [
                        access("a"),
                        access("a", through="again"),
                        access("a", kind="user"),
                        access("a", kind="service_account", namespace="x"),
                        access("a", kind="service_account", namespace="y"),
                        access("idle", effective=False),
                    ]
                }
            ),
            Cell("4 subjects", sort=4),
        ),
        (
            "Access",
            registry(status={"access": [access("a"), access("system:authenticated", everybody=True)]}),
            Cell("2 subjects", marks=mark(WARNING, "Nearly all users"), sort=2),
        ),
        ("Last backup", registry(), Cell("not checked", sort="")),
        ("Drift", registry(), Cell("not listed", sort=-1)),
        ("Cluster", registry(), Cell("east")),
    ],
)
def test_what_the_list_of_registries_says_of_each(title: str, one: dict[str, Any], cell: Cell) -> None:
    made = report(found(one))
    assert shown(made, "registries", title) == [cell]
    assert [row.anchor for row in table(made, "registries").rows] == [names("fraud").links[0][1]]


def test_both_addresses_of_a_registry_are_links() -> None:
    status = {"address": "https://fraud-rest.apps.example.com", "api_version": "modelregistry.opendatahub.io/v1beta1"}
    spoken = {"host": "https://api.example.com:6443", "context": None, "user": "auditor", "verify_ssl": True}
    console = "https://console-openshift-console.apps.example.com/k8s/ns/registries/modelregistry.opendatahub.io~v1beta1~ModelRegistry/fraud"
    [cell] = shown(report(found(registry(status=status), cluster=spoken)), "registries", "Description")
    assert cell.addresses == (("Address", status["address"]), ("Console", console))


def test_the_last_backup_is_sorted_by_its_time_and_none_comes_first(tmp_path: Path) -> None:
    for name, hours in (("fresh", 26), ("old", 27)):
        (tmp_path / retention.backup_of("https://api", name, NOW - timedelta(hours=hours)).file).write_text("x")
    result = found(*(registry(name) for name in ("fresh", "old", "none")), skipped_registries=[{"name": "odd", "reason": "no"}])
    made = report(result, backups=_backups.Wanted(str(tmp_path), 26, NOW))
    assert shown(made, "registries", "Last backup") == [
        Cell("2026-03-03 03:06", sort="2026-03-03T03:06:00Z"),
        Cell("2026-03-03 02:06", marks=mark(WARNING, "Outdated"), sort="2026-03-03T02:06:00Z"),
        Cell(marks=mark(WARNING, "No backup"), sort=""),
    ]
    unread = report(result, backups=_backups.Wanted(str(tmp_path / "none"), 26, NOW))
    assert shown(unread, "registries", "Last backup") == [Cell("not checked", sort="")] * 3


def test_drift_is_the_number_of_options_that_differ() -> None:
    drift = [{"registry": "fraud", "option": option, "before": 1, "after": 2} for option in ("description", "display_name")]
    listed = [{"name": name, "changed": name == "stale"} for name in ("fraud", "same", "stale")]
    compared = {"drift": drift, "registries": listed}
    made = report(found(*(registry(name) for name in ("fraud", "same", "stale", "other"))), compared)
    assert shown(made, "registries", "Drift") == [
        Cell(marks=mark(WARNING, "2 options"), sort=2),
        Cell("none", sort=0),
        Cell("none", sort=0),
        Cell("not listed", sort=-1),
    ]
    ended = report(found(registry("fraud"), registry("same")), {**compared, "msg": "no"})
    assert shown(ended, "registries", "Drift") == [Cell("", marks=mark(WARNING, "Drift"), sort=-1), Cell("not compared", sort=-1)]


# The other tables


def test_a_finding_says_how_severe_it_is_what_shows_it_and_what_to_do() -> None:
    down = {"available": False, "reason": "it is down", "evidence": "Error 1045", "remedy": "Start it"}
    idle = access("team", effective=False)
    made = report(found(registry("a", status=down), registry("b", status={"access": [idle]}), registry("c", status=down)))
    assert rows(made, "attention") == [
        (
            Cell(marks=mark(PROBLEM, "Problem"), sort=0),
            Cell("Not available: it is down"),
            Cell(folded=("Show", "Error 1045")),
            Cell("Start it", ("Guide: Troubleshooting",)),
            names("a", "c"),
            Cell("east"),
        ),
        (
            Cell(marks=mark(NOTE, "Note"), sort=2),
            Cell("These RoleBindings do not grant access: binding-of-team"),
            Cell(folded=("Show", "")),
            Cell("Delete them, or bind the Role of the registry", ("Guide: Access",)),
            names("b"),
            Cell("east"),
        ),
    ]
    assert [row.anchor for row in table(made, "attention").rows] == ["finding-1", "finding-2"]
    # The reason of what is not available is below another finding.
    other = registry("a", status={"available": None, "certificates": [certificate(-1)]}, database={"ca": {"source": "secret"}})
    assert shown(report(found(other)), "registries", "Status")[0].links == (("reason", "finding-2"),)


def test_more_registries_than_a_cell_shows_are_folded() -> None:
    for number, folded in ((8, ("", "")), (9, ("and 1 more", "r8")), (11, ("and 3 more", "r8, r9, r10"))):
        [cell] = shown(report(found(*(registry(f"r{one}", {"type": "generated"}) for one in range(number)))), "attention", "Registries")
        assert (len(cell.links), cell.folded, cell.sort) == (8, folded, "r0")
    thousands = report(found(*(registry(f"r{one}", {"type": "generated"}) for one in range(1008))))
    assert shown(thousands, "attention", "Registries")[0].folded[0] == "and 1,000 more"


def test_a_certificate_says_who_issued_it_where_it_is_and_who_reads_it() -> None:
    own = certificate(400, "CN=own", issuer="CN=own", use="client", kind="Secret", name="pair", key="tls.crt", not_after="2027-05-06T07:08:09Z")
    here, there = {"certificates": [certificate(-2), own]}, {"certificates": [certificate(-2)]}
    made = report_of([("east", found(registry("a", status=here), registry("b", status=there)), {}), ("west", found(registry("a", status=there)), {})], NOW, "1")
    expired = (
        Cell("CN=ca", ("issued by CN=root",)),
        Cell(marks=mark(PROBLEM, "Expired 2 days ago"), sort=-2),
        Cell("2026-05-06"),
        Cell("CA of the database", ("ConfigMap trusted, key ca.crt",)),
    )
    assert rows(made, "certificates") == [
        (*expired, names("a", "b"), Cell("east")),
        (*expired, Cell(links=(("a", "registry-2-a"),), sort="a"), Cell("west")),
        (
            Cell("CN=own", ("self-signed",)),
            Cell("400 days", sort=400),
            Cell("2027-05-06"),
            Cell("Client certificate", ("Secret pair, key tls.crt",)),
            names("a"),
            Cell("east"),
        ),
    ]


@pytest.mark.parametrize(
    "changed",
    [{"use": "client"}, {"kind": "Secret"}, {"name": "other"}, {"key": "other"}, {"sha256": "other"}],
    ids=lambda changed: next(iter(changed)),
)
def test_certificates_of_several_places_are_several(changed: dict[str, Any]) -> None:
    both = {"certificates": [certificate(90), certificate(90, **changed)]}
    assert len(rows(report(found(registry(status=both))), "certificates")) == 2
    namespaces = found(registry("a", status=both), registry("b", status=both, namespace="other"))
    assert len(rows(report(namespaces), "certificates")) == 4


def test_a_grant_says_to_whom_through_what_since_when_and_by_whom() -> None:
    changed = {"created_at": "2026-02-03T04:05:06Z", "last_changed_at": "2026-02-05T04:05:06Z", "last_changed_by": "kubectl"}
    granted = [
        access("b", kind="user", made_by="other", **changed),
        access("a", kind="user", made_by="operator", created_at=None, last_changed_at=None, last_changed_by=None),
        access("robot", kind="service_account", namespace="ci", effective=False, platform=True),
        access("z", kind="project"),
        access("team"),
        access("all", everybody=True, through_kind="ClusterRoleBinding", through="wide", role="admin"),
    ]
    users = [{"name": name, "users": ["u"], "last_changed_at": None, "last_changed_by": None} for name in ("team", "z")]
    made = report(found(registry(status={"access": granted}), groups=users))
    binding = "RoleBinding binding-of-{0} (role registry-user-fraud)".format
    unchanged, dashboard = Cell("2026-01-02 03:04"), Cell("dashboard or collection, unnamed client")
    subjects = [
        (
            Cell("all", marks=mark(WARNING, "Nearly all users"), sort="all"),
            Cell("group"),
            Cell("ClusterRoleBinding wide (role admin)"),
            unchanged,
            dashboard,
        ),
        (Cell(links=(("team", "group-1-1"),)), Cell("group"), Cell(binding("team")), unchanged, dashboard),
        (Cell("z"), Cell("project"), Cell(binding("z")), unchanged, dashboard),
        (
            Cell("robot", ("namespace ci",), (Mark(NOTE, "No access"), Mark(NOTE, "Platform")), sort="robot"),
            Cell("service account"),
            Cell(binding("robot")),
            unchanged,
            dashboard,
        ),
        (Cell("a"), Cell("user"), Cell(binding("a")), Cell("not known"), Cell("operator")),
        (Cell("b"), Cell("user"), Cell(binding("b")), Cell("2026-02-03 04:05", ("changed 2026-02-05 04:05",)), Cell("other, client kubectl")),
    ]
    where = (Cell(links=names("fraud").links), Cell("east"))
    assert rows(made, "access") == [(*subject, *where) for subject in subjects]
    # Accounts of the platform come last, and are told in which namespace the others are.
    platform = [access("c", platform=True), access("a", everybody=True, platform=True), access("b"), access("a")]
    rights = report(found(access_by_other_roles=platform), groups=None)
    assert [cells[0].text for cells in rows(rights, "rights")] == ["a", "a", "b", "c"]
    assert rows(rights, "rights")[1] == (Cell("a"), Cell("group"), Cell(binding("a")), unchanged, dashboard, Cell("all in the namespace"), Cell("east"))


def test_the_users_of_a_group_are_folded_when_there_are_many() -> None:
    users = [f"u{number}" for number in range(9)]
    groups = [
        {"name": "small", "users": users[:8], "last_changed_at": "2026-01-02T03:04:05Z", "last_changed_by": "kubectl"},
        {"name": "large", "users": users, "last_changed_at": None, "last_changed_by": None},
        {"name": "empty", "users": [], "last_changed_at": None, "last_changed_by": "unknown"},
    ]
    made = report_of([("east", found(), {}), ("west", found(groups=groups), {})], NOW, "1.2.3")
    assert rows(made, "groups") == [
        (Cell("small"), Cell("8 users", (", ".join(users[:8]),), sort=8), Cell("2026-01-02 03:04", ("client kubectl",)), Cell("west")),
        (Cell("large"), Cell("9 users", folded=("Users", ", ".join(users)), sort=9), Cell("not known"), Cell("west")),
        (Cell("empty"), Cell("0 users", ("",), sort=0), Cell("not known", ("unnamed client",)), Cell("west")),
    ]
    assert [row.anchor for row in table(made, "groups").rows] == ["group-2-1", "group-2-2", "group-2-3"]


def test_a_difference_says_both_values_and_who_wrote_the_current_one() -> None:
    drift = [
        {"registry": "a", "option": "permissions", "before": {"b": 1, "a": "ä"}, "after": None, "manager": "kubectl", "time": "2026-01-02T03:04:05Z"},
        {"registry": "a", "option": "display_name", "before": "x", "after": True, "manager": None, "time": None},
    ]
    made = report(found(), {"drift": drift, "unlisted": [{"name": "b", "display_name": "B"}, {"name": "c"}]})
    when = "2026-01-02T03:04:05Z"
    assert rows(made, "drift") == [
        (Cell("a"), Cell("permissions"), Cell('{"a": "ä", "b": 1}'), Cell("not set"), Cell("kubectl", ("2026-01-02 03:04",), sort=when), Cell("east")),
        (Cell("a"), Cell("display_name"), Cell("x"), Cell("true"), Cell("not known", sort=""), Cell("east")),
    ]
    assert rows(made, "unlisted") == [(Cell("b"), Cell("B"), Cell("east")), (Cell("c"), Cell(), Cell("east"))]


def source(server: dict[str, Any] | None, **changed: Any) -> dict[str, Any]:
    status = {"is_default": False, "origins": {"name": "first", "enabled": "second", "labels": "first"}, "shown": 2000, "findings": [], "server": server}
    return {"id": "a", "kind": "model", "name": "A", "status": status | changed.pop("status", {}), **changed}


@pytest.mark.parametrize(
    ("one", "title", "cell"),
    [
        (source(None), "Source", Cell("A", ("a",))),
        (source(None, name=None, status={"is_default": True}), "Source", Cell("a", ("a", "provided by the product"))),
        (source(None), "Status", Cell(marks=mark(NOTE, "not known"), folded=("Evidence", ""))),
        (source({"status": "available"}), "Status", Cell(marks=mark(GOOD, "available"), folded=("Evidence", ""))),
        (source({"status": "partially-available"}), "Status", Cell(marks=mark(WARNING, "partially-available"), folded=("Evidence", ""))),
        (source({"status": "error", "error": "no"}), "Status", Cell(marks=mark(PROBLEM, "error"), folded=("Evidence", "no"))),
        (source({"status": "disabled"}), "Status", Cell(marks=mark(NOTE, "disabled"), folded=("Evidence", ""))),
        (source(None), "Shown", Cell("2,000", sort=2000)),
        (source({"status": "available", "entries": 3}), "Shown", Cell("3", sort=3)),
        (source({"status": "available", "entries": None}), "Shown", Cell("", sort=-1)),
        (source(None), "Kind", Cell("models")),
        (source(None, kind="mcp"), "Kind", Cell("MCP servers")),
        (source(None, kind="agent"), "Kind", Cell("agents")),
        (source(None), "ConfigMap", Cell("first, second", ("last write 2026-01-02 03:05 by kubectl",))),
        (source(None, status={"origins": {"name": "third", "x": "fourth"}}), "ConfigMap", Cell("third, fourth")),
        (source(None), "Cluster", Cell("east")),
    ],
)
def test_what_the_table_of_the_catalog_says_of_a_source(one: dict[str, Any], title: str, cell: Cell) -> None:
    writes = [
        {"config_map": "first", "manager": "kubectl", "time": "2026-01-02T03:05:00Z"},
        {"config_map": "second", "manager": "other", "time": "2026-01-02T03:04:59Z"},
        {"config_map": "third", "manager": "x", "time": None},
    ]
    assert shown(report(found(), catalog={"sources": [one], "findings": [], "last_writes": writes}), "catalog", title) == [cell]


def test_what_was_not_checked_is_told_apart_from_what_is_not_part_of_the_report() -> None:
    made = report(found(registry("a"), registry("b", status={"access": None})), run=Run(excluded=["north"]))
    impossible, left_out = Cell(marks=mark(WARNING, "Not possible")), Cell(marks=mark(NOTE, "Not part of the report"))
    assert rows(made, "unchecked") == [
        (Cell("Access"), impossible, Cell("The account cannot read who has access"), names("b"), Cell("east")),
        (Cell("Drift"), left_out, Cell("There is no list to compare with"), names("a", "b"), Cell("east")),
        (Cell("Certificates"), left_out, Cell("The registry has no certificates of its own"), names("a", "b"), Cell("east")),
        (Cell("Database"), left_out, Cell("Databases are checked only if the connection settings would be changed"), names("a", "b"), Cell("east")),
        (Cell("Backup"), left_out, Cell("model_registry_backup_folder is not set"), names("a", "b"), Cell("east")),
        (Cell("Policy"), left_out, Cell("There is no policy"), names("a", "b"), Cell("east")),
        (Cell("Catalog"), left_out, Cell("The model catalog is not part of the report: model_catalog_included is not set"), names(), Cell("east")),
        (Cell("Cluster"), impossible, Cell("The cluster was not part of the run, for example because of --limit"), names(), Cell("north")),
    ]


def test_what_could_not_be_checked_has_the_reason_of_its_finding() -> None:
    unread = registry("a", status={"unread_certificates": ["Secret x"]})
    unknown = [registry(name, status={"available": None, "reason": "the pod is unknown", "evidence": name}) for name in ("b", "c")]
    made = report(found(unread, *unknown, skipped_registries=[{"name": "odd", "reason": "has a dot"}]), {"msg": "no answer"})
    told = [
        (cells[0].text, cells[2].text, [name for name, _anchor in cells[3].links]) for cells in rows(made, "unchecked") if cells[1].marks[0].severity == WARNING
    ]
    assert told == [
        ("Drift", "The registry was not compared with the list", ["a", "b", "c", "odd"]),
        ("Certificates", "the certificates in Secret x were not read. Grant the permissions in rbac/read.yml", ["a"]),
        ("Health", "availability not known: the pod is unknown", ["b", "c"]),
        ("Health", "has a dot", ["odd"]),
        *((check, "The registry was not read", ["odd"]) for check in ("Certificates", "Database", "Backup")),
        ("Cluster", "The registries were not compared with the list: no answer", []),
    ]
    failed = report(found(registry("a")), {"drift": [], "registries": [{"name": "a", "failed": True, "msg": "it is wrong"}], "msg": "it is wrong"})
    assert [(cells[0].text, cells[2].text) for cells in rows(failed, "unchecked") if cells[1].marks[0].severity == WARNING] == [
        ("Drift", "cannot be reconciled: it is wrong")
    ]
    # A registry that is not on the page has no link.
    assert [cells[3].links for cells in rows(made, "unchecked") if cells[2].text == "has a dot"] == [(("odd", ""),)]


def test_each_cluster_is_a_row_with_its_account_and_the_run_is_told_last() -> None:
    unsafe = {"host": "https://west", "context": None, "user": None, "verify_ssl": False}
    results: list[Any] = [("east", found(*map(registry, ("a", "b")), warnings=["x"]), {}), ("west", found(cluster=unsafe), {}), ("north", {"msg": "gone"}, {})]
    made = report_of(results, NOW, "1.2.3", run=Run([("Started by", "jana")]))
    assert rows(made, "clusters") == [
        (Cell("east"), Cell("2 registries"), Cell("https://api", ("context admin",)), Cell("auditor"), Cell(notes=("x",))),
        (Cell("west"), Cell("0 registries"), Cell("https://west", (), mark(WARNING, "Certificate not verified")), Cell(), Cell()),
        (Cell("north"), Cell("gone", marks=mark(PROBLEM, "Not read")), Cell(), Cell(), Cell()),
    ]
    assert rows(made, "run") == [
        (Cell("Generated"), Cell("2026-03-04T05:06:00Z")),
        (Cell("Started by"), Cell("jana")),
        (Cell("Accounts"), Cell("east: auditor; west: not known; north: not known")),
    ]
    assert made.clusters == ("east", "west", "north") and (made.tables[0].anchor, made.tables[-1].anchor) == ("answers", "run")
