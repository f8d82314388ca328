"""`rap-edge doctor`: tables for people, JSON for programs, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from rap_edge.bundle import Bundle, Part, open_bundle, write_bundle
from rap_edge.cli.doctor_report import percent
from rap_edge.cli.failures import ExitCode
from rap_edge.cli.group import app

Make = Callable[..., bytes]
FORMATS = {"openvino": "xml", "onnxruntime": "onnx"}


def doctor(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["doctor", *map(str, arguments)])


@pytest.fixture
def model(make: Make, tmp_path: Path) -> Path:
    path = tmp_path / "relu.onnx"
    path.write_bytes(make([("Relu", "x", "y")], {}, (8, 8), (8, 8)))
    return path


@pytest.fixture
def bundle(synthetic_bundle: Path, tmp_path: Path) -> Path:
    """The synthetic bundle for two backends, as IR and as ONNX."""
    opened = open_bundle(synthetic_bundle)
    parts: dict[str, bytes] = {}
    for path in opened.manifest.variants[0].files.values():
        parts |= as_ir(path, opened.read(path), tmp_path)
    return rewritten(opened, FORMATS, parts, tmp_path / "bundle")


@pytest.fixture
def apple_bundle(synthetic_bundle: Path, package: dict[str, bytes], tmp_path: Path) -> Path:
    """The same for Core ML, which runs nowhere in this version, and as ONNX."""
    opened = open_bundle(synthetic_bundle)
    parts = {
        f"{path[:-4]}mlpackage/{name}": content
        for path in opened.manifest.variants[0].files.values()
        for name, content in package.items()
    }
    formats = {"coreml": "mlpackage", "onnxruntime": "onnx"}
    return rewritten(opened, formats, parts, tmp_path / "apple")


def rewritten(
    opened: Bundle, formats: dict[str, str], graphs: dict[str, bytes], place: Path
) -> Path:
    """Write a bundle again with a variant for each backend, whose ``graphs`` are added."""
    (only,) = opened.manifest.variants
    parts = {
        entry.path: Part(opened.read(entry.path), entry.role, entry.licence)
        for entry in opened.manifest.files
    }
    parts |= {path: Part(content, "graph", "CC0-1.0") for path, content in graphs.items()}
    variants = tuple(
        replace(
            only,
            backend=backend,
            files={name: f"{path[:-4]}{suffix}" for name, path in only.files.items()},
        )
        for backend, suffix in formats.items()
    )
    return write_bundle(place, replace(opened.manifest, variants=variants), parts).path


def as_ir(path: str, model: bytes, folder: Path) -> dict[str, bytes]:
    ov = pytest.importorskip("openvino")
    ov.save_model(ov.Core().read_model(model, b""), folder / "ir.xml", compress_to_fp16=False)
    return {f"{path[:-4]}{form}": (folder / f"ir.{form}").read_bytes() for form in ("xml", "bin")}


def test_every_variant_of_a_bundle_is_explained(bundle: Path) -> None:
    result = doctor(bundle, "--json")
    assert result.exit_code == ExitCode.OK
    found = json.loads(result.stdout)
    assert found["schema_version"] == 1
    assert found["runs"] is True
    assert found["chosen"] == "openvino/fp32"
    assert [variant["backend"] for variant in found["variants"]] == list(FORMATS)
    for variant in found["variants"]:
        assert variant["problem"] is None
        assert set(variant["graphs"]) == {"portrait", "audio", "denoiser", "decoder"}
        assert next(d for d in variant["devices"] if d["name"] == "CPU")["can"] == "yes"


def test_a_core_ml_package_is_promised_no_device(apple_bundle: Path) -> None:
    found = json.loads(doctor(apple_bundle, "--json").stdout)
    assert found["chosen"] == "onnxruntime/fp32"
    coreml, _ = found["variants"]
    assert "coreml" in coreml["problem"]
    (device,) = coreml["devices"]
    assert device["can"] == "unknown"
    assert "has not run it on an Apple device" in device["why"][0]
    alone = doctor(apple_bundle, "--backend", "coreml")
    assert alone.exit_code == ExitCode.UNAVAILABLE
    assert "coreml/fp32: does not run here" in alone.stdout


def test_an_ir_is_promised_no_device_but_the_cpu(bundle: Path) -> None:
    openvino, onnxruntime = json.loads(doctor(bundle, "--json").stdout)["variants"]
    for device in openvino["devices"][1:]:
        assert device["can"] == "unknown"
        assert "were not read" in device["why"][0]
    assert "yes" in [device["can"] for device in onnxruntime["devices"][1:]]


def test_people_read_tables(bundle: Path, model: Path) -> None:
    shown = doctor(bundle).stdout
    for words in ("onnxruntime/fp32: runs here", "openvino/fp32: runs here", "MMACs"):
        assert words in shown
    assert "opened if none is named: openvino/fp32" in shown
    assert "relu.onnx on " in doctor(model).stdout


def test_a_share_that_is_not_all_is_never_called_all() -> None:
    shares = (None, 0.0, 0.001, 0.5, 0.996, 1.0)
    assert [percent(share) for share in shares] == ["-", "-", "<1 %", "50 %", ">99 %", "100 %"]


def test_the_built_in_bundle_runs() -> None:
    named = doctor("default", "--backend", "onnxruntime")
    assert named.exit_code == ExitCode.OK
    assert doctor("--backend", "onnxruntime").stdout == named.stdout


def test_the_exit_code_says_whether_anything_runs(
    bundle: Path, model: Path, make: Make, tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere.onnx"
    nowhere.write_bytes(make([("NoSuchOperator", "x", "y")], {}, (8, 8), (8, 8)))
    alone = tmp_path / "graph.xml"
    alone.write_text("<net/>")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(model.read_bytes()[:-5])
    (bundle / "graphs/decoder.onnx").write_bytes(bytes(10))
    cases = [
        (doctor(nowhere), ExitCode.UNAVAILABLE, "does not run here"),
        (doctor(model, "--backend", "coreml"), ExitCode.UNAVAILABLE, "expected one of"),
        (doctor(damaged), ExitCode.BAD_DATA, "not an ONNX file"),
        (doctor(alone), ExitCode.BAD_DATA, "name the bundle"),
        (doctor(bundle), ExitCode.BAD_DATA, "get it again"),
        (doctor(tmp_path / "no.onnx"), ExitCode.NO_INPUT, "does not exist"),
    ]
    for result, code, words in cases:
        assert result.exit_code == code
        assert words in result.stderr
        assert "Traceback" not in result.output
    assert "NoSuchOperator" in cases[0][0].stdout


def test_a_cpu_that_refused_a_graph_cannot_run_it(make: Make, tmp_path: Path) -> None:
    refused = tmp_path / "refused.onnx"
    weights = {"w": np.ones((4, 4), np.float32)}
    refused.write_bytes(make([("MatMul", "x w", "y")], weights, (8, 8), (8, 4)))
    (variant,) = json.loads(doctor(refused, "--json", "--backend", "onnxruntime").stdout)[
        "variants"
    ]
    assert "refused" in variant["problem"]
    assert variant["devices"][0] | {"here": True} == {
        "name": "CPU",
        "can": "no",
        "here": True,
        "why": ["it was asked, and refused"],
    }


def test_a_named_backend_is_the_only_one_asked(bundle: Path) -> None:
    found = json.loads(doctor(bundle, "--json", "--backend", "openvino").stdout)
    assert [variant["backend"] for variant in found["variants"]] == ["openvino"]


def test_neither_onnx_nor_torch_is_needed(model: Path) -> None:
    script = (
        "import sys; sys.modules.update(onnx=None, torch=None)\n"
        "from rap_edge.cli.group import app\n"
        f"app(['doctor', {str(model)!r}])"
    )
    process = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False
    )
    assert process.returncode == ExitCode.OK, process.stderr
    assert process.stderr == ""


def test_looking_leaves_nothing_behind(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    assert doctor(model).exit_code == ExitCode.OK
    assert not list(scratch.iterdir())
