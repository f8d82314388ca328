"""Colours of the mouth's interior, matched to the light of a portrait."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rap_edge.training.rig.head import FloatArray, Part

TEETH = (0.95, 0.91, 0.83)
GUMS = (0.72, 0.40, 0.38)
TONGUE = (0.72, 0.36, 0.36)
SOCKET = (0.42, 0.17, 0.16)
PLAIN_SKIN = (1.0, 0.78, 0.66)
TINT_SHARE = 0.4


def interior_palette(skin_pixels: NDArray[np.uint8]) -> FloatArray:
    """Return the lit colour (7, 3), RGB 0..255, of every `Part`.

    skin_pixels: (N, 3) of the face. Highlights tell how strong the light is, the skin's hue, half
    believed, its colour.
    """
    pixels = skin_pixels.astype(np.float32)
    luminance = pixels @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    bright = pixels[luminance >= np.percentile(luminance, 80)].mean(axis=0)
    strength = np.clip(1.15 * np.percentile(luminance, 95) + 20.0, 70.0, 235.0)
    tint = bright / np.array(PLAIN_SKIN)
    tint = np.clip(tint / max(float(tint.mean()), 1.0), 0.5, 1.5) ** TINT_SHARE
    palette = np.zeros((len(Part) + 1, 3), dtype=np.float32)
    for part, colour in (
        (Part.TEETH, TEETH),
        (Part.GUMS, GUMS),
        (Part.TONGUE, TONGUE),
        (Part.SOCKET, SOCKET),
    ):
        palette[part] = np.array(colour) * strength * tint
    return palette
