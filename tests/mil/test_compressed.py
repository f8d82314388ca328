"""Rules of 8-bit activations and compressed weights, against plain arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rap_edge.converters.mil import compressed

X = (4, 6)
CODES = np.arange(-12, 12, dtype=np.int8).reshape(X)
SCALES = np.array([0.5, 0.25, 1.0, 2.0], np.float32)
COLUMN = torch.from_numpy(SCALES)[:, None]
INDICES = [7 * place % 64 for place in range(24)]
TABLE = np.linspace(-1, 1, 64, dtype=np.float32)


def packed(indices: list[int], bits: int) -> Any:
    """Put indices one after the other, lowest bits first."""
    whole = sum(index << bits * place for place, index in enumerate(indices))
    return np.frombuffer(whole.to_bytes(bits * len(indices) // 8, "little"), np.uint8)


def there_and_back(dtype: str, **arguments: Any) -> Callable[[Any, Any], Any]:
    def build(mb: Any, x: Any) -> Any:
        codes = mb.quantize(input=x, output_dtype=dtype, **arguments)
        return mb.dequantize(input=codes, **arguments)

    return build


CASES: tuple[tuple[str, Callable[..., Any], Callable[..., Tensor]], ...] = (
    (
        "quantize",
        there_and_back("int8", scale=0.004),
        lambda x: (x / 0.004).round().clamp(-128, 127) * 0.004,
    ),
    (
        "dequantize",
        there_and_back("uint8", scale=0.02, zero_point=np.uint8(100)),
        lambda x: (((x / 0.02).round() + 100).clamp(0, 255) - 100) * 0.02,
    ),
    (
        "quantize",
        there_and_back("int8", scale=SCALES / 90, zero_point=np.full(4, 3, np.int8), axis=0),
        lambda x: (((x * 90 / COLUMN).round() + 3).clamp(-128, 127) - 3) * COLUMN / 90,
    ),
    (
        "constexpr_affine_dequantize",
        lambda mb, x: mb.add(
            x=x,
            y=mb.constexpr_affine_dequantize(
                quantized_data=CODES, zero_point=np.int8(2), scale=SCALES, axis=0
            ),
        ),
        lambda x: x + (torch.from_numpy(CODES).float() - 2) * COLUMN,
    ),
    (
        "constexpr_lut_to_dense",
        lambda mb, x: mb.add(
            x=x,
            y=mb.constexpr_lut_to_dense(
                indices=packed(INDICES, 6), lut=TABLE, shape=np.array(X, np.uint32)
            ),
        ),
        lambda x: x + torch.from_numpy(TABLE)[INDICES].reshape(X),
    ),
)


@pytest.mark.parametrize(("operator", "build", "expected"), CASES)
def test_a_rule_computes_what_its_formula_says(
    operator: str, build: Any, expected: Any, agree: Callable[..., None]
) -> None:
    agree(operator, build, expected, X)


def test_every_rule_is_tested() -> None:
    assert {case[0] for case in CASES} == set(compressed.RULES)
