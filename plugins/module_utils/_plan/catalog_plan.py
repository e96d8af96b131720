# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes the model catalog what is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import _errors, _options, _texts
from .._model import catalog, catalog_file, catalog_merged, catalog_yaml, desired_catalog
from . import catalog_drafts, catalog_text, catalog_tokens, catalog_verdict, catalog_view, changeset

# The order in which the dashboard writes the keys of an entry.
ORDER = ("enabled", "excludedModels", "excludedServers", "id", "includedModels", "includedServers", "labels", "name", "properties", "type")


def plan_catalog(
    wanted: desired_catalog.Wanted, live: catalog_view.Live, store: str = catalog_drafts.DASHBOARD, purge: bool = False, purge_limit: int = 1
) -> changeset.Plan:
    """What makes the catalog what is wanted. With problems, nothing must be written: the whole catalog could be down with it."""
    if store == catalog_drafts.OWN and not live.generation.has_labelled:
        problem = f"requires OpenShift AI {catalog.WITH_MCP.version} or later, but the version of this catalog is {live.generation.version}"
        return changeset.Plan(problems=(_errors.Problem("store", problem, "Omit it, or set it to dashboard", store),))
    drafts = catalog_drafts.Drafts(live, store)
    sources = _Sources(wanted, drafts)
    sources.plan()
    if purge:
        sources.plan_purge(purge_limit)
    if wanted.labels is not None:
        _plan_labels(wanted.labels, purge, drafts)
    if wanted.queries is not None:
        _plan_queries(wanted.queries, purge, drafts)
    patches = drafts.patches()
    after = drafts.after(patches)
    catalog_verdict.Verdict(wanted, sources.changed, drafts, after).pass_on()
    # A run that is killed in between has written no source whose token is not there, and leaves a token at most that the next one deletes.
    changes = () if drafts.problems else (*sources.tokens, *drafts.changes(patches))
    leftovers = () if drafts.problems else tuple(catalog_tokens.unused(wanted, drafts, after))
    return changeset.Plan(changes, tuple(dict.fromkeys(drafts.warnings)), tuple(drafts.problems), leftovers=leftovers)


