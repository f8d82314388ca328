"""`resolution`: models of the bundle's own architecture at other sizes, with random weights.

Their pictures are noise, and nothing is told of them: what is measured is the compute of a chunk.
fp32, since nothing can be calibrated; without the second decoding of latents in which eyes blink.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from time import perf_counter_ns, process_time_ns
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.costs import FrameCost
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.report.statistics import median
from rap_edge.benchmarks.scaling.fits import power_law, told
from rap_edge.benchmarks.scaling.rounds import Costs
from rap_edge.config import ModelConfig
from rap_edge.runtime import throughput
from rap_edge.runtime.backends import BACKENDS, Binding, is_usable, open_graph
from rap_edge.runtime.backends.target import Target
from rap_edge.runtime.stats import NS_PER_MS

if TYPE_CHECKING:
    from rap_edge.benchmarks.scaling.random_weights import RandomGraph

SCENARIO = "scaling.resolution"
RESOLUTIONS = (128, 192, 256, 384, 512)
ROUNDS = 10
NEEDED = ("torch", "onnx", "onnxscript")
PRECISION = "fp32"
TOLD = ("frame_ms", "cpu_ms_per_frame", "gflop_per_frame")


@dataclass(frozen=True, eq=False)
class Sized:
    """What a chunk takes at one resolution."""

    bindings: Mapping[str, Binding]
    runs: Mapping[str, int]  # of each graph, in a chunk
    n_frames: int
    gflop_per_frame: float
    stages_ms: dict[str, list[float]]  # of a chunk, in every turn


def measure_resolution(
    config: ModelConfig,
    backend: str,
    threads: int,
    resolutions: Sequence[int] = RESOLUTIONS,
    n_rounds: int = ROUNDS,
) -> list[Result]:
    """Make chunks of this architecture at those of the resolutions that it can have, in turn.

    ``backend`` is one that reads ONNX, with a device or without; "auto" is the first of them. What
    lacks, torch or the backend, is told in ``missing``. Raises BackendUnavailable for a device that
    does not start here.
    """
    target = Target.parse(backend)
    if target.is_auto:
        target = Target(next(filter(is_usable, BACKENDS), next(iter(BACKENDS))))
    label = f"{target}/{PRECISION}, random weights"
    possible = [side for side in resolutions if fits(config, side)]
    lacking = _lacking(target) or ("" if possible else "the architecture has none of these sizes")
    if lacking:
        return [Result(SCENARIO, label, {}, missing=dict.fromkeys(TOLD, lacking))]
    sized = [_open(config, side, target, threads) for side in possible]
    return _measured(label, possible, sized, n_rounds, config.fps)


def fits(config: ModelConfig, resolution: int) -> bool:
    """Say whether an architecture can have a resolution: a whole number of patches of latents."""
    return resolution > 0 and resolution % (config.vae.space_stride * config.dit.patch) == 0


def _lacking(target: Target) -> str:
    """Say what is not here, and how to get it; empty if nothing lacks."""
    lacking = [name for name in NEEDED if find_spec(name) is None]
    if lacking:
        return f"{', '.join(lacking)} not installed: pip install 'rap-edge[convert]'"
    if target.backend not in BACKENDS:
        return f"{target.backend} does not read ONNX: name {' or '.join(BACKENDS)}"
    return "" if is_usable(target.backend) else f"not installed: {BACKENDS[target.backend]}"


def _open(config: ModelConfig, side: int, target: Target, threads: int) -> Sized:
    from rap_edge.benchmarks.scaling.random_weights import random_graphs

    graphs = random_graphs(config, side)
    latents = throughput(config.sampler).latents
    runs = {"audio": 1, "denoiser": config.sampler.steps, "decoder": latents}
    n_frames = latents * config.timeline.frames_per_latent
    flop = sum(runs[name] * graph.flop for name, graph in graphs.items())
    bindings = {name: _bound(name, graph, target, threads) for name, graph in graphs.items()}
    return Sized(bindings, runs, n_frames, flop / 1e9 / n_frames, {name: [] for name in runs})


def _bound(name: str, graph: RandomGraph, target: Target, threads: int) -> Binding:
    opened = open_graph(
        target.backend, name, graph.files, graph.spec, PRECISION, threads, target.device
    )
    binding = opened.bind()
    for tensor, value in graph.inputs.items():
        binding.inputs[tensor][...] = value
    return binding


def _measured(
    label: str, resolutions: Sequence[int], sized: Sequence[Sized], n_rounds: int, fps: float
) -> list[Result]:
    turns: list[Callable[[], FrameCost]] = [partial(_turn, one) for one in sized]
    costs = Costs.of(turns, n_rounds)
    rows = [
        Result(SCENARIO, label, _values(one, costs, point, n_rounds, fps), {"pixels": side**2.0})
        for point, (side, one) in enumerate(zip(resolutions, sized, strict=True))
    ]
    return [*rows, _fit(label, resolutions, sized, costs, n_rounds)]


def _turn(sized: Sized) -> FrameCost:
    """Make a chunk that finds its own caches warm, and keep what each of its stages took."""
    _chunk_ms(sized)
    cpu = process_time_ns()
    stages_ms = _chunk_ms(sized)
    cpu_ms = (process_time_ns() - cpu) / NS_PER_MS
    for name, spent in stages_ms.items():
        sized.stages_ms[name].append(spent)
    return FrameCost(sum(stages_ms.values()) / sized.n_frames, cpu_ms / sized.n_frames)


def _chunk_ms(sized: Sized) -> dict[str, float]:
    found, before = {}, perf_counter_ns()
    for name, binding in sized.bindings.items():
        for _ in range(sized.runs[name]):
            binding.run()
        now = perf_counter_ns()
        found[name], before = (now - before) / NS_PER_MS, now
    return found


def _values(sized: Sized, costs: Costs, point: int, n_rounds: int, fps: float) -> dict[str, Value]:
    wall_ms = costs.wall_ms[:, point]
    return {
        **costs.values(point, fps),
        **{f"{name}_ms": median(_told(sized, name, n_rounds)) for name in sized.runs},
        "chunk_ms": median(wall_ms * sized.n_frames),
        "gflop_per_frame": Value(sized.gflop_per_frame),
        "gflop_per_s": median(1000 * sized.gflop_per_frame / wall_ms),
    }


def _told(sized: Sized, name: str, n_rounds: int) -> NDArray[np.float64]:
    """Return the times of a stage (R,), without the rounds that warmed up."""
    return np.array(sized.stages_ms[name][-n_rounds:])


def _fit(
    label: str,
    resolutions: Sequence[int],
    sized: Sequence[Sized],
    costs: Costs,
    n_rounds: int,
) -> Result:
    """Fit powers of the number of pixels: 1 is a cost that grows as the picture does."""
    pixels = np.square(np.array(resolutions, np.float64))

    def stage(name: str) -> Value:
        times = np.stack([_told(one, name, n_rounds) for one in sized], 1)
        return power_law(pixels, times).value

    values, missing = told(
        {
            "exponent": lambda: power_law(pixels, costs.wall_ms).value,
            "misfit_percent": lambda: power_law(pixels, costs.wall_ms).misfit_percent,
            "cpu_exponent": lambda: power_law(pixels, costs.cpu_ms).value,
            "decoder_exponent": lambda: stage("decoder"),
            "denoiser_exponent": lambda: stage("denoiser"),
            "gflop_exponent": lambda: power_law(pixels, [s.gflop_per_frame for s in sized]).value,
        }
    )
    return Result(SCENARIO, label, values, missing=missing)
