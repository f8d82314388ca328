"""Quantization: exact where it has to be, honest about what it costs, and recorded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import ModelProto, TensorProto, numpy_helper
from torch import nn

from rap_edge.bundle import pack_bundles
from rap_edge.cli.quantize import NAMES
from rap_edge.config import TINY
from rap_edge.converters import quantize as quantizing
from rap_edge.converters.calibration import (
    CALLED,
    Observed,
    Scene,
    observe,
)
from rap_edge.converters.chain import torch_run
from rap_edge.converters.graphs import contract, graphs_of
from rap_edge.converters.half_arithmetic import in_half, positions
from rap_edge.converters.making import Job
from rap_edge.converters.parity import Bound, compare, require_parity
from rap_edge.converters.quantize import QuantizePlan, quantize
from rap_edge.converters.recipes import RECIPES
from rap_edge.converters.running import run_of
from rap_edge.converters.sensitivity import measure_costs
from rap_edge.converters.sensitivity_report import write_report
from rap_edge.converters.smoothing import Smoothed, smoothed
from rap_edge.converters.sources import Sources, digest
from rap_edge.converters.static_int8 import Calibrated, calibrate, quantized
from rap_edge.converters.to_onnx import serialized, to_onnx
from rap_edge.converters.weight_only import weight_only
from rap_edge.errors import ConfigError, QualityError
from rap_edge.evaluation.regions import Box
from rap_edge.models.checkpoint import FILES, save_checkpoint
from rap_edge.models.model import RapModel
from rap_edge.quantization import CalibrationPlan, Limits

PLAN = CalibrationPlan(people=2, seconds=0.5, seed=7)
NEAR = Bound(20.0, "decibels")
"""What int8 keeps of a network whose weights are random."""


@pytest.fixture(scope="module")
def model() -> RapModel:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    made = RapModel(TINY)
    for weight in made.parameters():
        if not weight.any():
            nn.init.normal_(weight, std=0.1)
    return made.eval()


@pytest.fixture(scope="module")
def sources(model: RapModel) -> Sources:
    graphs = graphs_of(model)
    return Sources(TINY, graphs, {graph.name: contract(graph) for graph in graphs})


def scene(seed: int, condition: str = "speech") -> Scene:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    samples = (rng.standard_normal(640 * 12) * 0.1).astype(np.float32)
    return Scene(picture, samples, Box(30, 60, 10, 50), f"voice-{seed}", condition)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def observed(sources: Sources) -> Observed:
    return observe(sources, torch_run(sources.graphs), [scene(0), scene(1, "silence")], PLAN)


@pytest.fixture(scope="module")
def decoder(sources: Sources, observed: Observed) -> Calibrated:
    return calibrate(to_onnx(sources.graph("decoder")), observed.calls["decoder"])


def test_calibration_sees_every_step_of_every_chunk(observed: Observed) -> None:
    record, calls = observed.record, observed.calls
    assert set(calls) == set(CALLED)
    assert len(calls["denoiser"]) == TINY.sampler.steps * record.chunks
    times = {call["timestep"].tobytes() for call in calls["denoiser"]}
    assert len(times) == TINY.sampler.steps
    assert (record.plan, record.voices, record.silent_share) == (PLAN, 2, 0.5)


def test_a_calibration_is_known_by_its_hash(sources: Sources, observed: Observed) -> None:
    run = torch_run(sources.graphs)
    again = observe(sources, run, [scene(0), scene(1, "silence")], PLAN)
    other = observe(sources, run, [scene(0), scene(2, "silence")], PLAN)
    assert again.record == observed.record
    assert other.record.sha256 != observed.record.sha256


@pytest.mark.parametrize("graph", ["audio", "denoiser"])
def test_smoothing_changes_no_result(sources: Sources, observed: Observed, graph: str) -> None:
    source = sources.graph(graph)
    smooth = smoothed(source, observed.calls[source.name], 0.5)
    changed = [m for m in smooth.module.modules() if isinstance(m, Smoothed)]
    assert changed
    assert not any(isinstance(m, Smoothed) for m in source.module.modules())
    require_parity(compare(source, torch_run([smooth]), Bound(1e-4)))


def dequantized(model: ModelProto) -> set[str]:
    return {
        o for node in model.graph.node if node.op_type == "DequantizeLinear" for o in node.output
    }


def test_only_the_chosen_layers_become_int8(sources: Sources, decoder: Calibrated) -> None:
    *taken, kept = decoder.layers
    result = quantized(decoder, taken)
    inputs = dequantized(result)
    layers = {node.name: node for node in result.graph.node if node.name in decoder.layers}
    assert all(set(layers[name].input[:2]) <= inputs for name in taken)
    assert not set(layers[kept].input) & inputs
    weights = [numpy_helper.to_array(t).dtype for t in result.graph.initializer if t.data_type == 3]
    assert weights.count(np.dtype(np.int8)) >= len(taken)


def test_int8_stays_near_torch_on_both_runtimes(sources: Sources, decoder: Calibrated) -> None:
    files = {"decoder": serialized(quantized(decoder, decoder.layers))}
    for backend in ("onnxruntime", "openvino"):
        run = run_of(backend, sources.specs, files)
        require_parity(compare(sources.graph("decoder"), run, NEAR))


def test_arm_gets_symmetric_int8_activations(decoder: Calibrated) -> None:
    result = quantized(decoder, decoder.layers, "int8")
    tensors = {t.name: numpy_helper.to_array(t) for t in result.graph.initializer}
    nodes = [node for node in result.graph.node if node.op_type == "QuantizeLinear"]
    zeros = [tensors[node.input[2]] for node in nodes]
    assert zeros
    assert all(zero.dtype == np.int8 and not zero.any() for zero in zeros)


def test_positions_stay_fp32_in_fp16_graphs(sources: Sources) -> None:
    source = sources.graph("decoder")
    exact = to_onnx(source)
    result = in_half(exact)
    kinds = {tensor.name: tensor.data_type for tensor in result.graph.initializer}
    convolutions = [node for node in result.graph.node if node.op_type == "Conv"]
    assert {kinds[node.input[1]] for node in convolutions} == {TensorProto.FLOAT16}
    looked_up = [n.name for n in exact.graph.node if n.op_type == "GridSample"]
    assert set(looked_up) < set(positions(exact))
    run = run_of("onnxruntime", sources.specs, {"decoder": serialized(result)})
    require_parity(compare(source, run, Bound(45.0, "decibels")))


@pytest.mark.parametrize(("bits", "near"), [(8, 35.0), (4, 12.0)])
def test_weights_of_few_bits_make_a_graph_small(sources: Sources, bits: int, near: float) -> None:
    source = sources.graph("denoiser")
    exact = to_onnx(source)
    result = weight_only(exact, bits)
    assert any(node.op_type == "MatMulNBits" for node in result.graph.node)
    assert len(result.SerializeToString()) < len(exact.SerializeToString())
    run = run_of("onnxruntime", sources.specs, {"denoiser": serialized(result)})
    require_parity(compare(source, run, Bound(near, "decibels")))


def test_every_layer_has_its_cost(sources: Sources, decoder: Calibrated) -> None:
    files = {graph.name: serialized(to_onnx(graph)) for graph in sources.graphs}
    run = run_of("onnxruntime", sources.specs, files)
    costs = measure_costs(sources, run, {"decoder": decoder}, [scene(3)])
    assert tuple(cost.node for cost in costs) == decoder.layers
    assert sum(cost.frame_error for cost in costs) > 0
    assert any(math.isfinite(cost.saved_ms) for cost in costs)


@pytest.fixture
def checkpoint(model: RapModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def scenes(*arguments: object) -> Iterator[Scene]:
        yield from (scene(0), scene(1))

    monkeypatch.setattr(quantizing, "scenes", scenes)
    monkeypatch.setattr(quantizing.Portraits, "load", lambda data: None)
    save_checkpoint(model, tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def test_a_quantized_bundle_says_how_it_was_made(checkpoint: Path, tmp_path: Path) -> None:
    plan = QuantizePlan(limits=Limits(0, 0, 0.02))
    made = quantize(checkpoint, tmp_path / "int8", "int8", tmp_path, plan=plan)
    labels = [variant.label for variant in made.bundle.variants]
    assert labels == ["onnxruntime/int8", "openvino/int8"]
    settings = made.bundle.variants[0].quantization
    assert settings is not None
    assert settings.calibration is not None
    assert (settings.recipe, settings.smoothing, settings.activations) == ("int8", 0.5, "uint8")
    assert (settings.weight_bits, settings.limits, settings.judges) == (8, plan.limits, plan.judges)
    assert settings.calibration.plan == plan.calibration
    checkpoints = made.bundle.manifest.provenance["checkpoint"]
    assert checkpoints == digest(*(checkpoint / name for name in FILES))
    assert len(settings.worst_nodes) == 5
    assert made.bundle.variants[0].requires.isa
    with pytest.raises(QualityError, match=r"onnxruntime/int8 has no measured quality"):
        pack_bundles([made.bundle], tmp_path / "packed")
    write_report(made, tmp_path / "report")
    table = (tmp_path / "report" / "sensitivity.md").read_text()
    assert all(one.node in table for one in made.costs)
    assert (tmp_path / "report" / "sensitivity.png").stat().st_size > 10_000


def test_a_recipe_that_calibrates_asks_for_data(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'int8' has to calibrate"):
        quantize(checkpoint, tmp_path / "out", "int8")
    assert not (tmp_path / "out").exists()


def test_every_recipe_of_the_command_line_is_there() -> None:
    assert set(NAMES) == set(RECIPES)


def test_nncf_makes_openvino_files(checkpoint: Path, tmp_path: Path) -> None:
    pytest.importorskip("nncf")
    made = quantize(checkpoint, tmp_path / "nncf", "nncf", tmp_path, plan=QuantizePlan(judges=None))
    (variant,) = made.bundle.variants
    assert variant.label == "openvino/int8-nncf"
    assert set(made.bundle.read_graph(variant, "decoder")) == {"decoder.xml", "decoder.bin"}


def test_smoothing_is_left_out_when_asked(sources: Sources, observed: Observed) -> None:
    job = Job(sources, observed.calls)
    assert replace(job, smoothing=None).smooth_graphs["denoiser"] is sources.graph("denoiser")
    assert job.smooth_graphs["denoiser"] is not sources.graph("denoiser")
    assert job.smooth_graphs["decoder"] is job.graphs["decoder"] is sources.graph("decoder")