class _Sources:
    """Which entries, data and tokens the sources need."""

    def __init__(self, wanted: desired_catalog.Wanted, drafts: catalog_drafts.Drafts) -> None:
        self._wanted, self._drafts, self._live = wanted, drafts, drafts.live
        self.tokens: list[changeset.Change] = []
        # Those that are created or updated, by kind and ID.
        self.changed: set[tuple[str, str]] = set()

    def plan(self) -> None:
        """Plan those of the list."""
        for source in self._wanted.sources:
            self._plan_source(source)

    def _places(self, kind: catalog.Kind, identity: str) -> list[tuple[str, catalog_file.Entry]]:
        return self._live.places.get((kind.name, identity), [])

    def _plan_source(self, source: desired_catalog.Source) -> None:
        generation = self._live.generation
        if source.kind not in generation.kinds:
            self._drafts.refuse(source, "kind", f"is not supported by OpenShift AI {generation.version}", "Remove the source", source.kind.name)
            return
        other = next((kind for kind in catalog.KINDS if kind != source.kind.name and (kind, source.id) in self._live.places), None)
        if other and not source.is_absent:
            self._drafts.refuse(source, "kind", f"cannot change: the source is of kind {other}", f"Set kind to {other}, or use another id", source.kind.name)
            return
        places = self._places(source.kind, source.id)
        is_default = any(self._live.is_default(name) for name, _entry in places)
        if source.is_absent:
            if is_default:
                self._drafts.refuse(source, "state", "cannot be absent for a source of the product", "Set enabled to false instead", "absent")
            else:
                self._remove(source.id, places, f"{source.path}.state")
        elif places:
            self._update(source, places, is_default)
        else:
            self._create(source)

    def _create(self, source: desired_catalog.Source) -> None:
        type_ = source.inferred_type
        if not catalog.ID.fullmatch(source.id):
            remedy = f"Use lowercase letters, digits and underscores, at most {catalog.LONGEST_ID}"
            self._drafts.refuse(source, "id", "is not a valid ID for the dashboard", remedy, source.id)
        if type_ is None:
            remedy = f"Set it to {' or '.join(source.kind.types)}, with the data or the organization"
            self._drafts.refuse(source, "type", "is required to create the source", remedy)
            return
        if type_ == catalog.YAML and not source.has_data:
            self._drafts.refuse(source, "content", f"is required to create a source of type {catalog.YAML}", "Set content, path or entries")
            return
        if not source.values.get("name"):
            self._drafts.refuse(source, "name", "is required to create the source", "Set it")
        home = self._drafts.roomy_home(source)
        draft = self._drafts.of(home)
        properties: dict[str, Any] = {}
        if type_ == catalog.YAML:
            key = catalog.data_key(source.id)
            if key in self._live.texts.get(home, {}):
                self._drafts.warnings.append(f"ConfigMap {home!r}: the key{_texts.repeated(key)}, which no source uses, is replaced")
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
            self._store_token(source)

    def _section(self, config_map: str, kind: catalog.Kind) -> str:
        """The key for a new source: the one that the file has, spelled as it is there, and else that of the dashboard."""
        file = self._live.view.files.get(config_map)
        present = {key.casefold(): key for key in (file.content if file else ())}
        return next((present[section] for section in kind.sections if section in present), kind.sections[0])

    def _update(self, source: desired_catalog.Source, places: list[tuple[str, catalog_file.Entry]], is_default: bool) -> None:
        view = self._live.view
        merged = view.sources[source.kind.name, source.id]
        if source.inferred_type not in (None, merged.type):
            self._drafts.refuse(
                source, "type", f"cannot change: the source is of type {merged.type or 'none'}", "Delete the source, or use another id", source.inferred_type
            )
            return
        differing = [
            field_
            for field_ in _options.SOURCE_FIELDS
            if field_.key
            and field_.option in source.values
            and not catalog_view.equals(field_.option, catalog_view.live_value(merged, source, field_), source.values[field_.option])
        ]
        has_other_data = source.has_data and not self._has_data(source, merged)
        if is_default:
            fixed = [field_.option for field_ in differing if not field_.can_override]
            fixed += ["content" if source.content is not None else "entries"] if has_other_data else []
            for option in fixed:
                remedy = "Remove the option, or use another id for a source of your own"
                self._drafts.refuse(source, option, "cannot be changed for a source of the product", remedy)
            if fixed:
                return
        if source.token is not None:
            self._store_token(source)
        if not differing and not has_other_data and not self._lacks_token(source, merged):
            return
        managed = [(name, entry) for name, entry in places if self._live.is_managed(name)]
        foreign = [name for name, _entry in places if not self._live.is_managed(name) and not self._live.is_default(name)]
        if foreign:
            problem = f"is also in ConfigMap {foreign[-1]!r}, which this collection does not manage"
            self._drafts.refuse(source, "id", problem, "Change it there, or use another id", source.id)
            return
        if managed:
            home, entry = managed[-1]
        else:
            home, entry = self._drafts.home(source.kind), None
        self._write_entry(source, merged, home, entry, differing, has_other_data)

    def _has_data(self, source: desired_catalog.Source, merged: catalog_merged.Merged) -> bool:
        """Whether a source has the wanted data."""
        place = self._live.view.data_of(merged)
        text = self._live.view.data(*place) if place else None
        if text is None:
            return False
        if source.content is not None:
            # A survey of a controller trims what is typed, and a browser ends its lines in another way.
            one, other = (one.replace("\r\n", "\n").rstrip() for one in (text, source.content))
            return one == other
        try:
            content = catalog_yaml.parse(text)
        except catalog_yaml.NotYamlError:
            return False
        return isinstance(content, dict) and content.get(source.kind.entries) == list(source.entries or ())

    def _lacks_token(self, source: desired_catalog.Source, merged: catalog_merged.Merged) -> bool:
        return source.token is not None and (merged.values.get("properties") or {}).get(catalog.API_KEY) != catalog.token_secret(source.id)

    def _write_entry(
        self,
        source: desired_catalog.Source,
        merged: catalog_merged.Merged,
        home: str,
        entry: catalog_file.Entry | None,
        differing: list[_options.SourceField],
        has_other_data: bool,
    ) -> None:
        draft, view = self._drafts.of(home), self._live.view
        raw: dict[str, Any] = self._raw(home, entry) if entry else {"id": source.id}
        new = dict(raw)
        spelled = {key.casefold(): key for key in raw}
        of_properties = spelled.get("properties", "properties")
        given = raw.get(of_properties)
        # The server refuses a file in which they are something else.
        properties: dict[str, Any] = dict(given) if isinstance(given, dict) else {}
        for field_ in differing:
            value = source.values[field_.option]
            if field_.in_properties:
                properties[field_.key] = value
                continue
            key = source.key_of(field_.key)
            key = spelled.get(key.casefold(), key)
            inherits = any(self._live.is_default(name) for name, _entry in self._places(source.kind, source.id))
            if value == [] and not inherits:
                # The dashboard removes the key of an empty list. That of a source of the product has to be there, or its own list counts.
                new.pop(key, None)
            else:
                new[key] = value
        before: dict[str, Any] = {field_.option: catalog_view.live_value(merged, source, field_) for field_ in differing}
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
            new[of_properties] = properties
        if new != raw:
            section = self._section(home, source.kind) if entry is None else self._spelled_section(home, entry)
            draft.edits.append(catalog_text.Edit(section, entry.index if entry else None, new))
        options = [*after, *(["token"] if self._lacks_token(source, merged) else [])]
        self._note(draft, source, before, after, options)

    def _spelled_section(self, config_map: str, entry: catalog_file.Entry) -> str:
        return next(key for key in self._live.view.files[config_map].content if key.casefold() == entry.section)

    def _raw(self, config_map: str, entry: catalog_file.Entry) -> dict[str, Any]:
        """An entry as it is written."""
        content = self._live.view.files[config_map].content
        raw: dict[str, Any] = content[self._spelled_section(config_map, entry)][entry.index]
        return raw

    def _note(self, draft: catalog_drafts.Draft, source: desired_catalog.Source, before: dict[str, Any], after: dict[str, Any], options: Iterable[str]) -> None:
        self.changed.add((source.kind.name, source.id))
        name = f"source {source.id}"
        draft.fields += [f"sources[{source.id}].{option}" for option in options]
        draft.before.update({f"{name}.{option}": value for option, value in before.items()})
        draft.after.update({f"{name}.{option}": value for option, value in after.items()})

    def _remove(self, identity: str, places: list[tuple[str, catalog_file.Entry]], option: str) -> None:
        for name, _entry in places:
            if not self._live.is_managed(name):
                problem = f"cannot be absent: ConfigMap {name!r}, which this collection does not manage, contains it"
                self._drafts.problems.append(_errors.Problem(option, problem, "Remove it there", identity))
                return
        view = self._live.view
        for name, entry in places:
            draft = self._drafts.of(name)
            draft.edits.append(catalog_text.Edit(self._spelled_section(name, entry), entry.index))
            key = catalog.key_at((entry.values.get("properties") or {}).get(catalog.PATH))
            if key is not None and view.data(name, key) is not None and not self._is_shared(name, key, identity):
                draft.data[key] = None
            draft.fields.append(f"sources[{identity}]")
            draft.before[f"source {identity}"] = "present"

    def _is_shared(self, config_map: str, key: str, identity: str) -> bool:
        """Whether the data of a source are also those of another one."""
        view = self._live.view
        return key == catalog.SOURCES or any(view.data_of(other) == (config_map, key) for (_kind, name), other in view.sources.items() if name != identity)

    def plan_purge(self, limit: int) -> None:
        """Plan that no others stay in ConfigMaps of the administrator."""
        listed = {(source.kind.name, source.id) for source in self._wanted.sources}
        managed = {key: [place for place in places if self._live.is_managed(place[0])] for key, places in self._live.places.items() if key not in listed}
        unlisted = {key: places for key, places in managed.items() if places}
        if len(unlisted) > limit:
            names = _texts.names_of(f"{identity!r}" for _kind, identity in unlisted)
            problem = f"{len(unlisted)} sources are not listed, which is more than purge_limit: {names}"
            self._drafts.problems.append(_errors.Problem("purge_limit", problem, "List the sources to keep, or raise the limit", limit))
            return
        for (_kind, identity), places in unlisted.items():
            self._remove(identity, places, "purge")

    def _store_token(self, source: desired_catalog.Source) -> None:
        if change := catalog_tokens.stored(source, self._drafts):
            self.tokens.append(change)


