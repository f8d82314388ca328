"""What a live stream says and shows: every sample and every frame, once, in its place.

The clock of most of these streams stands still until a picture is made, so nothing is late.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge._core import FeatureSpec, offline_features
from rap_edge.config import TINY
from rap_edge.errors import AudioError, BackpressureError, ConfigError, StateError
from rap_edge.runtime import Avatar, Frame, low_latency
from rap_edge.runtime.options import Playout, StreamOptions
from rap_edge.runtime.pixels import FORMATS, convert, frame_shape
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
            frames.append(stage.pull(stream))
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


@pytest.mark.parametrize("layout", FORMATS)
def test_a_frame_goes_into_the_buffer_of_the_caller(
    stage: Any, speech: Speech, layout: str
) -> None:
    plain = stage.say(stage.open(), speech(6400))
    stream = stage.open(format=layout)
    stream.push_audio(speech(6400), RATE)
    stream.flush()
    out = np.zeros(frame_shape(layout, 64, 64), np.uint8)
    for expected in plain:
        frame = stage.pull(stream, out)
        assert frame.image is out
        assert np.array_equal(out, convert(expected.image, layout))


@pytest.mark.parametrize(
    "out",
    [
        np.zeros((64, 64), np.uint8),
        np.zeros((64, 64, 3), np.float32),
        np.zeros((64, 128, 3), np.uint8)[:, ::2],
        np.zeros((0,), np.uint8),
    ],
)
def test_a_buffer_that_does_not_fit_costs_no_frame(stage: Any, speech: Speech, out: Any) -> None:
    stream = stage.open()
    stream.push_audio(speech(6400), RATE)
    stream.flush()
    first = stage.pull(stream)
    stage.clocks[stream].ns += 40_000_000
    for _ in range(3):
        with pytest.raises(ConfigError, match="out is"):
            stream.poll(out)
    frames = [first, *stage.finish(stream, 1)]
    assert [frame.index for frame in frames] == list(range(10))
    assert np.array_equal(heard(frames), speech(6400))


def test_frames_are_the_callers(stage: Any, speech: Speech) -> None:
    """Without a buffer every frame has memory of its own."""
    frames = stage.say(stage.open(), speech(RATE))
    kept = [frame.image.copy() for frame in frames]
    assert all(np.array_equal(a.image, b) for a, b in zip(frames, kept, strict=True))
    assert not any(
        np.may_share_memory(a.image, b.image) for a in frames for b in frames if a is not b
    )


def test_pull_waits_no_longer_than_asked(avatar: Avatar) -> None:
    with avatar.open_stream() as stream:
        assert stream.pull(timeout=PATIENCE) is not None
        taken = [stream.pull(timeout=0) for _ in range(50)]
        assert taken.count(None) > 40
        assert stream.pull(timeout=PATIENCE) is not None


PATIENCE = 30.0


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
    assert [event for event in stream.events() if event.to_level != level] == []


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


def test_without_playout_there_is_no_device(stage: Any) -> None:
    with pytest.raises(StateError, match="playout="):
        _ = stage.open().playout
    with pytest.raises(ConfigError, match="sample_rate and playout"):
        StreamOptions(sample_rate=48000, playout=Playout())


def test_a_device_plays_what_was_said(avatar: Avatar, speech: Speech) -> None:
    """A device thread reads in its own time; what it hears follows without a gap."""
    pcm = speech(48000)
    with avatar.open_stream(playout=Playout(48000)) as stream:
        device = Device(stream.playout)
        utterance = stream.begin()
        stream.push_audio(pcm, 48000, utterance)
        stream.flush(utterance)
        frames = []
        with device:
            while not frames or not frames[-1].end_of_speech:
                frame = stream.pull(timeout=PATIENCE)
                assert frame is not None
                frames.append(frame)
        played = device.played()
        start = int(np.flatnonzero(played)[0]) - int(np.flatnonzero(pcm)[0])
        assert np.array_equal(played[start : start + 40000], pcm[:40000])
        indices = [frame.index for frame in frames]
        assert indices == sorted(set(indices))
        spoken = [frame for frame in frames if frame.utterance == utterance]
        for frame in spoken[:20]:
            place = start + (frame.index - spoken[0].index) * 1920
            assert np.array_equal(frame.audio, played[place : place + 1920])


def test_an_interrupt_silences_the_device(avatar: Avatar, speech: Speech) -> None:
    with avatar.open_stream(playout=Playout(48000)) as stream:
        device = Device(stream.playout)
        stream.push_audio(np.ones(480000, np.float32), 48000)
        with device:
            while (frame := stream.pull(timeout=PATIENCE)) is None or frame.index < 15:
                assert frame is not None
            stream.interrupt()
            read = device.n_read
            while device.n_read < read + 9600:
                stream.pull(timeout=0.01)
        after = device.played()[read:]
    assert not after[480 + 240 :].any()
    assert np.abs(np.diff(after)).max() < 0.05


class Device:
    """A sound device: a thread that reads 10 ms every 10 ms and keeps what it heard."""

    def __init__(self, player: Any) -> None:
        self._player = player
        self._blocks: list[NDArray[np.float32]] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.n_read = 0

    def __enter__(self) -> Device:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopping.set()
        self._thread.join()

    def played(self) -> NDArray[np.float32]:
        return np.concatenate(self._blocks)

    def _run(self) -> None:
        due = time.monotonic_ns()
        while not self._stopping.wait(max(0, due - time.monotonic_ns()) / 1e9):
            block = np.empty(480, np.float32)
            self._player.read_into(block, due, 0)
            self._blocks.append(block)
            self.n_read += 480
            due += 10_000_000
