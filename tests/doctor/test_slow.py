"""What makes a graph slow is named, with the nodes and the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rap_edge.runtime.backends import BACKENDS
from rap_edge.runtime.doctor import Finding, Work

Diagnose = Callable[..., Work]
Find = Callable[[Work, str], Finding]
Make = Callable[..., bytes]

IMAGE, MATRIX = (1, 8, 8, 8), (8, 8)
SCALE = {"s": np.float32(0.05), "z": np.uint8(128)}
KERNEL = {
    "w": np.random.default_rng(0).integers(-127, 127, (8, 8, 3, 3)).astype(np.int8),
    "sw": np.full(8, 0.01, np.float32),
    "zw": np.zeros(8, np.int8),
}
QUANTIZED = [("QuantizeLinear", "x s z", "xq"), ("DequantizeLinear", "xq s z", "xd")]
UNPACKED = ("DequantizeLinear", "w sw zw", "wd", {"axis": 0})
RESULT = [("QuantizeLinear", "conv s z", "yq"), ("DequantizeLinear", "yq s z", "y")]
SAME_SIZE = {"pads": [1] * 4}

both = pytest.mark.parametrize("backend", BACKENDS)


def test_a_convolution_whose_result_stays_float_is_not_int8(
    diagnose: Diagnose, make: Make, finding: Find
) -> None:
    nodes = [*QUANTIZED, UNPACKED, ("Conv", "xd wd", "conv", SAME_SIZE), ("Relu", "conv", "y")]
    model = make(nodes, SCALE | KERNEL, IMAGE, IMAGE)
    found = diagnose(model)
    assert found.layers == {"fp32": 1}
    assert finding(found, "its result is not quantized").nodes == ("conv",)
    assert diagnose(model, "openvino").layers == {"int8": 1}


@both
def test_16_bits_are_not_multiplied(
    diagnose: Diagnose, make: Make, finding: Find, backend: str
) -> None:
    scale = {"s": np.float32(0.001), "z": np.uint16(1 << 15)}
    nodes = [*QUANTIZED, UNPACKED, ("Conv", "xd wd", "conv", SAME_SIZE), *RESULT]
    found = diagnose(make(nodes, scale | KERNEL, IMAGE, IMAGE, opset=21), backend)
    assert found.layers == {"fp32": 1}
    assert finding(found, "quantized to uint16").nodes == ("conv",)


@both
def test_weights_that_stay_float_are_named(
    diagnose: Diagnose, make: Make, finding: Find, backend: str
) -> None:
    weights = {"w": np.random.default_rng(0).standard_normal(MATRIX).astype(np.float32)}
    nodes = [*QUANTIZED, ("MatMul", "xd w", "conv"), *RESULT]
    found = diagnose(make(nodes, SCALE | weights, MATRIX, MATRIX), backend)
    assert finding(found, "its weights are not quantized").nodes == ("conv",)


def test_weights_that_are_computed_are_named(diagnose: Diagnose, make: Make, finding: Find) -> None:
    """onnxruntime multiplies them in int8 all the same, and says so of products in general."""
    nodes = [
        *QUANTIZED,
        ("Reshape", "x shape", "kernel"),
        ("QuantizeLinear", "kernel s z", "kq"),
        ("DequantizeLinear", "kq s z", "kd"),
        ("Conv", "xd kd", "conv"),
        *RESULT,
    ]
    model = make(nodes, SCALE | {"shape": np.array([8, 8, 1, 8])}, IMAGE, (1, 8, 8, 1))
    found = diagnose(model, "openvino")
    assert finding(found, "its weights are not constant").nodes == ("conv",)


def test_a_pattern_that_one_runtime_does_not_fuse_is_named(
    diagnose: Diagnose, make: Make, finding: Find
) -> None:
    """A scale for each input of a linear layer: OpenVINO fuses it, onnxruntime does not."""
    weights = {"w": KERNEL["w"][:, :, 0, 0], "sw": KERNEL["sw"], "zw": KERNEL["zw"]}
    nodes = [*QUANTIZED, UNPACKED, ("MatMul", "xd wd", "conv"), *RESULT]
    model = make(nodes, SCALE | weights, MATRIX, MATRIX)
    assert "one scale" in finding(diagnose(model), "none that onnxruntime fuses").fix
    assert diagnose(model, "openvino").layers == {"int8": 1}


def test_weights_that_openvino_does_not_fuse_are_named(
    diagnose: Diagnose, make: Make, finding: Find
) -> None:
    unsigned = {"w": KERNEL["w"].astype(np.uint8), "zw": np.full(8, 128, np.uint8)}
    nodes = [*QUANTIZED, UNPACKED, ("Conv", "xd wd", "conv", SAME_SIZE), *RESULT]
    model = make(nodes, SCALE | KERNEL | unsigned, IMAGE, IMAGE)
    assert finding(diagnose(model, "openvino"), "does not say why").nodes == ("conv",)
    assert diagnose(model).layers == {"int8": 1}


@both
def test_weights_alone_in_int8_are_slow(
    diagnose: Diagnose, make: Make, finding: Find, backend: str
) -> None:
    nodes = [UNPACKED, ("Conv", "x wd", "conv", SAME_SIZE), ("Relu", "conv", "y")]
    found = diagnose(make(nodes, KERNEL, IMAGE, IMAGE), backend)
    assert found.layers == {"fp32": 1}
    assert finding(found, "only its weights are quantized").nodes == ("conv",)


def test_packed_weights_are_unpacked_in_every_run(
    diagnose: Diagnose, make: Make, finding: Find
) -> None:
    """onnxruntime packs a linear layer whose weights alone are quantized."""
    weights = {"w": KERNEL["w"][:, :, 0, 0], "sw": np.float32(0.01), "zw": np.int8(0)}
    nodes = [("DequantizeLinear", "w sw zw", "wd"), ("MatMul", "x wd", "y")]
    found = diagnose(make(nodes, weights, MATRIX, MATRIX))
    if found.layers != {"weight-only": 1}:  # older versions do not
        assert finding(found, "only its weights are quantized").nodes == ("y",)
    else:
        assert finding(found, "only weights are quantized").nodes == ("y",)


@both
def test_softmax_between_pairs_is_named(
    diagnose: Diagnose, make: Make, finding: Find, backend: str
) -> None:
    nodes = [
        *QUANTIZED,
        ("Softmax", "xd", "attention"),
        ("QuantizeLinear", "attention s z", "pq"),
        ("DequantizeLinear", "pq s z", "y"),
    ]
    found = diagnose(make(nodes, SCALE, MATRIX, MATRIX), backend)
    assert finding(found, "Softmax between Q/DQ pairs").nodes == ("attention",)


def test_products_of_two_quantized_activations_are_named(
    diagnose: Diagnose, make: Make, finding: Find
) -> None:
    nodes = [*QUANTIZED, ("MatMul", "xd xd", "y")]
    found = diagnose(make(nodes, SCALE, MATRIX, MATRIX))
    assert finding(found, "products of two activations are int8").nodes == ("y",)


@both
def test_one_quantized_factor_is_worth_nothing(
    diagnose: Diagnose, make: Make, finding: Find, backend: str
) -> None:
    nodes = [*QUANTIZED, ("Sigmoid", "x", "share"), ("MatMul", "xd share", "y")]
    found = diagnose(make(nodes, SCALE, MATRIX, MATRIX), backend)
    assert finding(found, "only one of the two activations").nodes == ("y",)


@both
def test_dynamic_quantization_is_named(
    diagnose: Diagnose, make: Make, finding: Find, backend: str
) -> None:
    nodes = [
        ("DynamicQuantizeLinear", "x", "xq xs xz"),
        ("ConvInteger", "xq w xz", "conv", SAME_SIZE),
        ("Cast", "conv", "wide", {"to": 1}),
        ("Mul", "wide xs", "y"),
    ]
    found = diagnose(make(nodes, {"w": KERNEL["w"]}, IMAGE, IMAGE), backend)
    assert finding(found, "quantized dynamically").nodes == ("conv",)


def test_fp16_layers_are_slow_on_a_cpu_and_fp16_weights_are_not(
    diagnose: Diagnose, make: Make, finding: Find
) -> None:
    weights: dict[str, Any] = {"w": np.ones(MATRIX, np.float16)}
    halves = [
        ("Cast", "x", "half", {"to": 10}),
        ("MatMul", "half w", "linear"),
        ("Cast", "linear", "y", {"to": 1}),
    ]
    found = diagnose(make(halves, weights, MATRIX, MATRIX))
    assert finding(found, "1 fp16 layer computed in fp32").nodes == ("linear",)
    stored = [("Cast", "w", "wide", {"to": 1}), ("MatMul", "x wide", "y")]
    assert diagnose(make(stored, weights, MATRIX, MATRIX)).findings == ()


def test_many_transpositions_are_counted(diagnose: Diagnose, make: Make, finding: Find) -> None:
    """Each product has one before it and one after it, which reshaping keeps from merging."""
    nodes: list[tuple[Any, ...]] = []
    for n in range(5):
        nodes += [
            ("Transpose", f"b{n - 1}" if n else "x", f"t{n}", {"perm": [1, 2, 0]}),
            ("Reshape", f"t{n} rows", f"r{n}"),
            ("MatMul", f"r{n} w", f"m{n}"),
            ("Reshape", f"m{n} planes", f"p{n}"),
            ("Transpose", f"p{n}", f"u{n}", {"perm": [1, 2, 0]}),
            ("Reshape", f"u{n} cube", "y" if n == 4 else f"b{n}"),
        ]
    shapes = {"rows": (64, 8), "planes": (4, 16, 8), "cube": (8, 8, 8)}
    constants = {name: np.array(shape) for name, shape in shapes.items()}
    weights = {"w": np.ones(MATRIX, np.float32)}
    found = diagnose(make(nodes, weights | constants, (8, 8, 8), (8, 8, 8)))
    assert "10 nodes" in finding(found, "change the memory layout, for 5 layers").what


def test_layouts_of_constants_are_changed_once_and_not_counted(
    diagnose: Diagnose, make: Make
) -> None:
    """OpenVINO brings the scales around 1-D convolutions into their layout when it compiles."""
    scales = {f"{kind}{n}": np.full((1, 8, 1), 0.5, np.float32) for n in range(6) for kind in "ab"}
    nodes: list[tuple[Any, ...]] = []
    for n in range(6):
        before, after = f"r{n - 1}" if n else "x", "y" if n == 5 else f"r{n}"
        nodes += [
            ("Mul", f"{before} a{n}", f"m{n}"),
            ("Sigmoid", f"m{n}", f"s{n}"),
            ("Add", f"s{n} b{n}", f"t{n}"),
            ("Conv", f"t{n} w", f"c{n}", {"pads": [1] * 2}),
            ("Mul", f"c{n} t{n}", after),
        ]
    weights = {"w": np.ones((8, 8, 3), np.float32)}
    found = diagnose(make(nodes, weights | scales, (1, 8, 32), (1, 8, 32)), "openvino")
    assert found.findings == ()
    assert found.nodes < 6 * 3
