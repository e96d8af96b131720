# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How registries and other objects can be called, and which name was meant."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Collection
from dataclasses import replace

from .. import _errors, _texts

# The dashboard's limit since OpenShift AI 3.4, and the operator's: `<name>-auth-delegator` is the value of a label, which may have 63 characters.
DASHBOARD_NAME_LENGTH = 40
OPERATOR_NAME_LENGTH = 48
NAME_PATTERN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
# From this version of Kubernetes on the name of a Service, which the operator names like the registry, may begin with a digit.
LEADING_DIGIT = (1, 36)
# What the API server takes as the name of an object, of a namespace, and of a key in a ConfigMap or Secret.
OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
NAMESPACE_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
KEY_NAME = re.compile(r"(?!\.\.?$)[-._a-zA-Z0-9]{1,253}")
# For more names than this only those are looked for that differ in one character: to compare each would take seconds.
COMPARED_NAMES = 200


def not_found(name: str, namespace: str, names: Collection[str]) -> str:
    """That there is no such registry, with the one of these names that is probably meant."""
    similar = similar_name(name, names)
    hint = f" (did you mean {similar!r}?)" if similar else ""
    return f"Registry{_texts.repeated(name)} does not exist in namespace{_texts.repeated(namespace)}{hint}"


def similar_name(name: str, names: Collection[str]) -> str | None:
    """The name that was probably meant."""
    close = names if len(names) <= COMPARED_NAMES else _differing_in_one_character(name).intersection(names)
    return next(iter(difflib.get_close_matches(name, close, 1)), None)


def _differing_in_one_character(name: str) -> set[str]:
    """All names that become this one when one character is added, removed or replaced, or two neighbors change places."""
    halves = [(name[:place], name[place:]) for place in range(len(name) + 1)]
    added = {f"{left}{character}{rest}" for left, right in halves for character in "abcdefghijklmnopqrstuvwxyz0123456789-._@:" for rest in (right, right[1:])}
    return added | {left + right[1:] for left, right in halves} | {left + right[1:2] + right[:1] + right[2:] for left, right in halves}


def name_problems(name: str) -> list[_errors.Problem]:
    """What is wrong with the resource name of a registry that is to be created."""
    if not NAME_PATTERN.fullmatch(name):
        derived = resource_name(name) if _texts.may_repeat(name) else ""
        remedy = f"Use {derived!r}, as the dashboard does" if derived else "Use a name such as fraud-models"
        return [
            _errors.Problem(
                "name", "is not a valid resource name: only lowercase letters, digits and hyphens, starting and ending with a letter or digit", remedy, name
            )
        ]
    if len(name) > OPERATOR_NAME_LENGTH:
        remedy = f"Use at most {OPERATOR_NAME_LENGTH} characters"
        return [_errors.Problem("name", f"has {len(name)} characters, but the operator supports at most {OPERATOR_NAME_LENGTH}", remedy, name)]
    return []


def live_name_problems(name: str, option: str = "name") -> list[_errors.Problem]:
    """What is wrong with the name of a registry that may exist: it can have one that the product cannot work with, but none that no object can have."""
    return [] if OBJECT_NAME.fullmatch(name) else [replace(problem, option=option) for problem in name_problems(name)]


def namespace_problems(namespace: str | None, option: str = "namespace") -> list[_errors.Problem]:
    """What is wrong with the name of a namespace, if one is given."""
    if not namespace or NAMESPACE_NAME.fullmatch(namespace):
        return []
    return [_errors.Problem(option, "is not a valid name of a namespace", "Use lowercase letters, digits and hyphens, or omit it", namespace)]


def derived(text: str, characters: str, length: int) -> str:
    """As many of these characters as a name needs to be another one for another text: a run that was killed finds it again."""
    digest = int(hashlib.sha256(text.encode()).hexdigest(), 16)
    return "".join(characters[digest // len(characters) ** place % len(characters)] for place in range(length))


def resource_name(text: str) -> str:
    """The resource name that the dashboard derives from a display name; empty when nothing of it is left."""
    name = re.sub(r"\s", "-", text.lower())
    name = re.sub(r"[^a-z0-9-]", "", name)
    name = re.sub(r"-+", "-", name.strip("-"))
    return name[:DASHBOARD_NAME_LENGTH].rstrip("-")
