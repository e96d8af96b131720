# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clusters answered, for a report, and what needs attention: the findings of the check, and what else an audit asks for. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups, _findings, _found, _outcome
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._findings import NOTE, PROBLEM, WARNING
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._outcome import ERROR, SKIPPED

# Of an API server as the installer names it, whose console and registries are then below `apps.` of the same domain.
API_SERVER = re.compile(r"https://api\.([a-z0-9.-]+)(:\d+)?/?")
# The only addresses of clusters that become links.
ADDRESS = re.compile(r"https://[a-z0-9.-]+(:\d+)?")
KINDS = {"group": "group", "user": "user", "project": "project", "service_account": "service account"}
ACCESS, CLUSTER, CATALOG = "access", "cluster", "catalog"
# Which guide explains a finding, by its kind; of rules, which are all of one kind, by the rule. No address of the guides is always the right one.
_ACCESS, _BACKUP, _CERTIFICATES, _FLEET, _REASONS = (
    "Access",
    "Back up a model registry",
    "Passwords and certificates",
    "Manage a fleet of clusters",
    "Troubleshooting",
)
GUIDES = {
    **dict.fromkeys(("drift", "unlisted", "sunset", "server"), _FLEET),
    **dict.fromkeys(("failed", "skipped", "unavailable", "unknown", "database", "untested"), _REASONS),
    **dict.fromkeys(("unread", "unjudged", "idle", "rights"), _ACCESS),
    **dict.fromkeys(("expiring", "bundle", "restart"), _CERTIFICATES),
    CATALOG: "The model catalog",
    **dict.fromkeys(("no_broad_access", "subjects"), _ACCESS),
    **dict.fromkeys(("verified_tls", "certificates"), _CERTIFICATES),
    "no_generated_database": "Move a registry to another database",
    # A kind and a rule.
    "backup": _BACKUP,
}
# The check that a page says of a registry more than of others: why it is not available.
UNAVAILABLE = ("unavailable", "unknown")


@dataclass(frozen=True)
class Registry:
    """A registry as it was read, its name in links, and what the check says of it."""

    cluster: str
    anchor: str
    found: Mapping[str, Any] = field(repr=False)
    checked: _outcome.Checked
    console: str = ""

    @property
    def name(self) -> str:
        """The resource name."""
        return str(self.found["name"])

    @property
    def status(self) -> Mapping[str, Any]:
        """Its status, as far as it was read."""
        return self.found.get("status") or {}

    @property
    def database(self) -> Mapping[str, Any]:
        """Its database."""
        return self.found.get("database") or {}

    @property
    def certificates(self) -> list[Mapping[str, Any]]:
        """The certificates that it reads."""
        return list(self.status.get("certificates") or ())

    @property
    def access(self) -> list[Mapping[str, Any]]:
        """Who has access to it, as far as it is known."""
        return list(self.status.get("access") or ())

    @property
    def is_access_known(self) -> bool:
        """Whether it is known who has access."""
        return self.status.get("access") is not None

    @property
    def address(self) -> str:
        """Its public address, if a page may link to it: whoever can edit the registry chooses it."""
        address = str(self.status.get("address") or "")
        return address if ADDRESS.fullmatch(address) else ""


@dataclass(frozen=True)
class Finding:
    """Something that needs attention, of a whole cluster or of some of its registries: their names, and those in links where they have one."""

    kind: str
    severity: str
    cluster: str
    text: str
    remedy: str = ""
    registries: tuple[tuple[str, str], ...] = ()
    evidence: str = ""
    rule: str = ""

    @property
    def guide(self) -> str:
        """The title of the guide that explains it; empty if there is none."""
        return GUIDES.get(self.kind) or GUIDES.get(self.rule, "")


@dataclass(frozen=True)
class Unchecked:
    """What was not looked at. `is_error` if it should have been."""

    cluster: str
    check: str
    reason: str
    is_error: bool
    registries: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Cluster:
    """What one cluster answered.

    `found` is a result of `model_registry_info`, `compared` one of `model_registries` in check mode, and `catalog` one of `model_catalog_info`; both are empty
    where they are not part of the page.
    """

    name: str
    found: Mapping[str, Any] = field(repr=False)
    compared: Mapping[str, Any] = field(repr=False)
    catalog: Mapping[str, Any] = field(repr=False)
    outcome: _outcome.Outcome = field(repr=False)
    registries: tuple[Registry, ...] = field(repr=False)
    policy: Any = field(repr=False)
    places: Collection[str]
    now: datetime

    @property
    def failure(self) -> str:
        """Why it could not be read; empty when it was."""
        if "registries" in self.found:
            return ""
        return str(self.found.get("msg") or "The run ended before the cluster was read")

    @property
    def is_compared(self) -> bool:
        """Whether its registries were compared with a list."""
        return _findings.is_compared(self.compared)

    @property
    def server(self) -> Mapping[str, Any]:
        """The API server and the account."""
        return self.found.get("cluster") or self.compared.get("cluster") or {}

    @property
    def warnings(self) -> list[str]:
        """What the modules warned of."""
        told = (*(self.found.get("warnings") or ()), *(self.compared.get("warnings") or ()))
        return list(dict.fromkeys(map(_outcome.message, told)))

    @property
    def anchors(self) -> dict[str, str]:
        """The names of the registries in links."""
        return {registry.name: registry.anchor for registry in self.registries}


