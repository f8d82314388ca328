"""Real recordings with a transcript: phone times from an alignment to a synthetic reading.

flite reads the transcript; MFCC frames of both are aligned by dynamic time warping (Sakoe and
Chiba 1978) and the phone times carried over to the recording.
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

import av
import numba
import numpy as np
import numpy.typing as npt
from scipy.fft import dct

from rap_edge.training.speech import flite
from rap_edge.training.speech.phones import PAUSE, SAMPLE_RATE, Phone, Samples, Utterance

_HOP = 80
_HOP_S = _HOP / SAMPLE_RATE
_WINDOW = 400
_READERS = ("slt", "rms", "awb")
_QUIET_DB = -32.0

Array = npt.NDArray[np.float32]


@functools.cache
def aligned(folder: Path) -> tuple[Utterance, ...]:
    """Return the transcribed recordings of a folder (``ljspeech_metadata.csv``), aligned."""
    with (folder / "ljspeech_metadata.csv").open(encoding="utf8", newline="") as file:
        rows = list(csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE))
    return tuple(align(read(folder / f"{row[0]}.flac"), row[2], row[0]) for row in rows)


def read(path: Path) -> Samples:
    """Read a recording as (S,) mono at 16 kHz."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
        frames = [*container.decode(audio=0), None]
        blocks = [out.to_ndarray()[0] for frame in frames for out in resampler.resample(frame)]
    return np.concatenate(blocks).astype(np.float32)


def align(samples: Samples, transcript: str, name: str) -> Utterance:
    """Return the recording with the phones of its transcript at the times where they sound.

    The times are medians of what several readings, which all have the same phones, say.
    """
    here = _sounding_span(samples)
    readings = [flite.speak(transcript, reader) for reader in _READERS]
    phones = _sounding(readings[0])
    edges = [_edges(reading, samples, here) for reading in readings]
    agreeing = [times for times in edges if len(times) == len(phones) + 1]
    times = np.maximum.accumulate(np.median(agreeing, axis=0))
    inside = [Phone(p.name, a, b) for p, a, b in zip(phones, times, times[1:], strict=False)]
    kept = [phone for phone in inside if phone.end_s > phone.start_s]
    before = Phone(PAUSE, 0.0, kept[0].start_s)
    after = Phone(PAUSE, kept[-1].end_s, len(samples) / SAMPLE_RATE)
    return Utterance(samples, (before, *kept, after), f"recording/{name}", transcript)


def _sounding(reading: Utterance) -> list[Phone]:
    """Return the phones of a reading without the pauses at both ends."""
    sounds = [index for index, phone in enumerate(reading.phones) if phone.name != PAUSE]
    return list(reading.phones[sounds[0] : sounds[-1] + 1])


def _edges(reading: Utterance, samples: Samples, here: _Span) -> npt.NDArray[np.float64]:
    """Return where each phone of the reading starts in the recording, and where the last ends."""
    phones = _sounding(reading)
    there = _Span(phones[0].start_s, phones[-1].end_s)
    path = _warp(_mfcc(there.cut(reading.samples)), _mfcc(here.cut(samples)))
    known = np.unique(path[:, 0])
    matched = np.array([path[path[:, 0] == k, 1].mean() for k in known])
    edges = np.array([*(phone.start_s for phone in phones), there.end_s]) - there.start_s
    found = here.start_s + np.interp(edges / _HOP_S, known, matched) * _HOP_S
    return np.asarray(np.minimum(found, here.end_s), np.float64)


@dataclass(frozen=True)
class _Span:
    start_s: float
    end_s: float

    def cut(self, samples: Samples) -> Samples:
        return samples[round(self.start_s * SAMPLE_RATE) : round(self.end_s * SAMPLE_RATE)]


def _sounding_span(samples: Samples) -> _Span:
    """Return from where to where the recording is not quiet."""
    level = 20 * np.log10(np.sqrt(np.square(_frames(samples)).mean(1)) + 1e-6)
    loud = np.flatnonzero(level > level.max() + _QUIET_DB) * _HOP_S
    return _Span(float(loud[0]), float(loud[-1]) + _HOP_S)


def _frames(samples: Samples) -> Array:
    padded = np.pad(samples, (_WINDOW // 2, _WINDOW // 2 + _HOP))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    return np.asarray(windows, np.float32)


def _mfcc(samples: Samples) -> Array:
    """Return 13 cepstra and their slopes every 5 ms, each of zero mean and unit variance."""
    emphasized = np.append(samples[:1], samples[1:] - 0.97 * samples[:-1]).astype(np.float32)
    power = np.abs(np.fft.rfft(_frames(emphasized) * np.hanning(_WINDOW), 512)) ** 2
    cepstra = dct(np.log(power @ _mel_weights(257) + 1e-7), norm="ortho")[:, :13]
    slopes = np.gradient(cepstra, axis=0) * 3
    both = np.hstack((cepstra, slopes))
    return ((both - both.mean(0)) / (both.std(0) + 1e-6)).astype(np.float32)


def _mel_weights(n_bins: int, n_mels: int = 30) -> Array:
    """Return triangles (n_bins, n_mels) evenly spaced in mel between 80 and 7600 Hz."""
    mel = np.linspace(1127 * np.log1p(80 / 700), 1127 * np.log1p(7600 / 700), n_mels + 2)
    edges = 700 * np.expm1(mel / 1127)
    hertz = np.linspace(0, SAMPLE_RATE / 2, n_bins)[:, None]
    rising = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    return np.maximum(np.minimum(rising, falling), 0).astype(np.float32)


def _warp(a: Array, b: Array) -> npt.NDArray[np.int64]:
    """Return the cheapest monotonic path of index pairs between two sequences."""
    cost = np.sqrt(np.maximum(np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * a @ b.T, 0))
    return np.asarray(_cheapest_path(cost.astype(np.float32)), np.int64)


@numba.njit(cache=True)
def _cheapest_path(cost):  # type: ignore[no-untyped-def]
    n, m = cost.shape
    total = np.full((n + 1, m + 1), np.inf)
    total[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            step = min(total[i - 1, j - 1], total[i - 1, j] + 0.3, total[i, j - 1] + 0.3)
            total[i, j] = cost[i - 1, j - 1] + step
    path = np.zeros((n + m, 2), np.int64)
    i, j, length = n, m, 0
    while i > 0 and j > 0:
        path[length] = (i - 1, j - 1)
        length += 1
        diagonal, up, left = total[i - 1, j - 1], total[i - 1, j] + 0.3, total[i, j - 1] + 0.3
        if diagonal <= up and diagonal <= left:
            i, j = i - 1, j - 1
        elif up <= left:
            i -= 1
        else:
            j -= 1
    return path[:length][::-1].copy()
