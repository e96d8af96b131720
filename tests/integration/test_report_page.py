"""The page about registries in a browser, as people open it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._texts import line
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._report import files, html, report_of
from docs import sample
from tests.browser import Page, browser_page
from tests.found import access, certificate, found, many, registry
from tests.hostile_texts import texts

NAMES = "[...document.querySelectorAll('#table-registries tbody td:nth-child(2)')].map(cell => cell.firstChild?.textContent ?? '')"
HEADERS = "[...document.querySelectorAll('#table-registries tbody th')].map(cell => cell.textContent)"
ATTACK = "<script>window.attacked = 1</script><img src=x onerror='window.attacked = 1'>"

Browse = Callable[[Callable[[Page], Coroutine[Any, Any, Any]]], Any]


@pytest.fixture(scope="module")
def browse() -> Iterator[Browse]:
    """Does something with one page of one browser."""
    with asyncio.Runner() as loop:
        context = browser_page()
        page = loop.run(context.__aenter__())
        try:
            yield lambda work: loop.run(work(page))
        finally:
            loop.run(context.__aexit__(None, None, None))


def written(folder: Path, *registries: dict[str, Any]) -> Path:
    """A page about registries of one cluster."""
    file = folder / "page.html"
    file.write_text(html(report_of([("east", found(*registries), {})], datetime.now(UTC), "1.2.3")))
    return file


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page about three registries, one of which would like to be a program."""
    unwell = registry("b", status={"available": False, "reason": ATTACK * 3, "certificates": [certificate(9, "CN=" + "x" * 200)], "access": [access("team")]})
    well = registry("c", status={"certificates": [certificate(100, "CN=later")], "access": [access("others")]})
    return written(tmp_path_factory.mktemp("small"), registry("a", display_name=ATTACK, description="x" * 300), unwell, well)


def test_three_thousand_registries_open_in_less_than_two_seconds(browse: Browse, tmp_path: Path) -> None:
    file = written(tmp_path, *many(3000))

    async def look(page: Page) -> None:
        await page.show_as(1400)
        await page.open(file)
        assert (await page.metrics())["TaskDuration"] < 2
        assert await page.evaluate("document.querySelectorAll('tbody tr').length") > 33000

    browse(look)


def test_it_asks_for_nothing_and_runs_nothing_of_others(browse: Browse, small: Path) -> None:
    async def look(page: Page) -> None:
        page.events.clear()
        await page.open(small)
        assert await page.evaluate("window.attacked") is None
        asked = {event["params"]["request"]["url"] for event in page.events if event["method"] == "Network.requestWillBeSent"}
        assert {url for url in asked if not url.startswith("data:")} == {small.as_uri()}
        assert not [event for event in page.events if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")]
        # Even if something got into the page, the browser would not run it.
        await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=data:, onerror=\"window.attacked = 1\">')")
        await page.evaluate("new Promise(done => setTimeout(done, 100))")
        assert await page.evaluate("window.attacked") is None
        assert [event for event in page.events if event["method"] == "Log.entryAdded" and "Content Security Policy" in event["params"]["entry"]["text"]]

    browse(look)


def test_hostile_texts_are_texts(browse: Browse, tmp_path: Path) -> None:
    hostile = list(texts(tmp_path / "canary").values())
    registries = [
        registry(f"r{number}", display_name=text, description=text, status={"available": False, "reason": text, "access": [access(text)]})
        for number, text in enumerate(hostile)
    ]
    file = written(tmp_path, *registries)

    async def look(page: Page) -> None:
        page.events.clear()
        await page.open(file)
        assert await page.evaluate("window.attacked") is None
        asked = {event["params"]["request"]["url"] for event in page.events if event["method"] == "Network.requestWillBeSent"}
        assert {url for url in asked if not url.startswith("data:")} == {file.as_uri()}
        assert await page.evaluate("document.querySelectorAll('body script, body style, img, #table-registries tbody tr').length") == 1 + len(hostile)
        # Every name is there, but for what must not be shown as it is.
        names = await page.evaluate(NAMES)
        assert sorted(names) == sorted(line(text) for text in hostile)
        shown = await page.evaluate("document.body.textContent")
        assert not [hex(ord(character)) for character in set(shown) if not character.isprintable() and character != "\n"]
        styles = "[...document.querySelectorAll('tbody th, tbody td, tbody small, tbody a')].map(each => getComputedStyle(each).unicodeBidi)"
        assert set(await page.evaluate(styles)) == {"isolate"}

    browse(look)
    assert not (tmp_path / "canary").exists()


