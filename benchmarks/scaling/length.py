"""`length`: one stream that goes on and on. What does a second of its audio cost, early and late?

One pass of the pinned speech, over and over, without a clock; the frames are thrown away, so the
memory has to stay flat. It is read off at a row of lengths: what is told at one of them is of the
stretch since the one before, so an hour is measured once and not again for each length.

A machine is not as fast after an hour as it was before it. So every now and then a stream that has
just begun makes a few chunks in between: `of_fresh` is what the long one takes beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil, nan

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.chunks import ChunkCost, Feed
from rap_edge.benchmarks.costs import frame_cost
from rap_edge.benchmarks.memory import resident_mb
from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.report.statistics import interval_of, mean, median
from rap_edge.benchmarks.scaling.fits import line, power_law, told
from rap_edge.benchmarks.scaling.rounds import NO_MEMORY
from rap_edge.benchmarks.subjects import Opened
from rap_edge.errors import ConfigError
from rap_edge.runtime import throughput

SCENARIO = "scaling.length"
LENGTHS_S = (10.0, 30.0, 60.0, 180.0, 600.0, 1800.0, 3600.0)
WARM_UP_BLOCKS = 12
BESIDE_EVERY, BESIDE_CHUNKS = 40, 4


@dataclass(frozen=True, eq=False)
class Stretch:
    """A part of the pass, up to one of the lengths."""

    until_s: float  # of audio since the stream began; it ends with the chunk that gets there
    wall_ms: NDArray[np.float64]  # (B,) of a frame, in each block
    cpu_ms: NDArray[np.float64]  # (B,)
    resident_mb: NDArray[np.float64]  # (B,) after each block; nan where it is not told
    of_fresh: NDArray[np.float64]  # (B,) beside a stream that has just begun; nan where not asked


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
    fresh = partial(Feed.of, opened.avatar, pinned, level)
    fresh().turn(WARM_UP_BLOCKS)
    timeline = opened.model.config.timeline
    block_s = level.latents * timeline.frames_per_latent / timeline.fps
    ends = [max(1, ceil(length / block_s)) for length in lengths_s]
    before_mb = resident_mb()
    blocks = _passed(fresh, ends[-1], [0, *ends])
    stretches = [
        Stretch(until_s, *blocks[:, start:end])
        for until_s, start, end in zip(lengths_s, [0, *ends], ends, strict=False)
        if start < end
    ]
    return [*(_row(opened, part, before_mb) for part in stretches), _fit(opened, stretches)]


def _passed(fresh: Callable[[], Feed], n_blocks: int, starts: Sequence[int]) -> NDArray[np.float64]:
    """Return wall and CPU ms of a frame, what is resident, and the ratio to a fresh stream, (4, B).

    No list grows meanwhile. A fresh stream is asked at the start of every stretch, and in between.
    """
    feed, found = fresh(), np.full((4, n_blocks), nan)
    for block in range(n_blocks):
        if block in starts or block % BESIDE_EVERY == 0:
            found[3, block] = _typical_ms(fresh().turn(BESIDE_CHUNKS))
        chunk, memory = feed.chunk(), resident_mb()
        cost = frame_cost([chunk])
        found[:3, block] = cost.wall_ms, cost.cpu_ms, nan if memory is None else memory
    for block in np.flatnonzero(~np.isnan(found[3])).tolist():
        beside = found[0, block + 1 : block + 1 + BESIDE_CHUNKS]  # its first one found cold caches
        found[3, block] = np.median(beside) / found[3, block] if len(beside) else nan
    return found


def _typical_ms(chunks: Sequence[ChunkCost]) -> float:
    """Return the median time of a frame: a blink in one of two chunks tells nothing of length."""
    return float(np.median([chunk.wall_ms / chunk.n_frames for chunk in chunks]))


def _row(opened: Opened, part: Stretch, before_mb: float | None) -> Result:
    spoken_ms = 1000 / opened.model.config.fps
    values = {
        "x_realtime": interval_of(part.wall_ms, lambda drawn: spoken_ms / drawn.mean(axis=-1)),
        "frame_ms": mean(part.wall_ms),
        "cpu_ms_per_frame": mean(part.cpu_ms),
    }
    missing = {}
    beside = part.of_fresh[~np.isnan(part.of_fresh)]
    if len(beside):
        values["of_fresh"] = median(beside)
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
    asked = [part for part in stretches if not np.isnan(part.of_fresh).all()]
    beside = [float(np.nanmedian(part.of_fresh)) for part in asked]
    values, missing = told(
        {
            "exponent": lambda: power_law(lengths, wall).value,
            "misfit_percent": lambda: power_law(lengths, wall).misfit_percent,
            "fresh_exponent": lambda: power_law([part.until_s for part in asked], beside).value,
            "cpu_exponent": lambda: power_law(lengths, cpu).value,
            "rss_mb_per_hour": lambda: line([s / 3600 for s in lengths], memory).value,
        }
    )
    return opened.result(SCENARIO, values, missing)
