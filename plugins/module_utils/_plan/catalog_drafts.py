# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ConfigMaps that a plan for the model catalog changes, each of which is written at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from .. import _errors
from .._model import catalog, catalog_yaml, desired_catalog, kinds, manifests
from . import catalog_text, catalog_view, changeset

DASHBOARD, OWN = "dashboard", "own"
# What an entry takes beside its values, and how many ConfigMaps there can be.
ROOM, MOST_CONFIG_MAPS = 1024, 1000


@dataclass
class Draft:
    """A ConfigMap on its way: its data, the edits of its file with sources, and what they are for."""

    data: dict[str, str | None] = field(default_factory=dict)
    edits: list[catalog_text.Edit] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


# What is written: of each ConfigMap the keys that change, with None for those that go.
Patches = Mapping[str, Mapping[str, Optional[str]]]


@dataclass
class Drafts:
    """All of them, by name, with what is to be said of the plan that they are part of."""

    live: catalog_view.Live
    store: str
    problems: list[_errors.Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    held: dict[str, Draft] = field(default_factory=dict)
    # How many bytes each ConfigMap has, with what is added.
    _sizes: dict[str, int] = field(default_factory=dict)

    def refuse(self, source: desired_catalog.Source, option: str, problem: str, remedy: str, value: Any = None) -> None:
        """Note what is wrong with an option of a source."""
        self.problems.append(_errors.Problem(f"{source.path}.{option}", problem, remedy, value))

    def of(self, config_map: str) -> Draft:
        """That of a ConfigMap."""
        return self.held.setdefault(config_map, Draft())

    def edit(self, config_map: str, edit: catalog_text.Edit, field_: str, before: manifests.Manifest, after: manifests.Manifest) -> None:
        """Change one thing in the file of a ConfigMap."""
        draft = self.of(config_map)
        draft.edits.append(edit)
        draft.fields.append(field_)
        draft.before.update(before)
        draft.after.update(after)

    def home(self, kind: catalog.Kind) -> str:
        """The ConfigMap of what is new."""
        return catalog.own_name() if self.store == OWN else kind.config_map

    def roomy_home(self, source: desired_catalog.Source) -> str:
        """The ConfigMap of a new source: the first one into which it fits."""
        common = self.home(source.kind)
        if not self.live.generation.has_labelled:
            return common
        size = len(str(source.values)) + ROOM + (len(source.text.encode()) if source.has_data else 0)
        own = (catalog.own_name(number) for number in range(1, MOST_CONFIG_MAPS))
        for name in dict.fromkeys((common, *own)):
            taken = self._sizes.setdefault(name, catalog.size_of(self.live.texts.get(name, {})))
            if taken + size < catalog.LARGEST:
                self._sizes[name] = taken + size
                return name
        return common

    def patches(self) -> Patches:
        """What is written."""
        return {name: self._patch(name, draft) for name, draft in self.held.items()}

    def _patch(self, name: str, draft: Draft) -> dict[str, str | None]:
        patch = dict(draft.data)
        text = self.live.texts.get(name, {}).get(catalog.SOURCES, "")
        if draft.edits:
            try:
                edited = catalog_text.edited(text, draft.edits)
            except catalog_yaml.NotYamlError:
                # The server refuses the file as it is, which is a problem of its own.
                return {}
            if edited.is_rewritten:
                self.warnings.append(f"ConfigMap {name!r}: {catalog.SOURCES} must be rewritten completely, and its comments are lost")
            patch[catalog.SOURCES] = edited.text
        else:
            # Of data that it could not read, and of those of MCP servers and agents, the server notices a change only when it reads the sources anew.
            patch[catalog.SOURCES] = catalog_text.touched(text)
        return patch

    def after(self, patches: Patches) -> catalog_view.View:
        """What the server would make of the catalog."""
        texts = {name: dict(data) for name, data in self.live.texts.items()}
        for name, patch in patches.items():
            merged = {**texts.get(name, {catalog.SOURCES: ""}), **patch}
            texts[name] = {key: text for key, text in merged.items() if text is not None}
        known = {name: file for name, file in self.live.view.files.items() if name not in self.held}
        order = catalog.in_order({name: self._manifest(name, data) for name, data in texts.items()}, self.live.generation)
        return catalog_view.View(self.live.generation, {name: texts[name] for name in order}, known)

    def _manifest(self, name: str, data: Mapping[str, str]) -> manifests.Manifest:
        present = self.live.config_maps.get(name) or {"metadata": {"name": name, "labels": {catalog.SOURCE_LABEL: "true"}}}
        return {**present, "data": dict(data)}

    def changes(self, patches: Patches) -> tuple[changeset.Change, ...]:
        """The writes, one for each ConfigMap."""
        return tuple(self._change(name, self.held[name], patch) for name, patch in patches.items())

    def _change(self, name: str, draft: Draft, patch: Mapping[str, str | None]) -> changeset.Change:
        present, fields = self.live.config_maps.get(name), tuple(dict.fromkeys(draft.fields))
        if present is not None:
            # The dashboard writes the whole file too.
            return changeset.update("ConfigMap", kinds.CONFIG_MAPS, present, fields, {"data": dict(patch)}, draft.before, draft.after)
        metadata: manifests.Manifest = {"name": name, "namespace": self.live.namespace}
        if name not in {kind.config_map for kind in self.live.generation.kinds}:
            metadata["labels"] = {catalog.SOURCE_LABEL: "true"}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(patch)}
        return changeset.Change("create", "ConfigMap", self.live.namespace, name, fields, "POST", kinds.CONFIG_MAPS, body, draft.before, draft.after)
