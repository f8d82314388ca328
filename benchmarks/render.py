"""How many times faster than real time a portrait speaks, and where the time goes.

    python -m rap_edge.benchmarks.render --bundle DIR --seconds 20 --threads 2

Inputs are pinned: a seeded picture and seeded noise at 48 kHz, as a file would bring it. The time
is that of `render` from PCM to RGB: resampling, features, audio encoder, denoiser, decoder. CPU
seconds are printed beside it: on a busy machine they say what a quiet one would give.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from numpy.typing import NDArray

import rap_edge
from rap_edge.benchmarks.host import Host
from rap_edge.manifest import GraphSpec
from rap_edge.portrait import Crop
from rap_edge.runtime import Avatar, Model
from rap_edge.runtime.backends import Array, Binding, Graph, Placement, Tensors

SCHEMA_VERSION = 1
RATE = 48_000
WARM_UP_S = 2.0


@dataclass
class TimedGraph:
    """A graph that adds up the time it runs."""

    graph: Graph
    seconds: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.graph.name

    @property
    def spec(self) -> GraphSpec:
        return self.graph.spec

    @property
    def placement(self) -> Placement:
        return self.graph.placement

    def run(self, inputs: Tensors) -> dict[str, Array]:
        start = perf_counter()
        outputs = self.graph.run(inputs)
        self.seconds.append(perf_counter() - start)
        return outputs

    def bind(self, shared: Tensors | None = None) -> TimedBinding:
        return TimedBinding(self.graph.bind(shared), self.seconds)


@dataclass
class TimedBinding:
    """A binding that adds up the time it runs."""

    binding: Binding
    seconds: list[float]

    @property
    def inputs(self) -> Tensors:
        return self.binding.inputs

    @property
    def outputs(self) -> Tensors:
        return self.binding.outputs

    def run(self, outputs: Tensors | None = None, inputs: Tensors | None = None) -> None:
        start = perf_counter()
        self.binding.run(outputs, inputs)
        self.seconds.append(perf_counter() - start)


@dataclass(frozen=True)
class GraphCost:
    """What one graph costs; the portrait graph runs once per avatar, not per frame."""

    runs: int
    ms_per_run: float  # median
    ms_per_frame: float
    gflop_per_run: float | None  # None without the onnx package, or without a graph in ONNX
    gflop_per_frame: float | None


@dataclass(frozen=True)
class Report:
    """One measurement."""

    bundle: str
    backend: str
    precision: str
    threads: int
    frames: int
    audio_seconds: float
    render_seconds: float
    cpu_seconds: float  # of all threads
    x_realtime: float
    ms_per_frame: float
    gflop_per_frame: float | None
    graphs: dict[str, GraphCost]
    host: Host


def measure(model: Model, seconds: float) -> Report:
    """Render ``seconds`` of noise after a warm-up."""
    host = Host.here()
    timed = {name: TimedGraph(graph) for name, graph in model.graphs.items()}
    avatar = _avatar(replace(model, graphs=timed))
    _render(avatar, WARM_UP_S)
    for graph in timed.values():
        if graph.name != "portrait":
            graph.seconds.clear()
    cpu = process_time()
    frames, render_seconds = _render(avatar, seconds)
    cpu_seconds = process_time() - cpu
    costs = {name: _cost(model, graph, frames) for name, graph in timed.items() if graph.seconds}
    shares = [cost.gflop_per_frame for cost in costs.values()]
    known = [share for share in shares if share is not None]
    return Report(
        bundle=model.bundle.name,
        backend=model.backend,
        precision=model.graphs["decoder"].placement.precision,
        threads=model.graphs["decoder"].placement.threads,
        frames=frames,
        audio_seconds=seconds,
        render_seconds=render_seconds,
        cpu_seconds=cpu_seconds,
        x_realtime=seconds / render_seconds,
        ms_per_frame=1000 * render_seconds / frames,
        gflop_per_frame=sum(known) if len(known) == len(shares) else None,
        graphs=costs,
        host=host,
    )


def _avatar(model: Model) -> Avatar:
    side = model.config.vae.resolution
    picture = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return model.avatar(picture, crop=Crop(0, 0, side))


def _noise(seconds: float) -> Iterator[NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    for start in range(0, round(seconds * RATE), RATE):
        n = min(RATE, round(seconds * RATE) - start)
        yield (rng.standard_normal(n) * 0.1).astype(np.float32)


def _render(avatar: Avatar, seconds: float) -> tuple[int, float]:
    """Return the frames and the seconds from PCM to RGB, without the making of the noise."""
    stream = avatar.frame_stream(RATE)
    frames, spent = 0, 0.0
    for block in _noise(seconds):
        start = perf_counter()
        frames += len(stream.push(block))
        spent += perf_counter() - start
    start = perf_counter()
    frames += len(stream.flush())
    return frames, spent + perf_counter() - start


def _cost(model: Model, graph: TimedGraph, frames: int) -> GraphCost:
    per_frame = 0.0 if graph.name == "portrait" else 1 / frames
    flop = _flop(model, graph.name)
    return GraphCost(
        runs=len(graph.seconds),
        ms_per_run=1000 * float(np.median(graph.seconds)),
        ms_per_frame=1000 * sum(graph.seconds) * per_frame,
        gflop_per_run=None if flop is None else flop / 1e9,
        gflop_per_frame=None if flop is None else flop / 1e9 * len(graph.seconds) * per_frame,
    )


def _flop(model: Model, graph: str) -> int | None:
    try:
        from rap_edge.benchmarks.flops import count_flop
    except ImportError:
        return None
    paths = [variant.files[graph] for variant in model.bundle.variants]
    path = next((path for path in paths if path.endswith(".onnx")), None)
    return None if path is None else count_flop(model.bundle.read(path))


def table(report: Report) -> str:
    """Lay a report out for people."""
    lines = [
        str(report.host),
        f"bundle {report.bundle} on {report.backend} in {report.precision}, "
        f"{report.threads} threads: "
        f"{report.frames} frames ({report.audio_seconds:g} s) in {report.render_seconds:.2f} s "
        f"({report.cpu_seconds:.2f} s of CPU), "
        f"{report.x_realtime:.2f} times real time, {report.ms_per_frame:.2f} ms a frame",
        f"{'graph':<16}{'runs':>6}{'ms/run':>10}{'ms/frame':>10}{'GFLOP/run':>11}{'GFLOP/frame':>13}",
    ]
    for name, cost in report.graphs.items():
        lines.append(
            f"{name:<16}{cost.runs:>6}{cost.ms_per_run:>10.2f}{cost.ms_per_frame:>10.2f}"
            f"{_number(cost.gflop_per_run):>11}{_number(cost.gflop_per_frame):>13}"
        )
    lines.append(f"{'all, per frame':<53}{_number(report.gflop_per_frame):>13}")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--bundle", type=Path, help="folder of a bundle; the built-in one if none")
    parser.add_argument("--backend", default="auto", help="onnxruntime, openvino, or auto")
    parser.add_argument("--precision", help="such as int8 or fp32; the best here if none")
    parser.add_argument("--seconds", type=float, default=20.0, help="audio to render")
    parser.add_argument("--threads", type=int, help="threads of a graph; physical cores if none")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    model = rap_edge.open(
        arguments.bundle, arguments.backend, arguments.precision, threads=arguments.threads
    )
    report = measure(model, arguments.seconds)
    if arguments.json:
        print(json.dumps({"schema_version": SCHEMA_VERSION, **asdict(report)}))
    else:
        print(table(report))


if __name__ == "__main__":
    main()
