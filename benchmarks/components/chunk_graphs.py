"""The graphs of a chunk: opened and found right, what they are run on, and how often.

A graph that did not answer its golden vectors is not timed. What cannot be measured raises one of
`REFUSALS`, whose message is the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from rap_edge.benchmarks.checked import REFUSALS, open_checked
from rap_edge.benchmarks.components.contest import Turn
from rap_edge.bundle import Bundle
from rap_edge.errors import NotSupported
from rap_edge.manifest import Variant
from rap_edge.runtime import Model
from rap_edge.runtime.backends import Tensors
from rap_edge.runtime.placement.measure import CHUNK

Run = Callable[[Tensors], object]


def open_all(
    bundle: Bundle, variants: Iterable[Variant], threads: int
) -> tuple[dict[str, Model], dict[str, str]]:
    """Open variants by their labels; return why the others cannot be measured, too."""
    models: dict[str, Model] = {}
    refused: dict[str, str] = {}
    for variant in variants:
        try:
            model = open_checked(bundle, variant.backend, variant.precision, threads)
            models[variant.label] = model
        except REFUSALS as error:
            refused[variant.label] = str(error)
    return models, refused


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


def n_frames(model: Model) -> int:
    """Return the frames of such a chunk."""
    return model.config.sampler.advance * model.config.timeline.frames_per_latent


def chunk_turn(model: Model, run: Mapping[str, Run]) -> Turn:
    """Return the turn that runs the graphs of one chunk on the golden inputs."""
    inputs = golden_inputs(model)
    order = [(run[name], inputs[name]) for name, times in runs(model).items() for _ in range(times)]

    def turn() -> None:
        for graph, given in order:
            graph(given)

    return turn


def one_file(bundle: Bundle, variant: Variant, graph: str) -> bytes:
    """Read a graph that is one file; raises NotSupported for one of several."""
    files = bundle.read_graph(variant, graph)
    if len(files) != 1:
        raise NotSupported(
            f"graph {graph} of {variant.label} has the files {', '.join(sorted(files))}: expected "
            "one .onnx, which is what can be opened without rap-edge"
        )
    return next(iter(files.values()))
