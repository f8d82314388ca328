"""What comes out of a render: frames one by one, and the numbers of the whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Frame:
    """One video frame and the audio that is heard while it is shown."""

    image: NDArray[np.uint8]  # (H, W, 3) RGB
    audio: NDArray[np.float32]  # (S,) mono, exactly one frame long, at the rate that was pushed
    index: int
    seconds: float  # since the start of the stream


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
