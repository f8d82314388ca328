"""What a live stream can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rap_edge.errors import ConfigError
from rap_edge.noise import SEEDS
from rap_edge.runtime.pixels import FORMATS
from rap_edge.runtime.voice import check_rate

Idle = Literal["generate", "loop", "hold"]
IDLES = ("generate", "loop", "hold")


@dataclass(frozen=True)
class Playout:
    """Sound leaves through a device of this rate, whose clock the picture follows."""

    sample_rate: int = 48_000

    def __post_init__(self) -> None:
        check_rate(self.sample_rate)


@dataclass(frozen=True)
class StreamOptions:
    """How a stream looks, idles and adapts."""

    format: str = "rgb"  # rgb, bgr, rgba, nv12 or i420: see rap_edge.runtime.pixels
    idle: Idle = "generate"  # when nobody speaks: new frames, a loop made at open, or the last one
    seed: int = 0  # of the noise: another seed moves the head otherwise
    level: int | None = None  # of the ladder, to stay at; None follows the load
    lookahead_ms: int | None = None  # that lips hear ahead: less than the bundle's answers sooner
    sample_rate: int | None = None  # of Frame.audio in Hz; None is that of what was pushed last
    playout: Playout | None = None  # None: every frame leaves with its 40 ms of audio
    admission: bool = True  # ask whether the machine can serve one more stream
    max_queued_seconds: float = 300.0  # of audio that is pushed ahead of its time

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ConfigError(f"format is {self.format!r}: expected one of {', '.join(FORMATS)}")
        if self.idle not in IDLES:
            raise ConfigError(f"idle is {self.idle!r}: expected one of {', '.join(IDLES)}")
        if self.level is not None and not isinstance(self.level, int):
            raise ConfigError(f"level is {self.level!r}: expected a number of the ladder, or None")
        if not isinstance(self.seed, int) or not 0 <= self.seed < SEEDS:
            raise ConfigError(f"seed is {self.seed!r}: expected 0 to 2**64 - 1")
        if self.playout is not None and not isinstance(self.playout, Playout):
            raise ConfigError(f"playout is {self.playout!r}: expected Playout(48000), or None")
        if not self.max_queued_seconds > 0:
            raise ConfigError(
                f"max_queued_seconds is {self.max_queued_seconds}: expected more than 0; some "
                "seconds more than a push"
            )
        if self.sample_rate is not None:
            check_rate(self.sample_rate)
        if self.playout is not None and self.sample_rate is not None:
            raise ConfigError(
                "sample_rate and playout are both given: expected one, the device's rate decides"
            )
