"""The built site as a browser shows it: what a style sheet puts into a page no builder warns of."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from docs import sample
from sandbox.layout import ROOT
from tests.browser import Page, browser_page

PHONE, DESKTOP = 390, 1280
# Not made by the theme.
REPORT = "report.html"
# Texts that style sheets add stand in no element.
SHOWN_BY_STYLE_SHEETS = """
[...document.querySelectorAll('body *')].flatMap(element => ['::before', '::after'].map(part => getComputedStyle(element, part).content))
  .filter(text => /error|warning/i.test(text))
"""
SHOWN_BY_ELEMENTS = "document.body.innerText.match(/System Message|ERROR:|WARNING:|not included in ansible-core/g) || []"
RED_BOXES = "[...document.querySelectorAll('.system-message, .problematic, .admonition.error, .admonition.danger')].map(box => box.textContent)"
# What is wider than its place is cut or has to be scrolled.
WIDER_THAN_ITS_PLACE = """
[document.documentElement, ...document.querySelectorAll('article pre, article .table-wrapper, article td, article p, article code, article img')]
  .filter(element => getComputedStyle(element).display !== 'inline' && element.scrollWidth > element.clientWidth + 1)
  .map(element => element.tagName + ' ' + element.textContent.trim().slice(0, 60))
"""
WITHOUT_A_COPY_BUTTON = """
[...document.querySelectorAll('article div.highlight')].filter(block => {
  const button = block.querySelector('button.copybtn');
  return !button || !button.offsetWidth || getComputedStyle(button).opacity === '0';
}).map(block => block.textContent)
"""
# The contrast of a text with what is behind it, as the WCAG define it.
FAINT = """
(() => {
  const parts = color => { const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = (front, back) => front.slice(0, 3).map((part, index) => part * front[3] + back[index] * (1 - front[3]));
  const known = new Map([[null, [255, 255, 255]]]);
  const behind = element => {
    if (!known.has(element)) known.set(element, over(parts(getComputedStyle(element).backgroundColor), behind(element.parentElement)));
    return known.get(element);
  };
  const light = color => color.map(part => part / 255).map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  return [...document.querySelectorAll('article :is(h1, h2, p, li, td, th, code, a, span.pre), .sidebar-tree a')].filter(element => element.innerText?.trim())
    .filter(element => {
      const back = behind(element);
      const [one, other] = [light(over(parts(getComputedStyle(element).color), back)), light(back)].sort((a, b) => b - a);
      return (one + 0.05) / (other + 0.05) < 4.5;
    }).map(element => element.tagName + ' ' + element.innerText.slice(0, 60));
})()
"""
SIDEBAR = """
[...document.querySelectorAll('.sidebar-tree .caption-text')].map(caption => [caption.textContent, [...caption.parentElement.nextElementSibling.children].map(
  entry => entry.querySelector('a').textContent)])
"""
LINES_IN_THE_SIDEBAR = """
[...document.querySelectorAll('.sidebar-tree a.reference')].filter(link => link.offsetHeight > 40 || link.scrollWidth > link.clientWidth + 1)
  .map(link => link.textContent)
"""
# What is looked for at each width and in each scheme.
LOOKS = {
    (PHONE, "light"): (WIDER_THAN_ITS_PLACE, WITHOUT_A_COPY_BUTTON),
    (DESKTOP, "light"): (SHOWN_BY_STYLE_SHEETS, SHOWN_BY_ELEMENTS, RED_BOXES, WIDER_THAN_ITS_PLACE, WITHOUT_A_COPY_BUTTON, FAINT),
    (DESKTOP, "dark"): (FAINT,),
}
# By width, scheme and expression, and by page.
Found = dict[tuple[int, str, str], dict[str, Any]]
OPEN_ALL = "document.querySelectorAll('.sidebar-tree .toctree-checkbox').forEach(box => { box.checked = true })"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run([sys.executable, "docs/build.py", str(folder)], cwd=ROOT, text=True, capture_output=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="module")
def found(site: Path) -> Found:
    """What is found at each width and in each scheme, for the pages where something is: every page is opened once."""
    pages = sorted(file for file in site.rglob("*.html") if file.name != REPORT)
    assert len(pages) > 30
    anything: Found = {(*view, expression): {} for view, expressions in LOOKS.items() for expression in expressions}

    async def look() -> None:
        async with browser_page() as page:
            for file in pages:
                await page.open(file)
                for (width, scheme), expressions in LOOKS.items():
                    await page.show_as(width, scheme)
                    for expression in expressions:
                        if texts := await page.evaluate(expression):
                            anything[width, scheme, expression][str(file.relative_to(site))] = texts

    asyncio.run(look())
    return anything


def on_the_first_page(site: Path, *expressions: str) -> list[Any]:
    """The values of the expressions, one after the other."""

    async def look() -> list[Any]:
        async with browser_page() as page:
            await page.show_as(DESKTOP)
            await page.open(site / "index.html")
            return [await page.evaluate(expression) for expression in expressions]

    return asyncio.run(look())


@pytest.mark.parametrize("expression", [SHOWN_BY_STYLE_SHEETS, SHOWN_BY_ELEMENTS, RED_BOXES], ids=["style sheets", "elements", "boxes"])
def test_no_page_shows_an_error_in_a_browser(found: Found, expression: str) -> None:
    """The first one takes more than 20 s: the site is built, and a browser looks at all of its pages."""
    assert found[DESKTOP, "light", expression] == {}


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_nothing_is_cut_or_scrolled_to_the_side(found: Found, width: int) -> None:
    assert found[width, "light", WIDER_THAN_ITS_PLACE] == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(found: Found, scheme: str) -> None:
    assert found[DESKTOP, scheme, FAINT] == {}


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_every_code_block_can_be_copied(found: Found, width: int) -> None:
    assert found[width, "light", WITHOUT_A_COPY_BUTTON] == {}


def test_guides_link_to_the_modules_and_options_that_they_name(site: Path) -> None:
    modules = [file.stem.removesuffix("_module") for file in site.glob("*_module.html")]
    named = "[...document.querySelectorAll('article code')].filter(code => !code.closest('pre') && !code.closest('a') && !code.querySelector('a'))"

    async def look() -> tuple[set[str], int]:
        plain, linked = set(), 0
        async with browser_page() as page:
            for file in sorted((site / "docsite").glob("*.html")):
                await page.open(file)
                plain |= set(await page.evaluate(f"{named}.map(code => code.textContent)"))
                linked += await page.evaluate("document.querySelectorAll('article code a[href*=\"_module.html#ansible\"]').length")
        return plain, linked

    plain, linked = asyncio.run(look())
    assert plain & {*modules, "database.ca", "permissions.groups", "model_registries_list"} == set()
    assert linked > 10


def test_a_copy_button_copies_the_block(site: Path) -> None:
    async def look() -> tuple[str, str]:
        async with browser_page() as page:
            await page.open(site / "index.html")
            # Browsers let only people copy: what would be, is in a field that exists for that moment.
            await page.evaluate("document.execCommand = () => { window.copied = document.querySelector('body > textarea').value; return true }")
            await page.evaluate("document.querySelector('button.copybtn').click()")
            return await page.evaluate("window.copied"), await page.evaluate("document.querySelector('article pre').textContent")

    copied, shown = asyncio.run(look())
    assert copied.strip() == shown.strip()


def test_the_sidebar_is_in_groups_with_titles_of_one_line(site: Path) -> None:
    groups, _opened, longer = on_the_first_page(site, SIDEBAR, OPEN_ALL, LINES_IN_THE_SIDEBAR)
    assert [group for group, _entries in groups] == ["Start", "Guides", "Reference", "Project"]
    assert dict(groups)["Reference"] == ["Modules", "Roles", "Playbooks", "Filters"]
    assert longer == []


def test_the_sidebar_leads_to_every_page(site: Path) -> None:
    [links] = on_the_first_page(site, "[...document.querySelectorAll('.sidebar-tree a')].map(link => link.getAttribute('href'))")
    assert set(links) == {str(file.relative_to(site)) for file in site.rglob("*.html")} - {"index.html", "search.html", REPORT}


def test_it_asks_for_nothing_outside_of_its_folder(site: Path) -> None:
    async def look() -> set[str]:
        async with browser_page() as page:
            for name in ("index.html", "playbooks.html", REPORT):
                await page.open(site / name)
            return {event["params"]["request"]["url"] for event in page.events if event["method"] == "Network.requestWillBeSent"}

    asked = asyncio.run(look())
    assert len(asked) > 5
    assert {url for url in asked if not url.startswith((site.as_uri(), "data:"))} == set()


def test_the_landing_page_shows_the_report_as_it_is(site: Path, tmp_path: Path) -> None:
    async def look(page: Page) -> list[tuple[str, bool]]:
        shown = []
        for scheme in ("light", "dark"):
            await page.show_as(DESKTOP, scheme)
            await page.open(site / "index.html")
            pictures = "[...document.querySelectorAll('img.picture')].filter(image => image.offsetParent && image.alt && image.naturalWidth > 1000)"
            shown += await page.evaluate(f"{pictures}.map(image => [image.src.split('/').pop(), image.closest('a').href])")
        return shown

    async def with_a_browser() -> list[tuple[str, bool]]:
        async with browser_page() as page:
            return await look(page)

    report = (site / REPORT).as_uri()
    assert asyncio.run(with_a_browser()) == [["report-light.webp", report], ["report-dark.webp", report]]
    asyncio.run(sample.take_pictures(tmp_path))
    for picture in tmp_path.iterdir():
        assert 20_000 < picture.stat().st_size < 150_000 and (sample.STATIC / picture.name).stat().st_size < 150_000
