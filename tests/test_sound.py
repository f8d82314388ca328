"""A null output keeps a device's time, and recordings come as they are spoken."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.runtime.sound import ASLEEP_NS, NULL_LATENCY_NS, NullOutput, paced

MS = 1_000_000
BLOCK_NS = 10 * MS

Samples = NDArray[np.float32]


class Counting:
    """A player that writes what it has played so far, and remembers how it was asked."""

    def __init__(self, n_calls: int = 0) -> None:
        self.asked: list[tuple[int, int, int]] = []
        self.played = 0
        self.enough = threading.Event()
        self._n_calls = n_calls

    def read_into(self, out: Samples, host_ns: int, latency_ns: int) -> int:
        out[:] = np.arange(self.played, self.played + len(out))
        self.played += len(out)
        self.asked.append((len(out), host_ns, latency_ns))
        if len(self.asked) >= self._n_calls:
            self.enough.set()
        return len(out)


class Failing:
    def read_into(self, out: Samples, host_ns: int, latency_ns: int) -> int:
        raise RuntimeError("nothing to play")


def heard_at(player: Counting) -> list[int]:
    return [host_ns + latency_ns for _, host_ns, latency_ns in player.asked]


def test_a_null_output_takes_blocks_that_are_heard_without_gap() -> None:
    player = Counting(n_calls=8)
    with NullOutput(player, 48_000) as output:
        assert player.enough.wait(30)
    assert output.error is None
    assert {n_samples for n_samples, _, _ in player.asked} == {480}
    assert set(np.diff(heard_at(player)[:8])) == {BLOCK_NS}


def test_a_null_output_that_wakes_late_takes_what_it_missed() -> None:
    player = Counting(n_calls=4)
    with NullOutput(player, 16_000, lambda: 35 * MS if player.asked else 0):
        assert player.enough.wait(30)
    assert heard_at(player) == [NULL_LATENCY_NS + n * BLOCK_NS for n in range(4)]


def test_a_null_output_that_was_suspended_starts_afresh() -> None:
    later = ASLEEP_NS + 500 * MS
    player = Counting(n_calls=2)
    with NullOutput(player, 16_000, lambda: later if player.asked else 0):
        assert player.enough.wait(30)
    assert heard_at(player) == [NULL_LATENCY_NS, later + NULL_LATENCY_NS]


def test_what_ends_an_output_is_kept_for_its_owner() -> None:
    output = NullOutput(Failing(), 16_000)
    output.start()
    output._thread.join(30)
    output.stop()
    assert str(output.error) == "nothing to play"


def speech(n_samples: int) -> Samples:
    return np.arange(n_samples, dtype=np.float32)


def cut(samples: Samples, size: int) -> Iterator[Samples]:
    return (samples[start : start + size] for start in range(0, len(samples), size))


class Waiting:
    """A clock that moves when somebody waits for it."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.ns, self.waits, self._left = 0, 0, stop_after

    def now(self) -> int:
        return self.ns

    def wait(self, seconds: float) -> bool:
        self.ns += math.ceil(seconds * 1e9)
        self._left -= 1
        return self._left < 0


@pytest.mark.parametrize("size", [1, 160, 333, 1000, 5000])
def test_a_recording_comes_as_it_is_spoken(size: int) -> None:
    clock = Waiting()
    found, times = [], []
    for block in paced(cut(speech(1700), size), 16_000, wait=clock.wait, now=clock.now):
        found.append(block)
        times.append(clock.ns / MS)
    assert [len(block) for block in found] == [320] * 5 + [100]
    assert (np.concatenate(found) == speech(1700)).all()
    assert times == pytest.approx([20, 40, 60, 80, 100, 106.25], abs=0.001)


def test_a_recording_may_come_ahead_of_its_time() -> None:
    clock = Waiting()
    blocks = paced([speech(1600)], 16_000, 0.05, clock.wait, clock.now)
    times = [clock.ns / MS for _ in blocks]
    assert times == pytest.approx([0, 0, 10, 30, 50], abs=0.001)
    blocks = paced([speech(1600)], 16_000, math.inf, clock.wait, clock.now)
    start = clock.ns
    assert [clock.ns for _ in blocks] == [start] * 5


def test_a_recording_can_be_stopped() -> None:
    clock = Waiting(stop_after=2)
    assert len(list(paced([speech(1600)], 16_000, 0.0, clock.wait, clock.now))) == 2
