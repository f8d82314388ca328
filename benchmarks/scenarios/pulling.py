"""Somebody who watches a stream in real time: one conversation, every frame booked once."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.scenarios.speaking import Speaker, Spoken, Turn
from rap_edge.errors import QualityError
from rap_edge.runtime import Frame, Stream
from rap_edge.runtime.stats import StreamStats

NS_PER_S, NS_PER_MS = 1e9, 1e6


@dataclass(frozen=True, eq=False)
class Segment:
    """A conversation as it was seen and heard; frames are (F,)."""

    at_s: NDArray[np.float64] = field(repr=False)  # of each pull, since the first
    late: NDArray[np.bool_] = field(repr=False)
    new: NDArray[np.bool_] = field(repr=False)  # the picture was not held
    freeze_ms: float  # the longest time without a new picture
    cpu_s: float  # of the whole process, from the first pull to the last
    turns: tuple[Spoken, ...] = field(repr=False)
    stats: StreamStats = field(repr=False)

    @property
    def n_frames(self) -> int:
        return len(self.at_s)

    @property
    def seconds(self) -> float:
        """From the first pull to the last: F - 1 intervals."""
        return float(self.at_s[-1])

    @property
    def n_new(self) -> int:
        return int(np.count_nonzero(self.new))

    @property
    def fps_shown(self) -> float:
        """New pictures a second; the first frame comes before the first interval."""
        return np.count_nonzero(self.new[1:]) / self.seconds

    @property
    def interval_ms(self) -> NDArray[np.float64]:
        """Between each frame and the one before, (F - 1,): nothing comes before the first."""
        return 1000 * np.diff(self.at_s)

    def first_frames_ms(self) -> list[float]:
        return [turn.first_frame_ms for turn in self.turns if turn.first_frame_ms is not None]

    def first_frames_from_enough_ms(self) -> list[float]:
        found = [turn.first_frame_from_enough_ms for turn in self.turns]
        return [one for one in found if one is not None]


def converse(
    stream: Stream, rate: int, turns: Iterable[Turn], picture: NDArray[np.uint8], label: str
) -> Segment:
    """Let somebody take ``turns`` while every frame is pulled as it is due.

    ``picture`` (H, W, 3) is written to. Raises QualityError if the voice of a frame is not what was
    pushed, and whatever ends the stream.
    """
    speaker = Speaker(stream, rate, turns)
    watcher = Watcher(stream, speaker.spoken)
    watcher.pull(picture)  # from now on frames are due
    cpu_s = time.process_time()
    speaker.start()
    try:
        while speaker.is_alive():
            watcher.pull(picture)
        cpu_s = time.process_time() - cpu_s
    finally:
        speaker.end()
    segment = watcher.segment(cpu_s)
    check_voice(segment, label)
    return segment


def check_voice(segment: Segment, label: str) -> None:
    """Raise QualityError unless every turn was heard as it was pushed.

    Silence in the middle of a turn is right only where the stream has told of an underrun.
    """
    intact = sum(turn.is_intact for turn in segment.turns)
    gaps = sum(turn.gaps for turn in segment.turns)
    if intact < len(segment.turns) or gaps > segment.stats.underruns:
        raise QualityError(
            f"{label}: {intact} of {len(segment.turns)} turns were heard as they were pushed, with "
            f"{gaps} gaps at {segment.stats.underruns} underruns: expected all of them; this is a "
            "fault of rap-edge, please tell its makers"
        )


class Watcher:
    """Pulls frames and books each; a frame costs microseconds, and memory of 10 bytes."""

    def __init__(self, stream: Stream, spoken: dict[int, Spoken]) -> None:
        self._stream, self._spoken = stream, spoken
        self._at_ns, self._late, self._new = array("q"), array("b"), array("b")
        self._held = 0
        self._new_ns = self._freeze_ns = 0

    def pull(self, picture: NDArray[np.uint8]) -> None:
        asked_ns = time.perf_counter_ns()
        frame = self._stream.pull(picture)
        assert frame is not None  # without a timeout there is always one
        self.book(frame, asked_ns, time.perf_counter_ns())

    def book(self, frame: Frame, asked_ns: int, pulled_ns: int) -> None:
        """Take up a frame that somebody asked for and got at these times."""
        self._at_ns.append(pulled_ns)
        self._late.append(frame.late)
        self._freeze_ns = max(self._freeze_ns, pulled_ns - (self._new_ns or pulled_ns))
        is_new = not frame.late or not self._is_held()
        self._new.append(is_new)
        if is_new:
            self._new_ns = pulled_ns
        turn = self._spoken.get(frame.utterance)
        if turn is None:
            return
        turn.hear(frame.audio)
        turn.last_ns = pulled_ns
        if turn.returned_ns is not None and asked_ns > turn.returned_ns:
            turn.old_frames += 1
        if turn.first_frame_ms is None and not frame.late:
            stats = self._stream.stats()
            turn.first_frame_ms = stats.first_frame_ms
            turn.first_frame_from_enough_ms = stats.first_frame_from_enough_audio_ms
        if frame.end_of_speech:
            turn.ended.set()

    def segment(self, cpu_s: float) -> Segment:
        """Return what was booked; the process computed for ``cpu_s`` meanwhile."""
        at_ns = np.array(self._at_ns)
        return Segment(
            at_s=(at_ns - at_ns[0]) / NS_PER_S,
            late=np.array(self._late, bool),
            new=np.array(self._new, bool),
            freeze_ms=self._freeze_ns / NS_PER_MS,
            cpu_s=cpu_s,
            turns=tuple(self._spoken.values()),
            stats=self._stream.stats(),
        )

    def _is_held(self) -> bool:
        """Say whether the late frame that was just pulled shows the picture before it."""
        held = sum(n for why, n in self._stream.stats().held_by_reason.items() if why != "idle")
        grown, self._held = held > self._held, held
        return grown
