"""Graphs made smaller or faster: what there is to work with, the ways, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from onnx import ModelProto

from rap_edge.converters.calibration import CALLED, Scene
from rap_edge.converters.formats import BOUNDS
from rap_edge.converters.graphs import GraphSource
from rap_edge.converters.parity import compare
from rap_edge.converters.running import Files, run_of
from rap_edge.converters.sensitivity import NodeCost, OnNode, choose, measure_costs
from rap_edge.converters.smoothing import smoothed
from rap_edge.converters.sources import Sources
from rap_edge.converters.speaking import Tensors
from rap_edge.converters.static_int8 import Activation, Calibrated, calibrate, quantized
from rap_edge.converters.to_onnx import serialized, to_onnx
from rap_edge.quantization import Limits

SMOOTHED = ("audio", "denoiser")
WORST = 5  # layers to name when the gate refuses


@dataclass(frozen=True)
class Job:
    """A model, what calibration saw of it, and how it is to be quantized.

    ``calls`` are the inputs of every graph that calibration saw, none for recipes without it;
    ``judges`` are the scenes that say what a layer costs: without them every layer is taken.
    """

    sources: Sources
    calls: Mapping[str, Sequence[Tensors]]
    smoothing: float | None = 0.5
    limits: Limits = field(default_factory=Limits)
    judges: Sequence[Scene] = ()
    on_node: OnNode = lambda done, total: None

    @property
    def graphs(self) -> dict[str, GraphSource]:
        """The graphs that run for every chunk."""
        return {g.name: g for g in self.sources.graphs if g.name in CALLED}

    @cached_property
    def smooth_graphs(self) -> dict[str, GraphSource]:
        """The same, smoothed where that helps."""
        if self.smoothing is None:
            return self.graphs
        return {
            name: smoothed(graph, self.calls[name], self.smoothing) if name in SMOOTHED else graph
            for name, graph in self.graphs.items()
        }


@dataclass(frozen=True)
class Made:
    """Quantized graphs, what stays in float in each, and what the layers cost."""

    files: Mapping[str, Files]
    kept: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    costs: Sequence[NodeCost] = ()

    @property
    def worst_nodes(self) -> tuple[str, ...]:
        taken = [c for c in self.costs if c.node not in self.kept.get(c.graph, ())]
        worst = sorted(taken, key=lambda cost: -cost.mouth_error)[:WORST]
        return tuple(f"{cost.graph}/{cost.node}" for cost in worst)


def static_int8(job: Job, activation: Activation) -> Made:
    models = {name: to_onnx(graph) for name, graph in job.smooth_graphs.items()}
    calibrated = {name: calibrate(models[name], job.calls[name]) for name in models}
    costs = node_costs(job, models, calibrated) if job.judges else []
    kept: dict[str, list[str]] = {}
    for cost in choose(costs, job.limits):
        kept.setdefault(cost.graph, []).append(cost.node)
    made = {}
    for name, graph in calibrated.items():
        taken = [layer for layer in graph.layers if layer not in kept.get(name, ())]
        made[name] = serialized(quantized(graph, taken, activation))
    return Made(made, {name: tuple(nodes) for name, nodes in kept.items()}, costs)


def node_costs(
    job: Job, models: Mapping[str, ModelProto], calibrated: Mapping[str, Calibrated]
) -> list[NodeCost]:
    """Measure every layer against the graphs in float, all on onnxruntime."""
    floats = {name: serialized(model) for name, model in models.items()}
    floats["portrait"] = serialized(to_onnx(job.sources.graph("portrait")))
    run = run_of("onnxruntime", job.sources.specs, floats)
    return measure_costs(job.sources, run, calibrated, job.judges, job.on_node)


def fp16(job: Job) -> Made:
    from rap_edge.converters.half_arithmetic import in_half

    return Made({name: serialized(in_half(to_onnx(g))) for name, g in job.graphs.items()})


def weights_only(job: Job, bits: int) -> Made:
    from rap_edge.converters.weight_only import weight_only

    graph = job.graphs["denoiser"]
    return Made({"denoiser": serialized(weight_only(to_onnx(graph), bits))})


def by_nncf(job: Job) -> Made:
    """Let NNCF quantize what it is good at: in the decoder it quantizes pictures and positions."""
    from rap_edge.converters.nncf_int8 import quantized_by_nncf
    from rap_edge.converters.to_openvino import to_openvino

    decoder = calibrate(to_onnx(job.graphs["decoder"]), job.calls["decoder"])
    made: dict[str, Files] = {"decoder": to_openvino(quantized(decoder, decoder.layers))}
    for name in SMOOTHED:
        graph, calls = to_onnx(job.graphs[name]), job.calls[name]
        made[name] = quantized_by_nncf(graph, calls, name == "denoiser", job.smoothing)
    return Made(made)


def coreml(job: Job, compress: str) -> Made:
    from rap_edge.converters import coreml_compress
    from rap_edge.converters.to_coreml import to_coreml

    made: dict[str, Files] = {}
    for name, graph in job.graphs.items():
        files = to_coreml(graph)
        if compress == "w8a8":
            made[name] = coreml_compress.quantize_both(files, job.calls[name])
        elif compress == "w8":
            made[name] = coreml_compress.quantize_weights(files)
        else:
            made[name] = coreml_compress.palettize_weights(files, 6)
    return Made(made)


def coreml_exact(job: Job) -> Made:
    """Store weights in int8 in every graph that stays as near to torch as a conversion has to."""
    from rap_edge.converters.coreml_compress import quantize_weights
    from rap_edge.converters.to_coreml import to_coreml

    made: dict[str, Files] = {}
    for graph in job.sources.graphs:
        files = quantize_weights(to_coreml(graph))
        run = run_of("coreml", job.sources.specs, {graph.name: files})
        if not any(found.failed for found in compare(graph, run, BOUNDS["coreml"])):
            made[graph.name] = files
    return Made(made)
