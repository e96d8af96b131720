# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run over the registries of clusters came to: the status of each cluster, what is to be said of its registries, and all of it on one screen."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _texts
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups, _found, _policy, _version

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
NAMES, LONGEST_VALUE = 5, 200
# Where in the list a registry is: its name says it better, and is not part of what is the same of several.
PLACE = re.compile(r"\bregistries\[\d+\](\.|: )?")
INCOMPLETE = "other objects of the registry need an update, for example after an interrupted run"


class NothingDone(Exception):
    """The tasks of a cluster were skipped, so that nothing can be said of it."""


@dataclass(frozen=True)
class Finding:
    """What is said of one registry, or without a name of the cluster. `detail` is what tells it from the same finding of another registry."""

    kind: str
    registry: str
    text: str
    detail: str = ""


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
    restarted = {change["name"] for change in changes if change["action"] == "restart"}
    deleted = [change["name"] for change in changes if (change["action"], change["kind"]) == ("delete", "ModelRegistry")]
    findings = [replace(_error(result), text=f"FAILED: {_error(result).text}")] if result.get("msg") and not failed else []
    for registry in registries:
        status = registry.get("status") or {}
        done = would + _done(registry["name"], result.get("drift") or [], restarted)
        if registry.get("failed"):
            findings.append(Finding("failed", registry["name"], f"FAILED{f' ({done})' if registry.get('changed') else ''}: {_of(registry)}"))
        elif status.get("available") is False and not check_mode:
            findings.append(Finding("unavailable", registry["name"], f"{f'{done}; ' if registry.get('changed') else ''}not available: {_why(status)}"))
        elif registry.get("changed"):
            findings.append(Finding("changed", registry["name"], done, str(status.get("address") or "")))
    findings += [Finding("deleted", name, f"{would}deleted") for name in deleted]
    findings += [Finding("unlisted", one["name"], "not in the list, kept") for one in result.get("unlisted") or [] if one["name"] not in deleted]
    judged = list(_judged(policy, places, None, registries, is_observed=False)) if check_mode and policy else []
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
) -> Outcome:
    """Of a comparison with the list of a cluster, if there is one, and of what `model_registry_info` read. Both are empty if their task was skipped.

    `policy` are the rules of `_policy`, and `places` the host of the cluster and its groups.
    """
    registries = seen.get("registries") or []
    server = _server(compared) or _server(seen)
    is_compared = "drift" in compared and (not compared.get("msg") or any(registry.get("failed") for registry in compared["registries"]))
    saved: Mapping[str, datetime] = {}
    unsaved = None if backups else (SKIPPED, "model_registry_backup_folder is not set")
    findings = [*_compared(compared, seen, has_list, purge), *_seen(seen), *_databases(compared)]
    if backups and "registries" in seen:
        try:
            saved = _backups.newest(backups.folder, server)
            findings += _saved(registries, saved, backups)
        except OSError as error:
            unsaved = (ERROR, "The backups were not read")
            findings.append(Finding("failed", "", f"The backups in {backups.folder} were not read: {error.strerror}"))
    if policy:
        known = saved if backups and unsaved is None else None
        findings += _judged(policy, places, known, registries)
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
                drift[name] if name in listed else None,
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


def _saved(registries: Iterable[Mapping[str, Any]], saved: Mapping[str, datetime], backups: _backups.Wanted) -> Iterator[Finding]:
    for registry in registries:
        moment = saved.get(registry["name"])
        if moment is None:
            yield Finding("backup", registry["name"], f"there is no backup in {backups.folder}")
        elif backups.is_outdated(moment):
            yield Finding("backup", registry["name"], f"the last backup is older than {backups.hours:g} hours", _backups.text(moment))


def _judged(
    policy: Any, places: Collection[str], saved: Mapping[str, datetime] | None, registries: Iterable[Mapping[str, Any]], is_observed: bool = True
) -> Iterator[Finding]:
    try:
        rules = _policy.read(policy, places, saved, datetime.now(timezone.utc), is_observed)
    except _policy.PolicyError as error:
        yield Finding("failed", "", f"The policy was not checked: {error}")
        return
    for violation in rules.violations(registries):
        yield Finding("policy" if violation.is_known else "unjudged", violation.registry, violation.text)


def _databases(compared: Mapping[str, Any]) -> Iterator[Finding]:
    failed = {registry["name"] for registry in compared.get("registries") or [] if registry.get("failed")}
    for one in compared.get("databases") or []:
        if one.get("usable") is False and one["name"] not in failed:
            yield Finding("database", one["name"], f"database: {one['reason']}")


