"""PCM to frames, chunk by chunk: synchronous, without threads, and without a clock of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rap_edge.config import ModelConfig
from rap_edge.errors import StateError
from rap_edge.runtime.features import HopStream
from rap_edge.runtime.frames import Frame
from rap_edge.runtime.stages import AudioStage, DecodeStage, DenoiseStage, Spoken

SILENCE_S = 0.32  # pushed at a time to bring out the last frames


class Renderer:
    """One stream of speech through one avatar: push audio, take frames, flush.

    Any way of cutting the same audio into pushes gives the same frames. The state is a few hundred
    hops, the audio of the frames to come and one chunk's noisy tails, however long the stream is.
    """

    def __init__(
        self,
        config: ModelConfig,
        features: HopStream,
        audio: AudioStage,
        denoise: DenoiseStage,
        decode: DecodeStage,
    ) -> None:
        self._timeline = config.timeline
        self._features, self._audio = features, audio
        self._denoise, self._decode = denoise, decode
        self._frame_samples = features.sample_rate // config.fps
        self.reset()

    def reset(self) -> None:
        """Forget the stream; the next push starts a new one at frame 0."""
        self._features.reset()
        self._audio_state = self._audio.initial()
        self._tails = self._denoise.initial()
        self._decoder_state = self._decode.initial()
        self._heard = np.zeros(0, np.float32)  # audio of the frames that are still to come
        self._pushed_samples = 0
        self._next_latent = 0
        self._next_frame = 0
        self._flushed = False

    @property
    def pushed_samples(self) -> int:
        """Samples pushed since the start of the stream, at the pushed rate."""
        return self._pushed_samples

    def push(self, pcm: NDArray[np.float32]) -> list[Frame]:
        """Take mono PCM (S,) in -1..1 and return the frames that it completes, oldest first."""
        if self._flushed:
            raise StateError("push after flush: the stream has ended - reset it to start another")
        hops = self._features.push(pcm)  # refuses bad samples before anything has changed
        self._heard = np.concatenate([self._heard, pcm])
        self._pushed_samples += len(pcm)
        return self._advance(hops)

    def flush(self) -> list[Frame]:
        """End the stream and return its last frames; silence fills what is missing."""
        if self._flushed:
            return []
        self._flushed = True
        last = -(-self._pushed_samples // self._frame_samples)
        missing = last * self._frame_samples - self._pushed_samples
        self._heard = np.concatenate([self._heard, np.zeros(missing, np.float32)])
        silence = np.zeros(int(SILENCE_S * self._features.sample_rate), np.float32)
        frames: list[Frame] = []
        while self._next_frame < last:
            frames += self._advance(self._features.push(silence))
        return frames

    def _advance(self, hops: NDArray[np.float32]) -> list[Frame]:
        ready, self._audio_state = self._audio.step(hops, self._audio_state)
        return [frame for spoken in ready for frame in self._show(spoken)]

    def _show(self, spoken: Spoken) -> list[Frame]:
        latents, self._tails = self._denoise.step(spoken, self._tails)
        frames: list[Frame] = []
        for latent in latents:
            if not self._wanted():
                break
            images, self._decoder_state = self._decode.step(latent, self._decoder_state)
            n_frames = len(self._timeline.frames_of(self._next_latent, 1))
            self._next_latent += 1
            frames += [self._frame(image) for image in images[-n_frames:] if self._wanted()]
        return frames

    def _wanted(self) -> bool:
        return len(self._heard) >= self._frame_samples

    def _frame(self, image: NDArray[np.uint8]) -> Frame:
        audio = self._heard[: self._frame_samples].copy()
        self._heard = self._heard[self._frame_samples :]
        index = self._next_frame
        self._next_frame += 1
        return Frame(image, audio, index, index / self._timeline.fps)
