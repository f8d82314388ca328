"""The power rails of a Jetson: sensors INA3221 and, on Thor, INA238.

Jetson Linux Developer Guide, "Platform Power and Performance", Power Monitoring: since release 35
they are hwmon devices (kernel's hwmon/ina3221, hwmon/ina238), before that IIO devices whose files
are ``rail_name_0`` and ``in_power0_input``. No file needs root.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

from rap_edge.runtime.sysfs import read_number, read_text

HWMON = "sys/bus/i2c/drivers/ina3221*/*/hwmon/hwmon*/in[0-9]_label"
IIO = "sys/bus/i2c/drivers/ina3221*/*/iio:device*/rail_name_[0-9]"
THOR_INPUT = "sys/bus/i2c/drivers/ina238/*/hwmon/hwmon*/power1_input"
CHANNELS = "123"  # the others are sums of shunt voltages

TOTALS = {
    "VDD_IN": "whole module (VDD_IN)",
    "POM_5V_IN": "whole module (POM_5V_IN)",
    "VIN": "whole board (VIN)",
}
"""Rails that feed all others: Orin NX and Nano, Xavier NX, TX2, TX1; Nano; Thor."""

CONTAINED = frozenset(("VDDQ_VDD2_1V8AO",))
"""Rails that another one feeds, where no rail feeds all: this one hangs on VIN_SYS_5V0."""


@dataclass(frozen=True)
class Rail:
    """One rail and how it is read: the product of its files, times a unit."""

    name: str
    files: tuple[Path, ...]
    watts_per_unit: float

    def watts(self) -> float | None:
        """Read the power now; None if a file cannot be read."""
        values = [value for file in self.files if (value := read_number(file)) is not None]
        return prod(values) * self.watts_per_unit if len(values) == len(self.files) else None


def find_rails(root: Path) -> tuple[Rail, ...]:
    """Find every rail under ``root`` that has a name and can be read now."""
    rails: dict[str, Rail] = {}
    for rail in (*_hwmon(root), *_iio(root), *_thor(root)):
        if rail.name not in ("", "NC") and rail.watts() is not None:
            rails.setdefault(rail.name, rail)
    return tuple(rails.values())


def total_of(names: Collection[str]) -> tuple[str, ...]:
    """Choose the rails that add up to everything: one that feeds all others, or all, none twice."""
    for total in TOTALS:
        if total in names:
            return (total,)
    return tuple(name for name in names if name not in CONTAINED)


def described(names: Collection[str]) -> str:
    """Say what the rails of `total_of` cover."""
    named = [TOTALS[name] for name in names if name in TOTALS]
    return named[0] if named else f"module, the sum of its rails {', '.join(names)}"


def _hwmon(root: Path) -> Iterator[Rail]:
    for label in sorted(root.glob(HWMON)):
        channel, folder = label.name[2], label.parent
        if channel in CHANNELS and read_number(folder / f"in{channel}_enable") != 0:
            files = folder / f"in{channel}_input", folder / f"curr{channel}_input"
            yield Rail(read_text(label) or "", files, 1e-6)  # mV x mA


def _iio(root: Path) -> Iterator[Rail]:
    for label in sorted(root.glob(IIO)):
        channel = label.name[-1]
        yield Rail(read_text(label) or "", (label.parent / f"in_power{channel}_input",), 1e-3)


def _thor(root: Path) -> Iterator[Rail]:
    for file in sorted(root.glob(THOR_INPUT)):
        yield Rail("VIN", (file,), 1e-6)
