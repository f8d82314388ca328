"""Python, the packages and the settings of the environment that change how fast graphs run."""

from __future__ import annotations

import os
import platform
import re
import sys
import sysconfig
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, packages_distributions, version

PACKAGES = {  # distribution -> what it is imported as
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "coremltools": "coremltools",
    "numpy": "numpy",
    "opencv-python-headless": "cv2",
    "av": "av",
    "pillow": "PIL",
}
NOT_INSTALLED = "not installed"

SETTINGS = re.compile(
    r"(OMP|KMP|GOMP|MKL|OPENBLAS|VECLIB|ORT|ONNXRUNTIME|OPENVINO|OV|TBB|RAP_EDGE)_\w+"
    r"|CUDA_VISIBLE_DEVICES|MALLOC_ARENA_MAX|LD_PRELOAD|PYTHON(DEVMODE|MALLOC|OPTIMIZE|JIT)"
)
PRIVATE = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|USER|HOST|CACHE|DATA|PATH|DIR|FILE|HOME")
PLAIN = re.compile(r"[\w.,=:;{}()+-]{0,80}", re.ASCII)
HIDDEN = "(set)"


def packages_here() -> dict[str, str]:
    """Return versions by distribution; one that another supplies is named beside its version."""
    return {name: _version(name, module) for name, module in PACKAGES.items()}


def python_version() -> str:
    return platform.python_version()


def interpreter() -> str:
    """Name the kind of Python, and what about its build changes its speed."""
    words = [platform.python_implementation()]
    words += ["free-threaded"] if sysconfig.get_config_var("Py_GIL_DISABLED") else []
    words += ["debug build"] if is_debug_build() else []
    return " ".join(words)


def is_debug_build() -> bool:
    return bool(sysconfig.get_config_var("Py_DEBUG")) or hasattr(sys, "gettotalrefcount")


def settings_of(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that change speed.

    Of one whose name hints at a secret or a place, and of a value that is no plain word or
    number, only that it is set: a path may hold a user's name.
    """
    return {
        name: value if PLAIN.fullmatch(value) and not PRIVATE.search(name) else HIDDEN
        for name, value in sorted(environment.items())
        if SETTINGS.fullmatch(name)
    }


def _version(name: str, module: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        others = packages_distributions().get(module)  # onnxruntime-gpu, for instance
    return f"{version(others[0])} ({others[0]})" if others else NOT_INSTALLED
