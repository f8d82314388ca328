"""What is heard when: the audio of every frame, and the log-mel hops that its chunk hears.

    voice ─► say ─┐
                  ├─► frames of audio, as they will be heard
    be_silent ────┘   samples of the features ─► hops, when a chunk wants them

The script only grows at its end, but for `cut`, which takes back what nobody has heard.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import FeatureSpec, FeatureWindow, StreamingFeatures
from rap_edge.config import ModelConfig
from rap_edge.errors import StateError
from rap_edge.runtime.frames import Frame
from rap_edge.runtime.voice import Samples, Voice
from rap_edge.timeline import Timeline

REACH_SAMPLES = 96  # a hop is centred on its first sample: half of the FFT, less the hop itself
REACH_HOPS = 2  # covers half of the FFT
KEPT_BEHIND = 400  # hops that a cut may go back to
PIECE_SAMPLES = 16000
RECENT_SAMPLES = 2 * PIECE_SAMPLES
_NOTHING = np.zeros(0, np.float32)


def right_context(config: ModelConfig, spare_hops: int = 0) -> int:
    """Samples after the end of a chunk that it hears: the look-ahead, and half of an FFT."""
    hops = config.audio.lookahead_hops - spare_hops
    return hops * config.audio.hop_samples + REACH_SAMPLES


@dataclass(frozen=True, eq=False)
class Heard:
    """The audio of one frame."""

    audio: Samples  # (S,) at the output's rate
    utterance: int = 0
    ends: bool = False

    def beside(
        self, image: NDArray[np.uint8], index: int, level: int = 0, late: bool = False
    ) -> Frame:
        """Return the frame that shows a picture while this is heard."""
        return Frame(
            image,
            self.audio,
            index,
            is_speech=bool(self.utterance),
            end_of_speech=self.ends,
            utterance=self.utterance,
            level=level,
            late=late,
        )


class Script:
    """The audio of a stream from the frame that is shown on; positions are in feature samples."""

    def __init__(self, timeline: Timeline, silence: NDArray[np.float32], out_rate: int) -> None:
        """``silence`` (M,) is the hop of digital silence; ``out_rate`` is that of silent frames."""
        self._timeline = timeline
        self.out_rate = out_rate
        self._features = StreamingFeatures(FeatureSpec.rap())
        self._hops = FeatureWindow(silence, 1024)
        self._backlog: deque[Samples] = deque()  # samples of the features, without hops as yet
        self._recent = np.zeros(0, np.float32)  # the last of those that have
        self._extracted = 0
        self._frames: deque[Heard] = deque()
        self._first = 0  # index of _frames[0]
        self._partial = _NOTHING  # output's samples of the frame that is not whole yet
        self._utterance = 0  # that is being said
        self._ending = 0  # whose end the next frame has to tell
        self.end = 0

    @property
    def first_frame(self) -> int:
        """The oldest frame that is still here."""
        return self._first

    @property
    def end_frame(self) -> int:
        """The frame after the last whole one."""
        return self._first + len(self._frames)

    def frame(self, index: int) -> Heard:
        return self._frames[index - self._first]

    def speaks(self, first: int, n_frames: int) -> bool:
        """Say whether anything is said in the frames that are still here of a stretch."""
        frames = range(max(first, self._first), min(first + n_frames, self.end_frame))
        return any(self.frame(frame).utterance for frame in frames)

    def ends(self, frame: int) -> bool:
        """Say whether an utterance ends with a frame, if that is still here."""
        return self._first <= frame < self.end_frame and self.frame(frame).ends

    def say(self, voice: Voice, samples: int, utterance: int) -> None:
        """Place the next ``samples`` of an utterance; its first at the start of a frame."""
        if self._utterance != utterance:
            self.out_rate, self._utterance = voice.out_rate, utterance
            voice.resume()
        self._append(*voice.take(samples))

    def close(self, utterance: int) -> None:
        """End the utterance: fill its last frame with silence, and mark that, or else the next."""
        self._pad()
        if self._frames and self._frames[-1].utterance == utterance:
            self._frames[-1] = replace(self._frames[-1], ends=True)
        else:
            self._ending = utterance

    def be_silent(self, samples: int) -> None:
        """Append silence; it ends with a frame."""
        target = self.end + samples
        self._pad()
        missing = target - self.end
        frames = missing // self._timeline.frame_samples
        self._append(
            np.zeros(missing, np.float32), np.zeros(frames * self._frame_size(), np.float32)
        )

    def cut(self, frame: int) -> None:
        """Forget everything from ``frame`` on; it must not be older than `first_frame`."""
        end = frame * self._timeline.frame_samples
        while self.end_frame > frame:
            self._frames.pop()
        self._partial, self._utterance, self._ending = _NOTHING, 0, 0
        if end >= self._extracted:
            self._drop_backlog(end - self._extracted)
        else:
            self._extract_again(end)
        self.end = end

    def forget(self, frame: int) -> None:
        """Drop the audio of the frames before ``frame``, whether a chunk has heard it or not."""
        while self._first < frame and self._frames:
            self._frames.popleft()
            self._first += 1
        until = min(self.end, frame * self._timeline.frame_samples)
        self._extract(until, oldest=frame * self._timeline.hops_per_frame - KEPT_BEHIND)

    def hops_into(self, first: int, out: NDArray[np.float32]) -> None:
        """Copy hops from ``first`` on, an index that may be negative, to ``out`` (H, M).

        The script must reach `REACH_SAMPLES` beyond the last; old hops are given up.
        """
        until = (first + len(out)) * self._timeline.hop_samples + REACH_SAMPLES
        self._extract(until, oldest=first - KEPT_BEHIND)
        self._hops.window_into(first, len(out), out)

    def _frame_size(self) -> int:
        return self.out_rate // self._timeline.fps

    def _append(self, heard: Samples, out: Samples) -> None:
        if len(heard):
            self._backlog.append(heard)
            self.end += len(heard)
        size = self._frame_size()
        joined = np.concatenate([self._partial, out]) if len(self._partial) else out
        whole = len(joined) - len(joined) % size
        for start in range(0, whole, size):
            utterance = self._utterance or self._ending
            audio = joined[start : start + size]
            self._frames.append(Heard(audio, utterance, ends=bool(self._ending)))
            self._ending = 0
        self._partial = joined[whole:]

    def _pad(self) -> None:
        """Fill the frame that is not whole with silence, in the features and in the output."""
        missing = -self.end % self._timeline.frame_samples
        if missing or len(self._partial):  # both sides are rounded up, at rates of their own
            out = self._frame_size() - len(self._partial)
            self._append(np.zeros(missing, np.float32), np.zeros(out, np.float32))
        self._partial, self._utterance = _NOTHING, 0

    def _extract(self, until: int, oldest: int) -> None:
        if until > self.end:
            raise StateError(f"the script ends at sample {self.end}: expected {until} or more")
        while self._extracted < until:
            samples = self._next(min(PIECE_SAMPLES, until - self._extracted))
            self._hops.append(self._features.push(samples))
            self._hops.drop_before(min(max(0, oldest), self._hops.end))
            self._extracted += len(samples)
            self._recent = np.concatenate([self._recent, samples])[-RECENT_SAMPLES:]

    def _next(self, samples: int) -> Samples:
        piece = self._backlog.popleft()
        if len(piece) > samples:
            self._backlog.appendleft(piece[samples:])
        return piece[:samples]

    def _drop_backlog(self, kept: int) -> None:
        pieces = []
        while kept:
            pieces.append(self._next(kept))
            kept -= len(pieces[-1])
        self._backlog = deque(pieces)

    def _extract_again(self, end: int) -> None:
        """Take the hops back that heard anything from sample ``end`` on."""
        hop = self._timeline.hop_samples
        kept = max(0, end // hop - REACH_HOPS)
        start = max(0, kept - REACH_HOPS)
        base = self._extracted - len(self._recent)
        self._recent = self._recent[: end - base]
        self._features.reset()
        self._hops.truncate(kept)
        again = self._features.push(self._recent[start * hop - base :])
        self._hops.append(again[kept - start :])
        self._backlog.clear()
        self._extracted = end
