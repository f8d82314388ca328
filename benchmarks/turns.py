"""Subjects in turns: what disturbs the machine for a while disturbs all of them."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter

import numpy as np

from rap_edge.benchmarks.chunks import ChunkCost, Feed
from rap_edge.benchmarks.report.record import Value
from rap_edge.benchmarks.report.statistics import paired_ratio

LEAST_ROUNDS = 3
Turn = list[ChunkCost]


def in_turns(feeds: Mapping[str, Feed], pushes: int, seconds: float) -> dict[str, list[Turn]]:
    """Let every feed take a turn of so many pushes, round by round; return the turns by label.

    It ends after ``seconds`` for each feed, and three rounds at least. Every other round goes
    backwards, so that nobody always follows the same one. A first turn of each warms up and is not
    returned.
    """
    labels = list(feeds)
    turns: dict[str, list[Turn]] = {label: [] for label in labels}
    for label in labels:
        _turn(feeds[label], pushes)
    start = perf_counter()
    rounds = 0
    while rounds < LEAST_ROUNDS or perf_counter() - start < seconds * len(labels):
        for label in labels if rounds % 2 == 0 else reversed(labels):
            turns[label].append(_turn(feeds[label], pushes))
        rounds += 1
    return turns


def speed_ratio(turns: list[Turn], exact: list[Turn]) -> Value:
    """Return how many times faster turns are than those of fp32, pair by pair."""
    return paired_ratio([ms_per_frame(turn) for turn in exact], [ms_per_frame(t) for t in turns])


def ms_per_frame(turn: Turn) -> float:
    """Return the median time of a frame in one turn, in ms."""
    return float(np.median([cost.wall_ms / cost.n_frames for cost in turn]))


def _turn(feed: Feed, pushes: int) -> Turn:
    """Push until so many chunks have come: the first push of a stream may complete none."""
    costs: Turn = []
    while len(costs) < pushes:
        cost = feed.step()
        if cost.n_frames:
            costs.append(cost)
    return costs
