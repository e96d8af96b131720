# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an audit asks, and what a report answers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._outcome import ERROR
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._report_clusters import Cluster, Registry, Unchecked
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._report_tables import MAKERS, count, distinct_certificates, encryption_of, some
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._table import Cell, Column, Row, Table

NEXT_CERTIFICATES = 3


@dataclass(frozen=True)
class Facts:
    """What the answers are made from. `run` is what is known of the run itself."""

    clusters: Sequence[Cluster] = field(repr=False)
    registries: Sequence[Registry] = field(repr=False)
    unchecked: Sequence[Unchecked] = field(repr=False)
    changes: Table = field(repr=False)
    backups: _backups.Wanted | None
    run: Mapping[str, str]

    def name(self, registry: Registry) -> str:
        """A registry in a sentence. Names are not unique if there are several clusters."""
        return f"{registry.cluster}/{registry.name}" if len(self.clusters) > 1 else registry.name


def table_of(facts: Facts) -> Table:
    """A question in each row, its answer, and the tables that tell more."""
    rows = tuple(Row((Cell(question), Cell(answer), Cell(links=links))) for question, answer, links in _answers(facts))
    columns = (Column("Question", 27, is_row_header=True), Column("Answer", 55), Column("Details", 18))
    return Table("answers", "Audit questions", "Answers to common audit questions, with links to the details", columns, rows)


ACCESS, RIGHTS, GROUPS = ("Access", "access"), ("Access through other permissions", "rights"), ("Groups", "groups")
REGISTRIES, CERTIFICATES, UNCHECKED = ("Registries", "registries"), ("Certificates", "certificates"), ("Not checked", "unchecked")
DRIFT, UNLISTED = ("Drift", "drift"), ("Not listed", "unlisted")
RUN, CLUSTERS, CHANGES = ("This report", "run"), ("Clusters", "clusters"), ("Changes", "changes")


def _answers(facts: Facts) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    yield "Who can read or change the registries, and since when?", _access(facts), (ACCESS, RIGHTS, GROUPS)
    yield "Who granted the access?", _grants(facts), (ACCESS, RIGHTS)
    yield "Are the connections to the databases encrypted and verified?", _encryption(facts), (REGISTRIES,)
    yield "Which certificates expire next?", _certificates(facts), (CERTIFICATES,)
    yield "Which databases are not intended for production?", _databases(facts), (REGISTRIES,)
    yield "When was the last backup?", _last_backups(facts), (REGISTRIES,)
    is_compared = any(cluster.is_compared for cluster in facts.clusters)
    yield "Which registries have drifted from the approved list?", _drift(facts), (DRIFT, UNLISTED) if is_compared else (DRIFT,)
    yield "What could not be checked?", _unchecked(facts), (UNCHECKED, CLUSTERS)
    yield "Who generated this report, and when?", _run(facts), (RUN, CLUSTERS)
    yield "What has changed since the last report?", _changes(facts), (CHANGES,)


def _access(facts: Facts) -> str:
    entries = [entry for registry in facts.registries for entry in registry.access if entry["effective"]]
    subjects = {(entry["kind"], entry["namespace"], entry["name"]) for entry in entries}
    others = [entry for cluster in facts.clusters for entry in cluster.found.get("access_by_other_roles") or ()]
    people = {(entry["kind"], entry["namespace"], entry["name"]) for entry in others if not entry["platform"]}
    newest = max((str(entry["created_at"]) for entry in entries if entry.get("created_at")), default="")
    known = [registry for registry in facts.registries if registry.is_access_known]
    said = f"{count(len(subjects), 'subject')} can read and change {count(len(known), 'registry', 'registries')}"
    said += f", the most recent of them since {newest[:10]}" if newest else ""
    said += f". {count(len(people), 'other subject')} outside of the platform can access all of them" if people else ""
    unknown = len(facts.registries) - len(known)
    return said + (f". Access to {count(unknown, 'registry', 'registries')} is not known" if unknown else "") + "."


def _grants(facts: Facts) -> str:
    made = Counter(MAKERS[entry["made_by"]] for registry in facts.registries for entry in registry.access)
    said = ", ".join(f"{maker}: {number:,}" for maker, number in made.most_common())
    grants = f"{count(sum(made.values()), 'grant')} ({said}). " if made else "No grants are known. "
    return f"{grants}Each grant is listed with its client. Only the audit log of the API server contains the names of the users."


