"""What a live stream says and shows: every sample and every frame, once, in its place.

The clock of most of these streams stands still until a picture is made, so nothing is late.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge._core import FeatureSpec, offline_features
from rap_edge.config import TINY
from rap_edge.errors import AudioError, ConfigError
from rap_edge.runtime import Avatar, Frame, low_latency
from rap_edge.runtime.voice import SAMPLE_RATES

RATE = 16000
PAINTED_BIN = 8

Speech = Callable[..., NDArray[np.float32]]


def heard(frames: list[Frame]) -> NDArray[np.float32]:
    return np.concatenate([frame.audio for frame in frames])


def ends(frames: list[Frame]) -> list[int]:
    return [frame.utterance for frame in frames if frame.end_of_speech]


def test_a_live_stream_shows_what_render_does(stage: Any, avatar: Avatar, speech: Speech) -> None:
    pcm = speech(RATE * 2 + 77)
    live = stage.say(stage.open(), pcm)
    rendered = list(avatar.render(pcm, sample_rate=RATE, level=low_latency(TINY.sampler)))
    assert [frame.index for frame in live] == [frame.index for frame in rendered]
    for a, b in zip(live, rendered, strict=True):
        assert np.array_equal(a.image, b.image)
        assert np.array_equal(a.audio, b.audio)
        assert (a.level, a.late, a.is_speech) == (0, False, True)
    assert [frame.end_of_speech for frame in live] == [False] * (len(live) - 1) + [True]


def test_any_pace_of_pushing_gives_the_same_frames(stage: Any, speech: Speech) -> None:
    """Between pushes frames leave, as long as what they need has come."""
    pcm = speech(RATE * 2)
    whole = stage.say(stage.open(), pcm)
    stream = stage.open()
    utterance = stream.begin()
    frames = []
    for start in range(0, len(pcm), 700):
        assert stream.push_audio(pcm[start : start + 700], RATE, utterance)
        while start + 700 >= (len(frames) + 4) * 640 + 1600 + 1936:
            frames.append(stage.pull(stream, ahead=True))
    stream.flush(utterance)
    frames += stage.finish(stream, utterance)
    assert all(np.array_equal(a.image, b.image) for a, b in zip(frames, whole, strict=True))
    assert np.array_equal(heard(frames), heard(whole))


@pytest.mark.parametrize("rate", SAMPLE_RATES)
@pytest.mark.parametrize("samples", [1, 40, 25 * 40 + 7])
def test_what_is_heard_is_what_was_pushed(
    stage: Any, speech: Speech, rate: int, samples: int
) -> None:
    pcm = speech(rate // 1000 * samples + 1)
    frames = stage.say(stage.open(), pcm, rate)
    assert {frame.audio.shape for frame in frames} == {(rate // 25,)}
    assert np.array_equal(heard(frames)[: len(pcm)], pcm)
    assert not heard(frames)[len(pcm) :].any()
    assert len(frames) == -(-len(pcm) // (rate // 25))


def test_sound_leaves_at_the_rate_that_was_asked_for(stage: Any, speech: Speech) -> None:
    stream = stage.open(sample_rate=48000)
    idle = stage.pull(stream)
    frames = stage.say(stream, speech(24000), 24000)
    assert {frame.sample_rate for frame in [idle, *frames, stage.pull(stream)]} == {48000}
    assert len(frames) == 25
    assert np.abs(heard(frames)[::2] - speech(24000)).max() < 0.3
    assert np.corrcoef(heard(frames)[::2], speech(24000))[0, 1] > 0.98


def test_idle_frames_surround_speech(stage: Any, speech: Speech) -> None:
    stream = stage.open()
    before = [stage.pull(stream) for _ in range(9)]
    spoken = stage.say(stream, speech(RATE))
    after = [stage.pull(stream) for _ in range(9)]
    for frame in before + after:
        assert (frame.utterance, frame.is_speech, frame.end_of_speech) == (0, False, False)
        assert not frame.audio.any()
        assert not frame.late
    indices = [frame.index for frame in before + spoken + after]
    assert indices == sorted(set(indices))
    assert [frame.pts_us for frame in before] == [40_000 * n for n in range(9)]


def test_every_utterance_ends_once_on_its_last_frame(stage: Any, speech: Speech) -> None:
    stream = stage.open()
    said = [stage.say(stream, speech(n, seed=n)) for n in (1, 639, 640, 641, 6400, 16000)]
    for number, frames in enumerate(said, 1):
        assert ends(frames) == [number]
        assert frames[-1].end_of_speech


def test_an_end_that_comes_late_is_told_once(stage: Any, speech: Speech) -> None:
    """Everything was heard by the time of the flush: the next frame tells."""
    stream = stage.open()
    utterance = stream.begin()
    stream.push_audio(speech(6400), RATE, utterance)
    frames = [stage.pull(stream) for _ in range(4)] + [stage.tick(stream) for _ in range(10)]
    assert [frame.utterance for frame in frames].count(utterance) == 10
    assert ends(frames) == []
    assert stream.stats().underruns == 1
    stream.flush(utterance)
    frames += [stage.tick(stream) for _ in range(9)]
    assert ends(frames) == [utterance]


def test_red_shows_the_speech_of_its_frame(stage: Any, speech: Speech) -> None:
    stream = stage.open()
    for _ in range(6):
        stage.pull(stream)
    pcm = speech(RATE)
    frames = stage.say(stream, pcm)
    hops = offline_features(FeatureSpec.rap(), np.pad(pcm, (0, RATE)))
    expected = 128 + 5 * hops[0 : 4 * len(frames) : 4, PAINTED_BIN]
    red = np.array([frame.image[0, 0, 0] for frame in frames], float)
    assert np.abs(red[1:] - expected[1:]).max() <= 1


def test_a_held_idle_keeps_the_picture_and_makes_nothing(stage: Any, speech: Speech) -> None:
    stream = stage.open(idle="hold")
    frames = [stage.tick(stream) for _ in range(30)]
    assert all(np.array_equal(frame.image, frames[0].image) for frame in frames)
    assert not any(frame.late for frame in frames)
    assert stream.stats().produced == 0
    assert np.array_equal(heard(stage.say(stream, speech(RATE))), speech(RATE))


def test_a_loop_moves_and_makes_nothing(stage: Any, speech: Speech) -> None:
    stream = stage.open(idle="loop")
    frames = [stage.tick(stream) for _ in range(60)]
    assert len({frame.image[0, 0, 1] for frame in frames}) > 5
    assert not any(frame.late or frame.is_speech for frame in frames)
    assert stream.stats().produced == 0
    spoken = stage.say(stream, speech(RATE))
    assert np.array_equal(heard(spoken), speech(RATE))
    assert not any(frame.late for frame in spoken[1:])


def test_a_state_has_a_name(stage: Any) -> None:
    stream = stage.open()
    for state in ("listening", "idle"):
        stream.set_state(state)
        assert stream.snapshot()["state"] == state
    with pytest.raises(ConfigError, match="'asleep': expected one of idle, listening"):
        stream.set_state("asleep")
    assert stream.snapshot()["state"] == "idle"


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_level_that_was_asked_for_stays(stage: Any, speech: Speech, level: int) -> None:
    stream = stage.open(level=level)
    frames = stage.say(stream, speech(RATE))
    assert {frame.level for frame in frames} == {level}
    assert stream.stats().level == level
    assert stream.events() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "cmyk"}, "format is 'cmyk'"),
        ({"idle": "sleep"}, "idle is 'sleep'"),
        ({"level": 9}, "level is 9"),
        ({"level": -1}, "level is -1"),
        ({"max_queued_seconds": 0.0}, "max_queued_seconds is 0"),
        ({"max_queued_seconds": float("nan")}, "max_queued_seconds is nan"),
    ],
)
def test_an_option_that_is_not_offered_is_refused(
    avatar: Avatar, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        avatar.open_stream(**options)
    with pytest.raises((ConfigError, AudioError), match="sample_rate"):
        avatar.open_stream(sample_rate=123)


def test_numbers_and_definitions_are_told_at_any_time(stage: Any, speech: Speech) -> None:
    stream = stage.open()
    assert stream.stats().ticks == 0
    frames = stage.say(stream, speech(RATE))
    stats, told = stream.stats(), stream.snapshot()
    assert stats.ticks == stats.presented + stats.held == frames[-1].index + 1
    assert stats.produced == stats.presented + stats.dropped + stats.queued
    assert "first frame of speech can be pulled" in told["first_frame_definition"]
    assert told["first_frame_ms"] is not None
    assert set(told["placement"]) == {"portrait", "audio", "denoiser", "decoder"}
    assert stats.played_seconds == pytest.approx(1.0)
