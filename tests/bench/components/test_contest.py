"""Contenders of components: how long turns are, what a row says, and what is refused."""

from __future__ import annotations

import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from rap_edge.benchmarks.components import contest as contest_module
from rap_edge.benchmarks.components.contest import (
    LEAST_ROUNDS,
    Contender,
    Times,
    contest,
    least_turn_s,
)
from rap_edge.benchmarks.components.rows import AGAINST, Rows, agreed
from rap_edge.errors import ParityError


def times(*seconds: float) -> Times:
    return Times(np.array(seconds), 2 * np.array(seconds))


class Clock:
    """A clock that stands still until somebody works."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def work(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    for name in ("perf_counter", "process_time"):
        monkeypatch.setattr(contest_module, name, lambda: found.now_s)
    return found


def test_contenders_take_turns_of_one_call_if_that_is_long(clock: Clock) -> None:
    log: list[str] = []

    def slow(name: str) -> Contender:
        def work() -> None:
            log.append(name)
            clock.work(1.0)

        return Contender(name, lambda: work)

    found = contest([slow("a"), slow("b"), slow("c")], 0.0)
    assert "".join(log) == "abc" + "abc" + "bca" + "cab" + "acb"
    for spent in found.values():
        assert spent.cpu_s.tolist() == spent.wall_s.tolist() == [1.0] * LEAST_ROUNDS


@pytest.mark.parametrize(("tick_s", "least_s"), [(1e-9, 0.01), (1e-3, 0.1), (0.0156, 1.56)])
def test_a_turn_is_long_beside_the_ticks_of_the_clock_and_a_call_is_what_is_told(
    tick_s: float, least_s: float, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = SimpleNamespace(resolution=tick_s)
    monkeypatch.setattr(contest_module, "get_clock_info", lambda name: told)
    assert least_turn_s() == pytest.approx(least_s)
    one = Contender("a", lambda: partial(clock.work, 0.001), calls=7)
    found = contest([one], 0.0)["a"]
    turns = LEAST_ROUNDS * round(least_s / 0.001) + 1
    assert clock.now_s / 0.001 == pytest.approx(turns, abs=LEAST_ROUNDS)
    assert found.cpu_s == pytest.approx(0.001 / 7)


def test_the_clock_of_windows_ticks_slower_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert least_turn_s() == 100 / 64


def test_a_ratio_says_how_many_times_faster_ours_is_pair_by_pair() -> None:
    rows = Rows("x", "us_per_call", {"ours": times(1, 2, 4, 8), "theirs": times(3, 6, 12, 24)})
    row = rows.beside("ours", "theirs")
    assert row.subject == f"ours{AGAINST}theirs"
    ratio = row.values["ratio"]
    assert (ratio.value, ratio.low, ratio.high, ratio.n) == (3, 3, 3, 4)
    assert row.values["us_per_call"].value == 3e6
    assert Rows("x", "ms_per_call", rows.times).alone("ours").values["ms_per_call"].value == 6e3


def test_contenders_that_disagree_are_not_compared() -> None:
    one = np.linspace(0, 2, 100)
    assert agreed("x", "a", "b", one, one + 0.001, 1e-3).value == pytest.approx(0.0005, rel=0.01)
    with pytest.raises(ParityError, match=r"component x: a and b differ by 0\.0476 of"):
        agreed("x", "a", "b", one, one + 0.1, 1e-3)
    with pytest.raises(ParityError, match="expected the same"):
        agreed("x", "a", "b", one, one[1:], 1e-3)
    with pytest.raises(ParityError):
        agreed("x", "a", "b", one, np.full(100, np.nan), 1e-3)