def _encryption(facts: Facts) -> str:
    uses: dict[str, list[str]] = {"verified": [], "none": [], "unverified": [], "internal": []}
    for registry in facts.registries:
        if use := encryption_of(registry):
            uses[use].append(facts.name(registry))
    said = [f"{len(uses['verified']):,} of {len(facts.registries):,} connections are encrypted and verified"]
    said += [f"not encrypted: {some(uses['none'])}"] if uses["none"] else []
    said += [f"encrypted, but not verified: {some(uses['unverified'])}"] if uses["unverified"] else []
    said += [f"inside the cluster, to generated databases: {some(uses['internal'])}"] if uses["internal"] else []
    return "; ".join(said) + "."


def _certificates(facts: Facts) -> str:
    found = distinct_certificates(facts.registries)
    unread = [facts.name(registry) for registry in facts.registries if "certificates" not in registry.status or registry.status.get("unread_certificates")]
    shown = [
        f"{certificate['subject']} on {certificate['not_after'][:10]} ({some([facts.name(reader) for reader in readers])})"
        for certificate, readers in found[:NEXT_CERTIFICATES]
    ]
    said = "; ".join(shown) or "No certificates were read"
    return said + (f". Certificates of {some(unread)} could not be read" if unread else "") + "."


def _databases(facts: Facts) -> str:
    generated = [facts.name(registry) for registry in facts.registries if encryption_of(registry) == "internal"]
    return f"Generated databases, which the product supports for tests only: {some(generated)}." if generated else "No registry uses a generated database."


def _last_backups(facts: Facts) -> str:
    if facts.backups is None:
        return "Not known: model_registry_backup_folder is not set."
    moments = [(registry.checked.backup, facts.name(registry)) for registry in facts.registries if registry.checked.backup]
    lacking = [facts.name(registry) for registry in facts.registries if registry.checked.results["backup"] != "passed"]
    said = []
    if moments:
        (newest, last), (oldest, first) = max(moments), min(moments)
        said = [f"The most recent backup is from {newest} ({last}), the oldest last backup is from {oldest} ({first})"]
    said += [f"Without a backup from the last {facts.backups.hours:g} hours: {some(lacking)}"] if lacking else []
    return ". ".join(said or ["There are no registries"]) + "."


def _drift(facts: Facts) -> str:
    compared = [cluster for cluster in facts.clusters if cluster.is_compared]
    if not compared:
        return "Not known: the registries were not compared with a list."
    drift = [(cluster.name, entry["registry"]) for cluster in compared for entry in cluster.compared["drift"]]
    unlisted = sum(len(cluster.compared.get("unlisted") or ()) for cluster in compared)
    said = f"{count(len(drift), 'difference')} in {count(len(set(drift)), 'registry', 'registries')}"
    said += f", and {count(unlisted, 'registry', 'registries')} not in the list" if unlisted else ""
    left = [cluster.name for cluster in facts.clusters if not cluster.is_compared]
    left += [facts.name(one) for cluster in compared for one in cluster.registries if one.checked.results["drift"] == ERROR]
    said += f". Not compared: {some(left)}" if left else ""
    return f"{said}. List: {facts.run.get('List', 'not known')}."


def _unchecked(facts: Facts) -> str:
    errors = [one for one in facts.unchecked if one.is_error]
    warned = sum(bool(cluster.warnings) for cluster in facts.clusters)
    said = f"{count(len(errors), 'check was', 'checks were')} not possible" if errors else "Everything that is part of this report was checked"
    said += f", and {count(len(facts.unchecked) - len(errors), 'check is', 'checks are')} not part of this report" if len(facts.unchecked) > len(errors) else ""
    return said + (f". Also see the warnings of {count(warned, 'cluster')}" if warned else "") + "."


def _run(facts: Facts) -> str:
    accounts = ", ".join(f"{cluster.server.get('user') or 'not known'} in {cluster.name}" for cluster in facts.clusters)
    job = f" in job {facts.run['Job']}" if "Job" in facts.run else ""
    return f"{facts.run.get('Started by', 'Unknown user')}{job}, at {facts.run['Generated']}. Accounts in the clusters: {accounts}."


def _changes(facts: Facts) -> str:
    number = len(facts.changes.rows)
    return f"{count(number, 'change')} {facts.changes.caption.replace('Since', 'since', 1)}." if number else facts.changes.instead.rstrip(".") + "."
