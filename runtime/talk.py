"""What is said: the utterance that is open, and its way into the script."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import FrameScheduler
from rap_edge.errors import AudioError, BackpressureError
from rap_edge.runtime.measures import Measures
from rap_edge.runtime.script import Script
from rap_edge.runtime.voice import Voice
from rap_edge.timeline import Timeline


class Talk:
    """One utterance after the other. The scheduler counts samples; here they are."""

    def __init__(
        self,
        timeline: Timeline,
        scheduler: FrameScheduler,
        script: Script,
        out_rate: int | None,
        max_ahead_seconds: float,
        measures: Measures,
    ) -> None:
        """``out_rate`` is that of the frames' audio in Hz; None is that of what is pushed."""
        self._timeline, self._scheduler, self._script = timeline, scheduler, script
        self._out_rate, self._max_ahead_seconds = out_rate, max_ahead_seconds
        self._measures = measures
        self._voice: Voice | None = None
        self._is_open = False  # the utterance takes audio
        self._pending = 0  # samples that wait for the scheduler to let them speak
        self._start: int | None = None  # sample of the script
        self._end: int | None = None
        self._played = 0  # samples of earlier utterances that were heard
        self._gaps = 0  # samples of silence inside of the utterance
        self.is_speaking = False  # what is pushed goes straight into the script
        self.epoch = 0

    @property
    def utterance(self) -> int:
        """The utterance that takes audio; 0 if there is none."""
        return self.epoch if self._is_open else 0

    def renew(self, epoch: int, is_open: bool, heard: int) -> None:
        """Forget the utterance; the next one, if it is open, has the id ``epoch``."""
        self._played += self._heard_of_it(heard)
        self.epoch, self._is_open = epoch, is_open
        self._voice = self._start = self._end = None
        self._pending = self._gaps = 0
        self.is_speaking = False

    def push(
        self, pcm: NDArray[np.float32], sample_rate: int, utterance: int, now: int, ahead: float
    ) -> bool:
        """Take PCM; False if the utterance is not the open one.

        ``ahead`` are the seconds that are ahead of their time without it.
        """
        if not self._is_open or utterance != self.epoch:
            return False
        self.check_room(len(pcm) / sample_rate + ahead)
        voice = self._voice or Voice(
            sample_rate, self._timeline.sample_rate, self._out_rate or sample_rate
        )
        if voice.sample_rate != sample_rate:
            raise AudioError(
                f"sample_rate is {sample_rate}: expected {voice.sample_rate}, as before in this "
                "utterance - begin another one"
            )
        voice.push(pcm)
        self._voice = voice
        self._tell(voice, now)
        self._measures.pushed(self.epoch, voice.pushed_seconds, False, now)
        return True

    def ahead_seconds(self, heard: int) -> float:
        """Seconds of audio that are ahead of what is heard."""
        return (self._script.end + self._pending - heard) / self._timeline.sample_rate

    def check_room(self, seconds: float) -> None:
        """Raise BackpressureError for more audio ahead of its time than is kept."""
        if seconds > self._max_ahead_seconds:
            raise BackpressureError(
                f"{seconds:.1f} s of audio are ahead of their time: expected "
                f"{self._max_ahead_seconds:g} s at most - push more slowly, or open the stream "
                "with a larger max_queued_seconds"
            )

    def flush(self, utterance: int, now: int) -> bool:
        """End the utterance; False if it is not the open one."""
        if not self._is_open or utterance != self.epoch:
            return False
        self._is_open = False
        if self._voice is not None:
            self._voice.end()
            self._tell(self._voice, now)
            self._measures.pushed(self.epoch, self._voice.pushed_seconds, True, now)
        self._scheduler.end_segment(now, self.epoch)
        if self.is_speaking or not self._pending:
            self._close()
        return True

    def speak(self) -> None:
        """Place what waits of the utterance; what is pushed from now on follows at once."""
        assert self._voice is not None  # the scheduler knows of samples
        if self._start is None:
            self._start = self._script.end
        self._script.say(self._voice, self._pending, self.epoch)
        self._pending, self.is_speaking = 0, True
        if self._voice.ended:
            self._close()

    def be_silent(self, samples: int) -> None:
        """Append silence; an utterance that was speaking has run dry."""
        if self._is_open and self._start is not None:
            self._gaps += samples
        self.is_speaking = False
        self._script.be_silent(samples)

    def played_seconds(self, heard: int) -> float:
        """Seconds of the utterance among what is heard by now."""
        return self._heard_of_it(heard) / self._timeline.sample_rate

    def total_played_seconds(self, heard: int) -> float:
        """Seconds of speech among all that was heard by now."""
        return (self._played + self._heard_of_it(heard)) / self._timeline.sample_rate

    def _heard_of_it(self, heard: int) -> int:
        """Samples of the utterance that were heard."""
        if self._start is None:
            return 0
        until = heard if self._end is None else min(heard, self._end)
        return max(0, until - self._start - self._gaps)

    def _tell(self, voice: Voice, now: int) -> None:
        """Tell the scheduler what has come of the utterance, and place it if that is speaking."""
        samples = voice.ready - self._pending
        self._scheduler.push_audio(samples, now, self.epoch)
        if self.is_speaking:
            self._script.say(voice, samples, self.epoch)
        else:
            self._pending += samples

    def _close(self) -> None:
        self._end = self._script.end
        self._script.close(self.epoch)
        self.is_speaking = False
