"""Audio as callers have it to mono float32 PCM in small pieces."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rap_edge.errors import AudioError

if TYPE_CHECKING:
    from rap_edge.media import Recording

PIECE_S = 0.32
LOUDEST = 8.0  # 18 dB over full scale is loud, and beyond it another scale

Samples: TypeAlias = NDArray[np.float32] | NDArray[np.int16] | bytes
Audio: TypeAlias = str | os.PathLike[str] | Samples | Iterable[Samples]


@dataclass(frozen=True)
class PCM:
    """Mono float32 PCM that arrives in pieces."""

    pieces: Iterator[NDArray[np.float32]]
    sample_rate: int
    recording: Recording | None = None  # the file that the pieces come from

    def close(self) -> None:
        """Close the file, if it is one, before its end."""
        if self.recording is not None:
            self.recording.close()


def open_pcm(audio: Audio, sample_rate: int | None) -> PCM:
    """Open a file, an array, bytes, or an iterable of such chunks, as pieces of 0.32 s at most.

    Bytes are 16-bit little-endian mono PCM. Raises AudioError for samples that cannot be used and
    for samples without a ``sample_rate``; MediaError for a file that cannot be read.
    """
    if isinstance(audio, (str, os.PathLike)):
        from rap_edge.media import AUDIO_RATE, read_audio

        recording = read_audio(audio)
        return PCM(_cut(recording, AUDIO_RATE), AUDIO_RATE, recording)
    if sample_rate is None:
        raise AudioError("sample_rate is None: expected the rate of the samples in Hz; pass it")
    whole = isinstance(audio, (np.ndarray, bytes, bytearray, memoryview))
    chunks: Iterable[Any] = [audio] if whole else audio
    return PCM(_cut((mono(chunk) for chunk in chunks), sample_rate), sample_rate)


def mono(samples: Any) -> NDArray[np.float32]:
    """Return samples (S,) as float32 in -1..1; raise AudioError for what is not mono audio."""
    if isinstance(samples, (bytes, bytearray, memoryview)):
        samples = _from_bytes(samples)
    if not isinstance(samples, np.ndarray):
        raise AudioError(
            f"audio is {type(samples).__name__}: expected an array (S,) of mono samples, float32 "
            "in -1..1 or int16, or bytes; use numpy.asarray"
        )
    if samples.ndim != 1:
        raise AudioError(
            f"audio is {samples.shape}: expected an array (S,) of mono samples; mix it down"
        )
    samples = np.ascontiguousarray(samples)
    if samples.dtype == np.int16:
        scaled: NDArray[np.float32] = samples.astype(np.float32) / np.float32(32768)
        return scaled
    if samples.dtype != np.float32:
        raise AudioError(
            f"audio is {samples.dtype}: expected float32 in -1..1 or int16; convert it first"
        )
    if not np.isfinite(samples).all():
        index = int(np.argmin(np.isfinite(samples)))
        raise AudioError(
            f"audio sample {index} is {samples[index]}: expected finite values; clean the audio"
        )
    loudest = float(np.abs(samples).max(initial=0.0))
    if loudest > LOUDEST:
        raise AudioError(
            f"audio reaches {loudest:g}: expected float32 in -1..1; divide samples of 16 bits by "
            "32768, or pass them as int16"
        )
    pcm: NDArray[np.float32] = samples
    return pcm


def _from_bytes(pcm: bytes | bytearray | memoryview) -> NDArray[np.int16]:
    if len(pcm) % 2:
        raise AudioError(
            f"{len(pcm)} bytes of audio: expected whole 16-bit samples; keep the odd byte for the "
            "next push"
        )
    return np.frombuffer(pcm, "<i2").astype(np.int16)


def _cut(chunks: Iterable[NDArray[np.float32]], sample_rate: int) -> Iterator[NDArray[np.float32]]:
    size = int(PIECE_S * sample_rate)
    for chunk in chunks:
        for start in range(0, len(chunk), size):
            yield chunk[start : start + size]
