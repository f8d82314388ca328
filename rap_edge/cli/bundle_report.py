"""What the bundle commands say: lines and tables for people, JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rap_edge import errors
from rap_edge.cli.table import table

if TYPE_CHECKING:
    from rap_edge.bundle import Bundle, Comparison
    from rap_edge.manifest import Variant

SCHEMA_VERSION = 1
REASONS = {
    errors.UnsignedBundle: "unsigned",
    errors.BadSignature: "bad-signature",
    errors.UntrustedKey: "untrusted-key",
}


def as_json(**values: Any) -> str:
    return json.dumps({"schema_version": SCHEMA_VERSION, **values})


def written(bundle: Bundle, as_object: bool) -> str:
    labels = [variant.label for variant in bundle.variants]
    size = sum(bundle.files.values())
    if as_object:
        return as_json(bundle=str(bundle.path), name=bundle.name, variants=labels, bytes=size)
    return f"{bundle.path}: bundle {bundle.name!r}, {', '.join(labels)}, {size / 1e6:.1f} MB"


def verified(bundle: Bundle, as_object: bool) -> str:
    size = sum(bundle.files.values())
    if as_object:
        return as_json(ok=True, bundle=str(bundle.path), signed_by=bundle.signed_by, bytes=size)
    by = f"signed by {bundle.signed_by}" if bundle.signed_by else "signed by nobody"
    return f"{bundle.path}: {len(bundle.files)} files, {size / 1e6:.1f} MB, all as listed; {by}"


def refused(error: errors.InvalidBundle) -> str:
    return as_json(ok=False, reason=REASONS.get(type(error), "damaged"), message=str(error))


def signed(path: Path, fingerprint: str, as_object: bool) -> str:
    if as_object:
        return as_json(bundle=str(path), signed_by=fingerprint)
    return f"{path}: signed by {fingerprint}"


def key_made(private: Path, public: Path, fingerprint: str, as_object: bool) -> str:
    if as_object:
        return as_json(private=str(private), public=str(public), fingerprint=fingerprint)
    return f"{private}: keep it to yourself\n{public}: give it to your readers ({fingerprint})"


def contents_json(bundle: Bundle) -> str:
    return as_json(
        bundle=str(bundle.path),
        signed_by=bundle.signed_by,
        present=[variant.label for variant in bundle.variants],
        manifest=asdict(bundle.manifest),
    )


def contents(bundle: Bundle) -> str:
    manifest = bundle.manifest
    by = f"signed by {bundle.signed_by[:16]}..." if bundle.signed_by else "unsigned"
    head = f"{manifest.name} {manifest.version}, format {manifest.format_version}, {by}"
    variants = table(
        ("variant", "MB", "present", "needs", "frame dB", "mouth dB", "mouth r"),
        [_variant_row(bundle, variant) for variant in manifest.variants],
    )
    files = table(
        ("file", "bytes", "role", "licence", "sha256"),
        [
            (entry.path, str(entry.size), entry.role, entry.licence, f"{entry.sha256[:16]}...")
            for entry in manifest.files
        ],
    )
    return "\n".join((head, variants, files))


def comparison(found: Comparison, as_object: bool) -> str:
    if as_object:
        return as_json(**asdict(found))
    if not found.changes:
        return "no difference"
    lines = [f"{change.what}: {_short(change.before)} -> {_short(change.after)}"
             for change in found.changes]  # fmt: skip
    megabytes = f"{found.bytes_before / 1e6:.1f} MB -> {found.bytes_after / 1e6:.1f} MB"
    return "\n".join([*lines, megabytes, *(["a downgrade"] if found.downgrade else [])])


def _variant_row(bundle: Bundle, variant: Variant) -> tuple[str, ...]:
    sizes = {entry.path: entry.size for entry in bundle.manifest.files}
    names = {n for path in variant.files.values() for n in bundle.manifest.graph_files(path)}
    requires, quality = variant.requires, variant.quality
    needs = [f"{package} {least}" for package, least in requires.packages.items()]
    measured = (
        ("", "", "")
        if quality is None
        else (
            f"{quality.frame_psnr_db:.1f}",
            f"{quality.mouth_psnr_db:.1f}",
            f"{quality.mouth_curve_r:.3f}",
        )
    )
    present = "yes" if variant in bundle.variants else "no"
    size = f"{sum(sizes[name] for name in names) / 1e6:.1f}"
    return variant.label, size, present, ", ".join([*needs, *requires.os]), *measured


def _short(value: Any) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
