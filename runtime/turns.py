"""Who computes next, and how many streams a model can serve."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Condition

from rap_edge.errors import Overloaded

FULL = 0.85  # share of the time that chunks of all streams may take together


class Turns:
    """One chunk at a time on the threads of a model; the earliest deadline goes first.

    Two chunks beside each other would both be late: a graph already uses every core.
    """

    def __init__(self) -> None:
        self._free = Condition()
        self._waiting: list[tuple[int, int]] = []
        self._numbers = count()
        self._busy = False

    @contextmanager
    def take(self, deadline_ns: int) -> Iterator[None]:
        """Wait for the turn and hold it."""
        ticket = (deadline_ns, next(self._numbers))
        with self._free:
            heapq.heappush(self._waiting, ticket)
            self._free.wait_for(lambda: not self._busy and self._waiting[0] == ticket)
            heapq.heappop(self._waiting)
            self._busy = True
        try:
            yield
        finally:
            with self._free:
                self._busy = False
                self._free.notify_all()


class Admission:
    """Says no to a stream before everything stutters.

    The load of a stream is the share of real time that its chunks take at the lowest level that
    still shows every frame.
    """

    def __init__(self) -> None:
        self._lock = Condition()
        self._loads: dict[int, float] = {}

    def enter(self, stream: int, load: float) -> None:
        """Let a stream in; raises Overloaded if the model cannot serve one more."""
        with self._lock:
            total = sum(self._loads.values()) + load
            if total > FULL:
                raise Overloaded(
                    f"{len(self._loads)} streams are open and one more would take {total:.0%} of "
                    f"the time, at the lowest level: expected {FULL:.0%} at most - close one, take "
                    "a faster backend or bundle, or open it with admission=False"
                )
            self._loads[stream] = load

    def leave(self, stream: int) -> None:
        with self._lock:
            self._loads.pop(stream, None)
