"""Hours of speech on disk with the expression that goes with it, and windows drawn from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rap_edge.errors import ConfigError
from rap_edge.training import shards
from rap_edge.training.speech import motion, takes
from rap_edge.training.speech.coarticulation import FPS
from rap_edge.training.speech.phones import SAMPLE_RATE, Samples
from rap_edge.training.speech.texts import Split

TAKE_S = 30.0
_FRAME_SAMPLES = SAMPLE_RATE // FPS


@dataclass(frozen=True)
class Window:
    """Sound (S,) int16 at 16 kHz and what it adds to a resting face, (F, 57); S = 640 F."""

    audio: npt.NDArray[np.int16]
    expression_delta: npt.NDArray[np.float32]


def to_int16(samples: Samples) -> npt.NDArray[np.int16]:
    return np.asarray(np.clip(np.round(samples * 32767), -32767, 32767), np.int16)


@dataclass(frozen=True)
class Maker:
    """Writes a shard of takes of 30 s: ``audio`` int16, ``expression`` float16 (750, 57)."""

    split: Split
    names: tuple[str, ...]
    recordings_folder: Path | None

    def __call__(self, path: Path, seeds: Sequence[int]) -> None:
        audio, expression, about = [], [], []
        for seed in seeds:
            take = takes.take(seed, self.split, TAKE_S, self.recordings_folder)
            moved = motion.drive(take, seed, round(TAKE_S * FPS), self.names)
            audio.append(to_int16(take.samples))
            expression.append(moved.expression_delta.astype(np.float16))
            about.append(
                {
                    "seed": seed,
                    "voice": take.voice,
                    "text": take.text,
                    "condition": take.condition,
                    "phones": [
                        (p.name, round(p.start_s, 4), round(p.end_s, 4)) for p in take.phones
                    ],
                }
            )
        arrays = {"audio": np.stack(audio), "expression": np.stack(expression)}
        shards.write(path, arrays, about)


def speech_stream(folder: Path, seed: int, seconds: float, per_shard: int = 64) -> Iterator[Window]:
    """Draw windows of ``seconds`` for ever, fixed by the seed, from the speech shards of a folder.

    A shard is read whole and gives ``per_shard`` windows in a row; half of the windows get another
    level. Raises ConfigError if the folder has no shards.
    """
    rng = np.random.default_rng((seed, 0x73747265))
    n_frames = round(seconds * FPS)
    found = shards.paths(folder)
    if not found:
        raise ConfigError(f"{folder} has no shards - expected speech - run rap-edge data speech")
    while True:
        shard = shards.Shard(found[int(rng.integers(len(found)))])
        audio, expression = shard.whole("audio"), shard.whole("expression")
        for _ in range(per_shard):
            take = int(rng.integers(len(shard)))
            start = int(rng.integers(expression.shape[1] - n_frames + 1))
            sound = audio[take, start * _FRAME_SAMPLES : (start + n_frames) * _FRAME_SAMPLES]
            if rng.random() < 0.5:
                gain = 10 ** (rng.uniform(-12.0, 6.0) / 20)
                sound = to_int16(np.clip(sound / np.float32(32767) * np.float32(gain), -1, 1))
            delta = expression[take, start : start + n_frames].astype(np.float32)
            yield Window(sound, delta)
