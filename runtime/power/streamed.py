"""Energy from a program that prints the power, line after line."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO

from rap_edge.runtime.power.meter import Begin, End, ReadingFailed
from rap_edge.runtime.power.sampled import Samples

PATIENCE_S = 10.0  # for its first reading, and for it to end

WattsOf = Callable[[str], float | None]
"""Returns None of a line that tells no power."""


class Stream:
    """The program while it runs."""

    def __init__(self, command: Sequence[str], watts_of: WattsOf) -> None:
        """Start it and wait for its first reading, or raise ReadingFailed."""
        self._name = command[0].rpartition("/")[2]
        self._watts_of = watts_of
        self._samples = Samples()
        self._first, self._over = threading.Event(), threading.Event()
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                text=True, encoding="utf-8", errors="replace",
            )  # fmt: skip
        except OSError as error:
            raise ReadingFailed(f"{self._name} does not start: {error}") from None
        self._thread = threading.Thread(target=self._follow, name="power", daemon=True)
        self._thread.start()
        told = self._first.wait(PATIENCE_S)
        if not told or self._samples.failed:
            self.stop()
            raise ReadingFailed(f"{self._name} tells no power")
        self._began_s = time.monotonic()

    def end(self) -> float:
        """Stop it and return joules; raise ReadingFailed if it did not tell all the time."""
        ended_s = time.monotonic()
        self.stop()
        return self._samples.joules(self._began_s, ended_s)

    def stop(self) -> None:
        """End the program; one that belongs to root ends when nobody reads what it prints."""
        self._over.set()
        with suppress(PermissionError):
            self._process.terminate()
        self._thread.join(PATIENCE_S)
        with suppress(PermissionError, subprocess.TimeoutExpired):
            self._process.wait(PATIENCE_S)

    def _follow(self) -> None:
        output = self._process.stdout
        assert output is not None
        with output:
            self._read(output)
        if not self._over.is_set():
            self._samples.fail(f"{self._name} ended by itself")
        self._first.set()

    def _read(self, output: IO[str]) -> None:
        for line in output:
            watts = self._watts_of(line)
            if watts is not None:
                self._samples.add(watts)
                self._first.set()
            if self._over.is_set():
                return


def streamed(command: Sequence[str], watts_of: WattsOf) -> Begin:
    """Make a meter of a program: it is started once for each measurement."""

    def begin() -> End:
        return Stream(command, watts_of).end

    return begin


def tells_power(begin: Begin) -> str | None:
    """Try a meter once; return why it does not tell, None if it does."""
    try:
        begin()()
    except ReadingFailed as error:
        return str(error)
    return None
