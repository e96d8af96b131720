# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which ConfigMaps and Secrets make the model catalog what is wanted, each written at once, and what the server would say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .. import _errors, _options, _texts
from .._model import catalog, catalog_schema, catalog_sources, catalog_yaml, kinds, manifests, ownership
from . import catalog_text, changeset

DASHBOARD, OWN = "dashboard", "own"
TOKEN_KEY = "apiKey"
# What an entry takes beside its values, and how many ConfigMaps there can be.
ROOM, MOST_CONFIG_MAPS = 1024, 1000
# The order in which the dashboard writes the keys of an entry.
ORDER = ("enabled", "excludedModels", "excludedServers", "id", "includedModels", "includedServers", "labels", "name", "properties", "type")


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


@dataclass(frozen=True)
class View:
    """What the server makes of the data of ConfigMaps."""

    generation: catalog.Generation
    texts: Mapping[str, Mapping[str, str]]
    # Files that were read before and have not changed.
    known: Mapping[str, catalog_schema.File] = field(default_factory=dict)

    @cached_property
    def files(self) -> dict[str, catalog_schema.File]:
        """The files with sources, in the order of the server."""
        return {name: self.known.get(name) or catalog_schema.read_file(data[catalog.SOURCES], self.generation) for name, data in self.texts.items()}

    @cached_property
    def sources(self) -> dict[tuple[str, str], catalog_schema.Merged]:
        """The sources of all files together, by kind and ID."""
        return catalog_schema.merged(self.files.items())

    def data(self, config_map: str, key: str) -> str | None:
        """A file with data."""
        return self.texts.get(config_map, {}).get(key)

    def findings_of(self, source: catalog_schema.Merged) -> list[catalog_schema.Finding]:
        """What the server says of a source."""
        return catalog_schema.source_findings(source, self.data, self.generation)

    def data_of(self, source: catalog_schema.Merged) -> tuple[str, str] | None:
        """The ConfigMap and key with the data of a source; None where it has none, or they are elsewhere."""
        path = (source.values.get("properties") or {}).get(catalog.PATH)
        origin = source.origins.get("properties", "")
        key = path[2:] if isinstance(path, str) and path.startswith("./") else path
        return (origin, key) if isinstance(key, str) and catalog.DATA_KEY.fullmatch(key) and origin in self.texts else None


def equals(option: str, one: Any, other: Any) -> bool:
    """Whether two values of an option mean the same to the server."""
    if option == "enabled":
        return (one is not False) == (other is not False)
    if option in ("labels", "included", "excluded"):
        return sorted(text.strip() for text in one or ()) == sorted(text.strip() for text in other or ())
    return (one or "") == (other or "")


def live_value(source: catalog_schema.Merged | None, wanted: catalog_sources.Source, field_: _options.SourceField) -> Any:
    """The value of an option as the server has it."""
    values = source.values if source else {}
    return (values.get("properties") or {}).get(field_.key) if field_.in_properties else values.get(wanted.key_of(field_.key))


def previewed(source: catalog_sources.Source, view: View) -> tuple[dict[str, Any], str | None]:
    """The entry of a source as it is wanted, and its data, as the server's preview takes them."""
    merged = view.sources.get((source.kind.name, source.id))
    values: dict[str, Any] = {key: value for key, value in (merged.values if merged else {}).items() if key != "labels"}
    properties: dict[str, Any] = dict(values.get("properties") or {})
    for field_ in _options.SOURCE_FIELDS:
        if field_.key and field_.option in source.values:
            (properties if field_.in_properties else values)[field_.key if field_.in_properties else source.key_of(field_.key)] = source.values[field_.option]
    place = view.data_of(merged) if merged else None
    data = source.text if source.has_data else view.data(*place) if place else None
    entry = {**values, "type": source.inferred_type or values.get("type"), "assetType": source.kind.asset_type}
    return {**entry, **({"properties": properties} if properties else {})}, data


