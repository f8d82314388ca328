"""The extension, compiled for aarch64 as setup.py says, and what must hold of it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from setuptools import Extension

from aarch64 import elf
from aarch64.apt import open_apt, unpack
from aarch64.places import ROOT, WORK, digest, made
from aarch64.toolchain import ZIG, open_zig

GLIBC = (2, 28)
TARGET = f"aarch64-linux-gnu.{'.'.join(map(str, GLIBC))}"
ARM64 = "arm64"
# Debian's Python declares an older POSIX than the C library of the compiler
EXTRA = ("-shared", "-fPIC", "-Wl,-s", "-Wno-macro-redefined")


@dataclass(frozen=True)
class Headers:
    """The headers of the Python that runs in the sysroot."""

    folder: Path

    @property
    def python(self) -> str:
        """Its version, as 3.11."""
        (found,) = (self.folder / "usr" / "include").glob("python3.*")
        return found.name.removeprefix("python")

    @property
    def include(self) -> list[Path]:
        include = self.folder / "usr" / "include"
        return [include / f"python{self.python}", include]

    @property
    def suffix(self) -> str:
        """What the names of extensions end with, PEP 3149 with Debian's triplet."""
        return f".cpython-{self.python.replace('.', '')}-aarch64-linux-gnu.so"


def open_headers() -> Headers:
    return Headers(made(WORK / "headers", f"{ARM64} 1", _fetch_headers))


def load_setup() -> ModuleType:
    """Load setup.py without running it; its file names are relative to the root."""
    spec = importlib.util.spec_from_file_location("setup_script", ROOT / "setup.py")
    assert spec is not None and spec.loader is not None  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        spec.loader.exec_module(module)
    finally:
        os.chdir(before)
    return module


def command(core: Extension, include: list[Path]) -> list[str]:
    """Return the compiler's arguments, but for the program and its output."""
    folders = [f"-I{folder}" for folder in (*core.include_dirs, *map(str, include))]
    return ["-target", TARGET, *core.extra_compile_args, *EXTRA, *folders, *core.sources]


def fetch() -> None:
    """Download what `build` needs; raise SystemExit if it is not to be had."""
    open_zig()
    open_headers()


def build() -> Path:
    """Return the compiled extension; compile it if a source or an option has changed."""
    headers, core = open_headers(), load_setup().core
    zig, arguments = open_zig(), command(core, headers.include)
    sources = [ROOT / name for name in (*core.sources, *core.depends)]
    recipe = "\n".join([ZIG, digest(sources), *arguments])
    name = f"_core{headers.suffix}"

    def compile_into(folder: Path) -> None:
        cache = {"ZIG_GLOBAL_CACHE_DIR": "zig-cache", "ZIG_LOCAL_CACHE_DIR": "zig-cache"}
        environment = {**os.environ, **{key: str(WORK / value) for key, value in cache.items()}}
        line = [str(zig), "c++", *arguments, "-o", str(folder / name)]
        if subprocess.run(line, cwd=ROOT, env=environment, check=False).returncode:
            raise SystemExit(f"the extension does not compile for {TARGET}: the message is above")

    return made(WORK / "extension", recipe, compile_into) / name


def check(built: Path) -> str:
    """Say in a line what was found; raise SystemExit for what would not load on a device."""
    found = elf.read(built.read_bytes())
    newest = elf.newest_glibc(found.needs)
    faults = [
        f"its machine is {found.machine}: expected {elf.AARCH64}, aarch64"
        if found.machine != elf.AARCH64
        else "",
        f"it needs glibc {_dotted(newest)}: expected {_dotted(GLIBC)} or older"
        if newest > GLIBC
        else "",
        "" if "PyInit__core" in found.exports else "it does not export PyInit__core",
    ]
    if any(faults):
        raise SystemExit(f"{built.name} is wrong: {'; '.join(filter(None, faults))}")
    return f"aarch64, glibc {_dotted(newest)} or newer, exports PyInit__core"


def _fetch_headers(folder: Path) -> None:
    apt = open_apt(folder / "apt", ARM64)
    unpack(apt.download(f"libpython{apt.python_version()}-dev"), folder)
    shutil.rmtree(folder / "apt")


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version)) or "none"
