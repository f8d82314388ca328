"""The variants of a bundle beside fp32, on held-out people: what `pack` asks for."""

from __future__ import annotations

from dataclasses import replace

from rap_edge.bundle import Bundle, Part, require_one_model, write_bundle
from rap_edge.converters.running import run_of
from rap_edge.converters.speaking import talker_of
from rap_edge.errors import InvalidBundle
from rap_edge.evaluation.against import GatePlan, measure_quality
from rap_edge.evaluation.mouth import FaceMesh
from rap_edge.evaluation.stage import Stage
from rap_edge.evaluation.suite import OnProgress
from rap_edge.evaluation.talker import Talker
from rap_edge.manifest import Manifest, Variant


def measure_bundle(
    bundle: Bundle,
    fp32: Bundle,
    stage: Stage,
    mesh: FaceMesh,
    plan: GatePlan,
    on_progress: OnProgress,
) -> Bundle:
    """Measure every quantized variant of a bundle and write its quality into the bundle.

    Raises InvalidBundle if the bundles are not of one model, or the second has no fp32 variant.
    """
    require_one_model([bundle, fp32])
    if all(is_exact(variant) for variant in bundle.variants):
        raise InvalidBundle(f"{bundle.path} has fp32 variants only: there is nothing to measure")
    exact = talker_of_variant(fp32, exact_variant(fp32))
    talkers = {
        variant.label: talker_of_variant(bundle, variant)
        for variant in bundle.variants
        if not is_exact(variant)
    }
    found = measure_quality(talkers, exact, stage, mesh, plan, on_progress)
    measured = tuple(
        replace(variant, quality=found.get(variant.label)) for variant in bundle.variants
    )
    return rewritten(bundle, replace(bundle.manifest, variants=measured))


def is_exact(variant: Variant) -> bool:
    """Say whether parity alone vouches for a variant."""
    return variant.precision == "fp32" and variant.quantization is None


def exact_variant(bundle: Bundle) -> Variant:
    """Return the first variant in fp32, to compare others with."""
    found = next((variant for variant in bundle.variants if is_exact(variant)), None)
    if found is None:
        labels = ", ".join(variant.label for variant in bundle.variants)
        raise InvalidBundle(
            f"{bundle.path} has the variants {labels}: expected one in fp32 to compare with, as "
            "`rap-edge convert` writes it"
        )
    return found


def talker_of_variant(bundle: Bundle, variant: Variant) -> Talker:
    """Let a variant's own files talk, on its backend."""
    files = {}
    for graph, main in variant.files.items():
        listed = bundle.read_graph(variant, graph)
        files[graph] = {path.removeprefix(f"{main}/"): bytes(listed[path]) for path in listed}
    specs = bundle.manifest.graphs
    run = run_of(variant.backend, specs, files)
    return talker_of(bundle.manifest.config, run, specs["decoder"])


def rewritten(bundle: Bundle, manifest: Manifest) -> Bundle:
    """Write a bundle again where it is, with another manifest."""
    parts = {
        entry.path: Part(bytes(bundle.read(entry.path)), entry.role, entry.licence)
        for entry in bundle.manifest.files
    }
    return write_bundle(bundle.path, manifest, parts)
