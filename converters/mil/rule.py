"""What a rule is: one operator of MIL in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

Value: TypeAlias = Tensor | str
"""What a name in a program stands for; numbers and truth values are tensors without axes."""

Rule: TypeAlias = Callable[..., Tensor | Sequence[Tensor]]
"""Takes the inputs of an operator by their names in MIL, gives its outputs.

Floats come and go as float32, whatever the program holds them in: the interpreter rounds.
"""

HELD = {
    "bool": torch.bool,
    "fp16": torch.float32,
    "fp32": torch.float32,
    "int8": torch.int8,
    "int32": torch.int32,
    "uint8": torch.uint8,
}
"""What the types of a program are held in."""