def _compared(compared: Mapping[str, Any], seen: Mapping[str, Any], has_list: bool, purge: bool) -> Iterator[Finding]:
    registries = compared.get("registries") or []
    failed = [registry for registry in registries if registry.get("failed")]
    if has_list and not compared:
        yield Finding("failed", "", "The registries were not compared with the list, because the task was skipped or failed before it began")
    elif compared.get("msg") and not failed and compared["msg"] != seen.get("msg"):
        yield replace(_error(compared), text=f"The registries were not compared with the list: {_error(compared).text}")
    for registry in failed:
        yield Finding("failed", registry["name"], f"cannot be reconciled: {_of(registry)}")
    drift = compared.get("drift") or []
    for one in drift:
        yield Finding("drift", one["registry"], _difference(one))
    restarted = {change["name"] for change in compared.get("changes") or [] if change["action"] == "restart"}
    differs = {one["registry"] for one in drift}
    for registry in registries:
        if registry.get("changed") and not registry.get("failed") and registry["name"] not in differs:
            what = "passwords or certificates have changed since its server started; a restart is required" if registry["name"] in restarted else INCOMPLETE
            yield Finding("drift", registry["name"], what)
    for one in compared.get("unlisted") or [] if purge else []:
        yield Finding("drift", one["name"], "not in the list")


def _difference(one: Mapping[str, Any]) -> str:
    if one["option"] == "name":
        return "does not exist"
    writer = f" (last changed by {one['manager']}, {one['time']})" if one.get("manager") else ""
    return f"{one['option']}: current value {_value(one['before'])}, desired value {_value(one['after'])}{writer}"


def _value(value: Any) -> str:
    if value is None:
        return "not set"
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return f"'{_texts.line(value, LONGEST_VALUE)}'"


def _seen(seen: Mapping[str, Any]) -> Iterator[Finding]:
    if seen.get("msg"):
        yield replace(_error(seen), text=f"The registries were not read: {_error(seen).text}")
    elif "registries" not in seen:
        yield Finding("failed", "", "The registries were not read, because the task was skipped or failed before it began")
    for one in seen.get("skipped_registries") or []:
        yield Finding("skipped", one["name"], one["reason"])
    registries = seen.get("registries") or []
    for registry in registries:
        status = registry["status"]
        if status.get("available") is not True:
            kind, what = ("unavailable", "not available") if status.get("available") is False else ("unknown", "availability not known")
            yield Finding(kind, registry["name"], f"{what}: {_why(status) or 'its status could not be read'}")
    for registry in registries:
        for unread in registry["status"].get("unread_certificates") or []:
            yield Finding("unread", registry["name"], f"the certificates in {unread} were not read. Grant the permissions in rbac/read.yml")
        for one in _found.own_certificates(registry):
            if one["expired"] or one["expires_soon"]:
                when = f"expired {-one['days_left']} days ago" if one["expired"] else f"expires in {one['days_left']} days"
                text = f"certificate {one['subject']} in {one['kind']} {one['name']} {when} ({one['not_after']})"
                yield Finding("expiring", registry["name"], text)
    for registry in registries:
        answer = registry["status"].get("smoke_test")
        if answer and answer["result"] != "ok":
            yield Finding("untested", registry["name"], f"smoke test: {answer['message']}")
        if answer and answer["sunset"]:
            yield Finding("sunset", registry["name"], answer["sunset"]["message"])


def _of(registry: Mapping[str, Any]) -> str:
    """The error of one registry without its name, which the line begins with and other registries with the same error do not have."""
    name = repr(registry["name"])
    return PLACE.sub("", registry["msg"]).lstrip().removeprefix(f"{name}: ").replace(f"registry {name} is not", "not", 1)


def _why(status: Mapping[str, Any]) -> str:
    """Why a registry is not available, with what shows it and what to do about it."""
    return ". ".join(str(status[part]).rstrip(".") for part in ("reason", "evidence", "remedy") if status.get(part))


def _error(result: Mapping[str, Any]) -> Finding:
    """What made a whole run fail. Ansible has printed it if the task itself failed, such as for a variable that is not defined."""
    return Finding("failed", "", "See the error above" if result.get("failed") else str(result["msg"]))


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
    before = Outcome(FAILED, "", 0, [Finding("failed", "", f"FAILED before {when}. See the error above")])
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
        if heads[ROWS_OF_CLUSTERS:]:
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


def results(outcomes: Mapping[str, Outcome], variables: Mapping[str, Any]) -> dict[str, Any]:
    """All of it for programs, with the results of the modules."""
    clusters = {host: {**as_fact(outcome), "results": registered(variables[host])} for host, outcome in outcomes.items()}
    return {**heading(worst(outcomes.values()), datetime.now(timezone.utc)), "clusters": clusters}


def registered(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The results of the modules that a playbook keeps for a host."""
    return {name: variables[name] for name in REGISTERED if name in variables}


def heading(status: str, finished: datetime) -> dict[str, Any]:
    """What every file of results begins with."""
    return {"version": VERSION, "collection_version": _version.collection_version(), "finished": _backups.text(finished), "status": status}
