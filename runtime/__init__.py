"""Bundles and audio in, frames out: numpy and one backend, never torch."""

from rap_edge.runtime.aio import AsyncStream
from rap_edge.runtime.avatar import Avatar
from rap_edge.runtime.frames import Frame, Interruption, RenderStats
from rap_edge.runtime.levels import Level, ladder, low_latency, throughput
from rap_edge.runtime.live import Stream
from rap_edge.runtime.model import Model, open_model
from rap_edge.runtime.options import Playout, StreamOptions
from rap_edge.runtime.stats import StreamStats
from rap_edge.runtime.trace import Trace

__all__ = [
    "AsyncStream",
    "Avatar",
    "Frame",
    "Interruption",
    "Level",
    "Model",
    "Playout",
    "RenderStats",
    "Stream",
    "StreamOptions",
    "StreamStats",
    "Trace",
    "ladder",
    "low_latency",
    "open_model",
    "throughput",
]
