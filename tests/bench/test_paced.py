"""Scenarios in real time: frames are booked once, voices compared, refusals and failures told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import rap_edge
from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.quantities import quantity_of
from rap_edge.benchmarks.report.record import Result, Subject
from rap_edge.benchmarks.scenarios import interrupt, sessions, stream
from rap_edge.benchmarks.scenarios.pulling import Segment, converse
from rap_edge.benchmarks.scenarios.speaking import Turn, Words
from rap_edge.benchmarks.subjects import Opened
from rap_edge.errors import Overloaded, QualityError
from rap_edge.portrait import Crop
from rap_edge.runtime import Avatar, Frame
from rap_edge.runtime.live import Stream
from rap_edge.runtime.turns import Admission

RATE = 16_000
MS = 1_000_000
SHORT = stream.StreamSettings(seconds=0.0, turn_s=0.4, pause_s=(0.05, 0.1))


@pytest.fixture(scope="module")
def pinned() -> Pinned:
    """Two seconds of noise with a silence in it."""
    speech = np.random.default_rng(0).uniform(-0.5, 0.5, 2 * RATE).astype(np.float32)
    speech[5000:6000] = 0
    return Pinned(np.full((80, 100, 3), 77, np.uint8), speech, RATE, ())


@pytest.fixture(scope="module")
def one(synthetic_bundle: Path, pinned: Pinned) -> Opened:
    model = rap_edge.open(synthetic_bundle, threads=1)
    return opened("a", model.avatar(pinned.portrait, crop=Crop(10, 8, 64)))


def opened(label: str, avatar: Avatar) -> Opened:
    return Opened(Subject(label, "onnxruntime", "cpu", "fp32"), avatar.model, avatar, 0.0, 0.0)


def talk(one: Opened, pinned: Pinned, *turns: Turn) -> Segment:
    with one.avatar.open_stream(admission=False) as opened:
        return converse(opened, RATE, turns, np.empty_like(one.avatar.image), one.label)


def check(result: Result) -> None:
    """What every record needs: quantities that are known, and nothing that is missing and there."""
    for name in (*result.values, *result.missing):
        quantity_of(name)
    assert not set(result.values) & set(result.missing)


def test_every_frame_is_booked_once(one: Opened, pinned: Pinned) -> None:
    pcm = Words(pinned, 1.0).cut(0, 0.6)
    segment = talk(one, pinned, Turn(pcm, 0.05), Turn(pcm, 0.05))
    assert segment.n_frames == segment.stats.ticks
    assert segment.late.sum() == segment.stats.late
    assert segment.n_new == segment.stats.presented
    assert segment.fps_shown <= (segment.n_frames - 1) / segment.seconds
    assert len(segment.interval_ms) == segment.n_frames - 1
    assert [turn.heard for turn in segment.turns] == [len(pcm)] * 2


class Stalling:
    """A graph of which one run of a stream takes long."""

    def __init__(self, graph: Any, run: int, seconds: float) -> None:
        self._graph, self._left, self._seconds = graph, run, seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._graph, name)

    def bind(self, shared: Any = None) -> Any:
        binding = self._graph.bind(shared)
        return SimpleNamespace(
            inputs=binding.inputs,
            outputs=binding.outputs,
            run=lambda *tensors: (self._wait(), binding.run(*tensors)),
        )

    def _wait(self) -> None:
        self._left -= threading.current_thread().name == "rap-edge maker"
        if self._left == 0:
            time.sleep(self._seconds)


def test_a_stall_is_seen_as_the_stream_counts_it(one: Opened, pinned: Pinned) -> None:
    decoder = Stalling(one.model.graphs["decoder"], run=5, seconds=1.0)
    graphs: Any = {**one.model.graphs, "decoder": decoder}
    model = replace(one.model, graphs=graphs)
    stalling = opened("stalling", replace(one.avatar, model=model))
    segment = talk(stalling, pinned, Turn(Words(pinned, 1.5).cut(0, 1.5), 0.1))
    assert segment.late.sum() == segment.stats.late >= 1
    assert segment.n_new == segment.stats.presented < segment.n_frames
    assert all(turn.is_intact for turn in segment.turns)


def test_a_voice_that_is_not_what_was_pushed_has_no_numbers(
    one: Opened, pinned: Pinned, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = Stream.pull

    def softer(self: Stream, *asked: Any) -> Frame | None:
        found = pull(self, *asked)
        return found and replace(found, audio=found.audio * np.float32(0.999))

    monkeypatch.setattr(Stream, "pull", softer)
    with pytest.raises(QualityError, match="a: 0 of 1 turns were heard as they were pushed"):
        stream.run([one], pinned, SHORT)


def test_subjects_take_turns_and_first_intervals_are_no_samples(
    one: Opened, pinned: Pinned
) -> None:
    order: list[str] = []

    class Noted:
        """An avatar that notes when it is opened."""

        def __init__(self, label: str) -> None:
            self.label, self.image = label, one.avatar.image

        def open_stream(self, **options: Any) -> Stream:
            order.append(self.label)
            return one.avatar.open_stream(**options)

    subjects = [replace(opened(name, one.avatar), avatar=Noted(name)) for name in "ab"]  # type: ignore[arg-type]
    results = stream.run(subjects, pinned, replace(SHORT, seconds=3.0))
    rounds = len(order) // 2
    assert order == (["a", "b", "b", "a"] * rounds)[: len(order)]
    assert [result.subject for result in results] == ["a", "b"]
    for result in results:
        check(result)
        frames = result.values["late_percent"].n
        assert {len(values) for values in result.series.values()} == {frames - rounds}
        assert set(result.series) == {"at_s", "interval_ms", "late"}
        assert list(result.series["at_s"]) == sorted(result.series["at_s"])
        assert result.values["jitter_ms"].n == frames - rounds


def test_nothing_old_is_pulled_after_an_interrupt(one: Opened, pinned: Pinned) -> None:
    settings = interrupt.InterruptSettings(seconds=5.0, segment=3, latest_s=0.6)
    assert settings.interrupts == 6
    (result,) = interrupt.run([one], pinned, settings)
    check(result)
    assert (result.values["old_frames"].value, result.values["old_frames"].n) == (0, 6)
    assert result.values["interrupt_ms_p50"].n == 6


def test_interrupts_come_at_the_same_moments_for_everybody(one: Opened, pinned: Pinned) -> None:
    settings = interrupt.InterruptSettings(seconds=2.0, segment=2, latest_s=0.2)
    assert settings.interrupts == 3
    found = interrupt.run([one, opened("b", one.avatar)], pinned, settings)
    assert [result.subject for result in found] == ["a", "b"]
    assert [result.values["old_frames"].n for result in found] == [3, 3]


class Few(Admission):
    """Lets so many streams in."""

    def __init__(self, places: int) -> None:
        super().__init__()
        self._places = places

    def enter(self, stream: int, load: float) -> None:
        if self.count == self._places:
            raise Overloaded(f"{self._places} streams are open")
        super().enter(stream, 0.0)


def test_sessions_go_up_until_one_is_refused(one: Opened, pinned: Pinned) -> None:
    model = replace(one.model, admission=Few(2))
    full = opened("full", replace(one.avatar, model=model))
    settings = sessions.SessionsSettings((1, 2, 3, 8), seconds=0.0, turn_s=0.4, phase_s=0.2)
    results = sessions.run([full, one], pinned, replace(settings, counts=(1, 2, 3)))
    for result in results:
        check(result)
    assert [(result.subject, result.at["sessions"]) for result in results] == [
        ("full", 1),
        ("a", 1),
        ("full", 2),
        ("a", 2),
        ("full", 3),
        ("a", 3),
    ]
    refused = results[4]
    assert not refused.values
    assert refused.missing == {
        "late_percent": "2 of 3 streams were let in: 2 streams are open; more were not tried"
    }
    assert results[3].values["underruns"].n == 2
    assert model.admission.count == 0
    assert len(sessions.run([full], pinned, replace(settings, counts=(3, 8)))) == 1


def test_speech_that_comes_too_late_is_heard_whole_with_gaps(
    one: Opened, pinned: Pinned, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = Stream.push_audio

    def late(self: Stream, *asked: Any) -> bool:
        time.sleep(0.1)  # for 20 ms of speech
        return push(self, *asked)

    monkeypatch.setattr(Stream, "push_audio", late)
    segment = talk(one, pinned, Turn(Words(pinned, 1.0).cut(0, 0.5), 0.1))
    (turn,) = segment.turns
    assert turn.is_intact
    assert turn.gaps <= segment.stats.underruns
    assert segment.stats.underruns >= 1


def test_what_ends_the_speaker_is_raised(one: Opened, pinned: Pinned) -> None:
    def turns() -> Iterator[Turn]:
        yield Turn(pinned.speech[:1600], 0.05)
        raise LookupError("out of words")

    with (
        one.avatar.open_stream(admission=False) as opened,
        pytest.raises(LookupError, match="out of words"),
    ):
        converse(opened, RATE, turns(), np.empty_like(one.avatar.image), "a")
