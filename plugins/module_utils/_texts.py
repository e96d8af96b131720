# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts that others wrote, as they may be shown: whoever can write into a cluster must not be able to write on a terminal or a page."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

# The start of a line that klog writes: severity, date, time, thread and place in the source.
KLOG_HEAD = re.compile(r"\b[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [\w./-]+:\d+\] ")
# A brace that begins something for Jinja.
TEMPLATE_BEGIN = re.compile(r"\{(?=[{%#])")
# They join the letters of some scripts and the parts of an emoji, and are no harm.
JOINERS = "\u200c\u200d"
# How much of a text is repeated: whoever writes into the cluster, or answers in its place, chooses how long it is.
LONGEST = 2000
# What Python says of a header that it does not send: http.client repeats all of it, and the header is the token, or holds a password.
UNSENDABLE = re.compile(r"Invalid header value.*|'latin-1' codec can't encode.*", re.DOTALL)
OF_HEADERS = "the token, or another header, contains a line break or a character that is not allowed in a header; remove it, for example with the filter trim"
# What it says of an address that it does not understand, and repeats, with a user and a password in it.
UNPARSED = re.compile(
    r"(Failed to parse|nonnumeric port|Port could not be cast|netloc .* contains invalid|Invalid (IPv6 )?URL|Not supported (proxy|URL) scheme"
    r"|URL can't contain control characters|.* does not appear to be an IPv).*",
    re.DOTALL,
)
OF_ADDRESSES = "an address (host, proxy) cannot be parsed"
USER_IN_ADDRESS = re.compile(r"(?<=//)[^/\s]*@")
# In place of what may be a credential.
NOT_SHOWN = "(not shown)"
# How things are called in a cluster; paths of files; and a few words, as people call things. None of them mixes capitals with digits, as passwords, keys and
# tokens do, or holds what separates a password from what is around it.
REPEATABLE = re.compile(r"[-._/~a-z0-9]*|(~|\.\.?)?/[-._/~a-zA-Z]*|[A-Z]?[a-z]+( [A-Z]?[a-z]+){0,2}|\s*")
LONGEST_NAME, MOST_DIGITS, LARGEST_NUMBER = 253, 8, 99_999
# How many names a sentence lists, and for how many a similar one is looked for.
SHOWN = 10


def shown(text: str) -> str:
    """A text without anything that a terminal obeys or that changes the order of other letters: such characters are written as escapes."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in JOINERS else " " if character.isspace() else character.encode("unicode_escape").decode()
        for character in text
    )


def without_user(address: str) -> str:
    """A text without the user and the password in its addresses."""
    return USER_IN_ADDRESS.sub("", address)


def reason(error: BaseException | str) -> str:
    """Why a request failed, in one line and without the credentials that it was to be sent with."""
    said = UNPARSED.sub(OF_ADDRESSES, UNSENDABLE.sub(OF_HEADERS, str(error)))
    return line(without_user(said) or type(error).__name__)


def line(text: str, longest: int = LONGEST) -> str:
    """A text as one line of a message: white space is one space, the heads of klog's lines are dropped, and what is too long is cut."""
    whole = shown(" ".join(KLOG_HEAD.sub("", text).split()))
    return whole if len(whole) <= longest else f"{whole[:longest]} … ({len(whole) - longest} more characters)"


def inert(text: str) -> str:
    """A line that means nothing to Jinja: ansible-core before 2.19 takes what a filter returns for a template when it looks like one."""
    one = TEMPLATE_BEGIN.sub("{ ", line(text))
    # Such a header would give the braces' meaning to other characters.
    return f" {one}" if one.startswith("#jinja2:") else one


def may_repeat(value: Any) -> bool:
    """Whether a message may repeat what somebody gave: only when it can hold no credential, also none that was meant for another option."""
    if isinstance(value, Mapping):
        return all(may_repeat(part) for entry in value.items() for part in entry)
    if isinstance(value, (list, tuple)):
        return all(map(may_repeat, value))
    if isinstance(value, str):
        is_short = len(value) <= LONGEST_NAME and sum(map(str.isdigit, value)) <= MOST_DIGITS
        return bool(is_short and REPEATABLE.fullmatch(value)) or (ip_address(value) is not None and "%" not in value)
    return value is None or isinstance(value, bool) or (isinstance(value, (int, float)) and abs(value) <= LARGEST_NUMBER)


def repeated(value: Any) -> str:
    """A value as a sentence repeats it behind what it is of, or nothing where it must not."""
    return f" {value!r}" if value is not None and may_repeat(value) else ""


def ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def names_of(names: Iterable[str], conjunction: str = "and") -> str:
    """Names in a sentence, not more than people read."""
    listed = list(names)
    if len(listed) > SHOWN:
        return f"{', '.join(listed[:SHOWN])} {conjunction} {len(listed) - SHOWN} more"
    if len(listed) > 1:
        return f"{', '.join(listed[:-1])} {conjunction} {listed[-1]}"
    return "".join(listed)
