"""The power mode of a Jetson. Its id means another mode on another module: the name counts."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rap_edge.runtime.sysfs import read_text

COMMAND = "usr/sbin/nvpmodel"
SECONDS = 5.0
QUERY = re.compile(r"NV Power Mode: *(\S[^\n]*?) *\r?\n\s*(\d{1,4})\b")
NAME = re.compile(r"NV Power Mode: *(\S[^\n]*?) *\r?(?:\n|$)")
STATUS = re.compile(r"\bpmode: *(\d{1,4})\b")
MODEL = re.compile(r"< *POWER_MODEL +ID=(\d{1,4}) +NAME=(\S+) *>")


@dataclass(frozen=True)
class PowerMode:
    """A mode of nvpmodel."""

    name: str  # 15W, MAXN, MAXN_SUPER, MODE_15W_6CORE
    id: int | None = None


def parse_nvpmodel(text: str) -> PowerMode | None:
    """Find the mode in the output of ``nvpmodel -q``, with or without ``--verbose``."""
    with_id = QUERY.search(text)
    if with_id:
        return PowerMode(with_id[1], int(with_id[2]))
    named = NAME.search(text)
    return PowerMode(named[1]) if named else None


def parse_status(status: str, configuration: str) -> PowerMode | None:
    """Find the mode in nvpmodel's own files: which id is set, and what the ids are called."""
    found = STATUS.search(status)
    if found is None:
        return None
    names = {int(number): name for number, name in MODEL.findall(configuration)}
    number = int(found[1])
    return PowerMode(names[number], number) if number in names else None


def read_power_mode(root: Path) -> PowerMode | None:
    """Ask nvpmodel, or read its files where it does not answer without root."""
    answered = parse_nvpmodel(_asked(root / COMMAND))
    if answered is not None:
        return answered
    status = read_text(root / "var/lib/nvpmodel/status") or ""
    return parse_status(status, read_text(root / "etc/nvpmodel.conf") or "")


def _asked(command: Path) -> str:
    if not os.access(command, os.X_OK):
        return ""
    try:
        answer = subprocess.run(
            [str(command), "-q"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.decode("utf-8", "replace")
