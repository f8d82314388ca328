"""A day of conversation with the scheduler alone, on a virtual clock; `Books` checks all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rap_edge.benchmarks.books import Books
from rap_edge.benchmarks.conversation import RATE
from rap_edge.benchmarks.virtual import FRAME_NS, MS, Stall, VirtualModel

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
EPISODE_NS = 300 * SECOND
SLOWNESS = (1, 1, 1, 1, 1, 1.8, 2.5, 4, 8, 20)  # of an episode, one of them
SOON_NS = 60 * SECOND  # between stalls, on average


class Conversation(Protocol):
    """What somebody who speaks can do."""

    def begin(self) -> None: ...
    def push(self, samples: int) -> None: ...
    def flush(self) -> None: ...
    def interrupt(self) -> None: ...


@dataclass(frozen=True)
class Day:
    """What came of it; the books were right, or there would be none."""

    hours: float
    utterances: int
    interrupts: int
    underruns: int
    frames: int
    presented: int
    held: Mapping[str, int]
    skipped: int
    chunks: int
    stale_chunks: int
    level_share: tuple[float, ...]
    level_changes: int
    largest_skew_ms: float
    drift_ns: int  # last tick, minus where it would be at exactly 25 a second
    most_kept: int  # made frames and spans of speech that the books held at once

    def __str__(self) -> str:
        levels = ", ".join(f"{100 * share:.1f}" for share in self.level_share)
        held = ", ".join(f"{n} {reason}" for reason, n in self.held.items())
        return (
            f"{self.hours:g} h of conversation: {self.utterances} utterances, {self.interrupts} "
            f"interrupts, {self.underruns} underruns; {self.frames} frames, {self.presented} shown,"
            f" held: {held}; {self.skipped} never made; {self.chunks} chunks, {self.stale_chunks} "
            f"stale; % of the time at each level {levels} ({self.level_changes} changes); largest "
            f"skew {self.largest_skew_ms:g} ms, drift {self.drift_ns} ns, {self.most_kept} things "
            "kept at most"
        )


def converse(hours: float, seed: int = 0) -> Day:
    """Talk for hours: turns, pauses, interrupts, stalls of model and pushes, episodes of load."""
    rng = np.random.default_rng(seed)
    end = int(hours * HOUR)
    books = Books(VirtualModel(seed, list(_stalls(rng, end)), _episodes(rng, end)))
    for pause in talk(books, rng):
        books.run(books.now + pause)
        if books.now >= end:
            break
    return _summary(books, hours)


def talk(somebody: Conversation, rng: np.random.Generator) -> Iterator[int]:
    """Speak in turns, and yield ns to wait: live or from a synthesizer, now and then too slowly."""
    while True:
        yield int(rng.uniform(0.05, 3) * SECOND)
        somebody.begin()
        left = int(rng.uniform(0.02, 10) * RATE)
        is_live, is_slow = rng.random() < 0.5, rng.random() < 0.1
        is_cut = rng.random() < 0.3
        block = RATE // 50 if is_live else int(rng.uniform(0.1, 2) * RATE)
        while left > 0:
            somebody.push(min(block, left))
            left -= block
            yield block * SECOND // RATE // (1 if is_live else 3)
            if is_slow and rng.random() < 0.05:
                yield int(rng.uniform(0.1, 1.5) * SECOND)
            if is_cut and rng.random() < 0.02:
                break
        if is_cut:
            somebody.interrupt()
            continue
        somebody.flush()
        if rng.random() < 0.8:  # else the next turn comes into this one
            yield int(rng.uniform(0, 4) * SECOND)


def _stalls(rng: np.random.Generator, end: int) -> Iterator[Stall]:
    at = 0
    while at < end:
        at += int(rng.exponential(SOON_NS)) + 2 * SECOND
        yield Stall(at, int(rng.choice([200, 400, 800, 1500])) * MS)


def _episodes(rng: np.random.Generator, end: int) -> Callable[[int], float]:
    factors = rng.choice(SLOWNESS, end // EPISODE_NS + 2).tolist()
    return lambda now: factors[now // EPISODE_NS]


def _summary(books: Books, hours: float) -> Day:
    stats = books.balanced()
    skews = np.flatnonzero(stats.skew_histogram) - len(stats.skew_histogram) // 2
    total = sum(stats.time_at_level_ns)
    return Day(
        hours=hours,
        utterances=books.utterances,
        interrupts=stats.interrupts,
        underruns=stats.underruns,
        frames=stats.ticks,
        presented=stats.presented,
        held={reason.name.lower(): n for reason, n in stats.held_by_reason.items() if n},
        skipped=stats.skipped_frames,
        chunks=stats.chunks,
        stale_chunks=stats.stale_chunks,
        level_share=tuple(ns / total for ns in stats.time_at_level_ns),
        level_changes=books.level_changes,
        largest_skew_ms=float(np.abs(skews).max(initial=0)),
        drift_ns=books.last_tick_ns - (stats.ticks - 1) * FRAME_NS,
        most_kept=books.most_kept,
    )
