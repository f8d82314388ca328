"""A strict reader of protobuf's wire format, for messages of which every field is known.

It is stricter than protobuf: a field that is not declared, of another wire type, or repeated where
one value is expected is an error. So no other reader can understand a message differently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_VALUES = 1 << 17  # of one message with all that is in it: what bounds memory and time
_FIXED = {FIXED64: 8, FIXED32: 4}


class Malformed(ValueError):
    """Bytes that are not the message that was expected."""


@dataclass(frozen=True)
class Field:
    """One field of a message; ``many`` values are kept in a list, packed or not."""

    name: str
    wire: int = BYTES
    many: bool = False
    message: Message | None = None


@dataclass(frozen=True)
class Message:
    """The fields of a message by number; ``forbidden`` names those that are refused by name.

    Only what explains a file, and never decides about it, may read a ``partial`` message.
    """

    name: str
    fields: Mapping[int, Field]
    forbidden: Mapping[int, str] = field(default_factory=dict)
    partial: bool = False  # fields that are not declared are skipped, not refused

    def read(self, content: memoryview, most: int = MAX_VALUES) -> dict[str, Any]:
        """Return the values, ``most`` of them: int, memoryview, dict for a message, and lists."""
        return self._read(content, iter(range(most)))

    def _read(self, content: memoryview, budget: Iterator[int]) -> dict[str, Any]:
        values: dict[str, Any] = {f.name: [] for f in self.fields.values() if f.many}
        place = 0
        while place < len(content):
            _spend(budget)
            key, place = _varint(content, place)
            number, wire = key >> 3, key & 7
            known = self.fields.get(number)
            if known is None and self.partial:
                _, place = _value(content, place, wire)
                continue
            if known is None:
                raise Malformed(f"{self.name} has {self.forbidden.get(number, f'field {number}')}")
            value, place = _value(content, place, wire)
            if wire == BYTES and known.wire != BYTES and known.many:  # packed
                values[known.name].extend(_unpack(value, known.wire, budget))
                continue
            if wire != known.wire:
                raise Malformed(f"{known.name} of {self.name} has wire type {wire}")
            if known.message is not None:
                value = known.message._read(value, budget)
            if known.many:
                values[known.name].append(value)
            elif known.name in values:
                raise Malformed(f"{known.name} of {self.name} is there twice")
            else:
                values[known.name] = value
        return values


def read_text(raw: memoryview | None) -> str:
    """Return a text, empty if it is missing."""
    try:
        return "" if raw is None else bytes(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("a name is not UTF-8") from error


def require(condition: object, problem: str) -> None:
    """Raise Malformed with the problem unless the condition holds."""
    if not condition:
        raise Malformed(problem)


def _value(content: memoryview, place: int, wire: int) -> tuple[Any, int]:
    if wire == VARINT:
        return _varint(content, place)
    if wire == BYTES:
        size, place = _varint(content, place)
    elif wire in _FIXED:
        size = _FIXED[wire]
    else:
        raise Malformed(f"wire type {wire} is not one of protobuf 3")
    if place + size > len(content):
        raise Malformed("it is cut off")
    return content[place : place + size], place + size


def _varint(content: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(content):
            raise Malformed("it is cut off")
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, place
    raise Malformed("a number has more than 64 bits")


def _unpack(content: memoryview, wire: int, budget: Iterator[int]) -> Iterator[Any]:
    place = 0
    while place < len(content):
        _spend(budget)
        value, place = _value(content, place, wire)
        yield value


def _spend(budget: Iterator[int]) -> None:
    if next(budget, None) is None:
        raise Malformed("it has more values than a graph needs")
