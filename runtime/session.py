"""The state of one live stream and what to do next: no threads, and no clock of its own.

Two callers take turns under the stream's lock, both with the time in their hands: one makes chunks
(`next_chunk`, `finish`), the other shows frames (`next_frame`). The FrameScheduler decides.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import Action, ActionKind, FrameScheduler, Reason
from rap_edge.config import ModelConfig
from rap_edge.errors import AudioError, BackpressureError, ConfigError
from rap_edge.runtime.animator import Animator, Past
from rap_edge.runtime.frames import FRAME_US, Frame
from rap_edge.runtime.idle import IdleLoop
from rap_edge.runtime.levels import Level
from rap_edge.runtime.made import MadeFrames, Picture
from rap_edge.runtime.measures import Measures
from rap_edge.runtime.options import StreamOptions
from rap_edge.runtime.picture import Screen
from rap_edge.runtime.playout import PlayoutDevice
from rap_edge.runtime.scheduling import MAX_AHEAD_FRAMES, scheduler_config
from rap_edge.runtime.script import Script, right_context
from rap_edge.runtime.voice import Voice

STATES = {"idle": 1.0, "listening": 1.6}  # how much the head moves
FED_S = 0.5  # of audio that a device gets ahead of its time
LATE_NS = 40_000_000
HEARD_EVERY_NS = 5_000_000  # in between the scheduler's own line is as good as the device's clock
KEPT_PASTS = 16  # chunks that an interrupt may go back by
IDLE_RATE = 48_000  # of silent frames before anything was pushed


@dataclass(frozen=True, eq=False)
class Chunk:
    """A chunk to make: its place in time, what it hears and continues from, where it goes."""

    id: int
    epoch: int
    first_frame: int
    n_frames: int
    deadline_ns: int
    level_index: int
    level: Level
    hops: NDArray[np.float32]
    past: Past
    stir: float  # of the head
    buffer: int
    out: Picture  # (n_frames, H, W, 3)


@dataclass(frozen=True)
class Interruption:
    """What an interrupt found."""

    played_seconds: float  # of the utterance, that were heard
    dropped_frames: int  # made, and not shown
    latency_ms: float  # until nothing of it was left


class Session:
    """One conversation: its script, its frames, and the scheduler that knows when."""

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
        self._options, self._screen, self._device = options, screen, device
        self._measures = measures
        self.scheduler = FrameScheduler(scheduler_config(config, levels, options))
        if options.level is not None:
            self.scheduler.set_floor(options.level)
        rate = IDLE_RATE if options.sample_rate is None else options.sample_rate
        self._script = Script(timeline, silence, device.sample_rate if device else rate)
        self._context = right_context(config)
        self._hops = np.empty(animator.hops_shape, np.float32)
        longest = max(level.latents for level in levels) * timeline.frames_per_latent
        shape = (longest, *animator.latent_shape[1:])
        self._made = MadeFrames(MAX_AHEAD_FRAMES // timeline.frames_per_latent + 3, shape)
        self._pasts: deque[tuple[int, Past]] = deque([(-1, past)], maxlen=KEPT_PASTS)
        self._loop, self._loop_tick = loop, 0
        self._looping = False  # the last frame shown was the loop's
        self._voice: Voice | None = None
        self._is_open = False  # an utterance takes audio
        self._speaking = False  # what is pushed goes straight into the script
        self._pending = 0  # samples that wait for the scheduler to let them speak
        self._fed = 0  # frames that the device has got
        self._shown = 0  # frames that have left
        self._speech_start: int | None = None  # sample of the script
        self._gaps = 0  # samples of silence inside of the utterance
        self._start_ns = 0
        self._heard_ns = -HEARD_EVERY_NS  # when the scheduler was told what is heard
        self.epoch = 0
        self.state = "idle"

    def start(self, now: int, lead_ns: int) -> None:
        """The first frame is due in ``lead_ns``."""
        self._start_ns = now + lead_ns
        self.scheduler.start(now, lead_ns)

    def begin(self, now: int) -> int:
        """Start an utterance and return its id; the one before goes, as `interrupt` does."""
        self._cut(self.scheduler.begin(now), now)
        self._is_open = True
        return self.epoch

    def push(self, pcm: NDArray[np.float32], sample_rate: int, utterance: int, now: int) -> bool:
        """Take PCM of an utterance; False if it is not the present one, or has ended."""
        if not self._takes(utterance):
            return False
        if self._voice is None:
            self._voice = Voice(sample_rate, self._timeline.sample_rate, self._rate(sample_rate))
        elif self._voice.sample_rate != sample_rate:
            raise AudioError(
                f"sample_rate is {sample_rate}: expected {self._voice.sample_rate}, as before in "
                "this utterance - begin another one"
            )
        ahead = len(pcm) / sample_rate + self._ahead_seconds(now)
        self.check_room(ahead)
        self._voice.push(pcm)
        self._tell(self._voice, now)
        self._measures.pushed(self.epoch, self._voice.pushed_seconds, False, now)
        return True

    def check_room(self, seconds: float) -> None:
        """Raise BackpressureError for more audio ahead of its time than is kept."""
        if seconds > self._options.max_queued_seconds:
            raise BackpressureError(
                f"{seconds:.1f} s of audio are ahead of their time: expected "
                f"{self._options.max_queued_seconds:g} s at most - push more slowly"
            )

    @property
    def may_make(self) -> bool:
        """Whether what was pushed can have made a chunk possible; false spares the maker a look."""
        end = self.scheduler.next_make + self._timeline.frames_per_latent
        need = end * self._timeline.frame_samples + self._context
        return not self._speaking or self.scheduler.script_end >= need

    def flush(self, utterance: int, now: int) -> bool:
        """End the utterance; False if it is not the present one, or has ended."""
        if not self._takes(utterance):
            return False
        self._is_open = False
        if self._voice is not None:
            self._voice.end()
            self._tell(self._voice, now)
            self._measures.pushed(self.epoch, self._voice.pushed_seconds, True, now)
        self.scheduler.end_segment(now, self.epoch)
        if self._speaking or not self._pending:
            self._close()
        return True

    def interrupt(self, now: int) -> Interruption:
        """Drop what is pushed, in the making or made of the utterance, and close the mouth."""
        played = self.played_seconds(now)
        dropped = self._cut(self.scheduler.interrupt(now), now)
        return Interruption(played, dropped, 0.0)

    @property
    def utterance(self) -> int:
        """The utterance that takes audio; 0 if there is none."""
        return self.epoch if self._is_open else 0

    def set_state(self, state: str) -> None:
        """Choose how the avatar moves while nobody speaks: see `STATES`."""
        if state not in STATES:
            raise ConfigError(f"state is {state!r}: expected one of {', '.join(STATES)}")
        self.state = state

    def played_seconds(self, now: int) -> float:
        """Seconds of the utterance that were heard."""
        if self._speech_start is None:
            return 0.0
        heard = self._position(now) - self._speech_start - self._gaps
        return max(0, heard) / self._timeline.sample_rate

    def next_chunk(self, now: int) -> Chunk | int:
        """Return a chunk to make now, or else the time at which to ask again."""
        self._hear_device(now)
        while True:
            action = self.scheduler.poll_work(now)
            match action.kind:
                case ActionKind.SILENCE:
                    self._be_silent(action.samples)
                case ActionKind.SPEAK:
                    self._speak()
                case ActionKind.START_CHUNK:
                    return self._chunk(action)
                case _:
                    self._feed(now)
                    return int(action.until_ns)

    def finish(self, chunk: Chunk, past: Past | None, now: int) -> None:
        """Take up a chunk that is made; None for one that was given up."""
        if past is None:
            self.fail(chunk, now)
            return
        if not self.scheduler.chunk_done(chunk.id, now):
            self._made.release(chunk.buffer)
            return
        self._made.keep(chunk.buffer, chunk.first_frame, chunk.n_frames, chunk.level_index)
        self._pasts.append((chunk.first_frame, past))

    def fail(self, chunk: Chunk, now: int) -> None:
        """A chunk could not be made."""
        self.scheduler.chunk_failed(chunk.id, now)
        self._made.release(chunk.buffer)

    def next_frame(self, now: int, out: Picture | None = None) -> Frame | int:
        """Return the frame to show now, or else the time at which to ask again."""
        self._screen.check(out)
        self._hear_device(now)
        while True:
            action = self.scheduler.poll_show(now)
            match action.kind:
                case ActionKind.SILENCE:
                    self._be_silent(action.samples)
                case ActionKind.DROP:
                    self._made.drop(action.frame, action.n_frames)
                case ActionKind.PRESENT:
                    return self._present(action, now, out)
                case ActionKind.HOLD if self._device is None or action.reason == Reason.IDLE:
                    return self._hold(action, out)
                case ActionKind.HOLD:
                    self._left(action.frame)
                case _:
                    self._feed(now)
                    return int(action.until_ns)

    def _takes(self, utterance: int) -> bool:
        return self._is_open and utterance == self.epoch

    def _rate(self, pushed: int) -> int:
        if self._device is not None:
            return self._device.sample_rate
        return self._options.sample_rate or pushed

    def _tell(self, voice: Voice, now: int) -> None:
        """Tell the scheduler what has come of the utterance, and place it if that is speaking."""
        samples = voice.ready - self._pending
        self.scheduler.push_audio(samples, now, self.epoch)
        if self._speaking:
            self._script.say(voice, samples, self.epoch)
        else:
            self._pending += samples

    def _speak(self) -> None:
        """Place what waits of the utterance; what is pushed from now on follows at once."""
        assert self._voice is not None
        if self._speech_start is None:
            self._speech_start = self._script.end
        self._script.say(self._voice, self._pending, self.epoch)
        self._pending, self._speaking = 0, True
        if self._voice.ended:
            self._close()

    def _close(self) -> None:
        self._script.close(self.epoch)
        self._speaking = False

    def _be_silent(self, samples: int) -> None:
        if self._is_open and self._speech_start is not None:
            self._gaps += samples
        self._speaking = False
        self._script.be_silent(samples)

    def _cut(self, epoch: int, now: int) -> int:
        """Forget what nobody has seen or heard; return how many frames were made of it."""
        stats = self.scheduler.stats()
        spoke = self._speech_start is not None
        self.epoch = epoch
        self._voice, self._is_open, self._speaking = None, False, False
        self._pending, self._speech_start, self._gaps = 0, None, 0
        if self._script.end < stats.script_end:
            self._script.be_silent(stats.script_end - self._script.end)
        elif self._script.end > stats.script_end:
            self._script.cut(stats.script_end // self._timeline.frame_samples)
        while len(self._pasts) > 1 and self._pasts[-1][0] >= stats.next_make:
            self._pasts.pop()
        if spoke:
            self._screen.ramp()
            self._silence_device()
        return self._made.drop_from(stats.next_make)

    def _silence_device(self) -> None:
        """Take back from the device what is not in the script any more."""
        if self._device is not None:
            self._fed = min(self._fed, self._script.end_frame)
            self._device.clear(self._fed * self._device.sample_rate // self._timeline.fps)

    def _chunk(self, action: Action) -> Chunk:
        latents = action.n_frames // self._timeline.frames_per_latent
        level = replace(self._levels[action.level], latents=latents)
        if action.resumes:  # the mouth only has to close, and everybody waits
            level = replace(level, steps=1)
        self._script.hops_into(self._animator.first_hop(action.frame, level), self._hops)
        past = self._pasts[-1][1]
        if self._looping and self._loop is not None:
            past = self._loop.past(self._loop_tick)
            self._screen.ramp()
        number, buffer = self._made.reserve()
        return Chunk(
            action.chunk_id,
            action.epoch,
            action.frame,
            action.n_frames,
            action.deadline_ns,
            action.level,
            level,
            self._hops,
            past,
            STATES[self.state],
            number,
            buffer[: action.n_frames],
        )

    def _present(self, action: Action, now: int, out: Picture | None) -> Frame:
        picture, level = self._made.picture(action.frame)
        image = self._screen.show(picture, out)
        self._made.drop(action.frame, 1)
        self._looping = False
        due = self._start_ns + action.frame * FRAME_US * 1000
        late = self._device is None and now - due > LATE_NS
        return self._leave(action.frame, image, level, late)

    def _hold(self, action: Action, out: Picture | None) -> Frame:
        idle = action.reason == Reason.IDLE
        if idle and self._loop is not None:
            if not self._looping:
                self._screen.ramp()
            self._looping = True
            self._loop_tick += 1
            image = self._screen.show(self._loop.picture(self._loop_tick), out)
        else:
            image = self._screen.hold(out)
        return self._leave(action.frame, image, action.level, late=not idle)

    def _leave(self, index: int, image: Picture, level: int, late: bool) -> Frame:
        """Let a frame go, with its audio."""
        heard = self._script.frame(index)
        self._left(index)
        return Frame(
            image,
            heard.audio,
            index,
            is_speech=bool(heard.utterance),
            end_of_speech=heard.ends,
            utterance=heard.utterance,
            level=level,
            late=late,
        )

    def _left(self, index: int) -> None:
        """The time of a frame has passed."""
        self._shown = index + 1
        self._script.forget(self._shown if self._device is None else min(self._shown, self._fed))

    def _position(self, now: int) -> int:
        """Return the sample of the script that is heard."""
        if self._device is None:
            return self._shown * self._timeline.frame_samples
        rate = self._timeline.sample_rate
        return self._device.position(now) * rate // self._device.sample_rate

    def _ahead_seconds(self, now: int) -> float:
        ahead = self._script.end + self._pending - self._position(now)
        return ahead / self._timeline.sample_rate

    def _hear_device(self, now: int) -> None:
        if self._device is None or now < self._heard_ns + HEARD_EVERY_NS:
            return
        self._heard_ns = now
        self.scheduler.audio_position(self._position(now), now)
        self._feed(now)

    def _feed(self, now: int) -> None:
        """Give the device the audio of the next half second."""
        if self._device is None:
            return
        size = self._device.sample_rate // self._timeline.fps
        until = self._device.position(now) + int(FED_S * self._device.sample_rate)
        while self._fed < self._script.end_frame and self._fed * size < until:
            audio = self._script.frame(self._fed).audio
            if self._device.room < len(audio):
                return
            self._device.write(audio)
            self._fed += 1
