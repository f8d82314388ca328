"""Bundles that were tampered with are refused on purpose, and nothing is touched.

Some hundreds of them; ``tools/fuzz_bundles.py`` tries any number.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rap_edge.bundle import verify_bundle

if TYPE_CHECKING:
    from hostile.sample import Sample

EACH = 4


def test_hostile_bundles_are_refused_and_touch_nothing(sample: Sample, tmp_path: Path) -> None:
    from hostile.cases import MAKERS, make_case
    from hostile.judge import judge

    verify_bundle(Path(sample.trusted.parent / "sample"), [sample.trusted])  # imports what it needs
    problems = []
    for number in range(EACH * len(MAKERS)):
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        family, case = make_case(0, number, sample)
        verdict = judge(case, scratch, sample.trusted)
        if verdict.problem is not None:
            problems.append(f"{number}: {family}: {case.name}: {verdict.problem}")
        shutil.rmtree(scratch)
    assert not problems


def test_what_was_not_tampered_with_is_accepted(
    sample: Sample, rapb: Path, folder: Path, put: Callable[[dict[str, bytes]], Path]
) -> None:
    """Otherwise the cases above would prove nothing."""
    assert verify_bundle(rapb, [sample.trusted]).signed_by
    assert verify_bundle(folder, [sample.trusted]).signed_by
    assert verify_bundle(put(sample.remade({})), allow_unsigned=True).signed_by is None
