"""Bundles and audio in, frames out: numpy and one backend, never torch."""

from rap_edge.runtime.avatar import Avatar
from rap_edge.runtime.frames import Frame, RenderStats
from rap_edge.runtime.model import Model, open_model

__all__ = ["Avatar", "Frame", "Model", "RenderStats", "open_model"]
