"""What a graph really computes in is asked of the runtimes, not guessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rap_edge.runtime.backends import BACKENDS
from rap_edge.runtime.cpu import is_x86
from rap_edge.runtime.doctor import Finding, Work
from rap_edge.runtime.doctor.diagnosis import Layer
from rap_edge.runtime.doctor.in_onnxruntime import optimize
from rap_edge.runtime.doctor.machine import Machine
from rap_edge.runtime.doctor.onnx_graph import read_onnx
from rap_edge.runtime.doctor.onnxruntime_work import onnxruntime_work

if TYPE_CHECKING:
    from rap_edge.converters.static_int8 import Calibrated

Diagnose = Callable[..., Work]
Find = Callable[[Work, str], Finding]
Make = Callable[..., bytes]

WEIGHTED = 64 * (16 * 32 * 9 + 32 * 32 * 9 + 32 * 48 + 48 * 32)
ATTENTION = 2 * 64 * 64 * 32
"""Multiplications of the network."""

VNNI = Machine(frozenset({"avx512_vnni"}), x86=True)
DOTPROD = Machine(frozenset({"asimddp"}), x86=False)


@pytest.fixture(scope="module")
def calibrated(network: bytes) -> Calibrated:
    import onnx

    from rap_edge.converters.static_int8 import calibrate

    rng = np.random.default_rng(1)
    calls = [{"x": rng.standard_normal((1, 16, 8, 8)).astype(np.float32)} for _ in range(4)]
    return calibrate(onnx.load_model_from_string(network), calls)


def int8(calibrated: Calibrated, first: int = 0, **settings: str) -> bytes:
    """Quantize the layers from ``first`` on."""
    from rap_edge.converters.static_int8 import quantized

    layers = calibrated.layers[first:]
    return bytes(quantized(calibrated, layers, **settings).SerializeToString())  # type: ignore[arg-type]


def judged(model: bytes, machine: Machine) -> Work:
    """Let onnxruntime open a graph here, and judge it as on another machine."""
    return onnxruntime_work(read_onnx("graph", model), optimize("graph", model), machine)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_float_graph_is_all_fp32(diagnose: Diagnose, network: bytes, backend: str) -> None:
    found = diagnose(network, backend)
    assert found.layers == {"fp32": 4}
    assert found.macs == {"fp32": WEIGHTED + ATTENTION}
    assert found.findings == ()


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_static_int8_makes_is_int8_but_for_attention(
    diagnose: Diagnose, calibrated: Calibrated, backend: str
) -> None:
    found = diagnose(int8(calibrated), backend)
    assert found.layers == {"int8": 4, "fp32": 0}
    assert found.macs == {"int8": WEIGHTED, "fp32": ATTENTION}
    assert found.share("int8") == WEIGHTED / (WEIGHTED + ATTENTION)


def test_a_layer_that_was_kept_in_float_is_counted_and_not_blamed(
    diagnose: Diagnose, calibrated: Calibrated
) -> None:
    found = diagnose(int8(calibrated, first=1))
    assert found.layers == {"int8": 3, "fp32": 1}
    assert not [f for f in found.findings if "in float" in f.what]


def test_int8_activations_are_slow_on_x86_only(calibrated: Calibrated, finding: Find) -> None:
    model = int8(calibrated, activation="int8")
    assert "uint8" in finding(judged(model, VNNI), "with opset 21").fix
    assert not [f for f in judged(model, DOTPROD).findings if "activations are int8" in f.what]


@pytest.mark.skipif(not is_x86(), reason="onnxruntime rewrites int8 activations on x86 only")
def test_a_pair_that_is_lost_by_rewriting_is_named(
    diagnose: Diagnose, calibrated: Calibrated, finding: Find
) -> None:
    found = diagnose(int8(calibrated, activation="int8"))
    assert found.layers == {"int8": 3, "fp32": 1}
    assert finding(found, "rewriting them broke the pattern").nodes == ("g",)


def test_a_size_that_is_not_fixed_has_no_arithmetic(diagnose: Diagnose, make: Make) -> None:
    weights = {"w": np.ones((8, 8), np.float32)}
    for backend in BACKENDS:
        found = diagnose(make([("MatMul", "x w", "y")], weights, ("n", 8), ("n", 8)), backend)
        assert found.layers == {"fp32": 1}
        assert found.share("fp32") is None


@pytest.mark.parametrize(
    ("flags", "x86", "slow"),
    [
        ({"avx2"}, True, True),
        ({"avx_vnni_int8"}, True, False),
        ({"asimd"}, False, True),
        ({"asimddp"}, False, False),
        (None, True, False),
    ],
)
def test_int8_is_slow_where_no_instruction_multiplies_bytes(
    flags: set[str] | None, x86: bool, slow: bool
) -> None:
    machine = Machine(None if flags is None else frozenset(flags), x86)
    layers = [Layer("conv", "QLinearConv", "int8", 100, True)]
    assert bool(list(machine.slow_int8(layers))) == slow
    assert not list(machine.slow_int8([]))
