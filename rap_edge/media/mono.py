"""Mix and resample decoded audio to one channel at one rate."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph
from numpy.typing import NDArray


class MonoResampler:
    """Turn audio frames of any format into float32 mono blocks at `sample_rate`.

    The mix is normalised (`rematrix_maxval`): the same voice in every channel keeps its level. The
    format of the frames may change on the way.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._format: tuple[int, str, str] | None = None
        self._graph: Graph | None = None

    def push(self, frame: AudioFrame) -> Iterator[NDArray[np.float32]]:
        """Feed one frame; yield the blocks (S,) that became ready."""
        frame_format = (frame.sample_rate, frame.format.name, frame.layout.name)
        if self._graph is None or frame_format != self._format:
            yield from self.flush()
            self._graph = _mono_graph(*frame_format, self._sample_rate)
            self._format = frame_format
        frame.pts = None
        self._graph.push(frame)
        yield from _pull(self._graph)

    def flush(self) -> Iterator[NDArray[np.float32]]:
        """Yield what the resampling filter still holds; the next frame starts afresh."""
        if self._graph is None:
            return
        self._graph.push(None)
        yield from _pull(self._graph)
        self._graph = None


def _mono_graph(sample_rate: int, sample_format: str, layout: str, out_sample_rate: int) -> Graph:
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=sample_rate,
        format=sample_format,
        layout=layout,
        time_base=Fraction(1, sample_rate),
    )
    resample = graph.add("aresample", f"{out_sample_rate}:rematrix_maxval=1.0")
    mono = graph.add("aformat", "sample_fmts=flt:channel_layouts=mono")
    graph.link_nodes(source, resample, mono, graph.add("abuffersink")).configure()
    return graph


def _pull(graph: Graph) -> Iterator[NDArray[np.float32]]:
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, EOFError):
            return
        if isinstance(frame, AudioFrame) and frame.samples:
            yield frame.to_ndarray()[0].astype(np.float32, copy=False)
