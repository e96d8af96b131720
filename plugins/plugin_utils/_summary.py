# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a run in words: what was done in each cluster, and which clusters these were."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _texts

# The results that a playbook registers, after the prefix of its variables: in one of them stands which cluster answered.
RESULTS = ("_result", "_seen", "_found")


class NothingDone(Exception):
    """The tasks of a cluster were skipped, so that nothing can be said of it."""


def summary(hosts: Iterable[str], variables: Mapping[str, Any], prefix: str, alive: Collection[str], batch: Collection[str]) -> list[str]:
    """Lines about clusters, of each what its variable `<prefix>_report` says, then the address of each API server.

    A cluster without a report has failed before, or else its tasks were skipped: NothingDone, because nothing that was not looked at counts as good.
    Of the hosts that a later batch of the play is for, nothing is said.
    """
    reports = {host: variables[host].get(f"{prefix}_report") for host in hosts}
    reports = {host: report for host, report in reports.items() if report or host in batch or host not in alive}
    skipped = [host for host, report in reports.items() if not report and host in alive]
    if skipped:
        why = "tasks were skipped, such as with --start-at-task. Run the whole playbook"
        raise NothingDone(f"Nothing was done or checked for {', '.join(skipped)}: {why}")
    lines: list[str] = []
    for host, report in reports.items():
        said = report or f"{host}: FAILED before the cluster was contacted, see above"
        lines += [said] if isinstance(said, str) else said
    lines += [f"{host}: API server {_server(variables[host], prefix) or 'not known'}" for host in reports]
    return [_texts.inert(str(line)) for line in lines]


def _server(variables: Mapping[str, Any], prefix: str) -> str:
    results = (variables.get(f"{prefix}{suffix}") or {} for suffix in RESULTS)
    return next((str(result["cluster"]["host"]) for result in results if (result.get("cluster") or {}).get("host")), "")
