"""Laws of the scheduler through its Python face, on a virtual clock."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rap_edge._core import (
    Action,
    ActionKind,
    FrameScheduler,
    LevelChange,
    Reason,
    SchedulerConfig,
)
from rap_edge.errors import AudioError, ConcurrencyError, ConfigError, StateError

MS = 1_000_000
FRAME_SAMPLES = 640
SHOWN = (ActionKind.PRESENT, ActionKind.HOLD)


@dataclass
class Conversation:
    """A caller that keeps the script's length, and makes one chunk at a time."""

    config: SchedulerConfig
    service_ms: float = 50.0
    now: int = 0
    end: int = 0
    pending: int = 0
    speaking: bool = False
    is_open: bool = False
    epoch: int = 0
    chunk: Action | None = None
    done_ns: int = 0
    shown: list[Action] = field(default_factory=list)
    starts: list[Action] = field(default_factory=list)
    speech_starts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scheduler = FrameScheduler(self.config)
        self.scheduler.start(self.now)

    def run_ms(self, ms: float) -> None:
        end = self.now + int(ms * MS)
        while True:
            until = self.poll()
            if self.chunk is not None:
                until = min(until, self.done_ns)
            if until > end:
                break
            self.now = until
            if self.chunk is not None and self.now >= self.done_ns:
                assert self.scheduler.wants(self.chunk.chunk_id)
                assert self.scheduler.chunk_done(self.chunk.chunk_id, self.now)
                self.chunk = None
        self.now = end

    def poll(self) -> int:
        while (action := self.scheduler.poll(self.now)).kind != ActionKind.WAIT:
            self.take(action)
            assert self.scheduler.script_end == self.end
            assert self.scheduler.speaking == self.speaking
        assert action.until_ns > self.now
        return action.until_ns

    def take(self, action: Action) -> None:
        assert action.epoch == self.epoch
        if action.kind == ActionKind.SILENCE:
            self.speaking = False
            self.end += action.samples
        elif action.kind == ActionKind.SPEAK:
            assert action.samples == self.pending
            self.speech_starts.append(self.end)
            self.end += self.pending
            self.pending, self.speaking = 0, True
            if not self.is_open:
                self.finish()
        elif action.kind == ActionKind.START_CHUNK:
            assert self.chunk is None
            heard = (action.frame + action.n_frames) * FRAME_SAMPLES
            assert heard + self.config.right_context_samples <= self.end
            self.starts.append(action)
            self.chunk, self.done_ns = action, self.now + int(self.service_ms * MS)
        elif action.kind in SHOWN:
            assert action.frame == len(self.shown)
            assert (action.frame + 1) * FRAME_SAMPLES <= self.end
            self.shown.append(action)

    def finish(self) -> None:
        self.end += -self.end % FRAME_SAMPLES
        self.speaking = False

    def cut(self, epoch: int) -> None:
        assert epoch == self.epoch + 1
        self.end = min(self.end, self.scheduler.script_end)
        self.pending, self.speaking, self.is_open, self.epoch = 0, False, False, epoch
        if self.chunk is not None and not self.scheduler.wants(self.chunk.chunk_id):
            assert not self.scheduler.chunk_done(self.chunk.chunk_id, self.now)
            self.chunk = None

    def begin(self) -> None:
        self.cut(self.scheduler.begin(self.now))
        self.is_open = True

    def interrupt(self) -> None:
        self.cut(self.scheduler.interrupt(self.now))

    def push(self, samples: int) -> None:
        assert self.scheduler.push_audio(samples, self.now, self.epoch) == self.is_open
        assert not self.scheduler.push_audio(samples, self.now, self.epoch - 1)
        if self.is_open and self.speaking:
            self.end += samples
        elif self.is_open:
            self.pending += samples

    def end_segment(self) -> None:
        assert self.scheduler.end_segment(self.now, self.epoch) == self.is_open
        self.is_open = False
        if self.speaking:
            self.finish()


STEPS = st.one_of(
    st.tuples(st.just("push"), st.integers(0, 8000)),
    st.tuples(st.just("run"), st.integers(0, 400)),
    st.tuples(st.just("service"), st.integers(1, 320)),
    st.tuples(st.sampled_from(["begin", "end", "interrupt"]), st.just(0)),
)


