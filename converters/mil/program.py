"""A saved Core ML package, opened and run without Core ML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rap_edge.converters.mil.interpreter import Observe, Slot, Step, plan, rounded, slot_of
from rap_edge.converters.mil.package import Files, load_pymil
from rap_edge.converters.mil.rule import Value
from rap_edge.errors import ConfigError

Array = NDArray[Any]
Tensors = Mapping[str, Array]

NUMPY = {"fp16": np.float16, "fp32": np.float32, "int32": np.int32, "bool": np.bool_}


@dataclass(frozen=True)
class Program:
    """The main function of a package, ready to run; it may be run as often as wished."""

    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]
    constants: Mapping[str, Value]
    steps: tuple[Step, ...]

    @property
    def operators(self) -> frozenset[str]:
        """The operators that run; what unpacks weights has already run."""
        return frozenset(step.operator for step in self.steps)

    @torch.no_grad()
    def run(self, inputs: Tensors, observe: Observe | None = None) -> dict[str, Array]:
        """Compute the outputs from those of ``inputs`` that the program takes.

        Inputs of another type are cast. ``observe`` sees the inputs and every tensor computed.
        Raises ConfigError for an input that is missing or has another shape.
        """
        values: dict[str, Value] = dict(self.constants)
        for slot in self.inputs:
            values[slot.name] = _given(slot, inputs)
        _show(self.inputs, values, observe)
        for step in self.steps:
            step.run(values)
            _show(step.outputs, values, observe)
        return {slot.name: _array(slot, values[slot.name]) for slot in self.outputs}


def open_program(files: Files) -> Program:
    """Open the files of a package: posix paths relative to the .mlpackage folder to contents.

    Raises NotSupported for an operator without a rule, or if coremltools is not installed, and
    ConfigError if the files are no package.
    """
    main = load_pymil(files).functions["main"]
    constants, steps = plan(main.operations)
    return Program(
        tuple(slot_of(variable) for variable in main.inputs.values()),
        tuple(slot_of(variable) for variable in main.outputs),
        constants,
        tuple(steps),
    )


def _given(slot: Slot, inputs: Tensors) -> Tensor:
    if slot.name not in inputs or inputs[slot.name].shape != slot.shape:
        found = inputs[slot.name].shape if slot.name in inputs else "missing"
        raise ConfigError(f"input {slot.name!r} is {found}: expected an array of {slot.shape}")
    array: Array = np.ascontiguousarray(inputs[slot.name]).astype(NUMPY[slot.dtype])
    return rounded(torch.from_numpy(array).to(slot.held), slot)


def _show(slots: tuple[Slot, ...], values: Mapping[str, Value], observe: Observe | None) -> None:
    for slot in slots if observe is not None else ():
        value = values[slot.name]
        assert isinstance(value, Tensor)
        assert observe is not None
        observe(slot.name, value)


def _array(slot: Slot, value: Value) -> Array:
    assert isinstance(value, Tensor)
    return value.numpy().astype(NUMPY[slot.dtype])
