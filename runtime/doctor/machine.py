"""The CPU that will run a graph, as far as it decides what is slow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rap_edge.isa import ARM_INT8, X86_INT8
from rap_edge.runtime.cpu import cpu_flags, is_x86
from rap_edge.runtime.doctor.diagnosis import Finding, Layer, counted


@dataclass(frozen=True)
class Machine:
    """Instruction sets under Linux's names; None if nothing tells."""

    flags: frozenset[str] | None
    x86: bool

    @classmethod
    def here(cls) -> Machine:
        return cls(cpu_flags(), is_x86())

    @property
    def int8_isa(self) -> tuple[str, ...] | None:
        """The instruction sets for int8 that are here."""
        return None if self.flags is None else tuple(f for f in self._wanted if f in self.flags)

    @property
    def lacks_int8(self) -> bool:
        """It is known that no instruction set for int8 is here."""
        return self.int8_isa == ()

    @property
    def _wanted(self) -> tuple[str, ...]:
        return X86_INT8 if self.x86 else ARM_INT8

    def slow_int8(self, layers: Sequence[Layer]) -> Iterator[Finding]:
        """Find int8 layers on a CPU that multiplies bytes no faster than floats."""
        count = sum(layer.precision == "int8" for layer in layers)
        if count and self.lacks_int8:
            saturates = ", and sums of two products may saturate" if self.x86 else ""
            yield Finding(
                f"{counted(count, 'int8 layer')} on a CPU without int8 dot products",
                f"none of {', '.join(self._wanted)} is here: a product of bytes takes several "
                f"instructions{saturates}",
                "take the fp32 variant, unless memory matters more than time",
            )
