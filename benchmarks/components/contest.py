"""Contenders for one task in turns, in one process: what disturbs one disturbs all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXTRA = "components"
LEAST_ROUNDS = 4
LEAST_TURN_S = 0.01  # a shorter turn is taken several times over
MOST_TIMES = 1000

Turn = Callable[[], object]


@dataclass(frozen=True)
class Settings:
    """What a component is measured with."""

    seconds: float  # for the whole component; a few rounds are measured in any case
    threads: int  # of a graph
    bundle: Path | None = None  # None is the one that comes with the package


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

    Every other round goes backwards, so that nobody always follows the same one. A first turn of
    each warms up, says how often a turn has to be taken to last 10 ms, and is not returned.
    """
    often = {one.name: _often(one) for one in contenders}
    spent: dict[str, list[tuple[float, float]]] = {one.name: [] for one in contenders}
    start = perf_counter()
    rounds = 0
    while rounds < LEAST_ROUNDS or perf_counter() - start < seconds:
        for one in contenders if rounds % 2 == 0 else reversed(contenders):
            spent[one.name].append(_timed(one, often[one.name]))
        rounds += 1
    return {name: Times(*np.array(pairs, np.float64).T) for name, pairs in spent.items()}


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
    return int(min(MOST_TIMES, max(1, -(-LEAST_TURN_S // max(1e-9, wall_s * one.calls)))))


def _timed(one: Contender, times: int) -> tuple[float, float]:
    """Return the CPU and wall seconds of one call."""
    turn = one.start()
    cpu, wall = process_time(), perf_counter()
    for _ in range(times):
        turn()
    wall, cpu = perf_counter() - wall, process_time() - cpu
    return cpu / times / one.calls, wall / times / one.calls
