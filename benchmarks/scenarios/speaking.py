"""Somebody who speaks to a stream in real time: what is said when, and what was heard of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.pinned import Pinned
from rap_edge.errors import BackendFailed, ConfigError
from rap_edge.runtime import Stream

PUSHES_A_SECOND = 50  # 20 ms each, as from a network
PATIENCE_S = 60.0
LOOK_EVERY_S = 0.1
AFTERMATH_S = 0.2  # after an interrupt, in which frames are watched
QUIETEST = np.float32(1e-6)


class Words:
    """The pinned speech as something to cut turns out of, again and again.

    What is exactly zero becomes 1e-6, which nobody hears: silence that a stream adds is told from
    what was said.
    """

    def __init__(self, pinned: Pinned, longest_s: float) -> None:
        """Turns have up to ``longest_s`` seconds."""
        self.rate = pinned.sample_rate
        self._n = len(pinned.speech)
        once_more = np.resize(pinned.speech, self._n + int(longest_s * self.rate) + 1)
        self._pcm = np.where(once_more == 0, QUIETEST, once_more).astype(np.float32)

    def cut(self, start_s: float, seconds: float) -> NDArray[np.float32]:
        """Return ``seconds`` of it (S,), a view; the start goes round where the speech ends."""
        start = int(start_s * self.rate) % self._n
        return self._pcm[start : start + int(seconds * self.rate)]


def check_span(name: str, span: tuple[float, ...]) -> None:
    """Raise ConfigError unless a setting is the shortest and the longest of some times."""
    if len(span) != 2 or not 0 < span[0] <= span[1]:
        raise ConfigError(f"{name} is {span}: expected the shortest and the longest, in s")


@dataclass(frozen=True, eq=False)
class Turn:
    """What somebody means to say; times are from the begin of the turn."""

    pcm: NDArray[np.float32] = field(repr=False)
    pause_s: float  # before it, once the turn before was heard to its end
    cut_s: float | None = None  # when it is interrupted
    at_once: bool = False  # pushed in one piece, as a synthesizer does that is ahead of its time


@dataclass(eq=False)
class Spoken:
    """A turn as it was pushed, and what came of it."""

    pcm: NDArray[np.float32] = field(repr=False)
    heard: int = 0  # samples
    gaps: int = 0  # where silence was heard instead: a push came too late
    is_right: bool = True  # nothing of it was lost, repeated or changed
    cut_ns: int | None = None  # when interrupt() was called
    returned_ns: int | None = None
    last_ns: int = 0  # when its last frame was pulled
    old_frames: int = 0  # pulls that began after interrupt() had returned, and brought one of it
    first_frame_ms: float | None = None
    first_frame_from_enough_ms: float | None = None
    ended: threading.Event = field(default_factory=threading.Event, repr=False)

    def hear(self, audio: NDArray[np.float32]) -> None:
        """Compare the audio of the next frame with what was pushed."""
        wanted = self.pcm[self.heard : self.heard + len(audio)]
        if len(wanted) == len(audio) and np.array_equal(audio, wanted):
            self.heard += len(audio)
            return
        same = int(np.argmin(np.append(audio[: len(wanted)] == wanted, False)))
        self.is_right &= not audio[same:].any()
        self.heard += same
        self.gaps += self.heard < len(self.pcm)

    @property
    def is_intact(self) -> bool:
        """All of it was heard as it was pushed; up to the interrupt, if there was one."""
        return self.is_right and (self.cut_ns is not None or self.heard == len(self.pcm))

    @property
    def interrupt_ms(self) -> float | None:
        """From the call of `interrupt` to its return."""
        if self.cut_ns is None or self.returned_ns is None:
            return None
        return (self.returned_ns - self.cut_ns) / 1e6

    @property
    def old_until_ms(self) -> float | None:
        """From the call of `interrupt` to its last frame; 0 if none came after it."""
        return None if self.cut_ns is None else max(0, self.last_ns - self.cut_ns) / 1e6


class Speaker(threading.Thread):
    """Takes turns on a stream, each in real time on a schedule that is made when it begins.

    A push is due when its last sample was spoken, as a microphone has it, whether or not the push
    before was late, and whatever the picture does. Only between turns it listens: the next one
    begins when the last was heard.
    """

    def __init__(self, stream: Stream, rate: int, turns: Iterable[Turn]) -> None:
        super().__init__(name="bench speaker", daemon=True)
        self._stream, self._rate, self._turns = stream, rate, turns
        self._is_over = threading.Event()
        self._error: Exception | None = None
        self.spoken: dict[int, Spoken] = {}  # by utterance

    def run(self) -> None:
        try:
            for turn in self._turns:
                if self._is_over.wait(turn.pause_s) or not self._speak(turn):
                    return
        except Exception as error:  # for who called `end`
            self._error = error

    def end(self) -> None:
        """Stop speaking; raises what ended it early."""
        self._is_over.set()
        self.join()
        if self._error is not None:
            raise self._error

    def _speak(self, turn: Turn) -> bool:
        """Take a turn; False if it is all over."""
        utterance = self._stream.begin()
        spoken = self.spoken[utterance] = Spoken(turn.pcm)
        start_s = time.perf_counter()
        if not self._push(turn, utterance, start_s):
            return False
        if turn.cut_s is None:
            self._stream.flush(utterance)
            return self._is_heard(spoken)
        if not self._reach(start_s + turn.cut_s):
            return False
        spoken.cut_ns = time.perf_counter_ns()
        self._stream.interrupt()
        spoken.returned_ns = time.perf_counter_ns()
        return not self._is_over.wait(AFTERMATH_S)

    def _push(self, turn: Turn, utterance: int, start_s: float) -> bool:
        """Push a turn, up to where it is cut; False if it is all over."""
        if turn.at_once:
            self._stream.push_audio(turn.pcm, self._rate, utterance)
            return True
        size = self._rate // PUSHES_A_SECOND
        for start in range(0, len(turn.pcm), size):
            block = turn.pcm[start : start + size]
            due_s = (start + len(block)) / self._rate
            if turn.cut_s is not None and due_s > turn.cut_s:
                return True
            if not self._reach(start_s + due_s):
                return False
            self._stream.push_audio(block, self._rate, utterance)
        return True

    def _reach(self, due_s: float) -> bool:
        """Sleep until a time; False if it is all over."""
        return not self._is_over.wait(max(0.0, due_s - time.perf_counter()))

    def _is_heard(self, spoken: Spoken) -> bool:
        """Wait until a turn was heard to its end; False if it is all over."""
        seconds = len(spoken.pcm) / self._rate
        patience_s = time.perf_counter() + seconds + PATIENCE_S
        while not spoken.ended.wait(LOOK_EVERY_S):
            if self._is_over.is_set():
                return False
            if time.perf_counter() > patience_s:
                raise BackendFailed(
                    f"a turn of {seconds:.1f} s was not heard to its end within {PATIENCE_S:.0f} s "
                    "more: expected every sample; close what else runs here and try again"
                )
        return True
