"""Blinks: when eyes close, and the portrait with its lids shut that is shown then.

The model does not move the lids, so they are moved in what the decoder draws from. When an avatar
is made, its portrait goes through the graph `portrait` twice more, with the lids half and wholly
shut; a latent in which a blink falls is decoded with those. When that is follows from the seed and
the latent's index alone, as its noise does: a stream blinks where a recording does.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from rap_edge.eyes import SIDE, eyes_of, shut
from rap_edge.noise import SEEDS
from rap_edge.runtime.backends import Array, Graph

GRAPH = "eyes"
HALF, SHUT = "half.", "shut."
"""Prefixes of what the decoder is given while the lids are so far down."""
DRAWN_FROM = ("reference_image", "reference_features")
"""Outputs of the graph `portrait` that show the lids; the others say where the head is."""
HALF_AMOUNT, SHUT_AMOUNT = 0.55, 1.0

# In latents, of 160 ms in the default bundle: one blink begins in each stretch of time.
STRETCH, LATEST = 22, 13
DOUBLE_AFTER, DOUBLES = 2, 8  # one in so many is followed by another
_STREAM = 1  # of Philox: the noise of latents has 0


def blinks(seed: int, latent: int) -> bool:
    """Say whether a blink falls into latent ``latent`` of stream ``seed``."""
    if not 0 <= seed < SEEDS or latent < 0:
        raise ValueError(f"seed {seed}, latent {latent}: expected 0 to 2**64 - 1, and 0 or more")
    stretch, place = divmod(latent, STRETCH)
    key = np.array([seed, stretch], np.uint64)
    counter = np.array([0, 0, 0, _STREAM], np.uint64)
    when, twice = (
        int(v >> np.uint64(33)) for v in np.random.Philox(key=key, counter=counter).random_raw(2)
    )
    first = when % (LATEST + 1)
    return place == first or (twice % DOUBLES == 0 and place == first + DOUBLE_AFTER)


def closed_references(
    graphs: Mapping[str, Graph], image: NDArray[np.uint8], reference: Mapping[str, Array]
) -> dict[str, Array]:
    """Compute what the decoder draws from with the lids half and wholly shut.

    image: (H, W, 3) uint8 RGB, the square that is animated. Nothing comes back if the bundle cannot
    find eyes, if its decoder needs no portrait, or if the lids are not seen well enough.
    """
    drawn_from = [name for name in DRAWN_FROM if name in reference]
    if GRAPH not in graphs or not drawn_from:
        return {}
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    points = graphs[GRAPH].run({"image": np.asarray(small, np.uint8)[None]})["points"][0]
    eyes = eyes_of(image, points)
    if eyes is None:
        return {}
    found = {}
    for prefix, amount in ((HALF, HALF_AMOUNT), (SHUT, SHUT_AMOUNT)):
        closed = graphs["portrait"].run({"reference": shut(image, eyes, amount)[None]})
        found.update({prefix + name: closed[name] for name in drawn_from})
    return found
