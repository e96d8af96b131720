# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the catalog server says of a value where a file has it: what it refuses, and what it accepts although nobody means it."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import _texts
from . import catalog_schema, catalog_yaml

# What becomes of it: the catalog is down for everybody, the source has the status `error`, some of its entries are missing, or nothing.
DOWN, FAILS, PARTLY, ADVICE = "catalog", "source", "entry", "advice"
SCHEMES = frozenset({"oci", "http", "https", "s3", "gs", "az", "file"})
# How Go reads an address, without its query and fragment: its scheme, its user, its host with a port, and the rest.
ADDRESS = re.compile(r"([a-zA-Z][-+.a-zA-Z0-9]*):(?://(?:([^/]*)@)?([^/]*))?(.*)", re.DOTALL)
USER = re.compile(r"[-._~:!$&'()*+,;=%@a-zA-Z0-9]*")
# A percent sign escapes there only what is not ASCII.
HOST = re.compile(r"(?:\[([^\[\]]*)\]|((?:[^\x00-\x20\x7f\\^`{|}\[\]@%]|%25|%[89a-fA-F][0-9a-fA-F])*?))(?::[0-9]*)?")
NOT_ESCAPED = re.compile(r"%(?![0-9a-fA-F]{2})")
SMALLEST, LARGEST = -(2**31), 2**31 - 1
QUOTE = "Write it in quotes"


@dataclass(frozen=True)
class Finding:
    """One thing about a file or a source, and what becomes of it. `path` is the place in the file."""

    effect: str
    path: str
    problem: str
    remedy: str
    # Whether the server's status of the source shows it.
    is_told: bool = True

    def sentence(self) -> str:
        """It as one line for people."""
        end = "" if self.remedy.endswith("?") else "."
        return f"{self.path}{': ' if self.path else ''}{self.problem}. {self.remedy}{end}"


def below(path: str, key: str) -> str:
    """The place of a key. What may be a credential in the wrong place is not repeated."""
    shown = key if key in catalog_schema.KNOWN or _texts.may_repeat(key) else _texts.NOT_SHOWN
    return f"{path}.{shown}" if path else shown


