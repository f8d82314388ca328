"""Where frames and their audio leave: how much is gone, and what a sound device still needs."""

from __future__ import annotations

from rap_edge._core import FrameScheduler
from rap_edge.runtime.playout import PlayoutDevice
from rap_edge.runtime.script import Heard, Script
from rap_edge.timeline import Timeline

FED_S = 0.5  # of audio that a device gets ahead of its time
SPARE_FRAMES = 2  # of script, beyond what a device has read: a chunk is made meanwhile
UNSEEN_FRAMES = 25  # that nobody showed when they were heard, and somebody still may
NS_PER_S = 1_000_000_000
HEARD_EVERY_NS = 5_000_000  # in between the scheduler's own line is as good as the device's clock


class Outlet:
    """The end of the script: frame by frame, or the ring of a device and its clock."""

    def __init__(
        self,
        timeline: Timeline,
        scheduler: FrameScheduler,
        script: Script,
        device: PlayoutDevice | None,
    ) -> None:
        self._timeline, self._scheduler, self._script = timeline, scheduler, script
        self._device = device
        self._fed = 0  # frames that the device has got
        self._shown = 0  # frames that have left
        self._heard_ns = -HEARD_EVERY_NS  # when the scheduler was told what is heard

    @property
    def is_attached(self) -> bool:
        """Every frame leaves with its own audio: there is no device."""
        return self._device is None

    def position(self, now: int) -> int:
        """Return the sample of the script that is heard."""
        if self._device is None:
            return self._shown * self._timeline.frame_samples
        rate = self._timeline.sample_rate
        return self._device.position(now) * rate // self._device.sample_rate

    def hear(self, now: int) -> None:
        """Tell the scheduler where the device is."""
        if self._device is not None and now >= self._heard_ns + HEARD_EVERY_NS:
            self._heard_ns = now
            heard = self.position(now)
            self._scheduler.audio_position(heard, now)
            self._scheduler.set_audio_ahead(self._ahead_samples(self._device))
            self.feed(now)
            self._forget(heard // self._timeline.frame_samples - UNSEEN_FRAMES)

    def feed(self, now: int) -> None:
        """Give the device the audio of the next half second."""
        if self._device is None:
            return
        size = self._device.sample_rate // self._timeline.fps
        ahead_s = FED_S + self._device.latency_ns / NS_PER_S
        until = self._device.position(now) + int(ahead_s * self._device.sample_rate)
        while self._fed < self._script.end_frame and self._fed * size < until:
            audio = self._script.frame(self._fed).audio
            if self._device.room < len(audio):
                return
            self._device.write(audio)
            self._fed += 1

    def take_back(self) -> None:
        """Silence what the device has got beyond the end of the script, which was cut."""
        if self._device is not None:
            self._fed = min(self._fed, self._script.end_frame)
            self._device.clear(self._fed * self._device.sample_rate // self._timeline.fps)

    def let_go(self, frame: int) -> Heard:
        """Return the audio of a frame that leaves; older ones are forgotten."""
        heard = self._script.frame(frame)
        self.pass_by(frame)
        return heard

    def pass_by(self, frame: int) -> None:
        """The time of a frame is over."""
        self._shown = frame + 1
        self._forget(self._shown)

    def _forget(self, frame: int) -> None:
        """Drop the audio of older frames, but for what the device has not got."""
        self._script.forget(frame if self._device is None else min(frame, self._fed))

    def _ahead_samples(self, device: PlayoutDevice) -> int:
        """Return how far beyond what is heard the script must reach, for the device's sake."""
        spare = SPARE_FRAMES * self._timeline.frame_samples
        return device.latency_ns * self._timeline.sample_rate // NS_PER_S + spare
