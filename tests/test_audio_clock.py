"""Laws of the clock that follows an audio device; an hour of it is in cpp_ext/tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rap_edge._core import AudioClock
from rap_edge.errors import AudioError, StateError

MS = 1_000_000
SECOND = 1000 * MS


def followed(
    ppm: float, period_ms: int, jitter_ms: float, seconds: int
) -> tuple[AudioClock, float]:
    """Follow a device from the first call on; return its clock and the last error in ms."""
    rate = 48000
    noise = np.random.default_rng(3).uniform(-jitter_ms, jitter_ms, seconds * 1000 // period_ms)
    clock = AudioClock(rate)
    now = 0
    for call, late_ms in enumerate(noise):
        given_samples = call * period_ms * rate // 1000
        now = round(given_samples / (rate * (1 + ppm * 1e-6)) * SECOND) + SECOND
        clock.update(given_samples, now, round((50 + late_ms) * MS))
    truth = (now - SECOND - 50 * MS) / SECOND * rate * (1 + ppm * 1e-6)
    return clock, (clock.position(now) - truth) / rate * 1000


@pytest.mark.parametrize("period_ms", [10, 20])
@pytest.mark.parametrize("ppm", [-200, 0, 200])
def test_drift_is_found_under_jitter(ppm: float, period_ms: int) -> None:
    clock, error_ms = followed(ppm, period_ms, 10, 120)
    print(f"{ppm} ppm, {period_ms} ms: {error_ms:.3f} ms, {clock.drift_ppm:.1f} ppm")
    assert abs(error_ms) < 1
    assert clock.drift_ppm == pytest.approx(ppm, abs=15)
    assert clock.jitter_ms == pytest.approx(10 / 3**0.5, rel=0.25)
    assert (clock.steps, clock.jumps) == (0, 0)


@settings(deadline=None, max_examples=200)
@given(
    rate=st.integers(8000, 192000),
    calls=st.lists(
        st.tuples(
            st.integers(-5000, 50000),
            st.integers(0, 400 * MS),
            st.integers(0, 500 * MS),
            st.integers(-300 * MS, 300 * MS),
        ),
        max_size=80,
    ),
)
def test_the_position_never_goes_back(rate: int, calls: list[tuple[int, int, int, int]]) -> None:
    clock = AudioClock(rate)
    given_samples, now, before, most = 0, SECOND, 0, 0
    for samples, elapsed_ns, latency_ns, ahead_ns in calls:
        given_samples, now = max(0, given_samples + samples), now + elapsed_ns
        most = max(most, given_samples)
        clock.update(given_samples, now, latency_ns)
        position = clock.position(now + ahead_ns)
        assert before <= position <= most + rate // 4
        assert abs(clock.drift_ppm) <= 1000
        before = position


@pytest.mark.parametrize("step_ms", [-60, -20, 20, 60])
def test_a_step_is_taken_within_half_a_second(step_ms: int) -> None:
    clock = AudioClock(16000)
    for call in range(1000):
        clock.update(call * 160, call * 10 * MS, 100 * MS)
    for call in range(1000, 1050):
        clock.update(call * 160, call * 10 * MS, (100 - step_ms) * MS)
    now = 1049 * 10 * MS
    assert clock.steps == 1
    assert clock.jumps == 0
    assert clock.position(now) == pytest.approx(1049 * 160 - 1600 + step_ms * 16, abs=8)


def test_another_device_is_a_new_anchor_at_once() -> None:
    clock = AudioClock(16000)
    for call in range(100):
        clock.update(call * 160, call * 10 * MS, 250 * MS)
    clock.update(16000, SECOND, 20 * MS)
    assert clock.jumps == 1
    assert clock.position(SECOND) == pytest.approx(16000 - 320, abs=1)


def test_without_updates_it_stops() -> None:
    clock = AudioClock(16000)
    assert clock.position(SECOND) == 0
    clock.update(1600, SECOND, 100 * MS)
    assert clock.position(SECOND + 50 * MS) == 800
    assert clock.position(SECOND) == 800
    assert clock.position(100 * SECOND) == 1600 + 4000


def test_what_cannot_be_used_is_refused_and_changes_nothing() -> None:
    clock = AudioClock(16000)
    assert clock.sample_rate == 16000
    clock.update(160, SECOND)
    with pytest.raises(StateError, match="monotonic"):
        clock.update(320, SECOND - 1)
    for arguments in ((-1, SECOND), (320, -1), (320, SECOND, -1), (2**62, SECOND)):
        with pytest.raises(AudioError, match="expected 0 to"):
            clock.update(*arguments)
    with pytest.raises(AudioError, match="now_ns"):
        clock.position(-1)
    assert clock.position(SECOND) == 160
    for rate in (0, 768001):
        with pytest.raises(AudioError, match="sample_rate"):
            AudioClock(rate)
