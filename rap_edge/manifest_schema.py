"""The JSON schema of ``manifest.json``, made from the dataclasses; docs/bundle.schema.json."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from rap_edge import manifest_check as rules
from rap_edge.manifest import FORMAT_VERSION, Manifest
from rap_edge.versions import LEAST, SEMVER

_NAME = {"minLength": 1, "maxLength": rules.MAX_NAME}
_LIMITS: dict[tuple[str, str], dict[str, Any]] = {
    ("Manifest", "format_version"): {"const": FORMAT_VERSION},
    ("Manifest", "name"): _NAME,
    ("Manifest", "version"): {"pattern": f"^{SEMVER}$"},
    ("Manifest", "minimum_runtime"): {"pattern": f"^{LEAST}$"},
    ("Manifest", "files"): {"maxItems": rules.MAX_FILES},
    ("Manifest", "graphs"): {"maxProperties": rules.MAX_GRAPHS},
    ("Manifest", "variants"): {"minItems": 1, "maxItems": rules.MAX_VARIANTS},
    ("FileEntry", "path"): {"minLength": 1, "maxLength": rules.MAX_PATH},
    ("FileEntry", "role"): {"enum": list(rules.ROLES)},
    ("FileEntry", "licence"): _NAME,
    ("FileEntry", "sha256"): {"pattern": "^[0-9a-f]{64}$"},
    ("FileEntry", "size"): {"minimum": 0, "maximum": rules.MAX_FILE_BYTES},
    ("TensorSpec", "name"): _NAME,
    ("TensorSpec", "dtype"): {"enum": list(rules.DTYPES)},
    ("TensorSpec", "shape"): {"maxItems": rules.MAX_RANK},
    ("Requires", "memory_mb"): {"minimum": 0},
    ("Variant", "backend"): _NAME,
    ("Variant", "precision"): _NAME,
}
_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}


def manifest_schema() -> dict[str, Any]:
    """Return the schema, JSON Schema 2020-12; what it cannot say is in docs/bundle-format.md."""
    definitions: dict[str, Any] = {}
    root = _schema(Manifest, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"manifest.json of a rap-edge bundle, format {FORMAT_VERSION}",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if kind is Any:
        return {}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if kind.__name__ not in definitions:
            definitions[kind.__name__] = {}
            definitions[kind.__name__] = _object(kind, definitions)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        (inner,) = (argument for argument in arguments if argument is not type(None))
        return {"anyOf": [_schema(inner, definitions), {"type": "null"}]}
    if origin is tuple:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    return {"type": _SCALARS[kind]}


def _object(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    fields = dataclasses.fields(kind)
    missing = dataclasses.MISSING
    return {
        "type": "object",
        "description": (kind.__doc__ or "").partition("\n")[0],
        "properties": {
            f.name: {
                **_schema(hints[f.name], definitions),
                **_LIMITS.get((kind.__name__, f.name), {}),
            }
            for f in fields
        },
        "required": [
            f.name for f in fields if f.default is missing and f.default_factory is missing
        ],
        "additionalProperties": False,
    }


if __name__ == "__main__":
    print(json.dumps(manifest_schema(), indent=1))
