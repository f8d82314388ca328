"""How others keep picture and voice together, as policies on a virtual clock; and what a skew is.

These are models of the policies, written from their published code and descriptions, not the
products. All get the same model, the same stalls, and speech that arrives in the same way. Each has
two variants: the voice plays by itself, or it goes through the same pipe as the picture.

* The **fps controller** of LiveKit's AVSynchronizer: frames wait in a queue of 2 for a timer that
  goes on by 1/fps, and starts anew where it is more than 300 ms behind; voice in a queue of 100 ms.
* The **counter** of LiveTalking's tracks: frame n of each track leaves at that track's own start
  plus n/fps, at once if that has passed; nothing is dropped. A queue of 5 frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.virtual import BLOCK_NS, FRAME_NS, MS, Stall, VirtualModel
from rap_edge.config import LIVE
from rap_edge.runtime.levels import low_latency
from rap_edge.runtime.script import right_context

Times = NDArray[np.int64]

FPS_QUEUE, FPS_VOICE_NS, FPS_TOLERANCE_NS = 2, 100 * MS, 300 * MS
COUNTER_QUEUE = 5
GOOD_MS = 40.0
LATE_MS = 45.0
CHUNK = LIVE.timeline.frames_per_latent
NEED_NS = CHUNK * FRAME_NS + right_context(LIVE) * 1_000_000_000 // LIVE.timeline.sample_rate


@dataclass(frozen=True, eq=False)
class Played:
    """When each frame's voice was heard, and which frame was shown when, in ns."""

    first: int  # frame of heard_ns[0]
    heard_ns: Times
    shown_ns: Times
    shown: Times  # frames
    voice_cut_ms: float = 0.0  # never heard


@dataclass(frozen=True)
class Skew:
    """How far the picture on show is behind the voice that is heard; below 0 it is ahead."""

    median_ms: float
    p95_ms: float
    end_ms: float  # median of the last second
    late_percent: float  # of the time that it is more than LATE_MS behind
    recovered_ms: float | None  # after the end of a stall, the slowest; None is never
    voice_late_ms: float  # by which the voice falls behind its own beginning
    voice_cut_ms: float


class _Pipe:
    """The model of a policy, asked for a chunk when the frames of the one before are taken."""

    def __init__(self, model: VirtualModel, arrived: Callable[[int], int]) -> None:
        self._model, self._arrived = model, arrived
        self._level = low_latency(LIVE.sampler)
        self._made = 0

    def ready(self, frame: int, free: int) -> int:
        """Return when a frame is made, if the pipe was ``free`` for its chunk at that time."""
        if frame % CHUNK == 0:
            heard = self._arrived(frame * FRAME_NS + NEED_NS)
            self._made = self._model.finish(max(free, heard, self._made), self._level)
        return self._made


def fps_controller(
    model: VirtualModel, arrived: Callable[[int], int], frames: int, voice_apart: bool
) -> Played:
    """Model LiveKit's policy; ``arrived`` tells when so many ns of speech were there."""
    pipe = _Pipe(model, arrived)
    shown, taken, heard = np.zeros((3, frames), np.int64)
    due = free = 0
    for n in range(frames):
        queued = max(pipe.ready(n, free), int(taken[n - FPS_QUEUE]) if n >= FPS_QUEUE else 0)
        taken[n] = max(queued, shown[n - 1] if n else 0)
        due = due if n else int(taken[n])
        if taken[n] - due > FPS_TOLERANCE_NS:
            due = int(taken[n])
        shown[n] = max(taken[n], due)
        due += FRAME_NS
        if voice_apart or n == 0:
            heard[n] = shown[0] + n * FRAME_NS
            free = queued
        else:
            played = int(heard[n - 1]) + FRAME_NS
            free = max(queued, played + FRAME_NS - FPS_VOICE_NS)
            heard[n] = max(free, played)
    return Played(0, heard, shown, np.arange(frames))


def counter(
    model: VirtualModel, arrived: Callable[[int], int], frames: int, voice_apart: bool
) -> Played:
    """Model LiveTalking's policy; ``arrived`` as in `fps_controller`."""
    pipe = _Pipe(model, arrived)
    shown = np.zeros(frames, np.int64)
    free = 0
    for n in range(frames):
        ready = max(pipe.ready(n, free), int(shown[n - COUNTER_QUEUE]) if n >= COUNTER_QUEUE else 0)
        shown[n] = max(ready, shown[0] + n * FRAME_NS, shown[n - 1] if n else 0)
        free = ready
    ticks = shown[0] + np.arange(frames) * FRAME_NS
    return Played(0, ticks if voice_apart else shown.copy(), shown, np.arange(frames))


def skew_of(played: Played, stalls: Sequence[Stall]) -> Skew:
    """Look every 10 ms, from the first frame of the speech to its last."""
    heard = played.heard_ns
    times = np.arange(heard[0], heard[-1] + FRAME_NS, BLOCK_NS)
    lags = lags_ms(played, times)
    recovered: list[float | None] = []
    for stall, end in zip(stalls, [*(s.at_ns for s in stalls[1:]), times[-1]], strict=True):
        bad = times[(np.abs(lags) > GOOD_MS) & (times >= stall.at_ns) & (times < end)]
        left = len(bad) and end - bad[-1] <= BLOCK_NS
        recovered.append(None if left else max(0, bad.max(initial=0) - stall.end_ns) / MS)
    known = [value for value in recovered if value is not None]
    ideal = heard[0] + np.arange(len(heard)) * FRAME_NS
    return Skew(
        median_ms=float(np.median(lags)),
        p95_ms=float(np.percentile(lags, 95)),
        end_ms=float(np.median(lags[-100:])),
        late_percent=100 * float(np.mean(lags > LATE_MS)),
        recovered_ms=max(known, default=0.0) if len(known) == len(recovered) else None,
        voice_late_ms=float((heard - ideal).max() / MS),
        voice_cut_ms=played.voice_cut_ms,
    )


def lags_ms(played: Played, times: Times) -> NDArray[np.float64]:
    """Return how far the picture is behind the voice at each time (N,), in ms."""
    frame_ms = FRAME_NS / MS
    n = np.searchsorted(played.heard_ns, times, "right") - 1
    into = np.minimum(frame_ms, (times - played.heard_ns[n]) / MS)
    voice = (played.first + n) * frame_ms + into
    last = np.searchsorted(played.shown_ns, times, "right") - 1
    picture = np.where(last < 0, played.first - 1, played.shown[last]) * frame_ms
    lags: NDArray[np.float64] = np.maximum(0, voice - picture - frame_ms) - np.maximum(
        0, picture - voice
    )
    return lags
