"""What is not on this machine, and how to get it: packages, providers, drivers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from rap_edge.manifest import Requires, Variant
from rap_edge.requirements import unmet
from rap_edge.runtime.backends import BACKENDS, is_installed
from rap_edge.runtime.doctor.diagnosis import Finding
from rap_edge.runtime.jetson.release import parse_release

ROOT = Path("/")
LEAST = {"onnxruntime": "1.18", "openvino": "2024.4"}
"""Versions that read opset 20 and IR 10, and that the runtime was written for."""

INTEL = "0x8086"

JETPACK = {
    "36": "pip install onnxruntime-gpu --index-url https://pypi.jetson-ai-lab.io/jp6/cu126",
    "35": "the wheel for JetPack 5 at https://elinux.org/Jetson_Zoo#ONNX_Runtime",
}
"""Where onnxruntime with CUDA is for a release of Jetson Linux; no index has it for others."""


def missing(variants: Sequence[Variant]) -> tuple[Finding, ...]:
    """Name packages that variants need, then devices that are here but not in a runtime."""
    wanted = {v.backend: [o for o in variants if o.backend == v.backend] for v in variants}
    packages = [found for name, group in wanted.items() for found in _package(name, group)]
    found = (*nvidia(ROOT, available("onnxruntime")), *intel(ROOT, available("openvino")))
    return (*packages, *found)


def available(backend: str) -> Sequence[str] | None:
    """List onnxruntime's providers or OpenVINO's devices; None if the backend is not installed."""
    if backend not in BACKENDS or not is_installed(backend):
        return None
    found: list[str]
    if backend == "openvino":
        from rap_edge.runtime.backends.openvino import core

        found = core().available_devices
    else:
        found = import_module(backend).get_available_providers()
    return found


def _package(backend: str, variants: list[Variant]) -> Iterator[Finding]:
    labels = ", ".join(variant.label for variant in variants)
    if backend not in BACKENDS:
        return
    if not is_installed(backend):
        yield Finding(f"{backend} is not installed", f"{labels} need it", BACKENDS[backend])
        return
    least = Requires(packages={backend: LEAST[backend]})
    asked = [unmet(variant.requires) for variant in variants]
    lacking = dict.fromkeys(need for needs in (unmet(least), *asked) for need in needs)
    if lacking:
        yield Finding(
            f"{backend} or its machine is not enough", "; ".join(lacking),
            f"pip install --upgrade {backend}",
        )  # fmt: skip


def nvidia(root: Path, providers: Sequence[str] | None) -> Iterator[Finding]:
    """Look for an NVIDIA GPU under ``root`` that onnxruntime does not use."""
    release = root / "etc/nv_tegra_release"
    if "CUDAExecutionProvider" in (providers or ()):
        return
    if release.exists():
        yield _jetson(release.read_text(encoding="utf-8", errors="replace"))
    elif (root / "proc/driver/nvidia/version").exists():
        yield Finding(
            "an NVIDIA GPU is here and onnxruntime has no CUDA provider",
            "the package onnxruntime computes on the CPU only",
            "pip uninstall onnxruntime, then pip install onnxruntime-gpu: it is onnxruntime:cuda",
        )


def _jetson(text: str) -> Finding:
    """Advise by what /etc/nv_tegra_release says."""
    release = parse_release(text)
    major = (release or "").partition(".")[0]
    named = f"Jetson Linux {release}" if release else "of an unknown release"
    return Finding(
        f"this is a Jetson ({named}) and onnxruntime has no CUDA provider",
        "PyPI has no wheel of onnxruntime-gpu for aarch64; the community's index has them by "
        "JetPack, Python and CUDA",
        JETPACK.get(major, "build onnxruntime 1.19 or newer with --use_cuda --use_tensorrt"),
    )


def intel(root: Path, devices: Sequence[str] | None) -> Iterator[Finding]:
    """Look for Intel's GPU and NPU under ``root`` that OpenVINO does not see."""
    if devices is None:
        return
    here = {name.split(".")[0] for name in devices}
    vendors = {path.read_text().strip() for path in root.glob("sys/class/drm/*/device/vendor")}
    if INTEL in vendors and "GPU" not in here:
        yield Finding(
            "an Intel GPU is here and OpenVINO does not see it",
            "its OpenCL driver is not installed",
            "apt install intel-opencl-icd, and add yourself to the group render",
        )
    if (root / "dev/accel/accel0").exists() and "NPU" not in here:
        yield Finding(
            "an NPU may be here and OpenVINO does not see it",
            "its driver for user programs is not installed",
            "install the release of https://github.com/intel/linux-npu-driver for your system",
        )
