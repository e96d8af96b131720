# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run over the registries of clusters came to: the status of each cluster, what is to be said of its registries, and all of it on one screen."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _texts
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups, _findings, _found, _version
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils._findings import NOTE, PROBLEM, Finding

# From the best to the worst.
OK, CHANGED, PARTIAL, FINDINGS, FAILED = STATUSES = ("ok", "changed", "incomplete", "findings", "failed")
# Of the files of results, as in docs/docsite/results.schema.json: whoever knows it can read them.
VERSION = 1
# What is said of a registry or cluster, from the most important on, and how many registries are counted with it in one line.
COUNTED = {
    "failed": "failed",
    "drift": "with drift",
    "unavailable": "not available",
    "unknown": "with unknown availability",
    "expiring": "with expiring certificates",
    "unread": "with certificates that were not read",
    "database": "with an unusable database",
    "backup": "without a recent backup",
    "policy": "violating the policy",
    "unjudged": "not checked against the policy",
    "untested": "not passing the smoke test",
    "sunset": "with an API version that will be removed",
    "skipped": "not manageable",
    "changed": "changed",
    "deleted": "deleted",
    "unlisted": "not in the list",
}
# What is checked of each registry, and which of these each finding of a check belongs to.
DRIFT, HEALTH, CERTIFICATES, DATABASE, BACKUP, POLICY = CHECKS = ("drift", "health", "certificates", "database", "backup", "policy")
CHECK_OF = {
    "failed": DRIFT,
    "drift": DRIFT,
    "unavailable": HEALTH,
    "unknown": HEALTH,
    "untested": HEALTH,
    "sunset": HEALTH,
    "skipped": HEALTH,
    "expiring": CERTIFICATES,
    "unread": CERTIFICATES,
    "database": DATABASE,
    "backup": BACKUP,
    "policy": POLICY,
    "unjudged": POLICY,
}
# The findings that say that something was not checked. The first two concern everything that there is to check, and always make a run fail.
UNCHECKED = ("failed", "skipped", "unknown", "unread", "unjudged")
ALWAYS = UNCHECKED[:2]
# An error means that it should have been checked, and was not.
PASSED, FAILURE, ERROR, SKIPPED = RESULTS = ("passed", "failed", "error", "skipped")
# What users choose that a run fails on.
FAIL_ON = (DRIFT, HEALTH, CERTIFICATES, BACKUP, POLICY)
# The variables with the results of the modules: of the comparison or reconciliation, and of what was read.
REGISTERED = ("model_registries_result", "model_registries_seen")
# What in check mode only would be done.
WRITTEN = ("changed", "deleted")
# A screen: rows of that many letters for what is said of registries, after a line of its own for each of so many clusters.
COLUMNS, ROWS, ROWS_OF_CLUSTERS = 120, 30, 10
NAMES = 5


class NothingDone(Exception):
    """The tasks of a cluster were skipped, so that nothing can be said of it."""


@dataclass(frozen=True)
class Checked:
    """What a check has seen of a registry. `drift` is the number of options that differ, `backup` the time of the last one; None for what is not known.

    `results` has one of RESULTS for each of CHECKS, and `reasons` says why one was not done, unless a finding does.
    """

    name: str
    namespace: str
    available: bool | None
    drift: int | None
    backup: str | None
    # Of each ConfigMap and Secret that was read, the certificate that expires first.
    certificates: list[dict[str, str]]
    results: dict[str, str]
    reasons: dict[str, str]


@dataclass(frozen=True)
class Outcome:
    """What a run came to in one cluster. `compared` says whether the registries were compared with a list, where that is not the only thing that is done."""

    status: str
    server: str
    registries: int
    findings: list[Finding]
    compared: str = ""
    would: str = ""
    # Of a check: all of the registries, and whether the findings make the run fail.
    checked: list[Checked] = field(default_factory=list, repr=False)
    failing: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """The number of registries with findings of each kind."""
        named = {kind: {finding.registry for finding in self.findings if finding.kind == kind and finding.registry} for kind in COUNTED}
        return {kind: len(names) for kind, names in named.items() if names}

    @property
    def head(self) -> str:
        """One line about the cluster."""
        if self.status == FAILED and not self.registries:
            return "FAILED"
        said = [f"{number} {self.would if kind in WRITTEN else ''}{COUNTED[kind]}" for kind, number in self.counts.items()]
        if not self.compared and not any(finding.kind == "failed" and not finding.registry for finding in self.findings):
            touched = {finding.registry for finding in self.findings if finding.kind not in ("deleted", "unlisted", "policy", "unjudged")}
            said.insert(0, f"{self.registries - len(touched)} unchanged")
        return f"{_number(self.registries)}{self.compared}: {', '.join(said) or ('FAILED' if self.status == FAILED else 'no findings')}"


