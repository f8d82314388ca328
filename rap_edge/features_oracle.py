"""The streaming features again, in numpy: written to be read, and compared with `rap_edge._core`.

Same surface, other construction: dense filters, `numpy.fft`, whole-signal padding. A frame is
computed by itself, so that here too any split of the input gives bitwise the same frames.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import FeatureSpec
from rap_edge.errors import AudioError, ConfigError, StateError

Pcm = NDArray[np.float32] | NDArray[np.int16]


def checked_pcm(pcm: Pcm) -> NDArray[np.float64]:
    """Return samples in [-1, 1]; AudioError on dtype, shape or a sample that is not finite."""
    if not isinstance(pcm, np.ndarray) or pcm.dtype not in (np.float32, np.int16):
        raise AudioError(f"pcm is {type(pcm).__name__}: expected a float32 or int16 numpy array")
    if pcm.ndim != 1 or not pcm.flags.c_contiguous:
        raise AudioError(f"pcm has shape {pcm.shape}: expected one C-contiguous axis")
    if not np.isfinite(pcm).all():
        raise AudioError("pcm has a sample that is not finite: replace it first")
    return pcm / 32768 if pcm.dtype == np.int16 else pcm.astype(np.float64)


def mel_of_hz(hz: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    """Return mel values: Kaldi's formula, or Slaney's (linear to 1 kHz, logarithmic above)."""
    if scale == "kaldi":
        kaldi: NDArray[np.float64] = 1127 * np.log1p(hz / 700)
        return kaldi
    above = 15 + 27 * np.log(np.maximum(hz, 1000) / 1000) / np.log(6.4)
    return np.where(hz < 1000, 3 * hz / 200, above)


def hz_of_mel(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert Slaney's scale."""
    above = 1000 * 6.4 ** ((np.maximum(mel, 15) - 15) / 27)
    return np.where(mel < 15, 200 * mel / 3, above)


def filters(spec: FeatureSpec) -> NDArray[np.float64]:
    """Return the triangles (M, n_fft / 2 + 1): straight in mel for Kaldi, in Hz for Slaney."""
    bins = np.arange(spec.n_fft // 2 + 1) * spec.sample_rate / spec.n_fft
    low, high = mel_of_hz(np.array([spec.fmin_hz, spec.fmax_hz]), spec.mel_scale)
    edges = np.linspace(low, high, spec.n_mels + 2)
    if spec.mel_scale == "kaldi":
        bins = mel_of_hz(bins, "kaldi")
    else:
        edges = hz_of_mel(edges)
    left, peak, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rise, fall = (bins - left) / (peak - left), (right - bins) / (right - peak)
    triangles: NDArray[np.float64] = np.maximum(0, np.minimum(rise, fall))
    area: NDArray[np.float64] = 2 / (right - left)
    return triangles * area if spec.mel_norm == "slaney" else triangles


def window(spec: FeatureSpec) -> NDArray[np.float64]:
    """Return the analysis window (win_samples,)."""
    n = spec.win_samples
    if spec.window == "povey":
        return np.hanning(n) ** 0.85
    return np.hanning(n + 1)[:-1]


class StreamingFeatures:
    """A stream of frames; see `rap_edge._core.StreamingFeatures`."""

    def __init__(self, spec: FeatureSpec, max_push: int = 16000) -> None:
        if max_push < 1:
            raise ConfigError(f"max_push is {max_push}: expected 1 or more samples")
        self.spec = spec
        self._filters = filters(spec)
        self._window = window(spec)
        self.reset()

    def reset(self) -> None:
        self._signal = np.zeros(0)
        self._frames = 0
        self._finished = False

    @property
    def frames_emitted(self) -> int:
        return self._frames

    @property
    def samples_in(self) -> int:
        return len(self._signal)

    @property
    def lookahead_samples(self) -> int:
        return self.spec.win_samples - self.spec.win_samples // 2

    def center_sample(self, frame: int) -> int:
        return self._start(frame) + self.spec.win_samples // 2

    def frames_for(self, n_samples: int) -> int:
        return self._complete(self.samples_in + n_samples) - self._frames

    def push(self, pcm: Pcm) -> NDArray[np.float32]:
        self._require_open()
        self._signal = np.concatenate([self._signal, checked_pcm(pcm)])
        return self._emit(self._complete(self.samples_in))

    def push_into(self, pcm: Pcm, out: NDArray[np.float32]) -> int:
        self._require_open()
        n = self.frames_for(len(checked_pcm(pcm)))
        if out.dtype != np.float32 or len(out) < n or out.shape[1:] != (self.spec.n_mels,):
            raise AudioError(f"out has shape {out.shape}: expected room for {n} rows of float32")
        out[:n] = self.push(pcm)
        return n

    def finish(self) -> NDArray[np.float32]:
        self._require_open()
        self._finished = True
        n = self.samples_in
        if not self.spec.center:
            return self._emit(self._complete(n))
        return self._emit(n // self.spec.hop_samples + (not self.spec.drop_last) if n else 0)

    def _require_open(self) -> None:
        if self._finished:
            raise StateError("the stream is finished: reset it or make a new one")

    def _start(self, frame: int) -> int:
        left = self.spec.win_samples // 2 if self.spec.center else 0
        return frame * self.spec.hop_samples - left

    def _complete(self, n: int) -> int:
        """Frames whose samples are all among the first n, a reflection at the start included."""
        mirrored = 1 - self._start(0) if self.spec.pad_mode == "reflect" else 0
        if n < max(mirrored, self._start(0) + self.spec.win_samples):
            return 0
        return (n - self._start(0) - self.spec.win_samples) // self.spec.hop_samples + 1

    def _emit(self, end: int) -> NDArray[np.float32]:
        rows = [self._frame(self._start(frame)) for frame in range(self._frames, end)]
        self._frames = max(end, self._frames)
        return np.array(rows, dtype=np.float32).reshape(-1, self.spec.n_mels)

    def _samples(self, start: int) -> NDArray[np.float64]:
        """Return one window of the emphasised signal, padded over the ends."""
        end = start + self.spec.win_samples
        signal = self._signal * self.spec.gain
        if self.spec.preemphasis_scope == "signal":
            signal = signal - self.spec.preemphasis * np.concatenate([[0.0], signal[:-1]])
        mode: Any = "reflect" if self.spec.pad_mode == "reflect" else "constant"
        before, after = max(0, -start), max(0, end - len(signal))
        padded: NDArray[np.float64] = np.pad(signal, (before, after), mode=mode)
        return padded[start + before : end + before]

    def _frame(self, start: int) -> NDArray[np.float64]:
        spec = self.spec
        frame = self._samples(start)
        if spec.remove_dc:
            frame = frame - frame.mean()
        if spec.preemphasis_scope == "frame":
            frame = frame - spec.preemphasis * np.concatenate([frame[:1], frame[:-1]])
        magnitude = np.abs(np.fft.rfft(frame * self._window, spec.n_fft))
        mel = self._filters @ (magnitude if spec.spectrum == "magnitude" else magnitude**2)
        log = np.log if spec.log == "ln" else np.log10
        return spec.log_scale * log(np.maximum(mel, spec.log_floor)) + spec.log_offset


def offline_features(spec: FeatureSpec, pcm: Pcm) -> NDArray[np.float32]:
    """Return the frames (F, M) of a whole signal (S,)."""
    stream = StreamingFeatures(spec)
    return np.concatenate([stream.push(pcm), stream.finish()])
