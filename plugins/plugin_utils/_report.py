# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registries of many clusters as one page for people, and its tables as files beside it."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _texts
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups, _policy, _report_answers, _report_changes, _report_tables, _table
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._findings import NOTE, PROBLEM, SEVERITIES, WARNING
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._report_clusters import (
    CLUSTER,
    Cluster,
    Finding,
    Registry,
    Unchecked,
    cluster_of,
    findings_of,
    unchecked_of,
)
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._report_tables import GOOD, count

TEMPLATES = Path(__file__).resolve().parents[2] / "roles" / "model_registry_report" / "templates"
EXCLUDED = "The cluster was not part of the run, for example because of --limit"


@dataclass(frozen=True)
class Figure:
    """A number of the summary, and the table that tells more."""

    number: int
    text: str
    severity: str
    anchor: str


@dataclass(frozen=True)
class Report:
    """The page, ready to be written as HTML, and a line about each cluster for the end of a run."""

    generated: datetime
    version: str
    clusters: tuple[str, ...]
    figures: tuple[Figure, ...]
    tables: tuple[_table.Table, ...]
    summary: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """What is known of the run: its facts by their names, the hosts that were to be part of it and are not, and the last report."""

    facts: Sequence[tuple[str, str]] = ()
    excluded: Collection[str] = ()
    previous: _report_changes.Previous = _report_changes.MISSING


def report_of(
    results: Iterable[Sequence[Any]],
    generated: datetime,
    version: str,
    backups: _backups.Wanted | None = None,
    policy: Any = (),
    groups: Mapping[str, Collection[str]] | None = None,
    run: Run | None = None,
) -> Report:
    """The page about clusters: of each its name, the result of `model_registry_info`, the one of `model_registries` in check mode or an empty one, and perhaps
    that of `model_catalog_info`. PolicyError for a policy that is not valid. `groups` are the groups of each cluster in the inventory."""
    _policy.read(policy, (), None, generated)
    run = run or Run()
    clusters = [
        cluster_of(number, name, tuple(found), backups, policy, {name, *(groups or {}).get(name, ())}, generated)
        for number, (name, *found) in enumerate(results, 1)
    ]
    findings = sorted((finding for cluster in clusters for finding in findings_of(cluster)), key=lambda finding: SEVERITIES.index(finding.severity))
    registries = [registry for cluster in clusters for registry in cluster.registries]
    unchecked = [*(one for cluster in clusters for one in unchecked_of(cluster)), *(Unchecked(host, CLUSTER, EXCLUDED, True) for host in run.excluded)]
    if run.previous.problem and run.previous != _report_changes.MISSING:
        unchecked.append(Unchecked("", "changes", run.previous.problem, True))
    unread = [cluster for cluster in clusters if cluster.failure]
    links = _report_tables.group_links(clusters)
    tables = (
        _report_tables.attention(findings),
        _report_tables.registries(registries, findings, unread),
        _report_tables.certificates(registries, unread),
        _report_tables.access(registries, unread, links),
        _report_tables.rights(clusters, links),
        _report_tables.groups(clusters, links),
        _report_tables.drift(clusters),
        _report_tables.unlisted(clusters),
        _report_tables.catalog(clusters),
        _report_tables.skipped(clusters),
        _report_tables.unchecked(unchecked),
        _report_tables.clusters_of(clusters),
    )
    changes = _report_changes.table_of(run.previous, tables)
    facts = [("Generated", _backups.text(generated)), *run.facts]
    about = _report_tables.run([*facts, ("Accounts", "; ".join(f"{cluster.name}: {cluster.server.get('user') or 'not known'}" for cluster in clusters))])
    answers = _report_answers.table_of(_report_answers.Facts(clusters, registries, unchecked, changes, backups, dict(facts)))
    return Report(
        generated,
        version,
        tuple(cluster.name for cluster in clusters),
        tuple(_figures(clusters, findings, registries)),
        (answers, *tables[:1], changes, *tables[1:], about),
        tuple(map(_texts.inert, (*(_line(cluster, findings) for cluster in clusters), *map(_server, clusters)))),
    )


