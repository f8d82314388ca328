"""What a variant needs of the machine that opens it: system, packages, memory."""

from __future__ import annotations

import os
import sys
from importlib import metadata

from rap_edge.errors import BackendUnavailable
from rap_edge.manifest import Requires, Variant
from rap_edge.versions import is_below

EXTRAS = {"onnxruntime": "ort", "openvino": "openvino", "coremltools": "coreml"}
SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}


def require(variant: Variant) -> None:
    """Raise BackendUnavailable that names everything the variant needs and this machine lacks."""
    lacking = unmet(variant.requires)
    if lacking:
        raise BackendUnavailable(
            f"variant {variant.label} needs {'; '.join(lacking)}: choose another variant"
        )


def unmet(requires: Requires) -> list[str]:
    """Name what is not there; instruction sets are only wanted, so they are never named."""
    lacking = []
    system = SYSTEMS.get(sys.platform, sys.platform)
    if requires.os and system not in requires.os:
        lacking.append(f"{' or '.join(requires.os)} (this is {system})")
    for package, least in requires.packages.items():
        found = version_of(package)
        if found is None:
            lacking.append(f"{package} {least} or newer, which is not installed{_remedy(package)}")
        elif is_below(found, least):
            lacking.append(f"{package} {least} or newer (this is {found})")
    memory_mb = _memory_mb()
    if memory_mb is not None and memory_mb < requires.memory_mb:
        lacking.append(f"{requires.memory_mb} MB of memory (this machine has {memory_mb})")
    return lacking


def version_of(package: str) -> str | None:
    """Return the version of an importable package, whatever its distribution is called."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        names = metadata.packages_distributions().get(package)  # onnxruntime-gpu, for instance
        return metadata.version(names[0]) if names else None


def _remedy(package: str) -> str:
    extra = EXTRAS.get(package)
    return f" (pip install 'rap-edge[{extra}]')" if extra else ""


def _memory_mb() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None
