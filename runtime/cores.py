"""How many physical cores this process may use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def physical_cores() -> int:
    """Count the physical cores that this process may run on: hyper-threads count once."""
    if sys.platform == "darwin":
        return _cores_of_macos()
    if hasattr(os, "sched_getaffinity"):
        return len({_siblings(cpu) for cpu in os.sched_getaffinity(0)})
    return max(1, (os.cpu_count() or 2) // 2)


def _siblings(cpu: int) -> str:
    place = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    try:
        return place.read_text().strip()
    except OSError:
        return str(cpu)


def _cores_of_macos() -> int:
    command = ["sysctl", "-n", "hw.physicalcpu"]
    try:
        return int(subprocess.run(command, capture_output=True, check=True).stdout)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return max(1, (os.cpu_count() or 2) // 2)
