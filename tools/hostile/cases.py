"""Every way to make a hostile bundle, and one of them for each seed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from hostile import (
    byte_cases,
    folder_cases,
    golden_cases,
    graph_cases,
    manifest_cases,
    onnx_cases,
    signature_cases,
    zip_cases,
)
from hostile.judge import Case
from hostile.sample import Sample

Maker = Callable[[Random, Sample], Case]

MAKERS: tuple[Maker, ...] = (
    *byte_cases.FAMILY,
    *folder_cases.FAMILY,
    *zip_cases.FAMILY,
    *manifest_cases.FAMILY,
    *signature_cases.FAMILY,
    *onnx_cases.FAMILY,
    *graph_cases.FAMILY,
    *golden_cases.FAMILY,
)


def make_case(seed: int, number: int, sample: Sample) -> tuple[str, Case]:
    """Make case ``number`` of a run: every maker in turn, the rest by chance."""
    maker = MAKERS[number % len(MAKERS)]
    return maker.__name__, maker(Random(f"{seed}/{number}"), sample)
