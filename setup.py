"""From the folders at the top to packages, and the extension; the rest is pyproject.toml."""

import json
import shutil
import sys
from pathlib import Path, PurePosixPath
from typing import Any

from pybind11.setup_helpers import ParallelCompile, Pybind11Extension, build_ext
from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

FOLDERS = {
    "rap_edge": "rap_edge",
    "rap_edge.converters": "converters",
    "rap_edge.runtime": "runtime",
    "rap_edge.benchmarks": "benchmarks",
}

NATIVE = Path("cpp_ext")
# No fused multiply-add: one rounding a step, the same in every loop that a compiler unrolls.
# No packing of straight code: it makes the FFT of GCC 12 a sixth slower.
# No wrapping of signed numbers, which Python's own flags ask for: it keeps loops from vectors, and
# made the resampler four times slower.
EXACT = (
    ["/fp:precise"]
    if sys.platform == "win32"
    else ["-O3", "-fno-wrapv", "-ffp-contract=off", "-fno-tree-slp-vectorize"]
)


def files(*patterns: str) -> list[str]:
    """Name the files of the extension that match, in an order that does not change."""
    return sorted(file.as_posix() for pattern in patterns for file in NATIVE.glob(pattern))


core = Pybind11Extension(
    "rap_edge._core",
    files("src/*.cpp", "bindings/*.cpp"),
    include_dirs=["cpp_ext/include"],
    depends=files("**/*.hpp", "**/*.h", "**/*.c"),
    cxx_std=17,
    extra_compile_args=EXACT,
)


SYSTEMS = {"darwin": "macos", "win32": "windows"}
ONLY_ON = {"coreml": "macos"}  # backend -> the one system that has it


class BuildForHere(build_py):
    """Leave variants that do not run here out of the wheel's bundle, and say so in the bundle."""

    def run(self) -> None:
        bundle = Path(self.build_lib, "rap_edge", "bundles", "default")
        if not self.editable_mode:
            shutil.rmtree(bundle, ignore_errors=True)  # what an earlier build left
        super().run()
        if not self.editable_mode:
            leave_out(bundle, SYSTEMS.get(sys.platform, "linux"))


def leave_out(bundle: Path, system: str) -> None:
    """Take the variants that do not run on a system out of a bundle folder.

    ``subset.json`` names the others; the signature still holds. Where none would be left, all stay.
    """
    manifest = json.loads((bundle / "manifest.json").read_text("utf-8"))
    variants = manifest["variants"]
    kept = [variant for variant in variants if runs_on(variant, system)]
    if len(kept) in (0, len(variants)):
        return
    listed = [entry["path"] for entry in manifest["files"]]
    for path in graph_files(variants, listed) - graph_files(kept, listed):
        (bundle / path).unlink()
    for folder in sorted((f for f in bundle.rglob("*") if f.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    labels = [f"{variant['backend']}/{variant['precision']}" for variant in kept]
    subset = json.dumps({"variants": labels}, indent=1, sort_keys=True) + "\n"
    (bundle / "subset.json").write_bytes(subset.encode("utf-8"))


def runs_on(variant: dict[str, Any], system: str) -> bool:
    """Say whether a variant can run on a system: by what it asks for, and by its backend."""
    systems = variant.get("requires", {}).get("os") or [system]
    return system in systems and ONLY_ON.get(variant["backend"], system) == system


def graph_files(variants: list[dict[str, Any]], listed: list[str]) -> set[str]:
    """Name the files of variants: a file, the .bin beside an .xml, and all below a folder."""
    named = {path for variant in variants for path in variant["files"].values()}
    named |= {f"{path[:-4]}.bin" for path in named if path.endswith(".xml")}
    return {path for path in listed if path in named or named & set(folders_of(path))}


def folders_of(path: str) -> list[str]:
    """List the folders that a file lies in."""
    return [folder.as_posix() for folder in PurePosixPath(path).parents]


if __name__ == "__main__":
    ParallelCompile().install()
    setup(
        packages=[
            package
            for root, folder in FOLDERS.items()
            for package in [root, *(f"{root}.{name}" for name in find_packages(folder))]
        ],
        package_dir=FOLDERS,
        ext_modules=[core] if core.sources else [],
        cmdclass={"build_ext": build_ext, "build_py": BuildForHere},
    )
