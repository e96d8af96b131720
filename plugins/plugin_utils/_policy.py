# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that an organization has for its registries, and which registries violate them. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _texts
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.permissions import EVERYBODY
from ansible_collections.modelops.openshift_ai.plugins.module_utils._options import GENERATED
from ansible_collections.modelops.openshift_ai.plugins.plugin_utils import _backups, _found

# The option that each rule takes.
DAYS, HOURS, PATTERN = "days", "hours", "pattern"
OPTIONS = {
    "no_broad_access": "",
    "verified_tls": "",
    "no_generated_database": "",
    "certificates": DAYS,
    "backup": HOURS,
    "name": PATTERN,
    "display_name": PATTERN,
    "description": PATTERN,
    "subjects": PATTERN,
}
COMMON = ("name", "rule", "clusters", "registries")
# What only a look at a registry shows, and its definition does not.
OBSERVED = ("certificates", "backup")


class PolicyError(Exception):
    """The policy is not valid; the message says where, for each of its rules."""


@dataclass(frozen=True)
class Rule:
    """A rule, the option that it takes, and which registries of which hosts or groups it is for; all without `clusters` or `registries`."""

    name: str
    rule: str
    limit: Any
    clusters: Collection[str]
    registries: Collection[str]


@dataclass(frozen=True)
class Violation:
    """What is said of a registry and a rule. `is_known` is false if it could not be checked."""

    registry: str
    # Of the policy, and what kind of rule it is.
    name: str
    rule: str
    said: str
    is_known: bool = True

    @property
    def text(self) -> str:
        """What is said, with the name of the rule."""
        return f"policy {_texts.line(self.name)!r}: {self.said}"


@dataclass(frozen=True)
class Policy:
    """The rules for one cluster, by the name of its host and those of its groups, and when the last backups of its registries were made, where it is known.

    `is_observed` is false for the definitions of registries in a list, which only some rules are about.
    """

    rules: tuple[Rule, ...]
    saved: Mapping[str, datetime] | None
    now: datetime
    is_observed: bool = True

    def violations(self, registries: Iterable[Mapping[str, Any]]) -> Iterator[Violation]:
        """Of registries as `model_registry_info` returns them, or as a list has them."""
        rules = [rule for rule in self.rules if self.is_observed or rule.rule not in OBSERVED]
        for registry in registries:
            for rule in rules:
                if any(fnmatch.fnmatchcase(registry["name"], pattern) for pattern in rule.registries):
                    for text in RULES[rule.rule](self, rule, registry):
                        yield Violation(registry["name"], rule.name, rule.rule, text or "it could not be checked", text is not None)


def read(given: Any, places: Collection[str], saved: Mapping[str, datetime] | None, now: datetime, is_observed: bool = True) -> Policy:
    """The policy for the host and the groups in `places`. PolicyError if it is not valid."""
    if not isinstance(given, (list, tuple)):
        raise PolicyError("model_registries_policy is not a list")
    problems: list[str] = []
    rules = [rule for number, one in enumerate(given) for rule in [_rule(f"model_registries_policy[{number}]", one, problems)] if rule]
    if problems:
        raise PolicyError(". ".join(problems))
    return Policy(tuple(rule for rule in rules if not rule.clusters or not set(rule.clusters).isdisjoint(places)), saved, now, is_observed)


def _rule(place: str, given: Any, problems: list[str]) -> Rule | None:
    if not isinstance(given, Mapping):
        problems.append(f"{place} is not a dictionary")
        return None
    before = len(problems)
    rule = given.get("rule")
    if not isinstance(given.get("name"), str) or not given["name"].strip():
        problems.append(f"{place}.name is missing")
    if rule not in OPTIONS:
        problems.append(f"{place}.rule is not one of {', '.join(OPTIONS)}")
        return None
    option = OPTIONS[rule]
    if unknown := [str(key) for key in given if key not in (*COMMON, option)]:
        problems.append(f"{place}.{_texts.names_of(unknown)} is not an option of rule {rule}")
    limit = given.get(option) if option else None
    if option in (DAYS, HOURS) and (isinstance(limit, bool) or not isinstance(limit, (int, float)) or limit < 0):
        problems.append(f"{place}.{option} is not a number")
    if option == PATTERN:
        try:
            limit = re.compile(str(limit)) if limit is not None else None
        except re.error as error:
            problems.append(f"{place}.{option} is not a regular expression: {error}")
        if limit is None:
            problems.append(f"{place}.{option} is missing")
    listed = {}
    for key in ("clusters", "registries"):
        value = given.get(key, [])
        if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value):
            problems.append(f"{place}.{key} is not a list of names")
            value = []
        listed[key] = list(value)
    return Rule(str(given["name"]), rule, limit, listed["clusters"], listed["registries"] or ["*"]) if len(problems) == before else None


