"""Which devices can run a graph, by what their makers document; what is missing on this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rap_edge.errors import InvalidBundle
from rap_edge.manifest import Requires, Variant
from rap_edge.runtime.doctor import Device
from rap_edge.runtime.doctor.devices import Demands, onnxruntime_devices, openvino_devices
from rap_edge.runtime.doctor.missing import intel, missing, nvidia
from rap_edge.runtime.doctor.onnx_graph import OnnxGraph, read_onnx

Make = Callable[..., bytes]
PAIR = [("QuantizeLinear", "x s z", "xq"), ("DequantizeLinear", "xq s z", "y")]


def pair(make: Make, zero: np.generic) -> OnnxGraph:
    return read_onnx("graph", make(PAIR, {"s": np.float32(1), "z": zero}, (8, 8), (8, 8)))


def devices(*graphs: OnnxGraph) -> dict[str, Device]:
    demands = Demands.of(graphs)
    providers = onnxruntime_devices(demands, ["CPUExecutionProvider"])
    return {
        **{f"onnxruntime {device.name}": device for device in providers},
        **{f"openvino {device.name}": device for device in openvino_devices(demands, ["CPU"])},
    }


def test_a_plain_graph_runs_everywhere(make: Make) -> None:
    graph = read_onnx("graph", make([("Relu", "x", "y")], {}, (8, 8), (8, 8)))
    found = devices(graph)
    assert {name for name, device in found.items() if device.can != "yes"} == {"openvino NPU"}
    assert {name for name, d in found.items() if d.here} == {"onnxruntime CPU", "openvino CPU"}


def test_the_kind_of_int8_decides_about_gpus(make: Make) -> None:
    unsigned, signed = (devices(pair(make, zero)) for zero in (np.uint8(128), np.int8(0)))
    assert unsigned["onnxruntime TensorRT"].can == "no"
    assert "uint8" in unsigned["onnxruntime TensorRT"].why[0]
    assert signed["onnxruntime TensorRT"].can == "yes"
    assert unsigned["onnxruntime CUDA"].can == signed["onnxruntime CUDA"].can == "partly"
    assert unsigned["openvino GPU"].can == "yes"


def test_tensorrt_takes_symmetric_int8_only(make: Make) -> None:
    shifted = devices(pair(make, np.int8(3)))["onnxruntime TensorRT"]
    assert shifted.can == "no"
    assert "zero points of 0" in shifted.why[0]


def test_a_zero_point_is_found_in_either_field(make: Make) -> None:
    import onnx

    for zero in (0, 3):
        model = onnx.load_model_from_string(
            make(PAIR, {"s": np.float32(1), "z": np.int8(0)}, (8,), (8,))
        )
        model.graph.initializer[1].CopyFrom(onnx.helper.make_tensor("z", 3, (), [zero]))
        assert model.graph.initializer[1].int32_data
        graph = read_onnx("graph", model.SerializeToString())
        assert graph.constants["z"].zeros == (zero == 0)


def test_an_operator_that_a_device_lacks_is_named(make: Make) -> None:
    nodes = [("Neg", "x", "n"), ("Relu", "n", "y")]
    found = devices(read_onnx("graph", make(nodes, {}, (8, 8), (8, 8))))
    assert found["onnxruntime CoreML"].can == "partly"
    assert found["onnxruntime CoreML"].why[0].startswith("Neg stay")
    foreign = devices(read_onnx("graph", make([("Sign", "x", "y")], {}, (8, 8), (8, 8))))
    assert {device.can for device in foreign.values()} == {"unknown", "partly"}


def test_shapes_and_opset_decide(make: Make) -> None:
    loose = devices(read_onnx("graph", make([("Relu", "x", "y")], {}, ("n", 8), ("n", 8))))
    assert loose["openvino NPU"].can == "no"
    assert loose["openvino GPU"].can == "partly"
    new = devices(read_onnx("graph", make([("Relu", "x", "y")], {}, (8, 8), (8, 8), opset=22)))
    assert "opset 22" in new["onnxruntime CUDA"].why[0]


@pytest.mark.parametrize(
    "content", [b"", b"no model", b"\x08\x0a", b"\x3a\x7f", b"\x08\x0a\x3a\x05\x0a\x03\x22\x01\xff"]
)
def test_a_damaged_file_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidBundle, match="not an ONNX file"):
        read_onnx("graph.onnx", content)


def test_weights_in_another_file_are_refused(make: Make) -> None:
    import onnx

    weights = {"w": np.ones((8, 8), np.float32)}
    model = onnx.load_model_from_string(make([("MatMul", "x w", "y")], weights, (8, 8), (8, 8)))
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], "weights.bin")
    model.graph.initializer[0].ClearField("raw_data")
    with pytest.raises(InvalidBundle, match="'w' has its values in another file"):
        read_onnx("graph.onnx", model.SerializeToString())


def test_a_package_that_is_not_enough_is_named_with_the_command() -> None:
    new = Variant("onnxruntime", "fp32", {}, Requires({"onnxruntime": "99.0"}))
    assert missing([Variant("onnxruntime", "fp32", {})]) == missing([])
    (found,) = [f for f in missing([new]) if "onnxruntime" in f.what]
    assert "99.0" in found.why
    assert found.fix == "pip install --upgrade onnxruntime"


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rap_edge.runtime.doctor.missing.is_installed", lambda backend: False)
    (found,) = missing([Variant("openvino", "int8", {}), Variant("openvino", "fp32", {})])
    assert found.fix == "pip install 'rap-edge[openvino]'"
    assert found.why == "openvino/int8, openvino/fp32 need it"


@pytest.mark.parametrize(
    ("release", "fix"),
    [
        ("# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic", "jp6/cu126"),
        ("# R35 (release), REVISION: 4.1, GCID: 1, BOARD: t186ref", "JetPack 5"),
        ("# R39 (release), REVISION: 2.0, GCID: 1", "build onnxruntime"),
        ("nothing that is known", "build onnxruntime"),
    ],
)
def test_a_jetson_is_told_which_onnxruntime_it_needs(
    release: str, fix: str, tmp_path: Path
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/nv_tegra_release").write_text(release)
    (found,) = nvidia(tmp_path, ["CPUExecutionProvider"])
    assert fix in found.fix
    assert "no wheel of onnxruntime-gpu" in found.why
    assert not list(nvidia(tmp_path, ["CUDAExecutionProvider"]))


def test_a_gpu_that_no_runtime_uses_is_named(tmp_path: Path) -> None:
    assert not list(nvidia(tmp_path, ["CPUExecutionProvider"]))
    (tmp_path / "proc/driver/nvidia").mkdir(parents=True)
    (tmp_path / "proc/driver/nvidia/version").write_text("NVRM version")
    (found,) = nvidia(tmp_path, ["CPUExecutionProvider"])
    assert "pip install onnxruntime-gpu" in found.fix


def test_an_intel_device_without_its_driver_is_named(tmp_path: Path) -> None:
    card = tmp_path / "sys/class/drm/card0/device"
    card.mkdir(parents=True)
    (card / "vendor").write_text("0x8086\n")
    (tmp_path / "dev/accel").mkdir(parents=True)
    (tmp_path / "dev/accel/accel0").touch()
    assert len(list(intel(tmp_path, ["CPU"]))) == 2
    assert not list(intel(tmp_path, ["CPU", "GPU.0", "NPU"]))
    assert not list(intel(tmp_path, None))
