"""What a wheel leaves out of the default bundle: variants that do not run where it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rap_edge.bundle import SUBSET, verify_bundle

if TYPE_CHECKING:
    from hostile.sample import Sample

SCRIPT = Path(__file__).resolve().parents[2] / "setup.py"


@pytest.fixture(scope="module")
def script() -> Any:
    """Load ``setup.py`` without running it."""
    pytest.importorskip("pybind11")
    spec = importlib.util.spec_from_file_location("setup_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def labels(folder: Path, trusted: list[Path]) -> list[str]:
    return [variant.label for variant in verify_bundle(folder, trusted, True).variants]


@pytest.mark.parametrize("system", ["linux", "windows"])
def test_what_is_left_is_a_part_that_verifies(
    script: Any, folder: Path, trusted: list[Path], system: str
) -> None:
    script.leave_out(folder, system)
    assert verify_bundle(folder, trusted).signed_by
    assert labels(folder, trusted) == ["onnxruntime/fp32", "openvino/fp32"]
    assert not (folder / "coreml").exists()


def test_nothing_is_left_out_where_all_runs(script: Any, folder: Path, trusted: list[Path]) -> None:
    script.leave_out(folder, "macos")
    assert len(labels(folder, trusted)) == 3
    assert not (folder / SUBSET).exists()


@pytest.mark.parametrize("number", range(3))
def test_files_of_every_format_go_and_shared_ones_stay(
    script: Any, sample: Sample, put: Callable[[dict[str, bytes]], Path], number: int
) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        for index, variant in enumerate(manifest["variants"]):
            variant["backend"] = f"backend{index}"
            variant["requires"]["os"] = ["macos"] if index == number else []
        manifest["variants"].append({**manifest["variants"][number - 1], "precision": "again"})

    folder = put(sample.remade({}, edit))
    script.leave_out(folder, "linux")
    assert len(labels(folder, [])) == 3
    gone = ("onnx", "openvino", "coreml")[number]
    assert not (folder / gone).exists()


def test_where_nothing_would_be_left_all_stays(
    script: Any, sample: Sample, put: Callable[[dict[str, bytes]], Path]
) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        for variant in manifest["variants"]:
            variant["requires"]["os"] = ["macos"]

    folder = put(sample.remade({}, edit))
    script.leave_out(folder, "linux")
    assert len(labels(folder, [])) == 3
