"""What each layer costs in quality and gains in time when it alone becomes int8.

The quality is that of the frames of people who speak, not of the layer's own output; a choice of
layers is predicted to cost the sum of what each costs alone.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime as ort
from onnx import ModelProto

from rap_edge.converters.calibration import Scene, initial_state, spoken
from rap_edge.converters.running import in_onnxruntime
from rap_edge.converters.sources import Sources
from rap_edge.converters.speaking import Array, Run, Tensors
from rap_edge.converters.static_int8 import Calibrated, quantized
from rap_edge.evaluation.metrics import decibels, mean_squared_error

PROFILED_RUNS = 10
LEAST_MS = 0.01
RENAMED = re.compile(r"^node_|_token_\d+$|_nchwc$|_quant$")
"""What onnxruntime adds to the name of a node when it fuses or rearranges it."""

OnNode = Callable[[int, int], None]
"""Called with how many layers are measured, and how many there are."""


@dataclass(frozen=True)
class NodeCost:
    """One layer: what it adds in int8, in squared levels; milliseconds a run of its graph."""

    graph: str
    node: str
    frame_error: float
    mouth_error: float
    fp32_ms: float
    int8_ms: float

    @property
    def saved_ms(self) -> float:
        return self.fp32_ms - self.int8_ms


@dataclass(frozen=True)
class Limits:
    """The least quality of a choice of layers, as predicted, and what more quality may cost.

    ``spare`` is the share of the time that int8 saves which is given back for quality in any case:
    a few layers cost much and save nothing.
    """

    frame_psnr_db: float = 38.0
    mouth_psnr_db: float = 35.0
    spare: float = 0.005

    def allow(self, costs: Sequence[NodeCost]) -> bool:
        return (
            decibels(sum(cost.frame_error for cost in costs)) >= self.frame_psnr_db
            and decibels(sum(cost.mouth_error for cost in costs)) >= self.mouth_psnr_db
        )


def measure_costs(
    sources: Sources,
    run: Run,
    calibrated: Mapping[str, Calibrated],
    scenes: Sequence[Scene],
    on_node: OnNode = lambda done, total: None,
) -> list[NodeCost]:
    """Quantize one layer after the other and let the scenes be spoken; ``run`` is the float one."""
    state = initial_state(sources)
    expected = [frames_of(sources, run, scene, state) for scene in scenes]
    layers = [(name, layer) for name, graph in calibrated.items() for layer in graph.layers]
    times = {name: profiled(sources, name, graph) for name, graph in calibrated.items()}
    costs = []
    for done, (name, layer) in enumerate(layers):
        on_node(done, len(layers))
        one = in_onnxruntime(sources.specs[name], files(quantized(calibrated[name], [layer])))
        frames = [frames_of(sources, replaced(run, name, one), scene, state) for scene in scenes]
        fp32_ms, int8_ms = (table.get(base(layer), float("nan")) for table in times[name])
        frame, mouth = errors(scenes, expected, frames)
        costs.append(NodeCost(name, layer, frame, mouth, fp32_ms, int8_ms))
    on_node(len(layers), len(layers))
    return costs


def choose(costs: Sequence[NodeCost], limits: Limits) -> list[NodeCost]:
    """Return the layers to leave in float: the worst for what they save, as far as limits ask.

    A layer whose time is unknown counts as one that saves little.
    """
    worst_first = sorted(costs, key=lambda cost: -cost.mouth_error / saved(cost))
    spare = limits.spare * sum(map(saved, costs))
    kept: list[NodeCost] = []
    for index, cost in enumerate(worst_first):
        spare -= saved(cost)
        if spare < 0 and limits.allow(worst_first[index:]):
            break
        kept.append(cost)
    return kept


def saved(cost: NodeCost) -> float:
    return max(float(np.nan_to_num(cost.saved_ms)), LEAST_MS)


def frames_of(sources: Sources, run: Run, scene: Scene, state: Tensors) -> Array:
    return np.concatenate(list(spoken(sources, run, scene, 0, state)))


def replaced(run: Run, name: str, compute: Callable[[Tensors], Tensors]) -> Run:
    """Run one graph otherwise."""
    return lambda graph, inputs: compute(inputs) if graph == name else run(graph, inputs)


def files(model: ModelProto) -> dict[str, bytes]:
    return {f"{model.graph.name}.onnx": model.SerializeToString()}


def errors(
    scenes: Sequence[Scene], expected: Sequence[Array], frames: Sequence[Array]
) -> tuple[float, float]:
    """Return mean squared errors of whole frames, and of the crops around the mouths."""
    pairs = list(zip(scenes, expected, frames, strict=True))
    whole = [mean_squared_error(one, other) for _, one, other in pairs]
    mouths = [
        mean_squared_error(scene.mouth.of_all(one), scene.mouth.of_all(other))
        for scene, one, other in pairs
    ]
    return float(np.mean(whole)), float(np.mean(mouths))


def profiled(
    sources: Sources, name: str, graph: Calibrated
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the milliseconds of every layer in float, and with all layers in int8."""
    rng = np.random.default_rng(0)
    inputs = {
        t.name: (rng.random(t.shape) * (255 if t.dtype == "uint8" else 1)).astype(t.dtype)
        for t in sources.specs[name].inputs
    }
    both = (graph.model, quantized(graph, graph.layers))
    return tuple(layer_times(model, inputs) for model in both)  # type: ignore[return-value]


def layer_times(model: ModelProto, inputs: Tensors) -> dict[str, float]:
    """Return the milliseconds a run of every node, by its name as it was before fusion."""
    with TemporaryDirectory() as folder:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder, "profile"))
        session = ort.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        for _ in range(PROFILED_RUNS):
            session.run(None, dict(inputs))
        events = json.loads(Path(session.end_profiling()).read_text())
    spent: dict[str, list[float]] = defaultdict(list)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            spent[base(event["name"].removesuffix("_kernel_time"))].append(event["dur"] / 1000)
    return {node: float(np.median(times)) for node, times in spent.items()}


def base(node: str) -> str:
    """Return the name of a node without what onnxruntime adds."""
    previous = ""
    while previous != node:
        previous, node = node, RENAMED.sub("", node)
    return node
