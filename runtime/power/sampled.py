"""Energy from readings of power: a thread takes them, trapezoids add them up."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from rap_edge.runtime.power.meter import Begin, End, ReadingFailed

Sample = tuple[float, float]
"""Seconds of the monotonic clock, watts."""


class Samples:
    """Readings of one measurement. One thread adds, another ends."""

    def __init__(self) -> None:
        self._taken: list[Sample] = []
        self._why: str | None = None

    def add(self, watts: float) -> None:
        """Take a reading now; one that cannot be the power of a running device fails them all."""
        if math.isfinite(watts) and watts > 0:
            self._taken.append((time.monotonic(), watts))
        else:
            self.fail(f"the meter read {watts:g} W")

    def fail(self, why: str) -> None:
        """Remember the first failure: the sum is not known any more."""
        self._why = self._why or why

    @property
    def failed(self) -> bool:
        return self._why is not None

    def joules(self, began_s: float, ended_s: float) -> float:
        """Add up the readings, or raise ReadingFailed with the first failure."""
        if self._why is None and not self._taken:
            self._why = "the meter told nothing in this time"
        if self._why is not None:
            raise ReadingFailed(self._why)
        return integrate(self._taken, began_s, ended_s)


def integrate(samples: Sequence[Sample], began_s: float, ended_s: float) -> float:
    """Integrate power by trapezoids; before the first sample and after the last one it is held.

    ``samples`` are in order of time, one or more; those outside count for what they tell inside.
    """
    times, watts = np.asarray(samples, dtype=np.float64).T
    inside = (times > began_s) & (times < ended_s)
    first, last = np.interp((began_s, ended_s), times, watts)
    at = np.concatenate(([began_s], times[inside], [ended_s]))
    power = np.concatenate(([first], watts[inside], [last]))
    return float(np.sum(np.diff(at) * (power[1:] + power[:-1]) / 2))


def sampled(read_watts: Callable[[], float], period_s: float) -> Begin:
    """Make a meter of what tells watts: it is read at the beginning, every period, and at the end.

    ``read_watts`` raises ReadingFailed when it cannot tell: no energy is known then.
    """

    def begin() -> End:
        samples, over = Samples(), threading.Event()
        samples.add(read_watts())

        def take() -> None:
            try:
                samples.add(read_watts())
            except ReadingFailed as error:
                samples.fail(str(error))

        def follow() -> None:
            while not samples.failed and not over.wait(period_s):
                take()

        thread = threading.Thread(target=follow, name="power", daemon=True)
        thread.start()
        began_s = time.monotonic()

        def end() -> float:
            ended_s = time.monotonic()
            over.set()
            thread.join()
            take()
            return samples.joules(began_s, ended_s)

        return end

    return begin
