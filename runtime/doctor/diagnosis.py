"""What a doctor finds, as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Answer = Literal["yes", "partly", "no", "unknown"]


def counted(number: int, noun: str) -> str:
    """Return "1 layer", "2 layers"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@dataclass(frozen=True)
class Finding:
    """Something that costs time or is not there; why, and what to do."""

    what: str
    why: str
    fix: str
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layer:
    """A convolution or matrix product as a runtime computes it."""

    name: str
    operator: str  # the runtime's
    precision: str  # int8, fp16, fp32, ...
    macs: int  # multiplications and additions of one run; 0 if shapes are not fixed
    weighted: bool  # one factor is constant


@dataclass(frozen=True)
class Work:
    """What a runtime makes of one graph: how many nodes run, and what its layers compute in."""

    nodes: int
    layers: Mapping[str, int]  # precision -> convolutions and linear layers with weights
    macs: Mapping[str, int]  # precision -> multiplications and additions of one run
    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, nodes: int, layers: Iterable[Layer], findings: tuple[Finding, ...]) -> Work:
        counts: dict[str, int] = {}
        macs: dict[str, int] = {}
        for layer in layers:
            counts[layer.precision] = counts.get(layer.precision, 0) + layer.weighted
            macs[layer.precision] = macs.get(layer.precision, 0) + layer.macs
        return cls(nodes, counts, macs, findings)

    def share(self, precision: str) -> float | None:
        """Return the part of the arithmetic in a precision, None if none is known."""
        total = sum(self.macs.values())
        return self.macs.get(precision, 0) / total if total else None


@dataclass(frozen=True)
class Device:
    """Whether a device can run the graphs, and what stands against it."""

    name: str
    can: Answer
    here: bool  # the runtime on this machine offers it
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class VariantDiagnosis:
    """One variant of a bundle, or a file on one backend."""

    backend: str
    precision: str
    problem: str | None  # why it does not run here
    graphs: Mapping[str, Work] = field(default_factory=dict)
    devices: tuple[Device, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.backend}/{self.precision}"


@dataclass(frozen=True)
class Diagnosis:
    """What was found in a file or bundle, on this machine."""

    subject: str
    cpu: str
    isa: tuple[str, ...] | None  # that multiply bytes; None if nothing tells
    variants: tuple[VariantDiagnosis, ...]
    missing: tuple[Finding, ...]
    chosen: str | None = None  # the variant of a bundle that opens if none is named

    @property
    def runs(self) -> bool:
        """Everything of at least one variant runs here."""
        return any(variant.problem is None for variant in self.variants)
