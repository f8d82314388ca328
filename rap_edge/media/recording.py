"""Read the speech of any media file as a stream of mono blocks, in memory that does not grow."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer
from numpy.typing import NDArray

from rap_edge.errors import AudioError, MediaError
from rap_edge.media.mono import MonoResampler

AUDIO_RATE = 48_000  # Hz, of files: as they are read and as they are written
LOWEST_RATE, HIGHEST_RATE = 4_000, 768_000  # Hz
ONLY_FILES = {"protocol_whitelist": "file"}  # a playlist must not reach for the network


@dataclass(frozen=True)
class Recording:
    """Speech as it is read: iterate once over float32 mono blocks (S,), nominally in [-1, 1].

    `duration_s` is what the file says of itself (None if it says nothing): good for a progress
    bar, not for allocating.
    """

    sample_rate: int
    duration_s: float | None
    blocks: Generator[NDArray[np.float32], None, None]
    source: Generator[NDArray[np.float32], None, None]  # of the blocks; holds the file

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return self.blocks

    def close(self) -> None:
        """Close the file before its end; an iteration that ran to the end has closed it."""
        self.blocks.close()
        self.source.close()


def read_audio(path: str | PathLike[str], sample_rate: int = AUDIO_RATE) -> Recording:
    """Open a media file and stream its first audio track as mono at `sample_rate`.

    Any container, codec, rate and channel layout that PyAV decodes. Samples beyond [-1, 1] pass.
    Raises MediaError for a file that is missing or not readable, AudioError for one without
    audio, with no samples, or (while iterating) with a sample that is not finite.
    """
    container = _open(Path(path))
    blocks = _mono_blocks(container, str(path), sample_rate)
    first = next(blocks, None)
    if first is None:
        raise AudioError(f"{path} has no audio samples - expected speech - record it again")
    duration = container.duration
    duration_s = None if duration is None else duration / av.time_base
    return Recording(sample_rate, duration_s, _resumed(first, blocks), blocks)


def _open(path: Path) -> InputContainer:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise MediaError(
            f"{path} cannot be read ({error.strerror}) - expected a media file - check the path"
        ) from error
    try:
        container = av.open(str(path), "r", options=ONLY_FILES, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as error:
        raise AudioError(
            f"{path} is not a media file that can be read - expected WAV, MP3, M4A, FLAC, Ogg or "
            "the like - convert it to WAV"
        ) from error
    if not container.streams.audio:
        container.close()
        raise AudioError(f"{path} has no audio track - expected speech - choose another file")
    if container.streams.audio[0].codec_context is None:  # decoding would end the process
        container.close()
        raise AudioError(f"{path} has audio of an unknown codec - expected WAV or MP3 - convert it")
    return container


def _resumed(
    first: NDArray[np.float32], rest: Iterator[NDArray[np.float32]]
) -> Generator[NDArray[np.float32], None, None]:
    yield first
    yield from rest


def _mono_blocks(
    container: InputContainer, name: str, sample_rate: int
) -> Generator[NDArray[np.float32], None, None]:
    resampler = MonoResampler(sample_rate)
    position_s = 0.0
    with container:
        try:
            for frame in _frames(container, name):
                _check_rate(frame, name)
                _check_finite(frame, name, position_s)
                position_s += frame.samples / frame.sample_rate
                yield from resampler.push(frame)
            yield from resampler.flush()
        except (av.error.FFmpegError, OSError) as error:
            raise AudioError(
                f"{name} cannot be decoded beyond {position_s:.3f} s ({error}) - expected an "
                "undamaged file - convert it to WAV"
            ) from error


def _frames(container: InputContainer, name: str) -> Iterator[AudioFrame]:
    """Decode the first audio track; a packet that cannot be decoded is left out, with a warning."""
    damaged = 0
    for packet in container.demux(container.streams.audio[0]):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            damaged += 1
            continue
        yield from (frame for frame in frames if isinstance(frame, AudioFrame))
    if damaged:
        warnings.warn(f"{name}: {damaged} damaged packets were left out", stacklevel=2)


def _check_rate(frame: AudioFrame, name: str) -> None:
    if not LOWEST_RATE <= frame.sample_rate <= HIGHEST_RATE:
        raise AudioError(
            f"{name} has {frame.sample_rate} samples a second - expected {LOWEST_RATE} to "
            f"{HIGHEST_RATE} - the file is damaged or no speech"
        )


def _check_finite(frame: AudioFrame, name: str, position_s: float) -> None:
    if "flt" not in frame.format.name and "dbl" not in frame.format.name:
        return
    samples = frame.to_ndarray()
    if np.isfinite(samples).all():
        return
    channels = len(frame.layout.channels)
    per_sample = samples if frame.format.is_planar else samples.reshape(-1, channels).T
    first = int(np.argmin(np.isfinite(per_sample).all(axis=0)))
    at_s = position_s + first / frame.sample_rate
    raise AudioError(
        f"{name} has a sample that is not finite (NaN or infinity) at {at_s:.3f} s - expected "
        "finite samples - repair or cut the recording there"
    )
