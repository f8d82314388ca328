"""Bindings run a graph in place: the same numbers as `run`, and nothing is allocated or copied."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rap_edge.bundle import open_bundle
from rap_edge.errors import ConcurrencyError, ConfigError
from rap_edge.manifest import GraphSpec
from rap_edge.runtime.backends import Array, Graph, open_graph
from rap_edge.runtime.backends.buffers import Buffers

STATE, NEXT = "state.count", "next_state.count"


@pytest.fixture(scope="module", params=["onnxruntime", "openvino"])
def decoder(request: pytest.FixtureRequest, synthetic_bundle: Path) -> Graph:
    """The graph with state, floats and bytes."""
    bundle = open_bundle(synthetic_bundle)
    files = bundle.read_graph(bundle.variants[0], "decoder")
    spec = bundle.manifest.graphs["decoder"]
    return open_graph(request.param, "decoder", files, spec, "fp32", 1)


def filled(graph: Graph, seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    values = {t.name: rng.integers(0, 9, t.shape).astype(t.dtype) for t in graph.spec.inputs}
    values["latent"] -= 4
    return values


def test_a_binding_computes_what_run_computes(decoder: Graph) -> None:
    binding = decoder.bind()
    for seed in range(4):
        given = filled(decoder, seed)
        for name, value in given.items():
            binding.inputs[name][:] = value
        binding.run()
        expected = decoder.run(given)
        assert binding.outputs.keys() == expected.keys()
        assert all(np.array_equal(binding.outputs[name], expected[name]) for name in expected)


def test_state_takes_turns_between_two_arrays(decoder: Graph) -> None:
    """Frames go straight into a caller's ring, the count from one array to the other and back."""
    binding = decoder.bind({name: v for name, v in filled(decoder, 0).items() if name != STATE})
    ring = np.zeros((5, *binding.outputs["frames"].shape), np.uint8)
    states = [np.full((1, 1, 1, 1), n, np.float32) for n in (3, 0)]
    for turn, frames in enumerate(ring):
        before, after = states[turn % 2], states[1 - turn % 2]
        binding.run({"frames": frames, NEXT: after}, {STATE: before})
        assert after.item() == turn + 4
        assert (frames[..., 1] == turn + 3).all()
    assert not binding.outputs["frames"].any()  # its own were never written
    binding.run()
    assert (binding.outputs["frames"][..., 1] == 0).all()
    assert binding.outputs[NEXT].item() == 1
    assert (ring[-1][..., 1] == 7).all()  # and what was lent is no longer


def test_an_output_of_one_binding_is_the_input_of_another(decoder: Graph) -> None:
    first = decoder.bind()
    second = decoder.bind({STATE: first.outputs[NEXT]})
    first.run()
    second.run()
    assert second.outputs[NEXT].item() == 2


def test_shared_inputs_may_be_read_only_and_stay_as_they_are(decoder: Graph) -> None:
    given = filled(decoder, 1)
    for value in given.values():
        value.setflags(write=False)
    kept = {name: value.copy() for name, value in given.items()}
    binding = decoder.bind(given)
    assert all(binding.inputs[name] is given[name] for name in given)
    binding.run()
    assert np.array_equal(binding.outputs["frames"], decoder.run(kept)["frames"])
    assert all(np.array_equal(given[name], kept[name]) for name in given)


def test_nothing_is_allocated_from_run_to_run(decoder: Graph) -> None:
    """Neither array moves, and numpy, which reports to tracemalloc, asks for no memory."""
    binding = decoder.bind()
    others = {name: np.zeros_like(value) for name, value in binding.outputs.items()}
    addresses = [a.ctypes.data for a in (*binding.inputs.values(), *binding.outputs.values())]
    binding.run(others)
    binding.run()
    tracemalloc.start(1)
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for _ in range(20):
            binding.run()
        _, in_place = tracemalloc.get_traced_memory()
        for _ in range(20):
            binding.run(others)
        _, lent = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    picture = binding.outputs["frames"][0].nbytes
    assert in_place - before < picture  # names and numbers, no picture in 20 runs
    assert lent - before < picture
    assert addresses == [
        a.ctypes.data for a in (*binding.inputs.values(), *binding.outputs.values())
    ]


def test_bindings_of_one_graph_run_beside_each_other(decoder: Graph) -> None:
    def speak(seed: int) -> list[Array]:
        binding = decoder.bind(filled(decoder, seed))
        frames = []
        for _ in range(20):
            binding.run()
            frames.append(binding.outputs["frames"].copy())
        return frames

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(speak, range(8)))
    for seed, frames in enumerate(found):
        expected = decoder.run(filled(decoder, seed))["frames"]
        assert all(np.array_equal(one, expected) for one in frames)


def bad_arrays() -> Iterator[tuple[str, Array, str]]:
    yield "elsewhere", np.zeros(1, np.float32), "has no 'elsewhere'"
    yield "latent", np.zeros((1, 8), np.float32), "expected float32"
    yield "latent", np.zeros((1, 1, 8, 2, 2), np.float64), "is float64"
    yield "latent", np.zeros((2, 2, 8, 1, 1), np.float32).T, "contiguous"


@pytest.mark.parametrize(("name", "array", "message"), list(bad_arrays()))
def test_arrays_that_do_not_fit_are_refused(
    decoder: Graph, name: str, array: Array, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        decoder.bind({name: array})
    binding = decoder.bind()
    with pytest.raises(ConfigError, match=message):
        binding.run(inputs={name: array})
    binding.run()  # and the binding is as it was


def test_what_is_written_has_its_own_memory(decoder: Graph) -> None:
    binding = decoder.bind()
    with pytest.raises(ConfigError, match="share memory"):
        binding.run({NEXT: binding.inputs[STATE]})
    fixed = np.zeros_like(binding.outputs["frames"])
    fixed.setflags(write=False)
    with pytest.raises(ConfigError, match="writable"):
        binding.run({"frames": fixed})


def test_a_second_thread_inside_is_refused() -> None:
    again: list[Exception] = []

    def compute() -> None:
        try:
            binding.run()
        except ConcurrencyError as error:
            again.append(error)

    binding = Buffers("none", GraphSpec((), ()), lambda name, array: None, compute)
    binding.run()
    assert "bind the graph once for each thread" in str(again[0])
