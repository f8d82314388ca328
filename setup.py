"""From the folders at the top to packages, and the extension; the rest is pyproject.toml."""

import json
import sys
from pathlib import Path

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
EXACT = (
    ["/fp:precise"]
    if sys.platform == "win32"
    else ["-O3", "-ffp-contract=off", "-fno-tree-slp-vectorize"]
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


class BuildForHere(build_py):
    """Leave what only Apple's machines run out of other wheels, and say so in the bundle."""

    def run(self) -> None:
        super().run()
        if sys.platform != "darwin" and not self.editable_mode:
            leave_out("coreml", Path(self.build_lib, "rap_edge/bundles/default"))


def leave_out(backend: str, bundle: Path) -> None:
    """Take a backend's variants out of a bundle folder: the signature still holds for the rest."""
    variants = json.loads((bundle / "manifest.json").read_text("utf-8"))["variants"]
    kept = [v for v in variants if v["backend"] != backend]
    if len(kept) == len(variants):
        return
    needed = {path for variant in kept for path in variant["files"].values()}
    for path in (path for variant in variants for path in variant["files"].values()):
        for file in [] if path in needed else sorted((bundle / path).rglob("*")):
            if file.is_file():
                file.unlink()
    labels = [f"{variant['backend']}/{variant['precision']}" for variant in kept]
    subset = json.dumps({"variants": labels}, indent=1, sort_keys=True) + "\n"
    (bundle / "subset.json").write_bytes(subset.encode("utf-8"))


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
