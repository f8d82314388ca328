"""What a caller asks for: a backend, and perhaps one of its devices."""

from __future__ import annotations

from dataclasses import dataclass

from rap_edge.errors import NotSupported

AUTO = "auto"
DEVICES = {
    "onnxruntime": ("cpu", "cuda", "tensorrt", "coreml", "openvino"),
    "openvino": ("cpu", "gpu", "npu"),
    "coreml": ("all", "cpu", "gpu", "ane"),
}
"""Devices of each backend, the one that is taken if none is named first."""

NUMBERED = ("cuda", "tensorrt", "gpu")
"""Devices of which a machine may have several: ``gpu.1`` is the second."""


@dataclass(frozen=True)
class Target:
    """A backend and a device of it; None is the backend's first."""

    backend: str
    device: str | None = None

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read ``backend`` or ``backend:device``, such as ``openvino:gpu``.

        Raises NotSupported for a device that the backend does not have.
        """
        backend, colon, device = text.lower().partition(":")
        if not colon:
            return cls(backend)
        known = DEVICES.get(backend)
        if known is None:
            raise NotSupported(
                f"backend {text!r} names a device of {backend!r}, which has none: expected one of "
                f"{', '.join(every_target())}"
            )
        family, dot, index = device.partition(".")
        numbered = not dot or (family in NUMBERED and index.isdecimal())
        if family not in known or not numbered:
            offered = ", ".join(f"{backend}:{name}" for name in known)
            raise NotSupported(f"backend {text!r} has no such device: expected one of {offered}")
        return cls(backend, device)

    def __str__(self) -> str:
        """Return what `parse` reads."""
        return self.backend if self.device is None else f"{self.backend}:{self.device}"

    @property
    def is_auto(self) -> bool:
        return self.backend == AUTO


def every_target() -> list[str]:
    return [f"{backend}:{device}" for backend, devices in DEVICES.items() for device in devices]


def first_device(backend: str) -> str:
    """Return the device that a backend takes if none is named."""
    return DEVICES.get(backend, ("cpu",))[0]
