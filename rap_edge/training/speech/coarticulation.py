"""From phones to a moving mouth: visemes that lead their sound and pull on their neighbours.

Every viseme holds its targets over its phone and lets go exponentially outside; a channel is the
mean of all targets weighted by their dominance there. Lip closures are then made complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from rap_edge.training.speech import visemes
from rap_edge.training.speech.phones import SAMPLE_RATE, Phone, Samples

Array = npt.NDArray[np.float32]

GRID_HZ = 100
FPS = 25
_LEAD_S = np.array([0.040, 0.035, 0.060, 0.050, 0.020], np.float32)  # by visemes.GROUPS
_RELEASE_S = np.array([0.045, 0.035, 0.080, 0.060, 0.022], np.float32)
_TRAIL_S = np.array([0.020, 0.015, 0.010, 0.015, 0.005], np.float32)
_GROUP_OF = [visemes.GROUPS.index(group) for group, _ in visemes.CHANNELS.values()]
_CLOSURE_S = 0.046  # longer than a frame, so that at least one frame shows it
_RAMP_S = 0.045
_OPENERS = ("jaw", "lower", "upper", "funnel")
_CLOSED = {"PP": (1.0, 1.0, 1.0, 0.8), "FF": (0.75, 1.0, 0.2, 0.8)}


@dataclass(frozen=True)
class Style:
    """How a person articulates; 1 is the table of visemes."""

    amplitude: float = 1.0
    jaw: float = 1.0
    lips: float = 1.0
    rounding: float = 1.0
    spread: float = 1.0
    loudness: float = 0.5
    lead_s: float = 0.0

    @staticmethod
    def draw(rng: np.random.Generator) -> Style:
        """Draw a style: amplitude 0.75-1.25 and smaller preferences of jaw and lips."""
        return Style(
            amplitude=float(rng.uniform(0.75, 1.25)),
            jaw=float(rng.uniform(0.88, 1.12)),
            lips=float(rng.uniform(0.85, 1.15)),
            rounding=float(rng.uniform(0.85, 1.15)),
            spread=float(rng.uniform(0.8, 1.2)),
            loudness=float(rng.uniform(0.3, 0.7)),
            lead_s=float(rng.uniform(-0.01, 0.01)),
        )

    def gains(self) -> Array:
        """Return a factor for every channel."""
        groups = {"jaw": self.jaw, "lips": self.lips, "round": self.rounding}
        groups |= {"spread": self.spread, "press": 1.0 / self.amplitude}
        gains = [self.amplitude * groups[group] for group, _ in visemes.CHANNELS.values()]
        return np.array(gains, np.float32)


@dataclass(frozen=True)
class _Events:
    """Visemes in time: index into visemes.NAMES, start, end (s) and strength of the vowels."""

    viseme: npt.NDArray[np.intp]
    start_s: Array
    end_s: Array
    strength: Array


def channels(
    phones: Sequence[Phone],
    samples: Samples,
    n_frames: int,
    style: Style = Style(),
) -> Array:
    """Return the channels (n_frames, channels) at the middle of every video frame."""
    n_steps = n_frames * GRID_HZ // FPS
    events = _events(phones, samples, n_steps / GRID_HZ, style.loudness)
    times = ((np.arange(n_steps) + 0.5) / GRID_HZ + style.lead_s).astype(np.float32)
    targets = visemes.target_table()[events.viseme] * style.gains() * events.strength[:, None]
    dominance = visemes.dominance_table()[events.viseme]
    blended = np.empty((n_steps, targets.shape[1]), np.float32)
    for group in range(len(visemes.GROUPS)):
        weights = _dominance(events, times, group) * dominance[:, group]
        columns = [c for c, g in enumerate(_GROUP_OF) if g == group]
        total = weights.sum(1, keepdims=True) + 1e-6
        blended[:, columns] = (weights @ targets[:, columns]) / total
    smooth = gaussian_filter1d(blended, 1.2, axis=0, mode="nearest")
    closed = _close(smooth, events, times)
    step = GRID_HZ // FPS
    middle = closed[step // 2 - 1 :: step] + closed[step // 2 :: step]
    return np.asarray(middle[:n_frames] / 2, np.float32)


def _events(
    phones: Sequence[Phone], samples: Samples, duration_s: float, loudness: float
) -> _Events:
    rows: list[tuple[int, float, float]] = []
    for phone in phones:
        names = visemes.visemes_of(phone.name) or ("AX",)
        edges = np.linspace(phone.start_s, phone.end_s, len(names) + 1)
        for name, start, end in zip(names, edges[:-1], edges[1:], strict=True):
            rows.append((visemes.NAMES.index(name), float(start), float(end)))
    first = rows[0][1] if rows else duration_s
    last = rows[-1][2] if rows else duration_s
    sil = visemes.NAMES.index("sil")
    rows = [(sil, -1.0, first), *rows, (sil, last, max(last, duration_s) + 1.0)]
    index, start, end = (np.array(column) for column in zip(*rows, strict=True))
    strength = _strength(start, end, samples, loudness)
    return _Events(index, start.astype(np.float32), end.astype(np.float32), strength)


def _strength(
    start_s: npt.NDArray[np.float64],
    end_s: npt.NDArray[np.float64],
    samples: Samples,
    loudness: float,
) -> Array:
    """Return the level of each event against the usual level of the speech, as a factor."""
    energy = np.concatenate(([0.0], np.cumsum(np.square(samples, dtype=np.float64))))
    edges = np.clip(np.stack((start_s, end_s)) * SAMPLE_RATE, 0, len(samples)).astype(int)
    mean = (energy[edges[1]] - energy[edges[0]]) / np.maximum(edges[1] - edges[0], 1)
    level = 10 * np.log10(mean + 1e-8)
    loud = level[level > level.max() - 20] if len(level) else level
    return np.clip(1 + loudness * (level - np.median(loud)) / 20, 0.75, 1.2).astype(np.float32)


def _dominance(events: _Events, times: Array, group: int) -> Array:
    """Return (times, events): 1 from the lead to the end of a phone, falling off outside."""
    before = (events.start_s - _LEAD_S[group]) - times[:, None]
    after = times[:, None] - np.maximum(
        events.end_s - _LEAD_S[group] + _TRAIL_S[group], events.start_s - _LEAD_S[group] + 0.01
    )
    distance = np.maximum(np.maximum(before, after), 0.0)
    return np.exp(-np.minimum(distance / _RELEASE_S[group], 30.0))


def _close(curves: Array, events: _Events, times: Array) -> Array:
    """Take what opens the mouth away while the lips must touch each other or the teeth."""
    for name, keep in _CLOSED.items():
        chosen = events.viseme == visemes.NAMES.index(name)
        if not chosen.any():
            continue
        start, end = events.start_s[chosen] - 0.015, events.end_s[chosen] - 0.015
        middle, half = (start + end) / 2, np.maximum(end - start, _CLOSURE_S) / 2
        distance = np.abs(times[:, None] - middle) - half
        gate = (1 - np.clip(distance / _RAMP_S, 0.0, 1.0)).max(1)
        gate = gate * gate * (3 - 2 * gate)
        for channel, amount in zip(_OPENERS, keep, strict=True):
            curves[:, list(visemes.CHANNELS).index(channel)] *= 1 - amount * gate
    return curves
