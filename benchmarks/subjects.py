"""What is measured: every variant of a bundle on every device that is here, opened and right.

A variant that does not start here, or whose golden check fails, is a subject too: one that was
refused, with the reason and without a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.checked import REFUSALS, open_checked
from rap_edge.benchmarks.report.record import Result, Subject, Value
from rap_edge.bundle import Bundle
from rap_edge.errors import NotSupported
from rap_edge.manifest import Manifest, Variant
from rap_edge.portrait import Crop
from rap_edge.requirements import unmet
from rap_edge.runtime import Avatar, Model
from rap_edge.runtime.backends import Placement
from rap_edge.runtime.backends.target import Target, first_device
from rap_edge.runtime.choice import Candidate, can_run, candidates
from rap_edge.runtime.cores import physical_cores
from rap_edge.runtime.placement.automatic import contenders, devices_here

EXACT = "fp32"
UNASKED = (
    "it compiles for minutes, or another device covers it: run `rap-edge prepare`, or name it with "
    "--subject"
)

ABSENT = "it is not in this part of the bundle, as wheels leave out what their system cannot run"


@dataclass(frozen=True, eq=False)
class Opened:
    """A subject that is ready to be measured."""

    subject: Subject
    model: Model
    avatar: Avatar
    open_ms: float
    avatar_ms: float

    @property
    def label(self) -> str:
        return self.subject.label

    def result(
        self,
        scenario: str,
        values: Mapping[str, Value],
        missing: Mapping[str, str] | None = None,
        series: Mapping[str, tuple[float, ...]] | None = None,
        at: Mapping[str, float] | None = None,
    ) -> Result:
        """Return what a scenario found of this subject."""
        return Result(scenario, self.label, values, at or {}, series or {}, missing or {})


def open_subjects(
    bundle: Bundle,
    portrait: NDArray[np.uint8],
    threads: int | None = None,
    only: Sequence[str] = (),
) -> tuple[list[Opened], list[Subject]]:
    """Open what runs here, of all or of those labels, with an avatar of ``portrait`` (H, W, 3).

    Returns what was opened and what was refused. Raises NotSupported for a label that there is not.
    """
    chosen, others = _chosen(bundle, only)
    absent = [] if only else _absent(bundle)
    opened: list[Opened] = []
    refused = [_described(bundle, one, refused=UNASKED) for one in others]
    refused += [_described(bundle, one, refused=ABSENT) for one in absent]
    for candidate in chosen:
        try:
            opened.append(open_subject(bundle, candidate, portrait, threads or physical_cores()))
        except REFUSALS as error:
            refused.append(_described(bundle, candidate, refused=str(error)))
    return opened, refused


def open_subject(
    bundle: Bundle, candidate: Candidate, portrait: NDArray[np.uint8], threads: int
) -> Opened:
    """Open one; raises BackendUnavailable if it does not run here or computes wrongly."""
    start = perf_counter()
    precision = candidate.variant.precision
    model = open_checked(bundle, str(candidate.target), precision, threads)
    open_s = perf_counter() - start
    avatar = model.avatar(portrait, None if "locator" in model.graphs else _middle(portrait))
    avatar_s = perf_counter() - start - open_s
    subject = _described(bundle, candidate, model.placement, threads)
    return Opened(subject, model, avatar, 1000 * open_s, 1000 * avatar_s)


def exact_of(subject: Subject, opened: Sequence[Opened]) -> Opened | None:
    """Return fp32 on the backend and device of a subject: what its speed is compared with."""
    place = (subject.backend, subject.device)
    return next(
        (
            one
            for one in opened
            if (one.subject.backend, one.subject.device) == place and one.subject.precision == EXACT
        ),
        None,
    )


def able(bundle: Bundle, only: Sequence[str] = ()) -> list[Candidate]:
    """Return what may run here, of all or of those labels.

    Raises NotSupported for a label that there is not.
    """
    return [one for one in _chosen(bundle, only)[0] if can_run(one.variant)]


def _chosen(bundle: Bundle, only: Sequence[str]) -> tuple[list[Candidate], list[Candidate]]:
    """Return candidates to measure, and devices that are here and are not asked unless named."""
    plain = candidates(bundle.variants, Target("auto"), None, strict=True)
    usual = contenders(bundle, plain, tested=bundle.manifest.golden is not None)
    asked = {one.label: one for one in (*usual, *plain)}
    others = {
        one.label: one
        for variant in bundle.variants
        for one in (Candidate(variant, device) for device in devices_here(variant.backend))
        if one.label not in asked
    }
    unknown = sorted(set(only) - set(asked) - set(others))
    if unknown:
        raise NotSupported(
            f"there is no {', '.join(unknown)} to measure: expected some of "
            f"{', '.join((*asked, *others))}"
        )
    if only:
        return [{**asked, **others}[label] for label in dict.fromkeys(only)], []
    return list(asked.values()), list(others.values())


def _absent(bundle: Bundle) -> list[Candidate]:
    """Return the variants that the bundle names and this part of it does not hold."""
    return [
        Candidate(one, first_device(one.backend))
        for one in bundle.manifest.variants
        if one not in bundle.variants
    ]


def _middle(portrait: NDArray[np.uint8]) -> Crop:
    """Return the largest square in the middle: what a bundle is shown that finds no faces."""
    height, width = portrait.shape[:2]
    side = min(height, width)
    return Crop((width - side) // 2, (height - side) // 2, side)


def _described(
    bundle: Bundle,
    candidate: Candidate,
    placement: Mapping[str, Placement] | None = None,
    threads: int = 0,
    refused: str = "",
) -> Subject:
    variant = candidate.variant
    places = placement or {}
    lacking = unmet(variant.requires)
    return Subject(
        label=candidate.label,
        backend=variant.backend,
        device=candidate.device,
        precision=variant.precision,
        version=next((place.version for place in places.values()), ""),
        threads=threads,
        megabytes=megabytes_of(bundle.manifest, variant),
        providers={name: place.device for name, place in places.items()},
        refused=f"it needs {'; '.join(lacking)}" if refused and lacking else refused,
    )


def megabytes_of(manifest: Manifest, variant: Variant) -> float:
    """Return what the files of a variant take in the bundle, in MB."""
    files = {name for path in variant.files.values() for name in manifest.graph_files(path)}
    return sum(entry.size for entry in manifest.files if entry.path in files) / 1e6
