# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file with models, MCP servers or agents as the catalog server reads it. One that it refuses fails its source alone."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from . import catalog, catalog_check, catalog_schema, catalog_yaml

# How many bytes some values of an MCP server can have.
LONGEST = {"name": 255, "version": 100, "displayName": 255}
# How many characters its database stores of an external ID, of the name of a custom property, and of a name, before which it puts the ID of the source.
LONGEST_STORED = 255
# How YAML writes the character that the database does not store at all, and the texts that it is not asked to store.
MAYBE_NUL = re.compile(r"\\(?:0|x00|u0000|U00000000)|!!binary")
NOT_STORED = {"model": {"externalId", "id", "source_id", *catalog_schema.TIMES}, "mcp": {*catalog_schema.TIMES}, "agent": {*catalog_schema.TIMES}}


def findings(text: str, kind: catalog.Kind) -> tuple[catalog_check.Finding, ...]:
    """What the server says of a file with models, MCP servers or agents. That of models is read strictly, the others are not."""
    return _looked_at(text, kind)[0]


def too_long(text: str, kind: catalog.Kind, source: str) -> tuple[catalog_check.Finding, ...]:
    """What it says of the names in a file of the source with this ID."""
    lengths = {} if kind is catalog.MCP else _looked_at(text, kind)[1]
    longest = LONGEST_STORED - len(source) - 1
    problem = f"has more than {longest} characters, so that the {kind.entry} is not stored"
    return tuple(
        catalog_check.Finding(catalog_check.PARTLY, f"{kind.entries}[{index}].name", problem, "Shorten it, or use a shorter ID", False)
        for index, length in lengths.items()
        if length > longest
    )


# The same data are looked at as they are wanted and as they are there, and reading them takes longer than anything else.
@functools.lru_cache(maxsize=4096)
def _looked_at(text: str, kind: catalog.Kind) -> tuple[tuple[catalog_check.Finding, ...], dict[int, int]]:
    """What the server says of a file, and the lengths of the names in it."""
    is_strict = kind is catalog.MODEL
    check = catalog_check.Check(catalog_check.FAILS, is_strict)
    try:
        document = catalog_yaml.read(text)
        content = document.value(is_strict)
    except catalog_yaml.NotYamlError as error:
        check.refuse("", f"the data cannot be read: {error}", "Correct it")
        return tuple(check.findings), {}
    if document.has_more:
        check.advise("", "the data has a second document, which is ignored", "Remove everything after the line ---")
    lengths: dict[int, int] = {}
    found = [*check.findings, *_entry_findings(content, kind, text, lengths)]
    if any(finding.effect == catalog_check.FAILS for finding in found):
        # What cannot be read does not get as far as ending the process.
        found = [replace(finding, effect=catalog_check.FAILS) if finding.effect == catalog_check.DOWN else finding for finding in found]
    return tuple(found), lengths


def _entry_findings(content: Any, kind: catalog.Kind, text: str, lengths: dict[int, int]) -> list[catalog_check.Finding]:
    """What it says of the content."""
    check = catalog_check.Check(catalog_check.FAILS, kind is catalog.MODEL)
    if content is not None and not isinstance(content, dict):
        check.refuse("", f"the data must be a mapping, but is {catalog_check.word_for(content)}", f"Begin it with {kind.entries}:")
        return check.findings
    top = check.object(content or {}, {**({"source": catalog_schema.COERCED} if kind is catalog.MODEL else {}), kind.entries: catalog_schema.Key("list")}, "")
    entries = top.get(kind.entries) or []
    if not entries:
        check.advise("", f"the data has no {kind.entries}", f"Add an entry to {kind.entries}")
    names: dict[Any, int] = {}
    external: dict[str, tuple[int, Any]] = {}
    keys = catalog_schema.ENTRY_KEYS[kind.name]
    may_have_nul = MAYBE_NUL.search(text) is not None
    for index, given in enumerate(entries):
        path = f"{kind.entries}[{index}]"
        entry = check.object(given, keys, path)
        name = entry.get("name")
        if not name or (kind is catalog.MCP and not catalog_yaml.trimmed(name)):
            if given is None and kind is catalog.MCP:
                check.refuse(path, "is empty, which terminates the process of the server", "Remove it", catalog_check.DOWN)
            elif kind is catalog.MCP:
                check.refuse(f"{path}.name", "is missing, so that the MCP server cannot be stored", "Set it", catalog_check.PARTLY)
            else:
                check.advise(f"{path}.name", f"is missing, so that the {kind.entry} has no name", "Set it")
        elif (first := names.setdefault(stored_as(entry, kind), index)) != index:
            what = "name and version" if kind is catalog.MCP else "name"
            check.advise(f"{path}.name", f"is also the {what} of {kind.entries}[{first}], and only one of them is shown", f"Use each {what} once")
        # Those of models may be the same, and that of an entry that takes the place of another one.
        if kind is not catalog.MODEL and (same := entry.get("externalId")) is not None:
            first, stored = external.setdefault(same, (index, stored_as(entry, kind)))
            if stored != stored_as(entry, kind):
                check.findings.append(external_clash(f"{path}.externalId", f"{kind.entries}[{first}]", kind))
        if kind is catalog.MCP:
            _check_server(entry, path, check)
        lengths[index] = len(name or "")
        check.findings += not_stored(entry, kind, path, may_have_nul)
    check.endless(text, content)
    return check.findings


