# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Secrets with the tokens of sources of the model catalog."""

from __future__ import annotations

from .. import _errors, _texts
from .._model import catalog, desired_catalog, kinds, manifests, marks
from . import catalog_drafts, catalog_view, changeset


def needed(wanted: desired_catalog.Wanted, live: catalog_view.Live, purge: bool) -> list[str]:
    """The Secrets with tokens that a plan has to know: of sources with a token, and of those that go."""
    names = {catalog.token_secret(source.id) for source in wanted.sources if source.token is not None}
    kept = {source.id for source in wanted.sources if not source.is_absent}
    listed = {source.id for source in wanted.sources}
    for source in live.view.sources.values():
        name = catalog.token_secret(source.id)
        if source.id not in kept and (purge or source.id in listed) and (source.values.get("properties") or {}).get(catalog.API_KEY) == name:
            names.add(name)
    return sorted(names)


def left(wanted: desired_catalog.Wanted, live: catalog_view.Live) -> set[str]:
    """The Secrets that a run which was killed after it had removed a source of the list may have left."""
    present = {identity for _kind, identity in live.view.sources}
    return {catalog.token_secret(source.id) for source in wanted.sources if source.is_absent and source.id not in present}


def stored(source: desired_catalog.Source, drafts: catalog_drafts.Drafts) -> changeset.Change | None:
    """What stores the token of a source; None where it is stored, or cannot be, which is added to the problems."""
    live, name = drafts.live, catalog.token_secret(source.id)
    reads_none = f"the catalog server of OpenShift AI 3.5 and earlier ignores it, and the version of this catalog is {live.generation.version}"
    drafts.warnings.append(f"source{_texts.repeated(source.id)}: the token is stored, but {reads_none}")
    present = live.secrets.get(name)
    data: manifests.Manifest = {"data": {marks.TOKEN_KEY: manifests.encoded(source.token or "")}}
    option = f"sources[{source.id}].token"
    if present is None:
        metadata = {"name": name, "namespace": live.namespace, "labels": {marks.PART: marks.CATALOG}}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", **data}
        return changeset.Change("create", "Secret", live.namespace, name, (option,), "POST", kinds.SECRETS, body, {}, {option: changeset.MASK})
    is_leaving = marks.is_leaving(present)
    if manifests.decoded(present, marks.TOKEN_KEY) == source.token and not is_leaving:
        return None
    owner = marks.owner_of_token(present)
    if not owner.is_ours:
        drafts.problems.append(_errors.Problem(f"{source.path}.token", f"cannot be stored: its Secret is {owner}", "Delete the Secret, or remove the option"))
        return None
    # Whoever is about to delete it does not get that far.
    patch = {**data, **({"metadata": {"annotations": {marks.LEAVING: None}}} if is_leaving else {})}
    shown = {option: changeset.MASK}, {option: f"{changeset.MASK} (changed)"}
    return changeset.update("Secret", kinds.SECRETS, present, (option,), patch, *shown)


def unused(wanted: desired_catalog.Wanted, drafts: catalog_drafts.Drafts, after: catalog_view.View) -> list[changeset.Change]:
    """What deletes the Secrets that no source uses after the plan, as far as they were made for the token of one."""
    kept = {catalog.token_secret(source.id) for source in wanted.sources if not source.is_absent}
    found = []
    for name, present in drafts.live.secrets.items():
        if present is None or "deletionTimestamp" in present["metadata"] or name in kept or _is_used(name, after):
            continue
        owner = marks.owner_of_token(present)
        if owner.is_ours:
            found.append(changeset.deletion("Secret", kinds.SECRETS, present))
        elif _is_used(name, drafts.live.view):
            drafts.warnings.append(f"Secret {name!r} is kept, because it is {owner}")
    return found


def _is_used(secret: str, view: catalog_view.View) -> bool:
    """Whether a source of any file names a Secret. One that cannot be read may do so too."""
    return any(
        secret in view.texts[name][catalog.SOURCES]
        if file.document is None
        else any((entry.values.get("properties") or {}).get(catalog.API_KEY) == secret for entry in file.entries)
        for name, file in view.files.items()
    )