def _number(registries: int) -> str:
    return "1 registry" if registries == 1 else f"{registries} registries"


def converged(result: Mapping[str, Any], check_mode: bool, policy: Any = (), places: Collection[str] = ()) -> Outcome:
    """Of a result of `model_registries` with the list of a cluster, which has a message if it failed. `policy` as for `checked`, in check mode."""
    would = "would be " if check_mode else ""
    registries = result.get("registries") or []
    failed = [registry for registry in registries if registry.get("failed")]
    changes = result.get("changes") or []
    restarted = _findings.restarted(result)
    deleted = [change["name"] for change in changes if (change["action"], change["kind"]) == ("delete", "ModelRegistry")]
    error = _findings.of_error(result) if result.get("msg") and not failed else None
    findings = [replace(error, text=f"FAILED: {error.text}")] if error else []
    if failed and result.get("compared") is False:
        text = "FAILED: nothing was compared or changed, because entries of the list are not valid"
        findings.append(Finding("failed", "", text, severity=PROBLEM))
    for registry in registries:
        status = registry.get("status") or {}
        done = would + _done(registry["name"], result.get("drift") or [], restarted)
        if registry.get("failed"):
            failure = f"FAILED{f' ({done})' if registry.get('changed') else ''}: {_findings.error_of(registry)}"
            findings.append(Finding("failed", registry["name"], failure, severity=PROBLEM))
        elif status.get("available") is False and not check_mode:
            text = f"{f'{done}; ' if registry.get('changed') else ''}not available: {_findings.why(status)}"
            findings.append(Finding("unavailable", registry["name"], text, severity=PROBLEM))
        elif registry.get("changed"):
            findings.append(Finding("changed", registry["name"], done, str(status.get("address") or ""), NOTE))
    findings += [Finding("deleted", name, f"{would}deleted", severity=NOTE) for name in deleted]
    kept = [one["name"] for one in result.get("unlisted") or [] if one["name"] not in deleted]
    findings += [Finding("unlisted", name, "not in the list, kept", severity=NOTE) for name in kept]
    now = datetime.now(timezone.utc)
    judged = list(_findings.of_policy(policy, places, None, registries, now, is_observed=False)) if check_mode and policy else []
    is_failed = result.get("msg") or any(finding.kind == "failed" for finding in judged)
    status = FAILED if is_failed else FINDINGS if judged else CHANGED if changes else OK
    return Outcome(status, _server(result), len(registries), [*findings, *judged], would=would, failing=bool(judged))


def _done(name: str, drift: Iterable[Mapping[str, Any]], restarted: Collection[str]) -> str:
    options = [one["option"] for one in drift if one["registry"] == name]
    if "name" in options:
        return "created"
    return f"changed: {_texts.names_of(options)}" if options else "restarted" if name in restarted else "repaired"


