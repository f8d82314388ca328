"""Rules on every element, and reductions, against torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from rap_edge.converters.mil import elementwise

X = (2, 4, 5, 6)

CASES: tuple[tuple[str, Callable[..., Any], Callable[..., Tensor]], ...] = (
    ("abs", lambda mb, x: mb.abs(x=x), torch.abs),
    ("cast", lambda mb, x: mb.cast(x=x, dtype="int32"), lambda x: x.trunc().int()),
    ("cast", lambda mb, x: mb.cast(x=x, dtype="fp16"), lambda x: x.half().float()),
    ("clip", lambda mb, x: mb.clip(x=x, alpha=-0.5, beta=1.0), lambda x: x.clamp(-0.5, 1)),
    ("exp", lambda mb, x: mb.exp(x=x), torch.exp),
    ("gelu", lambda mb, x: mb.gelu(x=x), F.gelu),
    (
        "gelu",
        lambda mb, x: mb.gelu(x=x, mode="TANH_APPROXIMATION"),
        lambda x: F.gelu(x, approximate="tanh"),
    ),
    (
        "gelu",
        lambda mb, x: mb.gelu(x=x, mode="SIGMOID_APPROXIMATION"),
        lambda x: x * torch.sigmoid(1.702 * x),
    ),
    ("identity", lambda mb, x: mb.identity(x=x), lambda x: x),
    ("pow", lambda mb, x: mb.pow(x=mb.abs(x=x), y=1.5), lambda x: x.abs() ** 1.5),
    ("reduce_max", lambda mb, x: mb.reduce_max(x=x, axes=[1, -1]), lambda x: x.amax((1, 3))),
    (
        "reduce_mean",
        lambda mb, x: mb.reduce_mean(x=x, axes=[1, -1], keep_dims=True),
        lambda x: x.mean((1, 3), keepdim=True),
    ),
    ("reduce_min", lambda mb, x: mb.reduce_min(x=x), torch.amin),
    ("reduce_sum", lambda mb, x: mb.reduce_sum(x=x, axes=[2]), lambda x: x.sum(2)),
    ("relu", lambda mb, x: mb.relu(x=x), torch.relu),
    (
        "round",  # 2.5 to 2, as to even
        lambda mb, x: mb.round(x=mb.add(x=mb.mul(x=x, y=0.0), y=2.5)),
        lambda x: torch.full_like(x, 2),
    ),
    (
        "rsqrt",
        lambda mb, x: mb.rsqrt(x=mb.abs(x=x), epsilon=0.1),
        lambda x: (x.abs() + 0.1) ** -0.5,
    ),
    ("sigmoid", lambda mb, x: mb.sigmoid(x=x), torch.sigmoid),
    ("silu", lambda mb, x: mb.silu(x=x), F.silu),
    ("softmax", lambda mb, x: mb.softmax(x=x, axis=1), lambda x: x.softmax(1)),
    ("softmax", lambda mb, x: mb.softmax(x=x), lambda x: x.softmax(-1)),
    ("sqrt", lambda mb, x: mb.sqrt(x=mb.abs(x=x)), lambda x: x.abs().sqrt()),
    ("square", lambda mb, x: mb.square(x=x), torch.square),
    ("tanh", lambda mb, x: mb.tanh(x=x), torch.tanh),
)

OF_TWO: dict[str, Callable[..., Tensor]] = {
    "add": torch.add,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "mul": torch.mul,
    "real_div": torch.div,
    "sub": torch.sub,
}


@pytest.mark.parametrize(("operator", "build", "expected"), CASES)
def test_a_rule_computes_what_torch_computes(
    operator: str, build: Any, expected: Any, agree: Callable[..., None]
) -> None:
    agree(operator, build, expected, X)


@pytest.mark.parametrize("operator", OF_TWO)
def test_a_rule_of_two_spreads_the_smaller(operator: str, agree: Callable[..., None]) -> None:
    agree(operator, lambda mb, x, y: getattr(mb, operator)(x=x, y=y), OF_TWO[operator], X, X[2:])


def test_select_takes_what_a_condition_says(agree: Callable[..., None]) -> None:
    def build(mb: Any, x: Any, y: Any) -> Any:
        return mb.select(cond=mb.cast(x=mb.relu(x=x), dtype="bool"), a=x, b=y)

    agree("select", build, lambda x, y: torch.where(x > 0, x, y), X, X)


def test_every_rule_is_tested() -> None:
    assert {case[0] for case in CASES} | {*OF_TWO, "select"} == set(elementwise.RULES)
