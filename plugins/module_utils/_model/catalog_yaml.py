# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML as the catalog server reads it, which is not as Python's library does: `y` and `0o17` are not strings there, and `12:30:45` is one.

The server's library (go.yaml.in/yaml/v2, below sigs.k8s.io/yaml) is a port of libyaml, so that libyaml finds the same structure. What a scalar means is decided
here, by the rules of the server's library; then JSON is made of it, in which every key is a string.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import math
import re
import struct
from dataclasses import dataclass
from typing import Any

from .. import _texts

# One of the library's: its classes are known only once the library is there.
Node = Any
TRUE = frozenset({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
FALSE = frozenset({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
NULL = frozenset({"", "~", "null", "Null", "NULL"})
ENDLESS = {
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **{f"{sign}{word}": float(f"{sign}inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
}
MAYBE_ENDLESS = re.compile(r"\.(inf|nan)\b", re.IGNORECASE)
# The server's library looks no further at a scalar that begins with another character.
FIRST = frozenset("+-0123456789.yYnNtTfFoO~")
# No number of 64 bits has more digits than 20; Python refuses to read some thousands.
INTEGER = re.compile(r"([-+]?)(?:0[bB]([01]+)|0[oO]?([0-7]+)|0[xX]([0-9a-fA-F]+)|(0|[1-9][0-9]{0,19}))")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
# As the server's library reads what has the tag of a time.
TIME = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([Tt ]\d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?( ?([Zz]|[-+]\d{2}:\d{2}|[-+]\d{1,2}))?)?")
# The server's library refuses every version but this one.
VERSION = re.compile(r"(?:[ \t]*(?:#.*)?\r?\n|%.*\n)*?%YAML[ \t]+(?!0*1\.0*1[ \t\r\n])")
TAGGED = re.compile(r"(&\S+\s+)?!\s")
ESCAPED_SLASH = re.compile(r"(?<!\\)(\\\\)*\\/")
# What Go takes for white space; Python has four more characters.
BLANK = "".join(map(chr, (*range(9, 14), *map(ord, " \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"), *range(0x2000, 0x200B))))
# One of the two codes of a character that are no character each.
HALF = re.compile("[\ud800-\udfff]")
SMALLEST, LARGEST = -(2**63), 2**64 - 1
# Deeper than anything that is meant, and less than libyaml and Python can bear.
DEEPEST = 100
# A byte order mark at the beginning is no part of the text.
MARK = "\ufeff"
# What the nodes of a text have in place of tags that are not written there.
PLAIN, TEXT = "plain", "text"
TAG = "tag:yaml.org,2002:"
MERGE = "<<"


class NotYamlError(Exception):
    """The server cannot read a text. Its own text says why; `line` counts from 1, and is 0 where it is not known."""

    def __init__(self, reason: str, line: int = 0) -> None:
        self.line = line
        super().__init__(reason)

    def __str__(self) -> str:
        return str(self.args[0]) + (f" (line {self.line})" if self.line else "")


@dataclass(frozen=True)
class Document:
    """The first document of a text; a text without one has no node."""

    text: str
    node: Node | None
    # How many nodes it has, each once however often it is referred to.
    size: int
    has_more: bool

    def value(self, strict: bool = True) -> Any:
        """What the server makes of it. NotYamlError where it refuses the text; without `strict`, a key that is there twice has the last value."""
        return None if self.node is None else _Reading(self.text, self.size, strict).value(self.node)


def read(text: str) -> Document:
    """The structure of a text. NotYamlError where it has none."""
    import yaml

    body = text[len(MARK) :] if text.startswith(MARK) else text
    if VERSION.match(body):
        raise NotYamlError("the directive %YAML has a version other than 1.1")
    try:
        loader = _loader()(body)
        node = loader.get_node() if loader.check_node() else None
        # The server does not read on. What comes after may be anything.
        return Document(body, node, loader.size, node is not None and _has_more(loader))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _not_yaml(error) from None


def parse(text: str, strict: bool = True) -> Any:
    """What the server makes of a text. NotYamlError where it refuses it."""
    return read(text).value(strict)


def _has_more(loader: Any) -> bool:
    import yaml

    try:
        return bool(loader.check_node())
    except yaml.YAMLError:
        return True


def _not_yaml(error: Exception) -> NotYamlError:
    mark = getattr(error, "problem_mark", None)
    # The rest of what the library says repeats lines of the text.
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "it is not valid YAML"
    # Some repeat parts of it too, in quotes.
    return NotYamlError(re.sub(r"\s*(['\"]).*\1", "", str(reason)), 0 if mark is None else mark.line + 1)


@functools.cache
def _loader() -> Any:
    """What composes nodes, with libyaml where Python's library has it. It tells nodes with a tag that is written from those without."""
    import yaml
    from yaml import composer, nodes, parser, reader, scanner

    class Counting:
        """Takes the place of the library's resolver."""

        def __init__(self) -> None:
            self.size = self._depth = 0

        def descend_resolver(self, _parent: Any, _index: Any) -> None:
            self._depth += 1
            if self._depth > DEEPEST:
                raise NotYamlError("it is nested too deeply")

        def ascend_resolver(self) -> None:
            self._depth -= 1

        def resolve(self, kind: Any, _value: Any, implicit: Any) -> str:
            self.size += 1
            return PLAIN if kind is nodes.ScalarNode and implicit[0] else TEXT

    if hasattr(yaml, "CSafeLoader"):
        from yaml.cyaml import CParser  # type: ignore[attr-defined]

        class Fast(CParser, Counting):
            """With libyaml."""

            def __init__(self, text: str) -> None:
                CParser.__init__(self, text)
                Counting.__init__(self)

        return Fast

    class Slow(reader.Reader, scanner.Scanner, parser.Parser, composer.Composer, Counting):
        """Without it."""

        def __init__(self, text: str) -> None:
            reader.Reader.__init__(self, text)
            scanner.Scanner.__init__(self)
            parser.Parser.__init__(self)
            composer.Composer.__init__(self)
            Counting.__init__(self)

    return Slow


class _Reading:
    """Makes a value of nodes, and stops where aliases would make much of little."""

    def __init__(self, text: str, size: int, strict: bool) -> None:
        self._text, self._size, self._strict, self._visited = text, size, strict, 0
        # In how many brackets and braces it is.
        self._flow = 0

    def value(self, node: Node) -> Any:
        self._visited += 1
        aliased = self._visited - self._size
        if self._visited > 1000 and aliased / self._visited > _allowed_ratio(self._visited):
            raise NotYamlError("too many aliases", _line(node))
        try:
            kind = node.id
            if kind == "scalar":
                return self._scalar(node)
            self._flow += bool(node.flow_style)
            value = self._mapping(node) if kind == "mapping" else self._sequence(node)
            self._flow -= bool(node.flow_style)
            return value
        except RecursionError:
            raise NotYamlError("an alias contains itself", _line(node)) from None

    def _scalar(self, node: Node) -> Any:
        text: str = node.value
        if self._flow and "?" in text and not node.style:
            # To the server's library, it ends the text.
            raise NotYamlError("a text between brackets or braces has a question mark, and no quotes", _line(node))
        if node.tag == PLAIN:
            # After a single exclamation mark, a text is a string.
            is_text = text and (text[0] not in FIRST or TAGGED.match(self._text, node.start_mark.index, node.end_mark.index))
            return text if is_text else scalar(text)
        if node.style == '"' and "/" in text and ESCAPED_SLASH.search(self._text, node.start_mark.index, node.end_mark.index):
            # Of YAML 1.2, and unknown to the server's library.
            raise NotYamlError("found unknown escape character", _line(node))
        if node.style == '"' and HALF.search(text):
            # With libyaml, it is no text to begin with.
            raise NotYamlError("found invalid Unicode character escape code", _line(node))
        return text if node.tag == TEXT else _tagged(node)

    def _sequence(self, node: Node) -> list[Any]:
        return [self.value(item) for item in node.value]

    def _mapping(self, node: Node) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.value == MERGE and key_node.tag == PLAIN:
                for merged in self._merged(value_node):
                    self._set(made, merged, value_node)
                continue
            if key_node.id != "scalar":
                raise NotYamlError("a key is not a string", _line(key_node))
            key = _key(self._scalar(key_node), key_node)
            self._set(made, {key: self.value(value_node)}, key_node)
        return made

    def _merged(self, node: Node) -> list[dict[str, Any]]:
        # Of several, the first one counts most: the server's library begins with the last.
        parts = list(reversed(node.value)) if node.id == "sequence" else [node]
        if any(part.id != "mapping" for part in parts):
            raise NotYamlError("a merge key needs a mapping", _line(node))
        return [self._mapping(part) for part in parts]

    def _set(self, made: dict[str, Any], values: dict[str, Any], node: Node) -> None:
        if self._strict:
            for key in values:
                if key in made:
                    raise NotYamlError(f"key{_texts.repeated(key)} is repeated", _line(node))
        made.update(values)


def _allowed_ratio(count: int) -> float:
    """The server's library's: less and less of a document may come of aliases, the longer it is."""
    return min(0.99, max(0.10, 0.99 - 0.89 * (count - 400_000) / 3_600_000))


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _tagged(node: Node) -> Any:
    """A scalar with a tag. Of one with a tag that the server's library does not know, it takes the text."""
    text, tag = node.value, node.tag[len(TAG) :] if node.tag.startswith(TAG) else ""
    kinds: dict[str, Any] = {"bool": bool, "int": int, "float": (int, float), "null": type(None)}
    if tag in kinds:
        value = scalar(text)
        if isinstance(value, kinds[tag]) and (tag == "bool" or not isinstance(value, bool)):
            return value
    elif tag == "binary":
        with contextlib.suppress(ValueError):
            return base64.b64decode(re.sub("[\r\n]", "", text), validate=True).decode(errors="replace")
    elif tag != "timestamp" or TIME.fullmatch(text):
        return text
    raise NotYamlError("a value does not match its tag", _line(node))


def endless(value: Any) -> int:
    """How many numbers there are of which JSON has none: those that are not finite."""
    if isinstance(value, (dict, list)):
        return sum(map(endless, value.values() if isinstance(value, dict) else value))
    return int(isinstance(value, float) and not math.isfinite(value))


def scalar(text: str) -> Any:
    """What the server takes an unquoted scalar for: a string, number, boolean or null."""
    if text in NULL:
        return None
    if text[0] not in FIRST:
        return text
    if text in TRUE or text in FALSE:
        return text in TRUE
    if text in ENDLESS:
        return ENDLESS[text]
    plain = text if text[0] == "." else text.replace("_", "")
    matched = INTEGER.fullmatch(plain)
    if matched:
        sign, binary, octal, hexadecimal, decimal = matched.groups()
        digits, base = next((part, base) for part, base in ((binary, 2), (octal, 8), (hexadecimal, 16), (decimal, 10)) if part is not None)
        number = int(digits, base) * (-1 if sign == "-" else 1)
        # A number with a sign has one bit less.
        if SMALLEST <= number <= (-SMALLEST - 1 if sign else LARGEST):
            return number
        if base != 10:
            return text
    if FLOAT.fullmatch(plain):
        value = float(plain)
        return text if math.isinf(value) else value
    return text


def _key(value: Any, node: Node) -> str:
    """A key as JSON has it."""
    if isinstance(value, str):
        return value
    if value is None:
        raise NotYamlError("a key is empty", _line(node))
    text = coerced(value)
    return {"NaN": ".nan", "+Inf": ".inf", "-Inf": "-.inf"}.get(text, text)


def coerced(value: Any) -> str:
    """The string that the server makes of a number or boolean where it converts it instead of refusing it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    # It becomes a number of 32 bits, and is written with as few digits as tell it from others.
    single = struct.Struct("f")
    (value,) = single.unpack(single.pack(value))
    if endless(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    digits = next(count for count in range(9) if single.pack(float(f"{value:.{count}e}")) == single.pack(value))
    text = f"{value:.{digits}e}"
    exponent = int(text.partition("e")[2])
    return text if exponent < -4 or exponent >= 6 else f"{value:.{max(digits - exponent, 0)}f}"


def dumped(value: Any) -> str:
    """A value in block style, such that the server, Python and any YAML 1.2 library read the same."""
    import yaml

    text: str = yaml.dump(value, Dumper=_dumper(), sort_keys=False, allow_unicode=True, default_flow_style=False, width=10**6)
    return text


def trimmed(text: str) -> str:
    """A text without white space at its ends, as the server trims names and patterns."""
    return text.strip(BLANK)


def flow(value: Any) -> str:
    """A value in one line, as JSON, which is YAML too."""
    return "".join(character if character.isprintable() else _escape(character) for character in json.dumps(value, ensure_ascii=False))


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


@functools.cache
def _dumper() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

    class Dumper(base):
        """Quotes what the server takes for something else than a string, and writes long texts line by line."""

        def ignore_aliases(self, _data: Any) -> bool:
            """Nothing is referred to: what is there twice is written twice."""
            return True

    def represented(dumper: Any, text: str) -> Any:
        is_plain = isinstance(scalar(text), str) and text.replace("\n", "").isprintable()
        # The library itself quotes what it would take for something else.
        style = ("|" if "\n" in text.strip("\n") else None) if is_plain else '"'
        return dumper.represent_scalar(f"{TAG}str", text, style=style)

    Dumper.add_representer(str, represented)
    return Dumper
