# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the entries of a list of registries: all of it, with its place. Ansible's own check names the first problem only, without the place."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.modelops.openshift_ai.plugins.module_utils._arguments import REGISTRY_ITEM
from ansible_collections.modelops.openshift_ai.plugins.module_utils._registry import Problem, registry_from_options

LIST = "registries"
# What each type of option is to be given.
WANTED = {
    "str": ("text", "Give a text, in quotes"),
    "int": ("whole number", "Give a whole number"),
    "bool": ("truth value", "Give true or false"),
    "list": ("list", "Give a list"),
    "dict": ("dictionary", "Give a dictionary"),
}
# Accepted in what was exported, and nothing that one would write.
UNWRITTEN = "status"
# Options of the module for one registry that a list expresses otherwise.
ELSEWHERE = {"state": "Leave it out: what is listed is to be there, and purge deletes what is not"}


def item_problems(registries: Any, namespace: Any) -> list[Problem]:
    """Everything that is wrong with the option `registries` of a call with this `namespace`, and needs no cluster to be found.

    Empty when every entry has the right options of the right types: the rules about their values are the module's. When it is not, what breaks a rule is
    added, so that everything is said at once. No problem holds the value: it may be a password that was given to the wrong option.
    """
    if not isinstance(registries, list):
        return [_wrong_type(LIST, registries, "list", "Give a list of dictionaries, one for each registry")]
    problems: list[Problem] = []
    right = {index: _value(item, {"type": "dict", "options": REGISTRY_ITEM}, f"{LIST}[{index}]", problems) for index, item in enumerate(registries)}
    problems += _repeated({index: item for index, item in right.items() if item is not None}, namespace)
    if problems:
        said = {problem.option for problem in problems}
        broken = [problem for index, item in right.items() if item is not None for problem in _broken_rules(index, item)]
        problems += [problem for problem in broken if said.isdisjoint((problem.option, problem.option.rpartition(".")[0]))]
    return sorted(problems, key=lambda problem: int(problem.option.partition("[")[2].partition("]")[0]))


def _value(value: Any, spec: Mapping[str, Any], path: str, problems: list[Problem]) -> Any:
    """What of a value fits its spec; None when nothing does."""
    if "options" in spec and spec["type"] == "dict":
        return _dictionary(value, spec["options"], path, problems)
    if not _fits(value, spec):
        problems.append(_choice_problem(path, spec["choices"]) if "choices" in spec else _wrong_type(path, value, *WANTED[spec["type"]]))
        return None
    if spec.get("elements") == "dict" and isinstance(value, list):
        return [_dictionary(entry, spec["options"], f"{path}[{index}]", problems) for index, entry in enumerate(value)]
    return value


def _dictionary(value: Any, specs: Mapping[str, Any], path: str, problems: list[Problem]) -> dict[str, Any] | None:
    # Ansible takes a text with an equals sign for a dictionary: it may be a password, and its first half would be called an unknown option.
    if not isinstance(value, Mapping):
        problems.append(_wrong_type(path, value, "dictionary", f"Give a dictionary with {_listed(specs, 'and')}"))
        return None
    problems += [_unknown_option(path, str(key), specs) for key in value if key not in specs]
    right = {key: _value(value[key], spec, f"{path}.{key}", problems) for key, spec in specs.items() if value.get(key) is not None}
    for key in (key for key, spec in specs.items() if spec.get("required")):
        if key not in value:
            problems.append(Problem(f"{path}.{key}", "is missing", "Give it"))
        elif value[key] is None or (isinstance(value[key], str) and not value[key].strip()):
            problems.append(Problem(f"{path}.{key}", "is empty", "Give a text"))
            right[key] = None
    return right


def _fits(value: Any, spec: Mapping[str, Any]) -> bool:
    kind = spec["type"]
    # Ansible would make texts of them, and take a truth value for a number.
    if kind in ("str", "int") and isinstance(value, (bool, Mapping, list)):
        return False
    if kind == "raw" or (kind == "str" and "choices" not in spec):
        return True
    # What is plainly right is not worth a validator: there are thousands of them.
    if isinstance(value, {"str": str, "int": int, "bool": bool, "list": list, "dict": Mapping}[kind]) and value in spec.get("choices", [value]):
        return True
    if spec.get("elements") == "dict":
        return False
    return not ArgumentSpecValidator({"value": spec}).validate({"value": _plain(value)}).error_messages


