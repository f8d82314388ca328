"""Core ML packages compute what torch computes, small ones nearly so."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rap_edge.config import TINY, ModelConfig
from rap_edge.converters.coreml_compress import (
    joined,
    observed_ranges,
    palettize_weights,
    quantize_both,
    quantize_weights,
)
from rap_edge.converters.graphs import GraphSource, graphs_of
from rap_edge.converters.mil import open_program
from rap_edge.converters.mil.operators import OPERATORS
from rap_edge.converters.mil.package import feature, load_pymil
from rap_edge.converters.to_coreml import to_coreml
from rap_edge.errors import NotSupported
from rap_edge.models.eyes import EyeFinder
from rap_edge.models.locator import Locators
from rap_edge.models.model import RapModel

pytestmark = pytest.mark.skipif(
    find_spec("coremltools") is None,
    reason="coremltools is missing: pip install 'rap-edge[coreml]'",
)

Array = NDArray[Any]

PLAIN = replace(TINY, vae=replace(TINY.vae, kind="plain"))
TINY_GRAPHS = ("portrait", "audio", "denoiser", "decoder", "locator", "locator_refine", "eyes")


@pytest.fixture(scope="module")
def sources() -> dict[str, GraphSource]:
    torch.set_num_threads(1)
    return {
        source.name: source
        for source in graphs_of(lively(TINY), Locators().fold(), EyeFinder().fold())
    }


@pytest.fixture(scope="module")
def packages(sources: dict[str, GraphSource]) -> dict[str, dict[str, bytes]]:
    return {name: to_coreml(source) for name, source in sources.items()}


def lively(config: ModelConfig) -> RapModel:
    """A model whose every layer has a say: fresh ones start as the identity."""
    torch.manual_seed(0)
    model = RapModel(config)
    for weight in model.parameters():
        if not weight.any():
            nn.init.normal_(weight, std=0.1)
    return model.eval()


@torch.no_grad()
def agreement_db(source: GraphSource, files: dict[str, bytes]) -> dict[str, float]:
    """Return the peak of each output of torch over the error of the package, in dB."""
    values = source.module(*source.inputs.values())
    expected = values if isinstance(values, tuple) else (values,)
    given = {feature(name): value.numpy() for name, value in source.inputs.items()}
    actual = open_program(files).run(given)
    return {
        name: peak_over_error_db(value.numpy(), actual[feature(name)])
        for name, value in zip(source.outputs, expected, strict=True)
    }


def peak_over_error_db(expected: Array, actual: Array) -> float:
    peak = 255.0 if expected.dtype == np.uint8 else float(np.abs(expected).max())
    error = np.sqrt(np.mean((actual.astype(np.float64) - expected) ** 2))
    return float(20 * np.log10(peak / max(error, 1e-12)))


def size(files: dict[str, bytes]) -> int:
    return sum(len(content) for content in files.values())


def kinds(files: dict[str, bytes]) -> list[str]:
    return [operation.op_type for operation in load_pymil(files).functions["main"].operations]


@pytest.mark.parametrize("name", TINY_GRAPHS)
def test_a_package_agrees_with_torch(
    name: str, sources: dict[str, GraphSource], packages: dict[str, dict[str, bytes]]
) -> None:
    agreement = agreement_db(sources[name], packages[name])
    assert min(agreement.values()) >= 50, agreement


def test_names_with_dots_become_identifiers() -> None:
    *_, decoder = graphs_of(lively(PLAIN))
    files = to_coreml(decoder)
    names = [slot.name for slot in open_program(files).inputs]
    assert names == ["latent", "state_0", "state_1", "state_2", "state_3"]
    agreement = agreement_db(decoder, files)
    assert min(agreement.values()) >= 50, agreement


def test_pictures_are_float32_of_whole_numbers(
    sources: dict[str, GraphSource], packages: dict[str, dict[str, bytes]]
) -> None:
    program = open_program(packages["decoder"])
    assert {slot.dtype for slot in (*program.inputs, *program.outputs)} == {"fp32"}
    inputs = {name: value.numpy() for name, value in sources["decoder"].inputs.items()}
    frames = program.run(inputs)["frames"]
    assert frames.dtype == np.float32
    np.testing.assert_array_equal(frames, frames.astype(np.uint8))


def test_all_is_half_but_what_makes_positions(packages: dict[str, dict[str, bytes]]) -> None:
    held = {
        step.operator: {slot.dtype for slot in step.outputs}
        for name in ("portrait", "decoder")
        for step in open_program(packages[name]).steps
    }
    assert held["conv"] == {"fp16"}
    assert held["resample"] == held["reduce_sum"] == {"fp32"}
    denoiser = open_program(packages["denoiser"])
    assert {slot.dtype for step in denoiser.steps[:-1] for slot in step.outputs} == {"fp16"}


def test_the_same_graph_gives_the_same_bytes(
    sources: dict[str, GraphSource], packages: dict[str, dict[str, bytes]]
) -> None:
    for name in ("audio", "decoder"):
        assert to_coreml(sources[name]) == packages[name]


def test_packages_hold_no_trace_of_this_machine(packages: dict[str, dict[str, bytes]]) -> None:
    for files in packages.values():
        assert sorted(files) == [
            "Data/com.apple.CoreML/model.mlmodel",
            "Data/com.apple.CoreML/weights/weight.bin",
            "Manifest.json",
        ]
        model = files["Data/com.apple.CoreML/model.mlmodel"]
        assert not re.search(rb"/(home|root|tmp|usr|work|Users)/|site-packages", model)
        assert b"conversion_date" not in model


def test_an_operator_without_a_rule_is_refused() -> None:
    class Running(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.cumsum(1)

    source = GraphSource("running", Running(), {"x": torch.zeros(1, 3)}, ("y",))
    with pytest.raises(NotSupported, match="cumsum"):
        to_coreml(source)


@pytest.mark.parametrize(
    ("compress", "operator", "smaller", "least_db"),
    [
        (quantize_weights, "constexpr_affine_dequantize", 0.85, 35),
        (lambda files: palettize_weights(files, 8), "constexpr_lut_to_dense", 0.85, 35),
        (lambda files: palettize_weights(files, 6, "uniform"), "constexpr_lut_to_dense", 0.8, 20),
    ],
)
def test_weights_are_stored_smaller(
    compress: Callable[[dict[str, bytes]], dict[str, bytes]],
    operator: str,
    smaller: float,
    least_db: float,
    sources: dict[str, GraphSource],
    packages: dict[str, dict[str, bytes]],
) -> None:
    audio = packages["audio"]
    files = compress(audio)
    assert operator in kinds(files)
    assert size(files) < smaller * size(audio)
    assert min(agreement_db(sources["audio"], files).values()) >= least_db
    assert files == compress(audio)


def test_what_is_kept_stays_in_half(packages: dict[str, dict[str, bytes]]) -> None:
    audio = packages["audio"]
    first, *others = [step.node for step in open_program(audio).steps if step.operator == "conv"]
    whole, kept = (kinds(quantize_weights(audio, names)) for names in ((), (first,)))
    operator = "constexpr_affine_dequantize"
    assert kept.count(operator) == whole.count(operator) - 1
    assert operator not in kinds(quantize_weights(audio, [first, *others]))


def test_activations_are_quantized_around_layers(
    sources: dict[str, GraphSource], packages: dict[str, dict[str, bytes]]
) -> None:
    source, audio = sources["audio"], packages["audio"]
    samples = [{name: value.numpy() for name, value in source.inputs.items()}]
    files = quantize_both(audio, samples)
    used = kinds(files)
    assert {"quantize", "dequantize", "constexpr_affine_dequantize"} <= set(used)
    assert set(used) - {"const"} <= set(OPERATORS)
    assert size(files) < size(audio)
    assert min(agreement_db(source, files).values()) >= 20


def test_ranges_span_all_samples_and_are_shared_where_tensors_join(
    sources: dict[str, GraphSource], packages: dict[str, dict[str, bytes]]
) -> None:
    inputs = {name: value.numpy() for name, value in sources["denoiser"].inputs.items()}
    larger = {name: 3 * value for name, value in inputs.items()}
    program = open_program(packages["denoiser"])
    for samples in ([inputs, larger], [larger, inputs]):
        ranges = observed_ranges(program, samples)
        assert ranges["timestep"]["rmax"] == pytest.approx(larger["timestep"].max(), rel=1e-6)
    groups = joined(program)
    assert groups
    for names in groups:
        seen = {tuple(ranges[name].values()) for name in names if name in ranges}
        assert len(seen) == 1
