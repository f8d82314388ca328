"""The CPU that will run a graph, as far as it decides what is slow."""

from __future__ import annotations

from dataclasses import dataclass

from rap_edge.runtime.cpu import INT8_PRODUCTS, cpu_flags, is_x86
from rap_edge.runtime.doctor.diagnosis import Finding, Layer, counted

BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")


@dataclass(frozen=True)
class Machine:
    """Instruction sets under Linux's names; None if nothing tells."""

    flags: frozenset[str] | None
    x86: bool

    @classmethod
    def here(cls) -> Machine:
        return cls(cpu_flags(), is_x86())

    @property
    def int8_products(self) -> tuple[str, ...] | None:
        """Those that multiply and add bytes in one step."""
        return None if self.flags is None else tuple(f for f in INT8_PRODUCTS if f in self.flags)

    def lacks(self, *wanted: str) -> bool:
        """Say whether it is known that none of the instruction sets is there."""
        return self.flags is not None and not self.flags & set(wanted)


def slow_bytes(layers: list[Layer], machine: Machine) -> list[Finding]:
    """Find int8 layers on a CPU that multiplies bytes no faster than floats."""
    count = sum(layer.precision == "int8" for layer in layers)
    if not count or not machine.lacks(*INT8_PRODUCTS):
        return []
    saturates = " and sums of two products may saturate" if machine.x86 else ""
    return [
        Finding(
            f"{counted(count, 'int8 layer')} on a CPU without instructions for bytes",
            f"none of {', '.join(INT8_PRODUCTS)} is here: a product of bytes takes several "
            f"instructions{saturates}",
            "take the fp32 variant, unless memory matters more than time",
        )
    ]
