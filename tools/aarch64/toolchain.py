"""A C++ compiler for any target out of a Python wheel, in a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from aarch64.places import WORK, made

ZIG = "ziglang==0.17.1"
ELSEWHERE = ("--platform", "manylinux_2_12_x86_64")


class NoWheel(Exception):
    """The compiler is not published for this machine."""


def open_zig() -> Path:
    """Return the compiler's program, installed with pip below build/aarch64.

    Raises NoWheel if there is no wheel for this machine, though there are others.
    """
    return made(WORK / "zig", ZIG, _install) / "ziglang" / "zig"


def pip(*arguments: str | Path) -> int:
    """Run pip of this environment, and return its exit status."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    return subprocess.run(command, check=False).returncode


def _install(folder: Path) -> None:
    options = ("install", "--quiet", "--no-deps", "--no-compile", "--only-binary=:all:")
    if pip(*options, "--target", folder, ZIG) == 0:
        return
    if pip(*options, "--dry-run", *ELSEWHERE, "--target", folder, ZIG) == 0:
        raise NoWheel(f"{ZIG} has no wheel for this machine, so nothing was cross-built")
    raise SystemExit(f"pip cannot install {ZIG}: its message is above")
