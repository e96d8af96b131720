"""The page about registries in a browser, as people open it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._texts import line
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._report import html, report_of
from tests.browser import Page, browser_page
from tests.found import access, certificate, found, many, registry
from tests.hostile_texts import texts

NAMES = "[...document.querySelectorAll('#table-registries tbody th')].map(cell => cell.firstChild.textContent)"
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


def test_a_thousand_registries_open_in_less_than_two_seconds(browse: Browse, tmp_path: Path) -> None:
    file = written(tmp_path, *many(1000))

    async def look(page: Page) -> None:
        await page.show_as(1400)
        await page.open(file)
        assert (await page.metrics())["TaskDuration"] < 2
        assert await page.evaluate("document.querySelectorAll('tbody tr').length") > 11000

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
        for column in (1, 6):
            await page.evaluate(f"{heading.format(column)}.querySelector('button').focus()")
            for _press in range(2):
                await page.press("Enter", 13)
                orders.append(
                    (await page.evaluate(f"{heading.format(column)}.getAttribute('aria-sort')"), "".join(name[0] for name in await page.evaluate(NAMES)))
                )
        assert orders == [("ascending", "<bc"), ("descending", "cb<"), ("ascending", "bc<"), ("descending", "<cb")]
        assert await page.evaluate("document.querySelectorAll('#table-registries [aria-sort]').length") == 1

    browse(look)


def test_rows_are_filtered_and_links_lead_to_them_all_the_same(browse: Browse, small: Path) -> None:
    async def look(page: Page) -> None:
        await page.open(small)
        await page.evaluate("document.querySelector('#filter').focus()")
        await page.call("Input.insertText", text="OTHERS")
        assert (await page.evaluate("document.querySelector('output').value")).startswith("1 of ")
        assert await page.evaluate("[...document.querySelectorAll('tbody tr')].filter(row => row.offsetParent).length") == 1
        await page.evaluate("document.querySelector('#table-access tr:not([hidden]) a').click(), new Promise(done => setTimeout(done, 100))")
        assert await page.evaluate("document.querySelector(':target').id") == "registry-1-c"
        assert await page.evaluate("!document.querySelector(':target').hidden && document.querySelector('#filter').value") == ""

    browse(look)


@pytest.mark.parametrize("width", [320, 800, 1400])
def test_it_fits_a_phone_and_a_screen(browse: Browse, small: Path, width: int) -> None:
    async def look(page: Page) -> None:
        await page.show_as(width)
        await page.open(small)
        await page.evaluate("document.querySelectorAll('section').forEach(section => section.scrollIntoView())")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        label = await page.evaluate("getComputedStyle(document.querySelector('#table-registries td'), '::before').content")
        assert label == ('"Cluster"' if width < 700 else "none")
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
        assert await page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
        await page.call("Emulation.setEmulatedMedia", media="")
        await page.show_as(1400)

    browse(look)


def test_it_tells_everything_without_javascript(browse: Browse, small: Path) -> None:
    async def look(page: Page) -> None:
        await page.call("Emulation.setScriptExecutionDisabled", value=True)
        try:
            await page.call("Page.navigate", url=small.as_uri())
            await asyncio.sleep(1)
            assert await page.evaluate("document.querySelectorAll('#table-registries tbody tr').length") == 3
            assert await page.evaluate("document.querySelectorAll('button').length") == 0
            assert await page.evaluate("document.querySelector('.filter').offsetParent") is None
        finally:
            await page.call("Emulation.setScriptExecutionDisabled", value=False)

    browse(look)
