"""`length`: one stream that goes on and on. What does a second of its audio cost, early and late?

One pass of the pinned speech, over and over, without a clock; the frames are thrown away, so the
memory has to stay flat. It is read off at a row of lengths: what is told at one of them is of the
stretch since the one before, so an hour is measured once and not again for each length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, nan

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.chunks import Feed
from rap_edge.benchmarks.costs import frame_cost
from rap_edge.benchmarks.memory import resident_mb
from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.report.statistics import interval_of, mean
from rap_edge.benchmarks.scaling.fits import line, power_law, told
from rap_edge.benchmarks.scaling.rounds import NO_MEMORY
from rap_edge.benchmarks.subjects import Opened
from rap_edge.errors import ConfigError
from rap_edge.runtime import throughput

SCENARIO = "scaling.length"
LENGTHS_S = (10.0, 30.0, 60.0, 180.0, 600.0, 1800.0, 3600.0)
WARM_UP_BLOCKS = 12


@dataclass(frozen=True, eq=False)
class Stretch:
    """A part of the pass, up to one of the lengths."""

    until_s: float  # of audio since the stream began; it ends with the chunk that gets there
    wall_ms: NDArray[np.float64]  # (B,) of a frame, in each block
    cpu_ms: NDArray[np.float64]  # (B,)
    resident_mb: NDArray[np.float64]  # (B,) after each block; nan where it is not told


def lengths_to(longest_minutes: float) -> tuple[float, ...]:
    """Return the lengths in seconds to read off on the way to the longest one.

    Raises ConfigError for one that is not above 0.
    """
    longest = 60 * longest_minutes
    if not longest > 0:
        raise ConfigError(
            f"the longest length is {longest_minutes:g} minutes: expected above 0; 10 is usual"
        )
    return (*(length for length in LENGTHS_S if length < longest), longest)


def measure_length(opened: Opened, pinned: Pinned, lengths_s: Sequence[float]) -> list[Result]:
    """Stream once up to the last of the lengths, which are seconds of audio in rising order."""
    level = throughput(opened.model.config.sampler)
    warm_up = Feed.of(opened.avatar, pinned, level)
    for _ in range(WARM_UP_BLOCKS):
        warm_up.step()
    timeline = opened.model.config.timeline
    block_s = level.latents * timeline.frames_per_latent / timeline.fps
    ends = [max(1, ceil(length / block_s)) for length in lengths_s]
    before_mb = resident_mb()
    blocks = _passed(Feed.of(opened.avatar, pinned, level), ends[-1])
    stretches = [
        Stretch(until_s, *blocks[:, start:end])
        for until_s, start, end in zip(lengths_s, [0, *ends], ends, strict=False)
        if start < end
    ]
    return [*(_row(opened, part, before_mb) for part in stretches), _fit(opened, stretches)]


def _passed(feed: Feed, n_blocks: int) -> NDArray[np.float64]:
    """Return wall and CPU ms of a frame and what is resident, (3, B); no list grows meanwhile."""
    found = np.full((3, n_blocks), nan)
    for block in range(n_blocks):
        cost, memory = frame_cost([feed.chunk()]), resident_mb()
        found[:, block] = cost.wall_ms, cost.cpu_ms, nan if memory is None else memory
    return found


def _row(opened: Opened, part: Stretch, before_mb: float | None) -> Result:
    spoken_ms = 1000 / opened.model.config.fps
    values = {
        "x_realtime": interval_of(part.wall_ms, lambda drawn: spoken_ms / drawn.mean(axis=-1)),
        "frame_ms": mean(part.wall_ms),
        "cpu_ms_per_frame": mean(part.cpu_ms),
    }
    missing = {}
    if before_mb is None:
        missing = dict.fromkeys(("rss_mb", "rss_growth_mb"), NO_MEMORY)
    else:
        values["rss_mb"] = Value(float(part.resident_mb.max()), n=len(part.resident_mb))
        values["rss_growth_mb"] = Value(float(part.resident_mb[-1]) - before_mb)
    return opened.result(SCENARIO, values, missing, at={"audio_s": part.until_s})


def _fit(opened: Opened, stretches: Sequence[Stretch]) -> Result:
    """Fit what a frame costs, and what is resident, to the length at the end of each stretch."""
    lengths = [part.until_s for part in stretches]
    wall = [float(part.wall_ms.mean()) for part in stretches]
    cpu = [float(part.cpu_ms.mean()) for part in stretches]
    memory = [float(part.resident_mb[-1]) for part in stretches]
    values, missing = told(
        {
            "exponent": lambda: power_law(lengths, wall).value,
            "misfit_percent": lambda: power_law(lengths, wall).misfit_percent,
            "cpu_exponent": lambda: power_law(lengths, cpu).value,
            "rss_mb_per_hour": lambda: line([s / 3600 for s in lengths], memory).value,
        }
    )
    return opened.result(SCENARIO, values, missing)