# The rules. Each yields what is wrong, and None if it cannot be known.


def _no_broad_access(policy: Policy, _rule: Rule, registry: Mapping[str, Any]) -> Iterator[str | None]:
    subjects = _subjects(policy, registry)
    if subjects is None:
        yield None
        return
    for name in dict.fromkeys(name for kind, name in subjects if kind == "group" and name in EVERYBODY):
        yield f"nearly all users have access, through {name}"


def _subjects_match(policy: Policy, rule: Rule, registry: Mapping[str, Any]) -> Iterator[str | None]:
    subjects = _subjects(policy, registry)
    if subjects is None:
        yield None
        return
    if others := list(dict.fromkeys(name for _kind, name in subjects if not rule.limit.fullmatch(name))):
        yield f"{_texts.names_of(others)} must not have access. Subjects must match {rule.limit.pattern!r}"


def _subjects(policy: Policy, registry: Mapping[str, Any]) -> list[tuple[str, str]] | None:
    """The kinds and names of those who have access, None if it is not known."""
    if policy.is_observed:
        access = registry["status"].get("access")
        return None if access is None else [(one["kind"], str(one["name"])) for one in access if one["effective"] and not one.get("platform")]
    permissions = registry.get("permissions") or {}
    named = [(kind, str(name)) for kind, key in (("group", "groups"), ("user", "users"), ("project", "projects")) for name in permissions.get(key) or ()]
    return named + [("service_account", str(one["name"])) for one in permissions.get("service_accounts") or ()]


def _verified_tls(policy: Policy, _rule: Rule, registry: Mapping[str, Any]) -> Iterator[str | None]:
    view = _found.view_of(registry)
    if view is None:
        return
    # 0.1 s, most of it for certificates.
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._database import transport

    use = transport.encryption(view)
    if not use.encrypted or use.optional:
        yield "the connection to the database is not encrypted, or only if the server supports it"
    elif not use.checks_chain:
        yield "the certificate of the database is not verified"


def _no_generated_database(_policy: Policy, _rule: Rule, registry: Mapping[str, Any]) -> Iterator[str | None]:
    if (registry.get("database") or {}).get("type") == GENERATED:
        yield "the database is generated by the product"


def _certificates(_policy: Policy, rule: Rule, registry: Mapping[str, Any]) -> Iterator[str | None]:
    if registry["status"].get("unread_certificates") or "certificates" not in registry["status"]:
        yield None
    for one in _found.own_certificates(registry):
        if one["expired"] or one["days_left"] < rule.limit:
            yield f"certificate {one['subject']} in {one['kind']} {one['name']} is not valid for {rule.limit:g} days ({one['not_after']})"


def _backup(policy: Policy, rule: Rule, registry: Mapping[str, Any]) -> Iterator[str | None]:
    if policy.saved is None:
        yield None
        return
    moment = policy.saved.get(registry["name"])
    if moment is None:
        yield "there is no backup"
    elif policy.now - moment > timedelta(hours=rule.limit):
        yield f"the last backup is older than {rule.limit:g} hours ({_backups.text(moment)})"


def _text_matches(_policy: Policy, rule: Rule, registry: Mapping[str, Any]) -> Iterator[str | None]:
    value = str(registry.get(rule.rule) or "")
    if not rule.limit.fullmatch(value):
        yield f"the {rule.rule.replace('_', ' ')} does not match {rule.limit.pattern!r}" if value else f"the {rule.rule.replace('_', ' ')} is empty"


RULES: dict[str, Callable[[Policy, Rule, Mapping[str, Any]], Iterator[str | None]]] = {
    "no_broad_access": _no_broad_access,
    "verified_tls": _verified_tls,
    "no_generated_database": _no_generated_database,
    "certificates": _certificates,
    "backup": _backup,
    "name": _text_matches,
    "display_name": _text_matches,
    "description": _text_matches,
    "subjects": _subjects_match,
}
