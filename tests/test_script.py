"""The script: every sample and every hop in its place, whatever was said, cut or silent."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rap_edge._core import FeatureSpec, offline_features
from rap_edge.errors import AudioError, StateError
from rap_edge.features import silent_hop
from rap_edge.runtime.script import REACH_SAMPLES, Script
from rap_edge.runtime.voice import Voice
from rap_edge.timeline import Timeline

RATE = 16000
FRAME = 640


def noise(samples: int, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(samples) * 0.1).clip(-1, 1).astype(np.float32)


def script(out_rate: int = RATE) -> Script:
    return Script(Timeline(), silent_hop(), out_rate)


def say(script: Script, voice: Voice, pcm: NDArray[np.float32]) -> None:
    voice.push(pcm)
    script.say(voice, voice.ready, 1)


def finish(script: Script, voice: Voice) -> None:
    voice.end()
    script.say(voice, voice.ready, 1)
    script.close(1)


def hops(script: Script, first: int, n: int) -> NDArray[np.float32]:
    out = np.empty((n, 80), np.float32)
    script.hops_into(first, out)
    return out


def heard(script: Script) -> NDArray[np.float32]:
    frames = range(script.first_frame, script.end_frame)
    return np.concatenate([script.frame(index).audio for index in frames])


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 9000), max_size=8), silence=st.integers(0, 5))
def test_hops_are_those_of_the_audio_as_it_is_heard(cuts: list[int], silence: int) -> None:
    pcm, told = noise(9000), script()
    told.be_silent(silence * FRAME)
    voice = Voice(RATE, RATE, RATE)
    edges = [0, *sorted(cuts), 9000]
    for start, end in itertools.pairwise(edges):
        say(told, voice, pcm[start:end])
    finish(told, voice)
    told.be_silent(10 * FRAME)
    audio = np.pad(pcm, (silence * FRAME, 20 * FRAME))
    n = (told.end - REACH_SAMPLES) // 160
    assert np.array_equal(hops(told, 0, n), offline_features(FeatureSpec.rap(), audio)[:n])
    assert np.array_equal(heard(told), audio[: told.end])


@pytest.mark.parametrize("rate", [8000, 22050, 24000, 44100, 48000])
@pytest.mark.parametrize("out_rate", [16000, 48000])
def test_both_rates_end_with_the_same_frame(rate: int, out_rate: int) -> None:
    told, voice = script(), Voice(rate, RATE, out_rate)
    for start in range(0, rate, 777):
        say(told, voice, noise(rate)[start : start + 777])
        assert told.end // FRAME == told.end_frame
    finish(told, voice)
    assert told.end == told.end_frame * FRAME == 25 * FRAME
    assert len(heard(told)) == out_rate
    assert [told.frame(index).ends for index in range(25)] == [False] * 24 + [True]


def test_what_is_pushed_comes_back_exactly_at_its_own_rate() -> None:
    told, voice, pcm = script(), Voice(44100, RATE, 44100), noise(44100)
    for start in range(0, 44100, 1001):
        say(told, voice, pcm[start : start + 1001])
    finish(told, voice)
    assert np.array_equal(heard(told), pcm)


@settings(max_examples=40, deadline=None)
@given(
    rate=st.sampled_from([16000, 22050, 48000]),
    pauses=st.lists(st.integers(1, 5000), min_size=1, max_size=5),
)
def test_an_utterance_that_runs_dry_goes_on_after_the_silence(rate: int, pauses: list[int]) -> None:
    """Nothing is lost: without the silence the audio is what was pushed."""
    told, voice, pcm = script(), Voice(rate, RATE, rate), noise(sum(pauses))
    start = 0
    for n in pauses:
        say(told, voice, pcm[start : start + n])
        told.be_silent(-told.end % FRAME + FRAME)
        start += n
    finish(told, voice)
    spoken = np.concatenate([[np.float32(0)], heard(told)])
    assert np.array_equal(spoken[spoken != 0], pcm[pcm != 0])
    assert told.end == told.end_frame * FRAME


@settings(max_examples=40, deadline=None)
@given(said=st.integers(1, 30), asked=st.integers(0, 30), kept=st.integers(0, 30))
def test_a_cut_leaves_no_trace(said: int, asked: int, kept: int) -> None:
    kept = min(kept, said)
    asked = min(asked, said)
    told, voice, pcm = script(), Voice(RATE, RATE, RATE), noise(said * FRAME)
    say(told, voice, pcm)
    if asked * 4 > 2:
        hops(told, 0, asked * 4 - 2)
    told.cut(kept)
    assert told.end == kept * FRAME
    assert told.end_frame == kept
    told.be_silent(20 * FRAME)
    again = Voice(RATE, RATE, RATE)
    other = noise(3000, seed=1)
    say(told, again, other)
    audio = np.concatenate([pcm[: kept * FRAME], np.zeros(20 * FRAME, np.float32), other])
    n = (told.end - REACH_SAMPLES) // 160
    expected = offline_features(FeatureSpec.rap(), audio)[:n]
    assert np.array_equal(hops(told, 0, n), expected)


def test_before_the_stream_is_silence() -> None:
    told = script()
    told.be_silent(20 * FRAME)
    assert np.array_equal(hops(told, -30, 40), np.tile(silent_hop(), (40, 1)))


def test_what_is_not_decided_cannot_be_heard() -> None:
    told = script()
    told.be_silent(FRAME)
    with pytest.raises(StateError, match="script ends at sample 640"):
        hops(told, 0, 8)


def test_an_hour_costs_the_memory_of_a_second() -> None:
    told, voice = script(), Voice(48000, RATE, 48000)
    sizes = []
    for second in range(60):
        say(told, voice, noise(48000))
        hops(told, 100 * second - 150, 182)
        told.forget(25 * second)
        sizes.append(len(told._frames) + sum(map(len, told._backlog)) + len(told._recent))
    assert max(sizes[30:]) <= max(sizes[:30])


def test_an_end_that_comes_late_is_told_by_the_next_frame() -> None:
    told, voice = script(), Voice(RATE, RATE, RATE)
    say(told, voice, noise(FRAME))
    told.forget(1)
    finish(told, voice)
    told.be_silent(2 * FRAME)
    assert [(told.frame(i).utterance, told.frame(i).ends) for i in (1, 2)] == [
        (1, True),
        (0, False),
    ]


def test_a_rate_that_cannot_be_resampled_is_refused() -> None:
    with pytest.raises(AudioError, match="11025"):
        Voice(11025, RATE, RATE)