def cluster_of(
    number: int, name: str, results: tuple[Mapping[str, Any], ...], backups: _backups.Wanted | None, policy: Any, places: Collection[str], now: datetime
) -> Cluster:
    """A cluster by the results of its host: of `model_registry_info`, `model_registries` in check mode and `model_catalog_info`, each of which may be empty."""
    found, compared, catalog = ({} if result.get("skipped") else result for result in (*results, {}, {})[:3])
    # What Ansible has printed is no place for the readers of a page.
    told, seen = ({**result, "failed": False} if result.get("msg") else result for result in (compared, found))
    outcome = _outcome.checked(told, seen, bool(compared), False, backups, policy=policy, places=places, now=now)
    rows = {row.name: row for row in outcome.checked}
    server = str((found.get("cluster") or {}).get("host") or "")
    registries = [Registry(name, f"registry-{number}-{one['name']}", one, rows[one["name"]], _console_of(one, server)) for one in found.get("registries") or ()]
    return Cluster(name, found, compared, catalog, outcome, tuple(registries), policy, places, now)


def _console_of(registry: Mapping[str, Any], server: str) -> str:
    """The page of a registry in the console, where both the API server and the registry are called as the installer calls them."""
    status = registry.get("status") or {}
    api = API_SERVER.fullmatch(server)
    if not api or not str(status.get("address") or "").endswith(f".apps.{api[1]}") or "/" not in str(status.get("api_version") or ""):
        return ""
    kind = f"{status['api_version'].replace('/', '~')}~ModelRegistry"
    return f"https://console-openshift-console.apps.{api[1]}/k8s/ns/{registry.get('namespace')}/{kind}/{registry['name']}"


# What needs attention


def findings_of(cluster: Cluster) -> list[Finding]:
    """Of a cluster. What is the same for several registries is one finding."""
    grouped: dict[tuple[str, ...], list[_findings.Finding]] = {}
    observed = [registry.found for registry in cluster.registries]
    audit = _findings.of_audit(cluster.policy, cluster.places, observed, cluster.now) if cluster.registries else ()
    for finding in (*cluster.outcome.findings, *audit, *_of_registries(cluster)):
        text = finding.reason or finding.text
        grouped.setdefault((finding.kind, finding.severity, text[:1].upper() + text[1:], finding.remedy, finding.evidence, finding.rule), []).append(finding)
    anchors = cluster.anchors
    findings = [
        Finding(kind, severity, cluster.name, text, remedy, tuple((name, anchors.get(name, "")) for name in _names(group)), evidence, rule)
        for (kind, severity, text, remedy, evidence, rule), group in grouped.items()
    ]
    return [*findings, *_of_bundles(cluster), *_of_rights(cluster), *_of_catalog(cluster), *_of_cluster(cluster)]


def _names(findings: list[_findings.Finding]) -> list[str]:
    return list(dict.fromkeys(finding.registry for finding in findings if finding.registry))


def _of_registries(cluster: Cluster) -> Iterator[_findings.Finding]:
    """What a check does not report, and an auditor wants to see."""
    said = _findings.restarted(cluster.compared)
    for registry in cluster.registries:
        if registry.status.get("restart_needed") and registry.name not in said:
            yield _findings.Finding("restart", registry.name, _findings.OUTDATED, remedy="Run the playbook converge")
        if idle := sorted({entry["through"] for entry in registry.access if not entry["effective"]}):
            text = f"these RoleBindings do not grant access: {', '.join(idle)}"
            yield _findings.Finding("idle", registry.name, text, severity=NOTE, remedy="Delete them, or bind the Role of the registry")
    for one in cluster.compared.get("unlisted") or ():
        yield _findings.Finding("unlisted", one["name"], "not in the list", severity=NOTE, remedy="Add the registry to the list, or delete it")


def _of_bundles(cluster: Cluster) -> Iterator[Finding]:
    """Of the certificates of the cluster's own bundles: which of them a database needs is known to nobody but the database."""
    bundles: dict[tuple[str, str, str], tuple[list[Mapping[str, Any]], list[Registry]]] = {}
    for registry in cluster.registries:
        own = {(one["kind"], one["name"], one["key"]) for one in _found.own_certificates(registry.found)}
        for one in registry.certificates:
            place = (one["kind"], one["name"], one["key"])
            if place not in own:
                held, readers = bundles.setdefault(place, ([], []))
                if registry not in readers[-1:]:
                    readers.append(registry)
                if len(readers) == 1:
                    held.append(one)
    for (kind, name, key), (held, readers) in bundles.items():
        ending = [one for one in held if one["expired"] or one["expires_soon"]]
        if ending:
            text = f"{len(ending)} of {len(held)} certificates in {kind} {name}, key {key}, have expired or expire soon"
            remedy = "If the database uses one of them, ask the administrators of the cluster to renew it"
            shown = ", ".join(f"{one['subject']} ({one['not_after'][:10]})" for one in ending)
            yield Finding("bundle", NOTE, cluster.name, text, remedy, tuple((one.name, one.anchor) for one in readers), shown)


