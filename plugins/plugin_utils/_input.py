# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the options of a task: all of it, each with its place. Ansible's own check names the first problem only, without the place."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.validation import check_type_dict

from ansible_collections.modelops.openshift_ai.plugins.module_utils._errors import Problem
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.desired_state import registry_from_options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._options import OF_MODULE, REGISTRY_ITEM
from ansible_collections.modelops.openshift_ai.plugins.module_utils._texts import may_repeat

LIST = "registries"
MISSING, MEANT = "is required", "Did you mean "
# What each type of option is to be given.
WANTED = {
    "str": ("a string", "Set a string, in quotes"),
    "path": ("a path", "Set the path of a file"),
    "int": ("an integer", "Set a whole number"),
    "float": ("a number", "Set a number"),
    "bool": ("a boolean", "Set true or false"),
    "list": ("a list", "Set a list"),
    "dict": ("a dictionary", "Set a dictionary"),
    "raw": ("a value", "Set a value"),
}
PLAIN = {"str": str, "path": str, "int": int, "float": float, "bool": bool, "list": list, "dict": Mapping}
# Accepted in what was exported, and nothing that one would write.
UNWRITTEN = "status"
# Options of the module for one registry that a list expresses otherwise.
ELSEWHERE = {"state": "Remove the option. Listed registries are created, and purge deletes registries that are not listed"}
# More than any option means, and less than what Python and JSON cannot write.
MOST_BITS = 63


@dataclass(frozen=True)
class _Root:
    """The options among which the place of a misspelt one is looked for: those of the module, or of the entry of the list."""

    specs: Mapping[str, Any]
    path: str = ""


def option_problems(module: str, arguments: Mapping[str, Any], shared: Mapping[str, Any]) -> list[Problem]:
    """Everything that is wrong with the options of a module of this collection, and needs neither the module nor a cluster to be found.

    `shared` are the specs of the options that all modules have. Empty when every option has the right type: the rules about values are the module's.
    When it is not, what breaks a rule is added, so that everything is said at once.
    """
    if module not in OF_MODULE:
        return []
    problems: list[Problem] = []
    root = _Root(OF_MODULE[module])
    known = {name: spec for option, spec in shared.items() for name in (option, *spec.get("aliases", ()))}
    right = _dictionary(arguments, {**known, **root.specs}, root, "", problems) or {}
    items: dict[int, Mapping[str, Any]] = {}
    if module == "model_registries":
        items = {index: item for index, item in enumerate(right.get(LIST) or ()) if isinstance(item, Mapping)}
        problems += _repeated(items, right.get("namespace"))
    if problems:
        said = {problem.option for problem in problems}
        broken = [
            *_broken_rules("", root.specs, right),
            *(found for index, item in items.items() for found in _broken_rules(_path(index), REGISTRY_ITEM, item)),
        ]
        problems += [problem for problem in broken if said.isdisjoint((problem.option, problem.option.rpartition(".")[0]))]
    misspelt = {_below(problem.option.rpartition(".")[0], problem.remedy[len(MEANT) : -1]) for problem in problems if problem.remedy.startswith(MEANT)}
    return sorted((problem for problem in problems if problem.problem != MISSING or problem.option not in misspelt), key=_index)


def _path(index: int) -> str:
    return f"{LIST}[{index}]"


def _index(problem: Problem) -> int:
    """Where in the list a problem is; what is outside of it comes first."""
    return int(problem.option.partition("[")[2].partition("]")[0]) if problem.option.startswith(f"{LIST}[") else -1


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _value(value: Any, spec: Mapping[str, Any], root: _Root, path: str, problems: list[Problem]) -> Any:
    """The parts of a value that match its spec, with a problem for each other part; None, as for an omitted option, if nothing matches."""
    kind = spec.get("type", "str")
    if kind == "dict" and "options" in spec:
        return _dictionary(value, spec["options"], root, path, problems)
    unsendable = _unsendable(value) if kind in ("str", "path", "raw", "dict") else ""
    if unsendable:
        problems.append(Problem(path, unsendable, "Set a string in UTF-8" if "UTF-8" in unsendable else "Set another value"))
    elif kind == "list" and isinstance(value, list):
        element = {**spec, "type": spec.get("elements", "raw")}
        return [_element(entry, element, root, f"{path}[{index}]", problems) for index, entry in enumerate(value)]
    elif not _fits(value, spec, kind):
        problems.append(_choice_problem(path, value, spec["choices"]) if "choices" in spec and kind != "list" else _wrong_type(path, value, *WANTED[kind]))
    else:
        return value
    return None


