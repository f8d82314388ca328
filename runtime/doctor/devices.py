"""Which devices can run a graph, by its operators, shapes and kind of int8.

What is here was asked of no device: it is what their makers document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rap_edge.operators import DOMAINS, MAX_IR, MAX_OPSET
from rap_edge.runtime.doctor.diagnosis import Answer, Device
from rap_edge.runtime.doctor.onnx_graph import OnnxGraph
from rap_edge.runtime.doctor.source import activation_kinds

# onnxruntime: tools/ci_build/github/apple/coreml_supported_mlprogram_ops.md (ML programs)
COREML_PROVIDER = frozenset(
    """
    Add Argmax AveragePool Cast Ceil Clip Concat Conv ConvTranspose Cos DepthToSpace Div Elu Erf Exp
    GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool GridSample GroupNormalization HardSigmoid
    Identity InstanceNormalization LayerNormalization LeakyRelu MatMul Max MaxPool Mul PRelu Pow
    Range Reciprocal ReduceMax ReduceMean ReduceSum Relu Reshape Resize Round Shape Sigmoid Sin
    Slice Softmax Softplus Split Sqrt Squeeze Sub Tanh Tile Transpose Unsqueeze
    """.split()  # noqa: SIM905
)
QUANTIZERS = frozenset(("QuantizeLinear", "DequantizeLinear"))
RANK: tuple[Answer, ...] = ("yes", "unknown", "partly", "no")

Objection = tuple[Answer, str]
"""What a device then can, and why."""


@dataclass(frozen=True)
class Asked:
    """What decides about devices, over all graphs of a variant."""

    operators: frozenset[str]  # with their domains
    static: bool  # every size of every input is fixed
    activations: frozenset[str]  # types that they are quantized to
    opset: int
    ir: int

    @classmethod
    def of(cls, graphs: Sequence[OnnxGraph]) -> Asked:
        return cls(
            frozenset(node.qualified for graph in graphs for node in graph.nodes),
            all(all(shape) for graph in graphs for shape in graph.inputs.values()),
            frozenset(kind for graph in graphs for kind in activation_kinds(graph)),
            max((graph.opset for graph in graphs), default=0),
            max((graph.ir for graph in graphs), default=0),
        )


def onnxruntime_devices(asked: Asked, providers: Sequence[str]) -> tuple[Device, ...]:
    """Judge the execution providers of onnxruntime; ``providers`` are those that are here."""
    return tuple(
        _device(name, provider in providers, [*_common(asked), *judge(asked)])
        for name, (provider, judge) in PROVIDERS.items()
    )


def openvino_devices(asked: Asked, available: Sequence[str]) -> tuple[Device, ...]:
    """Judge the devices of OpenVINO; ``available`` are those that are here."""
    here = {name.split(".")[0] for name in available}
    return tuple(
        _device(name, name in here, [*_common(asked), *judge(asked)])
        for name, judge in OPENVINO.items()
    )


def coreml_devices(here: bool) -> tuple[Device, ...]:
    """Judge Core ML for a package made for it."""
    return (Device("Core ML", "yes", here, ("it needs macOS 14, iOS 17 or newer",)),)


def _device(name: str, here: bool, objections: list[Objection]) -> Device:
    can = max((answer for answer, _ in objections), key=RANK.index, default=RANK[0])
    return Device(name, can, here, tuple(dict.fromkeys(why for _, why in objections)))


def _common(asked: Asked) -> Iterator[Objection]:
    listed = {f"{domain}.{name}".lstrip(".") for domain, names in DOMAINS.items() for name in names}
    foreign = sorted(asked.operators - listed)
    if foreign:
        yield "unknown", f"{', '.join(foreign)}: not among the operators that every backend runs"
    if asked.opset > MAX_OPSET or asked.ir > MAX_IR:
        yield (
            "unknown",
            f"opset {asked.opset} and IR {asked.ir}: runtimes on devices read opset {MAX_OPSET} "
            f"and IR {MAX_IR} at most",
        )


def _any(asked: Asked) -> Iterator[Objection]:
    yield from ()


def _cuda(asked: Asked) -> Iterator[Objection]:
    if asked.operators & QUANTIZERS:
        yield "partly", "it computes Q/DQ pairs in float, slower than fp16: take fp16"


def _tensorrt(asked: Asked) -> Iterator[Objection]:
    others = sorted(asked.activations - {"int8"})
    if others:
        kinds = " and ".join(others)
        yield "no", f"it takes int8 activations only, and these are {kinds}: take S8S8 or fp16"
    if "com.microsoft.MatMulNBits" in asked.operators:
        yield "partly", "MatMulNBits is left to the provider after it"


def _coreml(asked: Asked) -> Iterator[Objection]:
    known = COREML_PROVIDER | {"com.microsoft.QuickGelu", "com.microsoft.FusedConv"}
    left = sorted(asked.operators - known)
    if left:
        yield "partly", f"{', '.join(left)} stay on the CPU and cut the graph into parts"
    if not asked.static:
        yield "partly", "a size of an input is not fixed"


def _gpu(asked: Asked) -> Iterator[Objection]:
    if not asked.static:
        yield "partly", "a size of an input is not fixed: kernels are compiled for each"


def _npu(asked: Asked) -> Iterator[Objection]:
    """Its operators are not published; shapes have to be static (openvino#26357, #29677)."""
    if not asked.static:
        yield "no", "a size of an input is not fixed"
    yield "unknown", "its operators are not published, and it may err: compare golden vectors"


Judge = Callable[[Asked], Iterator[Objection]]

PROVIDERS: dict[str, tuple[str, Judge]] = {
    "CPU": ("CPUExecutionProvider", _any),
    "CUDA": ("CUDAExecutionProvider", _cuda),
    "TensorRT": ("TensorrtExecutionProvider", _tensorrt),
    "CoreML": ("CoreMLExecutionProvider", _coreml),
}
OPENVINO: dict[str, Judge] = {"CPU": _any, "GPU": _gpu, "NPU": _npu}
