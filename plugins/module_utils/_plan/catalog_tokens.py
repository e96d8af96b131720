# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Secrets with the tokens of sources of the model catalog."""

from __future__ import annotations

from typing import Any

from .. import _errors, _texts
from .._model import catalog, desired_catalog, kinds, manifests, ownership
from . import catalog_drafts, catalog_view, changeset

TOKEN_KEY = "apiKey"


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


def stored(source: desired_catalog.Source, drafts: catalog_drafts.Drafts) -> changeset.Change | None:
    """What stores the token of a source; None where it is stored, or cannot be, which is added to the problems."""
    live, name = drafts.live, catalog.token_secret(source.id)
    reads_none = f"the catalog server of OpenShift AI up to 3.5 does not read it, and this catalog is of {live.generation.version}"
    drafts.warnings.append(f"source{_texts.repeated(source.id)}: the token is stored, but {reads_none}")
    present = live.secrets.get(name)
    data: manifests.Manifest = {"data": {TOKEN_KEY: manifests.encoded(source.token or "")}}
    option = f"sources[{source.id}].token"
    shared = ("Secret", live.namespace, name, (option,))
    if present is None:
        metadata = {"name": name, "namespace": live.namespace, "labels": {"app.kubernetes.io/component": ownership.CATALOG}}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", **data}
        return changeset.Change("create", *shared, "POST", kinds.SECRETS, body, {}, {option: changeset.MASK})
    if manifests.decoded(present, TOKEN_KEY) == source.token:
        return None
    if why := _why_not_ours(present, name):
        drafts.problems.append(_errors.Problem(f"{source.path}.token", f"cannot be stored: its Secret {why}", "Delete the Secret, or remove the option"))
        return None
    body = {"metadata": {"resourceVersion": present["metadata"].get("resourceVersion")}, **data}
    shown = {option: changeset.MASK}, {option: f"{changeset.MASK} (changed)"}
    return changeset.Change("update", *shared, "PATCH", kinds.SECRETS, body, *shown)


def removed(name: Any, identity: str, drafts: catalog_drafts.Drafts) -> changeset.Change | None:
    """What deletes the Secret that a source which goes names, if there is one that was made for it."""
    present = drafts.live.secrets.get(name) if isinstance(name, str) and name else None
    if present is None or name != catalog.token_secret(identity):
        return None
    if why := _why_not_ours(present, name):
        drafts.warnings.append(f"source {identity!r}: Secret {name!r} is kept, because it {why}")
        return None
    return changeset.deletion("Secret", kinds.SECRETS, present)


def _why_not_ours(secret: manifests.Manifest, name: str) -> str:
    """Why a Secret is not one that the dashboard or this collection made for the token of a source; empty when it is."""
    metadata = secret["metadata"]
    if owner := ownership.tool_of(secret):
        return f"is {owner}"
    if (metadata.get("labels") or {}).get("app.kubernetes.io/component") != ownership.CATALOG:
        return f"does not have the label app.kubernetes.io/component={ownership.CATALOG}"
    if metadata.get("ownerReferences"):
        return "has an owner"
    if manifests.keys_of(secret) != [TOKEN_KEY]:
        return f"has keys other than {TOKEN_KEY}"
    return "" if catalog.is_token_secret(name) else "has another name"
