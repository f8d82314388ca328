"""The memory of this process."""

from __future__ import annotations

import os
import re
from pathlib import Path

MB = 1e6
STATUS = Path("/proc/self/status")


def peak_mb() -> float | None:
    """Return the most memory that was resident so far, in MB; None where nothing tells.

    Linux's ``ru_maxrss`` would count what the parent held when it started this process.
    """
    if STATUS.exists():
        peak = re.search(r"^VmHWM:\s*(\d+) kB", STATUS.read_text(encoding="ascii"), re.MULTILINE)
        return None if peak is None else int(peak[1]) * 1024 / MB
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB  # macOS: bytes


def resident_mb() -> float | None:
    """Return the memory that is resident now, in MB; None where /proc is not there."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / MB
