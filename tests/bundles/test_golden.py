"""Golden vectors: what is written is read back, equal tensors are stored once, nothing else is."""

from __future__ import annotations

import io

import numpy as np
import pytest

from rap_edge import golden
from rap_edge.archive import build, parse
from rap_edge.errors import InvalidBundle
from rap_edge.manifest import GraphSpec, TensorSpec

X = np.arange(6, dtype=np.float32).reshape(2, 3)
GRAPHS = {
    "a": GraphSpec(
        (TensorSpec("x", (2, 3), "float32"),),
        (TensorSpec("y", (), "uint8"), TensorSpec("state.n", (1,), "int64")),
    ),
    "b": GraphSpec((TensorSpec("x", (2, 3), "float32"),), (TensorSpec("z", (3,), "float16"),)),
}
VECTORS = {
    "a": {"x": X, "y": np.uint8(7), "state.n": np.array([5])},
    "b": {"x": X.copy(), "z": np.ones(3, np.float16)},
}


def test_what_is_written_is_read_back() -> None:
    found = golden.read(golden.write(VECTORS), GRAPHS)
    for graph, tensors in VECTORS.items():
        for name, value in tensors.items():
            np.testing.assert_array_equal(found[graph][name], value)
            assert found[graph][name].dtype == np.asarray(value).dtype
            assert not found[graph][name].flags.writeable


def test_equal_tensors_are_stored_once_and_numpy_reads_them() -> None:
    content = golden.write(VECTORS)
    names = set(parse(memoryview(content)))
    assert names == {"aliases.json", "a/x.npy", "a/y.npy", "a/state.n.npy", "b/z.npy"}
    with np.load(io.BytesIO(content)) as loaded:
        np.testing.assert_array_equal(loaded["a/x"], X)
    assert golden.write(VECTORS) == content


@pytest.mark.parametrize(
    ("graph", "name", "value"),
    [
        ("a", "x", X[:1]),
        ("a", "x", X.astype(np.float64)),
        ("a", "x", X.reshape(3, 2)),
        ("a", "y", np.uint16(7)),
        ("a", "more", X),
    ],
)
def test_other_tensors_are_refused(graph: str, name: str, value: np.ndarray) -> None:
    wrong = {**VECTORS, graph: {**VECTORS[graph], name: value}}
    with pytest.raises(InvalidBundle, match="golden vectors cannot be used"):
        golden.read(golden.write(wrong), GRAPHS)


def test_a_missing_tensor_and_an_alias_to_nothing_are_refused() -> None:
    with pytest.raises(InvalidBundle, match="not those of the graphs"):
        golden.read(golden.write({"a": VECTORS["a"]}), GRAPHS)
    aliases = b'{"equal": {"b/x": "nowhere"}}'
    files = {n: bytes(m.content(memoryview(golden.write(VECTORS))))
             for n, m in parse(memoryview(golden.write(VECTORS))).items()}  # fmt: skip
    with pytest.raises(InvalidBundle, match="equals 'nowhere'"):
        golden.read(b"".join(build({**files, "aliases.json": aliases})), GRAPHS)


@pytest.mark.parametrize(
    ("change", "failures"),
    [
        (lambda x: x, 0),
        (lambda x: x + 0.4, 0),  # the largest value is 5
        (lambda x: x + 0.6, 1),
        (lambda x: x * np.float32("nan"), 1),
        (lambda x: x.astype(np.float64), 1),
        (lambda x: x[:1], 1),
    ],
)
def test_floats_are_compared_with_the_largest_value(change: object, failures: int) -> None:
    assert callable(change)
    assert len(golden.compare({"x": change(X)}, {"x": X, "y": X}, 0.1)) == failures


def test_levels_and_integers_are_compared_as_they_are() -> None:
    level, count = np.array([10], np.uint8), np.array([10])
    assert not golden.compare({"y": level}, {"y": np.array([11], np.uint8)}, 0.0, 1.0)
    assert golden.compare({"y": level}, {"y": np.array([12], np.uint8)}, 9.0, 1.0)
    assert golden.compare({"n": count}, {"n": count + 1}, 9.0, 9.0)
    infinite = np.array([np.inf], np.float32)
    assert golden.compare({"x": infinite}, {"x": infinite}, 0.1)


def test_every_output_of_the_contract_has_to_be_there() -> None:
    assert golden.compare({}, VECTORS["a"], 9.0)
    outputs = {"y": VECTORS["a"]["y"], "state.n": VECTORS["a"]["state.n"]}
    assert golden.compare(outputs, VECTORS["a"], 0.0, contract=GRAPHS["a"]) == []
    found = golden.compare({"y": VECTORS["a"]["y"], "z": X}, VECTORS["a"], 0.0, 0.0, GRAPHS["a"])
    assert found == ["z is not an output", "state.n is missing"]
