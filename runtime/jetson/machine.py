"""A Jetson, as far as it decides how fast it is and what it draws."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rap_edge.runtime.jetson.clocks import clocks_locked
from rap_edge.runtime.jetson.power_mode import read_power_mode
from rap_edge.runtime.jetson.release import read_module, read_release

SYSTEM = Path("/")


@dataclass(frozen=True)
class Jetson:
    """What was read; None of what it does not tell."""

    module: str | None  # as the device tree names it
    l4t: str | None  # release of Jetson Linux: 36.4.3
    power_mode: str | None  # its name: ids differ between modules
    power_mode_id: int | None
    clocks_locked: bool | None  # by jetson_clocks

    def __str__(self) -> str:
        clocks = {True: "clocks locked", False: "clocks not locked", None: "clocks unknown"}
        return ", ".join(
            (
                self.module or "a Jetson",
                f"Jetson Linux {self.l4t or 'unknown'}",
                f"power mode {self.power_mode or 'unknown'}",
                clocks[self.clocks_locked],
            )
        )


def read_jetson(root: Path = SYSTEM) -> Jetson | None:
    """Read everything under ``root``; None if this is no Jetson. Nothing here raises."""
    module, l4t = read_module(root), read_release(root)
    if module is None and l4t is None:
        return None
    mode = read_power_mode(root)
    return Jetson(
        module,
        l4t,
        mode.name if mode else None,
        mode.id if mode else None,
        clocks_locked(root),
    )
