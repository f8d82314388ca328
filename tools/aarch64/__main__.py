"""Cross-build ``rap_edge._core`` for aarch64 and try the package under user-mode emulation.

``python tools/aarch64 fetch`` downloads compiler and headers, ``build`` compiles the extension and
checks it, ``sysroot`` collects an arm64 Python that lies in one folder, ``test`` and ``render`` run
in it, ``all`` does one after another. Everything lies in build/aarch64, and what is there already
is taken as it is.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from filelock import FileLock

from aarch64 import comparison, extension, kernels, rendering, testing
from aarch64.cpus import CPUS
from aarch64.places import ROOT, WORK
from aarch64.sysroot import open_sysroot
from aarch64.toolchain import NoWheel
from aarch64.tree import open_tree

STEPS = ("fetch", "build", "sysroot", "test", "render", "all")
TEST_CPU = "neoverse-n1"


def main() -> None:
    parser = argparse.ArgumentParser(prog="aarch64", description=__doc__)
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--cpu", choices=CPUS, help="one emulated CPU instead of all, for renders")
    asked = parser.parse_args()
    if sys.platform != "linux":
        raise SystemExit(f"{sys.platform} has no apt and no user-mode emulation: run this on Linux")
    WORK.mkdir(parents=True, exist_ok=True)
    with FileLock(WORK / "lock"):
        started = time.perf_counter()
        try:
            extension.fetch()
            if asked.step != "fetch":
                build()
        except NoWheel as missing:
            print(f"SKIPPED: {missing}")
            return
        if asked.step not in ("fetch", "build"):
            emulate(asked.step, [asked.cpu] if asked.cpu else list(CPUS))
        print(f"{asked.step}: done in {time.perf_counter() - started:.0f} s")


def build() -> None:
    built = extension.build()
    found = extension.check(built)
    size_mb = built.stat().st_size / 1e6
    print(f"{built.relative_to(ROOT)}: {size_mb:.1f} MB, {found}")


def emulate(step: str, cpus: list[str]) -> None:
    if platform.machine() != "x86_64":
        raise SystemExit(f"this machine is {platform.machine()}: emulation was set up for x86_64")
    sysroot = open_sysroot()
    print(f"{sysroot.folder.relative_to(ROOT)}: {sysroot.python.name} and its packages")
    if step == "sysroot":
        return
    tree = open_tree()
    if step in ("test", "all"):
        print(testing.run_tests(sysroot, tree, CPUS[TEST_CPU]))
    if step in ("render", "all"):
        print(comparison.table(rendering.render_all(sysroot, tree, cpus)))
        print(kernels.table(sysroot, tree, cpus))


if __name__ == "__main__":
    main()