def _repeated(items: Mapping[int, Mapping[str, Any]], namespace: Any) -> list[Problem]:
    problems = []
    first: dict[tuple[str, str], int] = {}
    for index, item in items.items():
        if item.get("name") is not None:
            before = first.setdefault((str(item.get("namespace") or namespace or ""), str(item["name"])), index)
            if before != index:
                problems.append(Problem(f"{LIST}[{index}].name", f"is the name of {LIST}[{before}] too", "List each registry once"))
    return problems


def _broken_rules(index: int, item: Mapping[str, Any]) -> Iterator[Problem]:
    """What the module would say of the values that have the right types."""
    # Imported here: Ansible compiles it in every run that does, and mostly nothing is wrong.
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._grants import permissions_from_options

    options = ArgumentSpecValidator(REGISTRY_ITEM).validate(_plain(item)).validated_parameters
    problems: list[Problem] = []
    # What is wrong with the name has been said when there is none.
    registry_from_options({**options, "name": options["name"] or "name"}, options["namespace"] or "", problems, [])
    if options["permissions"] is not None:
        permissions_from_options(options["permissions"], False, problems, [])
    for problem in problems:
        # What the dashboard would derive from a name tells it.
        remedy = "Give a resource name" if problem.option == "name" else problem.remedy
        yield replace(problem, option=f"{LIST}[{index}].{problem.option}", value=None, remedy=remedy)


def _plain(value: Any) -> Any:
    """A value without the origins and other marks that Ansible puts on each part of it, which take a hundred times as long to copy as itself."""
    if isinstance(value, Mapping):
        return {_plain(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    # What else there is, a date or what older versions of Ansible keep encrypted, reaches the module as text.
    return str.__str__(value) if isinstance(value, str) else str(value)


def _wrong_type(path: str, value: Any, wanted: str, remedy: str) -> Problem:
    if value is None:
        return Problem(path, "is empty", remedy)
    kinds: list[tuple[Any, str]] = [(bool, "a truth value"), ((int, float), "a number"), (Mapping, "a dictionary"), (list, "a list")]
    given = next((name for kind, name in kinds if isinstance(value, kind)), "a text")
    return Problem(path, f"is {given} and no {wanted}", remedy)


def _choice_problem(path: str, choices: list[str]) -> Problem:
    return Problem(path, "is nothing that can be chosen", f"Use {_listed(choices, 'or')}")


def _unknown_option(path: str, key: str, specs: Mapping[str, Any]) -> Problem:
    """An option that does not exist, with the one that was probably meant: one of this name in another place, or one that is spelt alike, here or there."""
    names = [name for name in specs if name != UNWRITTEN]
    places: dict[str, list[str]] = {}
    for place in _places(REGISTRY_ITEM):
        places.setdefault(place.rpartition(".")[2], []).append(f"{path.partition('.')[0]}.{place}")
    here, anywhere = (difflib.get_close_matches(key, candidates, n=1) for candidates in (names, [name for name in places if name != UNWRITTEN]))
    if key in ELSEWHERE:
        remedy = ELSEWHERE[key]
    elif key in places:
        remedy = f"It belongs to {' or '.join(places[key])}"
    elif here:
        remedy = f"It is probably {here[0]}"
    elif anywhere:
        remedy = f"It is probably {' or '.join(places[anywhere[0]])}"
    else:
        remedy = f"There are {_listed(names, 'and')}"
    return Problem(f"{path}.{key}", "is no option", remedy)


def _places(specs: Mapping[str, Any]) -> Iterator[str]:
    for name, spec in specs.items():
        yield name
        if "options" in spec and spec["type"] == "dict":
            yield from (f"{name}.{place}" for place in _places(spec["options"]))


def _listed(names: Any, last: str) -> str:
    *others, end = [name for name in names if name != UNWRITTEN]
    return f"{', '.join(others)} {last} {end}" if others else str(end)