def checked(
    compared: Mapping[str, Any],
    seen: Mapping[str, Any],
    has_list: bool,
    purge: bool,
    backups: _backups.Wanted | None = None,
    fail_on: Collection[str] = FAIL_ON,
    policy: Any = (),
    places: Collection[str] = (),
    now: datetime | None = None,
) -> Outcome:
    """Of a comparison with the list of a cluster, if there is one, and of what `model_registry_info` read. Both are empty if their task was skipped.

    `policy` are the rules of `_policy`, and `places` the host of the cluster and its groups.
    """
    registries = seen.get("registries") or []
    server = _server(compared) or _server(seen)
    has_failed = any(registry.get("failed") for registry in compared.get("registries") or [])
    is_compared = _findings.is_compared(compared) and (not compared.get("msg") or has_failed)
    saved: Mapping[str, datetime] = {}
    unsaved = None if backups else (SKIPPED, "model_registry_backup_folder is not set")
    findings = [*_findings.of_comparison(compared, seen, has_list, purge), *_findings.of_status(seen), *_findings.of_databases(compared)]
    if backups and "registries" in seen:
        try:
            saved = _backups.newest(backups.folder, server)
            findings += _findings.of_backups(registries, saved, backups)
        except OSError as error:
            unsaved = (ERROR, "The backups were not read")
            text = f"The backups in {backups.folder} were not read: {error.strerror}"
            findings.append(Finding("failed", "", text, severity=PROBLEM, remedy="Correct model_registry_backup_folder"))
    if policy:
        known = saved if backups and unsaved is None else None
        findings += _findings.of_policy(policy, places, known, registries, now or datetime.now(timezone.utc))
    how = ", compared with the list" if is_compared else ", not compared with the list" if has_list else ", no list to compare with"
    status = FAILED if any(finding.kind == "failed" for finding in findings) else FINDINGS if findings else OK
    number = len(registries) + len(seen.get("skipped_registries") or [])
    rows = _rows(compared, seen, findings, is_compared, has_list, saved, unsaved, bool(policy))
    failing = any(finding.kind in ALWAYS or category(finding) in fail_on for finding in findings)
    return Outcome(status, server, number, findings, compared=how, checked=rows, failing=failing)


def named(fail_on: str | Iterable[str]) -> list[str]:
    """What a run is to fail on, also of a text with commas, as a command line has it. AnsibleFilterError for anything else."""
    names = [name.strip() for name in fail_on.split(",") if name.strip()] if isinstance(fail_on, str) else list(fail_on)
    if unknown := [name for name in names if name not in FAIL_ON]:
        raise AnsibleFilterError(f"model_registries_fail_on: {_texts.names_of(map(str, unknown))} is not valid. Valid values: {', '.join(FAIL_ON)}")
    return names


def category(finding: Finding) -> str:
    """Which of FAIL_ON a finding of a check is. A registry is not available without its database."""
    check = CHECK_OF[finding.kind]
    return HEALTH if check == DATABASE else check


def _rows(
    compared: Mapping[str, Any],
    seen: Mapping[str, Any],
    findings: Iterable[Finding],
    is_compared: bool,
    has_list: bool,
    saved: Mapping[str, datetime],
    unsaved: tuple[str, str] | None,
    has_policy: bool,
) -> list[Checked]:
    listed = {registry["name"] for registry in compared.get("registries") or []} if is_compared else set()
    found = {registry["name"]: registry for registry in seen.get("registries") or []}
    skipped = {one["name"] for one in seen.get("skipped_registries") or []}
    databases = {one["name"]: one for one in compared.get("databases") or []}
    drift = Counter(one["registry"] for one in compared.get("drift") or [])
    said: dict[str, dict[str, str]] = {}
    for finding in findings:
        results = said.setdefault(finding.registry, {})
        if results.get(CHECK_OF[finding.kind]) != FAILURE:
            results[CHECK_OF[finding.kind]] = ERROR if finding.kind in UNCHECKED else FAILURE
    rows = []
    for name in sorted({*found, *skipped, *listed, *said} - {""}):
        registry = found.get(name)
        undone = _undone(registry, "registries" in seen and name not in skipped, databases.get(name))
        if registry and unsaved:
            undone[BACKUP] = unsaved
        if not has_policy:
            undone[POLICY] = (SKIPPED, "There is no policy")
        if name not in listed:
            unlisted = (SKIPPED, "The registry is not in the list") if is_compared else (ERROR, "The registry was not compared with the list")
            undone[DRIFT] = unlisted if has_list else (SKIPPED, "There is no list to compare with")
        results = {check: undone.get(check, (PASSED, ""))[0] for check in CHECKS} | said.get(name, {})
        reasons = {check: why for check, (_result, why) in undone.items() if check not in said.get(name, {})}
        moment = saved.get(name)
        rows.append(
            Checked(
                name,
                str(registry.get("namespace") or "") if registry else "",
                registry["status"].get("available") if registry else None,
                drift[name] if name in listed and results[DRIFT] != ERROR else None,
                _backups.text(moment) if moment else None,
                _earliest(registry) if registry else [],
                results,
                reasons,
            )
        )
    return rows


