"""PCM to frames, chunk by chunk: synchronous, without threads, and without a clock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rap_edge.config import ModelConfig
from rap_edge.errors import StateError
from rap_edge.runtime.animator import Animator
from rap_edge.runtime.frames import Frame
from rap_edge.runtime.levels import Level
from rap_edge.runtime.script import Script, right_context
from rap_edge.runtime.voice import Voice, check_rate

UTTERANCE = 1


class FrameStream:
    """One stream of speech through one avatar: push audio, take frames, flush.

    Any way of cutting the same audio into pushes gives the same frames. The state is the audio that
    is not shown yet, a few hundred hops and one chunk's noisy past, however long the stream is.
    """

    def __init__(
        self,
        config: ModelConfig,
        animator: Animator,
        silence: NDArray[np.float32],
        sample_rate: int,
        level: Level,
    ) -> None:
        """``silence`` (M,) is the hop of digital silence."""
        check_rate(sample_rate)
        self._timeline = config.timeline
        self._animator, self._level = animator, level
        self._silence, self._sample_rate = silence, sample_rate
        self._hops = np.empty(animator.hops_shape, np.float32)
        self._n_frames = level.latents * config.timeline.frames_per_latent
        self._context = right_context(config, level.spare_hops)
        self.reset()

    def reset(self) -> None:
        """Forget the stream; the next push starts a new one at frame 0."""
        rate = self._timeline.sample_rate
        self._script = Script(self._timeline, self._silence, self._sample_rate)
        self._voice = Voice(self._sample_rate, rate, self._sample_rate)
        self._hops[:] = self._silence
        self._past = self._animator.begin(self._hops)
        self._next_frame = 0

    @property
    def pushed_seconds(self) -> float:
        """Seconds of audio pushed since the start of the stream."""
        return self._voice.pushed_seconds

    def push(self, pcm: NDArray[np.float32]) -> list[Frame]:
        """Take mono PCM (S,) in -1..1 and return the frames that it completes, oldest first."""
        if self._voice.ended:
            raise StateError("push after flush: the stream has ended - reset it to start another")
        self._voice.push(pcm)
        self._script.say(self._voice, self._voice.ready, UTTERANCE)
        return self._advance()

    def flush(self) -> list[Frame]:
        """End the stream and return its last frames; silence fills what is missing."""
        if self._voice.ended:
            return []
        self._voice.end()
        self._script.say(self._voice, self._voice.ready, UTTERANCE)
        self._script.close(UTTERANCE)
        last = self._script.end_frame
        frames: list[Frame] = []
        while self._next_frame < last:
            self._script.be_silent(self._timeline.frame_samples)
            frames += self._advance()
        return [frame for frame in frames if frame.index < last]

    def _advance(self) -> list[Frame]:
        frames: list[Frame] = []
        while self._chunk_end + self._context <= self._script.end:
            frames += self._chunk()
        return frames

    @property
    def _chunk_end(self) -> int:
        return (self._next_frame + self._n_frames) * self._timeline.frame_samples

    def _chunk(self) -> list[Frame]:
        self._animator.hear(self._script, self._next_frame, self._level, self._hops)
        images = np.empty((self._n_frames, *self._animator.latent_shape[1:]), np.uint8)
        past = self._animator.make(self._hops, self._past, self._level, images)
        assert past is not None  # nothing cancels it
        self._past = past
        frames = [self._frame(image) for image in images]
        self._script.forget(self._next_frame)
        return frames

    def _frame(self, image: NDArray[np.uint8]) -> Frame:
        heard, index = self._script.frame(self._next_frame), self._next_frame
        self._next_frame += 1
        return heard.beside(image, index)