class Check:
    """Collects what there is to say of a file; whatever does not fit has this effect."""

    def __init__(self, effect: str, strict: bool = True) -> None:
        self._effect, self._strict = effect, strict
        self.findings: list[Finding] = []
        # How many numbers that are not finite have become strings.
        self._endless = 0

    def refuse(self, path: str, problem: str, remedy: str, effect: str = "") -> None:
        """Something that the server refuses."""
        self.findings.append(Finding(effect or self._effect, path, problem, remedy))

    def advise(self, path: str, problem: str, remedy: str) -> None:
        """Something that it accepts."""
        self.findings.append(Finding(ADVICE, path, problem, remedy))

    def endless(self, text: str, content: Any) -> None:
        """Refuse numbers that are not finite in content that has been looked at, where they are not read as strings: JSON has none."""
        if catalog_yaml.MAYBE_ENDLESS.search(text) and catalog_yaml.endless(content) > self._endless:
            self.refuse("", "a number is not finite", QUOTE)

    def object(self, given: Any, keys: Mapping[str, catalog_schema.Key], path: str, strict: bool | None = None) -> dict[str, Any]:
        """An object with the keys that it has, spelled as they should be, and without those that are null or do not fit."""
        if not isinstance(given, dict):
            if given is not None:
                self.refuse(path, f"must be a mapping, but is {word_for(given)}", "Correct the indentation, or remove it")
            return {}
        made: dict[str, Any] = {}
        exact = keys.keys()
        # JSON has its keys in this order, and the last one of those that are the same counts.
        for name in given if given.keys() <= exact else sorted(given):
            known = name if name in exact else folded(name, keys)
            place = below(path, name)
            if known is None:
                self._unknown(place, keys, strict)
                continue
            if known != name:
                self.advise(place, f"is read as {known!r}", f"Spell it {known}")
            value = self.value(given[name], keys[known], place)
            if value is not None:
                made[known] = value
        return made

    def _unknown(self, path: str, keys: Mapping[str, catalog_schema.Key], strict: bool | None) -> None:
        similar = difflib.get_close_matches(path.rpartition(".")[2], keys, 1)
        remedy = f"Did you mean {similar[0]}?" if similar else "Remove it"
        if self._strict if strict is None else strict:
            self.refuse(path, "is not a known key", remedy)
        else:
            self.advise(path, "is ignored, because it is not a known key", remedy)

    def value(self, given: Any, key: catalog_schema.Key, path: str) -> Any:
        """A value as the server reads it; None where it is null or does not fit."""
        if given is None:
            return None
        kind = key.type
        if kind == "text":
            return self._text(given, key, path)
        if kind == "texts":
            return self._texts(given, key, path)
        if kind == "flag":
            return self._fitting(given, bool, "a boolean", path)
        if kind in ("map", "metadata", "numbers", "object"):
            found = self._fitting(given, dict, "a mapping", path)
            if found is None:
                return None
            if kind == "object":
                return self.object(found, key.keys, path)
            if kind != "map":
                for name, part in found.items():
                    self._metadata(part, below(path, name)) if kind == "metadata" else self._number(part, below(path, name))
            return found
        if kind == "number":
            return self._number(given, path)
        found = self._fitting(given, list, "a list", path)
        if found is not None and kind == "objects":
            # Null is an empty object here.
            return [self.object(part, key.keys, f"{path}[{index}]") if part is not None else None for index, part in enumerate(found)]
        if found is not None and kind in ("artifacts", "uris"):
            for index, artifact in enumerate(found):
                self._artifact(artifact, key.coerces, f"{path}[{index}]")
        return found

    def _text(self, given: Any, key: catalog_schema.Key, path: str) -> str | None:
        if isinstance(given, str):
            text = given
        elif key.coerces and isinstance(given, (bool, int, float)):
            text = catalog_yaml.coerced(given)
            self._endless += catalog_yaml.endless(given)
            self.advise(path, f"is {word_for(given)}, which is read as a string{_texts.repeated(text)}", QUOTE)
        else:
            is_scalar = isinstance(given, (bool, int, float))
            self.refuse(path, f"must be a string, but is {word_for(given)}", QUOTE if is_scalar else "Set a string")
            return None
        if key.choices and text not in key.choices:
            self.refuse(path, "is not a valid value", f"Set it to {' or '.join(key.choices)}, or remove it")
            return None
        return text

    def _texts(self, given: Any, key: catalog_schema.Key, path: str) -> list[str] | None:
        found = self._fitting(given, list, "a list of strings", path)
        if found is None:
            return None
        if all(isinstance(part, str) for part in found):
            return list(found)
        # Null is an empty string there.
        return ["" if part is None else self._text(part, key, f"{path}[{index}]") or "" for index, part in enumerate(found)]

    def _fitting(self, given: Any, wanted: Any, word: str, path: str) -> Any:
        if given is None or (isinstance(given, wanted) and (wanted is bool or not isinstance(given, bool))):
            return given
        self.refuse(path, f"must be {word}, but is {word_for(given)}", f"Set {word}")
        return None

    def _number(self, given: Any, path: str) -> Any:
        # In JSON, one without decimals is an integer.
        number = int(given) if isinstance(given, float) and given.is_integer() else given
        if self._fitting(number, int, "an integer", path) is not None and not SMALLEST <= number <= LARGEST:
            self.refuse(path, "is out of range", f"Set an integer from {SMALLEST} to {LARGEST}")
        return number

    def _metadata(self, given: Any, path: str) -> None:
        value = self._fitting(given, dict, "a mapping with metadataType and a value", path)
        if value is None:
            return
        name = value.get("metadataType")
        if not isinstance(name, str) or name not in catalog_schema.METADATA:
            self.advise(path, "is ignored, because its metadataType is not known", f"Set metadataType to {' or '.join(catalog_schema.METADATA)}")
            return
        key, wanted = catalog_schema.METADATA[name]
        if value.get(key) is None:
            self.advise(path, f"has no {key}", f"Set {key}")
        elif not isinstance(value[key], wanted) or (isinstance(value[key], bool) and wanted is not bool):
            self.refuse(
                f"{path}.{key}", f"does not match {name}, because it is {word_for(value[key])}", QUOTE if wanted is str else "Correct the value or metadataType"
            )
        if name == "MetadataProtoValue" and not isinstance(value.get("type"), (str, type(None))):
            self.refuse(f"{path}.type", f"must be a string, but is {word_for(value['type'])}", QUOTE)

    def _artifact(self, given: Any, coerces: bool, path: str) -> None:
        if given is None and not coerces:
            # The server dereferences it.
            self.refuse(path, "is empty, which terminates the process of the server", "Remove it", DOWN)
            return
        artifact = self.object(given, _coerced(catalog_schema.ARTIFACT_KEYS) if coerces else catalog_schema.ARTIFACT_KEYS, path, strict=False)
        kind = "" if coerces else artifact.get("artifactType", "")
        if kind not in ("", "model-artifact", "metrics-artifact"):
            self.refuse(f"{path}.artifactType", "is not a valid value", "Set it to model-artifact or metrics-artifact")
        elif kind != "metrics-artifact":
            problem = uri_problem(str(artifact.get("uri", "")))
            if problem:
                self.refuse(f"{path}.uri", problem, f"Use one of the schemes {', '.join(sorted(SCHEMES))}", PARTLY)


