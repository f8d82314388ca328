"""What the CPU of this machine is called and which instruction sets it has."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")

MACOS = {
    "hw.optional.arm.FEAT_DotProd": "asimddp",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.arm.FEAT_FP16": "asimdhp",
    "hw.optional.arm.FEAT_BF16": "bf16",
    "hw.optional.avx2_0": "avx2",
    "hw.optional.avx512f": "avx512f",
    "hw.optional.avx512vnni": "avx512_vnni",
}
"""What sysctl answers with 1 where the instruction set is there, and Linux's name for it."""


def cpu_name() -> str:
    """Return the name that the CPU gives itself, or else its architecture."""
    if sys.platform == "darwin":
        named = _sysctl().get("machdep.cpu.brand_string")
    else:
        named = _cpuinfo().get("model name")
    return named or platform.processor() or platform.machine()


def cpu_flags() -> frozenset[str] | None:
    """Return the instruction sets under Linux's names; None where nothing tells."""
    if sys.platform == "darwin":
        answers = _sysctl()
        return frozenset(flag for key, flag in MACOS.items() if answers.get(key) == "1") or None
    facts = _cpuinfo()
    return frozenset((facts.get("flags") or facts.get("Features", "")).split()) or None


def is_x86() -> bool:
    return platform.machine().lower() in ("x86_64", "amd64")


def _cpuinfo() -> Mapping[str, str]:
    """Return the fields of the first processor; none on other systems than Linux."""
    try:
        text = CPUINFO.read_text(encoding="utf-8")
    except OSError:
        return {}
    return _fields(text.split("\n\n")[0])


def _sysctl() -> Mapping[str, str]:
    """Return macOS's answers; a name that this CPU does not know is left out."""
    command = ["sysctl", "hw.optional", "machdep.cpu"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return {}
    return _fields(answer.stdout)


def _fields(text: str) -> dict[str, str]:
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}
