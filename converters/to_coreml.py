"""Torch modules to Core ML: torch.export, an ML program in fp16, static shapes, built on Linux.

Core ML takes and gives no uint8 tensors, so every input and output of a package is float32: a
picture holds whole numbers from 0 to 255, and who runs the package casts. Names have no dots:
``state.0`` is ``state_0``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rap_edge.converters.graphs import GraphSource
from rap_edge.converters.mil.library import library
from rap_edge.converters.mil.operators import rule_of
from rap_edge.converters.mil.package import feature, pack
from rap_edge.converters.quiet import quiet

LEARNED = frozenset(("conv", "linear"))
"""Where the search for what positions are computed from ends."""


def to_coreml(source: GraphSource) -> dict[str, bytes]:
    """Convert one graph to the files of an .mlpackage, by their posix paths in its folder.

    Weights and arithmetic are fp16, but for the positions at which pictures are looked up: those of
    a 256-pixel picture would be rounded to a sixteenth of a pixel, and the sums of squares that
    place a head overflow. The same graph gives the same bytes. Raises NotSupported for an operator
    without a rule in ``rap_edge.converters.mil``, or if coremltools is not installed.
    """
    coremltools = library()
    examples = {name: value.float().contiguous() for name, value in source.inputs.items()}
    module = source.module.eval().requires_grad_(False)
    with quiet():
        exported = torch.export.export(module, tuple(examples.values()))
        model = coremltools.convert(
            exported.run_decompositions(decompositions()),
            inputs=[
                coremltools.TensorType(name=feature(name), shape=value.shape, dtype=np.float32)
                for name, value in examples.items()
            ],
            outputs=[
                coremltools.TensorType(name=feature(name), dtype=np.float32)
                for name in source.outputs
            ],
            convert_to="mlprogram",
            minimum_deployment_target=coremltools.target.iOS17,
            compute_precision=coremltools.transform.FP16ComputePrecision(op_selector=is_halved),
            skip_model_load=True,
        )
    for operation in model._mil_program.functions["main"].operations:
        if operation.op_type != "const":
            rule_of(operation.op_type, operation.name)
    return pack(model, source.name)


def decompositions() -> dict[Any, Any]:
    """Return the rewriting of operators that Core ML lacks as we use them."""

    def of_pictures(regroup: Any) -> Any:
        def rewritten(x: Tensor, factor: int) -> Any:
            if x.dim() == 4:
                return NotImplemented  # as it is
            return regroup(x.flatten(0, -4), factor).unflatten(0, x.shape[:-3])

        return rewritten

    def without_uint8(x: Tensor, *, dtype: torch.dtype | None = None, **_: Any) -> Any:
        return x.clone() if dtype == torch.uint8 else NotImplemented

    aten = torch.ops.aten
    return {
        aten.pixel_shuffle.default: of_pictures(F.pixel_shuffle),
        aten.pixel_unshuffle.default: of_pictures(F.pixel_unshuffle),
        aten._to_copy.default: without_uint8,
    }


def is_halved(operation: Any) -> bool:
    """Tell whether an operation of MIL computes in fp16: all but those that make positions."""
    return not (operation.op_type == "resample" or makes_positions(operation))


def makes_positions(operation: Any) -> bool:
    """Tell whether a ``resample`` looks up where this operation says, with no layer between."""
    waiting, seen = [operation], set()
    while waiting:
        current = waiting.pop()
        if current.op_type in LEARNED or id(current) in seen:
            continue
        seen.add(id(current))
        for output in current.outputs:
            for user in output.child_ops:
                if user.op_type != "resample":
                    waiting.append(user)
                elif user.coordinates is output:
                    return True
    return False