def _undone(registry: Mapping[str, Any] | None, was_read: bool, database: Mapping[str, Any] | None) -> dict[str, tuple[str, str]]:
    """Of CHECKS, those that were not done of a registry, with the result and the reason."""
    if registry is None:
        why = (SKIPPED, "The registry does not exist") if was_read else (ERROR, "The registry was not read")
        return dict.fromkeys((HEALTH, CERTIFICATES, DATABASE, BACKUP, POLICY), why)
    undone = {}
    if not _found.own_certificates(registry):
        undone[CERTIFICATES] = (SKIPPED, "The registry has no certificates of its own")
    if database is None:
        undone[DATABASE] = (SKIPPED, "Databases are checked only if the connection settings would be changed")
    elif not database["checked"]:
        undone[DATABASE] = (SKIPPED, f"The database was not checked: {database['reason']}")
    return undone


def _earliest(registry: Mapping[str, Any]) -> list[dict[str, str]]:
    first: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for one in _found.own_certificates(registry):
        place = (one["use"], one["kind"], one["name"], one["key"])
        if place not in first or one["not_after"] < first[place]["not_after"]:
            first[place] = one
    return [{name: str(one[name]) for name in ("use", "kind", "name", "key", "subject", "not_after")} for one in first.values()]


def _server(result: Mapping[str, Any]) -> str:
    return str((result.get("cluster") or {}).get("host") or "")


def as_fact(outcome: Outcome) -> dict[str, Any]:
    """An outcome as a variable: nothing in it is more than a line, or a template."""
    fact = asdict(outcome)
    return {**fact, "findings": _inert(fact["findings"]), "checked": _inert(fact["checked"]), "counts": outcome.counts}


def _inert(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _inert(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_inert(part) for part in value]
    return _texts.inert(value) if isinstance(value, str) else value


def plain(value: Any) -> Any:
    """A variable as data of Python's own types: ansible-core resolves what is in its own only when it is asked for."""
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list) else value


def from_fact(fact: Mapping[str, Any]) -> Outcome:
    """The outcome of such a variable."""
    parts = {key: plain(value) for key, value in fact.items() if key != "counts"}
    findings, rows = [Finding(**finding) for finding in parts["findings"]], [Checked(**row) for row in parts["checked"]]
    return Outcome(**{**parts, "findings": findings, "checked": rows})


