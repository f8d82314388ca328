"""Which release of Jetson Linux (L4T) runs, and on which module."""

from __future__ import annotations

import re
from pathlib import Path

from rap_edge.runtime.sysfs import read_text

RELEASE = re.compile(r"\bR(\d{1,4})\b[^,\n]*, *REVISION: *(\d{1,4}(?:\.\d{1,4})*)")


def parse_release(text: str) -> str | None:
    """Return "36.4.3" of ``# R36 (release), REVISION: 4.3, GCID: ...``, None of other text."""
    found = RELEASE.search(text)
    return f"{found[1]}.{found[2]}" if found else None


def read_release(root: Path) -> str | None:
    """Read the release from /etc/nv_tegra_release, which containers often lack."""
    return parse_release(read_text(root / "etc/nv_tegra_release") or "")


def read_module(root: Path) -> str | None:
    """Read the name of a Jetson from its device tree; None of any other machine."""
    model = read_text(root / "proc/device-tree/model") or ""
    return model if "jetson" in model.lower() else None
