"""How others compute features of a stream: each takes pushes of 160 samples and gives the frames.

A stream of theirs is a function from pushes (S,) to arrays of frames (F, M), oldest first. What a
frame does not hear yet has not come, so each gives the frames from its first to the last that is
complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import FeatureSpec
from rap_edge.benchmarks.components.contest import optional
from rap_edge.errors import NotSupported

RATE = 16_000
PUSH = 160
NUMPY_PATH = "_np_extract_fbank_features"
CALL_PUSHES = 32  # of a chunk of the default bundle, 320 ms
Samples = NDArray[np.float32]
Chunks = list[Samples]
Frames = list[NDArray[Any]]
OfWindow = Callable[[Samples], NDArray[Any]]


def knf_stream(as_list: bool) -> Callable[[Chunks], Frames]:
    """Start kaldi-native-fbank's OnlineFbank, with the samples as a list or as an array.

    Its samples have the scale of 16 bits; the scaling is part of a push, as it is in ours.
    """
    knf = optional("kaldi_native_fbank")
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = 80
    fbank = knf.OnlineFbank(options)
    taken = 0

    def push(chunks: Chunks) -> Frames:
        nonlocal taken
        frames: Frames = []
        for chunk in chunks:
            scaled = chunk * np.float32(32768)
            fbank.accept_waveform(RATE, scaled.tolist() if as_list else scaled)
            while taken < fbank.num_frames_ready:
                frames.append(fbank.get_frame(taken)[None])
                taken += 1
        return frames

    return push


def librosa_rap() -> Callable[[Chunks], Frames]:
    """Call melspectrogram for every frame, as streaming loops do: it makes its filters each time.

    The window of rap's frame is 400 samples in an FFT of 512, which librosa centres.
    """
    librosa = optional("librosa")
    spec = FeatureSpec.rap()
    spare = (spec.n_fft - spec.win_samples) // 2

    def frame(window: Samples) -> NDArray[Any]:
        mel = librosa.feature.melspectrogram(
            y=np.pad(window, spare),
            sr=RATE,
            n_fft=spec.n_fft,
            hop_length=spec.hop_samples,
            win_length=spec.win_samples,
            center=False,
            n_mels=spec.n_mels,
            fmax=spec.fmax_hz,
        )
        return np.asarray(np.log(np.maximum(mel, spec.log_floor)).T)

    return partial(_each_frame, _Past(spec), frame)


def librosa_wav2lip() -> Callable[[Chunks], Frames]:
    """Do as Wav2Lip's own code does, for every frame: pre-emphasis, librosa.stft, kept filters."""
    librosa = optional("librosa")
    spec = FeatureSpec.wav2lip()
    filters = librosa.filters.mel(
        sr=RATE, n_fft=spec.n_fft, n_mels=spec.n_mels, fmin=spec.fmin_hz, fmax=spec.fmax_hz
    )

    def frame(window: Samples) -> NDArray[Any]:
        emphasised = window[1:] - np.float32(spec.preemphasis) * window[:-1]
        spectrum = librosa.stft(emphasised, n_fft=spec.n_fft, hop_length=200, center=False)
        mel = filters @ np.abs(spectrum)
        return np.asarray((20 * np.log10(np.maximum(spec.log_floor, mel)) - 20).T)

    return partial(_each_frame, _Past(spec, before=1), frame)


def transformers_window() -> Callable[[Chunks], Frames]:
    """Call the extractor's numpy path for every frame, on the shortest window that is exact.

    It frames from the start of what it is given, every 160 samples: the third frame of 520 samples
    hears only real ones.
    """
    extract = _extractor()

    def frame(window: Samples) -> NDArray[Any]:
        return np.asarray(4 * extract(window)[2:3] - 4)

    return partial(_each_frame, _Past(FeatureSpec.whisper(), before=120), frame)


def transformers_padded() -> Callable[[Chunks], Frames]:
    """Call it as it comes, once in 320 ms: all speech of the last 30 s, padded to 30 s.

    The numpy path is what runs where torch is not installed. Of its frames those are taken that
    have become complete.
    """
    extract = _extractor()
    heard: list[Samples] = []
    waiting: Chunks = []
    taken = 0

    def push(chunks: Chunks) -> Frames:
        nonlocal taken
        frames: Frames = []
        for chunk in chunks:
            waiting.append(chunk)
            if len(waiting) < CALL_PUSHES:
                continue
            heard.extend(waiting)
            waiting.clear()
            pcm = np.concatenate(heard)
            found = extract(np.pad(pcm, (0, 30 * RATE - len(pcm))))
            complete = (len(pcm) - 200) // PUSH + 1
            frames.append(4 * found[taken:complete] - 4)
            taken = complete
            if len(pcm) + CALL_PUSHES * PUSH > 30 * RATE:
                heard.clear()
                taken = 0
        return frames

    return push


def _extractor() -> OfWindow:
    """Return the numpy path of WhisperFeatureExtractor: samples (S,) to frames (F, M).

    It is private. Raises NotSupported for a version of transformers that does not have it.
    """
    transformers = optional("transformers")
    extractor = transformers.WhisperFeatureExtractor(feature_size=80, sampling_rate=RATE)
    numpy_path = getattr(extractor, NUMPY_PATH, None)
    if numpy_path is None:
        raise NotSupported(
            f"transformers {transformers.__version__} has no WhisperFeatureExtractor.{NUMPY_PATH}: "
            "expected a version that has, such as 5.23; install that"
        )

    def extract(pcm: Samples) -> NDArray[Any]:
        return np.asarray(numpy_path(pcm[None], "cpu")[0].T)

    return extract


class _Past:
    """The last samples of a stream, and the window of every frame that becomes complete."""

    def __init__(self, spec: FeatureSpec, before: int = 0) -> None:
        """Keep so many samples ``before`` a frame too; frames that hear the start are left out."""
        self._hop, self._before = spec.hop_samples, before
        self._length = before + spec.win_samples
        self._start = -(spec.win_samples // 2) - before  # of the next window
        self._kept = np.zeros(0, np.float32)
        self._first = 0  # sample of _kept[0]

    def push(self, chunk: Samples) -> Iterator[Samples]:
        self._kept = np.concatenate([self._kept, chunk])
        end = self._first + len(self._kept)
        while self._start + self._length <= end:
            at = self._start - self._first
            if self._start >= 0:
                yield self._kept[at : at + self._length]
            self._start += self._hop
        gone = max(0, self._start - self._first)
        self._kept, self._first = self._kept[gone:], self._first + gone


def _each_frame(past: _Past, frame: OfWindow, chunks: Chunks) -> Frames:
    return [frame(window) for chunk in chunks for window in past.push(chunk)]