def test_tables_are_sorted_with_the_keyboard(browse: Browse, small: Path) -> None:
    async def look(page: Page) -> None:
        await page.open(small)
        heading = "document.querySelector('#table-registries thead th:nth-child({})')"
        orders = []
        # By name, and by the days that certificates have left: a number, and none comes last.
        for column in (1, 7):
            await page.evaluate(f"{heading.format(column)}.querySelector('button').focus()")
            for _press in range(2):
                await page.press("Enter", 13)
                orders.append(
                    (await page.evaluate(f"{heading.format(column)}.getAttribute('aria-sort')"), "".join(name[0] for name in await page.evaluate(HEADERS)))
                )
        assert orders == [("ascending", "abc"), ("descending", "cba"), ("ascending", "bca"), ("descending", "acb")]
        assert await page.evaluate("document.querySelectorAll('#table-registries [aria-sort]').length") == 1

    browse(look)


def test_rows_are_filtered_and_links_lead_to_them_all_the_same(browse: Browse, small: Path) -> None:
    async def look(page: Page) -> None:
        await page.open(small)
        await page.evaluate("document.querySelector('#filter').focus()")
        await page.call("Input.insertText", text="OTHERS")
        assert (await page.evaluate("document.querySelector('output').value")).startswith("1 of ")
        assert await page.evaluate("[...document.querySelectorAll('table:not(.fixed) tbody tr')].filter(row => row.offsetParent).length") == 1
        await page.evaluate("document.querySelector('#table-access tr:not([hidden]) a').click(), new Promise(done => setTimeout(done, 100))")
        assert await page.evaluate("document.querySelector(':target').id") == "registry-1-c"
        assert await page.evaluate("!document.querySelector(':target').hidden && document.querySelector('#filter').value") == ""

    browse(look)


def shown_rows(table: str) -> str:
    return f"[...document.querySelectorAll('#table-{table} tbody tr')].filter(row => !row.hidden).map(row => row.textContent)"


async def choose(page: Page, what: str, value: str) -> None:
    """Choose from a list as a person would."""
    await page.evaluate(f"(each => {{ each.value = '{value}'; each.dispatchEvent(new Event('input')); }})(document.getElementById('{what}'))")


def test_rows_are_filtered_by_severity_and_cluster_until_they_are_reset(browse: Browse, tmp_path: Path) -> None:
    file = tmp_path / "sample.html"
    file.write_text(sample.page())

    async def look(page: Page) -> None:
        await page.open(file)
        everything = len(await page.evaluate(shown_rows("attention")))
        await choose(page, "severity", "problem")
        [problem] = await page.evaluate(shown_rows("attention"))
        assert problem.startswith("✕ Problem") and len(await page.evaluate(shown_rows("registries"))) == 1
        await choose(page, "severity", "warning")
        warned = await page.evaluate(shown_rows("attention"))
        assert 1 < len(warned) <= everything and all("Note" not in row for row in warned)
        await choose(page, "severity", "")
        await choose(page, "cluster", "west")
        assert {row.endswith("west") for row in await page.evaluate(shown_rows("access"))} == {True}
        # What the page answers stays.
        assert len(await page.evaluate(shown_rows("answers"))) == 10
        assert (await page.evaluate("document.querySelector('output').value")).endswith(" rows")
        await page.evaluate("[...document.querySelectorAll('.filter button')].find(each => each.textContent === 'Reset').click()")
        assert len(await page.evaluate(shown_rows("attention"))) == everything
        assert await page.evaluate("document.querySelector('output').value + document.getElementById('cluster').value") == ""

    browse(look)


