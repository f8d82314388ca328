"""Streaming audio features and resampling, in C++.

Shapes: S samples, F frames, M mel bins. Arrays are checked, never converted: a wrong dtype, shape
or a sample that is not finite raises AudioError and changes nothing. One stream belongs to one
caller at a time: a second one gets ConcurrencyError. After `finish`, anything but `reset` raises
StateError.
"""

from typing import final

import numpy as np
from numpy.typing import NDArray

_Pcm = NDArray[np.float32] | NDArray[np.int16]

@final
class FeatureSpec:
    """Every number that changes a value of a feature frame; read-only, made by a factory."""

    @staticmethod
    def rap() -> FeatureSpec:
        """Return the features of rap-edge's audio encoder: natural-log mel, 10 ms hop."""

    @staticmethod
    def whisper(n_mels: int = 80) -> FeatureSpec:
        """Return Whisper's log10 mel before its normalisation (whisper_normalize)."""

    @staticmethod
    def wav2lip() -> FeatureSpec:
        """Return Wav2Lip's mel in decibels before its normalisation (wav2lip_normalize)."""

    @staticmethod
    def kaldi_fbank(n_mels: int = 80) -> FeatureSpec:
        """Return Kaldi's fbank without dither, on the scale of 16-bit samples."""

    @property
    def name(self) -> str: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def n_fft(self) -> int: ...
    @property
    def win_samples(self) -> int: ...
    @property
    def hop_samples(self) -> int: ...
    @property
    def window(self) -> str:
        """hann (periodic) or povey."""

    @property
    def center(self) -> bool:
        """Whether frame f is centred on sample f * hop, or starts there."""

    @property
    def pad_mode(self) -> str:
        """none, constant (zeros) or reflect."""

    @property
    def drop_last(self) -> bool: ...
    @property
    def gain(self) -> float:
        """Factor on samples in [-1, 1], before all else."""

    @property
    def remove_dc(self) -> bool: ...
    @property
    def preemphasis(self) -> float: ...
    @property
    def preemphasis_scope(self) -> str:
        """none, signal or frame."""

    @property
    def spectrum(self) -> str:
        """power or magnitude."""

    @property
    def n_mels(self) -> int: ...
    @property
    def mel_scale(self) -> str:
        """slaney or kaldi."""

    @property
    def mel_norm(self) -> str:
        """none (peak 1) or slaney (area 1)."""

    @property
    def fmin_hz(self) -> float: ...
    @property
    def fmax_hz(self) -> float: ...
    @property
    def log(self) -> str:
        """ln or log10: a value is log_scale * log(max(mel, log_floor)) + log_offset."""

    @property
    def log_floor(self) -> float: ...
    @property
    def log_scale(self) -> float: ...
    @property
    def log_offset(self) -> float: ...
    def fingerprint(self) -> str:
        """Return 16 hexadecimal digits that name the definition, the same on every machine."""

    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...

@final
class StreamingFeatures:
    """Frames of a stream, bitwise the same for every split of its input."""

    def __init__(self, spec: FeatureSpec, max_push: int = 16000) -> None:
        """Start a stream; a push of more than max_push samples is taken in pieces."""

    def push(self, pcm: _Pcm) -> NDArray[np.float32]:
        """Take samples (S,), floats in [-1, 1]; return the frames (F, M) that they complete."""

    def push_into(self, pcm: _Pcm, out: NDArray[np.float32]) -> int:
        """Write the frames to out (F or more, M) instead; return how many they are."""

    def finish(self) -> NDArray[np.float32]:
        """Return the frames that the end of the signal completes; only reset() may follow."""

    def reset(self) -> None:
        """Go back to the beginning of a stream."""

    def frames_for(self, n_samples: int) -> int:
        """Return how many frames a push of n_samples would complete."""

    def center_sample(self, frame: int) -> int:
        """Return the sample that stands in the middle of a frame."""

    @property
    def lookahead_samples(self) -> int:
        """Samples after its centre that a frame waits for."""

    @property
    def frames_emitted(self) -> int: ...
    @property
    def samples_in(self) -> int: ...

@final
class Resampler:
    """A stream from one rate to another, bitwise the same for every split of its input.

    Output n stands at the time of input n * in_rate / out_rate, exactly. Flat to 0.45 of the lower
    rate, 90 dB down from 0.525 of it on.
    """

    def __init__(self, in_rate: int, out_rate: int = 16000) -> None:
        """Start a stream; equal rates pass samples on unchanged."""

    def push(self, pcm: _Pcm) -> NDArray[np.float32]:
        """Take samples (S,), floats in [-1, 1]; return those that are complete."""

    def push_into(self, pcm: _Pcm, out: NDArray[np.float32]) -> int:
        """Write to out, which is long enough, instead; return how many samples they are."""

    def finish(self) -> NDArray[np.float32]:
        """Return the rest, ceil(S out_rate / in_rate) samples in all; only reset() may follow."""

    def reset(self) -> None:
        """Go back to the beginning of a stream."""

    def samples_for(self, n_samples: int) -> int:
        """Return how many samples a push of n_samples would give."""

    @property
    def samples_in(self) -> int: ...
    @property
    def samples_out(self) -> int: ...
    @property
    def latency_samples(self) -> int:
        """Output samples by which the stream trails its input at most."""

    @property
    def in_rate(self) -> int: ...
    @property
    def out_rate(self) -> int: ...

def offline_features(spec: FeatureSpec, pcm: _Pcm) -> NDArray[np.float32]:
    """Return the frames (F, M) of a whole signal (S,): one push and finish."""

def whisper_normalize(logmel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return max(x, largest - 8), then (x + 4) / 4, of a window (F, M) of Whisper's log10 mel.

    The largest value is that of the window, so a window normalises differently from its utterance.
    """

def wav2lip_normalize(mel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return clip(8 (x + 100) / 100 - 4, -4, 4) of Wav2Lip's mel (F, M) in decibels."""
