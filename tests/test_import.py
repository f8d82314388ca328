"""What importing costs: ``import rap_edge`` runs none of the libraries it will need later.

Each import runs in an interpreter of its own, isolated (``-I``) so that the checkout's folders are
not on its path.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROBE = """
import json, sys, time
before = set(sys.modules)
start = time.perf_counter()
import {module}
elapsed_ms = 1000 * (time.perf_counter() - start)
print(json.dumps([elapsed_ms, sorted(set(sys.modules) - before)]))
"""

NEVER = {"torch", "onnx", "numba", "scipy", "matplotlib"}
LATER = {"numpy", "cv2", "onnxruntime", "av", "PIL", "typer", "rich"}


def loaded_by(module: str) -> set[str]:
    """Import ``module`` in a fresh interpreter; return the top-level names it brought along."""
    command = [sys.executable, "-I", "-c", PROBE.format(module=module)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    elapsed_ms, names = json.loads(result.stdout)
    print(f"import {module}: {elapsed_ms:.0f} ms, {len(names)} modules")
    return {name.partition(".")[0] for name in names}


def test_importing_the_package_loads_no_library() -> None:
    assert not loaded_by("rap_edge") & (NEVER | LATER)


@pytest.mark.parametrize("module", ["rap_edge.runtime", "rap_edge.cli"])
def test_importing_what_a_device_runs_loads_no_torch(module: str) -> None:
    assert not loaded_by(module) & NEVER


@pytest.mark.parametrize("name", ["runtime", "converters", "benchmarks", "cpp_ext"])
def test_a_folder_is_not_importable_by_its_bare_name(name: str) -> None:
    command = [sys.executable, "-I", "-c", f"import {name}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError" in result.stderr