def secrets_needed(wanted: catalog_sources.Wanted, live: Live, purge: bool) -> list[str]:
    """The Secrets with tokens that a plan has to know: of sources with a token, and of those that go."""
    needed = {catalog.token_secret(source.id) for source in wanted.sources if source.token is not None}
    kept = {source.id for source in wanted.sources if not source.is_absent}
    listed = {source.id for source in wanted.sources}
    for source in live.view.sources.values():
        name = catalog.token_secret(source.id)
        if source.id not in kept and (purge or source.id in listed) and (source.values.get("properties") or {}).get(catalog.API_KEY) == name:
            needed.add(name)
    return sorted(needed)


def plan_catalog(wanted: catalog_sources.Wanted, live: Live, store: str = DASHBOARD, purge: bool = False, purge_limit: int = 1) -> changeset.Plan:
    """What makes the catalog what is wanted. With problems, nothing must be written: the whole catalog could be down with it."""
    return _Planning(wanted, live, store, purge, purge_limit).plan()


@dataclass
class _Draft:
    """A ConfigMap on its way: its data, the edits of its file with sources, and what they are for."""

    data: dict[str, str | None] = field(default_factory=dict)
    edits: list[catalog_text.Edit] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


class _Planning:
    def __init__(self, wanted: catalog_sources.Wanted, live: Live, store: str, purge: bool, purge_limit: int) -> None:
        self._wanted, self._live, self._store, self._purge, self._limit = wanted, live, store, purge, purge_limit
        self._drafts: dict[str, _Draft] = {}
        self._problems: list[_errors.Problem] = []
        self._warnings: list[str] = []
        self._secrets: list[changeset.Change] = []
        self._deletions: list[changeset.Change] = []
        self._changed: set[tuple[str, str]] = set()
        # How many bytes each ConfigMap has, with what is added.
        self._sizes: dict[str, int] = {}

    def plan(self) -> changeset.Plan:
        """The plan."""
        if store_problem := self._store_problem():
            return changeset.Plan(problems=(store_problem,))
        for source in self._wanted.sources:
            self._plan_source(source)
        if self._purge:
            self._plan_purge()
        self._plan_labels()
        self._plan_queries()
        changes = self._changes()
        # Whoever is killed in between has written sources whose token is there, or has a source left that the next run removes.
        changes = () if self._problems else (*self._secrets, *self._deletions, *changes)
        return changeset.Plan(changes, tuple(dict.fromkeys(self._warnings)), tuple(self._problems))

    def _store_problem(self) -> _errors.Problem | None:
        if self._store == OWN and not self._live.generation.has_labelled:
            problem = f"needs OpenShift AI {catalog.WITH_MCP.version} or later, and the catalog is of {self._live.generation.version}"
            return _errors.Problem("store", problem, "Omit it, or set it to dashboard", OWN)
        return None

    # Where things are

    def _places(self, kind: catalog.Kind, identity: str) -> list[tuple[str, catalog_schema.Entry]]:
        return self._index.get((kind.name, identity), [])

    @cached_property
    def _index(self) -> dict[tuple[str, str], list[tuple[str, catalog_schema.Entry]]]:
        """The entries of each source, with their ConfigMaps."""
        found: dict[tuple[str, str], list[tuple[str, catalog_schema.Entry]]] = {}
        for name, file in self._live.view.files.items():
            for entry in file.entries:
                found.setdefault((entry.kind.name, entry.id), []).append((name, entry))
        return found

    def _is_default(self, config_map: str) -> bool:
        return config_map == self._live.generation.defaults

    def _is_managed(self, config_map: str) -> bool:
        """Whether the sources of a ConfigMap are the administrator's, and not those of another team's file."""
        return config_map in {kind.config_map for kind in self._live.generation.kinds} or catalog.is_own(config_map)

    def _draft(self, config_map: str) -> _Draft:
        return self._drafts.setdefault(config_map, _Draft())

    def _home(self, source: catalog_sources.Source) -> str:
        """The ConfigMap of a new source: the first one into which it fits."""
        common = catalog.own_name() if self._store == OWN else source.kind.config_map
        if not self._live.generation.has_labelled:
            return common
        size = len(str(source.values)) + ROOM + (len(source.text.encode()) if source.has_data else 0)
        own = (catalog.own_name(number) for number in range(1, MOST_CONFIG_MAPS))
        for name in dict.fromkeys((common, *own)):
            taken = self._sizes.setdefault(name, catalog.size_of(self._live.texts.get(name, {})))
            if taken + size < catalog.LARGEST:
                self._sizes[name] = taken + size
                return name
        return common

    # Sources

    def _wrong(self, source: catalog_sources.Source, option: str, problem: str, remedy: str, value: Any = None) -> None:
        self._problems.append(_errors.Problem(f"{source.path}.{option}", problem, remedy, value))

    def _plan_source(self, source: catalog_sources.Source) -> None:
        generation = self._live.generation
        if source.kind not in generation.kinds:
            self._wrong(source, "kind", f"is not supported by OpenShift AI {generation.version}", "Remove the source", source.kind.name)
            return
        other = next((kind for kind in catalog.KINDS if kind != source.kind.name and (kind, source.id) in self._index), None)
        if other and not source.is_absent:
            self._wrong(source, "kind", f"cannot change: the source is of kind {other}", f"Set kind to {other}, or use another id", source.kind.name)
            return
        places = self._places(source.kind, source.id)
        is_default = any(self._is_default(name) for name, _entry in places)
        if source.is_absent:
            if is_default:
                self._wrong(source, "state", "cannot be absent for a source of the product", "Set enabled to false instead", "absent")
            else:
                self._remove(source.kind, source.id, places, f"{source.path}.state")
        elif places:
            self._update(source, places, is_default)
        else:
            self._create(source)

    def _create(self, source: catalog_sources.Source) -> None:
        type_ = source.inferred_type
        if not catalog.ID.fullmatch(source.id):
            remedy = f"Use lowercase letters, digits and underscores, at most {catalog.LONGEST_ID}"
            self._wrong(source, "id", "is not a valid ID for the dashboard", remedy, source.id)
        if type_ is None:
            self._wrong(source, "type", "is required to create the source", f"Set it to {' or '.join(source.kind.types)}, with the data or the organization")
            return
        if type_ == catalog.YAML and not source.has_data:
            self._wrong(source, "content", f"is required to create a source of type {catalog.YAML}", "Set content, path or entries")
            return
        if not source.values.get("name"):
            self._wrong(source, "name", "is required to create the source", "Set it")
        home = self._home(source)
        draft = self._draft(home)
        properties: dict[str, Any] = {}
        if type_ == catalog.YAML:
            key = catalog.data_key(source.id)
            if key in self._live.texts.get(home, {}):
                self._warnings.append(f"ConfigMap {home!r}: the key{_texts.repeated(key)}, which no source uses, is replaced")
            draft.data[key] = source.text
            properties[catalog.PATH] = key
        elif source.values.get("organization"):
            properties[catalog.ORGANIZATION] = source.values["organization"]
        if source.token is not None:
            properties[catalog.API_KEY] = catalog.token_secret(source.id)
        entry: dict[str, Any] = {"id": source.id, "enabled": source.values.get("enabled", True), "type": type_, "properties": properties}
        for field_ in _options.SOURCE_FIELDS:
            if field_.key and not field_.in_properties and field_.option in source.values:
                entry[source.key_of(field_.key)] = source.values[field_.option]
        draft.edits.append(catalog_text.Edit(self._section(home, source.kind), None, {key: entry[key] for key in ORDER if entry.get(key) not in (None, [])}))
        self._note(draft, source, {}, {"id": source.id, "type": type_, **source.values, **({"content": source.text} if source.has_data else {})}, ["id"])
        if source.token is not None:
            self._plan_token(source)

    def _section(self, config_map: str, kind: catalog.Kind) -> str:
        """The key for a new source: the one that the file has, spelled as it is there, and else that of the dashboard."""
        file = self._live.view.files.get(config_map)
        present = {key.casefold(): key for key in (file.content if file else ())}
        return next((present[section] for section in kind.sections if section in present), kind.sections[0])

    def _update(self, source: catalog_sources.Source, places: list[tuple[str, catalog_schema.Entry]], is_default: bool) -> None:
        view = self._live.view
        merged = view.sources[source.kind.name, source.id]
        if source.inferred_type not in (None, merged.type):
            self._wrong(
                source, "type", f"cannot change: the source is of type {merged.type or 'none'}", "Delete the source, or use another id", source.inferred_type
            )
            return
        differing = [
            field_
            for field_ in _options.SOURCE_FIELDS
            if field_.key and field_.option in source.values and not equals(field_.option, live_value(merged, source, field_), source.values[field_.option])
        ]
        has_other_data = source.has_data and not self._has_data(source, merged)
        if is_default:
            fixed = [field_.option for field_ in differing if not field_.can_override]
            fixed += ["content" if source.content is not None else "entries"] if has_other_data else []
            for option in fixed:
                self._wrong(source, option, "cannot be changed for a source of the product", "Remove the option, or use another id for a source of your own")
            if fixed:
                return
        if source.token is not None:
            self._plan_token(source)
        if not differing and not has_other_data and not self._lacks_token(source, merged):
            return
        managed = [(name, entry) for name, entry in places if self._is_managed(name)]
        foreign = [name for name, _entry in places if not self._is_managed(name) and not self._is_default(name)]
        if foreign:
            problem = f"is also in ConfigMap {foreign[-1]!r}, which this collection does not manage"
            self._wrong(source, "id", problem, "Change it there, or use another id", source.id)
            return
        if managed:
            home, entry = managed[-1]
        else:
            home, entry = (catalog.own_name() if self._store == OWN else source.kind.config_map), None
        self._write_entry(source, merged, home, entry, differing, has_other_data)

    def _has_data(self, source: catalog_sources.Source, merged: catalog_schema.Merged) -> bool:
        """Whether a source has the wanted data."""
        place = self._live.view.data_of(merged)
        text = self._live.view.data(*place) if place else None
        if text is None:
            return False
        if source.content is not None:
            return text.rstrip("\n") == source.content.rstrip("\n")
        try:
            content = catalog_yaml.parse(text)
        except catalog_yaml.NotYamlError:
            return False
        return isinstance(content, dict) and content.get(source.kind.entries) == list(source.entries or ())

    def _lacks_token(self, source: catalog_sources.Source, merged: catalog_schema.Merged) -> bool:
        return source.token is not None and (merged.values.get("properties") or {}).get(catalog.API_KEY) != catalog.token_secret(source.id)

    def _write_entry(
        self,
        source: catalog_sources.Source,
        merged: catalog_schema.Merged,
        home: str,
        entry: catalog_schema.Entry | None,
        differing: list[_options.SourceField],
        has_other_data: bool,
    ) -> None:
        draft, view = self._draft(home), self._live.view
        raw: dict[str, Any] = self._raw(home, entry) if entry else {"id": source.id}
        new = dict(raw)
        spelled = {key.casefold(): key for key in raw}
        properties: dict[str, Any] = dict(raw.get(spelled.get("properties", "properties")) or {})
        for field_ in differing:
            value = source.values[field_.option]
            if field_.in_properties:
                properties[field_.key] = value
                continue
            key = source.key_of(field_.key)
            key = spelled.get(key.casefold(), key)
            inherits = any(self._is_default(name) for name, _entry in self._places(source.kind, source.id))
            if value == [] and not inherits:
                # The dashboard removes the key of an empty list. That of a source of the product has to be there, or its own list counts.
                new.pop(key, None)
            else:
                new[key] = value
        before: dict[str, Any] = {field_.option: live_value(merged, source, field_) for field_ in differing}
        after: dict[str, Any] = {field_.option: source.values[field_.option] for field_ in differing}
        if has_other_data:
            place = view.data_of(merged)
            key = place[1] if place and place[0] == home else catalog.data_key(source.id)
            properties[catalog.PATH] = properties.get(catalog.PATH) if place and place[0] == home else key
            draft.data[key] = source.text
            before["content"], after["content"] = view.data(*place) if place else None, source.text
        if self._lacks_token(source, merged):
            properties[catalog.API_KEY] = catalog.token_secret(source.id)
        if properties:
            new[spelled.get("properties", "properties")] = properties
        if new != raw or entry is None:
            section = self._section(home, source.kind) if entry is None else self._spelled_section(home, entry)
            draft.edits.append(catalog_text.Edit(section, entry.index if entry else None, new))
        options = [*after, *(["token"] if self._lacks_token(source, merged) else [])]
        self._note(draft, source, before, after, options)

    def _spelled_section(self, config_map: str, entry: catalog_schema.Entry) -> str:
        return next(key for key in self._live.view.files[config_map].content if key.casefold() == entry.section)

    def _raw(self, config_map: str, entry: catalog_schema.Entry) -> dict[str, Any]:
        """An entry as it is written."""
        content = self._live.view.files[config_map].content
        raw: dict[str, Any] = content[self._spelled_section(config_map, entry)][entry.index]
        return raw

    def _note(self, draft: _Draft, source: catalog_sources.Source, before: dict[str, Any], after: dict[str, Any], options: Iterable[str]) -> None:
        self._changed.add((source.kind.name, source.id))
        name = f"source {source.id}"
        draft.fields += [f"sources[{source.id}].{option}" for option in options]
        draft.before.update({f"{name}.{option}": value for option, value in before.items()})
        draft.after.update({f"{name}.{option}": value for option, value in after.items()})

    def _remove(self, kind: catalog.Kind, identity: str, places: list[tuple[str, catalog_schema.Entry]], option: str) -> None:
        for name, _entry in places:
            if not self._is_managed(name):
                problem = f"cannot be absent: ConfigMap {name!r}, which this collection does not manage, contains it"
                self._problems.append(_errors.Problem(option, problem, "Remove it there", identity))
                return
        view = self._live.view
        for name, entry in places:
            draft = self._draft(name)
            draft.edits.append(catalog_text.Edit(self._spelled_section(name, entry), entry.index))
            path = (entry.values.get("properties") or {}).get(catalog.PATH)
            key = path[2:] if isinstance(path, str) and path.startswith("./") else path
            if isinstance(key, str) and view.data(name, key) is not None and not self._is_shared(name, key, identity):
                draft.data[key] = None
            draft.fields.append(f"sources[{identity}]")
            draft.before[f"source {identity}"] = "present"
            self._changed.add((kind.name, identity))
            self._remove_secret((entry.values.get("properties") or {}).get(catalog.API_KEY), identity)

    def _is_shared(self, config_map: str, key: str, identity: str) -> bool:
        """Whether the data of a source are also those of another one."""
        view = self._live.view
        return key == catalog.SOURCES or any(view.data_of(other) == (config_map, key) for (_kind, name), other in view.sources.items() if name != identity)

    def _plan_purge(self) -> None:
        listed = {(source.kind.name, source.id) for source in self._wanted.sources}
        managed = {key: [place for place in places if self._is_managed(place[0])] for key, places in self._index.items() if key not in listed}
        unlisted = {key: places for key, places in managed.items() if places}
        if len(unlisted) > self._limit:
            names = _texts.names_of(f"{identity!r}" for _kind, identity in unlisted)
            problem = f"{len(unlisted)} sources are not listed, which is more than purge_limit: {names}"
            self._problems.append(_errors.Problem("purge_limit", problem, "List the sources to keep, or raise the limit", self._limit))
            return
        for (kind, identity), places in unlisted.items():
            self._remove(catalog.KINDS[kind], identity, places, "purge")

    # Tokens

    def _plan_token(self, source: catalog_sources.Source) -> None:
        name = catalog.token_secret(source.id)
        reads_none = f"the catalog server of OpenShift AI up to 3.5 does not read it, and this catalog is of {self._live.generation.version}"
        self._warnings.append(f"source{_texts.repeated(source.id)}: the token is stored, but {reads_none}")
        present = self._live.secrets.get(name)
        body: manifests.Manifest = {"data": {TOKEN_KEY: manifests.encoded(source.token or "")}}
        field_ = f"sources[{source.id}].token"
        if present is None:
            metadata = {"name": name, "namespace": self._live.namespace, "labels": {"app.kubernetes.io/component": ownership.CATALOG}}
            body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", **body}
            self._secrets.append(self._secret_change("create", "POST", name, field_, body, {}, {field_: changeset.MASK}))
        elif manifests.decoded(present, TOKEN_KEY) != source.token:
            if why := _why_not_ours(present, name):
                self._wrong(source, "token", f"cannot be stored: its Secret {why}", "Delete the Secret, or remove the option")
                return
            body = {"metadata": {"resourceVersion": present["metadata"].get("resourceVersion")}, **body}
            self._secrets.append(self._secret_change("update", "PATCH", name, field_, body, {field_: changeset.MASK}, {field_: f"{changeset.MASK} (changed)"}))

    def _secret_change(
        self, action: str, verb: str, name: str, field_: str, body: manifests.Manifest, before: manifests.Manifest, after: manifests.Manifest
    ) -> changeset.Change:
        return changeset.Change(action, "Secret", self._live.namespace, name, (field_,), verb, kinds.SECRETS, body, before, after)

    def _remove_secret(self, name: Any, identity: str) -> None:
        """Delete the Secret of a source that goes, if there is one that was made for it."""
        present = self._live.secrets.get(name) if isinstance(name, str) and name else None
        if present is None or name != catalog.token_secret(identity):
            return
        if why := _why_not_ours(present, name):
            self._warnings.append(f"source {identity!r}: Secret {name!r} is kept, because it {why}")
            return
        self._deletions.append(changeset.deletion("Secret", kinds.SECRETS, present))

    # Labels and named queries

    def _plan_labels(self) -> None:
        if self._wanted.labels is None:
            return
        if not self._knows("labels", "labels"):
            return
        files = self._live.view.files
        places = {label.get("name"): (name, index) for name, file in files.items() for index, label in enumerate(file.labels)}
        for number, label in enumerate(self._wanted.labels):
            self._plan_label(f"labels[{number}]", label, places.get(label["name"]))
        if self._purge:
            listed = {label["name"] for label in self._wanted.labels}
            for shown, (name, index) in places.items():
                if shown not in listed and self._is_managed(name):
                    self._edit(name, catalog_text.Edit("labels", index), f"labels[{shown}]", {f"label {shown}": "present"}, {})

    def _plan_label(self, path: str, label: Mapping[str, Any], place: tuple[str, int] | None) -> None:
        shown = label["name"]
        if place is None:
            home = catalog.own_name() if self._store == OWN else catalog.MODEL.config_map
            self._edit(home, catalog_text.Edit("labels", None, dict(label)), f"labels[{shown}]", {}, {f"label {shown}": dict(label)})
            return
        name, index = place
        present = self._live.view.files[name].labels[index]
        if all(present.get(key) == value for key, value in label.items()):
            return
        if not self._is_managed(name):
            problem = f"is in ConfigMap {name!r}, and the catalog is down with a label in two ConfigMaps"
            self._problems.append(_errors.Problem(f"{path}.name", problem, "Use another name, or omit the label", shown))
            return
        new = {**present, **label}
        self._edit(name, catalog_text.Edit("labels", index, new), f"labels[{shown}]", {f"label {shown}": dict(present)}, {f"label {shown}": new})

    def _plan_queries(self) -> None:
        if self._wanted.queries is None or not self._knows("namedQueries", "named_queries"):
            return
        files = self._live.view.files
        places = {query: name for name, file in files.items() for query in file.named_queries}
        for query, wanted in self._wanted.queries.items():
            name = places.get(query)
            present = files[name].named_queries[query] if name else None
            if present == wanted:
                continue
            home = name if name and self._is_managed(name) else catalog.own_name() if self._store == OWN else catalog.MODEL.config_map
            value = wanted
            if catalog.AGENT not in self._live.generation.kinds:
                # Before OpenShift AI 3.5, a query had no asset type.
                value = wanted["filters"]
                if wanted["assetType"] != catalog.MODEL.asset_type:
                    problem = f"is not supported by OpenShift AI {self._live.generation.version}"
                    self._problems.append(_errors.Problem("named_queries", f"asset_type {problem}", "Remove it", wanted["assetType"]))
            shown = f"named query {query}"
            self._edit(home, catalog_text.Edit("namedQueries", query, value), f"named_queries[{query}]", {shown: present} if present else {}, {shown: wanted})
        if self._purge:
            for query, name in places.items():
                if query not in self._wanted.queries and self._is_managed(name):
                    edit = catalog_text.Edit("namedQueries", query)
                    self._edit(name, edit, f"named_queries[{query}]", {f"named query {query}": "present"}, {})

    def _knows(self, key: str, option: str) -> bool:
        if key in self._live.generation.keys:
            return True
        self._problems.append(_errors.Problem(option, f"is not supported by OpenShift AI {self._live.generation.version}", "Remove the option"))
        return False

    def _edit(self, config_map: str, edit: catalog_text.Edit, field_: str, before: manifests.Manifest, after: manifests.Manifest) -> None:
        draft = self._draft(config_map)
        draft.edits.append(edit)
        draft.fields.append(field_)
        draft.before.update(before)
        draft.after.update(after)

    # What comes of it

    def _changes(self) -> tuple[changeset.Change, ...]:
        """The writes, one for each ConfigMap; what the server would say of them is added to the problems and warnings."""
        texts = {name: dict(data) for name, data in self._live.texts.items()}
        patches: dict[str, dict[str, str | None]] = {}
        for name, draft in self._drafts.items():
            data = texts.setdefault(name, {catalog.SOURCES: ""})
            patch = patches[name] = dict(draft.data)
            if draft.edits:
                try:
                    edited = catalog_text.edited(data[catalog.SOURCES], draft.edits)
                except catalog_yaml.NotYamlError:
                    self._refused(name, self._live.view.files[name].findings)
                    continue
                if edited.is_rewritten:
                    self._warnings.append(f"ConfigMap {name!r}: {catalog.SOURCES} has to be rewritten as a whole, without its comments")
                patch[catalog.SOURCES] = edited.text
            elif not self._live.view.files[name].is_refused:
                # Of data that it could not read, and of those of MCP servers and agents, the server notices a change only when it reads the sources anew.
                patch[catalog.SOURCES] = catalog_text.touched(data[catalog.SOURCES])
            for key, text in patch.items():
                if text is None:
                    data.pop(key, None)
                else:
                    data[key] = text
            self._check_config_map(name, data)
        known = {name: file for name, file in self._live.view.files.items() if name not in self._drafts}
        order = catalog.in_order({name: self._manifest(name, data) for name, data in texts.items()}, self._live.generation)
        self._check(View(self._live.generation, {name: texts[name] for name in order}, known))
        return tuple(self._change(name, self._drafts[name], patch) for name, patch in patches.items() if patch)

    def _manifest(self, name: str, data: Mapping[str, str]) -> manifests.Manifest:
        present = self._live.config_maps.get(name) or {"metadata": {"name": name, "labels": {catalog.SOURCE_LABEL: "true"}}}
        return {**present, "data": dict(data)}

    def _check_config_map(self, name: str, data: Mapping[str, str]) -> None:
        size = catalog.size_of(data)
        if size > catalog.LARGEST:
            remedy = "Use fewer or smaller sources" if not self._live.generation.has_labelled else "Set store to own, or use fewer or smaller sources"
            self._problems.append(_errors.Problem("sources", f"ConfigMap {name!r} would have {size} bytes, and can have {catalog.LARGEST}", remedy))
        present = self._live.config_maps.get(name)
        owner = ownership.tool_of(present) if present else None
        if owner is not None and owner.whose == ownership.TOOL:
            self._problems.append(
                _errors.Problem("store", f"ConfigMap {name!r} is {owner}, which would undo the change", "Change it there, or set store to own")
            )

    def _refused(self, name: str, findings: Iterable[catalog_schema.Finding]) -> None:
        for finding in findings:
            if finding.effect == catalog_schema.DOWN:
                path = f"{finding.path}: " if finding.path else ""
                problem = f"{catalog.SOURCES} of ConfigMap {name!r} makes the whole catalog unavailable: {path}{finding.problem}"
                self._problems.append(_errors.Problem("sources", problem, finding.remedy))

    def _check(self, after: View) -> None:
        """What the server would say of the catalog with these changes."""
        for name, file in after.files.items():
            if name in self._drafts:
                self._refused(name, file.findings)
            elif file.is_refused:
                found = next(finding for finding in file.findings if finding.effect == catalog_schema.DOWN)
                self._warnings.append(f"ConfigMap {name!r} makes the whole catalog unavailable: {found.sentence()}")
        for name, clash in catalog_schema.clashes(list(after.files.items())):
            if clash.effect == catalog_schema.DOWN:
                self._refused(name, [clash])
            else:
                self._warnings.append(f"ConfigMap {name!r}: {clash.sentence()}")
        for source in self._wanted.sources:
            merged = after.sources.get((source.kind.name, source.id))
            if merged is not None and not source.is_absent:
                self._check_source(source, merged, after)
        self._warn_of_the_page(after)

    def _check_source(self, source: catalog_sources.Source, merged: catalog_schema.Merged, after: View) -> None:
        is_changed = (source.kind.name, source.id) in self._changed
        given = {(finding.path, finding.problem) for finding in source.data_findings}
        for finding in after.findings_of(merged):
            if finding.effect == catalog_schema.ADVICE or not is_changed:
                self._warnings.append(f"source{_texts.repeated(source.id)}: {finding.sentence()}")
            elif (finding.path, finding.problem) not in given:
                # What is wrong with the given data has been said with the options.
                self._wrong(source, finding.path.partition(".")[2] or finding.path or "id", finding.problem, finding.remedy)
        for field_ in _options.SOURCE_FIELDS:
            if is_changed and field_.key and field_.option in source.values and not self._problems:
                value = live_value(merged, source, field_)
                if not equals(field_.option, value, source.values[field_.option]):
                    origin = merged.origins.get(source.key_of(field_.key), "")
                    problem = f"would have no effect, because ConfigMap {origin!r} overrides it"
                    self._wrong(source, field_.option, problem, "Change it there", source.values[field_.option])

    def _warn_of_the_page(self, after: View) -> None:
        """What the next click on the page would erase."""
        for kind in self._live.generation.kinds[:2]:
            file = after.files.get(kind.config_map)
            others = sorted(key for key in (file.content if file else ()) if key != kind.sections[0])
            if others and kind.config_map in self._drafts:
                self._warnings.append(
                    f"ConfigMap {kind.config_map!r} also contains {_texts.names_of(others)}, which the next change on the settings page of the"
                    " dashboard erases; with store=own, new entries are not written there"
                )

    def _change(self, name: str, draft: _Draft, patch: Mapping[str, str | None]) -> changeset.Change:
        present = self._live.config_maps.get(name)
        arguments = (self._live.namespace, name, tuple(dict.fromkeys(draft.fields)))
        if present is None:
            metadata = {"name": name, "namespace": self._live.namespace}
            if name not in {kind.config_map for kind in self._live.generation.kinds}:
                metadata["labels"] = {catalog.SOURCE_LABEL: "true"}  # type: ignore[assignment]
            data = {key: text for key, text in patch.items() if text is not None}
            body: manifests.Manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
            return changeset.Change("create", "ConfigMap", *arguments, "POST", kinds.CONFIG_MAPS, body, draft.before, draft.after)
        # Not over what another process has written since it was read: the dashboard writes the whole file too.
        body = {"metadata": {"resourceVersion": present["metadata"].get("resourceVersion")}, "data": dict(patch)}
        return changeset.Change("update", "ConfigMap", *arguments, "PATCH", kinds.CONFIG_MAPS, body, draft.before, draft.after)


def _why_not_ours(secret: manifests.Manifest, name: str) -> str:
    """Why a Secret is not one that the dashboard or this collection made for the token of a source; empty when it is."""
    metadata = secret["metadata"]
    if (metadata.get("labels") or {}).get("app.kubernetes.io/component") != ownership.CATALOG:
        return f"does not have the label app.kubernetes.io/component={ownership.CATALOG}"
    if metadata.get("ownerReferences"):
        return "has an owner"
    if manifests.keys_of(secret) != [TOKEN_KEY]:
        return f"has other keys than {TOKEN_KEY}"
    return "" if catalog.is_token_secret(name) else "has another name"
