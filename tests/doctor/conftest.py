"""Graphs to examine, and what a doctor finds in them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rap_edge.runtime.doctor import Finding, Work, examine_file

Nodes = Sequence[tuple[Any, ...]]  # operator, names of inputs, names of outputs, attributes
Make = Callable[..., bytes]


@pytest.fixture(scope="session")
def make() -> Make:
    """Make a model of one graph from ``x`` to ``y``; a node has the name of its output."""
    from onnx import helper, numpy_helper

    def node(operator: str, inputs: str, outputs: str, attributes: Mapping[str, Any]) -> Any:
        names = outputs.split()
        return helper.make_node(operator, inputs.split(), names, name=names[0], **attributes)

    def model(
        nodes: Nodes,
        constants: Mapping[str, Any],
        x: Sequence[int | str],
        y: Sequence[int | str],
        opset: int = 20,
    ) -> bytes:
        info = helper.make_tensor_value_info
        graph = helper.make_graph(
            [node(*one[:3], one[3] if len(one) > 3 else {}) for one in nodes],
            "graph",
            [info("x", 1, x)],
            [info("y", 1, y)],
            [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()],
        )
        opsets = [helper.make_opsetid("", opset)]
        return bytes(
            helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()
        )

    return model


@pytest.fixture(scope="session")
def package() -> Iterator[dict[str, bytes]]:
    """A Core ML package of one operator, by paths in its folder."""
    if find_spec("coremltools") is None:
        pytest.skip("coremltools is missing: pip install 'rap-edge[coreml]'")
    gc.freeze()  # coremltools collects garbage at each conversion: not what is imported
    from rap_edge.converters.mil.library import library
    from rap_edge.converters.mil.package import pack
    from rap_edge.converters.quiet import quiet

    coremltools, mb = library(), library("coremltools.converters.mil").Builder
    with quiet():
        program = mb.program(
            input_specs=[mb.TensorSpec(shape=(8, 8))], opset_version=coremltools.target.iOS17
        )(lambda x: mb.relu(x=x))
        model = coremltools.convert(
            program,
            convert_to="mlprogram",
            minimum_deployment_target=coremltools.target.iOS17,
            skip_model_load=True,
        )
        yield pack(model, "relu")
    gc.unfreeze()


@pytest.fixture(scope="session")
def network(make: Make) -> bytes:
    """Two convolutions, two linear layers, and attention over what they give."""
    rng = np.random.default_rng(0)
    constants = {
        "w1": rng.standard_normal((32, 16, 3, 3)).astype(np.float32) / 10,
        "w2": rng.standard_normal((32, 32, 3, 3)).astype(np.float32) / 10,
        "rows": np.array([64, 32]),
        "w3": rng.standard_normal((32, 48)).astype(np.float32),
        "b3": rng.standard_normal(48).astype(np.float32),
        "w4": rng.standard_normal((48, 32)).astype(np.float32),
    }
    square = {"pads": [1] * 4, "kernel_shape": [3, 3]}
    nodes = [
        ("Conv", "x w1", "c1", square),
        ("Relu", "c1", "r1"),
        ("Conv", "r1 w2", "c2", square),
        ("Transpose", "c2", "t", {"perm": [0, 2, 3, 1]}),
        ("Reshape", "t rows", "f"),
        ("Gemm", "f w3 b3", "g"),
        ("Relu", "g", "r2"),
        ("MatMul", "r2 w4", "m"),
        ("Transpose", "m", "mt", {"perm": [1, 0]}),
        ("MatMul", "m mt", "scores"),
        ("Softmax", "scores", "shares"),
        ("MatMul", "shares m", "y"),
    ]
    return make(nodes, constants, (1, 16, 8, 8), (64, 32))


@pytest.fixture
def diagnose(tmp_path: Path) -> Callable[..., Work]:
    """Examine a model on one backend."""

    def run(model: bytes, backend: str = "onnxruntime") -> Work:
        path = tmp_path / "graph.onnx"
        path.write_bytes(model)
        (variant,) = examine_file(path, backend).variants
        assert variant.problem is None
        return variant.graphs["graph"]

    return run


@pytest.fixture(scope="session")
def finding() -> Callable[[Work, str], Finding]:
    """Return the only finding that says something; it says what to do too."""

    def find(work: Work, words: str) -> Finding:
        (found,) = [f for f in work.findings if words in f"{f.what}: {f.why}"]
        assert found.fix
        return found

    return find
