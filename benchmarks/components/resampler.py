"""The streaming resampler beside soxr: CPU time of a block, and how clean what comes out is.

Speech at 24, 44.1 and 48 kHz comes in blocks of 20 ms and leaves at 16 kHz. soxr's HQ is what most
programs take; MQ is nearest to ours (16 bits, 96 dB; ours is 90 dB down from 8.4 kHz on).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import Resampler
from rap_edge.benchmarks.components.contest import (
    Contender,
    Settings,
    Turn,
    contest,
    optional,
    present,
)
from rap_edge.benchmarks.components.rows import Rows, agreed
from rap_edge.benchmarks.report.record import Result, Value

NAME = "resampler"
OURS = "rap-edge"
QUALITIES = ("HQ", "MQ")
RATES = (24_000, 44_100, 48_000)
OUT = 16_000
BLOCK_MS = 20
BLOCKS = 100
KEPT_HZ = (100, 440, 1000, 2500, 4000, 5500, 6500, 7000)
REMOVED_HZ = (8500, 9000, 9500, 10_000, 11_000, 11_900)
EDGE = 800  # samples at either end that are not compared; whole periods of a tone are between
ERROR = 1e-3
Samples = NDArray[np.float32]
Stream = Callable[[Samples, bool], Samples]


def measure(settings: Settings) -> list[Result]:
    """Let ours and soxr take turns at each rate."""
    found: list[Result] = []
    for rate in RATES:
        found += at_rate(rate, settings.seconds / len(RATES))
    return found


def at_rate(rate: int, seconds: float) -> list[Result]:
    """Return the rows of one rate."""
    blocks = list(cut(noise(rate), rate))
    streams: dict[str, Callable[[], Stream]] = {OURS: partial(ours, rate)}
    streams |= {f"soxr {quality}": partial(soxr_stream, rate, quality) for quality in QUALITIES}
    makers = {name: partial(_contender, name, start, blocks) for name, start in streams.items()}
    here, missing = present(makers, {name: "soxr" for name in streams if name != OURS})
    others = [one.name for one in here if one.name != OURS]
    errors = {other: _agreement(rate, other, streams[other]) for other in others}
    quality = {one.name: quality_of(rate, streams[one.name]) for one in here}
    rows = Rows(NAME, "us_per_call", contest(here, seconds))
    at = {"in_hz": float(rate)}
    mine = [
        rows.beside(OURS, other, {"error": errors[other], **quality[OURS]}, at) for other in others
    ] or [rows.alone(OURS, quality[OURS], at)]
    theirs = [rows.alone(other, quality[other], at) for other in others]
    return [*mine, *theirs, *rows.missing(missing, at)]


def ours(rate: int) -> Stream:
    """Start a stream of ours."""
    resampler = Resampler(rate, OUT)

    def push(pcm: Samples, last: bool) -> Samples:
        out = resampler.push(pcm)
        return np.concatenate([out, resampler.finish()]) if last else out

    return push


def soxr_stream(rate: int, quality: str) -> Stream:
    """Start a stream of soxr's."""
    stream = optional("soxr").ResampleStream(rate, OUT, 1, dtype="float32", quality=quality)

    def push(pcm: Samples, last: bool) -> Samples:
        out: Samples = stream.resample_chunk(pcm, last=last)
        return out

    return push


def quality_of(rate: int, start: Callable[[], Stream]) -> dict[str, Value]:
    """Return the worst error of tones that 16 kHz can hold, and what is left of those it cannot."""
    kept = [_decibels(_astray(_run(start(), tone(hz, rate)), hz)) for hz in KEPT_HZ]
    gone = [_decibels(_run(start(), tone(hz, rate))) for hz in REMOVED_HZ if hz < rate / 2]
    return {
        "passband_error_db": Value(max(kept), n=len(kept)),
        "alias_db": Value(max(gone), n=len(gone)),
        "trail_ms": Value(trail_ms(rate, start())),
    }


def trail_ms(rate: int, push: Stream) -> float:
    """Return how far what comes out is behind what went in, at most after a block."""
    pushed = made = 0
    behind = 0.0
    for block in cut(noise(rate), rate):
        pushed, made = pushed + len(block), made + len(push(block, False))
        behind = max(behind, 1000 * (pushed / rate - made / OUT))
    return behind


def tone(hz: float, rate: int) -> Samples:
    """Return a second of a sine at half of full scale."""
    wave = 0.5 * np.sin(2 * np.pi * hz * np.arange(rate) / rate)
    return np.asarray(wave, np.float32)


def noise(rate: int) -> Samples:
    """Return two seconds of seeded noise, nothing above 6 kHz."""
    n = BLOCKS * BLOCK_MS * rate // 1000
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(n))
    spectrum[np.fft.rfftfreq(n, 1 / rate) > 6000] = 0
    pcm = np.fft.irfft(spectrum, n)
    return np.asarray(0.3 * pcm / np.abs(pcm).max(), np.float32)


def cut(pcm: Samples, rate: int) -> Iterator[Samples]:
    """Yield blocks of 20 ms."""
    size = BLOCK_MS * rate // 1000
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size]


def _contender(name: str, start: Callable[[], Stream], blocks: list[Samples]) -> Contender:
    def begin() -> Turn:
        push = start()
        return lambda: [push(block, False) for block in blocks]

    return Contender(name, begin, len(blocks))


def _agreement(rate: int, other: str, start: Callable[[], Stream]) -> Value:
    pcm = noise(rate)
    mine, theirs = _run(ours(rate), pcm), _run(start(), pcm)
    return agreed(NAME, OURS, other, mine[EDGE:-EDGE], theirs[EDGE:-EDGE], ERROR)


def _run(push: Stream, pcm: Samples) -> NDArray[Any]:
    """Return the whole signal, at 16 kHz."""
    return push(pcm, True)


def _astray(heard: NDArray[Any], hz: float) -> NDArray[Any]:
    """Return what is left without the tone at its right level; its phase does not count."""
    turning = np.exp(2j * np.pi * hz * np.arange(len(heard)) / OUT)
    middle = slice(EDGE, len(heard) - EDGE)
    found = np.vdot(turning[middle], heard[middle])
    return np.asarray(heard - 0.5 * np.real(found / abs(found) * turning))


def _decibels(signal: NDArray[Any]) -> float:
    """Return the RMS of a signal in dB of that of a tone."""
    ratio = np.mean(np.square(signal[EDGE:-EDGE], dtype=np.float64)) / (0.5**2 / 2)
    return float(10 * np.log10(max(1e-30, ratio)))
