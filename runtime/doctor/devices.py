"""Which devices can run a graph, by its operators, shapes and kind of int8.

What is here was asked of no device: it is what their makers document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rap_edge.operators import DOMAINS, MAX_IR, MAX_OPSET
from rap_edge.runtime.doctor.diagnosis import Answer, Device
from rap_edge.runtime.doctor.onnx_graph import OnnxGraph
from rap_edge.runtime.doctor.source import activation_types, is_symmetric

# onnxruntime: tools/ci_build/github/apple/coreml_supported_mlprogram_ops.md (ML programs)
COREML_PROVIDER = frozenset(
    """
    Add ArgMax AveragePool Cast Ceil Clip Concat Conv ConvTranspose Cos DepthToSpace Div Elu Erf Exp
    GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool GridSample GroupNormalization HardSigmoid
    Identity InstanceNormalization LayerNormalization LeakyRelu MatMul Max MaxPool Mul PRelu Pow
    Range Reciprocal ReduceMax ReduceMean ReduceSum Relu Reshape Resize Round Shape Sigmoid Sin
    Slice Softmax Softplus Split Sqrt Squeeze Sub Tanh Tile Transpose Unsqueeze
    """.split()  # noqa: SIM905
)
QUANTIZERS = frozenset(("QuantizeLinear", "DequantizeLinear"))
RANK: tuple[Answer, ...] = ("yes", "unknown", "partly", "no")

Limit = tuple[Answer, str]
"""What a device can at most, and why."""

UNTRIED = "this project has not run it on an Apple device"


@dataclass(frozen=True)
class Demands:
    """What decides about devices, over all graphs of a variant."""

    read: bool  # all graphs were: of others nothing below is known
    operators: frozenset[str]  # with their domains
    static: bool  # every size of every input is fixed
    activations: frozenset[str]  # types that they are quantized to
    symmetric: bool  # every zero point of activations is 0
    opset: int
    ir: int

    @classmethod
    def of(cls, graphs: Sequence[OnnxGraph], read: bool = True) -> Demands:
        return cls(
            read,
            frozenset(node.qualified for graph in graphs for node in graph.nodes),
            all(all(shape) for graph in graphs for shape in graph.inputs.values()),
            frozenset(kind for graph in graphs for kind in activation_types(graph)),
            all(map(is_symmetric, graphs)),
            max((graph.opset for graph in graphs), default=0),
            max((graph.ir for graph in graphs), default=0),
        )


def onnxruntime_devices(demands: Demands, providers: Sequence[str]) -> tuple[Device, ...]:
    """Judge the execution providers of onnxruntime; ``providers`` are those that are here."""
    return tuple(
        _device(name, provider in providers, [*_common(demands), *rule(demands)])
        for name, (provider, rule) in PROVIDERS.items()
    )


def openvino_devices(demands: Demands, available: Sequence[str]) -> tuple[Device, ...]:
    """Judge the devices of OpenVINO; ``available`` are those that are here."""
    here = {name.split(".")[0] for name in available}
    return tuple(
        _device(name, name in here, [*_common(demands), *rule(demands)])
        for name, rule in OPENVINO.items()
    )


def coreml_devices(here: bool) -> tuple[Device, ...]:
    """Judge Core ML for a package made for it."""
    return (Device("Core ML", "unknown", here, (UNTRIED, "it needs macOS 14, iOS 17 or newer")),)


def _device(name: str, here: bool, limits: list[Limit]) -> Device:
    can = max((answer for answer, _ in limits), key=RANK.index, default=RANK[0])
    return Device(name, can, here, tuple(dict.fromkeys(why for _, why in limits)))


def _common(demands: Demands) -> Iterator[Limit]:
    if not demands.read:
        yield "unknown", "its operators were not read: those of ONNX graphs only are"
    listed = {f"{domain}.{name}".lstrip(".") for domain, names in DOMAINS.items() for name in names}
    foreign = sorted(demands.operators - listed)
    if foreign:
        yield "unknown", f"{', '.join(foreign)}: not among the operators that every backend runs"
    if demands.opset > MAX_OPSET or demands.ir > MAX_IR:
        yield (
            "unknown",
            f"opset {demands.opset} and IR {demands.ir}: runtimes on devices read opset "
            f"{MAX_OPSET} and IR {MAX_IR} at most",
        )


def _any(demands: Demands) -> Iterator[Limit]:
    yield from ()


def _cuda(demands: Demands) -> Iterator[Limit]:
    if demands.operators & QUANTIZERS:
        yield "partly", "it computes Q/DQ pairs in float, slower than fp16: take fp16"


def _tensorrt(demands: Demands) -> Iterator[Limit]:
    others = sorted(demands.activations - {"int8"})
    if others:
        kinds = " and ".join(others)
        yield "no", f"it takes int8 activations only, and these are {kinds}: take S8S8 or fp16"
    elif not demands.symmetric:
        yield "no", "it takes zero points of 0 only, and some are not: quantize symmetrically"
    if "com.microsoft.MatMulNBits" in demands.operators:
        yield "partly", "MatMulNBits is left to the provider after it"


def _coreml(demands: Demands) -> Iterator[Limit]:
    known = COREML_PROVIDER | {"com.microsoft.QuickGelu", "com.microsoft.FusedConv"}
    left = sorted(demands.operators - known)
    if left:
        yield "partly", f"{', '.join(left)} stay on the CPU and cut the graph into parts"
    if not demands.static:
        yield "partly", "a size of an input is not fixed"


def _gpu(demands: Demands) -> Iterator[Limit]:
    if not demands.static:
        yield "partly", "a size of an input is not fixed: kernels are compiled for each"


def _npu(demands: Demands) -> Iterator[Limit]:
    """Its operators are not published; shapes have to be static (openvino#26357, #29677)."""
    if not demands.static:
        yield "no", "a size of an input is not fixed"
    yield "unknown", "its operators are not published, and it may err: compare golden vectors"


Rule = Callable[[Demands], Iterator[Limit]]

PROVIDERS: dict[str, tuple[str, Rule]] = {
    "CPU": ("CPUExecutionProvider", _any),
    "CUDA": ("CUDAExecutionProvider", _cuda),
    "TensorRT": ("TensorrtExecutionProvider", _tensorrt),
    "CoreML": ("CoreMLExecutionProvider", _coreml),
}
OPENVINO: dict[str, Rule] = {"CPU": _any, "GPU": _gpu, "NPU": _npu}
