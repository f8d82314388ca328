"""Rules that move values, against torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from rap_edge.converters.mil import open_program, shapes
from rap_edge.errors import NotSupported

X = (2, 4, 5, 6)


def cut(mb: Any, x: Any) -> Any:
    """Every mask and both directions."""
    return mb.slice_by_index(
        x=x,
        begin=[1, 1, 4, -1],
        end=[0, -1, 1, 0],
        stride=[1, 1, -2, -1],
        begin_mask=[False, True, False, False],
        end_mask=[False, False, False, True],
        squeeze_mask=[True, False, False, False],
    )


def padded(mode: str) -> Callable[[Any, Any], Any]:
    return lambda mb, x: mb.pad(x=x, pad=[1, 2, 3, 4], mode=mode, constant_val=7.0)


CASES: tuple[tuple[str, Callable[..., Any], Callable[..., Tensor]], ...] = (
    ("concat", lambda mb, x: mb.concat(values=[x, x], axis=-2), lambda x: torch.cat([x, x], 2)),
    (
        "expand_dims",
        lambda mb, x: mb.expand_dims(x=mb.reduce_sum(x=x, axes=[1, 2]), axes=[-1, 1]),
        lambda x: x.sum((1, 2))[:, None, :, None],
    ),
    (
        "fill_like",
        lambda mb, x: mb.add(x=x, y=mb.fill_like(ref_tensor=x, value=2.0)),
        lambda x: x + 2,
    ),
    (
        "gather",
        lambda mb, x: mb.gather(x=x, indices=[[3, 0], [1, 1]], axis=-2),
        lambda x: x[:, :, [[3, 0], [1, 1]]],
    ),
    ("pad", padded("constant"), lambda x: F.pad(x, [3, 4, 1, 2], value=7)),
    ("pad", padded("reflect"), lambda x: F.pad(x, [3, 4, 1, 2], "reflect")),
    ("pad", padded("replicate"), lambda x: F.pad(x, [3, 4, 1, 2], "replicate")),
    ("reshape", lambda mb, x: mb.reshape(x=x, shape=[8, -1]), lambda x: x.reshape(8, 30)),
    (
        "reshape",  # from the last axis on
        lambda mb, x: mb.reshape(x=x, shape=[0, -1, 0]),
        lambda x: x.reshape(4, 10, 6),
    ),
    ("slice_by_index", cut, lambda x: torch.tensor(x.numpy()[1, :-1, 4:1:-2, ::-1].copy())),
    (
        "slice_by_index",
        lambda mb, x: mb.slice_by_index(x=x, begin=[0, 2, 1, 0], end=[1, 4, 9, -2]),
        lambda x: x[:1, 2:, 1:9, :-2],
    ),
    (
        "slice_by_size",
        lambda mb, x: mb.slice_by_size(x=x, begin=[0, 1, 2, 0], size=[2, 2, -1, 6]),
        lambda x: x[:, 1:3, 2:],
    ),
    ("split", lambda mb, x: mb.split(x=x, split_sizes=[1, 3], axis=1)[1], lambda x: x[:, 1:]),
    ("split", lambda mb, x: mb.split(x=x, num_splits=2, axis=-3)[0], lambda x: x[:, :2]),
    (
        "squeeze",
        lambda mb, x: mb.squeeze(x=mb.reduce_sum(x=x, axes=[1, 2], keep_dims=True), axes=[2]),
        lambda x: x.sum((1, 2))[:, None],
    ),
    ("stack", lambda mb, x: mb.stack(values=[x, x], axis=-1), lambda x: torch.stack([x, x], -1)),
    ("tile", lambda mb, x: mb.tile(x=x, reps=[2, 1, 3, 1]), lambda x: x.tile(2, 1, 3, 1)),
    (
        "transpose",
        lambda mb, x: mb.transpose(x=x, perm=[2, 0, -1, 1]),
        lambda x: x.permute(2, 0, 3, 1),
    ),
)


@pytest.mark.parametrize(("operator", "build", "expected"), CASES)
def test_a_rule_computes_what_torch_computes(
    operator: str, build: Any, expected: Any, agree: Callable[..., None]
) -> None:
    agree(operator, build, expected, X)


def test_every_rule_is_tested() -> None:
    assert {case[0] for case in CASES} == set(shapes.RULES)


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda mb, x: mb.concat(values=[x, x], axis=1, interleave=True), "interleaves"),
        (lambda mb, x: mb.gather(x=x, indices=[[0], [0]], axis=1, batch_dims=1), "batch_dims"),
    ],
)
def test_what_a_rule_does_not_know_is_refused(build: Any, named: str, save: Any) -> None:
    program = open_program(save(build, X))
    with pytest.raises(NotSupported, match=named):
        program.run({"x": torch.zeros(X).numpy()})