def _coerced(keys: Mapping[str, catalog_schema.Key]) -> dict[str, catalog_schema.Key]:
    return {name: catalog_schema.COERCED if key is catalog_schema.TEXT else key for name, key in keys.items()}


def folded(name: str, keys: Iterable[str]) -> str | None:
    """The key that is meant by one in another case: Go's JSON does not distinguish."""
    folded = name.casefold()
    return next((key for key in keys if key.casefold() == folded), None)


def word_for(value: Any) -> str:
    words: list[tuple[Any, str]] = [(bool, "a boolean"), ((int, float), "a number"), (dict, "a mapping"), (list, "a list"), (type(None), "empty")]
    return next((word for kind, word in words if isinstance(value, kind)), "a string")


def uri_problem(uri: str, schemes: Collection[str] = SCHEMES) -> str:
    """Why the server does not accept the address of an artifact or endpoint; empty when it does."""
    if not uri:
        return "is missing"
    before, _sharp, fragment = uri.partition("#")
    matched = ADDRESS.fullmatch(before.partition("?")[0])
    if matched is None:
        return "has no scheme"
    scheme, user, host, rest = matched.groups()
    scheme = scheme.lower()
    # What follows the scheme without a slash is not read further.
    escaped = [fragment, user or "", rest if host is not None or rest.startswith("/") else ""]
    is_valid = not re.search(r"[\x00-\x1f\x7f]", uri) and not any(map(NOT_ESCAPED.search, escaped)) and USER.fullmatch(user or "")
    if not is_valid or not _is_host(host or "", scheme):
        return "is not a valid URI"
    return "" if scheme in schemes else f"has a scheme{_texts.repeated(scheme)} that is not supported"


def _is_host(text: str, scheme: str) -> bool:
    matched = HOST.fullmatch(text)
    if matched is None:
        return False
    address, name = matched.groups()
    if address is None:
        # Others may have several colons, the last one before a port.
        return ":" not in name or (scheme not in ("http", "https") and re.search(r":[0-9]*\Z", text) is not None)
    try:
        return bool(ipaddress.IPv6Address(address.replace("%25", "%")))
    except ValueError:
        return False