def html(report: Report, stem: str = "model-registries") -> str:
    """The page: one file that needs no other, whose styles and script are the only ones that its browser lets run. Its files begin with `stem`."""
    # Whatever comes from a cluster is text, and never a part of the page's own language.
    options: dict[str, Any] = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    # The same texts stand in many rows.
    shown = functools.lru_cache(maxsize=None, typed=True)(_shown)
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, finalize=shown, **options)
    environment.filters["folded"] = lambda text: _texts.line(text, _table.LONGEST_FOLDED)
    styles, script = (environment.get_template(name).render(report=report) for name in ("report.css.j2", "report.js"))
    digests = {"style_digest": _digest(styles), "script_digest": _digest(script)}
    page = environment.get_template("report.html.j2").render(report=report, stem=stem, styles=styles, script=script, **digests)
    # ansible-core before 2.19 takes what a filter returns for a template of its own when it looks like one, and names in clusters may look so.
    return _texts.TEMPLATE_BEGIN.sub("&#123;", page)


def files(report: Report, name: str) -> dict[str, str]:
    """What is written beside a page of this name: the tables as CSV, and all of them as JSON, which the next report is compared with."""
    stem = stem_of(name)
    made = {f"{stem}-{table.anchor}.csv": _table.as_csv(table) for table in report.tables}
    tables = {
        table.anchor: {"title": table.title, "caption": table.caption, "unseen": [list(place) for place in table.unseen], "rows": table.records}
        for table in report.tables
    }
    content = {
        "version": _report_changes.VERSION,
        "collection_version": report.version,
        "generated": _backups.text(report.generated),
        "clusters": list(report.clusters),
        "tables": tables,
    }
    return {**made, f"{stem}.json": json.dumps(content, ensure_ascii=False) + "\n"}


def stem_of(name: str) -> str:
    """What the names of the files of a page begin with."""
    return name.removesuffix(".html").removesuffix(".htm")


def _shown(value: Any) -> Any:
    """A value as the page shows it: texts without what changes how others look, but for the page's own."""
    return _texts.line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _digest(text: str) -> str:
    """What a content security policy calls an inline style or script by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _figures(clusters: Sequence[Cluster], findings: Sequence[Finding], registries: Sequence[Registry]) -> list[Figure]:
    available, unknown = (sum(registry.status.get("available") is state for registry in registries) for state in (True, None))
    certificates = _report_tables.distinct_certificates(registries)
    expired, ending = (sum(bool(certificate[state]) for certificate, _readers in certificates) for state in ("expired", "expires_soon"))
    open_ones = sum(any(entry["everybody"] for entry in registry.access) for registry in registries)
    unprotected = sum(_report_tables.encryption_of(registry) in ("none", "unverified") for registry in registries)
    generated = sum(_report_tables.encryption_of(registry) == "internal" for registry in registries)
    unread = sum(bool(cluster.failure) for cluster in clusters)
    problems = sum(finding.severity == PROBLEM for finding in findings)
    figures = [
        Figure(len(registries), "registry" if len(registries) == 1 else "registries", NOTE, "registries"),
        Figure(available, "available", GOOD if available == len(registries) else NOTE, "registries"),
        Figure(len(registries) - available - unknown, "not available", PROBLEM, "attention"),
        Figure(unknown, "availability not known", WARNING, "attention"),
        Figure(unprotected, "connections not verified", WARNING, "registries"),
        Figure(generated, "generated databases", WARNING, "registries"),
        Figure(expired, "expired certificates", WARNING, "certificates"),
        Figure(ending, "certificates expire soon", WARNING, "certificates"),
        Figure(open_ones, "open to nearly all users", WARNING, "access"),
        Figure(sum(len(cluster.compared.get("drift") or ()) for cluster in clusters), "differences from the list", WARNING, "drift"),
        Figure(unread, "clusters not read", PROBLEM, "clusters"),
    ]
    if not any(cluster.is_compared for cluster in clusters):
        figures = [figure for figure in figures if figure.anchor != "drift"]
    attention = Figure(
        len(findings), f"{'finding' if len(findings) == 1 else 'findings'}, {count(problems, 'problem')}", PROBLEM if problems else WARNING, "attention"
    )
    return [attention, *figures]


def _line(cluster: Cluster, findings: Iterable[Finding]) -> str:
    if cluster.failure:
        return f"{cluster.name}: FAILED: {cluster.failure}"
    available = sum(registry.status.get("available") is True for registry in cluster.registries)
    own = [finding for finding in findings if finding.cluster == cluster.name and finding.severity != NOTE]
    drift = f", {count(len(cluster.compared['drift']), 'difference')} from the list" if cluster.is_compared else ""
    if cluster.compared.get("msg"):
        drift += f", comparison FAILED: {cluster.compared['msg']}"
    return f"{cluster.name}: {count(len(cluster.registries), 'registry', 'registries')}, {available} available, {count(len(own), 'finding')}{drift}"


def _server(cluster: Cluster) -> str:
    return f"{cluster.name}: API server {(cluster.found.get('cluster') or {}).get('host') or 'not known'}"
