"""What was converted computes what it was converted from, or is refused."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from rap_edge.converters.graphs import GraphSource, contract
from rap_edge.converters.parity import Bound, Difference, compare, difference, require_parity
from rap_edge.converters.running import run_of
from rap_edge.converters.speaking import Run
from rap_edge.converters.to_onnx import serialized, store_half, to_onnx
from rap_edge.converters.to_openvino import to_openvino
from rap_edge.errors import NotSupported, ParityError


def addition(weight: NDArray[np.float32]) -> onnx.ModelProto:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, weight.shape)
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, weight.shape)
    node = helper.make_node("Add", ["x", "weight"], ["y"])
    graph = helper.make_graph(
        [node], "addition", [value], [out], [numpy_helper.from_array(weight, "weight")]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


class Addition(nn.Module):
    def __init__(self, weight: NDArray[np.float32]) -> None:
        super().__init__()
        self.weight = torch.from_numpy(weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight


def running(source: GraphSource, model: onnx.ModelProto) -> Run:
    files = {"addition.onnx": model.SerializeToString()}
    return run_of("onnxruntime", {source.name: contract(source)}, {source.name: files})


@pytest.mark.parametrize(("unit", "halved"), [(2.0**-8, True), (2.0**-8 + 2.0**-20, False)])
def test_weights_are_stored_as_fp16_only_where_that_is_exact(unit: float, halved: bool) -> None:
    weight = (np.arange(2048) * np.float32(unit)).astype(np.float32)
    model = addition(weight)
    before = model.ByteSize()
    store_half(model)
    assert (model.ByteSize() < 0.6 * before) == halved
    source = GraphSource("addition", Addition(weight), {"x": torch.zeros(2048)}, ("y",))
    require_parity(compare(source, running(source, model), Bound(0.0)))


def test_a_graph_that_computes_something_else_is_refused() -> None:
    weight = np.zeros(8, np.float32)
    source = GraphSource("addition", Addition(weight + 1), {"x": torch.zeros(8)}, ("y",))
    with pytest.raises(ParityError, match=r"addition\.y differs by 1 "):
        require_parity(compare(source, running(source, addition(weight))))


def test_a_parity_error_lists_every_output_that_fails() -> None:
    differences = [
        Difference("audio", "tokens", 1e-5, Bound(1e-4)),
        Difference("denoiser", "clean", 0.5, Bound(1e-4)),
        Difference("decoder", "frames", float("nan"), Bound(1)),
        Difference("locator", "boxes", 49.9, Bound(50, "decibels")),
        Difference("locator", "scores", 50.1, Bound(50, "decibels")),
    ]
    with pytest.raises(
        ParityError, match=r"^3 outputs .*denoiser\.clean.*decoder\.frames.*locator\.boxes"
    ) as error:
        require_parity(differences)
    assert "audio.tokens" not in str(error.value)


class Sorting(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.sort(x).values


def test_an_operator_that_not_every_backend_runs_is_refused() -> None:
    source = GraphSource("sorting", Sorting(), {"x": torch.zeros(8)}, ("y",))
    with pytest.raises(NotSupported, match=r"'sorting' uses TopK - expected operators"):
        to_onnx(source)


def test_openvino_s_own_format_is_the_same_graph() -> None:
    weight = np.arange(2048, dtype=np.float32)
    source = GraphSource("addition", Addition(weight), {"x": torch.ones(2048)}, ("y",))
    first, second = (to_openvino(addition(weight)) for _ in range(2))
    assert first == second
    assert set(first) == {"addition.xml", "addition.bin"}
    run = run_of("openvino", {"addition": contract(source)}, {"addition": first})
    require_parity(compare(source, run))


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_tensor_of_another_name_or_shape_is_told_before_any_value(backend: str) -> None:
    weight = np.zeros(8, np.float32)
    source = GraphSource("addition", Addition(weight), {"x": torch.zeros(8)}, ("sum",))
    files = {"addition": serialized(addition(weight))}
    with pytest.raises(ParityError, match=r"addition has the outputs .*'y'.*expected .*'sum'"):
        run_of(backend, {"addition": contract(source)}, files)


def test_small_outputs_are_held_to_decibels_too() -> None:
    expected = np.full(4, 0.01, np.float32)
    found = difference("locator", "boxes", expected, expected * 1.01, Bound(50, "decibels"))
    assert found.value == pytest.approx(40, abs=0.1)
    assert found.failed
