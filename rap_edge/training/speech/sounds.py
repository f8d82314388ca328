"""Sounds that no mouth makes: coloured noise, hum, clicks and music."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rap_edge.training.speech.phones import SAMPLE_RATE, Samples

Signal = npt.NDArray[np.float64]

_SCALE = (0, 2, 4, 5, 7, 9, 11)
_CHORDS = ((0, 2, 4), (3, 5, 7), (4, 6, 8), (5, 7, 9), (1, 3, 5))


def noise(rng: np.random.Generator, n_samples: int) -> Samples:
    """Return noise of a random colour with hum, clicks or slow swells, peak 1."""
    sound: Signal = coloured(rng, n_samples, float(rng.uniform(-2.0, 0.0))).astype(np.float64)
    time = np.arange(n_samples) / SAMPLE_RATE
    if rng.random() < 0.4:
        mains = float(rng.choice([50.0, 60.0, 100.0, 120.0]))
        sound = sound + sum(
            rng.uniform(0, 0.3) * np.sin(2 * np.pi * mains * k * time) for k in range(1, 6)
        )
    if rng.random() < 0.4:
        sound = sound + _clicks(rng, n_samples)
    if rng.random() < 0.5:
        swell_hz = rng.uniform(0.1, 3.0)
        sound = sound * (1 + 0.8 * np.sin(2 * np.pi * swell_hz * time + rng.uniform(0, 6)))
    return _peak_one(sound)


def coloured(rng: np.random.Generator, n_samples: int, exponent: float) -> Samples:
    """Return noise whose power falls as frequency to ``exponent`` (0 white, -1 pink, -2 brown)."""
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    hertz = np.maximum(np.fft.rfftfreq(n_samples, 1 / SAMPLE_RATE), 30.0)
    return _peak_one(np.fft.irfft(spectrum * hertz ** (exponent / 2), n_samples))


def music(rng: np.random.Generator, n_samples: int) -> Samples:
    """Return a bar of chords, a melody and perhaps drums, over and over, peak 1."""
    root, beat_s = float(rng.uniform(110, 240)), float(rng.uniform(0.25, 0.6))
    sound = np.zeros(n_samples)
    partials = rng.uniform(0, 1, 6) / np.arange(1, 7) ** rng.uniform(0.5, 2.0)
    partials[0] = 1.0
    for beat in range(int(n_samples / SAMPLE_RATE / beat_s) + 1):
        start = int(beat * beat_s * SAMPLE_RATE)
        if beat % 4 == 0:
            for degree in _CHORDS[int(rng.integers(len(_CHORDS)))]:
                _note(sound, start, 4 * beat_s, _pitch(root, degree), partials, 0.25)
        if rng.random() < 0.75:
            pitch = _pitch(2 * root, int(rng.integers(0, 10)))
            _note(sound, start, beat_s * rng.uniform(0.5, 1.5), pitch, partials, 0.5)
    if rng.random() < 0.5:
        sound = sound + 0.4 * _drums(rng, n_samples, beat_s)
    return _peak_one(sound)


def _pitch(root_hz: float, degree: int) -> float:
    return float(root_hz * 2 ** (degree // 7 + _SCALE[degree % 7] / 12))


def _note(
    sound: Signal,
    start: int,
    seconds: float,
    hertz: float,
    partials: Signal,
    level: float,
) -> None:
    n = min(int(seconds * SAMPLE_RATE), len(sound) - start)
    if n <= 0:
        return
    time = np.arange(n) / SAMPLE_RATE
    tones = sum(p * np.sin(2 * np.pi * hertz * (k + 1) * time) for k, p in enumerate(partials))
    envelope = np.minimum(time / 0.02, 1) * np.exp(-2.5 * time / seconds)
    sound[start : start + n] += level * envelope * tones


def _drums(rng: np.random.Generator, n_samples: int, beat_s: float) -> Signal:
    hits = np.zeros(n_samples)
    period = int(beat_s * SAMPLE_RATE)
    hits[::period] = 1.0
    hits[period // 2 :: period] = rng.uniform(0, 0.6)
    decay = np.exp(-np.arange(2400) / rng.uniform(150, 600)) * rng.standard_normal(2400)
    return np.convolve(hits, decay)[:n_samples]


def _clicks(rng: np.random.Generator, n_samples: int) -> Signal:
    hits = (rng.random(n_samples) < rng.uniform(0.5, 6) / SAMPLE_RATE) * rng.uniform(0.3, 1.5)
    ring = np.exp(-np.arange(800) / rng.uniform(20, 200)) * rng.standard_normal(800)
    return np.convolve(hits, ring)[:n_samples]


def _peak_one(sound: Signal) -> Samples:
    return (sound / (np.abs(sound).max() + 1e-9)).astype(np.float32)
