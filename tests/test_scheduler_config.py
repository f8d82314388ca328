"""Laws of the scheduler's configuration: what is refused, and that it is a value."""

from __future__ import annotations

import pytest

from rap_edge._core import FrameScheduler, Level, SchedulerConfig
from rap_edge.errors import ConfigError


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"frame_samples": 0}, "frame_samples is 0: expected 1 to"),
        ({"levels": []}, "number of levels is 0"),
        ({"levels": [Level(5)]}, "multiple of latent_frames"),
        ({"levels": [Level(4, holds=True)]}, "only the last"),
        ({"up_utilisation": 0.9}, "less than down_utilisation"),
        ({"up_after_max_ns": 1}, "up_after_max_ns is 1"),
        ({"down_utilisation": float("nan")}, "up_utilisation"),
    ],
)
def test_a_bad_field_is_named(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SchedulerConfig(**fields)  # type: ignore[arg-type]


def test_unknown_fields_and_types_are_refused() -> None:
    with pytest.raises(TypeError, match="no field colour"):
        SchedulerConfig(colour=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        SchedulerConfig(frame_ns="long")  # type: ignore[arg-type]


def test_fields_are_kept_and_copied() -> None:
    config = SchedulerConfig(levels=[Level(4), Level(8, 2)], jitter_samples=7)
    assert config.jitter_samples == 7
    assert config.levels == [Level(4), Level(8, rate_divisor=2, holds=False)]
    scheduler = FrameScheduler(config)
    config.frame_samples = -1
    scheduler.start(0)
    assert scheduler.poll(0).samples == 640
    with pytest.raises(ConfigError, match="frame_samples is -1"):
        FrameScheduler(config)
