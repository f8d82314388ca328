"""One subject, chunk by chunk, without threads: what a chunk costs and where its time goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic_ns, perf_counter_ns, process_time_ns
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.pinned import Pinned
from rap_edge.runtime import Avatar
from rap_edge.runtime.animator import Animator
from rap_edge.runtime.levels import Level
from rap_edge.runtime.stats import NS_PER_MS
from rap_edge.runtime.stream import FrameStream

STAGES = {"audio": "audio_ms", "denoise": "denoiser_ms", "decode": "decoder_ms"}


@dataclass
class StageTimes:
    """When the stages of a chunk ran, by `time.monotonic_ns`: what the runtime tells who asks."""

    began_ns: int | None = None  # the first of them
    spent_ns: dict[str, int] = field(default_factory=dict)

    def add(self, stage: str, start_ns: int, end_ns: int) -> None:
        if self.began_ns is None:
            self.began_ns = start_ns
        self.spent_ns[stage] = self.spent_ns.get(stage, 0) + end_ns - start_ns


@dataclass(frozen=True)
class ChunkCost:
    """One push and the frames that came of it, in ms."""

    n_frames: int
    wall_ms: float
    cpu_ms: float
    stages_ms: dict[str, float]


class Stream(Protocol):
    """What takes speech and gives frames."""

    def push(self, pcm: NDArray[np.float32]) -> Sequence[object]: ...


class Feed:
    """A stream without a clock, fed with a recording over and over, a block at a time."""

    def __init__(self, stream: Stream, blocks: Iterator[NDArray[np.float32]], times: StageTimes):
        self._stream, self._blocks, self._times = stream, blocks, times

    @classmethod
    def of(cls, avatar: Avatar, pinned: Pinned, level: Level) -> Feed:
        """Start a stream of the pinned speech; each block is as long as a chunk of this level."""
        model, config = avatar.model, avatar.model.config
        times = StageTimes()
        animator = Animator(config, model.graphs, avatar.reference, 0, times)
        stream = FrameStream(config, animator, model.silence, pinned.sample_rate, level)
        n_frames = level.latents * config.timeline.frames_per_latent
        n_samples = pinned.sample_rate * n_frames // config.fps
        return cls(stream, over_and_over(pinned.speech, n_samples), times)

    def step(self) -> ChunkCost:
        """Push the speech of one chunk; the first pushes of a stream may complete no frame."""
        block = next(self._blocks)
        self._times.began_ns, self._times.spent_ns = None, {}
        cpu, pushed_ns, start = process_time_ns(), monotonic_ns(), perf_counter_ns()
        frames = self._stream.push(block)
        wall_ns, cpu_ns = perf_counter_ns() - start, process_time_ns() - cpu
        stages_ms = self._stages_ms(pushed_ns, wall_ns)
        return ChunkCost(len(frames), wall_ns / NS_PER_MS, cpu_ns / NS_PER_MS, stages_ms)

    def chunk(self) -> ChunkCost:
        """Push until frames come; return what the push that completed them cost."""
        while not (cost := self.step()).n_frames:
            pass
        return cost

    def turn(self, n: int) -> list[ChunkCost]:
        """Make a chunk that does not count, then ``n`` that do.

        The first of a turn finds the caches as another model left them.
        """
        self.chunk()
        return [self.chunk() for _ in range(n)]

    def _stages_ms(self, pushed_ns: int, wall_ns: int) -> dict[str, float]:
        """Tell where the time went; ``pushed_ns`` is by the clock that the stages are told in."""
        if self._times.began_ns is None:
            return {}
        spent_ns = {STAGES[name]: ns for name, ns in self._times.spent_ns.items()}
        features_ns = self._times.began_ns - pushed_ns
        other_ns = wall_ns - features_ns - sum(spent_ns.values())
        every = {"features_ms": features_ns, **spent_ns, "other_ms": other_ns}
        return {name: ns / NS_PER_MS for name, ns in every.items()}


def over_and_over(pcm: NDArray[np.float32], n: int) -> Iterator[NDArray[np.float32]]:
    """Yield blocks of ``n`` samples of a recording (S,), for ever."""
    whole = len(pcm) // n * n
    blocks = pcm[:whole].reshape(-1, n) if whole else np.resize(pcm, (1, n))
    while True:
        yield from blocks
