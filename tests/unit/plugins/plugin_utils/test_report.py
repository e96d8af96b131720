"""What the page about registries says, and that it is a page that may be trusted and read by everybody."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import time
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import retention
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._report import TEMPLATES, Report, html, report_of
from tests.found import access, certificate, found, many, registry

NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{ lookup('pipe', 'id') }} {% raw %} {# x"


def report(result: dict[str, Any], compared: dict[str, Any] | None = None) -> Report:
    return report_of([("east", result, compared or {})], NOW, "1.2.3")


def attention(made: Report) -> list[tuple[str, str, list[str]]]:
    """(severity, text, registries) of what needs attention."""
    [table] = [table for table in made.tables if table.anchor == "attention"]
    return [(row.cells[0].marks[0].text, row.cells[1].text, [name for name, _anchor in row.cells[2].links]) for row in table.rows]


def rows(made: Report, anchor: str) -> list[list[str]]:
    """The cells of a table, each with its marks, text, links and notes."""
    [table] = [table for table in made.tables if table.anchor == anchor]
    return [
        [" ".join(filter(None, (*(mark.text for mark in cell.marks), cell.text, *(name for name, _anchor in cell.links), *cell.notes))) for cell in row.cells]
        for row in table.rows
    ]


class Parsed(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


# What needs attention


def test_nothing_needs_attention_when_all_is_well() -> None:
    made = report(found(registry(status={"access": [access("team")], "certificates": [certificate(90)]})))
    assert attention(made) == [] and made.summary == ("east: 1 registry, 1 available, 0 findings", "east: API server https://api")
    assert "No findings." in html(made)


@pytest.mark.parametrize(
    ("changed", "severity", "said"),
    [
        ({"status": {"available": False, "reason": "the database is gone"}}, "Problem", "Not available: the database is gone"),
        ({"status": {"available": None, "reason": "not seen"}}, "Warning", "Availability not known: not seen"),
        ({"status": {"restart_needed": True}}, "Warning", "A restart is required"),
        ({"database": {"ca": {"source": "none"}, "verify_server_cert": False}}, "Warning", "not encrypted"),
        ({"database": {"type": "postgresql", "ca": {"source": "none"}, "ssl_mode": "allow"}}, "Warning", "not encrypted"),
        ({"status": {"access": [access("system:authenticated", everybody=True)]}}, "Warning", "Nearly all users have access"),
        ({"status": {"access": [access("team", effective=False)]}}, "Note", "do not grant access: binding-of-team"),
        ({"status": {"certificates": [certificate(-3)]}}, "Problem", "the certificate: CN=ca expired on 2026-05-06"),
        ({"status": {"smoke_test": {"result": "forbidden", "message": "no access", "sunset": None}}}, "Warning", "Smoke test: no access"),
        ({"status": {"smoke_test": {"result": "ok", "message": "", "sunset": {"message": "v1alpha3 ends"}}}}, "Warning", "V1alpha3 ends"),
        ({"status": {"certificates": [certificate(1)]}}, "Warning", "the certificate: CN=ca expires in 1 day"),
        # Nobody needs all of a bundle.
        ({"status": {"certificates": [certificate(-3), certificate(99, "CN=new")]}}, "Warning", "1 of its 2 certificates: CN=ca expired"),
    ],
)
def test_what_is_wrong_with_a_registry_needs_attention(changed: dict[str, Any], severity: str, said: str) -> None:
    [(shown, text, names)] = attention(report(found(registry(**changed), registry("other"))))
    assert (shown, names) == (severity, ["fraud"]) and said in text


def test_what_is_the_same_for_many_registries_is_said_once_and_the_worst_first() -> None:
    bundle = {"certificates": [certificate(9)]}
    open_ones = [registry(f"r{number}", {"ca": {"source": "none"}, "verify_server_cert": False}, bundle) for number in range(20)]
    made = report(found(*open_ones, registry("down", status={"available": False, "reason": "no"})))
    assert [(severity, len(names)) for severity, _text, names in attention(made)] == [("Problem", 1), ("Warning", 8), ("Warning", 8)]
    assert html(made).count("and 12 more") == 3
    assert made.summary[0] == "east: 21 registries, 20 available, 3 findings"


def test_what_is_wrong_with_a_cluster_needs_attention() -> None:
    unchecked = found(cluster={"host": "https://api", "context": None, "user": "auditor", "verify_ssl": False})
    unchecked["access_by_other_roles"] = [
        access("system:authenticated", everybody=True, through_kind="ClusterRoleBinding"),
        access("admins"),
        access("admins", through="again"),
        access("system:masters", platform=True),
    ]
    made = report_of([("east", {"failed": True, "msg": "no answer"}, {}), ("west", unchecked, {}), ("north", {}, {})], NOW, "1.2.3")
    said = [text for _severity, text, _names in attention(made)]
    assert said == [
        "The cluster could not be read: no answer",
        "The cluster could not be read: The run ended before the cluster was read",
        "system:authenticated (nearly all users) has access to all registries through ClusterRoleBinding binding-of-system:authenticated",
        "The certificate of the API server was not verified: the data of this cluster can be forged",
        "group admins has access to all registries through permissions for the namespace or the cluster",
    ]
    assert made.summary[0] == "east: FAILED: no answer"
    assert [row[0] for row in rows(made, "rights")] == ["Nearly all users system:authenticated", "admins", "admins", "Platform system:masters"]


def test_each_registry_that_no_list_can_have_needs_attention() -> None:
    skipped = [{"name": "leaving", "reason": "is being deleted since then: it is stuck"}, {"name": "dotted.name", "reason": "has a dot"}]
    made = report(found(registry(), skipped_registries=skipped))
    said = ["Registry leaving: is being deleted since then: it is stuck", "Registry dotted.name: has a dot"]
    assert attention(made) == [("Warning", text, []) for text in said]
    assert made.summary[0] == "east: 1 registry, 1 available, 2 findings"
    assert rows(made, "skipped") == [["leaving", "is being deleted since then: it is stuck", "east"], ["dotted.name", "has a dot", "east"]]


def test_the_last_backup_is_shown_and_one_that_is_too_old_marked(tmp_path: Path) -> None:
    for name, hours in (("fraud", 3), ("old", 30)):
        (tmp_path / retention.backup_of("https://api", name, NOW - timedelta(hours=hours)).file).write_text("x")
    result = found(registry(), registry("old"), registry("none"))
    made = report_of([("east", result, {})], NOW, "1.2.3", _backups.Wanted(str(tmp_path), 26, NOW))
    assert ("Warning", "There is no recent backup", ["old", "none"]) in attention(made)
    shown = {row[0]: row[3] for row in rows(made, "registries")}
    assert "last backup 2026-03-04T02:06:00Z" in shown["fraud"] and "no backup" in shown["none"]
    missing = report_of([("east", result, {})], NOW, "1.2.3", _backups.Wanted(str(tmp_path / "x"), 26, NOW))
    assert any("were not read: No such file" in text for _severity, text, _names in attention(missing))


def test_drift_is_told_with_who_wrote_it() -> None:
    difference = {"registry": "fraud", "option": "database.port", "before": 3307, "after": 3306, "manager": "dashboard", "time": "2026-01-02T03:04:05Z"}
    missing = {"registry": "new", "option": "name", "before": None, "after": "new", "manager": None, "time": None}
    listed = [{"name": "fraud"}, {"name": "new"}, {"name": "same"}]
    compared = {
        "drift": [difference, missing],
        "registries": listed,
        "unlisted": [{"name": "other", "display_name": "Other"}],
        "failed": True,
        "msg": "refused",
    }
    made = report(found(registry(), registry("same"), registry("other")), compared)
    assert [row[-1] for row in rows(made, "registries")] == ["1 option", "none", "not listed"]
    assert rows(made, "drift") == [
        ["fraud", "database.port", "3307", "3306", "dashboard 2026-01-02 03:04", "east"],
        ["new", "name", "not set", "new", "not known", "east"],
    ]
    assert rows(made, "unlisted") == [["other", "Other", "east"]]
    said = [text for _severity, text, _names in attention(made)]
    assert "These registries in the list do not exist in the cluster: new" in said and "The comparison with the list failed: refused" in said
    assert made.summary[0].endswith("2 differences from the list, comparison FAILED: refused")
    without = report(found(registry()))
    assert "The registries were not compared with a list." in html(without) and len(rows(without, "registries")[0]) == 7


def test_how_each_database_is_reached() -> None:
    databases = {
        "checked": {},
        "unchecked": {"verify_server_cert": False},
        "postgresql": {"type": "postgresql", "ssl_mode": "prefer", "ca": {"source": "none"}},
        "elsewhere": {"type": "postgresql", "ca": {"source": "secret", "name": "s", "key": "k"}},
        "pair": {"ca": {"source": "none"}, "verify_server_cert": False, "client_certificate": {"source": "secret", "name": "s"}},
        "cipher": {"ca": {"source": "none"}, "verify_server_cert": False, "ssl_cipher": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    }
    made = report(found(*(registry(name, database) for name, database in databases.items()), registry("own") | {"database": {"type": "generated"}}))
    assert {row[0]: row[4] for row in rows(made, "registries")} == {
        "checked": "encrypted certificate and host name verified",
        "unchecked": "encrypted certificate not verified",
        "postgresql": "encrypted certificate not verified or unencrypted, if rejected",
        "elsewhere": "encrypted certificate verified",
        "pair": "encrypted certificate not verified with client certificate",
        "cipher": "encrypted certificate not verified",
        "own": "inside the cluster",
    }
    assert rows(made, "registries")[0][3] == "MySQL, db:3306 database x, as u"


def test_a_certificate_is_one_row_for_all_that_read_it() -> None:
    bundle = {"certificates": [certificate(90), certificate(40, "CN=sooner")]}
    made = report(found(registry("one", status=bundle), registry("two", status=bundle)))
    assert [(row[0], row[1], row[4]) for row in rows(made, "certificates")] == [
        ("CN=sooner issued by CN=root", "40 days", "one two"),
        ("CN=ca issued by CN=root", "90 days", "one two"),
    ]


def test_what_could_not_be_seen_is_not_taken_for_nothing() -> None:
    made = report(found(registry() | {"status": {"available": True}}, warnings=["who may use registries could not be determined"]))
    assert rows(made, "registries")[0][5:] == ["not known", "not known"]
    assert "who may use registries could not be determined" in html(made)


# The page


@pytest.fixture(scope="module")
def hostile() -> str:
    """A page whose every text wants to be more than text."""
    status = {"available": False, "reason": HOSTILE, "access": [access(HOSTILE, role=HOSTILE, through=HOSTILE)], "certificates": [certificate(3, HOSTILE)]}
    entry = registry(HOSTILE, {"host": HOSTILE, "name": HOSTILE}, status, display_name=HOSTILE, description=HOSTILE)
    result = found(entry, skipped_registries=[{"name": HOSTILE, "reason": HOSTILE}], warnings=[HOSTILE], access_by_other_roles=[access(HOSTILE)])
    difference = {"registry": HOSTILE, "option": HOSTILE, "before": HOSTILE, "after": {"x": HOSTILE}, "manager": HOSTILE, "time": None}
    compared = {"drift": [difference], "registries": [{"name": HOSTILE}], "unlisted": [{"name": HOSTILE, "display_name": HOSTILE}]}
    return html(report_of([(HOSTILE, result, compared)], NOW, "1.2.3"))


def test_whatever_a_cluster_says_is_text(hostile: str) -> None:
    page = Parsed(hostile)
    assert len(page.of("script")) == 1 and page.of("img") == []
    assert not [name for _tag, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.text.count(HOSTILE) > 20


def test_nothing_on_the_page_is_a_template_for_ansible(hostile: str) -> None:
    assert not re.search(r"\{[{%#]", hostile)
    [line, _server] = report_of([("east", {"msg": HOSTILE}, {})], NOW, "1.2.3").summary
    assert not re.search(r"\{[{%#]", line)


def test_the_policy_of_the_page_allows_its_own_styles_and_script_alone(hostile: str) -> None:
    policy = next(attributes["content"] for attributes in Parsed(hostile).of("meta") if attributes.get("http-equiv") == "Content-Security-Policy")
    for tag in ("style", "script"):
        [text] = re.findall(rf"<{tag}>(.*?)</{tag}>", hostile, re.DOTALL)
        assert f"{tag}-src 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in str(policy)
    assert str(policy).startswith("default-src 'none';")
    assert not [attributes for _tag, attributes in Parsed(hostile).elements if "style" in attributes or str(attributes.get("href", "")).startswith("http")]


def test_the_page_can_be_read_by_programs_that_read_aloud(hostile: str) -> None:
    page = Parsed(hostile)
    tags = [tag for tag, _attributes in page.elements]
    assert page.of("html") == [{"lang": "en"}] and tags.count("h1") == tags.count("main") == tags.count("header") == tags.count("footer") == 1
    assert tags.count("table") == tags.count("caption") == tags.count("thead") == 9
    assert {attributes.get("scope") for attributes in page.of("th")} == {"col", "row"}
    identities = [attributes["id"] for _tag, attributes in page.elements if "id" in attributes]
    assert len(identities) == len(set(identities))
    targets = {str(attributes["href"])[1:] for attributes in page.of("a")} | {str(attributes["aria-labelledby"]) for attributes in page.of("section")}
    assert targets <= set(identities)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_all_text_stands_out_from_what_is_behind_it(scheme: int) -> None:
    styles = (TEMPLATES / "report.css.j2").read_text()
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", re.findall(r":root \{(.*?)\}", styles, re.DOTALL)[scheme]))
    assert len(colours) == 14
    grounds = ("background", "raised")
    pairs = [*itertools.product(("text", "faint", "link", "problem", "warning", "good"), grounds)]
    pairs += [(severity, f"{severity}-background") for severity in ("problem", "warning", "note", "good")]
    for pair in pairs:
        lighter, darker = sorted((luminance(colours[name]) for name in pair), reverse=True)
        # What WCAG 2.2 wants for AA, https://www.w3.org/TR/WCAG22/#contrast-minimum
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, pair


def test_the_page_says_when_by_what_where_and_as_whom_it_was_made() -> None:
    page = html(report(found(registry(), warnings=[])))
    assert "4 March 2026 at 05:06 UTC" in page and "modelops.openshift_ai 1.2.3" in page
    assert rows(report(found(registry())), "clusters") == [["east", "1 registry", "https://api context admin", "auditor", ""]]


def test_a_thousand_registries_cost_seconds() -> None:
    started = time.process_time()
    page = html(report(found(*many(1000))))
    assert page.count("<tr") > 11000 and len(page) < 6_000_000
    assert time.process_time() - started < 10


# The model catalog


def source(**status: Any) -> dict[str, Any]:
    shared = {"is_default": False, "origins": {"name": "model-catalog-sources"}, "shown": 2, "findings": [], "server": None}
    return {"id": "fraud_models", "kind": "model", "name": "Fraud models", "status": {**shared, **status}}


def with_catalog(catalog: dict[str, Any]) -> Report:
    return report_of([("east", {"registries": []}, {}, catalog)], NOW, "1.2.3")


def test_the_catalog_is_a_table_of_its_sources_with_who_wrote_last() -> None:
    writes = [{"config_map": "model-catalog-sources", "manager": "unknown", "time": "2026-01-02T03:04:05Z"}]
    server = {"status": "error", "error": "no file", "entries": 0}
    made = with_catalog({"sources": [source(server=server)], "findings": [], "last_writes": writes})
    [table] = [table for table in made.tables if table.anchor == "catalog"]
    [row] = table.rows
    assert [cell.text for cell in row.cells] == ["Fraud models", "", "0", "models", "model-catalog-sources", "east"]
    assert [mark.text for mark in row.cells[1].marks] == ["error"] and row.cells[1].notes == ("no file",)
    assert row.cells[4].notes == ("last write 2026-01-02 03:04 by unknown",)
    assert any("fraud_models" in cell.text for row in made.tables[0].rows for cell in row.cells)
    assert "Fraud models" in html(made)


def test_a_source_whose_status_is_not_known_shows_what_its_data_have() -> None:
    [table] = [table for table in with_catalog({"sources": [source()], "findings": [], "last_writes": []}).tables if table.anchor == "catalog"]
    assert [mark.text for mark in table.rows[0].cells[1].marks] == ["not known"]
    assert table.rows[0].cells[2].text == "2"


def test_a_catalog_that_is_down_or_cannot_be_read_is_a_finding() -> None:
    down = with_catalog({"sources": [], "findings": [{"config_map": "c", "effect": "catalog", "path": "", "problem": "is wrong", "remedy": "x"}]})
    gone = with_catalog({"sources": [], "findings": [{"config_map": None, "effect": "catalog", "path": "", "problem": "no answer", "remedy": "x"}]})
    unread = with_catalog({"msg": "may not be read", "failed": False})
    for made, part in ((down, "unavailable because of ConfigMap c"), (gone, "model catalog is unavailable"), (unread, "may not be read")):
        assert any(part in cell.text for row in made.tables[0].rows for cell in row.cells)


def test_without_the_catalog_the_page_has_no_section_about_it() -> None:
    assert all(table.anchor != "catalog" for made in (with_catalog({}), with_catalog({"skipped": True})) for table in made.tables)
