"""What is evaluated: anything that turns a portrait and speech into frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16000
FPS = 25

Picture = NDArray[np.uint8]
Samples = NDArray[np.float32]


class Talker(Protocol):
    """Frames of a portrait that speaks."""

    def __call__(self, reference: Picture, samples: Samples, seed: int) -> Iterator[Picture]:
        """Yield a frame (H, H, 3) uint8 RGB for each 40 ms.

        reference: (H, H, 3) uint8 RGB, cropped as in training; samples: (S,) float32 at 16 kHz.
        """


def bundle_talker(bundle: str | None, precision: str | None = None) -> Talker:
    """Open a bundle (None is the default one) and speak through its runtime.

    Without ``precision``, in that of the variant which the runtime would take.
    """
    import rap_edge
    from rap_edge.portrait import Crop

    model = rap_edge.open(bundle, precision=precision)

    def speak(reference: Picture, samples: Samples, seed: int) -> Iterator[Picture]:
        avatar = model.avatar(reference, crop=Crop(0, 0, reference.shape[0]))
        for frame in avatar.render(samples, sample_rate=SAMPLE_RATE, seed=seed):
            yield frame.image

    return speak


def checkpoint_talker(checkpoint: Path) -> Talker:
    """Load a checkpoint folder and speak through the offline pipeline in torch."""
    from rap_edge._core import FeatureSpec, offline_features
    from rap_edge.models.checkpoint import load_checkpoint
    from rap_edge.reference import render

    model = load_checkpoint(checkpoint)

    def speak(reference: Picture, samples: Samples, seed: int) -> Iterator[Picture]:
        hops = offline_features(FeatureSpec.rap(), samples)
        yield from render(model, reference, hops, model.config.timeline.frames(len(samples)), seed)

    return speak
