"""Laws of the hops that a stream keeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rap_edge._core import FeatureWindow
from rap_edge.errors import AudioError, ConfigError, StateError

Hops = NDArray[np.float32]
M = 5
SILENCE = np.arange(-M, 0, dtype=np.float32)
CALLS = st.lists(
    st.tuples(
        st.sampled_from(["append", "truncate", "drop", "window"]),
        st.integers(-5, 30),
        st.integers(-5, 30),
    ),
    max_size=60,
)


class Model:
    """All hops that ever came; the first are gone."""

    def __init__(self, capacity: int) -> None:
        self.capacity, self.first = capacity, 0
        self.hops: Hops = np.empty((0, M), np.float32)

    def append(self, hops: Hops) -> bool:
        if len(self.hops) - self.first + len(hops) > self.capacity:
            return False
        self.hops = np.concatenate([self.hops, hops])
        return True

    def truncate(self, end: int) -> bool:
        if not self.first <= end <= len(self.hops):
            return False
        self.hops = self.hops[:end]
        return True

    def drop_before(self, first: int) -> bool:
        if first > len(self.hops):
            return False
        self.first = max(self.first, first)
        return True

    def window(self, first: int, n: int) -> Hops | None:
        indices = range(first, first + n)
        if any(0 <= i < self.first or i >= len(self.hops) for i in indices):
            return None
        rows = [SILENCE if i < 0 else self.hops[i] for i in indices]
        return np.array(rows, np.float32).reshape(n, M)


def accepted(call: object, *arguments: object) -> bool:
    try:
        call(*arguments)  # type: ignore[operator]
    except StateError:
        return False
    return True


def windows_agree(window: FeatureWindow, model: Model, first: int, n: int) -> None:
    expected = model.window(first, n)
    if expected is None:
        with pytest.raises(StateError):
            window.window(first, n)
        return
    np.testing.assert_array_equal(window.window(first, n), expected)
    out = np.full((n + 1, M), 9, np.float32)
    window.window_into(first, n, out)
    np.testing.assert_array_equal(out[:n], expected)
    assert (out[n] == 9).all()


@settings(deadline=None, max_examples=300)
@given(calls=CALLS, capacity=st.integers(1, 24))
def test_any_window_is_what_was_appended(calls: list[tuple[str, int, int]], capacity: int) -> None:
    window, model = FeatureWindow(SILENCE, capacity), Model(capacity)
    stream = np.random.default_rng(1)
    for call, a, b in calls:
        n, near_end = max(0, a), model.first + b
        if call == "append":
            hops = stream.uniform(-1, 1, (n, M)).astype(np.float32)
            assert accepted(window.append, hops) == model.append(hops)
        elif call == "truncate":
            assert accepted(window.truncate, near_end) == model.truncate(near_end)
        elif call == "drop":
            assert accepted(window.drop_before, near_end) == model.drop_before(near_end)
        else:
            windows_agree(window, model, near_end, n)
        assert (window.first, window.end) == (model.first, len(model.hops))
    windows_agree(window, model, model.first, len(model.hops) - model.first)


def test_an_hour_fits_in_a_small_window() -> None:
    window = FeatureWindow(SILENCE, 64)
    stream = np.arange(360000 * M, dtype=np.float32).reshape(-1, M)
    for end in range(40, 360001, 40):
        window.append(stream[end - 40 : end])
        window.drop_before(end - 24)
    np.testing.assert_array_equal(window.window(window.first, 24), stream[-24:])
    assert (window.capacity, window.n_mels) == (64, M)


def test_before_the_stream_there_is_silence() -> None:
    window = FeatureWindow(SILENCE, 8)
    assert (window.window(-1000, 1000) == SILENCE).all()
    assert window.window(0, 0).shape == (0, M)
    window.append(np.ones((3, M), np.float32))
    window.drop_before(1)
    assert (window.window(-3, 3) == SILENCE).all()
    with pytest.raises(StateError, match="still there"):
        window.window(-3, 4)


def test_no_room_is_said_and_drops_nothing() -> None:
    window = FeatureWindow(SILENCE, 8)
    window.append(np.ones((6, M), np.float32))
    with pytest.raises(StateError, match="drop_before"):
        window.append(np.ones((3, M), np.float32))
    assert (window.first, window.end) == (0, 6)


def test_what_cannot_be_used_is_refused_and_changes_nothing() -> None:
    window = FeatureWindow(SILENCE, 8)
    nan = np.full((1, M), np.nan, np.float32)
    for hops in (nan, np.ones((2, M)), np.ones((2, M + 1), np.float32), SILENCE, [[0.0] * M]):
        with pytest.raises(AudioError):
            window.append(hops)  # type: ignore[arg-type]
    for out in (np.zeros((2, M), np.float32), np.zeros((3, M)), np.zeros((3, M + 1), np.float32)):
        with pytest.raises(AudioError, match="out"):
            window.window_into(-3, 3, out)  # type: ignore[arg-type]
    assert window.end == 0
    for capacity in (0, 1000001):
        with pytest.raises(ConfigError, match="capacity_hops"):
            FeatureWindow(SILENCE, capacity)
    with pytest.raises(ConfigError, match="n_mels"):
        FeatureWindow(SILENCE[:0], 8)
    with pytest.raises(AudioError, match="finite"):
        FeatureWindow(nan[0], 8)
