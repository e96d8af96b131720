# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the model catalog of a cluster, in words and as one status."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _outcome
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._outcome import CHANGED, DRIFT, FAILED, FINDINGS, HEALTH, OK, STATUSES

# Of the server's status of a source, what is a finding.
BAD = ("error", "partially-available")
FAIL_ON = (DRIFT, HEALTH)


def outcome(
    result: Mapping[str, Any], seen: Mapping[str, Any], is_check: bool, is_predicted: bool = False, fail_on: Collection[str] = FAIL_ON
) -> dict[str, Any]:
    """What `model_catalog` did, and what `model_catalog_info` has found; either may be empty.

    With `is_check` each difference is a finding, and `fail_on` says which findings make the run fail. With `is_predicted` the module ran in check mode.
    """
    failures = [str(one["msg"]) for one in (result, seen) if one.get("msg")]
    changes = [_change(change, is_check or is_predicted) for change in result.get("changes") or ()] if not result.get("msg") else []
    down = [finding for finding in seen.get("findings") or () if finding["effect"] == "catalog"]
    found = [_finding(finding, f"ConfigMap {finding['config_map']}" if finding["config_map"] else "model catalog") for finding in down]
    for source in seen.get("sources") or ():
        found += _of_source(source)
    shown = [f"source {source['id']}: {source['status']}" for source in result.get("sources") or () if source.get("status") in BAD]
    if failures:
        status = FAILED
    elif is_check and (changes or found):
        status = FINDINGS
    else:
        status = CHANGED if changes else OK
    lines = [*(f"FAILED: {failure}" for failure in failures), *found, *shown, *changes]
    sources = seen.get("sources") if seen.get("sources") is not None else result.get("sources")
    failing = bool(failures) or (is_check and ((DRIFT in fail_on and bool(changes)) or (HEALTH in fail_on and bool(found))))
    nothing = f"model catalog: {len(sources or ())} sources, no findings" if is_check else "model catalog: no change"
    return {"status": status, "failing": failing, "lines": lines or [nothing]}


def _change(change: Mapping[str, Any], is_predicted: bool) -> str:
    done = {"create": "created", "update": "changed", "delete": "deleted", "restart": "restarted"}[change["action"]]
    fields = ", ".join(change["fields"])
    return f"model catalog: {change['kind']} {change['name']} {'would be ' if is_predicted else ''}{done}{f': {fields}' if fields else ''}"


def _of_source(source: Mapping[str, Any]) -> list[str]:
    status = source["status"]
    found = [_finding(finding, f"source {source['id']}") for finding in status["findings"] if finding["effect"] != "advice"]
    server = status.get("server") or {}
    if server.get("status") in BAD:
        return [f"source {source['id']}: {server['status']}: {server.get('error') or 'the server does not report the reason'}"]
    return found


def _finding(finding: Mapping[str, Any], what: str) -> str:
    place = f"{finding['path']}: " if finding["path"] else ""
    effect = "the whole catalog is unavailable: " if finding["effect"] == "catalog" else ""
    return f"{what}: {effect}{place}{finding['problem']}"


def results(hosts: Collection[str], variables: Mapping[str, Any], alive: Collection[str], batch: Collection[str]) -> dict[str, Any]:
    """All of a run for programs: the outcomes of the registries, if they were part of it, and of the catalogs, with the results of the modules."""
    made: dict[str, Any] = {**_outcome.heading(OK, datetime.now(timezone.utc)), "clusters": {}}
    # A host that failed although nothing is wrong with its outcomes has those of a playbook that ran before.
    catalogs = {host: variables[host].get("model_catalog_outcome") for host in hosts}
    alive = {host for host in hosts if host in alive or _outcome.is_bad(catalogs[host]) or _outcome.is_bad(variables[host].get("model_registries_outcome"))}
    if any("model_registries_outcome" in variables[host] for host in hosts):
        made = _outcome.results(_outcome.of_hosts(hosts, variables, alive, batch), variables)
    for host, fact in catalogs.items():
        if fact and host in alive:
            registered = {name: variables[host][name] for name in ("model_catalog_result", "model_catalog_seen") if name in variables[host]}
            cluster = made["clusters"].setdefault(host, {"status": OK})
            cluster |= {"status": _worst(cluster["status"], fact["status"]), "catalog": {**fact, "results": registered}}
        elif host not in alive:
            made["clusters"].setdefault(host, {"status": FAILED})
    return {**made, "status": _worst(*(cluster["status"] for cluster in made["clusters"].values()))}


def _worst(*statuses: str) -> str:
    return max(statuses, key=STATUSES.index, default=OK)
