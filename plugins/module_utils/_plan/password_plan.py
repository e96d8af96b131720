# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes the Secret of a registry's password as it is wanted."""

from __future__ import annotations

from dataclasses import replace

from .. import _errors, _options
from .._model import credentials, custom_resource, desired_state, kinds, live_state, manifests, ownership
from . import changeset, prediction, previous_value


def secret_changes(wanted: desired_state.Registry, live: live_state.Live, registry: manifests.Manifest | None) -> list[changeset.Change]:
    """What writes another password into the registry's Secret, or makes that Secret."""
    database, named = wanted.database or desired_state.Database(), prediction.password_reference(wanted, registry)
    if database.password is None or named is None:
        return []
    in_url = prediction.type_after(wanted, registry) == _options.POSTGRESQL and live.capabilities.password_in_url
    password = credentials.stored_password(database.password, in_url)
    present = live.objects.get(("Secret", named["name"]))
    if present is None:
        section = custom_resource.live_database(registry)
        complete = replace(database, username=database.username or section.get("username"), name=database.name or section.get("database"))
        body = password_secret(wanted, named["name"], complete, password)
        body["data"][named["key"]] = manifests.encoded(password)
        after = {"database.password": changeset.MASK}
        return [changeset.Change("create", "Secret", wanted.namespace, named["name"], tuple(after), "POST", kinds.SECRETS, body, {}, after)]
    stored = manifests.decoded(present, named["key"])
    if stored is not None and credentials.means_password(stored, database.password, in_url):
        return []
    # A new masked value must differ from the old one, or a diff would not show that there is a change.
    before, after = {"database.password": changeset.MASK}, {"database.password": f"{changeset.MASK} (changed)"}
    change = changeset.update("Secret", kinds.SECRETS, present, tuple(after), {"data": {named["key"]: manifests.encoded(password)}}, before, after)
    return [previous_value.keeping(change, present, named["key"], [live], previous_value.login_of(registry))]


def password_secret(registry: desired_state.Registry, name: str, database: desired_state.Database, stored: str) -> manifests.Manifest:
    """The Secret for the password of a registry, as it is `stored`; it has the dashboard's keys, annotations and generateName."""
    data = {"database-name": database.name or _options.DEFAULT_DATABASE_NAME, "database-user": database.username or "", credentials.PASSWORD_KEY: stored}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": name,
            "generateName": credentials.password_prefix(registry.name),
            "namespace": registry.namespace,
            "annotations": dict(credentials.SECRET_ANNOTATIONS),
        },
        "data": {key: manifests.encoded(value) for key, value in data.items()},
    }


def secret_problems(wanted: desired_state.Registry, live: live_state.Live, registry: manifests.Manifest | None) -> list[_errors.Problem]:
    """A password that would have to be written into a Secret that neither the dashboard nor this collection made for this registry."""
    for change in secret_changes(wanted, live, registry):
        present = live.objects.get(("Secret", change.name))
        owner = None if present is None else ownership.owner_of("Secret", present, wanted.name)
        if not ownership.is_named_as_ours(change.name, wanted.name) or (owner and not owner.is_ours):
            reason = f"is {owner}" if owner else "does not exist, and this collection does not create Secrets with this name"
            remedy = "Change the password where the Secret is managed and remove database.password, or set database.password_secret to another Secret"
            return [_errors.Problem("database.password", f"cannot be written: Secret {change.name!r} {reason}", remedy)]
    return []


def deletions_of_orphans(wanted: desired_state.Registry, live: live_state.Live, registry: manifests.Manifest | None) -> tuple[changeset.Change, ...]:
    """What removes the Secrets that were made for this registry's password and that it does not read any more."""
    named = prediction.password_reference(wanted, registry) or {}
    kept = {*live.used_secrets, named.get("name")}
    return tuple(
        changeset.deletion("Secret", kinds.SECRETS, secret)
        for secret in live.password_secrets
        if secret["metadata"]["name"] not in kept and ownership.owner_of("Secret", secret, wanted.name).is_ours
    )
