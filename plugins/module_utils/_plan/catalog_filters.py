# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""By what users filter the model catalog: its labels, and its named queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import _errors
from .._model import catalog
from . import catalog_drafts, catalog_text


def plan_labels(wanted: Sequence[Mapping[str, Any]], purge: bool, drafts: catalog_drafts.Drafts) -> None:
    """Make the labels what is wanted; with `purge`, no others stay in ConfigMaps of the administrator."""
    if not _knows("labels", "labels", bool(wanted), drafts):
        return
    files = drafts.live.view.files
    places = {label.get("name"): (name, index) for name, file in files.items() for index, label in enumerate(file.labels)}
    for number, label in enumerate(wanted):
        _plan_label(f"labels[{number}]", label, places.get(label["name"]), drafts)
    if purge:
        listed = {label["name"] for label in wanted}
        for shown, (name, index) in places.items():
            if shown not in listed and drafts.live.is_managed(name):
                drafts.edit(name, catalog_text.Edit("labels", index), f"labels[{shown}]", {f"label {shown}": "present"}, {})


def _plan_label(path: str, label: Mapping[str, Any], place: tuple[str, int] | None, drafts: catalog_drafts.Drafts) -> None:
    shown = label["name"]
    if place is None:
        edit = catalog_text.Edit("labels", None, dict(label))
        drafts.edit(drafts.home(catalog.MODEL), edit, f"labels[{shown}]", {}, {f"label {shown}": dict(label)})
        return
    name, index = place
    present = drafts.live.view.files[name].labels[index]
    if all(present.get(key) == value for key, value in label.items()):
        return
    if not drafts.live.is_managed(name):
        problem = f"is already in ConfigMap {name!r}, and the same label in two ConfigMaps makes the catalog unavailable"
        drafts.problems.append(_errors.Problem(f"{path}.name", problem, "Use another name, or omit the label", shown))
        return
    new = {**present, **label}
    drafts.edit(name, catalog_text.Edit("labels", index, new), f"labels[{shown}]", {f"label {shown}": dict(present)}, {f"label {shown}": new})


def plan_queries(wanted: Mapping[str, Any], purge: bool, drafts: catalog_drafts.Drafts) -> None:
    """Make the named queries what is wanted; with `purge`, no others stay in ConfigMaps of the administrator."""
    if not _knows("namedQueries", "named_queries", bool(wanted), drafts):
        return
    files = drafts.live.view.files
    places = {query: name for name, file in files.items() for query in file.named_queries}
    for query, conditions in wanted.items():
        name = places.get(query)
        present = files[name].named_queries[query] if name else None
        if present == conditions:
            continue
        home = name if name and drafts.live.is_managed(name) else drafts.home(catalog.MODEL)
        value, shown = _query(conditions, drafts), f"named query {query}"
        edit = catalog_text.Edit("namedQueries", query, value)
        drafts.edit(home, edit, f"named_queries[{query}]", {shown: present} if present else {}, {shown: conditions})
    if purge:
        for query, name in places.items():
            if query not in wanted and drafts.live.is_managed(name):
                drafts.edit(name, catalog_text.Edit("namedQueries", query), f"named_queries[{query}]", {f"named query {query}": "present"}, {})


def _query(wanted: Mapping[str, Any], drafts: catalog_drafts.Drafts) -> Any:
    """A query as the catalog's version has it. Before OpenShift AI 3.5, it had no asset type."""
    generation = drafts.live.generation
    if catalog.AGENT in generation.kinds:
        return wanted
    if wanted["assetType"] != catalog.MODEL.asset_type:
        problem = f"is not supported by OpenShift AI {generation.version}"
        drafts.problems.append(_errors.Problem("named_queries", f"asset_type {problem}", "Remove it", wanted["assetType"]))
    return wanted["filters"]


def _knows(key: str, option: str, is_wanted: bool, drafts: catalog_drafts.Drafts) -> bool:
    """Whether the catalog's version has such a thing. If it does not and one is wanted, that is a problem."""
    generation = drafts.live.generation
    if key not in generation.keys and is_wanted:
        drafts.problems.append(_errors.Problem(option, f"is not supported by OpenShift AI {generation.version}", "Remove the option"))
    return key in generation.keys
