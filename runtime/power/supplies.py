"""Mains and batteries, as Linux tells of them (Documentation/ABI/testing/sysfs-class-power)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rap_edge.runtime.sysfs import read_number, read_text

SUPPLIES = "sys/class/power_supply/*"
SYSTEM = Path("/")


@dataclass(frozen=True)
class Supply:
    """One supply of this machine, not of a mouse."""

    folder: Path
    kind: str  # Mains, USB, Battery, ...
    online: bool
    discharging: bool


def find_supplies(root: Path) -> tuple[Supply, ...]:
    """Find every supply under ``root`` but those of peripherals."""
    return tuple(
        Supply(
            folder,
            read_text(folder / "type") or "",
            (read_number(folder / "online") or 0) > 0,
            read_text(folder / "status") == "Discharging",
        )
        for folder in sorted(root.glob(SUPPLIES))
        if read_text(folder / "scope") != "Device"
    )


def power_source(root: Path = SYSTEM) -> Literal["AC", "battery"] | None:
    """Tell what feeds this machine; None if nothing tells."""
    supplies = find_supplies(root)
    batteries = [one for one in supplies if one.kind == "Battery"]
    if any(one.discharging for one in batteries):
        return "battery"
    others = [one for one in supplies if one.kind not in ("Battery", "")]
    if any(one.online for one in others):
        return "AC"
    return "battery" if batteries and others else None
