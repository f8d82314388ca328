"""Python of a sysroot on an emulated CPU: qemu in user mode, no root, nothing registered."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from aarch64.cpus import Cpu, describe
from aarch64.places import MARK, WORK

# One thread, as on the host, and no measuring of variants: the same work on either
SAME_WORK = {"OMP_NUM_THREADS": "1", "RAP_EDGE_NO_MEASURE": "1", "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(frozen=True)
class Sysroot:
    folder: Path
    python: Path
    emulator: Path
    packages: Path
    options: tuple[str, ...] = ()  # of the emulator

    def tracing(self, file: Path) -> Sysroot:
        """Return the same, writing every instruction that it translates to a file."""
        return replace(self, options=("-d", "in_asm", "-D", str(file)))

    @property
    def versions(self) -> str:
        """The versions of Python and of the packages."""
        return (self.packages / MARK).read_text(encoding="utf-8")

    def run(self, cpu: Cpu, *arguments: str | Path, cwd: Path, log: Path, limit_s: int) -> int:
        """Run Python on a CPU, with the packages and what lies in ``cwd``; return its exit status.

        What it prints goes to ``log``. Raises SystemExit if it takes longer than ``limit_s``.
        """
        describe(cpu, self.folder)
        environment = {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "PYTHONHOME": str(self.folder / "usr"),
            "PYTHONPATH": f"{cwd}{os.pathsep}{self.packages}",
            "QEMU_LD_PREFIX": str(self.folder),
            "XDG_CACHE_HOME": str(WORK / "cache"),
            **SAME_WORK,
        }
        command = [self.emulator, *self.options, "-cpu", cpu.emulator, self.python, *arguments]
        return run_quietly(command, environment, cwd, log, limit_s)


def run_quietly(
    command: list[str | Path], environment: dict[str, str], cwd: Path, log: Path, limit_s: int
) -> int:
    """Run a command behind everything else that runs here, and return its exit status."""
    with log.open("wb") as output:
        try:
            return subprocess.run(
                ["nice", "-n", "10", *command],
                cwd=cwd,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=limit_s,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise SystemExit(f"not done after {limit_s} s: what it printed is in {log}") from None
