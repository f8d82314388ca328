"""The books of a caller that drives a FrameScheduler without any audio or pictures.

Whoever drives one keeps the script's audio and the made pictures. `Books` keeps their numbers and
raises AssertionError where an action contradicts what was asked before: a frame that is not made or
belongs to an utterance that is gone, one shown out of turn or off its tick, a chunk whose audio is
not there, a script of another length.
"""

from __future__ import annotations

from collections import deque

from rap_edge._core import Action, ActionKind, FrameScheduler, SchedulerStats
from rap_edge.benchmarks.virtual import FRAME_NS, VirtualModel
from rap_edge.config import LIVE
from rap_edge.runtime.levels import ladder
from rap_edge.runtime.options import StreamOptions
from rap_edge.runtime.scheduling import scheduler_config
from rap_edge.runtime.script import right_context

FRAME = LIVE.timeline.frame_samples
CONTEXT = right_context(LIVE)


class Books:
    """A caller of the scheduler, with numbers in the place of audio and pictures."""

    def __init__(self, model: VirtualModel) -> None:
        self._levels = ladder(LIVE.sampler)
        self.scheduler = FrameScheduler(scheduler_config(LIVE, self._levels, StreamOptions()))
        self.now = 0
        self._model = model
        self._epoch, self._open, self._speaking = 0, False, False
        self._end = self._pending = 0  # samples
        self._made: set[int] = set()
        self._flight: tuple[int, int, range] | None = None  # when made, id, frames
        self._speech: deque[tuple[int, int]] = deque()  # end in samples, epoch
        self._next = 0  # frame to show
        self.most_kept = self.level_changes = self.utterances = 0
        self.last_tick_ns = 0
        self.scheduler.start(0, 0)

    def begin(self) -> None:
        self._cut(self.scheduler.begin(self.now))
        self._open = True
        self.utterances += 1

    def interrupt(self) -> None:
        self._cut(self.scheduler.interrupt(self.now))
        self._open = False

    def push(self, samples: int) -> None:
        assert self.scheduler.push_audio(samples, self.now, self._epoch)
        assert not self.scheduler.push_audio(samples, self.now, self._epoch - 1)
        if self._speaking:
            self._say(samples)
        else:
            self._pending += samples
        self._agree()

    def flush(self) -> None:
        assert self.scheduler.end_segment(self.now, self._epoch)
        self._open = False
        if self._speaking:
            self._close()
        self._agree()

    def run(self, until: int) -> None:
        """Let the time pass."""
        while True:
            action = self.scheduler.poll(self.now)
            kind = action.kind
            if kind == ActionKind.WAIT:
                assert action.until_ns > self.now
                due = action.until_ns
                if self._flight is not None:
                    due = min(due, self._flight[0])
                if due >= until:
                    self.now = until
                    return
                self.now = max(self.now, due)
                self._finish()
            else:
                self._do(kind, action)
                self._agree()

    def _do(self, kind: ActionKind, action: Action) -> None:
        if kind == ActionKind.PRESENT:
            self._made.remove(action.frame)
            assert self._heard_in(action.frame) in (0, self._epoch)
            self._tick(action.frame)
        elif kind == ActionKind.HOLD:
            self._tick(action.frame)
        elif kind == ActionKind.DROP:
            self._made -= set(range(action.frame, action.frame + action.n_frames))
        elif kind == ActionKind.SILENCE:
            self._speaking = False
            self._end += action.samples
        elif kind == ActionKind.SPEAK:
            assert action.samples == self._pending
            self._say(self._pending)
            self._pending, self._speaking = 0, True
            if not self._open:
                self._close()
        else:
            self._start(action)

    def _start(self, action: Action) -> None:
        assert self._flight is None or not self.scheduler.wants(self._flight[1])
        end = action.frame + action.n_frames
        assert self._end >= end * FRAME + CONTEXT
        assert not self._made & set(range(action.frame, end))
        finish = self._model.finish(self.now, self._levels[action.level])
        self._flight = (finish, action.chunk_id, range(action.frame, end))

    def _finish(self) -> None:
        if self._flight is None or self.now < self._flight[0]:
            return
        _, number, frames = self._flight
        self._flight = None
        if self.scheduler.chunk_done(number, self.now):
            self._made.update(frames)

    def _tick(self, frame: int) -> None:
        assert frame == self._next
        assert self.now == frame * FRAME_NS
        assert self._end >= (frame + 1) * FRAME
        self._next, self.last_tick_ns = frame + 1, self.now
        while self._speech and self._speech[0][0] <= self._next * FRAME:
            self._speech.popleft()
        self.most_kept = max(self.most_kept, len(self._made) + len(self._speech))
        while self.scheduler.next_event() is not None:
            self.level_changes += 1

    def _heard_in(self, frame: int) -> int:
        """Return the epoch of what a frame that is not shown yet says; 0 is silence."""
        spans = [epoch for end, epoch in self._speech if end > frame * FRAME]
        return spans[0] if spans else 0

    def _say(self, samples: int) -> None:
        self._end += samples
        if self._speech and self._speech[-1][1] == self._epoch:
            self._speech.pop()
        self._speech.append((self._end, self._epoch))

    def _close(self) -> None:
        self._speaking = False
        self._end = -(-self._end // FRAME) * FRAME

    def _cut(self, epoch: int) -> None:
        assert epoch == self._epoch + 1
        self._epoch, self._speaking, self._pending = epoch, False, 0
        if self.scheduler.script_end < self._end:
            self._end = self.scheduler.script_end
            self._made -= set(range(self._end // FRAME, self._end // FRAME + 100))
            self._speech.clear()
        elif self._end % FRAME:
            self._end = self.scheduler.script_end

    def _agree(self) -> None:
        assert self._end == self.scheduler.script_end
        assert self._speaking == self.scheduler.speaking

    def balanced(self) -> SchedulerStats:
        """Return the scheduler's own counts, compared with the books."""
        stats = self.scheduler.stats()
        assert stats.ticks == stats.presented + stats.held == self._next
        assert stats.produced == stats.presented + stats.dropped + stats.queued
        assert stats.queued == len(self._made)
        return stats
