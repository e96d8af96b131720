# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check came to, for machines: JSON, JUnit XML for pipelines, and the text format of Prometheus, all of them from the same cases."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _texts
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _outcome
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._findings import Finding
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._outcome import ERROR, FAILURE, PASSED, SKIPPED, Outcome

# What is checked of a whole cluster: that it could be read, and its model catalog.
CLUSTER, CATALOG = "cluster", "catalog"
NOT_CHECKED = "not_checked"
EXCLUDED = "The cluster was not part of the run, for example because of --limit"
CATALOG_MISSING = "The model catalog was not checked, because tasks were skipped or failed before it was read"
RUN, SUCCESS = (f"model_registries_check_last_{word}_timestamp_seconds" for word in ("run", "success"))
# As this file writes them.
TIMES = re.compile(rf'^({RUN}|{SUCCESS})\{{cluster="((?:[^"\\]|\\.)*)"\}} (\d+)$', re.MULTILINE)
ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True)
class Case:
    """One check of one registry, or without a name of a cluster, and what is to be said of it."""

    cluster: str
    registry: str
    check: str
    result: str
    messages: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is called where its cluster is known."""
        return f"{self.registry}: {self.check}" if self.registry else self.check


@dataclass(frozen=True)
class Run:
    """A run of the check. `catalogs` are the outcomes of `_catalog`, and None for a catalog that should have been checked.

    `excluded` are the hosts that were to be checked and are not part of the run.
    """

    outcomes: Mapping[str, Outcome] = field(repr=False)
    catalogs: Mapping[str, Mapping[str, Any] | None]
    excluded: Collection[str]
    fail_on: Collection[str]
    finished: datetime

    @property
    def status(self) -> str:
        """The status of all clusters. Without all of the clusters it is not that all is well."""
        facts = self.catalogs.values()
        statuses = [*(outcome.status for outcome in self.outcomes.values()), *(fact["status"] if fact else _outcome.FAILED for fact in facts)]
        worst = max(statuses, key=_outcome.STATUSES.index, default=_outcome.FAILED)
        return _outcome.PARTIAL if worst == _outcome.OK and self.excluded else worst

    @property
    def failing(self) -> bool:
        """Whether the run fails: on findings that it is to fail on, and always where it could not look."""
        is_failing = any(outcome.failing or outcome.status == _outcome.FAILED for outcome in self.outcomes.values())
        return not self.outcomes or is_failing or any(fact is None or fact["failing"] for fact in self.catalogs.values())

    def cases(self) -> Iterator[Case]:
        """Everything that was checked, or should have been."""
        for host, outcome in self.outcomes.items():
            said: dict[tuple[str, str], list[str]] = {}
            for finding in outcome.findings:
                said.setdefault((finding.registry, _outcome.CHECK_OF[finding.kind]), []).append(_sentence(finding))
            of_cluster = tuple(text for (registry, _check), texts in said.items() for text in texts if not registry)
            yield Case(host, "", CLUSTER, ERROR if of_cluster or (outcome.status == _outcome.FAILED and not outcome.checked) else PASSED, of_cluster)
            if host in self.catalogs:
                yield self._of_catalog(host)
            for row in outcome.checked:
                for check, result in row.results.items():
                    texts = said.get((row.name, check)) or [row.reasons[check]] if result != PASSED else []
                    yield Case(host, row.name, check, result, tuple(texts))
        for host in self.excluded:
            yield Case(host, "", CLUSTER, SKIPPED, (EXCLUDED,))

    def _of_catalog(self, host: str) -> Case:
        fact = self.catalogs[host]
        if fact is None:
            return Case(host, "", CATALOG, ERROR, (CATALOG_MISSING,))
        results = {_outcome.FAILED: ERROR, _outcome.FINDINGS: FAILURE}
        result = results.get(fact["status"], PASSED)
        return Case(host, "", CATALOG, result, tuple(fact["lines"]) if result != PASSED else ())


def run_of(
    hosts: Collection[str], variables: Mapping[str, Any], alive: Collection[str], batch: Collection[str], expected: Mapping[str, Any], fail_on: Collection[str]
) -> Run:
    """The run on the hosts of a play. `expected` has the clusters that were to be checked, where that is known, and whether their catalogs were.

    NothingDone as `_outcome.of_hosts`.
    """
    outcomes = _outcome.of_hosts(hosts, variables, alive, batch, is_check=True)
    catalogs = {host: _outcome.plain(variables[host].get("model_catalog_outcome")) for host in outcomes} if expected.get("catalog") else {}
    # Those of a later batch of the play are not checked yet.
    excluded = [host for host in dict.fromkeys((*(expected.get("clusters") or ()), *hosts)) if host not in outcomes]
    return Run(outcomes, catalogs, excluded, fail_on, datetime.now(timezone.utc))


def _sentence(finding: Finding) -> str:
    return f"{finding.text}{', ' if finding.detail else ''}{finding.detail}"


def of_reconciliation(outcomes: Mapping[str, Outcome], variables: Mapping[str, Any]) -> str:
    """The outcomes of a run that is no check as JSON, with the results of modules in the variables of each host."""
    return _written(_outcome.results(outcomes, variables))


def as_json(run: Run, variables: Mapping[str, Any]) -> str:
    """The run as JSON, with the results of modules in the variables of each host."""
    found = dict.fromkeys((*_outcome.CHECKS, CATALOG, NOT_CHECKED), 0)
    for case in run.cases():
        if case.result in (FAILURE, ERROR):
            found[case.check if case.result == FAILURE else NOT_CHECKED] += 1
    clusters: dict[str, Any] = {}
    for host, outcome in run.outcomes.items():
        fact = _outcome.as_fact(outcome)
        findings = [{**finding, "check": _outcome.CHECK_OF[finding["kind"]] if finding["registry"] else CLUSTER} for finding in fact["findings"]]
        clusters[host] = {**fact, "findings": findings, "results": _outcome.registered(variables.get(host) or {})}
        if host in run.catalogs:
            clusters[host]["catalog"] = run.catalogs[host]
    made = {
        **_outcome.heading(run.status, run.finished),
        "failing": run.failing,
        "fail_on": sorted(run.fail_on),
        "found": found,
        "excluded": sorted(run.excluded),
        "clusters": clusters,
    }
    return _written(made)


def _written(content: Mapping[str, Any]) -> str:
    # Braces of texts from clusters would be a template for ansible-core before 2.19.
    return _texts.TEMPLATE_BEGIN.sub(r"\\u007b", json.dumps(content, ensure_ascii=False, default=_outcome.message)) + "\n"


def as_junit(run: Run) -> str:
    """The run as JUnit XML: a suite for each cluster, and a case for each check of each registry."""
    suites: dict[str, list[Case]] = {}
    for case in run.cases():
        suites.setdefault(case.cluster, []).append(case)
    # The format has no time zone.
    moment = run.finished.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites{_attributes({'name': 'model registries'} | _numbers(case for case in run.cases()))}>"]
    for number, (host, cases) in enumerate(suites.items()):
        server = run.outcomes[host].server if host in run.outcomes else ""
        suite = {"name": host, "id": number, "package": host, "hostname": server or "unknown", "timestamp": moment, "time": 0} | _numbers(cases)
        lines += [f"  <testsuite{_attributes(suite)}>", *(line for case in cases for line in _test(case)), "  </testsuite>"]
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _numbers(cases: Iterable[Case]) -> dict[str, int]:
    results = [case.result for case in cases]
    return {"tests": len(results), "failures": results.count(FAILURE), "errors": results.count(ERROR), "skipped": results.count(SKIPPED)}


def _test(case: Case) -> list[str]:
    test = _attributes({"name": case.name, "classname": case.cluster, "time": 0})
    if case.result == PASSED:
        return [f"    <testcase{test}/>"]
    tag = {FAILURE: "failure", ERROR: "error", SKIPPED: "skipped"}[case.result]
    messages = case.messages or ("See the log of the run",)
    told = {"message": messages[0] + (f" (and {len(messages) - 1} more)" if messages[1:] else "")}
    if case.result == SKIPPED:
        content = f"      <skipped{_attributes(told)}/>"
    else:
        content = f"      <{tag}{_attributes(told | {'type': case.check})}>{_xml(chr(10).join(messages))}</{tag}>"
    return [f"    <testcase{test}>", content, "    </testcase>"]


def _attributes(values: Mapping[str, Any]) -> str:
    return "".join(f' {name}="{_xml(str(value))}"' for name, value in values.items())


def _xml(text: str) -> str:
    """A text of XML without the characters that it cannot hold, and without what a template could be."""
    shown = "\n".join(_texts.shown(line) for line in text.split("\n"))
    return escape(shown, {'"': "&quot;", "{": "&#123;"})


def as_metrics(run: Run, before: str) -> str:
    """The run in the text format of Prometheus. `before` is what the file held: of clusters that could not be checked, when they last were."""
    known = {(match[1], ESCAPED.sub(_unescaped, match[2])): int(match[3]) for match in TIMES.finditer(before)}
    now = int(run.finished.timestamp())
    complete = dict.fromkeys((*run.outcomes, *run.excluded), True)
    found: dict[tuple[str, str], int] = {}
    for case in run.cases():
        complete[case.cluster] &= case.result != ERROR and case.cluster in run.outcomes
        place = (case.cluster, case.check)
        if case.result in (PASSED, FAILURE):
            found[place] = found.get(place, 0) + (case.result == FAILURE)
    registries = [(host, row) for host, outcome in run.outcomes.items() for row in outcome.checked]
    families: list[tuple[str, str, list[tuple[dict[str, str], int]]]] = [
        (
            RUN,
            "The time at which the last run that included the cluster ended.",
            [({"cluster": host}, now if host in run.outcomes else known.get((RUN, _texts.inert(host)), 0)) for host in complete],
        ),
        (
            SUCCESS,
            "The time at which the last run that checked everything in the cluster ended, regardless of the findings. 0 if there was none.",
            [({"cluster": host}, now if is_complete else known.get((SUCCESS, _texts.inert(host)), 0)) for host, is_complete in complete.items()],
        ),
        (
            "model_registries_check_success",
            "Whether this run checked everything in the cluster, regardless of the findings.",
            [({"cluster": host}, int(is_complete)) for host, is_complete in complete.items()],
        ),
        (
            "model_registries_check_findings",
            "The number of registries, or catalogs, with findings. Not present if it was not checked.",
            [({"cluster": host, "check": check}, number) for (host, check), number in found.items() if check != CLUSTER],
        ),
        (
            "model_registry_available",
            "Whether the registry is available. Not present if it is not known.",
            [(_labels(host, row), int(row.available)) for host, row in registries if row.available is not None],
        ),
        (
            "model_registry_drift",
            "The number of options that differ from the list. Not present if the registry was not compared.",
            [(_labels(host, row), row.drift) for host, row in registries if row.drift is not None],
        ),
        (
            "model_registry_certificate_seconds_left",
            "The time until the first certificate in an object of the registry expires, at the end of the run.",
            [
                (
                    _labels(host, row) | {"use": one["use"], "kind": one["kind"], "name": one["name"], "key": one["key"]},
                    _seconds(one["not_after"]) - now,
                )
                for host, row in registries
                for one in row.certificates
            ],
        ),
        (
            "model_registry_last_backup_timestamp_seconds",
            "The time of the last backup of the registry. Not present if there is no backup, or if no directory of backups is set.",
            [(_labels(host, row), _seconds(row.backup)) for host, row in registries if row.backup],
        ),
    ]
    lines = []
    for name, text, samples in families:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
        lines += [f"{name}{{{','.join(f'{label}={_quoted(value)}' for label, value in labels.items())}}} {number}" for labels, number in samples]
    return "\n".join(lines) + "\n"


def held(path: str) -> str:
    """What the file of an earlier run held; nothing if there is none that can be read."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8", errors="replace") if Path(path).expanduser().is_file() else ""
    except OSError:
        return ""


def _labels(host: str, row: _outcome.Checked) -> dict[str, str]:
    return {"cluster": host, "namespace": row.namespace, "registry": row.name}


def _seconds(moment: str) -> int:
    return int(datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp())


def _quoted(text: str) -> str:
    """A value of a label."""
    shown = _texts.inert(text)
    return '"' + shown.replace("\\", r"\\").replace('"', r"\"") + '"'


def _unescaped(match: re.Match[str]) -> str:
    return {"n": "\n"}.get(match[1], match[1])
