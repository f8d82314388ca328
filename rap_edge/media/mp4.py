"""Write frames and speech as an MP4 film that appears whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from rap_edge.errors import MediaError, StateError
from rap_edge.media import made_by_ai
from rap_edge.media.recording import AUDIO_RATE

AAC_BITS_PER_SECOND = 128_000
BT709 = 1
LIMITED_RANGE = 1
_STORAGE_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


def check_output(path: str | os.PathLike[str]) -> None:
    """Raise MediaError where a film cannot be written: wrong ending, no such folder, no right."""
    target = Path(path)
    if target.suffix.lower() != ".mp4":
        raise MediaError(f"{target} does not end in .mp4 - expected an MP4 file - rename it")
    if target.is_dir():
        raise MediaError(f"{target} is a folder - expected a file name - choose another name")
    folder = target.parent
    if not folder.is_dir():
        raise MediaError(f"{folder} is not a folder - expected one to write to - create it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise MediaError(
            f"{folder} is not writable - expected write access - choose another folder"
        )


class VideoWriter:
    """H.264 and AAC at 48 kHz in an MP4 that starts fast and says that an AI made it.

        with VideoWriter("hello.mp4", width=256, height=256) as film:
            for frame in frames:
                film.write(frame.image, frame.audio)

    The film grows in a temporary file beside its target, which is renamed at the end. Leaving the
    block by an exception (Ctrl-C too) removes the file. Raises MediaError, disk full included.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        width: int,
        height: int,
        fps: int = 25,
        sample_rate: int = AUDIO_RATE,
    ) -> None:
        """Describe the film: even `width` and `height` in px, rate of the audio to come in Hz."""
        check_output(path)
        if width % 2 or height % 2 or min(width, height) < 2:
            raise MediaError(f"the film is {width}x{height} px - expected even sides - crop a line")
        self._target = Path(path)
        self._partial = self._target.with_name(f".rap-edge-{secrets.token_hex(6)}.part")
        self._width, self._height, self._fps, self._sample_rate = width, height, fps, sample_rate
        self._frames_written = self._samples_written = 0
        self._to_yuv = VideoReformatter()
        self._container: OutputContainer | None = None

    def __enter__(self) -> VideoWriter:
        try:
            with self._errors_named():
                self._open()
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                with self._errors_named():
                    self._finish()
        finally:
            self._discard()

    def write(self, image: NDArray[np.uint8], audio: NDArray[np.float32]) -> None:
        """Append a frame and the speech heard while it is shown.

        image: (H, W, 3) uint8 RGB; audio: (S,) float32 mono, clipped to [-1, 1], at `sample_rate`.
        """
        if self._container is None:
            raise StateError("the film is not open - expected a `with` block - write inside of it")
        if image.shape != (self._height, self._width, 3) or image.dtype != np.uint8:
            raise MediaError(
                f"frame {self._frames_written} is {image.shape} {image.dtype} - expected "
                f"({self._height}, {self._width}, 3) uint8 - pass RGB frames of the film's size"
            )
        with self._errors_named():
            self._container.mux(self._video.encode(self._video_frame(image)))
            if audio.size:
                self._container.mux(self._audio.encode(self._audio_frame(audio)))

    def _open(self) -> None:
        options = {"movflags": "+faststart"}
        self._container = av.open(str(self._partial), "w", format="mp4", options=options)
        self._container.metadata.update(made_by_ai.TAGS)
        self._video = self._add_video(self._container)
        self._audio = self._add_audio(self._container)

    def _add_video(self, container: OutputContainer) -> VideoStream:
        stream = container.add_stream("libx264", rate=self._fps)
        stream.width, stream.height, stream.pix_fmt = self._width, self._height, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "18"}
        codec = stream.codec_context
        codec.thread_count = 1
        codec.gop_size = 2 * self._fps
        codec.color_primaries = codec.color_trc = codec.colorspace = BT709
        codec.color_range = LIMITED_RANGE
        return stream

    def _add_audio(self, container: OutputContainer) -> AudioStream:
        stream = container.add_stream("aac", rate=AUDIO_RATE, layout="mono")
        stream.bit_rate = AAC_BITS_PER_SECOND
        return stream

    def _video_frame(self, image: NDArray[np.uint8]) -> VideoFrame:
        frame = self._to_yuv.reformat(
            VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
        )
        frame.pts, frame.time_base = self._frames_written, Fraction(1, self._fps)
        self._frames_written += 1
        return frame

    def _audio_frame(self, audio: NDArray[np.float32]) -> AudioFrame:
        samples = np.clip(audio, -1.0, 1.0).astype(np.float32, copy=False)
        frame = AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = self._sample_rate
        frame.pts, frame.time_base = self._samples_written, Fraction(1, self._sample_rate)
        self._samples_written += audio.size
        return frame

    def _finish(self) -> None:
        if self._container is None:
            return
        self._container.mux(self._video.encode(None))
        if self._samples_written:
            self._container.mux(self._audio.encode(None))
        self._container.close()
        self._container = None
        made_by_ai.append_xmp(self._partial)
        self._partial.replace(self._target)

    def _discard(self) -> None:
        if self._container is not None:
            with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
                self._container.close()
            self._container = None
        with contextlib.suppress(OSError):
            self._partial.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            reason = error.strerror or str(error)
            if error.errno in _STORAGE_FULL:
                hint = "expected room for the film - free some space or choose another disk"
            else:
                hint = "expected to write and encode there - check the folder and the disk"
            raise MediaError(f"{self._target} cannot be written ({reason}) - {hint}") from error
