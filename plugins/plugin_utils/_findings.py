# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be said of registries, by the results of modules: the only source of findings, for the check and for the report. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _texts
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups, _found, _policy

PROBLEM, WARNING, NOTE = SEVERITIES = ("problem", "warning", "note")
LONGEST_VALUE = 200
# Where in the list a registry is: its name says it better, and is not part of what is the same of several.
PLACE = re.compile(r"\bregistries\[\d+\](\.|: )?")
INCOMPLETE = "other objects of the registry need an update, for example after an interrupted run"
OUTDATED = "passwords or certificates have changed since its server started; a restart is required"
DIFFERS = "drift from the list"
RECONCILE = "Run the playbook converge, or change the list"
READ_ALL = "Fix the error, and run the playbook again"
RENEW = "Renew the certificate, and replace it with the playbook rotate_ca"
BACK_UP = "Run the playbook backup on a schedule"
GRANT_READ = "Grant the permissions in rbac/read.yml"


@dataclass(frozen=True)
class Finding:
    """What is said of one registry, or without a name of the cluster. `detail` is what tells it from the same finding of another registry."""

    kind: str
    registry: str
    text: str
    detail: str = ""
    severity: str = WARNING
    remedy: str = ""
    # What is the same tomorrow and for other registries, of a text that says more; and what shows it.
    reason: str = ""
    evidence: str = ""
    # The kind of rule, of the policy or of an audit, that is violated or could not be checked.
    rule: str = ""


def of_comparison(compared: Mapping[str, Any], seen: Mapping[str, Any], has_list: bool, purge: bool) -> Iterator[Finding]:
    """Of a result of `model_registries` in check mode, which is empty if its task was skipped."""
    registries = compared.get("registries") or []
    failed = [registry for registry in registries if registry.get("failed")]
    if has_list and not compared:
        text = "The registries were not compared with the list, because the task was skipped or failed before it began"
        yield Finding("failed", "", text, severity=PROBLEM, remedy=READ_ALL)
    elif compared.get("msg") and not failed and compared["msg"] != seen.get("msg"):
        yield replace(of_error(compared), text=f"The registries were not compared with the list: {of_error(compared).text}")
    for registry in failed:
        yield Finding("failed", registry["name"], f"cannot be reconciled: {error_of(registry)}", severity=PROBLEM, remedy="Correct the entry in the list")
    drift = compared.get("drift") or []
    for one in drift:
        yield Finding(
            "drift", one["registry"], _difference(one), remedy=RECONCILE, reason="in the list, but not in the cluster" if is_missing(one) else DIFFERS
        )
    differs = {one["registry"] for one in drift}
    for registry in registries:
        if registry.get("changed") and not registry.get("failed") and registry["name"] not in differs:
            yield Finding("drift", registry["name"], OUTDATED if registry["name"] in restarted(compared) else INCOMPLETE, remedy="Run the playbook converge")
    for one in compared.get("unlisted") or [] if purge else []:
        yield Finding("drift", one["name"], "not in the list", remedy="Add the registry to the list, or delete it")


def is_compared(compared: Mapping[str, Any]) -> bool:
    """Whether registries were compared with a list: none of them is if an entry of the list is not valid, or if the cluster could not be read."""
    return "drift" in compared and compared.get("compared", True) is True


def restarted(compared: Mapping[str, Any]) -> set[str]:
    """The names of the registries that a reconciliation restarts, or would restart."""
    return {change["name"] for change in compared.get("changes") or [] if change["action"] == "restart"}


def is_missing(one: Mapping[str, Any]) -> bool:
    """Whether a difference is that the registry does not exist."""
    return bool(one["option"] == "name")


def _difference(one: Mapping[str, Any]) -> str:
    if is_missing(one):
        return "does not exist"
    writer = f" (last changed by {one['manager']}, {one['time']})" if one.get("manager") else ""
    return f"{one['option']}: current value {_value(one['before'])}, desired value {_value(one['after'])}{writer}"


def _value(value: Any) -> str:
    if value is None:
        return "not set"
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return f"'{_texts.line(value, LONGEST_VALUE)}'"


def of_status(seen: Mapping[str, Any]) -> Iterator[Finding]:
    """Of a result of `model_registry_info`, which is empty if its task was skipped."""
    if seen.get("msg"):
        yield replace(of_error(seen), text=f"The registries were not read: {of_error(seen).text}")
    elif "registries" not in seen:
        text = "The registries were not read, because the task was skipped or failed before it began"
        yield Finding("failed", "", text, severity=PROBLEM, remedy=READ_ALL)
    for one in seen.get("skipped_registries") or []:
        yield Finding("skipped", one["name"], one["reason"], remedy="Delete the registry in the cluster, or manage it there")
    registries = seen.get("registries") or []
    for registry in registries:
        status = registry["status"]
        if status.get("available") is not True:
            kind, what = ("unavailable", "not available") if status.get("available") is False else ("unknown", "availability not known")
            yield Finding(
                kind,
                registry["name"],
                f"{what}: {why(status) or 'its status could not be read'}",
                severity=PROBLEM if kind == "unavailable" else WARNING,
                remedy=str(status.get("remedy") or ("" if status.get("reason") else GRANT_READ)),
                reason=f"{what}: {status.get('reason') or 'its status could not be read'}",
                evidence=str(status.get("evidence") or ""),
            )
    for registry in registries:
        for unread in registry["status"].get("unread_certificates") or []:
            yield Finding("unread", registry["name"], f"the certificates in {unread} were not read. {GRANT_READ}", remedy=GRANT_READ)
        for one in _found.own_certificates(registry):
            if one["expired"] or one["expires_soon"]:
                when = f"expired {-one['days_left']} days ago" if one["expired"] else f"expires in {one['days_left']} days"
                text = f"certificate {one['subject']} in {one['kind']} {one['name']} {when} ({one['not_after']})"
                reason = (
                    f"certificate {one['subject']} in {one['kind']} {one['name']} {'has expired' if one['expired'] else 'expires soon'} ({one['not_after']})"
                )
                yield Finding("expiring", registry["name"], text, severity=PROBLEM if one["expired"] else WARNING, remedy=RENEW, reason=reason)
    for registry in registries:
        answer = registry["status"].get("smoke_test")
        if answer and answer["result"] != "ok":
            yield Finding(
                "untested", registry["name"], f"smoke test: {answer['message']}", remedy="Grant the account access to the registry, or check its address"
            )
        if answer and answer["sunset"]:
            remedy = "Update all clients of the registry to the newer version of the API before that date"
            yield Finding("sunset", registry["name"], answer["sunset"]["message"], remedy=remedy)


