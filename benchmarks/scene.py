"""A stream on a virtual clock with everything that came out of it, and somebody who talks to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import FeatureSpec, Resampler, offline_features
from rap_edge.benchmarks.conversation import babble
from rap_edge.benchmarks.virtual import MS, Stall, VirtualModel, VirtualStream, red
from rap_edge.runtime import Frame
from rap_edge.runtime.options import Idle, Playout, StreamOptions

RATE = 16_000
SECOND = 1_000 * MS
Pcm = NDArray[np.float32]


class Scene:
    """A stream with everything that came out of it."""

    def __init__(
        self,
        rate: int | None = RATE,
        playout: int | None = None,
        ppm: float = 0.0,
        seed: int = 0,
        stalls: tuple[Stall, ...] = (),
        slowness: Callable[[int], float] = lambda now: 1.0,
        idle: Idle = "generate",
        latency_ms: int = 30,
    ) -> None:
        options = StreamOptions(
            idle=idle,
            sample_rate=None if playout else rate,
            playout=Playout(playout) if playout else None,
        )
        self.frames: list[Frame] = []
        self.times: list[int] = []
        self.blocks: list[Pcm] = []
        self.block_times: list[int] = []  # when the first sample of each is heard
        self.dry = 0  # blocks that were not full, since the first one that was
        self._is_full = False
        self.stream = VirtualStream(
            options,
            VirtualModel(seed, stalls, slowness),
            ppm,
            seed,
            on_frame=self._show,
            on_block=self._play,
            after_step=self._agree,
            latency_ns=latency_ms * MS,
        )
        self.session = self.stream.session

    def _show(self, frame: Frame, now: int) -> None:
        self.frames.append(frame)
        self.times.append(now)

    def _play(self, block: Pcm, heard_ns: int, taken: int) -> None:
        self.dry += bool(self._is_full and taken < len(block))
        self._is_full |= taken == len(block)
        self.blocks.append(block.copy())
        self.block_times.append(heard_ns)

    def _agree(self) -> None:
        assert self.session._script.end == self.session.scheduler.script_end

    def wait(self, seconds: float) -> None:
        self.stream.run(self.stream.now + int(seconds * SECOND))

    def begin(self) -> int:
        return self.session.begin(self.stream.now)

    def push(self, pcm: Pcm, utterance: int, rate: int = RATE) -> bool:
        taken = self.session.push(pcm, rate, utterance, self.stream.now)
        self._agree()
        return taken

    def flush(self, utterance: int) -> bool:
        return self.session.flush(utterance, self.stream.now)

    def say(self, pcm: Pcm, rate: int = RATE, block: int = 320, live: bool = False) -> int:
        """Say something in blocks, all at once or in real time."""
        utterance = self.begin()
        for piece in split(pcm, block):
            if live:
                self.wait(len(piece) / rate)
            self.push(piece, utterance, rate)
        self.flush(utterance)
        return utterance

    def spoken(self, utterance: int) -> list[Frame]:
        return [frame for frame in self.frames if frame.utterance == utterance]

    def heard(self, utterance: int) -> Pcm:
        return np.concatenate([np.zeros(0, np.float32), *(f.audio for f in self.spoken(utterance))])

    def device(self) -> Pcm:
        return np.concatenate(self.blocks)

    @property
    def kept(self) -> int:
        """Frames of audio, and pieces without features, that the script holds."""
        script = self.session._script
        return script.end_frame - script.first_frame + len(script._backlog)


class Talker:
    """Somebody who talks, and knows what was said."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._voice, self._place = scene, babble(30.0, 8), 0
        self.said: dict[int, Pcm] = {}
        self.complete: set[int] = set()
        self._utterance = 0

    def begin(self) -> None:
        ended = [frame.utterance for frame in self._scene.frames[-200:] if frame.end_of_speech]
        self.complete |= set(ended)
        self._utterance = self._scene.begin()
        self.said[self._utterance] = np.zeros(0, np.float32)

    def push(self, samples: int) -> None:
        start = self._place % (len(self._voice) - 2 * RATE)
        self._place += samples
        piece = self._voice[start : start + samples]
        assert self._scene.push(piece, self._utterance)
        assert not self._scene.push(piece, self._utterance - 1)
        self.said[self._utterance] = np.concatenate([self.said[self._utterance], piece])

    def flush(self) -> None:
        assert self._scene.flush(self._utterance)

    def interrupt(self) -> None:
        self._scene.session.interrupt(self._scene.stream.now)


def split(pcm: Pcm, block: int) -> Iterator[Pcm]:
    for start in range(0, len(pcm), block):
        yield pcm[start : start + block]


def reds(pcm: Pcm) -> list[int]:
    """What the frames of an utterance have to show of it."""
    padded = np.pad(pcm, (RATE, RATE))
    hops = offline_features(FeatureSpec.rap(), padded)
    return [red(hops[100 + 4 * n]) for n in range(-(-len(pcm) // 640))]


def resampled(pcm: Pcm, rate: int, out_rate: int) -> Pcm:
    if rate == out_rate:
        return pcm
    resampler = Resampler(rate, out_rate)
    return np.concatenate([resampler.push(pcm), resampler.finish()])


def voiced(pcm: Pcm) -> Pcm:
    samples: Pcm = pcm[pcm != 0]
    return samples
