# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Secret that holds the password of a registry."""

from __future__ import annotations

from .. import _options
from . import desired_state, manifests, naming

PASSWORD_KEY = "database-password"  # the key's name, not a password
SECRET_ANNOTATIONS = {
    f"template.openshift.io/expose-{shown}": f"{{.data['{key}']}}"
    for shown, key in (("database_name", "database-name"), ("username", "database-user"), ("password", PASSWORD_KEY))
}


def password_prefix(registry: str) -> str:
    """How the names of the Secrets begin that the dashboard and this collection make for a registry's password."""
    return f"{registry}-db-"


def secret_name(namespace: str, registry: str, database: str = "") -> str:
    """The name of the password's Secret: as the dashboard's, but derived, so that a run that was killed finds it again.

    `database` tells apart the Secrets of a registry that moves from one database to another.
    """
    return password_prefix(registry) + derived_letters(f"{namespace}/{registry}{database and f'/{database}'}")


def derived_letters(text: str) -> str:
    """The end of a name that is always the same for a text."""
    return naming.derived(text, "bcdfghjklmnpqrstvwxz2456789", 5)


def password_secret(registry: desired_state.Registry, name: str, database: desired_state.Database, stored: str) -> manifests.Manifest:
    """The Secret for the password of a registry, as it is `stored`; it has the dashboard's keys, annotations and generateName."""
    data = {"database-name": database.name or _options.DEFAULT_DATABASE_NAME, "database-user": database.username or "", PASSWORD_KEY: stored}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": name,
            "generateName": password_prefix(registry.name),
            "namespace": registry.namespace,
            "annotations": dict(SECRET_ANNOTATIONS),
        },
        "data": {key: manifests.encoded(value) for key, value in data.items()},
    }
