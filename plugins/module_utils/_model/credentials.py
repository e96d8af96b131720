# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Secret that holds the password of a registry, as its server reads it."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from . import naming

PASSWORD_KEY = "database-password"  # the key's name, not a password
SECRET_ANNOTATIONS = {
    f"template.openshift.io/expose-{shown}": f"{{.data['{key}']}}"
    for shown, key in (("database_name", "database-name"), ("username", "database-user"), ("password", PASSWORD_KEY))
}
# What Go's net/url takes unescaped in the user and password of a URL, but for the percent sign; the colon ends the user.
POSTGRESQL_USER_CHARACTERS = r"[A-Za-z0-9\-._~!$&'()*+,;=@]"
POSTGRESQL_PASSWORD_CHARACTERS = "-._~!$&'()*+,;=@:"


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


def stored_password(password: str, in_url: bool) -> str:
    """The password as the Secret has to hold it: operators from v0.2.20 on put PostgreSQL's into a URL without escaping it."""
    return quote(password, safe=POSTGRESQL_PASSWORD_CHARACTERS) if in_url else password


def means_password(stored: str, password: str, in_url: bool) -> bool:
    """Whether the server logs in with `password` when the Secret holds `stored`, which others may have written without escapes."""
    if not in_url:
        return stored == password
    return not breaks_url(stored) and unquote(stored) == password


def breaks_url(stored: str) -> bool:
    """Whether the registry server cannot start with this as its PostgreSQL password."""
    return bool(re.sub(POSTGRESQL_USER_CHARACTERS + "|:|%[0-9A-Fa-f]{2}", "", stored))
