"""What "auto" takes: the fastest that computes rightly, measured once and remembered."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import rap_edge
from rap_edge.bundle import Bundle
from rap_edge.manifest import Requires, Variant
from rap_edge.runtime.choice import Candidate
from rap_edge.runtime.placement import measure
from rap_edge.runtime.placement.automatic import contenders
from rap_edge.runtime.placement.device_cache import DONE, Compiled
from rap_edge.runtime.placement.fingerprint import Host
from rap_edge.runtime.placement.remembered import Measured, place

Install = Callable[..., Any]


def one(backend: str, precision: str = "fp32", device: str = "cpu", *isa: str) -> Candidate:
    return Candidate(Variant(backend, precision, {}, Requires(isa=isa)), device)


ORT, OV = one("onnxruntime"), one("openvino")
CUDA = one("onnxruntime", "fp32", "cuda")


@pytest.fixture
def measuring(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[float]]:
    """Let "auto" measure; each candidate takes the seconds that are listed, round by round."""
    monkeypatch.delenv("RAP_EDGE_NO_MEASURE")
    monkeypatch.setattr(measure, "is_quiet", lambda: True)
    times: dict[str, list[float]] = {}
    opened = measure._opened

    def timed(bundle: Bundle, candidate: Candidate, *rest: Any) -> Callable[[], float]:
        run = opened(bundle, candidate, *rest)
        taken = iter(times[candidate.label])

        def seconds() -> float:
            run()
            return next(taken)

        return seconds

    monkeypatch.setattr(measure, "_opened", timed)
    return times


def steadily(seconds: float) -> list[float]:
    return [seconds] * 20


@pytest.mark.parametrize(
    ("slow", "fast"), [("onnxruntime", "openvino"), ("openvino", "onnxruntime")]
)
def test_the_fastest_is_taken_and_remembered(
    tested: Bundle, measuring: dict[str, list[float]], monkeypatch: pytest.MonkeyPatch,
    slow: str, fast: str,
) -> None:  # fmt: skip
    measuring |= {f"{slow}/fp32": steadily(0.4), f"{fast}/fp32": steadily(0.3)}
    assert rap_edge.open(tested, threads=1).backend == fast
    kept = json.loads(place().read_text())
    (entry,) = kept["measured"].values()
    assert entry["ms"] == {f"{slow}/fp32": 400.0, f"{fast}/fp32": 300.0}
    monkeypatch.setattr(measure, "measure", None)  # whoever measures again fails
    assert rap_edge.open(tested, threads=1).backend == fast


def test_other_threads_another_bundle_or_host_are_measured_anew(
    tested: Bundle, measuring: dict[str, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring |= {"onnxruntime/fp32": steadily(0.4), "openvino/fp32": steadily(0.3)}
    rap_edge.open(tested, threads=1)
    rap_edge.open(tested, threads=2)
    host = replace(Host.here(), cpu="another")
    monkeypatch.setattr(Host, "here", lambda: host)
    rap_edge.open(tested, threads=1)
    other = replace(tested, manifest_bytes=tested.manifest_bytes + b" ")
    rap_edge.open(other, threads=1)
    assert len(json.loads(place().read_text())["measured"]) == 4


@pytest.mark.parametrize(
    "damage",
    [
        b"", b"{", b"[]", b"\xff\xfe", b'{"schema_version": 99, "measured": {}}', b"[" * 100_000,
        b'{"schema_version": 1, "measured": 3}', b" " * (1 << 21),
    ],
    ids=str,
)  # fmt: skip
def test_a_damaged_memory_is_as_none(
    tested: Bundle, measuring: dict[str, list[float]], damage: bytes
) -> None:
    measuring |= {"onnxruntime/fp32": steadily(0.4), "openvino/fp32": steadily(0.3)}
    place().parent.mkdir(parents=True)
    place().write_bytes(damage)
    assert rap_edge.open(tested, threads=1).backend == "openvino"
    assert len(json.loads(place().read_text())["measured"]) == 1


@pytest.mark.parametrize("ms", [{"openvino/fp32": -1}, {"openvino/fp32": "fast"}, [], None])
def test_a_damaged_entry_is_as_none(
    tested: Bundle, measuring: dict[str, list[float]], ms: object
) -> None:
    measuring |= {"onnxruntime/fp32": steadily(0.3), "openvino/fp32": steadily(0.4)}
    rap_edge.open(tested, threads=1)
    kept = json.loads(place().read_text())
    for entry in kept["measured"].values():
        entry["ms"] = ms
    place().write_text(json.dumps(kept))
    assert rap_edge.open(tested, threads=1).backend == "onnxruntime"
    (entry,) = json.loads(place().read_text())["measured"].values()
    assert entry["ms"]["openvino/fp32"] == 400.0


def test_where_nothing_can_be_written_it_is_measured_each_time(
    tested: Bundle, measuring: dict[str, list[float]], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    measuring |= {"onnxruntime/fp32": steadily(0.4), "openvino/fp32": steadily(0.3)}
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("RAP_EDGE_CACHE", str(tmp_path / "file"))
    assert rap_edge.open(tested, threads=1).backend == "openvino"


def test_what_a_busy_machine_measures_holds_once(
    tested: Bundle, measuring: dict[str, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring |= {"onnxruntime/fp32": steadily(0.4), "openvino/fp32": steadily(0.3)}
    monkeypatch.setattr(measure, "is_quiet", lambda: False)
    assert rap_edge.open(tested, threads=1).backend == "openvino"
    assert not place().exists()


def test_what_computes_wrongly_is_never_the_fastest(
    tested: Bundle, measuring: dict[str, list[float]], with_provider: Install, provider: Any
) -> None:
    with_provider(provider("CUDAExecutionProvider", wrong_by=0.5))
    measuring |= {"onnxruntime/fp32": steadily(0.4), "openvino/fp32": steadily(0.5)}
    model = rap_edge.open(tested, threads=1)
    assert {p.device for p in model.placement.values()} == {"cpu"}
    (entry,) = json.loads(place().read_text())["measured"].values()
    assert "computes wrongly" in entry["refused"]["onnxruntime:cuda/fp32"]


def test_a_device_that_is_faster_is_taken_unasked(
    tested: Bundle, measuring: dict[str, list[float]], with_provider: Install, provider: Any
) -> None:
    with_provider(provider("CUDAExecutionProvider"))
    measuring |= {
        "onnxruntime/fp32": steadily(0.4),
        "openvino/fp32": steadily(0.5),
        "onnxruntime:cuda/fp32": steadily(0.1),
    }
    model = rap_edge.open(tested, threads=1)
    assert {p.device for p in model.placement.values()} == {"cuda"}


def test_a_device_that_compiles_is_no_contender_until_it_is_prepared(
    tested: Bundle, with_provider: Install, provider: Any
) -> None:
    with_provider(provider("TensorrtExecutionProvider"))
    plain = [Candidate(tested.variants[0], "cpu")]
    labels = ["onnxruntime/fp32", "onnxruntime:cuda/fp32"]
    assert [c.label for c in contenders(tested, plain, tested=True)] == labels
    compiled = Compiled.of(tested, Candidate(tested.variants[0], "tensorrt").target, "fp32")
    assert compiled is not None
    (compiled.make() / DONE).write_text("{}")
    labels.append("onnxruntime:tensorrt/fp32")
    assert [c.label for c in contenders(tested, plain, tested=True)] == labels
    assert contenders(tested, plain, tested=False) == plain  # nothing would tell right from wrong


def test_measuring_can_be_forbidden(tested: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "measure", None)
    monkeypatch.setenv("RAP_EDGE_NO_MEASURE", "1")
    assert rap_edge.open(tested, threads=1).backend == "onnxruntime"


@pytest.mark.parametrize(
    ("ms", "order"),
    [
        ({"onnxruntime/fp32": 10, "openvino/fp32": 9}, [OV, ORT, CUDA]),
        ({"onnxruntime/fp32": 10, "openvino/fp32": 9.9}, [ORT, OV, CUDA]),  # a draw
        ({"openvino/fp32": 99}, [OV, ORT, CUDA]),
        ({"onnxruntime/fp32": 10, "openvino/fp32": 9, "onnxruntime:cuda/fp32": 2}, [CUDA, OV, ORT]),
        ({}, [ORT, OV, CUDA]),
    ],
)
def test_the_bundles_order_decides_a_draw(ms: dict[str, float], order: list[Candidate]) -> None:
    assert measure.ordered([ORT, OV, CUDA], Measured(ms)) == order


def test_what_was_made_for_this_cpu_leaves_out_what_comes_after_it() -> None:
    int8 = one("onnxruntime", "int8", "cpu", "avx512_vnni", "avx_vnni")
    everything = [int8, ORT, OV, CUDA]
    assert measure.promising(everything, frozenset({"avx_vnni"})) == [int8, OV, CUDA]
    assert measure.promising(everything, frozenset({"avx2"})) == everything
    assert measure.promising(everything, None) == everything


def test_the_least_of_all_rounds_counts() -> None:
    taken = {"a": iter([9.0, 1.0, *steadily(5.0)]), "b": iter([2.0, *steadily(3.0)])}
    least = measure.in_turns({name: times.__next__ for name, times in taken.items()})
    assert least == {"a": 1.0, "b": 2.0}
    assert next(taken["a"]) == 5.0
