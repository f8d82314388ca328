"""The recipes of `rap-edge quantize`: how graphs are changed, and what runs the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from rap_edge.converters.making import (
    Job,
    Made,
    by_nncf,
    coreml,
    coreml_exact,
    fp16,
    static_int8,
    weights_only,
)
from rap_edge.isa import ARM_INT8, X86_INT8
from rap_edge.quantization import Activations


@dataclass(frozen=True)
class Recipe:
    """How graphs are changed, in which format, and what runs the result, best first.

    One that is ``calibrated`` needs a data folder; what is ``exact`` has to be as near to torch as
    a conversion; ``smooths`` and ``judged`` say what of a job's settings it heeds.
    """

    form: str
    backends: tuple[str, ...]
    precision: str
    make: Callable[[Job], Made]
    weight_bits: int | None = None
    activations: Activations = "float"
    calibrated: bool = False
    exact: bool = False
    smooths: bool = False
    judged: bool = False
    isa: tuple[str, ...] = ()  # what makes it fast; any of these
    libraries: tuple[str, ...] = ()  # beyond those of its backends


BOTH = ("onnxruntime", "openvino")
RECIPES: Mapping[str, Recipe] = {
    "int8": Recipe(
        form="onnx",
        backends=BOTH,
        precision="int8",
        make=partial(static_int8, activation="uint8"),
        weight_bits=8,
        activations="uint8",
        calibrated=True,
        smooths=True,
        judged=True,
        isa=X86_INT8,
    ),
    "int8-arm": Recipe(
        form="onnx",
        backends=("onnxruntime",),
        precision="int8-arm",
        make=partial(static_int8, activation="int8"),
        weight_bits=8,
        activations="int8",
        calibrated=True,
        smooths=True,
        judged=True,
        isa=ARM_INT8,
    ),
    "fp16": Recipe(form="onnx", backends=("onnxruntime",), precision="fp16", make=fp16),
    "w8": Recipe(
        form="onnx",
        backends=("onnxruntime",),
        precision="w8",
        make=partial(weights_only, bits=8),
        weight_bits=8,
    ),
    "w4": Recipe(
        form="onnx",
        backends=("onnxruntime",),
        precision="w4",
        make=partial(weights_only, bits=4),
        weight_bits=4,
    ),
    "nncf": Recipe(
        form="openvino",
        backends=("openvino",),
        precision="int8-nncf",
        make=by_nncf,
        libraries=("nncf",),
        weight_bits=8,
        activations="uint8",
        calibrated=True,
        smooths=True,
        isa=X86_INT8,
    ),
    "coreml-fp16": Recipe(
        form="coreml",
        backends=("coreml",),
        precision="fp16",
        make=coreml_exact,
        weight_bits=8,
        exact=True,
    ),
    "coreml-w8": Recipe(
        form="coreml",
        backends=("coreml",),
        precision="w8",
        make=partial(coreml, compress="w8"),
        weight_bits=8,
    ),
    "coreml-palette": Recipe(
        form="coreml",
        backends=("coreml",),
        precision="palette6",
        make=partial(coreml, compress="palette"),
        weight_bits=6,
    ),
    "coreml-w8a8": Recipe(
        form="coreml",
        backends=("coreml",),
        precision="w8a8",
        make=partial(coreml, compress="w8a8"),
        weight_bits=8,
        activations="int8",
        calibrated=True,
    ),
}
