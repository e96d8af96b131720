"""The built site as a browser shows it: what a style sheet puts into a page no builder warns of."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.layout import ROOT
from tests.browser import browser_page

# Texts that style sheets add stand in no element.
SHOWN_BY_STYLE_SHEETS = """
[...document.querySelectorAll('body *')].flatMap(element => ['::before', '::after'].map(part => getComputedStyle(element, part).content))
  .filter(text => /error|warning/i.test(text))
"""
SHOWN_BY_ELEMENTS = "document.body.innerText.match(/System Message|ERROR:|WARNING:/g) || []"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run([sys.executable, "docs/build.py", str(folder)], cwd=ROOT, text=True, capture_output=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_no_page_shows_an_error_in_a_browser(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 20

    async def look() -> dict[str, list[str]]:
        found = {}
        async with browser_page() as page:
            for file in pages:
                await page.open(file)
                found[str(file.relative_to(site))] = [*await page.evaluate(SHOWN_BY_STYLE_SHEETS), *await page.evaluate(SHOWN_BY_ELEMENTS)]
        return {name: texts for name, texts in found.items() if texts}

    assert asyncio.run(look()) == {}