def _plan_labels(wanted: Sequence[Mapping[str, Any]], purge: bool, drafts: catalog_drafts.Drafts) -> None:
    """Make the labels what is wanted; with `purge`, no others stay in ConfigMaps of the administrator."""
    if not _knows("labels", "labels", bool(wanted), drafts):
        return
    files = drafts.live.view.files
    labels = [(label.get("name"), name, index) for name, file in files.items() for index, label in enumerate(file.labels)]
    # The server refuses a file with a label whose name is something else.
    places = {shown: (name, index) for shown, name, index in labels if shown is None or isinstance(shown, str)}
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


def _plan_queries(wanted: Mapping[str, Any], purge: bool, drafts: catalog_drafts.Drafts) -> None:
    """Make the named queries what is wanted; with `purge`, no others stay in ConfigMaps of the administrator."""
    if not _knows("namedQueries", "named_queries", bool(wanted), drafts):
        return
    files = drafts.live.view.files
    places = {query: name for name, file in files.items() for query in file.named_queries}
    for number, (query, conditions) in enumerate(wanted.items()):
        name = places.get(query)
        present = files[name].named_queries[query] if name else None
        if present == conditions:
            continue
        if name and not drafts.live.is_managed(name) and not drafts.live.is_default(name):
            problem = f"is already in ConfigMap {name!r}, which this collection does not manage"
            drafts.problems.append(_errors.Problem(f"named_queries[{number}].name", problem, "Change it there, or use another name", query))
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
