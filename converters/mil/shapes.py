"""Rules that move values and change none; arguments are named as in MIL."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rap_edge.converters.mil.rule import Rule
from rap_edge.errors import NotSupported


def reshape(x: Tensor, shape: Tensor) -> Tensor:
    """An axis of 0 keeps its length, counted from the last axis; beyond the first it is 1."""
    wanted = shape.tolist()
    kept = ([1] * len(wanted) + list(x.shape))[-len(wanted) :]
    return x.reshape([length or old for length, old in zip(wanted, kept, strict=True)])


def transpose(x: Tensor, perm: Tensor) -> Tensor:
    return x.permute(perm.tolist())


def expand_dims(x: Tensor, axes: Tensor) -> Tensor:
    """Axes are those of the result."""
    rank = x.dim() + axes.numel()
    for axis in sorted(axis % rank for axis in axes.tolist()):
        x = x.unsqueeze(axis)
    return x


def squeeze(x: Tensor, axes: Tensor | None = None) -> Tensor:
    return x.squeeze() if axes is None else x.squeeze(axes.tolist())


def concat(values: list[Tensor], axis: Tensor, interleave: Tensor | bool = False) -> Tensor:
    if interleave:
        raise NotSupported("concat interleaves - expected one value after the other")
    return torch.cat(values, int(axis))


def stack(values: list[Tensor], axis: Tensor) -> Tensor:
    return torch.stack(values, int(axis))


def split(
    x: Tensor,
    axis: Tensor,
    num_splits: Tensor | None = None,
    split_sizes: Tensor | None = None,
) -> list[Tensor]:
    if split_sizes is not None:
        return list(x.split(split_sizes.tolist(), int(axis)))
    assert num_splits is not None
    return list(x.split(x.shape[int(axis)] // int(num_splits), int(axis)))


def slice_by_index(
    x: Tensor,
    begin: Tensor,
    end: Tensor,
    stride: Tensor | None = None,
    begin_mask: Tensor | None = None,
    end_mask: Tensor | None = None,
    squeeze_mask: Tensor | None = None,
) -> Tensor:
    """Slice as numpy does; a masked ``begin`` or ``end`` is left out, a squeezed axis indexed."""
    unmasked = [False] * x.dim()
    steps = [1] * x.dim() if stride is None else stride.tolist()
    open_begin, open_end, indexed = (
        unmasked if mask is None else mask.tolist() for mask in (begin_mask, end_mask, squeeze_mask)
    )
    for axis, (first, stop) in enumerate(zip(begin.tolist(), end.tolist(), strict=True)):
        if indexed[axis]:
            x = x.narrow(axis, first % x.shape[axis], 1)
            continue
        part = slice(
            None if open_begin[axis] else first, None if open_end[axis] else stop, steps[axis]
        )
        places = list(range(*part.indices(x.shape[axis])))
        x = x.index_select(axis, torch.tensor(places, dtype=torch.int64))
    return x.squeeze([axis for axis, single in enumerate(indexed) if single])


def slice_by_size(x: Tensor, begin: Tensor, size: Tensor) -> Tensor:
    """A size of -1 reaches to the end."""
    for axis, (first, length) in enumerate(zip(begin.tolist(), size.tolist(), strict=True)):
        x = x.narrow(axis, first, x.shape[axis] - first if length == -1 else length)
    return x


def gather(
    x: Tensor,
    indices: Tensor,
    axis: Tensor | int = 0,
    batch_dims: Tensor | int = 0,
    validate_indices: Tensor | bool = False,
) -> Tensor:
    """Take ``indices`` of any shape along one axis; iOS 17 knows none below 0."""
    if int(batch_dims):
        raise NotSupported("gather has batch_dims - expected 0")
    along = int(axis) % x.dim()
    taken = x.index_select(along, indices.flatten())
    return taken.reshape(*x.shape[:along], *indices.shape, *x.shape[along + 1 :])


def tile(x: Tensor, reps: Tensor) -> Tensor:
    return x.tile(reps.tolist())


def pad(
    x: Tensor, pad: Tensor, mode: str = "constant", constant_val: Tensor | float = 0.0
) -> Tensor:
    """``pad`` holds (before, after) for each of the last axes."""
    pairs = pad.reshape(-1, 2).flip(0).flatten().tolist()  # torch begins with the last axis
    if mode == "constant":
        return F.pad(x, pairs, value=float(constant_val))
    return F.pad(x, pairs, mode=mode)


def fill_like(ref_tensor: Tensor, value: Tensor) -> Tensor:
    return value.expand(ref_tensor.shape)


RULES: dict[str, Rule] = {
    "concat": concat,
    "expand_dims": expand_dims,
    "fill_like": fill_like,
    "gather": gather,
    "pad": pad,
    "reshape": reshape,
    "slice_by_index": slice_by_index,
    "slice_by_size": slice_by_size,
    "split": split,
    "squeeze": squeeze,
    "stack": stack,
    "tile": tile,
    "transpose": transpose,
}
