"""Rules of layers with weights, against torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from rap_edge.converters.mil import layers

WEIGHT = np.random.default_rng(0).standard_normal((6, 2, 3, 3)).astype(np.float32)
MATRIX = WEIGHT[:, 0, 0]  # (6, 3)
BIAS = np.arange(6, dtype=np.float32)
KERNEL, LINES, ROWS, SHIFT = (
    torch.from_numpy(value) for value in (WEIGHT, WEIGHT[:, :, 0], MATRIX, BIAS)
)


def conv(**arguments: Any) -> Callable[[Any, Any], Any]:
    """A convolution of stride 2 in two groups."""
    return lambda mb, x: mb.conv(
        x=x, weight=WEIGHT, bias=BIAS, strides=[2, 2], groups=2, **arguments
    )


def padded(before: int, after: int) -> Callable[[Tensor], Tensor]:
    """The same, after as many zeros on both axes."""
    return lambda x: F.conv2d(
        F.pad(x, [before, after, before, after]), KERNEL, SHIFT, stride=2, groups=2
    )


CASES: tuple[tuple[str, Callable[..., Any], Callable[..., Tensor], tuple[int, ...]], ...] = (
    ("conv", conv(), padded(0, 0), (2, 4, 5, 6)),
    ("conv", conv(pad_type="custom", pad=[1, 2, 1, 2]), padded(1, 2), (2, 4, 5, 6)),
    ("conv", conv(pad_type="same"), padded(0, 1), (2, 4, 6, 8)),
    ("conv", conv(pad_type="same"), padded(1, 1), (2, 4, 5, 7)),
    ("conv", conv(pad_type="same_lower"), padded(1, 0), (2, 4, 6, 8)),
    (
        "conv",
        lambda mb, x: mb.conv(x=x, weight=WEIGHT[:, :, 0], dilations=[2]),
        lambda x: F.conv1d(x, LINES, dilation=2),
        (2, 2, 9),
    ),
    (
        "layer_norm",
        lambda mb, x: mb.layer_norm(x=x, axes=[-1], gamma=BIAS, beta=-BIAS, epsilon=1e-3),
        lambda x: F.layer_norm(x, (6,), SHIFT, -SHIFT, 1e-3),
        (2, 5, 6),
    ),
    (
        "layer_norm",
        lambda mb, x: mb.layer_norm(x=x, axes=[1, 2]),
        lambda x: F.layer_norm(x, (5, 6)),
        (2, 5, 6),
    ),
    (
        "linear",
        lambda mb, x: mb.linear(x=x, weight=MATRIX, bias=BIAS),
        lambda x: F.linear(x, ROWS, SHIFT),
        (2, 5, 3),
    ),
)


@pytest.mark.parametrize(("operator", "build", "expected", "shape"), CASES)
def test_a_rule_computes_what_torch_computes(
    operator: str, build: Any, expected: Any, shape: tuple[int, ...], agree: Callable[..., None]
) -> None:
    agree(operator, build, expected, shape)


def test_matmul_may_transpose_and_spread(agree: Callable[..., None]) -> None:
    agree("matmul", lambda mb, x, y: mb.matmul(x=x, y=y), torch.matmul, (2, 4, 3), (3, 5))

    def build(mb: Any, x: Any, y: Any) -> Any:
        return mb.matmul(x=x, y=y, transpose_x=True, transpose_y=True)

    agree("matmul", build, lambda x, y: x.mT @ y.mT, (2, 3, 4), (2, 5, 3))


def test_every_rule_is_tested() -> None:
    assert {case[0] for case in CASES} | {"matmul"} == set(layers.RULES)
