"""Opening the graphs of a variant on a device, and asking whether they compute rightly there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from rap_edge.bundle import Bundle
from rap_edge.golden import Vectors
from rap_edge.requirements import require
from rap_edge.runtime.backends import Graph, open_graph
from rap_edge.runtime.backends.target import first_device
from rap_edge.runtime.choice import Candidate
from rap_edge.runtime.placement.device_cache import Compiled
from rap_edge.runtime.placement.selftest import require_right


def open_graphs(
    bundle: Bundle,
    candidate: Candidate,
    threads: int,
    vectors: Vectors,
    strict: bool = False,
    names: Iterable[str] | None = None,
    cache: Path | None = None,
    opened: Callable[[str], object] = lambda graph: None,
) -> Mapping[str, Graph]:
    """Open graphs, all or those named, each tested on its golden vectors.

    ``strict``: a device has to run the whole of every graph. ``cache`` is where what a device
    compiles is kept; None is where it was kept before. ``opened`` is told of each graph.

    Raises BackendUnavailable if the variant does not run here or computes wrongly, InvalidBundle
    for a damaged graph.
    """
    variant = candidate.variant
    require(variant)
    kept = cache or _kept(bundle, candidate)
    graphs: dict[str, Graph] = {}
    for name in bundle.manifest.graphs if names is None else names:
        graphs[name] = open_graph(
            variant.backend,
            name,
            bundle.read_graph(variant, name),
            bundle.manifest.graphs[name],
            variant.precision,
            threads,
            candidate.device,
            kept,
            strict and candidate.device != first_device(variant.backend),
        )
        require_right({name: graphs[name]}, variant, vectors)
        opened(name)
    return graphs


def _kept(bundle: Bundle, candidate: Candidate) -> Path | None:
    """Return the folder of what a device compiled; of one that always compiles, a new one too."""
    compiled = Compiled.of(bundle, candidate.target, candidate.variant.precision)
    if compiled is None:
        return None
    with suppress(OSError):  # where nothing can be kept, it is compiled each time
        return compiled.make() if compiled.is_needed or compiled.is_prepared else None
    return None
