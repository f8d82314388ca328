"""Hours of play-out on a virtual clock, and what is left after somebody is cut short."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.conversation import BLOCK, RATE, babble
from rap_edge.benchmarks.virtual import FRAME_NS, MS, VirtualModel, VirtualStream
from rap_edge.runtime import Frame
from rap_edge.runtime.options import Playout, StreamOptions

NS_PER_H = 3_600_000 * MS
DEVICE_RATE = 48_000
FRAME_SIZE = DEVICE_RATE * FRAME_NS // 1_000_000_000
BLOCK_NS = BLOCK * 1_000_000_000 // RATE
SETTLE_NS = 60_000 * MS  # until the slope is fitted
# What may be queued, from the code of each: picture in frames, voice in ms.
CAPACITIES = {"fps controller": (3, 100), "counter": (16 + 32 + 32, 3200)}


@dataclass(frozen=True)
class Drift:
    """Play-out through a device whose clock is off; skew is the picture behind the voice."""

    ppm: float
    hours: float
    frames: int
    held: int
    median_skew_ms: float
    max_skew_ms: float  # of the magnitude
    slope_ms_per_h: float
    slope_error_ms_per_h: float  # standard error
    measured_ppm: float
    underflows: int
    uncorrected_ms: float  # skew at the end of a counter on the host's clock

    def __str__(self) -> str:
        return (
            f"{self.hours:g} h of play-out at {self.ppm:+g} ppm: {self.frames} frames, {self.held} "
            f"held, {self.underflows} underflows; skew median {self.median_skew_ms:.1f} ms, largest"
            f" {self.max_skew_ms:.1f} ms, slope {self.slope_ms_per_h:.3f} +- "
            f"{self.slope_error_ms_per_h:.3f} ms/h (a counter: {self.uncorrected_ms:.0f} ms off at "
            f"the end); drift measured as {self.measured_ppm:.1f} ppm"
        )


@dataclass(frozen=True)
class Gone:
    """What still came after an utterance was cut short; the worst of all times."""

    policy: str
    barge_ins: int  # 0: by the capacity of its queues
    frames: int
    voice_ms: float

    def __str__(self) -> str:
        how = f"{self.barge_ins} barge-ins" if self.barge_ins else "by capacity"
        return (
            f"after a barge-in, {self.policy} ({how}): {self.frames} old frames, "
            f"{self.voice_ms:.0f} ms of old voice"
        )


def drift(ppm: float, hours: float, seed: int = 0) -> Drift:
    """Converse through a device whose clock is fast by ``ppm``, and look at every frame."""
    heard, shown = _Heard(), []

    def on_frame(frame: Frame, now: int) -> None:
        shown.append((now, frame.index))

    options = StreamOptions(playout=Playout(DEVICE_RATE))
    stream = VirtualStream(
        options, VirtualModel(seed), ppm, seed, on_frame=on_frame, on_block=heard.add
    )
    end = stream.now + int(hours * NS_PER_H)
    voice = babble(60.0, seed)
    turns = np.random.default_rng(seed)
    while stream.now < end:
        stream.run(stream.now + int(turns.uniform(500, 2000)) * MS)
        utterance = stream.session.begin(stream.now)
        for block in pieces(voice, turns.uniform(2, 8), turns):
            stream.session.push(block, RATE, utterance, stream.now)
            stream.run(stream.now + BLOCK_NS)
        stream.session.flush(utterance, stream.now)
    times, frames = np.array(shown, np.int64).T
    known = frames < len(heard.frames_ns)
    times, skews = times[known], (times[known] - np.array(heard.frames_ns)[frames[known]]) / MS
    settled = times > times[0] + SETTLE_NS
    slope, error = _slope(times[settled] / NS_PER_H, skews[settled])
    stats = stream.session.scheduler.stats()
    assert stream.playout is not None
    return Drift(
        ppm=ppm,
        hours=hours,
        frames=len(frames),
        held=stats.held,
        median_skew_ms=float(np.median(skews)),
        max_skew_ms=float(np.abs(skews).max()),
        slope_ms_per_h=slope,
        slope_error_ms_per_h=error,
        measured_ppm=stream.playout.drift_ppm,
        underflows=heard.underflows,
        uncorrected_ms=ppm * 1e-6 * hours * NS_PER_H / MS,
    )


def barge_ins(n: int, seed: int = 0) -> list[Gone]:
    """Cut ``n`` utterances short in each of our modes; the others by what their queues hold."""
    gone = [
        _barge_ins("rap-edge, play-out", n, Playout(DEVICE_RATE), seed),
        _barge_ins("rap-edge, voice in the frames", n, None, seed),
    ]
    return gone + [Gone(name, 0, *held) for name, held in CAPACITIES.items()]


def _barge_ins(name: str, n: int, playout: Playout | None, seed: int) -> Gone:
    old: list[int] = []  # utterance of every frame since the cut
    after: list[NDArray[np.float32]] = []  # blocks since the cut

    def on_block(block: NDArray[np.float32], heard_ns: int, taken: int) -> None:
        after.append(block.copy())

    stream = VirtualStream(
        StreamOptions(playout=playout, sample_rate=None if playout else RATE),
        VirtualModel(seed),
        on_frame=lambda frame, now: old.append(frame.utterance),
        on_block=on_block,
    )
    rng = np.random.default_rng(seed)
    voice = babble(60.0, seed)
    frames, samples = 0, 0
    for _ in range(n):
        stream.run(stream.now + int(rng.uniform(200, 800) * MS))
        utterance = stream.session.begin(stream.now)
        for block in pieces(voice, 4.0, rng):
            stream.session.push(block, RATE, utterance, stream.now)
        stream.run(stream.now + int(rng.uniform(0, 3000) * MS))
        stream.session.interrupt(stream.now)
        old.clear()
        after.clear()
        stream.run(stream.now + 1000 * MS)
        frames = max(frames, old.count(utterance))
        late = np.flatnonzero(np.concatenate([np.zeros(1), *after]))
        samples = max(samples, int(late[-1]) if len(late) else 0)
    return Gone(name, n, frames, 1000 * samples / DEVICE_RATE)


class _Heard:
    """When the first sample of each frame of the script was heard."""

    def __init__(self) -> None:
        self.frames_ns: list[int] = []
        self.underflows = 0
        self._position = 0

    def add(self, block: NDArray[np.float32], heard_ns: int, taken: int) -> None:
        if self._position and taken < len(block):
            self.underflows += 1
        while len(self.frames_ns) * FRAME_SIZE < self._position + taken:
            into = len(self.frames_ns) * FRAME_SIZE - self._position
            self.frames_ns.append(heard_ns + into * 1_000_000_000 // DEVICE_RATE)
        self._position += taken


def pieces(
    voice: NDArray[np.float32], seconds: float, rng: np.random.Generator
) -> Iterator[NDArray[np.float32]]:
    """Cut blocks of 20 ms out of a voice, from somewhere on."""
    n = int(seconds * RATE)
    start = int(rng.integers(0, len(voice) - n))
    for first in range(start, start + n, BLOCK):
        yield voice[first : min(first + BLOCK, start + n)]


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Fit a line and return its slope with the standard error."""
    x = x - x.mean()
    slope = float(x @ y / (x @ x))
    residuals = y - y.mean() - slope * x
    return slope, float(np.sqrt(residuals @ residuals / (len(x) - 2) / (x @ x)))
