"""A checkpoint as graphs that are ready to be converted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from rap_edge.config import ModelConfig
from rap_edge.converters.graphs import GraphSource, contract, graphs_of
from rap_edge.manifest import GraphSpec
from rap_edge.models.checkpoint import FILES, load_checkpoint
from rap_edge.models.eyes import EyeFinder
from rap_edge.models.locator import Locators


@dataclass(frozen=True)
class Sources:
    """The graphs of one model, before their conversion, and the contract of each."""

    config: ModelConfig
    graphs: tuple[GraphSource, ...]
    specs: Mapping[str, GraphSpec]
    hashes: Mapping[str, str] = field(default_factory=dict)  # SHA-256 of what they were read from

    def graph(self, name: str) -> GraphSource:
        return next(graph for graph in self.graphs if graph.name == name)


def load_sources(checkpoint: Path, locator: Path | None, eyes: Path | None, half: bool) -> Sources:
    """Load a checkpoint folder, and the networks that find faces and eyes if there are some.

    With ``half``, weights are rounded to fp16. Raises ConfigError for what is no checkpoint, no
    locator or no eye finder.
    """
    model = load_checkpoint(checkpoint)
    locators = None if locator is None else Locators.load(locator)
    finder = None if eyes is None else EyeFinder.load(eyes)
    if half:
        for network in (model, locators, finder):
            round_to_half(network)
    graphs = graphs_of(model, locators, finder)
    hashes = {"checkpoint": digest(*(checkpoint / name for name in FILES))}
    for name, file in (("locator", locator), ("eyes", eyes)):
        if file is not None:
            hashes[name] = digest(file)
    specs = {graph.name: contract(graph) for graph in graphs}
    return Sources(model.config, graphs, specs, hashes)


def digest(*files: Path) -> str:
    """Return the SHA-256 of files, one after the other."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def round_to_half(network: nn.Module | None) -> None:
    """Round every weight to the nearest fp16 value, in place."""
    for weight in () if network is None else network.parameters():
        weight.data = weight.data.half().to(torch.float32)
