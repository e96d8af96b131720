# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts that others wrote, as they may be shown: whoever can write into a cluster must not be able to write on a terminal or a page."""

from __future__ import annotations

import re

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
OF_HEADERS = "the token, or another header, holds a line break or a character that no header can have; remove it, for example with the filter trim"
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
