"""`rap-edge doctor`: tables for people, JSON for programs, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rap_edge.bundle import Part, open_bundle, write_bundle
from rap_edge.cli.failures import ExitCode
from rap_edge.cli.group import app

Make = Callable[..., bytes]
BACKENDS = ("coreml", "openvino", "onnxruntime")


def doctor(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["doctor", *map(str, arguments)])


@pytest.fixture
def model(make: Make, tmp_path: Path) -> Path:
    path = tmp_path / "relu.onnx"
    path.write_bytes(make([("Relu", "x", "y")], {}, (8, 8), (8, 8)))
    return path


@pytest.fixture
def bundle(synthetic_bundle: Path, tmp_path: Path) -> Path:
    """The synthetic bundle for three backends, the first of which runs nowhere in this version."""
    opened = open_bundle(synthetic_bundle)
    (only,) = opened.manifest.variants
    variants = tuple(replace(only, backend=backend) for backend in BACKENDS)
    parts = {
        entry.path: Part(opened.read(entry.path), entry.role, entry.licence)
        for entry in opened.manifest.files
    }
    manifest = replace(opened.manifest, variants=variants)
    return write_bundle(tmp_path / "bundle", manifest, parts).path


def test_every_variant_of_a_bundle_is_explained(bundle: Path) -> None:
    result = doctor(bundle, "--json")
    assert result.exit_code == ExitCode.OK
    found = json.loads(result.stdout)
    assert found["schema_version"] == 1
    assert found["runs"] is True
    assert found["chosen"] == "openvino/fp32"
    assert [variant["backend"] for variant in found["variants"]] == list(BACKENDS)
    absent, *running = found["variants"]
    assert "coreml" in absent["problem"]
    for variant in running:
        assert variant["problem"] is None
        assert set(variant["graphs"]) == {"portrait", "audio", "denoiser", "decoder"}
        assert next(d for d in variant["devices"] if d["name"] == "CPU")["can"] == "yes"


def test_people_read_tables(bundle: Path, model: Path) -> None:
    shown = doctor(bundle).stdout
    for words in ("coreml/fp32: does not run here", "openvino/fp32: runs here", "MACs int8"):
        assert words in shown
    assert "taken if none is named: openvino/fp32" in shown
    assert "relu.onnx on " in doctor(model).stdout


def test_the_built_in_bundle_runs() -> None:
    assert doctor("default", "--backend", "onnxruntime").exit_code == ExitCode.OK


def test_the_exit_code_says_whether_anything_runs(
    bundle: Path, model: Path, make: Make, tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere.onnx"
    nowhere.write_bytes(make([("NoSuchOperator", "x", "y")], {}, (8, 8), (8, 8)))
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(model.read_bytes()[:-5])
    (bundle / "graphs/decoder.onnx").write_bytes(bytes(10))
    cases = [
        (doctor(nowhere), ExitCode.UNAVAILABLE, "does not run here"),
        (doctor(model, "--backend", "coreml"), ExitCode.UNAVAILABLE, "expected one of"),
        (doctor(damaged), ExitCode.BAD_DATA, "not an ONNX file"),
        (doctor(bundle), ExitCode.BAD_DATA, "get it again"),
        (doctor(tmp_path / "no.onnx"), ExitCode.NO_INPUT, "does not exist"),
    ]
    for result, code, words in cases:
        assert result.exit_code == code
        assert words in result.stderr
        assert "Traceback" not in result.output
    assert "NoSuchOperator" in cases[0][0].stdout


def test_a_named_backend_is_the_only_one_asked(bundle: Path) -> None:
    found = json.loads(doctor(bundle, "--json", "--backend", "openvino").stdout)
    assert [variant["backend"] for variant in found["variants"]] == ["openvino"]
    assert doctor(bundle, "--backend", "coreml").exit_code == ExitCode.UNAVAILABLE


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
