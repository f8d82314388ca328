"""JSON Schema 2020-12 of frozen dataclasses: what `strict_json.decode` takes, written down."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]
Limits = Mapping[tuple[str, str], Schema]  # (class, field) -> what its type does not say

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}


class Definitions:
    """The schemas of dataclasses, each made once, by the name of its class."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or {}
        self._made: dict[str, Schema] = {}
        self._kinds: dict[str, type] = {}

    @property
    def made(self) -> dict[str, Schema]:
        """The schemas so far, sorted by name: what belongs under ``$defs``."""
        return dict(sorted(self._made.items()))

    def of(self, kind: Any) -> Schema:
        """Return the schema of a type; that of a dataclass is a reference into ``$defs``.

        Raises TypeError for a second class of the same name.
        """
        if kind is Any:
            return {}
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            if self._kinds.setdefault(kind.__name__, kind) is not kind:
                raise TypeError(f"two classes are named {kind.__name__}: rename one")
            if kind.__name__ not in self._made:
                self._made[kind.__name__] = {}
                self._made[kind.__name__] = self.object_of(kind)
            return {"$ref": f"#/$defs/{kind.__name__}"}
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin in (Union, types.UnionType):
            return {"anyOf": [self.of(argument) for argument in arguments]}
        if origin is tuple:
            return {"type": "array", "items": self.of(arguments[0])}
        if origin in (dict, Mapping):
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        return {"type": "null" if kind is type(None) else _SCALARS[kind]}

    def object_of(self, kind: type) -> Schema:
        """Return the schema of a dataclass itself: its fields, and no others."""
        hints = get_type_hints(kind)
        fields = dataclasses.fields(kind)
        missing = dataclasses.MISSING
        return {
            "type": "object",
            "description": (kind.__doc__ or "").partition("\n")[0],
            "properties": {
                f.name: {
                    **self.of(hints[f.name]),
                    **self._limits.get((kind.__name__, f.name), {}),
                }
                for f in fields
            },
            "required": [
                f.name for f in fields if f.default is missing and f.default_factory is missing
            ],
            "additionalProperties": False,
        }
