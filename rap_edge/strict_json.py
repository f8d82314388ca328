"""JSON into frozen dataclasses: what a class does not name, or names otherwise, is refused."""

from __future__ import annotations

import dataclasses
import json
import math
import types
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Decoded = TypeVar("Decoded")

MAX_DEPTH = 32
_NAMES: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


class Mismatch(ValueError):
    """A value that is not what the class asks for; the message names the place in the JSON."""


def parse(text: str) -> Any:
    """Parse JSON; unlike ``json.loads``, refuse what two readers could understand differently.

    That is repeated keys, NaN, infinities, integers beyond 63 bits and half characters, and more
    than MAX_DEPTH levels.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) != len(pairs):
            raise Mismatch(f"a key is repeated in the object with keys {sorted(values)}")
        return values

    def refuse(constant: str) -> Any:
        raise Mismatch(f"{constant} is not a JSON number")

    try:
        value = json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except Mismatch:
        raise
    except (ValueError, RecursionError) as error:  # a number of 5000 digits is a ValueError
        raise Mismatch(f"it is not JSON ({error})") from error
    _check_plain(value)
    return value


def decode(kind: type[Decoded], value: Any, where: str = "") -> Decoded:
    """Turn parsed JSON into the dataclass ``kind``; ``where`` is its place in the JSON."""
    decoded: Decoded = _decode(kind, value, where)
    return decoded


def encode(value: Any) -> str:
    """Write a dataclass as JSON with sorted keys, the same bytes for the same value."""
    return json.dumps(dataclasses.asdict(value), indent=1, sort_keys=True, allow_nan=False) + "\n"


def _check_plain(value: Any, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise Mismatch(f"it has more than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for inner in value:
            _check_plain(inner, depth + 1)
    elif isinstance(value, str):
        whole = not any("\ud800" <= character <= "\udfff" for character in value)
        _expect(whole, value, "whole characters", "a text")
    elif isinstance(value, float):
        _expect(math.isfinite(value), value, "a finite number", "a number")
    elif isinstance(value, int):
        _expect(abs(value) < 1 << 63, value, "at most 63 bits", "a number")


def _decode(kind: Any, value: Any, where: str) -> Any:
    if kind is Any:
        return value
    if dataclasses.is_dataclass(kind):
        return _decode_object(kind, value, where)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return _expect(value in arguments, value, f"one of {list(arguments)}", where)
    if origin in (Union, types.UnionType):
        return _decode_union(arguments, value, where)
    if origin is tuple:
        _expect(isinstance(value, list), value, "a list", where)
        return tuple(_decode(arguments[0], v, f"{where}[{i}]") for i, v in enumerate(value))
    if origin in (dict, Mapping):
        _expect(isinstance(value, dict), value, "an object", where)
        return {key: _decode(arguments[1], v, f"{where}.{key}") for key, v in value.items()}
    return _decode_scalar(kind, value, where)


def _decode_union(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    """Take the first kind that fits."""
    if value is None and type(None) in kinds:
        return None
    inner = [kind for kind in kinds if kind is not type(None)]
    if len(inner) == 1:
        return _decode(inner[0], value, where)
    for kind in inner:
        with suppress(Mismatch):
            return _decode(kind, value, where)
    return _expect(False, value, " or ".join(_NAMES.get(kind, str(kind)) for kind in inner), where)


def _decode_scalar(kind: type, value: Any, where: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    fits = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
    return _expect(fits, value, _NAMES.get(kind, kind.__name__), where)


def _decode_object(kind: Any, value: Any, where: str) -> Any:
    _expect(isinstance(value, dict), value, "an object", where)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for key in value:
        if key not in fields:
            raise Mismatch(f"{_at(where, key)} is unknown: expected one of {sorted(fields)}")
    for name, field in fields.items():
        required = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        if required and name not in value:
            raise Mismatch(f"{_at(where, name)} is missing")
    hints = get_type_hints(kind)
    return kind(**{key: _decode(hints[key], v, _at(where, key)) for key, v in value.items()})


def _expect(condition: bool, value: Any, expected: str, where: str) -> Any:
    if not condition:
        raise Mismatch(f"{where or 'the top level'} is {_shown(value)}: expected {expected}")
    return value


def _at(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
