"""Laws of the ring between the thread that makes samples and the one that plays them."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rap_edge._core import PcmRing
from rap_edge.errors import AudioError, ConfigError

Signal = NDArray[np.float32]
RATE = 16000
SIZES = st.integers(0, 90)
CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), SIZES),
        st.tuples(st.just("read"), SIZES),
        st.tuples(st.just("clear"), st.integers(0, 40)),
    ),
    max_size=60,
)


class Model:
    """The ring with lists: what is queued, what is fading, and the room that a clear takes."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.queued: list[float] = []
        self.cleared: list[float] = []
        self.fade: list[float] = []
        self.fade_samples: int | None = None
        self.played = self.underflows = 0

    @property
    def free(self) -> int:
        return self.capacity - len(self.queued) - len(self.cleared) - len(self.fade)

    def write(self, pcm: Signal) -> int:
        taken = min(len(pcm), self.free)
        self.queued += pcm[:taken].tolist()
        return taken

    def clear(self, fade_samples: int) -> None:
        self.cleared += self.queued
        self.queued = []
        self.fade_samples = fade_samples

    def read(self, n: int) -> list[float]:
        clearing = bool(self.cleared or self.fade)
        if self.cleared and not self.fade and self.fade_samples is not None:
            size = min(self.fade_samples, len(self.cleared))
            gains = np.arange(size - 1, -1, -1, dtype=np.float32) / np.float32(max(1, size))
            old = np.array(self.cleared[:size], np.float32)
            self.fade, self.cleared = (old * gains).tolist(), self.cleared[size:]
        out, self.fade = self.fade[:n], self.fade[n:]
        if not self.fade:
            self.cleared = []
            rest = n - len(out)
            out, self.queued = out + self.queued[:rest], self.queued[rest:]
        self.played += len(out)
        self.underflows += len(out) < n and not clearing
        return out


@settings(deadline=None, max_examples=300)
@given(calls=CALLS, capacity=st.integers(1, 128))
def test_it_is_a_queue_that_fades_when_cleared(calls: list[tuple[str, int]], capacity: int) -> None:
    ring = PcmRing(capacity, RATE)
    model = Model(ring.capacity)
    pcm = np.random.default_rng(1).uniform(-1, 1, 10000).astype(np.float32)
    for call, n in calls:
        if call == "write":
            taken = model.write(pcm[:n])
            assert ring.write(pcm[:n].copy()) == taken
            pcm = pcm[taken:]
        elif call == "clear":
            ring.clear(n)
            model.clear(n)
        else:
            out = np.full(n, 9, np.float32)
            heard = model.read(n)
            assert ring.read_into(out) == len(heard)
            np.testing.assert_array_equal(out[: len(heard)], np.array(heard, np.float32))
            assert not out[len(heard) :].any()
        assert (ring.fill, ring.free) == (len(model.queued), model.free)
        assert (ring.played, ring.underflows) == (model.played, model.underflows)


@pytest.mark.parametrize(("asked", "capacity"), [(1, 1), (2, 2), (3, 4), (1000, 1024)])
def test_the_capacity_is_a_power_of_two(asked: int, capacity: int) -> None:
    ring = PcmRing(asked, RATE)
    assert (ring.capacity, ring.free, ring.fill, ring.sample_rate) == (capacity, capacity, 0, RATE)


def test_what_is_missing_is_silence_or_left_alone() -> None:
    ring = PcmRing(8, RATE)
    ring.write(np.ones(2, np.float32))
    out = np.full(4, 9, np.float32)
    assert ring.read_into(out, fill_silence=False) == 2
    assert out.tolist() == [1, 1, 9, 9]
    assert ring.read_into(out) == 0
    assert out.tolist() == [0, 0, 0, 0]


def test_after_a_clear_only_the_fade_is_heard() -> None:
    ring = PcmRing(16000, RATE)
    ring.write(np.ones(8000, np.float32))
    ring.clear()
    ring.write(np.full(100, 0.5, np.float32))
    out = np.empty(300, np.float32)
    assert ring.read_into(out) == 260
    np.testing.assert_allclose(out[:160], np.arange(159, -1, -1) / 160, rtol=1e-6)
    assert (out[160:260] == 0.5).all()
    assert ring.played == 260
    assert ring.underflows == 0


def test_a_second_thread_hears_every_sample_in_order() -> None:
    ring = PcmRing(512, RATE)
    heard: list[Signal] = []

    def read() -> None:
        out = np.empty(160, np.float32)
        while sum(map(len, heard)) < 20000:
            heard.append(out[: ring.read_into(out)].copy())

    reader = threading.Thread(target=read)
    reader.start()
    pcm = np.arange(20000, dtype=np.float32)
    at = 0
    while at < len(pcm):
        at += ring.write(pcm[at : at + 100])
    reader.join()
    np.testing.assert_array_equal(np.concatenate(heard), pcm)


def test_what_cannot_be_used_is_refused_and_changes_nothing() -> None:
    ring = PcmRing(64, RATE)
    bad = np.array([0, np.nan], np.float32)
    for pcm in (bad, np.zeros(4), np.zeros(4, np.int16), np.zeros((2, 2), np.float32), [0.0]):
        with pytest.raises(AudioError):
            ring.write(pcm)  # type: ignore[arg-type]
    read_only = np.zeros(4, np.float32)
    read_only.flags.writeable = False
    for out in (np.zeros(4), np.zeros(8, np.float32)[::2], read_only):
        with pytest.raises(AudioError):
            ring.read_into(out)  # type: ignore[arg-type]
    for fade_samples in (-1, 65536):
        with pytest.raises(ConfigError, match="fade_samples"):
            ring.clear(fade_samples)
    assert (ring.fill, ring.played, ring.underflows) == (0, 0, 0)
    for capacity in (0, -1, 2**28 + 1):
        with pytest.raises(ConfigError, match="capacity_samples"):
            PcmRing(capacity, RATE)
    for rate in (0, 768001):
        with pytest.raises(AudioError, match="sample_rate"):
            PcmRing(64, rate)