def not_stored(entry: Mapping[str, Any], kind: catalog.Kind, path: str, may_have_nul: bool = True) -> list[catalog_check.Finding]:
    """What the server's database does not take. Only the status of MCP servers shows it."""
    properties = entry.get("customProperties")
    properties = properties if isinstance(properties, dict) else {}
    found = [(f"{path}.customProperties", "has a name") for name in properties if len(name) > LONGEST_STORED]
    external = entry.get("externalId")
    if kind is not catalog.MODEL and isinstance(external, str) and len(external) > LONGEST_STORED:
        found.append((f"{path}.externalId", "is a text"))
    problems = [(place, f"{what} of more than {LONGEST_STORED} characters", "Shorten it") for place, what in found]
    if may_have_nul:
        texts = {key: [value] for key, value in entry.items() if key not in NOT_STORED[kind.name]}
        values = [value.get(key) for value in properties.values() if isinstance(value, dict) for key in ("string_value", "int_value")]
        texts["customProperties"] = [*properties, *values]
        having = [key for key, parts in texts.items() if any(isinstance(part, str) and "\0" in part for part in parts)]
        problems += [(f"{path}.{key}", "contains a null character", "Remove it") for key in having]
    what = f", so that the {kind.entry} is not stored"
    return [catalog_check.Finding(catalog_check.PARTLY, place, problem + what, remedy, kind is catalog.MCP) for place, problem, remedy in problems]


def stored_as(entry: Mapping[str, Any], kind: catalog.Kind) -> Any:
    """What tells an entry from others in the server: one with the same takes its place."""
    return (catalog_yaml.trimmed(str(entry.get("name", ""))), entry.get("version")) if kind is catalog.MCP else entry.get("name")


def external_clash(path: str, other: str, kind: catalog.Kind) -> catalog_check.Finding:
    """An external ID that another entry has too. Of agents that are not stored, only the log tells."""
    problem = f"is also the externalId of {other}, and only one of them is stored"
    return catalog_check.Finding(catalog_check.PARTLY if kind is catalog.MCP else catalog_check.ADVICE, path, problem, "Use each externalId once")


def _check_server(entry: Mapping[str, Any], path: str, check: catalog_check.Check) -> None:
    for index, tool in enumerate(entry.get("tools") or ()):
        if tool is None:
            check.refuse(f"{path}.tools[{index}]", "is empty, which terminates the process of the server", "Remove it", catalog_check.DOWN)
    for key, longest in LONGEST.items():
        text = catalog_yaml.trimmed(entry.get(key, "")) if key == "name" else entry.get(key, "")
        if len(text.encode()) > longest:
            check.refuse(f"{path}.{key}", f"has more than {longest} bytes", "Shorten it", catalog_check.PARTLY)
        if key != "displayName" and "@" in text:
            check.refuse(f"{path}.{key}", "contains @, which separates the name from the version", "Remove it", catalog_check.PARTLY)
    name, version = catalog_yaml.trimmed(entry.get("name", "")), entry.get("version", "")
    if version and len(name) + 1 + len(version) > LONGEST_STORED:
        check.refuse(f"{path}.name", f"has more than {LONGEST_STORED} characters together with the version", "Shorten one of them", catalog_check.PARTLY)
    endpoints = entry.get("endpoints") or {}
    if entry.get("deploymentMode") == "remote" and not endpoints:
        check.refuse(f"{path}.endpoints", "is missing for deploymentMode remote", "Set http, sse or websocket", catalog_check.PARTLY)
    for name, address in endpoints.items():
        schemes = ("http", "https", "ws", "wss") if name == "websocket" else ("http", "https")
        if catalog_check.uri_problem(address, schemes):
            check.refuse(f"{path}.endpoints.{name}", "is not a valid URL", f"Use one of the schemes {', '.join(schemes)}", catalog_check.PARTLY)
