"""The mapping from the folders at the top to the packages, and the extension; the rest is pyproject.toml."""

from glob import glob

from pybind11.setup_helpers import Pybind11Extension, build_ext
from setuptools import find_packages, setup

FOLDERS = {
    "rap_edge": "rap_edge",
    "rap_edge.converters": "converters",
    "rap_edge.runtime": "runtime",
    "rap_edge.benchmarks": "benchmarks",
}

core = Pybind11Extension(
    "rap_edge._core",
    sorted(glob("cpp_ext/src/*.cpp") + glob("cpp_ext/bindings/*.cpp")),
    include_dirs=["cpp_ext/include"],
    depends=sorted(glob("cpp_ext/**/*.hpp", recursive=True)),
    cxx_std=17,
)

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
