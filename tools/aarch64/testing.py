"""The core of the test suite on an emulated CPU."""

from __future__ import annotations

from pathlib import Path

from aarch64.cpus import Cpu
from aarch64.emulation import Sysroot
from aarch64.places import WORK, made
from aarch64.tree import Tree

# What the extension carries, and what is quick of the runtime above it. None spawns a process:
# the host's kernel cannot run one for aarch64.
FILES = (
    "test_audio_clock",
    "test_binding",
    "test_blinks",
    "test_bundle",
    "test_feature_window",
    "test_features",
    "test_features_golden",
    "test_features_spec",
    "test_model",
    "test_pcm_ring",
    "test_photo",
    "test_pixels",
    "test_portrait",
    "test_resampler",
    "test_runtime",
    "test_scheduler",
    "test_scheduler_config",
    "test_sync_policies",
    "test_timeline",
)
LIMIT_S = 2400
OPTIONS = ("-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "few_examples")
NOT_HERE = "not openvino and not damaged_graph"  # of what runs on two backends


def run_tests(sysroot: Sysroot, tree: Tree, cpu: Cpu) -> str:
    """Run the tests unless they passed as they are now; return pytest's own summary.

    Raises SystemExit with the end of the output if one fails.
    """
    recipe = "\n".join([tree.whole, sysroot.versions, cpu.emulator, NOT_HERE, *FILES])

    def test(folder: Path) -> None:
        log = WORK / "tests.log"
        files = [f"tests/{name}.py" for name in FILES]
        arguments = ("-m", "pytest", *OPTIONS, "-k", NOT_HERE, *files)
        status = sysroot.run(cpu, *arguments, cwd=tree.folder, log=log, limit_s=LIMIT_S)
        lines = log.read_text(encoding="utf-8").splitlines()
        if status:
            raise SystemExit("\n".join([*lines[-40:], f"tests failed on {cpu.emulator}: {log}"]))
        (folder / "summary.txt").write_text(lines[-1], encoding="utf-8")

    summary = made(WORK / "tests", recipe, test) / "summary.txt"
    return summary.read_text(encoding="utf-8")
