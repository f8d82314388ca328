"""The state of one live stream and what to do next: no threads, and no clock of its own.

Two callers take turns under the stream's lock, both with the time in their hands: one makes chunks
(`next_chunk`, `finish`), the other shows frames (`next_frame`). The FrameScheduler decides.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import Action, ActionKind, FrameScheduler, Reason
from rap_edge.config import ModelConfig
from rap_edge.errors import ConfigError
from rap_edge.runtime.animator import Animator, Past
from rap_edge.runtime.frames import FRAME_US, Frame, Interruption
from rap_edge.runtime.gallery import Chunk, Gallery
from rap_edge.runtime.idle import IdleLoop
from rap_edge.runtime.levels import Level
from rap_edge.runtime.made import MadeFrames, Picture
from rap_edge.runtime.measures import Measures
from rap_edge.runtime.options import StreamOptions
from rap_edge.runtime.outlet import Outlet
from rap_edge.runtime.picture import Screen
from rap_edge.runtime.playout import PlayoutDevice
from rap_edge.runtime.scheduling import MAX_AHEAD_FRAMES, scheduler_config
from rap_edge.runtime.script import Script, right_context
from rap_edge.runtime.talk import Talk

STATES = {"idle": 1.0, "listening": 1.6}  # how much the head moves
LATE_NS = 40_000_000
IDLE_RATE = 48_000  # of silent frames before anything was pushed


class Session:
    """One conversation: what is said, what is shown, and the scheduler that knows when."""

    def __init__(
        self,
        config: ModelConfig,
        animator: Animator,
        silence: NDArray[np.float32],
        levels: tuple[Level, ...],
        options: StreamOptions,
        screen: Screen,
        past: Past,
        loop: IdleLoop | None,
        device: PlayoutDevice | None,
        measures: Measures,
    ) -> None:
        """``past`` is where the motion starts; ``loop`` is shown in silence, if there is one."""
        timeline = config.timeline
        self._timeline, self._animator, self._levels = timeline, animator, levels
        self.scheduler = FrameScheduler(scheduler_config(config, levels, options))
        if options.level is not None:
            self.scheduler.set_floor(options.level)
        rate = options.sample_rate if device is None else device.sample_rate
        self._script = Script(timeline, silence, rate or IDLE_RATE)
        self._talk = Talk(
            timeline, self.scheduler, self._script, rate, options.max_queued_seconds, measures
        )
        longest = max(level.latents for level in levels) * timeline.frames_per_latent
        shape = (longest, *animator.latent_shape[1:])
        made = MadeFrames(MAX_AHEAD_FRAMES // timeline.frames_per_latent + 3, shape)
        self._gallery = Gallery(made, screen, past, loop)
        self._hops = np.empty(animator.hops_shape, np.float32)
        self._context = right_context(config, levels[0].spare_hops)
        self._outlet = Outlet(timeline, self.scheduler, self._script, device)
        self._start_ns = 0
        self.state = "idle"

    @property
    def utterance(self) -> int:
        """The utterance that takes audio; 0 if there is none."""
        return self._talk.utterance

    @property
    def may_make(self) -> bool:
        """Whether what was pushed can have made a chunk possible; false spares the maker a look."""
        end = self.scheduler.next_make + self._timeline.frames_per_latent
        need = end * self._timeline.frame_samples + self._context
        return not self._talk.is_speaking or self.scheduler.script_end >= need

    def start(self, now: int, lead_ns: int) -> None:
        """The first frame is due in ``lead_ns``."""
        self._start_ns = now + lead_ns
        self.scheduler.start(now, lead_ns)

    def begin(self, now: int) -> int:
        """Start an utterance and return its id; the one before goes, as `interrupt` does."""
        heard = self._outlet.position(now)
        epoch = self.scheduler.begin(now)
        self._cut()
        self._talk.renew(epoch, True, heard)
        return epoch

    def push(
        self,
        pcm: NDArray[np.float32],
        sample_rate: int,
        utterance: int,
        now: int,
        following: float = 0.0,
    ) -> bool:
        """Take PCM of an utterance; False if it is not the present one, or has ended.

        ``following`` seconds come with the same push: there has to be room for them, too.
        """
        ahead = self._talk.ahead_seconds(self._outlet.position(now)) + following
        return self._talk.push(pcm, sample_rate, utterance, now, ahead)

    def check_room(self, seconds: float) -> None:
        """Raise BackpressureError for more audio ahead of its time than is kept."""
        self._talk.check_room(seconds)

    def flush(self, utterance: int, now: int) -> bool:
        """End the utterance; False if it is not the present one, or has ended."""
        return self._talk.flush(utterance, now)

    def interrupt(self, now: int) -> Interruption:
        """Drop what is pushed, in the making or made of the utterance, and close the mouth."""
        heard = self._outlet.position(now)
        played = self._talk.played_seconds(heard)
        epoch = self.scheduler.interrupt(now)
        dropped = self._cut()
        self._talk.renew(epoch, False, heard)
        return Interruption(played, dropped, 0.0)

    def set_state(self, state: str) -> None:
        """Choose how the avatar moves while nobody speaks: see `STATES`."""
        if state not in STATES:
            raise ConfigError(f"state is {state!r}: expected one of {', '.join(STATES)}")
        self.state = state

    def played_seconds(self, now: int) -> float:
        """Seconds of speech that were heard since the stream opened."""
        return self._talk.total_played_seconds(self._outlet.position(now))

    def next_chunk(self, now: int) -> Chunk | int:
        """Return a chunk to make now, or else the time at which to ask again."""
        self._outlet.hear(now)
        while True:
            action = self.scheduler.poll_work(now)
            match action.kind:
                case ActionKind.SILENCE:
                    self._talk.be_silent(action.samples)
                case ActionKind.SPEAK:
                    self._talk.speak()
                case ActionKind.START_CHUNK:
                    return self._chunk(action)
                case _:
                    self._outlet.feed(now)
                    return int(action.until_ns)

    def finish(self, chunk: Chunk, past: Past | None, now: int) -> None:
        """Take up a chunk that is made; None for one that was given up."""
        if past is None:
            self.fail(chunk, now)
        elif self.scheduler.chunk_done(chunk.id, now):
            self._gallery.keep(chunk, past)
        else:
            self._gallery.release(chunk.buffer)

    def fail(self, chunk: Chunk, now: int) -> None:
        """A chunk could not be made."""
        self.scheduler.chunk_failed(chunk.id, now)
        self._gallery.release(chunk.buffer)

    def next_frame(self, now: int, out: Picture | None = None) -> Frame | int:
        """Return the frame to show now, or else the time at which to ask again."""
        self._gallery.check(out)
        self._outlet.hear(now)
        while True:
            action = self.scheduler.poll_show(now)
            match action.kind:
                case ActionKind.SILENCE:
                    self._talk.be_silent(action.samples)
                case ActionKind.DROP:
                    self._gallery.drop(action.frame, action.n_frames)
                case ActionKind.PRESENT:
                    image, level = self._gallery.show(action.frame, out)
                    due = self._start_ns + action.frame * FRAME_US * 1000
                    is_late = self._outlet.is_attached and now - due > LATE_NS
                    return self._leave(action.frame, image, level, is_late)
                case ActionKind.HOLD if self._leaves_anyway(action):
                    is_idle = action.reason == Reason.IDLE
                    image = self._gallery.hold(is_idle, out)
                    return self._leave(action.frame, image, action.level, late=not is_idle)
                case ActionKind.HOLD:
                    self._outlet.pass_by(action.frame)
                case _:
                    self._outlet.feed(now)
                    return int(action.until_ns)

    def _cut(self) -> int:
        """Forget what nobody has seen or heard; return how many frames were made of it."""
        stats = self.scheduler.stats()
        missing = stats.script_end - self._script.end
        if missing > 0:
            self._talk.be_silent(missing)
        elif missing < 0:
            self._script.cut(stats.script_end // self._timeline.frame_samples)
            self._gallery.ramp()
            self._outlet.take_back()
        return self._gallery.cut(stats.next_make)

    def _chunk(self, action: Action) -> Chunk:
        latents = action.n_frames // self._timeline.frames_per_latent
        level = replace(self._levels[action.level], latents=latents)
        self._animator.hear(self._script, action.frame, level, self._hops)
        number, buffer = self._gallery.reserve()
        return Chunk(
            action.chunk_id,
            action.frame,
            action.n_frames,
            action.deadline_ns,
            action.level,
            level,
            self._hops,
            self._gallery.next_past(),
            1.0 if self._script.speaks(action.frame, action.n_frames) else STATES[self.state],
            number,
            buffer[: action.n_frames],
        )

    def _leaves_anyway(self, action: Action) -> bool:
        """Say whether a frame without a new picture has something else to tell.

        In play-out a screen keeps what it shows; but an utterance must be seen to end.
        """
        is_idle = action.reason == Reason.IDLE
        return self._outlet.is_attached or is_idle or self._script.ends(action.frame)

    def _leave(self, index: int, image: Picture, level: int, late: bool) -> Frame:
        """Let a frame go, with its audio."""
        return self._outlet.let_go(index).beside(image, index, level, late)
