"""The report page of an invented fleet, for the site: the page itself, and pictures of it.

    python -m sandbox.toolchain python -m docs.sample FOLDER     takes the pictures anew, into docs/site/static when no folder is given

The build writes the page; the pictures are committed, because they need a browser.
"""

from __future__ import annotations

import asyncio
import base64
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._report import html, report_of
from tests.browser import browser_page
from tests.found import access, certificate, found, registry

STATIC = Path(__file__).resolve().parent / "site" / "static"
WIDTH = 1100
REFUSED = {
    "available": False,
    "reason": "the database refuses the login: the password or the user name is wrong",
    "evidence": "Error 1045 (28000): Access denied for user 'registry'@'10.0.0.7' (using password: YES)",
    "remedy": "Check database.username and database.password",
}


def page() -> str:
    """The page about two clusters: one registry cannot log in, one certificate expires soon, and one registry is open to everybody."""
    fraud = registry(
        "fraud-models",
        {"host": "mysql.data.svc", "name": "fraud_models", "username": "registry"},
        {"certificates": [certificate(212, "CN=Database CA")], "access": [access("fraud-scientists"), access("reviewers")]},
        display_name="Fraud models",
        description="Models of the fraud team",
    )
    credit = registry(
        "credit-models",
        {"host": "mysql.data.svc", "name": "credit_models", "username": "registry"},
        {"certificates": [certificate(12, "CN=Database CA 2024")], "access": [access("credit-scientists")]},
        display_name="Credit models",
        description="Scoring and limits",
    )
    churn = registry(
        "churn-models",
        {"host": "mysql.data.svc", "name": "churn_models", "username": "registry"},
        {**REFUSED, "certificates": [certificate(212, "CN=Database CA")], "access": [access("data-scientists")]},
        display_name="Churn models",
        description="Customer retention",
    )
    forecasting = registry(
        "forecasting",
        {"host": "mysql.data.svc", "name": "forecasting", "username": "registry"},
        {"certificates": [certificate(212, "CN=Database CA")], "access": [access("system:authenticated", everybody=True)]},
        display_name="Forecasting",
        description="Experiments",
    )
    clusters = [("east", found(fraud, credit), {}), ("west", found(churn, forecasting), {})]
    return html(report_of(clusters, datetime(2026, 11, 2, 6, 0, tzinfo=UTC), "0.1.0"))


async def take_pictures(folder: Path) -> None:
    """Write report-light.webp and report-dark.webp."""
    with tempfile.TemporaryDirectory() as work:
        file = Path(work, "report.html")
        file.write_text(page())
        async with browser_page() as browser:
            for scheme in ("light", "dark"):
                await browser.show_as(WIDTH, scheme)
                await browser.open(file)
                # Down to the second registry.
                height = await browser.evaluate("document.querySelector('#table-registries tbody tr:nth-child(2)').getBoundingClientRect().bottom + scrollY")
                clip = {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1}
                taken = await browser.call("Page.captureScreenshot", format="webp", quality=80, captureBeyondViewport=True, clip=clip)
                (folder / f"report-{scheme}.webp").write_bytes(base64.b64decode(taken["data"]))


if __name__ == "__main__":
    asyncio.run(take_pictures(Path(sys.argv[1]) if len(sys.argv) > 1 else STATIC))
