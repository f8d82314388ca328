"""How faithful a decoded video is, in dB; what a VAE's evaluation finds for one clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rap_edge.evaluation.metrics import Video, psnr
from rap_edge.evaluation.regions import mouth_psnr


@dataclass(frozen=True)
class Fidelity:
    """PSNR in dB of the whole frame and of the mouth's crop."""

    frame_db: float
    mouth_db: float


@dataclass(frozen=True)
class VAEResult:
    """One clip: the portrait itself (the floor), decoded from label latents, encoded from pixels.

    labels is None for a VAE whose latents are not made of labels.
    """

    clip: str
    copy: Fidelity
    labels: Fidelity | None
    pixels: Fidelity


def fidelity(truth: Video, generated: Video, landmarks: NDArray[np.floating]) -> Fidelity:
    """Compare videos (F, H, H, 3) uint8; landmarks: (F, 68, 2) of the truth."""
    return Fidelity(psnr(truth, generated), mouth_psnr(truth, generated, landmarks))
