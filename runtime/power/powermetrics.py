"""macOS's powermetrics: what the system on a chip, or an Intel processor, draws.

It needs root; `sudo -n` asks for no password, and takes one that sudo remembers.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from rap_edge.runtime.power.meter import Meter, Unavailable
from rap_edge.runtime.power.streamed import streamed, tells_power

PROGRAM, SUDO = "usr/bin/powermetrics", "usr/bin/sudo"
PERIOD_MS = 200
OPTIONS = ("--samplers", "cpu_power,gpu_power", "--buffer-size", "1", "-i", str(PERIOD_MS))
COMBINED = re.compile(r"^Combined Power \([^)]*\): *(\d{1,9}(?:\.\d{1,6})?) *(m?)W")
INTEL = re.compile(
    r"^Intel energy model derived package power[^:]*: *(\d{1,6}(?:\.\d{1,6})?) *(m?)W"
)


def powermetrics(root: Path) -> Meter | Unavailable:
    """Integrate the power that it prints: the mean of each 200 ms."""
    program, sudo = root / PROGRAM, root / SUDO
    if not os.access(program, os.X_OK):
        return Unavailable("powermetrics: none (it is a part of macOS)")
    rooted = hasattr(os, "geteuid") and os.geteuid() == 0
    prefix = () if rooted else (str(sudo), "-n")
    begin = streamed([*prefix, str(program), *OPTIONS], watts_of)
    if tells_power(begin) is not None:
        return Unavailable(
            "powermetrics: it needs root: run `sudo -v` first, so that sudo remembers the password"
        )
    what = "the chip: CPU, GPU, and its neural engine if it has one"
    return Meter("powermetrics", what, "measured", begin)


def watts_of(line: str) -> float | None:
    """Read "Combined Power (CPU + GPU + ANE): 1172 mW", or an Intel Mac's package power."""
    found = COMBINED.match(line) or INTEL.match(line)
    return None if found is None else float(found[1]) * (1e-3 if found[2] else 1.0)
