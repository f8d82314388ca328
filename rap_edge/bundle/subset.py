"""Part of a signed bundle: ``subset.json`` names the variants whose files are there.

It can only take variants away. Manifest and signature stay as the publisher made them, so what is
left is still vouched for; the files that must be there follow from the names alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rap_edge.errors import InvalidBundle
from rap_edge.manifest import Manifest, Variant
from rap_edge.strict_json import Mismatch, decode, encode, parse


@dataclass(frozen=True)
class Subset:
    """The labels of the variants that are present, in the manifest's order; fewer than all."""

    variants: tuple[str, ...]

    def to_json(self) -> str:
        return encode(self)


def choose(manifest: Manifest, labels: Sequence[str]) -> tuple[Variant, ...]:
    """Return the variants of some labels in the manifest's order; without labels, all.

    Raises NotSupported for a label that the bundle does not have.
    """
    chosen = {manifest.variant(label).label for label in labels}
    return tuple(v for v in manifest.variants if not labels or v.label in chosen)


def read_subset(manifest: Manifest, content: bytes) -> tuple[Variant, ...]:
    """Return the variants that ``subset.json`` leaves; raise InvalidBundle if it is not one."""
    try:
        text = content.decode("utf-8")
        subset = decode(Subset, parse(text))
    except (Mismatch, UnicodeDecodeError) as error:
        raise InvalidBundle(f"subset.json cannot be used: {error}; extract it again") from error
    left = tuple(v for v in manifest.variants if v.label in subset.variants)
    expected = Subset(tuple(variant.label for variant in left))
    if not 0 < len(left) < len(manifest.variants) or text != expected.to_json():
        raise InvalidBundle(
            f"subset.json names {list(subset.variants)[:8]}: expected some of the variants, in "
            "order and as `rap-edge bundle extract` writes them; extract it again"
        )
    return left


def files_of(manifest: Manifest, variants: Sequence[Variant]) -> dict[str, int]:
    """List the files, with sizes, of some variants: theirs, and those of no variant."""

    def files(of: Sequence[Variant]) -> set[str]:
        return {
            name for v in of for path in v.files.values() for name in manifest.graph_files(path)
        }

    gone = files(manifest.variants) - files(variants)
    return {entry.path: entry.size for entry in manifest.files if entry.path not in gone}
