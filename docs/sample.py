"""What the playbooks make of an invented fleet, for the site: the report page, pictures of it, and the summaries of runs.

    python -m sandbox.toolchain python -m docs.sample FOLDER     takes the pictures anew, into docs/site/static when no folder is given

The build writes the page and the summaries; the pictures are committed, because they need a browser.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _outcome
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._report import html, report_of
from tests.browser import browser_page
from tests.found import access, certificate, found, registry

STATIC = Path(__file__).resolve().parent / "site" / "static"
WIDTH = 1100
REFUSED = {
    "available": False,
    "reason": "the database rejects the login: the user name or the password is wrong",
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


def summaries() -> dict[str, str]:
    """What the last task of these playbooks prints, of invented runs."""
    east, west = ({"host": f"https://api.{name}.example.com:6443"} for name in ("east", "west"))
    port = "registries[28].database.port 70000: is not a port. Give a number from 1 to 65535."
    changed = [("credit-models", "name"), ("fraud-models", "description"), ("scoring", "description")]
    items: list[dict[str, Any]] = [
        {"name": name, "changed": True, "failed": False, "status": {"available": True, "address": f"https://{name}-rest.apps.east.example.com"}}
        for name, _option in changed
    ]
    items += [{"name": f"team-{number}", "changed": False, "failed": False, "status": {"available": True}} for number in range(25)]
    items += [{"name": name, "changed": False, "failed": True, "msg": port, "status": {}} for name in ("risk-models", "test-models")]
    drift = [{"registry": name, "option": option} for name, option in changed]
    changes = [{"action": "update", "kind": "ModelRegistry", "name": name} for name, _option in changed]
    converged = _outcome.converged({"registries": items, "drift": drift, "changes": changes, "cluster": east, "msg": port}, check_mode=False)

    expiring = certificate(12, "CN=Database CA 2024", name="database-ca", not_after="2026-11-14T09:00:00Z")
    credit = registry("credit-models", {"ca": {"source": "config_map"}}, {"certificates": [expiring]})
    difference = {"option": "display_name", "before": "Forecasts", "after": "Forecasting", "manager": "Mozilla", "time": "2026-10-30T14:02:11Z"}
    compared: list[dict[str, Any]] = [
        {"drift": drift, "registries": [{"name": one["registry"], "changed": True, "failed": False} for one in drift], "cluster": cluster}
        for drift, cluster in (([], east), ([{"registry": "forecasting", **difference}], west))
    ]
    seen = (found(registry("fraud-models"), credit), found(registry("churn-models", {}, REFUSED), registry("forecasting")))
    checked = [_outcome.checked(one, other, has_list=True, purge=False) for one, other in zip(compared, seen)]
    return {"converge": _printed({"east": converged}), "check": _printed(dict(zip(("east", "west"), checked)))}


def _printed(outcomes: dict[str, _outcome.Outcome]) -> str:
    """The summary of a run as Ansible prints it."""
    return f"ok: [{next(iter(outcomes))}] => {json.dumps({'msg': _outcome.screen(outcomes)}, indent=4, ensure_ascii=False)}"


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
