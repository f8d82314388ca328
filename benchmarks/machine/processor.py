"""The CPU: what it is called, what it can do, its cores and its caches."""

from __future__ import annotations

import hashlib
import os
import platform
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rap_edge.benchmarks.machine.files import cpus_of, fields_of
from rap_edge.isa import ARM_INT8, X86_INT8
from rap_edge.runtime.cores import physical_cores
from rap_edge.runtime.cpu import cpu_flags, cpu_name
from rap_edge.runtime.sysfs import read_text

HERE = Path("/")
CPUS = "sys/devices/system/cpu"
ISA = ("avx2", "fma", "f16c", "avx512f", "avx512_bf16", "avx512_fp16", "amx_bf16", *X86_INT8)
ISA_ARM = ("asimd", "asimdhp", "bf16", "sve", "sve2", *ARM_INT8)

ARM = "0x41"
ARM_PARTS = {
    "0xd03": "Cortex-A53",
    "0xd04": "Cortex-A35",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd09": "Cortex-A73",
    "0xd0a": "Cortex-A75",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd0d": "Cortex-A77",
    "0xd40": "Neoverse-V1",
    "0xd41": "Cortex-A78",
    "0xd42": "Cortex-A78AE",
    "0xd44": "Cortex-X1",
    "0xd46": "Cortex-A510",
    "0xd47": "Cortex-A710",
    "0xd49": "Neoverse-N2",
    "0xd4d": "Cortex-A715",
    "0xd4f": "Neoverse-V2",
    "0xd80": "Cortex-A520",
    "0xd81": "Cortex-A720",
}
"""Arm's part numbers (MIDR_EL1), which Linux shows instead of a name."""


@dataclass(frozen=True)
class Processor:
    """The CPU, as long as it stays in its socket."""

    name: str
    isa: tuple[str, ...] = ()  # what graphs use, under Linux's names
    flags_sha256: str | None = None  # of all flags, sorted
    microcode: str | None = None
    physical_cores: int | None = None
    logical_cores: int | None = None
    usable_cpus: int | None = None  # that this process may run on
    caches: Mapping[str, str] = field(default_factory=dict)  # level -> "4 x 1280K", from L2 on


def read_processor(root: Path = HERE) -> Processor:
    """Read the CPU of the machine whose file system is at ``root``."""
    processors = _processors(root)
    first = processors[0] if processors else {}
    flags = _flags(first, root)
    logical, physical = _cores(root)
    return Processor(
        name=_name(processors, root),
        isa=tuple(name for name in (*ISA, *ISA_ARM) if name in flags),
        flags_sha256=_digest(flags),
        microcode=first.get("microcode"),
        physical_cores=physical,
        logical_cores=logical,
        usable_cpus=_usable(root),
        caches=_caches(root),
    )


def _processors(root: Path) -> list[dict[str, str]]:
    blocks = (read_text(root / "proc/cpuinfo") or "").split("\n\n")
    return [found for block in blocks if "processor" in (found := fields_of(block))]


def _name(processors: list[dict[str, str]], root: Path) -> str:
    if processors and "model name" in processors[0]:
        return processors[0]["model name"]
    parts = Counter(part for one in processors if (part := _part(one)))
    if parts:
        return " + ".join(f"{n} x {part}" for part, n in parts.items())
    return cpu_name() if root == HERE else platform.machine()


def _part(processor: Mapping[str, str]) -> str | None:
    maker, part = processor.get("CPU implementer"), processor.get("CPU part")
    if part is None:
        return None
    return ARM_PARTS.get(part, f"Arm {part}") if maker == ARM else f"maker {maker} part {part}"


def _flags(first: Mapping[str, str], root: Path) -> frozenset[str]:
    listed = frozenset((first.get("flags") or first.get("Features", "")).split())
    return listed or (cpu_flags() if root == HERE else None) or frozenset()


def _digest(flags: frozenset[str]) -> str | None:
    return hashlib.sha256(" ".join(sorted(flags)).encode()).hexdigest() if flags else None


def _cores(root: Path) -> tuple[int | None, int | None]:
    """Count the logical and the physical cores that are switched on."""
    cpus = cpus_of(read_text(root / CPUS / "online"))
    if cpus is None:
        return (os.cpu_count(), physical_cores()) if root == HERE else (None, None)
    siblings = [read_text(root / CPUS / f"cpu{cpu}/topology/thread_siblings_list") for cpu in cpus]
    return len(cpus), len(set(siblings)) if all(siblings) else None


def _usable(root: Path) -> int | None:
    allowed = fields_of(read_text(root / "proc/self/status")).get("Cpus_allowed_list")
    cpus, online = cpus_of(allowed), cpus_of(read_text(root / CPUS / "online"))
    if cpus is None:
        return None
    return len(cpus if online is None else cpus & online)


def _caches(root: Path) -> dict[str, str]:
    places = {
        (f"L{level}", read_text(index / "size") or "?", read_text(index / "shared_cpu_list"))
        for index in sorted((root / CPUS).glob("cpu[0-9]*/cache/index[0-9]*"))
        if (level := read_text(index / "level")) not in (None, "1")
    }
    counts = Counter((level, size) for level, size, _ in places)
    levels = sorted({level for level, _ in counts})
    return {
        level: " + ".join(
            f"{n} x {size}" for (of, size), n in sorted(counts.items()) if of == level
        )
        for level in levels
    }
