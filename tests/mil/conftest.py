"""Programs of a few operators, built with coremltools, saved as a package and loaded back."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rap_edge.converters.mil import open_program
from rap_edge.converters.mil.library import library
from rap_edge.converters.mil.package import pack
from rap_edge.converters.quiet import quiet

Build = Callable[..., Any]  # takes the builder and one variable or two
Save = Callable[..., dict[str, bytes]]


@pytest.fixture(autouse=True, scope="package")
def _coremltools() -> Iterator[None]:
    """Leave what is imported out of the garbage that coremltools collects at each conversion."""
    if find_spec("coremltools") is None:
        pytest.skip("coremltools is missing: pip install 'rap-edge[coreml]'")
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def save() -> Save:
    return saved


def saved(build: Build, *shapes: tuple[int, ...]) -> dict[str, bytes]:
    """Build a program of inputs ``x`` and ``y``, and save it without any change."""
    coremltools, mb = library(), library("coremltools.converters.mil").Builder
    target = coremltools.target.iOS17
    with quiet():
        inputs = [mb.TensorSpec(shape=shape) for shape in shapes]
        program = mb.program(input_specs=inputs, opset_version=target)(
            (lambda x: build(mb, x)) if len(shapes) == 1 else (lambda x, y: build(mb, x, y))
        )
        model = coremltools.convert(
            program,
            convert_to="mlprogram",
            minimum_deployment_target=target,
            compute_precision=coremltools.precision.FLOAT32,
            pass_pipeline=coremltools.PassPipeline.EMPTY,
            skip_model_load=True,
        )
        return pack(model, "case")


@pytest.fixture(scope="session")
def agree() -> Callable[..., None]:
    """Assert that a program of ``operator`` computes what torch computes of random inputs."""

    def check(
        operator: str,
        build: Build,
        expected: Callable[..., Tensor],
        *shapes: tuple[int, ...],
    ) -> None:
        torch.manual_seed(0)
        inputs = {name: torch.randn(shape) for name, shape in zip("xy", shapes, strict=False)}
        program = open_program(saved(build, *shapes))
        values = program.run({name: value.numpy() for name, value in inputs.items()})
        (actual,) = values.values()
        assert operator.startswith("constexpr") or operator in program.operators
        wanted = expected(*inputs.values()).numpy()
        np.testing.assert_allclose(actual, wanted, rtol=1e-5, atol=1e-6)

    return check
