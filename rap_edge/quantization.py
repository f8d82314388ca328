"""How a variant was made smaller or faster: what a bundle records of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Calibration:
    """The stream that showed which values occur: held-in people and voices, speech and silence."""

    people: int
    voices: int
    chunks: int  # each runs every solver step
    silent_share: float
    seed: int
    sha256: str  # of every tensor that was shown, in order


@dataclass(frozen=True)
class Quantization:
    """Settings of one variant; ``recipe`` names the arithmetic (docs/quantization.md)."""

    recipe: str
    graphs: tuple[str, ...]  # that were changed; the others stay as they were
    kept: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by graph: left in float
    smoothing: float | None = None  # exponent that moves outliers from activations into weights
    calibration: Calibration | None = None
    worst_nodes: tuple[str, ...] = ()  # graph/node, the costliest of those quantized first
    packages: Mapping[str, str] = field(default_factory=dict)
