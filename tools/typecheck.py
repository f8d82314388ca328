"""Check every folder with mypy, as the package that installing makes of them.

mypy runs no import hooks, so in an editable checkout it sees neither ``rap_edge.runtime`` nor its
siblings and still reports success. A tree of links under ``build/typed`` shows it the package
whole; the count of checked files proves that it looked at all of them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TYPED = ROOT / "build" / "typed"
PACKAGE = TYPED / "rap_edge"
FOLDERS = ("runtime", "converters", "benchmarks")
NO_CODE = ("__pycache__", "bundles")


def link_package() -> None:
    """Make ``build/typed/rap_edge``: links to what is in rap_edge/ and to the other folders."""
    shutil.rmtree(TYPED, ignore_errors=True)
    PACKAGE.mkdir(parents=True)
    for entry in (ROOT / "rap_edge").iterdir():
        if entry.name not in NO_CODE:
            (PACKAGE / entry.name).symlink_to(entry)
    for folder in FOLDERS:
        (PACKAGE / folder).symlink_to(ROOT / folder)


def count_modules() -> int:
    """Count the modules of the package; a stub and its source are one."""
    folders = [ROOT / name for name in ("rap_edge", *FOLDERS)]
    files = [file for folder in folders for file in folder.rglob("*.py*")]
    return len({file.with_suffix("") for file in files if file.suffix in (".py", ".pyi")})


def unmarked_folders() -> list[str]:
    """Name the folders with code but no ``__init__.py``: no wheel would contain them."""
    folders = {
        file.parent for name in ("rap_edge", *FOLDERS) for file in (ROOT / name).rglob("*.py")
    }
    bare = [folder for folder in folders if not (folder / "__init__.py").exists()]
    return sorted(str(folder.relative_to(ROOT)) for folder in bare)


def run_mypy() -> subprocess.CompletedProcess[str]:
    config, cache = ROOT / "pyproject.toml", ROOT / ".mypy_cache"
    options = ["--config-file", str(config), "--cache-dir", str(cache), *sys.argv[1:]]
    command = [sys.executable, "-m", "mypy", *options]
    return subprocess.run(command, cwd=TYPED, capture_output=True, text=True, check=False)


def main() -> int:
    unmarked = unmarked_folders()
    if unmarked:
        print(f"no __init__.py in {', '.join(unmarked)}: expected one in every folder with code")
        return 1
    link_package()
    expected = count_modules()
    result = run_mypy()
    print(result.stdout + result.stderr, end="")
    found = re.search(r"(\d+) source files?", result.stdout)
    checked = int(found[1]) if found else 0
    if checked != expected:
        print(f"mypy checked {checked} of {expected} modules: expected each of them once")
        return 1
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
