"""A closed, resting mouth for a fitted head."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from rap_edge.training.rig.head import FloatArray

WIDENING = {"mouthSmile": 0.5, "mouthStretch": 0.5}
OPENING = {
    "jawOpen": 0.0,
    "mouthUpperUp": 0.0,
    "mouthLowerDown": 0.0,
    "mouthShrugUpper": 0.0,
    "mouthFunnel": 0.3,
    "mouthPucker": 0.5,
    "mouthClose": 0.0,
}
LARGEST_CLOSING = 0.6
STEPS = 12


def resting(
    expression: FloatArray, names: tuple[str, ...], gap: Callable[[FloatArray], float]
) -> FloatArray:
    """Calm an expression (K,) just as far as it takes to close the lips.

    gap: how far an expression leaves the lips apart, negative when they touch. A smile is halved;
    then what opens the mouth is taken back as far as needed; then `mouthClose` is added.
    """
    calm = _scaled(expression, names, WIDENING)
    shut = _scaled(calm, names, OPENING)
    if gap(shut) < 0:
        return _first_closed(calm, shut, gap)
    pressed = shut.copy()
    pressed[names.index("mouthClose")] = LARGEST_CLOSING
    return _first_closed(shut, pressed, gap)


def _scaled(
    expression: FloatArray, names: tuple[str, ...], shares: Mapping[str, float]
) -> FloatArray:
    factors = [shares.get(name, shares.get(name[:-2], 1.0)) for name in names]
    return (expression * np.array(factors)).astype(np.float32)


def _first_closed(
    start: FloatArray, end: FloatArray, gap: Callable[[FloatArray], float]
) -> FloatArray:
    """Find the expression nearest to `start`, on the way to `end`, with closed lips."""
    if gap(start) < 0:
        return start
    opened, closed = 0.0, 1.0
    for _ in range(STEPS):
        middle = (opened + closed) / 2
        if gap(start + np.float32(middle) * (end - start)) < 0:
            closed = middle
        else:
            opened = middle
    return np.asarray(start + np.float32(closed) * (end - start), dtype=np.float32)
