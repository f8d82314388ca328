"""A face that a model can animate: everything that was computed once from its portrait."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from rap_edge.errors import AudioError
from rap_edge.portrait import Crop
from rap_edge.runtime.aio import AsyncStream
from rap_edge.runtime.animator import Animator
from rap_edge.runtime.backends import Array
from rap_edge.runtime.frames import Frame, RenderStats
from rap_edge.runtime.levels import Level, throughput
from rap_edge.runtime.live import Stream
from rap_edge.runtime.opening import open_stream
from rap_edge.runtime.options import StreamOptions
from rap_edge.runtime.pcm import PCM, Audio, open_pcm
from rap_edge.runtime.stream import FrameStream
from rap_edge.runtime.trace import Trace

if TYPE_CHECKING:
    from rap_edge.runtime.model import Model


@dataclass
class Clock:
    """Seconds spent on the way from PCM to RGB, and the audio that they covered."""

    seconds: float = 0.0
    audio_seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class Avatar:
    """One face, immutable: share it between threads; every render has its own state."""

    model: Model = field(repr=False)
    image: NDArray[np.uint8] = field(repr=False)  # (H, W, 3) RGB, the square that is animated
    crop: Crop  # where the square lies in the photo
    reference: Mapping[str, Array] = field(repr=False)  # outputs of the portrait graph, lids too

    def frame_stream(
        self, sample_rate: int, seed: int = 0, level: Level | None = None
    ) -> FrameStream:
        """Start a stream without a clock, of mono PCM at ``sample_rate``.

        The same seed gives the same motion. ``level`` None is that of `render`.
        """
        model, config = self.model, self.model.config
        animator = Animator(config, model.graphs, self.reference, seed)
        level = throughput(config.sampler) if level is None else level
        return FrameStream(config, animator, model.silence, sample_rate, level)

    def open_stream(self, *, trace: Trace | None = None, **options: Any) -> Stream:
        """Open a live stream: push speech at any pace, pull frames on time.

        Args:
            trace: where every stage, late frame and interrupt is written to; the caller closes it.
            options: those of `StreamOptions`.

        Raises Overloaded if the machine cannot serve one more, ConfigError for an option.
        """
        return open_stream(self, StreamOptions(**options), trace)

    def stream(self, *, trace: Trace | None = None, **options: Any) -> AsyncStream:
        """Open a live stream in an asyncio program: ``async with avatar.stream() as stream``."""
        checked = StreamOptions(**options)
        return AsyncStream(lambda: open_stream(self, checked, trace))

    @overload
    def render(
        self,
        audio: Audio,
        out: None = None,
        *,
        seed: int = 0,
        sample_rate: int | None = None,
        level: Level | None = None,
    ) -> Iterator[Frame]: ...

    @overload
    def render(
        self,
        audio: Audio,
        out: str | os.PathLike[str],
        *,
        seed: int = 0,
        sample_rate: int | None = None,
        level: Level | None = None,
        on_frame: Callable[[Frame], object] | None = None,
    ) -> RenderStats: ...

    def render(
        self,
        audio: Audio,
        out: str | os.PathLike[str] | None = None,
        *,
        seed: int = 0,
        sample_rate: int | None = None,
        level: Level | None = None,
        on_frame: Callable[[Frame], object] | None = None,
    ) -> Iterator[Frame] | RenderStats:
        """Speak a recording: yield its frames, or write them to a video file.

        Args:
            audio: a file that PyAV reads; float32 (S,) in -1..1, int16 (S,) or bytes of 16-bit PCM,
                mono; or an iterable of such chunks. ceil(seconds * fps) frames come out.
            out: video file to write, whole or not at all; None yields frames as they are ready.
            seed: of the noise: another seed moves the head otherwise.
            sample_rate: of samples in Hz; a file brings its own.
            level: steps and latents a chunk; None is the bundle's, `rap_edge.runtime.low_latency`
                that of a live stream.
            on_frame: called after each frame that was written, to show progress.

        Raises AudioError for audio that cannot be used or is empty, MediaError for a file that
        cannot be read or written.
        """
        clock = Clock()
        pcm = open_pcm(audio, sample_rate)
        if out is None:
            return self._frames(pcm, seed, level, clock)
        from rap_edge.media import VideoWriter

        height, width = self.image.shape[:2]
        fps, count = self.model.config.fps, 0
        with closing(pcm), VideoWriter(out, width, height, fps, pcm.sample_rate) as writer:
            for frame in self._frames(pcm, seed, level, clock):
                writer.write(frame.image, frame.audio)
                count += 1
                if on_frame is not None:
                    on_frame(frame)
        return self._stats(count, clock)

    def _frames(self, pcm: PCM, seed: int, level: Level | None, clock: Clock) -> Iterator[Frame]:
        with closing(pcm):
            stream = self.frame_stream(pcm.sample_rate, seed, level)
            for piece in pcm.pieces:
                yield from _timed(partial(stream.push, piece), clock)
        if not stream.pushed_seconds:
            raise AudioError("audio is empty: expected at least one sample; give it some speech")
        yield from _timed(stream.flush, clock)
        clock.audio_seconds = stream.pushed_seconds

    def _stats(self, frames: int, clock: Clock) -> RenderStats:
        height, width = self.image.shape[:2]
        return RenderStats(
            frames=frames,
            fps=self.model.config.fps,
            width=width,
            height=height,
            audio_seconds=clock.audio_seconds,
            render_seconds=clock.seconds,
            x_realtime=clock.audio_seconds / clock.seconds,
            backend=self.model.backend,
            bundle=self.model.bundle.name,
        )


def _timed(work: Callable[[], list[Frame]], clock: Clock) -> list[Frame]:
    start = perf_counter()
    frames = work()
    clock.seconds += perf_counter() - start
    return frames
