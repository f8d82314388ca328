"""Smaller variants of a Core ML package in fp16, made on Linux: files in, files out.

int8 weights and palettes for what iOS 17 runs; W8A8 with ranges that our interpreter observes,
because coremltools asks Core ML for them, which only a Mac has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from torch import Tensor

from rap_edge.converters.mil.library import library
from rap_edge.converters.mil.package import GRAPH, Files, pack, read_specification, unpacked
from rap_edge.converters.mil.program import Program, Tensors, open_program
from rap_edge.converters.quiet import quiet

Ranges = dict[str, dict[str, float]]
"""Name of a tensor -> {"rmin", "rmax"}, as coremltools has it."""

LAYERS = ("conv", "linear")

OPTIMIZE = "coremltools.optimize.coreml"
CALIBRATION = f"{OPTIMIZE}._post_training_quantization"


def quantize_weights(files: Files, kept: Collection[str] = ()) -> dict[str, bytes]:
    """Store weights in int8: linear, symmetric, one scale for each output channel.

    ``kept`` names operations whose weights stay in fp16. Raises NotSupported if coremltools is not
    installed.
    """
    return compressed(files, lambda tool, model: tool.linear_quantize_weights(model, linear(kept)))


def palettize_weights(
    files: Files,
    bits: Literal[6, 8],
    mode: Literal["kmeans", "uniform"] = "kmeans",
    kept: Collection[str] = (),
) -> dict[str, bytes]:
    """Store weights as indices of ``bits`` into one table of values for each tensor."""
    palette = library(OPTIMIZE).OpPalettizerConfig(mode=mode, nbits=bits)
    settings = configuration(palette, kept)
    return compressed(files, lambda tool, model: tool.palettize_weights(model, settings))


def quantize_both(
    files: Files, samples: Iterable[Tensors], kept: Collection[str] = ()
) -> dict[str, bytes]:
    """Store weights in int8, and let convolutions and linear layers read and write int8.

    Args:
        files: a package in fp16.
        samples: inputs of its graph; a tensor's range spans all that is seen of it.
        kept: names of operations that stay in fp16.
    """
    ranges = observed_ranges(open_program(files), samples)

    def quantized(tool: Any, model: Any) -> Any:
        with calibrated_by(ranges):
            model = tool.linear_quantize_activations(model, linear(kept), [])
        return tool.linear_quantize_weights(model, linear(kept))

    return compressed(files, quantized)


def observed_ranges(program: Program, samples: Iterable[Tensors]) -> Ranges:
    """Return the least and the greatest value of every tensor over all samples.

    Tensors that are joined share one range, so that joining them stays a copy of bytes.
    """
    ranges: Ranges = {}

    def widen(name: str, value: Tensor) -> None:
        least, most = (float(bound) for bound in value.aminmax())
        seen = ranges.setdefault(name, {"rmin": least, "rmax": most})
        seen.update(rmin=min(least, seen["rmin"]), rmax=max(most, seen["rmax"]))

    for sample in samples:
        program.run(sample, widen)
    for names in joined(program):
        seen = [ranges[name] for name in names if name in ranges]
        for own in seen:
            own.update(rmin=min(r["rmin"] for r in seen), rmax=max(r["rmax"] for r in seen))
    return ranges


def joined(program: Program) -> list[set[str]]:
    """Return the sets of tensors that meet in ``concat``, directly or through others."""
    groups: list[set[str]] = []
    for step in program.steps:
        if step.operator == "concat":
            group = {*step.inputs["values"], *(slot.name for slot in step.outputs)}
            group.update(*(other for other in groups if other & group))
            groups = [other for other in groups if not other & group] + [group]
    return groups


def linear(kept: Collection[str]) -> Any:
    return configuration(library(OPTIMIZE).OpLinearQuantizerConfig(mode="linear_symmetric"), kept)


def configuration(operation: Any, kept: Collection[str]) -> Any:
    """Return settings for layers with weights, but for those that are kept.

    Positions, angles and interpolation are constants too, and need more than 8 bits.
    """
    settings = library(OPTIMIZE).OptimizationConfig()
    for layer in LAYERS:
        settings.set_op_type(layer, operation)
    for name in kept:
        settings.set_op_name(name, None)
    return settings


def compressed(files: Files, compress: Callable[[Any, Any], Any]) -> dict[str, bytes]:
    """Let coremltools make a smaller model out of a package."""
    coremltools, tool = library(), library(OPTIMIZE)
    graph = read_specification(files).description.metadata.userDefined[GRAPH]
    with unpacked(files) as folder, quiet():
        model = coremltools.models.MLModel(str(folder), skip_model_load=True)
        return pack(compress(tool, model), graph)


@contextmanager
def calibrated_by(ranges: Mapping[str, Mapping[str, float]]) -> Iterator[None]:
    """Give coremltools ranges for those that it would ask Core ML for."""
    module = library(CALIBRATION)
    asked = module._get_activation_calibration_stats
    module._get_activation_calibration_stats = lambda *_: ranges
    try:
        yield
    finally:
        module._get_activation_calibration_stats = asked
