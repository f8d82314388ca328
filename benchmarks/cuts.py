"""Picture against voice in a play-out in which every utterance is cut short."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.virtual import MS, VirtualModel, VirtualStream
from rap_edge.runtime import Frame
from rap_edge.runtime.options import Playout, StreamOptions

RATE = 48_000
NS_PER_H = 3_600_000 * MS
STEP = 2.0**-19
VOICE: NDArray[np.float32] = (np.arange(1, 8 * RATE) * STEP).astype(np.float32)  # tells its place


@dataclass(frozen=True)
class Cuts:
    """Skew is the picture behind the voice, over every frame of speech that was shown and heard."""

    latency_ms: int  # of the device
    hours: float
    cuts: int
    frames: int
    median_skew_ms: float
    p95_skew_ms: float  # of the magnitude
    end_skew_ms: float  # median of the last utterance

    def __str__(self) -> str:
        return (
            f"{self.hours:g} h of play-out with {self.cuts} barge-ins and {self.latency_ms} ms of "
            f"device latency: {self.frames} frames of speech, skew median "
            f"{self.median_skew_ms:.1f} ms, p95 {self.p95_skew_ms:.1f} ms, at the end "
            f"{self.end_skew_ms:.1f} ms"
        )


@dataclass
class _Turn:
    """What is seen and heard of one utterance, by the place in the voice."""

    shown: list[tuple[int, int]] = field(default_factory=list)  # sample, ns
    heard: list[tuple[int, int]] = field(default_factory=list)  # first sample of a block, ns

    def on_frame(self, frame: Frame, now: int) -> None:
        if frame.utterance and not frame.late:
            self.shown.append((round(float(frame.audio[0]) / STEP), now))

    def on_block(self, block: NDArray[np.float32], heard_ns: int, taken: int) -> None:
        if np.all(np.diff(block) == STEP):  # neither silence nor a fade
            self.heard.append((round(float(block[0]) / STEP), heard_ns))

    def skews_ms(self) -> list[float]:
        if not self.shown or not self.heard:
            return []
        samples, shown_ns = np.array(self.shown).T
        starts, heard_ns = np.array(self.heard).T
        block = np.searchsorted(starts, samples, "right") - 1
        into = (samples - starts[block]) * 1_000_000_000 // RATE
        was_heard = (block >= 0) & (into < 10 * MS)
        skews: list[float] = ((shown_ns - heard_ns[block] - into) / MS)[was_heard].tolist()
        return skews


def cut_short(latency_ms: int, hours: float, seed: int = 0) -> Cuts:
    """Cut every utterance short, by an interrupt or the next one, and look at every frame."""
    turn, rng = _Turn(), np.random.default_rng(seed)
    stream = VirtualStream(
        StreamOptions(playout=Playout(RATE)),
        VirtualModel(seed),
        seed=seed,
        on_frame=lambda frame, now: turn.on_frame(frame, now),
        on_block=lambda *heard: turn.on_block(*heard),
        latency_ns=latency_ms * MS,
    )
    end = stream.now + int(hours * NS_PER_H)
    cuts, skews = 0, [list[float]()]
    while stream.now < end:
        utterance = stream.session.begin(stream.now)
        turn = _Turn()
        stream.session.push(VOICE, RATE, utterance, stream.now)
        stream.run(stream.now + int(rng.uniform(1000, 4000)) * MS)
        if rng.random() < 0.5:
            stream.session.interrupt(stream.now)
            stream.run(stream.now + int(rng.uniform(200, 800)) * MS)
        skews.append(turn.skews_ms())
        cuts += 1
    every = np.concatenate(skews)
    return Cuts(
        latency_ms,
        hours,
        cuts,
        len(every),
        float(np.median(every)),
        float(np.percentile(np.abs(every), 95)),
        float(np.median(skews[-1])),
    )
