"""What each subject keeps of fp32's pictures: the quality that stands beside its speed.

One reference for all, fp32 on the CPU: what a GPU calls fp32 is compared with it, too.
"""

from __future__ import annotations

from collections.abc import Sequence

from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.quality import compare_with_exact, mouth_box, reference_frames
from rap_edge.benchmarks.report.record import Result
from rap_edge.benchmarks.subjects import EXACT, Opened, able, open_subjects
from rap_edge.bundle import Bundle
from rap_edge.evaluation.metrics import Video
from rap_edge.evaluation.regions import Box

SCENARIO = "quality"
QUANTITIES = ("frame_psnr_db", "mouth_psnr_db", "mouth_curve_r")


def qualities(
    bundle: Bundle, opened: Sequence[Opened], pinned: Pinned, seconds: float
) -> dict[str, Result]:
    """Compare every subject with the reference on ``seconds`` of speech, by label.

    Two videos are in memory at a time.
    """
    reference = reference_of(bundle, opened, pinned)
    if reference is None:
        nothing = dict.fromkeys(QUANTITIES, "no fp32 variant runs here to compare with")
        return {one.label: one.result(SCENARIO, {}, nothing) for one in opened}
    exact = reference_frames(reference.avatar, pinned, seconds)
    mouth = mouth_box(reference.avatar)
    return {one.label: _quality(one, reference, exact, mouth, pinned) for one in opened}


def reference_of(bundle: Bundle, opened: Sequence[Opened], pinned: Pinned) -> Opened | None:
    """Return what everything is compared with: fp32 on a CPU, onnxruntime's if it is there.

    It is opened if it is not to be measured; None if there is none here.
    """
    exact = [one for one in able(bundle) if (one.variant.precision, one.device) == (EXACT, "cpu")]
    for label in sorted(one.label for one in exact):
        ready = [one for one in opened if one.label == label]
        if not ready:
            ready, _ = open_subjects(bundle, pinned.portrait, only=[label])
        if ready:
            return ready[0]
    return None


def _quality(one: Opened, reference: Opened, exact: Video, mouth: Box, pinned: Pinned) -> Result:
    if one.label == reference.label:
        return one.result(SCENARIO, {}, dict.fromkeys(QUANTITIES, "it is what is compared with"))
    same_square = one.model.avatar(pinned.portrait, reference.avatar.crop)
    frames = reference_frames(same_square, pinned, len(exact) / one.model.config.fps)
    return one.result(SCENARIO, compare_with_exact(frames, exact, mouth))
