"""A checkpoint as graphs that are ready to be converted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from rap_edge.config import ModelConfig
from rap_edge.converters.graphs import GraphSource, contract, graphs_of
from rap_edge.manifest import GraphSpec
from rap_edge.models.checkpoint import load_checkpoint
from rap_edge.models.locator import Locators


@dataclass(frozen=True)
class Sources:
    """The graphs of one model, before their conversion, and the contract of each."""

    config: ModelConfig
    graphs: tuple[GraphSource, ...]
    specs: Mapping[str, GraphSpec]


def load_sources(checkpoint: Path, locator: Path | None, half: bool) -> Sources:
    """Load a checkpoint folder, and the networks that find faces if there are some.

    With ``half``, weights are rounded to fp16. Raises ConfigError for what is no checkpoint or no
    locator.
    """
    model = load_checkpoint(checkpoint)
    locators = None if locator is None else Locators.load(locator)
    if half:
        for network in (model, locators):
            round_to_half(network)
    graphs = graphs_of(model, locators)
    return Sources(model.config, graphs, {graph.name: contract(graph) for graph in graphs})


def round_to_half(network: nn.Module | None) -> None:
    """Round every weight to the nearest fp16 value, in place."""
    for weight in () if network is None else network.parameters():
        weight.data = weight.data.half().to(torch.float32)
