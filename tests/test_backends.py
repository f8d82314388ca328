"""Backends compute a graph the same way, and the variant that fits the machine comes first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rap_edge.bundle import open_bundle
from rap_edge.manifest import GraphSpec, Requires, TensorSpec, Variant
from rap_edge.runtime import cpu
from rap_edge.runtime.backends import BACKENDS, Array, Graph, Tensors, open_graph
from rap_edge.runtime.choice import by_fitness, can_run

SPEC = GraphSpec(
    (TensorSpec("x", (4, 8), "float32"),),
    (TensorSpec("y", (4, 6), "float32"), TensorSpec("rounded", (4, 6), "uint8")),
)


@pytest.fixture(scope="module")
def linear() -> bytes:
    """y = relu(x w), in ONNX; w is the same in every test."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(0).standard_normal((8, 6)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["product"]),
        helper.make_node("Relu", ["product"], ["y"]),
        helper.make_node("Cast", ["y"], ["rounded"], to=TensorProto.UINT8),
    ]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "linear",
        [info("x", TensorProto.FLOAT, (4, 8))],
        [info("y", TensorProto.FLOAT, (4, 6)), info("rounded", TensorProto.UINT8, (4, 6))],
        [numpy_helper.from_array(weights, "w")],
    )
    opset = helper.make_opsetid("", 20)
    return helper.make_model(graph, opset_imports=[opset], ir_version=10).SerializeToString()


@pytest.fixture(scope="module", params=[*BACKENDS, "openvino IR"])
def graph(
    request: pytest.FixtureRequest, linear: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Graph:
    backend, _, kind = request.param.partition(" ")
    files = {"linear.onnx": linear}
    if kind:
        files = as_ir(linear, tmp_path_factory.mktemp("ir"))
    return open_graph(backend, "linear", files, SPEC, "fp32", 1)


def as_ir(model: bytes, folder: Path) -> dict[str, bytes]:
    import openvino as ov

    ov.save_model(ov.Core().read_model(model, b""), folder / "linear.xml", compress_to_fp16=False)
    return {name: (folder / name).read_bytes() for name in ("linear.xml", "linear.bin")}


def values(seed: int) -> dict[str, Array]:
    return {"x": np.random.default_rng(seed).standard_normal((4, 8)).astype(np.float32)}


def expected(inputs: Tensors) -> Array:
    weights = np.random.default_rng(0).standard_normal((8, 6)).astype(np.float32)
    return np.maximum(inputs["x"] @ weights, 0)


def test_every_backend_computes_the_graph(graph: Graph) -> None:
    outputs = graph.run(values(1))
    assert {name: value.dtype.name for name, value in outputs.items()} == {
        "y": "float32",
        "rounded": "uint8",
    }
    np.testing.assert_allclose(outputs["y"], expected(values(1)), rtol=1e-5, atol=1e-6)


def test_outputs_belong_to_the_caller(graph: Graph) -> None:
    first = graph.run(values(1))["y"]
    kept = first.copy()
    graph.run(values(2))
    assert np.array_equal(first, kept)
    first[:] = 0
    assert np.array_equal(graph.run(values(1))["y"], kept)


def test_threads_share_a_graph(graph: Graph) -> None:
    alone = [graph.run(values(seed))["y"] for seed in range(40)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seed: graph.run(values(seed))["y"], range(40)))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_openvino_never_computes_in_less_than_fp32(linear: bytes) -> None:
    from rap_edge.runtime.backends.openvino import compile_graph

    compiled = compile_graph("linear", {"linear.onnx": linear}, 1)
    assert compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() == "f32"
    assert int(compiled.get_property("NUM_STREAMS")) == 1
    assert int(compiled.get_property("INFERENCE_NUM_THREADS")) == 1


def test_a_bundle_speaks_on_openvino(synthetic_bundle: Path) -> None:
    """The graphs of a whole bundle, with state and uint8, agree with onnxruntime's."""
    from rap_edge.runtime.backends import zeros

    bundle = open_bundle(synthetic_bundle)
    (variant,) = bundle.variants
    for name, spec in bundle.manifest.graphs.items():
        files = bundle.read_graph(variant, name)
        one, other = (
            open_graph(backend, name, files, spec, "fp32", 1).run(zeros(spec))
            for backend in BACKENDS
        )
        assert all(np.array_equal(one[key], other[key]) for key in one)


FAST, SLOW, ABSENT = (
    Variant("onnxruntime", "int8", {}, Requires(isa=("avx512_vnni", "asimddp"))),
    Variant("onnxruntime", "fp32", {}),
    Variant("openvino", "int8", {}, Requires(isa=("avx_vnni",))),
)


@pytest.mark.parametrize(
    ("flags", "order"),
    [
        ({"avx2", "avx512_vnni", "avx_vnni"}, [FAST, SLOW, ABSENT]),
        ({"asimddp"}, [FAST, SLOW, ABSENT]),
        ({"avx2"}, [SLOW, FAST, ABSENT]),
        (None, [FAST, SLOW, ABSENT]),
    ],
)
def test_what_fits_the_machine_comes_first(flags: set[str] | None, order: list[Variant]) -> None:
    known = None if flags is None else frozenset(flags)
    for given in ((FAST, SLOW, ABSENT), (ABSENT, FAST, SLOW)):
        assert by_fitness(given, lambda variant: variant != ABSENT, known) == order


def test_what_is_missing_here_cannot_run() -> None:
    elsewhere = "macos" if cpu.sys.platform != "darwin" else "linux"
    assert can_run(Variant("onnxruntime", "fp32", {}, Requires({"onnxruntime": "1.18"})))
    assert not can_run(Variant("onnxruntime", "fp32", {}, Requires({"onnxruntime": "99"})))
    assert not can_run(Variant("onnxruntime", "fp32", {}, Requires(os=(elsewhere,))))
    assert not can_run(Variant("coreml", "fp16", {}))


@pytest.mark.parametrize(
    ("text", "flags", "name"),
    [
        ("model name\t: A\nflags\t\t: fpu avx2\n\nflags\t: other\n", {"fpu", "avx2"}, "A"),
        ("processor\t: 0\nFeatures\t: fp asimddp\n", {"fp", "asimddp"}, None),
        ("", None, None),
    ],
)
def test_the_cpu_is_read_from_cpuinfo(
    text: str,
    flags: set[str] | None,
    name: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(cpu, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr("sys.platform", "linux")
    assert cpu.cpu_flags() == flags
    assert name is None or cpu.cpu_name() == name
