# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The password of a database, as the registry server gets it."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from .. import _errors

# What Go's net/url takes unescaped in the user and password of a URL, but for the percent sign; the colon ends the user.
POSTGRESQL_USER_CHARACTERS = r"[A-Za-z0-9\-._~!$&'()*+,;=@]"
POSTGRESQL_PASSWORD_CHARACTERS = "-._~!$&'()*+,;=@:"


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


def password_problems(password: str | None) -> list[_errors.Problem]:
    if password is None:
        return []
    if not password.strip():
        return [_errors.Problem("database.password", "is empty", "Set the password, or omit the option to keep the current password")]
    if password.endswith(("\n", "\r")):
        return [
            _errors.Problem(
                "database.password", "ends with a line break, which is often added by a file or a command", "Remove it, for example with the filter `trim`"
            )
        ]
    if "\0" in password:
        return [_errors.Problem("database.password", "contains a null character", "Remove it")]
    return []
