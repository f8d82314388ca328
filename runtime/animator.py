"""One chunk: from the hops that it hears to its frames, and what the next one continues from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic_ns
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rap_edge.config import ModelConfig
from rap_edge.runtime.backends import Array, Graph
from rap_edge.runtime.blinks import blinks
from rap_edge.runtime.levels import Level, low_latency
from rap_edge.runtime.script import Script
from rap_edge.runtime.stages import AudioStage, DecodeStage, DenoiseStage, Motion


@dataclass(frozen=True, eq=False)
class Past:
    """What the next chunk continues from; a stream goes back by taking up an older one."""

    motion: Motion
    decoder: Mapping[str, Array]


class Timings(Protocol):
    """Who is told how long each stage took."""

    def add(self, stage: str, start_ns: int, end_ns: int) -> None: ...


def _never() -> bool:
    return False


class Animator:
    """The stages of one stream, with buffers of their own: one thread at a time."""

    def __init__(
        self,
        config: ModelConfig,
        graphs: Mapping[str, Graph],
        reference: Mapping[str, Array],
        seed: int,
        timings: Timings | None = None,
    ) -> None:
        self._config = config
        self._seed = seed
        self._audio = AudioStage(graphs["audio"])
        self._denoise = DenoiseStage(config, graphs["denoiser"], reference["reference_map"], seed)
        self._decode = DecodeStage(graphs["decoder"], reference)
        self._timings = timings
        (hops,) = graphs["audio"].spec.inputs
        (frames,) = (t for t in graphs["decoder"].spec.outputs if t.name == "frames")
        self.hops_shape: tuple[int, ...] = tuple(hops.shape[1:])  # (H, M)
        self.latent_shape: tuple[int, ...] = tuple(frames.shape)  # (F, H, W, 3)

    def begin(self, silence: NDArray[np.float32]) -> Past:
        """Return the past of a stream: one window of silence (H, M hops), which nobody sees.

        So the first frame of speech needs no more audio than any other, and the head already moves.
        """
        tokens = self._audio.step(silence)
        motion = self._denoise.initial()
        latents, motion = self._denoise.step(tokens, motion, low_latency(self._config.sampler))
        past = Past(motion, self._decode.initial())
        if not past.decoder:
            return past
        unseen = np.empty(self.latent_shape, np.uint8)
        for latent in latents:
            past = Past(motion, self._decode.step(latent, past.decoder, unseen))
        return past

    def first_hop(self, frame: int, level: Level) -> int:
        """Return the first hop that the chunk from ``frame`` on hears at a level."""
        timeline, sampler = self._config.timeline, self._config.sampler
        inherited = (sampler.window - level.latents) * timeline.frames_per_latent
        left = self._config.audio.left_hops(timeline.hops_per_frame)
        return (frame - inherited) * timeline.hops_per_frame - left

    def hear(self, script: Script, frame: int, level: Level, out: NDArray[np.float32]) -> None:
        """Copy the hops (H, M) to ``out`` that the chunk from ``frame`` on hears at a level."""
        known = len(out) - level.spare_hops
        script.hops_into(self.first_hop(frame, level), out[:known])
        out[known:] = out[known - 1]

    def make(
        self,
        hops: NDArray[np.float32],
        past: Past,
        level: Level,
        out: NDArray[np.uint8],
        cancelled: Callable[[], bool] = _never,
        stir: float = 1.0,
    ) -> Past | None:
        """Make a chunk from its hops (H, M) into ``out`` (F, H, W, 3); None if it was cancelled."""
        start = monotonic_ns()
        tokens = self._audio.step(hops)
        start = self._tell("audio", start)
        if cancelled():
            return None
        latents, motion = self._denoise.step(tokens, past.motion, level, stir)
        self._tell("denoise", start)
        decoder, n_frames = past.decoder, self.latent_shape[0]
        for index, latent in enumerate(latents):
            if cancelled():
                return None
            start = monotonic_ns()
            place = out[index * n_frames : (index + 1) * n_frames]
            blink = self._blinks(past.motion.latent + index, level)
            decoder = self._decode.step(latent, decoder, place, blink)
            self._tell("decode", start)
        return Past(motion, decoder)

    def _blinks(self, latent: int, level: Level) -> bool:
        """Say whether eyes close in a latent: only where there is time to decode it once more."""
        can = self._decode.can_blink and level.steps >= self._config.sampler.steps
        return can and blinks(self._seed, latent)

    def _tell(self, stage: str, start: int) -> int:
        end = monotonic_ns()
        if self._timings is not None:
            self._timings.add(stage, start, end)
        return end
