"""Whether a graph, where it runs now, answers the golden vectors of its bundle as it should.

Devices return wrong numbers without a word, so that every graph is asked once when it is opened,
which warms it up too.
"""

from __future__ import annotations

from collections.abc import Mapping

from rap_edge.bundle import Bundle
from rap_edge.errors import BackendUnavailable
from rap_edge.golden import Vectors, compare
from rap_edge.manifest import Variant
from rap_edge.runtime.backends import Graph
from rap_edge.runtime.backends.contract import short

UNTESTED = "not tested: the bundle has no golden vectors"


def golden_vectors(bundle: Bundle) -> Vectors:
    """Return the golden vectors of a bundle; of one without any, none for no graph."""
    return bundle.golden() or {}


def require_right(graphs: Mapping[str, Graph], variant: Variant, vectors: Vectors) -> None:
    """Raise BackendUnavailable, with the numbers, unless every graph answers as it should.

    Graphs that have no vectors are not asked.
    """
    for name, graph in graphs.items():
        if name not in vectors:
            continue
        wrong = failures(graph, variant, vectors)
        if wrong:
            place = graph.placement
            raise BackendUnavailable(
                f"graph {name} computes wrongly on {place.backend} {place.version} "
                f"({place.device}, {place.precision}): {'; '.join(wrong)}; take another backend, "
                "or update this one and its drivers"
            )


def failures(graph: Graph, variant: Variant, vectors: Vectors) -> list[str]:
    """Name every output that is further from its golden vector than the variant may be."""
    expected = vectors[graph.name]
    inputs = {tensor.name: expected[tensor.name] for tensor in graph.spec.inputs}
    try:
        outputs = graph.run(inputs)
    except Exception as error:  # a device fails in ways of its own
        return [f"it does not run: {short(error)}"]
    return compare(
        outputs,
        expected,
        variant.tolerances.get(graph.name, 0.0),
        variant.tolerances_levels.get(graph.name, 0.0),
        graph.spec,
    )
