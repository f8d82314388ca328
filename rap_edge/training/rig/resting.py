"""A closed, resting mouth for a fitted head."""

from __future__ import annotations

from rap_edge.training.rig.head import FloatArray

CALMED = {
    "jawOpen": 0.0,
    "mouthSmile": 0.35,
    "mouthUpperUp": 0.0,
    "mouthLowerDown": 0.0,
    "mouthStretch": 0.4,
    "mouthFunnel": 0.3,
    "mouthPucker": 0.5,
    "mouthShrugUpper": 0.3,
    "mouthClose": 0.0,
}


def calmed(expression: FloatArray, names: tuple[str, ...]) -> FloatArray:
    """Scale down what opens or widens the mouth of an expression (K,)."""
    calm = expression.copy()
    for k, name in enumerate(names):
        for stem, share in CALMED.items():
            if name == stem or name[:-2] == stem:
                calm[k] *= share
    return calm