def raw(hosts: Iterable[str], variables: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The variables of hosts, each read once and without a look for templates: in results there are none, and of a thousand registries it takes 2 s."""
    read: Callable[[str], Mapping[str, Any]] = getattr(variables, "raw_get", variables.__getitem__)
    return {host: read(host) for host in hosts}


def of_hosts(hosts: Iterable[str], variables: Mapping[str, Any], alive: Collection[str], batch: Collection[str], is_check: bool = False) -> dict[str, Outcome]:
    """The outcomes of the hosts of a play. NothingDone if one has none and did not fail: nothing that was not checked counts as good.

    Of the hosts that a later batch of the play is for, nothing is said. A host that failed has the outcome of a playbook that ran before, unless the check of
    its model catalog is what failed.
    """
    facts = {host: variables[host].get("model_registries_outcome") for host in hosts}
    if is_check:
        # The others are of a reconciliation that ran before.
        facts = {host: fact if fact and fact["compared"] else None for host, fact in facts.items()}
    skipped = [host for host, fact in facts.items() if not fact and host in batch]
    if skipped:
        why = "tasks were skipped, such as with --start-at-task. Run the whole playbook"
        raise NothingDone(f"Nothing was done or checked for {', '.join(skipped)}: {why}")
    when = "everything was checked" if is_check else "the cluster was contacted"
    before = Outcome(FAILED, "", 0, [Finding("failed", "", f"FAILED before {when}. See the error above", severity=PROBLEM)])
    outcomes = {host: from_fact(fact) if fact else before for host, fact in facts.items() if fact or host not in alive}
    failed = {host for host in outcomes if host not in alive and not is_bad(variables[host].get("model_catalog_outcome"))}
    return {host: before if host in failed and outcome.status in (OK, CHANGED) else outcome for host, outcome in outcomes.items()}


def is_bad(outcome: Mapping[str, Any] | None) -> bool:
    """Whether this outcome of registries or of a catalog may have made its host fail."""
    return outcome is not None and outcome["status"] not in (OK, CHANGED)


def worst(outcomes: Iterable[Outcome]) -> str:
    """The status of all clusters together."""
    return max((outcome.status for outcome in outcomes), key=STATUSES.index, default=OK)


def screen(outcomes: Mapping[str, Outcome], excluded: Collection[str] = ()) -> list[str]:
    """The outcomes on one screen: how all of it ended, a line for each cluster, then what is most important. `excluded` were not checked."""
    ordered = sorted(outcomes, key=lambda host: -STATUSES.index(outcomes[host].status))
    servers = {host: f"{host} ({outcomes[host].server or 'API server not known'})" for host in ordered}
    heads = [f"{servers[host]}: {outcomes[host].head}" for host in ordered]
    status = worst(outcomes.values())
    word = (PARTIAL if status == OK and excluded else status).upper()
    if len(heads) == 1:
        lines = [f"{word}: {heads[0]}"]
    else:
        lines = [f"{word}: {_number(sum(outcome.registries for outcome in outcomes.values()))} in {len(heads)} clusters", *heads[:ROWS_OF_CLUSTERS]]
        # Without a count of their registries, but never without their API servers: whoever meant another cluster has to see it.
        rest = {status: [servers[host] for host in ordered[ROWS_OF_CLUSTERS:] if outcomes[host].status == status] for status in STATUSES[::-1]}
        for status, named in rest.items():
            parts = [", ".join(named[place : place + NAMES]) for place in range(0, len(named), NAMES)]
            lines += [f"and {len(named)} more {status}:", *parts] if named else []
    if excluded:
        lines.append(f"not part of the run, and not checked: {_texts.names_of(sorted(excluded))}")
    entries = _entries({host: outcomes[host] for host in ordered})
    rows = ROWS
    for number, (text, _of) in enumerate(entries):
        rows -= -(-len(text) // COLUMNS)
        if rows < 0 and number:
            left = sum(of for _text, of in entries[number:])
            lines.append(f"and {left} more. To write all of them to a file, set model_registries_result_file")
            break
        lines.append(text)
    return [_texts.inert(line) for line in lines]


def _entries(outcomes: Mapping[str, Outcome]) -> list[tuple[str, int]]:
    """A line for each thing that is said of registries, with the number of registries. What is most important comes first, of each cluster in turn."""
    placed = []
    for place, (host, outcome) in enumerate(outcomes.items()):
        groups: dict[tuple[str, str], list[Finding]] = {}
        for finding in outcome.findings:
            groups.setdefault((finding.kind, finding.text), []).append(finding)
        turns = dict.fromkeys(COUNTED, 0)
        for (kind, text), group in groups.items():
            turns[kind] += 1
            placed.append(((list(COUNTED).index(kind), turns[kind], place), (_entry(host, text, group), len(group))))
    return [entry for _key, entry in sorted(placed)]


def _entry(host: str, text: str, group: list[Finding]) -> str:
    if len(group) == 1:
        of = f"{host}/{group[0].registry}" if group[0].registry else host
        return f"{of}: {text}{', ' if group[0].detail else ''}{group[0].detail}"
    names = [finding.registry for finding in group]
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return f"{host}: {', '.join(names[:NAMES])}{more}: {text}"


def message(value: Any) -> str:
    """The text of an error or a warning: in variables, ansible-core 2.19 and later have objects in its place."""
    event = getattr(value, "event", None)
    return str(value if event is None else event.msg)


def results(outcomes: Mapping[str, Outcome], variables: Mapping[str, Any]) -> dict[str, Any]:
    """All of it for programs, with the results of the modules."""
    clusters = {host: {**as_fact(outcome), "results": registered(variables[host])} for host, outcome in outcomes.items()}
    return {**heading(worst(outcomes.values()), datetime.now(timezone.utc)), "clusters": clusters}


def registered(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The results of the modules that a playbook keeps for a host."""
    kept = dict(zip(REGISTERED, separated(*(variables.get(name) or {} for name in REGISTERED))))
    return {name: result for name, result in kept.items() if result}


def separated(compared: Mapping[str, Any], seen: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What was compared and what was read, whether by one call or by two. Of one call, the task of the other was skipped."""
    if "info" in compared:
        info = compared["info"]
        # A task with `async` returns what the module does, and not the text that the action makes of it.
        return {part: value for part, value in compared.items() if part != "info"}, json.loads(info) if isinstance(info, str) else info
    return compared, {} if seen.get("skipped") else seen


def heading(status: str, finished: datetime) -> dict[str, Any]:
    """What every file of results begins with."""
    return {"version": VERSION, "collection_version": _version.collection_version(), "finished": _backups.text(finished), "status": status}