def test_the_buttons_save_the_same_tables_as_the_files_beside_the_page(browse: Browse, tmp_path: Path) -> None:
    texts_of_cells = ["=1+1", "+1", "-1", "@x", 'a "b", c', "<b>bold</b>", "plain"]
    registries = [
        registry(f"r{number}", display_name=text, description=text, status={"available": False, "reason": text, "evidence": text, "access": [access(text)]})
        for number, text in enumerate(texts_of_cells)
    ]
    users = [{"name": "plain", "users": [f"user-{number}" for number in range(20)], "last_changed_at": None, "last_changed_by": None}]
    made = report_of([("east", found(*registries, groups=users), {})], datetime.now(UTC), "1.2.3")
    page_file, beside = tmp_path / "page.html", files(made, "page.html")
    page_file.write_text(html(made, "page"))
    saved = tmp_path / "saved"

    async def look(page: Page) -> None:
        page.events.clear()
        await page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(saved))
        await page.open(page_file)
        tables = await page.evaluate("[...document.querySelectorAll('table')].map(table => table.id.replace('table-', ''))")
        for anchor in tables:
            # A browser asks before one visit of a page saves more than ten files.
            await page.open(page_file)
            for kind in ("CSV", "JSON"):
                press = f"[...document.querySelectorAll('#{anchor} + .files button')].find(each => each.textContent === '{kind}').click()"
                await page.evaluate(press)
                file = saved / f"page-{anchor}.{kind.lower()}"
                for _turn in range(100):
                    if file.exists() and file.stat().st_size:
                        break
                    await page.evaluate("new Promise(done => setTimeout(done, 50))")
            assert (saved / f"page-{anchor}.csv").read_bytes().decode() == beside[f"page-{anchor}.csv"], anchor
            assert json.loads((saved / f"page-{anchor}.json").read_text()) == json.loads(beside["page.json"])["tables"][anchor]["rows"], anchor
        assert {"answers", "attention", "registries", "access", "groups"} <= set(tables)
        asked = {event["params"]["request"]["url"] for event in page.events if event["method"] == "Network.requestWillBeSent"}
        assert {url for url in asked if not url.startswith(("data:", "blob:"))} == {page_file.as_uri()}

    browse(look)


# What an audit asks, and where the page of the site answers it: in a sentence, and in a row of a table.
QUESTIONS = {
    "Who can read or change": (
        "6 subjects can read and change 4 registries, the most recent of them since 2026-10-30",
        "access",
        ["fraud-scientists", "2026-03-11 08:15"],
    ),
    "Who granted": ("6 grants (dashboard or collection: 5, other: 1)", "access", ["reviewers", "2026-10-29 08:15", "client modelops.openshift_ai"]),
    "encrypted and verified": (
        "3 of 4 connections are encrypted and verified; inside the cluster",
        "registries",
        ["fraud-models", "certificate and host name verified"],
    ),
    "certificates expire next": ("CN=Database CA 2024 on 2026-11-14 (east/credit-models)", "certificates", ["CN=Database CA 2024", "12 days", "credit-models"]),
    "not intended for production": (
        "Generated databases, which the product supports for tests only: west/forecasting",
        "registries",
        ["forecasting", "Not for production"],
    ),
    "last backup": (
        "the oldest last backup is from 2026-10-31T04:00:00Z (east/credit-models)",
        "registries",
        ["credit-models", "Outdated", "2026-10-31 04:00"],
    ),
    "approved list": ("1 difference in 1 registry. List: /runner/project/group_vars/all/registries.yml (commit 5f0d1c2", "drift", ["forecasting", "Forecasts"]),
    "could not be checked": ("checks are not part of this report", "unchecked", ["Not part of the report", "model_catalog_included is not set"]),
    "Who generated": ("jana (user of the controller) in job 4711, of template report, at 2026-11-02T06:00:00Z", "run", ["Started by", "jana"]),
    "changed since the last report": ("7 changes since the report of 2026-10-26T06:00:00Z", "changes", ["Added", "Access", "reviewers"]),
}


