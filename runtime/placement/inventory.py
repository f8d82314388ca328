"""Which runtimes and devices are here, and which of them start: each is asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from rap_edge.bundle import Bundle
from rap_edge.errors import BackendUnavailable
from rap_edge.requirements import version_of
from rap_edge.runtime.backends import BACKENDS, COREML, COREML_INSTALL, PACKAGES, require_backend
from rap_edge.runtime.backends.target import DEVICES, Target
from rap_edge.runtime.choice import can_run, candidates
from rap_edge.runtime.cores import physical_cores
from rap_edge.runtime.jetson import Jetson, read_jetson
from rap_edge.runtime.placement.automatic import contenders
from rap_edge.runtime.placement.fingerprint import Host
from rap_edge.runtime.placement.measure import may_measure, ordered, promising_here
from rap_edge.runtime.placement.remembered import recall
from rap_edge.runtime.power import Meter, find_meter, power_source

PROBE = bytes.fromhex(
    "080812003a370a0c0a0178120179220452656c75120570726f62655a0f0a0178120a0a080801"
    "12040a020801620f0a0179120a0a08080112040a02080142040a00100d"
)
"""An ONNX graph of one Relu: whether a provider starts is known when it has opened something."""


@dataclass(frozen=True)
class Device:
    """A device of a backend."""

    target: str  # what `open` is asked for it
    usable: bool
    why: str  # its name if it is usable; else what is missing, and how to get it


@dataclass(frozen=True)
class Runtime:
    """A backend and its devices."""

    name: str
    version: str | None  # None if it is not installed
    devices: tuple[Device, ...]


@dataclass(frozen=True)
class Automatic:
    """What ``backend="auto"`` would open of a bundle."""

    bundle: str
    threads: int
    takes: str | None  # None if nothing runs here
    measured: bool  # here, with these threads
    candidates: int  # that measuring compares: of fewer than two there is nothing to measure
    ms: dict[str, float]  # of a chunk, by candidate
    refused: dict[str, str]


@dataclass(frozen=True)
class EnergyMeter:
    """How energy is measured here."""

    name: str | None  # None if it cannot be
    what: str  # what it covers; else why there is none, and how to get one


@dataclass(frozen=True)
class Inventory:
    """This machine, as far as it decides where graphs run, and what they draw."""

    host: Host
    jetson: Jetson | None  # None if this is none
    power_source: str | None  # AC, battery; None if nothing tells
    energy: EnergyMeter
    runtimes: tuple[Runtime, ...]


def take_inventory() -> Inventory:
    """Ask every runtime that is installed; a provider is started with a graph of one node."""
    names = (*BACKENDS, COREML)
    return Inventory(
        Host.here(),
        read_jetson(),
        power_source(),
        _energy_meter(),
        tuple(_runtime(name) for name in names),
    )


def _energy_meter() -> EnergyMeter:
    found = find_meter()
    if isinstance(found, Meter):
        return EnergyMeter(found.name, found.what)
    return EnergyMeter(None, found.why)


def foresee(bundle: Bundle, threads: int | None = None) -> Automatic:
    """Say what "auto" would take of a bundle, and whether that was measured; measure nothing."""
    threads = threads or physical_cores()
    choices = candidates(bundle.variants, Target("auto"), None, True)
    able = contenders(bundle, choices, tested=bundle.manifest.golden is not None)
    likely = promising_here(able)
    measured = recall(bundle, likely, threads) if may_measure() and len(likely) > 1 else None
    order = able if measured is None else ordered(able, measured)
    return Automatic(
        bundle.name,
        threads,
        order[0].label if order and can_run(order[0].variant) else None,
        measured is not None,
        len(likely),
        dict(measured.ms) if measured else {},
        dict(measured.refused) if measured else {},
    )


def _runtime(name: str) -> Runtime:
    try:
        require_backend(name)
    except BackendUnavailable as error:
        why = str(error)
        if name == COREML and sys.platform == "darwin":
            why = f"not installed: {COREML_INSTALL}"
        devices = tuple(Device(f"{name}:{d}", False, why) for d in DEVICES[name])
        return Runtime(name, version_of(PACKAGES.get(name, name)), devices)
    asked = {"onnxruntime": _providers, "openvino": _openvino}.get(name, _coreml)
    return Runtime(name, version_of(PACKAGES.get(name, name)), tuple(asked()))


def _providers() -> Iterator[Device]:
    from rap_edge.runtime.backends.ort import open_session, session_options
    from rap_edge.runtime.backends.providers import PROVIDERS, Session

    for device, provider in PROVIDERS.items():
        try:
            open_session("probe", PROBE, session_options(1), Session(device, "fp32", 1))
        except BackendUnavailable as error:
            yield Device(f"onnxruntime:{device}", False, str(error))
        else:
            yield Device(f"onnxruntime:{device}", True, provider)


def _openvino() -> Iterator[Device]:
    from rap_edge.runtime.backends.openvino import INSTALL, core, described

    here = list(core().available_devices)
    for family in DEVICES["openvino"]:
        found = [name for name in here if name.partition(".")[0] == family.upper()]
        for name in found:
            yield Device(f"openvino:{name.lower()}", True, described(name))
        if not found:
            remedy = INSTALL[family.upper()]
            yield Device(
                f"openvino:{family}", False, f"OpenVINO sees none: where there is one, {remedy}"
            )


def _coreml() -> Iterator[Device]:
    """Core ML takes any compute unit, and leaves to the CPU what it does not do."""
    for device in DEVICES[COREML]:
        yield Device(f"{COREML}:{device}", True, "as Core ML decides for each operation")
