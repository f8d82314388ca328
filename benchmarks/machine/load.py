"""What else the machine does at one moment, and how fast it may do it.

Documented in the kernel's Documentation: accounting/psi and filesystems/proc (/proc/stat).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rap_edge.runtime.sysfs import read_text

HERE = Path("/")
PI_FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
STEAL, ALL = 7, 8  # columns of /proc/stat: user nice system idle iowait irq softirq steal


@dataclass(frozen=True)
class Stalls:
    """Share of the last 10 s in which some task waited (PSI, ``some avg10``)."""

    cpu_percent: float | None = None
    io_percent: float | None = None
    memory_percent: float | None = None


@dataclass(frozen=True)
class Ticks:
    """CPU time of all cores since boot, in the kernel's ticks."""

    all: int
    stolen: int  # a hypervisor gave it to others


def read_load(root: Path = HERE) -> float | None:
    """Return how many tasks wanted a core, on average of the last minute."""
    words = (read_text(root / "proc/loadavg") or "").split()
    if words:
        return _number(words[0])
    return os.getloadavg()[0] if root == HERE and hasattr(os, "getloadavg") else None


def read_stalls(root: Path = HERE) -> Stalls:
    return Stalls(*(_stall(root / "proc/pressure" / name) for name in ("cpu", "io", "memory")))


def read_ticks(root: Path = HERE) -> Ticks | None:
    words = (read_text(root / "proc/stat") or "").partition("\n")[0].split()
    columns = words[1 : 1 + ALL]
    if words[:1] != ["cpu"] or len(columns) < ALL or not all(c.isdigit() for c in columns):
        return None
    return Ticks(sum(map(int, columns)), int(columns[STEAL]))


def read_firmware_limits(root: Path = HERE) -> int | None:
    """Return the bits with which a Raspberry Pi's firmware tells of low voltage and throttling.

    Bits 0 to 3: low voltage, frequency capped, throttled, warm, all of them now; 16 to 19: the
    same at any time since boot (``vcgencmd get_throttled``).
    """
    try:
        return int(read_text(root / PI_FIRMWARE) or "", 16)
    except ValueError:
        return None


def _stall(file: Path) -> float | None:
    for line in (read_text(file) or "").splitlines():
        if line.startswith("some "):
            shares = dict(word.split("=", 1) for word in line.split()[1:] if "=" in word)
            return _number(shares.get("avg10", ""))
    return None


def _number(word: str) -> float | None:
    return float(word) if word.replace(".", "", 1).isdigit() else None
