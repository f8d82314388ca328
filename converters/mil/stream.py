"""Packages in the place of the graphs that they were made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rap_edge.converters.chain import Run
from rap_edge.converters.graphs import GraphSource
from rap_edge.converters.mil.package import Files
from rap_edge.converters.mil.program import open_program
from rap_edge.converters.parity import Tensors, in_torch


def coreml_stream(sources: Sequence[GraphSource], packages: Mapping[str, Files]) -> Run:
    """Run packages by the names of their graphs; pictures come out as uint8 again."""
    programs = {name: open_program(files) for name, files in packages.items()}
    types = {
        source.name: {
            name: value.dtype for name, value in in_torch(source, _examples(source)).items()
        }
        for source in sources
    }

    def run(graph: str, inputs: Tensors) -> Tensors:
        outputs = programs[graph].run(inputs)
        return {name: value.astype(types[graph][name]) for name, value in outputs.items()}

    return run


def _examples(source: GraphSource) -> Tensors:
    return {name: value.numpy() for name, value in source.inputs.items()}
