"""Audio at any rate to log-mel hops: the Python face of the extension's resampler and features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import FeatureSpec, Resampler, StreamingFeatures
from rap_edge.config import ModelConfig
from rap_edge.errors import AudioError

SAMPLE_RATES = (8000, 16000, 22050, 24000, 32000, 44100, 48000)


def check_rate(sample_rate: int) -> None:
    """Raise AudioError for a sample rate that cannot be resampled."""
    if sample_rate not in SAMPLE_RATES:
        raise AudioError(
            f"sample_rate is {sample_rate!r} Hz: expected one of {SAMPLE_RATES}; resample first"
        )


class HopStream:
    """Log-mel hops (F, M) of a stream of mono PCM at ``sample_rate``; one stream, one thread."""

    def __init__(self, config: ModelConfig, sample_rate: int) -> None:
        check_rate(sample_rate)
        self.sample_rate = sample_rate
        self._features = StreamingFeatures(FeatureSpec.rap())
        self._resampler = (
            None
            if sample_rate == config.audio.sample_rate
            else Resampler(sample_rate, config.audio.sample_rate)
        )

    def push(self, pcm: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take PCM (S,) and return the hops that it completes."""
        resampled = pcm if self._resampler is None else self._resampler.push(pcm)
        return self._features.push(resampled)

    def reset(self) -> None:
        """Forget the stream."""
        self._features.reset()
        if self._resampler is not None:
            self._resampler.reset()
