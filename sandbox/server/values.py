"""Values as the registry server keeps them: a struct is a text, which holds a protobuf message (google.protobuf.Struct) in base64."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from typing import Any

PREFIX = "mlmd-struct::"
_NULL, _NUMBER, _STRING, _BOOL, _STRUCT, _LIST = 1, 2, 3, 4, 5, 6


def struct_text(content: dict[str, Any]) -> str:
    """The text that stands for a struct."""
    return PREFIX + base64.b64encode(_struct(content)).decode()


def struct_content(text: str) -> dict[str, Any]:
    """What a text that stands for a struct holds."""
    return _read_struct(base64.b64decode(text.removeprefix(PREFIX)))


def _varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def _part(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _struct(content: dict[str, Any]) -> bytes:
    return b"".join(_part(1, _part(1, key.encode()) + _part(2, _value(value))) for key, value in content.items())


def _value(value: Any) -> bytes:
    if value is None or isinstance(value, bool):
        return _varint((_NULL if value is None else _BOOL) << 3) + _varint(int(value or 0))
    if isinstance(value, (int, float)):
        return _varint(_NUMBER << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, str):
        return _part(_STRING, value.encode())
    if isinstance(value, dict):
        return _part(_STRUCT, _struct(value))
    return _part(_LIST, b"".join(_part(1, _value(element)) for element in value))


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a message with what they hold: a number, the bytes of a double, or bytes."""
    rest = memoryview(message)

    def number() -> int:
        nonlocal rest
        found = shift = 0
        while True:
            byte, rest = rest[0], rest[1:]
            found |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return found

    while rest:
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        else:
            size = 8 if key & 7 == 1 else number()
            content, rest = bytes(rest[:size]), rest[size:]
            yield key >> 3, content


def _read_struct(message: bytes) -> dict[str, Any]:
    content = {}
    for _field, entry in _fields(message):
        parts = dict(_fields(entry))
        content[parts.get(1, b"").decode()] = _read_value(parts.get(2, b""))
    return content


def _read_value(message: bytes) -> Any:
    for field, held in _fields(message):
        if field == _NUMBER:
            [number] = struct.unpack("<d", held)
            return int(number) if number.is_integer() and abs(number) < 1e15 else number
        if field == _STRING:
            return held.decode()
        if field == _BOOL:
            return bool(held)
        if field == _STRUCT:
            return _read_struct(held)
        if field == _LIST:
            return [_read_value(element) for _one, element in _fields(held)]
    return None
