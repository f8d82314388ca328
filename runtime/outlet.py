"""Where frames and their audio leave: how much is gone, and what a sound device still needs."""

from __future__ import annotations

from rap_edge._core import FrameScheduler
from rap_edge.runtime.playout import PlayoutDevice
from rap_edge.runtime.script import Heard, Script
from rap_edge.timeline import Timeline

FED_S = 0.5  # of audio that a device gets ahead of its time
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
            self._scheduler.audio_position(self.position(now), now)
            self.feed(now)

    def feed(self, now: int) -> None:
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
        self._script.forget(self._shown if self._device is None else min(self._shown, self._fed))
