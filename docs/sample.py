"""What the playbooks make of an invented fleet, for the site: the report page, pictures of it, and the summaries of runs.

    python -m sandbox.toolchain python -m docs.sample FOLDER     takes the pictures anew, into docs/site/static when no folder is given

The build writes the page and the summaries; the pictures are committed, because they need a browser.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils._tables import retention
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups, _outcome, _report, _report_changes
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


DRIFT = {
    "registry": "forecasting",
    "option": "display_name",
    "before": "Forecasts",
    "after": "Forecasting",
    "manager": "Mozilla",
    "time": "2026-10-30T14:02:11Z",
}
GENERATED = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
# The hosts of an inventory in git, and the list of the team.
RUN = _report.Run(
    [
        ("Started by", "jana (user of the controller)"),
        ("Job", "4711, of template report"),
        ("Collection", "modelops.openshift_ai 0.1.0"),
        ("ansible-core", "2.19.4"),
        ("Inventory", "/runner/project/inventory.yml (commit 5f0d1c2e9b7a4c3d8e6f1a2b3c4d5e6f7a8b9c0d)"),
        ("List", "/runner/project/group_vars/all/registries.yml (commit 5f0d1c2e9b7a4c3d8e6f1a2b3c4d5e6f7a8b9c0d)"),
    ]
)


def page() -> str:
    """The page about two clusters, a week after the last one.

    One registry cannot log in, one has a generated database and drift, one certificate expires soon, and one registry is open to everybody.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, hours in (("fraud-models", 3), ("credit-models", 50), ("churn-models", 3)):
            server = _server("west" if name == "churn-models" else "east")
            Path(folder, retention.backup_of(server, name, GENERATED - timedelta(hours=hours)).file).write_text("x")
        backups = _backups.Wanted(folder, 26, GENERATED)
        before = report_of(_clusters(is_earlier=True), GENERATED - timedelta(days=7), "0.1.0", backups, run=RUN)
        earlier = _report_changes.read(_report.files(before, "model-registries.html")["model-registries.json"])
        made = html(report_of(_clusters(), GENERATED, "0.1.0", backups, run=replace(RUN, previous=earlier)))
        return made.replace(folder, "/srv/backups")


def _clusters(is_earlier: bool = False) -> list[tuple[str, Any, Any]]:
    own = {"ca": {"source": "config_map", "name": "database-ca", "key": "ca.crt"}}

    def described(cluster: str, name: str, database: Any, status: Any, title: str, description: str) -> dict[str, Any]:
        login = {"host": "mysql.data.svc", "name": name.replace("-", "_"), "username": "registry", **database}
        address = f"https://{name}-rest.apps.{cluster}.example.com"
        shared = {"address": address, "api_version": "modelregistry.opendatahub.io/v1beta1", "server_version": "v0.3.14", "started_at": "2026-10-20T04:12:00Z"}
        return registry(name, login, {**shared, **status}, display_name=title, description=description)

    def held(days: int, subject: str, name: str) -> dict[str, Any]:
        expires = (GENERATED + timedelta(days=days)).strftime("%Y-%m-%dT09:00:00Z")
        return certificate(days, subject, name=name, issuer=subject, not_after=expires)

    def granted(name: str, day: str, **changed: Any) -> dict[str, Any]:
        moment = f"{day}T08:15:00Z"
        return access(name, created_at=moment, last_changed_at=moment, **changed)

    current, old = held(212, "CN=Database CA", "database-ca"), held(12, "CN=Database CA 2024", "credit-ca")
    reviewers = [] if is_earlier else [granted("reviewers", "2026-10-29", last_changed_by="modelops.openshift_ai")]
    of_fraud = {"certificates": [current], "access": [granted("fraud-scientists", "2026-03-11"), *reviewers]}
    of_credit = {"certificates": [old], "access": [granted("credit-scientists", "2026-05-06"), granted("carol", "2026-06-01", kind="user", made_by="other")]}
    east = found(
        described("east", "fraud-models", own, of_fraud, "Fraud models", "Models of the fraud team"),
        described("east", "credit-models", {"ca": {**own["ca"], "name": "credit-ca"}}, of_credit, "Credit models", "Scoring and limits"),
        cluster=_spoken("east"),
        groups=[_group("fraud-scientists", ["alice", "bob"]), _group("reviewers", ["dave"]), _group("credit-scientists", ["carol", "erin", "frank"])],
    )
    refused = {} if is_earlier else REFUSED
    of_churn = {**refused, "certificates": [current], "access": [granted("data-scientists", "2026-04-02")]}
    of_forecasting = {"access": [granted("system:authenticated", "2026-10-30", everybody=True)]}
    west = found(
        described("west", "churn-models", own, of_churn, "Churn models", "Customer retention"),
        described("west", "forecasting", {"type": "generated"}, of_forecasting, "Forecasts", "Experiments"),
        cluster=_spoken("west"),
        groups=[_group("data-scientists", ["grace", "heidi"])],
    )
    listed = {"east": ("fraud-models", "credit-models"), "west": ("churn-models", "forecasting")}
    drift = {"east": [], "west": [] if is_earlier else [DRIFT]}
    compared = {
        name: {"registries": [{"name": one, "changed": False, "failed": False} for one in names], "drift": drift[name], "cluster": _spoken(name)}
        for name, names in listed.items()
    }
    return [("east", east, compared["east"]), ("west", west, compared["west"])]


def _server(name: str) -> str:
    return f"https://api.{name}.example.com:6443"


def _spoken(name: str) -> dict[str, Any]:
    return {"host": _server(name), "context": None, "user": "system:serviceaccount:automation:auditor", "verify_ssl": True}


def _group(name: str, users: list[str]) -> dict[str, Any]:
    return {"name": name, "users": users, "last_changed_at": "2026-09-14T07:30:00Z", "last_changed_by": "Mozilla"}


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
    compared: list[dict[str, Any]] = [
        {"drift": drift, "registries": [{"name": one["registry"], "changed": True, "failed": False} for one in drift], "cluster": cluster}
        for drift, cluster in (([], east), ([DRIFT], west))
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
            await browser.call("Emulation.setScrollbarsHidden", hidden=True)
            for scheme in ("light", "dark"):
                await browser.show_as(WIDTH, scheme)
                await browser.open(file)
                # Down to the findings.
                height = await browser.evaluate("document.querySelector('#table-attention tbody tr:nth-child(3)').getBoundingClientRect().bottom + scrollY")
                (folder / f"report-{scheme}.webp").write_bytes(await browser.picture(WIDTH, round(height), scheme, quality=75))


if __name__ == "__main__":
    asyncio.run(take_pictures(Path(sys.argv[1]) if len(sys.argv) > 1 else STATIC))
