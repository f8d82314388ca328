"""The variants of a bundle beside fp32, on held-out people: what `pack` asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rap_edge.bundle import Bundle, Part, write_bundle
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
    """Measure every variant of a bundle that is not fp32 and write its quality into the bundle.

    Raises InvalidBundle if the bundles are not of one model.
    """
    if (bundle.manifest.config, bundle.manifest.graphs) != (
        fp32.manifest.config,
        fp32.manifest.graphs,
    ):
        raise InvalidBundle(
            f"{bundle.path} and {fp32.path} are not of one model: convert both from one checkpoint"
        )
    exact = talker_of_variant(fp32, fp32.variants[0])
    measured = tuple(
        variant
        if variant.precision == "fp32"
        else replace(
            variant,
            quality=measure_quality(
                talker_of_variant(bundle, variant), exact, stage, mesh, plan, on_progress
            ),
        )
        for variant in bundle.variants
    )
    return rewritten(bundle, replace(bundle.manifest, variants=measured))


def talker_of_variant(bundle: Bundle, variant: Variant) -> Talker:
    """Let a variant's own files talk, on its backend."""
    files = {}
    for graph, main in variant.files.items():
        listed = bundle.read_graph(variant, graph)
        files[graph] = {path.removeprefix(f"{main}/"): bytes(listed[path]) for path in listed}
    specs = bundle.manifest.graphs
    state = {
        t.name: np.zeros(t.shape, t.dtype)
        for t in specs["decoder"].inputs
        if t.name.startswith("state.")
    }
    return talker_of(bundle.manifest.config, run_of(variant.backend, specs, files), state)


def rewritten(bundle: Bundle, manifest: Manifest) -> Bundle:
    """Write a bundle again where it is, with another manifest."""
    parts = {
        entry.path: Part(bytes(bundle.read(entry.path)), entry.role, entry.licence)
        for entry in bundle.manifest.files
    }
    return write_bundle(bundle.path, manifest, parts)
