"""What a model and its ladder mean to the FrameScheduler."""

from __future__ import annotations

from rap_edge._core import Level as SchedulerLevel
from rap_edge._core import SchedulerConfig
from rap_edge.config import ModelConfig
from rap_edge.runtime.levels import Level
from rap_edge.runtime.options import StreamOptions
from rap_edge.runtime.script import right_context

MAX_AHEAD_FRAMES = 12
NS_PER_S = 1_000_000_000


def scheduler_config(
    config: ModelConfig, levels: tuple[Level, ...], options: StreamOptions
) -> SchedulerConfig:
    """Return the scheduler's settings for one stream."""
    timeline = config.timeline
    return SchedulerConfig(
        frame_samples=timeline.frame_samples,
        frame_ns=NS_PER_S // timeline.fps,
        latent_frames=timeline.frames_per_latent,
        right_context_samples=right_context(config, levels[0].spare_hops),
        max_ahead_frames=MAX_AHEAD_FRAMES,
        playout=options.playout is not None,
        idle_generates=options.idle == "generate",
        adapt=options.level is None,
        levels=[
            SchedulerLevel(
                level.latents * timeline.frames_per_latent, level.rate_divisor, level.holds
            )
            for level in levels
        ],
    )
