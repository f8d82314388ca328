"""How a variant was made smaller or faster: what is asked for, and what a bundle records of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Activations = Literal["float", "uint8", "int8"]


@dataclass(frozen=True)
class CalibrationPlan:
    """Who speaks, and how long: one in ``quiet_every`` is heard in silence, noise or music."""

    people: int = 12
    seconds: float = 3.0
    quiet_every: int = 4
    seed: int = 1


JUDGES = CalibrationPlan(people=2, seconds=1.0, quiet_every=9, seed=2)


@dataclass(frozen=True)
class Calibration:
    """What a plan came to: people and voices of the training split, and every call of a graph."""

    plan: CalibrationPlan
    voices: int
    chunks: int  # each runs every solver step
    silent_share: float
    sha256: str  # of every tensor that was shown, in order


@dataclass(frozen=True)
class Limits:
    """The least quality of a choice of layers, as predicted, and what more quality may cost.

    ``spare`` is the share of the time that int8 saves which is given back for quality in any case:
    a few layers cost much and save nothing.
    """

    frame_psnr_db: float = 38.0
    mouth_psnr_db: float = 35.0
    spare: float = 0.005


@dataclass(frozen=True)
class Quantization:
    """Settings of one variant; ``recipe`` names the arithmetic (docs/quantization.md)."""

    recipe: str
    graphs: tuple[str, ...]  # that were changed; the others stay as they were
    weight_bits: int | None = None  # None: as many as the arithmetic has
    activations: Activations = "float"
    kept: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # graph -> layers in float
    smoothing: float | None = None  # exponent that moves outliers from activations into weights
    limits: Limits | None = None  # what decided which layers are kept; None: nothing did
    judges: CalibrationPlan | None = None  # who said what a layer costs; None: nobody
    calibration: Calibration | None = None
    worst_nodes: tuple[str, ...] = ()  # graph/node, the costliest of those quantized first
    packages: Mapping[str, str] = field(default_factory=dict)
