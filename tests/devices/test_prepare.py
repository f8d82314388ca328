"""`rap-edge prepare` and `rap-edge devices`, and the folders of what devices compile."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import rap_edge
from rap_edge.bundle import Bundle
from rap_edge.cli.failures import ExitCode
from rap_edge.cli.group import app
from rap_edge.errors import NotSupported
from rap_edge.runtime.backends.target import Target, every_target
from rap_edge.runtime.placement import device_cache, inventory, measure
from rap_edge.runtime.placement.device_cache import DONE, Compiled, is_prepared
from rap_edge.runtime.placement.preparation import prepare

Install = Callable[..., Any]
TENSORRT = Target("onnxruntime", "tensorrt")


def test_a_device_is_prepared_once(
    tested: Bundle, with_provider: Install, provider: Any, cache: Path
) -> None:
    fake = with_provider(provider("TensorrtExecutionProvider"))
    told: list[tuple[str, int, int]] = []
    (first,) = prepare(tested, ["onnxruntime:tensorrt"], 1, lambda *part: told.append(part))
    assert (first.label, first.state) == ("onnxruntime:tensorrt/fp32", "prepared")
    assert told == [("onnxruntime:tensorrt/fp32", done, 4) for done in range(5)]
    folder = Path(first.detail)
    assert folder.is_relative_to(cache)
    assert json.loads((folder / DONE).read_text())["target"] == "onnxruntime:tensorrt"
    options = fake.opened[0]["chain"]["TensorrtExecutionProvider"]
    assert options["trt_engine_cache_path"] == str(folder)
    assert is_prepared(tested, TENSORRT, "fp32")

    sessions = len(fake.opened)
    (again,) = prepare(tested, ["onnxruntime:tensorrt"], 1)
    assert (again.state, again.detail) == ("already prepared", str(folder))
    assert len(fake.opened) == sessions
    rap_edge.open(tested, "onnxruntime:tensorrt", threads=1)
    assert fake.opened[-1]["chain"]["TensorrtExecutionProvider"] == options


def test_what_another_driver_compiled_is_never_found(
    tested: Bundle, with_provider: Install, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_provider(provider("TensorrtExecutionProvider"))
    (before,) = prepare(tested, ["onnxruntime:tensorrt"], 1)
    monkeypatch.setattr(device_cache, "nvidia_driver", lambda: "NVRM version: 999")
    assert not is_prepared(tested, TENSORRT, "fp32")
    (after,) = prepare(tested, ["onnxruntime:tensorrt"], 1)
    assert after.state == "prepared"
    assert not Path(before.detail).exists()  # nobody would ever remove it


def test_what_computes_wrongly_is_not_prepared(
    tested: Bundle, with_provider: Install, provider: Any
) -> None:
    with_provider(provider("TensorrtExecutionProvider", wrong_by=0.5))
    (done,) = prepare(tested, ["onnxruntime:tensorrt"], 1)
    assert done.state == "failed"
    assert "computes wrongly" in done.detail
    assert not is_prepared(tested, TENSORRT, "fp32")


def test_openvino_keeps_what_it_compiles(tested: Bundle, core: Any) -> None:
    done = prepare(tested, ["openvino:gpu.1", "openvino:cpu", "onnxruntime:cpu"], 1)
    assert [one.state for one in done] == ["prepared", "prepared", "nothing to do"]
    for one, device in zip(done, ("GPU.1", "CPU"), strict=False):
        kept = [s["CACHE_DIR"] for asked, s in core.compiled if asked == device]
        assert kept == [one.detail] * 4
    core.compiled.clear()
    rap_edge.open(tested, "openvino", threads=1)
    assert {settings["CACHE_DIR"] for _, settings in core.compiled} == {done[1].detail}


def test_openvinos_cpu_keeps_nothing_unasked(tested: Bundle, core: Any, cache: Path) -> None:
    rap_edge.open(tested, "openvino", threads=1)
    assert not any("CACHE_DIR" in settings for _, settings in core.compiled)
    assert not cache.exists()


def test_everything_that_is_here_is_prepared_if_nothing_is_named(
    tested: Bundle, core: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAP_EDGE_NO_MEASURE")
    monkeypatch.setattr(measure, "is_quiet", lambda: True)
    done = prepare(tested, threads=1)
    assert [(one.label, one.state) for one in done] == [
        ("openvino:cpu/fp32", "prepared"),
        ("openvino:gpu/fp32", "prepared"),
        ("openvino:npu/fp32", "prepared"),
        ("auto", "prepared"),
    ]
    assert [one.state for one in prepare(tested, threads=1)] == ["already prepared"] * 4
    known = inventory.foresee(tested, 1)
    assert known.measured
    assert set(known.ms) >= {"onnxruntime/fp32", "openvino/fp32", "openvino:gpu/fp32"}


def test_a_target_that_is_not_there_is_refused(tested: Bundle) -> None:
    with pytest.raises(NotSupported, match="expected one of onnxruntime:cpu"):
        prepare(tested, ["onnxruntime:gpu"])
    with pytest.raises(NotSupported, match="it offers onnxruntime/fp32"):
        prepare(tested, ["coreml"])


def test_a_folder_is_for_one_bundle_device_version_and_driver(tested: Bundle) -> None:
    def folder(**other: str) -> Path:
        values = {"bundle": "b" * 64, "target": "openvino:gpu", "precision": "fp32",
                  "version": "1", "driver": "d"}  # fmt: skip
        return Compiled(**{**values, **other}).folder

    others = [{"bundle": "c" * 64}, {"target": "openvino:gpu.1"}, {"precision": "int8"},
              {"version": "2"}, {"driver": "e"}]  # fmt: skip
    assert len({folder(), *(folder(**other) for other in others)}) == 6
    assert Compiled.of(tested, Target("onnxruntime", "cpu"), "fp32") is None


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.stdout


def test_devices_lists_every_target_and_why(tested: Bundle) -> None:
    code, text = run("devices", "--json")
    assert code == ExitCode.OK
    found = json.loads(text)
    assert found["schema_version"] == 1
    listed = {d["target"]: d for r in found["runtimes"] for d in r["devices"]}
    assert list(listed) == every_target()
    assert listed["onnxruntime:cpu"]["usable"]
    assert listed["openvino:cpu"]["usable"]
    assert not listed["onnxruntime:cuda"]["usable"]
    assert "pip install onnxruntime-gpu" in listed["onnxruntime:cuda"]["why"]
    assert found["host"]["cores"] >= 1
    assert found["auto"] is None


def test_devices_says_what_auto_takes_of_a_bundle(tested: Bundle) -> None:
    code, text = run("devices", str(tested.path), "--threads", "1", "--json")
    assert code == ExitCode.OK
    taken = json.loads(text)["auto"]
    assert (taken["takes"], taken["measured"], taken["threads"]) == ("onnxruntime/fp32", False, 1)
    code, text = run("devices", str(tested.path))
    assert "auto was not measured here" in text
    assert "openvino:npu" in text


def test_a_provider_that_does_not_start_is_not_usable(
    with_provider: Install, provider: Any
) -> None:
    with_provider(provider("CUDAExecutionProvider", starts=False))
    (ort, *_) = inventory.take_inventory().runtimes
    cuda = next(device for device in ort.devices if device.target == "onnxruntime:cuda")
    assert not cuda.usable
    assert "does not start here" in cuda.why


def test_the_probe_is_a_graph_of_one_node() -> None:
    from onnx import checker, load_from_string

    model = load_from_string(inventory.PROBE)
    checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == ["Relu"]


def test_the_command_prepares_and_says_so(tested: Bundle, core: Any) -> None:
    code, text = run("prepare", str(tested.path), "--backend", "openvino:gpu", "--json")
    assert code == ExitCode.OK
    assert [one["state"] for one in json.loads(text)["prepared"]] == ["prepared"]
    code, text = run("prepare", str(tested.path), "--backend", "openvino:gpu")
    assert (code, text.split(": ")[1]) == (ExitCode.OK, "already prepared")
    core.devices = ("CPU",)
    code, text = run("prepare", str(tested.path), "--backend", "openvino:npu")
    assert code == ExitCode.UNAVAILABLE
    assert "has no NPU here" in text


def test_whether_there_is_one_candidate_or_no_peace_is_told(
    tested: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAP_EDGE_NO_MEASURE")
    monkeypatch.setattr(measure, "is_quiet", lambda: False)
    (busy,) = prepare(tested, ["auto"], 1)
    assert (busy.state, busy.detail[:23]) == ("nothing to do", "the machine is too busy")
    monkeypatch.setattr(inventory, "promising_here", lambda able: able[:1])
    (alone,) = prepare(tested, ["auto"], 1)
    assert (alone.state, alone.detail[:22]) == ("nothing to do", "there is one candidate")
    code, text = run("devices", str(tested.path))
    assert code == ExitCode.OK
    assert "auto takes onnxruntime/fp32, one candidate: nothing to measure" in text
