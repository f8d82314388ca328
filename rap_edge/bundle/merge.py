"""Several bundles of one model become one with several variants; what is too bad is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rap_edge import golden
from rap_edge.bundle.opened import Bundle, PathLike
from rap_edge.bundle.papers import Papers, given, pinned_of, taken
from rap_edge.bundle.placing import place_graphs
from rap_edge.bundle.written import write_bundle
from rap_edge.errors import InvalidBundle, QualityError
from rap_edge.manifest import Manifest, Variant
from rap_edge.quality import GATE, Gate
from rap_edge.versions import is_older

EXACT = ("fp32",)  # precisions whose fidelity is held by parity, if nothing is quantized
WEIGHTS = ("checkpoint", "locator", "eyes")  # keys of the provenance that say what was converted


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
        pinned=pinned_of(bundles, papers),
    )
    written = {**taken(bundles, papers), **given(papers, _licence(first)), **parts}
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


def _licence(manifest: Manifest) -> str:
    """Return the licence of the weights."""
    return next(entry.licence for entry in manifest.files if entry.role == "graph")


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
