# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is of the model catalog, and what its server makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .. import _options
from .._model import catalog, catalog_check, catalog_data, catalog_file, catalog_merged, desired_catalog, manifests


@dataclass(frozen=True)
class Live:
    """The catalog as it is: its ConfigMaps by name, and the Secrets with tokens that were read (None for one that does not exist)."""

    namespace: str
    generation: catalog.Generation
    config_maps: Mapping[str, manifests.Manifest]
    secrets: Mapping[str, manifests.Manifest | None] = field(default_factory=dict)

    @cached_property
    def texts(self) -> dict[str, dict[str, str]]:
        """The data of each ConfigMap that the server reads, in its order."""
        return {name: dict(self.config_maps[name].get("data") or {}) for name in catalog.in_order(self.config_maps, self.generation)}

    @cached_property
    def view(self) -> View:
        """What the server makes of it."""
        return View(self.generation, self.texts)

    @cached_property
    def places(self) -> dict[tuple[str, str], list[tuple[str, catalog_file.Entry]]]:
        """The entries of each source, by kind and ID, with their ConfigMaps."""
        found: dict[tuple[str, str], list[tuple[str, catalog_file.Entry]]] = {}
        for name, file in self.view.files.items():
            for entry in file.entries:
                found.setdefault((entry.kind.name, entry.id), []).append((name, entry))
        return found

    def is_default(self, config_map: str) -> bool:
        """Whether a ConfigMap has the sources that the product delivers."""
        return config_map == self.generation.defaults

    def is_managed(self, config_map: str) -> bool:
        """Whether the content of a ConfigMap is the administrator's, and not another team's."""
        return config_map in {kind.config_map for kind in self.generation.kinds} or catalog.is_own(config_map)


@dataclass(frozen=True)
class View:
    """What the server makes of the data of ConfigMaps."""

    generation: catalog.Generation
    texts: Mapping[str, Mapping[str, str]]
    # Files that were read before and have not changed.
    known: Mapping[str, catalog_file.File] = field(default_factory=dict)

    @cached_property
    def files(self) -> dict[str, catalog_file.File]:
        """The files with sources, in the order of the server."""
        return {name: self.known.get(name) or catalog_file.read_file(data[catalog.SOURCES], self.generation) for name, data in self.texts.items()}

    @cached_property
    def sources(self) -> dict[tuple[str, str], catalog_merged.Merged]:
        """The sources of all files together, by kind and ID."""
        return catalog_merged.merged(self.files.items())

    @property
    def labelled(self) -> list[str]:
        """The ConfigMaps that describe labels."""
        return [name for name, file in self.files.items() if file.labels]

    def data(self, config_map: str, key: str) -> str | None:
        """A file with data."""
        return self.texts[config_map].get(key)

    def findings_of(self, source: catalog_merged.Merged) -> list[catalog_check.Finding]:
        """What the server says of a source."""
        key = (source.kind.name, source.id)
        found = catalog_merged.source_findings(source, self.data, self.generation)
        for same, (index, stored) in self._external.get(key, {}).items():
            for other, elsewhere in self._with_external[same]:
                # An MCP server takes the place of one with the same name and version in another source. The names of agents are those of their source.
                if other != key and (stored != elsewhere or source.kind is catalog.AGENT):
                    path = f"{source.kind.entries}[{index}].externalId"
                    found.append(catalog_data.external_clash(path, f"an entry of source {other[1]!r}", source.kind))
        return found

    @cached_property
    def _external(self) -> dict[tuple[str, str], dict[str, tuple[int, Any]]]:
        """The external IDs of each source, of those kinds of which the server stores each once."""
        of_kind = {key: source for key, source in self.sources.items() if source.kind is not catalog.MODEL}
        texts = {key: self.data(*place) for key, source in of_kind.items() if (place := self.data_of(source))}
        return {key: catalog_merged.external_ids(text, of_kind[key]) for key, text in texts.items() if text is not None}

    @cached_property
    def _with_external(self) -> dict[str, list[tuple[tuple[str, str], Any]]]:
        """The sources with an entry that has an external ID, by that, each with what tells the entry from others."""
        found: dict[str, list[tuple[tuple[str, str], Any]]] = {}
        for key, entries in self._external.items():
            for external, (_index, stored) in entries.items():
                found.setdefault(external, []).append((key, stored))
        return found

    def data_of(self, source: catalog_merged.Merged) -> tuple[str, str] | None:
        """The ConfigMap and key with the data of a source; None where it has none, or they are elsewhere."""
        key = catalog.key_at((source.values.get("properties") or {}).get(catalog.PATH))
        return None if key is None else (source.origins["properties"], key)


def equals(option: str, one: Any, other: Any) -> bool:
    """Whether two values of an option mean the same to the server."""
    if option == "enabled":
        return (one is not False) == (other is not False)
    if option in ("labels", "included", "excluded"):
        return sorted(text.strip() for text in one or ()) == sorted(text.strip() for text in other or ())
    return (one or "") == (other or "")


def live_value(source: catalog_merged.Merged, wanted: desired_catalog.Source, field_: _options.SourceField) -> Any:
    """The value of an option as the server has it."""
    return (source.values.get("properties") or {}).get(field_.key) if field_.in_properties else source.values.get(wanted.key_of(field_.key))


def previewed(source: desired_catalog.Source, view: View) -> tuple[dict[str, Any], str | None]:
    """The entry of a source as it is wanted, and its data, as the server's preview takes them."""
    merged = view.sources.get((source.kind.name, source.id))
    values: dict[str, Any] = dict(merged.values if merged else {})
    properties: dict[str, Any] = dict(values.get("properties") or {})
    for field_ in _options.SOURCE_FIELDS:
        if field_.key and field_.option in source.values:
            (properties if field_.in_properties else values)[field_.key if field_.in_properties else source.key_of(field_.key)] = source.values[field_.option]
    place = view.data_of(merged) if merged else None
    data = source.text if source.has_data else view.data(*place) if place else None
    return {**values, "type": source.inferred_type or values.get("type"), "assetType": source.kind.asset_type, "properties": properties}, data
