"""The package as a wheel lays it out, its tests and examples, with the extension for aarch64.

The host's own extension lies beside it, so that both machines run the same files.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import rap_edge._core
from aarch64 import extension
from aarch64.places import ROOT, WORK, digest, files_below, made

INSIDE = Path(__file__).resolve().parent / "inside"  # what runs in the sysroot
RENDERS = ("rap_edge", "rap_edge.runtime")
BESIDES = ("tests", "examples", "pyproject.toml")


@dataclass(frozen=True)
class Tree:
    folder: Path
    package: str  # digest of what a render depends on
    whole: str  # digest of everything


def open_tree() -> Tree:
    """Return a copy of the checkout as it is now."""
    folders = extension.load_setup().FOLDERS
    extensions = [extension.build(), Path(rap_edge._core.__file__)]
    below = {name: files_below(ROOT / source) for name, source in folders.items()}
    rendering = [file for name in RENDERS for file in below[name]]
    rendering += [*extensions, *files_below(INSIDE), *files_below(ROOT / "examples")]
    package = digest(rendering)
    rest = [file for files in below.values() for file in files]
    whole = f"{package} {digest([*rest, *files_below(ROOT / 'tests'), ROOT / 'pyproject.toml'])}"

    def copy(folder: Path) -> None:
        for name, source in folders.items():
            target = folder.joinpath(*name.split("."))
            for file in below[name]:
                _copy(file, target / file.relative_to(ROOT / source))
        for built in extensions:
            shutil.copy(built, folder / "rap_edge")
        for name in BESIDES:
            for file in files_below(ROOT / name) or [ROOT / name]:
                _copy(file, folder / file.relative_to(ROOT))
        for file in files_below(INSIDE):
            _copy(file, folder / file.name)

    return Tree(made(WORK / "tree", whole, copy), package, whole)


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, target)
