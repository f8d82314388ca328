"""Which instructions for products of bytes the int8 graphs run, from the emulator's own log.

Encodings: Arm Architecture Reference Manual, C7.2 (SDOT, UDOT, USDOT, SUDOT, SMMLA, UMMLA, USMMLA).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from aarch64.cpus import CPUS
from aarch64.emulation import Sysroot
from aarch64.places import WORK, made
from aarch64.tree import Tree

LINE = re.compile(r"^0x([0-9a-f]+):\s+([0-9a-f]{8})\s")
DOT, MATRIX = "dot products", "products of matrices"
ENCODINGS = (  # kind, mask, value
    (DOT, 0x9FE0FC00, 0x0E809400),  # of vectors: SDOT, UDOT
    (DOT, 0xBFE0FC00, 0x0E809C00),  # USDOT
    (DOT, 0x9FC0F400, 0x0F80E000),  # by element: SDOT, UDOT
    (DOT, 0xBF40F400, 0x0F00F000),  # USDOT, SUDOT
    (MATRIX, 0xDFE0FC00, 0x4E80A400),  # SMMLA, UMMLA
    (MATRIX, 0xFFE0FC00, 0x4E80AC00),  # USMMLA
)
SCRIPT = "run_graphs.py"
LIMIT_S = 1800


def table(sysroot: Sysroot, tree: Tree, cpus: Iterable[str]) -> str:
    """Write a Markdown table: how many such instructions each CPU ran, by their addresses."""
    lines = [("CPU", DOT, MATRIX), ("---", "---", "---")]
    for cpu in cpus:
        found = _counted(sysroot, tree, cpu)
        lines.append((cpu, str(found[DOT]), str(found[MATRIX])))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def count(log: Iterable[str]) -> Counter[str]:
    """Count the addresses of such instructions in what qemu writes with ``-d in_asm``.

    It writes what it translates, and it translates what is about to run.
    """
    kinds: dict[str, str] = {}
    for line in log:
        found = LINE.match(line)
        if found and (kind := _kind(int(found[2], 16))):
            kinds[found[1]] = kind
    return Counter(kinds.values())


def _kind(instruction: int) -> str | None:
    return next((k for k, mask, value in ENCODINGS if instruction & mask == value), None)


def _counted(sysroot: Sysroot, tree: Tree, cpu: str) -> Counter[str]:
    def trace(folder: Path) -> None:
        code, log = folder / "code.txt", WORK / f"kernels-{cpu}.log"
        traced = sysroot.tracing(code)
        if traced.run(CPUS[cpu], SCRIPT, cwd=tree.folder, log=log, limit_s=LIMIT_S):
            raise SystemExit(f"{log.read_text('utf-8')}\nint8 graphs failed on {cpu}")
        with code.open(encoding="utf-8", errors="replace") as lines:
            counts = count(lines)
        code.unlink()
        counted = "".join(f"{kind}={number}\n" for kind, number in counts.items())
        (folder / "counts.txt").write_text(counted, encoding="utf-8")

    recipe = f"{tree.package} {sysroot.versions}"
    text = (made(WORK / f"kernels-{cpu}", recipe, trace) / "counts.txt").read_text("utf-8")
    pairs = (line.split("=") for line in text.splitlines())
    return Counter({kind: int(number) for kind, number in pairs})
