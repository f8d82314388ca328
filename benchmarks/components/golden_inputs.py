"""The golden vectors of a bundle as inputs: what graphs are timed on."""

from __future__ import annotations

from rap_edge.errors import NotSupported
from rap_edge.runtime import Model
from rap_edge.runtime.backends import Tensors

CHUNK = ("audio", "denoiser", "decoder")


def golden_inputs(model: Model) -> dict[str, Tensors]:
    """Return inputs of the graphs of a chunk; raises NotSupported without golden vectors."""
    vectors = model.bundle.golden()
    if vectors is None:
        raise NotSupported(
            f"bundle {model.bundle.name!r} has no golden vectors to run: convert it again"
        )
    graphs = model.bundle.manifest.graphs
    return {
        name: {tensor.name: vectors[name][tensor.name] for tensor in graphs[name].inputs}
        for name in CHUNK
    }


def runs(model: Model) -> dict[str, int]:
    """Return how often each graph runs in a chunk, at the bundle's own level."""
    sampler = model.config.sampler
    return dict(zip(CHUNK, (1, sampler.steps, sampler.advance), strict=True))