def _element(value: Any, spec: Mapping[str, Any], root: _Root, path: str, problems: list[Problem]) -> Any:
    if spec["type"] == "dict":
        return _value(value, spec, _Root(spec["options"], path) if path.startswith(f"{LIST}[") else root, path, problems)
    if value is None or (spec["type"] == "str" and isinstance(value, int)):
        # A name that looks like a number, such as 007, is another one as a text.
        problems.append(_wrong_type(path, value, *WANTED[spec["type"]]))
        return None
    return _value(value, spec, root, path, problems)


def _dictionary(given: Any, specs: Mapping[str, Any], root: _Root, path: str, problems: list[Problem]) -> dict[str, Any] | None:
    value = read_dictionary(given)
    if value is None:
        problems.append(_wrong_type(path, given, "a dictionary", _dictionary_of(specs)))
        return None
    problems += [_unknown_option(path, str(key), specs, root) for key in value if key not in specs]
    right: dict[str, Any] = {}
    for key, spec in specs.items():
        place = _below(path, key)
        fitting = None if value.get(key) is None else _value(value[key], spec, root, place, problems)
        if fitting is not None:
            right[key] = fitting
        if spec.get("required") and key not in value:
            problems.append(Problem(place, MISSING, _required(spec) if "choices" in spec else "Set it"))
        elif spec.get("required") and (value[key] is None or (isinstance(value[key], str) and not value[key].strip())):
            problems.append(Problem(place, "is empty", _required(spec)))
            right.pop(key, None)
        elif key in value and value[key] is None and spec.get("default") is not None:
            problems.append(Problem(place, "is empty", "Remove the option, or set a value"))
    return right


def _required(spec: Mapping[str, Any]) -> str:
    """The remedy for a required option without a value."""
    if "choices" in spec:
        return f"Set it to {_listed(spec['choices'], 'or')}"
    return "Set a string" if spec["type"] == "str" else WANTED[spec["type"]][1]


def read_dictionary(value: Any) -> Mapping[Any, Any] | None:
    """A dictionary, also one that is written as a text. Ansible takes one with an equals sign too: it may be a password, whose half it would repeat."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = check_type_dict(value)
        except (TypeError, ValueError):
            return None
    return value if isinstance(value, Mapping) else None


def _fits(value: Any, spec: Mapping[str, Any], kind: str) -> bool:
    # Ansible would make texts of them, and take a truth value for a number.
    if kind in ("str", "path", "int", "float") and isinstance(value, (bool, bytes, Mapping, list, tuple, set)):
        return False
    if (kind == "str" and isinstance(value, float)) or _is_endless(value):
        return False
    if kind == "raw" or (kind in ("str", "path") and "choices" not in spec):
        return True
    # What is plainly right is not worth a validator: there are thousands of them.
    if isinstance(value, PLAIN[kind]) and value in spec.get("choices", [value]):
        return True
    try:
        found = ArgumentSpecValidator({"value": {**spec, "type": kind}}).validate({"value": _plain(value)})
    except (ArithmeticError, TypeError, ValueError):
        return False
    return not found.error_messages and not _is_endless(found.validated_parameters["value"])


def _is_endless(value: Any) -> bool:
    """Whether a number is one that neither Python nor JSON can write or wait for."""
    return value.bit_length() > MOST_BITS if isinstance(value, int) else isinstance(value, float) and not math.isfinite(value)


def _unsendable(value: Any) -> str:
    """Why a value cannot be sent to a module; empty when it can."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return "contains bytes that are not valid UTF-8"
        return ""
    if isinstance(value, Mapping):
        return next(filter(None, (_unsendable(part) for entry in value.items() for part in entry)), "")
    if isinstance(value, (list, tuple)):
        return next(filter(None, map(_unsendable, value)), "")
    if isinstance(value, (bytes, set)):
        return "is not a string, number, boolean, list or dictionary"
    return "is too large a number" if _is_endless(value) else ""