@settings(deadline=None, max_examples=150)
@given(steps=st.lists(STEPS, max_size=60), idle_generates=st.booleans(), adapt=st.booleans())
def test_any_conversation_keeps_the_laws(
    steps: list[tuple[str, int]], idle_generates: bool, adapt: bool
) -> None:
    talk = Conversation(SchedulerConfig(idle_generates=idle_generates, adapt=adapt))
    for name, value in steps:
        if name == "push":
            talk.push(value)
        elif name == "run":
            talk.run_ms(value)
        elif name == "service":
            talk.service_ms = value
        elif name == "begin":
            talk.begin()
        elif name == "end":
            talk.end_segment()
        else:
            talk.interrupt()
    stats = talk.scheduler.stats()
    assert stats.ticks == stats.presented + stats.held == len(talk.shown)
    assert stats.produced == stats.presented + stats.dropped + stats.queued
    assert sum(stats.held_by_reason.values()) == stats.held
    assert sum(stats.skew_histogram) == stats.presented
    assert stats.chunks == len(talk.starts)


def test_an_utterance_is_shown_frame_by_frame() -> None:
    talk = Conversation(SchedulerConfig())
    talk.run_ms(1000)
    talk.begin()
    talk.push(16000)
    talk.end_segment()
    talk.run_ms(2000)
    first = talk.speech_starts[0] // FRAME_SAMPLES
    kinds = {action.kind for action in talk.shown[first : first + 25]}
    assert kinds == {ActionKind.PRESENT}
    assert talk.shown[0].reason == Reason.START


def test_nothing_of_an_utterance_is_shown_after_an_interrupt() -> None:
    talk = Conversation(SchedulerConfig())
    talk.begin()
    talk.push(80000)
    talk.run_ms(1500)
    cut = talk.scheduler.next_show
    talk.interrupt()
    assert talk.scheduler.script_end == cut * FRAME_SAMPLES
    assert talk.scheduler.next_make == cut
    talk.push(100)
    talk.run_ms(500)
    assert talk.shown[cut].reason == Reason.INTERRUPTED
    assert talk.starts[-1].skipped_frames == 0
    assert any(start.resumes for start in talk.starts)
    assert talk.scheduler.stats().interrupts == 1


def test_level_changes_are_told_with_their_reasons() -> None:
    talk = Conversation(SchedulerConfig(), service_ms=400)
    talk.run_ms(4000)
    changes = list(iter(talk.scheduler.next_event, None))
    assert changes
    assert all(isinstance(change, LevelChange) for change in changes)
    assert changes[0].from_level == 0
    assert changes[0].to_level == 1
    assert changes[0].reason in (Reason.OVERLOAD, Reason.LATE)
    assert talk.scheduler.level == talk.scheduler.stats().level > 0
    assert sum(talk.scheduler.stats().time_at_level_ns) <= talk.now


def test_service_times_are_those_of_the_level() -> None:
    scheduler = FrameScheduler(SchedulerConfig(adapt=False))
    for ms in (40, 50, 60):
        scheduler.seed_service(1, ms * MS)
    assert scheduler.stats().service_p50_ns == 0
    scheduler.set_floor(1)
    stats = scheduler.stats()
    assert (stats.service_last_ns, stats.service_p50_ns) == (60 * MS, 50 * MS)


def test_bad_calls_are_refused_and_change_nothing() -> None:
    scheduler = FrameScheduler(SchedulerConfig())
    with pytest.raises(AudioError, match="n_samples is -1"):
        scheduler.push_audio(-1, 0, 0)
    with pytest.raises(StateError, match="playout"):
        scheduler.audio_position(0, 0)
    with pytest.raises(ConfigError, match="now is -5"):
        scheduler.poll(-5)
    with pytest.raises(ConfigError, match="level is 9"):
        scheduler.set_floor(9)
    assert not scheduler.chunk_done(1, 0)
    assert scheduler.stats().ticks == 0


def test_two_threads_never_break_it() -> None:
    scheduler = FrameScheduler(SchedulerConfig())
    scheduler.start(0)
    refused: list[ConcurrencyError] = []

    def poll() -> None:
        for now in range(0, 2000 * MS, MS):
            try:
                scheduler.poll_show(now)
                scheduler.poll_work(now)
            except ConcurrencyError as error:  # without a GIL
                refused.append(error)

    threads = [threading.Thread(target=poll) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stats = scheduler.stats()
    assert stats.ticks == stats.presented + stats.held
