"""Where devices keep what they compile, and this machine what it measured.

``RAP_EDGE_CACHE/devices``, or ``devices`` in the user's cache: a folder for each bundle, backend,
device, version and driver, so that nothing that was compiled for another one is ever found.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from rap_edge.bundle import Bundle
from rap_edge.requirements import version_of
from rap_edge.runtime.backends.target import Target, first_device
from rap_edge.runtime.placement.fingerprint import bundle_digest, digest_of, nvidia_driver

DONE = "prepared.json"
GPUS = Path("/proc/driver/nvidia/gpus")
COMPILES = {
    ("onnxruntime", "tensorrt"),
    ("onnxruntime", "coreml"),
    ("openvino", "gpu"),
    ("openvino", "npu"),
}
"""Devices that compile a graph when it is opened, for seconds or minutes, and keep it."""

CAN_KEEP = COMPILES | {("openvino", "cpu")}
"""And one that opens in half the time if it was asked to."""


def devices_root() -> Path:
    from platformdirs import user_cache_path

    named = os.environ.get("RAP_EDGE_CACHE")
    return (Path(named) if named else user_cache_path("rap-edge")) / "devices"


@dataclass(frozen=True)
class Compiled:
    """The folder of one variant of a bundle on one device."""

    bundle: str  # digest of its manifest
    target: str  # backend:device
    precision: str
    version: str  # of the backend
    driver: str

    @classmethod
    def of(cls, bundle: Bundle, target: Target, precision: str) -> Compiled | None:
        """Return None for a device that keeps nothing."""
        device = target.device or first_device(target.backend)
        if (target.backend, device.partition(".")[0]) not in CAN_KEEP:
            return None
        return cls(
            bundle_digest(bundle),
            f"{target.backend}:{device}",
            precision,
            version_of(target.backend) or "",
            driver_of(target.backend, device),
        )

    @property
    def folder(self) -> Path:
        return self._of_target / digest_of(asdict(self))[:16]

    @property
    def is_needed(self) -> bool:
        """The device compiles so long that what it makes is kept in any case."""
        backend, _, device = self.target.partition(":")
        return (backend, device.partition(".")[0]) in COMPILES

    @property
    def is_prepared(self) -> bool:
        return (self.folder / DONE).is_file()

    def make(self) -> Path:
        """Make the folder, and remove those of other versions and drivers for the same variant."""
        for other in self._of_target.glob("*"):
            if other.name != self.folder.name:
                shutil.rmtree(other, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder

    @property
    def _of_target(self) -> Path:
        return _folder(self.bundle, self.target, self.precision)


def is_prepared(bundle: Bundle, target: Target, precision: str) -> bool:
    """Say whether a variant was compiled for a device as it is now.

    The backend is asked for its version and driver only if something was ever compiled: that takes
    memory and time.
    """
    name = f"{target.backend}:{target.device}"
    if not any(_folder(bundle_digest(bundle), name, precision).glob(f"*/{DONE}")):
        return False
    compiled = Compiled.of(bundle, target, precision)
    return compiled is not None and compiled.is_prepared


def _folder(bundle: str, target: str, precision: str) -> Path:
    return devices_root() / bundle[:16] / f"{target}-{precision}".replace(":", "-")


def driver_of(backend: str, device: str) -> str:
    """Return the device's name and driver, as far as they can be asked; empty if not."""
    if backend != "openvino":
        gpus = sorted(path.read_text(errors="replace") for path in GPUS.glob("*/information"))
        models = [line for text in gpus for line in text.splitlines() if line.startswith("Model")]
        return ", ".join([nvidia_driver(), f"tensorrt {version_of('tensorrt')}", *models])
    from rap_edge.runtime.backends.openvino import described

    return described(device)
