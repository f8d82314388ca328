"""Imports run one way: benchmarks -> {converters, runtime} -> rap_edge -> rap_edge._core.

Source is read, not run: an import inside a function counts like one at the top of a file. Three
places look upwards on purpose and are held to less: the lazy face ``rap_edge/__init__.py``, the
commands in ``rap_edge/cli`` and what evaluation lets talk, whose heavy imports stay inside
functions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

BARE = ("benchmarks", "converters", "cpp_ext", "runtime", "tests", "tools")
TORCH = ("torch", "torchaudio", "torchvision")
UPWARDS = ("rap_edge.benchmarks", "rap_edge.converters", "rap_edge.runtime")
TRAINED_WITH = ("rap_edge.models", "rap_edge.reference", "rap_edge.training")
HEAVY = (*TORCH, *UPWARDS, *TRAINED_WITH, "av", "cv2", "numba", "onnx", "onnxruntime", "scipy")

# The most specific entry of a path decides. Each names what the code there may not import.
FORBIDDEN = {
    "rap_edge": (*UPWARDS, *TORCH, *TRAINED_WITH, "rap_edge.cli", "rap_edge.evaluation"),
    "rap_edge/reference.py": (*UPWARDS, "rap_edge.cli", "rap_edge.evaluation", "rap_edge.training"),
    "rap_edge/models": (
        *UPWARDS,
        "rap_edge.cli",
        "rap_edge.evaluation",
        "rap_edge.reference",
        "rap_edge.training",
    ),
    "rap_edge/training": (*UPWARDS, "rap_edge.cli"),
    "rap_edge/evaluation": (
        *UPWARDS,
        *TORCH,
        "rap_edge.cli",
        "rap_edge.models",
        "rap_edge.reference",
    ),
    "rap_edge/evaluation/vae.py": (*UPWARDS, "rap_edge.cli"),
    "runtime": (
        *TORCH,
        *TRAINED_WITH,
        "rap_edge.benchmarks",
        "rap_edge.cli",
        "rap_edge.converters",
        "rap_edge.evaluation",
    ),
    "converters": ("rap_edge.benchmarks", "rap_edge.cli", "rap_edge.runtime"),
    "benchmarks": ("rap_edge.cli",),
}

# Here only the imports that run when the module is imported are held.
LAZY = {
    "rap_edge/__init__.py": HEAVY,
    "rap_edge/cli": HEAVY,
    "rap_edge/evaluation/talker.py": HEAVY,
}


def rule(table: dict[str, tuple[str, ...]], path: str) -> tuple[str, ...] | None:
    """Find the entry for ``path`` or for the nearest folder above it."""
    for candidate in (path, *(str(parent) for parent in Path(path).parents)):
        if candidate in table:
            return table[candidate]
    return None


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imported(node: ast.AST, into_functions: bool) -> Iterator[str]:
    """Yield the dotted names that running ``node`` imports; ``from a import b`` gives a and a.b."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            module = child.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in child.names)
        elif is_type_checking(child):
            continue
        elif into_functions or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imported(child, into_functions)


def violations(path: str, source: str) -> list[str]:
    """Name the imports of the file at ``path`` (posix, relative to the root) that break a rule."""
    tree = ast.parse(source)
    lazy = rule(LAZY, path)
    forbidden = lazy if lazy is not None else rule(FORBIDDEN, path) or ()
    names = {*imported(tree, into_functions=lazy is None)}
    bare = {*imported(tree, into_functions=True)}
    return sorted(
        name
        for names, banned in ((names, forbidden), (bare, BARE))
        for name in names
        if any(name == prefix or name.startswith(f"{prefix}.") for prefix in banned)
    )


def sources() -> list[str]:
    folders = ("rap_edge", "runtime", "converters", "benchmarks", "tests")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    return sorted(file.relative_to(ROOT).as_posix() for file in files)


@pytest.mark.parametrize("path", sources())
def test_imports_run_one_way(path: str) -> None:
    found = violations(path, (ROOT / path).read_text(encoding="utf-8"))
    assert not found, f"{path} imports {', '.join(found)}: its layer may not"


@pytest.mark.parametrize(
    ("path", "source", "found"),
    [
        ("runtime/stream.py", "import torch.nn", ["torch.nn"]),
        ("runtime/stream.py", "from rap_edge import models", ["rap_edge.models"]),
        ("runtime/stream.py", "def f():\n    import rap_edge.converters", ["rap_edge.converters"]),
        ("runtime/stream.py", "import torchmetrics", []),
        ("converters/to_onnx.py", "import rap_edge.runtime", ["rap_edge.runtime"]),
        ("converters/to_onnx.py", "import torch\nimport rap_edge.models.vae", []),
        ("rap_edge/timeline.py", "import torch", ["torch"]),
        ("rap_edge/models/vae.py", "import torch\nimport runtime", ["runtime"]),
        ("rap_edge/evaluation/sync.py", "def f():\n    import torch", ["torch"]),
        ("rap_edge/evaluation/vae.py", "import torch\nimport rap_edge.models.vae", []),
        ("rap_edge/evaluation/talker.py", "def f():\n    import rap_edge.models.vae", []),
        ("rap_edge/cli/render.py", "import av", ["av"]),
        ("rap_edge/cli/render.py", "def render():\n    import av", []),
        ("rap_edge/cli/render.py", "def render():\n    import runtime", ["runtime"]),
        ("rap_edge/__init__.py", "if TYPE_CHECKING:\n    from rap_edge.runtime import Avatar", []),
        ("benchmarks/sync.py", "import converters.to_onnx", ["converters.to_onnx"]),
    ],
)
def test_a_planted_import_is_judged(path: str, source: str, found: list[str]) -> None:
    assert violations(path, source) == found
