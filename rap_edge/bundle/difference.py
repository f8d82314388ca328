"""What changed from one bundle to another, by their manifests alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rap_edge.bundle.opened import Bundle
from rap_edge.manifest import Manifest, Variant
from rap_edge.versions import is_older

HEAD = ("name", "version", "format_version", "minimum_runtime", "card", "golden")


@dataclass(frozen=True)
class Change:
    """One thing that differs; ``before`` or ``after`` is None where it is not there at all."""

    what: str  # version, variant onnxruntime/int8, quality.mouth_psnr_db of it, file onnx/a.onnx
    before: Any
    after: Any


@dataclass(frozen=True)
class Comparison:
    """Changes in the order of the manifest; a lower version is a downgrade."""

    changes: tuple[Change, ...]
    downgrade: bool
    bytes_before: int
    bytes_after: int


def compare_bundles(before: Bundle, after: Bundle) -> Comparison:
    """List what differs between two bundles: heads, contracts, variants, files, signatures."""
    old, new = before.manifest, after.manifest
    pairs = [(name, getattr(old, name), getattr(new, name)) for name in HEAD]
    pairs += [
        (name, _plain(getattr(old, name)), _plain(getattr(new, name)))
        for name in ("config", "features", "graphs", "pinned", "provenance", "quality")
    ]
    changes = [change for pair in pairs for change in _changes(*pair)]
    changes += _changes("variant", _variants(old), _variants(new))
    changes += _changes("file", _files(old), _files(new))
    changes += _changes("signed_by", before.signed_by, after.signed_by)
    return Comparison(
        tuple(changes),
        is_older(new.version, old.version),
        sum(entry.size for entry in old.files),
        sum(entry.size for entry in new.files),
    )


def _changes(what: str, old: Any, new: Any) -> list[Change]:
    """Go down where both sides are objects, so that a change is named by its own key."""
    if old == new:
        return []
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return [Change(what, old, new)]
    keys = [*old, *(key for key in new if key not in old)]
    return [c for key in keys for c in _changes(f"{what}.{key}", old.get(key), new.get(key))]


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return value


def _variants(manifest: Manifest) -> dict[str, Any]:
    return {variant.label: _variant(variant) for variant in manifest.variants}


def _variant(variant: Variant) -> dict[str, Any]:
    return {k: v for k, v in dataclasses.asdict(variant).items() if k not in _LABEL}


def _files(manifest: Manifest) -> dict[str, Any]:
    return {
        entry.path: {k: v for k, v in dataclasses.asdict(entry).items() if k != "path"}
        for entry in manifest.files
    }


_LABEL = ("backend", "precision")
