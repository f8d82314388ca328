"""Who computes next, and how many streams a model can serve."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from threading import Condition
from time import monotonic_ns

from rap_edge.errors import Overloaded
from rap_edge.runtime import lifetime

PATIENCE_NS = 1_000_000_000
FULL = 0.85  # share of the time that chunks of all streams may take together


class Turns:
    """One chunk at a time on the threads of a model; the earliest deadline goes first.

    Two chunks beside each other would both be late: a graph already uses every core.
    """

    def __init__(self) -> None:
        self._free = Condition()
        self._waiting: set[tuple[int, int]] = set()
        self._numbers = count()
        self._busy = False
        self._pid = os.getpid()

    def soon(self) -> AbstractContextManager[None]:
        """Wait for a turn that nobody is late without, such as a chunk to warm up with."""
        return self.take(monotonic_ns() + PATIENCE_NS)

    @contextmanager
    def take(self, deadline_ns: int) -> Iterator[None]:
        """Wait for the turn and hold it."""
        lifetime.check_process(self._pid)
        ticket = (deadline_ns, next(self._numbers))
        with self._free:
            self._waiting.add(ticket)
            try:
                self._free.wait_for(lambda: not self._busy and min(self._waiting) == ticket)
            except BaseException:  # Ctrl-C: nobody must wait for this one any more
                self._free.notify_all()
                raise
            finally:
                self._waiting.remove(ticket)
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

    @property
    def count(self) -> int:
        """Streams that have a place."""
        return len(self._loads)

    def enter(self, stream: int, load: float) -> None:
        """Let a stream in; raises Overloaded if the model cannot serve one more."""
        with self._lock:
            total = sum(list(self._loads.values())) + load  # a stream may be collected here
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
