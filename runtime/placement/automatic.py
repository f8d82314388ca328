"""What ``backend="auto"`` tries, in which order: the fastest of what is here and ready."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence

from rap_edge.bundle import Bundle
from rap_edge.golden import Vectors
from rap_edge.runtime.backends import is_usable
from rap_edge.runtime.backends.providers import PROVIDERS
from rap_edge.runtime.backends.target import DEVICES
from rap_edge.runtime.choice import Candidate, can_run
from rap_edge.runtime.placement.device_cache import COMPILES, is_prepared
from rap_edge.runtime.placement.measure import fastest_first

ASKED_ONLY = {
    ("onnxruntime", "openvino"),
    ("onnxruntime", "coreml"),
    ("coreml", "cpu"),
    ("coreml", "gpu"),
    ("coreml", "ane"),
}
"""Devices that another one covers: nobody takes them unasked."""


def automatic(
    bundle: Bundle, choices: Sequence[Candidate], threads: int, vectors: Vectors
) -> list[Candidate]:
    """Order what may be opened: the fastest here, measured or remembered, then the rest.

    Without vectors that tell right from wrong, only the first device of each backend is tried.
    """
    able = contenders(bundle, choices, tested=bool(vectors))
    others = [one for one in choices if one not in able]
    return [*fastest_first(bundle, able, threads, vectors), *others]


def contenders(bundle: Bundle, choices: Sequence[Candidate], tested: bool) -> list[Candidate]:
    """List what may run here, also on other devices if golden vectors tell right from wrong."""
    able = [one for one in choices if can_run(one.variant)]
    return [*able, *(more for one in able for more in _elsewhere(bundle, one) if tested)]


def _elsewhere(bundle: Bundle, choice: Candidate) -> Iterator[Candidate]:
    """Yield the same variant on devices that are here; one that compiles, once it is prepared."""
    backend = choice.variant.backend
    for device in DEVICES.get(backend, ())[1:]:
        other = Candidate(choice.variant, device)
        if (backend, device) in ASKED_ONLY:
            continue
        compiles = (backend, device) in COMPILES
        ready = not compiles or is_prepared(bundle, other.target, choice.variant.precision)
        if ready and device in devices_here(backend):
            yield other


def devices_here(backend: str) -> tuple[str, ...]:
    """List the devices of a backend that its runtime says are here; none if it is not installed."""
    if not is_usable(backend):
        return ()
    if backend == "onnxruntime":
        providers = importlib.import_module(backend).get_available_providers()
        return tuple(name for name, provider in PROVIDERS.items() if provider in providers)
    if backend == "openvino":
        from rap_edge.runtime.backends.openvino import core

        found = {name.partition(".")[0].lower() for name in core().available_devices}
        return tuple(name for name in DEVICES[backend] if name in found)
    return DEVICES[backend][:1]
