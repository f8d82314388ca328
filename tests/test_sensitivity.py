"""Which layers stay in float: the worst for what they save, as far as limits ask."""

from __future__ import annotations

import math

import pytest

from rap_edge.converters.sensitivity import NodeCost, base, choose
from rap_edge.quantization import Limits


def cost(node: str, error: float, saved: float) -> NodeCost:
    return NodeCost("decoder", node, error, error, saved, 0.0)


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        (Limits(0, 0, 0), []),
        (Limits(0, 0, 0.02), ["useless"]),
        (Limits(45, 45, 0), ["useless"]),
        (Limits(52, 52, 0), ["useless", "bad"]),
        (Limits(99, 99, 0), ["useless", "bad", "good"]),
    ],
)
def test_the_worst_for_what_they_save_stay_in_float(limits: Limits, kept: list[str]) -> None:
    costs = [cost("good", 0.1, 5.0), cost("useless", 3.0, 0.05), cost("bad", 1.0, 1.0)]
    assert [one.node for one in choose(costs, limits)] == kept


def test_a_layer_of_unknown_time_counts_as_one_that_saves_little() -> None:
    costs = [cost("known", 1.0, 1.0), cost("unknown", 1.0, math.nan)]
    assert [one.node for one in choose(costs, Limits(46, 46, 0))] == ["unknown"]


@pytest.mark.parametrize("name", ["node_conv2d_8_token_44", "conv2d_8_nchwc", "node_conv2d_8"])
def test_a_layer_is_known_by_its_name_before_fusion(name: str) -> None:
    assert base(name) == "conv2d_8"
