"""Hours of speech on disk with the expression that goes with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rap_edge.training import shards
from rap_edge.training.speech import motion, takes
from rap_edge.training.speech.coarticulation import FPS
from rap_edge.training.speech.phones import Samples
from rap_edge.training.speech.texts import Split

TAKE_S = 30.0


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
