"""Small files in which Linux tells of the machine, under /sys, /proc and /etc."""

from __future__ import annotations

from pathlib import Path

MOST_DIGITS = 18


def read_text(path: Path) -> str | None:
    """Read a file without the white space and NULs around it; None if it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8", "replace").strip(" \t\r\n\0")
    except OSError:  # not there, not allowed, or a sensor that is asleep
        return None


def read_number(path: Path) -> int | None:
    """Read a file that holds one integer; None if it holds anything else."""
    text = read_text(path) or ""
    digits = text.removeprefix("-")
    return int(text) if digits.isdecimal() and len(digits) <= MOST_DIGITS else None
