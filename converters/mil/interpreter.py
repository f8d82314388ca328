"""A function of MIL as a list of steps, evaluated with torch one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rap_edge.converters.mil.library import library
from rap_edge.converters.mil.operators import rule_of
from rap_edge.converters.mil.rule import HELD, Rule, Value
from rap_edge.errors import NotSupported, ParityError

Observe = Callable[[str, Tensor], None]
"""Sees every tensor of a run by its name; floats are float32, rounded as the program holds them."""


@dataclass(frozen=True)
class Slot:
    """A tensor of the program: its name, shape and type ("fp16", "int32", ...)."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def held(self) -> torch.dtype:
        return HELD[self.dtype]


@dataclass(frozen=True)
class Step:
    """One node: its rule, and where its inputs come from and its outputs go."""

    operator: str
    node: str
    rule: Rule
    inputs: dict[str, str | tuple[str, ...]]
    outputs: tuple[Slot, ...]

    def run(self, values: dict[str, Value]) -> None:
        """Compute the outputs from ``values`` and add them there."""
        given = {name: taken(source, values) for name, source in self.inputs.items()}
        result = self.rule(**given)
        results = [result] if isinstance(result, Tensor) else result
        for slot, value in zip(self.outputs, results, strict=True):
            if tuple(value.shape) != slot.shape or value.dtype != slot.held:
                raise ParityError(
                    f"{self.operator} {self.node!r} gives {tuple(value.shape)} {value.dtype} - "
                    f"expected {slot.shape} {slot.dtype} as the program says - correct its rule"
                )
            values[slot.name] = rounded(value, slot)


def taken(source: str | tuple[str, ...], values: Mapping[str, Value]) -> Any:
    return values[source] if isinstance(source, str) else [values[name] for name in source]


def rounded(value: Tensor, slot: Slot) -> Tensor:
    """Round to what the program's type can hold."""
    return value.half().float() if slot.dtype == "fp16" else value


def slot_of(variable: Any) -> Slot:
    dtype = library("coremltools.converters.mil.mil.types").builtin_to_string(variable.dtype)
    shape = tuple(int(length) for length in variable.shape)
    if dtype not in HELD:
        raise NotSupported(
            f"tensor {variable.name!r} is {dtype} - expected one of {', '.join(HELD)}"
        )
    return Slot(variable.name, shape, dtype)


def read_constant(value: Any) -> Value:
    """Turn what coremltools holds of a constant into a tensor or a text."""
    array = np.asarray(value)
    if array.dtype.kind in "US":
        return str(array)
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    elif array.dtype in (np.uint16, np.uint32):
        array = array.astype(np.int64)
    return torch.from_numpy(np.ascontiguousarray(array)).reshape(array.shape)


def plan(operations: Sequence[Any]) -> tuple[dict[str, Value], list[Step]]:
    """List the steps of a function, and its constants by name: compressed ones unpacked."""
    constants: dict[str, Value] = {}
    steps = []
    for operation in operations:
        if operation.op_type == "const":
            constants[operation.outputs[0].name] = read_constant(operation.outputs[0].val)
            continue
        step = Step(
            operation.op_type,
            operation.name,
            rule_of(operation.op_type, operation.name),
            {
                name: source_of(value)
                for name, value in operation.inputs.items()
                if value is not None
            },
            tuple(slot_of(variable) for variable in operation.outputs),
        )
        if operation.op_type.startswith("constexpr_"):
            step.run(constants)
        else:
            steps.append(step)
    return constants, steps


def source_of(value: Any) -> str | tuple[str, ...]:
    return tuple(one.name for one in value) if isinstance(value, (list, tuple)) else str(value.name)
