"""Make clean speech sound like recordings: rooms, microphones, noise, codecs, levels."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

from rap_edge.training.speech import sounds
from rap_edge.training.speech.phones import SAMPLE_RATE, Samples, Utterance

_SHIFT_STEPS = 40


def shift(utterance: Utterance, factor: float) -> Utterance:
    """Play the utterance ``factor`` times faster: pitch and formants rise, times shrink."""
    down = max(1, round(factor * _SHIFT_STEPS))
    samples = resample_poly(utterance.samples, _SHIFT_STEPS, down).astype(np.float32)
    phones = tuple(phone.moved(0.0, _SHIFT_STEPS / down) for phone in utterance.phones)
    return Utterance(samples, phones, utterance.voice, utterance.text)


def augment(samples: Samples, rng: np.random.Generator) -> Samples:
    """Return the recording with a random chain of effects; timing stays, values are in -1..1."""
    sound = samples
    if rng.random() < 0.7:
        sound = equalize(sound, rng)
    if rng.random() < 0.45:
        sound = reverberate(sound, rng)
    if rng.random() < 0.6:
        sound = add_noise(sound, rng, float(rng.uniform(3.0, 40.0)))
    if rng.random() < 0.25:
        sound = through_telephone(sound, rng)
    sound = set_level(sound, float(rng.uniform(-30.0, 0.0)))
    if rng.random() < 0.06:
        sound = sound * float(rng.uniform(1.5, 4.0))
    return np.clip(sound, -1.0, 1.0).astype(np.float32)


def equalize(samples: Samples, rng: np.random.Generator) -> Samples:
    """Shape the spectrum by a smooth random curve of about +-8 dB."""
    n_fft = 512
    octaves = np.log2(np.linspace(0, SAMPLE_RATE / 2, n_fft // 2 + 1) + 60)
    knots = np.linspace(octaves[0], octaves[-1], 6)
    gain_db = np.interp(octaves, knots, rng.uniform(-8.0, 8.0, 6))
    impulse = np.fft.irfft(10 ** (gain_db / 20))
    window = np.hanning(n_fft)
    filtered = fftconvolve(samples, np.roll(impulse, n_fft // 2) * window)
    return filtered[n_fft // 2 : n_fft // 2 + len(samples)].astype(np.float32)


def reverberate(samples: Samples, rng: np.random.Generator) -> Samples:
    """Add a synthetic room: early reflections and a decaying tail after the direct sound."""
    decay_s, level = float(rng.uniform(0.1, 0.7)), float(rng.uniform(0.05, 0.5))
    n_tail = int(decay_s * SAMPLE_RATE)
    tail = rng.standard_normal(n_tail) * np.exp(-6.9 * np.arange(n_tail) / n_tail)
    tail[: int(rng.uniform(0.002, 0.02) * SAMPLE_RATE)] = 0.0
    tail *= level / (np.sqrt(np.square(tail).sum()) + 1e-9)
    tail[rng.integers(20, min(n_tail, 600), 4)] += rng.uniform(-0.3, 0.3, 4) * level
    tail[0] = 1.0
    return fftconvolve(samples, tail)[: len(samples)].astype(np.float32)


def add_noise(samples: Samples, rng: np.random.Generator, snr_db: float) -> Samples:
    """Add noise, or now and then music, ``snr_db`` under the speech."""
    make = sounds.music if rng.random() < 0.2 else sounds.noise
    sound = make(rng, len(samples))
    wanted = rms(samples) * 10 ** (-snr_db / 20)
    return samples + sound * np.float32(wanted / (rms(sound) + 1e-9))


def through_telephone(samples: Samples, rng: np.random.Generator) -> Samples:
    """Limit the band as a telephone or a cheap codec does, half of the time in mu-law steps."""
    low, high = float(rng.uniform(50, 300)), float(rng.uniform(3400, 6500))
    peak = float(np.abs(samples).max()) + 1e-9
    sos = butter(4, (low, high), "bandpass", fs=SAMPLE_RATE, output="sos")
    sound = sosfilt(sos, samples / peak)
    if rng.random() < 0.5:
        steps = np.round(np.sign(sound) * np.log1p(255 * np.abs(sound)) / np.log(256) * 127) / 127
        sound = np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255
    return (sound * peak).astype(np.float32)


def set_level(samples: Samples, peak_db: float) -> Samples:
    """Scale to a peak of ``peak_db`` dB below full scale."""
    peak = float(np.abs(samples).max())
    return samples if peak == 0 else samples * np.float32(10 ** (peak_db / 20) / peak)


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.square(samples, dtype=np.float64).mean())) if len(samples) else 0.0
