"""Where everything lies, and folders that are made once."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "aarch64"
MARK = ".made-from"


def made(folder: Path, recipe: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that was made from a recipe; make it if it is missing or from another.

    ``make`` fills a folder beside it, which takes its place when it is whole: a step that was
    interrupted begins again, and those before it do not.
    """
    mark = folder / MARK
    if mark.is_file() and mark.read_text(encoding="utf-8") == recipe:
        return folder
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    print(f"making {folder.name} ...", flush=True)
    make(partial)
    (partial / MARK).write_text(recipe, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return folder


def digest(files: Iterable[Path]) -> str:
    """Return a digest of files: of their paths and of what is in them, in any order."""
    total = hashlib.sha256()
    for file in sorted(files):
        total.update(f"{file}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def files_below(folder: Path) -> list[Path]:
    """List the files below a folder, without what Python or a compiler left there."""
    return [
        file
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.suffix not in (".so", ".pyd")
    ]
