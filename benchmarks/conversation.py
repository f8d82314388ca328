"""A conversation with an avatar in real time: somebody speaks in turns, somebody watches."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rap_edge.runtime import Frame, Interruption, Stream

RATE = 16_000
BLOCK = 320  # samples a push: 20 ms, as from a network
TURN_S = (2.0, 6.0)
GAP_S = (0.3, 1.5)


@dataclass
class Turn:
    """One utterance as it was pushed, and what came of it."""

    utterance: int
    pcm: NDArray[np.float32]
    heard: int = 0  # samples
    is_right: bool = True  # what was heard is what was pushed, without a gap
    interruption: Interruption | None = None
    cut_ns: int | None = None  # when interrupt() was called
    last_ns: int = 0  # when its last frame was pulled
    after_return: int = 0  # frames pulled after interrupt() had returned
    returned_ns: int | None = None

    def hear(self, audio: NDArray[np.float32]) -> None:
        """Compare the audio of the next frame with what was pushed; only silence may follow it."""
        wanted = np.zeros(len(audio), np.float32)
        pushed = self.pcm[self.heard : self.heard + len(audio)]
        wanted[: len(pushed)] = pushed
        self.is_right &= np.array_equal(audio, wanted)
        self.heard += len(audio)

    @property
    def is_intact(self) -> bool:
        """Everything that was pushed was heard, up to an interrupt if there was one."""
        return self.is_right and (self.interruption is not None or self.heard >= len(self.pcm))


class Speaker(threading.Thread):
    """Pushes turns in real time, 20 ms a block, and interrupts a share of them."""

    def __init__(
        self, stream: Stream, seconds: float, interrupted: float = 0.0, seed: int = 0
    ) -> None:
        super().__init__(name="speaker", daemon=True)
        self._interrupted = interrupted
        self._stream, self._rng = stream, np.random.default_rng(seed)
        self._until = time.monotonic() + seconds
        self._voice = babble(60.0, seed)
        self.turns: dict[int, Turn] = {}

    def run(self) -> None:
        while time.monotonic() < self._until:
            time.sleep(self._rng.uniform(*GAP_S))
            self._speak(self._rng.uniform(*TURN_S), bool(self._rng.random() < self._interrupted))

    def _speak(self, seconds: float, cut: bool) -> None:
        start = int(self._rng.integers(0, len(self._voice) - int(seconds * RATE)))
        pcm = self._voice[start : start + int(seconds * RATE)]
        turn = Turn(self._stream.begin(), pcm)
        self.turns[turn.utterance] = turn
        due = time.monotonic()
        for block in blocks(pcm):
            self._stream.push_audio(block, RATE, turn.utterance)
            due += len(block) / RATE
            time.sleep(max(0.0, due - time.monotonic()))
        if not cut:
            self._stream.flush(turn.utterance)
            time.sleep(0.6)  # until it is heard
            return
        turn.cut_ns = time.monotonic_ns()
        turn.interruption = self._stream.interrupt()
        turn.returned_ns = time.monotonic_ns()


def note(frame: Frame, turns: dict[int, Turn]) -> None:
    """Book a frame that was just pulled."""
    turn = turns.get(frame.utterance)
    if turn is None:
        return
    turn.hear(frame.audio)
    turn.last_ns = time.monotonic_ns()
    if turn.returned_ns is not None:
        turn.after_return += 1


def blocks(pcm: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(pcm), BLOCK):
        yield pcm[start : start + BLOCK]


def babble(seconds: float, seed: int) -> NDArray[np.float32]:
    """Return noise with the rhythm of syllables (S,) float32, never exactly zero."""
    rng = np.random.default_rng(seed)
    n = int(seconds * RATE)
    syllables = np.repeat(10 ** rng.uniform(-2.5, -0.7, n // 2400 + 1), 2400)[:n]
    samples = rng.standard_normal(n) * syllables
    return np.where(samples == 0, 1e-6, samples).clip(-1, 1).astype(np.float32)