def _repeated(items: Mapping[int, Mapping[str, Any]], namespace: Any) -> list[Problem]:
    problems = []
    first: dict[tuple[str, str], int] = {}
    for index, item in items.items():
        if item.get("name") is not None:
            before = first.setdefault((str(item.get("namespace") or namespace), str(item["name"])), index)
            if before != index:
                problems.append(Problem(f"{_path(index)}.name", f"is also the name of {_path(before)}", "List each registry once"))
    return problems


def _broken_rules(path: str, specs: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[Problem]:
    """What the module would say of the values that have the right types."""
    # Imported here: Ansible compiles it in every run that does, and mostly nothing is wrong.
    from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.permissions import permissions_from_options

    options = ArgumentSpecValidator(specs).validate({key: _plain(value) for key, value in given.items() if key in specs}).validated_parameters
    problems: list[Problem] = []
    # Of other modules the database alone is that of a registry. What is wrong with the name has been said when there is none.
    registry = options if "display_name" in specs else {"database": options.get("database")}
    registry_from_options({**registry, "name": registry.get("name") or "name"}, "", problems, [])
    if options.get("permissions") is not None:
        permissions_from_options(options["permissions"], options.get("state") == "absent", problems, [])
    # A file is read when all options fit.
    yield from (replace(problem, option=_below(path, problem.option)) for problem in problems if problem.option != "database.ca.path")


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
    if _is_endless(value):
        return Problem(path, "is too large a number", remedy)
    kinds: list[tuple[Any, str]] = [
        (bool, "a boolean"),
        ((int, float), "a number"),
        (Mapping, "a dictionary"),
        ((list, tuple, set), "a list"),
        (bytes, "binary data"),
    ]
    given = next((name for kind, name in kinds if isinstance(value, kind)), "a string")
    return Problem(path, f"must be {wanted}, but is {given}", remedy)


def _choice_problem(path: str, value: Any, choices: list[str]) -> Problem:
    return Problem(path, "is not a valid value", f"Set it to {_listed(choices, 'or')}", value if isinstance(value, str) else None)


def _unknown_option(path: str, key: str, specs: Mapping[str, Any], root: _Root) -> Problem:
    """An option that does not exist, with the one that was probably meant: one of this name in another place, or one that is spelt alike, here or there."""
    names = [name for name in specs if name != UNWRITTEN]
    places: dict[str, list[str]] = {}
    for place in _places(root.specs):
        places.setdefault(place.rpartition(".")[2], []).append(_below(root.path, place))
    here, anywhere = (difflib.get_close_matches(key, candidates, n=1) for candidates in (names, [name for name in places if name != UNWRITTEN]))
    if key in ELSEWHERE and root.path:
        remedy = ELSEWHERE[key]
    elif key in places:
        remedy = f"{MEANT}{' or '.join(places[key])}?"
    elif here:
        remedy = f"{MEANT}{here[0]}?"
    elif anywhere:
        remedy = f"{MEANT}{' or '.join(places[anywhere[0]])}?"
    else:
        remedy = f"Valid options are {_listed(names, 'and')}"
    if key.strip() and may_repeat(key):
        return Problem(_below(path, key), "is not a valid option", remedy)
    return Problem(path or "options", "contains an option that is not valid", f"Valid options are {_listed(names, 'and')}")


def _dictionary_of(specs: Mapping[str, Any]) -> str:
    """The remedy for a value that is not a dictionary with these options."""
    if "source" not in specs:
        return f"Set a dictionary with {_listed([name for name in specs if name != UNWRITTEN], 'and')}"
    first, *_others = sources = specs["source"]["choices"]
    return f"Set a dictionary such as {{source: {first}}}. The source can be {_listed(sources, 'or')}"


def _places(specs: Mapping[str, Any]) -> Iterator[str]:
    for name, spec in specs.items():
        yield name
        if "options" in spec and spec["type"] == "dict":
            yield from (f"{name}.{place}" for place in _places(spec["options"]))


def _listed(names: Any, last: str) -> str:
    *others, end = names
    return f"{', '.join(others)} {last} {end}" if others else str(end)