def _of_rights(cluster: Cluster) -> Iterator[Finding]:
    others = cluster.found.get("access_by_other_roles") or ()
    for entry in others:
        if entry["everybody"]:
            text = f"{entry['name']} (nearly all users) has access to all registries through {entry['through_kind']} {entry['through']}"
            yield Finding("rights", WARNING, cluster.name, text, "Remove the group from this binding, or the permission to get Services from its role")
    people = {(entry["kind"], entry["namespace"], entry["name"]) for entry in others if not entry["everybody"] and not entry["platform"]}
    if people:
        many = f"{len(people)} subjects outside of the platform have" if len(people) > 1 else f"{_subject(min(people))} has"
        text = f"{many} access to all registries through permissions for the namespace or the cluster"
        yield Finding("rights", NOTE, cluster.name, text, "Verify that they need this access: see Access through other permissions")


def _subject(subject: tuple[str, str | None, str]) -> str:
    kind, namespace, name = subject
    return f"{KINDS[kind]} {namespace + '/' if namespace else ''}{name}"


def _of_catalog(cluster: Cluster) -> Iterator[Finding]:
    catalog = cluster.catalog
    if catalog.get("msg"):
        yield Finding(CATALOG, WARNING, cluster.name, f"The model catalog could not be read: {catalog['msg']}", "Grant the permissions in rbac/catalog.yml")
        return
    for finding in catalog.get("findings") or ():
        if finding["effect"] == "catalog":
            because = f" because of ConfigMap {finding['config_map']}" if finding["config_map"] else ""
            text = f"The whole model catalog is unavailable{because}: {finding['problem']}"
            yield Finding(CATALOG, PROBLEM, cluster.name, text, str(finding.get("remedy") or ""))
    for source in catalog.get("sources") or ():
        server = source["status"].get("server") or {}
        if server.get("status") in ("error", "partially-available"):
            what = "cannot be loaded" if server["status"] == "error" else "was only partially loaded"
            text = f"Source {source['id']} of the model catalog {what}"
            yield Finding(CATALOG, WARNING, cluster.name, text, "Correct the source with the playbook catalog", evidence=str(server.get("error") or ""))


def _of_cluster(cluster: Cluster) -> Iterator[Finding]:
    if cluster.server.get("verify_ssl") is False:
        text = "The certificate of the API server was not verified: the data of this cluster could have been forged"
        yield Finding("server", WARNING, cluster.name, text, "Set validate_certs to true, and ca_cert to the CA of the API server")


# What was not looked at


def unchecked_of(cluster: Cluster) -> list[Unchecked]:
    """Of a cluster. What is the same for several registries is said once."""
    if cluster.failure:
        return [Unchecked(cluster.name, CLUSTER, cluster.failure, True)]
    anchors = cluster.anchors
    said: dict[tuple[str, str], str] = {}
    for finding in cluster.outcome.findings:
        if finding.kind in _outcome.UNCHECKED and finding.registry:
            said.setdefault((finding.registry, _outcome.CHECK_OF[finding.kind]), finding.reason or finding.text)
    grouped: dict[tuple[str, str, bool], list[str]] = {}
    for row in cluster.outcome.checked:
        for check, result in row.results.items():
            if result in (ERROR, SKIPPED):
                reason = row.reasons.get(check) or said.get((row.name, check), "See the finding")
                grouped.setdefault((check, reason, result == ERROR), []).append(row.name)
    for registry in cluster.registries:
        if not registry.is_access_known:
            grouped.setdefault((ACCESS, "The account cannot read who has access", True), []).append(registry.name)
    found = [
        Unchecked(cluster.name, check, reason, is_error, tuple((name, anchors.get(name, "")) for name in names))
        for (check, reason, is_error), names in grouped.items()
    ]
    found += [Unchecked(cluster.name, CLUSTER, finding.text, True) for finding in cluster.outcome.findings if finding.kind == "failed" and not finding.registry]
    if "groups" in cluster.found and cluster.found["groups"] is None:
        found.append(Unchecked(cluster.name, "groups", "The account cannot list Groups, or users log in to an external identity provider", True))
    if not cluster.catalog:
        found.append(Unchecked(cluster.name, CATALOG, "The model catalog is not part of the report: model_catalog_included is not set", False))
    elif cluster.catalog.get("msg"):
        found.append(Unchecked(cluster.name, CATALOG, str(cluster.catalog["msg"]), True))
    return sorted(found, key=lambda one: not one.is_error)
