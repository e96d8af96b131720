# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted of the model catalog, as the options describe it, and what is wrong with that whatever is in the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .. import _errors, _options
from . import catalog, catalog_check, catalog_data, catalog_schema, catalog_yaml

# What a token of Hugging Face begins with; the server ignores any other.
TOKEN_PREFIX = "hf_"


@dataclass(frozen=True)
class Source:
    """A source of the list. `values` are the options that are set, but for the data and the token."""

    id: str
    kind: catalog.Kind
    # Its place in the options.
    path: str
    values: Mapping[str, Any]
    # The data as it is to be written: a text, or entries.
    content: str | None = None
    entries: Sequence[Any] | None = None
    token: str | None = field(default=None, repr=False)
    is_absent: bool = False

    @property
    def has_data(self) -> bool:
        """Whether its data is given."""
        return self.content is not None or self.entries is not None

    @property
    def inferred_type(self) -> str | None:
        """Its type, where the options tell it."""
        if self.values.get("type"):
            return str(self.values["type"])
        if self.has_data:
            return catalog.YAML
        return catalog.HUGGING_FACE if self.token is not None or "organization" in self.values else None

    @cached_property
    def text(self) -> str:
        """Its data as a text."""
        return self.content if self.content is not None else catalog_yaml.dumped({self.kind.entries: list(self.entries or ())})

    @cached_property
    def data_findings(self) -> Sequence[catalog_check.Finding]:
        """What the server says of its data."""
        return catalog_data.findings(self.text, self.kind) if self.has_data else ()

    def key_of(self, option: str) -> str:
        """The key of an entry that holds an option."""
        return {"included": self.kind.included, "excluded": self.kind.excluded}.get(option, option)


@dataclass(frozen=True)
class Wanted:
    """What the options say. Labels and queries are None where they are not to be changed, and otherwise as a file has them."""

    sources: tuple[Source, ...]
    labels: tuple[Mapping[str, Any], ...] | None = None
    queries: Mapping[str, Any] | None = None


def wanted_from_options(options: Mapping[str, Any], problems: list[_errors.Problem]) -> Wanted:
    """What the options want; what is wrong with them is added to the problems."""
    sources: list[Source] = []
    first: dict[str, str] = {}
    for index, item in enumerate(options["sources"] or ()):
        source = source_from_options(item, f"sources[{index}]", problems)
        if source.id:
            before = first.setdefault(source.id, source.path)
            if before != source.path:
                problems.append(_errors.Problem(f"{source.path}.id", f"is also the ID of {before}", "List each source once", source.id))
        sources.append(source)
    return Wanted(tuple(sources), _labels(options["labels"], problems), _queries(options["named_queries"], problems))


def source_from_options(item: Mapping[str, Any], path: str, problems: list[_errors.Problem]) -> Source:
    """One source of the list; what is wrong with it is added to the problems."""

    def wrong(option: str, problem: str, remedy: str, value: Any = None) -> None:
        problems.append(_errors.Problem(f"{path}.{option}", problem, remedy, value))

    kind = catalog.KINDS[item["kind"]]
    name = item["name"]
    identity = item["id"] if item["id"] is not None else catalog.id_of(name or "")
    if item["id"] is None and not name:
        wrong("id", "is required if name is not set", "Set id or name")
    elif not identity:
        wrong("id", "is empty, or cannot be derived from the name", "Set id to lowercase letters, digits and underscores")
    given = [field for field in _options.SOURCE_FIELDS if item[field.option] is not None]
    for field_ in given:
        if kind.name not in field_.kinds:
            wrong(field_.option, f"is not available for sources of kind {kind.name}", "Remove the option")
    values = {field_.option: item[field_.option] for field_ in given if field_.option not in ("entries", "content", "path", "token")}
    data = [option for option in ("entries", "content", "path") if item[option] is not None]
    for option in data[1:]:
        # The action plugin gives the content of a file in place of its path.
        wrong(option, f"is mutually exclusive with {data[0]}", "Set one of them")
    source = Source(identity, kind, path, values, item["content"], item["entries"], item["token"], item["state"] == "absent")
    if not source.is_absent:
        _check_values(source, given, wrong)
        problems += located(source, source.data_findings, "content" if source.content is not None else "")
    return source


