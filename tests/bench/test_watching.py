"""What is booked of frames and heard of turns: freezes, old frames, gaps."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.scenarios import watched
from rap_edge.benchmarks.scenarios.pulling import Watcher, check_voice
from rap_edge.benchmarks.scenarios.speaking import Spoken, Words
from rap_edge.errors import QualityError
from rap_edge.runtime import Frame

RATE = 16_000
MS = 1_000_000


@pytest.fixture(scope="module")
def pinned() -> Pinned:
    """Two seconds of noise with a silence in it."""
    speech = np.random.default_rng(0).uniform(-0.5, 0.5, 2 * RATE).astype(np.float32)
    speech[5000:6000] = 0
    return Pinned(np.full((80, 100, 3), 77, np.uint8), speech, RATE, ())


def frame(utterance: int = 0, late: bool = False) -> Frame:
    return Frame(
        np.zeros(0, np.uint8), np.zeros(640, np.float32), 0, utterance=utterance, late=late
    )


class Holding:
    """A stream that says how many frames it held, and why."""

    def __init__(self, **held: int) -> None:
        self.held_by_reason = held
        self.skew_ms_p50 = None

    def stats(self) -> Any:
        return self


def test_a_freeze_lasts_from_one_new_picture_to_the_next() -> None:
    stream: Any = Holding(idle=3)
    watcher = Watcher(stream, {})
    watcher.book(frame(), 0, 10 * MS)
    for at_ms in (50, 90, 130):
        stream.held_by_reason = {"late": stream.held_by_reason.get("late", 0) + 1}
        watcher.book(frame(late=True), 0, at_ms * MS)
    watcher.book(frame(late=True), 0, 180 * MS)  # it came late, but it is a new one
    watcher.book(frame(), 0, 210 * MS)
    segment = watcher.segment(0.0)
    assert (segment.freeze_ms, segment.n_new, segment.n_frames) == (170.0, 3, 6)
    assert segment.late.tolist() == [False, True, True, True, True, False]


def test_a_freeze_that_does_not_end_counts() -> None:
    stream: Any = Holding()
    watcher = Watcher(stream, {})
    watcher.book(frame(), 0, 10 * MS)
    stream.held_by_reason = {"starved": 1}
    watcher.book(frame(late=True), 0, 60 * MS)
    assert watcher.segment(0.0).freeze_ms == 50.0


def test_pictures_a_second_are_those_after_the_first_over_the_time_since() -> None:
    watcher = Watcher(Holding(), {})  # type: ignore[arg-type]
    for number in range(26):
        watcher.book(frame(), 0, (10 + 40 * number) * MS)
    segment = watcher.segment(0.5)
    assert (segment.n_frames, segment.n_new, segment.seconds) == (26, 26, 1.0)
    assert segment.fps_shown == 25.0
    values, _ = watched.computing([segment])
    assert (values["cores_busy"].value, values["cpu_ms_per_frame"].value) == (0.5, 20.0)


def test_a_first_picture_that_was_held_is_no_picture_too_few() -> None:
    stream: Any = Holding(start=1)
    watcher = Watcher(stream, {})
    watcher.book(frame(late=True), 0, 10 * MS)
    for number in range(1, 26):
        watcher.book(frame(), 0, (10 + 40 * number) * MS)
    segment = watcher.segment(0.0)
    assert (segment.n_new, segment.fps_shown) == (25, 25.0)


def test_old_frames_are_those_asked_for_after_the_interrupt() -> None:
    stream: Any = Holding()
    turn = Spoken(np.zeros(0, np.float32), cut_ns=100 * MS, returned_ns=101 * MS)
    turn.first_frame_ms = 1.0
    watcher = Watcher(stream, {7: turn})
    watcher.book(frame(7), 60 * MS, 99 * MS)
    assert (turn.old_frames, turn.old_until_ms) == (0, 0.0)
    watcher.book(frame(7), 99 * MS, 102 * MS)  # it was on its way
    assert (turn.old_frames, turn.old_until_ms) == (0, 2.0)
    watcher.book(frame(7), 103 * MS, 140 * MS)
    assert (turn.old_frames, turn.old_until_ms) == (1, 40.0)


def heard(pcm: NDArray[np.float32], *audio: NDArray[np.float32]) -> Spoken:
    spoken = Spoken(pcm)
    for one in audio:
        spoken.hear(one)
    return spoken


def test_a_turn_is_intact_if_all_of_it_is_heard_in_order(pinned: Pinned) -> None:
    pcm, silence = Words(pinned, 1.0).cut(0, 0.1)[:1500], np.zeros(640, np.float32)
    parts = [pcm[:640], pcm[640:1280], np.append(pcm[1280:], silence[:420])]
    whole = heard(pcm, *parts, silence)
    assert whole.is_intact
    assert not whole.gaps
    assert not heard(pcm, *parts[:2]).is_intact
    assert not heard(pcm, parts[0], parts[2]).is_right
    assert not heard(pcm, parts[0], *parts).is_right
    assert not heard(pcm, parts[0], parts[1] * 0.5).is_right
    cut = heard(pcm, *parts[:2])
    cut.cut_ns = 1
    assert cut.is_intact


def test_a_gap_is_right_only_where_speech_ran_dry(pinned: Pinned) -> None:
    pcm = Words(pinned, 1.0).cut(0, 0.1)[:1280]
    dry = np.append(pcm[:500], np.zeros(140, np.float32))
    turn = heard(pcm, dry, pcm[500:1140], np.append(pcm[1140:], np.zeros(500, np.float32)))
    assert (turn.is_intact, turn.gaps) == (True, 1)
    segment: Any = SimpleNamespace(turns=(turn,), stats=SimpleNamespace(underruns=1))
    check_voice(segment, "a")
    segment.stats.underruns = 0
    with pytest.raises(QualityError, match=r"a: 1 of 1 turns .* 1 gaps at 0 underruns"):
        check_voice(segment, "a")


def test_words_go_round_and_are_never_quite_silent(pinned: Pinned) -> None:
    words = Words(pinned, 1.0)
    assert np.all(words.cut(0.0, 1.0) != 0)
    np.testing.assert_array_equal(words.cut(2.0, 0.3), words.cut(0.0, 0.3))
    across = words.cut(1.9, 0.2)
    np.testing.assert_array_equal(across[:1600], pinned.speech[-1600:])
    np.testing.assert_array_equal(across[1600:], pinned.speech[:1600])


def turns_of(*first_frames_ms: float) -> Any:
    return SimpleNamespace(
        first_frames_ms=lambda: list(first_frames_ms), first_frames_from_enough_ms=list
    )


def test_first_frames_of_three_turns_have_a_median_with_an_interval() -> None:
    values, missing = watched.first_frames([turns_of(300.0), turns_of(310.0, 500.0)])
    middle = values["first_frame_ms_p50"]
    assert (middle.value, middle.low, middle.high, middle.n) == (310.0, 300.0, 500.0, 3)
    assert values["first_frame_ms_max"].value == 500.0
    assert "first_frame_from_enough_ms_max" in missing
    assert not set(values) & set(missing)


def test_no_late_frame_of_a_few_is_not_none_for_sure() -> None:
    watcher = Watcher(Holding(), {})  # type: ignore[arg-type]
    for number in range(100):
        watcher.book(frame(), 0, (1 + 40 * number) * MS)
    segment = watcher.segment(0.0)
    stats: Any = SimpleNamespace(level_share=(1.0,), underruns=0)
    values, _ = watched.pictures([replace(segment, stats=stats)])
    late = values["late_percent"]
    assert (late.value, late.low, late.n) == (0.0, 0.0, 100)
    assert late.high is not None
    assert late.high > 1


def test_a_stream_that_shows_nothing_has_no_skew() -> None:
    segment: Any = SimpleNamespace(stats=Holding())
    values, missing = watched.skew([segment])
    assert not values
    assert set(missing) == {"skew_ms_p50", "skew_ms_p95", "skew_ms_max"}
