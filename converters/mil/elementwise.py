"""Rules that act on every element, and reductions; arguments are named as in MIL."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from rap_edge.converters.mil.rule import HELD, Rule
from rap_edge.errors import NotSupported


def of_one(function: Callable[[Tensor], Tensor]) -> Rule:
    return lambda x: function(x)


def of_two(function: Callable[[Tensor, Tensor], Tensor]) -> Rule:
    return lambda x, y: function(x, y)


def cast(x: Tensor, dtype: str) -> Tensor:
    """Floats lose their fraction on the way to whole numbers."""
    return x.to(HELD[dtype])


def clip(x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    return x.clamp(float(alpha), float(beta))


def rsqrt(x: Tensor, epsilon: Tensor | float = 1e-12) -> Tensor:
    return torch.rsqrt(x + epsilon)


def gelu(x: Tensor, mode: str = "EXACT") -> Tensor:
    if mode == "SIGMOID_APPROXIMATION":
        return x * torch.sigmoid(1.702 * x)
    return F.gelu(x, approximate="tanh" if mode == "TANH_APPROXIMATION" else "none")


def select(cond: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return torch.where(cond, a, b)


def softmax(x: Tensor, axis: Tensor | int = -1) -> Tensor:
    return torch.softmax(x, int(axis))


def reduced(function: Callable[[Tensor, list[int], bool], Tensor]) -> Rule:
    """Make the rule of a reduction over ``axes``: all of them if none are named."""

    def rule(x: Tensor, axes: Tensor | None = None, keep_dims: Tensor | bool = False) -> Tensor:
        over = list(range(x.dim())) if axes is None else axes.tolist()
        return function(x, over, bool(keep_dims))

    return rule


def real_div(x: Tensor, y: Tensor) -> Tensor:
    if not x.is_floating_point():
        raise NotSupported("real_div of whole numbers - expected floats - cast them first")
    return x / y


RULES: dict[str, Rule] = {
    "abs": of_one(torch.abs),
    "add": of_two(torch.add),
    "cast": cast,
    "clip": clip,
    "exp": of_one(torch.exp),
    "gelu": gelu,
    "identity": of_one(lambda x: x),
    "maximum": of_two(torch.maximum),
    "minimum": of_two(torch.minimum),
    "mul": of_two(torch.mul),
    "pow": of_two(torch.pow),
    "real_div": real_div,
    "reduce_max": reduced(torch.amax),
    "reduce_mean": reduced(torch.mean),
    "reduce_min": reduced(torch.amin),
    "reduce_sum": reduced(torch.sum),
    "relu": of_one(torch.relu),
    "round": of_one(torch.round),  # half to even
    "rsqrt": rsqrt,
    "select": select,
    "sigmoid": of_one(torch.sigmoid),
    "silu": of_one(F.silu),
    "softmax": softmax,
    "sqrt": of_one(torch.sqrt),
    "square": of_one(torch.square),
    "sub": of_two(torch.sub),
    "tanh": of_one(torch.tanh),
}
