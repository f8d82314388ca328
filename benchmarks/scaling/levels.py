"""`levels`: what a frame costs at each level of the ladder that a live stream goes down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.chunks import Feed
from rap_edge.benchmarks.costs import FrameCost, turn_cost
from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.report.statistics import median, paired_ratio
from rap_edge.benchmarks.scaling.fits import least_squares, of_rounds
from rap_edge.benchmarks.scaling.rounds import Costs
from rap_edge.benchmarks.subjects import Opened
from rap_edge.runtime.levels import Level, ladder

SCENARIO = "scaling.levels"
ROUNDS = 24
LATENTS = 4  # of a turn: the same frames at every level
PARTS = ("chunk_fixed_ms", "step_ms", "latent_ms")


def measure_levels(opened: Opened, pinned: Pinned, n_rounds: int = ROUNDS) -> list[Result]:
    """Let one stream speak at each level that makes frames, in turn.

    A frame is one that is made: at half the rate every other one of them is not shown.
    """
    config = opened.model.config
    levels = [level for level in ladder(config.sampler) if not level.holds]
    turns: list[Callable[[], FrameCost]] = [
        partial(turn_cost, Feed.of(opened.avatar, pinned, level), LATENTS // level.latents)
        for level in levels
    ]
    costs = Costs.of(turns, n_rounds)
    frames = np.array([level.latents for level in levels]) * config.timeline.frames_per_latent
    chunk_ms = costs.wall_ms * frames  # (R, P)
    rows = [
        opened.result(
            SCENARIO,
            {
                **costs.values(point, config.fps),
                "chunk_ms": median(chunk_ms[:, point]),
                "of_level_0": paired_ratio(costs.wall_ms[:, point], costs.wall_ms[:, 0]),
            },
            at={"level": float(point)},
        )
        for point in range(len(levels))
    ]
    return [*rows, _fit(opened, levels, chunk_ms)]


def _fit(opened: Opened, levels: Sequence[Level], chunk_ms: NDArray[np.float64]) -> Result:
    """Fit a chunk's time to its steps and its latents, and what it takes whatever they are."""
    columns = np.array([(1.0, level.steps, level.latents) for level in levels])
    if np.linalg.matrix_rank(columns) < len(PARTS):
        alike = "the levels of this bundle do not differ in both steps and latents"
        return opened.result(SCENARIO, {}, dict.fromkeys(PARTS, alike))
    parts = least_squares(columns, chunk_ms)
    values: dict[str, Value] = {
        name: of_rounds(rounds) for name, rounds in zip(PARTS, parts, strict=True)
    }
    return opened.result(SCENARIO, values)
