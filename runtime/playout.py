"""Sound through a device: the ring that it reads, and its clock, which the picture follows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import AudioClock, PcmRing

RING_S = 1.0
FADE_PARTS = 200  # of a second: 5 ms


class PlayoutDevice:
    """What a device's callback calls. One thread writes (the stream), one reads (the device)."""

    def __init__(self, sample_rate: int, now: Callable[[], int]) -> None:
        self.sample_rate = sample_rate
        self._ring = PcmRing(int(RING_S * sample_rate), sample_rate)
        self._clock = AudioClock(sample_rate)
        self._now = now
        self._fade_samples = sample_rate // FADE_PARTS
        self._host_ns = 0  # of the last call
        self._written = 0  # position in the script of the next sample that is written
        self._is_moving = False  # the ring and _written do not agree for the moment
        self.latency_ns = 0  # of the last call
        self.is_running = False

    def read_into(
        self, out: NDArray[np.float32], host_ns: int | None = None, latency_ns: int = 0
    ) -> int:
        """Fill ``out`` (S,) float32 with what is heard next; return how many samples were there.

        To be called from the device's callback: it never waits. ``host_ns`` is `time.monotonic_ns`
        at the call (None takes it), ``latency_ns`` the time until the first sample of ``out`` is
        heard. The rest of ``out`` is silence, which moves nothing in the stream. A ``host_ns`` that
        falls counts as the one before.
        """
        self._host_ns = max(self._host_ns, self._now() if host_ns is None else host_ns)
        self.latency_ns = latency_ns
        start = self._written - self._ring.fill
        is_known = not self._is_moving
        samples = self._ring.read_into(out)
        if is_known:
            self._clock.update(start, self._host_ns, latency_ns)
            self.is_running = True
        return samples

    @property
    def underflows(self) -> int:
        """Reads that found fewer samples than they wanted."""
        return self._ring.underflows

    @property
    def room(self) -> int:
        """Samples that can be queued now."""
        return self._ring.free

    @property
    def drift_ppm(self) -> float:
        """How much faster the device's clock runs than this machine's, in parts per million."""
        return self._clock.drift_ppm

    def snapshot(self) -> dict[str, float]:
        """Return what is known of the device."""
        return {
            "device_underflows": self.underflows,
            "device_drift_ppm": self.drift_ppm,
            "device_jitter_ms": self._clock.jitter_ms,
            "device_steps": self._clock.steps,
            "device_jumps": self._clock.jumps,
        }

    def position(self, now_ns: int) -> int:
        """Return the sample of the script that is heard at ``now_ns``."""
        return max(0, self._clock.position(now_ns))

    def write(self, samples: NDArray[np.float32]) -> int:
        """Queue samples (S,) and return how many there was room for."""
        self._is_moving = True
        taken = self._ring.write(samples)
        self._written += taken
        self._is_moving = False
        return taken

    def clear(self, resume_at: int) -> None:
        """Let what is queued fade; silence follows, up to where the script goes on."""
        self._is_moving = True
        fading = min(self._ring.fill, self._fade_samples)
        self._written += fading - self._ring.fill
        self._ring.clear(self._fade_samples)
        self._written = min(self._written, resume_at)  # the device was beyond it already
        self._is_moving = False
        self.write(np.zeros(max(0, resume_at - self._written), np.float32))
