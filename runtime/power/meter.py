"""What every energy meter is: a name, what it covers, and a measurement that may fail."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Source = Literal["measured", "estimated"]

End = Callable[[], float]
"""Ends a measurement: returns joules, or raises ReadingFailed."""

Begin = Callable[[], End]
"""Begins a measurement, or raises ReadingFailed."""


class ReadingFailed(Exception):
    """A reading that is missing or cannot be: no measurement can do without it.

    It does not leave this package: `Energy.why` carries its message.
    """


@dataclass
class Energy:
    """What was measured; it is filled when the measurement ends."""

    joules: float | None = None  # above 0; None if it is not known
    seconds: float = 0.0
    why: str | None = "it is still being measured"  # joules is None; None if they are known

    @property
    def watts(self) -> float | None:
        """The mean power."""
        return None if self.joules is None or self.seconds <= 0 else self.joules / self.seconds


@dataclass(frozen=True)
class Meter:
    """A way to measure energy here."""

    name: str  # RAPL, INA3221, ...
    what: str  # what its energy is the energy of
    source: Source
    begin: Begin
    least_s: float = 0.0  # a shorter measurement tells of the time before
    only_cpu: bool = False  # what other devices of the machine draw is not in it

    @contextmanager
    def measure(self) -> Iterator[Energy]:
        """Measure what happens within; a meter that fails leaves None and why, and raises nothing.

        Measurements may overlap.
        """
        energy = Energy()
        end: End | None = None
        try:
            end = self.begin()
        except ReadingFailed as error:
            energy.why = str(error)
        began_s = time.monotonic()
        try:
            yield energy
        finally:
            energy.seconds = time.monotonic() - began_s
            if end is not None:
                _fill(energy, end)


@dataclass(frozen=True)
class Unavailable:
    """There is no meter; why, and how to get one."""

    why: str


def _fill(energy: Energy, end: End) -> None:
    try:
        joules = end()
    except ReadingFailed as error:
        energy.why = str(error)
        return
    if math.isfinite(joules) and joules > 0:
        energy.joules, energy.why = joules, None
    else:
        energy.why = f"the meter counted {joules:g} J: measure for longer"
