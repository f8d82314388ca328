"""A checkpoint to a bundle: convert every graph, compare it with torch, write it."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import rap_edge
from rap_edge import golden
from rap_edge.bundle import Bundle, Part, require_writable, write_bundle
from rap_edge.converters.chain import compare_streams
from rap_edge.converters.formats import BOUNDS, FORMATS, REQUIRES, Format, backends_of
from rap_edge.converters.parity import Bound, Difference, compare, require_parity
from rap_edge.converters.running import Files, run_of
from rap_edge.converters.showing import Example, tolerances, vectors_of
from rap_edge.converters.sources import Sources, load_sources
from rap_edge.converters.speaking import Run
from rap_edge.features import feature_contract
from rap_edge.manifest import FORMAT_VERSION, Manifest, Variant

PACKAGES = ("torch", "onnx", "onnxscript", "onnxruntime", "openvino", "coremltools", "numpy")
GOLDEN = "golden.npz"


def make_bundle(
    checkpoint: Path,
    out: Path,
    to: str = "onnx",
    locator: Path | None = None,
    backends: Sequence[str] = (),
    half: bool = True,
    example: Example | None = None,
    licence: str = "Apache-2.0",
    eyes: Path | None = None,
) -> tuple[Bundle, list[Difference]]:
    """Convert a checkpoint folder into a bundle of one format, a variant for each backend.

    Args:
        checkpoint: folder with config.json and model.safetensors.
        out: folder or .rapb file to write, whole or not at all.
        to: a name of ``FORMATS``.
        locator: weights of the networks that find faces; without them a bundle animates only
            portraits whose crop is given.
        backends: of those that read the format; all if there are none.
        half: round the weights to fp16 and store them so; the arithmetic stays as it was.
        example: what the golden vectors show; noise without it.
        licence: SPDX expression of the weights.
        eyes: weights of the network that finds lids; without them nobody blinks.

    Returns the bundle and how far each output is from torch, of single calls and of a stream of 200
    solver steps. Raises ConfigError for a folder that is no checkpoint or a file that is no
    locator or no eye finder, NotSupported for a backend that is not installed, ParityError if a
    graph does not compute what torch computes.
    """
    require_writable(out)
    form = FORMATS[to]
    backends = backends_of(backends, form.backends)
    sources = load_sources(checkpoint, locator, eyes, half)
    files = {graph.name: form.convert(graph, half) for graph in sources.graphs}
    vectors = vectors_of(sources, example or Example.noise())
    differences: list[Difference] = []
    variants = []
    for backend in backends:
        run = run_of(backend, sources.specs, files)
        found = compared(sources, run, BOUNDS[backend])
        require_parity(found)
        differences += [replace(difference, backend=backend) for difference in found]
        kept = tolerances(sources, vectors, run)
        variants.append(variant_of(form, backend, form.precision, files, kept))
    placed = place(form, files)
    provenance = made_with(sources, half)
    return write(out, sources, variants, placed, vectors, provenance, licence), differences


def compared(sources: Sources, run: Run, bound: Bound | None) -> list[Difference]:
    """Compare single calls first, and a stream only if they agree."""
    single = [d for graph in sources.graphs for d in compare(graph, run, bound)]
    require_parity(single)
    return single + compare_streams(sources.config, sources.graphs, run, bound)


def variant_of(
    form: Format, backend: str, precision: str, graphs: Mapping[str, Files], more: dict[str, Any]
) -> Variant:
    paths = {name: form.path(name) for name in graphs}
    return Variant(backend, precision, paths, REQUIRES[backend], **more)


def place(form: Format, graphs: Mapping[str, Files]) -> Files:
    """Return all files of all graphs by their paths in a bundle."""
    return {
        path: content
        for name, files in graphs.items()
        for path, content in form.placed(name, files).items()
    }


def write(
    out: Path,
    sources: Sources,
    variants: Sequence[Variant],
    files: Files,
    vectors: golden.Vectors,
    provenance: Mapping[str, Any],
    licence: str,
) -> Bundle:
    """Write a bundle of variants that share ``files``."""
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        name=sources.config.name,
        minimum_runtime=rap_edge.__version__,
        config=sources.config,
        features=feature_contract(),
        graphs=sources.specs,
        variants=tuple(variants),
        golden=GOLDEN,
        provenance=provenance,
    )
    parts = {path: Part(content, "graph", licence) for path, content in files.items()}
    return write_bundle(
        out, manifest, {**parts, GOLDEN: Part(golden.write(vectors), "golden", licence)}
    )


def made_with(sources: Sources, half: bool) -> dict[str, Any]:
    return {
        **sources.hashes,
        "packages": installed_versions(),
        "python": platform.python_version(),
        "weights": "rounded to fp16" if half else "fp32",
    }


def installed_versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
