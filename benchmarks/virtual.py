"""A live stream on a virtual clock: the real session, a made-up model, a device that drifts.

Nothing here waits. The session gets the time from the caller, as its threads would give it; the
model takes as long as it says, but for stalls in which nothing is computed; the device takes its
blocks by a clock of its own, late by as much as a callback is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rap_edge.config import TINY, ModelConfig
from rap_edge.features import silent_hop
from rap_edge.runtime import Frame
from rap_edge.runtime.animator import Animator, Past
from rap_edge.runtime.gallery import Chunk
from rap_edge.runtime.levels import Level, ladder
from rap_edge.runtime.measures import Measures
from rap_edge.runtime.options import StreamOptions
from rap_edge.runtime.picture import Screen
from rap_edge.runtime.playout import PlayoutDevice
from rap_edge.runtime.session import Session
from rap_edge.runtime.stages import Motion

MS = 1_000_000
FRAME_NS = 40 * MS
BLOCK_NS = 10 * MS
CALLBACK_JITTER_NS = 9_900_000
DEVICE_LATENCY_NS = 30 * MS
LEAD_NS = 80 * MS
FAR_NS = 1 << 60
PAINTED_BIN = 8
SIDE = 2


@dataclass(frozen=True)
class Stall:
    """A time in which nothing is computed."""

    at_ns: int
    for_ns: int

    @property
    def end_ns(self) -> int:
        return self.at_ns + self.for_ns


class VirtualModel:
    """What a chunk takes: 0.3 of the time that it plays at the best level, give or take."""

    AUDIO_MS, STEP_MS, LATENT_MS = 4, 16, 12
    SPREAD = 0.15  # of the logarithm

    def __init__(
        self,
        seed: int = 0,
        stalls: Sequence[Stall] = (),
        slowness: Callable[[int], float] = lambda now: 1.0,
    ) -> None:
        """``stalls`` in their order; ``slowness`` is a factor that depends on the time."""
        self._rng = np.random.default_rng(seed)
        self._stalls, self._slowness = deque(stalls), slowness

    def finish(self, now: int, level: Level) -> int:
        """Return when a chunk that begins now is made; time never goes back."""
        work = self.AUDIO_MS + level.steps * self.STEP_MS + level.latents * self.LATENT_MS
        spread = float(np.exp(self._rng.normal(0, self.SPREAD)))
        end = now + int(work * MS * spread * self._slowness(now))
        while self._stalls and self._stalls[0].end_ns <= now:
            self._stalls.popleft()
        for stall in self._stalls:
            if end <= stall.at_ns:
                break
            end += stall.end_ns - max(now, stall.at_ns)
        return end


class Painter(Animator):
    """Paints what it hears: red is a mel bin at the frame, green counts chunks, blue the level."""

    def __init__(self, config: ModelConfig = TINY) -> None:
        self._config = config
        sampler, timeline = config.sampler, config.timeline
        tokens = sampler.window * config.tokens_per_latent
        self.hops_shape = (config.audio.window_hops(tokens), config.audio.n_mels)
        self.latent_shape = (timeline.frames_per_latent, SIDE, SIDE, 3)

    def begin(self, silence: NDArray[np.float32]) -> Past:
        return Past(Motion(0, None, self._config.sampler.steps), {})

    def make(
        self,
        hops: NDArray[np.float32],
        past: Past,
        level: Level,
        out: NDArray[np.uint8],
        *_: object,
    ) -> Past | None:
        hop = -self.first_hop(0, level)
        for picture in out:
            picture[...] = red(hops[hop]), (past.motion.latent + 1) % 256, level.steps
            hop += self._config.timeline.hops_per_frame
        return Past(Motion(past.motion.latent + 1, None, level.steps), {})


def red(hop: NDArray[np.float32]) -> int:
    """Return what a hop (M,) is painted as."""
    return int(np.clip(128 + 5 * hop[PAINTED_BIN], 0, 255))


class VirtualDevice:
    """A sound device that takes 10 ms blocks by its own clock, each up to 10 ms late."""

    def __init__(
        self, playout: PlayoutDevice, ppm: float, seed: int, start_ns: int, latency_ns: int
    ) -> None:
        self._playout, self._start_ns, self._latency_ns = playout, start_ns, latency_ns
        self._rng = np.random.default_rng(seed)
        self._period = BLOCK_NS / (1 + ppm * 1e-6)
        self._calls = 0
        self.block = np.zeros(playout.sample_rate * BLOCK_NS // 1_000_000_000, np.float32)
        self._plan()

    def _plan(self) -> None:
        self._ideal = self._start_ns + self._calls * self._period
        self.next_ns = int(self._ideal + self._rng.uniform(0, CALLBACK_JITTER_NS))

    def call(self) -> tuple[int, int]:
        """Take a block; return when its first sample is heard, and how many samples there were."""
        taken = self._playout.read_into(self.block, self.next_ns, self._latency_ns)
        heard_ns = int(self._ideal) + self._latency_ns
        self._calls += 1
        self._plan()
        return heard_ns, taken


class VirtualStream:
    """One session and all around it; the caller speaks, and lets the time pass with `run`."""

    def __init__(
        self,
        options: StreamOptions,
        model: VirtualModel,
        ppm: float = 0.0,
        seed: int = 0,
        on_frame: Callable[[Frame, int], object] = lambda frame, now: None,
        on_block: Callable[[NDArray[np.float32], int, int], object] = lambda block, ns, n: None,
        after_step: Callable[[], object] = lambda: None,
        latency_ns: int = DEVICE_LATENCY_NS,
    ) -> None:
        """``on_frame`` gets frames and the time, ``on_block`` what `VirtualDevice.call` gives."""
        self.now = 1_000 * MS
        self._model, self._painter = model, Painter()
        self._levels = ladder(TINY.sampler)
        self._on_frame, self._on_block, self._after_step = on_frame, on_block, after_step
        rate = options.playout and options.playout.sample_rate
        self.playout = PlayoutDevice(rate, lambda: self.now) if rate else None
        self.device = (
            VirtualDevice(self.playout, ppm, seed, self.now, latency_ns) if self.playout else None
        )
        self.is_watched = True  # somebody takes the frames
        silence = silent_hop()
        self.session = Session(
            TINY,
            self._painter,
            silence,
            self._levels,
            options,
            Screen(np.zeros((SIDE, SIDE, 3), np.uint8), options.format),
            self._painter.begin(silence),
            None,
            self.playout,
            Measures(self.now, 0.0, None, {}),
        )
        for index, level in enumerate(self._levels):
            if not level.holds:
                took = model.finish(self.now, level) - self.now
                self.session.scheduler.seed_service(index, took)
        self._making: tuple[int, Chunk, Past | None] | None = None
        self._started = False

    def run(self, until: int) -> None:
        """Let the time pass, and everything happen that is due before ``until``."""
        while True:
            wake = self._step()
            making = self._making[0] if self._making else FAR_NS
            reading = self.device.next_ns if self.device else FAR_NS
            due = min(wake, making, reading)
            if due >= until:
                self.now = until
                return
            self.now = max(self.now, due)
            if due == reading and self.device:
                heard_ns, taken = self.device.call()
                self._on_block(self.device.block, heard_ns, taken)
            if due == making and self._making:
                _, chunk, past = self._making
                self._making = None
                self.session.finish(chunk, past, self.now)

    def _step(self) -> int:
        """Do what there is to do; return when there is more."""
        if not self._started:
            if self.playout is not None and not self.playout.is_running:
                return FAR_NS
            self._started = True
            self.session.start(self.now, 0 if self.device else LEAD_NS)
        wake = self._show() if self.is_watched else FAR_NS
        if self._making is None:
            todo = self.session.next_chunk(self.now)
            if isinstance(todo, Chunk):
                past = self._painter.make(todo.hops, todo.past, todo.level, todo.out)
                self._making = (self._model.finish(self.now, todo.level), todo, past)
            else:
                wake = min(wake, todo)
        self._after_step()
        return wake

    def _show(self) -> int:
        while isinstance(shown := self.session.next_frame(self.now), Frame):
            self._on_frame(shown, self.now)
            self._after_step()
        return shown
