"""Several bundles of one model become one with several variants; what is too bad is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rap_edge import golden
from rap_edge.bundle.opened import Bundle, PathLike
from rap_edge.bundle.placing import place_graphs
from rap_edge.bundle.written import Part, write_bundle
from rap_edge.errors import ConfigError, InvalidBundle, QualityError
from rap_edge.manifest import Manifest, Variant
from rap_edge.quality import GATE, Gate
from rap_edge.versions import is_older

EXACT = ("fp32",)  # precisions whose fidelity is held by parity, if nothing is quantized
WEIGHTS = ("checkpoint", "locator", "eyes")  # keys of the provenance that say what was converted
PAPERS = ("card", "licence", "document")


@dataclass(frozen=True)
class Papers:
    """What a bundle says beside its numbers; what is left out is taken from what is packed."""

    card: Path | None = None
    licences: tuple[Path, ...] = ()
    licence: str = "Apache-2.0"  # SPDX expression, of the card
    golden: Path | None = None
    version: str | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, Any] = field(default_factory=dict)


def pack_bundles(
    bundles: Sequence[Bundle], out: PathLike, papers: Papers | None = None, gate: Gate = GATE
) -> Bundle:
    """Merge the variants of bundles of one model into one bundle; identical files are stored once.

    Variants keep the order of ``bundles``: best first. Raises QualityError for a variant that is
    not fp32 and has no measured quality, or less than the gate asks for; InvalidBundle for bundles
    that are not of one model; ConfigError for a paper that cannot be read.
    """
    papers = papers or Papers()
    require_one_model(bundles)
    _require_own_labels(bundles)
    variants = tuple(variant for bundle in bundles for variant in bundle.variants)
    for variant in variants:
        require_quality(variant, gate)
    files, parts = place_graphs([(bundle, v) for bundle in bundles for v in bundle.variants])
    first = bundles[0].manifest
    manifest = replace(
        first,
        minimum_runtime=_newest([bundle.manifest.minimum_runtime for bundle in bundles]),
        version=papers.version or first.version,
        variants=tuple(replace(v, files=files[v.label]) for v in variants),
        provenance={**_provenance(bundles), **papers.provenance},
        quality=papers.quality or _first([bundle.manifest.quality for bundle in bundles]) or {},
        card="card.md" if papers.card else _first([b.manifest.card for b in bundles]),
        golden="golden.npz" if papers.golden else _first([b.manifest.golden for b in bundles]),
    )
    written = {**_taken(bundles, papers), **_given(papers, _licence(first)), **parts}
    if manifest.golden is not None:
        golden.read(written[manifest.golden].content, manifest.graphs)
    return write_bundle(out, manifest, written)


def require_quality(variant: Variant, gate: Gate = GATE) -> None:
    """Raise QualityError if a variant that is not exact loses more than the gate allows."""
    if variant.precision in EXACT and variant.quantization is None:
        return
    if variant.quality is None:
        raise QualityError(
            f"variant {variant.label} has no measured quality: expected one, because it is not "
            f"plain {' or '.join(EXACT)}; measure it with `rap-edge gate`"
        )
    failures = gate.failures(variant.quality)
    if failures:
        nodes = variant.quantization.worst_nodes if variant.quantization else ()
        worst = f"; worst nodes: {', '.join(nodes)}" if nodes else ""
        raise QualityError(
            f"variant {variant.label} is below the quality gate: {', '.join(failures)}{worst}; "
            "keep more nodes in float, or leave the variant out"
        )


def require_one_model(bundles: Sequence[Bundle]) -> None:
    """Raise InvalidBundle unless all bundles are of one contract, converted from one checkpoint."""
    if not bundles:
        raise InvalidBundle("there is no bundle: expected one or more")
    first = bundles[0]
    for other in bundles[1:]:
        for what in ("name", "config", "features", "graphs"):
            ours, theirs = getattr(first.manifest, what), getattr(other.manifest, what)
            if ours != theirs:
                raise InvalidBundle(
                    f"{first.path} and {other.path} are not of one model: {_differing(what, ours)} "
                    f"differs from {_differing(what, theirs)}; convert both from one checkpoint"
                )
    for what in WEIGHTS:
        said = [b for b in bundles if what in b.manifest.provenance]
        for other in said[1:]:
            ours, theirs = (b.manifest.provenance[what] for b in (said[0], other))
            if ours != theirs:
                raise InvalidBundle(
                    f"{said[0].path} was made of {_differing(what, ours)} and {other.path} of "
                    f"{_differing(what, theirs)}: expected one; convert both from it"
                )


def _require_own_labels(bundles: Sequence[Bundle]) -> None:
    labels = [variant.label for bundle in bundles for variant in bundle.variants]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise InvalidBundle(f"variant {', '.join(twice)} is in two of the bundles: leave one out")


def _differing(what: str, value: Any) -> str:
    text = f"{what} {value!r}"
    return text if len(text) <= 300 else f"{text[:300]}..."


def _taken(bundles: Sequence[Bundle], papers: Papers) -> dict[str, Part]:
    """Collect papers and golden vectors of the bundles; two that differ need one given here."""
    given = {"card": papers.card, "golden": papers.golden}
    taken: dict[str, Part] = {}
    for bundle in bundles:
        for entry in bundle.manifest.files:
            if entry.role not in (*PAPERS, "golden") or given.get(entry.role):
                continue
            part = Part(bundle.read(entry.path), entry.role, entry.licence)
            if taken.setdefault(entry.path, part) != part:
                raise InvalidBundle(
                    f"{entry.path} of {bundle.path} differs from that of another bundle: "
                    f"name the one to pack"
                )
    return taken


def _given(papers: Papers, weights_licence: str) -> dict[str, Part]:
    """Read the papers that are named; golden vectors are what the weights compute, and theirs."""
    named = [("card.md", papers.card, "card", papers.licence)]
    named.append(("golden.npz", papers.golden, "golden", weights_licence))
    named += [(f"licences/{p.name}", p, "licence", reference(p)) for p in papers.licences]
    parts: dict[str, Part] = {}
    for name, path, role, licence in named:
        if path is None:
            continue
        if name in parts:
            raise ConfigError(f"{name} is given twice - expected other names - rename {path}")
        try:
            parts[name] = Part(path.read_bytes(), role, licence)
        except OSError as error:
            raise ConfigError(
                f"{path} cannot be read ({error.strerror}) - expected a file to put into the "
                "bundle - check the path"
            ) from error
    return parts


def _licence(manifest: Manifest) -> str:
    """Return the licence of the weights."""
    return next(entry.licence for entry in manifest.files if entry.role == "graph")


def reference(licence: Path) -> str:
    """Return the SPDX reference to a licence text by its own name."""
    return "LicenseRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", licence.stem)


def _provenance(bundles: Sequence[Bundle]) -> dict[str, Any]:
    """Keep what all bundles agree on, and the rest by variant."""
    everything = [dict(bundle.manifest.provenance) for bundle in bundles]
    same = {
        key: value
        for key, value in everything[0].items()
        if all(key in other and other[key] == value for other in everything)
    }
    own = {
        variant.label: {key: value for key, value in values.items() if key not in same}
        for bundle, values in zip(bundles, everything, strict=True)
        for variant in bundle.variants
    }
    own = {label: values for label, values in own.items() if values}
    return {**same, "variants": own} if own else same


def _newest(versions: Sequence[str]) -> str:
    newest = versions[0]
    for version in versions[1:]:
        newest = version if is_older(newest, version) else newest
    return newest


def _first(values: Sequence[Any]) -> Any:
    return next((value for value in values if value), None)