def _check_values(source: Source, given: Sequence[_options.SourceField], wrong: Any) -> None:
    values, kind = source.values, source.inferred_type
    for field_ in given:
        if kind is not None and kind not in field_.types:
            wrong(field_.option, f"is not available for sources of type {kind}", "Remove the option")
    if kind is not None and kind not in source.kind.types:
        wrong("type", f"is not available for sources of kind {source.kind.name}", f"Set it to {' or '.join(source.kind.types)}", kind)
    if "name" in values and not values["name"].strip():
        wrong("name", "is empty", "Set it, or omit it to keep the current name")
    for option in ("labels", "included", "excluded"):
        for index, text in enumerate(values.get(option) or ()):
            if not text.strip():
                wrong(f"{option}[{index}]", "is empty", "Remove it")
    organization = values.get("organization")
    if organization is not None and (not organization.strip() or "*" in organization or "/" in organization):
        wrong("organization", "is not the name of an organization", "Set it without wildcards and slashes", organization)
    if source.token is not None and not source.token.startswith(TOKEN_PREFIX):
        wrong("token", f"is not a token of Hugging Face, which begins with {TOKEN_PREFIX}", "Correct it, or remove the option")
    if source.entries is not None and not _is_data(source.entries):
        wrong("entries", "contains a value that YAML cannot represent, such as a number that is too large", "Correct it")


def _is_data(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_data(part) for key, part in value.items())
    if isinstance(value, list):
        return all(map(_is_data, value))
    if isinstance(value, int):
        return catalog_yaml.SMALLEST <= value <= catalog_yaml.LARGEST
    return value is None or isinstance(value, str) or (isinstance(value, float) and value - value == 0)


def located(source: Source, findings: Sequence[catalog_check.Finding], option: str) -> list[_errors.Problem]:
    """What is wrong with the data of a source as problems of its options: of `option`, or without one of `entries`, whose list is that of the data."""
    found = []
    for finding in findings:
        if finding.effect == catalog_check.ADVICE:
            continue
        place = finding.path if option else f"entries{finding.path[len(source.kind.entries) :]}" if finding.path else "entries"
        path = f"{source.path}.{option}: {place}" if option and place else f"{source.path}.{option or place}"
        found.append(_errors.Problem(path, finding.problem, finding.remedy))
    return found


def _labels(given: Sequence[Mapping[str, Any]] | None, problems: list[_errors.Problem]) -> tuple[Mapping[str, Any], ...] | None:
    if given is None:
        return None
    made: list[Mapping[str, Any]] = []
    names: dict[Any, int] = {}
    for index, item in enumerate(given):
        name = item["name"]
        if name is not None and not name.strip():
            problems.append(_errors.Problem(f"labels[{index}].name", "is empty", "Set it, or omit it for the sources without a label"))
        elif names.setdefault(name, index) != index:
            problems.append(_errors.Problem(f"labels[{index}].name", f"is also the name of labels[{names[name]}]", "List each label once", name))
        made.append({key: item[option] for option, key in _options.LABEL_FIELDS.items() if item[option] is not None or option == "name"})
    return tuple(made)


def _queries(given: Sequence[Mapping[str, Any]] | None, problems: list[_errors.Problem]) -> Mapping[str, Any] | None:
    if given is None:
        return None
    made: dict[str, Any] = {}
    for index, item in enumerate(given):
        path = f"named_queries[{index}]"
        if item["name"] in made:
            problems.append(_errors.Problem(f"{path}.name", "is repeated", "List each query once", item["name"]))
        if not item["filters"]:
            problems.append(_errors.Problem(f"{path}.filters", "is empty", "Set at least one filter"))
        filters: dict[str, Any] = {}
        for place, condition in enumerate(item["filters"]):
            if condition["field"] in filters:
                problems.append(_errors.Problem(f"{path}.filters[{place}].field", "is repeated", "Set each field once", condition["field"]))
            if condition["operator"] in ("IN", "NOT IN") and not isinstance(condition["value"], list):
                problems.append(_errors.Problem(f"{path}.filters[{place}].value", f"must be a list for {condition['operator']}", "Set a list"))
            filters[condition["field"]] = {"operator": condition["operator"], "value": condition["value"]}
        made[item["name"]] = {"assetType": item["asset_type"] or catalog_schema.ASSET_TYPES[0], "filters": filters}
    return made
