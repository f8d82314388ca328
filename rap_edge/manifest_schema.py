"""The JSON schema of ``manifest.json``, made from the dataclasses; docs/bundle.schema.json."""

from __future__ import annotations

import json
from typing import Any

from rap_edge import manifest_check as rules
from rap_edge.json_schema import DIALECT, Definitions
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


def manifest_schema() -> dict[str, Any]:
    """Return the schema, JSON Schema 2020-12; what it cannot say is in docs/bundle-format.md."""
    definitions = Definitions(_LIMITS)
    root = definitions.of(Manifest)
    return {
        "$schema": DIALECT,
        "title": f"manifest.json of a rap-edge bundle, format {FORMAT_VERSION}",
        **root,
        "$defs": definitions.made,
    }


if __name__ == "__main__":
    print(json.dumps(manifest_schema(), indent=1))
