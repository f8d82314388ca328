"""Graphs of random weights at any resolution: they show nobody, and cost what trained ones cost.

This is the one benchmark that needs torch; `resolution` imports it where it is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import nn

from rap_edge.benchmarks.flops import count_flop
from rap_edge.config import ModelConfig
from rap_edge.converters.graphs import contract, graphs_of
from rap_edge.converters.to_onnx import serialized, to_onnx
from rap_edge.manifest import GraphSpec
from rap_edge.models.model import RapModel
from rap_edge.runtime.backends import Array
from rap_edge.runtime.placement.measure import CHUNK

SPREAD = 0.02  # of the weights that a fresh model has at 0


@dataclass(frozen=True, eq=False)
class RandomGraph:
    """A graph in ONNX, its contract, inputs to run it on, and the arithmetic of one run."""

    files: Mapping[str, bytes]
    spec: GraphSpec
    inputs: Mapping[str, Array]
    flop: int


def random_graphs(config: ModelConfig, resolution: int) -> dict[str, RandomGraph]:
    """Return the graphs that run for every chunk, as a bundle of this resolution would have them.

    Weights and inputs are seeded. What a fresh model has at 0 is made random too, so that no
    runtime can leave it out.
    """
    torch.manual_seed(0)
    model = RapModel(replace(config, vae=replace(config.vae, resolution=resolution))).eval()
    for weight in model.parameters():
        if not weight.any():
            nn.init.normal_(weight, std=SPREAD)
    found = {}
    for source in graphs_of(model):
        if source.name not in CHUNK:
            continue
        files = serialized(to_onnx(source))
        (content,) = files.values()
        inputs = {name: value.numpy() for name, value in source.inputs.items()}
        found[source.name] = RandomGraph(files, contract(source), inputs, count_flop(content))
    return found