def of_databases(compared: Mapping[str, Any]) -> Iterator[Finding]:
    """Of the databases that a comparison has checked."""
    failed = {registry["name"] for registry in compared.get("registries") or [] if registry.get("failed")}
    for one in compared.get("databases") or []:
        if one.get("usable") is False and one["name"] not in failed:
            yield Finding(
                "database", one["name"], f"database: {one['reason']}", severity=PROBLEM, remedy="Fix the database before you run the playbook converge"
            )


def of_backups(registries: Iterable[Mapping[str, Any]], saved: Mapping[str, datetime], backups: _backups.Wanted) -> Iterator[Finding]:
    """Of registries whose last backups were made then."""
    for registry in registries:
        moment = saved.get(registry["name"])
        if moment is None:
            yield Finding("backup", registry["name"], f"there is no backup in {backups.folder}", remedy=BACK_UP)
        elif backups.is_outdated(moment):
            yield Finding("backup", registry["name"], f"the last backup is older than {backups.hours:g} hours", _backups.text(moment), remedy=BACK_UP)


def of_policy(
    policy: Any, places: Collection[str], saved: Mapping[str, datetime] | None, registries: Iterable[Mapping[str, Any]], now: datetime, is_observed: bool = True
) -> Iterator[Finding]:
    """Of the rules of the organization, for the host of a cluster and its groups."""
    try:
        rules = _policy.read(policy, places, saved, now, is_observed)
    except _policy.PolicyError as error:
        yield Finding("failed", "", f"The policy was not checked: {error}", severity=PROBLEM, remedy="Correct model_registries_policy")
        return
    for violation in rules.violations(registries):
        remedy = REMEDIES[violation.rule] if violation.is_known else "Set model_registry_backup_folder" if violation.rule == "backup" else GRANT_READ
        yield Finding("policy" if violation.is_known else "unjudged", violation.registry, violation.text, remedy=remedy, rule=violation.rule)


# What an audit asks of every registry, whatever the rules of the organization are: some of the same rules.
AUDIT = tuple({"name": rule, "rule": rule} for rule in ("verified_tls", "no_generated_database", "no_broad_access"))
_CORRECT = "Correct the value, or change the rule"
REMEDIES = {
    "no_broad_access": "Revoke the access of this group, and grant access to the groups of the teams that need it",
    "verified_tls": "Set database.ca to the CA that signed the certificate of the database, and for MySQL also database.verify_server_cert to true",
    "no_generated_database": "Use a generated database for tests only. The playbook migrate moves the registry with its data to an external database",
    "certificates": RENEW,
    "backup": BACK_UP,
    "subjects": "Revoke the access of these subjects",
    **dict.fromkeys(("name", "display_name", "description"), _CORRECT),
}


def of_audit(policy: Any, places: Collection[str], registries: Collection[Mapping[str, Any]], now: datetime) -> Iterator[Finding]:
    """What violates the rules of an audit, but for registries that violate the same rule of the organization. What is not known is said elsewhere.

    PolicyError for a policy that is not valid.
    """
    own = {(one.registry, one.rule) for one in _policy.read(policy, places, None, now).violations(registries)}
    for violation in _policy.read(list(AUDIT), (), None, now).violations(registries):
        if violation.is_known and (violation.registry, violation.rule) not in own:
            yield Finding("audit", violation.registry, violation.said, remedy=REMEDIES[violation.rule], rule=violation.rule)


def error_of(registry: Mapping[str, Any]) -> str:
    """The error of one registry without its name, which the line begins with and other registries with the same error do not have."""
    name = repr(registry["name"])
    return PLACE.sub("", registry["msg"]).lstrip().removeprefix(f"{name}: ").replace(f"registry {name} is not", "not", 1)


def why(status: Mapping[str, Any]) -> str:
    """Why a registry is not available, with what shows it and what to do about it."""
    return ". ".join(str(status[part]).rstrip(".") for part in ("reason", "evidence", "remedy") if status.get(part))


def of_error(result: Mapping[str, Any]) -> Finding:
    """What made a whole run fail. Ansible has printed it if the task itself failed, such as for a variable that is not defined."""
    return Finding("failed", "", "See the error above" if result.get("failed") else str(result["msg"]), severity=PROBLEM, remedy=READ_ALL)
