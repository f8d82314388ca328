"""What comes out: frames one by one, and the numbers of a whole render."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FPS = 25
FRAME_US = 1_000_000 // FPS


@dataclass(frozen=True, eq=False)
class Frame:
    """One video frame and the audio that is heard while it is shown."""

    # (H, W, 3) RGB, or as the stream's format says; (S,) mono, one frame long, at the pushed rate
    image: NDArray[np.uint8] = field(repr=False)
    audio: NDArray[np.float32] = field(repr=False)
    index: int
    is_speech: bool = True  # some of the audio was pushed
    end_of_speech: bool = False  # the last frame of its utterance
    utterance: int = 0  # id of what is spoken; 0 is none
    level: int = 0  # of the ladder at which it was made; 0 is the best
    late: bool = False  # the picture before stands in for it, or it came 40 ms after its time

    @property
    def pts_us(self) -> int:
        """Microseconds since the start of the stream."""
        return self.index * FRAME_US

    @property
    def seconds(self) -> float:
        """Seconds since the start of the stream."""
        return self.index / FPS

    @property
    def sample_rate(self) -> int:
        """Rate of the audio in Hz."""
        return len(self.audio) * FPS


@dataclass(frozen=True)
class Interruption:
    """What an interrupt found."""

    played_seconds: float  # of the utterance, that were heard
    dropped_frames: int  # made, and not shown
    latency_ms: float  # until nothing of it was left


@dataclass(frozen=True)
class RenderStats:
    """The numbers of one render.

    ``render_seconds`` is the time from PCM to RGB (features, audio encoder, denoiser, decoder):
    intake of the portrait, reading of the audio file and writing of the video are not in it.
    """

    frames: int
    fps: int
    width: int
    height: int
    audio_seconds: float
    render_seconds: float
    x_realtime: float  # audio_seconds / render_seconds
    backend: str
    bundle: str
