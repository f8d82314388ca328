"""A checkpoint to a bundle: convert every graph, compare it with torch, write the folder."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from onnx import ModelProto
from torch import nn

import rap_edge
from rap_edge.bundle import Bundle, Part, write_bundle
from rap_edge.converters.chain import compare_streams, onnxruntime_stream
from rap_edge.converters.graphs import graphs_of
from rap_edge.converters.parity import Difference, compare, require_parity
from rap_edge.converters.to_onnx import graph_spec, to_onnx
from rap_edge.errors import ConfigError
from rap_edge.features import feature_contract
from rap_edge.manifest import FORMAT_VERSION, Manifest, Variant
from rap_edge.models.checkpoint import load_checkpoint
from rap_edge.models.locator import Locators
from rap_edge.models.model import RapModel

PACKAGES = ("torch", "onnx", "onnxscript", "onnxruntime", "numpy")


@dataclass(frozen=True)
class Papers:
    """What a bundle says beside its numbers."""

    card: Path | None = None
    licences: tuple[Path, ...] = ()
    licence: str = "Apache-2.0"  # SPDX expression, of the weights
    provenance: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, Any] = field(default_factory=dict)


def make_bundle(
    checkpoint: Path,
    out: Path,
    locator: Path | None = None,
    papers: Papers | None = None,
    half: bool = True,
) -> tuple[Bundle, list[Difference]]:
    """Convert a checkpoint folder into a bundle folder with one onnxruntime fp32 variant.

    Args:
        checkpoint: folder with config.json and model.safetensors.
        out: folder to write, whole or not at all.
        locator: weights of the networks that find faces; without them a bundle animates only
            portraits whose crop is given.
        papers: card, licences, provenance and measured quality.
        half: round the weights to fp16 and store them so; the arithmetic stays fp32.

    Returns the bundle and how far each output is from torch, of single calls and of a stream of 200
    solver steps. Raises ConfigError for a folder that is no checkpoint or a file that is no
    locator, ParityError if a graph does not compute what torch computes.
    """
    papers = papers or Papers()
    model = load_checkpoint(checkpoint)
    locators = None if locator is None else Locators.load(locator)
    graphs, differences = _convert(model, locators, half)
    files = {name: f"{name}.onnx" for name in graphs}
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        name=model.config.name,
        minimum_runtime=rap_edge.__version__,
        config=model.config,
        features=feature_contract(),
        graphs={name: graph_spec(graph) for name, graph in graphs.items()},
        variants=(Variant("onnxruntime", "fp32", files),),
        card=None if papers.card is None else "card.md",
        provenance={**_made_with(half), **papers.provenance},
        quality=papers.quality,
    )
    parts = {
        files[name]: Part(graph.SerializeToString(deterministic=True), "graph", papers.licence)
        for name, graph in graphs.items()
    }
    return write_bundle(out, manifest, {**parts, **_paper_parts(papers)}), differences


def _convert(
    model: RapModel, locators: Locators | None, half: bool
) -> tuple[dict[str, ModelProto], list[Difference]]:
    if half:
        for network in (model, locators):
            round_to_half(network)
    graphs: dict[str, ModelProto] = {}
    differences: list[Difference] = []
    sources = graphs_of(model, locators)
    for source in sources:
        graphs[source.name] = to_onnx(source, half)
        differences += compare(source, graphs[source.name])
    require_parity(differences)
    differences += compare_streams(model.config, sources, onnxruntime_stream(graphs))
    require_parity(differences)
    return graphs, differences


def round_to_half(network: nn.Module | None) -> None:
    """Round every weight to the nearest fp16 value, in place."""
    for weight in () if network is None else network.parameters():
        weight.data = weight.data.half().to(torch.float32)


def _paper_parts(papers: Papers) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    try:
        if papers.card is not None:
            parts["card.md"] = Part(papers.card.read_bytes(), "card", papers.licence)
        for path in papers.licences:
            parts[f"licences/{path.name}"] = Part(path.read_bytes(), "licence", _reference(path))
    except OSError as error:
        raise ConfigError(
            f"{error.filename} cannot be read ({error.strerror}) - expected a file to put into the "
            "bundle - check the path"
        ) from error
    return parts


def _reference(licence: Path) -> str:
    """Return the SPDX reference to a licence text by its own name."""
    return "LicenseRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", licence.stem)


def _made_with(half: bool) -> dict[str, Any]:
    return {
        "packages": {name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "weights": "rounded to fp16" if half else "fp32",
    }
