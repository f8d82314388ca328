"""An arm64 Python in a folder, an emulator for it, and the wheels that it imports."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from aarch64.apt import open_apt, unpack
from aarch64.emulation import Sysroot
from aarch64.extension import ARM64, open_headers
from aarch64.places import WORK, made
from aarch64.toolchain import pip

BESIDES = ("libstdc++6", "libgomp1")  # what wheels expect of any system
FOR_TESTS = ("hypothesis", "onnx", "pytest")
NEWEST_MANYLINUX = 39
EMULATORS = ("qemu-user-static", "qemu-user")  # since Debian 13 the first only links to the second
DEBIAN_OF = {"x86_64": "amd64"}


def open_sysroot() -> Sysroot:
    """Return the sysroot; what is missing of it is downloaded, and nothing is installed."""
    version, pins = open_headers().python, "\n".join(_pins())
    root = made(WORK / "root", f"python{version} 1", lambda folder: _fetch_root(folder, version))
    packages = made(
        WORK / "packages", f"{version}\n{pins}", lambda folder: _fetch_packages(folder, version)
    )
    emulators = made(WORK / "emulator", " ".join(EMULATORS), _fetch_emulator)
    return Sysroot(root, root / "usr" / "bin" / f"python{version}", _emulator(emulators), packages)


def _fetch_root(folder: Path, version: str) -> None:
    apt = open_apt(folder / "apt", ARM64)
    unpack(apt.download(f"python{version}", *BESIDES, needed=True), folder)
    shutil.rmtree(folder / "apt")


def _fetch_emulator(folder: Path) -> None:
    apt = open_apt(folder / "apt", DEBIAN_OF[platform.machine()])
    for name in EMULATORS:
        unpack(apt.download(name), folder)
        if _emulator(folder).is_file():
            break
    else:
        raise SystemExit(f"{' and '.join(EMULATORS)} hold no emulator of aarch64")
    shutil.rmtree(folder / "apt")


def _emulator(folder: Path) -> Path:
    programs = [folder / "usr" / "bin" / f"qemu-aarch64{end}" for end in ("-static", "")]
    return next((p.resolve() for p in programs if p.is_file()), programs[0])


def _fetch_packages(folder: Path, version: str) -> None:
    """Install wheels for aarch64 into a folder, in the versions that run on the host."""
    pins = folder / "pins.txt"
    pins.write_text("".join(f"{pin}\n" for pin in _pins()), encoding="utf-8")
    tags = [f"manylinux_2_{minor}_aarch64" for minor in range(17, NEWEST_MANYLINUX)]
    platforms = [part for tag in (*tags, "manylinux2014_aarch64") for part in ("--platform", tag)]
    abis = ("--abi", f"cp{version.replace('.', '')}", "--abi", "abi3", "--abi", "none")
    options = ("--quiet", "--only-binary=:all:", "--no-compile", "--implementation", "cp")
    target = ("--python-version", version, *abis, *platforms, "--target", str(folder))
    if pip("install", *options, *target, "--constraint", pins, *_wanted()):
        raise SystemExit("pip finds no wheels for aarch64: its message is above")


def _wanted() -> list[str]:
    """Name what rap-edge needs on a device, and what its tests need."""
    needs = map(Requirement, metadata.requires("rap-edge") or ())
    return [*FOR_TESTS, *(need.name for need in needs if need.marker is None)]


def _pins() -> Iterator[str]:
    """Pin what is installed here to the same version: renders are compared."""
    for name in sorted(_wanted()):
        yield f"{name}=={metadata.version(name)}"
