"""The memory, and what a control group leaves of it and of the CPU.

Documented in the kernel's Documentation: filesystems/proc, admin-guide/cgroup-v1 and cgroup-v2.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rap_edge.benchmarks.machine.files import fields_of, kilobytes_of
from rap_edge.runtime.sysfs import read_number, read_text

HERE = Path("/")
GROUPS = "sys/fs/cgroup"
KB_PER_MB = 1024


@dataclass(frozen=True)
class Memory:
    """What the machine has."""

    total_mb: int | None = None
    limit_mb: int | None = None  # of the control group; None without one below the total


@dataclass(frozen=True)
class Room:
    """What is left of the memory at one moment."""

    available_mb: int | None = None
    swap_used_mb: int | None = None


def read_memory(root: Path = HERE) -> Memory:
    total_kb = kilobytes_of(fields_of(read_text(root / "proc/meminfo")).get("MemTotal"))
    total_mb = total_kb // KB_PER_MB if total_kb else _asked_mb(root)
    limits = [
        limit
        for folder in _groups(root, "memory")
        for name in ("memory.max", "memory.limit_in_bytes")
        if (limit := read_number(folder / name)) is not None
    ]
    limit_mb = min(limits) >> 20 if limits else None
    if limit_mb is not None and total_mb is not None and limit_mb >= total_mb:
        limit_mb = None  # v1 writes the highest number for "none"
    return Memory(total_mb, limit_mb)


def read_room(root: Path = HERE) -> Room:
    facts = fields_of(read_text(root / "proc/meminfo"))
    available, total, free = (
        kilobytes_of(facts.get(name)) for name in ("MemAvailable", "SwapTotal", "SwapFree")
    )
    used = None if total is None or free is None else (total - free) // KB_PER_MB
    return Room(None if available is None else available // KB_PER_MB, used)


def read_cpu_quota(root: Path = HERE) -> float | None:
    """Return how many cores the control group and those above it allow; None for no limit."""
    quotas = [quota for folder in _groups(root, "cpu") if (quota := _quota(folder)) is not None]
    return min(quotas, default=None)


def _quota(folder: Path) -> float | None:
    words = (read_text(folder / "cpu.max") or "").split()
    if len(words) != 2:
        quota, period = (read_number(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
        words = [str(quota), str(period)]
    if not all(word.isdigit() for word in words) or int(words[1]) == 0:
        return None  # "max", or -1 in v1
    return int(words[0]) / int(words[1])


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Name the folders of this process's control groups and of those above them, v2 and v1.

    A container may see its own group as the root, while procfs names it from outside.
    """
    for line in (read_text(root / "proc/self/cgroup") or "").splitlines():
        _, names, own = (*line.split(":", 2), "", "")[:3]
        if not own.startswith("/") or (names and controller not in names.split(",")):
            continue
        top = root / GROUPS / names if names else root / GROUPS
        group = top / own.strip("/")
        yield from [group, *group.parents[: len(group.parts) - len(top.parts)]]


def _asked_mb(root: Path) -> int | None:
    """Ask the C library where there is no procfs; Windows has no sysconf."""
    if root != HERE:
        return None
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    except (AttributeError, ValueError, OSError):
        return None
