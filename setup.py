"""From the folders at the top to packages, and the extension; the rest is pyproject.toml."""

import sys
from pathlib import Path

from pybind11.setup_helpers import ParallelCompile, Pybind11Extension, build_ext
from setuptools import find_packages, setup

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

ParallelCompile().install()
setup(
    packages=[
        package
        for root, folder in FOLDERS.items()
        for package in [root, *(f"{root}.{name}" for name in find_packages(folder))]
    ],
    package_dir=FOLDERS,
    ext_modules=[core] if core.sources else [],
    cmdclass={"build_ext": build_ext},
)
