"""Utterances: whose turn it is to be said, and what is refused without a trace."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.config import TINY
from rap_edge.errors import AudioError, BackpressureError, ConfigError
from rap_edge.runtime import Avatar, Frame, low_latency

RATE = 16000

Speech = Callable[..., NDArray[np.float32]]


def heard(frames: list[Frame]) -> NDArray[np.float32]:
    return np.concatenate([frame.audio for frame in frames])


def ends(frames: list[Frame]) -> list[int]:
    return [frame.utterance for frame in frames if frame.end_of_speech]


def test_a_stale_utterance_is_refused(stage: Any, speech: Speech) -> None:
    stream = stage.open()
    first = stream.begin()
    assert stream.push_audio(speech(900), RATE, first)
    second = stream.begin()
    assert second > first
    assert not stream.push_audio(speech(900), RATE, first)
    assert not stream.flush(first)
    assert not stream.push_audio(speech(900), RATE, second + 1)
    assert stream.push_audio(speech(900), RATE, second)
    assert stream.flush(second)
    assert not stream.push_audio(speech(900), RATE, second)
    assert not stream.flush(second)
    assert {frame.utterance for frame in stage.finish(stream, second)} == {second}


def test_begin_drops_what_was_left(stage: Any, speech: Speech) -> None:
    stream = stage.open()
    utterance = stream.begin()
    stream.push_audio(speech(RATE * 3), RATE, utterance)
    stream.flush(utterance)
    first = [stage.pull(stream) for _ in range(7)]
    pcm = speech(RATE, seed=1)
    second = stage.say(stream, pcm)
    assert {frame.utterance for frame in first} == {1}
    assert np.array_equal(heard(second)[:RATE], pcm)
    assert ends(first + second) == [2]


def test_nothing_of_it_leaves_after_an_interrupt(stage: Any, speech: Speech) -> None:
    stream = stage.open()
    utterance = stream.begin()
    stream.push_audio(speech(RATE * 3), RATE, utterance)
    frames = [stage.pull(stream) for _ in range(10)]
    found = stream.interrupt()
    assert found.played_seconds == pytest.approx(0.4)
    assert found.dropped_frames >= 0
    assert found.latency_ms >= 0
    assert not stream.push_audio(speech(640), RATE, utterance)
    assert not stream.flush(utterance)
    after = [stage.pull(stream) for _ in range(12)]
    assert {frame.utterance for frame in frames} == {utterance}
    assert {frame.utterance for frame in after} == {0}
    assert not heard(after).any()
    assert stream.stats().interrupts == 1


def test_an_interrupt_without_speech_does_nothing(stage: Any) -> None:
    stream = stage.open()
    assert (stream.interrupt().played_seconds, stream.interrupt().dropped_frames) == (0.0, 0)
    for _ in range(6):
        stage.pull(stream)
    found = stream.interrupt()
    assert found.played_seconds == 0.0
    assert not stage.pull(stream).is_speech


def test_the_mouth_closes_step_by_step_after_an_interrupt(stage: Any, speech: Speech) -> None:
    stream = stage.open()
    loud = np.full(RATE, 0.5, np.float32) * np.sign(speech(RATE))
    stream.push_audio(loud, RATE)
    spoken = [stage.pull(stream) for _ in range(8)]
    stream.interrupt()
    after = [stage.pull(stream) for _ in range(8)]
    red = [int(frame.image[0, 0, 0]) for frame in [spoken[-1], *after]]
    whole = abs(red[0] - red[-1])
    assert whole > 30
    assert max(abs(a - b) for a, b in itertools.pairwise(red)) <= whole * 2 / 5 + 2


def test_a_flush_of_nothing_ends_the_utterance(stage: Any, speech: Speech) -> None:
    stream = stage.open()
    assert not stream.flush()
    utterance = stream.begin()
    assert stream.flush(utterance)
    assert not stream.flush(utterance)
    frames = [stage.pull(stream) for _ in range(8)]
    assert not heard(frames).any()
    assert len(ends(frames)) <= 1
    assert len(stage.say(stream, speech(RATE))) == 25


def test_no_samples_are_a_push(stage: Any, speech: Speech) -> None:
    stream = stage.open()
    utterance = stream.begin()
    nothing = np.zeros(0, np.float32)
    assert stream.push_audio(nothing, RATE, utterance)
    assert stream.push_audio(b"", RATE, utterance)
    assert stream.push_audio(speech(640), RATE, utterance)
    assert stream.push_audio(nothing, RATE, utterance)
    assert stream.flush(utterance)
    assert np.array_equal(heard(stage.finish(stream, utterance)), speech(640))


def test_a_push_without_a_name_belongs_to_what_is_open(stage: Any, speech: Speech) -> None:
    stream = stage.open()
    pcm = speech(RATE)
    assert stream.push_audio(pcm[:5000], RATE)
    assert stream.push_audio(pcm[5000:], RATE)
    assert stream.flush()
    assert np.array_equal(heard(stage.finish(stream, 1)), pcm)
    assert stream.push_audio(pcm, RATE)
    assert stream.flush(2)


BAD = [
    (np.zeros(9, np.float64), RATE, "float64"),
    (np.zeros((9, 2), np.float32), RATE, r"\(9, 2\)"),
    (np.array([0, np.nan], np.float32), RATE, "sample 1 is nan"),
    (np.array([np.inf], np.float32), RATE, "inf"),
    (b"abc", RATE, "3 bytes"),
    ([0.5], RATE, "list"),
    (np.zeros(9, np.float32), 12345, "sample_rate is 12345"),
    (np.zeros(9, np.float32), None, "sample_rate is None"),
]


@pytest.mark.parametrize(("audio", "rate", "message"), BAD)
def test_bad_audio_changes_nothing(
    stage: Any, speech: Speech, audio: Any, rate: Any, message: str
) -> None:
    stream, pcm = stage.open(), speech(RATE)
    utterance = stream.begin()
    stream.push_audio(pcm[:3000], RATE, utterance)
    for named in (utterance, None):
        with pytest.raises(AudioError, match=message):
            stream.push_audio(audio, rate, named)
    stream.push_audio(pcm[3000:], RATE, utterance)
    stream.flush(utterance)
    with pytest.raises(AudioError, match=message):
        stream.push_audio(audio, rate)
    assert np.array_equal(heard(stage.finish(stream, utterance)), pcm)


def test_another_rate_within_an_utterance_is_refused(stage: Any, speech: Speech) -> None:
    stream, pcm = stage.open(), speech(RATE)
    utterance = stream.begin()
    stream.push_audio(pcm, RATE, utterance)
    with pytest.raises(AudioError, match="sample_rate is 24000: expected 16000"):
        stream.push_audio(pcm, 24000, utterance)
    stream.flush(utterance)
    assert np.array_equal(heard(stage.finish(stream, utterance)), pcm)


def test_more_than_is_kept_is_refused(stage: Any, speech: Speech) -> None:
    stream, pcm = stage.open(max_queued_seconds=1.0), speech(RATE)
    utterance = stream.begin()
    stream.push_audio(pcm, RATE, utterance)
    with pytest.raises(BackpressureError, match=r"2\.0 s .* expected 1 s at most"):
        stream.push_audio(pcm, RATE, utterance)
    for _ in range(5):
        stage.pull(stream)
    assert stream.push_audio(pcm[:3200], RATE, utterance)
    stream.flush(utterance)
    rest = heard(stage.finish(stream, utterance))
    assert np.array_equal(rest, np.concatenate([pcm, pcm[:3200]])[3200:])


def test_one_push_of_more_than_is_kept_leaves_what_is_said(stage: Any, speech: Speech) -> None:
    stream, pcm = stage.open(max_queued_seconds=1.0), speech(RATE)
    stream.push_audio(pcm, RATE)
    stream.flush()
    with pytest.raises(BackpressureError):
        stream.push_audio(speech(RATE * 2), RATE)
    assert np.array_equal(heard(stage.finish(stream, 1)), pcm)


@pytest.mark.parametrize("lookahead_ms", [0, 40, 80])
def test_less_look_ahead_gives_the_frames_of_render(
    stage: Any, avatar: Avatar, speech: Speech, lookahead_ms: int
) -> None:
    """A chunk that waits for less hears the same in a stream and in a recording."""
    frames = stage.say(stage.open(lookahead_ms=lookahead_ms), speech(2 * RATE))
    level = low_latency(TINY.sampler, spare_hops=8 - lookahead_ms // 10)
    rendered = list(avatar.render(speech(2 * RATE), sample_rate=RATE, level=level))
    assert len(frames) == len(rendered) == 50
    assert all(np.array_equal(a.image, b.image) for a, b in zip(frames, rendered, strict=True))


@pytest.mark.parametrize("lookahead_ms", [-10, 45, 90])
def test_a_look_ahead_that_the_model_does_not_have_is_refused(
    avatar: Avatar, lookahead_ms: int
) -> None:
    with pytest.raises(ConfigError, match="expected 0 to 80 in steps of 10"):
        avatar.open_stream(lookahead_ms=lookahead_ms)
