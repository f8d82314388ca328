"""Contenders for one task in turns, in one process; a turn is long beside the clock's ticks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from time import get_clock_info, perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.turns import in_turns
from rap_edge.bundle import Bundle, open_bundle

EXTRA = "components"
LEAST_ROUNDS = 4
LEAST_TURN_S = 0.01  # a shorter turn is taken several times over
LEAST_TICKS = 100  # of the clock, in a turn
WINDOWS_TICK_S = 1 / 64  # of GetProcessTimes, which says 100 ns
SHORTEST_S = 1e-7  # that a turn is taken for, if it seems shorter

Turn = Callable[[], object]


@dataclass(frozen=True)
class Settings:
    """What a component is measured with."""

    seconds: float  # for the whole component; a few rounds are measured in any case
    threads: int  # of a graph
    given: Bundle | None = None  # None is the one that comes with the package
    trust: tuple[Path, ...] = ()  # public keys, for copies of it

    @property
    def bundle(self) -> Bundle:
        return open_bundle() if self.given is None else self.given


@dataclass(frozen=True)
class Contender:
    """One way to do the task: ``start`` makes ready, and what it returns is timed."""

    name: str
    start: Callable[[], Turn]
    calls: int = 1  # that one turn makes


@dataclass(frozen=True, eq=False)
class Times:
    """Seconds of one call, a number for each round."""

    cpu_s: NDArray[np.float64]  # (rounds,) of all threads of the process
    wall_s: NDArray[np.float64]  # (rounds,)


def contest(contenders: Sequence[Contender], seconds: float) -> dict[str, Times]:
    """Let every contender take a turn, round by round, for ``seconds``; four rounds at least.

    A first turn of each warms up, says how often it has to be taken to be long enough, and is not
    returned.
    """
    turns = {one.name: partial(_timed, one, _often(one)) for one in contenders}
    spent = in_turns(turns, seconds, LEAST_ROUNDS, warm_up_rounds=0)
    return {name: Times(*np.array(pairs, np.float64).T) for name, pairs in spent.items()}


def least_turn_s() -> float:
    """Return how long a turn is at least: 10 ms, and 100 times what the CPU clock can tell."""
    tick_s = get_clock_info("process_time").resolution
    if sys.platform == "win32":
        tick_s = max(tick_s, WINDOWS_TICK_S)
    return max(LEAST_TURN_S, LEAST_TICKS * tick_s)


def absent(package: str) -> str | None:
    """Say how to get a package that is not installed; None if it is."""
    if find_spec(package) is not None:
        return None
    return f"{package} is not installed: pip install 'rap-edge[{EXTRA}]'"


def optional(package: str) -> Any:
    """Import a package that is not a dependency; untyped, so that types do not hang on it."""
    return import_module(package)


def present(
    contenders: Mapping[str, Callable[[], Contender]], packages: Mapping[str, str]
) -> tuple[list[Contender], dict[str, str]]:
    """Make the contenders whose packages are here; return them, and why the others are not.

    ``packages`` names the package that a contender needs; one that is not in it needs none.
    """
    here, missing = [], {}
    for name, make in contenders.items():
        why = absent(packages[name]) if name in packages else None
        if why is None:
            here.append(make())
        else:
            missing[name] = why
    return here, missing


def _often(one: Contender) -> int:
    _, wall_s = _timed(one, 1)
    return ceil(least_turn_s() / max(SHORTEST_S, wall_s * one.calls))


def _timed(one: Contender, times: int) -> tuple[float, float]:
    """Return the CPU and wall seconds of one call."""
    turn = one.start()
    cpu, wall = process_time(), perf_counter()
    for _ in range(times):
        turn()
    wall, cpu = perf_counter() - wall, process_time() - cpu
    return cpu / times / one.calls, wall / times / one.calls
