"""What each subject keeps of fp32's pictures: the quality that stands beside its speed."""

from __future__ import annotations

from collections.abc import Sequence

from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.quality import compare_with_exact, mouth_box, reference_frames
from rap_edge.benchmarks.report.record import Result
from rap_edge.benchmarks.subjects import EXACT, Opened, exact_of

SCENARIO = "quality"
QUANTITIES = ("frame_psnr_db", "mouth_psnr_db", "mouth_curve_r")


def qualities(opened: Sequence[Opened], pinned: Pinned, seconds: float) -> dict[str, Result]:
    """Compare every subject with fp32 on ``seconds`` of speech, by label.

    fp32 is that of the same backend, or of another one if there is none; of it two videos at most
    are in memory.
    """
    return {
        one.label: _quality(one, exact_of(one.subject, opened), pinned, seconds) for one in opened
    }


def _quality(one: Opened, exact: Opened | None, pinned: Pinned, seconds: float) -> Result:
    if one.subject.precision == EXACT:
        return one.result(SCENARIO, {}, dict.fromkeys(QUANTITIES, "fp32 is what is compared with"))
    if exact is None:
        return one.result(SCENARIO, {}, dict.fromkeys(QUANTITIES, "no fp32 variant runs here"))
    same_square = one.model.avatar(pinned.portrait, exact.avatar.crop)
    frames = reference_frames(same_square, pinned, seconds)
    wanted = reference_frames(exact.avatar, pinned, seconds)
    return one.result(SCENARIO, compare_with_exact(frames, wanted, mouth_box(exact.avatar)))
