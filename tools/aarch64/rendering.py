"""The same second of speech, rendered on the host and on emulated CPUs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aarch64.cpus import CPUS
from aarch64.emulation import SAME_WORK, Sysroot, run_quietly
from aarch64.places import WORK, made
from aarch64.tree import Tree

HOST = "host"
PRECISIONS = ("fp32", "int8")
SCRIPT = "render_second.py"
LIMIT_S = 3600


@dataclass(frozen=True)
class Render:
    cpu: str  # or HOST
    precision: str
    file: Path


def render_all(sysroot: Sysroot, tree: Tree, cpus: Sequence[str]) -> list[Render]:
    """Render on the host and on CPUs; take what is there already.

    In int8 on each, and in fp32 on the first: it takes the same kernels on all of them.
    """
    wanted = [(HOST, precision) for precision in PRECISIONS]
    wanted += [(cpus[0], "fp32"), *((cpu, "int8") for cpu in cpus)]
    return [_render(tree, sysroot, cpu, precision) for cpu, precision in wanted]


def _render(tree: Tree, sysroot: Sysroot, cpu: str, precision: str) -> Render:
    name = f"render-{cpu}-{precision}"
    recipe = f"{tree.package} {sysroot.versions} {cpu}"

    def render(folder: Path) -> None:
        log, arguments = WORK / f"{name}.log", (SCRIPT, precision, folder / "out.npz")
        if cpu == HOST:
            status = _on_host(tree, log, *arguments)
        else:
            status = sysroot.run(CPUS[cpu], *arguments, cwd=tree.folder, log=log, limit_s=LIMIT_S)
        if status:
            raise SystemExit(f"{log.read_text('utf-8')}\n{name} failed: status {status}")

    return Render(cpu, precision, made(WORK / name, recipe, render) / "out.npz")


def _on_host(tree: Tree, log: Path, *arguments: str | Path) -> int:
    environment = {**os.environ, **SAME_WORK, "PYTHONPATH": str(tree.folder)}
    return run_quietly([sys.executable, *arguments], environment, tree.folder, log, LIMIT_S)