def test_ten_questions_of_an_audit_are_answered_by_the_page_alone(browse: Browse, tmp_path: Path) -> None:
    file = tmp_path / "sample.html"
    file.write_text(sample.page())

    async def look(page: Page) -> None:
        await page.open(file)
        answers = await page.evaluate("[...document.querySelectorAll('#table-answers tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))")
        assert len(answers) == len(QUESTIONS)
        for part, (said, table, row) in QUESTIONS.items():
            [(question, answer, see)] = [one for one in answers if part in one[0]]
            assert question.endswith("?") and said in answer, (question, answer)
            linked = await page.evaluate(f"document.querySelector('#table-answers a[href=\"#{table}\"]').textContent")
            assert linked in see
            assert [text for text in await page.evaluate(shown_rows(table)) if all(word in text for word in row)], (question, row)
        # Who is behind a group is one click away.
        await page.evaluate("document.querySelector('#table-access a[href^=\"#group-\"]').click(), new Promise(done => setTimeout(done, 100))")
        assert "alice, bob" in await page.evaluate("document.querySelector(':target').textContent")

    browse(look)


def test_evidence_is_folded_on_the_screen_and_printed(browse: Browse, tmp_path: Path) -> None:
    file = tmp_path / "sample.html"
    file.write_text(sample.page())
    height = "document.querySelector('#table-attention pre').getBoundingClientRect().height"

    async def look(page: Page) -> None:
        await page.open(file)
        assert await page.evaluate("document.querySelector('#table-attention details').open") is False
        assert await page.evaluate("document.querySelector('#table-attention pre').checkVisibility()") is False
        await page.call("Emulation.setEmulatedMedia", media="print")
        assert await page.evaluate(height) > 0
        # The first page is the cover, with what the page was made from, and the others have a number.
        assert await page.evaluate("getComputedStyle(document.querySelector('.cover')).display") == "grid"
        assert "registries.yml (commit 5f0d1c2" in await page.evaluate("document.querySelector('.cover').textContent")
        assert await page.evaluate("getComputedStyle(document.querySelector('nav')).breakAfter") == "page"
        await page.call("Emulation.setEmulatedMedia", media="")

    browse(look)


@pytest.mark.parametrize("width", [320, 800, 1400])
def test_it_fits_a_phone_and_a_screen(browse: Browse, small: Path, width: int) -> None:
    async def look(page: Page) -> None:
        await page.show_as(width)
        await page.open(small)
        await page.evaluate("document.querySelectorAll('section').forEach(section => section.scrollIntoView())")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        label = await page.evaluate("getComputedStyle(document.querySelector('#table-registries td'), '::before').content")
        assert label == ('"Description"' if width < 700 else "none")
        await page.show_as(1400)

    browse(look)


def test_it_is_dark_for_those_who_like_it_dark(browse: Browse, small: Path) -> None:
    async def look(page: Page) -> None:
        shown = []
        for scheme in ("light", "dark"):
            await page.show_as(1400, scheme)
            await page.open(small)
            shown.append(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
        await page.show_as(1400)
        assert shown == ["rgb(255, 255, 255)", "rgb(21, 24, 28)"]

    browse(look)


def test_it_is_printed_whole(browse: Browse, tmp_path: Path) -> None:
    file = written(tmp_path, *many(50))

    async def look(page: Page) -> None:
        await page.show_as(1400, "dark")
        await page.open(file)
        printed = base64.b64decode((await page.call("Page.printToPDF", preferCSSPageSize=True))["data"])
        # 550 rows, some twenty on a sheet.
        assert printed.startswith(b"%PDF") and printed.count(b"/Type /Page\n") > 15
        await page.call("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert await page.evaluate("getComputedStyle(document.querySelector('.filter')).display") == "none"
        await page.call("Emulation.setEmulatedMedia", media="")
        await page.show_as(1400)

    browse(look)


def test_it_tells_everything_without_javascript(browse: Browse, small: Path) -> None:
    async def look(page: Page) -> None:
        await page.call("Emulation.setScriptExecutionDisabled", value=True)
        try:
            await page.call("Page.navigate", url=small.as_uri())
            # Not by an event: nothing in the page may run.
            while await page.evaluate("[document.readyState, location.href]") != ["complete", small.as_uri()]:
                await asyncio.sleep(0.05)
            assert await page.evaluate("document.querySelectorAll('#table-registries tbody tr').length") == 3
            assert await page.evaluate("document.querySelectorAll('button').length") == 0
            assert await page.evaluate("document.querySelector('.filter').offsetParent") is None
        finally:
            await page.call("Emulation.setScriptExecutionDisabled", value=False)

    browse(look)
