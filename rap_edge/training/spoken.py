"""Windows of log-mel and mouth shapes, drawn from speech shards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rap_edge._core import FeatureSpec, offline_features
from rap_edge.config import ModelConfig
from rap_edge.errors import ConfigError
from rap_edge.training.shards import Shard, paths


def log_mel(audio: NDArray[np.int16]) -> NDArray[np.float32]:
    """int16 (S,) at 16 kHz -> (F, M) float32, the features of ``rap_edge._core``."""
    return offline_features(FeatureSpec.rap(), audio.astype(np.float32) / np.float32(32768))


class SpeechSource:
    """Hours of speech in memory: log-mel of every take, and the weights that move the mouth.

    ``mouth`` are the indices of those weights among the head's.
    """

    def __init__(self, folder: Path, config: ModelConfig, mouth: Sequence[int]) -> None:
        self.audio, self.timeline = config.audio, config.timeline
        hops, weights = [], []
        for path in paths(folder):
            shard = Shard(path)
            hops += [log_mel(take).astype(np.float16) for take in shard.whole("audio")]
            weights += list(shard.whole("expression").astype(np.float16))
        if not hops:
            raise ConfigError(f"{folder} has no shards: run rap-edge data make speech first")
        self.hops, self.weights = hops, weights
        self.mouth = np.array(mouth)

    def balance(self) -> Tensor:
        """Return a factor a weight (K,), so that the jaw counts most and a rare pucker counts."""
        deviation = np.concatenate(self.weights[:200]).astype(np.float32).std(0)[self.mouth]
        return torch.from_numpy(1 / np.sqrt(np.maximum(deviation, 0.01) * deviation.max()))

    def draw(self, rng: np.random.Generator, n: int, frames: int) -> tuple[Tensor, Tensor]:
        """Return log-mel (N, H, M) as the audio encoder reads it, and shapes (N, F, K)."""
        per_frame = self.timeline.hops_per_frame
        left = self.audio.left_hops(per_frame)
        length = self.audio.window_hops(frames * self.audio.tokens_per_frame, per_frame)
        first_frame = -(-left // per_frame)
        hops, shapes = [], []
        for _ in range(n):
            take = int(rng.integers(len(self.hops)))
            last = (len(self.hops[take]) - length + left) // per_frame
            frame = int(rng.integers(first_frame, last))
            start = frame * per_frame - left
            hops.append(self.hops[take][start : start + length].astype(np.float32))
            shown = self.weights[take][frame : frame + frames]
            shapes.append(shown[:, self.mouth].astype(np.float32))
        level = rng.normal(0, 0.7, (n, 1, 1)).astype(np.float32)
        return torch.from_numpy(np.stack(hops) + level), torch.from_numpy(np.stack(shapes))
