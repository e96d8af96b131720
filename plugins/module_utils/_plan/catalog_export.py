# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The live model catalog as the options that describe it: such that a run with them changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import _errors, _options, _texts
from .._model import catalog, catalog_check, catalog_file, catalog_merged, catalog_schema, desired_catalog, manifests
from . import catalog_view


@dataclass(frozen=True)
class Export:
    """Options, and what is omitted from them, each with the reason. What is omitted keeps its current value."""

    sources: list[manifests.Manifest]
    labels: list[manifests.Manifest]
    named_queries: list[manifests.Manifest]
    findings: list[manifests.Manifest]
    left_out: list[str]

    @property
    def why_unavailable(self) -> list[str]:
        """What makes the whole catalog unavailable, in words: files, and data with which the process of the server ends."""
        of_files = [(f"ConfigMap {finding['config_map']!r}", finding) for finding in self.findings]
        of_sources = [(f"source {source['id']!r}", finding) for source in self.sources for finding in source["status"]["findings"]]
        return [
            f"{what} makes the whole catalog unavailable: {': '.join(filter(None, (finding['path'], finding['problem'])))}"
            for what, finding in (*of_files, *of_sources)
            if finding["effect"] == catalog_check.DOWN
        ]


def exported(live: catalog_view.Live, with_content: bool, managed_only: bool = False) -> Export:
    """All sources, labels and named queries of a catalog, with what the server says of them.

    With `managed_only`, only what is in ConfigMaps of the administrator: of a source that is also in another one, the options that they override.
    """
    left_out: list[str] = []
    view = live.view
    ordered = sorted(view.sources.values(), key=lambda source: (source.kind.name, source.id))
    sources = [_source(source, live, with_content, left_out) for source in ordered]
    if managed_only:
        sources = [_managed(source, live) for source in sources if any(map(live.is_managed, _config_maps(source, live)))]
    files = {name: file for name, file in view.files.items() if live.is_managed(name) or not managed_only}
    labels = [_label(label, left_out) for file in files.values() for label in file.labels]
    origins = {query: name for name, file in view.files.items() for query in file.named_queries}
    queries = {query: files[name].named_queries[query] for query, name in origins.items() if name in files}
    findings = [_finding(finding, name) for name, file in view.files.items() for finding in file.findings]
    findings += [_finding(finding, name) for name, finding in catalog_merged.clashes(list(view.files.items()))]
    return Export(sources, [label for label in labels if label], [_query(name, query) for name, query in sorted(queries.items())], findings, left_out)


def _finding(finding: catalog_check.Finding, config_map: str | None) -> manifests.Manifest:
    place = {} if config_map is None else {"config_map": config_map}
    return {**place, "effect": finding.effect, "path": finding.path, "problem": finding.problem, "remedy": finding.remedy}


def of_server(why: str, live: catalog_view.Live) -> manifests.Manifest:
    """The finding that the catalog server is unavailable although no file says why."""
    remedy = "Check the pod of Deployment 'model-catalog' and its log"
    if len(live.view.labelled) > 1:
        names = _texts.names_of(live.view.labelled)
        remedy = f"Restart Deployment 'model-catalog': ConfigMaps {names} describe labels, which the server cannot read again after a change. {remedy}"
    found = catalog_check.Finding(catalog_check.DOWN, "", f"the catalog server is unavailable: {why}", remedy)
    return {**_finding(found, None), "config_map": None}


def _source(source: catalog_merged.Merged, live: catalog_view.Live, with_content: bool, left_out: list[str]) -> manifests.Manifest:
    wanted = desired_catalog.Source(source.id, source.kind, "", {})
    options: dict[str, Any] = {"id": source.id, "kind": source.kind.name}
    for field in _options.SOURCE_FIELDS:
        if field.key and source.kind.name in field.kinds and source.type in field.types:
            value = catalog_view.live_value(source, wanted, field)
            if field.option == "enabled":
                value = source.is_enabled
            elif field.spec["type"] == "list":
                value = list(value or ())
            if value not in (None, ""):
                options[field.option] = value
    place = live.view.data_of(source)
    text = live.view.data(*place) if place else None
    is_default = source.id in {entry.id for entry in _default_entries(live) if entry.kind is source.kind}
    if with_content and text is not None and not is_default:
        if source.type == catalog.YAML:
            options["content"] = text
        elif source.type not in source.kind.types:
            # With it, a source of type yaml would be meant.
            left_out.append(f"source {source.id!r}: content (the type of the source is not supported)")
    for option, problem in _objections(options, source).items():
        del options[option]
        left_out.append(f"source {source.id!r}: {option} ({problem})")
    names, shown = ([], []) if text is None else catalog_merged.names(text, source)
    origins = {field.option: source.origins.get(_origin_key(field, wanted)) for field in _options.SOURCE_FIELDS if field.option in options}
    status = {
        "is_default": is_default,
        "origins": {option: origin for option, origin in origins.items() if origin},
        "entries": None if text is None else len(names),
        "shown": None if text is None else len(shown),
        "findings": [_finding(finding, None) for finding in live.view.findings_of(source)],
    }
    return {**options, "status": status}


def _config_maps(source: manifests.Manifest, live: catalog_view.Live) -> list[str]:
    return [name for name, _entry in live.places[source["kind"], source["id"]]]


def _managed(source: manifests.Manifest, live: catalog_view.Live) -> manifests.Manifest:
    if all(map(live.is_managed, _config_maps(source, live))):
        return source
    origins = source["status"]["origins"]
    return {option: value for option, value in source.items() if option in ("id", "kind", "status") or live.is_managed(origins.get(option, ""))}


def _origin_key(field: _options.SourceField, wanted: desired_catalog.Source) -> str:
    # The data are where the properties are.
    return "properties" if field.in_properties or not field.key else wanted.key_of(field.key)


def _default_entries(live: catalog_view.Live) -> Sequence[catalog_file.Entry]:
    file = live.view.files.get(live.generation.defaults or "")
    return file.entries if file else ()


def _objections(options: dict[str, Any], source: catalog_merged.Merged) -> dict[str, str]:
    """Which options the rules of the options would not accept, and why."""
    problems: list[_errors.Problem] = []
    item = {**{option: None for option in _options.SOURCE_ITEM}, "state": "present", **options}
    found: dict[str, str] = {}
    if "type" in options and options["type"] not in source.kind.types:
        found["type"] = "is not supported"
        item["type"] = None
    if not isinstance(options.get("organization", ""), str):
        # The server takes any value of a property, and ignores this one.
        found["organization"] = "is not a string"
        item["organization"] = None
    desired_catalog.source_from_options(item, "", problems)
    for problem in problems:
        option = problem.option.lstrip(".").partition("[")[0].partition(":")[0]
        if option in options and option != "id":
            found.setdefault(option, problem.problem)
    return found


def _label(label: Any, left_out: list[str]) -> manifests.Manifest:
    """A label; an empty dictionary for one that no option can describe."""
    name = label.get("name", "")
    if name == "" or not all(isinstance(value, str) or value is None for value in label.values()):
        return {}
    described = {option: label[key] for option, key in _options.LABEL_FIELDS.items() if label.get(key) is not None}
    if described.get("asset_type") not in (None, *catalog_schema.ASSET_TYPES):
        left_out.append(f"label {name!r}: asset_type (is not supported)")
        del described["asset_type"]
    return described


def _query(name: str, query: Any) -> manifests.Manifest:
    filters = [{"field": field, **condition} for field, condition in query["filters"].items() if condition]
    return {"name": name, "asset_type": query["assetType"], "filters": filters}
