"""The samples of one utterance, at the rate of the features and at that of the output."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import Resampler
from rap_edge.errors import AudioError

SAMPLE_RATES = (8000, 16000, 22050, 24000, 32000, 44100, 48000)

SPARE_SAMPLES = 2  # of the output: what rounding may want when an utterance resumes

Samples = NDArray[np.float32]


def check_rate(sample_rate: int) -> None:
    """Raise AudioError for a sample rate that cannot be resampled."""
    if not isinstance(sample_rate, int) or sample_rate not in SAMPLE_RATES:
        raise AudioError(
            f"sample_rate is {sample_rate!r} Hz: expected one of {SAMPLE_RATES}; resample first"
        )


class Voice:
    """What was pushed of an utterance and has no place in the script yet.

    Positions count samples of the features; the output's samples follow by exact proportion, so
    that both sides of a cut agree.
    """

    def __init__(self, sample_rate: int, feature_rate: int, out_rate: int) -> None:
        check_rate(sample_rate)
        check_rate(out_rate)
        self.sample_rate = sample_rate
        self.out_rate = out_rate
        self.ended = False
        self._feature_rate = feature_rate
        self._heard = _Converted(sample_rate, feature_rate)
        self._out = self._heard if out_rate == feature_rate else _Converted(sample_rate, out_rate)
        self._taken = 0  # samples of the features since the last `resume`
        self._pushed = 0

    @property
    def pushed_seconds(self) -> float:
        return self._pushed / self.sample_rate

    @property
    def ready(self) -> int:
        """Samples of the features that can be placed now."""
        if self.ended or self._out is self._heard:
            return self._heard.held
        output = self._output_at(self._taken) + self._out.held - SPARE_SAMPLES
        by_output = output * self._feature_rate // self.out_rate - self._taken
        return max(0, min(self._heard.held, by_output))

    def push(self, pcm: Samples) -> None:
        """Take PCM (S,) in -1..1; raise AudioError for samples that are not finite."""
        self._heard.push(pcm)
        if self._out is not self._heard:
            self._out.push(pcm)
        self._pushed += len(pcm)

    def end(self) -> None:
        """Bring out what the resamplers still hold; nothing can be pushed after it."""
        self.ended = True
        self._heard.finish()
        if self._out is not self._heard:
            self._out.finish()

    def resume(self) -> None:
        """Start at a frame of the output: what is taken next is the first of it."""
        self._taken = 0

    def take(self, samples: int) -> tuple[Samples, Samples]:
        """Return the next ``samples`` of the features, and of the output what is heard with them.

        What takes the last of an utterance that has ended gets the rest of the output too.
        """
        heard = self._heard.take(samples)
        if self._out is self._heard:
            return heard, heard
        before = self._output_at(self._taken)
        self._taken += samples
        wanted = self._output_at(self._taken) - before
        last = self.ended and not self._heard.held
        return heard, self._out.take(self._out.held if last else wanted)

    def _output_at(self, position: int) -> int:
        return position * self.out_rate // self._feature_rate


class _Converted:
    """A queue of samples at one rate."""

    def __init__(self, sample_rate: int, out_rate: int) -> None:
        self._resampler = None if sample_rate == out_rate else Resampler(sample_rate, out_rate)
        self._queue: deque[Samples] = deque()
        self.total = 0  # samples that ever came out of the resampler
        self.held = 0

    def push(self, pcm: Samples) -> None:
        self._add(pcm.copy() if self._resampler is None else self._resampler.push(pcm))

    def finish(self) -> None:
        if self._resampler is not None:
            self._add(self._resampler.finish())

    def take(self, samples: int) -> Samples:
        taken: list[Samples] = []
        missing = samples
        while missing:
            piece = self._queue.popleft()
            taken.append(piece[:missing])
            if len(piece) > missing:
                self._queue.appendleft(piece[missing:])
            missing -= len(taken[-1])
        self.held -= samples
        return taken[0] if len(taken) == 1 else np.concatenate([np.zeros(0, np.float32), *taken])

    def _add(self, samples: Samples) -> None:
        if len(samples):
            self._queue.append(samples)
            self.total += len(samples)
            self.held += len(samples)
