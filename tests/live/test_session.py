"""A session on a virtual clock: what is heard, shown and cut, whatever happens when."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rap_edge.benchmarks import day
from rap_edge.benchmarks.conversation import babble
from rap_edge.benchmarks.scene import RATE, SECOND, Scene, Talker, reds, resampled, split, voiced
from rap_edge.benchmarks.virtual import FRAME_NS, MS, Stall, red
from rap_edge.features import silent_hop
from rap_edge.runtime.options import Idle

SILENT = red(silent_hop())


@pytest.mark.parametrize("live", [False, True])
def test_frames_do_not_depend_on_how_audio_was_pushed(live: bool) -> None:
    pcm = babble(3.0, 1)
    for block in (160, 320, 333, 640) if live else (7, 320, 333, 4001, 48_000):
        scene = Scene()
        scene.wait(0.7)
        utterance = scene.say(pcm, block=block, live=live)
        scene.wait(5)
        spoken = scene.spoken(utterance)
        assert np.array_equal(scene.heard(utterance), pcm)
        assert [int(frame.image[0, 0, 0]) for frame in spoken] == reds(pcm)
        assert not any(frame.late for frame in spoken)
        assert [frame.end_of_speech for frame in spoken] == [False] * 74 + [True]


@pytest.mark.parametrize("phase_ms", range(0, 160, 13))
def test_speech_starts_soon_whenever_it_comes(phase_ms: int) -> None:
    scene = Scene()
    scene.wait(1 + phase_ms / 1000)
    begun = scene.stream.now
    utterance = scene.say(babble(2.0, 2), live=True)
    scene.wait(1)
    first = scene.frames.index(scene.spoken(utterance)[0])
    assert not scene.frames[first].late
    assert scene.times[first] - begun < 400 * MS


@pytest.mark.parametrize("pause_ms", [60, 300, 1000])
def test_pushes_that_stop_lose_nothing(pause_ms: int) -> None:
    scene, pcm = Scene(), babble(4.0, 3)
    scene.wait(0.5)
    utterance = scene.begin()
    for n, piece in enumerate(split(pcm, 320)):
        scene.push(piece, utterance)
        scene.wait(0.02 + (pause_ms / 1000 if n % 50 == 49 else 0))
    scene.flush(utterance)
    scene.wait(3)
    heard = np.concatenate([frame.audio for frame in scene.frames])
    assert np.array_equal(heard[heard != 0], pcm)


@pytest.mark.parametrize("playout", [None, 48_000])
def test_a_stall_leaves_the_voice_alone(playout: int | None) -> None:
    stalls = (Stall(3 * SECOND, 700 * MS), Stall(6 * SECOND, 1500 * MS))
    scene, pcm = Scene(playout=playout, stalls=stalls), babble(6.0, 4)
    scene.wait(0.5)
    utterance = scene.say(pcm, live=True)
    scene.wait(3)
    if playout:
        assert np.array_equal(voiced(scene.device()), voiced(resampled(pcm, RATE, playout)))
    else:
        assert np.array_equal(scene.heard(utterance), pcm)
        assert {b - a for a, b in itertools.pairwise(scene.times)} == {FRAME_NS}
    shown = {f.index: int(f.image[0, 0, 0]) for f in scene.frames if not f.late}
    first = scene.spoken(utterance)[0].index
    wanted = dict(enumerate(reds(pcm), first))
    right = [index for index in wanted if shown.get(index) == wanted[index]]
    assert len(right) > 0.6 * len(wanted)
    assert any(frame.late for frame in scene.frames) or playout


@pytest.mark.parametrize("seed", range(12))
def test_nothing_old_is_seen_or_heard_after_an_interrupt(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene, pcm = Scene(seed=seed), babble(5.0, seed)
    scene.wait(rng.uniform(0.1, 1))
    utterance = scene.begin()
    for piece in split(pcm, 800):
        assert scene.push(piece, utterance)
    scene.wait(rng.uniform(0, 3))
    before = len(scene.frames)
    last = scene.frames[-1].image.astype(int)
    was_heard = len(scene.heard(utterance)) / RATE
    found = scene.session.interrupt(scene.stream.now)
    assert found.played_seconds == pytest.approx(was_heard)
    assert not scene.push(pcm, utterance)
    scene.wait(1)
    after = scene.frames[before:]
    assert not any(frame.utterance or frame.audio.any() for frame in after)
    levels = [int(last[0, 0, 0]), *(int(frame.image[0, 0, 0]) for frame in after)]
    assert levels[-1] == SILENT
    moves = [b - a for a, b in itertools.pairwise(levels)]
    assert all(move <= 0 for move in moves) or all(move >= 0 for move in moves)
    jump = abs(levels[0] - SILENT)
    assert max(map(abs, moves)) <= 0.45 * jump + 1


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("out_rate", [16_000, 48_000])
def test_any_rate_comes_out_at_the_rate_that_was_asked(rate: int, out_rate: int) -> None:
    scene = Scene(rate=out_rate)
    pcm = resampled(babble(2.0, 5), RATE, rate).clip(-1, 1)[: -rate // 100]
    scene.wait(0.5)
    utterance = scene.say(pcm, rate, block=rate // 50, live=True)
    scene.wait(1)
    assert {len(frame.audio) for frame in scene.frames} == {out_rate // 25}
    wanted = resampled(pcm, rate, out_rate)
    assert np.array_equal(
        scene.heard(utterance), np.pad(wanted, (0, -len(wanted) % (out_rate // 25)))
    )


@pytest.mark.parametrize(("playout", "minutes"), [(None, 20.0), (48_000, 3.0)])
def test_minutes_of_conversation_keep_script_and_scheduler_together(
    playout: int | None, minutes: float
) -> None:
    end = int(minutes * 60 * SECOND)
    rng = np.random.default_rng(7)
    episodes, stalls = day._episodes(rng, 2 * end), tuple(day._stalls(rng, end))
    scene = Scene(playout=playout, ppm=150.0, stalls=stalls, slowness=episodes)
    talker = Talker(scene)
    for pause in day.talk(talker, rng):
        scene.stream.run(scene.stream.now + pause)
        if scene.stream.now >= end:
            break
    indices = [frame.index for frame in scene.frames]
    assert len(talker.said) > 5 * minutes
    if playout is None:
        assert indices == list(range(len(indices)))
        for utterance, pcm in talker.said.items():
            heard = scene.heard(utterance)
            said = voiced(heard)
            assert np.array_equal(said, pcm[: len(said)])
            if utterance in talker.complete:
                assert len(said) == len(pcm)
    assert indices == sorted(set(indices))
    assert len(scene.session._gallery._made) <= 12
    assert scene.kept < 1500


@pytest.mark.parametrize(("idle", "slowness"), [("generate", 100.0), ("hold", 1.0)])
@pytest.mark.parametrize("playout", [None, 48_000])
def test_a_stream_that_makes_nothing_keeps_nothing(
    playout: int | None, idle: Idle, slowness: float
) -> None:
    """On a machine so slow that the picture stands still, and where it stands in silence."""
    scene = Scene(playout=playout, idle=idle, slowness=lambda now: slowness)
    scene.wait(60)
    before = scene.kept
    scene.wait(300)
    assert scene.kept <= before + 20


@pytest.mark.parametrize("playout", [None, 48_000])
def test_a_picture_that_stands_in_silence_stands_up_to_the_speech(playout: int | None) -> None:
    scene = Scene(playout=playout, idle="hold")
    scene.wait(1)
    utterance = scene.say(babble(2.0, 1), live=True)
    scene.wait(1)
    first = scene.spoken(utterance)[0].index
    shown = [frame.index for frame in scene.frames if not frame.late]
    assert shown == list(range(shown[0], shown[-1] + 1))
    assert first in shown


def test_a_stream_in_playout_that_nobody_watches_keeps_nothing() -> None:
    scene = Scene(playout=48_000)
    scene.wait(1)
    scene.stream.is_watched = False
    utterance = scene.say(babble(60.0, 1), live=True)
    scene.wait(60)
    assert scene.kept < 100
    assert len(voiced(scene.device())) > 59 * 48_000
    before = scene.session.scheduler.stats().ticks
    scene.stream.is_watched = True
    scene.wait(2)
    assert scene.session.scheduler.stats().ticks - before > 3000
    assert not scene.spoken(utterance)
    assert len(scene.frames) > 24 + 45
