"""Laws of the streaming resampler."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rap_edge._core import Resampler
from rap_edge.errors import AudioError, StateError

RATES = (8000, 22050, 24000, 32000, 44100, 48000)
Signal = NDArray[np.float32]


def noise(n_samples: int) -> Signal:
    return np.random.default_rng(n_samples).uniform(-0.5, 0.5, n_samples).astype(np.float32)


def resampled(pcm: NDArray[np.generic], rate: int, cuts: list[int] | None = None) -> Signal:
    stream = Resampler(rate)
    pieces = [stream.push(piece) for piece in np.split(pcm, sorted(cuts or []))]  # type: ignore[arg-type]
    return np.concatenate([*pieces, stream.finish()])


def decibels(ratio: float) -> float:
    return 20 * float(np.log10(ratio))


def rms(signal: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(signal, dtype=np.float64))))


def tone(hz: float, rate: int, seconds: float = 0.5) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)


@pytest.mark.parametrize("rate", [*RATES, 16000])
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_any_split_gives_bitwise_the_same_samples(rate: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 6000), label="samples")
    cuts = data.draw(st.lists(st.integers(0, n), max_size=12), label="cuts")
    whole = resampled(noise(n), rate)
    assert len(whole) == -(-n * 16000 // rate)
    assert resampled(noise(n), rate, cuts).tobytes() == whole.tobytes()


def test_equal_rates_pass_unchanged() -> None:
    np.testing.assert_array_equal(resampled(noise(5000), 16000), noise(5000))
    assert Resampler(16000).latency_samples == 0


@pytest.mark.parametrize("rate", RATES)
def test_tones_keep_level_and_phase(rate: int) -> None:
    for hz in (100, 440, 1000, 3500, 7000):
        if hz <= 0.45 * min(rate, 16000):
            expected = tone(hz, 16000)[200:-200]
            error = resampled(tone(hz, rate).astype(np.float32), rate)[200:-200] - expected
            assert decibels(rms(expected) / rms(error)) > 90


@pytest.mark.parametrize("rate", RATES)
def test_a_sweep_stays_clean(rate: int) -> None:
    top_hz = 0.44 * min(rate, 16000)

    def sweep(at: int) -> NDArray[np.float64]:
        time_s = np.arange(at) / at
        return 0.5 * np.sin(2 * np.pi * (50 * time_s + (top_hz - 50) * time_s**2 / 2))

    error = (resampled(sweep(rate).astype(np.float32), rate) - sweep(16000))[200:-200]
    assert decibels(rms(sweep(16000)) / rms(error)) > 70


@pytest.mark.parametrize("rate", [22050, 24000, 32000, 44100, 48000])
def test_what_16_khz_cannot_hold_is_removed(rate: int) -> None:
    for hz in np.arange(8500, min(11500, rate / 2 - 10), 250):
        alias = resampled(tone(hz, rate).astype(np.float32), rate)[200:-200]
        assert decibels(rms(alias) / rms(tone(hz, rate))) < -90


def test_images_of_a_low_rate_are_removed() -> None:
    up = resampled(tone(3000, 8000, 1.0).astype(np.float32), 8000)[500:-500]
    spectrum = np.abs(np.fft.rfft(up * np.blackman(len(up))))
    hz = np.fft.rfftfreq(len(up), 1 / 16000)
    assert decibels(spectrum[hz > 4200].max() / spectrum.max()) < -90


@pytest.mark.parametrize("rate", RATES)
def test_an_impulse_stays_where_it_was(rate: int) -> None:
    pcm = np.zeros(rate // 2, np.float32)
    at = rate // 100 * 7  # 70 ms: a whole sample at every rate but 22.05 kHz
    pcm[at] = 1
    assert abs(int(np.argmax(resampled(pcm, rate))) - at * 16000 / rate) <= 0.5


@pytest.mark.parametrize("rate", RATES)
def test_the_stream_trails_by_its_latency(rate: int) -> None:
    stream = Resampler(rate)
    for piece in np.split(noise(6000), range(60, 6000, 60)):
        stream.push(piece)
        behind = stream.samples_in * 16000 / rate - stream.samples_out
        assert behind <= stream.latency_samples
    assert stream.latency_samples / 16000 < 0.006


@pytest.mark.parametrize("rate", RATES)
def test_a_constant_stays_constant(rate: int) -> None:
    middle = resampled(np.full(rate // 5, 0.25, np.float32), rate)[200:-200]
    np.testing.assert_allclose(middle, 0.25, atol=1e-6)


def test_integers_equal_floats() -> None:
    pcm16 = (noise(3000) * 32768).astype(np.int16)
    as_float = (pcm16 / np.float32(32768)).astype(np.float32)
    assert resampled(pcm16, 44100).tobytes() == resampled(as_float, 44100).tobytes()


def test_push_into_equals_push() -> None:
    stream = Resampler(48000)
    out = np.full(1000, np.nan, np.float32)
    n = stream.push_into(noise(2000), out)
    np.testing.assert_array_equal(out[:n], Resampler(48000).push(noise(2000)))
    with pytest.raises(AudioError, match="out has shape"):
        stream.push_into(noise(2000), out[:10])
    assert stream.samples_in == 2000
    assert stream.samples_for(300) == len(stream.push(noise(300)))


@pytest.mark.parametrize(
    "bad",
    [np.zeros(10), np.zeros((1, 10), np.float32), np.array([np.inf], np.float32), None],
    ids=["float64", "two_axes", "infinite", "none"],
)
def test_bad_audio_is_refused_and_changes_nothing(bad: object) -> None:
    stream = Resampler(44100)
    rows = [stream.push(noise(3000)[:1234])]
    with pytest.raises(AudioError):
        stream.push(bad)  # type: ignore[arg-type]
    rows += [stream.push(noise(3000)[1234:]), stream.finish()]
    assert np.concatenate(rows).tobytes() == resampled(noise(3000), 44100).tobytes()


@pytest.mark.parametrize("rates", [(0, 16000), (-8000, 16000), (48000, 0), (10**6, 16000)])
def test_impossible_rates_are_refused(rates: tuple[int, int]) -> None:
    with pytest.raises(AudioError, match="_rate is"):
        Resampler(*rates)


def test_rates_without_a_common_divisor_are_refused() -> None:
    with pytest.raises(AudioError, match="common divisor"):
        Resampler(767999, 767998)


def test_only_reset_follows_finish() -> None:
    stream = Resampler(48000)
    stream.finish()
    with pytest.raises(StateError):
        stream.push(noise(10))
    with pytest.raises(StateError):
        stream.finish()
    stream.reset()
    stream.push(noise(10))
