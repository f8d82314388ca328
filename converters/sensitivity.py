"""What each layer costs in quality, and gains in time, when it becomes int8.

The quality is that of the frames of people who speak, with this layer alone in int8; a choice of
layers is predicted to cost the sum of what each costs. The time is that of the layer's own kernel
among layers that are int8 too, without what converts between them.
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

from rap_edge.converters.calibration import Scene, spoken
from rap_edge.converters.running import in_onnxruntime
from rap_edge.converters.sources import Sources
from rap_edge.converters.speaking import Array, Run, Tensors
from rap_edge.converters.static_int8 import Calibrated, quantized
from rap_edge.converters.to_onnx import serialized
from rap_edge.evaluation.metrics import decibels, mean_squared_error
from rap_edge.quantization import Limits

PROFILED_RUNS = 10
LEAST_MS = 0.01
RENAMED = re.compile(r"^node_|_token_\d+$|_nchwc$|_quant$")
"""What onnxruntime adds to the name of a node when it fuses or rearranges it."""

OnNode = Callable[[int, int], None]
"""Called with how many layers are measured, and how many there are."""


@dataclass(frozen=True)
class NodeCost:
    """One layer: squared levels that it adds alone in int8, milliseconds of its kernel."""

    graph: str
    node: str
    frame_error: float
    mouth_error: float
    fp32_ms: float
    int8_ms: float

    @property
    def saved_ms(self) -> float:
        return self.fp32_ms - self.int8_ms


def measure_costs(
    sources: Sources,
    run: Run,
    calibrated: Mapping[str, Calibrated],
    scenes: Sequence[Scene],
    on_node: OnNode = lambda done, total: None,
) -> list[NodeCost]:
    """Quantize one layer after the other and let the scenes be spoken; ``run`` is the float one."""
    expected = [frames_of(sources, run, scene) for scene in scenes]
    layers = [(name, layer) for name, graph in calibrated.items() for layer in graph.layers]
    times = {name: profiled(sources, name, graph) for name, graph in calibrated.items()}
    costs = []
    for done, (name, layer) in enumerate(layers):
        on_node(done, len(layers))
        one = in_onnxruntime(sources.specs[name], serialized(quantized(calibrated[name], [layer])))
        frames = [frames_of(sources, replaced(run, name, one.compute), scene) for scene in scenes]
        fp32_ms, int8_ms = (table.get(base(layer), float("nan")) for table in times[name])
        frame, mouth = errors(scenes, expected, frames)
        costs.append(NodeCost(name, layer, frame, mouth, fp32_ms, int8_ms))
    on_node(len(layers), len(layers))
    return costs


def choose(costs: Sequence[NodeCost], limits: Limits) -> list[NodeCost]:
    """Return the layers to leave in float: the worst for what they save, as far as limits ask.

    A layer whose time is unknown counts as one that saves little.
    """
    worst_first = sorted(costs, key=lambda cost: -share(cost, limits) / saved(cost))
    spare = limits.spare * sum(map(saved, costs))
    kept: list[NodeCost] = []
    for index, cost in enumerate(worst_first):
        spare -= saved(cost)
        if spare < 0 and allowed(worst_first[index:], limits):
            break
        kept.append(cost)
    return kept


def allowed(costs: Sequence[NodeCost], limits: Limits) -> bool:
    """Say whether layers may be int8 together."""
    frame, mouth = predicted_psnr_db(costs)
    return frame >= limits.frame_psnr_db and mouth >= limits.mouth_psnr_db


def predicted_psnr_db(costs: Sequence[NodeCost]) -> tuple[float, float]:
    """Return the PSNR of frames and of mouths with all of these layers in int8."""
    return (
        decibels(sum(cost.frame_error for cost in costs)),
        decibels(sum(cost.mouth_error for cost in costs)),
    )


def share(cost: NodeCost, limits: Limits) -> float:
    """Return how much of what the limits allow a layer takes, of frames and of mouths."""
    frame, mouth = (10 ** (db / 10) for db in (limits.frame_psnr_db, limits.mouth_psnr_db))
    return cost.frame_error * frame + cost.mouth_error * mouth


def saved(cost: NodeCost) -> float:
    return max(float(np.nan_to_num(cost.saved_ms)), LEAST_MS)


def frames_of(sources: Sources, run: Run, scene: Scene) -> Array:
    return np.concatenate(list(spoken(sources, run, scene, 0)))


def replaced(run: Run, name: str, compute: Callable[[Tensors], Tensors]) -> Run:
    """Run one graph otherwise."""
    return lambda graph, inputs: compute(inputs) if graph == name else run(graph, inputs)


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
